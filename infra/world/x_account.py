"""The accounts of ours that exist at X, and what X posts to us about them."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from infra.world.model import Person, PlatformAccount, Webhook
from infra.world.state import State
from sportello.domain.model import Instant

FIRST_USER = 7_000_000_000_000_000_000
EPOCH = 1_288_834_974_657
EVENTS = (
    "dm.received", "dm.sent", "dm.read", "chat.received", "chat.sent", "post.mention.create",
    "post.reply.create", "post.quote.create", "post.create", "post.delete",
)  # fmt: skip
ANYWAY = ("oauth.revoke",)
"""Told without a subscription."""


class XAccount(PlatformAccount):
    """One account, the app whose keys act for it, and the app's one webhook."""

    username: str
    name: str = ""
    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str
    access_level: str = "read-write-directmessages"
    webhook_id: str = "1900000000000000001"
    valid: bool = True
    """X has been answered its challenge."""
    events: tuple[str, ...] = EVENTS
    """What the webhook is subscribed to."""
    message_burst: int = 15
    """Direct messages in a quarter of an hour."""


LOCAL_ACCOUNT = XAccount(
    id="9100000000000000001",
    username="LocalDesk",
    name="Local Desk",
    consumer_key="local-consumer-key",
    consumer_secret="local-consumer-secret",  # noqa: S106 opens nothing
    token="9100000000000000001-local-token",  # noqa: S106
    token_secret="local-token-secret",  # noqa: S106
    message_burst=500,  # X's own limit would stop a scene with several customers
)


def user_of(person: Person) -> str:
    return str(FIRST_USER + person.number)


def next_id(state: State, time: Instant) -> str:
    """As X makes them: the upper bits are the time."""
    return str((max(time - EPOCH, 0) << 22) | (state.next("x ids") & 0x3FFFFF))


def iso(time: Instant) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def signature(account: XAccount, message: bytes) -> str:
    digest = hmac.new(account.consumer_secret.encode(), message, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


def activity(
    state: State, account: XAccount, address: str, kind: str, payload: dict[str, Any], message_id: str = "",
    includes: dict[str, Any] | None = None,
) -> Webhook:  # fmt: skip
    """One event of the Activity API, signed over the very bytes that are sent."""
    number = state.next("x webhooks")
    data = {"event_uuid": str(number), "filter": {"user_id": account.id}, "event_type": kind}
    data |= {"tag": "sportello", "payload": payload, "includes": includes or {}}
    body = json.dumps({"data": data}, separators=(",", ":"))
    return Webhook(
        id=f"x-{number}",
        channel="x",
        account=account.id,
        address=address,
        message_id=message_id,
        url=account.webhook_url,
        headers={
            "Content-Type": "application/json",
            "X-Twitter-Webhooks-Signature": signature(account, body.encode()),
        },
        body=body,
    )


def withheld(account: XAccount, kind: str) -> str:
    """Why X does not deliver this event; empty: it does."""
    if not account.webhook_url:
        return "no webhook is set"
    if not account.valid:
        return "X gave the webhook up: its challenge was not answered"
    return "" if kind in (*account.events, *ANYWAY) else f"the webhook is not subscribed to {kind}"


def direct_message(
    sender: str, recipient: str, id: str, time: Instant, data: dict[str, Any], people: dict[str, Any]
) -> dict[str, Any]:
    """The payload of ``dm.received`` and ``dm.sent``."""
    created = {"target": {"recipient_id": recipient}, "sender_id": sender, "message_data": data}
    event = {"type": "message_create", "id": id, "created_timestamp": str(time), "message_create": created}
    return {"direct_message_events": [event], "users": people}


def user(id: str, name: str, username: str) -> dict[str, Any]:
    return {"id": id, "name": name, "username": username, "verified": False, "protected": False}
