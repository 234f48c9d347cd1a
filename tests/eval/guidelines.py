"""The linter of replies: which rules fire on lines written for it, against those that should.

Lines are answers of a care desk in it, en and ru: good ones, each rule broken, two broken at once, and
what looks like a fault and is none ("we cannot guarantee", "the warranty", sizes, coupon codes).
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from infra import bundle_guidelines
from infra.template_files import Files
from sportello.domain.guidelines import Guidelines, lint
from tests.eval import Row, Table

FOLDER = Path(__file__).parent / "guidelines"
TEMPLATES = Path(__file__).parents[2] / "templates"
PRECISION, RECALL = 0.95, 0.9
_CHANNELS = ("sms", "x", "email")


class Line(NamedTuple):
    language: str
    half: str
    flags: frozenset[str]
    text: str
    expected: frozenset[str]


def lines() -> Iterator[Line]:
    for file in sorted(FOLDER.glob("*.tsv")):
        for row in file.read_text(encoding="utf-8").splitlines()[1:]:
            half, rules, flags, text = row.split("\t")
            yield Line(
                file.stem, half, frozenset(flags.split(",")), text, frozenset(rules.split(",")) - {"-"}
            )


@cache
def rules() -> dict[str, Guidelines]:
    files = Files(TEMPLATES)
    found = bundle_guidelines.guidelines(files, ("it", "en", "ru"))
    assert not files.mistakes, files.mistakes
    return found


def fired(line: Line) -> frozenset[str]:
    role: Literal["official", "care"] = "official" if "official" in line.flags else "care"
    channel = next((name for name in _CHANNELS if name in line.flags), "whatsapp")
    remarks = lint(
        line.text,
        rules()[line.language],
        channel=channel,
        public="public" in line.flags,
        role=role,
        formal="formal" in line.flags,
    )
    return frozenset(remark.rule for remark in remarks)


def table() -> Table:
    scored = [line for line in lines() if line.half == "score"]
    pairs = [(line.expected, fired(line)) for line in scored]
    right = sum(len(expected & got) for expected, got in pairs)
    told = sum(len(got) for _, got in pairs)
    there = sum(len(expected) for expected, _ in pairs)
    rows = [Row("precision", right / told, PRECISION, told), Row("recall", right / there, RECALL, there)]
    for rule in sorted({rule for expected, _ in pairs for rule in expected}):
        of_rule = sum(rule in expected for expected, _ in pairs)
        hits = sum(rule in expected and rule in got for expected, got in pairs)
        rows.append(Row(f"recall of {rule}", hits / of_rule, None, of_rule))
    clean = [got for expected, got in pairs if not expected]
    rows.append(Row("good lines left alone", sum(not got for got in clean) / len(clean), None, len(clean)))
    size = sum(1 for _ in lines())
    return Table("guidelines", tuple(rows), (f"{size} lines in it, en, ru; {len(scored)} scored",))
