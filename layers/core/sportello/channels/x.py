"""X: direct messages, and posts that mention, answer or quote us. https://docs.x.com

A direct message's thread is the person; a post's is the person in one public conversation, its address
``post:<post to answer>:<author>``. X has no private answer to a post: the nearest is a public answer
with a button that opens the direct messages (act ``private``).
"""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import quote

from sportello.channels import x_files, x_setup
from sportello.channels.base import (
    Act,
    Channel,
    Connection,
    Download,
    Finding,
    Media,
    MediaRule,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Profile,
    Question,
    Request,
    Response,
    SendOutcome,
    Sent,
    Unknown,
)
from sportello.channels.body import read_object
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.signatures import any_equal
from sportello.channels.x_calls import as_user, refused
from sportello.channels.x_events import events
from sportello.channels.x_posts import POST
from sportello.channels.x_text import POST_LIMIT, weight
from sportello.domain.events import PlatformEvent
from sportello.domain.model import Instant

SIGNATURES = ("x-twitter-webhooks-signature", "x-twitter-webhooks-signature-oauth2")
"""Under the consumer secret, and under the OAuth 2.0 client secret of apps that have one."""
MEBIBYTE = 1024 * 1024
OPENS = "{"
"""In every body and in no challenge. X signs both with one key, and anybody may send us a challenge: were
a body answered as one, the answer would be its signature."""
DEEP_LINK = "https://x.com/messages/compose?recipient_id="
_USER = re.compile("[0-9]{1,19}")
_POST = re.compile(rf"{POST}([0-9]{{1,19}}):([0-9]{{1,19}})")


class Destination(NamedTuple):
    user: str
    post: str = ""
    """The post to answer; empty: a direct message."""


class X(Channel):
    name: ClassVar[str] = "x"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "social"
    public: ClassVar[bool] = True
    text_limit: ClassVar[int] = 10_000
    """Of a direct message; a post's is ``POST_LIMIT`` by X's own count."""
    deadline: ClassVar[Instant] = 10_000
    echoes_untagged: ClassVar[bool] = True
    acts: ClassVar[frozenset[Act]] = frozenset({"reply", "private"})
    invites: ClassVar[bool] = True
    media: ClassVar[Mapping[str, MediaRule]] = {
        "image": MediaRule(limit=5 * MEBIBYTE, mimes=("image/jpeg", "image/png", "image/webp")),
    }
    uploads: ClassVar[bool] = True
    media_hosts: ClassVar[tuple[str, ...]] = ("pbs.twimg.com", "video.twimg.com", *x_files.OWN_HOSTS)
    profiles: ClassVar[bool] = True
    questions: ClassVar[tuple[Question, ...]] = (
        Question(
            name="consumer_key",
            text="Consumer key (developer console > your app > Keys and tokens; also called API key)",
        ),
        Question(name="secret", text="Consumer secret (beside it; also called API key secret)", secret=True),
        Question(
            name="token",
            text="Access token of the account (same page, made with 'Read and write and Direct message')",
            secret=True,
        ),
        Question(name="access_secret", text="Access token secret (beside it)", secret=True),
        Question(
            name="client_secret",
            text="OAuth 2.0 client secret, if the app has one (X then signs webhooks with it too)",
            secret=True,
            optional=True,
        ),
    )

    def handshake(self, request: Request, connection: Connection) -> Response | None:
        """The challenge that X repeats for ever: ``GET ?crc_token=…``."""
        token = request.query.get("crc_token")
        secrets = _secrets(connection)
        if request.method != "GET" or not token:
            return None
        if not secrets:
            return Response(status=403, body="no secret is stored")
        if OPENS in token:
            return Response(status=403, body="no challenge")
        answer = json.dumps({"response_token": _signature(secrets[0], token.encode("utf-8", "replace"))})
        return Response(status=200, body=answer, content_type="application/json")

    def verify(self, request: Request, connection: Connection) -> bool:
        if OPENS.encode() not in request.body:
            return False
        expected = [_signature(secret, request.body) for secret in _secrets(connection)]
        given = [request.headers.get(name, "") for name in SIGNATURES]
        return any(any_equal(expected, value) for value in given)

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        return events(read_object(request.body), connection)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        destination = _destination(message.to)
        if message.template is not None or destination is None:
            return Problem.REFUSED
        if message.act == "private" and not destination.post:
            return Problem.REFUSED
        problem = super().refusal(message, last_inbound, now)
        if problem is None and destination.post and weight(message.text) > POST_LIMIT:
            return Problem.TOO_LONG
        return problem

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        destination = _destination(message.to)
        if destination is None:
            return NotSent(problem=Problem.REFUSED, code="address")
        file = ""
        if message.attachment is not None:
            uploaded = x_files.upload(message.attachment, connection, http, public=bool(destination.post))
            if not isinstance(uploaded, str):
                return uploaded
            file = uploaded
        path, body = _request(message, destination, file)
        try:
            answer = as_user(http, connection, "POST", path, json_body=body)
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return _outcome(answer, message, destination)

    # --- what comes after the acknowledgement --------------------------------------------------------

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        return x_files.download(media, connection, http)

    def profile(self, address: str, connection: Connection, http: Http) -> Profile | None:
        destination = _destination(address)
        if destination is None:
            return None
        try:
            answer = as_user(
                http, connection, "GET", f"/2/users/{destination.user}?user.fields=name,username"
            )
        except (NotConnected, NoAnswer):
            return None
        data = answer.json.get("data")
        found = data.get("name") or data.get("username") if isinstance(data, dict) else None
        return Profile(name=found) if isinstance(found, str) else None

    # --- the operator's command line -----------------------------------------------------------------

    def probe(self, connection: Connection, http: Http) -> Probed:
        return x_setup.probe(connection, http)

    def register(self, connection: Connection, url: str, http: Http) -> str:
        return x_setup.register(connection, url, http)

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return x_setup.examine(connection, url, http)


