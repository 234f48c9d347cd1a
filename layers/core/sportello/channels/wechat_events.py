"""What WeChat posts about its users: messages, and events such as following or a tap on the menu.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
Every value is text. Messages have a ``MsgId``, events have none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from sportello.channels.fields import Fields, Wrong
from sportello.domain.events import (
    Connected,
    Customer,
    Ignored,
    Inbound,
    Kind,
    Media,
    Place,
    PlatformEvent,
)
from sportello.domain.model import SECOND, Instant

SCENE = "qrscene_"
"""What the parameter of a QR code begins with when its scan made somebody follow us."""
MILLISECONDS_FROM = 10**11
"""``CreateTime`` is in seconds; some relays write milliseconds, which are always more than this."""
_INTEGER = re.compile(r"[0-9]{1,18}")
_REAL = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,16})?")

_IGNORED = """
    location_select kf_close_session kf_create_session kf_switch_session location masssendjobfinish
    pic_photo_or_album pic_sysphoto pic_weixin scancode_push subscribe_msg_change_event
    subscribe_msg_popup_event subscribe_msg_sent_event templatesendjobfinish view view_miniprogram
"""
IGNORED = frozenset(_IGNORED.split())
"""Events of no consequence: a link of the menu was opened, where somebody is (told over and over), what
became of sends that are not ours, and menu taps whose outcome follows as a message."""
_OF_ACCOUNT = """
    annual_renew naming_verify_fail naming_verify_success qualification_verify_fail
    qualification_verify_success verify_expired
"""
OF_ACCOUNT = frozenset(_OF_ACCOUNT.split())
"""WeChat's verification of the account itself; once expired, it may no longer answer."""


class Content(NamedTuple):
    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    payload: str = ""
    detail: str = ""
    addressed: bool = True


def event_of(message: Fields) -> PlatformEvent:
    """The event of one decrypted body.

    Raises:
        Wrong: a field that every message has is missing or of another type.
    """
    account = message.required_text("ToUserName")
    if message.required_text("MsgType").lower() != "event":
        return _inbound(message, _content(message))
    name = message.required_text("Event").lower()
    if name in IGNORED:
        return Ignored(account=account, why=name)
    if name in OF_ACCOUNT:
        enabled = name != "verify_expired"
        id, time = id_of(message), time_of(message)
        return Connected(account=account, id=id, time=time, enabled=enabled, detail=name)
    return _inbound(message, _EVENTS[name](message) if name in _EVENTS else _unknown(message, name))


def _inbound(message: Fields, content: Content) -> Inbound:
    user = message.required_text("FromUserName")
    return Inbound(
        account=message.required_text("ToUserName"),
        customer=Customer(id=user, address=user),  # WeChat gives out no names since 2021
        id=id_of(message),
        time=time_of(message),
        **content._asdict(),
        fragment=message.values if content.kind is Kind.UNSUPPORTED else None,
    )


def id_of(message: Fields) -> str:
    """``MsgId``; of an event what is the same when it is delivered again."""
    if "MsgId" in message:
        return message.required_text("MsgId")
    names = ("FromUserName", "CreateTime", "Event", "EventKey")
    return ":".join(part for part in map(message.text, names) if part)


def time_of(message: Fields) -> Instant:
    digits = message.text("CreateTime")
    if not _INTEGER.fullmatch(digits):
        raise message.wrong("CreateTime", "digits")
    time = int(digits)
    return time if time >= MILLISECONDS_FROM else time * SECOND


# --- messages ---------------------------------------------------------------------------------------


def _content(message: Fields) -> Content:
    """A kind of tomorrow, or one without what it is made of, is kept as it came."""
    kind = message.text("MsgType").lower()
    try:
        return _MESSAGES[kind](message) if kind in _MESSAGES else _unreadable(kind)
    except Wrong:
        return _unreadable(kind)


def _unreadable(kind: str) -> Content:
    return Content(Kind.UNSUPPORTED, detail=kind[:64])


def _text(message: Fields) -> Content:
    chosen = message.text("bizmsgmenuid")
    kind = Kind.BUTTON if chosen else Kind.TEXT
    return Content(kind, text=message.text("Content"), payload=chosen)


def _file(kind: Literal["image", "video"]) -> Callable[[Fields], Content]:
    def read(message: Fields) -> Content:
        media = Media(kind=kind, id=message.required_text("MediaId"))
        return Content(Kind.MEDIA, media=(media,))

    return read


def _voice(message: Fields) -> Content:
    """With what WeChat's speech recognition heard, where the account has it."""
    mime = {"amr": "audio/amr", "speex": "audio/speex"}.get(message.text("Format").lower(), "")
    media = Media(kind="voice", id=message.required_text("MediaId"), mime=mime)
    return Content(Kind.MEDIA, text=message.text("Recognition"), media=(media,))


def _location(message: Fields) -> Content:
    """``Location_X`` is the latitude."""
    place = Place(
        latitude=_real(message, "Location_X"),
        longitude=_real(message, "Location_Y"),
        address=message.text("Label"),
    )
    return Content(Kind.LOCATION, place=place)


def _link(message: Fields) -> Content:
    parts = (message.text("Title"), message.text("Description"), message.required_text("Url"))
    return Content(Kind.TEXT, text="\n".join(dict.fromkeys(part for part in parts if part)), detail="link")


def _real(message: Fields, name: str) -> float:
    if not _REAL.fullmatch(message.text(name)):
        raise message.wrong(name, "a number")
    return float(message.text(name))


_MESSAGES: Mapping[str, Callable[[Fields], Content]] = {
    "text": _text,
    "image": _file("image"),
    "voice": _voice,
    "video": _file("video"),
    "shortvideo": _file("video"),
    "location": _location,
    "link": _link,
}


# --- events -----------------------------------------------------------------------------------------


def _opened(message: Fields) -> Content:
    """Followed us, or scanned our QR code: its parameter says which."""
    return Content(Kind.START, payload=_key(message).removeprefix(SCENE))


def _left(message: Fields) -> Content:
    return Content(Kind.SERVICE, detail="blocked")


def _tap(message: Fields) -> Content:
    """On our menu: WeChat tells the key of the entry, not its words."""
    return Content(Kind.BUTTON, payload=_key(message), detail="menu")


def _scanned(message: Fields) -> Content:
    """A menu entry that scans something and has its user wait for our answer."""
    scan = message.part_or_none("ScanCodeInfo")
    result = scan.text("ScanResult") if scan else ""
    return Content(Kind.BUTTON, text=result, payload=_key(message), detail="scan")


def _unknown(message: Fields, name: str) -> Content:
    """Kept, but it asks us nothing: WeChat has events for cards, shops, devices and whatever comes next."""
    return Content(Kind.UNSUPPORTED, detail=name[:64], addressed=False)


def _key(message: Fields) -> str:
    return message.text("EventKey")


_EVENTS: Mapping[str, Callable[[Fields], Content]] = {
    "subscribe": _opened,
    "scan": _opened,
    "unsubscribe": _left,
    "click": _tap,
    "scancode_waitmsg": _scanned,
}
