"""The thread store: one consistent picture of a thread, and one transaction for all that changes.

The transaction holds the message, the thread row and every effect. Its conditions are the whole
guard: there is no lock, no check before the write, and no bare conditional Put (a Put whose answer
was lost fails on itself when botocore repeats it; a transaction repeats with the same token).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sportello.aws import clients, items
from sportello.aws.clock import real_now
from sportello.aws.environment import environment
from sportello.aws.items import Item
from sportello.aws.logging import logger
from sportello.domain import keys
from sportello.domain.message import Enquiry, Escalation, Message, Why
from sportello.domain.model import Instant
from sportello.domain.thread import Thread


class Found(NamedTuple):
    """What stands at a thread's own key: the thread, or a pointer to where it is."""

    thread: Thread | None = None
    pointer: str = ""


@dataclass(frozen=True)
class Change:
    """An edit or delete: a row of its own beside the message, merged on reading."""

    key: str
    time: Instant
    kind: str
    text: str = ""


class Commit(NamedTuple):
    """Everything that one event causes."""

    before: Thread
    after: Thread
    expires: int
    """TTL of the rows, in seconds."""
    message: Message | None = None
    dedupe: str = ""
    """Key of the dedupe row, for messages without a platform time."""
    rows: tuple[Message, ...] = ()
    calls: tuple[Escalation, ...] = ()
    added: tuple[tuple[str, tuple[Why, ...], Instant], ...] = ()
    """Reasons added to open calls: key, reasons, and when (real time) to tell people."""
    enquiries: tuple[Enquiry, ...] = ()
    learnt: Mapping[str, str] = MappingProxyType({})
    """Fields that the customer has told (``aws.facts``)."""
    refs: tuple[str, ...] = ()
    """Refs of links to the care account that lead back to this thread (``aws.refs``)."""
    changes: tuple[Change, ...] = ()
    emptied: tuple[str, ...] = ()
    """Keys of messages whose text and media are taken out."""
    purge: Mapping[str, Instant] = MappingProxyType({})
    """Of those, the ones that have files, and when (real time) the sweeper asks for their deletion."""
    fetch: str = ""
    """The effect of fetching the message's files."""
    pointers: tuple[str, ...] = ()
    """Thread ids that shall point to this thread."""
    steps: tuple[dict[str, Any], ...] = ()
    """Updates of outbox rows that belong to the same act (``aws.outbox``)."""
    saw_last_in: bool = False
    """Settling: nothing may have come in since ``before`` was read."""
    not_newer: Instant | None = None
    """An old message: its time may not move the window back."""

    @property
    def effects(self) -> tuple[str, ...]:
        """Keys of everything that wants a kick after the commit."""
        return (
            *[row.key for row in self.rows],
            *[call.key for call in self.calls],
            *[key for key, _, _ in self.added],
            *[enquiry.key for enquiry in self.enquiries],
            *([self.fetch] if self.fetch else []),
            *[keys.effect_key(key, keys.MEDIA_KIND) for key in self.purge],
        )

    def without(self, existing: frozenset[str]) -> "Commit":
        """The same, less the effects that exist already."""
        message = self.message
        if message is not None:
            left = tuple(key for key in message.effects if key not in existing)
            message = message.model_copy(update={"effects": left})
        return self._replace(
            message=message,
            rows=tuple(row for row in self.rows if row.key not in existing),
            calls=tuple(call for call in self.calls if call.key not in existing),
            added=tuple(entry for entry in self.added if entry[0] not in existing),
            enquiries=tuple(enquiry for enquiry in self.enquiries if enquiry.key not in existing),
        )


@dataclass(frozen=True)
class Committed:
    pass


@dataclass(frozen=True)
class Duplicate:
    """The message was stored before; what it caused wants a kick."""

    effects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moved:
    """Somebody else wrote first, or the table was busy: read again, decide again."""


@dataclass(frozen=True)
class PointerTaken:
    """Another row stands where a pointer was to be written."""

    id: str
    found: Found


@dataclass(frozen=True)
class AlreadyCaused:
    """Only effects existed: commit again without them."""

    effects: frozenset[str]


@dataclass(frozen=True)
class Lost:
    """An outbox row is no longer where this act expected it: somebody else took the step."""


