"""How long the first and the full answer may take: by channel, tier and track, in service time."""

from typing import Any

import pytest

from sportello.domain import timers
from sportello.domain.deadlines import AnswerRule, Answers
from sportello.domain.desk import Desk
from sportello.domain.hours import Calendar
from sportello.domain.model import HOUR, MINUTE, Instant
from sportello.domain.reasons import Reason
from sportello.domain.staff import Target, Team
from sportello.domain.thread import Thread
from tests.unit.builders import Conversation, at, calls, desk, thread

RULES = (
    AnswerRule(track="speed", first=15 * MINUTE),
    AnswerRule(track="care", full=48 * HOUR),
    AnswerRule(tier="gold", first=10 * MINUTE, full=4 * HOUR),
    AnswerRule(channel="email", first=4 * HOUR),
    AnswerRule(channel="email", tier="gold", first=HOUR),
    AnswerRule(channel="voice", first=0, full=0),
)
ANSWERS = Answers(rules=RULES)


@pytest.mark.parametrize(
    ("channel", "tier", "track", "first", "full"),
    [
        ("whatsapp", "", "", 60, 24),
        ("whatsapp", "silver", "", 60, 24),
        ("whatsapp", "", "speed", 15, 24),
        ("whatsapp", "", "care", 60, 48),
        # a later rule replaces what an earlier one said, and only what it names
        ("whatsapp", "gold", "speed", 10, 4),
        ("whatsapp", "gold", "care", 10, 4),
        ("email", "", "speed", 240, 24),
        ("email", "gold", "", 60, 4),
        ("email", "gold", "care", 60, 4),
        ("voice", "gold", "", 0, 0),
    ],
)
def test_by_channel_tier_and_track(channel: str, tier: str, track: str, first: int, full: int) -> None:
    found = ANSWERS.of(channel, tier, track)
    assert (found.first, found.full) == (first * MINUTE, full * HOUR)


def test_the_warning_never_comes_in_the_first_half() -> None:
    assert Answers().of("whatsapp", "", "").warn_full == 2 * HOUR
    assert ANSWERS.of("whatsapp", "gold", "").warn_full == 2 * HOUR
    assert Answers(full=HOUR).of("whatsapp", "", "").warn_full == 30 * MINUTE
    assert ANSWERS.of("voice", "", "").warn_full == 0


def due(when: Any, owing: Thread, on: Desk) -> Instant | None:
    found: Instant | None = when(owing, on, calendar(on, owing))
    return found


def calendar(on: Desk, owing: Thread) -> Calendar:
    return on.calendar_of(owing.channel, owing.account, owing.team)


def answering(answers: Answers, **policy: Any) -> Desk:
    return desk(**policy).model_copy(update={"answers": answers})


def test_deadlines_are_service_time_over_nights_and_weekends() -> None:
    """Open Monday to Friday, 9 to 18."""
    on, owing = answering(Answers()), thread(owed_since=at("Fri 17:30"), team="care")
    assert due(timers.call_at, owing, on) == at("Fri 18:00")
    assert due(timers.first_due, owing, on) == at("2026-11-30 09:30")
    # 24 h: half an hour on Friday, nine on Monday and on Tuesday, the rest on Wednesday
    assert due(timers.full_due, owing, on) == at("2026-12-02 14:30")
    assert due(timers.full_soon_at, owing, on) == at("2026-12-02 12:30")


def test_deadlines_follow_the_hours_of_the_team() -> None:
    team = Team(tell=(Target(email="care@example.com"),), hours="Mo-Fr 14:00-16:00")
    on = answering(Answers()).model_copy(update={"teams": {"care": team}})
    assert due(timers.first_due, thread(owed_since=at("Mon 10:00"), team="care"), on) == at("Mon 15:00")


def test_no_deadline() -> None:
    on, owing = answering(Answers(first=0, full=0)), thread(owed_since=at("Mon 10:00"))
    for when in (timers.first_due, timers.full_due, timers.full_soon_at, timers.full_late_at):
        assert due(when, owing, on) is None
    assert due(timers.call_at, owing, on) == at("Mon 10:30")
    assert due(timers.first_due, thread(), answering(Answers())) is None


def test_people_are_called_before_a_short_deadline_has_passed() -> None:
    on = answering(Answers(rules=(AnswerRule(track="speed", first=20 * MINUTE),)))
    owing = thread(owed_since=at("Mon 10:00"), track="speed")
    assert due(timers.call_at, owing, on) == at("Mon 10:10")
    assert due(timers.first_due, owing, on) == at("Mon 10:20")


def test_a_conversation_that_nobody_answers_is_called_for_at_each_deadline() -> None:
    on = answering(Answers(first=40 * MINUTE, full=3 * HOUR, warn_full=HOUR))
    talk, called = Conversation(on), dict[Reason, Instant]()
    talk.customer("Mon 10:00")
    while talk.thread.due is not None and talk.thread.due <= at("Mon 18:00"):
        now, decision = talk.tick_at_due()
        for why in calls(decision):
            called.setdefault(Reason(why), now)
    assert called[Reason.NO_ANSWER] == at("Mon 10:30")
    assert called[Reason.FIRST_LATE] == at("Mon 10:40")
    assert called[Reason.FULL_SOON] == at("Mon 12:00")
    assert called[Reason.FULL_LATE] == at("Mon 13:00")


def test_the_tier_that_is_learnt_later_brings_the_deadline_forward() -> None:
    on = answering(Answers(rules=(AnswerRule(tier="gold", first=20 * MINUTE, full=HOUR),)))
    owing = thread(owed_since=at("Mon 10:00"), team="care")
    gold = owing.model_copy(update={"tier": "gold"})
    assert due(timers.full_due, owing, on) == at("2026-11-25 16:00")
    assert due(timers.full_due, gold, on) == at("Mon 11:00")
    found = timers.next_due(gold, on, at("Mon 10:05"), calendar(on, gold))
    assert found == at("Mon 10:10") == timers.next_due(owing, on, at("Mon 10:05"), calendar(on, owing))
