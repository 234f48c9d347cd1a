"""The function of the chat on the site: our own protocol over a function URL.

    GET  /widget/<connection>.js      the widget
    POST /session/<connection>        a token, and what the widget shows
    GET  /messages/<connection>       what is new
    POST /messages/<connection>       a message
    POST /contact/<connection>        name, e-mail address
    POST /uploads/<connection>        where to post a file
    GET  /files/<connection>          where to fetch one

docs/webchat/openapi.yaml is the contract, and a test compares. Nothing is trusted but the token:
Origin only keeps other sites' scripts from using ours in a visitor's browser.
"""

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sportello import entrypoints, init_done
from sportello.aws import store
from sportello.aws.environment import environment
from sportello.aws.logging import logger
from sportello.aws.secrets import Connections, SecretsUnavailable, UnknownConnection
from sportello.channels.base import Connection, Request, Unparseable
from sportello.channels.body import read_object
from sportello.channels.webchat import WebChat, caller, origins
from sportello.channels.webchat_tokens import LONGEST, Visitor
from sportello.domain.model import SECOND
from sportello.entrypoints import SPARE, Handler, read_request
from sportello.services import conversation, visits
from sportello.services.context import Busy, Context
from sportello.services.desk import current_desk, current_site
from sportello.services.visits import Refused

BODY_LIMIT = 65_536
WIDGET = Path(__file__).parent / "site" / "widget.js"
WIDGET_SECONDS = 3600
"""For which browsers keep the widget."""
PREFLIGHT_SECONDS = 7200
RETRY_HEADER = "sportello-retry-ms"
METHODS = "GET, POST, OPTIONS"
HEADERS = "authorization, content-type, if-none-match"

JSON = "application/json; charset=utf-8"


class Answer(NamedTuple):
    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = {}


class Call(NamedTuple):
    """One request, with the connection that its path names."""

    request: Request
    connection: Connection
    context: Context
    address: str
    """Internet address of the caller."""

    @property
    def visitor(self) -> Visitor:
        found = caller(self.request, self.connection)
        if found is None:
            logger.warning("not verified", extra={"channel": "webchat", "unverified": 1})
            raise Refused(401, "token", "no token of this site, or no longer good: open a session")
        return found


def site() -> Handler:
    """The handler of the site's function URL."""
    channel = WebChat()
    connections = Connections(channel.name)
    current_desk()
    current_site()
    connections.prime()
    store.prime()

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        started = time.monotonic()
        request = read_request(event)
        action, name = _route(request.path)
        if action == "widget":
            return _widget(request, connections, name)
        try:
            connection = connections.get(name)
        except UnknownConnection:
            return _response(Answer(404, _error("no_such_site")), {})
        except SecretsUnavailable as error:
            logger.error("secrets unavailable", extra={"channel": channel.name, "why": str(error)})
            return _response(_BUSY, {})
        cors = _cors(request, connection)
        if cors is None:
            return _response(
                Answer(403, _error("origin", "this site's settings do not name your origin")), {}
            )
        if request.method == "OPTIONS":
            return _response(Answer(204), cors)
        patience = min(channel.deadline, context.get_remaining_time_in_millis()) - SPARE
        work = Context(
            channel=channel,
            connection=connection,
            desk=current_desk(),
            salt=environment().id_salt,
            now=entrypoints.now,
            deadline=started + patience / SECOND,
        )
        call = Call(request, connection, work, _address(event))
        answer = _answer(action, call)
        _log(action, call, answer, started)
        return _response(answer, cors)

    init_done()
    return handler


def _route(path: str) -> tuple[str, str]:
    """``(action, connection)``; whatever stands before them is a proxy's."""
    parts = path.strip("/").split("/")
    return (parts[-2], parts[-1]) if len(parts) >= 2 else ("", parts[-1])


def _address(event: Mapping[str, Any]) -> str:
    return str(event.get("requestContext", {}).get("http", {}).get("sourceIp", ""))


# --- the routes -----------------------------------------------------------------------------------


def _answer(action: str, call: Call) -> Answer:
    if not action:  # the address that connect and doctor know: alive, and nobody's token
        return Answer(401, _error("token"))
    route = ROUTES.get((call.request.method, action))
    if route is None:
        if not action:  # as every webhook answers, so that `connect` and `doctor` see that it is known
            return Answer(401, _error("token"))
        known = [method for method, name in ROUTES if name == action]
        return Answer(405 if known else 404, _error("no_such_route"))
    if len(call.request.body) > BODY_LIMIT:
        return Answer(413, _error("too_large", f"a body has at most {BODY_LIMIT} bytes"))
    try:
        return route(call)
    except Unparseable as error:
        return Answer(422, _error("wrong_field", str(error)))
    except Refused as error:
        wait = {"retry-after": str(error.wait)} if error.wait else {}
        return Answer(error.status, _error(error.code, error.detail), wait)
    except Busy:
        logger.error("busy", extra={"channel": "webchat", "refused": 1})
        return _BUSY
    except Exception as error:  # whatever it is, the client tries again
        logger.error("not committed", extra={"channel": "webchat", "error": type(error).__name__})
        return _BUSY


