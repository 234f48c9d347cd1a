"""SMS and MMS through Twilio: https://www.twilio.com/docs/messaging

Twilio gives no time with a message: its arrival counts. Our tag travels in the query of the status
callback's address and comes back there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from sportello.channels import twilio
from sportello.channels.base import (
    Connection,
    NotSent,
    Outbound,
    Problem,
    SendOutcome,
    Sent,
    Unknown,
    Unparseable,
)
from sportello.channels.http import Http, NoAnswer, NotConnected
from sportello.channels.sms_text import is_start, is_stop, segments
from sportello.domain.events import (
    Customer,
    Ignored,
    Inbound,
    Kind,
    Media,
    PlatformEvent,
    Receipt,
    Unreadable,
)

PROVES = "sender_proves"
"""Setting: ``yes`` takes the sender's number as proof of who writes."""
TAG = "tag"
"""Name of our data in the status callback's address."""
FILES = 10
SERVICE_PREFIX = "MG"
"""A messaging service of several numbers: an account of ours by its SID."""
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_ADDRESS = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_OTHER_APP = re.compile(r"(whatsapp|messenger):")
_RCS = "rcs:"

_Status = Literal["sent", "delivered", "read", "failed"]
_STATUSES: Mapping[str, _Status] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
_INBOUND = ("received", "receiving", "")


def events(fields: Mapping[str, str], connection: Connection) -> tuple[PlatformEvent, ...]:
    """One webhook is one event: a message, or what became of one of ours."""
    sid = message_sid(fields)
    if not sid and "From" not in fields and "MessageStatus" not in fields:
        raise Unparseable("form: no message of Twilio")
    account = account_of(fields, connection, "From" if is_status(fields) else "To")
    if not sid:
        return (Unreadable(account=account, fragment=dict(fields), why="MessageSid: missing"),)
    if is_status(fields):
        return (receipt(fields, account),)
    return (_inbound(fields, sid, account, connection),)


def message_sid(fields: Mapping[str, str]) -> str:
    return fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid") or ""


def is_status(fields: Mapping[str, str]) -> bool:
    return (fields.get("MessageStatus") or fields.get("SmsStatus") or "") not in _INBOUND


def account_of(fields: Mapping[str, str], connection: Connection, ours: str) -> str:
    """Our number, or the messaging service it belongs to, whichever the connection knows."""
    number, service = fields.get(ours, ""), fields.get("MessagingServiceSid", "")
    known = {account.id for account in connection.accounts}
    if number in known or not service:
        return number or _only(connection)
    return service if service in known or not number else number


def _only(connection: Connection) -> str:
    return connection.accounts[0].id if len(connection.accounts) == 1 else ""


# --- what became of one of ours ------------------------------------------------------------------


def receipt(fields: Mapping[str, str], account: str) -> PlatformEvent:
    word = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    status = _STATUSES.get(word)
    if status is None:
        return Ignored(account=account, why=f"status {word[:32]}")
    code = fields.get("ErrorCode", "")
    customer = fields.get("To", "")
    return Receipt(
        account=account,
        id=message_sid(fields),
        customer=Customer(id=_bare(customer), address=customer) if customer else None,
        status=status,
        time=_carrier_time(fields.get("RawDlrDoneDate", "")),
        tag=fields.get(TAG, ""),
        code=(code or word)[:32] if status == "failed" else "",
        problem=_failure(code) if status == "failed" else "",
    )


def _failure(code: str) -> str:
    return twilio.problem_of(int(code) if re.fullmatch("[0-9]{1,6}", code) else 0)


