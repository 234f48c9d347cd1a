"""Telegram: bots, groups, and a business account's private chats. https://core.telegram.org/bots/api

Telegram signs no body: it returns the secret that the registration gave it. Updates come in order
per chat and are repeated for 24 hours until answered with 2xx, so one that fails holds its chat up.
The bot's token is part of every address called: it must never reach an error, a log or a result.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from sportello.channels import telegram_account as account
from sportello.channels.base import (
    Account,
    Attachment,
    Button,
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
    Question,
    Request,
    SendOutcome,
    Sent,
    Unit,
    Unknown,
    measure,
)
from sportello.channels.body import read_object
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected, multipart
from sportello.channels.signatures import any_equal
from sportello.channels.telegram_account import call, method_url
from sportello.channels.telegram_chat import BUSINESS, message_id
from sportello.channels.telegram_files import CAPTION_LIMIT, RULES, located, method_of
from sportello.channels.telegram_updates import event_of
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import DAY, Instant

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
BUSINESS_WINDOW = DAY
"""A bot may answer for a business account while the customer's last message is younger."""
MAX_CALLBACK_BYTES = 64
MAX_BUTTONS = 100
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
    shows_buttons: ClassVar[bool] = True
    questions: ClassVar[tuple[Question, ...]] = account.QUESTIONS
    media: ClassVar[Mapping[str, MediaRule]] = RULES
    uploads: ClassVar[bool] = True
    media_hosts: ClassVar[tuple[str, ...]] = ("api.telegram.org",)

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
        if message.attachment is not None and measure(message.text, "utf16") > CAPTION_LIMIT:
            return Problem.TOO_LONG
        problem = super().refusal(message, last_inbound, now)
        if problem is None and message.to.startswith(BUSINESS) and _is_old(last_inbound, now):
            return Problem.WINDOW_CLOSED
        return problem

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        destination = _destination(message.to)
        if destination is None:
            return NotSent(problem=Problem.REFUSED, code="address")
        try:
            if message.attachment is not None:
                answer = _upload(http, connection, message, message.attachment, destination)
            else:
                answer = call(http, connection, "sendMessage", _send_message(message, destination))
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return _outcome(answer, destination)

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        return located(call(http, connection, "getFile", {"file_id": media.id}), connection.token)

    def probe(self, connection: Connection, http: Http) -> Probed:
        return account.probe(connection, http)

    def register(self, connection: Connection, url: str, http: Http) -> str:
        return account.register(connection, url, http)

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return account.examine(connection, url, http)


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


def _upload(
    http: Http, connection: Connection, message: Outbound, file: Attachment, destination: Destination
) -> Answer:
    method, field = method_of(file)
    fields = {"caption" if name == "text" else name: value for name, value in _fields(message, destination)}
    body, content_type = multipart(
        fields, name=field, file_name=file.name or field, content=file.content, mime=file.mime
    )
    return http.request(
        "POST", method_url(connection, method), body=body, headers={"content-type": content_type}
    )


def _fields(message: Outbound, destination: Destination) -> Iterator[tuple[str, str]]:
    """What ``_send_message`` says, as the fields of a form."""
    for name, value in _send_message(message, destination).items():
        yield name, value if isinstance(value, str) else json.dumps(value)


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
