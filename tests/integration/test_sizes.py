"""What is long, strange or hostile is stored all the same, and a thread row stays within 1 KB."""

import json
from typing import Any

import pytest

from sportello.aws import history, items, quarantine
from sportello.domain.events import Card, Customer, Delete, Kind, Media, Place
from sportello.domain.model import MINUTE
from sportello.services import reply
from tests.integration.faults import Faults
from tests.integration.stage import (
    ACCOUNT,
    CLOSED,
    OPEN,
    Stage,
    change_row,
    everything,
    heard,
    inbound,
    objects,
    only_thread,
    raw_scan,
    read_object,
    scan,
    thread_id,
)

KIB = 1024


@pytest.mark.parametrize("character", ["a", "è", "\U0001f600"])
def test_a_text_that_fits_stays_in_its_row(stage: Stage, character: str) -> None:
    text = character * (32 * KIB // len(character.encode()))
    stage.take(inbound(text))
    assert heard()[0]["text"] == text
    assert objects() == []


@pytest.mark.parametrize("character", ["a", "è", "\U0001f600"])
def test_a_longer_text_goes_to_the_bucket_whole(stage: Stage, character: str) -> None:
    text = character * (32 * KIB // len(character.encode()) + 1)
    stage.take(inbound(text))
    (row,) = heard()
    assert quarantine.read_text(row["text_at"]) == text
    assert 0 < len(row["text"].encode()) <= KIB
    assert text.startswith(row["text"])


def test_a_text_is_in_the_bucket_before_its_row(stage: Stage, aws: Faults) -> None:
    seen = aws.watch()
    stage.take(inbound("a" * 40_000))
    assert seen == ["dynamodb.GetItem", "s3.PutObject", "dynamodb.TransactWriteItems"]


@pytest.mark.parametrize(
    "strange",
    [
        {"customer": Customer(id="x" * 500_000, address="1")},
        {"customer": Customer(id="1", address="x" * 500_000)},
        {"customer": Customer(id="", address="1")},
        {"id": "x" * 500_000},
        {"id": ""},
    ],
    ids=["long customer", "long address", "nobody", "long id", "no id"],
)
def test_an_id_that_no_row_can_hold_is_put_aside_and_the_others_go_on(
    stage: Stage, strange: dict[str, Any]
) -> None:
    counts = stage.take(inbound(**strange), inbound("Hello there", id="m2"))
    assert counts == {"quarantined": 1, "stored": 1}
    assert len(objects("quarantine/")) == 1
    assert [row["id"] for row in heard()] == ["m2"]


def test_an_endless_context_is_left_to_the_bucket(stage: Stage) -> None:
    assert stage.take(inbound(context={"token": "x" * 500_000, "at": "1"})) == {"stored": 1}
    (row,) = heard()
    assert row["context"] == {"at": "1"}
    assert len(json.loads(read_object(row["fragment_at"]))["context"]["token"]) == 500_000


def test_a_reason_with_anybody_s_words_is_kept_as_a_header(stage: Stage) -> None:
    key = quarantine.quarantine(
        "line", b"x", connection="main", why="source.a\r\nè: text", headers={"content-type": "a\nb"}
    )
    assert quarantine.read_kept(key).headers == {"content-type": "a?b"}


def test_fragments_are_kept_whole(stage: Stage) -> None:
    small: dict[str, Any] = {"type": "new", "deep": [{"x": None, "y": 1.5, "z": True}]}
    large = {"type": "new", "words": "è" * 20_000}
    stage.take(inbound("", id="m1", kind=Kind.UNSUPPORTED, detail="new", fragment=small))
    stage.take(inbound("", id="m2", at=OPEN + 1, kind=Kind.UNSUPPORTED, detail="new", fragment=large))
    first, second = history.messages(thread_id())
    assert first.fragment == small
    assert second.fragment is None
    assert json.loads(read_object(second.fragment_at)) == large


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "half \ud83d pair"},
        {"customer": Customer(id="IT.1", address="IT.1", name="half \ud83d pair")},
        {"cards": (Card(name="half \ud83d pair"),)},
        {"media": (Media(kind="document", id="1", name="half \ud83d pair"),)},
        {"fragment": {"text": "half \ud83d pair"}, "kind": Kind.UNSUPPORTED},
        {"text": "half \ud83d pair" * 10_000},
        {"place": Place(latitude=45.46, longitude=1e-07, name="\ud83d")},
    ],
    ids=["text", "name", "card", "media", "fragment", "long", "place"],
)
def test_half_a_surrogate_pair_is_stored(stage: Stage, fields: dict[str, Any]) -> None:
    assert stage.take(inbound(**fields)) == {"stored": 1}
    assert len(heard()) == 1
    everything().encode("utf-8")  # what a real table takes


