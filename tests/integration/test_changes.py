"""Edits and deletes: before and after their message, at once and by the hundred."""

from collections.abc import Callable
from typing import Any

import pytest

from sportello.aws import history, threads
from sportello.domain.events import Card, Delete, Edit, Kind, Media, Place
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    ACCOUNT,
    CLOSED,
    ONE,
    OPEN,
    Stage,
    calls,
    everything,
    heard,
    inbound,
    objects,
    only_thread,
    outbox,
    scan,
    thread_id,
)


def edit(text: str, *, of: str = "m1", at: int = OPEN + MINUTE) -> Edit:
    return Edit(account=ACCOUNT, customer=ONE, original=of, time=at, text=text)


def delete(*originals: str, at: int | None = OPEN + MINUTE) -> Delete:
    return Delete(account=ACCOUNT, customer=ONE, originals=originals, time=at)


def shown() -> list[tuple[str, bool, bool]]:
    messages = [message for message in history.messages(thread_id()) if message.direction == "in"]
    return [(message.text, message.edited, message.deleted) for message in messages]


# --- edits ------------------------------------------------------------------------------------------


def test_an_edit_is_shown_in_place_of_the_text(stage: Stage) -> None:
    stage.take(inbound("Before"))
    assert stage.take(edit("After")) == {"edit": 1}
    assert shown() == [("After", True, False)]
    assert heard()[0]["text"] == "Before", "what was said is kept"


def test_an_edit_may_come_before_its_message(stage: Stage) -> None:
    assert stage.take(edit("After")) == {"edit": 1}
    assert stage.take(inbound("Before")) == {"stored": 1}
    assert shown() == [("After", True, False)]
    assert heard()[0]["why"] == ["owes"]


def test_the_latest_edit_counts_however_they_come(stage: Stage) -> None:
    stage.take(inbound("First"))
    stage.take(edit("Third", at=OPEN + 2 * MINUTE))
    stage.take(edit("Second", at=OPEN + MINUTE))
    assert shown() == [("Third", True, False)]


def test_an_edit_is_taken_once_and_settles_nothing(stage: Stage) -> None:
    stage.take(inbound("Before"))
    before = only_thread()
    assert [stage.take(edit("After")), stage.take(edit("After"))] == [{"edit": 1}, {"duplicate": 1}]
    assert {**only_thread(), "expires": 0} == {**before, "expires": 0}


def test_two_edits_within_one_second_are_both_kept(stage: Stage) -> None:
    stage.take(inbound("Before"))
    assert [stage.take(edit("After")), stage.take(edit("Afterwards"))] == [{"edit": 1}, {"edit": 1}]
    assert len([row for row in scan() if row["SK"].startswith("X#")]) == 2


def test_a_delete_takes_the_words_of_edits_too(stage: Stage) -> None:
    stage.take(inbound("A zebra"), edit("Two zebras"), edit("Three zebras", at=OPEN + MINUTE))
    assert stage.take(delete("m1")) == {"delete": 1}
    assert "zebra" not in everything()


def test_an_edit_is_tried_again_after_a_conflict(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("Before"))
    met = aws.inject("dynamodb.TransactWriteItems", fault.conflict, times=3)
    assert stage.take(edit("After")) == {"edit": 1}
    assert len(met) == 3


# --- deletes ----------------------------------------------------------------------------------------


def test_a_delete_takes_words_and_media_out_of_the_table(stage: Stage) -> None:
    full: dict[str, Any] = {
        "kind": Kind.MEDIA,
        "media": (Media(kind="image", id="zebra-1", name="zebra.jpg"),),
        "place": Place(latitude=1.5, longitude=2.5, name="zebra"),
        "cards": (Card(name="zebra"),),
        "payload": "zebra",
        "fragment": {"zebra": 1},
    }
    stage.take(inbound("A zebra", **full))
    assert "zebra" in everything()
    assert stage.take(delete("m1")) == {"delete": 1}
    assert "zebra" not in everything()
    assert shown() == [("", False, True)]
    (row,) = heard()
    assert (row["deleted"], row["owes"], row["id"]) == (True, True, "m1")


def test_the_inbox_forgets_the_words_too_and_nothing_else(stage: Stage) -> None:
    stage.take(inbound("A zebra", id="m1"), inbound("A lion", id="m2", at=OPEN + 1))
    stage.take(delete("m2"))
    assert threads.owing_threads("care")[0]["first"] == "A zebra"
    stage.take(delete("m1"))
    (row,) = threads.owing_threads("care")
    assert (row["first"], row["owed_since"]) == ("[deleted]", OPEN)


