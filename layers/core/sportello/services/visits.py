"""The chat on the site, from the visitor's side: a session, what they write, what they may read.

Everything is authorised by whose token it is: the thread is derived from the visitor's id, never
named by the caller. An anonymous conversation belongs to the contact as whom its visitor identified
themselves; from then on the anonymous token opens nothing.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sportello.aws import files, history, items, store, uploads, visits
from sportello.aws.clock import real_now
from sportello.aws.visits import Page
from sportello.channels import webchat
from sportello.channels import webchat_tokens as tokens
from sportello.channels import webchat_wire as wire
from sportello.channels.base import Request
from sportello.channels.webchat_tokens import ANONYMOUS, Visitor
from sportello.domain import keys
from sportello.domain.events import Customer, Inbound, Media, Moved
from sportello.domain.hours_words import opening_in_words, posted_hours
from sportello.domain.message import ENDED, Message, State
from sportello.domain.model import HOUR, MINUTE, SECOND, Instant, to_datetime
from sportello.domain.site import Site
from sportello.services import rows
from sportello.services.context import Context
from sportello.services.ingest import ingest

OVERLAP = 10 * MINUTE
"""Rows this much older than now may still appear: a cursor reaches so far back."""
LOOKED_EVERY = MINUTE
MESSAGES_A_MINUTE = 20
"""Of one visitor; uploads count as well."""
NEW_AN_HOUR = 60
"""Conversations begun from one internet address (a whole office may share it)."""


_NOTHING = Request(method="POST")


class Refused(Exception):
    """The request cannot be taken; ``code`` is one word for programs, ``detail`` names a field at most."""

    def __init__(self, status: int, code: str, detail: str = "", wait: int = 0) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.wait = wait
        """Seconds after which it may be tried again."""


class Conversation(NamedTuple):
    body: dict[str, Any]
    etag: str
    """Changes with what the visitor sees, and only with that."""
    retry_ms: int


# --- a session ------------------------------------------------------------------------------------


def open_session(
    context: Context, site: Site, *, identity: str = "", token: str = "", language: str = ""
) -> dict[str, Any]:
    """A fresh token, and all that the widget shows around the conversation.

    Args:
        identity: a JWT of the company's back end; it decides who the visitor is.
        token: the visitor's token so far; an anonymous one's conversation goes with them.
        language: what the browser prefers.

    Raises:
        Refused: ``identity`` is not the company's, or no longer good.
    """
    before = _renewable(context, token)
    language = _language(context, language or (before.language if before else ""))
    visitor, page = _who(context, identity, before)
    visitor = visitor._replace(language=language)
    return {
        "visitor_token": tokens.visitor_token(visitor, context.connection.secrets[0]),
        "expires": visitor.expires,
        "identified": visitor.identified,
        "has_conversation": page.thread is not None,
        "has_email": bool(visitor.email or page.visit.email),
        "language": language,
        "desk": _desk(context, site, language),
        "texts": site.words[language].model_dump(),
        "limits": {
            "text": wire.TEXT_MOST,
            "files": wire.FILES_MOST,
            "file_bytes": wire.FILE_MOST,
            "file_types": list(wire.FILE_TYPES),
        },
        "links": links(context, visitor),
        "follows_by_email": bool(context.connection.settings.get("email")),
    }


def _who(context: Context, identity: str, before: Visitor | None) -> tuple[Visitor, Page]:
    """The visitor and their thread."""
    if identity:
        visitor = _identified(context, identity, before)
        return visitor, visits.whose(thread_of(context, visitor.id))
    page = _ours(context, before) if before is not None else None
    if before is None or page is None:
        return tokens.new_visitor(webchat.seconds()), Page("")
    expires = before.expires if before.identified else webchat.seconds() + tokens.ACCESS_SECONDS
    return before._replace(expires=expires), page


def _renewable(context: Context, token: str) -> Visitor | None:
    """An anonymous visitor comes back after days; whoever is identified has to be so again."""
    found = webchat.visitor_of(token, context.connection) if token.startswith("v1.") else None
    if found is None and token.startswith("v1."):
        found = webchat.visitor_of(token, context.connection, late=tokens.RENEWAL_SECONDS)
        found = None if found is not None and found.identified else found
    return found


def _identified(context: Context, identity: str, before: Visitor | None) -> Visitor:
    visitor = webchat.identified(identity, context.connection)
    if visitor is None:
        raise Refused(
            401, "identity", "the identity token is not signed with a secret of this site, or not good now"
        )
    if before is None:
        return visitor
    if before.id == visitor.id:
        return visitor._replace(earlier=before.earlier)
    return _attach(context, before, visitor) if before.id.startswith(ANONYMOUS) else visitor


def _attach(context: Context, before: Visitor, visitor: Visitor) -> Visitor:
    """What the visitor wrote before they were identified is theirs: one thread where they have none yet.

    Where they have one, neither is merged into the other: both are shown.
    """
    page = _ours(context, before)
    if page is None or page.thread is None:
        return visitor
    if not visits.claim(page.id, visitor.id, rows.expires(context.desk, context.now())):
        return visitor
    ingest(context, _NOTHING, [_moved(context, before, visitor)])
    if visits.whose(thread_of(context, visitor.id)).id == page.id:
        return visitor
    earlier = dict.fromkeys((before.id, *before.earlier, *visitor.earlier))
    return visitor._replace(earlier=tuple(earlier)[: tokens.EARLIER_MOST])


def _moved(context: Context, before: Visitor, visitor: Visitor) -> Moved:
    return Moved(
        account=webchat.account_of(context.connection).id,
        customer=Customer(id=visitor.id, address=visitor.id, name=visitor.name),
        previous=(before.id,),
        id=f"identified-{hashlib.sha256(visitor.id.encode()).hexdigest()[:32]}",
        time=context.now(),
    )


def _ours(context: Context, visitor: Visitor) -> Page | None:
    """The visitor's thread, where it is still theirs."""
    page = visits.whose(thread_of(context, visitor.id))
    return page if _belongs(page, visitor) else None


