"""Words that mean something: asking for a person, urgency, thanks."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import filterfalse

from sportello.domain.model import Model


class Phrases(Model):
    """Words that mean something in one language; whole words, any case."""

    asks_person: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()


THANKS_WORDS = 6
"""A longer message is more than thanks."""


_NEGATIONS = frozenset({"no", "non", "not", "ma", "but"})
_WORD = re.compile(r"[^\W_]+")


def plain(text: str) -> str:
    """Lower case, no accents, words apart by single spaces: ``È urgente!!`` is ``e urgente``."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    if not text.isascii():
        text = "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text)))
    return _WORD.findall(text.casefold())


class Patterns:
    """The phrases of all languages by their first word: a message costs one look-up a word."""

    __slots__ = ("_by_first",)

    def __init__(self, phrases: Mapping[str, Phrases]) -> None:
        self._by_first: dict[str, list[tuple[list[str], str]]] = {}
        for language in phrases.values():
            for kind in Phrases.model_fields:
                for phrase in getattr(language, kind):
                    if words := _words(phrase):
                        self._by_first.setdefault(words[0], []).append((words, kind))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: len(entry[0]), reverse=True)

    def found(self, words: Sequence[str]) -> list[tuple[int, str, int]]:
        """Where each phrase begins, its kind and number of words; of one place the longest first."""
        return [
            (start, kind, len(phrase))
            for start, word in enumerate(words)
            for phrase, kind in self._by_first.get(word, ())
            if words[start : start + len(phrase)] == phrase
        ]


class Meaning:
    """What the words of one message mean; every language of the desk counts, whatever the thread's."""

    __slots__ = ("asks_person", "thanks", "urgent")

    def __init__(self, text: str, patterns: Patterns) -> None:
        words = _words(text) if text else []
        found = patterns.found(words)
        kinds = {kind for _, kind, _ in found}
        self.asks_person = "asks_person" in kinds
        self.urgent = "urgent" in kinds
        wants = self.asks_person or self.urgent or "?" in text or len(words) > THANKS_WORDS
        self.thanks = "thanks" in kinds and not wants and _little_else(words, found)


def _little_else(words: Sequence[str], found: Iterable[tuple[int, str, int]]) -> bool:
    """Whether besides thanks there is one word at most, and none that could be a second thought."""
    rest, after = list[str](), 0
    thanks = {start: length for start, kind, length in reversed(list(found)) if kind == "thanks"}
    for number, word in enumerate(words):
        if number < after:
            continue
        if number in thanks:
            after = number + thanks[number]
        else:
            rest.append(word)
    return len(rest) <= 1 and not _NEGATIONS.intersection(rest)
