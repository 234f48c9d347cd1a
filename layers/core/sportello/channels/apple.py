"""Apple Messages for Business, through a provider (MSP) that Apple has approved.

https://register.apple.com/resources/messages/msp-rest-api/ The customer always begins; after they close
the conversation nothing may be sent until they write again. Apple posts to ``<our address>/message``.
"""

import re
import uuid
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from sportello.channels.apple_events import account_of, event_of
from sportello.channels.apple_tokens import is_apples, issued
from sportello.channels.base import (
    Account,
    Channel,
    ConnectError,
    Connection,
    Download,
    Media,
    MediaGone,
    MediaLater,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Question,
    Request,
    SendOutcome,
    Sent,
    Unknown,
    Unparseable,
)
from sportello.channels.body import read_object
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import Instant

GATEWAY = "https://mspgw.push.apple.com/v1"
LARGEST = 3_000_000
"""Bytes of a body once it is decompressed."""
EXTENSION = (
    "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:"
    "com.apple.icloud.apps.messages.business.extension"
)
QUICK_REPLIES = range(2, 6)
"""How many a quick reply may have; for others a list is shown."""
MOST_BUTTONS = 50
KEY_BYTES = 32
_GZIP = b"\x1f\x8b"
_PROBLEMS: Mapping[int, Problem] = {
    401: Problem.RECONNECT,
    403: Problem.RECONNECT,
    404: Problem.UNREACHABLE,
    413: Problem.TOO_LONG,
    429: Problem.BUSY,
}


