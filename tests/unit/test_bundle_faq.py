"""Every mistake in ``templates/faq/`` and under ``faq`` in ``desk.yaml``: the file, the line, the remedy."""

import json
import shutil
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra import bundle_faq
from infra.bundle import load, write
from infra.template_files import Files, Mistake
from infra.yaml_with_lines import read_yaml
from sportello.domain.faq import Faq
from sportello.domain.model import to_instant
from sportello.services import desk as desk_seam
from sportello.services.faq import LexicalAnswerer
from sportello.services.wording import render
from tests.unit.locales import TEMPLATES

LOCALES = ("it", "en", "es", "fr", "de", "pt", "ru", "zh")
AT = to_instant(datetime(2026, 12, 10, 12, tzinfo=UTC))

GOOD = """\
entries:
  - id: hours
    questions:
      - when are you open
      - what are your opening hours
    answer: |
      We are here:
      {{ hours }}
    buttons: {Returns: returns}
  - id: returns
    questions: [how do I return an item]
    answer: Within 14 days.
    valid_from: 2026-01-01
    valid_to: 2026-12-31
    channels: [whatsapp]
    private: true
same_words:
  - [return, send back]
fillers: [are, your, you, do, I, an]
asks: [how, when, what]
hand_on:
  - never arriv*
"""


def desk(*languages: str) -> Any:
    return SimpleNamespace(languages=languages, time_zone="Europe/Rome")


def read(folder: Path, settings: str = "", **files: str) -> tuple[Faq, list[Mistake]]:
    """The questions in a folder of these files, and what is wrong with them."""
    (folder / "faq").mkdir(exist_ok=True)
    (folder / "desk.yaml").write_text(f"name: Desk\n{settings}")
    for language, text in files.items():
        (folder / "faq" / f"{language}.yaml").write_text(text)
    checked = Files(folder)
    found = bundle_faq.faq(checked, desk(*files), AT)
    return found, sorted(set(checked.mistakes))


def wrong(folder: Path, text: str) -> tuple[int, str]:
    """Line and text of the one mistake in an English file."""
    _, found = read(folder, en=text)
    assert len(found) == 1, found
    assert found[0].file == str(folder / "faq" / "en.yaml")
    return found[0].line, found[0].text


# --- what is right -----------------------------------------------------------------------------


def test_a_good_file_is_taken(tmp_path: Path) -> None:
    found, mistakes = read(tmp_path, en=GOOD)
    assert mistakes == []
    hours = found.entry("en", "hours")
    assert hours is not None
    assert (hours.buttons, hours.answer) == ({"Returns": "returns"}, "We are here:\n{{ hours }}\n")
    assert found.entry("en", "nothing") is None
    assert found.entry("it", "hours") is None


def test_without_the_folder_there_are_no_questions(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text("name: Desk\n")
    files = Files(tmp_path)
    assert bundle_faq.faq(files, desk("en"), AT) == Faq()
    assert files.mistakes == []


@cache
def shipped() -> tuple[Faq, tuple[Mistake, ...]]:
    """The repository's questions in every language, and what is wrong with them."""
    files = Files(TEMPLATES)
    return bundle_faq.faq(files, desk(*LOCALES), AT), tuple(files.mistakes)


def test_the_files_of_the_repository_are_good_in_every_language() -> None:
    found, wrong = shipped()
    assert wrong == ()
    ids = {language: [entry.id for entry in found.locales[language].entries] for language in LOCALES}
    assert len(ids["en"]) >= 25
    assert {language: set(listed) for language, listed in ids.items()} == {
        language: set(ids["en"]) for language in LOCALES
    }
    assert found.answerer == "lexical"


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("formal", [True, False])
@pytest.mark.parametrize("opening", ["tomorrow at 9:00", ""])
def test_every_answer_can_be_said(language: str, formal: bool, opening: str) -> None:
    found, _ = shipped()
    given = {"desk": "Desk", "formal": formal, "hours": "Mo-Fr 9-18", "next_opening": opening}
    for entry in found.locales[language].entries:
        said = render(entry.answer, given)
        assert said
        assert "{" not in said
        assert len(said.encode()) <= 1000


def test_what_is_written_is_what_the_functions_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = write(TEMPLATES, tmp_path)
    monkeypatch.setattr(desk_seam, "FOLDER", tmp_path)
    desk_seam._load_faq.cache_clear()
    try:
        assert desk_seam.current_faq() == bundle.faq
    finally:
        desk_seam._load_faq.cache_clear()
    listed = json.loads((tmp_path / "desk.json").read_text())["faq_words"]
    assert listed == sorted(bundle_faq.words(bundle.faq))
    assert len(listed) > 100


def test_faq_json_that_is_missing_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_seam, "FOLDER", tmp_path)
    desk_seam._load_faq.cache_clear()
    with pytest.raises(desk_seam.NoDesk, match=r"faq\.json cannot be read .* infra\.bundle"):
        desk_seam.current_faq()
    (tmp_path / "faq.json").write_text('{"locales": {"en": {}}}')
    with pytest.raises(desk_seam.NoDesk, match=r"faq\.json cannot be used"):
        desk_seam.current_faq()


