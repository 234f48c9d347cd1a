"""A webhook of ours as it is deployed; the clock alone is set, so that the desk is open (or closed)."""

import os

import child
import handler  # the function's own, from its folder
from sportello import entrypoints

moment = child.CLOSED if os.environ.get("BENCH_DESK") == "closed" else child.OPEN
entrypoints.now = lambda: moment

child.end(handler.handler(child.event(), child.LambdaContext()))
