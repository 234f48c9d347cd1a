"""A company that tells of its orders: to who ordered, day and night, and to nobody else."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.engine.package import TEMPLATES
from infra.world.company import HOST, order_of
from tests.e2e.conftest import running
from tests.e2e.stage import Customer, Stage, wait_for

EVENING, MORNING = "2026-12-09 20:15", "2026-12-10 10:00"
STATE = "in viaggio"
HOOK = f"""
hook:
  url: https://{HOST}/
  order_pattern: '\\b\\d{{8}}\\b'
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A desk of its own: the one that is shipped asks no company."""
    templates = Path(shutil.copytree(TEMPLATES, tmp_path_factory.mktemp("company") / "templates"))
    with (templates / "desk.yaml").open("a", encoding="utf-8") as file:
        file.write(HOOK)
    with running(tmp_path_factory.mktemp("desk"), templates=templates) as stage:
        yield stage


@pytest.fixture
def stage(own: Stage) -> Stage:
    own.use()
    own.desk.client.clear()
    return own


def number_of(customer: Customer) -> str:
    person = customer.stage.desk.world.state.known(customer.name)
    assert person is not None
    return order_of(person)


def writes(stage: Stage, channel: str) -> Customer:
    """Somebody whom the company knows from then on."""
    customer = stage.customer(channel)
    customer.say("Buonasera")
    wait_for(lambda: not asks_outside(customer), "the company has said who that is")
    return customer


def enquiries(customer: Customer) -> list[dict[str, Any]]:
    """What the company was asked about them."""
    own = f"T#{customer.thread.id}"
    return [item for item in customer.stage.items() if item["PK"]["S"] == own and "asks" in item]


def asks_outside(customer: Customer) -> bool:
    return any("done" not in row for row in enquiries(customer))


@pytest.mark.parametrize("moment", [EVENING, MORNING])
def test_who_ordered_hears_of_it_day_and_night(stage: Stage, moment: str) -> None:
    stage.at(moment)
    customer = writes(stage, "whatsapp")
    before = 1 if moment == EVENING else 0
    customer.hears(before)
    customer.say(f"Dov'è il mio ordine {number_of(customer)}?")
    told = customer.hears(before + 1)[-1]
    assert number_of(customer) in told
    assert STATE in told
    customer.say("Sì, grazie!")
    customer.hears(before + 2)
    assert not customer.thread.owes
    assert customer.posts() == []


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_nobody_hears_of_another_s_order(stage: Stage, channel: str) -> None:
    stage.at(MORNING)
    theirs = number_of(writes(stage, "whatsapp"))
    customer = writes(stage, channel)
    customer.say(f"Dov'è il mio ordine {theirs}?")
    heard = customer.hears(1)
    wait_for(lambda: len(customer.posts()) == 1, "people are called")
    assert all(STATE not in text for text in heard)
    assert customer.thread.owes


@pytest.mark.parametrize("trouble", ["500", "hang", "wrong", "huge", "hostile"])
def test_a_company_in_trouble_tells_nothing_and_people_follow(stage: Stage, trouble: str) -> None:
    stage.at(EVENING)
    customer = writes(stage, "whatsapp")
    customer.hears(1)
    stage.desk.client.fault("company", trouble)
    customer.say(f"Dov'è il mio ordine {number_of(customer)}?")
    wait_for(lambda: not asks_outside(customer), "the company is waited for no longer")
    stage.settle()
    stage.desk.client.clear()
    found = [row for row in enquiries(customer) if "problems" in row]
    assert len(found) == (0 if trouble == "hostile" else 1), found  # its words are JSON like any other's
    assert all(STATE not in text and "<" not in text for text in customer.heard())
    assert customer.thread.owes
