"""Connections are read by one signed request: against a server that speaks GetParametersByPath."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from sportello.aws import clients, secrets
from sportello.aws.environment import environment
from sportello.aws.secrets import Connections, SecretsUnavailable, UnknownConnection

CANARY = "canary-secret-nobody-may-see"
GOOD = json.dumps({"secrets": [CANARY], "token": CANARY, "accounts": [{"id": "1", "role": "care"}]})


class Ssm:
    """The parameters, who asked for them, and what to answer instead."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.instead: tuple[int, bytes] | None = None
        self.url = ""

    def answer(self, request: dict[str, Any]) -> tuple[int, bytes]:
        if self.instead:
            return self.instead
        found = sorted(name for name in self.parameters if name.startswith(request["Path"]))
        start, size = int(request.get("NextToken", 0)), request["MaxResults"]
        page: dict[str, Any] = {
            "Parameters": [
                {"Name": name, "Type": "SecureString", "Value": self.parameters[name]}
                for name in found[start : start + size]
            ]
        }
        if start + size < len(found):
            page["NextToken"] = str(start + size)
        return 200, json.dumps(page).encode()


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ssm]:
    world = Ssm()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            world.asked.append(request)
            world.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, body = world.answer(request)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    serving.start()
    world.url = f"http://127.0.0.1:{server.server_port}/"
    for name in ("TABLE", "OUTBOX_QUEUE_URL", "ESCALATION_QUEUE_URL", "MEDIA_QUEUE_URL", "BUCKET", "ID_SALT"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("CONSULT_QUEUE_URL", "x")
    monkeypatch.setenv("STACK", "desk-1")
    monkeypatch.setenv("CLOCK", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", world.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    clients.session.cache_clear()
    environment.cache_clear()
    yield world
    server.shutdown()
    server.server_close()
    serving.join()
    clients.session.cache_clear()
    environment.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed: set the one element."""
    passed, start = [0.0], time.monotonic()
    monkeypatch.setattr(secrets, "time", SimpleNamespace(monotonic=lambda: start + passed[0]))
    return passed


def test_every_connection_of_the_channel_is_read(ssm: Ssm) -> None:
    for number in range(23):
        ssm.parameters[f"/desk-1/whatsapp/number-{number}"] = GOOD
    ssm.parameters["/desk-1/telegram/other"] = GOOD
    connections = Connections("whatsapp")
    connection = connections.get("number-17")
    assert (connection.name, connection.secrets, connection.accounts[0].id) == ("number-17", (CANARY,), "1")
    assert [request.get("NextToken") for request in ssm.asked] == [None, "10", "20"]
    assert {request["Path"] for request in ssm.asked} == {"/desk-1/whatsapp/"}
    with pytest.raises(UnknownConnection):
        connections.get("other")


def test_the_request_is_signed_for_ssm(ssm: Ssm) -> None:
    ssm.parameters["/desk-1/whatsapp/main"] = GOOD
    Connections("whatsapp").get("main")
    (headers,) = ssm.headers
    assert headers["x-amz-target"] == "AmazonSSM.GetParametersByPath"
    assert "Credential=AKIDEXAMPLE/" in headers["authorization"]
    assert "/eu-south-1/ssm/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == "session"
    assert ssm.asked[0]["WithDecryption"] is True


def test_what_is_known_is_kept_for_five_minutes(ssm: Ssm, clock: list[float]) -> None:
    ssm.parameters["/desk-1/whatsapp/main"] = GOOD
    connections = Connections("whatsapp")
    connections.prime()
    for clock[0] in (0.0, 100.0, 299.0):
        connections.get("main")
    assert len(ssm.asked) == 1
    ssm.parameters["/desk-1/whatsapp/main"] = GOOD.replace(CANARY, "rotated")
    clock[0] = 301.0
    assert connections.get("main").secrets == ("rotated",)
    assert len(ssm.asked) == 2


def test_an_unknown_name_asks_again_after_fifteen_seconds_only(ssm: Ssm, clock: list[float]) -> None:
    connections = Connections("whatsapp")
    connections.prime()
    for clock[0] in (0.0, 5.0, 14.0):
        with pytest.raises(UnknownConnection):
            connections.get("new")
    assert len(ssm.asked) == 1
    ssm.parameters["/desk-1/whatsapp/new"] = GOOD
    clock[0] = 16.0
    assert connections.get("new").name == "new"
    assert len(ssm.asked) == 2


def test_guessed_names_do_not_multiply_requests(ssm: Ssm, clock: list[float]) -> None:
    connections = Connections("whatsapp")
    for number in range(50):
        with pytest.raises(UnknownConnection):
            connections.get(f"guess-{number}")
    assert len(ssm.asked) == 1


def test_many_requests_at_once_read_once(ssm: Ssm) -> None:
    ssm.parameters["/desk-1/whatsapp/main"] = GOOD
    connections = Connections("whatsapp")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: connections.get("main"), range(16)))
    assert len({id(connection) for connection in found}) == len(ssm.asked) == 1


@pytest.mark.parametrize(
    "instead",
    [
        (500, b"{}"),
        (400, b'{"__type":"AccessDeniedException"}'),
        (200, b"not json"),
        (200, b"[1]"),
        (200, b'{"Parameters":[{"Name":"/desk-1/whatsapp/main"}]}'),
        (200, b""),
    ],
)
def test_a_failure_is_said_and_not_remembered(ssm: Ssm, instead: tuple[int, bytes]) -> None:
    ssm.parameters["/desk-1/whatsapp/main"] = GOOD
    connections = Connections("whatsapp")
    ssm.instead = instead
    connections.prime()
    with pytest.raises(SecretsUnavailable):
        connections.get("main")
    ssm.instead = None
    assert connections.get("main").name == "main"


def test_nobody_at_the_other_end_is_a_failure(ssm: Ssm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1/")
    with pytest.raises(SecretsUnavailable):
        Connections("whatsapp").get("main")


@pytest.mark.parametrize(
    "text",
    [
        "", "not json", "[]", '"text"', "null", "{}", '{"secrets": 1}', '{"secrets": [], "unknown": "x"}',
        '{"secrets": ["' + CANARY + '"], "accounts": [{"number": "' + CANARY + '"}]}',
        CANARY,
    ],
)  # fmt: skip
def test_a_secret_that_is_no_connection_is_said_without_its_words(ssm: Ssm, text: str) -> None:
    ssm.parameters["/desk-1/whatsapp/main"] = text
    with pytest.raises(SecretsUnavailable) as unavailable:
        Connections("whatsapp").get("main")
    assert "whatsapp/main" in str(unavailable.value)
    assert CANARY not in str(unavailable.value)
    assert unavailable.value.__cause__ is None


def test_a_broken_secret_harms_its_own_connection_only(ssm: Ssm, clock: list[float]) -> None:
    ssm.parameters["/desk-1/whatsapp/good"] = GOOD
    ssm.parameters["/desk-1/whatsapp/half"] = GOOD[:-5]
    connections = Connections("whatsapp")
    connections.prime()
    assert connections.get("good").name == "good"
    with pytest.raises(SecretsUnavailable):
        connections.get("half")
    ssm.parameters["/desk-1/whatsapp/half"] = GOOD
    assert connections.get("half").name == "half"


def test_a_connection_never_shows_its_secrets(ssm: Ssm) -> None:
    ssm.parameters["/desk-1/whatsapp/main"] = GOOD
    connection = Connections("whatsapp").get("main")
    assert CANARY not in f"{connection} {connection!r} {[connection]}"
