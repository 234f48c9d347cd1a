"""X against others' code: signing against oauthlib, lengths against a port of X's own twitter-text.

Two differences of length, both in twitter-text-parser's data and not in X's rules: its list of emoji is
older (U+231A and the like followed by U+FE0F count 2 by X's rule, 4 there), and it knows every
top-level domain, where we count only the usual ones in an address without ``https://``.
"""

import itertools
import random
import warnings
from urllib.parse import parse_qsl

import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, Client

from sportello.channels.x_oauth import Keys, authorization
from sportello.channels.x_text import POST_LIMIT, weight

with warnings.catch_warnings():  # it reads its data by pkg_resources, which newer setuptools warn of
    warnings.simplefilter("ignore")
    from twitter_text import parse_tweet

KEYS = Keys("consumer key", "secret/+=&", "9-token", "è secret")
NONCE, TIMESTAMP = "0123456789abcdef", 1_795_461_300


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://api.x.com/2/tweets"),
        ("POST", "https://api.x.com/2/dm_conversations/with/8000000000000000001/messages"),
        ("GET", "https://api.x.com/2/users/me?user.fields=name,username"),
        ("GET", "https://api.x.com/2/tweets/1?expansions=attachments.media_keys&media.fields=type,url"),
        ("PUT", "https://api.x.com/2/webhooks/17"),
        (
            "GET",
            "https://TON.twitter.com/1.1/ton/data/dm/1/2/A%20b.jpg?b=2&a=1&a=0&empty=&space=a+b&e=%C3%A8",
        ),
    ],
)
@pytest.mark.parametrize("keys", [KEYS, Keys("k", "s", "t", "ts"), Keys("k", "", "t", "")])
def test_requests_are_signed_as_oauthlib_signs_them(method: str, url: str, keys: Keys) -> None:
    client = Client(
        keys.consumer_key, keys.consumer_secret, keys.token, keys.token_secret,
        signature_method=SIGNATURE_HMAC_SHA1, nonce=NONCE, timestamp=str(TIMESTAMP),
    )  # fmt: skip
    _, headers, _ = client.sign(url, method)
    ours = authorization(method, url, keys, nonce=NONCE, timestamp=TIMESTAMP)
    assert fields(ours) == fields(headers["Authorization"])


def test_every_request_is_signed_anew() -> None:
    first, second = (authorization("GET", "https://api.x.com/2/users/me", KEYS) for _ in range(2))
    assert fields(first)["oauth_nonce"] != fields(second)["oauth_nonce"]
    assert fields(first)["oauth_signature"] != fields(second)["oauth_signature"]


def fields(header: str) -> dict[str, str]:
    assert header.startswith("OAuth ")
    pairs = header.removeprefix("OAuth ").replace('"', "").replace(", ", "&").replace("+", "%2B")
    found = dict(parse_qsl(pairs, keep_blank_values=True))
    assert len(found) == 7
    return found


PIECES = (
    "hello", "ciao.", "日本語", "한", "क", "ع", "Ω", "я", "é", "e\u0301", "“”", "—", "…", "€", "©", "™",
    "\u200d", "\n", "\r\n", "🙂", "👍🏽", "👨\u200d👩\u200d👧", "🇮🇹", "❤", "❤\ufe0f", "1\ufe0f\u20e3", "✅",
    "☎", "☎\ufe0f", "🏳\ufe0f\u200d🌈", "𝒜",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "https://example.com", "http://www.example.com/a?b=c#d", "https://t.co/abcdefghij", "example.com",
    "www.example.it/path/", "see example.com.", "(https://example.com/x(y))", "https://example.com/a,b.",
    "example.com,test", "http://例え.com", "例え.com", "中example.com", "example.com中", "EXAMPLE.COM",
    "x.com/a/b", "ok.io va", "user@example.com", "@example.com", "$x.com", "e.g. this", "12.30", "a.b",
    "1.2.3.4", "ftp://example.com", "https://localhost/x", "https://a_b.example.com", "grazie.Ciao", "ch.e",
)  # fmt: skip


@pytest.mark.parametrize("text", PIECES)
def test_a_piece_weighs_what_xs_own_count_says(text: str) -> None:
    assert weight(text) == parse_tweet(text).weightedLength


def test_so_do_texts_of_several() -> None:
    chosen = random.Random(4711)
    for length, _ in itertools.product(range(2, 12), range(60)):
        text = " ".join(chosen.choice(PIECES) for _ in range(length))
        assert weight(text) == parse_tweet(text).weightedLength, text


def test_the_limit_is_xs() -> None:
    assert parse_tweet("x" * POST_LIMIT).valid
    assert not parse_tweet("x" * (POST_LIMIT + 1)).valid


def test_where_we_differ() -> None:
    assert (weight("⌚\ufe0f"), parse_tweet("⌚\ufe0f").weightedLength) == (2, 4)
    assert (weight("no.dot here"), parse_tweet("no.dot here").weightedLength) == (11, 28)
