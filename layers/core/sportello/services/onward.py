"""A conversation of the site goes on by e-mail where its visitor has left.

An answer of a person is shown to whoever asks for it. Whether its visitor looked is known some
minutes later: then a row of its own, planned with the answer, sends the conversation so far to the
address that they left, or is cancelled because they have seen it. What they answer by e-mail comes
back into the same thread: it names the mail that it answers, and it comes from that address.

The address is a claim. So only answers of people set a mail off, never what the visitor or the desk's
machine says, and nobody reads a conversation by writing from an address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sportello.aws import store, visits
from sportello.aws.clock import real_now
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.aws.secrets import UnknownConnection
from sportello.channels.base import Connection, Outbound
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.events import Customer, Inbound
from sportello.domain.message import Message, State
from sportello.domain.model import MINUTE, SECOND, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services import rows
from sportello.services.conversation import is_shown

if TYPE_CHECKING:
    from sportello.services.wording import Wording  # it loads Jinja, which the mail function does without

VIA = "email"
KIND = "onward"
AFTER = 5 * MINUTE
"""So long a visitor may take to look, before the answer follows them."""
SHOWN_MOST = 30
"""Messages of the conversation that the mail carries."""


def plan(
    desk: Desk,
    connections: Callable[[str, str], Connection],
    site: Connection,
    thread: Thread,
    address: Address,
    now: Instant,
) -> None:
    """With a person's answer: the row that will send it after its visitor, should they not look."""
    name = site.settings.get(VIA, "")
    if not name or not visits.whose(thread.id).visit.email:
        return
    try:
        accounts = connections(VIA, name).accounts
    except UnknownConnection:
        return
    if not accounts:
        return
    due = real_now() + AFTER
    row = Message(
        key=keys.effect_key(address.key, KIND),
        direction="out",
        author="person",
        via=VIA,
        context={"connection": name, "account": accounts[0].id},
        time=now + SECOND,  # whoever looks from then on sees the answer
        arrived=now,
        state=State.PENDING,
        why=(Reason.FOLLOWS_BY_MAIL,),
        due=due,
        not_after=due + desk.policy.reply_expires,
    )
    visits.put(thread.id, row, rows.expires(desk, now))


def connection(row: Message) -> str:
    """By which the mail goes."""
    return row.context.get("connection", "")


def needless(thread: Thread, row: Message) -> str:
    """Why the mail is not wanted any more; empty: it is."""
    visit = visits.whose(thread.id).visit
    if visit.seen >= row.time:
        return "seen"
    if visit.mailed >= row.time:
        return "mailed"
    return "" if visit.email else "no_address"


def letter(wording: Wording, thread: Thread, row: Message, address: Address, now: Instant) -> Outbound:
    """The conversation so far, to the address that was left."""
    page = visits.newest(thread.id)
    shown = [message for message in page.messages if is_shown(message)][-SHOWN_MOST:]
    subject, text = wording.conversation(shown, thread.language, now)
    return Outbound(
        account=row.context.get("account", ""),
        to=page.visit.email,
        by_person=True,
        text=text,
        context={"subject": subject},
        tag=address.tag,
    )


def sent(desk: Desk, thread: Thread, message: Outbound, mail: str, now: Instant) -> None:
    """What answers this mail belongs to this thread."""
    expires = rows.expires(desk, now)
    visits.mailed(thread.id, now, expires)
    visits.point(_of_mail(environment().id_salt, message.account, mail), thread.id, expires)


def returned(salt: str, event: Inbound) -> Inbound:
    """A mail that answers one of these, from where that one went, is written by the visitor."""
    found = store.read_thread(_of_mail(salt, event.account, event.quote)) if event.quote else store.Found()
    if not found.pointer:
        return event
    page = visits.whose(found.pointer)
    if page.thread is None or page.visit.email.casefold() != event.customer.address.casefold():
        return event
    visitor = Customer(
        id=_id_of_mail(event.quote),
        address=page.thread.to,
        name=event.customer.name,
        language=page.thread.language,
    )
    return event.model_copy(update={"customer": visitor})


def _of_mail(salt: str, account: str, mail: str) -> str:
    return keys.thread_id(salt, VIA, account, _id_of_mail(mail))


def _id_of_mail(mail: str) -> str:
    return f"mail:{mail}"
