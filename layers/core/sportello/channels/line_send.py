"""What is sent: an answer with the reply token while it is fresh, else a push that can be repeated.

A reply is free of charge, and its token good once and for about a minute. A push counts against the
plan's monthly quota and carries a key derived from our tag: LINE takes each key once, so a push whose
end nobody knows is simply made again.
"""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from sportello.channels.base import (
    Button,
    Connection,
    NotSent,
    Outbound,
    Problem,
    SendOutcome,
    Sent,
    Unknown,
)
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.line_files import URL_LIMIT
from sportello.channels.line_wire import call, reason, usable
from sportello.domain.model import SECOND

FRESH = 50 * SECOND
"""LINE says "within one minute"; one that turns out to be too old costs a call and nothing else."""
KEYS = uuid.UUID("5f0c7a52-6a3d-5b0e-9d6b-0d9a1f2c7e11")
BUTTONS = 13
LABEL = 20
DATA = 300
SEPARATOR = "\n"
"""Between a choice's id and its words: LINE returns nothing but the data of a tap."""
THROTTLE_SECONDS = 10.0
MONTHLY = "monthly limit"


def fit(buttons: Sequence[Button]) -> bool:
    """Quick replies: up to 13, each with up to 20 characters, and an id that fits beside them."""
    return len(buttons) <= BUTTONS and all(
        button.title.strip() and len(button.title) <= LABEL and button.id and len(_data(button)) <= DATA
        for button in buttons
    )


def send(message: Outbound, connection: Connection, http: Http) -> SendOutcome:
    if not usable(connection.token):
        return NotSent(problem=Problem.RECONNECT, code="token")
    if message.attachment is not None and not 0 < len(message.attachment.url) <= URL_LIMIT:
        return NotSent(problem=Problem.MEDIA, code="address")
    if token := _fresh_token(message):
        outcome = _reply(message, token, connection, http)
        if outcome is not None:
            return outcome
    return _push(message, connection, http)


def _fresh_token(message: Outbound) -> str:
    """LINE's clock may be a little ahead of ours."""
    at = message.context.get("at", "")
    age = time.time() * SECOND - int(at) if at.isdigit() else FRESH
    return message.context.get("reply_token", "") if abs(age) < FRESH else ""


def _reply(message: Outbound, token: str, connection: Connection, http: Http) -> SendOutcome | None:
    """None: the token has been used or is too old, and nothing was sent."""
    body = {"replyToken": token, "messages": messages(message)}
    try:
        answer = call(http, connection, "POST", "/v2/bot/message/reply", body)
    except NotConnected:
        return NotSent(problem=Problem.TEMPORARY, code="not_connected")
    except NoAnswer:
        return Unknown(code="no_answer")
    if answer.status == 400 and "reply token" in reason(answer).lower():
        return None
    return Unknown(code=str(answer.status)) if answer.status >= 500 else outcome_of(answer)


def _push(message: Outbound, connection: Connection, http: Http) -> SendOutcome:
    body = {"to": message.to, "messages": messages(message)}
    headers = {"x-line-retry-key": str(uuid.uuid5(KEYS, message.tag))} if message.tag else {}
    try:
        answer = call(http, connection, "POST", "/v2/bot/message/push", body, headers=headers)
    except NotConnected:
        return NotSent(problem=Problem.TEMPORARY, code="not_connected")
    except NoAnswer:
        return _again(message, "no_answer")
    return _again(message, str(answer.status)) if answer.status >= 500 else outcome_of(answer)


def _again(message: Outbound, code: str) -> SendOutcome:
    """Under the same key a push that was taken is not taken again: it may be tried like one that was not."""
    return NotSent(problem=Problem.TEMPORARY, code=code) if message.tag else Unknown(code=code)


def messages(message: Outbound) -> list[dict[str, Any]]:
    """The message objects of one call: the picture, then the words; the choices hang on the last."""
    found: list[dict[str, Any]] = []
    if message.attachment is not None:
        url = message.attachment.url
        found.append({"type": "image", "originalContentUrl": url, "previewImageUrl": url})
    if message.text.strip():
        text: dict[str, Any] = {"type": "text", "text": message.text}
        if message.quote and message.context.get("message") == message.quote:
            text["quoteToken"] = message.context.get("quote_token", "")
        found.append({name: value for name, value in text.items() if value})
    if message.buttons and found:
        found[-1]["quickReply"] = {"items": [_choice(button) for button in message.buttons]}
    return found


def _choice(button: Button) -> dict[str, Any]:
    action = {"type": "postback", "label": button.title, "data": _data(button), "displayText": button.title}
    return {"type": "action", "action": action}


def _data(button: Button) -> str:
    return f"{button.id}{SEPARATOR}{button.title}"


# --- what comes back -------------------------------------------------------------------------------


def outcome_of(answer: Answer) -> SendOutcome:
    if answer.status in (200, 409):
        return _sent(answer)
    if answer.status == 429:
        if MONTHLY in reason(answer).lower():  # until next month, or until somebody changes the plan
            return NotSent(problem=Problem.RECONNECT, code="429 monthly")
        return NotSent(problem=Problem.BUSY, code="429", wait=THROTTLE_SECONDS)
    if answer.status in (401, 403):
        return NotSent(problem=Problem.RECONNECT, code=str(answer.status))
    if answer.status == 400 and _is_about_the_address(answer):
        return NotSent(problem=Problem.UNREACHABLE, code="400")
    if 400 <= answer.status < 500 and answer.status != 408:
        return NotSent(problem=Problem.REFUSED, code=str(answer.status))
    return Unknown(code=str(answer.status))


def _sent(answer: Answer) -> SendOutcome:
    """409: this key was taken before, so the message is sent."""
    taken = answer.json.get("sentMessages")
    first = taken[0] if isinstance(taken, list) and taken and isinstance(taken[0], dict) else {}
    id = first.get("id") or answer.headers.get("x-line-accepted-request-id", "")
    return Sent(id=str(id)) if id else Unknown(code=f"{answer.status} without an id")


def _is_about_the_address(answer: Answer) -> bool:
    details = answer.json.get("details")
    listed = details if isinstance(details, list) else []
    named = [detail.get("property") for detail in listed if isinstance(detail, dict)]
    return "to" in named or "'to'" in reason(answer)
