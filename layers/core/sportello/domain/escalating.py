"""Who is told of a call: the targets of a level at a moment, never nobody."""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

from sportello.domain.desk import Desk
from sportello.domain.hours import Calendar
from sportello.domain.model import Instant
from sportello.domain.staff import Level, Target


class Told(NamedTuple):
    """Who hears of a call, and whether that is who should."""

    targets: tuple[Target, ...]
    nobody_on_call: bool = False
    """The level names whoever is on call, and nobody is: others are told in their place."""


def recipients(desk: Desk, team: str, level: int, now: Instant, gone: Collection[str] = ()) -> Told:
    """The targets of a level at ``now``, each once.

    Where a level has nobody (no one on call, or every target is ``gone``), the next one that has somebody
    takes its place, then the earlier ones, then the team.

    Args:
        team: the call's; one that is no more is told through the fallback team.
        level: from 1; beyond the last it is the last.
        gone: keys of targets that can never be told.
    """
    levels = desk.escalation.levels
    first = min(max(level, 1), len(levels)) - 1
    lacking = "on_call" in levels[first].tell and not _on_call(desk, now)
    for step in (*levels[first:], *levels[:first]):
        if targets := _named(step, desk, team, now, gone):
            return Told(targets, lacking)
    return Told(_once(_of_team(desk, team), gone), lacking)


def on_call(desk: Desk, now: Instant) -> tuple[Target, ...]:
    """The targets of everybody who is on call; a person on leave is not."""
    return _once(_on_call(desk, now), ())


def everybody(desk: Desk) -> tuple[Target, ...]:
    """Every target that any call can reach, each once."""
    named = [target for team in desk.teams.values() for target in team.tell]
    named += [target for person in desk.people.values() for target in person.tell]
    for level in desk.escalation.levels:
        named += [target for target in level.tell if isinstance(target, Target)]
    return _once(named, ())


def is_on_leave(desk: Desk, person: str, now: Instant) -> bool:
    known = desk.people.get(person)
    return known is not None and any(_calendar(days, desk.time_zone, "").is_open(now) for days in known.leave)


def _named(level: Level, desk: Desk, team: str, now: Instant, gone: Collection[str]) -> tuple[Target, ...]:
    found: list[Target] = []
    for name in level.tell:
        if name == "team":
            found += _of_team(desk, team)
        elif name == "on_call":
            found += _on_call(desk, now)
        else:
            found.append(name)
    return _once(found, gone)


def _of_team(desk: Desk, team: str) -> tuple[Target, ...]:
    return desk.teams.get(team, desk.teams[desk.fallback_team]).tell


def _on_call(desk: Desk, now: Instant) -> list[Target]:
    return [target for name in _people_on_call(desk, now) for target in desk.people[name].tell]


def _people_on_call(desk: Desk, now: Instant) -> Iterator[str]:
    for shift in desk.escalation.on_call:
        if shift.who not in desk.people or is_on_leave(desk, shift.who, now):
            continue
        if _calendar(shift.when, desk.time_zone, desk.holidays).is_open(now):
            yield shift.who


def _once(targets: Collection[Target], gone: Collection[str]) -> tuple[Target, ...]:
    return tuple({target.key: target for target in targets if target.key not in gone}.values())


@lru_cache(maxsize=256)
def _calendar(rules: str, zone: str, country: str) -> Calendar:
    return Calendar(rules, zone, country)
