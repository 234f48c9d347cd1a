"""What X is sent, what its answers mean, and how an account is connected."""

import socket
import threading
import time
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
from sportello.channels.x import X
from sportello.channels.x_setup import EVENTS
from tests.contract.http_stub import Call, Stub, serving

US, CUSTOMER, POST = "9000000000000000001", "8000000000000000001", "2100000000000000001"
THREAD = f"post:{POST}:{CUSTOMER}"
SECRETS = ("CANARY-consumer-secret", "CANARY-access-token", "CANARY-access-secret", "CANARY-consumer-key")
CONNECTION = Connection(
    name="main",
    secrets=SECRETS[:1],
    token=SECRETS[1],
    accounts=(Account(id=US, name="SampleDesk"),),
    settings={"consumer_key": SECRETS[3], "access_secret": SECRETS[2]},
)
CHANNEL = X()
URL = "https://sample.lambda-url.eu-south-1.on.aws/main"


@pytest.fixture
def x() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": US, "to": CUSTOMER, "text": "Domani alle 9:00", **changes})


def picture(**changes: Any) -> Attachment:
    fields = {"kind": "image", "mime": "image/png", "name": "a.png", "size": 4, "content": b"\x89PNG"}
    return Attachment(**{**fields, **changes})


def message_taken(id: str = "77") -> tuple[int, dict[str, Any]]:
    return 201, {"data": {"dm_conversation_id": f"{CUSTOMER}-{US}", "dm_event_id": id}}


def post_taken(id: str = "78") -> tuple[int, dict[str, Any]]:
    return 201, {"data": {"id": id, "text": "Domani alle 9:00", "edit_history_tweet_ids": [id]}}


def send(stub: Stub, **changes: Any) -> Any:
    return CHANNEL.send(outbound(**changes), CONNECTION, stub.http())


def asked(call: Call) -> tuple[str, str, Any]:
    return call.method, call.path, call.json if call.body else None


class TestSend:
    def test_a_direct_message(self, x: Stub) -> None:
        x.will_answer(*message_taken())
        assert send(x, text="Sì 🙂 & <b>") == Sent(id="77")
        path = f"/api.x.com/2/dm_conversations/with/{CUSTOMER}/messages"
        assert [asked(call) for call in x.calls] == [("POST", path, {"text": "Sì 🙂 & <b>"})]
        assert x.calls[0].headers["authorization"].startswith("OAuth oauth_consumer_key=")

    def test_a_public_answer(self, x: Stub) -> None:
        x.will_answer(*post_taken())
        assert send(x, to=THREAD) == Sent(id="78")
        body = {"text": "Domani alle 9:00", "reply": {"in_reply_to_tweet_id": POST}}
        assert [asked(call) for call in x.calls] == [("POST", "/api.x.com/2/tweets", body)]

    def test_an_invitation_into_the_direct_messages(self, x: Stub) -> None:
        x.will_answer(*post_taken())
        assert send(x, to=THREAD, act="private") == Sent(id="78", linked=CUSTOMER)
        assert x.calls[0].json == {
            "text": "Domani alle 9:00",
            "reply": {"in_reply_to_tweet_id": POST},
            "direct_message_deep_link": f"https://x.com/messages/compose?recipient_id={US}",
        }

    @pytest.mark.parametrize(
        ("to", "category", "answer"),
        [(CUSTOMER, "dm_image", message_taken()), (THREAD, "tweet_image", post_taken())],
    )
    def test_a_picture_is_uploaded_first(self, x: Stub, to: str, category: str, answer: Any) -> None:
        x.will_answer(200, {"data": {"id": "1880", "media_key": "3_1880"}})
        x.will_answer(200, {"data": {"expires_at": 1}})
        x.will_answer(200, {"data": {"id": "1880"}})
        x.will_answer(*answer)
        assert isinstance(send(x, to=to, text="", attachment=picture()), Sent)
        started, appended, finished, sent = x.calls
        assert started.path == "/api.x.com/2/media/upload/initialize"
        assert started.json == {"media_type": "image/png", "total_bytes": 4, "media_category": category}
        assert appended.path == "/api.x.com/2/media/upload/1880/append"
        assert appended.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="segment_index"\r\n\r\n0\r\n' in appended.body
        assert b"\x89PNG" in appended.body
        assert finished.path == "/api.x.com/2/media/upload/1880/finalize"
        expected = (
            {"attachments": [{"media_id": "1880"}]}
            if to == CUSTOMER
            else {"text": "", "reply": {"in_reply_to_tweet_id": POST}, "media": {"media_ids": ["1880"]}}
        )
        assert sent.json == expected

    @pytest.mark.parametrize("step", [0, 1, 2])
    @pytest.mark.parametrize(
        ("status", "problem"),
        [(400, Problem.MEDIA), (401, Problem.RECONNECT), (429, Problem.BUSY), (503, Problem.TEMPORARY)],
    )
    def test_while_a_picture_is_uploaded_nothing_is_sent(
        self, x: Stub, step: int, status: int, problem: Problem
    ) -> None:
        for _ in range(step):
            x.will_answer(200, {"data": {"id": "1880"}})
        x.will_answer(status, {"detail": "no"})
        outcome = send(x, attachment=picture())
        assert isinstance(outcome, NotSent)
        assert outcome.problem is problem
        assert all("media/upload" in call.path for call in x.calls)

    @pytest.mark.parametrize(
        "to", ["", "abc", "post:", "post:1", "post:a:b", "post:1:2:3", "1/../2", "1" * 20]
    )
    def test_an_address_that_is_none_is_not_tried(self, x: Stub, to: str) -> None:
        assert send(x, to=to) == NotSent(problem=Problem.REFUSED, code="address")
        assert x.calls == []


