"""One short question to a model on Amazon Bedrock: Converse, without tools, memory or streaming.

Only where ``desk.yaml`` says ``faq: {answerer: bedrock, …}`` does the consult worker call this; the
customer's words then leave for Bedrock in the region named there.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sportello.aws.clients import session

# A customer waits, and there is another answerer: one try, five seconds in all.
_CONFIG = Config(connect_timeout=1, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 1})

_NO_ANSWER = (BotoCoreError, ResponseParserError, LookupError, TypeError, ValueError)


class BedrockUnavailable(Exception):
    """No answer in time, none allowed, or none that is text; says which, never what was asked."""


@cache
def client(region: str) -> Any:
    return session().client("bedrock-runtime", region_name=region or None, config=_CONFIG)


def converse(model: str, region: str, *, system: str, text: str, most_tokens: int) -> str:
    """What the model says.

    Args:
        model: id of a model or of an inference profile.
        region: empty: the function's own.
        system: the task, ours; ``text`` is somebody else's words.

    Raises:
        BedrockUnavailable: whatever the reason.
    """
    try:
        answer = client(region).converse(
            modelId=model,
            system=[{"text": system}],
            messages=[{"role": "user", "content": [{"text": text}]}],
            inferenceConfig={"maxTokens": most_tokens, "temperature": 0},
        )
        parts = answer["output"]["message"]["content"]
        return "".join(part["text"] for part in parts)
    except ClientError as error:
        raise BedrockUnavailable(error.response.get("Error", {}).get("Code", "ClientError")) from None
    except _NO_ANSWER as error:
        raise BedrockUnavailable(type(error).__name__) from None
