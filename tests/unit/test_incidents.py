"""A wave is one incident, and a busy Monday is none: the fold, call by call."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from sportello.domain.desk import Desk
from sportello.domain.incidents import (
    CLASSES,
    WAVES,
    Counted,
    Folded,
    Incident,
    News,
    Wave,
    fold,
    growth,
    page,
    wave_of,
)
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND, Instant
from sportello.domain.reasons import CALLS, Reason
from sportello.domain.staff import Escalation, Level, Target
from tests.unit.builders import DESK, at

MONDAY = at("Mon 00:00")
CALLS_MOST = DESK.escalation.incident_calls


class Told(NamedTuple):
    alone: int
    incidents: list[str]
    joined: int


def run(calls: list[tuple[Instant, str, str]], desk: Desk = DESK) -> Told:
    """What becomes of calls (time, thread, wave), as the notifier folds them."""
    waves: dict[str, Wave] = {}
    told, incidents = Counter[str](), list[str]()
    for when, thread, kind in calls:
        result = fold(waves.get(kind, Wave()), Counted(when, thread, "M#~call"), desk, f"{when}-{kind}")
        waves[kind] = result.wave
        told[result.verdict] += 1
        if result.verdict == "opens":
            incidents.append(result.wave.incident)
    return Told(told["alone"], incidents, told["joins"])


def wave(
    seed: int, many: int, lasts: Instant, kind: str = "complaint-public"
) -> list[tuple[Instant, str, str]]:
    drawn = random.Random(seed)
    times = sorted(drawn.randrange(lasts) for _ in range(many))
    return [(MONDAY + when, f"thread-{number}", kind) for number, when in enumerate(times)]


@pytest.mark.parametrize("seed", range(20))
def test_five_hundred_complaints_in_ten_minutes_are_one_incident(seed: int) -> None:
    told = run(wave(seed, 500, 10 * MINUTE))
    assert len(told.incidents) == 1
    assert told.alone < CALLS_MOST
    assert told.alone + 1 + told.joined == 500


@pytest.mark.parametrize("seed", range(20))
def test_in_whatever_order_their_notices_are_worked(seed: int) -> None:
    """Queues keep no order: a call may be worked a minute after a later one."""
    calls = wave(seed, 500, 10 * MINUTE)
    drawn = random.Random(seed)
    calls.sort(key=lambda call: call[0] + drawn.randrange(MINUTE))
    told = run(calls)
    assert len(told.incidents) == 1
    assert told.alone < CALLS_MOST


# Calls of one desk on a Monday: share of its conversations that call people, for each kind.
SHARES = {
    "complaint-private": 0.08,
    "asks-private": 0.08,
    "late-private": 0.06,
    "urgent-private": 0.02,
    "complaint-public": 0.02,
    "unreadable-private": 0.01,
    "failed-private": 0.01,
}
PER_HOUR = {**dict.fromkeys(range(24), 4), 9: 55, 10: 60, 11: 45, 12: 30, 14: 40, 15: 35, 16: 30, 17: 25}
"""Conversations of a desk with some 350 on a Monday: the morning brings what the weekend has left."""


def monday(seed: int, busy: float = 1.0) -> Iterator[tuple[Instant, str, str]]:
    """Poisson arrivals, hour by hour and kind by kind."""
    drawn = random.Random(seed)
    for kind, share in SHARES.items():
        for hour, conversations in PER_HOUR.items():
            moment = drawn.expovariate(conversations * share * busy / HOUR)
            while moment < HOUR:
                yield MONDAY + hour * HOUR + round(moment), f"{kind}-{hour}-{moment}", kind
                moment += drawn.expovariate(conversations * share * busy / HOUR)


@pytest.mark.parametrize("busy", [1, 3])
def test_ten_ordinary_mondays_are_none_and_three_times_as_busy_ones_neither(busy: int) -> None:
    told = [run(sorted(monday(seed, busy))) for seed in range(10)]
    assert [one.incidents for one in told] == [[]] * 10
    assert min(one.alone for one in told) > 60 * busy, "they were no ordinary Mondays"


def test_a_wave_on_a_busy_monday_is_one_incident_of_its_kind() -> None:
    later = [(when + 10 * HOUR, thread, kind) for when, thread, kind in wave(3, 500, 10 * MINUTE)]
    told = run(sorted([*monday(3, 3), *later]))
    assert [key.partition("-")[2] for key in told.incidents] == ["complaint-public"]


def test_one_conversation_that_calls_again_and_again_is_one() -> None:
    told = run([(MONDAY + number * SECOND, "thread-1", "complaint-private") for number in range(100)])
    assert told == Told(100, [], 0)


def test_exactly_so_many_within_the_time() -> None:
    step = 10 * MINUTE // CALLS_MOST
    calls = [(MONDAY + number * step, f"t{number}", "asks-private") for number in range(CALLS_MOST)]
    assert run(calls[:-1]).incidents == []
    assert len(run(calls).incidents) == 1
    slow = [
        (MONDAY + number * (step + SECOND * 2), f"t{number}", "asks-private") for number in range(CALLS_MOST)
    ]
    assert run(slow).incidents == []


def test_an_incident_ends_after_twice_the_time_without_a_call() -> None:
    first = wave(1, 40, MINUTE)
    last = first[-1][0]
    within = DESK.escalation.incident_within
    late = run([*first, (last + 2 * within, "late", "complaint-public")])
    assert (late.joined, late.alone) == (40 - CALLS_MOST + 1, CALLS_MOST - 1)
    later = run([*first, (last + 2 * within + 1, "later", "complaint-public")])
    assert later.alone == CALLS_MOST
    again = [(when + HOUR, f"second-{thread}", kind) for when, thread, kind in first]
    assert len(run([*first, *again]).incidents) == 2


def test_a_clock_that_was_set_back_does_not_hide_the_next_wave() -> None:
    """The local desk's clock can be moved."""
    later = [(when + 30 * DAY, thread, kind) for when, thread, kind in wave(1, 10, MINUTE)]
    assert len(run([*later, *wave(2, 30, MINUTE)]).incidents) == 1


