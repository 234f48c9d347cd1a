"""Instagram on the running desk: stories, echoes without our data, receipts by message, comments."""

import pytest

from infra.world.model import OptionsChange, Setup
from sportello.services import reply
from tests.e2e.stage import Customer, Stage, stays, wait_for

MORNING = "2026-12-09 10:00"
CHANNEL = "instagram"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    stage.at(MORNING)
    return stage.customer(CHANNEL)


def test_our_own_echo_is_known_though_nothing_in_it_is_ours(stage: Stage, customer: Customer) -> None:
    customer.say("Ciao!")
    row = customer.answer("Buongiorno!")
    customer.row_ends(row.key, "sent")
    stage.settle()
    assert [message.text for message in customer.rows()] == ["Ciao!", "Buongiorno!"]


def test_a_person_in_instagram_s_inbox_settles_the_debt(stage: Stage, customer: Customer) -> None:
    customer.say("Ciao, mi serve una fattura")
    assert customer.thread.owes
    customer.say("La preparo subito.", as_owner=True)
    assert not customer.thread.owes


def test_read_is_shown_at_the_answer(stage: Stage, customer: Customer) -> None:
    stage.desk.client.setup(Setup(options=OptionsChange(receipts="read")))
    customer.say("Ciao!")
    row = customer.answer("Buongiorno!")
    wait_for(
        lambda: (
            [shown.receipt for shown in reply.look(customer.thread.id).messages if shown.key == row.key]
            == ["read"]
        ),
        "the receipt lands",
    )
    stage.desk.client.setup(Setup(options=OptionsChange(receipts="on")))


def test_a_story_is_never_fetched(stage: Stage, customer: Customer) -> None:
    customer.say("Bellissimo, quanto costa?", kind="story_reply")
    assert customer.thread.owes
    (row,) = customer.rows()
    assert [(media.keep, media.at) for media in row.media] == [(False, "")]
    before = len(stage.log())
    stays(lambda: not any(entry.method == "GET" for entry in stage.log()[before:]), "nothing is fetched")


def test_being_named_in_a_story_asks_for_nothing(stage: Stage, customer: Customer) -> None:
    customer.say(kind="story_mention")
    assert not customer.thread.owes
    assert [row.detail for row in customer.rows()] == ["story_mention"]


def test_an_unsent_message_is_emptied(stage: Stage, customer: Customer) -> None:
    customer.say("Il mio numero è 333")
    customer.say(kind="delete")
    assert [(row.deleted, "333" in row.text) for row in customer.rows()] == [(True, False)]


def test_a_text_that_is_too_long_in_bytes_is_refused_at_once(stage: Stage, customer: Customer) -> None:
    customer.say("Ciao!")
    with pytest.raises(reply.NotAllowed, match="too_long"):
        customer.answer("è" * 501)


def test_an_account_that_withholds_messages_waits_for_a_person(stage: Stage, customer: Customer) -> None:
    customer.say("Ciao!")
    stage.desk.client.fault(CHANNEL, "error", code="200.2534041")
    row = customer.answer("Buongiorno!")
    waiting = customer.row_is(row.key, lambda found: found.problem == "reconnect", "reconnect")
    assert (waiting.state, waiting.code) == ("pending", "200/2534041")
    stage.rows_come_due(customer.thread.id)
    stage.settle()
    assert customer.row_ends(row.key, "sent").id


def test_a_comment_is_answered_in_private_once(stage: Stage) -> None:
    stage.at(MORNING)
    customer = stage.customer(CHANNEL)
    said = customer.say("Quanto costa?", kind="comment")
    thread = next(
        found for found in stage.scan().threads.values() if found.to == f"comment:{said.message_id}"
    )
    first, _ = reply.reply(stage.person(), thread.id, "Le scriviamo qui.", act="private")
    second, _ = reply.reply(stage.person(), thread.id, "Ancora qui.", act="private")
    stage.settle()
    rows = {row.key: row for row in stage.scan().messages[thread.id]}
    assert rows[first.key].state == "sent"
    assert (rows[second.key].state, rows[second.key].problem) == ("failed", "refused")
    assert rows[second.key].code == "100/2534025"
    assert customer.heard() == ["Le scriviamo qui."]
