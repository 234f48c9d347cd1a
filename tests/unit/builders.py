"""A small desk, a customer and a conversation: what the tests of the pure core are told with.

The sample week is Monday 23 to Sunday 29 November 2026 in Rome: ``at("Mon 10:00")``; other days by
date, ``at("2026-12-08 10:00")`` (a Tuesday, and a public holiday in Italy).
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sportello.domain import keys
from sportello.domain.deadlines import Answers
from sportello.domain.decide import decide
from sportello.domain.decision import Call, Consult, Decision, Hide, Say
from sportello.domain.desk import Desk, Policy
from sportello.domain.events import (
    Claim,
    Consulted,
    Customer,
    Echo,
    Event,
    Followed,
    Inbound,
    Kind,
    PersonReply,
    Resolve,
    SendResult,
    Spoken,
    Tick,
    Wanted,
)
from sportello.domain.model import Instant, to_instant
from sportello.domain.phrases import Phrases
from sportello.domain.staff import Target, Team
from sportello.domain.thread import Thread

ACCOUNT = "15550001111"
CUSTOMER = Customer(id="customer-1", address="39333000001", name="Customer One")
THREAD_ID = keys.thread_id("sample-salt", "whatsapp", ACCOUNT, CUSTOMER.id)

DESK = Desk(
    name="Sample desk",
    time_zone="Europe/Rome",
    languages=("it", "en"),
    hours="Mo-Fr 09:00-18:00; PH off",
    holidays="IT",
    teams={
        "care": Team(tell=(Target(email="care@example.com"),)),
        "returns": Team(tell=(Target(email="returns@example.com"),)),
    },
    answers=Answers(first=0, full=0),
    phrases={
        "it": Phrases(
            asks_person=("operatore", "una persona"), urgent=("urgente",), thanks=("grazie", "grazie mille")
        ),
        "en": Phrases(asks_person=("real person",), urgent=("urgent",), thanks=("thanks", "thank you")),
    },
)
"""Open Monday to Friday 9 to 18; on it after 10 minutes, a call after 30, a person stays for 30.

Its answers have no deadlines, and its people are paged again after 15 minutes.
"""

WITH_LUNCH = DESK.model_copy(update={"hours": "Mo-Fr 09:00-13:00,14:00-18:00; PH off"})
ALWAYS_OPEN = DESK.model_copy(update={"hours": "24/7"})

QUESTION = "Dov'è il mio ordine?"

_DAYS = {day: 23 + number for number, day in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))}


def at(when: str) -> Instant:
    """``Mon 10:00`` of the sample week, or ``2026-12-08 10:00``, on the desk's clock."""
    day, clock = when.split(" ")
    date = f"2026-11-{_DAYS[day]}" if day in _DAYS else day
    return to_instant(datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=ZoneInfo("Europe/Rome")))


def desk(hours: str = DESK.hours, **policy: Any) -> Desk:
    """The sample desk with other hours or another policy (durations in milliseconds)."""
    return DESK.model_copy(update={"hours": hours, "policy": Policy(**policy)})


def thread(**changes: Any) -> Thread:
    """A thread that nobody has written in yet."""
    new = Thread(id=THREAD_ID, channel="whatsapp", connection="main", account=ACCOUNT, to=CUSTOMER.address)
    return new.model_copy(update=changes)


def inbound(text: str = QUESTION, time: Instant | None = None, **changes: Any) -> Inbound:
    """A customer's message; ``language`` is what the platform says of the customer."""
    customer = CUSTOMER.model_copy(update={"language": changes.pop("language", "")})
    kind = changes.pop("kind", Kind.TEXT)
    id = changes.pop("id", "message-1")
    fields = {"account": ACCOUNT, "customer": customer, "id": id, "time": time}
    return Inbound(**fields, kind=kind, text=text, **changes)


