"""At 10,000 random instants everything that speaks of hours says the same of one desk.

The page, ``hours.json``, the reply, what ``decide`` does, the deadline and the notification are asked as
a customer's, a program's and a colleague's, and compared with the brute-force oracle of
``test_hours_oracle``, which knows neither ``Calendar`` nor how a desk composes its rules.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from infra.bundle import Bundle
from sportello import directory
from sportello.domain import timers
from sportello.domain.deadlines import Answers
from sportello.domain.decide import decide
from sportello.domain.decision import Say
from sportello.domain.desk import Desk, Served
from sportello.domain.directory import Way
from sportello.domain.events import Customer, Inbound, Kind
from sportello.domain.model import MINUTE, Instant, to_instant
from sportello.domain.patterns import Phrases
from sportello.domain.staff import ClosedOrSpecial, Target, Team
from sportello.domain.thread import Thread
from sportello.services import desk as seam
from sportello.services.wording import Wording
from tests.unit.locales import LOCALES, in_all_languages
from tests.unit.test_hours_oracle import open_minutes

DESKS, DATES_EACH, INSTANTS_EACH = 250, 8, 5
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // 60
END = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()) // 60
"""Minutes since the epoch."""
ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tehran")
HOURS = (
    "Mo-Fr 09:00-13:00,14:00-18:00; PH off",
    "Mo-Sa 08:00-20:00; PH off",
    "Mo-Su 22:00-02:30",
    "Mo-Th 20:00-02:00; Fr,Sa 20:00-04:00; PH off",
    "Sa,Su 09:30-12:30",
    "Mo-Su 00:00-01:30,23:00-24:00",
    "Mo-Su 01:15-02:15,02:45-05:00",
    "24/7",
)
DATES = ("Dec 24", "Dec 31", "Aug 14", "Nov 2", "Feb 29")
SPANS = ("off", "09:00-12:00", "10:00-12:00,15:00-16:00", "20:00-23:30")
CHANNELS = ("whatsapp", "telegram", "email")
ACCOUNTS = ("", "care-1", "care-2")
TEAMS = ("care", "returns")


class Level(NamedTuple):
    hours: str
    exceptions: tuple[ClosedOrSpecial, ...]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return in_all_languages(to_instant(datetime(2026, 11, 23, 12, tzinfo=UTC)))


def a_level(chance: random.Random, *, must: bool = False) -> Level:
    hours = chance.choice(HOURS) if must or chance.random() < 0.5 else ""
    few = chance.sample(DATES, chance.choice((0, 0, 1, 2)))
    return Level(hours, tuple(ClosedOrSpecial(dates=day, hours=chance.choice(SPANS)) for day in few))


def a_desk(chance: random.Random) -> Desk:
    own, teams = a_level(chance, must=True), {name: a_level(chance) for name in TEAMS}
    channels = {name: a_level(chance) for name in CHANNELS if chance.random() < 0.35}
    accounts = [
        (channel, name) for channel in CHANNELS for name in ACCOUNTS if name and chance.random() < 0.15
    ]
    return Desk(
        name="Sample desk",
        time_zone=chance.choice(ZONES),
        languages=LOCALES,
        holidays="IT",
        hours=own.hours,
        exceptions=own.exceptions,
        teams={
            name: Team(tell=(Target(email="care@example.com"),), **level._asdict())
            for name, level in teams.items()
        },
        channels={
            name: Served(**level._asdict(), team=chance.choice(("", *TEAMS)))
            for name, level in channels.items()
        },
        accounts=tuple(
            Served(
                channel=channel, account=name, team=chance.choice(("", *TEAMS)), **a_level(chance)._asdict()
            )
            for channel, name in accounts
        ),
        answers=Answers(first=1),
        phrases={"it": Phrases(thanks=("grazie",))},
    )


def rules_of(desk: Desk, channel: str, account: str, team: str) -> str:
    """The rules as the oracle reads them, put together here once more: the most specific hours, then
    every level's exceptions from the desk's to the account's."""
    own = [served for served in desk.accounts if (served.channel, served.account) == (channel, account)]
    levels: list[Any] = [desk, *([desk.teams[team]] if team else [])]
    levels += [desk.channels[channel]] if channel in desk.channels else []
    levels += own
    hours = [level.hours for level in levels if level.hours][-1]
    special = [f"{one.dates} {one.hours}" for level in levels for one in level.exceptions]
    return "; ".join([_always(hours), *special])


