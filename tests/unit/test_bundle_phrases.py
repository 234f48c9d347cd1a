"""Mistakes in ``templates/phrases/``: each names its line and the right form."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.bundle import BundleError, load
from infra.bundle_phrases import read
from infra.template_files import Files, Mistake
from sportello.domain.model import to_instant
from sportello.domain.patterns import Patterns
from sportello.domain.phrases import Meaning
from tests.unit.locales import TEMPLATES

NOW = to_instant(datetime(2026, 11, 21, 12, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def mistakes(folder: Path) -> list[Mistake]:
    """Of the phrases of a desk that speaks Italian and English; of nothing else."""
    files = Files(folder)
    read(files, ("it", "en"))
    return sorted(files.mistakes)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  - grazie mille\n", "  - Grazie!\n", "'Grazie!' stands here twice (first on line"),
        ("  - grazie mille\n", "  - '!!'\n", "'!!' holds no word; write e.g. grazie mille"),
        ("  - grazie mille\n", "  - ok\n", "stands under 'thanks' too (first on line"),
        ("  - grazie mille\n", "  - buongiorno\n", "stands under 'thanks' too (first on line"),
        ("  - grazie mille\n", "  - idioti\n", "'idioti' stands under 'anger' too (first on line"),
        ("  - grazie mille\n", "  - non urgente\n", "stands under 'harmless' too (first on line"),
        (
            "  - grazie mille\n",
            "  - gra*\n",
            "* ends a single word of at least 4 letters; write e.g. rimbors*",
        ),
        ("  - grazie mille\n", "  - grazie mill*\n", "* ends a single word"),
        ("  - grazie mille\n", "  - '*grazie'\n", "* ends a single word"),
        ("  - grazie mille\n", "  - da 12 giorni\n", "'da 12 giorni' stands under 'chaser' too"),
        ("  - grazie mille\n", "  - 7\n", "must be text"),
        ("thanks:\n", "thank:\n", "(did you mean 'thanks'?)"),
        ("anger:\n", "angry:\n", "(did you mean 'anger'?)"),
        ("  delivery:\n", "  Delivery:\n", "'Delivery' is no name of a topic; write e.g. delivery"),
    ],
)
def test_a_mistake_in_phrases(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / "phrases" / "it.yaml"
    text = path.read_text("utf-8")
    line = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    told = [mistake for mistake in mistakes(folder) if says in mistake.text]
    assert [mistake.file for mistake in told] == [str(path)] * len(told) != []
    assert any(mistake.line == line or f"on line {line})" in mistake.text for mistake in told), told
    assert all("e.g." in mistake.text or "known:" in mistake.text for mistake in told)


def test_a_list_that_is_missing(folder: Path) -> None:
    path = folder / "phrases" / "en.yaml"
    text = path.read_text("utf-8")
    begins, ends = text.index("\nspam:"), text.index("\n# ", text.index("\nspam:"))
    path.write_text(text[:begins] + text[ends:], "utf-8")
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(path), 1)
    assert mistake.text == "'spam' is missing; write e.g. spam: [] if there are none"


def test_a_topic_that_one_language_lacks(folder: Path) -> None:
    path = folder / "phrases" / "en.yaml"
    path.write_text(path.read_text("utf-8") + "  gifts:\n    - gift wrap\n", "utf-8")
    (mistake,) = mistakes(folder)
    assert mistake.file == str(folder / "phrases" / "it.yaml")
    assert mistake.text.startswith("topic 'gifts' is missing, phrases/en.yaml has it; write e.g. topics:")


def test_a_topic_without_phrases(folder: Path) -> None:
    for language in ("it", "en"):
        path = folder / "phrases" / f"{language}.yaml"
        path.write_text(path.read_text("utf-8") + "  gifts: []\n", "utf-8")
    assert ["topic 'gifts' has no phrases" in mistake.text for mistake in mistakes(folder)] == [True] * 2


@pytest.mark.parametrize("key", ["phrases", "phrase_index"])
def test_what_the_build_writes_does_not_stand_in_the_desk(folder: Path, key: str) -> None:
    path = folder / "desk.yaml"
    path.write_text(path.read_text("utf-8") + f"\n{key}: {{}}\n", "utf-8")
    with pytest.raises(BundleError, match=rf"{key} do not stand here; write e\.g\. phrases/it\.yaml"):
        load(folder, NOW)


def test_the_desk_holds_the_index_of_its_languages_alone(folder: Path) -> None:
    desk = load(folder, NOW).desk
    assert set(desk.phrases) == set(desk.languages) == {"it", "en"}
    for text in ("vorrei un operatore", "graaazie mille", "still waiting since 3 days", "BASTA LADRI"):
        words = desk.patterns.words(text)
        assert desk.patterns.found(words) == Patterns(desk.phrases).found(words)
    assert not Meaning("срочно", desk.patterns).urgent
