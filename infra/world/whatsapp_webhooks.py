"""What WhatsApp posts to us: messages and statuses as the platform builds them.

Source: Meta's Cloud API webhook reference, and its page on business-scoped user ids.
"""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from typing import Any

from infra.world.files import customer_file, place_of, sha256_base64
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.people import invent, new_wamid
from infra.world.state import Absent, State
from infra.world.whatsapp_number import WhatsAppNumber
from infra.world.whatsapp_rules import GraphError
from sportello.domain.model import Instant

MIME = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "document": "application/pdf"}


class Conversation:
    """One act of one customer towards one of our numbers: what the builders below share."""

    def __init__(self, state: State, number: WhatsAppNumber, person: Person, say: Say) -> None:
        self.state = state
        self.number = number
        self.person = person
        self.say = say
        self.time = say.at if say.at is not None else state.now()
        self.wamid = new_wamid(person.wa_id, uuid.uuid4().bytes)

    def find(self, **wanted: str) -> Shown:
        """The message meant: the one named, else the newest that fits."""
        if self.say.target:
            wanted["id"] = self.say.target
        account = self.number.id
        found = self.state.newest("whatsapp", self.person.wa_id, account=account, **wanted)
        if found is None:
            raise Absent(f"no such message on that phone: {wanted}")
        return found

    def show(self, kind: str, text: str) -> None:
        item = Shown(
            id=self.wamid,
            direction="in",
            kind=kind,
            text=text,
            time=self.time,
            account=self.number.id,
            quote=self.say.quote,
        )
        self.state.show("whatsapp", self.person.wa_id, item)


def build(state: State, say: Say) -> tuple[Webhook | None, str]:
    """The webhook of one act, shown on the phone; and why there is none to deliver, if so."""
    if say.kind not in (*BUILDERS, "block", "unblock"):
        known = sorted([*BUILDERS, "block", "unblock"])
        raise Absent(f"whatsapp has no kind {say.kind!r}; known: {', '.join(known)}")
    talk = Conversation(state, state.account("whatsapp", say.account), state.person(say.sender), say)
    if say.kind in ("block", "unblock"):
        blocked = say.kind == "block"
        state.keep_talk("whatsapp", talk.number.id, talk.person.wa_id, blocked=blocked)
        return None, "WhatsApp tells nobody of a block"
    content = BUILDERS[say.kind](talk)
    if not say.group:
        _open_window(talk)
    person = talk.person
    message = {"id": talk.wamid, "timestamp": _seconds(talk.time)} | _sender(person, say) | content
    value = {"contacts": [_contact(person, say)], "messages": [message]}
    webhook = webhook_of(state, talk.number, person.wa_id, value, talk.wamid)
    return webhook, "" if talk.number.webhook_url else "no webhook is set"


def webhook_of(
    state: State, number: WhatsAppNumber, address: str, value: dict[str, Any], message_id: str
) -> Webhook:
    """Signed over the very bytes that are sent, escaped as Meta escapes them."""
    metadata = {
        "display_phone_number": number.display_phone_number,
        "phone_number_id": number.id,
    }
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata} | value, "field": "messages"}
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [{"id": number.waba_id, "changes": [change]}],
    }
    body = json.dumps(envelope, separators=(",", ":")).replace("/", "\\/")
    digest = hmac.new(number.app_secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    return Webhook(
        id=f"whatsapp-{state.next('whatsapp webhooks')}",
        channel="whatsapp",
        account=number.id,
        address=address,
        message_id=message_id,
        url=number.webhook_url,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={digest}",
        },
        body=body,
    )


def status_webhook(
    state: State, number: WhatsAppNumber, address: str, shown: Shown, status: str, error: GraphError | None
) -> Webhook:
    """What became of a message that we sent; our own data comes back with it."""
    person = state.known(address)
    content: dict[str, Any] = {
        "id": shown.id,
        "status": status,
        "timestamp": _seconds(state.now()),
        "recipient_id": address,
    }
    if person is not None:
        content["recipient_user_id"] = person.bsuid
    if shown.tag:
        content["biz_opaque_callback_data"] = shown.tag
    if error is not None:
        content["errors"] = [error.in_status()]
    else:
        price = {"billable": False, "pricing_model": "PMP", "category": "service"}
        content["pricing"] = price | {"type": "free_customer_service"}
    return webhook_of(state, number, address, {"statuses": [content]}, shown.id)


def _open_window(talk: Conversation) -> None:
    account, address = talk.number.id, talk.person.wa_id
    before = talk.state.talk("whatsapp", account, address)
    # The newest wins: a message that was written earlier does not shorten the window.
    last_in = max(talk.time, (before.last_in or 0) if before else 0)
    talk.state.keep_talk("whatsapp", account, address, last_in=last_in)


