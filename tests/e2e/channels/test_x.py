"""X: what only it does, on the real template with the platform's stand-in."""

import pytest

from sportello.services import reply
from tests.e2e.stage import Customer, Stage, stays, wait_for

MORNING = "2026-12-03 10:00"
EVENING = "2026-12-03 20:15"
ASKED = "dov'è il mio pacco?"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """Somebody who has never written before, on a morning."""
    stage.at(MORNING)
    return stage.customer("x")


def receipts(customer: Customer) -> list[str]:
    """What people see at our messages."""
    return [message.receipt for message in reply.look(customer.thread.id).messages if message.state]


def test_a_mention_is_answered_where_it_stands(customer: Customer) -> None:
    customer.say(ASKED, kind="mention")
    thread = customer.thread
    assert thread.public
    row = customer.answer("Controlliamo subito.")
    customer.row_ends(row.key, "sent")
    answer = customer.phone()[-1]
    asked = customer.phone()[0]
    assert (answer.kind, answer.text, answer.quote) == ("post", "Controlliamo subito.", asked.id)
    customer.say("Ancora niente", kind="reply")
    assert customer.thread.id == thread.id
    assert customer.thread.owes


def test_in_private_means_an_invitation_for_all_to_see(customer: Customer) -> None:
    customer.say(ASKED, kind="mention")
    row = customer.answer("Scrivici in privato.", act="private")
    customer.row_ends(row.key, "sent")
    invitation = customer.phone()[-1]
    assert (invitation.kind, invitation.text) == ("post", "Scrivici in privato.")
    assert "/messages/compose?recipient_id=" in invitation.tag
    customer.say("Eccomi")
    public, private = sorted(customer.threads(), key=lambda thread: not thread.public)
    assert (public.public, private.public) == (True, False)


def test_praise_is_kept_and_asks_for_nothing(customer: Customer) -> None:
    customer.stage.at(EVENING)
    customer.say("complimenti per il servizio!", kind="mention")
    (row,) = customer.rows()
    assert (row.detail, row.owes) == ("praise", False)
    stays(lambda: customer.heard() == [], "praise is not answered")


def test_our_own_sends_coming_back_are_not_stored_twice(customer: Customer) -> None:
    customer.say(ASKED)
    row = customer.answer("Arriva domani.")
    customer.row_ends(row.key, "sent")
    customer.stage.settle()
    assert [message.text for message in customer.rows()] == [ASKED, "Arriva domani."]


def test_reading_shows_on_the_message(customer: Customer) -> None:
    """X returns none of our data: everything sent up to the message named was read."""
    customer.say(ASKED)
    row = customer.answer("Arriva domani.")
    customer.row_ends(row.key, "sent")
    customer.say(kind="read")
    wait_for(lambda: receipts(customer) == ["read"], "read", state=lambda: str(receipts(customer)))


def test_an_encrypted_message_is_shown_as_such_and_owed(customer: Customer) -> None:
    customer.say(kind="encrypted")
    (row,) = customer.rows()
    assert (row.kind, row.detail, row.owes) == ("unsupported", "encrypted", True)


def test_an_answer_that_nobody_asked_for_is_refused_with_the_reason(customer: Customer) -> None:
    customer.say(ASKED, kind="mention")
    customer.stage.desk.client.fault("x", "not_summoned", match=customer.name)
    row = customer.answer("Controlliamo subito.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("refused", "not_summoned")
    assert customer.thread.owes


def test_a_post_is_not_longer_than_x_allows(customer: Customer) -> None:
    customer.say(ASKED, kind="mention")
    with pytest.raises(reply.NotAllowed, match="too_long"):
        customer.answer("日" * 141)


def test_a_limit_is_waited_for(customer: Customer) -> None:
    customer.say(ASKED)
    customer.stage.desk.client.fault("x", "429", match=customer.name, retry_after=900)
    row = customer.answer("Arriva domani.")
    waiting = customer.row_is(row.key, lambda found: found.problem == "busy", "busy")
    assert waiting.state == "pending"
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    customer.row_ends(row.key, "sent")
