"""What the chat on the site reads of a thread, and the one row that it keeps beside the messages.

    W    the visit: when the visitor last looked, what they left, whose conversation it has become

The row is written on its own: it is no part of any decision and of no transaction.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import clients, history, items, store, writes
from sportello.aws.environment import environment
from sportello.aws.items import Item
from sportello.aws.store import Change
from sportello.domain.keys import THREAD_ROW, message_key, partition
from sportello.domain.message import Message
from sportello.domain.model import DAY, Instant, Model
from sportello.domain.thread import Thread

VISIT_ROW = "W"
COUNTER_KEPT = DAY
NEWEST = 50
"""Messages of a page that names no cursor."""
MOST = 1_000
"""Rows read since a cursor."""


class Visit(Model):
    seen: Instant = 0
    """Real time at which the visitor last had the conversation before their eyes."""
    email: str = ""
    """Typed by the visitor: where answers may follow them, and proof of nothing."""
    name: str = ""
    owner: str = ""
    """The contact that the conversation belongs to since its visitor has been identified."""
    mailed: Instant = 0
    """Up to when the conversation has been sent by e-mail."""


@dataclass
class Page:
    """A thread as its visitor sees it; ``thread`` is None where nobody has written yet."""

    id: str
    thread: Thread | None = None
    visit: Visit = field(default_factory=Visit)
    messages: list[Message] = field(default_factory=list)


def whose(thread_id: str) -> Page:
    """Thread and visit, without messages; through a pointer."""
    table = environment().table
    wanted = [items.row_key(thread_id, THREAD_ROW), items.row_key(thread_id, VISIT_ROW)]
    answer = clients.dynamodb().batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})
    if answer.get("UnprocessedKeys"):
        raise TimeoutError("the table was too busy to read a visit")
    page = _page(thread_id, answer.get("Responses", {}).get(table, []))
    return whose(page.id) if page.id != thread_id else page


def newest(thread_id: str) -> Page:
    """The newest messages."""
    page = _page(thread_id, list(_query(thread_id, THREAD_ROW, "X$")))
    if page.id != thread_id:
        return newest(page.id)
    if page.thread is not None:
        page.messages = history.messages(thread_id, newest=NEWEST)
    return page


def since(thread_id: str, floor: Instant) -> Page:
    """All rows whose keys are not older than that: one query, whatever there is to see."""
    page = _page(thread_id, list(_query(thread_id, message_key(floor, None, ""), "X$")))
    if page.id != thread_id:
        return since(page.id, floor)
    owed_since = page.thread.owed_since if page.thread is not None else None
    if owed_since is not None and owed_since < floor:  # a debt came back: what it causes stands that early
        return since(thread_id, owed_since)
    return page


def _page(thread_id: str, rows: list[Item]) -> Page:
    page = Page(thread_id)
    messages: list[Message] = []
    changes: list[Change] = []
    for row in rows:
        key = row["SK"]["S"]
        if key == THREAD_ROW and "pointer" in row:
            return Page(row["pointer"]["S"])
        if key == THREAD_ROW:
            page.thread = items.thread_of(row)
        elif key == VISIT_ROW:
            page.visit = _visit(row)
        elif key.startswith("X#"):
            changes.append(history.change_of(row))
        elif key.startswith("M#") and items.is_message(row):
            messages.append(items.message_of(row))
    page.messages = history.merged(sorted(messages, key=lambda message: message.order), changes)
    return page


def _visit(row: Item) -> Visit:
    values = items.values(row)
    return Visit(**{name: values[name] for name in values.keys() & Visit.model_fields.keys()})


def _query(thread_id: str, low: str, high: str) -> Iterator[Item]:
    """Eventually consistent: a poll that is a moment behind is followed by another."""
    arguments: dict[str, Any] = {
        "TableName": environment().table,
        "KeyConditionExpression": "PK = :pk AND SK BETWEEN :low AND :high",
        "ExpressionAttributeValues": {
            ":pk": {"S": partition(thread_id)},
            ":low": {"S": low},
            ":high": {"S": high},
        },
        "Limit": MOST,
    }
    while True:
        answer = clients.dynamodb().query(**arguments)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


# --- what is kept of a visit ----------------------------------------------------------------------


def looked(thread_id: str, now: Instant, expires: int) -> None:
    _set(thread_id, expires, seen=now)


def left(thread_id: str, expires: int, *, email: str, name: str) -> None:
    """What a visitor typed; what is empty stays as it was."""
    _set(thread_id, expires, **{key: value for key, value in (("email", email), ("name", name)) if value})


def mailed(thread_id: str, until: Instant, expires: int) -> None:
    _set(thread_id, expires, mailed=until)


def claim(thread_id: str, owner: str, expires: int) -> bool:
    """The conversation belongs to this contact from now on; False: it is another one's already."""
    try:
        _set(thread_id, expires, condition="attribute_not_exists(#owner) OR #owner = :owner", owner=owner)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def put(thread_id: str, row: Message, expires: int) -> None:
    """A row of the outbox that belongs to no decision; once it exists it stays as it is."""
    _put(items.message_item(thread_id, row, expires))


def point(id: str, thread_id: str, expires: int) -> None:
    """Let another id lead to this thread, for as long as its messages are kept."""
    _put(store.pointer_item(id, thread_id) | {"expires": {"N": str(expires)}})


def _put(item: Item) -> None:
    try:
        clients.dynamodb().put_item(
            TableName=environment().table, Item=item, ConditionExpression="attribute_not_exists(PK)"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def _set(thread_id: str, expires: int, *, condition: str = "", **fields: Any) -> None:
    fields["expires"] = expires
    arguments: dict[str, Any] = {
        "TableName": environment().table,
        "Key": items.row_key(thread_id, VISIT_ROW),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in fields),
        "ExpressionAttributeNames": {f"#{name}": name for name in fields},
        "ExpressionAttributeValues": {f":{name}": items.attribute(value) for name, value in fields.items()},
    }
    if condition:
        arguments["ConditionExpression"] = condition
    writes.update_item(**arguments)


# --- how often ------------------------------------------------------------------------------------


def counted(who: str, span: Instant, now: Instant, most: int) -> bool:
    """One more of this caller's acts in this span of real time; False: there were enough.

    ``who`` is a thread id, or an address in ``veiled`` form.
    """
    try:
        writes.update_item(
            TableName=environment().table,
            Key={"PK": {"S": f"CAP#webchat#{who}"}, "SK": {"S": f"S#{span}#{now // span}"}},
            ConditionExpression="attribute_not_exists(used) OR used < :most",
            UpdateExpression="ADD used :one SET expires = :expires",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":most": {"N": str(most)},
                ":expires": {"N": str((now + span + COUNTER_KEPT) // 1000)},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def veiled(address: str) -> str:
    """An internet address as a counter's name: nobody gets back from it."""
    salt = environment().id_salt.encode()
    return hmac.new(salt, address.encode(), hashlib.sha256).hexdigest()[:24]
