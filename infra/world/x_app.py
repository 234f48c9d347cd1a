"""The app's side of X: its one webhook, the challenge, and what it is subscribed to."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import urllib3

from infra.world.state import State
from infra.world.wire import Answer, Call, json_answer
from infra.world.x_account import EVENTS, XAccount, signature
from infra.world.x_answers import Refused

WEBHOOK = re.compile(r"/2/webhooks/([0-9]+)")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def as_app(state: State, account: XAccount, call: Call) -> Answer:
    """A call with the app's bearer token: its webhook, and the list of its subscriptions."""
    if call.path == "/2/activity/subscriptions":
        listed = [_subscription(account, name) for name in account.events if account.webhook_url]
        return json_answer(200, {"data": listed, "meta": {"total_subscriptions": len(listed)}})
    if call.path == "/2/webhooks" and call.method == "GET":
        known = [_webhook(account)] if account.webhook_url else []
        return json_answer(200, {"data": known, "meta": {"result_count": len(known)}})
    if call.path == "/2/webhooks" and call.method == "POST":
        return _register(state, account, str((call.json or {}).get("url", "")))
    if WEBHOOK.fullmatch(call.path) and call.method == "PUT" and account.webhook_url:
        _challenge(state, account)
        state.keep_account("x", account.model_copy(update={"valid": True}))
        return json_answer(200, {"data": {"valid": True}})
    raise Refused(404, "Not Found", "Not Found")


def _register(state: State, account: XAccount, url: str) -> Answer:
    if account.webhook_url == url:
        raise Refused(400, "DuplicateUrlFailed", "Invalid Request")
    if account.webhook_url:
        raise Refused(400, "Too many resources already created (WebhookLimitExceeded)", "Invalid Request")
    parts = urlsplit(url)
    if len(url) > 200 or (parts.hostname not in LOOPBACK and (parts.scheme != "https" or parts.port)):
        raise Refused(400, "UrlValidationFailed", "Invalid Request")
    changed = account.model_copy(update={"webhook_url": url, "valid": True, "events": ()})
    _challenge(state, changed)
    state.keep_account("x", changed)
    return json_answer(200, {"data": _webhook(changed)})


def _challenge(state: State, account: XAccount) -> None:
    """Not under the state's lock: somebody else answers."""
    token = f"local-{state.next('x challenges')}"
    try:
        answer = urllib3.request(
            "GET", f"{account.webhook_url}?crc_token={token}", timeout=10, retries=False, redirect=False
        )
        given = json.loads(answer.data) if answer.status == 200 else {}
    except (urllib3.exceptions.HTTPError, ValueError):
        given = {}
    if not isinstance(given, dict) or given.get("response_token") != signature(account, token.encode()):
        raise Refused(400, "CrcValidationFailed", "Invalid Request")


def subscribe(state: State, account: XAccount, call: Call) -> Answer:
    """A call signed by the account whose events they are."""
    body = call.json or {}
    name, filter = body.get("event_type"), body.get("filter")
    ours = isinstance(filter, dict) and filter.get("user_id") == account.id
    if name not in EVENTS or not ours or body.get("webhook_id") != account.webhook_id:
        raise Refused(400, "One or more parameters to your request was invalid.", "Invalid Request")
    if name in account.events:
        raise Refused(409, "duplicate subscription", "Conflict")
    changed = account.model_copy(update={"events": (*account.events, str(name))})
    state.keep_account("x", changed)
    return json_answer(200, {"data": {"subscription": _subscription(changed, str(name))}})


def _subscription(account: XAccount, name: str) -> dict[str, Any]:
    number = str(EVENTS.index(name) + 1) if name in EVENTS else "0"
    filter = {"user_id": account.id}
    known = {"subscription_id": number, "event_type": name, "filter": filter, "tag": "sportello"}
    return known | {"webhook_id": account.webhook_id}


def _webhook(account: XAccount) -> dict[str, Any]:
    return {"id": account.webhook_id, "url": account.webhook_url, "valid": account.valid}
