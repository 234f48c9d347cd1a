"""``python -m infra.world --port N --state DIR``: the local world, until it is interrupted."""

import argparse
import signal
import threading
from pathlib import Path

from infra.world.server import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.world", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--state", type=Path, help="folder that keeps the world between runs")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with World(arguments.port, arguments.state) as world:
        print(world.url, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
