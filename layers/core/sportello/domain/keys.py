"""Every id and key of the desk, derived: the same event always finds its own earlier self.

Thread ids are opaque, so queues and logs may carry them. Keys sort by time within a thread:

    T                                   the thread row
    M#<ms>[#<sequence>]#<hash>          a message, in or out
    M#<ms>[#<sequence>]#<hash>~<kind>   an effect of that message
    M#<owed since>#<timer>~<kind>       an effect of a deadline
    X#<hash>#<ms>                       an edit or delete of the message with that hash
    D#<hash>                            dedupe row of a message that has no platform time
    R#<hash>                            receipt of a message that we sent, by the platform's id
    R#until                             everything sent up to a time was delivered, or read
    L#<thread id>                       the public thread that a private one goes on from; the thread on
                                        an official account that one on a care account goes on from, and back
    F                                   facts of the customer: the company's, and what they told

Beside the threads:

    REF#<ref>                           the thread on an official account whose way to care carries this ref
    HOOK                                how the company's own system has answered of late

What a team hears of together stands in the team's own partition (``team_id``):

    I#d#<level>#<part>                  calls that waited for the opening
    I#k#<wave>                          calls alike, counted
    I#n#<ms>#<wave>                     an incident
"""

import hashlib

from sportello.domain.model import Instant

THREAD_ROW = "T"
FACTS_ROW = "F"
THREAD_ID_LENGTH = 26
HASH_LENGTH = 16
KEY_LIMIT = 64
"""Longest sort key; an SQS deduplication id (at most 128) holds thread id, key and attempt."""


_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
"""RFC 4648, in lower case."""


def _hash(length: int, *parts: str) -> str:
    digest = hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).digest()
    # Not by base64: its table of 1,024 pairs has left the processor's cache at every message.
    bits = int.from_bytes(digest)
    return "".join([_BASE32[bits >> shift & 31] for shift in range(251, 251 - 5 * length, -5)])


def thread_id(salt: str, channel: str, account: str, customer: str) -> str:
    """26 base32 characters (130 bits): nobody gets from them to a number or a name."""
    return _hash(THREAD_ID_LENGTH, salt, channel, account, customer)


def partition(thread: str) -> str:
    return f"T#{thread}"


def message_hash(thread: str, platform_id: str) -> str:
    """80 bits of the platform's id; it ends the message's key and names its edits and deletes."""
    return _hash(HASH_LENGTH, thread, platform_id)


def message_key(time: Instant, sequence: int | None, hashed: str) -> str:
    order = f"#{sequence:010d}" if sequence is not None else ""
    return f"M#{time:013d}{order}#{hashed}"


def effect_key(cause: str, kind: str) -> str:
    return f"{cause}~{kind}"


def timer_key(owed_since: Instant, timer: str) -> str:
    """The cause of what a deadline brings about: one per debt and timer."""
    return f"M#{owed_since:013d}#{timer}"


def change_key(hashed: str, time: Instant, kind: str) -> str:
    return f"X#{hashed}#{time:013d}#{kind}"


def dedupe_key(hashed: str) -> str:
    return f"D#{hashed}"


UNTIL_ROW = "R#until"


def receipt_key(hashed: str) -> str:
    return f"R#{hashed}"


def link_key(thread: str) -> str:
    return f"L#{thread}"


REF_PREFIX = "sp-"
"""What our own refs begin with; any other is the company's."""


def ref_of(salt: str, cause_thread: str, cause: str) -> str:
    """What the link to the care account carries: 80 bits that nobody guesses, the same for the same cause."""
    return REF_PREFIX + _hash(HASH_LENGTH, salt, "ref", cause_thread, cause)


def is_ref(text: str) -> bool:
    """Whether a link's payload has the form of one of ours."""
    return (
        len(text) == len(REF_PREFIX) + HASH_LENGTH
        and text.startswith(REF_PREFIX)
        and all(letter in _BASE32 for letter in text[len(REF_PREFIX) :])
    )


TOGETHER = "I#"
"""What keys of rows begin with that tell of many conversations at once."""
DIGEST = "I#d#"


def team_id(salt: str, team: str) -> str:
    """Where a team's rows stand, in the form of a thread's id: queues carry it."""
    return _hash(THREAD_ID_LENGTH, salt, "team", team)


def digest_key(level: int, part: int) -> str:
    return f"{DIGEST}{level}#{part}"


def wave_key(wave: str) -> str:
    return f"I#k#{wave}"


def incident_key(opened: Instant, wave: str) -> str:
    return f"I#n#{opened:013d}#{wave}"


def shard(thread: str, what: str) -> str:
    """Partition of the ``due`` index.

    ``t`` for threads (desk clock); by real clock ``o`` for outbox rows and calls, ``m`` for messages
    whose files are to be fetched or deleted.
    """
    return f"{what}{ord(thread[-1]) % SHARDS}"


SHARDS = 4
MEDIA_KIND = "media"
"""Kind of the effect that a message's files are: not a row, the message itself is."""
CONSULT_KIND = "consult"
"""Kind of the effect that the outside is asked (``message.Enquiry``)."""
