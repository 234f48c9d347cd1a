"""Payloads written by others, as far as they are present: test data that is not part of the project.

``SPORTELLO_FIXTURES`` names the folder (default: ``../shared/fixtures`` beside the repository), one
folder per channel, one payload per file. ``corpus_not_inbound.toml`` names those that are no webhook;
a channel may bring a file of its own, ``corpus_<channel>.toml``, with the tables ``not_inbound`` and
``broken`` (published in a form that cannot be read), both file name -> reason.
"""

import os
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(os.environ.get("SPORTELLO_FIXTURES", ROOT.parent / "shared" / "fixtures"))
NOT_INBOUND = Path(__file__).with_name("corpus_not_inbound.toml")


@dataclass(frozen=True)
class Payload:
    channel: str
    name: str
    """The file's name without its ending."""
    body: bytes
    reason: str
    """Why it is no webhook; empty: it is one."""

    @property
    def inbound(self) -> bool:
        return not self.reason


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Channel -> file name or pattern -> why it is not inbound."""
    listed: dict[str, dict[str, str]] = tomllib.loads(NOT_INBOUND.read_text("utf-8"))
    for file in NOT_INBOUND.parent.glob("corpus_*.toml"):
        if file != NOT_INBOUND:
            channel = file.stem.removeprefix("corpus_")
            listed[channel] = {**listed.get(channel, {}), **_own(channel, "not_inbound")}
    return listed


@cache
def broken(channel: str) -> dict[str, str]:
    """File name -> why nobody could read it."""
    return _own(channel, "broken")


def _own(channel: str, table: str) -> dict[str, str]:
    file = NOT_INBOUND.with_name(f"corpus_{channel}.toml")
    found: dict[str, str] = tomllib.loads(file.read_text("utf-8")).get(table, {}) if file.exists() else {}
    return found


def folders() -> list[str]:
    """The channels for which payloads are present."""
    return sorted(folder.name for folder in FIXTURES.glob("*") if folder.is_dir())


def payloads(channel: str) -> list[Payload]:
    """Every payload of a channel, by name; none where they are absent."""
    return [
        Payload(channel, file.stem, file.read_bytes(), _reason(channel, file.stem))
        for file in sorted((FIXTURES / channel).glob("*"))
        if file.is_file()
    ]


def _reason(channel: str, name: str) -> str:
    listed = reasons().get(channel, {})
    return next((reason for pattern, reason in listed.items() if fnmatchcase(name, pattern)), "")
