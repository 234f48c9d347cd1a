"""Times as people read and write them: in the desk's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from infra.cli.errors import Refused
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime, to_instant

EXAMPLE = "2026-11-23T20:15 (the desk's own time) or 2026-11-23T20:15+01:00"

YEARS = range(2000, 2200)


def read_time(text: str, zone: str) -> Instant:
    """An ISO time; without a zone of its own it is meant in the desk's. Raises Refused."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        if moment.year not in YEARS:
            raise ValueError
        return to_instant(moment)
    except (ValueError, OverflowError):
        raise Refused(f"{text!r} is not a time; write e.g. {EXAMPLE}") from None


def shown_time(instant: Instant, zone: str) -> str:
    """``Mon 23 Nov 2026 20:15``"""
    return f"{to_datetime(instant).astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"


def shown_age(milliseconds: Instant) -> str:
    """``3 d 4 h``, ``2 h 5 min``, ``40 s``: the two largest units."""
    rest = max(0, milliseconds)
    parts: list[str] = []
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"
