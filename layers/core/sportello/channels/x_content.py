"""What a post or direct message of X holds: its words, files and place, in both of X's dialects.

Posts come as version 2 (Activity API: ``author_id``, ``entities.mentions``) or 1.1 (Account Activity
API: ``user``, ``extended_tweet``); direct messages are 1.1 in both.
"""

import re
from datetime import datetime
from typing import Literal, NamedTuple

from sportello.channels.fields import Fields
from sportello.channels.x_text import unescaped
from sportello.domain.events import Kind, Media, Place
from sportello.domain.model import Instant, to_instant

MediaKind = Literal["image", "video", "animation"]
LONGEST_ID = 64
"""A longer one is none of X's; cut short, two could be taken for one."""

_KINDS: dict[str, MediaKind] = {"photo": "image", "video": "video", "animated_gif": "animation"}
_KEY_KINDS: dict[str, MediaKind] = {"3": "image", "16": "animation"}
"""What the number before a media key says; every other one is a video."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OLD_TIME = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{2}) ([0-9:]{8}) ([+-][0-9]{2})([0-9]{2}) ([0-9]{4})", re.ASCII
)
_STATUS = re.compile(r"^https?://(?:www\.)?(?:x|twitter)\.com/[^/]+/status/([0-9]+)$")
_EPOCH = 1_288_834_974_657
"""When X's ids begin: their upper bits are milliseconds since then."""


class Content(NamedTuple):
    kind: Kind = Kind.TEXT
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    payload: str = ""
    detail: str = ""


# --- ids and times -----------------------------------------------------------------------------------


def id_of(fields: Fields, *names: str) -> str:
    """The first of these ids that is there, as a text; ``""`` where none is.

    1.1 has every id twice: the number is rounded in some senders' hands, so ``…_str`` comes first.
    """
    for name in names:
        for given in (fields.values.get(f"{name}_str"), fields.values.get(name)):
            if isinstance(given, str) and 0 < len(given) <= LONGEST_ID:
                return given
            if isinstance(given, int) and not isinstance(given, bool):
                return str(given)
    return ""


def needed_id(fields: Fields, *names: str) -> str:
    found = id_of(fields, *names)
    if not found:
        raise fields.wrong(names[0], "an id")
    return found


def time_of(fields: Fields, *names: str) -> Instant:
    """The first of these times that is there: milliseconds (text or number), ISO 8601, or 1.1's own form."""
    for name in names:
        given = fields.values.get(name)
        if given is not None:
            instant = _instant(str(given))
            if instant is not None:
                return instant
    raise fields.wrong(names[0], "a time")


def time_in_id(id: str) -> Instant | None:
    """When the post or message with this id was made."""
    return (int(id) >> 22) + _EPOCH if re.fullmatch("[0-9]{10,19}", id) else None


def _instant(given: str) -> Instant | None:
    if re.fullmatch("[0-9]{10,14}", given):
        return int(given)
    try:
        instant = to_instant(datetime.fromisoformat(_as_iso(given)))
    except (ValueError, OverflowError):
        return None
    return instant if instant >= 0 else None


def _as_iso(given: str) -> str:
    """``Wed Feb 05 08:39:31 +0000 2020`` as ISO 8601; by hand, since ``strptime`` follows the locale."""
    found = _OLD_TIME.fullmatch(given)
    if found is None or found[1] not in _MONTHS:
        return given
    month = _MONTHS.index(found[1]) + 1
    return f"{found[6]}-{month:02}-{found[2]}T{found[3]}{found[4]}:{found[5]}"


# --- words -------------------------------------------------------------------------------------------


def words(text: str, entities: Fields | None, cut: tuple[str, ...] = ()) -> str:
    """The text as its author wrote it: links in full, without those of its own files and quoted posts.

    ``cut``: addresses, or ids of posts, whose link X put there itself.
    """
    for link in entities.parts("urls") if entities else ():
        short, full = link.text("url"), link.text("expanded_url")
        status = _STATUS.search(full)
        if short and (full in cut or short in cut or (status and status[1] in cut) or _is_media(full)):
            text = _without(text, short)
        elif short and full:
            text = text.replace(short, full)
    for medium in entities.parts("media") if entities else ():
        text = _without(text, medium.text("url"))
    for address in cut:
        if address.startswith("http"):
            text = _without(text, address)
    return unescaped(text).strip()