def detail(words: str, **more: str) -> dict[str, str]:
    return {"title": "Forbidden", "detail": words, **more}


def old(code: int) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": "In words that change."}]}


CLOSED = detail("You do not have permission to DM one or more participants.")
SUMMONED = detail(
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by "
    "the author of the post you are replying to."
)
OAUTH = detail("Your client app is not configured with the appropriate oauth1 app permissions.")
GONE = detail("You attempted to reply to a Tweet that is deleted or not visible to you.")
REFUSALS: tuple[tuple[int, Any, Problem, str], ...] = (
    (401, detail("Unauthorized"), Problem.RECONNECT, "401"),
    (402, {"title": "CreditsDepleted"}, Problem.RECONNECT, "no_credits"),
    (403, CLOSED, Problem.UNREACHABLE, "messages_closed"),
    (200, {"errors": [CLOSED]}, Problem.UNREACHABLE, "messages_closed"),
    (403, old(349), Problem.UNREACHABLE, "messages_closed"),
    (403, old(150), Problem.UNREACHABLE, "messages_closed"),
    (404, old(108), Problem.UNREACHABLE, "no_such_user"),
    (403, detail("User has been suspended: [1]."), Problem.UNREACHABLE, "suspended"),
    (403, SUMMONED, Problem.REFUSED, "not_summoned"),
    (403, old(433), Problem.REFUSED, "not_summoned"),
    (403, detail("…with duplicate content."), Problem.REFUSED, "duplicate"),
    (403, old(187), Problem.REFUSED, "duplicate"),
    (403, old(226), Problem.REFUSED, "looks_automated"),
    (400, GONE, Problem.REFUSED, "post_gone"),
    (403, old(385), Problem.REFUSED, "post_gone"),
    (403, OAUTH, Problem.RECONNECT, "app_may_not_write"),
    (403, detail("enroll", type="https://api.x.com/2/problems/client-forbidden"), Problem.RECONNECT,
     "app_not_enrolled"),
    (403, detail("", type="https://api.x.com/2/problems/usage-capped"), Problem.RECONNECT, "spending_cap"),
    (403, old(326), Problem.RECONNECT, "own_account_locked"),
    (403, old(64), Problem.RECONNECT, "own_account_suspended"),
    (403, old(344), Problem.BUSY, "daily_limit"),
    (400, old(186), Problem.TOO_LONG, "too_long"),
    (400, detail("Your Tweet text is too long."), Problem.TOO_LONG, "too_long"),
    (403, detail("something new"), Problem.REFUSED, "403"),
    (400, detail("One or more parameters to your request was invalid."), Problem.REFUSED, "400"),
    (404, b"<html>", Problem.REFUSED, "404"),
    (418, {"errors": ["x", None, 3]}, Problem.REFUSED, "418"),
)  # fmt: skip


