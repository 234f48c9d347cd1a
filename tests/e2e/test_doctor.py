"""Twelve things that go wrong with connections, planted one by one: each is found under its name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli import place, work
from infra.cli.app import app
from infra.world.model import Setup
from infra.world.telegram_bot import LOCAL_BOT
from infra.world.whatsapp_number import LOCAL_NUMBER
from tests.e2e.stage import Stage

ELSEWHERE = "https://elsewhere.example/hook"
CHANNELS = ("telegram", "whatsapp")


@pytest.fixture(autouse=True)
def _this_desk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home = stage.desk.home
    monkeypatch.setattr(work, "find", lambda stack, region: place.find(stack, region, home))
    monkeypatch.setattr("infra.cli.doctor.channel_names", lambda: list(CHANNELS))
    yield
    stage.use()


def examined(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("doctor", *arguments))


def found() -> dict[str, list[str]]:
    """Codes of the findings by ``channel/connection``; nothing that is in order."""
    told = json.loads(examined("--json").stdout)
    assert told["whole_table"] is True
    return {
        f"{entry['channel']}/{entry['connection']}": [finding["code"] for finding in entry["findings"]]
        for entry in told["connections"]
        if entry["findings"]
    }


@contextmanager
def secret(stage: Stage, name: str, text: str | None) -> Iterator[None]:
    """Another secret in that place, until the block ends; None: there is none."""
    ssm, path = stage.desk.deployed.client("ssm"), f"/{stage.desk.deployed.stack}/{name}"
    before = None
    if name in ("telegram/main", "whatsapp/main", "slack/care"):
        before = ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"]
    if text is None:
        ssm.delete_parameter(Name=path)
    else:
        ssm.put_parameter(Name=path, Value=text, Type="SecureString", Overwrite=True)
    try:
        yield
    finally:
        if before is None:
            ssm.delete_parameter(Name=path)
        else:
            ssm.put_parameter(Name=path, Value=before, Type="SecureString", Overwrite=True)


def stored(stage: Stage, channel: str, **changes: Any) -> str:
    account = stage.desk.accounts[channel]
    local = stage.desk.world.channels[channel].local_connection(account)
    return json.dumps({**local, **changes})


@contextmanager
def at_the_platform(stage: Stage, channel: str, **changes: Any) -> Iterator[None]:
    account = stage.desk.accounts[channel]
    changed = account.model_copy(update=changes)
    stage.desk.client.setup(Setup(accounts=(changed.at(channel),)))
    try:
        yield
    finally:
        stage.desk.client.setup(Setup(accounts=(account.at(channel),)))


def test_a_desk_in_order_is_good_and_says_when_a_customer_wrote(stage: Stage) -> None:
    stage.at("2030-01-15 10:00")  # later than anything that other tests have said
    stage.customer("telegram").say("Hello there, are you open?")
    told = examined()
    assert told.exit_code == 0, told.output
    row = next(line for line in told.stdout.splitlines() if line.startswith("telegram/main"))
    assert "local_desk_bot" in row
    assert "15 Jan 2030 10:00" in row
    assert row.rstrip().endswith("good")
    assert found() == {}


def test_1_a_revoked_token(stage: Stage) -> None:
    with at_the_platform(stage, "telegram", token="100200300:another"):
        assert found() == {"telegram/main": ["token_refused"]}
        told = examined()
    assert told.exit_code == 1
    assert "@BotFather" in told.stdout
    assert LOCAL_BOT.token not in told.stdout


def test_2_a_token_of_another_bot(stage: Stage) -> None:
    other = LOCAL_BOT.model_copy(update={"id": "100200999", "token": "100200999:x", "username": "other_bot"})
    stage.desk.client.setup(Setup(accounts=(other.at("telegram"),)))
    with secret(stage, "telegram/main", stored(stage, "telegram", token="100200999:x")):
        assert found() == {"telegram/main": ["other_account", "webhook_missing"]}


def test_3_a_webhook_that_leads_elsewhere(stage: Stage) -> None:
    with at_the_platform(stage, "telegram", webhook_url=ELSEWHERE):
        assert found() == {"telegram/main": ["webhook_elsewhere"]}
    with at_the_platform(stage, "whatsapp", override=ELSEWHERE):
        assert found() == {"whatsapp/main": ["webhook_elsewhere"]}


def test_4_a_webhook_that_was_removed(stage: Stage) -> None:
    with at_the_platform(stage, "telegram", webhook_url=""):
        assert found() == {"telegram/main": ["webhook_missing"]}


def test_5_events_that_nobody_subscribed_to(stage: Stage) -> None:
    with at_the_platform(stage, "whatsapp", subscribed=False):
        assert found() == {"whatsapp/main": ["not_subscribed"]}
    with at_the_platform(stage, "telegram", allowed_updates=("message",)):
        assert found() == {"telegram/main": ["not_subscribed"]}


def test_6_a_secret_that_is_no_json(stage: Stage) -> None:
    with secret(stage, "telegram/broken", "{"):
        codes = found()["telegram/broken"]
    assert codes[0] == "secret_unreadable"
    assert codes[1:] in ([], ["dormant"])  # whether the function has seen it yet


def test_7_a_secret_with_fields_missing(stage: Stage) -> None:
    with secret(stage, "whatsapp/partial", json.dumps({"token": "x"})):
        assert found()["whatsapp/partial"][0] == "secret_incomplete"
    with secret(stage, "whatsapp/main", stored(stage, "whatsapp", settings={"waba_id": "100000000000002"})):
        assert found() == {"whatsapp/main": ["secret_incomplete", "handshake_refused"]}


def test_8_a_secret_without_the_current_one(stage: Stage) -> None:
    only_previous = stored(stage, "telegram", secrets=["", LOCAL_BOT.secret])
    with secret(stage, "telegram/main", only_previous):
        assert found() == {"telegram/main": ["secret_missing"]}


def test_9_an_app_secret_of_another_app(stage: Stage) -> None:
    with secret(stage, "whatsapp/main", stored(stage, "whatsapp", secrets=["not-this-apps"])):
        assert found() == {"whatsapp/main": ["secret_wrong"]}
    assert LOCAL_NUMBER.app_secret not in examined().stdout


def test_10_a_connection_that_our_function_does_not_know(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function looks for an unknown one again after 15 s: the test asks it for one that never comes."""
    other = LOCAL_BOT.model_copy(update={"id": "100200998", "token": "100200998:x", "username": "new_bot"})
    url = stage.desk.accounts["telegram"].webhook_url.replace("/main", "/nobody")
    stage.desk.client.setup(Setup(accounts=(other.model_copy(update={"webhook_url": url}).at("telegram"),)))
    webhook = place.Place.webhook
    monkeypatch.setattr(
        place.Place, "webhook", lambda self, *of: webhook(self, *of).replace("/fresh", "/nobody")
    )
    accounts = [{"id": other.id, "name": other.username}]
    fresh = stored(stage, "telegram", token=other.token, accounts=accounts)
    with secret(stage, "telegram/fresh", fresh):
        assert found() == {"telegram/fresh": ["dormant"]}


