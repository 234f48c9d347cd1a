"""An AWS on loopback that answers at once: DynamoDB, SSM and SQS, as far as a webhook calls them.

It costs the measured process nothing but the call itself. ``items`` are the rows that GetItem finds;
a transaction that touches a partition of ``cancelled`` fails with those reasons.
"""

import json
import threading
import zlib
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Stub:
    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets
        """Texts by full parameter name."""
        self.items: dict[str, Any] = {}
        self.cancelled: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, asked: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        match target.rpartition(".")[2]:
            case "GetItem":
                item = self.items.get(_partition(asked["Key"]))
                return 200, {"Item": item} if item else {}
            case "TransactWriteItems":
                return self._transact(asked)
            case "GetParametersByPath":
                return 200, {"Parameters": [_parameter(*entry) for entry in self._secrets.items()]}
            case "GetParameter":
                return 200, {"Parameter": _parameter(asked["Name"], self._secrets[asked["Name"]])}
            case "SendMessage":
                return 200, {"MessageId": "0" * 8}
            case "Control":  # the measured process says what the next answers shall be
                self.items, self.cancelled = asked["items"], asked["cancelled"]
                return 200, {}
        return 200, {}

    def _transact(self, asked: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        writes = [next(iter(entry.values())) for entry in asked["TransactItems"]]
        keys = [_partition(write.get("Key") or write["Item"]) for write in writes]
        reasons = next((self.cancelled[key] for key in keys if key in self.cancelled), None)
        if reasons is None:
            return 200, {}
        return 400, {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": reasons,
        }


def _partition(key: Mapping[str, Any]) -> str:
    name: str = key["PK"]["S"] if "PK" in key else ""
    return name


def _parameter(name: str, value: str) -> dict[str, Any]:
    return {"Name": name, "Type": "SecureString", "Value": value, "Version": 1}


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for an answer

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, content = stub.answer(self.headers["x-amz-target"] or "", json.loads(body))
            answer = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(answer)))
            self.send_header("connection", "keep-alive")
            self.send_header("x-amzn-requestid", "0" * 52)
            self.send_header("x-amz-crc32", str(zlib.crc32(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
