"""The desk as tests play on it: the real template on the local engine, with the local world around it.

The witnesses are the world (its log, the phones, Slack, the mailboxes) and a scan of the table. The
desk's own counters are never asked.
"""

import itertools
import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import urllib3

from infra.bundle import load
from infra.local_desk import LocalDesk
from infra.world.model import ChannelName, Entry, Said, Shown, Webhook
from sportello import workers
from sportello.aws import clients, clock, items
from sportello.aws.environment import environment
from sportello.domain.keys import DIGEST, THREAD_ROW
from sportello.domain.message import ENDED, Escalation, Message
from sportello.domain.model import Instant, to_instant
from sportello.domain.thread import Thread
from sportello.services import desk as desk_seam
from sportello.services import guidelines, reply

ROME = ZoneInfo("Europe/Rome")
CHANNELS: tuple[ChannelName, ...] = ("whatsapp", "telegram")
SECONDS = 20.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Rows:
    """The whole table, as a scan finds it."""

    threads: dict[str, Thread]
    messages: dict[str, list[Message]]
    """By thread, in the order of their keys."""
    calls: dict[str, list[Escalation]]
    pointers: dict[str, str]

    def outbox(self) -> list[tuple[str, Message]]:
        return [(thread, row) for thread, rows in self.messages.items() for row in rows if row.state]


@dataclass
class Stage:
    """One running desk."""

    desk: LocalDesk
    functions: dict[str, str] = field(default_factory=dict)
    """Logical name in the template to the function's name."""
    accepted: set[str] = field(default_factory=set)
    """Ids of webhooks that a test delivered by itself and that were answered 200."""
    canaries: set[str] = field(default_factory=set)
    """What else must not be found in any log or queue."""

    def start(self, *, auth: bool = False) -> None:
        self.desk.start(reset=True, auth=auth, port=0)
        resources = self.desk.deployed.client("cloudformation").describe_stack_resources(
            StackName=self.desk.deployed.stack
        )["StackResources"]
        self.functions = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }
        self.use()

    def use(self, **changes: str) -> None:
        """Let ``sportello`` in this process work on this desk."""
        os.environ.update(self.desk.environment() | changes)
        environment.cache_clear()
        clients.forget()
        workers._connections.clear()
        bundle = load(self.desk.templates)
        desk_seam.use(bundle.desk, bundle.texts, bundle.faq)
        guidelines.use(bundle.guidelines)

    # --- time ------------------------------------------------------------------------------------

    def at(self, local: str) -> Instant:
        """Set the clock of the desk and of the platforms, e.g. ``2026-11-23 20:15`` in Rome."""
        wanted = instant(local)
        offset = wanted - clock.real_now()
        clock.set_offset(offset)
        self.desk.client.clock(offset)
        return wanted

    # --- what happens ------------------------------------------------------------------------------

    def customer(self, channel: ChannelName) -> "Customer":
        return Customer(self, channel, f"Customer {next(_numbers)} {uuid.uuid4().hex[:6]}")

    def person(self, name: str = "Operator") -> reply.Person:
        return reply.Person(by=name, desk=desk_seam.current_desk(), channels=workers.channel, now=clock.now)

    def deliver(self, webhook: Webhook) -> int:
        """Post a webhook as it is; returns the status of our answer."""
        status, _ = post(webhook.url, webhook.content, webhook.headers)
        if status == 200:
            self.accepted.add(webhook.id)
        return status

    def invoke(self, function: str, event: object) -> dict[str, Any]:
        """The function's answer, by its name in the template; it must not fail."""
        answer = self.desk.deployed.client("lambda").invoke(
            FunctionName=self.functions[function], Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
        assert "FunctionError" not in answer, payload
        found: dict[str, Any] = json.loads(payload)
        return found

    def sweep(self) -> dict[str, int]:
        """Now, instead of at the next minute."""
        swept: dict[str, int] = self.invoke("SweeperFunction", {})["swept"]
        return swept

    # --- witnesses ---------------------------------------------------------------------------------

    def items(self) -> list[dict[str, Any]]:
        pages = self.desk.deployed.client("dynamodb").get_paginator("scan")
        table = self.desk.deployed.outputs["TableName"]
        return [
            item for page in pages.paginate(TableName=table, ConsistentRead=True) for item in page["Items"]
        ]

    def scan(self) -> Rows:
        rows = Rows({}, {}, {}, {})
        for item in sorted(self.items(), key=lambda item: (item["PK"]["S"], item["SK"]["S"])):
            thread, key = item["PK"]["S"][2:], item["SK"]["S"]
            if not item["PK"]["S"].startswith("T#"):
                continue
            if "pointer" in item:
                rows.pointers[thread] = item["pointer"]["S"]
            elif key == THREAD_ROW:
                rows.threads[thread] = items.thread_of(item)
            elif "whys" in item:
                rows.calls.setdefault(thread, []).append(items.escalation_of(item))
            elif key.startswith("M#") and "asks" not in item:  # what the outside was asked is no message
                rows.messages.setdefault(thread, []).append(items.message_of(item))
        return rows

    def log(self) -> list[Entry]:
        return self.desk.client.log()

    def function_logs(self) -> dict[str, list[str]]:
        """Every line that the functions wrote, by log group."""
        logs = self.desk.deployed.client("logs")
        lines: dict[str, list[str]] = {}
        for group in logs.describe_log_groups()["logGroups"]:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            lines[group["logGroupName"]] = [event["message"] for page in pages for event in page["events"]]
        return lines

    def settle(self, seconds: float = 30.0) -> None:
        """Sweep, and wait until every row has ended, everybody is told and no receipt is under way."""
        self.sweep()
        wait_for(
            self._all_done, "every row ends and everybody is told", seconds, lambda: str(self.open_rows())
        )
        self.desk.client.settle(seconds)

    def _all_done(self) -> bool:
        """Whether they have; what waits for the digest of an opening is told now."""
        waiting = self.open_rows()
        if any(isinstance(row, Escalation) and row.whys[-1].digest for _, row in waiting):
            self.digests_come_due()
            self.sweep()
        return not waiting

    def open_rows(self) -> list[tuple[str, Message | Escalation]]:
        rows = self.scan()
        waiting = [(thread, call) for thread, calls in rows.calls.items() for call in calls if call.due]
        return [*((thread, row) for thread, row in rows.outbox() if row.state not in ENDED), *waiting]

    def set_row(self, thread: str, key: str, **numbers: int) -> None:
        """Move times of a row, where a test will not wait for real time."""
        self._set(items.row_key(thread, key), **numbers)

    def _set(self, key: dict[str, Any], **numbers: int) -> None:
        names = {f"#{name}": name for name in numbers}
        self.desk.deployed.client("dynamodb").update_item(
            TableName=self.desk.deployed.outputs["TableName"],
            Key=key,
            ConditionExpression="attribute_exists(PK)",
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in numbers),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in numbers.items()},
        )

    def digests_come_due(self) -> None:
        """What is told at an opening is told some minutes after it, in real time."""
        for item in self.items():
            if item["SK"]["S"].startswith(DIGEST) and "due" in item:
                self._set({"PK": item["PK"], "SK": item["SK"]}, due=clock.real_now() - 1)

    def rows_come_due(self, thread: str) -> None:
        """What a row of this thread waits for has passed: hold, lease and due are moved back."""
        rows = self.scan()
        if rows.threads[thread].hold is not None:
            self.set_row(thread, THREAD_ROW, hold=clock.real_now() - 1)
        for row in rows.messages.get(thread, ()):
            if row.due is not None:
                past = {"due": clock.real_now() - 1}
                self.set_row(thread, row.key, **past | ({"lease": past["due"]} if row.lease else {}))


