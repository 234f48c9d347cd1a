"""A year of random messages, seeded: who writes what where, who of the desk answers, and when nobody does."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.simulate.lines import Acts, Scenario, Writes
from infra.simulate.scenario import of_lines
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime, to_instant

BEGINS = to_instant(datetime(2026, 1, 1, tzinfo=UTC))
CHANNELS = ("whatsapp", "telegram", "messenger", "email", "sms", "instagram", "viber", "webchat", "line")
PUBLIC = ("messenger", "instagram")

QUESTIONS = (
    "Dov'è il mio ordine?",
    "La giacca ha una cucitura aperta, cosa devo fare?",
    "Where is my parcel? I ordered it two weeks ago.",
    "I would like to change the address of my order",
    "Здравствуйте, где мой заказ?",
    "Buongiorno, vorrei sapere se avete la taglia M",
    "Il mio ordine 12345678 non è arrivato",
    "Quando arriva?",
)
FREQUENT = (
    "Che orari fate?",
    "Quali sono gli orari di apertura?",
    "Quanto costa la spedizione?",
    "Come posso fare un reso?",
    "What are your opening hours?",
    "How can I return something?",
    "How much is shipping?",
)
PEOPLE = ("Vorrei parlare con un operatore", "I want to speak to a real person", "un operatore per favore")
URGENT = ("È urgente!", "Contatto il mio avvocato", "This is urgent, please")
HEATED = ("VERGOGNA!!! 😡", "Servizio pessimo, mai più", "This is a disgrace!!!")
CHASERS = ("Ci siete?", "Ci sono novità?", "Any news?", "???", "Allora?")
COURTESY = ("Grazie!", "ok", "👍", "Thank you so much", "perfetto, grazie mille", "Buona giornata")
ANSWERS_TO_OURS = ("sì", "no", "yes", "sì grazie", "12345678", "non ho capito")
NOISE = (
    "Guadagna 5000 euro al giorno!!! http://example.com/win http://example.com/more",
    "Your page will be disabled. Verify your account now: http://example.com/verify",
)
DATA = ("Il mio codice fiscale è RSSMRA85T10A562S", "Chiamatemi al +39 333 0000001", "mail: one@example.com")
GREETINGS = ("Buongiorno", "Ciao", "Hello")
REPLIES = ("Buongiorno, controlliamo subito.", "It is on its way.", "Arriva domani.", "Ecco fatto!")
TEXTS = (
    (QUESTIONS, 30),
    (FREQUENT, 16),
    (CHASERS, 10),
    (COURTESY, 12),
    (PEOPLE, 6),
    (URGENT, 3),
    (HEATED, 4),
    (ANSWERS_TO_OURS, 8),
    (GREETINGS, 5),
    (NOISE, 2),
    (DATA, 3),
)
AGENTS = ("anna", "bruno", "carla")


@dataclass(frozen=True)
class Customer:
    channel: str
    name: str
    public: bool
    machine: bool


def year(seed: int, customers: int = 250, days: int = 365, begins: Instant = BEGINS) -> Scenario:
    """A few conversations for each customer, on any day at any hour."""
    dice = random.Random(seed)
    lines: list[dict[str, Any]] = []
    for number in range(customers):
        channel = dice.choice(CHANNELS)
        customer = Customer(
            channel, f"Customer {number}", channel in PUBLIC and dice.random() < 0.4, dice.random() < 0.03
        )
        for _ in range(dice.randint(1, 4)):
            start = begins + dice.randrange(days * DAY // MINUTE) * MINUTE
            lines += conversation(dice, customer, start)
    return of_lines(sorted(lines, key=lambda line: str(line["at"])))


def conversation(dice: random.Random, customer: Customer, at: Instant) -> Iterator[dict[str, Any]]:
    """Some messages, with or without an answer; people act at odd seconds, as they do."""
    for turn in range(dice.choice((1, 1, 2, 3, 5, 8))):
        yield writes(dice, customer, at)
        if dice.random() < 0.45:
            at += dice.choice((2 * MINUTE, 7 * MINUTE, 25 * MINUTE, 3 * HOUR, 20 * HOUR))
            yield acts(dice, customer, at + 20 * SECOND)
        elif turn == 0 and dice.random() < 0.2:
            yield acts(dice, customer, at + 30 * MINUTE + 20 * SECOND)
        at += dice.choice((MINUTE, 3 * MINUTE, 12 * MINUTE, 31 * MINUTE, 2 * HOUR, 9 * HOUR, 30 * HOUR))
    if dice.random() < 0.95:  # in the end somebody sees to it
        yield acts(dice, customer, at + 10 * SECOND, end=True)


def writes(dice: random.Random, customer: Customer, at: Instant) -> dict[str, Any]:
    line: dict[str, Any] = {"at": written(at), "channel": customer.channel, "from": customer.name}
    if customer.public:
        line["public"] = True
    if customer.machine:
        line["automatic"] = dice.choice(("list", "auto_submitted", "own_address"))
    chance = dice.random()
    if chance < 0.05:
        return line | {"reaction": dice.choice(("👍", "😡", ""))}
    if chance < 0.11:
        media = dice.choice(("image", "sticker", "voice", "document"))
        return line | {"media": media} | ({"text": "Ecco la foto"} if dice.random() < 0.3 else {})
    if chance < 0.13:
        return line | {"kind": dice.choice(("location", "contact", "unsupported", "start", "call"))}
    if chance < 0.15:
        return line | {"button": dice.choice(("yes", "no"))}
    pool = dice.choices([texts for texts, _ in TEXTS], [weight for _, weight in TEXTS])[0]
    return line | {"text": dice.choice(pool)}


def acts(dice: random.Random, customer: Customer, at: Instant, *, end: bool = False) -> dict[str, Any]:
    line: dict[str, Any] = {
        "at": written(at),
        "agent": dice.choice(AGENTS),
        "to": customer.name,
        "channel": customer.channel,
    }
    if end:
        return line | {"resolve": "seen_to"}
    chance = dice.random()
    if chance < 0.6:
        reply = {"reply": dice.choice(REPLIES)}
        return line | reply | ({"promise": written(at + 3 * HOUR)} if chance < 0.06 else {})
    if chance < 0.75:
        return line | {"claim": True}
    if chance < 0.9:
        return line | {"resolve": dice.choice((True, True, "spam"))}
    return line | ({"wanted": True} if chance < 0.95 else {"language": dice.choice(("it", "en"))})


def written(at: Instant) -> str:
    return to_datetime(at).isoformat()


def lines_that(scenario: Scenario, kind: type[Writes] | type[Acts]) -> Sequence[Any]:
    return [step.does for step in scenario.steps if isinstance(step.does, kind)]
