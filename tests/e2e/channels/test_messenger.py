"""Messenger and Page comments on the running desk: receipts, windows, comments, what goes wrong."""

import pytest

from infra.world.model import OptionsChange, Setup
from sportello.domain.model import DAY
from sportello.domain.thread import Thread
from sportello.services import reply
from tests.e2e.stage import Customer, Stage, stays, wait_for

EVENING = "2026-12-08 20:15"  # a Tuesday
MORNING = "2026-12-09 10:00"
CHANNEL = "messenger"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    stage.at(MORNING)
    return stage.customer(CHANNEL)


def test_delivered_and_read_are_shown_at_the_answer(stage: Stage, customer: Customer) -> None:
    stage.desk.client.setup(Setup(options=OptionsChange(receipts="read")))
    customer.say("Buongiorno, è arrivato il mio ordine?")
    row = customer.answer("Sì, questa mattina.")
    customer.row_ends(row.key, "sent")
    wait_for(
        lambda: (
            [shown.receipt for shown in reply.look(customer.thread.id).messages if shown.key == row.key]
            == ["read"]
        ),
        "the receipt lands",
    )
    stage.desk.client.setup(Setup(options=OptionsChange(receipts="on")))


def test_our_own_echo_is_no_second_message(stage: Stage, customer: Customer) -> None:
    customer.say("Buongiorno")
    row = customer.answer("Buongiorno a lei.")
    customer.row_ends(row.key, "sent")
    stage.settle()
    assert [message.text for message in customer.rows()] == ["Buongiorno", "Buongiorno a lei."]


def test_a_person_in_the_page_s_inbox_settles_the_debt(stage: Stage, customer: Customer) -> None:
    customer.say("Buongiorno, mi serve una fattura")
    assert customer.thread.owes
    customer.say("La preparo subito.", as_owner=True)
    assert not customer.thread.owes


def test_a_picture_is_fetched_from_metas_hosts(stage: Stage, customer: Customer) -> None:
    customer.say("È arrivato così", kind="media")
    wait_for(lambda: all(media.at for row in customer.rows() for media in row.media), "our copy")
    (row,) = customer.rows()
    assert [(media.kind, media.mime, media.problem) for media in row.media] == [("image", "image/jpeg", "")]


def test_a_person_may_answer_for_seven_days_and_then_hears_why_not(stage: Stage) -> None:
    stage.at("2026-12-09 10:00")
    customer = stage.customer(CHANNEL)
    customer.say("Avete novità?")
    stage.at("2026-12-11 10:00")
    row = customer.answer("Sì, ecco.")
    assert customer.row_ends(row.key, "sent").id
    stage.at("2026-12-16 10:01")
    with pytest.raises(reply.NotAllowed, match="window_closed"):
        customer.answer("Ancora qui.")


def test_without_the_feature_the_refusal_stands_at_the_answer(stage: Stage) -> None:
    stage.at("2026-12-09 10:00")
    customer = stage.customer(CHANNEL)
    customer.say("Avete novità?")
    stage.at("2026-12-11 10:00")
    stage.desk.client.fault(CHANNEL, "window_closed", times=2)
    row = customer.answer("Sì, ecco.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("window_closed", "10/2018278")
    assert customer.thread.owes


def test_somebody_who_blocked_us_cannot_be_reached(stage: Stage, customer: Customer) -> None:
    customer.say("Non scrivetemi più")
    stage.desk.client.fault(CHANNEL, "blocked")
    row = customer.answer("Va bene.")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("unreachable", "551/1545041")


def test_a_conversation_that_another_app_holds_owes_nothing(stage: Stage, customer: Customer) -> None:
    customer.say("Parlo con il vostro robot", more={"standby": "yes"})
    assert not customer.thread.owes
    assert [row.detail for row in customer.rows()] == ["standby"]


def test_a_comment_is_answered_in_public_in_private_and_hidden(stage: Stage) -> None:
    stage.at(MORNING)
    customer = stage.customer(CHANNEL)
    said = customer.say("Mai arrivato!", kind="comment")
    thread = next(
        found for found in stage.scan().threads.values() if found.to == f"comment:{said.message_id}"
    )
    assert (thread.public, thread.owes) == (True, True)
    public, _ = reply.reply(stage.person(), thread.id, "Ci dispiace, le scriviamo subito.")
    private, _ = reply.reply(stage.person(), thread.id, "Qual è il numero dell'ordine?", act="private")
    reply.hide(stage.person(), thread.id)
    stage.settle()
    rows = {row.key: row for row in stage.scan().messages[thread.id]}
    assert {rows[row.key].state for row in (public, private)} == {"sent"}
    assert customer.heard() == ["Qual è il numero dell'ordine?"]
    wall = stage.desk.client.phone(CHANNEL, said.address)
    assert [(shown.text, shown.hidden) for shown in wall] == [
        ("Mai arrivato!", True),
        ("Ci dispiace, le scriviamo subito.", False),
    ]
    address = customer.say("Il 4711").address
    written = next(found for found in customer.threads() if found.to == address)
    assert reply.look(written.id).links == (thread.id,)


def test_after_hours_a_comment_is_owed_and_hears_no_hours_in_public(stage: Stage) -> None:
    stage.at(EVENING)
    customer = stage.customer(CHANNEL)
    said = customer.say("Ci siete?", kind="comment")
    assert thread_of(stage, said.message_id).owes
    stays(lambda: len(stage.desk.client.phone(CHANNEL, said.address)) == 1, "nothing below the comment")


def test_an_angry_comment_is_taken_into_private(stage: Stage) -> None:
    stage.at(MORNING)
    customer = stage.customer(CHANNEL)
    said = customer.say("Siete dei ladri, è una vergogna!", kind="comment")
    wait_for(lambda: len(stage.desk.client.phone(CHANNEL, said.address)) == 2, "an answer below the comment")
    wait_for(lambda: len(customer.heard()) == 1, "a private message")
    rows = [row for row in stage.scan().messages[thread_of(stage, said.message_id).id] if row.state]
    assert {(row.act, row.say) for row in rows} == {("reply", "public_ack"), ("private", "private_open")}


def test_a_card_number_is_hidden_at_once(stage: Stage) -> None:
    stage.at(MORNING)
    customer = stage.customer(CHANNEL)
    said = customer.say("La mia carta è 4111 1111 1111 1111, rimborsatemi", kind="comment")
    wait_for(
        lambda: stage.desk.client.phone(CHANNEL, said.address)[0].hidden,
        "it is hidden",
        state=lambda: str(stage.scan().messages[thread_of(stage, said.message_id).id]),
    )
    assert thread_of(stage, said.message_id).owes


def thread_of(stage: Stage, comment: str) -> Thread:
    threads = stage.scan().threads.values()
    return next(found for found in threads if found.to == f"comment:{comment}")


def test_a_private_answer_comes_too_late_after_seven_days(stage: Stage) -> None:
    now = stage.at(MORNING)
    customer = stage.customer(CHANNEL)
    said = customer.say("Mai arrivato!", kind="comment", at=now - 8 * DAY)
    thread = next(
        found for found in stage.scan().threads.values() if found.to == f"comment:{said.message_id}"
    )
    with pytest.raises(reply.NotAllowed, match="window_closed"):
        reply.reply(stage.person(), thread.id, "Ci scusi.", act="private")
