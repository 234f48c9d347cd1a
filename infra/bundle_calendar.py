"""``templates/calendar/``: how a language speaks of days and hours."""

from collections.abc import Iterator

from infra.model_mistakes import parse
from infra.template_files import Files
from infra.text_mistakes import pattern_mistake
from infra.yaml_with_lines import Document, Line
from sportello.domain.hours_words import CalendarWords

_CLOCK = {"h", "hh", "h12", "ampm", "mm"}
_NEEDED_AND_ALLOWED = {
    "time": ({"mm"}, _CLOCK),
    "time_full": (set[str](), _CLOCK),
    "time_said": ({"mm"}, _CLOCK | {"part"}),
    "at": ({"time"}, set[str]()),
    "at_one": ({"time"}, set[str]()),
    "yesterday": ({"at"}, set[str]()),
    "today": ({"at"}, set[str]()),
    "tomorrow": ({"at"}, set[str]()),
    "on_weekday": ({"weekday", "at"}, set[str]()),
    "on_date": ({"day", "month", "at"}, {"weekday", "weekday_on", "year"}),
    "date": ({"day", "month"}, {"weekday"}),
    "day_range": ({"a", "b"}, set[str]()),
    "date_range": ({"a", "b"}, set[str]()),
    "time_range": ({"a", "b"}, set[str]()),
    "hours_of_days": ({"days", "hours"}, set[str]()),
    "named_hours": ({"hours", "name"}, set[str]()),
    "open_until": ({"closing"}, set[str]()),
    "closed_until": ({"opening"}, set[str]()),
}
_MAY_BE_EMPTY = {"at_one", "time_full", "time_said"}
_EXAMPLES = {
    "weekdays_short": "weekdays_short: [Mon, Tue, Wed, Thu, Fri, Sat, Sun] (seven)",
    "weekdays": "weekdays: [Monday, Tuesday, …] (seven)",
    "weekdays_on": "weekdays_on: [on Monday, on Tuesday, …] (seven)",
    "months": "months: [January, February, …] (twelve)",
    "first_of_month": 'first_of_month: "1"',
    "closed": "closed: closed",
    "day_parts": "day_parts: {0: at night, 6: in the morning, 12: in the afternoon}",
    **{
        key: f'{key}: "' + " ".join(f"{{{name}}}" for name in sorted(needed)) + '"'
        for key, (needed, _) in _NEEDED_AND_ALLOWED.items()
    },
    "time": 'time: "{h}:{mm}"',
    "time_full": 'time_full: "{h} h"',
    "time_said": 'time_said: "{h}:{mm}"',
    "open_until": 'open_until: "open, closes {closing}"',
    "closed_until": 'closed_until: "closed, opens {opening}"',
}


def calendar_words(files: Files, language: str) -> CalendarWords | None:
    name = f"calendar/{language}.yaml"
    document = files.yaml(name, 'time: "{h}:{mm}"')
    if document is None:
        return None
    words, lines = parse(document, CalendarWords, _EXAMPLES)
    for key, value in document.data.items():
        if isinstance(value, str) and not value and key not in _MAY_BE_EMPTY:
            lines.append(Line(document.line((key,)), f"{key!r} is empty; write e.g. {_example_of(key)}"))
        elif isinstance(value, str) and value and key in _NEEDED_AND_ALLOWED:
            wrong = pattern_mistake(value, *_NEEDED_AND_ALLOWED[key])
            lines += [Line(document.line((key,)), f"{key}: {wrong}")] if wrong else []
        for index, item in enumerate(value) if isinstance(value, list) else ():
            if isinstance(item, str) and not item.strip():
                lines.append(
                    Line(document.line((key, index)), f"{key}: empty; write e.g. {_example_of(key)}")
                )
    if words is not None:
        lines += _of_day_parts(document, words)
    files.wrong(name, lines)
    return words


def _of_day_parts(document: Document, words: CalendarWords) -> Iterator[Line]:
    line, example = document.line(("day_parts",)), _EXAMPLES["day_parts"]
    for hour, name in words.day_parts.items():
        if not 0 <= hour <= 23:
            yield Line(line, f"day_parts: {hour} is no hour of the day; write e.g. {example}")
        if not name.strip():
            yield Line(line, f"day_parts: the word from {hour} o'clock on is empty; write e.g. {example}")
    if "{part}" in words.time_said and 0 not in words.day_parts:
        yield Line(line, f"day_parts has no word from midnight (0) on; write e.g. {example}")


def _example_of(key: str) -> str:
    return _EXAMPLES.get(key, f"{key}: a word")
