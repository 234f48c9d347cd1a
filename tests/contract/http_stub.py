"""A stand-in for a platform's API on loopback: notes what it is asked, answers what it is told."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from sportello.channels.http import Http


class Call(NamedTuple):
    method: str
    path: str
    """With the host in front and the query behind, e.g. ``/api.example.com/x?y=1``."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stub:
    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.answers: list[tuple[int, Mapping[str, str], bytes]] = []
        self.hang: threading.Event | None = None

    def http(self, read_seconds: float = 5) -> Http:
        return Http(rewrite=self.url, read_seconds=read_seconds)

    def will_answer(self, status: int, content: Any, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append((status, headers, body))


@contextmanager
def serving() -> Iterator[Stub]:
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            stub.calls.append(Call(self.command, self.path, headers, body))
            if stub.hang:
                stub.hang.wait(5)
                return
            status, more, content = stub.answers.pop(0)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _take  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stub
    finally:
        if stub.hang:
            stub.hang.set()
        server.shutdown()
        thread.join()
        server.server_close()
