"""The JSON of a message to a customer on Viber, and what Viber limits in it.

https://developers.viber.com/docs/api/rest-bot-api/#message-types
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from sportello.channels.base import Attachment, Button, Outbound
from sportello.channels.viber_events import BUTTONS

SENDER_NAME = 28
BODY_BYTES = 30_000
"""Of the whole JSON: "30kb"."""
TRACKING_DATA = 4000
KEYBOARD_ROWS = 12
"""Viber's pages say 12 and 24."""
BUTTON_TITLE = 250
CAPTION = 512
"""Of a picture. Viber's own page says 768, resellers' pages 512, older ones 120."""
PICTURE_BYTES = 1_000_000
VIDEO_BYTES = 26_000_000
FILE_BYTES = 50_000_000
FILE_NAME = 256

_PICTURES = (".jpg", ".jpeg", ".png")  # a moving GIF is refused as picture and shown as file
_PROGRAMS = """
    action apk app bat bin cmd com command cpl csh exe gadget inf1 ins inx ipa isu job jse ksh lnk
    msc msi msp mst osx out paf pif prg ps1 reg rgs run scr sct sh shb shs u3p vb vbe vbs vbscript
    workflow ws wsf wsh
"""
PROGRAMS = frozenset(_PROGRAMS.split())
"""Endings of file names that Viber refuses."""


def bodies(message: Outbound, sender: str) -> Sequence[Mapping[str, Any]]:
    """One message, or two where a file cannot carry the words. Buttons stand under the last one."""
    contents = [_file(message.attachment)] if message.attachment else []
    if contents and contents[0]["type"] == "picture" and len(message.text) <= CAPTION:
        contents[0]["text"] = message.text
    elif message.text.strip():
        contents.append({"type": "text", "text": message.text})
    envelope = {"receiver": message.to, "min_api_version": 1, "sender": {"name": sender}}
    found = [envelope | content for content in contents]
    if found and message.buttons:
        found[-1] |= _keyboard(message.buttons)
    return found


def too_large(body: Mapping[str, Any]) -> bool:
    return len(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")) > BODY_BYTES


def buttons_fit(buttons: Sequence[Button]) -> bool:
    """Titles have to differ: a tap comes back as the title."""
    titles = [button.title for button in buttons]
    return (
        len(titles) <= KEYBOARD_ROWS
        and len(set(titles)) == len(titles)
        and all(title.strip() and len(title) <= BUTTON_TITLE for title in titles)
        and all(button.id for button in buttons)
        and len(_tracking(buttons)) <= TRACKING_DATA
    )


def is_program(file: Attachment) -> bool:
    return file.name.lower().rpartition(".")[2] in PROGRAMS


def _file(file: Attachment) -> dict[str, Any]:
    """A picture or video shows itself; what is too large for that, or of another kind, goes as a file."""
    last = unquote(urlsplit(file.url).path).rpartition("/")[2].lower()
    if file.kind == "image" and file.size <= PICTURE_BYTES and last.endswith(_PICTURES):
        return {"type": "picture", "text": "", "media": file.url}
    if file.kind == "video" and file.size <= VIDEO_BYTES and last.endswith(".mp4"):
        return {"type": "video", "media": file.url, "size": file.size}
    return {"type": "file", "media": file.url, "size": file.size, "file_name": file.name[-FILE_NAME:]}


def _keyboard(buttons: Sequence[Button]) -> dict[str, Any]:
    rows = [
        {"Columns": 6, "Rows": 1, "ActionType": "reply", "ActionBody": button.title, "Text": button.title}
        for button in buttons
    ]
    return {
        "keyboard": {"Type": "keyboard", "DefaultHeight": False, "Buttons": rows},
        "tracking_data": _tracking(buttons),
    }


def _tracking(buttons: Sequence[Button]) -> str:
    """The tap shows and returns its ``ActionBody``, the title; this comes back beside it and has the ids."""
    ids = {button.title: button.id for button in buttons}
    return json.dumps({BUTTONS: ids}, ensure_ascii=False, separators=(",", ":"))
