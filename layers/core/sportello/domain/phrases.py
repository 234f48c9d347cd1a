"""Words that mean something: asking for a person, urgency, thanks."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import filterfalse

from sportello.domain.model import Model


class Phrases(Model):
    """Words that mean something in one language; whole words, any case."""

    asks_person: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()


THANKS_WORDS = 6
"""A longer message is more than thanks."""


def plain(text: str) -> str:
    """Lower case, no accents, words apart by single spaces: ``È urgente!!`` is ``e urgente``."""
    if not text.isascii():
        text = "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text)))
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    words = sorted({plain(phrase) for phrase in phrases} - {""}, key=len, reverse=True)
    if not words:
        return None
    return re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")\b")


def _all(phrases: Mapping[str, Phrases], kind: str) -> tuple[str, ...]:
    return tuple(phrase for language in phrases.values() for phrase in getattr(language, kind))


class Meaning:
    """What the words of one message mean; every language of the desk counts, whatever the thread's."""

    __slots__ = ("asks_person", "thanks", "urgent")

    def __init__(self, text: str, patterns: "Patterns") -> None:
        words = plain(text) if text else ""
        self.asks_person = _found(patterns.asks_person, words)
        self.urgent = _found(patterns.urgent, words)
        wants = self.asks_person or self.urgent
        self.thanks = not wants and _only_thanks(patterns.thanks, words, text)


class Patterns:
    """The phrases of all languages, compiled once."""

    __slots__ = ("asks_person", "thanks", "urgent")

    def __init__(self, phrases: Mapping[str, Phrases]) -> None:
        self.asks_person = _pattern(_all(phrases, "asks_person"))
        self.urgent = _pattern(_all(phrases, "urgent"))
        self.thanks = _pattern(_all(phrases, "thanks"))


def _found(pattern: re.Pattern[str] | None, words: str) -> bool:
    return bool(words and pattern and pattern.search(words))


def _only_thanks(pattern: re.Pattern[str] | None, words: str, text: str) -> bool:
    """Thanks, and nothing that could be a question or a second thought."""
    if not words or pattern is None or "?" in text or len(words.split()) > THANKS_WORDS:
        return False
    rest = pattern.sub(" ", words).split()
    return len(rest) <= 1 and bool(pattern.search(words)) and not _negates(rest)


def _negates(words: Iterable[str]) -> bool:
    return any(word in {"no", "non", "not", "ma", "but"} for word in words)