def _belongs(page: Page, visitor: Visitor) -> bool:
    return page.visit.owner in ("", visitor.id)


def thread_of(context: Context, visitor_id: str) -> str:
    account = webchat.account_of(context.connection).id
    return keys.thread_id(context.salt, context.channel.name, account, visitor_id)


def _language(context: Context, asked: str) -> str:
    code = asked.lower().replace("_", "-").split("-")[0]
    return code if code in context.desk.languages else context.desk.default_language


def _desk(context: Context, site: Site, language: str) -> dict[str, Any]:
    """Open now, the hours and the next opening, in words and for programs."""
    now, desk, words = context.now(), context.desk, site.calendar[language]
    opening = desk.calendar.next_opening(now)
    return {
        "name": desk.name,
        "open": desk.calendar.is_open(now),
        "hours": posted_hours(desk.calendar, now, words, lambda day: desk.name_of(day, language)),
        "next_opening": None if opening is None else _iso(opening),
        "next_opening_words": ""
        if opening is None
        else opening_in_words(opening, now, desk.time_zone, words),
        "time_zone": desk.time_zone,
    }


def links(context: Context, visitor: Visitor) -> list[dict[str, str]]:
    """Where the visitor may go on; what they send there first names this conversation to people."""
    settings = context.connection.settings
    reference = f"chat-{thread_of(context, visitor.id)[:8]}"
    known = {
        "telegram": f"https://t.me/{{}}?start={reference}",
        "whatsapp": f"https://wa.me/{{}}?text={reference}",
        "messenger": f"https://m.me/{{}}?ref={reference}",
    }
    return [
        {"channel": name, "url": form.format(settings[name].strip("@+ "))}
        for name, form in known.items()
        if settings.get(name, "").strip("@+ ")
    ]


# --- what a visitor writes ------------------------------------------------------------------------


def take_message(context: Context, request: Request, visitor: Visitor, address: str) -> dict[str, Any]:
    """Commit a message once; the same ``client_message_id`` again is the same message.

    Raises:
        Refused: 401 not theirs any more, 409 the id was another message's, 422, 429.
        Unparseable: a field is wrong.
        Busy: nothing was written.
    """
    (event,) = context.channel.parse(request, context.connection)
    assert isinstance(event, Inbound)  # noqa: S101 - our own parser's
    page = _own(context, visitor)
    _not_too_many(page, address)
    event = event.model_copy(update={"media": tuple(map(_checked, event.media))})
    ingest(context, request, [event])
    if visitor.email and visitor.email != page.visit.email:  # the company's word: answers may follow there
        visits.left(page.id, rows.expires(context.desk, context.now()), email=visitor.email, name="")
    if context.counts["duplicate"]:
        _same_again(context, visitor, event)
    return {"id": event.id}


