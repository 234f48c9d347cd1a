"""A desk on a stage: real services on a fake AWS, a clock that tests set, a platform with a script."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from sportello.aws import clients, items
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.aws.secrets import UnknownConnection
from sportello.channels.base import (
    Account,
    Channel,
    Connection,
    Outbound,
    Request,
    SendOutcome,
    Sent,
    Unparseable,
)
from sportello.channels.http import Http
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.events import Customer, Echo, Inbound, Kind, PlatformEvent
from sportello.domain.model import DAY, MINUTE, Instant
from sportello.services import desk as desk_seam
from sportello.services.context import Context
from sportello.services.ingest import ingest
from sportello.services.reply import Person
from sportello.services.send import Sender, send
from sportello.services.sweep import Swept, sweep
from sportello.services.wording import Texts, Wording

SALT = "salt-of-the-tests"
ACCOUNT = "100000000000001"
OPEN = 1_795_424_400_000
"""Monday 2026-11-23 10:00 in Rome."""
CLOSED = 1_795_461_300_000
"""Monday 2026-11-23 20:15 in Rome; the desk opens on Tuesday at 9:00."""
OPENING = 1_795_507_200_000
ONE = Customer(id="IT.1", address="+15550100201", aliases=("15550100201",), name="Customer One")
TWO = Customer(id="IT.2", address="+15550100202", name="Customer Two")


class Scripted(Channel):
    """A platform that answers what the script says, and remembers what it was asked."""

    name: ClassVar[str] = "scripted"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "messenger"
    text_limit: ClassVar[int] = 4096
    window: ClassVar[Instant | None] = DAY
    deadline: ClassVar[Instant] = 10_000
    returns_tag: ClassVar[bool] = True

    def __init__(self) -> None:
        self.script: list[SendOutcome] = []
        self.asked: list[Outbound] = []
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens while the platform is asked."""

    def verify(self, request: Request, connection: Connection) -> bool:
        return True

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        raise Unparseable("nothing to read")

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        self.asked.append(message)
        number = len(self.asked)
        self.meanwhile()
        return self.script.pop(0) if self.script else Sent(id=f"sent-{number}")


CONNECTION = Connection(
    name="main", secrets=("s",), token="t", accounts=(Account(id=ACCOUNT), Account(id="100000000000002"))
)


def inbound(text: str = "Hello there", *, id: str = "m1", at: Instant = OPEN, **fields: Any) -> Inbound:
    values: dict[str, Any] = {
        "account": ACCOUNT, "customer": ONE, "id": id, "time": at, "kind": Kind.TEXT, "text": text,
    }  # fmt: skip
    return Inbound(**(values | fields))


def echo(text: str = "Here I am", *, id: str = "e1", at: Instant = OPEN, **fields: Any) -> Echo:
    values: dict[str, Any] = {"account": ACCOUNT, "customer": ONE, "id": id, "time": at, "text": text}
    return Echo(**(values | fields))


@dataclass
class Stage:
    """The services, with what they need besides AWS."""

    desk: Desk
    texts: Texts
    now: Instant = OPEN
    channel: Scripted = field(default_factory=Scripted)
    slept: list[float] = field(default_factory=list)
    connected: bool = True
    _wording: tuple[Desk, Wording] | None = None

    # --- acting -----------------------------------------------------------------------------

    def with_policy(self, **policy: Any) -> None:
        self.desk = self.desk.model_copy(update={"policy": self.desk.policy.model_copy(update=policy)})

    def context(self, patience: float = 20.0) -> Context:
        return Context(
            channel=self.channel,
            connection=CONNECTION,
            desk=self.desk,
            salt=SALT,
            now=lambda: self.now,
            deadline=time.monotonic() + patience,
        )

    def take(self, *events: PlatformEvent, patience: float = 20.0) -> dict[str, int]:
        """What became of the events, as the webhook counts it."""
        context = self.context(patience)
        ingest(context, Request(method="POST", body=b"{}"), events)
        counts: Counter[str] = context.counts
        return dict(counts)

    def person(self, by: str = "Agent") -> Person:
        return Person(by=by, desk=self.desk, channels=lambda _: self.channel, now=lambda: self.now)

    def sender(self) -> Sender:
        return Sender(
            channels=lambda _: self.channel,
            connection=self._connection,
            http=Http(),
            desk=self.desk,
            wording=self.wording(),
            now=lambda: self.now,
            sleep=self.slept.append,
        )

    def wording(self) -> Wording:
        if self._wording is None or self._wording[0] is not self.desk:
            self._wording = (self.desk, Wording(self.desk, self.texts))
        return self._wording[1]

    def _connection(self, channel: str, name: str) -> Connection:
        if not self.connected:
            raise UnknownConnection(name)
        return CONNECTION

    def send(self, row: dict[str, Any]) -> str:
        """One row, as its kick would have it sent; what became of it."""
        return send(self.sender(), address_of(row))

    def sweep(self, seconds: float = 30.0) -> Swept:
        return sweep(self.desk, lambda: self.now, time.monotonic() + seconds)

    def use(self) -> None:
        """The handlers find this desk."""
        desk_seam.use(self.desk, self.texts)


