"""Which team takes a conversation, who is on duty, and when whoever holds one gives it back."""

import random
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from sportello.domain.desk import Desk
from sportello.domain.duty import duty_ends, hands_back, is_manned, next_duty, next_look, on_duty
from sportello.domain.model import HOUR, MINUTE, Instant, to_datetime, to_instant
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from sportello.domain.routing import Route, route
from tests.unit.builders import DESK, Conversation, at, inbound

TELL = [{"email": "care@example.com"}]
ROME = ZoneInfo("Europe/Rome")


def desk(teams: Mapping[str, Any], people: Mapping[str, Any] | None = None, **fields: Any) -> Desk:
    """Open Monday to Friday 9 to 18 in Rome; teams and people as in desk.yaml, without ``tell``."""
    given = DESK.model_dump(exclude={"phrases", "signals", "answers"}) | {
        "teams": {name: {"tell": TELL, **(team or {})} for name, team in teams.items()},
        "people": {name: {"teams": ["care"], **person} for name, person in (people or {}).items()},
    }
    return Desk.model_validate(given | fields)


def routed(desk: Desk, now: str = "Mon 10:00", **about: Any) -> tuple[str, str]:
    given = {"channel": "whatsapp", "account": "1", "language": "it", "topics": ()}
    return tuple(route(desk, **(given | about), now=at(now)))  # type: ignore[return-value]


# --- by competence ----------------------------------------------------------------------------

TEAMS = {
    "care": None,
    "returns": {"skills": ["returns"], "languages": ["it", "en"]},
    "billing": {"skills": ["billing", "returns"]},
    "social": {"channels": ["instagram", "messenger"]},
    "east": {"languages": ["ru"]},
}


@pytest.mark.parametrize(
    ("about", "team", "reason"),
    [
        ({}, "care", "routed_default"),
        ({"topics": ("weather",)}, "care", "routed_default"),
        ({"topics": ("billing",)}, "billing", "routed_skill"),
        ({"topics": ("weather", "billing")}, "billing", "routed_skill"),
        # returns names the language as well, so it fits better than billing
        ({"topics": ("returns",)}, "returns", "routed_skill"),
        ({"topics": ("returns",), "language": ""}, "returns", "routed_skill"),
        # it does not speak the language: the other one that knows the topic
        ({"topics": ("returns",), "language": "ru"}, "billing", "routed_skill"),
        ({"language": "ru"}, "east", "routed_language"),
        ({"channel": "instagram"}, "social", "routed_channel"),
        ({"channel": "instagram", "topics": ("billing",)}, "billing", "routed_skill"),
        ({"channel": "instagram", "language": "ru"}, "east", "routed_language"),
    ],
)
def test_the_team_that_is_meant_for_it(about: dict[str, Any], team: str, reason: str) -> None:
    assert routed(desk(TEAMS), **about) == (team, reason)


def test_of_equals_the_first_in_the_file() -> None:
    one, other = {"skills": ["billing"]}, {"skills": ["billing"]}
    assert routed(desk({"care": None, "b": one, "a": other}), topics=("billing",))[0] == "b"
    assert routed(desk({"care": None, "a": other, "b": one}), topics=("billing",))[0] == "a"


def test_naming_a_language_does_not_make_a_team_of_experts_take_everything() -> None:
    teams = {
        "care": None,
        "returns": {"skills": ["returns"], "languages": ["it", "en"], "channels": ["whatsapp"]},
    }
    assert routed(desk(teams)) == ("care", "routed_default")


def test_experts_take_what_the_first_team_cannot() -> None:
    teams = {"care": {"languages": ["it"]}, "east": {"skills": ["orders"], "languages": ["ru"]}}
    assert routed(desk(teams), language="ru") == ("east", "routed_language")
    assert routed(desk(teams), language="fr") == ("care", "routed_default")


def test_an_account_and_a_channel_have_a_team_of_their_own() -> None:
    own = desk(
        TEAMS,
        channels={"instagram": {"team": "social"}},
        accounts=[{"channel": "instagram", "account": "7", "team": "returns"}],
    )
    assert routed(own, channel="instagram", topics=("billing",)) == ("social", "routed_account")
    assert routed(own, channel="instagram", account="7", topics=("billing",)) == ("returns", "routed_account")
    assert routed(own, channel="telegram", account="7", topics=("billing",)) == ("billing", "routed_skill")


