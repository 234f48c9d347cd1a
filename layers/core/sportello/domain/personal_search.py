"""The search behind ``personal_data.found``: loaded with the first text that may hold something.

Kind by kind, the surest first; what one kind took, no other takes again. Everything is looked for in a
plain copy of the text that has its length (one sign for one sign), so places hold in both.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from sportello.domain import checksums, phones
from sportello.domain.personal_context import context_after, context_before, look_alikes
from sportello.domain.personal_data import Found
from sportello.domain.personal_mail import mails

_TAKEN = "\0"
_NOTHING = "\u200b"
"""Stands for signs without width, which are typed or pasted between digits."""


class _Plain(dict[int, int]):
    """One plain sign for each sign: digits and letters of every width, spaces, dashes and dots."""

    def __missing__(self, code: int) -> int:
        self[code] = plain = ord(_plain_sign(chr(code)))
        return plain


def _plain_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category == "Zs" or sign == "\t":
        return " "
    if category == "Pd" or sign in "\u2212\u00ad\u2043":
        return "-"
    if sign in "\u00b7\u2022\u2219\u30fb\u3002\uff0e":
        return "."
    if category in ("Cf", "Me") or "\ufe00" <= sign <= "\ufe0f":
        return _NOTHING
    if "\uff01" <= sign <= "\uff5e":
        return chr(ord(sign) - 0xFEE0)
    return "\n" if sign in "\r\u2028\u2029" else sign


_PLAIN = _Plain()

# --- codes of letters and digits ----------------------------------------------------------------

_GAP = r"[ \-.\u200b]{0,2}"
_IBAN = re.compile(
    rf"(?<![A-Z0-9])(?:IBAN)?([A-Z]{{2}}{_GAP}\d{_GAP}\d(?:[ \-./\n\u200b]{{0,2}}[A-Z0-9]){{11,60}})",
    re.IGNORECASE,
)
_NUMBER = "[0-9LMNPQRSTUV]"
_FISCAL = re.compile(
    rf"(?<![A-Z0-9])[A-Z]{{3}}{_GAP}[A-Z]{{3}}{_GAP}{_NUMBER}{{2}}{_GAP}[ABCDEHLMPRST]{_GAP}{_NUMBER}{{2}}"
    rf"{_GAP}[A-Z]{_NUMBER}{{3}}{_GAP}[A-Z](?![A-Z0-9])",
    re.IGNORECASE,
)
_PAPERS = re.compile(
    r"(?<!\w)(?:[A-Z]{2} ?\d{5} ?[A-Z]{2}|[A-Z]{2} ?\d{7}|\d{2} ?\d{2} ?(?:\u2116 ?)?\d{6}|\d{9})(?!\w)",
    re.IGNORECASE,
)

# --- numbers --------------------------------------------------------------------------------------

_RUN = re.compile(r"\d(?:[ \-./()_\n\u200b]{0,4}\d){5,}")
_BREAK = re.compile(r"\.[ \n]| / |\n\n|[ \-]-[ \-]-|\)\n")
_GROUP = re.compile(r"\d(?:\u200b{0,3}\d)*")
_GROUPS_MOST = 24
"""Of one run of digits, in which a register's number is looked for."""
_WINDOWS_MOST = 400
"""Of one text: a page of lone digits must not hold the webhook up."""


def search(text: str, order_patterns: tuple[str, ...]) -> tuple[Found, ...]:
    """See ``personal_data.found``."""
    plain = text if text.isascii() else text.translate(_PLAIN)
    plain = plain.replace("\t", " ").replace("\r", "\n")
    hits = list[Found]()
    for kind in (mails, _ibans, _fiscal_codes, _papers):
        for hit in kind(plain):
            hits.append(hit)
            plain = _without(plain, hit.start, hit.end)
    for start, end in look_alikes(plain):
        plain = _without(plain, start, end)
    hits += _of_numbers(plain, order_patterns)
    return tuple(sorted(hits, key=lambda hit: hit.start))


def _without(plain: str, start: int, end: int) -> str:
    return f"{plain[:start]}{_TAKEN * (end - start)}{plain[end:]}"


def _ibans(plain: str) -> Iterator[Found]:
    after = 0
    while hit := _IBAN.search(plain, after):
        start, last = hit.span(1)
        after = start + 1
        signs = [place for place in range(start, last) if plain[place].isalnum()]
        length = checksums.IBAN_LENGTHS.get(plain[start : start + 2].upper(), 0)
        if not length or len(signs) < length:
            continue
        end = signs[length - 1] + 1
        if end < len(plain) and plain[end].isalnum():
            continue
        if checksums.iban("".join(plain[place] for place in signs[:length]).upper()):
            yield Found("iban", start, end)
            after = end


def _fiscal_codes(plain: str) -> Iterator[Found]:
    for hit in _FISCAL.finditer(plain):
        if checksums.codice_fiscale("".join(filter(str.isalnum, hit[0])).upper()):
            yield Found("codice_fiscale", *hit.span())


def _papers(plain: str) -> Iterator[Found]:
    """Numbers of passports and identity cards have no checksum: only after the word for them."""
    for hit in _PAPERS.finditer(plain):
        if context_before(plain, hit.start()) == "document":
            yield Found("document", *hit.span())


def _of_numbers(plain: str, order_patterns: tuple[str, ...]) -> list[Found]:
    hits = list[Found]()
    for hit in _cards(plain):
        hits.append(hit)
        plain = _without(plain, hit.start, hit.end)
    for pattern in order_patterns:
        for place in _order(pattern).finditer(plain):
            if _TAKEN not in place[0] and context_before(plain, place.start()) not in (
                "phone",
                "inn",
                "snils",
                "piva",
            ):
                hits.append(Found("order", *place.span()))
                plain = _without(plain, *place.span())
    for search in (_registers, _phones):
        for hit in search(plain):
            hits.append(hit)
            plain = _without(plain, hit.start, hit.end)
    return hits


