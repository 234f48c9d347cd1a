"""Answered 200 means stored exactly once, with everything that the message causes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from sportello.aws import history, threads
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND
from sportello.services import reply
from sportello.services.context import Busy
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    CLOSED,
    OPEN,
    OPENING,
    Stage,
    calls,
    heard,
    inbound,
    kicks,
    only_row,
    only_thread,
    outbox,
    put_row,
    scan,
    thread_id,
)

PERSON_PLEASE = "Posso parlare con una persona vera?"


def test_a_message_is_stored_once_however_often_it_comes(stage: Stage) -> None:
    message = inbound("Where is my parcel?")
    assert stage.take(message) == {"stored": 1}
    assert stage.take(message, message) == {"duplicate": 2}
    (row,) = heard()
    assert (row["text"], row["owes"], row["why"]) == ("Where is my parcel?", True, ["owes"])
    assert only_thread()["owed_since"] == message.time


def test_sixteen_at_once_store_it_once_with_its_effects(stage: Stage) -> None:
    stage.now = CLOSED
    message = inbound(PERSON_PLEASE, at=CLOSED)
    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(lambda _: stage.take(message), range(16)))
    assert sorted(str(count) for count in counts) == ["{'duplicate': 1}"] * 15 + ["{'stored': 1}"]
    assert (len(heard()), len(outbox()), len(calls())) == (1, 1, 1)


def test_many_messages_shuffled_among_threads_are_all_stored_once(stage: Stage) -> None:
    stage.now = CLOSED
    events = [inbound(f"Message {n}", id=f"m{n}", at=CLOSED + n * SECOND) for n in range(24)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(stage.take, [*events[::-1], *events[::2], *events[1::3]]))
    assert [row["text"] for row in heard()] == [f"Message {n}" for n in range(24)]
    assert len(outbox()) == 1, "the closed-hours reply is said once"
    assert only_row()["until"] == OPENING


def test_effects_have_keys_derived_from_their_cause(stage: Stage) -> None:
    stage.now = CLOSED
    stage.take(inbound(PERSON_PLEASE, at=CLOSED))
    (message,), (call,) = heard(), calls()
    assert only_row()["SK"] == message["SK"] + "~person"
    assert call["SK"] == message["SK"] + "~call"
    assert message["effects"] == [only_row()["SK"], call["SK"]]
    assert only_thread()["es"] == call["SK"]


def test_each_effect_is_kicked_by_ids_alone(stage: Stage) -> None:
    stage.now = CLOSED
    stage.take(inbound(PERSON_PLEASE, at=CLOSED))
    assert kicks("outbox") == [(thread_id(), only_row()["SK"])]
    assert kicks("escalation") == [(thread_id(), calls()[0]["SK"])]


def test_a_duplicate_kicks_what_the_stored_row_names(stage: Stage, aws: Faults) -> None:
    stage.now = CLOSED
    message = inbound(PERSON_PLEASE, at=CLOSED)
    stage.take(message)
    named = heard()[0]["effects"]
    seen = aws.sent_to("sqs", "SendMessage")
    watched = aws.watch()
    stage.now = OPENING + HOUR  # decided today, it would cause nothing of the kind
    assert stage.take(message) == {"duplicate": 1}
    assert [key for key in named if any(key in request["MessageBody"] for request in seen)] == named
    assert len(seen) == 2
    assert watched == [
        "dynamodb.GetItem", "dynamodb.TransactWriteItems", "sqs.SendMessage", "sqs.SendMessage",
    ]  # fmt: skip


def test_a_commit_that_fails_leaves_nothing_and_kicks_nothing(stage: Stage, aws: Faults) -> None:
    stage.now = CLOSED
    aws.inject("dynamodb.TransactWriteItems", fault.broken, times=3)
    with pytest.raises(ClientError):
        stage.take(inbound(PERSON_PLEASE, at=CLOSED))
    assert scan() == []
    assert kicks("outbox") == kicks("escalation") == []
    assert stage.take(inbound(PERSON_PLEASE, at=CLOSED)) == {"stored": 1}


def test_a_lost_kick_costs_nothing_but_time(stage: Stage, aws: Faults) -> None:
    stage.now = CLOSED
    aws.inject("sqs.SendMessage", fault.broken, times=3)
    assert stage.take(inbound(at=CLOSED)) == {"stored": 1}
    assert kicks("outbox") == []
    assert only_row()["due"] > 0, "the sweeper finds it"
    assert stage.take(inbound(at=CLOSED)) == {"duplicate": 1}
    assert kicks("outbox") == [(thread_id(), only_row()["SK"])]


# --- somebody else writes between the read and the commit ---------------------------------------


def test_an_answer_in_between_leaves_the_new_message_owed(stage: Stage, aws: Faults) -> None:
    """Without ``rev`` the message would be stored and its thread gone from the inbox."""
    stage.take(inbound("First", id="m1"))
    stage.now = OPEN + 2 * MINUTE
    met = aws.between(lambda: reply.reply(stage.person(), thread_id(), "An answer"))
    assert stage.take(inbound("Second", id="m2", at=OPEN + MINUTE)) == {"stored": 1}
    assert len(met) == 1
    assert [row["text"] for row in heard()] == ["First", "Second"]
    assert heard()[1]["why"][0] == "owes"
    assert [(row["thread"], row["owed_since"], row["first"]) for row in threads.owing_threads("care")] == [
        (thread_id(), OPEN + MINUTE, "Second")
    ]


def test_an_answer_in_between_silences_the_automatic_voice(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("First", id="m1"))
    stage.now = CLOSED
    aws.between(lambda: reply.reply(stage.person(), thread_id(), "An answer"))
    assert stage.take(inbound("Second", id="m2", at=CLOSED)) == {"stored": 1}
    assert [row["author"] for row in outbox()] == ["person"]
    assert heard()[1]["why"] == ["owes", "person_present"]
    assert only_thread()["owed_since"] == CLOSED


def test_a_message_in_between_does_not_conflict_where_the_thread_owes(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("First", id="m1"))
    seen = aws.watch()
    aws.between(lambda: stage.take(inbound("Second", id="m2", at=OPEN + 1)))
    stage.take(inbound("Third", id="m3", at=OPEN + 2))
    assert seen.count("dynamodb.TransactWriteItems") == 2
    assert [row["text"] for row in heard()] == ["First", "Second", "Third"]


# --- the table is busy ------------------------------------------------------------------------------


def test_conflicts_are_tried_again(stage: Stage, aws: Faults) -> None:
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=5)
    assert stage.take(inbound()) == {"stored": 1}
    assert (len(met), len(heard())) == (5, 1)


def test_conflicts_end_at_the_deadline(stage: Stage, aws: Faults) -> None:
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=1000)
    with pytest.raises(Busy):
        stage.take(inbound(), patience=0.3)
    assert len(met) > 1
    assert scan() == []


def test_a_commit_whose_answer_was_lost_is_no_second_one(stage: Stage, aws: Faults) -> None:
    stage.now = CLOSED
    aws.inject("dynamodb.TransactWriteItems", fault.executed_then_timeout)
    stage.take(inbound(at=CLOSED))
    assert (len(heard()), len(outbox())) == (1, 1)
    assert kicks("outbox") == [(thread_id(), only_row()["SK"])]


def test_throttling_is_waited_out(stage: Stage, aws: Faults) -> None:
    met = aws.inject("dynamodb.TransactWriteItems", fault.throttled, times=4)
    assert stage.take(inbound()) == {"stored": 1}
    assert (len(met), len(heard())) == (4, 1)


# --- an effect exists already ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["person", "call"])
def test_an_effect_that_exists_is_not_caused_twice(stage: Stage, aws: Faults, kind: str) -> None:
    stage.now = CLOSED
    stage.take(inbound(PERSON_PLEASE, at=CLOSED))
    key = heard()[0]["SK"]
    other = {"person": f"{key}~call", "call": f"{key}~person"}[kind]
    for row in scan():
        aws.delete(row)
    kicks("outbox"), kicks("escalation")
    put_row({"PK": f"T#{thread_id()}", "SK": f"{key}~{kind}", "mine": True})
    seen = aws.watch()
    assert stage.take(inbound(PERSON_PLEASE, at=CLOSED), patience=5) == {"stored": 1}
    assert seen.count("dynamodb.TransactWriteItems") == 2
    (message,) = heard()
    assert message["why"][-1] == "already_caused"
    assert message["effects"] == [other]
    assert [row["mine"] for row in scan() if row["SK"] == f"{key}~{kind}"] == [True]
    assert len(outbox()) + len(calls()) == 1


# --- order, clocks ----------------------------------------------------------------------------------


def test_messages_are_shown_in_the_order_of_the_platform(stage: Stage) -> None:
    for number, at, sequence in ((3, OPEN + 5, None), (2, OPEN, 12), (1, OPEN, 9)):
        stage.take(inbound(f"Message {number}", id=f"m{number}", at=at, sequence=sequence))
    shown = [message.text for message in history.messages(thread_id())]
    assert shown == ["Message 1", "Message 2", "Message 3"]


@pytest.mark.parametrize("at", [None, 0, -5, OPEN + 2 * DAY, 10**15])
def test_without_a_believable_clock_arrival_counts_and_it_is_stored_once(
    stage: Stage, at: int | None
) -> None:
    message = inbound(at=OPEN).model_copy(update={"time": at})
    assert stage.take(message) == {"stored": 1}
    stage.now = OPEN + HOUR
    assert stage.take(message) == {"duplicate": 1}
    (row,) = heard()
    assert row["time"] == OPEN
    thread = only_thread()
    assert thread["owed_since"] <= OPEN
    assert thread["window"] == OPEN
    assert [row["SK"][:2] for row in scan() if row["SK"] != "T"] == ["D#", "M#"]


def test_a_message_without_a_clock_kicks_its_effects_again(stage: Stage, aws: Faults) -> None:
    stage.now = CLOSED
    message = inbound(at=CLOSED).model_copy(update={"time": None})
    stage.take(message)
    stage.now = CLOSED + MINUTE
    seen = aws.sent_to("sqs", "SendMessage")
    stage.take(message)
    assert [only_row()["SK"] in request["MessageBody"] for request in seen] == [True]


def test_an_old_redelivery_never_moves_the_window_back(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("New", id="m2", at=OPEN))
    stage.take(inbound("Late", id="m1", at=OPEN - 2 * DAY))
    assert only_thread()["window"] == OPEN
    assert [row["text"] for row in heard()] == ["Late", "New"]


def test_an_old_redelivery_that_read_an_older_thread_does_not_either(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("First", id="m1", at=OPEN - 3 * DAY))
    aws.between(lambda: stage.take(inbound("New", id="m3", at=OPEN)))
    stage.take(inbound("Late", id="m2", at=OPEN - DAY))
    assert only_thread()["window"] == OPEN
    assert [row["text"] for row in heard()] == ["First", "Late", "New"]
