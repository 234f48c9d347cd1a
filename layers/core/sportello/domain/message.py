"""Rows of a thread besides its own: messages in and out, and calls for people."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import Field

from sportello.domain.events import Card, Media, Place
from sportello.domain.model import Instant, Model
from sportello.domain.outbound import Button, Template


class State(StrEnum):
    """Where an outbound message stands. Every step is a conditional update."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The platform may have taken it; an automatic reply is never sent again."""
    CANCELLED = "cancelled"


RANKS = {"sent": 1, "delivered": 2, "read": 3}
"""Receipts only go forward."""

ENDED = frozenset({State.SENT, State.FAILED, State.UNKNOWN, State.CANCELLED})


class Message(Model):
    """One message of a thread. An outbound one is its own outbox row."""

    key: str
    direction: Literal["in", "out"]
    author: Literal["customer", "person", "automatic"]
    kind: str = "text"
    id: str = ""
    """The platform's message id; of an outbound one once it is sent."""
    time: Instant
    """When it was written, by the platform's clock where it has one."""
    sequence: int | None = None
    arrived: Instant = 0
    """When it was committed, by ours."""
    text: str = ""
    text_at: str = ""
    """S3 key of the whole text, where it is too long for a row."""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    payload: str = ""
    quote: str = ""
    forwarded: bool = False
    album: str = ""
    detail: str = ""
    fragment: dict[str, Any] | None = None
    fragment_at: str = ""
    """S3 key of the fragment, where it is too long for a row."""
    context: Mapping[str, str] = {}
    """What the channel needs to answer this message."""
    ref: str = ""
    """What the link carried by which the customer came (``Inbound.ref``)."""
    attested: str = ""
    """A phone number or address that the platform attests to be the writer's own."""
    by: str = ""
    """Who wrote it: the person of the desk, or the name of a group's member."""
    owes: bool = False
    """It asked for an answer when it came."""
    why: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    """Keys of what it caused, so that a redelivery can kick them again."""
    edited: bool = False
    deleted: bool = False

    # The outbox: only of outbound messages.
    state: State | None = None
    act: Literal["reply", "private", "hide"] = "reply"
    also: tuple[str, ...] = ()
    """Ids of further messages of the platform that this one took."""
    linked: str = ""
    """Thread that a private reply opened."""
    units: int = 0
    """Parts that the platform charges one by one."""
    via: str = ""
    """The channel by which it goes where that is not the thread's own: the conversation, by e-mail."""
    say: str = ""
    """Name of the text of an automatic reply; it is rendered when it is sent."""
    language: str = ""
    buttons: tuple[Button, ...] = ()
    template: Template | None = None
    until: Instant | None = None
    """The opening that the text names."""
    promise: Instant | None = None
    """By when the text says that an answer comes."""
    values: Mapping[str, str] = {}
    """What else the text tells: ``entry``, ``order``, ``field``, ``link``, …"""
    yes_no: bool = False
    """Asks whether it helped, with two buttons."""
    not_after: Instant | None = None
    """Not sent later than this (automatic: desk clock; a person's: real time)."""
    attempt: int = 0
    token: str = ""
    """Of the sender that holds the lease."""
    lease: Instant | None = None
    """Real time until which that sender alone may act."""
    due: Instant | None = None
    """Real time at which the sweeper takes the row in hand; of an inbound one for its files."""
    problem: str = ""
    code: str = ""
    receipt: str = ""
    rank: int = 0
    settled_since: Instant | None = None
    """The debt that a person's reply settled; it returns if the send fails."""
    settled_first: str = ""

    @property
    def order(self) -> tuple[Instant, int, Instant, str]:
        """Shown order: time, the platform's sequence, arrival."""
        return (self.time, self.sequence or 0, self.arrived, self.key)


class Why(Model):
    """One reason of a call, and the message or deadline that gave it."""

    why: str
    cause: str
    at: Instant
    level: int = 1
    """Which of the escalation's levels is told of it."""
    urgent: bool = False
    digest: bool = False
    """It waited for the opening: told with what else has waited."""
    team: str = ""
    """Who is called, where that is another team than the call's first."""


class Escalation(Model):
    """A call for people: one per debt, one state per target.

    ``told`` counts for each target of how many reasons it knows, those of other levels among them; the
    call is done when every target of its reasons' levels knows them, or can never be told (``refused``).
    """

    key: str
    team: str
    whys: tuple[Why, ...]
    told: dict[str, int] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)
    """Targets that can never be told, each with the problem."""
    folded: int = 0
    """So many of the reasons are told with those of other conversations, or are no news any more."""
    incident: str = ""
    """The incident that it is part of: id and key of its row."""
    attempt: int = 0
    due: Instant | None = None
    """Real time: when to try again; None: everybody has heard."""


class Enquiry(NamedTuple):
    """What the outside is asked about one message: worked by ``services.consult``, answered once."""

    key: str
    """``<cause>~consult``"""
    cause: str
    """Key of the customer's message, or of the deadline, that made the desk ask."""
    asks: tuple[str, ...]
    """Of ``decision.Consult``."""
    until: Instant
    """Desk clock: from then on the desk goes on without."""
    person: str = ""
    """Whose load is asked for."""
    due: Instant | None = None
    """Real time: when the sweeper kicks it again; None: it is answered."""
    attempt: int = 0
    done: Instant | None = None
    """When the answer was committed."""
    why: tuple[str, ...] = ()
    """What ``decide`` made of the answer."""
    problems: tuple[str, ...] = ()
    """What could not be asked, as codes."""
    follows: str = ""
    """The ref that led here, the thread on the official account and since when that owes, if it does.

    It is told once this is done.
    """
