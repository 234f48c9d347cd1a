"""Refs: what the link from an official account to the care account carries, good for one use.

    REF#<ref>    thread (of the official account), taken (by whom, for which message), followed

``store.Commit.refs`` writes them with the reply that tells the link. Nobody is linked by anything else.
"""

from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import items, writes
from sportello.aws.environment import environment
from sportello.aws.store import ref_key
from sportello.domain import keys
from sportello.domain.model import SECOND, Instant


def take(ref: str, by: str, cause: str, now: Instant) -> str:
    """The thread that a ref leads back to; empty: it is none of ours, too old, or somebody has used it.

    Args:
        by: thread of whoever came with it. Only the first one's message takes it, as often as it is worked.
        cause: key of that message.
        now: real time.
    """
    if not keys.is_ref(ref):
        return ""
    taker = f"{by} {cause}"
    try:
        answer = writes.update_item(
            TableName=environment().table,
            Key=ref_key(ref),
            ConditionExpression=(
                "attribute_exists(PK) AND expires > :now AND #thread <> :by "
                "AND (attribute_not_exists(taken) OR taken = :taker)"
            ),
            UpdateExpression="SET taken = :taker",
            ExpressionAttributeNames={"#thread": "thread"},
            ExpressionAttributeValues={
                ":now": {"N": str(now // SECOND)},
                ":by": {"S": by},
                ":taker": {"S": taker},
            },
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return ""
        raise
    return str(answer["Attributes"]["thread"]["S"])


def followed(ref: str, at: Instant) -> dict[str, Any]:
    """The step that tells the official thread, to be part of its commit: told once."""
    return {
        "Update": {
            "TableName": environment().table,
            "Key": ref_key(ref),
            "ConditionExpression": "attribute_exists(taken) AND attribute_not_exists(followed)",
            "UpdateExpression": "SET followed = :at",
            "ExpressionAttributeValues": {":at": items.attribute(at)},
        }
    }
