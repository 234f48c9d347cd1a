"""What a decision needs from the outside, asked: frequent questions, the company, the load, a ref.

What fails outside is a code among ``problems`` and takes nothing from the rest: nobody waits in vain for an
answer because a system of the company is down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sportello.aws import facts, history, load, outbox, refs, store
from sportello.aws.clock import real_now
from sportello.aws.logging import logger
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.events import Consulted, OrderFacts
from sportello.domain.facts import Facts, ToldOrder
from sportello.domain.message import Enquiry, Message
from sportello.domain.model import DAY, Instant
from sportello.domain.phrases import Meaning
from sportello.domain.proof import contact_hash, order_numbers, proof_key
from sportello.domain.thread import Thread
from sportello.services import rows
from sportello.services.company import Company, Question, Told, ask
from sportello.services.faq import Answerer

BEFORE = 50
"""Rows of the conversation in which the other half of a proof is looked for."""
NUMBER_KEPT = DAY
"""So long the number of an order that a customer wrote is the one they go on to prove."""
CONTACT_KEPT = 30 * DAY


@dataclass(frozen=True)
class Outside:
    """Whom the consult worker can ask."""

    desk: Desk
    now: Callable[[], Instant]
    answerer: Callable[[], Answerer]
    company: Company
    shows_buttons: Callable[[str], bool]
    """Of a channel's name."""
    opened: list[str] = field(default_factory=list)
    """The company's system is left alone from now on, for the metrics."""


class Asked(NamedTuple):
    event: Consulted
    follows: str = ""
    """``Enquiry.follows``"""


def asked(outside: Outside, thread: Thread, enquiry: Enquiry) -> Asked:
    """All that the enquiry asks. Reads and remembers, and changes nothing that anybody decides by."""
    _, row = outbox.read(Address(thread.id, enquiry.cause))
    found: dict[str, Any] = {}
    problems: list[str] = []
    for name, asks, part in _OUTSIDE:
        if asks & set(enquiry.asks):
            try:
                found |= part(outside, thread, enquiry, row)
            except Exception as error:  # whatever its reason, nobody waits for it
                known = {"thread_id": thread.id, "ask": name, "error": type(error).__name__}
                logger.error("not asked", extra=known)
                problems.append(f"{name}_failed")
    for ask_name, part in _TABLE.items():
        if ask_name in enquiry.asks:
            found |= part(outside, thread, enquiry, row)
    problems += found.pop("problems", ())
    follows = found.pop("follows", "")
    event = Consulted(
        cause=enquiry.cause,
        asks=enquiry.asks,
        until=enquiry.until,
        person=enquiry.person,
        topics=Meaning(row.text, outside.desk.patterns).topics if row else (),
        buttons=not thread.public and outside.shows_buttons(thread.channel),
        problems=tuple(problems),
        **found,
    )
    return Asked(event, follows)


# --- a frequent question ----------------------------------------------------------------------------


def _faq(outside: Outside, thread: Thread, enquiry: Enquiry, row: Message | None) -> dict[str, Any]:
    if row is None or not row.text.strip():
        return {}
    hit = outside.answerer().answer(
        row.text,
        thread.language or outside.desk.default_language,
        outside.now(),
        channel=thread.channel,
        account=thread.account,
        public=thread.public,
    )
    return {"faq": hit.id, "language": hit.language} if hit else {}


# --- the company: who it is, and where the parcel is -------------------------------------------------


class _Proof(NamedTuple):
    attested: str = ""
    numbers: tuple[str, ...] = ()


def _company(outside: Outside, thread: Thread, enquiry: Enquiry, row: Message | None) -> dict[str, Any]:
    proof = _proof(outside, thread, row)
    known = facts.read(thread.id)
    fresh = outside.now() - outside.desk.hook.keep
    wants_order = "order" in enquiry.asks and not thread.public
    remembered = _remembered(known, proof, fresh) if wants_order else None
    asks = []
    if "facts" in enquiry.asks and not _is_fresh(known, proof, fresh):
        asks.append("customer")
    if wants_order and remembered is None and proof.attested and proof.numbers:
        asks.append("order")
    told = ask(outside.company, _question(asks, thread, enquiry, proof)) if asks else Told()
    if told.opened:
        outside.opened.append(told.problem)
    _remember(outside, thread, known, proof, told)
    found: dict[str, Any] = {"problems": [told.problem] if told.problem else []}
    if "facts" in enquiry.asks:
        found["tier"] = _tier(known, told, fresh=_is_fresh(known, proof, fresh))
    if "order" in enquiry.asks:
        _add_order(found, thread, told.orders if remembered is None else (remembered,))
    return found


