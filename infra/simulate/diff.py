"""Two desks on one scenario: which decisions differ."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from infra.simulate.entry import Entry, Told, is_timer, utc
from sportello.domain.model import Instant


class Difference(NamedTuple):
    """One event that two desks take differently; None: for that desk it does not happen."""

    at: Instant
    thread: str
    event: str
    old: tuple[Told, ...] | None
    new: tuple[Told, ...] | None
    example: Entry

    @property
    def of_timers(self) -> bool:
        """Only deadlines lie elsewhere."""
        return _noticed(self.old) == _noticed(self.new)

    def as_json(self) -> dict[str, Any]:
        sides = {"old": self.old, "new": self.new}
        decisions = {
            name: None if told is None else [one.as_json() for one in told] for name, told in sides.items()
        }
        return {"at": utc(self.at), "thread": self.thread, "event": self.event, **decisions}


def differences(old: Iterable[Entry], new: Iterable[Entry]) -> list[Difference]:
    """In time order. Events are the same where thread, time and kind are."""
    sides = _by_event(old), _by_event(new)
    found = []
    for key in sides[0].keys() | sides[1].keys():
        entries = [side.get(key) for side in sides]
        told = [None if entry is None else entry.told for entry in entries]
        if _plain(told[0]) != _plain(told[1]):
            example = entries[1] or entries[0]
            assert example is not None  # noqa: S101 - one of them had the key
            found.append(Difference(key[0], key[1], key[2], told[0], told[1], example))
    return sorted(found, key=lambda one: (one.at, one.thread, one.event))


def _by_event(entries: Iterable[Entry]) -> dict[tuple[Instant, str, str, int], Entry]:
    seen: defaultdict[tuple[Instant, str, str], int] = defaultdict(int)
    found = {}
    for entry in entries:
        key = (entry.at, entry.thread, type(entry.event).__name__)
        found[(*key, seen[key])] = entry
        seen[key] += 1
    return found


def _plain(told: Sequence[Told] | None) -> list[dict[str, Any]] | None:
    return None if told is None else [one.as_json() for one in told]


def _noticed(told: Sequence[Told] | None) -> list[dict[str, Any]]:
    """Without deadlines, and without the silence of a look that finds nothing to do."""
    return [one.as_json() for one in told or () if not is_timer(one) and one.reason != "not_yet"]
