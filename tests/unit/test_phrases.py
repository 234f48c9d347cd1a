"""Words that mean something: whole words in any case, with or without accents and punctuation."""

from pathlib import Path

import pytest
import yaml

from sportello.domain.phrases import THANKS_WORDS, Meaning, Patterns, Phrases, plain

PHRASES = {
    "it": Phrases(
        asks_person=("operatore", "parlare con una persona", "mi può chiamare"),
        urgent=("urgente", "perché no"),
        thanks=("grazie", "grazie mille", "per l'aiuto", "ok grazie"),
    ),
    "en": Phrases(asks_person=("real person",), urgent=("lawyer",), thanks=("thanks", "thank you")),
}
PATTERNS = Patterns(PHRASES)
TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "phrases"
SHIPPED = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(TEMPLATES.glob("*.yaml"))}
SHIPPED_PATTERNS = Patterns({code: Phrases.model_validate(kinds) for code, kinds in SHIPPED.items()})


def meaning(text: str) -> Meaning:
    return Meaning(text, PATTERNS)


class TestPlainWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("È urgente!!", "e urgente"),
            ("E\u0300 urgente", "e urgente"),
            ("PERCHÉ  no?\n", "perche no"),
            ("l'aiuto", "l aiuto"),
            ("l’aiuto", "l aiuto"),
            ("_operatore_ *subito*", "operatore subito"),
            ("Straße", "strasse"),
            ("İstanbul", "istanbul"),
            ("ｕｒｇｅｎｔｅ", "urgente"),
            ("срочно!", "срочно"),
            ("紧急", "紧急"),
            ("👍🏽 ... !", ""),
            ("", ""),
        ],
    )
    def test_lower_case_without_accents_and_punctuation(self, text: str, words: str) -> None:
        assert plain(text) == words


class TestAskingAndUrgency:
    @pytest.mark.parametrize(
        "text",
        [
            "operatore",
            "OPERATORE!!!",
            "Vorrei un operatore, per favore",
            "vorrei parlare con una persona",
            "Parlare  con\nuna... persona",
            "mi puo chiamare qualcuno?",
            "Mi PUÒ chiamare?",
            "_operatore_",
            "a real person please",
        ],
    )
    def test_asking_for_a_person(self, text: str) -> None:
        assert meaning(text).asks_person

    @pytest.mark.parametrize(
        "text",
        [
            "operatori",
            "cooperatore",
            "parlare una persona",
            "parlare con una bella persona",
            "persona con parlare una",
            "realperson",
            "",
        ],
    )
    def test_parts_of_words_and_of_phrases_do_not_count(self, text: str) -> None:
        assert not meaning(text).asks_person

    def test_every_language_of_the_desk_counts_in_every_conversation(self) -> None:
        assert meaning("Il mio lawyer vi scrive").urgent

    @pytest.mark.parametrize("text", ["Urgente", "perche NO", "grazie, è urgente"])
    def test_urgency(self, text: str) -> None:
        assert meaning(text).urgent

    def test_in_a_long_text_words_are_found_wherever_they_stand(self) -> None:
        assert meaning("parola " * 5_000 + "urgente").urgent

    def test_a_desk_without_phrases_understands_nothing(self) -> None:
        found = Meaning("urgente operatore grazie", Patterns({}))
        assert (found.urgent, found.asks_person, found.thanks) == (False, False, False)

    def test_phrases_are_words_and_not_patterns(self) -> None:
        odd = Patterns({"it": Phrases(urgent=("a.c", "(help", "...", ""))})
        assert Meaning("(help", odd).urgent
        assert Meaning("A.C.", odd).urgent
        assert not Meaning("abc", odd).urgent


class TestThanks:
    @pytest.mark.parametrize(
        "text",
        [
            "Grazie",
            "grazie!!! 🙏",
            "GRAZIE MILLE",
            "Ok grazie",
            "grazie Maria",
            "grazie per l'aiuto",
            "grazie grazie grazie",
            "thanks",
            "Thank you!",
            "thank you John",
        ],
    )
    def test_only_thanks(self, text: str) -> None:
        assert meaning(text).thanks

    @pytest.mark.parametrize(
        "text",
        [
            "grazie ma non funziona",
            "Grazie, ma",
            "no grazie",
            "thanks but",
            "not thanks",
            "thanks?",
            "grazie, e il rimborso?",
            "Grazie. Quando arriva il pacco",
            "Grazie. Fattura sbagliata",
            "grazie urgente",
            "thanks operatore",
            "grazie, lawyer",
            "ok",
            "👍",
            "ringraziamenti",
            "",
        ],
    )
    def test_more_or_less_than_thanks_asks_for_an_answer(self, text: str) -> None:
        assert not meaning(text).thanks

    def test_a_long_text_is_more_than_thanks(self) -> None:
        assert meaning("grazie " * THANKS_WORDS).thanks
        assert not meaning("grazie " * (THANKS_WORDS + 1)).thanks


class TestShippedPhrases:
    def test_both_languages_are_shipped(self) -> None:
        assert set(SHIPPED) >= {"it", "en"}

    @pytest.mark.parametrize(
        ("kind", "phrase"),
        [
            pytest.param(kind, phrase, id=f"{code}-{phrase}")
            for code, kinds in SHIPPED.items()
            for kind, phrases in kinds.items()
            for phrase in phrases
        ],
    )
    def test_each_is_understood_as_what_it_is_listed_for(self, kind: str, phrase: str) -> None:
        found = Meaning(f"{phrase.upper()}!", SHIPPED_PATTERNS)
        assert getattr(found, kind)
        assert found.thanks == (kind == "thanks")

    @pytest.mark.parametrize(
        "text", ["Buongiorno, dov'è il mio ordine?", "When do you open?", "Avete la taglia 42?"]
    )
    def test_an_ordinary_question_means_none_of_them(self, text: str) -> None:
        found = Meaning(text, SHIPPED_PATTERNS)
        assert (found.asks_person, found.urgent, found.thanks) == (False, False, False)
