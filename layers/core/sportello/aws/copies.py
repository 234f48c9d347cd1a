"""What the media worker writes on rows: where the copies of files are, and a customer's name."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import items, writes
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.events import Media
from sportello.domain.model import Instant


def kept(address: Address, media: Sequence[Media]) -> bool:
    """Each file has its copy, or a reason why not; False where the message was deleted meanwhile."""
    return _update(
        address.thread,
        address.key,
        "attribute_exists(media)",
        "SET media = :media REMOVE due, due_shard",
        {":media": _written(media)},
    )


def later(address: Address, media: Sequence[Media], *, due: Instant) -> bool:
    """Some could not be fetched now."""
    return _update(
        address.thread,
        address.key,
        "attribute_exists(media)",
        "SET media = :media, due = :due",
        {":media": _written(media), ":due": due},
    )


def done(address: Address) -> bool:
    """The copies of a deleted message are gone."""
    return _update(address.thread, address.key, "deleted = :yes", "REMOVE due, due_shard", {":yes": True})


def named(thread: str, name: str) -> bool:
    """A name for a thread that has none."""
    return _update(
        thread,
        keys.THREAD_ROW,
        "attribute_exists(PK) AND attribute_not_exists(#name)",
        "SET #name = :name",
        {":name": name},
        {"#name": "name"},
    )


def spoken(thread: str, rev: int, language: str) -> bool:
    """A language for a thread that has none; what is decided next may depend on it, so ``rev`` rises."""
    return _update(
        thread,
        keys.THREAD_ROW,
        "rev = :rev AND attribute_not_exists(#language)",
        "SET #language = :language, rev = :next",
        {":language": language, ":rev": rev, ":next": rev + 1},
        {"#language": "language"},
    )


def _written(media: Sequence[Media]) -> list[Mapping[str, Any]]:
    return [one.model_dump(mode="json", exclude_defaults=True) for one in media]


def _update(
    thread: str,
    key: str,
    condition: str,
    expression: str,
    values: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
) -> bool:
    request: dict[str, Any] = {
        "TableName": environment().table,
        "Key": items.row_key(thread, key),
        "ConditionExpression": condition,
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {name: items.attribute(value) for name, value in values.items()},
    }
    if names:
        request["ExpressionAttributeNames"] = dict(names)
    try:
        writes.update_item(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
