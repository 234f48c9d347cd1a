"""What holds of every decision, on desks and in conversations at random.

*   ``due`` is never later than the first minute at which a look would find something to do.
*   A conversation that is left alone is looked at a few times a day, and a look that is due moves it on.
*   One event, one voice; but for the public acknowledgement with its first words in private.
*   Nothing is said twice in one debt; the closed-hours reply not before the opening that was named.
*   No voice follows another within seconds, unless the customer wrote or the hours turned.
*   Only an explicit yes settles what was answered automatically.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from sportello.domain.deadlines import AnswerRule, Answers
from sportello.domain.decide import decide
from sportello.domain.decision import Call, Decision, Say
from sportello.domain.desk import Desk, Hook, Policy, Question, Served, Signal
from sportello.domain.events import (
    Claim,
    Consulted,
    Event,
    Followed,
    Inbound,
    Kind,
    Media,
    OrderFacts,
    PersonReply,
    Resolve,
    SendResult,
    Spoken,
    Tick,
    Wanted,
)
from sportello.domain.faq_words import starts_of
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND, Instant
from sportello.domain.offers import FOLLOW_UP, NO, YES
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, Person, Target, Team
from sportello.domain.timers import CLOSING_SPREAD
from tests.unit.builders import ACCOUNT, DESK, Conversation, at, inbound, thread

HOURS = ("Mo-Fr 09:00-13:00,14:00-18:00; PH off", "Mo-Su 22:00-02:30", "24/7", "Mo-Sa 08:00-20:00")
TEXTS = (
    "Quanto costa la spedizione?", "Il mio ordine 12345678 non arriva", "Dov'è il mio pacco?",
    "Ci sono novità?", "Che delusione", "Vergogna", "urgente", "Vorrei un operatore", "sì", "no", "grazie",
    "👍", "Buongiorno", "Scrivetemi a customer@example.com", "Vinci un premio, clicca qui",
)  # fmt: skip
PHRASES = {
    "it": Phrases(
        asks_person=("operatore",),
        urgent=("urgente",),
        thanks=("grazie",),
        greeting=("buongiorno",),
        chaser=("novità",),
        criticism=("delusione",),
        anger=("vergogna",),
        spam=("vinci", "clicca qui", "premio"),
        yes=("sì",),
        no=("no",),
        topics={"delivery": ("pacco",)},
    )
}
TELL = (Target(email="care@example.com"),)


def any_desk(dice: random.Random) -> Desk:
    people = dice.random() < 0.5
    shifts = ("Mo-Fr 09:00-12:00", "Mo-Su 11:00-23:00", "", "Tu off; Mo,We-Su 10:00-19:00")
    levels = tuple(
        Level(tell=("team",), within=dice.choice((5, 15, 60)) * MINUTE) for _ in range(dice.randint(1, 3))
    )
    return DESK.model_copy(
        update={
            "hours": dice.choice(HOURS),
            "teams": {
                "care": Team(tell=TELL),
                "returns": Team(
                    tell=TELL, skills=("delivery",), hours=dice.choice(("", "Mo-Fr 14:00-17:00"))
                ),
            },
            "people": {
                "anna": Person(teams=("care",), shift=dice.choice(shifts), load=dice.choice((0, 3))),
                "bruno": Person(teams=("returns", "care"), shift=dice.choice(shifts)),
            }
            if people
            else {},
            "accounts": (
                Served(
                    channel="whatsapp",
                    account="official",
                    role="official",
                    care_link="https://m.me/x?ref={ref}",
                ),
            ),
            "answers": Answers(
                first=dice.choice((0, 20 * MINUTE, HOUR)),
                full=dice.choice((0, 3 * HOUR, 24 * HOUR)),
                rules=(AnswerRule(track="speed", first=10 * MINUTE), AnswerRule(tier="gold", full=2 * HOUR)),
            ),
            "escalation": Escalation(levels=levels),
            "signals": {
                "chaser": Signal(call=dice.random() < 0.5, say=True, track="speed"),
                "criticism": Signal(call=dice.random() < 0.5, say=dice.random() < 0.5, track="care"),
                "anger": Signal(urgent=True, say=True, track="care"),
            },
            "questions": {"order": Question(pattern=r"\b\d{8}\b", text={"it": "Quale?", "en": "Which?"})},
            "hook": Hook(url="https://example.com/hook", order_pattern=r"\b\d{8}\b"),
            "faq_words": frozenset(starts_of("spedizione", "spedizione")),
            "policy": Policy(
                on_it_after=dice.choice((0, 10 * MINUTE)), escalate_after=dice.choice((0, 30 * MINUTE))
            ),
            "phrases": PHRASES,
        }
    )


class Life:
    """One conversation at random, and what was said in its debt."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        public, official = self.dice.random() < 0.15, self.dice.random() < 0.15
        account = "official" if official else ACCOUNT
        self.talk = Conversation(any_desk(self.dice), thread(public=public, account=account))
        self.now = at("Mon 00:00") + self.dice.randrange(7 * 24 * 60) * MINUTE
        self.said: list[str] = []
        self.voice: tuple[Instant, bool] | None = None
        self.named: list[Instant] = []
        self.looks = 0

    def take(self, event: Event) -> Decision:
        before = self.talk.thread
        decision = self.talk.take(event, self.now)
        after = self.talk.thread
        self.check(before.owed_since, event, decision)
        assert decision.reasons
        assert not (after.owes and after.resolved)
        assert after.owes or after.due is None
        assert not after.offered or after.owes
        if before.offered and before.owes and not after.owes and isinstance(event, Inbound):
            assert event.payload == YES or event.text == "sì"
        if not after.owes or isinstance(event, Wanted):
            self.said = []
        return decision

    def check(self, owed: Instant | None, event: Event, decision: Decision) -> None:
        voices = [effect for effect in decision.effects if isinstance(effect, Say)]
        if isinstance(event, Inbound) and owed is None:
            self.said = []
        if isinstance(event, Inbound | Wanted | SendResult):
            self.voice = None  # the customer has written, or what they wrote is owed again
        names = sorted(voice.text for voice in voices)
        assert len(voices) <= 1 or (
            self.talk.thread.public and names[0] == "private_open" and len(names) == 2
        )
        calendar = self.talk.desk.calendar_of("whatsapp", self.talk.thread.account, self.talk.thread.team)
        is_open = calendar.is_open(self.now)
        for voice in voices:
            if voice.text in ("closed", "closing"):
                assert all(opening <= self.now for opening in self.named), (voice, event)
            elif voice.text not in ("faq", "order", "faq_yes"):
                assert voice.text not in self.said, (voice, event)
                self.said.append(voice.text)
            if voice.until is not None and not voice.text.startswith("private"):
                self.named.append(voice.until)
            assert voice.not_after > self.now
        if voices and self.voice is not None and not isinstance(event, Inbound):
            when, was_open = self.voice
            assert self.now - when >= 45 * SECOND or is_open != was_open, (voices, self.talk.said[-3:])
        if voices and not isinstance(event, Inbound):
            self.voice = (self.now, is_open)

    def step(self) -> None:
        dice, now = self.dice, self.now
        roll = dice.random()
        if roll < 0.6:
            self.take(self.message())
        elif roll < 0.8 and self.talk.asked:
            self.take(self.outside())
        elif roll < 0.84:
            promise = now + dice.choice((5, 60, 600)) * MINUTE if dice.random() < 0.5 else None
            unseen = now - MINUTE if dice.random() < 0.3 and self.talk.thread.owes else None
            self.take(
                PersonReply(by="anna", text="x", action="a", at=now, owing_from=unseen, promise=promise)
            )
        elif roll < 0.87:
            self.take(Claim(by=dice.choice(("anna", "bruno", "carla")), action="c", at=now))
        elif roll < 0.9:
            self.take(Resolve(by="anna", action="r", at=now, code=dice.choice(("", "spam"))))
        elif roll < 0.93:
            self.take(SendResult(row="r", problem="p", owed_since=dice.choice((None, now - HOUR))))
        elif roll < 0.95:
            self.take(Wanted(by="anna", action="w", at=now, since=now - HOUR))
        elif roll < 0.96:
            self.take(Spoken(by="anna", action="s", at=now, language="en"))
        elif roll < 0.97:
            self.take(Followed(thread="c" * 26, since=dice.choice((None, now - HOUR, now))))

    def message(self) -> Inbound:
        dice, kind = self.dice, Kind.TEXT
        text, payload = dice.choice(TEXTS), ""
        if dice.random() < 0.25:
            kind, payload = Kind.BUTTON, dice.choice((YES, NO, f"{FOLLOW_UP}returns", "other"))
        elif dice.random() < 0.1:
            kind = dice.choice((Kind.MEDIA, Kind.CONTACT, Kind.UNSUPPORTED, Kind.START))
        extra: dict[str, Any] = {"media": (Media(kind="image", id="1"),)} if kind is Kind.MEDIA else {}
        return inbound(
            text if kind in (Kind.TEXT, Kind.BUTTON) else "",
            time=self.now - dice.choice((0, 0, 0, 20)) * MINUTE,
            kind=kind,
            payload=payload,
            attested="+39333000001" if kind is Kind.CONTACT else "",
            automatic=dice.choice(("", "", "", "", "", "", "auto_submitted", "own_address")),
            ref=dice.choice(("", "", "", "sp-ref")),
            public=self.talk.thread.public,
            acts=dice.choice((("reply",), ("reply", "hide"), ("reply", "private"))),
            **extra,
        )

    def outside(self) -> Consulted:
        asked, dice = self.dice.choice(self.talk.asked[-2:]), self.dice
        return Consulted(
            cause="c",
            asks=asked.asks,
            until=asked.until,
            person=asked.person,
            faq=dice.choice(("", "shipping")) if "faq" in asked.asks else "",
            order=OrderFacts(number="12345678", status="x")
            if "order" in asked.asks and dice.random() < 0.4
            else None,
            unproved="order" in asked.asks,
            tier=dice.choice((None, "", "gold")),
            over_load=dice.random() < 0.5,
            linked="o" * 26 if "ref" in asked.asks else "",
            linked_since=self.now - dice.choice((1, 5)) * HOUR if "ref" in asked.asks else None,
        )

    def wait(self, end: Instant, lag: Instant = 0) -> None:
        while (due := self.talk.thread.due) is not None and due + lag <= end:
            self.now = max(self.now, due + lag)
            self.take(Tick(due=due))
            self.looks += 1
            now_due = self.talk.thread.due
            assert now_due is None or now_due > due
            assert now_due is None or now_due > self.now
        self.now = max(self.now, end)

    def live(self, steps: int) -> Iterator[None]:
        for _ in range(steps):
            waits = self.talk.thread.consulting
            self.step()
            yield
            if waits is None and self.talk.thread.consulting and self.dice.random() < 0.7:
                self.now += 5 * SECOND
                self.take(self.outside())
            pause = self.dice.choice(
                (10 * SECOND, 40 * SECOND, 2 * MINUTE, 11 * MINUTE, 31 * MINUTE, 5 * HOUR, DAY)
            )
            self.wait(self.now + pause, self.dice.choice((0, 0, MINUTE)))


