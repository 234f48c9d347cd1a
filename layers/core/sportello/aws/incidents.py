"""Waves of calls alike, and the incidents that they become.

The wave's ``rev`` guards what opens an incident. Who joins one is counted in the same transaction that
settles the call, so each is counted once however often it is kicked.
"""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sportello.aws import clients, items, together
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.incidents import Counted, Incident, News, Wave
from sportello.domain.model import Instant

_BUSY = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "TransactionCanceledException",
        "ThrottlingException",
    }
)


# --- waves ------------------------------------------------------------------------------------


def read_wave(address: Address) -> tuple[Wave, int]:
    """The wave and its ``rev``; 0 where no call has been counted yet."""
    row = together.read(address)
    if not row:
        return Wave(), 0
    recent = tuple(_counted(text) for text in row.get("recent", ()))
    fields = {name: row[name] for name in ("incident", "opened", "conversations", "last") if name in row}
    return Wave(recent=recent, **fields), row["rev"]


def _counted(text: str) -> Counted:
    at, thread, key = text.split(" ")
    return Counted(int(at), thread, key)


class Settling(NamedTuple):
    """A call that joins an incident: nobody is told of so many of its reasons."""

    address: Address
    reasons: int
    incident: Address


def count_alone(address: Address, wave: Wave, rev: int, expires: int) -> bool:
    """A call that is told alone is remembered; False where the wave has moved: read it again."""
    return together.update(**_next(address, wave, rev, expires))


def open_incident(
    address: Address, wave: Wave, rev: int, expires: int, settling: Settling, opened: Incident
) -> bool:
    """The wave, its incident and the call that opens it, or nothing: False where the wave has moved."""
    put = {
        "TableName": environment().table,
        "Item": _incident_item(address.thread, opened, expires),
        "ConditionExpression": "attribute_not_exists(PK)",
    }
    return _all_or_nothing(
        {"Update": _next(address, wave, rev, expires)}, {"Update": _settle(settling)}, {"Put": put}
    )


def join(address: Address, settling: Settling, at: Instant) -> bool:
    """One more conversation of an open incident; False where another write was quicker.

    It is counted whatever the wave's ``rev``: many join at once.
    """
    values = {":one": 1, ":last": at, ":incident": settling.incident.key}
    counted = {
        "TableName": environment().table,
        "Key": together.row_key(address),
        "ConditionExpression": "incident = :incident",
        "UpdateExpression": "SET #last = :last ADD conversations :one, rev :one",
        "ExpressionAttributeNames": {"#last": "last"},
        "ExpressionAttributeValues": {name: items.attribute(value) for name, value in values.items()},
    }
    return _all_or_nothing({"Update": counted}, {"Update": _settle(settling)})


def _all_or_nothing(*steps: dict[str, Any]) -> bool:
    try:
        clients.dynamodb().transact_write_items(TransactItems=list(steps))
    except ClientError as error:
        if error.response["Error"]["Code"] in _BUSY:
            return False
        raise
    return True


def _next(address: Address, wave: Wave, rev: int, expires: int) -> dict[str, Any]:
    fields = wave._asdict() | {"recent": [" ".join(map(str, one)) for one in wave.recent]}
    fields |= {"rev": rev + 1, "expires": expires}
    return {
        "TableName": environment().table,
        "Key": together.row_key(address),
        "ConditionExpression": "rev = :was" if rev else "attribute_not_exists(PK)",
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in fields),
        "ExpressionAttributeNames": {f"#{name}": name for name in fields},
        "ExpressionAttributeValues": {f":{name}": items.attribute(value) for name, value in fields.items()}
        | ({":was": items.attribute(rev)} if rev else {}),
    }


def settle(settling: Settling) -> None:
    """A call of a conversation that was counted before."""
    together.update(**_settle(settling))


def _settle(settling: Settling) -> dict[str, Any]:
    return {
        "TableName": environment().table,
        "Key": items.row_key(settling.address.thread, settling.address.key),
        "ConditionExpression": "size(whys) >= :reasons AND "
        "(attribute_not_exists(folded) OR folded < :reasons)",
        "UpdateExpression": "SET folded = :reasons, incident = :incident",
        "ExpressionAttributeValues": {
            ":reasons": items.attribute(settling.reasons),
            ":incident": {"S": settling.incident.tag},
        },
    }


def wave_address(incident: Incident) -> Address:
    """Where the calls of an incident are counted."""
    return together.of_team(incident.team, keys.wave_key(incident.wave))


# --- incidents --------------------------------------------------------------------------------


def _incident_item(team_id: str, incident: Incident, expires: int) -> items.Item:
    fields = incident._asdict() | {"news": [news._asdict() for news in incident.news], "expires": expires}
    item = together.row_key(Address(team_id, fields.pop("key")))
    item |= {name: items.attribute(value) for name, value in fields.items() if value is not None}
    if incident.due is not None:
        item["due_shard"] = {"S": keys.shard(team_id, "o")}
    return item


def read(address: Address) -> Incident | None:
    row = together.read(address)
    if "news" not in row:
        return None
    known = {name: row[name] for name in row.keys() & set(Incident._fields)}
    known["news"] = tuple(News(**news) for news in row["news"])
    known["samples"] = tuple(row.get("samples", ()))
    return Incident(**known | {"key": address.key})


def add_news(address: Address, incident: Incident, news: News, due: Instant) -> bool:
    """Something more is to be told; False where somebody else has added something."""
    return together.conditional(
        address,
        "size(news) = :known",
        "SET news = list_append(news, :news), due = :due, due_shard = :shard",
        {
            ":known": len(incident.news),
            ":news": [news._asdict()],
            ":due": due,
            ":shard": keys.shard(address.thread, "o"),
        },
    )


def no_more(address: Address, known: int) -> bool:
    """Nothing more is to be told; False where there is news."""
    return together.conditional(address, "size(news) = :known", "REMOVE due, due_shard", {":known": known})


def take(address: Address, by: str, at: Instant, held_by: str) -> bool:
    """Somebody takes the incident from whoever ``held_by`` names; False where another was quicker."""
    return together.conditional(
        address,
        "taken_by = :held" if held_by else "attribute_exists(PK) AND (taken_by = :held OR taken_by = :by)",
        "SET taken_by = :by, taken_at = :at",
        {":by": by, ":at": at, ":held": held_by},
    )


def mark(call: Address, incident: Address) -> None:
    """A call that was told alone before the incident opened: its pages belong to it from now on."""
    together.update(
        TableName=environment().table,
        Key=items.row_key(call.thread, call.key),
        ConditionExpression="attribute_exists(whys)",
        UpdateExpression="SET incident = :incident",
        ExpressionAttributeValues={":incident": {"S": incident.tag}},
    )
