"""Who is on duty: the people of ``desk.yaml``, their shifts and their leave.

A desk that lists no people is on duty whenever it serves. Somebody without a shift is on duty whenever
the team serves, but for leave: whether it does is the conversation's calendar's affair.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from sportello.domain.desk import Desk
from sportello.domain.hours import Calendar
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.staff import Person, Team


class Member(NamedTuple):
    """One person in one team, with what the team can besides."""

    name: str
    duty: Calendar | None
    """Shift without leave; None: always."""
    skills: frozenset[str]
    languages: Collection[str]
    """Empty: all of the desk."""
    channels: Collection[str]
    """Empty: all."""

    def is_on(self, now: Instant) -> bool:
        return self.duty is None or self.duty.is_open(now)


def on_duty(desk: Desk, team: str, now: Instant) -> tuple[str, ...]:
    """The people of the team who are on shift and not on leave, by their order in the file."""
    return tuple(member.name for member in members(desk, team) if member.is_on(now))


def is_manned(desk: Desk, team: str, now: Instant) -> bool:
    """Whether somebody of the team is on duty; where the file lists nobody, there always is."""
    return not desk.people or any(member.is_on(now) for member in members(desk, team))


def duty_ends(desk: Desk, team: str, now: Instant) -> Instant | None:
    """Until when somebody of the team surely is on duty; None: without end, or nobody is now.

    It may come early, and at most a day ahead: then somebody has relieved them, or it is to be asked again.
    """
    if not desk.people:
        return None
    calendars = [member.duty for member in members(desk, team) if member.is_on(now)]
    if None in calendars:
        return None
    return max((duty.unchanged_until(now) for duty in calendars if duty), default=None)


def next_duty(desk: Desk, now: Instant, team: str = "") -> Instant | None:
    """When somebody of the team (or of any team) may come on duty; None: all are, or there is nobody.

    It may come early, and at most a day ahead. A team that opens counts as coming.
    """
    if not desk.people:
        return None
    calendars: list[Calendar] = []
    for name in (team,) if team else desk.teams:
        calendars += [member.duty for member in members(desk, name) if member.duty]
        calendars.append(desk.calendar_of("", "", name))
    return min((hours.unchanged_until(now) for hours in calendars if not hours.is_open(now)), default=None)


def next_look(desk: Desk, team: str, calendar: Calendar, now: Instant) -> Instant | None:
    """When to see again whether the team of a conversation that waits has somebody on duty.

    ``calendar`` is the conversation's: while it is closed nobody needs to be there, so the next look is
    at its opening. None: nothing changes.
    """
    if not desk.people:
        return None
    if not calendar.is_open(now):
        return calendar.next_opening(now)
    at = duty_ends(desk, team, now) if is_manned(desk, team, now) else next_duty(desk, now)
    if at is None or at < calendar.unchanged_until(now) or calendar.is_open(at):
        return at
    return calendar.next_opening(at)


def hands_back(desk: Desk, person: str, team: str, now: Instant) -> Reason | None:
    """Why whoever holds a conversation of ``team`` gives it back to the team; None: they keep it.

    A name that the file does not list was typed by hand: nothing is known of its shifts.
    """
    listed = desk.people.get(person)
    if listed is None:
        return None
    duty = _duty(listed, desk)
    if duty is None or duty.is_open(now):
        return None
    on_shift = not listed.shift or _calendar(listed.shift, desk.time_zone, desk.holidays).is_open(now)
    return Reason.HANDED_BACK_LEAVE if on_shift else Reason.HANDED_BACK_OFF_SHIFT


def members(desk: Desk, team: str) -> Sequence[Member]:
    """The people of the team, on duty or not, by their order in the file."""
    global _known
    if _known is None or _known[0] is not desk:
        _known = (desk, _rosters(desk))
    return _known[1].get(team, ())


_known: tuple[Desk, Mapping[str, Sequence[Member]]] | None = None
# By identity, since a desk has no hash, and no cached_property: model_copy would carry it into the
# changed desk. A process serves one desk.


def _rosters(desk: Desk) -> Mapping[str, Sequence[Member]]:
    return {
        name: tuple(
            _member(listed, desk.people[listed], team, desk)
            for listed in desk.people
            if name in desk.people[listed].teams
        )
        for name, team in desk.teams.items()
    }


def _member(name: str, person: Person, team: Team, desk: Desk) -> Member:
    return Member(
        name,
        _duty(person, desk),
        frozenset((*team.skills, *person.skills)),
        person.languages or team.languages,
        person.channels or team.channels,
    )


def _duty(person: Person, desk: Desk) -> Calendar | None:
    if not person.shift and not person.leave:
        return None
    return _calendar(duty_rules(person.shift, person.leave), desk.time_zone, desk.holidays)


def duty_rules(shift: str, leave: Iterable[str]) -> str:
    """One person's shift and leave as opening hours."""
    return "; ".join((shift or "24/7", *(f"{days} off" for days in leave)))


@lru_cache(maxsize=512)
def _calendar(rules: str, zone: str, country: str) -> Calendar:
    # Apart from the desk's own: many people must not push the hours out of their cache.
    return Calendar(rules, zone, country)
