"""LINE's stand-in refuses, loses and shows what LINE does; our channel on the other side of the wire."""

import time
import uuid
from typing import Any

import pytest

from infra.world.client import WorldClient, WorldError
from infra.world.line_bot import LOCAL_BOT
from infra.world.model import Setup
from sportello.channels.base import Connection, NotSent, Outbound, Problem, Request, Sent
from sportello.channels.http import Answer, Http
from sportello.channels.line import Line
from sportello.domain.events import Delete, Edit, Inbound, Kind, PlatformEvent
from tests.unit.world.calls import Desk

LINE = Line()
CONNECTION = Connection.model_validate(
    {
        "name": "main",
        "secrets": [LOCAL_BOT.secret],
        "token": LOCAL_BOT.token,
        "accounts": [{"id": LOCAL_BOT.id}],
    }
)


@pytest.fixture
def line(world: WorldClient, desk: Desk) -> WorldClient:
    bot = LOCAL_BOT.model_copy(update={"webhook_url": f"{desk.url}/line"})
    world.setup(Setup(accounts=(bot.at("line"),)))
    return world


def heard(desk: Desk) -> list[PlatformEvent]:
    """Everything that reached us, verified and read."""
    events: list[PlatformEvent] = []
    for path, headers, body in desk.requests:
        assert path == "/line"
        request = Request(method="POST", headers=headers, body=body)
        assert LINE.verify(request, CONNECTION)
        events += LINE.parse(request, CONNECTION)
    return events


def send(world: WorldClient, to: str, text: str = "Buongiorno", **more: Any) -> Any:
    message = Outbound(account=LOCAL_BOT.id, to=to, text=text, **more)
    return LINE.send(message, CONNECTION, Http(world.url, read_seconds=5))


def push(world: WorldClient, body: Any, **headers: str) -> Answer:
    sent = {"authorization": f"Bearer {LOCAL_BOT.token}", **headers}
    url = "https://api.line.me/v2/bot/message/push"
    return Http(world.url).request("POST", url, json_body=body, headers=sent)


def texts(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


def test_what_a_customer_does_reaches_us_as_line_tells_it(line: WorldClient, desk: Desk) -> None:
    line.say("line", kind="start")
    line.say("line", "Buongiorno")
    line.say("line", "Buonasera", kind="edit")
    line.say("line", kind="delete")
    line.say("line", kind="block")
    line.say("line", kind="unblock")
    start, text, edit, delete, blocked, back = heard(desk)
    assert isinstance(text, Inbound)
    assert isinstance(edit, Edit)
    assert isinstance(delete, Delete)
    assert edit.original == text.id
    assert delete.originals == (text.id,)
    kinds = [event.kind for event in (start, text, blocked, back) if isinstance(event, Inbound)]
    assert kinds == [Kind.START, Kind.TEXT, Kind.SERVICE, Kind.SERVICE]
    assert [event.detail for event in (blocked, back) if isinstance(event, Inbound)] == [
        "blocked",
        "unblocked",
    ]


@pytest.mark.parametrize("kind", ["text", "media", "sticker", "location", "unsupported"])
def test_every_kind_of_message_is_read(line: WorldClient, desk: Desk, kind: str) -> None:
    line.say("line", "Words", kind=kind)
    (event,) = heard(desk)
    assert isinstance(event, Inbound)
    assert event.kind == (Kind.MEDIA if kind == "sticker" else kind)


def test_a_reply_token_is_good_once(line: WorldClient, desk: Desk) -> None:
    line.say("line", "Hello")
    (event,) = heard(desk)
    assert isinstance(event, Inbound)
    context = {**event.context, "at": str(round(time.time() * 1000))}
    assert isinstance(send(line, event.customer.id, "First", context=context), Sent)
    assert isinstance(send(line, event.customer.id, "Second", context=context), Sent)
    calls = [(entry.method, entry.status) for entry in line.log() if entry.sends]
    assert calls == [("reply", 200), ("reply", 400), ("push", 200)]
    assert [shown.text for shown in line.phone("line") if shown.direction == "out"] == ["First", "Second"]


def test_a_key_is_taken_once(line: WorldClient, desk: Desk) -> None:
    line.say("line", "Hello")
    (event,) = heard(desk)
    assert isinstance(event, Inbound)
    first, second = (send(line, event.customer.id, tag="row 1") for _ in range(2))
    assert first == second
    assert len([shown for shown in line.phone("line") if shown.direction == "out"]) == 1


def test_who_blocked_us_hears_nothing_and_we_are_told_nothing(line: WorldClient, desk: Desk) -> None:
    line.say("line", "Hello")
    line.say("line", kind="block")
    event = heard(desk)[0]
    assert isinstance(event, Inbound)
    assert isinstance(send(line, event.customer.id), Sent)
    assert [shown.direction for shown in line.phone("line")] == ["in"]


def test_strangers_are_refused(line: WorldClient) -> None:
    assert send(line, "U" + "f" * 32) == NotSent(problem=Problem.UNREACHABLE, code="400")


@pytest.mark.parametrize(
    ("body", "property"),
    [
        ({"messages": []}, "messages"),
        ({"messages": texts(*"123456")}, "messages"),
        ({"messages": [{"type": "video"}]}, "messages[0].type"),
        ({"messages": texts(" ")}, "messages[0].text"),
        ({"messages": texts("x" * 5001)}, "messages[0].text"),
        (
            {"messages": [{"type": "image", "originalContentUrl": "ftp://x"}]},
            "messages[0].originalContentUrl",
        ),
    ],
)
def test_a_message_that_line_would_not_take_is_refused(
    line: WorldClient, body: dict[str, Any], property: str
) -> None:
    answer = push(line, {"to": "U1", **body})
    assert answer.status == 400
    assert answer.json["details"][0]["property"] == property


def test_keys_and_tokens_are_checked(line: WorldClient) -> None:
    body = {"to": "U1", "messages": texts("x")}
    assert push(line, body, **{"x-line-retry-key": "not-a-uuid"}).status == 400
    assert (
        push(line, body, **{"x-line-retry-key": str(uuid.uuid4()), "authorization": "Bearer x"}).status == 401
    )


def test_the_month_ends(line: WorldClient, desk: Desk) -> None:
    line.say("line", "Hello")
    (event,) = heard(desk)
    assert isinstance(event, Inbound)
    spent = LOCAL_BOT.model_copy(update={"webhook_url": f"{desk.url}/line", "quota": 1})
    line.setup(Setup(accounts=(spent.at("line"),)))
    assert isinstance(send(line, event.customer.id), Sent)
    assert send(line, event.customer.id) == NotSent(problem=Problem.RECONNECT, code="429 monthly")


def test_it_is_connected_and_examined(line: WorldClient, desk: Desk) -> None:
    url, http = f"{desk.url}/line", Http(line.url)
    assert [account.id for account in LINE.probe(CONNECTION, http).accounts] == [LOCAL_BOT.id]
    assert "Use webhook" not in LINE.register(CONNECTION, url, http)
    assert LINE.examine(CONNECTION, url, http) == ()
    assert heard(desk)  # LINE's trial
    off = LOCAL_BOT.model_copy(update={"webhook_url": url, "subscribed": False})
    line.setup(Setup(accounts=(off.at("line"),)))
    assert [finding.code for finding in LINE.examine(CONNECTION, url, http)] == ["not_subscribed"]
    assert line.say("line", "Hello").statuses == ()


def test_an_act_that_line_does_not_know_is_named(line: WorldClient) -> None:
    with pytest.raises(WorldError, match="postcard"):
        line.say("line", kind="postcard")
