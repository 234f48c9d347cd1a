"""Files to and from WeChat's users.

https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
Both ways a file lies at WeChat for three days, and a number names it.
"""

from typing import Any

from sportello.channels.base import (
    Attachment,
    Connection,
    Download,
    Media,
    MediaGone,
    MediaLater,
    MediaRule,
    NotSent,
    Problem,
)
from sportello.channels.http import Http, multipart
from sportello.channels.wechat_api import call, checked, url_with_token
from sportello.channels.wechat_errors import GONE, WeChatError, error_number, error_of

HOSTS = ("api.weixin.qq.com", ".qpic.cn", ".tc.qq.com")
"""The API itself, and where it sends us for videos."""
VOICE = MediaRule(limit=2_000_000, mimes=("audio/amr", "audio/mpeg"))
RULES = {
    "image": MediaRule(limit=10_000_000, mimes=("image/bmp", "image/png", "image/jpeg", "image/gif")),
    "voice": VOICE,
    "audio": VOICE,
    "video": MediaRule(limit=10_000_000, mimes=("video/mp4",)),
}
_KINDS = {"image": "image", "voice": "voice", "audio": "voice", "video": "video"}
BEGINNING = 4095


def uploaded(file: Attachment, connection: Connection, http: Http) -> dict[str, Any]:
    """What to send once WeChat has the file. Raises ``WeChatError``: then nobody has seen anything."""
    kind = _KINDS.get(file.kind, "image")
    id = _media_id(file, kind, connection, http)
    if kind != "video":
        return {"msgtype": kind, kind: {"media_id": id}}
    video = {"media_id": id, "thumb_media_id": id, "title": file.name[:64], "description": ""}
    return {"msgtype": kind, kind: video}


def _media_id(file: Attachment, kind: str, connection: Connection, http: Http) -> str:
    body, content_type = multipart(
        {}, name="media", file_name=file.name, content=file.content, mime=file.mime
    )
    headers = {"content-type": content_type}
    query = {"type": kind}
    try:
        answer = call(http, connection, "POST", "media/upload", query=query, body=body, headers=headers)
        id = checked(answer).get("media_id")
    except WeChatError as error:
        if isinstance(error.outcome, NotSent):
            raise
        raise _not_uploaded(error.outcome.code) from None
    if not isinstance(id, str) or not id:
        raise _not_uploaded("no_id")
    return id


def _not_uploaded(code: str) -> WeChatError:
    return WeChatError(NotSent(problem=Problem.TEMPORARY, code=f"upload_{code}"))


def download(media: Media, connection: Connection, http: Http) -> Download:
    """Where the file lies: a video elsewhere, all others in the answer of the API itself.

    That answer says with the same status that there is no file, so its beginning is looked at first.
    """
    query = {"media_id": media.id}
    try:
        beginning = {"range": f"bytes=0-{BEGINNING}"}
        answer = call(http, connection, "GET", "media/get", query=query, headers=beginning)
        if error_number(answer) or answer.status not in (200, 206):
            raise error_of(answer)
        place = answer.json.get("video_url")
        if isinstance(place, str) and place:
            return Download(url=f"https://{place.partition('://')[2]}")
        return Download(url=url_with_token(http, connection, "media/get", query))
    except WeChatError as error:
        if error.number in GONE:
            raise MediaGone(str(error)) from None
        raise MediaLater(str(error)) from None
