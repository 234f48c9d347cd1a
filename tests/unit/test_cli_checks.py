"""What ``doctor`` says of a connection, apart from a running desk (that one: tests/e2e/test_doctor.py)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.cli import checks
from infra.cli.activity import Activity
from infra.cli.checks import check_channel
from infra.cli.place import Place
from sportello.aws import secrets
from sportello.channels.base import Account, ConnectError, Finding, Probed
from sportello.channels.http import Http
from sportello.channels.telegram import Telegram
from sportello.channels.whatsapp import WhatsApp

URL = "https://abc.lambda-url.eu-south-1.on.aws"
GOOD = {"secrets": ["s"], "token": "t", "accounts": [{"id": "7", "name": "bot"}]}
Examined = Callable[..., list[str]]


class Quiet(Telegram):
    """A platform that finds everything in order."""

    def probe(self, connection: Any, http: Http) -> Probed:
        return Probed(accounts=(Account(id="7"),))

    def examine(self, connection: Any, url: str, http: Http) -> tuple[Finding, ...]:
        return ()


class Busy(Quiet):
    def probe(self, connection: Any, http: Http) -> Probed:
        raise ConnectError("try again in a minute", "busy")


class Later(Quiet):
    def examine(self, connection: Any, url: str, http: Http) -> tuple[Finding, ...]:
        raise ConnectError("no answer", "no_answer")


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Examined:
    """Codes of what is found of the connection ``main``."""

    def codes(
        content: Any = None, *, channel: Telegram | None = None, status: int = 401, **outputs: str
    ) -> list[str]:
        text = content if isinstance(content, str) else json.dumps(GOOD if content is None else content)
        monkeypatch.setattr(secrets, "read_secrets", lambda folder: {"main": text})
        monkeypatch.setattr(checks, "unsigned", lambda url: status)
        place = Place("desk", "eu-south-1", {"TelegramUrl": URL} | outputs)
        (found,) = check_channel(channel or Quiet(), place, Http(), Activity())
        return [finding.code for finding in found.findings]

    return codes


def test_what_is_in_order_has_no_findings(examined: Examined) -> None:
    assert examined() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{", "secret_unreadable"),
        ("[]", "secret_incomplete"),
        ("7", "secret_incomplete"),
        ({}, "secret_incomplete"),
        ({**GOOD, "secrets": "s"}, "secret_incomplete"),
        ({**GOOD, "surprise": 1}, "secret_incomplete"),
        ({**GOOD, "token": ""}, "secret_incomplete"),
        ({**GOOD, "secrets": []}, "secret_missing"),
        ({**GOOD, "secrets": ["", "old"]}, "secret_missing"),
        ({**GOOD, "accounts": []}, "no_account"),
        ({**GOOD, "accounts": [{"id": "8"}]}, "other_account"),
    ],
)
def test_a_secret_that_is_not_whole_is_named(examined: Examined, content: Any, code: str) -> None:
    assert code in examined(content)


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "dormant"), (0, "not_live"), (200, "not_live"), (500, "not_live"), (503, "not_live")],
)
def test_our_own_side_has_to_answer_401(examined: Examined, status: int, code: str) -> None:
    assert examined(status=status) == [code]


def test_a_503_of_a_broken_secret_is_told_once(examined: Examined) -> None:
    assert examined("{", status=503) == ["secret_unreadable"]


def test_a_channel_without_a_function_is_told(examined: Examined) -> None:
    assert examined(TelegramUrl="") == ["no_function"]


def test_what_the_platform_says_keeps_its_own_word(examined: Examined) -> None:
    assert examined(channel=Busy()) == ["busy"]
    assert examined(channel=Later()) == ["no_answer"]


def test_an_answer_that_only_found_the_accounts_may_be_missing() -> None:
    """Connected before it was asked for, or by hand: the accounts are known, and that is what counts."""
    connection = checks._read("main", json.dumps({**GOOD, "settings": {"verify_token": "v"}}))
    assert not isinstance(connection, Finding)
    assert list(checks._of_connection(WhatsApp(), connection, [connection])) == []
