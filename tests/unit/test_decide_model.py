"""Days of conversation at random, against a model that knows only minutes.

The model has its own idea of the hours (a table of open minutes), of what is owed, what was told and
who is present; it shares no code with ``decide``, ``timers`` or ``hours``. Whatever happens in whatever
order, with the sweeper looking whenever a thread is due:

I3  no second closed-hours reply before the opening that the first one named;
I4  no automatic voice while a person is in the conversation, and none to what is not the customer's;
I6  no thread resolved while owing (without a code);
I9  every decision has a reason;
and: "we are on it" at most once per debt, in service time; what owes has a due; a debt that nobody
answers ends in a call; what is owed at closing has been told.
"""

from bisect import bisect_left
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sportello.domain.deadlines import Answers
from sportello.domain.decision import Call, Decision, Say
from sportello.domain.events import Claim, Echo, Event, Kind, PersonReply, Resolve, Tick
from sportello.domain.model import MINUTE, Instant
from sportello.domain.reasons import Reason
from tests.unit.builders import ACCOUNT, CUSTOMER, DESK, Conversation, desk, inbound

ON_IT, CALL, QUIET, SPREAD = 10 * MINUTE, 30 * MINUTE, 30 * MINUTE, 5 * MINUTE
LOOKS = MINUTE
"""How late a look may be: the sweeper comes every minute."""
DEADLINES = {Reason.NO_ANSWER: CALL, Reason.FIRST_LATE: 60 * MINUTE, Reason.FULL_LATE: 24 * 60 * MINUTE}
"""Service time after which people are called, once in a debt."""
PAGES = frozenset({Reason.UNACKNOWLEDGED, Reason.WAITS_AT_OPENING})
"""Given again and again while nobody takes it; when, ``test_decide_model_escalation`` says."""
REPEATED = PAGES | {Reason.HANDED_BACK_SILENT}
"""All that may be given more than once: the last as often as somebody takes it and forgets it."""
KEPT = frozenset({Reason.ASKS_PERSON, Reason.URGENT})
"""What people stay called for where a reply leaves something owed."""

ROME = ZoneInfo("Europe/Rome")
FIRST_DAY = datetime(2026, 11, 30, tzinfo=ROME)
HOLIDAYS = {date(2026, 12, 8), date(2026, 12, 25), date(2026, 12, 26)}
DAYS = 32

LUNCH = ("Mo-Fr 09:00-13:00,14:00-18:00; PH off", 5, ((9, 13), (14, 18)))
EARLY = ("Mo-Sa 08:00-12:00,15:00-19:00; PH off", 6, ((8, 12), (15, 19)))


