"""What LINE is sent, what its answers mean, where files and names come from, and how it is connected."""

import threading
import time
import traceback
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

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
    Profile,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.http import Http
from sportello.channels.line import Line
from sportello.channels.line_send import KEYS
from sportello.domain.model import DAY
from tests.contract.http_stub import Stub, serving

LINE = Line()
TOKEN = "canary-token-nobody-may-see"
SECRET = "canary-secret"
BOT = "Ub0000000000000000000000000000001"
PERSON = "Uc0000000000000000000000000000201"
CONNECTION = Connection(name="main", secrets=(SECRET,), token=TOKEN, accounts=(Account(id=BOT),))
SENT = {"sentMessages": [{"id": "461230966842064897", "quoteToken": "q"}]}
PUSH, REPLY = "/api.line.me/v2/bot/message/push", "/api.line.me/v2/bot/message/reply"
URL = "https://sample.lambda-url.eu-south-1.on.aws/main"
IMAGE = Attachment(
    kind="image", mime="image/png", name="map.png", size=9, url="https://files.example.com/map?sig=x"
)


@pytest.fixture
def line() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": BOT, "to": PERSON, "text": "Domani alle 9:00", **changes})


def fresh(age: float = 2.0, **more: str) -> dict[str, str]:
    return {"reply_token": "a-reply-token", "at": str(round((time.time() - age) * 1000)), **more}


def buttons(count: int, title: str = "Yes", id: str = "yes") -> tuple[Button, ...]:
    return (Button(id=id, title=title),) * count


class TestPush:
    def test_a_text(self, line: Stub) -> None:
        line.will_answer(200, SENT)
        outcome = LINE.send(outbound(tag="T1 M#2~reply"), CONNECTION, line.http())
        assert outcome == Sent(id="461230966842064897")
        (call,) = line.calls
        assert (call.method, call.path) == ("POST", PUSH)
        assert call.headers["authorization"] == f"Bearer {TOKEN}"
        assert call.headers["x-line-retry-key"] == str(uuid.uuid5(KEYS, "T1 M#2~reply"))
        assert call.json == {"to": PERSON, "messages": [{"type": "text", "text": "Domani alle 9:00"}]}

    def test_the_key_is_the_rows_own(self, line: Stub) -> None:
        for tag in ("row-1", "row-1", "row-2", ""):
            line.will_answer(200, SENT)
            LINE.send(outbound(tag=tag), CONNECTION, line.http())
        keys = [call.headers.get("x-line-retry-key") for call in line.calls]
        assert keys[0] == keys[1] != keys[2]
        assert keys[3] is None

    def test_what_was_taken_before_is_sent(self, line: Stub) -> None:
        line.will_answer(409, {"message": "The retry key is already accepted", **SENT})
        assert LINE.send(outbound(tag="r"), CONNECTION, line.http()) == Sent(id="461230966842064897")
        line.will_answer(409, {"message": "accepted"}, x_line_accepted_request_id="request-1")
        assert LINE.send(outbound(tag="r"), CONNECTION, line.http()) == Sent(id="request-1")

    def test_choices_are_quick_replies_of_the_last_message(self, line: Stub) -> None:
        line.will_answer(200, SENT)
        choice = Button(id="choice-1", title="Order status")
        LINE.send(outbound(attachment=IMAGE, buttons=(choice,)), CONNECTION, line.http())
        picture, text = line.calls[0].json["messages"]
        assert picture == {"type": "image", "originalContentUrl": IMAGE.url, "previewImageUrl": IMAGE.url}
        action = {
            "type": "postback",
            "label": "Order status",
            "data": "choice-1\nOrder status",
            "displayText": "Order status",
        }
        assert text == {
            "type": "text",
            "text": "Domani alle 9:00",
            "quickReply": {"items": [{"type": "action", "action": action}]},
        }

    def test_a_picture_alone(self, line: Stub) -> None:
        line.will_answer(200, SENT)
        LINE.send(outbound(text="", attachment=IMAGE), CONNECTION, line.http())
        assert [one["type"] for one in line.calls[0].json["messages"]] == ["image"]

    def test_an_answer_to_a_message_carries_its_quote_token(self, line: Stub) -> None:
        context = {"message": "100", "quote_token": "q-100"}
        for quote in ("100", "99"):
            line.will_answer(200, SENT)
            LINE.send(outbound(quote=quote, context=context), CONNECTION, line.http())
        first, second = (call.json["messages"][0] for call in line.calls)
        assert first["quoteToken"] == "q-100"
        assert "quoteToken" not in second


