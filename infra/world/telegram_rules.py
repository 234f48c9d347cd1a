"""What Telegram refuses: core.telegram.org/bots/api, and the words its server uses."""

import re
from typing import Any
from urllib.parse import urlsplit

from infra.world.files import uploaded
from infra.world.model import File
from infra.world.telegram_bot import TelegramBot
from infra.world.wire import Part
from sportello.channels.base import Button, measure

TEXT_LIMIT = 4096
DATA_LIMIT = 64
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERY_UPDATE = (
    "message", "edited_message", "business_connection", "business_message", "edited_business_message",
    "deleted_business_messages", "message_reaction", "message_reaction_count", "callback_query",
    "my_chat_member", "chat_member",
)  # fmt: skip
DEFAULT_OFF = ("chat_member", "message_reaction", "message_reaction_count")
CAPTION_LIMIT = 1024
FILE_FIELDS = {
    "sendPhoto": "photo", "sendVideo": "video", "sendAudio": "audio", "sendVoice": "voice",
    "sendDocument": "document",
}  # fmt: skip
PHOTO_LIMIT, FILE_LIMIT = 10_000_000, 50_000_000
WEIGHTY = ("url", "callback_data", "web_app", "login_url", "copy_text", "switch_inline_query", "pay")


class Refused(Exception):
    """A 4xx of the Bot API; the description gets its usual prefix."""

    def __init__(self, description: str, status: int = 400) -> None:
        self.status = status
        self.description = description if status != 400 else f"Bad Request: {description}"
        super().__init__(self.description)


def checked_text(fields: dict[str, Any]) -> str:
    text = _plain(fields, "text")
    if not text:
        raise Refused("message text is empty")
    if measure(text, "utf16") > TEXT_LIMIT:
        raise Refused("message is too long")
    return text


def checked_caption(fields: dict[str, Any]) -> str:
    text = _plain(fields, "caption")
    if measure(text, "utf16") > CAPTION_LIMIT:
        raise Refused("message caption is too long")
    return text


def _plain(fields: dict[str, Any], name: str) -> str:
    text = str(fields.get(name, ""))
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused("strings must be encoded in UTF-8")
    if fields.get("parse_mode"):
        # The phone shows plain text: markup that nobody renders here would pass unchecked.
        raise Refused("can't parse entities: the local world takes plain text only")
    return text.strip()


def checked_file(fields: dict[str, Any], name: str) -> File:
    """The file that is uploaded as that field; what lies at an address is not looked at here."""
    given = fields.get(name)
    if not isinstance(given, Part):
        raise Refused(f"there is no {name} in the request")
    if not given.content:
        raise Refused("file must be non-empty")
    if len(given.content) > (PHOTO_LIMIT if name == "photo" else FILE_LIMIT):
        raise Refused("Request Entity Too Large", 413)
    if name == "photo" and not given.content_type.startswith("image/"):
        raise Refused("IMAGE_PROCESS_FAILED")
    return uploaded(given.content, given.filename, given.content_type)


def checked_keyboard(markup: Any) -> dict[str, Any]:
    """The reply markup, ``{}`` where there is none."""
    if markup is None:
        return {}
    if not isinstance(markup, dict):
        raise Refused("object expected as reply markup")
    if "inline_keyboard" not in markup:
        return markup
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Refused('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    if sum(len(row) for row in rows) > 100:
        raise Refused("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button)
    return markup


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise Refused("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if not button["text"].strip():
        raise Refused("inline keyboard button text must be non-empty")
    if not any(name in button for name in WEIGHTY):
        raise Refused("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= measure(data, "bytes") <= DATA_LIMIT:
            raise Refused("BUTTON_DATA_INVALID")


def shown_buttons(keyboard: dict[str, Any]) -> tuple[Button, ...]:
    """The buttons under a message as the customer sees them, row by row."""
    return tuple(
        Button(id=str(button.get("callback_data") or button.get("url") or ""), title=button["text"])
        for row in keyboard.get("inline_keyboard", ())
        for button in row
    )


def check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK or (parts.hostname or "").endswith(".localhost"):
        return
    if parts.scheme != "https":
        raise Refused("bad webhook: An HTTPS URL must be provided for webhook")
    if parts.port not in (None, 443, 80, 88, 8443):
        raise Refused("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def allowed_updates(value: Any) -> tuple[str, ...] | None:
    """The list as the platform keeps it; an empty one means its default."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Refused("can't parse allowed_updates: expected an Array of String")
    return tuple(value) or tuple(name for name in EVERY_UPDATE if name not in DEFAULT_OFF)


def check_secret(secret: str) -> None:
    if secret and not SECRET_TOKEN.fullmatch(secret):
        raise Refused("secret token contains unallowed characters")


def check_business(bot: TelegramBot, connection: str) -> None:
    business = next((known for known in bot.business if known.id == connection), None)
    if business is None or not business.enabled:
        raise Refused("BUSINESS_CONNECTION_INVALID")
    if not business.can_reply:
        raise Refused("BUSINESS_CONNECTION_NOT_ALLOWED")