def leave_contact(context: Context, request: Request, visitor: Visitor) -> dict[str, Any]:
    """Keep what the visitor says of themselves, and show it to people; a claim, and no more.

    Raises:
        Refused: 409 nothing was written yet, and as ``take_message``.
    """
    (event,) = context.channel.parse(request, context.connection)
    name, email = wire.read_contact(request.body)
    page = _own(context, visitor)
    if page.thread is None:
        raise Refused(409, "write_first", "a conversation has to begin with a message")
    if not visits.counted(page.id, MINUTE, real_now(), MESSAGES_A_MINUTE):
        raise Refused(429, "too_many", wait=60)
    visits.left(page.id, rows.expires(context.desk, context.now()), email=email, name=name)
    ingest(context, request, [event])
    named = visitor if visitor.identified or not name else visitor._replace(name=name)
    return {
        "visitor_token": tokens.visitor_token(named, context.connection.secrets[0]),
        "has_email": bool(email),
    }


def _own(context: Context, visitor: Visitor) -> Page:
    page = _ours(context, visitor)
    if page is None:
        raise Refused(401, "session_ended", "this conversation belongs to an identified contact now")
    return page


def _not_too_many(page: Page, address: str) -> None:
    now = real_now()
    if not visits.counted(page.id, MINUTE, now, MESSAGES_A_MINUTE):
        raise Refused(429, "too_many", wait=60)
    if page.thread is None and not visits.counted(visits.veiled(address), HOUR, now, NEW_AN_HOUR):
        raise Refused(429, "too_many", wait=3600)


def _checked(media: Media) -> Media:
    """The file has been uploaded, and is what the ticket says."""
    found = uploads.stored(media.at)
    if found is None or found.type != media.mime or found.size > wire.FILE_MOST:
        raise Refused(422, "file_missing", "files: not uploaded")
    return media.model_copy(update={"size": found.size})


def _same_again(context: Context, visitor: Visitor, event: Inbound) -> None:
    """A client that lost our answer repeats itself; another message under the same id is its mistake."""
    thread = visits.whose(thread_of(context, visitor.id)).id
    hashed = keys.message_hash(thread, event.id)
    original = history.find_originals(thread, [hashed]).get(hashed)
    row = store.read_with_row(thread, original.key)[1] if original else None
    if row is None:
        return
    message = items.message_of(row)
    same = (message.text, message.payload, [media.id for media in message.media])
    if not message.deleted and same != (event.text, event.payload, [media.id for media in event.media]):
        raise Refused(409, "other_message", "client_message_id: another message has it")


# --- files ----------------------------------------------------------------------------------------


def start_upload(context: Context, body: bytes, visitor: Visitor, address: str) -> dict[str, Any]:
    """Where to post one file, and the ticket by which the message names it."""
    upload = wire.read_upload(body)
    page = _own(context, visitor)
    _not_too_many(page, address)
    key = files.key_of(page.id, f"#{keys.message_hash(page.id, upload.message)}", upload.number)
    form = uploads.form(key, upload.type, upload.size)
    file = wire.File(page.id, key, upload.name, upload.type, upload.size)
    return {
        "url": form.url,
        "fields": form.fields,
        "file": wire.ticket(file, visitor, context.connection.secrets[0]),
    }


def file_address(context: Context, ticket: str, visitor: Visitor) -> dict[str, Any]:
    """Where a file of the visitor's own conversation can be fetched for some minutes."""
    file = wire.read_ticket(ticket, visitor, context.connection.secrets)
    if file is None or file.thread not in {page.id for page in _readable(context, visitor)}:
        raise Refused(404, "no_such_file")
    return {"url": uploads.address(file.key, file.name), "seconds": uploads.SECONDS}


def _readable(context: Context, visitor: Visitor) -> list[Page]:
    pages = [_own(context, visitor)]
    earlier = (visits.whose(thread_of(context, id)) for id in visitor.earlier)
    return [*pages, *(page for page in earlier if page.visit.owner == visitor.id)]


# --- what a visitor reads -------------------------------------------------------------------------


def conversation(context: Context, visitor: Visitor, cursor: str, view: str, known: str = "") -> Conversation:
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
    is_open = context.desk.calendar.is_open(now)
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


def _pages(context: Context, visitor: Visitor, floor: Instant | None) -> list[Page]:
    found: dict[str, Page] = {}
    for number, id in enumerate((visitor.id, *visitor.earlier)):
        thread = thread_of(context, id)
        page = visits.newest(thread) if floor is None else visits.since(thread, floor)
        if number == 0 and not _belongs(page, visitor):
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
        "time": _iso(message.time),
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


def _iso(at: Instant) -> str:
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
