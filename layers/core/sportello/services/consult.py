"""The consult worker: one enquiry, asked outside, judged by ``decide``, committed once.

    read -> ask -> decide -> commit (with the end of the enquiry) -> kick

Asking may happen again after a crash, the answer counts once: it is committed together with the step that
ends the enquiry. What the outside said is kept where somebody else wrote meanwhile, and only decided anew.
"""

import time

from sportello.aws import enquiries, refs, store
from sportello.aws.clock import real_now
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.decide import decide
from sportello.domain.decision import Decision
from sportello.domain.events import Followed
from sportello.domain.message import Enquiry
from sportello.domain.model import Instant
from sportello.domain.thread import Thread
from sportello.services import effects, rows
from sportello.services.context import tries
from sportello.services.outside import Asked, Outside, asked

CONFLICT_SECONDS = 10.0


def consult(outside: Outside, address: Address) -> str:
    """Work one enquiry; returns a word for the log. Raises Busy where the table is."""
    thread, enquiry = enquiries.read(address)
    if thread is None or enquiry is None:
        return "no_such_enquiry"
    if enquiry.done is None:
        found = asked(outside, thread, enquiry)
        outcome = _answer(outside, address, thread, enquiry, found)
        follows = found.follows if outcome != "done_already" else ""
    else:
        outcome, follows = "done_already", enquiry.follows if enquiry.due is not None else ""
    if follows:
        _tell(outside, address, enquiry.cause, follows)
    return outcome


def _answer(outside: Outside, address: Address, thread: Thread, enquiry: Enquiry, found: Asked) -> str:
    existing: frozenset[str] = frozenset()
    for _ in tries(time.monotonic() + CONFLICT_SECONDS):
        now = outside.now()
        decision = decide(thread, found.event, outside.desk, now)
        step = enquiries.answered(address, now, decision.reasons, found.event.problems, found.follows)
        commit = _commit(outside, thread, decision, enquiry.cause, now, step).without(existing)
        match store.commit(commit):
            case store.Committed():
                effects.kick(thread.id, commit.effects)
                return str(decision.reasons[0])
            case store.Lost():
                return "done_already"
            case store.AlreadyCaused(effects=before):
                existing |= before
            case _:
                again, _ = enquiries.read(address)
                thread = again or thread
    raise AssertionError("tries ends by raising Busy")


def _commit(
    outside: Outside, thread: Thread, decision: Decision, cause: str, now: Instant, step: dict[str, object]
) -> store.Commit:
    salt = environment().id_salt
    caused = effects.caused(decision, cause, now=now, real_now=real_now(), salt=salt)
    expires = rows.expires(outside.desk, now)
    return effects.within(store.Commit(before=thread, after=thread, expires=expires, steps=(step,)), caused)


def _tell(outside: Outside, address: Address, cause: str, follows: str) -> None:
    """The thread on the official account hears, once, that its customer has come here."""
    ref, official, since = follows.split(" ")
    followed = Followed(thread=address.thread, since=int(since) if since else None)
    for _ in tries(time.monotonic() + CONFLICT_SECONDS):
        thread = store.read_thread(official, consistent=True).thread
        if thread is None:
            break
        now = outside.now()
        decision = decide(thread, followed, outside.desk, now)
        origin = keys.message_key(_time_of(cause), None, keys.message_hash(official, ref))
        commit = _commit(outside, thread, decision, origin, now, refs.followed(ref, now))
        outcome = store.commit(commit)
        if isinstance(outcome, store.Committed):
            effects.kick(official, commit.effects)
        if isinstance(outcome, store.Committed | store.Lost):
            break
    enquiries.told(address)


def _time_of(cause: str) -> Instant:
    """Of a message's key, or a deadline's: both begin with it."""
    return int(cause.split("#")[1])