def _is_media(url: str) -> bool:
    return bool(re.search(r"/status/[0-9]+/(?:photo|video)/[0-9]+$", url)) or "/messages/media/" in url


def _without(text: str, link: str) -> str:
    return text.replace(link, "") if link else text


# --- files -------------------------------------------------------------------------------------------


def media_of(medium: Fields) -> Media:
    """A file as 1.1 and version 2 describe it: the picture, or the largest film."""
    kind = _KINDS.get(medium.text("type"), "image")
    film = medium.part_or_none("video_info") or medium
    variants = [item for item in film.parts("variants") if item.text("content_type") == "video/mp4"]
    best = max(variants, key=_rate, default=None)
    address = best.text("url") if best else medium.text("media_url_https") or medium.text("url")
    return Media(
        kind=kind,
        id=needed_id(medium, "id", "media_key"),
        mime="video/mp4" if best else "",
        seconds=_seconds(film),
        url=address if best or kind == "image" else "",
    )


def media_by_key(post: str, key: str) -> Media:
    """A file of which only the key was told: X is asked for the rest before it is fetched."""
    return Media(kind=_KEY_KINDS.get(key.split("_")[0], "video"), id=f"{post}/{key}")


def _rate(variant: Fields) -> int:
    return variant.whole_or_none("bitrate") or variant.whole_or_none("bit_rate") or 0


def _seconds(film: Fields) -> int | None:
    length = film.whole_or_none("duration_millis") or film.whole_or_none("duration_ms")
    return None if length is None else round(length / 1000)


# --- direct messages ---------------------------------------------------------------------------------


def message_content(data: Fields) -> Content:
    """``message_data`` of a direct message."""
    attachment = data.part_or_none("attachment")
    if attachment is None:
        return _tapped(data) or Content(text=words(data.text("text"), data.part_or_none("entities")))
    if attachment.text("type") == "location":
        return _location(data, attachment.part("location"))
    if "media" not in attachment:
        text = words(data.text("text"), data.part_or_none("entities"))
        return Content(Kind.UNSUPPORTED, text=text, detail=(attachment.text("type") or "attachment")[:64])
    medium = attachment.part("media")
    cut = tuple(filter(None, (medium.text("url"), medium.text("expanded_url"))))
    text = words(data.text("text"), data.part_or_none("entities"), cut)
    return Content(Kind.MEDIA, text=text, media=(media_of(medium),))


def _tapped(data: Fields) -> Content | None:
    tap = data.part_or_none("quick_reply_response")
    if tap is None:
        return None
    return Content(Kind.BUTTON, text=unescaped(data.text("text")), payload=tap.text("metadata"))


def _location(data: Fields, location: Fields) -> Content:
    text = words(data.text("text"), data.part_or_none("entities"))
    if "shared_coordinate" in location:
        point = location.part("shared_coordinate").part("coordinates").values.get("coordinates")
        name = ""
    else:
        place = location.part("shared_place").part("place")
        name, point = place.text("full_name"), _corner(place)
    if not (isinstance(point, list) and len(point) == 2):
        raise location.wrong("coordinates", "two numbers")
    axes = Fields({"longitude": point[0], "latitude": point[1]}, "attachment.location.")
    found = Place(latitude=axes.real("latitude"), longitude=axes.real("longitude"), name=name)
    return Content(Kind.LOCATION, text=text, place=found)


def _corner(place: Fields) -> object:
    """A named place has a box: its first corner."""
    box = place.part("bounding_box").values.get("coordinates")
    ring = box[0] if isinstance(box, list) and box else None
    return ring[0] if isinstance(ring, list) and ring else None