def _session(call: Call) -> Answer:
    fields = read_object(call.request.body) if call.request.body else {}
    given = {name: fields.get(name) or "" for name in ("visitor_token", "identity", "language")}
    if not all(isinstance(value, str) and len(value) <= LONGEST for value in given.values()):
        raise Unparseable("visitor_token, identity, language: texts")
    opened = visits.open_session(
        call.context,
        current_site(),
        identity=given["identity"],
        token=given["visitor_token"],
        language=given["language"],
    )
    return Answer(200, opened)


def _write(call: Call) -> Answer:
    return Answer(200, visits.take_message(call.context, call.request, call.visitor, call.address))


def _read(call: Call) -> Answer:
    query, known = call.request.query, call.request.headers.get("if-none-match", "")
    view = query.get("view", "open")
    if view not in ("open", "closed", "hidden"):
        raise Unparseable("view: open, closed or hidden")
    found = conversation.read(call.context, call.visitor, query.get("after", ""), view, known)
    headers = {"etag": found.etag, RETRY_HEADER: str(found.retry_ms)}
    return Answer(304, None, headers) if known == found.etag else Answer(200, found.body, headers)


def _contact(call: Call) -> Answer:
    return Answer(200, visits.leave_contact(call.context, call.request, call.visitor))


def _upload(call: Call) -> Answer:
    return Answer(201, visits.start_upload(call.context, call.request.body, call.visitor, call.address))


def _file(call: Call) -> Answer:
    return Answer(200, visits.file_address(call.context, call.request.query.get("file", ""), call.visitor))


ROUTES: Mapping[tuple[str, str], Callable[[Call], Answer]] = {
    ("POST", "session"): _session,
    ("GET", "messages"): _read,
    ("POST", "messages"): _write,
    ("POST", "contact"): _contact,
    ("POST", "uploads"): _upload,
    ("GET", "files"): _file,
}


# --- answers --------------------------------------------------------------------------------------


def _error(code: str, detail: str = "") -> dict[str, str]:
    return {"error": code, "detail": detail}


_BUSY = Answer(503, _error("busy", "nothing was written: try again"), {"retry-after": "1"})


def _cors(request: Request, connection: Connection) -> dict[str, str] | None:
    """Headers for a page of ours, or for no page at all (an app); None: a page of somebody else's."""
    origin = request.headers.get("origin")
    if origin is None:
        return {"vary": "origin"}
    if origin not in origins(connection):
        return None
    headers = {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": f"etag, retry-after, {RETRY_HEADER}",
        "vary": "origin",
    }
    if request.method == "OPTIONS":
        headers |= {
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": HEADERS,
            "access-control-max-age": str(PREFLIGHT_SECONDS),
        }
    return headers


def _response(answer: Answer, cors: Mapping[str, str]) -> dict[str, Any]:
    body = "" if answer.body is None else json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    headers = {
        "content-type": JSON,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **cors,
        **answer.headers,
    }
    return {"statusCode": answer.status, "headers": headers, "body": body}


def _log(action: str, call: Call, answer: Answer, started: float) -> None:
    """What was written, one line; a poll leaves none."""
    if call.context.counts:
        took = round((time.monotonic() - started) * 1000)
        logger.info("taken", extra={"channel": "webchat", "ms": took, **call.context.counts})
    elif answer.status in (413, 422, 429) or answer.status >= 500:
        extra = {"channel": "webchat", "route": action, "status": answer.status}
        logger.warning("refused", extra=extra)


# --- the widget -----------------------------------------------------------------------------------


def _widget(request: Request, connections: Connections, name: str) -> dict[str, Any]:
    """The same script for every site; it finds the connection in its own address."""
    try:
        connections.get(name.removesuffix(".js"))
    except (UnknownConnection, SecretsUnavailable) as error:
        status = 404 if isinstance(error, UnknownConnection) else 503
        return {"statusCode": status, "headers": {"cache-control": "no-store"}, "body": ""}
    zipped, etag = _script()
    headers = {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": f"public, max-age={WIDGET_SECONDS}",
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "vary": "accept-encoding",
        "etag": etag,
    }
    if request.headers.get("if-none-match") == etag:
        return {"statusCode": 304, "headers": headers, "body": ""}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return {"statusCode": 200, "headers": headers, "body": gzip.decompress(zipped).decode()}
    return {
        "statusCode": 200,
        "headers": headers | {"content-encoding": "gzip"},
        "body": base64.b64encode(zipped).decode(),
        "isBase64Encoded": True,
    }


@cache
def _script() -> tuple[bytes, str]:
    """The widget, packed, and its ETag."""
    plain = WIDGET.read_bytes()
    return gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:24]}"'
