"""What mail servers tell of a mail that we sent: bounces, read receipts, receipts of certified mail.

Each becomes a ``Receipt`` of our message and, for people to read, a service notice in the thread of
whom the message went to. Sources: RFC 3464 (delivery), RFC 8098 (read), RFC 6109 (Italian PEC).
"""

import re
from collections.abc import Iterator
from email.message import Message
from html import unescape
from typing import Literal, NamedTuple

from sportello.channels.base import Problem
from sportello.channels.email_loops import TAG_HEADER
from sportello.channels.email_mime import content, leaves
from sportello.channels.email_wire import Mail, Mailbox, file_name, mailboxes

OUR_ID = re.compile(
    r"<?([0-9a-f]{8,20}-[0-9a-f-]{36}-\d{6})@(?:[a-z0-9-]+\.)?amazonses\.com>?", re.IGNORECASE
)
"""How SES's ``MessageId`` looks in the mail that the customer has."""
CERTIFICATE_BYTES = 65_536

Status = Literal["sent", "delivered", "read", "failed"]


class Told(NamedTuple):
    """Of one recipient."""

    to: Mailbox
    original: str
    """Our message: SES's id, or whatever id the mail had."""
    tag: str = ""
    """Our own header, as it was sent."""
    status: Status | None = None
    """None: nothing that changes anything, e.g. a delay."""
    code: str = ""
    problem: str = ""


class Report(NamedTuple):
    name: str
    """``bounce``, ``read_receipt``, ``pec_accettazione``, …"""
    told: tuple[Told, ...]


def platform_id(message_id: str) -> str:
    """A message id as we know it: without SES's domain where it is one of ours."""
    ours = OUR_ID.fullmatch(message_id)
    return ours[1] if ours else message_id


def report(mail: Mail) -> Report | None:
    """None where the mail is none."""
    if mail.has("x-ricevuta"):
        return _pec(mail)
    kind = str(mail.message.get_param("report-type", "") or "").lower()
    if mail.message.get_content_type() == "multipart/report" and kind == "disposition-notification":
        return _read(mail)
    if mail.message.get_content_type() == "multipart/report" and kind != "feedback-report":
        return _delivery(mail)
    return _loose(mail) if mail.has("x-failed-recipients") else None


# --- RFC 3464 -------------------------------------------------------------------------------------

