"""From a webhook body of X to events: the Activity API's envelope, and the Account Activity API's.

``{"data": {"event_type", "filter", "payload", "includes"?}}``, one event each; the deprecated one is
``{"for_user_id", "<kind>": [...], "users"?}``. One subscribed account is one ``account`` of ours.
https://docs.x.com/x-api/activity/event-payloads
"""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from sportello.channels.base import Connection, Unparseable
from sportello.channels.fields import Fields, Wrong
from sportello.channels.x_content import id_of, message_content, needed_id, time_in_id, time_of
from sportello.channels.x_posts import event_of, is_repost, post_v1, post_v2
from sportello.domain.events import (
    Connected,
    Customer,
    Delete,
    Echo,
    Ignored,
    Inbound,
    Kind,
    PlatformEvent,
    Receipt,
    Unreadable,
)

ENCRYPTED = "encrypted"
POSTS = ("post.mention.create", "post.reply.create", "post.quote.create", "post.create")
_NO_MATTER = (
    "profile.", "follow.", "like.", "mute.", "block.", "spaces.", "broadcast.", "news.", "chat.",
    "post.repost.", "dm.indicate_typing",
)  # fmt: skip
"""Beginnings of the Activity API's events that ask nobody for anything."""
_OLD_NO_MATTER = """
    favorite_events follow_events unfollow_events block_events unblock_events mute_events unmute_events
    direct_message_indicate_typing_events
"""
OLD_NO_MATTER = frozenset(_OLD_NO_MATTER.split())


def events(body: dict[str, Any], connection: Connection) -> list[PlatformEvent]:
    """All events of a body, in its order; at least one."""
    first = connection.accounts[0].id if connection.accounts else ""
    fields = Fields(body, "")
    if "data" in fields:
        entries = body["data"] if isinstance(body["data"], list) else [body["data"]]
        found = [_guarded(first, one, "data", _activity) for entry in entries for one in _single(entry)]
        return found or [Ignored(account=first, why="no events")]
    if "for_user_id" in fields:
        return list(_account_activity(fields)) or [Ignored(account=_ours(fields), why="no events")]
    if "user_event" in fields:
        return [_guarded(first, body["user_event"], "user_event", _revoked_v1)]
    if "replay_job_status" in fields:
        return [Ignored(account=first, why="replay_job_status")]
    raise Unparseable("the body is no webhook of X")


def _single(entry: Any) -> list[Any]:
    """X promises one message an event, in a list: should there be more, each is an event."""
    payload = entry.get("payload") if isinstance(entry, dict) else None
    for name in ("direct_message_events", "direct_message_mark_read_events"):
        listed = payload.get(name) if isinstance(payload, dict) else None
        if payload is not None and isinstance(listed, list) and len(listed) > 1:
            return [{**entry, "payload": {**payload, name: [one]}} for one in listed]
    return [entry]


def _guarded(
    account: str, entry: Any, where: str, reader: Callable[[Fields, str], PlatformEvent]
) -> PlatformEvent:
    """The event of one entry; an entry that cannot be read goes to quarantine, the others go on."""
    try:
        if not isinstance(entry, dict):
            raise Wrong("an object expected")
        return reader(Fields(entry, f"{where}."), account)
    except Wrong as wrong:
        return Unreadable(account=account, fragment=entry, why=f"{where}: {wrong}"[:200])
    except ValidationError:
        return Unreadable(account=account, fragment=entry, why=f"{where}: not a value of the model")


# --- the Activity API --------------------------------------------------------------------------------


def _activity(data: Fields, first: str) -> PlatformEvent:
    kind, filter = data.required_text("event_type"), data.part_or_none("filter")
    account = (id_of(filter, "user_id") if filter else "") or first
    if kind in _READERS:
        return _READERS[kind](data, account)
    if kind.startswith(_NO_MATTER):
        return Ignored(account=account, why=kind[:64])
    return _unknown(data, account)


