"""X's stand-in refuses, tells and shows what X does; our channel on the other side of the wire."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from infra.world.client import WorldClient, WorldError
from infra.world.model import Setup
from infra.world.x_account import LOCAL_ACCOUNT, XAccount
from sportello.channels.base import (
    Attachment,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Profile,
    Request,
    Sent,
)
from sportello.channels.http import Http
from sportello.channels.x import X
from sportello.domain.events import Delete, Echo, Inbound, Kind, PlatformEvent, Receipt
from tests.unit.world.calls import Desk

CHANNEL = X()
CONNECTION = Connection.model_validate(
    {
        "name": "main",
        "secrets": [LOCAL_ACCOUNT.consumer_secret],
        "token": LOCAL_ACCOUNT.token,
        "accounts": [{"id": LOCAL_ACCOUNT.id, "name": LOCAL_ACCOUNT.username}],
        "settings": {
            "consumer_key": LOCAL_ACCOUNT.consumer_key,
            "access_secret": LOCAL_ACCOUNT.token_secret,
        },
    }
)


@pytest.fixture
def x(world: WorldClient, desk: Desk) -> WorldClient:
    account = LOCAL_ACCOUNT.model_copy(update={"webhook_url": f"{desk.url}/x", "message_burst": 15})
    world.setup(Setup(accounts=(account.at("x"),)))
    return world


def heard(world: WorldClient, desk: Desk) -> list[PlatformEvent]:
    """Everything that reached us, verified and read."""
    world.settle()
    events: list[PlatformEvent] = []
    for _, headers, body in desk.requests:
        request = Request(method="POST", headers=headers, body=body)
        assert CHANNEL.verify(request, CONNECTION)
        events += CHANNEL.parse(request, CONNECTION)
    desk.requests.clear()
    return events


def one(world: WorldClient, desk: Desk) -> Any:
    (event,) = heard(world, desk)
    return event


def http(world: WorldClient) -> Http:
    return Http(world.url, read_seconds=5)


def send(world: WorldClient, to: str, text: str = "Buongiorno", **more: Any) -> Any:
    message = Outbound(account=LOCAL_ACCOUNT.id, to=to, text=text, **more)
    return CHANNEL.send(message, CONNECTION, http(world))


def test_a_direct_message_and_its_answer(x: WorldClient, desk: Desk) -> None:
    x.say("x", "Salve & grazie <3", "Anna")
    event = one(x, desk)
    assert isinstance(event, Inbound)
    assert (event.text, event.customer.name, event.public) == ("Salve & grazie <3", "Anna", False)
    outcome = send(x, event.customer.address)
    assert isinstance(outcome, Sent)
    assert [shown.text for shown in x.phone("x", "Anna") if shown.direction == "out"] == ["Buongiorno"]
    echo = one(x, desk)
    assert isinstance(echo, Echo)
    assert (echo.id, echo.customer.id, echo.text) == (outcome.id, event.customer.id, "Buongiorno")
    x.say("x", "", "Anna", kind="read")
    receipt = one(x, desk)
    assert isinstance(receipt, Receipt)
    assert receipt.until == echo.time


def test_a_mention_is_answered_in_public_once(x: WorldClient, desk: Desk) -> None:
    x.say("x", "dov'è il mio pacco?", "Bea", kind="mention")
    event = one(x, desk)
    assert (event.public, event.addressed, event.detail) == (True, True, "question")
    outcome = send(x, event.customer.address, "Controlliamo")
    assert isinstance(outcome, Sent)
    echo = one(x, desk)
    assert (echo.public, echo.customer.id, echo.id) == (True, event.customer.id, outcome.id)
    again = send(x, event.customer.address, "Controlliamo")
    assert again == NotSent(problem=Problem.REFUSED, code="duplicate")
    x.say("x", "non funziona", "Bea", kind="reply")
    reply = one(x, desk)
    assert (reply.customer.id, reply.quote, reply.text) == (event.customer.id, outcome.id, "non funziona")


def test_an_invitation_into_the_direct_messages(x: WorldClient, desk: Desk) -> None:
    x.say("x", "aiuto", "Carla", kind="comment")
    event = one(x, desk)
    outcome = send(x, event.customer.address, "Scrivici in privato", act="private")
    assert isinstance(outcome, Sent)
    assert outcome.linked == event.customer.id.split(":")[1]
    shown = x.phone("x", "Carla")[-1]
    assert shown.tag == f"https://x.com/messages/compose?recipient_id={LOCAL_ACCOUNT.id}"


def test_whom_we_may_not_write_to(x: WorldClient, desk: Desk) -> None:
    closed = NotSent(problem=Problem.UNREACHABLE, code="messages_closed")
    assert send(x, "7000000000000000042") == closed
    x.say("x", "Salve", "Dora")
    event = one(x, desk)
    assert x.say("x", "", "Dora", kind="block").note == "X tells nobody"
    assert send(x, event.customer.address) == closed
    x.say("x", "", "Dora", kind="unblock")
    assert isinstance(send(x, event.customer.address), Sent)
    assert send(x, "post:1:2") == NotSent(problem=Problem.REFUSED, code="post_gone")


def test_direct_messages_have_a_limit(x: WorldClient, desk: Desk) -> None:
    x.say("x", "Salve", "Elsa")
    to = one(x, desk).customer.address
    outcomes = [send(x, to, f"Messaggio {number}") for number in range(16)]
    assert all(isinstance(outcome, Sent) for outcome in outcomes[:15])
    assert isinstance(outcomes[15], NotSent)
    assert (outcomes[15].problem, 0 < (outcomes[15].wait or 0) <= 60) == (Problem.BUSY, True)


def test_a_picture_goes_and_comes(x: WorldClient, desk: Desk) -> None:
    x.say("x", "Guardate", "Fede", kind="media")
    event = one(x, desk)
    assert (event.kind, event.text, event.media[0].kind) == (Kind.MEDIA, "Guardate", "image")
    download = CHANNEL.download(event.media[0], CONNECTION, http(x))
    assert http(x).request("GET", download.url, headers=download.headers).status == 200
    picture = Attachment(kind="image", mime="image/png", name="a.png", size=4, content=b"\x89PNG")
    assert isinstance(send(x, event.customer.address, attachment=picture), Sent)
    file = x.phone("x", "Fede")[-1].file
    assert file is not None
    assert (file.mime, file.size) == ("image/png", 4)


def test_other_acts(x: WorldClient, desk: Desk) -> None:
    x.say("x", "", "Gino", kind="encrypted")
    assert one(x, desk).detail == "encrypted"
    x.say("x", "", "Gino", kind="location")
    assert one(x, desk).kind is Kind.LOCATION
    x.say("x", "pubblicità bella", "Gino", kind="quote")
    event = one(x, desk)
    assert (event.quote, event.public) == ("1900000000000000009", True)
    x.say("x", "", "Gino", kind="delete")
    gone = one(x, desk)
    assert isinstance(gone, Delete)
    assert (gone.customer.id, gone.originals) == (event.customer.id, (event.id,))
    with pytest.raises(WorldError, match="x has no kind 'sticker'"):
        x.say("x", "", "Gino", kind="sticker")
    assert CHANNEL.profile(gone.customer.address, CONNECTION, http(x)) == Profile(name="Gino")


@pytest.mark.parametrize(
    ("kind", "problem", "code"),
    [
        ("429", Problem.BUSY, "429"),
        ("token_expired", Problem.RECONNECT, "401"),
        ("blocked", Problem.UNREACHABLE, "messages_closed"),
        ("not_summoned", Problem.REFUSED, "not_summoned"),
        ("no_credits", Problem.RECONNECT, "no_credits"),
    ],
)
def test_told_to_fail(x: WorldClient, desk: Desk, kind: str, problem: Problem, code: str) -> None:
    x.say("x", "Salve", "Ida")
    to = one(x, desk).customer.address
    x.fault("x", kind)
    outcome = send(x, to)
    assert isinstance(outcome, NotSent)
    assert (outcome.problem, outcome.code) == (problem, code)
    assert isinstance(send(x, to), Sent)


class TestConnect:
    @pytest.fixture
    def function(self) -> Iterator[str]:
        """Our function, as far as X asks it for a proof."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                answer = CHANNEL.handshake(Request(method="GET", query=query), CONNECTION)
                assert answer is not None
                self.send_response(answer.status)
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/main"
        server.shutdown()
        server.server_close()
        thread.join()

    def account(self, world: WorldClient, **changes: Any) -> None:
        account = LOCAL_ACCOUNT.model_copy(update=changes)
        world.setup(Setup(accounts=(XAccount.model_validate(account.model_dump()).at("x"),)))

    def codes(self, world: WorldClient, url: str) -> list[str]:
        return [found.code for found in CHANNEL.examine(CONNECTION, url, http(world))]

    def test_from_nothing(self, world: WorldClient, function: str) -> None:
        self.account(world)
        probed = CHANNEL.probe(CONNECTION, http(world))
        assert isinstance(probed, Probed)
        assert probed.accounts[0].id == LOCAL_ACCOUNT.id
        assert self.codes(world, function) == ["webhook_missing"]
        assert "Encrypted" not in CHANNEL.register(CONNECTION, function, http(world))
        assert self.codes(world, function) == []
        CHANNEL.register(CONNECTION, function, http(world))
        assert self.codes(world, f"{function}-other") == ["webhook_elsewhere"]
        with pytest.raises(ConnectError, match="another program"):
            CHANNEL.register(CONNECTION, f"{function}-other", http(world))

    def test_a_webhook_that_x_gave_up(self, world: WorldClient, function: str) -> None:
        self.account(world, webhook_url=function, valid=False, events=("dm.sent",))
        assert self.codes(world, function) == ["webhook_was_invalid", "not_subscribed"]
        assert self.codes(world, function) == ["not_subscribed"]

    def test_a_secret_of_another_app(self, world: WorldClient, function: str) -> None:
        self.account(world, consumer_secret="another")
        with pytest.raises(ConnectError) as caught:
            CHANNEL.probe(CONNECTION, http(world))
        assert caught.value.code == "token_refused"

    def test_a_token_without_the_right_to_messages(self, world: WorldClient) -> None:
        self.account(world, access_level="read-write")
        with pytest.raises(ConnectError, match="direct messages"):
            CHANNEL.probe(CONNECTION, http(world))


def test_what_x_would_not_take(x: WorldClient, desk: Desk) -> None:
    x.say("x", "Salve", "Lea", kind="mention")
    to = one(x, desk).customer.address
    assert send(x, to, "x" * 281) == NotSent(problem=Problem.TOO_LONG, code="too_long")
    body = json.dumps({"text": "x"}).encode()
    answer = http(x).request(
        "POST", "https://api.x.com/2/tweets", body=body, headers={"authorization": "OAuth x"}
    )
    assert answer.status == 401
