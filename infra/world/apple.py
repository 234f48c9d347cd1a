"""Apple's gateway for business messages as the desk calls it: register.apple.com (MSP REST API).

``Say.more["capabilities"]`` is what the phone can show (all of it if left out).
"""

import uuid
from collections.abc import Callable
from typing import Any

from infra.world.apple_business import LOCAL_BUSINESS, AppleBusiness, customer_of, is_ours, webhook_of
from infra.world.faults import Fault
from infra.world.files import Served
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.channels.base import Button
from sportello.domain.model import Instant

ABLE = "AUTH,AUTH2,LIST,TIME,QUICK,FORM"
EXTENSION = (
    "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:"
    "com.apple.icloud.apps.messages.business.extension"
)
KEY = "00" + "5a" * 32
STATUSES = {"429": 429, "500": 500, "token_expired": 401, "blocked": 404, "too_large": 413, "error": 400}
LARGEST = 100_000
MIMES = {"": "image/jpeg", "image": "image/jpeg", "photo": "image/jpeg", "document": "application/pdf",
         "video": "video/mp4", "audio": "audio/amr", "voice": "audio/amr"}  # fmt: skip


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Apple(StandIn):
    name = "apple"
    hosts = ("mspgw.push.apple.com", "cvws.icloud-content.com")
    faults = frozenset(STATUSES)
    account_model = AppleBusiness

    def local_account(self) -> AppleBusiness:
        return LOCAL_BUSINESS

    def local_connection(self, account: AppleBusiness) -> dict[str, Any]:
        return {
            "secrets": [account.secret],
            "accounts": [{"id": account.id, "role": "care"}],
            "settings": {"msp_id": account.msp_id, "business_id": account.id},
        }

    def address(self, person: Person) -> str:
        return customer_of(person)

    def target(self, call: Call) -> Target:
        sends = call.path == "/v1/message" and call.method == "POST"
        method = call.path.removeprefix("/v1/") or "unknown"
        return Target(method, call.headers.get("destination-id", ""), sends=sends)

    def answer(self, call: Call) -> Answer:
        try:
            business = self._business_of(call)
            if call.path == "/v1/message" and call.method == "POST":
                return self._message(business, call)
            if call.path == "/v1/preDownload" and call.method == "GET":
                return self._file(call)
            raise Refused(404)
        except Refused as refused:
            return _told(refused.status)

    def fail(self, call: Call, fault: Fault) -> Answer:
        return _told(int(fault.code) if fault.kind == "error" and fault.code else STATUSES[fault.kind])

    def _business_of(self, call: Call) -> AppleBusiness:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        businesses: tuple[AppleBusiness, ...] = self.state.accounts_of("apple")
        for business in businesses:
            if scheme == "Bearer" and is_ours(business, token):
                if call.headers.get("source-id") != business.id:
                    raise Refused(403)
                return business
        raise Refused(401)

    # --- what we send ----------------------------------------------------------------------------

    def _message(self, business: AppleBusiness, call: Call) -> Answer:
        body, to = call.json or {}, call.headers.get("destination-id", "")
        named = (body.get("id"), body.get("sourceId"), body.get("destinationId"), body.get("v"))
        if named != (call.headers.get("id"), business.id, to, 1) or not _is_uuid(str(body.get("id"))):
            raise Refused(400)
        if len(call.body) > LARGEST:
            raise Refused(413)
        with self.state.lock:
            talk = self.state.talk("apple", business.id, to)
            if talk is None or talk.blocked:
                raise Refused(404)
            if self.state.newest("apple", to, id=str(body["id"])) is None:
                shown = _shown(body, talk.more.get("capabilities", ""))
                time = self.state.now()
                item = Shown(id=str(body["id"]), direction="out", time=time, account=business.id, **shown)
                self.state.show("apple", to, item)
        return Answer(200, b"", "text/plain", id=str(body["id"]))

    def _file(self, call: Call) -> Answer:
        url = call.headers.get("url") or call.headers.get("mmcs-url", "")
        place = url.removeprefix("https://")
        if not url or self.state.served(place) is None or not call.headers.get("signature"):
            raise Refused(400)
        return json_answer(200, {"download-url": url})

    # --- what customers do -----------------------------------------------------------------------

    def say(self, say: Say) -> tuple[Webhook, str]:
        if say.kind not in ACTS:
            raise self.unknown_kind(say, ACTS)
        business: AppleBusiness = self.state.account("apple", say.account)
        address = customer_of(self.state.person(say.sender))
        time: Instant = say.at if say.at is not None else self.state.now()
        able = say.more.get("capabilities", ABLE)
        body = {"v": 1, "id": str(uuid.uuid4()), "sourceId": address, "destinationId": business.id}
        body |= {"locale": f"{say.language}_{say.language.upper()}"} | ACTS[say.kind](self, say, address)
        shown = Shown(id=str(body["id"]), direction="in", kind=say.kind, text=say.text, time=time)
        self.state.show("apple", address, shown.model_copy(update={"account": business.id}))
        closed = body["type"] == "close"
        self.state.keep_talk(
            "apple", business.id, address, last_in=time, blocked=closed, more={"capabilities": able}
        )
        webhook = webhook_of(self.state, business, address, body, able)
        return webhook, "" if business.webhook_url else "no webhook is set"


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def _told(status: int) -> Answer:
    headers = {"retry-after": "1"} if status == 429 else {}
    return Answer(status, b"", "text/plain", headers, code=str(status))


