"""``connect hook`` and what ``doctor`` says of it, against the local world's company."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli import hook
from infra.cli.app import app
from infra.cli.hook import check_hook
from infra.world.company import HOST, LOCAL_SECRET, order_of
from infra.world.faults import Fault
from infra.world.people import invent
from infra.world.server import World
from sportello.aws import breaker, secrets
from sportello.aws.environment import environment
from sportello.domain.desk import Hook
from sportello.domain.facts import CustomerFacts
from sportello.domain.proof import contact_hash
from sportello.services import company
from sportello.services.company import Company, Question, ask
from tests.unit.builders import DESK

URL = f"https://{HOST}/sportello"
ASKING = DESK.model_copy(update={"hook": Hook(url=URL, order_pattern=r"\b\d{8}\b")})


@pytest.fixture
def world() -> Iterator[World]:
    with World() as found:
        yield found


class Kept(dict[str, str]):
    """What is stored below ``/<stack>/hook/``."""

    def write(self, folder: str, name: str, text: str) -> None:
        assert folder == "hook"
        self[name] = text

    @property
    def secret(self) -> Any:
        return json.loads(self["main"])


@pytest.fixture
def kept(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    found = Kept()
    for name in ("TABLE", "OUTBOX_QUEUE_URL", "ESCALATION_QUEUE_URL", "MEDIA_QUEUE_URL", "CONSULT_QUEUE_URL"):
        monkeypatch.setenv(name, "x")
    for name in ("BUCKET", "ID_SALT", "STACK"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PLATFORMS", world.url)
    environment.cache_clear()
    monkeypatch.setattr(hook, "place_of", lambda _: None)
    monkeypatch.setattr(hook, "bundle", lambda: type("Bundle", (), {"desk": ASKING}))
    monkeypatch.setattr(secrets, "read_secrets", lambda folder: dict(found))
    monkeypatch.setattr(secrets, "write_secret", found.write)
    monkeypatch.setattr(breaker, "read", breaker.State)
    yield found
    environment.cache_clear()


def connect(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("connect", "hook", *arguments))


def test_the_first_time_a_secret_is_made_and_said_once(kept: Kept) -> None:
    told = connect()

    assert told.exit_code == 1  # the company has not been told the secret yet
    assert kept.secret["secret"] in told.stdout
    assert "answers 401" in told.stderr
    assert kept.secret["secret"] not in connect().stdout


def test_a_system_that_knows_the_secret_is_connected(kept: Kept) -> None:
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})

    told = connect()

    assert told.exit_code == 0, told.output
    assert "Checked" in told.stdout
    assert kept.secret == {"secret": LOCAL_SECRET}
    assert LOCAL_SECRET not in told.output


def test_an_address_of_its_own_is_kept_with_the_secret(kept: Kept) -> None:
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})

    assert connect("--url", f"https://{HOST}/other").exit_code == 0
    assert kept.secret == {"secret": LOCAL_SECRET, "url": f"https://{HOST}/other"}
    assert connect().exit_code == 0
    assert kept.secret["url"] == f"https://{HOST}/other"


def test_a_new_secret_takes_the_place_of_the_old_one(kept: Kept) -> None:
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})

    assert connect("--new-secret").exit_code == 1
    assert kept.secret["secret"] != LOCAL_SECRET


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("wrong", "form"),
        ("huge", "64 KB"),
        ("redirect", "302"),
        ("401", "401"),
        ("500", "500"),
        ("reset", "nobody answers"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(kept: Kept, world: World, kind: str, told: str) -> None:
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})
    world.faults.add(Fault(platform="company", kind=kind))

    result = connect()

    assert result.exit_code == 1
    assert told in result.stderr


def test_a_system_that_answers_whoever_asks_is_no_good(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})
    monkeypatch.setattr("infra.world.company._signed", lambda _: True)

    assert "whoever asks" in connect().stderr


def codes() -> list[list[str]]:
    return [[finding.code for finding in checked.findings] for checked in check_hook(ASKING)]


def test_the_doctor_looks_where_the_desk_asks(kept: Kept, world: World) -> None:
    assert list(check_hook(DESK)) == []
    assert codes() == [["hook_off"]]
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})
    assert codes() == [[]]
    world.faults.add(Fault(platform="company", kind="500"))
    assert codes() == [["hook_refused_500"]]


def test_the_doctor_says_that_it_is_left_alone(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept["main"] = json.dumps({"secret": LOCAL_SECRET})
    monkeypatch.setattr(breaker, "read", lambda: breaker.State(5, 60_000, 1))

    assert codes() == [["hook_open"]]


# --- the local company itself -------------------------------------------------------------------------


@pytest.fixture
def work(kept: Kept, world: World, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(breaker, "turn", lambda _: breaker.State())
    monkeypatch.setattr(breaker, "failed", lambda *_: False)
    return Company(ASKING.hook, lambda: {"main": json.dumps({"secret": LOCAL_SECRET})}, world.url)


def test_everybody_in_the_world_has_an_order(work: Company, world: World) -> None:
    one, two = (world.state.person(name) for name in ("Customer One", "Customer Two"))
    own, others = order_of(one), order_of(two)

    told = ask(work, Question("m", ("customer", "order"), "t" * 26, "whatsapp", f"+{one.wa_id}", (own,)))
    assert told.customer == CustomerFacts(tier="gold", name="Customer One", since="2019")
    assert [order.number for order in told.orders] == [own]

    told = ask(work, Question("m", ("order",), "t" * 26, "whatsapp", f"+{one.wa_id}", (others,)))
    assert told.orders == ()
    assert own != others == order_of(invent("Customer Two", ()))


def test_by_mail_it_is_the_same_customer(work: Company, world: World) -> None:
    one = world.state.person("Customer One")
    address = world.channels["email"].address(one)

    told = ask(work, Question("m", ("customer", "order"), "t" * 26, "email", address, (order_of(one),)))
    assert told.customer is not None
    assert len(told.orders) == 1
    assert contact_hash(address)


@pytest.mark.parametrize("kind", ["hostile", "wrong", "huge", "redirect", "404", "429"])
def test_its_faults_are_what_they_are_called(work: Company, world: World, kind: str) -> None:
    one = world.state.person("Customer One")
    world.faults.add(Fault(platform="company", kind=kind))

    told = ask(work, Question("m", ("order",), "t" * 26, "whatsapp", f"+{one.wa_id}", (order_of(one),)))

    expected = {"hostile": "", "wrong": "hook_wrong", "huge": "hook_huge", "redirect": "hook_refused_302"}
    assert told.problem == expected.get(kind, f"hook_refused_{kind}")
    assert told.orders == ()
    assert company.LIMIT < 100_000
