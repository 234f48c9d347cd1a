"""The scene of ``make run``: an evening at the desk, each step checked where it shows.

It plays with customers of its own each time, so it can be played again on a desk with a past. What it
expects the desk to say comes from ``templates/``: an edited desk plays it in its own words.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.bundle import Bundle
from infra.cli.local import set_clock, thread_of
from infra.cli.transcript import Transcript
from infra.cli.work import person
from infra.local_desk import SLACK_PATH
from infra.world.client import WorldClient
from infra.world.model import Letter, Shown, SlackPost
from sportello.aws import history, outbox, secrets
from sportello.aws.clock import now, real_now
from sportello.domain.desk import Desk
from sportello.domain.faq import FaqEntry
from sportello.domain.front import calendar_of_front
from sportello.domain.language import language_of
from sportello.domain.message import Escalation, Message, State
from sportello.domain.model import HOUR, MINUTE, Instant
from sportello.domain.phrases import Meaning
from sportello.domain.reasons import Reason
from sportello.domain.staff import Target
from sportello.services import reply as service
from sportello.services.faq import LexicalAnswerer
from sportello.services.wording import Wording
from sportello.workers import channel

T = TypeVar("T")

WAIT_SECONDS = 20.0
LOOK_SECONDS = 0.03
CLOSINGS = 14
"""How many closings are looked at for one that lasts to another day."""
AFTER_CLOSING = 2 * HOUR + 15 * MINUTE
OPERATOR = "Operator"


class SceneFailed(Exception):
    """A step did not show what it should; the text says what was expected, and what was seen."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected: {expected}\n    seen: {seen}")


@dataclass(frozen=True)
class Part:
    """What a customer says."""

    channel: str
    language: str
    first: str
    again: str
    asks: str = ""
    yes: str = ""
    tells_language: bool = False
    """The platform tells the language of the phone."""


ITALIAN = Part(
    "whatsapp",
    "it",
    "Buonasera, il mio ordine non è ancora arrivato. Mi sapete dire quando arriva?",
    "È quello che ho fatto lunedì scorso.",
    "Vorrei parlare con una persona, per favore.",
)
ENGLISH = Part(
    "telegram",
    "en",
    "Good evening! Can I still change the delivery address of my order?",
    "It is the order that I placed last Monday.",
    yes="Yes, thank you!",
    tells_language=True,
)
SHOPPER = Part(
    "webchat",
    "it",
    "Ciao, vorrei cambiare la taglia di una maglia comprata online: come faccio?",
    "L'ho ricevuta ieri e non l'ho ancora usata.",
    tells_language=True,
)
PARTS = (ITALIAN, ENGLISH, SHOPPER)
COUNTED = {2: "two", 3: "three"}
ANSWERS = {
    "it": "Buonasera! Il pacco è partito oggi: arriva domani mattina.",
    "en": "Good evening! Your parcel left today: it arrives tomorrow morning.",
}


@dataclass
class Customer:
    """One of the scene's customers, and how far their conversation has come."""

    name: str
    part: Part
    thread: str = ""
    answered: bool = False
    """What they asked was a frequent question."""
    heard: int = 0
    """How much the desk has said to them."""


