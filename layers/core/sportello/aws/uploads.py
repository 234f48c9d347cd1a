"""Files of the chat on the site: browsers send them to the bucket and fetch them from it directly.

Both ways by addresses that are signed for one file and a few minutes. What is fetched is named mere
bytes and an attachment, so no browser ever shows or runs it.
"""

from typing import NamedTuple
from urllib.parse import quote

from botocore.exceptions import ClientError

from sportello.aws import clients
from sportello.aws.environment import environment

SECONDS = 300


class Form(NamedTuple):
    """Where and with which fields a browser posts one file (``multipart/form-data``, the file last)."""

    url: str
    fields: dict[str, str]


class Stored(NamedTuple):
    type: str
    size: int


def form(key: str, mime: str, size: int) -> Form:
    """For a file of this type, and no larger."""
    signed = clients.s3_signer().generate_presigned_post(
        Bucket=environment().bucket,
        Key=key,
        Fields={"Content-Type": mime, "Content-Disposition": "attachment"},
        Conditions=[
            {"Content-Type": mime},
            {"Content-Disposition": "attachment"},
            ["content-length-range", 1, size],
        ],
        ExpiresIn=SECONDS,
    )
    return Form(signed["url"], signed["fields"])


def stored(key: str) -> Stored | None:
    """What stands there; None: nothing does."""
    try:
        answer = clients.s3().head_object(Bucket=environment().bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):  # 403: it may not be listed
            return None
        raise
    return Stored(answer.get("ContentType", ""), answer["ContentLength"])


def address(key: str, name: str) -> str:
    """Where the file can be fetched for some minutes, under its own name."""
    url: str = clients.s3_signer().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": environment().bucket,
            "Key": key,
            "ResponseContentType": "application/octet-stream",
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(name or 'file', safe='')}",
        },
        ExpiresIn=SECONDS,
    )
    return url