class TooLarge(ValueError):
    """No row can hold this: what is bulky has to go to S3 first."""


Outcome = Committed | Duplicate | Moved | PointerTaken | AlreadyCaused | Lost


def read_thread(thread: str, *, consistent: bool = False) -> Found:
    """One GetItem. A stale answer only fails the guard, so the first read need not be consistent."""
    answer = clients.dynamodb().get_item(
        TableName=environment().table,
        Key=items.row_key(thread, keys.THREAD_ROW),
        ConsistentRead=consistent,
    )
    return _found(answer.get("Item"))


def _found(item: Item | None) -> Found:
    if not item:
        return Found()
    if "pointer" in item:
        return Found(pointer=item["pointer"]["S"])
    return Found(thread=items.thread_of(item))


def read_with_row(thread: str, key: str) -> tuple[Thread | None, Item | None]:
    """The thread and one of its rows in one consistent call."""
    table = environment().table
    wanted = [items.row_key(thread, keys.THREAD_ROW), items.row_key(thread, key)]
    answer = clients.dynamodb().batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})
    if answer.get("UnprocessedKeys"):
        raise TimeoutError("the table was too busy to read a row")
    found = {item["SK"]["S"]: item for item in answer["Responses"][table]}
    row = found.get(keys.THREAD_ROW)
    return items.thread_of(row) if row else None, found.get(key)


def commit(change: Commit) -> Outcome:
    """Write everything or nothing."""
    writes = _writes(change)
    try:
        clients.dynamodb().transact_write_items(TransactItems=[write.request for write in writes])
    except ClientError as error:
        if error.response["Error"]["Code"] in _BUSY:
            return Moved()
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        return _why_not(writes, error.response.get("CancellationReasons", []))
    return Committed()


_BUSY = frozenset({"TransactionConflictException", "TransactionInProgressException", "ThrottlingException"})


# --- the writes of one transaction ------------------------------------------------------------


class _Write(NamedTuple):
    role: str
    request: dict[str, Any]
    id: str = ""
    """Key of an effect, thread id of a pointer."""


def _writes(change: Commit) -> list[_Write]:
    thread, expires = change.after.id, change.expires
    writes: list[_Write] = []
    if change.message is not None:
        writes.append(_Write("message", _put(items.message_item(thread, change.message, expires), old=True)))
    if change.dedupe:
        writes.append(_Write("message", _put(_dedupe_item(thread, change), old=True)))
    if (write := _thread_write(change)) is not None:
        writes.append(_Write("thread", write))
    writes += [_Write("pointer", _put(pointer_item(id, thread), old=True), id) for id in change.pointers]
    for row in change.rows:
        writes.append(_Write("effect", _put(items.message_item(thread, row, expires)), row.key))
    for call in change.calls:
        writes.append(_Write("effect", _put(items.escalation_item(thread, call, expires)), call.key))
    for key, whys, due in change.added:
        writes.append(_Write("effect", _add_reasons(thread, key, whys, due), key))
    for enquiry in change.enquiries:
        writes.append(_Write("effect", _put(items.enquiry_item(thread, enquiry, expires)), enquiry.key))
    if change.learnt:
        writes.append(_Write("learnt", _learn(thread, change.learnt, expires)))
    writes += [_Write("ref", _keep_ref(ref, thread)) for ref in change.refs]
    for row_change in change.changes:
        writes.append(_Write("message", _put(_change_item(thread, row_change, expires), old=True)))
    writes += [_Write("emptied", _empty(thread, key, change.purge.get(key))) for key in change.emptied]
    writes += [_Write("step", step) for step in change.steps]
    return writes


def _put(item: Item, *, old: bool = False) -> dict[str, Any]:
    if items.may_be_large(item) and (size := items.size(item)) > items.ROW_LIMIT:
        raise TooLarge(f"a row of {size} bytes; DynamoDB takes {items.ROW_LIMIT}")
    put = {
        "TableName": environment().table,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(PK)",
    }
    if old:
        put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return {"Put": put}


def _dedupe_item(thread: str, change: Commit) -> Item:
    item = items.row_key(thread, change.dedupe) | {"expires": {"N": str(change.expires)}}
    if change.message is not None and change.message.effects:
        item["effects"] = items.attribute(change.message.effects)
    return item


