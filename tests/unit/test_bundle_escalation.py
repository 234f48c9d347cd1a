"""Mistakes in the escalation of ``desk.yaml`` and in ``templates/notifications/``."""

from pathlib import Path

import pytest

from infra.bundle import load
from sportello.domain.model import HOUR, MINUTE
from tests.unit.broken import NOW, copied, mistakes_of, shows_the_right_form
from tests.unit.broken import SHORT_DESK as DESK
from tests.unit.locales import TEMPLATES

PEOPLE = """\
people:
  anna: {teams: [care], tell: [{email: anna@example.com}]}
  bruno: {teams: [care]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / "templates")


def wrong(folder: Path, file: str) -> list[tuple[int, str]]:
    """Lines and texts of what is wrong with one file; nothing else may be."""
    found = mistakes_of(folder, file)
    assert all(shows_the_right_form(text) for _, text in found)
    return found


def of_desk(folder: Path, escalation: str) -> list[tuple[int, str]]:
    (folder / "desk.yaml").write_text(DESK + PEOPLE + escalation)
    return wrong(folder, "desk.yaml")


FIRST = len((DESK + PEOPLE).splitlines()) + 1
"""Line of ``escalation:``."""


def test_levels_and_a_rota_are_read(folder: Path) -> None:
    (folder / "desk.yaml").write_text(
        DESK + PEOPLE + "escalation:\n"
        "  levels:\n"
        "    - {tell: [team], within: 10 min}\n"
        "    - {tell: [on_call, {email: lead@example.com}], within: 1 h}\n"
        "  on_call:\n"
        "    - {who: anna, when: Mo-Fr 18:00-09:00}\n"
        "  incident_calls: 30\n"
        "  incident_within: 5 min\n"
    )
    escalation = load(folder, NOW).desk.escalation
    assert [level.within for level in escalation.levels] == [10 * MINUTE, HOUR]
    assert escalation.levels[1].tell[0] == "on_call"
    assert (escalation.on_call[0].who, escalation.incident_calls) == ("anna", 30)


@pytest.mark.parametrize(
    ("escalation", "line", "says"),
    [
        ("levels: [{tell: [on_call]}]", 1, "the escalation ends nowhere"),
        ("levels: [{tell: [on_call]}, {tell: [team]}]", 1, "nobody ever is"),
        ("levels: []", 1, "has too few entries"),
        ("levels: [{tell: []}]", 1, "has too few entries"),
        ("levels: [{tell: [everybody]}]", 1, "'team' or 'on_call'"),
        ("levels: [{tell: [{slack: a b}]}]", 1, "not written in the right form"),
        ("levels: [{tell: [{}]}]", 1, "name one target"),
        ("levels: [{tell: [team], within: 15}]", 1, "15 of what?"),
        ("levels: [{tell: [team], within: 200 h}]", 1, "more than a week"),
        ("levels: [{tell: [team], whithin: 15 min}]", 1, "did you mean 'within'?"),
        ("incident_calls: 1", 1, "greater than or equal to 2"),
        ("incident_calls: 2000", 1, "never one incident"),
        ("incident_within: 10", 1, "10 of what?"),
        ("incident_within: 20 s", 1, "too short"),
        ("taken_for: 4", 1, "4 of what?"),
        ("taken_for: 20 s", 1, "no time to answer"),
    ],
)
def test_a_level_that_tells_nobody_is_refused(folder: Path, escalation: str, line: int, says: str) -> None:
    found = of_desk(folder, f"escalation:\n  {escalation}\n")
    assert [number for number, _ in found] == [FIRST + line] * len(found)
    assert any(says in text for _, text in found), found


ROTA = "escalation:\n  levels: [{tell: [team]}, {tell: [on_call]}]\n  on_call:\n    - "


@pytest.mark.parametrize(
    ("shift", "says"),
    [
        ("{who: carla, when: Mo-Su 18:00-09:00}", "'carla' is nobody of this desk"),
        ("{who: ana, when: Mo-Su 18:00-09:00}", "did you mean 'anna'?"),
        ("{who: bruno, when: Mo-Su 18:00-09:00}", "cannot be told anywhere"),
        ("{who: anna, when: 18-9}", "cannot be read"),
        ("{who: anna, when: 2020 Jan 1 10:00-12:00}", "never opens"),
        ("{who: anna}", "'escalation.on_call.0.when' is missing"),
    ],
)
def test_a_rota_names_people_who_can_be_told_at_times_that_come(folder: Path, shift: str, says: str) -> None:
    found = of_desk(folder, f"{ROTA}{shift}\n")
    assert [number for number, _ in found] == [FIRST + 3]
    assert says in found[0][1]


def test_a_rota_that_no_level_uses_is_refused(folder: Path) -> None:
    found = of_desk(folder, "escalation:\n  on_call: [{who: anna, when: Mo-Su 18:00-09:00}]\n")
    assert found[0][0] == FIRST + 1
    assert "no level tells whoever is on call" in found[0][1]


# --- notifications ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("words.yaml", "  complaint: people complain\n", "", "waves lacks 'complaint'"),
        ("words.yaml", "  first: first answer\n", "", "deadlines lacks 'first'"),
        ("words.yaml", "  angry: First", "  furious: First", "'furious' is not known here"),
        ("words.yaml", 'more: "and {count} more"', "more: and more", "lacks {count}"),
        ("words.yaml", "take: Take it\n", "take: ' '\n", "'take' is empty"),
        ("words.yaml", "take: Take it\n", "take: Take it\ndigest: x\n", "'digest' does not stand here"),
        ("console.yaml", "{who} has it since", "{whom} has it since", "{whom} is no placeholder"),
        ("console.yaml", "title: Take a conversation\n", "", "'title' is missing"),
        ("incident.txt", "{{ minutes }}", "{{ hours }}", "'hours' is no placeholder"),
        ("digest.txt", "{{ conversations }}", "{{ many }}", "'many' is no placeholder"),
    ],
)
def test_a_notification_that_cannot_be_said_is_refused(
    folder: Path, file: str, old: str, new: str, says: str
) -> None:
    path = folder / "notifications" / "en" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    found = wrong(folder, f"notifications/en/{file}")
    assert any(says in text for _, text in found), found


@pytest.mark.parametrize("language", sorted(path.name for path in (TEMPLATES / "notifications").iterdir()))
def test_every_language_can_call_people(folder: Path, language: str) -> None:
    """Whatever language comes first."""
    (folder / "desk.yaml").write_text(DESK.replace("[it, en]", f"[{language}]"))
    told = load(folder, NOW).texts.notifications[language]
    assert told.console.take
    assert told.playbook.keys() <= told.reasons.keys()
