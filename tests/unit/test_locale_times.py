"""Days and times as people say them, in eight languages."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from infra.bundle import Bundle
from sportello.domain.desk import Desk
from sportello.domain.model import DAY, HOUR, Instant
from sportello.domain.staff import ClosedOrSpecial
from sportello.services.wording import opening_in_words, posted_hours
from tests.unit.locales import LOCALES, in_all_languages

ROME = "Europe/Rome"
NBSP = "\u00a0"


def at(text: str, fold: int = 0) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ROME), fold=fold).timestamp() * 1000)


NOW = at("2026-11-23T20:15")
"""A Monday evening."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return in_all_languages(NOW)


OPENINGS = {
    # today 21:00, tomorrow 9:00, tomorrow 9:30, tomorrow 1:00, Wednesday, the 30th, the 1st, yesterday
    "it": (
        "oggi alle 21:00",
        "domani alle 9:00",
        "domani alle 9:30",
        "domani all'1:00",
        "mercoledì alle 9:00",
        "lunedì 30 novembre alle 9:00",
        "venerdì 1º gennaio alle 0:00",
        "ieri alle 18:30",
    ),
    "en": (
        "today at 21:00",
        "tomorrow at 9:00",
        "tomorrow at 9:30",
        "tomorrow at 1:00",
        "on Wednesday at 9:00",
        "on Monday 30 November at 9:00",
        "on Friday 1 January at 0:00",
        "yesterday at 18:30",
    ),
    "es": (
        "hoy a las 21:00",
        "mañana a las 9:00",
        "mañana a las 9:30",
        "mañana a la 1:00",
        "el miércoles a las 9:00",
        "el lunes 30 de noviembre a las 9:00",
        "el viernes 1 de enero a las 0:00",
        "ayer a las 18:30",
    ),
    "fr": (
        "aujourd'hui à 21~h",
        "demain à 9~h",
        "demain à 9~h~30",
        "demain à 1~h",
        "mercredi à 9~h",
        "le lundi 30 novembre à 9~h",
        "le vendredi 1er janvier à 0~h",
        "hier à 18~h~30",
    ),
    "de": (
        "heute um 21:00 Uhr",
        "morgen um 9:00 Uhr",
        "morgen um 9:30 Uhr",
        "morgen um 1:00 Uhr",
        "am Mittwoch um 9:00 Uhr",
        "am Montag, 30. November, um 9:00 Uhr",
        "am Freitag, 1. Januar, um 0:00 Uhr",
        "gestern um 18:30 Uhr",
    ),
    "pt": (
        "hoje às 21h",
        "amanhã às 9h",
        "amanhã às 9h30",
        "amanhã à 1h",
        "na quarta-feira às 9h",
        "na segunda-feira, 30 de novembro, às 9h",
        "na sexta-feira, 1º de janeiro, às 0h",
        "ontem às 18h30",
    ),
    "ru": (
        "сегодня в 21:00",
        "завтра в 9:00",
        "завтра в 9:30",
        "завтра в 1:00",
        "в среду в 9:00",
        "в понедельник, 30 ноября, в 9:00",
        "в пятницу, 1 января, в 0:00",
        "вчера в 18:30",
    ),
    "zh": (
        "今天晚上9:00",
        "明天上午9:00",
        "明天上午9:30",
        "明天凌晨1:00",
        "周三上午9:00",
        "11月30日（周一）上午9:00",
        "1月1日（周五）凌晨12:00",
        "昨天晚上6:30",
    ),
}
MOMENTS = (
    "2026-11-23T21:00",
    "2026-11-24T09:00",
    "2026-11-24T09:30",
    "2026-11-24T01:00",
    "2026-11-25T09:00",
    "2026-11-30T09:00",
    "2027-01-01T00:00",
    "2026-11-22T18:30",
)


@pytest.mark.parametrize("language", LOCALES)
def test_an_opening_as_people_say_it(bundle: Bundle, language: str) -> None:
    words = bundle.texts.calendar[language]
    told = tuple(opening_in_words(at(moment), NOW, ROME, words) for moment in MOMENTS)
    assert told == tuple(text.replace("~", NBSP) for text in OPENINGS[language])


