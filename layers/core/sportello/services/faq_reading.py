"""How a message is read in one language: stems, typing mistakes, words that mean the same."""

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

import Stemmer
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

from sportello.domain.faq import FaqLocale
from sportello.domain.faq_words import starts_of
from sportello.domain.phrases import plain
from sportello.services.faq_text import Expressions, cut, is_chinese, sentences_of, words_of

_STEMMERS = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "pt": "portuguese",
    "ru": "russian",
}
_LEAST_LETTERS = 4
"""Shorter words are too alike for a typing mistake to be told."""
_SAME_BEGINNING = 6
"""Words up to this long are only taken for one that begins alike."""
_ALIKE = 0.8
"""One slip in five letters, two in ten."""
_MISTYPED = 0.85
"""What a word counts that was read through a typing mistake."""
_NEED_NOT_ASK = 4
"""Words of a message that may leave the question out: "opening hours saturday"."""
_KEPT = 5_000
"""Words whose spelling is remembered."""


class Word(NamedTuple):
    concept: str
    """What the word stands for: its stem, or ``=`` and the first of the words that mean the same."""
    known: bool
    """Whether any question holds it."""
    sure: float
    """1, or less where a typing mistake was read over."""
    said: str


class Reading(NamedTuple):
    """A message as its words were understood; fillers are left out."""

    sentences: tuple[tuple[Word, ...], ...]
    words: int
    handed_on: str = ""
    """What of ``hand_on`` it holds."""
    asked: bool = True
    """Whether it is put as a question, or so short that it need not be."""

    @property
    def all(self) -> tuple[Word, ...]:
        return tuple(word for sentence in self.sentences for word in sentence)

    def only(self, sentence: tuple[Word, ...]) -> "Reading":
        return Reading((sentence,), len(sentence))


class _Token(NamedTuple):
    word: str
    """As it should have been typed."""
    stem: str
    sure: float
    said: str


