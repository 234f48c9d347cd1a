"""What happens to a thread: the events that channels parse and ``decide`` judges.

From a platform come ``Inbound``, ``Echo``, ``Edit``, ``Delete``, ``Moved`` and ``Receipt``; from
people of the desk ``PersonReply``, ``Claim``, ``Resolve``, ``Wanted`` and ``Spoken``; from the desk
itself ``Tick``, ``SendResult``, ``Consulted`` and ``Followed``. Times are instants (milliseconds);
ids are the platform's own, as strings.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from sportello.domain.model import Instant, Model


class Kind(StrEnum):
    """What a customer's message is. ``OWING`` names those that ask for an answer."""

    TEXT = "text"
    MEDIA = "media"
    LOCATION = "location"
    CONTACT = "contact"
    BUTTON = "button"
    """A tap on a button or list row, or a filled-in form; ``payload`` is its id."""
    ORDER = "order"
    CALL = "call"
    """A phone call that nobody of the desk answered."""
    REACTION = "reaction"
    """``text`` is the emoji, empty when it was taken back; ``quote`` the message reacted to."""
    START = "start"
    """The customer opened the conversation (``/start``) without asking anything."""
    SERVICE = "service"
    """A notice of the platform: joined, left, pinned, number changed, bot blocked, ..."""
    UNSUPPORTED = "unsupported"
    """Something that cannot be read here; ``fragment`` keeps it as it came."""


OWING = frozenset(
    {Kind.TEXT, Kind.MEDIA, Kind.LOCATION, Kind.CONTACT, Kind.BUTTON, Kind.ORDER, Kind.CALL, Kind.UNSUPPORTED}
)


class Customer(Model):
    """Who wrote, as the platform attests it."""

    id: str
    """The primary id: what the thread id is derived from."""
    address: str
    """Where an answer goes: the destination of a send."""
    aliases: tuple[str, ...] = ()
    """Other ids of the same person at this platform (not the primary)."""
    name: str = ""
    """Chosen by the customer: shown to people, never trusted, never a key."""
    language: str = ""
    """What the platform says, e.g. ``it``; empty when it says nothing."""


class Media(Model):
    """A file by reference; it is fetched after the acknowledgement."""

    kind: Literal["image", "video", "audio", "voice", "document", "sticker", "animation"]
    id: str
    mime: str = ""
    size: int | None = None
    """Bytes, where the platform tells."""
    name: str = ""
    sha256: str = ""
    """Hexadecimal, where the platform tells."""
    seconds: int | None = None
    url: str = ""
    """Where the platform offers it for a while; empty: it is asked for by ``id``."""
    keep: bool = True
    """False: the platform forbids to keep it (an Instagram story), so it is never fetched."""
    at: str = ""
    """S3 key of our copy."""
    problem: str = ""
    """Why there is no copy: a code."""


class Place(Model):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Card(Model):
    """A shared contact card."""

    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    own: bool = False
    """The platform attests that it is the sender's own number."""


class FromPlatform(Model):
    """Fields of everything that a webhook carries."""

    account: str
    """Our number, page or bot, as the body names it (or the connection's only one)."""


class Inbound(FromPlatform):
    """One message of a customer."""

    customer: Customer
    id: str
    """The platform's message id: identical on redelivery."""
    time: Instant | None
    """The platform's time; None where it gives none, then arrival counts."""
    sequence: int | None = None
    """The platform's order within a chat, where it has one; ties in ``time`` are resolved by it."""
    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    payload: str = ""
    quote: str = ""
    """Platform id of the message this one answers or reacts to."""
    forwarded: bool = False
    group: bool = False
    addressed: bool = True
    """False for what does not ask us for anything: kept, owes nothing.

    A group message that is not to us, a public post that only mentions us (``detail`` says which),
    a message in a conversation that another app holds.
    """
    public: bool = False
    """A post or comment that everybody can read."""
    automatic: str = ""
    """Why no automatic reply may go to it: ``auto_submitted``, ``bounce``, ``list``, ``own_address``, ..."""
    context: Mapping[str, str] = Field(default_factory=dict)  # a plain {} would be deep-copied each time
    """What the channel needs to answer this very message (subject, reply token): ``Outbound.context``."""
    album: str = ""
    """Parts of one album share this id."""
    ref: str = ""
    """What the link carried by which the customer came (m.me, ig.me, t.me, wa.me): ours, or the company's."""
    acts: tuple[str, ...] = ()
    """Of a public message: what the platform allows besides a reply: ``hide``, ``private``, ``invite``."""
    attested: str = ""
    """A phone number (``+`` and digits) or address that the platform attests to be the writer's own."""
    detail: str = ""
    """For service and unsupported kinds: the platform's own name of it."""
    fragment: dict[str, Any] | None = None
    """The platform's JSON of this message; kept for unsupported kinds, ads and orders."""
    test: bool = False
    """Sent from a platform's test button."""


