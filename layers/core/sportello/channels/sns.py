"""Amazon SNS over HTTPS: who sent a message, and what is in it.

Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and
sns-message-and-json-formats.html (November 2026).

A message is signed with a certificate that SNS publishes under its own host. Fetching it is the one
call that a webhook makes: there is no other way to know a message for SNS's own, it is a public file
and not an API, it is asked for once per process and certificate, and only for a message that names a
topic of ours. The address of the certificate comes with the message, so it is held against the form
that SNS's have, in the topic's own region. While it cannot be had nothing is refused: ``Unavailable``
makes the webhook answer 503, and SNS delivers again.

The confirmation of a subscription is a challenge, as other platforms put with a value to give back;
SNS wants an address opened instead. It holds no customer's words and comes once, when a person
connects: opening it there and then keeps the secret in it out of storage and logs.
"""

import os
import re
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sportello.channels.base import Request, Unparseable
from sportello.channels.body import read_object
from sportello.channels.http import Http, NoAnswer, NotConnected
from sportello.channels.signatures import any_equal, equal

TOPIC_HEADER = "x-amz-sns-topic-arn"
NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
END = "UnsubscribeConfirmation"
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    END: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{1,32}):[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
)
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem")
_KEPT = 8
"""Certificates remembered; SNS changes its own about once a year."""
_TRIES, _TRIES_SECONDS = 6, 60.0
"""Certificates asked for within that time, so that nobody makes us ask without end."""

_keys: dict[str, Any] = {}
"""Public keys by their certificate's address."""
_tried: deque[float] = deque(maxlen=_TRIES)


class Unavailable(Exception):
    """The certificate, or the address that confirms, cannot be had now."""


@cache
def client() -> Http:
    """Its own client: no service hands one to a webhook. ``PLATFORMS`` is the local world's address."""
    return Http(rewrite=os.environ.get("PLATFORMS", ""), read_seconds=4.0)


def is_topic(arn: str) -> bool:
    return _TOPIC.fullmatch(arn) is not None


def envelope(request: Request, topics: Sequence[str]) -> dict[str, Any] | None:
    """The message's envelope where it names one of our topics in a form that SNS has; None: it does not."""
    topic = request.headers.get(TOPIC_HEADER, "")
    if not any_equal(topics, topic) or not _TOPIC.fullmatch(topic):
        return None
    try:
        found = read_object(request.body)
    except Unparseable:
        return None
    names = (*_SIGNED.get(str(found.get("Type")), ("no such type",)), "Signature", "SigningCertURL")
    if not all(isinstance(found.get(name), str) for name in names if name != "Subject"):
        return None
    if not isinstance(found.get("Subject", ""), str | None) or not equal(topic, found["TopicArn"]):
        return None
    return found if _is_certificate(found["SigningCertURL"], topic) else None


def verified(request: Request, topics: Sequence[str]) -> bool:
    """Whether SNS sent this for one of our topics."""
    found = envelope(request, topics)
    if found is None:
        return False
    try:
        return _is_signed(found)
    except Unavailable:
        return False


def confirmed(request: Request, topics: Sequence[str]) -> bool:
    """Answer SNS's question whether we want the topic; False: the message asks nothing of the kind.

    Raises:
        Unavailable: the certificate cannot be had, or SNS did not take the answer.
    """
    found = envelope(request, topics)
    if found is None or not _is_signed(found) or found["Type"] != CONFIRMATION:
        return False
    if not _confirms(found["SubscribeURL"], found["TopicArn"]):
        return False
    if _get(found["SubscribeURL"]).status != 200:
        raise Unavailable("confirmation")
    return True


def _host(topic: str) -> str:
    partition, region = topic.split(":")[1], topic.split(":")[3]
    return f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")


def _is_certificate(url: str, topic: str) -> bool:
    prefix = f"https://{_host(topic)}"
    return url.startswith(prefix) and _CERTIFICATE.fullmatch(url[len(prefix) :]) is not None


def _confirms(url: str, topic: str) -> bool:
    prefix = f"https://{_host(topic)}/?"
    if not url.startswith(prefix) or re.search(r"[^\x21-\x7e]", url):
        return False
    query = parse_qs(urlsplit(url).query)
    return query.get("Action") == ["ConfirmSubscription"] and query.get("TopicArn") == [topic]


def _is_signed(found: dict[str, Any]) -> bool:
    from base64 import b64decode

    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    names = [name for name in _SIGNED[found["Type"]] if found.get(name) is not None]
    text = "".join(f"{name}\n{found[name]}\n" for name in names)
    version = found.get("SignatureVersion")
    if version not in ("1", "2"):
        return False
    try:
        given = b64decode(found["Signature"], validate=True)
        _key(found["SigningCertURL"]).verify(
            given,
            text.encode(),
            PKCS1v15(),
            SHA256() if version == "2" else SHA1(),  # noqa: S303 - SNS's choice
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _key(url: str) -> Any:
    if url not in _keys:
        now = time.monotonic()
        if len(_tried) == _TRIES and now - _tried[0] < _TRIES_SECONDS:
            raise Unavailable("certificate")
        _tried.append(now)
        answer = _get(url)
        if answer.status != 200:
            raise Unavailable("certificate")
        remember(url, answer.body)
    return _keys[url]


def remember(url: str, certificate: bytes) -> None:
    """Keep the key of a certificate (PEM) under its address."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    try:
        key = load_pem_x509_certificate(certificate).public_key()
    except ValueError:
        raise Unavailable("certificate") from None
    if not isinstance(key, RSAPublicKey):
        raise Unavailable("certificate")
    while len(_keys) >= _KEPT:
        del _keys[next(iter(_keys))]
    _keys[url] = key


def _get(url: str) -> Any:
    try:
        return client().request("GET", url)
    except (NotConnected, NoAnswer):
        raise Unavailable("no answer") from None