class TestReply:
    def test_a_fresh_token_is_used_and_costs_nothing(self, line: Stub) -> None:
        line.will_answer(200, SENT)
        assert LINE.send(outbound(context=fresh()), CONNECTION, line.http()) == Sent(id="461230966842064897")
        (call,) = line.calls
        assert call.path == REPLY
        assert call.json == {
            "replyToken": "a-reply-token",
            "messages": [{"type": "text", "text": "Domani alle 9:00"}],
        }
        assert "x-line-retry-key" not in call.headers

    @pytest.mark.parametrize(
        "context", [{}, fresh(51), fresh(-3_600), {**fresh(), "at": "x"}, {"reply_token": "t"}, {"at": "1"}]
    )
    def test_an_old_one_is_not_even_tried(self, line: Stub, context: dict[str, str]) -> None:
        line.will_answer(200, SENT)
        LINE.send(outbound(context=context), CONNECTION, line.http())
        assert [call.path for call in line.calls] == [PUSH]

    def test_a_used_one_falls_back_to_a_push(self, line: Stub) -> None:
        line.will_answer(400, {"message": "Invalid reply token"})
        line.will_answer(200, SENT)
        assert isinstance(LINE.send(outbound(context=fresh()), CONNECTION, line.http()), Sent)
        assert [call.path for call in line.calls] == [REPLY, PUSH]

    def test_other_refusals_are_not_pushed(self, line: Stub) -> None:
        line.will_answer(400, {"message": "The request body has 1 error(s)", "details": []})
        outcome = LINE.send(outbound(context=fresh()), CONNECTION, line.http())
        assert outcome == NotSent(problem=Problem.REFUSED, code="400")

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_reply_that_broke_is_never_repeated(self, line: Stub, status: int) -> None:
        line.will_answer(status, b"")
        outcome = LINE.send(outbound(tag="r", context=fresh()), CONNECTION, line.http())
        assert outcome == Unknown(code=str(status))


