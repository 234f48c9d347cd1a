"""The whole desk on this machine: engine, world, stack and connections, as ``make run`` starts them."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from infra.engine.deploy import Deployed, deploy, webhook_url
from infra.engine.launcher import HOME, PORT, Engine
from infra.engine.package import TEMPLATES
from infra.world import company
from infra.world.client import WorldClient
from infra.world.model import PlatformAccount, Setup
from infra.world.platform import StandIn
from infra.world.server import STATE_FILE, World

MAIL_FROM = "desk@example.com"
SLACK_PATH = "/services/T0LOCAL/B0LOCAL/local-desk"
CONNECTION = "main"
PUTS_AT_ONCE = 8


class LocalDesk:
    """Engine, world and stack; ``seconds`` tells what the start took its time for."""

    def __init__(self, home: Path = HOME, templates: Path = TEMPLATES) -> None:
        self.home = home
        self.templates = templates
        self.engine = Engine(home)
        self.seconds: dict[str, float] = {}
        self.accounts: dict[str, PlatformAccount] = {}
        """What is connected, by channel."""

    def start(
        self, *, auth: bool = False, reset: bool = False, port: int = PORT, clock: str = "local"
    ) -> None:
        """Bring everything up; on any failure everything is down again."""
        try:
            if reset:
                (self.home / STATE_FILE).unlink(missing_ok=True)
            self.world = World(0, self.home)
            self._timed("world", self.world.start)
            # Where the phones had to forget, the desk may not remember: its customers would be others.
            anew = reset or self.world.forgot
            self._timed("engine", lambda: self.engine.start(auth=auth, reset=anew, port=port))
            self.client = WorldClient(self.world.url)
            parameters = {"Clock": clock, "Platforms": self.world.url, "MailFrom": MAIL_FROM}
            self._timed("stack", lambda: self._deploy(parameters))
            self._timed("connections", self._connect)
        except BaseException:
            self.stop()
            raise

    def _timed(self, what: str, step: Callable[[], object]) -> None:
        started = time.monotonic()
        step()
        self.seconds[what] = time.monotonic() - started

    def _deploy(self, parameters: Mapping[str, str]) -> None:
        self.deployed: Deployed = deploy(
            self.engine.endpoint, self.home, parameters=parameters, templates=self.templates
        )

    def _connect(self) -> None:
        """Every channel that has both a stand-in and a function: the secret here, the account there."""
        stored = {
            "slack/care": f"https://hooks.slack.com{SLACK_PATH}",
            "hook/main": json.dumps({"secret": company.LOCAL_SECRET, "url": f"https://{company.HOST}/"}),
        }
        for name, stand_in in self.world.channels.items():
            address = self._address(stand_in)
            if address:
                account = stand_in.local_account().model_copy(update={"webhook_url": address})
                self.accounts[name] = account
                stored[f"{name}/{CONNECTION}"] = json.dumps(stand_in.local_connection(account))
        self._store(stored)
        entries = tuple(account.at(name) for name, account in self.accounts.items())
        self.client.setup(Setup(accounts=entries, slack=(SLACK_PATH,)))

    def _address(self, stand_in: StandIn) -> str:
        """Where the platform delivers: our function's address, or the bucket that a function reads."""
        outputs = self.deployed.outputs
        if not stand_in.webhooks:
            return f"{self.deployed.endpoint}/{outputs['BucketName']}"
        url = webhook_url(outputs, stand_in.name)
        return f"{url}/{CONNECTION}" if url else ""

    def _store(self, secrets: Mapping[str, str]) -> None:
        ssm = self.deployed.client("ssm")

        def put(name: str) -> None:
            path = f"/{self.deployed.stack}/{name}"
            ssm.put_parameter(Name=path, Value=secrets[name], Type="SecureString", Overwrite=True)

        with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
            list(pool.map(put, secrets))

    def environment(self) -> dict[str, str]:
        """What makes ``sportello.aws`` in this process work on this desk, as its root user."""
        outputs = self.deployed.outputs
        return {
            "AWS_ENDPOINT_URL": self.deployed.endpoint,
            "AWS_DEFAULT_REGION": self.deployed.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "TABLE": outputs["TableName"],
            "OUTBOX_QUEUE_URL": outputs["OutboxQueueUrl"],
            "ESCALATION_QUEUE_URL": outputs["EscalationQueueUrl"],
            "MEDIA_QUEUE_URL": outputs["MediaQueueUrl"],
            "CONSULT_QUEUE_URL": outputs["ConsultQueueUrl"],
            "BUCKET": outputs["BucketName"],
            "ID_SALT": outputs["IdSalt"],
            "STACK": self.deployed.stack,
            "CLOCK": "local",
            "PLATFORMS": self.deployed.platforms,
            "AWS_ENDPOINT_URL_SESV2": self.deployed.platforms,
            "MAIL_FROM": MAIL_FROM,
        }

    def stop(self) -> None:
        if hasattr(self, "world"):
            self.world.stop()
        self.engine.stop()

    def __enter__(self) -> "LocalDesk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
