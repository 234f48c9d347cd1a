"""What Viber is sent, what its answers mean, and how a bot is connected."""

import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    ConnectError,
    Connection,
    MediaGone,
    NotSent,
    Outbound,
    Problem,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.http import Http
from sportello.channels.viber import Viber
from sportello.domain.events import Media
from tests.contract.http_stub import Stub, serving

TOKEN = "CANARY-token-nobody-may-see"
BOT = Account(id="pa:5000000000000000001", name="sampledesk")
CONNECTION = Connection(
    name="main", secrets=(TOKEN, "older"), accounts=(BOT,), settings={"sender_name": "Sample Desk"}
)
USER = "Ab01+cd/EFghIJklMNopQR=="
ENVELOPE = {"receiver": USER, "min_api_version": 1, "sender": {"name": "Sample Desk"}}
FILES = "https://files.example.com/out"
VIBER = Viber()


@pytest.fixture
def platform() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": BOT.id, "to": USER, "text": "Domani alle 9:00", **changes})


def file(kind: str = "document", name: str = "ordine.pdf", **changes: Any) -> Attachment:
    fields = {"mime": "application/pdf", "size": 10_000, "url": f"{FILES}/{name}?X-Amz-Signature=1"}
    return Attachment.model_validate({"kind": kind, "name": name, **fields, **changes})


def accepted(token: int = 5900000000000000777) -> dict[str, Any]:
    return {"status": 0, "status_message": "ok", "message_token": token, "billing_status": 1}


def send(platform: Stub, message: Outbound) -> Any:
    return VIBER.send(message, CONNECTION, platform.http())