class Lexicon:
    """What is known of the words of one language."""

    def __init__(self, language: str, locale: FaqLocale) -> None:
        algorithm = _STEMMERS.get(language)
        self._stemmer = Stemmer.Stemmer(algorithm) if algorithm else None
        self._hand_on = Expressions(locale.hand_on)
        self._asks = Expressions(locale.asks) if locale.asks else None
        members = [(words_of(member), f"={group[0]}") for group in locale.same_words for member in group]
        self._same = {words[0]: concept for words, concept in reversed(members) if len(words) == 1}
        self._same_stems = {self._stem([word])[0]: self._same[word] for word in reversed(self._same)}
        self._several = [(words, concept) for words, concept in members if len(words) > 1]
        self._expressions = self._by_first(self._several)
        self._fillers = frozenset(word for filler in locale.fillers for word in words_of(filler))
        self._filler_stems = frozenset(self._stem(sorted(self._fillers)))
        texts = [text for entry in locale.entries for text in entry.questions]
        self._chinese = frozenset(word for word in (*self._same, *self._fillers) if is_chinese(word))
        self._longest = max(map(len, self._chinese), default=0)
        found = {word for text in texts for word in self._pieces(words_of(text))}
        found |= {word for words, _ in members for word in words} | self._fillers
        self._stems = dict(zip(sorted(found), self._stem(sorted(found)), strict=True))
        self._spelt = frozenset(self._stems.values())
        self._long = [word for word in self._stems if len(word) > _LEAST_LETTERS]
        self._corrected: dict[str, _Token] = {}
        self.concepts = frozenset(concept for text in texts for concept in self.wording(text))

    def wording(self, question: str) -> frozenset[str]:
        """What a question of the file is made of."""
        words = self._pieces(words_of(question))
        tokens = [_Token(word, stem, 1.0, word) for word, stem in zip(words, self._stem(words), strict=True)]
        return frozenset(concept for concept, _ in self._meant(tokens))

    def starts(self, concepts: Set[str]) -> frozenset[str]:
        """By what a webhook knows that a message may hold one of these concepts."""
        alone = [_Token(word, stem, 1.0, word) for word, stem in self._stems.items()]
        telling = {token.word for token in alone if self._alone(token) in concepts}
        for words, concept in self._several:
            if concept in concepts:
                telling |= {max(set(words) - self._fillers, key=len, default="")} - {""}
        return frozenset(
            start for word in telling for start in starts_of(plain(word), plain(self._stems[word]))
        )

    def read(self, text: str) -> Reading:
        sentences, count, handed_on, asked = list[tuple[Word, ...]](), 0, "", "?" in text or "？" in text
        for said in sentences_of(text):
            handed_on = handed_on or self._hand_on.found(said)
            asked = asked or self._asks is None or bool(self._asks.found(said))
            pieces = self._pieces(said)
            count += len(pieces)
            tokens = [self._spell(*both) for both in zip(pieces, self._stem(pieces), strict=True)]
            words = tuple(
                Word(concept, concept in self.concepts, min(token.sure for token in tokens), _said(tokens))
                for concept, tokens in self._meant(tokens)
            )
            if words:
                sentences.append(words)
        return Reading(tuple(sentences), count, handed_on, asked or count <= _NEED_NOT_ASK)

    def _pieces(self, words: Sequence[str]) -> list[str]:
        pieces = list[str]()
        for word in words:
            pieces += cut(word, self._chinese, self._longest) if is_chinese(word) else (word,)
        return pieces

    def _stem(self, words: Sequence[str]) -> list[str]:
        return list(self._stemmer.stemWords(words)) if self._stemmer else list(words)

    def _spell(self, word: str, stem: str) -> _Token:
        """The word that was meant, and how sure that is."""
        if word in self._stems or stem in self._spelt or len(word) < _LEAST_LETTERS:
            return _Token(word, stem, 1.0, word)
        if word not in self._corrected:
            if len(self._corrected) > _KEPT:
                self._corrected.clear()
            self._corrected[word] = self._correct(word) or _Token(word, stem, 1.0, word)
        return self._corrected[word]

    def _correct(self, word: str) -> _Token | None:
        found = extractOne(word, self._long, scorer=OSA.normalized_similarity, score_cutoff=_ALIKE)
        if found is None or (len(word) <= _SAME_BEGINNING and found[0][0] != word[0]):
            return None
        return _Token(found[0], self._stems[found[0]], _MISTYPED, word)

    def _meant(self, tokens: Sequence[_Token]) -> Iterator[tuple[str, Sequence[_Token]]]:
        """Each concept with its words; the longest expression first."""
        at = 0
        while at < len(tokens):
            concept, length = self._expression(tokens, at)
            if not length:
                concept, length = self._alone(tokens[at]), 1
            if concept:
                yield concept, tokens[at : at + length]
            at += length

    def _expression(self, tokens: Sequence[_Token], at: int) -> tuple[str, int]:
        for expression, concept in self._expressions.get(tokens[at].stem, ()):
            here = tokens[at : at + len(expression)]
            if len(here) == len(expression) and all(
                token.stem == stem for token, stem in zip(here, expression, strict=True)
            ):
                return concept, len(expression)
        return "", 0

    def _alone(self, token: _Token) -> str:
        """What one word stands for; empty: nothing. As written goes before its stem."""
        if concept := self._same.get(token.word):
            return concept
        if token.word in self._fillers or token.word.isdigit():
            return ""
        if concept := self._same_stems.get(token.stem):
            return concept
        return "" if token.stem in self._filler_stems else token.stem

    def _by_first(
        self, expressions: Sequence[tuple[list[str], str]]
    ) -> dict[str, list[tuple[list[str], str]]]:
        """Expressions of several words by the stem of the first, the longest first."""
        found = dict[str, list[tuple[list[str], str]]]()
        for words, concept in sorted(expressions, key=lambda expression: -len(expression[0])):
            stems = self._stem(words)
            found.setdefault(stems[0], []).append((stems, concept))
        return found


def _said(tokens: Sequence[_Token]) -> str:
    return " ".join(token.said for token in tokens)
