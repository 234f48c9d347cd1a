"""What goes over the world's wire: a call as it arrived and the answer that it gets."""

import email
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import MIMEPart
from email.policy import default as mail_policy
from typing import Any
from urllib.parse import parse_qsl

LOGGED = 2000
"""Bytes that the log keeps of what is not JSON."""
SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/[0-9]+/[^/]+/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True)
class Part:
    """One field or file of a form that uploads."""

    name: str
    content: bytes
    filename: str = ""
    content_type: str = ""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def told(self) -> str:
        return f"{len(self.content)} bytes of {self.content_type}" if self.filename else self.text[:LOGGED]


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

    @property
    def parts(self) -> dict[str, "Part"]:
        """The parts of a ``multipart/form-data`` body by name; of any other, nothing."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/"):
            return {}
        head = f"Content-Type: {kind}\r\n\r\n".encode("ascii", "replace")
        message = email.message_from_bytes(head + self.body, policy=mail_policy)
        return {part.name: part for part in map(_part, message.iter_parts())}

    @property
    def told(self) -> Any:
        """For the log: JSON, the fields of a form with files, or the beginning of what is neither."""
        value = self.json
        if value is None and self.parts:
            return {name: part.told for name, part in self.parts.items()}
        return self.body[:LOGGED].decode("utf-8", "replace") if value is None else value

    @property
    def aws_service(self) -> str:
        """The AWS service that a signed request is meant for, e.g. ``ses``; empty: it is none."""
        match = SCOPE.match(self.headers.get("authorization", ""))
        return match.group(1) if match else ""


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
    chunked: bool = False
    """Sent in pieces, without its length beforehand."""

    @property
    def told(self) -> Any:
        """For the log: the JSON, or the beginning of what is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body[:LOGGED].decode("utf-8", "replace")


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


def _part(part: MIMEPart) -> Part:
    return Part(
        name=str(part.get_param("name", "", header="content-disposition")),
        content=bytes(part.get_payload(decode=True) or b""),
        filename=part.get_filename() or "",
        content_type=part.get_content_type(),
    )


def json_answer(
    status: int, value: Any, *, code: str = "", id: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Answer(status, body, code=code, id=id, headers=headers or {})


def text_answer(status: int, text: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    code = "" if status == 200 else text
    return Answer(status, text.encode(), "text/html; charset=utf-8", code=code, headers=headers or {})
