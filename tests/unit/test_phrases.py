"""Words that mean something: whole words in any case, with or without accents and punctuation."""

from pathlib import Path

import pytest

from infra.yaml_with_lines import read_yaml
from sportello.domain.patterns import LISTS, indexed
from sportello.domain.phrases import THANKS_WORDS, Meaning, Patterns, Phrases, plain

PHRASES = {
    "it": Phrases(
        asks_person=("operatore", "parlare con una persona", "mi può chiamare"),
        urgent=("urgente", "perché no"),
        chaser=("da 3 giorni", "novità?"),
        criticism=("grazie per niente", "pessim*"),
        anger=("idioti",),
        harmless=("non urgente",),
        thanks=("grazie", "grazie mille", "ok grazie"),
        courtesy=("ok", "perfetto", "buona giornata", "nessun problema"),
        greeting=("ciao", "buongiorno"),
        alongside=("davvero", "per l'aiuto", "per la risposta"),
        yes=("sì", "mi ha aiutato"),
        no=("no", "non mi ha aiutato"),
        question=("come", "quando", "problema"),
        topics={"delivery": ("consegn*", "dov'è il pacco", "pacco"), "billing": ("fattura", "pago")},
    ),
    "en": Phrases(
        asks_person=("real person",),
        urgent=("lawyer",),
        thanks=("thanks", "thank you"),
        courtesy=("ok",),
        anger=("don't lie",),
        topics={"delivery": ("parcel",)},
    ),
    "zh": Phrases(thanks=("谢谢",), chaser=("等了3天",), urgent=("着火",)),
}
PATTERNS = Patterns(PHRASES)
TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "phrases"
SHIPPED = {path.stem: read_yaml(path.read_text("utf-8")).data for path in sorted(TEMPLATES.glob("*.yaml"))}
SHIPPED_PHRASES = {code: Phrases.model_validate(kinds) for code, kinds in SHIPPED.items()}
SHIPPED_PATTERNS = Patterns({code: SHIPPED_PHRASES[code] for code in ("it", "en", "ru")})
OF_LANGUAGE = {code: Patterns({code: phrases}) for code, phrases in SHIPPED_PHRASES.items()}


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


class TestHowPhrasesAreFound:
    @pytest.mark.parametrize("text", ["aspetto da 3 giorni", "Da 12 giorni!", "da 3 o 4, anzi da 5 giorni"])
    def test_a_number_stands_for_any_number(self, text: str) -> None:
        assert meaning(text).chases

    def test_but_not_for_a_word(self) -> None:
        assert not meaning("da molti giorni").chases

    @pytest.mark.parametrize(("text", "critical"), [("pessimi", True), ("pessimo!", True), ("pessi", False)])
    def test_a_star_stands_for_any_ending(self, text: str, critical: bool) -> None:
        assert meaning(text).critical is critical

    @pytest.mark.parametrize("text", ["graaazie", "GRAZIEEEE", "Graaazie miiille"])
    def test_drawn_out_letters(self, text: str) -> None:
        assert meaning(text).thanks

    def test_doubled_letters_are_letters(self) -> None:
        doubled = Patterns({"en": Phrases(courtesy=("good", "god bless"))})
        assert Meaning("goooood", doubled).thanks
        assert not Meaning("grazzie", PATTERNS).thanks

    @pytest.mark.parametrize("text", ["don't lie", "dont lie", "DON’T LIE"])
    def test_contractions_with_and_without_apostrophe(self, text: str) -> None:
        assert meaning(text).angry

    @pytest.mark.parametrize(("text", "kind"), [("我等了12天", "chases"), ("手机着火了", "urgent")])
    def test_chinese_is_found_between_its_neighbours(self, text: str, kind: str) -> None:
        assert getattr(meaning(text), kind)

    @pytest.mark.parametrize("text", ["non urgente", "è una cosa non urgente, quando potete"])
    def test_a_harmless_phrase_hides_what_is_inside(self, text: str) -> None:
        assert not meaning(text).urgent

    def test_but_not_what_stands_beside(self) -> None:
        assert meaning("non urgente? è urgente").urgent

    def test_a_longer_phrase_of_another_list_hides_no_call(self) -> None:
        nested = Patterns({"it": Phrases(urgent=("avvocato",), criticism=("nemmeno un avvocato vi salva",))})
        found = Meaning("nemmeno un avvocato vi salva", nested)
        assert (found.urgent, found.critical) == (True, True)

    @pytest.mark.parametrize(
        ("text", "chases"),
        [("Novità?", True), ("ciao, novità?", True), ("novità", False), ("avete novità in vetrina?", False)],
    )
    def test_a_phrase_with_a_question_mark_is_the_whole_question(self, text: str, chases: bool) -> None:
        assert meaning(text).chases is chases

    def test_the_builds_index_says_the_same_as_the_phrases(self) -> None:
        ready = Patterns({}, indexed(PHRASES))
        for text in (
            "graaazie Maria",
            "aspetto da 3 giorni, pessimi",
            "我等了12天",
            "non urgente",
            "novità?",
        ):
            words = PATTERNS.words(text)
            assert ready.words(text) == words
            assert ready.found(words) == PATTERNS.found(words) != []

    def test_a_text_of_thanks_without_end_costs_no_more_than_its_length(self) -> None:
        assert not meaning("grazie mille " * 20_000).thanks


