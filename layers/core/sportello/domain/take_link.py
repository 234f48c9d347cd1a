"""The signed link of a notice: whoever holds it may see and take that conversation, for seven days.

A token is base64url(text + HMAC-SHA256 of it); the text is version, address, target and last second.
"""

import base64
import hmac
from collections.abc import Sequence
from typing import NamedTuple

from sportello.domain.model import DAY, SECOND, Instant

LASTS = 7 * DAY
TOKEN_MOST = 400
"""Characters; what is longer is none of ours."""
_VERSION = "take1"
_SIGNATURE = 32


class TakeLink(NamedTuple):
    thread: str
    """Of a call its thread's id, of an incident its team's."""
    key: str
    target: str
    """Key of the target that was given it (``Target.key``)."""
    expires: Instant
    """Real time; the first instant at which it is no longer good."""


def token_of(link: TakeLink, secret: bytes) -> str:
    text = " ".join((_VERSION, link.thread, link.key, link.target, str(link.expires // SECOND))).encode()
    return base64.urlsafe_b64encode(text + _signed(text, secret)).rstrip(b"=").decode()


def read_token(token: str, secrets: Sequence[bytes], now: Instant) -> TakeLink | None:
    """What the token says; None where none of the secrets has signed it, or its time is over."""
    raw = _decoded(token)
    text, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    good = [hmac.compare_digest(_signed(text, secret), signature) for secret in secrets]
    if not any(good):
        return None
    version, thread, key, target, expires = text.decode().split(" ")
    link = TakeLink(thread, key, target, int(expires) * SECOND)
    return link if version == _VERSION and now < link.expires else None


def _signed(text: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, text, "sha256")


def _decoded(token: str) -> bytes:
    """Empty where it is not exactly as we write it: padding and spare bits allow no second spelling."""
    if len(token) > TOKEN_MOST:
        return b""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token else b""
