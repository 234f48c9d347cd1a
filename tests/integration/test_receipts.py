"""What came back of what we sent: receipts, our own echoes, and what people wrote elsewhere."""

from typing import Any

import pytest

from sportello.aws import history, threads
from sportello.channels.base import NotSent, Problem, Unknown
from sportello.domain.events import Kind, Receipt
from sportello.domain.model import MINUTE, SECOND
from sportello.services import reply
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    ACCOUNT,
    CLOSED,
    OPEN,
    Stage,
    address_of,
    calls,
    change_row,
    echo,
    heard,
    inbound,
    kicks,
    only_row,
    only_thread,
    outbox,
    scan,
    thread_id,
)


def receipt(status: str, row: dict[str, Any] | None = None, **fields: Any) -> Receipt:
    tag = address_of(row).tag if row else ""
    values: dict[str, Any] = {"account": ACCOUNT, "id": "sent-1", "status": status, "time": OPEN, "tag": tag}
    return Receipt(**(values | fields))


def answered(stage: Stage) -> dict[str, Any]:
    """A person's reply that settled a debt and was sent; its row."""
    stage.take(inbound("Owed"))
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), "An answer")
    assert stage.send(only_row()) == "sent"
    assert "owed_since" not in only_thread()
    return only_row()


def told_hours(stage: Stage) -> dict[str, Any]:
    stage.now = CLOSED
    stage.take(inbound("Closed?", at=CLOSED))
    return only_row()


# --- receipts ---------------------------------------------------------------------------------------


def test_receipts_move_forward_only(stage: Stage) -> None:
    row = answered(stage)
    for status, outcome, kept in (
        ("delivered", "receipt", "delivered"),
        ("sent", "old_receipt", "delivered"),
        ("delivered", "old_receipt", "delivered"),
        ("read", "receipt", "read"),
        ("delivered", "old_receipt", "read"),
    ):
        assert stage.take(receipt(status, row)) == {outcome: 1}
        assert (only_row()["receipt"], only_row()["state"]) == (kept, "sent")


def test_a_receipt_is_one_call(stage: Stage, aws: Faults) -> None:
    row = answered(stage)
    seen = aws.watch()
    stage.take(receipt("read", row))
    assert seen == ["dynamodb.UpdateItem"]


def test_a_failed_receipt_is_three_calls_at_most(stage: Stage, aws: Faults) -> None:
    row = answered(stage)
    seen = aws.watch()
    stage.take(receipt("failed", row, code="131049", problem="refused"))
    assert len([call for call in seen if not call.startswith("sqs")]) <= 3


@pytest.mark.parametrize("tag", ["", "somebody else's", "x" * 26 + " M#1", "x" * 26 + " T", "x" * 500])
@pytest.mark.parametrize("status", ["read", "failed"])
def test_what_is_not_of_our_sending_changes_nothing(stage: Stage, tag: str, status: str) -> None:
    answered(stage)
    before = scan()
    (outcome,) = stage.take(receipt(status, tag=tag))
    assert outcome in ("not_ours", "old_receipt")
    assert scan() == before


def test_receipts_never_move_a_message_of_a_customer(stage: Stage) -> None:
    stage.take(inbound("Owed"))
    before = scan()
    (message,) = heard()
    stage.take(receipt("read", message), receipt("failed", message, problem="refused"))
    assert scan() == before


def test_a_receipt_for_a_row_that_waits_changes_nothing(stage: Stage) -> None:
    row = told_hours(stage)
    before = scan()
    stage.take(receipt("read", row), receipt("failed", row, problem="refused"))
    assert scan() == before


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_a_receipt_settles_a_send_with_an_unknown_end(stage: Stage, status: str) -> None:
    row = told_hours(stage)
    stage.channel.script = [Unknown(code="timeout")]
    assert stage.send(row) == "unknown"
    assert (only_row()["state"], only_row()["code"]) == ("unknown", "timeout")
    assert stage.take(receipt(status, row)) == {"receipt": 1}
    done = only_row()
    assert (done["state"], done["id"], done["receipt"]) == ("sent", "sent-1", status)
    assert not {"problem", "code", "due", "due_shard"} & done.keys()


