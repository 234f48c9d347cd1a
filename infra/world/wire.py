"""What goes over the world's wire: a call as it arrived and the answer that it gets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Call:
    """One HTTP request. ``host`` is the platform it was meant for, ``path`` what it asked there."""

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object; None where it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What the platform says, and what the log keeps of it."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    """The platform's own error code or word; empty when it went well."""
    id: str = ""
    """The platform's id of the message that was accepted."""

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Dropped:
    """No answer: the connection is closed, or reset as a broken network does it."""

    reset: bool = False


@dataclass(frozen=True)
class Target:
    """Whom a call is about: what faults match and the log names."""

    method: str
    address: str = ""
    sends: bool = False
    """Whether it would show something to somebody."""


def json_answer(
    status: int, value: Any, *, code: str = "", id: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Answer(status, body, code=code, id=id, headers=headers or {})


def text_answer(status: int, text: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    code = "" if status == 200 else text
    return Answer(status, text.encode(), "text/html; charset=utf-8", code=code, headers=headers or {})
