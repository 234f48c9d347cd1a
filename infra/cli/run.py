"""``run``: the whole desk on this machine, with a scene, until Ctrl-C."""

import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from infra.cli.work import bundle, command, console

if TYPE_CHECKING:
    from infra.local_desk import LocalDesk

PORT = 4566
LOOK_SECONDS = 0.5


def run(
    once: Annotated[bool, typer.Option("--once", help="Play the scene, check it, end: 0 or 1.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget all that happened before.")] = False,
    auth: Annotated[bool, typer.Option("--auth", help="Enforce the roles of the functions.")] = False,
    port: Annotated[int, typer.Option("--port", help="Of the local AWS; if taken, a free one.")] = PORT,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE.svg", help="Keep what the scene showed.")
    ] = None,
) -> None:
    """Start the desk on this machine, play a scene and stay up: AWS, platforms, Slack and mailboxes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    console.print(Text("Starting the desk on this machine …", "dim"))
    bundle()  # a mistake in templates/ is told before anything starts
    from infra.local_desk import LocalDesk

    desk = LocalDesk()
    played = False
    try:
        imports = time.monotonic() - started
        desk.start(auth=auth, reset=reset, port=port)
        _tell_start(desk, imports, time.monotonic() - started)
        console.record = picture is not None
        waiting = _play(desk)
        played = True
        if picture is not None:
            picture.write_text(_without_fonts(console.export_svg(title="make run")), "utf-8")
        if not once:
            _tell_what_to_try(waiting)
            _tell_channels(desk)
            _tell_directory(desk)
            console.print(Text("\nCtrl-C ends it; what happened is kept under .local/.", "dim"))
            _stay(desk)
    except KeyboardInterrupt:
        if not played or once:
            raise typer.Exit(130) from None
    finally:
        _end(desk)


def _without_fonts(svg: str) -> str:
    """A picture that fetches nothing: the reader's own fixed-width font will do."""
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def _interrupt(*_: Any) -> None:
    """Once: ending must not be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _tell_start(desk: "LocalDesk", imports: float, total: float) -> None:
    steps = {"reading templates and code": imports, **desk.seconds}
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in steps.items())
    console.print(Text(f"Up after {total:.1f} s: {told}", "dim"))


def _play(desk: "LocalDesk") -> str:
    """Play the scene; the thread that still waits. Exits with 1 where a check fails."""
    from infra.cli.place import local
    from infra.cli.scene import Scene, SceneFailed
    from infra.cli.transcript import Transcript

    local(desk.home).enter()
    loaded = bundle()
    started = time.monotonic()
    try:
        _, waiting = Scene(desk.client, loaded, Transcript(console, loaded.desk.time_zone)).play()
    except SceneFailed as failed:
        console.print(Text(f"\nThe scene failed.\n{failed}", "bold red"))
        console.print(Text(f"Logs: {desk.home / 'engine.log'}", "dim"))
        raise typer.Exit(1) from None
    console.print(Text(f"\nThe scene is as it should be ({time.monotonic() - started:.1f} s).", "bold green"))
    return waiting


def _tell_what_to_try(waiting: str) -> None:
    name = command()
    tries = (
        ("who waits", f"{name} threads --owed"),
        ("what was said and decided, and why", f"{name} thread {waiting}"),
        ("answer the one who still waits", f'{name} reply {waiting} "Yes, of course: which address?"'),
        ("be a customer", f'{name} say whatsapp "Buongiorno, a che ora aprite domani?" --from "Customer A"'),
        ("move the desk's clock to its next opening", f"{name} clock {_next_opening()}"),
        ("after editing templates/ (takes effect at the next start)", f"{name} check"),
    )
    console.print(Text("\nThe desk stays up. In another terminal, in this folder, try:"))
    for what, line in tries:
        _tell_try(what, line)


def _tell_channels(desk: "LocalDesk") -> None:
    """Those that are connected and had no part in the scene."""
    from infra.cli.scene import PARTS

    others = sorted(desk.accounts.keys() - {part.channel for part in PARTS})
    if others:
        console.print(Text("\nThese channels are connected as well: " + ", ".join(others)), soft_wrap=True)
        _tell_try("be a customer there", f'{command()} say {others[0]} "Hello, is my order ready?"')


def _tell_directory(desk: "LocalDesk") -> None:
    address = desk.deployed.outputs["DirectoryUrl"].rstrip("/") + "/"
    console.print(Text(f"\nThe public page with the hours: {address}"), soft_wrap=True)


def _tell_try(what: str, line: str) -> None:
    console.print(Text.assemble(("  # " + what + "\n", "dim"), "  " + line), soft_wrap=True)


def _next_opening() -> str:
    """In the desk's own time; a desk that never closes gets the time it is."""
    from sportello.aws.clock import now
    from sportello.domain.front import calendar_of_front

    calendar = calendar_of_front(bundle().desk)
    opening = calendar.next_opening(now())
    return "real" if opening is None else f"{calendar.wall(opening):%Y-%m-%dT%H:%M}"


def _stay(desk: "LocalDesk") -> None:
    while desk.engine.running:
        time.sleep(LOOK_SECONDS)
    console.print(Text(f"The local engine ended by itself: see {desk.home / 'engine.log'}", "bold red"))
    raise typer.Exit(1)


def _end(desk: "LocalDesk") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    desk.stop()
