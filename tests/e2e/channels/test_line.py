"""LINE: what only it does, on the real template with the platform's stand-in."""

import pytest

from infra.world.model import Setup
from sportello.aws import clock
from sportello.domain.message import State
from sportello.domain.outbound import Button
from sportello.services import reply
from tests.e2e.stage import Customer, Stage, wait_for

MORNING = "2026-12-03 10:00"
ASKED = "Dov'è il mio pacco?"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """Somebody who is owed an answer, on a morning."""
    stage.at(MORNING)
    customer = stage.customer("line")
    customer.say(ASKED)
    return customer


def sends(customer: Customer) -> list[tuple[str, int]]:
    """How we wrote to this customer, and what LINE said."""
    address = customer.thread.to
    return [
        (entry.method, entry.status)
        for entry in customer.stage.log()
        if entry.platform == "line" and entry.direction == "call" and entry.sends and entry.address == address
    ]


def test_a_quick_answer_takes_the_reply_token_and_the_next_one_is_pushed(stage: Stage) -> None:
    """LINE's tokens are good for a minute of real time, so the desk's clock is set to it."""
    clock.set_offset(0)
    stage.desk.client.clock(0)
    customer = stage.customer("line")
    customer.say(ASKED)
    automatic = len(sends(customer))
    customer.answer("Arriva domani.")
    wait_for(lambda: "Arriva domani." in customer.heard(), "the answer")
    customer.answer("Alle nove.")
    wait_for(lambda: "Alle nove." in customer.heard(), "the second answer")
    told = sends(customer)
    assert told[0] == ("reply", 200)
    assert told[-1] == ("push", 200)
    assert ("reply", 400) in told[automatic:]


def test_a_push_whose_answer_was_lost_arrives_once(customer: Customer) -> None:
    customer.stage.desk.client.fault("line", "reset_after_accepting", match=customer.name)
    row = customer.answer("Arriva domani.")
    waits = customer.row_is(row.key, lambda row: row.problem == "temporary", "temporary")
    assert (waits.state, waits.code) == (State.PENDING, "no_answer")
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    sent = customer.row_ends(row.key, "sent")
    assert customer.heard() == ["Arriva domani."]
    assert sends(customer)[-1] == ("push", 409)
    assert sent.id == customer.phone()[-1].id


def test_who_blocks_the_account_is_not_written_to(customer: Customer) -> None:
    """LINE would lose the message without a word."""
    customer.say(kind="block")
    assert customer.thread.unreachable
    with pytest.raises(reply.NotAllowed, match="unreachable"):
        customer.answer("Arriva domani.")
    customer.say(kind="unblock")
    row = customer.answer("Bentornato.")
    customer.row_ends(row.key, "sent")
    assert customer.heard() == ["Bentornato."]


def test_a_used_up_month_waits_for_somebody_to_change_the_plan(customer: Customer) -> None:
    account = customer.stage.desk.accounts["line"]
    spent = account.model_copy(update={"quota": 0})
    customer.stage.desk.client.setup(Setup(accounts=(spent.at("line"),)))
    try:
        row = customer.answer("Arriva domani.")
        waits = customer.row_is(row.key, lambda row: row.problem == "reconnect", "reconnect")
        assert waits.code == "429 monthly"
    finally:
        customer.stage.desk.client.setup(Setup(accounts=(account.at("line"),)))
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.hears(1) == ["Arriva domani."]


def test_a_tap_brings_its_words(customer: Customer) -> None:
    customer.answer("Chi vuole?", buttons=(Button(id="person", title="Una persona"),))
    customer.hears(1)
    customer.say(kind="button", button="Una persona")
    tap = customer.rows()[-1]
    assert (tap.kind, tap.payload, tap.text) == ("button", "person", "Una persona")


def test_what_is_taken_back_is_emptied(customer: Customer) -> None:
    customer.say("Il mio codice è 1234")
    customer.say(kind="delete")
    shown = reply.look(customer.thread.id).messages
    assert "1234" not in str(shown)


def test_a_group_asks_only_where_it_speaks_to_us(stage: Stage) -> None:
    stage.at(MORNING)
    customer = stage.customer("line")
    said = customer.say("Ci vediamo lì", group="Vicini di casa")
    group = next(one for one in stage.scan().threads.values() if one.to == said.address)
    assert not group.owes
    customer.say("@Service siete aperti?", group="Vicini di casa", more={"mention": "us"})
    assert stage.scan().threads[group.id].owes


@pytest.mark.parametrize(("media", "mime"), [("photo", "image/jpeg"), ("video", "video/mp4")])
def test_a_file_is_asked_for_with_the_token(customer: Customer, media: str, mime: str) -> None:
    customer.say(kind="media", media=media)
    wait_for(lambda: bool(customer.rows()[-1].media[0].at), "a copy", state=lambda: str(customer.rows()[-1]))
    assert customer.rows()[-1].media[0].mime == mime


def test_a_picture_of_ours_arrives_with_its_words(customer: Customer) -> None:
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"x" * 100
    row = customer.answer("La mappa:", file=reply.File(name="mappa.png", content=png, mime="image/png"))
    customer.row_ends(row.key, "sent")
    picture, words = customer.phone()[-2:]
    assert picture.file is not None
    assert (picture.kind, picture.file.size) == ("image", len(png))
    assert words.text == "La mappa:"


def test_a_name_is_asked_for(customer: Customer) -> None:
    wait_for(lambda: customer.thread.name == customer.name, "the name")
