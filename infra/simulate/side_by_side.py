"""Differences between two desks, side by side."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.printable import printable
from infra.simulate.diff import Difference
from infra.simulate.entry import Told, is_timer
from infra.simulate.transcript import SPEAKS, STYLES, happened
from sportello.domain.model import to_datetime

WORDS_MOST = 240
"""Characters of a text that are shown."""


def show(console: Console, found: Sequence[Difference], zone: str) -> None:
    """A row for each event; what differs only in deadlines is counted."""
    if not found:
        console.print("No decision differs.")
        return
    shown = [one for one in found if not one.of_timers]
    if shown:
        console.print(_table(shown, zone))
    timers = len(found) - len(shown)
    if timers:
        told = "1 event differs" if timers == 1 else f"{timers} events differ"
        console.print(
            Text(f"{'Besides, ' if shown else ''}{told} only in a deadline (--json shows them).", "dim")
        )


def _table(found: Sequence[Difference], zone: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=True)
    for name in ("When and what", "Old", "New"):
        table.add_column(name, ratio=1, overflow="fold")
    for one in found:
        local = to_datetime(one.at).astimezone(ZoneInfo(zone))
        who, what, style = happened(one.example)
        event = Text.assemble(
            (f"{local:%a %d %b %H:%M}", "bold"), "\n", (printable(who), style), printable(what)
        )
        table.add_row(event, _decisions(one.old), _decisions(one.new))
    return table


def _decisions(told: Sequence[Told] | None) -> Text:
    if told is None:
        return Text("(does not happen)", "dim")
    text = Text()
    for one in told:
        if is_timer(one):
            continue
        text.append("\n" if text else "")
        text.append(f"{one.kind} {one.reason}", STYLES[one.kind])
        if one.kind in SPEAKS and one.more.get("text"):
            text.append(f"\n{printable(str(one.more['text']))[:WORDS_MOST]}", "dim")
        if one.kind in ("escalate", "route"):
            text.append(f" → {one.more['team']}", "dim")
    return text or Text("(only deadlines)", "dim")
