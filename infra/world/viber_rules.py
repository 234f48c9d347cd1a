"""What Viber takes of a message, and what it says where it does not.

developers.viber.com/docs/api/rest-bot-api/#message-types, #error-codes
"""

from typing import Any
from urllib.parse import urlsplit

from infra.world.wire import Answer, json_answer
from sportello.channels.base import Button

WORDS = {
    1: "invalidUrl",
    2: "invalidAuthToken",
    3: "badData",
    4: "missingData",
    5: "receiverNotRegistered",
    6: "receiverNotSubscribed",
    7: "publicAccountBlocked",
    9: "publicAccountSuspended",
    10: "webhookNotSet",
    12: "tooManyRequests",
}
BODY_BYTES = 30 * 1024
NAME, TEXT, CAPTION, TRACKING, FILE_NAME = 28, 7000, 768, 4000, 256
PICTURES = (".jpg", ".jpeg", ".png", ".gif")
VIDEO_BYTES, FILE_BYTES = 26_000_000, 50_000_000


class Refused(Exception):
    """Viber's status number; the HTTP status is 200 all the same."""

    def __init__(self, status: int) -> None:
        super().__init__(WORDS.get(status, "failure"))
        self.status = status

    def answer(self) -> Answer:
        value = {"status": self.status, "status_message": str(self), "chat_hostname": "SN-CHAT-01_"}
        return json_answer(200, value, code=str(self.status))


def checked(body: dict[str, Any] | None, raw: bytes) -> dict[str, Any]:
    """A message whose shape is right."""
    if body is None or len(raw) > BODY_BYTES:
        raise Refused(3)
    sender = body.get("sender")
    if (
        not body.get("receiver")
        or not body.get("type")
        or not isinstance(sender, dict)
        or not sender.get("name")
    ):
        raise Refused(4)
    if len(sender["name"]) > NAME or len(str(body.get("tracking_data", ""))) > TRACKING:
        raise Refused(3)
    if body["type"] not in CHECKS:
        raise Refused(3)
    CHECKS[body["type"]](body)
    return body


def _text(body: dict[str, Any]) -> None:
    text = body.get("text")
    if not isinstance(text, str) or not text:
        raise Refused(4)
    if len(text) > TEXT:
        raise Refused(3)


def _picture(body: dict[str, Any]) -> None:
    if "text" not in body:
        raise Refused(4)
    if len(str(body["text"])) > CAPTION or not _ending(body).endswith(PICTURES):
        raise Refused(3)


def _video(body: dict[str, Any]) -> None:
    _size(body, VIDEO_BYTES)
    if not _ending(body).endswith(".mp4"):
        raise Refused(3)


def _file(body: dict[str, Any]) -> None:
    name = body.get("file_name")
    if not name:
        raise Refused(4)
    _size(body, FILE_BYTES)
    if len(str(name)) > FILE_NAME or str(name).lower().endswith((".exe", ".bat", ".sh")):
        raise Refused(3)
    _ending(body)


def _size(body: dict[str, Any], most: int) -> None:
    if not isinstance(body.get("size"), int):
        raise Refused(4)
    if not 0 < body["size"] <= most:
        raise Refused(3)


def _ending(body: dict[str, Any]) -> str:
    media = body.get("media")
    if not media:
        raise Refused(4)
    if not str(media).startswith(("http://", "https://")):
        raise Refused(3)
    return urlsplit(str(media)).path.lower()


CHECKS = {"text": _text, "picture": _picture, "video": _video, "file": _file}
"""Message types that the desk has a use for."""


def keyboard_fault(keyboard: Any) -> str:
    """Why the customer's app will not show it: Viber itself does not look. Empty: it will."""
    if keyboard is None:
        return ""
    buttons = keyboard.get("Buttons") if isinstance(keyboard, dict) else None
    if not isinstance(buttons, list) or not buttons or keyboard.get("Type") != "keyboard":
        return "keyboard is not valid"
    whole = all(isinstance(button, dict) and button.get("ActionBody") for button in buttons)
    return "" if whole else 'keyboard is not valid. [object has missing required properties (["ActionBody"])]'


def shown_buttons(keyboard: Any) -> tuple[Button, ...]:
    if keyboard is None or keyboard_fault(keyboard):
        return ()
    return tuple(
        Button(id=str(button["ActionBody"]), title=str(button.get("Text", "")))
        for button in keyboard["Buttons"]
    )


def told(id: str = "", **more: Any) -> Answer:
    return json_answer(200, {"status": 0, "status_message": "ok", **more}, id=id)
