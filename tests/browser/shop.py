"""The company's own site, on loopback: pages with the chat's one line, under a strict policy."""

import html
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><title>A shop</title><meta name="viewport" content="width=device-width"></head>
<body>
<header><a href="#main">A shop</a></header>
<main id="main"><h1>Glasses and repairs</h1><p>Come in, or write to us.</p></main>
<script async src="{script}"{attributes}></script>
</body>
</html>
"""
RIGHT_TO_LEFT = frozenset({"ar", "he"})


class Shop:
    """``identity`` is what the shop's back end says of who is logged in: a JWT, empty for nobody."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.identity = ""
        self.violations: list[str] = []
        """What the browser reports that its policy has stopped."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Shop":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, language: str = "it", **attributes: str) -> str:
        """The address of a page; ``attributes`` stand on the script element as ``data-…``."""
        return f"{self.origin}/?{urlencode({'language': language, **attributes})}"

    def html(self, query: Mapping[str, str]) -> str:
        language = query.get("language", "it")
        given = ((name.replace("_", "-"), value) for name, value in query.items() if name != "language")
        return PAGE.format(
            language=html.escape(language),
            direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
            script=self.script,
            attributes="".join(f' data-{html.escape(name)}="{html.escape(value)}"' for name, value in given),
        )

    @property
    def policy(self) -> str:
        """As docs/channels/webchat.md gives it; the engine is function and bucket at once."""
        parts = urlsplit(self.script)
        ours = f"{parts.scheme}://{parts.netloc}"
        return (
            f"default-src 'none'; script-src {ours}; connect-src 'self' {ours}; base-uri 'none'; "
            "require-trusted-types-for 'script'; report-uri /violations"
        )


def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/identity":
                self._answer(200 if shop.identity else 204, shop.identity, "text/plain")
            elif parts.path == "/":
                self._answer(200, shop.html(dict(parse_qsl(parts.query))), "text/html; charset=utf-8")
            else:
                self._answer(404, "", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            shop.violations.append(body)
            self._answer(204, "", "text/plain")

        def log_message(self, format: str, *args: object) -> None:
            return

        def _answer(self, status: int, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.send_header("cache-control", "no-store")
            if kind.startswith("text/html"):
                self.send_header("content-security-policy", shop.policy)
            self.end_headers()
            self.wfile.write(body)

    return Handler
