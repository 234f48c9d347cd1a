"""Whatever reaches a webhook: no exception, no 5xx, and nothing that is unsigned gets as far as AWS.

Broken bodies come with a valid proof (``signing.py``), so the parser meets them; odd headers and
queries come without one. The bodies are the same ones in every run.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from moto.core.models import botocore_stubber

from infra.bundle import load
from infra.engine.template import ROOT
from sportello import entrypoints
from sportello.aws import clients, quarantine, secrets
from sportello.aws.environment import Environment, environment
from sportello.aws.logging import logger
from sportello.channels.base import Request, Unparseable
from sportello.domain.events import PlatformEvent
from sportello.services import desk as desk_seam
from sportello.services.ingest import ingest
from tests.contract.mutations import mutated, odd_requests
from tests.contract.samples import (
    Sample,
    all_samples,
    channel_of,
    function_url_event,
    sample_folders,
)
from tests.contract.signing import sign, signer_of

BODIES = 1000
HEADER_SETS = 500
WHOLE_WAY = 8
"""Every eighth body is committed too, which takes ten times as long as reading it."""
SECONDS = 10.0
"""What one broken body may take is bounded by what all of a channel's may."""

CHANNELS = sample_folders()
WEBHOOKS = [name for name in CHANNELS if channel_of(name).webhooks]
EVENTS = get_args(PlatformEvent)


class Lambda:
    def get_remaining_time_in_millis(self) -> int:
        return 15_000