class TestRefusals:
    @pytest.mark.parametrize(("status", "content", "problem", "code"), REFUSALS)
    @pytest.mark.parametrize("to", [CUSTOMER, THREAD])
    def test_each_error_says_what_to_do(
        self, x: Stub, to: str, status: int, content: Any, problem: Problem, code: str
    ) -> None:
        x.will_answer(status, content)
        assert send(x, to=to) == NotSent(problem=problem, code=code)

    def test_a_limit_says_how_long_to_wait(self, x: Stub) -> None:
        reset = int(time.time()) + 300
        x.will_answer(
            429, {"title": "Too Many Requests"}, x_rate_limit_remaining="0", x_rate_limit_reset=str(reset)
        )
        outcome = send(x)
        assert isinstance(outcome, NotSent)
        assert (outcome.problem, outcome.code) == (Problem.BUSY, "429")
        assert outcome.wait == pytest.approx(300, abs=3)

    def test_of_several_limits_the_one_that_is_used_up_counts(self, x: Stub) -> None:
        now = int(time.time())
        x.will_answer(
            429, {}, x_rate_limit_remaining="3", x_rate_limit_reset=str(now + 900),
            x_user_limit_24hour_remaining="0", x_user_limit_24hour_reset=str(now + 7200),
            x_app_limit_24hour_remaining="900", x_app_limit_24hour_reset=str(now + 80000),
        )  # fmt: skip
        outcome = send(x)
        assert isinstance(outcome, NotSent)
        assert outcome.wait == pytest.approx(7200, abs=3)

    @pytest.mark.parametrize("reset", ["", "soon", "-1", "9" * 40])
    def test_a_reset_that_is_none_is_left_out(self, x: Stub, reset: str) -> None:
        x.will_answer(429, {}, x_rate_limit_reset=reset)
        assert send(x) == NotSent(problem=Problem.BUSY, code="429", wait=None)

    def test_a_limit_that_is_over_already_is_waited_for_shortly(self, x: Stub) -> None:
        x.will_answer(429, {}, x_rate_limit_reset="1000")
        assert send(x) == NotSent(problem=Problem.BUSY, code="429", wait=1.0)


class TestNobodyKnows:
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 302])
    def test_a_server_error(self, x: Stub, status: int) -> None:
        x.will_answer(status, b"<html>")
        assert send(x) == Unknown(code=str(status))
        assert len(x.calls) == 1

    @pytest.mark.parametrize("content", [b"", b"[]", b'{"data":{}}', b'{"data":{"dm_event_id":7}}', b"\xff"])
    def test_a_success_that_names_no_message(self, x: Stub, content: bytes) -> None:
        x.will_answer(201, content)
        assert send(x) == Unknown(code="no_id")

    def test_silence_after_the_request(self, x: Stub) -> None:
        x.hang = threading.Event()
        assert CHANNEL.send(outbound(), CONNECTION, x.http(0.2)) == Unknown(code="no_answer")

    def test_nobody_listening_means_nothing_was_sent(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
            expected = NotSent(problem=Problem.TEMPORARY, code="not_connected")
            assert CHANNEL.send(outbound(), CONNECTION, closed) == expected
            uploading = CHANNEL.send(outbound(attachment=picture()), CONNECTION, closed)
        assert uploading == NotSent(problem=Problem.TEMPORARY, code="upload")


class TestPolicy:
    def ask(self, **changes: Any) -> Problem | None:
        return CHANNEL.refusal(outbound(**changes), None, 1_795_461_300_000)

    def test_there_is_no_window(self) -> None:
        assert self.ask() is None
        assert self.ask(to=THREAD) is None

    def test_a_direct_message_has_10_000_characters(self) -> None:
        assert self.ask(text="x" * 10_000) is None
        assert self.ask(text="x" * 10_001) is Problem.TOO_LONG

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("x" * 280, None),
            ("x" * 281, Problem.TOO_LONG),
            ("日" * 140, None),
            ("日" * 141, Problem.TOO_LONG),
            ("🙂" * 140, None),
            ("x" * 256 + " https://example.com/" + "y" * 500, None),
            ("x" * 257 + " https://example.com/", Problem.TOO_LONG),
        ],
    )
    def test_a_post_weighs_280(self, text: str, problem: Problem | None) -> None:
        assert self.ask(to=THREAD, text=text) is problem

    def test_what_cannot_be_sent(self) -> None:
        assert self.ask(text=" ") is Problem.EMPTY
        assert self.ask(to="nobody") is Problem.REFUSED
        assert self.ask(act="private") is Problem.REFUSED
        assert self.ask(to=THREAD, act="private") is None
        assert self.ask(to=THREAD, act="hide") is Problem.REFUSED
        assert self.ask(template=Template(name="hours", language="it")) is Problem.REFUSED
        assert self.ask(buttons=(Button(id="a", title="A"),)) is None

    def test_pictures_of_up_to_5_mebibytes(self) -> None:
        assert self.ask(text="", attachment=picture(size=5 * 1024 * 1024)) is None
        assert self.ask(attachment=picture(size=5 * 1024 * 1024 + 1)) is Problem.MEDIA
        assert self.ask(attachment=picture(mime="image/tiff")) is Problem.MEDIA
        assert self.ask(attachment=picture(kind="document", mime="application/pdf")) is Problem.MEDIA


