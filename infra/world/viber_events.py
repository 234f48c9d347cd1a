"""What Viber posts to us, signed with the bot's token: developers.viber.com/docs/api/rest-bot-api."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from infra.world.model import Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.state import State
from infra.world.viber_bot import HOST_NAME, ViberBot
from sportello.domain.model import Instant

FIRST_TOKEN = 5_900_000_000_000_000_001
FILES = {
    "image": ("picture", "image/jpeg", "jpg"),
    "video": ("video", "video/mp4", "mp4"),
    "document": ("file", "application/pdf", "pdf"),
}


def address_of(person: Person) -> str:
    """Base64 of 16 bytes, as Viber's user ids look."""
    digest = hashlib.sha256(f"viber {person.number}".encode()).digest()
    return base64.b64encode(digest[:16]).decode()


def next_token(state: State) -> int:
    return state.next("viber messages", FIRST_TOKEN)


def webhook_of(state: State, bot: ViberBot, address: str, event: dict[str, Any]) -> Webhook:
    """Signed over the very bytes that are sent."""
    body = json.dumps(event | {"chat_hostname": HOST_NAME}, separators=(",", ":"))
    return Webhook(
        id=f"viber-{state.next('viber webhooks')}",
        channel="viber",
        account=bot.id,
        address=address,
        message_id=str(event["message_token"]),
        url=bot.webhook_url,
        headers={
            "Content-Type": "application/json",
            "X-Viber-Content-Signature": hmac.new(
                bot.token.encode(), body.encode(), hashlib.sha256
            ).hexdigest(),
        },
        body=body,
    )


class Act:
    """One act of one customer towards one bot: what the builders below share."""

    def __init__(self, stand_in: StandIn, say: Say) -> None:
        self.stand_in = stand_in
        self.state = stand_in.state
        self.say = say
        self.bot: ViberBot = self.state.account("viber", say.account)
        self.person = self.state.person(say.sender)
        self.address = address_of(self.person)
        self.time: Instant = say.at if say.at is not None else self.state.now()
        self.token = next_token(self.state)

    def user(self) -> dict[str, Any]:
        known = {"id": self.address, "name": self.person.name, "avatar": "", "country": "IT"}
        return known | {"language": self.say.language, "api_version": 10}

    def show(self, kind: str, text: str) -> None:
        shown = Shown(
            id=str(self.token), direction="in", kind=kind, text=text, time=self.time, account=self.bot.id
        )
        self.state.show("viber", self.address, shown)


def build(stand_in: StandIn, say: Say) -> tuple[Webhook, str]:
    """The event of one act, shown on the phone; and why it will not be delivered, if so."""
    if say.kind not in EVENTS and say.kind not in MESSAGES:
        raise stand_in.unknown_kind(say, [*EVENTS, *MESSAGES])
    act = Act(stand_in, say)
    event = EVENTS[say.kind](act) if say.kind in EVENTS else _message(act)
    webhook = webhook_of(act.state, act.bot, act.address, event)
    return webhook, "" if act.bot.webhook_url else "no webhook is set"


def _event(act: Act, name: str) -> dict[str, Any]:
    return {"event": name, "timestamp": act.time, "message_token": act.token}


def _message(act: Act) -> dict[str, Any]:
    """Writing subscribes; what we had sent along with our last message comes back."""
    talk = act.state.talk("viber", act.bot.id, act.address)
    message = MESSAGES[act.say.kind](act)
    if talk is not None and talk.more.get("tracking"):
        message["tracking_data"] = talk.more["tracking"]
    more = {**(talk.more if talk else {}), "unanswered": "0", "subscribed": "yes"}
    act.state.keep_talk("viber", act.bot.id, act.address, last_in=act.time, blocked=False, more=more)
    return _event(act, "message") | {"sender": act.user(), "message": message, "silent": False}


def _started(act: Act) -> dict[str, Any]:
    """Opened from a link; ``Say.text`` is its parameter."""
    act.show("start", act.say.text)
    talk = act.state.talk("viber", act.bot.id, act.address)
    act.state.keep_talk("viber", act.bot.id, act.address)
    subscribed = talk is not None and talk.more.get("subscribed") == "yes"
    event = {"type": "open", "context": act.say.text, "user": act.user(), "subscribed": subscribed}
    return _event(act, "conversation_started") | event


def _left(act: Act) -> dict[str, Any]:
    act.state.keep_talk("viber", act.bot.id, act.address, blocked=True)
    return _event(act, "unsubscribed") | {"user_id": act.address}


def _back(act: Act) -> dict[str, Any]:
    more = {"subscribed": "yes"}
    act.state.keep_talk("viber", act.bot.id, act.address, blocked=False, more=more)
    return _event(act, "subscribed") | {"user": act.user()}


EVENTS: dict[str, Callable[[Act], dict[str, Any]]] = {"start": _started, "block": _left, "unblock": _back}


def _text(act: Act) -> dict[str, Any]:
    act.show("text", act.say.text)
    return {"type": "text", "text": act.say.text}


def _button(act: Act) -> dict[str, Any]:
    """What the button says is what comes: Viber knows no other id of it."""
    wanted = act.say.button or act.say.text
    _, button = act.state.tapped("viber", act.address, act.bot.id, wanted)
    act.show("button", button.title)
    return {"type": "text", "text": button.id}


def _media(act: Act) -> dict[str, Any]:
    wanted = {"": "image", "photo": "image"}.get(act.say.media, act.say.media)
    if wanted not in FILES:
        raise act.stand_in.unknown_kind(act.say, [f"media {name}" for name in FILES])
    kind, mime, ending = FILES[wanted]
    url = f"https://dl-media.viber.com/5/media/{act.token}.{ending}"
    act.stand_in.serve(url, mime, act.say)
    act.show("media", act.say.text)
    file = {"type": kind, "media": f"{url}?Expires=1", "file_name": f"{act.token}.{ending}", "size": 90}
    return file | ({"text": act.say.text} if act.say.text and kind == "picture" else {})


def _sticker(act: Act) -> dict[str, Any]:
    url = "https://dl-media.viber.com/stickers/46105.png"
    act.stand_in.serve(url, "image/png", act.say)
    act.show("sticker", "")
    return {"type": "sticker", "sticker_id": 46105, "media": url}


def _location(act: Act) -> dict[str, Any]:
    act.show("location", "")
    return {"type": "location", "location": {"lat": 45.4642, "lon": 9.19}}


def _contact(act: Act) -> dict[str, Any]:
    act.show("contact", act.say.text)
    return {
        "type": "contact",
        "contact": {"name": act.say.text or "Somebody", "phone_number": "+12025550123"},
    }


def _unsupported(act: Act) -> dict[str, Any]:
    act.show("unsupported", "")
    return {"type": "rich_media", "rich_media": {"Type": "rich_media", "Buttons": []}}


def _raw(act: Act) -> dict[str, Any]:
    act.show("raw", act.say.text)
    return dict(act.say.raw)


MESSAGES: dict[str, Callable[[Act], dict[str, Any]]] = {
    "text": _text,
    "button": _button,
    "media": _media,
    "sticker": _sticker,
    "location": _location,
    "contact": _contact,
    "unsupported": _unsupported,
    "raw": _raw,
}
