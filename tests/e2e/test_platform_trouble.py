"""Platforms that are slow, full, down or refuse: each send ends as the design says, and says why."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from infra.world.model import ChannelName, Entry, OptionsChange, Setup
from infra.world.telegram_bot import LOCAL_BOT as TELEGRAM
from infra.world.whatsapp_number import LOCAL_NUMBER as WHATSAPP
from sportello.aws.clock import real_now
from sportello.domain.message import Escalation, Message, State
from sportello.domain.model import HOUR, MINUTE, SECOND
from sportello.domain.reasons import Reason
from sportello.services import reply
from tests.e2e.stage import CHANNELS, Customer, Stage, instant, stays, wait_for

MORNING = "2026-12-02 10:00"
EVENING = "2026-12-02 20:15"
ASKED = "La lampada del salotto balla"


@pytest.fixture
def customer(stage: Stage, channel: ChannelName) -> Customer:
    """Somebody who is owed an answer, on a morning."""
    return asking(stage, channel)


def asking(stage: Stage, channel: ChannelName, at: str = MORNING) -> Customer:
    stage.at(at)
    customer = stage.customer(channel)
    customer.say(ASKED)
    return customer


def trouble(customer: Customer, kind: str, **more: object) -> None:
    """The next send to this customer fails like that."""
    customer.stage.desk.client.fault(customer.channel, kind, match=customer.name, **more)


def sends(customer: Customer) -> list[Entry]:
    """Every try to send this customer something, as the platform saw it."""
    address = customer.thread.to.removeprefix("+")
    return [
        entry
        for entry in customer.stage.log()
        if entry.direction == "call" and entry.platform == customer.channel and entry.address == address
    ]


def shown(customer: Customer, row: Message) -> Message:
    """The row as people see it when they look at the thread."""
    return next(message for message in reply.look(customer.thread.id).messages if message.key == row.key)


def never_again(customer: Customer, count: int) -> None:
    """Whatever the sweeper does, the platform is not asked again."""
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    stays(lambda: len(sends(customer)) == count, "it is never sent twice")


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_short_wait_is_waited_for(customer: Customer) -> None:
    trouble(customer, "429", retry_after=1)
    row = customer.answer("Arriva domani.")
    assert customer.hears(1) == ["Arriva domani."]
    customer.row_ends(row.key, "sent")
    assert [entry.status for entry in sends(customer)] == [429, 200]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_long_wait_holds_the_thread_and_its_order(customer: Customer) -> None:
    trouble(customer, "429", retry_after=120)
    before = real_now()
    first = customer.answer("Prima.")
    held = customer.row_is(first.key, lambda row: row.problem == "busy" and row.state == "pending", "busy")
    assert held.due is not None
    assert held.due >= before + 119 * SECOND
    second = customer.answer("Seconda.")
    behind = customer.row_is(second.key, lambda row: row.due == held.due, "behind the hold")
    assert customer.thread.hold == held.due
    assert shown(customer, behind).problem == "busy"
    assert customer.heard() == []
    assert len(sends(customer)) == 1
    assert not customer.thread.owes

    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.hears(2) == ["Prima.", "Seconda."]
    customer.row_ends(second.key, "sent")


@pytest.mark.parametrize("channel", ["telegram"])
def test_an_answer_that_proves_nothing_is_unknown(customer: Customer) -> None:
    """Telegram's 500 does not say whether the message went out."""
    trouble(customer, "500")
    row = customer.answer("Arriva domani.")
    assert customer.row_ends(row.key, "unknown").code == "500"
    assert shown(customer, row).problem == "unknown"
    never_again(customer, 1)


@pytest.mark.parametrize("channel", ["whatsapp"])
@pytest.mark.parametrize("kind", ["500", "503"])
def test_what_the_platform_says_was_not_sent_is_sent_later(customer: Customer, kind: str) -> None:
    trouble(customer, kind)
    row = customer.answer("Arriva domani.")
    waits = customer.row_is(row.key, lambda row: row.problem == "temporary", "temporary")
    assert waits.state is State.PENDING
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.hears(1) == ["Arriva domani."]
    assert not customer.row_ends(row.key, "sent").problem