# --- form --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("- id: hours", "- ID: hours", 2, "'ID' is not known here (did you mean 'id'?)"),
        ("- id: hours", "- id: Opening hours", 2, "is not written in the right form"),
        ("    answer: Within 14 days.\n", "", 10, "'entries.1.answer' is missing"),
        ("answer: Within 14 days.", "answer: ''", 12, "is empty"),
        ("answer: Within 14 days.", "answer: ' '", 12, "the answer is empty"),
        ("questions: [how do I return an item]", "questions: []", 11, "has too few entries"),
        ("questions: [how do I return an item]", "questions: how", 11, "must be a list"),
        ("private: true", "private: yes please", 16, "must be true or false"),
        ("private: true", "privat: true", 16, "did you mean 'private'?"),
        ("valid_to: 2026-12-31", "valid_to: 31.12.2026", 14, "valid_to: 2027-01-06"),
        ("hand_on:\n", "hands_on:\n", 21, "did you mean 'hand_on'?"),
        (
            "buttons: {Returns: returns}",
            "buttons: {How do I return it again: returns}",
            9,
            "at most 20 characters",
        ),
        ("hand_on:\n  - never arriv*", "hand_on:\n  - ' '", 22, "hand_on: an empty word"),
        ("[return, send back]", "[return]", 18, "one word alone"),
        ("[return, send back]", "[return, ' ']", 18, "an empty word"),
        ("[return, send back]", "[return, Return]\n  - [x, return]", 19, "'return' stands in two groups"),
        ("[return, send back]", "[return, you]", 19, "'you' is a filler and also in same_words (line 18)"),
    ],
)
def test_what_is_not_in_form_is_told_by_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    found = wrong(tmp_path, GOOD.replace(old, new))
    assert found[0] == line
    assert says in found[1]
    assert any(word in found[1] for word in ("rite ", "known: ", "keep one"))


def test_an_empty_file_has_no_questions(tmp_path: Path) -> None:
    assert "entries" in wrong(tmp_path, "fillers: [a]\n")[1]
    assert "must be lines of 'key: value'" in wrong(tmp_path, "\n")[1]


def test_a_language_without_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "faq").mkdir()
    (tmp_path / "desk.yaml").write_text("name: Desk\n")
    files = Files(tmp_path)
    bundle_faq.faq(files, desk("en"), AT)
    (mistake,) = files.mistakes
    assert (mistake.file, mistake.line) == (str(tmp_path / "faq" / "en.yaml"), 1)
    assert "cannot be read" in mistake.text


# --- one question, one answer ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("how do you send back an item", "also asks 'returns' (line 11): a question has one answer"),
        ("how do I never see it arriving", ""),
        ("how did it never arrive", "holds 'never arriv*' of hand_on and is never answered"),
        ("what about order 12345", "holds a number or address and is never answered"),
        ("are you", "holds too few telling words"),
        ("when are you open", "stands here twice (first on line 4); keep one"),
    ],
)
def test_a_wording_that_does_not_lead_to_its_answer_is_refused(
    tmp_path: Path, question: str, says: str
) -> None:
    text = GOOD.replace("      - what are", f"      - {question}\n      - what are")
    _, found = read(tmp_path, en=text)
    shown = [(mistake.line, mistake.text) for mistake in found]
    if not says:
        assert shown == []
    elif "also asks" in says:  # the later of the two is named
        assert [line for line, _ in shown] == [12]
        assert "also asks 'hours' (line 5)" in shown[0][1]
    else:
        assert [line for line, _ in shown] == [5]
        assert says in shown[0][1]


