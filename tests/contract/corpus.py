"""Payloads written by others, as far as they are present: test data that is not part of the project.

``SPORTELLO_FIXTURES`` names the folder (default: ``../shared/fixtures`` beside the repository), one
folder per channel, one payload per file. ``corpus_not_inbound.toml`` names those that are no webhook.
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
    return tomllib.loads(NOT_INBOUND.read_text("utf-8"))


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
