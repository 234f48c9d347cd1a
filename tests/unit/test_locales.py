"""Eight languages: the same texts in each, in the right address."""

import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from infra.bundle import Bundle, load
from infra.bundle_replies import BUTTON_LONGEST, samples
from sportello.domain.decision import Text
from sportello.domain.model import Instant
from sportello.services.wording import REPLY_VALUES, Wording, opening_in_words, posted_hours, render
from tests.unit.broken import mistakes
from tests.unit.locales import LOCALES, TEMPLATES, in_all_languages, with_languages

ROME = "Europe/Rome"


def at(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ROME)).timestamp() * 1000)


NOW = at("2026-11-23T20:15")
"""A Monday evening."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return in_all_languages(NOW)


def said(bundle: Bundle, language: str, name: str, *, formal: bool) -> list[str]:
    """A text in every way in which it may be said."""
    texts = bundle.texts.replies[language]
    keys = [key for key in texts if key.rpartition("/")[2] == name]
    return [
        render(texts[key], sample) for key in keys for sample in samples(name) if sample["formal"] == formal
    ]


# --- complete ---------------------------------------------------------------------------------


def test_the_texts_are_those_that_the_desk_says() -> None:
    assert set(REPLY_VALUES) == set(get_args(Text))


def test_every_language_has_the_same_files() -> None:
    for kind in ("replies", "notifications"):
        files = {
            path.relative_to(folder).as_posix(): folder.name
            for folder in (TEMPLATES / kind).iterdir()
            for path in folder.rglob("*.*")
        }
        for language in LOCALES:
            own = {
                path.relative_to(TEMPLATES / kind / language).as_posix()
                for path in (TEMPLATES / kind / language).rglob("*.*")
            }
            assert own == set(files), (kind, language)
    for kind in ("calendar", "site", "directory"):
        assert {path.stem for path in (TEMPLATES / kind).glob("*.yaml")} == set(LOCALES), kind


def test_a_desk_in_all_languages(bundle: Bundle) -> None:
    assert bundle.desk.languages == LOCALES
    assert len({frozenset(texts) for texts in bundle.texts.replies.values()}) == 1
    assert "sms/closed" in bundle.texts.replies["zh"]
    assert set(bundle.texts.buttons) == set(bundle.texts.notifications) == set(LOCALES)


@pytest.mark.parametrize("formal", [False, True])
@pytest.mark.parametrize("language", LOCALES)
def test_a_desk_in_one_language(tmp_path: Path, language: str, formal: bool) -> None:
    bundle = load(with_languages(tmp_path, language, formal=formal), NOW)
    wording = Wording(bundle.desk, bundle.texts)
    assert bundle.desk.formal == formal
    assert "Sportello" in wording.say("closed", "", NOW)
    assert wording.say("closed", "", NOW) == render(
        bundle.texts.replies[language]["closed"],
        {
            "desk": "Sportello",
            "formal": formal,
            "hours": posted_hours(bundle.desk.calendar, NOW, bundle.texts.calendar[language]),
            "next_opening": opening_in_words(
                at("2026-11-24T09:00"), NOW, ROME, bundle.texts.calendar[language]
            ),
        },
    )


@pytest.mark.parametrize("name", sorted(REPLY_VALUES))
def test_a_text_that_is_missing_in_one_language(tmp_path: Path, name: str) -> None:
    folder = with_languages(tmp_path, *LOCALES)
    (folder / "replies" / "pt" / f"{name}.txt").unlink()
    (mistake,) = mistakes(folder)
    assert mistake.file == str(folder / "replies" / "pt" / f"{name}.txt")
    assert "write e.g." in mistake.text


# --- well said --------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("name", sorted(REPLY_VALUES))
def test_nothing_dangles_where_a_value_is_empty(bundle: Bundle, language: str, name: str) -> None:
    must_have = {"closed", "closing", "person_asked_closed"}  # said only when an opening is known
    texts = bundle.texts.replies[language]
    for key in (key for key in texts if key.rpartition("/")[2] == name):
        for sample in samples(name):
            if name in must_have and not (sample["next_opening"] and sample["hours"]):
                continue
            text = render(texts[key], {**sample, "hours": sample.get("hours") or "9–18"})
            assert not re.search(r"  | [.,;:!?)，。！？：]|\( |\n\n\n|\n |[:：]\s*[.。]|[,，][.。]", text), (
                text
            )
            assert text == text.strip()
            assert not re.search(r"[{}%#]", text), text


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("name", sorted(REPLY_VALUES))
def test_every_value_is_told(bundle: Bundle, language: str, name: str) -> None:
    """What a text is made to tell does not get lost, however it addresses people."""
    text_values = {"promise", "answer", "order", "status", "expected", "link", "question"}
    for key in text_values & set(REPLY_VALUES[name]):
        value = f"<{key}>"
        for formal in (False, True):
            sample = {**samples(name)[0], "formal": formal, key: value}
            assert render(bundle.texts.replies[language][name], sample).count(value) == 1, (name, key)


@pytest.mark.parametrize("language", LOCALES)
def test_the_opening_and_the_hours_are_told_when_closed(bundle: Bundle, language: str) -> None:
    for name in ("closed", "closing", "person_asked_closed", "private_open"):
        for formal in (False, True):
            values = {"desk": "D", "formal": formal, "hours": "<hours>", "next_opening": "<opening>"}
            text = render(bundle.texts.replies[language][name], values)
            assert "<opening>" in text
            assert "<hours>" in text


@pytest.mark.parametrize("language", LOCALES)
def test_an_answer_asks_for_yes_or_no_where_there_are_no_buttons(bundle: Bundle, language: str) -> None:
    words = {
        "it": ("sì", "no"), "en": ("yes", "no"), "es": ("sí", "no"), "fr": ("oui", "non"),
        "de": ("Ja", "Nein"), "pt": ("sim", "não"), "ru": ("да", "нет"), "zh": ("是", "否"),
    }[language]  # fmt: skip
    for formal in (False, True):
        sample = {**samples("faq")[0], "formal": formal, "answer": "A."}
        written = render(bundle.texts.replies[language]["faq"], {**sample, "buttons": False})
        tapped = render(bundle.texts.replies[language]["faq"], {**sample, "buttons": True})
        assert written.startswith("A.\n\n")
        assert all(re.search(rf"\b{word}\b|“{word}”", written) for word in words), written
        assert tapped[-1] in "?？"
        assert len(tapped) < len(written)


@pytest.mark.parametrize("language", LOCALES)
def test_buttons_fit(bundle: Bundle, language: str) -> None:
    buttons = Wording(bundle.desk, bundle.texts).buttons(language)
    assert set(buttons) == {"yes", "no"}
    assert all(0 < len(title) <= BUTTON_LONGEST for title in buttons.values())


@pytest.mark.parametrize("language", LOCALES)
def test_in_public_no_hours_and_no_names_are_told(bundle: Bundle, language: str) -> None:
    for name in ("public_ack", "public_delete"):
        assert set(REPLY_VALUES[name]) == {"desk", "formal"}
        for text in said(bundle, language, name, formal=False) + said(bundle, language, name, formal=True):
            assert not re.search(r"\d", text)


@pytest.mark.parametrize("language", LOCALES)
def test_nobody_is_told_to_try_again_later(bundle: Bundle, language: str) -> None:
    """Requirement R06: the waiting is ours."""
    later = {
        "it": r"riprov|più tardi(?! oggi)|richiam",
        "en": r"try again|later",
        "es": r"vuelva a|vuelve a|más tarde(?! hoy)|intent",
        "fr": r"réessay|plus tard(?! (aujourd|oggi))|ultérieur",
        "de": r"später|erneut versuch|noch einmal",
        "pt": r"mais tarde(?! hoje)|tente",
        "ru": r"попробу|позже|повторите",
        "zh": r"稍后再|再试|重试",
    }[language]
    for name in REPLY_VALUES:
        for text in said(bundle, language, name, formal=False) + said(bundle, language, name, formal=True):
            found = re.search(later, text, re.IGNORECASE)
            assert not found or "al più tardi" in text or "au plus tard" in text, text


# --- formal and informal ----------------------------------------------------------------------

FORMAL = {
    "it": r"(?<=[a-z,;:] )(Le|La)\b|(?m:^Le è)|r(Le|La)\b"
    r"|\b(Lei|Suo|Sua|Risponda|Può|[Cc]i scriva|Ci scusi)\b",
    "es": r"\b([Ll]e|usted|[Ss]u|Responda|Disculpe|necesita|[Ee]scríbanos)\b|r(le)\b",
    "fr": r"\b(vous|votre|vos|Votre)\b",
    "de": r"\b(Sie|Ihnen|Ihr|Ihre|Ihrer|Ihres|Ihrem)\b",
    "ru": r"\b(Вы|Вас|Вам|Вами|Ваш\w*)\b",
    "zh": "您",
}
INFORMAL = {
    "it": r"\b([Tt]i|te|tu|tuo|tua|[Ss]cusaci|[Ss]crivici|Rispondi|eliminalo)\b|r(ti)\b",
    "es": r"\b([Tt]e|ti|tú|[Tt]u|Perdona|Responde|[Ee]scríbenos|necesitas)\b|r(te)\b",
    "fr": r"\b(te|tu|toi|ton|ta|tes|Ton|Ta)\b|t'",
    "de": r"\b(du|Du|dir|dich|dein\w*|Dein\w*|schreib|[Aa]ntworte einfach)\b",
    "ru": r"\b(ты|тебя|тебе|тобой|тво\w+|Тво\w+|[Пп]рости|[Нн]апиши|пиши|Удали|Ответь)\b",
    "zh": "你",
}


@pytest.mark.parametrize("language", sorted(FORMAL))
@pytest.mark.parametrize("name", sorted(REPLY_VALUES))
def test_one_address_at_a_time(bundle: Bundle, language: str, name: str) -> None:
    """The words of one address never stand in a text of the other."""
    given = r"Sportello|lun–ven.*\)|domani alle 9:00|oggi alle 15:40|Sì, entro trenta giorni\.|in viaggio"
    given += r"|mercoledì 25 novembre|qual è il numero dell'ordine\?"
    formal = [re.sub(given, "", text) for text in said(bundle, language, name, formal=True)]
    informal = [re.sub(given, "", text) for text in said(bundle, language, name, formal=False)]
    for text in formal:
        assert not re.search(INFORMAL[language], text), text
    for text in informal:
        assert not re.search(FORMAL[language], text), text
    assert all(re.search(FORMAL[language], text) for text in formal), formal
    assert all(re.search(INFORMAL[language], text) for text in informal), informal


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("name", sorted(REPLY_VALUES))
def test_both_addresses_are_written(bundle: Bundle, language: str, name: str) -> None:
    assert set(said(bundle, language, name, formal=True)).isdisjoint(
        said(bundle, language, name, formal=False)
    )


def test_portuguese_says_voce_only_where_it_is_informal(bundle: Bundle) -> None:
    for name in REPLY_VALUES:
        assert not any("você" in text.lower() for text in said(bundle, "pt", name, formal=True))
    informal = [text for name in REPLY_VALUES for text in said(bundle, "pt", name, formal=False)]
    assert Counter("você" in text.lower() for text in informal)[True] > len(informal) // 2


# --- the header of a text ---------------------------------------------------------------------


@pytest.mark.parametrize("language", LOCALES)
def test_every_text_says_which_placeholders_it_may_have(language: str) -> None:
    folder = TEMPLATES / "replies" / language
    for path in folder.rglob("*.txt"):
        comment = re.match(r"\{#.*?#\}", path.read_text("utf-8"), re.DOTALL)
        assert comment, path
        listed = set(
            re.findall(r"[a-z_]{2,}", re.split("[:：]", comment[0].rpartition("\n")[2], maxsplit=1)[1])
        )
        assert listed == set(REPLY_VALUES[path.stem]), path
