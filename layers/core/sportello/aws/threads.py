"""Threads listed for people: who waits, and the newest. No webhook reads them."""

import heapq
from collections.abc import Iterator
from typing import Any

from sportello.aws import clients, items
from sportello.aws.environment import environment
from sportello.domain.keys import THREAD_ROW
from sportello.domain.thread import Thread


def owing_threads(team: str, *, limit: int = 100) -> list[dict[str, Any]]:
    """The inbox of a team: who has waited longest first; thread id, owed_since, channel, name, first."""
    answer = clients.dynamodb().query(
        TableName=environment().table,
        IndexName="inbox",
        KeyConditionExpression="inbox = :team",
        ExpressionAttributeValues={":team": {"S": team}},
        Limit=limit,
    )
    rows = [items.values(item) for item in answer["Items"]]
    return [{"thread": row.pop("PK")[2:], **row} for row in rows]


def newest(most: int) -> list[Thread]:
    """The threads in which a customer wrote last, the newest first.

    Scans the table: a thread that owes nothing is in no index. Costs one read unit per 8 KB.
    """
    return heapq.nlargest(most, _threads(), key=lambda thread: thread.window or thread.created)


def _threads() -> Iterator[Thread]:
    pages = clients.dynamodb().get_paginator("scan")
    for page in pages.paginate(
        TableName=environment().table,
        FilterExpression="SK = :row AND attribute_not_exists(pointer)",
        ExpressionAttributeValues={":row": {"S": THREAD_ROW}},
    ):
        yield from (items.thread_of(item) for item in page["Items"])
