"""The one client with which channels call their platforms.

Time-outs are short, nothing is retried or redirected here (the outbox decides), and ``rewrite``
lets the local world stand in for every platform: with ``http://127.0.0.1:8700`` a call to
``https://api.telegram.org/x`` goes to ``http://127.0.0.1:8700/api.telegram.org/x``.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3

CONNECT_SECONDS = 2.0
READ_SECONDS = 8.0


class NotConnected(Exception):
    """The request never left: name, connection or TLS failed. Nothing was sent."""


class NoAnswer(Exception):
    """The request left and no whole answer came: nobody knows what the platform did."""


class AwsRefused(Exception):
    """An AWS service said no; ``code`` is its error's name, ``status`` the HTTP status."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class Answer:
    """A platform's answer. ``json`` is ``{}`` where the body is not a JSON object."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def multipart(
    fields: Mapping[str, str], *, name: str, file_name: str, content: bytes, mime: str
) -> tuple[bytes, str]:
    """A form with one file, as platforms take uploads: the body, and its content type."""
    form: dict[str, Any] = {**fields, name: (file_name, content, mime)}
    return urllib3.encode_multipart_formdata(form)


class Http:
    def __init__(self, rewrite: str = "", read_seconds: float = READ_SECONDS) -> None:
        self._rewrite = rewrite.rstrip("/")
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            retries=False,
            headers={"user-agent": "sportello", "accept-encoding": "identity"},
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, whatever the status of the answer. Errors never carry the URL: it may hold a token.

        Raises:
            NotConnected: nothing was sent.
            NoAnswer: it may have been.
        """
        send_headers = dict(self._pool.headers) | dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body, ensure_ascii=False).encode("utf-8", "replace")
            send_headers.setdefault("content-type", "application/json")
        try:
            answer = self._pool.request(
                method, self._address(url), body=body, headers=send_headers, redirect=False
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise NotConnected(type(error).__name__) from None
        except urllib3.exceptions.SSLError as error:
            raise NotConnected(type(error).__name__) from None
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(type(error).__name__) from None
        return Answer(answer.status, answer.headers, answer.data)

    def aws(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call of an AWS service that is itself the platform (SES, End User Messaging).

        Only the workers' client can: see ``sportello.aws.carrier``.

        Raises:
            AwsRefused: the service answered with an error: nothing was sent.
            NotConnected, NoAnswer: as ``request``.
        """
        raise NotConnected(f"{service} is not at hand here")

    def _address(self, url: str) -> str:
        if not self._rewrite:
            return url
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._rewrite}/{parts.netloc}{parts.path}{query}"
