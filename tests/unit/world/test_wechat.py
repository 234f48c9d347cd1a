"""WeChat's stand-in refuses, tells and shows what WeChat does; our channel on the other side of the wire."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from infra.world.client import WorldClient, WorldError
from infra.world.model import Setup
from infra.world.wechat_account import LOCAL_ACCOUNT, WeChatAccount
from sportello.channels import wechat_api
from sportello.channels.base import (
    Attachment,
    Button,
    ConnectError,
    Connection,
    MediaGone,
    NotSent,
    Outbound,
    Problem,
    Request,
    Sent,
)
from sportello.channels.fetch import fetch
from sportello.channels.http import Answer, Http
from sportello.channels.wechat import WeChat
from sportello.domain.events import Inbound, Kind, Media, PlatformEvent
from sportello.domain.model import HOUR, MINUTE
from tests.unit.world.calls import Desk

WECHAT = WeChat()


def connection_of(account: WeChatAccount) -> Connection:
    settings = {"app_id": account.app_id, "original_id": account.id, "mode": account.mode}
    return Connection.model_validate(
        {
            "name": "main",
            "secrets": [account.token],
            "token": account.app_secret,
            "accounts": [{"id": account.id}],
            "settings": settings | ({"aes_key": account.aes_key} if account.aes_key else {}),
        }
    )


CONNECTION = connection_of(LOCAL_ACCOUNT)


def set_up(world: WorldClient, desk: Desk, **changes: Any) -> WeChatAccount:
    account = LOCAL_ACCOUNT.model_copy(update={"webhook_url": f"{desk.url}/wechat", **changes})
    world.setup(Setup(accounts=(account.at("wechat"),)))
    return account


@pytest.fixture
def wechat(world: WorldClient, desk: Desk) -> Iterator[WorldClient]:
    set_up(world, desk)
    wechat_api.forget_tokens()
    yield world
    wechat_api.forget_tokens()


def heard(desk: Desk, connection: Connection = CONNECTION) -> list[PlatformEvent]:
    """Everything that reached us, verified and read."""
    events: list[PlatformEvent] = []
    for address, headers, body in desk.requests:
        path, _, query = address.partition("?")
        assert path == "/wechat"
        request = Request(method="POST", query=dict(parse_qsl(query)), headers=headers, body=body)
        assert WECHAT.verify(request, connection)
        events += WECHAT.parse(request, connection)
    return events


def http(world: WorldClient) -> Http:
    return Http(world.url, read_seconds=5)


def send(world: WorldClient, to: str, text: str = "明天九点", **more: Any) -> Any:
    message = Outbound(account=LOCAL_ACCOUNT.id, to=to, text=text, tag="T1~reply", **more)
    return WECHAT.send(message, CONNECTION, http(world))


def call(world: WorldClient, path: str, body: Any) -> Answer:
    token = wechat_api.access_token(http(world), CONNECTION)
    url = f"https://api.weixin.qq.com/cgi-bin/{path}?access_token={token}"
    if isinstance(body, bytes):
        return http(world).request("POST", url, body=body)
    return http(world).request("POST", url, json_body=body)


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_a_conversation(wechat: WorldClient, desk: Desk, mode: str) -> None:
    set_up(wechat, desk, mode=mode)
    said = wechat.say("wechat", "请问几点开门？", "Customer One")
    assert send(wechat, said.address, buttons=(Button(id="person", title="人工"),)) == Sent(id="T1~reply")
    wechat.say("wechat", kind="button", button="人工")
    text, tap = heard(desk)
    assert isinstance(text, Inbound)
    assert (text.text, text.customer.address, text.account) == (
        "请问几点开门？",
        said.address,
        LOCAL_ACCOUNT.id,
    )
    assert isinstance(tap, Inbound)
    assert (tap.kind, tap.payload, tap.text) == (Kind.BUTTON, "person", "人工")
    assert [shown.text for shown in wechat.phone("wechat")] == ["请问几点开门？", "明天九点", "人工"]


def test_plain_mode(wechat: WorldClient, desk: Desk) -> None:
    account = set_up(wechat, desk, mode="plain", aes_key="")
    wechat.say("wechat", "ciao ]]> ciao")
    (text,) = heard(desk, connection_of(account))
    assert isinstance(text, Inbound)
    assert text.text == "ciao ]]> ciao"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("media", Kind.MEDIA),
        ("location", Kind.LOCATION),
        ("link", Kind.TEXT),
        ("unsupported", Kind.UNSUPPORTED),
        ("start", Kind.START),
        ("scan", Kind.START),
        ("menu", Kind.BUTTON),
        ("block", Kind.SERVICE),
        ("unblock", Kind.START),
    ],
)
def test_what_customers_do_is_read(wechat: WorldClient, desk: Desk, kind: str, found: Kind) -> None:
    wechat.say("wechat", "x", kind=kind)
    (event,) = heard(desk)
    assert isinstance(event, Inbound)
    assert event.kind is found


def test_only_the_word_success_is_taken(wechat: WorldClient, desk: Desk) -> None:
    """The function of these tests answers with an empty body, which WeChat takes as well."""
    said = wechat.say("wechat", "ciao")
    assert said.statuses == (200,)
    wechat.settle()
    assert len(desk.requests) == 1


def test_five_messages_follow_one_of_theirs(wechat: WorldClient) -> None:
    said = wechat.say("wechat", "ciao")
    assert all(isinstance(send(wechat, said.address), Sent) for _ in range(5))
    assert send(wechat, said.address) == NotSent(problem=Problem.WINDOW_CLOSED, code="45047")
    wechat.say("wechat", "ancora")
    assert isinstance(send(wechat, said.address), Sent)


@pytest.mark.parametrize(("kind", "window"), [("text", 48 * HOUR), ("menu", MINUTE), ("start", MINUTE)])
def test_the_window_depends_on_what_they_did(wechat: WorldClient, kind: str, window: int) -> None:
    said = wechat.say("wechat", "x", kind=kind)
    assert isinstance(send(wechat, said.address), Sent)
    wechat.clock(window + 1000)
    assert send(wechat, said.address) == NotSent(problem=Problem.WINDOW_CLOSED, code="45015")


def test_who_left_or_never_came_cannot_be_reached(wechat: WorldClient) -> None:
    assert send(wechat, "oNobody") == NotSent(problem=Problem.UNREACHABLE, code="40003")
    said = wechat.say("wechat", "ciao")
    wechat.say("wechat", kind="block")
    assert send(wechat, said.address) == NotSent(problem=Problem.WINDOW_CLOSED, code="45015")


def test_a_token_that_ended_is_renewed_by_itself(wechat: WorldClient) -> None:
    said = wechat.say("wechat", "ciao")
    assert isinstance(send(wechat, said.address), Sent)
    wechat.clock(3 * HOUR)  # the platform's clock, not ours: our copy looks good still
    assert isinstance(send(wechat, said.address), Sent)
    wechat.fault("wechat", "token_expired")
    assert isinstance(send(wechat, said.address), Sent)


def test_several_holders_share_one_token(wechat: WorldClient) -> None:
    first = wechat_api.access_token(http(wechat), CONNECTION)
    wechat_api.forget_tokens()
    assert wechat_api.access_token(http(wechat), CONNECTION) == first


@pytest.mark.parametrize(
    ("changes", "problem", "code"),
    [
        ({"listed": False}, Problem.RECONNECT, "40164"),
        ({"verified": False}, Problem.RECONNECT, "48001"),
        ({"app_secret": "changed"}, Problem.RECONNECT, "40125"),
        ({"app_id": "wx2"}, Problem.RECONNECT, "40013"),
    ],
)
def test_what_is_wrong_with_the_account_is_told(
    wechat: WorldClient, desk: Desk, changes: Any, problem: Problem, code: str
) -> None:
    said = wechat.say("wechat", "ciao")
    set_up(wechat, desk, **changes)
    assert send(wechat, said.address) == NotSent(problem=problem, code=code)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": {"content": "x" * 2049}}, 45002),
        ({"msgtype": "hologram"}, 40008),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"msgtype": "video", "video": {"media_id": "none"}}, 40008),
        (b"{", 47001),
    ],
)
def test_it_refuses_what_wechat_refuses(wechat: WorldClient, body: Any, number: int) -> None:
    said = wechat.say("wechat", "ciao")
    whole = {"touser": said.address, **body} if isinstance(body, dict) else body
    answer = call(wechat, "message/custom/send", whole)
    assert (answer.status, answer.json["errcode"]) == (200, number)


def test_escapes_are_shown_as_they_are(wechat: WorldClient) -> None:
    said = wechat.say("wechat", "ciao")
    message = {"touser": said.address, "msgtype": "text", "text": {"content": "明"}}
    body = json.dumps(message, ensure_ascii=True)
    assert call(wechat, "message/custom/send", body.encode()).json["errcode"] == 0
    assert wechat.phone("wechat")[-1].text == "\\u660e"


def test_files_in_both_directions(wechat: WorldClient, desk: Desk) -> None:
    said = wechat.say("wechat", "x", kind="media")
    wechat.say("wechat", "x", kind="media", media="video")
    for event in heard(desk):
        assert isinstance(event, Inbound)
        found = WECHAT.download(event.media[0], CONNECTION, http(wechat))
        fetched = fetch(found, WECHAT.media_hosts, rewrite=wechat.url)
        assert fetched.mime == ("video/mp4" if event.media[0].kind == "video" else "image/jpeg")
    with pytest.raises(MediaGone, match="40007"):
        WECHAT.download(Media(kind="image", id="none"), CONNECTION, http(wechat))
    file = Attachment(kind="image", mime="image/png", name="foto.png", size=4, content=b"\x89PNG")
    assert isinstance(send(wechat, said.address, attachment=file), Sent)
    picture, words = wechat.phone("wechat")[-2:]
    assert picture.file is not None
    assert (picture.file.name, picture.file.mime, picture.file.size) == ("foto.png", "image/png", 4)
    assert words.text == "明天九点"


def test_connecting(wechat: WorldClient, desk: Desk) -> None:
    assert WECHAT.probe(CONNECTION, http(wechat)).accounts[0].id == LOCAL_ACCOUNT.id
    assert WECHAT.examine(CONNECTION, "https://x", http(wechat)) == ()
    set_up(wechat, desk, verified=False, access_token="", access_ends=0)
    findings = WECHAT.examine(CONNECTION, "https://x", http(wechat))
    assert [finding.code for finding in findings] == ["not_allowed"]
    wechat_api.forget_tokens()
    set_up(wechat, desk, listed=False)
    with pytest.raises(ConnectError, match="IP whitelist"):
        WECHAT.probe(CONNECTION, http(wechat))
    known = WECHAT.profile(wechat.say("wechat", "ciao").address, CONNECTION, http(wechat))
    assert known is None


def test_the_language_is_told(wechat: WorldClient) -> None:
    said = wechat.say("wechat", "ciao")
    known = WECHAT.profile(said.address, CONNECTION, http(wechat))
    assert known is not None
    assert (known.name, known.language) == ("", "zh")


@pytest.mark.parametrize(
    ("kind", "problem", "wait"),
    [("429", Problem.BUSY, 60), ("quota", Problem.BUSY, 3600), ("busy", Problem.TEMPORARY, None)],
)
def test_it_fails_as_ordered(wechat: WorldClient, kind: str, problem: Problem, wait: float | None) -> None:
    said = wechat.say("wechat", "ciao")
    wechat.fault("wechat", kind)
    outcome = send(wechat, said.address)
    assert (outcome.problem, outcome.wait) == (problem, wait)
    assert isinstance(send(wechat, said.address), Sent)


def test_unknown_kinds_are_named(wechat: WorldClient) -> None:
    with pytest.raises(WorldError, match=r"known: .*text"):
        wechat.say("wechat", kind="hologram")