_ACTIONS: dict[str, Status] = {
    "failed": "failed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}


def _delivery(mail: Mail) -> Report:
    original, tag = _returned(mail)
    told = []
    for block in _blocks(mail, "message/delivery-status", "message/global-delivery-status"):
        recipient = block.one("original-recipient") or block.one("final-recipient")
        boxes = mailboxes(recipient.rpartition(";")[2])
        if not boxes:
            continue
        action = block.word("action")
        status = _ACTIONS.get(action)
        code = block.word("status")[:16] or action
        problem = problem_of(code) if status == "failed" else ""
        told.append(Told(boxes[0], original, tag, status, code, problem))
    return Report("bounce", tuple(told))


def problem_of(status: str) -> Problem:
    """RFC 3463: what an enhanced status code means for us."""
    if re.match(r"[45]\.(?:2\.3|3\.4)", status):
        return Problem.TOO_LONG
    if re.match(r"[45]\.(?:[67]\.|3\.)", status):
        return Problem.REFUSED
    return Problem.UNREACHABLE


def _loose(mail: Mail) -> Report:
    """Servers without reports: who was not reached, and our id wherever it stands in the text."""
    text = "\n".join(content(part).decode("utf-8", "replace")[:20_000] for part in leaves(mail.message))
    returned, tag = _returned(mail)
    ours = OUR_ID.search(text)
    original = returned or (ours[1] if ours else "")
    found = re.search(r"\b([45]\.\d{1,3}\.\d{1,3})\b", text)
    code = found[1] if found else "bounce"
    boxes = mail.mailboxes("x-failed-recipients")
    return Report(
        "bounce", tuple(Told(box, original, tag, "failed", code, problem_of(code)) for box in boxes)
    )


def _returned(mail: Mail) -> tuple[str, str]:
    """Id and tag of the message that comes back, whole or as its headers alone."""
    for part in leaves(mail.message):
        mime = part.get_content_type()
        if mime in ("message/rfc822", "message/global") and part.is_multipart():
            children = part.get_payload()
            inner = (
                Mail(children[0]) if isinstance(children, list) and isinstance(children[0], Message) else None
            )
        elif mime in ("text/rfc822-headers", "message/global-headers"):
            inner = _try_read(content(part))
        else:
            continue
        if inner is not None and (ids := inner.ids("message-id")):
            return platform_id(ids[0]), inner.one(TAG_HEADER)
    ids = [*mail.ids("in-reply-to"), *reversed(mail.ids("references"))]
    return (platform_id(ids[0]) if ids else ""), ""


def _try_read(raw: bytes) -> Mail | None:
    try:
        return Mail.read(raw.lstrip())
    except Exception:  # a returned message of which hardly anything is left
        return None


# --- RFC 8098 -------------------------------------------------------------------------------------


def _read(mail: Mail) -> Report:
    told = []
    for block in _blocks(mail, "message/disposition-notification"):
        boxes = mailboxes(block.one("final-recipient").rpartition(";")[2]) or mail.mailboxes("from")
        ids = block.ids("original-message-id")
        displayed = "displayed" in block.one("disposition").lower()
        if boxes:
            original = platform_id(ids[0]) if ids else ""
            told.append(Told(boxes[0], original, _returned(mail)[1], "read" if displayed else None))
    return Report("read_receipt", tuple(told))


def _blocks(mail: Mail, *types: str) -> Iterator[Mail]:
    """The groups of fields in a report, each read as headers."""
    for part in leaves(mail.message):
        if part.get_content_type() not in types:
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            yield from (Mail(block) for block in payload if isinstance(block, Message))
        else:
            for text in re.split(rb"\r?\n\r?\n", content(part)):
                if block := _try_read(text):
                    yield block


# --- RFC 6109 -------------------------------------------------------------------------------------

_PEC: dict[str, tuple[Status | None, str]] = {
    "accettazione": ("sent", ""),
    "presa-in-carico": (None, ""),
    "avvenuta-consegna": ("delivered", ""),
    "non-accettazione": ("failed", Problem.REFUSED),
    "errore-consegna": ("failed", Problem.UNREACHABLE),
    "preavviso-errore-consegna": (None, ""),
    "rilevazione-virus": ("failed", Problem.REFUSED),
}


class Certificate(NamedTuple):
    """``daticert.xml``: what the provider certifies."""

    kind: str = ""
    error: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    message_id: str = ""
    delivered_to: str = ""


def certificate(mail: Mail) -> Certificate:
    """Empty fields where there is none, or none that can be read."""
    for part in leaves(mail.message):
        if file_name(part).lower() == "daticert.xml":
            return _certificate(content(part)[:CERTIFICATE_BYTES].decode("utf-8", "replace"))
    return Certificate()


def _certificate(xml: str) -> Certificate:
    """By its few flat elements: the file comes from anybody, and needs no parser that follows references."""

    def every(name: str) -> tuple[str, ...]:
        found = re.findall(rf"<{name}(?:\s[^<>]*)?>([^<>]*)</{name}>", xml)
        return tuple(unescape(text).strip() for text in found)

    def one(name: str) -> str:
        return next(iter(every(name)), "")

    root = re.search(r"<postacert\s([^<>]*)>", xml)
    attributes = dict(re.findall(r"([a-z]+)\s*=\s*[\"']([^\"']*)[\"']", root[1])) if root else {}
    return Certificate(
        kind=attributes.get("tipo", ""),
        error=attributes.get("errore", ""),
        sender=one("mittente"),
        recipients=every("destinatari"),
        message_id=one("msgid").strip("<>"),
        delivered_to=one("consegna") or one("ricezione"),
    )


def _pec(mail: Mail) -> Report:
    kind = mail.word("x-ricevuta")
    certified = certificate(mail)
    status, problem = _PEC.get(kind, (None, ""))
    ids = [*mail.ids("x-riferimento-message-id"), certified.message_id]
    original = platform_id(next(iter(filter(None, ids)), ""))
    targets = [certified.delivered_to] if certified.delivered_to else list(certified.recipients)
    boxes = [box for target in targets for box in mailboxes(target)]
    code = certified.error if status == "failed" else ""
    name = f"pec_{kind}" if kind in _PEC else "pec_receipt"
    return Report(name, tuple(Told(box, original, "", status, code or "", problem) for box in boxes))
