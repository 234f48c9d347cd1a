"""Who answers, and who is called: teams, people and their shifts, the levels of an escalation."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from sportello.domain.model import HOUR, MINUTE, Duration, Model

TeamName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$")]
PersonName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,20}$")]
SkillName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,16}$")]
FieldName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,8}$")]


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
    skills: tuple[SkillName, ...] = ()
    """Topics of ``phrases/`` that it knows best."""
    languages: tuple[str, ...] = ()
    """That it answers in; empty: all of the desk."""
    channels: tuple[str, ...] = ()
    """That it serves; empty: all."""
    hours: str = ""
    """Empty: the desk's."""
    exceptions: tuple[ClosedOrSpecial, ...] = ()


class Person(Model):
    """Somebody who answers. Names are account names, e.g. ``anna``; they are shown to colleagues only."""

    teams: tuple[TeamName, ...] = Field(min_length=1)
    skills: tuple[SkillName, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    shift: str = ""
    """In opening_hours syntax, in the desk's time zone; empty: whenever the team serves."""
    leave: tuple[str, ...] = ()
    """Days off, e.g. ``2027 Aug 9-20``."""
    load: int = Field(default=0, ge=0, strict=True)
    """Most conversations that wait for this person at once; 0: any number."""
    tell: tuple[Target, ...] = ()
    """Where this person is told when on call."""


class OnCall(Model):
    """Who is on call when: a shift of the rota."""

    who: PersonName
    when: str
    """In opening_hours syntax, e.g. ``Mo-Fr 18:00-09:00``."""


def _is_target(value: object) -> str:
    return "name" if isinstance(value, str) else "target"


Told = Annotated[
    Annotated[Literal["team", "on_call"], Tag("name")] | Annotated[Target, Tag("target")],
    Discriminator(_is_target),
]
"""By what it is, so that a mistake is told once and not for each of the two."""


class Level(Model):
    """One step of an escalation: who is told, and how long they have to take it."""

    tell: tuple[Told, ...] = Field(min_length=1)
    within: Duration = Field(default=15 * MINUTE, ge=MINUTE)
    """Service time until the next level is paged; clock time for what is urgent."""


class Escalation(Model):
    levels: tuple[Level, ...] = Field(default=(Level(tell=("team",)),), min_length=1)
    """The last is paged again and again until somebody takes it."""
    on_call: tuple[OnCall, ...] = ()
    taken_for: Duration = 4 * HOUR
    """Service time (clock time for what is urgent) after which a conversation that somebody has taken, and
    not answered, goes back to the team; 0: never."""
    incident_calls: int = Field(default=20, ge=2, strict=True)
    """So many calls alike within ``incident_within`` are one incident."""
    incident_within: Duration = 10 * MINUTE
    incident_update: Duration = 30 * MINUTE
    """An open incident tells how it grows, at most so often."""
