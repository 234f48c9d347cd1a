"""What a thread remembers of a customer's message besides what ``decide`` makes of it. No AWS."""

from sportello.domain.events import Inbound
from sportello.domain.model import Instant
from sportello.domain.thread import Thread

# What the thread row keeps of texts without a limit of their own, so that it stays under 1 KB.
NAME_BYTES = 64
FIRST_BYTES = 48
BY_BYTES = 20
CODE_BYTES = 16


def clip(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes of UTF-8, no character cut."""
    if len(text) * 4 <= most:
        return text
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def heard(thread: Thread, before: Thread, event: Inbound, written: Instant, now: Instant, key: str) -> Thread:
    """The thread after a customer's message; ``key`` is empty for one that owes nothing."""
    window = min(written, now)
    changes: dict[str, object] = {
        "first": clip(thread.first, FIRST_BYTES),
        "to": event.customer.address,
        "last_in": key or before.last_in,
        "window": window if before.window is None else max(window, before.window),
    }
    if before.rev == 0:
        changes["created"] = now
        changes["public"] = event.public
    if not before.owes and not event.group:
        changes["name"] = clip(event.customer.name, NAME_BYTES) or before.name
    return thread.model_copy(update=changes)
