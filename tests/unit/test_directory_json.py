"""``hours.json``, whose shape is documented in docs/directory.md."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.engine.template import ROOT
from sportello.domain.staff import Team
from sportello.services import desk as seam
from tests.unit.public_page import EVENING, MORNING, TELL, at, facts, use


@pytest.fixture(autouse=True)
def desk() -> Iterator[None]:
    """WhatsApp is open longer, a Telegram account on Saturdays, the team for returns less."""
    use()
    yield
    seam.use(None)


STATE = {
    "open": bool,
    "opens_at": (str, type(None)),
    "opens_at_utc": (str, type(None)),
    "closes_at": (str, type(None)),
    "closes_at_utc": (str, type(None)),
    "state": str,
    "hours": str,
}
PLACE = STATE | {"days": list}
DAY = {
    "date": str,
    "weekday": int,
    "open": list,
    "holiday": bool,
    "exception": bool,
    "name": str,
    "date_words": str,
    "hours_words": str,
}
TOP = PLACE | {
    "version": int,
    "name": str,
    "time_zone": str,
    "language": str,
    "languages": list,
    "teams": list,
    "channels": list,
    "accounts": list,
    "ways": list,
}
DOCUMENTED = (ROOT / "docs" / "directory.md").read_text("utf-8")


def has_shape(found: Mapping[str, Any], shape: Mapping[str, Any]) -> None:
    assert found.keys() == shape.keys()
    for key, kind in shape.items():
        assert isinstance(found[key], kind), (key, found[key])


def test_the_shape_is_the_documented_one() -> None:
    for moment in (EVENING, MORNING):
        found = facts(moment)
        has_shape(found, TOP)
        assert found["version"] == 1
        named = {"name": str}
        for key, own in (
            ("teams", {"team": str}),
            ("channels", {"channel": str}),
            ("accounts", {"channel": str, "account": str}),
        ):
            assert len(found[key]) == 1
            has_shape(found[key][0], PLACE | named | own)
        for place in (found, *found["teams"], *found["channels"], *found["accounts"]):
            assert len(place["days"]) == 7
            for day in place["days"]:
                has_shape(day, DAY)
        for way in found["ways"]:
            has_shape({"account": "", **way}, STATE | named | {"channel": str, "link": str, "account": str})
    for key in {*TOP, *DAY, "link", "team", "account", "from", "to"}:
        assert f"`{key}`" in DOCUMENTED, key


def test_the_facts_of_an_evening() -> None:
    found = facts()
    assert (found["open"], found["closes_at"], found["closes_at_utc"]) == (False, None, None)
    assert found["opens_at"] == "2026-12-22T09:00:00+01:00"
    assert found["opens_at_utc"] == "2026-12-22T08:00:00Z"
    assert found["state"] == "chiuso, apre domani alle 9:00"
    assert found["days"][0] == {
        "date": "2026-12-21",
        "weekday": 1,
        "open": [{"from": "09:00", "to": "13:00"}, {"from": "14:00", "to": "18:00"}],
        "holiday": False,
        "exception": False,
        "name": "",
        "date_words": "lun 21 dicembre",
        "hours_words": "9:00–13:00, 14:00–18:00",
    }
    friday = found["days"][4]
    assert (friday["date"], friday["open"], friday["holiday"], friday["name"]) == (
        "2026-12-25",
        [],
        True,
        "festivo",
    )
    whatsapp, email, telegram = found["ways"]
    assert (whatsapp["open"], whatsapp["closes_at"]) == (True, "2026-12-21T22:00:00+01:00")
    assert (email["open"], email["opens_at"]) == (False, found["opens_at"])
    assert (telegram["account"], telegram["opens_at_utc"]) == ("care_bot", "2026-12-26T09:00:00Z")
    assert [place["name"] for place in (*found["teams"], *found["accounts"])] == ["returns", "Bot"]


def test_the_facts_of_a_morning() -> None:
    found = facts(MORNING)
    assert (found["open"], found["opens_at"], found["opens_at_utc"]) == (True, None, None)
    assert (found["closes_at"], found["closes_at_utc"]) == (
        "2026-12-21T13:00:00+01:00",
        "2026-12-21T12:00:00Z",
    )


def test_the_day_on_which_the_clock_changes() -> None:
    use(hours="Mo-Su 02:30-05:00", teams={"care": Team(tell=TELL)}, channels={}, accounts=())
    skipped = facts(at("2026-03-29T01:00"))
    assert (skipped["opens_at"], skipped["opens_at_utc"]) == (
        "2026-03-29T03:00:00+02:00",
        "2026-03-29T01:00:00Z",
    )
    repeated = facts(at("2026-10-25T01:00"))
    assert repeated["opens_at"] == "2026-10-25T02:30:00+02:00"
