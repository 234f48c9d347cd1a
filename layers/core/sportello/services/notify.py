"""The notifier: people are told of a call at once, each target at least once.

A target that failed is tried again alone; one that can never be told (a webhook that is gone) is
marked so, and the others are told all the same. Before anybody hears of a reason it is asked whether it
is told with those of other conversations: at the opening (``opening``), or as part of an incident
(``incidents``).
"""

from collections.abc import Sequence

from sportello.aws import escalations
from sportello.aws.clock import real_now
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.escalating import recipients
from sportello.domain.incidents import AGAIN
from sportello.domain.message import Escalation, Why
from sportello.domain.staff import Target
from sportello.domain.thread import Thread
from sportello.services import incidents, notices, opening
from sportello.services.telling import Notifier as Notifier
from sportello.services.telling import link, tell, wait


def notify(notifier: Notifier, address: Address) -> str:
    """Tell every target of one call what it has not heard; returns a word for the log."""
    if address.key.startswith(keys.DIGEST):
        return opening.tell_all(notifier, address)
    if address.key.startswith(keys.TOGETHER):
        return incidents.tell_all(notifier, address)
    thread, call = escalations.read(address)
    if thread is None or call is None:
        return "no_such_call"
    if call.folded >= len(call.whys):
        return _settled(address, call, "folded")
    fresh = _fresh(call)
    if fresh and (told := _otherwise(notifier, address, thread, call, fresh)):
        return told
    return _tell_now(notifier, address, thread, call)


def _fresh(call: Escalation) -> tuple[Why, ...]:
    """The reasons of which nobody has heard yet."""
    return call.whys[max(call.folded, *call.told.values(), 0) :]


def _otherwise(
    notifier: Notifier, address: Address, thread: Thread, call: Escalation, fresh: Sequence[Why]
) -> str:
    """Told with others, or no news any more: what became of it. Empty: people are told of it now."""
    again = all(why.why in AGAIN for why in fresh)
    if again and (thread.paged is None or not thread.owes):
        return _settled(address, call, "taken")
    if again and call.incident:
        incidents.page(notifier, call, fresh)
        return _settled(address, call, "folded")
    if all(why.digest for why in fresh):
        opening.gather(notifier, address, thread, call, fresh)
        return "gathered"
    if incidents.fold(notifier, address, thread, call, fresh):
        return _settled(address, call, "folded")
    return ""


def _settled(address: Address, call: Escalation, word: str) -> str:
    """Nobody is to be told of what there is; a reason that came meanwhile is looked at anew."""
    if call.folded < len(call.whys):
        escalations.fold(address, len(call.whys))
    if not escalations.done(address, len(call.whys)):
        escalations.try_again(address, real_now())
    return word


def _tell_now(notifier: Notifier, address: Address, thread: Thread, call: Escalation) -> str:
    known, gone, failed = dict(call.told), set(call.refused), False
    lacking, reached = False, frozenset[str]()
    for _ in range(len(notifier.desk.escalation.levels) + 1):
        waiting, lacking, reached = _waiting(notifier, call, known, gone)
        if not waiting:
            break
        # Who is gone is replaced by the next level in the next round.
        refused, again = _tell_each(notifier, address, thread, call, waiting, lacking)
        known |= {target.key: len(call.whys) for target in waiting}
        gone |= refused
        failed = failed or again
    if failed:
        escalations.try_again(address, real_now() + wait(call.attempt))
        return "try_again"
    if not escalations.done(address, len(call.whys)):
        escalations.try_again(address, real_now())
    return "nobody_told" if reached <= gone else "told"


def _waiting(
    notifier: Notifier, call: Escalation, known: dict[str, int], gone: set[str]
) -> tuple[tuple[Target, ...], bool, frozenset[str]]:
    """Targets of the reasons' levels that lack one; whether nobody is on call; all who are to hear."""
    now = notifier.now()
    wanted: dict[str, Target] = {}
    reached: set[str] = set()
    lacking = False
    whys = enumerate(call.whys, start=1)
    called = {(why.team or call.team, why.level): number for number, why in whys if number > call.folded}
    for (team, level), newest in called.items():
        found = recipients(notifier.desk, team, level, now, gone)
        reached |= {target.key for target in found.targets}
        lacking = lacking or found.nobody_on_call
        wanted |= {target.key: target for target in found.targets if known.get(target.key, 0) < newest}
    return tuple(wanted.values()), lacking, frozenset(reached)


def _tell_each(
    notifier: Notifier,
    address: Address,
    thread: Thread,
    call: Escalation,
    waiting: Sequence[Target],
    lacking: bool,
) -> tuple[set[str], bool]:
    """Who can never be told, and whether somebody is to be tried again."""
    notice = notices.of_call(notifier, thread, call, nobody_on_call=lacking)
    refused, again = set[str](), False
    for target in waiting:
        told = tell(notifier, target, notice._replace(link=link(notifier, address, target)))
        if not told.problem:
            escalations.told(address, target.key, len(call.whys))
        elif told.final:
            escalations.refused(address, target.key, told.problem)
            refused.add(target.key)
        else:
            again = True
    return refused, again