def pointer_item(id: str, thread: str) -> Item:
    return items.row_key(id, keys.THREAD_ROW) | {"pointer": {"S": thread}, "v": {"N": str(items.SCHEMA)}}


def _change_item(thread: str, change: Change, expires: int) -> Item:
    item = items.row_key(thread, change.key) | {
        "time": {"N": str(change.time)},
        "kind": {"S": change.kind},
        "expires": {"N": str(expires)},
    }
    if change.text:
        item["text"] = {"S": change.text}
    return item


_WORDS = "#text, text_at, media, fragment, fragment_at, cards, place, payload, attested, #context"


def _empty(thread: str, key: str, purge: Instant | None) -> dict[str, Any]:
    """``purge``: its files are in S3, and the media worker has to delete them."""
    sets, removes = "deleted = :yes", _WORDS
    values: dict[str, Any] = {":yes": {"BOOL": True}}
    if purge is None:
        removes += ", due, due_shard"
    else:
        sets += ", due = :due, due_shard = :shard"
        values |= {":due": {"N": str(purge)}, ":shard": {"S": keys.shard(thread, "m")}}
    return {
        "Update": {
            "TableName": environment().table,
            "Key": items.row_key(thread, key),
            "ConditionExpression": "attribute_exists(PK)",
            "UpdateExpression": f"SET {sets} REMOVE {removes}",
            "ExpressionAttributeNames": {"#text": "text", "#context": "context"},
            "ExpressionAttributeValues": values,
        }
    }


def _add_reasons(thread: str, key: str, whys: Sequence[Why], due: Instant) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": environment().table,
            "Key": items.row_key(thread, key),
            "ConditionExpression": "attribute_exists(PK)",
            "UpdateExpression": (
                "SET whys = list_append(whys, :whys), due = if_not_exists(due, :due), "
                "due_shard = if_not_exists(due_shard, :shard)"
            ),
            "ExpressionAttributeValues": {
                ":whys": {"L": [items.attribute(why) for why in whys]},
                ":due": {"N": str(due)},
                ":shard": {"S": keys.shard(thread, "o")},
            },
        }
    }


LEARNT = "f:"
"""How the attributes of the facts row begin that hold what the customer has told."""


def _learn(thread: str, fields: Mapping[str, str], expires: int) -> dict[str, Any]:
    names = {f"#f{number}": f"{LEARNT}{name}" for number, name in enumerate(fields)}
    values = {f":f{number}": items.attribute(value) for number, value in enumerate(fields.values())}
    sets = ", ".join(f"#f{number} = :f{number}" for number in range(len(fields)))
    return {
        "Update": {
            "TableName": environment().table,
            "Key": items.row_key(thread, keys.FACTS_ROW),
            "UpdateExpression": f"SET {sets}, expires = :expires",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {**values, ":expires": {"N": str(expires)}},
        }
    }


REF_DAYS = 30
"""For which a link to the care account leads back to the thread that gave it."""


def ref_key(ref: str) -> Item:
    return {"PK": {"S": f"REF#{ref}"}, "SK": {"S": "REF"}}


def _keep_ref(ref: str, thread: str) -> dict[str, Any]:
    """The same ref again is its own earlier self: how long it is good, and who took it, stay."""
    return {
        "Update": {
            "TableName": environment().table,
            "Key": ref_key(ref),
            "UpdateExpression": (
                "SET #thread = if_not_exists(#thread, :thread), expires = if_not_exists(expires, :expires)"
            ),
            "ExpressionAttributeNames": {"#thread": "thread"},
            "ExpressionAttributeValues": {
                ":thread": {"S": thread},
                ":expires": {"N": str(items.seconds(real_now(), REF_DAYS))},
            },
        }
    }


