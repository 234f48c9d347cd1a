"""A rehearsal as one reads it: what happened, and under it what the desk did and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.printable import printable
from infra.simulate.entry import Entry, Told, is_timer
from infra.simulate.sentences import sentence
from sportello.domain.events import (
    Claim,
    Consulted,
    Event,
    Followed,
    Inbound,
    PersonReply,
    Resolve,
    Spoken,
    Tick,
    Wanted,
)
from sportello.domain.model import Instant, to_datetime
from sportello.domain.reasons import Reason

STYLES = {
    "reply": "magenta",
    "ask": "magenta",
    "private": "magenta",
    "escalate": "yellow",
    "hide": "yellow",
    "route": "blue",
    "remind": "dim",
    "cancel": "dim",
    "none": "dim",
}
SPEAKS = ("reply", "ask", "private")


class Transcript:
    """Prints entries; days and threads get a heading where they change."""

    def __init__(self, console: Console, zone: str) -> None:
        self._console = console
        self._zone = ZoneInfo(zone)
        self._day = ""

    def show(self, entries: Iterable[Entry], after: Sequence[Sequence[str]] = ()) -> None:
        """Deadlines at which nothing is done are left out.

        Args:
            after: further lines below each entry, where there are any.
        """
        shown = False
        for number, entry in enumerate(entries):
            if is_idle(entry):
                continue
            shown = True
            self._heading(entry.at)
            self._put(f"{self._local(entry.at):%H:%M}", self._happened(entry))
            for told in entry.told:
                self._did(told, entry.at)
            for extra in after[number] if after else ():
                self._put("", Text(extra, "italic"), 2)
        if not shown:
            self._console.print("Nothing happens.")

    def _heading(self, at: Instant) -> None:
        day = f"{self._local(at):%A %d %B %Y}"
        if day != self._day:
            self._console.print()
            self._console.print(Text(day, "bold"))
            self._day = day

    def _put(self, time: str, content: Text, indent: int = 0) -> None:
        """One paragraph beside its time."""
        grid = Table.grid(padding=(0, 2 + indent, 0, 0))
        grid.add_column(min_width=5, no_wrap=True, style="bold")
        grid.add_column(overflow="fold")
        grid.add_row(time, content)
        self._console.print(grid)

    def _happened(self, entry: Entry) -> Text:
        who, what, style = happened(entry)
        return Text.assemble((printable(who), style), printable(what))

    def _did(self, told: Told, at: Instant) -> None:
        style, act = STYLES[told.kind], self._act(told, at)
        if told.kind == "remind":
            self._put("", Text(act, style))
            return
        self._put("", Text.assemble((act, style), ("  " + sentence(told.reason), "dim")))
        if told.kind in SPEAKS and told.more.get("text"):
            self._put("", Text(printable(str(told.more["text"])), style), 2)

    def _act(self, told: Told, at: Instant) -> str:
        more = told.more
        match told.kind:
            case "reply":
                return "The desk says:"
            case "ask":
                return "The desk asks:"
            case "private":
                return "The desk says in private:"
            case "escalate":
                urgent = ", urgent" if more.get("urgent") else ""
                return f"People are called: {more['team']}, level {more['level']}{urgent}."
            case "hide":
                return "The message is hidden."
            case "route":
                return f"It goes to {more['team']}."
            case "remind":
                return f"Looked at again {self._when(int(more['due']), at)}."
            case "cancel":
                return {"timer": "No deadline any more.", "consult": "No longer waited for."}.get(
                    str(more.get("what")), "Not sent."
                )
            case "none":
                return "Nothing is said."

    def _when(self, due: Instant, at: Instant) -> str:
        there, here = self._local(due), self._local(at)
        return f"at {there:%H:%M}" if there.date() == here.date() else f"on {there:%a %d %b at %H:%M}"

    def _local(self, at: Instant) -> datetime:
        return to_datetime(at).astimezone(self._zone)


def is_idle(entry: Entry) -> bool:
    """The desk has looked, and only set the next deadline."""
    return isinstance(entry.event, Tick) and all(
        is_timer(told) or told.reason == Reason.NOT_YET for told in entry.told
    )


def happened(entry: Entry) -> tuple[str, str, str]:
    """Who, what they did, and a style."""
    channel = entry.thread.partition("/")[0] + (" (public)" if entry.thread.endswith("/public") else "")
    customer = entry.before.name or entry.before.to
    event: Event = entry.event
    match event:
        case Inbound():
            return event.customer.name, f" on {channel}: {_said(event)}", "bold cyan"
        case PersonReply():
            kind = " for the time being" if event.promise is not None else ""
            return event.by, f" answers {customer}{kind}: {event.text}", "bold"
        case Claim():
            return event.by, f" takes the conversation with {customer}.", "bold"
        case Resolve():
            code = f" ({event.code})" if event.code else ""
            return event.by, f" closes the conversation with {customer}{code}.", "bold"
        case Wanted():
            return event.by, f" says that {customer} wants help after all.", "bold"
        case Spoken():
            return event.by, f" sets the language of {customer} to {event.language}.", "bold"
        case Tick():
            return "A deadline", f" of {customer} on {channel}.", ""
        case Consulted():
            return "The outside", f" has answered about {customer}: {', '.join(event.asks)}.", ""
        case Followed():
            return customer, " has come to the care account.", ""
    return type(event).__name__, f" of {customer}.", ""


def _said(event: Inbound) -> str:
    files = [f"[{media.name or media.kind}]" for media in event.media]
    if event.kind == "reaction":
        return f"reacts {event.text or 'no more'}"
    button = [f"[taps {event.payload}]"] if event.payload else []
    return " ".join(part for part in (event.text, *files, *button) if part) or f"[{event.kind}]"
