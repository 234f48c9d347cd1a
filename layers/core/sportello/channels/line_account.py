"""Connecting an official account and looking after it, and who its customers are."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from sportello.channels.base import (
    Account,
    ConnectError,
    Connection,
    Finding,
    Probed,
    Profile,
    Question,
)
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.line_wire import GROUP, ROOM, call, usable

QUESTIONS = (
    Question(
        name="token",
        text="Channel access token, long-lived (developers.line.biz > your channel > Messaging API)",
        secret=True,
    ),
    Question(
        name="secret",
        text="Channel secret (developers.line.biz > your channel > Basic settings)",
        secret=True,
    ),
)
ENDPOINT = "/v2/bot/channel/webhook/endpoint"
USE_WEBHOOK = "In developers.line.biz open the channel > Messaging API and switch Use webhook on"


def probe(connection: Connection, http: Http) -> Probed:
    """The account whose token this is; its id is the ``destination`` of webhooks."""
    info = _asked(http, connection, "GET", "/v2/bot/info")
    id, name = info.get("userId"), info.get("basicId") or info.get("displayName")
    if not isinstance(id, str) or not id or not isinstance(name, str):
        raise ConnectError("LINE's answer to /v2/bot/info cannot be read: try again")
    return Probed(accounts=(Account(id=id, name=name),))


def register(connection: Connection, url: str, http: Http) -> str:
    _asked(http, connection, "PUT", ENDPOINT, {"endpoint": url})
    if problem := _tested(connection, url, http):
        raise ConnectError(problem.text, problem.code)
    left = [
        "Switch the account's own answers off, or customers hear both: manager.line.biz > Settings > "
        "Response settings > auto-response messages."
    ]
    if _endpoint(connection, http).get("active") is not True:
        left.insert(0, f"{USE_WEBHOOK}: until then LINE delivers nothing.")
    return "\n".join(left)


def examine(connection: Connection, url: str, http: Http) -> Sequence[Finding]:
    endpoint = _endpoint(connection, http)
    registered = endpoint.get("endpoint")
    if not isinstance(registered, str) or not registered:
        text = "no webhook is registered, so LINE delivers nothing: connect the account again"
        return (Finding(level="fault", code="webhook_missing", text=text),)
    if registered != url:
        host = urlsplit(registered).hostname or "another address"
        text = f"LINE delivers to {host}, not here: connect the account again"
        return (Finding(level="fault", code="webhook_elsewhere", text=text),)
    if endpoint.get("active") is not True:
        return (Finding(level="fault", code="not_subscribed", text=f"{USE_WEBHOOK}: it is off"),)
    problem = _tested(connection, url, http)
    return (problem,) if problem else ()


def profile(address: str, connection: Connection, http: Http) -> Profile | None:
    """A person who is a friend of the account, or a group that it is in; LINE tells nothing of rooms."""
    if address.startswith(ROOM) or not usable(connection.token):
        return None
    id = quote(address, safe="")
    path = f"/v2/bot/group/{id}/summary" if address.startswith(GROUP) else f"/v2/bot/profile/{id}"
    answer = call(http, connection, "GET", path)
    name = answer.json.get("displayName") or answer.json.get("groupName")
    if answer.status != 200 or not isinstance(name, str):
        return None
    language = answer.json.get("language")
    return Profile(name=name, language=language.split("-")[0] if isinstance(language, str) else "")


# --- asking LINE -----------------------------------------------------------------------------------


def _endpoint(connection: Connection, http: Http) -> dict[str, Any]:
    answer = _call(http, connection, "GET", ENDPOINT)
    return {} if answer.status == 404 else _content(answer)


def _tested(connection: Connection, url: str, http: Http) -> Finding | None:
    """LINE delivers a signed webhook without events and tells what it was answered; None: all is well."""
    told = _asked(http, connection, "POST", "/v2/bot/channel/webhook/test", {"endpoint": url})
    if told.get("success") is True:
        return None
    status, why = told.get("statusCode"), told.get("reason")
    if status == 401:
        text = (
            "our function does not accept what LINE signs: the channel secret is of another channel. Copy "
            "it again from developers.line.biz > your channel > Basic settings"
        )
        return Finding(level="fault", code="secret_wrong", text=text)
    text = f"LINE tried the webhook and was answered {status or 'nothing'} ({why or 'no reason given'})"
    return Finding(level="fault", code="delivery_failed", text=text)


def _asked(
    http: Http, connection: Connection, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    return _content(_call(http, connection, method, path, body))


def _call(
    http: Http, connection: Connection, method: str, path: str, body: dict[str, Any] | None = None
) -> Answer:
    if not usable(connection.token):
        raise ConnectError("The token is empty or holds spaces or accents: copy it again", "token_refused")
    try:
        return call(http, connection, method, path, body)
    except (NotConnected, NoAnswer) as error:
        raise ConnectError(
            f"api.line.me did not answer ({error}): check the network and its proxy, then connect again",
            "no_answer",
        ) from None


def _content(answer: Answer) -> dict[str, Any]:
    """Only the status is told: LINE's words may repeat what was sent."""
    if answer.status == 200:
        return answer.json
    if answer.status in (401, 403):
        raise ConnectError(
            "LINE does not accept this token. Issue a long-lived channel access token in developers.line.biz "
            "> your channel > Messaging API, and copy it whole",
            "token_refused",
        )
    if answer.status == 429:
        raise ConnectError("LINE is busy (429): try again in a minute", "busy")
    raise ConnectError(f"LINE refused with status {answer.status}: try again, then look at status.line.me")
