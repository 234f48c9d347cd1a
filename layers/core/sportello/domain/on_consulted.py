"""The outside has answered (``Consulted``), or too late, or not at all."""

from sportello.domain import offers, voice
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import Consulted, Followed
from sportello.domain.keys import timer_key
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.domain.turn import NO_DEBT, Turn

TIER_MOST = 12
"""Characters of a tier that the thread keeps."""


def consulted(thread: Thread, event: Consulted, desk: Desk, now: Instant) -> Decision:
    turn = Turn(thread, desk, now)
    if event.problems:
        turn.because(Reason.CONSULT_FAILED)
    if event.linked:
        _go_on_from(turn, event)
    if event.tier is not None and (tier := event.tier[:TIER_MOST]) != thread.tier:
        turn.change(tier=tier)
        turn.because(Reason.TIER_LEARNT)
    holds = thread.claimed_by != "" and event.person in ("", thread.claimed_by)
    if event.over_load and holds and not thread.person_present(now):
        turn.change(claimed_by="", paged=now if thread.level else None)
        turn.because(Reason.HANDED_BACK_LOAD)
    if "faq" in event.asks or "order" in event.asks:
        _answer(turn, event)
    if not turn.reasons:
        turn.because(Reason.NOTHING_NEW)
    return turn.watched()


def _answer(turn: Turn, event: Consulted) -> None:
    """The automatic voice has waited for this, or for what was asked since."""
    thread = turn.thread
    if not thread.owes or thread.consulting is None or event.until not in (None, thread.consulting):
        turn.because(Reason.CAME_TOO_LATE)
        return
    turn.change(consulting=None)
    if thread.person_present(turn.now):
        turn.because(Reason.PERSON_PRESENT)
    elif event.order is not None:
        _tell_order(turn, event)
    elif event.unproved:
        _ask_for_proof(turn)
    elif event.faq:
        offers.told(turn, None, event.faq, buttons=event.buttons, language=event.language)
    else:
        turn.because(Reason.FAQ_UNKNOWN)
        offers.decline(turn)
        voice.say_rest(turn, None, event.topics)


def _tell_order(turn: Turn, event: Consulted) -> None:
    order = event.order
    if order is None:
        return
    voice.ask_whether_it_helped(
        turn,
        None,
        "order",
        Reason.ORDER_TOLD,
        buttons=event.buttons,
        values={
            "order": order.number,
            "status": order.status,
            "expected": order.expected,
            "link": order.link,
        },
    )
    turn.change(offered=offers.ORDER, answered=True, greeted=False)


def _ask_for_proof(turn: Turn) -> None:
    """How it is proved is said once, and whoever cannot has a person."""
    turn.change(offered="")
    if turn.call(Reason.ORDER_UNPROVED):
        voice.say(turn, None, "answer", "order_proof", Reason.ORDER_UNPROVED)
    else:
        voice.say_rest(turn, None)


def without_answer(turn: Turn) -> None:
    """The outside did not answer in time: what it was asked for is left out."""
    turn.cause = timer_key(turn.thread.owed_since or 0, f"late-{turn.thread.consulting}")
    turn.change(consulting=None)
    turn.because(Reason.CONSULT_LATE)
    if turn.thread.person_present(turn.now):
        turn.because(Reason.PERSON_PRESENT)
    else:
        offers.decline(turn)
        voice.say_rest(turn, None)


def _go_on_from(turn: Turn, event: Consulted) -> None:
    """What was asked on the official account is owed here, so that nobody writes it twice."""
    turn.because(Reason.LINKED)
    since, thread = event.linked_since, turn.thread
    if since is None:
        return
    if thread.owed_since is None:
        turn.owe(since, event.linked_first)
        turn.route()
        turn.because(Reason.OWES)
    elif since < thread.owed_since:
        turn.change(owed_since=since, first=event.linked_first)


def followed(thread: Thread, event: Followed, desk: Desk, now: Instant) -> Decision:
    """The customer has come to the care account: what was owed here is owed there."""
    if thread.owed_since is None or event.since is None or thread.owed_since > event.since:
        return Decision(thread=thread, reasons=(Reason.FOLLOWED, Reason.NOTHING_OWED))
    turn = Turn(thread, desk, now)
    turn.change(**NO_DEBT)
    turn.because(Reason.FOLLOWED)
    return turn.decision()
