"""Slack's incoming webhooks: plain-text answers, block limits, pings.

Source: docs.slack.dev, "Sending messages using incoming webhooks" and the Block Kit reference.
"""

import re
from typing import Any, TypeGuard

from infra.world.faults import Fault
from infra.world.model import SlackPost
from infra.world.platform import StandIn
from infra.world.wire import Answer, Call, Target, text_answer
from sportello.channels.base import Button

TEXT_LIMIT = 40_000
BLOCKS = 50
BLOCK_TYPES = (
    "header", "section", "context", "divider", "actions", "image", "rich_text", "markdown", "video", "file",
)  # fmt: skip
MENTION = re.compile(r"<([!@#][^>|]+)(?:\|([^>]*))?>")
LINK = re.compile(r"<((?:https?|mailto|tel):[^>|]+)(?:\|([^>]*))?>")
FAULTS = {
    "403": (403, "action_prohibited"),
    "404": (404, "no_service"),
    "channel_not_found": (404, "channel_not_found"),
    "410": (410, "channel_is_archived"),
    "429": (429, "rate_limited"),
    "500": (500, "rollup_error"),
}


class Invalid(Exception):
    """The payload is refused; the text is Slack's word for it."""


class Slack(StandIn):
    name = "slack"
    hosts = ("hooks.slack.com",)
    faults = frozenset(FAULTS)

    def target(self, call: Call) -> Target:
        return Target("webhook", call.path, sends=True)

    def answer(self, call: Call) -> Answer:
        if call.path not in self.state.hooks:
            return text_answer(404, "no_service")
        try:
            payload = _payload(call)
            _check(payload)
        except Invalid as invalid:
            return text_answer(400, str(invalid))
        with self.state.lock:
            text, pings = rendered(payload)
            post = SlackPost(
                time=self.state.now(), text=text, pings=pings, buttons=_buttons(payload), payload=payload
            )
            self.state.slack.setdefault(call.path, []).append(post)
            self.state.changed = True
        return text_answer(200, "ok")

    def fail(self, call: Call, fault: Fault) -> Answer:
        status, text = FAULTS[fault.kind]
        headers = {"Retry-After": str(fault.retry_after)} if status == 429 else {}
        return text_answer(status, text, headers=headers)


def _payload(call: Call) -> dict[str, Any]:
    if call.method != "POST" or "json" not in call.headers.get("content-type", ""):
        raise Invalid("invalid_payload")
    payload = call.json
    if payload is None:
        raise Invalid("invalid_payload")
    return payload


def _check(payload: dict[str, Any]) -> None:
    text, blocks = payload.get("text", ""), payload.get("blocks", [])
    if not isinstance(text, str):
        raise Invalid("invalid_payload")
    if not isinstance(blocks, list):
        raise Invalid("invalid_blocks_format")
    if not text.strip() and not blocks and not payload.get("attachments"):
        raise Invalid("no_text")
    if len(text) > TEXT_LIMIT:
        raise Invalid("msg_too_long")
    if len(blocks) > BLOCKS or not all(_block_fits(block) for block in blocks):
        raise Invalid("invalid_blocks")
    named = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(named)) != len(named):
        raise Invalid("invalid_blocks")


def _block_fits(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") not in BLOCK_TYPES:
        return False
    if len(str(block.get("block_id", ""))) > 255:
        return False
    kind = block["type"]
    if kind == "header":
        return _text_fits(block.get("text"), 150, plain=True)
    if kind == "section":
        return _section_fits(block)
    if kind == "context":
        elements = block.get("elements")
        return _listed(elements, 10) and all(
            isinstance(element, dict) and (element.get("type") == "image" or _text_fits(element, 3000))
            for element in elements
        )
    if kind == "actions":
        elements = block.get("elements")
        return _listed(elements, 25) and all(_element_fits(element) for element in elements)
    if kind == "image":
        return bool(block.get("alt_text")) and len(str(block["alt_text"])) <= 2000
    if kind == "markdown":
        return 0 < len(str(block.get("text", ""))) <= 12_000
    return True


def _section_fits(block: dict[str, Any]) -> bool:
    fields = block.get("fields")
    if fields is None and "text" not in block:
        return False
    if "text" in block and not _text_fits(block["text"], 3000):
        return False
    return fields is None or (_listed(fields, 10) and all(_text_fits(field, 2000) for field in fields))


def _element_fits(element: Any) -> bool:
    if not isinstance(element, dict) or len(str(element.get("action_id", ""))) > 255:
        return False
    if element.get("type") != "button":
        return bool(element.get("type"))
    if not _text_fits(element.get("text"), 75, plain=True):
        return False
    if len(str(element.get("value", ""))) > 2000 or len(str(element.get("url", ""))) > 3000:
        return False
    return element.get("style") in (None, "primary", "danger")


def _text_fits(value: Any, limit: int, *, plain: bool = False) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return False
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    return value.get("type") in kinds and 1 <= len(value["text"]) <= limit


def _listed(value: Any, most: int) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and 1 <= len(value) <= most


def rendered(payload: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What a reader sees, and the mentions that Slack would act on.

    As in Slack, the top-level text is only the notification where there are blocks.
    """
    blocks = payload.get("blocks", [])
    if not blocks:
        return _marked_up(payload.get("text", ""))
    lines: list[str] = []
    pings: list[str] = list(_marked_up(payload.get("text", ""))[1])
    for block in blocks:
        for piece in _pieces(block):
            text, found = _piece(piece)
            lines.append(text)
            pings += found
    return "\n".join(lines), tuple(dict.fromkeys(pings))


def _pieces(block: dict[str, Any]) -> list[Any]:
    """The text objects of a block, in reading order."""
    if block["type"] == "markdown":
        return [{"type": "plain_text", "text": block["text"]}]
    if block["type"] == "actions":
        return [element.get("text", {}) for element in block["elements"]]
    text = [block["text"]] if "text" in block else []
    elements = block["elements"] if block["type"] == "context" else []
    return [*text, *block.get("fields", []), *elements]


def _piece(piece: Any) -> tuple[str, tuple[str, ...]]:
    text = str(piece.get("text", "")) if isinstance(piece, dict) else ""
    return _marked_up(text) if piece.get("type") == "mrkdwn" else (text, ())


def _marked_up(text: str) -> tuple[str, tuple[str, ...]]:
    pings = tuple(match.group(1) for match in MENTION.finditer(text))
    text = MENTION.sub(lambda match: match.group(2) or match.group(1), text)
    text = LINK.sub(
        lambda match: f"{match.group(2)} ({match.group(1)})" if match.group(2) else match[1], text
    )
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), pings


def _buttons(payload: dict[str, Any]) -> tuple[Button, ...]:
    return tuple(
        Button(id=str(element.get("action_id", "")), title=element["text"]["text"])
        for block in payload.get("blocks", [])
        if block["type"] == "actions"
        for element in block["elements"]
        if element["type"] == "button"
    )
