"""``sportello duty``: who is on duty, and when that changes."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import work
from infra.cli.app import app
from infra.cli.duty import told
from tests.unit.builders import DESK, at
from tests.unit.test_routing import desk

STAFFED = desk(
    {"care": None, "returns": {"hours": "Mo-Fr 09:00-12:00"}},
    {
        "anna": {"shift": "Mo-Fr 09:00-14:00"},
        "bruno": {"teams": ["care", "returns"], "shift": "Mo-Fr 13:00-18:00", "leave": ["2026 Nov 24"]},
        "carla": {"teams": ["returns"]},
    },
)


def test_who_is_on_duty_and_the_next_changes() -> None:
    assert list(told(STAFFED, at("Mon 13:30"))) == [
        "Mon 23 Nov 2026 13:30:",
        "  care: anna, bruno on duty",
        "  returns: bruno, carla on duty; closed until Tue 24 Nov 2026 09:00",
        "Next:",
        "  Mon 23 Nov 2026 14:00  anna (care) goes",
        "  Mon 23 Nov 2026 18:00  bruno (care, returns) goes",
    ]
    assert list(told(STAFFED, at("Tue 15:00")))[1:] == [
        "  care: nobody on duty",
        "  returns: carla on duty; closed until Wed 25 Nov 2026 09:00",
        "Next:",
        "  Wed 25 Nov 2026 09:00  anna (care) comes",
        "  Wed 25 Nov 2026 13:00  bruno (care, returns) comes",
    ]


def test_a_desk_that_lists_nobody() -> None:
    assert list(told(DESK, at("Sun 10:00")))[1:] == [
        "desk.yaml lists no people: every team is on duty whenever it serves.",
        "  care: on duty; closed until Mon 30 Nov 2026 09:00",
        "  returns: on duty; closed until Mon 30 Nov 2026 09:00",
    ]


def test_from_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = Path(shutil.copytree(work.TEMPLATES, tmp_path / "templates"))
    file = templates / "desk.yaml"
    file.write_text(file.read_text("utf-8") + "\npeople: {anna: {teams: [care]}}\n", "utf-8")
    monkeypatch.setattr(work, "TEMPLATES", templates)
    shown = CliRunner().invoke(app, ("duty", "--at", "2026-11-23T10:00"))
    assert shown.stdout.splitlines()[:2] == ["Mon 23 Nov 2026 10:00:", "  care: anna on duty"], shown.output
    wrong = CliRunner().invoke(app, ("duty", "--at", "noon"))
    assert (wrong.exit_code, "'noon' is not a time; write e.g." in wrong.stderr) == (1, True)
