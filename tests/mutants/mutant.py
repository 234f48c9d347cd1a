"""One deliberate fault, and what is to be done with it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from infra.engine.template import ROOT

COPIED = ("layers", "infra", "tests", "functions", "templates", "events", "docs", "pyproject.toml")
CORE = "layers/core/sportello/"
SECONDS = 90
"""A mutant whose tests take longer has made something endless, which is noticed too."""
SECONDS_FOR_ALL = 900
"""For the tests of all mutants, without any."""


class Verdict(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    BROKEN = "broken"
    """The tests could not be run at all: it proves nothing."""


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    """Within the package."""
    old: str
    """Stands in the file exactly once."""
    new: str
    tests: tuple[str, ...]
    """Ids of pytest; at least one of them must fail, and all pass without the change."""


@dataclass(frozen=True)
class Run:
    verdict: Verdict
    words: str
    """The last lines of pytest, for people."""


class NotApplicable(Exception):
    """The text to be changed is not in its file exactly once."""


def mutate(mutant: Mutant) -> Run:
    """Run the tests of one mutant in a copy of its own."""
    with copied_tree() as copy:
        (copy / CORE / mutant.file).write_text(changed(mutant), "utf-8")
        return run_tests(copy, mutant.tests)


def changed(mutant: Mutant) -> str:
    """The mutant's file with its fault. Raises NotApplicable."""
    source = (ROOT / CORE / mutant.file).read_text("utf-8")
    if (times := source.count(mutant.old)) != 1:
        raise NotApplicable(f"{mutant.name}: its old text is {times} times in {CORE}{mutant.file}, not once")
    return source.replace(mutant.old, mutant.new)


def run_tests(tree: Path, tests: Sequence[str], seconds: int = SECONDS) -> Run:
    """Pytest in that tree, which alone is what it imports the package from."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tree / "layers" / "core"), str(tree)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", _FROM_HERE, str(tree), "-q", "-p", "no:cacheprovider", "--tb=line"]
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Run(Verdict.KILLED, f"not done after {seconds} s")
    verdicts = {0: Verdict.SURVIVED, 1: Verdict.KILLED}
    return Run(verdicts.get(done.returncode, Verdict.BROKEN), _last_lines(done.stdout + done.stderr))


_FROM_HERE = """
import sys, pytest, sportello
tree, *arguments = sys.argv[1:]
if not sportello.__file__.startswith(tree):
    sys.exit(f"the tests would import {sportello.__file__}, not the copy in {tree}")
sys.exit(pytest.main(arguments))
"""


def _last_lines(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-12:])


@contextmanager
def copied_tree() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mutant-") as temporary:
        tree = Path(temporary).resolve()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, tree / name)
        yield tree