class TestRefusedByThePlatform:
    @pytest.mark.parametrize(
        ("status", "body", "problem", "code"),
        [
            (400, {"message": "The request body has 1 error(s)"}, Problem.REFUSED, "400"),
            (
                400,
                {"message": "The property, 'to', in the request body is invalid"},
                Problem.UNREACHABLE,
                "400",
            ),
            (
                400,
                {"message": "1 error", "details": [{"message": "invalid", "property": "to"}]},
                Problem.UNREACHABLE,
                "400",
            ),
            (400, {"message": 7, "details": [7]}, Problem.REFUSED, "400"),
            (401, {"message": "Authentication failed"}, Problem.RECONNECT, "401"),
            (
                403,
                {"message": "Access to this API is not available for your account"},
                Problem.RECONNECT,
                "403",
            ),
            (404, {"message": "Not found"}, Problem.REFUSED, "404"),
            (413, {"message": "Request body too large"}, Problem.REFUSED, "413"),
            (429, {"message": "You have reached your monthly limit."}, Problem.RECONNECT, "429 monthly"),
        ],
    )
    def test_each_error_says_what_to_do(
        self, line: Stub, status: int, body: dict[str, Any], problem: Problem, code: str
    ) -> None:
        line.will_answer(status, body)
        assert LINE.send(outbound(), CONNECTION, line.http()) == NotSent(problem=problem, code=code)

    def test_too_many_requests_wait(self, line: Stub) -> None:
        line.will_answer(429, {"message": "The API rate limit has been exceeded. Try again later."})
        outcome = LINE.send(outbound(), CONNECTION, line.http())
        assert outcome == NotSent(problem=Problem.BUSY, code="429", wait=10.0)

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_push_that_broke_is_made_again_under_its_key(self, line: Stub, status: int) -> None:
        line.will_answer(status, b"oops")
        outcome = LINE.send(outbound(tag="r"), CONNECTION, line.http())
        assert outcome == NotSent(problem=Problem.TEMPORARY, code=str(status))
        line.will_answer(status, b"oops")
        assert LINE.send(outbound(), CONNECTION, line.http()) == Unknown(code=str(status))

    def test_silence_is_tried_again_only_under_a_key(self, line: Stub) -> None:
        line.hang = threading.Event()
        outcome = LINE.send(outbound(tag="r"), CONNECTION, line.http(read_seconds=0.2))
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="no_answer")
        assert LINE.send(outbound(), CONNECTION, line.http(read_seconds=0.2)) == Unknown(code="no_answer")
        replied = LINE.send(outbound(tag="r", context=fresh()), CONNECTION, line.http(read_seconds=0.2))
        assert replied == Unknown(code="no_answer")

    @pytest.mark.parametrize("body", [{}, {"sentMessages": []}, {"sentMessages": [7]}, {"sentMessages": "x"}])
    def test_a_200_that_names_no_message_is_unknown(self, line: Stub, body: Any) -> None:
        line.will_answer(200, body)
        assert LINE.send(outbound(), CONNECTION, line.http()) == Unknown(code="200 without an id")

    def test_nobody_there_sent_nothing(self) -> None:
        nowhere = Http(rewrite="http://127.0.0.1:1")
        for context in ({}, fresh()):
            outcome = LINE.send(outbound(context=context), CONNECTION, nowhere)
            assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")


class TestRefusal:
    NOW = 1_795_461_300_000

    def ask(self, last_inbound: int | None = None, **changes: Any) -> Problem | None:
        return LINE.refusal(outbound(**changes), last_inbound, self.NOW)

    def test_a_push_may_go_out_at_any_time(self) -> None:
        assert self.ask(self.NOW - 400 * DAY) is None
        assert self.ask(None) is None

    def test_length_counts_utf16_units(self) -> None:
        assert self.ask(text="🙂" * 2500) is None
        assert self.ask(text="🙂" * 2501) is Problem.TOO_LONG
        assert self.ask(text=" ") is Problem.EMPTY

    def test_choices_have_limits(self) -> None:
        assert self.ask(buttons=buttons(13)) is None
        assert self.ask(buttons=buttons(14)) is Problem.REFUSED
        assert self.ask(buttons=buttons(1, title="x" * 20, id="x" * 279)) is None
        assert self.ask(buttons=buttons(1, title="x" * 21)) is Problem.REFUSED
        assert self.ask(buttons=buttons(1, title="x" * 20, id="x" * 280)) is Problem.REFUSED
        assert self.ask(buttons=buttons(1, title=" ")) is Problem.REFUSED

    def test_there_are_no_templates(self) -> None:
        assert self.ask(text="", template=Template(name="x", language="it")) is Problem.REFUSED

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({}, None),
            ({"size": 1_000_000}, None),
            ({"size": 1_000_001}, Problem.MEDIA),
            ({"mime": "image/webp"}, Problem.MEDIA),
            ({"kind": "video", "mime": "video/mp4"}, Problem.MEDIA),
            ({"kind": "audio", "mime": "audio/mp4"}, Problem.MEDIA),
            ({"kind": "document", "mime": "application/pdf"}, Problem.MEDIA),
        ],
    )
    def test_only_pictures_that_are_their_own_preview(
        self, changes: dict[str, Any], problem: Problem | None
    ) -> None:
        assert self.ask(attachment=IMAGE.model_copy(update=changes)) is problem

    @pytest.mark.parametrize("url", ["", "https://files.example.com/" + "x" * 2000])
    def test_an_address_that_line_cannot_take_is_not_sent(self, line: Stub, url: str) -> None:
        file = IMAGE.model_copy(update={"url": url})
        outcome = LINE.send(outbound(attachment=file), CONNECTION, line.http())
        assert outcome == NotSent(problem=Problem.MEDIA, code="address")
        assert line.calls == []


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "tokèn", "\udc80"])
def test_a_token_that_cannot_stand_in_a_header_is_not_sent(line: Stub, token: str) -> None:
    broken = CONNECTION.model_copy(update={"token": token})
    assert LINE.send(outbound(), broken, line.http()) == NotSent(problem=Problem.RECONNECT, code="token")
    with pytest.raises(ConnectError, match="copy it again"):
        LINE.probe(broken, line.http())
    with pytest.raises(MediaLater):
        LINE.download(Media(kind="image", id="1"), broken, line.http())
    assert LINE.profile(PERSON, broken, line.http()) is None
    assert line.calls == []


