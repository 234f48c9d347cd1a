"""Which frequent question a message asks: a small file of entries, as a care lead would write it."""

import random
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

import tests.eval.faq as evaluation
from sportello.domain.faq import Faq, FaqEntry, FaqLocale
from sportello.domain.model import DAY, Instant, to_instant
from sportello.services.faq import WHY, Hit, LexicalAnswerer, Verdict

AT = to_instant(datetime(2026, 12, 10, 12, tzinfo=UTC))

ENTRIES = (
    FaqEntry(
        id="hours", questions=("when are you open", "what are your opening hours"), answer="{{ hours }}"
    ),
    FaqEntry(
        id="christmas",
        questions=("when are you open at christmas",),
        answer="At Christmas we are closed.",
        valid_from=date(2026, 12, 1),
        valid_to=date(2026, 12, 31),
    ),
    FaqEntry(
        id="returns",
        questions=("how do I return an item", "can I send something back"),
        answer="Within 14 days.",
        topic="returns",
    ),
    FaqEntry(id="refund", questions=("how long does a refund take",), answer="14 days at most."),
    FaqEntry(id="address", questions=("can I change the address",), answer="Write it here.", private=True),
    FaqEntry(
        id="signal", questions=("what is the strength of the signal",), answer="Good.", channels=("telegram",)
    ),
    FaqEntry(
        id="desk", questions=("which counter serves the second account",), answer="2", accounts=("a-2",)
    ),
)
LITTLE = tuple(re.findall(r"\w+", "a an and the i you your it is are do does can please hi my of to what"))
LOCALE = FaqLocale(
    entries=ENTRIES,
    same_words=(("return", "send back", "bring back"), ("refund", "money back"), ("open", "closed")),
    fillers=LITTLE,
    asks=("how", "when", "what", "which", "can i", "do you", "could i"),
    hand_on=("never arriv*", "not arrived", "broken", "lawyer", "talk to"),
)
ITALIAN = FaqLocale(
    entries=(
        FaqEntry(id="hours", questions=("quando siete aperti", "quali sono gli orari"), answer="{{ hours }}"),
        FaqEntry(id="returns", questions=("come si restituisce un articolo",), answer="Entro 14 giorni."),
    ),
    fillers=("ciao", "siete", "si", "un", "gli", "sono", "come", "quali"),
    hand_on=("mai arrivat*",),
)
ANSWERER = LexicalAnswerer(Faq(locales={"en": LOCALE, "it": ITALIAN}), "Europe/Rome")


def verdict(text: str, language: str = "en", at: Instant = AT, **where: Any) -> Verdict:
    found = ANSWERER.verdict(text, language, at, **where)
    assert found.why in WHY
    assert (found.why == "answered") == (found.hit is not None)
    return found


def answer(text: str, language: str = "en", at: Instant = AT, **where: Any) -> str:
    hit = verdict(text, language, at, **where).hit
    return hit.id if hit else ""


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("How do I return an item?", "returns"),
        ("hi, can i send it back please", "returns"),
        ("How can I BRING BACK an item", "returns"),
        ("how do i retrun an item", "returns"),
        ("how long does money back take", "refund"),
        ("opening hours", "hours"),
        ("when is it closed?", "hours"),
    ],
)
def test_a_question_is_found_in_other_words(text: str, entry: str) -> None:
    assert answer(text) == entry


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("my item has never arrived, can I return it?", "hand_on"),
        ("It never ever arrived! when are you open", "hand_on"),
        ("It has not, as I said, arrived", "not_asked"),  # three words between are too many
        ("the item is broken, how do I return it", "hand_on"),
        ("when are you open? I want to talk to a person", "hand_on"),
        ("how do I return order 48812733", "own_case"),
        ("how do I return it, phone +39 333 123 4567", "own_case"),
        ("refund for someone@example.com please?", "own_case"),
        ("how do I return AB12CD3?", "own_case"),
        ("how do I return no. 5, i.e. # 5", "own_case"),
        ("how do I return an item? and when are you open?", "two_questions"),
        ("Thanks for the item that you sent", "not_asked"),
        ("what is the meaning of life, and when", "unlike"),
        ("when does the circus elephant perform", "unlike"),
        ("", "no_words"),
        ("🙂👍", "no_words"),
        ("how " * 61 + "return", "too_long"),
        ("in which way do I pay", "unlike"),
    ],
)
def test_what_is_nobodys_frequent_question_goes_to_a_person(text: str, why: str) -> None:
    assert verdict(text).why == why


def test_a_number_of_few_digits_is_no_case_of_ones_own() -> None:
    assert answer("how do I return an item after 30 days, say 2 of them?") in ("returns", "")
    assert verdict("how do I return 2 items?").hit is not None


