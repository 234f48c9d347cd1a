"""The desk in memory: a scenario's events in time order, each decided and kept as the functions do it.

Ticks come exactly when a thread is due (the sweeper comes within a minute of it), an answer from the
outside a second after the question. What falls on one instant goes in this order: the lines as they are
written, answers from outside, ticks; so a person who writes at a deadline is not too late.
"""

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from infra.simulate.consult import Asked, Outside
from infra.simulate.entry import Entry, Sayings, Told, told_of
from infra.simulate.happenings import inbound, person_act
from infra.simulate.lines import Acts, Scenario, Step, Writes, is_meant
from infra.simulate.sending import Sending, refusal
from sportello.domain import keys
from sportello.domain.decide import decide
from sportello.domain.decision import Consult, Decision, Hide, Say
from sportello.domain.desk import Desk
from sportello.domain.events import (
    Consulted,
    Event,
    Followed,
    Inbound,
    PersonReply,
    Spoken,
    Tick,
    Wanted,
)
from sportello.domain.front import calendar_of_front
from sportello.domain.model import DAY, SECOND, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services.caused import Caused, caused
from sportello.services.heard import heard

SALT = "simulation"
ACCOUNT = "main"
OUTSIDE_TAKES = SECOND
SHOWN = "shown"
"""What a scenario writes as ``ref`` for the link that this customer was shown last."""
LOOKS_MOST = 50
"""Ticks of one conversation at one instant: more would be a mistake of the rules, and must not hang."""
NO_IDS: Mapping[str, str] = MappingProxyType({})
_LINE, _OUTSIDE, _LOOK = range(3)


class Late(NamedTuple):
    """Something on its way to a thread."""

    at: Instant
    order: int
    number: int
    talk: str
    step: Step | None = None
    asked: Asked | None = None


@dataclass
class Talk:
    """One customer's conversation on one account."""

    name: str
    thread: Thread
    keys: set[str] = field(default_factory=set)
    """Of all rows: nothing is caused twice."""
    heard: list[Inbound] = field(default_factory=list)
    aside: list[Inbound] = field(default_factory=list)
    """Those that asked for nothing."""
    sent: int = 0
    """Messages of ours since the customer's newest."""

    def hear(self, event: Inbound, before: Thread, after: Thread, now: Instant, key: str) -> None:
        """``key`` is empty for a message that owes nothing."""
        self.thread = heard(after, before, event, event.time or now, now, key)
        self.heard.append(event)
        self.sent = 0
        if not key:
            self.aside.append(event)


