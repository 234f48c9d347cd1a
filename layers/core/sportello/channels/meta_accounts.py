"""Connecting a Page or an Instagram account, and looking after it: subscriptions, tokens, access.

An app has one address per kind of object (``/{app-id}/subscriptions``, the app's own token), and each
Page or account subscribes the app besides (``/{id}/subscribed_apps``): without the second one nothing
comes. Source: Graph API "App subscriptions", "Page subscribed_apps", "Debug token" (v26.0).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from sportello.channels import graph
from sportello.channels.base import ConnectError, Connection, Finding, Problem
from sportello.channels.graph import objects
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.meta_errors import problem_of

MESSAGES_OFF = 2534041
"""The subcode of an Instagram account that does not let apps read its messages."""
CHALLENGE_FAILED = 2200
SOON = 7 * 24 * 3600
"""A token that ends within so many seconds is told of."""


class Desk(NamedTuple):
    """One of our accounts at the platform, as its calls need it."""

    object: str
    """``page`` or ``instagram``."""
    fields: tuple[str, ...]
    """What the webhook reads: the app subscribes to it."""
    node: str
    """The path that stands for the account: a Page's id, or ``me``."""
    account_fields: tuple[str, ...]
    """What the Page or account has to send."""
    host: str
    permissions: str
    """For the remedy."""


def asked(
    method: str,
    path: str,
    connection: Connection,
    http: Http,
    *,
    permissions: str,
    query: str = "",
    json_body: Mapping[str, Any] | None = None,
    host: str = graph.HOST,
    token: str = "",
) -> Answer:
    """A call of the set-up; ``ConnectError`` says what a person has to do instead."""
    if not graph.usable(token or connection.token):
        text = "The token is empty or holds spaces or accents: copy it again, whole."
        raise ConnectError(text, "token_refused")
    name = host.removeprefix("https://")
    try:
        answer = graph.call(
            method, path, connection, http, query=query, json_body=json_body, host=host, token=token
        )
    except (NotConnected, NoAnswer):
        text = f"{name} gave no answer: check the network and try again."
        raise ConnectError(text, "no_answer") from None
    failure = graph.failure(answer)
    if failure:
        raise ConnectError(_remedy(failure, permissions, bool(token)), _word(failure, bool(token)))
    if answer.status != 200:
        raise ConnectError(f"{name} answered {answer.status}: try again later.")
    return answer


def app_token(connection: Connection) -> str:
    """The app's own token; empty where app id or app secret is not known."""
    app, secret = connection.settings.get("app_id", ""), next(iter(connection.secrets), "")
    return f"{app}|{secret}" if app and secret else ""


def prove_secret(connection: Connection, app_id: str, http: Http) -> None:
    """The app secret is of the app whose token this is."""
    token = f"{app_id}|{next(iter(connection.secrets), '')}"
    asked("GET", quote(app_id, safe=""), connection, http, permissions="", query="fields=id", token=token)


def set_address(desk: Desk, connection: Connection, url: str, http: Http) -> None:
    """Give the app its address for this kind of object; Meta calls it at once to prove it."""
    verify_token = connection.settings.get("verify_token", "")
    if not verify_token:
        raise ConnectError("The verify token is missing: connect again, it is made by itself.")
    body = {
        "object": desk.object,
        "callback_url": url,
        "verify_token": verify_token,
        "fields": ",".join(desk.fields),
        "include_values": True,
    }
    path = f"{quote(connection.settings['app_id'], safe='')}/subscriptions"
    asked(
        "POST",
        path,
        connection,
        http,
        permissions=desk.permissions,
        json_body=body,
        token=app_token(connection),
    )


def subscribe(desk: Desk, connection: Connection, http: Http) -> None:
    """The Page or account sends the app what happens on it, besides what it sends already."""
    ours = _own_app(desk, connection, http) or {}
    sent = [str(field) for field in _list(ours, "subscribed_fields")]
    fields = ",".join(dict.fromkeys((*sent, *desk.account_fields)))
    path, query = f"{desk.node}/subscribed_apps", urlencode({"subscribed_fields": fields})
    asked("POST", path, connection, http, permissions=desk.permissions, query=query, host=desk.host)


def examine(desk: Desk, connection: Connection, url: str, http: Http) -> list[Finding]:
    """Address, subscriptions, and the token's end and permissions, as far as Meta tells."""
    found: list[Finding] = []
    if app_token(connection):
        found += _guarded(lambda: _address(desk, connection, url, http))
        found += _guarded(lambda: _token(desk, connection, http))
    return found + _guarded(lambda: _subscribed(desk, connection, http))


def fault(code: str, text: str) -> Finding:
    return Finding(level="fault", code=code, text=text)


