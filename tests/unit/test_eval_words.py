"""The goals of courtesy, signals and noise, on the halves that their rules were not written by."""

from importlib import import_module

import pytest

from tests.eval import Table
from tests.eval._words import lines


def table(part: str) -> Table:
    found: Table = import_module(f"tests.eval.{part}").table()
    return found


@pytest.mark.parametrize("part", ["courtesy", "signals", "noise"])
def test_goals_are_met(part: str) -> None:
    promised = [row for row in table(part).rows if row.goal is not None]
    assert promised
    assert [row for row in promised if not row.met] == []


def test_what_is_taken_for_courtesy_is_most_of_it() -> None:
    (recall,) = [row for row in table("courtesy").rows if row.name == "recall"]
    assert recall.value >= 0.9


def test_a_language_told_is_nearly_always_right() -> None:
    right, told = table("language").rows[:2]
    assert right.value >= 0.97
    assert told.value >= 0.9


@pytest.mark.parametrize(
    ("part", "least"), [("courtesy", 400), ("signals", 400), ("noise", 200), ("language", 240)]
)
def test_the_sets_are_as_large_as_promised_and_no_line_stands_twice(part: str, least: int) -> None:
    both = lines(part, "write") + lines(part, "score")
    assert len(both) >= least
    assert all(line.label and line.text for line in both)
    score, write = ({(line.language, line.text) for line in lines(part, half)} for half in ("score", "write"))
    assert not score & write
