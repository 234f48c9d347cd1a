"""What the events of one webhook share, and how long a commit may be tried."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sportello.aws import store
from sportello.channels.base import Channel, Connection
from sportello.domain.desk import Desk
from sportello.domain.model import Instant


class Busy(Exception):
    """Nothing durable could be written before the platform's deadline."""


@dataclass(frozen=True)
class Context:
    channel: Channel
    connection: Connection
    desk: Desk
    salt: str
    now: Callable[[], Instant]
    deadline: float
    """``time.monotonic`` until which a commit may be tried again."""
    counts: Counter[str] = field(default_factory=Counter)
    """What became of the events: the webhook's one log line."""


def tries(deadline: float) -> Iterator[int]:
    """Once at least; then with full jitter until the deadline, and then ``Busy``."""
    attempt = 0
    while True:
        yield attempt
        wait = store.pause(attempt)
        if time.monotonic() + wait > deadline:
            raise Busy
        time.sleep(wait)
        attempt += 1