class TestThanks:
    @pytest.mark.parametrize(
        "text",
        [
            "Grazie",
            "grazie!!! 🙏",
            "GRAZIE MILLE",
            "Ok grazie",
            "grazie Maria",
            "grazie, Maria!",
            "grazie per l'aiuto",
            "grazie grazie grazie",
            "Ciao, grazie davvero per la risposta :D",
            "thanks",
            "Thank you!",
            "thank you John",
            "谢谢",
        ],
    )
    def test_thanks_never_ask_for_an_answer(self, text: str) -> None:
        found = meaning(text)
        assert (found.thanks, found.said_thanks) == (True, True)
        assert found.owes_nothing(after_answer=False)

    @pytest.mark.parametrize(
        "text", ["ok", "Perfetto 👍", "buona giornata", "👍", "❤️❤️", "👍🏽", ":)", "nessun problema"]
    )
    def test_other_courtesy_closes_only_what_was_answered(self, text: str) -> None:
        assert meaning(text).owes_nothing(after_answer=True)
        assert not meaning(text).owes_nothing(after_answer=False)

    @pytest.mark.parametrize(
        "text",
        [
            "grazie ma non funziona",
            "Grazie, ma",
            "no grazie",
            "sì grazie",
            "not thanks",
            "thanks?",
            "grazie ❓",
            "grazie, e il rimborso?",
            "Grazie. Quando arriva il pacco",
            "grazie quando",
            "Grazie. Fattura sbagliata",
            "Grazie. Rimborso",
            "Grazie\nRimborso",
            "grazie rimborso",
            "grazie Fattura",
            "Rimborso grazie",
            "Ok Maria",
            "grazie Maria Rossi",
            "grazie urgente",
            "thanks operatore",
            "grazie, lawyer",
            "grazie per niente",
            "grazie idioti",
            "grazie da 3 giorni",
            "grazie 🙄",
            "ok 😡",
            "ok 👎",
            "grazie 😭",
            "grazie :(",
            "ciao",
            "buongiorno",
            "👎",
            "😂",
            "📦",
            "📦👍",
            "?",
            "ringraziamenti",
            "",
        ],
    )
    def test_more_or_less_than_thanks_asks_for_an_answer(self, text: str) -> None:
        assert not meaning(text).thanks
        assert not meaning(text).owes_nothing(after_answer=True)

    def test_criticism_among_courtesies_is_criticism(self) -> None:
        sarcasm = Patterns({"it": Phrases(courtesy=("bene bravi", "bravi bene"), criticism=("bravi bravi",))})
        assert Meaning("bene bravi", sarcasm).thanks
        assert not Meaning("bene bravi bravi bene", sarcasm).thanks

    def test_a_long_text_is_more_than_thanks(self) -> None:
        assert meaning("grazie " * THANKS_WORDS).thanks
        assert not meaning("grazie " * (THANKS_WORDS + 1)).thanks


class TestYesAndNo:
    @pytest.mark.parametrize(
        ("text", "yes", "no"),
        [
            ("sì", True, False),
            ("Si, grazie!", True, False),
            ("sì mi ha aiutato", True, False),
            ("no", False, True),
            ("No grazie", False, True),
            ("non mi ha aiutato", False, True),
            ("no, pessimo", False, True),
            ("sì ma il pacco", False, False),
            ("sì?", False, False),
            ("sì 🙄", False, False),
            ("sì no", False, False),
            ("no, voglio un operatore", False, False),
            ("nessun problema", False, False),
            ("ok", False, False),
            ("👍", False, False),
        ],
    )
    def test_only_an_explicit_short_answer(self, text: str, yes: bool, no: bool) -> None:
        assert (meaning(text).yes, meaning(text).no) == (yes, no)


class TestTone:
    @pytest.mark.parametrize(
        "text",
        [
            "idioti",
            "😡",
            "il mio pacco 🤬",
            ">:(",
            "DOVE STA IL MIO PACCO",
            "aspetto da 3 giorni!!!",
            "pessimo!!!",
            "il pacco 😢!!!",
        ],
    )
    def test_anger(self, text: str) -> None:
        assert meaning(text).angry

    @pytest.mark.parametrize(
        "text",
        ["che bello!!!", "OK", "IL PACCO", "GRAZIE MILLE DAVVERO", "BUONGIORNO DOVE STATE DI CASA", "😢"],
    )
    def test_no_anger(self, text: str) -> None:
        assert not meaning(text).angry

    @pytest.mark.parametrize(
        ("text", "tone"),
        [
            ("👍🏽 ❤️", "positive"),
            ("👎", "negative"),
            ("😢😢", "negative"),
            ("👍👎", ""),
            ("😂", ""),
            ("ok 👍", ""),
        ],
    )
    def test_emoji_only(self, text: str, tone: str) -> None:
        assert meaning(text).emoji_only == tone

    @pytest.mark.parametrize(("text", "chases"), [("?", True), ("???", True), ("👀", True), ("...", False)])
    def test_a_lone_question_mark_chases(self, text: str, chases: bool) -> None:
        assert meaning(text).chases is chases

    @pytest.mark.parametrize(
        ("text", "critical"), [("👎", True), ("il pacco 👎", True), ("il pacco 👍", False)]
    )
    def test_a_thumb_down_is_criticism(self, text: str, critical: bool) -> None:
        assert meaning(text).critical is critical


