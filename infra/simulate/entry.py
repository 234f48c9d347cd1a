"""What one event brought about, and how it is told."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from sportello.domain.decision import Call, Decision, Hide, Learn, Say
from sportello.domain.events import Event
from sportello.domain.model import Instant, to_datetime
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread

DecisionKind = Literal["reply", "escalate", "ask", "hide", "private", "route", "remind", "cancel", "none"]


class Told(NamedTuple):
    """One thing that the desk decided."""

    kind: DecisionKind
    reason: str
    """A code of ``domain.reasons``; where the channel or the sender refused, theirs."""
    more: Mapping[str, Any] = {}

    def as_json(self) -> dict[str, Any]:
        shown = {
            name: _shown(name, value) for name, value in self.more.items() if value not in ("", (), None)
        }
        return {"kind": self.kind, "reason": self.reason, **shown}


class Entry(NamedTuple):
    at: Instant
    thread: str
    """``channel/account/customer``, and ``/public`` where everybody reads it."""
    event: Event
    before: Thread
    decision: Decision
    told: tuple[Told, ...]
    line: int = 0
    """Of the scenario; 0: it came of itself."""

    def as_json(self) -> dict[str, Any]:
        return {
            "at": utc(self.at),
            "thread": self.thread,
            "event": type(self.event).__name__,
            "decisions": [told.as_json() for told in self.told],
        }


INSTANTS = frozenset({"until", "promise", "not_after", "due"})


def _shown(name: str, value: Any) -> Any:
    if name in INSTANTS:
        return utc(value)
    return list(value) if isinstance(value, tuple) else value


def utc(at: Instant) -> str:
    """``2026-11-23T19:15:00Z``; with milliseconds where there are any."""
    return (
        to_datetime(at).isoformat(timespec="milliseconds" if at % 1000 else "seconds").replace("+00:00", "Z")
    )


ROUTES = tuple(reason for reason in Reason if reason.startswith(("routed_", "handed_back_")))
SILENT = (
    Reason.OWES_NEEDS_CODE, Reason.CONSULTS, Reason.CAME_TOO_LATE, Reason.AUTOMATIC_MESSAGE,
    Reason.PERSON_PRESENT,
    Reason.ALREADY_TOLD, Reason.PERSON_ALREADY_ASKED, Reason.ALREADY_SHOWN_CARE, Reason.PUBLIC_SILENT,
    Reason.NEVER_OPENS, Reason.ALREADY_CAUSED, Reason.FAQ_UNKNOWN,
)  # fmt: skip
"""Why the desk keeps silent, the strongest first."""


class Sayings(NamedTuple):
    """What became of an automatic voice: its words, and why they do not go out."""

    text: str
    problem: str = ""


def told_of(
    before: Thread, decision: Decision, after: Thread, sayings: Mapping[int, Sayings], *, existing: bool
) -> tuple[Told, ...]:
    """The decisions of one event.

    Args:
        sayings: by the position of the effect.
        existing: some effect had been caused before.
    """
    told = [*_effects(decision, sayings), *_route(before, after, decision)]
    reasons = (*decision.reasons, Reason.ALREADY_CAUSED) if existing else decision.reasons
    timer = _timer(before, after, reasons)
    if before.consulting is not None and after.consulting is None and not told and before.owes:
        silent = next((r for r in (Reason.SETTLED, Reason.RESOLVED, Reason.CLAIMED) if r in reasons), None)
        told += [Told("cancel", silent, {"what": "consult"})] if silent else []
    if not told and (timer is None or any(reason in SILENT for reason in reasons)):
        told.append(Told("none", _silence(reasons), {"reasons": tuple(reasons), **_learnt(decision)}))
    return (*told, *([timer] if timer else []))


def _effects(decision: Decision, sayings: Mapping[int, Sayings]) -> Iterator[Told]:
    for number, effect in enumerate(decision.effects):
        if isinstance(effect, Say) and number in sayings:
            yield from _said(effect, sayings[number])
        elif isinstance(effect, Hide):
            yield Told("hide", effect.why, {"message": effect.message})
        elif isinstance(effect, Call):
            more = {"reasons": tuple(effect.whys), "team": effect.team, "level": effect.level}
            flags = {"urgent": True} if effect.urgent else {}
            yield Told("escalate", effect.whys[0], more | flags | ({"digest": True} if effect.digest else {}))


def _said(say: Say, saying: Sayings) -> Iterator[Told]:
    kind: DecisionKind = "private" if say.act == "private" else "ask" if say.text == "ask" else "reply"
    more = {
        "text": saying.text,
        "name": say.text,
        "language": say.language,
        "until": say.until,
        "promise": say.promise,
    }
    yield Told(kind, say.why, more)
    if saying.problem:
        yield Told("cancel", saying.problem, {"what": kind, "name": say.text})


def _route(before: Thread, after: Thread, decision: Decision) -> Iterator[Told]:
    why = next((reason for reason in decision.reasons if reason in ROUTES), None)
    if after.team != before.team and (why or before.team):
        yield Told("route", why or decision.reasons[0], {"team": after.team, "before": before.team})


def _timer(before: Thread, after: Thread, reasons: tuple[Reason, ...]) -> Told | None:
    if before.due == after.due:
        return None
    if after.due is None:
        return Told("cancel", reasons[0], {"what": "timer"})
    return Told("remind", reasons[0], {"due": after.due})


def _silence(reasons: tuple[Reason, ...]) -> Reason:
    return next((reason for reason in SILENT if reason in reasons), reasons[-1])


def _learnt(decision: Decision) -> Mapping[str, Any]:
    fields = {
        name: value
        for one in decision.effects
        if isinstance(one, Learn)
        for name, value in one.fields.items()
    }
    return {"fields": fields} if fields else {}


def is_timer(told: Told) -> bool:
    """Only a deadline, which nobody notices."""
    return told.kind == "remind" or (told.kind == "cancel" and told.more.get("what") == "timer")
