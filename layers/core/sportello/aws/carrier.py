"""The client of the workers: platforms by HTTP, and those that are services of AWS by its SDK.

Nothing is tried again here, as in ``Http``: an answer that is lost may have been a yes, and neither SES
nor End User Messaging knows a message by an id of ours.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ProxyConnectionError,
    SSLError,
)

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.channels.http import CONNECT_SECONDS, READ_SECONDS, AwsRefused, Http, NoAnswer, NotConnected

_NEVER_LEFT = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProxyConnectionError,
    SSLError,
)
_NOT_VERIFIED = re.compile(r"not verified", re.IGNORECASE)


class Carrier(Http):
    """``Http`` that also speaks to SES (``sesv2``) and End User Messaging (``pinpoint-sms-voice-v2``)."""

    def aws(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        given = dict(arguments)
        if (service, operation) == ("sesv2", "SendEmail") and environment().mail_events:
            given.setdefault("ConfigurationSetName", environment().mail_events)
        try:
            answer = getattr(_client(service), xform_name(operation))(**given)
        except ClientError as error:
            raise _refusal(error) from None
        except ParamValidationError:
            raise AwsRefused("ParamValidation", 400) from None
        except _NEVER_LEFT as error:
            raise NotConnected(type(error).__name__) from None
        except (BotoCoreError, ConnectionError) as error:
            raise NoAnswer(type(error).__name__) from None
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _refusal(error: ClientError) -> AwsRefused:
    """SES has one name for two things; a text that names addresses goes no further."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "MessageRejected" and _NOT_VERIFIED.search(str(error.response["Error"].get("Message", ""))):
        code = "NotVerified"
    return AwsRefused(code, status)


@cache
def _client(service: str) -> Any:
    return clients.session().client(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 1},
        ),
    )


def forget() -> None:
    """The next client is made for the environment as it is then (tests, command line)."""
    _client.cache_clear()
