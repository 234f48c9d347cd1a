"""Everything that can happen to a thread, in any order, on many desks: four promises that always hold.

*   No path leads to resolved while an answer is owed (without a reason code).
*   There are never two automatic voices at once: one event, one voice; none while the outside is asked;
    and no second one soon after, unless the customer has written or the desk has opened or closed.
*   No automatic voice answers what is not a customer's: echoes, bounces, lists, ourselves, people's acts.
*   No automatic voice speaks while a person is in the conversation.

The model remembers what was said and who was there; it shares no code with the rules.
"""

from typing import Literal

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sportello.domain.deadlines import Answers
from sportello.domain.decision import Consult, Decision, Say
from sportello.domain.desk import Desk, Hook, Question, Served
from sportello.domain.events import (
    Claim,
    Consulted,
    Echo,
    Edit,
    Event,
    Followed,
    Inbound,
    Kind,
    OrderFacts,
    PersonReply,
    Resolve,
    SendResult,
    Spoken,
    Tick,
    Wanted,
)
from sportello.domain.faq_words import starts_of
from sportello.domain.model import HOUR, MINUTE, SECOND, Instant
from sportello.domain.offers import NO, YES
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, Target
from tests.unit.builders import ACCOUNT, CUSTOMER, DESK, Conversation, at, inbound, thread

QUIET = 30 * MINUTE
SOON = 45 * SECOND
"""Two voices closer than this are one too many: the earliest deadline comes after minutes."""

LEVELS = Escalation(
    levels=(
        Level(tell=("team",), within=5 * MINUTE),
        Level(tell=("on_call", Target(email="lead@example.com")), within=10 * MINUTE),
    )
)
FULL = DESK.model_copy(
    update={
        "hours": "Mo-Fr 09:00-13:00,14:00-18:00; PH off",
        "answers": Answers(),
        "escalation": LEVELS,
        "hook": Hook(url="https://example.com/hook", order_pattern=r"\b\d{8}\b"),
        "faq_words": frozenset(starts_of("spedizione", "spedizione") + starts_of("parking", "parking")),
        "questions": {
            "order": Question(pattern=r"\b\d{8}\b", text={"it": "Che ordine?", "en": "Which order?"})
        },
        "accounts": (
            Served(
                channel="whatsapp",
                account="official",
                role="official",
                care_link="https://m.me/care?ref={ref}",
            ),
        ),
    }
)
DESKS: dict[str, Desk] = {
    "full": FULL,
    "plain": DESK,
    "always open": FULL.model_copy(update={"hours": "24/7"}),
}

TEXTS = st.sampled_from(
    [
        "Dov'è il mio ordine?",
        "Quanto costa la spedizione?",
        "Quanto costa la spedizione?",
        "Quanto costa la spedizione?",
        "Quanto costa la spedizione? Un operatore, è urgente!",
        "L'ordine 12345678 non arriva",
        "Ci sono novità?",
        "VERGOGNA!!! 😡",
        "sì",
        "no",
        "grazie",
        "👍",
        "Buongiorno",
        "Il mio codice fiscale è RSSMRA85T10A562S",
        "Where is the parking?",
        "",
    ]
)
KINDS = st.sampled_from([Kind.TEXT] * 20 + list(Kind))
MACHINES = ("auto_submitted", "auto_reply", "bounce", "loop", "list", "own_address", "mailing")
WAITS = st.one_of(
    st.integers(0, 50),
    st.integers(50, 40 * 60),
    st.integers(40 * 60, 18 * 3600),
    st.integers(0, 4 * 24 * 3600),
)
"""Seconds."""


