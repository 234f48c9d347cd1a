"""Measure, print, store as ``.local/bench.json``. Arguments choose among cold, warm, deliveries, cost."""

import json
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.engine.launcher import HOME
from infra.local_desk import LocalDesk
from tests.bench import report
from tests.bench.cold import cold
from tests.bench.cost import cost
from tests.bench.deliveries import deliveries
from tests.bench.sandbox import Sandbox
from tests.bench.warm import warm

FILE = HOME / "bench.json"
SANDBOXED: dict[str, Callable[[Sandbox], Any]] = {"cold": cold, "warm": warm}
ON_THE_ENGINE: dict[str, Callable[[LocalDesk], Any]] = {"deliveries": deliveries, "cost": cost}
SHOWN: dict[str, Callable[[Any], Table]] = {
    "cold": partial(report.ratios, title="Cold: CPU from process start to the first commit"),
    "warm": partial(report.ratios, title="Warm: CPU of the whole handler to that of its SDK calls"),
    "deliveries": report.rates,
    "cost": report.costs,
}


def main() -> int:
    wanted = sys.argv[1:] or [*SANDBOXED, *ON_THE_ENGINE]
    if unknown := set(wanted) - SHOWN.keys():
        print(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(SHOWN)}")
        return 2
    console = Console()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        if wanted_here := [name for name in SANDBOXED if name in wanted]:
            sandbox = Sandbox(Path(temporary, "sandbox"), tracer=True)
            for name in wanted_here:
                with console.status(f"measuring {name}"):
                    results[name] = SANDBOXED[name](sandbox)
                console.print(SHOWN[name](results[name]))
        if wanted_here := [name for name in ON_THE_ENGINE if name in wanted]:
            desk = LocalDesk(Path(temporary, "desk"))
            with console.status("starting the engine"):
                desk.start(clock="real")
            with desk:
                for name in wanted_here:
                    with console.status(f"measuring {name}"):
                        results[name] = ON_THE_ENGINE[name](desk)
                    console.print(SHOWN[name](results[name]))
    _store(results)
    console.print(f"Stored in {FILE.name} of the local desk's folder. Quote ratios, not milliseconds.")
    return 0


def _store(results: dict[str, Any]) -> None:
    """Measurements that were not made this time stay as they were."""
    stored = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    machine = f"Python {platform.python_version()} on {platform.machine()}"
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for name, result in results.items():
        stored[name] = {"at": at, "machine": machine, "result": _plain(result)}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(stored, indent=2) + "\n", "utf-8")


def _plain(result: Any) -> Any:
    if isinstance(result, list):
        return [_plain(entry) for entry in result]
    return result.model_dump(mode="json")


sys.exit(main())
