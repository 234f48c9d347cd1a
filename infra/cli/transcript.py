"""The scene as one reads it: phone bubbles, a Slack card, a mail, and what was checked."""

from rich import box
from rich.align import Align
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from infra.cli.printable import printable
from infra.cli.times import shown_time
from infra.world.model import Letter, SlackPost
from sportello.domain.model import Instant

WIDTH = 96
BUBBLE = 66


class Transcript:
    def __init__(self, console: Console, zone: str) -> None:
        self._console = console
        self._zone = zone

    def act(self, title: str) -> None:
        self._console.print()
        self._console.print(Rule(Text(title, "bold"), align="left", style="dim"), width=WIDTH)

    def customer(self, name: str, channel: str, text: str, at: Instant) -> None:
        self._bubble(f"{name} · {channel}", text, at, "cyan", "left")

    def desk(self, who: str, text: str, at: Instant, note: str = "") -> None:
        self._bubble(who, text, at, "magenta", "right", note)

    def slack(self, post: SlackPost) -> None:
        self._card("Slack", post.text, post.time, box.HEAVY)

    def mail(self, letter: Letter) -> None:
        text = f"To: {', '.join(letter.to)}\nSubject: {letter.subject}\n\n{letter.text}"
        self._card("Mailbox", text, letter.time, box.DOUBLE)

    def checked(self, what: str) -> None:
        self._console.print(Text.assemble(("✓ ", "green"), (what, "dim")))

    def note(self, text: str) -> None:
        self._console.print(Text(text, "dim"))

    def _bubble(self, who: str, text: str, at: Instant, style: str, side: str, note: str = "") -> None:
        below = f"{shown_time(at, self._zone)}{f' · {note}' if note else ''}"
        panel = Panel(
            Text(printable(text)),
            title=Text(who, f"bold {style}"),
            title_align="left",
            subtitle=Text(below, "dim"),
            subtitle_align="right",
            border_style=style,
            box=box.ROUNDED,
            width=BUBBLE,
        )
        self._print(Align.right(panel) if side == "right" else panel)

    def _card(self, where: str, text: str, at: Instant, edge: box.Box) -> None:
        title = Text.assemble((where, "bold yellow"), (f" · {shown_time(at, self._zone)}", "dim"))
        content = Text(printable(text.strip()))
        self._print(Panel(content, title=title, title_align="left", border_style="yellow", box=edge))

    def _print(self, what: RenderableType) -> None:
        self._console.print(what, width=WIDTH)
