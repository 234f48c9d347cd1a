"""What SES tells of a mail that we sent: its event publishing, bare or in the envelope of what carries it.

Source: docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html. The key is
``eventType`` (configuration set) or ``notificationType`` (identity); ``mail.tags`` returns our row.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sportello.channels.base import Problem
from sportello.channels.email_reports import problem_of
from sportello.channels.email_wire import Mailbox, mailboxes
from sportello.domain.events import Customer, Ignored, Inbound, Kind, PlatformEvent, Receipt, Unreadable
from sportello.domain.model import Instant, to_instant

TAG = "sportello"
"""Name of the message tag that carries our row."""


def encoded(tag: str) -> str:
    """A row's address as SES allows tags: letters, digits, ``_`` and ``-``."""
    return base64.urlsafe_b64encode(tag.encode("utf-8")).decode("ascii").rstrip("=")


def tag_of(value: str) -> str:
    """The row's address again; empty where it is none of ours."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value):
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


class Wrong(Exception):
    """The event lacks what the documentation promises; the text names the field."""


def opened(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event itself, out of EventBridge's ``detail`` or SNS's ``Message``."""
    detail, message = body.get("detail"), body.get("Message")
    if isinstance(detail, dict):
        return detail
    if isinstance(message, str) and body.get("Type") == "Notification":
        try:
            inner = json.loads(message)
        except (ValueError, RecursionError):
            return {}
        return inner if isinstance(inner, dict) else {}
    return body


def kind_of(event: Mapping[str, Any]) -> str:
    """``Bounce``, ``Delivery``, ``Received``, …; empty where it is no event of SES."""
    kind = event.get("eventType") or event.get("notificationType")
    return kind if isinstance(kind, str) and re.fullmatch(r"[A-Za-z ]{1,40}", kind) else ""


def events_of(event: Mapping[str, Any], kind: str, fallback_account: str) -> Sequence[PlatformEvent]:
    account = fallback_account
    try:
        sent = _record(event, "mail")
        boxes = mailboxes(_word(sent, "source"))
        account = boxes[0].key if boxes else fallback_account
        return tuple(_events(event, kind, sent, account))
    except Wrong as wrong:
        return (Unreadable(account=account, fragment=dict(event), why=f"{kind}: {wrong}"),)


def _events(
    event: Mapping[str, Any], kind: str, sent: Mapping[str, Any], account: str
) -> Iterator[PlatformEvent]:
    match kind:
        case "Send":
            yield from _receipts(sent, account, _time(sent), "sent")
        case "Delivery":
            told = _record(event, "delivery")
            yield from _receipts(sent, account, _time(told), "delivered", told.get("recipients"))
        case "Bounce":
            yield from _bounced(sent, account, _record(event, "bounce"))
        case "Reject":
            yield from _failed(sent, account, _time(sent), "reject", Problem.REFUSED)
        case "Rendering Failure":
            yield from _failed(sent, account, _time(sent), "rendering_failure", Problem.REFUSED)
        case "Complaint":
            yield from _complained(sent, account, _record(event, "complaint"))
        case _:
            yield Ignored(account=account, why=kind.lower().replace(" ", "_"))


def _bounced(sent: Mapping[str, Any], account: str, bounce: Mapping[str, Any]) -> Iterator[PlatformEvent]:
    """Permanent and undetermined ones are failures; a transient one only with the server's status."""
    kind, subtype = _word(bounce, "bounceType"), _word(bounce, "bounceSubType")
    time = _time(bounce)
    recipients = _records(bounce, "bouncedRecipients") or [{}]
    for recipient in recipients:
        status = _word(recipient, "status")
        if kind == "Transient" and not re.match(r"[45]\.\d", status) and subtype in ("General", ""):
            yield Ignored(account=account, why="bounce_without_status")  # an absence notice, says SES
            continue
        code = status[:16] or f"{kind}_{subtype}"[:32]
        problem = _SUBTYPES.get(subtype) or problem_of(status)
        yield from _failed(sent, account, time, code, problem, [_word(recipient, "emailAddress")])


_SUBTYPES = {
    "MessageTooLarge": Problem.TOO_LONG,
    "ContentRejected": Problem.REFUSED,
    "AttachmentRejected": Problem.MEDIA,
    "MailboxFull": Problem.UNREACHABLE,
    "NoEmail": Problem.UNREACHABLE,
    "Suppressed": Problem.UNREACHABLE,
    "OnAccountSuppressionList": Problem.UNREACHABLE,
}


def _complained(
    sent: Mapping[str, Any], account: str, complaint: Mapping[str, Any]
) -> Iterator[PlatformEvent]:
    """The customer called our mail spam: nothing more is sent there until they write again."""
    kind, time = _word(complaint, "complaintFeedbackType"), _time(complaint)
    if kind == "not-spam":
        yield Ignored(account=account, why="complaint_taken_back")
        return
    if _word(complaint, "complaintSubType") == "OnAccountSuppressionList":
        yield from _failed(sent, account, time, "suppressed", Problem.UNREACHABLE)
        return
    id = _word(complaint, "feedbackId") or _word(sent, "messageId")
    named = [_word(recipient, "emailAddress") for recipient in _records(complaint, "complainedRecipients")]
    boxes = [box for address in named for box in mailboxes(address)]
    if not boxes:
        raise Wrong("complainedRecipients is empty")
    for box in boxes:
        yield Inbound(
            account=account,
            customer=customer_at(box),
            id=f"complaint:{id}",
            time=time,
            kind=Kind.SERVICE,
            detail="blocked",
        )


def _receipts(
    sent: Mapping[str, Any],
    account: str,
    time: Instant,
    status: Any,
    recipients: Any = None,
    code: str = "",
    problem: str = "",
) -> Iterator[Receipt]:
    """One for the message: it has one recipient, the customer."""
    id = _word(sent, "messageId")
    if not id:
        raise Wrong("mail.messageId is missing")
    named = recipients if isinstance(recipients, list) and recipients else sent.get("destination")
    addresses = [address for address in named if isinstance(address, str)] if isinstance(named, list) else []
    boxes = [box for address in addresses[:1] for box in mailboxes(address)]
    yield Receipt(
        account=account,
        id=id,
        customer=customer_at(boxes[0]) if boxes else None,
        status=status,
        time=time,
        tag=_tag(sent),
        code=code,
        problem=problem,
    )


def _failed(
    sent: Mapping[str, Any], account: str, time: Instant, code: str, problem: Problem, recipients: Any = None
) -> Iterator[Receipt]:
    return _receipts(sent, account, time, "failed", recipients, code, problem)


def _tag(sent: Mapping[str, Any]) -> str:
    tags = sent.get("tags")
    values = tags.get(TAG) if isinstance(tags, dict) else None
    value = values[0] if isinstance(values, list) and values else values
    return tag_of(value) if isinstance(value, str) else ""


def customer_at(box: Mailbox) -> Customer:
    return Customer(id=box.key, address=box.address, name=box.name[:100])


# --- the event's JSON -------------------------------------------------------------------------------


def _record(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise Wrong(f"{key} is not an object")
    return value


def _records(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = parent.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _word(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def _time(parent: Mapping[str, Any]) -> Instant:
    """``2026-11-23T19:15:00.000Z``; 0 where it is none: no receipt is refused for that."""
    try:
        return to_instant(datetime.fromisoformat(_word(parent, "timestamp")))
    except (ValueError, OverflowError):
        return 0
