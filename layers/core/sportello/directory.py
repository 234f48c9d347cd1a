"""The public page of hours and ways in: a function of its own, which calls nothing and knows nobody.

    GET /            the page, in the language of ``?lang=`` or else of the browser
    GET /hours.json  the same for programs; docs/directory.md is its contract

No table, no secret, no log line per view: the desk's files of the layer and the clock are all it needs.
"""

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from sportello import init_done
from sportello.domain.model import SECOND, Instant
from sportello.services.desk import current_desk, current_directory
from sportello.services.directory import View, facts
from sportello.services.directory_page import POLICY, page

KEPT_SECONDS = 60
"""For which browsers keep an answer; less where the desk opens or closes before."""
METHODS = ("GET", "HEAD")

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def directory() -> Handler:
    """The handler of the page's function URL."""
    current_desk()
    current_directory()

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return answer(event, _now())

    init_done()
    return handler


def answer(event: Mapping[str, Any], at: Instant) -> dict[str, Any]:
    """A function URL event (payload 2.0) and the time; 200, 304, 404 or 405."""
    kind = _KINDS.get(event.get("rawPath") or "/")
    method = event.get("requestContext", {}).get("http", {}).get("method", "GET")
    if kind is None:
        return _plain(404, "not found")
    if method not in METHODS:
        return _plain(405, "method not allowed", {"allow": ", ".join(METHODS)})
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    query = parse_qs(event.get("rawQueryString", ""))
    asked, accepted = query.get("lang", [""])[0], headers.get("accept-language", "")
    desk = current_desk()
    view = View(desk, current_directory(), language_for(asked, accepted, desk.languages), at)
    content_type, write, more = kind
    body = write(view)
    etag = _etag(body)
    given = {
        **_ALWAYS,
        **more,
        "content-language": view.language,
        "cache-control": f"public, max-age={_kept(view)}",
        "etag": etag,
        "vary": "accept-language",
    }
    if _known(headers.get("if-none-match", ""), etag):
        return {"statusCode": 304, "headers": given, "body": ""}
    given["content-type"] = content_type
    return {"statusCode": 200, "headers": given, "body": "" if method == "HEAD" else body}


def language_for(asked: str, accepted: str, languages: Sequence[str]) -> str:
    """The one asked for, else the browser's favourite among the desk's (RFC 9110), else the first."""
    wanted = [(asked, 1.0), *_preferences(accepted)] if asked else _preferences(accepted)
    for tag, weight in wanted:
        code = tag.strip().lower().replace("_", "-").split("-")[0]
        if weight > 0 and code in languages:
            return code
    return languages[0]


def _preferences(accepted: str) -> list[tuple[str, float]]:
    """``it-CH, en;q=0.8`` by falling weight; what cannot be read is not wanted."""
    found: list[tuple[str, float]] = []
    for part in accepted.split(","):
        tag, _, parameter = part.partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        found.append((tag, weight))
    return sorted(found, key=lambda wanted: -wanted[1])


def _json(view: View) -> str:
    return json.dumps(facts(view), ensure_ascii=False, separators=(",", ":"))


_KINDS: Mapping[str, tuple[str, Callable[[View], str], Mapping[str, str]]] = {
    "/": ("text/html; charset=utf-8", page, {"content-security-policy": POLICY}),
    "/hours.json": (
        "application/json; charset=utf-8",
        _json,
        {"access-control-allow-origin": "*"},  # public facts: any site may show them
    ),
}
_ALWAYS = {
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
    "x-content-type-options": "nosniff",
}


def _kept(view: View) -> int:
    """Nobody is shown an open desk after it has closed."""
    turns = []
    for place in (view.main(), *map(view.way, view.directory.ways)):
        state = view.state(place)
        turns += [turn for turn in (state.opens_at, state.closes_at) if turn is not None]
    soonest = min(turns, default=view.at + KEPT_SECONDS * SECOND)
    return max(0, min(KEPT_SECONDS, (soonest - view.at) // SECOND))


def _etag(body: str) -> str:
    digest = hashlib.sha256(body.encode()).digest()[:12]
    return f'"{base64.urlsafe_b64encode(digest).decode()}"'


def _known(given: str, etag: str) -> bool:
    """If-None-Match, by weak comparison (RFC 9110)."""
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return etag in tags or tags == ["*"]


def _plain(status: int, text: str, more: Mapping[str, str] | None = None) -> dict[str, Any]:
    headers = {**_ALWAYS, **(more or {}), "content-type": "text/plain; charset=utf-8"}
    return {"statusCode": status, "headers": headers, "body": text}


def _now() -> Instant:
    real = time.time_ns() // 1_000_000
    if os.environ.get("CLOCK") != "local":
        return real
    return _local_now(real)


def _local_now(real: Instant) -> Instant:
    """The local desk's clock can be moved; where roles are enforced, this function may not read it."""
    from botocore.exceptions import ClientError

    from sportello.aws.clock import now

    try:
        return now()
    except ClientError:
        return real
