"""One customer under two ids is one thread; two threads that both have messages are never merged."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sportello.domain.events import Customer, Moved
from sportello.domain.model import MINUTE
from tests.integration.faults import Faults
from tests.integration.stage import (
    ACCOUNT,
    OPEN,
    Stage,
    heard,
    inbound,
    only_thread,
    pointers,
    thread_id,
    threads,
)

SCOPED, NUMBER = "IT.201", "15550100201"
BOTH = Customer(id=SCOPED, address=f"+{NUMBER}", aliases=(NUMBER,), name="Customer One")
BY_SCOPED = Customer(id=SCOPED, address=SCOPED)
BY_NUMBER = Customer(id=NUMBER, address=f"+{NUMBER}")


def pointing() -> dict[str, str]:
    return {row["PK"][2:]: row["pointer"] for row in pointers()}


def texts(thread: str) -> list[str]:
    return [row["text"] for row in heard() if row["PK"] == f"T#{thread}" and "text" in row]


def moved(previous: tuple[str, ...], customer: Customer, **fields: Any) -> Moved:
    values: dict[str, Any] = {"account": ACCOUNT, "id": "moved-1", "time": OPEN + MINUTE}
    return Moved(customer=customer, previous=previous, **(values | fields))


def test_a_new_thread_takes_its_alias_with_it(stage: Stage) -> None:
    stage.take(inbound(customer=BOTH))
    assert only_thread()["PK"] == f"T#{thread_id(SCOPED)}"
    assert pointing() == {thread_id(NUMBER): thread_id(SCOPED)}


def test_the_alias_alone_leads_to_the_thread(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("By both", id="m1", customer=BOTH))
    seen = aws.watch()
    stage.take(inbound("By number", id="m2", at=OPEN + 1, customer=BY_NUMBER))
    assert seen == ["dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.TransactWriteItems"]
    assert texts(thread_id(SCOPED)) == ["By both", "By number"]
    assert len(threads()) == len(pointing()) == 1


def test_the_same_message_by_the_other_id_is_a_duplicate(stage: Stage) -> None:
    stage.take(inbound(customer=BOTH))
    assert stage.take(inbound(customer=BY_NUMBER)) == {"duplicate": 1}
    assert stage.take(inbound(customer=BY_SCOPED)) == {"duplicate": 1}
    assert len(heard()) == 1


def test_an_alias_met_late_is_written_once(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("One", id="m1", customer=BY_SCOPED))
    assert pointing() == {}
    stage.take(inbound("Two", id="m2", at=OPEN + 1, customer=BOTH))
    assert pointing() == {thread_id(NUMBER): thread_id(SCOPED)}
    requests = aws.sent_to("dynamodb", "TransactWriteItems")
    stage.take(inbound("Three", id="m3", at=OPEN + 2, customer=BOTH))
    assert [len(request["TransactItems"]) for request in requests] == [2]
    assert texts(thread_id(SCOPED)) == ["One", "Two", "Three"]


def test_a_thread_made_under_the_number_keeps_its_customer(stage: Stage) -> None:
    stage.take(inbound("Before", id="m1", customer=BY_NUMBER))
    assert stage.take(inbound("After", id="m2", at=OPEN + 1, customer=BOTH)) == {"stored": 1}
    assert texts(thread_id(NUMBER)) == ["Before", "After"]
    assert pointing() == {thread_id(SCOPED): thread_id(NUMBER)}
    assert heard()[1]["why"] == ["still_owes"], "it was decided again where the debt is"
    stage.take(inbound("Later", id="m3", at=OPEN + 2, customer=BY_SCOPED))
    assert texts(thread_id(NUMBER)) == ["Before", "After", "Later"]


def test_two_threads_with_messages_are_never_merged(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("Scoped", id="m1", customer=BY_SCOPED))
    stage.take(inbound("Number", id="m2", customer=BY_NUMBER))
    assert stage.take(inbound("Both", id="m3", at=OPEN + 1, customer=BOTH), patience=5) == {"stored": 1}
    assert texts(thread_id(SCOPED)) == ["Scoped", "Both"]
    assert texts(thread_id(NUMBER)) == ["Number"]
    assert pointing() == {}
    requests = aws.sent_to("dynamodb", "TransactWriteItems")
    stage.take(inbound("Again", id="m4", at=OPEN + 2, customer=BOTH))
    assert [len(request["TransactItems"]) for request in requests] == [2], "it is not tried for ever"


def test_first_messages_by_both_ids_at_once_make_one_thread(stage: Stage) -> None:
    customers = [BOTH, BY_NUMBER, BOTH, BY_NUMBER, BOTH, BY_NUMBER, BOTH, BY_NUMBER]
    events = [
        inbound(f"Message {n}", id=f"m{n}", at=OPEN + n, customer=customer)
        for n, customer in enumerate(customers)
    ]
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(stage.take, events))
    assert counts == [{"stored": 1}] * 8
    (thread,) = threads()
    assert texts(thread["PK"][2:]) == [f"Message {n}" for n in range(8)]
    assert len(pointing()) == 1


def test_a_first_message_by_the_number_gives_way_to_the_thread_made_meanwhile(
    stage: Stage, aws: Faults
) -> None:
    aws.between(lambda: stage.take(inbound("Quicker", id="m1", customer=BOTH)))
    assert stage.take(inbound("Slower", id="m2", at=OPEN + 1, customer=BY_NUMBER)) == {"stored": 1}
    assert texts(thread_id(SCOPED)) == ["Quicker", "Slower"]
    assert pointing() == {thread_id(NUMBER): thread_id(SCOPED)}


# --- ids and numbers that change ----------------------------------------------------------------


def test_a_new_number_keeps_the_thread_and_moves_the_destination(stage: Stage) -> None:
    stage.take(inbound("Old number", id="m1", customer=BY_NUMBER))
    new = Customer(id="15550100999", address="+15550100999")
    assert stage.take(moved((NUMBER,), new)) == {"moved": 1}
    assert only_thread()["to"] == "+15550100999"
    stage.take(inbound("New number", id="m2", at=OPEN + 2 * MINUTE, customer=new))
    assert texts(thread_id(NUMBER))[-1] == "New number"
    assert pointing() == {thread_id("15550100999"): thread_id(NUMBER)}


def test_a_new_scoped_id_keeps_the_thread(stage: Stage) -> None:
    stage.take(inbound("Old id", id="m1", customer=BOTH))
    new = Customer(id="IT.999", address=f"+{NUMBER}", aliases=(NUMBER,))
    stage.take(moved((SCOPED,), new))
    stage.take(inbound("New id", id="m2", at=OPEN + 2 * MINUTE, customer=new))
    assert texts(thread_id(SCOPED))[-1] == "New id"
    assert pointing() == {thread_id(NUMBER): thread_id(SCOPED), thread_id("IT.999"): thread_id(SCOPED)}


def test_a_move_is_taken_once(stage: Stage) -> None:
    stage.take(inbound(customer=BY_NUMBER))
    event = moved((NUMBER,), Customer(id="15550100999", address="+15550100999"))
    assert [stage.take(event), stage.take(event)] == [{"moved": 1}, {"duplicate": 1}]
    assert len([row for row in heard() if row.get("detail") == "moved"]) == 1


def test_a_move_finds_the_thread_under_any_of_the_former_ids(stage: Stage) -> None:
    """The thread was made before scoped ids existed, the notice names both."""
    stage.take(inbound("Old number", id="m1", customer=BY_NUMBER))
    new = Customer(id=SCOPED, address="+15550100999", aliases=("15550100999",))
    stage.take(moved(("IT.100", NUMBER), new))
    stage.take(inbound("New number", id="m2", at=OPEN + 2 * MINUTE, customer=new))
    assert len(threads()) == 1
    assert texts(thread_id(NUMBER))[0] == "Old number"
    assert texts(thread_id(NUMBER))[-1] == "New number"
    assert only_thread()["to"] == "+15550100999"


def test_a_move_of_somebody_unknown_opens_their_thread(stage: Stage) -> None:
    new = Customer(id="15550100999", address="+15550100999")
    assert stage.take(moved((NUMBER,), new)) == {"moved": 1}
    stage.take(inbound(id="m2", at=OPEN + 2 * MINUTE, customer=new))
    assert only_thread()["to"] == "+15550100999"
    assert len(heard()) == 2


def test_a_move_leaves_a_debt_as_it_is(stage: Stage) -> None:
    stage.take(inbound("Owed", customer=BY_NUMBER))
    stage.take(moved((NUMBER,), Customer(id="15550100999", address="+15550100999")))
    assert (only_thread()["owed_since"], only_thread()["first"]) == (OPEN, "Owed")
