"""Public posts and comments: answered there, answered in private, hidden; and what channels need for it."""

from typing import Any, ClassVar

import pytest

from sportello.channels.base import Act, NotSent, Problem, Sent
from sportello.domain.events import Customer, Delete
from sportello.domain.model import MINUTE
from sportello.services import reply
from tests.integration.stage import (
    ACCOUNT,
    CLOSED,
    OPEN,
    Scripted,
    Stage,
    calls,
    heard,
    inbound,
    only_row,
    only_thread,
    outbox,
    scan,
    thread_id,
)

COMMENTER = Customer(id="post-1:author-1", address="comment:c1", name="Customer One")
ACTS: frozenset[Act] = frozenset({"reply", "private", "hide"})


class Page(Scripted):
    acts: ClassVar[frozenset[Act]] = ACTS
    uses_context: ClassVar[bool] = True


@pytest.fixture
def page(stage: Stage) -> Page:
    stage.channel = Page()
    return stage.channel


def comment(stage: Stage, text: str = "It does not work", id: str = "c1", **fields: Any) -> str:
    values: dict[str, Any] = {"customer": COMMENTER, "public": True, "context": {"comment": id}}
    stage.take(inbound(text, id=id, **(values | fields)))
    return thread_id(COMMENTER)


def test_a_public_thread_says_so(stage: Stage, page: Page) -> None:
    comment(stage)
    assert "c" in only_thread()["is"]


def test_an_ordinary_thread_says_nothing_of_it(stage: Stage) -> None:
    stage.take(inbound("Hello"))
    assert "c" not in only_thread().get("is", "")


def test_a_private_reply_settles_and_links_both_threads(stage: Stage, page: Page) -> None:
    thread = comment(stage)
    page.script = [Sent(id="p1", linked="psid-1")]
    reply.reply(stage.person(), thread, "Let us look at it together", act="private")
    assert stage.send(only_row()) == "sent"
    (message,) = page.asked
    assert (message.act, message.by_person) == ("private", True)
    private = thread_id("psid-1")
    assert only_row()["linked"] == private
    assert "owed_since" not in only_thread()
    stage.take(inbound("Thank you for writing", id="p2", customer=Customer(id="psid-1", address="psid-1")))
    assert reply.look(private).links == (thread,)
    assert reply.look(thread).links == ()


def test_hiding_settles_nothing(stage: Stage, page: Page) -> None:
    thread = comment(stage)
    reply.hide(stage.person(), thread)
    assert stage.send(only_row()) == "sent"
    (message,) = page.asked
    assert (message.act, message.quote, message.context) == ("hide", "c1", {"comment": "c1"})
    assert only_row()["why"] == ["hidden"]
    assert "owed_since" in only_thread()


def test_a_hide_that_fails_calls_people(stage: Stage, page: Page) -> None:
    thread = comment(stage)
    page.script = [NotSent(problem=Problem.REFUSED, code="200")]
    reply.hide(stage.person(), thread)
    assert stage.send(only_row()) == "failed_refused"
    (call,) = calls()
    assert [why["why"] for why in call["whys"]] == ["send_failed"]


def test_one_message_of_several_is_hidden(stage: Stage, page: Page) -> None:
    thread = comment(stage)
    comment(stage, "And nobody answers", id="c2", time=OPEN + MINUTE)
    reply.hide(stage.person(), thread, "c1")
    stage.send(only_row())
    assert page.asked[0].context == {"comment": "c1"}


def test_what_is_not_there_cannot_be_hidden(stage: Stage, page: Page) -> None:
    thread = comment(stage)
    with pytest.raises(reply.NotAllowed, match="no_such_message"):
        reply.hide(stage.person(), thread, "c9")
    assert outbox() == []


def test_a_channel_that_cannot_refuses_before_anything_is_written(stage: Stage) -> None:
    stage.take(inbound("Hello"))
    with pytest.raises(reply.NotAllowed, match="refused"):
        reply.hide(stage.person(), thread_id())
    with pytest.raises(reply.NotAllowed, match="refused"):
        reply.reply(stage.person(), thread_id(), "Hello", act="private")
    assert outbox() == []


# --- what a channel needs to answer this very message ---------------------------------------------


def test_an_answer_knows_the_newest_message_that_asks(stage: Stage, page: Page) -> None:
    thread = comment(stage)
    comment(stage, "Still broken", id="c2", time=OPEN + MINUTE)
    comment(stage, "grazie", id="c3", time=OPEN + 2 * MINUTE)
    stage.now = OPEN + 3 * MINUTE
    reply.reply(stage.person(), thread, "Sorry")
    stage.send(only_row())
    assert page.asked[0].context == {"comment": "c2"}


def test_an_automatic_answer_knows_it_too(stage: Stage, page: Page) -> None:
    stage.now = CLOSED
    comment(stage, "Siete dei ladri, vergogna", time=CLOSED)
    for row in outbox():
        stage.send(row)
    assert {message.act for message in page.asked} == {"reply", "private"}
    assert {message.context["comment"] for message in page.asked} == {"c1"}
    assert not any(message.by_person for message in page.asked)


def test_a_thread_that_never_asked_gives_its_newest_message(stage: Stage, page: Page) -> None:
    thread = comment(stage, "grazie")
    reply.reply(stage.person(), thread, "You are welcome")
    stage.send(only_row())
    assert page.asked[0].context == {"comment": "c1"}


def test_channels_that_need_nothing_cost_no_read(stage: Stage) -> None:
    stage.take(inbound("Hello", context={"comment": "x"}))
    reply.reply(stage.person(), thread_id(), "Hello")
    stage.send(only_row())
    assert stage.channel.asked[0].context == {}


def test_a_deleted_message_gives_away_nothing(stage: Stage, page: Page) -> None:
    comment(stage)
    stage.take(Delete(account=ACCOUNT, customer=COMMENTER, originals=("c1",), time=OPEN + MINUTE))
    assert "context" not in heard()[0]


# --- how many answers a message allows ---------------------------------------------------------------


class Counted(Scripted):
    answers: ClassVar[int | None] = 2


def test_only_so_many_answers_follow_a_message(stage: Stage) -> None:
    stage.channel = Counted()
    stage.take(inbound("Hello"))
    outcomes = []
    for number in range(3):
        stage.now += MINUTE
        row, _ = reply.reply(stage.person(), thread_id(), f"Answer {number}")
        found = next(one for one in scan() if one["SK"] == row.key)
        outcomes.append(stage.send(found))
    assert outcomes == ["sent", "sent", "failed_window_closed"]
    assert len(stage.channel.asked) == 2
    stage.take(inbound("And now?", id="m2", at=stage.now + MINUTE))
    stage.now += 2 * MINUTE
    row, _ = reply.reply(stage.person(), thread_id(), "Again")
    assert stage.send(next(one for one in scan() if one["SK"] == row.key)) == "sent"


def test_paid_parts_are_noted(stage: Stage) -> None:
    stage.take(inbound("Hello"))
    stage.channel.script = [Sent(id="s1", units=3)]
    reply.reply(stage.person(), thread_id(), "A long answer")
    stage.send(only_row())
    assert only_row()["units"] == 3
