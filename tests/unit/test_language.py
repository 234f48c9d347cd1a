"""In which language a customer is answered."""

import pytest

from sportello.domain.language import language_of, reply_language

DESK = ("it", "en")


class TestFromWords:
    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("Dov'è il mio ordine?", "it"),
            ("DOV'È IL MIO ORDINE", "it"),
            ("Where is my order?", "en"),
            ("Salve, vorrei sapere quando aprite", "it"),
            ("Hello, when do you open", "en"),
        ],
    )
    def test_stop_words_tell(self, text: str, language: str) -> None:
        assert language_of(text, DESK) == language

    @pytest.mark.parametrize("text", ["", "ok", "grazie", "the order", "è urgente", "👍 👍 👍 👍"])
    def test_fewer_than_three_words_never_tell(self, text: str) -> None:
        assert language_of(text, DESK) == ""

    @pytest.mark.parametrize("text", ["Bestellung Nummer zwölf", "hello ciao 48213 abc", "1 2 3 4"])
    def test_words_that_speak_for_none_or_for_two_do_not_tell(self, text: str) -> None:
        assert language_of(text, DESK) == ""

    def test_only_the_desks_languages_count(self) -> None:
        assert language_of("Where is my order?", ("it",)) == ""
        assert language_of("Где мой заказ", DESK) == ""

    @pytest.mark.parametrize(
        ("text", "language"), [("Где мой заказ", "ru"), ("我的订单在哪里", "zh"), ("ок", ""), ("订单", "")]
    )
    def test_scripts_tell_from_three_letters_on(self, text: str, language: str) -> None:
        assert language_of(text, (*DESK, "ru", "zh")) == language

    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("Il mio ordine per Наталья Иванова non è arrivato", "it"),
            ("Где мой заказ iPhone 15 Pro Max Samsung Galaxy", "ru"),
            ("我买的 iPhone 15 Pro Max 发错了", "zh"),
            ("Де моє замовлення, підкажіть", ""),
            ("私の注文はどこですか", ""),
        ],
    )
    def test_names_in_another_script_and_neighbours_in_the_same(self, text: str, language: str) -> None:
        assert language_of(text, (*DESK, "ru", "zh")) == language

    @pytest.mark.parametrize("text", ["Wo ist meine Bestellung in der App", "¿Dónde está mi pedido?"])
    def test_a_language_that_the_desk_does_not_speak_is_not_taken_for_a_neighbour(self, text: str) -> None:
        assert language_of(text, DESK) == ""
        assert language_of(text, (*DESK, "de", "es")) in ("de", "es")

    def test_a_language_without_stop_words_is_never_guessed(self) -> None:
        assert language_of("Gdzie jest moje zamówienie", (*DESK, "pl")) == ""


class TestOrderOfEvidence:
    @pytest.mark.parametrize(
        ("platform", "thread", "text", "language"),
        [
            ("en", "it", "Dov'è il mio ordine?", "en"),
            ("fr", "en", "Dov'è il mio ordine?", "en"),
            ("", "en", "Dov'è il mio ordine?", "en"),
            ("", "fr", "Where is my order?", "en"),
            ("", "", "Where is my order?", "en"),
            ("", "", "my order", "it"),
            ("fr", "fr", "Où est ma commande ?", "it"),
        ],
    )
    def test_platform_then_thread_then_words_then_desk(
        self, platform: str, thread: str, text: str, language: str
    ) -> None:
        assert reply_language(platform, thread, text, DESK) == language
