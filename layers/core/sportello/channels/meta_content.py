"""What a message on Messenger or Instagram says: text, quick reply, attachments.

Source: "Message" and "Sticker" pages of the Messenger Platform, "messages" of the Instagram Platform
(August 2026). An attachment that is unknown, or comes without its file (seen once, withheld), leaves
the message readable where there is something else in it; else it is ``unsupported``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from sportello.channels.graph import Malformed, array, label, number, objects, record, word
from sportello.domain.events import Kind, Media, Place
from sportello.domain.model import Model

Json = Mapping[str, Any]

MEDIA_HOSTS = (".fbcdn.net", ".fbsbx.com", ".cdninstagram.com", "lookaside.instagram.com")
"""Where Meta keeps customers' files."""

_FILES: dict[str, Literal["image", "video", "audio", "document", "sticker"]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "document",
    "sticker": "sticker",
}
_STORIES = frozenset({"story_mention", "story", "ig_story"})
_REELS = frozenset({"reel", "ig_reel"})
_SHARED = frozenset({"share", "post", "ig_post", "media"}) | _REELS
_LINKS = frozenset({"fallback", "template"})


class Content(Model):
    """The part of an ``Inbound`` or ``Echo`` that depends on what was written."""

    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    payload: str = ""
    ref: str = ""
    """Of the link by which the customer came."""
    quote: str = ""
    detail: str = ""
    keep: bool = False
    """The message's JSON says more than these fields and stays with it."""


class Part(Model):
    """One attachment."""

    media: Media | None = None
    place: Place | None = None
    words: str = ""
    detail: str = ""
    keep: bool = False


def content(message: Json) -> Content:
    """Read one ``message`` object.

    Raises:
        Malformed: a field has the wrong type.
    """
    parts = _once([_part(given, f"{word(message, 'mid')}.{n}") for n, given in enumerate(_given(message))])
    reply = record(message, "reply_to")
    story, referral = _story_of(reply), record(message, "referral")
    media = tuple(part.media for part in parts if part.media)
    text = _joined(word(message, "text"), [part.words for part in parts])
    place = next((part.place for part in parts if part.place), None)
    payload = word(record(message, "quick_reply"), "payload")
    kind = _kind(message, payload, media, place, text)
    return Content(
        kind=kind,
        text=text,
        media=(*media, *story),
        place=place,
        payload=payload or word(referral, "ref"),
        ref=word(referral, "ref"),
        quote=word(reply, "mid"),
        detail=_detail(message, kind, parts, bool(story)),
        keep=kind is Kind.UNSUPPORTED or bool(referral) or any(part.keep for part in parts),
    )


def on_metas_hosts(url: str) -> bool:
    """Whether a link leads to a file at Meta, and not to somebody's page."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "https" and any(
        host == known or (known.startswith(".") and host.endswith(known)) for known in MEDIA_HOSTS
    )


def _given(message: Json) -> list[Json]:
    parts = array(message, "attachments")
    if not all(isinstance(part, dict) for part in parts):
        raise Malformed("attachments holds something else than objects")
    sticker = word(message, "sticker_id")
    if sticker and not parts:  # before attachments told it
        return [{"type": "sticker", "payload": {"sticker_id": sticker}}]
    return parts


def _kind(message: Json, payload: str, media: Sequence[Media], place: Place | None, text: str) -> Kind:
    if message.get("is_unsupported") in (True, "true"):
        return Kind.UNSUPPORTED
    if payload:
        return Kind.BUTTON
    if media:
        return Kind.MEDIA
    if place:
        return Kind.LOCATION
    return Kind.TEXT if text else Kind.UNSUPPORTED


def _detail(message: Json, kind: Kind, parts: Sequence[Part], of_story: bool) -> str:
    if of_story:
        return "story_reply"
    if named := next((part.detail for part in parts if part.detail), ""):
        return named
    if kind is Kind.UNSUPPORTED:
        return "is_unsupported" if "is_unsupported" in message else "empty"
    return ""


def _joined(text: str, lines: Sequence[str]) -> str:
    """The text, and what attachments say in words, unless the text says it already."""
    said = [line for words in lines for line in words.split("\n") if line not in text]
    return "\n".join(filter(None, [text, *said]))


def _story_of(reply: Json) -> tuple[Media, ...]:
    """The story that was answered; Instagram forbids to keep a copy of it."""
    story = record(reply, "story")
    if not story:
        return ()
    return (Media(kind="image", id=word(story, "id") or "story", url=word(story, "url"), keep=False),)


def _once(parts: list[Part]) -> list[Part]:
    """Until 30 August 2026 a sticker came a second time as an image."""
    if not any(part.media and part.media.kind == "sticker" for part in parts):
        return parts
    return [part for part in parts if not (part.media and part.media.kind == "image")]


def _part(attachment: Json, id: str) -> Part:
    kind = word(attachment, "type")
    given = attachment.get("payload")
    payload = given if isinstance(given, dict) else {}  # null, a text or nothing, for links
    url = word(payload, "url")
    if kind in _FILES and (url or word(payload, "sticker_id")):
        return _file(kind, payload, id)
    if kind in _STORIES:
        # A picture or a film: nobody is told which, and it is never fetched.
        return Part(media=Media(kind="image", id=id, url=url, keep=False), detail=kind)
    if kind in _SHARED and url:
        return _shared(kind, payload, url, id)
    if kind in _LINKS:
        return _link(kind, attachment, payload)
    if kind == "location":
        return _location(payload)
    return Part(detail=label(kind or "untyped"), keep=True)


def _file(kind: str, payload: Json, id: str) -> Part:
    sticker = word(payload, "sticker_id")
    return Part(
        media=Media(
            kind="sticker" if sticker else _FILES[kind],
            id=sticker or word(payload, "attachment_id") or id,
            url=word(payload, "url"),
        )
    )


def _shared(kind: str, payload: Json, url: str, id: str) -> Part:
    """Somebody's post or reel: its file where the link is one, else the link."""
    title = word(payload, "title")
    if not on_metas_hosts(url):
        return Part(words="\n".join(filter(None, (title, url))), detail=kind)
    media = Media(kind="video" if kind in _REELS else "image", id=id, url=url)
    return Part(media=media, words=title, detail=kind)


def _link(kind: str, attachment: Json, payload: Json) -> Part:
    elements = objects(record(payload, "product"), "elements")
    sources = (attachment, payload, *elements)
    said = [word(part, key) for part in sources for key in ("title", "subtitle", "url")]
    words = "\n".join(dict.fromkeys(filter(None, said)))
    return Part(words=words, detail="" if words else kind, keep=kind == "template" or not words)


def _location(payload: Json) -> Part:
    at = record(payload, "coordinates")
    if not at:
        return Part(detail="location", keep=True)
    return Part(place=Place(latitude=number(at, "lat"), longitude=number(at, "long")))
