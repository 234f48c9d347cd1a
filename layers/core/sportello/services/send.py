"""The sender: one outbox row to the platform, at most once, and its end recorded.

    read -> judge -> render -> claim -> send -> record

A kick is only a hint: the row says what is to be done. An automatic reply is judged again on the
newest ``rev`` in the same transaction that claims it, so what a person commits first wins.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from sportello.aws import files, history, outbox, store
from sportello.aws.clock import real_now
from sportello.aws.environment import environment
from sportello.aws.logging import logger
from sportello.aws.outbox import Address
from sportello.aws.secrets import UnknownConnection
from sportello.channels.base import Channel, Connection, NotSent, Outbound, Problem, Sent
from sportello.channels.http import Http
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.message import Message, State
from sportello.domain.model import HOUR, MINUTE, SECOND, Instant
from sportello.domain.thread import Thread
from sportello.services import automatic, onward, receipts, rows
from sportello.services.context import tries
from sportello.services.wording import Wording

LEASE = MINUTE
"""Real time for which a sender owns a row: more than twice connecting, reading and the short wait."""
LEAST_LEASE = 50 * SECOND
"""Two tries with a short wait between them take up to 45 s."""
SWEEPER_ROUND = 2 * MINUTE
SHORT_WAIT = 15.0
"""Seconds that a sender sleeps through; a longer wait goes through ``due``."""
TEMPORARY_WAIT = 30.0
RECONNECT_WAIT = 300.0
CONFLICT_SECONDS = 10.0


@dataclass(frozen=True)
class Sender:
    """What sending needs besides the row."""

    channels: Callable[[str], Channel]
    connection: Callable[[str, str], Connection]
    """Channel and name to the connection; raises ``UnknownConnection``, ``SecretsUnavailable``."""
    http: Http
    desk: Desk
    wording: Wording
    now: Callable[[], Instant]
    sleep: Callable[[float], None] = time.sleep
    problems: list[str] = field(default_factory=list)
    """Problems met, for the metrics."""


def send(sender: Sender, address: Address) -> str:
    """One row; returns what became of it, a word for the log."""
    for _ in tries(time.monotonic() + CONFLICT_SECONDS):
        thread, row = outbox.read(address)
        if thread is None or row is None or row.state is None:
            return "no_such_row"
        outcome = _take(sender, address, thread, row)
        if outcome not in ("moved", "busy"):
            return outcome
    raise AssertionError("tries ends by raising Busy")


def _take(sender: Sender, address: Address, thread: Thread, row: Message) -> str:
    """Judge the row as it stands now, and act on it."""
    if row.state is State.SENDING:
        return _abandoned(address, row)
    if row.state is not State.PENDING:
        return f"already_{row.state}"
    if thread.hold is not None and _behind(thread.hold, row):
        outbox.wait_for(address, thread.hold, row.problem or Problem.BUSY)
        return "held"
    if reason := onward.needless(thread, row) if row.via else automatic.overtaken(thread, row, sender.now()):
        outbox.cancel(address, reason)
        return f"cancelled_{reason}"
    channel = sender.channels(row.via or thread.channel)
    try:
        message = _message(sender, channel, thread, row, address)
    except files.Gone:
        return _refuse(sender, address, thread, row, Problem.MEDIA)
    except automatic.Gone:
        outbox.cancel(address, "text_gone")
        return "cancelled_text_gone"
    if automatic.exposes(sender.desk, thread, row, message.text):
        outbox.cancel(address, "personal_data")
        return "cancelled_personal_data"
    if problem := _forbidden(sender, channel, thread, row, message):
        return _refuse(sender, address, thread, row, problem)
    try:
        connection = sender.connection(channel.name, onward.connection(row) if row.via else thread.connection)
    except UnknownConnection:
        outbox.wait_for(address, real_now() + round(RECONNECT_WAIT * SECOND), Problem.RECONNECT)
        sender.problems.append(Problem.RECONNECT)
        return "postponed_reconnect"
    token = uuid.uuid4().hex[:16]
    claimed = _claim(sender, address, thread, row, message, token)
    if claimed == "capped":
        outbox.cancel(address, "cap")
        return "cancelled_cap"
    if claimed != "claimed":
        return claimed
    return _transmit(sender, channel, connection, thread, address, message, token)


def _behind(hold: Instant, row: Message) -> bool:
    """Whether the row waits with its thread: until the hold ends, and then for the sweeper's next round.

    A row that has not waited yet would otherwise overtake those that have.
    """
    waited = row.attempt > 0 or row.problem != ""
    return real_now() < (hold if waited else hold + SWEEPER_ROUND)


def _abandoned(address: Address, row: Message) -> str:
    """A sender died holding the row. Nobody knows whether it had sent it, so nobody sends it again."""
    if row.lease is not None and real_now() < row.lease:
        return "leased"
    outbox.unknown(address, row.token, "lease_ended")
    return "unknown"


def _message(sender: Sender, channel: Channel, thread: Thread, row: Message, address: Address) -> Outbound:
    if row.via:
        return onward.letter(sender.wording, thread, row, address, sender.now())
    text = row.text
    buttons = row.buttons
    if row.say:
        text = automatic.text(sender.desk, sender.wording, thread, row, channel, sender.now())
        buttons = automatic.buttons(sender.wording, row, channel)
    return Outbound(
        account=thread.account,
        to=thread.to,
        act=row.act,
        by_person=row.author == "person",
        language=row.language or thread.language,
        text=text,
        attachment=files.attachment(row.media[0], content=channel.uploads) if row.media else None,
        context=history.context(thread, row.quote) if channel.uses_context else {},
        buttons=buttons,
        template=row.template,
        quote=row.quote,
        tag=address.tag,
    )


def _forbidden(
    sender: Sender, channel: Channel, thread: Thread, row: Message, message: Outbound
) -> Problem | None:
    if thread.unreachable:
        return Problem.UNREACHABLE
    if row.author == "person" and row.not_after is not None and real_now() >= row.not_after:
        return Problem(row.problem) if row.problem in set(Problem) else Problem.TEMPORARY
    if channel.answers is not None and _answered(thread) >= channel.answers:
        return Problem.WINDOW_CLOSED
    return channel.refusal(message, thread.window, sender.now())


def _answered(thread: Thread) -> int:
    """How many of our messages followed the customer's newest."""
    taken = (State.SENDING, State.SENT, State.UNKNOWN)
    return sum(row.state in taken for row in history.outgoing(thread.id, after=thread.window or 0))