class Hours:
    """Open or closed, minute by minute."""

    def __init__(self, rules: str, weekdays: int, spans: tuple[tuple[int, int], ...]) -> None:
        self.rules = rules
        self.begin = int(FIRST_DAY.timestamp()) * 1000
        self.open: list[bool] = []
        for day in range(DAYS):
            midnight = FIRST_DAY + timedelta(days=day)  # no change of the clock in December
            served = midnight.weekday() < weekdays and midnight.date() not in HOLIDAYS
            self.open += [
                served and any(first <= minute // 60 < last for first, last in spans)
                for minute in range(24 * 60)
            ]
        self.served = [0]
        for is_open in self.open:
            self.served.append(self.served[-1] + is_open)

    def minute(self, at: Instant) -> int:
        return (at - self.begin) // MINUTE

    def is_open(self, at: Instant) -> bool:
        return self.open[self.minute(at)]

    def next_opening(self, at: Instant) -> Instant:
        minute = self.minute(at) + 1
        while not (self.open[minute] and not self.open[minute - 1]):
            minute += 1
        return self.begin + minute * MINUTE

    def same_since(self, at: Instant) -> Instant:
        """Since when it has been open, or closed, as it is now."""
        minute = self.minute(at)
        while minute and self.open[minute - 1] == self.open[minute]:
            minute -= 1
        return self.begin + minute * MINUTE

    def next_turn(self, at: Instant) -> Instant:
        minute = self.minute(at) + 1
        while self.open[minute] == self.open[minute - 1]:
            minute += 1
        return self.begin + minute * MINUTE

    def after(self, since: Instant, service: int) -> Instant:
        """``since`` is a whole minute."""
        wanted = self.served[self.minute(since)] + service // MINUTE
        return self.begin + bisect_left(self.served, wanted) * MINUTE


HOURS = {rules: Hours(rules, weekdays, spans) for rules, weekdays, spans in (LUNCH, EARLY)}
DESKS = {rules: desk(rules).model_copy(update={"answers": Answers()}) for rules in HOURS}

TEXTS = st.sampled_from(
    [
        "Dov'è il mio ordine?",
        "Ci siete?",
        "Grazie!",
        "Where is my order?",
        "Voglio parlare con una persona",
        "È urgente!",
        "urgente, un operatore",
    ]
)
LATE = st.sampled_from([0, 0, 0, 1, 7, 90])
"""Minutes by which a message arrives later than it was written."""
WAITS = st.one_of(
    st.integers(0, 12), st.sampled_from([30, 31, 60, 65]), st.integers(60, 900), st.integers(900, 4 * 24 * 60)
)


class Desk(RuleBasedStateMachine):
    @initialize(minutes=st.integers(4 * 24 * 60, 5 * 24 * 60), rules=st.sampled_from([LUNCH[0], EARLY[0]]))
    def begin(self, minutes: int, rules: str) -> None:
        self.hours = HOURS[rules]
        self.talk = Conversation(DESKS[rules])
        self.now: Instant = self.hours.begin + minutes * MINUTE  # Friday
        self.edited = False
        # The model: what is true of the conversation.
        self.owed: Instant | None = None
        self.last_owing: Instant = 0
        self.heard_at: Instant = 0  # when the debt came to be known: it may have been written long before
        self.present_until: Instant = 0
        self.named: list[Instant] = []
        self.new_debt()

    def new_debt(self) -> None:
        self.on_it = 0
        self.acknowledged = 0
        self.called: list[str] = []
        self.call_key = ""
        self.paged = False

    @property
    def present(self) -> bool:
        return self.now < self.present_until

    def told(self) -> bool:
        """This debt knows when the desk opens."""
        return self.owed is not None and any(opening > self.owed for opening in self.named)

    def take(self, event: Event) -> Decision:
        decision = self.talk.take(event, self.now)
        assert decision.reasons  # I9
        for effect in decision.effects:
            if isinstance(effect, Say):
                self.hear(effect, event)
            elif isinstance(effect, Call):
                self.alert(effect)
        return decision

    def hear(self, say: Say, event: Event) -> None:
        assert not self.present  # I4
        assert not isinstance(event, Echo | PersonReply | Claim | Resolve)  # I4
        assert self.owed is not None
        assert say.not_after > self.now
        if say.text == "on_it":
            self.on_it += 1
            assert self.on_it == 1
            assert self.hours.is_open(self.now)
            assert self.now >= self.hours.after(self.owed, ON_IT) or self.edited
            return
        if say.text in ("person_asked_open", "person_asked_closed"):
            self.acknowledged += 1
            assert self.acknowledged == 1
        else:
            assert all(opening <= self.now for opening in self.named)  # I3
        assert self.hours.is_open(self.now) == (say.text == "person_asked_open")
        if say.text != "person_asked_open":
            assert say.until == self.hours.next_opening(self.now)
            self.named.append(say.until)

    def alert(self, call: Call) -> None:
        once = [why for why in call.whys if why not in REPEATED]
        assert not set(once) & set(self.called)
        assert call.key == self.call_key
        self.called += once
        self.call_key = self.talk.thread.escalation
        assert self.call_key
        if set(call.whys) - {Reason.URGENT}:
            assert not self.present
        assert self.owed is not None
        for why, after in DEADLINES.items():
            if why in call.whys:
                assert self.now >= self.hours.after(self.owed, after) or self.edited
        if set(call.whys) & PAGES:
            assert self.paged
        self.paged = True

    # --- a customer ---------------------------------------------------------------------------

    @rule(text=TEXTS, late=LATE)
    def customer_writes(self, text: str, late: int) -> None:
        written = self.now - late * MINUTE
        thanks = text.startswith("Grazie")
        if self.owed is None and not thanks:
            self.owed, self.heard_at = written, self.now
            self.new_debt()
        if not thanks:
            self.last_owing = written
        knew = any(opening > self.now for opening in self.named)
        asks, asked = "person" in text or "operatore" in text, self.acknowledged > 0
        decision = self.take(inbound(text, time=written))
        if thanks:
            assert decision.effects == ()
            return
        heard = [effect.text for effect in decision.effects if isinstance(effect, Say)]
        closed = not self.hours.is_open(self.now)
        if self.present or (asks and asked):
            assert heard == []
        elif asks:
            assert heard == ["person_asked_closed" if closed else "person_asked_open"]
        else:
            assert heard == (["closed"] if closed and not knew else [])
        if "urgente" in text.lower():
            assert Reason.URGENT in self.called
        elif asks and not self.present:
            assert Reason.ASKS_PERSON in self.called

    @rule(kind=st.sampled_from([Kind.REACTION, Kind.START, Kind.SERVICE]))
    def customer_does_something_that_asks_nothing(self, kind: Kind) -> None:
        assert self.take(inbound("", time=self.now, kind=kind)).effects == ()

    # --- people -------------------------------------------------------------------------------

    def answered(self, unseen: Instant | None) -> None:
        self.present_until = self.now + QUIET
        if self.owed is None:
            return
        self.owed = unseen
        if unseen is None:
            self.new_debt()
        else:
            self.called = [why for why in self.called if why in KEPT]
            self.paged = False

    @rule(sees_all=st.booleans(), on_the_phone=st.booleans())
    def person_answers(self, sees_all: bool, on_the_phone: bool) -> None:
        unseen = None if sees_all or self.owed is None else self.last_owing
        event: Event
        if on_the_phone:
            event = Echo(account=ACCOUNT, customer=CUSTOMER, id="e", time=self.now, owing_from=unseen)
        else:
            event = PersonReply(by="Agent", text="Ecco", action="a", at=self.now, owing_from=unseen)
        decision = self.take(event)
        assert decision.effects == ()
        self.answered(unseen)

    @rule()
    def another_bot_writes(self) -> None:
        before = self.talk.thread
        event = Echo(account=ACCOUNT, customer=CUSTOMER, id="e", time=self.now, author="automatic")
        self.take(event)
        assert self.talk.thread.model_copy(update={"rev": before.rev}) == before

    @rule()
    def person_claims(self) -> None:
        assert self.take(Claim(by="Agent", action="c", at=self.now)).effects == ()
        self.present_until = self.now + QUIET

    @rule(code=st.sampled_from(["", "", "spam"]))
    def person_resolves(self, code: str) -> None:
        decision = self.take(Resolve(by="Agent", action="r", at=self.now, code=code))
        assert decision.refused == (self.owed is not None and not code)  # I6
        if not decision.refused:
            self.owed, self.present_until = None, 0
            self.new_debt()

    # --- time ---------------------------------------------------------------------------------

    @rule(minutes=WAITS, lag=st.sampled_from([0, 0, LOOKS]))
    def time_passes(self, minutes: int, lag: int) -> None:
        """The sweeper looks at every due on the way, at once or at its next round."""
        self.go_on(self.now + minutes * MINUTE, lag)

    @rule(minutes=st.integers(-31, 12), lag=st.sampled_from([0, 0, LOOKS]))
    def the_hours_turn(self, minutes: int, lag: int) -> None:
        """Shortly before or after the next opening or closing: where most goes wrong."""
        self.go_on(self.hours.next_turn(self.now) + minutes * MINUTE, lag)

    def go_on(self, end: Instant, lag: int) -> None:
        """People and customers act at whole minutes, the sweeper at any moment."""
        end = min(-(-end // MINUTE) * MINUTE, self.hours.begin + (DAYS - 12) * 24 * 60 * MINUTE)
        while self.talk.thread.due is not None and self.talk.thread.due + lag <= end:
            before = (self.now, self.talk.thread.due)
            self.now = max(self.now, self.talk.thread.due + lag)
            self.take(Tick(due=self.talk.thread.due))
            assert (self.now, self.talk.thread.due) != before, "a tick that is due moves on"
            self.nothing_was_missed()
        self.now = max(self.now, end)

    @rule()
    def an_early_tick(self) -> None:
        """Any moment is a good one to look; a look too many says nothing too much."""
        self.take(Tick(due=self.now))

    @precondition(lambda self: not self.edited)
    @rule(edits=st.integers(0, 5))
    def hours_are_edited(self, edits: int) -> None:
        if edits:  # seldom: a new desk frees the timers from what was due by the old one
            return
        self.edited = True
        self.hours = HOURS[EARLY[0] if self.hours.rules == LUNCH[0] else LUNCH[0]]
        self.talk.desk = DESKS[self.hours.rules]

    # --- always -------------------------------------------------------------------------------

    @invariant()
    def the_model_and_the_thread_agree(self) -> None:
        thread = self.talk.thread
        assert thread.owed_since == self.owed
        assert (thread.due is not None) == (self.owed is not None)
        assert thread.person_present(self.now) == self.present
        assert thread.escalation == self.call_key
        assert sorted(thread.escalated) == sorted(self.called)

    @invariant()
    def nothing_was_missed(self) -> None:
        if self.owed is None or self.edited:
            return
        here = max(self.present_until, self.heard_at)
        for why, after in DEADLINES.items():
            if self.now > max(self.hours.after(self.owed, after), here) + LOOKS:
                assert why in self.called
        turned = max(self.hours.same_since(self.now), here)
        if not self.hours.is_open(self.now):
            if self.now > turned + SPREAD + LOOKS:
                assert self.told()
        elif self.now > max(self.hours.after(self.owed, ON_IT), turned) + LOOKS:
            assert self.on_it == 1


Desk.TestCase.settings = settings(
    max_examples=300, stateful_step_count=50, deadline=None, derandomize=True, database=None
)
TestDesk = Desk.TestCase


def test_the_table_of_minutes_is_the_desk_that_it_stands_for() -> None:
    """Else the model would be of another desk."""
    for rules, hours in HOURS.items():
        assert DESKS[rules].holidays == DESK.holidays == "IT"
        calendar = DESKS[rules].calendar
        for minute in range(0, DAYS * 24 * 60, 30):
            assert calendar.is_open(hours.begin + minute * MINUTE) == hours.open[minute]
