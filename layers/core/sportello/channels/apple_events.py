"""From a body of Apple Messages for Business to an event: one message, or a sign, per request.

``{"v": 1, "id", "type", "sourceId", "destinationId", "body", "locale", "attachments", "interactiveData"}``
https://register.apple.com/resources/messages/msp-rest-api/
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from sportello.channels.base import Connection
from sportello.channels.fields import Fields
from sportello.domain.events import Customer, Ignored, Inbound, Kind, Media, PlatformEvent

PLACE = "\ufffc"
"""Where in the words a file stands."""
BUTTONS = ("quick-reply", "listPicker", "event", "timePicker", "dynamic")
SECRET_PARTS = ("authenticate", "payment")
"""Answers that carry tokens of the customer: that they came is shown, what they hold is not kept."""
_ADDRESS_MOST = 400
_ID_MOST = 128
"""Apple's have 36 characters; cut short, two could be taken for one."""
_REACTIONS = {
    "Loved": "❤️",
    "Liked": "👍",
    "Disliked": "👎",
    "Laughed at": "😂",
    "Emphasized": "‼️",
    "Questioned": "❓",
}
_REACTION = re.compile(
    rf"({'|'.join(_REACTIONS)}|Reacted (\S{{1,16}}) to) "
    "(?:“.*”|an? (?:image|movie|attachment|audio message|location))",
    re.DOTALL,
)
"""A tapback comes as words, in the language of the phone; those of other languages stay text."""

MediaKind = Literal["image", "video", "audio", "document"]


def event_of(body: Fields, headers: Mapping[str, str], connection: Connection) -> PlatformEvent:
    """Raises ``Wrong`` where a field that is needed is missing or of another type."""
    account = account_of(body, headers, connection)
    kind = body.required_text("type")
    if kind in ("typing_start", "typing_end"):
        return Ignored(account=account, why=kind)
    id = body.required_text("id")
    if len(id) > _ID_MOST:
        raise body.wrong("id", "an id")
    source = body.text("sourceId") or headers.get("source-id", "")
    if not source or len(source) > _ADDRESS_MOST:
        raise body.wrong("sourceId", "an id")
    return Inbound(
        account=account,
        customer=Customer(id=source, address=source, language=_language(body, headers)),
        id=id,
        time=None,
        quote=body.text("replyToMessageId")[:128],
        context=_context(body, headers),
        **_content(kind, body),
    )


def account_of(body: Fields, headers: Mapping[str, str], connection: Connection) -> str:
    """The business id; a conversation that is closed names it in the headers only."""
    first = connection.accounts[0].id if connection.accounts else ""
    return body.text("destinationId") or headers.get("destination-id", "") or first


def _content(kind: str, body: Fields) -> dict[str, Any]:
    if kind == "close":
        return {"kind": Kind.SERVICE, "detail": "blocked"}
    if kind == "text":
        return _text(body)
    if kind == "interactive":
        return _interactive(body)
    return _unsupported(kind, body.values)


def _unsupported(detail: str, fragment: dict[str, Any] | None, text: str = "") -> dict[str, Any]:
    return {"kind": Kind.UNSUPPORTED, "detail": detail[:64], "text": text, "fragment": fragment}


def _text(body: Fields) -> dict[str, Any]:
    text, media = body.text("body").replace(PLACE, "").strip(), _media(body)
    if not media and (reaction := _REACTION.fullmatch(text)):
        return {"kind": Kind.REACTION, "text": reaction[2] or _REACTIONS[reaction[1]]}
    return {"kind": Kind.MEDIA if media else Kind.TEXT, "text": text, "media": media}


# --- answers to what we offered ----------------------------------------------------------------------


