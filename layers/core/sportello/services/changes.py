"""What a customer changes afterwards: edits, deletes, a new id or number."""

from collections.abc import Mapping

from sportello.aws import store
from sportello.domain import keys
from sportello.domain.events import Delete, Edit, Moved
from sportello.services import rows
from sportello.services.context import Busy, Context, tries
from sportello.services.threads import Located, locate, relocated

EDIT_BYTES = 32_768
ONE_TRANSACTION = 40
"""Deletes written together: each is two of the hundred writes that DynamoDB takes."""


def take_edit(context: Context, event: Edit) -> str:
    """Kept beside the message, whichever of the two comes first."""
    located = _locate(context, event)
    hashed = keys.message_hash(located.thread.id, event.original)
    change = store.Change(
        key=keys.change_key(hashed, event.time, "edit"),
        time=event.time,
        kind="edit",
        text=rows.clip(event.text, EDIT_BYTES),
    )
    return _take(context, located, (change,))


def take_delete(context: Context, event: Delete) -> str:
    """The words go at once; a message that has not arrived yet is remembered for a day."""
    located = _locate(context, event)
    originals = dict.fromkeys(event.originals)  # a transaction takes each row once
    hashes = [keys.message_hash(located.thread.id, original) for original in originals]
    found = store.find_originals(located.thread.id, hashes) if located.thread.rev else {}
    outcome = "duplicate"
    for start in range(0, len(hashes), ONE_TRANSACTION):
        some = hashes[start : start + ONE_TRANSACTION]
        outcome = _delete(context, located if not start else located.again(), event, some, found)
    return outcome


def _delete(
    context: Context, located: Located, event: Delete, hashes: list[str], found: Mapping[str, str]
) -> str:
    changes = tuple(
        store.Change(
            key=keys.change_key(hashed, event.time or 0, "delete"),
            time=event.time or context.now(),
            kind="delete",
        )
        for hashed in hashes
    )
    missing = tuple(hashed for hashed in hashes if hashed not in found)
    emptied = tuple(found[hashed] for hashed in hashes if hashed in found)
    return _take(context, located, changes, emptied, missing)


def _take(
    context: Context,
    located: Located,
    changes: tuple[store.Change, ...],
    emptied: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
) -> str:
    for _ in tries(context.deadline):
        before, now = located.thread, context.now()
        after = before.model_copy(
            update={"gone": rows.remember_gone(before, missing, now), "rev": max(before.rev, 1)}
        )
        commit = store.Commit(
            before=before,
            after=after,
            expires=rows.expires(context.desk, now),
            changes=changes,
            emptied=emptied,
        )
        match store.commit(commit):
            case store.Committed():
                return changes[0].kind
            case store.Duplicate():
                return "duplicate"
            case _:
                located = located.again()
    raise Busy


def take_moved(context: Context, event: Moved) -> str:
    """The new id points to the thread that the old one had, and answers go to the new address."""
    located = _locate_moved(context, event)
    for _ in tries(context.deadline):
        before, now = located.thread, context.now()
        key = keys.message_key(event.time, None, keys.message_hash(before.id, event.id))
        after = before.model_copy(
            update={"to": event.customer.address, "aliases": located.aliases, "rev": before.rev + 1}
        )
        commit = store.Commit(
            before=before,
            after=after,
            expires=rows.expires(context.desk, now),
            message=rows.moved(event, key, now),
            pointers=located.pointers,
        )
        match store.commit(commit):
            case store.Committed():
                return "moved"
            case store.Duplicate():
                return "duplicate"
            case store.PointerTaken() as taken:
                located = relocated(located, taken)
            case _:
                located = located.again()
    raise Busy


def _locate_moved(context: Context, event: Moved) -> Located:
    """The old id's thread where there is one, and the new ids that shall point to it."""
    previous = event.customer.model_copy(
        update={
            "id": event.previous[0],
            "aliases": (*event.previous[1:], event.customer.id, *event.customer.aliases),
        }
    )
    located = locate(context.salt, context.channel.name, context.connection.name, event.account, previous)
    return located if located.thread.rev else _locate(context, event)


def _locate(context: Context, event: Edit | Delete | Moved) -> Located:
    return locate(context.salt, context.channel.name, context.connection.name, event.account, event.customer)
