"""The calendar against a brute-force oracle: what does the clock on the wall show at this minute?

The oracle knows nothing of intervals, transitions or the engine. It has its own reader for the
schedules below and asks zoneinfo for the wall clock of one minute after the other. Compared are

- every minute within 48 h of each of the 128 changes of the clock from 2020 to 2035 in five zones
  (737,280 minutes, 8 schedules: 5.9 million states), with 66,238 openings and closings named there,
- every 15 minutes of those 16 years in Rome (561,024, 8 schedules: 4.5 million states), and every
  225 minutes in the other four zones (1.2 million states),
- every opening of the 16 years in Rome: the one named is the next real one, none is passed over.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sportello.domain.hours import Calendar
from sportello.domain.model import DAY, MINUTE

SCHEDULES = {
    "office": (
        "Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:30-12:30; "
        'PH off "public holiday"; Dec 24 09:00-13:00 "half day"; Dec 31 off'
    ),
    "every night": "Mo-Su 22:00-02:30",
    "nights": 'Mo-Th 20:00-02:00; Fr,Sa 20:00-04:00; PH off "closed"; Dec 24 09:00-13:00,22:00-25:30',
    "added nights": "Mo-Fr 08:00-12:00, Mo-Th 20:00-02:00, Fr 23:00-01:45; We off",
    "small hours": "Mo-Su 01:15-02:15,02:45-05:00",
    "around midnight": "Mo-Su 00:00-01:30,23:00-24:00",
    "leap day": "Feb 29 10:00-12:00; Mar 1 00:00-00:15",
    "always": "24/7",
}
ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tehran")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = int((datetime(2020, 1, 1, tzinfo=UTC) - EPOCH).total_seconds() // 60)
END = int((datetime(2036, 1, 1, tzinfo=UTC) - EPOCH).total_seconds() // 60)
"""Minutes since the epoch, as all instants of the oracle."""
AROUND = 48 * 60
QUARTER = 15


# --- the oracle -------------------------------------------------------------------------------


def easter(year: int) -> date:
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    m = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    k = (a + 11 * h + 22 * m) // 451
    return date(year, (h + m - 7 * k + 114) // 31, (h + m - 7 * k + 114) % 31 + 1)


def is_italian_holiday(day: date) -> bool:
    fixed = {(1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26)}
    if day.year >= 2026:
        fixed.add((10, 4))  # Saint Francis, a holiday again since 2026
    return (day.month, day.day) in fixed or day - easter(day.year) in (timedelta(0), timedelta(1))


DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def is_meant(days: str, day: date) -> bool:
    if days == "PH":
        return is_italian_holiday(day)
    if days[:3] in MONTHS:
        return (MONTHS[day.month - 1], day.day) == (days[:3], int(days[4:]))
    name = DAYS[day.weekday()]
    if "-" in days:
        first, last = days.split("-")
        return DAYS.index(first) <= DAYS.index(name) <= DAYS.index(last)
    return name in days.split(",")


def minutes_of(spans: str) -> list[tuple[int, int]]:
    found = []
    for h1, m1, h2, m2 in re.findall(r"(\d\d):(\d\d)-(\d\d):(\d\d)", spans):
        opens, closes = int(h1) * 60 + int(m1), int(h2) * 60 + int(m2)
        found.append((opens, closes if closes > opens else closes + 1440))
    return found


def spans_of(schedule: str, day: date) -> tuple[tuple[int, int], ...]:
    """Of the last part between semicolons that means the day."""
    if schedule == "24/7":
        return ((0, 1440),)
    decided: tuple[tuple[int, int], ...] = ()
    for part in schedule.split("; "):
        rules = [rule.split(" ", 1) for rule in part.split(", ")]
        meant = [times for days, times in _with_dates(rules) if is_meant(days, day)]
        if meant:
            decided = tuple(span for times in meant for span in minutes_of(times))
    return decided


def _with_dates(rules: list[list[str]]) -> list[tuple[str, str]]:
    """``Dec 24 09:00-13:00`` has a space within its days."""
    split = []
    for days, times in rules:
        if days in MONTHS:
            number, times = times.split(" ", 1)
            days = f"{days} {number}"
        split.append((days, times))
    return split


@cache
def wall_day(schedule: str, ordinal: int) -> bytes:
    """A byte for each minute of the wall clock of one date: 1 is open."""
    day = date.fromordinal(ordinal)
    minutes = bytearray(1440)
    for opens, closes in spans_of(schedule, day):
        minutes[opens : min(closes, 1440)] = b"\1" * (min(closes, 1440) - opens)
    for _, closes in spans_of(schedule, day - timedelta(days=1)):
        minutes[: max(closes - 1440, 0)] = b"\1" * max(closes - 1440, 0)
    return bytes(minutes)


@lru_cache(maxsize=1)
def wall_clock(zone: ZoneInfo, at: range) -> list[tuple[int, int]]:
    """Date and minute that the clock shows at each minute since the epoch."""
    walls = []
    for minute in at:
        wall = (EPOCH + timedelta(minutes=minute)).astimezone(zone)
        walls.append((wall.toordinal(), wall.hour * 60 + wall.minute))
    return walls


def open_minutes(schedule: str, walls: list[tuple[int, int]]) -> bytes:
    return bytes(wall_day(schedule, ordinal)[minute] for ordinal, minute in walls)


def changes(zone: ZoneInfo) -> list[int]:
    """Minutes at which the offset from UTC changes, 2020 to 2035."""
    offsets = [(EPOCH + timedelta(minutes=at)).astimezone(zone).utcoffset() for at in range(START, END, 30)]
    return [
        START + 30 * (index + 1) for index, (before, after) in enumerate(pairwise(offsets)) if before != after
    ]


# --- the comparison ---------------------------------------------------------------------------


def calendars(zone: str) -> list[tuple[str, Calendar]]:
    return [(rules, Calendar(rules, zone, "IT")) for rules in SCHEDULES.values()]


@pytest.mark.parametrize(
    ("zone", "number"),
    list(zip(ZONES, (32, 32, 32, 26, 6), strict=True)),
)
def test_every_minute_around_every_change_of_the_clock(zone: str, number: int) -> None:
    found = changes(ZoneInfo(zone))
    assert len(found) == number
    for change in found:
        window = range(max(change - AROUND, START), min(change + AROUND, END))
        walls = wall_clock(ZoneInfo(zone), window)
        instants = [at * MINUTE for at in window]
        for rules, calendar in calendars(zone):
            expected = open_minutes(rules, walls)
            actual = bytes(map(calendar.is_open, instants))
            assert actual == expected, first_difference(zone, rules, window, actual, expected)
            named_changes_are_real(calendar, window, expected)


def named_changes_are_real(calendar: Calendar, window: range, expected: bytes) -> None:
    """Asked every three hours, at each turn and a minute before it."""
    turns = [i for i in range(1, len(expected)) if expected[i] != expected[i - 1]]
    asked = {
        *range(0, len(expected), 180),
        *(i + d for i in turns for d in (-1, 0)),
    }
    openings = [i for i in turns if expected[i]]
    closings = [i for i in turns if not expected[i]]
    for i in asked:
        opening = next((turn for turn in openings if turn > i), None)
        closing = next((turn for turn in closings if turn > i), None)
        if opening is not None:  # else it lies beyond the window: the grid below sees it
            assert calendar.next_opening(window[i] * MINUTE) == window[opening] * MINUTE, calendar.rules
        if closing is not None:
            assert calendar.next_closing(window[i] * MINUTE) == window[closing] * MINUTE, calendar.rules


def first_difference(zone: str, rules: str, window: range, actual: bytes, expected: bytes) -> str:
    index = next(i for i, (a, b) in enumerate(zip(actual, expected, strict=True)) if a != b)
    wall = (EPOCH + timedelta(minutes=window[index])).astimezone(ZoneInfo(zone))
    return f"{zone} {rules!r} {wall.isoformat()} (fold {wall.fold}): {actual[index]}, not {expected[index]}"


@pytest.mark.parametrize(("zone", "step"), [(zone, QUARTER if zone == ZONES[0] else 225) for zone in ZONES])
def test_sixteen_years(zone: str, step: int) -> None:
    grid = range(START, END, step)
    walls = wall_clock(ZoneInfo(zone), grid)
    instants = [at * MINUTE for at in grid]
    for rules, calendar in calendars(zone):
        expected = open_minutes(rules, walls)
        actual = bytes(map(calendar.is_open, instants))
        assert actual == expected, first_difference(zone, rules, grid, actual, expected)


@pytest.mark.parametrize("rules", [rules for rules in SCHEDULES.values() if rules != "24/7"])
def test_openings_follow_one_another_without_a_gap(rules: str) -> None:
    """All boundaries are quarters of an hour, so the grid holds every opening."""
    grid = range(START, END, QUARTER)
    expected = open_minutes(rules, wall_clock(ZoneInfo(ZONES[0]), grid))
    openings = [grid[i] for i in range(1, len(grid)) if expected[i] and not expected[i - 1]]
    calendar = Calendar(rules, ZONES[0], "IT")
    named, at = [], START * MINUTE
    while (opening := calendar.next_opening(at)) is not None and opening < END * MINUTE:
        named.append(opening // MINUTE)
        at = opening
    assert named == openings


@pytest.mark.parametrize("rules", SCHEDULES.values())
def test_service_time_is_the_sum_of_open_time(rules: str) -> None:
    grid = range(START, START + 3 * 365 * 1440, QUARTER)
    expected = open_minutes(rules, wall_clock(ZoneInfo(ZONES[0]), grid))
    calendar = Calendar(rules, ZONES[0], "IT")
    quarter = QUARTER * MINUTE
    for i in range(0, len(grid) - 40 * 96, 1117):
        start, end = grid[i] * MINUTE, grid[i + 30 * 96] * MINUTE
        served = sum(expected[i : i + 30 * 96]) * quarter
        assert calendar.service_between(start, end) == served
        if served:
            done = calendar.after_service(start, served)
            assert done is not None
            assert calendar.service_between(start, done) == served
            assert calendar.service_between(start, done - 1) == served - 1


def test_the_oracle_itself() -> None:
    """Days known by heart, so that both sides are not wrong together."""
    rome = ZoneInfo("Europe/Rome")

    def is_open(schedule: str, moment: str) -> bool:
        at = int((datetime.fromisoformat(moment).astimezone(UTC) - EPOCH).total_seconds() // 60)
        return bool(open_minutes(SCHEDULES[schedule], wall_clock(rome, range(at, at + 1)))[0])

    assert is_open("office", "2026-11-23T09:00+01:00")
    assert not is_open("office", "2026-11-23T13:00+01:00")
    assert not is_open("office", "2026-12-08T10:00+01:00")
    assert not is_open("office", "2027-03-29T10:00+02:00")  # Easter Monday
    assert is_open("office", "2026-12-24T12:59+01:00")
    assert not is_open("office", "2026-12-24T15:00+01:00")
    assert is_open("nights", "2026-11-22T03:59+01:00")  # Saturday's night
    assert is_open("nights", "2026-11-27T01:59+01:00")  # Thursday's, although Friday has another rule
    assert is_open("nights", "2026-12-25T01:29+01:00")  # of Christmas Eve
    assert not is_open("nights", "2026-12-26T01:00+01:00")  # Christmas took this night away
    assert is_open("leap day", "2028-02-29T11:00+01:00")
    assert not is_open("leap day", "2027-02-28T11:00+01:00")
    assert is_open("small hours", "2026-10-25T02:00+02:00")
    assert is_open("small hours", "2026-10-25T02:00+01:00")
    assert DAY == 1440 * MINUTE
