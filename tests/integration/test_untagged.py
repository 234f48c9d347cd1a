"""Platforms that return none of our data: receipts by customer and id or time, our own sends as echoes."""

from typing import Any, ClassVar

import pytest

from sportello.aws import history
from sportello.channels.base import Sent, Unknown
from sportello.domain.events import Receipt
from sportello.domain.model import MINUTE, SECOND
from sportello.services import reply
from tests.integration.stage import (
    ACCOUNT,
    ONE,
    OPEN,
    TWO,
    Scripted,
    Stage,
    calls,
    echo,
    inbound,
    only_row,
    only_thread,
    scan,
    thread_id,
)


class Silent(Scripted):
    returns_tag: ClassVar[bool] = False
    echoes_untagged: ClassVar[bool] = True


@pytest.fixture(autouse=True)
def silent(stage: Stage) -> Silent:
    stage.channel = Silent()
    return stage.channel


def answered(stage: Stage) -> dict[str, Any]:
    stage.take(inbound("Owed"))
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), "An answer")
    assert stage.send(only_row()) == "sent"
    return only_row()


def receipt(status: str, **fields: Any) -> Receipt:
    values: dict[str, Any] = {
        "account": ACCOUNT, "customer": ONE, "id": "sent-1", "status": status, "time": OPEN + 2 * MINUTE,
    }  # fmt: skip
    return Receipt(**(values | fields))


def shown(thread: str) -> str:
    (ours,) = (message for message in history.messages(thread) if message.direction == "out")
    return ours.receipt


def test_a_receipt_stands_beside_its_message_and_shows_on_the_page(stage: Stage) -> None:
    answered(stage)
    assert shown(thread_id()) == ""
    assert stage.take(receipt("delivered")) == {"receipt": 1}
    assert shown(thread_id()) == "delivered"
    assert stage.take(receipt("read")) == {"receipt": 1}
    assert stage.take(receipt("delivered")) == {"old_receipt": 1}
    assert shown(thread_id()) == "read"


def test_of_another_message_it_shows_nothing_here(stage: Stage) -> None:
    answered(stage)
    stage.take(receipt("read", id="sent-9"))
    assert shown(thread_id()) == ""


def test_a_time_confirms_what_was_sent_before_it(stage: Stage) -> None:
    answered(stage)
    early = receipt("read", id="", until=OPEN)
    assert stage.take(early) == {"receipt": 1}
    assert shown(thread_id()) == ""
    stage.take(receipt("delivered", id="", until=OPEN + 2 * MINUTE))
    assert shown(thread_id()) == "delivered"
    stage.take(receipt("read", id="", until=OPEN + 3 * MINUTE))
    assert shown(thread_id()) == "read"
    assert stage.take(early) == {"old_receipt": 1}
    assert shown(thread_id()) == "read"


def test_for_a_stranger_it_leaves_nothing(stage: Stage) -> None:
    answered(stage)
    before = scan()
    assert stage.take(receipt("read", customer=TWO)) == {"not_ours": 1}
    assert stage.take(receipt("read", customer=None)) == {"not_ours": 1}
    assert scan() == before


def test_a_failure_raises_the_thread(stage: Stage) -> None:
    answered(stage)
    assert "owed_since" not in only_thread()
    assert stage.take(receipt("failed", code="99", problem="refused")) == {"failed": 1}
    row = only_row()
    assert (row["state"], row["problem"], row["code"]) == ("failed", "refused", "99")
    assert only_thread()["owed_since"] == OPEN
    (call,) = calls()
    assert [why["why"] for why in call["whys"]] == ["send_failed"]
    assert stage.take(receipt("failed", code="99", problem="refused")) == {"old_receipt": 1}


def test_the_failure_of_what_we_did_not_send_is_not_ours(stage: Stage) -> None:
    answered(stage)
    assert stage.take(receipt("failed", id="sent-9")) == {"not_ours": 1}
    assert only_row()["state"] == "sent"


# --- echoes -----------------------------------------------------------------------------------------


def test_our_own_send_coming_back_is_no_person(stage: Stage) -> None:
    answered(stage)
    stage.take(inbound("And when?", id="m2", at=OPEN + 2 * MINUTE))
    outcome = stage.take(echo("An answer", id="sent-1", at=OPEN + 3 * MINUTE))
    assert outcome == {"own_echo": 1}
    assert "owed_since" in only_thread(), "it settles nothing"


def test_each_part_of_one_send_is_known(stage: Stage, silent: Silent) -> None:
    stage.take(inbound("Owed"))
    silent.script = [Sent(id="s1", also=("s2",))]
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), "An answer")
    stage.send(only_row())
    assert stage.take(echo("", id="s1", at=stage.now)) == {"own_echo": 1}
    assert stage.take(echo("An answer", id="s2", at=stage.now)) == {"own_echo": 1}


def test_it_may_be_quicker_than_the_senders_note(stage: Stage, silent: Silent) -> None:
    stage.take(inbound("Owed"))
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), "An answer")
    outcomes: list[dict[str, int]] = []
    silent.meanwhile = lambda: outcomes.append(stage.take(echo("An answer", id="e7", at=stage.now + SECOND)))
    stage.send(only_row())
    assert outcomes == [{"receipt": 1}]
    assert (only_row()["state"], only_row()["id"]) == ("sent", "e7")


def test_an_unknown_end_is_settled_by_it(stage: Stage, silent: Silent) -> None:
    stage.take(inbound("Owed"))
    silent.script = [Unknown(code="no_answer")]
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), "An answer")
    assert stage.send(only_row()) == "unknown"
    assert stage.take(echo("An answer", id="e7", at=stage.now + SECOND)) == {"receipt": 1}
    assert (only_row()["state"], only_row()["id"]) == ("sent", "e7")


def test_what_a_person_wrote_elsewhere_settles(stage: Stage) -> None:
    stage.take(inbound("Owed"))
    assert stage.take(echo("From my phone", id="e1", at=OPEN + MINUTE)) == {"echo": 1}
    assert "owed_since" not in only_thread()


def test_the_same_words_written_again_by_a_person_are_a_persons(stage: Stage) -> None:
    answered(stage)
    stage.take(inbound("Sorry?", id="m2", at=OPEN + 2 * MINUTE))
    assert stage.take(echo("An answer", id="e2", at=OPEN + 3 * MINUTE)) == {"echo": 1}
    assert "owed_since" not in only_thread()
