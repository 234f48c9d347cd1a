"""Who is at the other end of the site chat: our own sealed tokens, and the company's identity tokens.

A visitor's token is ours: ``v1.<claims>.<HMAC>``. An identity token is a JWT that the company's back
end signs with the connection's secret (RFC 7515, HS256 and nothing else). Signatures are compared as
text, so only the one canonical spelling of each is good. Times are Unix seconds.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets as random
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard

from sportello.channels.signatures import equal

ANONYMOUS, IDENTIFIED = "a:", "u:"
"""How customer ids begin: nobody's ``sub`` can be taken for a visitor's own id."""
DAY_SECONDS = 86_400
ACCESS_SECONDS = DAY_SECONDS
"""A visitor's token is good for calls this long, and renewed at every opening of a session."""
RENEWAL_SECONDS = 30 * DAY_SECONDS
"""So much later it can still be exchanged for a fresh one: a visitor comes back on Monday."""
IDENTITY_SECONDS = DAY_SECONDS
"""The longest life of an identity token."""
LEEWAY = 30
"""Seconds by which the company's clock may differ from ours."""
LONGEST = 4096
"""Characters of a token."""
SECRET_LEAST = 32
"""Characters of a secret: RFC 7518 asks for no fewer bytes than the hash has."""
SUB_MOST = 128
TEXT_MOST = 100
EARLIER_MOST = 3

_PART = re.compile(r"[A-Za-z0-9_-]+")
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,24}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


class Visitor(NamedTuple):
    """Who speaks, as a token says it."""

    id: str
    expires: int
    name: str = ""
    email: str = ""
    """Attested by the company; empty for anonymous visitors, whatever they typed."""
    language: str = ""
    earlier: tuple[str, ...] = ()
    """Anonymous ids under which this contact wrote before: their conversations are shown as well."""

    @property
    def identified(self) -> bool:
        return self.id.startswith(IDENTIFIED)


class Identity(NamedTuple):
    """What the company's back end attests."""

    sub: str
    expires: int
    name: str = ""
    email: str = ""
    language: str = ""


# --- tokens of our own ----------------------------------------------------------------------------


def seal(secret: str, purpose: str, claims: Mapping[str, Any]) -> str:
    """``<purpose>.<claims>.<HMAC-SHA256>``; the same claims are always the same token."""
    payload = _encode(json.dumps(claims, separators=(",", ":"), sort_keys=True).encode("utf-8", "replace"))
    return f"{purpose}.{payload}.{_signature(secret, f'{purpose}.{payload}')}"


def unseal(secrets: Iterable[str], purpose: str, token: str) -> dict[str, Any] | None:
    """The claims of a token that one of our secrets has sealed for this purpose."""
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != 3 or parts[0] != purpose:
        return None
    return _claims(parts[1]) if _signed(secrets, parts) else None


def new_visitor(now: int, language: str = "") -> Visitor:
    """Somebody whom nobody has seen before: 128 random bits."""
    return Visitor(f"{ANONYMOUS}{random.token_hex(16)}", now + ACCESS_SECONDS, language=language)


def visitor_token(visitor: Visitor, secret: str) -> str:
    claims: dict[str, Any] = {"id": visitor.id, "exp": visitor.expires}
    for key, value in (("name", visitor.name), ("email", visitor.email), ("lang", visitor.language)):
        if value:
            claims[key] = value
    if visitor.earlier:
        claims["was"] = list(visitor.earlier)
    return seal(secret, "v1", claims)


def read_visitor(token: str, secrets: Iterable[str], now: int, *, late: int = 0) -> Visitor | None:
    """The visitor of a token that is good now, or was within the last ``late`` seconds."""
    claims = unseal(secrets, "v1", token)
    if claims is None or claims["exp"] + late <= now:
        return None
    return Visitor(
        id=claims["id"],
        expires=claims["exp"],
        name=claims.get("name", ""),
        email=claims.get("email", ""),
        language=claims.get("lang", ""),
        earlier=tuple(claims.get("was", ())),
    )


# --- the company's identity tokens ----------------------------------------------------------------


def read_identity(token: str, secrets: Iterable[str], audience: str, now: int) -> Identity | None:
    """A JWT's claims, where they are the company's and good now.

    ``sub`` (1 to 128 characters) and ``exp`` (at most 24 hours ahead) must be there; ``nbf``, ``iat``
    and ``aud`` hold if they are; ``name``, ``email`` and ``language`` are taken over.
    """
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != 3 or not _signed(secrets, parts):
        return None
    header, claims = _claims(parts[0]), _claims(parts[1])
    if header is None or claims is None or not _is_hs256(header) or not _holds(claims, audience, now):
        return None
    email, language = _text(claims, "email"), _text(claims, "language")
    return Identity(
        sub=claims["sub"],
        expires=int(claims["exp"]),
        name=_text(claims, "name"),
        email=email if is_email(email) else "",
        language=language.lower() if _LANGUAGE.fullmatch(language) else "",
    )


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def _is_hs256(header: Mapping[str, Any]) -> bool:
    return header.get("alg") == "HS256" and "crit" not in header and "b64" not in header


def _holds(claims: Mapping[str, Any], audience: str, now: int) -> bool:
    sub, expires = claims.get("sub"), claims.get("exp")
    if not isinstance(sub, str) or not 1 <= len(sub) <= SUB_MOST or not sub.isprintable():
        return False
    if not _is_number(expires) or not now < expires <= now + IDENTITY_SECONDS + LEEWAY:
        return False
    for early in ("nbf", "iat"):
        if early in claims and (not _is_number(claims[early]) or claims[early] > now + LEEWAY):
            return False
    named = claims.get("aud", audience)
    return audience in (named if isinstance(named, list) else [named])


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value[:TEXT_MOST] if isinstance(value, str) and value.isprintable() else ""


# --- the form that both have in common ------------------------------------------------------------


def _signed(secrets: Iterable[str], parts: list[str]) -> bool:
    found = False
    for secret in secrets:
        found |= bool(secret) and equal(_signature(secret, f"{parts[0]}.{parts[1]}"), parts[2])
    return found


def _signature(secret: str, text: str) -> str:
    return _encode(hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _claims(part: str) -> dict[str, Any] | None:
    """JSON as RFC 8259 has it: an object, no NaN, no name twice."""
    if not _PART.fullmatch(part):
        return None
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
