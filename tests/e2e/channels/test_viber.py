"""Viber: what only it does, on the real template with the platform's stand-in."""

import pytest

from infra.world.model import OptionsChange, Setup
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
    customer = stage.customer("viber")
    customer.say(ASKED)
    return customer


def receipts(customer: Customer) -> list[str]:
    """What people see at our messages."""
    return [message.receipt for message in reply.look(customer.thread.id).messages if message.state]


def test_delivered_and_seen_land_on_the_message(customer: Customer) -> None:
    """Viber returns none of our data: the receipt finds its message by the customer and Viber's id."""
    customer.stage.desk.client.setup(Setup(options=OptionsChange(receipts="read")))
    try:
        row = customer.answer("Arriva domani.")
        customer.row_ends(row.key, "sent")
        wait_for(lambda: receipts(customer) == ["read"], "seen", state=lambda: str(receipts(customer)))
    finally:
        customer.stage.desk.client.setup(Setup(options=OptionsChange(receipts="on")))


def test_what_the_customer_s_app_refuses_brings_the_debt_back(customer: Customer) -> None:
    customer.stage.desk.client.fault("viber", "failed_later", match=customer.name)
    row = customer.answer("Arriva domani.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("refused", "failed")
    assert customer.thread.owes


def test_who_unsubscribes_is_not_written_to(customer: Customer) -> None:
    customer.say(kind="block")
    assert customer.thread.unreachable
    with pytest.raises(reply.NotAllowed, match="unreachable"):
        customer.answer("Arriva domani.")
    customer.say("Sono di nuovo qui.")
    row = customer.answer("Bentornato.")
    customer.row_ends(row.key, "sent")


def test_a_long_wait_is_kept_and_shown(customer: Customer) -> None:
    """The hundred messages of the hour are used up."""
    customer.stage.desk.client.fault("viber", "429", match=customer.name)
    row = customer.answer("Arriva domani.")
    held = customer.row_is(row.key, lambda row: row.problem == "busy", "busy")
    assert (held.state, held.code) == (State.PENDING, "12")
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.hears(1) == ["Arriva domani."]


def test_a_tap_is_known_by_its_id(customer: Customer) -> None:
    customer.answer("Chi vuole?", buttons=(Button(id="person", title="Una persona"),))
    customer.hears(1)
    customer.say(kind="button", button="Una persona")
    tap = customer.rows()[-1]
    assert (tap.kind, tap.payload, tap.text) == ("button", "person", "Una persona")


@pytest.mark.parametrize(("media", "mime"), [("photo", "image/jpeg"), ("document", "application/pdf")])
def test_a_file_is_copied_while_its_address_is_good(customer: Customer, media: str, mime: str) -> None:
    customer.say(kind="media", media=media)
    wait_for(lambda: bool(customer.rows()[-1].media[0].at), "a copy", state=lambda: str(customer.rows()[-1]))
    assert customer.rows()[-1].media[0].mime == mime


def test_a_file_of_ours_is_fetched_by_viber(customer: Customer) -> None:
    file = reply.File(name="ordine.pdf", content=b"%PDF-1.4\n" + b"x" * 100, mime="application/pdf")
    row = customer.answer("Ecco.", file=file)
    customer.row_ends(row.key, "sent")
    pdf, words = customer.phone()[-2:]
    assert pdf.file is not None
    assert (pdf.kind, pdf.file.name, pdf.file.size) == ("file", "ordine.pdf", 109)
    assert words.text == "Ecco."
