"""Which frequent question a message asks, if any: the answer is then one that a care lead wrote.

Precision first. No answer is always safe, since a person follows: a message that names a case of its
own, complains, asks two things or could mean two entries is nobody's frequent question. Asked by the
consult worker, never by a webhook: it loads rapidfuzz and PyStemmer.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sportello.domain.faq import Faq, FaqEntry
from sportello.domain.faq_words import MOST_WORDS
from sportello.domain.language import language_of
from sportello.domain.model import Instant, to_datetime
from sportello.services.faq_reading import Lexicon, Reading
from sportello.services.faq_score import Scorer


class Hit(NamedTuple):
    """The entry that answers a message."""

    id: str
    score: float
    """0 to 1; how sure the answerer is, comparable only within one answerer."""
    language: str
    """Of the entry: that of the thread, or that of the words if they are clearly another's."""
    topic: str = ""
    """Skill of who takes it over if the answer did not help."""


class Answerer(Protocol):
    """Whoever can tell which entry answers a message."""

    def answer(
        self, text: str, language: str, at: Instant, *, channel: str, account: str, public: bool
    ) -> Hit | None:
        """The one entry that answers the message; None: a person does.

        Args:
            text: the customer's words; they are not kept and not logged.
            language: the thread's, a code such as ``it``.
            at: when it is asked: entries are valid on days of the desk's clocks.
            public: others read the answer.
        """


class Candidate(NamedTuple):
    entry: FaqEntry
    score: float
    wording: str
    """The wording that came closest."""


class Verdict(NamedTuple):
    """An answer or none, and why: what ``sportello faq`` shows."""

    hit: Hit | None
    why: str
    """``answered``, or why not: a code of ``WHY``."""
    detail: str = ""
    candidates: tuple[Candidate, ...] = ()
    """The best first."""
    reading: Reading | None = None


WHY: Mapping[str, str] = {
    "answered": "one entry answers it",
    "no_words": "no word in it is known from the questions",
    "too_long": "longer than a frequent question",
    "own_case": "it names a number, an address or a date of its own",
    "hand_on": "it holds words of hand_on: a person answers",
    "not_asked": "it asks nothing: no word of asks, no question mark",
    "two_questions": "it asks more than one thing",
    "ambiguous": "two entries are about as close",
    "unlike": "no entry is close enough",
    "not_here": "its entry is not for this channel, account or day, or not for the public",
    "no_language": "there are no questions in this language",
}

THRESHOLD = 0.75
"""Least score; measured on the write half of ``tests/eval/faq``."""
LEAD = 0.10
"""By how much the best entry must be ahead of the next."""


class LexicalAnswerer:
    """Compares words: their stems, what means the same, typing mistakes, how telling each word is."""

    def __init__(self, faq: Faq, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._scorers = {
            language: Scorer(locale.entries, Lexicon(language, locale))
            for language, locale in faq.locales.items()
        }

    def answer(
        self, text: str, language: str, at: Instant, *, channel: str, account: str, public: bool
    ) -> Hit | None:
        return self.verdict(text, language, at, channel=channel, account=account, public=public).hit

    def verdict(
        self,
        text: str,
        language: str,
        at: Instant,
        *,
        channel: str = "",
        account: str = "",
        public: bool = False,
    ) -> Verdict:
        """As ``answer``, with the reason and the entries that came closest."""
        if _own_case(text):
            return Verdict(None, "own_case")
        here = self._here(at, channel, account, public)
        first = self._in_language(text, language, here)
        if first.why not in _MAY_BE_ANOTHER_LANGUAGE:
            return first
        written_in = language_of(text, tuple(self._scorers))
        other = self._in_language(text, written_in, here) if written_in not in ("", language) else first
        return other if other.hit else first

    def entries(
        self, language: str, at: Instant, *, channel: str, account: str, public: bool
    ) -> tuple[FaqEntry, ...]:
        """The entries of a language that may be answered there and then."""
        here, scorer = self._here(at, channel, account, public), self._scorers.get(language)
        found = scorer.entries if scorer else ()
        return tuple(entry for entry in found if here.open(entry) and not (entry.private and public))

    def _here(self, at: Instant, channel: str, account: str, public: bool) -> "_Here":
        return _Here(to_datetime(at).astimezone(self._zone).date(), channel, account, public)

    def _in_language(self, text: str, language: str, here: "_Here") -> Verdict:
        scorer = self._scorers.get(language)
        if scorer is None:
            return Verdict(None, "no_language")
        reading = scorer.lexicon.read(text)
        if reading.words > MOST_WORDS:
            return Verdict(None, "too_long", reading=reading)
        if reading.handed_on:
            return Verdict(None, "hand_on", reading.handed_on, reading=reading)
        if not reading.asked:
            return Verdict(None, "not_asked", reading=reading)
        if not any(word.known for word in reading.all):
            return Verdict(None, "no_words", reading=reading)
        return _judged(scorer, reading, language, here)


_MAY_BE_ANOTHER_LANGUAGE = ("no_language", "no_words", "not_asked", "unlike")


class _Here(NamedTuple):
    day: date
    channel: str
    account: str
    public: bool

    def open(self, entry: FaqEntry) -> bool:
        return entry.open_to(self.day, self.channel, self.account)


def _judged(scorer: Scorer, reading: Reading, language: str, here: _Here) -> Verdict:
    candidates = _candidates(scorer, reading, here)
    if not candidates:
        return Verdict(None, "not_here", reading=reading)
    best, runner_up = candidates[0], candidates[1].score if len(candidates) > 1 else 0.0

    def refused(why: str, detail: str = "") -> Verdict:
        return Verdict(None, why, detail, candidates, reading)

    asked = {entry.id for entry in _asked_apart(scorer, reading, here)}
    if best.score >= THRESHOLD:
        asked.add(best.entry.id)
    if len(asked) > 1:
        return refused("two_questions", ", ".join(sorted(asked)))
    if best.score < THRESHOLD:
        return refused("unlike")
    if best.score - runner_up < LEAD:
        return refused("ambiguous", f"{best.entry.id}, {candidates[1].entry.id}")
    if best.entry.private and here.public:
        return refused("not_here", best.entry.id)
    hit = Hit(best.entry.id, round(best.score, 3), language, best.entry.topic)
    return Verdict(hit, "answered", best.wording, candidates, reading)


def _candidates(scorer: Scorer, reading: Reading, here: _Here) -> tuple[Candidate, ...]:
    scored = scorer.scores(reading)
    found = [
        Candidate(entry, score, wording)
        for entry, (score, wording) in zip(scorer.entries, scored, strict=True)
        if here.open(entry)
    ]
    return tuple(sorted(found, key=lambda candidate: candidate.score, reverse=True)[:5])


def _asked_apart(scorer: Scorer, reading: Reading, here: _Here) -> Iterator[FaqEntry]:
    """Entries that a sentence of the message asks by itself."""
    if len(reading.sentences) < 2:
        return
    for sentence in reading.sentences:
        best = _candidates(scorer, reading.only(sentence), here)
        if best and best[0].score >= THRESHOLD:
            yield best[0].entry


_OWN_CASE = (
    re.compile(r"\d(?:[\s./-]?\d){4}"),  # an order, a phone, a card, a whole date
    re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w{6,}"),  # letters and digits: a tracking code
    re.compile(r"#\s?\d|\bn[°ºr.]\s?\d|№\s?\d"),
    re.compile(r"\S@\S+\.\S|https?://"),
)


def _own_case(text: str) -> bool:
    return any(pattern.search(text) for pattern in _OWN_CASE)
