"""The whole desk on this machine: engine, world, stack and connections, as ``make run`` starts them."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.engine.deploy import Deployed, deploy
from infra.engine.launcher import HOME, PORT, Engine
from infra.world.client import WorldClient
from infra.world.model import Setup, TelegramBot, WhatsAppNumber
from infra.world.server import STATE_FILE, World

MAIL_FROM = "desk@example.com"
SLACK_PATH = "/services/T0LOCAL/B0LOCAL/local-desk"
CONNECTION = "main"

# Fake credentials of fake platforms: they open nothing outside this machine.
TELEGRAM = TelegramBot(
    token="100200300:local-desk-token",  # noqa: S106
    id=100200300,
    username="local_desk_bot",
    secret="local-desk-secret",  # noqa: S106
)
WHATSAPP = WhatsAppNumber(
    phone_number_id="100000000000001",
    waba_id="100000000000002",
    token="local-desk-token",  # noqa: S106
    display_phone_number="15550100100",
    app_secret="local-desk-app-secret",  # noqa: S106
)


class LocalDesk:
    """Engine, world and stack; ``seconds`` tells what the start took its time for."""

    def __init__(self, home: Path = HOME) -> None:
        self.home = home
        self.engine = Engine(home)
        self.seconds: dict[str, float] = {}

    def start(
        self, *, auth: bool = False, reset: bool = False, port: int = PORT, clock: str = "local"
    ) -> None:
        """Bring everything up; on any failure everything is down again."""
        try:
            self._timed("engine", lambda: self.engine.start(auth=auth, reset=reset, port=port))
            if reset:
                (self.home / STATE_FILE).unlink(missing_ok=True)
            self.world = World(0, self.home)
            self._timed("world", self.world.start)
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
        self.deployed: Deployed = deploy(self.engine.endpoint, self.home, parameters=parameters)

    def _connect(self) -> None:
        urls = self.deployed.outputs
        ssm = self.deployed.client("ssm")
        telegram = {
            "secrets": [TELEGRAM.secret],
            "token": TELEGRAM.token,
            "accounts": [{"id": TELEGRAM.account, "role": "care", "name": TELEGRAM.username}],
        }
        whatsapp = {
            "secrets": [WHATSAPP.app_secret],
            "token": WHATSAPP.token,
            "accounts": [{"id": WHATSAPP.account, "role": "care"}],
            "settings": {"verify_token": "local-desk-verify", "waba_id": WHATSAPP.waba_id},
        }
        for channel, secret in (("telegram", telegram), ("whatsapp", whatsapp)):
            self._put(ssm, f"{channel}/{CONNECTION}", json.dumps(secret))
        self._put(ssm, "slack/care", f"https://hooks.slack.com{SLACK_PATH}")
        self.client.setup(
            Setup(
                telegram=(
                    TELEGRAM.model_copy(update={"webhook_url": f"{urls['TelegramUrl']}/{CONNECTION}"}),
                ),
                whatsapp=(
                    WHATSAPP.model_copy(update={"webhook_url": f"{urls['WhatsAppUrl']}/{CONNECTION}"}),
                ),
                slack=(SLACK_PATH,),
            )
        )

    def _put(self, ssm: Any, name: str, value: str) -> None:
        ssm.put_parameter(
            Name=f"/{self.deployed.stack}/{name}", Value=value, Type="SecureString", Overwrite=True
        )

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
            "BUCKET": outputs["BucketName"],
            "ID_SALT": outputs["IdSalt"],
            "STACK": self.deployed.stack,
            "CLOCK": "local",
            "PLATFORMS": self.deployed.platforms,
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
