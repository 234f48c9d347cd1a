"""What a customer's message means: what is owed, what is said at closed hours, who is called."""

from typing import Any

import pytest

from sportello.domain.decide import decide
from sportello.domain.events import Customer, Edit, Kind, Media, Tick
from sportello.domain.model import HOUR, MINUTE
from sportello.domain.reasons import Reason
from tests.unit.builders import (
    ACCOUNT,
    ALWAYS_OPEN,
    CUSTOMER,
    DESK,
    WITH_LUNCH,
    Conversation,
    at,
    call,
    calls,
    desk,
    inbound,
    say,
    says,
    thread,
)

OPEN, CLOSED = at("Mon 10:00"), at("Mon 20:00")


class TestWhatOwes:
    @pytest.mark.parametrize(
        "kind",
        [
            Kind.TEXT,
            Kind.MEDIA,
            Kind.LOCATION,
            Kind.CONTACT,
            Kind.BUTTON,
            Kind.ORDER,
            Kind.CALL,
            Kind.UNSUPPORTED,
        ],
    )
    def test_what_asks_for_an_answer_owes_one(self, kind: Kind) -> None:
        decision = decide(thread(), inbound("", time=OPEN, kind=kind), DESK, OPEN)
        assert decision.reasons[0] == Reason.OWES
        assert decision.thread.owed_since == OPEN
        assert decision.thread.due is not None

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"text": "👍", "kind": Kind.REACTION}, Reason.REACTION),
            ({"text": "/start", "kind": Kind.START}, Reason.STARTED),
            ({"text": "", "kind": Kind.SERVICE, "detail": "joined"}, Reason.SERVICE_NOTICE),
            ({"text": "Chi viene stasera?", "group": True, "addressed": False}, Reason.NOT_ADDRESSED),
            ({"text": "Grazie!"}, Reason.THANKS),
            ({"text": "thank you"}, Reason.THANKS),
            ({"text": "Grazie mille"}, Reason.THANKS),
            ({"test": True}, Reason.TEST),
        ],
    )
    def test_what_asks_nothing_owes_nothing_and_hears_nothing(
        self, changes: dict[str, Any], reason: Reason
    ) -> None:
        decision = decide(thread(), inbound(time=CLOSED, **changes), DESK, CLOSED)
        assert decision.reasons == (reason,)
        assert decision.effects == ()
        assert (decision.thread.owed_since, decision.thread.due) == (None, None)

    def test_urgent_words_said_in_a_group_to_others_call_nobody(self) -> None:
        event = inbound("È urgente!", time=OPEN, group=True, addressed=False)
        assert decide(thread(), event, DESK, OPEN).effects == ()

    def test_a_group_message_to_us_owes(self) -> None:
        decision = decide(thread(), inbound(time=OPEN, group=True), DESK, OPEN)
        assert decision.reasons == (Reason.OWES,)

    def test_thanks_under_a_picture_owe(self) -> None:
        decision = decide(thread(), inbound("Grazie", time=OPEN, kind=Kind.MEDIA), DESK, OPEN)
        assert decision.reasons == (Reason.OWES,)

    def test_thanks_leave_the_debt_that_there_is(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        before = talk.thread
        assert talk.customer("Mon 10:05", "Grazie").reasons == (Reason.THANKS,)
        assert talk.thread == before

    def test_a_second_message_changes_nothing_that_is_decided_by(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "Dov'è il mio ordine?")
        before = talk.thread
        decision = talk.customer("Mon 10:01", "Ci siete?")
        assert decision.reasons == (Reason.STILL_OWES,)
        assert talk.thread == before

    def test_waiting_counts_from_when_the_message_was_written(self) -> None:
        decision = decide(thread(), inbound(time=OPEN - 5 * MINUTE), DESK, OPEN)
        assert decision.thread.owed_since == OPEN - 5 * MINUTE

    @pytest.mark.parametrize("time", [None, OPEN + HOUR])
    def test_waiting_counts_from_arrival_where_the_platform_has_no_time_or_runs_ahead(
        self, time: int | None
    ) -> None:
        assert decide(thread(), inbound(time=time), DESK, OPEN).thread.owed_since == OPEN

    def test_a_new_debt_goes_to_the_first_team_and_opens_what_was_resolved(self) -> None:
        decision = decide(thread(resolved="answered"), inbound(time=OPEN), DESK, OPEN)
        assert (decision.thread.team, decision.thread.resolved) == ("care", "")

    def test_a_new_debt_stays_with_the_threads_team(self) -> None:
        assert decide(thread(team="returns"), inbound(time=OPEN), DESK, OPEN).thread.team == "returns"

    def test_a_team_that_is_gone_leaves_its_threads_to_the_first(self) -> None:
        assert decide(thread(team="closed down"), inbound(time=OPEN), DESK, OPEN).thread.team == "care"

    def test_a_new_debt_knows_nothing_of_calls_that_were_not_its_own(self) -> None:
        talk = Conversation()
        talk.send_failed("Mon 09:30", owed_since=None)
        decision = talk.customer("Mon 10:00", "urgente")
        assert (calls(decision), call(decision).key) == ([Reason.URGENT], "")

    def test_an_edit_changes_nothing(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        before = talk.thread
        edit = Edit(account=ACCOUNT, customer=CUSTOMER, original="message-1", time=OPEN, text="urgente")
        decision = talk.take(edit, OPEN)
        assert (decision.reasons, decision.effects, talk.thread) == ((Reason.EDITED,), (), before)


class TestWhatTheInboxShows:
    @pytest.mark.parametrize(
        ("changes", "first"),
        [
            ({"text": "  Buongiorno,\n\n dov'è? "}, "Buongiorno, dov'è?"),
            ({"text": "a" * 200}, "a" * 80),
            ({"text": "", "kind": Kind.LOCATION}, "[location]"),
            ({"text": "", "kind": Kind.UNSUPPORTED, "detail": "poll"}, "[poll]"),
            ({"text": "", "kind": Kind.MEDIA, "media": (Media(kind="voice", id="1"),)}, "[voice]"),
            ({"text": "Ecco", "kind": Kind.MEDIA, "media": (Media(kind="image", id="1"),)}, "Ecco"),
        ],
    )
    def test_first_words_of_the_oldest_unanswered_message(self, changes: dict[str, Any], first: str) -> None:
        assert decide(thread(), inbound(time=OPEN, **changes), DESK, OPEN).thread.first == first


class TestReachable:
    def test_a_customer_who_blocks_us_cannot_be_reached(self) -> None:
        event = inbound("", time=OPEN, kind=Kind.SERVICE, detail="blocked")
        decision = decide(thread(), event, DESK, OPEN)
        assert decision.reasons == (Reason.BLOCKED_US, Reason.SERVICE_NOTICE)
        assert decision.thread.unreachable

    def test_being_blocked_again_is_no_news(self) -> None:
        event = inbound("", time=OPEN, kind=Kind.SERVICE, detail="blocked")
        decision = decide(thread(unreachable=True), event, DESK, OPEN)
        assert decision.reasons == (Reason.SERVICE_NOTICE,)
        assert decision.thread.unreachable

    def test_a_customer_who_writes_again_came_back(self) -> None:
        decision = decide(thread(unreachable=True), inbound(time=OPEN), DESK, OPEN)
        assert decision.reasons == (Reason.CAME_BACK, Reason.OWES)
        assert not decision.thread.unreachable


class TestClosedHours:
    def test_the_first_message_is_told_the_opening_at_once(self) -> None:
        decision = decide(thread(), inbound(time=CLOSED), DESK, CLOSED)
        assert decision.reasons == (Reason.OWES, Reason.TOLD_HOURS)
        told = say(decision)
        assert (told.text, told.kind, told.why) == ("closed", "hours", Reason.TOLD_HOURS)
        assert told.until == told.not_after == decision.thread.told_until == at("Tue 09:00")

    def test_an_open_desk_says_nothing(self) -> None:
        decision = decide(thread(), inbound(time=OPEN), DESK, OPEN)
        assert (decision.reasons, decision.effects) == ((Reason.OWES,), ())

    @pytest.mark.parametrize(("when", "texts"), [("Mon 17:59", []), ("Mon 18:00", ["closed"])])
    def test_closing_time_is_closed(self, when: str, texts: list[str]) -> None:
        assert says(Conversation().customer(when)) == texts

    @pytest.mark.parametrize(("when", "texts"), [("Mon 08:59", ["closed"]), ("Mon 09:00", [])])
    def test_opening_time_is_open(self, when: str, texts: list[str]) -> None:
        assert says(Conversation().customer(when)) == texts

    def test_over_weekend_and_holiday_the_opening_named_is_the_next_real_one(self) -> None:
        told = say(Conversation().customer("2026-12-07 18:30"))
        assert told.until == at("2026-12-09 09:00")  # the 8th is a holiday
        assert say(Conversation().customer("Fri 18:30")).until == at("2026-11-30 09:00")

    def test_it_is_told_once_until_that_opening(self) -> None:
        talk = Conversation()
        talk.customer("Fri 20:00")
        for when in ("Fri 20:01", "Sat 12:00", "Sun 23:59", "2026-11-30 08:59"):
            decision = talk.customer(when, "C'è nessuno?")
            assert decision.reasons == (Reason.STILL_OWES, Reason.ALREADY_TOLD)
            assert decision.effects == ()

    def test_an_answer_and_a_new_question_do_not_make_it_speak_again(self) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00")
        talk.person("Mon 20:10")
        decision = talk.customer("Mon 21:00")
        assert decision.reasons == (Reason.OWES, Reason.ALREADY_TOLD)
        assert decision.effects == ()

    def test_edited_hours_do_not_make_it_speak_before_the_opening_that_it_named(self) -> None:
        talk = Conversation()
        talk.customer("Fri 20:00")
        talk.desk = desk("Mo-Fr 09:00-18:00; Sa 10:00-12:00")
        assert says(talk.customer("Sat 13:00")) == []
        talk.desk = desk("Tu-Fr 09:00-18:00")
        assert says(talk.customer("Sun 13:00")) == []
        assert talk.thread.told_until == at("2026-11-30 09:00")

    def test_edited_hours_and_asking_for_a_person_do_not_make_it_speak_before_that_opening(self) -> None:
        talk = Conversation()
        talk.customer("Fri 20:00")
        talk.desk = desk("Mo-Fr 09:00-18:00; Sa 10:00-12:00")
        assert say(talk.customer("Fri 21:00", "operatore")).until == at("Sat 10:00")
        assert says(talk.customer("Sat 13:00")) == []

    def test_a_new_closed_period_speaks_again(self) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00")
        talk.person("Tue 10:00")
        decision = talk.customer("Tue 20:00")
        assert decision.reasons == (Reason.OWES, Reason.TOLD_HOURS)
        assert say(decision).until == at("Wed 09:00")

    def test_a_new_closed_period_speaks_again_to_a_debt_that_writes_again(self) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00")
        decision = talk.customer("Tue 18:00", "Allora?")
        assert decision.reasons == (Reason.STILL_OWES, Reason.TOLD_HOURS)

    def test_lunch_is_a_closed_period(self) -> None:
        talk = Conversation(WITH_LUNCH)
        assert say(talk.customer("Mon 13:10")).until == at("Mon 14:00")
        assert say(talk.customer("Mon 18:10")).until == at("Tue 09:00")

    def test_a_desk_that_never_opens_again_names_no_opening(self) -> None:
        never = desk("2026 Nov 23 09:00-12:00")
        decision = decide(thread(), inbound(time=CLOSED), never, CLOSED)
        assert decision.reasons == (Reason.OWES, Reason.NEVER_OPENS)
        assert decision.effects == ()
        assert decision.thread.told_until is None

    def test_nobody_is_told_while_a_person_is_in_the_conversation(self) -> None:
        talk = Conversation()
        talk.claim("Mon 19:50")
        decision = talk.customer("Mon 20:00")
        assert decision.reasons == (Reason.OWES, Reason.PERSON_PRESENT)
        assert decision.effects == ()
        assert talk.thread.told_until is None

    def test_a_person_is_in_the_conversation_for_thirty_minutes(self) -> None:
        talk = Conversation()
        talk.claim("Mon 19:30")
        assert says(talk.customer("Mon 19:59")) == []
        assert says(talk.customer("Mon 20:00")) == ["closed"]


class TestAskingForAPerson:
    def test_at_closed_hours_the_acknowledgement_is_the_closed_hours_reply(self) -> None:
        talk = Conversation()
        decision = talk.customer("Mon 20:00", "Vorrei un operatore")
        assert decision.reasons == (Reason.OWES, Reason.ASKS_PERSON, Reason.TOLD_PERSON_COMES)
        acknowledged = say(decision)
        assert (acknowledged.text, acknowledged.kind) == ("person_asked_closed", "person")
        assert acknowledged.until == acknowledged.not_after == at("Tue 09:00")
        assert talk.thread.told_until == at("Tue 09:00")
        assert says(talk.customer("Mon 20:05", "Siete chiusi?")) == []

    def test_at_open_hours_it_is_acknowledged_without_hours_until_closing(self) -> None:
        decision = Conversation().customer("Mon 10:00", "A real person, please")
        acknowledged = say(decision)
        assert (acknowledged.text, acknowledged.until) == ("person_asked_open", None)
        assert acknowledged.not_after == at("Mon 18:00")
        assert decision.thread.told_until is None

    def test_a_desk_that_never_closes_acknowledges_for_an_hour(self) -> None:
        decision = decide(thread(), inbound("operatore", time=OPEN), ALWAYS_OPEN, OPEN)
        assert say(decision).not_after == OPEN + HOUR

    @pytest.mark.parametrize("again", ["Mon 20:05", "Tue 10:00"])
    def test_it_is_acknowledged_once_per_debt_at_whatever_hour_it_is_asked_again(self, again: str) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00", "operatore")
        decision = talk.customer(again, "OPERATORE!")
        assert decision.effects == ()
        assert decision.reasons == (
            Reason.STILL_OWES, Reason.ALREADY_CALLED, Reason.PERSON_ALREADY_ASKED
        )  # fmt: skip

    def test_it_is_acknowledged_also_to_who_knows_the_hours(self) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00")
        decision = talk.customer("Mon 20:05", "operatore")
        assert says(decision) == ["person_asked_closed"]
        assert calls(decision) == [Reason.ASKS_PERSON]

    def test_a_new_debt_is_acknowledged_again(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "operatore")
        talk.person("Mon 10:05")
        assert says(talk.customer("Mon 11:00", "operatore")) == ["person_asked_open"]

    def test_a_button_that_says_it_counts(self) -> None:
        event = inbound("Operatore", time=OPEN, kind=Kind.BUTTON)
        assert calls(decide(thread(), event, DESK, OPEN)) == [Reason.ASKS_PERSON]

    def test_who_talks_to_a_person_already_is_not_acknowledged_and_calls_nobody(self) -> None:
        talk = Conversation()
        talk.claim("Mon 10:00")
        decision = talk.customer("Mon 10:05", "operatore")
        assert decision.reasons == (Reason.OWES, Reason.PERSON_PRESENT)
        assert decision.effects == ()
        assert not talk.thread.person_told


class TestCallingPeople:
    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 03:00", "Sun 12:00", "2026-12-08 12:00"])
    @pytest.mark.parametrize(
        ("text", "why"), [("operatore", Reason.ASKS_PERSON), ("È URGENTE", Reason.URGENT)]
    )
    def test_words_call_at_any_hour(self, when: str, text: str, why: Reason) -> None:
        decision = Conversation().customer(when, text)
        assert calls(decision) == [why]
        assert (call(decision).team, call(decision).key) == ("care", "")
        assert why in decision.reasons

    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 03:00"])
    def test_what_cannot_be_read_calls(self, when: str) -> None:
        assert calls(Conversation().customer(when, "", kind=Kind.UNSUPPORTED)) == [Reason.UNREADABLE]

    def test_an_ordinary_question_calls_nobody(self) -> None:
        assert calls(Conversation().customer("Mon 10:00")) == []

    def test_urgent_at_closed_hours_is_also_told_the_hours(self) -> None:
        decision = Conversation().customer("Mon 20:00", "urgente")
        assert (calls(decision), says(decision)) == ([Reason.URGENT], ["closed"])

    def test_a_further_reason_is_added_to_the_open_call(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "operatore")
        opened = talk.thread.escalation
        decision = talk.customer("Mon 10:01", "È urgente")
        assert call(decision).key == opened != ""
        assert call(talk.customer("Mon 10:02", "", kind=Kind.UNSUPPORTED)).key == opened
        assert talk.thread.escalation == opened
        assert talk.thread.escalated == (Reason.ASKS_PERSON, Reason.URGENT, Reason.UNREADABLE)

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"text": "urgente"}, Reason.URGENT),
            ({"text": "", "kind": Kind.UNSUPPORTED}, Reason.UNREADABLE),
        ],
    )
    def test_the_same_reason_never_calls_twice_in_a_debt(self, changes: dict[str, Any], why: Reason) -> None:
        talk = Conversation()
        assert calls(talk.customer("Mon 10:00", **changes)) == [why]
        decision = talk.customer("Mon 10:01", **changes)
        assert decision.reasons == (Reason.STILL_OWES, Reason.ALREADY_CALLED)
        assert decision.effects == ()

    def test_two_reasons_in_one_message_are_one_call(self) -> None:
        decision = Conversation().customer("Mon 10:00", "urgente, un operatore")
        assert call(decision).whys == (Reason.URGENT, Reason.ASKS_PERSON)
        assert says(decision) == ["person_asked_open"]

    def test_of_two_reasons_in_one_message_the_new_one_is_added(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "urgente")
        assert calls(talk.customer("Mon 10:01", "urgente, un operatore")) == [Reason.ASKS_PERSON]

    def test_after_an_answer_the_same_reason_makes_a_new_call(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "urgente")
        talk.person("Mon 10:05")
        decision = talk.customer("Mon 11:00", "urgente")
        assert (calls(decision), call(decision).key) == ([Reason.URGENT], "")

    def test_while_a_person_is_present_only_urgent_words_call(self) -> None:
        talk = Conversation()
        talk.claim("Mon 10:00")
        assert calls(talk.customer("Mon 10:01", "", kind=Kind.UNSUPPORTED)) == []
        decision = talk.customer("Mon 10:02", "urgente")
        assert calls(decision) == [Reason.URGENT]
        assert says(decision) == []

    def test_the_threads_own_team_is_called(self) -> None:
        decision = decide(thread(team="returns"), inbound("urgente", time=OPEN), DESK, OPEN)
        assert call(decision).team == "returns"


