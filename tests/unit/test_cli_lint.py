"""``sportello lint``: what the guidelines say of a text, before anybody sends it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.app import app

LINT = "lint"


def lint(*options: str, text: str = "") -> Result:
    return CliRunner().invoke(app, [LINT, *options], input=text)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPORTELLO_TRACEBACK", raising=False)


def test_a_good_text_is_told_so() -> None:
    result = lint(text="Il pacco parte oggi.")
    assert (result.exit_code, result.output) == (0, "Nothing to say against it.\n")


def test_a_block_names_its_place_the_rule_and_what_to_do() -> None:
    result = lint(text="Buongiorno.\nGarantiamo la consegna.\n")
    assert result.exit_code == 1
    place, remedy = result.output.splitlines()
    assert place == "2:1 block promise: 'Garantiamo'"
    assert remedy.startswith("    ")


def test_a_warning_is_no_failure() -> None:
    result = lint(text="Ovviamente il reso è gratuito.")
    assert result.exit_code == 0
    assert result.output.startswith("1:1 warn banned: 'Ovviamente'")


@pytest.mark.parametrize(
    ("options", "text", "rule"),
    [
        (("--public",), "Chiamiamo il 321 0000012.", "personal_data"),
        (("--channel", "sms"), "a" * 321, "length"),
        (("--official",), "Siamo aperti 🎉🎉", "emoji"),
        (("--lang", "en"), "Please try again later.", "dead_end"),
    ],
)
def test_each_option_decides_which_rules_hold(options: tuple[str, ...], text: str, rule: str) -> None:
    assert f" {rule}: " not in lint(text=text).output
    assert f" {rule}: " in lint(*options, text=text).output


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "draft.txt").write_text("Garantiamo tutto.")
    assert lint(str(tmp_path / "draft.txt")).exit_code == 1


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"perch\xe9")
    for options, told in [
        ((str(tmp_path / "none"),), "cannot be read"),
        ((str(tmp_path / "latin"),), "not UTF-8"),
        (("--lang", "xx"), "there are no guidelines in 'xx'"),
        (("--channel", "whatsap"), "did you mean 'whatsapp'?"),
    ]:
        result = lint(*options, text="Ciao")
        assert (result.exit_code, told in result.stderr) == (1, True), result.output
