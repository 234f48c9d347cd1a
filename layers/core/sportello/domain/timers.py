"""The deadlines of a thread that owes: when the desk must look at it again.

All are service time of one calendar. ``due`` is only a hint: a tick that comes early finds
nothing to do and sets the next one.
"""

import zlib

from sportello.domain.desk import Desk
from sportello.domain.model import MINUTE, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread

CLOSING_SPREAD = 5 * MINUTE
"""Closing time comes to all threads at once; telling them is spread over this time."""


def on_it_at(thread: Thread, desk: Desk) -> Instant | None:
    if thread.owed_since is None or thread.on_it or thread.quiet or not desk.policy.on_it_after:
        return None
    return desk.calendar.after_service(thread.owed_since, desk.policy.on_it_after)


def call_at(thread: Thread, desk: Desk) -> Instant | None:
    if thread.owed_since is None or Reason.NO_ANSWER in thread.escalated or not desk.policy.escalate_after:
        return None
    return desk.calendar.after_service(thread.owed_since, desk.policy.escalate_after)


def closing_at(thread: Thread, desk: Desk, now: Instant) -> Instant | None:
    """The closing time (spread) at which a thread that was told nothing is told the hours.

    One that was told is looked at as well: whatever owes has a next look, should the hours be edited.
    """
    if thread.owed_since is None:
        return None
    closing = desk.calendar.next_closing(now)
    if closing is None:
        return None
    if not desk.calendar.is_open(now) and not thread.knows_hours and not thread.quiet:
        return now
    return closing + zlib.crc32(thread.id.encode()) % CLOSING_SPREAD


def next_due(thread: Thread, desk: Desk, now: Instant) -> Instant | None:
    """The earliest deadline, never before a person's quiet time or the opening has passed."""
    if not thread.owes:
        return None
    times = [
        _when_open(on_it_at(thread, desk), desk, now),
        call_at(thread, desk),
        closing_at(thread, desk, now),
    ]
    earliest = min((time for time in times if time is not None), default=None)
    if earliest is not None and thread.person_until is not None and thread.person_present(now):
        return max(earliest, thread.person_until)
    return earliest


def _when_open(time: Instant | None, desk: Desk, now: Instant) -> Instant | None:
    if time is None or time > now or desk.calendar.is_open(now):
        return time
    return desk.calendar.next_opening(now)
