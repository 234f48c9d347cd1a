"""What WeChat is sent, what its answers mean, its access token, and how an account is connected."""

import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sportello.channels import wechat_api
from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    ConnectError,
    Connection,
    Media,
    MediaGone,
    MediaLater,
    NotSent,
    Outbound,
    Problem,
    Profile,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.http import Http
from sportello.channels.wechat import WeChat
from sportello.channels.wechat_errors import PROBLEMS, TOKEN_ENDED
from sportello.domain.model import HOUR
from tests.contract.http_stub import Call, Stub, serving

SECRET = "CANARY-app-secret"
TOKEN = "CANARY-access-token"
APP_ID = "wx0000000000000001"
ACCOUNT = "gh_0000000000a1"
USER = "oSampleUser"
SETTINGS = {"app_id": APP_ID, "original_id": ACCOUNT, "mode": "safe", "aes_key": "k" * 43}
CONNECTION = Connection(
    name="main", secrets=("sampletoken",), token=SECRET, accounts=(Account(id=ACCOUNT),), settings=SETTINGS
)
WECHAT = WeChat()


@pytest.fixture
def platform() -> Iterator[Stub]:
    wechat_api.forget_tokens()
    with serving() as stub:
        yield stub
    wechat_api.forget_tokens()


@pytest.fixture
def connected(platform: Stub) -> Stub:
    """The token has been asked for and is kept."""
    give_token(platform)
    wechat_api.access_token(platform.http(), CONNECTION)
    platform.calls.clear()
    return platform


def give_token(platform: Stub, token: str = TOKEN, seconds: Any = 7200) -> None:
    platform.will_answer(200, {"access_token": token, "expires_in": seconds})


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": ACCOUNT, "to": USER, "text": "明天九点 🙂", "tag": "T1~reply", **changes})


def file(kind: str = "image", name: str = "foto.jpg", mime: str = "image/jpeg", **changes: Any) -> Attachment:
    fields = {"kind": kind, "name": name, "mime": mime, "size": 4, "content": b"\xff\xd8CN"}
    return Attachment.model_validate({**fields, **changes})


def send(platform: Stub, message: Outbound | None = None) -> Any:
    return WECHAT.send(message or outbound(), CONNECTION, platform.http())


def where(call: Call) -> tuple[str, str, dict[str, str]]:
    parts = urlsplit(call.path)
    return call.method, parts.path, {name: value[0] for name, value in parse_qs(parts.query).items()}


