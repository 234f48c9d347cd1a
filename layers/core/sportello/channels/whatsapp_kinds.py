"""What a customer's WhatsApp message says: one reader per ``messages[].type``.

Source: "messages webhook reference" (June 2026). A type without its body, an unknown one, or one
that the platform itself could not deliver (``errors``) is ``unsupported`` and keeps its fragment.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from sportello.channels.graph import Malformed, array, label, needed, number, objects, record, word
from sportello.domain.events import Card, Kind, Media, Place
from sportello.domain.model import Model

Json = Mapping[str, Any]

UNKNOWN_TYPE = 131051
"""The error that says no more than "unsupported": not worth showing."""

_FILES: dict[str, Literal["image", "video", "audio", "document", "sticker"]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "document": "document",
    "sticker": "sticker",
}


class Content(Model):
    """The part of an ``Inbound`` or ``Echo`` that depends on the type."""

    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    payload: str = ""
    quote: str = ""
    detail: str = ""
    keep: bool = False
    """The message's JSON says more than these fields and stays with it."""


def type_of(message: Json) -> str:
    """The message's type; where the platform left it out, the type whose body is there."""
    return word(message, "type") or next((name for name in _READERS if name in message), "untyped")


def content(message: Json, errors: Sequence[Json] = ()) -> Content:
    """Read one message; ``errors`` are those of the value around it.

    Raises:
        Malformed: a field has the wrong type.
    """
    kind = type_of(message)
    if kind == "request_welcome":
        return Content(kind=Kind.START, detail=kind)
    reader = _READERS.get(kind)
    if reader is None or not message.get(kind):
        return _unsupported(kind, message, errors)
    return reader(message)


def written(message: Json) -> str:
    """The words in an edited message: its text or its caption."""
    kind = type_of(message)
    body = record(message, kind)
    return word(body, "body") if kind == "text" else word(body, "caption")


def _unsupported(kind: str, message: Json, errors: Sequence[Json]) -> Content:
    name = label(word(record(message, "unsupported"), "type") or kind)
    codes = [error.get("code") for error in (*objects(message, "errors"), *errors)]
    known = [str(code) for code in codes if isinstance(code, int) and code != UNKNOWN_TYPE]
    return Content(kind=Kind.UNSUPPORTED, detail=" ".join([name, *known[:1]]), keep=True)


def _plain(message: Json) -> Content:
    return Content(kind=Kind.TEXT, text=word(record(message, "text"), "body"))


def _file(message: Json) -> Content:
    name = type_of(message)
    body = record(message, name)
    if not word(body, "id"):
        return _unsupported(name, message, ())
    media = Media(
        kind="voice" if body.get("voice") is True else _FILES[name],
        id=word(body, "id"),
        mime=word(body, "mime_type"),
        name=word(body, "filename"),
        sha256=_hexadecimal(word(body, "sha256")),
    )
    return Content(kind=Kind.MEDIA, media=(media,), text=word(body, "caption"))


def _hexadecimal(digest: str) -> str:
    """A SHA-256 in base64 (webhooks) or hexadecimal as the latter; empty where it is neither."""
    try:
        raw = base64.b64decode(digest, validate=True)
    except ValueError:
        return ""
    if len(raw) == 32:
        return raw.hex()
    return digest.lower() if re.fullmatch("[0-9a-fA-F]{64}", digest) else ""


def _location(message: Json) -> Content:
    body = record(message, "location")
    place = Place(
        latitude=number(body, "latitude"),
        longitude=number(body, "longitude"),
        name=word(body, "name"),
        address=word(body, "address"),
    )
    return Content(kind=Kind.LOCATION, place=place)


def _contacts(message: Json) -> Content:
    cards = array(message, "contacts")
    if not all(isinstance(card, dict) for card in cards):
        raise Malformed("contacts holds something else than objects")
    attested = word(message, "origin").startswith("contact_request")
    return Content(kind=Kind.CONTACT, cards=tuple(_card(card, attested) for card in cards))


def _card(card: Json, attested: bool) -> Card:
    vcard = word(card, "vcard")
    phones = [word(phone, "phone") or word(phone, "wa_id") for phone in objects(card, "phones")]
    return Card(
        name=word(record(card, "name"), "formatted_name") or next(iter(_of_vcard("FN", vcard)), ""),
        phones=tuple(filter(None, phones)) or _of_vcard("TEL", vcard),
        emails=tuple(filter(None, (word(email, "email") for email in objects(card, "emails")))),
        # Only the answer to our own request for the number is attested; a forwarded card is anyone's.
        own=attested or word(card, "origin").startswith("contact_request"),
    )


def _of_vcard(name: str, vcard: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in re.findall(rf"(?m)^{name}(?:;[^:\n]*)?:(.+)$", vcard))


def _interactive(message: Json) -> Content:
    body = record(message, "interactive")
    kind = word(body, "type")
    reply = record(body, kind)
    if not reply:
        return _unsupported(kind or "interactive", message, ())
    if kind == "button_reply" or kind == "list_reply":
        return Content(kind=Kind.BUTTON, text=word(reply, "title"), payload=word(reply, "id"))
    if kind == "nfm_reply":
        return Content(kind=Kind.BUTTON, text=_form(reply), payload=word(reply, "name"), keep=True)
    if kind == "call_permission_reply":
        return Content(kind=Kind.SERVICE, detail=kind, keep=True)
    return _unsupported(kind, message, ())


def _form(reply: Json) -> str:
    """The answers of a filled-in form, a line each; the platform's own text says only "Sent"."""
    try:
        answers = json.loads(word(reply, "response_json"))
    except (ValueError, RecursionError):
        answers = None
    if not isinstance(answers, dict):
        return word(reply, "body")
    lines = [
        f"{name}: {value}"
        for name, value in answers.items()
        if name != "flow_token" and isinstance(value, str | int | float)
    ]
    return "\n".join(lines).encode("utf-8", "replace").decode() or word(reply, "body")


def _template_button(message: Json) -> Content:
    body = record(message, "button")
    return Content(kind=Kind.BUTTON, text=word(body, "text"), payload=word(body, "payload"))


def _reaction(message: Json) -> Content:
    body = record(message, "reaction")
    return Content(kind=Kind.REACTION, text=word(body, "emoji"), quote=needed(body, "message_id"))


def _order(message: Json) -> Content:
    return Content(kind=Kind.ORDER, text=word(record(message, "order"), "text"), keep=True)


def _system(message: Json) -> Content:
    body = record(message, "system")
    return Content(
        kind=Kind.SERVICE, text=word(body, "body"), detail=label(word(body, "type") or "system"), keep=True
    )


_READERS: dict[str, Callable[[Json], Content]] = {
    "text": _plain,
    **dict.fromkeys(_FILES, _file),
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _template_button,
    "reaction": _reaction,
    "order": _order,
    "system": _system,
}