def test_a_receipt_may_be_quicker_than_the_senders_own_record(stage: Stage) -> None:
    row = told_hours(stage)
    stage.channel.meanwhile = lambda: stage.take(receipt("delivered", row))
    assert stage.send(row) == "sent"
    assert (only_row()["state"], only_row()["receipt"]) == ("sent", "delivered")


def test_a_failed_receipt_gives_the_debt_back_and_calls_people(stage: Stage) -> None:
    row = answered(stage)
    kicks("escalation")
    stage.now = OPEN + 5 * MINUTE
    event = receipt("failed", row, code="131049", problem="refused")
    assert stage.take(event) == {"failed": 1}
    failed, thread, (call,) = only_row(), only_thread(), calls()
    assert (failed["state"], failed["problem"], failed["code"]) == ("failed", "refused", "131049")
    assert (thread["owed_since"], thread["first"]) == (OPEN, "Owed")
    assert [why["why"] for why in call["whys"]] == ["send_failed"]
    assert kicks("escalation") == [(thread_id(), call["SK"])]
    assert threads.owing_threads("care")[0]["owed_since"] == OPEN
    assert stage.take(event) == {"old_receipt": 1}
    assert len(calls()) == 1


def test_a_call_that_exists_already_does_not_keep_a_failed_row_from_its_end(stage: Stage) -> None:
    row = answered(stage)
    change_row({"PK": row["PK"], "SK": f"{row['SK']}~failed~call"}, whys=[])
    assert stage.take(receipt("failed", row, problem="refused")) == {"failed": 1}
    assert [row["state"] for row in outbox()] == ["failed"]
    assert only_thread()["owed_since"] == OPEN


def test_a_failed_receipt_is_all_or_nothing(stage: Stage, aws: Faults) -> None:
    row = answered(stage)
    before = scan()
    aws.inject("dynamodb.TransactWriteItems", fault.broken, times=3)
    with pytest.raises(Exception, match="InternalServerError"):
        stage.take(receipt("failed", row, problem="refused"))
    assert scan() == before
    assert kicks("escalation") == []


def test_a_debt_that_returns_never_becomes_younger(stage: Stage) -> None:
    """The customer wrote again after the answer that was never delivered."""
    row = answered(stage)
    stage.now = OPEN + 3 * MINUTE
    stage.take(inbound("Again", id="m2", at=OPEN + 3 * MINUTE))
    stage.take(receipt("failed", row, problem="unreachable"))
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN, "Owed")


def test_a_message_between_read_and_commit_does_not_stop_a_failure(stage: Stage, aws: Faults) -> None:
    row = answered(stage)
    stage.now = OPEN + 3 * MINUTE
    aws.between(lambda: stage.take(inbound("Again", id="m2", at=OPEN + 3 * MINUTE)))
    assert stage.take(receipt("failed", row, problem="refused")) == {"failed": 1}
    assert (only_thread()["owed_since"], len(calls()), len(heard())) == (OPEN, 1, 2)


def test_an_automatic_reply_that_failed_is_shown_and_calls_nobody(stage: Stage) -> None:
    row = told_hours(stage)
    assert stage.send(row) == "sent"
    stage.take(receipt("failed", row, code="131026", problem="unreachable"))
    assert (only_row()["state"], only_row()["problem"]) == ("failed", "unreachable")
    assert calls() == []
    assert only_thread()["owed_since"] == CLOSED


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_failed_receipt_ends_a_row_that_has_not_ended(stage: Stage, state: str) -> None:
    row = answered(stage)
    change_row(row, state=state)
    assert stage.take(receipt("failed", row, problem="refused")) == {"failed": 1}
    assert (only_row()["state"], only_thread()["owed_since"]) == ("failed", OPEN)


def test_a_receipt_that_meets_a_transaction_is_tried_again(stage: Stage, aws: Faults) -> None:
    row = answered(stage)
    met = aws.inject("dynamodb.UpdateItem", fault.conflict_of_one_write, times=2)
    assert stage.take(receipt("read", row)) == {"receipt": 1}
    assert (len(met), only_row()["receipt"]) == (2, "read")


# --- echoes -----------------------------------------------------------------------------------------


