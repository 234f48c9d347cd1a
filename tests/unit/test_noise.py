"""What leaves the queue; the default is that somebody wants help."""

import pytest

from sportello.domain.noise import links_in, noise_of
from sportello.domain.phrases import Meaning, Patterns, Phrases

PATTERNS = Patterns(
    {
        "en": Phrases(
            asks_person=("real person",),
            spam=("casino", "free spins", "earn money"),
            phishing=("will be disabled", "submit an appeal", "community standards"),
            newsletter=("unsubscribe", "view in browser", "guest post"),
            about_noise=("is this from you", "my order"),
        )
    }
)


def noise(text: str, answered_before: bool = False, links: int | None = None) -> str:
    found = links_in(text) if links is None else links
    return noise_of(text, Meaning(text, PATTERNS), answered_before=answered_before, links=found)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Casino! Free spins!", "spam"),
        ("Your page will be disabled. Submit an appeal: https://x.example/a?b", "phishing"),
        ("Unsubscribe | View in browser", "newsletter"),
        ("Want free spins? Our casino lets you earn money!", "spam"),
        ("Free spins in our casino? www.x.example/1", "spam"),
        ("casino, free spins, earn money, unsubscribe", "spam"),
    ],
)
def test_several_signs_of_one_kind(text: str, kind: str) -> None:
    assert noise(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "casino",
        "casino casino casino https://x.example",
        "your page will be disabled https://x.example",
        "casino or unsubscribe or will be disabled https://x.example",
        "Is there a casino with free spins?",
        "Your page will be disabled. Submit an appeal: https://x.example is this from you",
        "my order: casino, free spins, earn money",
        "casino, free spins, earn money: I want a real person",
    ],
)
def test_everything_else_wants_help(text: str) -> None:
    assert noise(text) == ""


def test_whom_we_answered_is_no_noise() -> None:
    assert noise("Casino! Free spins! Earn money!") == "spam"
    assert noise("Casino! Free spins! Earn money!", answered_before=True) == ""


def test_a_link_beside_the_text_counts_as_one_in_it() -> None:
    assert noise("Free spins in our casino?", links=0) == ""
    assert noise("Free spins in our casino?", links=1) == "spam"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("", 0),
        ("see https://x.example and www.y.example", 2),
        ("HTTPS://X.EXAMPLE", 1),
        ("bit.ly/abc", 1),
        ("write to care@example.com. Thanks", 0),
        ("costs 10.50/kg", 0),
    ],
)
def test_links_are_counted(text: str, links: int) -> None:
    assert links_in(text) == links