class Echo(FromPlatform):
    """Something written in our name outside Sportello: on the phone, in the platform's inbox."""

    customer: Customer
    id: str
    time: Instant
    sequence: int | None = None
    kind: Kind = Kind.TEXT
    text: str = ""
    media: tuple[Media, ...] = ()
    public: bool = False
    author: Literal["person", "automatic"] = "person"
    """A person's settles the debt; another bot's or a greeting message's never does."""
    tag: str = ""
    """Our own data, where the platform returns it: then it is our own send coming back."""
    owing_from: Instant | None = None
    """As of ``PersonReply``: filled in by ``ingest``, which knows the thread's messages."""
    owing_first: str = ""


class Edit(FromPlatform):
    """A customer changed a message."""

    customer: Customer
    original: str
    """Platform id of the message."""
    time: Instant
    text: str = ""


class Delete(FromPlatform):
    """A customer took messages back."""

    customer: Customer
    originals: tuple[str, ...]
    time: Instant | None


class Moved(FromPlatform):
    """A customer's id or number changed: the thread follows."""

    customer: Customer
    """The new ids and address."""
    previous: tuple[str, ...]
    id: str
    time: Instant


class Receipt(FromPlatform):
    """What became of a message that we sent.

    It is ours by ``tag``; where the platform returns none of our data, by ``customer`` and ``id``, or
    by ``customer`` and ``until``: everything sent to them up to that time.
    """

    id: str
    """Platform id of our message; empty with ``until``."""
    customer: Customer | None = None
    until: Instant | None = None
    status: Literal["sent", "delivered", "read", "failed"]
    time: Instant
    tag: str = ""
    """Our own data as given at the send; empty: not ours, or not returned."""
    code: str = ""
    """The platform's error code, for ``failed``."""
    problem: str = ""
    """A word of ``channels.base.Problem`` for ``failed``: what the code means for us."""


class Connected(FromPlatform):
    """The account's own state changed at the platform (business connection, ban, token)."""

    id: str
    time: Instant | None
    enabled: bool
    detail: str = ""


class Unreadable(FromPlatform):
    """One entry of a batch that could not be parsed: it goes to quarantine, the others on."""

    fragment: Any
    why: str
    """Where and what, without the customer's words."""


class Ignored(FromPlatform):
    """Understood and of no consequence (typing, a poll's count); ``why`` names the kind."""

    why: str


PlatformEvent = Inbound | Echo | Edit | Delete | Moved | Receipt | Connected | Unreadable | Ignored


class Tick(Model):
    """A deadline of the thread has come."""

    due: Instant


class PersonReply(Model):
    """A person of the desk answers."""

    by: str
    text: str
    action: str
    """Id of the act (a click, a command): the same act twice is one reply."""
    at: Instant
    owing_from: Instant | None = None
    """Time of the first message that its writer had not seen; None: all was seen."""
    owing_first: str = ""
    """Opening words of that message."""
    promise: Instant | None = None
    """An answer for the time being: the full one follows by then, and stays owed."""


class Claim(Model):
    by: str
    action: str
    at: Instant


class Resolve(Model):
    by: str
    action: str
    at: Instant
    code: str = ""
    """Reason code; needed where an answer is owed."""


class SendResult(Model):
    """A person's reply ended FAILED: the debt that it had settled comes back."""

    row: str
    problem: str
    owed_since: Instant | None
    first: str = ""


class Wanted(Model):
    """A person says that a message which was set aside wants help after all."""

    by: str
    action: str
    at: Instant
    since: Instant
    """When the message was written."""
    first: str = ""


class Spoken(Model):
    """A person sets the language of the conversation."""

    by: str
    action: str
    at: Instant
    language: str


class OrderFacts(Model):
    """What the company's system says of one order of this very customer."""

    number: str
    status: str
    """In the customer's language, as the company words it."""
    expected: str = ""
    link: str = ""


class Consulted(Model):
    """What the outside answered to a ``Consult``; every field is empty where it had nothing to say."""

    cause: str
    """Key of the customer's message that it was asked about."""
    asks: tuple[str, ...]
    faq: str = ""
    """Id of the frequent question that was recognised."""
    language: str = ""
    """In which it was asked, and is answered."""
    buttons: bool = False
    """The channel shows buttons."""
    tier: str | None = None
    """Of the customer; None: the company's system did not say."""
    order: OrderFacts | None = None
    """Theirs for sure: number and a contact that the platform attests belong together."""
    unproved: bool = False
    """An order was asked for by somebody who is not shown to be its customer."""
    until: Instant | None = None
    """As in the ``Consult``: by it an answer that was overtaken is known; None: it was not."""
    topics: tuple[str, ...] = ()
    """Of the message."""
    person: str = ""
    """Whose load was asked for."""
    over_load: bool = False
    """The person who holds the conversation has as many as they can bear."""
    linked: str = ""
    """Thread on an official account that this one goes on from."""
    linked_since: Instant | None = None
    """What is owed there since when; None: nothing."""
    linked_first: str = ""
    """Opening words of it."""
    problems: tuple[str, ...] = ()
    """What could not be asked and why, as codes: ``hook_slow``."""


class Followed(Model):
    """The customer of an official account has come to the care account: the debt goes on there."""

    thread: str
    since: Instant | None
    """Since when something was owed as they came; None: nothing was. A later debt stays where it is."""


Event = (
    Inbound
    | Echo
    | Edit
    | Tick
    | PersonReply
    | Claim
    | Resolve
    | SendResult
    | Wanted
    | Spoken
    | Consulted
    | Followed
)