class Aws:
    """An AWS that says yes, and what it was asked. It refuses what the real one could not store."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refused: list[str] = []

    def send(self, request: Any) -> AWSResponse:
        target = request.headers.get("X-Amz-Target", b"").decode()
        self.asked.append(target or request.url)
        if "DynamoDB" in target:
            self.refused += refusals(json.loads(request.body))
        headers = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, 200, headers, _Body(_answer(target, request)))


def _answer(target: str, request: Any) -> bytes:
    """What is found: nothing."""
    if target.endswith("BatchGetItem"):
        found: dict[str, Any] = {
            "Responses": {table: [] for table in json.loads(request.body)["RequestItems"]}
        }
    else:
        found = {"Items": []} if target.endswith("Query") else {}
    return json.dumps(found).encode() if target else b""


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def refusals(asked: Any) -> list[str]:
    """What DynamoDB would answer with a ValidationException."""
    found: list[str] = []
    _look(asked, "", found)
    return found


def _look(value: Any, name: str, found: list[str]) -> None:
    if isinstance(value, list):
        for inner in value:
            _look(inner, name, found)
    if not isinstance(value, dict):
        return
    if set(value) == {"S"}:
        if not _is_text(value["S"]):
            found.append(f"{name} holds half a character")
        if name in ("PK", "SK") and not 1 <= len(value["S"].encode("utf-8", "replace")) <= 1024:
            found.append(f"{name} is {len(value['S'])} long")
    elif set(value) == {"N"}:
        if len(value["N"].strip("-0").replace(".", "")) > 38:
            found.append(f"{name} has more than 38 digits")
    else:
        for key, inner in value.items():
            _look(inner, key, found)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Clients as they are, on a wire that ends here; a desk that never closes; silence in the log."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "CLOCK", "PLATFORMS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name, field in Environment.model_fields.items():
        if field.is_required():
            queue = f"https://sqs.us-east-1.amazonaws.com/1/{name}.fifo"
            monkeypatch.setenv(name.upper(), queue if name.endswith("_url") else name.replace("_", "-"))
    aws = Aws()
    monkeypatch.setattr(URLLib3Session, "send", lambda self, request: aws.send(request))
    monkeypatch.setattr(botocore_stubber, "enabled", False)  # moto, where integration tests came before
    level = logger.log_level
    logger.setLevel("CRITICAL")
    clients.forget()
    environment.cache_clear()
    bundle = load(ROOT / "templates", at=1_795_424_400_000)
    desk_seam.use(bundle.desk.model_copy(update={"hours": "24/7"}), bundle.texts)
    yield aws
    desk_seam.use(None)
    logger.setLevel(level)
    clients.forget()
    environment.cache_clear()


def handler_of(channel: str, monkeypatch: pytest.MonkeyPatch) -> entrypoints.Handler:
    connection = samples_of(channel)[0].connection
    text = connection.model_dump_json(exclude={"name"})
    monkeypatch.setattr(secrets, "read_secrets", lambda _: {connection.name: text})
    return entrypoints.webhook(type(channel_of(channel)))


def samples_of(channel: str) -> list[Sample]:
    return [sample for sample in all_samples(channel) if sample.response is None]


def event_of(request: Request) -> dict[str, Any]:
    query = request.raw_query or urlencode(dict(request.query), errors="replace")
    return function_url_event(replace(request, query={}), base64_body=True) | {"rawQueryString": query}


def broken(channel: str) -> Iterator[tuple[int, Request]]:
    """Signed requests with broken bodies; headers and query from a sample."""
    samples, random = samples_of(channel), Random(channel)
    bodies = [sample.request.body for sample in samples if sample.request.body]
    for number, body in enumerate(mutated(bodies, BODIES, random)):
        whole = random.choice(samples)
        request = Request(
            method=whole.request.method,
            path=whole.request.path,
            query=whole.request.query,
            raw_query=whole.request.raw_query,
            headers=whole.request.headers,
            body=body,
        )
        yield number, sign(channel, whole.connection, request) if signer_of(channel) else request


def test_every_webhook_says_how_it_is_signed() -> None:
    assert [name for name in WEBHOOKS if signer_of(name) is None] == []


@pytest.mark.parametrize("channel", WEBHOOKS)
def test_the_signer_signs_as_the_platform_does(channel: str) -> None:
    for sample in samples_of(channel):
        request = sign(channel, sample.connection, sample.request)
        assert channel_of(channel).verify(request, sample.connection), sample.name


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_broken_body_is_read_or_told_unparseable(channel: str) -> None:
    reader, connection = channel_of(channel), samples_of(channel)[0].connection
    wrong: list[str] = []
    read = 0
    started = time.process_time()
    for number, request in broken(channel):
        try:
            events = reader.parse(request, connection)
            reader.handshake(request, connection)
            if reader.verify(request, connection) is not reader.webhooks:
                wrong.append(f"{number}: signed, and not verified, or not signed at all")
        except Unparseable:
            continue
        except Exception as error:
            wrong.append(f"{number}: {type(error).__name__}: {error} {request.body[:200]!r}")
            continue
        read += 1
        wrong += [
            f"{number}: {type(event).__name__} is no event"
            for event in events
            if not isinstance(event, EVENTS)
        ]
    assert wrong == []
    assert read >= BODIES // 40, "hardly a body came as far as the parser"
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("channel", WEBHOOKS)
def test_no_broken_body_is_answered_with_a_fault(
    channel: str, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = handler_of(channel, monkeypatch)
    commit, put_aside = ingest, quarantine.quarantine
    wrong = {}
    for number, request in broken(channel):
        whole_way = number % WHOLE_WAY == 0
        monkeypatch.setattr(entrypoints, "ingest", commit if whole_way else lambda *_: None)
        monkeypatch.setattr(quarantine, "quarantine", put_aside if whole_way else lambda *_, **__: "")
        status = handler(event_of(request), Lambda())["statusCode"]
        if status >= 500 or aws.refused:
            wrong[number] = (status, list(aws.refused), request.body[:200])
            aws.refused.clear()
    assert wrong == {}
    assert any("TransactWriteItems" in asked for asked in aws.asked), "nothing was committed"


@pytest.mark.parametrize("channel", WEBHOOKS)
def test_what_is_unsigned_never_reaches_aws(channel: str, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = handler_of(channel, monkeypatch)
    samples, random = samples_of(channel), Random(f"{channel} headers")
    aws.asked.clear()  # INIT reads secrets and a key
    statuses = set()
    for number in range(HEADER_SETS):
        sample = samples[number % len(samples)]
        (request,) = odd_requests(sample.request, sample.signature_header, 1, random)
        statuses.add(handler(event_of(request), Lambda())["statusCode"])
    assert aws.asked == []
    assert 401 in statuses
    assert {status for status in statuses if status >= 500} == set()


@pytest.mark.parametrize("channel", WEBHOOKS)
def test_odd_headers_never_raise(channel: str) -> None:
    reader, random = channel_of(channel), Random(f"{channel} odd")
    samples = samples_of(channel)
    for number in range(HEADER_SETS):
        sample = samples[number % len(samples)]
        (request,) = odd_requests(sample.request, sample.signature_header, 1, random)
        assert not reader.verify(request, sample.connection)
        reader.handshake(request, sample.connection)