class Anything(RuleBasedStateMachine):
    @initialize(
        desk=st.sampled_from(sorted(DESKS)),
        public=st.booleans(),
        official=st.sampled_from([False, False, True]),
        minute=st.integers(0, 5 * 24 * 60),
    )
    def begin(self, desk: str, public: bool, official: bool, minute: int) -> None:
        self.now: Instant = at("Mon 08:30") + minute * MINUTE
        account = "official" if official else ACCOUNT
        self.talk = Conversation(DESKS[desk], thread(public=public, account=account))
        self.present_until: Instant = 0
        self.asked: list[tuple[Instant, Consult]] = []
        self.waits = False
        self.last_voice: tuple[Instant, bool, bool] | None = None
        self.only_machines = True

    # --- what every decision keeps ------------------------------------------------------------

    def take(self, event: Event, *, speaks: bool) -> Decision:
        """``speaks``: the desk may say something to this."""
        owed = self.talk.thread.owes
        decision = self.talk.take(event, self.now)
        assert decision.reasons
        voices = [effect for effect in decision.effects if isinstance(effect, Say)]
        if not speaks:
            assert voices == [], event
        for act in ("reply", "private"):
            assert sum(voice.act == act for voice in voices) <= 1, voices
        consults = [effect for effect in decision.effects if isinstance(effect, Consult)]
        assert len(consults) <= 1
        if voices:
            self.hear(voices, event)
        self.asked += [(self.now, consult) for consult in consults]
        if isinstance(event, Resolve) and owed and not event.code:
            assert decision.refused
            assert self.talk.thread.owes
        return decision

    def hear(self, voices: list[Say], event: Event) -> None:
        assert self.now >= self.present_until, (voices, event)
        assert not self.only_machines, (voices, event)
        assert self.talk.thread.consulting is None, "the voice that waits for the outside is not the only one"
        is_open = self.talk.desk.calendar.is_open(self.now)
        if self.last_voice is not None and not isinstance(event, Inbound):
            when, was_open, answered = self.last_voice
            due_anyway = answered and voices[0].text == "on_it"  # ten minutes after another message
            assert was_open != is_open or due_anyway or self.now - when >= SOON, (voices, event)
        assert all(voice.not_after > self.now for voice in voices)
        self.last_voice = (self.now, is_open, isinstance(event, Inbound))

    # --- customers, and what only looks like them ---------------------------------------------

    @rule(
        text=TEXTS,
        kind=KINDS,
        tap=st.sampled_from(["", "", YES, NO]),
        ref=st.sampled_from(["", "", "", "sp-x"]),
    )
    def customer_writes(self, text: str, kind: Kind, tap: str, ref: str) -> None:
        public = self.talk.thread.public
        self.only_machines = False
        self.last_voice = None
        event = inbound(
            text,
            time=self.now,
            kind=kind,
            payload=tap if kind is Kind.BUTTON else "",
            ref=ref,
            public=public,
            acts=("hide", "private") if public else (),
        )
        self.take(event, speaks=True)

    @rule(seconds=st.sampled_from([0, 1, 1, 20, 70]), answered=st.booleans(), goes_on=st.booleans())
    def somebody_asks_what_many_ask(self, seconds: int, answered: bool, goes_on: bool) -> None:
        """In a conversation that owes nothing: the only place where an answer is looked for."""
        self.take(Resolve(by="anna", action="r", at=self.now, code="other"), speaks=False)
        self.present_until = 0
        self.customer_writes("Quanto costa la spedizione?", Kind.TEXT, "", "")
        self.time_passes(seconds)
        if goes_on:
            self.customer_writes("E in quanto tempo arriva da me?", Kind.TEXT, "", "")
        if answered and self.asked:
            self.the_outside_answers("shipping", False, False, None, False, -1, False)

    @rule(text=TEXTS, what=st.sampled_from([*MACHINES, "not to us", "test", "edit", "bot"]))
    def it_only_looks_like_a_customer(self, text: str, what: str) -> None:
        event: Event = inbound(text, time=self.now, automatic=what)
        if what == "not to us":
            event = inbound(text, time=self.now, addressed=False)
        elif what == "test":
            event = inbound(text, time=self.now, test=True)
        elif what == "edit":
            event = Edit(account=ACCOUNT, customer=CUSTOMER, original="m", time=self.now, text=text)
        elif what == "bot":
            event = self.echo("automatic", text)
        self.take(event, speaks=False)

    # --- ourselves ----------------------------------------------------------------------------

    def echo(self, author: Literal["person", "automatic"], text: str) -> Echo:
        return Echo(account=ACCOUNT, customer=CUSTOMER, id="e", time=self.now, author=author, text=text)

    @rule(
        what=st.sampled_from(["on the phone", "answer", "answer", "claim"]),
        text=TEXTS,
        unseen=st.booleans(),
        later=st.sampled_from([0, 0, 60, 600]),
    )
    def a_person_is_there(self, what: str, text: str, unseen: bool, later: int) -> None:
        event: Event = Claim(by="anna", action="c", at=self.now)
        if what == "on the phone":
            event = self.echo("person", text)
        elif what == "answer":
            event = PersonReply(
                by="anna",
                text=text,
                action="a",
                at=self.now,
                owing_from=self.now - MINUTE if unseen and self.talk.thread.owes else None,
                promise=self.now + later * MINUTE if later else None,
            )
            self.only_machines = self.only_machines and not unseen
        self.take(event, speaks=False)
        self.present_until = self.now + QUIET

    @rule(code=st.sampled_from(["", "spam", "spam"]))
    def a_person_resolves(self, code: str) -> None:
        decision = self.take(Resolve(by="anna", action="r", at=self.now, code=code), speaks=False)
        if not decision.refused:
            self.present_until = 0

    @rule(what=st.sampled_from(["wanted", "language", "lost", "lost, and owed", "followed"]))
    def something_else_happens(self, what: str) -> None:
        if what == "wanted":
            assume(self.talk.thread.rev > 0)
            event: Event = Wanted(by="anna", action="w", at=self.now, since=self.now - HOUR)
        elif what == "language":
            event = Spoken(by="anna", action="s", at=self.now, language="en")
        elif what == "followed":
            event = Followed(thread="c" * 26, since=self.now)
        else:
            since = self.now - HOUR if what == "lost, and owed" else None
            event = SendResult(row="row", problem="window_closed", owed_since=since)
            self.present_until = 0
        self.take(event, speaks=False)
        assert what != "followed" or not self.talk.thread.owes
        if what in ("wanted", "lost, and owed"):
            self.only_machines, self.last_voice = False, None

    # --- the outside --------------------------------------------------------------------------

    @precondition(lambda self: self.asked)
    @rule(
        faq=st.sampled_from(["", "shipping", "shipping"]),
        order=st.booleans(),
        unproved=st.booleans(),
        tier=st.sampled_from([None, "", "gold"]),
        over=st.booleans(),
        which=st.sampled_from([-1, -1, -1, 0]),
        twice=st.sampled_from([False, False, True]),
    )
    def the_outside_answers(
        self, faq: str, order: bool, unproved: bool, tier: str | None, over: bool, which: int, twice: bool
    ) -> None:
        _, asked = self.asked[which] if twice else self.asked.pop(which)
        event = Consulted(
            cause="M#1#a",
            asks=asked.asks,
            faq=faq if "faq" in asked.asks else "",
            order=OrderFacts(number="12345678", status="spedito")
            if order and "order" in asked.asks
            else None,
            unproved=unproved and "order" in asked.asks,
            tier=tier,
            over_load=over and "load" in asked.asks,
            linked="o" * 26 if "ref" in asked.asks else "",
            linked_since=self.now - HOUR if "ref" in asked.asks else None,
        )
        owed = self.talk.thread.owes
        self.take(event, speaks=True)
        if self.talk.thread.owes and not owed:
            self.last_voice = None  # another matter has come along: its first voice answers it

    # --- time ---------------------------------------------------------------------------------

    @rule(seconds=WAITS)
    def time_passes(self, seconds: int) -> None:
        end = self.now + seconds * SECOND
        looks = 0
        while self.talk.thread.due is not None and self.talk.thread.due <= end:
            self.now = max(self.now, self.talk.thread.due)
            self.take(Tick(due=self.talk.thread.due), speaks=True)
            looks += 1
            assert looks < 400, "it is looked at for ever"
        self.now = max(self.now, end)

    @rule()
    def it_is_looked_at_early(self) -> None:
        self.take(Tick(due=self.now), speaks=True)

    # --- always -------------------------------------------------------------------------------

    @invariant()
    def nothing_is_resolved_that_owes(self) -> None:
        thread = self.talk.thread
        assert not (thread.owes and thread.resolved)

    @invariant()
    def what_owes_is_looked_at_again(self) -> None:
        thread = self.talk.thread
        closes = self.talk.desk.hours != "24/7"
        assert thread.owes or thread.due is None
        assert not (thread.owes and closes) or thread.due is not None, thread
        assert thread.consulting is None or (thread.due is not None and thread.due <= thread.consulting)

    @invariant()
    def a_person_who_is_there_is_known(self) -> None:
        assert self.talk.thread.person_present(self.now) == (self.now < self.present_until)


Anything.TestCase.settings = settings(
    max_examples=600, stateful_step_count=50, deadline=None, derandomize=True, database=None
)
TestAnything = Anything.TestCase


def test_the_desks_of_the_model_use_every_rule() -> None:
    """Else promises would be kept because nothing happens: every voice and kind of consult is reachable."""
    talk = Conversation(FULL)
    asked = talk.customer("Mon 10:00", "Quanto costa la spedizione?")
    assert [effect.asks for effect in asked.effects if isinstance(effect, Consult)] == [("faq", "facts")]
    assert talk.thread.consulting is not None
    answer = Consulted(cause="x", asks=("faq",), faq="shipping")
    assert Reason.FAQ_ANSWERED in talk.take(answer, at("Mon 10:00") + SECOND).reasons
