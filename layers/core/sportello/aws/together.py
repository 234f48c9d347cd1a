"""Rows of which a team hears together: incidents, and what waited for the opening.

They stand in the team's own partition (``I#<team id>``), and are found by the sweeper as calls are.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import clients, items, writes
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.model import Instant


def of_team(name: str, key: str) -> Address:
    """Where a team's row stands."""
    return Address(keys.team_id(environment().id_salt, name), key)


def of_tag(tag: str) -> Address:
    """Where the row stands that a call names as its own (``Address.tag``)."""
    thread, _, key = tag.partition(" ")
    return Address(thread, key)


def row_key(address: Address) -> items.Item:
    return {"PK": {"S": f"{keys.TOGETHER}{address.thread}"}, "SK": {"S": address.key}}


def read(address: Address) -> dict[str, Any]:
    """The row as it stands; empty: there is none."""
    answer = clients.dynamodb().get_item(
        TableName=environment().table, Key=row_key(address), ConsistentRead=True
    )
    return items.values(answer.get("Item", {}))


def told(address: Address, target: str, known: int) -> None:
    _assign(address, "told.#target = :value", target, known)


def refused(address: Address, target: str, problem: str) -> None:
    _assign(address, "refused.#target = :value", target, problem)


def _assign(address: Address, assignment: str, target: str, value: Any) -> None:
    conditional(
        address, "attribute_exists(told)", f"SET {assignment}", {":value": value}, {"#target": target}
    )


def look_again(address: Address, due: Instant) -> None:
    """When the sweeper kicks the row next."""
    shard = keys.shard(address.thread, "o")
    conditional(
        address,
        "attribute_exists(told)",
        "SET due = :due, due_shard = :shard",
        {":due": due, ":shard": shard},
    )


def next_attempt(address: Address, *, was_due: Instant, due: Instant) -> bool:
    """Before a kick: move ``due`` on; False where somebody else has."""
    return conditional(
        address, "due = :was", "SET due = :due ADD attempt :one", {":was": was_due, ":due": due, ":one": 1}
    )


def conditional(
    address: Address,
    condition: str,
    update_expression: str,
    values: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
) -> bool:
    """One update; False where its condition does not hold."""
    return update(
        TableName=environment().table,
        Key=row_key(address),
        ConditionExpression=condition,
        UpdateExpression=update_expression,
        ExpressionAttributeValues={name: items.attribute(value) for name, value in values.items()},
        **({"ExpressionAttributeNames": dict(names)} if names else {}),
    )


def update(**arguments: Any) -> bool:
    """UpdateItem; False where its condition does not hold."""
    try:
        writes.update_item(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