class TestSend:
    def test_text_goes_out_as_real_utf8(self, connected: Stub) -> None:
        connected.will_answer(200, {"errcode": 0, "errmsg": "ok"})
        assert send(connected) == Sent(id="T1~reply")
        (call,) = connected.calls
        path = "/api.weixin.qq.com/cgi-bin/message/custom/send"
        assert where(call) == ("POST", path, {"access_token": TOKEN})
        assert call.json == {"touser": USER, "msgtype": "text", "text": {"content": "明天九点 🙂"}}
        assert "明天九点 🙂".encode() in call.body
        assert b"\\u" not in call.body

    def test_buttons_are_a_menu(self, connected: Stub) -> None:
        connected.will_answer(200, {"errcode": 0})
        send(
            connected,
            outbound(buttons=(Button(id="person", title="Una persona"), Button(id="n", title="No"))),
        )
        assert connected.calls[0].json == {
            "touser": USER,
            "msgtype": "msgmenu",
            "msgmenu": {
                "head_content": "明天九点 🙂",
                "list": [{"id": "person", "content": "Una persona"}, {"id": "n", "content": "No"}],
                "tail_content": "",
            },
        }

    def test_a_picture_is_uploaded_and_its_words_follow(self, connected: Stub) -> None:
        connected.will_answer(200, {"type": "image", "media_id": "m1", "created_at": 1})
        connected.will_answer(200, {"errcode": 0})
        connected.will_answer(200, {"errcode": 0})
        assert send(connected, outbound(attachment=file())) == Sent(id="T1~reply")
        upload, picture, words = connected.calls
        path = "/api.weixin.qq.com/cgi-bin/media/upload"
        assert where(upload) == ("POST", path, {"access_token": TOKEN, "type": "image"})
        assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="media"; filename="foto.jpg"' in upload.body
        assert b"\xff\xd8CN" in upload.body
        assert picture.json == {"touser": USER, "msgtype": "image", "image": {"media_id": "m1"}}
        assert words.json["text"] == {"content": "明天九点 🙂"}

    @pytest.mark.parametrize(
        ("attachment", "kind", "content"),
        [
            (file("voice", "v.amr", "audio/amr"), "voice", {"media_id": "m1"}),
            (file("audio", "v.mp3", "audio/mpeg"), "voice", {"media_id": "m1"}),
            (
                file("video", "v.mp4", "video/mp4"),
                "video",
                {"media_id": "m1", "thumb_media_id": "m1", "title": "v.mp4", "description": ""},
            ),
        ],
    )
    def test_other_files(self, connected: Stub, attachment: Attachment, kind: str, content: Any) -> None:
        connected.will_answer(200, {"type": kind, "media_id": "m1"})
        connected.will_answer(200, {"errcode": 0})
        send(connected, outbound(text="", attachment=attachment))
        upload, message = connected.calls
        assert where(upload)[2]["type"] == kind
        assert message.json == {"touser": USER, "msgtype": kind, kind: content}

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            ((200, {"errcode": 45001}), NotSent(problem=Problem.MEDIA, code="45001")),
            ((200, {"type": "image"}), NotSent(problem=Problem.TEMPORARY, code="upload_no_id")),
            ((500, b""), NotSent(problem=Problem.TEMPORARY, code="upload_http_500")),
        ],
    )
    def test_a_file_that_did_not_arrive_means_that_nothing_was_sent(
        self, connected: Stub, answer: Any, outcome: Any
    ) -> None:
        connected.will_answer(*answer)
        assert send(connected, outbound(attachment=file())) == outcome
        assert len(connected.calls) == 1

    def test_words_refused_after_their_file_leave_it_open(self, connected: Stub) -> None:
        connected.will_answer(200, {"media_id": "m1"})
        connected.will_answer(200, {"errcode": 0})
        connected.will_answer(200, {"errcode": 45047})
        assert send(connected, outbound(attachment=file())) == Unknown(code="words_45047")

    def test_without_an_address_nothing_is_asked(self, connected: Stub) -> None:
        assert send(connected, outbound(to="")) == NotSent(problem=Problem.REFUSED, code="address")
        assert connected.calls == []


