"""What was said in a thread: its messages, edits, deletes and calls, read for people and decisions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sportello.aws import clients, items
from sportello.aws.environment import environment
from sportello.aws.items import Item
from sportello.aws.store import Change
from sportello.domain import keys
from sportello.domain.message import RANKS, Escalation, Message, State
from sportello.domain.model import Instant
from sportello.domain.thread import Thread

NEWEST = 1_000
"""Messages searched for the original of a delete."""


def messages(thread: str, *, newest: int = 50, after: str = "") -> list[Message]:
    """The thread's newest messages in shown order, edits and deletes merged; ``after`` is a key."""
    rows = _query(thread, after or "M#", "M$", newest)
    shown = [items.message_of(row) for row in rows if items.is_message(row)]
    ordered = sorted(shown, key=lambda message: message.order)
    return with_receipts(thread, merged(ordered, changes(thread)))


def with_receipts(thread: str, shown: list[Message]) -> list[Message]:
    """What platforms that return none of our data said of our messages."""
    if not any(_unconfirmed(message) for message in shown):
        return shown
    receipts = {row["SK"]["S"]: row for row in _query(thread, "R#", "R$", NEWEST)}
    return [_confirmed(thread, message, receipts) for message in shown] if receipts else shown


def _unconfirmed(message: Message) -> bool:
    return message.state is State.SENT and message.receipt != "read"


def _confirmed(thread: str, message: Message, receipts: Mapping[str, Item]) -> Message:
    if not _unconfirmed(message):
        return message
    said = [message.receipt]
    for id in (message.id, *message.also):
        own = receipts.get(keys.receipt_key(keys.message_hash(thread, id)))
        said += [own["status"]["S"]] if own else []
    until = receipts.get(keys.UNTIL_ROW, {})
    said += [name for name in ("delivered", "read") if name in until and message.time <= _time(until, name)]
    best = max(said, key=lambda status: RANKS.get(status, 0))
    return message if best == message.receipt else message.model_copy(update={"receipt": best})


def _time(row: Item, name: str) -> Instant:
    return int(row[name]["N"])


def outgoing(thread: str, *, newest: int = 50, after: Instant = 0) -> list[Message]:
    """Our own sends among the thread's newest rows since a time, the oldest first."""
    rows = _query(thread, keys.message_key(after, None, ""), "M$", newest)
    return [items.message_of(row) for row in reversed(rows) if "state" in row]


def find_sent(thread: str, platform_id: str, *, newest: int = 200) -> Message | None:
    """Our message that has this platform id, among the newest."""
    rows = (items.message_of(row) for row in _query(thread, "M#", "M$", newest) if "state" in row)
    return next((row for row in rows if platform_id in (row.id, *row.also)), None)


def context(thread: Thread, quoted: str = "") -> Mapping[str, str]:
    """What the channel needs to answer a message: the quoted one, else the newest that asks for an answer."""
    key = _key_of(thread.id, quoted) if quoted else thread.last_in or _newest_in(thread.id)
    if not key:
        return {}
    answer = clients.dynamodb().get_item(
        TableName=environment().table,
        Key=items.row_key(thread.id, key),
        ProjectionExpression="#context",
        ExpressionAttributeNames={"#context": "context"},
        ConsistentRead=True,
    )
    found: Mapping[str, str] = items.values(answer.get("Item", {})).get("context", {})
    return found


def _key_of(thread: str, platform_id: str) -> str:
    hashed = keys.message_hash(thread, platform_id)
    original = find_originals(thread, [hashed]).get(hashed)
    return original.key if original else ""


def _newest_in(thread: str) -> str:
    rows = _query(thread, "M#", "M$", 50)
    return next((row["SK"]["S"] for row in rows if row.get("direction") == {"S": "in"}), "")


def links(thread: str) -> tuple[str, ...]:
    """Ids of the public threads that this private one goes on from."""
    return tuple(row["SK"]["S"].removeprefix("L#") for row in _query(thread, "L#", "L$", NEWEST, only="SK"))


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
    return [change_of(row) for row in _query(thread, "X#", "X$", NEWEST)]


def change_of(row: Item) -> Change:
    return Change(
        key=row["SK"]["S"],
        time=int(row["time"]["N"]),
        kind=row["kind"]["S"],
        text=row.get("text", {"S": ""})["S"],
    )


def escalations(thread: str, *, newest: int = 50) -> list[Escalation]:
    return [items.escalation_of(row) for row in _query(thread, "M#", "M$", newest) if "whys" in row]


def rows(thread: str, *, newest: int) -> list[Item]:
    """The newest rows below messages' keys, the newest first: messages, calls, enquiries."""
    return _query(thread, "M#", "M$", newest)


class Original(NamedTuple):
    key: str
    files: bool
    """It has files, which may have been copied to S3."""


def find_originals(thread: str, hashes: Sequence[str]) -> dict[str, Original]:
    """The messages with these hashes among the newest 1,000, by hash."""
    wanted = set(hashes)
    found: dict[str, Original] = {}
    for row in _query(thread, "M#", "M$", NEWEST, only="SK, media"):
        hashed = row["SK"]["S"].rsplit("#", 1)[-1]
        if hashed in wanted:
            found[hashed] = Original(row["SK"]["S"], "media" in row)
    return found


def edits_of(thread: str, hashes: Sequence[str]) -> tuple[str, ...]:
    """Keys of the edits of these messages: they hold words too."""
    return tuple(
        change.key
        for change in changes(thread)
        if change.kind == "edit" and change.key.split("#")[1] in hashes
    )


def _query(thread: str, low: str, high: str, newest: int, *, only: str = "") -> list[Item]:
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
    if only:
        arguments["ProjectionExpression"] = only
    rows: list[Item] = []
    while len(rows) < newest:
        answer = clients.dynamodb().query(**arguments)
        rows += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            break
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return rows[:newest]
