"""One mail as the events it means: a customer's message, our own words coming back, a server's report."""

import hashlib
from collections.abc import Iterator, Sequence

from sportello.channels.base import Connection, Request
from sportello.channels.body import read_object
from sportello.channels.email_compose import context
from sportello.channels.email_events import customer_at, tag_of
from sportello.channels.email_hand_over import Attested, Mailboxes, attested
from sportello.channels.email_loops import TAG_HEADER, Judged, judge
from sportello.channels.email_mime import Body, File, attached_mails, body
from sportello.channels.email_quotes import Cut, cut, is_forward, is_reply, without_prefixes
from sportello.channels.email_reports import OUR_ID, Report, platform_id, report
from sportello.channels.email_sender import Writer, writer
from sportello.channels.email_wire import Mail, Mailbox, mailboxes
from sportello.domain.events import Customer, Echo, Inbound, Kind, Media, PlatformEvent, Receipt, Unreadable
from sportello.domain.model import Instant

ADDRESSED_TO = ("to", "cc", "delivered-to", "x-forwarded-to", "x-original-to", "envelope-to")
REPORT_TEXT = 2_000
"""Characters of a server's report that people are shown; the whole mail is kept."""
CERTIFIED = "postacert.eml"


def events_of_mail(request: Request, connection: Connection) -> Sequence[PlatformEvent]:
    """Each mailbox of ours that the mail went to has its own event. Raises Unparseable."""
    outer = Mail.read(request.body)
    mail, envelope = _opened(outer)
    at = attested(request, outer)
    ours = Mailboxes(connection)
    found = report(mail)
    return tuple(
        event
        for account, forwarded in _accounts(mail, at, ours, connection).items()
        for event in (
            _reported(found, mail, account, at)
            if found
            else _written(mail, account, at, ours, forwarded=forwarded, envelope=envelope)
        )
    )


def files_of_mail(request: Request) -> Sequence[File]:
    mail, _ = _opened(Mail.read(request.body))
    return body(mail).files


def _opened(mail: Mail) -> tuple[Mail, str]:
    """Certified mail is an envelope: what its sender wrote is attached whole."""
    carries = mail.word("x-trasporto")
    if carries not in ("posta-certificata", "errore"):
        return mail, ""
    for name, inner in attached_mails(mail):
        if name.lower() == CERTIFIED:
            return inner, "pec" if carries == "posta-certificata" else "pec_anomalia"
    return mail, ""


def addressees(request: Request) -> tuple[str, ...]:
    """The addresses that a mail was delivered to; those that its headers name where nobody attests any.

    Raises Unparseable.
    """
    mail = Mail.read(request.body)
    return attested(request, mail).recipients or _named(mail)


def senders(request: Request) -> tuple[str, ...]:
    """Whose mail an event of SES tells of. Raises Unparseable."""
    sent = read_object(request.body).get("mail")
    source = sent.get("source") if isinstance(sent, dict) else None
    return tuple(box.key for box in mailboxes(source)) if isinstance(source, str) else ()


def _named(mail: Mail) -> tuple[str, ...]:
    return tuple(box.address for name in ADDRESSED_TO for box in mail.mailboxes(name))


def _accounts(mail: Mail, at: Attested, ours: Mailboxes, connection: Connection) -> dict[str, bool]:
    """Which mailboxes of ours it went to: by its envelope; the headers count only where there is none."""
    if at.recipients:
        return ours.among(at.recipients) or {at.recipients[0]: False}
    if found := ours.among(_named(mail)):
        return found
    return {connection.accounts[0].id if connection.accounts else "": False}


# --- a customer's mail ------------------------------------------------------------------------------


def _written(
    mail: Mail, account: str, at: Attested, ours: Mailboxes, *, forwarded: bool, envelope: str
) -> Iterator[PlatformEvent]:
    content = body(mail)
    found = writer(mail, content.text, ours, at)
    if found is None:
        yield Unreadable(account=account, fragment={"headers": sorted(mail.names())}, why="mail: no sender")
        return
    found = found._replace(carried=found.carried or forwarded or bool(envelope))
    subject = mail.one("subject")
    words = Cut(content.text) if is_forward(subject) or _carried_by_hand(mail, ours) else cut(content.text)
    if echo := _echo(mail, found, words.text, at, ours):
        yield echo
        return
    judged = judge(mail, found, ours, at, answers_us=_answers_us(mail))
    yield Inbound(
        account=account,
        customer=_customer(found),
        id=message_id(mail, content),
        time=None,
        kind=_kind(content, words.text),
        text=_text(mail, subject, words.text),
        media=_media(content, at),
        quote=_answered(mail),
        forwarded=is_forward(subject),
        addressed=not judged.silent,
        automatic=judged.automatic,
        context=_context(mail, subject, ours),
        attested=_attested(mail, found, at, envelope),
        detail=_detail(judged, content, at, found, envelope),
        fragment=_kept(at, words),
    )


def _customer(found: Writer) -> Customer:
    return Customer(id=found.box.key, address=found.box.address, name=found.name)


def _context(mail: Mail, subject: str, ours: Mailboxes) -> dict[str, str]:
    """The customer knows nothing of the mail in which one of us forwarded theirs."""
    if _carried_by_hand(mail, ours):
        return context(without_prefixes(subject), "", [])
    return context(subject, _first_id(mail), mail.ids("references"))


def _carried_by_hand(mail: Mail, ours: Mailboxes) -> bool:
    boxes = mail.mailboxes("from")
    return bool(boxes) and boxes[0].key in ours.forwarders


