"""What LINE posts to us, signed with the channel secret: developers.line.biz/en/reference/messaging-api."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

from infra.world.files import customer_file
from infra.world.line_bot import LineBot, group_id, person_id
from infra.world.model import Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.state import Absent, State

FIRST_MESSAGE = 460_000_000_000_000_001
FIRST_EVENT = 1
CONTENT = "https://api-data.line.me/v2/bot/message"
MIMES = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mp4", "document": "application/pdf"}
LINE_TYPES = {"document": "file", "photo": "image", "voice": "audio", "": "image"}


def webhook_of(
    state: State, bot: LineBot, address: str, events: list[dict[str, Any]], message_id: str = ""
) -> Webhook:
    """Signed over the very bytes that are sent."""
    body = json.dumps({"destination": bot.id, "events": events}, separators=(",", ":"))
    digest = hmac.new(bot.secret.encode(), body.encode(), hashlib.sha256).digest()
    return Webhook(
        id=f"line-{state.next('line webhooks')}",
        channel="line",
        account=bot.id,
        address=address,
        message_id=message_id,
        url=bot.webhook_url,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "LineBotWebhook/2.0",
            "x-line-signature": base64.b64encode(digest).decode(),
        },
        body=body,
    )


class Act:
    """One act of one customer towards one account: what the builders below share."""

    def __init__(self, stand_in: StandIn, say: Say) -> None:
        self.state = stand_in.state
        self.stand_in = stand_in
        self.say = say
        self.bot: LineBot = self.state.account("line", say.account)
        self.person = self.state.person(say.sender)
        self.address = group_id(say.group) if say.group else person_id(self.person.number)
        self.time = say.at if say.at is not None else self.state.now()
        self.message_id = str(self.state.next("line messages", FIRST_MESSAGE))

    def event(self, kind: str, content: dict[str, Any], *, answerable: bool = True) -> dict[str, Any]:
        number = self.state.next("line events", FIRST_EVENT)
        event: dict[str, Any] = {
            "type": kind,
            "mode": self.say.more.get("mode", "active"),
            "timestamp": self.time,
            "source": self._source(),
            "webhookEventId": f"01LOCAL{number:019d}",
            "deliveryContext": {"isRedelivery": False},
        }
        if answerable:
            event["replyToken"] = self._reply_token()
        return event | content

    def message(self, content: dict[str, Any]) -> dict[str, Any]:
        quoted = {"quotedMessageId": self.say.quote} if self.say.quote else {}
        token = {"quoteToken": f"quote-{self.message_id}"}
        return self.event("message", {"message": {"id": self.message_id} | token | content | quoted})

    def show(self, kind: str, text: str, id: str = "") -> None:
        shown = Shown(
            id=id or self.message_id,
            direction="in",
            kind=kind,
            text=text,
            time=self.time,
            account=self.bot.id,
            quote=self.say.quote,
        )
        self.state.show("line", self.address, shown)

    def find(self) -> Shown:
        """The customer's message that is meant: the one named, else the newest."""
        wanted = {"id": self.say.target} if self.say.target else {}
        found = self.state.newest("line", self.address, account=self.bot.id, direction="in", **wanted)
        if found is None:
            raise Absent("no such message on that phone")
        return found

    def _source(self) -> dict[str, str]:
        person = person_id(self.person.number)
        if self.say.group:
            return {"type": "group", "groupId": self.address, "userId": person}
        return {"type": "user", "userId": person}

    def _reply_token(self) -> str:
        """Good once, and not for long."""
        token = secrets.token_hex(16)
        more = {"to": self.address, "at": str(self.state.now())}
        self.state.keep_talk("line", self.bot.id, f"reply:{token}", more=more)
        return token


def build(stand_in: StandIn, say: Say) -> tuple[Webhook, str]:
    """The webhook of one act, shown on the phone; and why it will not be delivered, if so."""
    if say.kind not in BUILDERS:
        raise stand_in.unknown_kind(say, BUILDERS)
    act = Act(stand_in, say)
    talk = act.state.talk("line", act.bot.id, act.address)
    if talk is None or say.kind in ("block", "unblock"):
        act.state.keep_talk("line", act.bot.id, act.address, blocked=say.kind == "block")
    webhook = webhook_of(act.state, act.bot, act.address, [BUILDERS[say.kind](act)], act.message_id)
    if not act.bot.webhook_url:
        return webhook, "no webhook is set"
    return webhook, "" if act.bot.subscribed else "Use webhook is switched off"


