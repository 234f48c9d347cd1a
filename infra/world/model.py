"""What the world keeps and what its control interface speaks: frozen values, all JSON."""

import base64
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from sportello.channels.base import Button
from sportello.domain.model import Instant, Model

ChannelName = str
"""As the stand-in is called, e.g. ``telegram``; which ones there are is found out by looking."""


class PlatformAccount(Model):
    """An account of ours at a platform; each channel's own model says what else belongs to it."""

    id: str
    webhook_url: str = ""
    """Where the platform delivers; of a channel without webhooks, what ``deliver`` needs."""
    subscribed: bool = True

    def at(self, channel: str) -> dict[str, Any]:
        """As an entry of ``Setup.accounts``."""
        return {"channel": channel} | self.model_dump()


class Options(Model):
    """How the platforms behave; the defaults let a scene pass."""

    receipts: Literal["on", "off", "read"] = "on"
    """WhatsApp statuses after a send: sent and delivered, none, or read as well."""
    whatsapp_errors: Literal["answer", "status"] = "answer"
    """Where a closed window or a missing recipient is told: in the answer, or later by ``failed``."""
    telegram_burst: int = 20
    telegram_per_second: float = 1.0
    whatsapp_pair_rate: bool = False
    retries: tuple[float, ...] = (0.3, 1.0, 3.0)
    """Seconds between the tries of a webhook that was not accepted."""
    verified_senders: tuple[str, ...] = ()
    """Mail addresses and domains that may send; none listed: all may."""


class OptionsChange(Model):
    """As ``Options``; what is left out stays as it is."""

    receipts: Literal["on", "off", "read"] | None = None
    whatsapp_errors: Literal["answer", "status"] | None = None
    telegram_burst: int | None = None
    telegram_per_second: float | None = None
    whatsapp_pair_rate: bool | None = None
    retries: tuple[float, ...] | None = None
    verified_senders: tuple[str, ...] | None = None


class Setup(Model):
    """What exists at the platforms. Posted again it adds and replaces by id, and removes nothing."""

    accounts: tuple[Mapping[str, Any], ...] = ()
    """Each with its ``channel``, and the fields of that channel's accounts."""
    slack: tuple[str, ...] = ()
    """Paths of incoming webhooks, ``/services/T…/B…/…``."""
    options: OptionsChange = OptionsChange()
    clock_offset_ms: int | None = None


class Person(Model):
    """A customer, and the ids that the platforms know them by."""

    name: str
    number: int
    """Below 10^9 and nobody else's: what a channel makes its own ids of."""
    telegram_id: int
    wa_id: str
    """The phone number, digits only."""
    bsuid: str

    @property
    def ids(self) -> frozenset[str]:
        """Channels know the person by further ones: see ``State.ids_of``."""
        return frozenset({self.name, str(self.number), str(self.telegram_id), self.wa_id, self.bsuid})


class File(Model):
    """A file of ours as it reached the platform."""

    name: str = ""
    mime: str = ""
    size: int = 0
    sha256: str = ""
    """Hexadecimal."""
    url: str = ""
    """Where the platform was told to fetch it."""


class Shown(Model):
    """One thing on a customer's phone; ``in`` is from the customer, ``out`` from the desk."""

    id: str
    direction: Literal["in", "out"]
    kind: str = "text"
    text: str = ""
    buttons: tuple[Button, ...] = ()
    file: File | None = None
    time: Instant
    """Platform time."""
    account: str = ""
    quote: str = ""
    tag: str = ""
    status: str = ""
    """What the customer's side has reported: sent, delivered, read, failed."""
    edited: bool = False
    deleted: bool = False
    hidden: bool = False
    """Public, and the desk has taken it out of sight."""


class SlackPost(Model):
    time: Instant
    text: str
    """Everything a reader sees, as plain text."""
    pings: tuple[str, ...] = ()
    """Mentions that Slack would have acted on, e.g. ``!channel``: unescaped text shows up here."""
    buttons: tuple[Button, ...] = ()
    payload: dict[str, Any]


class Letter(Model):
    """One mail as it lies in one mailbox."""

    id: str
    time: Instant
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: Mapping[str, str] = {}
    raw: str = ""
    """The whole MIME text, where it was sent raw."""


class Entry(Model):
    """One line of the log: a call that reached the world, or a webhook that it sent."""

    n: int
    time: Instant
    """Real time."""
    platform: str
    direction: Literal["call", "webhook"]
    method: str
    address: str = ""
    status: int
    """HTTP status; 0: no answer was given or had."""
    code: str = ""
    id: str = ""
    """Platform's message id; of a webhook its own id here."""
    attempt: int = 1
    sends: bool = False
    """The call would show something to somebody."""
    fault: str = ""
    request: Any = None
    answer: Any = None


class Webhook(Model):
    """A request of a platform to us, ready to be sent (again)."""

    id: str
    channel: str
    account: str
    address: str
    customer: str = ""
    """The id that the platform names the writer by, where it is not the address."""
    message_id: str = ""
    method: str = "POST"
    url: str
    headers: dict[str, str]
    body: str
    """ASCII, so these characters are the bytes that were signed."""
    body_base64: bool = False
    """``body`` is the base64 of other bytes."""
    queue: str = ""
    """Webhooks of one queue go one after the other; empty: no order is kept."""

    @property
    def content(self) -> bytes:
        """The bytes that go over the wire."""
        return base64.b64decode(self.body) if self.body_base64 else self.body.encode("ascii")


class Say(Model):
    """The customer does something. ``from`` is a name, or an id of the platform."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    channel: ChannelName
    text: str = ""
    sender: str = Field(default="Customer One", alias="from")
    at: Instant | None = None
    """Platform time; now if left out."""
    kind: str = "text"
    """``text``, ``media``, ``button``, …: each channel names those that it has."""
    account: str = ""
    """Which of our accounts; the first one set up if left out."""
    media: str = ""
    """For kind ``media``: photo or image, video, audio, voice, document."""
    button: str = ""
    """For kind ``button``: id or title of a button that the phone shows."""
    target: str = ""
    """Message that is edited, deleted or reacted to; the newest fitting one if left out."""
    quote: str = ""
    language: str = "it"
    group: str = ""
    """Written in the group of that name, not to us alone."""
    business: str = ""
    """Telegram: id of the business connection whose owner is written to."""
    as_owner: bool = False
    """Telegram business: the owner writes, not the customer."""
    username_only: bool = False
    """WhatsApp: the platform withholds the phone number."""
    more: Mapping[str, str] = {}
    """What only this channel understands; see its stand-in."""
    raw: Mapping[str, Any] = {}
    """For kind ``raw``: fields of the platform's message object, put in as they are."""
    copies: int = Field(default=1, ge=1, le=100)
    deliver: bool = True


class Said(Model):
    """What became of it. ``statuses`` are our webhook's answers, 0 where there was none."""

    id: str
    """Id of the webhook, for ``redeliver``."""
    message_id: str
    address: str
    customer: str = ""
    """The id that the platform names the writer by: what their thread is found by."""
    statuses: tuple[int, ...] = ()
    note: str = ""
    """Why nothing was delivered, where nothing was."""
    request: Webhook | None = None

    @property
    def status(self) -> int:
        return self.statuses[0] if self.statuses else 0
