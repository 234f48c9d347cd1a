"""Telegram's files, in both directions. https://core.telegram.org/bots/api#sending-files

The address of a file holds the bot's token: it is used at once and kept nowhere.
"""

from urllib.parse import quote

from sportello.channels.base import Attachment, Download, MediaGone, MediaLater, MediaRule
from sportello.channels.http import Answer

IN_LIMIT = 20_000_000
"""Bytes that ``getFile`` gives out; larger files stay in Telegram."""
PHOTO_LIMIT = 10_000_000
FILE_LIMIT = 50_000_000
CAPTION_LIMIT = 1024

RULES = {
    "image": MediaRule(limit=PHOTO_LIMIT, mimes=("image/jpeg", "image/png", "image/webp")),
    "video": MediaRule(limit=FILE_LIMIT, mimes=("video/mp4",)),
    "audio": MediaRule(limit=FILE_LIMIT, mimes=("audio/mpeg", "audio/mp4")),
    "voice": MediaRule(limit=FILE_LIMIT, mimes=("audio/ogg", "audio/mpeg", "audio/mp4")),
    "document": MediaRule(limit=FILE_LIMIT),
}
METHODS = {
    "image": ("sendPhoto", "photo"),
    "video": ("sendVideo", "video"),
    "audio": ("sendAudio", "audio"),
    "voice": ("sendVoice", "voice"),
    "document": ("sendDocument", "document"),
}


def method_of(file: Attachment) -> tuple[str, str]:
    """The method that sends such a file, and the name of its field."""
    return METHODS[file.kind]


def located(answer: Answer, token: str) -> Download:
    """Where the file of a ``getFile`` answer is; good for an hour at least."""
    content = answer.json
    if content.get("ok") is True:
        result = content.get("result")
        path = result.get("file_path") if isinstance(result, dict) else None
        if not isinstance(path, str) or not path:
            raise MediaGone("no_path")
        return Download(
            url=f"https://api.telegram.org/file/bot{quote(token, safe=':')}/{quote(path, safe='/')}"
        )
    if answer.status == 400:  # too big, or of another bot
        raise MediaGone("400")
    raise MediaLater(str(answer.status))
