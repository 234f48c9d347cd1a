"""What Telegram is sent, what its answers mean, and how a bot is connected."""

import json
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from sportello.channels.base import (
    Account,
    Button,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.http import Http
from sportello.channels.telegram import Telegram
from sportello.domain.model import DAY

TOKEN = "7000000001:CANARY-token-nobody-may-see"
SECRET = "canary-secret"
BOT = Account(id="7000000001", name="sample_desk_bot")
CONNECTION = Connection(name="main", secrets=(SECRET,), token=TOKEN, accounts=(BOT,))
CHAT = "1000000001"
BUSINESS_CHAT = "b:SampleBusinessConnection01:1000000001"
TELEGRAM = Telegram()


class Call(NamedTuple):
    path: str
    body: dict[str, Any]


class Platform:
    """A stand-in for api.telegram.org on loopback: notes what it is asked, answers what it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.answers: list[tuple[int, bytes]] = []
        self.hang: threading.Event | None = None

    def http(self, read_seconds: float = 5) -> Http:
        return Http(rewrite=self.url, read_seconds=read_seconds)

    def will_answer(self, status: int, content: Any) -> None:
        self.answers.append((status, content if isinstance(content, bytes) else json.dumps(content).encode()))

    def refuse(self, status: int, description: str, **parameters: Any) -> None:
        content = {"ok": False, "error_code": status, "description": description}
        self.will_answer(status, {**content, "parameters": parameters} if parameters else content)


@pytest.fixture
def platform() -> Iterator[Platform]:
    world = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            world.calls.append(Call(self.path, json.loads(body)))
            if world.hang:
                world.hang.wait(5)
                return
            status, content = world.answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    world.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield world
    if world.hang:
        world.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": BOT.id, "to": CHAT, "text": "Domani alle 9:00", **changes})


def sent_message(number: int = 77, **more: Any) -> dict[str, Any]:
    return {
        "ok": True,
        "result": {"message_id": number, "date": 1795461300, "chat": {"id": int(CHAT)}, **more},
    }


class TestSend:
    def test_text_goes_out_as_it_stands(self, platform: Platform) -> None:
        platform.will_answer(200, sent_message())
        outcome = TELEGRAM.send(outbound(text="*no* _markup_ <b> & 🙂"), CONNECTION, platform.http())
        assert outcome == Sent(id=f"{CHAT}:77")
        assert platform.calls == [
            Call(
                f"/api.telegram.org/bot{TOKEN}/sendMessage",
                {"chat_id": int(CHAT), "text": "*no* _markup_ <b> & 🙂"},
            )
        ]

    def test_buttons_stand_one_to_a_row(self, platform: Platform) -> None:
        platform.will_answer(200, sent_message())
        buttons = (Button(id="person", title="Una persona"), Button(id="no", title="No, grazie"))
        TELEGRAM.send(outbound(buttons=buttons), CONNECTION, platform.http())
        assert platform.calls[0].body["reply_markup"] == {
            "inline_keyboard": [
                [{"text": "Una persona", "callback_data": "person"}],
                [{"text": "No, grazie", "callback_data": "no"}],
            ]
        }

    @pytest.mark.parametrize("quote", [f"{CHAT}:90", f"{CHAT}:90:SampleBusinessConnection01", "-100:90"])
    def test_a_quote_is_answered_even_where_it_is_gone(self, platform: Platform, quote: str) -> None:
        platform.will_answer(200, sent_message())
        TELEGRAM.send(outbound(quote=quote), CONNECTION, platform.http())
        expected = {"message_id": 90, "allow_sending_without_reply": True}
        assert platform.calls[0].body["reply_parameters"] == expected

    @pytest.mark.parametrize("quote", ["", "cb4300000000000000001", f"{CHAT}:u41000000", f"{CHAT}:0", "90"])
    def test_what_is_no_message_cannot_be_quoted(self, platform: Platform, quote: str) -> None:
        platform.will_answer(200, sent_message())
        TELEGRAM.send(outbound(quote=quote), CONNECTION, platform.http())
        assert "reply_parameters" not in platform.calls[0].body

    def test_a_business_chat_is_answered_through_its_connection(self, platform: Platform) -> None:
        platform.will_answer(200, sent_message(business_connection_id="SampleBusinessConnection01"))
        outcome = TELEGRAM.send(outbound(to=BUSINESS_CHAT), CONNECTION, platform.http())
        assert outcome == Sent(id=f"{CHAT}:77:SampleBusinessConnection01")
        assert platform.calls[0].body["chat_id"] == int(CHAT)
        assert platform.calls[0].body["business_connection_id"] == "SampleBusinessConnection01"

    @pytest.mark.parametrize(
        "address", ["", "b:", "b::", "b:x:", "b:x:y", "x:1", "1x", "@name", "9" * 30, "b:1", "١", "1\n"]
    )
    def test_an_address_that_is_none_is_refused_without_a_call(
        self, platform: Platform, address: str
    ) -> None:
        outcome = TELEGRAM.send(outbound(to=address), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.REFUSED, code="address")
        assert platform.calls == []

    def test_a_text_that_is_no_unicode_is_sent_without_it(self, platform: Platform) -> None:
        platform.will_answer(200, sent_message())
        assert TELEGRAM.send(outbound(text="a\ud800"), CONNECTION, platform.http()) == Sent(id=f"{CHAT}:77")


class TestRefusedByThePlatform:
    @pytest.mark.parametrize(
        ("status", "description", "problem"),
        [
            (403, "Forbidden: bot was blocked by the user", Problem.UNREACHABLE),
            (403, "Forbidden: user is deactivated", Problem.UNREACHABLE),
            (403, "Forbidden: bot was kicked from the supergroup chat", Problem.UNREACHABLE),
            (403, "Forbidden: bot can't initiate conversation with a user", Problem.UNREACHABLE),
            (400, "Bad Request: chat not found", Problem.UNREACHABLE),
            (400, "Bad Request: not enough rights to send text messages to the chat", Problem.UNREACHABLE),
            (400, "Bad Request: PEER_ID_INVALID", Problem.UNREACHABLE),
            (400, "Bad Request: BUSINESS_PEER_INVALID", Problem.UNREACHABLE),
            (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING", Problem.WINDOW_CLOSED),
            (400, "Bad Request: BUSINESS_CONNECTION_INVALID", Problem.RECONNECT),
            (400, "Bad Request: business connection not found", Problem.RECONNECT),
            (400, "Bad Request: message is too long", Problem.TOO_LONG),
            (400, "Bad Request: message text is empty", Problem.EMPTY),
            (400, "Bad Request: can't parse entities", Problem.REFUSED),
            (400, "Bad Request: something new", Problem.REFUSED),
            (401, "Unauthorized", Problem.RECONNECT),
            (404, "Not Found", Problem.RECONNECT),
            (409, "Conflict", Problem.REFUSED),
        ],
    )
    def test_each_error_says_what_to_do(
        self, platform: Platform, status: int, description: str, problem: Problem
    ) -> None:
        platform.refuse(status, description)
        outcome = TELEGRAM.send(outbound(), CONNECTION, platform.http())
        assert outcome == NotSent(problem=problem, code=str(status))

    def test_too_many_requests_says_how_long_to_wait(self, platform: Platform) -> None:
        platform.refuse(429, "Too Many Requests: retry after 31", retry_after=31)
        outcome = TELEGRAM.send(outbound(), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.BUSY, code="429", wait=31)

    @pytest.mark.parametrize("wait", [None, "31", -1, 10**30, [], True])
    def test_a_wait_that_is_none_is_left_out(self, platform: Platform, wait: Any) -> None:
        platform.refuse(429, "Too Many Requests", retry_after=wait)
        outcome = TELEGRAM.send(outbound(), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.BUSY, code="429", wait=None)

    def test_a_group_that_moved_names_its_new_address(self, platform: Platform) -> None:
        description = "Bad Request: group chat was upgraded to a supergroup chat"
        platform.refuse(400, description, migrate_to_chat_id=-1001000000001)
        outcome = TELEGRAM.send(outbound(to="-4000000001"), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="400", moved_to="-1001000000001")

    def test_the_code_in_the_body_counts(self, platform: Platform) -> None:
        platform.will_answer(200, {"ok": False, "error_code": 403, "description": "Forbidden"})
        assert TELEGRAM.send(outbound(), CONNECTION, platform.http()) == NotSent(
            problem=Problem.UNREACHABLE, code="403"
        )


class TestNobodyKnows:
    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_server_error(self, platform: Platform, status: int) -> None:
        platform.will_answer(status, b"<html>Bad Gateway</html>")
        assert TELEGRAM.send(outbound(), CONNECTION, platform.http()) == Unknown(code=str(status))

    @pytest.mark.parametrize(
        "content", [b"", b"[]", b"null", b'{"ok":true}', b'{"ok":true,"result":{"message_id":"7"}}', b"\xff"]
    )
    def test_a_success_that_names_no_message(self, platform: Platform, content: bytes) -> None:
        platform.will_answer(200, content)
        assert isinstance(TELEGRAM.send(outbound(), CONNECTION, platform.http()), Unknown)

    def test_a_redirect_is_not_followed(self, platform: Platform) -> None:
        platform.will_answer(302, b"")
        assert TELEGRAM.send(outbound(), CONNECTION, platform.http()) == Unknown(code="302")
        assert len(platform.calls) == 1

    def test_silence_after_the_request(self, platform: Platform) -> None:
        platform.hang = threading.Event()
        assert TELEGRAM.send(outbound(), CONNECTION, platform.http(read_seconds=0.2)) == Unknown(
            code="no_answer"
        )
        assert len(platform.calls) == 1

    def test_nobody_listening_means_nothing_was_sent(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
            outcome = TELEGRAM.send(outbound(), CONNECTION, closed)
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")


class TestRefusal:
    NOW = 1_795_461_300_000

    def ask(self, last_inbound: int | None = None, **changes: Any) -> Problem | None:
        return TELEGRAM.refusal(outbound(**changes), last_inbound, self.NOW)

    def test_a_chat_with_the_bot_stays_open_for_ever(self) -> None:
        assert self.ask(self.NOW - 400 * DAY) is None
        assert self.ask(None) is None

    def test_a_business_chat_closes_after_a_day(self) -> None:
        assert self.ask(self.NOW - DAY + 1, to=BUSINESS_CHAT) is None
        assert self.ask(self.NOW - DAY, to=BUSINESS_CHAT) is Problem.WINDOW_CLOSED
        assert self.ask(None, to=BUSINESS_CHAT) is Problem.WINDOW_CLOSED

    def test_length_counts_utf16_units(self) -> None:
        assert self.ask(text="x" * 4096) is None
        assert self.ask(text="x" * 4097) is Problem.TOO_LONG
        assert self.ask(text="🙂" * 2048) is None
        assert self.ask(text="🙂" * 2049) is Problem.TOO_LONG

    @pytest.mark.parametrize("text", ["", "   ", "\n"])
    def test_nothing_cannot_be_sent(self, text: str) -> None:
        assert self.ask(text=text) is Problem.EMPTY

    def test_there_are_no_templates(self) -> None:
        assert self.ask(template=Template(name="hours", language="it")) is Problem.REFUSED

    def test_a_buttons_id_is_1_to_64_bytes_and_its_title_is_not_empty(self) -> None:
        def button(id: str, title: str = "Sì") -> Problem | None:
            return self.ask(buttons=(Button(id="ok", title="ok"), Button(id=id, title=title)))

        assert button("x" * 64) is None
        assert button("é" * 32) is None
        assert button("x" * 65) is Problem.REFUSED
        assert button("é" * 33) is Problem.REFUSED
        assert button("") is Problem.REFUSED
        assert button("x", " ") is Problem.REFUSED
        assert self.ask(buttons=(Button(id="x", title="x"),) * 100) is None
        assert self.ask(buttons=(Button(id="x", title="x"),) * 101) is Problem.REFUSED


class TestConnect:
    URL = "https://sample.lambda-url.eu-south-1.on.aws/main"

    def test_probe_names_the_bot(self, platform: Platform) -> None:
        bot = {"id": 7000000001, "is_bot": True, "first_name": "Sample Desk", "username": "sample_desk_bot"}
        platform.will_answer(200, {"ok": True, "result": bot})
        account = Account(id="7000000001", name="sample_desk_bot")
        assert TELEGRAM.probe(CONNECTION, platform.http()) == Probed(accounts=(account,))
        assert platform.calls[0].path == f"/api.telegram.org/bot{TOKEN}/getMe"

    def test_register_asks_for_every_update_that_is_read(self, platform: Platform) -> None:
        platform.will_answer(200, {"ok": True, "result": True})
        platform.will_answer(200, {"ok": True, "result": {"url": self.URL, "pending_update_count": 0}})
        assert "t.me/sample_desk_bot" in TELEGRAM.register(CONNECTION, self.URL, platform.http())
        set_webhook, info = platform.calls
        assert set_webhook.path.endswith("/setWebhook")
        assert info.path.endswith("/getWebhookInfo")
        asked = set_webhook.body
        assert (asked["url"], asked["secret_token"]) == (self.URL, SECRET)
        assert set(asked["allowed_updates"]) == {
            "message",
            "edited_message",
            "callback_query",
            "message_reaction",
            "my_chat_member",
            "business_connection",
            "business_message",
            "edited_business_message",
            "deleted_business_messages",
        }

    def examine(self, platform: Platform, **info: Any) -> list[tuple[str, str]]:
        platform.will_answer(200, {"ok": True, "result": {"url": self.URL, "pending_update_count": 0} | info})
        found = TELEGRAM.examine(CONNECTION, self.URL, platform.http())
        return [(finding.level, finding.code) for finding in found]

    def test_a_webhook_in_order_has_no_findings(self, platform: Platform) -> None:
        assert self.examine(platform) == []
        assert self.examine(platform, last_error_date=1_600_000_000, last_error_message="old") == []

    def test_a_webhook_that_was_removed_is_found(self, platform: Platform) -> None:
        assert self.examine(platform, url="") == [("fault", "webhook_missing")]

    def test_a_webhook_of_another_program_is_found_without_its_address(self, platform: Platform) -> None:
        platform.will_answer(200, {"ok": True, "result": {"url": "https://elsewhere.example/secret-path"}})
        (finding,) = TELEGRAM.examine(CONNECTION, self.URL, platform.http())
        assert finding.code == "webhook_elsewhere"
        assert "elsewhere.example" in finding.text
        assert "secret-path" not in finding.text

    def test_updates_that_are_not_delivered_are_found(self, platform: Platform) -> None:
        assert self.examine(platform, allowed_updates=["message"]) == [("fault", "not_subscribed")]

    def test_trouble_with_deliveries_is_a_warning(self, platform: Platform) -> None:
        recent = int(time.time()) - 60
        found = self.examine(
            platform, pending_update_count=44, last_error_date=recent, last_error_message="503"
        )
        assert found == [("warning", "updates_wait"), ("warning", "delivery_failed")]

    def test_an_answer_of_another_form_is_told(self, platform: Platform) -> None:
        with pytest.raises(ConnectError, match="cannot be read"):
            self.examine(platform, url=7)

    def test_an_address_taken_by_another_program_is_told(self, platform: Platform) -> None:
        platform.will_answer(200, {"ok": True, "result": True})
        platform.will_answer(200, {"ok": True, "result": {"url": "https://elsewhere.example/"}})
        with pytest.raises(ConnectError, match="another program"):
            TELEGRAM.register(CONNECTION, self.URL, platform.http())

    @pytest.mark.parametrize("secret", ["", "with space", "è", "x" * 257, "semi;colon", "a\n"])
    def test_a_secret_that_telegram_refuses_is_not_even_sent(self, platform: Platform, secret: str) -> None:
        weak = CONNECTION.model_copy(update={"secrets": (secret,)})
        with pytest.raises(ConnectError, match="1 to 256"):
            TELEGRAM.register(weak, self.URL, platform.http())
        with pytest.raises(ConnectError, match="1 to 256"):
            TELEGRAM.register(CONNECTION.model_copy(update={"secrets": ()}), self.URL, platform.http())
        assert platform.calls == []

    @pytest.mark.parametrize(
        ("status", "content", "remedy"),
        [
            (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, "@BotFather"),
            (404, {"ok": False, "error_code": 404, "description": "Not Found"}, "@BotFather"),
            (400, {"ok": False, "error_code": 400, "description": f"bad {TOKEN} {SECRET}"}, "hidden"),
            (502, b"<html>", "status 502"),
            (200, {"ok": True, "result": {"id": "x"}}, "try again"),
            (200, {"ok": True, "result": []}, "try again"),
        ],
    )
    def test_each_failure_says_what_to_do_and_no_secret(
        self, platform: Platform, status: int, content: Any, remedy: str
    ) -> None:
        platform.will_answer(status, content)
        with pytest.raises(ConnectError, match=remedy) as caught:
            TELEGRAM.probe(CONNECTION, platform.http())
        assert_no_secret(caught.value)

    def test_silence_and_a_closed_port_say_no_secret(self, platform: Platform) -> None:
        platform.hang = threading.Event()
        with pytest.raises(ConnectError, match="did not answer") as caught:
            TELEGRAM.probe(CONNECTION, platform.http(read_seconds=0.2))
        assert_no_secret(caught.value)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
            with pytest.raises(ConnectError, match="did not answer") as caught:
                TELEGRAM.register(CONNECTION, self.URL, closed)
        assert_no_secret(caught.value)

    @pytest.mark.parametrize("token", ["", "a b", "a/../b", "a\r\nb: c", "[x]", "è\ud800", "?#%", "x" * 9000])
    def test_an_odd_token_raises_nothing_else(self, platform: Platform, token: str) -> None:
        platform.refuse(404, "Not Found")
        odd = CONNECTION.model_copy(update={"token": token})
        assert TELEGRAM.send(outbound(), odd, platform.http()) == NotSent(
            problem=Problem.RECONNECT, code="404"
        )
        assert len(platform.calls) == 1


def assert_no_secret(error: BaseException) -> None:
    shown = "".join(traceback.format_exception(error)) + repr(error)
    assert "CANARY" not in shown
    assert SECRET not in shown
