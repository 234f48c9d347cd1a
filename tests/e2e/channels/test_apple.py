"""Apple Messages for Business: what only it does, on the real template with the platform's stand-in."""

import pytest

from sportello.aws import files
from sportello.domain.outbound import Button
from sportello.services import reply
from tests.e2e.stage import Customer, Stage, wait_for

MORNING = "2026-12-03 10:00"
ASKED = "Dov'è il mio pacco?"
CHOICES = (Button(id="track", title="Dov'è il pacco"), Button(id="person", title="Una persona"))


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """Somebody who is owed an answer, on a morning."""
    stage.at(MORNING)
    customer = stage.customer("apple")
    customer.say(ASKED)
    return customer


def test_who_closes_the_conversation_is_not_written_to(customer: Customer) -> None:
    customer.say(kind="block")
    assert customer.thread.unreachable
    with pytest.raises(reply.NotAllowed, match="unreachable"):
        customer.answer("Arriva domani.")
    customer.say("Sono di nuovo qui.")
    row = customer.answer("Bentornato.")
    customer.row_ends(row.key, "sent")


def test_choices_are_shown_as_the_phone_can(customer: Customer) -> None:
    row = customer.answer("Che cosa serve?", buttons=CHOICES)
    customer.row_ends(row.key, "sent")
    shown = customer.phone()[-1]
    assert [button.title for button in shown.buttons] == ["Dov'è il pacco", "Una persona"]
    customer.say(kind="button", button="person")
    assert customer.rows()[-1].payload == "person"


def test_a_phone_without_choices_gets_words(customer: Customer) -> None:
    customer.say("E poi?", more={"capabilities": ""})
    row = customer.answer("Che cosa serve?", buttons=CHOICES)
    customer.row_ends(row.key, "sent")
    assert customer.phone()[-1].text == "Che cosa serve?\n- Dov'è il pacco\n- Una persona"


def test_a_refused_token_waits_for_a_person(customer: Customer) -> None:
    customer.stage.desk.client.fault("apple", "token_expired", match=customer.name)
    row = customer.answer("Arriva domani.")
    waiting = customer.row_is(row.key, lambda found: found.problem == "reconnect", "reconnect")
    assert waiting.code == "401"
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    customer.row_ends(row.key, "sent")


def test_a_file_is_kept_in_the_clear(customer: Customer) -> None:
    """At Apple it lies encrypted, with a key that came with the message."""
    customer.say("Ecco la ricevuta", kind="media", media="document")
    wait_for(lambda: bool(customer.rows()[-1].media[0].at), "a copy", state=lambda: str(customer.rows()[-1]))
    media = customer.rows()[-1].media[0]
    assert (media.mime, media.problem) == ("application/pdf", "")
    assert files.read(media.at).startswith(b"%PDF")
