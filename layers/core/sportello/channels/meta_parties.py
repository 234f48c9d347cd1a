"""Whose event it is: the account, the customer, and what every event of one entry shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sportello.channels.graph import Malformed, derived, instant, record, word
from sportello.channels.meta_addresses import BY_REFERENCE
from sportello.domain.events import Customer, Inbound, Kind
from sportello.domain.model import Instant

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Where:
    """What every event of one entry shares."""

    account: str
    own: frozenset[str]
    """Every id by which the platform may name the account."""
    time: Instant | None
    """When the platform sent it."""
    settings: Mapping[str, str]
    test: bool = False
    standby: bool = False


def customer_of(event: Json, where: Where) -> Customer | None:
    """The party that is not us."""
    for key in ("sender", "recipient"):
        id = word(record(event, key), "id")
        if id and id not in where.own:
            return Customer(id=id, address=id)
    reference = word(record(event, "sender"), "user_ref")
    if reference:
        return Customer(id=BY_REFERENCE + reference, address=BY_REFERENCE + reference)
    return None


def customer_known(event: Json, where: Where) -> Customer:
    customer = customer_of(event, where)
    if customer is None:
        raise Malformed("no customer")
    return customer


def time_of(event: Json, where: Where) -> Instant:
    time = instant(event, "timestamp") or where.time
    if time is None:
        raise Malformed("timestamp is missing")
    return time


def notice(
    event: Json,
    where: Where,
    kind: Kind,
    *,
    detail: str = "",
    text: str = "",
    payload: str = "",
    ref: str = "",
    quote: str = "",
    id: str = "",
    keep: bool = True,
) -> Inbound:
    """Anything but a message."""
    return Inbound(
        account=where.account,
        customer=customer_known(event, where),
        id=id or derived(event),
        time=instant(event, "timestamp"),
        kind=kind,
        text=text,
        payload=payload,
        ref=ref,
        quote=quote,
        addressed=not where.standby,
        detail="standby" if where.standby else detail,
        fragment=dict(event) if keep else None,
        test=where.test,
    )
