"""Connecting a bot and looking after it. https://core.telegram.org/bots/api#setwebhook"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from sportello.channels.base import Account, ConnectError, Connection, Finding, Probed, Question
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.telegram_updates import HANDLED

API = "https://api.telegram.org"
QUESTIONS = (
    Question(name="token", text="Token of the bot, from @BotFather", secret=True),
    Question(name="secret", text="What Telegram returns with every webhook", secret=True, made=True),
)
MANY_WAITING = 20
"""Updates that wait for our answer; a few always may, in the moment of asking."""
RECENT_SECONDS = 3600
_SECRET_FORM = re.compile(r"[A-Za-z0-9_-]{1,256}")


def call(http: Http, connection: Connection, method: str, body: dict[str, Any]) -> Answer:
    return http.request("POST", method_url(connection, method), json_body=body)


def method_url(connection: Connection, method: str) -> str:
    """The token is part of it: it must never reach an error, a log or a result."""
    token = quote(connection.token, safe=":", errors="replace")
    return f"{API}/bot{token}/{method}"


def probe(connection: Connection, http: Http) -> Probed:
    """The bot whose token this is."""
    bot = _ask(http, connection, "getMe", {})
    try:
        found = Fields(bot, "result.")
        account = Account(id=str(found.whole("id")), name=found.required_text("username"))
    except Wrong as wrong:
        raise ConnectError(f"Telegram's answer to getMe cannot be read ({wrong}); try again") from None
    return Probed(accounts=(account,))


def register(connection: Connection, url: str, http: Http) -> str:
    secret = connection.secrets[0] if connection.secrets else ""
    if not _SECRET_FORM.fullmatch(secret):
        raise ConnectError(
            "the webhook secret must be 1 to 256 of A-Z, a-z, 0-9, _ and -; make a new one, for example "
            "with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    asked = {"url": url, "secret_token": secret, "allowed_updates": list(HANDLED)}
    _ask(http, connection, "setWebhook", asked)
    info = _ask(http, connection, "getWebhookInfo", {})
    if info.get("url") != url:
        raise ConnectError(
            "Telegram delivers to another address than the one just registered: another program uses "
            "this bot. Stop it, or make a bot of your own with @BotFather, then connect again"
        )
    return _left_to_do(connection)


def examine(connection: Connection, url: str, http: Http) -> Sequence[Finding]:
    info = _ask(http, connection, "getWebhookInfo", {})
    try:
        return tuple(_findings(Fields(info, "result."), url))
    except Wrong as wrong:
        raise ConnectError(f"Telegram's answer to getWebhookInfo cannot be read ({wrong})") from None


def _findings(info: Fields, url: str) -> Iterator[Finding]:
    registered = info.text("url")
    if registered != url:
        yield _elsewhere(registered)
        return
    asked = info.values.get("allowed_updates")
    if isinstance(asked, list) and (missing := [name for name in HANDLED if name not in asked]):
        text = f"Telegram does not deliver {', '.join(missing)}: connect the bot again"
        yield Finding(level="fault", code="not_subscribed", text=text)
    waiting = info.values.get("pending_update_count")
    if isinstance(waiting, int) and waiting >= MANY_WAITING:
        text = f"{waiting} updates wait at Telegram for our answer: look at the function's log"
        yield Finding(level="warning", code="updates_wait", text=text)
    at = info.values.get("last_error_date")
    if isinstance(at, int) and time.time() - at < RECENT_SECONDS:
        why = info.text("last_error_message")[:120] or "no reason given"
        text = f"a delivery failed in the last hour: {why}"
        yield Finding(level="warning", code="delivery_failed", text=text)


def _elsewhere(registered: str) -> Finding:
    if not registered:
        text = "no webhook is registered, so Telegram delivers nothing: connect the bot again"
        return Finding(level="fault", code="webhook_missing", text=text)
    host = urlsplit(registered).hostname or "another address"
    text = f"Telegram delivers to {host}, not here: stop the program that took the bot, then connect it again"
    return Finding(level="fault", code="webhook_elsewhere", text=text)


def _ask(http: Http, connection: Connection, method: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call of the set-up: its ``result``, or what a person has to do instead."""
    try:
        answer = call(http, connection, method, body)
    except (NotConnected, NoAnswer) as error:
        raise ConnectError(
            f"api.telegram.org did not answer ({error}): check the network and its proxy, then connect again",
            code="no_answer",
        ) from None
    content = answer.json
    if content.get("ok") is True:
        result = content.get("result")
        return result if isinstance(result, dict) else {}
    if answer.status in (401, 404):
        raise ConnectError(
            "Telegram does not know this token. Copy it again: in Telegram write /mybots to @BotFather, "
            "choose the bot, then API Token",
            code="token_refused",
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
