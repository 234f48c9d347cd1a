"""Why the desk did what it did, what would have changed it, and stored conversations played again."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner, Result

from infra.cli import explain as command
from infra.cli.app import app
from infra.simulate.entry import Entry
from infra.simulate.lines import Scenario
from infra.simulate.otherwise import always_open, closed_on, ledger, otherwise
from infra.simulate.rehearsal import Stage, stage
from infra.simulate.scenario import of_lines, parse_scenario
from infra.simulate.stored import lines_of
from sportello.aws import threads as listing
from sportello.domain.events import Media
from sportello.domain.message import Message, State
from sportello.domain.model import DAY, MINUTE, Instant
from sportello.domain.thread import Thread
from sportello.services.reply import View
from tests.unit.builders import at, thread
from tests.unit.locales import TEMPLATES

ONE = "channel: whatsapp, from: Customer One"


@cache
def tried() -> Stage:
    return stage(TEMPLATES)


def played(lines: str, until: str) -> list[Entry]:
    scenario, wrong = parse_scenario(lines)
    assert wrong == []
    return tried().play(scenario, at(until))


def told(lines: str, until: str = "Mon 23:59", number: int = -1) -> list[str]:
    return otherwise(played(lines, until)[number], tried().desk)


# --- what would have changed it ---------------------------------------------------------------


def test_closed_and_not_told() -> None:
    text = f"- {{at: 2026-11-23T20:15+01:00, {ONE}, text: La giacca si è scucita}}\n"
    assert told(text, "Mon 20:15") == [
        "Had the desk been open: nothing would be said.",
        "Had a person been in the conversation: nothing would be said.",
    ]


def test_told_before() -> None:
    line = "- {{at: 2026-11-23T20:{}+01:00, {}, text: La giacca si è scucita}}\n"
    found = told(line.format("15", ONE) + line.format("16", ONE), "Mon 20:16")
    assert (
        "Had the customer not heard when the desk opens: the customer would hear when the desk opens."
        in found
    )


def test_the_words_that_counted_are_named() -> None:
    text = f"- {{at: 2026-11-23T10:00+01:00, {ONE}, text: Salve vorrei parlare con un operatore grazie}}\n"
    found = told(text, "Mon 10:00")
    assert found[0].startswith("Without “"), found
    assert "operatore" in found[0]
    assert found[0].endswith("nobody would be called.")


def test_a_person_in_the_conversation() -> None:
    found = told(
        f"- {{at: 2026-11-23T17:50+01:00, {ONE}, text: La giacca si è scucita}}\n"
        "- {at: 2026-11-23T17:59+01:00, agent: anna, to: Customer One, reply: Eccomi}\n"
        f"- {{at: 2026-11-23T18:01+01:00, {ONE}, text: E anche i pantaloni si sono scuciti}}\n",
        "Mon 18:01",
    )
    heard = "the customer would hear when the desk opens"
    assert found[0] == f"Had no person been in the conversation: {heard}."


def test_a_refusal_says_how_it_would_be_done() -> None:
    found = told(
        f"- {{at: 2026-11-23T10:00+01:00, {ONE}, text: La giacca si è scucita}}\n"
        "- {at: 2026-11-23T10:01+01:00, agent: anna, to: Customer One, resolve: }\n",
        "Mon 10:01",
    )
    assert "With a reason (resolve: spam): it would be done, nothing would be owed (resolved)." in found


def test_thanks_and_a_question() -> None:
    found = told(f"- {{at: 2026-11-23T10:00+01:00, {ONE}, text: Grazie mille}}\n", "Mon 10:00")
    assert any("Had it been an ordinary question: an answer would be owed" in text for text in found)


def test_a_machine_and_a_person() -> None:
    text = f"- {{at: 2026-11-23T20:00+01:00, {ONE}, automatic: own_address, text: La giacca si è scucita}}\n"
    found = told(text, "Mon 20:00")
    assert "Had a person written it: the customer would hear when the desk opens." in found


def test_the_outside() -> None:
    text = f"- {{at: 2026-11-23T22:00+01:00, {ONE}, text: 'Quali sono gli orari di apertura?'}}\n"
    entries = played(text, "Mon 22:01")
    assert type(entries[-1].event).__name__ == "Consulted"
    found = otherwise(entries[-1], tried().desk)
    assert any(text.startswith("Had nothing been found: the customer would hear when") for text in found), (
        found
    )


def test_never_more_than_three_and_none_for_a_look_that_finds_nothing() -> None:
    text = f"- {{at: 2026-11-23T10:00+01:00, {ONE}, text: 'È urgente, voglio un operatore!!!'}}\n"
    for entry in played(text, "Wed 12:00"):
        found = otherwise(entry, tried().desk)
        assert len(found) <= 3
        assert found or entry.told[0].reason != "no_answer"
        if "not_yet" in entry.decision.reasons:
            assert found == []


def test_the_minutes_of_a_deadline() -> None:
    talk = thread(owed_since=at("Mon 12:45"))
    assert ledger(tried().desk, talk, at("Mon 14:15")) == [
        "Mon 23 Nov 12:45–13:00 15 min",
        "Mon 23 Nov 14:00–14:15 15 min",
    ]
    assert ledger(tried().desk, thread(), at("Mon 14:15")) == []


def test_the_same_desk_open_and_closed() -> None:
    desk = tried().desk
    for when in ("Mon 10:00", "Mon 20:00", "Sun 12:00"):
        assert always_open(desk).calendar_of("whatsapp", "x", "care").is_open(at(when))
        assert not closed_on(desk, at(when)).calendar_of("whatsapp", "x", "care").is_open(at(when))
    closed = closed_on(desk, at("Mon 10:00")).calendar
    assert closed.next_opening(at("Mon 10:00")) == at("Tue 09:00")


# --- stored conversations ---------------------------------------------------------------------

TALK: Thread = thread(rev=3, name="Customer One", language="it", window=at("Mon 20:15"))


def row(key: str, when: str, **fields: Any) -> Message:
    moment: Instant = at(when)
    given: dict[str, Any] = {"direction": "in", "author": "customer", "time": moment, "arrived": moment}
    return Message(key=key, **given | fields)


PICTURE = Media(kind="image", id="i")
STORED = (
    row("M#1", "Mon 20:15", id="m1", text="La giacca si è scucita", owes=True, why=("owes", "told_hours")),
    row("M#1~hours", "Mon 20:15", direction="out", author="automatic", say="closed", state=State.SENT),
    row(
        "M#2",
        "Mon 20:16",
        kind="media",
        media=(Media(kind="image", id="i"),),
        why=("still_owes", "already_told"),
    ),
    row("M#3", "Tue 09:05", direction="out", author="person", by="anna", kind="claim", why=("claimed",)),
    row("M#4", "Tue 09:06", direction="out", author="person", by="anna", text="Eccomi", why=("settled",)),
    row("M#5", "Tue 09:07", kind="reaction", text="👍", why=("reaction",)),
    row("M#6", "Tue 09:08", direction="out", author="person", by="anna", kind="resolve", why=("resolved",)),
)


def test_a_stored_conversation_is_a_scenario() -> None:
    lines = [line for _, line in lines_of(TALK, STORED)]
    assert "agent" not in lines[0]
    assert lines[0]["at"] == "2026-11-23T19:15:00+00:00"
    assert len(lines) == 6
    text = yaml.safe_dump(lines, allow_unicode=True)
    scenario, wrong = parse_scenario(text)
    assert wrong == []
    assert [step.does for step in scenario.steps] == [step.does for step in of_lines(lines).steps]
    entries = tried().play(scenario, at("Tue 09:08"))
    again = [tuple(map(str, entry.decision.reasons)) for entry in entries if entry.line]
    assert again[:2] == [("owes", "told_hours"), ("still_owes", "already_told")]
    assert again[2:] == [("claimed",), ("settled",), ("reaction",), ("resolved",)]


def test_what_people_did_before_anybody_wrote_is_left_out() -> None:
    first = row("M#0", "Mon 20:00", direction="out", author="person", by="anna", text="Buonasera")
    lines = [line for _, line in lines_of(TALK, (first, *STORED))]
    assert "agent" not in lines[0]


def test_what_only_the_reasons_tell_comes_back() -> None:
    rows = (
        row("M#1", "Mon 10:00", text="x", why=("newsletter",)),
        row("M#2", "Mon 10:01", text="x", why=("not_addressed",)),
        row("M#3", "Mon 10:02", kind="call", why=("owes",)),
        row("M#4", "Mon 10:03", kind="button", payload="sportello:yes", why=("thanks",)),
        row("M#5", "Mon 10:04", direction="out", author="person", by="a", kind="language", detail="en"),
    )
    lines = [line for _, line in lines_of(TALK, rows)]
    assert lines[0]["automatic"] == "list"
    assert lines[1]["addressed"] is False
    assert lines[2]["kind"] == "call"
    assert lines[3]["button"] == "sportello:yes"
    assert lines[4]["language"] == "en"
    assert isinstance(of_lines(lines), Scenario)


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def run(*rows: Message) -> Result:
        monkeypatch.setattr(command, "place_of", lambda _: None)
        monkeypatch.setattr(command, "look", lambda id, newest: View(TALK, rows))
        monkeypatch.setattr(command, "now", lambda: at("Tue 09:10"))
        monkeypatch.setattr(command, "console", Console(width=100, highlight=False))
        return CliRunner().invoke(app, ["explain", TALK.id])

    return run


def test_explain_tells_each_decision_and_what_would_have_changed_it(explained: Callable[..., Result]) -> None:
    result = explained(*STORED)
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "Customer One on whatsapp: La giacca si è scucita" in text
    assert "The desk is closed: the customer hears when it opens." in text
    assert "Had the desk been open: nothing would be said." in text
    assert "anna answers Customer One: Eccomi" in text
    assert "cannot be told" not in text


def test_explain_says_where_it_cannot_know(explained: Callable[..., Result]) -> None:
    other = STORED[0].model_copy(update={"why": ("owes",)})
    result = explained(other)
    text = " ".join(result.output.split())
    assert "Decided then: owes. Decided again now: owes, told_hours." in text
    assert "cannot be told" in text
    assert "Had the desk been open" not in text


def test_export_writes_what_diff_desk_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = TALK.model_copy(update={"id": "o" * 26, "window": at("Mon 20:15") - 30 * DAY})
    monkeypatch.setattr(command, "place_of", lambda _: None)
    monkeypatch.setattr(listing, "newest", lambda most: [TALK, old])
    monkeypatch.setattr(command, "look", lambda id: View(TALK, STORED) if id == TALK.id else None)
    monkeypatch.setattr(command, "now", lambda: at("Tue 09:10") + MINUTE)
    result = CliRunner().invoke(app, ["export", "--days", "7"])
    assert result.exit_code == 0, result.output
    scenario, wrong = parse_scenario(result.stdout)
    assert wrong == []
    assert len(scenario.steps) == 6
