"""Which posts ask for something, and why."""

import pytest

from sportello.channels.x_help import Label, label

ASKS = {
    "question": [
        "@desk il negozio di Torino è aperto domenica?",
        "@desk come faccio a rendere un articolo",
        "@desk how do I return this",
        "can you help me @desk",
        "@desk ¿dónde está mi pedido?",
        "@desk wo ist mein Paket?",
        "I entered your #giveaway @desk, when is the draw?",
        "@desk quando arriva",
    ],
    "help": [
        "@desk aiuto",
        "@desk ho bisogno di parlare con qualcuno",
        "@desk please",
        "@desk please, thanks",
        "@desk vorrei disdire",
        "@desk vi ho scritto in privato",
    ],
    "problem": [
        "@desk il pacco è arrivato rotto",
        "@desk great, my parcel is lost again",
        "@desk bravi, tre ore di attesa",
        "@desk thanks for nothing",
        "@desk grazie ma il rimborso è sbagliato",
        "@desk the app is down",
        "@desk thanks for the help but it is still broken",
        "@desk truffatori, mi avete addebitato due volte",
    ],
    "words": [
        "@desk ciao",
        "@desk ordine 4711",
        "@desk ok",
        "@desk merci beaucoup",
        "@desk 日本語テキスト",
        "@desk complimenti però la prossima volta avvisate",
        "Sono stato da @desk ieri con tutta la famiglia a vedere la nuova collezione",
    ],
}
DOES_NOT = {
    "no_words": [
        "@desk",
        "",
        "@desk 👏👏",
        "@desk https://t.co/abc",
        "👀 @desk @other https://example.com/a?b=c",
    ],
    "thanks": [
        "@desk grazie!",
        "@desk grazie mille per l'aiuto 🙏",
        "thank you so much @desk",
        "thanks @desk for the quick reply",
        "Grazie @desk siete i migliori",
    ],
    "praise": [
        "@desk complimenti per il servizio!",
        "@desk great company",
        "love @desk ❤️",
        "@desk bravissimi",
    ],
    "giveaway": [
        "Follow @desk and RT to win a weekend",
        "Tag 3 friends and @desk",
        "Win with @desk #giveaway",
        "Segui @desk e tagga due amici per vincere",
    ],
    "tags": ["@a @b @c @desk lol"],
}


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in ASKS.items() for text in texts])
def test_it_asks(why: str, text: str) -> None:
    assert label(text) == Label(True, why)


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in DOES_NOT.items() for text in texts])
def test_it_does_not(why: str, text: str) -> None:
    assert label(text) == Label(False, why)


def test_a_picture_without_words_may_be_the_complaint() -> None:
    assert label("@desk", with_media=True) == Label(True, "media")
    assert label("@desk grazie!", with_media=True) == Label(False, "thanks")


def test_a_question_mark_in_a_link_is_none() -> None:
    assert label("@desk https://example.com/?page=1") == Label(False, "no_words")


def test_case_and_accents_do_not_matter() -> None:
    assert label("@desk PERCHÉ NESSUNO RISPONDE") == label("@desk perche nessuno risponde")


def test_the_longest_post_is_read_in_no_time() -> None:
    for text in ("a" * 25_000, "follow " * 4_000, "grazie " * 4_000, "@a " * 8_000, "tag " * 6_000):
        assert isinstance(label(text), Label)
