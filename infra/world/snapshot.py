"""What the world remembers between runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.world.files import Served
from infra.world.model import Entry, File, Letter, Options, Person, Shown, SlackPost, Webhook
from sportello.domain.model import Instant, Model


class Talk(Model):
    """What a platform remembers of one customer and one account of ours."""

    last_in: Instant | None = None
    blocked: bool = False
    next_id: int = 1
    more: Mapping[str, str] = {}
    """What else one channel remembers."""


class Snapshot(Model):
    """The state as it is stored between runs."""

    accounts: Mapping[str, Mapping[str, dict[str, Any]]] = {}
    """By channel and id, as the channel's own model writes them."""
    hooks: tuple[str, ...] = ()
    options: Options = Options()
    clock_offset_ms: int = 0
    people: Mapping[str, Person] = {}
    talks: Mapping[str, Talk] = {}
    phones: Mapping[str, Mapping[str, list[Shown]]] = {}
    slack: Mapping[str, list[SlackPost]] = {}
    mail: Mapping[str, list[Letter]] = {}
    webhooks: Mapping[str, Webhook] = {}
    files: Mapping[str, Served] = {}
    uploads: Mapping[str, File] = {}
    """Ours, by the id that a platform gave them; it names the channel too."""
    counters: Mapping[str, int] = {}
    log: Sequence[Entry] = ()
