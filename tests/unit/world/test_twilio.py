"""The local Twilio and AWS, as strict as the real ones: credentials, numbers, limits, signatures."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from infra.world.client import WorldClient
from infra.world.model import Setup
from infra.world.server import World
from infra.world.sms import SmsNumber
from infra.world.voice import VoiceNumber
from sportello.channels import twilio
from sportello.channels.base import Account, Connection, NotSent, Outbound, Problem, Request, Sent
from sportello.channels.http import Http
from sportello.channels.sms import Sms
from sportello.channels.voice import Voice
from tests.unit.world.calls import Desk

SMS, VOICE = Sms(), Voice()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


@pytest.fixture
def client(world: World) -> Iterator[WorldClient]:
    client = world.client()
    yield client
    client.close()


def connected(client: WorldClient, world: World, desk: Desk, channel: str) -> Connection:
    stand_in = world.channels[channel]
    number = stand_in.local_account().model_copy(update={"webhook_url": f"{desk.url}/main"})
    client.setup(Setup(accounts=(number.at(channel),)))
    return Connection.model_validate({"name": "main", **stand_in.local_connection(number)})


def received(desk: Desk, at: int = -1) -> Request:
    path, headers, body = desk.requests[at]
    query = path.partition("?")[2]
    return Request(
        method="POST", path="/main", query=dict(parse_qsl(query)), raw_query=query, headers=headers, body=body
    )


def outbound(**changes: Any) -> Outbound:
    return Outbound(
        **{"account": SmsNumber(id="+15550100100").id, "to": "+12125550123", "text": "Ciao", **changes}
    )


class TestSms:
    def test_webhooks_are_signed_as_twilio_signs(self, world: World, client: WorldClient, desk: Desk) -> None:
        connection = connected(client, world, desk, "sms")
        for kind in ("text", "media", "block", "unblock"):
            client.say("sms", "Buongiorno & più 🙂", kind=kind)
            assert SMS.verify(received(desk), connection), kind
            assert SMS.parse(received(desk), connection), kind
        other = connection.model_copy(update={"secrets": ("other",)})
        assert not SMS.verify(received(desk), other)

    def test_what_we_send_is_shown_and_its_receipts_carry_our_tag(
        self, world: World, client: WorldClient, desk: Desk
    ) -> None:
        connection = connected(client, world, desk, "sms")
        outcome = SMS.send(outbound(tag="a M#1"), connection, Http(rewrite=world.url))
        assert isinstance(outcome, Sent)
        client.settle()
        told = [SMS.parse(received(desk, at), connection)[0] for at in range(len(desk.requests))]
        assert {(event.status, event.tag) for event in told} == {("sent", "a M#1"), ("delivered", "a M#1")}  # type: ignore[union-attr]
        assert all(SMS.verify(received(desk, at), connection) for at in range(len(desk.requests)))

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"account": "+15550100199"}, "21606"),
            ({"text": "x" * 1601}, "21617"),
            ({"text": " "}, "21602"),
            ({"to": "+12345"}, "21211"),
        ],
    )
    def test_it_refuses_what_twilio_refuses(
        self, world: World, client: WorldClient, desk: Desk, change: dict[str, str], code: str
    ) -> None:
        connection = connected(client, world, desk, "sms")
        outcome = SMS.send(outbound(**change), connection, Http(rewrite=world.url))
        assert isinstance(outcome, NotSent)
        assert outcome.code == code

    def test_wrong_credentials_and_an_opted_out_customer(
        self, world: World, client: WorldClient, desk: Desk
    ) -> None:
        connection, http = connected(client, world, desk, "sms"), Http(rewrite=world.url)
        wrong = SMS.send(outbound(), connection.model_copy(update={"secrets": ("x",)}), http)
        assert wrong == NotSent(problem=Problem.RECONNECT, code="20003")
        stopped = client.say("sms", kind="block")
        outcome = SMS.send(outbound(to=stopped.address), connection, http)
        assert outcome == NotSent(problem=Problem.UNREACHABLE, code="21610")

    def test_numbers_are_found_and_pointed_at_us(self, world: World, client: WorldClient, desk: Desk) -> None:
        for channel, instance in (("sms", SMS), ("voice", VOICE)):
            connection, http = connected(client, world, desk, channel), Http(rewrite=world.url)
            assert [account.id for account in instance.probe(connection, http).accounts] == [
                account.id for account in connection.accounts
            ]
            url = f"{desk.url}/elsewhere"
            assert [finding.code for finding in instance.examine(connection, url, http)][:1] == [
                "webhook_elsewhere"
            ]
            assert instance.register(connection, url, http) == ""
            moved = connection.model_copy(update={"settings": {**connection.settings, "url": url}})
            assert instance.examine(moved, url, http) == []

    def test_aws_signs_with_a_certificate_that_it_shows(
        self, world: World, client: WorldClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from sportello.channels import sns

        number = SmsNumber(id="+15550100120", provider="aws", webhook_url=f"{desk.url}/main")
        client.setup(Setup(accounts=(number.at("sms"),)))
        settings = {"provider": "aws"}
        accounts = (Account(id=number.id),)
        connection = Connection(name="main", secrets=(number.topic,), accounts=accounts, settings=settings)
        monkeypatch.setenv("PLATFORMS", world.url)
        monkeypatch.setattr(sns, "_keys", {})
        sns.client.cache_clear()
        sns._tried.clear()
        client.say("sms", "Ciao", account=number.id)
        assert SMS.handshake(received(desk), connection) is None
        assert SMS.verify(received(desk), connection)
        client.say("sms", kind="raw", account=number.id, raw={"confirm": True})
        answer = SMS.handshake(received(desk), connection)
        assert answer is not None
        assert answer.status == 200
        assert world.state.account("sms", number.id).confirmed
        sns.client.cache_clear()


class TestVoice:
    def test_a_call_that_is_over_is_told(self, world: World, client: WorldClient, desk: Desk) -> None:
        connection = connected(client, world, desk, "voice")
        client.say(
            "voice", kind="call"
        )  # our stand-in for a function answers with no document: the call fails
        (event,) = VOICE.parse(received(desk, 0), connection)
        assert VOICE.verify(received(desk, 0), connection)
        message = outbound(account=VoiceNumber(id="x").id, context={"call": _sid(desk)})
        assert VOICE.send(message, connection, Http(rewrite=world.url)).code == "call_over"  # type: ignore[union-attr]
        assert event.account == connection.accounts[0].id

    def test_a_document_that_is_none_is_refused(self, world: World, client: WorldClient, desk: Desk) -> None:
        connection = connected(client, world, desk, "voice")
        client.say("voice", kind="call")
        http = Http(rewrite=world.url)
        answer = twilio.call("POST", f"Calls/{_sid(desk)}.json", connection, http, [("Twiml", "<no")])
        assert json.loads(answer.body)["code"] == 21218


def _sid(desk: Desk) -> str:
    return dict(parse_qsl(desk.requests[0][2].decode()))["CallSid"]
