"""What a visitor's browser or app sends, as events. The protocol is ours: docs/webchat/openapi.yaml.

A field that is wrong is the client's mistake and is told to it (``Unparseable`` becomes 422); the
text says which field, never what it holds.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeGuard

from sportello.channels import webchat_tokens as tokens
from sportello.channels.base import Unparseable
from sportello.channels.body import read_object
from sportello.channels.webchat_tokens import Visitor
from sportello.domain.events import Card, Customer, Inbound, Kind, Media

TEXT_MOST = 4_000
"""Characters of a message, both ways."""
FILES_MOST = 5
FILE_MOST = 10 * 1024 * 1024
NAME_MOST = 100
FILE_TYPES: Mapping[str, Literal["image", "video", "audio", "document"]] = {
    "image/jpeg": "image", "image/png": "image", "image/gif": "image", "image/webp": "image",
    "video/mp4": "video", "video/webm": "video", "video/quicktime": "video",
    "audio/mpeg": "audio", "audio/mp4": "audio", "audio/ogg": "audio", "audio/webm": "audio",
    "application/pdf": "document", "text/plain": "document", "text/csv": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "document",
}  # fmt: skip
"""What may be uploaded. None of them is run by a browser, and all are served as a download."""

FILE_PURPOSE = "f1"
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_BUTTON_ID = re.compile(r"[!-~]{1,200}")
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028-\u202e\u2066-\u2069]")
"""Controls, and the marks that turn a file's name around."""


class File(NamedTuple):
    """A file in the bucket, as its ticket says it; only whom it was given to can use the ticket."""

    thread: str
    """In whose conversation it stands."""
    key: str
    name: str
    type: str
    size: int


class Upload(NamedTuple):
    """A file that is about to be uploaded for a message."""

    message: str
    number: int
    name: str
    type: str
    size: int


def ticket(file: File, visitor: Visitor, secret: str) -> str:
    claims = {
        "in": file.thread,
        "key": file.key,
        "name": file.name,
        "type": file.type,
        "size": file.size,
        "for": visitor.id,
    }
    return tokens.seal(secret, FILE_PURPOSE, claims)


def read_ticket(text: str, visitor: Visitor, secrets: Sequence[str]) -> File | None:
    claims = tokens.unseal(secrets, FILE_PURPOSE, text)
    if claims is None or claims["for"] not in (visitor.id, *visitor.earlier):
        return None
    return File(claims["in"], claims["key"], claims["name"], claims["type"], claims["size"])


def message_event(body: bytes, visitor: Visitor, account: str, secrets: Sequence[str]) -> Inbound:
    """``{"client_message_id", "text"?, "files"?: [ticket], "button"?: {"id", "title"}}``"""
    fields = read_object(body)
    _only(fields, {"client_message_id", "text", "files", "button"})
    text, media = _text(fields, "text", TEXT_MOST), _media(fields, visitor, secrets)
    button = fields.get("button")
    common: dict[str, Any] = {
        "account": account,
        "customer": customer_of(visitor),
        "id": message_id(fields),
        "time": None,  # a visitor's clock is anybody's guess
        "attested": visitor.email if visitor.identified else "",
    }
    if button is not None:
        payload, title = _button(button)
        return Inbound(**common, kind=Kind.BUTTON, payload=payload, text=title)
    if not text.strip() and not media:
        raise Unparseable("text: empty, and no file")
    return Inbound(**common, kind=Kind.MEDIA if media else Kind.TEXT, text=text, media=media)


def contact_event(body: bytes, visitor: Visitor, account: str) -> Inbound:
    """``{"email"?, "name"?}``: what a visitor says of themselves. It is told to people, and owes nothing."""
    name, email = read_contact(body)
    digest = hashlib.sha256(f"{email}\n{name}".encode("utf-8", "replace")).hexdigest()[:32]
    return Inbound(
        account=account,
        customer=customer_of(visitor),
        id=f"contact-{digest}",
        time=None,
        kind=Kind.SERVICE,
        detail="contact",
        cards=(Card(name=name, emails=(email,) if email else ()),),
    )


def read_contact(body: bytes) -> tuple[str, str]:
    """Name and e-mail address; at least one of them."""
    fields = read_object(body)
    _only(fields, {"email", "name"})
    name, email = _line(fields, "name"), _line(fields, "email")
    if email and not tokens.is_email(email):
        raise Unparseable("email: no address")
    if not name and not email:
        raise Unparseable("email: missing")
    return name, email


def read_upload(body: bytes) -> Upload:
    """``{"client_message_id", "number", "name", "type", "size"}``"""
    fields = read_object(body)
    _only(fields, {"client_message_id", "number", "name", "type", "size"})
    number, size, type_ = fields.get("number"), fields.get("size"), fields.get("type")
    if not _is_int(number) or not 0 <= number < FILES_MOST:
        raise Unparseable("number: 0 to 4")
    if not isinstance(type_, str) or type_ not in FILE_TYPES:
        raise Unparseable("type: not taken")
    if not _is_int(size) or not 1 <= size <= FILE_MOST:
        raise Unparseable("size: 1 byte to 10 MB")
    name = _line(fields, "name").replace("/", "_").replace("\\", "_")
    return Upload(message_id(fields), number, name or "file", type_, size)


def message_id(fields: Mapping[str, Any]) -> str:
    value = fields.get("client_message_id")
    if not isinstance(value, str) or not _MESSAGE_ID.fullmatch(value):
        raise Unparseable("client_message_id: 16 to 64 of A-Z a-z 0-9 _ -")
    return value


def customer_of(visitor: Visitor) -> Customer:
    return Customer(id=visitor.id, address=visitor.id, name=visitor.name, language=visitor.language)


def _media(fields: Mapping[str, Any], visitor: Visitor, secrets: Sequence[str]) -> tuple[Media, ...]:
    given = fields.get("files", [])
    if not isinstance(given, list) or len(given) > FILES_MOST:
        raise Unparseable("files: a list of up to 5")
    media = []
    for text in given:
        file = read_ticket(text, visitor, secrets) if isinstance(text, str) else None
        if file is None:
            raise Unparseable("files: not a file of this visitor")
        kind = FILE_TYPES.get(file.type, "document")
        media.append(
            Media(kind=kind, id=file.key, mime=file.type, size=file.size, name=file.name, at=file.key)
        )
    return tuple(media)


def _button(value: object) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise Unparseable("button: an object")
    payload = value.get("id")
    if not isinstance(payload, str) or not _BUTTON_ID.fullmatch(payload):
        raise Unparseable("button.id: 1 to 200 characters")
    return payload, _text(value, "title", 200)


def _only(fields: Mapping[str, Any], known: set[str]) -> None:
    if fields.keys() - known:
        raise Unparseable(f"unknown field; known: {', '.join(sorted(known))}")


def _text(fields: Mapping[str, Any], name: str, most: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise Unparseable(f"{name}: not a text")
    if len(value) > most:
        raise Unparseable(f"{name}: over {most} characters")
    return _UNWANTED.sub("", value)


def _line(fields: Mapping[str, Any], name: str) -> str:
    return " ".join(_text(fields, name, NAME_MOST).split())


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