class TestLanguageOfReplies:
    @pytest.mark.parametrize(
        ("platform", "known", "text", "language"),
        [
            ("en", "it", "Dov'è il mio ordine, per favore?", "en"),
            ("de", "it", "Where is my order?", "it"),
            ("", "en", "Dov'è il mio ordine, per favore?", "en"),
            ("", "", "Where is my order?", "en"),
            ("", "", "Order status", "it"),
        ],
    )
    def test_platform_then_thread_then_words_then_the_desks(
        self, platform: str, known: str, text: str, language: str
    ) -> None:
        event = inbound(text, time=CLOSED, language=platform)
        assert say(decide(thread(language=known), event, DESK, CLOSED)).language == language

    def test_the_thread_keeps_the_language_it_was_first_known_to_have(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "ok")
        assert talk.thread.language == ""
        talk.customer("Mon 10:01", "Where is my order?")
        assert talk.thread.language == "en"
        talk.customer("Mon 10:02", "Dov'è il mio ordine, per favore?")
        assert talk.thread.language == "en"

    def test_the_thread_takes_the_platforms_language_only_if_the_desk_speaks_it(self) -> None:
        german = Customer(id="c", address="1", language="de")
        event = inbound("Where is my order?", time=OPEN).model_copy(update={"customer": german})
        assert decide(thread(), event, DESK, OPEN).thread.language == "en"


