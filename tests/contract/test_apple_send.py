"""What Apple is sent, what its answers mean, and how a business is connected."""

import base64
import json
import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from sportello.channels.apple import EXTENSION, Apple
from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    ConnectError,
    Connection,
    Download,
    Media,
    MediaGone,
    MediaLater,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.http import Http
from tests.contract.http_stub import Stub, serving

SECRET = base64.b64encode(b"CANARY-secret-of-thirty-two-byte").decode()
BUSINESS, CUSTOMER = "00000000-1111-4222-8333-444444444444", "urn:mbid:AQAAsample="
CONNECTION = Connection(
    name="main",
    secrets=(SECRET,),
    accounts=(Account(id=BUSINESS),),
    settings={"msp_id": "my-msp-id", "business_id": BUSINESS},
)
CHANNEL = Apple()
BUTTONS = tuple(Button(id=f"b{number}", title=f"Scelta {number}") for number in range(1, 8))
ALL = {"capabilities": "AUTH, LIST, TIME, QUICK, FORM"}


@pytest.fixture
def gateway() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": BUSINESS, "to": CUSTOMER, "text": "Domani alle 9:00", **changes})


def send(stub: Stub, **changes: Any) -> Any:
    return CHANNEL.send(outbound(**changes), CONNECTION, stub.http())


def claims(authorization: str) -> Any:
    part = authorization.removeprefix("Bearer ").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=="))


