"""``faq``: which frequent question a message asks, and why."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from infra.cli.times import shown_time
from infra.cli.work import bundle, console
from sportello.aws.clock import real_now
from sportello.domain.faq_words import may_be_frequent
from sportello.domain.language import language_of
from sportello.domain.phrases import Meaning
from sportello.services.faq import LEAD, THRESHOLD, WHY, LexicalAnswerer, Verdict


def faq(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="As a customer would write it.")],
    lang: Annotated[
        str, typer.Option("--lang", metavar="CODE", help="Of the conversation; by default the words'.")
    ] = "",
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="Where it is written.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="ID", help="To which of our accounts.")] = "",
    public: Annotated[bool, typer.Option("--public", help="Where others read it.")] = False,
) -> None:
    """Show which frequent question a message asks, the entries that come closest, and why."""
    loaded = bundle()
    desk, at = loaded.desk, real_now()
    language = lang or language_of(question, desk.languages) or desk.default_language
    answerer = LexicalAnswerer(loaded.faq, desk.time_zone)
    found = answerer.verdict(question, language, at, channel=channel, account=account, public=public)
    _tell(f"{_answer(found)} ({language}, {shown_time(at, desk.time_zone)})")
    words = Meaning(question, desk.patterns).words
    if not may_be_frequent(words, desk.faq_words):
        _tell("The webhook would not even ask: no word begins like one of the questions.")
    if found.reading is not None:
        _tell(f"Read as: {_read(found) or 'nothing'}")
    if found.candidates:
        console.print(_candidates(found))
        _tell(f"Answered from {THRESHOLD} on, and {LEAD} ahead of the next.")


def _tell(text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _answer(found: Verdict) -> str:
    if found.hit is not None:
        return f"Answered: {found.hit.id} ({found.hit.score:.2f})"
    detail = f" ({found.detail})" if found.detail else ""
    return f"Not answered: {WHY[found.why]}{detail}"


def _read(found: Verdict) -> str:
    """Each telling word, what it stands for, and whether any question holds it."""
    shown = []
    for word in found.reading.all if found.reading else ():
        meant = word.concept.removeprefix("=")
        text = word.said if word.said == meant else f"{word.said} → {meant}"
        shown.append(text if word.known else f"{text} (in no question)")
    return ", ".join(shown)


def _candidates(found: Verdict) -> Table:
    table = Table(box=None)
    for name in ("entry", "score", "closest wording"):
        table.add_column(name, justify="right" if name == "score" else "left")
    for candidate in found.candidates:
        if candidate.score:
            table.add_row(candidate.entry.id, f"{candidate.score:.2f}", Text(candidate.wording))
    return table
