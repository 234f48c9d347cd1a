"""From the official account to the care account: the way, the ref in its link, the debt that goes along."""

import pytest

from sportello.domain.decision import Consult
from sportello.domain.desk import Served
from sportello.domain.events import Followed, Kind
from sportello.domain.faq_words import starts_of
from sportello.domain.reasons import Reason
from sportello.domain.staff import Target, Team
from tests.unit.builders import DESK, Conversation, asks, at, calls, say, says, thread

LINK = "https://m.me/care?ref={ref}"
TWO = DESK.model_copy(
    update={
        "accounts": (
            Served(channel="whatsapp", account="official", role="official", care_link=LINK),
            Served(channel="telegram", account="official", team="returns"),
            Served(channel="whatsapp", account="bare", role="official"),
        ),
        "faq_words": frozenset(starts_of("spedizione", "spedizione")),
    }
)


def official() -> Conversation:
    return Conversation(TWO, thread(account="official"))


class TestTheWay:
    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 20:00"])
    def test_it_is_told_at_any_hour_and_the_answer_stays_owed(self, when: str) -> None:
        talk = official()
        decision = talk.customer(when)
        assert (says(decision), say(decision).values["link"]) == (["to_care"], LINK)
        assert decision.reasons == (Reason.OWES, Reason.TO_CARE)
        assert talk.thread.owes

    def test_once_in_a_debt(self) -> None:
        talk = official()
        talk.customer("Mon 10:00")
        decision = talk.customer("Mon 10:01", "Ci siete?")
        assert (decision.reasons, decision.effects) == ((Reason.STILL_OWES, Reason.ALREADY_SHOWN_CARE), ())
        talk.person("Mon 10:05", unseen="Mon 10:04")
        assert says(talk.customer("Mon 11:00")) == []
        talk.person("Mon 11:05")
        assert says(talk.customer("Mon 12:00")) == ["to_care"]

    def test_it_is_all_that_is_said_of_closing(self) -> None:
        talk = official()
        talk.customer("Mon 17:55")
        assert says(talk.tick("Mon 18:05")) == []

    def test_who_asks_for_a_person_is_shown_it_and_people_are_called(self) -> None:
        decision = official().customer("Mon 10:00", "operatore")
        assert (says(decision), calls(decision)) == (["to_care"], [Reason.ASKS_PERSON])

    def test_a_frequent_question_is_asked_on_the_care_account(self) -> None:
        decision = official().customer("Mon 10:00", "Quanto costa la spedizione?")
        assert (says(decision), asks(decision)) == (["to_care"], ())

    def test_not_while_a_person_is_there_nor_to_machines_nor_in_public(self) -> None:
        talk = official()
        talk.claim("Mon 09:59")
        assert says(talk.customer("Mon 10:00")) == []
        assert says(official().customer("Mon 10:00", automatic="own_address")) == []
        posted = Conversation(TWO, thread(account="official", public=True))
        assert says(posted.customer("Mon 10:00", public=True, acts=("reply", "private"))) == []

    @pytest.mark.parametrize(
        ("channel", "account"), [("telegram", "official"), ("whatsapp", "bare"), ("viber", "official")]
    )
    def test_other_accounts_answer_themselves(self, channel: str, account: str) -> None:
        talk = Conversation(TWO, thread(channel=channel, account=account))
        assert says(talk.customer("Mon 20:00")) == ["closed"]

    def test_an_account_may_have_a_team_of_its_own(self) -> None:
        talk = Conversation(TWO, thread(channel="telegram", account="official"))
        talk.customer("Mon 10:00")
        assert talk.thread.team == "returns"


class TestTheRef:
    @pytest.mark.parametrize("kind", [Kind.START, Kind.TEXT, Kind.SERVICE])
    def test_it_is_looked_up_whatever_came_with_it(self, kind: Kind) -> None:
        talk = Conversation(TWO)
        text = "Buongiorno a tutti" if kind is Kind.TEXT else ""
        assert asks(talk.customer("Mon 10:00", text, kind=kind, ref="sp-abc")) == ("ref",)

    def test_it_does_not_keep_from_asking_what_else_there_is_to_ask(self) -> None:
        talk = Conversation(TWO)
        decision = talk.customer("Mon 10:00", "Quanto costa la spedizione?", ref="sp-abc")
        assert (asks(decision), len(talk.asked)) == (("faq", "ref"), 1)
        assert talk.thread.consulting == at("Mon 10:01")
        answer = talk.answer(
            "Mon 10:00",
            faq="shipping",
            linked="o" * 26,
            linked_since=at("Mon 09:00"),
            linked_first="Il mio pacco",
        )
        assert says(answer) == ["faq"]
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 09:00"), "Il mio pacco")

    def test_an_official_account_is_no_place_to_go_on(self) -> None:
        decision = official().customer("Mon 10:00", ref="sp-abc")
        assert (says(decision), asks(decision)) == (["to_care"], ())

    @pytest.mark.parametrize("ref", ["", "summer-sale", "SP-abc"])
    def test_the_companys_own_are_not_ours(self, ref: str) -> None:
        assert asks(Conversation(TWO).customer("Mon 10:00", "Buongiorno a tutti", ref=ref)) == ()

    def test_it_is_looked_up_also_while_a_person_is_there(self) -> None:
        talk = Conversation(TWO)
        talk.claim("Mon 09:59")
        assert asks(talk.customer("Mon 10:00", ref="sp-abc")) == ("ref",)