def _guarded(look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except ConnectError as error:
        return [fault(error.code, str(error))]


def _address(desk: Desk, connection: Connection, url: str, http: Http) -> list[Finding]:
    path = f"{quote(connection.settings['app_id'], safe='')}/subscriptions"
    answer = asked("GET", path, connection, http, permissions=desk.permissions, token=app_token(connection))
    ours = next((one for one in objects(answer.json, "data") if one.get("object") == desk.object), None)
    if ours is None:
        return [fault("webhook_missing", f"The app has no webhook for {desk.object}: connect again.")]
    if ours.get("callback_url") != url:
        return [
            fault("webhook_elsewhere", f"The app delivers {desk.object} to another address: connect again.")
        ]
    if ours.get("active") is False:
        return [fault("webhook_missing", f"The app's webhook for {desk.object} is off: connect again.")]
    return _lacking(desk.fields, [field.get("name") for field in objects(ours, "fields")], "The app")


def _subscribed(desk: Desk, connection: Connection, http: Http) -> list[Finding]:
    ours = _own_app(desk, connection, http)
    if ours is None:
        text = "The account sends this app nothing (Meta stops after an hour of failures): connect again."
        return [fault("not_subscribed", text)]
    return _lacking(desk.account_fields, _list(ours, "subscribed_fields"), "The account")


def _own_app(desk: Desk, connection: Connection, http: Http) -> dict[str, Any] | None:
    """This app's subscription to the account; where ids are not told, the only one."""
    path, app_id = f"{desk.node}/subscribed_apps", connection.settings.get("app_id", "")
    answer = asked("GET", path, connection, http, permissions=desk.permissions, host=desk.host)
    apps = objects(answer.json, "data")
    return next((app for app in apps if not app_id or str(app.get("id", app_id)) == app_id), None)


def _list(fields: Mapping[str, Any], key: str) -> list[Any]:
    value = fields.get(key)
    return value if isinstance(value, list) else []


def _lacking(wanted: Sequence[str], sent: Sequence[object], who: str) -> list[Finding]:
    missing = sorted(set(wanted) - {str(field) for field in sent})
    if not missing:
        return []
    return [fault("not_subscribed", f"{who} does not send {', '.join(missing)}: connect again.")]


def _token(desk: Desk, connection: Connection, http: Http) -> list[Finding]:
    answer = asked(
        "GET",
        "debug_token",
        connection,
        http,
        permissions=desk.permissions,
        query=urlencode({"input_token": connection.token}),
        token=app_token(connection),
    )
    data = answer.json.get("data")
    facts = data if isinstance(data, dict) else {}
    if facts.get("is_valid") is False:
        return [fault("token_refused", "The token is no longer valid: connect again with a new one.")]
    found = _missing_permissions(desk, facts)
    left = _seconds_left(facts)
    if left is not None and left < SOON:
        text = f"The token ends in {max(0, left) // 86_400} days: connect again with one that does not."
        found.append(Finding(level="warning", code="token_ends", text=text))
    return found


def _missing_permissions(desk: Desk, facts: Mapping[str, Any]) -> list[Finding]:
    scopes = facts.get("scopes")
    if not isinstance(scopes, list):
        return []
    missing = [name for name in desk.permissions.split(", ") if name not in scopes]
    if not missing:
        return []
    text = f"The token lacks {', '.join(missing)}: connect again with one that has them."
    return [fault("permission_missing", text)]


def _seconds_left(facts: Mapping[str, Any]) -> int | None:
    from time import time  # only the operator's command line asks

    ends = [facts.get(key) for key in ("expires_at", "data_access_expires_at")]
    given = [end for end in ends if isinstance(end, int) and end > 0]
    return round(min(given) - time()) if given else None


def _word(failure: graph.Failure, as_app: bool) -> str:
    problem = problem_of(failure)
    if problem in (Problem.BUSY, Problem.TEMPORARY):
        return "busy"
    if failure.code == CHALLENGE_FAILED:
        return "challenge_failed"
    if as_app:
        return "secret_wrong"
    if failure.subcode == MESSAGES_OFF:
        return "messages_off"
    if failure.code == 190:
        return "token_refused"
    return "permission_missing" if problem is Problem.RECONNECT else "refused"


def _remedy(failure: graph.Failure, permissions: str, as_app: bool) -> str:
    texts = {
        "busy": f"The platform is busy ({failure}): try again in a minute.",
        "challenge_failed": (
            f"Our address did not answer Meta's challenge ({failure}): wait a minute after the secret was "
            "stored, then connect again."
        ),
        "secret_wrong": (
            f"The app id or the app secret was refused ({failure}): both stand in the App Dashboard under "
            "App settings > Basic, of the app that the token was made with."
        ),
        "messages_off": (
            f"The Instagram account does not let apps read its messages ({failure}): in the Instagram app "
            "open Settings > Messages and story replies > Connected tools, and allow access to messages."
        ),
        "token_refused": (
            f"The token was refused ({failure}): it is expired, revoked or of another app. Make a new one "
            f"with {permissions}."
        ),
        "permission_missing": f"The token may not do this ({failure}): it needs {permissions}.",
    }
    otherwise = (
        f"This cannot be done with this token ({failure}): it must be the Page's (or the account's) own "
        f"token, not a user's, and have {permissions}."
    )
    return texts.get(_word(failure, as_app), otherwise)
