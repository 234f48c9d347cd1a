"""The sender: every end that a send can have, each recorded, nothing sent twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sportello.channels.base import NotSent, Problem, Sent, Unknown
from sportello.domain.events import Kind
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND
from sportello.services import reply
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    CLOSED,
    ONE,
    OPEN,
    OPENING,
    TWO,
    Stage,
    address_of,
    calls,
    change_row,
    inbound,
    kicks,
    only_row,
    only_thread,
    outbox,
    real_now,
    scan,
    thread_id,
)

BUSY = Problem.BUSY


def automatic(stage: Stage) -> dict[str, Any]:
    stage.now = CLOSED
    stage.take(inbound("Siete aperti adesso o no?", at=CLOSED))
    return only_row()


def persons(stage: Stage, text: str = "An answer") -> dict[str, Any]:
    stage.take(inbound("Owed"))
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), text)
    return only_row()


WHOSE = pytest.mark.parametrize("write", [automatic, persons])


def sent_texts(stage: Stage) -> list[str]:
    return [message.text for message in stage.channel.asked]


# --- sent -----------------------------------------------------------------------------------------


@WHOSE
def test_a_row_is_sent_and_says_so(stage: Stage, write: Any) -> None:
    row = write(stage)
    assert stage.send(row) == "sent"
    done = only_row()
    assert (done["state"], done["id"]) == ("sent", "sent-1")
    assert not {"due", "due_shard", "problem"} & done.keys()
    (message,) = stage.channel.asked
    assert (message.to, message.account) == (ONE.address, done.get("account", message.account))
    assert message.tag == address_of(row).tag
    assert done["text"] == message.text, "what was sent is what is kept"


def test_an_automatic_reply_names_hours_and_opening_in_words(stage: Stage) -> None:
    stage.send(automatic(stage))
    (text,) = sent_texts(stage)
    assert "9:00" in text
    assert "domani" in text


def test_a_text_is_kept_before_it_is_sent(stage: Stage) -> None:
    row = automatic(stage)
    kept: list[dict[str, Any]] = []
    stage.channel.meanwhile = lambda: kept.append(only_row())
    stage.send(row)
    assert (kept[0]["state"], kept[0]["text"]) == ("sending", sent_texts(stage)[0])
    assert kept[0]["lease"] > real_now()


@WHOSE
def test_a_kick_that_comes_twice_sends_once(stage: Stage, write: Any) -> None:
    row = write(stage)
    assert [stage.send(row), stage.send(row)] == ["sent", "already_sent"]
    assert len(stage.channel.asked) == 1


@WHOSE
def test_eight_senders_at_once_send_once(stage: Stage, write: Any) -> None:
    row = write(stage)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: stage.send(row), range(8)))
    assert outcomes.count("sent") == 1
    assert len(stage.channel.asked) == 1
    assert only_row()["state"] == "sent"


def test_a_kick_for_nothing_does_nothing(stage: Stage) -> None:
    stage.take(inbound())
    before = scan()
    (message,) = [row for row in before if row["SK"].startswith("M#")]
    assert stage.send(message) == "no_such_row"
    assert stage.send({**message, "SK": message["SK"] + "~hours"}) == "no_such_row"
    assert scan() == before


# --- nothing was sent, and it passes --------------------------------------------------------------


@WHOSE
def test_a_short_wait_is_slept_through(stage: Stage, write: Any) -> None:
    stage.channel.script = [NotSent(problem=BUSY, code="429", wait=15.0), Sent(id="sent-9")]
    assert stage.send(write(stage)) == "sent"
    assert stage.slept == [15.0]
    assert (only_row()["state"], only_row()["id"]) == ("sent", "sent-9")


@WHOSE
@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (NotSent(problem=BUSY, code="429", wait=40.0), 40),
        (NotSent(problem=BUSY, code="429"), 30),
        (NotSent(problem=Problem.TEMPORARY, code="131000"), 30),
        (NotSent(problem=Problem.RECONNECT, code="190"), 300),
    ],
    ids=["busy long", "busy", "temporary", "reconnect"],
)
def test_a_longer_wait_is_the_rows_and_the_threads(
    stage: Stage, write: Any, outcome: NotSent, seconds: int
) -> None:
    row = write(stage)
    stage.channel.script = [outcome]
    assert stage.send(row) == f"postponed_{outcome.problem}"
    waiting, thread = only_row(), only_thread()
    assert (waiting["state"], waiting["problem"], waiting["code"]) == (
        "pending", outcome.problem, outcome.code,
    )  # fmt: skip
    assert waiting["due"] == thread["hold"]
    assert abs(waiting["due"] - real_now() - seconds * SECOND) < 10 * SECOND
    assert waiting["due_shard"], "the sweeper finds it"
    assert "token" not in waiting
    assert stage.slept == []


def test_a_second_short_wait_is_not_slept_through(stage: Stage) -> None:
    wait = NotSent(problem=BUSY, code="429", wait=5.0)
    stage.channel.script = [wait, wait]
    assert stage.send(automatic(stage)) == "postponed_busy"
    assert stage.slept == [5.0]
    assert len(stage.channel.asked) == 2


def test_later_rows_wait_behind_the_hold_and_keep_their_order(stage: Stage) -> None:
    first = persons(stage, "First")
    stage.channel.script = [NotSent(problem=BUSY, code="429", wait=60.0)]
    stage.send(first)
    for text in ("Second", "Third"):
        stage.now += SECOND
        reply.reply(stage.person(), thread_id(), text)
    hold = only_thread()["hold"]
    assert [stage.send(row) for row in outbox()] == ["held"] * 3
    assert [row["due"] for row in outbox()] == [hold] * 3
    assert len(stage.channel.asked) == 1
    change_row(only_thread(), hold=real_now() - 1)
    for row in outbox():
        change_row(row, due=real_now() - 1)
    kicks("outbox")
    stage.sweep()
    rows = {row["SK"]: row for row in outbox()}
    for _, key in kicks("outbox"):
        assert stage.send(rows[key]) == "sent"
    assert sent_texts(stage) == ["First", "First", "Second", "Third"]


def test_a_new_row_does_not_overtake_those_that_waited_until_the_sweeper_came(stage: Stage) -> None:
    first = persons(stage, "First")
    stage.channel.script = [NotSent(problem=BUSY, code="429", wait=60.0)]
    stage.send(first)
    change_row(only_thread(), hold=real_now() - 1)
    stage.now += SECOND
    reply.reply(stage.person(), thread_id(), "Second")
    assert stage.send(outbox()[-1]) == "held"
    change_row(only_thread(), hold=real_now() - 3 * 60 * SECOND)
    stage.now += SECOND
    reply.reply(stage.person(), thread_id(), "Third")
    assert stage.send(outbox()[-1]) == "sent", "a sweeper that does not come holds nobody for ever"


def test_another_thread_does_not_wait(stage: Stage) -> None:
    first = persons(stage)
    stage.channel.script = [NotSent(problem=BUSY, code="429", wait=60.0)]
    stage.send(first)
    stage.take(inbound(id="m2", customer=TWO, at=stage.now))
    reply.reply(stage.person(), thread_id(TWO), "To the other")
    (other,) = [row for row in outbox() if row["PK"] == f"T#{thread_id(TWO)}"]
    assert stage.send(other) == "sent"


@WHOSE
def test_a_connection_that_is_missing_is_waited_for(stage: Stage, write: Any) -> None:
    row = write(stage)
    stage.connected = False
    assert stage.send(row) == "postponed_reconnect"
    waiting = only_row()
    assert (waiting["state"], waiting["problem"]) == ("pending", "reconnect")
    assert waiting["due"] > real_now() + MINUTE
    stage.connected = True
    assert stage.send(row) == "sent"


@WHOSE
def test_a_customer_who_moved_is_answered_at_the_new_address(stage: Stage, write: Any) -> None:
    row = write(stage)
    stage.channel.script = [NotSent(problem=Problem.UNREACHABLE, code="400", moved_to="-100123")]
    assert stage.send(row) == "sent"
    assert [message.to for message in stage.channel.asked] == [ONE.address, "-100123"]
    assert only_thread()["to"] == "-100123"


@pytest.mark.parametrize("moved", [False, True])
def test_a_wait_is_recorded_though_the_thread_is_busy(stage: Stage, aws: Faults, moved: bool) -> None:
    """Customers go on writing: their commits hold the thread row. The row must not end UNKNOWN for that."""
    row = persons(stage)
    stage.channel.script = [NotSent(problem=BUSY, code="429", wait=60.0)]
    if moved:
        stage.channel.script.insert(0, NotSent(problem=Problem.UNREACHABLE, code="400", moved_to="-100"))
        aws.inject("dynamodb.UpdateItem", fault.conflict_of_one_write, times=2)
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=2, when="hold")
    assert stage.send(row) == "postponed_busy"
    assert len(met) == 2
    assert (only_row()["state"], only_row()["due"]) == ("pending", only_thread()["hold"])


# --- never ------------------------------------------------------------------------------------------


@WHOSE
@pytest.mark.parametrize(
    "problem", [Problem.REFUSED, Problem.WINDOW_CLOSED, Problem.UNREACHABLE, Problem.TOO_LONG, Problem.EMPTY]
)
def test_what_the_platform_refuses_has_failed(stage: Stage, write: Any, problem: Problem) -> None:
    row = write(stage)
    stage.channel.script = [NotSent(problem=problem, code="131047")]
    assert stage.send(row) == f"failed_{problem}"
    done, person = only_row(), row["author"] == "person"
    assert (done["state"], done["problem"], done["code"]) == ("failed", problem, "131047")
    assert not {"due", "due_shard"} & done.keys()
    assert only_thread()["owed_since"] == (OPEN if person else CLOSED)
    assert len(calls()) == person, "people are called where a person's words did not arrive"
    assert len(kicks("escalation")) == person
    assert stage.send(row) == "already_failed"
    assert len(stage.channel.asked) == 1


@WHOSE
def test_a_failure_is_recorded_though_the_thread_is_busy(stage: Stage, aws: Faults, write: Any) -> None:
    row = write(stage)
    stage.channel.script = [NotSent(problem=Problem.REFUSED, code="1")]
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=3, when="failed")
    assert stage.send(row) == "failed_refused"
    assert (len(met), only_row()["state"]) == (3, "failed")


def test_what_the_channel_forbids_is_not_asked(stage: Stage) -> None:
    row = persons(stage)
    stage.now = OPEN + DAY
    assert stage.send(row) == "failed_window_closed"
    assert stage.channel.asked == []
    assert (only_row()["state"], only_row()["problem"]) == ("failed", "window_closed")
    assert only_thread()["owed_since"] == OPEN
    assert [why["why"] for why in calls()[0]["whys"]] == ["send_failed"]


def test_who_blocked_us_is_not_written_to(stage: Stage) -> None:
    row = automatic(stage)
    stage.take(inbound("", id="m2", at=CLOSED + 1, kind=Kind.SERVICE, detail="blocked"))
    assert stage.send(row) == "failed_unreachable"
    assert stage.channel.asked == []
    assert calls() == []


def test_a_persons_reply_is_tried_for_its_time_and_then_fails(stage: Stage) -> None:
    row = persons(stage)
    stage.channel.script = [NotSent(problem=Problem.TEMPORARY, code="131000", wait=60.0)]
    stage.send(row)
    change_row(only_row(), not_after=real_now() - 1)
    change_row(only_thread(), hold=real_now() - 1)
    assert stage.send(row) == "failed_temporary"
    assert (only_row()["state"], only_row()["code"]) == ("failed", "131000")
    assert only_thread()["owed_since"] == OPEN


# --- nobody can tell ------------------------------------------------------------------------------


@WHOSE
def test_an_unknown_end_is_shown_and_never_sent_again(stage: Stage, write: Any) -> None:
    row = write(stage)
    stage.channel.script = [Unknown(code="timeout")]
    assert stage.send(row) == "unknown"
    done = only_row()
    assert (done["state"], done["problem"], done["code"]) == ("unknown", "unknown", "timeout")
    assert "due_shard" not in done
    stage.now += HOUR
    assert stage.send(row) == "already_unknown"
    stage.sweep()
    assert len(stage.channel.asked) == 1
    assert only_row()["state"] == "unknown"


@WHOSE
def test_a_live_lease_is_left_alone(stage: Stage, write: Any) -> None:
    row = write(stage)
    change_row(row, state="sending", token="another", lease=real_now() + MINUTE)
    assert stage.send(row) == "leased"
    assert (only_row()["state"], stage.channel.asked) == ("sending", [])


@WHOSE
def test_a_lease_that_ended_is_unknown(stage: Stage, write: Any) -> None:
    row = write(stage)
    change_row(row, state="sending", token="another", lease=real_now() - 1)
    assert stage.send(row) == "unknown"
    assert (only_row()["state"], only_row()["code"]) == ("unknown", "lease_ended")
    assert stage.channel.asked == []


def test_a_sender_that_dies_leaves_a_lease_and_the_sweeper_finds_it(stage: Stage) -> None:
    row = automatic(stage)
    kicks("outbox")

    def die() -> None:
        raise MemoryError

    stage.channel.meanwhile = die
    with pytest.raises(MemoryError):
        stage.send(row)
    assert only_row()["state"] == "sending"
    assert only_row()["due"] == only_row()["lease"]
    change_row(only_row(), lease=real_now() - 1, due=real_now() - 1)
    stage.sweep()
    assert kicks("outbox") == [(thread_id(), row["SK"])]
    assert stage.send(row) == "unknown"


def test_a_sender_whose_row_was_taken_does_not_write_over_it(stage: Stage) -> None:
    row = automatic(stage)
    stage.channel.meanwhile = lambda: change_row(only_row(), token="another")
    stage.send(row)
    assert (only_row()["state"], only_row()["token"]) == ("sending", "another")


# --- an automatic reply that is no longer wanted --------------------------------------------------


def cancelled(stage: Stage, problem: str) -> bool:
    row = next(row for row in outbox() if row["author"] == "automatic")
    assert (row["state"], row["problem"]) == ("cancelled", problem)
    assert not {"due", "due_shard"} & row.keys()
    return stage.channel.asked == []


def test_a_person_who_answered_first_wins(stage: Stage) -> None:
    row = automatic(stage)
    stage.now += MINUTE
    reply.reply(stage.person(), thread_id(), "I am still here")
    assert stage.send(row) == "cancelled_person_answered"
    assert cancelled(stage, "person_answered")


def test_a_person_who_claimed_first_wins(stage: Stage) -> None:
    row = automatic(stage)
    reply.claim(stage.person(), thread_id())
    assert stage.send(row) == "cancelled_person_answered"
    assert cancelled(stage, "person_answered")


def test_a_person_between_the_look_and_the_claim_wins(stage: Stage, aws: Faults) -> None:
    row = automatic(stage)
    met = aws.between(lambda: reply.reply(stage.person(), thread_id(), "I am still here"))
    assert stage.send(row) == "cancelled_person_answered"
    assert len(met) == 1
    assert cancelled(stage, "person_answered")


def test_a_customer_between_the_look_and_the_claim_does_not_silence_the_desk(
    stage: Stage, aws: Faults
) -> None:
    row = automatic(stage)
    urgent = inbound("URGENTE!", id="m2", at=CLOSED + 1)
    aws.between(lambda: stage.take(urgent))
    assert stage.send(row) == "sent"
    assert len(stage.channel.asked) == 1


def test_a_conflict_at_the_claim_is_tried_again(stage: Stage, aws: Faults) -> None:
    row = automatic(stage)
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=3)
    assert stage.send(row) == "sent"
    assert (len(met), len(stage.channel.asked)) == (3, 1)


def test_what_came_too_late_is_not_said(stage: Stage) -> None:
    row = automatic(stage)
    stage.now = OPENING
    assert stage.send(row) == "cancelled_expired"
    assert cancelled(stage, "expired")


def test_the_desk_says_so_much_an_hour_for_an_account(stage: Stage) -> None:
    stage.with_policy(automatic_per_hour=2)
    stage.now = CLOSED
    for number in range(3):
        customer = ONE.model_copy(update={"id": f"IT.{number}", "aliases": ()})
        stage.take(inbound(id=f"m{number}", at=CLOSED, customer=customer))
    other = inbound(id="m9", at=CLOSED, customer=TWO, account="100000000000002")
    stage.take(other)
    rows = outbox()
    ours = [row for row in rows if row["PK"] != f"T#{thread_id(TWO, '100000000000002')}"]
    (theirs,) = [row for row in rows if row not in ours]
    assert [stage.send(row) for row in ours] == ["sent", "sent", "cancelled_cap"]
    assert stage.send(theirs) == "sent"
    assert sorted(row["state"] for row in outbox()) == ["cancelled", "sent", "sent", "sent"]
    assert [row["problem"] for row in outbox() if row["state"] == "cancelled"] == ["cap"]
    stage.now = CLOSED + HOUR
    customer = ONE.model_copy(update={"id": "IT.7", "aliases": ()})
    stage.take(inbound(id="m7", at=stage.now, customer=customer))
    (later,) = [row for row in outbox() if row["state"] == "pending"]
    assert stage.send(later) == "sent"


def test_a_person_is_not_counted(stage: Stage) -> None:
    stage.with_policy(automatic_per_hour=0)
    assert stage.send(persons(stage)) == "sent"


def test_a_cap_reached_while_sending_again_counts_once(stage: Stage) -> None:
    """Each try after a wait claims again; the cap is for replies, not for tries."""
    stage.with_policy(automatic_per_hour=1)
    row = automatic(stage)
    stage.channel.script = [NotSent(problem=BUSY, code="429", wait=60.0)]
    assert stage.send(row) == "postponed_busy"
    change_row(only_thread(), hold=real_now() - 1)
    assert stage.send(row) == "sent"


# --- the record of a send -------------------------------------------------------------------------


@WHOSE
def test_a_sent_row_is_recorded_though_a_transaction_holds_it(stage: Stage, aws: Faults, write: Any) -> None:
    row = write(stage)
    met = aws.inject("dynamodb.UpdateItem", fault.conflict_of_one_write, times=3)
    assert stage.send(row) == "sent"
    assert (len(met), only_row()["state"]) == (3, "sent")


def test_a_record_whose_answer_was_lost_stands(stage: Stage, aws: Faults) -> None:
    row = automatic(stage)
    aws.inject("dynamodb.UpdateItem", fault.executed_then_timeout)
    assert stage.send(row) == "sent"
    assert only_row()["state"] == "sent"
    assert len(stage.channel.asked) == 1


@WHOSE
def test_a_claim_whose_answer_was_lost_sends_nothing_twice(stage: Stage, aws: Faults, write: Any) -> None:
    row = write(stage)
    aws.inject("dynamodb.TransactWriteItems", fault.executed_then_timeout)
    stage.send(row)
    assert len(stage.channel.asked) <= 1
    assert only_row()["state"] in ("sent", "sending")
