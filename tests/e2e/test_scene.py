"""The scene that the desk exists for: after hours, a person is asked for, and answers."""

from typing import Any

import pytest

from infra.world.model import ChannelName
from sportello.aws import history
from sportello.domain.message import Message
from sportello.domain.model import HOUR, MINUTE
from sportello.domain.reasons import Reason
from sportello.services import reply
from tests.e2e.stage import CHANNELS, Stage, instant, stays, wait_for

EVENING = "2026-11-23 20:15"  # a Monday
HOURS = {
    "it": ("ti rispondiamo domani alle 9:00", "lun–ven 9:00–13:00, 14:00–18:00"),
    "en": ("will answer you tomorrow at 9", "Mon–Fri"),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_after_hours_until_a_person_has_answered(stage: Stage, channel: ChannelName) -> None:
    stage.at(EVENING)
    customer = stage.customer(channel)

    customer.say("Buongiorno, dov'è il mio pacco?")
    (hours,) = customer.hears(1)
    assert all(words in hours for words in HOURS["it"])

    customer.say("L'ho ordinato lunedì scorso.")
    stays(lambda: len(customer.heard()) == 1, "the hours are told once")

    customer.say("Vorrei parlare con un operatore")
    assert "una persona ti risponde qui domani alle 9:00" in customer.hears(2)[1]
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "Slack and the mailbox")
    for told in (*customer.posts(), *customer.letters()):
        assert all(
            words in told
            for words in (
                customer.name,
                "Buongiorno, dov'è il mio pacco?",
                "Vorrei parlare con un operatore",
                "WhatsApp" if channel == "whatsapp" else "Telegram",
                "chiede di parlare con una persona",
                "oggi alle 20:15",
                customer.thread.id,
            )
        )
    customer.say("Vorrei parlare con un operatore!")
    stays(lambda: len(customer.heard()) == 2 and len(customer.posts()) == 1, "asking again changes nothing")
    assert customer.thread.owes

    row = customer.answer("Arriva domani mattina.")
    assert customer.hears(3)[2] == "Arriva domani mattina."
    ended = customer.row_ends(row.key, "sent")
    assert not customer.thread.owes
    if channel == "whatsapp":
        delivered = customer.row_is(row.key, lambda row: row.receipt == "delivered", "delivered")
        assert delivered.id == ended.id == customer.phone()[-1].id

    customer.say("E a che ora?")
    assert customer.thread.owes
    stays(lambda: len(customer.heard()) == 3, "silence while a person is in the conversation")

    stage.at("2026-11-24 09:20")
    customer.say("Nel pomeriggio non ci sono")
    stays(lambda: len(customer.heard()) == 3, "the desk is open: nothing is said at once")


def test_at_closing_time_who_is_owed_is_told_once(stage: Stage) -> None:
    stage.at("2026-11-24 17:55")
    waiting, answered = stage.customer("telegram"), stage.customer("whatsapp")
    for customer in (waiting, answered):
        customer.say("La lampada del salotto balla, mi aiutate?")
    answered.answer("Domani.")
    assert answered.hears(1) == ["Domani."]
    assert waiting.heard() == []

    stage.at("2026-11-24 18:05")
    stage.sweep()
    (told,) = waiting.hears(1)
    assert "prima della chiusura" in told
    assert "domani alle 9:00" in told
    stage.sweep()
    waiting.say("Ci siete?")
    stays(lambda: len(waiting.heard()) == 1, "it is told once")
    assert answered.heard() == ["Domani."]