def _post(data: Fields, account: str) -> PlatformEvent:
    payload = data.part("payload")
    if is_repost(payload):
        return Ignored(account=account, why="repost")
    if not payload.values and data.text("event_type") == "post.create":
        return Ignored(account=account, why="own post")
    return event_of(post_v2(payload, data.part_or_none("includes")), account)


def _post_deleted(data: Fields, account: str) -> PlatformEvent:
    payload = data.part("payload")
    return _deleted(account, payload.required_text("id"), payload.required_text("author_id"), None)


def _deleted(account: str, post: str, author: str, time: int | None) -> PlatformEvent:
    if author == account:
        return Ignored(account=account, why="own post deleted")
    # X names no conversation here: it is found where the post began one, as a mention does.
    customer = Customer(id=f"{post}:{author}", address=f"post:{post}:{author}")
    return Delete(account=account, customer=customer, originals=(post,), time=time)


def _message(data: Fields, account: str) -> PlatformEvent:
    payload = data.part("payload")
    return _direct_message(payload.required_parts("direct_message_events")[0], payload, account)


def _read(data: Fields, account: str) -> PlatformEvent:
    payload = data.part("payload")
    return _mark_read(payload.required_parts("direct_message_mark_read_events")[0], account)


def _encrypted(data: Fields, account: str) -> PlatformEvent:
    """A message that only the two phones can read: that it came is shown, and asks for an answer.

    Its ciphertext and its conversation token are of no use here and are not kept.
    """
    payload = data.part("payload")
    id, sender = payload.required_text("id"), payload.required_text("sender_id")
    conversation = payload.text("conversation_id")
    if sender == account:
        return _encrypted_echo(payload, account, conversation)
    return Inbound(
        account=account,
        customer=Customer(id=sender, address=sender),
        id=id,
        time=time_of(payload, "created_at_msec"),
        kind=Kind.UNSUPPORTED,
        detail=ENCRYPTED,
        fragment={
            "event_type": data.text("event_type"),
            "id": id,
            "sender_id": sender,
            "conversation_id": conversation,
        },
    )


def _encrypted_echo(payload: Fields, account: str, conversation: str) -> PlatformEvent:
    others = [person for person in conversation.split(":") if person != account]
    if len(others) != 1 or not others[0].isdecimal():
        return Ignored(account=account, why="encrypted group")
    return Echo(
        account=account,
        customer=Customer(id=others[0], address=others[0]),
        id=payload.required_text("id"),
        time=time_of(payload, "created_at_msec"),
        kind=Kind.UNSUPPORTED,
    )


def _revoked(data: Fields, account: str) -> PlatformEvent:
    payload = data.part("payload")
    return Connected(
        account=id_of(payload, "user_id") or account,
        id=data.text("event_uuid") or "revoked",
        time=time_of(payload, "date_time"),
        enabled=False,
        detail="oauth.revoke",
    )


def _unknown(data: Fields, account: str) -> PlatformEvent:
    """An event of tomorrow: kept with its writer; one that names none goes to quarantine."""
    kind, payload = data.text("event_type")[:64], data.part("payload")
    writer = id_of(payload, "sender_id", "author_id")
    if writer == account:
        return Ignored(account=account, why=f"own {kind}")
    if not writer:
        raise Wrong("an event of a known type expected")
    named = ("created_at_msec", "created_timestamp", "created_at")
    return Inbound(
        account=account,
        customer=Customer(id=writer, address=writer),
        id=id_of(payload, "id") or needed_id(data, "event_uuid"),
        time=time_of(payload, *named) if any(name in payload for name in named) else None,
        kind=Kind.UNSUPPORTED,
        detail=kind,
        fragment=data.values,
    )


# --- the Account Activity API ------------------------------------------------------------------------


def _ours(body: Fields) -> str:
    return id_of(body, "for_user_id")


