"""One voice: what the guidelines block is never written, and who may send it all the same."""

from typing import Any

import pytest

from sportello.channels.base import Act, Template
from sportello.domain.guidelines import Guidelines, Remark, Voice, Words
from sportello.domain.message import Message
from sportello.services import guidelines, reply
from sportello.services.reply import Blocked, NotAllowed
from tests.integration.stage import ONE, OPEN, Stage, inbound, outbox, scan, thread_id

PROMISE = "Garantiamo la consegna domani."
PRIVATE = "La chiamiamo al 321 0000012."


@pytest.fixture(autouse=True)
def voice(stage: Stage) -> None:
    promise = Words(say=("garantiamo",), may_override=True, level="block", suggest="Niente promesse")
    strict = Words(say=("mai più",), may_override=False, level="block")
    official = Voice(promise=promise, dead_end=strict)
    guidelines.use({"it": Guidelines(language="it", official=official)})


def asked(stage: Stage, **values: Any) -> str:
    stage.take(inbound("Dov'è il mio pacco?", id="m1", at=OPEN, **values))
    return thread_id()


def answer(stage: Stage, text: str, *, act: Act = "reply", despite: bool = False) -> list[Remark]:
    heard = list[Remark]()
    reply.reply(stage.person(), thread_id(), text, act=act, despite=despite, told=heard.extend)
    return heard


def test_a_blocked_text_is_written_nowhere(stage: Stage) -> None:
    asked(stage)
    before = scan()
    with pytest.raises(Blocked) as blocked:
        answer(stage, PROMISE)
    (remark,) = blocked.value.remarks
    assert (remark.rule, remark.text, remark.suggestion) == ("promise", "Garantiamo", "Niente promesse")
    assert scan() == before


def test_a_blocked_text_says_nothing_of_itself(stage: Stage) -> None:
    """An error may end in a log."""
    asked(stage)
    with pytest.raises(NotAllowed) as blocked:
        answer(stage, PROMISE)
    assert (str(blocked.value), blocked.value.code) == ("guidelines", "guidelines")


def test_despite_sends_what_may_be_overridden(stage: Stage) -> None:
    asked(stage)
    heard = answer(stage, PROMISE, despite=True)
    assert [remark.rule for remark in heard] == ["promise"]
    assert [row["text"] for row in outbox()] == [PROMISE]


def test_despite_does_not_send_what_may_not_be_overridden(stage: Stage) -> None:
    asked(stage)
    with pytest.raises(Blocked) as blocked:
        answer(stage, f"{PROMISE} Mai più.", despite=True)
    assert [remark.rule for remark in blocked.value.remarks] == ["dead_end"]
    assert outbox() == []


def test_a_warning_is_told_and_the_text_is_sent(stage: Stage) -> None:
    asked(stage)
    heard = answer(stage, "Che bello!!!")
    assert [(remark.rule, remark.level) for remark in heard] == [("shouting", "warn")]
    assert len(outbox()) == 1


def test_a_good_text_hears_nothing(stage: Stage) -> None:
    asked(stage)
    assert answer(stage, "Il pacco parte oggi.") == []


def test_in_private_a_number_may_be_said(stage: Stage) -> None:
    asked(stage)
    answer(stage, PRIVATE.replace("La", "Ti"))
    assert len(outbox()) == 1


@pytest.mark.parametrize("despite", [False, True])
def test_in_public_no_data_of_anybody_is_said(stage: Stage, despite: bool) -> None:
    asked(stage, public=True)
    before = scan()
    with pytest.raises(Blocked) as blocked:
        answer(stage, PRIVATE, despite=despite)
    assert [remark.rule for remark in blocked.value.remarks] == ["personal_data"]
    assert scan() == before


def test_a_private_answer_to_a_public_message_is_private(stage: Stage) -> None:
    """The channel of the stage has no private answers: it says so after the guidelines let the text pass."""
    asked(stage, public=True)
    with pytest.raises(NotAllowed) as refused:
        answer(stage, PRIVATE, act="private")
    assert not isinstance(refused.value, Blocked)


def test_the_desk_s_order_numbers_are_data_too(stage: Stage) -> None:
    hook = stage.desk.hook.model_copy(update={"order_pattern": r"\d{8}"})
    stage.desk = stage.desk.model_copy(update={"hook": hook})
    asked(stage, public=True)
    with pytest.raises(Blocked):
        answer(stage, "L'ordine 10004711 è partito.")


def test_what_a_form_shows_colleagues_is_not_read(stage: Stage) -> None:
    asked(stage)
    form = Template(name="news", language="it")
    row: Message
    row, _ = reply.reply(stage.person(), thread_id(), PROMISE, template=form)
    assert row.text == PROMISE


def test_without_guidelines_of_the_language_the_desk_s_own_hold(stage: Stage) -> None:
    asked(stage, customer=ONE.model_copy(update={"language": "en"}))
    with pytest.raises(Blocked):
        answer(stage, PROMISE)
