"""AWS in this process, made new for every test from the real template."""

import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.ses.models import ses_backends
from moto.sesv2.models import sesv2_backends
from moto.sqs.models import sqs_backends

from infra.bundle import Bundle, load
from infra.engine.template import read_template
from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.aws.logging import logger
from sportello.domain.staff import Target, Team
from sportello.services import desk as desk_seam
from sportello.services import guidelines
from tests.integration.faults import Faults
from tests.integration.stage import OPEN, SALT, Stage

ROOT = Path(__file__).resolve().parents[2]
MAIL_FROM = "desk@example.com"


@pytest.fixture(scope="session", autouse=True)
def _one_call_at_a_time() -> Iterator[None]:
    """The fake is not atomic under threads; AWS is. One lock around every call makes it so."""
    lock, call = threading.RLock(), BotocoreStubber.__call__

    def locked(self: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        if getattr(request, "answered", False):
            return None  # a fault answered in the fake's place: nothing is executed
        with lock:
            return call(self, event_name, request, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BotocoreStubber, "__call__", locked)
        yield


@pytest.fixture(scope="session")
def resources() -> dict[str, Any]:
    found: dict[str, Any] = read_template()["Resources"]
    return found


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The texts and phrases that the project ships."""
    return load(ROOT / "templates", at=OPEN)


@pytest.fixture(scope="session")
def _account() -> Iterator[None]:
    """The fake and its clients: a client takes longer to make than most tests take to run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SESV2", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "fake")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))  # between tries
        with mock_aws():
            clients.forget()
            yield
        clients.forget()


@pytest.fixture
def aws(_account: None, monkeypatch: pytest.MonkeyPatch, resources: dict[str, Any]) -> Iterator[Faults]:
    """An account in which nothing was done yet."""
    for backends in (dynamodb_backends, sqs_backends, s3_backends, sesv2_backends, ses_backends):
        backends.reset()
    for name, value in _deploy(resources).items():
        monkeypatch.setenv(name, value)
    environment.cache_clear()
    faults = Faults()
    yield faults
    faults.remove()
    environment.cache_clear()


def _deploy(resources: dict[str, Any]) -> dict[str, str]:
    """What the template makes, as far as services meet it; returns the functions' environment."""
    table = resources["Table"]["Properties"]
    names = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    clients.dynamodb().create_table(TableName="desk", **{name: table[name] for name in names})
    assert resources["OutboxQueue"]["Properties"]["FifoQueue"] is True
    fifo = {"FifoQueue": "true"}
    clients.s3().create_bucket(Bucket="desk-bucket")
    clients.sesv2().create_email_identity(EmailIdentity=MAIL_FROM)
    return {
        "TABLE": "desk",
        "OUTBOX_QUEUE_URL": clients.sqs().create_queue(QueueName="out.fifo", Attributes=fifo)["QueueUrl"],
        "ESCALATION_QUEUE_URL": clients.sqs().create_queue(QueueName="calls")["QueueUrl"],
        "MEDIA_QUEUE_URL": clients.sqs().create_queue(QueueName="media")["QueueUrl"],
        "CONSULT_QUEUE_URL": clients.sqs().create_queue(QueueName="consult")["QueueUrl"],
        "BUCKET": "desk-bucket",
        "ID_SALT": SALT,
        "STACK": "sportello",
        "CLOCK": "real",
        "PLATFORMS": "",
        "MAIL_FROM": MAIL_FROM,
    }


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What the functions log, as it is written."""
    written = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    level = logger.log_level
    logger.setLevel("INFO")  # the command line, tested in this process, silences it
    yield written
    logger.setLevel(level)


@pytest.fixture
def stage(aws: Faults, bundle: Bundle) -> Iterator[Stage]:
    """A desk that is open Monday to Friday 9-13 and 14-18 in Rome and tells a Slack channel and a mailbox."""
    told = (Target(slack="care"), Target(email="care@example.com"))
    fields = {
        "name": "Desk",
        "time_zone": "Europe/Rome",
        "languages": ("it", "en"),
        "hours": "Mo-Fr 09:00-13:00,14:00-18:00",
        "holidays": "",
        "exceptions": (),
        "teams": {"care": Team(tell=told)},
        "faq_words": frozenset(),  # what the outside is asked has tests of its own
    }
    guidelines.use(bundle.guidelines)
    yield Stage(desk=bundle.desk.model_copy(update=fields), texts=bundle.texts)
    desk_seam.use(None)
    guidelines.use(None)
