"""Once more, after the cause is mended: unreadable bodies, dead letters, replies that failed.

Whatever is replayed finds its own earlier self, so a second run does no harm.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sportello.aws import enquiries, escalations, outbox, quarantine, queues, store, threads, together
from sportello.aws.clock import real_now
from sportello.aws.due import Due
from sportello.aws.outbox import Address
from sportello.aws.secrets import SecretsUnavailable, UnknownConnection
from sportello.channels.base import Channel, Connection, Problem, Request, Unparseable
from sportello.channels.email import Email
from sportello.domain.decide import decide
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import PersonReply
from sportello.domain.keys import CONSULT_KIND, TOGETHER
from sportello.domain.message import Message, State
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services import mail, rows
from sportello.services.context import Busy, Context, tries
from sportello.services.effects import CALL_KIND, LEASE
from sportello.services.ingest import ingest
from sportello.services.reply import COMMIT_TAKES, look
from sportello.services.sweep import kick_again, kick_files

RETRYABLE = frozenset({Problem.BUSY, Problem.TEMPORARY, Problem.RECONNECT})
"""Problems that pass: a reply that failed for one of them may be sent once more."""
PATIENCE_SECONDS = 10.0
OWING_MOST = 1_000
"""Owing threads of a team that are searched for failed replies."""


@dataclass(frozen=True)
class Redrive:
    desk: Desk
    salt: str
    channels: Callable[[str], Channel]
    connection: Callable[[str, str], Connection]
    """Raises ``UnknownConnection``, ``SecretsUnavailable``."""
    now: Callable[[], Instant]


def bodies(work: Redrive) -> Counter[str]:
    """What is in quarantine, through today's parser; counts what became of it.

    A body of which anything is still unreadable stays there; the rest of it is stored all the same.
    """
    return Counter(_body(work, key) for key in quarantine.kept())


def _body(work: Redrive, key: str) -> str:
    kept = quarantine.read_kept(key)
    request = Request(method="POST", path=f"/{kept.connection}", headers=kept.headers, body=kept.body)
    try:
        context = Context(
            channel=work.channels(kept.channel),
            connection=work.connection(kept.channel, kept.connection),
            desk=work.desk,
            salt=work.salt,
            now=work.now,
            deadline=time.monotonic() + PATIENCE_SECONDS,
        )
        events = context.channel.parse(request, context.connection)
        if isinstance(context.channel, Email):
            events = mail.prepared(context, context.channel, request, events)
        ingest(context, request, events)
    except Unparseable:
        return "still unreadable"
    except (UnknownConnection, SecretsUnavailable, ModuleNotFoundError, LookupError):
        return "no such connection"
    except Busy:
        return "busy, try again"
    if context.counts["quarantined"]:
        return "still unreadable"
    quarantine.release(key)
    return "read"


def letters(queue_url: str) -> Counter[str]:
    """Dead letters of a queue: rows that still want something are kicked again."""
    counts: Counter[str] = Counter()
    for letter in queues.dead_letters(queue_url):
        try:
            address = Address(*queues.read_kick(letter.body))
        except queues.BadId:
            counts["not ours"] += 1
            continue
        due, kick = _wanted(address)
        outcome = "done already" if due is None else kick(Due(due, address.thread, address.key))
        queues.delete_letter(queue_url, letter)
        counts[outcome] += 1
    return counts


def _wanted(address: Address) -> tuple[Instant | None, Callable[[Due], str]]:
    """When the row wanted to be looked at, None: no more; and who looks at it."""
    if address.key.startswith(TOGETHER):
        return together.read(address).get("due"), kick_again
    if address.key.endswith(f"~{CALL_KIND}"):
        _, call = escalations.read(address)
        return call.due if call else None, kick_again
    if address.key.endswith(f"~{CONSULT_KIND}"):
        _, enquiry = enquiries.read(address)
        return enquiry.due if enquiry else None, kick_again
    _, row = outbox.read(address)
    if row is None:
        return None, kick_again
    return row.due, kick_files if row.direction == "in" else kick_again


def replies(work: Redrive) -> Counter[str]:
    """People's replies that failed for a reason that passes, in threads that still owe.

    A failed reply gave its debt back, so the inbox leads to it; where somebody has answered since,
    it is not wanted any more.
    """
    counts: Counter[str] = Counter()
    for team in work.desk.teams:
        for entry in threads.owing_threads(team, limit=OWING_MOST):
            view = look(entry["thread"])
            for row in failed(view.messages):
                counts[_send_again(work, Address(view.thread.id, row.key))] += 1
    return counts


def failed(messages: Sequence[Message]) -> list[Message]:
    """The replies that may be sent once more: none after which a person has answered."""
    found: list[Message] = []
    for message in messages:
        if message.author != "person" or message.state is None:
            continue
        if message.state is not State.FAILED:
            found.clear()
        elif message.problem in RETRYABLE:
            found.append(message)
    return found


def _send_again(work: Redrive, address: Address) -> str:
    for _ in tries(time.monotonic() + PATIENCE_SECONDS):
        view = look(address.thread)
        row = next((message for message in failed(view.messages) if message.key == address.key), None)
        if row is None:
            return "done already"
        commit = _commit(work, view.thread, view.messages, row)
        match store.commit(commit):
            case store.Committed():
                queues.kick_outbox(address.thread, address.key, row.attempt + 1)
                return "sent again"
            case store.Lost():
                return "done already"
    raise AssertionError("tries ends by raising Busy")


def _commit(work: Redrive, thread: Thread, messages: Sequence[Message], row: Message) -> store.Commit:
    """The row PENDING again and what it settles, in one transaction."""
    decision = _decide(work, thread, messages, row)
    now = real_now()
    step = outbox.again(
        Address(thread.id, row.key), thread, due=now + LEASE, not_after=now + work.desk.policy.reply_expires
    )
    return store.Commit(
        before=thread,
        after=decision.thread,
        expires=rows.expires(work.desk, work.now()),
        steps=(step,),
        saw_last_in=thread.owes,
    )


def _decide(work: Redrive, thread: Thread, messages: Sequence[Message], row: Message) -> Decision:
    since = (thread.owed_since or 0) - COMMIT_TAKES
    unseen = [m for m in messages if m.owes and m.arrived >= since and not _was_read(m, row)]
    event = PersonReply(
        by=row.by,
        text=row.text,
        action=row.key,
        at=row.time,
        owing_from=unseen[0].time if unseen else None,
        owing_first=(rows.clip(unseen[0].text, rows.FIRST_BYTES) or f"[{unseen[0].kind}]") if unseen else "",
    )
    return decide(thread, event, work.desk, work.now())


def _was_read(message: Message, row: Message) -> bool:
    """Whether the reply's writer had surely read it: a reply that settled the debt had read all till then."""
    return Reason.SETTLED in row.why and message.arrived <= row.arrived - COMMIT_TAKES