def test_we_are_on_it_after_ten_minutes_of_service_and_people_after_thirty(stage: Stage) -> None:
    stage.at("2026-11-25 12:55")
    customer = stage.customer("whatsapp")
    customer.say("Buongiorno, la lampada del salotto balla")
    stage.at("2026-11-25 12:59")
    stage.sweep()
    assert customer.heard() == []

    stage.at("2026-11-25 14:04")  # five minutes before lunch and four after: nine of service
    stage.sweep()
    heard = customer.heard()
    assert not any("ce ne stiamo occupando" in text for text in heard)
    told = len(heard)

    stage.at("2026-11-25 14:06")
    stage.sweep()
    assert "ce ne stiamo occupando" in customer.hears(told + 1)[-1]
    assert customer.posts() == []

    stage.at("2026-11-25 14:24")
    stage.sweep()
    assert customer.calls() == []

    stage.at("2026-11-25 14:26")
    stage.sweep()
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "people are called")
    (call,) = customer.calls()
    assert [why.why for why in call.whys] == [Reason.NO_ANSWER]

    stage.at("2026-11-25 16:00")
    stage.sweep()
    wait_for(lambda: len(customer.posts()) == 2, "the first answer is late")
    (call,) = customer.calls()
    reasons = [why.why for why in call.whys]
    assert reasons[:2] == [Reason.NO_ANSWER, Reason.FIRST_LATE]
    assert len(set(reasons)) == len(reasons)
    stays(lambda: len(customer.heard()) == told + 1, "we are on it is said once")


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_customer_is_answered_in_their_language(stage: Stage, channel: ChannelName) -> None:
    stage.at(EVENING)
    english, italian = stage.customer(channel), stage.customer(channel)
    english.say("Hello, where is my order please?", language="en")
    italian.say("Buongiorno, dov'è il mio pacco?", language="it")
    assert all(words in english.hears(1)[0] for words in HOURS["en"])
    assert all(words in italian.hears(1)[0] for words in HOURS["it"])


def test_what_was_written_after_the_shown_message_stays_owed(stage: Stage) -> None:
    stage.at("2026-11-26 10:00")
    customer = stage.customer("telegram")
    customer.say("Prima domanda?")
    seen = reply.look(customer.thread.id).thread.last_in
    stage.at("2026-11-26 10:01")
    customer.say("Seconda domanda?")
    customer.answer("Prima risposta.", seen=seen)
    thread = customer.thread
    assert thread.first == "Seconda domanda?"
    assert thread.owed_since == instant("2026-11-26 10:01")
    customer.answer("Seconda risposta.")
    assert customer.hears(2) == ["Prima risposta.", "Seconda risposta."]
    assert not customer.thread.owes


def test_a_claim_keeps_the_desk_silent_and_a_debt_is_resolved_with_a_reason_only(stage: Stage) -> None:
    stage.at("2026-11-23 17:59")
    customer = stage.customer("telegram")
    customer.say("Buonasera, una domanda")
    person = stage.person()
    reply.claim(person, customer.thread.id)
    stage.at("2026-11-23 18:10")
    stage.sweep()
    customer.say("Siete ancora lì?")
    stays(lambda: customer.heard() == [], "somebody has taken the thread")
    with pytest.raises(reply.NotAllowed, match=Reason.OWES_NEEDS_CODE):
        reply.resolve(person, customer.thread.id)
    assert customer.thread.owes
    reply.resolve(person, customer.thread.id, "duplicate")
    assert customer.thread.resolved == "duplicate"
    assert not customer.thread.owes


def test_silent_hours_after_a_person_left_the_hours_are_told_again(stage: Stage) -> None:
    start = stage.at(EVENING)
    customer = stage.customer("whatsapp")
    customer.say("Buonasera, la lampada del salotto balla")
    customer.hears(1)
    customer.answer("Domani alle nove.")
    customer.hears(2)
    stage.at("2026-11-23 21:30")
    customer.say("Grazie, e se la lampada balla ancora?")
    stays(lambda: len(customer.heard()) == 2, "the opening that was named has not come yet")
    stage.at("2026-11-24 20:00")
    customer.say("Balla ancora")
    assert "domani alle 9:00" in customer.hears(3)[2]
    assert customer.thread.told_until == start - 15 * MINUTE + 37 * HOUR


def test_a_message_that_comes_in_while_a_reply_is_being_written_stays_owed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading of the thread row and of its messages: shown by neither, answered by nobody."""
    stage.at("2026-11-26 11:00")
    customer = stage.customer("telegram")
    customer.say("Prima domanda?")
    view = reply.look(customer.thread.id)
    stage.at("2026-11-26 11:05")
    read = history.messages
    late = iter(["Seconda domanda?"])

    def messages_after_one_more(thread: str, **how: Any) -> list[Message]:
        for text in late:
            customer.say(text)
        return read(thread, **how)

    monkeypatch.setattr(history, "messages", messages_after_one_more)
    customer.answer("Prima risposta.", seen=view.thread.last_in)
    assert customer.hears(1) == ["Prima risposta."]
    assert customer.thread.first == "Seconda domanda?"
