"""What AWS can do to a call, done to the client's own requests (botocore's ``before-send``).

The in-process fake raises no conflict, no throttle and no timeout by itself, and does not know
``ClientRequestToken``: whatever a test needs of these is injected here.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from moto.core.models import botocore_stubber

from sportello.aws import clients
from sportello.aws.environment import environment

Fault = Callable[[Any], Any]
"""Takes the request; returns a response, raises, or returns None to let it through."""


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body

    def read(self, *_: Any) -> bytes:
        return self._body


def error(request: Any, code: str, status: int = 400, **more: Any) -> AWSResponse:
    body = json.dumps({"__type": f"com.amazonaws#{code}", "message": code, **more}).encode()
    headers = {"x-amz-crc32": str(zlib.crc32(body)), "content-type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, status, headers, _Raw(body))


def body_of(request: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.body)
    return found


def conflict(request: Any) -> AWSResponse:
    """Another transaction holds the thread row: botocore does not retry this."""
    writes = body_of(request)["TransactItems"]
    reasons = [{"Code": "None"} for _ in writes]
    reasons[-1] = {"Code": "TransactionConflict"}
    return error(request, "TransactionCanceledException", CancellationReasons=reasons)


def conflict_of_one_write(request: Any) -> AWSResponse:
    """A single write meets a transaction on the same row: not retried by botocore either."""
    return error(request, "TransactionConflictException")


def throttled(request: Any) -> AWSResponse:
    return error(request, "ThrottlingException")


def broken(request: Any) -> AWSResponse:
    return error(request, "InternalServerError", 500)


def executed_then_timeout(request: Any) -> None:
    """The write happened, and its answer was lost."""
    botocore_stubber("before-send", request)
    raise ReadTimeoutError(endpoint_url=request.url)


class Faults:
    """Registers faults and notes calls on the clients, until the test is over."""

    def __init__(self) -> None:
        self._registered: list[tuple[str, str, Any]] = []

    def _register(self, service: str, event: str, handler: Any) -> None:
        getattr(clients, service)().meta.events.register_first(event, handler)
        self._registered.append((service, event, handler))

    def remove(self) -> None:
        for service, event, handler in self._registered:
            getattr(clients, service)().meta.events.unregister(event, handler)

    def inject(self, operation: str, fault: Fault, times: int = 1, when: str = "") -> list[Any]:
        """The next calls of ``service.Operation`` meet the fault; returns the requests that did.

        ``when``: only requests whose body contains this text.
        """
        met: list[Any] = []

        def handler(request: Any, **_: Any) -> Any:
            if len(met) >= times or (when and when.encode() not in _bytes(request.body)):
                return None
            met.append(request)
            response = fault(request)
            request.answered = response is not None  # botocore calls every handler: see conftest
            return response

        service, name = operation.split(".")
        self._register(service, f"before-send.{service}.{name}", handler)
        return met

    def between(self, act: Callable[[], object]) -> list[Any]:
        """Somebody acts after the next commit has read the thread and before it writes."""

        def fault(_: Any) -> None:
            act()

        return self.inject("dynamodb.TransactWriteItems", fault)

    def delete(self, row: dict[str, Any]) -> None:
        """Somebody took a row away."""
        key = {name: {"S": row[name]} for name in ("PK", "SK")}
        clients.dynamodb().delete_item(TableName=environment().table, Key=key)

    def watch(self) -> list[str]:
        """Notes every AWS call that is sent from now on, as ``service.Operation``."""
        seen: list[str] = []

        def handler(event_name: str, **_: Any) -> None:
            seen.append(event_name.removeprefix("before-send."))

        for service in ("dynamodb", "sqs", "s3", "sesv2"):
            self._register(service, f"before-send.{service}.*", handler)
        return seen

    def sent_to(self, service: str, operation: str) -> list[dict[str, Any]]:
        """Notes the parameters of every call of that operation from now on."""
        seen: list[dict[str, Any]] = []

        def handler(params: dict[str, Any], **_: Any) -> None:
            seen.append(json.loads(params["body"]))

        self._register(service, f"before-call.{service}.{operation}", handler)
        return seen


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()
