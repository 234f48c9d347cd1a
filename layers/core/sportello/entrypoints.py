"""Where Lambda events become calls of services: the only place of handlers, and of the clock.

``webhook`` is on every customer's path: all that a request needs is imported, read and connected
while INIT runs, and nothing that it does not need is imported at all.
"""

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from sportello import init_done
from sportello.aws import quarantine, store
from sportello.aws.clock import now as now
from sportello.aws.environment import environment
from sportello.aws.logging import logger
from sportello.aws.secrets import Connections, SecretsUnavailable, UnknownConnection
from sportello.channels.base import Channel, Connection, Request, Response, Unparseable
from sportello.domain.front import calendar_of_front
from sportello.domain.model import SECOND
from sportello.services.context import Busy, Context
from sportello.services.desk import current_desk
from sportello.services.ingest import ingest

BODY_LIMIT = 3_000_000
"""Bytes; a larger signed body goes to quarantine as it is."""
SPARE = SECOND
"""Kept of the platform's deadline for the answer itself."""

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def webhook(channel_class: type[Channel]) -> Handler:
    """The handler of a channel's function URL: verify, parse, commit, acknowledge.

    ``<function url>/<connection>`` names the connection, and so the secrets. Answers: what the
    channel acknowledges with once everything is committed; 401 not signed by the platform (no AWS
    call is made); 404 no such connection; 503 nothing durable could be written: deliver again.
    """
    channel = channel_class()
    connections = Connections(channel.name)
    current_desk()
    connections.prime()
    store.prime()

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        started = time.monotonic()
        response = _receive(channel, connections, read_request(event), started, context)
        return {
            "statusCode": response.status,
            "headers": {"content-type": response.content_type},
            "body": response.body,
        }

    init_done()
    return handler


def read_request(event: dict[str, Any]) -> Request:
    """A function URL event (payload 2.0) as a request; the body as the bytes that were sent."""
    body = event.get("body") or ""
    query = event.get("rawQueryString", "")
    http = event.get("requestContext", {}).get("http", {})
    return Request(
        method=http.get("method", "POST"),
        path=event.get("rawPath", "/"),
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
        raw_query=query,
        headers={name.lower(): value for name, value in event.get("headers", {}).items()},
        body=_decoded(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass"),
    )


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body)
    except ValueError:
        return b""


def _receive(
    channel: Channel, connections: Connections, request: Request, started: float, context: Any
) -> Response:
    try:
        connection = connections.get(_connection_in(request.path, channel.suffixes))
    except UnknownConnection:
        return Response(status=404, body="no such connection")
    except SecretsUnavailable as error:
        logger.error("secrets unavailable", extra={"channel": channel.name, "why": str(error)})
        return Response(status=503)
    if challenge := channel.handshake(request, connection):
        return challenge
    if not channel.verify(request, connection):
        logger.warning("not verified", extra={"channel": channel.name, "unverified": 1})
        return Response(status=401)
    return _commit(channel, connection, request, started, context)


def _connection_in(path: str, suffixes: tuple[str, ...]) -> str:
    """``/<connection>``, behind which some platforms put a word of their own."""
    path = path.strip("/")
    for suffix in suffixes:
        path = path.removesuffix(f"/{suffix}")
    return path.rsplit("/", 1)[-1]


def _commit(
    channel: Channel, connection: Connection, request: Request, started: float, context: Any
) -> Response:
    patience = min(channel.deadline, context.get_remaining_time_in_millis()) - SPARE
    work = Context(
        channel=channel,
        connection=connection,
        desk=current_desk(),
        salt=environment().id_salt,
        now=now,
        deadline=started + patience / SECOND,
    )
    try:
        _take(work, request)
    except Busy:
        logger.error("busy", extra={"channel": channel.name, "refused": 1})
        return Response(status=503)
    except Exception as error:  # whatever it is, the platform delivers again
        logger.error("not committed", extra={"channel": channel.name, "error": type(error).__name__})
        return Response(status=503)
    logger.info(
        "taken",
        extra={"channel": channel.name, "ms": round((time.monotonic() - started) * 1000), **work.counts},
    )
    return channel.acknowledge(request, connection, lambda: _is_open(work))


def _is_open(work: Context) -> bool:
    """For whoever has not been answered yet."""
    accounts = work.connection.accounts
    account = accounts[0].id if len(accounts) == 1 else ""
    return calendar_of_front(work.desk, work.channel.name, account).is_open(now())


def _take(work: Context, request: Request) -> None:
    try:
        if len(request.body) > BODY_LIMIT:
            raise Unparseable("too_large")
        events = work.channel.parse(request, work.connection)
    except Unparseable as error:
        quarantine.quarantine(
            work.channel.name,
            request.body,
            connection=work.connection.name,
            why=str(error),
            headers=request.headers,
        )
        work.counts["quarantined"] += 1
        return
    ingest(work, request, events)
