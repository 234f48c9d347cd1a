"""Who a WhatsApp message is from: business-scoped ids beside phone numbers, and their changes.

A business-scoped id (``US.1349…``, since 2026) is the primary id where the platform gives one; the
WhatsApp id (digits of the phone number) is an alias, or the primary where it is all there is. With
a user name adopted, the number may be missing. Parent ids name a holding, not a person: never used.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sportello.channels.graph import Malformed, record, word
from sportello.domain.events import Card, Customer

Json = Mapping[str, Any]

_REF = re.compile(r"\(ref: (sp-[a-z2-7]{16})\)$")
_SCOPED = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,128}")
_DIGITS = re.compile(r"[0-9]{5,20}")
_CHANGE = re.compile(r"(?s).*\bchanged from (\S+) to (\S+?)\.?")
# The sentence wraps numbers in invisible direction marks.
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))


def is_scoped(address: str) -> bool:
    """Whether an address is a business-scoped user id."""
    return bool(_SCOPED.fullmatch(address))


def digits(number: str) -> str:
    return re.sub("[^0-9]", "", number)


def sender(message: Json, contacts: Sequence[Json], alone: bool) -> Customer:
    """The customer of a message; ``alone``: the value holds messages of no one else.

    Raises:
        Malformed: the message names nobody.
    """
    scoped, number = _ids(message, "from_user_id", "from")
    return _known(scoped, number, contacts, alone)


def recipient(echo: Json, contacts: Sequence[Json], alone: bool) -> Customer:
    """The customer to whom a message went that was written in our name elsewhere."""
    scoped, number = _ids(echo, "to_user_id", "to")
    return _known(scoped, number, contacts, alone)


def attested(customer: Customer, cards: Sequence[Card]) -> str:
    """The sender's own number: WhatsApp vouches for the account's, and for the card that it was asked for."""
    if customer.address.startswith("+"):
        return customer.address
    own = next((card.phones[0] for card in cards if card.own and card.phones), "")
    return f"+{digits(own)}" if digits(own) else ""


def ref_in(text: str) -> str:
    """The ref with which the text of a wa.me link ends; the text itself stays as the customer sent it."""
    found = _REF.search(text) if text.endswith(")") else None
    return found[1] if found else ""


def group(message: Json, contacts: Sequence[Json]) -> Customer:
    """A group as the customer: its id is the address; the name is that of who wrote."""
    scoped, number = _ids(message, "from_user_id", "from")
    contact = _contact(scoped, number, contacts, alone=True)
    return Customer(id=word(message, "group_id"), address=word(message, "group_id"), name=_name(contact))


def moved(message: Json) -> tuple[Customer, tuple[str, ...]] | None:
    """New and previous ids of a ``system`` message about a changed number or id.

    None where one side cannot be read: structured fields first, then the sentence in ``body``.
    """
    system = record(message, "system")
    scoped, number = _ids(system, "user_id", "wa_id")
    number = number or _bare(word(system, "new_wa_id"))
    said_old, said_new = _said(word(system, "body"))
    if is_scoped(said_new):
        scoped = scoped or said_new
    else:
        number = number or said_new
    now = {item for item in (scoped, number) if item}
    before = (word(system, "previous_user_id"), *_ids(message, "from_user_id", "from"), said_old)
    previous = tuple(dict.fromkeys(item for item in before if item not in now and _is_id(item)))
    if not previous or not now or not all(map(_is_id, now)):
        return None
    return _customer(scoped, (number,), ""), previous


def _ids(parent: Json, scoped_key: str, number_key: str) -> tuple[str, str]:
    scoped, number = word(parent, scoped_key), _bare(word(parent, number_key))
    if is_scoped(number):
        return scoped or number, ""
    return scoped, number


def _bare(number: str) -> str:
    return number.removeprefix("+")


def _is_id(value: str) -> bool:
    return is_scoped(value) or bool(_DIGITS.fullmatch(value))


def _said(body: str) -> tuple[str, str]:
    """Old and new id in "User NAME changed from OLD to NEW"; the last such words, since NAME is anything."""
    found = _CHANGE.fullmatch(body.translate(_MARKS).strip())
    return (_bare(found[1]), _bare(found[2])) if found else ("", "")


def _known(scoped: str, number: str, contacts: Sequence[Json], alone: bool) -> Customer:
    contact = _contact(scoped, number, contacts, alone)
    return _customer(
        scoped or _soft(contact, "user_id"), (_bare(_soft(contact, "wa_id")), number), _name(contact)
    )


def _customer(scoped: str, numbers: tuple[str, ...], name: str) -> Customer:
    found = [item for item in (scoped, *numbers) if item]
    if not found:
        raise Malformed("no sender")
    number = next(filter(None, numbers), "")
    return Customer(
        id=found[0],
        address=f"+{number}" if number else scoped,
        aliases=tuple(dict.fromkeys(item for item in found[1:] if item != found[0])),
        name=name,
    )


def _contact(scoped: str, number: str, contacts: Sequence[Json], alone: bool) -> Json:
    """The contact of these ids. A single one may differ in number: numbers get rewritten (Brazil, Mexico)."""
    for contact in contacts:
        theirs = _soft(contact, "user_id")
        if (scoped and theirs == scoped) or (
            number and _bare(_soft(contact, "wa_id")) == number and not (scoped and theirs)
        ):
            return contact
    if alone and len(contacts) == 1 and not (scoped and _soft(contacts[0], "user_id")):
        return contacts[0]
    return {}


def _name(contact: Json) -> str:
    profile = contact.get("profile")
    return _soft(profile, "name") if isinstance(profile, dict) else ""


def _soft(parent: Json, key: str) -> str:
    """A text that only adorns: anything else counts as missing."""
    value = parent.get(key)
    return value if isinstance(value, str) else ""
