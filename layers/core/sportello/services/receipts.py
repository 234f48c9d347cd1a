"""What became of what we sent."""

from collections.abc import Callable, Mapping
from typing import Any

from sportello.aws import history, items, outbox, store
from sportello.aws.clock import real_now
from sportello.domain import keys
from sportello.domain.decide import decide
from sportello.domain.desk import Desk
from sportello.domain.events import Customer, Echo, Receipt, SendResult
from sportello.domain.message import Message, State
from sportello.domain.model import Instant
from sportello.domain.thread import Thread
from sportello.services import effects, rows
from sportello.services.context import Context, tries
from sportello.services.threads import locate

KEPT_DAYS = 30
"""Of a receipt that stands beside its message."""


def take_receipt(context: Context, event: Receipt) -> str:
    """One conditional update by rank; a receipt without our data is not of our sending."""
    address = outbox.address_of(event.tag)
    if address is None:
        return "not_ours" if event.customer is None else _take_untagged(context, event, event.customer)
    if event.status != "failed":
        return outbox.receipt(address, event.status, event.id)
    return fail(context.desk, context.now, address, event.problem, event.code, context.deadline)


def _take_untagged(context: Context, event: Receipt, customer: Customer) -> str:
    """A platform that returns none of our data names the customer and its own id, or a time."""
    thread = _thread_of(context, event.account, customer)
    if thread is None:
        return "not_ours"
    if event.status == "failed":
        row = history.find_sent(thread.id, event.id)
        if row is None:
            return "not_ours"
        address = outbox.Address(thread.id, row.key)
        return fail(context.desk, context.now, address, event.problem, event.code, context.deadline)
    expires = items.seconds(context.now(), KEPT_DAYS)
    if event.until is not None:
        return outbox.receipt_until(thread.id, event.until, event.status, expires)
    return outbox.receipt_by_id(thread.id, keys.message_hash(thread.id, event.id), event.status, expires)


def _thread_of(context: Context, account: str, customer: Customer) -> Thread | None:
    found = locate(context.salt, context.channel.name, context.connection.name, account, customer).thread
    return found if found.rev else None


def take_untagged_echo(context: Context, event: Echo) -> str:
    """An echo without our data may be our own send coming back; empty: it is somebody else's.

    Our own is known by its id, or, where the echo is quicker than the sender's note, by its words.
    """
    thread = _thread_of(context, event.account, event.customer)
    if thread is None:
        return ""
    for row in reversed(history.outgoing(thread.id)):
        if event.id in (row.id, *row.also):
            return "own_echo"
        if row.state in (State.SENDING, State.UNKNOWN) and _same_words(row, event):
            return outbox.receipt(outbox.Address(thread.id, row.key), "sent", event.id)
    return ""


def _same_words(row: Message, event: Echo) -> bool:
    """A file and its words may come back one after the other."""
    words = event.text.strip()
    return words == row.text.strip() or (bool(row.media) and bool(event.media) and not words)


def take_own_echo(event: Echo) -> str:
    """Our own send coming back proves that it was taken."""
    address = outbox.address_of(event.tag)
    return "not_ours" if address is None else outbox.receipt(address, "sent", event.id)


def fail(
    desk: Desk,
    now: Callable[[], Instant],
    address: outbox.Address,
    problem: str,
    code: str,
    deadline: float,
    token: str = "",
) -> str:
    """A send ended FAILED: the row says why, and a person's reply gives back the debt it settled.

    ``token`` is the sender's, where the sender says so; a receipt needs none.
    """
    for _ in tries(deadline):
        thread, row = outbox.read(address)
        if thread is None or row is None:
            return "not_ours"
        step = outbox.failed(address, problem, code, token)
        match commit_failed(desk, now(), thread, row, step, problem):
            case store.Committed():
                return "failed"
            case store.Lost():
                return "old_receipt"
    raise AssertionError("tries ends by raising Busy")


def commit_failed(
    desk: Desk, now: Instant, thread: Thread, row: Message, step: Mapping[str, Any], problem: str
) -> store.Outcome:
    """The row's last step and, for a person's reply, the debt that returns: one transaction, then the kick.

    A call that exists already, or that was deleted with age, must not keep the row from its end.
    """
    commit = _failed(desk, now, thread, row, step, problem)
    outcome = store.commit(commit)
    if isinstance(outcome, store.AlreadyCaused):
        commit = commit.without(outcome.effects)
        outcome = store.commit(commit)
    if isinstance(outcome, store.Committed):
        effects.kick(thread.id, commit.effects)
    return outcome


def _failed(
    desk: Desk, now: Instant, thread: Thread, row: Message, step: Mapping[str, Any], problem: str
) -> store.Commit:
    expires = rows.expires(desk, now)
    if row.author != "person":
        return store.Commit(before=thread, after=thread, expires=expires, steps=(dict(step),))
    result = SendResult(row=row.key, problem=problem, owed_since=row.settled_since, first=row.settled_first)
    decision = decide(thread, result, desk, now)
    # A reply that redrive sends once more may fail once more, and calls people once more.
    cause = keys.effect_key(row.key, f"failed{row.attempt or ''}")
    caused = effects.caused(decision, cause, now=now, real_now=real_now())
    return effects.within(
        store.Commit(before=thread, after=thread, expires=expires, steps=(dict(step),)), caused
    )
