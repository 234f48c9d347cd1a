"""The desk as its care lead wrote it in ``templates/desk.yaml``: hours, teams and policy.

The build checks the file, adds the phrases of ``templates/phrases/`` and writes one JSON file;
functions read that (``services.desk.current_desk``). Durations in the file are text such as
``10 min``; here they are milliseconds.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sportello.domain.hours import Calendar
from sportello.domain.model import HOUR, MINUTE, SECOND, Instant, Model

_UNITS = {"s": SECOND, "min": MINUTE, "h": HOUR}


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+)\s*(s|min|h)", value.strip())
        if not found:
            raise ValueError(f"{value!r} is not a duration; write e.g. 10 min, 90 s or 2 h")
        return int(found[1]) * _UNITS[found[2]]
    return value


Duration = Annotated[Instant, BeforeValidator(_duration), Field(ge=0)]


class ClosedOrSpecial(Model):
    """A day or span that differs from the week, e.g. ``Dec 24`` or ``2026 Aug 10-21``."""

    dates: str
    """Days in opening_hours syntax."""
    hours: str = "off"
    name: Mapping[str, str] = {}
    """What customers are told, by language, e.g. ``{it: vigilia di Natale}``."""


class Target(Model):
    """Where a team is told of an escalation."""

    slack: str = ""
    """Name of a Slack connection: its secret is ``/<stack>/slack/<name>``."""
    email: str = ""

    @model_validator(mode="after")
    def _exactly_one(self) -> "Target":
        if bool(self.slack) == bool(self.email):
            raise ValueError("name one target: 'slack: NAME' or 'email: ADDRESS'")
        return self

    @property
    def key(self) -> str:
        """What the target is called on an escalation's row; holds no address."""
        if self.slack:
            return f"slack-{self.slack}"
        return "email-" + hashlib.sha256(self.email.casefold().encode()).hexdigest()[:8]


class Team(Model):
    tell: tuple[Target, ...] = Field(min_length=1)
    skills: tuple[str, ...] = ()


class Policy(Model):
    """When the desk speaks by itself and when it calls for people."""

    on_it_after: Duration = 10 * MINUTE
    """Service time without an answer after which the customer hears "we are on it"; 0: never."""
    escalate_after: Duration = 30 * MINUTE
    """Service time without an answer after which people are called; 0: never."""
    person_quiet: Duration = 30 * MINUTE
    """How long a person stays in the conversation after a reply or claim."""
    automatic_per_hour: int = Field(default=500, ge=0)
    """Automatic replies per account and hour; the rest is cancelled as ``cap``."""
    reply_expires: Duration = 6 * HOUR
    """How long a person's reply is retried before it ends FAILED."""


class Phrases(Model):
    """Words that mean something in one language; whole words, any case."""

    asks_person: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()


class Desk(Model):
    name: str = Field(min_length=1)
    time_zone: str
    languages: tuple[str, ...] = Field(min_length=1)
    """The first is the default."""
    hours: str
    """In opening_hours syntax, e.g. ``Mo-Fr 09:00-13:00,14:00-18:00; PH off``."""
    holidays: str = ""
    """ISO country code whose public holidays ``PH`` means; empty: none."""
    exceptions: tuple[ClosedOrSpecial, ...] = ()
    teams: Mapping[str, Team] = Field(min_length=1)
    """The first takes what nobody else does."""
    policy: Policy = Policy()
    formal: bool = False
    phrases: Mapping[str, Phrases] = {}

    @field_validator("languages")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not re.fullmatch(r"[a-z]{2,3}", code):
                raise ValueError(f"{code!r} is not a language code; write e.g. it or en")
        return value

    @property
    def default_language(self) -> str:
        return self.languages[0]

    @property
    def default_team(self) -> str:
        return next(iter(self.teams))

    @cached_property
    def calendar(self) -> Calendar:
        """The one calendar of reply, deadline, notification and report."""
        rules = [self.hours, *(f"{special.dates} {special.hours}" for special in self.exceptions)]
        return Calendar("; ".join(rules), self.time_zone, self.holidays)
