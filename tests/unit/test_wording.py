"""Facts in words: hours, openings, replies and notifications, with the texts of ``templates/``."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from jinja2 import TemplateError

from infra.bundle import Bundle, load, write
from sportello.domain.decision import Text
from sportello.domain.desk import Desk, Served
from sportello.domain.model import HOUR, Instant
from sportello.domain.staff import ClosedOrSpecial
from sportello.services import desk as seam
from sportello.services.wording import Texts, Wording, opening_in_words, posted_hours, render
from tests.unit.locales import TEMPLATES

ROME = "Europe/Rome"


def at(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ROME)).timestamp() * 1000)


NOW = at("2026-11-23T20:15")
"""A Monday evening."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(TEMPLATES, NOW)


def wording(bundle: Bundle, **changes: object) -> Wording:
    return Wording(bundle.desk.model_copy(update=changes), bundle.texts)


def hours_in_words(bundle: Bundle, language: str, now: str, **changes: object) -> str:
    desk = bundle.desk.model_copy(update=changes)
    words = bundle.texts.calendar[language]
    return posted_hours(desk.calendar, at(now), words, lambda day: desk.name_of(day, language))


# --- posted hours -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ("Mo-Fr 09:00-13:00,14:00-18:00; PH off", "lun–ven 9:00–13:00, 14:00–18:00"),
        ("Mo-Fr 09:00-18:00; Sa,Su 09:30-13:00", "lun–ven 9:00–18:00; sab, dom 9:30–13:00"),
        ("Mo,We,Fr 09:00-13:00", "lun, mer, ven 9:00–13:00"),
        ("Mo-We,Fr 09:00-13:00", "lun–mer, ven 9:00–13:00"),
        ("Mo-Su 18:00-02:00", "lun–dom 18:00–2:00"),
        ("Mo-Th 20:00-02:00; Fr,Sa 20:00-04:00", "lun–gio 20:00–2:00; ven, sab 20:00–4:00"),
        ("Mo-Sa 00:00-24:00", "lun–sab tutto il giorno"),
        ("Su 12:00-24:00", "dom 12:00–24:00"),
        ("24/7", "tutti i giorni, 24 ore su 24"),
        ("2027 Mo 09:00-10:00", "chiuso per i prossimi sette giorni"),
        ('Mo-Fr 09:00-18:00 "phone"', "lun–ven 9:00–18:00"),
    ],
)
def test_equal_days_are_joined(bundle: Bundle, hours: str, words: str) -> None:
    assert hours_in_words(bundle, "it", "2026-11-23T20:15", hours=hours, exceptions=()) == words


def test_the_same_week_reads_the_same_on_each_of_its_days(bundle: Bundle) -> None:
    told = {hours_in_words(bundle, "en", f"2026-11-{day}T10:00") for day in range(16, 30)}
    assert told == {"Mon–Fri 9:00–13:00, 14:00–18:00"}


@pytest.mark.parametrize(
    ("language", "now", "words"),
    [
        (
            "it",
            "2026-12-23T19:00",
            "lun–mer 9:00–13:00, 14:00–18:00; gio 24 dicembre 9:00–13:00 (vigilia di Natale); "
            "ven 25 dicembre chiuso (festivo)",
        ),
        (
            "en",
            "2026-12-30T19:00",
            "Mon–Wed 9:00–13:00, 14:00–18:00; Thu 31 December 9:00–13:00 (New Year's Eve); "
            "Fri 1 January closed (public holiday)",
        ),
        (
            "it",
            "2026-12-31T19:00",
            "lun, mar 9:00–13:00, 14:00–18:00; gio 31 dicembre 9:00–13:00 (San Silvestro); "
            "ven 1º gennaio chiuso (festivo); mer 6 gennaio chiuso (festivo)",
        ),
        ("it", "2026-10-29T19:00", "lun–ven 9:00–13:00, 14:00–18:00"),  # All Saints' is a Sunday
    ],
)
def test_days_that_differ_are_named(bundle: Bundle, language: str, now: str, words: str) -> None:
    assert hours_in_words(bundle, language, now) == words


def test_a_long_closure_is_told_to_its_end(bundle: Bundle) -> None:
    summer = (ClosedOrSpecial(dates="2027 Aug 9-20", name={"it": "ferie", "en": "summer"}),)
    assert hours_in_words(bundle, "it", "2027-08-06T20:15", exceptions=summer) == (
        "ven 9:00–13:00, 14:00–18:00; lun 9 agosto – ven 20 agosto chiuso (ferie)"
    )
    assert hours_in_words(bundle, "en", "2027-08-12T10:00", exceptions=summer) == (
        "Thu 12 August – Fri 20 August closed (summer)"
    )