def test_who_hangs_after_accepting_is_not_asked_again(stage: Stage) -> None:
    """WhatsApp's receipt brings our data back and proves the send; Telegram never tells."""
    telegram, whatsapp = asking(stage, "telegram"), asking(stage, "whatsapp")
    rows = {}
    for customer in (telegram, whatsapp):
        trouble(customer, "hang_after_accepting", seconds=9)
        rows[customer.name] = customer.answer("Arriva domani.").key
    assert whatsapp.row_ends(rows[whatsapp.name], "sent").receipt in ("sent", "delivered")
    assert telegram.row_ends(rows[telegram.name], "unknown").code == "no_answer"
    for customer in (telegram, whatsapp):
        assert customer.heard() == ["Arriva domani."]
        never_again(customer, 1)
        assert not customer.thread.owes


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_automatic_reply_with_an_unknown_end_is_not_repeated(stage: Stage, channel: ChannelName) -> None:
    stage.at(EVENING)
    customer = stage.customer(channel)
    trouble(customer, "reset")
    customer.say(ASKED)
    (row,) = customer.outbox()
    ended = customer.row_ends(row.key, "unknown")
    assert (ended.problem, ended.code) == ("unknown", "no_answer")
    never_again(customer, 1)
    customer.say("Ci siete?")
    stays(
        lambda: customer.heard() == [], "nobody knows whether the hours were told, so nobody tells them again"
    )


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_expired_token_waits_for_somebody_to_reconnect(customer: Customer) -> None:
    trouble(customer, "token_expired")
    row = customer.answer("Arriva domani.")
    waits = customer.row_is(row.key, lambda row: row.problem == "reconnect", "reconnect")
    assert waits.state is State.PENDING
    assert waits.due is not None
    assert waits.due >= real_now() + 4 * MINUTE
    assert shown(customer, row).problem == "reconnect"
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.hears(1) == ["Arriva domani."]


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_a_window_that_the_platform_calls_closed_gives_the_debt_back(customer: Customer) -> None:
    trouble(customer, "window_closed")
    row = customer.answer("Arriva domani.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("window_closed", "131047")
    owes_again(customer)


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_a_window_that_we_know_to_be_closed_is_not_asked_about(customer: Customer) -> None:
    customer.stage.at("2026-12-03 09:50")
    trouble(customer, "429", retry_after=900)
    row = customer.answer("Arriva domani.")
    customer.row_is(row.key, lambda row: row.problem == "busy", "busy")
    customer.stage.at("2026-12-03 10:05")
    with pytest.raises(reply.NotAllowed, match="window_closed"):
        customer.answer("Troppo tardi.")
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.row_ends(row.key, "failed").problem == "window_closed"
    assert [entry.status for entry in sends(customer)] == [429]
    owes_again(customer)


def owes_again(customer: Customer) -> None:
    """The old debt is back, and people are called."""
    thread = customer.thread
    assert thread.owed_since == instant(MORNING)
    assert thread.first == ASKED
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "people are told")
    (call,) = customer.calls()
    assert [why.why for why in call.whys] == [Reason.SEND_FAILED]


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_a_failed_receipt_gives_the_debt_back(customer: Customer) -> None:
    trouble(customer, "failed_later", code="131026")
    row = customer.answer("Arriva domani.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("unreachable", "131026")
    owes_again(customer)
    never_again(customer, 1)


@pytest.mark.parametrize("channel", ["telegram"])
def test_who_has_blocked_us_cannot_be_reached(customer: Customer) -> None:
    trouble(customer, "blocked")
    row = customer.answer("Arriva domani.")
    assert customer.row_ends(row.key, "failed").problem == "unreachable"
    owes_again(customer)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_reply_that_could_not_be_sent_for_hours_has_failed(customer: Customer) -> None:
    trouble(customer, "token_expired", times=None)
    row = customer.answer("Arriva domani.")
    customer.row_is(row.key, lambda row: row.problem == "reconnect", "reconnect")
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.set_row(customer.thread.id, row.key, not_after=real_now() - 1)
    customer.stage.sweep()
    assert customer.row_ends(row.key, "failed").problem == "reconnect"
    owes_again(customer)


# --- automatic replies that nobody wants any more ------------------------------------------------------


def waiting_reply(stage: Stage, channel: ChannelName) -> tuple[Customer, Message]:
    """An evening on which the closed-hours reply could not be sent at once."""
    stage.at(EVENING)
    customer = stage.customer(channel)
    trouble(customer, "429", retry_after=60)
    customer.say(ASKED)
    (row,) = customer.outbox()
    return customer, customer.row_is(row.key, lambda row: row.problem == "busy", "busy")


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_reply_that_comes_too_late_is_cancelled(stage: Stage, channel: ChannelName) -> None:
    customer, row = waiting_reply(stage, channel)
    stage.at("2026-12-03 09:01")
    stage.rows_come_due(customer.thread.id)
    stage.sweep()
    assert customer.row_ends(row.key, "cancelled").problem == "expired"
    assert customer.heard() == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_reply_that_a_person_has_overtaken_is_cancelled(stage: Stage, channel: ChannelName) -> None:
    customer, row = waiting_reply(stage, channel)
    customer.answer("Sono qui.")
    stage.rows_come_due(customer.thread.id)
    stage.sweep()
    assert customer.row_ends(row.key, "cancelled").problem == "person_answered"
    assert customer.hears(1) == ["Sono qui."]


@pytest.mark.parametrize("channel", CHANNELS)
def test_more_automatic_replies_than_the_cap_are_cancelled(stage: Stage, channel: ChannelName) -> None:
    at = stage.at(EVENING)
    customer = stage.customer(channel)
    account = {"whatsapp": WHATSAPP.id, "telegram": TELEGRAM.id}[channel]
    stage.desk.deployed.client("dynamodb").put_item(
        TableName=stage.desk.deployed.outputs["TableName"],
        Item={
            "PK": {"S": f"CAP#{channel}#{account}"},
            "SK": {"S": f"H#{at // HOUR}"},
            "used": {"N": str(stage.person().desk.policy.automatic_per_hour)},
        },
    )
    customer.say(ASKED)
    (row,) = customer.outbox()
    assert customer.row_ends(row.key, "cancelled").problem == "cap"
    assert customer.heard() == []
    assert customer.thread.owes


# --- a sender that dies --------------------------------------------------------------------------------


@pytest.fixture
def impatient_queue(stage: Stage) -> Iterator[None]:
    """What a dead sender held comes back after a second instead of six minutes."""
    url = stage.desk.deployed.outputs["OutboxQueueUrl"]
    sqs = stage.desk.deployed.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "360"})


