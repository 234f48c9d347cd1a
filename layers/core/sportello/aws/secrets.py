"""Connections of a channel: SSM SecureStrings ``/<stack>/<channel>/<connection>``, 4 KB each.

Read by one signed request instead of an SSM client, which would cost 26 ms of every cold start.
Kept for 300 s; an unknown connection refreshes at most every 15 s. A failure is never remembered.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

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
        self._connections: Mapping[str, Connection | SecretsUnavailable] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def get(self, name: str) -> Connection:
        """The connection by name.

        Raises:
            UnknownConnection: there is no such secret.
            SecretsUnavailable: SSM did not answer, or this secret is not a connection.
        """
        with self._lock:
            if self._stale(name):
                self._read()
            found = self._connections.get(name)
        if found is None:
            raise UnknownConnection(name)
        if isinstance(found, SecretsUnavailable):
            raise SecretsUnavailable(str(found))
        return found

    def _stale(self, name: str) -> bool:
        age, found = time.monotonic() - self._read_at, self._connections.get(name)
        if isinstance(found, SecretsUnavailable):
            return True
        return age > (REFRESH_SECONDS if found is None else KEPT_SECONDS)

    def _read(self) -> None:
        texts = read_secrets(self._channel)
        self._connections = {name: _try(self._channel, name, text) for name, text in texts.items()}
        self._read_at = time.monotonic()

    def prime(self) -> None:
        """Read now; a failure is left to the first request."""
        with suppress(SecretsUnavailable):
            self._read()


def read_connections(channel: str) -> dict[str, Connection]:
    """All connections of a channel, by name. Raises SecretsUnavailable where one of them is none."""
    return {name: _connection(channel, name, text) for name, text in read_secrets(channel).items()}


def read_secrets(folder: str) -> dict[str, str]:
    """Decrypted texts below ``/<stack>/<folder>/``, by their last name."""
    path = f"/{environment().stack}/{folder}/"
    found: dict[str, str] = {}
    token = ""
    while True:
        page, token = _page(_get_parameters_by_path(path, token))
        found |= page
        if not token:
            return found


def read_all() -> dict[str, dict[str, str]]:
    """Every secret of the stack: by folder, then by name."""
    found: dict[str, dict[str, str]] = {}
    pages = clients.session().client("ssm").get_paginator("get_parameters_by_path")
    path = f"/{environment().stack}/"
    for page in pages.paginate(Path=path, Recursive=True, WithDecryption=True):
        for entry in page["Parameters"]:
            folder, _, name = entry["Name"].removeprefix(path).partition("/")
            found.setdefault(folder, {})[name] = entry["Value"]
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


def _try(channel: str, name: str, text: str) -> Connection | SecretsUnavailable:
    """A secret that is broken harms its own connection only."""
    try:
        return _connection(channel, name, text)
    except SecretsUnavailable as error:
        return error


def _connection(channel: str, name: str, text: str) -> Connection:
    try:
        return Connection.model_validate({"name": name, **json.loads(text)})
    except (ValueError, TypeError, ValidationError) as error:
        kind = type(error).__name__
        raise SecretsUnavailable(f"the secret of {channel}/{name} is not a connection ({kind})") from None


def _page(text: str) -> tuple[dict[str, str], str]:
    try:
        answer = json.loads(text)
        named = {entry["Name"].rsplit("/", 1)[-1]: entry["Value"] for entry in answer["Parameters"]}
        return named, str(answer.get("NextToken") or "")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SecretsUnavailable(f"SSM's answer cannot be read ({type(error).__name__})") from None


def _get_parameters_by_path(path: str, token: str) -> str:
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
        status, text = answer.status_code, str(answer.text)
    except Exception as error:  # whatever goes wrong here, the answer is "not now"
        raise SecretsUnavailable(f"SSM did not answer: {type(error).__name__}") from None
    if status != 200:
        raise SecretsUnavailable(f"SSM answered {status}")
    return text


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