def _interactive(body: Fields) -> dict[str, Any]:
    if "interactiveDataRef" in body:
        return _unsupported("interactiveDataRef", body.values)
    interactive = body.part("interactiveData")
    data = interactive.part_or_none("data") or Fields({}, "")
    if any(name in data for name in SECRET_PARTS):
        return _unsupported(next(name for name in SECRET_PARTS if name in data), None)
    found = next((name for name in BUTTONS if name in data), "")
    if not found:
        return _unsupported("interactive", body.values, _reply_title(interactive, data))
    ids, titles = _chosen(found, data.part(found))
    text = titles if found == "dynamic" else _reply_title(interactive, data) or titles
    payload = ids or data.text("requestIdentifier")
    return {"kind": Kind.BUTTON, "text": text, "payload": payload, "detail": found}


def _chosen(name: str, part: Fields) -> tuple[str, str]:
    """Ids and words of what was chosen, each list in one text."""
    if name == "quick-reply":
        return _tapped(part)
    if name == "dynamic":
        return "", "\n".join(_answers(part))
    if name == "listPicker":
        items = [item for section in _selected(part) for item in section.parts("items")]
        return _joined(items, "identifier"), _joined(items, "title")
    event = part.part_or_none("event") or part
    slots = event.parts("timeslots")
    return _joined(slots, "identifier"), _joined(slots, "startTime")


def _tapped(part: Fields) -> tuple[str, str]:
    items, chosen = part.parts("items"), part.text("selectedIdentifier")
    index = part.whole_or_none("selectedIndex")
    if not chosen and index is not None and 0 <= index < len(items):
        chosen = items[index].text("identifier")
    title = next((item.text("title") for item in items if item.text("identifier") == chosen), "")
    return chosen, title


def _selected(picker: Fields) -> list[Fields]:
    """Apple adds a section with what was chosen; where it is alone, it has another name."""
    sections = picker.parts("sections")
    named = [section for section in sections if section.text("title") == "You Selected"]
    return named or sections


def _answers(form: Fields) -> Iterator[str]:
    for page in form.parts("selections"):
        values = [item.text("value") or item.text("title") for item in page.parts("items")]
        yield f"{page.text('title')}: {', '.join(values)}"


def _joined(items: list[Fields], name: str) -> str:
    return ", ".join(filter(None, (item.text(name) for item in items)))


def _reply_title(interactive: Fields, data: Fields) -> str:
    reply = data.part_or_none("replyMessage") or interactive.part_or_none("replyMessage")
    return " – ".join(filter(None, (reply.text("title"), reply.text("subtitle")))) if reply else ""


# --- files and surroundings --------------------------------------------------------------------------


def _media(body: Fields) -> tuple[Media, ...]:
    return tuple(_file(attachment) for attachment in body.parts("attachments"))


def _file(attachment: Fields) -> Media:
    mime, size = attachment.text("mimeType"), str(attachment.values.get("size", ""))
    return Media(
        kind=_kind_of(mime),
        id=" ".join((attachment.text("owner"), _signature(attachment), attachment.text("key"))),
        mime=mime,
        size=int(size) if re.fullmatch("[0-9]{1,12}", size) else None,
        name=attachment.text("name"),
        url=attachment.text("url"),
    )


def _signature(attachment: Fields) -> str:
    """Base64; elder servers give hexadecimal digits."""
    if given := attachment.text("signature-base64"):
        return given
    try:
        return base64.b64encode(bytes.fromhex(attachment.text("signature"))).decode("ascii")
    except ValueError:
        raise attachment.wrong("signature", "hexadecimal digits") from None


def _kind_of(mime: str) -> MediaKind:
    kinds: dict[str, MediaKind] = {"image": "image", "video": "video", "audio": "audio"}
    return kinds.get(mime.partition("/")[0], "document")


def _language(body: Fields, headers: Mapping[str, str]) -> str:
    language = re.match("[A-Za-z]{2,3}", body.text("locale") or headers.get("locale", ""))
    return language[0].lower() if language else ""


def _context(body: Fields, headers: Mapping[str, str]) -> dict[str, str]:
    """What the phone can show, and from which link the customer came."""
    known = {
        "capabilities": headers.get("capability-list", ""),
        "intent": body.text("intent"),
        "group": body.text("group"),
    }
    return {name: value[:200] for name, value in known.items() if value}
