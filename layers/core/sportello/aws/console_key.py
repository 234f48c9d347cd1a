"""The key with which links of notices are signed: ``/<stack>/console/key``, made when it is first needed.

The parameter may hold several keys, separated by spaces: the first signs, all are good. Deleting it makes
every link that was sent worthless, and the next notice makes a new one.
"""

import secrets as random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from sportello.aws import clients, secrets
from sportello.aws.environment import environment
from sportello.aws.secrets import SecretsUnavailable

FOLDER, NAME = "console", "key"
BYTES = 32


class ConsoleKey:
    """The keys, cached in the process as connections are."""

    def __init__(self) -> None:
        self._keys: tuple[bytes, ...] = ()
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def signing(self) -> bytes:
        """The key to sign with; it is made where there is none. Raises SecretsUnavailable."""
        found = self.good()
        return found[0] if found else self._made()

    def good(self) -> tuple[bytes, ...]:
        """Keys that may have signed; empty before the first notice. Raises SecretsUnavailable."""
        with self._lock:
            age = time.monotonic() - self._read_at
            if age > (secrets.KEPT_SECONDS if self._keys else secrets.REFRESH_SECONDS):
                self._read()
            return self._keys

    def _read(self) -> None:
        text = secrets.read_secrets(FOLDER).get(NAME, "")
        self._keys = tuple(part.encode() for part in text.split())
        self._read_at = time.monotonic()

    def _made(self) -> bytes:
        """Whoever is first decides: the parameter is never overwritten, and read again."""
        try:
            clients.session().client("ssm").put_parameter(
                Name=f"/{environment().stack}/{FOLDER}/{NAME}",
                Value=random.token_urlsafe(BYTES),
                Type="SecureString",
                Overwrite=False,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code != "ParameterAlreadyExists":
                raise SecretsUnavailable(f"the console's key cannot be made: {code}") from None
        except BotoCoreError as error:
            raise SecretsUnavailable(f"the console's key cannot be made: {type(error).__name__}") from None
        with self._lock:
            self._read()
            if not self._keys:
                raise SecretsUnavailable("the console's key cannot be read yet")
            return self._keys[0]
