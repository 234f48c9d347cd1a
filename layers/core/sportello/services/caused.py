"""From what was decided to the rows that will make it happen: the same for the functions and the simulator.

Pure: nothing here talks to AWS.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from sportello.domain import keys
from sportello.domain.decision import Call, Consult, Decision, Hide, Learn, Say
from sportello.domain.message import Enquiry, Escalation, Message, State, Why
from sportello.domain.model import MINUTE, Instant
from sportello.domain.thread import Thread

LEASE = MINUTE
"""Real time after which the sweeper takes a row in hand that its kick did not reach."""

CALL_KIND = "call"
HIDE_KIND = "hide"
REF = "{ref}"
"""In a link to the care account: stands for what leads back to this thread."""


class Caused(NamedTuple):
    """The rows of a decision's effects."""

    thread: Thread
    """The thread, knowing the call that it opened."""
    rows: tuple[Message, ...] = ()
    calls: tuple[Escalation, ...] = ()
    added: tuple[tuple[str, tuple[Why, ...], Instant], ...] = ()
    enquiries: tuple[Enquiry, ...] = ()
    learnt: Mapping[str, str] = MappingProxyType({})
    refs: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (
            *[row.key for row in self.rows],
            *[call.key for call in self.calls],
            *[key for key, _, _ in self.added],
            *[enquiry.key for enquiry in self.enquiries],
        )


def caused(decision: Decision, cause: str, *, now: Instant, real_now: Instant, salt: str = "") -> Caused:
    """The rows that a decision causes.

    Args:
        cause: key of the event's own row.
        salt: what refs of links are derived with.
    """
    if not decision.effects:
        return Caused(decision.thread)
    found = Caused(decision.thread)
    for effect in decision.effects:
        match effect:
            case Say():
                found = _said(found, effect, effect.cause or cause, now, real_now, salt)
            case Hide():
                found = found._replace(rows=(*found.rows, _hidden(effect, cause, now, real_now)))
            case Call():
                found = _called(found, effect, effect.cause or cause, now, real_now)
            case Consult():
                found = found._replace(enquiries=(_enquiry(effect, cause, real_now),))
            case Learn():
                found = found._replace(learnt=effect.fields)
    return found


def _said(found: Caused, say: Say, origin: str, now: Instant, real_now: Instant, salt: str) -> Caused:
    values, refs = dict(say.values), found.refs
    if REF in values.get("link", ""):
        ref = keys.ref_of(salt, found.thread.id, origin)
        values["link"], refs = values["link"].replace(REF, ref), (*refs, ref)
    row = _row(keys.effect_key(origin, say.kind), say.why, now, real_now).model_copy(
        update={
            "say": say.text,
            "act": say.act,
            "language": say.language,
            "until": say.until,
            "promise": say.promise,
            "values": values,
            "yes_no": say.buttons,
            "not_after": say.not_after,
        }
    )
    return found._replace(rows=(*found.rows, row), refs=refs)


def _hidden(hide: Hide, origin: str, now: Instant, real_now: Instant) -> Message:
    row = _row(keys.effect_key(origin, HIDE_KIND), hide.why, now, real_now)
    return row.model_copy(update={"kind": "hide", "act": "hide", "quote": hide.message})


def _row(key: str, why: str, now: Instant, real_now: Instant) -> Message:
    return Message(
        key=key,
        direction="out",
        author="automatic",
        time=now,
        arrived=now,
        state=State.PENDING,
        due=real_now + LEASE,
        why=(why,),
    )


def _called(found: Caused, call: Call, origin: str, now: Instant, real_now: Instant) -> Caused:
    team = call.team if call.key else ""
    whys = tuple(
        Why(
            why=why, cause=origin, at=now, level=call.level, urgent=call.urgent, digest=call.digest, team=team
        )
        for why in call.whys
    )
    if call.key:
        return found._replace(added=(*found.added, (call.key, whys, real_now + LEASE)))
    key = keys.effect_key(origin, CALL_KIND)
    opened = Escalation(key=key, team=call.team, whys=whys, due=real_now + LEASE)
    return found._replace(
        calls=(*found.calls, opened), thread=found.thread.model_copy(update={"escalation": key})
    )


def _enquiry(consult: Consult, cause: str, real_now: Instant) -> Enquiry:
    return Enquiry(
        key=keys.effect_key(cause, keys.CONSULT_KIND),
        cause=cause,
        asks=consult.asks,
        until=consult.until,
        person=consult.person,
        due=real_now + LEASE,
    )