def test_people_add_what_they_can_to_their_team_while_they_are_on_duty() -> None:
    teams = {"care": None, "north": {"languages": ["en"]}}
    people = {
        "anna": {"teams": ["care"]},
        "boris": {
            "teams": ["north"],
            "skills": ["billing"],
            "languages": ["ru"],
            "shift": "Mo-Fr 09:00-12:00",
        },
        "carla": {"teams": ["north"], "shift": "Mo-Fr 09:00-18:00"},
    }
    staffed = desk(teams, people)
    assert routed(staffed, topics=("billing",), language="ru") == ("north", "routed_skill")
    assert routed(staffed, "Mon 12:00", topics=("billing",), language="ru") == ("care", "routed_default")
    # billing in English is nobody's: who knows it speaks Russian only
    assert routed(staffed, topics=("billing",), language="en") == ("north", "routed_language")


# --- by who is on duty ------------------------------------------------------------------------

SHIFTS = {
    "anna": {"teams": ["care"], "shift": "Mo-Fr 09:00-13:00"},
    "bruno": {"teams": ["billing"], "shift": "Mo-Fr 11:00-18:00", "leave": ["2026 Nov 25-27"]},
    "carla": {"teams": ["spare"], "shift": "Mo-Fr 09:00-18:00"},
}
STAFFED = desk({"care": None, "billing": {"skills": ["billing"]}, "spare": None}, SHIFTS, fallback="spare")


@pytest.mark.parametrize(
    ("now", "topics", "team", "reason"),
    [
        ("Mon 12:00", ("billing",), "billing", "routed_skill"),
        ("Mon 10:59", ("billing",), "spare", "routed_fallback"),
        ("Mon 11:00", ("billing",), "billing", "routed_skill"),
        ("Wed 12:00", ("billing",), "spare", "routed_fallback"),
        ("Mon 12:59", (), "care", "routed_default"),
        ("Mon 13:00", (), "spare", "routed_fallback"),
        # closed: nobody needs to be there, it waits with those who know
        ("Sun 12:00", ("billing",), "billing", "routed_skill"),
        ("Sun 12:00", (), "care", "routed_default"),
    ],
)
def test_nobody_on_duty_there(now: str, topics: tuple[str, ...], team: str, reason: str) -> None:
    assert routed(STAFFED, now, topics=topics) == (team, reason)


def test_nobody_on_duty_for_an_account_of_its_own_either() -> None:
    own = STAFFED.model_copy(update={"channels": desk(TEAMS, channels={"x": {"team": "billing"}}).channels})
    assert routed(own, "Mon 12:00", channel="x") == ("billing", "routed_account")
    assert routed(own, "Mon 10:00", channel="x") == ("spare", "routed_fallback")
    assert routed(own, "Sun 10:00", channel="x") == ("billing", "routed_account")


def test_a_fallback_team_that_cannot_leaves_it_to_who_can() -> None:
    teams = {"care": None, "spare": {"languages": ["it"]}, "north": {"languages": ["en"]}}
    people = {
        "anna": {"shift": "Mo-Fr 09:00-13:00"},
        "carla": {"teams": ["spare"], "shift": "Mo-Fr 09:00-18:00"},
        "dora": {"teams": ["north"], "shift": "Mo-Fr 13:00-15:00"},
    }
    staffed = desk(teams, people, fallback="spare")
    assert routed(staffed, "Mon 16:00", language="en") == ("spare", "routed_fallback")
    assert routed(staffed, "Mon 14:00", language="en") == ("north", "routed_language")


def test_nobody_in_the_whole_company() -> None:
    staffed = desk({"care": None, "spare": None}, {"anna": {"shift": "Mo 09:00-10:00"}}, fallback="spare")
    assert routed(staffed, "Tue 10:00") == ("spare", "routed_fallback")


