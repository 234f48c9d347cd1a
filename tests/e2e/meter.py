"""What one webhook costs: the handler in this process on the engine, calls and capacity units counted.

The table and the queues are copies of the stack's that nobody else works on. Counted after INIT, by
the real clock, without the look-up of the secrets.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local_desk import CONNECTION
from infra.world.model import Webhook
from infra.world.telegram_bot import LOCAL_BOT as TELEGRAM
from infra.world.whatsapp_number import LOCAL_NUMBER as WHATSAPP
from sportello import entrypoints
from sportello.aws import clients, items
from sportello.aws.items import Item
from sportello.channels.telegram import Telegram
from sportello.channels.whatsapp import WhatsApp
from tests.e2e.stage import Stage

STACK = "budget"
READS = frozenset({"GetItem", "BatchGetItem", "Query"})


@dataclass
class Cost:
    """What one webhook took."""

    calls: list[str] = field(default_factory=list)
    """Requests to DynamoDB, by operation, as they were sent."""
    kicks: int = 0
    others: int = 0
    wru: float = 0.0
    rru: float = 0.0
    status: int = 0


class Meter:
    """Handlers of both channels and the counter around them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.table = _copy_of_table(stage)
        sqs = stage.desk.deployed.client("sqs")
        urls = {
            "OUTBOX_QUEUE_URL": sqs.create_queue(QueueName="budget.fifo", Attributes={"FifoQueue": "true"})[
                "QueueUrl"
            ],
            "ESCALATION_QUEUE_URL": sqs.create_queue(QueueName="budget")["QueueUrl"],
            "CONSULT_QUEUE_URL": sqs.create_queue(QueueName="budget")["QueueUrl"],
            "MEDIA_QUEUE_URL": sqs.create_queue(QueueName="budget")["QueueUrl"],
        }
        _put_secrets(stage)
        stage.use(TABLE=self.table, STACK=STACK, CLOCK="real", PLATFORMS="", **urls)
        self._cost = Cost()
        self._count()
        self._handlers = {channel.name: entrypoints.webhook(channel) for channel in (WhatsApp, Telegram)}

    def _count(self) -> None:
        events = clients.dynamodb().meta.events
        events.register("before-parameter-build.dynamodb", _ask_for_units)
        events.register("before-send.dynamodb", self._sent)
        events.register("after-call.dynamodb", self._answered)
        clients.sqs().meta.events.register("before-send.sqs", self._kicked)
        clients.s3().meta.events.register("before-send.s3", self._other)

    def _sent(self, request: Any, **_: object) -> None:
        target = request.headers["X-Amz-Target"]
        name = target.decode() if isinstance(target, bytes) else target
        self._cost.calls.append(name.rpartition(".")[2])

    def _answered(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        found = parsed.get("ConsumedCapacity", [])
        for consumed in found if isinstance(found, list) else [found]:
            if model.name in READS:
                self._cost.rru += consumed["CapacityUnits"]
            else:
                self._cost.wru += consumed["CapacityUnits"]

    def _kicked(self, **_: object) -> None:
        self._cost.kicks += 1

    def _other(self, **_: object) -> None:
        self._cost.others += 1

    def receive(self, webhook: Webhook) -> Cost:
        """The cost of one webhook; it must be taken or refused, never fail."""
        self._cost = Cost()
        answer = self._handlers[webhook.channel](_function_url_event(webhook), _Context())
        self._cost.status = answer["statusCode"]
        return self._cost

    def item(self, thread: str, key: str) -> Item:
        found: Item = self.stage.desk.deployed.client("dynamodb").get_item(
            TableName=self.table, Key=items.row_key(thread, key), ConsistentRead=True
        )["Item"]
        return found

    def items(self) -> list[Item]:
        pages = self.stage.desk.deployed.client("dynamodb").get_paginator("scan")
        return [item for page in pages.paginate(TableName=self.table) for item in page["Items"]]


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 15_000


def _ask_for_units(params: dict[str, Any], model: Any, **_: object) -> None:
    params["ReturnConsumedCapacity"] = "INDEXES"


def _copy_of_table(stage: Stage) -> str:
    client = stage.desk.deployed.client("dynamodb")
    like = client.describe_table(TableName=stage.desk.deployed.outputs["TableName"])["Table"]
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in like["GlobalSecondaryIndexes"]
    ]
    client.create_table(
        TableName="budget",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=like["AttributeDefinitions"],
        KeySchema=like["KeySchema"],
        GlobalSecondaryIndexes=indexes,
    )
    return "budget"


def _put_secrets(stage: Stage) -> None:
    ssm = stage.desk.deployed.client("ssm")
    for channel in ("whatsapp", "telegram"):
        name = f"/{stage.desk.deployed.stack}/{channel}/{CONNECTION}"
        secret = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        ssm.put_parameter(
            Name=f"/{STACK}/{channel}/{CONNECTION}", Value=secret, Type="SecureString", Overwrite=True
        )


def _function_url_event(webhook: Webhook) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": f"/{CONNECTION}",
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in webhook.headers.items()},
        "requestContext": {"http": {"method": "POST"}},
        "body": webhook.body,
        "isBase64Encoded": False,
    }


def changed(webhook: Webhook, change: Callable[[dict[str, Any]], None]) -> Webhook:
    """The same webhook with another body, signed anew."""
    content = json.loads(webhook.body)
    change(content)
    body = json.dumps(content)
    headers = dict(webhook.headers)
    if webhook.channel == "whatsapp":
        digest = hmac.new(WHATSAPP.app_secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        headers["X-Hub-Signature-256"] = f"sha256={digest}"
    else:
        assert headers["X-Telegram-Bot-Api-Secret-Token"] == TELEGRAM.secret
    return webhook.model_copy(update={"body": body, "headers": headers})