@dataclass(frozen=True)
class Customer:
    """Somebody who has never written before, on one channel."""

    stage: Stage
    channel: ChannelName
    name: str

    def say(self, text: str = "", **more: Any) -> Said:
        """A signed webhook as the platform sends it; it must be accepted."""
        said = self.stage.desk.client.say(self.channel, text, self.name, **more)
        assert set(said.statuses) <= {200}, said
        return said

    def phone(self) -> list[Shown]:
        return self.stage.desk.client.phone(self.channel, self.name)

    def heard(self) -> list[str]:
        """What the desk said to this customer, as the phone shows it."""
        return [shown.text for shown in self.phone() if shown.direction == "out"]

    def hears(self, count: int, seconds: float = SECONDS) -> list[str]:
        """Waits for that many messages; then everything that was heard."""
        wait_for(lambda: len(self.heard()) >= count, f"{count} messages on {self.name}'s phone", seconds)
        return self.heard()

    def threads(self) -> list[Thread]:
        """All of theirs on this channel: by name, or by an id where the platform tells no name."""
        state = self.stage.desk.world.state
        person = state.known(self.name)
        ids = state.ids_of(person) if person else frozenset({self.name})
        return [
            thread
            for thread in self.stage.scan().threads.values()
            if thread.channel == self.channel and {thread.name, thread.to, thread.to.lstrip("+")} & ids
        ]

    @property
    def thread(self) -> Thread:
        found = self.threads()
        assert len(found) == 1, f"{len(found)} threads of {self.name}"
        return found[0]

    def rows(self) -> list[Message]:
        """In shown order: keys alone do not order what came within one second."""
        return sorted(self.stage.scan().messages[self.thread.id], key=lambda row: row.order)

    def outbox(self) -> list[Message]:
        return [row for row in self.rows() if row.state is not None]

    def calls(self) -> list[Escalation]:
        return self.stage.scan().calls.get(self.thread.id, [])

    def answer(self, text: str, **more: Any) -> Message:
        """A person of the desk replies."""
        return reply.reply(self.stage.person(), self.thread.id, text, **more)[0]

    def row_ends(self, key: str, state: str, seconds: float = SECONDS) -> Message:
        """Waits until the outbox row has that state."""
        return self.row_is(key, lambda row: row.state == state, state, seconds)

    def row_is(
        self, key: str, wanted: Callable[[Message], bool], what: str, seconds: float = SECONDS
    ) -> Message:
        found: list[Message] = []

        def arrived() -> bool:
            found[:] = [row for row in self.outbox() if row.key == key and wanted(row)]
            return bool(found)

        wait_for(arrived, f"row {key}: {what}", seconds, lambda: str(self.outbox()))
        return found[0]

    def posts(self) -> list[str]:
        """What the agents' Slack shows of this customer."""
        posts = self.stage.desk.client.slack().values()
        return [post.text for found in posts for post in found if self.name in post.text]

    def letters(self) -> list[str]:
        boxes = self.stage.desk.client.mail().values()
        return [letter.text for found in boxes for letter in found if self.name in letter.text]


def instant(local: str) -> Instant:
    return to_instant(datetime.fromisoformat(local).replace(tzinfo=ROME))


def wait_for(
    condition: Callable[[], bool],
    what: str,
    seconds: float = SECONDS,
    state: Callable[[], str] = lambda: "",
) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain for: {what} {state()}"
        time.sleep(0.05)


def stays(condition: Callable[[], bool], what: str, seconds: float = 0.7) -> None:
    """It holds now and goes on to hold: for what must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), what
        time.sleep(0.05)


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    answer = _pool.request("POST", url, body=body, headers=headers)
    return answer.status, answer.data


_pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=60.0)


def close_connections() -> None:
    _pool.clear()
