"""Words of a text, and expressions that are looked for in it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

GAP = 1
"""Other words that may stand between two words of ``hand_on``."""

_SENTENCE = re.compile(r"(?<=[.?!…;。？！；])\s*|\n+")
_WORD = re.compile(r"[^\W_]+")
_BREVE = "\u0306"
_CJK = re.compile(r"[\u2e80-\u9fff]+")


def sentences_of(text: str) -> Iterator[list[str]]:
    """The words of each sentence that has any."""
    for part in _SENTENCE.split(text):
        if words := words_of(part):
            yield words


def words_of(text: str) -> list[str]:
    """Lower case, without accents; Chinese, which writes no spaces, as whole runs of signs."""
    if not text.isascii():
        # Unlike domain.phrases.plain this keeps the Russian "й", by which the stemmer knows endings.
        parts = unicodedata.normalize("NFKD", text)
        kept = "".join(sign for sign in parts if sign == _BREVE or not unicodedata.combining(sign))
        text = unicodedata.normalize("NFC", kept)
    return _WORD.findall(text.casefold())


def is_chinese(word: str) -> bool:
    return _CJK.match(word) is not None


def cut(run: str, known: frozenset[str], longest: int) -> Iterator[str]:
    """A run of Chinese signs as known words, and pairs of signs between them."""
    rest, at = "", 0
    while at < len(run):
        lengths = range(min(longest, len(run) - at), 0, -1)
        found = next((run[at : at + length] for length in lengths if run[at : at + length] in known), "")
        if found:
            yield from _pairs(rest)
            yield found
            rest = ""
        else:
            rest += run[at]
        at += len(found) or 1
    yield from _pairs(rest)


def _pairs(run: str) -> Iterator[str]:
    if len(run) < 3:
        yield from (run,) if run else ()
        return
    for at in range(len(run) - 1):
        yield run[at : at + 2]


class Expressions:
    """Expressions to be found: their words in this order, few others between.

    ``arrivat*`` is whatever begins so; ``^is`` only the first word of a sentence.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_letter = dict[str, list[tuple[tuple[str, ...], str]]]()
        self._within = list[str]()
        self._first = frozenset(word for phrase in phrases if phrase[:1] == "^" for word in words_of(phrase))
        for phrase in phrases:
            if phrase[:1] == "^":
                continue
            wanted = tuple(_words_and_beginnings(phrase))
            if wanted and is_chinese(wanted[0]):
                self._within.append(phrase)
            elif wanted:
                self._by_letter.setdefault(wanted[0][0], []).append((wanted, phrase))

    def found(self, said: Sequence[str]) -> str:
        """The first expression that is said; empty: none."""
        if said and said[0] in self._first:
            return said[0]
        for at, word in enumerate(said):
            for wanted, phrase in self._by_letter.get(word[0], ()):
                if _is(word, wanted[0]) and _follows(said, at, wanted):
                    return phrase
            if is_chinese(word):
                for phrase in self._within:
                    if phrase in word:
                        return phrase
        return ""


def _words_and_beginnings(phrase: str) -> Iterator[str]:
    """``non arrivat*`` is ``non`` and whatever begins with ``arrivat``."""
    for part in phrase.split():
        *whole, last = words_of(part) or [""]
        yield from whole
        if last:
            yield last + "*" if part.endswith("*") else last


def _is(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted[-1] == "*" else word == wanted


def _follows(said: Sequence[str], at: int, wanted: Sequence[str]) -> bool:
    for part in wanted[1:]:
        near = range(at + 1, min(at + 2 + GAP, len(said)))
        at = next((place for place in near if _is(said[place], part)), -1)
        if at < 0:
            return False
    return True
