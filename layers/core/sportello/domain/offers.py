"""An automatic answer asks whether it helped: only an explicit yes settles, all else goes to a person."""

import re

from sportello.domain import voice
from sportello.domain.events import Inbound, Kind
from sportello.domain.phrases import Meaning
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.domain.turn import NO_DEBT, Turn

YES, NO = "sportello:yes", "sportello:no"
"""Ids of the two buttons under an automatic answer."""
FOLLOW_UP = "sportello:faq:"
"""Begins the id of a button that leads on to another frequent question."""
ORDER = "order"
"""What ``Thread.offered`` says after the state of an order was told."""


def accepted(turn: Turn, event: Inbound, meaning: Meaning) -> bool:
    """An explicit yes of the customer's to what was answered: nothing is owed any more."""
    thread = turn.thread
    if not thread.offered or thread.consulting is not None:  # or it may answer what was asked since
        return False
    if event.automatic or event.test or not event.addressed:
        return False
    present = thread.person_present(turn.now)
    said = event.kind is Kind.TEXT and meaning.yes and not present  # who talks to a person says it to them
    if event.payload != YES and not said:
        return False
    if present:
        turn.because(Reason.FAQ_HELPED)
    else:
        voice.say(turn, event, "helped", "faq_yes", Reason.FAQ_HELPED)
    turn.change(**NO_DEBT, answered=True)
    return True


def led_on(turn: Turn, event: Inbound, *, begins: bool) -> bool:
    """A tap on what may be asked next: its answer is known without asking anybody."""
    if not (turn.thread.offered or begins) or not event.payload.startswith(FOLLOW_UP):
        return False
    entry = event.payload.removeprefix(FOLLOW_UP)
    if not re.fullmatch(r"[a-z0-9_-]{1,24}", entry) or turn.called:
        return False
    told(turn, event, entry, buttons=True)
    return True


def told(turn: Turn, event: Inbound | None, entry: str, *, buttons: bool, language: str = "") -> None:
    """The answer to a frequent question, in the language in which it was asked."""
    voice.ask_whether_it_helped(
        turn,
        event,
        "faq",
        Reason.FAQ_ANSWERED,
        buttons=buttons,
        values={"entry": entry},
        spoken=language if language in turn.desk.languages else "",
    )
    turn.change(offered=entry, consulting=None, answered=True, greeted=False)


def decline(turn: Turn) -> None:
    """Whatever else follows an automatic answer calls a person; ``voice.say_rest`` says so, once."""
    if turn.thread.offered:
        turn.change(offered="")
        turn.call(Reason.FAQ_NOT_ENOUGH)


def is_stale(thread: Thread, event: Inbound) -> bool:
    """A yes under an answer of which nothing is left to say; a no always wants help."""
    return event.payload == YES and not thread.offered
