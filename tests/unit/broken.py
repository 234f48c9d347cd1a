"""Copies of ``templates/`` to break, and what the build then says is wrong with them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.bundle import BundleError, Mistake, load
from sportello.domain.model import to_instant
from tests.unit.locales import TEMPLATES

NOW = to_instant(datetime(2026, 11, 21, 12, tzinfo=UTC))

SHORT_DESK = """\
name: Desk
time_zone: Europe/Rome
languages: [it, en]
hours: Mo-Fr 09:00-18:00; PH off
holidays: IT
teams:
  care:
    tell:
      - email: care@example.com
"""


def copied(folder: Path) -> Path:
    """Without the frequent questions, whose words take a second to weigh."""
    return Path(shutil.copytree(TEMPLATES, folder, ignore=shutil.ignore_patterns("faq")))


def mistakes(folder: Path) -> list[Mistake]:
    with pytest.raises(BundleError) as error:
        load(folder, NOW)
    assert str(error.value) == "\n".join(map(str, error.value.mistakes))
    return list(error.value.mistakes)


def mistakes_of(folder: Path, file: str) -> list[tuple[int, str]]:
    """Lines and texts of what is wrong with one file; nothing else may be."""
    found = mistakes(folder)
    assert {mistake.file for mistake in found} == {str(folder / file)}, found
    return [(mistake.line, mistake.text) for mistake in found]


def shows_the_right_form(text: str) -> bool:
    return "rite " in text or "known: " in text or "e.g. " in text or "keep one" in text
