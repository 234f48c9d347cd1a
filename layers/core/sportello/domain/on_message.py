"""A customer writes: is anything owed, who takes it, who is called, and the one thing that is said."""

from sportello.domain import offers, public, timers, voice
from sportello.domain.asking import consult
from sportello.domain.decision import Decision
from sportello.domain.desk import Desk
from sportello.domain.events import OWING, Inbound, Kind
from sportello.domain.language import language_of
from sportello.domain.model import Instant
from sportello.domain.noise import links_in, noise_of
from sportello.domain.phrases import Meaning
from sportello.domain.qualify import learnt
from sportello.domain.reasons import Reason
from sportello.domain.routing import hands_back
from sportello.domain.thread import Thread
from sportello.domain.turn import Turn

FIRST_WORDS = 80
"""Characters of the oldest unanswered message that the inbox shows."""

TIMED = (
    "owed_since", "team", "tier", "track", "level", "paged", "promised", "consulting", "interim", "offered",
    "quiet",
)  # fmt: skip
"""Fields that may bring the next deadline forward."""


def inbound(thread: Thread, event: Inbound, desk: Desk, now: Instant) -> Decision:
    turn, meaning = Turn(thread, desk, now), Meaning(event.text, desk.patterns)
    _notice(turn, event)
    if not offers.accepted(turn, event, meaning):
        if reason := _owes_nothing(turn, event, meaning):
            turn.because(reason)
        elif reason := _leaves_queue(turn, event, meaning):
            turn.because(reason)
            turn.change(aside=reason)
        else:
            _owed(turn, event, meaning)
    consult(turn, event, meaning, begins=turn.thread.owes and not thread.owes, only_facts=True)
    turn.make_call()
    _set_due(turn, thread)
    return turn.decision()


def _owed(turn: Turn, event: Inbound, meaning: Meaning) -> None:
    begins = not turn.thread.owes
    waited = not begins or turn.thread.answered  # whoever has written nothing before asks nothing again
    if begins:
        _begin_debt(turn, event, meaning)
    elif turn.thread.greeted and not (meaning.greeting or turn.thread.level or turn.thread.claimed_by):
        _route(turn, meaning)  # only now is it known what is wanted
    turn.because(Reason.OWES if begins else Reason.STILL_OWES)
    if not begins and turn.thread.quiet and not event.automatic:
        turn.change(quiet="")  # now somebody waits who can read an answer
    _hand_back(turn)
    if turn.desk.questions:
        _learn(turn, event)
    if not event.automatic:  # a machine's words call nobody; unanswered, they call as anything does
        _call_people(turn, event, meaning, waited)
    _speak(turn, event, meaning, begins)
    if turn.thread.greeted and not meaning.greeting:
        turn.change(greeted=False)


# --- what it is -------------------------------------------------------------------------------


def _notice(turn: Turn, event: Inbound) -> None:
    """What the message tells of its writer: language, whether we can reach them."""
    thread = turn.thread
    blocked = event.kind is Kind.SERVICE and event.detail == "blocked"
    if thread.rev == 0:
        turn.change(public=event.public)
    turn.change(language=thread.language or _language(event, turn.desk), unreachable=blocked)
    if blocked and not thread.unreachable:
        turn.because(Reason.BLOCKED_US)
    elif thread.unreachable and not blocked:
        turn.because(Reason.CAME_BACK)


def _language(event: Inbound, desk: Desk) -> str:
    if event.customer.language in desk.languages:
        return event.customer.language
    return language_of(event.text, desk.languages)


def _owes_nothing(turn: Turn, event: Inbound, meaning: Meaning) -> Reason | None:
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
    if _is_courtesy(turn.thread, event, meaning):
        return Reason.THANKS
    return None


def _is_courtesy(thread: Thread, event: Inbound, meaning: Meaning) -> bool:
    """Thanks owe nothing; a lone thumb, sticker or "ok" does so only after an answer of ours.

    After an automatic answer they are no yes: what was owed stays so.
    """
    after_answer = thread.answered and (not thread.owes or thread.offered != "")
    if event.kind is Kind.MEDIA:
        stickers = {media.kind for media in event.media} == {"sticker"}
        return stickers and not event.text and after_answer
    if event.kind is Kind.BUTTON:
        return offers.is_stale(thread, event)
    if event.kind is not Kind.TEXT:
        return False
    return meaning.owes_nothing(after_answer)


_MACHINES = {
    "auto_submitted": Reason.AUTO_SUBMITTED,
    "auto_reply": Reason.AUTO_SUBMITTED,
    "bounce": Reason.AUTO_SUBMITTED,
    "loop": Reason.AUTO_SUBMITTED,
    "list": Reason.NEWSLETTER,
}
"""What a channel says of automatic messages that ask for nothing; others wait for a person."""


def _leaves_queue(turn: Turn, event: Inbound, meaning: Meaning) -> Reason | None:
    """Noise owes nothing, reversibly. The default is that somebody wants help."""
    thread = turn.thread
    if thread.trusted or thread.owes:
        return None
    if event.automatic in _MACHINES:
        return _MACHINES[event.automatic]
    if event.kind is not Kind.TEXT or not meaning.noise_signs:
        return None
    found = noise_of(event.text, meaning, answered_before=thread.answered, links=links_in(event.text))
    return Reason(found) if found else None


