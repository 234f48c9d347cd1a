"""The command line's edges: what it understands, and what it says where it cannot."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli import place, work
from infra.cli.app import app
from infra.cli.connect import _with_previous as with_previous
from infra.cli.errors import Refused, explained
from infra.cli.printable import printable
from infra.cli.scene import evening
from infra.cli.times import read_time, shown_age, shown_time
from infra.engine.deploy import Deployed
from sportello.channels.base import Account, Connection
from sportello.domain.desk import Desk
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND
from sportello.services.reply import NotAllowed

ZONE = "Europe/Rome"
EVENING = 1_795_461_300_000
"""2026-11-23 20:15 in Rome."""
OUTPUTS = {
    name: f"{name}-value"
    for name in (
        "TableName", "BucketName", "OutboxQueueUrl", "EscalationQueueUrl", "MediaQueueUrl",
        "ConsultQueueUrl", "IdSalt", "WhatsAppUrl",
    )
}  # fmt: skip

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No local desk, nothing of whoever runs the tests."""
    for name in ("SPORTELLO_STACK", "SPORTELLO_NAME", "SPORTELLO_TRACEBACK", "SPORTELLO_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(place, "HOME", tmp_path)
    monkeypatch.setattr(work, "find", lambda stack, region: place.find(stack, region, tmp_path))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    return lambda *arguments: CliRunner().invoke(app, arguments)


def refused(result: Result) -> str:
    """The one line that a person reads."""
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


# --- where ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("threads",),
        ("thread", "x"),
        ("reply", "x", "y"),
        ("claim", "x"),
        ("resolve", "x"),
        ("say", "whatsapp", "Hello"),
        ("clock",),
        ("redrive",),
        ("connect", "telegram"),
        ("connect", "whatsapp"),
        ("doctor",),
    ],
)
def test_without_a_desk_each_says_how_to_get_one(run: Run, arguments: tuple[str, ...]) -> None:
    line = refused(run(*arguments))
    assert "make run" in line
    assert "--stack" in line


def test_a_desk_that_is_down_is_not_tried(run: Run, home: Path) -> None:
    Deployed(endpoint="http://127.0.0.1:9", platforms="http://127.0.0.1:9", outputs={}).save(home)
    assert "is not up" in refused(run("threads"))


def test_a_broken_desk_file_is_no_traceback(run: Run, home: Path) -> None:
    (home / "desk.json").write_text("{")
    assert "--reset" in refused(run("threads"))


def test_a_stack_needs_a_region(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "none"))
    assert "--region" in refused(run("--stack", "desk", "threads"))


def test_the_local_desk_never_meets_the_credentials_of_whoever_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SSM"):
        monkeypatch.setenv(name, "somebody's")
    before = place.Place("desk", "eu-south-1", OUTPUTS, "http://127.0.0.1:1", "http://127.0.0.1:2")
    variables = before._variables()
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["CLOCK"] == "local"
    assert variables["PLATFORMS"] == "http://127.0.0.1:2"
    assert "somebody's" not in variables.values()


def test_a_deployed_stack_has_the_real_clock_and_no_world() -> None:
    stack = place.Place("desk", "eu-south-1", OUTPUTS)
    assert stack._variables()["CLOCK"] == "real"
    assert "AWS_ENDPOINT_URL" not in stack._variables()
    with pytest.raises(Refused, match="local desk only"):
        stack.world()


def test_the_webhook_address_comes_from_the_output_named_like_the_channel() -> None:
    stack = place.Place("desk", "eu-south-1", {"WhatsAppUrl": "https://x.on.aws/"})
    assert stack.webhook("whatsapp", "main") == "https://x.on.aws/main"
    with pytest.raises(Refused, match="no webhook for viber"):
        stack.webhook("viber", "main")


def test_a_missing_output_is_named() -> None:
    with pytest.raises(Refused, match="BucketName"):
        place.Place("desk", "eu-south-1", {}).output("BucketName")


# --- what is asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("resolve", "x", "--reason", "two words"), "spam"),
        (("reply", "x", "y", "--template", "name"), "order_news/it"),
        (("connect", "slack", "--name", "A b"), "a-z"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    run: Run, arguments: tuple[str, ...], word: str
) -> None:
    assert word in refused(run(*arguments))