class TestSend:
    def test_text_goes_out_as_it_stands(self, platform: Stub) -> None:
        platform.will_answer(200, accepted())
        assert send(platform, outbound(text="*no* _markup_ 🙂")) == Sent(id="5900000000000000777")
        (call,) = platform.calls
        assert (call.method, call.path) == ("POST", "/chatapi.viber.com/pa/send_message")
        assert call.headers["x-viber-auth-token"] == TOKEN
        assert call.json == ENVELOPE | {"type": "text", "text": "*no* _markup_ 🙂"}

    def test_buttons_return_their_title_and_their_ids_travel_beside(self, platform: Stub) -> None:
        platform.will_answer(200, accepted())
        send(
            platform, outbound(buttons=(Button(id="person", title="Una persona"), Button(id="n", title="No")))
        )
        body = platform.calls[0].json
        row = {"Columns": 6, "Rows": 1, "ActionType": "reply"}
        assert body["keyboard"] == {
            "Type": "keyboard",
            "DefaultHeight": False,
            "Buttons": [
                row | {"ActionBody": "Una persona", "Text": "Una persona"},
                row | {"ActionBody": "No", "Text": "No"},
            ],
        }
        assert body["tracking_data"] == '{"buttons":{"Una persona":"person","No":"n"}}'

    def test_a_picture_carries_its_words(self, platform: Stub) -> None:
        platform.will_answer(200, accepted())
        picture = file("image", "foto.jpg", mime="image/jpeg")
        assert isinstance(send(platform, outbound(attachment=picture)), Sent)
        (call,) = platform.calls
        assert call.json == ENVELOPE | {"type": "picture", "text": "Domani alle 9:00", "media": picture.url}

    def test_a_video_says_its_size_and_its_words_follow(self, platform: Stub) -> None:
        platform.will_answer(200, accepted(1))
        platform.will_answer(200, accepted(2))
        video = file("video", "v.mp4", mime="video/mp4")
        assert send(platform, outbound(attachment=video)) == Sent(id="1", also=("2",))
        first, second = (call.json for call in platform.calls)
        assert first == ENVELOPE | {"type": "video", "media": video.url, "size": 10_000}
        assert second == ENVELOPE | {"type": "text", "text": "Domani alle 9:00"}

    @pytest.mark.parametrize(
        "attachment",
        [
            file(),
            file("audio", "a.mp3", mime="audio/mpeg"),
            file("voice", "a.ogg", mime="audio/ogg"),
            file("image", "large.jpg", mime="image/jpeg", size=1_000_001),
            file("image", "moving.gif", mime="image/gif"),
            file("image", "foto.jpg", mime="image/jpeg", url=f"{FILES}/0123"),
            file("video", "v.mov", mime="video/quicktime"),
            file("video", "v.mp4", mime="video/mp4", size=26_000_001),
        ],
    )
    def test_everything_else_goes_as_a_file(self, platform: Stub, attachment: Attachment) -> None:
        platform.will_answer(200, accepted())
        send(platform, outbound(text="", attachment=attachment))
        (call,) = platform.calls
        assert call.json == ENVELOPE | {
            "type": "file",
            "media": attachment.url,
            "size": attachment.size,
            "file_name": attachment.name,
        }

    def test_buttons_stand_under_the_words_that_follow_a_file(self, platform: Stub) -> None:
        platform.will_answer(200, accepted(1))
        platform.will_answer(200, accepted(2))
        send(platform, outbound(attachment=file(), buttons=(Button(id="ok", title="Ok"),)))
        first, second = (call.json for call in platform.calls)
        assert "keyboard" not in first
        assert "keyboard" in second

    def test_a_refused_file_means_that_nothing_was_sent(self, platform: Stub) -> None:
        platform.will_answer(200, {"status": 3, "status_message": "badData"})
        assert send(platform, outbound(attachment=file())) == NotSent(problem=Problem.REFUSED, code="3")
        assert len(platform.calls) == 1

    def test_words_refused_after_their_file_leave_it_open(self, platform: Stub) -> None:
        platform.will_answer(200, accepted())
        platform.will_answer(200, {"status": 12, "status_message": "tooManyRequests"})
        assert send(platform, outbound(attachment=file())) == Unknown(code="words_12")

    @pytest.mark.parametrize(
        ("settings", "name"), [({}, "sampledesk"), ({"sender_name": "x" * 40}, "x" * 28)]
    )
    def test_the_sender_always_has_a_name(self, platform: Stub, settings: Any, name: str) -> None:
        platform.will_answer(200, accepted())
        VIBER.send(outbound(), CONNECTION.model_copy(update={"settings": settings}), platform.http())
        assert platform.calls[0].json["sender"] == {"name": name}

    def test_without_an_address_nothing_is_asked(self, platform: Stub) -> None:
        assert send(platform, outbound(to="")) == NotSent(problem=Problem.REFUSED, code="address")
        assert platform.calls == []


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "problem"),
        [
            (1, Problem.REFUSED),
            (2, Problem.RECONNECT),
            (3, Problem.REFUSED),
            (4, Problem.REFUSED),
            (5, Problem.UNREACHABLE),
            (6, Problem.UNREACHABLE),
            (7, Problem.RECONNECT),
            (8, Problem.RECONNECT),
            (9, Problem.RECONNECT),
            (10, Problem.RECONNECT),
            (11, Problem.UNREACHABLE),
            (13, Problem.REFUSED),
            (14, Problem.REFUSED),
            (15, Problem.RECONNECT),
            (16, Problem.REFUSED),
            (17, Problem.REFUSED),
            (18, Problem.REFUSED),
            (19, Problem.REFUSED),
            (20, Problem.REFUSED),
            (21, Problem.UNREACHABLE),
            (22, Problem.REFUSED),
            (23, Problem.RECONNECT),
            (24, Problem.RECONNECT),
            (99, Problem.REFUSED),
        ],
    )
    def test_each_status_says_what_to_do_though_http_says_ok(
        self, platform: Stub, status: int, problem: Problem
    ) -> None:
        platform.will_answer(200, {"status": status, "status_message": "no"})
        assert send(platform, outbound()) == NotSent(problem=problem, code=str(status))

    def test_too_many_requests_wait(self, platform: Stub) -> None:
        platform.will_answer(200, {"status": 12, "status_message": "tooManyRequests"})
        assert send(platform, outbound()) == NotSent(problem=Problem.BUSY, code="12", wait=600)

    def test_a_status_written_as_text_counts(self, platform: Stub) -> None:
        platform.will_answer(401, {"status": "5"})
        assert send(platform, outbound()) == NotSent(problem=Problem.UNREACHABLE, code="5")

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (429, NotSent(problem=Problem.BUSY, code="http_429")),
            (403, NotSent(problem=Problem.REFUSED, code="http_403")),
            (413, NotSent(problem=Problem.REFUSED, code="http_413")),
            (302, Unknown(code="http_302")),
            (500, Unknown(code="http_500")),
            (200, Unknown(code="http_200")),
        ],
    )
    def test_what_is_not_vibers_json_goes_by_http(self, platform: Stub, status: int, outcome: Any) -> None:
        platform.will_answer(status, b"<html>")
        assert send(platform, outbound()) == outcome
        assert len(platform.calls) == 1

    @pytest.mark.parametrize("content", [{"status": 0}, {"status": 0, "message_token": "x"}])
    def test_a_success_that_names_no_message(self, platform: Stub, content: Any) -> None:
        platform.will_answer(200, content)
        assert send(platform, outbound()) == Unknown(code="no_message_token")

    @pytest.mark.parametrize("status", [None, True, [], "x", "٣", "1234567"])
    def test_a_status_that_is_none(self, platform: Stub, status: Any) -> None:
        platform.will_answer(200, {"status": status})
        assert send(platform, outbound()) == Unknown(code="http_200")

    def test_silence_after_the_request(self, platform: Stub) -> None:
        platform.hang = threading.Event()
        outcome = VIBER.send(outbound(), CONNECTION, platform.http(read_seconds=0.2))
        assert outcome == Unknown(code="no_answer")

    def test_nobody_listening_means_nothing_was_sent(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
            outcome = VIBER.send(outbound(), CONNECTION, closed)
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")

    @pytest.mark.parametrize("token", ["", "a\r\nb: c", "è", "x\ud800"])
    def test_an_odd_token_is_not_put_into_a_header(self, platform: Stub, token: str) -> None:
        platform.will_answer(200, {"status": 2, "status_message": "invalidAuthToken"})
        odd = CONNECTION.model_copy(update={"secrets": (token,)})
        assert VIBER.send(outbound(), odd, platform.http()) == NotSent(problem=Problem.RECONNECT, code="2")
        assert platform.calls[0].headers["x-viber-auth-token"] == ""


class TestRefusal:
    def ask(self, **changes: Any) -> Problem | None:
        return VIBER.refusal(outbound(**changes), None, 1_795_461_300_000)

    def test_a_subscriber_may_be_written_to_for_ever(self) -> None:
        assert self.ask() is None

    def test_length_and_emptiness(self) -> None:
        assert self.ask(text="x" * 7000) is None
        assert self.ask(text="x" * 7001) is Problem.TOO_LONG
        assert self.ask(text=" ") is Problem.EMPTY
        assert self.ask(text="", attachment=file()) is None

    def test_the_whole_json_stays_below_30_kb(self) -> None:
        assert self.ask(text="€" * 7000) is None
        titles = tuple(Button(id="i" * 100, title=f"{number}" + "€" * 200) for number in range(12))
        assert self.ask(text="€" * 7000, buttons=titles) is Problem.TOO_LONG

    def test_buttons(self) -> None:
        button = Button(id="x", title="Sì")
        assert self.ask(buttons=tuple(Button(id="x", title=str(n)) for n in range(12))) is None
        assert self.ask(buttons=tuple(Button(id="x", title=str(n)) for n in range(13))) is Problem.REFUSED
        assert self.ask(buttons=(button, button)) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="x", title=" "),)) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="", title="x"),)) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="x", title="x" * 251),)) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="x" * 4000, title="x"),)) is Problem.REFUSED

    def test_files(self) -> None:
        assert self.ask(attachment=file(size=50_000_000)) is None
        assert self.ask(attachment=file(size=50_000_001)) is Problem.MEDIA
        assert self.ask(attachment=file(name="Setup.EXE")) is Problem.MEDIA

    def test_what_there_is_not(self) -> None:
        assert self.ask(template=Template(name="hours", language="it")) is Problem.REFUSED
        assert self.ask(act="private") is Problem.REFUSED
        assert self.ask(act="hide") is Problem.REFUSED


