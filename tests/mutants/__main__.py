"""Run every mutant, two at a time; exit 1 if one survives or cannot be run."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.table import Table

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import (
    SECONDS_FOR_ALL,
    Mutant,
    NotApplicable,
    Run,
    Verdict,
    changed,
    copied_tree,
    mutate,
    run_tests,
)

AT_ONCE = 2
COLOURS = {Verdict.KILLED: "green", Verdict.SURVIVED: "bold red", Verdict.BROKEN: "bold yellow"}


def main() -> int:
    console = Console()
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or _named(mutant, sys.argv[1:])]
    if not chosen:
        console.print(f"no mutant is named so; there are: {', '.join(mutant.name for mutant in MUTANTS)}")
        return 1
    if mistakes := _mistakes(chosen):
        console.print("\n".join(mistakes), markup=False)
        return 1
    started = time.monotonic()
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    with copied_tree() as tree:
        unchanged = run_tests(tree, tests, SECONDS_FOR_ALL)
    if unchanged.verdict is not Verdict.SURVIVED:
        console.print(f"The tests do not even pass without a mutant:\n{unchanged.words}", markup=False)
        return 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = dict(zip(chosen, pool.map(mutate, chosen), strict=True))
    console.print(_table(runs))
    alive = {mutant: run for mutant, run in runs.items() if run.verdict is not Verdict.KILLED}
    for mutant, run in alive.items():
        console.print(f"{mutant.name}: {run.verdict}\n{run.words}\n", markup=False)
    seconds = time.monotonic() - started
    console.print(f"{len(runs) - len(alive)} of {len(runs)} mutants killed in {seconds:.0f} s")
    return 1 if alive else 0


def _mistakes(mutants: list[Mutant]) -> list[str]:
    """Mutants whose file has changed under them: the catalogue is to be brought up to date."""
    found = []
    for mutant in mutants:
        try:
            compile(changed(mutant), mutant.file, "exec")
        except (NotApplicable, SyntaxError) as error:
            found.append(f"{mutant.name}: {error}" if isinstance(error, SyntaxError) else str(error))
    return found


def _named(mutant: Mutant, words: list[str]) -> bool:
    return any(word in mutant.name for word in words)


def _table(runs: dict[Mutant, Run]) -> Table:
    table = Table(title="Mutants", title_justify="left", box=None)
    for column in ("mutant", "verdict", "tests that notice it"):
        table.add_column(column, overflow="fold")
    for mutant, run in runs.items():
        tests = "\n".join(test.removeprefix("tests/") for test in mutant.tests)
        table.add_row(mutant.name, f"[{COLOURS[run.verdict]}]{run.verdict}[/]", tests)
    return table


sys.exit(main())
