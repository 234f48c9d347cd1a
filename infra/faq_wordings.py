"""Whether every wording of the frequent questions leads to its own answer, tried as a customer would."""

from collections.abc import Iterator
from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.yaml_with_lines import Document, Line
from sportello.domain.faq import Faq, FaqEntry, FaqLocale
from sportello.domain.model import Instant, to_instant
from sportello.domain.phrases import plain
from sportello.services.faq import LexicalAnswerer, Verdict
from sportello.services.faq_reading import Lexicon

_ZONE = "UTC"


def mistakes(document: Document, language: str, locale: FaqLocale) -> Iterator[Line]:
    """Of one file whose form is right."""
    yield from _of_words(document, language, locale)
    lexicon = Lexicon(language, locale)
    answerer = LexicalAnswerer(Faq(locales={language: locale}), _ZONE)
    asked = list(_asked(document, locale, lexicon))
    written: dict[tuple[str, str], int] = {}
    for wording in asked:
        same = [
            other for other in asked if other.meant == wording.meant and _meet(other.entry, wording.entry)
        ]
        line = written.setdefault((wording.entry.id, plain(wording.text)), wording.line)
        if wording.meant and any(other.entry is not wording.entry for other in same):
            if same[0].entry is not wording.entry:
                yield Line(wording.line, _twice(wording.text, same[0]))
        elif line != wording.line:
            yield Line(wording.line, f"{wording.text!r} stands here twice (first on line {line}); keep one")
        elif _ever(wording.entry) and (
            wrong := _never_answered(wording, _tried(answerer, wording, language))
        ):
            yield Line(wording.line, wrong)


class _Asked(NamedTuple):
    line: int
    text: str
    entry: FaqEntry
    meant: frozenset[str]


def _asked(document: Document, locale: FaqLocale, lexicon: Lexicon) -> Iterator[_Asked]:
    for index, entry in enumerate(locale.entries):
        for number, text in enumerate(entry.questions):
            line = document.line(("entries", index, "questions", number))
            yield _Asked(line, text, entry, lexicon.wording(text))


def _twice(text: str, other: _Asked) -> str:
    return (
        f"{text!r} also asks {other.entry.id!r} (line {other.line}): a question has one answer; "
        "write e.g. a word more, or keep it in one of the two"
    )


def _meet(one: FaqEntry, other: FaqEntry) -> bool:
    """Whether both can be answered on one day, channel and account."""
    apart = (
        (one.valid_to and other.valid_from and one.valid_to < other.valid_from)
        or (other.valid_to and one.valid_from and other.valid_to < one.valid_from)
        or (one.channels and other.channels and not set(one.channels) & set(other.channels))
        or (one.accounts and other.accounts and not set(one.accounts) & set(other.accounts))
    )
    return not apart


def _ever(entry: FaqEntry) -> bool:
    """Whether there is a day on which it is answered; otherwise that is its mistake."""
    return not (entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from)


def _tried(answerer: LexicalAnswerer, asked: _Asked, language: str) -> Verdict:
    return answerer.verdict(
        f"{asked.text}?",
        language,
        _when(asked.entry),
        channel=next(iter(asked.entry.channels), ""),
        account=next(iter(asked.entry.accounts), ""),
    )


def _when(entry: FaqEntry) -> Instant:
    day = entry.valid_from or entry.valid_to
    return to_instant(datetime.combine(day, time(12), ZoneInfo(_ZONE))) if day else 0


def _never_answered(asked: _Asked, found: Verdict) -> str:
    text, entry = asked.text, asked.entry
    if found.hit is not None and found.hit.id == entry.id:
        return ""
    if found.why == "hand_on":
        return f"{text!r} holds {found.detail!r} of hand_on and is never answered; write e.g. another word"
    if found.why == "own_case":
        return f"{text!r} holds a number or address and is never answered; write e.g. fewer digits"
    if found.candidates and found.candidates[0].entry.id != entry.id:
        other = found.candidates[0].entry.id
        return f"{text!r} is closer to {other!r}; write e.g. a word more that only {entry.id!r} has"
    if found.why == "ambiguous":
        other = found.candidates[1].entry.id
        return f"{text!r} is nearly as close to {other!r}; write e.g. a word more that only {entry.id!r} has"
    return f"{text!r} holds too few telling words; write e.g. when are you open"


def _of_words(document: Document, language: str, locale: FaqLocale) -> Iterator[Line]:
    groups: dict[str, int] = {}
    for index, group in enumerate(locale.same_words):
        line = document.line(("same_words", index))
        if len(group) < 2:
            yield Line(line, "one word alone means the same as nothing; write e.g. [parcel, package]")
        for word in dict.fromkeys(member.casefold().strip() for member in group):
            if not word:
                yield Line(line, "an empty word; write e.g. [parcel, package]")
            elif word in groups:
                yield Line(line, f"{word!r} stands in two groups (first on line {groups[word]}); keep one")
            groups.setdefault(word, line)
    for key in ("fillers", "asks", "hand_on"):
        for index, word in enumerate(getattr(locale, key)):
            if not word.strip(" *"):
                yield Line(document.line((key, index)), f"{key}: an empty word; write e.g. {key}: [please]")
            elif key == "fillers" and word.casefold() in groups:
                line = groups[word.casefold()]
                text = f"{word!r} is a filler and also in same_words (line {line}); keep one"
                yield Line(document.line((key, index)), text)