def _seconds(time: Instant) -> str:
    return str(time // 1000)


def _sender(person: Person, say: Say) -> dict[str, str]:
    phone = {} if say.username_only else {"from": person.wa_id}
    group = {"group_id": base64.b64encode(say.group.encode()).decode()} if say.group else {}
    return phone | {"from_user_id": person.bsuid} | group


def _contact(person: Person, say: Say) -> dict[str, Any]:
    contact: dict[str, Any] = {"profile": {"name": person.name}, "user_id": person.bsuid}
    if say.username_only:
        contact["profile"]["username"] = "@" + person.name.lower().replace(" ", ".")
        return contact
    return contact | {"wa_id": person.wa_id}


def _message(talk: Conversation) -> dict[str, Any]:
    say = talk.say
    talk.show(say.kind, say.text)
    content = _content(talk)
    if say.quote:
        content["context"] = {"from": talk.number.display_phone_number, "id": say.quote}
    return content


def _content(talk: Conversation) -> dict[str, Any]:
    say = talk.say
    if say.kind == "media":
        return _media(talk)
    if say.kind == "sticker":
        return {"type": "sticker", "sticker": _file(talk, "image/webp") | {"animated": False}}
    if say.kind == "location":
        return {"type": "location", "location": {"latitude": 45.4642, "longitude": 9.19}}
    if say.kind == "contact":
        name = {"formatted_name": say.text or "Somebody", "first_name": say.text or "Somebody"}
        phone = {"phone": "+1 202-555-0123", "wa_id": "12025550123", "type": "CELL"}
        return {"type": "contacts", "contacts": [{"name": name, "phones": [phone]}]}
    if say.kind == "unsupported":
        error = GraphError(131051, "Message type is currently not supported.").in_status()
        return {"type": "unsupported", "errors": [error], "unsupported": {"type": "poll"}}
    if say.kind == "raw":
        return dict(say.raw)
    return {"type": "text", "text": {"body": say.text}}


def _media(talk: Conversation) -> dict[str, Any]:
    wanted = talk.say.media
    kind = {"": "image", "photo": "image", "voice": "audio"}.get(wanted, wanted)
    if kind not in MIME:
        raise Absent(f"no media kind {wanted!r}; known: photo, voice, {', '.join(MIME)}")
    file = _file(talk, "audio/ogg; codecs=opus" if wanted == "voice" else MIME[kind])
    if kind == "audio":
        file["voice"] = wanted == "voice"
    if kind == "document":
        file["filename"] = "document.pdf"
    if talk.say.text and kind != "audio":
        file["caption"] = talk.say.text
    return {"type": kind, kind: file}


def _file(talk: Conversation, mime: str) -> dict[str, Any]:
    file_id = str(talk.state.next("whatsapp files", 1_000_000_000_000_001))
    url = file_url(file_id)
    served = customer_file("whatsapp", mime, talk.say.more, f"Bearer {talk.number.token}")
    talk.state.serve(url, served)
    return {"id": file_id, "mime_type": mime, "sha256": sha256_base64(served.content(place_of(url)))}


def file_url(file_id: str) -> str:
    return f"https://lookaside.fbsbx.com/whatsapp_business/attachments/{file_id}"


def _button(talk: Conversation) -> dict[str, Any]:
    account, address = talk.number.id, talk.person.wa_id
    wanted = talk.say.button or talk.say.text
    item, button = talk.state.tapped("whatsapp", address, account, wanted)
    talk.show("button", button.title)
    context = {"from": talk.number.display_phone_number, "id": item.id}
    if item.kind == "template":
        tapped: dict[str, Any] = {"payload": button.id, "text": button.title}
        return {"type": "button", "button": tapped, "context": context}
    kind = "list_reply" if item.kind == "list" else "button_reply"
    tapped = {"type": kind, kind: {"id": button.id, "title": button.title}}
    return {"type": "interactive", "interactive": tapped, "context": context}


def _edit(talk: Conversation) -> dict[str, Any]:
    original = talk.find(direction="in")
    talk.state.change("whatsapp", talk.person.wa_id, original, text=talk.say.text, edited=True)
    message = {"context": {"id": "M0"}, "type": "text", "text": {"body": talk.say.text}}
    return {"type": "edit", "edit": {"original_message_id": original.id, "message": message}}


def _delete(talk: Conversation) -> dict[str, Any]:
    original = talk.find(direction="in")
    talk.state.change("whatsapp", talk.person.wa_id, original, text="", deleted=True)
    return {"type": "revoke", "revoke": {"original_message_id": original.id}}


def _reaction(talk: Conversation) -> dict[str, Any]:
    target = talk.find(direction="out")
    talk.show("reaction", talk.say.text)
    reaction = {"message_id": target.id} | ({"emoji": talk.say.text} if talk.say.text else {})
    return {"type": "reaction", "reaction": reaction}


def _moved(talk: Conversation) -> dict[str, Any]:
    """The customer changes phone: a new number, and with it a new business-scoped id.

    The phone at the new number starts with what the old one showed.
    """
    before, state = talk.person, talk.state
    if talk.say.text and not talk.say.text.isdigit():
        raise Absent("the text of a move is the new number, digits only; leave it out to draw one")
    drawn = invent(f"{before.name} {talk.wamid}", state.ids())
    after = before.model_copy(update={"wa_id": talk.say.text or drawn.wa_id, "bsuid": drawn.bsuid})
    state.move("whatsapp", before, after)
    talk.person = after
    system = {
        "type": "user_changed_number",
        "body": f"User {before.name} changed from {before.wa_id} to {after.wa_id}",
        "wa_id": after.wa_id,
        "user_id": after.bsuid,
        "previous_user_id": before.bsuid,
    }
    return {"type": "system", "from": before.wa_id, "system": system}


MESSAGES = ("text", "media", "sticker", "location", "contact", "unsupported", "raw")
BUILDERS: dict[str, Callable[[Conversation], dict[str, Any]]] = dict.fromkeys(MESSAGES, _message) | {
    "button": _button,
    "edit": _edit,
    "delete": _delete,
    "reaction": _reaction,
    "moved": _moved,
}
