"""Connections of a channel: SSM SecureStrings ``/<stack>/<channel>/<connection>``, 4 KB each.

Read by one signed request instead of an SSM client, which would cost 26 ms of every cold start.
Kept for 300 s; an unknown connection refreshes at most every 15 s. A failure is never remembered.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from pydantic import ValidationError

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.channels.base import Connection

KEPT_SECONDS = 300
REFRESH_SECONDS = 15
SECRET_LIMIT = 4096
"""Bytes of a standard SSM parameter; the engine does not check it."""


class SecretsUnavailable(Exception):
    """The secrets could not be read now: answer 503, the platform will try again."""


class UnknownConnection(Exception):
    """No such connection: the address is dormant."""


class Connections:
    """The connections of one channel, cached in the process."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._connections: Mapping[str, Connection] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def get(self, name: str) -> Connection:
        """The connection by name.

        Raises:
            UnknownConnection: there is no such secret, or it is not a connection.
            SecretsUnavailable: SSM did not answer, or a secret is broken.
        """
        with self._lock:
            age = time.monotonic() - self._read_at
            if age > KEPT_SECONDS or (name not in self._connections and age > REFRESH_SECONDS):
                self._connections = read_connections(self._channel)
                self._read_at = time.monotonic()
        try:
            return self._connections[name]
        except KeyError:
            raise UnknownConnection(name) from None

    def prime(self) -> None:
        """Read now; a failure is left to the first request."""
        try:
            self._connections = read_connections(self._channel)
        except SecretsUnavailable:
            return
        self._read_at = time.monotonic()


def read_connections(channel: str) -> dict[str, Connection]:
    """All connections of a channel, by name."""
    return {name: _connection(channel, name, text) for name, text in read_secrets(channel).items()}


def read_secrets(folder: str) -> dict[str, str]:
    """Decrypted texts below ``/<stack>/<folder>/``, by their last name."""
    path = f"/{environment().stack}/{folder}/"
    found: dict[str, str] = {}
    token = ""
    while True:
        answer = _get_parameters_by_path(path, token)
        for parameter in answer.get("Parameters", ()):
            found[parameter["Name"].rsplit("/", 1)[-1]] = parameter["Value"]
        token = str(answer.get("NextToken") or "")
        if not token:
            return found


class SecretTooLong(ValueError):
    """SSM's standard parameters hold 4,096 bytes."""


def write_secret(folder: str, name: str, text: str) -> None:
    """Store or replace ``/<stack>/<folder>/<name>`` as a SecureString. Raises SecretTooLong."""
    if (length := len(text.encode())) > SECRET_LIMIT:
        raise SecretTooLong(f"the secret has {length} bytes; SSM takes {SECRET_LIMIT}")
    clients.session().client("ssm").put_parameter(
        Name=f"/{environment().stack}/{folder}/{name}", Value=text, Type="SecureString", Overwrite=True
    )


def _connection(channel: str, name: str, text: str) -> Connection:
    try:
        return Connection.model_validate({"name": name, **json.loads(text)})
    except (ValueError, TypeError, ValidationError) as error:
        kind = type(error).__name__
        raise SecretsUnavailable(f"the secret of {channel}/{name} is not a connection ({kind})") from None


def _get_parameters_by_path(path: str, token: str) -> dict[str, Any]:
    session = clients.session()
    region = session.region_name or "us-east-1"
    endpoint = (
        os.environ.get("AWS_ENDPOINT_URL_SSM")
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://ssm.{region}.{_suffix(region)}/"
    )
    body = {"Path": path, "WithDecryption": True, "Recursive": False, "MaxResults": 10}
    if token:
        body["NextToken"] = token
    request = AWSRequest(
        method="POST",
        url=endpoint,
        data=json.dumps(body),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonSSM.GetParametersByPath",
        },
    )
    try:
        SigV4Auth(session.get_credentials(), "ssm", region).add_auth(request)
        answer = URLLib3Session(timeout=(1, 3)).send(request.prepare())
        status, text = answer.status_code, answer.text
    except Exception as error:  # whatever goes wrong here, the answer is "not now"
        raise SecretsUnavailable(f"SSM did not answer: {type(error).__name__}") from None
    if status != 200:
        raise SecretsUnavailable(f"SSM answered {status}")
    answered: dict[str, Any] = json.loads(text)
    return answered


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
