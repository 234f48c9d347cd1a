"""The desk's clock. On the local desk an offset row moves it; leases and signatures stay on real time."""

import time

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.domain.model import Instant

_KEY = {"PK": {"S": "CLOCK"}, "SK": {"S": "CLOCK"}}


def real_now() -> Instant:
    return time.time_ns() // 1_000_000


def now() -> Instant:
    """The time by which the desk is open or closed."""
    if environment().clock != "local":
        return real_now()
    return real_now() + offset()


def offset() -> int:
    found = clients.dynamodb().get_item(TableName=environment().table, Key=_KEY, ConsistentRead=True)
    return int(found.get("Item", {}).get("offset", {"N": "0"})["N"])


def set_offset(milliseconds: int) -> None:
    """Local desk only: ``now`` is real time plus this."""
    if environment().clock != "local":
        raise RuntimeError("the clock can be set on the local desk only")
    clients.dynamodb().put_item(
        TableName=environment().table, Item={**_KEY, "offset": {"N": str(milliseconds)}}
    )
