"""What a webhook loads, makes and logs: whatever it does without, every customer's first wait does too."""

import json
import site
import sysconfig
from os import pathsep
from pathlib import Path
from typing import Any

import pytest

from infra.engine.template import ROOT
from tests.bench.samples import OPEN, secrets, telegram_text, webchat_text, whatsapp_text
from tests.bench.sandbox import Sandbox
from tests.bench.stub import Stub

LOG_BYTES = 350
REACHABLE = [str(ROOT), sysconfig.get_path("purelib"), *site.getsitepackages()]
# Powertools loads its own tracing and metrics with whatever is imported of it (2 ms); what they need, not.
RULED_OUT = {
    *("aws_xray_sdk", "aws_lambda_powertools.event_handler"),
    *(f"aws_lambda_powertools.utilities.{name}" for name in ("batch", "idempotency", "parameters", "parser")),
    *("jinja2", "babel", "yaml", "cryptography", "httpx", "requests"),
    *("typer", "rich", "infra", "moto", "ministack", "samtranslator", "pytest"),
}
EVENTS = {"telegram": telegram_text(OPEN), "whatsapp": whatsapp_text(), "webchat": webchat_text()}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(params=EVENTS)
def taken(request: pytest.FixtureRequest, sandbox: Sandbox) -> tuple[dict[str, Any], list[str]]:
    """What the process found of itself after an ordinary message, and its log."""
    channel = request.param
    stub = Stub({name: text for name, text in secrets().items() if f"/{channel}/" in name})
    stub.start()
    environment = sandbox.environment(stub.url) | {"BENCH_REACHABLE": pathsep.join(REACHABLE)}
    reported, logged = sandbox.run("diet", channel, json.dumps(EVENTS[channel]), environment)
    stub.stop()
    found: dict[str, Any] = json.loads(reported)
    assert found["status"] == 200
    return found, logged.splitlines()


def test_a_webhook_imports_nothing_that_is_ruled_out(taken: tuple[dict[str, Any], list[str]]) -> None:
    modules = set(taken[0]["modules"])
    assert {"sportello.entrypoints", "boto3", "pydantic", "opening_hours"} <= modules
    assert {name for name in modules if _names(name) & RULED_OUT} == set()


def _names(module: str) -> set[str]:
    """The module and every package it is in."""
    parts = module.split(".")
    return {".".join(parts[:number]) for number in range(1, len(parts) + 1)}


def test_everything_that_is_ruled_out_could_have_been_imported() -> None:
    """Otherwise the test above would prove nothing."""
    installed = {path.name for folder in REACHABLE for path in Path(folder).iterdir()}
    assert {"infra", "jinja2", "moto", "aws_lambda_powertools", "requests", "yaml"} <= installed


def test_a_webhook_makes_only_the_client_it_commits_with(taken: tuple[dict[str, Any], list[str]]) -> None:
    assert taken[0]["clients"] == ["dynamodb"]


def test_an_ordinary_message_is_one_short_line(taken: tuple[dict[str, Any], list[str]]) -> None:
    (line,) = taken[1]
    assert json.loads(line)["stored"] == 1
    assert len(line.encode()) + 1 <= LOG_BYTES
