"""From a platform's events to committed rows: read, decide, one transaction, kick.

Each event is tried until it is committed, found to be a duplicate, or the platform's patience is
over (``Busy``: the webhook answers 503 and the platform delivers again).
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sportello.aws import quarantine
from sportello.aws.outbox import address_of
from sportello.channels.base import Request
from sportello.domain.events import (
    Connected,
    Delete,
    Echo,
    Edit,
    Ignored,
    Inbound,
    Moved,
    PlatformEvent,
    Receipt,
    Unreadable,
)
from sportello.services.changes import take_delete, take_edit, take_moved
from sportello.services.context import Context
from sportello.services.inbound import take_echo, take_inbound
from sportello.services.receipts import take_own_echo, take_receipt, take_untagged_echo

SIDE_BY_SIDE = 8
"""Customers of one batch whose events are committed at the same time."""
LONGEST_ID = 4_096
"""Characters; the platforms' own have a few hundred at most, and no row holds an endless one."""


def ingest(context: Context, request: Request, events: Sequence[PlatformEvent]) -> None:
    """Take all events: those of one customer in their order, customers side by side."""
    ours = {account.id for account in context.connection.accounts}
    known = [_sound(event) for event in events if event.account in ours]
    if strangers := len(events) - len(known):
        _quarantine(context, request.body, "unknown_account", request.headers)
        context.counts["quarantined"] += strangers
    unreadable = [event for event in known if isinstance(event, Unreadable)]
    if unreadable:  # the whole body: one entry alone could never be read again, it lacks its envelope
        _quarantine(context, request.body, unreadable[0].why, request.headers)
    groups = _by_customer(known)
    if len(groups) <= 1:
        for event in groups[0] if groups else ():
            context.counts[_take(context, event)] += 1
        return
    from concurrent.futures import ThreadPoolExecutor  # only batches pay for the import

    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        for done in [pool.submit(_take_all, context, group) for group in groups]:
            context.counts.update(done.result())


def _sound(event: PlatformEvent) -> PlatformEvent:
    """Whoever has no id would share a thread with all others who have none."""
    customer = getattr(event, "customer", None)
    if customer is not None and not (customer.id and len(customer.id) + len(customer.address) <= LONGEST_ID):
        return Unreadable(account=event.account, fragment=None, why="customer: no id, or an endless one")
    id = getattr(event, "id", "")
    if len(id) > LONGEST_ID or (not id and isinstance(event, Inbound | Echo)):
        return Unreadable(account=event.account, fragment=None, why="id: none, or an endless one")
    return event


def _by_customer(events: Iterable[PlatformEvent]) -> list[list[PlatformEvent]]:
    groups: dict[object, list[PlatformEvent]] = {}
    for number, event in enumerate(events):
        customer = getattr(event, "customer", None)
        groups.setdefault((event.account, customer.id) if customer else number, []).append(event)
    return list(groups.values())


def _take_all(context: Context, events: Iterable[PlatformEvent]) -> Counter[str]:
    return Counter(_take(context, event) for event in events)


def _take(context: Context, event: PlatformEvent) -> str:
    """One event; returns what became of it, a word for the log."""
    match event:
        case Inbound():
            return take_inbound(context, event)
        case Echo() if address_of(event.tag):
            return take_own_echo(event)
        case Echo() if context.channel.echoes_untagged and (outcome := take_untagged_echo(context, event)):
            return outcome
        case Echo():
            return take_echo(context, event)
        case Receipt():
            return take_receipt(context, event)
        case Edit():
            return take_edit(context, event)
        case Delete():
            return take_delete(context, event)
        case Moved():
            return take_moved(context, event)
        case Connected():
            return "connected" if event.enabled else "disconnected"
        case Unreadable():
            return "quarantined"
        case Ignored():
            return "ignored"


def _quarantine(context: Context, body: bytes, why: str, headers: object) -> None:
    quarantine.quarantine(
        context.channel.name,
        body,
        connection=context.connection.name,
        why=why,
        headers=headers if isinstance(headers, dict) else {},
    )
