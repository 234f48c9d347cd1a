"""The least that does the job at all: a boto3 client, the same models, Logger, one TransactWriteItems.

No read, no secret, no decision; the message is stored and acknowledged.
"""

import gc
import hmac
import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger

import sportello
import sportello.channels.base
from sportello.domain import desk, thread
from sportello.domain.events import Customer, Inbound, Kind
from sportello.domain.message import Message
from tests.bench.programs import child

gc.enable()  # ``sportello`` switched it off for its own start; this program is not ours
MODELS = (sportello.channels.base.Connection, desk.Desk, thread.Thread)

logger = Logger(location=None)
table = os.environ["TABLE"]
dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if not hmac.compare_digest(event["headers"].get("x-telegram-bot-api-secret-token", ""), SECRET):
        return {"statusCode": 401}
    message = inbound(json.loads(event["body"])["message"])
    row = Message(
        key=f"M#{message.time}#{message.id}",
        direction="in",
        author="customer",
        id=message.id,
        time=message.time or 0,
        text=message.text,
    )
    key = {"PK": {"S": f"T#{message.customer.id}"}}
    dynamodb.transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": table,
                    "Item": key | {"SK": {"S": row.key}, "text": {"S": row.text}},
                    "ConditionExpression": "attribute_not_exists(PK)",
                }
            },
            {
                "Update": {
                    "TableName": table,
                    "Key": key | {"SK": {"S": "T"}},
                    "UpdateExpression": "SET last_in = :key",
                    "ExpressionAttributeValues": {":key": {"S": row.key}},
                }
            },
        ]
    )
    logger.info("taken", extra={"channel": "telegram", "stored": 1})
    return {"statusCode": 200}


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


SECRET = "sample-webhook-secret_telegram"

child.end(handler(child.event(), child.LambdaContext()))
