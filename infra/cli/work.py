"""What the commands share: the place they work in, the desk's files, who acts, and the terminal."""

import getpass
import os
import shutil
import sys
from dataclasses import dataclass

import typer
from rich.console import Console, RenderableType

from infra.bundle import Bundle, load
from infra.cli.errors import Refused
from infra.cli.place import Place, find
from infra.engine.template import ROOT
from sportello.aws.clock import now
from sportello.domain.desk import Desk
from sportello.services import desk as desk_seam
from sportello.services import guidelines
from sportello.services.reply import Person

TEMPLATES = ROOT / "templates"
NAME_MOST = 64

PIPED_WIDTH = 120

console = Console(
    highlight=False,
    width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH,
)


@dataclass(frozen=True)
class Chosen:
    """The global options."""

    stack: str = ""
    region: str = ""


def place_of(context: typer.Context) -> Place:
    """The desk that the global options mean, entered."""
    chosen: Chosen = context.obj or Chosen()
    place = find(chosen.stack, chosen.region)
    place.enter()
    return place


def bundle() -> Bundle:
    """The desk as it stands in ``templates/``, also for the services of this process."""
    loaded = load(TEMPLATES)
    desk_seam.use(loaded.desk, loaded.texts, loaded.faq)
    guidelines.use(loaded.guidelines)
    return loaded


def person(name: str, desk: Desk) -> Person:
    from sportello.workers import channel

    return Person(by=name_of_person(name), desk=desk, channels=channel, now=now)


def name_of_person(name: str) -> str:
    """``--as``, else ``SPORTELLO_NAME``, else who is logged in. Raises Refused for no name at all."""
    name = name or os.environ.get("SPORTELLO_NAME", "")
    if not name:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = ""
    if not name.strip() or len(name) > NAME_MOST:
        raise Refused(f"who answers? Name yourself in up to {NAME_MOST} characters: --as NAME")
    return name.strip()


def command() -> str:
    """How to call this program from here: ``sportello``, or ``.venv/bin/sportello``."""
    called = sys.argv[0]
    if os.path.basename(called) != "sportello" or shutil.which("sportello") == os.path.abspath(called):
        return "sportello"
    return os.path.relpath(called)


def page(*parts: RenderableType) -> None:
    """Print, through the pager where it is more than a screenful for a person."""
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    text = captured.get()
    if console.is_terminal and text.count("\n") > console.height:
        os.environ.setdefault("LESS", "-FRX")
        with console.pager(styles=True):
            for part in parts:
                console.print(part)
    else:
        console.file.write(text)
        console.file.flush()
