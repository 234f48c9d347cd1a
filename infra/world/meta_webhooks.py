"""What Meta posts to us for Messenger and Instagram: messages, receipts, comments.

Source: Messenger Platform "Webhooks", Page "feed"; Instagram Platform "Webhook examples".
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from infra.world.files import customer_file
from infra.world.meta_account import MetaAccount
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.state import Absent, State

CDN = "https://lookaside.fbsbx.com/messaging_cdn"
MIME = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mp4", "file": "application/pdf"}
STICKER = 369239263222822
INBOX_APP = 26390203743090


def webhook_of(
    state: State,
    channel: str,
    object_name: str,
    account: MetaAccount,
    address: str,
    entry: Mapping[str, Any],
    *,
    message_id: str = "",
    customer: str = "",
) -> Webhook:
    """Signed over the very bytes that are sent, escaped as Meta escapes them."""
    envelope = {"object": object_name, "entry": [{"id": account.id, **entry}]}
    body = json.dumps(envelope, separators=(",", ":")).replace("/", "\\/")
    digest = hmac.new(account.app_secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    return Webhook(
        id=f"{channel}-{state.next(f'{channel} webhooks')}",
        channel=channel,
        account=account.id,
        address=address,
        customer=customer,
        message_id=message_id,
        url=account.webhook_url,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={digest}",
        },
        body=body,
    )


def new_mid() -> str:
    return "m_" + uuid.uuid4().hex


class Conversation:
    """One private act of one customer towards one account: its builders, by kind."""

    channel: ClassVar[str]

    def __init__(self, state: State, account: MetaAccount, person: Person, address: str, say: Say) -> None:
        self.state, self.account, self.person, self.address, self.say = state, account, person, address, say
        self.time = say.at if say.at is not None else state.now()
        self.mid = new_mid()

    def event(self) -> dict[str, Any]:
        """The messaging object."""
        builders = self.builders()
        content = builders[self.say.kind](self)
        parties = {"sender": {"id": self.address}, "recipient": {"id": self.account.id}}
        if self.say.as_owner:
            parties = {"sender": {"id": self.account.id}, "recipient": {"id": self.address}}
        return {**parties, "timestamp": self.time, **content}

    @classmethod
    def builders(cls) -> dict[str, Callable[[Any], dict[str, Any]]]:
        return BUILDERS

    def show(self, kind: str, text: str, direction: Any = "in") -> None:
        item = Shown(
            id=self.mid,
            direction=direction,
            kind=kind,
            text=text,
            time=self.time,
            account=self.account.id,
            quote=self.say.quote,
        )
        self.state.show(self.channel, self.address, item)

    def find(self, **wanted: str) -> Shown:
        """The message meant: the one named, else the newest that fits."""
        if self.say.target:
            wanted["id"] = self.say.target
        found = self.state.newest(self.channel, self.address, account=self.account.id, **wanted)
        if found is None:
            raise Absent(f"no such message on that phone: {wanted}")
        return found

    def message(self, **fields: Any) -> dict[str, Any]:
        quoted = {"reply_to": {"mid": self.say.quote}} if self.say.quote else {}
        return {"message": {"mid": self.mid, **fields, **quoted}}

    def file(self, mime: str, place: str = "") -> str:
        """A new address at which the customer's file lies."""
        number = self.state.next(f"{self.channel} files", 1)
        url = f"{CDN}/{self.channel}-{place}{number}"
        self.state.serve(url, customer_file(self.channel, mime, self.say.more))
        return url


def _text(talk: Conversation) -> dict[str, Any]:
    if talk.say.as_owner:  # a person answers in Meta's own inbox
        talk.show("text", talk.say.text, "out")
        app = {"app_id": INBOX_APP} if talk.channel == "messenger" else {}
        return talk.message(text=talk.say.text, is_echo=True, **app)
    talk.show("text", talk.say.text)
    return talk.message(text=talk.say.text)


def _media(talk: Conversation) -> dict[str, Any]:
    wanted = talk.say.media
    kind = {"": "image", "photo": "image", "voice": "audio", "document": "file"}.get(wanted, wanted)
    if kind not in MIME:
        raise Absent(f"no media kind {wanted!r}; known: photo, voice, document, {', '.join(MIME)}")
    talk.show(kind, talk.say.text)
    attachment = {"type": kind, "payload": {"url": talk.file(MIME[kind])}}
    text = {"text": talk.say.text} if talk.say.text else {}
    return talk.message(attachments=[attachment], **text)


def _sticker(talk: Conversation) -> dict[str, Any]:
    talk.show("sticker", "")
    payload = {"url": talk.file("image/png"), "sticker_id": STICKER}
    return talk.message(attachments=[{"type": "sticker", "payload": payload}])


def _unsupported(talk: Conversation) -> dict[str, Any]:
    talk.show("unsupported", "")
    return talk.message(is_unsupported=True)


def _raw(talk: Conversation) -> dict[str, Any]:
    talk.show("raw", "")
    return talk.message(**talk.say.raw)


def _button(talk: Conversation) -> dict[str, Any]:
    wanted = talk.say.button or talk.say.text
    _, button = talk.state.tapped(talk.channel, talk.address, talk.account.id, wanted)
    talk.show("button", button.title)
    return talk.message(text=button.title, quick_reply={"payload": button.id})


def _start(talk: Conversation) -> dict[str, Any]:
    talk.show("start", "")
    ref = talk.say.more.get("ref", "")
    referral = {"referral": {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}} if ref else {}
    return {"postback": {"mid": talk.mid, "title": "Get started", "payload": "GET_STARTED", **referral}}


def _edit(talk: Conversation) -> dict[str, Any]:
    original = talk.find(direction="in")
    talk.state.change(talk.channel, talk.address, original, text=talk.say.text, edited=True)
    return {"message_edit": {"mid": original.id, "text": talk.say.text, "num_edit": "1"}}


def _delete(talk: Conversation) -> dict[str, Any]:
    original = talk.find(direction="in")
    talk.state.change(talk.channel, talk.address, original, text="", deleted=True)
    return {"message": {"mid": original.id, "is_deleted": True}}


def _reaction(talk: Conversation) -> dict[str, Any]:
    target = talk.find(direction="out")
    talk.show("reaction", talk.say.text)
    if not talk.say.text:
        return {"reaction": {"mid": target.id, "action": "unreact"}}
    return {"reaction": {"mid": target.id, "action": "react", "reaction": "other", "emoji": talk.say.text}}


BUILDERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "text": _text,
    "media": _media,
    "sticker": _sticker,
    "unsupported": _unsupported,
    "raw": _raw,
    "button": _button,
    "start": _start,
    "edit": _edit,
    "delete": _delete,
    "reaction": _reaction,
}
