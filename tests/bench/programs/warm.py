"""The whole handler against the same SDK calls with prebuilt arguments and the same clients, in one process.

Reads ``{"first", "further", "late": function URL events}``, writes CPU seconds per call:
``{case: {"whole": [...], "sdk": [...]}}``, and for the share of ``decide`` in a case
``{"decide in …": {"decide": [...], "whole": [...]}}``.
"""

import importlib
import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from sportello.aws import clients
from sportello.services import inbound
from tests.bench.programs import child

handler = importlib.import_module("handler").handler  # the function's own, from its folder

ROUNDS = int(os.environ["BENCH_PAIRS"])
CALLS = 40
"""Of each kind in a round: some 100 ms."""
WARM_UP = 2
CONTEXT = child.LambdaContext()

Call = tuple[Any, str, dict[str, Any]]
"""Client, method, arguments."""


def tell_stub(items: Mapping[str, Any], cancelled: Mapping[str, Any]) -> None:
    request = urllib.request.Request(
        os.environ["AWS_ENDPOINT_URL"],
        data=json.dumps({"items": items, "cancelled": cancelled}).encode(),
        headers={"x-amz-target": "Stub.Control"},
    )
    urllib.request.urlopen(request).close()


def whole(event: dict[str, Any], moment: int) -> Callable[[], None]:
    child.set_clock(moment)

    def run() -> None:
        if handler(event, CONTEXT)["statusCode"] != 200:
            raise SystemExit("the handler did not answer 200")

    return run


def calls_of(run: Callable[[], None]) -> list[Call]:
    """The SDK calls that a run makes, with their arguments."""
    seen: list[Call] = []
    for client in (clients.dynamodb(), clients.sqs()):

        def record(params: dict[str, Any], model: Any, client: Any = client, **others: Any) -> None:
            seen.append((client, xform_name(model.name), dict(params)))

        client.meta.events.register("provide-client-params.*.*", record, unique_id="record")
    run()
    for client in (clients.dynamodb(), clients.sqs()):
        client.meta.events.unregister("provide-client-params.*.*", unique_id="record")
    return seen


def replay(calls: Sequence[Call]) -> None:
    for client, method, arguments in calls:
        try:
            getattr(client, method)(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise


def thread_row(calls: Sequence[Call]) -> dict[str, Any]:
    """The thread row that a first message's transaction puts."""
    writes = next(
        arguments["TransactItems"] for _, name, arguments in calls if name == "transact_write_items"
    )
    rows = [write["Put"]["Item"] for write in writes if "Put" in write]
    return next(row for row in rows if row["SK"]["S"] == "T")


def measured(
    run: Callable[[], None], calls: Sequence[Call], expected: Sequence[str]
) -> dict[str, list[float]]:
    names = [name for _, name, _ in calls]
    if names != list(expected):
        raise SystemExit(f"expected {expected}, and the handler called {names}")
    spent: dict[str, list[float]] = {"whole": [], "sdk": []}
    for _ in range(WARM_UP + ROUNDS):
        taken = {"whole": 0.0, "sdk": 0.0}
        for _ in range(CALLS):
            # In turn: on Lambda too, an SDK call never finds the cache as the one before it left it.
            taken["whole"] += _seconds(run)
            taken["sdk"] += _seconds(lambda: replay(calls))
        for name, seconds in taken.items():
            spent[name].append(seconds / CALLS)
    return {name: values[WARM_UP:] for name, values in spent.items()}


def share_of_decide(run: Callable[[], None]) -> dict[str, list[float]]:
    """CPU of the one function that decides, inside the handler's."""
    decide, inside = vars(inbound)["decide"], [0.0]

    def timed(*arguments: Any) -> Any:
        started = time.process_time()
        decision = decide(*arguments)
        inside[0] += time.process_time() - started
        return decision

    vars(inbound)["decide"] = timed
    spent: dict[str, list[float]] = {"decide": [], "whole": []}
    for _ in range(WARM_UP + ROUNDS):
        inside[0] = 0.0
        spent["whole"].append(sum(_seconds(run) for _ in range(CALLS)) / CALLS)
        spent["decide"].append(inside[0] / CALLS)
    vars(inbound)["decide"] = decide
    return {name: values[WARM_UP:] for name, values in spent.items()}


def _seconds(run: Callable[[], None]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def main() -> dict[str, Any]:
    events = json.loads(sys.stdin.read())
    commit = ["get_item", "transact_write_items"]
    results = {}

    tell_stub({}, {})
    first = whole(events["first"], child.OPEN)
    calls = calls_of(first)
    results["first message of a thread"] = measured(first, calls, commit)
    results["decide in a first message"] = share_of_decide(first)
    row = thread_row(calls)

    late = whole(events["late"], child.CLOSED)
    calls = calls_of(late)
    results["closed: reply and kick"] = measured(late, calls, [*commit, "send_message"])

    tell_stub({row["PK"]["S"]: row}, {})
    further = whole(events["further"], child.OPEN + 60_000)
    calls = calls_of(further)
    results["ordinary message"] = measured(further, calls, commit)
    results["decide in an ordinary message"] = share_of_decide(further)

    reasons = [{"Code": "ConditionalCheckFailed", "Item": row}, {"Code": "None"}]
    tell_stub({row["PK"]["S"]: row}, {row["PK"]["S"]: reasons})
    calls = calls_of(further)
    results["duplicate"] = measured(further, calls, commit)
    return results


os.write(2, json.dumps(main()).encode())
os._exit(0)