def _account_activity(body: Fields) -> Iterator[PlatformEvent]:
    account = _ours(body)
    for name in body:
        entries = body.values[name]
        if name in OLD_NO_MATTER:
            yield Ignored(account=account, why=name)
        elif name.endswith("_events"):
            for entry in entries if isinstance(entries, list) else [entries]:
                yield _guarded(account, entry, name, _reader_v1(name, body))


def _reader_v1(name: str, body: Fields) -> Callable[[Fields, str], PlatformEvent]:
    match name:
        case "tweet_create_events":
            return _tweet
        case "tweet_delete_events":
            return _tweet_deleted
        case "direct_message_events":
            return lambda entry, account: _direct_message(entry, body, account)
        case "direct_message_mark_read_events":
            return _mark_read
    return _unknown_v1


def _tweet(tweet: Fields, account: str) -> PlatformEvent:
    if "retweeted_status" in tweet:
        return Ignored(account=account, why="repost")
    return event_of(post_v1(tweet), account)


def _tweet_deleted(entry: Fields, account: str) -> PlatformEvent:
    status = entry.part("status")
    time = time_of(entry, "timestamp_ms") if "timestamp_ms" in entry else None
    return _deleted(account, needed_id(status, "id"), needed_id(status, "user_id"), time)


def _unknown_v1(entry: Fields, account: str) -> PlatformEvent:
    raise Wrong("an event of a known type expected")


def _revoked_v1(event: Fields, account: str) -> PlatformEvent:
    revoke = event.part("revoke")
    return Connected(
        account=id_of(revoke.part("source"), "user_id") or account,
        id="revoked",
        time=time_of(revoke, "date_time"),
        enabled=False,
        detail="user_event.revoke",
    )


# --- direct messages, alike in both ------------------------------------------------------------------


def _direct_message(event: Fields, holder: Fields, account: str) -> PlatformEvent:
    message = event.part("message_create")
    sender = needed_id(message, "sender_id")
    recipient = id_of(message.part("target"), "recipient_id")
    id, time = needed_id(event, "id"), time_of(event, "created_timestamp")
    content = message_content(message.part("message_data"))
    if sender == account:
        if recipient in ("", account):
            return Ignored(account=account, why="message to oneself")
        return Echo(
            account=account,
            customer=_person(holder, recipient),
            id=id,
            time=time,
            kind=content.kind,
            text=content.text,
            media=content.media,
        )
    return Inbound(
        account=account,
        customer=_person(holder, sender),
        id=id,
        time=time,
        **content._asdict(),
        fragment=event.values if content.kind is Kind.UNSUPPORTED else None,
    )


def _person(holder: Fields, user: str) -> Customer:
    """The Activity API has one ``data`` more around each user than the Account Activity API."""
    users = holder.part_or_none("users")
    person = users.part_or_none(user) if users else None
    person = (person.part_or_none("data") or person) if person else None
    name = (person.text("name") or person.text("username") or person.text("screen_name")) if person else ""
    return Customer(id=user, address=user, name=name)


def _mark_read(event: Fields, account: str) -> PlatformEvent:
    """Everything up to the message named was read; X's ids tell when they were made."""
    reader, last = needed_id(event, "sender_id"), id_of(event, "last_read_event_id")
    if reader == account:
        return Ignored(account=account, why="read by us")
    time = time_of(event, "created_timestamp")
    return Receipt(
        account=account,
        id="",
        customer=Customer(id=reader, address=reader),
        until=time_in_id(last) or time,
        status="read",
        time=time,
    )


_READERS: dict[str, Callable[[Fields, str], PlatformEvent]] = {
    **dict.fromkeys(POSTS, _post),
    "post.delete": _post_deleted,
    "dm.received": _message,
    "dm.sent": _message,
    "dm.read": _read,
    "chat.received": _encrypted,
    "chat.sent": _encrypted,
    "oauth.revoke": _revoked,
}
