"""The deadlines of a thread that owes: when the desk must look at it again.

All are service time of the thread's one calendar, but for what is urgent. ``due`` is only a hint: a
tick that comes early finds nothing to do and sets the next one.
"""

import zlib

from sportello.domain.deadlines import Deadlines
from sportello.domain.desk import Desk
from sportello.domain.duty import next_look
from sportello.domain.hours import Calendar
from sportello.domain.model import DAY, HOUR, MINUTE, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread

CLOSING_SPREAD = 5 * MINUTE
"""Closing time comes to all threads at once; telling them is spread over this time."""
LONGEST_WITHIN = 4 * HOUR
"""The last level of an escalation is paged again after twice the time each turn, up to this."""
MANY_PAGES = 60
"""After so many nobody comes for the next one: it comes once a day, and a call stays a row that fits."""


def deadlines(thread: Thread, desk: Desk) -> Deadlines:
    """How long answers may take in this conversation."""
    return desk.answers.of(thread.channel, thread.tier, thread.track)


def on_it_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    """When the customer hears "we are on it"; not while an answer of ours waits for a yes or no."""
    after = 0 if thread.consulting is not None or thread.offered else desk.policy.on_it_after
    if thread.on_it or thread.interim or thread.quiet or thread.public or not after:
        return None
    return _after(thread.owed_since, after, calendar)


def call_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    """When people are called because nobody has answered: in time before the first answer is late."""
    after, first = desk.policy.escalate_after, deadlines(thread, desk).first
    if Reason.NO_ANSWER in thread.escalated or thread.interim or not after:
        return None
    return _after(thread.owed_since, after if not first or after < first else first // 2, calendar)


def first_late_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    if Reason.FIRST_LATE in thread.escalated or thread.interim:
        return None
    return first_due(thread, desk, calendar)


def first_due(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    """By when a person is to have answered for the first time."""
    return _after(thread.owed_since, deadlines(thread, desk).first, calendar)


def full_due(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    """By when the answer is to be complete."""
    return _after(thread.owed_since, deadlines(thread, desk).full, calendar)


def full_soon_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    limits = deadlines(thread, desk)
    if Reason.FULL_SOON in thread.escalated or Reason.FULL_LATE in thread.escalated:
        return None
    return _after(thread.owed_since, limits.full - limits.warn_full, calendar)


def full_late_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    return None if Reason.FULL_LATE in thread.escalated else full_due(thread, desk, calendar)


def promise_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    return None if Reason.PROMISE_LATE in thread.escalated else thread.promised


def page_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    """When people are paged again, since nobody has taken it.

    What was called while the desk was closed comes again at the opening, unless it is urgent.
    """
    if thread.paged is None or not thread.level:
        return None
    within = page_within(thread, desk)
    if desk.is_urgent(thread.escalated):
        return thread.paged + within
    if not calendar.is_open(thread.paged):
        return calendar.next_opening(thread.paged)
    return calendar.after_service(thread.paged, within)


def silent_at(thread: Thread, desk: Desk, calendar: Calendar) -> Instant | None:
    """When whoever has taken it has left it without an answer for so long that it goes back to the team."""
    after = desk.escalation.taken_for
    if not thread.claimed_by or thread.paged is not None or not after:
        return None
    promised = thread.promised if thread.interim else None
    times = (thread.owed_since, thread.person_until, promised)
    since = max(time for time in times if time is not None)
    return since + after if desk.is_urgent(thread.escalated) else calendar.after_service(since, after)


def page_within(thread: Thread, desk: Desk) -> Instant:
    levels = desk.escalation.levels
    beyond = max(0, thread.level - len(levels))
    within = levels[min(thread.level, len(levels)) - 1].within
    if beyond > MANY_PAGES:
        return max(within, DAY)
    return max(within, min(within << min(beyond, 8), LONGEST_WITHIN))


def closing_at(thread: Thread, calendar: Calendar, now: Instant) -> Instant | None:
    """The closing time (spread) at which a thread that was told nothing is told the hours.

    One that was told is looked at as well: whatever owes has a next look, should the hours be edited.
    """
    closing = calendar.next_closing(now)
    if closing is None:
        return None
    if not calendar.is_open(now) and not hears_no_hours(thread):
        return now
    return closing + zlib.crc32(thread.id.encode()) % CLOSING_SPREAD


def hears_no_hours(thread: Thread) -> bool:
    """The desk does not tell this debt by itself when it opens: something else was said, or will be."""
    heard = not {Reason.TO_CARE, Reason.ORDER_UNPROVED}.isdisjoint(thread.escalated)
    waits = thread.offered or thread.consulting is not None
    return bool(thread.knows_hours or thread.quiet or thread.public or thread.interim or heard or waits)


ANSWERS = (call_at, first_late_at, full_soon_at, full_late_at, promise_at)
"""Deadlines of answers: they run in service time (a promise by the clock), and call at any hour."""


def next_due(thread: Thread, desk: Desk, now: Instant, calendar: Calendar) -> Instant | None:
    """The earliest deadline, never before a person's quiet time or the opening has passed."""
    if not thread.owes:
        return None
    times = [when(thread, desk, calendar) for when in ANSWERS]
    times.append(_when_open(on_it_at(thread, desk, calendar), calendar, now))
    for call_again in (page_at, silent_at):
        at = call_again(thread, desk, calendar)
        times.append(at if desk.is_urgent(thread.escalated) else _when_open(at, calendar, now))
    times += [closing_at(thread, calendar, now), next_look(desk, thread.team, calendar, now)]
    earliest = min((time for time in times if time is not None), default=None)
    if earliest is not None and thread.person_until is not None and thread.person_present(now):
        earliest = max(earliest, thread.person_until)
    if thread.consulting is not None:
        return thread.consulting if earliest is None else min(earliest, thread.consulting)
    return earliest


def _after(since: Instant | None, amount: Instant, calendar: Calendar) -> Instant | None:
    """None: no deadline (an amount of 0)."""
    return calendar.after_service(since, amount) if since is not None and amount > 0 else None


def _when_open(time: Instant | None, calendar: Calendar, now: Instant) -> Instant | None:
    if time is None or time > now or calendar.is_open(now):
        return time
    return calendar.next_opening(now)
