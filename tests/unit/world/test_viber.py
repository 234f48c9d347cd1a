"""Viber's stand-in refuses, tells and shows what Viber does; our channel on the other side of the wire."""

from typing import Any

import pytest

from infra.world.client import WorldClient, WorldError
from infra.world.model import Setup
from infra.world.viber_bot import LOCAL_BOT
from sportello.channels.base import (
    Button,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Request,
    Sent,
)
from sportello.channels.http import Answer, Http
from sportello.channels.viber import Viber
from sportello.domain.events import Inbound, Kind, PlatformEvent, Receipt
from sportello.domain.model import HOUR
from tests.unit.world.calls import Desk, options

VIBER = Viber()
CONNECTION = Connection.model_validate(
    {
        "name": "main",
        "secrets": [LOCAL_BOT.token],
        "accounts": [{"id": LOCAL_BOT.id, "name": LOCAL_BOT.uri}],
    }
)


@pytest.fixture
def viber(world: WorldClient, desk: Desk) -> WorldClient:
    bot = LOCAL_BOT.model_copy(update={"webhook_url": f"{desk.url}/viber"})
    world.setup(Setup(accounts=(bot.at("viber"),)))
    return world


def heard(desk: Desk) -> list[PlatformEvent]:
    """Everything that reached us, verified and read."""
    events: list[PlatformEvent] = []
    for path, headers, body in desk.requests:
        assert path == "/viber"
        request = Request(method="POST", headers=headers, body=body)
        assert VIBER.verify(request, CONNECTION)
        events += VIBER.parse(request, CONNECTION)
    return events


def send(world: WorldClient, to: str, text: str = "Buongiorno", **more: Any) -> Any:
    message = Outbound(account=LOCAL_BOT.id, to=to, text=text, **more)
    return VIBER.send(message, CONNECTION, Http(world.url, read_seconds=5))


def call(world: WorldClient, method: str, token: str = LOCAL_BOT.token, **body: Any) -> Answer:
    headers = {"X-Viber-Auth-Token": token}
    url = f"https://chatapi.viber.com/pa/{method}"
    return Http(world.url, read_seconds=5).request("POST", url, json_body=body, headers=headers)


def test_a_conversation(viber: WorldClient, desk: Desk) -> None:
    said = viber.say("viber", "Dov'è il pacco?", "Customer One", language="it")
    outcome = send(viber, said.address, buttons=(Button(id="person", title="Una persona"),))
    assert isinstance(outcome, Sent)
    viber.settle()
    viber.say("viber", kind="button", button="Una persona")
    text, receipt, tap = heard(desk)
    assert isinstance(text, Inbound)
    assert (text.customer.address, text.customer.name, text.customer.language) == (
        said.address,
        "Customer One",
        "it",
    )
    assert isinstance(receipt, Receipt)
    assert (receipt.id, receipt.status, receipt.customer and receipt.customer.id) == (
        outcome.id,
        "delivered",
        said.address,
    )
    assert isinstance(tap, Inbound)
    assert (tap.kind, tap.payload, tap.text) == (Kind.BUTTON, "person", "Una persona")
    assert [shown.text for shown in viber.phone("viber", "Customer One")] == [
        "Dov'è il pacco?",
        "Buongiorno",
        "Una persona",
    ]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("media", Kind.MEDIA),
        ("sticker", Kind.MEDIA),
        ("location", Kind.LOCATION),
        ("contact", Kind.CONTACT),
        ("unsupported", Kind.UNSUPPORTED),
        ("start", Kind.START),
        ("block", Kind.SERVICE),
        ("unblock", Kind.SERVICE),
    ],
)
def test_what_customers_do_is_read(viber: WorldClient, desk: Desk, kind: str, found: Kind) -> None:
    viber.say("viber", "order-1", kind=kind)
    (event,) = heard(desk)
    assert isinstance(event, Inbound)
    assert event.kind is found


