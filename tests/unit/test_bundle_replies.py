"""Mistakes in what customers are told: channels' own texts, placeholders, buttons, words of hours."""

import shutil
from pathlib import Path

import pytest

from tests.unit.broken import mistakes
from tests.unit.locales import lean_copy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lean_copy(tmp_path / "templates")


def test_a_channels_own_text_is_there_in_every_language(folder: Path) -> None:
    (folder / "replies" / "en" / "sms" / "closed.txt").unlink()
    (mistake,) = mistakes(folder)
    assert mistake.file == str(folder / "replies" / "en" / "sms" / "closed.txt")
    assert "is missing, and replies/it/sms/closed.txt is there" in mistake.text


def test_a_channels_own_text_is_checked(folder: Path) -> None:
    path = folder / "replies" / "it" / "sms" / "closed.txt"
    path.write_text("Chiuso.\nFino a {{ promise }}")
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(path), 2)
    assert "'promise' is no placeholder" in mistake.text


def test_a_folder_that_is_no_channel(folder: Path) -> None:
    for language in ("it", "en"):
        shutil.copytree(folder / "replies" / language / "sms", folder / "replies" / language / "smss")
    found = mistakes(folder)
    assert [Path(mistake.file).name for mistake in found] == ["smss", "smss"]
    assert all(
        "'smss' is no channel (did you mean 'sms'?); known: apple" in mistake.text for mistake in found
    )


def test_a_channels_text_that_nothing_says(folder: Path) -> None:
    for language in ("it", "en"):
        (folder / "replies" / language / "sms" / "close.txt").write_text("x")
    assert all(
        "nothing says 'close' (did you mean 'closed'?)" in mistake.text for mistake in mistakes(folder)
    )


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "closed",
            "{{ promise }}",
            "'promise' is no placeholder; write e.g. {{ desk }}; known: desk, formal, hours",
        ),
        (
            "public_ack",
            "Orari: {{ hours }}",
            "'hours' is no placeholder; write e.g. {{ desk }}; known: desk, formal",
        ),
        ("order", "{{ answer }}", "known: desk, formal, hours, next_opening, order, status, expected, link"),
        ("public_ack", "parola " * 40, "at most 240 fit into a public answer"),
        ("public_ack", "字" * 130, "260 characters, at most 240 fit into a public answer"),
    ],
)
def test_each_text_has_its_own_placeholders(folder: Path, name: str, text: str, says: str) -> None:
    path = folder / "replies" / "it" / f"{name}.txt"
    path.write_text(text, "utf-8")
    found = mistakes(folder)
    assert {mistake.file for mistake in found} == {str(path)}
    assert says in found[0].text


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("yes: Sì\n", 1, "'no' is missing; write e.g. no: No, thanks"),
        ("yes: ''\nno: No\n", 1, "'yes' is missing"),
        ("yes: Sì, mi è stato molto utile\nno: No\n", 1, "has 26 characters, at most 20 fit on a button"),
        ("yes: No\nno: No\n", 1, "both buttons have the same title"),
        ("yes: Sì\nno: No\nmaybe: Forse\n", 3, "'maybe' is not known here; known: yes, no"),
    ],
)
def test_a_mistake_in_buttons(folder: Path, text: str, line: int, says: str) -> None:
    path = folder / "replies" / "it" / "buttons.yaml"
    path.write_text(text, "utf-8")
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(path), line)
    assert says in mistake.text


# --- calendar and directory words -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("calendar", 'time_full: ""', 'time_full: "{hour} h"', "{hour} is no placeholder; write e.g. {ampm}"),
        (
            "calendar",
            'time_said: ""',
            'time_said: "{part} {h}:{mm}"',
            "day_parts has no word from midnight (0) on",
        ),
        ("calendar", "day_parts: {}", "day_parts: {24: late}", "24 is no hour of the day"),
        ("calendar", "day_parts: {}", "day_parts: {noon: late}", "day_parts"),
        ("calendar", "day_parts: {}", "day_parts: {0: ' '}", "the word from 0 o'clock on is empty"),
        ("calendar", 'open_until: "open, closes {closing}"', "open_until: open", "lacks {closing}"),
        ("calendar", "open_now: open\n", "", "'open_now' is missing"),
        ("directory", 'opens: "We open {opening}"', "opens: We open", "'We open' lacks {opening}"),
        (
            "directory",
            "title: Hours and contacts",
            "title: ''",
            "'title' is empty; write e.g. title: a few words",
        ),
        ("directory", "today: Today", "todays: Today", "(did you mean 'today'?)"),
        (
            "directory",
            "teams: {}",
            "teams: {billing: Bills}",
            "'billing' is no team of this desk; known: care",
        ),
    ],
)
def test_a_mistake_in_words(folder: Path, name: str, old: str, new: str, says: str) -> None:
    path = folder / name / "en.yaml"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
    found = mistakes(folder)
    assert {mistake.file for mistake in found} == {str(path)}
    assert any(says in mistake.text for mistake in found), found


@pytest.mark.parametrize("name", ["directory/en.yaml", "calendar/en.yaml", "replies/en/buttons.yaml"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (mistake,) = mistakes(folder)
    assert mistake.file == str(folder / name)
    assert "cannot be read (No such file or directory); write e.g." in mistake.text
