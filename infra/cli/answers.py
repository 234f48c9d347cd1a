"""What ``connect`` has to know of a channel: taken from options and the environment, asked for, or kept.

Secrets never come from the command line, where every program of the machine can read them.
"""

import os
import secrets as random
import sys
from collections.abc import Mapping, Sequence

import typer

from infra.cli.errors import Refused
from sportello.channels.base import Channel, Connection, Question

TOKEN, SECRET = "token", "secret"


def draft(
    channel: Channel, name: str, before: Connection | None, given: Mapping[str, str], *, renew: bool
) -> Connection:
    """A connection with every answer in its place; the accounts are those that it had.

    Raises:
        Refused: an answer is missing or cannot be one, or something is set that nobody asks for.
    """
    refuse_unknown(channel, given)
    answers = {
        question.name: answer_of(question, _kept(question, before), given, renew=renew)
        for question in channel.questions
    }
    secret, token = answers.pop(SECRET, ""), answers.pop(TOKEN, "")
    settings = {**(before.settings if before else {}), **answers}
    return Connection(
        name=name,
        secrets=(secret,) if secret else (),
        token=token,
        accounts=before.accounts if before else (),
        settings={key: value for key, value in settings.items() if value},
    )


def answer_of(question: Question, kept: str, given: Mapping[str, str], *, renew: bool = False) -> str:
    """The answer to one question; what was answered before stands where nothing new is said.

    ``--set NAME=`` takes back what is optional.
    """
    from_environment = os.environ.get(variable(question.name), "")
    if question.made:
        return _checked(question, from_environment or ("" if renew else kept) or random.token_urlsafe(32))
    if question.secret:
        return _checked(question, from_environment or _ask_hidden(question, kept))
    if question.name in given:
        return _checked(question, given[question.name])
    if question.seldom:
        return _checked(question, from_environment or kept)
    return _checked(question, from_environment or _ask(question, kept))


def variable(name: str) -> str:
    return f"SPORTELLO_{name.upper()}"


def read_settings(pairs: Sequence[str]) -> dict[str, str]:
    """``--set name=value``, any number of times."""
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise Refused(f"--set takes NAME=VALUE, and {wrong[0]!r} is none.")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}


def refuse_unknown(channel: Channel, given: Mapping[str, str]) -> None:
    """Also refuses secrets on the command line."""
    asked = {question.name: question for question in channel.questions}
    for name in given:
        question = asked.get(name)
        if question is None:
            open_ones = [known.name for known in channel.questions if not known.secret and not known.made]
            known = f"it asks for: {', '.join(open_ones)}" if open_ones else "it asks for nothing of the kind"
            raise Refused(f"{channel.name} knows no {name!r}; {known}.")
        if question.secret:
            raise Refused(f"{name} is a secret: set {variable(name)}, or let the command ask for it.")


def told(channel: Channel) -> str:
    """The questions in words, for the command's help."""
    lines = []
    for question in channel.questions:
        if question.made:
            continue
        way = f"asked for, or {variable(question.name)}"
        if not question.secret:
            way = f"asked for, or --set {question.name}=..."
        if question.seldom:
            way = f"not asked for: --set {question.name}=..."
        extra = "; optional" if question.optional else ""
        lines.append(f"{question.text} ({way}{extra}).")
    return "\n\n".join(lines)


def _kept(question: Question, before: Connection | None) -> str:
    if before is None:
        return ""
    if question.name == TOKEN:
        return before.token
    if question.name == SECRET:
        return before.secrets[0] if before.secrets else ""
    return before.settings.get(question.name, "")


def _ask_hidden(question: Question, kept: str) -> str:
    if not sys.stdin.isatty():
        if kept or question.optional:
            return kept
        raise Refused(f"{question.text}: set {variable(question.name)}, or run this in a terminal.")
    hint = " (empty: as before)" if kept else " (optional)" if question.optional else ""
    empty_is_good = bool(kept or question.optional)
    default = "" if empty_is_good else None
    said = typer.prompt(f"{question.text}{hint}", hide_input=True, default=default, show_default=False)
    return str(said).strip() or kept


def _ask(question: Question, kept: str) -> str:
    default = kept or question.default
    if not sys.stdin.isatty():
        if default or question.optional:
            return default
        raise Refused(f"{question.text}: add --set {question.name}=..., or run this in a terminal.")
    empty = "" if question.optional else None
    return str(typer.prompt(question.text, default=default or empty)).strip()


def _checked(question: Question, value: str) -> str:
    value = value.strip()
    if not value:
        if question.optional:
            return ""
        raise Refused(f"{question.text}: empty.")
    if question.secret and not _whole(value):
        raise Refused(f"{question.text}: empty, or holds spaces or accents: copy it again, whole.")
    return value


def _whole(value: str) -> bool:
    """A secret of one line is copied badly where it holds spaces; a PEM key is many lines."""
    if value.startswith(("-----BEGIN ", "{")):
        return True
    return value.isascii() and not any(character.isspace() for character in value)
