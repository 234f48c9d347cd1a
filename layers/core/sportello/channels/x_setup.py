"""Connecting an account of X: the webhook of the app, and what it is subscribed to.

https://docs.x.com/x-api/webhooks/introduction and https://docs.x.com/x-api/activity/introduction
"""

from collections.abc import Sequence
from typing import Any

from sportello.channels.base import Account, ConnectError, Connection, Finding, Probed
from sportello.channels.http import Answer, Http
from sportello.channels.x_calls import ask, bearer_of, explained

EVENTS = (
    "dm.received", "dm.sent", "dm.read", "post.mention.create", "post.reply.create", "post.quote.create",
    "post.create",
)  # fmt: skip
"""What the desk reads, each one subscription."""
ENCRYPTED_EVENTS = ("chat.received", "chat.sent")
"""Not every account has them: the desk does without."""
MAX_ADDRESS = 200
_REVOKED = (
    "X does not accept these keys. Copy all four again (developer console > your app > Keys and tokens); "
    "access token and secret have to be made after the app's permission was set to "
    "'Read and write and Direct message'"
)


def probe(connection: Connection, http: Http) -> Probed:
    """Whose access token this is, and whether it may read and write direct messages."""
    answer = ask(http, connection, "GET", "/2/users/me")
    if answer.status in (401, 403):
        raise ConnectError(_REVOKED, "token_refused")
    data = _data(answer)
    if answer.status != 200 or not isinstance(data.get("id"), str):
        raise ConnectError(f"X did not say whose token this is: {explained(answer, connection)}")
    level = answer.headers.get("x-access-level", "")
    if level and "directmessages" not in level:
        raise ConnectError(
            "this access token may not use direct messages. In the developer console set the app's "
            "permission to 'Read and write and Direct message', make the access token and secret anew, and "
            "connect again",
            "permission_missing",
        )
    return Probed(accounts=(Account(id=data["id"], name=str(data.get("username", ""))),))


def register(connection: Connection, url: str, http: Http) -> str:
    if len(url) > MAX_ADDRESS:
        raise ConnectError(f"X takes addresses of at most {MAX_ADDRESS} characters: choose a shorter name")
    bearer = bearer_of(http, connection)
    webhook = _webhook(connection, url, http, bearer)
    present = _subscribed(connection, http, bearer, webhook)
    missing = [name for name in EVENTS if name not in present]
    for name in missing:
        answer = _subscribe(connection, http, webhook, name)
        if answer.status >= 300:
            raise ConnectError(f"X refused the subscription to {name}: {explained(answer, connection)}")
    without = [
        name
        for name in ENCRYPTED_EVENTS
        if name not in present and _subscribe(connection, http, webhook, name).status >= 300
    ]
    handle = connection.accounts[0].name if connection.accounts else ""
    words = f"Nothing is left to do: mention @{handle} or write to it to try it."
    return f"{words} Encrypted chats will not be seen (X refused {', '.join(without)})." if without else words


def examine(connection: Connection, url: str, http: Http) -> Sequence[Finding]:
    bearer = bearer_of(http, connection)
    webhooks = _webhooks(connection, http, bearer)
    ours = next((item for item in webhooks if item.get("url") == url), None)
    if ours is None:
        return (_elsewhere() if webhooks else _missing(),)
    findings = [] if ours.get("valid") is not False else [_revalidated(connection, http, bearer, ours)]
    present = _subscribed(connection, http, bearer, str(ours.get("id", "")))
    if missing := [name for name in EVENTS if name not in present]:
        text = f"X does not deliver {', '.join(missing)}: connect the account again"
        findings.append(Finding(level="fault", code="not_subscribed", text=text))
    return findings


def _elsewhere() -> Finding:
    text = (
        "X delivers this app's events to another address: connect again, or give the desk an app of its own"
    )
    return Finding(level="fault", code="webhook_elsewhere", text=text)


def _missing() -> Finding:
    text = "this app has no webhook at X: connect the account again"
    return Finding(level="fault", code="webhook_missing", text=text)