def _text(act: Act) -> dict[str, Any]:
    act.show("text", act.say.text)
    content: dict[str, Any] = {"type": "text", "text": act.say.text}
    if act.say.more.get("mention") == "us":
        mentionee = {"index": 0, "length": 1, "type": "user", "userId": act.bot.id, "isSelf": True}
        content["mention"] = {"mentionees": [mentionee]}
    return act.message(content)


def _media(act: Act) -> dict[str, Any]:
    """A file that is asked for with the token; ``more`` ``transcoding`` says how far a video is."""
    kind = LINE_TYPES.get(act.say.media, act.say.media)
    mime = MIMES.get("document" if kind == "file" else kind)
    if mime is None:
        raise Absent(f"line has no file of kind {act.say.media!r}")
    url = f"{CONTENT}/{act.message_id}/content"
    served = customer_file("line", mime, act.say.more, authorization=f"Bearer {act.bot.token}")
    act.state.serve(url, served)
    status = act.say.more.get("transcoding", "succeeded")
    act.state.keep_talk("line", act.bot.id, f"file:{act.message_id}", more={"status": status})
    act.show(kind, act.say.text)
    content: dict[str, Any] = {"type": kind}
    if kind == "file":
        return act.message(content | {"fileName": "document.pdf", "fileSize": len(served.content(url))})
    content["contentProvider"] = {"type": "line"}
    if kind in ("video", "audio"):
        content["duration"] = 4000
    return act.message(content)


def _sticker(act: Act) -> dict[str, Any]:
    act.show("sticker", "")
    content = {"packageId": "446", "stickerId": "1988", "stickerResourceType": "STATIC"}
    return act.message({"type": "sticker", "keywords": ["hello", "wave"]} | content)


def _location(act: Act) -> dict[str, Any]:
    act.show("location", "")
    place = {"address": "Piazza Duca d'Aosta, Milano", "latitude": 45.4861, "longitude": 9.2044}
    return act.message({"type": "location", "title": "Sample station"} | place)


def _unsupported(act: Act) -> dict[str, Any]:
    act.show("unsupported", act.say.text)
    return act.message({"type": "hologram", "text": act.say.text})


def _raw(act: Act) -> dict[str, Any]:
    act.show("raw", act.say.text)
    return act.message(dict(act.say.raw))


def _button(act: Act) -> dict[str, Any]:
    wanted = act.say.button or act.say.text
    _, button = act.state.tapped("line", act.address, act.bot.id, wanted)
    act.show("button", button.title)
    return act.event("postback", {"postback": {"data": button.id}})


def _edit(act: Act) -> dict[str, Any]:
    original = act.find()
    act.state.change("line", act.address, original, text=act.say.text, edited=True)
    message = {"id": original.id, "type": "text", "text": act.say.text, "quoteToken": "q"}
    return act.event("messageEdited", {"message": message})


def _delete(act: Act) -> dict[str, Any]:
    original = act.find()
    act.state.change("line", act.address, original, text="", deleted=True)
    return act.event("unsend", {"unsend": {"messageId": original.id}}, answerable=False)


def _start(act: Act) -> dict[str, Any]:
    return act.event("follow", {"follow": {"isUnblocked": False}})


def _block(act: Act) -> dict[str, Any]:
    return act.event("unfollow", {}, answerable=False)


def _unblock(act: Act) -> dict[str, Any]:
    return act.event("follow", {"follow": {"isUnblocked": True}})


BUILDERS: dict[str, Callable[[Act], dict[str, Any]]] = {
    "text": _text,
    "media": _media,
    "sticker": _sticker,
    "location": _location,
    "unsupported": _unsupported,
    "raw": _raw,
    "button": _button,
    "edit": _edit,
    "delete": _delete,
    "start": _start,
    "block": _block,
    "unblock": _unblock,
}
