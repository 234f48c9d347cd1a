"""WeChat official accounts: one account per connection. https://developers.weixin.qq.com/doc/offiaccount/

``connection.secrets``: the Token of the server configuration. ``connection.token``: the AppSecret.
``connection.settings``: ``app_id``; ``original_id`` (``gh_…``, how webhooks name the account); ``mode``
(``safe``, ``compatible`` or ``plain``) and ``aes_key``, the EncodingAESKey.

In plain mode nothing but a time and a nonce is signed: whoever has seen one address of a webhook can
forge others, so it is good for ten minutes only. In the other modes the message itself is signed and
encrypted, and a repetition is the same message again, found to be a duplicate by its id. An account
whose key is set never takes a plain message: else leaving the encryption out would be the way in.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from sportello.channels import wechat_files
from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    Channel,
    Connection,
    Download,
    Finding,
    Media,
    MediaRule,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Profile,
    Question,
    Request,
    Response,
    SendOutcome,
    Sent,
    Unit,
    Unknown,
    Unparseable,
)
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import Http
from sportello.channels.wechat_api import access_token, call, checked
from sportello.channels.wechat_connect import MODES, check_settings, connect_error
from sportello.channels.wechat_crypto import decrypt, is_signed
from sportello.channels.wechat_errors import NOT_ALLOWED, WeChatError
from sportello.channels.wechat_events import event_of
from sportello.channels.wechat_xml import read_xml
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import HOUR, SECOND, Instant

FRESH_SECONDS = 600
"""How far the time of a webhook in plain mode may be from ours."""
BUTTONS = 10
BUTTON_TITLE = 64
_DIGITS = re.compile(r"[0-9]{1,12}")


class WeChat(Channel):
    name = "wechat"
    family = "messenger"
    text_limit = 2048
    text_unit: ClassVar[Unit] = "bytes"
    window = 48 * HOUR
    deadline = 5 * SECOND
    shows_buttons = True
    answers = 5
    media: ClassVar[Mapping[str, MediaRule]] = wechat_files.RULES
    uploads = True
    media_hosts = wechat_files.HOSTS
    profiles = True
    questions = (
        Question(name="app_id", text="AppID (Settings and development > Basic configuration)"),
        Question(name="token", text="AppSecret (the same page)", secret=True),
        Question(
            name="original_id", text="Original ID of the account, gh_… (Settings > Account information)"
        ),
        Question(name="mode", text="Message encryption: safe, compatible or plain", default="safe"),
        Question(
            name="secret",
            text="Token of the server configuration: 3 to 32 letters and digits of your own choice",
            secret=True,
        ),
        Question(
            name="aes_key",
            text="EncodingAESKey of the server configuration: 43 characters (none in plain mode)",
            secret=True,
            optional=True,
        ),
    )

    def handshake(self, request: Request, connection: Connection) -> Response | None:
        """The check of the address when the server configuration is saved."""
        echo = request.query.get("echostr", "")
        if request.method != "GET" or not echo:
            return None
        if _is_encrypted(connection) and "msg_signature" in request.query:
            return _decrypted_echo(request, connection, echo)
        given = request.query.get("signature", "")
        return Response(200, echo) if is_signed(connection.secrets, given, *_stamp(request)) else None

    def verify(self, request: Request, connection: Connection) -> bool:
        if request.method != "POST":
            return False
        if not _is_encrypted(connection):
            given = request.query.get("signature", "")
            is_plain = connection.settings.get("mode") == "plain"
            return is_plain and _is_fresh(request) and is_signed(connection.secrets, given, *_stamp(request))
        encrypted = _encrypted(request)
        given = request.query.get("msg_signature", "")
        return bool(encrypted) and is_signed(connection.secrets, given, *_stamp(request), encrypted)

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        """In compatible mode the readable copy beside the ciphertext is nobody's word: it is not read."""
        message = read_xml(request.body)
        if "Encrypt" in message:
            message = read_xml(_opened(message["Encrypt"], connection))
        try:
            return (event_of(Fields(message)),)
        except Wrong as wrong:
            return (Unreadable(account=_account_of(message, connection), fragment=message, why=str(wrong)),)

    def acknowledge(self, request: Request, connection: Connection, is_open: Callable[[], bool]) -> Response:
        """Anything else but this word is shown to the customer as "service unavailable"."""
        return Response(200, "success")

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or not _fit(message.buttons):
            return Problem.REFUSED
        if message.buttons and not message.text.strip():
            return Problem.EMPTY
        return super().refusal(message, last_inbound, now)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """A file goes first and the words after it, as two messages.

        WeChat gives a message no id, and nothing of it ever comes back: our own mark stands for one.
        """
        if not message.to:
            return NotSent(problem=Problem.REFUSED, code="address")
        done = ""
        for body in _bodies(message):
            try:
                content = {"touser": message.to, **_content(body, connection, http)}
                checked(call(http, connection, "POST", "message/custom/send", json_body=content))
            except WeChatError as error:
                # A file that has arrived without its words is neither sent nor not sent.
                return Unknown(code=f"words_{error.outcome.code}") if done else error.outcome
            done = "file"
        return Sent(id=message.tag)

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        return wechat_files.download(media, connection, http)

    def profile(self, address: str, connection: Connection, http: Http) -> Profile | None:
        """Names ended in 2021: what is left is the language, and what the account's people remarked."""
        try:
            query = {"openid": address, "lang": "en"}
            found = Fields(checked(call(http, connection, "GET", "user/info", query=query)))
            language = found.text("language").replace("-", "_").split("_")[0].lower()
            return Profile(name=found.text("remark"), language=language)
        except (WeChatError, Wrong):
            return None

    def probe(self, connection: Connection, http: Http) -> Probed:
        check_settings(connection)
        try:
            access_token(http, connection)
        except WeChatError as error:
            raise connect_error(error) from None
        id = connection.settings["original_id"]
        return Probed(accounts=(Account(id=id),))

    def register(self, connection: Connection, url: str, http: Http) -> str:
        """WeChat has no call for it: a person has to paste it, and WeChat then asks the address."""
        mode = connection.settings.get("mode", MODES[0])
        key = "" if mode == "plain" else ", the same EncodingAESKey"
        return (
            "Left to do at mp.weixin.qq.com > Settings and development > Basic configuration > Server "
            f"configuration: URL {url}, the Token just given{key}, {mode} mode; submit, then enable it. "
            "In the same page put the outgoing address of the desk on the IP whitelist."
        )

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        """WeChat does not tell which address it delivers to, only whether we may answer."""
        try:
            checked(call(http, connection, "GET", "customservice/getkflist"))
        except WeChatError as error:
            if error.number == NOT_ALLOWED:
                text = "WeChat does not let this account answer customers: it has to be verified (48001)"
                return (Finding(level="fault", code="not_allowed", text=text),)
        return ()


