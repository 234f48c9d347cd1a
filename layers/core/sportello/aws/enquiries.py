"""What the outside is asked: the rows, read and answered once."""

from collections.abc import Sequence
from typing import Any

from sportello.aws import history, items, writes
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.aws.store import read_with_row
from sportello.domain.message import Enquiry
from sportello.domain.model import Instant
from sportello.domain.thread import Thread


def read(address: Address) -> tuple[Thread | None, Enquiry | None]:
    """The thread and the enquiry in one consistent call."""
    thread, row = read_with_row(address.thread, address.key)
    return thread, items.enquiry_of(row) if row and "asks" in row else None


def of(thread: str, *, newest: int = 50) -> list[Enquiry]:
    """What was asked among the thread's newest rows, the oldest first."""
    found = history.rows(thread, newest=newest)
    return [items.enquiry_of(row) for row in reversed(found) if "asks" in row]


def answered(
    address: Address, at: Instant, why: Sequence[str], problems: Sequence[str] = (), follows: str = ""
) -> dict[str, Any]:
    """The step that ends an enquiry, to be part of the commit of its answer; a second answer loses.

    One that follows somebody stays due until the other thread is told: ``told``.
    """
    values: dict[str, Any] = {":done": at, ":why": list(why)}
    sets = "SET #done = :done, why = :why"
    for name, value in (("problems", list(problems)), ("follows", follows)):
        if value:
            sets += f", {name} = :{name}"
            values[f":{name}"] = value
    return {
        "Update": {
            "TableName": environment().table,
            "Key": items.row_key(address.thread, address.key),
            "ConditionExpression": "attribute_exists(PK) AND attribute_not_exists(#done)",
            "UpdateExpression": sets if follows else f"{sets} REMOVE due, due_shard",
            "ExpressionAttributeNames": {"#done": "done"},
            "ExpressionAttributeValues": {name: items.attribute(value) for name, value in values.items()},
        }
    }


def told(address: Address) -> None:
    """The thread on the official account knows: nothing is left to do."""
    writes.update_item(
        TableName=environment().table,
        Key=items.row_key(address.thread, address.key),
        UpdateExpression="REMOVE due, due_shard",
    )
