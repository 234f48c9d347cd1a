"""``duty``: who is on duty in each team, and when that changes."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from infra.cli.times import EXAMPLE, read_time, shown_time
from infra.cli.work import bundle, console
from sportello.aws.clock import real_now
from sportello.domain.desk import Desk
from sportello.domain.duty import Member, members
from sportello.domain.model import Instant

CHANGES = 8


def duty(
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=f"Another time, e.g. {EXAMPLE}.")] = "",
) -> None:
    """Who is on duty in each team, and the next changes, by templates/desk.yaml."""
    desk = bundle().desk
    now = read_time(at, desk.time_zone) if at else real_now()
    for line in told(desk, now):
        console.print(Text(line), soft_wrap=True)


def told(desk: Desk, now: Instant) -> Iterator[str]:
    """What is shown, line by line."""
    yield f"{shown_time(now, desk.time_zone)}:"
    if not desk.people:
        yield "desk.yaml lists no people: every team is on duty whenever it serves."
    for team in desk.teams:
        yield f"  {team}: {_of_team(desk, team, now)}"
    changes = sorted(_changes(desk, now))[:CHANGES]
    if changes:
        yield "Next:"
    for when, change in changes:
        yield f"  {shown_time(when, desk.time_zone)}  {change}"


def _of_team(desk: Desk, team: str, now: Instant) -> str:
    calendar = desk.calendar_of("", "", team)
    opening = None if calendar.is_open(now) else calendar.next_opening(now)
    closed = "" if opening is None else f"closed until {shown_time(opening, desk.time_zone)}"
    there = ", ".join(member.name for member in members(desk, team) if member.is_on(now))
    nobody = "nobody on duty" if desk.people else "on duty"
    return "; ".join(filter(None, (f"{there} on duty" if there else nobody, closed)))


def _changes(desk: Desk, now: Instant) -> Iterator[tuple[Instant, str]]:
    everybody = {member.name: member for team in desk.teams for member in members(desk, team)}
    for name, member in everybody.items():
        when = _turn(member, now)
        if when is not None:
            teams = ", ".join(desk.people[name].teams)
            yield when, f"{name} ({teams}) {'goes' if member.is_on(now) else 'comes'}"


def _turn(member: Member, now: Instant) -> Instant | None:
    if member.duty is None:
        return None
    return member.duty.next_closing(now) if member.is_on(now) else member.duty.next_opening(now)