class TestSend:
    def test_text(self, gateway: Stub) -> None:
        gateway.will_answer(200, b"")
        outcome = send(gateway, text="Sì 🙂 <b>")
        assert isinstance(outcome, Sent)
        (call,) = gateway.calls
        assert (call.method, call.path) == ("POST", "/mspgw.push.apple.com/v1/message")
        assert call.json == {
            "v": 1, "id": outcome.id, "sourceId": BUSINESS, "destinationId": CUSTOMER, "type": "text",
            "body": "Sì 🙂 <b>",
        }  # fmt: skip
        assert (call.headers["id"], call.headers["source-id"]) == (outcome.id, BUSINESS)
        assert call.headers["destination-id"] == CUSTOMER
        assert claims(call.headers["authorization"]).keys() == {"iss", "iat"}
        assert claims(call.headers["authorization"])["iss"] == "my-msp-id"

    def test_a_provider_may_have_an_address_of_its_own(self, gateway: Stub) -> None:
        settings = {**CONNECTION.settings, "base_url": "https://msp.example.com/apple/"}
        gateway.will_answer(200, b"")
        CHANNEL.send(outbound(), CONNECTION.model_copy(update={"settings": settings}), gateway.http())
        assert gateway.calls[0].path == "/msp.example.com/apple/message"

    def test_one_row_has_one_id_however_often_it_is_tried(self, gateway: Stub) -> None:
        for _ in range(3):
            gateway.will_answer(200, b"")
        first, again, other = (send(gateway, tag=tag) for tag in ("t1#m1", "t1#m1", "t1#m2"))
        assert first == again != other

    @pytest.mark.parametrize("count", [2, 5])
    def test_a_few_choices_are_quick_replies(self, gateway: Stub, count: int) -> None:
        gateway.will_answer(200, b"")
        outcome = send(gateway, buttons=BUTTONS[:count], context=ALL)
        body = gateway.calls[0].json
        assert body["type"] == "interactive"
        assert "body" not in body
        assert body["interactiveData"] == {
            "bid": EXTENSION,
            "data": {
                "version": "1.0",
                "requestIdentifier": outcome.id,
                "quick-reply": {
                    "summaryText": "Domani alle 9:00",
                    "items": [{"identifier": one.id, "title": one.title} for one in BUTTONS[:count]],
                },
            },
        }

    @pytest.mark.parametrize("count", [1, 6])
    def test_other_numbers_are_a_list(self, gateway: Stub, count: int) -> None:
        gateway.will_answer(200, b"")
        outcome = send(gateway, buttons=BUTTONS[:count], context=ALL)
        items = [
            {"identifier": one.id, "title": one.title, "order": order, "style": "default"}
            for order, one in enumerate(BUTTONS[:count])
        ]
        section = {"title": "Domani alle 9:00", "order": 0, "multipleSelection": False, "items": items}
        assert gateway.calls[0].json["interactiveData"] == {
            "bid": EXTENSION,
            "data": {
                "version": "1.0",
                "requestIdentifier": outcome.id,
                "listPicker": {"multipleSelection": False, "sections": [section]},
            },
            "receivedMessage": {"title": "Domani alle 9:00", "style": "small"},
            "replyMessage": {"title": "${item.title}", "style": "small"},
        }

    @pytest.mark.parametrize(
        ("able", "shown"),
        [
            ("LIST", "listPicker"),
            ("QUICK", "quick-reply"),
            ("QUICK,LIST", "quick-reply"),
            ("QUICKLY", ""),
            ("", ""),
        ],
    )
    def test_only_what_the_phone_can_show(self, gateway: Stub, able: str, shown: str) -> None:
        gateway.will_answer(200, b"")
        send(gateway, buttons=BUTTONS[:2], context={"capabilities": able})
        body = gateway.calls[0].json
        if shown:
            assert shown in body["interactiveData"]["data"]
        else:
            assert body["body"] == "Domani alle 9:00\n- Scelta 1\n- Scelta 2"

    @pytest.mark.parametrize("to", ["", "a\r\nb", "è", "\x00"])
    def test_an_address_that_is_none_is_not_tried(self, gateway: Stub, to: str) -> None:
        assert send(gateway, to=to) == NotSent(problem=Problem.REFUSED, code="address")
        assert gateway.calls == []

    @pytest.mark.parametrize("secrets", [(), ("",), ("no base64!",)])
    def test_without_a_secret_nothing_is_tried(self, gateway: Stub, secrets: tuple[str, ...]) -> None:
        bare = CONNECTION.model_copy(update={"secrets": secrets})
        expected = NotSent(problem=Problem.RECONNECT, code="secret")
        assert CHANNEL.send(outbound(), bare, gateway.http()) == expected
        assert gateway.calls == []


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "problem"),
        [
            (400, Problem.REFUSED),
            (401, Problem.RECONNECT),
            (403, Problem.RECONNECT),
            (404, Problem.UNREACHABLE),
            (413, Problem.TOO_LONG),
            (429, Problem.BUSY),
            (422, Problem.REFUSED),
        ],
    )
    def test_each_error_says_what_to_do(self, gateway: Stub, status: int, problem: Problem) -> None:
        gateway.will_answer(status, b"")
        assert send(gateway) == NotSent(problem=problem, code=str(status))

    @pytest.mark.parametrize(("given", "wait"), [("31", 31.0), ("soon", None), ("-1", None)])
    def test_a_limit_may_say_how_long_to_wait(self, gateway: Stub, given: str, wait: float | None) -> None:
        gateway.will_answer(429, b"", retry_after=given)
        assert send(gateway) == NotSent(problem=Problem.BUSY, code="429", wait=wait)

    @pytest.mark.parametrize("status", [500, 502, 503, 302, 202])
    def test_nobody_knows(self, gateway: Stub, status: int) -> None:
        gateway.will_answer(status, b"<html>")
        assert send(gateway) == Unknown(code=str(status))
        assert len(gateway.calls) == 1

    def test_silence_after_the_request(self, gateway: Stub) -> None:
        gateway.hang = threading.Event()
        assert CHANNEL.send(outbound(), CONNECTION, gateway.http(0.2)) == Unknown(code="no_answer")

    def test_nobody_listening_means_nothing_was_sent(self) -> None:
        expected = NotSent(problem=Problem.TEMPORARY, code="not_connected")
        assert CHANNEL.send(outbound(), CONNECTION, closed()) == expected


class TestPolicy:
    def ask(self, **changes: Any) -> Problem | None:
        return CHANNEL.refusal(outbound(**changes), None, 1_795_461_300_000)

    def test_there_is_no_window(self) -> None:
        assert self.ask() is None

    def test_what_cannot_be_sent(self) -> None:
        file = Attachment(kind="image", mime="image/png", name="a.png", size=1)
        assert self.ask(text=" ") is Problem.EMPTY
        assert self.ask(text="x" * 10_001) is Problem.TOO_LONG
        assert self.ask(to="") is Problem.REFUSED
        assert self.ask(act="private") is Problem.REFUSED
        assert self.ask(attachment=file) is Problem.MEDIA
        assert self.ask(template=Template(name="hours", language="it")) is Problem.REFUSED
        assert self.ask(buttons=BUTTONS[:1] * 50) is None
        assert self.ask(buttons=BUTTONS[:1] * 51) is Problem.REFUSED


