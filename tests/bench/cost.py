"""Dollars per million messages, from what the desk's own handlers are counted to use.

Capacity units, calls and log bytes are counted on the engine (``ReturnConsumedCapacity``), the billed
time of Lambda is estimated: this machine's CPU seconds, stretched to the share of a processor that the
function gets, and an assumed latency per call. What a platform asks for its own messages is not in it.
"""

import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

from pydantic import BaseModel, ConfigDict

from infra.bundle import load
from infra.engine.package import TEMPLATES
from infra.local_desk import LocalDesk
from infra.world.telegram_bot import LOCAL_BOT as TELEGRAM
from sportello import entrypoints, workers
from sportello.aws import clients, history
from sportello.aws.environment import environment
from sportello.aws.logging import logger
from sportello.channels.base import Connection, Outbound, SendOutcome, Sent
from sportello.channels.http import Http
from sportello.channels.telegram import Telegram
from sportello.domain import keys
from sportello.domain.model import Instant
from sportello.services import desk as desk_seam
from sportello.services.reply import Person, reply
from tests.bench import prices
from tests.bench.programs.child import CLOSED, OPEN, LambdaContext
from tests.bench.samples import telegram_text

MIX = {
    "ordinary message": 0.70,
    "message after an answer": 0.13,
    "first message of a thread": 0.05,
    "closed hours: message, reply sent": 0.10,
    "duplicate": 0.02,
}
"""Shares of a million inbound messages. An assumption: two further messages for each that opens a debt,
one in ten outside hours, one in fifty delivered twice."""
CALLS = 20
"""Of each kind; the first of a kind is not counted."""
LINE_BYTES = 26
"""CloudWatch counts so many for each line besides its own."""


class Use(BaseModel):
    """What one message uses, on average, and what a million of them cost."""

    model_config = ConfigDict(frozen=True)

    name: str
    share: float
    wru: float
    rru: float
    kicks: float
    log_bytes: float
    invocations: float
    billed_ms: float
    dollars: float


class Cost(BaseModel):
    model_config = ConfigDict(frozen=True)

    uses: list[Use]
    dollars: float
    """Per million messages of the mix, without tracing."""
    tracing_least: float
    tracing_most: float
    """At a few messages a minute every request is the first of its second, and is recorded."""


class _Meter:
    """Counts what the clients of this process are charged, and what its logger writes."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self._log = io.StringIO()
        logger._logger.handlers[0].setStream(self._log)  # type: ignore[attr-defined]
        events = clients.dynamodb().meta.events
        events.register("before-parameter-build.dynamodb", _ask_for_units)
        events.register("after-call.dynamodb", self._answered)
        clients.sqs().meta.events.register("before-call.sqs.SendMessage", self._kicked)
        self.kicks: list[str] = []

    def _answered(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        self.used["calls"] += 1
        found = parsed.get("ConsumedCapacity", [])
        for consumed in found if isinstance(found, list) else [found]:
            read = model.name in ("GetItem", "BatchGetItem", "Query")
            self.used["rru" if read else "wru"] += consumed["CapacityUnits"]

    def _kicked(self, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        """The queue is not asked: the stack's own sender would take the row."""
        self.used["calls"] += 1
        self.used["kicks"] += 1
        self.kicks.append(json.loads(params["body"])["MessageBody"])
        return _Answered(), {"MessageId": "0"}

    def invoke(self, handler: Callable[[dict[str, Any], Any], Any], event: dict[str, Any]) -> None:
        self._log.seek(0)
        self._log.truncate()
        started = time.process_time()
        answer = handler(event, LambdaContext())
        self.used["cpu"] += time.process_time() - started  # type: ignore[assignment]
        if answer is not None and answer.get("statusCode") != 200:
            raise RuntimeError(f"answered {answer}")
        lines = self._log.getvalue().splitlines()
        self.used["invocations"] += 1
        self.used["log_bytes"] += sum(len(line.encode()) + 1 + LINE_BYTES for line in lines)


class _Answered:
    status_code = 200


def _ask_for_units(params: dict[str, Any], **_: object) -> None:
    params["ReturnConsumedCapacity"] = "INDEXES"


