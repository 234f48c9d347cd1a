"""Personal data in public messages: what is found of what is there, on lines written for it.

Every kind of look-alike is among the lines: tracking codes, order and serial numbers, barcodes, IMEI,
loyalty cards, dates, prices, coordinates. A hit counts where kind and digits (letters) are the same.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sportello.domain.personal_data import found
from tests.eval import Row, Table

FOLDER = Path(__file__).parent / "personal_data"
GOAL = 0.98

_MARKED = re.compile(r"\{([a-z_]+):([^{}]+)\}")


class Line(NamedTuple):
    language: str
    half: str
    text: str
    expected: frozenset[tuple[str, str]]
    """Kinds and values: letters, digits and ``@`` only."""


def lines() -> Iterator[Line]:
    for file in sorted(FOLDER.glob("*.tsv")):
        for row in file.read_text(encoding="utf-8").splitlines()[1:]:
            half, marked = row.split("\t")
            for escaped, sign in ((r"\n", "\n"), (r"\u00a0", "\u00a0"), (r"\u2011", "\u2011")):
                marked = marked.replace(escaped, sign)
            expected = frozenset((kind, _bare(value)) for kind, value in _MARKED.findall(marked))
            yield Line(file.stem, half, _MARKED.sub(r"\2", marked), expected)


def found_in(text: str) -> frozenset[tuple[str, str]]:
    return frozenset((hit.kind, _bare(text[hit.start : hit.end])) for hit in found(text))


def _bare(value: str) -> str:
    return re.sub(r"[^\w@]|_", "", value.casefold())


def table() -> Table:
    scored = [line for line in lines() if line.half == "score"]
    pairs = [(line.expected, found_in(line.text)) for line in scored]
    right = sum(len(expected & got) for expected, got in pairs)
    told = sum(len(got) for _, got in pairs)
    there = sum(len(expected) for expected, _ in pairs)
    kinds = sorted({kind for expected, _ in pairs for kind, _ in expected})
    rows = [Row("precision", right / told, GOAL, told), Row("recall", right / there, GOAL, there)]
    for kind in kinds:
        of_kind = [value for expected, _ in pairs for value in expected if value[0] == kind]
        hits = sum(len({v for v in expected & got if v[0] == kind}) for expected, got in pairs)
        rows.append(Row(f"recall of {kind}", hits / len(of_kind), None, len(of_kind)))
    clean = [(expected, got) for expected, got in pairs if not expected]
    rows.append(
        Row("clean lines left alone", sum(not got for _, got in clean) / len(clean), None, len(clean))
    )
    size = sum(1 for _ in lines())
    return Table("personal data", tuple(rows), (f"{size} lines in it, en, ru; {len(scored)} scored",))