def _secrets(connection: Connection) -> tuple[str, ...]:
    """The client secret first, where there is one: X wants its challenge answered with that."""
    return tuple(filter(None, (connection.settings.get("client_secret"), *connection.secrets)))


def _signature(secret: str, message: bytes) -> str:
    digest = hmac.new(secret.encode("utf-8"), message, hashlib.sha256).digest()
    return "sha256=" + b64encode(digest).decode("ascii")


def _destination(address: str) -> Destination | None:
    if post := _POST.fullmatch(address):
        return Destination(user=post[2], post=post[1])
    return Destination(user=address) if _USER.fullmatch(address) else None


def _request(message: Outbound, to: Destination, file: str) -> tuple[str, dict[str, Any]]:
    if not to.post:
        body: dict[str, Any] = {"text": message.text} if message.text.strip() else {}
        if file:
            body["attachments"] = [{"media_id": file}]
        return f"/2/dm_conversations/with/{to.user}/messages", body
    body = {"text": message.text, "reply": {"in_reply_to_tweet_id": to.post}}
    if file:
        body["media"] = {"media_ids": [file]}
    if message.act == "private":
        body["direct_message_deep_link"] = DEEP_LINK + quote(message.account)
    return "/2/tweets", body


def _outcome(answer: Answer, message: Outbound, to: Destination) -> SendOutcome:
    data = answer.json.get("data")
    id = data.get("id" if to.post else "dm_event_id") if isinstance(data, dict) else None
    if answer.status in (200, 201):
        if isinstance(id, str) and id:
            return Sent(id=id, linked=to.user if message.act == "private" else "")
        return refused(answer) if answer.json.get("errors") and data is None else Unknown(code="no_id")
    return refused(answer) if 400 <= answer.status < 500 else Unknown(code=str(answer.status))
