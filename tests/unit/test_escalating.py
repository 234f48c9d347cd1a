"""Who is told: every level reaches somebody, at every moment."""

import random
from typing import Any

import pytest

from sportello.domain.desk import Desk
from sportello.domain.escalating import everybody, on_call, recipients
from sportello.domain.model import HOUR
from sportello.domain.staff import Escalation, Level, OnCall, Person, Target, Team
from tests.unit.builders import DESK, at

CARE, BACK = Target(slack="care"), Target(email="back@example.com")
ANNA, BRUNO = Target(email="anna@example.com"), Target(slack="bruno")
LEAD = Target(email="lead@example.com")
PEOPLE = {
    "anna": Person(teams=("care",), tell=(ANNA,), leave=("2026 Nov 25-26",)),
    "bruno": Person(teams=("care",), tell=(BRUNO,)),
}
ROTA = (
    OnCall(who="anna", when="Mo-We 18:00-09:00"),
    OnCall(who="bruno", when="Th-Su 18:00-09:00; PH 00:00-24:00"),
)
LEVELS = (Level(tell=("team",)), Level(tell=("on_call",)), Level(tell=(LEAD, "team")))


def desk(**changes: Any) -> Desk:
    teams = {"care": Team(tell=(CARE,)), "back": Team(tell=(BACK, CARE))}
    fields: dict[str, Any] = {
        "teams": teams,
        "people": PEOPLE,
        "escalation": Escalation(levels=LEVELS, on_call=ROTA),
    }
    return DESK.model_copy(update=fields | changes)


def told(desk: Desk, team: str, level: int, when: str, gone: tuple[Target, ...] = ()) -> tuple[Target, ...]:
    return recipients(desk, team, level, at(when), {target.key for target in gone}).targets


def test_the_first_level_is_the_calls_own_team() -> None:
    assert told(desk(), "care", 1, "Mon 10:00") == (CARE,)
    assert told(desk(), "back", 1, "Mon 10:00") == (BACK, CARE)


def test_a_team_that_is_no_more_is_told_through_the_fallback() -> None:
    assert told(desk(), "gone", 1, "Mon 10:00") == (CARE,)
    assert told(desk(fallback="back"), "gone", 1, "Mon 10:00") == (BACK, CARE)


@pytest.mark.parametrize(
    ("when", "expected"),
    [("Mon 20:00", ANNA), ("Tue 02:00", ANNA), ("Thu 23:00", BRUNO), ("2026-12-08 12:00", BRUNO)],
)
def test_on_call_is_whoever_the_rota_says_on_the_desks_clock(when: str, expected: Target) -> None:
    """The 8th of December is a Tuesday and a public holiday."""
    assert told(desk(), "care", 2, when) == (expected,)
    assert not recipients(desk(), "care", 2, at(when)).nobody_on_call


def test_nobody_on_call_tells_the_next_level_and_says_so() -> None:
    found = recipients(desk(), "care", 2, at("Mon 12:00"))
    assert found.targets == (LEAD, CARE)
    assert found.nobody_on_call
    assert on_call(desk(), at("Mon 12:00")) == ()


def test_who_is_on_leave_is_not_told() -> None:
    assert on_call(desk(), at("Wed 20:00")) == ()
    assert told(desk(), "care", 2, "Wed 20:00") == (LEAD, CARE)
    assert on_call(desk(), at("Mon 20:00")) == (ANNA,)


def test_after_the_last_level_the_earlier_ones_take_the_place_of_nobody() -> None:
    last = desk(escalation=Escalation(levels=(LEVELS[0], LEVELS[1]), on_call=ROTA))
    assert told(last, "back", 2, "Mon 12:00") == (BACK, CARE)
    alone = desk(escalation=Escalation(levels=(LEVELS[1],), on_call=()))
    assert told(alone, "back", 1, "Mon 12:00") == (BACK, CARE)


def test_a_level_beyond_the_last_is_the_last() -> None:
    assert told(desk(), "care", 9, "Mon 12:00") == (LEAD, CARE)
    assert told(desk(), "care", 0, "Mon 12:00") == (CARE,)


def test_each_hears_once_however_often_they_are_named() -> None:
    twice = desk(escalation=Escalation(levels=(Level(tell=("team", CARE, LEAD, "team")),)))
    assert told(twice, "care", 1, "Mon 12:00") == (CARE, LEAD)


def test_who_can_never_be_told_is_replaced_by_the_next_level() -> None:
    assert told(desk(), "care", 1, "Mon 20:00", gone=(CARE,)) == (ANNA,)
    assert told(desk(), "care", 1, "Mon 12:00", gone=(CARE,)) == (LEAD,)
    assert told(desk(), "care", 1, "Mon 12:00", gone=everybody(desk())) == ()


def test_never_nobody() -> None:
    """A thousand desks and moments: whatever the rota, somebody is told."""
    drawn = random.Random(41)
    names: tuple[Any, ...] = ("team", "on_call", LEAD)
    for _ in range(1000):
        levels = tuple(
            Level(tell=tuple(drawn.sample(names, drawn.randint(1, 3)))) for _ in range(drawn.randint(1, 4))
        )
        rota = tuple(drawn.sample(ROTA, drawn.randint(0, 2)))
        some = desk(escalation=Escalation(levels=levels, on_call=rota))
        moment = at("Mon 00:00") + drawn.randrange(30 * 24) * HOUR
        found = recipients(some, drawn.choice(["care", "back", "gone"]), drawn.randint(1, 6), moment)
        assert found.targets
        assert len(found.targets) == len({target.key for target in found.targets})
