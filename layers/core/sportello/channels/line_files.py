"""LINE's files, in both directions.

Out, LINE fetches an image and its preview from us; a video wants a preview picture and an audio file its
length, which the desk does not make, and other files a bot cannot send at all.
"""

from urllib.parse import quote

from sportello.channels.base import Connection, Download, Media, MediaGone, MediaLater, MediaRule
from sportello.channels.http import Http
from sportello.channels.line_wire import call, usable

HOST = "api-data.line.me"
PREVIEW_LIMIT = 1_000_000
"""Bytes of a preview, which is the picture itself: LINE scales none."""
URL_LIMIT = 2000
RULES = {"image": MediaRule(limit=PREVIEW_LIMIT, mimes=("image/jpeg", "image/png"))}
PREPARED = frozenset({"video", "audio", "voice"})
"""Kinds that LINE converts before it gives them out."""


def located(media: Media, connection: Connection, http: Http) -> Download:
    """``GET /v2/bot/message/{id}/content``; LINE removes it after a time that it does not tell."""
    if not usable(connection.token):
        raise MediaLater("token")
    path = f"/v2/bot/message/{quote(media.id, safe='')}/content"
    if media.kind in PREPARED:
        _wait_until_prepared(f"{path}/transcoding", connection, http)
    return Download(url=f"https://{HOST}{path}", headers={"authorization": f"Bearer {connection.token}"})


def _wait_until_prepared(path: str, connection: Connection, http: Http) -> None:
    answer = call(http, connection, "GET", path, host=f"https://{HOST}")
    if answer.status in (404, 410):
        raise MediaGone(str(answer.status))
    status = answer.json.get("status")
    if answer.status != 200 or status == "processing":
        raise MediaLater(str(answer.status) if answer.status != 200 else "processing")
    if status == "failed":
        raise MediaGone("transcoding_failed")
