"""What ``decide`` returns: the thread as it shall be, the effects, and why."""

from typing import Literal, NamedTuple

from sportello.domain.model import Instant, Model
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread

Text = Literal["closed", "closing", "on_it", "person_asked_open", "person_asked_closed"]
"""Names of the texts in ``templates/replies/<locale>/`` that the desk says by itself."""


class Say(Model):
    """An automatic reply: said at most once, and not after ``not_after``."""

    kind: str
    """Names the effect in its key: one of a kind for each cause."""
    text: Text
    language: str
    until: Instant | None = None
    """The opening that the text names."""
    not_after: Instant
    why: Reason
    cause: str = ""
    """Key of the cause where it is not the event itself (a deadline)."""


class Call(Model):
    """People are called, or a reason is added to a call that is open."""

    why: Reason
    team: str
    key: str = ""
    """Key of the open escalation to add to; empty: a new one."""
    cause: str = ""


Effect = Say | Call


class Decision(NamedTuple):
    thread: Thread
    reasons: tuple[Reason, ...]
    effects: tuple[Effect, ...] = ()
    refused: bool = False
    """A person asked for what is not allowed; ``reasons`` says why. Nothing is written."""