class TestFiles:
    CONTENT = "/api-data.line.me/v2/bot/message/55/content"

    def test_a_picture_is_fetched_with_the_token(self, line: Stub) -> None:
        found = LINE.download(Media(kind="image", id="55"), CONNECTION, line.http())
        address = "https://api-data.line.me/v2/bot/message/55/content"
        assert found == Download(url=address, headers={"authorization": f"Bearer {TOKEN}"})
        assert line.calls == []
        assert LINE.media_hosts == ("api-data.line.me",)

    def test_a_video_is_fetched_once_it_is_converted(self, line: Stub) -> None:
        line.will_answer(200, {"status": "succeeded"})
        assert LINE.download(Media(kind="video", id="55"), CONNECTION, line.http()).url.endswith("/content")
        assert line.calls[0].path == f"{self.CONTENT}/transcoding"

    @pytest.mark.parametrize(
        ("status", "body", "error"),
        [
            (200, {"status": "processing"}, MediaLater),
            (200, {"status": "failed"}, MediaGone),
            (404, {}, MediaGone),
            (410, {}, MediaGone),
            (500, {}, MediaLater),
            (401, {}, MediaLater),
        ],
    )
    def test_one_that_is_not_there_is_told_from_one_that_comes(
        self, line: Stub, status: int, body: Any, error: type[Exception]
    ) -> None:
        line.will_answer(status, body)
        with pytest.raises(error):
            LINE.download(Media(kind="audio", id="55"), CONNECTION, line.http())


class TestProfile:
    def test_a_friend_has_a_name_and_a_language(self, line: Stub) -> None:
        line.will_answer(200, {"userId": PERSON, "displayName": "Customer One", "language": "zh-TW"})
        found = LINE.profile(PERSON, CONNECTION, line.http())
        assert found == Profile(name="Customer One", language="zh")
        assert line.calls[0].path == f"/api.line.me/v2/bot/profile/{PERSON}"

    def test_a_group_has_a_name(self, line: Stub) -> None:
        line.will_answer(200, {"groupId": "Cg", "groupName": "Neighbours"})
        assert LINE.profile("Cg", CONNECTION, line.http()) == Profile(name="Neighbours")
        assert line.calls[0].path == "/api.line.me/v2/bot/group/Cg/summary"

    def test_nobody_else_has(self, line: Stub) -> None:
        line.will_answer(404, {"message": "Not found"})
        assert LINE.profile(PERSON, CONNECTION, line.http()) is None
        assert LINE.profile("Rroom", CONNECTION, line.http()) is None
        assert len(line.calls) == 1


