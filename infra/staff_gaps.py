"""Gaps: times in which the desk is open and nobody is on duty in the team that takes whatever is left.

The next four weeks are looked at, with every calendar by which customers may be served. A gap in the
shifts is a mistake: customers would wait for nobody. One that only a leave makes is a warning.
"""

from collections.abc import Iterator
from typing import NamedTuple

from infra.yaml_with_lines import Document, Line
from sportello.domain.desk import Desk
from sportello.domain.duty import Member, members
from sportello.domain.hours import Calendar
from sportello.domain.model import DAY, Instant

LOOKED_AT = 28 * DAY


class Gap(NamedTuple):
    begin: Instant
    end: Instant


def mistakes(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    """Gaps although nobody is on leave."""
    line = document.line(("fallback",) if desk.fallback else ("people",))
    for what, calendar, found in _gaps(without_leave(desk), at):
        example = f"anna: {{teams: [{desk.fallback_team}], shift: {_shift(calendar, found[0])}}}"
        yield Line(line, f"{_told(what, calendar, found, desk)}; add a shift, e.g. {example}")


def warnings(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    """Gaps because of leave, where the shifts alone leave none."""
    if any(_gaps(without_leave(desk), at)):
        return
    line = document.line(("fallback",) if desk.fallback else ("people",))
    for what, calendar, found in _gaps(desk, at):
        away = [
            name
            for name, person in desk.people.items()
            if person.leave and desk.fallback_team in person.teams
        ]
        told = f"{_told(what, calendar, found, desk)} (on leave at some time: {', '.join(away)})"
        yield Line(line, f"{told}; ask e.g. somebody of another team to stand in")


def without_leave(desk: Desk) -> Desk:
    people = {name: person.model_copy(update={"leave": ()}) for name, person in desk.people.items()}
    return desk.model_copy(update={"people": people})


def _gaps(desk: Desk, at: Instant) -> Iterator[tuple[str, Calendar, list[Gap]]]:
    """Of each calendar that has any; of two that are alike, the first."""
    if not desk.people:
        return
    seen = set[str]()
    for what, calendar in _calendars(desk):
        if calendar.rules in seen:
            continue
        seen.add(calendar.rules)
        if found := list(gaps(calendar, list(members(desk, desk.fallback_team)), at)):
            yield what, calendar, found


def _calendars(desk: Desk) -> Iterator[tuple[str, Calendar]]:
    team = desk.fallback_team
    yield "the desk", desk.calendar_of("", "", team)
    for channel in desk.channels:
        yield channel, desk.calendar_of(channel, "", team)
    for served in desk.accounts:
        yield f"the account {served.account}", desk.calendar_of(served.channel, served.account, team)


def gaps(calendar: Calendar, people: list[Member], at: Instant) -> Iterator[Gap]:
    """From ``at`` on, in the next 28 days, one after the other."""
    end, now = at + LOOKED_AT, at
    while now < end:
        if not calendar.is_open(now) or any(member.is_on(now) for member in people):
            now = _next_turn(calendar, people, now)
            continue
        begin = now
        while now < end and calendar.is_open(now) and not any(member.is_on(now) for member in people):
            now = _next_turn(calendar, people, now)
        yield Gap(begin, min(now, end))


def _next_turn(calendar: Calendar, people: list[Member], now: Instant) -> Instant:
    """No state changes before; at most a day ahead."""
    if not calendar.is_open(now):
        return calendar.unchanged_until(now)
    shifts = [member.duty for member in people if member.duty is not None]
    return min(hours.unchanged_until(now) for hours in (calendar, *shifts))


def _told(what: str, calendar: Calendar, found: list[Gap], desk: Desk) -> str:
    first = found[0]
    begin, end = calendar.wall(first.begin), calendar.wall(first.end)
    until = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%a} {end.day} {end:%B %H:%M}"
    more = f" (and {len(found) - 1} times more in four weeks)" if len(found) > 1 else ""
    return (
        f"nobody of team {desk.fallback_team!r} is on duty on {begin:%a} {begin.day} {begin:%B} "
        f"{begin:%H:%M}-{until}{more} although {what} is open"
    )


def _shift(calendar: Calendar, gap: Gap) -> str:
    begin, end = calendar.wall(gap.begin), calendar.wall(gap.end)
    day = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[begin.weekday()]
    return f"{day} {begin:%H:%M}-{end:%H:%M}"
