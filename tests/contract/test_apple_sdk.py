"""Apple's tokens against PyJWT: what one makes the other takes, and both refuse the same.

One difference: PyJWT refuses every ``iat`` that lies in the future, we allow 60 seconds, since Apple's
clock and a Lambda's are two.
"""

import base64
import time
from typing import Any

import jwt
import pytest

from sportello.channels.apple_tokens import is_apples, issued

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = base64.b64encode(KEY).decode()
NOW = int(time.time())


def theirs(token: str) -> bool:
    try:
        jwt.decode(token, KEY, algorithms=["HS256"], audience="msp")
    except jwt.InvalidTokenError:
        return False
    return True


def test_ours_is_what_pyjwt_makes() -> None:
    expected = jwt.encode({"iss": "msp", "iat": NOW}, KEY, algorithm="HS256")
    assert issued("msp", SECRET, now=NOW) == expected
    assert jwt.decode(issued("msp", SECRET), KEY, algorithms=["HS256"])["iss"] == "msp"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "msp", "iat": NOW},
        {"aud": ["other", "msp"]},
        {"aud": "other"},
        {"iat": NOW},
        {"aud": "msp", "exp": NOW + 10_000},
        {"aud": "msp", "exp": NOW - 100},
        {"aud": "msp", "nbf": NOW + 10_000},
        {"aud": "msp", "iat": NOW + 10_000},
    ],
)
@pytest.mark.parametrize("key", [KEY, KEY[::-1]])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_we_agree_on_whom_to_believe(claims: dict[str, Any], key: bytes, algorithm: str) -> None:
    token = jwt.encode(claims, key, algorithm=algorithm)
    assert is_apples(token, "msp", (SECRET,)) is theirs(token)


def test_we_agree_on_tokens_without_a_signature() -> None:
    token = jwt.encode({"aud": "msp"}, "", algorithm="none")
    assert not theirs(token)
    assert not is_apples(token, "msp", (SECRET,))


def test_where_we_differ() -> None:
    token = jwt.encode({"aud": "msp", "iat": int(time.time()) + 40}, KEY, algorithm="HS256")
    assert (is_apples(token, "msp", (SECRET,)), theirs(token)) == (True, False)