def test_an_exception_without_a_name_is_told_with_its_date(bundle: Bundle) -> None:
    special = (ClosedOrSpecial(dates="2026 Nov 25", hours="10:00-12:00"),)
    assert hours_in_words(bundle, "en", "2026-11-23T20:15", exceptions=special) == (
        "Mon, Tue, Thu, Fri 9:00–13:00, 14:00–18:00; Wed 25 November 10:00–12:00"
    )


def test_comments_in_the_rules_name_days(bundle: Bundle) -> None:
    hours = 'Mo-Fr 09:00-18:00; PH off "festa"; Dec 24 09:00-13:00 "vigilia"'
    assert hours_in_words(bundle, "it", "2026-12-22T10:00", hours=hours, exceptions=()) == (
        "lun–mer 9:00–18:00; gio 24 dicembre 9:00–13:00 (vigilia); ven 25 dicembre chiuso (festa)"
    )


# --- openings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opening", "italian", "english"),
    [
        ("2026-11-23T21:00", "oggi alle 21:00", "today at 21:00"),
        ("2026-11-24T09:00", "domani alle 9:00", "tomorrow at 9:00"),
        ("2026-11-24T01:00", "domani all'1:00", "tomorrow at 1:00"),
        ("2026-11-24T13:05", "domani alle 13:05", "tomorrow at 13:05"),
        ("2026-11-25T09:00", "mercoledì alle 9:00", "on Wednesday at 9:00"),
        ("2026-11-29T09:00", "domenica alle 9:00", "on Sunday at 9:00"),
        ("2026-11-30T09:00", "lunedì 30 novembre alle 9:00", "on Monday 30 November at 9:00"),
        ("2027-01-01T00:00", "venerdì 1º gennaio alle 0:00", "on Friday 1 January at 0:00"),
        ("2026-11-22T18:30", "ieri alle 18:30", "yesterday at 18:30"),
        ("2026-11-20T18:30", "venerdì 20 novembre alle 18:30", "on Friday 20 November at 18:30"),
    ],
)
def test_an_instant_as_one_says_it(bundle: Bundle, opening: str, italian: str, english: str) -> None:
    texts = bundle.texts.calendar
    assert opening_in_words(at(opening), NOW, ROME, texts["it"]) == italian
    assert opening_in_words(at(opening), NOW, ROME, texts["en"]) == english


def test_tomorrow_is_the_desks_tomorrow(bundle: Bundle) -> None:
    """At 23:30 UTC it is already the next day in Rome."""
    now = at("2026-11-24T00:30")
    assert opening_in_words(at("2026-11-24T09:00"), now, ROME, bundle.texts.calendar["en"]) == "today at 9:00"


def test_the_day_after_the_clock_changes_is_tomorrow(bundle: Bundle) -> None:
    words = bundle.texts.calendar["en"]
    assert opening_in_words(at("2026-10-25T00:30"), at("2026-10-24T23:59"), ROME, words) == "tomorrow at 0:30"
    assert opening_in_words(at("2026-10-26T09:00"), at("2026-10-25T02:30"), ROME, words) == "tomorrow at 9:00"


def test_a_twelve_hour_clock(bundle: Bundle) -> None:
    clock = {"time": "{h12}:{mm} {ampm}", "at_one": "at one: {time}"}
    words = bundle.texts.calendar["en"].model_copy(update=clock)
    for moment, told in (
        ("2026-11-24T00:00", "tomorrow at 12:00 am"),
        ("2026-11-24T12:30", "tomorrow at 12:30 pm"),
        ("2026-11-24T13:00", "tomorrow at one: 1:00 pm"),
    ):
        assert opening_in_words(at(moment), NOW, ROME, words) == told
    assert posted_hours(bundle.desk.calendar, NOW, words) == "Mon–Fri 9:00 am–1:00 pm, 2:00 pm–6:00 pm"


# --- replies ----------------------------------------------------------------------------------


