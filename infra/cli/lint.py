"""``lint``: a text read by the guidelines before anybody sends it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from infra.cli.channels import channel_names
from infra.cli.errors import Refused
from infra.cli.printable import printable
from infra.cli.work import bundle, console
from infra.model_mistakes import did_you_mean
from sportello.domain.guidelines import Remark, Role
from sportello.domain.guidelines import lint as read
from sportello.services import guidelines

_STYLES = {"block": "bold red", "warn": "yellow", "info": "dim"}


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The text; - or nothing: the input.")] = "-",
    lang: Annotated[str, typer.Option("--lang", metavar="it", help="Default: the desk's first.")] = "",
    channel: Annotated[
        str, typer.Option("--channel", metavar="NAME", help="Whose rules; default: all's.")
    ] = "",
    public: Annotated[bool, typer.Option("--public", help="Everybody reads it.")] = False,
    official: Annotated[bool, typer.Option("--official", help="It is said by an official account.")] = False,
) -> None:
    """Read a text by templates/guidelines/: what to write instead. 1 where something blocks."""
    desk = bundle().desk
    known = guidelines.current_guidelines()
    language = lang or desk.default_language
    if language not in known:
        meant = did_you_mean(language, known)
        raise Refused(f"there are no guidelines in {language!r}{meant}; there are: {', '.join(known)}.")
    if channel and channel not in channel_names():
        raise Refused(f"{channel!r} is no channel{did_you_mean(channel, channel_names())}.")
    role: Role = "official" if official else "care"
    text = _text(file)
    remarks = read(
        text,
        known[language],
        channel=channel,
        public=public,
        role=role,
        formal=desk.formal,
        order_patterns=guidelines.order_patterns(desk),
    )
    show(remarks, text)
    if guidelines.forbidden(remarks):
        raise typer.Exit(1)
    if not remarks:
        console.print("Nothing to say against it.", style="green")


def show(remarks: Sequence[Remark], text: str) -> None:
    """One line for each: place, level, rule, the words meant, and what to do."""
    for remark in remarks:
        line = text.count("\n", 0, remark.start) + 1
        column = remark.start - (text.rfind("\n", 0, remark.start) + 1) + 1
        said = printable(remark.text.replace("\n", " "))[:80]
        told = Text.assemble(
            f"{line}:{column} ", (remark.level, _STYLES[remark.level]), f" {remark.rule}: {said!r}"
        )
        if remark.suggestion:
            told.append(f"\n    {remark.suggestion}", "dim")
        console.print(told, soft_wrap=True)


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8.") from None
