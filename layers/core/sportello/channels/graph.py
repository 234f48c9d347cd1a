"""What Meta's channels share: handshake, signature, webhook JSON, Graph calls and their errors.

Source: the Graph API and webhook pages of developers.facebook.com (v26.0, 29 July 2026).
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from sportello.channels.base import Connection, Question, Request, Response
from sportello.channels.http import Answer, Http
from sportello.channels.signatures import any_equal, equal, hmac_sha256_hex
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import Instant, Model, to_instant

HOST = "https://graph.facebook.com"
INSTAGRAM_HOST = "https://graph.instagram.com"
VERSION = "v26.0"

EARLIEST_MILLISECONDS = 10**11
"""A smaller number is a time in seconds: as milliseconds it would lie before 1973."""


class Malformed(Exception):
    """A part of a webhook has not the documented shape. The text names the field, never its content."""


# --- the address is proved, the body is signed -----------------------------------------------------


def handshake(request: Request, verify_token: str) -> Response | None:
    """The answer to ``GET ?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…``; None: no challenge."""
    if request.method != "GET" or not any(name.startswith("hub.") for name in request.query):
        return None
    asked = request.query.get("hub.mode") == "subscribe"
    known = bool(verify_token) and equal(verify_token, request.query.get("hub.verify_token", ""))
    if not (asked and known):
        return Response(status=403, body="wrong verify token")
    return Response(status=200, body=request.query.get("hub.challenge", ""))


def signed(request: Request, secrets: tuple[str, ...]) -> bool:
    """Whether ``X-Hub-Signature-256`` is the HMAC-SHA256 of the raw bytes under one of the app secrets."""
    given = request.headers.get("x-hub-signature-256", "")
    return any_equal(
        [f"sha256={hmac_sha256_hex(secret, request.body)}" for secret in secrets if secret], given
    )


# --- reading a webhook's JSON ----------------------------------------------------------------------


def record(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An object; missing or null is an empty one."""
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{key} is not an object")
    return value


def array(parent: Mapping[str, Any], key: str) -> list[Any]:
    """An array; missing or null is an empty one."""
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"{key} is not an array")
    return value


def objects(parent: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of an array whose content only adorns: whatever else is in it is passed over."""
    value = parent.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def word(parent: Mapping[str, Any], key: str) -> str:
    """A text or whole number as text; missing or null is empty."""
    value = parent.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Malformed(f"{key} is not a text")


def needed(parent: Mapping[str, Any], key: str) -> str:
    """A text that must be there."""
    value = word(parent, key)
    if not value:
        raise Malformed(f"{key} is missing")
    return value


def number(parent: Mapping[str, Any], key: str) -> float:
    value = parent.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise Malformed(f"{key} is not a number")


def from_seconds(parent: Mapping[str, Any], key: str) -> Instant:
    """An instant given as seconds since 1970, mostly as a text of ten digits."""
    value = word(parent, key)
    if not re.fullmatch("[0-9]{1,10}", value):
        raise Malformed(f"{key} is not a time in seconds")
    return int(value) * 1000


def instant(parent: Mapping[str, Any], key: str) -> Instant | None:
    """An instant in any of the forms in use: milliseconds, seconds (number or digits), ISO 8601.

    None where it is missing.
    """
    value = word(parent, key)
    if not value:
        return None
    if re.fullmatch("[0-9]{1,15}", value):
        number = int(value)
        return number * 1000 if number < EARLIEST_MILLISECONDS else number
    try:
        return to_instant(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        raise Malformed(f"{key} is not a time") from None


def label(value: str) -> str:
    """A platform's own name of something, fit for logs: ``other`` where it is no plain word."""
    return value if re.fullmatch(r"[A-Za-z0-9_.\-]{1,64}", value) else "other"


def derived(*parts: Any) -> str:
    """An id for what has none of its own: the same content again has the same."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def guarded(
    account: str, part: Any, where: str, reader: Callable[[dict[str, Any]], Sequence[PlatformEvent]]
) -> Sequence[PlatformEvent]:
    """The events of one part; a part that cannot be read goes to quarantine, the others go on."""
    try:
        if not isinstance(part, dict):
            raise Malformed("not an object")
        return reader(part)
    except Malformed as error:
        return [Unreadable(account=account, fragment=part, why=f"{where}: {error}")]
    except ValidationError:
        return [Unreadable(account=account, fragment=part, why=f"{where}: not a value of the model")]


# --- calling the Graph API -------------------------------------------------------------------------


class Failure(Model):
    """A Graph error body: ``code`` and ``subcode`` decide, never the text or the HTTP status."""

    code: int
    subcode: int = 0

    def __str__(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)


def failure(answer: Answer) -> Failure | None:
    """The Graph error in an answer; None where it carries none."""
    error = answer.json.get("error")
    if not isinstance(error, dict) or not _whole(error.get("code")):
        return None
    subcode = error.get("error_subcode")
    return Failure(code=error["code"], subcode=subcode if _whole(subcode) else 0)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def retry_after(answer: Answer) -> float | None:
    """Seconds of the ``Retry-After`` header, where it is a number."""
    given = answer.headers.get("retry-after", "")
    return float(given) if re.fullmatch("[0-9]{1,6}", given) else None


def usable(token: str) -> bool:
    """Whether a token can stand in a header; HTTP libraries print the ones that cannot."""
    return bool(re.fullmatch("[!-~]+", token))


def call(
    method: str,
    path: str,
    connection: Connection,
    http: Http,
    *,
    query: str = "",
    json_body: Mapping[str, Any] | None = None,
    body: bytes | None = None,
    content_type: str = "",
    host: str = HOST,
    token: str = "",
) -> Answer:
    """One Graph call with the connection's token (or another), which must be ``usable``.

    ``settings["graph_version"]`` overrides the version; ``settings["appsecret_proof"]``, if ``yes``, adds
    the proof that an app asks for where "Require App Secret" is on. Raises what ``Http.request`` raises.
    """
    version = connection.settings.get("graph_version") or VERSION
    if not token and connection.settings.get("appsecret_proof") == "yes" and connection.secrets:
        proof = f"appsecret_proof={appsecret_proof(connection.secrets[0], connection.token)}"
        query = f"{query}&{proof}" if query else proof
    url = f"{host}/{quote(version, safe='')}/{path}{'?' + query if query else ''}"
    headers = {"authorization": f"Bearer {token or connection.token}"}
    if content_type:
        headers["content-type"] = content_type
    return http.request(method, url, json_body=json_body, body=body, headers=headers)


SETTINGS = (
    Question(
        name="appsecret_proof",
        text="yes, where the app demands it (App settings > Advanced > Require app secret)",
        optional=True,
        seldom=True,
    ),
    Question(
        name="graph_version",
        text=f"Version of the Graph API instead of {VERSION}",
        optional=True,
        seldom=True,
    ),
)
"""What ``call`` reads besides."""


def appsecret_proof(secret: str, token: str) -> str:
    """HMAC-SHA256 of the access token under the app secret, hexadecimal."""
    return hmac_sha256_hex(secret, token.encode())
