"""Threads and messages on a terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.cli.printable import printable
from infra.cli.times import shown_age, shown_time
from sportello.domain.events import Media
from sportello.domain.facts import Facts
from sportello.domain.message import Enquiry, Escalation, Message, State
from sportello.domain.model import Instant
from sportello.domain.thread import Thread
from sportello.services.reply import View

NAME_MOST = 24

STATE_STYLES = {
    State.SENT: "green",
    State.FAILED: "bold red",
    State.UNKNOWN: "bold yellow",
    State.CANCELLED: "dim",
}


def inbox(rows: Iterable[dict[str, Any]], now: Instant) -> Table:
    """Owing threads, as ``threads.owing_threads`` gives them."""
    return _list(
        ("Thread", "Waiting", "Channel", "Customer", "First words"),
        [
            (
                row["thread"],
                shown_age(now - row["owed_since"]),
                row.get("channel", ""),
                _name(row.get("name", "")),
                printable(row.get("first", "")),
            )
            for row in rows
        ],
    )


def overview(threads: Iterable[Thread], zone: str, now: Instant) -> Table:
    return _list(
        ("Thread", "Last heard", "Channel", "Customer", "State"),
        [
            (
                thread.id,
                shown_time(thread.window or thread.created, zone),
                thread.channel,
                _name(thread.name),
                state(thread, now),
            )
            for thread in threads
        ],
    )


def _name(name: str) -> str:
    return printable(name)[:NAME_MOST]


def _list(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """One line each; only the last column gives way to a narrow terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        width = max(cell_len(cell) for cell in (name, *(row[number] for row in rows)))
        last = number == len(columns) - 1
        table.add_column(name, no_wrap=True, overflow="ellipsis", min_width=None if last else width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def state(thread: Thread, now: Instant) -> str:
    parts = []
    if thread.owed_since is not None:
        parts.append(f"owes for {shown_age(now - thread.owed_since)}")
    elif thread.resolved:
        parts.append(f"resolved ({thread.resolved})")
    else:
        parts.append("nothing owed")
    if thread.claimed_by:
        parts.append(f"claimed by {printable(thread.claimed_by)}")
    if thread.person_present(now):
        parts.append("a person is in the conversation")
    if thread.unreachable:
        parts.append("unreachable")
    return ", ".join(parts)


def conversation(
    view: View,
    calls: Sequence[Escalation],
    zone: str,
    now: Instant,
    command: str,
    known: Facts | None = None,
    enquiries: Sequence[Enquiry] = (),
) -> RenderableType:
    """A thread with every message, what became of it and why; and how to answer."""
    thread = view.thread
    title = Text.assemble((printable(thread.name) or thread.to, "bold"), f" · {thread.channel}")
    where = " · public" if thread.public else ""
    goes_on = f" · linked with {', '.join(view.links)}" if view.links else ""
    facts = Text(
        f"{thread.id} · {thread.language or 'language unknown'} · {state(thread, now)}{where}{goes_on}", "dim"
    )
    lines: list[tuple[Instant, int, Table]] = []
    for number, message in enumerate(view.messages):
        lines.append((message.time, number, _line(message.time, message_text(message, thread), zone)))
    for call in calls:
        lines.append((call.whys[0].at, len(view.messages), _line(call.whys[0].at, call_text(call), zone)))
    for enquiry in enquiries:
        at = enquiry.done or enquiry.until
        lines.append((at, len(view.messages), _line(at, enquiry_text(enquiry), zone)))
    lines.sort(key=lambda line: line[:2])
    told = [table for _, _, table in lines]
    return Group(title, facts, *_known(known), Text(), *told, Text(), _footer(thread, command))


def _line(at: Instant, content: Text, zone: str) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(shown_time(at, zone), content)
    return grid


def message_text(message: Message, thread: Thread) -> Text:
    author, style = _author(message, thread)
    text = Text.assemble((printable(author), style))
    if message.state is not None:
        text.append("  ")
        text.append(_outcome(message), STATE_STYLES.get(message.state, "yellow"))
    words = _words(message)
    if words:
        text.append(f"\n{printable(words)}")
    notes = [*message.why, *(["edited"] if message.edited else [])]
    if thread.public and message.direction == "in":
        notes.append(f"id {printable(message.id)}")  # to hide one that is not the newest
    if notes:
        text.append(f"\n{' · '.join(notes)}", "dim")
    return text


def _author(message: Message, thread: Thread) -> tuple[str, str]:
    if message.author == "customer":
        return message.by or thread.name or "customer", "bold cyan"
    if message.author == "automatic":
        return f"desk, automatic ({message.say or message.detail or message.kind})", "bold magenta"
    return f"{message.by or 'a person'}{_act(message)}", "bold"


_ACTS = {
    "claim": " takes the thread",
    "resolve": " resolves the thread",
    "hide": " hides a public message",
}


def _act(message: Message) -> str:
    if message.act == "private":
        return f" (in private{f': thread {message.linked}' if message.linked else ''})"
    if message.kind in _ACTS:
        return _ACTS[message.kind]
    return " (written elsewhere)" if message.detail == "echo" else ""


def _outcome(message: Message) -> str:
    """``sent, read``; ``failed: reconnect (401)``; ``unknown``: nobody can tell."""
    assert message.state is not None  # noqa: S101 - of outbound rows only
    parts = [message.state.value]
    if message.receipt and message.receipt != message.state:
        parts.append(message.receipt)
    outcome = ", ".join(parts)
    if message.problem:
        outcome += f": {message.problem}" + (f" ({printable(message.code)})" if message.code else "")
    if message.state is State.UNKNOWN and message.author == "person":
        outcome += " - not confirmed: ask or write again"
    return outcome


def _words(message: Message) -> str:
    if message.deleted:
        return "(deleted by the customer)"
    kinds = [_file(media) for media in message.media]
    if not kinds and not message.text and message.kind not in ("text", *_ACTS):
        kinds = [f"[{message.kind}{f': {message.detail}' if message.detail else ''}]"]
    if message.kind == "resolve" and message.detail:
        kinds = [f"[{message.detail}]"]
    cut = f" … (whole text in S3: {message.text_at})" if message.text_at else ""
    said = message.text or (f"({message.say} text, not rendered yet)" if message.say else "")
    return " ".join([*kinds, f"{said}{cut}"]).strip()


def _file(media: Media) -> str:
    """``[image]``, and why there is no copy of it."""
    return f"[{media.kind}: not kept ({printable(media.problem)})]" if media.problem else f"[{media.kind}]"


def _known(known: Facts | None) -> list[Text]:
    """What the company says of the customer, and what they have told."""
    if known is None:
        return []
    customer = known.customer
    since = f"since {customer.since}" if customer.since else ""
    parts = [customer.tier, customer.name, since, customer.notes]
    orders = [" ".join(filter(None, ("order", o.number, o.status, o.expected))) for o in known.orders]
    told = [f"{name}: {value}" for name, value in known.fields.items()]
    found = [" · ".join(filter(None, parts)), *orders, " · ".join(told)]
    return [Text(printable(line), "dim") for line in found if line]


def enquiry_text(enquiry: Enquiry) -> Text:
    """What was asked outside, and what became of the answer."""
    text = Text.assemble(("asked outside", "bold magenta"), f": {', '.join(enquiry.asks)}")
    if enquiry.done is None:
        text.append("\nnot answered yet", "yellow")
    for line, style in ((" · ".join(enquiry.why), "dim"), (", ".join(enquiry.problems), "yellow")):
        if line:
            text.append(f"\n{line}", style)
    return text


def call_text(call: Escalation) -> Text:
    """Who was called and why, and what each target has heard."""
    text = Text.assemble((f"people called ({call.team})", "bold red"), f": {call_reasons(call)}")
    for target in sorted(call.told.keys() | call.refused.keys()):
        if target in call.refused:
            text.append(f"\n{target}: can never be told ({call.refused[target]})", "red")
        else:
            text.append(f"\n{target}: told {call.told[target]} of {len(call.whys)}", "dim")
    if call.incident:
        text.append("\npart of an incident, of which people are told", "dim")
    if call.due is not None:
        text.append("\nnot everybody has heard yet: it is tried again", "yellow")
    return text


def call_reasons(call: Escalation) -> str:
    return ", ".join(dict.fromkeys(why.why for why in call.whys))


def _footer(thread: Thread, command: str) -> Text:
    seen = f" --seen '{thread.last_in}'" if thread.last_in else ""
    lines = [f'{command} reply {thread.id} "…"{seen}']
    if thread.owes:
        lines.append(f"{command} claim {thread.id}")
        lines.append(f"{command} resolve {thread.id} --reason CODE")
    else:
        lines.append(f"{command} resolve {thread.id}")
    return Text("\n".join(lines), "dim", no_wrap=True, overflow="ignore")  # to be copied whole
