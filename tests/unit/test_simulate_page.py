"""docs/simulate.md shows what the commands really print."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "simulate.md"
EXAMPLE = ROOT / "docs" / "simulate.yaml"
UNTIL = "2026-11-24T12:00"
REMEDY = "write it anew: python -m tests.unit.test_simulate_page"


@cache
def printed(*more: str) -> str:
    """Of the example, at 80 columns, without what hangs over at the end of a line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.cli.rehearse.console", Console(width=80, highlight=False))
        arguments = ["simulate", "--scenario", str(EXAMPLE), "--until", UNTIL, *more]
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return "\n".join(line.rstrip() for line in result.stdout.splitlines()).strip("\n")


def blocks() -> list[str]:
    """What stands between the fences of the page."""
    return re.findall(r"^```\w*\n(.*?)\n```$", PAGE.read_text(), re.S | re.M)


def explained() -> str:
    """The one entry that the page shows of --explain."""
    text = printed("--explain")
    start = text.index("11:00  Customer Three")
    return text[start : text.index("\n11:", start + 1)]


def as_json() -> str:
    """The first entry of --json."""
    first = json.loads(printed("--json"))[0]
    return json.dumps(first, ensure_ascii=False, indent=2)


def wanted() -> dict[str, str]:
    """Each example of the page by the words that come before it."""
    command = f"$ sportello simulate --scenario docs/simulate.yaml --until {UNTIL}"
    return {
        "is one:": EXAMPLE.read_text().rstrip(),
        "## What becomes of it": f"{command}\n{printed()}",
        "by what would have changed it:": explained(),
        "describes it:": as_json(),
    }


@pytest.mark.parametrize(
    "before", ["is one:", "## What becomes of it", "by what would have changed it:", "describes it:"]
)
def test_the_page_shows_what_is_printed(before: str) -> None:
    assert wanted()[before] in blocks(), REMEDY


def rewritten() -> str:
    text = PAGE.read_text()
    for before, block in wanted().items():
        start = text.index("```", text.index(before))
        begin = text.index("\n", start) + 1
        text = text[:begin] + block + text[text.index("\n```", begin) :]
    return text


if __name__ == "__main__":
    PAGE.write_text(rewritten())
