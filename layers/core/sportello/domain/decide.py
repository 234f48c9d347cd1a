"""The one function that decides: what an event means for a thread, and what the desk does.

Pure: it reads the thread, the event, the desk and the time it is given, and nothing else. The
Lambdas, the simulator and the reports call the same function.
"""

from collections.abc import Callable
from typing import Any

from sportello.domain import timers
from sportello.domain.decision import Call, Decision, Effect, Say, Text
from sportello.domain.desk import Desk
from sportello.domain.events import (
    OWING,
    Claim,
    Echo,
    Edit,
    Event,
    Inbound,
    Kind,
    PersonReply,
    Resolve,
    SendResult,
    Tick,
)
from sportello.domain.keys import timer_key
from sportello.domain.language import language_of, reply_language
from sportello.domain.model import HOUR, Instant
from sportello.domain.phrases import Meaning
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread, advanced

FIRST_WORDS = 80
"""Characters of the oldest unanswered message that the inbox shows."""
ON_IT_LASTS = HOUR
""""We are on it" is not said later than this after it was due."""

_NO_DEBT: dict[str, Any] = {
    "owed_since": None,
    "first": "",
    "on_it": False,
    "person_told": False,
    "escalation": "",
    "escalated": (),
    "quiet": "",
    "due": None,
}


def decide(thread: Thread, event: Event, desk: Desk, now: Instant) -> Decision:
    """What becomes of the thread, what is said and who is called, each with its reason.

    ``thread`` is as read from the table, or newly opened with ``rev`` 0. The answer's thread has
    the next ``rev`` exactly where something that this function reads has changed.
    """
    decision = _RULES[type(event)](thread, event, desk, now)
    after = advanced(thread, decision.thread)
    return decision if after is decision.thread else decision._replace(thread=after)


# --- a customer writes ------------------------------------------------------------------------


def _inbound(thread: Thread, event: Inbound, desk: Desk, now: Instant) -> Decision:
    thread, noticed = _notice(thread, event, desk)
    meaning = Meaning(event.text, desk.patterns)
    if reason := _owes_nothing(event, meaning):
        return Decision(thread=thread, reasons=(*noticed, reason))
    begins = not thread.owes
    if begins:
        thread = _begin_debt(thread, event, desk, now)
    elif thread.quiet and not event.automatic:  # now somebody waits who can read an answer
        thread = _changed(thread, quiet="", due=timers.next_due(_changed(thread, quiet=""), desk, now))
    reasons = [*noticed, Reason.OWES if begins else Reason.STILL_OWES]
    effects: list[Effect] = []
    for step in (_call_people, _say_hours):
        thread, effect, reason = step(thread, event, meaning, desk, now)
        if effect is not None:
            effects.append(effect)
        if reason is not None and reason not in reasons:
            reasons.append(reason)
    if begins:
        thread = _changed(thread, due=timers.next_due(thread, desk, now))
    return Decision(thread=thread, effects=tuple(effects), reasons=tuple(reasons))


def _owes_nothing(event: Inbound, meaning: Meaning) -> Reason | None:
    if event.test:
        return Reason.TEST
    if event.kind is Kind.REACTION:
        return Reason.REACTION
    if event.kind is Kind.START:
        return Reason.STARTED
    if event.kind not in OWING:
        return Reason.SERVICE_NOTICE
    if not event.addressed:
        return Reason.NOT_ADDRESSED
    if meaning.thanks and event.kind is Kind.TEXT:
        return Reason.THANKS
    return None


def _notice(thread: Thread, event: Inbound, desk: Desk) -> tuple[Thread, tuple[Reason, ...]]:
    """What the message tells of its writer: language, whether we can reach them."""
    language = thread.language or _language(event, desk)
    blocked = event.kind is Kind.SERVICE and event.detail == "blocked"
    changes = {"language": language, "unreachable": blocked}
    reasons: tuple[Reason, ...] = ()
    if blocked and not thread.unreachable:
        reasons = (Reason.BLOCKED_US,)
    elif thread.unreachable and not blocked:
        reasons = (Reason.CAME_BACK,)
    return _changed(thread, **changes), reasons


def _language(event: Inbound, desk: Desk) -> str:
    if event.customer.language in desk.languages:
        return event.customer.language
    return language_of(event.text, desk.languages)


def _begin_debt(thread: Thread, event: Inbound, desk: Desk, now: Instant) -> Thread:
    new = {
        "owed_since": now if event.time is None else min(event.time, now),
        "first": first_words(event),
        "resolved": "",
        "quiet": event.automatic,
        "team": thread.team if thread.team in desk.teams else desk.default_team,
    }
    return _changed(thread, **(_NO_DEBT | new))


def first_words(event: Inbound) -> str:
    """What the inbox shows of a message: its first words, or its kind in brackets."""
    words = " ".join(event.text.split())[:FIRST_WORDS]
    return words or f"[{event.media[0].kind if event.media else event.detail or event.kind}]"


