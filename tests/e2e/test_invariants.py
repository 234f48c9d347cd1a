"""What must hold of everything that was done: it does, and where it did not, that would be seen."""

from collections.abc import Callable

import pytest

from infra.world.model import ChannelName
from sportello.domain.message import Message, State
from tests.e2e.invariants import assert_all_was_kept, assert_invariants, assert_opaque
from tests.e2e.stage import CHANNELS, Rows, Stage, wait_for

PLAYED: list[str] = []
"""Customers of this file: one on each channel."""


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_night_of_one_customer_leaves_something_to_look_at(stage: Stage, channel: ChannelName) -> None:
    stage.at("2026-12-09 20:15")
    customer = stage.customer(channel)
    PLAYED.append(customer.name)
    customer.say("Vorrei parlare con un operatore")
    customer.hears(1)
    customer.answer("Eccomi, buonasera.")
    customer.hears(2)
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "people are told")


def test_all_was_kept(stage: Stage) -> None:
    """As is looked at again when the session ends; and here there is something to look at."""
    assert stage.scan().messages
    assert any(stage.function_logs().values())
    assert_all_was_kept(stage)


Doctor = Callable[[Rows, str], object]
DOCTORED: dict[str, Doctor] = {
    "I1": lambda rows, thread: rows.messages[thread].pop(0),
    "I2": lambda rows, thread: doctor(rows, thread, "person", text="Mai detto."),
    "I3": lambda rows, thread: doctor(rows, thread, "person", author="automatic", say="closed"),
    "I4": lambda rows, thread: doctor(rows, thread, "automatic", key="M#0000000000000#x~hours"),
    "I6": lambda rows, thread: rows.threads.update(
        {thread: rows.threads[thread].model_copy(update={"owed_since": 1, "resolved": "x"})}
    ),
    "I7": lambda rows, thread: doctor(rows, thread, "person", state=State.FAILED),
    "I8": lambda rows, thread: rows.calls.update(
        {thread: [rows.calls[thread][0].model_copy(update={"told": {}})]}
    ),
    "I9": lambda rows, thread: doctor(rows, thread, "customer", why=()),
}
"""What breaks each promise; I5 is in the log of the world alone."""


def of(rows: Rows, thread: str, author: str) -> Message:
    return next(row for row in rows.messages[thread] if row.author == author)


def doctor(rows: Rows, thread: str, author: str, /, **update: object) -> None:
    """Change one row of that author."""
    found = rows.messages[thread]
    position = found.index(of(rows, thread, author))
    found[position] = found[position].model_copy(update=update)


@pytest.mark.parametrize("promise", DOCTORED)
def test_a_broken_promise_would_be_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch, promise: str) -> None:
    rows = stage.scan()
    (thread, *_) = (id for id, found in rows.threads.items() if found.name in PLAYED)
    DOCTORED[promise](rows, thread)
    monkeypatch.setattr(Stage, "scan", lambda _: rows)
    with pytest.raises(AssertionError, match=promise):
        assert_invariants(stage)


def test_a_name_in_a_log_would_be_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    name = PLAYED[0]
    monkeypatch.setattr(Stage, "function_logs", lambda _: {"sender": [f"sent to {name}"]})
    with pytest.raises(AssertionError, match="I11"):
        assert_opaque(stage)