def test_11_an_account_in_two_connections(stage: Stage) -> None:
    with secret(stage, "telegram/again", stored(stage, "telegram")):
        told = found()
    assert told["telegram/main"] == ["connected_twice"]
    assert "connected_twice" in told["telegram/again"]


def test_12_people_who_cannot_be_told(stage: Stage) -> None:
    with secret(stage, "slack/care", None):
        assert found() == {"slack/care": ["slack_missing"]}
    with secret(stage, "slack/care", "https://hooks.example.com/services/T/B/x"):
        assert found() == {"slack/care": ["slack_malformed"]}
    with secret(stage, "slack/unused", "https://hooks.slack.com/services/T/B/x"):
        assert found() == {"slack/unused": ["slack_unused"]}
        assert examined().exit_code == 0


def test_13_messages_that_wait_for_a_new_token(stage: Stage) -> None:
    stage.at("2026-11-23 10:00")
    customer = stage.customer("telegram")
    customer.say("Hello there")
    stage.desk.client.fault("telegram", "token_expired", match=customer.name)
    row = customer.answer("Good morning")
    waits = customer.row_is(row.key, lambda row: row.problem == "reconnect", "reconnect")
    assert found() == {"telegram/main": ["sends_wait"]}
    assert waits.state == "pending"
    stage.rows_come_due(customer.thread.id)
    stage.sweep()
    customer.row_ends(row.key, "sent")
    assert found() == {}