# --- what is alike ----------------------------------------------------------------------------


def test_every_reason_for_a_call_belongs_to_one_class_or_repeats_another() -> None:
    classed = [reason for _, reasons in CLASSES for reason in reasons]
    assert len(classed) == len(set(classed))
    assert set(CALLS) - set(classed) == {Reason.UNACKNOWLEDGED, Reason.WAITS_AT_OPENING}


@pytest.mark.parametrize(
    ("whys", "expected"),
    [
        ([Reason.ANGRY], "complaint"),
        ([Reason.ASKS_PERSON, Reason.ANGRY], "complaint"),
        ([Reason.URGENT, Reason.ANGRY], "urgent"),
        ([Reason.ASKS_PERSON, Reason.NO_ANSWER], "asks"),
        ([Reason.FIRST_LATE, Reason.UNACKNOWLEDGED], "late"),
    ],
)
def test_the_strongest_reason_says_what_a_call_is_like(whys: list[Reason], expected: str) -> None:
    assert wave_of(whys, public=True) == f"{expected}-public"
    assert wave_of(whys, public=False) == f"{expected}-private"
    assert {f"{expected}-public", f"{expected}-private"} <= set(WAVES)


def test_a_repeated_page_alone_is_like_nothing() -> None:
    assert wave_of([Reason.UNACKNOWLEDGED], public=False) == ""


# --- what is said of it -----------------------------------------------------------------------

LEVELS = (Level(tell=("team",), within=15 * MINUTE), Level(tell=(Target(email="lead@example.com"),)))
TWO_LEVELS = DESK.model_copy(update={"escalation": Escalation(levels=LEVELS)})


def incident(*news: News, taken_by: str = "") -> Incident:
    first = News("opened", MONDAY, 20)
    return Incident(
        "I#n", "care", "complaint-public", MONDAY, MONDAY, (first, *news), {}, {}, taken_by=taken_by
    )


def test_pages_of_its_conversations_climb_the_levels_once_for_all() -> None:
    open_ = incident()
    first = page(open_, 2, TWO_LEVELS, MONDAY + 15 * MINUTE)
    assert first == News("unacknowledged", MONDAY + 15 * MINUTE, 20, 2)
    climbed = incident(first)
    assert page(climbed, 2, TWO_LEVELS, MONDAY + 16 * MINUTE) is None
    assert page(climbed, 1, TWO_LEVELS, MONDAY + HOUR) is None
    assert page(climbed, 7, TWO_LEVELS, MONDAY + 30 * MINUTE) == News(
        "unacknowledged", MONDAY + 30 * MINUTE, 20, 2
    )


def test_whoever_takes_it_is_paged_no_more() -> None:
    assert page(incident(taken_by="anna"), 2, TWO_LEVELS, MONDAY + DAY) is None


def test_growth_is_told_at_most_so_often() -> None:
    update = DESK.escalation.incident_update
    grown = Wave(incident="I#n", conversations=500)
    assert growth(incident(), grown, DESK, MONDAY + update - 1) is None
    assert growth(incident(), grown, DESK, MONDAY + update) == News("grown", MONDAY + update, 500)
    assert growth(incident(News("grown", MONDAY + update, 500)), grown, DESK, MONDAY + DAY) is None
    assert growth(incident(), grown._replace(incident="another"), DESK, MONDAY + DAY) is None


def test_a_fold_keeps_few_entries() -> None:
    result = Folded("alone", Wave())
    for number in range(1000):
        counted = Counted(MONDAY + number * MINUTE, f"t{number}", "k")
        result = fold(result.wave, counted, DESK, "key")
        assert len(result.wave.recent) <= CALLS_MOST