def test_a_wording_that_another_entry_nearly_has_is_refused(tmp_path: Path) -> None:
    others = "".join(f"  - {{id: e{n}, questions: [how about w{n}], answer: So.}}\n" for n in range(9))
    a = "  - {id: a, questions: [how is the item], answer: A.}\n"
    b = "  - {id: b, questions: [item], answer: B.}\n"
    _, found = read(tmp_path, en=f"entries:\n{a}{b}{others}fillers: [is, the, about]\n")
    says = "is nearly as close to 'b'; write e.g. a word more that only 'a' has"
    assert (found[0].line, found[0].text) == (2, f"'how is the item' {says}")
    assert [mistake.line for mistake in found] == [2, 3]


TWINS = """\
entries:
  - {{id: summer, questions: [when are you open in the evening], answer: Late., {first}}}
  - {{id: winter, questions: [when are you open in the evening], answer: Early., {second}}}
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("valid_to: 2027-03-31", "valid_from: 2027-04-01"),
        ("valid_from: 2027-04-01", "valid_to: 2027-03-31"),
        ("channels: [whatsapp]", "channels: [telegram]"),
        ("accounts: [a]", "accounts: [b]"),
    ],
)
def test_one_question_may_have_two_answers_that_never_meet(tmp_path: Path, first: str, second: str) -> None:
    found, mistakes = read(tmp_path, en=TWINS.format(first=first, second=second))
    assert mistakes == []
    answerer = LexicalAnswerer(found, "Europe/Rome")
    days = [to_instant(datetime(2027, month, 20, tzinfo=UTC)) for month in (1, 6)]
    said = {
        hit.id
        if (
            hit := answerer.answer(
                "when are you open in the evening?", "en", day, channel=channel, account=account, public=False
            )
        )
        else ""
        for day in days
        for channel in ("whatsapp", "telegram")
        for account in ("a", "b")
    }
    assert said == {"summer", "winter"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("topic: x", "topic: y"),
        ("valid_to: 2027-03-31", "valid_from: 2027-03-31"),
        ("channels: [whatsapp]", "topic: x"),
        ("channels: [whatsapp, email]", "channels: [email]"),
        ("accounts: [a]", "channels: [whatsapp]"),
    ],
)
def test_two_answers_to_one_question_are_refused(tmp_path: Path, first: str, second: str) -> None:
    line, text = wrong(tmp_path, TWINS.format(first=first, second=second))
    assert line == 3
    assert "also asks 'summer' (line 2): a question has one answer" in text


def test_an_entry_stands_once(tmp_path: Path) -> None:
    text = GOOD.replace("- id: returns", "- id: hours").replace("    buttons: {Returns: returns}\n", "")
    assert wrong(tmp_path, text) == (9, "'hours' stands here twice (first on line 2); keep one")


# --- days, buttons, answers, channels ----------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "line", "says"),
    [
        (
            "valid_from: 2026-12-20\n    valid_to: 2026-12-19",
            14,
            "ends before it begins and is never answered",
        ),
        ("valid_to: 2026-12-09", 13, "'returns' has expired; remove it"),
        ("valid_to: 2025-01-06", 13, "has expired"),
    ],
)
def test_an_entry_that_is_never_answered_is_refused(tmp_path: Path, days: str, line: int, says: str) -> None:
    old = "valid_from: 2026-01-01\n    valid_to: 2026-12-31"
    found = wrong(tmp_path, GOOD.replace(old, days))
    assert found[0] == line
    assert says in found[1]
    assert "write e.g. valid_to: 20" in found[1]


def test_the_last_day_still_counts(tmp_path: Path) -> None:
    assert read(tmp_path, en=GOOD.replace("valid_to: 2026-12-31", "valid_to: 2026-12-10"))[1] == []


@pytest.mark.parametrize(
    ("target", "says"),
    [("return", "did you mean 'returns'?"), ("hours", "leads back to 'hours' itself")],
)
def test_a_button_leads_to_another_entry(tmp_path: Path, target: str, says: str) -> None:
    line, text = wrong(tmp_path, GOOD.replace("{Returns: returns}", f"{{Returns: {target}}}"))
    assert line == 9
    assert says in text


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("{{ hours }}", "{{ hour }}", 8, "'hour' is no placeholder (did you mean 'hours'?)"),
        ("{{ hours }}", "{ hours }", 8, "is left over"),
        ("Within 14 days.", "Within {{ days }}.", 12, "'days' is no placeholder"),
        (
            "Within 14 days.",
            "'{% if formal %}Within 14 days.{% endif %}'",
            12,
            "says nothing with formal: False",
        ),
        ("Within 14 days.", "W" * 1001, 12, "at most 1000 fit"),
    ],
)
def test_an_answer_that_cannot_be_said_is_refused(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    found = wrong(tmp_path, GOOD.replace(old, new))
    assert found[0] == line
    assert says in found[1]


def test_a_channel_has_its_name(tmp_path: Path) -> None:
    line, text = wrong(tmp_path, GOOD.replace("[whatsapp]", "[whatsap]"))
    assert line == 15
    assert "'whatsap' is no channel (did you mean 'whatsapp'?)" in text


# --- all languages -----------------------------------------------------------------------------


def test_every_language_has_every_entry(tmp_path: Path) -> None:
    shorter = GOOD[: GOOD.index("  - id: returns")].replace("    buttons: {Returns: returns}\n", "")
    _, found = read(tmp_path, en=GOOD, it=shorter)
    (mistake,) = found
    assert (mistake.file, mistake.line) == (str(tmp_path / "faq" / "it.yaml"), 1)
    assert "'returns' of faq/en.yaml:10 is missing here; write e.g. - {id: returns" in mistake.text


def test_private_is_private_in_every_language(tmp_path: Path) -> None:
    _, found = read(tmp_path, en=GOOD, it=GOOD.replace("    private: true\n", ""))
    (mistake,) = found
    assert (mistake.file, mistake.line) == (str(tmp_path / "faq" / "it.yaml"), 10)
    assert "'returns' is private in faq/en.yaml:10; write e.g. private: true here too" in mistake.text


def test_one_mistake_does_not_hide_another(tmp_path: Path) -> None:
    """Also in the repository's own file: two lines, two mistakes, through the whole bundle."""
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    path = folder / "faq" / "en.yaml"
    text = path.read_text().replace("{{ hours }}", "{{ hour }}").replace("- id: hours", "- id: hors")
    path.write_text(text)
    with pytest.raises(ValueError, match="placeholder") as error:
        load(folder, AT)
    assert "did you mean 'hors'?" in str(error.value)
    assert f"{folder / 'faq' / 'it.yaml'}:" in str(error.value)