class Scene:
    def __init__(self, world: WorldClient, bundle: Bundle, out: Transcript) -> None:
        self._world = world
        self._desk = bundle.desk
        self._faq = bundle.faq
        self._wording = Wording(bundle.desk, bundle.texts)
        self._out = out
        self._posts = len(world.slack().get(SLACK_PATH, ()))

    def play(self) -> tuple[str, str]:
        """The two threads: the answered one, and the one that still waits. Raises SceneFailed."""
        _connect_slack(self._desk)
        set_clock(self._world, evening(self._desk, real_now()))
        customers = self._fresh_customers()
        first, second = customers[:2]
        self._open(customers)
        self._say_that_it_helped([customer for customer in customers if customer.answered])
        self._write_again([customer for customer in customers if not customer.answered])
        self._ask_for_person(first)
        self._answer(first)
        return first.thread, second.thread

    def _fresh_customers(self) -> list[Customer]:
        """One for each part whose channel is connected; none of them has ever written."""
        connected = self._world.channels()
        parts = [part for part in PARTS if connected.get(part.channel)]
        number = 1
        while True:
            customers = [Customer(f"Customer {number + place}", part) for place, part in enumerate(parts)]
            if not any(map(self._phone, customers)):
                return customers
            number += len(parts)

    # --- the acts ------------------------------------------------------------------------------

    def _open(self, customers: Sequence[Customer]) -> None:
        several = f"{COUNTED[len(customers)]} customers write"
        closed = [self._is_closed(customer.part) for customer in customers]
        self._out.act(f"After hours, {several}" if all(closed) else several.capitalize())
        for customer in customers:
            self._say(customer, customer.part.first)
            if entry := self._frequent(customer):
                self._hears(customer, "faq", "automatic", entry)
                customer.answered = True
            elif self._is_closed(customer.part):
                self._hears(customer, "closed", "automatic")
            else:
                self._silence(customer)
        if all(closed):
            self._out.checked("each phone shows the posted hours and the next opening, or the answer, once")

    def _say_that_it_helped(self, customers: Sequence[Customer]) -> None:
        for customer in customers:
            self._out.act("The frequent question was answered, and that is enough")
            self._say(customer, customer.part.yes)
            self._hears(customer, "faq_yes", "automatic")
            if service.look(customer.thread).thread.owes:
                raise SceneFailed("nothing is owed after an explicit yes", "it is owed")
            self._out.checked("an explicit yes: nothing is owed; anything else would call a person")

    def _frequent(self, customer: Customer) -> FaqEntry | None:
        """The entry that answers what they wrote, if this desk has one."""
        part = customer.part
        language = self._language(part)
        hit = LexicalAnswerer(self._faq, self._desk.time_zone).answer(
            part.first, language, now(), channel=part.channel, account="", public=False
        )
        return self._faq.entry(hit.language, hit.id) if hit else None

    def _write_again(self, customers: Sequence[Customer]) -> None:
        self._out.act("They write again")
        for customer in customers:
            self._say(customer, customer.part.again)
            self._silence(customer)
        self._out.checked("stored, owed, and no second reply: they know when the desk opens")

    def _ask_for_person(self, customer: Customer) -> None:
        self._out.act("One asks for a person")
        closed = self._is_closed(customer.part)
        self._say(customer, self._asking(customer.part))
        self._hears(customer, "person_asked_closed" if closed else "person_asked_open", "automatic")
        call = self._until(
            "a call for people that every target has heard",
            lambda: _done(history.escalations(customer.thread)),
            lambda: _told(history.escalations(customer.thread)),
        )
        for target in self._desk.teams[call.team].tell:
            self._called(target, customer)
        self._out.checked(f"the call is done: {', '.join(sorted(call.told))} have heard it")

    def _called(self, target: Target, customer: Customer) -> None:
        where = f"{target.key} shows a notice of {customer.name}"
        if target.slack:
            post = self._until(where, lambda: self._post(customer.thread), lambda: "no such post")
            self._out.slack(post)
            return
        letter = self._until(
            where, lambda: self._letter(target.email, customer.thread), lambda: "no such letter"
        )
        self._out.mail(letter)

    def _answer(self, customer: Customer) -> None:
        self._out.act("A person answers")
        text = ANSWERS[customer.part.language]
        view = service.look(customer.thread)
        row, decision = service.reply(
            person(OPERATOR, self._desk), customer.thread, text, seen=view.thread.last_in
        )
        if Reason.SETTLED not in decision.reasons:
            raise SceneFailed("the answer settles the debt", ", ".join(decision.reasons))
        shown = self._next_on_phone(customer, text)
        sent = self._until(
            "the answer is sent",
            lambda: self._sent(customer, row.key),
            lambda: _outcome(outbox.read(outbox.Address(customer.thread, row.key))[1]),
        )
        self._out.desk(OPERATOR, shown.text, shown.time, sent.receipt or "sent")
        owed = service.look(customer.thread).thread.owed_since
        if owed is not None:
            raise SceneFailed("nothing is owed any more", f"owed since {owed}")
        self._out.checked("the phone shows it, the platform confirms it, and nothing is owed any more")

    # --- steps and checks ------------------------------------------------------------------------

    def _say(self, customer: Customer, text: str) -> None:
        part = customer.part
        said = self._world.say(part.channel, text, customer.name, language=part.language)
        if said.status != 200:
            raise SceneFailed(
                f"the webhook of {part.channel} answers 200",
                f"{said.status or 'nothing'} {said.note}".strip(),
            )
        self._out.customer(customer.name, part.channel, text, now())
        customer.thread = thread_of(part.channel, said.customer)

    def _is_closed(self, part: Part) -> bool:
        return not calendar_of_front(self._desk, part.channel).is_open(now())

    def _language(self, part: Part) -> str:
        told = part.language if part.tells_language else language_of(part.first, self._desk.languages)
        return self._wording.language(told)

    def _hears(self, customer: Customer, name: str, who: str, entry: FaqEntry | None = None) -> None:
        """The next thing on the phone is that text of the desk."""
        moment, part = now(), customer.part
        language = self._language(part)
        values: dict[str, Any] = {}
        if entry is not None:
            values["answer"] = self._wording.answer(entry.answer, language, moment, channel=part.channel)
            values["buttons"] = channel(part.channel).shows_buttons
        opening = calendar_of_front(self._desk, part.channel).next_opening(moment)
        expected = self._wording.say(name, language, moment, channel=part.channel, opening=opening, **values)
        shown = self._next_on_phone(customer, expected)
        self._out.desk(f"{self._desk.name} · {who}", shown.text, shown.time)

    def _next_on_phone(self, customer: Customer, expected: str) -> Shown:
        def look() -> Shown | None:
            told = self._told(customer)
            return told[customer.heard] if len(told) > customer.heard else None

        shown = self._until(
            f"on the phone of {customer.name}: {expected}", look, lambda: self._row_states(customer)
        )
        customer.heard += 1
        if shown.text != expected:
            raise SceneFailed(f"on the phone of {customer.name}: {expected}", shown.text)
        return shown

    def _silence(self, customer: Customer) -> None:
        """What the desk would say was committed with the message: it caused nothing."""
        newest = max(
            (m for m in service.look(customer.thread).messages if m.direction == "in"),
            key=lambda message: message.arrived,
        )
        told = self._told(customer)
        if newest.effects or len(told) > customer.heard:
            seen = told[-1].text if len(told) > customer.heard else f"effects {', '.join(newest.effects)}"
            raise SceneFailed(f"silence towards {customer.name}", seen)

    def _told(self, customer: Customer) -> list[Shown]:
        return [shown for shown in self._phone(customer) if shown.direction == "out"]

    def _phone(self, customer: Customer) -> list[Shown]:
        return self._world.phone(customer.part.channel, customer.name)

    def _row_states(self, customer: Customer) -> str:
        rows = [m for m in service.look(customer.thread).messages if m.state is not None]
        return "nothing new; the outbox says: " + (", ".join(map(_outcome, rows)) or "empty")

    def _sent(self, customer: Customer, key: str) -> Message | None:
        row = outbox.read(outbox.Address(customer.thread, key))[1]
        if row is None or row.state is not State.SENT:
            return None
        confirms = customer.part.channel == "whatsapp"
        return row if row.receipt in ("delivered", "read") or not confirms else None

    def _post(self, thread: str) -> SlackPost | None:
        posts = self._world.slack().get(SLACK_PATH, [])[self._posts :]
        return next((post for post in posts if thread in post.text), None)

    def _letter(self, box: str, thread: str) -> Letter | None:
        letters = self._world.mail().get(box.lower(), [])
        return next((letter for letter in letters if thread in letter.text), None)

    def _asking(self, part: Part) -> str:
        """Words by which this desk understands that a person is wanted."""
        if Meaning(part.asks, self._desk.patterns).asks_person:
            return part.asks
        phrases = (phrase for known in self._desk.phrases.values() for phrase in known.asks_person)
        return next(phrases, part.asks)

    def _until(self, expected: str, look: Callable[[], T | None], seen: Callable[[], str]) -> T:
        until = time.monotonic() + WAIT_SECONDS
        while (found := look()) is None:
            if time.monotonic() > until:
                raise SceneFailed(f"{expected} (within {WAIT_SECONDS:.0f} s)", seen())
            time.sleep(LOOK_SECONDS)
        return found


