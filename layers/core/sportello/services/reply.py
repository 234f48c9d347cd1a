"""What people of the desk do: look at a thread, answer, claim, resolve.

A reply settles only what its writer had seen. ``seen`` is the message that was committed last when
the thread was shown; if another one came since, that one stays owed.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sportello.aws import queues, store
from sportello.aws.clock import real_now
from sportello.channels.base import Channel, Outbound, Problem
from sportello.domain import keys
from sportello.domain.decide import decide
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import Claim, PersonReply, Resolve
from sportello.domain.message import Message, State
from sportello.domain.model import SECOND, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services import rows
from sportello.services.context import tries
from sportello.services.effects import LEASE

NEWEST = 1_000
COMMIT_TAKES = 10 * SECOND
"""A message may be committed this long after it was stamped: what looks older may not have been seen."""
PATIENCE_SECONDS = 10.0


class NoThread(LookupError):
    """There is no thread with this id."""


class NotAllowed(Exception):
    """The desk or the channel forbids it; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class View:
    """A thread and its newest messages, in shown order."""

    thread: Thread
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Person:
    """Who acts, and with what."""

    by: str
    desk: Desk
    channels: Callable[[str], Channel]
    now: Callable[[], Instant]


def look(thread_id: str, *, newest: int = NEWEST) -> View:
    """The thread row first: whatever comes in while the messages are read moves its ``last_in``."""
    found = store.read_thread(thread_id, consistent=True)
    if found.pointer:
        found = store.read_thread(found.pointer, consistent=True)
    if found.thread is None:
        raise NoThread(thread_id)
    return View(found.thread, tuple(store.messages(found.thread.id, newest=newest)))


def reply(
    person: Person, thread_id: str, text: str, *, seen: str = "", action: str = ""
) -> tuple[Message, Decision]:
    """Commit an answer and kick the sender.

    Args:
        seen: key of the last message shown to the writer; empty: all that stands there now.
        action: id of the act; the same act twice is one reply.

    Raises:
        NoThread, NotAllowed: nothing was written.
    """
    action = action or uuid.uuid4().hex
    at = person.now()
    view = look(thread_id)
    read = seen_keys(view, seen)
    for attempt in tries(time.monotonic() + PATIENCE_SECONDS):
        if attempt:
            view = look(thread_id)
        if problem := _forbidden(person, view.thread, text):
            raise NotAllowed(problem)
        owing = [message for message in _owing(view) if message.key not in read]
        event = PersonReply(
            by=person.by,
            text=text,
            action=action,
            at=at,
            owing_from=owing[0].time if owing else None,
            owing_first=rows.clip(owing[0].text, rows.FIRST_BYTES) or f"[{owing[0].kind}]" if owing else "",
        )
        decision = decide(view.thread, event, person.desk, person.now())
        row = _row(person, view.thread, event, decision)
        match store.commit(_commit(person, view.thread, decision, row, settles=view.thread.owes)):
            case store.Committed() | store.Duplicate():
                queues.kick_outbox(view.thread.id, row.key)
                return row, decision
    raise AssertionError("tries ends by raising Busy")


def seen_keys(view: View, seen: str) -> frozenset[str]:
    """The messages that the writer had read, given the one that was shown last."""
    if not seen or seen == view.thread.last_in:
        return frozenset(message.key for message in view.messages)
    last = next((message for message in view.messages if message.key == seen), None)
    if last is None:
        raise NotAllowed("no_such_message")
    sure = last.arrived - COMMIT_TAKES
    return frozenset(
        message.key for message in view.messages if message.arrived <= sure or message.key == seen
    )


def _owing(view: View) -> list[Message]:
    """The unanswered messages: those since the debt began that asked for an answer."""
    since = view.thread.owed_since
    if since is None:
        return []
    return [message for message in view.messages if message.owes and message.arrived >= since - COMMIT_TAKES]


def _forbidden(person: Person, thread: Thread, text: str) -> Problem | None:
    if thread.unreachable:
        return Problem.UNREACHABLE
    message = Outbound(account=thread.account, to=thread.to, text=text)
    return person.channels(thread.channel).refusal(message, thread.window, person.now())


def _row(person: Person, thread: Thread, event: PersonReply, decision: Decision) -> Message:
    settled = Reason.SETTLED in decision.reasons or Reason.UNSEEN_STAYS_OWED in decision.reasons
    now = real_now()
    return Message(
        key=_act_key(thread, event.action, event.at),
        direction="out",
        author="person",
        by=person.by,
        time=event.at,
        arrived=person.now(),
        text=event.text,
        why=tuple(decision.reasons),
        state=State.PENDING,
        due=now + LEASE,
        not_after=now + person.desk.policy.reply_expires,
        settled_since=thread.owed_since if settled else None,
        settled_first=thread.first if settled else "",
    )


def _act_key(thread: Thread, action: str, at: Instant) -> str:
    return keys.message_key(at, None, keys.message_hash(thread.id, action))


def _commit(
    person: Person, before: Thread, decision: Decision, row: Message, *, settles: bool
) -> store.Commit:
    return store.Commit(
        before=before,
        after=decision.thread,
        expires=rows.expires(person.desk, person.now()),
        message=row,
        saw_last_in=settles,
    )


def claim(person: Person, thread_id: str) -> Decision:
    """Somebody takes the thread: no automatic voice while they are at it."""
    event = Claim(by=person.by, action=uuid.uuid4().hex, at=person.now())
    return _act(person, thread_id, event, "claim")


def resolve(person: Person, thread_id: str, code: str = "") -> Decision:
    """Done. A thread that owes an answer needs a reason code."""
    event = Resolve(by=person.by, action=uuid.uuid4().hex, at=person.now(), code=code)
    return _act(person, thread_id, event, "resolve")


def _act(person: Person, thread_id: str, event: Claim | Resolve, kind: str) -> Decision:
    for _ in tries(time.monotonic() + PATIENCE_SECONDS):
        thread = look(thread_id, newest=1).thread
        decision = decide(thread, event, person.desk, person.now())
        if decision.refused:
            raise NotAllowed(decision.reasons[0])
        row = Message(
            key=_act_key(thread, event.action, event.at),
            direction="out",
            author="person",
            by=person.by,
            kind=kind,
            time=event.at,
            arrived=event.at,
            detail=event.code if isinstance(event, Resolve) else "",
            why=tuple(decision.reasons),
        )
        settles = isinstance(event, Resolve) and thread.owes
        outcome = store.commit(_commit(person, thread, decision, row, settles=settles))
        if isinstance(outcome, store.Committed | store.Duplicate):
            return decision
    raise AssertionError("tries ends by raising Busy")
