"""Links of notices: nobody makes one, bends one or uses one too late."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from sportello.domain.model import SECOND
from sportello.domain.take_link import LASTS, TakeLink, read_token, token_of

SECRET, OTHER = b"k" * 43, b"j" * 43
NOW = 1_795_424_400_000
LINK = TakeLink("a" * 26, "M#1795424400000#abcdefghijklmnop~call", "slack-care", NOW + LASTS)
TOKEN = token_of(LINK, SECRET)


def test_a_token_says_what_was_signed() -> None:
    assert read_token(TOKEN, [SECRET], NOW) == LINK
    assert len(TOKEN) <= 200
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_link_of_an_incident_fits_too() -> None:
    link = LINK._replace(key="I#n#1795424400000#complaint-private")
    assert read_token(token_of(link, SECRET), [SECRET], NOW) == link


def test_it_is_good_for_seven_days_and_not_a_moment_longer() -> None:
    assert read_token(TOKEN, [SECRET], LINK.expires - 1) == LINK
    assert read_token(TOKEN, [SECRET], LINK.expires) is None


def test_another_key_has_not_signed_it_and_an_older_one_still_counts() -> None:
    assert read_token(TOKEN, [OTHER], NOW) is None
    assert read_token(TOKEN, [], NOW) is None
    assert read_token(TOKEN, [OTHER, SECRET], NOW) == LINK


@given(st.integers(0, len(TOKEN) * 8 - 1))
def test_a_flipped_bit_makes_it_worthless(bit: int) -> None:
    raw = bytearray(TOKEN.encode())
    raw[bit // 8] ^= 1 << bit % 8
    assert read_token(raw.decode("latin-1"), [SECRET], NOW) is None


@given(st.integers(0, len(base64.urlsafe_b64decode(TOKEN + "==")) * 8 - 1))
def test_a_flipped_bit_of_what_it_holds_makes_it_worthless(bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKEN + "=="))
    raw[bit // 8] ^= 1 << bit % 8
    token = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert read_token(token, [SECRET], NOW) is None


def test_the_signature_of_one_conversation_opens_no_other() -> None:
    text = base64.urlsafe_b64decode(TOKEN + "==")
    for changed in (
        text.replace(b"a" * 26, b"b" * 26),
        text.replace(b"slack-care", b"slack-lead"),
        text.replace(str(LINK.expires // SECOND).encode(), str(LINK.expires // SECOND + 9).encode()),
    ):
        assert changed != text
        token = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert read_token(token, [SECRET], NOW) is None


@given(st.text(max_size=450))
def test_whatever_comes_is_refused_and_raises_nothing(text: str) -> None:
    assert read_token(text, [SECRET], NOW) is None


def test_there_is_one_spelling() -> None:
    """Padding and the spare bits of the last character would allow others."""
    assert read_token(TOKEN + "=", [SECRET], NOW) is None
    assert read_token(TOKEN + "\n", [SECRET], NOW) is None
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [TOKEN[:-1] + letter for letter in letters if letter != TOKEN[-1]]
    same = [
        s for s in spellings if base64.urlsafe_b64decode(s + "==") == base64.urlsafe_b64decode(TOKEN + "==")
    ]
    assert all(read_token(spelling, [SECRET], NOW) is None for spelling in spellings)
    assert same or len(TOKEN) % 4 == 0
