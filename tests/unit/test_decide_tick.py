"""Deadlines: who is told at closing, "we are on it", the call when nobody answers, the next look."""

import pytest

from sportello.domain.decide import decide
from sportello.domain.desk import Desk
from sportello.domain.events import Tick
from sportello.domain.model import HOUR, MINUTE, Instant
from sportello.domain.reasons import Reason
from sportello.domain.timers import CLOSING_SPREAD
from tests.unit.builders import (
    ALWAYS_OPEN,
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


class TestOnIt:
    def test_it_is_said_after_ten_minutes_of_service_without_an_answer(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        due, decision = talk.tick_at_due()
        assert due == at("Mon 10:10")
        assert decision.reasons == (Reason.TOLD_ON_IT,)
        told = say(decision)
        assert (told.text, told.kind, told.until) == ("on_it", "on-it", None)
        assert told.not_after == at("Mon 11:10")

    def test_it_is_not_said_after_closing(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:40")
        assert say(talk.tick("Mon 17:50")).not_after == at("Mon 18:00")

    def test_it_is_said_once_per_debt(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.tick("Mon 10:10")
        talk.customer("Mon 10:20", "Ancora niente?")
        assert says(talk.tick("Mon 10:31")) == []
        assert says(talk.tick("Tue 10:00")) == []

    def test_it_is_said_again_to_a_new_debt(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.tick("Mon 10:10")
        talk.person("Mon 10:15")
        talk.customer("Mon 11:00")
        assert says(talk.tick("Mon 11:10")) == ["on_it"]

    def test_what_came_at_night_hears_it_ten_minutes_after_opening(self) -> None:
        talk = Conversation()
        talk.customer("Fri 20:00")
        due, decision = talk.tick_at_due()
        assert (due, says(decision)) == (at("2026-11-30 09:10"), ["on_it"])

    @pytest.mark.parametrize("when", ["Mon 18:00", "Mon 18:07", "Mon 23:00", "Sat 12:00"])
    def test_it_is_never_said_at_closed_hours(self, when: str) -> None:
        talk = Conversation()
        talk.customer("Mon 17:45")
        decision = talk.tick(when)
        assert "on_it" not in says(decision)
        assert not talk.thread.on_it
        assert talk.thread.due is not None
        assert talk.thread.due > at(when)

    def test_missed_at_closing_it_is_said_at_the_next_opening(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:50")  # ten minutes of service end exactly at closing
        talk.tick("Mon 18:05")
        due, decision = talk.tick_at_due()
        assert (due, says(decision)) == (at("Tue 09:00"), ["on_it"])

    def test_a_desk_may_do_without(self) -> None:
        talk = Conversation(desk(on_it_after=0))
        talk.customer("Mon 10:00")
        due, decision = talk.tick_at_due()
        assert due == at("Mon 10:30")
        assert says(decision) == []

    def test_it_is_said_in_the_threads_language(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "Where is my order?")
        assert say(talk.tick("Mon 10:10")).language == "en"

    def test_to_a_thread_of_unknown_language_it_is_said_in_the_desks(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "ok")
        assert say(talk.tick("Mon 10:10")).language == "it"


class TestNoAnswer:
    def test_people_are_called_after_thirty_minutes_of_service(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.tick_at_due()
        due, decision = talk.tick_at_due()
        assert due == at("Mon 10:30")
        assert (calls(decision), says(decision)) == ([Reason.NO_ANSWER], [])
        assert call(decision).key == ""

    @pytest.mark.parametrize(
        ("written", "called"),
        [
            ("Mon 17:45", "Tue 09:15"),
            ("Mon 20:00", "Tue 09:30"),
            ("Fri 17:50", "2026-11-30 09:20"),
            ("Sat 12:00", "2026-11-30 09:30"),
            ("2026-12-07 17:50", "2026-12-09 09:20"),
            ("Mon 17:30", "Mon 18:00"),
        ],
    )
    def test_nights_weekends_and_holidays_do_not_count(self, written: str, called: str) -> None:
        talk = Conversation()
        talk.customer(written)
        while not talk.called:
            due, _ = talk.tick_at_due()
        assert due == at(called)

    def test_lunch_does_not_count(self) -> None:
        talk = Conversation(WITH_LUNCH)
        talk.customer("Mon 12:50")
        while not talk.called:
            due, _ = talk.tick_at_due()
        assert due == at("Mon 14:20")

    @pytest.mark.parametrize("late", ["Mon 10:31", "Mon 17:59", "Mon 22:00", "Sat 03:00"])
    def test_a_late_look_calls_at_once_at_any_hour(self, late: str) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        assert calls(talk.tick(late)) == [Reason.NO_ANSWER]

    def test_they_are_called_once_per_debt_and_then_only_paged(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.tick("Mon 10:30")
        for when in ("Mon 10:31", "Mon 20:00", "Tue 12:00", "Fri 12:00"):
            assert Reason.NO_ANSWER not in calls(talk.tick(when))

    def test_it_is_added_to_a_call_that_is_open(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00", "urgente")
        opened = talk.thread.escalation
        decision = talk.tick("Mon 10:30")  # nobody looked at 10:15, when it was to be paged again
        assert (calls(decision), call(decision).key) == ([Reason.NO_ANSWER, Reason.UNACKNOWLEDGED], opened)

    def test_a_second_message_does_not_start_the_wait_anew(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.customer("Mon 10:25", "Allora?")
        assert calls(talk.tick("Mon 10:30")) == [Reason.NO_ANSWER]

    def test_a_late_look_does_everything_that_is_due_at_once(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        decision = talk.tick("Mon 11:00")
        assert (calls(decision), says(decision)) == ([Reason.NO_ANSWER], ["on_it"])
        assert decision.reasons == (Reason.NO_ANSWER, Reason.TOLD_ON_IT)

    def test_a_desk_may_do_without(self) -> None:
        talk = Conversation(desk(escalate_after=0))
        talk.customer("Mon 10:00")
        assert calls(talk.tick("Fri 12:00")) == []


class TestClosing:
    def test_who_is_owed_and_was_told_nothing_is_told_within_five_minutes(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:55")
        due, decision = talk.tick_at_due()
        assert at("Mon 18:00") <= due < at("Mon 18:05")
        assert decision.reasons == (Reason.TOLD_AT_CLOSING,)
        told = say(decision)
        assert (told.text, told.kind) == ("closing", "hours")
        assert told.until == told.not_after == talk.thread.told_until == at("Tue 09:00")

    def test_threads_are_spread_over_the_five_minutes_and_each_has_its_own_moment(self) -> None:
        moments = [closing_moment(f"thread-{number}") for number in range(300)]
        assert moments == [closing_moment(f"thread-{number}") for number in range(300)]
        after = [moment - at("Mon 18:00") for moment in moments]
        assert min(after) >= 0
        assert max(after) < CLOSING_SPREAD == 5 * MINUTE
        by_minute = [sum(moment // MINUTE == minute for moment in after) for minute in range(5)]
        assert min(by_minute) > 300 / 5 / 2

    def test_who_was_told_on_asking_for_hours_is_not_told_again(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:55")
        talk.customer("Mon 18:00", "Siete ancora aperti?")
        decision = talk.tick("Mon 18:05")
        assert decision.reasons == (Reason.NOT_YET,)

    def test_it_is_told_once(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:55")
        talk.tick("Mon 18:05")
        for when in ("Mon 18:06", "Mon 23:00", "Tue 08:59"):
            assert says(talk.tick(when)) == []
        assert says(talk.customer("Mon 23:30", "Ci siete?")) == []

    def test_who_was_told_the_hours_the_night_before_is_not_told_at_the_next_closing(self) -> None:
        talk = Conversation(WITH_LUNCH)
        talk.customer("Mon 20:00")
        talk.tick("Tue 12:00")
        assert says(talk.tick("Tue 13:05")) == []
        assert says(talk.tick("Tue 18:05")) == []

    def test_who_was_told_at_lunch_is_not_told_in_the_evening(self) -> None:
        talk = Conversation(WITH_LUNCH)
        talk.customer("Mon 12:58")
        assert says(talk.tick("Mon 13:05")) == ["closing"]
        assert says(talk.tick("Mon 18:05")) == []

    def test_what_an_earlier_debt_was_told_does_not_count(self) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00")
        talk.person("Tue 09:30")
        talk.customer("Tue 17:55")
        assert says(talk.tick("Tue 18:05")) == ["closing"]

    def test_who_is_owed_nothing_is_told_nothing(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:55")
        talk.person("Mon 17:58")
        decision = talk.tick("Mon 18:05")
        assert (decision.reasons, decision.effects) == ((Reason.NOTHING_OWED,), ())

    def test_not_while_a_person_is_present_but_when_they_have_left(self) -> None:
        talk = Conversation()
        talk.customer("Mon 17:55")
        talk.claim("Mon 17:58")
        silent = talk.tick("Mon 18:05")
        assert (silent.reasons, silent.effects) == ((Reason.PERSON_PRESENT,), ())
        due, decision = talk.tick_at_due()
        assert (due, says(decision)) == (at("Mon 18:28"), ["closing"])

    def test_who_wrote_at_closed_hours_to_a_person_that_then_left_is_told(self) -> None:
        talk = Conversation()
        talk.claim("Mon 20:00")
        talk.customer("Mon 20:10")
        due, decision = talk.tick_at_due()
        assert (due, says(decision)) == (at("Mon 20:30"), ["closing"])

    def test_a_desk_that_never_closes_never_says_so(self) -> None:
        talk = Conversation(ALWAYS_OPEN)
        talk.customer("Mon 10:00")
        talk.tick("Mon 11:00")
        talk.person("Mon 11:01", unseen="Mon 11:00")
        assert says(talk.tick("Mon 23:30")) == []

    def test_a_desk_that_never_opens_again_names_no_opening(self) -> None:
        talk = Conversation(desk("2026 Nov 23 09:00-18:00"))
        talk.customer("Mon 17:55")
        decision = talk.tick("Mon 18:05")
        assert decision.reasons == (Reason.NEVER_OPENS,)
        assert decision.effects == ()
        assert talk.thread.due is None


def closing_moment(thread_id: str) -> Instant:
    """When a thread that wrote just before closing is looked at."""
    now = at("Mon 17:59")
    due = decide(thread(id=thread_id), inbound(time=now), DESK, now).thread.due
    assert due is not None
    return due


class TestPersonPresent:
    @pytest.mark.parametrize("when", ["Mon 10:10", "Mon 10:30", "Mon 10:34"])
    def test_nothing_is_said_and_nobody_called(self, when: str) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.claim("Mon 10:05")
        decision = talk.tick(when)
        assert (decision.reasons, decision.effects) == ((Reason.PERSON_PRESENT,), ())
        assert talk.thread.due == at("Mon 10:35")

    def test_once_they_have_left_without_answering_people_are_called(self) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        talk.claim("Mon 10:05")
        talk.tick("Mon 10:10")
        due, decision = talk.tick_at_due()
        assert (due, calls(decision)) == (at("Mon 10:35"), [Reason.NO_ANSWER])


class TestNextLook:
    @pytest.mark.parametrize("when", ["Mon 10:01", "Mon 10:09", "Mon 10:11", "Mon 10:29"])
    def test_an_early_tick_does_nothing_but_set_the_next(self, when: str) -> None:
        talk = Conversation()
        talk.customer("Mon 10:00")
        if at(when) > at("Mon 10:10"):
            talk.tick("Mon 10:10")
        before = talk.thread
        decision = talk.tick(when)
        assert (decision.reasons, decision.effects) == ((Reason.NOT_YET,), ())
        assert decision.thread == before

    def test_a_stale_due_is_put_right(self) -> None:
        owing = decide(thread(), inbound(time=at("Mon 10:00")), DESK, at("Mon 10:00")).thread
        early = owing.model_copy(update={"due": at("Mon 10:02")})
        decision = decide(early, Tick(due=at("Mon 10:02")), DESK, at("Mon 10:02"))
        assert decision.reasons == (Reason.NOT_YET,)
        assert decision.thread.due == at("Mon 10:10")

    def test_a_tick_of_a_thread_that_owes_nothing_takes_its_due_away(self) -> None:
        decision = decide(thread(rev=3, due=at("Mon 10:00")), Tick(due=0), DESK, at("Mon 10:00"))
        assert decision.reasons == (Reason.NOTHING_OWED,)
        assert (decision.thread.due, decision.thread.rev) == (None, 4)

    @pytest.mark.parametrize("hours", [DESK.hours, WITH_LUNCH.hours, "Mo-Su 22:00-02:30", "24/7"])
    @pytest.mark.parametrize(
        "written", ["Mon 08:00", "Mon 10:00", "Mon 12:45", "Mon 17:52", "Mon 22:30", "Sat 09:00"]
    )
    @pytest.mark.parametrize("claimed_after", [None, 7 * MINUTE])
    def test_due_is_never_later_than_the_first_look_that_finds_something_to_do(
        self, hours: str, written: str, claimed_after: int | None
    ) -> None:
        """Against looking every minute: whoever waits for ``due`` misses nothing."""
        talk = Conversation(desk(hours))
        talk.customer(written)
        now = at(written)
        if claimed_after is not None:
            now += claimed_after
            talk.claim(f"{written[:3]} {clock(now)}")
        while talk.thread.due is not None and now < at(written) + 40 * HOUR:
            found = first_needed_look(talk, now, talk.desk)
            assert found is None or talk.thread.due <= found
            now, _ = talk.tick_at_due()


def clock(instant: Instant) -> str:
    return DESK.calendar.wall(instant).strftime("%H:%M")


def first_needed_look(talk: Conversation, now: Instant, desk: Desk) -> Instant | None:
    """The first minute at which a tick would cause anything, past the spread at closing."""
    for minute in range(1, 20 * 60):
        moment = now + minute * MINUTE
        decision = decide(talk.thread, Tick(due=moment), desk, moment)
        if decision.effects:
            spread = CLOSING_SPREAD if "closing" in says(decision) else 0
            return moment + spread
    return None
