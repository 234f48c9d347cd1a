"""The sweeper: what comes due is done within a minute, once, whatever stands in its way."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sportello import workers
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND
from sportello.services import reply
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    CLOSED,
    ONE,
    OPEN,
    OPENING,
    Stage,
    calls,
    change_row,
    inbound,
    kicks,
    only_row,
    only_thread,
    outbox,
    overdue,
    real_now,
    scan,
    thread_id,
)


def late(stage: Stage) -> dict[str, object]:
    """An automatic reply whose kick was lost, overdue by a minute."""
    stage.now = CLOSED
    stage.take(inbound(at=CLOSED))
    kicks("outbox")
    overdue(only_row())
    return only_row()


# --- late rows ------------------------------------------------------------------------------------


def test_a_late_row_is_kicked_again(stage: Stage) -> None:
    row = late(stage)
    swept = stage.sweep()
    assert swept.counts["kicked"] == 1
    assert kicks("outbox") == [(thread_id(), row["SK"])]
    after = only_row()
    assert after["attempt"] == 1
    assert after["due"] > real_now() + 30 * SECOND


def test_due_is_moved_on_before_the_kick(stage: Stage, aws: Faults) -> None:
    late(stage)
    seen = aws.watch()
    stage.sweep()
    writes = [call for call in seen if call not in ("dynamodb.Query", "dynamodb.GetItem")]
    assert writes == ["dynamodb.UpdateItem", "sqs.SendMessage"]


def test_each_attempt_is_a_kick_of_its_own(stage: Stage, aws: Faults) -> None:
    """The queue remembers a deduplication id for five minutes, even of a message that is gone."""
    late(stage)
    requests = aws.sent_to("sqs", "SendMessage")
    for _ in range(3):
        stage.sweep()
        overdue(only_row())
    ids = [request["MessageDeduplicationId"] for request in requests]
    assert [id.rsplit("@")[-1] for id in ids] == ["1", "2", "3"]
    assert len(kicks("outbox")) == 3


def test_a_row_that_is_not_due_is_left(stage: Stage) -> None:
    stage.now = CLOSED
    stage.take(inbound(at=CLOSED))
    kicks("outbox")
    before = scan()
    swept = stage.sweep()
    assert (dict(swept.counts), swept.oldest) == ({}, 0)
    assert scan() == before
    assert kicks("outbox") == []


def test_a_row_that_ended_is_never_kicked(stage: Stage) -> None:
    row = late(stage)
    stage.send(row)
    stage.sweep()
    assert kicks("outbox") == []


def test_two_sweepers_at_once_kick_once(stage: Stage) -> None:
    late(stage)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: stage.sweep(), range(4)))
    assert only_row()["attempt"] == 1
    assert len(kicks("outbox")) == 1


def test_a_call_that_nobody_heard_is_kicked_to_the_notifier(stage: Stage) -> None:
    stage.take(inbound("URGENTE!"))
    kicks("escalation")
    (call,) = calls()
    overdue(call)
    assert stage.sweep().counts["kicked_call"] == 1
    assert kicks("escalation") == [(thread_id(), call["SK"])]
    assert kicks("outbox") == []


def test_the_oldest_age_is_told(stage: Stage) -> None:
    row = late(stage)
    overdue(row, by=7 * MINUTE)
    assert abs(stage.sweep().oldest - 7 * MINUTE) < 5 * SECOND


def test_one_row_that_cannot_be_kicked_does_not_stop_the_others(stage: Stage, aws: Faults) -> None:
    stage.now = CLOSED
    for number in range(3):
        customer = ONE.model_copy(update={"id": f"IT.{number}", "aliases": ()})
        stage.take(inbound(id=f"m{number}", at=CLOSED, customer=customer))
    kicks("outbox")
    for number, row in enumerate(outbox()):
        overdue(row, by=(number + 1) * MINUTE)
    aws.inject("sqs.SendMessage", fault.broken, times=3)
    swept = stage.sweep()
    assert (swept.counts["kicked"], swept.counts["failed"]) == (2, 1)
    assert len(kicks("outbox")) == 2


def test_one_thread_that_cannot_be_judged_does_not_stop_the_others(stage: Stage, aws: Faults) -> None:
    for number in range(3):
        customer = ONE.model_copy(update={"id": f"IT.{number}", "aliases": ()})
        stage.take(inbound(id=f"m{number}", at=OPEN + number, customer=customer))
    stage.now = OPEN + 11 * MINUTE
    poisoned = thread_id("IT.0")
    aws.inject("dynamodb.TransactWriteItems", fault.broken, times=3, when=poisoned)
    swept = stage.sweep()
    assert swept.counts["failed"] == 1
    assert sorted(row["PK"] for row in outbox()) == sorted(f"T#{thread_id(f'IT.{n}')}" for n in (1, 2))


def test_what_is_left_when_time_is_up_is_counted_and_done_next_time(stage: Stage) -> None:
    late(stage)
    swept = stage.sweep(seconds=-1)
    assert (swept.counts["left"], kicks("outbox")) == (1, [])
    assert stage.sweep().counts["kicked"] == 1


# --- deadlines ------------------------------------------------------------------------------------


def tick(stage: Stage, at: int) -> dict[str, int]:
    stage.now = at
    return dict(stage.sweep().counts)


def test_nobody_has_answered_for_ten_minutes(stage: Stage) -> None:
    stage.take(inbound("Quanto manca al mio ordine?"))
    assert tick(stage, OPEN + 10 * MINUTE - 1) == {}
    assert tick(stage, OPEN + 10 * MINUTE) == {"tick_told_on_it": 1}
    row = only_row()
    assert (row["SK"], row["say"]) == (f"M#{OPEN:013d}#on-it~on-it", "on_it")
    assert kicks("outbox") == [(thread_id(), row["SK"])]
    assert only_thread()["owed_since"] == OPEN
    assert stage.send(row) == "sent"
    for later in range(11, 29):
        tick(stage, OPEN + later * MINUTE)
    assert len(outbox()) == 1


def test_people_are_called_after_half_an_hour(stage: Stage) -> None:
    stage.take(inbound())
    tick(stage, OPEN + 10 * MINUTE)
    assert calls() == []
    tick(stage, OPEN + 30 * MINUTE)
    (call,) = calls()
    assert [why["why"] for why in call["whys"]] == ["no_answer"]
    assert kicks("escalation") == [(thread_id(), call["SK"])]
    assert only_thread()["es"] == call["SK"]
    for later in (31, 60, 120):
        tick(stage, OPEN + later * MINUTE)
    (call,) = calls()
    assert [why["why"] for why in call["whys"]].count("no_answer") == 1
    assert {"first_late", "unacknowledged"} <= {why["why"] for why in call["whys"]}


def test_who_has_taken_it_is_paged_no_more(stage: Stage) -> None:
    stage.take(inbound())
    tick(stage, OPEN + 31 * MINUTE)
    reply.claim(stage.person(), thread_id())
    tick(stage, OPEN + 55 * MINUTE)
    (call,) = calls()
    assert [why["why"] for why in call["whys"]] == ["no_answer"]


def test_no_answer_is_added_to_the_call_that_is_open(stage: Stage) -> None:
    stage.take(inbound("URGENTE!"))
    tick(stage, OPEN + 15 * MINUTE)
    kicks("escalation")
    tick(stage, OPEN + 31 * MINUTE)
    (call,) = calls()
    assert [why["why"] for why in call["whys"]] == ["urgent", "unacknowledged", "no_answer"]
    assert kicks("escalation") == [(thread_id(), call["SK"])]


def test_who_is_still_owed_at_closing_is_told_then(stage: Stage) -> None:
    eighteen = OPEN + 8 * HOUR
    stage.now = eighteen - MINUTE
    stage.take(inbound(at=eighteen - MINUTE))
    assert tick(stage, eighteen - 1) == {}
    tick(stage, eighteen + 5 * MINUTE)
    row = only_row()
    assert (row["say"], row["until"]) == ("closing", OPENING)
    assert only_thread()["tu"] == OPENING
    for later in range(1, 10):
        tick(stage, eighteen + later * HOUR)
    assert len(outbox()) == 1


def test_who_was_answered_hears_nothing(stage: Stage) -> None:
    stage.take(inbound())
    reply.reply(stage.person(), thread_id(), "An answer")
    for later in range(0, 60 * 24, 30):
        assert tick(stage, OPEN + later * MINUTE) == {}
    assert [row["author"] for row in outbox()] == ["person"]


def test_a_person_in_the_conversation_is_not_interrupted(stage: Stage) -> None:
    stage.take(inbound())
    stage.now = OPEN + 9 * MINUTE
    reply.claim(stage.person(), thread_id())
    tick(stage, OPEN + 20 * MINUTE)
    assert outbox() == calls() == []
    tick(stage, OPEN + 40 * MINUTE)
    assert len(outbox()) + len(calls()) > 0


def test_an_answer_between_look_and_commit_stops_the_tick(stage: Stage, aws: Faults) -> None:
    stage.take(inbound())
    stage.now = OPEN + 31 * MINUTE
    aws.between(lambda: reply.reply(stage.person(), thread_id(), "An answer"))
    assert stage.sweep().counts == {"tick_early": 1}
    assert [row["author"] for row in outbox()] == ["person"]
    assert calls() == []


def test_ticks_at_once_do_it_once(stage: Stage) -> None:
    stage.take(inbound())
    stage.now = OPEN + 31 * MINUTE
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: stage.sweep(), range(4)))
    assert (len(outbox()), len(calls())) == (1, 1)


def test_a_tick_whose_effect_exists_goes_on_without_it(stage: Stage) -> None:
    stage.take(inbound())
    tick(stage, OPEN + 10 * MINUTE)
    change_row(only_thread(), on_it=False, due=OPEN + 10 * MINUTE)
    tick(stage, OPEN + 11 * MINUTE)
    assert len(outbox()) == 1
    assert only_thread()["due"] > OPEN + 11 * MINUTE


@pytest.mark.parametrize("hours", [24, 24 * 30])
def test_a_thread_that_nobody_answers_does_not_tick_for_ever(stage: Stage, hours: int) -> None:
    stage.take(inbound())
    ticks = 0
    stage.now = OPEN
    while stage.now < OPEN + hours * HOUR:
        stage.now += HOUR if hours > 24 else 20 * MINUTE
        if stage.now % DAY < HOUR or hours == 24:
            ticks += sum(stage.sweep().counts.values())
    assert ticks <= 8 + 3 * hours // 24
    assert len(calls()) == 1
    assert len({row["SK"] for row in outbox()}) <= 2 + 2 * hours // 24


# --- the handler ----------------------------------------------------------------------------------


class Context:
    function_name = "sweeper"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def test_the_handler_reports_age_and_fails_loudly(
    stage: Stage, aws: Faults, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sportello")
    late(stage)
    stage.use()
    handler = workers.sweeper()
    answer = handler({}, Context())
    assert answer is not None
    assert 59 <= answer["oldest_seconds"] <= 70
    assert '"OldestDueSeconds":[' in capsys.readouterr().out.replace(" ", "")
    overdue(only_row())
    aws.inject("sqs.SendMessage", fault.broken, times=3)
    with pytest.raises(RuntimeError, match=r"1 .*failed"):
        handler({}, Context())
