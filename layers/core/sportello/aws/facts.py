"""The facts row of a thread: the company's facts of the customer, and what the customer has told.

    F    customer, asked, contact, orders (the company's, for a while), f:<field> (what the customer told)

Fields are written with the decision that learnt them (``store.Commit.learnt``); the rest on its own, for
it can be asked for again.
"""

from collections.abc import Mapping
from typing import Any

from sportello.aws import clients, items, writes
from sportello.aws.environment import environment
from sportello.aws.store import LEARNT
from sportello.domain.facts import CustomerFacts, Facts, ToldOrder
from sportello.domain.keys import FACTS_ROW
from sportello.domain.model import Instant

ORDERS_MOST = 5


def read(thread: str) -> Facts:
    """What is known of the customer of this thread; empty where nothing is."""
    item = clients.dynamodb().get_item(
        TableName=environment().table, Key=items.row_key(thread, FACTS_ROW), ConsistentRead=True
    )
    known = items.values(item.get("Item", {}))
    fields = {
        name.removeprefix(LEARNT): str(value) for name, value in known.items() if name.startswith(LEARNT)
    }
    own = {name: known[name] for name in ("customer", "asked", "contact", "orders") if name in known}
    return Facts.model_validate(own | {"fields": fields})


def keep_customer(thread: str, customer: CustomerFacts, contact: str, at: Instant, expires: int) -> None:
    """What the company says of the customer; ``contact`` is the hash of the one that it was asked with."""
    _set(thread, expires, {"customer": customer, "asked": at, "contact": contact})


def keep_order(thread: str, known: Facts, order: ToldOrder, expires: int) -> None:
    """One more order of theirs, the newest first; two at once lose one, which is asked for again."""
    others = [other for other in known.orders if other.proof != order.proof]
    _set(thread, expires, {"orders": (order, *others)[:ORDERS_MOST]})


def _set(thread: str, expires: int, fields: Mapping[str, Any]) -> None:
    writes.update_item(
        TableName=environment().table,
        Key=items.row_key(thread, FACTS_ROW),
        UpdateExpression="SET expires = :expires, " + ", ".join(f"#{name} = :{name}" for name in fields),
        ExpressionAttributeNames={f"#{name}": name for name in fields},
        ExpressionAttributeValues={
            ":expires": {"N": str(expires)},
            **{f":{name}": items.attribute(value) for name, value in fields.items()},
        },
    )
