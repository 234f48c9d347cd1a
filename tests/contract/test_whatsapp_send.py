"""WhatsApp, outbound: what we send to the letter, what the platform answers, and what we refuse ourselves."""

import hashlib
import hmac
import json
import threading
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
from sportello.channels.whatsapp import WhatsApp
from sportello.channels.whatsapp_errors import PROBLEMS
from sportello.domain.model import HOUR

TOKEN = "EAA-canary-token-nobody-may-see"
SECRET = "canary-app-secret"
NUMBER = "100000000000001"
PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
URL = "https://sample.lambda-url.eu-south-1.on.aws/main"
CONNECTION = Connection(
    name="main",
    secrets=(SECRET,),
    token=TOKEN,
    accounts=(Account(id=NUMBER),),
    settings={"verify_token": "fake-verify", "waba_id": "200000000000001"},
)
WHATSAPP = WhatsApp()
PATH = f"/graph.facebook.com/v26.0/{NUMBER}/messages"
ACCEPTED = {"messaging_product": "whatsapp", "messages": [{"id": "wamid.9", "message_status": "accepted"}]}


class Call(NamedTuple):
    method: str
    path: str
    authorization: str
    body: Any


class Graph:
    """A stand-in for graph.facebook.com on loopback: notes what it is asked, answers what it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.hang = threading.Event()
        self.hangs = False

    def will_answer(self, status: int, content: Any, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append((status, headers, body))

    def will_refuse(self, code: Any, subcode: Any = None, status: int = 400, **headers: Any) -> None:
        error = {"message": "(#1) words", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
        if subcode is not None:
            error["error_subcode"] = subcode
        self.will_answer(status, {"error": error}, **headers)

    def http(self, read_seconds: float = 5) -> Http:
        return Http(rewrite=self.url, read_seconds=read_seconds)


@pytest.fixture
def graph() -> Iterator[Graph]:
    world = Graph()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.loads(raw) if raw else None
            world.calls.append(Call(self.command, self.path, self.headers["authorization"], body))
            if world.hangs:
                world.hang.wait(5)
                return
            status, headers, content = world.answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    world.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield world
    world.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": NUMBER, "to": "+15550100201", "text": "Domani alle 9:00", **changes})


def buttons(count: int, title: str = "Choice {}") -> tuple[Button, ...]:
    return tuple(Button(id=f"choice-{number}", title=title.format(number)) for number in range(count))


def sent_body(graph: Graph, message: Outbound, connection: Connection = CONNECTION) -> Any:
    graph.will_answer(200, ACCEPTED)
    assert WHATSAPP.send(message, connection, graph.http()) == Sent(id="wamid.9")
    (call,) = graph.calls
    assert (call.method, call.path, call.authorization) == ("POST", PATH, f"Bearer {TOKEN}")
    return call.body


PERSON = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+15550100201"}


class TestBodies:
    def test_text(self, graph: Graph) -> None:
        words = "*no* markup & \U0001f642 è"
        body = sent_body(graph, outbound(text=words))
        assert body == {**PERSON, "type": "text", "text": {"body": words}}

    def test_quote_and_our_own_data(self, graph: Graph) -> None:
        body = sent_body(graph, outbound(quote="wamid.1", tag="T1:42~reply"))
        assert body == {
            **PERSON,
            "type": "text",
            "text": {"body": "Domani alle 9:00"},
            "context": {"message_id": "wamid.1"},
            "biz_opaque_callback_data": "T1:42~reply",
        }

    def test_a_business_scoped_id_is_the_recipient(self, graph: Graph) -> None:
        body = sent_body(graph, outbound(to="IT.10000000000000000201"))
        assert "to" not in body
        assert body["recipient"] == "IT.10000000000000000201"
        assert body["recipient_type"] == "individual"

    def test_a_group(self, graph: Graph) -> None:
        body = sent_body(graph, outbound(to="Z3JvdXA6c2FtcGxlMQ=="))
        assert (body["recipient_type"], body["to"]) == ("group", "Z3JvdXA6c2FtcGxlMQ==")

    def test_three_choices_are_buttons(self, graph: Graph) -> None:
        body = sent_body(graph, outbound(text="Which?", buttons=buttons(3)))
        replies = [
            {"type": "reply", "reply": {"id": f"choice-{number}", "title": f"Choice {number}"}}
            for number in range(3)
        ]
        assert body == {
            **PERSON,
            "type": "interactive",
            "interactive": {"type": "button", "body": {"text": "Which?"}, "action": {"buttons": replies}},
        }

    @pytest.mark.parametrize(("settings", "label"), [({}, "Menu"), ({"list_label": "Scegli"}, "Scegli")])
    def test_four_choices_are_a_list(self, graph: Graph, settings: dict[str, str], label: str) -> None:
        connection = CONNECTION.model_copy(update={"settings": settings})
        body = sent_body(graph, outbound(text="Which?", buttons=buttons(4)), connection)
        rows = [{"id": f"choice-{number}", "title": f"Choice {number}"} for number in range(4)]
        action = {"button": label, "sections": [{"rows": rows}]}
        assert body["interactive"] == {"type": "list", "body": {"text": "Which?"}, "action": action}

    def test_template(self, graph: Graph) -> None:
        template = Template(name="back_soon", language="it", values=("lunedì", "9:00"))
        body = sent_body(graph, outbound(text="", template=template))
        values = [{"type": "text", "text": "lunedì"}, {"type": "text", "text": "9:00"}]
        assert body == {
            **PERSON,
            "type": "template",
            "template": {
                "name": "back_soon",
                "language": {"code": "it"},
                "components": [{"type": "body", "parameters": values}],
            },
        }

    def test_template_without_values(self, graph: Graph) -> None:
        body = sent_body(graph, outbound(text="", template=Template(name="hello", language="en_US")))
        assert body["template"] == {"name": "hello", "language": {"code": "en_US"}}

    def test_the_version_can_be_set(self, graph: Graph) -> None:
        graph.will_answer(200, ACCEPTED)
        newer = CONNECTION.model_copy(update={"settings": {"graph_version": "v27.0"}})
        WHATSAPP.send(outbound(), newer, graph.http())
        assert graph.calls[0].path == f"/graph.facebook.com/v27.0/{NUMBER}/messages"


class TestAnswers:
    @pytest.mark.parametrize("code", sorted(PROBLEMS))
    def test_every_code_of_the_table(self, graph: Graph, code: int) -> None:
        graph.will_refuse(code, status=500)
        outcome = WHATSAPP.send(outbound(), CONNECTION, graph.http())
        assert isinstance(outcome, NotSent)
        assert (outcome.problem, outcome.code) == (PROBLEMS[code], str(code))
        assert (outcome.wait is not None) == (outcome.problem is Problem.BUSY)

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            (190, Problem.RECONNECT),
            (10, Problem.RECONNECT),
            (200, Problem.RECONNECT),
            (299, Problem.RECONNECT),
            (131031, Problem.RECONNECT),
            (131047, Problem.WINDOW_CLOSED),
            (131026, Problem.UNREACHABLE),
            (131030, Problem.UNREACHABLE),
            (131000, Problem.TEMPORARY),
            (131016, Problem.TEMPORARY),
            (2, Problem.TEMPORARY),
            (133004, Problem.TEMPORARY),
            (131049, Problem.REFUSED),
            (132001, Problem.REFUSED),
            (100, Problem.REFUSED),
            (999999, Problem.REFUSED),
        ],
    )
    def test_what_codes_mean(self, graph: Graph, code: int, problem: Problem) -> None:
        graph.will_refuse(code)
        assert WHATSAPP.send(outbound(), CONNECTION, graph.http()) == NotSent(problem=problem, code=str(code))

    @pytest.mark.parametrize(
        ("code", "headers", "wait"),
        [
            (131056, {}, 6.0),
            (130429, {}, 60.0),
            (80007, {}, 60.0),
            (4, {"retry_after": "17"}, 17.0),
            (131056, {"retry_after": "0"}, 0.0),
            (131048, {}, 3600.0),
            (4, {"retry_after": "soon"}, 60.0),
        ],
    )
    def test_how_long_to_wait(self, graph: Graph, code: int, headers: dict[str, Any], wait: float) -> None:
        graph.will_refuse(code, **headers)
        outcome = WHATSAPP.send(outbound(), CONNECTION, graph.http())
        assert outcome == NotSent(problem=Problem.BUSY, code=str(code), wait=wait)

    def test_the_subcode_tells_a_wrong_number_id_from_a_wrong_field(self, graph: Graph) -> None:
        graph.will_refuse(100, 33)
        outcome = WHATSAPP.send(outbound(), CONNECTION, graph.http())
        assert outcome == NotSent(problem=Problem.RECONNECT, code="100/33")

    @pytest.mark.parametrize(
        ("status", "content", "expected"),
        [
            (500, b"", Unknown(code="500")),
            (502, b"<html>", Unknown(code="502")),
            (503, {"error": {"message": "x"}}, Unknown(code="503")),
            (408, b"", Unknown(code="408")),
            (302, b"", Unknown(code="302")),
            (200, b"", Unknown(code="200 without an id")),
            (200, {"messages": []}, Unknown(code="200 without an id")),
            (200, {"messages": [{"id": 7}]}, Unknown(code="200 without an id")),
            (200, {"messages": "x"}, Unknown(code="200 without an id")),
            (401, b"", NotSent(problem=Problem.RECONNECT, code="401")),
            (403, b"", NotSent(problem=Problem.RECONNECT, code="403")),
            (404, b"", NotSent(problem=Problem.REFUSED, code="404")),
            (429, b"", NotSent(problem=Problem.BUSY, code="429", wait=60.0)),
            (400, {"error": {"code": "190"}}, NotSent(problem=Problem.REFUSED, code="400")),
        ],
    )
    def test_answers_without_a_code(self, graph: Graph, status: int, content: Any, expected: Any) -> None:
        graph.will_answer(status, content)
        assert WHATSAPP.send(outbound(), CONNECTION, graph.http()) == expected

    @pytest.mark.parametrize("code", [1, 999999])
    def test_an_undocumented_code_of_a_failing_server_proves_nothing(self, graph: Graph, code: int) -> None:
        graph.will_refuse(code, status=500)
        assert WHATSAPP.send(outbound(), CONNECTION, graph.http()) == Unknown(code=str(code))

    def test_silence_after_accepting_is_unknown(self, graph: Graph) -> None:
        graph.hangs = True
        outcome = WHATSAPP.send(outbound(), CONNECTION, graph.http(read_seconds=0.1))
        assert outcome == Unknown(code="no_answer")
        assert len(graph.calls) == 1

    def test_a_refused_connection_sent_nothing(self) -> None:
        outcome = WHATSAPP.send(outbound(), CONNECTION, Http(rewrite="http://127.0.0.1:1"))
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")


class TestToken:
    @pytest.mark.parametrize("token", ["", "a b", "a\nb", "tokèn", "\udc80"])
    def test_one_that_cannot_stand_in_a_header_is_not_sent(self, graph: Graph, token: str) -> None:
        broken = CONNECTION.model_copy(update={"token": token})
        outcome = WHATSAPP.send(outbound(), broken, graph.http())
        assert outcome == NotSent(problem=Problem.RECONNECT, code="token")
        assert graph.calls == []

    @pytest.mark.parametrize("token", [TOKEN, f"{TOKEN} ", f"{TOKEN}\r\nX: y", f"{TOKEN}è"])
    @pytest.mark.parametrize("code", [190, 100, 10, 4, 999999, None])
    def test_no_error_shows_a_secret(self, graph: Graph, token: str, code: int | None) -> None:
        connection = CONNECTION.model_copy(update={"token": token})
        for ask in (
            lambda: WHATSAPP.probe(connection, graph.http()),
            lambda: WHATSAPP.register(connection, "https://example.com/main", graph.http()),
        ):
            if code is None:
                graph.will_answer(500, f"oops {TOKEN}".encode())
            else:
                graph.will_refuse(code)
            with pytest.raises(ConnectError) as caught:
                ask()
            shown = "".join(traceback.format_exception(caught.value))
            assert TOKEN not in shown
            assert SECRET not in shown
            assert "fake-verify" not in str(caught.value)
            assert len(str(caught.value)) > 40

    def test_a_connection_prints_no_secret(self) -> None:
        assert TOKEN not in f"{CONNECTION!r} {CONNECTION}"


class TestRefusal:
    NOW = 1_795_461_300_000

    def refusal(self, message: Outbound, ago: int | None = 1) -> Problem | None:
        return WHATSAPP.refusal(message, None if ago is None else self.NOW - ago, self.NOW)

    def test_the_windows_edge(self) -> None:
        assert self.refusal(outbound(), 24 * HOUR - 1) is None
        assert self.refusal(outbound(), 24 * HOUR) is Problem.WINDOW_CLOSED
        assert self.refusal(outbound(), None) is Problem.WINDOW_CLOSED

    def test_a_template_needs_no_window(self) -> None:
        template = Template(name="hello", language="it")
        assert self.refusal(outbound(text="", template=template), None) is None

    def test_text_limits_count_characters(self) -> None:
        assert self.refusal(outbound(text="è" * 4096)) is None
        assert self.refusal(outbound(text="\U0001f642" * 4096)) is None
        assert self.refusal(outbound(text="è" * 4097)) is Problem.TOO_LONG
        assert self.refusal(outbound(text=" \n")) is Problem.EMPTY

    @pytest.mark.parametrize(
        ("choices", "text", "expected"),
        [
            (buttons(1), "x", None),
            (buttons(3), "x" * 1024, None),
            (buttons(3), "x" * 1025, Problem.TOO_LONG),
            (buttons(4), "x" * 1025, None),
            (buttons(10), "x" * 4096, None),
            (buttons(11), "x", Problem.REFUSED),
            (buttons(1, "x" * 20), "x", None),
            (buttons(1, "x" * 21), "x", Problem.REFUSED),
            (buttons(4, "{:024}"), "x", None),
            (buttons(4, "{:025}"), "x", Problem.REFUSED),
            (buttons(2, "same"), "x", Problem.REFUSED),
            (buttons(1, " "), "x", Problem.REFUSED),
            ((Button(id="x" * 256, title="a"),), "x", None),
            ((Button(id="x" * 257, title="a"),), "x", Problem.REFUSED),
            ((Button(id="", title="a"),), "x", Problem.REFUSED),
            ((*buttons(3), Button(id="x" * 200, title="a")), "x", None),
            ((*buttons(3), Button(id="x" * 201, title="a")), "x", Problem.REFUSED),
            ((Button(id="a", title="a"), Button(id="a", title="b")), "x", Problem.REFUSED),
        ],
    )
    def test_choices(self, choices: tuple[Button, ...], text: str, expected: Problem | None) -> None:
        assert self.refusal(outbound(text=text, buttons=choices)) is expected

    def test_a_template_has_its_own_buttons(self, graph: Graph) -> None:
        message = outbound(text="", template=Template(name="hello", language="it"), buttons=buttons(1))
        assert self.refusal(message) is Problem.REFUSED
        assert WHATSAPP.send(message, CONNECTION, graph.http()) == NotSent(
            problem=Problem.REFUSED, code="buttons"
        )
        assert graph.calls == []

    def test_too_many_choices_are_never_sent(self, graph: Graph) -> None:
        outcome = WHATSAPP.send(outbound(buttons=buttons(11)), CONNECTION, graph.http())
        assert outcome == NotSent(problem=Problem.REFUSED, code="buttons")
        assert graph.calls == []


class TestConnect:
    def test_probe_asks_for_each_number(self, graph: Graph) -> None:
        graph.will_answer(
            200, {"display_phone_number": "+1 555-010-0100", "verified_name": "Sample Shop", "id": NUMBER}
        )
        found = WHATSAPP.probe(CONNECTION, graph.http())
        assert found == Probed(accounts=(Account(id=NUMBER, name="+1 555-010-0100"),))
        query = f"fields=display_phone_number,verified_name&appsecret_proof={PROOF}"
        assert graph.calls == [
            Call("GET", f"/graph.facebook.com/v26.0/{NUMBER}?{query}", f"Bearer {TOKEN}", None)
        ]

    def test_the_numbers_asked_for_come_before_those_connected(self, graph: Graph) -> None:
        graph.will_answer(200, {"display_phone_number": "+1 555-010-0102"})
        graph.will_answer(200, {"display_phone_number": "+1 555-010-0103"})
        asked = CONNECTION.model_copy(update={"settings": {"phone_number_id": "22 33 22"}})
        found = WHATSAPP.probe(asked, graph.http())
        assert [account.id for account in found.accounts] == ["22", "33"]

    def test_an_app_secret_of_another_app_is_told_from_a_wrong_id(self, graph: Graph) -> None:
        graph.will_refuse(100)
        graph.will_answer(200, {"display_phone_number": "+1 555-010-0100"})
        with pytest.raises(ConnectError, match="app secret is not of its app") as caught:
            WHATSAPP.probe(CONNECTION, graph.http())
        assert caught.value.code == "secret_wrong"
        assert "appsecret_proof" not in graph.calls[1].path

    def examine(self, graph: Graph, *apps: dict[str, Any]) -> list[str]:
        graph.will_answer(200, {"data": list(apps)})
        return [finding.code for finding in WHATSAPP.examine(CONNECTION, URL, graph.http())]

    def test_an_account_without_an_app_is_found(self, graph: Graph) -> None:
        assert self.examine(graph) == ["not_subscribed"]

    def test_an_account_that_is_delivered_elsewhere_is_found(self, graph: Graph) -> None:
        app = {"whatsapp_business_api_data": {"id": "1"}}
        assert self.examine(graph, app) == []
        assert self.examine(graph, app | {"override_callback_uri": URL}) == []
        elsewhere = app | {"override_callback_uri": "https://elsewhere.example/hook"}
        assert self.examine(graph, elsewhere) == ["webhook_elsewhere"]

    def test_register_subscribes_and_says_what_to_enter(self, graph: Graph) -> None:
        graph.will_answer(200, {"success": True})
        words = WHATSAPP.register(CONNECTION, "https://example.com/main", graph.http())
        assert graph.calls == [
            Call("POST", "/graph.facebook.com/v26.0/200000000000001/subscribed_apps", f"Bearer {TOKEN}", None)
        ]
        for needed in ("https://example.com/main", "fake-verify", "Callback URL", "messages"):
            assert needed in words
        assert TOKEN not in words

    @pytest.mark.parametrize(
        ("code", "subcode", "remedy"),
        [
            (190, None, "system user"),
            (100, 33, "phone number id"),
            (10, None, "full control"),
            (4, None, "minute"),
        ],
    )
    def test_an_error_names_the_remedy(
        self, graph: Graph, code: int, subcode: int | None, remedy: str
    ) -> None:
        graph.will_refuse(code, subcode)
        with pytest.raises(ConnectError, match=remedy):
            WHATSAPP.probe(CONNECTION, graph.http())

    def test_what_is_missing_is_named_before_anything_is_asked(self, graph: Graph) -> None:
        bare = Connection(name="main", secrets=(SECRET,), token=TOKEN)
        with pytest.raises(ConnectError, match="phone number id"):
            WHATSAPP.probe(bare, graph.http())
        with pytest.raises(ConnectError, match="waba_id"):
            WHATSAPP.register(bare, "https://example.com/main", graph.http())
        assert graph.calls == []

    def test_no_network_is_said(self) -> None:
        with pytest.raises(ConnectError, match="network"):
            WHATSAPP.probe(CONNECTION, Http(rewrite="http://127.0.0.1:1"))
