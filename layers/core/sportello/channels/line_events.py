"""From a LINE webhook to events: ``{"destination", "events": [...]}``, several customers' in one body.

Ids: a message's own; of everything else the ``webhookEventId``, which a redelivery repeats. The reply
token and the quote token of a message are what an answer to it needs: they go into its context.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sportello.channels.base import Connection, Unparseable
from sportello.channels.fields import Fields, Wrong
from sportello.channels.line_content import content_of
from sportello.channels.line_send import SEPARATOR
from sportello.domain.events import (
    Connected,
    Customer,
    Delete,
    Edit,
    Ignored,
    Inbound,
    Kind,
    PlatformEvent,
    Unreadable,
)
from sportello.domain.model import Instant

SOURCES = {"user": "userId", "group": "groupId", "room": "roomId"}
IGNORED = frozenset(
    {
        "beacon", "accountLink", "things", "membership", "videoPlayComplete", "delivery", "module",
        "activated", "deactivated",
    }
)  # fmt: skip
"""Events that are no message of a customer to us."""
SERVICES = {
    "unfollow": "blocked",
    "join": "added",
    "leave": "removed",
    "memberJoined": "joined",
    "memberLeft": "left",
}
STATES = {"botSuspended": False, "botResumed": True}


def events_of(body: dict[str, Any], connection: Connection) -> list[PlatformEvent]:
    """Every event by itself: one that cannot be read does not hold up the others.

    Raises:
        Unparseable: there is no list of events.
    """
    destination = body.get("destination")
    account = destination if isinstance(destination, str) and destination else _only(connection)
    events = body.get("events")
    if not isinstance(events, list):
        raise Unparseable("events: a list expected")
    if not events:
        return [Ignored(account=account, why="no events")]  # how LINE proves the address
    return [_guarded(event, account) for event in events]


def _only(connection: Connection) -> str:
    return connection.accounts[0].id if connection.accounts else ""


def _guarded(event: Any, account: str) -> PlatformEvent:
    try:
        if not isinstance(event, dict):
            raise Wrong("event: an object expected")
        return _event(Fields(event, ""), account)
    except Wrong as wrong:
        return Unreadable(account=account, fragment=event, why=str(wrong))


def _event(event: Fields, account: str) -> PlatformEvent:
    name = event.required_text("type")
    if name in IGNORED:
        return Ignored(account=account, why=name)
    if name in STATES:
        return Connected(account=account, id=_id(event), time=_time(event), enabled=STATES[name], detail=name)
    return READERS.get(name, _unknown)(event, account)


def _message(event: Fields, account: str) -> PlatformEvent:
    message = event.part("message")
    content = content_of(message)
    in_group = _in_group(event)
    return Inbound(
        account=account,
        customer=_customer(event),
        id=message.required_text("id"),
        time=_time(event),
        **content._asdict(),
        quote=message.text("quotedMessageId"),
        group=in_group,
        addressed=_is_ours(event) and (not in_group or _mentions_us(message)),
        album=_album(message),
        context=_context(event, message),
        fragment=event.values if content.kind is Kind.UNSUPPORTED else None,
    )


def _edited(event: Fields, account: str) -> PlatformEvent:
    message = event.part("message")
    return Edit(
        account=account,
        customer=_customer(event),
        original=message.required_text("id"),
        time=_time(event),
        text=message.text("text"),
    )


def _unsent(event: Fields, account: str) -> PlatformEvent:
    original = event.part("unsend").required_text("messageId")
    return Delete(account=account, customer=_customer(event), originals=(original,), time=_time(event))


def _postback(event: Fields, account: str) -> PlatformEvent:
    postback = event.part("postback")
    params = postback.part_or_none("params")
    if params is not None and "newRichMenuAliasId" in params:
        return Ignored(account=account, why="rich menu switched")
    picked = [params.text(name) for name in ("date", "time", "datetime")] if params else []
    payload, _, words = postback.text("data").partition(SEPARATOR)
    return Inbound(
        account=account,
        customer=_customer(event),
        id=_id(event),
        time=_time(event),
        kind=Kind.BUTTON,
        text="".join(picked) or words,
        payload=payload,
        group=_in_group(event),
        addressed=_is_ours(event),
        context=_context(event),
    )


def _follow(event: Fields, account: str) -> PlatformEvent:
    """A first contact opens the conversation; one who had blocked us comes back."""
    follow = event.part_or_none("follow")
    back = follow is not None and follow.values.get("isUnblocked") is True
    kind, detail = (Kind.SERVICE, "unblocked") if back else (Kind.START, "")
    return _notice(event, account, kind, detail)


def _service(event: Fields, account: str) -> PlatformEvent:
    detail = SERVICES[event.required_text("type")]
    return _notice(event, account, Kind.SERVICE, detail)


def _notice(event: Fields, account: str, kind: Kind, detail: str) -> PlatformEvent:
    in_group = _in_group(event)
    return Inbound(
        account=account,
        customer=_customer(event),
        id=_id(event),
        time=_time(event),
        kind=kind,
        detail=detail,
        group=in_group,
        addressed=not in_group,
        context=_context(event),
    )


def _unknown(event: Fields, account: str) -> PlatformEvent:
    """An event of tomorrow: kept with its customer."""
    in_group = _in_group(event)
    return Inbound(
        account=account,
        customer=_customer(event),
        id=_id(event),
        time=_time(event),
        kind=Kind.UNSUPPORTED,
        detail=event.required_text("type")[:64],
        group=in_group,
        addressed=_is_ours(event) and not in_group,
        context=_context(event),
        fragment=event.values,
    )


READERS: Mapping[str, Callable[[Fields, str], PlatformEvent]] = {
    "message": _message,
    "messageEdited": _edited,
    "unsend": _unsent,
    "postback": _postback,
    "follow": _follow,
    **dict.fromkeys(SERVICES, _service),
}


# --- what events share ---------------------------------------------------------------------------


def _customer(event: Fields) -> Customer:
    """Who is answered: the person, or the group or room as a whole; LINE tells no names here."""
    source = event.part("source")
    kind = source.required_text("type")
    id = source.required_text(SOURCES.get(kind, f"{kind}Id"))
    return Customer(id=id, address=id)


def _in_group(event: Fields) -> bool:
    return event.part("source").text("type") != "user"


def _is_ours(event: Fields) -> bool:
    """In standby another module answers the customer."""
    return event.text("mode") != "standby"


def _mentions_us(message: Fields) -> bool:
    mention = message.part_or_none("mention")
    mentioned = mention.parts("mentionees") if mention else []
    return any(one.values.get("isSelf") is True for one in mentioned)


def _album(message: Fields) -> str:
    images = message.part_or_none("imageSet")
    return images.text("id") if images else ""


def _id(event: Fields) -> str:
    """Old channels send no ``webhookEventId``; a reply token is made once per event."""
    return (
        event.text("webhookEventId")
        or event.text("replyToken")
        or f"{event.required_text('type')[:64]}-{event.whole('timestamp')}"
    )


def _time(event: Fields) -> Instant:
    return event.whole("timestamp")


def _context(event: Fields, message: Fields | None = None) -> Mapping[str, str]:
    found = {
        "reply_token": event.text("replyToken"),
        "at": str(event.whole("timestamp")),
        "message": message.text("id") if message else "",
        "quote_token": message.text("quoteToken") if message else "",
    }
    return {name: value for name, value in found.items() if value} if found["reply_token"] else {}
