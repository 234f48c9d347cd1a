"""What must hold of everything that the session did; conftest runs this file last."""

import pytest

from infra.world.model import ChannelName
from tests.e2e.invariants import assert_invariants, assert_opaque
from tests.e2e.stage import CHANNELS, Stage, wait_for


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_night_of_one_customer_leaves_something_to_look_at(stage: Stage, channel: ChannelName) -> None:
    stage.at("2026-12-09 20:15")
    customer = stage.customer(channel)
    customer.say("Vorrei parlare con un operatore")
    customer.hears(1)
    customer.answer("Eccomi, buonasera.")
    customer.hears(2)
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "people are told")


def test_every_invariant_holds(stage: Stage) -> None:
    stage.settle()
    assert_invariants(stage)


def test_no_log_and_no_queue_tells_who_wrote_or_what(stage: Stage) -> None:
    assert_opaque(stage)


def test_nothing_is_left_in_the_dead_letters(stage: Stage) -> None:
    sqs = stage.desk.deployed.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        if "DeadLetters" in url:
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            assert "Messages" not in found, (url, found["Messages"])
