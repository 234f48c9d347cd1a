"""What Messenger's and Instagram's Send API refuse in a body, and their errors.

Source: Messenger Platform "Send messages", "Quick replies", "Error codes"; Instagram "Send a message".
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from infra.world.wire import Answer, json_answer
from sportello.channels.base import Button, Unit, measure

QUICK_REPLIES, QUICK_REPLY_TITLE, PAYLOAD = 13, 20, 1000
FILES = ("image", "video", "audio", "file")
RECIPIENTS = ("id", "comment_id", "post_id", "user_ref")
STATUSES = {190: 401, 10: 403, 200: 403, 4: 400, 613: 400, 1: 500, 2: 503}


class MetaError(Exception):
    """An error of the Graph API by code and subcode."""

    def __init__(self, code: int, subcode: int = 0, text: str = "told to fail") -> None:
        self.code, self.subcode, self.text = code, subcode, text
        super().__init__(f"{code}/{subcode} {text}")

    def answer(self) -> Answer:
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.text}",
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW",
        }
        if self.subcode:
            error["error_subcode"] = self.subcode
        code = f"{self.code}/{self.subcode}" if self.subcode else str(self.code)
        return json_answer(STATUSES.get(self.code, 400), {"error": error}, code=code)


class Limits(NamedTuple):
    """Where the two differ."""

    text: int
    unit: Unit
    metadata: bool
    messaging_type: bool
    """It has to be there."""


class Sending(NamedTuple):
    """A message that may be sent, as far as its body goes."""

    to: str
    """One of ``RECIPIENTS``."""
    address: str
    text: str
    buttons: tuple[Button, ...]
    file: str
    """Its address."""
    file_type: str
    tag: str
    late: bool
    """With the tag HUMAN_AGENT."""
    quote: str


def read_body(body: Mapping[str, Any] | None, limits: Limits) -> Sending:
    """The message in a body; raises ``MetaError`` for what the platform refuses."""
    if body is None:
        raise MetaError(100, text="The body must be a JSON object")
    _only(body, ("recipient", "message", "messaging_type", "tag", "reply_to"), "body")
    recipient, message = _object(body, "recipient"), _object(body, "message")
    to = next((name for name in RECIPIENTS if recipient.get(name)), "")
    if len(recipient) != 1 or not to:
        raise MetaError(100, text="Param recipient must name one recipient")
    _only(message, ("text", "attachment", "quick_replies", "metadata"), "message")
    if "metadata" in message and not limits.metadata:
        raise MetaError(100, text="Unexpected key metadata on param message")
    text = message.get("text", "")
    if bool(text) == ("attachment" in message):
        raise MetaError(100, 2018000, "Param message must hold either text or attachment")
    if not isinstance(text, str) or measure(text, limits.unit) > limits.text:
        raise MetaError(100, text="Length of param message[text] must be less than or equal to the limit")
    file, file_type = _file(message)
    return Sending(
        to=to,
        address=str(recipient[to]),
        text=text,
        buttons=_buttons(message.get("quick_replies", ())),
        file=file,
        file_type=file_type,
        tag=str(message.get("metadata", "")),
        late=_late(body, limits),
        quote=str(_object(body, "reply_to").get("mid", "")) if "reply_to" in body else "",
    )


def _late(body: Mapping[str, Any], limits: Limits) -> bool:
    kind, tag = body.get("messaging_type"), body.get("tag")
    if kind is None and not limits.messaging_type and tag is None:
        return False
    if kind not in ("RESPONSE", "UPDATE", "MESSAGE_TAG"):
        raise MetaError(100, text="Param messaging_type is required")
    if (kind == "MESSAGE_TAG") != (tag == "HUMAN_AGENT"):
        raise MetaError(100, text="Param tag must be HUMAN_AGENT, with messaging_type MESSAGE_TAG")
    return tag is not None


def _file(message: Mapping[str, Any]) -> tuple[str, str]:
    if "attachment" not in message:
        return "", ""
    attachment = _object(message, "attachment")
    kind, url = attachment.get("type"), _object(attachment, "payload").get("url")
    if kind not in FILES or not isinstance(url, str) or not url:
        raise MetaError(100, 2018008, "Param attachment needs a type and a URL")
    return url, str(kind)


def _buttons(given: Any) -> tuple[Button, ...]:
    if not isinstance(given, Sequence) or len(given) > QUICK_REPLIES:
        raise MetaError(100, text="Param quick_replies is longer than 13")
    found = []
    for item in given:
        title, payload = str(item.get("title", "")), str(item.get("payload", ""))
        if item.get("content_type") != "text" or not title or len(title) > QUICK_REPLY_TITLE:
            raise MetaError(100, text="A quick reply needs a title of at most 20 characters")
        if not payload or len(payload) > PAYLOAD:
            raise MetaError(100, text="A quick reply needs a payload of at most 1000 characters")
        found.append(Button(id=payload, title=title))
    return tuple(found)


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if not isinstance(value, Mapping):
        raise MetaError(100, text=f"Param {key} must be an object")
    return value


def _only(found: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    strange = set(found) - set(known)
    if strange:
        raise MetaError(100, text=f"Unexpected key {min(strange)} on {where}")
