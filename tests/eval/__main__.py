"""``make eval``: the tables on standard output and in ``.local/eval.json``; 1 where a goal is missed."""

import json
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tests.eval
from tests.eval import Table

OUT = Path(".local/eval.json")


def tables() -> list[Table]:
    names = [found.name for found in iter_modules(tests.eval.__path__) if not found.name.startswith("_")]
    return [import_module(f"tests.eval.{name}").table() for name in sorted(names)]


def shown(table: Table) -> str:
    width = max(len(row.name) for row in table.rows)
    lines = [
        f"  {row.name:<{width}}  {row.value:6.3f}"
        + (f"  (goal {row.goal:.2f})" if row.goal is not None else "  " * 6)
        + f"  of {row.of}"
        + ("" if row.met else "  MISSED")
        for row in table.rows
    ]
    return "\n".join([table.name, *lines, *(f"  {note}" for note in table.notes)])


def main() -> int:
    found = tables()
    print("\n\n".join(map(shown, found)))
    OUT.parent.mkdir(exist_ok=True)
    figures = {table.name: {row.name: row._asdict() for row in table.rows} for table in found}
    OUT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.met for table in found for row in table.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
