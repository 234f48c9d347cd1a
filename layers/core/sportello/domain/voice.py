"""What the desk says by itself: one automatic voice in each turn, and each thing once."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sportello.domain import timers
from sportello.domain.decision import Say, Text
from sportello.domain.desk import SignalName
from sportello.domain.events import Inbound
from sportello.domain.language import reply_language
from sportello.domain.model import HOUR, Instant
from sportello.domain.qualify import next_question
from sportello.domain.reasons import Reason
from sportello.domain.turn import Turn

NOTHING: Mapping[str, str] = MappingProxyType({})
SPOKEN_WITHIN = HOUR
"""An automatic reply is not said later than this after it was due, nor after closing."""
SIGNALS: tuple[tuple[SignalName, Reason, Text], ...] = (
    ("anger", Reason.ANGRY, "sorry"),
    ("criticism", Reason.CRITICAL, "sorry"),
    ("chaser", Reason.CHASES, "chased"),
)
"""What is said to whoever shows it, where the care lead wants that; the first counts."""
PROMISING: tuple[Text, ...] = ("on_it", "chased", "faq_no")
"""Texts that tell by when an answer comes."""


def say_person_comes(turn: Turn, event: Inbound | None) -> None:
    """The answer to whoever asks for a person; at closed hours it names them, and counts as told."""
    if turn.thread.person_told:
        turn.because(Reason.PERSON_ALREADY_ASKED)
        return
    turn.change(person_told=True)
    if not turn.is_open:
        say_closed(turn, event, "person_asked_closed", Reason.TOLD_PERSON_COMES)
        return
    turn.say(_said(turn, event, "person", "person_asked_open", Reason.TOLD_PERSON_COMES, last=_closing(turn)))


def say_closed(turn: Turn, event: Inbound | None, text: Text, why: Reason, cause: str = "") -> None:
    """Hours and next opening; the latest that was named is kept, so nobody hears it again before."""
    opening = turn.calendar.next_opening(turn.now)
    if opening is None:
        turn.because(Reason.NEVER_OPENS)
        return
    turn.say(
        Say(
            kind="hours" if text != "person_asked_closed" else "person",
            text=text,
            language=language(turn, event),
            act="private" if turn.thread.public else "reply",
            until=opening,
            not_after=opening,
            why=why,
            cause=cause or turn.cause,
        )
    )
    turn.change(told_until=max(opening, turn.thread.told_until or 0))


def say_hours_if_closed(turn: Turn, event: Inbound | None) -> bool:
    """True: the desk is closed, and whatever there is to say of that was said."""
    if turn.is_open:
        return False
    if _knows_opening(turn):
        turn.because(Reason.ALREADY_TOLD)
    else:
        say_closed(turn, event, "closed", Reason.TOLD_HOURS)
    return True


def say_on_it(turn: Turn, cause: str) -> None:
    """With the time by which an answer is due, which is then watched."""
    due = timers.first_due(turn.thread, turn.desk, turn.calendar)
    promise = due if due is not None and due > turn.now else None
    said = _said(turn, None, "on-it", "on_it", Reason.TOLD_ON_IT, cause=cause)
    turn.say(said.model_copy(update={"promise": promise}))
    turn.change(on_it=True, promised=promise)


def say_rest(turn: Turn, event: Inbound | None, topics: Sequence[str] = (), *, asks: bool = True) -> None:
    """What is said where nobody asked for a person and no answer is at hand: one thing, or nothing.

    Args:
        event: None: the desk speaks by itself.
        topics: of the message.
        asks: a question of ours may be asked.
    """
    declined = Reason.FAQ_NOT_ENOUGH in turn.reasons
    if not turn.is_open and not (declined and _knows_opening(turn)):
        say_hours_if_closed(turn, event)
    elif turn.is_open and (signal := _signal(turn)):
        _say_followed_up(turn, event, "heard", *signal)
    elif declined:
        _say_followed_up(turn, event, "handed-on", Reason.FAQ_NOT_ENOUGH, "faq_no")
    elif asks:
        _ask_field(turn, event, topics)


def _knows_opening(turn: Turn) -> bool:
    told = turn.thread.told_until
    return told is not None and turn.now < told


def _signal(turn: Turn) -> tuple[Reason, Text] | None:
    """What this message shows for the first time; "sorry" is said once in a debt."""
    for name, why, text in SIGNALS:
        if why in turn.reasons and turn.desk.signal(name).say and not _said_before(turn, text):
            return why, text
    return None


def _said_before(turn: Turn, text: Text) -> bool:
    return any(
        other in turn.thread.escalated and other not in turn.reasons and turn.desk.signal(name).say
        for name, other, said in SIGNALS
        if said == text
    )


def _say_followed_up(turn: Turn, event: Inbound | None, kind: str, why: Reason, text: Text) -> None:
    """A person follows; names the time that was promised, or is due, and stands for "we are on it"."""
    due = turn.thread.promised or timers.first_due(turn.thread, turn.desk, turn.calendar)
    promise = due if due is not None and due > turn.now and text in PROMISING else None
    turn.say(_said(turn, event, kind, text, why).model_copy(update={"promise": promise}))
    turn.change(on_it=turn.thread.on_it or turn.is_open, promised=promise or turn.thread.promised)


def _ask_field(turn: Turn, event: Inbound | None, topics: Sequence[str]) -> None:
    """A question that helps whoever answers: never before, with or instead of a call."""
    thread, desk = turn.thread, turn.desk
    if not desk.questions or turn.called or thread.level or thread.escalated or thread.interim:
        return
    field = next_question(
        desk, topics=topics, known=thread.known, asked=thread.asked, language=language(turn, event)
    )
    if field:
        turn.change(asked=(*thread.asked, field))
        say(turn, event, "ask", "ask", Reason.ASKED_FIELD, {"field": field})


def say(
    turn: Turn,
    event: Inbound | None,
    kind: str,
    text: Text,
    why: Reason,
    values: Mapping[str, str] = NOTHING,
) -> None:
    """Any other text; ``values`` are what it tells."""
    turn.say(_said(turn, event, kind, text, why, values=values))


def say_privately(turn: Turn, event: Inbound, kind: str, text: Text, why: Reason) -> None:
    """What leads into private, or its first words, which at closed hours tell the opening as well."""
    silent = turn.is_open or text != "private_open"
    opening = None if silent else turn.calendar.next_opening(turn.now)
    said = _said(turn, event, kind, text, why)
    turn.say(said.model_copy(update={"act": "private", "until": opening}))
    if opening is not None:
        turn.change(told_until=max(opening, turn.thread.told_until or 0))


def ask_whether_it_helped(
    turn: Turn,
    event: Inbound | None,
    text: Text,
    why: Reason,
    *,
    buttons: bool,
    values: Mapping[str, str],
    spoken: str = "",
) -> None:
    """``spoken``: the language of the answer, where it is not the conversation's."""
    said = _said(turn, event, "answer", text, why, values=values)
    turn.say(said.model_copy(update={"buttons": buttons, "language": spoken or said.language}))


def language(turn: Turn, event: Inbound | None) -> str:
    thread, desk = turn.thread, turn.desk
    if event is None:
        return thread.language or desk.default_language
    platform = "" if thread.language_set else event.customer.language
    return reply_language(platform, thread.language, event.text, desk.languages)


def _said(
    turn: Turn,
    event: Inbound | None,
    kind: str,
    text: Text,
    why: Reason,
    *,
    last: Instant | None = None,
    cause: str = "",
    values: Mapping[str, str] = NOTHING,
) -> Say:
    return Say(
        kind=kind,
        text=text,
        language=language(turn, event),
        values=values,
        not_after=last if last is not None else _within(turn),
        why=why,
        cause=cause or turn.cause,
    )


def _within(turn: Turn) -> Instant:
    closing = turn.calendar.next_closing(turn.now) if turn.is_open else None
    latest = turn.now + SPOKEN_WITHIN
    return latest if closing is None else min(latest, closing)


def _closing(turn: Turn) -> Instant:
    return turn.calendar.next_closing(turn.now) or turn.now + SPOKEN_WITHIN
