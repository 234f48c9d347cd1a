"""The sweeper, every minute: deadlines of threads become ticks, late rows are kicked again.

It is what makes the promise hold: whatever a lost kick, a dead sender or a busy queue left behind
is found here by its ``due``.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sportello.aws import due, outbox, queues, store, together
from sportello.aws.clock import real_now
from sportello.aws.due import Due
from sportello.aws.logging import logger
from sportello.aws.outbox import Address
from sportello.domain.decide import decide
from sportello.domain.desk import Desk
from sportello.domain.events import Tick
from sportello.domain.keys import CONSULT_KIND, THREAD_ROW, TOGETHER, timer_key
from sportello.domain.model import MINUTE, Instant
from sportello.services import effects, rows
from sportello.services.context import tries

NEXT_LOOK = MINUTE
TICK_SECONDS = 5.0


@dataclass
class Swept:
    counts: Counter[str] = field(default_factory=Counter)
    oldest: Instant = 0
    """Age of the row that was overdue longest, before it was taken in hand."""


def sweep(desk: Desk, now: Callable[[], Instant], until: float) -> Swept:
    """Everything that is due, until it is done or ``time.monotonic`` says ``until``.

    ``counts`` says what became of it; ``failed`` of them could not be done and stay due.
    """
    swept = Swept()
    _sweep_threads(swept, desk, now, until)
    _sweep_rows(swept, until, due.rows, kick_again)
    _sweep_rows(swept, until, due.files, kick_files)
    return swept


def _sweep_threads(swept: Swept, desk: Desk, now: Callable[[], Instant], until: float) -> None:
    moment = now()
    for entry in sorted(due.threads(moment)):
        swept.oldest = max(swept.oldest, moment - entry.due)
        if time.monotonic() > until:
            swept.counts["left"] += 1
            continue
        swept.counts[_try(entry, lambda entry: tick(desk, now, entry))] += 1


def _try(entry: Due, act: Callable[[Due], str]) -> str:
    """One that fails stays due, and must not stop the others: the oldest would block all."""
    try:
        return act(entry)
    except Exception as error:  # the handler fails for it once all is done
        known = {"thread_id": entry.thread, "key": entry.key, "error": type(error).__name__}
        logger.error("not swept", extra=known)
        return "failed"


def tick(desk: Desk, now: Callable[[], Instant], entry: Due) -> str:
    """One thread's deadline; returns a word for the log."""
    existing: frozenset[str] = frozenset()
    for _ in tries(time.monotonic() + TICK_SECONDS):
        thread = store.read_thread(entry.thread, consistent=True).thread
        moment = now()
        if thread is None or thread.due is None or moment < thread.due:
            return "tick_early"
        decision = decide(thread, Tick(due=thread.due), desk, moment)
        cause = timer_key(thread.owed_since or 0, "tick")
        caused = effects.caused(decision, cause, now=moment, real_now=real_now())
        bare = store.Commit(before=thread, after=thread, expires=rows.expires(desk, moment))
        commit = effects.within(bare, caused).without(existing)
        match store.commit(commit):
            case store.Committed():
                effects.kick(thread.id, commit.effects)
                return f"tick_{decision.reasons[0]}"
            case store.AlreadyCaused(effects=before):
                existing |= before
    raise AssertionError("tries ends by raising Busy")


def _sweep_rows(
    swept: Swept, until: float, found: Callable[[Instant], Iterator[Due]], act: Callable[[Due], str]
) -> None:
    moment = real_now()
    for entry in sorted(found(moment), key=lambda entry: (entry.due, entry.key)):
        if entry.key == THREAD_ROW:
            continue
        swept.oldest = max(swept.oldest, moment - entry.due)
        if time.monotonic() > until:
            swept.counts["left"] += 1
            continue
        swept.counts[_try(entry, act)] += 1


def kick_again(entry: Due) -> str:
    address = Address(entry.thread, entry.key)
    if entry.key.startswith(TOGETHER):
        return _kick_together(address, entry)
    attempt = outbox.next_attempt(address, was_due=entry.due, due=real_now() + NEXT_LOOK)
    if attempt is None:
        return "taken"
    if entry.key.endswith(f"~{effects.CALL_KIND}"):
        queues.kick_escalation(entry.thread, entry.key)
        return "kicked_call"
    if entry.key.endswith(f"~{CONSULT_KIND}"):
        queues.kick_consult(entry.thread, entry.key)
        return "kicked_consult"
    queues.kick_outbox(entry.thread, entry.key, attempt)
    return "kicked"


def _kick_together(address: Address, entry: Due) -> str:
    if not together.next_attempt(address, was_due=entry.due, due=real_now() + NEXT_LOOK):
        return "taken"
    queues.kick_escalation(entry.thread, entry.key)
    return "kicked_together"


def kick_files(entry: Due) -> str:
    address = Address(entry.thread, entry.key)
    if outbox.next_attempt(address, was_due=entry.due, due=real_now() + NEXT_LOOK) is None:
        return "taken"
    queues.kick_media(entry.thread, entry.key)
    return "kicked_files"
