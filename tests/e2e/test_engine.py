"""The launcher: what it starts ends with it, however it ends, and what was stored stays."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from infra.engine.deploy import REGION
from infra.engine.launcher import Engine, EngineFailed
from infra.engine.template import ROOT

LAUNCH = """
import sys, time
from pathlib import Path
from infra.engine.launcher import Engine
engine = Engine(Path(sys.argv[1]))
print(engine.start(port=0), flush=True)
try:
    time.sleep(60)
finally:
    engine.stop()
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as engine:
        yield engine


def put(endpoint: str, name: str, value: str) -> None:
    parameters(endpoint).put_parameter(Name=name, Value=value, Type="String")


def get(endpoint: str, name: str) -> str:
    return str(parameters(endpoint).get_parameter(Name=name)["Parameter"]["Value"])


def parameters(endpoint: str):  # type: ignore[no-untyped-def]
    return boto3.client(
        "ssm",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def running_in(home: Path) -> list[int]:
    """Processes that have this home in their environment: the engine and its functions."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes()
            alive = (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue
        if alive and f"STATE_DIR={home}".encode() in variables:
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_desk_whose_launcher_ends(tmp_path: Path, ending: signal.Signals) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert launcher.stdout is not None
    endpoint = launcher.stdout.readline().strip()
    put(endpoint, "kept", "yes")
    assert running_in(tmp_path)

    launcher.send_signal(ending)
    launcher.communicate()
    deadline = time.monotonic() + 10
    while running_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert running_in(tmp_path) == []
    assert not (tmp_path / "tmp").exists()
    with Engine(tmp_path) as engine:
        assert get(engine.start(port=0), "kept") == "yes"


def test_a_taken_port_is_left_to_whoever_has_it(engine: Engine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert engine.start(port=port) != f"http://127.0.0.1:{port}"


def test_one_home_has_one_engine(engine: Engine) -> None:
    engine.start(port=0)

    with pytest.raises(EngineFailed, match="already running"):
        Engine(engine.home).start(port=0)
    assert engine.running


def test_reset_forgets(engine: Engine) -> None:
    put(engine.start(port=0), "kept", "yes")
    engine.stop()

    endpoint = engine.start(port=0, reset=True)

    with pytest.raises(Exception, match="ParameterNotFound"):
        get(endpoint, "kept")


def test_the_engine_listens_on_loopback_only(engine: Engine) -> None:
    port = int(engine.start(port=0).rpartition(":")[2])
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }

    assert listening == {f"0100007F:{port:04X}"}


def test_functions_inherit_nothing_of_ours(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_OURS", "value")
    endpoint = engine.start(port=0)

    [process] = running_in(engine.home)

    assert b"A_SECRET_OF_OURS" not in Path(f"/proc/{process}/environ").read_bytes()
    with urllib.request.urlopen(f"{endpoint}/_ministack/health") as answer:
        assert json.load(answer)
