"""Visitors of the company's site, and the company's own back end: no platform stands between.

A visitor is a browser that speaks the chat's protocol: it opens a session, writes, and asks for what
is new whenever somebody looks at the phone. Everybody here is logged in at the company, whose back end
attests that; with ``more`` ``anonymous=yes`` they are not, and only this world knows who they are.
The back end hears of answers by the signed event and keeps none whose signature is wrong.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import datetime
from typing import Any

import urllib3

from infra.world.faults import Fault
from infra.world.model import File, Person, PlatformAccount, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.state import Absent
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.channels.base import Button
from sportello.domain.model import to_instant

PUSH_HOST = "app.example.com"
PUSH_PATH = "/push"
PUSH_SECONDS = 300
SECONDS = 20.0
FILES = {"image": "image/jpeg", "photo": "image/jpeg", "document": "application/pdf", "audio": "audio/mpeg"}


class Site(PlatformAccount):
    """The company's site: its connection's secret, which its back end knows as well."""

    secret: str
    origins: str = "https://www.example.com"


LOCAL_SITE = Site(id="main", secret="local-desk-secret-of-the-site-0000000001")  # noqa: S106 opens nothing


class Webchat(StandIn):
    name = "webchat"
    hosts = (PUSH_HOST,)
    faults = frozenset({"500", "403"})
    account_model = Site

    def local_account(self) -> Site:
        return LOCAL_SITE

    def local_connection(self, account: Site) -> dict[str, Any]:
        return {
            "secrets": [account.secret],
            "accounts": [{"id": account.id, "role": "care", "name": "www.example.com"}],
            "settings": {
                "origins": account.origins,
                "push_url": f"https://{PUSH_HOST}{PUSH_PATH}",
                "email": "main",
                "telegram": "local_desk_bot",
            },
        }

    def address(self, person: Person) -> str:
        return f"u:{customer_of(person)}"

    # --- the visitor -----------------------------------------------------------------------------

    def say(self, say: Say) -> tuple[Webhook, str]:
        site, person = self._site(say), self.state.person(say.sender)
        token = self._token(site, person, say)
        message: dict[str, Any] = {"client_message_id": str(uuid.uuid4())}
        shown = Shown(id=message["client_message_id"], direction="in", time=self.state.now(), account=site.id)
        match say.kind:
            case "text":
                message["text"] = say.text
            case "media":
                file, ticket = self._uploaded(site, token, message["client_message_id"], say.media)
                message |= {"text": say.text, "files": [ticket]}
                shown = shown.model_copy(update={"kind": "media", "file": file})
            case "button":
                _, button = self.state.tapped(self.name, self._address(person, say), site.id, say.button)
                message["button"] = {"id": button.id, "title": button.title}
                shown = shown.model_copy(update={"kind": "button", "text": button.title})
            case _:
                raise self.unknown_kind(say, ("text", "media", "button"))
        shown = shown.model_copy(update={"text": shown.text or say.text})
        self.state.show(self.name, self._address(person, say), shown)
        return self._webhook(site, person, say, token, message), ""

    def _webhook(self, site: Site, person: Person, say: Say, token: str, message: dict[str, Any]) -> Webhook:
        return Webhook(
            id=f"webchat-{self.state.next('webhook')}",
            channel=self.name,
            account=site.id,
            address=self._address(person, say),
            message_id=message["client_message_id"],
            url=route(site, "messages"),
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
            body=json.dumps(message),
        )

    def look(self, address: str) -> None:
        """Somebody takes the phone in hand: the visitor's browser asks for what is new."""
        site: Site | None = next(iter(self.state.accounts_of(self.name)), None)
        talk = self.state.talk(self.name, site.id, address) if site else None
        if site is None or talk is None or not talk.more.get("token"):
            return
        known = {item.id for item in self.state.phone(self.name, address)}
        for message in self._ask(site, "GET", "messages", talk.more["token"])["messages"]:
            if message["from"] == "desk" and message["id"] not in known:
                self.state.show(self.name, address, _shown(message, site))

    def _token(self, site: Site, person: Person, say: Say) -> str:
        """A session, opened or renewed: who the visitor is stands in the company's own word."""
        address = self._address(person, say)
        talk = self.state.talk(self.name, site.id, address)
        body = {"language": say.language, "visitor_token": talk.more.get("token", "") if talk else ""}
        if not _is_anonymous(say):
            body["identity"] = identity(site, customer_of(person), person.name)
        token: str = self._ask(site, "POST", "session", "", body)["visitor_token"]
        self.state.keep_talk(self.name, site.id, address, more={"token": token})
        return token

    def _uploaded(self, site: Site, token: str, message: str, kind: str) -> tuple[File, str]:
        mime = FILES.get(kind, FILES["document"])
        content = b"%PDF-1.4 a file of a visitor"
        asked = {
            "client_message_id": message,
            "number": 0,
            "name": "file",
            "type": mime,
            "size": len(content),
        }
        given = self._ask(site, "POST", "uploads", token, asked)
        form = {**given["fields"], "file": ("file", content, mime)}
        answer = urllib3.request("POST", given["url"], fields=form, timeout=SECONDS, retries=False)
        if answer.status not in (200, 201, 204):
            raise Absent(f"the bucket took no file: {answer.status}")
        return File(name="file", mime=mime, size=len(content)), given["file"]

    def _ask(self, site: Site, method: str, action: str, token: str, body: Any = None) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        answer = urllib3.request(
            method, route(site, action), body=data, headers=headers, timeout=SECONDS, retries=False
        )
        if answer.status not in (200, 201):
            raise Absent(f"the site answered {answer.status} to {method} {action}")
        value: dict[str, Any] = json.loads(answer.data)
        return value

    def _site(self, say: Say) -> Site:
        site: Site = self.state.account(self.name, say.account)
        return site

    def _address(self, person: Person, say: Say) -> str:
        return f"a:{customer_of(person)}" if _is_anonymous(say) else self.address(person)

    def addresses(self, person: Person) -> tuple[str, ...]:
        return (self.address(person), f"a:{customer_of(person)}")

    # --- the company's back end -------------------------------------------------------------------

    def target(self, call: Call) -> Target:
        event = call.json or {}
        who = str(event.get("customer") or event.get("visitor") or "")
        return Target("push", f"u:{who}" if event.get("customer") else f"a:{who}", sends=False)

    def answer(self, call: Call) -> Answer:
        site: Site | None = next(iter(self.state.accounts_of(self.name)), None)
        if call.method != "POST" or call.path != PUSH_PATH or site is None:
            return json_answer(404, {}, code="404")
        if not is_ours(site, call):
            return json_answer(401, {}, code="401")
        return Answer(204, b"", id=str((call.json or {}).get("message", {}).get("id", "")))

    def fail(self, call: Call, fault: Fault) -> Answer:
        return json_answer(int(fault.kind), {}, code=fault.kind)