def test_a_delete_takes_four_calls_at_most(stage: Stage, aws: Faults) -> None:
    stage.take(inbound())
    seen = aws.watch()
    stage.take(delete("m1"))
    assert len(seen) <= 4


def test_a_delete_is_taken_once(stage: Stage) -> None:
    stage.take(inbound())
    assert [stage.take(delete("m1", at=None)), stage.take(delete("m1", at=None))] == [
        {"delete": 1},
        {"duplicate": 1},
    ]


def test_a_message_named_twice_is_deleted_once(stage: Stage) -> None:
    stage.take(inbound("A zebra"))
    assert stage.take(delete("m1", "m1", "m9", "m9")) == {"delete": 1}
    assert "zebra" not in everything()


def test_an_edit_never_brings_words_back(stage: Stage) -> None:
    stage.take(inbound("Before"), delete("m1"), edit("After", at=OPEN + HOUR))
    assert shown() == [("", False, True)]


def test_hundreds_are_deleted_at_once(stage: Stage) -> None:
    for number in range(90):
        stage.take(inbound(f"zebra {number}", id=f"m{number}", at=OPEN + number))
    stage.take(inbound("Stays", id="kept", at=OPEN + 500))
    assert stage.take(delete(*(f"m{number}" for number in range(90)))) == {"delete": 1}
    assert "zebra" not in everything()
    assert [text for text, _, deleted in shown() if not deleted] == ["Stays"]
    assert len([row for row in scan() if row["SK"].startswith("X#")]) == 90


# --- a delete that comes first --------------------------------------------------------------------


@pytest.mark.parametrize("known", [False, True], ids=["new thread", "known thread"])
def test_a_message_that_was_deleted_before_it_came_keeps_no_words(stage: Stage, known: bool) -> None:
    stage.now = CLOSED
    if known:
        stage.take(inbound("Known", id="m0", at=CLOSED - HOUR))
    stage.take(delete("m1", at=CLOSED + SECOND))
    message = inbound(
        "URGENTE zebra " * 4000, at=CLOSED, media=(Media(kind="image", id="zebra"),), fragment={"zebra": 1}
    )
    assert stage.take(message) == {"stored": 1}
    assert "zebra" not in everything()
    assert objects() == []
    assert calls() == [], "nobody is called for words that nobody can read"
    assert shown()[-1] == ("", False, True)


def test_early_deletes_are_remembered_for_a_day(stage: Stage) -> None:
    stage.take(inbound("Known", id="m0"))
    stage.take(delete("m1"))
    stage.now = OPEN + 23 * HOUR
    stage.take(inbound("A zebra", id="m1", at=OPEN + 1))
    assert "zebra" not in everything()
    stage.take(delete("m2", at=OPEN + 2 * MINUTE))
    stage.now += DAY + 2 * HOUR
    stage.take(inbound("A lion", id="m2", at=OPEN + 2))
    assert shown()[-1] == ("", False, True), "it is never shown"


def test_eight_early_deletes_are_remembered_whoever_came_first(stage: Stage) -> None:
    for number in range(8):
        stage.take(delete(f"m{number}", at=OPEN + number))
    for number in range(8):
        stage.take(inbound("A zebra", id=f"m{number}", at=OPEN + number))
    assert "zebra" not in everything()


def test_a_message_that_arrives_while_its_delete_is_taken_loses_its_words(stage: Stage, aws: Faults) -> None:
    """It is not there when the delete looks for it, and is when the delete commits."""
    stage.take(inbound("Known", id="m0"))
    aws.between(lambda: stage.take(inbound("A zebra", id="m1", at=OPEN + 1)))
    stage.take(delete("m1"))
    assert "zebra" not in everything()
    assert shown()[-1] == ("", False, True)


def test_a_delete_that_is_taken_while_its_message_arrives_empties_it(stage: Stage, aws: Faults) -> None:
    stage.take(inbound("Known", id="m0"))
    aws.between(lambda: stage.take(delete("m1")))
    stage.take(inbound("A zebra", id="m1", at=OPEN + 1))
    assert "zebra" not in everything()
    assert shown()[-1] == ("", False, True)


@pytest.mark.parametrize("change", [lambda: delete("m1"), lambda: edit("After")], ids=["delete", "edit"])
def test_a_change_for_somebody_unknown_opens_no_debt(stage: Stage, change: Callable[[], Any]) -> None:
    stage.now = CLOSED
    stage.take(change())
    assert "owed_since" not in only_thread()
    assert (heard(), outbox()) == ([], [])
