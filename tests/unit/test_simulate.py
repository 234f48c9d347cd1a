"""What a scenario may say, and what the desk is seen to do with it."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from infra.simulate.entry import utc
from infra.simulate.rehearsal import Stage, stage
from infra.simulate.scenario import parse_scenario
from infra.simulate.sending import Sending, refusal
from infra.simulate.sentences import REASONS
from infra.simulate.transcript import Transcript
from infra.simulate.world import end_of
from sportello.channels.found import channel_names
from sportello.domain import keys
from sportello.domain.desk import Policy
from sportello.domain.message import Message
from sportello.domain.model import HOUR
from sportello.domain.reasons import Reason
from sportello.services.wording import Wording
from tests.unit.builders import at, thread

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "simulate.schema.json").read_text()))


@cache
def tried(folder: Path) -> Stage:
    return stage(folder, at("Mon 00:00"))


Play = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The desk of the repository, with an official account and a company that can be asked."""
    folder = Path(shutil.copytree(TEMPLATES, tmp_path_factory.mktemp("desk") / "templates"))
    with (folder / "desk.yaml").open("a") as file:
        file.write(
            "\naccounts:\n"
            "  - {channel: instagram, account: brand, role: official, "
            'care_link: "https://ig.me/m/care?ref={ref}"}\n'
        )
    return folder


