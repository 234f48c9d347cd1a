"""What people of the desk do: look at a thread, answer, claim, resolve.

A reply settles only what its writer had seen. ``seen`` is the message that was committed last when
the thread was shown; if another one came since, that one stays owed.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sportello.aws import files, history, store
from sportello.aws.clock import real_now
from sportello.channels.base import Act, Channel, Outbound, Problem
from sportello.domain import keys
from sportello.domain.decide import decide
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import Claim, Media, PersonReply, Resolve, Spoken, Wanted
from sportello.domain.guidelines import Remark
from sportello.domain.message import Message, State
from sportello.domain.model import SECOND, Instant
from sportello.domain.outbound import Button, Template
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services import effects, guidelines, rows
from sportello.services.context import tries
from sportello.services.effects import LEASE
from sportello.services.media import type_of

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


class Blocked(NotAllowed):
    """The guidelines keep this text from being sent; ``remarks`` say why and where."""

    def __init__(self, remarks: Sequence[Remark]) -> None:
        super().__init__("guidelines")
        self.remarks = tuple(remarks)


@dataclass(frozen=True)
class View:
    """A thread and its newest messages, in shown order."""

    thread: Thread
    messages: tuple[Message, ...]
    links: tuple[str, ...] = ()
    """Ids of the public threads that this private one goes on from."""


class File(NamedTuple):
    """A file to send; its type is told by content, ``mime`` decides what content cannot."""

    name: str
    content: bytes
    mime: str = ""


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
    messages = history.messages(found.thread.id, newest=newest)
    return View(found.thread, tuple(messages), history.links(found.thread.id))


def reply(
    person: Person,
    thread_id: str,
    text: str = "",
    *,
    seen: str = "",
    action: str = "",
    buttons: tuple[Button, ...] = (),
    template: Template | None = None,
    act: Act = "reply",
    file: File | None = None,
    promise: Instant | None = None,
    despite: bool = False,
    told: Callable[[Sequence[Remark]], object] = lambda remarks: None,
) -> tuple[Message, Decision]:
    """Commit an answer and kick the sender.

    Args:
        act: ``private`` answers a public message in private, where the channel can.
        file: goes with the text; one for each reply.
        promise: an answer for the time being: the full one is owed by then, and watched.
        text: what the customer reads; of a template, what is shown of it to people of the desk.
        seen: key of the last message shown to the writer; empty: all that stands there now.
        action: id of the act; the same act twice is one reply.
        template: an approved form, the only thing that may be sent outside the channel's window.
        despite: the writer has read the remarks and means it; what may not be overridden stays blocked.
        told: is given what the guidelines say of the text, also where they let it pass.

    Raises:
        NoThread, NotAllowed: nothing was written. ``Blocked`` is one of the latter.
    """
    view = look(thread_id)
    if template is None and not _too_long(person, view.thread, text, act):
        _read_by_guidelines(person, view.thread, text, act, despite=despite, told=told)
    draft = Message(
        key="",
        direction="out",
        author="person",
        by=person.by,
        time=person.now(),
        text=text,
        buttons=buttons,
        template=template,
        act=act,
        media=(_kept(view.thread, file),) if file else (),
        state=State.PENDING,
    )
    return _commit_reply(
        person, view, draft, seen or view.thread.last_in, action or uuid.uuid4().hex, promise
    )


def _too_long(person: Person, thread: Thread, text: str, act: Act) -> bool:
    """Then the channel refuses it, and says so in its own words."""
    draft = Message(key="", direction="out", author="person", time=0, text=text, act=act)
    return _forbidden(person, thread, draft) == Problem.TOO_LONG


def _read_by_guidelines(
    person: Person,
    thread: Thread,
    text: str,
    act: Act,
    *,
    despite: bool,
    told: Callable[[Sequence[Remark]], object],
) -> None:
    remarks = guidelines.remarks(
        text,
        person.desk,
        language=thread.language,
        channel=thread.channel,
        account=thread.account,
        public=thread.public and act != "private",
    )
    if remarks:
        told(remarks)
    if blocking := guidelines.forbidden(remarks, despite=despite):
        raise Blocked(blocking)


def _kept(thread: Thread, file: File) -> Media:
    """In S3 before the commit: a file that nothing points to in the end costs nothing but its place."""
    mime = type_of(file.content, file.mime)
    family = mime.partition("/")[0]
    return Media(
        kind=family if family in ("image", "video", "audio") else "document",
        id=file.name,
        mime=mime,
        size=len(file.content),
        name=file.name,
        at=files.keep_ours(thread.id, file.content, mime),
    )


def hide(person: Person, thread_id: str, message_id: str = "") -> Message:
    """Take a public message out of the public's sight; it stays in the thread, and what is owed is owed.

    ``message_id`` is the platform's; empty: the newest. Raises NoThread, NotAllowed.
    """
    view = look(thread_id)
    theirs = [message for message in view.messages if message.direction == "in" and not message.deleted]
    wanted = [message for message in theirs if message_id in ("", message.id)]
    if not wanted:
        raise NotAllowed("no_such_message")
    target = wanted[-1]
    draft = Message(
        key="",
        direction="out",
        author="person",
        kind="hide",
        by=person.by,
        time=person.now(),
        act="hide",
        quote=target.id,
        state=State.PENDING,
    )
    if problem := _forbidden(person, view.thread, draft):
        raise NotAllowed(problem)
    unsettled = Decision(thread=view.thread, reasons=(Reason.HIDDEN,))
    row = _row(person, view.thread, draft, unsettled, f"hide {target.id}")
    commit = store.Commit(
        before=view.thread,
        after=view.thread,
        expires=rows.expires(person.desk, person.now()),
        message=row,
    )
    for _ in tries(time.monotonic() + PATIENCE_SECONDS):
        match store.commit(commit):
            case store.Committed():
                effects.kick(view.thread.id, (row.key,))
                return row
            case store.Duplicate():
                return row
        thread = look(thread_id, newest=1).thread
        commit = commit._replace(before=thread, after=thread)
    raise AssertionError("tries ends by raising Busy")


def _commit_reply(
    person: Person, view: View, draft: Message, seen: str, action: str, promise: Instant | None
) -> tuple[Message, Decision]:
    for attempt in tries(time.monotonic() + PATIENCE_SECONDS):
        if attempt:
            view = look(view.thread.id)
        if problem := _forbidden(person, view.thread, draft):
            raise NotAllowed(problem)
        event = _event(view, draft, seen_keys(view, seen), action, promise)
        decision = decide(view.thread, event, person.desk, person.now())
        row = _row(person, view.thread, draft, decision, action)
        match store.commit(_commit(person, view.thread, decision, row, action)):
            case store.Committed():
                effects.kick(view.thread.id, (row.key,))
                return row, decision
            case store.Duplicate():
                return row, decision
    raise AssertionError("tries ends by raising Busy")


def _event(
    view: View, draft: Message, read: frozenset[str], action: str, promise: Instant | None
) -> PersonReply:
    unseen = next((message for message in _owing(view) if message.key not in read), None)
    first = ""
    if unseen is not None:
        first = rows.clip(unseen.text, rows.FIRST_BYTES) or f"[{unseen.kind}]"
    return PersonReply(
        by=draft.by,
        text=draft.text,
        action=action,
        at=draft.time,
        owing_from=unseen.time if unseen else None,
        owing_first=first,
        promise=promise,
    )


def seen_keys(view: View, seen: str) -> frozenset[str]:
    """The messages that the writer had read, given the one that was shown last; empty: none asked.

    All of a view whose newest is ``seen``: whatever came in while it was read has moved ``last_in``,
    so nothing decided on it is committed, and the next view is judged by times.
    """
    if not seen:
        return frozenset()
    if seen == view.thread.last_in:
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


def _forbidden(person: Person, thread: Thread, draft: Message) -> Problem | None:
    if thread.unreachable:
        return Problem.UNREACHABLE
    message = Outbound(
        account=thread.account,
        to=thread.to,
        act=draft.act,
        by_person=True,
        text=draft.text,
        attachment=files.described(draft.media[0]) if draft.media else None,
        buttons=draft.buttons,
        template=draft.template,
    )
    return person.channels(thread.channel).refusal(message, thread.window, person.now())


def _row(person: Person, thread: Thread, draft: Message, decision: Decision, action: str) -> Message:
    settled = Reason.SETTLED in decision.reasons or Reason.UNSEEN_STAYS_OWED in decision.reasons
    now = real_now()
    return draft.model_copy(
        update={
            "key": _act_key(thread, action, draft.time),
            "arrived": person.now(),
            "why": tuple(decision.reasons),
            "due": now + LEASE,
            "not_after": now + person.desk.policy.reply_expires,
            "promise": decision.thread.promised if Reason.INTERIM in decision.reasons else None,
            "settled_since": thread.owed_since if settled else None,
            "settled_first": thread.first if settled else "",
        }
    )


def _act_key(thread: Thread, action: str, at: Instant) -> str:
    return keys.message_key(at, None, keys.message_hash(thread.id, action))


def _commit(person: Person, before: Thread, decision: Decision, row: Message, action: str) -> store.Commit:
    """Settling also needs that nothing came in since the thread was read."""
    return store.Commit(
        before=before,
        after=decision.thread,
        expires=rows.expires(person.desk, person.now()),
        message=row,
        dedupe=keys.dedupe_key(keys.message_hash(before.id, action)),
        saw_last_in=before.owes,
    )


def claim(person: Person, thread_id: str, held_by: str | None = None) -> Decision:
    """Somebody takes the thread: no automatic voice while they are at it.

    Args:
        held_by: who had it as its taker saw it; empty: nobody. Where somebody else has it, NotAllowed
            ``held``. None: whoever has it.
    """
    event = Claim(by=rows.clip(person.by, rows.BY_BYTES), action=uuid.uuid4().hex, at=person.now())
    return _act(person, thread_id, event, "claim", held_by)


def resolve(person: Person, thread_id: str, code: str = "") -> Decision:
    """Done. A thread that owes an answer needs a reason code."""
    code = rows.clip(code, rows.CODE_BYTES)
    event = Resolve(by=person.by, action=uuid.uuid4().hex, at=person.now(), code=code)
    return _act(person, thread_id, event, "resolve")


def want(person: Person, thread_id: str) -> Decision:
    """What was set aside wants help after all: the newest such message is owed an answer."""
    view = look(thread_id)
    aside = [message for message in view.messages if message.direction == "in" and not message.owes]
    if not view.thread.aside or not aside:
        raise NotAllowed("not_aside")
    first = rows.clip(aside[-1].text, rows.FIRST_BYTES) or f"[{aside[-1].kind}]"
    event = Wanted(by=person.by, action=uuid.uuid4().hex, at=person.now(), since=aside[-1].time, first=first)
    return _act(person, thread_id, event, "want")


def speak(person: Person, thread_id: str, language: str) -> Decision:
    """From now on this customer is answered in this language, whatever the platform says."""
    if language not in person.desk.languages:
        raise NotAllowed("no_such_language")
    event = Spoken(by=person.by, action=uuid.uuid4().hex, at=person.now(), language=language)
    return _act(person, thread_id, event, "language")


def _act(
    person: Person,
    thread_id: str,
    event: Claim | Resolve | Wanted | Spoken,
    kind: str,
    held_by: str | None = None,
) -> Decision:
    seen = None
    for _ in tries(time.monotonic() + PATIENCE_SECONDS):
        thread = look(thread_id, newest=1).thread
        seen = thread.last_in if seen is None else seen
        if isinstance(event, Resolve) and thread.last_in != seen:
            raise NotAllowed("newer_message")
        if held_by is not None and thread.claimed_by not in (held_by, event.by):
            raise NotAllowed("held")
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
            detail=_detail(event),
            why=tuple(decision.reasons),
        )
        outcome = store.commit(_commit(person, thread, decision, row, event.action))
        if isinstance(outcome, store.Committed | store.Duplicate):
            return decision
    raise AssertionError("tries ends by raising Busy")


def _detail(event: Claim | Resolve | Wanted | Spoken) -> str:
    if isinstance(event, Resolve):
        return event.code
    return event.language if isinstance(event, Spoken) else ""