GOOD = {"success": True, "timestamp": "2026-11-23T19:15:00Z", "statusCode": 200, "reason": "OK"}


class TestConnect:
    def test_probe_names_the_account(self, line: Stub) -> None:
        line.will_answer(200, {"userId": BOT, "basicId": "@sample_desk", "displayName": "Sample desk"})
        assert LINE.probe(CONNECTION, line.http()) == Probed(accounts=(Account(id=BOT, name="@sample_desk"),))
        assert line.calls[0].path == "/api.line.me/v2/bot/info"

    def test_register_sets_tests_and_says_what_is_left(self, line: Stub) -> None:
        for body in ({}, GOOD, {"endpoint": URL, "active": False}):
            line.will_answer(200, body)
        left = LINE.register(CONNECTION, URL, line.http())
        assert [
            (call.method, call.path.removeprefix("/api.line.me/v2/bot/channel/webhook/"))
            for call in line.calls
        ] == [
            ("PUT", "endpoint"),
            ("POST", "test"),
            ("GET", "endpoint"),
        ]
        assert line.calls[0].json == {"endpoint": URL}
        assert "Use webhook on" in left
        assert "auto-response" in left

    def test_with_the_switch_on_only_the_own_answers_are_left(self, line: Stub) -> None:
        for body in ({}, GOOD, {"endpoint": URL, "active": True}):
            line.will_answer(200, body)
        assert "Use webhook" not in LINE.register(CONNECTION, URL, line.http())

    def test_a_secret_of_another_channel_is_told(self, line: Stub) -> None:
        line.will_answer(200, {})
        line.will_answer(200, {"success": False, "statusCode": 401, "reason": "ERROR_STATUS_CODE"})
        with pytest.raises(ConnectError, match="channel secret") as caught:
            LINE.register(CONNECTION, URL, line.http())
        assert caught.value.code == "secret_wrong"

    @pytest.mark.parametrize(
        ("answers", "codes"),
        [
            ([(200, {"endpoint": URL, "active": True}), (200, GOOD)], []),
            ([(404, {"message": "Not found"})], ["webhook_missing"]),
            (
                [(200, {"endpoint": "https://elsewhere.example/secret-path", "active": True})],
                ["webhook_elsewhere"],
            ),
            ([(200, {"endpoint": URL, "active": False})], ["not_subscribed"]),
            (
                [(200, {"endpoint": URL, "active": True}), (200, {"success": False, "statusCode": 401})],
                ["secret_wrong"],
            ),
            (
                [
                    (200, {"endpoint": URL, "active": True}),
                    (200, {"success": False, "reason": "REQUEST_TIMEOUT"}),
                ],
                ["delivery_failed"],
            ),
        ],
    )
    def test_examine_finds_what_is_wrong(
        self, line: Stub, answers: list[tuple[int, Any]], codes: list[str]
    ) -> None:
        for status, body in answers:
            line.will_answer(status, body)
        found = LINE.examine(CONNECTION, URL, line.http())
        assert [finding.code for finding in found] == codes
        assert "secret-path" not in str(found)

    @pytest.mark.parametrize(
        ("status", "code"), [(401, "token_refused"), (403, "token_refused"), (429, "busy"), (500, "refused")]
    )
    def test_an_error_names_the_remedy_and_no_secret(self, line: Stub, status: int, code: str) -> None:
        line.will_answer(status, {"message": f"oops {TOKEN}"})
        with pytest.raises(ConnectError) as caught:
            LINE.probe(CONNECTION, line.http())
        assert caught.value.code == code
        shown = "".join(traceback.format_exception(caught.value))
        assert TOKEN not in shown
        assert SECRET not in shown

    def test_no_network_is_said(self) -> None:
        with pytest.raises(ConnectError, match="network"):
            LINE.probe(CONNECTION, Http(rewrite="http://127.0.0.1:1"))
