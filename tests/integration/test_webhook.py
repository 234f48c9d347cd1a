"""A webhook from the function URL's event to the answer: what is acknowledged, and what was done for it."""

import hashlib
import hmac
import json
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from sportello.aws import secrets, threads
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.base import Channel
from sportello.channels.telegram import Telegram
from sportello.channels.whatsapp import WhatsApp
from sportello.domain.events import Inbound, Moved
from sportello.entrypoints import BODY_LIMIT, webhook
from tests.contract.samples import all_samples, channel_of, function_url_event, wire_bytes
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import Stage, calls, everything, heard, objects, outbox, read_object, scan

SECRET = "fake-app-secret-current-0000000001"
Handler = Callable[[dict[str, Any]], dict[str, Any]]


class Lambda:
    """The context: how much time is left."""

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The secrets of the samples' connections; a test may change them."""
    found: dict[str, str] = {}
    for channel in ("telegram", "whatsapp"):
        connection = all_samples(channel)[0].connection
        found[channel] = connection.model_dump_json(exclude={"name"})
    monkeypatch.setattr(secrets, "read_secrets", lambda channel: {"main": found[channel]})
    return found


@pytest.fixture
def start(stage: Stage, texts: dict[str, str]) -> Callable[[type[Channel]], Handler]:
    """INIT of a webhook, at a desk that never closes."""
    stage.desk = stage.desk.model_copy(update={"hours": "24/7"})
    stage.use()

    def started(channel: type[Channel], milliseconds: int = 15_000) -> Handler:
        handler = webhook(channel)
        return lambda event: handler(event, Lambda(milliseconds))

    return started


def sample(channel: str, name: str) -> dict[str, Any]:
    (found,) = [found for found in all_samples(channel) if found.name == name]
    return function_url_event(found.request, base64_body=False)


