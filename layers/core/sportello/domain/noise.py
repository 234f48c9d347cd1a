"""Spam, phishing of page owners, newsletters: what leaves the queue, reversibly and with its reason.

The default is "wants help". A message is noise only where several phrases of one list come together
(or one and a link), nothing of ours was said to its writer before, and nothing in it talks *about*
such a message: who forwards a suspicious mail and asks whether it is ours, or complains of our
newsletter, wants help.
"""

import re
from typing import Literal

from sportello.domain.phrases import Meaning

Noise = Literal["", "spam", "phishing", "newsletter"]

ENOUGH = 2
"""Different phrases of one list, with a link or without a question."""
PLENTY = 3
"""Different phrases of one list that are noise whatever else is there."""

_LINK = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]{2,}\.(?:com|net|org|info|biz|top|xyz|ru|it|io|me|ly)/\S", re.I
)


def links_in(text: str) -> int:
    """How many addresses of pages the text holds."""
    return len(_LINK.findall(text))


def noise_of(text: str, meaning: Meaning, *, answered_before: bool, links: int) -> Noise:
    """Which noise the message is; empty: somebody wants help.

    Args:
        answered_before: a person of the desk has answered this customer before.
        links: addresses of pages in it (``links_in``), or attached to it by the platform.
    """
    signs = meaning.noise_signs
    if not signs or answered_before or "about_noise" in signs or meaning.asks_person:
        return ""
    kinds: tuple[Noise, ...] = ("phishing", "spam", "newsletter")
    kind = max(kinds, key=lambda one: signs.get(one, 0))
    count = signs.get(kind, 0)
    if count >= PLENTY or (count >= ENOUGH and (links > 0 or not meaning.asks)):
        return kind
    return ""
