"""WeChat: what only it does, on the real template with the platform's stand-in."""

import pytest

from sportello.services import reply
from tests.e2e.stage import Customer, Stage, wait_for

MORNING = "2026-12-04 10:00"
TWO_DAYS_LATER = "2026-12-06 10:01"
ASKED = "我的包裹在哪里？"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """Somebody who is owed an answer, on a morning."""
    stage.at(MORNING)
    customer = stage.customer("wechat")
    customer.say(ASKED)
    return customer


def test_an_encrypted_message_is_read_and_answered(customer: Customer) -> None:
    (asked,) = customer.rows()
    assert (asked.text, asked.owes) == (ASKED, True)
    row = customer.answer("明天到 🙂")
    assert customer.hears(1) == ["明天到 🙂"]
    customer.row_ends(row.key, "sent")
    assert not customer.thread.owes


def test_after_48_hours_the_desk_refuses_by_itself(customer: Customer) -> None:
    customer.stage.at(TWO_DAYS_LATER)
    with pytest.raises(reply.NotAllowed, match="window_closed"):
        customer.answer("明天到")
    customer.say("还在吗？")
    customer.row_ends(customer.answer("在").key, "sent")


def test_the_sixth_message_waits_for_the_customer(customer: Customer) -> None:
    for number in range(5):
        customer.row_ends(customer.answer(f"{number}").key, "sent")
    sixth = customer.answer("5")
    assert customer.row_ends(sixth.key, "failed").problem == "window_closed"
    assert len(customer.heard()) == 5


def test_what_wechat_refuses_is_shown_and_brings_the_debt_back(customer: Customer) -> None:
    customer.stage.desk.client.fault("wechat", "used_up", match=customer.name)
    row = customer.answer("明天到")
    failed = customer.row_ends(row.key, "failed")
    assert (failed.problem, failed.code) == ("window_closed", "45047")
    assert customer.thread.owes


def test_a_token_that_ended_is_renewed_on_the_way(customer: Customer) -> None:
    customer.row_ends(customer.answer("一").key, "sent")
    customer.stage.desk.client.fault("wechat", "token_expired")
    customer.row_ends(customer.answer("二").key, "sent")
    assert customer.hears(2) == ["一", "二"]


def test_an_address_that_is_not_listed_asks_for_a_person(customer: Customer) -> None:
    customer.stage.desk.client.fault("wechat", "not_listed", match=customer.name)
    row = customer.answer("明天到")
    held = customer.row_is(row.key, lambda row: row.problem == "reconnect", "reconnect")
    assert held.code == "40164"
    customer.stage.rows_come_due(customer.thread.id)
    customer.stage.sweep()
    assert customer.hears(1) == ["明天到"]


def test_who_unfollows_is_not_written_to(customer: Customer) -> None:
    customer.say(kind="block")
    with pytest.raises(reply.NotAllowed, match="unreachable"):
        customer.answer("明天到")


@pytest.mark.parametrize(("media", "mime"), [("photo", "image/jpeg"), ("video", "video/mp4")])
def test_a_file_is_copied(customer: Customer, media: str, mime: str) -> None:
    """A picture from the answer of the API itself, a video from where that sends us."""
    customer.say(kind="media", media=media)
    wait_for(lambda: bool(customer.rows()[-1].media[0].at), "a copy", state=lambda: str(customer.rows()[-1]))
    assert customer.rows()[-1].media[0].mime == mime


def test_a_picture_of_ours_is_uploaded(customer: Customer) -> None:
    file = reply.File(name="foto.png", content=b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"x" * 60)
    row = customer.answer("在这里", file=file)
    customer.row_ends(row.key, "sent")
    picture, words = customer.phone()[-2:]
    assert picture.file is not None
    assert (picture.kind, picture.file.name) == ("image", "foto.png")
    assert words.text == "在这里"
