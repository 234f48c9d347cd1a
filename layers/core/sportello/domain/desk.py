"""The desk as its care lead wrote it in ``templates/desk.yaml``: hours, teams and policy.

The build checks the file, adds the phrases of ``templates/phrases/`` and writes one JSON file;
functions read that (``services.desk.current_desk``). Durations in the file are text such as
``10 min``; here they are milliseconds.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sportello.domain.hours import Calendar, Day
from sportello.domain.model import HOUR, MINUTE, SECOND, Instant, Model
from sportello.domain.phrases import Patterns, Phrases

_UNITS = {"s": SECOND, "min": MINUTE, "h": HOUR}


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+)\s*(s|min|h)", value.strip())
        if not found:
            raise ValueError(f"{value!r} is not a duration; write e.g. 10 min, 90 s or 2 h")
        return int(found[1]) * _UNITS[found[2]]
    return value


TeamName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$")]
Duration = Annotated[Instant, BeforeValidator(_duration), Field(ge=0)]


class ClosedOrSpecial(Model):
    """A day or span that differs from the week, e.g. ``Dec 24`` or ``2026 Aug 10-21``."""

    dates: str = Field(pattern=r'^[^;:|"]+$')
    """Days in opening_hours syntax; ``2026 Aug 10-21`` once, ``Dec 24`` every year."""
    hours: str = Field(default="off", pattern=r"^(off|\d\d?:\d\d-\d\d?:\d\d(,\s?\d\d?:\d\d-\d\d?:\d\d)*)$")
    """``off``, or spans such as ``09:00-12:00,14:00-16:00``."""
    name: Mapping[str, str] = {}
    """What customers are told, by language, e.g. ``{it: vigilia di Natale}``."""


class Target(Model):
    """Where a team is told of an escalation."""

    slack: str = Field(default="", pattern=r"^[a-z0-9-]{0,32}$")
    """Name of a Slack connection: its secret is ``/<stack>/slack/<name>``."""
    email: str = Field(default="", pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$")

    @model_validator(mode="after")
    def _exactly_one(self) -> "Target":
        if bool(self.slack) == bool(self.email):
            raise ValueError("name one target; write e.g. slack: care, or email: care@example.com")
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
    automatic_per_hour: int = Field(default=500, ge=0, strict=True)
    """Automatic replies per account and hour; the rest is cancelled as ``cap``."""
    reply_expires: Duration = 6 * HOUR
    """How long a person's reply is retried before it ends FAILED."""
    keep_days: int = Field(default=730, ge=1)
    """Days after which messages and silent threads are deleted."""


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
    teams: Mapping[TeamName, Team] = Field(min_length=1)
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
        if len(set(value)) < len(value):
            raise ValueError("a language is named twice; write e.g. [it, en]")
        return value

    @property
    def default_language(self) -> str:
        return self.languages[0]

    @property
    def default_team(self) -> str:
        return next(iter(self.teams))

    @property
    def calendar(self) -> Calendar:
        """The one calendar of reply, deadline, notification and report.

        A day that an exception makes is named ``#`` and its number: ``name_of`` tells what to call it.
        """
        rules = [self.hours]
        for number, special in enumerate(self.exceptions):
            rules.append(f'{special.dates} {special.hours} "#{number}"')
        return _calendar("; ".join(rules), self.time_zone, self.holidays)

    @cached_property
    def patterns(self) -> Patterns:
        return Patterns(self.phrases)

    def name_of(self, day: Day, language: str) -> str:
        """What customers are told of a day that differs; empty: nothing."""
        if not day.name.startswith("#"):
            return day.name
        names = self.exceptions[int(day.name[1:])].name
        return names.get(language) or names.get(self.default_language, "")


@lru_cache(maxsize=64)
def _calendar(rules: str, zone: str, country: str) -> Calendar:
    # Not a cached_property: model_copy would carry the old calendar into the changed desk.
    return Calendar(rules, zone, country)
