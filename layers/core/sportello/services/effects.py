"""From what was decided to the rows that will make it happen, and the kicks that hurry them."""

from typing import NamedTuple

from sportello.aws import queues
from sportello.aws.logging import logger
from sportello.domain import keys
from sportello.domain.decision import Call, Decision, Say
from sportello.domain.message import Escalation, Message, State, Why
from sportello.domain.model import MINUTE, Instant
from sportello.domain.thread import Thread

LEASE = MINUTE
"""Real time after which the sweeper takes a row in hand that its kick did not reach."""

SAY_KINDS = frozenset({"hours", "person", "on-it"})
CALL_KIND = "call"


class Caused(NamedTuple):
    """The rows of a decision's effects."""

    thread: Thread
    """The thread, knowing the call that it opened."""
    rows: tuple[Message, ...] = ()
    calls: tuple[Escalation, ...] = ()
    added: tuple[tuple[str, Why, Instant], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (
            *[row.key for row in self.rows],
            *[call.key for call in self.calls],
            *[key for key, _, _ in self.added],
        )


def caused(decision: Decision, cause: str, *, now: Instant, real_now: Instant) -> Caused:
    """The rows that a decision causes; ``cause`` is the key of the event's own row."""
    if not decision.effects:
        return Caused(decision.thread)
    rows: list[Message] = []
    calls: list[Escalation] = []
    added: list[tuple[str, Why, Instant]] = []
    thread = decision.thread
    for effect in decision.effects:
        origin = effect.cause or cause
        if isinstance(effect, Say):
            rows.append(_row(effect, origin, now, real_now))
            continue
        key, why = _reason(effect, origin, now)
        if effect.key:
            added.append((key, why, real_now + LEASE))
        else:
            calls.append(Escalation(key=key, team=effect.team, whys=(why,), due=real_now + LEASE))
            thread = thread.model_copy(update={"escalation": key})
    return Caused(thread, tuple(rows), tuple(calls), tuple(added))


def _row(say: Say, origin: str, now: Instant, real_now: Instant) -> Message:
    return Message(
        key=keys.effect_key(origin, say.kind),
        direction="out",
        author="automatic",
        time=now,
        arrived=now,
        say=say.text,
        language=say.language,
        until=say.until,
        not_after=say.not_after,
        state=State.PENDING,
        due=real_now + LEASE,
        why=(say.why,),
    )


def _reason(call: Call, origin: str, now: Instant) -> tuple[str, Why]:
    key = call.key or keys.effect_key(origin, CALL_KIND)
    return key, Why(why=call.why, cause=origin, at=now)


def kick(thread: str, effects: tuple[str, ...]) -> None:
    """Best effort, after the commit: a lost kick costs a minute, never the effect."""
    for key in effects:
        try:
            if key.endswith(f"~{CALL_KIND}"):
                queues.kick_escalation(thread, key)
            elif key.endswith(f"~{keys.MEDIA_KIND}"):
                queues.kick_media(thread, key.removesuffix(f"~{keys.MEDIA_KIND}"))
            else:
                queues.kick_outbox(thread, key)
        except queues.BadId:
            raise
        except Exception as error:
            logger.warning("kick failed", extra={"thread_id": thread, "error": type(error).__name__})
