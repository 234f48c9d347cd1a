"""The tokens with which Apple and we prove ourselves to each other: JWT, HS256 and nothing else.

RFC 7515, by hand: a dozen lines against a library that a webhook would load on every cold start. The key
is the secret *after* base64 decoding. A token covers the sender, not the body that it travels with.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from sportello.channels.signatures import equal

LEEWAY = 60
"""Seconds by which the other clock may be ahead of ours."""
LONGEST = 4096
"""Characters of a token."""


def issued(msp: str, secret: str, *, now: int = 0) -> str:
    """A token of ours for a call to Apple; empty where the secret is not base64."""
    key = _key(secret)
    if not key:
        return ""
    head, claims = {"alg": "HS256", "typ": "JWT"}, {"iss": msp, "iat": now or int(time.time())}
    signed = f"{_encoded(head)}.{_encoded(claims)}"
    return f"{signed}.{_signature(key, signed)}"


def is_apples(token: str, msp: str, secrets: Iterable[str], *, now: int = 0) -> bool:
    """Whether Apple issued the token to this provider: ``aud`` is ours, ``iat`` is not in the future.

    Apple's tokens do not expire; should one say when it does, that counts.
    """
    signed, _, signature = token.rpartition(".")
    if not msp or not signature or len(token) > LONGEST:
        return False
    keys = [key for key in map(_key, secrets) if key]
    known = False
    for key in keys:
        known |= equal(_signature(key, signed), signature)
    head, _, claims = signed.partition(".")
    return (
        known and _object(head).get("alg") == "HS256" and _hold(_object(claims), msp, now or int(time.time()))
    )


def _hold(claims: Mapping[str, Any], msp: str, now: int) -> bool:
    given = claims.get("aud")
    audience = given if isinstance(given, list) else [given]
    since = [claims.get(name, 0) for name in ("iat", "nbf")]
    until = claims.get("exp", now + 1)
    if not all(isinstance(moment, int | float) for moment in (*since, until)):
        return False
    return msp in audience and max(since) <= now + LEEWAY and until > now - LEEWAY


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret, validate=True)
    except ValueError:
        return b""


def _signature(key: bytes, signed: str) -> str:
    digest = hmac.new(key, signed.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _encoded(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, separators=(",", ":")).encode("utf-8", "replace")
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