def test_a_team_that_is_closed_by_its_own_hours_keeps_what_is_meant_for_it() -> None:
    teams = {"care": None, "billing": {"skills": ["billing"], "hours": "Mo-Fr 09:00-12:00"}}
    staffed = desk(teams, {"anna": {}, "bruno": {"teams": ["billing"], "shift": "Mo-Fr 09:00-12:00"}})
    assert routed(staffed, "Mon 15:00", topics=("billing",)) == ("billing", "routed_skill")
    assert routed(staffed, "Mon 15:00") == ("care", "routed_default")


# --- it stays where it is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "about", "team", "reason"),
    [
        # nothing new is said
        ("billing", {}, "billing", "routed_stays"),
        ("east", {"language": ""}, "east", "routed_stays"),
        # another fits no better
        ("billing", {"topics": ("returns",), "language": "ru"}, "billing", "routed_stays"),
        ("billing", {"topics": ("weather",)}, "billing", "routed_stays"),
        ("billing", {"channel": "instagram"}, "billing", "routed_stays"),
        # another fits better
        ("billing", {"topics": ("returns",)}, "returns", "routed_skill"),
        ("care", {"topics": ("billing",)}, "billing", "routed_skill"),
        ("care", {"language": "ru"}, "east", "routed_language"),
        ("returns", {"language": "ru"}, "east", "routed_language"),
        ("east", {}, "care", "routed_fallback"),
        # a team that the file no longer has
        ("gone", {}, "care", "routed_default"),
    ],
)
def test_a_conversation_stays_unless_another_team_fits_better(
    current: str, about: dict[str, Any], team: str, reason: str
) -> None:
    assert routed(desk(TEAMS), current=current, **about) == (team, reason)


def test_it_leaves_a_team_with_nobody_on_duty_and_comes_back_by_its_topic_only() -> None:
    assert routed(STAFFED, "Mon 13:00", current="care") == ("spare", "routed_fallback")
    assert routed(STAFFED, "Tue 10:00", current="spare") == ("spare", "routed_stays")
    assert routed(STAFFED, "Tue 12:00", current="spare", topics=("billing",)) == ("billing", "routed_skill")


def test_a_desk_of_one_team() -> None:
    staffed = desk({"care": {"skills": ["billing"]}}, {"anna": {"shift": "Mo 09:00-10:00"}})
    assert routed(staffed, "Tue 10:00", topics=("billing",)) == ("care", "routed_default")
    assert routed(staffed, "Tue 10:00", current="care") == ("care", "routed_stays")


# --- on duty ----------------------------------------------------------------------------------


def test_who_is_on_duty() -> None:
    people = {
        "anna": {"shift": "Mo-Fr 09:00-13:00; PH off"},
        "bruno": {"leave": ["2026 Nov 24-25", "Dec 24"]},
        "carla": {"teams": ["care", "night"], "shift": "Mo-Fr 22:00-06:00", "leave": ["2026 Nov 24"]},
    }
    staffed = desk({"care": None, "night": None}, people)

    def there(when: str, team: str = "care") -> tuple[str, ...]:
        return on_duty(staffed, team, at(when))

    assert there("Mon 09:00") == ("anna", "bruno")
    assert there("Mon 13:00") == ("bruno",)
    assert there("Tue 12:59") == ("anna",)
    assert there("Tue 13:00") == ()
    assert there("2026-12-08 10:00") == ("bruno",)  # a public holiday
    assert there("2026-12-24 10:00") == ("anna",)
    # a night goes with the day it begins on: Monday's ends on the morning of her day off
    assert there("Tue 05:59", "night") == ("carla",)
    assert there("Tue 22:00", "night") == there("Wed 05:00", "night") == ()
    assert there("Thu 05:00", "night") == ("carla",)
    assert not is_manned(staffed, "night", at("Tue 22:00"))
    assert there("Mon 10:00", "unheard-of") == ()


def test_a_desk_that_lists_nobody_is_always_on_duty() -> None:
    assert is_manned(DESK, "care", at("Sun 03:00"))
    assert on_duty(DESK, "care", at("Mon 10:00")) == ()
    for never in (duty_ends(DESK, "care", at("Mon 10:00")), next_duty(DESK, at("Mon 10:00"))):
        assert never is None
    assert next_look(DESK, "care", DESK.calendar, at("Mon 10:00")) is None


