"""A visitor's browser that speaks the chat's protocol, and holds every answer against its document."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from infra.engine.template import ROOT

SECRET = "fake-secret-of-the-site-0000000000000001"
PREVIOUS = "fake-secret-of-the-site-0000000000000000"
ORIGIN = "https://www.example.com"
CONNECTION = {
    "secrets": [SECRET, PREVIOUS],
    "accounts": [{"id": "main"}],
    "settings": {"origins": f"{ORIGIN} https://shop.example.com"},
}
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Lambda:
    def get_remaining_time_in_millis(self) -> int:
        return 15_000


class Heard(NamedTuple):
    """One answer of the function."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Browser:
    """One visitor; ``origin`` is the page that the widget stands on, empty for an app."""

    def __init__(self, handler: Handler, origin: str = ORIGIN, address: str = "192.0.2.1") -> None:
        self._handler = handler
        self.origin = origin
        self.address = address
        self.token = ""
        self.cursor = ""
        self.etag = ""

    def open(self, **fields: str) -> dict[str, Any]:
        """A session, which must be given; the token so far goes with it."""
        heard = self.ask("POST", "session", {"visitor_token": self.token, **fields})
        assert heard.status == 200, heard
        self.token = heard.body["visitor_token"]
        found: dict[str, Any] = heard.body
        return found

    def write(self, text: str = "Hello", *, id: str = "", **fields: Any) -> str:
        """A message, which must be taken; returns its id."""
        id = id or str(uuid.uuid4())
        heard = self.ask("POST", "messages", {"client_message_id": id, "text": text, **fields})
        assert heard.status == 200, heard
        return id

    def read(self, view: str = "open") -> list[dict[str, Any]]:
        """Everything that is there, from the beginning."""
        heard = self.ask("GET", "messages", view=view)
        assert heard.status == 200, heard
        found: list[dict[str, Any]] = heard.body["messages"]
        return found

    def poll(self, view: str = "open") -> list[dict[str, Any]]:
        """What is new since the last poll, as a client asks for it."""
        query = {"view": view} | ({"after": self.cursor} if self.cursor else {})
        headers = {"if-none-match": self.etag} if self.etag else {}
        heard = self.ask("GET", "messages", headers=headers, **query)
        if heard.status == 304:
            return []
        self.cursor, self.etag = heard.body["cursor"], heard.headers["etag"]
        found: list[dict[str, Any]] = heard.body["messages"]
        return found

    def texts(self) -> list[str]:
        return [message["text"] for message in self.read()]

    def ask(
        self,
        method: str,
        action: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        site: str = "main",
        **query: str,
    ) -> Heard:
        """Any request; the answer must be one that the document knows."""
        sent = {"origin": self.origin} if self.origin else {}
        if self.token and action != "session":
            sent["authorization"] = f"Bearer {self.token}"
        sent |= headers or {}
        raw = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        event = {
            "rawPath": f"/{action}/{site}",
            "rawQueryString": urlencode(query),
            "headers": sent,
            "requestContext": {"http": {"method": method, "sourceIp": self.address}},
            "body": raw,
            "isBase64Encoded": False,
        }
        answer = self._handler(event, Lambda())
        heard = Heard(
            answer["statusCode"], answer["headers"], json.loads(answer["body"]) if answer["body"] else None
        )
        assert disagreements(method, action, heard) == []
        return heard


def jwt(claims: Mapping[str, Any], secret: str = SECRET, header: Mapping[str, Any] | None = None) -> str:
    """An identity token as the company's back end makes it; ``exp`` in an hour unless given."""
    parts = [
        {"alg": "HS256", "typ": "JWT"} if header is None else header,
        {"exp": int(time.time()) + 3600, **claims},
    ]
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encoded(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# --- the document ---------------------------------------------------------------------------------------


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "webchat" / "openapi.yaml").read_text("utf-8"))
    return found


def disagreements(method: str, action: str, heard: Heard) -> list[str]:
    """Where an answer is not what the document says; CORS and unknown routes are not in it."""
    operation = document()["paths"].get(f"/{action}/{{connection}}", {}).get(method.lower())
    if operation is None or method == "OPTIONS":
        return []
    described = operation["responses"].get(str(heard.status))
    if described is None:
        return [f"{method} {action}: {heard.status} is not in the document: {heard.body}"]
    described = resolved(described)
    missing = [
        f"header {name}: missing"
        for name, header in described.get("headers", {}).items()
        if resolved(header).get("required") and name.lower() not in heard.headers
    ]
    content = described.get("content")
    if content is None:
        return missing if heard.body is None else [*missing, f"{heard.status}: has a body"]
    return [*missing, *mistakes(content["application/json"]["schema"], heard.body)]


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document()
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def mistakes(schema: dict[str, Any], value: Any) -> list[str]:
    name = schema["$ref"].removeprefix("#")
    validator = Draft202012Validator({"$ref": f"urn:document#{name}"}, registry=_registry())
    return [f"{name}: {error.json_path} {error.message}" for error in validator.iter_errors(value)]


@cache
def _registry() -> Any:
    registry: Any = Registry()
    return registry.with_contents([("urn:document", document())], default_specification=DRAFT202012)