class Conversation:
    """One thread, step by step; every step returns its decision, which is committed."""

    def __init__(self, desk: Desk = DESK, opened: Thread | None = None) -> None:
        self.desk = desk
        self.thread = opened or thread()
        self.said: list[Say] = []
        self.called: list[Call] = []
        self.asked: list[Consult] = []
        self._steps = 0

    def take(self, event: Event, now: Instant) -> Decision:
        """Decide and commit as the shell does: a new call's key is remembered by the thread."""
        self._steps += 1
        decision = decide(self.thread, event, self.desk, now)
        after = decision.thread
        for effect in decision.effects:
            if isinstance(effect, Say):
                self.said.append(effect)
            if isinstance(effect, Consult):
                self.asked.append(effect)
            if not isinstance(effect, Call):
                continue
            self.called.append(effect)
            if not effect.key:
                cause = effect.cause or keys.message_key(now, self._steps, "a" * keys.HASH_LENGTH)
                after = after.model_copy(update={"escalation": keys.effect_key(cause, "call")})
        self.thread = after
        return decision

    def customer(self, when: str, text: str = QUESTION, **changes: Any) -> Decision:
        now = at(when)
        return self.take(inbound(text, **{"time": now, **changes}), now)

    def tick(self, when: str) -> Decision:
        now = at(when)
        return self.take(Tick(due=self.thread.due or now), now)

    def tick_at_due(self) -> tuple[Instant, Decision]:
        """The sweeper comes exactly when the thread wants to be looked at."""
        assert self.thread.due is not None
        return self.thread.due, self.take(Tick(due=self.thread.due), self.thread.due)

    def person(self, when: str, unseen: str = "", unseen_first: str = "") -> Decision:
        """A person answers; ``unseen`` is when the first message that they had not read was written."""
        now = at(when)
        owing_from = at(unseen) if unseen else None
        event = PersonReply(
            by="Agent", text="Arriva!", action="a1", at=now, owing_from=owing_from, owing_first=unseen_first
        )
        return self.take(event, now)

    def interim(self, when: str, promise: str, unseen: str = "") -> Decision:
        """A person answers for the time being, and says by when the rest comes."""
        now = at(when)
        event = PersonReply(
            by="Agent",
            text="Ci guardo",
            action="a4",
            at=now,
            owing_from=at(unseen) if unseen else None,
            promise=at(promise),
        )
        return self.take(event, now)

    def tap(self, when: str, payload: str, text: str = "") -> Decision:
        return self.customer(when, text, kind=Kind.BUTTON, payload=payload)

    def answer(self, when: str, consult: Consult | None = None, **found: Any) -> Decision:
        """The outside answers what was asked last, or ``consult``."""
        asked = consult or self.asked[-1]
        given = {"cause": "cause", "asks": asked.asks, "until": asked.until, "person": asked.person}
        return self.take(Consulted(**given | found), at(when))

    def wanted(self, when: str, since: str, first: str = "") -> Decision:
        return self.take(Wanted(by="Agent", action="a5", at=at(when), since=at(since), first=first), at(when))

    def spoken(self, when: str, language: str) -> Decision:
        return self.take(Spoken(by="Agent", action="a6", at=at(when), language=language), at(when))

    def followed(self, when: str) -> Decision:
        return self.take(Followed(thread="c" * 26, since=self.thread.owed_since), at(when))

    def ticks_until(self, end: str) -> list[tuple[Instant, Decision]]:
        """The sweeper comes exactly when the thread wants to be looked at, up to ``end``."""
        found: list[tuple[Instant, Decision]] = []
        while self.thread.due is not None and self.thread.due <= at(end):
            found.append(self.tick_at_due())
            assert len(found) < 1_000, "it is looked at for ever"
        return found

    def echo(self, when: str, **changes: Any) -> Decision:
        now = at(when)
        return self.take(Echo(account=ACCOUNT, customer=CUSTOMER, id="echo-1", time=now, **changes), now)

    def claim(self, when: str) -> Decision:
        return self.take(Claim(by="Agent", action="a2", at=at(when)), at(when))

    def resolve(self, when: str, code: str = "") -> Decision:
        return self.take(Resolve(by="Agent", action="a3", at=at(when), code=code), at(when))

    def send_failed(self, when: str, owed_since: Instant | None, first: str = "") -> Decision:
        event = SendResult(row="row", problem="window_closed", owed_since=owed_since, first=first)
        return self.take(event, at(when))


def says(decision: Decision) -> list[str]:
    """Names of the texts that the desk says by itself."""
    return [effect.text for effect in decision.effects if isinstance(effect, Say)]


def say(decision: Decision) -> Say:
    (only,) = (effect for effect in decision.effects if isinstance(effect, Say))
    return only


def calls(decision: Decision) -> list[str]:
    """Reasons for which people are called."""
    return [why for effect in decision.effects if isinstance(effect, Call) for why in effect.whys]


def asks(decision: Decision) -> tuple[str, ...]:
    """What the outside is asked; empty: nothing."""
    return tuple(ask for effect in decision.effects if isinstance(effect, Consult) for ask in effect.asks)


def hidden(decision: Decision) -> list[str]:
    """Ids of the public messages that are taken out of sight."""
    return [effect.message for effect in decision.effects if isinstance(effect, Hide)]


def call(decision: Decision) -> Call:
    (only,) = (effect for effect in decision.effects if isinstance(effect, Call))
    return only
