"""How close a message comes to each wording: shared words against what either has alone."""

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import NamedTuple

from sportello.domain.faq import FaqEntry
from sportello.services.faq_reading import Lexicon, Reading

ELSEWHERE = 0.7
"""What a word costs that the message has and the wording has not."""
AKIN = 0.2
"""The same where another wording of the entry has it."""
LACKING = 0.5
"""What a word costs that the wording has and the message has not."""
UNKNOWN = 2.0
"""Weight of a word that no question holds."""
ALONE = 3.0
"""How much more they cost where only one word is shared: it may mean anything."""
WORDY = 0.3
"""What each word beyond ``SHORT`` costs there, fillers too."""
SHORT = 5
TELLING = 0.8
"""Share of the heaviest word's weight from which on a webhook looks for a word of a wording."""
UNKNOWN_MOST = 6.0
"""A chatty message is forgiven more than that."""


class _Wording(NamedTuple):
    text: str
    concepts: frozenset[str]
    weight: float


class _Scored(NamedTuple):
    entry: FaqEntry
    wordings: tuple[_Wording, ...]
    concepts: frozenset[str]


class Scorer:
    """The entries of one language with the weight of each word: what few entries hold tells most."""

    def __init__(self, entries: Sequence[FaqEntry], lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.entries = tuple(entries)
        read = [[(text, lexicon.wording(text)) for text in entry.questions] for entry in entries]
        held = [frozenset(concept for _, found in wordings for concept in found) for wordings in read]
        counted = Counter(concept for concepts in held for concept in concepts)
        self._weights = {concept: log((1 + len(held)) / count) + 0.1 for concept, count in counted.items()}
        self._scored = [
            _Scored(entry, tuple(self._wording(*wording) for wording in wordings), concepts)
            for entry, wordings, concepts in zip(entries, read, held, strict=True)
        ]

    def _wording(self, text: str, concepts: frozenset[str]) -> _Wording:
        return _Wording(text, concepts, sum(self._weights[concept] for concept in concepts))

    def starts(self) -> frozenset[str]:
        """By what a webhook knows that a message may be one of these questions: ``domain.faq_words``."""
        telling = set[str]()
        for scored in self._scored:
            for wording in scored.wordings:
                most = max((self._weights[concept] for concept in wording.concepts), default=0.0)
                telling |= {name for name in wording.concepts if self._weights[name] >= TELLING * most}
        return self.lexicon.starts(telling)

    def scores(self, reading: Reading) -> list[tuple[float, str]]:
        """For each entry its score of 0 to 1 and the wording that came closest."""
        sure = dict[str, float]()
        for word in reading.all:
            sure[word.concept] = max(word.sure, sure.get(word.concept, 0.0))
        known = {concept: value for concept, value in sure.items() if concept in self._weights}
        unknown = min(UNKNOWN * (len(sure) - len(known)), UNKNOWN_MOST)
        alone = ALONE * unknown + WORDY * max(reading.words - SHORT, 0)
        return [self._best(scored, known, (alone, unknown)) for scored in self._scored]

    def _best(
        self, scored: _Scored, known: dict[str, float], unknown: tuple[float, float]
    ) -> tuple[float, str]:
        if scored.concepts.isdisjoint(known):
            return 0.0, ""
        weights = self._weights
        akin = sum(weights[concept] for concept in known if concept in scored.concepts)
        foreign = sum(weights[concept] for concept in known) - akin
        best, closest = 0.0, ""
        for wording in scored.wordings:
            both = [concept for concept in known if concept in wording.concepts]
            if not both:
                continue
            shared = sum(weights[concept] * known[concept] for concept in both)
            extra = foreign + unknown[len(both) > 1]
            lacking = max(wording.weight - shared, 0.0)
            score = shared / (shared + ELSEWHERE * extra + AKIN * max(akin - shared, 0) + LACKING * lacking)
            if score > best:
                best, closest = score, wording.text
        return best, closest