@pytest.mark.parametrize("arguments", [("nonsense",), ("reply", "x"), ("redrive", "all"), ("thread",)])
def test_a_wrong_command_line_shows_the_usage(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr


def test_no_option_takes_a_secret(run: Run) -> None:
    """Whatever stands on a command line can be read by every program of the machine."""
    shown = run("connect", "slack", "--help").stdout  # of the channels: test_cli_connect.py
    assert {word for word in shown.split() if word.startswith("--")} == {"--name", "--help"}
    assert "SPORTELLO_" in shown


# --- check ------------------------------------------------------------------------------------------


def test_check_names_file_line_and_remedy(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(work.TEMPLATES, templates)
    desk = templates / "desk.yaml"
    desk.write_text(desk.read_text("utf-8").replace("hours: Mo-Fr 09:00-13:00", "hours: Mo-Fr 9 to 13"))
    number = next(n for n, line in enumerate(desk.read_text("utf-8").splitlines(), 1) if "9 to 13" in line)
    monkeypatch.setattr(work, "TEMPLATES", templates)
    line = refused(run("check"))
    assert f"{desk}:{number}: " in line
    assert "write e.g." in line


def test_check_passes_what_the_project_ships(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert "in order" in result.stdout


# --- errors -----------------------------------------------------------------------------------------


def test_an_unforeseen_error_tells_its_kind_and_not_its_words() -> None:
    told = explained(RuntimeError("the token is 123:abc and the customer said hello"))
    assert "RuntimeError" in told
    assert "123:abc" not in told
    assert "hello" not in told


@pytest.mark.parametrize(
    ("code", "word"),
    [("window_closed", "--template"), ("owes_needs_code", "--reason"), ("something_new", "something_new")],
)
def test_what_is_not_allowed_is_explained(code: str, word: str) -> None:
    assert word in explained(NotAllowed(code))


# --- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["2026-11-23T20:15", "2026-11-23 20:15", "2026-11-23T20:15+01:00", "2026-11-23T19:15Z"]
)
def test_a_time_is_the_desks_own_unless_it_has_a_zone(text: str) -> None:
    assert read_time(text, ZONE) == EVENING


@pytest.mark.parametrize("text", ["", "tomorrow", "20:15", "2026-13-01T00:00", "0001-01-01T00:00+23:59"])
def test_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match=r"write e\.g\. 2026-"):
        read_time(text, ZONE)


def test_a_time_is_shown_in_the_desks_zone() -> None:
    assert shown_time(EVENING, ZONE) == "Mon 23 Nov 2026 20:15"


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (-5, "0 s"),
        (40 * SECOND, "40 s"),
        (2 * HOUR + 5 * MINUTE + 7 * SECOND, "2 h 5 min"),
        (3 * DAY + 7 * SECOND, "3 d"),
    ],
)
def test_an_age_has_its_two_largest_units(age: int, text: str) -> None:
    assert shown_age(age) == text


# --- what strangers write -----------------------------------------------------------------------------


def test_a_customers_words_do_not_steer_the_terminal() -> None:
    shown = printable("a\x1b[2Jb\u202ec\nd\u2066\x07\x9b31m\ud800")
    assert shown == "a\ufffd[2Jb\ufffdc\nd\ufffd\ufffd\ufffd31m\ufffd"


def test_letters_of_all_languages_and_joined_emoji_are_shown() -> None:
    text = "È già così — 你好 مرحبا 👩\u200d🚀"
    assert printable(text) == text


# --- connect ------------------------------------------------------------------------------------------


def connection(secret: str, *more: str, account: str = "1") -> Connection:
    return Connection(name="main", secrets=(secret, *more), accounts=(Account(id=account),))


def test_the_previous_secret_stays_in_the_second_place() -> None:
    assert with_previous(connection("new"), connection("old", "older")).secrets == ("new", "old")


def test_the_same_secret_again_keeps_the_one_before_it() -> None:
    assert with_previous(connection("same"), connection("same", "old")).secrets == ("same", "old")


def test_a_connection_keeps_its_account() -> None:
    with pytest.raises(Refused, match="--name NAME"):
        with_previous(connection("new", account="2"), connection("old"))


# --- the scene's evening ----------------------------------------------------------------------------


def desk(hours: str) -> Desk:
    return Desk.model_validate(
        {
            "name": "Desk",
            "time_zone": ZONE,
            "languages": ["it"],
            "hours": hours,
            "teams": {"care": {"tell": [{"email": "care@example.com"}]}},
        }
    )


@pytest.mark.parametrize("hours", ["Mo-Fr 09:00-13:00,14:00-18:00", "Mo-Su 06:00-23:30", "Mo-Su 18:00-02:00"])
def test_the_scene_plays_while_closed_with_an_opening_ahead(hours: str) -> None:
    chosen = evening(desk(hours), EVENING)
    assert chosen is not None
    assert chosen > EVENING - HOUR
    assert not desk(hours).calendar.is_open(chosen)
    assert desk(hours).calendar.next_opening(chosen) is not None


def test_the_scene_plays_after_closing_not_at_lunch() -> None:
    noon = EVENING - 10 * HOUR
    assert evening(desk("Mo-Fr 09:00-13:00,14:00-18:00"), noon) == EVENING


def test_a_desk_that_never_closes_has_no_evening() -> None:
    assert evening(desk("24/7"), EVENING) is None


def test_the_desk_file_survives_the_journey(home: Path) -> None:
    saved = Deployed(endpoint="http://127.0.0.1:1", outputs=OUTPUTS, platforms="http://127.0.0.1:2")
    saved.save(home)
    assert Deployed.load(home) == saved
    assert json.loads((home / "desk.json").read_text())["stack"] == "sportello"
