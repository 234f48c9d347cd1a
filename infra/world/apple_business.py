"""The businesses of ours at Apple, the tokens between us, and what Apple posts."""

import base64
import gzip
import hashlib
import hmac
import json
import time
from typing import Any

from infra.world.model import Person, PlatformAccount, Webhook
from infra.world.state import State


class AppleBusiness(PlatformAccount):
    """``id`` is the business id."""

    msp_id: str
    secret: str
    """Base64; its bytes are the key."""


LOCAL_BUSINESS = AppleBusiness(
    id="a11ce000-0000-4000-8000-000000000001",
    msp_id="local-msp-id",
    secret=base64.b64encode(b"local-desk-secret-of-32-bytes-ab").decode(),
)


def customer_of(person: Person) -> str:
    """Opaque, and another one at every business."""
    digest = hashlib.sha256(f"apple {person.number}".encode()).digest()
    return "urn:mbid:AQAAY" + base64.b64encode(digest * 2).decode()


def token(business: AppleBusiness, claims: dict[str, Any]) -> str:
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{signed}.{_signature(business, signed)}"


def is_ours(business: AppleBusiness, given: str) -> bool:
    """A token of the provider: ``iss`` is its id, and ``iat`` lies not in the future."""
    signed, _, signature = given.rpartition(".")
    if not signature or not hmac.compare_digest(
        _signature(business, signed).encode(), signature.encode("utf-8", "replace")
    ):
        return False
    part = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    issued = claims.get("iat")
    return claims.get("iss") == business.msp_id and isinstance(issued, int) and issued <= time.time() + 60


def _signature(business: AppleBusiness, signed: str) -> str:
    key = base64.b64decode(business.secret)
    digest = hmac.new(key, signed.encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encoded(value: dict[str, Any]) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def webhook_of(
    state: State, business: AppleBusiness, address: str, body: dict[str, Any], capabilities: str
) -> Webhook:
    """Compressed, with the token that does not cover it; Apple adds a word to the address."""
    content = gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
    claims = {"aud": business.msp_id, "iat": int(time.time())}
    return Webhook(
        id=f"apple-{state.next('apple webhooks')}",
        channel="apple",
        account=business.id,
        address=address,
        message_id=str(body["id"]),
        url=f"{business.webhook_url}/message",
        headers={
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Authorization": f"Bearer {token(business, claims)}",
            "id": str(body["id"]),
            "source-id": address,
            "destination-id": business.id,
            "capability-list": capabilities,
            "locale": str(body.get("locale", "")),
        },
        body=base64.b64encode(content).decode(),
        body_base64=True,
    )
