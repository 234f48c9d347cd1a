"""What the desk asks the outside before or beside answering: one ``Consult`` for each message at most."""

import re
from typing import Literal

from sportello.domain.decision import Consult
from sportello.domain.desk import Desk
from sportello.domain.events import Inbound, Kind
from sportello.domain.faq_words import may_be_frequent
from sportello.domain.keys import REF_PREFIX
from sportello.domain.offers import ORDER
from sportello.domain.phrases import Meaning
from sportello.domain.reasons import Reason
from sportello.domain.turn import Turn

Ask = Literal["faq", "facts", "order", "load", "ref"]
LONGEST_READ = 2_000
"""Characters of a message in which an order number is looked for."""


def consult(
    turn: Turn, event: Inbound, meaning: Meaning, *, begins: bool = False, only_facts: bool = False
) -> bool:
    """Ask the outside what there is to ask; True: the automatic voice waits for the answer.

    Args:
        begins: the message begins a debt.
        only_facts: nothing that the automatic voice would wait for.
    """
    if turn.consults:
        return False
    asks = list(_beside(turn, event, begins))
    answering = [] if only_facts or not turn.thread.owes else list(_answering(turn, event, meaning, begins))
    if not (asks or answering):
        return False
    person = turn.thread.claimed_by if "load" in asks else ""
    until = turn.now + turn.desk.policy.consult_within
    turn.consult(Consult(asks=(*answering, *asks), until=until, person=person))
    return bool(answering)


def _beside(turn: Turn, event: Inbound, begins: bool) -> list[Ask]:
    """What changes who answers and by when, but not what is said now."""
    thread, desk = turn.thread, turn.desk
    asks: list[Ask] = []
    if event.ref.startswith(REF_PREFIX) and not desk.way_to_care(thread.channel, thread.account):
        asks.append("ref")  # at an official account it would lead from one door to the next
    if begins and desk.hook.url and not event.automatic and not thread.public:
        asks.append("facts")
    person = desk.people.get(thread.claimed_by) if thread.claimed_by and thread.owes else None
    if person is not None and person.load and not thread.person_present(turn.now):
        asks.append("load")
    return asks


def _answering(turn: Turn, event: Inbound, meaning: Meaning, begins: bool) -> list[Ask]:
    if event.group or event.forwarded or turn.called:
        return []
    if turn.desk.hook.url and _asks_for_order(turn, event):
        return ["order"]
    if event.kind is not Kind.TEXT or not (begins or turn.thread.greeted):
        return []
    return ["faq"] if may_be_frequent(meaning.words, turn.desk.faq_words) else []


def _asks_for_order(turn: Turn, event: Inbound) -> bool:
    """By its number; or by one's own contact, where only that was wanting. Nothing is told again."""
    thread = turn.thread
    if thread.offered == ORDER or Reason.FAQ_NOT_ENOUGH in thread.escalated:
        return False
    if event.kind is Kind.CONTACT:
        return event.attested != "" and Reason.ORDER_UNPROVED in thread.escalated
    return event.kind is Kind.TEXT and order_number(turn.desk, event.text) != ""


def order_number(desk: Desk, text: str) -> str:
    """The first order number in a message, as the care lead's pattern finds it; empty: none."""
    pattern = desk.hook.order_pattern
    found = re.search(pattern, text[:LONGEST_READ]) if pattern else None
    return found[0] if found else ""