class World:
    """One run. ``talks`` is what remains of it."""

    def __init__(
        self,
        desk: Desk,
        outside: Outside,
        sending: Sending,
        salt: str = SALT,
        ids: Mapping[str, str] = NO_IDS,
    ) -> None:
        """``ids``: of conversations that have one already, by their name."""
        self.desk = desk
        self._ids = ids
        self._outside = outside
        self._sending = sending
        self.talks: dict[str, Talk] = {}
        self._salt = salt
        self._queue: list[Late] = []
        self._number = 0
        self._lines: list[Writes] = []
        self._refs: dict[str, Talk] = {}
        self._shown: dict[str, str] = {}

    def run(self, scenario: Scenario, until: Instant | None = None) -> Iterator[Entry]:
        """Every event with what was decided, in time order.

        Args:
            until: the last instant; by default as ``end_of`` says.
        """
        for step in scenario.steps:
            self._push(step.at, _LINE, "", step=step)
        end = end_of(scenario, self.desk) if until is None else until
        looks: Counter[tuple[str, Instant]] = Counter()
        while self._queue and self._queue[0].at <= end:
            next_ = heapq.heappop(self._queue)
            if next_.step is not None:
                yield from self._line(next_.step)
            elif next_.asked is not None:
                yield from self._answer(next_.asked, self.talks[next_.talk], next_.at)
            elif self.talks[next_.talk].thread.due == next_.at:
                looks[next_.talk, next_.at] += 1
                if looks[next_.talk, next_.at] > LOOKS_MOST:
                    raise RuntimeError("a conversation is looked at for ever")
                yield from self._take(self.talks[next_.talk], Tick(due=next_.at), next_.at)

    def _push(
        self, at: Instant, order: int, talk: str, step: Step | None = None, asked: Asked | None = None
    ) -> None:
        self._number += 1
        heapq.heappush(self._queue, Late(at, order, self._number, talk, step, asked))

    # --- lines --------------------------------------------------------------------------------

    def _line(self, step: Step) -> Iterator[Entry]:
        does = step.does
        if isinstance(does, Acts):
            yield from self._act(does, step.line)
            return
        self._lines.append(does)
        if does.ref == SHOWN:
            does = does.model_copy(update={"ref": self._shown.get(does.sender, "")})
        talk = self._talk_of(does)
        event = inbound(does, talk.thread, len(talk.heard) + 1)
        yield from self._take(talk, event, step.at, step.line)

    def _talk_of(self, line: Writes) -> Talk:
        name, account = name_of(line), line.account or ACCOUNT
        if name not in self.talks:
            customer = f"{line.sender}/public" if line.public else line.sender
            thread = Thread(
                id=self._ids.get(name) or keys.thread_id(self._salt, line.channel, account, customer),
                channel=line.channel,
                connection="main",
                account=account,
                to=line.sender,
            )
            self.talks[name] = Talk(name, thread)
        return self.talks[name]

    def _act(self, act: Acts, line: int) -> Iterator[Entry]:
        written = next(one for one in reversed(self._lines) if is_meant(act, one))
        talk = self._talk_of(written)
        event = person_act(act, f"line-{line}", talk.aside)
        if problem := self._forbidden(talk, event):
            nothing = Decision(thread=talk.thread, reasons=(), refused=True)
            yield Entry(act.at, talk.name, event, talk.thread, nothing, (Told("none", problem),), line)
            return
        if isinstance(event, PersonReply):
            talk.sent += 1
        yield from self._take(talk, event, act.at, line)

    def _forbidden(self, talk: Talk, event: Event) -> str:
        """What ``services.reply`` refuses before anything is decided."""
        match event:
            case PersonReply():
                return refusal(talk.thread, event.text, event.at, by_person=True)
            case Wanted():
                return "" if talk.thread.aside else "not_aside"
            case Spoken():
                return "" if event.language in self.desk.languages else "no_such_language"
        return ""

    # --- one event ----------------------------------------------------------------------------

    def _take(self, talk: Talk, event: Event, now: Instant, line: int = 0) -> Iterator[Entry]:
        """Decided and kept as the services do it: the same functions, and a set of keys for the table."""
        before = talk.thread
        decision = decide(before, event, self.desk, now)
        if decision.refused:
            told = told_of(before, decision, before, {}, existing=False)
            yield Entry(now, talk.name, event, before, decision, told, line)
            return
        key = self._cause(talk, event, now)
        found = caused(decision, key, now=now, real_now=now, salt=self._salt)
        existing = talk.keys.intersection(_new_keys(found))
        talk.keys |= set(_new_keys(found))
        talk.thread = found.thread
        if isinstance(event, Inbound):
            owes = Reason.OWES in decision.reasons or Reason.STILL_OWES in decision.reasons
            talk.hear(event, before, found.thread, now, key if owes else "")
        self._keep_refs(talk, found)
        sayings = self._send(talk, decision, found, existing, now)
        told = told_of(before, decision, talk.thread, sayings, existing=bool(existing))
        if talk.thread.due is not None and talk.thread.due != before.due:
            self._push(max(talk.thread.due, now), _LOOK, talk.name)
        if not existing.intersection(enquiry.key for enquiry in found.enquiries):
            self._ask_outside(talk, decision, event, key, now)
        yield Entry(now, talk.name, event, before, decision, told, line)

    def _cause(self, talk: Talk, event: Event, now: Instant) -> str:
        """The key of the event's own row."""
        if isinstance(event, Tick):
            return keys.timer_key(talk.thread.owed_since or 0, "tick")
        if isinstance(event, Consulted):
            return event.cause
        number = len(talk.heard) + 1 if isinstance(event, Inbound) else None
        self._number += 1
        return keys.message_key(now, number, keys.message_hash(talk.thread.id, str(self._number)))

    def _keep_refs(self, talk: Talk, found: Caused) -> None:
        for ref in found.refs:
            self._refs[ref] = talk
            self._shown[talk.thread.to] = ref

    def _send(
        self, talk: Talk, decision: Decision, found: Caused, existing: Collection[str], now: Instant
    ) -> dict[int, Sayings]:
        """What becomes of each automatic voice, by its position among the effects."""
        rows, sayings = iter(found.rows), dict[int, Sayings]()
        for number, effect in enumerate(decision.effects):
            if isinstance(effect, Say | Hide):
                row = next(rows)
                if isinstance(effect, Say) and row.key not in existing:
                    sayings[number] = self._sending.of(talk.thread, row, talk.sent, now)
                    talk.sent += not sayings[number].problem
        return sayings

    # --- the outside --------------------------------------------------------------------------

    def _ask_outside(self, talk: Talk, decision: Decision, event: Event, key: str, now: Instant) -> None:
        said = tuple(talk.heard) if isinstance(event, Inbound) else ()
        for effect in decision.effects:
            if isinstance(effect, Consult):
                asked = Asked(effect, key, talk.thread, said, now)
                self._push(now + OUTSIDE_TAKES, _OUTSIDE, talk.name, asked=asked)

    def _answer(self, asked: Asked, talk: Talk, now: Instant) -> Iterator[Entry]:
        """What is answered is found a second after it was asked, and decided at once."""
        official = self._came_from(asked, talk)
        threads = [one.thread for one in self.talks.values()]
        at = asked._replace(thread=talk.thread, at=now)
        event = self._outside.answer(at, threads, official.thread if official else None)
        since = official.thread.owed_since if official else None
        yield from self._take(talk, event, now)
        if official:
            yield from self._take(official, Followed(thread=talk.thread.id, since=since), now)

    def _came_from(self, asked: Asked, talk: Talk) -> Talk | None:
        """The conversation on an official account whose link was followed; the first who comes counts."""
        ref = asked.heard[-1].ref if asked.heard and "ref" in asked.consult.asks else ""
        official = self._refs.pop(ref, None)
        return None if official is None or official is talk else official


def end_of(scenario: Scenario, desk: Desk) -> Instant:
    """A day after the last line; where that finds the desk closed, a day after the opening that follows."""
    last = scenario.steps[-1].at if scenario.steps else 0
    calendar = calendar_of_front(desk)
    opening = None if calendar.is_open(last) else calendar.next_opening(last)
    return (opening or last) + DAY


def name_of(line: Writes) -> str:
    """What a rehearsal calls the conversation that a line belongs to."""
    return f"{line.channel}/{line.account or ACCOUNT}/{line.sender}{'/public' if line.public else ''}"


def _new_keys(found: Caused) -> tuple[str, ...]:
    """Keys of the rows that a decision puts; reasons that are added to an open call change one."""
    enquiries = [enquiry.key for enquiry in found.enquiries]
    return (*[row.key for row in found.rows], *[call.key for call in found.calls], *enquiries)