def evening(desk: Desk, after: Instant) -> Instant | None:
    """A time after closing; None for a desk that never closes.

    The next closing that lasts to another day: a desk that has lunch should not tell of the afternoon.
    """
    calendar = calendar_of_front(desk, ITALIAN.channel)
    chosen: Instant | None = None
    closing = calendar.next_closing(after)
    for _ in range(CLOSINGS):
        opening = None if closing is None else calendar.next_opening(closing)
        if closing is None or opening is None:
            break
        moment = min(closing + AFTER_CLOSING, (closing + opening) // 2)
        if calendar.wall(opening).date() != calendar.wall(closing).date():
            return moment
        chosen = chosen or moment
        closing = calendar.next_closing(opening)
    return chosen


def _connect_slack(desk: Desk) -> None:
    """Every Slack channel that the desk names leads to the world's one."""
    known = secrets.read_secrets("slack")
    for target in (target for team in desk.teams.values() for target in team.tell):
        if target.slack and target.slack not in known:
            secrets.write_secret("slack", target.slack, f"https://hooks.slack.com{SLACK_PATH}")


def _done(calls: list[Escalation]) -> Escalation | None:
    return next((call for call in calls if call.due is None), None)


def _told(calls: list[Escalation]) -> str:
    if not calls:
        return "no call"
    return "; ".join(f"told {', '.join(call.told) or 'nobody'}, refused {call.refused}" for call in calls)


def _outcome(row: Message | None) -> str:
    if row is None:
        return "no row"
    return " ".join(filter(None, (row.say or row.kind, str(row.state), row.receipt, row.problem, row.code)))
