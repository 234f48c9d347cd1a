"""What the README says of the channels is what the code declares."""

import re

import pytest

from infra.engine.template import ROOT
from sportello.domain.model import HOUR
from tests.contract.samples import all_samples, channel_names, channel_of, sample_folders

README = (ROOT / "README.md").read_text("utf-8")
ROW = re.compile(r"^\| \[[^]]+\]\(docs/channels/([a-z]+)\.md\) \|(.*)\|$", re.MULTILINE)
ROWS = {
    match[1]: dict(
        zip(
            ("family", "proof", "window", "files", "receipts", "public", "connect"),
            (cell.strip() for cell in match[2].split("|")),
            strict=True,
        )
    )
    for match in ROW.finditer(README)
}
NAMES = channel_names()


def receipts_of(name: str) -> set[str]:
    """What the channel's samples are read as."""
    samples = [
        sample
        for folder in sample_folders()
        if folder.split("/")[0] == name
        for sample in all_samples(folder)
    ]
    return {event["status"] for sample in samples for event in sample.expect if event["event"] == "Receipt"}


def test_every_channel_has_its_row_and_its_page() -> None:
    assert sorted(ROWS) == NAMES
    assert all((ROOT / "docs" / "channels" / f"{name}.md").is_file() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
class TestRow:
    def test_family(self, name: str) -> None:
        assert ROWS[name]["family"] == channel_of(name).family

    def test_window(self, name: str) -> None:
        window = channel_of(name).window
        said = ROWS[name]["window"]
        assert said.startswith(f"{window // HOUR} h" if window else ("always", "while the call lasts"))

    def test_answers(self, name: str) -> None:
        answers = channel_of(name).answers
        assert (f"{answers} messages" in ROWS[name]["window"]) == (answers is not None)

    def test_files_out(self, name: str) -> None:
        kinds = set(channel_of(name).media)
        said = ROWS[name]["files"]
        assert ("out" in said) == bool(kinds)
        assert ("(images)" in said) == (kinds == {"image"})
        assert ("(no documents)" in said) == (bool(kinds - {"image"}) and "document" not in kinds)

    def test_receipts(self, name: str) -> None:
        said = set(re.findall(r"sent|delivered|read|failed", ROWS[name]["receipts"]))
        if name == "voice":  # its written answers go out as SMS
            assert ROWS[name]["receipts"] == "as SMS"
            assert receipts_of(name) <= receipts_of("sms")
        else:
            assert receipts_of(name) == said

    def test_public(self, name: str) -> None:
        channel, said = channel_of(name), ROWS[name]["public"]
        assert bool(said) == (len(channel.acts) > 1)
        assert ("hide" in said) == ("hide" in channel.acts)


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
