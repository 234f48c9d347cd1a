"""The envelope of a Messenger or Instagram webhook: whose entry it is, and what is in it.

``entry[]`` holds ``messaging[]`` (ours to answer), ``standby[]`` (another app holds the conversation)
or ``changes[]`` (comments, read by each channel). Source: Messenger Platform "Webhooks"; Instagram
Platform "Webhook examples" (August 2026), whose samples differ: entries that name the customer, changes
laid flat on the entry, an array around it all, and what the dashboard's test button sends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sportello.channels.base import Connection, Unparseable
from sportello.channels.graph import Malformed, array, guarded, instant, word
from sportello.channels.meta_messages import message_events
from sportello.channels.meta_parties import Where
from sportello.domain.events import Ignored, PlatformEvent
from sportello.domain.model import Instant

Json = Mapping[str, Any]

TEST_ENTRY = "0"
"""Entry id of what the App Dashboard's test button sends."""
OTHER_OBJECTS = frozenset({"permissions", "user", "application"})
"""What the same app may subscribe to besides, none of it from a customer."""

OnChange = Callable[[Json, Where], Sequence[PlatformEvent]]


def events(
    bodies: Sequence[Json], name: str, connection: Connection, on_change: OnChange
) -> list[PlatformEvent]:
    """All events of a body, in its order; at least one. ``name`` is its ``object``."""
    found: list[PlatformEvent] = []
    for body in bodies:
        found += _body(body, name, connection, on_change)
    return found or [Ignored(account=_first(connection), why="no entries")]


def _first(connection: Connection) -> str:
    return connection.accounts[0].id if connection.accounts else ""


def _body(body: Json, name: str, connection: Connection, on_change: OnChange) -> list[PlatformEvent]:
    kind, entries = body.get("object"), body.get("entry")
    if kind is None and "field" in body and "value" in body:  # the test button's bare form
        entries = [{"id": TEST_ENTRY, "changes": [body]}]
    elif isinstance(kind, str) and kind in OTHER_OBJECTS:
        return [Ignored(account=_first(connection), why=f"object {kind}")]
    elif kind != name or not isinstance(entries, list):
        raise Unparseable(f"the body is no {name} webhook")
    found: list[PlatformEvent] = []
    for entry in entries:
        found += guarded(
            _first(connection), entry, "entry", lambda given: _entry(given, connection, on_change)
        )
    return found or [Ignored(account=_first(connection), why="no entries")]


def _entry(entry: Json, connection: Connection, on_change: OnChange) -> list[PlatformEvent]:
    found: list[PlatformEvent] = []
    for key in ("messaging", "standby"):
        for part in array(entry, key):
            where = _where(entry, part, connection, standby=key == "standby")
            found += guarded(where.account, part, key, _bound(message_events, where))
    for change in [entry] if "field" in entry else array(entry, "changes"):
        value = change.get("value") if isinstance(change, dict) else None
        where = _where(entry, value, connection)
        found += guarded(where.account, change, "change", _bound(_reader_of(value, on_change), where))
    return found or [Ignored(account=_where(entry, None, connection).account, why="no messages")]


def _bound(reader: OnChange, where: Where) -> Callable[[Json], Sequence[PlatformEvent]]:
    return lambda part: reader(part, where)


def _reader_of(value: Any, on_change: OnChange) -> OnChange:
    """A comment's, or that of a private message in the form of a change."""
    if isinstance(value, dict) and "recipient" in value and "timestamp" in value:
        return lambda change, where: message_events(change["value"], where)
    return on_change


def _where(entry: Json, part: Any, connection: Connection, standby: bool = False) -> Where:
    """Whose entry it is: its id, or where that is another one, a party of the message."""
    names = {account.id: account.id for account in connection.accounts}
    for other in ("page_id", "app_scoped_id"):  # further ids of an Instagram account
        if connection.settings.get(other):
            names.setdefault(connection.settings[other], _first(connection))
    id, parties = word(entry, "id"), _parties(part)
    test = id == TEST_ENTRY
    if test:
        own = frozenset(filter(None, parties[1:]))
        return Where(_first(connection), own, _sent(entry), connection.settings, test)
    named = next((candidate for candidate in (id, parties[1], parties[0]) if candidate in names), id)
    own = frozenset({*names, named})
    return Where(names.get(named, named), own, _sent(entry), connection.settings, False, standby)


def _parties(part: Any) -> tuple[str, str]:
    if not isinstance(part, dict):
        return "", ""
    return _party(part, "sender"), _party(part, "recipient")


def _party(part: Json, key: str) -> str:
    given = part.get(key)
    id = given.get("id") if isinstance(given, dict) else None
    return str(id) if isinstance(id, str | int) and not isinstance(id, bool) else ""


def _sent(entry: Json) -> Instant | None:
    try:
        return instant(entry, "time")
    except Malformed:
        return None
