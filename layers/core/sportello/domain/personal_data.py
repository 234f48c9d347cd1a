"""Personal data in a text: what must not stand where everybody reads it.

``found`` runs in the webhooks of public threads. A text without a digit, an ``@`` and the words that
stand for one costs a microsecond or two; only another one loads what searches it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

LONGEST = 10_000
"""Characters of a text that are searched; no platform has public messages as long."""

_SIGN = re.compile(r"[\d@]")
_SPELLED = (
    "chiocciola", "собак", "arroba", "arobase", "klammeraffe", "(at", "[at", "{at", "<at",
)  # fmt: skip
"""How an ``@`` is written by who hides it."""


class Found(NamedTuple):
    kind: str
    """``card``, ``iban``, ``codice_fiscale``, ``partita_iva``, ``snils``, ``inn``, ``email``, ``phone``,
    ``document`` or ``order``."""
    start: int
    end: int
    """``text[start:end]`` is it, as it stands in the text."""


def found(text: str, order_patterns: Sequence[str] = ()) -> tuple[Found, ...]:
    """Everything personal in the text, in its order; no two overlap.

    Args:
        order_patterns: regular expressions of the desk's own order numbers, each of which holds a digit;
            without them nothing is an order.
    """
    if not _SIGN.search(text) and not _spells_an_at(text):
        return ()
    from sportello.domain.personal_search import search  # 10 ms of patterns, once, which few messages need

    return search(text[:LONGEST], tuple(order_patterns))


def _spells_an_at(text: str) -> bool:
    small = text.casefold()
    if " at " in small and ("dot" in small or "punto" in small):
        return True
    return any(word in small for word in _SPELLED)


def masked(text: str, found: Iterable[Found]) -> str:
    """The text with ``[kind]`` in the place of everything found."""
    parts, after = list[str](), 0
    for kind, start, end in sorted(found, key=lambda one: one.start):
        parts += (text[after:start], f"[{kind}]")
        after = end
    return "".join((*parts, text[after:]))


def of_others(text: str, found: Iterable[Found], ours: Collection[str]) -> tuple[Found, ...]:
    """Without the company's own addresses and numbers, which it may give to everybody.

    Args:
        ours: as they are usually written; spaces, dashes and case do not matter.
    """
    known = {_bare(one) for one in ours}
    return tuple(one for one in found if _bare(text[one.start : one.end]) not in known)


def _bare(text: str) -> str:
    return re.sub(r"[^\w@+]", "", text.casefold())
