"""How the company's own system has answered of late: after five failures in a row it is left alone a while.

One row for all functions: ``failures`` in a row, ``rest`` the time that it was left alone last, and
``rests_until`` (real time), when one may try again. Reading it costs half a read unit; it is written only
when something fails, or goes well again.
"""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sportello.aws import clients, items, writes
from sportello.aws.environment import environment
from sportello.domain.model import MINUTE, SECOND, Instant

KEY = {"PK": {"S": "HOOK"}, "SK": {"S": "HOOK"}}
FAILURES = 5
FIRST_REST = MINUTE
LONGEST_REST = 15 * MINUTE
TRYING = 10 * SECOND
"""For which the one who tries again keeps the others off."""


class State(NamedTuple):
    failures: int = 0
    rest: Instant = 0
    """0: it is not left alone."""
    rests_until: Instant = 0


def turn(now: Instant) -> State | None:
    """What was known before asking; None: not now.

    After a rest one alone may ask, and this takes the turn.
    """
    state = read()
    if not state.rest:
        return state
    if now < state.rests_until:
        return None
    taken = _set(
        "rests_until = :new", {":new": now + TRYING, ":was": state.rests_until}, "rests_until = :was"
    )
    return state if taken else None


def answered(before: State) -> None:
    """It went well: nothing is held against it any more."""
    if before != State():
        _update("REMOVE failures, rest, rests_until", {})


def failed(before: State, now: Instant) -> bool:
    """One more failure; True where the system is left alone from now on, and was not before."""
    if before.rest:
        longer = min(2 * before.rest, LONGEST_REST)
        _set("rest = :rest, rests_until = :until", {":rest": longer, ":until": now + longer})
        return False
    attributes = _update("ADD failures :one", {":one": 1})
    if int(attributes["failures"]["N"]) < FAILURES:
        return False
    rest = {":rest": FIRST_REST, ":until": now + FIRST_REST}
    return _set("rest = :rest, rests_until = :until", rest, "attribute_not_exists(rest)")


def read() -> State:
    item = clients.dynamodb().get_item(TableName=environment().table, Key=KEY).get("Item", {})
    known = items.values(item)
    return State(**{name: known[name] for name in State._fields if name in known})


def _set(assignments: str, values: dict[str, int], condition: str = "") -> bool:
    """False where somebody else was quicker."""
    try:
        _update(f"SET {assignments}", values, condition)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _update(expression: str, values: dict[str, int], condition: str = "") -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "TableName": environment().table,
        "Key": KEY,
        "UpdateExpression": expression,
        "ReturnValues": "UPDATED_NEW",
    }
    if values:
        known = {name: items.attribute(value) for name, value in values.items()}
        arguments["ExpressionAttributeValues"] = known
    if condition:
        arguments["ConditionExpression"] = condition
    found: dict[str, Any] = writes.update_item(**arguments).get("Attributes", {})
    return found
