"""What the sets of ``domain/{phrases,language,noise}.py`` have in common: lines, halves, shares.

A set is ``<part>/lines.tsv``: a header, then one line a message. Rules may be written by the odd lines;
the published figures are of the even ones.
"""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from infra.yaml_with_lines import read_yaml
from sportello.domain.phrases import Patterns, Phrases

HERE = Path(__file__).parent
TEMPLATES = HERE.parents[1] / "templates" / "phrases"


class Labelled(NamedTuple):
    text: str
    label: str
    language: str
    half: str


class Counts(NamedTuple):
    """Of one label: lines found rightly, found wrongly, missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def lines(part: str, half: str) -> list[Labelled]:
    """The lines of one half: ``write`` or ``score``."""
    path = HERE / part / "lines.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    halves = ("write", "score")
    found = [
        Labelled(row["text"], row["label"], row.get("language", ""), halves[number % 2])
        for number, row in enumerate(rows)
    ]
    return [line for line in found if line.half == half]


@cache
def patterns(*languages: str) -> Patterns:
    """The shipped phrases of a desk with these languages."""
    read = {
        language: Phrases.model_validate(read_yaml((TEMPLATES / f"{language}.yaml").read_text("utf-8")).data)
        for language in languages
    }
    return Patterns(read)


def counts(pairs: Iterable[tuple[bool, bool]]) -> Counts:
    """Of pairs (found, true)."""
    listed = list(pairs)
    return Counts(
        right=sum(found and true for found, true in listed),
        wrong=sum(found and not true for found, true in listed),
        missed=sum(true and not found for found, true in listed),
    )
