"""What Viber posts: one event per webhook. https://developers.viber.com/docs/api/rest-bot-api/

Ids are 64-bit integers and become strings here: other languages round them. A user's id is the same
for ever, for this bot alone, and looks like base64 (``+``, ``/`` and ``=`` inside).
"""

import json
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from sportello.channels.base import Account, Problem
from sportello.channels.fields import Fields, Wrong
from sportello.domain.events import (
    Card,
    Customer,
    Ignored,
    Inbound,
    Kind,
    Media,
    Place,
    PlatformEvent,
    Receipt,
)

BUTTONS = "buttons"
"""In ``tracking_data``, which Viber returns with the customer's next message: id by title."""


class Content(NamedTuple):
    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    payload: str = ""
    detail: str = ""


def event_of(body: Fields, bot: Account) -> PlatformEvent:
    """The event of one webhook.

    Raises:
        Wrong: a field that it needs is missing or of another type; or an unknown event of nobody.
    """
    name = body.required_text("event")
    if name in IGNORED:
        return Ignored(account=bot.id, why=name)
    return _READERS.get(name, _unknown)(body, bot)


IGNORED = frozenset({"webhook", "client_status"})
"""The check of the address during ``set_webhook``, and results of payments that we never ask for."""


def _message(body: Fields, bot: Account) -> Inbound:
    message = body.part("message")
    content = _content(message, token_of(body))
    return Inbound(
        account=bot.id,
        customer=_customer(body.part("sender")),
        id=token_of(body),
        time=body.whole("timestamp"),
        **content._asdict(),
        fragment=message.values if content.kind is Kind.UNSUPPORTED else None,
    )


def _started(body: Fields, bot: Account) -> Inbound:
    """The chat was opened, which is no subscription; ``context`` is what the link carried."""
    event = _service(body, bot, "")
    return event.model_copy(update={"kind": Kind.START, "payload": body.text("context")})


def _subscribed(body: Fields, bot: Account) -> Inbound:
    return _service(body, bot, "subscribed")


def _unsubscribed(body: Fields, bot: Account) -> Inbound:
    return _service(body, bot, "blocked")


def _service(body: Fields, bot: Account, detail: str) -> Inbound:
    return Inbound(
        account=bot.id,
        customer=_anybody(body),
        id=token_of(body),
        time=body.whole("timestamp"),
        kind=Kind.SERVICE,
        detail=detail,
    )


def _receipt(status: Literal["delivered", "read", "failed"]) -> Callable[[Fields, Account], Receipt]:
    """``delivered`` comes once for each device, up to 14 days later. Nothing of ours comes back.

    A message that failed was accepted before, and refused by the customer's app: ``desc`` says why in
    words that may repeat ours, so it is not kept.
    """

    def read(body: Fields, bot: Account) -> Receipt:
        failed = status == "failed"
        return Receipt(
            account=bot.id,
            customer=_anybody(body),
            id=token_of(body),
            status=status,
            time=body.whole("timestamp"),
            code="failed" if failed else "",
            problem=Problem.REFUSED if failed else "",
        )

    return read


def _unknown(body: Fields, bot: Account) -> Inbound:
    """An event of tomorrow: kept with its customer, where it names one."""
    name = body.required_text("event")[:64]
    try:
        event = _service(body, bot, name)
    except Wrong:
        raise Wrong(f"unknown event {name}") from None
    return event.model_copy(update={"kind": Kind.UNSUPPORTED, "fragment": body.values})


_READERS: Mapping[str, Callable[[Fields, Account], PlatformEvent]] = {
    "message": _message,
    "conversation_started": _started,
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
    "delivered": _receipt("delivered"),
    "seen": _receipt("read"),
    "failed": _receipt("failed"),
}


def token_of(body: Fields) -> str:
    """``message_token`` as text; of a receipt it is that of our own message."""
    return str(body.whole("message_token"))


def _anybody(body: Fields) -> Customer:
    """Events name the customer in one of three ways."""
    for name in ("user", "sender"):
        if name in body:
            return _customer(body.part(name))
    user = body.required_text("user_id")
    return Customer(id=user, address=user)


def _customer(user: Fields) -> Customer:
    id = user.required_text("id")
    language = user.text("language").replace("_", "-").split("-")[0].lower()
    return Customer(id=id, address=id, name=user.text("name"), language=language)


# --- what a message holds ---------------------------------------------------------------------------


def _content(message: Fields, token: str) -> Content:
    """A kind of tomorrow, or one without what it is made of, is kept as it came."""
    kind = message.required_text("type")
    try:
        return _CONTENTS[kind](message, token) if kind in _CONTENTS else _unreadable(message, kind)
    except Wrong:
        return _unreadable(message, kind)


def _unreadable(message: Fields, kind: str) -> Content:
    return Content(Kind.UNSUPPORTED, text=_words(message), detail=kind[:64])


def _words(message: Fields) -> str:
    value = message.values.get("text")
    return value if isinstance(value, str) else ""


def _text(message: Fields, token: str) -> Content:
    """A tap on a button comes as its words; which button it was stands in what we had sent along."""
    words = message.text("text")
    button = _sent_along(message).get(words)
    return Content(Kind.BUTTON, text=words, payload=button) if button else Content(Kind.TEXT, text=words)


def _sent_along(message: Fields) -> Mapping[str, str]:
    try:
        tracked = json.loads(message.text("tracking_data"))
        buttons = tracked[BUTTONS]
        return {str(title): str(id) for title, id in buttons.items()}
    except (Wrong, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}  # another program's, or none


def _link(message: Fields, token: str) -> Content:
    return Content(Kind.TEXT, text=message.required_text("media"), detail="url")


def _file(kind: Literal["image", "video", "document"]) -> Callable[[Fields, str], Content]:
    def read(message: Fields, token: str) -> Content:
        # No length: ``duration`` is documented in seconds and was seen in milliseconds.
        media = Media(
            kind=kind,
            id=token,
            url=message.required_text("media"),
            size=message.whole_or_none("size"),
            name=message.text("file_name"),
        )
        return Content(Kind.MEDIA, text=message.text("text"), media=(media,))

    return read


def _sticker(message: Fields, token: str) -> Content:
    number = str(message.whole("sticker_id"))
    return Content(Kind.MEDIA, media=(Media(kind="sticker", id=number, url=message.text("media")),))


def _location(message: Fields, token: str) -> Content:
    spot = message.part("location")
    place = Place(latitude=spot.real("lat"), longitude=spot.real("lon"), address=spot.text("address"))
    return Content(Kind.LOCATION, place=place)


def _contact(message: Fields, token: str) -> Content:
    """Viber does not say whether the number is the sender's own."""
    contact = message.part("contact")
    phone = contact.text("phone_number")
    return Content(Kind.CONTACT, cards=(Card(name=contact.text("name"), phones=(phone,) if phone else ()),))


_CONTENTS: Mapping[str, Callable[[Fields, str], Content]] = {
    "text": _text,
    "url": _link,
    "picture": _file("image"),
    "video": _file("video"),
    "file": _file("document"),
    "sticker": _sticker,
    "location": _location,
    "contact": _contact,
}
