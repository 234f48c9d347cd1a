"""The webhook's cheap look: may this message be a frequent question at all?"""

from time import process_time

import pytest

import tests.eval.faq as evaluation
from infra import bundle_faq
from sportello.domain.faq import Faq, FaqEntry, FaqLocale
from sportello.domain.faq_words import MOST_WORDS, may_be_frequent, starts_of

FAQ = Faq(
    locales={
        "en": FaqLocale(
            entries=(
                FaqEntry(id="shipping", questions=("how much is shipping",), answer="5"),
                FaqEntry(id="fee", questions=("is there a fee",), answer="No."),
            ),
            same_words=(("shipping", "bring it over"),),
            fillers=("is", "there", "a", "much", "it"),
            asks=("how",),
        ),
        "zh": FaqLocale(
            entries=(FaqEntry(id="shipping", questions=("运费多少",), answer="5"),), fillers=("多少",)
        ),
        "ru": FaqLocale(
            entries=(FaqEntry(id="shipping", questions=("доставка стоит",), answer="5"),), fillers=("стоит",)
        ),
    }
)
WORDS = bundle_faq.words(FAQ)


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("shipping", True),
        ("shipped when", True),  # an ending more or less
        ("could somebody bring it", True),  # words that mean the same
        ("any fees", False),  # a short word counts whole
        ("any fee", True),
        ("доставки нет", True),
        ("请问运费呢", True),
        ("我的灯", False),
        ("how is it there", False),  # fillers and question words tell nothing
        ("hello there", False),
        ("", False),
    ],
)
def test_a_message_may_be_one_if_a_word_begins_like_one_of_theirs(text: str, may: bool) -> None:
    assert may_be_frequent(text.split(), WORDS) is may


def test_a_long_message_tells_a_story() -> None:
    assert may_be_frequent(["shipping"] * MOST_WORDS, WORDS)
    assert not may_be_frequent(["shipping"] * (MOST_WORDS + 1), WORDS)


def test_without_questions_nothing_is_asked() -> None:
    assert bundle_faq.words(Faq()) == frozenset()
    assert not may_be_frequent(["shipping"], frozenset())


def test_short_stems_stand_whole() -> None:
    assert starts_of("shipping", "ship") == ("ship",)
    assert starts_of("fee", "fee") == ("fee",)
    assert starts_of("returns", "return") == ("retur",)
    assert starts_of("运费多", "运费多") == ("运费", "费多")


def test_it_costs_a_webhook_next_to_nothing() -> None:
    """15 words that are none of theirs: microseconds, against milliseconds of a webhook."""
    words = [f"{letter}zqx{letter}zq" for letter in "abcdefghijklmno"]
    vocabulary = bundle_faq.words(evaluation.faq("it", "en", "ru"))
    assert not may_be_frequent(words, vocabulary)
    spent = []
    for _ in range(5):
        begun = process_time()
        for _ in range(2_000):
            may_be_frequent(words, vocabulary)
        spent.append((process_time() - begun) / 2_000)
    assert min(spent) < 15e-6
