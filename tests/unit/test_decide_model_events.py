"""Everything that can happen to a thread, in any order, on many desks: four promises that always hold.

*   No path leads to resolved while an answer is owed (without a reason code).
*   There are never two automatic voices at once: one event, one voice; none while the outside is asked;
    and no second one soon after, unless the customer has written or the desk has opened or closed.
*   No automatic voice answers what is not a customer's: echoes, bounces, lists, ourselves, people's acts.
*   No automatic voice speaks while a person is in the conversation.

The model remembers what was said and who was there; it shares no code with the rules.
"""

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
KINDS = st.sampled_from([Kind.TEXT] * 8 + list(Kind))
MACHINES = ("auto_submitted", "auto_reply", "bounce", "loop", "list", "own_address", "mailing")
WAITS = st.one_of(st.integers(0, 90), st.integers(90, 40 * 60), st.integers(40 * 60, 4 * 24 * 3600))
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
        text=TEXTS, kind=KINDS, tap=st.sampled_from(["", "", YES, NO]), ref=st.sampled_from(["", "", "sp-x"])
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

    @rule(text=TEXTS, why=st.sampled_from(MACHINES))
    def a_machine_writes(self, text: str, why: str) -> None:
        self.take(inbound(text, time=self.now, automatic=why), speaks=False)

    @rule(text=TEXTS)
    def it_is_not_said_to_us(self, text: str) -> None:
        self.take(inbound(text, time=self.now, addressed=False), speaks=False)

    @rule(text=TEXTS)
    def somebody_tests(self, text: str) -> None:
        self.take(inbound(text, time=self.now, test=True), speaks=False)

    @rule()
    def the_customer_edits(self) -> None:
        event = Edit(account=ACCOUNT, customer=CUSTOMER, original="m", time=self.now, text="Un operatore!")
        self.take(event, speaks=False)

    # --- ourselves ----------------------------------------------------------------------------

    @rule(person=st.booleans(), text=TEXTS)
    def it_echoes(self, person: bool, text: str) -> None:
        author = "person" if person else "automatic"
        event = Echo(account=ACCOUNT, customer=CUSTOMER, id="e", time=self.now, author=author, text=text)
        self.take(event, speaks=False)
        if person:
            self.present_until = self.now + QUIET

    @rule(unseen=st.booleans(), later=st.sampled_from([0, 0, 60, 600]))
    def a_person_answers(self, unseen: bool, later: int) -> None:
        event = PersonReply(
            by="anna",
            text="Ecco",
            action="a",
            at=self.now,
            owing_from=self.now - MINUTE if unseen and self.talk.thread.owes else None,
            promise=self.now + later * MINUTE if later else None,
        )
        self.take(event, speaks=False)
        self.present_until = self.now + QUIET
        if unseen:
            self.only_machines = False

    @rule(by=st.sampled_from(["anna", "bruno"]))
    def a_person_claims(self, by: str) -> None:
        self.take(Claim(by=by, action="c", at=self.now), speaks=False)
        self.present_until = self.now + QUIET

    @rule(code=st.sampled_from(["", "", "spam"]))
    def a_person_resolves(self, code: str) -> None:
        decision = self.take(Resolve(by="anna", action="r", at=self.now, code=code), speaks=False)
        if not decision.refused:
            self.present_until = 0

    @rule()
    def a_person_brings_it_back(self) -> None:
        assume(self.talk.thread.rev > 0)
        event = Wanted(by="anna", action="w", at=self.now, since=self.now - HOUR)
        self.take(event, speaks=False)
        self.only_machines, self.last_voice = False, None

    @rule(language=st.sampled_from(["it", "en"]))
    def a_person_sets_the_language(self, language: str) -> None:
        self.take(Spoken(by="anna", action="s", at=self.now, language=language), speaks=False)

    @rule(returns=st.booleans())
    def a_reply_is_lost(self, returns: bool) -> None:
        since = self.now - HOUR if returns else None
        event = SendResult(row="row", problem="window_closed", owed_since=since)
        self.take(event, speaks=False)
        self.present_until = 0
        if returns:
            self.only_machines, self.last_voice = False, None

    # --- the outside --------------------------------------------------------------------------

    @precondition(lambda self: self.asked)
    @rule(
        faq=st.sampled_from(["", "shipping"]),
        order=st.booleans(),
        unproved=st.booleans(),
        tier=st.sampled_from([None, "", "gold"]),
        over=st.booleans(),
        twice=st.booleans(),
    )
    def the_outside_answers(
        self, faq: str, order: bool, unproved: bool, tier: str | None, over: bool, twice: bool
    ) -> None:
        _, asked = self.asked[0] if twice else self.asked.pop(0)
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
        self.take(event, speaks=True)

    @rule()
    def they_have_come_to_care(self) -> None:
        self.take(Followed(thread="c" * 26, at=self.now), speaks=False)
        assert not self.talk.thread.owes

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
    max_examples=400, stateful_step_count=40, deadline=None, derandomize=True, database=None
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
