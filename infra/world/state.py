"""Everything that the world knows, behind one lock; the witness that tests read."""

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from infra.world.limits import Buckets
from infra.world.model import (
    Entry,
    Letter,
    Options,
    Person,
    Setup,
    Shown,
    SlackPost,
    TelegramBot,
    Webhook,
    WhatsAppNumber,
)
from infra.world.people import invent
from sportello.channels.base import Button
from sportello.domain.model import Instant, Model

T = TypeVar("T")

KEPT_ENTRIES = 5000
KEPT_WEBHOOKS = 1000


class Talk(Model):
    """What a platform remembers of one customer and one account of ours."""

    last_in: Instant | None = None
    blocked: bool = False
    next_id: int = 1


class Snapshot(Model):
    """The state as it is stored between runs."""

    bots: Mapping[str, TelegramBot] = {}
    numbers: Mapping[str, WhatsAppNumber] = {}
    hooks: tuple[str, ...] = ()
    options: Options = Options()
    clock_offset_ms: int = 0
    people: Mapping[str, Person] = {}
    talks: Mapping[str, Talk] = {}
    phones: Mapping[str, Mapping[str, list[Shown]]] = {}
    slack: Mapping[str, list[SlackPost]] = {}
    mail: Mapping[str, list[Letter]] = {}
    webhooks: Mapping[str, Webhook] = {}
    counters: Mapping[str, int] = {}
    log: Sequence[Entry] = ()


class Absent(Exception):
    """Something asked for in the control interface does not exist; the text says what and what does."""


class State:
    """Callers that read and then write hold ``lock``; single calls take it themselves."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.buckets = Buckets()
        self.changed = False
        self.hooks: tuple[str, ...] = ()
        self.options = Options()
        self._load(Snapshot())

    # --- what exists -------------------------------------------------------------------------

    def set_up(self, setup: Setup) -> None:
        with self.lock:
            self.bots.update({bot.account: bot for bot in setup.telegram})
            self.numbers.update({number.account: number for number in setup.whatsapp})
            self.hooks = tuple(dict.fromkeys((*self.hooks, *setup.slack)))
            change = setup.options.model_dump(exclude_none=True)
            self.options = self.options.model_copy(update=change)
            if setup.clock_offset_ms is not None:
                self.clock_offset_ms = setup.clock_offset_ms
            self.changed = True

    def bot(self, account: str) -> TelegramBot:
        return _pick(self.bots, account, "Telegram bot")

    def number(self, account: str) -> WhatsAppNumber:
        return _pick(self.numbers, account, "WhatsApp number")

    def now(self) -> Instant:
        """Platform time: real time plus the offset that was set."""
        return real_now() + self.clock_offset_ms

    # --- people ------------------------------------------------------------------------------

    def known(self, who: str) -> Person | None:
        """The person of that name or id, if anybody is."""
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
            self._names_by_id.update(dict.fromkeys(person.ids, person.name))
            self.changed = True

    def ids(self) -> frozenset[str]:
        """Every id that is taken."""
        with self.lock:
            return frozenset(self._names_by_id)

    def move(self, channel: str, before: Person, after: Person) -> None:
        """A customer's number changed: the phone and what the platform remembers go along."""
        with self.lock:
            for old in before.ids - after.ids:
                del self._names_by_id[old]
            self.keep_person(after)
            phones = self.phones.setdefault(channel, {})
            phones[after.wa_id] = phones.pop(before.wa_id, [])
            for key in [key for key in self.talks if key.endswith(f":{before.wa_id}")]:
                self.talks[key.removesuffix(before.wa_id) + after.wa_id] = self.talks.pop(key)

    def same_address(self, platform: str, who: str, address: str) -> bool:
        """Whether a name or id means that address; elsewhere than on phones, the same text."""
        person = self.known(who)
        return who.lower() == address.lower() or (person is not None and address in person.ids)

    def address(self, channel: str, who: str) -> str:
        """The phone's address on that channel for a name or id."""
        person = self.known(who)
        if person is None or (channel == "telegram" and who == f"b{person.telegram_id}"):
            return who
        return str(person.telegram_id) if channel == "telegram" else person.wa_id

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
                bots=self.bots,
                numbers=self.numbers,
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
        fields = {name: getattr(self, name) for name in Snapshot.model_fields}
        return Snapshot.model_construct(**fields | {"webhooks": webhooks, "log": self.log[-KEPT_ENTRIES:]})

    def _load(self, snapshot: Snapshot) -> None:
        self.bots = dict(snapshot.bots)
        self.numbers = dict(snapshot.numbers)
        self.hooks = snapshot.hooks
        self.options = snapshot.options
        self.clock_offset_ms = snapshot.clock_offset_ms
        self.people = dict(snapshot.people)
        self._names_by_id = {id: person.name for person in self.people.values() for id in person.ids}
        self.talks = dict(snapshot.talks)
        self.phones = {channel: dict(phones) for channel, phones in snapshot.phones.items()}
        self.slack = dict(snapshot.slack)
        self.mail = dict(snapshot.mail)
        self.webhooks = dict(snapshot.webhooks)
        self.counters = dict(snapshot.counters)
        self.log = list(snapshot.log)
        self.buckets.clear()


def real_now() -> Instant:
    return time.time_ns() // 1_000_000


def _pick(known: dict[str, T], account: str, what: str) -> T:
    if account and account in known:
        return known[account]
    if known and not account:
        return next(iter(known.values()))
    raise Absent(f"no {what} {account or 'is set up'}; known: {', '.join(known) or 'none'}")