@pytest.mark.parametrize(
    ("hour", "word"),
    [(0, "凌晨12"), (5, "凌晨5"), (6, "上午6"), (11, "上午11"), (12, "中午12"), (13, "下午1"), (17, "下午5"),
     (18, "晚上6"), (23, "晚上11")],
)  # fmt: skip
def test_parts_of_the_day(bundle: Bundle, hour: int, word: str) -> None:
    told = opening_in_words(at(f"2026-11-24T{hour:02}:00"), NOW, ROME, bundle.texts.calendar["zh"])
    assert told == f"明天{word}:00"


HOURS = {
    "it": "lun–mer 9:00–13:00, 14:00–18:30; gio 24 dicembre 9:00–13:00 (half); "
    "ven 25 dicembre chiuso (festivo)",
    "en": "Mon–Wed 9:00–13:00, 14:00–18:30; Thu 24 December 9:00–13:00 (half); "
    "Fri 25 December closed (public holiday)",
    "es": "lun–mié 9:00–13:00, 14:00–18:30; jue 24 de diciembre 9:00–13:00 (half); "
    "vie 25 de diciembre cerrado (festivo)",
    "fr": "lun–mer 9~h–13~h, 14~h–18~h~30~; jeu 24 décembre 9~h–13~h (half)~; "
    "ven 25 décembre fermé (jour férié)",
    "de": "Mo–Mi 9:00–13:00, 14:00–18:30; Do, 24. Dezember 9:00–13:00 (half); "
    "Fr, 25. Dezember geschlossen (Feiertag)",
    "pt": "seg–qua 9h–13h, 14h–18h30; qui, 24 de dezembro 9h–13h (half); "
    "sex, 25 de dezembro fechado (feriado)",
    "ru": "пн–ср 9:00–13:00, 14:00–18:30; чт, 24 декабря 9:00–13:00 (half); "
    "пт, 25 декабря закрыто (праздничный день)",
    "zh": "周一至周三 9:00–13:00、14:00–18:30；12月24日（周四） 9:00–13:00（half）；"
    "12月25日（周五） 休息（公众假期）",
}


def desk_with(bundle: Bundle, **changes: object) -> Desk:
    return bundle.desk.model_copy(update=changes)


@pytest.mark.parametrize("language", LOCALES)
def test_posted_hours(bundle: Bundle, language: str) -> None:
    half = (ClosedOrSpecial(dates="Dec 24", hours="09:00-13:00", name=dict.fromkeys(LOCALES, "half")),)
    desk = desk_with(bundle, hours="Mo-Fr 09:00-13:00,14:00-18:30; PH off", exceptions=half)
    words = bundle.texts.calendar[language]
    told = posted_hours(desk.calendar, at("2026-12-21T20:15"), words, lambda day: desk.name_of(day, language))
    assert told == HOURS[language].replace("~", NBSP)


@pytest.mark.parametrize("language", LOCALES)
def test_around_the_clock_and_never(bundle: Bundle, language: str) -> None:
    words = bundle.texts.calendar[language]
    always, never = desk_with(bundle, hours="24/7"), desk_with(bundle, hours="2035 Mo 09:00-10:00")
    assert posted_hours(always.calendar, NOW, words) == words.always
    assert posted_hours(never.calendar, NOW, words) == words.all_week_closed


@pytest.mark.parametrize("language", LOCALES)
def test_the_days_on_which_the_clock_changes(bundle: Bundle, language: str) -> None:
    """Before and within the repeated hour, and before the skipped one: as the wall shows it."""
    words = bundle.texts.calendar[language]
    calendar = desk_with(bundle, hours="Mo-Su 02:30-05:00").calendar
    for before, shows in (
        (at("2026-10-25T01:00"), r"2\D+30"),
        (at("2026-10-25T02:15", fold=1), r"2\D+30"),
        (at("2026-03-29T01:00"), r"3\D"),
    ):
        opening = calendar.next_opening(before)
        assert opening is not None
        assert 0 < opening - before < DAY
        told = opening_in_words(opening, before, ROME, words)
        assert re.search(rf"(?<!\d){shows}", told + " "), told
        today = words.today.format(at="")
        assert told.startswith(today.strip()), told


def test_tomorrow_across_the_change_of_the_clock(bundle: Bundle) -> None:
    before = at("2026-10-24T23:30")
    for language in LOCALES:
        words = bundle.texts.calendar[language]
        told = opening_in_words(before + 25 * HOUR, before, ROME, words)  # 23:30 of a day of 25 hours
        assert told.startswith(words.tomorrow.format(at="").strip()), told
