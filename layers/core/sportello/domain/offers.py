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


def accepted(turn: Turn, event: Inbound, meaning: Meaning) -> bool:
    """An explicit yes to what was answered: nothing is owed any more."""
    if not turn.thread.offered:
        return False
    if event.payload != YES and not (event.kind is Kind.TEXT and meaning.yes):
        return False
    voice.say(turn, event, "helped", "faq_yes", Reason.FAQ_HELPED)
    turn.change(**NO_DEBT, answered=True)
    return True


def led_on(turn: Turn, event: Inbound) -> bool:
    """A tap on what may be asked next: its answer is known without asking anybody."""
    if not turn.thread.offered or not event.payload.startswith(FOLLOW_UP):
        return False
    entry = event.payload.removeprefix(FOLLOW_UP)
    if not re.fullmatch(r"[a-z0-9_-]{1,24}", entry):
        return False
    values = {"entry": entry}
    voice.ask_whether_it_helped(turn, event, "faq", Reason.FAQ_ANSWERED, buttons=True, values=values)
    turn.change(offered=entry)
    return True


def declined(turn: Turn, event: Inbound) -> bool:
    """Whatever else follows an automatic answer calls a person, and says so once."""
    if not turn.thread.offered:
        return False
    turn.change(offered="")
    turn.call(Reason.FAQ_NOT_ENOUGH)
    if not turn.is_open and turn.thread.told_until is None:
        return False  # when the desk opens is the better answer
    voice.say(turn, event, "handed-on", "faq_no", Reason.FAQ_NOT_ENOUGH)
    return True


def is_stale(thread: Thread, event: Inbound) -> bool:
    """A tap under an answer of which nothing is left to say."""
    return event.payload in (YES, NO) and not thread.offered
