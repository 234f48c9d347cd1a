"""People answer: a reply settles what its writer had seen, and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sportello.aws import history, threads
from sportello.channels.base import Problem
from sportello.domain.events import Kind
from sportello.domain.message import Message
from sportello.domain.model import DAY, MINUTE, SECOND
from sportello.services import reply
from sportello.services.reply import NotAllowed, NoThread
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    CLOSED,
    OPEN,
    Stage,
    heard,
    inbound,
    kicks,
    only_row,
    only_thread,
    outbox,
    scan,
    thread_id,
)


def answer(stage: Stage, text: str = "An answer", *, seen: str = "", action: str = "") -> Message:
    row, _ = reply.reply(stage.person(), thread_id(), text, seen=seen, action=action)
    return row


def write(stage: Stage, text: str, id: str, after: int) -> str:
    """A customer's message so many milliseconds after opening; its key."""
    stage.now = OPEN + after
    stage.take(inbound(text, id=id, at=OPEN + after))
    return str(next(row["SK"] for row in heard() if row["id"] == id))


def test_a_reply_settles_and_waits_to_be_sent(stage: Stage) -> None:
    write(stage, "Owed", "m1", 0)
    stage.now = OPEN + MINUTE
    row, decision = reply.reply(stage.person("Agent"), thread_id(), "An answer")
    assert decision.reasons == ("settled",)
    stored = only_row()
    assert (stored["SK"], stored["text"], stored["by"], stored["author"], stored["state"]) == (
        row.key, "An answer", "Agent", "person", "pending",
    )  # fmt: skip
    assert (stored["settled_since"], stored["settled_first"]) == (OPEN, "Owed")
    assert "owed_since" not in only_thread()
    assert threads.owing_threads("care") == []
    assert kicks("outbox") == [(thread_id(), row.key)]


def test_a_reply_where_nothing_is_owed_is_sent_all_the_same(stage: Stage) -> None:
    write(stage, "Owed", "m1", 0)
    answer(stage, "First")
    stage.now += SECOND
    answer(stage, "Second")
    assert [row["text"] for row in outbox()] == ["First", "Second"]
    assert "settled_since" not in outbox()[1]


def test_what_the_writer_had_not_seen_stays_owed(stage: Stage) -> None:
    seen = write(stage, "First", "m1", 0)
    write(stage, "Second", "m2", 30 * SECOND)
    write(stage, "Third", "m3", 60 * SECOND)
    stage.now = OPEN + 2 * MINUTE
    answer(stage, seen=seen)
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN + 30 * SECOND, "Second")
    assert threads.owing_threads("care")[0]["first"] == "Second"


def test_a_writer_who_had_seen_the_newest_settles_all(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    answer(stage, seen=write(stage, "Second", "m2", SECOND))
    assert "owed_since" not in only_thread()


def test_an_old_message_that_arrived_late_was_not_seen(stage: Stage) -> None:
    seen = write(stage, "Second", "m2", 0)
    stage.now = OPEN + MINUTE
    stage.take(inbound("First", id="m1", at=OPEN - MINUTE))
    stage.now = OPEN + 2 * MINUTE
    answer(stage, seen=seen)
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN - MINUTE, "First")


def test_a_message_committed_after_the_look_stays_owed(stage: Stage, aws: Faults) -> None:
    write(stage, "First", "m1", 0)
    stage.now = OPEN + MINUTE
    aws.between(lambda: stage.take(inbound("Second", id="m2", at=OPEN + 59 * SECOND)))
    answer(stage)
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN + 59 * SECOND, "Second")
    assert len(outbox()) == 1


def test_a_debt_that_begins_after_the_look_is_not_settled(stage: Stage, aws: Faults) -> None:
    write(stage, "First", "m1", 0)
    answer(stage, "Settles")
    stage.now = OPEN + 2 * MINUTE
    aws.between(lambda: stage.take(inbound("Second", id="m2", at=OPEN + 2 * MINUTE)))
    answer(stage, "Says more")
    assert only_thread()["owed_since"] == OPEN + 2 * MINUTE


def test_a_reaction_after_the_look_keeps_nothing_owed(stage: Stage) -> None:
    seen = write(stage, "First", "m1", 0)
    stage.now = OPEN + MINUTE
    stage.take(inbound("\U0001f44d", id="m2", at=OPEN + MINUTE, kind=Kind.REACTION))
    answer(stage, seen=seen)
    assert "owed_since" not in only_thread()