def signed(body: bytes | Any, path: str = "/main") -> dict[str, Any]:
    """A WhatsApp webhook with this body, as Meta signs it."""
    raw = body if isinstance(body, bytes) else wire_bytes(body)
    event = sample("whatsapp", "text")
    event["headers"]["x-hub-signature-256"] = (
        "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    )
    return {**event, "rawPath": path, "body": raw.decode("utf-8", "surrogatepass")}


def body_of(event: dict[str, Any]) -> Any:
    return json.loads(event["body"])


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_every_sample_is_acknowledged_and_repeating_it_stores_nothing(start: Any, channel: str) -> None:
    reader = channel_of(channel)
    handler = start(type(reader))
    samples = [found for found in all_samples(channel) if found.response is None]
    events = [
        function_url_event(found.request, base64_body=number % 2 == 0) for number, found in enumerate(samples)
    ]
    assert [handler(event)["statusCode"] for event in events] == [200] * len(events)
    parsed = [event for found in samples for event in reader.parse(found.request, found.connection)]
    expected = {event.id for event in parsed if isinstance(event, Inbound | Moved)}
    assert {row["id"] for row in heard()} == expected
    before = [row for row in scan() if row["SK"] != "T"]
    for event in events:
        handler(event)
    assert [row for row in scan() if row["SK"] != "T"] == before


def test_a_message_of_each_channel_owes_an_answer(start: Any) -> None:
    assert start(Telegram)(sample("telegram", "text"))["statusCode"] == 200
    assert start(WhatsApp)(sample("whatsapp", "text"))["statusCode"] == 200
    assert sorted(row["channel"] for row in threads.owing_threads("care")) == ["telegram", "whatsapp"]


# --- who may come in ------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=x", "sha256=\u00e8\ud800"])
def test_what_is_not_signed_is_refused_without_a_call(start: Any, aws: Faults, signature: str) -> None:
    handler = start(WhatsApp)
    event = sample("whatsapp", "text")
    event["headers"]["x-hub-signature-256"] = signature
    seen = aws.watch()
    assert handler(event)["statusCode"] == 401
    del event["headers"]["x-hub-signature-256"]
    assert handler(event)["statusCode"] == 401
    assert seen == []


def test_a_body_that_was_changed_by_a_byte_is_refused(start: Any, aws: Faults) -> None:
    handler = start(WhatsApp)
    event = sample("whatsapp", "text")
    seen = aws.watch()
    assert handler({**event, "body": event["body"] + " "})["statusCode"] == 401
    assert seen == []


def test_the_previous_secret_still_opens(start: Any, texts: dict[str, str]) -> None:
    texts["whatsapp"] = (
        texts["whatsapp"].replace(SECRET, "the-new-one").replace("fake-app-secret-previous-000000001", SECRET)
    )
    assert start(WhatsApp)(sample("whatsapp", "text"))["statusCode"] == 200


def test_a_connection_that_is_not_there_is_not_found_and_soon_is(
    start: Any, aws: Faults, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]
) -> None:
    clock, reads = [1000.0], list[str]()
    text = texts["whatsapp"]
    found: dict[str, str] = {}
    monkeypatch.setattr(secrets, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def read(channel: str) -> dict[str, str]:
        reads.append(channel)
        return dict(found)

    monkeypatch.setattr(secrets, "read_secrets", read)
    handler = start(WhatsApp)
    seen = aws.watch()
    assert [handler(sample("whatsapp", "text"))["statusCode"] for _ in range(5)] == [404] * 5
    assert (reads, seen) == (["whatsapp"], [])
    found["main"] = text
    clock[0] += 14
    assert handler(sample("whatsapp", "text"))["statusCode"] == 404
    clock[0] += 2
    assert handler(sample("whatsapp", "text"))["statusCode"] == 200
    assert len(reads) == 2


def test_secrets_that_cannot_be_read_are_asked_for_again(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = secrets.read_secrets

    def unavailable(_: str) -> dict[str, str]:
        raise SecretsUnavailable("SSM answered 500")

    monkeypatch.setattr(secrets, "read_secrets", unavailable)
    handler = start(WhatsApp)
    assert handler(sample("whatsapp", "text"))["statusCode"] == 503
    assert scan() == []
    monkeypatch.setattr(secrets, "read_secrets", read)
    assert handler(sample("whatsapp", "text"))["statusCode"] == 200


def test_a_secret_that_cannot_be_read_is_503(start: Any, texts: dict[str, str]) -> None:
    good, texts["whatsapp"] = texts["whatsapp"], "{"
    handler = start(WhatsApp)
    assert handler(sample("whatsapp", "text"))["statusCode"] == 503
    texts["whatsapp"] = good
    assert handler(sample("whatsapp", "text"))["statusCode"] == 200


# --- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"not json", b"", b"[" * 100_000, b'{"entry":' + b"9" * 5_000 + b"}", b'{"entry":[{"changes":NaN}]}',
        b"null", b'"\\ud800"',
    ],
    ids=["words", "empty", "deep", "long number", "nan", "null", "surrogate"],
)  # fmt: skip
def test_a_signed_body_that_cannot_be_read_is_kept_once(start: Any, body: bytes) -> None:
    handler = start(WhatsApp)
    assert [handler(signed(body))["statusCode"] for _ in range(2)] == [200, 200]
    (key,) = objects()
    assert key == f"quarantine/whatsapp/{hashlib.sha256(body).hexdigest()}"
    assert read_object(key) == body
    assert scan() == []


def test_a_body_that_is_too_large_is_kept_unread(start: Any) -> None:
    event = sample("whatsapp", "text")
    large = body_of(event)
    large["padding"] = "x" * BODY_LIMIT
    assert start(WhatsApp)(signed(large))["statusCode"] == 200
    assert [len(read_object(key)) for key in objects()] == [len(wire_bytes(large))]
    assert scan() == []


def test_a_body_just_within_the_limit_is_read(start: Any) -> None:
    large = body_of(sample("whatsapp", "text"))
    large["padding"] = ""
    large["padding"] = "x" * (BODY_LIMIT - len(wire_bytes(large)))
    assert start(WhatsApp)(signed(large))["statusCode"] == 200
    assert (len(heard()), objects()) == (1, [])


def test_where_it_cannot_be_kept_it_is_not_acknowledged(start: Any, aws: Faults) -> None:
    handler = start(WhatsApp)
    aws.inject("s3.PutObject", fault.broken, times=3)
    assert handler(signed(b"not json"))["statusCode"] == 503
    assert handler(signed(b"not json"))["statusCode"] == 200


