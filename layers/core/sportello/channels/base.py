"""The contract of a channel: what a platform's module declares and does.

A channel verifies and parses what a platform sends, and sends what the desk says. It knows
nothing of AWS, of threads or of other channels. Adding one is described in CONTRIBUTING.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal

from sportello.channels.http import Http
from sportello.domain.events import Media as Media
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
    raw_query: str = ""
    """As it stood in the address; some platforms sign it."""
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


Act = Literal["reply", "private", "hide"]
"""Besides a plain reply: answer a public message in private, take it out of the public's sight."""


class Attachment(Model):
    """A file of ours on its way out."""

    kind: Literal["image", "video", "audio", "voice", "document"]
    mime: str
    name: str
    size: int
    """Bytes."""
    url: str = ""
    """Where the platform can fetch it for the next hour (https, no log-in)."""
    content: bytes = b""
    """The file itself, only for channels that upload (``Channel.uploads``)."""

    def __repr__(self) -> str:
        return f"Attachment({self.kind!r}, {self.mime!r}, {self.size})"

    __str__ = __repr__


class MediaRule(Model):
    """What a platform takes of one kind of file."""

    limit: int
    """Bytes."""
    mimes: tuple[str, ...] = ()
    """Exact types, or ``image/`` for all of a family; none: any."""


class Outbound(Model):
    """One message to a customer."""

    account: str
    to: str
    act: Act = "reply"
    by_person: bool = False
    """A person of the desk wrote it; some platforms allow a person more than a machine."""
    text: str = ""
    attachment: Attachment | None = None
    context: Mapping[str, str] = {}
    """``Inbound.context`` of the newest message that asks for an answer, for channels that use it."""
    buttons: tuple[Button, ...] = ()
    template: Template | None = None
    quote: str = ""
    tag: str = ""
    """Ours: comes back in receipts where the platform allows."""
    language: str = ""
    """Of the text, where the desk chose it (an automatic reply); for channels that speak."""


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
    MEDIA = "media"
    """The file is too large, or of a type that the platform does not take."""
    REFUSED = "refused"
    """The platform will never take this message as it is."""


class Sent(Model):
    id: str
    """The platform's message id."""
    also: tuple[str, ...] = ()
    """Ids of further messages that it took, e.g. the words that follow a file."""
    linked: str = ""
    """Of a private reply to a public message: the customer's id in the private conversation."""
    units: int = 0
    """Parts that are paid one by one (SMS segments), where the platform counts."""


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


class Download(Model):
    """Where a customer's file is to be fetched; the address may be secret and is never logged."""

    url: str
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return "Download(...)"

    __str__ = __repr__


class MediaGone(Exception):
    """The platform has the file no more, or never gives it out. The text is a code, not an address."""


class MediaLater(Exception):
    """The platform cannot give the file now: try again. The text is a code, not an address."""


class Profile(Model):
    """What the platform tells of a customer."""

    name: str = ""
    language: str = ""


class Question(Model):
    """One thing that ``connect`` has to know, asked in this order.

    The answer becomes ``Connection.token`` (name ``token``), its first secret (name ``secret``), or
    ``settings[name]``.
    """

    name: str
    text: str
    """What is asked for, and where it stands at the platform."""
    secret: bool = False
    """Asked for without being shown; from the environment as ``SPORTELLO_<NAME>``."""
    made: bool = False
    """Never asked: made up at random the first time, then kept."""
    default: str = ""
    optional: bool = False
    seldom: bool = False
    """Never asked: only ``--set NAME=VALUE`` says it. It is optional as well."""


class Probed(Model):
    """Who the platform says we are."""

    accounts: tuple[Account, ...]
    settings: Mapping[str, str] = {}
    """What the probe found out besides; added to the connection's settings."""


