"""Files at WhatsApp, in both directions: developers.facebook.com/docs/whatsapp/cloud-api/reference/media."""

from collections.abc import Mapping
from typing import Any

from infra.world.files import place_of, sha256_hex, uploaded
from infra.world.state import State
from infra.world.whatsapp_rules import GraphError
from infra.world.whatsapp_webhooks import file_url
from infra.world.wire import Answer, Part, json_answer

FIRST_UPLOAD = 2_000_000_000_000_001
LIMITS = {
    "image/jpeg": 5_000_000, "image/png": 5_000_000, "image/webp": 500_000,
    "video/mp4": 16_000_000, "video/3gpp": 16_000_000,
    "audio/aac": 16_000_000, "audio/amr": 16_000_000, "audio/mpeg": 16_000_000, "audio/mp4": 16_000_000,
    "audio/ogg": 16_000_000,
}  # fmt: skip
"""Bytes by type; what is not listed is a document."""
DOCUMENT_LIMIT = 100_000_000


def file_object(state: State, file_id: str) -> dict[str, Any] | None:
    """What ``GET /{media id}`` tells of a customer's file."""
    url = file_url(file_id)
    served = state.served(place_of(url))
    if served is None:
        return None
    content = served.content(place_of(url))
    return {
        "messaging_product": "whatsapp",
        "url": url,
        "mime_type": served.mime,
        "sha256": sha256_hex(content),
        "file_size": len(content),
        "id": file_id,
    }


def take_upload(state: State, parts: Mapping[str, Part]) -> Answer:
    """``POST /{phone number id}/media``: the id by which a message can name the file."""
    if "messaging_product" not in parts or parts["messaging_product"].text != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    file = parts.get("file")
    if file is None or not file.filename or not file.content:
        raise GraphError(100, "The parameter file is required.")
    mime = file.content_type.partition(";")[0]
    if mime.startswith(("image/", "audio/", "video/")) and mime not in LIMITS:
        raise GraphError(100, f"Param file must be a file of a supported type, not {mime}.")
    if len(file.content) > LIMITS.get(mime, DOCUMENT_LIMIT):
        raise GraphError(131053, "The file is too large.")
    file_id = str(state.next("whatsapp uploads", FIRST_UPLOAD))
    state.keep_upload("whatsapp", file_id, uploaded(file.content, file.filename, mime))
    return json_answer(200, {"id": file_id})