class TestAnswers:
    @pytest.mark.parametrize(("number", "problem"), sorted(PROBLEMS.items()))
    def test_each_number_says_what_to_do_though_http_says_ok(
        self, connected: Stub, number: int, problem: Problem
    ) -> None:
        if number in TOKEN_ENDED:
            give_token(connected, "another")
            connected.answers.insert(0, (200, {}, b'{"errcode":%d}' % number))
        connected.will_answer(200, {"errcode": number, "errmsg": "no hint: [x]"})
        outcome = send(connected)
        assert (outcome.problem, outcome.code) == (problem, str(number))
        assert outcome.wait == {45009: 3600, 45011: 60}.get(number)

    @pytest.mark.parametrize(
        ("number", "problem"),
        [
            (-1, Problem.TEMPORARY),
            (40003, Problem.UNREACHABLE),
            (40007, Problem.MEDIA),
            (40013, Problem.RECONNECT),
            (40125, Problem.RECONNECT),
            (40164, Problem.RECONNECT),
            (61004, Problem.RECONNECT),
            (43004, Problem.UNREACHABLE),
            (43019, Problem.UNREACHABLE),
            (45002, Problem.TOO_LONG),
            (45009, Problem.BUSY),
            (45011, Problem.BUSY),
            (45015, Problem.WINDOW_CLOSED),
            (45047, Problem.WINDOW_CLOSED),
            (48001, Problem.RECONNECT),
            (99999, Problem.REFUSED),
        ],
    )
    def test_the_documented_numbers(self, connected: Stub, number: int, problem: Problem) -> None:
        connected.will_answer(200, {"errcode": number})
        assert send(connected).problem is problem

    @pytest.mark.parametrize(
        ("status", "content", "outcome"),
        [
            (429, b"", NotSent(problem=Problem.BUSY, code="http_429")),
            (413, b"<html>", NotSent(problem=Problem.REFUSED, code="http_413")),
            (302, b"", Unknown(code="http_302")),
            (502, b"<html>", Unknown(code="http_502")),
            (200, b"<html>", Unknown(code="http_200")),
            (200, b'{"errcode":"0"}', Unknown(code="http_200")),
        ],
    )
    def test_what_is_not_wechats_json_goes_by_http(
        self, connected: Stub, status: int, content: bytes, outcome: Any
    ) -> None:
        connected.will_answer(status, content)
        assert send(connected) == outcome
        assert len(connected.calls) == 1

    def test_silence_after_the_request(self, connected: Stub) -> None:
        connected.hang = threading.Event()
        outcome = WECHAT.send(outbound(), CONNECTION, connected.http(read_seconds=0.2))
        assert outcome == Unknown(code="no_answer")