def test_when_to_look_again() -> None:
    people = {
        "anna": {"shift": "Mo-Fr 09:00-13:00"},
        "bruno": {"shift": "Mo-Fr 11:00-15:00"},
        "carla": {"teams": ["spare"], "shift": "Mo-Fr 16:00-18:00"},
    }
    staffed = desk({"care": None, "spare": None}, people, fallback="spare")

    def look(when: str, team: str = "care") -> Instant | None:
        return next_look(staffed, team, staffed.calendar, at(when))

    assert duty_ends(staffed, "care", at("Mon 10:00")) == at("Mon 13:00") == look("Mon 10:00")
    assert duty_ends(staffed, "care", at("Mon 12:00")) == at("Mon 15:00") == look("Mon 12:00")
    assert duty_ends(staffed, "care", at("Mon 15:00")) is None
    assert next_duty(staffed, at("Mon 15:00")) == at("Mon 16:00") == look("Mon 15:00")
    assert next_duty(staffed, at("Mon 15:00"), "care") == at("Tue 09:00")
    # the shift ends with the day: at the opening somebody must be there again
    assert look("Mon 17:00", "spare") == at("Tue 09:00")
    assert look("Fri 19:00") == at("2026-11-30 09:00")


def test_a_team_that_opens_by_its_own_hours_comes_on_duty() -> None:
    teams = {"care": None, "late": {"hours": "Mo-Fr 14:00-18:00"}}
    staffed = desk(teams, {"anna": {"shift": "Mo-Fr 09:00-12:00"}, "bruno": {"teams": ["late"]}})
    assert next_duty(staffed, at("Mon 12:30")) == at("Mon 14:00")
    assert routed(staffed, "Mon 12:30", current="care")[0] == "care"  # nobody is there
    assert routed(staffed, "Mon 14:00", current="care") == ("late", "routed_fallback")


# --- giving back ------------------------------------------------------------------------------


def test_whoever_is_off_shift_or_on_leave_gives_it_back() -> None:
    people = {
        "anna": {"shift": "Mo-Fr 09:00-13:00", "leave": ["2026 Nov 24"]},
        "bruno": {"leave": ["2026 Nov 24"]},
        "carla": {},
    }
    staffed = desk({"care": None}, people)

    def back(person: str, when: str) -> Reason | None:
        return hands_back(staffed, person, "care", at(when))

    assert back("anna", "Mon 12:59") is None
    assert back("anna", "Mon 13:00") is Reason.HANDED_BACK_OFF_SHIFT
    assert back("anna", "Tue 10:00") is Reason.HANDED_BACK_LEAVE
    assert back("anna", "Wed 10:00") is None
    assert back("bruno", "Mon 03:00") is None
    assert back("bruno", "Tue 10:00") is Reason.HANDED_BACK_LEAVE
    assert back("carla", "Tue 10:00") is None
    # a name typed by hand; and a desk that lists nobody
    assert back("Anna Typed", "Tue 10:00") is None
    assert hands_back(DESK, "anna", "care", at("Tue 10:00")) is None


def test_a_changed_desk_is_not_answered_from_the_old_one() -> None:
    before = desk({"care": None}, {"anna": {"shift": "Mo-Fr 09:00-13:00"}})
    after = before.model_copy(update={"people": desk({"care": None}, {"bruno": {}}).people})
    assert on_duty(before, "care", at("Mon 10:00")) == ("anna",)
    assert on_duty(after, "care", at("Mon 10:00")) == ("bruno",)
    assert on_duty(before, "care", at("Mon 10:00")) == ("anna",)


# --- random desks, against a plain reading of the same shifts ---------------------------------

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIRST = date(2026, 11, 23)


