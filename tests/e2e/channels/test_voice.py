"""Phone calls on the running desk: what the caller hears, and what people find in the thread."""

from sportello.aws import history
from sportello.channels.base import Problem
from sportello.domain.message import Message
from tests.e2e.stage import Customer, Stage, stays, wait_for

EVENING = "2026-12-08 20:15"  # a Tuesday
MORNING = "2026-12-09 10:15"
HOURS = "domani alle 9:00"
TONE = "Leave a message"


def calls(stage: Stage, local: str, text: str = "", **more: str) -> Customer:
    stage.at(local)
    customer = stage.customer("voice")
    customer.say(text, kind="call", more=more)
    return customer


def kinds(customer: Customer) -> list[str]:
    return [row.kind for row in customer.rows() if row.direction == "in"]


def voicemail(customer: Customer) -> Message:
    wait_for(lambda: "media" in kinds(customer), "the voicemail")
    return next(row for row in customer.rows() if row.kind == "media")


def test_after_hours_the_caller_hears_the_hours_once_and_leaves_a_message(stage: Stage) -> None:
    customer = calls(stage, EVENING, "Please call me back about my parcel.")
    hours, asked = customer.hears(2)
    assert HOURS in hours or "tomorrow" in hours.lower()
    assert asked.startswith(TONE)
    assert customer.thread.owes
    found = voicemail(customer)
    assert found.media[0].kind == "voice"
    (said,) = customer.outbox()
    assert said.state == "sent"
    shown = history.messages
    wait_for(lambda: any("parcel" in row.text for row in shown(customer.thread.id)), "what a machine heard")
    customer.say(kind="call", more={"wait": "1"})
    wait_for(lambda: kinds(customer).count("call") == 2, "the second call")
    stays(lambda: len(customer.outbox()) == 1, "the hours are told once")


def test_a_call_that_somebody_takes_owes_nothing(stage: Stage) -> None:
    customer = calls(stage, MORNING, answer="yes")
    wait_for(lambda: bool(customer.threads()), "the notice")
    stays(lambda: kinds(customer) == ["service"], "the end of the call is no missed call")
    assert not customer.thread.owes
    assert customer.heard() == []


def test_a_call_that_nobody_takes_is_a_request_to_be_called(stage: Stage) -> None:
    customer = calls(stage, MORNING)
    wait_for(lambda: kinds(customer) == ["call"], "the missed call")
    assert customer.thread.owes
    assert [words[: len(TONE)] for words in customer.heard()] == [TONE], "open: no hours are told"


def test_hanging_up_while_it_rings_is_one_too(stage: Stage) -> None:
    customer = calls(stage, MORNING, hangup="ringing")
    wait_for(lambda: bool(customer.threads()) and kinds(customer) == ["call"], "the missed call")
    assert customer.thread.owes


def test_who_hangs_up_before_the_hours_leaves_a_row_that_says_so(stage: Stage) -> None:
    customer = calls(stage, EVENING, hangup="pause")
    wait_for(lambda: [row.state for row in customer.outbox()] == ["failed"], "the end of the hours")
    (row,) = customer.outbox()
    assert (row.problem, row.code) == (Problem.UNREACHABLE, "call_over")
    assert customer.thread.owes


def test_hidden_callers_are_never_merged(stage: Stage) -> None:
    before = set(stage.scan().threads)
    customer = calls(stage, EVENING, hidden="yes", wait="1")
    customer.say(kind="call", more={"hidden": "yes", "wait": "1"})
    new = [thread for id, thread in stage.scan().threads.items() if id not in before]
    assert len(new) == 2
    assert all(thread.to.startswith("anonymous:") and thread.owes for thread in new)


def test_what_a_person_writes_is_refused_for_a_person_has_to_call(stage: Stage) -> None:
    customer = calls(stage, MORNING)
    wait_for(lambda: bool(customer.threads()), "the missed call")
    row = customer.answer("La richiamiamo.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == (Problem.REFUSED, "call_back")
    wait_for(lambda: customer.thread.owes, "the debt comes back")