class TestToken:
    def test_it_is_asked_for_once_and_kept(self, platform: Stub) -> None:
        give_token(platform)
        platform.will_answer(200, {"errcode": 0})
        platform.will_answer(200, {"errcode": 0})
        assert send(platform) == send(platform) == Sent(id="T1~reply")
        asked, first, second = platform.calls
        assert where(asked) == ("POST", "/api.weixin.qq.com/cgi-bin/stable_token", {})
        assert asked.json == {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
        assert where(first) == where(second)

    def test_each_account_has_its_own(self, connected: Stub) -> None:
        other = CONNECTION.model_copy(update={"settings": {**SETTINGS, "app_id": "wx2"}})
        give_token(connected, "CANARY-2")
        connected.will_answer(200, {"errcode": 0})
        WECHAT.send(outbound(), other, connected.http())
        assert where(connected.calls[1])[2] == {"access_token": "CANARY-2"}

    @pytest.mark.parametrize("seconds", [60, 1, 0, -5])
    def test_one_about_to_end_is_not_kept(self, platform: Stub, seconds: int) -> None:
        for token in ("CANARY-1", "CANARY-2"):
            give_token(platform, token, seconds)
            platform.will_answer(200, {"errcode": 0})
            send(platform)
        assert [where(call)[2].get("access_token") for call in platform.calls] == [
            None,
            "CANARY-1",
            None,
            "CANARY-2",
        ]

    @pytest.mark.parametrize("number", sorted(TOKEN_ENDED))
    def test_one_that_ended_is_renewed_and_the_message_sent_again_once(
        self, connected: Stub, number: int
    ) -> None:
        connected.will_answer(200, {"errcode": number})
        give_token(connected, "CANARY-fresh")
        connected.will_answer(200, {"errcode": 0})
        assert send(connected) == Sent(id="T1~reply")
        refused, asked, again = connected.calls
        assert where(asked)[1].endswith("/stable_token")
        assert "force_refresh" not in asked.json
        assert where(again)[2] == {"access_token": "CANARY-fresh"}
        assert refused.body == again.body

    def test_one_that_is_still_refused_is_not_asked_for_for_ever(self, connected: Stub) -> None:
        connected.will_answer(200, {"errcode": 40001})
        give_token(connected, "CANARY-fresh")
        connected.will_answer(200, {"errcode": 40001})
        assert send(connected) == NotSent(problem=Problem.RECONNECT, code="40001")
        assert len(connected.calls) == 3

    def test_the_same_one_again_is_replaced_by_force(self, connected: Stub) -> None:
        connected.will_answer(200, {"errcode": 40001})
        give_token(connected)
        give_token(connected, "CANARY-forced")
        connected.will_answer(200, {"errcode": 0})
        assert send(connected) == Sent(id="T1~reply")
        assert connected.calls[2].json["force_refresh"] is True
        assert where(connected.calls[3])[2] == {"access_token": "CANARY-forced"}

    def test_one_asks_while_the_others_wait(self, platform: Stub) -> None:
        give_token(platform)
        threads = [
            threading.Thread(target=wechat_api.access_token, args=(platform.http(), CONNECTION))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(platform.calls) == 1

    @pytest.mark.parametrize(
        ("status", "content", "outcome"),
        [
            (200, {"errcode": 40013}, NotSent(problem=Problem.RECONNECT, code="40013")),
            (200, {"errcode": 40125}, NotSent(problem=Problem.RECONNECT, code="40125")),
            (200, {"errcode": 40164}, NotSent(problem=Problem.RECONNECT, code="40164")),
            (200, {"errcode": 45011}, NotSent(problem=Problem.BUSY, code="45011", wait=60)),
            (200, {"expires_in": 7200}, NotSent(problem=Problem.TEMPORARY, code="token_missing")),
            (200, b"", NotSent(problem=Problem.TEMPORARY, code="token_http_200")),
            (500, b"", NotSent(problem=Problem.TEMPORARY, code="token_http_500")),
        ],
    )
    def test_without_one_nothing_was_sent(
        self, platform: Stub, status: int, content: Any, outcome: Any
    ) -> None:
        platform.will_answer(status, content)
        assert send(platform) == outcome
        assert len(platform.calls) == 1

    def test_silence_about_the_token_means_that_nothing_was_sent(self, platform: Stub) -> None:
        platform.hang = threading.Event()
        outcome = WECHAT.send(outbound(), CONNECTION, platform.http(read_seconds=0.2))
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="token_no_answer")

    def test_nobody_listening_means_that_nothing_was_sent(self) -> None:
        wechat_api.forget_tokens()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
            outcome = WECHAT.send(outbound(), CONNECTION, closed)
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")


class TestRefusal:
    NOW = 1_795_461_300_000

    def ask(self, ago: int | None = HOUR, **changes: Any) -> Problem | None:
        last = None if ago is None else self.NOW - ago
        return WECHAT.refusal(outbound(**changes), last, self.NOW)

    def test_the_window_is_48_hours(self) -> None:
        assert self.ask(48 * HOUR - 1) is None
        assert self.ask(48 * HOUR) is Problem.WINDOW_CLOSED
        assert self.ask(None) is Problem.WINDOW_CLOSED

    def test_five_messages_follow_one_of_theirs(self) -> None:
        assert WECHAT.answers == 5

    def test_length_counts_bytes(self) -> None:
        assert self.ask(text="x" * 2048) is None
        assert self.ask(text="x" * 2049) is Problem.TOO_LONG
        assert self.ask(text="明" * 682) is None
        assert self.ask(text="明" * 683) is Problem.TOO_LONG

    def test_buttons(self) -> None:
        assert self.ask(buttons=(Button(id="a", title="x"),) * 10) is None
        assert self.ask(buttons=(Button(id="a", title="x"),) * 11) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="", title="x"),)) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="a", title=" "),)) is Problem.REFUSED
        assert self.ask(text="", attachment=file(), buttons=(Button(id="a", title="x"),)) is Problem.EMPTY

    def test_files(self) -> None:
        assert self.ask(text="", attachment=file()) is None
        assert self.ask(attachment=file(size=10_000_001)) is Problem.MEDIA
        assert self.ask(attachment=file("voice", "v.amr", "audio/amr", size=2_000_001)) is Problem.MEDIA
        assert self.ask(attachment=file("video", "v.mov", "video/quicktime")) is Problem.MEDIA
        assert self.ask(attachment=file("document", "x.pdf", "application/pdf")) is Problem.MEDIA

    def test_what_there_is_not(self) -> None:
        assert self.ask(template=Template(name="hours", language="zh")) is Problem.REFUSED
        assert self.ask(act="private") is Problem.REFUSED
        assert self.ask(text=" ") is Problem.EMPTY


