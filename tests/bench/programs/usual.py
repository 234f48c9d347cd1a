"""The stack that most webhooks on Lambda have, feature by feature as its documentation shows it.

Logger with context, Tracer, the function URL resolver, the idempotency table, the parameters utility,
and boto3's resource. No thread, no decision: it stores the message once and acknowledges it.
"""

import gc
import hmac
import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

import sportello
import sportello.channels.base
from sportello.domain import desk, thread
from sportello.domain.events import Customer, Inbound, Kind
from sportello.domain.message import Message
from tests.bench.programs import child

gc.enable()  # ``sportello`` switched it off for its own start; this program is not ours
MODELS = (sportello.channels.base.Connection, desk.Desk, thread.Thread)

logger = Logger()
tracer = Tracer()
app = LambdaFunctionUrlResolver()
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
persistence = DynamoDBPersistenceLayer(table_name="idempotency")
config = IdempotencyConfig(event_key_jmespath="update_id")


@app.post("/<connection>")
@tracer.capture_method
def receive(connection: str) -> Response[str]:
    text: Any = parameters.get_parameter(f"/sportello/telegram/{connection}", decrypt=True)
    secret = json.loads(text)["secrets"][0]
    given = app.current_event.headers.get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(given, secret):
        return Response(status_code=401)
    take(update=json.loads(app.current_event.body or ""))
    return Response(status_code=200)


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="update", persistence_store=persistence, config=config
)
def take(update: dict[str, Any]) -> dict[str, Any]:
    message = inbound(update["message"])
    row = Message(
        key=f"M#{message.time}#{message.id}",
        direction="in",
        author="customer",
        id=message.id,
        time=message.time or 0,
        text=message.text,
    )
    key = f"T#{message.customer.id}"
    table.put_item(Item={"PK": key, "SK": row.key, "text": row.text})
    table.update_item(
        Key={"PK": key, "SK": "T"},
        UpdateExpression="SET last_in = :key",
        ExpressionAttributeValues={":key": row.key},
    )
    logger.info("taken", extra={"channel": "telegram", "stored": 1})
    return {"stored": row.key}


def inbound(message: dict[str, Any]) -> Inbound:
    writer = message["from"]
    return Inbound(
        account="7000000001",
        customer=Customer(id=str(writer["id"]), address=str(message["chat"]["id"])),
        id=f"{message['chat']['id']}:{message['message_id']}",
        time=message["date"] * 1000,
        kind=Kind.TEXT,
        text=message["text"],
    )


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    config.register_lambda_context(context)
    return app.resolve(event, context)


child.end(handler(child.event(), child.LambdaContext()))
