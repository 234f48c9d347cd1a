"""Single writes. A transaction on the same row refuses them, and botocore does not try that again."""

import time
from typing import Any

from botocore.exceptions import ClientError

from sportello.aws import clients
from sportello.aws.store import pause

TRIES = 8
"""About a second in all."""


def update_item(**arguments: Any) -> dict[str, Any]:
    """UpdateItem, until no transaction holds the row. Raises ClientError for everything else."""
    for attempt in range(TRIES - 1):
        try:
            return _update_item(arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionConflictException":
                raise
        time.sleep(pause(attempt))
    return _update_item(arguments)


def _update_item(arguments: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = clients.dynamodb().update_item(**arguments)
    return answer
