"""Comparing what a platform signed with what we computed: on bytes, in constant time."""

import hashlib
import hmac
from collections.abc import Iterable


def equal(expected: str, given: str) -> bool:
    """Constant-time equality that never raises: ``compare_digest`` refuses non-ASCII text."""
    return hmac.compare_digest(expected.encode("utf-8"), given.encode("utf-8", "surrogatepass"))


def hmac_sha256_hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()


def any_equal(expected: Iterable[str], given: str) -> bool:
    """Whether one of the expected values was given; an empty one never counts."""
    found = False
    for value in expected:
        found |= bool(value) and bool(given) and equal(value, given)
    return found
