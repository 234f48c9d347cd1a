"""``connect``, the same for every channel: what it asks, what it keeps, in which order it does it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest
from typer.testing import CliRunner, Result

from infra.cli import connect
from infra.cli.answers import draft
from infra.cli.app import app
from infra.cli.channels import channel_names
from infra.cli.place import Place
from sportello.aws import secrets
from sportello.aws.environment import environment
from sportello.channels.base import (
    Account,
    Channel,
    ConnectError,
    Connection,
    Outbound,
    Probed,
    Question,
    Request,
    SendOutcome,
    Sent,
)
from sportello.channels.http import Http
from sportello.domain.events import PlatformEvent
from sportello.domain.model import Instant
from sportello.workers import channel as real_channel

TOKEN = "token-nobody-may-see"
URL = "https://abc.lambda-url.eu-south-1.on.aws/main"
NEEDED = (
    "TableName", "BucketName", "OutboxQueueUrl", "EscalationQueueUrl", "MediaQueueUrl", "ConsultQueueUrl",
    "IdSalt",
)  # fmt: skip
OUTPUTS = dict.fromkeys(NEEDED, "x") | {"TelegramUrl": URL.removesuffix("main")}
Run = Callable[..., Result]


@dataclass
class Steps:
    """What was done, in its order."""

    done: list[str] = field(default_factory=list)
    refuses: str = ""
    account: str = "7"


class Platform(Channel):
    """A platform that asks for something of every kind."""

    name: ClassVar[str] = "telegram"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "messenger"
    text_limit: ClassVar[int] = 1
    deadline: ClassVar[Instant] = 1_000
    questions: ClassVar[tuple[Question, ...]] = (
        Question(name="page", text="Page id"),
        Question(name="region", text="Region", default="eu"),
        Question(name="nick", text="Nickname", optional=True),
        Question(name="token", text="Access token", secret=True),
        Question(name="spare", text="Spare key", secret=True, optional=True),
        Question(name="secret", text="Webhook secret", secret=True, made=True),
    )

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def verify(self, request: Request, connection: Connection) -> bool:
        return False

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        return ()

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        return Sent(id="1")

    def probe(self, connection: Connection, http: Http) -> Probed:
        self.steps.done.append("probe")
        if connection.token != TOKEN:
            raise ConnectError("Copy the token again.")
        return Probed(accounts=(Account(id=self.steps.account, name="The page"),), settings={"plan": "big"})

    def register(self, connection: Connection, url: str, http: Http) -> str:
        self.steps.done.append(f"register {url}")
        if self.steps.refuses:
            raise ConnectError(self.steps.refuses)
        return "Click on Verify."


class ByMail(Platform):
    webhooks: ClassVar[bool] = False


class SignsAddresses(Platform):
    keeps_url: ClassVar[bool] = True


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, steps: Steps) -> dict[str, str]:
    """The stored secrets, by their path."""
    texts: dict[str, str] = {}

    def write(folder: str, name: str, text: str) -> None:
        steps.done.append("store")
        texts[f"{folder}/{name}"] = text

    def read(folder: str) -> dict[str, str]:
        return {path.split("/")[1]: text for path, text in texts.items() if path.startswith(f"{folder}/")}

    monkeypatch.setattr(secrets, "write_secret", write)
    monkeypatch.setattr(secrets, "read_secrets", read)
    return texts


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, steps: Steps, kept: dict[str, str]) -> Iterator[Run]:
    for name in (*OUTPUTS, "TOKEN", "SPARE", "SECRET", "PAGE"):
        monkeypatch.delenv(f"SPORTELLO_{name}", raising=False)
    place = Place("desk", "eu-south-1", OUTPUTS)
    for name, value in place._variables().items():
        monkeypatch.setenv(name, value)
    environment.cache_clear()
    monkeypatch.setattr(connect, "place_of", lambda context: place)
    monkeypatch.setattr(connect, "channel_of", lambda name: Platform(steps))

    def unsigned(url: str) -> int:
        steps.done.append("look")
        return 401

    monkeypatch.setattr(connect, "unsigned", unsigned)

    def invoke(*arguments: str, **variables: str) -> Result:
        env = {f"SPORTELLO_{name}": value for name, value in variables.items()}
        return CliRunner().invoke(app, ("connect", "telegram", *arguments), env=env)

    yield invoke
    environment.cache_clear()


def stored(kept: dict[str, str], name: str = "main") -> Connection:
    return Connection.model_validate({"name": name, **json.loads(kept[f"telegram/{name}"])})


PAGE = ("--set", "page=7")


def test_it_asks_probes_stores_waits_registers_and_says_what_is_left(
    run: Run, steps: Steps, kept: dict[str, str]
) -> None:
    told = run(*PAGE, TOKEN=TOKEN)
    assert told.exit_code == 0, told.output
    assert steps.done == ["probe", "store", "look", f"register {URL}"]
    for words in ("Checked: The page.", "/desk/telegram/main", f"Live: {URL}", "Click on Verify."):
        assert words in told.stdout
    assert TOKEN not in told.output
    connection = stored(kept)
    assert connection.token == TOKEN
    assert [account.id for account in connection.accounts] == ["7"]
    assert connection.settings == {"page": "7", "region": "eu", "plan": "big"}
    assert len(connection.secrets) == 1
    assert len(connection.secrets[0]) >= 40


def test_what_is_made_up_is_made_up_once(run: Run, kept: dict[str, str]) -> None:
    run(*PAGE, TOKEN=TOKEN)
    first = stored(kept).secrets
    assert run().exit_code == 0  # everything is kept: nothing has to be said again
    assert stored(kept).secrets == first
    told = run("--new-secret")
    assert "within 5 minutes" in told.stdout
    assert stored(kept).secrets[1:] == first
    assert stored(kept).secrets[0] != first[0]


def test_a_secret_of_ones_own_is_taken_from_the_environment(run: Run, kept: dict[str, str]) -> None:
    run(*PAGE, TOKEN=TOKEN, SECRET="my-own", SPARE="a-spare")
    assert stored(kept).secrets == ("my-own",)
    assert stored(kept).settings["spare"] == "a-spare"


def test_a_role_that_was_given_by_hand_stays(run: Run, kept: dict[str, str]) -> None:
    run(*PAGE, TOKEN=TOKEN)
    kept["telegram/main"] = kept["telegram/main"].replace('"id": "7"', '"id": "7", "role": "official"')
    run()
    assert stored(kept).accounts == (Account(id="7", name="The page", role="official"),)


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ((), {"TOKEN": TOKEN}, "Page id: add --set page="),
        (PAGE, {}, "Access token: set SPORTELLO_TOKEN"),
        (PAGE, {"TOKEN": "a b"}, "copy it again, whole"),
        (PAGE, {"TOKEN": "tokèn"}, "copy it again, whole"),
        (("--set", "page= "), {"TOKEN": TOKEN}, "Page id: empty"),
        (("--set", "page"), {"TOKEN": TOKEN}, "NAME=VALUE"),
        (("--set", "colour=red"), {"TOKEN": TOKEN}, "it asks for: page, region, nick"),
        (("--set", f"token={TOKEN}"), {}, "set SPORTELLO_TOKEN"),
        (("--set", "secret=x"), {}, "set SPORTELLO_SECRET"),
    ],
)
def test_an_answer_that_is_none_is_told_before_anything_is_done(
    run: Run, steps: Steps, arguments: tuple[str, ...], variables: dict[str, str], words: str
) -> None:
    told = run(*arguments, **variables)
    assert told.exit_code == 1
    assert words in told.stderr
    assert TOKEN not in told.stderr
    assert steps.done == []


def test_a_token_that_the_platform_refuses_is_not_stored(
    run: Run, steps: Steps, kept: dict[str, str]
) -> None:
    told = run(*PAGE, TOKEN="wrong")
    assert told.stderr.strip() == "Error: Copy the token again."
    assert (steps.done, kept) == (["probe"], {})


def test_an_account_is_connected_once(run: Run, kept: dict[str, str]) -> None:
    run(*PAGE, TOKEN=TOKEN)
    told = run(*PAGE, "--name", "second", TOKEN=TOKEN)
    assert "connected already, as main" in told.stderr
    assert list(kept) == ["telegram/main"]


def test_a_connection_does_not_change_its_account(run: Run, steps: Steps, kept: dict[str, str]) -> None:
    run(*PAGE, TOKEN=TOKEN)
    steps.account = "8"
    assert "--name NAME" in run().stderr
    assert stored(kept).accounts[0].id == "7"


def test_a_webhook_that_stays_away_is_told_with_its_address(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "LIVE_SECONDS", -1.0)
    monkeypatch.setattr(connect, "unsigned", lambda url: 404)
    told = run(*PAGE, TOKEN=TOKEN)
    assert told.exit_code == 1
    assert f"{URL} answers 404" in told.stderr


def test_what_is_handed_over_by_aws_waits_for_no_webhook(
    run: Run, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "channel_of", lambda name: ByMail(steps))
    assert run(*PAGE, TOKEN=TOKEN).exit_code == 0
    assert steps.done == ["probe", "store", "register "]


def test_a_refusal_right_after_a_new_secret_says_to_wait(run: Run, steps: Steps) -> None:
    run(*PAGE, TOKEN=TOKEN)
    steps.refuses = "The address could not be validated."
    assert "Connect again then" not in run().stderr
    told = run("--new-secret").stderr
    assert "could not be validated" in told
    assert "Connect again then" in told


@pytest.mark.usefixtures("run")
def test_a_terminal_asks_hides_and_keeps(
    steps: Steps, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool, object]] = []
    said = {"Page id": "7", "Region": "us", "Nickname": "", "Access token": TOKEN, "Spare key": ""}

    def prompt(text: str, *, hide_input: bool = False, default: object = None, **_: object) -> str:
        asked.append((text, hide_input, default))
        return said[text.removesuffix(" (optional)").removesuffix(" (empty: as before)")]

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    ask(steps)
    assert asked == [
        ("Page id", False, None),
        ("Region", False, "eu"),
        ("Nickname", False, ""),
        ("Access token", True, None),
        ("Spare key (optional)", True, ""),
    ]
    asked.clear()
    said["Access token"] = ""
    ask(steps)
    assert asked[0] == ("Page id", False, "7")
    assert ("Access token (empty: as before)", True, "") in asked
    assert stored(kept).token == TOKEN


def ask(steps: Steps) -> None:
    """Inside this process, where the terminal is."""
    platform = Platform(steps)
    before = secrets.read_connections("telegram").get("main")
    asked = draft(platform, "main", before, {}, renew=False)
    connect._store(platform, connect._as_probed(asked, platform.probe(asked, Http()), before), before)


@pytest.mark.parametrize("name", ["messenger", "instagram", "whatsapp"])
def test_what_is_seldom_needed_is_never_asked_for_but_set_kept_and_taken_back(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = real_channel(name)
    for question in channel.questions:
        if not question.seldom:
            monkeypatch.setenv(f"SPORTELLO_{question.name.upper()}", "as-asked-for")
    setting = {"appsecret_proof": "yes"}
    first = draft(channel, "main", None, setting, renew=False)
    again = draft(channel, "main", first, {}, renew=False)
    emptied = draft(channel, "main", again, {"appsecret_proof": ""}, renew=False)
    assert first.settings["appsecret_proof"] == again.settings["appsecret_proof"] == "yes"
    assert "appsecret_proof" not in emptied.settings


@pytest.mark.parametrize("name", channel_names())
def test_every_channel_asks_in_words_and_for_something_to_check_webhooks_with(name: str) -> None:
    channel = real_channel(name)
    names = [question.name for question in channel.questions]
    assert len(names) == len(set(names))
    assert all(len(question.text) > 10 and not question.text.endswith(".") for question in channel.questions)
    if channel.webhooks:
        assert "secret" in names
    assert all(question.secret for question in channel.questions if question.name in ("secret", "token"))


@pytest.mark.parametrize("name", channel_names())
def test_the_help_of_every_channel_names_its_secrets_and_takes_none(name: str) -> None:
    shown = CliRunner().invoke(app, ("connect", name, "--help")).stdout
    options = {word.split("=")[0] for word in shown.split() if word.startswith("--")}
    assert options == {"--name", "--set", "--new-secret", "--help"}
    for question in real_channel(name).questions:
        if question.secret and not question.made:
            assert f"SPORTELLO_{question.name.upper()}" in shown


def test_an_address_that_the_platform_signs_is_kept(
    run: Run, steps: Steps, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "channel_of", lambda name: SignsAddresses(steps))
    assert run(*PAGE, TOKEN=TOKEN).exit_code == 0
    assert stored(kept).settings["url"] == URL