REF = Consult(asks=("ref",), until=at("Mon 10:01"))


class TestTheDebtGoesAlong:
    def test_what_was_asked_there_is_owed_here_from_when_it_was_asked(self) -> None:
        talk = Conversation(TWO, thread(track="care", told_until=at("Mon 09:00")))
        talk.customer("Mon 10:00", "", kind=Kind.START, ref="sp-abc")
        decision = talk.answer(
            "Mon 10:00", linked="o" * 26, linked_since=at("Mon 09:50"), linked_first="Il pacco"
        )
        assert decision.reasons == (Reason.LINKED, Reason.OWES)
        thread_now = talk.thread
        assert (thread_now.owed_since, thread_now.first, thread_now.team, thread_now.track) == (
            at("Mon 09:50"), "Il pacco", "care", ""
        )  # fmt: skip
        assert thread_now.due == at("Mon 10:00")  # ten minutes on: we are on it

    def test_of_two_debts_the_older_counts(self) -> None:
        talk = Conversation(TWO)
        talk.customer("Mon 10:00", "E il tavolo?")
        talk.answer("Mon 10:00", REF, linked="o" * 26, linked_since=at("Mon 09:00"), linked_first="Il pacco")
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 09:00"), "Il pacco")
        talk.answer("Mon 10:01", REF, linked="p" * 26, linked_since=at("Mon 09:30"), linked_first="Altro")
        assert talk.thread.first == "Il pacco"

    def test_where_nothing_is_owed_there_nothing_is_here(self) -> None:
        talk = Conversation(TWO)
        talk.customer("Mon 10:00", "", kind=Kind.START, ref="sp-abc")
        decision = talk.answer("Mon 10:00", linked="o" * 26)
        assert (decision.reasons, talk.thread.owes, talk.thread.due) == ((Reason.LINKED,), False, None)

    def test_at_closed_hours_they_are_told_at_once(self) -> None:
        talk = Conversation(TWO)
        talk.customer("Mon 20:00", "", kind=Kind.START, ref="sp-abc")
        talk.answer("Mon 20:00", linked="o" * 26, linked_since=at("Mon 19:50"), linked_first="Il pacco")
        due, decision = talk.tick_at_due()
        assert (due, says(decision)) == (at("Mon 20:00"), ["closing"])

    def test_there_it_is_owed_no_more(self) -> None:
        talk = official()
        talk.customer("Mon 10:00", "operatore")
        decision = talk.followed("Mon 10:05")
        assert (decision.reasons, decision.effects) == ((Reason.FOLLOWED,), ())
        after = talk.thread
        assert (after.owes, after.due, after.escalation, after.escalated, after.resolved) == (
            False,
            None,
            "",
            (),
            "",
        )

    @pytest.mark.parametrize("came", ["Mon 09:30", ""])
    def test_told_late_it_leaves_a_later_debt_there(self, came: str) -> None:
        talk = official()
        if came:
            talk.customer(came)
            talk.person("Mon 09:40")
        event = Followed(thread="c" * 26, since=at(came) if came else None)
        talk.customer("Mon 10:00")
        assert talk.take(event, at("Mon 10:05")).reasons == (Reason.FOLLOWED, Reason.NOTHING_OWED)
        assert talk.thread.owed_since == at("Mon 10:00")

    def test_where_nothing_was_owed_it_changes_nothing(self) -> None:
        talk = official()
        before = talk.thread
        assert talk.followed("Mon 10:05").reasons == (Reason.FOLLOWED, Reason.NOTHING_OWED)
        assert talk.thread.model_copy(update={"rev": 0}) == before


def test_one_team_s_own_hours_count_on_its_account() -> None:
    late = Team(tell=(Target(email="returns@example.com"),), hours="Mo-Fr 20:00-22:00")
    desk = TWO.model_copy(update={"teams": {"care": TWO.teams["care"], "returns": late}})
    talk = Conversation(desk, thread(channel="telegram", account="official"))
    assert says(talk.customer("Mon 10:00")) == ["closed"]
    assert say(talk.customer("Mon 23:00", "Allora?")).until == at("Tue 20:00")
