"""One server on the loopback that stands in for every platform; ``World`` starts and stops it."""

import contextlib
import logging
import re
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.world.client import WorldClient
from infra.world.control import PREFIX, Control
from infra.world.delivery import Postman
from infra.world.discovery import stand_ins
from infra.world.faults import Fault, Faults
from infra.world.files import Served
from infra.world.platform import StandIn
from infra.world.state import State
from infra.world.wire import Answer, Call, Dropped, Target, json_answer

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
BODY_LIMIT = 45 * 1024 * 1024
CHUNK = 65_536
SAVE_SECONDS = 3.0
STATE_FILE = "world.json"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class World:
    """The local world. ``port`` 0 takes a free one; ``state_dir`` keeps it between runs."""

    def __init__(self, port: int = 0, state_dir: Path | None = None) -> None:
        self.state = State()
        self.faults = Faults(self.state.same_address)
        self.stopping = threading.Event()
        self._file = state_dir / STATE_FILE if state_dir else None
        self.forgot = False
        """What an earlier run left could not be read."""
        self._postman = Postman(self.state)
        self._stand_ins = [kind(self.state, self._postman.post) for kind in stand_ins()]
        self._postman.platforms = {stand_in.name: stand_in for stand_in in self._stand_ins}
        self.channels = {stand_in.name: stand_in for stand_in in self._stand_ins if stand_in.account_model}
        """Those that customers write on."""
        self.state.channels = {**self.channels}
        self._control = Control(self.state, self._postman, self.faults, self._stand_ins)
        self._server = _Server((LOOPBACK, port), _handler_of(self))
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._save_often, daemon=True),
        ]

    def start(self) -> "World":
        self._load()
        self._postman.start()
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._postman.stop()
        for thread in self._threads:
            thread.join(timeout=2)
        self._save()

    def client(self) -> WorldClient:
        return WorldClient(self.url)

    def __enter__(self) -> "World":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- answering -----------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer | Dropped:
        if call.path.startswith(PREFIX):
            return self._control.answer(call)
        _, host, path = [*call.path.split("/", 2), "", ""][:3]
        served = self.state.served(f"{host}/{path}")
        if served is not None and call.method == "GET":
            return self._answer_file(f"{host}/{path}", served, call)
        inner = Call(call.method, host, f"/{path}", call.query, call.headers, call.body)
        at_host = [stand_in for stand_in in self._stand_ins if stand_in.serves(host)]
        if at_host:
            return self._answer_as(_claiming(at_host, inner), inner)
        service = call.aws_service or ("ses" if call.path.startswith("/v2/email/") else "")
        of_aws = [stand_in for stand_in in self._stand_ins if service in stand_in.services]
        if of_aws:
            return self._answer_as(_claiming(of_aws, call), call)
        return json_answer(404, {"error": f"nobody here stands in for {host!r}"})

    def _answer_as(self, stand_in: StandIn, call: Call) -> Answer | Dropped:
        target = stand_in.target(call)
        return self._answer_or_fail(stand_in, target, call, lambda: stand_in.answer(call))

    def _answer_file(self, place: str, served: Served, call: Call) -> Answer | Dropped:
        stand_in = next((one for one in self._stand_ins if one.name == served.channel), self._stand_ins[0])
        return self._answer_or_fail(
            stand_in, Target("file", place.rpartition("/")[2]), call, lambda: served.answer(place, call)
        )

    def _answer_or_fail(
        self, stand_in: StandIn, target: Target, call: Call, answer_it: Callable[[], Answer]
    ) -> Answer | Dropped:
        fault = self.faults.take(stand_in.name, target)
        answer = self._with_fault(stand_in, call, fault, answer_it) if fault else answer_it()
        given = answer.given if isinstance(answer, _Withheld) else answer
        self._record(stand_in, target, call, fault, given, isinstance(answer, _Withheld))
        if isinstance(answer, _Withheld):
            self.stopping.wait(answer.seconds)
            return answer.then
        return answer

    def _with_fault(
        self, stand_in: StandIn, call: Call, fault: Fault, answer_it: Callable[[], Answer]
    ) -> "Answer | _Withheld":
        if fault.kind == "hang":
            return _Withheld(None, fault.seconds, Dropped())
        if fault.kind == "reset":
            return _Withheld(None, 0, Dropped(reset=True))
        if fault.kind in ("hang_after_accepting", "reset_after_accepting"):
            given = answer_it()
            if fault.kind == "reset_after_accepting":
                return _Withheld(given, 0, Dropped(reset=True))
            return _Withheld(given, fault.seconds, given)
        return stand_in.fail(call, fault)

    def _record(
        self,
        stand_in: StandIn,
        target: Target,
        call: Call,
        fault: Fault | None,
        given: Answer | None,
        withheld: bool,
    ) -> None:
        self.state.record(
            platform=stand_in.name,
            direction="call",
            method=target.method,
            address=target.address,
            status=0 if withheld or given is None else given.status,
            code=given.code if given else "",
            id=given.id if given else "",
            sends=target.sends,
            fault=fault.kind if fault else "",
            request=call.told,
            answer=given.told if given else None,
        )

    # --- between runs --------------------------------------------------------------------------

    def _load(self) -> None:
        if self._file is None or not self._file.exists():
            return
        try:
            self.state.load(self._file)
        except ValueError:
            # Another version wrote it, or it is damaged: the desk still starts, with empty phones.
            self._file.replace(self._file.with_suffix(".unreadable"))
            self.forgot = True
            logger.warning("%s could not be read and was put aside", self._file)

    def _save_often(self) -> None:
        while not self.stopping.wait(SAVE_SECONDS):
            self._save()

    def _save(self) -> None:
        if self._file and self.state.changed:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self.state.save(self._file)


def _claiming(candidates: Sequence[StandIn], call: Call) -> StandIn:
    return next((stand_in for stand_in in candidates if stand_in.claims(call)), candidates[0])


class _Withheld:
    """What the platform did, how long it stays silent about it, and what it says then."""

    def __init__(self, given: Answer | None, seconds: float, then: Answer | Dropped | None) -> None:
        self.given = given
        self.seconds = seconds
        self.then = then or Dropped()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """End kept-alive connections, whose threads would otherwise wait for a next request."""
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("a client went away", exc_info=True)


def _handler_of(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self._body()
            if body is None:
                self._write(json_answer(413, {"error": "the body needs a Content-Length up to 45 MB"}))
                self.close_connection = True
                return
            try:
                answer = world.answer(self._call(body))
            except Exception as error:
                logger.exception("the world itself failed")
                answer = json_answer(500, {"error": f"the world itself failed: {type(error).__name__}"})
            if isinstance(answer, Dropped):
                self._drop(answer)
            else:
                self._write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any  # noqa: N815 the names http.server calls

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: paths hold tokens, and the world has its own log."""

        def _body(self) -> bytes | None:
            length = self.headers.get("content-length", "0")
            if not re.fullmatch(r"[0-9]{1,9}", length) or "transfer-encoding" in self.headers:
                return None
            return self.rfile.read(int(length)) if int(length) <= BODY_LIMIT else None

        def _call(self, body: bytes) -> Call:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = parts.path if parts.path.startswith(PREFIX) else unquote(parts.path)
            return Call(self.command, "", path, query, headers, body)

        def _write(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.content_type)
            if answer.chunked:
                self._write_chunks(answer.body)
                return
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def _write_chunks(self, body: bytes) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), CHUNK):
                piece = body[start : start + CHUNK]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

        def _drop(self, dropped: Dropped) -> None:
            self.close_connection = True
            if dropped.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    return Handler
