"""One POST to an address that somebody typed in: guarded, limited, and over when its time is."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sportello.channels import post as module
from sportello.channels.post import NoReply, Reply, post

URL = "https://systems.example.com/hook?a=b"
SECONDS = 0.5
SPARE = 1.0
"""Seconds that a busy machine may take beside."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Talk = Callable[[socket.socket], None]


@contextmanager
def serving(
    talk: Talk, wrap: Callable[[socket.socket], socket.socket] = lambda s: s
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads one request and then does what ``talk`` says; yields port and requests."""
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            try:
                with wrap(raw) as connection:
                    connection.settimeout(5)
                    heard.append(_request(connection))
                    talk(connection)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(12)
    assert not thread.is_alive()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 4:
        piece = connection.recv(65_536)
        if not piece:
            break
        data += piece
    return data


def say(*parts: bytes, every: float = 0.0) -> Talk:
    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(every)

    return talk


def drip(head: bytes, body: bytes = b"a" * 1_000) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        for letter in body:
            connection.sendall(bytes([letter]))
            time.sleep(0.05)

    return talk


def asked(talk: Talk, **more: Any) -> Reply:
    with serving(talk) as (port, _):
        return ask(port, **more)


def ask(port: int, **more: Any) -> Reply:
    values: dict[str, Any] = {"seconds": SECONDS, "limit": 1_000, "rewrite": f"http://127.0.0.1:{port}"}
    return post(URL, b"body", {"webhook-id": "msg_1"}, **(values | more))


def why(talk: Talk, **more: Any) -> str:
    with pytest.raises(NoReply) as refused:
        asked(talk, **more)
    return refused.value.code


def test_the_answer_comes_back_and_the_question_went_there() -> None:
    with serving(say(OK)) as (port, heard):
        assert ask(port) == Reply(200, b"{}")

    assert heard[0].startswith(b"POST /systems.example.com/hook?a=b HTTP/1.1\r\n")
    assert b"webhook-id: msg_1\r\n" in heard[0]
    assert heard[0].endswith(b"\r\n\r\nbody")


def test_chunks_are_an_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert asked(say(head, b"1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n")).body == b"{}"


@pytest.mark.parametrize(
    "talk",
    [
        lambda connection: time.sleep(2),
        drip(b""),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drip(b"HTTP/1.1 200 OK\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 200),
    ],
    ids=["silent", "status", "headers", "body", "body of known length", "chunks"],
)
def test_however_slowly_it_comes_the_time_is_over_when_it_is(talk: Talk) -> None:
    with serving(talk) as (port, _):
        started = time.monotonic()
        with pytest.raises(NoReply) as refused:
            ask(port)
        took = time.monotonic() - started

    assert refused.value.code == "slow"
    assert took < SECONDS + SPARE


def test_the_connection_is_cut_when_the_time_is_over() -> None:
    left: list[float] = []

    def talk(connection: socket.socket) -> None:
        started = time.monotonic()
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            connection.recv(1)  # empty once the other side has gone
        left.append(time.monotonic() - started)

    assert why(talk) == "slow"
    assert left[0] < SECONDS + SPARE


def test_a_name_that_nobody_resolves_in_time_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(2))
    started = time.monotonic()

    with pytest.raises(NoReply, match="slow"):
        post(URL, b"", {}, seconds=0.2, limit=10)

    assert time.monotonic() - started < 0.2 + SPARE


@pytest.mark.parametrize(
    "talk",
    [
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"),
        say(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1_001),
        say(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"400\r\n" + b"a" * 1_024 + b"\r\n0\r\n\r\n",
        ),
    ],
    ids=["said", "unsaid", "chunks"],
)
def test_more_than_the_limit_is_not_read(talk: Talk) -> None:
    assert why(talk) == "huge"


def test_the_limit_itself_is_read() -> None:
    assert len(asked(say(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1_000)).body) == 1_000


def test_what_is_compressed_may_be_a_bomb() -> None:
    assert why(say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")) == "encoded"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 503])
def test_no_other_status_is_followed_or_read(status: int) -> None:
    head = f"HTTP/1.1 {status} No\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 9999\r\n\r\n".encode()

    assert asked(say(head, b"a")) == Reply(status, b"")


@pytest.mark.parametrize(
    "said", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"\x16\x03"]
)
def test_what_is_no_answer_is_none(said: bytes) -> None:
    assert why(say(said)) == "unreachable"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(NoReply, match="unreachable"):
        ask(port)


@pytest.mark.parametrize(
    "url",
    [
        "http://systems.example.com/",
        "https://user@systems.example.com/",
        "https://systems.example.com:8443/",
        "https:///hook",
        "https://[::1/",
        "ftp://systems.example.com/",
        "",
    ],
)
def test_only_https_on_its_own_port_without_a_login(url: str) -> None:
    with pytest.raises(NoReply, match="address"):
        post(url, b"", {}, seconds=SECONDS, limit=10)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "64:ff9b::a00:1", "fd00::1"]
)
def test_an_address_that_is_not_public_is_never_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    public = ("", "", "", "", ("93.184.216.34", 443))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [public, ("", "", "", "", (address, 443))])

    with pytest.raises(NoReply, match="address"):
        post(URL, b"", {}, seconds=SECONDS, limit=10)


# --- TLS: the name is checked although an address is connected to -------------------------------------


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ssl.SSLContext]:
    """Makes a server's certificate for a name, and lets this process trust it."""

    def make(name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = made.public_bytes(serialization.Encoding.PEM)
        pem.write_bytes(private + certificate)
        (tmp_path / "trusted.pem").write_bytes(certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    monkeypatch.setattr(module, "public_address", lambda _: "127.0.0.1")
    return make


def _post_to(port: int, monkeypatch: pytest.MonkeyPatch) -> Reply:
    monkeypatch.setattr(module, "HTTPS", port)
    return post("https://systems.example.com/hook", b"body", {}, seconds=3, limit=10)


def test_the_certificate_is_the_names(
    trusted: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = trusted("systems.example.com")
    with serving(say(OK), lambda raw: context.wrap_socket(raw, server_side=True)) as (port, heard):
        assert _post_to(port, monkeypatch) == Reply(200, b"{}")

    assert b"host: systems.example.com\r\n" in heard[0].lower()


def test_another_names_certificate_hears_nothing(
    trusted: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = trusted("elsewhere.example.com")
    with (
        serving(say(OK), lambda raw: context.wrap_socket(raw, server_side=True)) as (port, heard),
        pytest.raises(NoReply, match="unreachable"),
    ):
        _post_to(port, monkeypatch)

    assert heard in ([], [b""])


def test_a_certificate_that_nobody_vouches_for_hears_nothing(
    trusted: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = trusted("systems.example.com")
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        serving(say(OK), lambda raw: context.wrap_socket(raw, server_side=True)) as (port, heard),
        pytest.raises(NoReply, match="unreachable"),
    ):
        _post_to(port, monkeypatch)

    assert heard in ([], [b""])
