"""Nobody takes it: the last level of an escalation is reached in the configured time, however it began.

Desks of one to four levels, each with its own time; a conversation that calls people for one reason or
another, at any hour of three weeks; customers go on writing, and the sweeper comes up to a minute late. The
model knows the hours as a table of minutes and adds up the levels' times: service time for what can wait,
clock time for what is urgent; what was called while the desk was closed comes again at the opening.
"""

import random
from bisect import bisect_left
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sportello.domain.deadlines import Answers
from sportello.domain.decision import Call
from sportello.domain.desk import Desk
from sportello.domain.events import Claim, Kind, PersonReply, Tick
from sportello.domain.model import MINUTE, SECOND, Instant
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level
from tests.unit.builders import DESK, Conversation, inbound

ROME = ZoneInfo("Europe/Rome")
FIRST_DAY = datetime(2026, 11, 2, tzinfo=ROME)
DAYS = 40
SPANS = ((9, 13), (14, 18))
LATE = MINUTE
"""How late the sweeper looks at most."""
RUNS = 400


class Hours:
    """Open minutes of ``Mo-Fr 09:00-13:00,14:00-18:00``; the clocks do not change in these weeks."""

    def __init__(self) -> None:
        self.begin = int(FIRST_DAY.timestamp()) * 1000
        self.open: list[bool] = []
        for day in range(DAYS):
            served = (FIRST_DAY + timedelta(days=day)).weekday() < 5
            self.open += [
                served and any(first <= minute // 60 < last for first, last in SPANS)
                for minute in range(24 * 60)
            ]
        self.served = [0]
        for is_open in self.open:
            self.served.append(self.served[-1] + is_open)

    def is_open(self, at: Instant) -> bool:
        return self.open[(at - self.begin) // MINUTE]

    def opens_after(self, at: Instant) -> Instant:
        minute = (at - self.begin) // MINUTE + 1
        while not (self.open[minute] and not self.open[minute - 1]):
            minute += 1
        return self.begin + minute * MINUTE

    def after(self, since: Instant, service: int) -> Instant:
        """Not before ``service`` milliseconds of open time have passed; to the next whole minute."""
        start = -(-(since - self.begin) // MINUTE)
        wanted = self.served[start] + -(-service // MINUTE)
        return self.begin + bisect_left(self.served, wanted) * MINUTE


HOURS = Hours()
BEGINNINGS = ("Voglio un operatore", "È urgente!", "Dov'è il mio ordine?", "")


def desk_of(withins: list[Instant]) -> Desk:
    levels = tuple(Level(tell=("team",), within=within) for within in withins)
    return DESK.model_copy(
        update={
            "hours": "Mo-Fr 09:00-13:00,14:00-18:00",
            "holidays": "",
            "escalation": Escalation(levels=levels),
            "answers": Answers(),
        }
    )


class Watch:
    """One conversation, and when each level was first called."""

    def __init__(self, dice: random.Random, withins: list[Instant], start: Instant, text: str) -> None:
        self.dice = dice
        self.talk = Conversation(desk_of(withins))
        self.now = start
        self.levels: dict[int, Instant] = {}
        self.urgent = False
        self.calls: list[tuple[Instant, tuple[Reason, ...]]] = []
        kind = Kind.UNSUPPORTED if not text else Kind.TEXT
        self.take(inbound(text, time=start, kind=kind))

    def take(self, event: object) -> None:
        decision = self.talk.take(event, self.now)  # type: ignore[arg-type]
        for effect in decision.effects:
            if isinstance(effect, Call):
                self.levels.setdefault(effect.level, self.now)
                self.urgent |= effect.urgent
                self.calls.append((self.now, effect.whys))

    def go_on(self, until: Instant) -> None:
        while self.talk.thread.due is not None and self.talk.thread.due <= until:
            self.now = max(self.now, self.talk.thread.due + self.dice.choice((0, 0, 20 * SECOND, LATE)))
            self.take(Tick(due=self.talk.thread.due))
            if self.dice.random() < 0.15:  # customers do not wait in silence
                self.take(inbound(self.dice.choice(("Ci siete?", "Allora?", "👍")), time=self.now))


def latest(watch: Watch, withins: list[Instant], first: Instant, urgent: bool) -> Instant:
    """When the last level has been called at the latest, counted from the first call."""
    at = first
    if not urgent and not HOURS.is_open(first):
        at = HOURS.opens_after(first) + LATE  # it waited for the opening, and is told again
    for within in withins[:-1]:
        at = (at + within if urgent else HOURS.after(at, within)) + LATE + MINUTE
        if not urgent and not HOURS.is_open(at):
            at = HOURS.opens_after(at) + LATE
    return at


@pytest.mark.parametrize("seed", range(4))
def test_an_escalation_that_nobody_takes_reaches_the_last_level_in_time(seed: int) -> None:
    dice = random.Random(seed)
    reached = 0
    for _ in range(RUNS // 4):
        withins = [dice.choice((1, 5, 15, 40, 90)) * MINUTE for _ in range(dice.randint(1, 4))]
        text = dice.choice(BEGINNINGS)
        start = HOURS.begin + dice.randrange(14 * 24 * 60) * MINUTE
        watch = Watch(dice, withins, start, text)
        watch.go_on(start + 10 * 24 * 60 * MINUTE)
        first = min(watch.levels.values())
        last = len(withins)
        assert set(watch.levels) == set(range(1, last + 1)), (withins, text, watch.levels)
        urgent = text == "È urgente!"
        assert watch.urgent == urgent
        if urgent:
            assert first == start
        assert watch.levels[last] <= latest(watch, withins, first, urgent), (
            withins,
            text,
            first,
            watch.levels,
        )
        reached += last > 1
    assert reached > RUNS / 8


@pytest.mark.parametrize("taken", ["claimed", "answered"])
def test_once_somebody_takes_it_nobody_is_paged(taken: str) -> None:
    dice = random.Random(7)
    for _ in range(60):
        withins = [5 * MINUTE, 5 * MINUTE, 5 * MINUTE]
        start = HOURS.begin + dice.randrange(14 * 24 * 60) * MINUTE
        watch = Watch(dice, withins, start, "Voglio un operatore, è urgente")
        watch.go_on(start + 6 * MINUTE)
        if taken == "claimed":
            watch.take(Claim(by="anna", action="c", at=watch.now))
        else:
            watch.take(PersonReply(by="anna", text="Ecco", action="a", at=watch.now))
        levels, taken_at = dict(watch.levels), watch.now
        paged: list[Reason] = []
        thread = watch.talk.thread
        while thread.due is not None and thread.due < taken_at + DESK.escalation.taken_for:
            decision = watch.talk.take(Tick(due=thread.due), thread.due)
            paged += [r for r in decision.reasons if r in (Reason.UNACKNOWLEDGED, Reason.WAITS_AT_OPENING)]
            thread = watch.talk.thread
        assert paged == []
        assert watch.levels == levels


@pytest.mark.parametrize("seed", range(4))
def test_what_somebody_took_and_forgot_reaches_the_last_level_after_all(seed: int) -> None:
    """However often, and at whatever hour."""
    dice = random.Random(seed)
    forgotten = 0
    for _ in range(RUNS // 4):
        withins = [dice.choice((1, 5, 15, 40)) * MINUTE for _ in range(dice.randint(1, 4))]
        start = HOURS.begin + dice.randrange(10 * 24 * 60) * MINUTE
        text = dice.choice(BEGINNINGS)
        watch = Watch(dice, withins, start, text)
        for _ in range(dice.randint(1, 3)):
            watch.go_on(watch.now + dice.randrange(300) * MINUTE)
            watch.take(Claim(by="anna", action="c", at=watch.now))
        if not watch.talk.thread.level:
            continue  # nobody was called: people will be, and the claim is of no weight then
        forgotten += 1
        quiet = watch.now + watch.talk.desk.policy.person_quiet
        after = watch.talk.desk.escalation.taken_for
        back = quiet + after if watch.urgent else HOURS.after(quiet, after)
        looked = back + LATE
        if not watch.urgent and not HOURS.is_open(looked):
            looked = HOURS.opens_after(back) + LATE
        watch.levels.clear()
        watch.calls.clear()
        watch.go_on(watch.now + 10 * 24 * 60 * MINUTE)
        silent = [at for at, whys in watch.calls if Reason.HANDED_BACK_SILENT in whys]
        assert len(silent) == 1
        assert back - MINUTE <= silent[0] <= looked
        assert watch.levels[len(withins)] <= latest(watch, withins, silent[0], watch.urgent)
    assert forgotten > RUNS / 16
