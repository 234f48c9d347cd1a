"""LINE: a company's official account, in private chats, groups and rooms.

Source: https://developers.line.biz/en/reference/messaging-api/ (August 2026). A webhook is signed with
the channel secret; calls are made with the channel access token: two different credentials. LINE tells
nothing of what became of a message, and a push to somebody who blocked us is lost without a word.
``connection.settings`` is not used.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from sportello.channels import line_account as account
from sportello.channels import line_send
from sportello.channels.base import (
    Channel,
    Connection,
    Download,
    Finding,
    Media,
    MediaRule,
    Outbound,
    Probed,
    Problem,
    Profile,
    Question,
    Request,
    SendOutcome,
    Unit,
)
from sportello.channels.body import read_object
from sportello.channels.http import Http
from sportello.channels.line_events import events_of
from sportello.channels.line_files import HOST, RULES, located
from sportello.channels.signatures import any_equal
from sportello.domain.events import PlatformEvent
from sportello.domain.model import SECOND, Instant

SIGNATURE_HEADER = "x-line-signature"


class Line(Channel):
    name: ClassVar[str] = "line"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "messenger"
    text_limit: ClassVar[int] = 5000
    text_unit: ClassVar[Unit] = "utf16"
    deadline: ClassVar[Instant] = 2 * SECOND
    shows_buttons: ClassVar[bool] = True
    uses_context: ClassVar[bool] = True
    media: ClassVar[Mapping[str, MediaRule]] = RULES
    media_hosts: ClassVar[tuple[str, ...]] = (HOST,)
    profiles: ClassVar[bool] = True
    questions: ClassVar[tuple[Question, ...]] = account.QUESTIONS

    def verify(self, request: Request, connection: Connection) -> bool:
        expected = [_signature(secret, request.body) for secret in connection.secrets if secret]
        return any_equal(expected, request.headers.get(SIGNATURE_HEADER, ""))

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        return events_of(read_object(request.body), connection)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or not line_send.fit(message.buttons):
            return Problem.REFUSED
        return super().refusal(message, last_inbound, now)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        return line_send.send(message, connection, http)

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        return located(media, connection, http)

    def profile(self, address: str, connection: Connection, http: Http) -> Profile | None:
        return account.profile(address, connection, http)

    def probe(self, connection: Connection, http: Http) -> Probed:
        return account.probe(connection, http)

    def register(self, connection: Connection, url: str, http: Http) -> str:
        return account.register(connection, url, http)

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return account.examine(connection, url, http)


def _signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode("ascii")
