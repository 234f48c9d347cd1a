"""What LINE checks of a message, and the words in which it refuses one."""

import re
import uuid
from typing import Any

from infra.world.wire import Answer, json_answer
from sportello.channels.base import Button, measure

TEXT_LIMIT = 5000
URL_LIMIT = 2000
CHOICES, LABEL, DATA = 13, 20, 300
MOST = 5
ADDRESS = re.compile(r"https://[^\s]+|http://(127\.0\.0\.1|localhost)[:/][^\s]+")
"""https; files of the local engine lie on this machine."""


class Refused(Exception):
    """An error of LINE's: ``{"message", "details": [{"message", "property"}]}``."""

    def __init__(self, status: int, message: str, property: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.property = property
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> Answer:
        body: dict[str, Any] = {"message": self.message}
        if self.property:
            body["details"] = [{"message": self.message, "property": self.property}]
        return json_answer(self.status, body, code=str(self.status), headers=self.headers)


def checked_messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    found = body.get("messages")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise Refused(400, "Size must be between 1 and 5", "messages")
    for number, message in enumerate(found):
        if not isinstance(message, dict):
            raise Refused(400, "May not be empty", f"messages[{number}]")
        _check(message, f"messages[{number}]")
    return found


def checked_key(key: str) -> str:
    try:
        return str(uuid.UUID(key)) if key else ""
    except ValueError:
        raise Refused(400, "The value for the 'X-Line-Retry-Key' header is invalid") from None


def _check(message: dict[str, Any], where: str) -> None:
    match message.get("type"):
        case "text":
            _check_text(message.get("text"), f"{where}.text")
        case "image":
            for name in ("originalContentUrl", "previewImageUrl"):
                _check_address(message.get(name), f"{where}.{name}")
        case _:
            raise Refused(400, "Must be one of the following values: [text, image, ...]", f"{where}.type")
    for button in choices(message):
        if not button.title.strip() or len(button.title) > LABEL or not 1 <= len(button.id) <= DATA:
            raise Refused(400, "Length must be between 1 and 20", f"{where}.quickReply.items")
    if len(choices(message)) > CHOICES:
        raise Refused(400, "Size must be between 1 and 13", f"{where}.quickReply.items")


def _check_text(text: Any, where: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, "May not be empty", where)
    if measure(text, "utf16") > TEXT_LIMIT:
        raise Refused(400, "Length must be between 0 and 5000", where)


def _check_address(url: Any, where: str) -> None:
    if not isinstance(url, str) or not ADDRESS.fullmatch(url) or len(url) > URL_LIMIT:
        raise Refused(400, "Must be a valid https URL", where)


def choices(message: dict[str, Any]) -> tuple[Button, ...]:
    """The quick replies under a message; only those that send something back to us."""
    items = (message.get("quickReply") or {}).get("items") or ()
    actions = [item.get("action", {}) for item in items if isinstance(item, dict)]
    return tuple(
        Button(id=str(action.get("data", "")), title=str(action.get("label", "")))
        for action in actions
        if action.get("type") == "postback"
    )