def _revalidated(connection: Connection, http: Http, bearer: str, webhook: dict[str, Any]) -> Finding:
    """X stops delivering after a failed challenge; asking for a new one starts it again."""
    answer = ask(http, connection, "PUT", f"/2/webhooks/{webhook.get('id', '')}", bearer=bearer)
    if answer.status < 300 and _data(answer).get("valid") is not False:
        text = "X had stopped delivering after a failed challenge; it was asked to try again and does now"
        return Finding(level="warning", code="webhook_was_invalid", text=text)
    text = f"X does not deliver, since our answer to its challenge fails: {explained(answer, connection)}"
    return Finding(level="fault", code="webhook_invalid", text=text)


# --- webhooks ----------------------------------------------------------------------------------------


def _webhook(connection: Connection, url: str, http: Http, bearer: str) -> str:
    """The id of our webhook; made where there is none, challenged again where X gave it up."""
    for known in _webhooks(connection, http, bearer):
        if known.get("url") == url:
            if known.get("valid") is False:
                again = ask(http, connection, "PUT", f"/2/webhooks/{known.get('id')}", bearer=bearer)
                _check(again, connection)
            return str(known.get("id", ""))
    answer = ask(http, connection, "POST", "/2/webhooks", bearer=bearer, json_body={"url": url})
    _check(answer, connection)
    id = _data(answer).get("id") or answer.json.get("id")
    if not isinstance(id, str):
        raise ConnectError("X made the webhook and did not name it: connect again")
    return id


def _check(answer: Answer, connection: Connection) -> None:
    if answer.status < 300:
        return
    words = explained(answer, connection)
    if "limit" in words.lower() or "WebhookLimitExceeded" in str(answer.json):
        raise ConnectError(
            "this app has as many webhooks at X as it may have: another program uses it. Delete that one in "
            "the developer console, or make an app for the desk",
            "webhook_elsewhere",
        )
    if "CrcValidationFailed" in str(answer.json) or "crc" in words.lower():
        raise ConnectError(
            "X asked our webhook for a proof and did not get the right one: is the consumer secret this "
            "app's? Copy it again, then connect again",
            "secret_wrong",
        )
    raise ConnectError(f"X refused the webhook: {words}")


def _webhooks(connection: Connection, http: Http, bearer: str) -> list[dict[str, Any]]:
    answer = ask(http, connection, "GET", "/2/webhooks", bearer=bearer)
    return _listed(answer, "the app's webhooks", connection)


# --- subscriptions -----------------------------------------------------------------------------------


def _subscribe(connection: Connection, http: Http, webhook: str, name: str) -> Answer:
    """Private events are for their owner to give away, so the account's own keys sign."""
    account = connection.accounts[0].id if connection.accounts else ""
    wanted = {"event_type": name, "filter": {"user_id": account}, "tag": "sportello", "webhook_id": webhook}
    return ask(http, connection, "POST", "/2/activity/subscriptions", json_body=wanted)


def _subscribed(connection: Connection, http: Http, bearer: str, webhook: str) -> set[str]:
    account = connection.accounts[0].id if connection.accounts else ""
    answer = ask(http, connection, "GET", "/2/activity/subscriptions?max_results=1000", bearer=bearer)
    return {
        str(item.get("event_type"))
        for item in _listed(answer, "the app's subscriptions", connection)
        if item.get("webhook_id") == webhook and _user_of(item) == account
    }


def _user_of(subscription: dict[str, Any]) -> str:
    filter = subscription.get("filter")
    return str(filter.get("user_id", "")) if isinstance(filter, dict) else ""


def _listed(answer: Answer, what: str, connection: Connection) -> list[dict[str, Any]]:
    if answer.status >= 300:
        raise ConnectError(f"X did not list {what}: {explained(answer, connection)}")
    data = answer.json.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _data(answer: Answer) -> dict[str, Any]:
    data = answer.json.get("data")
    return data if isinstance(data, dict) else {}
