"""A customer's message, and what was written in our name outside Sportello."""

from sportello.aws import history, store
from sportello.aws.clock import real_now
from sportello.channels.base import Channel
from sportello.domain import keys
from sportello.domain.decide import decide
from sportello.domain.events import Echo, Inbound
from sportello.domain.model import DAY, MINUTE, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services import effects, rows
from sportello.services.context import Context, tries
from sportello.services.threads import Located, commit_at, locate, relocated

OLD = MINUTE
"""A message older than this may be a late redelivery: it must not move the window back."""
SOONEST = 1_262_304_000_000
"""2010-01-01T00:00Z. A platform time before it, or over a day ahead of ours, is absurd."""


def take_inbound(context: Context, event: Inbound) -> str:
    """Stored exactly once, with everything that it causes."""
    if event.public:
        event = event.model_copy(update={"acts": _acts(context.channel)})
    try:
        return _take(context, event)
    except store.TooLarge:
        return _take(context, rows.reduced(event))


def _acts(channel: Channel) -> tuple[str, ...]:
    """What the desk may do with a public message besides answering it there."""
    acts = {"invite" if act == "private" and channel.invites else str(act) for act in channel.acts}
    return tuple(sorted(acts - {"reply"}))


def _take(context: Context, event: Inbound) -> str:
    located = locate(
        context.salt, context.channel.name, context.connection.name, event.account, event.customer
    )
    existing: frozenset[str] = frozenset()
    for _ in tries(context.deadline):
        commit = _commit(context, located, event, existing)
        match store.commit(commit):
            case store.Committed():
                effects.kick(commit.after.id, commit.effects)
                _ask_name(context, commit)
                return "stored"
            case store.Duplicate(effects=caused):
                effects.kick(commit.after.id, caused)
                return "duplicate"
            case store.AlreadyCaused(effects=caused_before):
                existing |= caused_before
            case store.PointerTaken() as taken:
                located = relocated(located, taken)
            case _:
                located = located.again()
    raise AssertionError("tries ends by raising Busy")


def _ask_name(context: Context, commit: store.Commit) -> None:
    """Once per debt, where the platform tells names but not with the message. Nothing hangs on it."""
    begins = commit.after.owes and not commit.before.owes
    if context.channel.profiles and begins and not commit.after.name:
        effects.kick(commit.after.id, (keys.effect_key(keys.THREAD_ROW, keys.MEDIA_KIND),))


def _commit(context: Context, located: Located, event: Inbound, existing: frozenset[str]) -> store.Commit:
    before, now = located.thread, context.now()
    hashed = keys.message_hash(before.id, event.id)
    written, timed = written_at(event.time, now)
    key = keys.message_key(written, event.sequence if timed else None, hashed)
    if gone := rows.gone(before, hashed, now):
        event = rows.wordless(event)
    known = event if timed else event.model_copy(update={"time": None})
    decision = decide(before, known, context.desk, now)
    caused = effects.caused(decision, key, now=now, real_now=real_now(), salt=context.salt)
    reasons = (*decision.reasons, Reason.ALREADY_CAUSED) if existing else decision.reasons
    owes = Reason.OWES in reasons or Reason.STILL_OWES in reasons
    after = rows.heard(caused.thread, before, event, written, now, key if owes else "")
    if after.aliases != located.aliases:
        after = after.model_copy(update={"aliases": located.aliases})
    fetch = keys.effect_key(key, keys.MEDIA_KIND) if rows.to_fetch(event) else ""
    fetch_by = real_now() + effects.LEASE if fetch else None
    known_effects = (*caused.keys, fetch) if fetch else caused.keys
    commit = store.Commit(
        before=before,
        after=after,
        expires=rows.expires(context.desk, now),
        message=rows.inbound(event, key, written, now, owes, reasons, known_effects, gone, fetch_by),
        fetch=fetch,
        dedupe="" if timed else keys.dedupe_key(hashed),
        rows=caused.rows,
        calls=caused.calls,
        added=caused.added,
        enquiries=caused.enquiries,
        learnt=caused.learnt,
        refs=caused.refs,
        pointers=located.pointers,
        not_newer=written if written < now - OLD and after.window != before.window else None,
    )
    return commit.without(existing) if existing else commit


def written_at(time: Instant | None, now: Instant) -> tuple[Instant, bool]:
    """When a message was written, and whether the platform's clock can be believed.

    Where it cannot, arrival counts and a dedupe row takes the place of the derived key.
    """
    if time is None or not SOONEST <= time <= now + DAY:
        return now, False
    return time, True


def take_echo(context: Context, event: Echo) -> str:
    """A person's words on the phone settle what was written before them."""
    located = locate(
        context.salt, context.channel.name, context.connection.name, event.account, event.customer
    )
    new = commit_at(located, context.deadline, lambda found: _echo_commit(context, found, event))
    return "echo" if new else "duplicate"


def _echo_commit(context: Context, located: Located, event: Echo) -> store.Commit:
    before, now = located.thread, context.now()
    decision = decide(before, with_unseen(before, event), context.desk, now)
    hashed = keys.message_hash(before.id, event.id)
    key = keys.message_key(event.time, event.sequence, hashed)
    return store.Commit(
        before=before,
        after=decision.thread.model_copy(update={"aliases": located.aliases}),
        expires=rows.expires(context.desk, now),
        message=rows.echo(event, key, now, decision.reasons),
        pointers=located.pointers,
        saw_last_in=before.owes and decision.thread.owed_since != before.owed_since,
    )


def with_unseen(thread: Thread, event: Echo) -> Echo:
    """The echo with what its writer cannot have read: messages newer by the platform's clock."""
    if not thread.owes or thread.window is None or thread.window < event.time:
        return event
    after = keys.message_key(event.time, event.sequence, "~" if event.sequence is not None else "")
    unseen = [message for message in history.messages(thread.id, newest=200, after=after) if message.owes]
    if not unseen:
        return event
    first = rows.clip(unseen[0].text, rows.FIRST_BYTES) or f"[{unseen[0].kind}]"
    return event.model_copy(update={"owing_from": unseen[0].time, "owing_first": first})
