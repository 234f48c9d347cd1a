"""People act: they answer, take, resolve, set a language, bring back what was set aside."""

from sportello.domain import timers
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import Claim, Echo, PersonReply, Resolve, SendResult, Spoken, Wanted
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.domain.turn import NO_DEBT, Turn

STAYS = (
    Reason.URGENT,
    Reason.ASKS_PERSON,
    Reason.UNREADABLE,
    Reason.SEND_FAILED,
    Reason.TO_CARE,
    Reason.PUBLIC_ACKNOWLEDGED,
    Reason.PERSONAL_DATA_DELETE,
)
"""What people were called for, and what was said, also counts for what stays owed."""
MACHINES = (Reason.AUTO_SUBMITTED, Reason.NEWSLETTER)


def person_reply(thread: Thread, event: PersonReply, desk: Desk, now: Instant) -> Decision:
    if event.promise is not None:
        return _interim(thread, event.promise, desk, now)
    return _answered(thread, event.owing_from, event.owing_first, desk, now)


def echo(thread: Thread, event: Echo, desk: Desk, now: Instant) -> Decision:
    """Written on the phone or in the platform's inbox: a person's counts as a reply."""
    if event.author == "automatic":
        return Decision(thread=thread, reasons=(Reason.AUTOMATIC_ECHO,))
    return _answered(thread, event.owing_from, event.owing_first, desk, now)


def _answered(
    thread: Thread, owing_from: Instant | None, owing_first: str, desk: Desk, now: Instant
) -> Decision:
    turn = Turn(thread, desk, now)
    turn.change(person_until=now + desk.policy.person_quiet, answered=True)
    if not thread.owes:
        turn.because(Reason.NOTHING_OWED)
    elif owing_from is None:
        turn.change(**NO_DEBT)
        turn.because(Reason.SETTLED)
    else:
        _stays_owed(turn, owing_from, owing_first)
    return turn.decision()


def _stays_owed(turn: Turn, since: Instant, first: str) -> None:
    """What stays owed waits anew: if nobody comes again, people are called again."""
    turn.change(
        owed_since=min(since, turn.now),
        first=first,
        escalated=tuple(why for why in turn.thread.escalated if why in STAYS),
        level=0,
        paged=None,
        promised=None,
        interim=False,
        offered="",
        consulting=None,
    )
    turn.change(due=timers.next_due(turn.thread, turn.desk, turn.now, turn.calendar))
    turn.because(Reason.UNSEEN_STAYS_OWED)


def _interim(thread: Thread, promise: Instant, desk: Desk, now: Instant) -> Decision:
    """An answer for the time being: all stays owed, and the promised time is watched.

    Its writer counts as present until then at the latest: a promise that nobody keeps is not waited out.
    """
    turn = Turn(thread, desk, now)
    if not thread.owes:
        turn.owe(now, "", quiet="interim")  # nobody has asked: nobody hears that we are on it
        turn.route()
    turn.change(
        person_until=min(now + desk.policy.person_quiet, max(promise, now)),
        answered=True,
        interim=True,
        promised=promise,
        offered="",
        consulting=None,
        level=0,
        paged=None,
        escalated=tuple(why for why in thread.escalated if why != Reason.PROMISE_LATE),
    )
    turn.because(Reason.INTERIM)
    return turn.watched()


def claim(thread: Thread, event: Claim, desk: Desk, now: Instant) -> Decision:
    """Somebody takes it: nobody is paged any more for what people were called for."""
    turn = Turn(thread, desk, now)
    turn.change(claimed_by=event.by, person_until=now + desk.policy.person_quiet, paged=None)
    turn.because(Reason.CLAIMED)
    return turn.watched()


def resolve(thread: Thread, event: Resolve, desk: Desk, now: Instant) -> Decision:
    if thread.owes and not event.code:
        return Decision(thread=thread, reasons=(Reason.OWES_NEEDS_CODE,), refused=True)
    turn = Turn(thread, desk, now)
    turn.change(**NO_DEBT | {"resolved": event.code or "answered", "claimed_by": "", "person_until": None})
    turn.because(Reason.RESOLVED)
    return turn.decision()


def send_result(thread: Thread, event: SendResult, desk: Desk, now: Instant) -> Decision:
    """A person's reply never arrived: what it had settled is owed again, and people are told."""
    turn = Turn(thread, desk, now)
    if not thread.owes:  # no debt whose call this could be added to
        turn.change(escalation="", escalated=(), level=0)
    turn.because(Reason.SEND_FAILED)
    since = min((t for t in (thread.owed_since, event.owed_since) if t is not None), default=None)
    if since is not None and since != thread.owed_since:
        turn.change(owed_since=since, first=event.first or thread.first, resolved="")
        turn.because(Reason.DEBT_RETURNS)
    if event.owed_since is None:  # it settled nothing: it was the promise that never arrived
        turn.change(interim=False, promised=None)
    turn.call(Reason.SEND_FAILED)
    turn.change(person_until=None)  # whoever wrote it is not heard: the desk may speak
    return turn.watched()


def wanted(thread: Thread, event: Wanted, desk: Desk, now: Instant) -> Decision:
    """What was set aside wants help after all; nothing of this customer's is set aside again."""
    turn = Turn(thread, desk, now)
    turn.change(trusted=True, aside="")
    if thread.owes:
        turn.because(Reason.STILL_OWES)
        return turn.decision()
    by_machine = thread.aside if thread.aside in MACHINES else ""  # which hears no automatic voice
    turn.owe(min(event.since, now), event.first, quiet=by_machine)
    turn.route()
    turn.because(Reason.WANTED)
    return turn.watched()


def spoken(thread: Thread, event: Spoken, desk: Desk, now: Instant) -> Decision:
    turn = Turn(thread, desk, now)
    turn.change(language=event.language, language_set=True)
    turn.because(Reason.LANGUAGE_SET)
    return turn.decision()