def test_a_key_that_is_no_message_of_the_thread_is_refused(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    before = scan()
    with pytest.raises(NotAllowed) as refused:
        answer(stage, seen="M#0000000000000#nothing")
    assert refused.value.code == "no_such_message"
    assert scan() == before


def test_the_same_act_twice_is_one_reply(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    answer(stage, action="click-1")
    stage.now += 5 * SECOND
    answer(stage, action="click-1")
    assert len(outbox()) == 1
    answer(stage, action="click-2")
    assert len(outbox()) == 2


def test_the_same_act_at_once_is_one_reply(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: answer(stage, action="click-1"), range(8)))
    assert len(outbox()) == 1
    assert "owed_since" not in only_thread()


def test_two_people_at_once_both_answer_and_one_settles(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda text: answer(stage, text), ["One", "Two"]))
    assert sorted(row["text"] for row in outbox()) == ["One", "Two"]
    assert len([row for row in outbox() if "settled_since" in row]) == 1


def test_a_reply_is_tried_again_after_a_conflict(stage: Stage, aws: Faults) -> None:
    write(stage, "First", "m1", 0)
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=3)
    answer(stage)
    assert (len(met), len(outbox())) == (3, 1)


def test_a_lost_kick_does_not_lose_the_reply(stage: Stage, aws: Faults) -> None:
    write(stage, "First", "m1", 0)
    aws.inject("sqs.SendMessage", fault.broken, times=3)
    answer(stage)
    assert only_row()["due"] > 0


@pytest.mark.parametrize(
    ("text", "later", "problem"),
    [
        ("Too late", DAY, Problem.WINDOW_CLOSED),
        ("x" * 4097, 0, Problem.TOO_LONG),
        ("  ", 0, Problem.EMPTY),
    ],
)
def test_what_the_channel_would_refuse_is_refused_first(
    stage: Stage, text: str, later: int, problem: Problem
) -> None:
    write(stage, "First", "m1", 0)
    before = scan()
    stage.now = OPEN + later
    with pytest.raises(NotAllowed) as refused:
        answer(stage, text)
    assert refused.value.code == problem
    assert scan() == before
    assert kicks("outbox") == []


def test_who_blocked_us_cannot_be_answered_until_they_come_back(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    stage.take(inbound("", id="m2", at=OPEN + SECOND, kind=Kind.SERVICE, detail="blocked"))
    with pytest.raises(NotAllowed) as refused:
        answer(stage)
    assert refused.value.code == Problem.UNREACHABLE
    write(stage, "Back", "m3", MINUTE)
    answer(stage)
    assert len(outbox()) == 1


def test_there_must_be_a_thread(stage: Stage) -> None:
    with pytest.raises(NoThread):
        answer(stage)


def test_an_alias_leads_to_the_thread(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    reply.reply(stage.person(), thread_id("15550100201"), "By the other id")
    assert only_row()["PK"] == f"T#{thread_id()}"


# --- claim, resolve -------------------------------------------------------------------------------


def test_a_claim_silences_the_desk_and_settles_nothing(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    stage.now = CLOSED
    assert reply.claim(stage.person("Agent"), thread_id()).reasons == ("claimed",)
    thread = only_thread()
    assert (thread["owed_since"], thread["claimed_by"]) == (OPEN, "Agent")
    stage.now = CLOSED + SECOND
    stage.take(inbound("Closed?", id="m2", at=CLOSED + SECOND))
    assert outbox() == []
    assert [message.kind for message in history.messages(thread_id())] == ["text", "claim", "text"]


def test_a_thread_that_owes_needs_a_code_to_be_resolved(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    stage.now = OPEN + SECOND
    before = scan()
    with pytest.raises(NotAllowed) as refused:
        reply.resolve(stage.person(), thread_id())
    assert refused.value.code == "owes_needs_code"
    assert scan() == before
    reply.resolve(stage.person(), thread_id(), "spam")
    assert "owed_since" not in only_thread()
    assert only_thread()["resolved"] == "spam"
    assert history.messages(thread_id())[-1].detail == "spam"


def test_an_answered_thread_needs_none(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    answer(stage)
    reply.resolve(stage.person(), thread_id())
    assert only_thread()["resolved"] == "answered"


def test_nothing_is_resolved_unseen(stage: Stage, aws: Faults) -> None:
    """A message that comes in at that moment is told, whatever code was given: it was not looked at."""
    write(stage, "First", "m1", 0)
    answer(stage)
    stage.now = OPEN + 2 * MINUTE
    aws.between(lambda: stage.take(inbound("Second", id="m2", at=OPEN + 2 * MINUTE)))
    with pytest.raises(NotAllowed) as refused:
        reply.resolve(stage.person(), thread_id(), "done")
    assert refused.value.code == "newer_message"
    assert only_thread()["owed_since"] == OPEN + 2 * MINUTE


def test_a_resolved_thread_owes_again_when_the_customer_writes(stage: Stage) -> None:
    write(stage, "First", "m1", 0)
    reply.resolve(stage.person(), thread_id(), "spam")
    write(stage, "Again", "m2", MINUTE)
    thread = only_thread()
    assert (thread["owed_since"], thread.get("resolved")) == (OPEN + MINUTE, None)