class TestWhatAMachineOrAListWrote:
    def test_it_owes_and_hears_no_automatic_voice(self) -> None:
        decision = decide(thread(), inbound("Undelivered", CLOSED, automatic="no_reply"), DESK, CLOSED)
        assert Reason.OWES in decision.reasons
        assert Reason.AUTOMATIC_MESSAGE in decision.reasons
        assert decision.effects == ()
        assert decision.thread.quiet == "no_reply"

    def test_it_hears_none_later_either_but_people_are_called_when_nobody_answers(self) -> None:
        opened = decide(thread(), inbound("Call a person!", OPEN, automatic="no_reply"), DESK, OPEN).thread
        spoken = []
        for hour in range(1, 24):
            decision = decide(opened, Tick(due=OPEN + hour * HOUR), DESK, OPEN + hour * HOUR)
            spoken += says(decision)
            opened = decision.thread
        assert spoken == []
        assert Reason.NO_ANSWER in opened.escalated

    def test_a_customer_who_writes_after_it_is_told_as_ever(self) -> None:
        quiet = decide(thread(), inbound("Newsletter", CLOSED, automatic="no_reply"), DESK, CLOSED).thread
        decision = decide(quiet, inbound("Are you open?", CLOSED + MINUTE), DESK, CLOSED + MINUTE)
        assert decision.thread.quiet == ""
        assert says(decision) == ["closed"]
