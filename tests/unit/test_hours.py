"""The calendar of the desk: states, openings, service time, days, and what is refused."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sportello.domain.desk import Desk
from sportello.domain.hours import EXAMPLE, HORIZON, Calendar, Day
from sportello.domain.hours_problems import problems
from sportello.domain.model import HOUR, MINUTE, Instant
from sportello.domain.staff import ClosedOrSpecial, Target, Team

ROME = "Europe/Rome"
OFFICE = "Mo-Fr 09:00-13:00,14:00-18:00; PH off"


def at(text: str, zone: str = ROME, fold: int = 0) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def office() -> Calendar:
    return Calendar(OFFICE, ROME, "IT")


# --- open or closed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T08:59:59.999", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T12:59:59.999", True),
        ("2026-11-23T13:00", False),
        ("2026-11-23T14:00", True),
        ("2026-11-23T18:00", False),
        ("2026-11-22T10:00", False),
        ("2026-12-08T10:00", False),
    ],
)
def test_open_at_the_start_and_closed_at_the_end(moment: str, is_open: bool) -> None:
    assert office().is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("now", "opening", "closing"),
    [
        ("2026-11-23T08:00", "2026-11-23T09:00", "2026-11-23T13:00"),
        ("2026-11-23T09:00", "2026-11-23T14:00", "2026-11-23T13:00"),
        ("2026-11-23T13:00", "2026-11-23T14:00", "2026-11-23T18:00"),
        ("2026-11-23T17:00", "2026-11-24T09:00", "2026-11-23T18:00"),
        ("2026-11-20T18:00", "2026-11-23T09:00", "2026-11-23T13:00"),
        ("2026-12-24T20:00", "2026-12-28T09:00", "2026-12-28T13:00"),
        ("2026-12-31T20:00", "2027-01-04T09:00", "2027-01-04T13:00"),
    ],
)
def test_next_opening_and_closing(now: str, opening: str, closing: str) -> None:
    assert office().next_opening(at(now)) == at(opening)
    assert office().next_closing(at(now)) == at(closing)


def test_a_comment_or_midnight_is_no_opening() -> None:
    calendar = Calendar(
        'Mo-Fr 09:00-12:00 "phone", Mo-Fr 12:00-18:00 "chat"; PH off "closed today"', ROME, "IT"
    )
    assert calendar.next_closing(at("2026-11-23T10:00")) == at("2026-11-23T18:00")
    assert calendar.next_opening(at("2026-11-23T10:00")) == at("2026-11-24T09:00")
    assert calendar.next_opening(at("2026-12-07T20:00")) == at("2026-12-09T09:00")
    long = Calendar("Mo 09:00-24:00; Tu 00:00-24:00; We 00:00-18:00", ROME)
    assert long.next_closing(at("2026-11-23T10:00")) == at("2026-11-25T18:00")
    assert long.next_opening(at("2026-11-23T10:00")) == at("2026-11-30T09:00")


def test_always_open_has_no_opening_and_no_closing() -> None:
    calendar = Calendar("24/7", ROME)
    assert calendar.is_open(at("2026-03-29T02:00"))
    assert calendar.next_opening(at("2026-11-23T10:00")) is None
    assert calendar.next_closing(at("2026-11-23T10:00")) is None
    assert calendar.after_service(at("2026-11-23T10:00"), HOUR) == at("2026-11-23T11:00")


def test_nothing_is_looked_for_beyond_the_horizon() -> None:
    calendar = Calendar("2031 Feb 3 09:00-12:00", ROME)
    opening = at("2031-02-03T09:00")
    assert calendar.next_opening(opening - HORIZON) is None
    assert calendar.next_closing(opening - HORIZON) is None
    assert calendar.after_service(opening - HORIZON, HOUR) is None
    assert calendar.next_opening(opening - HORIZON + 1) == opening
    assert calendar.next_closing(opening - HORIZON + 4 * HOUR) == at("2031-02-03T12:00")


def test_leap_day() -> None:
    calendar = Calendar("Feb 29 10:00-12:00", ROME)
    assert calendar.is_open(at("2028-02-29T10:00"))
    assert not calendar.is_open(at("2027-03-01T10:00"))
    assert calendar.next_opening(at("2027-06-01T00:00")) == at("2028-02-29T10:00")


# --- nights -----------------------------------------------------------------------------------


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    calendar = Calendar("Mo-Th 20:00-02:00; Fr,Sa 20:00-04:00; PH off", ROME, "IT")
    assert calendar.is_open(at("2026-11-27T01:59"))  # Thursday's
    assert calendar.next_closing(at("2026-11-26T21:00")) == at("2026-11-27T02:00")
    assert calendar.is_open(at("2026-11-29T03:59"))  # Saturday's, into a Sunday without hours
    assert calendar.is_open(at("2026-12-25T01:00"))  # begun on Christmas Eve
    assert not calendar.is_open(at("2026-12-27T01:00"))  # the night of the 26th was taken away
    assert calendar.next_opening(at("2026-12-25T05:00")) == at("2026-12-28T20:00")


@pytest.mark.parametrize("rules", ["Mo-Su 22:00-06:00; Sa 12:00-13:00 off", "Mo-Su 22:00-30:00"])
def test_both_ways_of_writing_a_night(rules: str) -> None:
    calendar = Calendar(rules, ROME)
    assert calendar.next_closing(at("2026-11-28T23:00")) == at("2026-11-29T06:00")
    assert calendar.is_open(at("2026-11-29T05:59"))


def test_a_night_joins_the_morning_that_follows() -> None:
    calendar = Calendar("Mo 22:00-06:00; Tu 06:00-12:00", ROME)
    assert calendar.next_closing(at("2026-11-23T23:00")) == at("2026-11-24T12:00")
    overlapping = Calendar("Mo 22:00-06:00; Tu 05:00-12:00", ROME)
    assert overlapping.next_closing(at("2026-11-23T23:00")) == at("2026-11-24T12:00")
    assert overlapping.service_between(at("2026-11-23T00:00"), at("2026-11-25T00:00")) == 14 * HOUR


def test_midnight_is_not_an_end_of_the_night() -> None:
    calendar = Calendar("Mo-Su 18:00-24:00", ROME)
    assert calendar.next_closing(at("2026-11-23T20:00")) == at("2026-11-24T00:00")
    assert not calendar.is_open(at("2026-11-24T00:00"))


# --- clocks that change -----------------------------------------------------------------------


def test_what_would_open_in_the_skipped_hour_opens_at_its_end() -> None:
    calendar = Calendar("Mo-Su 02:30-05:00", ROME)
    assert calendar.next_opening(at("2026-03-29T01:00")) == at("2026-03-29T03:00")
    within = Calendar("Mo-Su 02:10-02:50", ROME)
    assert within.next_opening(at("2026-03-29T01:00")) == at("2026-03-30T02:10")


def test_the_first_pass_of_a_repeated_hour_counts() -> None:
    """The engine with a time zone names the second one, an hour late."""
    calendar = Calendar("Mo-Su 02:30-05:00", ROME)
    assert calendar.next_opening(at("2026-10-25T01:00")) == at("2026-10-25T02:30")
    assert calendar.is_open(at("2026-10-25T02:30"))


def test_a_clock_that_changes_at_midnight() -> None:
    calendar = Calendar("Mo-Su 00:00-09:00", "Africa/Cairo")
    first = at("2026-04-24T01:00", "Africa/Cairo")  # 00:00 to 01:00 does not exist
    assert calendar.next_opening(first - HOUR) == first
    assert calendar.service_between(first - HOUR, first + 12 * HOUR) == 8 * HOUR


# --- service time -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-23T10:00", 10, "2026-11-23T10:10"),
        ("2026-11-23T12:55", 10, "2026-11-23T14:05"),
        ("2026-11-20T17:55", 10, "2026-11-23T09:05"),
        ("2026-11-21T12:00", 10, "2026-11-23T09:10"),
        ("2026-11-23T17:50", 10, "2026-11-23T18:00"),
        ("2026-11-21T12:00", 0, "2026-11-21T12:00"),
    ],
)
def test_after_service(start: str, minutes: int, end: str) -> None:
    assert office().after_service(at(start), minutes * MINUTE) == at(end)


def test_service_between() -> None:
    assert office().service_between(at("2026-11-23T00:00"), at("2026-11-30T00:00")) == 40 * HOUR
    assert office().service_between(at("2026-11-23T12:30"), at("2026-11-23T14:15")) == 45 * MINUTE
    assert office().service_between(at("2026-11-23T12:30"), at("2026-11-23T12:00")) == 0


RULES = st.sampled_from(
    [
        OFFICE,
        "24/7",
        "Mo-Su 22:00-02:30",
        "Mo-Th 20:00-02:00; Fr,Sa 20:00-04:00; PH off",
        "Mo-Su 00:00-01:30,23:00-24:00",
        "Mo-Fr 02:10-02:50; Sa,Su 01:00-03:30",
    ]
)
PLACES = st.sampled_from([ROME, "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo", "Asia/Kathmandu"])
MOMENTS = st.integers(at("2020-01-01T00:00"), at("2036-01-01T00:00"))


@given(RULES, PLACES, MOMENTS)
def test_states_and_changes_agree(rules: str, zone: str, now: Instant) -> None:
    calendar = Calendar(rules, zone, "IT")
    opening, closing = calendar.next_opening(now), calendar.next_closing(now)
    if rules == "24/7":
        assert (opening, closing, calendar.is_open(now)) == (None, None, True)
        return
    assert opening is not None
    assert closing is not None
    assert (calendar.is_open(opening - 1), calendar.is_open(opening)) == (False, True)
    assert (calendar.is_open(closing - 1), calendar.is_open(closing)) == (True, False)
    assert calendar.is_open(now) is (closing < opening)
    between = now + (min(opening, closing) - now) // 2
    assert calendar.is_open(between) is calendar.is_open(now)


@given(RULES, PLACES, MOMENTS, st.lists(st.integers(-30 * HOUR, 30 * HOUR), max_size=20))
def test_what_was_asked_before_changes_no_answer(
    rules: str, zone: str, now: Instant, steps: list[int]
) -> None:
    asked = Calendar(rules, zone)
    moments = [now + step for step in steps]
    assert [asked.is_open(at) for at in moments] == [Calendar(rules, zone).is_open(at) for at in moments]


@given(RULES, PLACES, MOMENTS, st.integers(0, 200 * HOUR))
def test_service_time_runs_only_while_open(rules: str, zone: str, now: Instant, amount: int) -> None:
    calendar = Calendar(rules, zone, "IT")
    done = calendar.after_service(now, amount)
    assert done is not None
    assert calendar.service_between(now, done) == amount
    assert amount == 0 or calendar.is_open(done - 1)


# --- days -------------------------------------------------------------------------------------

LUNCH = (("09:00", "13:00"), ("14:00", "18:00"))


def test_days_are_evaluated() -> None:
    calendar = Calendar(OFFICE + '; Dec 24 09:00-13:00 "half day"', ROME, "IT")
    days = calendar.days(at("2026-12-23T20:00"))
    assert days == (
        Day(date(2026, 12, 23), LUNCH),
        Day(date(2026, 12, 24), (("09:00", "13:00"),), "half day"),
        Day(date(2026, 12, 25), (), "", True),
        Day(date(2026, 12, 26), (), "", True),
        Day(date(2026, 12, 27), ()),
        Day(date(2026, 12, 28), LUNCH),
        Day(date(2026, 12, 29), LUNCH),
    )
    assert [day.weekday for day in days] == [2, 3, 4, 5, 6, 0, 1]


@pytest.mark.parametrize(
    ("rules", "spans"),
    [
        ("Mo-Su 18:00-02:00", [(("18:00", "02:00"),)] * 3),
        ("Mo-Su 18:00-24:00", [(("18:00", "24:00"),)] * 3),
        ("24/7", [(("00:00", "24:00"),)] * 3),
        ("Mo 09:00-24:00; Tu 00:00-06:00", [(("09:00", "06:00"),), (), ()]),
        ("Mo 00:00-24:00; Tu 00:00-06:00", [(("00:00", "24:00"),), (("00:00", "06:00"),), ()]),
        ("Mo 09:00-24:00; Tu 00:00-18:00", [(("09:00", "24:00"),), (("00:00", "18:00"),), ()]),
    ],
)
def test_a_span_is_told_with_the_day_it_begins_on(
    rules: str, spans: list[tuple[tuple[str, str], ...]]
) -> None:
    days = Calendar(rules, ROME).days(at("2026-11-23T01:00"), 3)
    assert [day.spans for day in days] == spans


def test_a_night_that_began_yesterday_is_not_told_today() -> None:
    (today,) = Calendar("Sa 20:00-04:00", ROME).days(at("2026-11-29T01:00"), 1)
    assert today == Day(date(2026, 11, 29), ())


def test_a_holiday_that_the_rules_do_not_treat_is_an_ordinary_day() -> None:
    (day,) = Calendar("Mo-Su 09:00-18:00", ROME, "IT").days(at("2026-12-25T10:00"), 1)
    assert day == Day(date(2026, 12, 25), (("09:00", "18:00"),))


def test_exceptions_win_over_hours_and_holidays() -> None:
    desk = Desk(
        name="Desk",
        time_zone=ROME,
        languages=("it",),
        hours=OFFICE,
        holidays="IT",
        exceptions=(
            ClosedOrSpecial(dates="Dec 8", hours="10:00-12:00", name={"it": "aperti"}),
            ClosedOrSpecial(dates="2026 Dec 9-10"),
        ),
        teams={"care": Team(tell=(Target(email="care@example.com"),))},
    )
    assert desk.calendar.is_open(at("2026-12-08T10:00"))
    assert desk.calendar.next_opening(at("2026-12-08T13:00")) == at("2026-12-11T09:00")
    assert desk.calendar.is_open(at("2027-12-09T10:00"))
    special, closed = desk.calendar.days(at("2026-12-08T09:00"), 2)
    assert (desk.name_of(special, "it"), desk.name_of(special, "en")) == ("aperti", "aperti")
    assert (closed.spans, desk.name_of(closed, "it")) == ((), "")
    changed = desk.model_copy(update={"hours": "24/7"})
    assert changed.calendar.is_open(at("2026-12-07T03:00"))


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "zone", "country", "says"),
    [
        ("Mo-Fr 9-13", ROME, "", "'Mo-Fr 9-13' cannot be read from '9-13' (character 7)"),
        ("", ROME, "", "the hours are empty"),
        (OFFICE, "Europe/Roma", "IT", "'Europe/Roma' is not a time zone"),
        (OFFICE, "", "IT", "'' is not a time zone"),
        (OFFICE, "../etc/passwd", "IT", "is not a time zone"),
        (OFFICE, ROME, "it", "'it' is no country"),
        (OFFICE, ROME, "XX", "'XX' is no country"),
    ],
)
def test_a_calendar_that_cannot_be_is_a_value_error(rules: str, zone: str, country: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"write e\.g\.") as error:
        Calendar(rules, zone, country)
    assert says in str(error.value)


NOW = at("2026-11-21T12:00")


@pytest.mark.parametrize(
    "rules",
    [EXAMPLE, "24/7", "Mo-Su 18:00-02:00", "Mo-Fr 09:00-13:00, 14:00-18:00", "24/7; Dec 25 off",
     'Mo-Fr 09:00-13:00; Dec 24 off "unknown sunrise"', "2027 Mar 1-May 31 Mo-Fr 09:00-13:00"],
)  # fmt: skip
def test_good_hours_have_no_problems(rules: str) -> None:
    assert problems(rules, ROME, "IT", NOW) == []


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("Lun-Ven 09:00-13:00", "cannot be read from 'Lun-Ven"),
        ("Mo–Fr 09:00-13:00", "cannot be read"),
        ("Mo-Fr 09.00-13.00", "cannot be read"),
        ("mo-fr 09:00-13:00", "capitalized"),
        ("off", "never opens within 370 days"),
        ("2024 Dec 1-31 09:00-18:00", "never opens within 370 days"),
        ("Mo-Su 00:00-24:00", "for a desk that is always open write 24/7"),
        ("24/7; 2024 Dec 25 off", "for a desk that is always open write 24/7"),
        ("Mo-Fr 09:00-13:00 unknown", "customers must be told whether the desk is open"),
        ("Mo-Fr sunrise-18:00", "does not follow the sun"),
        ("Mo-Fr 09:00-(sunset-01:00)", "does not follow the sun"),
        ("dawn-dusk", "does not follow the sun"),
        ('"by appointment"', "a comment alone"),
        ('Mo-Fr 09:00-13:00; "by appointment"', "a comment alone"),
        ('Mo-Fr 09:00-13:00, "by appointment"', "a comment alone"),
        ('Mo-Fr "by appointment"', "'Mo-Fr' has no times"),
        ("Sa, Su 09:00-13:00", "'Sa' has no times"),
        ("Mo-Fr 09:00-13:00; SH off", "school holidays are not known"),
        ("Mo-Fr 09:00+", "a span needs an end"),
        ("Mo-Fr 09:00-09:00", "it opens and closes at the same time"),
        ("Mo-Fr 09:00-13:00 || Sa 09:00-10:00", "one desk has one timetable"),
        ("Mo-Fr 09:00-13:00; Feb 30 off", "Feb has no day 30"),
        ("Mo-Fr 09:00-13:00; Apr 10-31 off", "Apr has no day 31"),
    ],
)
def test_hours_that_would_mislead_are_refused_with_an_example(rules: str, says: str) -> None:
    found = problems(rules, ROME, "IT", NOW)
    assert any(says in text for text in found), found
    assert all("write" in text for text in found)


def test_holidays_of_no_country() -> None:
    (text,) = problems(OFFICE, ROME, "", NOW)
    assert text == "PH means public holidays, but of which country? Write e.g. holidays: IT"


def test_every_problem_is_told_at_once() -> None:
    assert len(problems("Mo-Fr 9-13", "Europe/Roma", "XX", NOW)) == 3


@given(st.text("MoTuWePHoff0123456789:-,; \"'()+/|Feb\n", max_size=40))
def test_any_text_is_answered_with_words(rules: str) -> None:
    for text in problems(rules, ROME, "IT", NOW):
        assert "rite" in text
