"""Where everybody reads: personal data out of sight, heat into private, and no hours in public."""

from sportello.domain import voice
from sportello.domain.decision import Hide, Text
from sportello.domain.events import Inbound
from sportello.domain.personal_data import found, of_others
from sportello.domain.phrases import Meaning
from sportello.domain.reasons import Reason
from sportello.domain.turn import Turn


def speak(turn: Turn, event: Inbound, meaning: Meaning) -> None:
    """What the desk does by itself with a public message; in private it may speak as anywhere."""
    exposed = _shows_personal_data(turn, event)
    if exposed and "hide" in event.acts:
        turn.hide(Hide(message=event.id, why=Reason.PERSONAL_DATA_HIDDEN))
    if turn.thread.person_present(turn.now):
        turn.because(Reason.PERSON_PRESENT)
    elif exposed or _is_heated(meaning):
        _move_to_private(turn, event, exposed)
    else:
        turn.because(Reason.PUBLIC_SILENT)


def _shows_personal_data(turn: Turn, event: Inbound) -> bool:
    """Somebody's, not the company's own number or address that a customer repeats."""
    pattern = turn.desk.hook.order_pattern
    hits = found(event.text, (pattern,) if pattern else ())
    return bool(hits and of_others(event.text, hits, turn.desk.contacts))


def _is_heated(meaning: Meaning) -> bool:
    return meaning.angry or meaning.critical or meaning.asks_person


def _move_to_private(turn: Turn, event: Inbound, exposed: bool) -> None:
    """One short answer in public for each debt; what follows is said in private, where one can, once."""
    opens = Reason.PUBLIC_ACKNOWLEDGED not in turn.thread.escalated
    if exposed and "hide" not in event.acts and turn.note(Reason.PERSONAL_DATA_DELETE):
        turn.note(Reason.PUBLIC_ACKNOWLEDGED)
        _acknowledge(turn, event, "public_delete", Reason.PERSONAL_DATA_DELETE)
    elif turn.note(Reason.PUBLIC_ACKNOWLEDGED):
        _acknowledge(turn, event, "public_ack", Reason.PUBLIC_ACKNOWLEDGED)
    else:
        turn.because(Reason.PUBLIC_SILENT)
    if opens and "private" in event.acts:
        voice.say_privately(turn, event, "private", "private_open", Reason.MOVED_TO_PRIVATE)


def _acknowledge(turn: Turn, event: Inbound, text: Text, why: Reason) -> None:
    if "invite" in event.acts:  # the public answer itself leads into private
        voice.say_privately(turn, event, "ack", text, why)
    else:
        voice.say(turn, event, "ack", text, why)