# --- webhooks ---------------------------------------------------------------------------------------


def _is_encrypted(connection: Connection) -> bool:
    return bool(connection.settings.get("aes_key"))


def _stamp(request: Request) -> tuple[str, str]:
    return request.query.get("timestamp", ""), request.query.get("nonce", "")


def _is_fresh(request: Request) -> bool:
    written = request.query.get("timestamp", "")
    return bool(_DIGITS.fullmatch(written)) and abs(time.time() - int(written)) <= FRESH_SECONDS


def _encrypted(request: Request) -> str:
    try:
        found = read_xml(request.body).get("Encrypt")
    except Unparseable:
        return ""
    return found if isinstance(found, str) else ""


def _opened(encrypted: Any, connection: Connection) -> bytes:
    if not isinstance(encrypted, str):
        raise Unparseable("body: more than one ciphertext")
    settings = connection.settings
    return decrypt(encrypted, settings.get("aes_key", ""), settings.get("app_id", ""))


def _decrypted_echo(request: Request, connection: Connection, echo: str) -> Response | None:
    given = request.query.get("msg_signature", "")
    if not is_signed(connection.secrets, given, *_stamp(request), echo):
        return None
    try:
        return Response(200, _opened(echo, connection).decode("utf-8", "replace"))
    except Unparseable:
        return None


def _account_of(message: Mapping[str, Any], connection: Connection) -> str:
    named = message.get("ToUserName")
    if isinstance(named, str) and named:
        return named
    return connection.accounts[0].id if connection.accounts else ""


# --- sends ------------------------------------------------------------------------------------------


def _fit(buttons: Sequence[Button]) -> bool:
    return len(buttons) <= BUTTONS and all(
        button.id and button.title.strip() and len(button.title) <= BUTTON_TITLE for button in buttons
    )


def _bodies(message: Outbound) -> Sequence[Attachment | Outbound]:
    words = [message] if message.text.strip() or message.attachment is None else []
    return [*([message.attachment] if message.attachment else []), *words]


def _content(part: Attachment | Outbound, connection: Connection, http: Http) -> dict[str, Any]:
    if isinstance(part, Attachment):
        return wechat_files.uploaded(part, connection, http)
    if not part.buttons:
        return {"msgtype": "text", "text": {"content": part.text}}
    choices = [{"id": button.id, "content": button.title} for button in part.buttons]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": part.text, "list": choices, "tail_content": ""}}