def cost(desk: LocalDesk) -> Cost:
    os.environ.update(desk.environment() | {"CLOCK": "real", "POWERTOOLS_SERVICE_NAME": "sportello"})
    environment.cache_clear()
    clients.forget()
    bundle = load(TEMPLATES)
    desk_seam.use(bundle.desk, bundle.texts)
    bench = _Bench()
    with (
        mock.patch.object(entrypoints, "now", bench.now),
        mock.patch.object(workers, "now", bench.now),
        mock.patch.object(Telegram, "send", bench.send),
    ):
        uses = bench.run()
    seconds_apart = sum(use.invocations * use.share for use in uses) * prices.PER_TRACE * 1e6
    return Cost(
        uses=uses,
        dollars=round(sum(use.dollars * use.share for use in uses), 2),
        tracing_least=round(seconds_apart * 0.05, 2),
        tracing_most=round(seconds_apart, 2),
    )


class _Bench:
    def __init__(self) -> None:
        self._webhook = entrypoints.webhook(Telegram)
        self._sender = workers.sender()
        self._meter = _Meter()
        self._moment = OPEN
        self._chat = 3_000_000_000

    def now(self) -> Instant:
        return self._moment

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """The platform takes it; it would not know these customers."""
        self._meter.used["platform"] += 1
        return Sent(id=message.tag)

    def run(self) -> list[Use]:
        kinds = {
            "ordinary message": self._ordinary,
            "message after an answer": self._after_answer,
            "first message of a thread": self._first,
            "closed hours: message, reply sent": self._closed,
            "duplicate": self._duplicate,
        }
        return [self._used(name, kind) for name, kind in kinds.items()]

    def _used(self, name: str, kind: Callable[[], None]) -> Use:
        total: Counter[str] = Counter()
        for number in range(CALLS + 1):
            self._chat += 1
            kind()
            if number:
                total += self._meter.used
        return _priced(name, {what: value / CALLS for what, value in total.items()})

    def _message(self, moment: int, number: int) -> None:
        self._moment = moment
        self._meter.used.clear()
        self._meter.kicks.clear()
        event = telegram_text(moment, chat=self._chat, number=number, secret=TELEGRAM.secret)
        self._meter.invoke(self._webhook, event)

    def _first(self) -> None:
        self._message(OPEN, 1)

    def _ordinary(self) -> None:
        self._first()
        self._message(OPEN + 60_000, 2)

    def _duplicate(self) -> None:
        self._ordinary()
        written = self._meter.used["wru"]
        self._message(OPEN + 60_000, 2)
        self._meter.used["wru"] = written  # of a cancelled transaction the engine says nothing: as if written

    def _after_answer(self) -> None:
        self._first()
        self._answer()
        self._message(OPEN + 120_000, 2)

    def _answer(self) -> None:
        desk = desk_seam.current_desk()
        person = Person(by="Agent", desk=desk, channels=workers.channel, now=lambda: self._moment)
        reply(person, self._thread(), "An answer")

    def _thread(self) -> str:
        account = workers.connection("telegram", "main").accounts[0].id
        return keys.thread_id(environment().id_salt, "telegram", account, str(self._chat))

    def _closed(self) -> None:
        """The customer's message and the sender's work on the reply that it causes."""
        self._message(CLOSED, 1)
        (kick,) = self._meter.kicks
        self._meter.invoke(self._sender, {"Records": [{"body": kick}]})
        row = json.loads(kick)
        states = [message.state for message in history.messages(row["thread"]) if message.key == row["key"]]
        if states != ["sent"]:
            raise RuntimeError(f"the reply is {states}, not sent")


def _priced(name: str, used: dict[str, float]) -> Use:
    stretched = prices.FULL_CPU_MB / prices.MEMORY_MB
    waited = used["calls"] * prices.CALL_SECONDS + used.get("platform", 0.0) * prices.PLATFORM_SECONDS
    billed = used["cpu"] * stretched + waited
    kicks, invocations = used.get("kicks", 0.0), used["invocations"]
    dollars = 1e6 * (
        used.get("wru", 0.0) * prices.PER_WRU
        + used.get("rru", 0.0) * prices.PER_RRU
        + kicks * prices.REQUESTS_PER_KICK * prices.PER_FIFO_REQUEST
        + used.get("log_bytes", 0.0) * prices.PER_LOG_BYTE
        + invocations * prices.PER_INVOCATION
        + billed * prices.MEMORY_MB / 1024 * prices.PER_GB_SECOND
    )
    return Use(
        name=name,
        share=MIX[name],
        wru=round(used.get("wru", 0.0), 2),
        rru=round(used.get("rru", 0.0), 2),
        kicks=round(kicks, 2),
        log_bytes=round(used.get("log_bytes", 0.0), 1),
        invocations=invocations,
        billed_ms=round(billed * 1000, 1),
        dollars=round(dollars, 2),
    )