class Finding(Model):
    """What ``doctor`` has to say of a connection."""

    level: Literal["fault", "warning"]
    code: str
    """One word for tests and scripts, e.g. ``token_refused``."""
    text: str
    """What is wrong and what to do about it; no secret in it."""


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
    echoes_untagged: ClassVar[bool] = False
    """Our own sends come back as ``Echo`` without a tag: they are known by their id, or their words."""
    acts: ClassVar[frozenset[Act]] = frozenset({"reply"})
    """What the sender may be asked to do."""
    shows_buttons: ClassVar[bool] = False
    """``Outbound.buttons`` reach the customer as something to tap, in private conversations."""
    invites: ClassVar[bool] = False
    """``private`` is a public answer that leads into private, not a private one."""
    uses_context: ClassVar[bool] = False
    """``Outbound.context`` is filled in."""
    answers: ClassVar[int | None] = None
    """Messages that may follow one of the customer's; None: any number."""
    media: ClassVar[Mapping[str, MediaRule]] = {}
    """What may be attached, by ``Attachment.kind``; nothing declared: nothing may."""
    uploads: ClassVar[bool] = False
    """``send`` wants ``Attachment.content``; else the platform fetches ``Attachment.url``."""
    media_hosts: ClassVar[tuple[str, ...]] = ()
    """Hosts that customers' files are fetched from; ``.example.com`` means that domain's subdomains."""
    profiles: ClassVar[bool] = False
    """``profile`` can be asked for a customer whose name did not come with the message."""
    webhooks: ClassVar[bool] = True
    """The platform calls a function URL; False: something of AWS hands us its messages."""
    questions: ClassVar[tuple[Question, ...]] = ()
    """What ``connect`` asks for."""
    keeps_url: ClassVar[bool] = False
    """``connect`` stores our webhook's address as ``settings["url"]``: the platform signs it."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """What the platform itself puts behind our address: ``<function url>/<connection>/<suffix>``."""

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

    def acknowledge(self, request: Request, connection: Connection, is_open: Callable[[], bool]) -> Response:
        """What the platform wants to hear once the events are committed; ``is_open``: is the desk, now?"""
        return Response(status=200)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        """Why the channel's policy forbids this send, known without asking the platform."""
        if message.act not in self.acts:
            return Problem.REFUSED
        if message.act == "hide":
            return None
        if message.attachment is not None and not self._takes(message.attachment):
            return Problem.MEDIA
        if message.template is None:
            if not message.text.strip() and message.attachment is None:
                return Problem.EMPTY
            if measure(message.text, self.text_unit) > self.text_limit:
                return Problem.TOO_LONG
            if self.window is not None and (last_inbound is None or now >= last_inbound + self.window):
                return Problem.WINDOW_CLOSED
        return None

    def _takes(self, file: Attachment) -> bool:
        rule = self.media.get(file.kind)
        if rule is None or file.size > rule.limit:
            return False
        return not rule.mimes or any(
            file.mime == mime or (mime.endswith("/") and file.mime.startswith(mime)) for mime in rule.mimes
        )

    @abstractmethod
    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """One message, one attempt; never raises for what the platform or the network does."""

    # --- what comes after the acknowledgement: the media worker --------------------------------

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        """Where to fetch a customer's file; may ask the platform's API for it first.

        Raises:
            MediaGone: never to be had; MediaLater: try again.
        """
        if not media.url:
            raise MediaGone("no_address")
        return Download(url=media.url)

    def decrypt(self, media: Media, body: bytes) -> bytes:
        """A customer's file in the clear, where the platform keeps it encrypted; raises ``MediaGone``."""
        return body

    def profile(self, address: str, connection: Connection, http: Http) -> Profile | None:
        """Who the customer at this address is; None where the platform does not tell."""
        return None

    # --- connecting an account, and looking after it: the operator's command line ---------------

    def probe(self, connection: Connection, http: Http) -> Probed:
        """Ask the platform who we are with this token; raises ``ConnectError`` with the remedy."""
        raise ConnectError(f"{self.name} has no probe")

    def register(self, connection: Connection, url: str, http: Http) -> str:
        """Tell the platform our webhook address; returns what is left to do by hand, in words."""
        raise ConnectError(f"{self.name}: register {url} by hand at the platform")

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        """What is wrong with a connection at the platform, besides what ``probe`` says of its token.

        Above all: whether its webhook is ours (``webhook_elsewhere``, ``webhook_missing``) and
        subscribed to what we read (``not_subscribed``).
        """
        return ()

    def renew(self, connection: Connection, http: Http) -> str:
        """A fresh token for one that runs out, asked for once a day; empty: it does not, or not yet."""
        return ""


class ConnectError(Exception):
    """Connecting an account failed; the text says what to do. Holds no secret.

    ``code`` is one word for ``doctor``: ``token_refused``, ``secret_wrong``, ``no_answer``, ...
    """

    def __init__(self, text: str, code: str = "refused") -> None:
        super().__init__(text)
        self.code = code


def measure(text: str, unit: Unit) -> int:
    """Length of a text in the unit in which the platform counts."""
    if unit == "utf16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    if unit == "bytes":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text)
