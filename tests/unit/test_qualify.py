"""Fields found in messages, and the few questions for them: at most two, never a known one."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from sportello.domain.deadlines import Answers
from sportello.domain.decision import Call, Learn, Say
from sportello.domain.desk import Desk, Question
from sportello.domain.events import Claim, PersonReply, Resolve
from sportello.domain.model import DAY, HOUR, MINUTE, Instant
from sportello.domain.phrases import Phrases
from sportello.domain.qualify import KEPT, READ, learnt, next_question, text_of
from sportello.domain.reasons import Reason
from tests.unit.builders import DESK, Conversation, at, calls, inbound, says

QUESTIONS = {
    "order": Question(
        topics=("delivery", "returns"),
        pattern=r"\b\d{6,10}\b",
        text={"it": "Qual è il numero d'ordine?", "en": "What is your order number?"},
    ),
    "model": Question(
        pattern=r"\bmodel(?:lo)? ([a-z]{2}\d{2})\b|\b([A-Z]{2}-\d{2})\b",
        text={"it": "Che modello è?", "en": "Which model is it?"},
    ),
    "shop": Question(text={"it": "In quale negozio?", "en": "In which shop?"}),
    "size": Question(topics=("returns",), text={"it": "Che taglia?", "en": "Which size?"}),
}
ASKING = DESK.model_copy(
    update={
        "questions": QUESTIONS,
        "answers": Answers(first=60 * MINUTE, full=6 * HOUR),
        "phrases": {
            "it": Phrases(
                asks_person=("operatore",),
                urgent=("urgente",),
                chaser=("novità",),
                thanks=("grazie",),
                topics={"delivery": ("pacco",), "returns": ("reso",)},
            ),
        },
    }
)


# --- what a message tells ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Il mio ordine 12345678 non arriva", {"order": "12345678"}),
        ("ordini 12345678 e 87654321", {"order": "12345678"}),
        ("modello XY12, ordine 12345678", {"order": "12345678", "model": "XY12"}),
        ("è il MODELLO xy12", {"model": "xy12"}),
        ("è il XY-12", {"model": "XY-12"}),
        ("12345", {}),
        ("", {}),
    ],
)
def test_fields_are_found_anywhere_in_a_message(text: str, fields: dict[str, str]) -> None:
    assert learnt(ASKING, text, ()) == fields


def test_what_is_known_is_not_learnt_again() -> None:
    assert learnt(ASKING, "ordine 12345678, modello XY12", ("order",)) == {"model": "XY12"}


def test_a_field_is_short_and_the_end_of_a_long_message_is_not_read() -> None:
    long = DESK.model_copy(update={"questions": {"all": Question(pattern=r"x+", text={"it": "?"})}})
    assert learnt(long, "x" * 500, ()) == {"all": "x" * KEPT}
    assert learnt(ASKING, "a " * (READ // 2) + "12345678", ()) == {}
    assert learnt(ASKING, "a " * (READ // 2 - 4) + "12345678", ()) == {"order": "12345678"}


# --- what is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topics", "known", "asked", "field"),
    [
        (("delivery",), (), (), "order"),
        (("returns",), ("order",), (), "model"),
        (("returns",), ("order", "model"), ("shop",), "size"),
        (("weather",), (), (), "model"),
        ((), (), ("model",), "shop"),
        ((), ("model", "shop"), (), None),
        (("returns",), (), ("order", "model"), None),  # two are enough
    ],
)
def test_the_first_of_the_file_that_fits(
    topics: Sequence[str], known: Sequence[str], asked: Sequence[str], field: str | None
) -> None:
    assert next_question(ASKING, topics=topics, known=known, asked=asked) == field


def test_how_many_is_set_in_the_file() -> None:
    def asks(most: int, asked: Sequence[str]) -> str | None:
        policy = ASKING.policy.model_copy(update={"questions_most": most})
        return next_question(ASKING.model_copy(update={"policy": policy}), topics=(), known=(), asked=asked)

    assert asks(0, ()) is None
    assert asks(1, ()) == "model"
    assert asks(1, ("shop",)) is None


def test_a_question_is_asked_in_the_customers_language_or_not_at_all() -> None:
    only = {"a": Question(text={"it": "Quale?"}), "b": Question(text={"it": "Dove?", "en": "Where?"})}
    desk = DESK.model_copy(update={"questions": only})
    assert next_question(desk, topics=(), known=(), asked=(), language="it") == "a"
    assert next_question(desk, topics=(), known=(), asked=(), language="en") == "b"
    assert next_question(desk, topics=(), known=(), asked=()) == "a"
    assert (text_of(desk, "b", "en"), text_of(desk, "b", ""), text_of(desk, "a", "en")) == (
        "Where?",
        "Dove?",
        "",
    )
    assert text_of(desk, "unheard_of", "it") == ""


# --- in conversations -------------------------------------------------------------------------


def test_a_question_and_its_answer() -> None:
    talk = Conversation(ASKING)
    asked = talk.customer("Mon 10:00", "Dov'è il mio pacco?")
    assert (says(asked), talk.said[-1].values["field"]) == (["ask"], "order")
    told = talk.customer("Mon 10:01", "12345678")
    assert [effect.fields for effect in told.effects if isinstance(effect, Learn)] == [{"order": "12345678"}]
    assert talk.thread.known == ("order",)


def test_what_the_message_tells_is_not_asked() -> None:
    talk = Conversation(ASKING)
    talk.customer("Mon 10:00", "Il pacco 12345678 non arriva")
    assert talk.thread.known == ("order",)
    assert talk.thread.asked == ("model",)


@pytest.mark.parametrize("text", ["Il pacco, è urgente", "Il pacco: un operatore, per favore"])
def test_who_calls_for_people_is_asked_nothing(text: str) -> None:
    talk = Conversation(ASKING)
    first = talk.customer("Mon 10:00", text)
    assert calls(first) != []
    talk.customer("Mon 10:01", "Il pacco, dico")
    assert "ask" not in [say.text for say in talk.said]


class Step(NamedTuple):
    """One thing that happens in a random history."""

    at: Instant
    kind: str
    text: str = ""


_SENTENCES = (
    "Dov'è il mio pacco?", "Vorrei fare un reso", "Buongiorno, avrei una domanda", "È urgente!",
    "Ci sono novità?", "Vorrei parlare con un operatore", "Non ho capito", "Il numero è 12345678",
    "È il modello XY12",
    "pacco 87654321 modello XY12", "grazie", "A Milano", "?",
)  # fmt: skip
_KINDS = ("customer",) * 6 + ("silence", "reply", "claim", "resolve")


def _history(chance: random.Random) -> list[Step]:
    steps, now = [], at("Mon 08:00") + chance.randrange(12 * 60) * MINUTE
    for _ in range(chance.randint(3, 14)):
        now += chance.choice((MINUTE, 5 * MINUTE, 40 * MINUTE, 5 * HOUR, DAY))
        kind = chance.choice(_KINDS)
        steps.append(Step(now, kind, chance.choice(_SENTENCES) if kind == "customer" else ""))
    return steps


class Lived(NamedTuple):
    """What came of a history: each moment's questions, other voices and calls."""

    asked: list[tuple[Instant, str]]
    said: list[tuple[Instant, str]]
    called: list[tuple[Instant, tuple[Reason, ...]]]


