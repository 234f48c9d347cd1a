"""The chat on the site, from the visitor's side: what they read, and when to ask again.

A cursor is a time below which nothing appears any more, so it needs no memory of who has read what:
what is newer comes again with the same id, and an ETag says when there is nothing to send.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sportello.aws import visits
from sportello.aws.visits import Page
from sportello.channels import webchat
from sportello.channels import webchat_wire as wire
from sportello.channels.webchat_tokens import Visitor
from sportello.domain.events import Media
from sportello.domain.front import calendar_of_front
from sportello.domain.hours import Calendar
from sportello.domain.message import ENDED, Message, State
from sportello.domain.model import MINUTE, SECOND, Instant
from sportello.services import rows
from sportello.services.context import Context
from sportello.services.visits import Refused, belongs, iso, thread_of

OVERLAP = 10 * MINUTE
"""Rows this much older than now may still appear: a cursor reaches so far back."""
LOOKED_EVERY = MINUTE


class Conversation(NamedTuple):
    body: dict[str, Any]
    etag: str
    """Changes with what the visitor sees, and only with that."""
    retry_ms: int


def read(context: Context, visitor: Visitor, cursor: str, view: str, known: str = "") -> Conversation:
    """The messages that are new since the cursor, or the newest; one may come twice, with the same id.

    Args:
        view: ``open`` (before the visitor's eyes), ``closed`` or ``hidden``.
        known: the ETag of the answer that the client has.

    Raises:
        Refused: 401 not theirs any more, 422 the cursor is none of ours.
    """
    floor, now = _floor(cursor), context.now()
    pages = _pages(context, visitor, floor)
    merged = sorted(
        (message for page in pages for message in page.messages), key=lambda message: message.order
    )
    home = {message.key: page.id for page in pages for message in page.messages}
    shown = [_shown(message, home[message.key], visitor, context) for message in merged if is_shown(message)]
    is_open = _calendar(context, pages).is_open(now)
    etag = _etag([shown, is_open])
    if view == "open":
        _note_looked(context, pages, now, news=etag != known)
    retry_ms = _retry_ms(merged, now, view, is_open)
    body = {
        "messages": shown,
        "cursor": _cursor(max(floor or 0, _next_floor(pages, now))),
        "retry_ms": retry_ms,
        "open": is_open,
    }
    return Conversation(body, etag, retry_ms)


def _calendar(context: Context, pages: Sequence[Page]) -> Calendar:
    """Of the team that has the conversation, or of the one that would get it."""
    account, thread = webchat.account_of(context.connection).id, pages[0].thread if pages else None
    if thread is None or not thread.team:
        return calendar_of_front(context.desk, context.channel.name, account)
    return context.desk.calendar_of(context.channel.name, account, thread.team)


def _pages(context: Context, visitor: Visitor, floor: Instant | None) -> list[Page]:
    found: dict[str, Page] = {}
    for number, id in enumerate((visitor.id, *visitor.earlier)):
        thread = thread_of(context, id)
        page = visits.newest(thread) if floor is None else visits.since(thread, floor)
        if number == 0 and not belongs(page, visitor):
            raise Refused(401, "session_ended", "this conversation belongs to an identified contact now")
        if number == 0 or page.visit.owner == visitor.id:
            found[page.id] = page
    return list(found.values())


def is_shown(message: Message) -> bool:
    """What a customer sees of a thread: not notes, claims, notices, nor what is not yet sent."""
    if message.direction == "in":
        return message.kind not in ("service", "start", "reaction")
    return message.state is State.SENT and not message.via


def _shown(message: Message, thread: str, visitor: Visitor, context: Context) -> dict[str, Any]:
    """As the document's ``Message``."""
    mine = message.direction == "in"
    shown: dict[str, Any] = {
        "id": message.id,
        "from": "visitor" if mine else "desk",
        "time": iso(message.time),
        "text": message.text,
    }
    if not mine:
        shown["author"] = message.author
    if message.media:
        shown["files"] = [_file(media, thread, visitor, context) for media in message.media if media.at]
    if message.buttons:
        shown["buttons"] = [{"id": button.id, "title": button.title} for button in message.buttons]
    for name in ("edited", "deleted"):
        if getattr(message, name):
            shown[name] = True
    return shown


def _file(media: Media, thread: str, visitor: Visitor, context: Context) -> dict[str, Any]:
    name = media.name or media.kind
    file = wire.File(thread, media.at, name, media.mime, media.size or 0)
    return {
        "name": name,
        "type": media.mime,
        "size": media.size or 0,
        "file": wire.ticket(file, visitor, context.connection.secrets[0]),
    }


def _note_looked(context: Context, pages: Sequence[Page], now: Instant, *, news: bool) -> None:
    """At most once a minute, and whenever something new is shown."""
    for page in pages:
        if page.thread is not None and (news or now - page.visit.seen >= LOOKED_EVERY):
            visits.looked(page.id, now, rows.expires(context.desk, now))


def _next_floor(pages: Sequence[Page], now: Instant) -> Instant:
    """Below it nothing appears any more: older than the debt and than all that is still to be sent."""
    floor = now - OVERLAP
    for page in pages:
        if page.thread is not None and page.thread.owed_since is not None:
            floor = min(floor, page.thread.owed_since)
        waiting = [row.key for row in page.messages if row.state is not None and row.state not in ENDED]
        floor = min([floor, *(int(key.split("#")[1]) for key in waiting)])
    return floor


def _retry_ms(messages: Sequence[Message], now: Instant, view: str, is_open: bool) -> int:
    """Soon while something is going on before the visitor's eyes, seldom where nobody looks."""
    quiet = now - max((message.time for message in messages), default=0)
    if view == "hidden":
        return 60 * SECOND
    if quiet < MINUTE:
        return 2_500 if view == "open" else 5 * SECOND
    if not is_open:
        return 20 * SECOND if view == "open" else 60 * SECOND
    if quiet < OVERLAP:
        return 4 * SECOND if view == "open" else 10 * SECOND
    return 10 * SECOND if view == "open" else 30 * SECOND


def _cursor(floor: Instant) -> str:
    return base64.urlsafe_b64encode(f"1:{floor}".encode()).decode().rstrip("=")


def _floor(cursor: str) -> Instant | None:
    if not cursor:
        return None
    try:
        version, _, floor = (
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        )
        found = int(floor)
    except ValueError:
        raise Refused(422, "cursor", "after: not a cursor") from None
    if version != "1" or not 0 <= found < 10**13:
        raise Refused(422, "cursor", "after: not a cursor")
    return found


def _etag(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return f'"{hashlib.sha256(text).hexdigest()[:24]}"'
