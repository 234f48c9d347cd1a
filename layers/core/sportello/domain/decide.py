"""The one function that decides: what an event means for a thread, and what the desk does.

Pure: it reads the thread, the event, the desk and the time it is given, and nothing else. The
Lambdas, the simulator and the reports call the same function. What each kind of event means stands
in a room of its own: ``on_message``, ``on_tick``, ``on_people``, ``on_consulted``.
"""

from collections.abc import Callable
from typing import Any

from sportello.domain import on_consulted, on_message, on_people, on_tick
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import (
    Claim,
    Consulted,
    Echo,
    Edit,
    Event,
    Followed,
    Inbound,
    PersonReply,
    Resolve,
    SendResult,
    Spoken,
    Tick,
    Wanted,
)
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread, advanced


def decide(thread: Thread, event: Event, desk: Desk, now: Instant) -> Decision:
    """What becomes of the thread, what is said and who is called, each with its reason.

    ``thread`` is as read from the table, or newly opened with ``rev`` 0. The answer's thread has
    the next ``rev`` exactly where something that this function reads has changed.
    """
    decision = _RULES[type(event)](thread, event, desk, now)
    after = advanced(thread, decision.thread)
    return decision if after is decision.thread else decision._replace(thread=after)


def _edit(thread: Thread, event: Edit, desk: Desk, now: Instant) -> Decision:
    return Decision(thread=thread, reasons=(Reason.EDITED,))


_RULES: dict[type[Any], Callable[[Thread, Any, Desk, Instant], Decision]] = {
    Inbound: on_message.inbound,
    Echo: on_people.echo,
    Edit: _edit,
    Tick: on_tick.tick,
    PersonReply: on_people.person_reply,
    Claim: on_people.claim,
    Resolve: on_people.resolve,
    SendResult: on_people.send_result,
    Wanted: on_people.wanted,
    Spoken: on_people.spoken,
    Consulted: on_consulted.consulted,
    Followed: on_consulted.followed,
}
