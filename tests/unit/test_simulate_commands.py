"""The commands ``simulate`` and ``diff-desk``."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from typer.testing import CliRunner, Result

from infra.cli.app import app

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "simulate.schema.json").read_text()))
ONE = "channel: whatsapp, from: Customer One"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("infra.cli.rehearse.console", Console(width=80, highlight=False))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "scenario.yaml"
    file.write_text(f"- {{at: 2026-11-23T20:15+01:00, {ONE}, text: La giacca si è scucita}}\n")
    return file


def test_json_holds_what_the_issue_asks_for(run: Callable[..., Result], scenario: Path) -> None:
    result = run("simulate", "--desk", TEMPLATES, "--scenario", scenario, "--json")
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    SCHEMA.validate(shown)
    assert set(shown[0]) == {"at", "thread", "event", "decisions"}


def test_a_folder_that_holds_templates_is_a_desk_as_well(run: Callable[..., Result], scenario: Path) -> None:
    one = run("simulate", "--desk", ROOT, "--scenario", scenario, "--json")
    two = run("simulate", "--desk", TEMPLATES, "--scenario", scenario, "--json")
    assert one.stdout == two.stdout


def test_a_bad_scenario_is_one_line_of_help(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("- {at: ieri, channel: whatsapp, from: Customer One, text: Ciao}\n")
    result = run("simulate", "--scenario", file)
    assert result.exit_code == 1
    assert "bad.yaml:1: at: 'ieri' is not a time; write e.g. at: 2026-11-23T20:15+01:00" in result.stderr


def test_two_desks_that_decide_alike_differ_in_nothing(run: Callable[..., Result], scenario: Path) -> None:
    result = run("diff-desk", TEMPLATES, TEMPLATES, "--replay", scenario)
    assert (result.exit_code, result.output.strip()) == (0, "No decision differs.")


def test_a_difference_is_shown_side_by_side(
    run: Callable[..., Result], scenario: Path, tmp_path: Path
) -> None:
    new = Path(shutil.copytree(TEMPLATES, tmp_path / "new"))
    text = (new / "desk.yaml").read_text()
    assert "hours: Mo-Fr 09:00-13:00,14:00-18:00; PH off" in text
    (new / "desk.yaml").write_text(
        text.replace("hours: Mo-Fr 09:00-13:00,14:00-18:00; PH off", "hours: Mo-Fr 08:00-13:00; PH off", 1)
    )
    result = run("diff-desk", TEMPLATES, new, "--replay", scenario)
    assert result.exit_code == 1, result.output
    assert "domani alle 9:00" in " ".join(result.output.split())
    assert "domani alle 8:00" in " ".join(result.output.split())
    found = json.loads(run("diff-desk", TEMPLATES, new, "--replay", scenario, "--json").stdout)
    assert found[0]["event"] == "Inbound"
    assert [side[0]["until"] for side in (found[0]["old"], found[0]["new"])] == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T07:00:00Z",
    ]


@pytest.mark.parametrize("what", ["scenario", "desk"])
def test_bad_input_ends_with_two(
    run: Callable[..., Result], scenario: Path, tmp_path: Path, what: str
) -> None:
    if what == "scenario":
        scenario.write_text("- {at: ieri}\n")
    new = tmp_path / "empty" if what == "desk" else TEMPLATES
    result = run("diff-desk", TEMPLATES, new, "--replay", scenario)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
