"""``sportello faq``: what the desk would answer, and why."""

import pytest
from typer.testing import CliRunner

from infra.cli.app import app


def faq(*options: str) -> list[str]:
    result = CliRunner().invoke(app, ["faq", *options])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def test_an_answer_is_shown_with_its_score_its_words_and_what_came_next() -> None:
    said, read, _, best, *_ = faq("ma a che ora chiudete sabato?")
    assert said.startswith("Answered: hours (0.")
    assert "(it, " in said
    assert read == "Read as: a che ora → orario, chiudete → aperto, sabato → weekend"
    assert best.split()[0] == "hours"


def test_no_answer_tells_its_reason() -> None:
    said, *rest = faq("how do I return it, it never arrived", "--lang", "en")
    assert said.startswith("Not answered: it holds words of hand_on: a person answers (never arrived)")
    assert not any("closest wording" in line for line in rest)


def test_a_word_in_no_question_is_shown_as_such() -> None:
    lines = faq("is the oak table available?", "--lang", "en")
    assert any("oak (in no question)" in line for line in lines)


def test_in_public_a_private_entry_is_not_answered() -> None:
    question = ("posso cambiare l'indirizzo di consegna?", "--lang", "it")
    assert faq(*question)[0].startswith("Answered: change_address")
    assert faq(*question, "--public")[0].startswith("Not answered: its entry is not for this channel")


def test_what_a_webhook_would_not_even_ask_is_told() -> None:
    told = "The webhook would not even ask: no word begins like one of the questions."
    assert told in faq("che bel gatto!")
    assert told not in faq("che bel pacco!")
