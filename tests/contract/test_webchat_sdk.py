"""Our JWT and PyJWT say the same of the same tokens.

Where we are stricter, on purpose:

- ``exp`` is required and at most a day ahead, ``sub`` is required: an identity must not outlive its leak.
- A name that stands twice in an object is refused; PyJWT takes the last one, other libraries the first.
- ``aud`` is checked against the site even though we never ask for it.
"""

import time
from typing import Any

import jwt
import pytest

from sportello.channels import webchat_tokens as tokens
from tests.contract.test_webchat import jwt as ours

SECRET = "fake-secret-of-the-site-0000000000000001"
NOW = int(time.time())


def theirs(token: str) -> dict[str, Any] | None:
    options: Any = {"require": ["exp", "sub"]}
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"], audience=None, leeway=0, options=options)
    except jwt.InvalidTokenError:
        return None


def mine(token: str) -> tokens.Identity | None:
    return tokens.read_identity(token, (SECRET,), "main", NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "c-1"},
        {"sub": "c-1", "iat": NOW, "nbf": NOW - 5, "name": "Zoë", "email": "one@example.com"},
        {"sub": "0" * 128},
        {"sub": "é ß 漢字"},
    ],
)
def test_what_pyjwt_signs_we_read_and_what_we_sign_it_reads(claims: dict[str, Any]) -> None:
    whole = {"exp": NOW + 6_000, **claims}
    token = jwt.encode(whole, SECRET, algorithm="HS256")
    found = mine(token)
    assert found is not None
    assert (found.sub, found.expires) == (claims["sub"], NOW + 6_000)
    assert theirs(ours(whole, SECRET)) == whole


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000}, "another-secret-of-the-site-0000000000001", "HS256"),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000}, SECRET * 2, "HS512"),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000}, "", "none"),
        jwt.encode({"sub": "c-1", "exp": NOW - 1}, SECRET, "HS256"),
        jwt.encode({"sub": "c-1"}, SECRET, "HS256"),
        jwt.encode({"exp": NOW + 6_000}, SECRET, "HS256"),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000, "nbf": NOW + 6_000}, SECRET, "HS256"),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000, "iat": NOW + 6_000}, SECRET, "HS256"),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000, "aud": "other"}, SECRET, "HS256"),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000}, SECRET, "HS256", headers={"crit": ["x"], "x": 1}),
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000}, SECRET, "HS256")[:-2],
        jwt.encode({"sub": "c-1", "exp": NOW + 6_000}, SECRET, "HS256") + "AA",
        "a.b.c",
        "",
    ],
    ids=[
        "another secret", "HS512", "none", "run out", "for ever", "nobody", "not yet", "from tomorrow",
        "for others", "critical", "cut off", "longer", "no token", "empty",
    ],
)  # fmt: skip
def test_both_refuse_the_same(token: str) -> None:
    assert theirs(token) is None
    assert mine(token) is None


def test_where_we_are_stricter() -> None:
    token = jwt.encode({"sub": "c-1", "exp": NOW + 90_000}, SECRET, "HS256")
    assert theirs(token)
    assert mine(token) is None
    twice = ours(b'{"sub":"c-2","sub":"c-1","exp":%d}' % (NOW + 6_000), SECRET)
    assert theirs(twice) == {"sub": "c-1", "exp": NOW + 6_000}
    assert mine(twice) is None


def test_a_signature_has_one_spelling_for_both() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text, _, signature = ours({"sub": "c-1", "exp": NOW + 6_000}, SECRET).rpartition(".")
    twin = f"{text}.{signature[:-1]}{alphabet[alphabet.index(signature[-1]) ^ 1]}"
    assert theirs(twin) is None
    assert mine(twin) is None