class Spans(NamedTuple):
    """The same half-hours on some weekdays; none of the days: whenever."""

    days: tuple[int, ...]
    opens: int
    closes: int

    def rules(self) -> str:
        if not self.days:
            return ""
        days = ",".join(_DAYS[day] for day in self.days)
        return f"{days} {_clock(self.opens)}-{_clock(self.closes)}"

    def holds(self, wall: datetime) -> bool:
        half_hours = wall.hour * 2 + wall.minute / 30
        return not self.days or (wall.weekday() in self.days and self.opens <= half_hours < self.closes)


def _clock(half_hours: int) -> str:
    return f"{half_hours // 2:02}:{half_hours % 2 * 30:02}"


class Worker(NamedTuple):
    teams: tuple[str, ...]
    shift: Spans
    leave: tuple[date, date] | None

    def is_on(self, wall: datetime) -> bool:
        away = self.leave is not None and self.leave[0] <= wall.date() <= self.leave[1]
        return self.shift.holds(wall) and not away


class Company(NamedTuple):
    """What a random desk.yaml says, and how it is read without any of our code."""

    hours: Spans
    own_hours: Mapping[str, Spans | None]
    workers: Mapping[str, Worker]
    desk: Desk

    def is_open(self, team: str, wall: datetime) -> bool:
        return (self.own_hours[team] or self.hours).holds(wall)

    def is_manned(self, team: str, wall: datetime) -> bool:
        mine = [worker for worker in self.workers.values() if team in worker.teams]
        return not self.workers or any(worker.is_on(wall) for worker in mine)

    def serving(self, wall: datetime) -> list[str]:
        """Teams in which a customer could be answered now."""
        return [team for team in self.own_hours if self.is_open(team, wall) and self.is_manned(team, wall)]


def _spans(chance: random.Random, all_day: float) -> Spans:
    if chance.random() < all_day:
        return Spans((), 0, 0)
    opens = chance.randrange(0, 40)
    days = tuple(sorted(chance.sample(range(7), chance.randint(2, 7))))
    return Spans(days, opens, chance.randrange(opens + 2, 49))


def _leave(chance: random.Random) -> tuple[date, date] | None:
    if chance.random() < 0.6:
        return None
    begin = _FIRST + timedelta(days=chance.randrange(-2, 6))
    return begin, min(begin + timedelta(days=chance.randrange(4)), date(begin.year, 11, 30))


def _company(chance: random.Random) -> Company:
    hours = Spans((0, 1, 2, 3, 4), 18, 36) if chance.random() < 0.5 else _spans(chance, 0)
    teams = [f"team-{number}" for number in range(chance.randint(1, 4))]
    own_hours = {team: _spans(chance, 0) if chance.random() < 0.2 else None for team in teams}
    workers = {
        f"person-{number}": Worker(
            tuple(chance.sample(teams, chance.randint(1, min(2, len(teams))))),
            _spans(chance, 0.1),
            _leave(chance),
        )
        for number in range(chance.choice((0, 1, 2, 3, 5, 8)))
    }

    def some(names: list[str]) -> list[str]:
        return chance.sample(names, chance.choice((0, 0, 1, 2)))

    return Company(
        hours,
        own_hours,
        workers,
        desk(
            {
                team: {
                    "skills": some(["billing", "returns"]),
                    "languages": some(["it", "en"]),
                    "channels": some(["whatsapp", "instagram"]),
                    "hours": (own_hours[team] or Spans((), 0, 0)).rules(),
                }
                for team in teams
            },
            {
                name: {
                    "teams": worker.teams,
                    "skills": some(["billing", "returns"]),
                    "languages": some(["it", "en"]),
                    "shift": worker.shift.rules(),
                    "leave": [_days_off(*worker.leave)] if worker.leave else [],
                }
                for name, worker in workers.items()
            },
            hours=hours.rules(),
            holidays="",
            fallback=chance.choice(["", *teams]),
            channels={"instagram": {"team": chance.choice(teams)}} if chance.random() < 0.2 else {},
        ),
    )


def _days_off(begin: date, end: date) -> str:
    first, last = (f"{_MONTHS[day.month - 1]} {day.day:02}" for day in (begin, end))
    return f"{begin.year} {first}-{last}"


