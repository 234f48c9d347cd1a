"""Apple's stand-in refuses and shows what Apple does; our channel on the other side of the wire."""

from typing import Any

import pytest

from infra.world.apple_business import LOCAL_BUSINESS
from infra.world.client import WorldClient, WorldError
from infra.world.model import Setup
from sportello.channels.apple import Apple
from sportello.channels.base import (
    Button,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Request,
    Sent,
    Unknown,
)
from sportello.channels.http import Http
from sportello.domain.events import Inbound, Kind
from tests.unit.world.calls import Desk

CHANNEL = Apple()
CONNECTION = Connection.model_validate(
    {
        "name": "main",
        "secrets": [LOCAL_BUSINESS.secret],
        "accounts": [{"id": LOCAL_BUSINESS.id}],
        "settings": {"msp_id": LOCAL_BUSINESS.msp_id, "business_id": LOCAL_BUSINESS.id},
    }
)
BUTTONS = tuple(Button(id=f"b{number}", title=f"Scelta {number}") for number in range(7))


@pytest.fixture
def apple(world: WorldClient, desk: Desk) -> WorldClient:
    business = LOCAL_BUSINESS.model_copy(update={"webhook_url": f"{desk.url}/main"})
    world.setup(Setup(accounts=(business.at("apple"),)))
    return world


def one(desk: Desk) -> Any:
    """What has just reached us, verified and read."""
    ((path, headers, body),) = desk.requests
    desk.requests.clear()
    assert path == "/main/message"
    request = Request(method="POST", path=path, headers=headers, body=body)
    assert CHANNEL.verify(request, CONNECTION)
    (event,) = CHANNEL.parse(request, CONNECTION)
    return event


def http(world: WorldClient) -> Http:
    return Http(world.url, read_seconds=5)


def send(world: WorldClient, to: Inbound, **more: Any) -> Any:
    message = Outbound(
        account=LOCAL_BUSINESS.id,
        to=to.customer.address,
        context=to.context,
        **{"text": "Buongiorno", **more},
    )
    return CHANNEL.send(message, CONNECTION, http(world))


def test_a_message_and_its_answer(apple: WorldClient, desk: Desk) -> None:
    apple.say("apple", "Salve 🙂", "Anna", language="it", more={"intent": "visit"})
    event = one(desk)
    assert (event.text, event.customer.language, event.context["intent"]) == ("Salve 🙂", "it", "visit")
    outcome = send(apple, event)
    assert isinstance(outcome, Sent)
    shown = apple.phone("apple", "Anna")[-1]
    assert (shown.text, shown.id) == ("Buongiorno", outcome.id)


def test_the_same_row_sent_twice_is_shown_once(apple: WorldClient, desk: Desk) -> None:
    apple.say("apple", "Salve", "Bea")
    event = one(desk)
    assert send(apple, event, tag="t#1") == send(apple, event, tag="t#1")
    assert [shown.direction for shown in apple.phone("apple", "Bea")] == ["in", "out"]


@pytest.mark.parametrize("count", [2, 7])
def test_choices_and_a_tap(apple: WorldClient, desk: Desk, count: int) -> None:
    apple.say("apple", "Salve", "Carla")
    event = one(desk)
    assert isinstance(send(apple, event, buttons=BUTTONS[:count]), Sent)
    apple.say("apple", "", "Carla", kind="button", button="b1")
    tap = one(desk)
    assert (tap.kind, tap.payload, tap.text) == (Kind.BUTTON, "b1", "Scelta 1")


def test_a_phone_that_shows_words_only(apple: WorldClient, desk: Desk) -> None:
    apple.say("apple", "Salve", "Dora", more={"capabilities": ""})
    send(apple, one(desk), buttons=BUTTONS[:2])
    assert apple.phone("apple", "Dora")[-1].text == "Buongiorno\n- Scelta 0\n- Scelta 1"


def test_after_the_conversation_was_closed(apple: WorldClient, desk: Desk) -> None:
    apple.say("apple", "Salve", "Elsa")
    event = one(desk)
    apple.say("apple", "", "Elsa", kind="block")
    closed = one(desk)
    assert (closed.kind, closed.detail) == (Kind.SERVICE, "blocked")
    assert send(apple, event) == NotSent(problem=Problem.UNREACHABLE, code="404")
    apple.say("apple", "Ancora io", "Elsa")
    assert isinstance(send(apple, one(desk)), Sent)


def test_a_file(apple: WorldClient, desk: Desk) -> None:
    apple.say("apple", "Ecco", "Fede", kind="media", media="document")
    event = one(desk)
    assert (event.text, event.media[0].kind) == ("Ecco", "document")
    download = CHANNEL.download(event.media[0], CONNECTION, http(apple))
    body = http(apple).request("GET", download.url).body
    assert not body.startswith(b"%PDF")
    assert CHANNEL.decrypt(event.media[0], body).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("429", NotSent(problem=Problem.BUSY, code="429", wait=1.0)),
        ("token_expired", NotSent(problem=Problem.RECONNECT, code="401")),
        ("blocked", NotSent(problem=Problem.UNREACHABLE, code="404")),
        ("too_large", NotSent(problem=Problem.TOO_LONG, code="413")),
        ("500", Unknown(code="500")),
    ],
)
def test_told_to_fail(apple: WorldClient, desk: Desk, kind: str, outcome: Any) -> None:
    apple.say("apple", "Salve", "Gino")
    event = one(desk)
    apple.fault("apple", kind)
    assert send(apple, event) == outcome
    assert isinstance(send(apple, event), Sent)


def test_connecting(apple: WorldClient) -> None:
    assert CHANNEL.probe(CONNECTION, http(apple)).accounts[0].id == LOCAL_BUSINESS.id
    wrong = CONNECTION.model_copy(update={"secrets": ("c2VjcmV0",)})
    with pytest.raises(ConnectError, match="MSP id"):
        CHANNEL.probe(wrong, http(apple))
    with pytest.raises(WorldError, match="apple has no kind 'sticker'"):
        apple.say("apple", "", "Ida", kind="sticker")
