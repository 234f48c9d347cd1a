"""The chat on the company's own site and in its app. The protocol is ours: docs/webchat/openapi.yaml.

There is no platform: a visitor's browser calls our function and proves itself with the token that the
function gave it (``webchat_tokens``). An answer is sent by being there when the browser asks again.
``sportello.webchat`` is the function with its routes; here stand the proof, the parser and the send.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from sportello.channels import webchat_wire as wire
from sportello.channels.base import (
    Account,
    Channel,
    ConnectError,
    Connection,
    Finding,
    MediaRule,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Question,
    Request,
    SendOutcome,
    Sent,
    Unparseable,
)
from sportello.channels.http import Http, NoAnswer, NotConnected
from sportello.channels.webchat_tokens import (
    ANONYMOUS,
    IDENTIFIED,
    SECRET_LEAST,
    Visitor,
    read_identity,
    read_visitor,
)
from sportello.domain.events import PlatformEvent
from sportello.domain.keys import message_hash
from sportello.domain.model import Instant

BEARER = "Bearer "
BUTTONS_MOST = 10
OUT_MOST = 25 * 1024 * 1024
SIGNATURE_HEADER = "sportello-signature"
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
_HANDLE = re.compile(r"[A-Za-z0-9._]{3,64}")


class WebChat(Channel):
    name: ClassVar[str] = "webchat"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "site"
    text_limit: ClassVar[int] = wire.TEXT_MOST
    deadline: ClassVar[Instant] = 14_000
    shows_buttons: ClassVar[bool] = True
    media: ClassVar[Mapping[str, MediaRule]] = {
        kind: MediaRule(limit=OUT_MOST) for kind in ("image", "video", "audio", "voice", "document")
    }
    questions: ClassVar[tuple[Question, ...]] = (
        Question(
            name="secret",
            text="the secret with which your back end signs identity tokens",
            secret=True,
            made=True,
        ),
        Question(
            name="origins",
            text="the origins of the pages that show the chat, e.g. https://www.example.com, apart by spaces",
        ),
        Question(
            name="push_url",
            text="where your app's back end hears of an answer, e.g. https://app.example.com/push",
            optional=True,
        ),
        Question(
            name="email",
            text="the e-mail connection by which answers follow a visitor who has left",
            optional=True,
        ),
        Question(name="telegram", text="your bot's user name, for visitors who go on there", optional=True),
        Question(
            name="whatsapp", text="your number with country code, for visitors who go on there", optional=True
        ),
        Question(name="messenger", text="your page's user name, for visitors who go on there", optional=True),
    )

    def verify(self, request: Request, connection: Connection) -> bool:
        return caller(request, connection) is not None

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        visitor = caller(request, connection)
        if visitor is None:
            raise Unparseable("authorization: nobody's")
        account = account_of(connection).id
        route = request.path.strip("/").split("/")[-2:-1]
        if route == ["contact"]:
            return (wire.contact_event(request.body, visitor, account),)
        if route == ["messages"]:
            return (wire.message_event(request.body, visitor, account, connection.secrets),)
        raise Unparseable("path: no message")

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or len(message.buttons) > BUTTONS_MOST:
            return Problem.REFUSED
        return super().refusal(message, last_inbound, now)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """The message stands in the thread: whoever asks, sees it. The app's back end is told as well."""
        if not message.text.strip() and message.attachment is None:
            return NotSent(problem=Problem.EMPTY, code="empty")
        shown = shown_id(message.tag)
        if url := connection.settings.get("push_url"):
            _push(url, push_event(message, shown), connection, http)
        return Sent(id=shown)

    # --- connecting: there is nobody to ask, but much to get right ---------------------------------

    def probe(self, connection: Connection, http: Http) -> Probed:
        if problems := _problems(connection):
            raise ConnectError("; ".join(text for _, text in problems))
        return Probed(accounts=(account_of(connection),))

    def register(self, connection: Connection, url: str, http: Http) -> str:
        base, _, name = url.rpartition("/")
        return (
            "Put this line into your pages, before </body>:\n"
            f'  <script async src="{base}/widget/{name}.js"></script>\n'
            "To say who is logged in, see docs/channels/webchat.md."
        )

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return [Finding(level="fault", code=code, text=text) for code, text in _problems(connection)]


