"""Files of X: where a customer's is fetched, and how ours is handed over before it is sent.

https://docs.x.com/x-api/media/introduction
"""

import re
from urllib.parse import urlsplit

from sportello.channels.base import (
    Attachment,
    Connection,
    Download,
    Media,
    MediaGone,
    MediaLater,
    NotSent,
    Problem,
)
from sportello.channels.fields import Fields, Wrong
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected, multipart
from sportello.channels.x_calls import as_user, refused
from sportello.channels.x_content import media_of
from sportello.channels.x_oauth import authorization, keys_of

OWN_HOSTS = ("ton.twitter.com", "ton.x.com", "api.x.com")
"""Hosts that give a direct message's file to its owner only."""
UPLOAD = "/2/media/upload"
_KEYED = re.compile("([0-9]{1,19})/([0-9]+_[0-9]+)")


def download(media: Media, connection: Connection, http: Http) -> Download:
    keyed = _KEYED.fullmatch(media.id)
    url = media.url or (_address(keyed[1], keyed[2], connection, http) if keyed else "")
    if not url:
        raise MediaGone("no_address")
    headers = {}
    if _host(url) in OWN_HOSTS:
        headers["authorization"] = authorization("GET", url, keys_of(connection))
    return Download(url=url, headers=headers)


def _address(post: str, key: str, connection: Connection, http: Http) -> str:
    """Where a post's file is, asked for where the webhook told only its key."""
    fields = "expansions=attachments.media_keys&media.fields=type,url,variants"
    try:
        answer = as_user(http, connection, "GET", f"/2/tweets/{post}?{fields}")
    except (NotConnected, NoAnswer):
        raise MediaLater("no_answer") from None
    if answer.status == 429 or answer.status >= 500:
        raise MediaLater(str(answer.status))
    try:
        found = Fields(answer.json).part("includes").parts("media")
        return next(media_of(medium).url for medium in found if medium.text("media_key") == key)
    except (Wrong, StopIteration):
        raise MediaGone("no_address") from None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def upload(file: Attachment, connection: Connection, http: Http, *, public: bool) -> str | NotSent:
    """The id under which X keeps the picture for a day; until that is used, nothing was sent."""
    started = {
        "media_type": file.mime,
        "total_bytes": len(file.content),
        "media_category": "tweet_image" if public else "dm_image",
    }
    try:
        answer = as_user(http, connection, "POST", f"{UPLOAD}/initialize", json_body=started)
        id = _id_in(answer)
        return _filled(id, file, connection, http) if id else _not_uploaded(answer)
    except (NotConnected, NoAnswer):
        return NotSent(problem=Problem.TEMPORARY, code="upload")


def _filled(id: str, file: Attachment, connection: Connection, http: Http) -> str | NotSent:
    form, content_type = multipart(
        {"segment_index": "0"}, name="media", file_name=file.name, content=file.content, mime=file.mime
    )
    path = f"{UPLOAD}/{id}/append"
    answer = as_user(http, connection, "POST", path, body=form, content_type=content_type)
    if answer.status < 300:
        answer = as_user(http, connection, "POST", f"{UPLOAD}/{id}/finalize")
    return id if answer.status < 300 else _not_uploaded(answer)


def _id_in(answer: Answer) -> str:
    data = answer.json.get("data")
    id = data.get("id") if isinstance(data, dict) else None
    return id if answer.status < 300 and isinstance(id, str) and id.isdecimal() else ""


def _not_uploaded(answer: Answer) -> NotSent:
    if not 400 <= answer.status < 500:
        return NotSent(problem=Problem.TEMPORARY, code="upload")
    outcome = refused(answer)
    if outcome.problem is Problem.REFUSED:
        return NotSent(problem=Problem.MEDIA, code=outcome.code)
    return outcome