def _proof(outside: Outside, thread: Thread, row: Message | None) -> _Proof:
    """The two halves may come in two messages: the number in one, one's own contact card in another."""
    if row is None:
        return _Proof()
    pattern = outside.desk.hook.order_pattern
    proof = _Proof(row.attested, order_numbers(row.text, pattern))
    if proof.attested and (proof.numbers or not pattern):
        return proof
    for message in reversed(history.messages(thread.id, newest=BEFORE)):
        if message.direction == "out" or message.deleted or message.order > row.order:
            continue
        age = row.time - message.time
        if not proof.attested and age <= CONTACT_KEPT:
            proof = proof._replace(attested=message.attested)
        if not proof.numbers and age <= NUMBER_KEPT:
            proof = proof._replace(numbers=order_numbers(message.text, pattern))
    return proof


def _is_fresh(known: Facts, proof: _Proof, since: Instant) -> bool:
    return known.asked > since and known.contact == contact_hash(proof.attested)


def _remembered(known: Facts, proof: _Proof, since: Instant) -> OrderFacts | None:
    """The one order that is asked for, where it was told a moment ago to the same proof."""
    if len(proof.numbers) != 1 or not contact_hash(proof.attested):
        return None
    key = proof_key(proof.numbers[0], proof.attested)
    return next((order for order in known.orders if order.proof == key and order.at > since), None)


def _question(asks: Sequence[str], thread: Thread, enquiry: Enquiry, proof: _Proof) -> Question:
    return Question(
        id=f"msg_{keys.message_hash(thread.id, enquiry.key)}",
        asks=tuple(asks),
        thread=thread.id,
        channel=thread.channel,
        attested=proof.attested,
        orders=proof.numbers if "order" in asks else (),
    )


def _remember(outside: Outside, thread: Thread, known: Facts, proof: _Proof, told: Told) -> None:
    now = outside.now()
    expires = rows.expires(outside.desk, now)
    if told.customer is not None:
        facts.keep_customer(thread.id, told.customer, contact_hash(proof.attested), now, expires)
    if len(told.orders) == 1:
        order = told.orders[0]
        key = proof_key(order.number, proof.attested)
        facts.keep_order(thread.id, known, ToldOrder(**order.model_dump(), proof=key, at=now), expires)


def _tier(known: Facts, told: Told, *, fresh: bool) -> str | None:
    if told.customer is not None:
        return told.customer.tier
    return known.customer.tier if fresh else None


def _add_order(found: dict[str, Any], thread: Thread, orders: Sequence[OrderFacts]) -> None:
    """One order is told; of several a person says which; and nothing at all where others read it."""
    if thread.public:
        found["problems"].append("order_public")
    elif len(orders) == 1:
        order = orders[0]
        found["order"] = OrderFacts(
            number=order.number, status=order.status, expected=order.expected, link=order.link
        )
    elif orders:
        found["problems"].append("order_several")
    elif not found["problems"]:
        found["unproved"] = True


# --- the load of a person ---------------------------------------------------------------------------


def _load(outside: Outside, thread: Thread, enquiry: Enquiry, row: Message | None) -> dict[str, Any]:
    person = outside.desk.people.get(enquiry.person)
    if person is None or not person.load:
        return {}
    waiting = load.waiting_for(enquiry.person, (*person.teams, thread.team))
    return {"over_load": waiting > person.load}


# --- from the official account ----------------------------------------------------------------------


def _ref(outside: Outside, thread: Thread, enquiry: Enquiry, row: Message | None) -> dict[str, Any]:
    """The thread that this one goes on from: by its ref alone, whatever names are alike."""
    ref = row.ref if row else ""
    official = refs.take(ref, thread.id, enquiry.cause, real_now())
    if not official:
        return {}
    found = store.read_thread(official, consistent=True)
    if found.pointer:
        found = store.read_thread(found.pointer, consistent=True)
    other = found.thread
    if other is None or other.id == thread.id:
        return {}
    expires = rows.expires(outside.desk, outside.now())
    outbox.link(thread.id, other.id, expires)
    outbox.link(other.id, thread.id, expires)
    return {
        "linked": other.id,
        "linked_since": other.owed_since,
        "linked_first": other.first,
        "follows": f"{ref} {other.id} {other.owed_since or ''}",
    }


Part = Callable[[Outside, Thread, Enquiry, Message | None], dict[str, Any]]
_OUTSIDE: tuple[tuple[str, frozenset[str], Part], ...] = (
    ("faq", frozenset({"faq"}), _faq),
    ("company", frozenset({"facts", "order"}), _company),
)
"""Parts that may fail, each with what it answers."""
_TABLE: dict[str, Part] = {"load": _load, "ref": _ref}
"""Parts that are as good as the table: where it fails, all of it is tried again."""