def _call_people(
    thread: Thread, event: Inbound, meaning: Meaning, desk: Desk, now: Instant
) -> tuple[Thread, Effect | None, Reason | None]:
    whys = _why_call(thread, event, meaning, now)
    if not whys:
        return thread, None, None
    return _call(thread, next((why for why in whys if why not in thread.escalated), whys[0]), desk)


def _why_call(thread: Thread, event: Inbound, meaning: Meaning, now: Instant) -> list[Reason]:
    """The strongest reason first. A machine's words call nobody; unanswered, it calls as anything does."""
    if event.automatic:
        return []
    whys = [Reason.URGENT] if meaning.urgent else []
    if thread.person_present(now):
        return whys
    if meaning.asks_person:
        whys.append(Reason.ASKS_PERSON)
    if event.kind is Kind.UNSUPPORTED:
        whys.append(Reason.UNREADABLE)
    return whys


def _call(thread: Thread, why: Reason, desk: Desk, cause: str = "") -> tuple[Thread, Call | None, Reason]:
    """One call per debt; a further reason is added to it, the same reason never twice."""
    if why in thread.escalated:
        return thread, None, Reason.ALREADY_CALLED
    call = Call(why=why, team=thread.team or desk.default_team, key=thread.escalation, cause=cause)
    return _changed(thread, escalated=(*thread.escalated, why)), call, why


def _say_hours(
    thread: Thread, event: Inbound, meaning: Meaning, desk: Desk, now: Instant
) -> tuple[Thread, Effect | None, Reason | None]:
    """The one automatic voice that a message may hear: a person comes, or when the desk opens."""
    if event.automatic:
        return thread, None, Reason.AUTOMATIC_MESSAGE
    if thread.person_present(now):
        return thread, None, Reason.PERSON_PRESENT
    closed = not desk.calendar.is_open(now)
    if meaning.asks_person:
        if thread.person_told:
            return thread, None, Reason.PERSON_ALREADY_ASKED
        return _say_person_comes(thread, event, desk, now, closed)
    if not closed:
        return thread, None, None
    if thread.told_until is not None and now < thread.told_until:
        return thread, None, Reason.ALREADY_TOLD
    return _say_closed(thread, event, "closed", Reason.TOLD_HOURS, desk, now)


def _say_person_comes(
    thread: Thread, event: Inbound, desk: Desk, now: Instant, closed: bool
) -> tuple[Thread, Effect | None, Reason | None]:
    thread = _changed(thread, person_told=True)
    if closed:
        return _say_closed(thread, event, "person_asked_closed", Reason.TOLD_PERSON_COMES, desk, now)
    say = Say(
        kind="person",
        text="person_asked_open",
        language=_say_in(thread, event, desk),
        not_after=desk.calendar.next_closing(now) or now + HOUR,
        why=Reason.TOLD_PERSON_COMES,
    )
    return thread, say, Reason.TOLD_PERSON_COMES


def _say_closed(
    thread: Thread, event: Inbound | None, text: Text, why: Reason, desk: Desk, now: Instant, cause: str = ""
) -> tuple[Thread, Effect | None, Reason | None]:
    """Hours and next opening; the latest that was named is kept, so nobody hears it again before."""
    opening = desk.calendar.next_opening(now)
    if opening is None:
        return thread, None, Reason.NEVER_OPENS
    say = Say(
        kind="hours" if text != "person_asked_closed" else "person",
        text=text,
        language=_say_in(thread, event, desk),
        until=opening,
        not_after=opening,
        why=why,
        cause=cause,
    )
    return _changed(thread, told_until=max(opening, thread.told_until or 0)), say, why


def _say_in(thread: Thread, event: Inbound | None, desk: Desk) -> str:
    if event is None:
        return thread.language or desk.default_language
    return reply_language(event.customer.language, thread.language, event.text, desk.languages)


# --- a deadline comes -------------------------------------------------------------------------


def _tick(thread: Thread, event: Tick, desk: Desk, now: Instant) -> Decision:
    if thread.owed_since is None:
        return Decision(thread=_changed(thread, due=None), reasons=(Reason.NOTHING_OWED,))
    if thread.person_present(now):
        thread = _changed(thread, due=timers.next_due(thread, desk, now))
        return Decision(thread=thread, reasons=(Reason.PERSON_PRESENT,))
    effects: list[Effect] = []
    reasons: list[Reason] = []
    for timer in (_no_answer, _closing, _on_it):
        thread, effect, reason = timer(thread, thread.owed_since or 0, desk, now)
        if effect is not None:
            effects.append(effect)
        if reason is not None:
            reasons.append(reason)
    thread = _changed(thread, due=timers.next_due(thread, desk, now))
    return Decision(thread=thread, effects=tuple(effects), reasons=tuple(reasons) or (Reason.NOT_YET,))


def _no_answer(
    thread: Thread, owed_since: Instant, desk: Desk, now: Instant
) -> tuple[Thread, Effect | None, Reason | None]:
    at = timers.call_at(thread, desk)
    if at is None or now < at:
        return thread, None, None
    return _call(thread, Reason.NO_ANSWER, desk, timer_key(owed_since, "no-answer"))


