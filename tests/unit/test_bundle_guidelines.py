"""Mistakes in ``templates/guidelines/``, and texts of the desk that go against them: file, line, remedy."""

import json
import shutil
from pathlib import Path

import pytest

from infra import bundle_guidelines
from infra.bundle import load, write
from infra.template_files import Files, Mistake
from sportello.domain.guidelines import Guidelines
from sportello.services import desk as desk_seam
from sportello.services import guidelines as service
from tests.unit.broken import copied
from tests.unit.builders import DESK
from tests.unit.locales import TEMPLATES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / "templates")


def mistakes(folder: Path, text: str, language: str = "it") -> list[tuple[int, str]]:
    """Lines and texts of what is wrong with one language's guidelines."""
    (folder / "guidelines" / f"{language}.yaml").write_text(text)
    files = Files(folder)
    bundle_guidelines.guidelines(files, [language])
    assert {mistake.file for mistake in files.mistakes} <= {str(folder / "guidelines" / f"{language}.yaml")}
    return [(mistake.line, mistake.text) for mistake in files.mistakes]


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        ("official:\n  promises: {level: block}\n", 2, "did you mean 'promise'?"),
        ("oficial: {}\n", 1, "'oficial' is not known here (did you mean 'official'?)"),
        ("official:\n  promise:\n    level: error\n", 3, "'official.promise.level'"),
        ("official:\n  promise:\n    say: garantito\n", 3, "'official.promise.say' must be a list"),
        ("official:\n  promise:\n    say:\n    - uno due\n    - Uno  Due\n", 5, "twice (first on line 4"),
        ("official:\n  promise:\n    say: ['...']\n", 3, "holds no word"),
        ("official:\n  promise:\n    say: [sicuramente ...]\n", 3, "begins or ends with ..."),
        ("official:\n  promise:\n    say: [a*]\n", 3, "has a * that does not end a beginning"),
        ("official:\n  dead_end:\n    unless: ['?']\n", 3, "holds no word"),
        ("official:\n  banned:\n    words:\n      uno: UNO\n", 4, "is replaced by itself"),
        ("care:\n  banned:\n    words: {a b: c}\n  preferred:\n    words:\n      a b: d\n", 6, "banned too"),
        ("official:\n  length: {most: 0}\n", 2, "'official.length.most'"),
        ("official:\n  emoji:\n    banned: ['']\n", 3, "emoji: empty"),
        ("official:\n  shouting:\n    allow: [' ']\n", 3, "shouting: empty"),
        ("care:\n  channels:\n    whatsap: {}\n", 3, "did you mean 'whatsapp'?"),
        ("care:\n  channels:\n    sms:\n      length: {moest: 3}\n", 4, "did you mean 'most'?"),
        ("official:\n  personal_data: {level: warn}\n", 2, "always blocked"),
        ("official:\n  personal_data: {level: off}\n", 2, "always blocked"),
        ("official:\n  personal_data: {may_override: true}\n", 2, "always blocked"),
        ("care:\n  channels:\n    x:\n      personal_data: {level: info}\n", 4, "always blocked"),
        ("ours: {}\n", 1, "does not stand here; write e.g. guidelines/ours.yaml"),
        ("language: it\n", 1, "does not stand here"),
    ],
)  # fmt: skip
def test_each_mistake_names_its_line_and_the_remedy(folder: Path, text: str, line: int, wrong: str) -> None:
    (found,) = mistakes(folder, text)
    assert found[0] == line
    assert wrong in found[1]
    assert "rite " in found[1] or "known: " in found[1] or "keep " in found[1]


def test_english_has_one_form_of_address(folder: Path) -> None:
    ((line, text),) = mistakes(folder, "official:\n  formality:\n    use: formal\n", "en")
    assert (line, "'en' has one form of address" in text) == (3, True)


def test_a_file_that_says_little_is_enough(folder: Path) -> None:
    assert mistakes(folder, "official:\ncare: {length: {most: 5}}\n") == []


def test_a_language_without_its_file_is_a_mistake(folder: Path) -> None:
    (folder / "guidelines" / "it.yaml").unlink()
    files = Files(folder)
    assert bundle_guidelines.guidelines(files, ["it"]) == {}
    (found,) = files.mistakes
    assert (found.file, found.line) == (str(folder / "guidelines" / "it.yaml"), 1)
    assert "cannot be read" in found.text


def test_what_is_ours_may_be_left_out_and_is_checked(folder: Path) -> None:
    ours = folder / "guidelines" / "ours.yaml"
    ours.write_text("contact: [care@example.com]\nhandles: ['@']\n")
    files = Files(folder)
    bundle_guidelines.guidelines(files, ["it"])
    assert [(found.line, found.text[:28]) for found in sorted(files.mistakes)] == [
        (1, "'contact' is not known here "), (2, "handles: empty; write e.g. h"),
    ]  # fmt: skip
    ours.unlink()
    files = Files(folder)
    (one,) = bundle_guidelines.guidelines(files, ["it"]).values()
    assert (files.mistakes, one.ours.contacts) == ([], ())


# --- the desk's texts ------------------------------------------------------------------------------------