def _live(desk: Desk, steps: Sequence[Step], check: bool) -> Lived:
    talk, lived = Conversation(desk), Lived([], [], [])
    asked, known = set[str](), set[str]()
    called = False  # in this debt

    def look(now: Instant, effects: Sequence[Any]) -> None:
        nonlocal called
        calls_now = [effect.whys for effect in effects if isinstance(effect, Call)]
        fields = [
            effect.values["field"] for effect in effects if isinstance(effect, Say) and effect.text == "ask"
        ]
        lived.called.extend((now, whys) for whys in calls_now)
        lived.asked.extend((now, field) for field in fields)
        lived.said.extend((now, e.text) for e in effects if isinstance(e, Say) and e.text != "ask")
        called = called or bool(calls_now)
        for field in fields if check else ():
            assert not called, "a question with or after a call"
            assert field not in known, "a question for what is known"
            assert field not in asked, "the same question twice"
            asked.add(field)
            assert len(asked) <= 2, "a third question"
            assert len([e for e in effects if isinstance(e, Say)]) == 1, "two voices at once"

    for step in steps:
        while talk.thread.due is not None and talk.thread.due <= step.at:
            due, decision = talk.tick_at_due()
            look(due, decision.effects)
        if not talk.thread.owes:
            called = False
        if step.kind == "customer":
            known |= {"order"} if "5678" in step.text or "8765" in step.text else set()
            known |= {"model"} if "XY12" in step.text else set()
            look(step.at, talk.take(inbound(step.text, time=step.at), step.at).effects)
        elif step.kind == "reply":
            talk.take(PersonReply(by="anna", text="Ecco", action="a", at=step.at), step.at)
        elif step.kind == "claim":
            talk.take(Claim(by="anna", action="a", at=step.at), step.at)
        elif step.kind == "resolve":
            talk.take(Resolve(by="anna", action="a", at=step.at, code="done"), step.at)
            asked.clear()
    return lived


def test_1_000_random_histories() -> None:
    """At most two questions in a conversation, none known, none with or after a call. They change
    nothing: deadlines, calls and other voices are those of a desk that asks nothing."""
    chance = random.Random(20261126)
    questions = 0
    for number in range(1_000):
        desk = ASKING.model_copy(update={"hours": "Mo-Su 06:00-23:00"}) if number % 2 else ASKING
        steps = _history(chance)
        lived = _live(desk, steps, check=True)
        silent = _live(desk.model_copy(update={"questions": {}}), steps, check=False)
        assert (lived.called, lived.said) == (silent.called, silent.said)
        assert silent.asked == []
        questions += len(lived.asked)
    assert questions > 500


def test_an_unanswered_question_leaves_the_deadlines_as_they_are() -> None:
    asks, asks_not = Conversation(ASKING), Conversation(ASKING.model_copy(update={"questions": {}}))
    for talk in (asks, asks_not):
        talk.customer("Mon 10:00", "Dov'è il mio pacco?")
    assert asks.thread.asked == ("order",)
    assert asks.thread.due == asks_not.thread.due is not None
