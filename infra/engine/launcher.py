"""Starts and ends the local engine: an AWS in one process, on loopback, with its state in a folder."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO

from infra.engine.template import ROOT

HOME = ROOT / ".local"
HOST = "127.0.0.1"
PORT = 4566
START_SECONDS = 30.0
STOP_SECONDS = 10.0
LETS_GO = 2.0
"""Seconds that the lock of a desk that has ended may be held."""


class EngineFailed(Exception):
    """The engine does not start; the text says why and where its log is."""


class Engine:
    """One engine per home folder, which holds its state, its log and whatever its functions write.

    It ends with whoever started it: it reads a pipe that only this process holds open, so that even
    ``kill -9`` of the launcher ends it, after it has saved its state.
    """

    def __init__(self, home: Path = HOME) -> None:
        self.home = home
        self.endpoint = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    def start(self, *, auth: bool = False, reset: bool = False, port: int = PORT) -> str:
        """Start and return the endpoint; another port is taken where ``port`` is not free, or 0.

        Args:
            auth: let every function do only what its role in the template allows.
            reset: forget the state first.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.home / "engine.lock")
        if reset:
            _forget(self.home)
        _fresh(self.home / "tmp")  # what a killed engine's functions left behind
        chosen = port if port and _is_free(port) else _free_port()
        self.endpoint = f"http://{HOST}:{chosen}"
        with (self.home / "engine.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.engine.server"],
                cwd=ROOT,
                env=_environment(self.home, chosen, auth=auth),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[self._lock.fileno()],
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self.endpoint

    def stop(self) -> None:
        """End the engine and everything it started; its state is saved. Safe to call twice."""
        if self._process is not None:
            self._end(self._process)
            self._process = None
            shutil.rmtree(self.home / "tmp", ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise EngineFailed(f"the local engine ended at once: {self._last_words()}")
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise EngineFailed(f"the local engine is not up after {START_SECONDS:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        log = self.home / "engine.log"
        lines = log.read_text("utf-8", "replace").splitlines()
        return f"{lines[-1] if lines else 'no output'} (see {log})"

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _kill_group(process.pid)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _environment(home: Path, port: int, *, auth: bool) -> dict[str, str]:
    """All that the engine gets, and hands on to every function: nothing of whoever started it."""
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,  # the engine's default is every interface
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "AUTH": "true" if auth else "false",
        "LOG_LEVEL": "INFO",
    }


def _lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _locked(path: Path) -> IO[bytes]:
    """The engine inherits the lock, so that it is held for as long as either of us lives.

    One that is just ending lets go within a moment.
    """
    file, last = path.open("ab"), time.monotonic() + LETS_GO
    while not _lock(file):
        if time.monotonic() > last:
            file.close()
            raise EngineFailed(f"a local desk is already running in {path.parent}; stop it first")
        time.sleep(0.05)
    return file


def _forget(home: Path) -> None:
    for name in ("state", "s3"):
        shutil.rmtree(home / name, ignore_errors=True)
    (home / "desk.json").unlink(missing_ok=True)


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
