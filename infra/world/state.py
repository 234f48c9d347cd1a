"""Everything that the world knows, behind one lock; the witness that tests read."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from infra.world.files import Served, place_of
from infra.world.limits import Buckets
from infra.world.model import (
    Entry,
    File,
    Options,
    Person,
    PlatformAccount,
    Setup,
    Shown,
)
from infra.world.people import invent
from infra.world.snapshot import Snapshot, Talk
from sportello.channels.base import Button
from sportello.domain.model import Instant

KEPT_ENTRIES = 5000
KEPT_WEBHOOKS = 1000
KEPT_FILES = 1000


class Absent(Exception):
    """Something asked for in the control interface does not exist; the text says what and what does."""


class Customers(Protocol):
    """What the state has to know of a channel: its ``StandIn`` says it."""

    @property
    def account_model(self) -> type[PlatformAccount] | None: ...

    def addresses(self, person: Person) -> tuple[str, ...]: ...


class State:
    """Callers that read and then write hold ``lock``; single calls take it themselves."""

    def __init__(self) -> None:
        self.channels: dict[str, Customers] = {}
        self.lock = threading.RLock()
        self.buckets = Buckets()
        self.changed = False
        self.hooks: tuple[str, ...] = ()
        self.options = Options()
        self._load(Snapshot())

    # --- what exists -------------------------------------------------------------------------

    def set_up(self, setup: Setup) -> None:
        with self.lock:
            for given in setup.accounts:
                channel = str(given.get("channel", ""))
                fields = {name: value for name, value in given.items() if name != "channel"}
                self.keep_account(channel, self._model(channel).model_validate(fields))
            self.hooks = tuple(dict.fromkeys((*self.hooks, *setup.slack)))
            change = setup.options.model_dump(exclude_none=True)
            self.options = self.options.model_copy(update=change)
            if setup.clock_offset_ms is not None:
                self.clock_offset_ms = setup.clock_offset_ms
            self.changed = True

    def account(self, channel: str, id: str = "") -> Any:
        """The account of that id, else the first one; in the model of the channel's stand-in."""
        known = self.accounts.get(channel, {})
        if id in known or (known and not id):
            return known[id] if id else next(iter(known.values()))
        what = f"{channel} account {id}" if id else f"account of {channel} is set up"
        raise Absent(f"no {what}; known: {', '.join(known) or 'none'}")

    def accounts_of(self, channel: str) -> tuple[Any, ...]:
        """All of them, in the model of the channel's stand-in."""
        return tuple(self.accounts.get(channel, {}).values())

    def keep_account(self, channel: str, account: PlatformAccount) -> None:
        with self.lock:
            self.accounts.setdefault(channel, {})[account.id] = account
            self.changed = True

    def _model(self, channel: str) -> type[PlatformAccount]:
        return self.channel(channel).account_model or PlatformAccount

    def channel(self, name: str) -> Customers:
        """Whom to ask about a channel that customers write on."""
        if name not in self.channels:
            raise Absent(f"{name!r} is no channel here; known: {', '.join(self.channels)}")
        return self.channels[name]

    def now(self) -> Instant:
        """Platform time: real time plus the offset that was set."""
        return real_now() + self.clock_offset_ms

    # --- people ------------------------------------------------------------------------------

    def known(self, who: str) -> Person | None:
        """The person of that name, id or address on any channel, if anybody is."""
        with self.lock:
            name = self._names_by_id.get(who) or self._names_by_id.get(who.removeprefix("+"))
            return self.people[name] if name else None

    def person(self, who: str) -> Person:
        """The person of that name or id; a stranger is made up."""
        with self.lock:
            found = self.known(who)
            if found is None:
                found = invent(who, self._names_by_id)
                if found.name in self.people:
                    found = found.model_copy(update={"name": f"{found.name} ({who[-8:]})"})
                self.keep_person(found)
            return found

    def keep_person(self, person: Person) -> None:
        with self.lock:
            self.people[person.name] = person
            self._names_by_id.update(dict.fromkeys(self.ids_of(person), person.name))
            self.changed = True

    def ids_of(self, person: Person) -> frozenset[str]:
        """Everything that the person is known by, on all channels."""
        addresses = (channel.addresses(person) for channel in self.channels.values())
        return person.ids.union(*addresses)

    def ids(self) -> frozenset[str]:
        """Every id that is taken."""
        with self.lock:
            return frozenset(self._names_by_id)

    def move(self, channel: str, before: Person, after: Person) -> None:
        """A customer's number changed: the phone and what the platform remembers go along."""
        with self.lock:
            for old in self.ids_of(before) - self.ids_of(after):
                del self._names_by_id[old]
            self.keep_person(after)
            phones = self.phones.setdefault(channel, {})
            phones[after.wa_id] = phones.pop(before.wa_id, [])
            for key in [key for key in self.talks if key.endswith(f":{before.wa_id}")]:
                self.talks[key.removesuffix(before.wa_id) + after.wa_id] = self.talks.pop(key)

    def same_address(self, platform: str, who: str, address: str) -> bool:
        """Whether a name or id means that address; elsewhere than on phones, the same text."""
        person = self.known(who)
        return who.lower() == address.lower() or (person is not None and address in self.ids_of(person))

    def address(self, channel: str, who: str) -> str:
        """The phone's address on that channel for a name or id."""
        person = self.known(who)
        if person is None:
            return who
        addresses = self.channel(channel).addresses(person)
        return who if who in addresses else addresses[0]

    # --- phones ------------------------------------------------------------------------------

    def talk(self, channel: str, account: str, address: str) -> Talk | None:
        return self.talks.get(f"{channel}:{account}:{address}")

    def keep_talk(self, channel: str, account: str, address: str, **update: Any) -> Talk:
        with self.lock:
            key = f"{channel}:{account}:{address}"
            self.talks[key] = self.talks.get(key, Talk()).model_copy(update=update)
            self.changed = True
            return self.talks[key]

    def phone(self, channel: str, address: str) -> list[Shown]:
        with self.lock:
            return list(self.phones.get(channel, {}).get(address, ()))

    def show(self, channel: str, address: str, item: Shown) -> None:
        with self.lock:
            self.phones.setdefault(channel, {}).setdefault(address, []).append(item)
            self.changed = True

    def newest(self, channel: str, address: str, **wanted: str) -> Shown | None:
        """The newest thing on a phone whose fields have these values."""
        with self.lock:
            for item in reversed(self.phones.get(channel, {}).get(address, [])):
                if all(getattr(item, name) == value for name, value in wanted.items()):
                    return item
            return None

    def tapped(self, channel: str, address: str, account: str, wanted: str) -> tuple[Shown, Button]:
        """The newest button with that id or title on a phone, and the message that it is under."""
        for item in reversed(self.phone(channel, address)):
            for button in item.buttons:
                if item.account == account and wanted in (button.id, button.title):
                    return item, button
        raise Absent(f"the phone shows no button {wanted!r}")

    def change(self, channel: str, address: str, item: Shown, **update: Any) -> None:
        """Replace one shown thing by itself with other fields."""
        with self.lock:
            items = self.phones.get(channel, {}).get(address, [])
            for position in range(len(items) - 1, -1, -1):
                if (items[position].id, items[position].account) == (item.id, item.account):
                    items[position] = items[position].model_copy(update=update)
                    self.changed = True
                    return

    # --- files ---------------------------------------------------------------------------------

    def serve(self, url: str, served: Served) -> None:
        """Put a file at that address; the query does not matter."""
        with self.lock:
            self.files[place_of(url)] = served
            self.changed = True

    def served(self, place: str) -> Served | None:
        """What lies at ``<host>/<path>``."""
        return self.files.get(place)

    def keep_upload(self, channel: str, id: str, file: File) -> None:
        with self.lock:
            self.uploads[f"{channel}:{id}"] = file
            self.changed = True

    def upload(self, channel: str, id: str) -> File | None:
        """What we uploaded under that id of the platform."""
        return self.uploads.get(f"{channel}:{id}")

    # --- the log, webhooks and numbers in sequence --------------------------------------------

    def record(self, **fields: Any) -> None:
        with self.lock:
            self.log.append(Entry(n=self.next("log"), time=real_now(), **fields))

    def log_since(self, n: int) -> list[Entry]:
        """Entries whose number is greater than ``n``."""
        with self.lock:
            first = self.log[0].n if self.log else 1
            return self.log[max(0, n + 1 - first) :]

    def next(self, counter: str, start: int = 1) -> int:
        with self.lock:
            self.counters[counter] = self.counters.get(counter, start - 1) + 1
            self.changed = True
            return self.counters[counter]

    def reset(self) -> None:
        """Forget what happened; keep what exists, and go on counting."""
        with self.lock:
            kept = Snapshot(
                accounts=self._dumped_accounts(),
                hooks=self.hooks,
                options=self.options,
                counters=self.counters,
            )
            self._load(kept)
            self.changed = True

    # --- between runs ------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write everything to a file, whole or not at all."""
        with self.lock:
            self.changed = False
            # Not pydantic's own JSON: it refuses the lone surrogates that a hostile body may hold.
            text = json.dumps(self._snapshot().model_dump())
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)

    def load(self, path: Path) -> None:
        with self.lock:
            self._load(Snapshot.model_validate(json.loads(path.read_text(encoding="utf-8"))))

    def _snapshot(self) -> Snapshot:
        webhooks = dict(list(self.webhooks.items())[-KEPT_WEBHOOKS:])
        fields = {name: getattr(self, name) for name in Snapshot.model_fields} | {
            "accounts": self._dumped_accounts(),
            "webhooks": webhooks,
            "files": dict(list(self.files.items())[-KEPT_FILES:]),
            "uploads": dict(list(self.uploads.items())[-KEPT_FILES:]),
            "log": self.log[-KEPT_ENTRIES:],
        }
        return Snapshot.model_construct(**fields)

    def _dumped_accounts(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            channel: {id: account.model_dump() for id, account in accounts.items()}
            for channel, accounts in self.accounts.items()
        }

    def _load(self, snapshot: Snapshot) -> None:
        self.accounts: dict[str, dict[str, PlatformAccount]] = {
            channel: {id: self._model(channel).model_validate(fields) for id, fields in accounts.items()}
            for channel, accounts in snapshot.accounts.items()
            if channel in self.channels
        }
        self.hooks = snapshot.hooks
        self.options = snapshot.options
        self.clock_offset_ms = snapshot.clock_offset_ms
        self.people = dict(snapshot.people)
        self._names_by_id = {id: person.name for person in self.people.values() for id in self.ids_of(person)}
        self.talks = dict(snapshot.talks)
        self.phones = {channel: dict(phones) for channel, phones in snapshot.phones.items()}
        self.slack = dict(snapshot.slack)
        self.mail = dict(snapshot.mail)
        self.webhooks = dict(snapshot.webhooks)
        self.files = dict(snapshot.files)
        self.uploads = dict(snapshot.uploads)
        self.counters = dict(snapshot.counters)
        self.log = list(snapshot.log)
        self.buckets.clear()


def real_now() -> Instant:
    return time.time_ns() // 1_000_000