class TestFiles:
    def test_a_public_picture_is_fetched_as_it_stands(self, x: Stub) -> None:
        media = Media(kind="image", id="3_1", url="https://pbs.twimg.com/media/a.jpg")
        found = CHANNEL.download(media, CONNECTION, x.http())
        assert found == Download(url=media.url)

    @pytest.mark.parametrize("host", ["ton.twitter.com", "api.x.com"])
    def test_a_direct_messages_file_is_given_to_its_owner_only(self, x: Stub, host: str) -> None:
        media = Media(kind="image", id="1", url=f"https://{host}/1.1/ton/data/dm/1/2/a.jpg")
        found = CHANNEL.download(media, CONNECTION, x.http())
        assert found.headers["authorization"].startswith("OAuth ")
        assert x.calls == []

    def test_of_a_key_alone_x_is_asked(self, x: Stub) -> None:
        variant = {"bit_rate": 1, "content_type": "video/mp4", "url": "https://video.twimg.com/a.mp4"}
        film = {"media_key": "7_9", "type": "video", "variants": [variant]}
        x.will_answer(
            200, {"data": {"id": POST}, "includes": {"media": [{"media_key": "3_8", "type": "photo"}, film]}}
        )
        found = CHANNEL.download(Media(kind="video", id=f"{POST}/7_9"), CONNECTION, x.http())
        assert found == Download(url="https://video.twimg.com/a.mp4")
        assert x.calls[0].path.startswith(f"/api.x.com/2/tweets/{POST}?expansions=attachments.media_keys&")

    @pytest.mark.parametrize(
        ("status", "content"), [(404, {}), (200, {"errors": []}), (200, {"includes": {"media": []}})]
    )
    def test_what_is_gone(self, x: Stub, status: int, content: Any) -> None:
        x.will_answer(status, content)
        with pytest.raises(MediaGone):
            CHANNEL.download(Media(kind="video", id=f"{POST}/7_9"), CONNECTION, x.http())
        with pytest.raises(MediaGone):
            CHANNEL.download(Media(kind="video", id="7_9"), CONNECTION, x.http())

    @pytest.mark.parametrize("status", [429, 503])
    def test_what_comes_later(self, x: Stub, status: int) -> None:
        x.will_answer(status, {})
        with pytest.raises(MediaLater):
            CHANNEL.download(Media(kind="video", id=f"{POST}/7_9"), CONNECTION, x.http())

    @pytest.mark.parametrize("address", [CUSTOMER, THREAD])
    def test_a_profile(self, x: Stub, address: str) -> None:
        x.will_answer(200, {"data": {"id": CUSTOMER, "name": "Customer One", "username": "customer_one"}})
        assert CHANNEL.profile(address, CONNECTION, x.http()) == Profile(name="Customer One")
        assert x.calls[0].path == f"/api.x.com/2/users/{CUSTOMER}?user.fields=name,username"

    def test_no_profile(self, x: Stub) -> None:
        x.will_answer(200, {"errors": [{"detail": "suspended"}]})
        assert CHANNEL.profile(CUSTOMER, CONNECTION, x.http()) is None
        assert CHANNEL.profile("nobody", CONNECTION, x.http()) is None


def subscription(name: str, webhook: str = "17", user: str = US) -> dict[str, Any]:
    return {"subscription_id": "1", "event_type": name, "filter": {"user_id": user}, "webhook_id": webhook}


