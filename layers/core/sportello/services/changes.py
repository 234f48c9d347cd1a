"""What a customer changes afterwards: edits, deletes, a new id or number."""

from collections.abc import Callable, Sequence
from functools import partial

from sportello.aws import history, store
from sportello.aws.clock import real_now
from sportello.domain import keys
from sportello.domain.events import Delete, Edit, Moved
from sportello.domain.thread import Thread, advanced
from sportello.services import rows
from sportello.services.context import Context
from sportello.services.effects import LEASE
from sportello.services.threads import Located, commit_at, locate

EDIT_BYTES = 32_768
WORDS = 6
ONE_TRANSACTION = 20
"""Deletes written together: each is two of the hundred writes that DynamoDB takes."""
EDITS_MOST = 55
"""Edits of these messages that fit beside them."""


def take_edit(context: Context, event: Edit) -> str:
    """Kept beside the message, whichever of the two comes first."""
    return _take(context, event, "edit", partial(_edit_commit, context, event))


def _edit_commit(context: Context, event: Edit, before: Thread) -> store.Commit:
    hashed = keys.message_hash(before.id, event.original)
    words = keys.message_hash(before.id, event.text)[:WORDS]  # two edits within one second differ in them
    change = store.Change(
        key=keys.change_key(hashed, event.time, f"edit-{words}"),
        time=event.time,
        kind="edit",
        text=rows.clip(event.text, EDIT_BYTES),
    )
    return store.Commit(
        before=before,
        after=before.model_copy(update={"rev": max(before.rev, 1)}),
        expires=rows.expires(context.desk, context.now()),
        changes=(change,),
    )


def take_delete(context: Context, event: Delete) -> str:
    """The words go at once; a message that has not arrived yet is remembered for a day."""
    originals = tuple(dict.fromkeys(event.originals))  # a transaction takes each row once
    outcome = "duplicate"
    for start in range(0, len(originals), ONE_TRANSACTION):
        some = originals[start : start + ONE_TRANSACTION]
        outcome = _take(context, event, "delete", partial(_delete_commit, context, event, some))
    return outcome


def _delete_commit(context: Context, event: Delete, originals: Sequence[str], before: Thread) -> store.Commit:
    """One of the missing that arrives meanwhile fails this commit, or its own: both look again."""
    now = context.now()
    hashes = [keys.message_hash(before.id, original) for original in originals]
    found = history.find_originals(before.id, hashes) if before.rev else {}
    missing = [hashed for hashed in hashes if hashed not in found]
    emptied = tuple(found[hashed].key for hashed in hashes if hashed in found)
    due = real_now() + LEASE
    purge = {original.key: due for original in found.values() if original.files}
    edits = history.edits_of(before.id, hashes) if before.rev else ()
    after = before.model_copy(
        update={
            "gone": rows.remember_gone(before, missing, now),
            "first": rows.first_without(before, emptied),
        }
    )
    after = advanced(before, after)
    if missing:
        after = after.model_copy(update={"rev": before.rev + 1})
    return store.Commit(
        before=before,
        after=after,
        expires=rows.expires(context.desk, now),
        changes=tuple(
            store.Change(
                key=keys.change_key(hashed, event.time or 0, "delete"),
                time=event.time or now,
                kind="delete",
            )
            for hashed in hashes
        ),
        emptied=(*emptied, *edits[:EDITS_MOST]),
        purge=purge,
        saw_last_in=bool(missing),
    )


def _take(context: Context, event: Edit | Delete, word: str, build: Callable[[Thread], store.Commit]) -> str:
    located = _locate(context, event)
    new = commit_at(located, context.deadline, lambda found: build(found.thread))
    return word if new else "duplicate"


def take_moved(context: Context, event: Moved) -> str:
    """The new id points to the thread that the old one had, and answers go to the new address."""
    located = _locate_moved(context, event)
    new = commit_at(located, context.deadline, partial(_moved_commit, context, event))
    return "moved" if new else "duplicate"


def _moved_commit(context: Context, event: Moved, located: Located) -> store.Commit:
    before, now = located.thread, context.now()
    key = keys.message_key(event.time, None, keys.message_hash(before.id, event.id))
    after = before.model_copy(
        update={"to": event.customer.address, "aliases": located.aliases, "rev": before.rev + 1}
    )
    return store.Commit(
        before=before,
        after=after,
        expires=rows.expires(context.desk, now),
        message=rows.moved(event, key, now),
        pointers=located.pointers,
    )


def _locate_moved(context: Context, event: Moved) -> Located:
    """The thread of the old ids; the other ids, old and new, shall point to it or lead to the one in use."""
    previous = event.customer.model_copy(
        update={
            "id": event.previous[0],
            "aliases": (*event.previous[1:], event.customer.id, *event.customer.aliases),
        }
    )
    return locate(context.salt, context.channel.name, context.connection.name, event.account, previous)


def _locate(context: Context, event: Edit | Delete) -> Located:
    return locate(context.salt, context.channel.name, context.connection.name, event.account, event.customer)
