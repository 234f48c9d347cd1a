"""What a LINE message says, by its type."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from sportello.channels.fields import Fields, Wrong
from sportello.domain.events import Kind, Media, Place

FileKind = Literal["image", "video", "audio"]
KEYWORDS = 3
LARGEST_TIME = 10**10
"""Milliseconds: nobody sends more than a hundred days of film."""


class Content(NamedTuple):
    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    detail: str = ""


def content_of(message: Fields) -> Content:
    """Raises ``Wrong`` where a field is not what LINE says; an unknown type is unsupported."""
    name = message.required_text("type")
    read = READERS.get(name)
    return read(message) if read else Content(Kind.UNSUPPORTED, detail=name[:64])


def _text(message: Fields) -> Content:
    return Content(Kind.TEXT, text=message.text("text"))


def _file_of(kind: FileKind) -> Callable[[Fields], Content]:
    def read(message: Fields) -> Content:
        duration = message.whole_or_none("duration")
        provider = message.part_or_none("contentProvider")
        elsewhere = provider.text("originalContentUrl") if provider else ""
        media = Media(
            kind=kind,
            id=message.required_text("id"),
            seconds=_seconds(message, duration),
            url=elsewhere,
            keep=not elsewhere,  # LINE does not have it, and where it is anybody may have written
        )
        return Content(Kind.MEDIA, media=(media,))

    return read


def _seconds(message: Fields, milliseconds: int | None) -> int | None:
    if milliseconds is None:
        return None
    if not 0 <= milliseconds <= LARGEST_TIME:
        raise message.wrong("duration", "a time in milliseconds")
    return round(milliseconds / 1000)


def _document(message: Fields) -> Content:
    media = Media(
        kind="document",
        id=message.required_text("id"),
        name=message.text("fileName"),
        size=message.whole_or_none("fileSize"),
    )
    return Content(Kind.MEDIA, media=(media,))


def _place(message: Fields) -> Content:
    place = Place(
        latitude=message.real("latitude"),
        longitude=message.real("longitude"),
        name=message.text("title"),
        address=message.text("address"),
    )
    return Content(Kind.LOCATION, place=place)


def _sticker(message: Fields) -> Content:
    """LINE gives no picture of it, but words for what it shows, the closest first."""
    keywords = message.values.get("keywords") or ()
    if not isinstance(keywords, list | tuple) or not all(isinstance(word, str) for word in keywords):
        raise Wrong("message.keywords: a list of strings expected")
    media = Media(
        kind="sticker",
        id=f"{message.required_text('packageId')}/{message.required_text('stickerId')}",
        name=", ".join(keywords[:KEYWORDS]),
        keep=False,
    )
    return Content(Kind.MEDIA, text=message.text("text"), media=(media,))


READERS: Mapping[str, Callable[[Fields], Content]] = {
    "text": _text,
    "image": _file_of("image"),
    "video": _file_of("video"),
    "audio": _file_of("audio"),
    "file": _document,
    "location": _place,
    "sticker": _sticker,
}