@lru_cache(maxsize=64)
def _order(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)


def _runs(plain: str) -> Iterator[list[tuple[int, int]]]:
    """Numbers as they are written: the places of each one's groups of digits."""
    for run in _RUN.finditer(plain):
        start = run.start()
        ends = [*(cut.start() for cut in _BREAK.finditer(plain, start, run.end())), run.end()]
        for end in ends:
            groups = [group.span() for group in _GROUP.finditer(plain, start, end)]
            if groups:
                yield groups
            start = end


def _digits(plain: str, start: int, end: int) -> str:
    return "".join(filter(str.isdigit, plain[start:end]))


def _cards(plain: str) -> Iterator[Found]:
    tried = 0
    for groups in _runs(plain):
        first = 0
        while first < len(groups):
            last, tried = _card_from(plain, groups, first, tried)
            if tried > _WINDOWS_MOST:
                return
            if last is not None:
                yield Found("card", groups[first][0], groups[last][1])
                first = last
            first += 1


def _card_from(plain: str, groups: list[tuple[int, int]], first: int, tried: int) -> tuple[int | None, int]:
    """The last group of a card that begins with this one; with the number of attempts so far."""
    start = groups[first][0]
    if start and (plain[start - 1].isalnum() or plain[start - 1] in "#+@"):
        return None, tried
    digits = ""
    for last in range(first, min(len(groups), first + 19)):
        digits += _digits(plain, *groups[last])
        if len(digits) > 19:
            break
        if len(digits) < 13:
            continue
        tried += 1
        end = groups[last][1]
        if plain[end : end + 1].isalpha() or not checksums.card(digits):
            continue
        if _stands_alone(plain, groups, first, last, digits):
            return last, tried
    return None, tried


def _stands_alone(plain: str, groups: list[tuple[int, int]], first: int, last: int, digits: str) -> bool:
    """Whether it is no part of a longer number and no number of something else."""
    context = context_before(plain, groups[first][0])
    if context == "card":
        return True
    if context in ("other", "order"):
        return False
    longer = (first > 0 and _size(groups[first - 1]) >= 4) or (
        last + 1 < len(groups) and _size(groups[last + 1]) > 4
    )
    usual = len(digits) in (14, 15, 16) or all(_size(group) == 4 for group in groups[first:last])
    return usual and not longer


def _size(group: tuple[int, int]) -> int:
    return group[1] - group[0]


_IT_BEFORE = re.compile(r"(?<![A-Z])IT ?$", re.IGNORECASE)


def _registers(plain: str) -> Iterator[Found]:
    """SNILS, INN and partita IVA: their checksums hold by chance too often, so a word names them."""
    for groups in _runs(plain):
        for first in range(min(len(groups), _GROUPS_MOST)):
            if hit := _register_from(plain, groups, first):
                yield hit
                break


def _register_from(plain: str, groups: list[tuple[int, int]], first: int) -> Found | None:
    start = groups[first][0]
    digits = ""
    for last in range(first, min(len(groups), first + 12)):
        digits += _digits(plain, *groups[last])
        end = groups[last][1]
        if len(digits) > 12 or plain[end : end + 1].isalpha():
            return None
        if len(digits) < 10:
            continue
        context = context_before(plain, start) or context_after(plain, end)
        if len(digits) == 11 and _is_snils(digits, groups[first : last + 1], context):
            return Found("snils", start, end)
        if len(digits) in (10, 12) and context == "inn" and checksums.inn(digits):
            return Found("inn", start, end)
        if len(digits) == 11 and checksums.partita_iva(digits):
            if it := _IT_BEFORE.search(plain, max(0, start - 4), start):
                return Found("partita_iva", it.start(), end)
            if context == "piva":
                return Found("partita_iva", start, end)
    return None


def _is_snils(digits: str, groups: list[tuple[int, int]], context: str) -> bool:
    shape = [_size(group) for group in groups]
    named = context == "snils" or (shape == [3, 3, 3, 2] and context in ("", "document"))
    return named and checksums.snils(digits)


def _phones(plain: str) -> Iterator[Found]:
    tried = 0
    for groups in _runs(plain):
        first = 0
        while first < len(groups):
            for last in range(min(len(groups), first + 15) - 1, first - 1, -1):
                tried += 1
                if tried > _WINDOWS_MOST:
                    return
                if hit := _phone(plain, groups, first, last):
                    yield hit
                    first = last
                    break
            first += 1


def _phone(plain: str, groups: list[tuple[int, int]], first: int, last: int) -> Found | None:
    start, end = groups[first][0], groups[last][1]
    digits = _digits(plain, start, end)
    if (
        not 6 <= len(digits) <= 17
        or plain[end : end + 1].isalpha()
        or plain[end : end + 1] in ("%", "\u00b0")
    ):
        return None
    start, sign = phones.beginning(plain, start)
    whole = first == 0 and last == len(groups) - 1
    if sign == phones.GLUED:
        return None
    context = context_before(plain, start) or context_after(plain, end)
    shape = [_size(group) for group in groups[first : last + 1]]
    seps = [plain[a[1] : b[0]] for a, b in zip(groups[first:last], groups[first + 1 : last + 1], strict=True)]
    return Found("phone", start, end) if phones.is_phone(digits, shape, seps, sign, context, whole) else None
