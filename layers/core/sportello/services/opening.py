"""What waited for the opening is told in one notice for each team, a couple of minutes after the first.

A call that waits here keeps its own ``due``: whatever becomes of the digest, it is found again.
"""

from collections.abc import Iterable, Iterator, Sequence

from sportello.aws import digests, escalations, store, together
from sportello.aws.clock import real_now
from sportello.aws.digests import Digest, Member
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.escalating import recipients
from sportello.domain.message import Escalation, Why
from sportello.domain.model import MINUTE
from sportello.domain.thread import Thread
from sportello.services import notices, rows
from sportello.services.notice_words import Item
from sportello.services.telling import Notifier, link, tell, wait

GATHERED_FOR = 2 * MINUTE
"""Real time; deadlines are kept to about as much."""
SURELY_TOLD = 15 * MINUTE
"""After so long a call that waits in a digest is looked at again."""
SHOWN_MOST = 20
PARTS_MOST = 50


def gather(
    notifier: Notifier, address: Address, thread: Thread, call: Escalation, fresh: Sequence[Why]
) -> None:
    """Put a call into its team's digest."""
    team = fresh[-1].team or call.team
    level = max(why.level for why in fresh)
    since = thread.owed_since if thread.owed_since is not None else fresh[-1].at
    member = Member(since, address.thread, address.key, len(call.whys))
    expires = rows.expires(notifier.desk, notifier.now())
    for part in range(PARTS_MOST):
        digest = together.of_team(team, keys.digest_key(level, part))
        if digests.put(digest, team, level, member, real_now() + GATHERED_FOR, expires):
            break
    escalations.try_again(address, real_now() + SURELY_TOLD)


def tell_all(notifier: Notifier, address: Address) -> str:
    """Tell the digest to whom it has not been told, and settle its calls."""
    digest = digests.read(address)
    if digest is None:
        return "nothing_waits"
    found = recipients(notifier.desk, digest.team, digest.level, notifier.now(), digest.refused.keys())
    many = len(digest.members)
    waiting = [target for target in found.targets if digest.told.get(target.key, 0) < many]
    heard = [target.key for target in found.targets if target not in waiting]
    begin = min((digest.told.get(target.key, 0) for target in waiting), default=many)
    shown, more = _still_waiting(digest.members[begin:])
    again = False
    for target in waiting if shown else ():
        items = [Item(notices.listed(notifier, one), link(notifier, at, target)) for at, one in shown]
        told = tell(notifier, target, notices.of_digest(notifier, digest.team, items, more))
        if not told.problem:
            together.told(address, target.key, many)
            heard.append(target.key)
        elif told.final:
            together.refused(address, target.key, told.problem)
            again = True  # another takes the place of whoever is gone
        else:
            again = True
    if again:
        together.look_again(address, real_now() + wait(digest.attempt))
        return "try_again"
    _settle(digest, heard)
    if not digests.close(address, many):
        together.look_again(address, real_now() + GATHERED_FOR)
    return "told" if found.targets else "nobody_told"


def _still_waiting(members: Iterable[Member]) -> tuple[list[tuple[Address, Thread]], int]:
    """The oldest that nobody has taken or answered, and how many more there are at most."""
    ordered = list({(one.thread, one.key): one for one in sorted(members, reverse=True)}.values())[::-1]
    shown: list[tuple[Address, Thread]] = []
    looked = 0
    for at, thread in _read(ordered):
        looked += 1
        if thread is not None and thread.owes and thread.paged is not None:
            shown.append((at, thread))
        if len(shown) == SHOWN_MOST:
            break
    return shown, len(ordered) - looked


def _read(members: Iterable[Member]) -> Iterator[tuple[Address, Thread | None]]:
    for member in members:
        yield Address(member.thread, member.key), store.read_thread(member.thread, consistent=True).thread


def _settle(digest: Digest, heard: Sequence[str]) -> None:
    for member in set(digest.members):
        digests.heard(Address(member.thread, member.key), heard, member.reasons)
