"""An answer on the site: it stands there, and the company's back end hears of it by a signed event."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    Channel,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Sent,
    Template,
)
from sportello.channels.http import Http
from sportello.channels.webchat import WebChat, shown_id
from sportello.domain import keys

SECRET = "fake-secret-of-the-site-0000000000000001"
CHANNEL: Channel = WebChat()
TAG = f"{'a' * 26} M#1795424400000#bbbbbbbbbbbbbbbb"


class BackEnd:
    """The company's: it keeps what came, and answers what it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        back_end = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                back_end.heard.append((self.path, headers, body))
                self.send_response(back_end.status)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def back_end() -> Iterator[BackEnd]:
    here = BackEnd()
    yield here
    here.stop()


def connection(**settings: str) -> Connection:
    return Connection(
        name="main",
        secrets=(SECRET, "the-previous-secret-of-the-site-000000"),
        accounts=(Account(id="main"),),
        settings={"origins": "https://www.example.com", **settings},
    )


def message(to: str = "u:c-1", **more: Any) -> Outbound:
    return Outbound(
        **{"account": "main", "to": to, "text": "È arrivato", "tag": TAG, "by_person": True} | more
    )


def test_an_answer_is_sent_by_being_there(back_end: BackEnd) -> None:
    outcome = CHANNEL.send(message(), connection(), Http(back_end.url))
    assert outcome == Sent(id=shown_id(TAG))
    assert outcome.id == keys.message_hash("a" * 26, "M#1795424400000#bbbbbbbbbbbbbbbb")
    assert back_end.heard == []


def test_the_back_end_hears_of_it_signed(back_end: BackEnd) -> None:
    site = connection(push_url="https://app.example.com/push")
    sent = CHANNEL.send(message(), site, Http(back_end.url))
    ((path, headers, body),) = back_end.heard
    assert path == "/app.example.com/push"
    assert headers["content-type"] == "application/json"
    assert isinstance(sent, Sent)
    assert json.loads(body) == {
        "type": "message",
        "site": "main",
        "customer": "c-1",
        "message": {"id": sent.id, "author": "person", "text": "È arrivato", "files": 0},
    }
    at, signature = headers["sportello-signature"].split(",")
    seconds = at.removeprefix("t=")
    assert abs(time.time() - int(seconds)) < 60
    wanted = hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == f"v1={wanted}"


@pytest.mark.parametrize(
    ("to", "who"),
    [("u:c-1", {"customer": "c-1"}), ("a:0123", {"visitor": "0123"}), ("u:a:0123", {"customer": "a:0123"})],
)
def test_it_names_whom_the_answer_is_for(back_end: BackEnd, to: str, who: dict[str, str]) -> None:
    CHANNEL.send(message(to), connection(push_url="https://app.example.com/push"), Http(back_end.url))
    event = json.loads(back_end.heard[0][2])
    assert {name: event[name] for name in event.keys() & {"customer", "visitor"}} == who


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_whatever_the_back_end_answers_the_message_is_there(back_end: BackEnd, status: int) -> None:
    back_end.status = status
    site = connection(push_url="https://app.example.com/push")
    assert CHANNEL.send(message(), site, Http(back_end.url)) == Sent(id=shown_id(TAG))
    assert len(back_end.heard) == 1  # it is not told again, and no redirect is followed


def test_a_back_end_that_is_not_there_stops_nothing() -> None:
    site = connection(push_url="https://app.example.com/push")
    assert CHANNEL.send(message(), site, Http("http://127.0.0.1:9")) == Sent(id=shown_id(TAG))


def test_nothing_is_not_sent() -> None:
    empty = CHANNEL.send(message(text=" "), connection(), Http("http://127.0.0.1:9"))
    assert empty == NotSent(problem=Problem.EMPTY, code="empty")


FILE = Attachment(kind="document", mime="application/pdf", name="a.pdf", size=1000, url="https://example.com")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, None),
        ({"attachment": FILE, "text": ""}, None),
        ({"buttons": tuple(Button(id=str(n), title="x") for n in range(10))}, None),
        ({"buttons": tuple(Button(id=str(n), title="x") for n in range(11))}, Problem.REFUSED),
        ({"template": Template(name="x", language="it")}, Problem.REFUSED),
        ({"act": "private"}, Problem.REFUSED),
        ({"text": "x" * 4000}, None),
        ({"text": "x" * 4001}, Problem.TOO_LONG),
        ({"text": ""}, Problem.EMPTY),
        ({"attachment": FILE.model_copy(update={"size": 26 * 1024 * 1024})}, Problem.MEDIA),
    ],
)
def test_what_may_be_sent_and_for_how_long(more: dict[str, Any], problem: Problem | None) -> None:
    assert CHANNEL.refusal(message(**more), None, 10**13) == problem


# --- connecting -----------------------------------------------------------------------------------


def test_a_site_that_is_set_up_well() -> None:
    site = connection(
        push_url="https://app.example.com/push", telegram="@example_bot", whatsapp="+390612345678"
    )
    assert CHANNEL.probe(site, Http()).accounts == (Account(id="main"),)
    assert list(CHANNEL.examine(site, "", Http())) == []
    told = CHANNEL.register(site, "https://x.lambda-url.eu-south-1.on.aws/main", Http())
    line = '<script async src="https://x.lambda-url.eu-south-1.on.aws/widget/main.js"></script>'
    assert line in told


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secrets": ("short",)}, "weak_secret"),
        ({"secrets": ()}, "weak_secret"),
        ({"settings": {}}, "no_origins"),
        ({"settings": {"origins": "www.example.com"}}, "bad_origin"),
        ({"settings": {"origins": "https://www.example.com/"}}, "bad_origin"),
        ({"settings": {"origins": "http://www.example.com"}}, "bad_origin"),
        ({"settings": {"origins": "*"}}, "bad_origin"),
        ({"settings": {"origins": "https://a.example", "push_url": "http://a.example/p"}}, "bad_push_url"),
        ({"settings": {"origins": "https://a.example", "telegram": "https://t.me/x"}}, "bad_link"),
    ],
)
def test_a_site_that_is_not(changes: dict[str, Any], code: str) -> None:
    site = connection().model_copy(update=changes)
    assert [finding.code for finding in CHANNEL.examine(site, "", Http())] == [code]
    with pytest.raises(ConnectError) as refused:
        CHANNEL.probe(site, Http())
    assert SECRET not in str(refused.value)


def test_a_site_without_a_name_is_called_as_its_connection() -> None:
    site = connection().model_copy(update={"accounts": ()})
    assert CHANNEL.probe(site, Http()).accounts == (Account(id="main"),)
