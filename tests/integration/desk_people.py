"""Calls without customers: rows as a commit writes them, a notifier, and what its targets have heard."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sportello.aws import clients, items, store
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.http import Answer, Http
from sportello.domain import keys
from sportello.domain.message import Escalation, Why
from sportello.domain.model import Instant
from sportello.domain.thread import Thread
from sportello.services import notify as service
from sportello.services import rows
from sportello.services.telling import Notifier
from tests.integration.faults import Faults
from tests.integration.stage import ACCOUNT, Stage, calls, kicks, overdue, real_now, scan, thread_id

HOOKS = "https://hooks.slack.com/services/T0/B0/"
CONSOLE = "https://console.example.com"
SECRET = b"a-secret-of-the-tests"


class Slack(Http):
    """Each name has a channel; ``down`` are those that fail, with their status."""

    def __init__(self) -> None:
        super().__init__()
        self.down: dict[str, int] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []

    def request(self, method: str, url: str, *, json_body: Any = None, **_: Any) -> Answer:
        name = url.removeprefix(HOOKS)
        if name in self.down:
            return Answer(self.down[name], {}, b"no_service")
        self.told.append((name, json_body))
        return Answer(200, {}, b"ok")

    def titles(self, name: str = "care") -> list[str]:
        return [body["blocks"][0]["text"]["text"] for heard, body in self.told if heard == name]

    def shown(self, name: str = "care") -> list[str]:
        return [json.dumps(body, ensure_ascii=False) for heard, body in self.told if heard == name]

    def links(self, name: str = "care") -> list[str]:
        """Of all buttons, in order."""
        found = []
        for heard, body in self.told:
            for block in body["blocks"] if heard == name else ():
                buttons = [*block.get("elements", ()), *filter(None, [block.get("accessory")])]
                found += [button["url"] for button in buttons]
        return found


@dataclass
class People:
    """The notifier, and what it says."""

    stage: Stage
    faults: Faults
    slack: Slack = field(default_factory=Slack)
    secret: Callable[[], bytes] = lambda: SECRET

    def __post_init__(self) -> None:
        self.mails: list[dict[str, Any]] = self.faults.sent_to("sesv2", "SendEmail")

    def notifier(self) -> Notifier:
        names = ("care", "lead", "night", "anna")
        return Notifier(
            desk=self.stage.desk,
            wording=self.stage.wording(),
            hooks=lambda: {name: f"{HOOKS}{name}" for name in names},
            http=self.slack,
            now=lambda: self.stage.now,
            console=CONSOLE,
            console_key=lambda: self.secret(),
        )

    def notify(self, address: Address) -> str:
        return service.notify(self.notifier(), address)

    def recover(self, rounds: int = 4) -> None:
        """What is due is swept and kicked, as minutes pass."""
        for _ in range(rounds):
            for row in [*calls(), *together("I#")]:
                if "due" in row:
                    overdue(row)
            with suppress(Died):
                self.stage.sweep()
            for thread, key in kicks("escalation"):
                with suppress(Died):
                    self.notify(Address(thread, key))

    # --- rows -------------------------------------------------------------------------------------

    def calls(self, number: int, *whys: str, at: Instant | None = None, **fields: Any) -> Address:
        """A customer's conversation that calls people for these reasons, committed."""
        at = self.stage.now if at is None else at
        thread = Thread(
            id=thread_id(f"customer-{number}"),
            channel="whatsapp",
            connection="main",
            account=ACCOUNT,
            to=f"+1555010{number:04d}",
            name=f"Customer {number}",
            language="it",
            team=fields.pop("team", "care"),
            created=at,
            owed_since=fields.pop("owed_since", at),
            first=f"First words of {number}",
            level=1,
            paged=None if "claimed_by" in fields else at,
            **{name: fields.pop(name) for name in ("public", "claimed_by") if name in fields},
        )
        key = keys.effect_key(keys.message_key(at, None, keys.message_hash(thread.id, "m")), "call")
        reasons = tuple(Why(why=why, cause=key, at=at, **fields) for why in whys)
        call = Escalation(key=key, team=thread.team, whys=reasons, due=real_now() + 60_000)
        commit = store.Commit(
            before=thread,
            after=thread.model_copy(update={"rev": 1, "escalation": key}),
            expires=rows.expires(self.stage.desk, at),
            calls=(call,),
        )
        assert isinstance(store.commit(commit), store.Committed)
        return Address(thread.id, key)

    def further(self, address: Address, why: str, at: Instant | None = None, **fields: Any) -> None:
        """One more reason of a call, as a commit adds it."""
        at = self.stage.now if at is None else at
        reason = Why(why=why, cause=address.key, at=at, **fields)
        change = store._add_reasons(address.thread, address.key, (reason,), real_now() + 60_000)
        clients.dynamodb().update_item(**change["Update"])

    def row(self, address: Address) -> dict[str, Any]:
        answer = clients.dynamodb().get_item(
            TableName=environment().table, Key=items.row_key(address.thread, address.key), ConsistentRead=True
        )
        return items.values(answer["Item"])


def together(prefix: str) -> list[dict[str, Any]]:
    """Rows of which a team hears together."""
    return [row for row in scan() if row["PK"].startswith("I#") and row["SK"].startswith(prefix)]


def address_in(row: dict[str, Any]) -> Address:
    return Address(row["PK"][2:], row["SK"])


def token_in(url: str) -> str:
    assert url.startswith(f"{CONSOLE}/take/"), url
    return urlsplit(url).path.removeprefix("/take/")


class Died(BaseException):
    """The process is gone in the middle of its work."""


def dies_at(number: int) -> Callable[[Any], None]:
    """A fault: the n-th request of its kind is the last thing that the process does."""
    seen = [0]

    def die(_: Any) -> None:
        seen[0] += 1
        if seen[0] == number:
            raise Died

    return die


def no_key() -> bytes:
    raise SecretsUnavailable("SSM answered 500")