def _shown(body: dict[str, Any], able: str) -> dict[str, Any]:
    """What the phone makes of it; what it cannot show, or nobody could read, is refused."""
    if body.get("type") == "text":
        if not str(body.get("body", "")).strip():
            raise Refused(400)
        return {"text": body["body"]}
    data = (body.get("interactiveData") or {}).get("data") or {}
    words = able.split(",")
    if body.get("type") != "interactive" or body["interactiveData"].get("bid") != EXTENSION:
        raise Refused(400)
    if "quick-reply" in data and "QUICK" in words:
        items = data["quick-reply"]["items"]
        if not 2 <= len(items) <= 5:
            raise Refused(400)
        return {"text": data["quick-reply"]["summaryText"], "buttons": _buttons(items)}
    if "listPicker" in data and "LIST" in words and body["interactiveData"].get("receivedMessage"):
        items = [item for section in data["listPicker"]["sections"] for item in section["items"]]
        return {"text": body["interactiveData"]["receivedMessage"]["title"], "buttons": _buttons(items)}
    raise Refused(400)


def _buttons(items: list[dict[str, Any]]) -> tuple[Button, ...]:
    return tuple(Button(id=item["identifier"], title=item["title"]) for item in items)


def _text(apple: Apple, say: Say, address: str) -> dict[str, Any]:
    link = {name: say.more[name] for name in ("intent", "group") if name in say.more}
    return {"type": "text", "body": say.text} | link


def _media(apple: Apple, say: Say, address: str) -> dict[str, Any]:
    if say.media not in MIMES:
        raise apple.unknown_kind(say, [f"media {name}" for name in MIMES if name])
    mime, number = say.more.get("mime", MIMES[say.media]), apple.state.next("apple files")
    url = f"https://cvws.icloud-content.com/B/{number}"
    size = int(say.more.get("size", "0"))
    served = Served(channel="apple", mime=mime, size=size, encrypted=KEY.removeprefix("00"))
    apple.state.serve(url, served)
    file = {"name": f"file-{number}", "mimeType": mime, "size": say.more.get("size", "90"), "key": KEY}
    file |= {"url": url, "owner": "M-local", "signature-base64": "bG9jYWw="}
    return {"type": "text", "body": f"{say.text}\ufffc", "attachments": [file]}


def _button(apple: Apple, say: Say, address: str) -> dict[str, Any]:
    business = apple.state.account("apple", say.account)
    item, button = apple.state.tapped("apple", address, business.id, say.button or say.text)
    items = [{"identifier": one.id, "title": one.title} for one in item.buttons]
    data: dict[str, Any] = {"version": "1.0", "requestIdentifier": item.id}
    if len(items) in range(2, 6):
        data["quick-reply"] = {"selectedIdentifier": button.id, "items": items}
    else:
        chosen = [{"identifier": button.id, "title": button.title, "order": 0, "style": "default"}]
        data |= {"replyMessage": {"title": button.title}, "listPicker": {"sections": [{"items": chosen}]}}
    return {"type": "interactive", "interactiveData": {"bid": EXTENSION, "data": data}}


def _sign(kind: str) -> Callable[[Apple, Say, str], dict[str, Any]]:
    return lambda apple, say, address: {"type": kind}


def _raw(apple: Apple, say: Say, address: str) -> dict[str, Any]:
    return {"type": "text", "body": say.text} | dict(say.raw)


ACTS: dict[str, Callable[[Apple, Say, str], dict[str, Any]]] = {
    "text": _text,
    "media": _media,
    "button": _button,
    "block": _sign("close"),
    "typing": _sign("typing_start"),
    "unsupported": _sign("hologram"),
    "raw": _raw,
}
