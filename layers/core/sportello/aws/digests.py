"""Calls that waited for the opening: one row for each team and level, emptied once all was told."""

from collections.abc import Sequence
from typing import NamedTuple

from sportello.aws import items, together
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.model import Instant

MEMBERS_MOST = 2_000
"""Of one row; more go into a further one."""


class Member(NamedTuple):
    """A call that waits in a digest."""

    since: Instant
    thread: str
    key: str
    reasons: int
    """That the call had when it was put there."""


class Digest(NamedTuple):
    team: str
    level: int
    members: tuple[Member, ...]
    told: dict[str, int]
    """How many of the members each target knows."""
    refused: dict[str, str]
    attempt: int


def put(address: Address, name: str, level: int, member: Member, due: Instant, expires: int) -> bool:
    """A call is put into the digest; False where it is full."""
    return together.conditional(
        address,
        "attribute_not_exists(members) OR size(members) < :most",
        "SET members = list_append(if_not_exists(members, :none), :one), team = :team, #level = :level, "
        "told = if_not_exists(told, :empty), refused = if_not_exists(refused, :empty), "
        "due = if_not_exists(due, :due), due_shard = :shard, expires = :expires",
        {
            ":most": MEMBERS_MOST,
            ":none": [],
            ":one": [" ".join(map(str, member))],
            ":team": name,
            ":level": level,
            ":empty": {},
            ":due": due,
            ":shard": keys.shard(address.thread, "o"),
            ":expires": expires,
        },
        {"#level": "level"},
    )


def read(address: Address) -> Digest | None:
    row = together.read(address)
    if not row.get("members"):
        return None
    members = tuple(_member(text) for text in row["members"])
    return Digest(row["team"], row["level"], members, row["told"], row["refused"], row.get("attempt", 0))


def _member(text: str) -> Member:
    since, thread, key, reasons = text.split(" ")
    return Member(int(since), thread, key, int(reasons))


def close(address: Address, members: int) -> bool:
    """All of it was told: the row is empty again; False where a call came meanwhile."""
    return together.conditional(
        address,
        "size(members) = :members",
        "REMOVE members, told, refused, attempt, due, due_shard",
        {":members": members},
    )


def heard(call: Address, targets: Sequence[str], reasons: int) -> None:
    """These targets have heard a call's reasons in the digest; one with news of its own stays as it is."""
    assigned = {f"#t{number}": target for number, target in enumerate(targets)}
    sets = ", ".join(["folded = :reasons", *(f"told.{name} = :reasons" for name in assigned)])
    together.update(
        TableName=environment().table,
        Key=items.row_key(call.thread, call.key),
        ConditionExpression="size(whys) = :reasons",
        UpdateExpression=f"SET {sets} REMOVE due, due_shard",
        ExpressionAttributeValues={":reasons": items.attribute(reasons)},
        **({"ExpressionAttributeNames": assigned} if assigned else {}),
    )
