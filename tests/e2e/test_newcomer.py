"""The desk as a newcomer runs it: in a copy of its own, through the command line, to the last process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.world.client import WorldClient
from infra.world.model import Setup
from infra.world.telegram_bot import TelegramBot
from infra.world.whatsapp_number import WhatsAppNumber

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


def sportello(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = variables | {
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


def told(folder: Path, *arguments: str, status: int = 0, **variables: str) -> str:
    """What a command says; it ends with that status, and never with a traceback."""
    command = sportello(folder, *arguments, **variables)
    shown, _ = command.communicate(timeout=SECONDS)
    assert command.returncode == status, shown
    assert "Traceback" not in shown
    return shown


@contextmanager
def staying_up(folder: Path) -> Iterator[WorldClient]:
    """The desk as `make run` leaves it, until Ctrl-C."""
    run = sportello(folder, "run", "--port", "0")
    assert run.stdout is not None
    shown = ""
    for line in run.stdout:
        shown += line
        if "Ctrl-C ends it" in line:
            break
    assert "The scene is as it should be" in shown, shown
    world = WorldClient(json.loads((folder / ".local" / "desk.json").read_text("utf-8"))["platforms"])
    try:
        yield world
    finally:
        world.close()
        run.send_signal(signal.SIGINT)
        rest, _ = run.communicate(timeout=30)
    assert run.returncode == 0, rest
    assert "Traceback" not in rest


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


def test_the_second_start_plays_again_and_ends_cleanly_on_ctrl_c(copy: Path) -> None:
    with staying_up(copy):
        assert "webchat" in told(copy, "threads", "--owed").casefold()
        assert "say one of: " in told(copy, "say", "fax", "Salve", status=1)
        assert "image" in told(copy, "say", "telegram", "Ecco", "--media", "image", "--from", "Customer P")
    until = time.monotonic() + 10
    while processes_of(copy) and time.monotonic() < until:
        time.sleep(0.1)
    assert processes_of(copy) == []


def test_new_accounts_are_connected_and_heard(copy: Path) -> None:
    bot = TelegramBot(id="100200400", token="100200400:a-second-bot", username="second_bot")
    number = WhatsAppNumber(
        id="100000000000009",
        waba_id="100000000000008",
        token="a-second-number",
        display_phone_number="15550100109",
        app_secret="a-second-app-secret",
    )
    with staying_up(copy) as world:
        world.setup(Setup(accounts=(bot.at("telegram"), number.at("whatsapp"))))
        telegram = ("connect", "telegram", "--name", "second")
        wrong = told(copy, *telegram, status=1, SPORTELLO_TOKEN="100200400:wrong")
        assert "wrong" not in wrong
        connected = told(copy, *telegram, SPORTELLO_TOKEN=bot.token)
        assert "Checked: second_bot" in connected
        assert bot.token not in connected
        said = world.say("telegram", "Is anybody there?", "Customer Q", account=bot.id)
        assert said.status == 200
        numbers = ("--set", f"phone_number_id={number.id}", "--set", f"waba_id={number.waba_id}")
        whatsapp = ("connect", "whatsapp", "--name", "second", *numbers)
        told(copy, *whatsapp, SPORTELLO_TOKEN=number.token, SPORTELLO_SECRET=number.app_secret)
        url = json.loads((copy / ".local" / "desk.json").read_text("utf-8"))["outputs"]["WhatsAppUrl"]
        heard = number.model_copy(update={"webhook_url": f"{url}/second"})
        world.setup(Setup(accounts=(heard.at("whatsapp"),)))
        said = world.say("whatsapp", "Buongiorno, ci siete?", "Customer R", account=number.id)
        assert said.status == 200
        waiting = told(copy, "threads", "--owed")
        assert "Customer Q" in waiting
        assert "Customer R" in waiting


def test_what_could_not_be_read_is_kept_and_replayed(copy: Path) -> None:
    with staying_up(copy) as world:
        said = world.say("telegram", "", "Customer S", kind="raw", raw={"text": {"not": "a text"}})
        assert said.status == 200
        replayed = told(copy, "redrive", "quarantine")
        assert replayed.strip() == "quarantine: 1 still unreadable"


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