def test_the_closed_reply(bundle: Bundle) -> None:
    assert wording(bundle).say("closed", "it", NOW) == (
        "Ciao, grazie per averci scritto! Ora siamo chiusi: ti rispondiamo domani alle 9:00.\n"
        "I nostri orari: lun–ven 9:00–13:00, 14:00–18:00.\n"
        "Sportello"
    )
    assert wording(bundle).say("closed", "en", NOW) == (
        "Hi, thanks for writing! We're closed right now and will answer you tomorrow at 9:00.\n"
        "Our hours: Mon–Fri 9:00–13:00, 14:00–18:00.\n"
        "Sportello"
    )


def test_the_opening_that_was_promised_is_the_one_that_is_named(bundle: Bundle) -> None:
    told = wording(bundle, hours="Mo-Fr 11:00-18:00").say("closed", "it", NOW, opening=at("2026-11-24T09:00"))
    assert "domani alle 9:00" in told


def test_a_reply_tells_the_hours_of_where_the_customer_wrote(bundle: Bundle) -> None:
    """So does the notice of it: the account's before the channel's, the team's before the desk's."""
    desk = wording(
        bundle,
        channels={"telegram": Served(hours="Mo-Fr 11:00-12:00"), "email": Served(team="care")},
        accounts=(Served(channel="telegram", account="a", hours="We 08:00-09:00"),),
        teams={"care": bundle.desk.teams["care"].model_copy(update={"hours": "Tu 15:00-16:00"})},
    )
    for (channel, account, team), opening, hours in (
        (("telegram", "a", "care"), "mercoledì alle 8:00", "mer 8:00–9:00"),
        (("telegram", "b", "care"), "domani alle 11:00", "lun–ven 11:00–12:00"),
        (("email", "", "care"), "domani alle 15:00", "mar 15:00–16:00"),
        (("email", "", ""), "domani alle 9:00", "lun–ven 9:00–13:00, 14:00–18:00"),
    ):
        told = desk.say("closed", "it", NOW, channel=channel, account=account, team=team)
        assert f"ti rispondiamo {opening}" in told
        assert f"orari: {hours}." in told
        notice = desk.notify(
            NOW, customer="C", said="", reasons=["urgent"], since=NOW, thread="t",
            channel=channel, account=account, team=team,
        )  # fmt: skip
        assert dict(notice.lines)["Orari"] == f"chiuso, apre {opening}"


def test_a_channel_says_it_in_its_own_words(bundle: Bundle) -> None:
    assert wording(bundle).say("closed", "it", NOW, channel="sms") == (
        "Sportello: ora siamo chiusi, ti rispondiamo domani alle 9:00."
    )
    assert wording(bundle).say("on_it", "it", NOW, channel="sms") == wording(bundle).say("on_it", "it", NOW)


def test_a_promise_is_named_as_people_say_it(bundle: Bundle) -> None:
    told = wording(bundle).say("on_it", "it", at("2026-11-23T15:00"), promise=at("2026-11-23T15:40"))
    assert "ti rispondiamo al più tardi oggi alle 15:40." in told
    assert "al più presto" in wording(bundle).say("on_it", "it", NOW)


def test_no_opening_is_named_while_the_desk_is_open(bundle: Bundle) -> None:
    told = wording(bundle).say("faq_no", "it", at("2026-11-23T15:00"))
    assert told.endswith("ti risponde qui.")
    assert wording(bundle).say("faq_no", "it", NOW).endswith("ti risponde qui domani alle 9:00.")


def test_a_value_that_a_text_has_not_is_a_mistake(bundle: Bundle) -> None:
    with pytest.raises(TypeError, match="the text 'closed' has no placeholder answer"):
        wording(bundle).say("closed", "it", NOW, answer="x")


def test_formal_address(bundle: Bundle) -> None:
    for name in get_args(Text):
        formal = wording(bundle, formal=True).say(name, "it", NOW)
        assert formal != wording(bundle).say(name, "it", NOW)
        assert {" ti ", " tuo ", " tua "}.isdisjoint(formal.split(" ")), formal
    assert "Le risponderemo" in wording(bundle, formal=True).say("closed", "it", NOW)


@pytest.mark.parametrize(
    ("asked", "language"),
    [("en", "en"), ("it", "it"), ("it-CH", "it"), ("en_GB", "en"), ("EN", "en"), ("de", "it"), ("", "it")],
)
def test_other_languages_hear_the_desks(bundle: Bundle, asked: str, language: str) -> None:
    assert wording(bundle).language(asked) == language
    assert wording(bundle).say("on_it", asked, NOW) == wording(bundle).say("on_it", language, NOW)