@pytest.mark.parametrize("part", range(4))
def test_one_voice_at_once_and_nothing_twice(part: int) -> None:
    voices = 0
    for seed in range(part * 200, part * 200 + 200):
        life = Life(seed)
        try:
            for _ in life.live(14):
                pass
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        voices += len(life.talk.said)
    assert voices > 300


def test_due_is_never_later_than_the_first_look_that_finds_something_to_do() -> None:
    looked = 0
    for seed in range(1_000, 1_060):
        life = Life(seed)
        for number, _ in enumerate(life.live(8)):
            if number % 2 and life.talk.thread.owes:
                looked += 1
                needed = first_needed_look(life)
                due = life.talk.thread.due
                assert needed is None or (due is not None and due <= needed), f"seed {seed}"
    assert looked > 100


def first_needed_look(life: Life) -> Instant | None:
    """The first minute at which a tick would cause anything, past the spread at closing."""
    for minute in (*range(90), *range(90, 36 * 60, 7)):
        moment: Instant = life.now + minute * MINUTE
        decision = decide(life.talk.thread, Tick(due=moment), life.talk.desk, moment)
        if any(isinstance(effect, Say | Call) for effect in decision.effects):
            spread = CLOSING_SPREAD if Reason.TOLD_AT_CLOSING in decision.reasons else 0
            return moment + spread
    return None


def test_a_conversation_that_is_left_alone_is_looked_at_a_few_times_a_day() -> None:
    most = 0
    for seed in range(2_000, 2_060):
        life = Life(seed)
        for _ in life.live(6):
            pass
        life.wait(life.now + DAY)  # what is new has its deadlines
        life.looks = 0
        life.wait(life.now + 7 * DAY)
        most = max(most, life.looks)
    assert 0 < most <= 7 * 14
