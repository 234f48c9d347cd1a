"""Steps of an outbox row; each is one conditional write, so two senders never both take it.

PENDING -> SENDING(lease, token) -> SENT | FAILED | UNKNOWN
PENDING -> CANCELLED | FAILED        SENDING -> PENDING(due)   nothing was sent
SENDING | UNKNOWN -> SENT            SENDING | SENT | UNKNOWN -> FAILED   by a receipt
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import clients, items, writes
from sportello.aws.environment import environment
from sportello.aws.store import pause, read_with_row
from sportello.domain import keys
from sportello.domain.keys import KEY_LIMIT, THREAD_ID_LENGTH
from sportello.domain.message import RANKS, Message, State
from sportello.domain.model import HOUR, Instant
from sportello.domain.thread import Thread

COUNTER_KEPT_DAYS = 2


@dataclass(frozen=True)
class Address:
    """Where an outbox row stands; as a tag it travels through the platform and back."""

    thread: str
    key: str

    @property
    def tag(self) -> str:
        return f"{self.thread} {self.key}"


def address_of(tag: str) -> Address | None:
    """The row that a tag names; None where the tag is none of ours."""
    thread, _, key = tag.partition(" ")
    if len(thread) != THREAD_ID_LENGTH or not key.startswith("M#") or len(key) > KEY_LIMIT:
        return None
    return Address(thread, key)


def read(address: Address) -> tuple[Thread | None, Message | None]:
    """The thread and the row in one consistent call."""
    thread, row = read_with_row(address.thread, address.key)
    return thread, items.message_of(row) if row and items.is_message(row) else None


# --- the sender's steps -------------------------------------------------------------------------


@dataclass(frozen=True)
class Counter:
    """The cap: automatic replies of one account in one hour of the desk's clock."""

    channel: str
    account: str
    hour: int
    most: int


def claim(
    address: Address,
    *,
    token: str,
    lease_until: Instant,
    text: str,
    rev: int | None = None,
    counter: Counter | None = None,
) -> str:
    """PENDING to SENDING; the text that is about to be sent is kept.

    Returns ``claimed``, ``lost`` (not pending any more), ``moved`` (the thread's ``rev`` is not the
    one judged by), ``capped`` or ``busy`` (a conflict: try again).
    """
    values = {":token": token, ":due": lease_until, ":text": text, ":sending": State.SENDING}
    take = _update(
        address,
        "#state = :pending",
        "SET #state = :sending, #token = :token, lease = :due, due = :due, #text = :text",
        values | {":pending": State.PENDING},
    )
    changes = [("lost", take)]
    if rev is not None:
        changes.append(("moved", _rev_is(address.thread, rev)))
    if counter is not None:
        changes.append(("capped", _count(counter)))
    return _transact(changes) or "claimed"


def sent(
    address: Address,
    token: str,
    platform_id: str,
    *,
    also: Sequence[str] = (),
    linked: str = "",
    units: int = 0,
) -> bool:
    """SENDING to SENT; False where a receipt or another sender was quicker."""
    known = {"also": list(also), "linked": linked, "units": units}
    facts = {name: value for name, value in known.items() if value}
    sets = "".join(f", {name} = :{name}" for name in facts)
    return _step(
        address,
        "#state = :sending AND #token = :token",
        f"SET #state = :sent, id = :id{sets} REMOVE due, due_shard, problem, code",
        {
            ":sending": State.SENDING,
            ":token": token,
            ":sent": State.SENT,
            ":id": platform_id,
            **{f":{name}": value for name, value in facts.items()},
        },
    )


def link(private: str, public: str, expires: int) -> None:
    """The private thread remembers the public one that it goes on from."""
    writes.update_item(
        TableName=environment().table,
        Key=items.row_key(private, keys.link_key(public)),
        UpdateExpression="SET expires = :expires",
        ExpressionAttributeValues={":expires": {"N": str(expires)}},
    )


def unknown(address: Address, token: str, code: str) -> bool:
    """SENDING to UNKNOWN: nobody can tell whether the platform took it."""
    return _step(
        address,
        "#state = :sending AND #token = :token",
        "SET #state = :unknown, problem = :problem, code = :code REMOVE due, due_shard",
        {
            ":sending": State.SENDING,
            ":token": token,
            ":unknown": State.UNKNOWN,
            ":problem": "unknown",
            ":code": code,
        },
    )


def cancel(address: Address, problem: str) -> bool:
    """PENDING to CANCELLED, with the reason."""
    return _step(
        address,
        "#state = :pending",
        "SET #state = :cancelled, problem = :problem REMOVE due, due_shard",
        {":pending": State.PENDING, ":cancelled": State.CANCELLED, ":problem": problem},
    )


