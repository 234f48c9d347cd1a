"""A webhook of ours as it is deployed; the clock alone is set, so that the desk is open (or closed)."""

import importlib
import os

from tests.bench.programs import child

function = importlib.import_module("handler")  # the function's own, from its folder
child.set_clock(child.CLOSED if os.environ.get("BENCH_DESK") == "closed" else child.OPEN)

child.end(function.handler(child.event(), child.LambdaContext()))
