"""Telegram: bots, groups, and a business account's private chats. https://core.telegram.org/bots/api

Telegram signs no body: it returns the secret that the registration gave it. Updates come in order
per chat and are repeated for 24 hours until answered with 2xx, so one that fails holds its chat up.
The bot's token is part of every address called: it must never reach an error, a log or a result.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import quote

from sportello.channels.base import (
    Account,
    Button,
    Channel,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Request,
    SendOutcome,
    Sent,
    Unit,
    Unknown,
    measure,
)
from sportello.channels.body import read_object
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.signatures import any_equal
from sportello.channels.telegram_chat import BUSINESS, message_id
from sportello.channels.telegram_updates import HANDLED, event_of
from sportello.channels.telegram_wire import Fields, Wrong
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import DAY, Instant

API = "https://api.telegram.org"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
BUSINESS_WINDOW = DAY
"""A bot may answer for a business account while the customer's last message is younger."""
MAX_CALLBACK_BYTES = 64
MAX_BUTTONS = 100
_SECRET_FORM = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MESSAGE_ID = re.compile(r"-?\d+:([1-9]\d*)(:.+)?")

# What the description of a 400 contains; matched in lower case, since its words are no contract.
_BAD_REQUESTS: tuple[tuple[str, Problem], ...] = (
    ("chat not found", Problem.UNREACHABLE),
    ("user not found", Problem.UNREACHABLE),
    ("peer_id_invalid", Problem.UNREACHABLE),
    ("not enough rights to send", Problem.UNREACHABLE),
    ("have no rights to send", Problem.UNREACHABLE),
    ("message is too long", Problem.TOO_LONG),
    ("message text is empty", Problem.EMPTY),
    ("business_peer_usage_missing", Problem.WINDOW_CLOSED),
    ("business_peer_invalid", Problem.UNREACHABLE),
    ("business_connection_invalid", Problem.RECONNECT),
    ("business_connection_not_allowed", Problem.RECONNECT),
    ("business connection not found", Problem.RECONNECT),
)


class Destination(NamedTuple):
    chat: int
    business: str


class Telegram(Channel):
    name: ClassVar[str] = "telegram"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "messenger"
    text_limit: ClassVar[int] = 4096
    text_unit: ClassVar[Unit] = "utf16"
    deadline: ClassVar[Instant] = 50_000

    def verify(self, request: Request, connection: Connection) -> bool:
        return any_equal(connection.secrets, request.headers.get(SECRET_HEADER, ""))

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        update = read_object(request.body)
        bot = connection.accounts[0] if connection.accounts else Account(id="")
        try:
            return (event_of(Fields(update, ""), bot),)
        except Wrong as wrong:
            return (Unreadable(account=bot.id, fragment=update, why=str(wrong)),)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or not _fit(message.buttons):
            return Problem.REFUSED
        problem = super().refusal(message, last_inbound, now)
        if problem is None and message.to.startswith(BUSINESS) and _is_old(last_inbound, now):
            return Problem.WINDOW_CLOSED
        return problem

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        destination = _destination(message.to)
        if destination is None:
            return NotSent(problem=Problem.REFUSED, code="address")
        try:
            answer = _call(http, connection, "sendMessage", _send_message(message, destination))
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return _outcome(answer, destination)

    def probe(self, connection: Connection, http: Http) -> Mapping[str, Any]:
        """``{"id", "name"}`` of the bot whose token this is."""
        bot = _ask(http, connection, "getMe", {})
        try:
            found = Fields(bot, "result.")
            return {"id": str(found.whole("id")), "name": found.required_text("username")}
        except Wrong as wrong:
            raise ConnectError(f"Telegram's answer to getMe cannot be read ({wrong}); try again") from None

    def register(self, connection: Connection, url: str, http: Http) -> str:
        secret = connection.secrets[0] if connection.secrets else ""
        if not _SECRET_FORM.fullmatch(secret):
            raise ConnectError(
                "the webhook secret must be 1 to 256 of A-Z, a-z, 0-9, _ and -; make a new one, for example "
                "with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        _ask(
            http,
            connection,
            "setWebhook",
            {"url": url, "secret_token": secret, "allowed_updates": list(HANDLED)},
        )
        info = _ask(http, connection, "getWebhookInfo", {})
        if info.get("url") != url:
            raise ConnectError(
                "Telegram delivers to another address than the one just registered: another program uses "
                "this bot. Stop it, or make a bot of your own with @BotFather, then connect again"
            )
        return _left_to_do(connection)