def _always(hours: str) -> str:
    """The oracle knows 24/7 alone only."""
    return "Mo-Su 00:00-24:00" if hours == "24/7" else hours


def oracle(rules: str, zone: str, minute: int) -> bool:
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
    return bool(open_minutes(rules, [(wall.toordinal(), wall.hour * 60 + wall.minute)])[0])


def a_message(channel: str, account: str, at: Instant) -> tuple[Thread, Inbound]:
    customer = Customer(id="customer-1", address="39333000001", name="Customer One")
    thread = Thread(id="a" * 26, channel=channel, connection="main", account=account, to=customer.address)
    text = "Dov'è il mio ordine?"
    return thread, Inbound(
        account=account, customer=customer, id="message-1", time=at, kind=Kind.TEXT, text=text
    )


def get(path: str, language: str, at: Instant) -> str:
    answer = directory.answer({"rawPath": path, "rawQueryString": f"lang={language}"}, at)
    assert answer["statusCode"] == 200
    body: str = answer["body"]
    return body


def test_all_agree_on_whether_the_desk_is_open(bundle: Bundle) -> None:
    chance = random.Random(20261123)
    seen = {True: 0, False: 0}
    try:
        for _ in range(DESKS):
            desk = a_desk(chance)
            for _ in range(DATES_EACH):
                day = chance.randrange(START, END)
                for _ in range(INSTANTS_EACH):
                    minute = day + chance.randrange(24 * 60)
                    seen[_agree(desk, bundle, chance, minute)] += 1
    finally:
        seam.use(None)
    assert sum(seen.values()) == 10_000
    assert min(seen.values()) > 2_000


def _agree(desk: Desk, bundle: Bundle, chance: random.Random, minute: int) -> bool:
    language = chance.choice(LOCALES)
    at, channel, account = minute * MINUTE, chance.choice(CHANNELS), chance.choice(ACCOUNTS)
    way_in = Way(channel=channel, account=account, link="https://example.com/")
    texts = bundle.texts.model_copy(update={"ways": (way_in,)})
    seam.use(desk, texts)
    wording = Wording(desk, texts)
    before, event = a_message(channel, account, at)
    decision = decide(before, event, desk, at)
    thread = decision.thread
    expected = oracle(rules_of(desk, channel, account, thread.team), desk.time_zone, minute)
    where = f"{desk.time_zone} {datetime.fromtimestamp(at / 1000, UTC)} {channel} {account} {thread.team}"

    told = [effect for effect in decision.effects if isinstance(effect, Say) and effect.text == "closed"]
    calendar = desk.calendar_of(channel, account, thread.team)
    assert calendar.is_open(at) == expected, where
    opening = calendar.next_opening(at)
    assert bool(told) == (not expected and opening is not None), where
    if expected:
        assert calendar.service_between(at, at + 1) == 1, where
    assert (timers.first_due(thread, desk, calendar) == at + 1) == expected, where

    # what is read: hours.json, the page, the reply, the notification
    facts = json.loads(get("/hours.json", language, at))
    (way,) = facts["ways"]
    words = bundle.texts.calendar[language]
    assert way["open"] == expected, where
    front = oracle(rules_of(desk, "", "", desk.default_team), desk.time_zone, minute)
    assert facts["open"] == front, where
    page = unescape(get("/", language, at))
    assert (f'class="state {"open" if front else "closed"}"') in page
    assert way["state"] in page or way["hours"] == facts["hours"], where
    if told and opening is not None:
        assert told[0].until == opening
        assert way["opens_at_utc"] == datetime.fromtimestamp(opening / 1000, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        said = wording.say(
            "closed", language, at, channel=channel, account=account, team=thread.team, opening=opening
        )
        moment = wording.moment(opening, at, language)
        assert moment in said
        assert way["state"] == words.closed_until.format(opening=moment)
        assert way["hours"] in said
    notice = wording.notify(
        at, customer="Customer One", channel=channel, said="", reasons=["urgent"], since=at, thread="t",
        account=account, team=thread.team,
    )  # fmt: skip
    hours = dict(notice.lines)[wording.told.labels["hours"]]
    italian = bundle.texts.calendar["it"]
    assert hours.startswith(italian.open_now if expected else italian.closed), where
    if language == "it":
        assert hours == way["state"]
    return expected