class TestConnect:
    ALL = (*EVENTS, "chat.received", "chat.sent")

    def bearer(self, x: Stub) -> None:
        x.will_answer(200, {"token_type": "bearer", "access_token": "AAAA%2Bbearer"})

    def test_probe_names_the_account(self, x: Stub) -> None:
        me = {"data": {"id": US, "name": "Sample Desk", "username": "SampleDesk"}}
        x.will_answer(200, me, x_access_level="read-write-directmessages")
        expected = Probed(accounts=(Account(id=US, name="SampleDesk"),))
        assert CHANNEL.probe(CONNECTION, x.http()) == expected
        assert x.calls[0].path == "/api.x.com/2/users/me"

    @pytest.mark.parametrize(
        ("status", "content", "level", "code", "remedy"),
        [
            (401, {"title": "Unauthorized"}, "", "token_refused", "all four"),
            (403, {"title": "Forbidden"}, "", "token_refused", "all four"),
            (200, {"data": {"id": US}}, "read-write", "permission_missing", "make the access token"),
            (200, {"data": {"id": 7}}, "", "refused", "status 200"),
            (503, {"detail": f"over {' '.join(SECRETS)}"}, "", "refused", "hidden"),
        ],
    )
    def test_each_failure_says_what_to_do(
        self, x: Stub, status: int, content: Any, level: str, code: str, remedy: str
    ) -> None:
        x.will_answer(status, content, x_access_level=level)
        with pytest.raises(ConnectError, match=remedy) as caught:
            CHANNEL.probe(CONNECTION, x.http())
        assert caught.value.code == code
        assert_no_secret(caught.value)

    def test_register_makes_the_webhook_and_subscribes_to_all_that_is_read(self, x: Stub) -> None:
        self.bearer(x)
        x.will_answer(200, {"data": [{"id": "3", "url": "https://other.example/x", "valid": True}]})
        x.will_answer(200, {"data": {"id": "17", "url": URL, "valid": True}})
        x.will_answer(200, {"data": [subscription("dm.sent", webhook="3")]})
        for _ in self.ALL:
            x.will_answer(200, {"data": {"subscription": {}}})
        assert "@SampleDesk" in CHANNEL.register(CONNECTION, URL, x.http())
        token, listed, made, subscribed, *each = x.calls
        assert (token.path, token.body) == ("/api.x.com/oauth2/token", b"grant_type=client_credentials")
        assert token.headers["authorization"].startswith("Basic ")
        assert listed.headers["authorization"] == "Bearer AAAA%2Bbearer"
        assert asked(made) == ("POST", "/api.x.com/2/webhooks", {"url": URL})
        assert subscribed.path == "/api.x.com/2/activity/subscriptions?max_results=1000"
        assert [call.json for call in each] == [
            {"event_type": name, "filter": {"user_id": US}, "tag": "sportello", "webhook_id": "17"}
            for name in self.ALL
        ]
        assert all(call.headers["authorization"].startswith("OAuth ") for call in each)

    def test_registering_again_repairs_and_repeats_nothing(self, x: Stub) -> None:
        self.bearer(x)
        x.will_answer(200, {"data": [{"id": "17", "url": URL, "valid": False}]})
        x.will_answer(200, {"data": {"valid": True}})
        x.will_answer(200, {"data": [subscription(name) for name in self.ALL]})
        CHANNEL.register(CONNECTION, URL, x.http())
        assert [call.method for call in x.calls] == ["POST", "GET", "PUT", "GET"]
        assert x.calls[2].path == "/api.x.com/2/webhooks/17"

    def test_the_desk_does_without_encrypted_chats(self, x: Stub) -> None:
        self.bearer(x)
        x.will_answer(200, {"data": [{"id": "17", "url": URL, "valid": True}]})
        x.will_answer(200, {"data": [subscription(name) for name in EVENTS]})
        x.will_answer(403, {"detail": "not for you"})
        x.will_answer(403, {"detail": "not for you"})
        assert "Encrypted chats will not be seen" in CHANNEL.register(CONNECTION, URL, x.http())

    @pytest.mark.parametrize(
        ("content", "code", "remedy"),
        [
            ({"errors": [{"message": "CrcValidationFailed"}]}, "secret_wrong", "consumer secret"),
            ({"title": "WebhookLimitExceeded", "detail": "Too many"}, "webhook_elsewhere", "another program"),
            ({"detail": f"bad {SECRETS[0]}"}, "refused", "hidden"),
        ],
    )
    def test_a_refused_webhook_says_what_to_do(self, x: Stub, content: Any, code: str, remedy: str) -> None:
        self.bearer(x)
        x.will_answer(200, {"meta": {"result_count": 0}})
        x.will_answer(400, content)
        with pytest.raises(ConnectError, match=remedy) as caught:
            CHANNEL.register(CONNECTION, URL, x.http())
        assert caught.value.code == code
        assert_no_secret(caught.value)

    def test_a_refused_subscription_is_named(self, x: Stub) -> None:
        self.bearer(x)
        x.will_answer(200, {"data": [{"id": "17", "url": URL, "valid": True}]})
        x.will_answer(200, {"meta": {}})
        x.will_answer(403, {"detail": "no permission"})
        with pytest.raises(ConnectError, match=r"dm\.received: no permission"):
            CHANNEL.register(CONNECTION, URL, x.http())

    def test_a_wrong_consumer_secret(self, x: Stub) -> None:
        x.will_answer(403, {"errors": [{"code": 99, "message": f"no {SECRETS[0]}"}]})
        with pytest.raises(ConnectError, match="Consumer Keys") as caught:
            CHANNEL.register(CONNECTION, URL, x.http())
        assert caught.value.code == "token_refused"
        assert_no_secret(caught.value)

    def test_silence_says_no_secret(self, x: Stub) -> None:
        x.hang = threading.Event()
        for ask in (CHANNEL.probe, lambda given, http: CHANNEL.register(given, URL, http)):
            with pytest.raises(ConnectError, match="did not answer") as caught:
                ask(CONNECTION, x.http(0.2))
            assert caught.value.code == "no_answer"
            assert_no_secret(caught.value)

    def test_an_address_that_x_does_not_take_is_not_even_sent(self, x: Stub) -> None:
        with pytest.raises(ConnectError, match="200 characters"):
            CHANNEL.register(CONNECTION, URL + "x" * 200, x.http())
        assert x.calls == []


