"""Mail on the whole desk: SES's way in, the customer's mailbox, and what SES tells of our mail."""

import pytest

from infra.world.model import Letter
from sportello.services import reply
from tests.e2e.stage import Customer, Stage, stays, wait_for

EVENING = "2026-12-08 20:15"  # a Tuesday
MORNING = "2026-12-09 10:15"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    stage.at(MORNING)
    return stage.customer("email")


def letters(customer: Customer) -> list[Letter]:
    """What lies in the customer's mailbox."""
    world = customer.stage.desk.world
    person = world.state.known(customer.name)
    assert person is not None
    return customer.stage.desk.client.mail().get(world.channels["email"].address(person), [])


def test_after_hours_the_hours_are_told_once_as_a_machine(stage: Stage) -> None:
    stage.at(EVENING)
    customer = stage.customer("email")
    first = customer.say("Dov'è il mio pacco?", more={"subject": "Ordine 4711"})
    customer.hears(1)
    customer.say("L'ho ordinato lunedì.")
    stays(lambda: len(customer.heard()) == 1, "the hours are told once")
    (letter,) = letters(customer)
    assert letter.subject == "Re: Ordine 4711"
    assert letter.headers["In-Reply-To"] == f"<{first.message_id}>"
    assert letter.headers["Auto-Submitted"] == "auto-replied"


def test_a_conversation_stays_one_in_the_customer_s_program(customer: Customer) -> None:
    first = customer.say("Dov'è il mio pacco?", more={"subject": "Ordine 4711"})
    answer = customer.row_ends(customer.answer("Arriva domani.").key, "sent")
    second = customer.say("A che ora?")
    customer.row_ends(customer.answer("Alle nove.").key, "sent")

    told = [row.text for row in customer.rows() if row.direction == "in"]
    assert told == ["Ordine 4711\n\nDov'è il mio pacco?", "A che ora?"], "what the second mail quotes is cut"
    assert customer.rows()[-2].quote == answer.id
    last = letters(customer)[-1]
    assert last.headers["In-Reply-To"] == f"<{second.message_id}>"
    assert first.message_id not in last.headers["In-Reply-To"]
    assert "Auto-Submitted" not in last.headers
    assert len({row.id for row in customer.rows()}) == 4


def test_ses_s_receipts_land_on_the_answer(customer: Customer) -> None:
    customer.say("Dov'è il mio pacco?")
    row = customer.answer("Arriva domani.")
    customer.row_is(row.key, lambda row: row.receipt == "delivered", "delivered")


def test_a_bounce_shows_its_reason_and_gives_the_debt_back(customer: Customer) -> None:
    customer.say("Dov'è il mio pacco?")
    customer.stage.desk.client.fault("email", "bounce")
    failed = customer.row_ends(customer.answer("Arriva domani.").key, "failed")
    assert (failed.problem, failed.code) == ("unreachable", "5.1.1")
    assert customer.thread.owes


def test_an_absence_notice_by_event_or_by_mail_changes_nothing(customer: Customer) -> None:
    customer.say("Dov'è il mio pacco?")
    customer.stage.desk.client.fault("email", "absent")
    row = customer.row_ends(customer.answer("Arriva domani.").key, "sent")
    customer.say("Sono assente.", more={"headers": "Auto-Submitted: auto-replied"})
    customer.stage.desk.client.settle()
    assert not customer.thread.owes
    assert customer.row_ends(row.key, "sent").problem == ""


def test_no_machine_answers_a_machine(stage: Stage) -> None:
    stage.at(EVENING)
    customer = stage.customer("email")
    customer.say("Il vostro abbonamento", more={"headers": "List-Unsubscribe: <mailto:u@example.org>"})
    assert (customer.thread.owes, customer.thread.aside) == (False, "newsletter")
    stays(lambda: customer.heard() == [], "no machine answers it")


def test_sending_that_ses_pauses_waits_with_its_reason(customer: Customer) -> None:
    customer.say("Dov'è il mio pacco?")
    customer.stage.desk.client.fault("email", "paused")
    row = customer.answer("Arriva domani.")
    waiting = customer.row_is(row.key, lambda row: row.problem == "reconnect", "it waits for a person")
    assert waiting.code == "SendingPausedException"
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    customer.row_ends(row.key, "sent")


def test_a_file_comes_in_and_its_copy_is_kept(customer: Customer) -> None:
    customer.say("Ecco la foto.", kind="media", media="image", more={"name": "pacco.png"})
    (row,) = customer.rows()
    (media,) = row.media
    assert (media.name, media.mime) == ("pacco.png", "image/png")
    wait_for(lambda: bool(media.at), "the copy is there from the start")


def test_a_mail_that_comes_twice_is_one(customer: Customer) -> None:
    said = customer.say("Dov'è il mio pacco?")
    assert customer.stage.desk.client.redeliver(said.id, copies=2).statuses == (200, 200)
    assert len(customer.rows()) == 1


def test_a_complaint_stops_the_desk(customer: Customer) -> None:
    customer.say("Dov'è il mio pacco?")
    customer.say(kind="block")
    with pytest.raises(reply.NotAllowed, match="unreachable"):
        customer.answer("Arriva domani.")


def test_a_mailbox_elsewhere_forwards_and_is_answered_as(customer: Customer) -> None:
    more = {"to": "in@desk.example.com", "source": "info@desk.example.com", "dmarc": "FAIL"}
    customer.say("Dov'è il mio pacco?", more=more)
    customer.row_ends(customer.answer("Arriva domani.").key, "sent")
    assert "info@desk.example.com" in letters(customer)[-1].sender


def test_a_mail_for_nobody_is_put_aside(stage: Stage) -> None:
    stage.at(MORNING)
    said = stage.desk.client.say("email", "Per voi?", "Nobody Knows", more={"to": "sales@desk.example.com"})
    assert said.statuses == (200,)
    s3 = stage.desk.deployed.client("s3")
    found = s3.list_objects_v2(Bucket=stage.desk.deployed.outputs["BucketName"], Prefix="quarantine/email/")
    assert found["KeyCount"] == 1
    for entry in found["Contents"]:
        s3.delete_object(Bucket=stage.desk.deployed.outputs["BucketName"], Key=entry["Key"])
