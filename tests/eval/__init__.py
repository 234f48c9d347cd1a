"""How well the desk understands: each part scored on labelled lines that were not used to write its rules.

A set is a YAML list of lines; each says its ``half``: ``write`` (rules were written by it) or ``score``
(what the published figure is of). ``python -m tests.eval`` prints every table and writes
``.local/eval.json``; ``tests/unit/test_eval.py`` holds the goals.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One figure: a share of 0 to 1 and what it is a share of."""

    name: str
    value: float
    goal: float | None
    """Least value; None: told, not promised."""
    of: int
    """How many lines it was measured on."""

    @property
    def met(self) -> bool:
        return self.goal is None or self.value >= self.goal


class Table(NamedTuple):
    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know: size of the set, languages, what is hard in it."""
