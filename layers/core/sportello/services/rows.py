"""Events as rows: what a message and the thread remember of them."""

import json
from collections.abc import Sequence

from sportello.aws import items, quarantine
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.events import Echo, Inbound, Moved
from sportello.domain.message import Message
from sportello.domain.model import DAY, HOUR, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services.heard import BY_BYTES as BY_BYTES
from sportello.services.heard import CODE_BYTES as CODE_BYTES
from sportello.services.heard import FIRST_BYTES as FIRST_BYTES
from sportello.services.heard import NAME_BYTES as NAME_BYTES
from sportello.services.heard import clip as clip
from sportello.services.heard import heard as heard

TEXT_BYTES = 32_768
"""A longer text goes to S3; the row keeps its beginning."""
FRAGMENT_BYTES = 16_384
BEGINNING_BYTES = 1_024
REF_BYTES = 256
DELETED = "[deleted]"
GONE_MOST = 8
GONE_HASH = 6
"""Characters of a hash that the thread row keeps of an early delete; the hour it is kept until follows."""


def expires(desk: Desk, now: Instant) -> int:
    return items.seconds(now, desk.policy.keep_days)


def inbound(
    event: Inbound,
    key: str,
    written: Instant,
    now: Instant,
    owes: bool,
    reasons: Sequence[Reason],
    caused: tuple[str, ...],
    gone: bool,
    fetch_by: Instant | None = None,
) -> Message:
    """The row of a customer's message; ``gone``: it was deleted before it came (``wordless``).

    ``fetch_by``: when (real time) the sweeper asks again for its files.
    """
    text, text_at = _fitting(event.text)
    message = Message(
        key=key,
        direction="in",
        author="customer",
        kind=event.kind,
        id=event.id,
        time=written,
        sequence=event.sequence,
        arrived=now,
        text=text,
        text_at=text_at,
        media=event.media,
        place=event.place,
        cards=event.cards,
        payload=event.payload,
        quote=event.quote,
        forwarded=event.forwarded,
        album=event.album,
        detail=event.detail,
        context=event.context,
        ref=clip(event.ref, REF_BYTES),
        attested=event.attested,
        by=clip(event.customer.name, NAME_BYTES) if event.group else "",
        owes=owes,
        why=tuple(reasons),
        effects=caused,
        deleted=gone,
        due=fetch_by,
    )
    return _with_fragment(message, event)


def to_fetch(event: Inbound) -> bool:
    """Whether a file of the message is still at the platform, and may be kept."""
    return any(media.keep and not media.at for media in event.media)


def reduced(event: Inbound) -> Inbound:
    """A message that no row can hold: all of it becomes the fragment, which goes to S3."""
    return event.model_copy(
        update={
            "fragment": event.model_dump(mode="json"),
            "media": event.media[:1],
            "cards": (),
            "place": None,
            "payload": clip(event.payload, BEGINNING_BYTES),
            "quote": clip(event.quote, BEGINNING_BYTES),
            "album": clip(event.album, BEGINNING_BYTES),
            "detail": clip(event.detail, BEGINNING_BYTES),
            "context": {
                name: value for name, value in event.context.items() if len(value) <= BEGINNING_BYTES
            },
        }
    )


def _fitting(text: str) -> tuple[str, str]:
    if len(text) * 4 <= TEXT_BYTES or len(text.encode("utf-8", "replace")) <= TEXT_BYTES:
        return text, ""
    return clip(text, BEGINNING_BYTES), quarantine.keep_text(text)


def _with_fragment(message: Message, event: Inbound) -> Message:
    if event.fragment is None:
        return message
    text = json.dumps(event.fragment, ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) <= FRAGMENT_BYTES:
        return message.model_copy(update={"fragment": event.fragment})
    return message.model_copy(update={"fragment_at": quarantine.keep_text(text)})


def echo(event: Echo, key: str, now: Instant, reasons: Sequence[Reason]) -> Message:
    text, text_at = _fitting(event.text)
    return Message(
        key=key,
        direction="out",
        author=event.author,
        kind=event.kind,
        id=event.id,
        time=event.time,
        sequence=event.sequence,
        arrived=now,
        text=text,
        text_at=text_at,
        media=event.media,
        detail="echo",
        why=tuple(reasons),
    )


def moved(event: Moved, key: str, now: Instant) -> Message:
    return Message(
        key=key,
        direction="in",
        author="customer",
        kind="service",
        id=event.id,
        time=event.time,
        arrived=now,
        detail="moved",
        why=(Reason.SERVICE_NOTICE,),
    )


def gone(thread: Thread, hashed: str, now: Instant) -> bool:
    """Whether this message was deleted before it arrived."""
    return any(entry.startswith(hashed[:GONE_HASH]) and _kept(entry, now) for entry in thread.gone)


def remember_gone(thread: Thread, missing: Sequence[str], now: Instant) -> tuple[str, ...]:
    """The thread's early deletes: the newest eight, each for a day."""
    if not missing:
        return thread.gone
    until = (now + DAY) // HOUR + 1
    kept = [entry for entry in thread.gone if _kept(entry, now)]
    return tuple([*kept, *(f"{hashed[:GONE_HASH]}{until}" for hashed in missing)][-GONE_MOST:])


def first_without(thread: Thread, emptied: Sequence[str]) -> str:
    """What the inbox shows, once these messages have lost their words."""
    if thread.owed_since is None:
        return thread.first
    oldest = keys.message_key(thread.owed_since, None, "")
    return DELETED if any(key.startswith(oldest) for key in emptied) else thread.first


def wordless(event: Inbound) -> Inbound:
    """A message that was deleted before it came: it is judged and stored without its words."""
    nothing: dict[str, object] = {
        "text": "",
        "media": (),
        "place": None,
        "cards": (),
        "payload": "",
        "fragment": None,
        "context": {},
        "attested": "",
    }
    return event.model_copy(update=nothing)


def _kept(entry: str, now: Instant) -> bool:
    return now < int(entry[GONE_HASH:]) * HOUR