class TestFiles:
    MEDIA = Media(kind="image", id="M-owner c2ln 0011", url="https://p01-content.icloud.com/a")

    def test_apple_is_asked_for_the_address(self, gateway: Stub) -> None:
        gateway.will_answer(200, {"download-url": "https://cvws.icloud-content.com/B/abc"})
        found = CHANNEL.download(self.MEDIA, CONNECTION, gateway.http())
        assert found == Download(url="https://cvws.icloud-content.com/B/abc")
        (call,) = gateway.calls
        assert (call.method, call.path) == ("GET", "/mspgw.push.apple.com/v1/preDownload")
        sent = {name: call.headers[name] for name in ("url", "owner", "signature", "source-id")}
        assert sent == {"url": self.MEDIA.url, "owner": "M-owner", "signature": "c2ln", "source-id": BUSINESS}
        assert call.headers["mmcs-signature"] == "c2ln"

    @pytest.mark.parametrize("status", [400, 403, 404, 410])
    def test_what_is_gone(self, gateway: Stub, status: int) -> None:
        gateway.will_answer(status, b"")
        with pytest.raises(MediaGone):
            CHANNEL.download(self.MEDIA, CONNECTION, gateway.http())

    @pytest.mark.parametrize(
        ("status", "content"), [(401, {}), (429, {}), (503, b"x"), (200, {}), (200, b"")]
    )
    def test_what_comes_later(self, gateway: Stub, status: int, content: Any) -> None:
        gateway.will_answer(status, content)
        with pytest.raises(MediaLater):
            CHANNEL.download(self.MEDIA, CONNECTION, gateway.http())

    @pytest.mark.parametrize("changes", [{"id": "x"}, {"url": ""}, {"url": "https://è"}])
    def test_an_odd_file_is_not_asked_for(self, gateway: Stub, changes: dict[str, str]) -> None:
        with pytest.raises(MediaGone):
            CHANNEL.download(self.MEDIA.model_copy(update=changes), CONNECTION, gateway.http())
        assert gateway.calls == []

    def test_nobody_listening(self) -> None:
        with pytest.raises(MediaLater):
            CHANNEL.download(self.MEDIA, CONNECTION, closed())


class TestConnect:
    @pytest.mark.parametrize("status", [400, 404, 200])
    def test_probe_believes_what_is_refused_for_its_content_only(self, gateway: Stub, status: int) -> None:
        gateway.will_answer(status, b"")
        assert CHANNEL.probe(CONNECTION, gateway.http()) == Probed(accounts=(Account(id=BUSINESS),))
        assert gateway.calls[0].path == "/mspgw.push.apple.com/v1/preDownload"

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_tokens(self, gateway: Stub, status: int) -> None:
        gateway.will_answer(status, b"")
        with pytest.raises(ConnectError, match="MSP id") as caught:
            CHANNEL.probe(CONNECTION, gateway.http())
        assert caught.value.code == "token_refused"
        assert "CANARY" not in "".join(traceback.format_exception(caught.value))

    def test_a_secret_that_is_not_base64(self, gateway: Stub) -> None:
        odd = CONNECTION.model_copy(update={"secrets": ("CANARY!",)})
        with pytest.raises(ConnectError, match="base64") as caught:
            CHANNEL.probe(odd, gateway.http())
        assert caught.value.code == "secret_wrong"
        assert "CANARY" not in str(caught.value)

    @pytest.mark.parametrize("business", ["", "a b\r\n"])
    def test_an_odd_business_id(self, gateway: Stub, business: str) -> None:
        settings = {**CONNECTION.settings, "business_id": business}
        with pytest.raises(ConnectError, match="business id"):
            CHANNEL.probe(CONNECTION.model_copy(update={"settings": settings}), gateway.http())

    def test_silence(self) -> None:
        with pytest.raises(ConnectError, match="did not answer") as caught:
            CHANNEL.probe(CONNECTION, closed())
        assert caught.value.code == "no_answer"

    def test_register_says_what_to_hand_to_the_provider(self, gateway: Stub) -> None:
        url = "https://sample.lambda-url.eu-south-1.on.aws/main"
        assert f"base URL: {url} (without /message" in CHANNEL.register(CONNECTION, url, gateway.http())
        assert gateway.calls == []


def closed() -> Http:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