# --- who answers -------------------------------------------------------------------------------


def test_bedrock_is_switched_on_in_the_desks_file(tmp_path: Path) -> None:
    settings = "faq: {answerer: bedrock, model: amazon.nova-lite-v1:0, region: eu-central-1}\n"
    found, mistakes = read(tmp_path, settings, en=GOOD)
    assert mistakes == []
    assert (found.answerer, found.model, found.region) == (
        "bedrock",
        "amazon.nova-lite-v1:0",
        "eu-central-1",
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("faq: {answerer: bedrok}", "'faq.answerer' is not written in the right form"),
        ("faq: {answerer: bedrock}", "bedrock needs a model; write e.g. faq: {answerer: bedrock, model: "),
        ("faq: {answerer: bedrock, model: a b}", "'faq.model' is not written in the right form"),
        ("faq: {answerer: bedrock, model: m, region: Frankfurt}", "write e.g. region: eu-central-1"),
        ("faq: {answer: bedrock}", "did you mean 'answerer'?"),
        ("faq: bedrock", "must be lines of 'key: value'"),
    ],
)
def test_a_mistake_in_the_settings_is_told_by_its_line(tmp_path: Path, settings: str, says: str) -> None:
    _, (mistake,) = read(tmp_path, settings + "\n", en=GOOD)
    assert (mistake.file, mistake.line) == (str(tmp_path / "desk.yaml"), 2)
    assert says in mistake.text


def test_the_settings_are_no_part_of_what_webhooks_read(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    path = folder / "desk.yaml"
    path.write_text(path.read_text() + "\nfaq: {answerer: bedrock, model: amazon.nova-lite-v1:0}\n")
    bundle = write(folder, tmp_path / "out")
    assert bundle.faq.answerer == "bedrock"
    assert "bedrock" not in (tmp_path / "out" / "desk.json").read_text()
    assert read_yaml(path.read_text()).data["faq"]["model"] == "amazon.nova-lite-v1:0"
