"""Whose order it is: the customer wrote its number, and a contact that the platform attests belongs to it.

Both halves are compared in one canonical form, and nothing less than equality counts: a number that is
nearly right, or a contact that looks alike, proves nothing.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

READ_MOST = 2_000
"""Characters of a message in which order numbers are looked for."""
NUMBERS_MOST = 3
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_HASH = re.compile(r"[0-9a-f]{64}")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def order_numbers(text: str, pattern: str) -> tuple[str, ...]:
    """The order numbers that somebody wrote, canonical, each once, at most three.

    ``pattern`` is ``Hook.order_pattern``; where it has a group, the group is the number.
    """
    if not pattern:
        return ()
    form = _compiled(pattern)
    found = (match[1] if form.groups else match[0] for match in form.finditer(plain(text[:READ_MOST])))
    distinct = dict.fromkeys(number for raw in found if raw and (number := canonical_number(raw)))
    return tuple(distinct)[:NUMBERS_MOST]


@lru_cache(maxsize=8)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def plain(text: str) -> str:
    """Digits of any script as 0-9, full-width letters as ordinary ones, invisible characters left out."""
    if text.isascii():
        return text
    return "".join(map(_plain, text))


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    if unicodedata.east_asian_width(letter) == "F":
        return unicodedata.normalize("NFKC", letter)
    return "" if unicodedata.category(letter) == "Cf" else letter


def canonical_number(number: str) -> str:
    """An order number without spaces and dashes, in capitals."""
    letters = (letter for letter in plain(number) if not letter.isspace())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Pd").upper()


def canonical_contact(contact: str) -> str:
    """``+`` and digits (E.164), or an address with ASCII letters in lower case; empty: neither.

    Not ``casefold``: it makes one address of two that belong to different people (``ß`` and ``ss``).
    """
    contact = contact.strip()
    if "@" in contact:
        name, _, domain = contact.rpartition("@")
        good = name and domain and not any(letter.isspace() for letter in contact)
        return contact.translate(_ASCII_LOWER) if good else ""
    phone = "+" + re.sub(r"[ ().\-/]", "", contact.removeprefix("+"))
    return phone if _PHONE.fullmatch(phone) else ""


def contact_hash(contact: str) -> str:
    """SHA-256 of the canonical form, hexadecimal: what the company's system names an order's contacts by."""
    known = canonical_contact(contact)
    return hashlib.sha256(known.encode()).hexdigest() if known else ""


def proved(number: str, wanted: Iterable[str], contacts: Iterable[str], attested: str) -> bool:
    """Whether an order is the customer's who wrote the numbers ``wanted`` from the contact ``attested``.

    Args:
        number: as the company's system names the order.
        contacts: hashes of those that the company's system has for it.
    """
    own = contact_hash(attested)
    if not own or not _HASH.fullmatch(own):
        return False
    return canonical_number(number) in set(wanted) and own in set(contacts)


def proof_key(number: str, attested: str) -> str:
    """What a remembered order answers for: this number asked from this contact."""
    return hashlib.sha256(f"{canonical_number(number)}\x00{contact_hash(attested)}".encode()).hexdigest()[:32]
