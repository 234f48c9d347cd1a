"""How each platform proves that it sent a webhook, for tests that make webhooks of their own.

``SIGNERS`` maps a channel's name to a function that returns the request with a proof that is valid
for its bytes, whatever those are: the current secret is the first of ``connection.secrets``. A
signer adds or replaces what carries the proof (headers, query) and leaves everything else alone.
A channel may also bring its signer as ``sign`` in a module of its own, ``signing_<channel>.py``.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sportello.channels.base import Connection, Request
from sportello.channels.webchat_tokens import Visitor, visitor_token
from tests.contract import sns_signing

Signer = Callable[[Connection, Request], Request]


def sign(channel: str, connection: Connection, request: Request) -> Request:
    """The request as the platform would have signed it."""
    signer = signer_of(channel)
    if signer is None:
        raise LookupError(f"{channel} has no signer: write one in {__name__}, or {__name__}_{channel}")
    return signer(connection, request)


def signer_of(channel: str) -> Signer | None:
    """Of a channel, or of one of its further folders of samples (``sms/aws``)."""
    name = channel.partition("/")[0]
    known = SIGNERS.get(channel) or SIGNERS.get(name)
    if known is None and find_spec(f"{__name__}_{name}") is not None:
        known = import_module(f"{__name__}_{name}").sign
    return known


def with_headers(request: Request, headers: Mapping[str, str]) -> Request:
    return replace(request, headers={**request.headers, **headers})


def _telegram(connection: Connection, request: Request) -> Request:
    return with_headers(request, {"x-telegram-bot-api-secret-token": connection.secrets[0]})


def _meta(connection: Connection, request: Request) -> Request:
    proof = hmac.new(connection.secrets[0].encode(), request.body, hashlib.sha256).hexdigest()
    return with_headers(request, {"x-hub-signature-256": f"sha256={proof}"})


def _viber(connection: Connection, request: Request) -> Request:
    proof = hmac.new(connection.secrets[0].encode(), request.body, hashlib.sha256).hexdigest()
    return with_headers(request, {"x-viber-content-signature": proof})


def _webchat(connection: Connection, request: Request) -> Request:
    """A visitor's token proves who writes, whatever the body holds."""
    token = visitor_token(Visitor(f"a:{'0' * 32}", 4_102_444_800), connection.secrets[0])
    return with_headers(request, {"authorization": f"Bearer {token}"})


def _x(connection: Connection, request: Request) -> Request:
    proof = hmac.new(connection.secrets[0].encode(), request.body, hashlib.sha256).digest()
    encoded = base64.b64encode(proof).decode()
    return with_headers(request, {"x-twitter-webhooks-signature": f"sha256={encoded}"})


def _twilio(connection: Connection, request: Request) -> Request:
    posted = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    query = f"?{request.raw_query}" if request.raw_query else ""
    text = connection.settings["url"] + query + "".join(name + value for name, value in sorted(set(posted)))
    proof = hmac.new(connection.secrets[0].encode(), text.encode("utf-8", "replace"), hashlib.sha1).digest()
    return with_headers(request, {"x-twilio-signature": base64.b64encode(proof).decode()})


def _sns(connection: Connection, request: Request) -> Request:
    """What is no envelope becomes the message of one: SNS itself carries nothing else."""
    try:
        given: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        given = None
    is_envelope = (
        isinstance(given, dict)
        and given.get("Type") in [*sns_signing.SIGNED]
        and all(isinstance(value, str) and _is_text(value) for value in given.values())
        and not set(sns_signing.SIGNED[given["Type"]]) - given.keys() - {"Subject"}
    )
    told = {"Type": "Notification", "MessageId": "m", "Timestamp": "2026-11-23T19:15:00.000Z"}
    envelope = {**told, "Message": request.body.decode("utf-8", "replace")}
    if is_envelope:
        envelope = {name: given[name] for name in sns_signing.SIGNED[given["Type"]] if name in given}
    envelope["TopicArn"] = connection.secrets[0]
    return replace(request, body=json.dumps(sns_signing.signed(envelope)).encode())


def _is_text(value: str) -> bool:
    """Half a character has no bytes that could be signed."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _wechat(connection: Connection, request: Request) -> Request:
    """The body, whatever it is, becomes the message that is encrypted: only a ciphertext can be signed."""
    stamp = (request.query.get("timestamp", "1795461300"), request.query.get("nonce", "1320562132"))
    settings = connection.settings
    encrypted = wechat_encrypted(request.body, settings["aes_key"], settings["app_id"])
    query = {
        **request.query,
        "timestamp": stamp[0],
        "nonce": stamp[1],
        "msg_signature": wechat_signature(connection.secrets[0], *stamp, encrypted),
    }
    body = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
    return replace(request, query=query, raw_query=urlencode(query), body=body)


def wechat_signature(*texts: str) -> str:
    return hashlib.sha1("".join(sorted(texts)).encode()).hexdigest()


def wechat_encrypted(message: bytes, aes_key: str, app_id: str) -> str:
    key = base64.b64decode(aes_key + "=")
    plain = b"0123456789abcdef" + len(message).to_bytes(4, "big") + message + app_id.encode()
    count = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()


def _apple(connection: Connection, request: Request) -> Request:
    """The token does not cover the body."""

    def encoded(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).decode().rstrip("=")

    claims = {"aud": connection.settings["msp_id"], "iat": 1_700_000_000}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    digest = hmac.new(base64.b64decode(connection.secrets[0]), signed.encode(), hashlib.sha256).digest()
    return with_headers(request, {"authorization": f"Bearer {signed}.{encoded(digest)}"})


SIGNERS: dict[str, Signer] = {
    "apple": _apple,
    "wechat": _wechat,
    "x": _x,
    "viber": _viber,
    "webchat": _webchat,
    "telegram": _telegram,
    "sms": _twilio,
    "sms/aws": _sns,
    "voice": _twilio,
    "whatsapp": _meta,
    "messenger": _meta,
    "instagram": _meta,
}
