"""One POST to an address that somebody typed in: the company's own system.

As little trusted as a customer's file (``channels.fetch``): https only, a name that is resolved once and
whose every address is public, a connection to that very address, no redirect, a limit on what is read.
And an answer in time or none: however slowly name, connection, headers or body come, the caller goes on
when the time is over, and the connection is cut.
"""

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from sportello.channels.fetch import HTTPS, NotFetched, public_address

CHUNK = 16_384


class NoReply(Exception):
    """There is no answer that could be used. ``code`` says why:

    ``address`` it is none that may be asked, ``unreachable`` name, connection or TLS failed, ``slow``,
    ``huge``, ``encoded`` it is compressed.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Reply(NamedTuple):
    status: int
    body: bytes


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, limit: int, rewrite: str = ""
) -> Reply:
    """The answer, whatever its status; of another status than 200 without its body.

    Args:
        seconds: for all of it, from looking up the name to the last byte.
        limit: bytes of the answer.
        rewrite: base URL of the local world, which then stands in for every host.

    Raises:
        NoReply: never with the address or anything that was sent or read.
    """
    exchange = _Exchange(_checked(url), body, headers, seconds, limit, rewrite)
    beside = threading.Thread(target=exchange.run, daemon=True)
    beside.start()
    beside.join(seconds)
    return exchange.outcome()


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NoReply("address") from None
    plain = parts.scheme == "https" and parts.hostname and parts.username is None and parts.password is None
    if not plain or port not in (None, HTTPS):
        raise NoReply("address")
    return parts


class _Exchange:
    """Runs beside the caller, so that nothing that blocks can hold the caller."""

    def __init__(
        self,
        parts: SplitResult,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
        limit: int,
        rewrite: str,
    ) -> None:
        self._parts = parts
        self._body = body
        self._headers = {"user-agent": "sportello", "accept-encoding": "identity", **headers}
        self._seconds = seconds
        self._limit = limit
        self._rewrite = rewrite
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False
        self._outcome: Reply | NoReply = NoReply("slow")

    def run(self) -> None:
        found: Reply | NoReply
        try:
            found = self._ask()
        except NoReply as error:
            found = error
        except urllib3.exceptions.NewConnectionError:  # which is a kind of time-out there
            found = NoReply("unreachable")
        except (TimeoutError, urllib3.exceptions.TimeoutError):
            found = NoReply("slow")
        except Exception:  # whatever it is, nobody answered
            found = NoReply("unreachable")
        with self._lock:
            self._socket = None
            if not self._over:
                self._outcome = found

    def outcome(self) -> Reply:
        """What there is by now; what still runs is cut."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)  # ends a read that blocks; closing would not
            if isinstance(self._outcome, NoReply):
                raise self._outcome
            return self._outcome

    def _ask(self) -> Reply:
        connection, path = self._open()
        try:
            connection.connect()
            with self._lock:
                if self._over:
                    raise NoReply("slow")
                self._socket = connection.sock
            connection.request("POST", path, body=self._body, headers=self._headers, preload_content=False)
            answer = connection.getresponse()
            try:
                return self._understood(answer)
            finally:
                answer.close()
        finally:
            connection.close()

    def _understood(self, answer: urllib3.BaseHTTPResponse) -> Reply:
        if answer.status != 200:
            return Reply(answer.status, b"")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise NoReply("encoded")
        return Reply(200, self._read(answer))

    def _open(self) -> tuple[HTTPConnection, str]:
        parts = self._parts
        host, path = str(parts.hostname), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._rewrite:
            world = urlsplit(self._rewrite)
            return HTTPConnection(str(world.hostname), world.port, timeout=self._seconds), f"/{host}{path}"
        try:
            address = public_address(host)
        except NotFetched as error:
            raise NoReply("unreachable" if error.again else "address") from None
        self._headers["host"] = host
        secured: dict[str, Any] = {"server_hostname": host, "assert_hostname": host}
        return HTTPSConnection(address, HTTPS, timeout=self._seconds, **secured), path

    def _read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        declared = answer.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._limit:
            raise NoReply("huge")
        body = bytearray()
        while chunk := answer.read(CHUNK, decode_content=False):
            body += chunk
            if len(body) > self._limit:
                raise NoReply("huge")
        return bytes(body)