@pytest.fixture
def no_receipts(stage: Stage) -> Iterator[None]:
    stage.desk.client.setup(Setup(options=OptionsChange(receipts="off")))
    yield
    stage.desk.client.setup(Setup(options=OptionsChange(receipts="on")))


@pytest.mark.usefixtures("impatient_queue", "no_receipts")
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_sender_killed_while_it_sends_leaves_unknown(customer: Customer) -> None:
    trouble(customer, "hang_after_accepting", seconds=3)
    row = customer.answer("Arriva domani.")
    customer.hears(1)
    held = customer.row_is(row.key, lambda row: row.state is State.SENDING, "sending")
    assert held.lease is not None
    assert held.lease > real_now()
    for pid in workers(customer.stage, "SenderFunction"):
        os.kill(pid, signal.SIGKILL)
    stays(lambda: customer.outbox()[-1].state is State.SENDING, "nobody touches it during the lease", 3)
    never_again(customer, 1)
    assert customer.row_ends(row.key, "unknown").code == "lease_ended"
    never_again(customer, 1)
    assert customer.heard() == ["Arriva domani."]


def workers(stage: Stage, function: str) -> list[int]:
    """Processes that run a function of this desk: children of its engine."""
    engine = stage.desk.engine._process
    assert engine is not None
    ps = ["ps", "-ww", "-s", str(engine.pid), "-o", "pid=", "-o", "args="]
    listed = subprocess.run(ps, capture_output=True, text=True, check=True).stdout
    found = [line.split(maxsplit=1) for line in listed.splitlines()]
    pids = [int(pid) for pid, args in found if stage.functions[function] in args]
    assert pids, f"no process of {function}: {listed}"
    return pids


# --- people who cannot be told -------------------------------------------------------------------------


@pytest.fixture
def stranger(stage: Stage) -> Customer:
    stage.at(MORNING)
    return stage.customer("telegram")


def asks_for_a_person(customer: Customer) -> Escalation:
    customer.say("Vorrei parlare con un operatore")
    return customer.calls()[0]


def call_is(customer: Customer, wanted: Callable[[Escalation], bool], what: str) -> Escalation:
    wait_for(lambda: wanted(customer.calls()[0]), what, state=lambda: str(customer.calls()))
    return customer.calls()[0]


def the_call_comes_due(customer: Customer) -> None:
    (call,) = customer.calls()
    assert call.due is not None
    customer.stage.set_row(customer.thread.id, call.key, due=real_now() - 1)
    customer.stage.sweep()


def test_a_slack_that_is_gone_does_not_keep_the_mailbox_from_hearing(stranger: Customer) -> None:
    stranger.stage.desk.client.fault("slack", "404")
    asks_for_a_person(stranger)
    call = call_is(stranger, lambda call: call.due is None, "done")
    assert call.refused == {"slack-care": "404 no_service"}
    assert [target[:5] for target in call.told] == ["email"]
    assert (len(stranger.posts()), len(stranger.letters())) == (0, 1)


@pytest.mark.parametrize(
    ("platform", "kind", "times", "first"),
    [("slack", "500", 1, (0, 1)), ("slack", "429", 1, (0, 1)), ("mail", "throttled", 3, (1, 0))],
)
def test_one_target_that_fails_for_now_is_tried_again_alone(
    stranger: Customer, platform: Literal["slack", "mail"], kind: str, times: int, first: tuple[int, int]
) -> None:
    stranger.stage.desk.client.fault(platform, kind, times=times)
    before = real_now()
    asks_for_a_person(stranger)
    call = call_is(
        stranger,
        lambda call: len(call.told) == 1 and call.due is not None and call.due < before + MINUTE / 2,
        "again",
    )
    assert not call.refused
    assert (len(stranger.posts()), len(stranger.letters())) == first
    the_call_comes_due(stranger)
    call_is(stranger, lambda call: call.due is None and len(call.told) == 2, "everybody has heard")
    assert (len(stranger.posts()), len(stranger.letters())) == (1, 1)


def test_a_second_reason_is_added_to_the_same_call(stranger: Customer) -> None:
    asks_for_a_person(stranger)
    call_is(stranger, lambda call: call.due is None, "done")
    stranger.say("È urgente!")
    call = call_is(stranger, lambda call: len(call.whys) == 2 and call.due is None, "both reasons are told")
    assert [why.why for why in call.whys] == [Reason.ASKS_PERSON, Reason.URGENT]
    assert (len(stranger.posts()), len(stranger.letters())) == (2, 2)