class TestMedia:
    def test_a_file_is_fetched_where_the_message_said(self, platform: Stub) -> None:
        media = Media(kind="image", id="1", url="https://dl-media.viber.com/x.jpg")
        assert VIBER.download(media, CONNECTION, platform.http()).url == media.url
        assert platform.calls == []
        with pytest.raises(MediaGone):
            VIBER.download(Media(kind="image", id="1"), CONNECTION, platform.http())


class TestConnect:
    URL = "https://sample.lambda-url.eu-south-1.on.aws/main"

    def info(self, **changes: Any) -> dict[str, Any]:
        events = ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]
        account = {"id": BOT.id, "name": "Sample Desk of the Town Services", "uri": "sampledesk"}
        return {"status": 0, **account, "webhook": self.URL, "event_types": events, **changes}

    def test_probe_names_the_bot_and_shortens_its_name(self, platform: Stub) -> None:
        platform.will_answer(200, self.info())
        draft = Connection(name="main", secrets=(TOKEN,))
        probed = VIBER.probe(draft, platform.http())
        assert probed.accounts == (BOT,)
        assert probed.settings == {"sender_name": "Sample Desk of the Town Serv"}
        assert platform.calls[0].path == "/chatapi.viber.com/pa/get_account_info"

    def test_a_name_that_was_chosen_stays(self, platform: Stub) -> None:
        platform.will_answer(200, self.info())
        assert VIBER.probe(CONNECTION, platform.http()).settings == {"sender_name": "Sample Desk"}

    def test_register_asks_for_every_event_and_no_photo(self, platform: Stub) -> None:
        platform.will_answer(200, {"status": 0, "status_message": "ok", "event_types": []})
        assert "chatURI=sampledesk" in VIBER.register(CONNECTION, self.URL, platform.http())
        (call,) = platform.calls
        assert call.path == "/chatapi.viber.com/pa/set_webhook"
        events = ["conversation_started", "delivered", "failed", "seen", "subscribed", "unsubscribed"]
        wanted = {"url": self.URL, "event_types": events, "send_name": True, "send_photo": False}
        assert call.json == wanted

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({}, ""),
            ({"webhook": ""}, "webhook_missing"),
            ({"webhook": None}, "webhook_missing"),
            ({"webhook": "https://elsewhere.example/"}, "webhook_elsewhere"),
            ({"event_types": ["delivered", "seen"]}, "not_subscribed"),
            ({"event_types": None}, "not_subscribed"),
            ({"event_types": [{}]}, "not_subscribed"),
        ],
    )
    def test_examine_names_what_is_wrong(self, platform: Stub, changes: Any, code: str) -> None:
        platform.will_answer(200, self.info(**changes))
        findings = VIBER.examine(CONNECTION, self.URL, platform.http())
        assert [finding.code for finding in findings] == ([code] if code else [])

    @pytest.mark.parametrize(
        ("status", "content", "remedy"),
        [
            (200, {"status": 2, "status_message": TOKEN}, "copy it again"),
            (200, {"status": 9, "status_message": "x"}, "suspended"),
            (200, {"status": 99, "status_message": TOKEN}, "status 99"),
            (502, b"<html>", "status 502"),
            (200, {"status": 0}, "cannot be read"),
        ],
    )
    def test_each_failure_says_what_to_do_and_no_secret(
        self, platform: Stub, status: int, content: Any, remedy: str
    ) -> None:
        platform.will_answer(status, content)
        with pytest.raises(ConnectError, match=remedy) as caught:
            VIBER.probe(CONNECTION, platform.http())
        assert TOKEN not in "".join(traceback.format_exception(caught.value))

    def test_an_address_that_does_not_answer_viber_is_told(self, platform: Stub) -> None:
        platform.will_answer(200, {"status": 1, "status_message": "invalidUrl"})
        with pytest.raises(ConnectError, match="was not answered with 200"):
            VIBER.register(CONNECTION, self.URL, platform.http())

    def test_silence_and_a_closed_port_say_no_secret(self, platform: Stub) -> None:
        platform.hang = threading.Event()
        with pytest.raises(ConnectError, match="did not answer") as caught:
            VIBER.probe(CONNECTION, platform.http(read_seconds=0.2))
        assert TOKEN not in "".join(traceback.format_exception(caught.value))