def test_a_persons_words_elsewhere_settle_what_is_older(stage: Stage) -> None:
    stage.take(inbound("First", id="m1"), inbound("Second", id="m2", at=OPEN + SECOND))
    stage.now = OPEN + MINUTE
    assert stage.take(echo(at=OPEN + MINUTE)) == {"echo": 1}
    assert "owed_since" not in only_thread()
    assert threads.owing_threads("care") == []
    assert only_thread()["pu"] > stage.now
    assert stage.take(echo(at=OPEN + MINUTE)) == {"duplicate": 1}


def test_what_is_newer_than_those_words_stays_owed_from_its_own_time(stage: Stage) -> None:
    stage.now = OPEN + 30 * SECOND
    stage.take(inbound("First", id="m1"))
    stage.take(inbound("Second", id="m2", at=OPEN + 10 * SECOND))
    stage.take(inbound("Third", id="m3", at=OPEN + 20 * SECOND))
    stage.now = OPEN + MINUTE
    assert stage.take(echo(at=OPEN + 5 * SECOND)) == {"echo": 1}
    thread = only_thread()
    assert (thread["owed_since"], thread["first"]) == (OPEN + 10 * SECOND, "Second")
    assert [row["owed_since"] for row in threads.owing_threads("care")] == [OPEN + 10 * SECOND]


def test_words_in_the_same_second_are_told_apart_by_sequence(stage: Stage) -> None:
    stage.take(inbound("First", id="m1", sequence=1), inbound("Third", id="m3", sequence=3))
    stage.take(echo(sequence=2))
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN, "Third")


def test_a_reaction_after_the_answer_leaves_nothing_owed(stage: Stage) -> None:
    stage.take(inbound("First", id="m1"))
    stage.take(inbound("\U0001f44d", id="m2", at=OPEN + 20 * SECOND, kind=Kind.REACTION, quote="m1"))
    stage.take(echo(at=OPEN + 10 * SECOND))
    assert "owed_since" not in only_thread()


def test_a_message_between_read_and_commit_is_not_settled_unseen(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("First", id="m1"))
    stage.now = OPEN + MINUTE
    aws.between(lambda: stage.take(inbound("Second", id="m2", at=OPEN + 30 * SECOND)))
    assert stage.take(echo(at=OPEN + 20 * SECOND)) == {"echo": 1}
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN + 30 * SECOND, "Second")


def test_an_automatic_greeting_settles_nothing(stage: Stage) -> None:
    stage.take(inbound("First"))
    assert stage.take(echo("Welcome!", author="automatic", at=OPEN + SECOND)) == {"echo": 1}
    assert only_thread()["owed_since"] == OPEN
    assert "pu" not in only_thread()


def test_an_echo_may_open_a_thread_and_owes_nothing(stage: Stage) -> None:
    stage.now = CLOSED
    assert stage.take(echo(at=CLOSED)) == {"echo": 1}
    assert outbox() == calls() == threads.owing_threads("care") == []
    assert [message.text for message in history.messages(thread_id())] == ["Here I am"]


def test_our_own_send_coming_back_proves_that_it_was_taken(stage: Stage) -> None:
    row = told_hours(stage)
    stage.channel.script = [Unknown(code="timeout")]
    stage.send(row)
    rows = len(scan())
    assert stage.take(echo(id="sent-1", tag=address_of(row).tag)) == {"receipt": 1}
    assert (only_row()["state"], only_row()["id"]) == ("sent", "sent-1")
    assert len(scan()) == rows, "it is no message of its own"
    assert "pu" not in only_thread()
    assert only_thread()["owed_since"] == CLOSED


def test_a_tag_of_somebody_else_is_a_persons_word(stage: Stage) -> None:
    """Another system of the company answers through the same number with data of its own."""
    stage.take(inbound("First"))
    stage.now = OPEN + MINUTE
    stage.take(echo(tag="crm-42", at=OPEN + MINUTE))
    assert [message.text for message in history.messages(thread_id())] == ["First", "Here I am"]


def test_a_refused_send_is_not_confirmed_by_an_older_echo(stage: Stage) -> None:
    row = answered(stage)
    change_row(row, state="pending")
    stage.channel.script = [NotSent(problem=Problem.REFUSED, code="1")]
    assert stage.send(only_row()) == "failed_refused"
    assert stage.take(echo(id="sent-1", tag=address_of(row).tag)) == {"old_receipt": 1}
    assert only_row()["state"] == "failed"