def postpone(address: Address, *, token: str, due: Instant, problem: str, code: str, hold: bool) -> bool:
    """SENDING back to PENDING until ``due``; with ``hold``, the thread's later rows wait as well."""
    row = _update(
        address,
        "#state = :sending AND #token = :token",
        "SET #state = :pending, due = :due, problem = :problem, code = :code REMOVE #token",
        {
            ":sending": State.SENDING,
            ":token": token,
            ":pending": State.PENDING,
            ":due": due,
            ":problem": problem,
            ":code": code,
        },
    )
    changes = [("lost", row)]
    if hold:
        changes.append(("lost", _hold(address.thread, due)))
    for attempt in range(writes.TRIES):
        outcome = _transact(changes)
        if outcome != "busy":
            return outcome is None
        time.sleep(pause(attempt))
    return False


def wait_for(address: Address, due: Instant, problem: str) -> bool:
    """A pending row that cannot be sent now; behind a thread's hold it takes that time, so order holds."""
    return _step(
        address,
        "#state = :pending",
        "SET due = :due, problem = :problem",
        {":pending": State.PENDING, ":due": due, ":problem": problem},
    )


def failed(address: Address, problem: str, code: str, token: str = "") -> dict[str, Any]:
    """The step to FAILED, to be part of a commit: the debt returns in the same transaction."""
    values: dict[str, str]
    if token:
        condition = "#state = :sending AND #token = :token"
        values = {":sending": State.SENDING, ":token": token}
    else:
        condition = "#state IN (:sending, :sent, :unknown)"
        values = {":sending": State.SENDING, ":sent": State.SENT, ":unknown": State.UNKNOWN}
    return _update(
        address,
        condition,
        "SET #state = :failed, problem = :problem, code = :code REMOVE due, due_shard",
        values | {":failed": State.FAILED, ":problem": problem or "refused", ":code": code},
    )


def refuse(address: Address, problem: str, code: str = "") -> dict[str, Any]:
    """PENDING to FAILED without a send: the channel's policy forbids it."""
    return _update(
        address,
        "#state = :pending",
        "SET #state = :failed, problem = :problem, code = :code REMOVE due, due_shard",
        {":pending": State.PENDING, ":failed": State.FAILED, ":problem": problem, ":code": code},
    )


def again(address: Address, before: Thread, *, due: Instant, not_after: Instant) -> dict[str, Any]:
    """FAILED back to PENDING: an operator sends a person's reply once more, with the debt it settles."""
    settled = {"settled_since": before.owed_since, "settled_first": before.first} if before.owes else {}
    sets = "".join(f", {name} = :{name}" for name in settled)
    return _update(
        address,
        "#state = :failed",
        "SET #state = :pending, due = :due, due_shard = :shard, not_after = :not_after"
        f"{sets} REMOVE problem, code, id, #token, receipt, #rank ADD attempt :one",
        {
            ":failed": State.FAILED,
            ":pending": State.PENDING,
            ":due": due,
            ":shard": keys.shard(address.thread, "o"),
            ":not_after": not_after,
            ":one": 1,
            **{f":{name}": value for name, value in settled.items()},
        },
    )


# --- a platform's receipt, the sweeper's kick, an address that moved ------------------------------


def receipt(address: Address, status: str, platform_id: str) -> str:
    """Sent, delivered, read: forward only. One call; returns a word for the log."""
    done = _step(
        address,
        "attribute_exists(PK) AND #state IN (:sending, :unknown, :sent) "
        "AND (attribute_not_exists(#rank) OR #rank < :rank)",
        "SET #state = :sent, #rank = :rank, receipt = :status, id = :id REMOVE due, due_shard, problem, code",
        {
            ":sending": State.SENDING,
            ":unknown": State.UNKNOWN,
            ":sent": State.SENT,
            ":rank": RANKS[status],
            ":status": status,
            ":id": platform_id,
        },
    )
    return "receipt" if done else "old_receipt"


def receipt_by_id(thread: str, hashed: str, status: str, expires: int) -> str:
    """A receipt of a platform that returns none of our data: a row of its own, read with the page."""
    return _receipt_row(
        thread,
        keys.receipt_key(hashed),
        "attribute_not_exists(#rank) OR #rank < :rank",
        "SET #rank = :rank, #status = :status, expires = :expires",
        {"#rank": "rank", "#status": "status"},
        {":rank": RANKS[status], ":status": status, ":expires": expires},
    )