def _refuse(sender: Sender, address: Address, thread: Thread, row: Message, problem: Problem) -> str:
    step = outbox.refuse(address, problem, row.code)
    outcome = receipts.commit_failed(sender.desk, sender.now(), thread, row, step, problem)
    if isinstance(outcome, store.Committed):
        return f"failed_{problem}"
    return "lost" if isinstance(outcome, store.Lost) else "moved"


def _claim(
    sender: Sender, address: Address, thread: Thread, row: Message, message: Outbound, token: str
) -> str:
    automatic = row.author == "automatic"
    counter = None
    if automatic and row.lease is None:  # counted once, however often it is tried
        hour = sender.now() // HOUR
        most = sender.desk.policy.automatic_per_hour
        counter = outbox.Counter(thread.channel, thread.account, hour, most)
    return outbox.claim(
        address,
        token=token,
        lease_until=_lease(row),
        text=message.text,
        rev=thread.rev if automatic else None,
        counter=counter,
    )


def _lease(row: Message) -> Instant:
    """The due that the row was written with serves as lease where enough of it is left: no index write."""
    now = real_now()
    if row.due is not None and now + LEAST_LEASE < row.due <= now + LEASE:
        return row.due
    return now + LEASE


def _transmit(
    sender: Sender,
    channel: Channel,
    connection: Connection,
    thread: Thread,
    address: Address,
    message: Outbound,
    token: str,
) -> str:
    outcome = channel.send(message, connection, sender.http)
    if isinstance(outcome, NotSent) and outcome.moved_to:
        outbox.readdress(address.thread, outcome.moved_to)
        message = message.model_copy(update={"to": outcome.moved_to})
        outcome = channel.send(message, connection, sender.http)
    if isinstance(outcome, NotSent) and outcome.wait is not None and outcome.wait <= SHORT_WAIT:
        sender.sleep(outcome.wait)
        outcome = channel.send(message, connection, sender.http)
    if isinstance(outcome, Sent):
        linked = _link(sender, thread, outcome) if outcome.linked else ""
        _go_on(sender, channel, connection, thread, address, message, outcome)
        outbox.sent(address, token, outcome.id, also=outcome.also, linked=linked, units=outcome.units)
        return "sent"
    if isinstance(outcome, NotSent):
        sender.problems.append(outcome.problem)
        return _not_sent(sender, address, outcome, token)
    outbox.unknown(address, token, outcome.code)
    return "unknown"


def _go_on(
    sender: Sender,
    channel: Channel,
    connection: Connection,
    thread: Thread,
    address: Address,
    message: Outbound,
    outcome: Sent,
) -> None:
    """What is answered on the site follows a visitor who has left."""
    if channel.name != thread.channel:
        onward.sent(sender.desk, thread, message, outcome.id, sender.now())
    elif channel.family == "site" and message.by_person:
        onward.plan(sender.desk, sender.connection, connection, thread, address, sender.now())


def _link(sender: Sender, thread: Thread, outcome: Sent) -> str:
    """A private reply tells who the public writer is in private: that thread goes on from this one."""
    private = keys.thread_id(environment().id_salt, thread.channel, thread.account, outcome.linked)
    outbox.link(private, thread.id, rows.expires(sender.desk, sender.now()))
    return private


_WAITS = {
    Problem.BUSY: TEMPORARY_WAIT,
    Problem.TEMPORARY: TEMPORARY_WAIT,
    Problem.RECONNECT: RECONNECT_WAIT,
}
"""Problems that pass: seconds to wait where the platform names none."""


def _not_sent(sender: Sender, address: Address, outcome: NotSent, token: str) -> str:
    if outcome.problem in _WAITS:
        wait = outcome.wait if outcome.wait is not None else _WAITS[outcome.problem]
        due = real_now() + round(wait * SECOND)
        outbox.postpone(address, token=token, due=due, problem=outcome.problem, code=outcome.code, hold=True)
        return f"postponed_{outcome.problem}"
    receipts.fail(
        sender.desk,
        sender.now,
        address,
        outcome.problem,
        outcome.code,
        time.monotonic() + CONFLICT_SECONDS,
        token,
    )
    logger.info("send failed", extra={"thread_id": address.thread, "problem": outcome.problem})
    return f"failed_{outcome.problem}"
