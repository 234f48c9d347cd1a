"""What needs the outside, on the real template: queue, function, secret, signature, the company."""

from collections.abc import Callable

import pytest

from sportello.aws import enquiries, facts, store
from sportello.aws.clock import now, real_now
from sportello.aws.outbox import Address
from sportello.domain.message import Enquiry
from sportello.domain.model import MINUTE
from sportello.services.effects import kick
from tests.e2e.stage import Customer, Stage, wait_for

MORNING = "2026-12-03 10:00"


@pytest.fixture
def morning(stage: Stage) -> Stage:
    stage.at(MORNING)
    return stage


def asks(customer: Customer, *what: str, due: int = 0) -> Address:
    """An enquiry about the customer's last message, as ``decide`` has it where the desk asks a company."""
    cause = customer.thread.last_in
    thread = store.read_thread(customer.thread.id, consistent=True).thread
    assert thread is not None
    key = f"{cause}~consult"
    row = Enquiry(key, cause, what, now() + MINUTE, due=due or real_now() + MINUTE)
    assert store.commit(store.Commit(thread, thread, real_now() // 1_000 + 3_600, enquiries=(row,))) == (
        store.Committed()
    )
    return Address(thread.id, key)


def answered(address: Address) -> Callable[[], bool]:
    def is_done() -> bool:
        row = enquiries.read(address)[1]
        return row is not None and row.done is not None

    return is_done


def problems(address: Address) -> tuple[str, ...]:
    row = enquiries.read(address)[1]
    assert row is not None
    return row.problems


def test_the_company_s_facts_reach_the_desk(morning: Stage) -> None:
    customer = morning.customer("whatsapp")
    customer.say("Guardate qui", kind="media", media="photo")  # no frequent question
    address = asks(customer, "facts")
    kick(address.thread, (address.key,))

    wait_for(answered(address), "an answer", state=lambda: str(enquiries.read(address)))

    assert problems(address) == ()
    assert facts.read(address.thread).customer.name == customer.name
    number = f"+{morning.desk.world.state.person(customer.name).wa_id}"
    asked = [entry for entry in morning.log() if entry.platform == "company" and entry.address == number]
    assert [entry.status for entry in asked] == [200]


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("hang", "hook_slow"), ("huge", "hook_huge"), ("redirect", "hook_refused_302"), ("wrong", "hook_wrong")],
)
def test_a_company_in_trouble_is_a_code(morning: Stage, kind: str, problem: str) -> None:
    customer = morning.customer("telegram")
    customer.say("Guardate qui", kind="media", media="photo")  # no frequent question
    address = asks(customer, "facts")
    morning.desk.client.fault("company", kind)
    kick(address.thread, (address.key,))

    wait_for(answered(address), "an answer", state=lambda: str(enquiries.read(address)))

    assert problems(address) == (problem,)
    assert customer.thread.owes


def test_what_a_lost_kick_left_is_asked_by_the_sweeper(morning: Stage) -> None:
    customer = morning.customer("telegram")
    customer.say("Guardate qui", kind="media", media="photo")  # no frequent question
    address = asks(customer, "facts", due=real_now() - MINUTE)

    assert morning.sweep()["kicked_consult"] >= 1
    wait_for(answered(address), "an answer", state=lambda: str(enquiries.read(address)))
