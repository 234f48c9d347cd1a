"""What cannot be stored as a row goes to S3 first: unreadable bodies, and texts too long for a row."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sportello.aws import clients
from sportello.aws.environment import environment


def quarantine(channel: str, body: bytes, *, connection: str, why: str, headers: Mapping[str, str]) -> str:
    """Keep a signed body, by its hash, so the same one is kept once; returns the object's key.

    ``redrive`` replays it through the parser of that day. The lifecycle deletes it after 30 days.
    """
    key = f"quarantine/{channel}/{hashlib.sha256(body).hexdigest()}"
    clients.s3().put_object(
        Bucket=environment().bucket,
        Key=key,
        Body=body,
        Metadata={"connection": connection, "why": _header(why, 500)},
        ContentType=_header(headers.get("content-type", "application/octet-stream"), 100),
    )
    return key


def _header(text: str, most: int) -> str:
    """As a header takes it: a parser names fields, and what a field is called may be anybody's."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text[:most])


class Kept(NamedTuple):
    """A body in quarantine, as it came."""

    channel: str
    connection: str
    body: bytes
    headers: Mapping[str, str]


def kept() -> Iterator[str]:
    """Keys of all that is in quarantine."""
    pages = clients.s3().get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=environment().bucket, Prefix="quarantine/"):
        yield from (entry["Key"] for entry in page.get("Contents", ()))


def read_kept(key: str) -> Kept:
    answer = clients.s3().get_object(Bucket=environment().bucket, Key=key)
    return Kept(
        channel=key.split("/")[1],
        connection=answer["Metadata"].get("connection", ""),
        body=answer["Body"].read(),
        headers={"content-type": answer.get("ContentType", "")},
    )


def release(key: str) -> None:
    """It could be read after all."""
    clients.s3().delete_object(Bucket=environment().bucket, Key=key)


def keep_text(text: str) -> str:
    """Store a text too long for a row; returns its key, derived from the text."""
    body = text.encode("utf-8", "replace")
    key = f"texts/{hashlib.sha256(body).hexdigest()}"
    clients.s3().put_object(
        Bucket=environment().bucket, Key=key, Body=body, ContentType="text/plain; charset=utf-8"
    )
    return key


def read_text(key: str) -> str:
    answer = clients.s3().get_object(Bucket=environment().bucket, Key=key)
    body: bytes = answer["Body"].read()
    return body.decode("utf-8", "replace")