def test_receipts_are_told_as_ordered(viber: WorldClient, desk: Desk) -> None:
    said = viber.say("viber", "Ciao")
    options(viber, receipts="read")
    send(viber, said.address)
    viber.fault("viber", "failed_later")
    send(viber, said.address)
    viber.settle()
    statuses = [event.status for event in heard(desk) if isinstance(event, Receipt)]
    assert sorted(statuses) == ["delivered", "failed", "read"]
    assert len(viber.phone("viber", said.address)) == 2


def test_who_never_wrote_or_left_cannot_be_reached(viber: WorldClient) -> None:
    assert send(viber, "AAAA==") == NotSent(problem=Problem.UNREACHABLE, code="5")
    opened = viber.say("viber", kind="start")
    assert send(viber, opened.address) == NotSent(problem=Problem.UNREACHABLE, code="6")
    said = viber.say("viber", "Ciao")
    assert isinstance(send(viber, said.address), Sent)
    viber.say("viber", kind="block")
    assert send(viber, said.address) == NotSent(problem=Problem.UNREACHABLE, code="6")


def test_a_hundred_an_hour_to_who_does_not_answer(viber: WorldClient) -> None:
    said = viber.say("viber", "Ciao")
    assert all(isinstance(send(viber, said.address), Sent) for _ in range(100))
    assert send(viber, said.address) == NotSent(problem=Problem.BUSY, code="12", wait=600)
    viber.clock(HOUR + 1000)
    assert isinstance(send(viber, said.address), Sent)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"receiver": ""}, 4),
        ({"sender": {}}, 4),
        ({"sender": {"name": "x" * 29}}, 3),
        ({"text": ""}, 4),
        ({"text": "x" * 7001}, 3),
        ({"type": "hologram"}, 3),
        ({"type": "picture", "media": "https://e.com/x.jpg", "text": None}, 0),
        ({"type": "picture", "media": "https://e.com/x"}, 3),
        ({"type": "video", "media": "https://e.com/x.mp4"}, 4),
        ({"type": "file", "media": "https://e.com/x", "size": 1}, 4),
        ({"text": "x", "tracking_data": "x" * 4001}, 3),
        ({"text": "x", "padding": "x" * 31_000}, 3),
    ],
)
def test_it_refuses_what_viber_refuses(viber: WorldClient, body: dict[str, Any], status: int) -> None:
    said = viber.say("viber", "Ciao")
    whole = {"receiver": said.address, "type": "text", "text": "Salve", "sender": {"name": "Desk"}}
    answer = call(viber, "send_message", **(whole | body))
    assert (answer.status, answer.json["status"]) == (200, status)


def test_connecting(viber: WorldClient, desk: Desk) -> None:
    http, url = Http(viber.url, read_seconds=5), f"{desk.url}/viber"
    assert VIBER.probe(CONNECTION, http).accounts[0].id == LOCAL_BOT.id
    assert "chatURI=localdesk" in VIBER.register(CONNECTION, url, http)
    assert VIBER.examine(CONNECTION, url, http) == ()
    assert [finding.code for finding in VIBER.examine(CONNECTION, f"{url}2", http)] == ["webhook_elsewhere"]
    desk.statuses.append(500)
    with pytest.raises(ConnectError, match="was not answered with 200"):
        VIBER.register(CONNECTION, url, http)
    call(viber, "set_webhook", url="")
    assert [finding.code for finding in VIBER.examine(CONNECTION, url, http)] == ["webhook_missing"]
    call(viber, "set_webhook", url=url, event_types=[])
    assert [finding.code for finding in VIBER.examine(CONNECTION, url, http)] == ["not_subscribed"]
    assert call(viber, "get_account_info", token="wrong").json["status"] == 2


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("429", Problem.BUSY), ("token_expired", Problem.RECONNECT), ("blocked", Problem.UNREACHABLE)],
)
def test_it_fails_as_ordered(viber: WorldClient, kind: str, problem: Problem) -> None:
    said = viber.say("viber", "Ciao")
    viber.fault("viber", kind)
    assert send(viber, said.address).problem is problem
    assert isinstance(send(viber, said.address), Sent)


def test_unknown_kinds_are_named(viber: WorldClient) -> None:
    with pytest.raises(WorldError, match=r"known: .*text"):
        viber.say("viber", kind="hologram")