def _kind(content: Body, words: str) -> Kind:
    if content.encrypted:
        return Kind.UNSUPPORTED
    return Kind.MEDIA if content.files and not words else Kind.TEXT


def _text(mail: Mail, subject: str, words: str) -> str:
    """A mail that begins a conversation says half of it in its subject."""
    begins = not (mail.has("in-reply-to") or mail.has("references") or is_reply(subject))
    if subject and (begins or not words) and subject not in words[: len(subject) + 5]:
        return f"{subject}\n\n{words}".strip()
    return words


def _media(content: Body, at: Attested) -> tuple[Media, ...]:
    """A mail with a virus keeps its words and loses its files; which of them it was nobody says."""
    bad = at.virus == "FAIL"
    return tuple(
        Media(
            kind=file.kind,
            id=file.id,
            mime=file.mime,
            size=len(file.content),
            name=file.name,
            keep=not bad,
            problem="virus" if bad else "",
        )
        for file in content.files
    )


def _detail(judged: Judged, content: Body, at: Attested, found: Writer, envelope: str) -> str:
    if judged.silent or content.encrypted:
        return judged.silent or "encrypted"
    if envelope:
        return envelope
    return "dmarc_fail" if at.dmarc == "FAIL" and not found.carried else ""


def _kept(at: Attested, words: Cut) -> dict[str, str] | None:
    """Where the whole mail is; what was cut is kept beside it only where there is no such place."""
    if at.object:
        return {"mail": at.object}
    return {"rest": words.rest} if words.rest else None


def _attested(mail: Mail, found: Writer, at: Attested, envelope: str) -> str:
    """The writer's address, where its domain stands for it (DMARC) and the answer goes there alone."""
    boxes = mail.mailboxes("from")
    if not at.authenticated or found.own or found.carried or envelope or len(boxes) != 1:
        return ""
    return found.box.address if boxes[0].key == found.box.key else ""


def _answers_us(mail: Mail) -> bool:
    return any(OUR_ID.fullmatch(id) for id in (*mail.ids("in-reply-to"), *mail.ids("references")))


def _answered(mail: Mail) -> str:
    ids = mail.ids("in-reply-to") or mail.ids("references")[-1:]
    return platform_id(ids[0]) if ids else ""


def _first_id(mail: Mail) -> str:
    return next(iter(mail.ids("message-id")), "")


def message_id(mail: Mail, content: Body) -> str:
    """The mail's own id; where it has none, a hash of what every delivery of it has alike."""
    if own := _first_id(mail):
        return platform_id(own)
    parts = [mail.one(name) for name in ("from", "to", "date", "subject")]
    files = [hashlib.sha256(file.content).hexdigest() for file in content.files]
    alike = "\x00".join([*parts, content.text, *files])
    return f"sha256:{hashlib.sha256(alike.encode('utf-8', 'replace')).hexdigest()}"


# --- our own words, written elsewhere ---------------------------------------------------------------


def _echo(mail: Mail, found: Writer, words: str, at: Attested, ours: Mailboxes) -> Echo | None:
    """A copy of what one of us wrote to a customer in our mailbox's own program.

    Only where the domain stands for it (DMARC): it settles what is owed. A machine's never counts.
    """
    account = ours.account(found.box.key) if found.own else ""
    outside = [box for name in ("to", "cc") for box in mail.mailboxes(name) if box.key not in ours.own]
    if not account or not outside or not at.authenticated:
        return None
    automatic = mail.has("auto-submitted") and mail.word("auto-submitted") != "no"
    return Echo(
        account=account,
        customer=customer_at(outside[0]),
        id=platform_id(_first_id(mail)) or at.id,
        time=_written_at(mail, at),
        text=words or mail.one("subject"),
        author="automatic" if automatic else "person",
        tag=tag_of(mail.one(TAG_HEADER)),
    )


def _written_at(mail: Mail, at: Attested) -> Instant:
    """By the colleague's clock, which two copies of one mail have alike; never later than SES took it."""
    return min(filter(None, (mail.time(), at.time)), default=0)


# --- servers' reports -------------------------------------------------------------------------------


def _reported(found: Report, mail: Mail, account: str, at: Attested) -> Iterator[PlatformEvent]:
    """The receipt of our message, and a notice in the thread of each recipient that it tells of."""
    content = body(mail)
    time = at.time or mail.time()
    for told in found.told:
        if told.status is not None and (told.original or told.tag):
            yield Receipt(
                account=account,
                id=told.original,
                customer=customer_at(told.to),
                status=told.status,
                time=time,
                tag=tag_of(told.tag),
                code=told.code,
                problem=told.problem,
            )
    boxes = [told.to for told in found.told] or mail.mailboxes("from")[:1]
    for box in boxes or [Mailbox(at.source or f"mailer-daemon@{account.rpartition('@')[2]}")]:
        yield Inbound(
            account=account,
            customer=customer_at(box),
            id=message_id(mail, content),
            time=None,
            kind=Kind.SERVICE,
            text=f"{mail.one('subject')}\n\n{content.text}".strip()[:REPORT_TEXT],
            media=_media(content, at) if found.name.startswith("pec_") else (),
            quote=next((told.original for told in found.told), ""),
            addressed=False,
            automatic="bounce" if found.name == "bounce" else "receipt",
            detail=found.name,
            fragment={"mail": at.object} if at.object else None,
        )