# --- a debt -----------------------------------------------------------------------------------


def _begin_debt(turn: Turn, event: Inbound, meaning: Meaning) -> None:
    now, resolved = turn.now, bool(turn.thread.resolved)
    turn.owe(
        now if event.time is None else min(event.time, now),
        first_words(event),
        aside="",
        answered=False,
        quiet=event.automatic,
        greeted=meaning.greeting,
        asked=() if resolved else turn.thread.asked,
    )
    _route(turn, meaning, stays=not resolved)


def first_words(event: Inbound) -> str:
    """What the inbox shows of a message: its first words, or its kind in brackets."""
    words = " ".join(event.text.split())[:FIRST_WORDS]
    return words or f"[{event.media[0].kind if event.media else event.detail or event.kind}]"


def _route(turn: Turn, meaning: Meaning, *, stays: bool = True) -> None:
    """Who takes it; a matter that was resolved does not keep a new one with its team."""
    desk = turn.desk
    track = next((desk.tracks[topic] for topic in meaning.topics if topic in desk.tracks), desk.track)
    turn.change(track=track)
    turn.route(meaning.topics, stays=stays)


def _hand_back(turn: Turn) -> None:
    """Whoever is off shift or on leave gives the conversation back to the team."""
    thread = turn.thread
    if not thread.claimed_by or thread.person_present(turn.now):
        return
    if reason := hands_back(turn.desk, thread.claimed_by, thread.team, turn.now):
        turn.change(claimed_by="", paged=turn.now if thread.level else None)
        turn.because(reason)


def _learn(turn: Turn, event: Inbound) -> None:
    found = learnt(turn.desk, event.text, turn.thread.known)
    if found:
        turn.learn(found)
        turn.change(known=(*turn.thread.known, *found))


# --- people -----------------------------------------------------------------------------------


def _call_people(turn: Turn, event: Inbound, meaning: Meaning, waited: bool) -> None:
    if meaning.urgent:
        turn.call(Reason.URGENT)
    if turn.thread.person_present(turn.now):
        return
    if meaning.asks_person:
        turn.call(Reason.ASKS_PERSON)
    if event.kind is Kind.UNSUPPORTED:
        turn.call(Reason.UNREADABLE)
    for name, why, shown in (
        ("chaser", Reason.CHASES, meaning.chases and waited),
        ("criticism", Reason.CRITICAL, meaning.critical),
        ("anger", Reason.ANGRY, meaning.angry),
    ):
        if shown:
            _follow_signal(turn, name, why)


def _follow_signal(turn: Turn, name: str, why: Reason) -> None:
    """What the file says of it: people, track; what is said is ``_speak``'s."""
    signal = turn.desk.signal(name)  # type: ignore[arg-type]
    if signal.track:
        turn.change(track=signal.track)
    if signal.call:
        turn.call(why)
    elif turn.note(why):
        turn.because(why)


# --- the one automatic voice ------------------------------------------------------------------


def _speak(turn: Turn, event: Inbound, meaning: Meaning, begins: bool) -> None:
    thread = turn.thread
    if event.automatic:
        turn.because(Reason.AUTOMATIC_MESSAGE)
    elif thread.public:
        public.speak(turn, event, meaning)
    elif thread.person_present(turn.now):
        turn.change(offered="")
        turn.because(Reason.PERSON_PRESENT)
    elif way := turn.desk.way_to_care(thread.channel, thread.account):
        _show_care(turn, event, way)
    elif offers.led_on(turn, event, begins=begins):
        pass
    elif meaning.asks_person:
        turn.change(consulting=None, offered="")  # the person is the answer: another comes too late
        voice.say_person_comes(turn, event)
    elif consult(turn, event, meaning, begins=begins):
        turn.change(consulting=turn.now + turn.desk.policy.consult_within)
    elif _waits(turn):
        turn.because(Reason.CONSULTS)  # the one voice still waits for what was asked before
    else:
        turn.change(consulting=None)
        offers.decline(turn)
        voice.say_rest(turn, event, meaning.topics, asks=not meaning.greeting)


def _waits(turn: Turn) -> bool:
    """For an answer that is not late yet; whoever calls for people is not kept waiting."""
    consulting = turn.thread.consulting
    return consulting is not None and turn.now < consulting and not turn.called


def _show_care(turn: Turn, event: Inbound, way: str) -> None:
    """The way to the care account, once in a debt."""
    if not turn.note(Reason.TO_CARE):
        turn.because(Reason.ALREADY_SHOWN_CARE)
        return
    voice.say(turn, event, "to-care", "to_care", Reason.TO_CARE, {"link": way})


def _set_due(turn: Turn, before: Thread) -> None:
    """The next look, if it comes sooner: an early one finds nothing to do, and moving it costs."""
    after = turn.thread
    if after is not before and any(getattr(before, name) != getattr(after, name) for name in TIMED):
        due = timers.next_due(after, turn.desk, turn.now, turn.calendar)
        if after.due is None or due is None or due < after.due:
            turn.change(due=due)
