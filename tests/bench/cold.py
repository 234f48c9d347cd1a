"""Cold: CPU of a fresh process from its start until the first message is committed.

Taken in the process itself, right after the handler has returned, and so without its exit. ``bare``
and ``usual`` are in ``programs/``; all of them run in the same sandbox, from compiled files, against
the same stub. Programs are interleaved and compared round by round.
"""

import json
from collections.abc import Callable

from tests.bench.figures import Ratio
from tests.bench.samples import CLOSED, OPEN, secrets, telegram_text, whatsapp_text
from tests.bench.sandbox import Sandbox
from tests.bench.stub import Stub

PAIRS = 21
BARE_GOAL = 1.15
USUAL_GOAL = 0.75


def cold(sandbox: Sandbox, pairs: int = PAIRS) -> list[Ratio]:
    stubs = {name: Stub({key: value}) for key, value in secrets().items() for name in [key.split("/")[2]]}
    for stub in stubs.values():
        stub.start()
    text, whatsapp = json.dumps(telegram_text(OPEN)), json.dumps(whatsapp_text())
    late = json.dumps(telegram_text(CLOSED))
    programs: dict[str, Callable[[], float]] = {
        "bare": lambda: _spent(sandbox, "bare", "telegram", text, stubs),
        "usual": lambda: _spent(sandbox, "usual", "telegram", text, stubs),
        "telegram": lambda: _spent(sandbox, "ours", "telegram", text, stubs),
        "closed": lambda: _spent(sandbox, "ours", "telegram", late, stubs, desk="closed"),
        "whatsapp": lambda: _spent(sandbox, "ours", "whatsapp", whatsapp, stubs),
    }
    spent: dict[str, list[float]] = {name: [] for name in programs}
    try:
        for _ in range(pairs + 1):
            for name, measure in programs.items():
                spent[name].append(measure())
    finally:
        for stub in stubs.values():
            stub.stop()
    taken = {name: values[1:] for name, values in spent.items()}  # the first round warms the disk's cache
    return [
        Ratio.of("telegram / bare", taken["telegram"], taken["bare"], BARE_GOAL),
        Ratio.of("telegram / usual", taken["telegram"], taken["usual"], USUAL_GOAL),
        Ratio.of("whatsapp / bare", taken["whatsapp"], taken["bare"], BARE_GOAL),
        Ratio.of("whatsapp / usual", taken["whatsapp"], taken["usual"], USUAL_GOAL),
        Ratio.of("telegram, closed, with reply and kick / bare", taken["closed"], taken["bare"]),
    ]


def _spent(
    sandbox: Sandbox, program: str, channel: str, event: str, stubs: dict[str, Stub], desk: str = "open"
) -> float:
    environment = sandbox.environment(stubs[channel].url) | {"BENCH_DESK": desk}
    reported, _ = sandbox.run(program, channel, event, environment)
    return float(reported)
