"""Viber: one bot per connection. https://developers.viber.com/docs/api/rest-bot-api/

One token does everything: Viber signs webhooks with it and takes our calls by it, so it stands in
``connection.secrets`` (the current one first) and a new one breaks both until it is connected.
``connection.settings``: ``sender_name``, what customers see above our messages (28 characters).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sportello.channels import viber_body
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
    Unknown,
)
from sportello.channels.body import read_object
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.signatures import any_equal, hmac_sha256_hex
from sportello.channels.viber_errors import INVALID_TOKEN, outcome_of, status_of
from sportello.channels.viber_events import event_of
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import SECOND, Instant

API = "https://chatapi.viber.com/pa"
SIGNATURE_HEADER = "x-viber-content-signature"
TOKEN_HEADER = "X-Viber-Auth-Token"  # noqa: S105 - a header's name
SUBSCRIBED = ("conversation_started", "delivered", "failed", "seen", "subscribed", "unsubscribed")
"""What we ask to be told, besides messages."""
OPTIONAL = ("conversation_started", "delivered", "failed", "seen")
"""What Viber sends only where it was asked for."""
FILE = MediaRule(limit=viber_body.FILE_BYTES)


class Viber(Channel):
    name = "viber"
    family = "messenger"
    text_limit = 7000
    text_unit = "utf16"  # Viber says "characters": never more than it may count
    deadline = 5 * SECOND  # Viber publishes none
    shows_buttons = True
    media: ClassVar[Mapping[str, MediaRule]] = dict.fromkeys(
        ("image", "video", "audio", "voice", "document"), FILE
    )
    media_hosts = (".viber.com",)
    questions = (
        Question(
            name="secret",
            text="Token of the bot (Viber app: More > Settings > Bots > Edit info, or partners.viber.com)",
            secret=True,
        ),
        Question(
            name="sender_name",
            text="Name that customers see above messages, at most 28 characters (left out: the bot's own)",
            optional=True,
        ),
    )

    def verify(self, request: Request, connection: Connection) -> bool:
        expected = [hmac_sha256_hex(token, request.body) for token in connection.secrets if token]
        return any_equal(expected, request.headers.get(SIGNATURE_HEADER, "").lower())

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        body = read_object(request.body)
        bot = _bot(connection)
        try:
            return (event_of(Fields(body), bot),)
        except Wrong as wrong:
            return (Unreadable(account=bot.id, fragment=body, why=str(wrong)),)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or not viber_body.buttons_fit(message.buttons):
            return Problem.REFUSED
        problem = super().refusal(message, last_inbound, now)
        if problem is None and message.attachment is not None and viber_body.is_program(message.attachment):
            return Problem.MEDIA
        if problem is None and any(map(viber_body.too_large, viber_body.bodies(message, ""))):
            return Problem.TOO_LONG
        return problem

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """A picture carries its words; other files cannot: they go first, the words as a second message."""
        if not message.to:
            return NotSent(problem=Problem.REFUSED, code="address")
        outcome: SendOutcome = NotSent(problem=Problem.EMPTY, code="empty")
        for number, body in enumerate(viber_body.bodies(message, _sender_name(connection))):
            following = _post_message(body, connection, http)
            if number and not isinstance(following, Sent):
                return Unknown(code=f"words_{following.code}")  # the file has arrived, its words have not
            if not isinstance(following, Sent):
                return following
            outcome = outcome.model_copy(update={"also": (following.id,)}) if number else following
        return outcome

    def probe(self, connection: Connection, http: Http) -> Probed:
        info = Fields(_ask(http, connection, "get_account_info", {}))
        try:
            id, name, handle = info.required_text("id"), info.text("name"), info.text("uri")
        except Wrong as wrong:
            raise ConnectError(f"Viber's answer to get_account_info cannot be read ({wrong})") from None
        sender = connection.settings.get("sender_name") or name
        return Probed(
            accounts=(Account(id=id, name=handle or name),),
            settings={"sender_name": sender[: viber_body.SENDER_NAME]} if sender else {},
        )

    def register(self, connection: Connection, url: str, http: Http) -> str:
        """Viber calls the address while it is asked to: the desk has to know the token already."""
        wanted = {"url": url, "event_types": list(SUBSCRIBED), "send_name": True, "send_photo": False}
        _ask(http, connection, "set_webhook", wanted)
        handle = _bot(connection).name
        return f"Nothing is left to do: open viber://pa?chatURI={handle} on a phone to try it."

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        info = _ask(http, connection, "get_account_info", {})
        webhook, events = info.get("webhook") or "", info.get("event_types")
        if not webhook:
            return (_fault("webhook_missing", "Viber has no address of this desk: connect again"),)
        if webhook != url:
            text = "Viber delivers elsewhere: another program uses this bot. Stop it, then connect again"
            return (_fault("webhook_elsewhere", text),)
        missing = [name for name in OPTIONAL if not isinstance(events, list) or name not in events]
        if missing:
            return (_fault("not_subscribed", f"Viber does not tell {', '.join(missing)}: connect again"),)
        return ()


def _fault(code: str, text: str) -> Finding:
    return Finding(level="fault", code=code, text=text)


def _bot(connection: Connection) -> Account:
    """Viber's webhooks do not name the bot: a connection has one."""
    return connection.accounts[0] if connection.accounts else Account(id="")


def _sender_name(connection: Connection) -> str:
    name = connection.settings.get("sender_name") or _bot(connection).name or "Service"
    return name[: viber_body.SENDER_NAME]


def _post_message(body: Mapping[str, Any], connection: Connection, http: Http) -> SendOutcome:
    if viber_body.too_large(body):
        return NotSent(problem=Problem.TOO_LONG, code="size")
    try:
        return outcome_of(_call(http, connection, "send_message", body))
    except NotConnected:
        return NotSent(problem=Problem.TEMPORARY, code="not_connected")
    except NoAnswer:
        return Unknown(code="no_answer")


def _ask(http: Http, connection: Connection, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A call of the set-up: the answer, or what a person has to do instead."""
    try:
        answer = _call(http, connection, method, body)
    except (NotConnected, NoAnswer) as error:
        raise ConnectError(
            f"chatapi.viber.com did not answer ({error}): check the network and its proxy, then try again",
            "no_answer",
        ) from None
    status = status_of(answer)
    if status == 0:
        return answer.json
    code = "token_refused" if status == INVALID_TOKEN else "refused"
    words = _REMEDIES.get(status, f"Viber refused {method}: status {status or answer.status}")
    raise ConnectError(words, code)


_REMEDIES: Mapping[int | None, str] = {
    1: (
        "Viber called the desk's address and was not answered with 200. After a new token the desk needs up "
        "to 5 minutes to know it: connect again then"
    ),
    INVALID_TOKEN: "Viber does not know this token: copy it again, whole, from Edit info of the bot",
    7: "Viber has blocked this bot: ask Viber's support",
    8: "Viber does not know this bot any more",
    9: "Viber has suspended this bot: ask Viber's support",
    15: "this token may not do that: ask Viber's support",
}


def _call(http: Http, connection: Connection, method: str, body: Mapping[str, Any]) -> Answer:
    token = next((token for token in connection.secrets if token), "")
    if not (token.isascii() and token.isprintable()):
        token = ""  # no header can hold it; Viber answers that it is invalid
    return http.request("POST", f"{API}/{method}", json_body=body, headers={TOKEN_HEADER: token})
