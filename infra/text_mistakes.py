"""Mistakes in texts: placeholders that do not exist or are left over, and texts that say nothing."""

import re
from collections.abc import Iterable, Mapping, Set
from string import Formatter
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from infra.model_mistakes import did_you_mean
from infra.yaml_with_lines import Line
from sportello.services.wording import environment, render

LONGEST = 1000
"""Bytes of a reply: what the narrowest private message holds (Instagram)."""

_LEFT_OVER = re.compile(r"(?<!\{)\{\s*\w*\s*\}(?!\})|\{\{|\}\}|\{%|%\}|\{#|#\}")


def template_mistakes(source: str, known: Iterable[str], samples: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Of a Jinja text, tried with each of the samples."""
    known = list(known)
    example = f"write e.g. {{{{ {known[0]} }}}}; known: {', '.join(known)}"
    try:
        tree = environment().parse(source)
        environment().from_string(source)  # compiling finds what parsing does not: unknown filters
    except TemplateSyntaxError as error:
        return [Line(error.lineno, f"{error.message}; {example}")]
    unknown = [
        Line(name.lineno, f"{name.name!r} is no placeholder{did_you_mean(name.name, known)}; {example}")
        for name in tree.find_all(nodes.Name)
        if name.ctx == "load" and name.name not in known
    ]
    unknown += [
        Line(source.count("\n", 0, place.start()) + 1, f"{place[0]!r} is left over; {example}")
        for place in _LEFT_OVER.finditer(_plain_parts(source))
    ]
    return unknown or _tried(source, samples, example)


def pattern_mistake(pattern: str, needed: Set[str], allowed: Set[str]) -> str:
    """Of a text with ``{placeholders}``; empty: none."""
    example = "write e.g. " + " ".join(f"{{{name}}}" for name in sorted(needed or allowed))
    try:
        names = [name for _, name, _, _ in Formatter().parse(pattern) if name is not None]
    except ValueError as error:
        return f"{pattern!r}: {error}; {example}"
    for name in names:
        if name not in needed | allowed:
            return f"{{{name}}} is no placeholder{did_you_mean(name, needed | allowed)}; {example}"
    missing = sorted(needed - set(names))
    return f"{pattern!r} lacks {{{missing[0]}}}; {example}" if missing else ""


def _plain_parts(source: str) -> str:
    """The source with what Jinja reads blanked out, line by line."""
    read = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
    return read.sub(lambda part: re.sub(r"[^\n]", " ", part[0]), source)


def _tried(source: str, samples: Iterable[Mapping[str, Any]], example: str) -> list[Line]:
    for sample in samples:
        try:
            text = render(source, sample)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            return [Line(1, f"this text cannot be put together ({error}); {example}")]
        given = ", ".join(f"{name}: {value}" for name, value in sample.items() if isinstance(value, bool))
        if not text:
            return [Line(1, f"this text says nothing{given and f' with {given}'}; {example}")]
        if len(text.encode()) > LONGEST:
            return [
                Line(1, f"{len(text.encode())} bytes, at most {LONGEST} fit; write e.g. one sentence less")
            ]
    return []
