"""Hours in ``desk.yaml``: the desk's, and those of its teams, channels and accounts."""

from collections.abc import Generator, Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from infra.cli.channels import channel_names
from infra.model_mistakes import did_you_mean
from infra.yaml_with_lines import Document, Line, Path
from sportello.domain.desk import Desk
from sportello.domain.hours import Calendar
from sportello.domain.hours_problems import problems, rule_problems
from sportello.domain.model import Instant
from sportello.domain.staff import ClosedOrSpecial

DATES = "dates: Dec 24, 2027 Dec 24 or 2027 Aug 9-20 (the hours of those days go under hours)"
EXAMPLES = {
    "hours": "hours: Mo-Fr 09:00-13:00,14:00-18:00; PH off",
    "holidays": "holidays: IT",
    "exceptions": "- dates: Dec 24",
    "exceptions.dates": DATES,
    "exceptions.hours": "hours: off, or hours: 09:00-13:00",
    "exceptions.name": "name: {it: vigilia di Natale, en: Christmas Eve}",
    "teams.dates": DATES,
    "channels.dates": DATES,
    "accounts.dates": DATES,
    "channels": "channels: {whatsapp: {hours: Mo-Sa 09:00-20:00}}",
    "accounts": "accounts: [{channel: whatsapp, account: '390600000000', hours: Mo-Sa 09:00-20:00}]",
    "accounts.channel": "channel: whatsapp",
    "accounts.account": "account: '390600000000'",
    "role": "role: care, or role: official",
    "care_link": "care_link: https://m.me/care?ref={ref}",
}


def of_hours(document: Document, desk: Desk | None, at: Instant) -> Iterator[Line]:
    """Every mistake of place and time, each level's own rules alone, so that each has its line."""
    country = yield from _of_place(document, at)
    for path, level in _levels(document):
        if isinstance(level.get("hours"), str) and (level["hours"] or not path):
            for text in problems(level["hours"], "UTC", country, at):
                yield Line(document.line((*path, "hours")), text)
    if desk is not None:
        yield from _of_exceptions(document, desk)
        yield from _of_accounts(document, desk)


def never_open(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    """Levels whose exceptions leave no open time. Only asked when nothing else is wrong."""
    blamed: set[str] = set()
    for what, path, calendar in _calendars(desk):
        if calendar.rules in blamed or calendar.is_open(at) or calendar.next_opening(at) is not None:
            continue
        blamed.add(calendar.rules)
        yield Line(
            document.line((*path, "exceptions")),
            f"with these exceptions {what} never opens within 370 days; write e.g. {DATES}",
        )


def _of_place(document: Document, at: Instant) -> Generator[Line, None, str]:
    """Time zone and country; returns the country by which rules are read."""
    zone, country = (document.data.get(key) for key in ("time_zone", "holidays"))
    if isinstance(zone, str) and (problems("24/7", zone, "", at) or zone not in available_timezones()):
        known = did_you_mean(zone, available_timezones())
        yield Line(
            document.line(("time_zone",)), f"{zone!r} is not a time zone{known}; write e.g. Europe/Rome"
        )
    if not isinstance(country, str) or not country:
        return ""
    found = problems("24/7", "UTC", country, at)
    yield from (Line(document.line(("holidays",)), text) for text in found)
    return "IT" if found else country  # a wrong country is one mistake, not two


def _levels(document: Document) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What may have hours, as it stands in the file."""
    yield (), document.data
    for key in ("teams", "channels"):
        named = document.data.get(key)
        for name, level in named.items() if isinstance(named, dict) else ():
            if isinstance(level, dict):
                yield (key, name), level
    listed = document.data.get("accounts")
    for index, level in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(level, dict):
            yield ("accounts", index), level


def _of_exceptions(document: Document, desk: Desk) -> Iterator[Line]:
    levels: list[tuple[Path, tuple[ClosedOrSpecial, ...]]] = [((), desk.exceptions)]
    levels += [(("teams", name), team.exceptions) for name, team in desk.teams.items()]
    levels += [(("channels", name), served.exceptions) for name, served in desk.channels.items()]
    levels += [(("accounts", index), served.exceptions) for index, served in enumerate(desk.accounts)]
    for path, exceptions in levels:
        for index, special in enumerate(exceptions):
            yield from _of_exception(document, desk, (*path, "exceptions", index), special)


def _of_exception(document: Document, desk: Desk, path: Path, special: ClosedOrSpecial) -> Iterator[Line]:
    yield from (Line(document.line((*path, "dates")), text) for text in _special_problems(special))
    named = [language for language in desk.languages if special.name.get(language, "").strip()]
    if special.name and len(named) < len(desk.languages):
        lacking = next(language for language in desk.languages if language not in named)
        text = f"the name is missing in {lacking!r}; write e.g. {EXAMPLES['exceptions.name']}"
        yield Line(document.line((*path, "name")), text)


def _special_problems(special: ClosedOrSpecial) -> list[str]:
    if rule_problems(f"{special.dates} off"):
        return [f"{special.dates!r} is no date; write e.g. {DATES}"]
    return rule_problems(f"{special.dates} {special.hours}")


def _of_accounts(document: Document, desk: Desk) -> Iterator[Line]:
    known, seen = channel_names(), set[tuple[str, str]]()
    for name, served in desk.channels.items():
        yield from _of_channel(name, document.line(("channels", name)), known)
        yield from _of_team(served.team, document.line(("channels", name, "team")), desk)
        for key in ("channel", "account"):
            if getattr(served, key):
                text = f"{key!r} belongs to accounts; write e.g. {EXAMPLES['accounts']}"
                yield Line(document.line(("channels", name, key)), text)
    for index, served in enumerate(desk.accounts):
        line = document.line(("accounts", index))
        if not served.channel or not served.account:
            lacking = "account" if served.channel else "channel"
            yield Line(line, f"{lacking!r} is missing; write e.g. {EXAMPLES[f'accounts.{lacking}']}")
            continue
        yield from _of_channel(served.channel, document.line(("accounts", index, "channel")), known)
        yield from _of_team(served.team, document.line(("accounts", index, "team")), desk)
        if (served.channel, served.account) in seen:
            yield Line(line, f"{served.channel} {served.account!r} stands here twice; keep e.g. the first")
        seen.add((served.channel, served.account))


def _of_channel(name: str, line: int, known: list[str]) -> Iterator[Line]:
    if name not in known:
        yield Line(line, f"{name!r} is no channel{did_you_mean(name, known)}; known: {', '.join(known)}")


def _of_team(name: str, line: int, desk: Desk) -> Iterator[Line]:
    if name and name not in desk.teams:
        known = f"{did_you_mean(name, desk.teams)}; known: {', '.join(desk.teams)}"
        yield Line(line, f"{name!r} is no team of this desk{known}")


def _calendars(desk: Desk) -> Iterator[tuple[str, Path, Calendar]]:
    """Of the desk, of each level, and of each team on each of them: whoever is read first is blamed."""
    yield "the desk", (), desk.calendar
    for team in desk.teams:
        yield f"the team {team!r}", ("teams", team), desk.calendar_of("", "", team)
    for channel in desk.channels:
        for team in ("", *desk.teams):
            yield f"the channel {channel!r}", ("channels", channel), desk.calendar_of(channel, "", team)
    for index, served in enumerate(desk.accounts):
        for team in ("", *desk.teams):
            calendar = desk.calendar_of(served.channel, served.account, team)
            yield f"the account {served.account!r}", ("accounts", index), calendar