def _fit(buttons: Sequence[Button]) -> bool:
    return len(buttons) <= MAX_BUTTONS and all(
        button.title.strip() and 1 <= measure(button.id, "bytes") <= MAX_CALLBACK_BYTES for button in buttons
    )


def _is_old(last_inbound: Instant | None, now: Instant) -> bool:
    return last_inbound is None or now >= last_inbound + BUSINESS_WINDOW


def _destination(address: str) -> Destination | None:
    business, _, chat = address.removeprefix(BUSINESS).rpartition(":")
    if address.startswith(BUSINESS) != bool(business) or not re.fullmatch(r"-?[0-9]{1,19}", chat):
        return None
    return Destination(int(chat), business)


def _send_message(message: Outbound, destination: Destination) -> dict[str, Any]:
    """Without ``parse_mode``: text is sent as it stands, and no stray character can be refused."""
    body: dict[str, Any] = {"chat_id": destination.chat, "text": message.text}
    if destination.business:
        body["business_connection_id"] = destination.business
    if quoted := _MESSAGE_ID.fullmatch(message.quote):
        body["reply_parameters"] = {"message_id": int(quoted[1]), "allow_sending_without_reply": True}
    if message.buttons:
        rows = [[{"text": button.title, "callback_data": button.id}] for button in message.buttons]
        body["reply_markup"] = {"inline_keyboard": rows}
    return body


def _outcome(answer: Answer, destination: Destination) -> SendOutcome:
    content = answer.json
    if content.get("ok") is True:
        return _sent(content, destination)
    code = content.get("error_code")
    if not isinstance(code, int) or answer.status >= 500:
        code = answer.status
    if not 400 <= code < 500:
        return Unknown(code=str(code))
    description = content.get("description")
    parameters = content.get("parameters")
    return _not_sent(
        code,
        description.lower() if isinstance(description, str) else "",
        parameters if isinstance(parameters, dict) else {},
    )


def _sent(content: dict[str, Any], destination: Destination) -> SendOutcome:
    try:
        number = Fields(content, "").part("result").whole("message_id")
    except Wrong:
        return Unknown(code="no_message_id")
    return Sent(id=message_id(destination.chat, number, destination.business))


def _not_sent(code: int, description: str, parameters: dict[str, Any]) -> NotSent:
    if code == 429:
        return NotSent(problem=Problem.BUSY, code="429", wait=_seconds(parameters.get("retry_after")))
    if code == 403:
        return NotSent(problem=Problem.UNREACHABLE, code="403")
    if code in (401, 404):
        return NotSent(problem=Problem.RECONNECT, code=str(code))
    new_chat = parameters.get("migrate_to_chat_id")
    if isinstance(new_chat, int):
        return NotSent(problem=Problem.TEMPORARY, code=str(code), moved_to=str(new_chat))
    for words, problem in _BAD_REQUESTS:
        if words in description:
            return NotSent(problem=problem, code=str(code))
    return NotSent(problem=Problem.REFUSED, code=str(code))


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 2**31 else None


def _ask(http: Http, connection: Connection, method: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call of the set-up: its ``result``, or what a person has to do instead."""
    try:
        answer = _call(http, connection, method, body)
    except (NotConnected, NoAnswer) as error:
        raise ConnectError(
            f"api.telegram.org did not answer ({error}): check the network and its proxy, then connect again"
        ) from None
    content = answer.json
    if content.get("ok") is True:
        result = content.get("result")
        return result if isinstance(result, dict) else {}
    if answer.status in (401, 404):
        raise ConnectError(
            "Telegram does not know this token. Copy it again: in Telegram write /mybots to @BotFather, "
            "choose the bot, then API Token"
        )
    raise ConnectError(f"Telegram refused {method}: {_reason(answer, connection)}")


def _reason(answer: Answer, connection: Connection) -> str:
    description = answer.json.get("description")
    words = description if isinstance(description, str) and description else f"status {answer.status}"
    for secret in (connection.token, *connection.secrets):
        words = words.replace(secret, "(hidden)") if secret else words
    return words[:300]


def _left_to_do(connection: Connection) -> str:
    name = connection.accounts[0].name if connection.accounts else ""
    return f"Nothing is left to do: write to https://t.me/{name} to try it." if name else ""


def _call(http: Http, connection: Connection, method: str, body: dict[str, Any]) -> Answer:
    token = quote(connection.token, safe=":", errors="replace")
    return http.request("POST", f"{API}/bot{token}/{method}", json_body=body)
