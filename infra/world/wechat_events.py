"""What WeChat posts to us, signed and encrypted: developers.weixin.qq.com/doc/offiaccount."""

import base64
import hashlib
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from infra.world.model import Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.wechat_account import WeChatAccount
from sportello.domain.model import HOUR, MINUTE, Instant

FIRST_MESSAGE = 24_000_000_000_000_001
FILES = {
    "image": ("image", "image/jpeg"),
    "voice": ("voice", "audio/amr"),
    "video": ("video", "video/mp4"),
}
ALLOWED = {"message": (5, 48 * HOUR), "touch": (3, MINUTE)}
"""Messages that may follow, and for how long: of a message; of following, a scan, a tap on the menu."""


def address_of(person: Person) -> str:
    """28 characters that begin with ``o``, as open ids look."""
    digest = hashlib.sha256(f"wechat {person.number}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest)[:27].decode().replace("-", "A")


def file_place(media_id: str) -> str:
    return f"https://api.weixin.qq.com/files/{media_id}"


def video_place(media_id: str) -> str:
    return f"https://vweixinp.tc.qq.com/{media_id}.mp4"


class Act:
    """One act of one customer towards one account: what the builders below share."""

    def __init__(self, stand_in: StandIn, say: Say) -> None:
        self.stand_in = stand_in
        self.state = stand_in.state
        self.say = say
        self.account: WeChatAccount = self.state.account("wechat", say.account)
        self.address = address_of(self.state.person(say.sender))
        self.time: Instant = say.at if say.at is not None else self.state.now()
        self.number = str(self.state.next("wechat messages", FIRST_MESSAGE))

    def show(self, kind: str, text: str) -> None:
        shown = Shown(
            id=self.number, direction="in", kind=kind, text=text, time=self.time, account=self.account.id
        )
        self.state.show("wechat", self.address, shown)

    def allow(self, trigger: str) -> None:
        """Each new trigger replaces what an earlier one allowed, if it allows more."""
        count, lasts = ALLOWED[trigger]
        talk = self.state.talk("wechat", self.account.id, self.address)
        before = talk.more if talk else {}
        if trigger == "touch" and int(before.get("until", "0")) > self.time + lasts:
            return
        more = {"left": str(count), "until": str(self.time + lasts)}
        self.state.keep_talk(
            "wechat", self.account.id, self.address, last_in=self.time, blocked=False, more=more
        )


def build(stand_in: StandIn, say: Say) -> tuple[Webhook, str]:
    """The body of one act, shown on the phone; and why it will not be delivered, if so."""
    if say.kind not in MESSAGES and say.kind not in EVENTS:
        raise stand_in.unknown_kind(say, [*MESSAGES, *EVENTS])
    act = Act(stand_in, say)
    if say.kind in EVENTS:
        fields = {"MsgType": "event", **EVENTS[say.kind](act)}
    else:
        fields = {**MESSAGES[say.kind](act), "MsgId": act.number}
        act.allow("message")
    return webhook_of(act, fields), "" if act.account.webhook_url else "no webhook is set"


def webhook_of(act: Act, fields: dict[str, Any]) -> Webhook:
    account, stamp = act.account, (str(act.state.now() // 1000), str(act.state.next("wechat nonces")))
    head = {"ToUserName": account.id, "FromUserName": act.address, "CreateTime": act.time // 1000}
    inner = "".join(_element(name, value) for name, value in (head | fields).items())
    query = {
        "signature": signature(account.token, *stamp),
        "timestamp": stamp[0],
        "nonce": stamp[1],
        "openid": act.address,
    }
    if account.aes_key:
        sealed = encrypted(f"<xml>{inner}</xml>".encode(), account)
        query |= {"encrypt_type": "aes", "msg_signature": signature(account.token, *stamp, sealed)}
        shown = inner if account.mode == "compatible" else _element("ToUserName", account.id)
        inner = shown + _element("Encrypt", sealed)
    body = f"<xml>{inner}</xml>".encode()
    return Webhook(
        id=f"wechat-{act.state.next('wechat webhooks')}",
        channel="wechat",
        account=account.id,
        address=act.address,
        message_id=act.number,
        url=f"{account.webhook_url}?{urlencode(query)}",
        headers={"Content-Type": "text/xml"},
        body=base64.b64encode(body).decode(),
        body_base64=True,
    )


def signature(*texts: str) -> str:
    return hashlib.sha1("".join(sorted(texts)).encode(), usedforsecurity=False).hexdigest()


def encrypted(message: bytes, account: WeChatAccount) -> str:
    """AES-256-CBC over 16 random bytes, the length, the message and the AppID, padded to 32."""
    key = base64.b64decode(account.aes_key + "=")
    plain = os.urandom(16) + len(message).to_bytes(4, "big") + message + account.app_id.encode()
    count = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        content = "".join(_element(inner, one) for inner, one in value.items())
    elif isinstance(value, str) and "]]>" not in value:
        content = f"<![CDATA[{value}]]>"
    else:
        content = escape(str(value))
    return f"<{name}>{content}</{name}>"


def _text(act: Act) -> dict[str, Any]:
    act.show("text", act.say.text)
    return {"MsgType": "text", "Content": act.say.text}


def _button(act: Act) -> dict[str, Any]:
    wanted = act.say.button or act.say.text
    _, button = act.state.tapped("wechat", act.address, act.account.id, wanted)
    act.show("button", button.title)
    return {"MsgType": "text", "Content": button.title, "bizmsgmenuid": button.id}


def _media(act: Act) -> dict[str, Any]:
    wanted = {"": "image", "photo": "image", "audio": "voice"}.get(act.say.media, act.say.media)
    if wanted not in FILES:
        raise act.stand_in.unknown_kind(act.say, [f"media {name}" for name in FILES])
    kind, mime = FILES[wanted]
    media_id = f"media-{act.number}"
    act.stand_in.serve(video_place(media_id) if kind == "video" else file_place(media_id), mime, act.say)
    act.show("media", act.say.text)
    if kind == "voice":
        return {"MsgType": kind, "MediaId": media_id, "Format": "amr", "Recognition": act.say.text}
    return {"MsgType": kind, "MediaId": media_id}


def _location(act: Act) -> dict[str, Any]:
    act.show("location", "")
    place = {"Location_X": 45.4642, "Location_Y": 9.19, "Scale": 20, "Label": act.say.text}
    return {"MsgType": "location", **place}


def _link(act: Act) -> dict[str, Any]:
    act.show("link", act.say.text)
    return {"MsgType": "link", "Title": act.say.text, "Description": "", "Url": "https://www.example.com/"}


def _unsupported(act: Act) -> dict[str, Any]:
    act.show("unsupported", "")
    return {"MsgType": "miniprogrampage", "Title": act.say.text, "AppId": "wx1", "PagePath": "x"}


def _raw(act: Act) -> dict[str, Any]:
    act.show("raw", act.say.text)
    return dict(act.say.raw)


MESSAGES: dict[str, Callable[[Act], dict[str, Any]]] = {
    "text": _text,
    "button": _button,
    "media": _media,
    "location": _location,
    "link": _link,
    "unsupported": _unsupported,
    "raw": _raw,
}


def _follow(act: Act) -> dict[str, Any]:
    act.allow("touch")
    return {"Event": "subscribe", "EventKey": f"qrscene_{act.say.text}" if act.say.text else ""}


def _leave(act: Act) -> dict[str, Any]:
    act.state.keep_talk("wechat", act.account.id, act.address, blocked=True)
    return {"Event": "unsubscribe", "EventKey": ""}


def _scan(act: Act) -> dict[str, Any]:
    act.allow("touch")
    return {"Event": "SCAN", "EventKey": act.say.text}


def _menu(act: Act) -> dict[str, Any]:
    act.show("menu", act.say.text)
    act.allow("touch")
    return {"Event": "CLICK", "EventKey": act.say.text}


EVENTS: dict[str, Callable[[Act], dict[str, Any]]] = {
    "block": _leave,
    "unblock": _follow,
    "start": _follow,
    "scan": _scan,
    "menu": _menu,
}
"""``Say.text`` is the parameter of a QR code, or the key of a menu's entry."""
