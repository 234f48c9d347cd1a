"""The phrases of ``templates/phrases/``, and how they are found in a message.

The build makes an index of them (``indexed``) that goes into ``desk.json``: functions start without
reading phrase by phrase. It is a plain mapping of texts:

===================  =====================================================
key                  value
===================  =====================================================
``grazie``           lists on which the word stands: ``thanks;alongside``
``grazie per``       phrases that begin so: ``list:rest;list:rest``, the longest first
``rimb*``            words with a star that begin so: ``list:rimbors;...``
(empty)              every word of every phrase
===================  =====================================================
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from pydantic import ConfigDict

from sportello.domain.model import Model
from sportello.domain.words import compared, split

LEAST_STEM = 4
"""Letters before ``*``."""
TOPIC = "topics."
"""Begins the kind of a phrase that stands under a topic."""

_DRAWN_OUT = re.compile(r"(.)\1\1")


class Phrases(Model):
    """Words that mean something in one language; whole words, any case, a number is any number.

    A single word may end in ``*``: any word that begins so. A phrase that ends in ``?`` counts only where
    it is the whole question. ``docs/words.md`` says what each list does.
    """

    model_config = ConfigDict(
        defer_build=True
    )  # functions use it within the desk alone: 1 ms of a cold start

    asks_person: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    chaser: tuple[str, ...] = ()
    criticism: tuple[str, ...] = ()
    anger: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    """Phrases that hold such words and mean nothing by them: ``not urgent``."""
    thanks: tuple[str, ...] = ()
    courtesy: tuple[str, ...] = ()
    """Ends a conversation after an answer: ``ok``, ``perfect``, ``have a nice day``."""
    greeting: tuple[str, ...] = ()
    alongside: tuple[str, ...] = ()
    """May stand beside thanks without asking anything: ``so much``, ``for the reply``."""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    question: tuple[str, ...] = ()
    spam: tuple[str, ...] = ()
    phishing: tuple[str, ...] = ()
    newsletter: tuple[str, ...] = ()
    about_noise: tuple[str, ...] = ()
    """Who writes this talks about such a message, and wants help with it: ``is this from you``."""
    topics: Mapping[str, tuple[str, ...]] = {}


LISTS = tuple(name for name in Phrases.model_fields if name != "topics")


class Found(NamedTuple):
    """A phrase in a message: where its words begin, how many they are, on which list it stands.

    The list's name ends in ``?`` where the phrase counts only as the whole question.
    """

    start: int
    length: int
    kind: str


class Entry(NamedTuple):
    """One phrase behind its first two words, or one stem."""

    kind: str
    rest: str
    words: list[str]


def indexed(phrases: Mapping[str, Phrases]) -> dict[str, str]:
    """The phrases of all languages as ``Patterns`` looks them up."""
    listed = list(_listed(phrases))
    lines = compared("".join([" ".join(phrase.split()) + "\n" for _, phrase in listed])).split("\n")[:-1]
    index: dict[str, set[tuple[int, str]]] = {}
    every = set[str]()
    for (kind, phrase), line in zip(listed, lines, strict=True):
        words = split(line)
        every.update(words)
        kind += "?" if phrase.endswith("?") else ""
        if len(words) > 1:
            key, said = f"{words[0]} {words[1]}", f"{kind}:{' '.join(words[2:])}"
        elif words and phrase.endswith("*") and len(words[0]) >= LEAST_STEM:
            key, said = f"{words[0][:LEAST_STEM]}*", f"{kind}:{words[0]}"
        elif words:
            key, said = words[0], kind
        else:
            continue
        index.setdefault(key, set()).add((-len(words), said))
    return {key: ";".join(said for _, said in sorted(found)) for key, found in index.items()} | {
        "": " ".join(sorted(every))
    }


def _listed(phrases: Mapping[str, Phrases]) -> Iterator[tuple[str, str]]:
    for language in phrases.values():
        for kind in LISTS:
            for phrase in getattr(language, kind):
                yield kind, phrase
        for topic, words in language.topics.items():
            for phrase in words:
                yield TOPIC + topic, phrase


class Patterns:
    """Finds the phrases of all languages of the desk; a message costs three look-ups a word."""

    __slots__ = ("_every", "_index", "_read")

    def __init__(self, phrases: Mapping[str, Phrases], index: Mapping[str, str] | None = None) -> None:
        """``index``: what ``indexed`` made of the phrases; by default it is made now (milliseconds)."""
        self._index = index or indexed(phrases)
        self._read: dict[str, list[Entry]] = {}
        self._every: frozenset[str] | None = None

    def __contains__(self, word: str) -> bool:
        """Whether the word stands in any phrase."""
        if self._every is None:
            self._every = frozenset(self._index[""].split())
        return word in self._every

    def words(self, text: str) -> list[str]:
        """The words of a message, those with drawn-out letters as a phrase has them: ``graaazie``."""
        words = split(compared(text))
        if not _DRAWN_OUT.search(text):
            return words
        return [self._short(word) if _DRAWN_OUT.search(word) else word for word in words]

    def _short(self, word: str) -> str:
        letters = [(letter, len(list(run))) for letter, run in groupby(word)]
        once = "".join(letter if run > 2 else letter * run for letter, run in letters)
        twice = "".join(letter * min(run, 2) for letter, run in letters)
        return next((one for one in (word, twice) if one in self), once)

    def found(self, words: Sequence[str]) -> list[Found]:
        """Every phrase in the order of the words; of one place the longest first."""
        found: list[Found] = []
        index = self._index
        for start, (word, following) in enumerate(zip(words, (*words[1:], ""), strict=False)):
            pair = f"{word} {following}"
            if pair in index:
                for kind, rest, more in self._entries(pair):
                    end = start + 2 + len(more)
                    if not rest or words[start + 2 : end] == more:
                        found.append(Found(start, end - start, kind))
            if word in index:
                for kind in index[word].split(";"):
                    found.append(Found(start, 1, kind))
            stem = word[:LEAST_STEM] + "*"
            if stem in index:
                for kind, rest, _ in self._entries(stem):
                    if word.startswith(rest):
                        found.append(Found(start, 1, kind))
        return found

    def _entries(self, key: str) -> list[Entry]:
        entries = self._read.get(key)
        if entries is None:
            parted = (said.partition(":") for said in self._index[key].split(";"))
            entries = [Entry(kind, rest, rest.split()) for kind, _, rest in parted]
            self._read[key] = entries
        return entries
