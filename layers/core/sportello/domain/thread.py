"""One customer's continuous conversation on one account: what the desk must remember of it."""

from sportello.domain.model import Instant, Model


class Thread(Model):
    """The thread row. At most 1 KB with every field set; messages are rows of their own.

    ``rev`` rises with every write that changes a field ``decide`` reads (``DECIDING``): whoever
    writes says which ``rev`` it read, so a decision on stale facts is never committed.
    """

    id: str
    rev: int = 0
    """0: not stored yet."""
    channel: str
    connection: str
    account: str
    to: str
    """Destination of an answer at the platform."""
    name: str = ""
    language: str = ""
    team: str = ""
    created: Instant = 0
    last_in: str = ""
    """Key of the customer's message that was committed last: what a reply must have seen."""
    window: Instant | None = None
    """Time of the customer's newest message: platform windows count from it."""
    owed_since: Instant | None = None
    """When the oldest unanswered message was written; None: nothing is owed."""
    first: str = ""
    """The opening words of that message, for the inbox."""
    told_until: Instant | None = None
    """The opening that the last closed-hours reply named."""
    on_it: bool = False
    """This debt has heard "we are on it"."""
    person_told: bool = False
    """This debt asked for a person and was told that one comes."""
    escalation: str = ""
    """Key of this debt's open escalation."""
    escalated: tuple[str, ...] = ()
    """Reasons for which people were called in this debt."""
    tier: str = ""
    """Of the customer, as the company's system calls it."""
    track: str = ""
    """``speed`` or ``care``: what matters most in this debt."""
    level: int = 0
    """The level of the escalation that was paged last; 0: nobody was."""
    paged: Instant | None = None
    """When people were called in this debt and nobody has taken it since; None: nobody is paged."""
    promised: Instant | None = None
    """By when the customer was told that an answer comes."""
    interim: bool = False
    """A person has answered for the time being; the full answer is still owed."""
    consulting: Instant | None = None
    """The outside was asked (``Consult``); from then on the desk goes on without."""
    offered: str = ""
    """The frequent question (its id) or ``order`` whose answer awaits an explicit yes."""
    asked: tuple[str, ...] = ()
    """Fields that the desk asked for in this conversation."""
    known: tuple[str, ...] = ()
    """Fields that the customer has told."""
    aside: str = ""
    """Why the newest message left the queue (``Reason``); empty: it did not."""
    trusted: bool = False
    """A person said that this customer wants help: nothing of theirs is set aside."""
    language_set: bool = False
    """A person chose the language: what the platform says no longer counts."""
    greeted: bool = False
    """This debt is a greeting so far: what is wanted is still to come."""
    answered: bool = False
    """The last that was said is an answer of ours, so thanks owe nothing."""
    person_until: Instant | None = None
    """Until when a person is in the conversation."""
    claimed_by: str = ""
    public: bool = False
    """Posts or comments that everybody can read."""
    quiet: str = ""
    """Why this debt hears no automatic voice: a machine or a list wrote (``Inbound.automatic``)."""
    unreachable: bool = False
    """The customer blocked us or left."""
    due: Instant | None = None
    """When ``decide`` wants to look again; it may come early, never late."""
    hold: Instant | None = None
    """Nothing is sent before (real time): the platform asked us to wait."""
    resolved: str = ""
    """Reason code with which it was last resolved."""
    aliases: tuple[str, ...] = ()
    """Starts of the thread ids that point here."""
    gone: tuple[str, ...] = ()
    """Hashes of messages that were deleted before they arrived, each with the day it is kept until."""

    @property
    def owes(self) -> bool:
        return self.owed_since is not None

    @property
    def knows_hours(self) -> bool:
        """This debt has heard when the desk opens; it is not told again unless the customer writes."""
        return (
            self.owed_since is not None and self.told_until is not None and self.owed_since < self.told_until
        )

    def person_present(self, now: Instant) -> bool:
        return self.person_until is not None and now < self.person_until


DECIDING = frozenset(Thread.model_fields) - {
    "id", "rev", "name", "to", "created", "last_in", "window", "hold", "aliases", "gone",
}  # fmt: skip
"""What ``decide`` reads besides the event."""


def advanced(before: Thread, after: Thread) -> Thread:
    """``after`` with the next ``rev`` where something that ``decide`` reads has changed."""
    changed = after is not before and any(
        getattr(before, field) != getattr(after, field) for field in DECIDING
    )
    rev = before.rev + 1 if changed else max(before.rev, 1)
    return after if after.rev == rev else after.model_copy(update={"rev": rev})
