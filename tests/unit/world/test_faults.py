"""The world fails as it is told to, and no more."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.world.client import WorldClient, WorldError
from sportello.channels.http import NoAnswer
from tests.unit.world.calls import Desk, bot_call, code_of, graph, simple, slack_post, text_to


def test_fault_429_for_one_customer_and_so_many_times(world: WorldClient) -> None:
    one, two = (world.say("telegram", "Salve", f"Customer {name}").address for name in ("One", "Two"))
    world.fault("telegram", "429", times=2, match="Customer One", retry_after=7)
    assert bot_call(world, "getMe").status == 200
    assert bot_call(world, "sendMessage", chat_id=two, text="x").status == 200
    answers = [bot_call(world, "sendMessage", chat_id=one, text="x") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].json["parameters"] == {"retry_after": 7}


def test_fault_hang_after_accepting_shows_it_and_says_nothing(world: WorldClient, desk: Desk) -> None:
    address = world.say("whatsapp", "Salve").address
    world.fault("whatsapp", "hang_after_accepting", seconds=20)
    with pytest.raises(NoAnswer):
        graph(world, text_to(address, biz_opaque_callback_data="row-1"))
    world.settle()
    assert [item.text for item in world.phone("whatsapp")] == ["Salve", "Buongiorno"]
    assert {status["biz_opaque_callback_data"] for status in desk.statuses_seen()} == {"row-1"}
    entry = [entry for entry in world.log() if entry.direction == "call"][-1]
    assert (entry.status, entry.fault, bool(entry.id)) == (0, "hang_after_accepting", True)


@pytest.mark.parametrize(("kind", "shown"), [("hang", 0), ("reset", 0), ("reset_after_accepting", 1)])
def test_fault_no_answer(world: WorldClient, kind: str, shown: int) -> None:
    address = world.say("telegram", "Salve").address
    world.fault("telegram", kind, seconds=20)
    with pytest.raises(NoAnswer):
        bot_call(world, "sendMessage", chat_id=address, text="x")
    assert len(world.phone("telegram")) == 1 + shown
    assert bot_call(world, "sendMessage", chat_id=address, text="x").status == 200


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("429", (429, 130429)),
        ("500", (500, 131000)),
        ("token_expired", (401, 190)),
        ("window_closed", (400, 131047)),
        ("blocked", (400, 131026)),
    ],
)
def test_faults_of_whatsapp(world: WorldClient, kind: str, expected: tuple[int, int]) -> None:
    address = world.say("whatsapp", "Salve").address
    world.fault("whatsapp", kind)
    assert code_of(graph(world, text_to(address))) == expected
    assert graph(world, text_to(address)).status == 200


def test_faults_until_cleared_and_unknown_ones_refused(world: WorldClient, ses: Any) -> None:
    world.fault("slack", "500", times=None)
    assert [slack_post(world, {"text": "x"})[0] for _ in range(3)] == [500] * 3
    world.clear("slack")
    assert slack_post(world, {"text": "x"}) == (200, "ok")
    world.fault("mail", "throttled")
    arguments = {"Destination": {"ToAddresses": ["care@example.com"]}, "Content": simple()}
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        ses.send_email(FromEmailAddress="desk@example.com", **arguments)
    with pytest.raises(WorldError, match="no fault"):
        world.fault("slack", "window_closed")


def test_fault_told_late_and_a_group_that_moved(world: WorldClient, desk: Desk) -> None:
    address = world.say("whatsapp", "Salve").address
    world.fault("whatsapp", "failed_later", code="131049")
    assert graph(world, text_to(address)).status == 200
    world.settle()
    (failed,) = desk.statuses_seen()
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131049)
    group = world.say("telegram", "Ciao a tutti", group="Soci").address
    chat = desk.telegram()[0]["message"]["chat"]
    assert (str(chat["id"]), chat["type"]) == (group, "supergroup")
    world.fault("telegram", "migrated", code="-1009")
    moved = bot_call(world, "sendMessage", chat_id=group, text="x")
    assert (moved.status, moved.json["parameters"]) == (400, {"migrate_to_chat_id": -1009})
    assert bot_call(world, "sendMessage", chat_id=group, text="x").status == 200
