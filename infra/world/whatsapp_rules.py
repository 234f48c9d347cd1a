"""What the Cloud API refuses in a message, and its error bodies.

Source: Meta's Cloud API pages "Messages" and "Error codes".
"""

from collections.abc import Callable
from typing import Any

from infra.world.wire import Answer, json_answer

TEXT_LIMIT = 4096
ERRORS: dict[int, tuple[int, str]] = {
    2: (503, "API Service"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    368: (403, "Temporarily blocked for policies violations"),
    2200: (400, "Callback verification failed"),
    80007: (400, "Rate limit issues"),
    130429: (429, "Rate limit hit"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (503, "Service unavailable"),
    131026: (400, "Message undeliverable"),
    131031: (403, "Account has been locked"),
    131047: (400, "Re-engagement message"),
    131048: (429, "Spam rate limit hit"),
    131051: (400, "Unsupported message type"),
    131053: (400, "Media upload error"),
    131056: (429, "(Business Account, Consumer Account) pair rate limit hit"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    133010: (400, "Phone number not registered"),
}
MEDIA = ("image", "video", "audio", "document", "sticker")


class GraphError(Exception):
    """An error of the Graph API by its code; ``details`` says what is wrong."""

    def __init__(self, code: int, details: str = "", subcode: int | None = None) -> None:
        self.code = code
        self.status, self.title = ERRORS.get(code, (400, "Told to fail"))
        self.details = details or self.title
        self.subcode = subcode
        super().__init__(f"{code} {self.details}")

    def answer(self) -> Answer:
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.title if self.code != 100 else self.details}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW",
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.code in (2, 131000, 131016):
            error["is_transient"] = True
        return json_answer(self.status, {"error": error}, code=str(self.code))

    def in_status(self) -> dict[str, Any]:
        """As an entry of ``errors`` in a webhook."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details},
        }


def check_message(body: dict[str, Any]) -> str:
    """The type of a well-formed message; raises ``GraphError`` for any other."""
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    kind = body.get("type", "text")
    if kind not in CHECKS:
        raise GraphError(100, "Param type must be one of the message types")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphError(131009, "recipient_type must be individual")
    content = body.get(kind)
    if not isinstance(content, dict):
        raise GraphError(100, f"The parameter {kind} is required.")
    tag = body.get("biz_opaque_callback_data", "")
    if not isinstance(tag, str) or len(tag) > 512:
        raise GraphError(100, "Param biz_opaque_callback_data must be a string of at most 512 characters")
    CHECKS[kind](content)
    return str(kind)


def _text(content: dict[str, Any]) -> None:
    _string(content.get("body"), "text['body']", TEXT_LIMIT)


def _media(content: dict[str, Any]) -> None:
    if not (content.get("id") or content.get("link")):
        raise GraphError(100, "Media needs an id or a link")
    if len(str(content.get("caption", ""))) > 1024:
        raise GraphError(100, "Param caption must be at most 1024 characters long.")


def _location(content: dict[str, Any]) -> None:
    if "latitude" not in content or "longitude" not in content:
        raise GraphError(100, "The parameters latitude and longitude are required.")


def _reaction(content: dict[str, Any]) -> None:
    _string(content.get("message_id"), "reaction['message_id']", 200)
    if not isinstance(content.get("emoji"), str):
        raise GraphError(100, "The parameter reaction['emoji'] is required.")


def _template(content: dict[str, Any]) -> None:
    _string(content.get("name"), "template['name']", 512)
    language = content.get("language")
    if not isinstance(language, dict) or not isinstance(language.get("code"), str):
        raise GraphError(100, "The parameter template['language']['code'] is required.")


def _interactive(content: dict[str, Any]) -> None:
    kind = content.get("type")
    action = content.get("action")
    if kind not in ("button", "list") or not isinstance(action, dict):
        raise GraphError(131009, "interactive needs a type (button, list) and an action")
    body = content.get("body")
    limit = 1024 if kind == "button" else TEXT_LIMIT
    _string(body.get("text") if isinstance(body, dict) else None, "interactive['body']['text']", limit)
    footer = content.get("footer")
    if footer is not None:
        _string(footer.get("text") if isinstance(footer, dict) else None, "interactive['footer']", 60)
    _reply_buttons(action) if kind == "button" else _list_rows(action)


def _reply_buttons(action: dict[str, Any]) -> None:
    buttons = _objects(action.get("buttons"), "action['buttons']")
    if not 1 <= len(buttons) <= 3:
        raise GraphError(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
    replies = [button.get("reply") for button in buttons if button.get("type") == "reply"]
    if len(replies) != len(buttons):
        raise GraphError(131009, "Each button must have the type reply")
    for reply in _objects(replies, "reply"):
        _string(reply.get("id"), "reply['id']", 256)
        _string(reply.get("title"), "reply['title']", 20)
    _unique([reply["id"] for reply in replies if reply], "button ids")
    _unique([reply["title"] for reply in replies if reply], "button titles")


def _list_rows(action: dict[str, Any]) -> None:
    _string(action.get("button"), "action['button']", 20)
    sections = _objects(action.get("sections"), "action['sections']")
    rows = [row for section in sections for row in _objects(section.get("rows"), "section['rows']")]
    if not 1 <= len(sections) <= 10 or not 1 <= len(rows) <= 10:
        raise GraphError(131009, "A list takes 1 to 10 sections and 1 to 10 rows in total")
    if len(sections) > 1:
        for section in sections:
            _string(section.get("title"), "section['title']", 24)
    for row in rows:
        _string(row.get("id"), "row['id']", 200)
        _string(row.get("title"), "row['title']", 24)
        if len(str(row.get("description", ""))) > 72:
            raise GraphError(131009, "row['description'] must be at most 72 characters long")
    _unique([row["id"] for row in rows], "row ids")


def _string(value: Any, name: str, limit: int) -> None:
    if not isinstance(value, str) or not value.strip():
        raise GraphError(100, f"The parameter {name} is required.")
    if len(value) > limit:
        raise GraphError(100, f"Param {name} must be at most {limit} characters long.")


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise GraphError(131009, f"{name} must be a list of objects")
    return value


def _unique(values: list[str], name: str) -> None:
    if len(set(values)) != len(values):
        raise GraphError(131009, f"{name} must be unique")


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "text": _text,
    "location": _location,
    "reaction": _reaction,
    "template": _template,
    "interactive": _interactive,
} | dict.fromkeys(MEDIA, _media)