class TestFiles:
    IMAGE = Media(kind="image", id="media-1")

    def test_a_file_is_in_the_answer_of_the_api(self, connected: Stub) -> None:
        connected.will_answer(206, b"\xff\xd8\xff\xe0", content_type="image/jpeg")
        found = WECHAT.download(self.IMAGE, CONNECTION, connected.http())
        (call,) = connected.calls
        query = {"access_token": TOKEN, "media_id": "media-1"}
        assert where(call) == ("GET", "/api.weixin.qq.com/cgi-bin/media/get", query)
        assert call.headers["range"] == "bytes=0-4095"
        parts = urlsplit(found.url)
        assert (parts.scheme, parts.netloc, parts.path) == (
            "https",
            "api.weixin.qq.com",
            "/cgi-bin/media/get",
        )
        assert {name: value[0] for name, value in parse_qs(parts.query).items()} == query
        assert TOKEN not in repr(found)

    def test_a_video_lies_elsewhere(self, connected: Stub) -> None:
        connected.will_answer(200, {"video_url": "http://vweixinp.tc.qq.com/1007_x.f10.mp4"})
        media = Media(kind="video", id="media-2")
        found = WECHAT.download(media, CONNECTION, connected.http())
        assert found.url == "https://vweixinp.tc.qq.com/1007_x.f10.mp4"

    def test_a_file_older_than_three_days_is_gone(self, connected: Stub) -> None:
        connected.will_answer(200, {"errcode": 40007, "errmsg": "invalid media_id"})
        with pytest.raises(MediaGone, match="40007") as caught:
            WECHAT.download(self.IMAGE, CONNECTION, connected.http())
        assert_no_secret(caught.value)

    @pytest.mark.parametrize("answer", [(200, {"errcode": -1}), (200, {"errcode": 45009}), (502, b"")])
    def test_what_passes_is_tried_again(self, connected: Stub, answer: Any) -> None:
        connected.will_answer(*answer)
        with pytest.raises(MediaLater) as caught:
            WECHAT.download(self.IMAGE, CONNECTION, connected.http())
        assert_no_secret(caught.value)

    def test_a_token_that_ended_is_renewed_for_files_too(self, connected: Stub) -> None:
        connected.will_answer(200, {"errcode": 42001})
        give_token(connected, "CANARY-fresh")
        connected.will_answer(200, b"\xff\xd8")
        found = WECHAT.download(self.IMAGE, CONNECTION, connected.http())
        assert "access_token=CANARY-fresh" in found.url


class TestProfile:
    def test_what_is_left_of_it(self, connected: Stub) -> None:
        connected.will_answer(200, {"subscribe": 1, "openid": USER, "language": "zh_CN", "remark": "Mr Li"})
        found = WECHAT.profile(USER, CONNECTION, connected.http())
        assert found == Profile(name="Mr Li", language="zh")
        query = {"access_token": TOKEN, "openid": USER, "lang": "en"}
        assert where(connected.calls[0]) == ("GET", "/api.weixin.qq.com/cgi-bin/user/info", query)

    @pytest.mark.parametrize("answer", [(200, {"errcode": 40003}), (500, b""), (200, {"remark": 7})])
    def test_nobody_is_known(self, connected: Stub, answer: Any) -> None:
        connected.will_answer(*answer)
        assert WECHAT.profile(USER, CONNECTION, connected.http()) is None