def _thread_write(change: Commit) -> dict[str, Any] | None:
    before, after = change.before, change.after
    if before.rev == 0:
        item = items.thread_item(after, change.expires)
        _weigh(item)
        return _put(item, old=True)
    update = _Update(after.id)
    update.require("rev = :rev", ":rev", before.rev)
    if change.saw_last_in:
        if before.last_in:
            update.require("last_in = :last_in", ":last_in", before.last_in)
        else:
            update.require("attribute_not_exists(last_in)")
    if change.not_newer is not None:
        update.require(
            "(attribute_not_exists(#window) OR #window < :not_newer)", ":not_newer", change.not_newer
        )
        update.names["#window"] = "window"
    fields = vars(before)
    changed = [items.stored_name(name) for name, value in vars(after).items() if value != fields[name]]
    for attr in dict.fromkeys(changed):
        update.set(attr, items.stored(after, attr))
    if not update.changes:
        return update.check()
    if not update.names.keys() <= _NEWEST:
        _move(update, items.index_fields(before), items.index_fields(after))
        _weigh(items.thread_item(after, change.expires))
    update.set("expires", change.expires)
    return update.request()


_NEWEST = frozenset({"#last_in", "#window"})
"""What a further message changes: it moves the thread in no index, and makes the row no larger."""


def _move(update: "_Update", before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Into the indexes, or out of them."""
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            update.set(name, after.get(name))


def _weigh(item: Item) -> None:
    """A heavier row costs more; that is no reason to refuse a customer's message."""
    if (size := items.size(item)) > items.THREAD_ROW_LIMIT:
        logger.warning("thread row over budget", extra={"thread_id": item["PK"]["S"][2:], "bytes": size})


@dataclass
class _Update:
    """An UpdateItem under construction; every name goes through a placeholder (many are reserved)."""

    thread: str
    conditions: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    sets: list[str] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)

    def require(self, condition: str, name: str = "", value: Any = None) -> None:
        self.conditions.append(condition)
        if name:
            self.values[name] = items.attribute(value)

    def set(self, name: str, value: Any) -> None:
        self.names[f"#{name}"] = name
        if items.empty(value):
            self.removes.append(f"#{name}")
        else:
            self.sets.append(f"#{name} = :{name}_")
            self.values[f":{name}_"] = items.attribute(value)

    @property
    def changes(self) -> bool:
        return bool(self.sets or self.removes)

    def request(self) -> dict[str, Any]:
        expression = ""
        if self.sets:
            expression = "SET " + ", ".join(self.sets)
        if self.removes:
            expression += " REMOVE " + ", ".join(self.removes)
        return {"Update": self._common() | {"UpdateExpression": expression}}

    def check(self) -> dict[str, Any]:
        return {"ConditionCheck": self._common()}

    def _common(self) -> dict[str, Any]:
        common: dict[str, Any] = {
            "TableName": environment().table,
            "Key": items.row_key(self.thread, keys.THREAD_ROW),
            "ConditionExpression": " AND ".join(self.conditions),
        }
        if self.names:
            common["ExpressionAttributeNames"] = self.names
        if self.values:
            common["ExpressionAttributeValues"] = self.values
        return common


# --- why a transaction was cancelled ----------------------------------------------------------


def _why_not(writes: Sequence[_Write], reasons: Sequence[dict[str, Any]]) -> Outcome:
    failed = [
        (write, reason)
        for write, reason in zip(writes, reasons, strict=True)
        if reason.get("Code") == "ConditionalCheckFailed"
    ]
    for write, reason in failed:
        if write.role == "message":
            return Duplicate(effects=_effects(reason.get("Item")))
    if any(reason.get("Code") not in ("None", None, "ConditionalCheckFailed") for reason in reasons):
        return Moved()
    if any(write.role in ("thread", "emptied") for write, _ in failed):
        return Moved()
    if any(write.role == "step" for write, _ in failed):
        return Lost()
    for write, reason in failed:
        if write.role == "pointer":
            return PointerTaken(write.id, _found(reason.get("Item")))
    return AlreadyCaused(frozenset(write.id for write, _ in failed))


def _effects(item: Item | None) -> tuple[str, ...]:
    return tuple(items.value(item["effects"])) if item and "effects" in item else ()


# --- trying again, beginning ---------------------------------------------------------------------


def pause(attempt: int) -> float:
    """Seconds to wait before trying again: full jitter, 20 ms doubling to 640 ms."""
    return random.uniform(0, min(0.64, 0.02 * 2**attempt))  # noqa: S311 (not a secret)


def prime() -> None:
    """Make the client and its connection: the first call costs three times a later one."""
    try:
        read_thread("0" * keys.THREAD_ID_LENGTH)
    except Exception as error:  # the first request will say what is wrong
        logger.warning("not primed", extra={"error": type(error).__name__})