def _carrier_time(done: str) -> int:
    """``YYMMDDhhmm``, the carrier's; 0 where it says nothing."""
    try:
        return int(datetime.strptime(done, "%y%m%d%H%M").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return 0


# --- what customers write --------------------------------------------------------------------------


def _inbound(fields: Mapping[str, str], sid: str, account: str, connection: Connection) -> PlatformEvent:
    sender = fields.get("From", "").strip()
    if not _ADDRESS.fullmatch(sender):
        return Unreadable(account=account, fragment=dict(fields), why="From: no address")
    text = fields.get("Body", "").replace("\x00", "")
    kind, detail, media = _content(fields, text)
    return Inbound(
        account=account,
        customer=Customer(id=_bare(sender), address=sender, name=fields.get("ProfileName", "")),
        id=sid,
        time=None,
        kind=kind,
        text=text,
        media=media,
        detail=detail,
        automatic=automatic(sender, connection),
        attested=attested(sender, connection),
        fragment=dict(fields) if kind is Kind.UNSUPPORTED else None,
    )


def _content(fields: Mapping[str, str], text: str) -> tuple[Kind, str, tuple[Media, ...]]:
    """``HELP`` is a text like any other: the platform answers it, and a person can too."""
    if other := _OTHER_APP.match(fields.get("From", "")):
        return Kind.UNSUPPORTED, other[1], ()
    media = _media(fields)
    if media:
        return Kind.MEDIA, "", media
    wish = fields.get("OptOutType", "").upper()
    if wish == "STOP" or (not wish and is_stop(text)):
        return Kind.SERVICE, "blocked", ()
    if wish == "START" or (not wish and is_start(text)):
        return Kind.SERVICE, "unblocked", ()
    return Kind.TEXT, "", ()


def automatic(sender: str, connection: Connection) -> str:
    """Why a machine must not answer: who writes from such an address is one itself."""
    if sender in {account.id for account in connection.accounts}:
        return "own_address"
    if _SHORT_CODE.fullmatch(sender):
        return "short_code"
    return "" if _NUMBER.fullmatch(_bare(sender)) or ":" in sender else "no_number"


def attested(sender: str, connection: Connection) -> str:
    """A sender's number can be forged: it proves who writes only where the operator says so."""
    number = _bare(sender)
    return number if connection.settings.get(PROVES) == "yes" and _NUMBER.fullmatch(number) else ""


def _media(fields: Mapping[str, str]) -> tuple[Media, ...]:
    found = []
    for number in range(FILES):
        url = fields.get(f"MediaUrl{number}", "")
        if not url:
            break
        mime = fields.get(f"MediaContentType{number}", "")
        found.append(
            Media(kind=kind_of(mime), id=url.rpartition("/")[2][:64] or str(number), mime=mime, url=url)
        )
    return tuple(found)


def kind_of(mime: str) -> Literal["image", "video", "audio", "document"]:
    match mime.partition("/")[0]:
        case "image":
            return "image"
        case "video":
            return "video"
        case "audio":
            return "audio"
    return "document"


def _bare(address: str) -> str:
    """A person is the same by SMS and by RCS."""
    return address.removeprefix(_RCS)


# --- sending ---------------------------------------------------------------------------------------


def send(message: Outbound, connection: Connection, http: Http) -> SendOutcome:
    """``to`` is a number, a short code, or ``rcs:`` and a number."""
    to = _bare(message.to)
    if not _NUMBER.fullmatch(to) and not _SHORT_CODE.fullmatch(to):
        return NotSent(problem=Problem.REFUSED, code="address")
    if not twilio.account_sid(connection):
        return NotSent(problem=Problem.RECONNECT, code="account_sid")
    try:
        answer = twilio.call("POST", "Messages.json", connection, http, _form(message, connection))
    except NotConnected:
        return NotSent(problem=Problem.TEMPORARY, code="not_connected")
    except NoAnswer:
        return Unknown(code="no_answer")
    if answer.status not in (200, 201):
        return twilio.not_sent(answer)
    sid, count = answer.json.get("sid"), answer.json.get("num_segments")
    if not isinstance(sid, str) or not sid:
        return Unknown(code="no_sid")
    counted = int(count) if isinstance(count, str) and re.fullmatch("[1-9][0-9]?", count) else 0
    return Sent(id=sid, units=counted or (1 if message.attachment else segments(message.text)))


def _form(message: Outbound, connection: Connection) -> list[tuple[str, str]]:
    ours = "MessagingServiceSid" if message.account.startswith(SERVICE_PREFIX) else "From"
    form = [("To", message.to), (ours, message.account)]
    if message.text:
        form.append(("Body", message.text))
    if message.attachment is not None:
        form.append(("MediaUrl", message.attachment.url))
    if message.tag and (url := twilio.callback(connection, **{TAG: message.tag})):
        form.append(("StatusCallback", url))
    return form