class TestConnect:
    URL = "https://sample.lambda-url.eu-south-1.on.aws/main"

    def test_probe_tries_the_secret(self, platform: Stub) -> None:
        give_token(platform)
        probed = WECHAT.probe(CONNECTION, platform.http())
        assert probed.accounts == (Account(id=ACCOUNT),)

    @pytest.mark.parametrize(
        ("changes", "remedy"),
        [
            ({"original_id": "sample"}, "gh_"),
            ({"mode": "loud"}, "safe, compatible, plain"),
            ({"mode": "plain"}, "there is no EncodingAESKey"),
            ({"aes_key": ""}, "43 letters"),
            ({"aes_key": "k" * 42}, "43 letters"),
        ],
    )
    def test_settings_that_cannot_work(self, platform: Stub, changes: Any, remedy: str) -> None:
        wrong = CONNECTION.model_copy(update={"settings": {**SETTINGS, **changes}})
        with pytest.raises(ConnectError, match=remedy):
            WECHAT.probe(wrong, platform.http())
        assert platform.calls == []

    @pytest.mark.parametrize("token", ["", "ab", "with_underscore", "x" * 33])
    def test_a_token_that_wechat_refuses(self, platform: Stub, token: str) -> None:
        with pytest.raises(ConnectError, match="3 to 32"):
            WECHAT.probe(CONNECTION.model_copy(update={"secrets": (token,)}), platform.http())

    @pytest.mark.parametrize(
        ("status", "content", "remedy", "code"),
        [
            (200, {"errcode": 40164, "errmsg": f"{SECRET}"}, "IP whitelist", "address_not_listed"),
            (200, {"errcode": 40013, "errmsg": f"{SECRET}"}, "AppID", "token_refused"),
            (200, {"errcode": 40125, "errmsg": f"{SECRET}"}, "AppSecret is wrong", "token_refused"),
            (200, {"errcode": 89503, "errmsg": f"{SECRET}"}, "89503", "refused"),
            (502, b"", "token_http_502", "refused"),
        ],
    )
    def test_each_failure_says_what_to_do_and_no_secret(
        self, platform: Stub, status: int, content: Any, remedy: str, code: str
    ) -> None:
        platform.will_answer(status, content)
        with pytest.raises(ConnectError, match=remedy) as caught:
            WECHAT.probe(CONNECTION, platform.http())
        assert caught.value.code == code
        assert_no_secret(caught.value)

    def test_silence_is_told(self, platform: Stub) -> None:
        platform.hang = threading.Event()
        with pytest.raises(ConnectError, match="did not answer") as caught:
            WECHAT.probe(CONNECTION, platform.http(read_seconds=0.2))
        assert caught.value.code == "no_answer"
        assert_no_secret(caught.value)

    def test_register_says_what_to_paste_and_no_secret(self, platform: Stub) -> None:
        words = WECHAT.register(CONNECTION, self.URL, platform.http())
        assert self.URL in words
        assert "EncodingAESKey" in words
        assert "whitelist" in words
        assert "k" * 43 not in words
        plain = CONNECTION.model_copy(update={"settings": {"mode": "plain"}})
        assert "EncodingAESKey" not in WECHAT.register(plain, self.URL, platform.http())
        assert platform.calls == []

    @pytest.mark.parametrize(
        ("answer", "code"),
        [({"kf_list": []}, ""), ({"errcode": 48001}, "not_allowed"), ({"errcode": 65400}, "")],
    )
    def test_examine_finds_an_account_that_may_not_answer(
        self, connected: Stub, answer: Any, code: str
    ) -> None:
        connected.will_answer(200, answer)
        findings = WECHAT.examine(CONNECTION, self.URL, connected.http())
        assert [finding.code for finding in findings] == ([code] if code else [])


def assert_no_secret(error: BaseException) -> None:
    assert "CANARY" not in "".join(traceback.format_exception(error)) + repr(error)
