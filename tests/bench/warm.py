"""Warm: CPU of the whole handler to that of the SDK calls it makes, in one process against the stub."""

import json

from tests.bench.figures import Ratio
from tests.bench.samples import CLOSED, OPEN, secrets, telegram_text
from tests.bench.sandbox import Sandbox
from tests.bench.stub import Stub

PAIRS = 21
GOALS = {"ordinary message": 1.25}
DECIDE_GOAL = 0.10
"""Most of a webhook's CPU that understanding and deciding may take."""


def warm(sandbox: Sandbox, pairs: int = PAIRS) -> list[Ratio]:
    stub = Stub({key: value for key, value in secrets().items() if "telegram" in key})
    stub.start()
    events = {
        "first": telegram_text(OPEN),
        "further": telegram_text(OPEN + 60_000, number=102),
        "late": telegram_text(CLOSED),
    }
    environment = sandbox.environment(stub.url) | {"BENCH_PAIRS": str(pairs)}
    try:
        reported, _ = sandbox.run("warm", "telegram", json.dumps(events), environment)
    finally:
        stub.stop()
    spent = json.loads(reported)
    cases = sorted(spent.items(), key=lambda entry: entry[0] not in GOALS)
    ratios = [
        Ratio.of(f"{case} / its SDK calls", taken["whole"], taken["sdk"], GOALS.get(case))
        for case, taken in cases
        if "sdk" in taken
    ]
    shares = [
        Ratio.of(f"{case} / the whole handler", taken["decide"], taken["whole"], DECIDE_GOAL)
        for case, taken in cases
        if "decide" in taken
    ]
    return [*ratios, *shares]
