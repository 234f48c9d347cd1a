"""Who wrote a mail, and where the answer goes: not always who stands in ``From``.

The customer **is** the address that the answer goes to. So two customers of one contact form are two
threads, and nobody can turn the answers to another person's thread to an address of their own: a mail
with a false ``From`` is answered to that ``From``, one with a ``Reply-To`` starts its own thread.
"""

import re
from typing import NamedTuple

from sportello.channels.email_hand_over import Attested, Mailboxes
from sportello.channels.email_mime import attached_mails
from sportello.channels.email_quotes import is_forward
from sportello.channels.email_wire import Mail, Mailbox, mailboxes

ORIGINAL = ("x-original-from", "x-original-sender", "x-google-original-from")
"""Where groups and gateways put the author when they write themselves into ``From``."""
BLOCK_LINES = 60
"""Lines of a text in which a forwarded mail's own header is looked for."""

_FROM_LINE = re.compile(
    r"[>\s*]{0,6}(?:From|Da|Von|De|Van|Od|От|发件人|Fra|Från|Expéditeur|Mittente)[\s*]{0,3}[:：][\s*]{0,3}(.{3,300})",
    re.IGNORECASE,
)
_VIA = re.compile(
    r"^['\"]?(.{1,100}?)['\"]? (?:via|tramite|über|mediante|przez|přes) .{1,80}$", re.IGNORECASE
)


class Writer(NamedTuple):
    box: Mailbox
    own: bool = False
    """It is our own mail, and nobody else's inside."""
    carried: bool = False
    """Found behind an address of ours that only carried it."""

    @property
    def name(self) -> str:
        via = _VIA.match(self.box.name)
        name = via[1] if via else self.box.name
        return "" if "@" in name else name[:100]  # nobody is shown by an address that they may not have


def writer(mail: Mail, text: str, ours: Mailboxes, attested: Attested) -> Writer | None:
    """Whom to answer; None where the mail names nobody at all."""
    from_box = _first(mail.mailboxes("from"), frozenset()) or _first(mail.mailboxes("sender"), frozenset())
    reply_box = _reply_to(mail, ours)
    if from_box is None:
        fallback = Mailbox(attested.source) if attested.source else None
        return Writer(box) if (box := reply_box or fallback) else None
    if from_box.key in ours.own or from_box.key in ours.forwarders:
        found = _original(mail, ours) or reply_box or _inside(mail, text, ours)
        return Writer(found, carried=True) if found else Writer(from_box, own=from_box.key in ours.own)
    if from_box.key.rpartition("@")[2] in ours.domains and (found := _original(mail, ours)):
        return Writer(found, carried=True)
    if reply_box is None:
        return Writer(from_box)
    same_person = reply_box.name or from_box.name
    return Writer(Mailbox(reply_box.address, same_person))


def _reply_to(mail: Mail, ours: Mailboxes) -> Mailbox | None:
    """Not our own, and not a list's: an answer there would be read by everybody."""
    lists = frozenset(address.lower() for address in re.findall(r"mailto:([^>?\s]+)", mail.one("list-post")))
    return _first(mail.mailboxes("reply-to"), ours.own | lists)


def _original(mail: Mail, ours: Mailboxes) -> Mailbox | None:
    for name in ORIGINAL:
        if box := _first(mail.mailboxes(name), ours.own):
            names = [
                shown.name for shown in (*mail.mailboxes("reply-to"), *mail.mailboxes("from")) if shown.name
            ]
            return box if box.name else Mailbox(box.address, names[0] if names else "")
    return None


def _inside(mail: Mail, text: str, ours: Mailboxes) -> Mailbox | None:
    """The writer of the mail that one of us forwarded: attached, or with its header in the text."""
    for _, inner in attached_mails(mail):
        replies = inner.mailboxes("reply-to")
        if box := _first([*replies, *inner.mailboxes("from")], ours.own):
            return box
    if not is_forward(mail.one("subject")):
        return None
    for line in text.split("\n")[:BLOCK_LINES]:
        found = _FROM_LINE.match(line[:320])
        if found and (
            box := _first(mailboxes(re.sub(r"\[mailto:|\]|\*", " ", found[1])), ours.own | ours.forwarders)
        ):
            return box
    return None


def _first(boxes: list[Mailbox], without: frozenset[str]) -> Mailbox | None:
    return next((box for box in boxes if box.key not in without), None)
