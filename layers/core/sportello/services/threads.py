"""Finding the thread of a customer: by the primary id, through a pointer, or newly opened."""

from collections.abc import Callable
from typing import NamedTuple

from sportello.aws import store
from sportello.domain import keys
from sportello.domain.events import Customer
from sportello.domain.thread import Thread
from sportello.services.context import tries
from sportello.services.effects import kick

SHORT = 6
"""Characters of a pointer's id that the thread remembers: enough to know it was written."""
REMEMBERED = 4
"""Pointers that the thread remembers, the newest; of an older one it would find out again."""


class Located(NamedTuple):
    """A thread as read (``rev`` 0: none yet), and the pointers to it that are still to be written."""

    thread: Thread
    pointers: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    """Ids where a row stands already: never written again."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """What the thread remembers of the ids that point to it, once this is committed."""
        short = [id[:SHORT] for id in (*self.pointers, *self.settled) if id != self.thread.id]
        return tuple(dict.fromkeys((*self.thread.aliases, *short)))[-REMEMBERED:]

    def again(self) -> "Located":
        """Read consistently, after somebody else wrote first."""
        found = store.read_thread(self.thread.id, consistent=True)
        if found.pointer:
            found = store.read_thread(found.pointer, consistent=True)
        return self if found.thread is None else self.at(found.thread)

    def at(self, thread: Thread) -> "Located":
        """The same customer on another reading of the thread, or on another thread."""
        moved = () if thread.id == self.thread.id else (self.thread.id,)
        wanted = (
            id
            for id in (*self.pointers, *moved)
            if id != thread.id and id not in self.settled and id[:SHORT] not in thread.aliases
        )
        return Located(thread, tuple(wanted), self.settled)


def locate(salt: str, channel: str, connection: str, account: str, customer: Customer) -> Located:
    """One read, two through a pointer."""
    primary = keys.thread_id(salt, channel, account, customer.id)
    found = store.read_thread(primary)
    settled: tuple[str, ...] = ()
    thread_id = primary
    if found.pointer:
        settled, thread_id = (primary,), found.pointer
        found = store.read_thread(thread_id)
    thread = found.thread or Thread(
        id=thread_id, channel=channel, connection=connection, account=account, to=customer.address
    )
    ids = [keys.thread_id(salt, channel, account, alias) for alias in customer.aliases]
    pointers = [id for id in ids if id != thread.id and id[:SHORT] not in thread.aliases]
    return Located(thread, tuple(dict.fromkeys(pointers)), settled)


def relocated(located: Located, taken: store.PointerTaken) -> Located:
    """A row stands where a pointer was to be written.

    A new thread gives way: the customer's thread is the one found there. A thread that has
    messages stays; the other one keeps its own.
    """
    rest = located._replace(
        pointers=tuple(id for id in located.pointers if id != taken.id),
        settled=(*located.settled, taken.id),
    )
    if located.thread.rev > 0:
        return rest
    found = taken.found
    if found.pointer:
        found = store.read_thread(found.pointer, consistent=True)
    return rest if found.thread is None else rest.at(found.thread)


def commit_at(located: Located, deadline: float, build: Callable[[Located], store.Commit]) -> bool:
    """Build and commit, on the newest reading each time; False where it was stored before.

    Raises Busy when the deadline is over.
    """
    for _ in tries(deadline):
        commit = build(located)
        match store.commit(commit):
            case store.Committed():
                kick(commit.after.id, commit.effects)
                return True
            case store.Duplicate():
                return False
            case store.PointerTaken() as taken:
                located = relocated(located, taken)
            case _:
                located = located.again()
    raise AssertionError("tries ends by raising Busy")