@pytest.mark.parametrize(
    "fields",
    [
        {"cards": tuple(Card(name="n" * 1000, phones=("1" * 20,)) for _ in range(500))},
        {"kind": Kind.BUTTON, "payload": "p" * 500_000},
        {"media": tuple(Media(kind="image", id=f"{n}", name="n" * 1000) for n in range(500))},
        {"detail": "d" * 500_000, "kind": Kind.UNSUPPORTED},
    ],
    ids=["cards", "payload", "media", "detail"],
)
def test_what_no_row_can_hold_is_kept_and_owed_all_the_same(stage: Stage, fields: dict[str, Any]) -> None:
    """Refusing it would have the platform deliver it for days and then drop it."""
    assert stage.take(inbound(**fields)) == {"stored": 1}
    (row,) = heard()
    assert row["owes"] is True
    kept = json.loads(read_object(row["fragment_at"]))
    assert kept["id"] == "m1"
    assert len(json.dumps(kept)) > 400_000


def test_the_thread_row_stays_within_a_kilobyte_with_everything_set(stage: Stage, aws: Faults) -> None:
    customer = Customer(
        id="IT.1",
        address="b:" + "A" * 40 + ":1000000001",
        aliases=("15550100201",),
        name="\U0001f600" * 400,
        language="it",
    )
    stage.now = CLOSED
    originals = tuple(f"later-{n}" for n in range(20))
    stage.take(Delete(account=ACCOUNT, customer=customer, originals=originals, time=CLOSED))
    text = "URGENTE: voglio parlare con una persona vera " + "\U0001f600" * 400
    stage.take(inbound(text, at=CLOSED, sequence=10**9, customer=customer))
    stage.take(inbound("?", id="m2", at=CLOSED + 1, kind=Kind.UNSUPPORTED, customer=customer))
    reply.claim(stage.person("Somebody " * 10), thread_id())
    real = 1_795_461_300_000
    change_row(only_thread(), hold=real, er="aunr")
    stage.take(inbound("again", id="m3", at=CLOSED + 2, customer=customer))
    (item,) = [item for item in raw_scan() if item["SK"]["S"] == "T" and "pointer" not in item]
    assert {"name", "first", "gone", "aliases", "es", "tu", "last_in"} <= item.keys()
    assert len(item["gone"]["S"].split()) == 8
    assert items.size(item) <= KIB


def test_a_name_of_the_desk_however_long_does_not_stop_the_thread(stage: Stage) -> None:
    stage.take(inbound())
    reply.claim(stage.person("Somebody " * 200), thread_id())
    stage.now = OPEN + MINUTE
    assert stage.take(inbound("More", id="m2", at=OPEN + MINUTE)) == {"stored": 1}
    assert only_thread()["claimed_by"].startswith("Somebody")


def test_words_are_only_where_words_belong(stage: Stage) -> None:
    stage.now = CLOSED
    stage.take(inbound("Posso parlare con una persona vera? zebra", at=CLOSED))
    where = {row["SK"].split("#")[0] for row in scan() if "zebra" in json.dumps(row)}
    assert where == {"T", "M"}
    assert not [row for row in scan() if "zebra" in json.dumps(row) and "~" in row["SK"]]
