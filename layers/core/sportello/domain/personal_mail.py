"""Addresses of mail: plain, torn apart by spaces, and spelled so that no machine should read them."""

import re
from collections.abc import Iterator

from sportello.domain.personal_data import Found

_LOCAL = r"(?<![\w.+%@-])[^\W_][\w.+%-]{0,63}"
_KNOWN_ENDS = (
    "com|it|ru|net|org|eu|fr|de|es|uk|co\\.uk|io|info|biz|edu|su|ua|by|kz|ch|at|be|nl|pl|pt|br|com\\.br"
    "|cn|me|pro|online|shop|store|test|example|рф"
)
_MAIL = re.compile(rf"{_LOCAL}@(?:[^\W_][\w-]{{0,62}}\.){{1,5}}[^\W\d_]{{2,24}}(?![\w@])")
_MAIL_APART = re.compile(
    rf"{_LOCAL}(?: ?@ | @ )(?:[^\W_][\w-]{{0,62}} ?\. ?){{1,5}}(?:{_KNOWN_ENDS})(?!\w)"
    rf"|{_LOCAL}@[^\W_][\w-]{{0,62}}(?:,| \. | ?\. ?)(?:{_KNOWN_ENDS})(?![\w.]\w)",
    re.IGNORECASE,
)
_AT = (
    r" ?[(\[{<] ?(?:at|a|@|chiocciola|arroba|собака|эт) ?[)\]}>] ?"
    r"| (?:chiocciola|chiocciolina|arroba|arobase|klammeraffe"
    r"|собака|собачка) "
)
_DOT = (
    r" ?[(\[{<] ?(?:dot|punto|point|punkt|ponto|точка|\.) ?[)\]}>] ?"
    r"| (?:dot|punto|point|punkt|ponto|точка) "
)
_MAIL_SPELLED = re.compile(
    rf"{_LOCAL}(?:(?:{_DOT})[\w+%-]{{1,40}}){{0,3}}"
    rf"(?:(?:{_AT})[^\W_][\w-]{{0,62}}(?:(?:{_DOT}|\.)[\w-]{{1,40}}){{0,2}}(?:{_DOT}|\.)(?:{_KNOWN_ENDS})"
    rf"| at [^\W_][\w-]{{0,62}}(?:(?:{_DOT})[\w-]{{1,40}}){{0,2}}(?:{_DOT})(?:{_KNOWN_ENDS}))(?!\w)",
    re.IGNORECASE,
)


def mails(plain: str) -> Iterator[Found]:
    after = 0
    patterns = (_MAIL, _MAIL_APART, _MAIL_SPELLED) if "@" in plain else (_MAIL_SPELLED,)
    for place in sorted(
        (hit.span() for pattern in patterns for hit in pattern.finditer(plain)), key=_longest
    ):
        if place[0] >= after:
            yield Found("email", *place)
            after = place[1]


def _longest(place: tuple[int, int]) -> tuple[int, int]:
    return place[0], -place[1]
