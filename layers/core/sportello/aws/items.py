"""Python values as DynamoDB attributes and back; what is empty is not stored.

boto3's own serialiser refuses floats and turns numbers into ``Decimal``; the desk stores JSON's
types only.
"""

import json
from collections.abc import Mapping
from typing import Any

from sportello.domain.keys import THREAD_ROW, partition, shard
from sportello.domain.message import Enquiry, Escalation, Message
from sportello.domain.model import Instant, Model
from sportello.domain.reasons import LETTERS
from sportello.domain.thread import Thread

Item = dict[str, dict[str, Any]]

SCHEMA = 1
"""Version on every row; changes are additive only."""
ROW_LIMIT = 390_000
"""Bytes of a row that DynamoDB surely takes (its limit is 400 KB)."""
THREAD_ROW_LIMIT = 1024


def attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value if value.isascii() else _whole(value)}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, list | tuple):
        return {"L": [attribute(part) for part in value]}
    if value is None:
        return {"NULL": True}
    if isinstance(value, Model):
        value = value.model_dump(exclude_defaults=True, mode="json")
    return {"M": {name: attribute(part) for name, part in value.items()}}


def _whole(text: str) -> str:
    """JSON may escape half a surrogate pair; no table takes it."""
    return text.encode("utf-8", "replace").decode("utf-8")


def value(attr: Mapping[str, Any]) -> Any:
    if "S" in attr:
        return attr["S"]
    if "N" in attr:
        number = attr["N"]
        return int(number) if number.lstrip("-").isdigit() else float(number)
    if "L" in attr:
        return [value(part) for part in attr["L"]]
    if "M" in attr:
        return {name: value(part) for name, part in attr["M"].items()}
    return attr.get("BOOL")


def values(item: Item) -> dict[str, Any]:
    # Most attributes are texts, and this runs for every message: they need no call of their own.
    return {name: attr["S"] if "S" in attr else value(attr) for name, attr in item.items()}


def row_key(thread: str, key: str) -> Item:
    return {"PK": {"S": partition(thread)}, "SK": {"S": key}}


def empty(field: Any) -> bool:
    return field is None or field is False or field == "" or field == () or field == {} or field == []


_FLAGS = {
    "on_it": "o",
    "person_told": "p",
    "unreachable": "u",
    "public": "c",
    "interim": "i",
    "trusted": "t",
    "language_set": "l",
    "greeted": "g",
    "answered": "a",
}
"""Yes or no of a thread: one letter each in one attribute, as the row has 1 KB for everything."""
_REASONS = {letter: reason for reason, letter in LETTERS.items()}
_SHORT = {
    "tier": "ti",
    "track": "tk",
    "level": "lv",
    "paged": "pg",
    "promised": "pm",
    "consulting": "co",
    "offered": "of",
    "asked": "qs",
    "known": "kn",
    "aside": "as",
    "escalation": "es",
    "escalated": "er",
    "connection": "cn",
    "told_until": "tu",
    "created": "cr",
    "person_until": "pu",
    **dict.fromkeys(_FLAGS, "is"),
}
"""Names of attributes that differ from their fields'."""
_LISTS = {"asked", "known", "aliases", "gone"}
_FIELDS: dict[str, str] = {
    attr: name for name in Thread.model_fields if (attr := _SHORT.get(name, name)) != "is"
}


def stored_name(field: str) -> str:
    """Attribute of the thread row that holds this field."""
    return _SHORT.get(field, field)


def stored(thread: Thread, attr: str) -> Any:
    """What the thread row holds there."""
    if attr == "is":
        return "".join([letter for name, letter in _FLAGS.items() if getattr(thread, name)])
    name = _FIELDS[attr]
    value = getattr(thread, name)
    if name == "escalated":
        return "".join([LETTERS[reason] for reason in value])
    return " ".join(value) if name in _LISTS else value


def thread_item(thread: Thread, expires: int) -> Item:
    item = row_key(thread.id, THREAD_ROW)
    for attr in (*_FIELDS, "is"):
        if attr != "id" and not empty(field := stored(thread, attr)):
            item[attr] = attribute(field)
    item |= {name: attribute(field) for name, field in index_fields(thread).items()}
    item |= {"v": {"N": str(SCHEMA)}, "expires": {"N": str(expires)}}
    return item


def index_fields(thread: Thread) -> dict[str, Any]:
    """What puts the thread into the indexes; both are sparse."""
    fields: dict[str, Any] = {}
    if thread.owed_since is not None:
        fields["inbox"] = thread.team
    if thread.due is not None:
        fields["due_shard"] = shard(thread.id, "t")
    return fields


