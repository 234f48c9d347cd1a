"""What cannot be stored as a row goes to S3 first: unreadable bodies, and texts too long for a row."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

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
        Metadata={"connection": connection, "why": why.encode("ascii", "replace").decode()[:500]},
        ContentType=headers.get("content-type", "application/octet-stream")[:100]
        .encode("ascii", "replace")
        .decode(),
    )
    return key


def fragment_body(fragment: Any) -> bytes:
    """One bad entry of a batch as bytes of its own."""
    return json.dumps(fragment, ensure_ascii=True, sort_keys=True, default=str).encode()


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
