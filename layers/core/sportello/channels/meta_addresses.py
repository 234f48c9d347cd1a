"""Where an answer goes on Messenger and Instagram: a person, or something that everybody can read.

A bare id is a person's; ``comment:<id>``, ``post:<id>`` and ``mention:<media>[:<comment>]`` are public;
``user_ref:<reference>`` is a person of whom only a plug-in's reference is known.
"""

import re
from typing import NamedTuple

from sportello.channels.base import Outbound

COMMENT = "comment:"
POST = "post:"
MENTION = "mention:"
BY_REFERENCE = "user_ref:"

_ID = re.compile(r"[A-Za-z0-9_.\-]{1,256}")
_REFERENCE = re.compile(r"[^\x00-\x1f]{1,512}")


class Target(NamedTuple):
    kind: str
    """The prefix; empty: a person."""
    id: str
    within: str = ""
    """Of a mention in a comment: that comment."""

    @property
    def public(self) -> bool:
        return self.kind in (COMMENT, POST, MENTION)


def named(target: Target, message: Outbound) -> Target:
    """Of a public thread the very comment that the message quotes; else the newest, as addressed."""
    id = message.quote
    if target.kind not in (COMMENT, POST) or id == target.id or not _ID.fullmatch(id):
        return target
    return Target(POST if id.startswith(f"{message.account}_") else COMMENT, id)


def target_of(address: str) -> Target | None:
    """None where it is no address of ours."""
    kind = next((name for name in (COMMENT, POST, MENTION, BY_REFERENCE) if address.startswith(name)), "")
    id, within = address.removeprefix(kind), ""
    if kind == BY_REFERENCE:
        return Target(kind, id) if _REFERENCE.fullmatch(id) else None
    if kind == MENTION:
        id, _, within = id.partition(":")
    if not _ID.fullmatch(id) or (within and not _ID.fullmatch(within)):
        return None
    return Target(kind, id, within)