def test_two_entries_about_as_close_are_none() -> None:
    twins = tuple(
        FaqEntry(id=name, questions=(f"how do I register the {name} pump",), answer="So.")
        for name in ("red", "blue")
    )
    answerer = LexicalAnswerer(Faq(locales={"en": FaqLocale(entries=twins)}), "UTC")
    found = answerer.verdict("how do I register the pump?", "en", AT)
    assert found.why == "ambiguous"
    assert {candidate.entry.id for candidate in found.candidates} == {"red", "blue"}
    assert abs(found.candidates[0].score - found.candidates[1].score) < 0.1
    sure = answerer.verdict("how do I register the blue pump?", "en", AT).hit
    assert sure is not None
    assert sure.id == "blue"


@pytest.mark.parametrize(
    ("day", "entry"),
    [
        ("2026-11-30T22:59", ""),  # 23:59 in Rome
        ("2026-11-30T23:00", "christmas"),
        ("2026-12-31T22:59", "christmas"),
        ("2026-12-31T23:00", ""),
    ],
)
def test_an_entry_is_answered_on_its_days_by_the_clocks_of_the_desk(day: str, entry: str) -> None:
    at = to_instant(datetime.fromisoformat(day).replace(tzinfo=UTC))
    assert answer("when are you open at christmas?", at=at) == entry


def test_what_is_not_for_the_public_is_not_said_there_and_nothing_else_instead() -> None:
    question = "can I change the address?"
    assert answer(question, public=False) == "address"
    found = verdict(question, public=True)
    assert (found.why, found.detail) == ("not_here", "address")


def test_an_entry_keeps_to_its_channels_and_accounts() -> None:
    signal, counter = "what is the strength of the signal?", "which counter serves the second account?"
    assert answer(signal, channel="telegram") == "signal"
    assert answer(signal, channel="whatsapp") == ""
    assert answer(counter, account="a-2") == "desk"
    assert answer(counter, account="a-1") == ""


def test_the_topic_goes_with_the_answer() -> None:
    assert verdict("how do I return an item?").hit == Hit("returns", 1.0, "en", "returns")


def test_a_message_in_another_language_of_the_desk_is_answered_in_it() -> None:
    hit = verdict("ciao, quando siete aperti?", "en").hit
    assert hit is not None
    assert (hit.id, hit.language) == ("hours", "it")
    assert answer("quando siete aperti? il pacco non è mai arrivato", "en") == ""


def test_a_language_without_questions_has_none() -> None:
    assert verdict("wann habt ihr offen?", "de").why == "no_language"


def test_no_questions_at_all_are_no_error() -> None:
    assert LexicalAnswerer(Faq(), "UTC").verdict("when are you open?", "en", AT).why == "no_language"


@pytest.mark.parametrize("language", evaluation.LANGUAGES)
def test_whatever_is_written_ends_in_an_entry_or_none(language: str) -> None:
    """Seeded noise: parts of real questions, mixed, cut, shouted, in a wrong language, on any day."""
    answerer = evaluation.answerer()
    known = {entry.id for entry in evaluation.faq(*evaluation.LANGUAGES).locales["it"].entries}
    draw = random.Random(f"faq {language}")
    words = [word for line in evaluation.lines() for word in line.text.split()]
    for number in range(300):
        text = draw.choice(" \n?!.🙂").join(draw.choices(words, k=draw.randint(0, 12)))
        text = draw.choice((text, text.upper(), text[::-1], text[: number % 40]))
        hit = answerer.answer(
            text, language, draw.randrange(40_000) * DAY, channel="x", account="y", public=True
        )
        assert hit is None or (hit.id in known and 0 < hit.score <= 1)
        assert hit is None or hit.id != "change_address", "private entries are never answered in public"


def test_a_word_more_from_hand_on_silences_every_answer() -> None:
    """Whatever is answered, with a complaint behind it it is not."""
    warnings = {"en": "it never arrived", "it": "non è arrivato niente", "ru": "до сих пор не пришло"}
    answered = [line for line in evaluation.lines() if evaluation.answered(line) != evaluation.NONE]
    assert len(answered) > 300
    for line in answered:
        text = f"{line.text} {warnings[line.language]}"
        hit = evaluation.answerer().answer(text, line.language, AT, channel="", account="", public=False)
        assert hit is None, text


def test_the_goals_of_the_evaluation_are_met() -> None:
    table = evaluation.table()
    assert [row.name for row in table.rows if row.goal is not None] == [
        "precision",
        "coverage",
        "prefilter: of what is answered",
    ]
    assert [row for row in table.rows if not row.met] == []
    assert len(evaluation.lines()) >= 600
    halves = [line.half for line in evaluation.lines()]
    assert abs(halves.count("write") - halves.count("score")) <= 6
