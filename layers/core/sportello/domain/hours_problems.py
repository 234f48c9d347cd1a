"""What a care lead must put right in opening hours. Asked when templates are checked, never at run time."""

import re

from sportello.domain.hours import EXAMPLE, Calendar, find_zone, read
from sportello.domain.hours_text import COMMENT, RULES, mentions, without_comments
from sportello.domain.model import Instant

_SUNDAY = "write e.g. Sa,Su 09:00-13:00 or Sa 00:00-24:00"
_WITH_COMMENT = 'Mo-Fr 09:00-13:00; Dec 24 off "Christmas Eve"'
_LAST = dict(
    zip(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31),
        strict=True,
    )
)
# The engine takes "Feb 30 09:00-13:00" for every day of the year.
_DATE = re.compile(rf"\b({'|'.join(_LAST)}) ?(\d\d?)\b(?!:)(?:-(\d\d?)\b(?!:))?")
_REFUSED = (
    (r"\bunknown\b", "customers must be told whether the desk is open", "Sa off"),
    (r"\b(sunrise|sunset|dawn|dusk)\b", "the desk does not follow the sun", "Mo-Fr 09:00-18:00"),
    (r"\|\|", "one desk has one timetable", EXAMPLE),
    (r"\bSH\b", "school holidays are not known", '2026 Aug 10-21 off "summer"'),
    (r"\d\d:\d\d\+", "a span needs an end", "Mo-Fr 09:00-18:00"),
    (r"\b(\d\d?:\d\d)-\1\b", "it opens and closes at the same time", "Mo-Fr 09:00-18:00"),
)


def problems(rules: str, zone: str, country: str, at: Instant) -> list[str]:
    """What a care lead must put right in the hours, each with an example; empty: nothing."""
    found = rule_problems(rules)
    for check in (lambda: find_zone(zone), lambda: country and read("PH", country)):
        try:
            check()
        except ValueError as error:
            found.append(str(error))
    if mentions("PH", rules) and not country:
        found.append("PH means public holidays, but of which country? Write e.g. holidays: IT")
    if found:
        return found
    return _coverage_problems(Calendar(rules, zone, country), at)


def _coverage_problems(calendar: Calendar, at: Instant) -> list[str]:
    """Hours that never open, or never close, in the 370 days after ``at``."""
    if not calendar.is_open(at) and calendar.next_opening(at) is None:
        return [f"{calendar.rules!r} never opens within 370 days; write e.g. {EXAMPLE}"]
    if calendar.rules != "24/7" and calendar.is_open(at) and calendar.next_closing(at) is None:
        return [f"{calendar.rules!r} never closes within 370 days; for a desk that is always open write 24/7"]
    return []


def rule_problems(rules: str) -> list[str]:
    """What is wrong with the text of rules, whenever it is asked; each with an example."""
    rules = " ".join(rules.split())
    try:
        warnings = read(rules, "").warnings
    except ValueError as error:
        return [str(error)]
    found = [f"{warning}; write e.g. {EXAMPLE}" for warning in warnings]
    bare = without_comments(rules)
    for pattern, wrong, example in _REFUSED:
        if match := re.search(pattern, bare):
            found.append(f"{match[0].strip()!r}: {wrong}; write e.g. {example}")
    for rule in re.split(RULES, re.sub(COMMENT, '"', rules)):
        if not re.search(r"\d:\d\d|\b(off|closed)\b|24/7|\+", rule) and not found:
            found.append(_opens_all_day(rule.replace('"', "").strip()))
    found += [
        f"{month} has no day {day}; write e.g. {month} {_LAST[month]} off"
        for month, *days in _DATE.findall(bare)
        for day in days
        if day and int(day) > _LAST[month]
    ]
    return found


def _opens_all_day(days: str) -> str:
    if not days:
        return f"a comment alone would open the desk all day; write e.g. {_WITH_COMMENT}"
    return f"{days!r} has no times and would be open all day (days are joined without a space); {_SUNDAY}"