def told(folder: Path) -> tuple[list[Mistake], list[Mistake]]:
    """Mistakes and warnings that the desk's Italian texts make."""
    files = Files(folder)
    rules = bundle_guidelines.guidelines(files, ["it"])
    replies = {path.stem: path.read_text() for path in (folder / "replies" / "it").glob("*.txt")}
    for name in ("faq/it.yaml", "site/it.yaml"):
        if (folder / name).is_file():
            files.yaml(name, "")
    bundle_guidelines.read_texts(files, rules, DESK, {"it": replies})
    return files.mistakes, files.warnings


def test_the_texts_of_the_repository_keep_to_the_guidelines(folder: Path) -> None:
    shutil.copytree(TEMPLATES / "faq", folder / "faq")
    wrong, warned = told(folder)
    assert wrong == []
    assert [found for found in warned if "/replies/" in found.file] == []


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("Grazie.\nGarantiamo una risposta.", 2, "promise"),
        ("{% if formal %}\nRiprovi più tardi.\n{% else %}\nA presto.\n{% endif %}", 2, "dead_end"),
        ("Chiami il 321 0000012, oppure {{ hours }}.", 1, "personal_data"),
        (
            "{% if formal %}\nPuoi attendere? La ringraziamo.\n{% else %}\nA presto.\n{% endif %}",
            2,
            "mixed_address",
        ),
        ("A presto [NOME].", 1, "placeholder"),
    ],
)
def test_a_reply_against_a_blocking_rule_stops_the_build(
    folder: Path, text: str, line: int, rule: str
) -> None:
    path = folder / "replies" / "it" / "closed.txt"
    path.write_text(text)
    found = [mistake for mistake in told(folder)[0] if f"{rule!r}" in mistake.text]
    assert [(mistake.file, mistake.line) for mistake in found] == [(str(path), line)]


def test_a_warning_is_shown_and_stops_nothing(folder: Path) -> None:
    path = folder / "replies" / "it" / "closed.txt"
    path.write_text(
        "{% if formal %}\nTi rispondiamo presto.\n{% else %}\nOvviamente rispondiamo!\n{% endif %}\n"
    )
    found = [(warning.file, warning.line, warning.text.split()[0]) for warning in load(folder).warnings]
    assert (str(path), 2, "'Ti'") in found
    assert (str(path), 4, "'Ovviamente'") in found


def test_an_answer_and_a_text_of_the_site_are_read_too(folder: Path) -> None:
    (folder / "faq").mkdir()
    (folder / "faq" / "it.yaml").write_text(
        "entries:\n  - id: one\n    questions: [uno]\n    answer: |\n      Non lo sappiamo.\n"
    )
    site = (folder / "site" / "it.yaml").read_text().splitlines()
    number = next(at for at, line in enumerate(site, 1) if line.startswith("offline:"))
    site[number - 1] = "offline: Riprova più tardi"
    (folder / "site" / "it.yaml").write_text("\n".join(site))
    found = {(Path(mistake.file).parent.name, mistake.line) for mistake in told(folder)[0]}
    assert found == {("faq", 4), ("site", number)}


def test_a_label_of_the_site_addresses_nobody(folder: Path) -> None:
    (folder / "site" / "it.yaml").write_text("send: Invia\ngreeting: Le scriveremo noi appena possibile\n")
    warned = [warning for warning in told(folder)[1] if "/site/" in warning.file]
    assert [warning.line for warning in warned] == [2]


# --- what the layer carries ---------------------------------------------------------------------------------


def test_the_layer_carries_the_guidelines_of_the_desk_s_languages(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = write(folder, tmp_path / "out")
    stored = json.loads((tmp_path / "out" / "guidelines.json").read_text())
    assert set(stored) == set(bundle.desk.languages)
    monkeypatch.setattr(desk_seam, "FOLDER", tmp_path / "out")
    service._load.cache_clear()
    assert service.current_guidelines() == bundle.guidelines
    service._load.cache_clear()


def test_a_layer_without_them_says_how_to_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_seam, "FOLDER", tmp_path)
    service._load.cache_clear()
    with pytest.raises(desk_seam.NoDesk, match=r"python -m infra\.bundle"):
        service.current_guidelines()
    (tmp_path / "guidelines.json").write_text('{"it": {"language": 3}}')
    with pytest.raises(desk_seam.NoDesk, match="cannot be used"):
        service.current_guidelines()


def test_a_text_of_ours_is_safe_in_public_without_anybody_s_data() -> None:
    desk = DESK
    ours = Guidelines.model_validate({"language": "it", "ours": {"contacts": ["care@example.com"]}})
    service.use({"it": ours})
    try:
        assert service.safe_in_public("Scriva in privato, o a care@example.com. Aperti 9:00-18:00", desk)
        assert not service.safe_in_public("Scriva ad altri@example.com", desk)
        assert not service.safe_in_public("La chiamiamo al 321 0000012", desk)
        ordered = desk.model_copy(update={"hook": desk.hook.model_copy(update={"order_pattern": r"\d{8}"})})
        assert not service.safe_in_public("L'ordine 10004711 parte oggi", ordered)
    finally:
        service.use(None)
