"""Phrases of the guidelines as a care lead writes them, found in a text whatever its case and accents."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

from sportello.domain.guidelines import Words

Place = tuple[int, int, str]
"""Start, end, and a suggestion of the place's own; empty: the rule's."""


def folded(text: str) -> str:
    """Small letters without accents, straight apostrophes, plain spaces; of the same length."""
    return "".join(map(_folded_sign, text))


@lru_cache(maxsize=4096)
def _folded_sign(sign: str) -> str:
    if sign in "\u2019\u2018\u02bc\u00b4`":
        return "'"
    if sign in "\u00a0\u202f\u2009\t":
        return " "
    small = unicodedata.normalize("NFKD", sign)[:1].lower()
    return small if len(small) == 1 else sign


_GAP = r"(?:[ ,]+[\w'%-]+){0,4}[ ,]+"


@lru_cache(maxsize=256)
def _phrases(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern of many phrases, the longer first."""
    return re.compile("|".join(_phrase(phrase) for phrase in sorted(phrases, key=len, reverse=True)))


def _phrase(phrase: str) -> str:
    pieces = [r"[\s,]+".join(map(_word, piece.split())) for piece in folded(phrase).split("...")]
    return _GAP.join(pieces)


def _word(word: str) -> str:
    """``garanti*`` goes on; anything else is a whole word. Chinese has no spaces between words."""
    stem, star, _ = word.partition("*")
    if not stem[:1].isalnum() or unicodedata.east_asian_width(stem[0]) == "W":
        return re.escape(stem)
    return rf"(?<!\w){re.escape(stem)}" + (r"\w*" if star else r"(?!\w)" if stem[-1].isalnum() else "")


NEAR = 30
"""Characters before a phrase within which another makes it harmless."""


def of_words(rule: Words, text: str) -> Iterator[Place]:
    if not rule.say:
        return
    text = folded(text)
    harmless = [found.span() for found in _phrases(rule.unless).finditer(text)] if rule.unless else []
    for found in _phrases(rule.say).finditer(text):
        start, end = found.span()
        if not any(_saves(text, saving, start, end) for saving in harmless):
            yield start, end, ""


def _saves(text: str, saving: tuple[int, int], start: int, end: int) -> bool:
    first, last = saving
    if first < end and start < last:
        return first < start or end < last  # not a "won't" inside of "won't happen again"
    return last <= start <= last + NEAR and not re.search(r"[.,!?;\n]", text[last:start])


def of_replaced(words: Mapping[str, str] | None, text: str) -> Iterator[Place]:
    if not words:
        return
    for found in _phrases(tuple(words)).finditer(folded(text)):
        yield *found.span(), _replacement(found[0], words)


def _replacement(said: str, words: Mapping[str, str]) -> str:
    matching = [phrase for phrase in words if re.fullmatch(_phrase(phrase), said)]
    return words[max(matching, key=len)] if matching else ""