class TestTopics:
    @pytest.mark.parametrize(
        ("text", "topics"),
        [
            ("dov'è il pacco", ("delivery",)),
            ("fattura e pago, poi il pacco", ("billing", "delivery")),
            ("pago alla consegna: dov'è il pacco?", ("delivery", "billing")),
            ("my parcel", ("delivery",)),
            ("ciao", ()),
        ],
    )
    def test_the_one_with_most_words_first(self, text: str, topics: tuple[str, ...]) -> None:
        assert meaning(text).topics == topics


class TestGreetingAndWords:
    @pytest.mark.parametrize(
        ("text", "greeting"),
        [("Ciao!", True), ("ciao davvero", True), ("ciao grazie", False), ("pacco", False)],
    )
    def test_a_greeting_alone(self, text: str, greeting: bool) -> None:
        assert meaning(text).greeting is greeting

    def test_words_as_others_compare_them(self) -> None:
        assert meaning("Dov'è il PACCO?").words == ["dov", "e", "il", "pacco"]
        assert meaning("我的订单 ok").words == ["我的订单", "ok"]

    @pytest.mark.parametrize(
        ("text", "asks"), [("quando", True), ("il pacco?", True), ("il pacco", False), ("", False)]
    )
    def test_a_question_with_or_without_its_mark(self, text: str, asks: bool) -> None:
        assert meaning(text).asks is asks


class TestShippedPhrases:
    def test_all_eight_languages_are_shipped_with_the_same_lists(self) -> None:
        assert set(SHIPPED) == {"it", "en", "es", "fr", "de", "pt", "ru", "zh"}
        assert {tuple(kinds) for kinds in SHIPPED.values()} == {(*LISTS, "topics")}
        assert {tuple(kinds["topics"]) for kinds in SHIPPED.values()} == {
            ("delivery", "billing", "returns", "product", "account")
        }

    @pytest.mark.parametrize("code", sorted(SHIPPED))
    @pytest.mark.parametrize(
        ("kind", "attribute"),
        [
            ("asks_person", "asks_person"),
            ("urgent", "urgent"),
            ("chaser", "chases"),
            ("criticism", "critical"),
            ("anger", "angry"),
            ("question", "asks"),
            ("yes", "yes"),
            ("no", "no"),
            ("thanks", "thanks"),
            ("courtesy", "thanks"),
            ("greeting", "greeting"),
        ],
    )
    def test_each_is_understood_as_what_it_is_listed_for(self, code: str, kind: str, attribute: str) -> None:
        lost = [
            phrase
            for phrase in getattr(SHIPPED_PHRASES[code], kind)
            if not getattr(
                Meaning(f"{phrase.rstrip('*')}!" if phrase[-1] != "?" else phrase, OF_LANGUAGE[code]),
                attribute,
            )
        ]
        assert lost == []

    @pytest.mark.parametrize("code", sorted(SHIPPED))
    @pytest.mark.parametrize("kind", ["harmless", "thanks", "courtesy", "greeting", "alongside"])
    def test_what_is_harmless_calls_nobody(self, code: str, kind: str) -> None:
        def calls(phrase: str) -> bool:
            found = Meaning(phrase, OF_LANGUAGE[code])
            return found.urgent or found.asks_person or found.critical or found.angry or found.chases

        assert [phrase for phrase in getattr(SHIPPED_PHRASES[code], kind) if calls(phrase)] == []

    @pytest.mark.parametrize("code", sorted(SHIPPED))
    def test_no_signal_is_taken_for_courtesy(self, code: str) -> None:
        phrases = SHIPPED_PHRASES[code]
        listed = phrases.asks_person + phrases.urgent + phrases.chaser + phrases.criticism + phrases.anger
        assert [phrase for phrase in listed if Meaning(phrase, OF_LANGUAGE[code]).thanks] == []

    @pytest.mark.parametrize(
        "text",
        ["Buongiorno, dov'è il mio ordine?", "When do you open?", "Avete la taglia 42?", "есть ли размер 42"],
    )
    def test_an_ordinary_question_means_none_of_them(self, text: str) -> None:
        found = Meaning(text, SHIPPED_PATTERNS)
        assert (found.asks_person, found.urgent, found.thanks) == (False, False, False)
        assert (found.chases, found.critical, found.angry, found.noise_signs) == (False, False, False, {})