# --- who calls ------------------------------------------------------------------------------------


def caller(request: Request, connection: Connection) -> Visitor | None:
    """Whose request it is, by its visitor's token or by an identity token; None: nobody's."""
    header = request.headers.get("authorization", "")
    if not header.startswith(BEARER):
        return None
    return visitor_of(header.removeprefix(BEARER), connection)


def visitor_of(token: str, connection: Connection, *, late: int = 0) -> Visitor | None:
    if token.startswith("v1."):
        return read_visitor(token, connection.secrets, seconds(), late=late)
    return identified(token, connection)


def identified(token: str, connection: Connection) -> Visitor | None:
    found = read_identity(token, connection.secrets, account_of(connection).id, seconds())
    if found is None:
        return None
    return Visitor(f"{IDENTIFIED}{found.sub}", found.expires, found.name, found.email, found.language)


def account_of(connection: Connection) -> Account:
    """The site: one account, called as the connection unless the secret names it otherwise."""
    return connection.accounts[0] if connection.accounts else Account(id=connection.name)


def seconds() -> int:
    """Real time: tokens are not good longer because a local desk's clock was moved."""
    return int(time.time())


# --- what is sent ---------------------------------------------------------------------------------


def shown_id(tag: str) -> str:
    """The id under which visitors see a message of ours; ``tag`` names its row."""
    thread, _, key = tag.partition(" ")
    return message_hash(thread, key)


def push_event(message: Outbound, shown: str) -> dict[str, Any]:
    who = {"visitor": message.to.removeprefix(ANONYMOUS)}
    if message.to.startswith(IDENTIFIED):
        who = {"customer": message.to.removeprefix(IDENTIFIED)}
    return {
        "type": "message",
        "site": message.account,
        **who,
        "message": {
            "id": shown,
            "author": "person" if message.by_person else "automatic",
            "text": message.text,
            "files": 0 if message.attachment is None else 1,
        },
    }


def push_signature(secret: str, body: bytes, at: int) -> str:
    """``t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<body>">``"""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def _push(url: str, event: dict[str, Any], connection: Connection, http: Http) -> None:
    """One try: the message is there all the same, and the app finds it when it next asks."""
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    headers = {
        "content-type": "application/json",
        SIGNATURE_HEADER: push_signature(next(iter(connection.secrets), ""), body, seconds()),
    }
    try:
        http.request("POST", url, body=body, headers=headers)
    except (NotConnected, NoAnswer):
        return


# --- what is wrong with a connection --------------------------------------------------------------


def origins(connection: Connection) -> tuple[str, ...]:
    """The origins whose pages may call."""
    return tuple(connection.settings.get("origins", "").split())


def _problems(connection: Connection) -> list[tuple[str, str]]:
    """Code and remedy."""
    found: list[tuple[str, str]] = []
    listed = origins(connection)
    if any(len(secret) < SECRET_LEAST for secret in connection.secrets) or not connection.secrets:
        text = f"the secret needs {SECRET_LEAST} characters or more; let connect make one"
        found.append(("weak_secret", text))
    if not listed:
        found.append(
            ("no_origins", "no page may show the chat; name its origin, e.g. https://www.example.com")
        )
    for origin in listed:
        if not _ORIGIN.fullmatch(origin):
            text = f"{origin!r} is no origin: scheme and host in small letters, no path, e.g. https://www.example.com"
            found.append(("bad_origin", text))
    push = connection.settings.get("push_url", "")
    if push and (urlsplit(push).scheme != "https" or not urlsplit(push).hostname):
        found.append(("bad_push_url", "push_url must be an address such as https://app.example.com/push"))
    for name in ("telegram", "messenger", "whatsapp"):
        value = connection.settings.get(name, "")
        if value and not _HANDLE.fullmatch(value.lstrip("@+")):
            found.append(("bad_link", f"{name}: a name or number only, e.g. example_desk, 390612345678"))
    return found