def customer_of(person: Person) -> str:
    """The customer's number in the company's own books."""
    return f"customer-{person.number}"


def _is_anonymous(say: Say) -> bool:
    return say.more.get("anonymous") == "yes"


def route(site: Site, action: str) -> str:
    base, _, name = site.webhook_url.rpartition("/")
    return f"{base}/{action}/{name}"


def identity(site: Site, customer: str, name: str) -> str:
    """A JWT as the company's back end signs it, good for an hour."""
    claims = {"sub": customer, "name": name, "exp": int(time.time()) + 3600}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{_encoded(hmac.new(site.secret.encode(), text.encode(), hashlib.sha256).digest())}"


def is_ours(site: Site, call: Call) -> bool:
    """As docs/channels/webchat.md tells a back end to check."""
    parts = dict(part.partition("=")[::2] for part in call.headers.get("sportello-signature", "").split(","))
    at = parts.get("t", "")
    if not at.isdigit() or abs(time.time() - int(at)) > PUSH_SECONDS:
        return False
    wanted = hmac.new(site.secret.encode(), f"{at}.".encode() + call.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))


def _shown(message: dict[str, Any], site: Site) -> Shown:
    files = [
        File(name=file["name"], mime=file["type"], size=file["size"]) for file in message.get("files", ())
    ]
    return Shown(
        id=message["id"],
        direction="out",
        kind="media" if files else "text",
        text=message["text"],
        buttons=tuple(Button(**button) for button in message.get("buttons", ())),
        file=files[0] if files else None,
        time=to_instant(datetime.fromisoformat(message["time"])),
        account=site.id,
    )


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
