"""Calls for people: what each target has heard, written after each of them."""

from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import items, writes
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.aws.store import read_with_row
from sportello.domain import keys
from sportello.domain.message import Escalation
from sportello.domain.model import Instant
from sportello.domain.thread import Thread


def read(address: Address) -> tuple[Thread | None, Escalation | None]:
    """The thread and the call in one consistent call."""
    thread, call = read_with_row(address.thread, address.key)
    return thread, items.escalation_of(call) if call and "whys" in call else None


def told(address: Address, target: str, reasons: int) -> None:
    """This target has heard so many of the reasons."""
    _set(address, "told.#target = :value", {"#target": target}, reasons)


def refused(address: Address, target: str, problem: str) -> None:
    """This target can never be told."""
    _set(address, "refused.#target = :value", {"#target": target}, problem)


def fold(address: Address, reasons: int) -> None:
    """So many of the reasons are told with other conversations' or are no news any more."""
    _set(address, "folded = :value", {}, reasons)


def _set(address: Address, assignment: str, names: dict[str, str], value: Any) -> None:
    writes.update_item(
        TableName=environment().table,
        Key=items.row_key(address.thread, address.key),
        ConditionExpression="attribute_exists(PK)",
        UpdateExpression=f"SET {assignment}",
        ExpressionAttributeValues={":value": items.attribute(value)},
        **({"ExpressionAttributeNames": names} if names else {}),
    )


def done(address: Address, reasons: int) -> bool:
    """Everybody has heard; False where a reason was added meanwhile, which is still to be told."""
    try:
        writes.update_item(
            TableName=environment().table,
            Key=items.row_key(address.thread, address.key),
            ConditionExpression="size(whys) = :reasons",
            UpdateExpression="REMOVE due, due_shard",
            ExpressionAttributeValues={":reasons": {"N": str(reasons)}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def try_again(address: Address, due: Instant) -> None:
    writes.update_item(
        TableName=environment().table,
        Key=items.row_key(address.thread, address.key),
        ConditionExpression="attribute_exists(PK)",
        UpdateExpression="SET due = :due, due_shard = :shard",
        ExpressionAttributeValues={
            ":due": items.attribute(due),
            ":shard": {"S": keys.shard(address.thread, "o")},
        },
    )
