"""Text messages as text: how many parts one is paid as, and the words that end a conversation.

Source: 3GPP TS 23.038 (GSM 7 bit default alphabet and its extension table, no national tables),
TS 23.040 (concatenation); the platforms' pages on opt-out keywords.
"""

from itertools import chain

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each takes two places: an escape and itself."""
GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67
"""Places of a message, and of one part of a longer one, which also holds the part's number."""

STOP_WORDS = frozenset(
    [
        # Twilio's and AWS's own: they block us from then on, whatever the language.
        *("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout", "opt-out"),
        *("remove", "arret", "arrêt", "td"),
        # Italian: said to us, and kept by us.
        *("stop sms", "basta sms", "disiscrivi", "disiscrivimi", "cancellami", "rimuovimi"),
    ]
)
START_WORDS = frozenset(["start", "unstop"])
"""Not ``yes``, which the platforms take too: to us it is an answer, and brings the customer back anyway."""


def segments(text: str) -> int:
    """Parts that a text is sent, and paid, as.

    One character outside the GSM alphabet makes the whole text UCS-2. Neither an extension character
    nor a surrogate pair is cut between two parts.
    """
    if not text:
        return 1
    if all(character in BASIC or character in EXTENSION for character in text):
        return _parts([2 if character in EXTENSION else 1 for character in text], GSM_ALONE, GSM_PART)
    return _parts([2 if ord(character) > 0xFFFF else 1 for character in text], UCS2_ALONE, UCS2_PART)


def _parts(places: list[int], alone: int, part: int) -> int:
    if sum(places) <= alone:
        return 1
    count, room = 1, part
    for needed in places:
        if needed > room:
            count, room = count + 1, part
        room -= needed
    return count


def is_stop(text: str) -> bool:
    """Whether a message is nothing but the wish to hear no more."""
    return _word(text) in STOP_WORDS


def is_start(text: str) -> bool:
    return _word(text) in START_WORDS


def _word(text: str) -> str:
    if len(text) > max(map(len, chain(STOP_WORDS, START_WORDS))) + 8:
        return ""
    return " ".join(text.casefold().strip(" \t\r\n.!\"'«»").split())