ALL_SUBSCRIBED = {"data": [subscription(name) for name in EVENTS]}


class TestExamine:
    def look(self, x: Stub, webhooks: Any, *more: Any) -> list[tuple[str, str]]:
        x.will_answer(200, {"access_token": "bearer"})
        for content in (webhooks, *more):
            status, content = content if isinstance(content, tuple) else (200, content)
            x.will_answer(status, content)
        return [(found.level, found.code) for found in CHANNEL.examine(CONNECTION, URL, x.http())]

    def webhook(self, url: str = URL, valid: bool = True) -> Any:
        return {"data": [{"id": "17", "url": url, "valid": valid}]}

    def test_nothing_is_wrong(self, x: Stub) -> None:
        assert self.look(x, self.webhook(), ALL_SUBSCRIBED) == []

    def test_no_webhook_at_all(self, x: Stub) -> None:
        assert self.look(x, {"meta": {"result_count": 0}}) == [("fault", "webhook_missing")]

    def test_somebody_elses_webhook(self, x: Stub) -> None:
        assert self.look(x, self.webhook(url="https://other.example/")) == [("fault", "webhook_elsewhere")]

    def test_a_webhook_that_x_gave_up_is_challenged_again(self, x: Stub) -> None:
        found = self.look(x, self.webhook(valid=False), {"data": {"valid": True}}, ALL_SUBSCRIBED)
        assert found == [("warning", "webhook_was_invalid")]

    def test_a_webhook_that_goes_on_to_fail(self, x: Stub) -> None:
        found = self.look(
            x, self.webhook(valid=False), (400, {"detail": "CrcValidationFailed"}), ALL_SUBSCRIBED
        )
        assert found == [("fault", "webhook_invalid")]

    def test_a_missing_subscription_is_named(self, x: Stub) -> None:
        others = {"data": [subscription(name, user="7") for name in EVENTS]}
        assert self.look(x, self.webhook(), others) == [("fault", "not_subscribed")]


def assert_no_secret(error: BaseException) -> None:
    shown = "".join(traceback.format_exception(error)) + repr(error)
    assert "CANARY" not in shown