class Apple(Channel):
    name: ClassVar[str] = "apple"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "messenger"
    text_limit: ClassVar[int] = 10_000
    deadline: ClassVar[Instant] = 10_000
    shows_buttons: ClassVar[bool] = True
    uses_context: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = ("message",)
    media_hosts: ClassVar[tuple[str, ...]] = (".icloud-content.com", ".icloud.com")
    questions: ClassVar[tuple[Question, ...]] = (
        Question(name="business_id", text="Business id (Apple Business Register > Messages for Business)"),
        Question(name="msp_id", text="MSP id of your provider, to which Apple addresses its tokens"),
        Question(name="secret", text="API secret that belongs to the MSP id (base64)", secret=True),
        Question(name="base_url", text="Where messages are sent", default=GATEWAY),
    )

    def verify(self, request: Request, connection: Connection) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        msp = connection.settings.get("msp_id", "")
        return scheme.lower() == "bearer" and is_apples(token, msp, connection.secrets)

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        body = read_object(_unzipped(request))
        fields = Fields(body)
        try:
            return (event_of(fields, request.headers, connection),)
        except Wrong as wrong:
            return (Unreadable(account=_account(fields, request, connection), fragment=body, why=str(wrong)),)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or not message.to or len(message.buttons) > MOST_BUTTONS:
            return Problem.REFUSED
        return super().refusal(message, last_inbound, now)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        id = str(uuid.uuid5(uuid.NAMESPACE_OID, message.tag) if message.tag else uuid.uuid4())
        token = _token(connection)
        if not token:
            return NotSent(problem=Problem.RECONNECT, code="secret")
        headers = {
            "authorization": f"Bearer {token}",
            "id": id,
            "source-id": message.account,
            "destination-id": message.to,
        }
        if not all(_fits_header(value) for value in headers.values()):
            return NotSent(problem=Problem.REFUSED, code="address")
        try:
            answer = http.request(
                "POST", f"{_gateway(connection)}/message", json_body=_body(id, message), headers=headers
            )
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return _outcome(answer, id)

    # --- what comes after the acknowledgement --------------------------------------------------------

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        """Apple is asked for a short-lived address; what lies there is encrypted (``decrypt``)."""
        owner, signature, _ = _file(media)
        token, account = _token(connection), connection.accounts[0].id if connection.accounts else ""
        headers = {"authorization": f"Bearer {token}", "source-id": account}
        # Apple's pages name these headers in one way, its sample code in another.
        for prefix in ("", "mmcs-"):
            headers |= {f"{prefix}url": media.url, f"{prefix}owner": owner, f"{prefix}signature": signature}
        if not token or not media.url or not all(_fits_header(value) for value in headers.values()):
            raise MediaGone("no_address")
        try:
            answer = http.request("GET", f"{_gateway(connection)}/preDownload", headers=headers)
        except (NotConnected, NoAnswer):
            raise MediaLater("no_answer") from None
        if answer.status in (400, 403, 404, 410):
            raise MediaGone(str(answer.status))
        url = answer.json.get("download-url")
        if answer.status != 200 or not isinstance(url, str):
            raise MediaLater(str(answer.status))
        return Download(url=url)

    def decrypt(self, media: Media, body: bytes) -> bytes:
        """AES-256 in counter mode from zero; the key comes with the message, with ``00`` before it."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # only the worker

        try:
            key = bytes.fromhex(_file(media)[2])
            cipher = Cipher(algorithms.AES256(key[-KEY_BYTES:]), modes.CTR(bytes(16))).decryptor()
        except ValueError:
            raise MediaGone("key") from None
        return cipher.update(body) + cipher.finalize()

    # --- the operator's command line -----------------------------------------------------------------

    def probe(self, connection: Connection, http: Http) -> Probed:
        """Apple has no call that says who we are: one is made that it refuses for its content only."""
        business, token = connection.settings.get("business_id", ""), _token(connection)
        if not token:
            raise ConnectError(
                "the API secret is not base64: copy it again, whole, from Apple Business Register or from "
                "your provider",
                "secret_wrong",
            )
        headers = {"authorization": f"Bearer {token}", "source-id": business}
        if not business or not all(_fits_header(value) for value in headers.values()):
            raise ConnectError("the business id is missing or has odd characters: copy it again", "refused")
        try:
            answer = http.request("GET", f"{_gateway(connection)}/preDownload", headers=headers)
        except (NotConnected, NoAnswer) as error:
            raise ConnectError(
                f"{_gateway(connection)} did not answer ({error}): check the address, the network and its "
                "proxy, then try again",
                "no_answer",
            ) from None
        if answer.status in (401, 403):
            raise ConnectError(
                "Apple refuses these tokens: the API secret has to be the one that belongs to this MSP id. "
                "Copy both again",
                "token_refused",
            )
        return Probed(accounts=(Account(id=business),))

    def register(self, connection: Connection, url: str, http: Http) -> str:
        return (
            f"Give your provider this address as the webhook's base URL: {url} (without /message: Apple "
            "adds it). A provider enters it in Apple Business Register under its Messages for Business "
            "account; then write to the business from an iPhone to try it."
        )


def _unzipped(request: Request) -> bytes:
    if request.headers.get("content-encoding", "") != "gzip" and not request.body.startswith(_GZIP):
        return request.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(request.body, LARGEST + 1)
    except zlib.error:
        raise Unparseable("body: not gzip") from None
    if len(body) > LARGEST:
        raise Unparseable("too_large")
    if not inflater.eof:
        raise Unparseable("body: gzip cut short")
    return body


def _account(body: Fields, request: Request, connection: Connection) -> str:
    try:
        return account_of(body, request.headers, connection)
    except Wrong:
        return account_of(Fields({}), request.headers, connection)


def _token(connection: Connection) -> str:
    secret = connection.secrets[0] if connection.secrets else ""
    return issued(connection.settings.get("msp_id", ""), secret)


def _gateway(connection: Connection) -> str:
    return (connection.settings.get("base_url") or GATEWAY).rstrip("/")


def _fits_header(value: str) -> bool:
    return bool(re.fullmatch("[ -~]+", value))


def _file(media: Media) -> tuple[str, str, str]:
    """Owner, signature and key of a file, as ``apple_events`` packs them."""
    parts = media.id.split(" ")
    if len(parts) != 3:
        raise MediaGone("no_address")
    return parts[0], parts[1], parts[2]


# --- what is sent ------------------------------------------------------------------------------------


def _body(id: str, message: Outbound) -> dict[str, Any]:
    body = {"v": 1, "id": id, "sourceId": message.account, "destinationId": message.to}
    shown = _shown_as(message)
    if shown == "quick":
        return body | {"type": "interactive", "interactiveData": _quick_reply(id, message)}
    if shown == "list":
        return body | {"type": "interactive", "interactiveData": _list_picker(id, message)}
    lines = [message.text, *(f"- {button.title}" for button in message.buttons)]
    return body | {"type": "text", "body": "\n".join(lines)}


def _shown_as(message: Outbound) -> Literal["quick", "list", "text"]:
    """Only what the customer's phone has said it can show; else the choices stand in the words."""
    able = {word.strip() for word in message.context.get("capabilities", "").upper().split(",")}
    if len(message.buttons) in QUICK_REPLIES and "QUICK" in able:
        return "quick"
    return "list" if message.buttons and "LIST" in able else "text"


def _interactive(id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"bid": EXTENSION, "data": {"version": "1.0", "requestIdentifier": id, **data}}


def _quick_reply(id: str, message: Outbound) -> dict[str, Any]:
    items = [{"identifier": button.id, "title": button.title} for button in message.buttons]
    return _interactive(id, {"quick-reply": {"summaryText": message.text, "items": items}})


def _list_picker(id: str, message: Outbound) -> dict[str, Any]:
    items = [
        {"identifier": button.id, "title": button.title, "order": order, "style": "default"}
        for order, button in enumerate(message.buttons)
    ]
    section = {"title": message.text, "order": 0, "multipleSelection": False, "items": items}
    return _interactive(id, {"listPicker": {"multipleSelection": False, "sections": [section]}}) | {
        "receivedMessage": {"title": message.text, "style": "small"},
        "replyMessage": {"title": "${item.title}", "style": "small"},
    }


def _outcome(answer: Answer, id: str) -> SendOutcome:
    if answer.status == 200:
        return Sent(id=id)
    if not 400 <= answer.status < 500:
        return Unknown(code=str(answer.status))
    problem = _PROBLEMS.get(answer.status, Problem.REFUSED)
    wait = answer.headers.get("retry-after", "") if problem is Problem.BUSY else ""
    seconds = float(wait) if re.fullmatch("[0-9]{1,6}", wait) else None
    return NotSent(problem=problem, code=str(answer.status), wait=seconds)
