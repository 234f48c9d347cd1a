"""A deadline comes: what is said, who is called, who takes over. An early tick finds nothing to do."""

from sportello.domain import on_consulted, routing, timers, voice
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import Tick
from sportello.domain.keys import timer_key
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.domain.turn import Turn


def tick(thread: Thread, event: Tick, desk: Desk, now: Instant) -> Decision:
    turn = Turn(thread, desk, now)
    if thread.owed_since is None:
        turn.change(due=None, consulting=None)
        turn.because(Reason.NOTHING_OWED)
        return turn.decision()
    if thread.consulting is not None and now >= thread.consulting:
        on_consulted.without_answer(turn)
    if thread.person_present(now):
        turn.because(Reason.PERSON_PRESENT)
    else:
        _change_team(turn)
        _late_answers(turn, thread.owed_since)
        _hand_back(turn, thread.owed_since)
        _page(turn, thread.owed_since)
        _closing(turn, thread.owed_since)
        _on_it(turn, thread.owed_since)
    if not turn.reasons:
        turn.because(Reason.NOT_YET)
    return turn.watched()


def _change_team(turn: Turn) -> None:
    """Whoever owes an answer has somebody on duty, as long as anybody is."""
    thread, desk = turn.thread, turn.desk
    if not desk.people or not turn.is_open or routing.is_manned(desk, thread.team, turn.now):
        return
    if not turn.route():
        return
    turn.call(Reason.ROUTED_FALLBACK, timer_key(thread.owed_since or 0, f"team-{turn.now}"), again=True)


def _late_answers(turn: Turn, owed_since: Instant) -> None:
    """Warnings call the level that was told; a deadline that has passed calls the next one.

    They ran in service time, so a look that comes after closing is only late: it calls all the same.
    """
    for when, why, name, raised in (
        (timers.call_at, Reason.NO_ANSWER, "no-answer", False),
        (timers.first_late_at, Reason.FIRST_LATE, "first-late", True),
        (timers.full_soon_at, Reason.FULL_SOON, "full-soon", False),
        (timers.full_late_at, Reason.FULL_LATE, "full-late", True),
        (timers.promise_at, Reason.PROMISE_LATE, "promise", True),
    ):
        at = when(turn.thread, turn.desk, turn.calendar)
        if at is not None and turn.now >= at:
            turn.call(why, timer_key(owed_since, name), raised=raised)


def _hand_back(turn: Turn, owed_since: Instant) -> None:
    """Somebody took it, and the customer has heard nothing since: it is the team's again."""
    thread, desk = turn.thread, turn.desk
    at = timers.silent_at(thread, desk, turn.calendar)
    if at is None or turn.now < at or not (turn.is_open or desk.is_urgent(thread.escalated)):
        return
    turn.change(claimed_by="", paged=turn.now if thread.level else None)
    turn.call(Reason.HANDED_BACK_SILENT, timer_key(owed_since, f"silent-{turn.now}"), again=True)


def _page(turn: Turn, owed_since: Instant) -> None:
    """Nobody has taken it: the next level, and the last one again and again."""
    thread, desk = turn.thread, turn.desk
    at = timers.page_at(thread, desk, turn.calendar)
    if at is None or turn.now < at or turn.raised:
        return
    cause = timer_key(owed_since, f"page-{turn.now}")
    if desk.is_urgent(thread.escalated):
        turn.call(Reason.UNACKNOWLEDGED, cause, raised=True, again=True)
    elif not turn.is_open:
        return
    elif thread.paged is not None and not turn.calendar.is_open(thread.paged):
        turn.call(Reason.WAITS_AT_OPENING, cause, again=True)
    else:
        turn.call(Reason.UNACKNOWLEDGED, cause, raised=True, again=True)


def _closing(turn: Turn, owed_since: Instant) -> None:
    if turn.is_open or timers.hears_no_hours(turn.thread) or turn.thread.consulting is not None or turn.said:
        return
    cause = timer_key(owed_since, f"closing-{turn.calendar.next_opening(turn.now) or 0}")
    voice.say_closed(turn, None, "closing", Reason.TOLD_AT_CLOSING, cause)


def _on_it(turn: Turn, owed_since: Instant) -> None:
    at = timers.on_it_at(turn.thread, turn.desk, turn.calendar)
    if at is None or turn.now < at or not turn.is_open or turn.said:
        return
    voice.say_on_it(turn, timer_key(owed_since, "on-it"))
