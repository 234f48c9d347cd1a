"""SMS through AWS End User Messaging: https://docs.aws.amazon.com/sms-voice/latest/userguide

What customers write, and what becomes of what we send, comes through one SNS topic of ours; its ARN
is the connection's secret, for whoever does not know it cannot make us look at a signature.
``settings``: ``configuration_set``, whose event destination is that topic (receipts; optional).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sportello.channels.base import (
    Connection,
    NotSent,
    Outbound,
    Problem,
    Request,
    SendOutcome,
    Sent,
    Unknown,
    Unparseable,
)
from sportello.channels.body import read_object
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import AwsRefused, Http, NoAnswer, NotConnected
from sportello.channels.sms_text import is_start, is_stop, segments
from sportello.channels.sms_twilio import attested, automatic
from sportello.channels.sns import END, NOTIFICATION
from sportello.domain.events import (
    Connected,
    Customer,
    Ignored,
    Inbound,
    Kind,
    PlatformEvent,
    Receipt,
    Unreadable,
)

SERVICE = "pinpoint-sms-voice-v2"
TAG = "tag"
"""Name of our data in the context that comes back with delivery events."""
_ADDRESS = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")

_Status = Literal["sent", "delivered", "read", "failed"]
_STATUSES: Mapping[str, tuple[_Status, Problem | None]] = {
    "SENT": ("sent", None),
    "SUCCESSFUL": ("sent", None),  # the carrier has it
    "DELIVERED": ("delivered", None),
    "READ": ("read", None),
    "INVALID": ("failed", Problem.UNREACHABLE),
    "INVALID_MESSAGE": ("failed", Problem.REFUSED),
    "UNREACHABLE": ("failed", Problem.UNREACHABLE),
    "CARRIER_UNREACHABLE": ("failed", Problem.TEMPORARY),
    "BLOCKED": ("failed", Problem.UNREACHABLE),
    "CARRIER_BLOCKED": ("failed", Problem.REFUSED),
    "PROTECT_BLOCKED": ("failed", Problem.REFUSED),
    "SPAM": ("failed", Problem.REFUSED),
    "TTL_EXPIRED": ("failed", Problem.UNREACHABLE),
}
"""By the end of ``eventType``. ``UNKNOWN`` says nothing: what was known stays."""

PROBLEMS: Mapping[str, Problem] = {
    "ThrottlingException": Problem.BUSY,
    "TooManyRequestsException": Problem.BUSY,
    "ServiceQuotaExceededException": Problem.RECONNECT,  # the month's spending limit: a person raises it
    "ConflictException": Problem.UNREACHABLE,  # opted out; in the sandbox: not a verified number
    "ValidationException": Problem.REFUSED,
    "ResourceNotFoundException": Problem.RECONNECT,
    "AccessDeniedException": Problem.RECONNECT,
    "UnrecognizedClientException": Problem.RECONNECT,
    "InvalidClientTokenId": Problem.RECONNECT,
    "ExpiredTokenException": Problem.TEMPORARY,
}


def events(request: Request, connection: Connection) -> tuple[PlatformEvent, ...]:
    envelope = read_object(request.body)
    only = connection.accounts[0].id if connection.accounts else ""
    if envelope.get("Type") == END:
        return (_ended(envelope, only),)
    if envelope.get("Type") != NOTIFICATION:
        return (Ignored(account=only, why=f"sns {str(envelope.get('Type'))[:32]}"),)
    text = envelope.get("Message")
    if not isinstance(text, str):
        raise Unparseable("Message: a string expected")
    content = Fields(read_object(text.encode("utf-8", "surrogatepass")))
    try:
        return (_event(content, _instant(envelope.get("Timestamp")), connection),)
    except Wrong as wrong:
        account = content.values.get("destinationNumber")
        ours = account if isinstance(account, str) and account else only
        return (Unreadable(account=ours, fragment=content.values, why=f"Message.{wrong}"),)


def _event(content: Fields, time: int | None, connection: Connection) -> PlatformEvent:
    if "inboundMessageId" in content:
        return _inbound(content, time, connection)
    if "eventType" in content:
        return _receipt(content, time, connection)
    raise content.wrong("inboundMessageId", "a message or an event")


def _inbound(content: Fields, time: int | None, connection: Connection) -> PlatformEvent:
    """A kind that we do not know yet (an RCS agent's location, suggestion, file) is kept as it came."""
    sender = content.required_text("originationNumber")
    if not _ADDRESS.fullmatch(sender):
        raise content.wrong("originationNumber", "an address")
    only = connection.accounts[0].id if len(connection.accounts) == 1 else ""
    text = content.text("messageBody").replace("\x00", "")
    kind, detail = Kind.TEXT, ""
    if not text and set(content) - _KNOWN:
        kind, detail = Kind.UNSUPPORTED, "rcs"
    elif is_stop(text):
        kind, detail = Kind.SERVICE, "blocked"
    elif is_start(text):
        kind, detail = Kind.SERVICE, "unblocked"
    return Inbound(
        account=content.text("destinationNumber") or only,
        customer=Customer(id=sender, address=sender),
        id=content.required_text("inboundMessageId"),
        time=time,
        kind=kind,
        text=text,
        detail=detail,
        automatic=automatic(sender, connection),
        attested=attested(sender, connection),
        quote=content.text("previousPublishedMessageId"),
        fragment=content.values if kind is Kind.UNSUPPORTED else None,
    )


_KNOWN = frozenset(
    [
        *("originationNumber", "destinationNumber", "messageKeyword", "messageBody"),
        *("inboundMessageId", "previousPublishedMessageId"),
    ]
)


def _receipt(content: Fields, time: int | None, connection: Connection) -> PlatformEvent:
    word = content.text("eventType")
    account = content.text("originationPhoneNumber") or (
        connection.accounts[0].id if connection.accounts else ""
    )
    known = _STATUSES.get(word.partition("_")[2])
    if known is None:
        return Ignored(account=account, why=f"event {word[:32]}")
    status, problem = known
    customer = content.text("destinationPhoneNumber")
    context = content.part_or_none("context")
    stamp = content.values.get("eventTimestamp")
    return Receipt(
        account=account,
        id=content.required_text("messageId"),
        customer=Customer(id=customer, address=customer) if customer else None,
        status=status,
        time=stamp if isinstance(stamp, int) and not isinstance(stamp, bool) else time or 0,
        tag=context.text(TAG) if context else "",
        code=word[:32] if problem else "",
        problem=problem or "",
    )


def _ended(envelope: Mapping[str, Any], account: str) -> PlatformEvent:
    return Connected(
        account=account,
        id=str(envelope.get("MessageId", ""))[:64],
        time=_instant(envelope.get("Timestamp")),
        enabled=False,
        detail="unsubscribed",
    )


def _instant(text: Any) -> int | None:
    """ISO 8601 with milliseconds, e.g. ``2026-11-23T19:15:00.123Z``; the same on redelivery."""
    try:
        return round(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


# --- sending ---------------------------------------------------------------------------------------


def send(message: Outbound, connection: Connection, http: Http) -> SendOutcome:
    if message.attachment is not None:
        return NotSent(problem=Problem.MEDIA, code="aws_text_only")
    if not _NUMBER.fullmatch(message.to):
        return NotSent(problem=Problem.REFUSED, code="address")
    arguments: dict[str, Any] = {
        "DestinationPhoneNumber": message.to,
        "OriginationIdentity": message.account,
        "MessageBody": message.text.encode("utf-8", "replace").decode(),
        "MessageType": "TRANSACTIONAL",
    }
    if connection.settings.get("configuration_set"):
        arguments["ConfigurationSetName"] = connection.settings["configuration_set"]
    if message.tag:
        arguments["Context"] = {TAG: message.tag}
    try:
        answer = http.aws(SERVICE, "SendTextMessage", arguments)
    except AwsRefused as refused:
        return _not_sent(refused)
    except NotConnected:
        return NotSent(problem=Problem.TEMPORARY, code="not_connected")
    except NoAnswer:
        return Unknown(code="no_answer")
    sent = answer.get("MessageId")
    if not isinstance(sent, str) or not sent:
        return Unknown(code="no_message_id")
    return Sent(id=sent, units=segments(message.text))


def _not_sent(refused: AwsRefused) -> SendOutcome:
    if refused.code not in PROBLEMS and refused.status >= 500:
        return Unknown(code=refused.code)
    return NotSent(problem=PROBLEMS.get(refused.code, Problem.REFUSED), code=refused.code)
