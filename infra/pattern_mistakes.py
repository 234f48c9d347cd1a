"""Regular expressions of ``desk.yaml``: what cannot be read, what finds nothing, what would take too long.

Functions try a pattern on customers' messages, which may be written to make it slow. So what the worst
message of ``READ`` characters could cost is counted beforehand: each place to begin at, times the
lengths that each repetition may have.
"""

import re
import warnings
from typing import Any

from sportello.domain.qualify import READ

LONGEST = 200
"""Characters of a pattern."""
STEPS = 40_000_000
"""Some tenths of a second in the worst message: one open repetition, others of a few characters."""

EXAMPLE = r"pattern: '\b\d{6,10}\b'"
_HINT = r"write e.g. \d{6,10} instead of \d+, \s{0,3} instead of \s*"


def pattern_mistake(pattern: str) -> str:
    """What is wrong, with an example; empty: nothing."""
    if len(pattern) > LONGEST:
        return f"{len(pattern)} characters, at most {LONGEST}; write e.g. {EXAMPLE}"
    try:
        parsed = _read(pattern)
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        return f"{pattern!r} cannot be read ({error}); write e.g. {EXAMPLE}"
    if parsed.getwidth()[0] == 0:
        return f"{pattern!r} finds nothing at all in any text; write e.g. {EXAMPLE}"
    try:
        steps = READ * _steps(parsed)
    except _Refused as refused:
        return f"{pattern!r}: {refused}; {_HINT}"
    if steps > STEPS:
        return f"{pattern!r} could take very long on some messages: bound its repetitions; {_HINT}"
    return ""


def _read(pattern: str) -> Any:
    """The standard library's own reading of it. A warning is an error: what it means may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        re.compile(pattern, re.IGNORECASE)
        return re._parser.parse(pattern)  # type: ignore[attr-defined]  # its stubs leave the parser out


class _Refused(Exception):
    """The text says why."""


def _steps(parsed: Any) -> int:
    """At most so many ways to match from one place of a message."""
    ways = 1
    for operator, argument in parsed:
        ways *= _ways(str(operator), argument)
        if ways > STEPS:
            break
    return ways


def _ways(operator: str, argument: Any) -> int:
    if operator in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, repeated = argument
        return _repeated(int(least), min(int(most), READ), _steps(repeated))
    if operator == "SUBPATTERN":
        return _steps(argument[-1])
    if operator == "ATOMIC_GROUP":
        return _steps(argument)
    if operator == "BRANCH":
        return sum(map(_steps, argument[1]))
    if operator in ("ASSERT", "ASSERT_NOT"):
        return _steps(argument[1])
    if operator.startswith("GROUPREF"):
        raise _Refused("it refers back to a group")
    return 1


def _repeated(least: int, most: int, ways: int) -> int:
    if ways > 1 and most >= STEPS.bit_length():
        raise _Refused("a repetition inside a repetition")
    inside: int = ways**most
    return (most - least + 1) * min(inside, STEPS + 1)
