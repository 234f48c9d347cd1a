"""``templates/phrases/<language>.yaml``: words that mean something, and what can be wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.model_mistakes import parse
from infra.template_files import Files
from infra.yaml_with_lines import Document, Line
from sportello.domain.patterns import LEAST_STEM, LISTS, Phrases, indexed
from sportello.domain.words import compared, split

_EXAMPLE = "thanks: [grazie, grazie mille]"
_TOPICS_EXAMPLE = "topics: {delivery: [parcel, courier]}"
_EXAMPLES = dict.fromkeys(LISTS, _EXAMPLE) | {"topics": _TOPICS_EXAMPLE}
OF_DESK = ("phrases", "phrase_index")
"""Fields of the desk that the build fills."""
_TOPIC_NAME = re.compile(r"[a-z0-9_]{1,16}")
_SIGNALS = frozenset({"asks_person", "urgent", "chaser", "criticism", "anger"})
_QUIET = frozenset({"thanks", "courtesy", "greeting", "alongside", "harmless"})
_ONE_OF = (
    _QUIET,
    frozenset({"yes", "no"}),
    frozenset({"spam", "phishing", "newsletter", "about_noise"}),
)
_STEM = re.compile(r"[^\W\d_]+\*")


def read(files: Files, languages: Sequence[str]) -> Mapping[str, Phrases | None]:
    """The phrases of each language; None where its file cannot be used (the mistakes are noted)."""
    documents = {language: files.yaml(_name(language), _EXAMPLE) for language in languages}
    found = {language: _phrases(files, language, document) for language, document in documents.items()}
    _compare_topics(files, documents)
    return found


def of_desk(phrases: Mapping[str, Phrases | None]) -> dict[str, Any]:
    """What the desk holds of them: as they were written, and as functions look them up."""
    read = {language: found for language, found in phrases.items() if found is not None}
    return {"phrases": read, "phrase_index": indexed(read)}


def _name(language: str) -> str:
    return f"phrases/{language}.yaml"


def _phrases(files: Files, language: str, document: Document | None) -> Phrases | None:
    if document is None:
        return None
    phrases, lines = parse(document, Phrases, _EXAMPLES)
    for kind in (*LISTS, "topics"):
        if kind not in document.data:
            none = "{}" if kind == "topics" else "[]"
            lines.append(Line(1, f"{kind!r} is missing; write e.g. {kind}: {none} if there are none"))
    if phrases is not None:
        lines += _of_lists(document, phrases)
        lines += _of_topics(document, phrases)
    files.wrong(_name(language), lines)
    return phrases


def _of_lists(document: Document, phrases: Phrases) -> Iterator[Line]:
    placed: dict[str, list[tuple[str, int]]] = {}
    for kind in LISTS:
        yield from _of_phrases(document, (kind,), getattr(phrases, kind), placed)


def _of_topics(document: Document, phrases: Phrases) -> Iterator[Line]:
    for topic, listed in phrases.topics.items():
        line = document.line(("topics", topic))
        if not _TOPIC_NAME.fullmatch(topic):
            yield Line(
                line, f"{topic!r} is no name of a topic; write e.g. delivery (small letters, up to 16)"
            )
        if not listed:
            yield Line(line, f"topic {topic!r} has no phrases; write e.g. {_TOPICS_EXAMPLE}")
        yield from _of_phrases(document, ("topics", topic), listed, {})


def _of_phrases(
    document: Document,
    path: tuple[str, ...],
    phrases: Iterable[str],
    placed: dict[str, list[tuple[str, int]]],
) -> Iterator[Line]:
    """``placed``: on which list and line each phrase stood so far."""
    for index, phrase in enumerate(phrases):
        line, words = document.line((*path, index)), split(compared(phrase))
        key = " ".join(words) + (phrase[-1] if phrase.endswith(("*", "?")) else "")
        if not words:
            yield Line(line, f"{phrase!r} holds no word; write e.g. grazie mille")
        elif "*" in phrase and not (_STEM.fullmatch(phrase) and len(words[0]) >= LEAST_STEM):
            yield Line(
                line,
                f"{phrase!r}: * ends a single word of at least {LEAST_STEM} letters; write e.g. rimbors*",
            )
        else:
            places = placed.setdefault(key, [])
            for kind, number in places:
                if _contradict(kind, path[0]):
                    where = "here twice" if kind == path[0] else f"under {kind!r} too"
                    yield Line(
                        line, f"{phrase!r} stands {where} (first on line {number}); keep e.g. the first"
                    )
            places.append((path[0], line))


def _contradict(one: str, other: str) -> bool:
    """Whether a phrase on both lists would say two things at once, or the same thing twice."""
    both = {one, other}
    if one == other or any(both <= group for group in _ONE_OF):
        return True
    return bool(both & _SIGNALS) and bool(both & _QUIET)


def _compare_topics(files: Files, documents: Mapping[str, Document | None]) -> None:
    """A topic that one language has and another lacks would go to the wrong people in that language."""
    topics = {
        language: document.data["topics"]
        for language, document in documents.items()
        if document and isinstance(document.data.get("topics"), dict)
    }
    for language, own in topics.items():
        document = documents[language]
        for other, theirs in topics.items():
            for topic in theirs:
                if topic not in own and document is not None:
                    text = f"topic {topic!r} is missing, {_name(other)} has it; write e.g. {_TOPICS_EXAMPLE}"
                    files.wrong(_name(language), [Line(document.line(("topics",)), text)])
