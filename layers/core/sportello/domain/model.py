"""The base of every domain model, and the unit of time.

An instant is an ``int``: milliseconds since 1970-01-01T00:00Z. It is what platforms send, what
keys are made of and what the table stores; ``hours`` turns it into local time at its edge.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Instant = int

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


_UNITS = {"s": SECOND, "min": MINUTE, "h": HOUR}


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+)\s*(s|min|h)", value.strip())
        if not found:
            raise ValueError(f"{value!r} is not a duration; write e.g. 10 min, 90 s or 2 h")
        return int(found[1]) * _UNITS[found[2]]
    return value


Duration = Annotated[Instant, BeforeValidator(_duration), Field(ge=0)]
"""Milliseconds; in files a text such as ``10 min``."""


class Model(BaseModel):
    """A frozen value: it is replaced, never changed; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def to_datetime(instant: Instant) -> datetime:
    """The instant as an aware UTC datetime (whole milliseconds)."""
    return datetime.fromtimestamp(instant / 1000, UTC)


def to_instant(moment: datetime) -> Instant:
    """An aware datetime as an instant; naive ones are refused (ValueError)."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write e.g. 2026-11-23T20:15+01:00")
    return round(moment.timestamp() * 1000)