def test_an_account_that_is_not_ours_is_kept_aside(start: Any) -> None:
    handler = start(WhatsApp)
    event = sample("whatsapp", "text")
    strange = signed(event["body"].replace("100000000000001", "100000000000009").encode())
    assert handler(strange)["statusCode"] == 200
    assert scan() == []
    assert [read_object(key) for key in objects()] == [strange["body"].encode()]


# --- batches --------------------------------------------------------------------------------------


def test_a_batch_is_taken_whole_with_its_bad_entry_set_aside(start: Any) -> None:
    assert start(WhatsApp)(sample("whatsapp", "batch"))["statusCode"] == 200
    (found,) = [found for found in all_samples("whatsapp") if found.name == "batch"]
    ids = [entry["id"] for entry in found.expect if entry["event"] == "Inbound"]
    assert len(ids) > 1
    assert sorted(row["id"] for row in heard()) == sorted(ids)
    assert len({row["PK"] for row in heard()}) > 1
    bad = [entry for entry in found.expect if entry["event"] == "Unreadable"]
    assert len(objects("quarantine/whatsapp/")) == len(bad) > 0


def test_many_customers_in_one_body_are_all_stored(start: Any) -> None:
    batch = body_of(sample("whatsapp", "text"))
    value = batch["entry"][0]["changes"][0]["value"]
    message = value["messages"][0]
    value["contacts"] = []
    value["messages"] = [
        {**message, "from": f"155501{n % 10:05d}", "from_user_id": f"IT.{n % 10}", "id": f"wamid.{n}"}
        for n in range(30)
    ]
    assert start(WhatsApp)(signed(batch))["statusCode"] == 200
    assert len(heard()) == 30
    assert len({row["PK"] for row in heard()}) == 10


def test_a_batch_of_which_one_commit_fails_is_not_acknowledged(start: Any, aws: Faults) -> None:
    handler = start(WhatsApp)
    aws.inject("dynamodb.TransactWriteItems", fault.broken, times=3, when="First")
    assert handler(sample("whatsapp", "batch"))["statusCode"] == 503
    assert handler(sample("whatsapp", "batch"))["statusCode"] == 200
    texts = [row.get("text") for row in heard()]
    assert texts.count("First") == texts.count("Second") == 1


# --- AWS in trouble -------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_acknowledged_and_stored_once(start: Any, aws: Faults) -> None:
    handler = start(WhatsApp)
    aws.inject("dynamodb.TransactWriteItems", fault.executed_then_timeout)
    assert handler(sample("whatsapp", "text"))["statusCode"] == 200
    assert len(heard()) == 1


def test_conflicts_until_the_deadline_are_503(start: Any, aws: Faults) -> None:
    handler = start(WhatsApp, milliseconds=1_300)
    aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=1000)
    assert handler(sample("whatsapp", "text"))["statusCode"] == 503
    assert scan() == []


@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems"])
def test_a_table_that_does_not_answer_is_503_and_the_next_delivery_is_stored(
    start: Any, aws: Faults, operation: str
) -> None:
    handler = start(WhatsApp)
    aws.inject(f"dynamodb.{operation}", fault.broken, times=3)
    assert handler(sample("whatsapp", "text"))["statusCode"] == 503
    assert (scan(), outbox(), calls()) == ([], [], [])
    assert handler(sample("whatsapp", "text"))["statusCode"] == 200
    assert len(heard()) == 1


def test_nothing_of_the_customer_reaches_the_log(start: Any, aws: Faults, log: StringIO) -> None:
    handler = start(WhatsApp)
    event = sample("whatsapp", "text")
    message = body_of(event)["entry"][0]["changes"][0]["value"]["messages"][0]
    aws.inject("dynamodb.TransactWriteItems", fault.broken, times=3)
    aws.inject("s3.PutObject", fault.broken, times=3)
    for request in (event, event, signed(b"private words"), {**event, "body": "private words"}):
        handler(request)
    assert message["text"]["body"] in everything()
    assert '"taken"' in log.getvalue()
    assert '"not committed"' in log.getvalue()
    for private in (message["text"]["body"], message["from"], message["from_user_id"], "private", SECRET):
        assert private not in log.getvalue()
