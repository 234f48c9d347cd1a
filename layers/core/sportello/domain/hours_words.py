"""Opening hours in words, in one language: ``lun–ven 9:00–13:00``, ``domani alle 9:00``.

The words are a care lead's (``templates/calendar/``); everything else is said from the evaluated
calendar, never from the rules' syntax. No template engine: the site's webhook says hours as well.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from sportello.domain.hours import Calendar, Day
from sportello.domain.model import DAY, Instant, Model, to_datetime

SevenDays = Annotated[tuple[str, ...], Field(min_length=7, max_length=7)]
TwelveMonths = Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]


class CalendarWords(Model):
    """How one language speaks of days and hours. Lists of days begin with Monday."""

    weekdays_short: SevenDays
    """In posted hours: ``lun``."""
    weekdays: SevenDays
    """In a date: ``lunedì 4 gennaio``."""
    weekdays_on: SevenDays
    """In an opening within six days: ``lunedì``, ``on Monday``, ``в понедельник``."""
    months: TwelveMonths
    """As in a date: ``gennaio``, ``января``."""
    first_of_month: str = "1"
    time: str
    """``{h}`` 0-24, ``{hh}`` two digits, ``{h12}`` 1-12 with ``{ampm}``, ``{mm}`` minutes."""
    time_full: str = ""
    """On the hour, where it differs: ``9 h`` beside ``9 h 30``; empty: as ``time``."""
    time_said: str = ""
    """After ``at``, where it differs; has ``{part}`` as well: ``上午9:00`` beside ``9:00``."""
    day_parts: Mapping[int, str] = {}
    """For ``{part}``: words of parts of the day by the hour from which on they are said."""
    at: str
    at_one: str = ""
    """For one o'clock where it differs: ``all'{time}``; empty: as ``at``."""
    yesterday: str
    today: str
    tomorrow: str
    on_weekday: str
    on_date: str
    """``{weekday}``, or ``{weekday_on}`` as in an opening. In posted hours: ``date``."""
    date: str
    day_range: str
    date_range: str
    time_range: str
    list_of_days: str
    """What stands between days: ``lun, gio``."""
    list_of_times: str
    list_of_groups: str
    hours_of_days: str
    """``{days} {hours}``"""
    named_hours: str
    """``{hours} ({name})``: a day that differs, and why."""
    closed: str
    all_day: str
    always: str
    all_week_closed: str
    holiday: str
    """What a public holiday is called when the hours give it no name."""
    open_now: str
    """Open, and no closing is known."""
    open_until: str
    """``{closing}``: ``aperto, chiude oggi alle 18:00``."""
    closed_until: str
    """``{opening}``: ``chiuso, apre domani alle 9:00``."""


def posted_hours(
    calendar: Calendar,
    at: Instant,
    words: CalendarWords,
    name_of: Callable[[Day], str] = lambda day: day.name,
) -> str:
    """The hours of the next seven days, evaluated: ``lun–ven 9:00–13:00, 14:00–18:00``.

    Equal days are joined, days that differ from the week are told with their date and name, days
    that are closed as always are left out. A closure that goes on after the week is told to its end.
    """
    days = calendar.days(at - 7 * DAY, 28)
    differing = _differing(days)
    if any(map(differing, days[14:21])):  # it may have begun in the week: where does it end?
        days = calendar.days(at - 7 * DAY, 14 + _FURTHER)
        differing = _differing(days)
    week, ahead = days[7:14], days[7:]
    if all(day.spans == (("00:00", "24:00"),) for day in week) and not any(map(differing, week)):
        return words.always
    ordinary = sorted((day for day in week if not differing(day)), key=lambda day: day.weekday)
    groups = [
        words.hours_of_days.format(days=_weekdays(group, words), hours=_times(spans, words))
        for spans, group in _by_spans(ordinary)
        if spans
    ]
    for run in _runs([day for day in ahead if differing(day)]):
        if run[0].date <= week[-1].date:
            groups.append(_of_run(run, words, name_of))
    return words.list_of_groups.join(groups) or words.all_week_closed


def opening_in_words(opening: Instant, at: Instant, zone: str, words: CalendarWords) -> str:
    """An instant as one says it at ``at``: ``domani alle 9:00``, ``lunedì alle 9:00``, else the date.

    Weekdays only within six days, since "Monday" a week ahead means another one to each reader.
    """
    local = ZoneInfo(zone)
    moment, now = to_datetime(opening).astimezone(local), to_datetime(at).astimezone(local)
    pattern = {-1: words.yesterday, 0: words.today, 1: words.tomorrow}.get((moment.date() - now.date()).days)
    if pattern is None:
        pattern = words.on_weekday if 2 <= (moment.date() - now.date()).days <= 6 else words.on_date
    return pattern.format(
        at=_at(moment, words),
        weekday=(words.weekdays_on if pattern == words.on_weekday else words.weekdays)[moment.weekday()],
        weekday_on=words.weekdays_on[moment.weekday()],
        day=_day_of_month(moment, words),
        month=words.months[moment.month - 1],
        year=moment.year,
    )


class State(NamedTuple):
    """Whether the desk is open, and until when: the one answer of page, reply and notification."""

    open: bool
    opens_at: Instant | None
    """None while it is open, or where no opening is known."""
    closes_at: Instant | None
    """None while it is closed, or where no closing is known."""


def state_of(calendar: Calendar, at: Instant) -> State:
    if calendar.is_open(at):
        return State(True, None, calendar.next_closing(at))
    return State(False, calendar.next_opening(at), None)


def state_in_words(state: State, at: Instant, zone: str, words: CalendarWords) -> str:
    """``aperto, chiude oggi alle 18:00``, ``chiuso, apre domani alle 9:00``."""
    if state.open:
        if state.closes_at is None:
            return words.open_now
        return words.open_until.format(closing=opening_in_words(state.closes_at, at, zone, words))
    if state.opens_at is None:
        return words.closed
    return words.closed_until.format(opening=opening_in_words(state.opens_at, at, zone, words))


class DayInWords(NamedTuple):
    date: str
    """``gio 24 dicembre``."""
    hours: str
    """``9:00–13:00``, or that it is closed."""
    name: str
    """Why it differs; empty: it does not, or nobody says why."""


def day_in_words(
    day: Day, words: CalendarWords, name_of: Callable[[Day], str] = lambda day: day.name
) -> DayInWords:
    """One day as a line of its own."""
    return DayInWords(_date(day, words), _times(day.spans, words), _reason(day, words, name_of))


_FURTHER = 60
"""Days after the week in which the end of a closure is looked for."""


def _differing(days: Sequence[Day]) -> Callable[[Day], bool]:
    """Whether a day is not as its weekday usually is; the first and last seven days only compare."""
    dates = {
        day.date
        for before, day, after in zip(days, days[7:], days[14:], strict=False)
        if _differs(before, day, after)
    }
    return lambda day: day.date in dates


def _differs(before: Day, day: Day, after: Day) -> bool:
    """From the same weekday of the week before or after."""
    if day.name.startswith("#"):
        return True
    if day.holiday:  # a Sunday that is closed anyway is not worth a word
        return not before.spans == day.spans == after.spans
    return day.name != "" and not before.name == day.name == after.name


def _by_spans(days: Iterable[Day]) -> Iterator[tuple[tuple[tuple[str, str], ...], list[Day]]]:
    groups: dict[tuple[tuple[str, str], ...], list[Day]] = {}
    for day in days:
        groups.setdefault(day.spans, []).append(day)
    return iter(groups.items())


def _weekdays(days: Sequence[Day], words: CalendarWords) -> str:
    """``lun–mer, ven``: three days in a row or more become a range."""
    parts = []
    # In a run of consecutive days, weekday minus position is the same.
    for _, numbered in groupby(enumerate(days), key=lambda pair: pair[1].weekday - pair[0]):
        names = [words.weekdays_short[day.weekday] for _, day in numbered]
        parts += [words.day_range.format(a=names[0], b=names[-1])] if len(names) > 2 else names
    return words.list_of_days.join(parts)


def _runs(days: Sequence[Day]) -> Iterator[list[Day]]:
    """Days on end with the same hours for the same reason."""

    def alike(numbered: tuple[int, Day]) -> Any:
        index, day = numbered
        is_exception = day.name.startswith("#")
        return day.date.toordinal() - index, day.spans, day.name, day.holiday and not is_exception

    for _, together in groupby(enumerate(days), key=alike):
        yield [day for _, day in together]


def _of_run(run: Sequence[Day], words: CalendarWords, name_of: Callable[[Day], str]) -> str:
    """``gio 24 dicembre 9:00–13:00 (vigilia di Natale)``, ``lun 9 agosto – ven 20 agosto chiuso``."""
    hours, name = _times(run[0].spans, words), _reason(run[0], words, name_of)
    dates = [_date(day, words) for day in run]
    span = dates[0] if len(run) == 1 else words.date_range.format(a=dates[0], b=dates[-1])
    told = words.named_hours.format(hours=hours, name=name) if name else hours
    return words.hours_of_days.format(days=span, hours=told)


def _reason(day: Day, words: CalendarWords, name_of: Callable[[Day], str]) -> str:
    name = name_of(day)
    if name and not name.startswith("#"):
        return name
    return words.holiday if day.holiday and not day.name.startswith("#") else ""


def _date(day: Day, words: CalendarWords) -> str:
    return words.date.format(
        weekday=words.weekdays_short[day.weekday],
        day=_day_of_month(day.date, words),
        month=words.months[day.date.month - 1],
    )


def _day_of_month(day: date, words: CalendarWords) -> str:
    return words.first_of_month if day.day == 1 else str(day.day)


def _times(spans: Sequence[tuple[str, str]], words: CalendarWords) -> str:
    if not spans:
        return words.closed
    if tuple(spans) == (("00:00", "24:00"),):
        return words.all_day
    return words.list_of_times.join(
        words.time_range.format(a=_clock(opens, words), b=_clock(closes, words)) for opens, closes in spans
    )


def _at(moment: datetime, words: CalendarWords) -> str:
    hour = (moment.hour % 12 or 12) if "{h12}" in (words.time_said or words.time) else moment.hour
    pattern = words.at_one if hour == 1 and words.at_one else words.at
    return pattern.format(time=_clock(f"{moment:%H:%M}", words, words.time_said))


def _clock(wall: str, words: CalendarWords, said: str = "") -> str:
    hour, minute = map(int, wall.split(":"))
    pattern = said or (words.time if minute or not words.time_full else words.time_full)
    return pattern.format(
        h=hour,
        hh=f"{hour:02}",
        h12=hour % 12 or 12,
        mm=f"{minute:02}",
        ampm="pm" if 12 <= hour < 24 else "am",
        part=_part(hour, words.day_parts),
    )


def _part(hour: int, parts: Mapping[int, str]) -> str:
    begun = [start for start in parts if start <= hour % 24]
    return parts[max(begun)] if begun else ""
