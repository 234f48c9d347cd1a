"""YAML as a care lead writes it, with the line of every value.

Plain YAML 1.1 turns ``off`` and ``no`` into false, ``9:30`` into 570 and ``2026-12-24`` into a
date; here these are text. Keys given twice, tabs, anchors and a second document are mistakes.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

import yaml

_FAST: Any = getattr(yaml, "CSafeLoader", None)

Path = tuple[str | int, ...]

_HINTS = {
    "mapping values are not allowed here": (
        "a second ':' on this line, or a line indented too far; put text that holds ': ' in quotes, "
        'e.g. name: "Shop: care"'
    ),
    "could not find expected ':'": "a ':' is missing; write e.g. name: Sportello",
    "expected <block end>": (
        "wrong indentation: entries of one level begin in one column; write e.g. two spaces for each level"
    ),
    "end of stream": 'a quotation mark or bracket is not closed; write e.g. "{h}:{mm}" or [it, en]',
    "expected ',' or": "a comma or closing bracket is missing; write e.g. [it, en]",
    "found unknown escape character": "a backslash in double quotes; write e.g. 'single quotes'",
    "cannot start any token": 'this sign cannot begin a text; put it in quotes, e.g. "{h}:{mm}"',
    "but found another document": "one document only; leave out e.g. the line ---",
    "undefined alias": 'text that begins with * needs quotes; write e.g. "*"',
    "special characters are not allowed": "a control character; type it again, e.g. name: Sportello",
}


_NOTICED_LATE = ("end of stream", "expected ',' or", "could not find expected ':'")


class Line(NamedTuple):
    """Something wrong at a line of one file."""

    number: int
    text: str


class Document(NamedTuple):
    """What a file says; ``lines`` has the line of each value by its path, ``()`` being the whole."""

    data: Any
    lines: dict[Path, int]
    wrong: list[Line]

    def line(self, path: Path) -> int:
        """Of the value, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@lru_cache(maxsize=256)
def read_yaml(text: str) -> Document:
    """Never raises for what a file may hold: the mistakes are in the document, which nobody changes."""
    tabs = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r" *\t", line)]
    if tabs:
        wrong = [Line(number, "a tab; indent with spaces, e.g. two for each level") for number in tabs]
        return Document(None, {}, wrong)
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        return Document(None, {}, [_explain(error, text)])
    except RecursionError:
        return Document(None, {}, [Line(1, "nested too deep; write e.g. two levels")])
    reader = _Reader()
    data = None if root is None else reader.value(root, ())
    return Document(data, reader.lines, reader.wrong)


def _compose(text: str) -> yaml.Node | None:
    """By libyaml where it is there, ten times as fast; what it refuses is explained by the other one."""
    if _FAST is not None:
        try:
            return yaml.compose(text, Loader=_FAST)
        except yaml.YAMLError:
            pass
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _explain(error: yaml.YAMLError, text: str) -> Line:
    if not isinstance(error, yaml.MarkedYAMLError):
        position = getattr(error, "position", 0)  # ReaderError: counts characters
        return Line(text.count("\n", 0, position) + 1, _hint(str(getattr(error, "reason", error))))
    problem = error.problem or ""
    # What is never closed is noticed further down; it began at the context.
    begun = any(sign in problem for sign in _NOTICED_LATE)
    mark = error.context_mark if begun else error.problem_mark
    mark = mark or error.problem_mark or error.context_mark
    return Line(mark.line + 1 if mark else 1, _hint(problem))


def _hint(problem: str) -> str:
    found = next((hint for sign, hint in _HINTS.items() if sign in problem), None)
    return found or f"this is not YAML ({problem}); write e.g. name: Sportello"


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.wrong: list[Line] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        number = self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            self.wrong.append(
                Line(number, "anchors (& and *) are not read; write the value out again, e.g. Europe/Rome")
            )
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            number = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.wrong.append(Line(number, "a key must be a word; write e.g. name: Sportello"))
                continue
            key = key_node.value
            if key in data:
                first = self.lines[(*path, key)]
                self.wrong.append(
                    Line(number, f"{key!r} stands here twice (first on line {first}); keep one")
                )
                continue
            self.lines[(*path, key)] = number
            data[key] = self.value(value_node, (*path, key))
        return data


def _scalar(node: yaml.ScalarNode) -> Any:
    if node.style:  # quoted, or a block of text
        return node.value
    if node.value in ("", "~", "null"):
        return None
    if node.value in ("true", "false"):
        return node.value == "true"
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,17})", node.value):
        return int(node.value)
    return node.value
