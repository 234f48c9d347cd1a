"""Amazon SNS as it calls a subscribed address: envelopes signed with a certificate under its own host."""

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sportello.domain.model import Instant, to_datetime

CERTIFICATE = "/SimpleNotificationService-00000000000000000000000000000001.pem"
SIGNED = {
    "Notification": ("Message", "MessageId", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip


@cache
def _key() -> RSAPrivateKey:
    """Of this process: whoever restarts the world gets another one, and another certificate."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2126, 1, 1, tzinfo=UTC))
        .sign(_key(), hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def host(topic: str) -> str:
    return f"sns.{topic.split(':')[3]}.amazonaws.com"


def envelope(topic: str, message: Mapping[str, Any], now: Instant) -> dict[str, Any]:
    return signed(
        {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": topic,
            "Message": json.dumps(message),
            "Timestamp": _iso(now),
        }
    )


def confirmation(topic: str, token: str, now: Instant) -> dict[str, Any]:
    """What a new subscriber is asked."""
    url = f"https://{host(topic)}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"
    return signed(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": topic,
            "Token": token,
            "Message": "You have chosen to subscribe.",
            "SubscribeURL": url,
            "Timestamp": _iso(now),
        }
    )


def signed(body: dict[str, Any]) -> dict[str, Any]:
    text = "".join(f"{name}\n{body[name]}\n" for name in SIGNED[body["Type"]])
    proof = _key().sign(text.encode(), PKCS1v15(), hashes.SHA256())
    return body | {
        "SignatureVersion": "2",
        "Signature": base64.b64encode(proof).decode(),
        "SigningCertURL": f"https://{host(body['TopicArn'])}{CERTIFICATE}",
    }


def headers(body: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": str(body["Type"]),
        "x-amz-sns-message-id": str(body["MessageId"]),
        "x-amz-sns-topic-arn": str(body["TopicArn"]),
    }


def _iso(now: Instant) -> str:
    return to_datetime(now).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now % 1000:03d}Z"
