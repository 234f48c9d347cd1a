"""Where the commands work: the local desk or a deployed stack, known by the stack's outputs."""

import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.cli.errors import Refused
from infra.engine.deploy import Deployed, webhook_url
from infra.engine.launcher import HOME
from infra.world.client import WorldClient

HEALTH_SECONDS = 2.0
LOCAL_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Place:
    """A desk that runs somewhere."""

    stack: str
    region: str
    outputs: Mapping[str, str]
    endpoint: str = ""
    """Of the local engine; empty on AWS."""
    platforms: str = ""
    """Of the local world; empty on AWS."""

    @property
    def local(self) -> bool:
        return bool(self.platforms)

    def output(self, name: str) -> str:
        if name not in self.outputs:
            raise Refused(f"the stack {self.stack} has no output {name}: deploy it from this version first.")
        return self.outputs[name]

    def webhook(self, channel: str, connection: str) -> str:
        """Our address for a platform: ``<function url>/<connection>``."""
        url = webhook_url(self.outputs, channel)
        if not url:
            raise Refused(f"the stack {self.stack} has no webhook for {channel}.")
        return f"{url}/{connection}"

    def world(self) -> WorldClient:
        if not self.local:
            raise Refused("this works on the local desk only: on a deployed stack the customers are real.")
        return WorldClient(self.platforms)

    def enter(self) -> None:
        """Let ``sportello.aws`` in this process work on this desk, with nothing of another one left."""
        from sportello.aws import clients
        from sportello.aws.environment import environment
        from sportello.aws.logging import logger

        if self.local:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                del os.environ[name]
        os.environ.update(self._variables())
        clients.forget()
        environment.cache_clear()
        logger.setLevel("CRITICAL")  # JSON lines are for the functions' logs

    def _variables(self) -> dict[str, str]:
        own = {
            "TABLE": self.output("TableName"),
            "OUTBOX_QUEUE_URL": self.output("OutboxQueueUrl"),
            "ESCALATION_QUEUE_URL": self.output("EscalationQueueUrl"),
            "MEDIA_QUEUE_URL": self.output("MediaQueueUrl"),
            "CONSULT_QUEUE_URL": self.output("ConsultQueueUrl"),
            "BUCKET": self.output("BucketName"),
            "ID_SALT": self.output("IdSalt"),
            "STACK": self.stack,
            "CLOCK": "local" if self.local else "real",
            "PLATFORMS": self.platforms,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }
        if self.local:
            nowhere = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
            world = {"AWS_ENDPOINT_URL_SESV2": self.platforms} if self.platforms else {}
            own |= {"AWS_ENDPOINT_URL": self.endpoint, **world, **LOCAL_KEYS, **nowhere}
        return own


def find(stack: str = "", region: str = "", home: Path = HOME) -> Place:
    """The named stack, else the local desk. Raises Refused where there is neither."""
    return deployed(stack, region) if stack else local(home)


def local(home: Path = HOME) -> Place:
    try:
        desk = Deployed.load(home)
    except FileNotFoundError:
        raise Refused(f"no local desk. {_REMEDY}") from None
    except ValueError:
        raise Refused(f"{home / 'desk.json'} cannot be read. Start anew: make run ARGS=--reset") from None
    if not _answers(desk.endpoint):
        raise Refused(f"the local desk is not up. {_REMEDY}")
    return Place(
        stack=desk.stack,
        region=desk.region,
        outputs=desk.outputs,
        endpoint=desk.endpoint,
        platforms=desk.platforms,
    )


_REMEDY = "Start it in another terminal with `make run`, or name a deployed stack: --stack NAME"


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=HEALTH_SECONDS):
            return True
    except OSError:
        return False


def deployed(stack: str, region: str) -> Place:
    """A stack on AWS, with the credentials of whoever calls."""
    import boto3
    from botocore.exceptions import ClientError

    session = boto3.session.Session(region_name=region or None)
    if not session.region_name:
        raise Refused("which region? Name it: --region eu-south-1, for example.")
    formation = session.client("cloudformation")
    try:
        found = formation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise Refused(f"there is no stack {stack!r} in {session.region_name}: check --region.") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    return Place(stack=found["StackName"], region=session.region_name, outputs=outputs)
