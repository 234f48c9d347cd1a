"""From one messaging object of Messenger or Instagram to events: messages, taps, receipts, notices.

Beside sender, recipient and timestamp an object has one key that names its kind: a reader for each.
Source: Messenger Platform "Webhooks", "Conversation routing"; Instagram Platform "Webhook examples"
(August 2026).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sportello.channels.graph import Malformed, array, instant, label, needed, record, word
from sportello.channels.meta_content import content
from sportello.channels.meta_notices import READERS, Reader
from sportello.channels.meta_parties import Where, customer_known, customer_of, notice, time_of
from sportello.domain.events import Delete, Echo, Edit, Ignored, Inbound, Kind, PlatformEvent, Receipt
from sportello.domain.model import Instant

Json = Mapping[str, Any]

INBOXES = frozenset({"26390203743090", "263902037430900", "1217981644879628", "121798164487962"})
"""App ids of Meta's own inboxes, where people write; both spellings in which they are documented."""
_ENVELOPE = frozenset({"sender", "recipient", "timestamp", "prior_message", "hop_context"})


def message_events(event: Json, where: Where) -> Sequence[PlatformEvent]:
    """The events of one messaging object."""
    key = next((name for name in _READERS if name in event), "")
    if key:
        return _READERS[key](event, where)
    name = label(next((name for name in event if name not in _ENVELOPE), "nothing"))
    if name == "nothing" or customer_of(event, where) is None:
        return [Ignored(account=where.account, why=name)]
    return [notice(event, where, Kind.UNSUPPORTED, detail=name)]


def _message(event: Json, where: Where) -> Sequence[PlatformEvent]:
    message = record(event, "message")
    ours = bool(message.get("is_echo")) or word(record(event, "sender"), "id") in where.own
    deleted = message.get("is_deleted") in (True, "true")
    if message.get("is_self"):
        return [Ignored(account=where.account, why="self message")]
    if ours and deleted:
        return [Ignored(account=where.account, why="own unsend")]
    if deleted:
        return [
            Delete(
                account=where.account,
                customer=customer_known(event, where),
                originals=(needed(message, "mid"),),
                time=instant(event, "timestamp"),
            )
        ]
    return [_echo(event, message, where) if ours else _inbound(event, message, where)]


def _inbound(event: Json, message: Json, where: Where) -> Inbound:
    said = content(message)
    return Inbound(
        account=where.account,
        customer=customer_known(event, where),
        id=needed(message, "mid"),
        time=instant(event, "timestamp"),
        kind=said.kind,
        text=said.text,
        media=said.media,
        place=said.place,
        payload=said.payload,
        ref=said.ref,
        quote=said.quote,
        # A story that names us asks for nothing.
        addressed=not where.standby and said.detail != "story_mention",
        detail="standby" if where.standby else said.detail,
        fragment=dict(event) if said.keep else None,
        test=where.test,
    )


def _echo(event: Json, message: Json, where: Where) -> Echo:
    said = content(message)
    return Echo(
        account=where.account,
        customer=customer_known(event, where),
        id=needed(message, "mid"),
        time=time_of(event, where),
        kind=said.kind,
        text=said.text,
        media=said.media,
        author="person" if _by_people(word(message, "app_id"), where) else "automatic",
        tag=word(message, "metadata"),
    )


def _by_people(app: str, where: Where) -> bool:
    """An inbox of Meta's, or an app that the connection names as one in which people write."""
    named = where.settings.get("people_apps", "").replace(",", " ").split()
    return not app or app in INBOXES or app in named


def _edit(event: Json, where: Where) -> Sequence[PlatformEvent]:
    body = record(event, "message_edit")
    if word(record(event, "sender"), "id") in where.own:
        return [Ignored(account=where.account, why="own edit")]
    return [
        Edit(
            account=where.account,
            customer=customer_known(event, where),
            original=needed(body, "mid"),
            time=time_of(event, where),
            text=word(body, "text"),
        )
    ]


def _read(event: Json, where: Where) -> Sequence[PlatformEvent]:
    """Messenger tells up to when the customer has read, Instagram which message."""
    body = record(event, "read")
    until, id = instant(body, "watermark"), word(body, "mid")
    if until is None and not id:
        raise Malformed("read names nothing")
    return [_receipt(event, where, "read", until, "" if until else id)]


def _delivery(event: Json, where: Where) -> Sequence[PlatformEvent]:
    body = record(event, "delivery")
    until = instant(body, "watermark")
    if until is not None:
        return [_receipt(event, where, "delivered", until, "")]
    ids = [id for id in array(body, "mids") if isinstance(id, str) and id]
    if not ids:
        raise Malformed("delivery names nothing")
    return [_receipt(event, where, "delivered", None, id) for id in ids]


def _receipt(
    event: Json, where: Where, status: Literal["delivered", "read"], until: Instant | None, id: str
) -> Receipt:
    time = instant(event, "timestamp") or until or where.time
    if time is None:
        raise Malformed("timestamp is missing")
    return Receipt(
        account=where.account,
        id=id,
        customer=customer_known(event, where),
        until=until,
        status=status,
        time=time,
    )


_READERS: dict[str, Reader] = {
    "message": _message,
    "message_edit": _edit,
    "read": _read,
    "delivery": _delivery,
    **READERS,
}
