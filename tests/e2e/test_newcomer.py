"""The desk as a newcomer runs it: in a copy of its own, through the command line, to the last process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TREE = ("functions", "infra", "layers", "templates", "events", "pyproject.toml")
SECONDS = 90


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("newcomer")
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / name)
    yield folder
    assert processes_of(folder) == []


def sportello(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{folder / 'layers/core'}:{folder}",
        "COLUMNS": "100",
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "infra.cli.app", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that work in this folder or were started from it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            where = os.readlink(process / "cwd")
        except OSError:
            continue  # it ended meanwhile, or is not ours to look at
        if int(process.name) != os.getpid() and (str(folder) in line or where.startswith(str(folder))):
            found.append(line)
    return found


def test_the_scene_plays_once_and_leaves_nothing_behind(copy: Path) -> None:
    run = sportello(copy, "run", "--once", "--port", "0")
    shown, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, shown
    assert "The scene is as it should be" in shown
    assert "Traceback" not in shown
    assert processes_of(copy) == []


def test_the_second_start_reaches_the_scene_in_time_and_ends_cleanly_on_ctrl_c(copy: Path) -> None:
    run = sportello(copy, "run", "--port", "0")
    shown = ""
    assert run.stdout is not None
    for line in run.stdout:
        shown += line
        if "Ctrl-C ends it" in line:
            break
    assert "The scene is as it should be" in shown, shown
    listed = sportello(copy, "threads", "--owed")
    threads, _ = listed.communicate(timeout=SECONDS)
    assert listed.returncode == 0, threads
    assert "telegram" in threads.casefold()
    run.send_signal(signal.SIGINT)
    rest, _ = run.communicate(timeout=30)
    assert run.returncode == 0, rest
    assert "Traceback" not in rest
    until = time.monotonic() + 10
    while processes_of(copy) and time.monotonic() < until:
        time.sleep(0.1)
    assert processes_of(copy) == []


def test_without_a_desk_the_commands_say_what_to_do(copy: Path) -> None:
    listed = sportello(copy, "threads")
    shown, _ = listed.communicate(timeout=SECONDS)
    assert listed.returncode == 1
    assert "make run" in shown
    assert "Traceback" not in shown


def test_a_mistake_in_the_templates_stops_the_start_with_its_line(copy: Path) -> None:
    desk = copy / "templates" / "desk.yaml"
    text = desk.read_text("utf-8")
    desk.write_text(text.replace("Mo-Fr 09:00-13:00", "Mo-Fr 09:00-13:99"), "utf-8")
    try:
        run = sportello(copy, "run", "--once", "--port", "0")
        shown, _ = run.communicate(timeout=SECONDS)
    finally:
        desk.write_text(text, "utf-8")
    assert run.returncode == 1
    assert "desk.yaml" in shown
    assert "Traceback" not in shown
    assert processes_of(copy) == []