def _closing(
    thread: Thread, owed_since: Instant, desk: Desk, now: Instant
) -> tuple[Thread, Effect | None, Reason | None]:
    if desk.calendar.is_open(now) or thread.knows_hours or thread.quiet:
        return thread, None, None
    cause = timer_key(owed_since, f"closing-{desk.calendar.next_opening(now) or 0}")
    return _say_closed(thread, None, "closing", Reason.TOLD_AT_CLOSING, desk, now, cause)


def _on_it(
    thread: Thread, owed_since: Instant, desk: Desk, now: Instant
) -> tuple[Thread, Effect | None, Reason | None]:
    at = timers.on_it_at(thread, desk)
    if at is None or now < at or not desk.calendar.is_open(now):
        return thread, None, None
    say = Say(
        kind="on-it",
        text="on_it",
        language=_say_in(thread, None, desk),
        not_after=min(now + ON_IT_LASTS, desk.calendar.next_closing(now) or now + ON_IT_LASTS),
        why=Reason.TOLD_ON_IT,
        cause=timer_key(owed_since, "on-it"),
    )
    return _changed(thread, on_it=True), say, Reason.TOLD_ON_IT


# --- people act -------------------------------------------------------------------------------


def _person_reply(thread: Thread, event: PersonReply, desk: Desk, now: Instant) -> Decision:
    return _answered(thread, event.owing_from, event.owing_first, desk, now)


def _echo(thread: Thread, event: Echo, desk: Desk, now: Instant) -> Decision:
    """Written on the phone or in the platform's inbox: a person's counts as a reply."""
    if event.author == "automatic":
        return Decision(thread=thread, reasons=(Reason.AUTOMATIC_ECHO,))
    return _answered(thread, event.owing_from, event.owing_first, desk, now)


def _answered(
    thread: Thread, owing_from: Instant | None, owing_first: str, desk: Desk, now: Instant
) -> Decision:
    thread = _changed(thread, person_until=now + desk.policy.person_quiet)
    if not thread.owes:
        return Decision(thread=thread, reasons=(Reason.NOTHING_OWED,))
    if owing_from is None:
        return Decision(thread=_changed(thread, **_NO_DEBT), reasons=(Reason.SETTLED,))
    # What stays owed waits anew: if nobody comes again, people are called again.
    escalated = tuple(why for why in thread.escalated if why != Reason.NO_ANSWER)
    thread = _changed(thread, owed_since=min(owing_from, now), first=owing_first, escalated=escalated)
    thread = _changed(thread, due=timers.next_due(thread, desk, now))
    return Decision(thread=thread, reasons=(Reason.UNSEEN_STAYS_OWED,))


def _claim(thread: Thread, event: Claim, desk: Desk, now: Instant) -> Decision:
    thread = _changed(thread, claimed_by=event.by, person_until=now + desk.policy.person_quiet)
    return Decision(thread=thread, reasons=(Reason.CLAIMED,))


def _resolve(thread: Thread, event: Resolve, desk: Desk, now: Instant) -> Decision:
    if thread.owes and not event.code:
        return Decision(thread=thread, reasons=(Reason.OWES_NEEDS_CODE,), refused=True)
    done = {**_NO_DEBT, "resolved": event.code or "answered", "claimed_by": "", "person_until": None}
    return Decision(thread=_changed(thread, **done), reasons=(Reason.RESOLVED,))


def _send_result(thread: Thread, event: SendResult, desk: Desk, now: Instant) -> Decision:
    """A person's reply never arrived: what it had settled is owed again, and people are told."""
    if not thread.owes:  # no debt whose call this could be added to
        thread = _changed(thread, escalation="", escalated=())
    since = min((t for t in (thread.owed_since, event.owed_since) if t is not None), default=None)
    reasons = [Reason.SEND_FAILED]
    if since is not None and since != thread.owed_since:
        thread = _changed(thread, owed_since=since, first=event.first or thread.first, resolved="")
        reasons.append(Reason.DEBT_RETURNS)
    thread, call, why = _call(thread, Reason.SEND_FAILED, desk)
    thread = _changed(thread, person_until=None)  # whoever wrote it is not heard: the desk may speak
    thread = _changed(thread, due=timers.next_due(thread, desk, now))
    effects = () if call is None else (call,)
    return Decision(thread=thread, effects=effects, reasons=tuple(dict.fromkeys([*reasons, why])))


def _edit(thread: Thread, event: Edit, desk: Desk, now: Instant) -> Decision:
    return Decision(thread=thread, reasons=(Reason.EDITED,))


def _changed(thread: Thread, **fields: Any) -> Thread:
    """The thread with these fields; itself where they are so already, as after most messages."""
    if all(getattr(thread, name) == value for name, value in fields.items()):
        return thread
    return thread.model_copy(update=fields)


_RULES: dict[type[Any], Callable[[Thread, Any, Desk, Instant], Decision]] = {
    Inbound: _inbound,
    Echo: _echo,
    Edit: _edit,
    Tick: _tick,
    PersonReply: _person_reply,
    Claim: _claim,
    Resolve: _resolve,
    SendResult: _send_result,
}