def test_a_desk_that_is_always_open_names_no_opening(bundle: Bundle) -> None:
    told = wording(bundle, hours="24/7", exceptions=()).say("person_asked_open", "en", NOW)
    assert told.startswith("Of course!")
    assert "None" not in told


def test_what_is_given_is_no_template() -> None:
    assert (
        render("Hello {{ customer }}", {"customer": "{{ 7 * 7 }} {% if %}"}) == "Hello {{ 7 * 7 }} {% if %}"
    )


@pytest.mark.parametrize(
    "template",
    ["{{ nobody }}", "{{ desk.__class__.__mro__ }}", "{{ ().__class__.__base__ }}", "{{ desk.nothing }}"],
)
def test_templates_are_fenced_in(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template, {"desk": "Sportello"})


# --- notifications ----------------------------------------------------------------------------


def test_a_call_in_the_desks_language(bundle: Bundle) -> None:
    notice = wording(bundle).notify(
        NOW,
        customer="Customer\nOne",
        channel="whatsapp",
        said="Dov'è il mio pacco?\n<b>",
        reasons=["asks_person", "something_new"],
        since=NOW - HOUR,
        thread="abc234",
    )
    assert notice.title == (
        "Sportello: Customer One ha bisogno di una persona (chiede di parlare con una persona, something_new)"
    )
    assert notice.lines == (
        ("Cliente", "Customer\nOne"),
        ("Canale", "WhatsApp"),
        ("Messaggio", "Dov'è il mio pacco?\n<b>"),
        ("Motivo", "chiede di parlare con una persona, something_new"),
        ("In attesa da", "oggi alle 19:15"),
        ("Orari", "chiuso, apre domani alle 9:00"),
        ("Conversazione", "abc234"),
    )
    assert notice.answer == (
        'Per rispondere: sportello reply abc234 "…"\nPer prenderla in carico: sportello claim abc234'
    )
    assert notice.text.startswith(notice.title + "\n\nCliente: Customer\nOne\nCanale: WhatsApp\n")
    assert notice.text.endswith("\n\n" + notice.answer)


def test_a_call_without_words_on_a_channel_without_a_name(bundle: Bundle) -> None:
    notice = wording(bundle, languages=("en", "it")).notify(
        NOW, customer="+39", channel="pigeon", said="", reasons=["unreadable"], since=NOW, thread="t"
    )
    assert dict(notice.lines)["Message"] == "(no text)"
    assert dict(notice.lines)["Channel"] == "pigeon"


# --- the seam ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(seam, "FOLDER", tmp_path)
    monkeypatch.setattr(seam, "_given", None)
    for cached in (seam._load_desk, seam._load_texts):
        cached.cache_clear()
    yield tmp_path
    for cached in (seam._load_desk, seam._load_texts):
        cached.cache_clear()


def test_what_was_built_is_what_is_loaded(folder: Path) -> None:
    built = write(TEMPLATES, folder)
    assert seam.current_desk() == built.desk
    assert seam.current_texts() == built.texts
    assert seam.current_desk() is seam.current_desk()
    assert seam.current_desk().default_team == "care"
    assert isinstance(seam.current_texts(), Texts)


@pytest.mark.parametrize("text", [None, "{", '{"name": "x"}', '{"hours": 1}'])
def test_a_missing_or_broken_file_says_how_to_write_it(folder: Path, text: str | None) -> None:
    if text is not None:
        (folder / "desk.json").write_text(text)
        (folder / "texts.json").write_text(text)
    for load_it in (seam.current_desk, seam.current_texts):
        with pytest.raises(seam.NoDesk, match=r"Write it with: python -m infra\.bundle templates"):
            load_it()


def test_hours_that_cannot_be_read_stop_the_start(folder: Path) -> None:
    broken = load(TEMPLATES, NOW).desk.model_copy(update={"hours": "Mo-Fr 9-13"})
    (folder / "desk.json").write_text(broken.model_dump_json())
    with pytest.raises(seam.NoDesk, match="cannot be read from '9-13"):
        seam.current_desk()


def test_another_desk_for_a_while(folder: Path, bundle: Bundle) -> None:
    write(TEMPLATES, folder)
    other: Desk = bundle.desk.model_copy(update={"name": "Another"})
    seam.use(other, bundle.texts)
    try:
        assert seam.current_desk() is other
        assert seam.current_texts() is bundle.texts
        seam.use(other)
        assert seam.current_texts() == bundle.texts
    finally:
        seam.use(None)
    assert seam.current_desk().name == "Sportello"
