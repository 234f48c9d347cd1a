"""One event's decision in the making: the thread so far, what is said, who is called, and why."""

from collections.abc import Sequence
from typing import Any

from sportello.domain import timers
from sportello.domain.decision import Call, Consult, Decision, Effect, Hide, Learn, Say
from sportello.domain.desk import Desk
from sportello.domain.hours import Calendar
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.routing import route
from sportello.domain.thread import Thread

NO_DEBT: dict[str, Any] = {
    "owed_since": None,
    "first": "",
    "on_it": False,
    "person_told": False,
    "escalation": "",
    "escalated": (),
    "quiet": "",
    "level": 0,
    "paged": None,
    "promised": None,
    "interim": False,
    "consulting": None,
    "offered": "",
    "greeted": False,
    "due": None,
}
"""What a thread remembers of a debt, once there is none."""


class Turn:
    """Rules read ``thread``, ``desk``, ``calendar`` and ``now``, and add to the rest."""

    __slots__ = (
        "_again", "_calendar", "_calls", "_cause", "_effects", "_raised", "cause", "desk", "now", "reasons",
        "thread",
    )  # fmt: skip

    def __init__(self, thread: Thread, desk: Desk, now: Instant) -> None:
        self.thread = thread
        self.desk = desk
        self.now = now
        self.cause = ""
        """Key of what makes the desk speak, where that is not the event itself (a deadline)."""
        self.reasons: list[Reason] = []
        self._calendar: Calendar | None = None
        self._effects: list[Effect] = []
        self._calls: list[Reason] = []
        self._cause = ""
        self._raised = False
        self._again = False

    @property
    def calendar(self) -> Calendar:
        """The hours of this conversation: of its account, channel, team or desk."""
        if self._calendar is None:
            thread = self.thread
            self._calendar = self.desk.calendar_of(thread.channel, thread.account, thread.team)
        return self._calendar

    @property
    def is_open(self) -> bool:
        return self.calendar.is_open(self.now)

    @property
    def said(self) -> bool:
        """The desk has spoken in this turn, or waits to: it has one automatic voice."""
        return any(isinstance(effect, Say) for effect in self._effects)

    @property
    def called(self) -> bool:
        return bool(self._calls)

    @property
    def raised(self) -> bool:
        """The next level of the escalation is told in this turn."""
        return self._raised

    @property
    def consults(self) -> bool:
        return any(isinstance(effect, Consult) for effect in self._effects)

    def change(self, **fields: Any) -> None:
        """The thread with these fields; itself where they are so already, as after most messages."""
        if fields.items() <= vars(self.thread).items():
            return
        if "team" in fields:
            self._calendar = None
        self.thread = self.thread.model_copy(update=fields)

    def owe(self, since: Instant, first: str, **fields: Any) -> None:
        """A debt begins, of which nothing is remembered yet; ``first`` are its opening words."""
        begun: dict[str, Any] = {"owed_since": since, "first": first, "resolved": ""}
        self.change(**NO_DEBT | begun | {"track": self.desk.track} | fields)

    def route(self, topics: Sequence[str] = (), *, stays: bool = True) -> bool:
        """Who takes it, by competence; True: another team than before.

        Args:
            stays: it stays where it is if it fits there as well.
        """
        thread = self.thread
        found = route(
            self.desk,
            channel=thread.channel,
            account=thread.account,
            language=thread.language,
            topics=topics,
            now=self.now,
            current=thread.team if stays else "",
        )
        moved = found.team != thread.team
        self.change(team=found.team)
        if found.reason not in (Reason.ROUTED_DEFAULT, Reason.ROUTED_STAYS):
            self.because(found.reason)
        return moved

    def because(self, reason: Reason) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    def say(self, say: Say) -> None:
        self._effects.append(say)
        self.because(say.why)

    def hide(self, hide: Hide) -> None:
        self._effects.append(hide)
        self.because(hide.why)

    def consult(self, consult: Consult) -> None:
        self._effects.append(consult)
        self.because(Reason.CONSULTS)

    def learn(self, fields: dict[str, str]) -> None:
        self._effects.append(Learn(fields=fields))
        self.because(Reason.FIELD_LEARNT)

    def note(self, why: Reason) -> bool:
        """Remember for this debt that this was so; False where it is remembered already."""
        if why in self.thread.escalated:
            return False
        self.change(escalated=(*self.thread.escalated, why))
        return True

    def call(self, why: Reason, cause: str = "", *, raised: bool = False, again: bool = False) -> bool:
        """People are called, once for each reason in a debt.

        Args:
            cause: key of the deadline, where one is the cause.
            raised: the next level of the escalation is told.
            again: the reason may be given more than once (a page).
        """
        if not again and not self.note(why):
            self.because(Reason.ALREADY_CALLED)
            return False
        self._calls.append(why)
        self._cause = self._cause or cause
        self._raised = self._raised or raised
        self._again = self._again or again
        self.because(why)
        return True

    def make_call(self) -> None:
        """One call with all that people are called for; only then its level is known."""
        if self._calls:
            self._effects.append(self._call())
            self._calls = []

    def decision(self) -> Decision:
        self.make_call()
        return Decision(thread=self.thread, effects=tuple(self._effects), reasons=tuple(self.reasons))

    def watched(self) -> Decision:
        """The decision, and when to look next."""
        on_it = timers.on_it_at(self.thread, self.desk, self.calendar)
        if self.said and self.is_open and on_it is not None and on_it <= self.now:
            self.change(on_it=True)  # what is said just now stands for it
        self.make_call()
        self.change(due=timers.next_due(self.thread, self.desk, self.now, self.calendar))
        return self.decision()

    def _call(self) -> Call:
        thread, levels = self.thread, len(self.desk.escalation.levels)
        level = max(1, thread.level + 1 if self._raised and thread.level else thread.level)
        key = thread.escalation
        if not thread.level or (thread.paged is not None and self._starts_wait(level)):
            self.change(paged=self.now)
        self.change(level=level)
        return Call(
            whys=tuple(self._calls),
            team=thread.team or self.desk.default_team,
            level=min(level, levels),
            urgent=self.desk.is_urgent(thread.escalated),
            digest=self._calls == [Reason.WAITS_AT_OPENING],
            key=key,
            cause=self._cause,
        )

    def _starts_wait(self, level: int) -> bool:
        """A further reason at the same level is told, but does not put off the next level."""
        return self._again or level != self.thread.level or self._is_urgent_now()

    def _is_urgent_now(self) -> bool:
        """What could wait for the opening until now can wait no longer."""
        before = [why for why in self.thread.escalated if why not in self._calls]
        return self.desk.is_urgent(self._calls) and not self.desk.is_urgent(before)
