"""The sample webhooks of ``events/``: documentation, demo and contract tests at once.

``events/<channel>/connection.json`` holds the fields of ``Connection`` (obviously fake values) and
two facts about the channel: ``signature_header`` (the header that proves who sent a webhook, lower
case; ``?name`` where a parameter of the address does) and ``signs_body`` (whether that proof covers the
bytes of the body).

Every other file of the folder is one webhook::

    {"about": "...", "request": {"method", "path", "query"?, "headers", "body"?}, "expect": [events]}

``body`` is a JSON value; on the wire it is what ``wire_bytes`` makes of it, and a signature in
``headers`` is valid for those bytes. In its place: ``gzip``, the same compressed; ``text`` (XML), which
travels as it stands; ``mail``, the lines of a message; ``form``, names and values (a list: repeated) as a
form carries them; ``sns``, the envelope of an SNS message, signed with a key of the tests' own as it is
read (``sns_signing``). ``expect`` names each event's class in ``event`` and the fields that matter. A
challenge has ``response`` (``status``, ``body``) in place of ``expect``.

A folder inside a channel's (``sms/aws``) holds samples of another kind of connection to it.
"""

import base64
import gzip
import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sportello.channels.base import Channel, Connection, Request

EVENTS = Path(__file__).resolve().parents[2] / "events"
CONNECTION_FILE = "connection.json"


@dataclass(frozen=True)
class Sample:
    channel: str
    name: str
    about: str
    request: Request
    connection: Connection
    signature_header: str
    signs_body: bool
    expect: Sequence[dict[str, Any]]
    response: dict[str, Any] | None
    """What a challenge is answered with; None for an ordinary webhook."""

    def __str__(self) -> str:
        return f"{self.channel}/{self.name}"


def wire_bytes(body: Any) -> bytes:
    """A sample's body as it travels: compact, ASCII, keys in the file's order."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode()


def channel_names() -> list[str]:
    """Every channel that has a folder in ``events/``."""
    return sorted(file.parent.name for file in EVENTS.glob(f"*/{CONNECTION_FILE}"))


def sample_folders() -> list[str]:
    """The channels, and the further folders of samples that some of them have."""
    inner = [
        f"{file.parent.parent.name}/{file.parent.name}" for file in EVENTS.glob(f"*/*/{CONNECTION_FILE}")
    ]
    return sorted([*channel_names(), *inner])


def channel_of(name: str) -> Channel:
    """The one class in ``sportello.channels.<name>`` that is the channel of that name."""
    name = name.partition("/")[0]
    module = importlib.import_module(f"sportello.channels.{name}")
    found = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Channel) and getattr(member, "name", "") == name
    ]
    if len(found) != 1:
        raise LookupError(f"sportello.channels.{name} holds {len(found)} channels named {name!r}, not one")
    channel: Channel = found[0]()
    return channel


def all_samples(channel: str) -> list[Sample]:
    """Every sample of one channel, by name."""
    folder = EVENTS / channel
    facts = _read(folder / CONNECTION_FILE)
    signature_header, signs_body = facts.pop("signature_header"), facts.pop("signs_body")
    connection = Connection.model_validate(facts)
    return [
        _sample(channel, file, connection, signature_header, signs_body)
        for file in sorted(folder.glob("*.json"))
        if file.name != CONNECTION_FILE
    ]


def function_url_event(request: Request, *, base64_body: bool) -> dict[str, Any]:
    """The request as a Lambda function URL hands it over (payload format 2.0)."""
    base64_body = base64_body or not is_text(request.body)
    body = base64.b64encode(request.body).decode() if base64_body else request.body.decode()
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.raw_query or urlencode(dict(request.query)),
        "headers": {**request.headers, "host": "sample.lambda-url.eu-south-1.on.aws"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "sample",
            "domainName": "sample.lambda-url.eu-south-1.on.aws",
            "domainPrefix": "sample",
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "sample",
            },
            "requestId": "00000000-0000-4000-8000-000000000000",
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:19:15:00 +0000",
            "timeEpoch": 1795461300000,
        },
        "body": body,
        "isBase64Encoded": base64_body,
    }


def is_text(body: bytes) -> bool:
    """Whether Lambda could hand the body over as it is."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sample(channel: str, file: Path, connection: Connection, signature_header: str, signs: bool) -> Sample:
    content = _read(file)
    sent = content["request"]
    return Sample(
        channel=channel,
        name=file.stem,
        about=content["about"],
        request=Request(
            method=sent["method"],
            path=sent["path"],
            query=sent.get("query", {}),
            raw_query=urlencode(sent.get("query", {}), quote_via=quote),
            headers=sent["headers"],
            body=_wire_body(sent),
        ),
        connection=connection,
        signature_header=signature_header,
        signs_body=signs,
        expect=content.get("expect", []),
        response=content.get("response"),
    )


def _wire_body(sent: dict[str, Any]) -> bytes:
    if "form" in sent:
        return urlencode(sent["form"], doseq=True).encode()
    if "mail" in sent:
        return "\r\n".join(sent["mail"]).encode()
    if "gzip" in sent:
        return gzip.compress(wire_bytes(sent["gzip"]), mtime=0)
    if "text" in sent:
        return str(sent["text"]).encode()
    if "sns" in sent:
        from tests.contract.sns_signing import signed

        return wire_bytes(signed(sent["sns"]))
    return wire_bytes(sent["body"]) if "body" in sent else b""


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content
