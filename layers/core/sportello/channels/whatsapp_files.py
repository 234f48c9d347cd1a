"""WhatsApp's files, in both directions. Source: the Cloud API's media pages (Graph v26.0)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sportello.channels import graph
from sportello.channels.base import Attachment, Connection, Download, Media, MediaGone, MediaLater, MediaRule
from sportello.channels.http import Answer, Http, multipart

RULES = {
    "image": MediaRule(limit=5_000_000, mimes=("image/jpeg", "image/png")),
    "video": MediaRule(limit=16_000_000, mimes=("video/mp4", "video/3gpp")),
    "audio": MediaRule(
        limit=16_000_000, mimes=("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")
    ),
    "voice": MediaRule(limit=16_000_000, mimes=("audio/ogg",)),
    "document": MediaRule(limit=100_000_000),
}
TYPES = {"voice": "audio"}
"""Our kinds that have another name there."""
CAPTION_LIMIT = 1024
WORDLESS = ("audio", "voice")
"""Kinds that carry no caption: their words would be lost, so they have to be a message of their own."""


def upload(file: Attachment, account: str, connection: Connection, http: Http) -> Answer:
    """``POST /{phone number id}/media``: the answer's ``id`` is what a message names, for 30 days."""
    body, content_type = multipart(
        {"messaging_product": "whatsapp", "type": file.mime},
        name="file",
        file_name=file.name or "file",
        content=file.content,
        mime=file.mime,
    )
    path = f"{quote(account, safe='')}/media"
    return graph.call("POST", path, connection, http, body=body, content_type=content_type)


def content(file: Attachment, media_id: str, text: str) -> Mapping[str, Any]:
    """The part of a message that carries the file; audio takes no caption."""
    kind = TYPES.get(file.kind, file.kind)
    part: dict[str, Any] = {"id": media_id}
    if text and kind != "audio":
        part["caption"] = text
    if kind == "document" and file.name:
        part["filename"] = file.name
    return {"type": kind, kind: part}


def located(media: Media, connection: Connection, http: Http) -> Download:
    """``GET /{media id}``: an address that is good for five minutes and wants the token."""
    if not graph.usable(connection.token):
        raise MediaLater("token")
    answer = graph.call("GET", quote(media.id, safe=""), connection, http)
    url = answer.json.get("url")
    if answer.status == 200 and isinstance(url, str):
        return Download(url=url, headers={"authorization": f"Bearer {connection.token}"})
    failed = graph.failure(answer)
    if failed is not None and failed.code == 100:  # no such media, or older than 7 days
        raise MediaGone(str(failed))
    raise MediaLater(str(failed or answer.status))
