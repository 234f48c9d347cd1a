"""What the public page tells: open or closed, the hours, and the ways in, each as replies tell them.

Everything comes from ``Desk.calendar_of``, of which replies, deadlines and notifications speak too.
``docs/directory.md`` describes ``hours.json`` for whoever reads it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sportello.domain.desk import Desk
from sportello.domain.directory import Directory, DirectoryWords, Way
from sportello.domain.front import calendar_of_front
from sportello.domain.hours import Calendar, Day
from sportello.domain.hours_words import (
    CalendarWords,
    State,
    day_in_words,
    posted_hours,
    state_in_words,
    state_of,
)
from sportello.domain.model import Instant, to_datetime

VERSION = 1
"""Of ``hours.json``; new keys may come without a new version, none goes or changes."""
DAYS = 7


class Place(NamedTuple):
    """Whatever has hours: the desk, a team, a channel or an account."""

    name: str
    calendar: Calendar
    keys: Mapping[str, str] = {}
    """What it is in ``hours.json``: ``{"channel": "whatsapp"}``."""


class View:
    """One look at the directory, in one language at one time; hours that several share are said once."""

    def __init__(self, desk: Desk, directory: Directory, language: str, at: Instant) -> None:
        self.desk = desk
        self.directory = directory
        self.language = language
        self.at = at
        self._hours: dict[str, str] = {}

    @property
    def words(self) -> DirectoryWords:
        return self.directory.words[self.language]

    @property
    def calendar_words(self) -> CalendarWords:
        return self.directory.calendar[self.language]

    def state(self, place: Place) -> State:
        return state_of(place.calendar, self.at)

    def state_words(self, place: Place) -> str:
        return state_in_words(self.state(place), self.at, self.desk.time_zone, self.calendar_words)

    def hours(self, place: Place) -> str:
        rules = place.calendar.rules
        if rules not in self._hours:
            self._hours[rules] = posted_hours(place.calendar, self.at, self.calendar_words, self.name_of)
        return self._hours[rules]

    def days(self, place: Place) -> tuple[Day, ...]:
        return place.calendar.days(self.at, DAYS)

    def name_of(self, day: Day) -> str:
        return self.desk.name_of(day, self.language)

    def main(self) -> Place:
        """The hours of whoever writes about nothing in particular: the first team's."""
        return Place(self.desk.name, calendar_of_front(self.desk))

    def way(self, way: Way) -> Place:
        name = way.name.get(self.language) or self.channel_name(way.channel)
        return Place(name, calendar_of_front(self.desk, way.channel, way.account))

    def channel_name(self, channel: str) -> str:
        return self.words.channels.get(channel, channel)

    def teams(self) -> Iterator[Place]:
        """Those whose hours differ from the main ones."""
        for team in self.desk.teams:
            name = self.words.teams.get(team, team)
            place = Place(name, self.desk.calendar_of("", "", team), {"team": team})
            if self.differs(place):
                yield place

    def channels(self) -> Iterator[Place]:
        for channel in self.desk.channels:
            calendar = calendar_of_front(self.desk, channel)
            place = Place(self.channel_name(channel), calendar, {"channel": channel})
            if self.differs(place):
                yield place

    def accounts(self) -> Iterator[Place]:
        for served in self.desk.accounts:
            calendar = calendar_of_front(self.desk, served.channel, served.account)
            keys = {"channel": served.channel, "account": served.account}
            place = Place(self._account_name(served.channel, served.account), calendar, keys)
            if self.differs(place):
                yield place

    def _account_name(self, channel: str, account: str) -> str:
        """As the way that leads there, else channel and account."""
        for way in self.directory.ways:
            if (way.channel, way.account) == (channel, account) and way.name.get(self.language):
                return way.name[self.language]
        return f"{self.channel_name(channel)} {account}"

    def differs(self, place: Place) -> bool:
        """From the main hours."""
        return place.calendar.rules != self.main().calendar.rules


def facts(view: View) -> dict[str, Any]:
    """``hours.json``."""
    return {
        "version": VERSION,
        "name": view.desk.name,
        "time_zone": view.desk.time_zone,
        "language": view.language,
        "languages": list(view.desk.languages),
        **_of_place(view, view.main()),
        "teams": [_named(view, place) for place in view.teams()],
        "channels": [_named(view, place) for place in view.channels()],
        "accounts": [_named(view, place) for place in view.accounts()],
        "ways": [_of_way(view, way) for way in view.directory.ways],
    }


def _named(view: View, place: Place) -> dict[str, Any]:
    return {**place.keys, "name": place.name, **_of_place(view, place)}


def _of_place(view: View, place: Place) -> dict[str, Any]:
    return {
        **_of_state(view, place),
        "hours": view.hours(place),
        "days": [_of_day(day, view) for day in view.days(place)],
    }


def _of_state(view: View, place: Place) -> dict[str, Any]:
    state = view.state(place)
    return {
        "open": state.open,
        **_moment("opens_at", state.opens_at, view.desk.time_zone),
        **_moment("closes_at", state.closes_at, view.desk.time_zone),
        "state": view.state_words(place),
    }


def _moment(key: str, at: Instant | None, zone: str) -> dict[str, str | None]:
    """ISO 8601 on the desk's clock, and in UTC."""
    if at is None:
        return {key: None, f"{key}_utc": None}
    moment = to_datetime(at)
    return {
        key: moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"),
        f"{key}_utc": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _of_day(day: Day, view: View) -> dict[str, Any]:
    said = day_in_words(day, view.calendar_words, view.name_of)
    return {
        "date": day.date.isoformat(),
        "weekday": day.date.isoweekday(),
        "open": [{"from": opens, "to": closes} for opens, closes in day.spans],
        "holiday": day.holiday,
        "exception": day.name.startswith("#"),
        "name": said.name,
        "date_words": said.date,
        "hours_words": said.hours,
    }


def _of_way(view: View, way: Way) -> dict[str, Any]:
    place = view.way(way)
    account = {"account": way.account} if way.account else {}
    named = {"channel": way.channel, **account, "name": place.name, "link": way.link}
    return {**named, **_of_state(view, place), "hours": view.hours(place)}
