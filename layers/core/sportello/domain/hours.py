"""Opening hours: when the desk serves, from rules in the OpenStreetMap ``opening_hours`` syntax.

Rules speak of the clock on the wall. The desk is open at an instant if the wall clock of its time
zone shows an open time then: nothing opens in the hour that daylight saving skips, and both passes
of the hour that it repeats count. Spans are half-open: open at their start, closed at their end.

A rule after ``;`` replaces what the ones before it say of a day; ``, `` adds to it. A span past
midnight belongs to the day it begins on: a holiday takes away the night that begins on it, not the
end of the night before. Instants and amounts are milliseconds.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from opening_hours import (  # type: ignore[attr-defined]  # its stubs lack the errors
    OpeningHours,
    ParserError,
    State,
    UnknownCountryError,
)

from sportello.domain.hours_text import after_midnight, mentions, until_midnight
from sportello.domain.model import DAY, Instant

HORIZON = 370 * DAY
"""How far an opening or closing is looked for."""

WEEK = 7 * DAY

EXAMPLE = "Mo-Fr 09:00-13:00,14:00-18:00; PH off"

_DAYS_KEPT = 4
_EPOCH = datetime(1970, 1, 1)
_MILLISECOND = timedelta(milliseconds=1)
_ONE_DAY = timedelta(days=1)


class Day(NamedTuple):
    """One local day as it will be. (No pydantic model: each costs a webhook 1.4 ms of cold start.)"""

    date: date
    spans: tuple[tuple[str, str], ...]
    """Opening and closing as ``HH:MM`` on the wall; a span past midnight belongs to the day it begins
    on; the end of the day is ``24:00``. Empty: closed."""
    name: str = ""
    """The comment of the rule that made the day, e.g. ``PH off "public holiday"``."""
    holiday: bool = False
    """A public holiday that the rules treat (``PH``)."""

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return self.date.weekday()


class _Ahead:
    """Open spans from a day on, found out week by week; the last one may still grow."""

    __slots__ = ("since", "spans", "until")

    def __init__(self, since: Instant) -> None:
        self.since = self.until = since
        self.spans: list[tuple[Instant, Instant]] = []

    def holds(self, at: Instant) -> bool:
        return self.since <= at <= self.until + WEEK and self.until - self.since <= HORIZON + WEEK

    def add(self, states: Iterable[tuple[Instant, bool]]) -> None:
        end = self.until + WEEK
        for opens, closes in _joined(states, end):
            if self.spans and self.spans[-1][1] == opens:
                opens, _ = self.spans.pop()
            self.spans.append((opens, closes))
        self.until = end


class Calendar:
    """The evaluated rules of one desk.

    Args:
        rules: e.g. ``Mo-Fr 09:00-13:00,14:00-18:00; PH off; 2026 Dec 24 09:00-13:00 "half day"``.
        zone: IANA name, e.g. ``Europe/Rome``.
        country: ISO code whose public holidays ``PH`` means; empty: none.

    Raises:
        ValueError: rules that cannot be read, an unknown zone or country; says what to write.
    """

    # The engine is asked in wall-clock time, without a zone. With one it raises TypeError for times in a
    # gap, and around a repeated hour its changes contradict its own states: asked every 15 minutes
    # within 4 h of 128 transitions, 1,050 of 9,122 next changes were not where is_open turned.

    def __init__(self, rules: str, zone: str, country: str = "") -> None:
        self.rules = " ".join(rules.split())
        self.country = country
        self._zone = find_zone(zone)
        self._engine = read(self.rules, country)
        self._nights: OpeningHours | None = None
        self._known: tuple[Instant, Instant, bool] = (0, 0, False)
        self._days: dict[tuple[datetime, int], tuple[Day, ...]] = {}
        self._ahead = _Ahead(0)
        # The engine ends a night where another rule decides the next day ("Mo-Th 20:00-02:00; Fr
        # 20:00-04:00" has no Thursday night) and opens the morning after a night that a holiday took
        # away. So it is asked for the parts before midnight, and for those after it a day later.
        if nights := after_midnight(self.rules):
            self._engine = read(until_midnight(self.rules), country)
            self._nights = read(nights, country)

    def is_open(self, at: Instant) -> bool:
        """What was found out holds until the next turn: a process answers for hours from one look."""
        return self._state(at)[1]

    def unchanged_until(self, at: Instant) -> Instant:
        """Until when the desk surely stays as it is at ``at``: within a day, as cheap as ``is_open``."""
        return self._state(at)[0]

    def _state(self, at: Instant) -> tuple[Instant, bool]:
        since, until, is_open = self._known
        if not since <= at < until:
            until, is_open = self._look(at)
            self._known = (at, until, is_open)
        return until, is_open

    def _look(self, at: Instant) -> tuple[Instant, bool]:
        """Until when, within a day, the desk stays as it is at ``at``."""
        end = at + DAY
        opens, closes = next(self._open_spans(at, end), (end, end))
        return (closes, True) if opens <= at else (opens, False)

    def next_opening(self, at: Instant) -> Instant | None:
        """When the desk next turns from closed to open, after ``at``; None: not within 370 days."""
        if self._always:
            return None
        spans = self._open_spans(at, at + HORIZON)
        return next((opens for opens, _ in spans if opens > at), None)

    def next_closing(self, at: Instant) -> Instant | None:
        """The end of the open span around ``at``, or of the next one; None: no end in 370 days."""
        if self._always:
            return None
        closes = next((closes for _, closes in self._open_spans(at, at + HORIZON)), None)
        return closes if closes != at + HORIZON else None

    def after_service(self, start: Instant, amount_ms: int) -> Instant | None:
        """The instant by which the desk has been open for ``amount_ms`` since ``start``.

        It may be a closing time: what is due then is due at the end of service, not next morning.
        None: not within 370 days.
        """
        if amount_ms <= 0:
            return start
        if self._always:
            return start + amount_ms
        for opens, closes in self._open_spans(start, start + HORIZON):
            if amount_ms <= closes - opens:
                return opens + amount_ms
            amount_ms -= closes - opens
        return None

    def service_between(self, start: Instant, end: Instant) -> int:
        """For how long the desk was open from ``start`` to ``end``; 0 where that is no time."""
        if end <= start:
            return 0
        return sum(closes - opens for opens, closes in self._open_spans(start, end))

    def days(self, at: Instant, n: int = 7) -> tuple[Day, ...]:
        """The local day of ``at`` and those after it, ``n`` in all; remembered, since many ask."""
        first = datetime.combine(self.wall(at), time())
        if (first, n) not in self._days:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            self._days[first, n] = self._evaluated(first, n)
        return self._days[first, n]

    def _evaluated(self, first: datetime, n: int) -> tuple[Day, ...]:
        # A day earlier and later: nights begin before the first day and end after the last.
        begin, end = first - _ONE_DAY, first + (n + 1) * _ONE_DAY
        comments = _comments(self._engine.intervals(begin, end))
        spans: dict[date, list[tuple[str, str]]] = {}
        for opens, closes in _joined(self._wall_states(begin, end), end):
            for day, span in _by_day(opens, closes):
                spans.setdefault(day, []).append(span)
        midnights = [first + i * _ONE_DAY for i in range(n)]
        return tuple(
            Day(
                midnight.date(),
                tuple(spans.get(midnight.date(), ())),
                comments.get(midnight.date(), ""),
                self._holidays is not None and self._holidays.is_open(midnight),
            )
            for midnight in midnights
        )

    def wall(self, at: Instant) -> datetime:
        """What the clock on the wall shows, without a time zone."""
        return datetime.fromtimestamp(at / 1000, self._zone).replace(tzinfo=None)

    @property
    def _always(self) -> bool:
        return self.rules == "24/7"

    @cached_property
    def _holidays(self) -> OpeningHours | None:
        return read("PH", self.country) if self.country and mentions("PH", self.rules) else None

    def _offset(self, at: Instant) -> int:
        """Wall clock minus UTC."""
        return (self.wall(at) - _EPOCH) // _MILLISECOND - at

    def _open_spans(self, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant]]:
        """The open time of [start, end), touching spans as one (midnight and comments split them).

        The weeks ahead are found out once: every deadline of every thread is counted in them.
        """
        if not self._ahead.holds(start):
            self._ahead = _Ahead(start - start % DAY)
        ahead = self._ahead
        while ahead.until <= start:
            ahead.add(self._states(ahead.until, ahead.until + WEEK))
        at = bisect_right(ahead.spans, start, key=itemgetter(1))
        while True:
            while at + 1 >= len(ahead.spans) and ahead.until < end:
                ahead.add(self._states(ahead.until, ahead.until + WEEK))
            if at >= len(ahead.spans) or ahead.spans[at][0] >= end:
                return
            opens, closes = ahead.spans[at]
            yield max(opens, start), min(closes, end)
            at += 1

    def _states(self, start: Instant, end: Instant) -> Iterator[tuple[Instant, bool]]:
        """From when on which state holds."""
        for begin, stop in self._even_stretches(start, end):
            offset = self._offset(begin)
            wall_begin = _EPOCH + (begin + offset) * _MILLISECOND
            wall_stop = _EPOCH + (stop + offset) * _MILLISECOND
            for at, is_open in self._wall_states(wall_begin, wall_stop):
                yield (at - _EPOCH) // _MILLISECOND - offset, is_open

    def _wall_states(self, begin: datetime, end: datetime) -> Iterable[tuple[datetime, bool]]:
        days = [(start, state == State.OPEN) for start, _, state, _ in self._engine.intervals(begin, end)]
        if self._nights is None:
            return days
        nights = self._nights.intervals(begin - _ONE_DAY, end - _ONE_DAY)
        return _either(days, [(start + _ONE_DAY, state == State.OPEN) for start, _, state, _ in nights])

    def _even_stretches(self, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant]]:
        """[start, end) cut where the offset from UTC changes (and once a day, to stay lazy)."""
        while start < end:
            stop = min(start + DAY, end)
            if self._offset(start) != self._offset(stop):
                stop = self._change(start, stop)
            yield start, stop
            start = stop

    def _change(self, before: Instant, after: Instant) -> Instant:
        """The first instant at which the offset is no longer that of ``before``."""
        offset = self._offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after


def find_zone(name: str) -> ZoneInfo:
    # ZoneInfo falls back to the tzdata package by itself where the system has no database.
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write e.g. Europe/Rome") from None


def read(rules: str, country: str) -> OpeningHours:
    if not rules:
        raise ValueError(f"the hours are empty; write e.g. {EXAMPLE}")
    try:
        return OpeningHours(rules, country=country or None, auto_country=False, auto_timezone=False)
    except UnknownCountryError:
        raise ValueError(f"{country!r} is no country whose holidays are known; write e.g. IT") from None
    except ParserError as error:
        where = re.search(r"--> \d+:(\d+)", str(error))
        column = int(where[1]) if where else 1
        raise ValueError(
            f"{rules!r} cannot be read from {rules[column - 1 :][:20]!r} (character {column}) on; "
            f"days are Mo Tu We Th Fr Sa Su PH, times 09:00-13:00: write e.g. {EXAMPLE}"
        ) from None


M = TypeVar("M")


def _joined(states: Iterable[tuple[M, bool]], end: M) -> Iterator[tuple[M, M]]:
    """Open spans from moments and the state that holds from each on."""
    opened: M | None = None
    for moment, is_open in states:
        if is_open and opened is None:
            opened = moment
        elif not is_open and opened is not None:
            yield opened, moment
            opened = None
    if opened is not None:
        yield opened, end


def _either(one: list[tuple[M, bool]], other: list[tuple[M, bool]]) -> Iterator[tuple[M, bool]]:
    """The states of what is open if one of two is."""
    now = [False, False]
    turns = sorted([(at, 0, is_open) for at, is_open in one] + [(at, 1, is_open) for at, is_open in other])
    for moment, together in groupby(turns, key=itemgetter(0)):
        for _, which, is_open in together:
            now[which] = is_open
        yield moment, any(now)


def _by_day(opens: datetime, closes: datetime) -> Iterator[tuple[date, tuple[str, str]]]:
    """A span as people say it: a night goes with the day it begins on, days on end are cut apart."""
    midnight = datetime.combine(opens, time()) + _ONE_DAY
    is_night = closes - opens < _ONE_DAY and closes <= midnight + _ONE_DAY / 2
    while closes > midnight and not is_night:
        yield opens.date(), (f"{opens:%H:%M}", "24:00")
        opens, midnight = midnight, midnight + _ONE_DAY
    yield opens.date(), (f"{opens:%H:%M}", "24:00" if closes == midnight else f"{closes:%H:%M}")


def _comments(pieces: Iterable[tuple[datetime, datetime, State, str]]) -> dict[date, str]:
    """The first comment of each day that has one."""
    found: dict[date, str] = {}
    for start, end, _, comment in pieces:
        day = datetime.combine(start, time())
        while comment and day < end:
            found.setdefault(day.date(), comment)
            day += _ONE_DAY
    return found
