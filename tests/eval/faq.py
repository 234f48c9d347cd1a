"""Frequent questions: how often an answer is the right one, and how many of the questions get theirs."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from infra import bundle_faq
from infra.yaml_with_lines import read_yaml
from sportello.domain.faq import Faq, FaqLocale
from sportello.domain.faq_words import may_be_frequent
from sportello.domain.phrases import Meaning, Patterns, Phrases
from sportello.services.faq import LexicalAnswerer
from tests.eval import Row, Table

LANGUAGES = ("it", "en", "ru")
HERE = Path(__file__).parent / "faq"
TEMPLATES = Path(__file__).parents[2] / "templates" / "faq"
NONE = "none"
"""What must go to a person."""
AT = 1_795_000_000_000


class Asked(NamedTuple):
    text: str
    language: str
    half: str
    entry: str


@cache
def lines() -> tuple[Asked, ...]:
    return tuple(
        Asked(text=line["text"], language=language, half=line["half"], entry=line["entry"])
        for language in LANGUAGES
        for line in read_yaml((HERE / f"{language}.yaml").read_text(encoding="utf-8")).data
    )


@cache
def faq(*languages: str) -> Faq:
    """The repository's own questions."""
    read = {code: read_yaml((TEMPLATES / f"{code}.yaml").read_text(encoding="utf-8")) for code in languages}
    return Faq(locales={code: FaqLocale.model_validate(document.data) for code, document in read.items()})


@cache
def answerer() -> LexicalAnswerer:
    return LexicalAnswerer(faq(*LANGUAGES), "Europe/Rome")


@cache
def answered(line: Asked) -> str:
    hit = answerer().answer(line.text, line.language, AT, channel="", account="", public=False)
    return hit.id if hit else NONE


@cache
def passes(line: Asked) -> bool:
    """Whether a webhook would have it asked."""
    return may_be_frequent(Meaning(line.text, _PATTERNS).words, _vocabulary())


_PATTERNS = Patterns({"it": Phrases(thanks=("grazie",))})


@cache
def _vocabulary() -> frozenset[str]:
    return bundle_faq.words(faq(*LANGUAGES))


def precision(of: Iterable[Asked]) -> Row:
    said = [line for line in of if answered(line) != NONE]
    return Row("precision", _share(answered(line) == line.entry for line in said), 0.95, len(said))


def coverage(of: Iterable[Asked]) -> Row:
    """Of the questions that an entry answers, those that it answers."""
    asked = [line for line in of if line.entry != NONE]
    return Row("coverage", _share(answered(line) == line.entry for line in asked), 0.6, len(asked))


def _share(of: Iterable[bool]) -> float:
    counted = list(of)
    return sum(counted) / len(counted) if counted else 0.0


def _prefilter(of: Sequence[Asked]) -> tuple[Row, Row]:
    said = [line for line in of if answered(line) != NONE]
    others = [line for line in of if line.entry == NONE]
    return (
        Row("prefilter: of what is answered", _share(map(passes, said)), 0.98, len(said)),
        Row("prefilter: of the others", _share(map(passes, others)), None, len(others)),
    )


def table(half: str = "score") -> Table:
    scored = [line for line in lines() if line.half == half]
    rows = [precision(scored), coverage(scored)]
    for language in LANGUAGES:
        own = [line for line in scored if line.language == language]
        rows += [
            row(own)._replace(name=f"{row.__name__} {language}", goal=None) for row in (precision, coverage)
        ]
    notes = (
        f"{len(scored)} messages of a half, it, en, ru, nearly half of which no entry answers: cases of the",
        "writer's own, complaints, two questions in one, sarcasm, other questions in the same words.",
        "The prefilter runs in webhooks and only decides whether the worker is asked.",
    )
    return Table("frequent questions", (*rows, *_prefilter(scored)), notes)
