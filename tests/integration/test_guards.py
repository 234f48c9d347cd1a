"""What stands between a platform and the table: the whole webhook, from its event to its answer."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sportello import entrypoints
from sportello.aws import secrets
from sportello.channels.telegram import Telegram
from sportello.channels.whatsapp import WhatsApp
from sportello.services import effects
from tests.contract.samples import Sample, all_samples, function_url_event
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import CLOSED, Stage, heard, objects, outbox, read_object, scan


class LambdaContext:
    def get_remaining_time_in_millis(self) -> int:
        return 15_000


def sample(channel: str) -> Sample:
    return next(sample for sample in all_samples(channel) if sample.name == "text")


@pytest.fixture
def webhooks(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> dict[str, entrypoints.Handler]:
    """Both channels' handlers in the closed desk, with the samples' secrets."""

    def read(channel: str) -> dict[str, str]:
        return {"main": sample(channel).connection.model_dump_json(exclude={"name"})}

    monkeypatch.setattr(secrets, "read_secrets", read)
    monkeypatch.setattr(entrypoints, "now", lambda: CLOSED)
    stage.use()
    return {"telegram": entrypoints.webhook(Telegram), "whatsapp": entrypoints.webhook(WhatsApp)}


def event(channel: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> dict[str, Any]:
    """The sample of a text, with another body or other headers."""
    request = sample(channel).request
    update: dict[str, Any] = {"headers": {**request.headers, **headers}}
    if body is not None:
        update["body"] = body
    return function_url_event(replace(request, **update), base64_body=True)


Webhooks = dict[str, entrypoints.Handler]


def status(webhooks: Webhooks, channel: str, given: dict[str, Any]) -> int:
    answered: int = webhooks[channel](given, LambdaContext())["statusCode"]
    return answered


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_what_is_acknowledged_is_stored(webhooks: Webhooks, channel: str) -> None:
    assert status(webhooks, channel, event(channel)) == 200
    assert (len(heard()), len(outbox())) == (1, 1)


def test_what_is_not_stored_is_not_acknowledged(webhooks: Webhooks, aws: Faults) -> None:
    met = aws.inject("dynamodb.TransactWriteItems", fault.broken, times=3)
    assert status(webhooks, "telegram", event("telegram")) == 503
    assert len(met) == 3
    assert scan() == []
    assert status(webhooks, "telegram", event("telegram")) == 200
    assert len(heard()) == 1


def test_nothing_is_kicked_before_it_is_stored(
    webhooks: Webhooks, aws: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = aws.watch()
    kicked: list[list[str]] = []
    real = effects.kick

    def kick(thread: str, keys: tuple[str, ...]) -> None:
        kicked.append(list(seen))
        real(thread, keys)

    monkeypatch.setattr(effects, "kick", kick)
    assert status(webhooks, "telegram", event("telegram")) == 200
    assert kicked == [["dynamodb.GetItem", "dynamodb.TransactWriteItems"]]
    assert seen == ["dynamodb.GetItem", "dynamodb.TransactWriteItems", "sqs.SendMessage"]


@pytest.mark.parametrize(
    ("channel", "header"),
    [("telegram", "x-telegram-bot-api-secret-token"), ("whatsapp", "x-hub-signature-256")],
)
@pytest.mark.parametrize("given", ["", "wrong", "sha256=" + "0" * 64, "sha256=é"])
def test_what_is_not_signed_makes_no_call(
    webhooks: Webhooks, aws: Faults, channel: str, header: str, given: str
) -> None:
    seen = aws.watch()
    assert status(webhooks, channel, event(channel, headers={header: given})) == 401
    assert seen == []
    assert scan() == []


def test_what_is_signed_are_the_bytes(webhooks: Webhooks) -> None:
    """The same JSON, otherwise written, is not what the platform signed."""
    rewritten = json.dumps(json.loads(sample("whatsapp").request.body), indent=1).encode()
    assert status(webhooks, "whatsapp", event("whatsapp", body=rewritten)) == 401
    assert status(webhooks, "whatsapp", event("whatsapp")) == 200


@pytest.mark.parametrize("body", [b"not JSON", b"[" * 100_000, b'"' + b"x" * 3_000_001 + b'"'])
def test_a_signed_body_that_cannot_be_read_is_kept(webhooks: Webhooks, body: bytes) -> None:
    assert status(webhooks, "telegram", event("telegram", body=body)) == 200
    (key,) = objects("quarantine/telegram/")
    assert read_object(key) == body
    assert scan() == []


def test_what_cannot_even_be_kept_is_not_acknowledged(webhooks: Webhooks, aws: Faults) -> None:
    aws.inject("s3.PutObject", fault.broken, times=3)
    assert status(webhooks, "telegram", event("telegram", body=b"not JSON")) == 503
    assert status(webhooks, "telegram", event("telegram", body=b"not JSON")) == 200
    assert len(objects("quarantine/telegram/")) == 1