def thread_id(customer: Customer | str = ONE, account: str = ACCOUNT) -> str:
    primary = customer if isinstance(customer, str) else customer.id
    return keys.thread_id(SALT, "scripted", account, primary)


def address_of(row: dict[str, Any]) -> Address:
    return Address(row["PK"][2:], row["SK"])


# --- the table from the outside -----------------------------------------------------------------


def raw_scan() -> Iterator[items.Item]:
    arguments: dict[str, Any] = {"TableName": environment().table, "ConsistentRead": True}
    while True:
        answer = clients.dynamodb().scan(**arguments)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def scan() -> list[dict[str, Any]]:
    rows = [items.values(item) for item in raw_scan()]
    return sorted(rows, key=lambda row: (str(row["PK"]), str(row["SK"])))


def everything() -> str:
    """The whole table as text: to look for words that should be nowhere."""
    return json.dumps(list(raw_scan()), ensure_ascii=False)


def threads() -> list[dict[str, Any]]:
    return [row for row in scan() if row["SK"] == "T" and "pointer" not in row]


def pointers() -> list[dict[str, Any]]:
    return [row for row in scan() if "pointer" in row]


def only_thread() -> dict[str, Any]:
    (row,) = threads()
    return row


def heard() -> list[dict[str, Any]]:
    """Customers' messages, in the order of their keys."""
    return [row for row in scan() if row["SK"].startswith("M#") and row.get("direction") == "in"]


def outbox() -> list[dict[str, Any]]:
    return [row for row in scan() if "state" in row]


def only_row() -> dict[str, Any]:
    (row,) = outbox()
    return row


def calls() -> list[dict[str, Any]]:
    return [row for row in scan() if "whys" in row]


def change_row(row: dict[str, Any], **fields: Any) -> None:
    """Set fields of a row by hand: time has passed, somebody else was here."""
    names = {f"#{name}": name for name in fields}
    clients.dynamodb().update_item(
        TableName=environment().table,
        Key={"PK": {"S": row["PK"]}, "SK": {"S": row["SK"]}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in fields),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{name}": items.attribute(value) for name, value in fields.items()},
    )


def put_row(row: dict[str, Any]) -> None:
    item = {name: items.attribute(value) for name, value in row.items()}
    clients.dynamodb().put_item(TableName=environment().table, Item=item)


def real_now() -> Instant:
    return time.time_ns() // 1_000_000


def overdue(row: dict[str, Any], by: Instant = MINUTE) -> None:
    change_row(row, due=real_now() - by)


# --- the queues and the bucket --------------------------------------------------------------------


def kicks(queue: str) -> list[tuple[str, str]]:
    """Empties ``outbox``, ``escalation``, ``media`` or ``consult``: thread and key of each kick."""
    known = environment()
    url = {
        "outbox": known.outbox_queue_url,
        "escalation": known.escalation_queue_url,
        "media": known.media_queue_url,
        "consult": known.consult_queue_url,
    }[queue]
    found = []
    while messages := clients.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            body = json.loads(message["Body"])
            found.append((body["thread"], body["key"]))
            clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def objects(prefix: str = "") -> list[str]:
    answer = clients.s3().list_objects_v2(Bucket=environment().bucket, Prefix=prefix)
    return [entry["Key"] for entry in answer.get("Contents", ())]


def read_object(key: str) -> bytes:
    body: bytes = clients.s3().get_object(Bucket=environment().bucket, Key=key)["Body"].read()
    return body
