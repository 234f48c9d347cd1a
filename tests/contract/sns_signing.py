"""Messages as Amazon SNS signs them, with a key and a certificate made for these tests.

The certificate lies where a real one would, under ``CERTIFICATE_URL``; whoever signs here has put it
among those that ``sportello.channels.sns`` remembers, so that reading a sample asks nobody.
"""

import base64
import json
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

from sportello.channels import sns

REGION = "eu-south-1"
CERTIFICATE_URL = f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-{'0' * 31}1.pem"
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip


@cache
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(private: RSAPrivateKey | None = None) -> bytes:
    """PEM; of the tests' key unless another is named."""
    signer = private or key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2126, 1, 1, tzinfo=UTC))
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def signed(envelope: Mapping[str, Any], *, private: RSAPrivateKey | None = None) -> dict[str, Any]:
    """The envelope with its signature; a ``Message`` that is no text yet becomes its JSON."""
    sns.remember(CERTIFICATE_URL, certificate())
    whole = {"SignatureVersion": "2", "SigningCertURL": CERTIFICATE_URL, **envelope}
    if not isinstance(whole.get("Message"), str):
        whole["Message"] = json.dumps(whole.get("Message"), ensure_ascii=False)
    # SNS carries UTF-8 alone: there are no halves of characters in it.
    whole = {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in whole.items()
    }
    names = [name for name in SIGNED[whole["Type"]] if whole.get(name) is not None]
    text = "".join(f"{name}\n{whole[name]}\n" for name in names)
    algorithm = hashes.SHA256() if whole["SignatureVersion"] == "2" else hashes.SHA1()
    proof = (private or key()).sign(text.encode(), PKCS1v15(), algorithm)
    # What is signed comes first, so that a byte changed in the middle is one of it.
    return {
        "Message": whole.pop("Message"),
        "Signature": base64.b64encode(proof).decode(),
        **{name: value for name, value in whole.items() if name != "UnsubscribeURL"},
        "UnsubscribeURL": whole.get("UnsubscribeURL", ""),
    }