@pytest.fixture(scope="module")
def asking(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same desk with a company that can be asked."""
    folder = Path(shutil.copytree(desk, tmp_path_factory.mktemp("asking") / "templates"))
    with (folder / "desk.yaml").open("a") as file:
        file.write("\nhook: {url: https://example.com/desk, order_pattern: '\\b[0-9]{8}\\b'}\n")
    return folder


@pytest.fixture
def play(desk: Path) -> Play:
    """Plays lines (YAML) and gives back the JSON, which is as its schema says."""

    def played(lines: str, until: str = "", folder: Path = desk) -> list[dict[str, Any]]:
        scenario, wrong = parse_scenario(lines)
        assert wrong == []
        end = at(until) if until else None
        shown = [entry.as_json() for entry in tried(folder).play(scenario, end)]
        SCHEMA.validate(shown)
        return shown

    return played


def of(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for one in entry["decisions"] if one["kind"] == kind]
    (only,) = found
    return only


def kinds(entry: dict[str, Any]) -> list[str]:
    return [decision["kind"] for decision in entry["decisions"]]


def decisions(shown: list[dict[str, Any]], kind: str) -> list[tuple[str, str, str]]:
    """Time, event and reason of every decision of that kind."""
    return [
        (entry["at"], entry["event"], decision["reason"])
        for entry in shown
        for decision in entry["decisions"]
        if decision["kind"] == kind
    ]


ONE = "channel: whatsapp, from: Customer One"


# --- what a scenario may say ------------------------------------------------------------------


def test_lines_may_stand_in_any_order_and_any_zone(play: Play) -> None:
    shown = play(
        f"- {{at: 2026-11-24T09:05+01:00, agent: anna, to: Customer One, reply: Eccomi}}\n"
        f"- {{at: '2026-11-23 19:16Z', {ONE}, text: 'La giacca si è scucita'}}\n"
        f"- {{at: 2026-11-23T14:15:00-05:00, {ONE}, text: Vorrei un operatore}}\n"
    )
    lines = [(entry["at"], entry["event"]) for entry in shown if entry["event"] != "Tick"]
    assert lines == [
        ("2026-11-23T19:15:00Z", "Inbound"),
        ("2026-11-23T19:16:00Z", "Inbound"),
        ("2026-11-24T08:05:00Z", "PersonReply"),
    ]
    assert {entry["thread"] for entry in shown} == {"whatsapp/main/Customer One"}
    reply = of(shown[0], "reply")
    assert (reply["reason"], reply["language"], reply["until"]) == (
        "told_person_comes",
        "it",
        "2026-11-24T08:00:00Z",
    )
    assert "domani alle 9:00" in reply["text"]
    assert of(shown[0], "escalate")["team"] == "care"
    assert decisions(shown, "cancel")[-1] == ("2026-11-24T08:05:00Z", "PersonReply", "settled")


def test_words_files_reactions_and_taps(play: Play) -> None:
    shown = play(
        f"- {{at: 2026-11-23T10:00+01:00, {ONE}, media: image}}\n"
        f"- {{at: 2026-11-23T10:01+01:00, {ONE}, text: 4711, "
        "media: [ricevuta.pdf, {kind: video, name: clip}]}\n"
        f"- {{at: 2026-11-23T10:02+01:00, {ONE}, reaction: 👍}}\n"
        f"- {{at: 2026-11-23T10:03+01:00, {ONE}, reaction: }}\n"
        f"- {{at: 2026-11-23T10:04+01:00, {ONE}, button: yes}}\n"
        f"- {{at: 2026-11-23T10:05+01:00, {ONE}, kind: unsupported}}\n",
        until="Mon 10:05",
    )
    reasons = [entry["decisions"][0]["reason"] for entry in shown]
    assert reasons == ["owes", "still_owes", "reaction", "reaction", "thanks", "unreadable"]


def test_somebody_of_the_desk_claims_resolves_promises_and_sets_the_language(play: Play) -> None:
    shown = play(
        f"- {{at: 2026-11-23T10:00+01:00, {ONE}, text: La giacca si è scucita}}\n"
        "- {at: 2026-11-23T10:01+01:00, agent: anna, to: Customer One, claim: }\n"
        "- {at: 2026-11-23T10:02+01:00, agent: anna, to: Customer One, resolve: }\n"
        "- {at: 2026-11-23T10:03+01:00, agent: anna, to: Customer One, language: en}\n"
        "- {at: 2026-11-23T10:04+01:00, agent: anna, to: Customer One, language: xx}\n"
        "- {at: 2026-11-23T10:05+01:00, agent: anna, to: Customer One, reply: Domani, "
        "promise: 2026-11-24T12:00+01:00}\n"
        "- {at: 2026-11-23T10:06+01:00, agent: anna, to: Customer One, wanted: true}\n"
        "- {at: 2026-11-23T10:07+01:00, agent: anna, to: Customer One, resolve: duplicate}\n",
        until="Mon 10:07",
    )
    told = [(entry["event"], entry["decisions"][0]["reason"]) for entry in shown]
    assert told == [
        ("Inbound", "owes"),
        ("Claim", "claimed"),
        ("Resolve", "owes_needs_code"),
        ("Spoken", "language_set"),
        ("Spoken", "no_such_language"),
        ("PersonReply", "interim"),
        ("Wanted", "not_aside"),
        ("Resolve", "resolved"),
    ]
    assert kinds(shown[-1]) == ["cancel"]


def test_people_answer_where_the_customer_wrote_last(play: Play) -> None:
    shown = play(
        "- {at: 2026-11-23T10:00+01:00, channel: whatsapp, from: Customer One, text: Vorrei aiuto}\n"
        "- {at: 2026-11-23T10:01+01:00, channel: telegram, from: Customer One, text: Vorrei aiuto}\n"
        "- {at: 2026-11-23T10:02+01:00, agent: anna, to: Customer One, reply: Eccomi}\n"
        "- {at: 2026-11-23T10:03+01:00, agent: anna, to: Customer One, channel: whatsapp, reply: Eccomi}\n"
        "- {at: 2026-11-23T10:04+01:00, channel: messenger, from: Customer One, public: true, text: Eccomi}\n"
        "- {at: 2026-11-23T10:05+01:00, channel: messenger, account: two, from: Customer One, text: Ciao}\n",
        until="Mon 10:05",
    )
    assert [entry["thread"] for entry in shown if entry["event"] != "Consulted"] == [
        "whatsapp/main/Customer One",
        "telegram/main/Customer One",
        "telegram/main/Customer One",
        "whatsapp/main/Customer One",
        "messenger/main/Customer One/public",
        "messenger/two/Customer One",
    ]


# --- ticks and the end ------------------------------------------------------------------------


def test_ticks_come_exactly_when_they_are_due(play: Play) -> None:
    shown = play(f"- {{at: 2026-11-23T12:55+01:00, {ONE}, text: La giacca si è scucita}}\n")
    ticks = [entry for entry in shown if entry["event"] == "Tick"]
    assert [entry["at"] for entry in ticks][1:4] == [
        "2026-11-23T13:05:00Z",  # ten minutes of service, five before lunch
        "2026-11-23T13:25:00Z",
        "2026-11-23T13:40:00Z",
    ]
    assert [reason for _, event, reason in decisions(shown, "reply") if event == "Tick"] == [
        "told_at_closing",
        "told_on_it",
    ]
    due = of(shown[0], "remind")["due"]
    assert due == ticks[0]["at"]


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("2026-11-23T10:00+01:00", "2026-11-24T09:00:00Z"),
        ("2026-11-27T20:15+01:00", "2026-12-01T08:00:00Z"),
    ],
)
def test_it_ends_a_day_after_the_last_line_or_the_opening_that_follows(line: str, last: str) -> None:
    scenario, _ = parse_scenario(f"- {{at: {line}, {ONE}, text: Vorrei aiuto}}")
    assert utc(end_of(scenario, tried(TEMPLATES).desk)) == last


def test_the_clocks_go_back_and_the_deadlines_keep_service_time(play: Play) -> None:
    """Saturday 24 October 2026 at half past two comes twice; Monday morning comes at eight UTC."""
    shown = play(
        f"- {{at: 2026-10-25T02:30+02:00, {ONE}, text: La giacca si è scucita}}\n"
        f"- {{at: 2026-10-25T02:30+01:00, {ONE}, text: Vorrei aiuto con la giacca}}\n"
    )
    lines = [entry["at"] for entry in shown if entry["event"] == "Inbound"]
    assert lines == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]
    assert len(decisions(shown, "reply")) == 2  # the hours once, and "we are on it" on Monday
    assert decisions(shown, "reply")[-1][:2] == ("2026-10-26T08:10:00Z", "Tick")


# --- the outside ------------------------------------------------------------------------------


def test_a_frequent_question_is_answered_at_night_and_a_yes_settles_it(play: Play) -> None:
    shown = play(
        f"- {{at: 2026-11-23T22:00+01:00, {ONE}, text: Quali sono gli orari di apertura?}}\n".replace(
            "Quali sono gli orari di apertura?", "'Quali sono gli orari di apertura?'"
        )
        + f"- {{at: 2026-11-23T22:05+01:00, {ONE}, text: sì}}\n",
        until="Tue 10:00",
    )
    assert [(entry["event"], kinds(entry)) for entry in shown] == [
        ("Inbound", ["none", "remind"]),
        ("Consulted", ["reply", "remind"]),
        ("Inbound", ["reply", "cancel"]),
    ]
    answer = of(shown[1], "reply")
    assert (answer["reason"], answer["name"]) == ("faq_answered", "faq")
    assert len(answer["text"]) > 60
    assert of(shown[2], "reply")["reason"] == "faq_helped"


COMPANY = """
- company:
    customers: [{id: Customer One, tier: gold}]
    orders:
      - {number: 12345678, status: spedito ieri, to: +39 333 0000001}
"""


@pytest.mark.parametrize(
    ("attested", "reason"), [("'+393330000001'", "order_told"), ("'+393330000002'", "order_unproved")]
)
def test_an_order_is_told_to_whom_it_belongs(play: Play, asking: Path, attested: str, reason: str) -> None:
    shown = play(
        f"{COMPANY}- {{at: 2026-11-23T22:00+01:00, {ONE}, attested: {attested}, "
        "text: 'Il mio ordine 12345678 non è arrivato'}\n",
        until="Mon 23:00",
        folder=asking,
    )
    (answer,) = [entry for entry in shown if entry["event"] == "Consulted"]
    assert of(answer, "reply")["reason"] == reason
    assert ("spedito ieri" in of(answer, "reply")["text"]) == (reason == "order_told")


def test_a_company_that_is_slow_or_absent_changes_nothing_but_the_reason(play: Play, asking: Path) -> None:
    line = f"- {{at: 2026-11-23T22:00+01:00, {ONE}, text: 'Il mio ordine 12345678 non è arrivato'}}\n"
    for company in ("- company: {slow: true}\n", ""):
        shown = play(company + line, until="Mon 23:00", folder=asking)
        assert decisions(shown, "reply")[-1][2] in ("told_hours", "order_unproved")


def test_the_way_from_the_official_account_to_care(play: Play) -> None:
    shown = play(
        "- {at: 2026-11-23T10:00+01:00, channel: instagram, account: brand, from: Customer One, "
        "text: La giacca si è scucita}\n"
        "- {at: 2026-11-23T10:05+01:00, channel: instagram, account: care, from: Customer One, "
        "ref: shown, text: Buongiorno}\n",
        until="Mon 10:06",
    )
    assert "https://ig.me/m/care?ref=sp-" in of(shown[0], "reply")["text"]
    events = {(entry["event"], entry["thread"]): entry for entry in shown}
    consulted = events["Consulted", "instagram/care/Customer One"]
    followed = events["Followed", "instagram/brand/Customer One"]
    assert "linked" in [
        reason for d in consulted["decisions"] for reason in [d["reason"], *d.get("reasons", [])]
    ]
    assert of(followed, "cancel")["reason"] == "followed"


def test_public_data_are_hidden_and_the_rest_said_in_private(play: Play) -> None:
    shown = play(
        "- {at: 2026-11-23T10:00+01:00, channel: messenger, from: Customer Two, public: true, "
        "text: Il mio codice fiscale è RSSMRA85T10A562S}\n",
        until="Mon 10:01",
    )
    assert kinds(shown[0])[:3] == ["hide", "reply", "private"]
    assert "RSSMRA85T10A562S" not in json.dumps(shown)


# --- what is not sent -------------------------------------------------------------------------


def test_what_the_channel_refuses_is_told(play: Play) -> None:
    shown = play(
        f"- {{at: 2026-11-20T19:00+01:00, {ONE}, text: La giacca si è scucita}}\n"
        "- {at: 2026-11-23T09:05+01:00, agent: anna, to: Customer One, reply: Eccomi}\n",
        until="Mon 09:11",
    )
    assert decisions(shown, "none")[-1] == ("2026-11-23T08:05:00Z", "PersonReply", "window_closed")
    assert decisions(shown, "cancel")[-1] == ("2026-11-23T08:10:00Z", "Tick", "window_closed")


def test_nothing_is_caused_twice(desk: Path) -> None:
    """As the table refuses a second row with the key of the first."""
    scenario, _ = parse_scenario(f"- {{at: 2026-11-23T10:00+01:00, {ONE}, text: La giacca si è scucita}}\n")
    world = tried(desk).world(scenario)
    told = []
    for entry in world.run(scenario, at("Mon 10:10")):
        told.append(entry.as_json()["decisions"][0])
        owed = at("Mon 10:00")
        world.talks[entry.thread].keys.add(keys.effect_key(keys.timer_key(owed, "on-it"), "on-it"))
    assert [(one["kind"], one["reason"]) for one in told] == [("remind", "owes"), ("none", "already_caused")]


def test_what_is_sent_is_judged_as_the_sender_does(desk: Path) -> None:
    on_it = tried(desk)
    sending = Sending(on_it.desk, Wording(on_it.desk, on_it.texts), on_it.faq)
    now = at("Mon 10:10")
    talk = thread(owed_since=now, window=now)
    row = Message(
        key="k", direction="out", author="automatic", time=now, say="on_it", language="it", not_after=now + 1
    )
    assert sending.of(talk, row, 0, now).problem == ""
    assert sending.of(talk, row, 0, now + 1).problem == "expired"
    assert (
        sending.of(talk.model_copy(update={"person_until": now + 1}), row, 0, now).problem
        == "person_answered"
    )
    assert sending.of(talk.model_copy(update={"channel": "wechat"}), row, 5, now).problem == "window_closed"
    capped = on_it.desk.model_copy(update={"policy": Policy(automatic_per_hour=1)})
    few = Sending(capped, Wording(capped, on_it.texts), on_it.faq)
    assert [few.of(talk, row, 0, now).problem for _ in range(2)] == ["", "cap"]


@pytest.mark.parametrize("name", channel_names())
def test_every_channel_takes_words_for_a_made_up_customer(name: str) -> None:
    talk = thread(channel=name, window=at("Mon 10:00"))
    assert refusal(talk, "Eccomi", at("Mon 10:00") + HOUR) == ""
    assert refusal(talk, "Eccomi", at("Mon 10:00") + HOUR, by_person=True) == ""
    assert refusal(talk.model_copy(update={"unreachable": True}), "Eccomi", at("Mon 10:05")) == "unreachable"


def test_the_transcript_fits_a_terminal_and_steers_it_nowhere(desk: Path) -> None:
    console = Console(width=80, record=True, highlight=False, file=io.StringIO())
    scenario, _ = parse_scenario(
        f'- {{at: 2026-11-23T20:15+01:00, {ONE}, text: "Vorrei un \\e[31moperatore, {"molto " * 40}"}}\n'
    )
    Transcript(console, "Europe/Rome").show(tried(desk).play(scenario))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "Monday 23 November 2026" in text


def test_every_reason_has_its_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert all(text.endswith(".") and len(text) < 110 for text in REASONS.values())


def test_nothing_of_aws_is_loaded_for_a_rehearsal() -> None:
    names = ("rehearsal", "diff", "otherwise", "stored", "side_by_side", "transcript")
    program = "import sys\n" + "".join(f"import infra.simulate.{name}\n" for name in names)
    program += "print([name for name in sys.modules if name.startswith(('boto', 'sportello.aws'))])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
