"""What would have changed a decision: the same event decided again with one fact changed.

Nothing is guessed from the rules: ``decide`` itself is asked, with the desk open instead of closed, with
nobody in the conversation, without some of the words. The first few facts that change what is said, who
is called or what is owed are told.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from infra.simulate.difference import difference
from infra.simulate.entry import Entry
from sportello.domain.decide import decide
from sportello.domain.decision import Call, Consult, Decision, Hide, Say
from sportello.domain.desk import Desk
from sportello.domain.events import Consulted, Event, Inbound, Kind, Resolve, Tick
from sportello.domain.model import DAY, MINUTE, Instant, to_datetime
from sportello.domain.reasons import Reason
from sportello.domain.staff import ClosedOrSpecial
from sportello.domain.thread import Thread
from sportello.domain.turn import NO_DEBT

TOLD_MOST = 3
LONGEST = 60
"""Words of a message that are tried out; of a longer one none."""
ORDINARY = "Vorrei chiedere una cosa che riguarda il mio acquisto"
TOGETHER = 3
"""Most words in a row that are left out at once."""


class Case(NamedTuple):
    """The event under other circumstances."""

    what: str
    """``had the desk been open``"""
    thread: Thread
    event: Event
    desk: Desk


def otherwise(entry: Entry, desk: Desk) -> list[str]:
    """Up to three sentences: ``Had the desk been open: nothing would be said.``"""
    if entry.line == 0 and isinstance(entry.event, Tick) and Reason.NOT_YET in entry.decision.reasons:
        return []
    actual = outcome(entry.decision)
    told: list[str] = []
    for case in cases(entry, desk):
        other = decide(case.thread, case.event, case.desk, entry.at)
        if outcome(other) == actual:
            continue
        told.append(f"{case.what[0].upper()}{case.what[1:]}: {difference(entry.decision, other)}.")
        if len(told) == TOLD_MOST:
            break
    return told


def outcome(decision: Decision) -> tuple[Any, ...]:
    """What people notice of a decision; deadlines and notes for ourselves are left out."""
    effects = {_noticed(effect) for effect in decision.effects if not isinstance(effect, Consult)}
    asked = any(isinstance(effect, Consult) and "faq" in effect.asks for effect in decision.effects)
    return (frozenset(effects), asked, decision.thread.owes, decision.refused, decision.thread.aside)


def _noticed(effect: object) -> tuple[Any, ...]:
    match effect:
        case Say():
            return ("say", effect.act, effect.text)
        case Call():
            return ("call", effect.whys, effect.team)
        case Hide():
            return ("hide",)
    return ()


# --- what is changed --------------------------------------------------------------------------


def cases(entry: Entry, desk: Desk) -> Iterator[Case]:
    """The likeliest first."""
    thread, event = entry.before, entry.event
    if isinstance(event, Inbound):
        yield from _of_words(thread, event, desk)
    yield from _of_hours(entry, desk)
    yield from _of_people(entry, desk)
    yield from _of_memory(thread, event, desk, entry.at)
    if isinstance(event, Inbound):
        yield from _of_kind(thread, event, desk)
    if isinstance(event, Consulted):
        yield from _of_answer(thread, event, desk)
    if isinstance(event, Resolve) and not event.code:
        yield Case("with a reason (resolve: spam)", thread, event.model_copy(update={"code": "other"}), desk)


def _of_words(thread: Thread, event: Inbound, desk: Desk) -> Iterator[Case]:
    """Without the words that counted: the fewest whose absence changes what is decided."""
    words = event.text.split()
    if not 1 < len(words) <= LONGEST or event.kind is not Kind.TEXT:
        return
    groups = _counting(thread, event, desk, words)
    for group in groups:
        if len(group) < len(words):
            left = " ".join(word for place, word in enumerate(words) if place not in group)
            what = f"without “{' '.join(words[group.start : group.stop])}”"
            yield Case(what, thread, event.model_copy(update={"text": left}), desk)
    for sign in ("?", "!"):
        if sign in event.text and not groups:
            other = event.model_copy(update={"text": event.text.replace(sign, "")})
            yield Case(f"without “{sign}”", thread, other, desk)


def _counting(thread: Thread, event: Inbound, desk: Desk, words: list[str]) -> list[range]:
    """Places of the words that count; those beside each other together."""
    now = event.time or 0
    actual = outcome(decide(thread, event, desk, now))
    found: set[int] = set()
    for length in range(1, min(TOGETHER, len(words) - 1) + 1):
        for start in range(len(words) - length + 1):
            span = range(start, start + length)
            if found.isdisjoint(span):
                rest = " ".join([*words[:start], *words[start + length :]])
                other = event.model_copy(update={"text": rest})
                found |= set(span) if outcome(decide(thread, other, desk, now)) != actual else set()
    groups: list[range] = []
    for place in sorted(found):
        if groups and groups[-1].stop == place:
            groups[-1] = range(groups[-1].start, place + 1)
        else:
            groups.append(range(place, place + 1))
    return groups


def _of_hours(entry: Entry, desk: Desk) -> Iterator[Case]:
    thread = entry.before
    if desk.calendar_of(thread.channel, thread.account, thread.team).is_open(entry.at):
        yield Case("had the desk been closed that day", thread, entry.event, closed_on(desk, entry.at))
    else:
        yield Case("had the desk been open", thread, entry.event, always_open(desk))


def always_open(desk: Desk) -> Desk:
    return _without_own_hours(desk).model_copy(update={"hours": "24/7", "exceptions": ()})


def closed_on(desk: Desk, at: Instant) -> Desk:
    """The desk as it is, but for one closed day."""
    day: datetime = to_datetime(at).astimezone(ZoneInfo(desk.time_zone))
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    off = ClosedOrSpecial(dates=f"{day.year} {months[day.month - 1]} {day.day:02d}", hours="off")
    hours = "Mo-Su 09:00-18:00" if desk.hours == "24/7" else desk.hours
    exceptions = (*desk.exceptions, off)
    return _without_own_hours(desk).model_copy(update={"hours": hours, "exceptions": exceptions})


def _without_own_hours(desk: Desk) -> Desk:
    bare: dict[str, Any] = {"hours": "", "exceptions": ()}
    return desk.model_copy(
        update={
            "teams": {name: team.model_copy(update=bare) for name, team in desk.teams.items()},
            "channels": {name: served.model_copy(update=bare) for name, served in desk.channels.items()},
            "accounts": tuple(served.model_copy(update=bare) for served in desk.accounts),
        }
    )


def _of_people(entry: Entry, desk: Desk) -> Iterator[Case]:
    thread, event, now = entry.before, entry.event, entry.at
    if thread.person_present(now):
        alone = thread.model_copy(update={"person_until": None})
        yield Case("had no person been in the conversation", alone, event, desk)
    elif isinstance(event, Inbound | Tick | Consulted):
        present = thread.model_copy(update={"person_until": now + 30 * MINUTE})
        yield Case("had a person been in the conversation", present, event, desk)
    if thread.claimed_by:
        free = thread.model_copy(update={"claimed_by": ""})
        yield Case("had nobody taken the conversation", free, event, desk)
    elif isinstance(event, Tick) and thread.level:
        taken = thread.model_copy(update={"claimed_by": "somebody"})
        yield Case("had somebody taken the conversation", taken, event, desk)


def _of_memory(thread: Thread, event: Event, desk: Desk, now: Instant) -> Iterator[Case]:
    """What the desk remembers of the conversation."""
    writes = isinstance(event, Inbound)
    remembered: list[tuple[str, bool, dict[str, Any]]] = [
        (
            "had the customer not heard when the desk opens",
            thread.told_until is not None,
            {"told_until": None},
        ),
        ("had the customer not asked for a person before", thread.person_told, {"person_told": False}),
        ("had people not been called before", writes and bool(thread.escalated), _UNCALLED),
        ("had an answer of ours not come before", thread.answered, {"answered": False}),
        ("had an answer of ours come before", not thread.answered and not thread.owes, {"answered": True}),
        ("had no answer been offered", bool(thread.offered), {"offered": ""}),
        ("had nothing been owed", thread.owes and isinstance(event, Inbound | Resolve), NO_DEBT),
        ("had the customer no tier", bool(thread.tier), {"tier": ""}),
        ("on no special track", bool(thread.track), {"track": ""}),
        ("had the writer not been trusted", thread.trusted, {"trusted": False}),
        ("in private", thread.public, {"public": False}),
    ]
    for what, holds, changes in remembered:
        if holds:
            yield Case(what, thread.model_copy(update=changes), event, desk)
    if isinstance(event, Tick) and thread.owed_since is not None:
        younger = thread.model_copy(update={"owed_since": now - MINUTE})
        yield Case("had the customer written a minute before", younger, event, desk)


_UNCALLED: dict[str, Any] = {"escalated": (), "escalation": "", "level": 0, "paged": None}


def _of_kind(thread: Thread, event: Inbound, desk: Desk) -> Iterator[Case]:
    if event.automatic:
        yield Case("had a person written it", thread, event.model_copy(update={"automatic": ""}), desk)
    if not event.addressed:
        yield Case("had it been said to us", thread, event.model_copy(update={"addressed": True}), desk)
    # Not a frequent one: whether that is known would be another question.
    plain = desk.model_copy(update={"faq_words": frozenset()})
    if event.kind is not Kind.TEXT:
        asked = event.model_copy(update={"kind": Kind.TEXT, "text": event.text or ORDINARY})
        yield Case("had it been a question in words", thread, asked, plain)
    elif event.text:
        asked = event.model_copy(update={"text": ORDINARY})
        yield Case("had it been an ordinary question", thread, asked, plain)


def _of_answer(thread: Thread, event: Consulted, desk: Desk) -> Iterator[Case]:
    nothing = event.model_copy(update={"faq": "", "order": None, "unproved": False})
    if nothing != event:
        yield Case("had nothing been found", thread, nothing, desk)
    if thread.consulting is None and thread.owes:
        waiting = thread.model_copy(update={"consulting": event_until(thread)})
        yield Case("had it come in time", waiting, event, desk)


def event_until(thread: Thread) -> Instant:
    return (thread.owed_since or 0) + DAY


# --- the minutes of a deadline ----------------------------------------------------------------


def ledger(desk: Desk, thread: Thread, until: Instant) -> list[str]:
    """The service time since the debt began, span by span: ``Tue 24 Nov 09:00–09:30 30 min``."""
    if thread.owed_since is None:
        return []
    calendar = desk.calendar_of(thread.channel, thread.account, thread.team)
    zone, at, lines = ZoneInfo(desk.time_zone), thread.owed_since, list[str]()
    while at < until and len(lines) < 20:
        opens = at if calendar.is_open(at) else calendar.next_opening(at)
        if opens is None or opens >= until:
            break
        closes = min(calendar.next_closing(opens) or until, until)
        begin, end = to_datetime(opens).astimezone(zone), to_datetime(closes).astimezone(zone)
        lines.append(f"{begin:%a %d %b %H:%M}–{end:%H:%M} {round((closes - opens) / MINUTE)} min")
        at = closes
    return lines
