"""OAuth 1.0a as X wants it: a user's keys sign each request with HMAC-SHA1 (RFC 5849, section 3).

Chosen over OAuth 2.0 because these tokens do not run out; a JSON body is not part of what is signed.
"""

import base64
import hashlib
import hmac
import secrets
import time
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from sportello.channels.base import Connection


class Keys(NamedTuple):
    """The four values of *Keys and tokens* in X's developer console."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str

    def __repr__(self) -> str:
        return "Keys(...)"


def keys_of(connection: Connection) -> Keys:
    return Keys(
        consumer_key=connection.settings.get("consumer_key", ""),
        consumer_secret=connection.secrets[0] if connection.secrets else "",
        token=connection.token,
        token_secret=connection.settings.get("access_secret", ""),
    )


def authorization(method: str, url: str, keys: Keys, *, nonce: str = "", timestamp: int = 0) -> str:
    """The ``Authorization`` header of one request; ``url`` carries its query, if any."""
    fields = {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(timestamp or int(time.time())),
        "oauth_token": keys.token,
        "oauth_version": "1.0",
    }
    fields["oauth_signature"] = _signature(method, url, fields, keys)
    return "OAuth " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(fields.items()))


def basic_of(consumer_key: str, consumer_secret: str) -> str:
    """The ``Authorization`` header with which an app asks for its own bearer token."""
    pair = f"{_escaped(consumer_key)}:{_escaped(consumer_secret)}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")


def _signature(method: str, url: str, fields: dict[str, str], keys: Keys) -> str:
    parts = urlsplit(url)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *fields.items()]
    escaped = sorted((_escaped(name), _escaped(value)) for name, value in pairs)
    listed = "&".join(f"{name}={value}" for name, value in escaped)
    address = f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"
    base = "&".join((method.upper(), _escaped(address), _escaped(listed)))
    key = f"{_escaped(keys.consumer_secret)}&{_escaped(keys.token_secret)}"
    digest = hmac.new(key.encode("ascii"), base.encode("ascii"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def _escaped(value: str) -> str:
    return quote(value, safe="~", errors="replace")
