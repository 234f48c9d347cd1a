"""The contract of a channel: what a platform's module declares and does.

A channel verifies and parses what a platform sends, and sends what the desk says. It knows
nothing of AWS, of threads or of other channels. Adding one is described in CONTRIBUTING.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

from sportello.channels.http import Http
from sportello.domain.events import PlatformEvent
from sportello.domain.model import Instant, Model
from sportello.domain.outbound import Button as Button
from sportello.domain.outbound import Template as Template

Unit = Literal["characters", "utf16", "bytes"]


@dataclass(frozen=True)
class Request:
    """A webhook as it reached us; ``body`` is the raw bytes, already free of base64."""

    method: str
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Account(Model):
    """A number, page or bot of ours."""

    id: str
    role: Literal["official", "care"] = "care"
    name: str = ""
    """The public handle, e.g. a bot's user name."""


class Connection(Model):
    """One set of credentials at a platform; stored as one secret."""

    name: str
    secrets: tuple[str, ...]
    """What webhooks are verified with: the current one first, then the previous."""
    token: str = ""
    """What calls to the platform are made with."""
    accounts: tuple[Account, ...] = ()
    settings: Mapping[str, str] = {}
    """What else the channel needs, e.g. ``verify_token`` or ``owner``."""

    def __repr__(self) -> str:
        return f"Connection({self.name!r})"

    __str__ = __repr__


class Outbound(Model):
    """One message to a customer."""

    account: str
    to: str
    text: str = ""
    buttons: tuple[Button, ...] = ()
    template: Template | None = None
    quote: str = ""
    tag: str = ""
    """Ours: comes back in receipts where the platform allows."""


class Problem(StrEnum):
    """Why a message was not sent, or a send is impossible: what the desk does depends on it."""

    BUSY = "busy"
    """Rate limit: nothing was sent, try again after the wait."""
    TEMPORARY = "temporary"
    """The platform says that nothing was sent and that it will pass."""
    RECONNECT = "reconnect"
    """Token, permission or account: nothing was sent, a person has to reconnect."""
    UNREACHABLE = "unreachable"
    """This customer cannot be reached here: blocked us, left, no such number."""
    WINDOW_CLOSED = "window_closed"
    """Only a template may be sent."""
    TOO_LONG = "too_long"
    EMPTY = "empty"
    REFUSED = "refused"
    """The platform will never take this message as it is."""


class Sent(Model):
    id: str
    """The platform's message id."""


class NotSent(Model):
    """The answer proves that nothing was sent."""

    problem: Problem
    code: str
    """The platform's own code, e.g. ``429`` or ``131047``."""
    wait: float | None = None
    """Seconds that the platform asks us to wait."""
    moved_to: str = ""
    """The destination's new address, where the platform names one."""


class Unknown(Model):
    """Nobody can tell whether it was sent: a timeout, a reset, a 5xx."""

    code: str


SendOutcome = Sent | NotSent | Unknown


class Unparseable(Exception):
    """A verified body that cannot be read at all. The text says where, never what it contains."""


class Channel(ABC):
    """A platform. Instances hold no state and are safe to share between threads."""

    name: ClassVar[str]
    """Folder, URL, metric and secret name; lower case letters."""
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]]
    public: ClassVar[bool] = False
    text_limit: ClassVar[int]
    text_unit: ClassVar[Unit] = "characters"
    window: ClassVar[Instant | None] = None
    """How long after the customer's last message free text may be sent; None: for ever."""
    deadline: ClassVar[Instant]
    """How long the platform waits for our acknowledgement."""
    returns_tag: ClassVar[bool] = False
    """Receipts carry ``Outbound.tag``, so a send with an unknown end can be settled by them."""

    def handshake(self, request: Request, connection: Connection) -> Response | None:
        """Answer a challenge that the platform sends to prove the address; None: it is none."""
        return None

    @abstractmethod
    def verify(self, request: Request, connection: Connection) -> bool:
        """Whether the platform sent these bytes. Never raises, whatever the headers hold."""

    @abstractmethod
    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        """All events of a verified body, in its order.

        One bad entry becomes ``Unreadable``, an unknown kind an unsupported ``Inbound`` or
        ``Ignored``; only a body that is not the platform's JSON at all raises ``Unparseable``.
        """

    def acknowledge(self, request: Request, connection: Connection) -> Response:
        """What the platform wants to hear once the events are committed."""
        return Response(status=200)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        """Why the channel's policy forbids this send, known without asking the platform."""
        if message.template is None:
            if not message.text.strip():
                return Problem.EMPTY
            if measure(message.text, self.text_unit) > self.text_limit:
                return Problem.TOO_LONG
            if self.window is not None and (last_inbound is None or now >= last_inbound + self.window):
                return Problem.WINDOW_CLOSED
        return None

    @abstractmethod
    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """One message, one attempt; never raises for what the platform or the network does."""

    def probe(self, connection: Connection, http: Http) -> Mapping[str, Any]:
        """Ask the platform who we are with this token; raises ``ConnectError`` with the remedy."""
        raise ConnectError(f"{self.name} has no probe")

    def register(self, connection: Connection, url: str, http: Http) -> str:
        """Tell the platform our webhook address; returns what is left to do by hand, in words."""
        raise ConnectError(f"{self.name}: register {url} by hand at the platform")


class ConnectError(Exception):
    """Connecting an account failed; the text says what to do. Holds no secret."""


def measure(text: str, unit: Unit) -> int:
    """Length of a text in the unit in which the platform counts."""
    if unit == "utf16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    if unit == "bytes":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text)
