"""One call of LINE's API, with the token in a header that can carry it."""

import re
from collections.abc import Mapping
from typing import Any

from sportello.channels.base import Connection
from sportello.channels.http import Answer, Http

API = "https://api.line.me"
GROUP, ROOM = "C", "R"
"""What the ids of groups and rooms begin with; a person's begins with ``U``."""


def usable(token: str) -> bool:
    """Whether a token can stand in a header; HTTP libraries print the ones that cannot."""
    return bool(re.fullmatch("[!-~]+", token))


def call(
    http: Http,
    connection: Connection,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    host: str = API,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The token must be ``usable``. Raises what ``Http.request`` raises."""
    sent = {"authorization": f"Bearer {connection.token}", **(headers or {})}
    return http.request(method, f"{host}{path}", json_body=body, headers=sent)


def reason(answer: Answer) -> str:
    """LINE's words for an error: ``{"message", "details": [{"message", "property"}]}``."""
    message = answer.json.get("message")
    return message if isinstance(message, str) else ""
