"""What was said in a thread: its messages, edits, deletes and calls, read for people and decisions."""

from collections.abc import Iterable, Sequence
from typing import Any

from sportello.aws import clients, items
from sportello.aws.environment import environment
from sportello.aws.items import Item
from sportello.aws.store import Change
from sportello.domain import keys
from sportello.domain.message import Escalation, Message

NEWEST = 1_000
"""Messages searched for the original of a delete."""


def messages(thread: str, *, newest: int = 50, after: str = "") -> list[Message]:
    """The thread's newest messages in shown order, edits and deletes merged; ``after`` is a key."""
    rows = _query(thread, after or "M#", "M$", newest)
    shown = [items.message_of(row) for row in rows if "whys" not in row]
    return merged(sorted(shown, key=lambda message: message.order), changes(thread))


def merged(shown: Iterable[Message], changed: Iterable[Change]) -> list[Message]:
    """Messages with their edits and deletes applied; the latest edit wins, a delete always."""
    by_hash: dict[str, list[Change]] = {}
    for change in sorted(changed, key=lambda change: change.time):
        by_hash.setdefault(change.key.split("#")[1], []).append(change)
    result = []
    for message in shown:
        hashed = message.key.rsplit("#", 1)[-1]
        for change in by_hash.get(hashed, ()):
            if change.kind == "delete":
                message = message.model_copy(
                    update={"deleted": True, "text": "", "media": (), "fragment": None}
                )
            elif not message.deleted:
                message = message.model_copy(update={"edited": True, "text": change.text})
        result.append(message)
    return result


def changes(thread: str) -> list[Change]:
    return [
        Change(
            key=row["SK"]["S"],
            time=int(row["time"]["N"]),
            kind=row["kind"]["S"],
            text=row.get("text", {"S": ""})["S"],
        )
        for row in _query(thread, "X#", "X$", NEWEST)
    ]


def escalations(thread: str, *, newest: int = 50) -> list[Escalation]:
    return [items.escalation_of(row) for row in _query(thread, "M#", "M$", newest) if "whys" in row]


def find_originals(thread: str, hashes: Sequence[str]) -> dict[str, str]:
    """Keys of the messages with these hashes among the newest 1,000, by hash."""
    wanted = set(hashes)
    found: dict[str, str] = {}
    for row in _query(thread, "M#", "M$", NEWEST, keys_only=True):
        hashed = row["SK"]["S"].rsplit("#", 1)[-1]
        if hashed in wanted:
            found[hashed] = row["SK"]["S"]
    return found


def edits_of(thread: str, hashes: Sequence[str]) -> tuple[str, ...]:
    """Keys of the edits of these messages: they hold words too."""
    return tuple(
        change.key
        for change in changes(thread)
        if change.kind == "edit" and change.key.split("#")[1] in hashes
    )


def _query(thread: str, low: str, high: str, newest: int, *, keys_only: bool = False) -> list[Item]:
    """Rows between two keys, the newest first, at most ``newest``; consistent."""
    arguments: dict[str, Any] = {
        "TableName": environment().table,
        "KeyConditionExpression": "PK = :pk AND SK BETWEEN :low AND :high",
        "ExpressionAttributeValues": {
            ":pk": {"S": keys.partition(thread)},
            ":low": {"S": low},
            ":high": {"S": high},
        },
        "ScanIndexForward": False,
        "ConsistentRead": True,
        "Limit": newest,
    }
    if keys_only:
        arguments["ProjectionExpression"] = "SK"
    rows: list[Item] = []
    while len(rows) < newest:
        answer = clients.dynamodb().query(**arguments)
        rows += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            break
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return rows[:newest]
