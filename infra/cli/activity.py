"""What the table tells of each connection: when a customer wrote last, and what waits for a new token."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.cli.work import console
from sportello.aws import clients, items
from sportello.aws.environment import environment
from sportello.channels.base import Problem
from sportello.domain.keys import THREAD_ROW
from sportello.domain.message import State
from sportello.domain.model import Instant

MOST_PAGES = 50
"""Of 1 MB each: 128 read units a page, so the look costs a cent at most, whatever the table holds."""

Where = tuple[str, str]
"""Channel and connection."""

CONNECTION = items.stored_name("connection")


@dataclass
class Activity:
    last: dict[Where, Instant] = field(default_factory=dict)
    """Platform time of the newest message of a customer."""
    stuck: dict[Where, int] = field(default_factory=dict)
    """Messages that wait because the platform refuses the token or the account."""
    whole: bool = True
    """False: the table has more pages than were read."""


def look() -> Activity:
    """One bounded Scan of threads and of rows in trouble: neither is in an index by connection."""
    found = Activity()
    owners: dict[str, Where] = {}
    refused: list[str] = []
    with console.status("Looking through the table"):
        for number, page in enumerate(_pages()):
            if number == MOST_PAGES:
                found.whole = False
                break
            for row in map(items.values, page["Items"]):
                if row["SK"] == THREAD_ROW:
                    owners[row["PK"]] = where = (row["channel"], row[CONNECTION])
                    found.last[where] = max(found.last.get(where, 0), row.get("window", 0))
                else:
                    refused.append(row["PK"])
    for thread in refused:
        if thread in owners:
            found.stuck[owners[thread]] = found.stuck.get(owners[thread], 0) + 1
    return found


def _pages() -> Iterator[dict[str, Any]]:
    thread, waits = "SK = :row AND attribute_not_exists(pointer)", "#state = :state AND #problem = :problem"
    names = {f"#{name}": name for name in ("state", "problem", CONNECTION, "window")}
    values = {":row": THREAD_ROW, ":state": State.PENDING, ":problem": Problem.RECONNECT}
    pages: Iterator[dict[str, Any]] = iter(
        clients.dynamodb()
        .get_paginator("scan")
        .paginate(
            TableName=environment().table,
            FilterExpression=f"({thread}) OR ({waits})",
            ProjectionExpression=f"PK, SK, channel, #{CONNECTION}, #window",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={name: {"S": str(value)} for name, value in values.items()},
        )
    )
    return pages
