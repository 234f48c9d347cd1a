"""What ``decide`` returns: the thread as it shall be, the effects, and why."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from sportello.domain.model import Instant, Model
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread

Text = Literal[
    "closed",
    "closing",
    "on_it",
    "person_asked_open",
    "person_asked_closed",
    "chased",
    "sorry",
    "faq",
    "faq_yes",
    "faq_no",
    "order",
    "order_proof",
    "ask",
    "to_care",
    "public_ack",
    "public_delete",
    "private_open",
]
"""Names of the texts in ``templates/replies/<locale>/`` that the desk says by itself."""


class Say(Model):
    """An automatic reply: said at most once, and not after ``not_after``."""

    kind: str
    """Names the effect in its key: one of a kind for each cause."""
    text: Text
    language: str
    act: Literal["reply", "private"] = "reply"
    until: Instant | None = None
    """The opening that the text names."""
    promise: Instant | None = None
    """By when the text says that an answer comes."""
    values: Mapping[str, str] = {}
    """What else the text tells: ``entry`` (of the frequent questions), ``order``, ``status``, ``field``, …"""
    buttons: bool = False
    """Yes and no are to be tapped, where the channel has buttons."""
    not_after: Instant
    why: Reason
    cause: str = ""
    """Key of the cause where it is not the event itself (a deadline)."""


class Hide(Model):
    """A public message of the customer's is taken out of the public's sight."""

    message: str
    """The platform's id of it."""
    why: Reason


class Call(Model):
    """People are called, or reasons are added to a call that is open."""

    whys: tuple[Reason, ...]
    team: str
    level: int = 1
    """Who of the escalation's levels is told, from 1."""
    urgent: bool = False
    digest: bool = False
    """It waited for the opening: told with what else has waited, in one notice."""
    key: str = ""
    """Key of the open escalation to add to; empty: a new one."""
    cause: str = ""


class Consult(Model):
    """The outside is asked: one row, one answer (``Consulted``), until ``until``."""

    asks: tuple[Literal["faq", "facts", "order", "load", "ref"], ...]
    until: Instant
    person: str = ""
    """Whose load is asked for."""


class Learn(Model):
    """Fields that the customer has told, kept beside the thread for whoever answers."""

    fields: Mapping[str, str]


Effect = Say | Hide | Call | Consult | Learn


class Decision(NamedTuple):
    thread: Thread
    reasons: tuple[Reason, ...]
    effects: tuple[Effect, ...] = ()
    refused: bool = False
    """A person asked for what is not allowed; ``reasons`` says why. Nothing is written."""
