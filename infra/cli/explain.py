"""``explain`` and ``export``: stored conversations, played again."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
import yaml
from rich.text import Text

from infra.cli.threads import ThreadId
from infra.cli.work import TEMPLATES, console, place_of
from infra.simulate.entry import Entry
from infra.simulate.otherwise import ledger, otherwise
from infra.simulate.rehearsal import stage
from infra.simulate.scenario import of_lines
from infra.simulate.stored import lines_of
from infra.simulate.transcript import Transcript
from infra.simulate.world import name_of
from sportello.aws import threads as listing
from sportello.aws.clock import now
from sportello.domain.desk import Desk
from sportello.domain.events import Inbound, Tick
from sportello.domain.message import Message
from sportello.domain.model import DAY
from sportello.domain.reasons import Reason
from sportello.services import desk as desk_seam
from sportello.services.reply import look

THREADS_MOST = 1_000


def explain(
    context: typer.Context,
    id: ThreadId,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="Newest messages read.")] = 200,
) -> None:
    """Tell why the desk did what it did in a thread, and what would have changed it.

    The stored messages are played again through the desk as it stands in templates/ now. Where that
    decides otherwise than was decided then, it says so.
    """
    place_of(context)
    on_it = stage(TEMPLATES)
    desk_seam.use(on_it.desk, on_it.texts)
    view = look(id, newest=most)
    told = lines_of(view.thread, view.messages)
    name = view.thread.name or view.thread.to
    lines = [line | {("to" if "agent" in line else "from"): name} for _, line in told]
    scenario = of_lines(lines)
    if not any("agent" not in line for line in lines):
        console.print("Nobody has written in this thread.")
        return
    ids = {name_of(step.does): view.thread.id for step in scenario.steps if not hasattr(step.does, "agent")}
    entries = on_it.play(scenario, now(), ids)
    if len(view.messages) == most:
        console.print(
            Text(f"Only the newest {most} messages were read: what went before is not known.", "yellow")
        )
    below = [_below(entry, told, on_it.desk) for entry in entries]
    Transcript(console, on_it.desk.time_zone).show(entries, below)


def _below(entry: Entry, told: Sequence[tuple[Message, dict[str, Any]]], desk: Desk) -> list[str]:
    """What would have changed it; where it was decided otherwise then, only that."""
    stored = told[entry.line - 1][0].why if entry.line else ()
    again = tuple(map(str, entry.decision.reasons))
    if isinstance(entry.event, Inbound) and set(stored) - {Reason.ALREADY_CAUSED} != set(again):
        then = ", ".join(stored) or "nothing that was stored"
        return [
            f"Decided then: {then}. Decided again now: {', '.join(again)}. Either the desk's files have "
            "changed, or what counted then is not stored: what would have changed it cannot be told."
        ]
    return explained(entry, desk)


def explained(entry: Entry, desk: Desk) -> list[str]:
    """The minutes of a deadline, and what would have changed the decision."""
    counted = ledger(desk, entry.before, entry.at) if isinstance(entry.event, Tick) else []
    minutes = [f"Service time so far: {'; '.join(counted)}."] if counted else []
    return [*minutes, *otherwise(entry, desk)]


def export(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="Threads heard of since.")] = 7,
) -> None:
    """Write stored threads as a scenario for diff-desk, to the output.

    It holds what customers wrote and the numbers or ids they wrote from: keep it as you keep those.
    """
    place_of(context)
    since = now() - days * DAY
    lines: list[dict[str, Any]] = []
    for thread in listing.newest(THREADS_MOST):
        if (thread.window or thread.created) >= since:
            view = look(thread.id)
            lines += [line for _, line in lines_of(view.thread, view.messages)]
    lines.sort(key=lambda line: str(line["at"]))
    typer.echo(yaml.safe_dump(lines, allow_unicode=True, sort_keys=False, width=110), nl=False)
