"""``simulate``, ``diff-desk``: see what the desk would do, before it speaks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.errors import Refused
from infra.cli.explain import explained
from infra.cli.times import read_time
from infra.cli.work import TEMPLATES, console
from infra.simulate import scenario as scenarios
from infra.simulate.diff import differences
from infra.simulate.rehearsal import stage
from infra.simulate.side_by_side import show
from infra.simulate.transcript import Transcript
from infra.simulate.world import end_of
from infra.template_files import BundleError
from sportello.domain.model import Instant

BAD_INPUT = 2

DeskFolder = Annotated[
    Path, typer.Option("--desk", metavar="DIR", help="The desk to try: a folder like templates/.")
]
Until = Annotated[
    str,
    typer.Option(
        "--until",
        metavar="TIME",
        help="How long to watch; default: a day after the last line, or the opening after it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs; docs/simulate.md tells the form.")]


def simulate(
    scenario: Annotated[
        Path,
        typer.Option("--scenario", metavar="FILE", help="What happens when; docs/simulate.md tells how."),
    ],
    desk: DeskFolder = TEMPLATES,
    as_json: AsJson = False,
    until: Until = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Also tell what would have changed each decision.")
    ] = False,
) -> None:
    """Play a dated scenario through the desk: what it says, whom it calls, and why. Nothing is sent."""
    on_it = stage(desk)
    told = scenarios.read(scenario)
    entries = on_it.play(told, _until(until, on_it.desk.time_zone))
    if as_json:
        _put_json([entry.as_json() for entry in entries])
        return
    below = [explained(entry, on_it.desk) for entry in entries] if explain else ()
    Transcript(console, on_it.desk.time_zone).show(entries, below)


def diff_desk(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The desk as it is: a folder like templates/.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The desk as it shall be.")],
    replay: Annotated[
        Path, typer.Option("--replay", metavar="FILE", help="A scenario, or what `sportello export` wrote.")
    ],
    as_json: AsJson = False,
    until: Until = "",
) -> None:
    """Play one scenario through two desks and show the decisions that differ.

    Ends with 0 where none differ, 1 where some do, 2 where a file cannot be used.
    """
    try:
        sides = [stage(folder) for folder in (old, new)]
        told = scenarios.read(replay)
        end = _until(until, sides[0].desk.time_zone) or max(end_of(told, side.desk) for side in sides)
    except (BundleError, Refused) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    found = differences(*(side.play(told, end) for side in sides))
    if as_json:
        _put_json([one.as_json() for one in found])
    else:
        show(console, found, sides[1].desk.time_zone)
    if found:
        raise typer.Exit(1)


def _until(text: str, zone: str) -> Instant | None:
    return read_time(text, zone) if text else None


def _put_json(value: Sequence[object]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
