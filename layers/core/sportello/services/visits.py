"""The chat on the site, from the visitor's side: a session, and what they write.

Everything is authorised by whose token it is: the thread is derived from the visitor's id, never
named by the caller. An anonymous conversation belongs to the contact as whom its visitor identified
themselves; from then on the anonymous token opens nothing.
"""

import hashlib
from typing import Any

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
from sportello.domain.front import calendar_of_front
from sportello.domain.hours_words import opening_in_words, posted_hours
from sportello.domain.model import HOUR, MINUTE, Instant, to_datetime
from sportello.domain.site import Site
from sportello.services import rows
from sportello.services.context import Context
from sportello.services.ingest import ingest

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
    return page if belongs(page, visitor) else None


def belongs(page: Page, visitor: Visitor) -> bool:
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
    account = webchat.account_of(context.connection).id
    calendar = calendar_of_front(desk, context.channel.name, account)
    opening = calendar.next_opening(now)
    return {
        "name": desk.name,
        "open": calendar.is_open(now),
        "hours": posted_hours(calendar, now, words, lambda day: desk.name_of(day, language)),
        "next_opening": None if opening is None else iso(opening),
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
    hashed = keys.message_hash(page.id, upload.message)
    if store.read_with_row(page.id, keys.dedupe_key(hashed))[1]:  # what people have seen stays as it is
        raise Refused(409, "other_message", "client_message_id: this message is written already")
    key = files.key_of(page.id, f"#{hashed}", upload.number)
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


def iso(at: Instant) -> str:
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