def thread_of(item: Item) -> Thread:
    fields = values({_FIELDS[attr]: field for attr, field in item.items() if attr in _FIELDS})
    fields["id"] = item["PK"]["S"][2:]
    if "is" in item:
        flags = item["is"]["S"]
        fields |= {name: True for name, letter in _FLAGS.items() if letter in flags}
    for name in _LISTS & fields.keys():
        fields[name] = fields[name].split(" ")
    if "escalated" in fields:
        fields["escalated"] = [_REASONS[letter] for letter in fields["escalated"] if letter in _REASONS]
    return Thread.model_validate(fields)


_MESSAGE = {
    name: field.default for name, field in Message.model_fields.items() if name not in ("key", "fragment")
}
"""Attributes of a message's row, each with the value that goes without saying."""


def message_item(thread: str, message: Message, expires: int) -> Item:
    item, fields = row_key(thread, message.key), vars(message)
    for name, unsaid in _MESSAGE.items():
        if (field := fields[name]) != unsaid and not empty(field):
            item[name] = attribute(field)
    if message.fragment is not None:
        item["fragment"] = attribute(json.dumps(message.fragment, ensure_ascii=False, separators=(",", ":")))
    if message.due is not None:
        item["due_shard"] = {"S": shard(thread, "o" if message.direction == "out" else "m")}
    item |= {"v": {"N": str(SCHEMA)}, "expires": {"N": str(expires)}}
    return item


def message_of(item: Item) -> Message:
    fields = values(item)
    if "fragment" in fields:
        fields["fragment"] = json.loads(fields["fragment"])
    fields["key"] = fields["SK"]
    return Message.model_validate(fields, extra="ignore")


def escalation_item(thread: str, escalation: Escalation, expires: int) -> Item:
    item = row_key(thread, escalation.key)
    fields = escalation.model_dump(exclude={"key", "due"}, mode="json")
    item |= {name: attribute(field) for name, field in fields.items()}
    if escalation.due is not None:
        item |= {"due": attribute(escalation.due), "due_shard": {"S": shard(thread, "o")}}
    item |= {"v": {"N": str(SCHEMA)}, "expires": {"N": str(expires)}}
    return item


def escalation_of(item: Item) -> Escalation:
    fields = values(item)
    known = {name: fields[name] for name in fields.keys() & Escalation.model_fields.keys()}
    return Escalation(key=fields["SK"], **known)


def enquiry_item(thread: str, enquiry: Enquiry, expires: int) -> Item:
    item = row_key(thread, enquiry.key)
    fields = enquiry._asdict() | {"key": None}
    item |= {name: attribute(field) for name, field in fields.items() if not empty(field) and field != 0}
    if enquiry.due is not None:
        item["due_shard"] = {"S": shard(thread, "o")}
    item |= {"v": {"N": str(SCHEMA)}, "expires": {"N": str(expires)}}
    return item


def enquiry_of(item: Item) -> Enquiry:
    fields = values(item)
    known = {name: fields[name] for name in fields.keys() & set(Enquiry._fields)}
    for name in ("asks", "why", "problems"):
        known[name] = tuple(known.get(name, ()))
    return Enquiry(**known | {"key": fields["SK"]})


def is_message(item: Item) -> bool:
    """Whether a row below ``M#`` is a message, in or out, and not a call or an enquiry."""
    return "direction" in item


_BULKY = frozenset({"media", "cards", "fragment", "payload", "quote", "album", "detail", "context", "place"})


def may_be_large(item: Item) -> bool:
    """Whether weighing it is worth the time: texts are cut at 32 KB, what else there is seldom comes."""
    return not _BULKY.isdisjoint(item)


def size(item: Item) -> int:
    """Bytes as DynamoDB counts them (names and values; numbers about half their digits + 1)."""
    total = 0
    for name, attr in item.items():
        total += len(name) + (len(attr["S"].encode()) if "S" in attr else _size(attr))
    return total


def _size(attr: Mapping[str, Any]) -> int:
    ((kind, raw),) = attr.items()
    if kind == "S":
        return len(raw.encode("utf-8"))
    if kind == "N":
        return len(raw) // 2 + 2
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + _size(part) for name, part in raw.items())
    if kind == "L":
        return 3 + sum(1 + _size(part) for part in raw)
    return 1


def seconds(instant: Instant, days: int) -> int:
    """TTL of a row: seconds, ``days`` after the instant."""
    return instant // 1000 + days * 86_400
