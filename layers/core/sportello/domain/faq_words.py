"""Whether a message may be a frequent question: cheap enough for every message of a webhook.

It only decides whether the matcher is asked (``services.faq``, outside the webhook): a yes too many
costs one consult, a no too many leaves the question to a person.
"""

from collections.abc import Sequence

MOST_WORDS = 60
"""A longer message tells a story: a person reads it."""
START = 5
"""Letters by which a word is known: endings change, beginnings seldom."""
SHORT_START = 4
_CJK = "\u2e80"


def may_be_frequent(words: Sequence[str], vocabulary: frozenset[str]) -> bool:
    """Whether any word begins like one of the frequent questions.

    Args:
        words: of the message, as ``Meaning.words`` has them: lower case, no accents, Chinese in whole runs.
        vocabulary: ``Desk.faq_words``, made by ``starts_of``.
    """
    if len(words) > MOST_WORDS:
        return False
    for word in words:
        if word[:START] in vocabulary or word[:SHORT_START] in vocabulary:
            return True
        if word[0] > _CJK and not vocabulary.isdisjoint(_pairs(word)):
            return True
    return False


def starts_of(word: str, stem: str) -> tuple[str, ...]:
    """How a word stands in the vocabulary: its first letters, or all of a short one; Chinese in pairs."""
    if word[0] > _CJK:
        return _pairs(word)
    if len(stem) >= START:
        return (stem[:START],)
    return (stem,) if len(stem) == SHORT_START else (word[:START],)


def _pairs(run: str) -> tuple[str, ...]:
    return tuple(run[at : at + 2] for at in range(len(run) - 1))
