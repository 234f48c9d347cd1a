"""The ``due`` index: what has come due, the oldest first. Sparse and sharded, keys only."""

from collections.abc import Iterator
from typing import NamedTuple

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.domain.keys import SHARDS
from sportello.domain.model import Instant

PAGE = 200


class Due(NamedTuple):
    due: Instant
    thread: str
    key: str


def threads(now: Instant) -> Iterator[Due]:
    """Threads whose deadline has come, by the desk's clock."""
    return _due("t", now)


def rows(real_now: Instant) -> Iterator[Due]:
    """Outbox rows and calls that want a kick, by real time."""
    return _due("o", real_now)


def files(real_now: Instant) -> Iterator[Due]:
    """Messages whose files are to be fetched or deleted, by real time."""
    return _due("m", real_now)


def _due(what: str, now: Instant) -> Iterator[Due]:
    for number in range(SHARDS):
        answer = clients.dynamodb().query(
            TableName=environment().table,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due <= :now",
            ExpressionAttributeValues={":shard": {"S": f"{what}{number}"}, ":now": {"N": str(now)}},
            Limit=PAGE,
        )
        for item in answer["Items"]:
            yield Due(int(item["due"]["N"]), item["PK"]["S"][2:], item["SK"]["S"])
