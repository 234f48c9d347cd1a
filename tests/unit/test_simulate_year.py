"""A year of random messages through the simulator: quick, the same every time, and true to its promises."""

import json
import time
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

from jsonschema import Draft202012Validator

from infra.simulate.entry import Entry
from infra.simulate.lines import Acts, Writes
from infra.simulate.rehearsal import Stage, stage
from infra.simulate.sentences import NOT_SENT, REASONS
from sportello.domain.decision import Call, Say
from sportello.domain.events import Inbound, Tick, Wanted
from sportello.domain.reasons import Reason
from tests.unit.year import lines_that, year

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "simulate.schema.json").read_text())
SEED = 20_261
SECONDS = 60.0


@cache
def desk() -> Stage:
    return stage(ROOT / "templates")


@cache
def played() -> tuple[Entry, ...]:
    return tuple(desk().play(year(SEED)))


def test_a_year_runs_in_seconds_and_twice_alike() -> None:
    scenario = year(SEED)
    assert len(lines_that(scenario, Writes)) > 1_500
    assert len(lines_that(scenario, Acts)) > 700
    started = time.monotonic()
    first = played()
    assert time.monotonic() - started < SECONDS
    again = desk().play(year(SEED))
    assert [entry.as_json() for entry in first] == [entry.as_json() for entry in again]


def test_every_kind_of_decision_and_most_reasons_come_up() -> None:
    """Else nothing would be shown of them."""
    kinds = Counter(told.kind for entry in played() for told in entry.told)
    assert {"reply", "escalate", "private", "hide", "remind", "cancel", "none"} <= set(kinds)
    reasons = {reason for entry in played() for reason in entry.decision.reasons}
    assert len(reasons) > 40, sorted(reasons)
    events = Counter(type(entry.event).__name__ for entry in played())
    assert {"Inbound", "PersonReply", "Claim", "Resolve", "Spoken", "Tick", "Consulted"} <= set(events)
    assert events["Tick"] > events["Inbound"]


def test_the_output_is_as_its_schema_says() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    shown = [entry.as_json() for entry in played()]
    problems = list(Draft202012Validator(SCHEMA).iter_errors(shown))
    assert problems == []
    assert all(earlier["at"] <= later["at"] for earlier, later in pairwise(shown))


def test_every_decision_has_a_reason_that_is_told_in_a_sentence() -> None:
    for entry in played():
        assert entry.told
        for told in entry.told:
            assert told.reason in REASONS or told.reason in NOT_SENT, told


def test_no_voice_speaks_while_a_person_is_there_and_none_says_the_hours_twice() -> None:
    named: dict[str, int] = {}
    for entry in played():
        voices = [effect for effect in entry.decision.effects if isinstance(effect, Say)]
        if voices:
            assert isinstance(entry.event, Inbound | Tick) or type(entry.event).__name__ == "Consulted"
            assert not entry.before.person_present(entry.at)
        for voice in voices:
            if voice.text in ("closed", "closing"):
                assert entry.at >= named.get(entry.thread, 0), entry
            if voice.until is not None:
                named[entry.thread] = max(voice.until, named.get(entry.thread, 0))


def test_nothing_is_resolved_while_owing_and_what_owes_is_called_for() -> None:
    last: dict[str, Entry] = {}
    for entry in played():
        assert not (entry.decision.thread.owes and entry.decision.thread.resolved)
        last[entry.thread] = entry
    calls = [effect for entry in played() for effect in entry.decision.effects if isinstance(effect, Call)]
    assert calls
    assert all(why in set(Reason) for effect in calls for why in effect.whys)


def test_machines_hear_nothing() -> None:
    wanted = {entry.thread for entry in played() if isinstance(entry.event, Wanted)}
    heard = [entry for entry in played() if isinstance(entry.event, Inbound) and entry.event.automatic]
    machines = {entry.thread for entry in heard} - wanted
    assert machines
    said = [entry for entry in played() if entry.thread in machines]
    assert not any(isinstance(effect, Say) for entry in said for effect in entry.decision.effects)
