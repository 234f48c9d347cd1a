"""Names of customers, and the stable made-up ids that the platforms know them by."""

import base64
import hashlib
import re
from collections.abc import Collection

from infra.world.model import Person

BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
NUMBER = re.compile(r"\+?([0-9]{5,15})")
DRAWS = 1000


def invent(who: str, taken: Collection[str]) -> Person:
    """The person of that name or id; the same ``who`` gives the same ids while none is taken.

    Phone numbers come from the range kept for fiction, +1 <area> 555 01xx: 80,000 of them, so
    the rare collision moves on to the next draw.
    """
    for draw in range(DRAWS):
        digest = hashlib.sha256(f"{who}|{draw}".encode()).digest()
        number = int.from_bytes(digest[:8], "big")
        person = Person(
            name=who,
            number=1 + int.from_bytes(digest[16:24], "big") % 999_999_999,
            telegram_id=5_000_000_000 + number % 1_000_000_000,
            wa_id=f"1{200 + number % 800}55501{number // 800 % 100:02d}",
            bsuid="US." + str(int.from_bytes(digest[8:16], "big")),
        )
        person = _with_given_id(person, who)
        if not any(id in taken for id in person.ids - {person.name}):
            return person
    raise ValueError("these ids belong to somebody else already")


def _with_given_id(person: Person, who: str) -> Person:
    """Where ``who`` is itself an id, the person has that id and a plain name."""
    if BSUID.fullmatch(who):
        return person.model_copy(update={"bsuid": who, "name": "Customer"})
    match = NUMBER.fullmatch(who)
    if match:
        digits = match.group(1)
        return person.model_copy(
            update={"wa_id": digits, "telegram_id": int(digits), "name": f"Customer {digits[-4:]}"}
        )
    return person


def new_wamid(address: str, unique: bytes) -> str:
    """A message id in WhatsApp's form: base64 over the number and what makes it unique."""
    return "wamid." + base64.b64encode(b"\x1c\x18" + address.encode() + b"\x15" + unique).decode()
