"""The engine's own process: ministack with our fixes, started by ``launcher``."""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from infra.engine import fixes

LAST_SECONDS = 8.0


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    state = Path(os.environ["STATE_DIR"])
    fixes.forget_stream_positions(state)
    fixes.follow_the_port(state, os.environ["GATEWAY_PORT"])
    from ministack import app  # reads its settings and the state as it is imported
    from ministack.core import iam_actions, lambda_runtime
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    fixes.check_version()
    fixes.answer_silent_handlers_at_once(lambda_runtime)
    fixes.share_layers(lambda_runtime)
    fixes.authorize_parameter_paths(iam_actions)
    fixes.know_mail_rules(provisioners)
    fixes.hand_over_compressed_bodies(lambda_svc)
    ending = threading.Event()
    fixes.save_regularly(app, ending)
    try:
        app.main()
    finally:
        ending.set()
        _end_workers()
        shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)


def _end_with_parent() -> None:
    """Our input is a pipe to which the launcher never writes: it ends when the launcher does, however."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os.killpg(0, signal.SIGKILL)


def _end_workers() -> None:
    """Functions run in this process's group; one that is busy would go on for as long as its time-out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
