"""Mistakes in the hours of teams, channels and accounts, and in the ways in."""

from pathlib import Path

import pytest

from infra.bundle import Mistake, load
from infra.bundle_directory import SCHEMES, link_mistake
from tests.unit.broken import NOW, mistakes
from tests.unit.locales import lean_copy

DESK = """\
name: Desk
time_zone: Europe/Rome
languages: [it, en]
hours: Mo-Fr 09:00-18:00; PH off
holidays: IT
teams:
  care:
    tell: [{email: care@example.com}]
  returns:
    tell: [{email: care@example.com}]
    hours: Mo-Fr 10:00-16:00
channels:
  whatsapp:
    hours: Mo-Sa 08:00-20:00
    team: returns
    exceptions:
      - {dates: Dec 24, hours: 09:00-12:00, name: {it: vigilia, en: Christmas Eve}}
accounts:
  - channel: telegram
    account: care_bot
    hours: Sa 10:00-12:00
directory:
  - {channel: whatsapp, link: 'https://wa.me/390600000000'}
  - {channel: telegram, link: 'https://t.me/care_bot', account: care_bot, name: {it: Il bot, en: The bot}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lean_copy(tmp_path / "templates")


def wrong(folder: Path, old: str, new: str) -> list[Mistake]:
    """What is wrong with desk.yaml, and with it alone, when one part of it is another."""
    assert DESK.count(old) == 1, old
    (folder / "desk.yaml").write_text(DESK.replace(old, new), "utf-8")
    found = mistakes(folder)
    assert {mistake.file for mistake in found} == {str(folder / "desk.yaml")}, found
    return found


def test_hours_of_every_level(folder: Path) -> None:
    (folder / "desk.yaml").write_text(DESK, "utf-8")
    bundle = load(folder, NOW)
    desk = bundle.desk
    assert desk.calendar_of("telegram", "care_bot", "care").rules == "Sa 10:00-12:00"
    assert desk.calendar_of("email", "", "returns").rules == "Mo-Fr 10:00-16:00"
    assert desk.calendar_of("email", "", "care").rules == desk.hours
    assert desk.calendar_of("whatsapp", "x", "returns").rules.startswith(
        "Mo-Sa 08:00-20:00; Dec 24 09:00-12:00"
    )
    assert [way.link for way in bundle.texts.ways] == ["https://wa.me/390600000000", "https://t.me/care_bot"]


def test_a_changed_desk_has_the_changed_hours_and_phrases(folder: Path) -> None:
    desk = load(folder, NOW).desk
    assert desk.calendar_of("email", "", "care").rules.startswith(desk.hours)
    assert "never" in desk.patterns
    changed = desk.model_copy(update={"hours": "Su 10:00-11:00", "phrases": {}, "phrase_index": {}})
    assert changed.calendar_of("email", "", "care").rules.startswith("Su 10:00-11:00")
    assert "never" not in changed.patterns
    assert desk.calendar_of("email", "", "care").rules.startswith(desk.hours)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("Mo-Fr 10:00-16:00", "Mo-Fr 10-16", 11, "'Mo-Fr 10-16' cannot be read from '10-16' (character 7)"),
        ("Mo-Fr 10:00-16:00", "2020 Mo-Fr 10:00-16:00", 11, "never opens within 370 days"),
        ("Mo-Fr 10:00-16:00", "Mo-Su 00:00-24:00", 11, "for a desk that is always open write 24/7"),
        ("Mo-Sa 08:00-20:00", "Mo-Sa", 14, "has no times and would be open all day"),
        ("Mo-Sa 08:00-20:00", "Mo-Sa sunrise-20:00", 14, "does not follow the sun"),
        ("Sa 10:00-12:00", "Sa 10:00-10:00", 21, "opens and closes at the same time"),
        ("dates: Dec 24,", "dates: Dec 32,", 17, "'Dec 32' is no date; write e.g. dates: Dec 24"),
        (
            "hours: 09:00-12:00,",
            "hours: morning,",
            17,
            "is not written in the right form",
        ),
        (", en: Christmas Eve", "", 17, "the name is missing in 'en'; write e.g. name: {it:"),
        (
            "  whatsapp:\n",
            "  whatsap:\n",
            13,
            "'whatsap' is no channel (did you mean 'whatsapp'?); known: apple,",
        ),
        (
            "    team: returns\n",
            "    team: retuns\n",
            15,
            "'retuns' is no team of this desk (did you mean 'returns'?)",
        ),
        ("    team: returns\n", "    account: a\n", 15, "'account' belongs to accounts"),
        (
            "channel: telegram\n",
            "channel: telegramm\n",
            19,
            "'telegramm' is no channel (did you mean 'telegram'?)",
        ),
        ("    account: care_bot\n", "", 19, "'account' is missing; write e.g. account: '390600000000'"),
        (
            "  - channel: telegram\n    account",
            "  - account",
            19,
            "'channel' is missing; write e.g. channel: whatsapp",
        ),
        (
            "    hours: Sa 10:00-12:00",
            "    hours: Sa 10:00-12:00\n  - {channel: telegram, account: care_bot}",
            22,
            "telegram 'care_bot' stands here twice; keep e.g. the first",
        ),
        # ways in
        ("{channel: whatsapp, link", "{channel: fax, link", 23, "'fax' is no channel; known: apple, email"),
        (
            "{channel: whatsapp, link",
            "{link",
            23,
            "'directory.0.channel' is missing; write e.g. channel: whatsapp",
        ),
        ("{channel: whatsapp, link", "{channel: whatsapp, url", 23, "'url' is not known here"),
        (
            "'https://wa.me/390600000000'",
            "'javascript:alert(1)'",
            23,
            "is no link that a page may hold; write e.g. https://",
        ),
        (
            "'https://wa.me/390600000000'",
            "'http://wa.me/390600000000'",
            23,
            "is no link that a page may hold",
        ),
        ("'https://wa.me/390600000000'", "'https://wa.me/+390600000000'", 23, "takes the number alone"),
        ("account: care_bot, name", "account: other, name", 24, "accounts has no telegram 'other'"),
        (", en: The bot", "", 24, "the name is missing in 'en'"),
    ],
)
def test_a_mistake(folder: Path, old: str, new: str, line: int, says: str) -> None:
    found = wrong(folder, old, new)
    assert (line, True) in [(mistake.line, says in mistake.text) for mistake in found], found
    for mistake in found:
        assert any(word in mistake.text for word in ("write ", "known: ", "keep e.g.")), mistake


@pytest.mark.parametrize(
    ("level", "what", "line"),
    [
        ("  returns:\n    exceptions: [{dates: Jan 1-Dec 31}]\n", "the team 'returns'", 10),
        (
            "  whatsapp:\n    team: returns\n    exceptions: [{dates: 2026 Jan 1-2027 Dec 31}]\n",
            "the channel 'whatsapp'",
            15,
        ),
    ],
)
def test_exceptions_that_leave_no_open_time(folder: Path, level: str, what: str, line: int) -> None:
    name = level.split("\n")[0] + "\n"
    head, _, tail = DESK.partition(name)
    kept = tail.split("    exceptions:")[0].replace("    team: returns\n", "") if "whatsapp" in name else tail
    rest = DESK[DESK.index("accounts:") :] if "whatsapp" in name else ""
    (folder / "desk.yaml").write_text(head + level + kept + rest, "utf-8")
    found = mistakes(folder)
    assert {mistake.file for mistake in found} == {str(folder / "desk.yaml")}
    assert found[0].line in (line, line + 1), found
    assert f"with these exceptions {what} never opens within 370 days; write e.g. dates:" in found[0].text


def test_the_hours_of_a_team_that_a_channel_shares_are_one_mistake(folder: Path) -> None:
    """However many channels and teams meet in it."""
    closed = "exceptions: [{dates: 2026 Jan 1-2028 Dec 31}]\n"
    (folder / "desk.yaml").write_text(DESK.replace("holidays: IT\n", f"holidays: IT\n{closed}"), "utf-8")
    found = mistakes(folder)
    assert "with these exceptions the desk never opens" in found[0].text
    assert found[0].line == 6


@pytest.mark.parametrize(
    "link",
    [
        *SCHEMES.values(),
        "https://care.example.com:8443/a?b=c#d",
        "sms:+39060?body=Hi",
        "https://m.me/care?ref=page",
        "https://wa.me/message/ABCDEFG",
        "tel:0600-000",
    ],
)
def test_links_that_open_a_conversation(link: str) -> None:
    assert link_mistake(link) == ""


@pytest.mark.parametrize(
    "link",
    [
        "",
        "wa.me/390600000000",
        "http://example.com",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user@example.com/",
        "https://exa mple.com",
        'https://example.com/"onclick="x',
        "https://example.com/<b>",
        "https://localhost",
        "mailto:",
        "mailto:nobody",
        "tel:",
        "tel:call us",
        "sms:abc",
        "https://wa.me/0039060000000x",
        "https://[",
        "https://esempio.it/però",
    ],
)
def test_links_that_no_page_may_hold(link: str) -> None:
    assert "write e.g." in link_mistake(link)


def test_a_way_in_needs_its_channels_name(folder: Path) -> None:
    (folder / "desk.yaml").write_text(DESK, "utf-8")
    path = folder / "directory" / "en.yaml"
    path.write_text(path.read_text("utf-8").replace("  telegram: Telegram\n", ""), "utf-8")
    (mistake,) = mistakes(folder)
    assert mistake.file == str(path)
    assert "channels lacks 'telegram'; write e.g. telegram: Telegram" in mistake.text
