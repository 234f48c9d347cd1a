"""Telephone numbers by how they are written: international, and national in it, ru, en, es, fr and de.

Whether a number is assigned does not matter: whoever writes one means it. Free and premium numbers are
companies', not persons'.
"""

import re
from collections.abc import Sequence

GLUED = "x"
"""The digits are a part of a word or of a longer code."""

_WORD_BEFORE = re.compile(r"(?:^|[^\w])(?:tel|cell|cel|mob|phone|whatsapp|wa|тел|моб|n|nr|№)$", re.IGNORECASE)

_COMPANIES = re.compile(
    r"(?:0039|39)?80[03]\d{5,6}"  # Italy
    r"|(?:0039|39)?(?:199|89[2-9]|848|840|1478)\d{3,7}"
    r"|(?:00)?[78]80[0-9]\d{7}"  # Russia
    r"|(?:001|1)?8(?:00|33|44|55|66|77|88)\d{7}"  # North America
    r"|(?:0044|44)?0?80[08]\d{6,7}"  # United Kingdom
    r"|(?:0049|49)?0?(?:800|900\d|180\d)\d{6,7}"  # Germany
    r"|(?:0033|33)?0?8[0-9]{2}\d{6}(?<=\d{10})"  # France
    r"|(?:0034|34)?(?:800|90[0125])\d{6}"  # Spain
    r"|00?800\d{6,8}"
)

_LENGTHS = {
    "7": (11, 11), "1": (11, 11), "39": (8, 13), "44": (11, 12), "33": (11, 12), "34": (11, 11),
    "49": (9, 15), "351": (12, 12), "55": (12, 13), "86": (11, 14), "41": (11, 12), "43": (9, 15),
}  # fmt: skip
"""Digits of a number with its country's code; others: 8 to 15 (E.164)."""


def beginning(plain: str, start: int) -> tuple[int, str]:
    """Where a number begins whose first digit is at ``start``, and its sign: ``+``, ``(``, none, or GLUED."""
    sign = ""
    if start and plain[start - 1] == "(":
        start, sign = start - 1, "("
    for plus in ("+", "+ "):
        if plain.endswith(plus, 0, start) or plain.endswith(f"{plus}(", 0, start):
            start = plain.rindex("+", 0, start)
            sign = "+"
            break
    if sign == "+" and start and plain[start - 1] == "(":
        start -= 1
    return start, GLUED if _glued(plain, start) else sign


def _glued(plain: str, start: int) -> bool:
    if not start:
        return False
    last = plain[start - 1]
    if last.isalnum():
        return not _WORD_BEFORE.search(plain, max(0, start - 10), start)
    if last in "#@_=&*\0":
        return True
    return last in "-/,." and start > 1 and plain[start - 2].isalnum() and not _word_and_dot(plain, start)


def _word_and_dot(plain: str, start: int) -> bool:
    return plain[start - 1] in ".,/-" and bool(_WORD_BEFORE.search(plain, max(0, start - 11), start - 1))


def is_phone(
    digits: str, shape: Sequence[int], seps: Sequence[str], sign: str, context: str, whole: bool
) -> bool:
    """Whether these groups of digits are one telephone number.

    Args:
        shape: digits of each group.
        seps: what stands between the groups.
        sign: what stands before it, see ``beginning``.
        context: what the words around say it is (``personal_context``).
        whole: no other digits stand beside it.
    """
    if _COMPANIES.fullmatch(digits):
        return False
    if sign == "+":
        return _international(digits)
    if context not in ("", "phone"):
        return sign == "(" and _trunk_eight(digits, shape)
    if context == "phone" and _named(digits, whole):
        return True
    return (
        _plain_enough(seps) and (whole or "\n" not in "".join(seps)) and _by_form(digits, shape, sign, whole)
    )


def _international(digits: str) -> bool:
    if digits[0] == "0" or not 8 <= len(digits) <= 15:
        return False
    for size in (1, 2, 3):
        if limits := _LENGTHS.get(digits[:size]):
            least, most = limits
            return least <= len(digits) <= most + (digits[size] == "0")  # +44 (0)20 …
    return True


def _named(digits: str, whole: bool) -> bool:
    """After a word such as "tel." anything of the right length is one."""
    if digits.startswith("00") and _international(digits[2:]):
        return True
    if len(digits) > 12 or (len(digits) > 7 and len(set(digits)) == 1):
        return False
    return whole or len(digits) >= 9


def _plain_enough(seps: Sequence[str]) -> bool:
    return all(len(sep) <= 3 for sep in seps) and sum("/" in sep for sep in seps) <= 1


def _by_form(digits: str, shape: Sequence[int], sign: str, whole: bool) -> bool:
    if all(size == 1 for size in shape) and not whole:
        return False
    strong = whole or sign == "("
    return (
        _double_zero(digits)
        or _trunk_eight(digits, shape)
        or _mobile_it(digits, shape)
        or (strong and _leading_zero(digits, shape))
        or (strong and _north_american(digits, shape))
        or (strong and _grouped(digits, shape))
    )


def _double_zero(digits: str) -> bool:
    """``0039 …``; not an order padded with zeros."""
    if not digits.startswith("00") or digits[2] in "0" or len(digits) < 12:
        return False
    known = digits[2:4] in ("39", "44", "33", "34", "49", "41", "43", "55", "86")
    return (known or (digits[2] in "17" and len(digits) == 13)) and _international(digits[2:])


def _trunk_eight(digits: str, shape: Sequence[int]) -> bool:
    """Russian: ``8 (9xx) xxx-xx-xx``; with 7 only mobiles, unless it is written apart."""
    if len(digits) != 11 or list(shape) == [3, 3, 3, 2]:
        return False
    if digits[0] == "8":
        return digits[1] in "3489"
    return digits[0] == "7" and (digits[1] == "9" or (digits[1] in "348" and shape[:2] == [1, 3]))


def _mobile_it(digits: str, shape: Sequence[int]) -> bool:
    if len(digits) != 10 or digits[0] != "3" or digits[1] not in "23456789":
        return False
    return len(shape) == 1 or shape[0] in (3, 1) or all(size == 2 for size in shape)


def _leading_zero(digits: str, shape: Sequence[int]) -> bool:
    """Italian, French, German and British national numbers."""
    if digits[0] != "0" or digits[1] == "0":
        return False
    if len(shape) == 1:
        return 9 <= len(digits) <= 11 and len(set(digits)) > 3
    if shape[0] > 5 or shape[0] < 2 or not 8 <= len(digits) <= 12:
        return all(size == 1 for size in shape) and 9 <= len(digits) <= 11
    return True


def _north_american(digits: str, shape: Sequence[int]) -> bool:
    if list(shape) == [1, 3, 3, 4] and digits[0] == "1":
        digits, shape = digits[1:], shape[1:]
    return list(shape) == [3, 3, 4] and digits[0] > "1" and digits[3] > "1"


def _grouped(digits: str, shape: Sequence[int]) -> bool:
    """Written as people write no other number: Russian without its 8, Spanish."""
    if list(shape) == [3, 3, 2, 2]:
        return digits[0] in "3489"
    return len(digits) == 9 and digits[0] in "6789" and list(shape) in ([3, 3, 3], [3, 2, 2, 2], [2, 3, 2, 2])
