"""Files of a conversation in S3: copies of what customers sent, and what people of the desk send."""

import hashlib
from collections.abc import Iterable
from mimetypes import guess_extension
from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.channels.base import Attachment
from sportello.domain.events import Media

FETCHABLE_SECONDS = 3600
"""For which a platform can fetch a file that is sent; a role's credentials may end sooner."""
KINDS: dict[str, Any] = {"image": "image", "video": "video", "audio": "audio", "voice": "voice"}


def key_of(thread: str, message: str, number: int) -> str:
    """Where the copy of a message's file stands; ``message`` is the row's key."""
    return f"{prefix_of(thread, message)}{number}"


def prefix_of(thread: str, message: str) -> str:
    return f"media/{thread}/{message.rsplit('#', 1)[-1]}/"


def keep(key: str, body: bytes, mime: str) -> None:
    """Stored so that a browser which is led to it downloads it and shows nothing."""
    clients.s3().put_object(
        Bucket=environment().bucket,
        Key=key,
        Body=body,
        ContentType=mime,
        ContentDisposition="attachment",
    )


def keep_ours(thread: str, body: bytes, mime: str) -> str:
    """A file that a person of the desk sends; the same one is kept once.

    The key ends as files of that type do: some platforms judge an address by its end.
    """
    key = f"media/{thread}/ours/{hashlib.sha256(body).hexdigest()[:32]}{guess_extension(mime) or ''}"
    keep(key, body, mime)
    return key


class Gone(LookupError):
    """There is no such file any more."""


def read(key: str) -> bytes:
    """Raises Gone."""
    try:
        answer = clients.s3().get_object(Bucket=environment().bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise Gone(key) from None
        raise
    body: bytes = answer["Body"].read()
    return body


def address(key: str, seconds: int = FETCHABLE_SECONDS) -> str:
    """Where anybody who is given it can read the file, for a while. It is a secret: never log it."""
    url: str = clients.s3_signer().generate_presigned_url(
        "get_object", Params={"Bucket": environment().bucket, "Key": key}, ExpiresIn=seconds
    )
    return url


def forget(prefix: str) -> int:
    """Delete all copies of a message's files; returns how many there were."""
    s3, bucket = clients.s3(), environment().bucket
    found: Iterable[dict[str, str]] = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    keys = [entry["Key"] for entry in found]
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(keys)


def described(media: Media) -> Attachment:
    """What a channel judges a file by."""
    kind = KINDS.get(media.kind, "document")
    return Attachment(kind=kind, mime=media.mime, name=media.name, size=media.size or 0)


def attachment(media: Media, *, content: bool) -> Attachment:
    """A stored file as channels send it: with its content for those that upload, else with its address."""
    how = {"content": read(media.at)} if content else {"url": address(media.at)}
    return described(media).model_copy(update=how)
