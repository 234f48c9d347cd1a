"""What emoji and emoticons feel."""

import pytest

from sportello.domain import emoji


@pytest.mark.parametrize(
    ("text", "felt"),
    [
        ("", ""),
        ("plain words, 10:30, https://x.example", ""),
        ("👍", "+"),
        ("👍🏿👍🏻", "++"),
        ("❤️", "+"),
        ("🤷‍♂️", "~"),
        ("😢 👎 😡", "-x!"),
        ("❓", "?"),
        ("⏳", "w"),
        ("📦🚚", ""),
        ("ok :)", "+"),
        ("ok :D", "+"),
        (":Dog", ""),
        ("no :(", "-"),
        (">:(", "!"),
        ("hm :/", "~"),
        ("<3", "+"),
        ("ну вот((", "-"),
    ],
)
def test_each_sign_has_one_feeling(text: str, felt: str) -> None:
    assert emoji.feelings(text) == felt


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("👍", "positive"),
        (" 👍🏽 🙏🏾!! ", "positive"),
        (":)", "positive"),
        ("😡😢", "negative"),
        ("👍😡", ""),
        ("😂", ""),
        ("👍 ok", ""),
        ("👍📦", ""),
        ("", ""),
    ],
)
def test_nothing_but_signs(text: str, tone: str) -> None:
    assert emoji.only(text) == tone


def test_no_sign_has_two_feelings() -> None:
    signs = [sign for listed in emoji._LISTED.values() for sign in listed]
    assert len(signs) == len(set(signs))
    assert all(emoji.feelings(sign) for sign in signs)


def test_the_mouth_of_a_face_is_no_word() -> None:
    assert emoji.without_faces("grazie :D").split() == ["grazie"]