def receipt_until(thread: str, until: Instant, status: str, expires: int) -> str:
    """Everything sent to this customer up to a time was delivered, or read."""
    return _receipt_row(
        thread,
        keys.UNTIL_ROW,
        "attribute_not_exists(#status) OR #status < :until",
        "SET #status = :until, expires = :expires",
        {"#status": status},
        {":until": until, ":expires": expires},
    )


def _receipt_row(
    thread: str,
    key: str,
    condition: str,
    expression: str,
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> str:
    try:
        writes.update_item(
            TableName=environment().table,
            Key=items.row_key(thread, key),
            ConditionExpression=condition,
            UpdateExpression=expression,
            ExpressionAttributeNames=dict(names),
            ExpressionAttributeValues={name: items.attribute(value) for name, value in values.items()},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return "old_receipt"
        raise
    return "receipt"


def next_attempt(address: Address, *, was_due: Instant, due: Instant) -> int | None:
    """Before a kick: move ``due`` on and raise the attempt, for SQS remembers the last kick for 5 minutes.

    None where somebody else has moved it.
    """
    try:
        answer = writes.update_item(
            TableName=environment().table,
            Key=items.row_key(address.thread, address.key),
            ConditionExpression="due = :was",
            UpdateExpression="SET due = :due ADD attempt :one",
            ExpressionAttributeValues={
                ":was": items.attribute(was_due),
                ":due": items.attribute(due),
                ":one": {"N": "1"},
            },
            ReturnValues="UPDATED_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return None
        raise
    return int(answer["Attributes"]["attempt"]["N"])


def readdress(thread: str, to: str) -> None:
    """The platform named the destination's new address."""
    writes.update_item(
        TableName=environment().table,
        Key=items.row_key(thread, keys.THREAD_ROW),
        ConditionExpression="attribute_exists(PK)",
        UpdateExpression="SET #to = :to",
        ExpressionAttributeNames={"#to": "to"},
        ExpressionAttributeValues={":to": {"S": to}},
    )


# --- the writes -----------------------------------------------------------------------------------


def _update(address: Address, condition: str, expression: str, values: Mapping[str, Any]) -> dict[str, Any]:
    both = condition + expression
    names = {f"#{name}": name for name in ("state", "token", "text", "rank") if f"#{name}" in both}
    return {
        "Update": {
            "TableName": environment().table,
            "Key": items.row_key(address.thread, address.key),
            "ConditionExpression": condition,
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {name: items.attribute(value) for name, value in values.items()},
        }
    }


def _step(address: Address, condition: str, expression: str, values: Mapping[str, Any]) -> bool:
    """One update. If its answer is lost botocore repeats it, and it fails on itself: done all the same."""
    try:
        writes.update_item(**_update(address, condition, expression, values)["Update"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _rev_is(thread: str, rev: int) -> dict[str, Any]:
    return {
        "ConditionCheck": {
            "TableName": environment().table,
            "Key": items.row_key(thread, keys.THREAD_ROW),
            "ConditionExpression": "rev = :rev",
            "ExpressionAttributeValues": {":rev": {"N": str(rev)}},
        }
    }


def _count(counter: Counter) -> dict[str, Any]:
    expires = items.seconds(counter.hour * HOUR, COUNTER_KEPT_DAYS)
    return {
        "Update": {
            "TableName": environment().table,
            "Key": {
                "PK": {"S": f"CAP#{counter.channel}#{counter.account}"},
                "SK": {"S": f"H#{counter.hour}"},
            },
            "ConditionExpression": "attribute_not_exists(used) OR used < :most",
            "UpdateExpression": "ADD used :one SET expires = :expires",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":most": {"N": str(counter.most)},
                ":expires": {"N": str(expires)},
            },
        }
    }


def _hold(thread: str, until: Instant) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": environment().table,
            "Key": items.row_key(thread, keys.THREAD_ROW),
            "ConditionExpression": "attribute_exists(PK)",
            "UpdateExpression": "SET #hold = :until",
            "ExpressionAttributeNames": {"#hold": "hold"},
            "ExpressionAttributeValues": {":until": {"N": str(until)}},
        }
    }


def _transact(changes: Sequence[tuple[str, dict[str, Any]]]) -> str | None:
    """None when written; else the name of the first write whose condition failed, or ``busy``."""
    try:
        clients.dynamodb().transact_write_items(TransactItems=[request for _, request in changes])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "TransactionCanceledException":
            if code in ("TransactionConflictException", "TransactionInProgressException"):
                return "busy"
            raise
        reasons = error.response.get("CancellationReasons", [])
        for (name, _), reason in zip(changes, reasons, strict=True):
            if reason.get("Code") == "ConditionalCheckFailed":
                return name
        return "busy"
    return None