def _moment(chance: random.Random) -> Instant:
    start = datetime.combine(_FIRST, time(), ROME)
    return to_instant(start) + chance.randrange(7 * 48) * 30 * MINUTE + chance.choice((0, 0, 1, 7 * MINUTE))


def _about(chance: random.Random) -> dict[str, Any]:
    return {
        "channel": chance.choice(["whatsapp", "instagram", "telegram"]),
        "account": "1",
        "language": chance.choice(["", "it", "en", "ru"]),
        "topics": tuple(chance.sample(["billing", "returns", "weather"], chance.choice((0, 0, 1, 2)))),
    }


def _wall(now: Instant) -> datetime:
    return to_datetime(now).astimezone(ROME).replace(tzinfo=None)


def test_in_10_000_random_shifts_an_open_conversation_goes_to_somebody_on_duty() -> None:
    chance = random.Random(20261123)
    manned = fallen_back = alone = 0
    for _ in range(10_000):
        company, now = _company(chance), _moment(chance)
        current = chance.choice(["", *company.own_hours])
        found = route(company.desk, **_about(chance), now=now, current=current)
        wall = _wall(now)
        for team in company.own_hours:
            assert is_manned(company.desk, team, now) == company.is_manned(team, wall)
        if not company.is_open(found.team, wall):
            continue
        if company.serving(wall):
            assert found.team in company.serving(wall)
            manned += 1
            fallen_back += found.reason is Reason.ROUTED_FALLBACK
        elif found.team != current:
            assert found.team == company.desk.fallback_team
            alone += 1
    assert min(manned, fallen_back, alone) > 100  # each was tried


def test_in_1_000_random_weeks_no_debt_stays_with_a_team_without_anybody_on_duty() -> None:
    """Routed when it begins, and again whenever the last look said."""
    chance = random.Random(20261124)
    moved = looks = 0
    for _ in range(1_000):
        company, about, begin = _company(chance), _about(chance), _moment(chance)
        found = route(company.desk, **about, now=begin)
        due = _look(company.desk, about, found, begin)
        for now in range(begin - begin % (30 * MINUTE) + 30 * MINUTE, begin + 60 * HOUR, 30 * MINUTE):
            while due is not None and due <= now:
                again = route(company.desk, **(about | {"topics": ()}), now=due, current=found.team)
                moved += again.team != found.team
                looks += 1
                found, due = again, _look(company.desk, about, again, due)
            wall = _wall(now)
            if company.is_open(found.team, wall) and company.serving(wall):
                assert company.is_manned(found.team, wall)
    assert moved > 300
    assert looks < 25_000  # ten a day at most: they are ticks of the sweeper


def _look(desk: Desk, about: Mapping[str, Any], found: Route, now: Instant) -> Instant | None:
    calendar = desk.calendar_of(about["channel"], about["account"], found.team)
    due = next_look(desk, found.team, calendar, now)
    assert due is None or due > now
    return due


def test_in_500_random_weeks_a_thread_that_owes_has_somebody_on_duty() -> None:
    """The same through ``decide``: a message that nobody answers, and the sweeper that comes when due."""
    chance = random.Random(20261125)
    handed_on = 0
    for _ in range(500):
        company, begin = _company(chance), _moment(chance)
        text = chance.choice(["fattura", "reso", "Buongiorno, avrei una domanda"])
        talk = Conversation(company.desk.model_copy(update={"phrases": TOPICS}))
        talk.take(inbound(text, time=begin), begin)
        for now in range(begin - begin % (30 * MINUTE) + 30 * MINUTE, begin + 60 * HOUR, 30 * MINUTE):
            while talk.thread.due is not None and talk.thread.due <= now:
                due, decision = talk.tick_at_due()
                assert talk.thread.due is None or talk.thread.due > due
                handed_on += Reason.ROUTED_FALLBACK in decision.reasons
            wall, team = _wall(now), talk.thread.team
            if company.is_open(team, wall) and company.serving(wall):
                assert company.is_manned(team, wall)
    assert handed_on > 100


TOPICS = {
    "it": Phrases(topics={"billing": ("fattura",), "returns": ("reso",)}),
    "en": Phrases(topics={"billing": ("invoice",), "returns": ("return",)}),
}
