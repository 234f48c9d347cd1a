"""Stand-ins are found by looking; what the world does for each of them alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.world.client import WorldClient, WorldError
from infra.world.discovery import stand_ins
from infra.world.model import OptionsChange, Person, PlatformAccount, Say, Setup, Webhook
from infra.world.server import STATE_FILE, World
from infra.world.telegram_bot import TelegramBot
from sportello.channels.base import Connection
from sportello.channels.http import Answer, Http
from tests.unit.world.calls import TOKEN, Desk, bot_call, set_up

CHANNELS = {kind.name: kind for kind in stand_ins() if kind.account_model}


def get(world: WorldClient, url: str, **headers: str) -> Answer:
    return Http(world.url, read_seconds=5).request("GET", url, headers=headers)


def test_every_module_with_a_stand_in_is_found_in_order() -> None:
    names = [kind.name for kind in stand_ins()]
    assert names == sorted(names)
    assert {"telegram", "whatsapp", "slack", "mail"} <= set(names)
    assert not {"slack", "mail"} & CHANNELS.keys()


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_s_local_account_makes_a_connection_of_ours(name: str) -> None:
    with World() as other:
        stand_in = other.channels[name]
        account = stand_in.local_account()
        stored = json.loads(json.dumps(stand_in.local_connection(account)))
        connection = Connection.model_validate({"name": "main"} | stored)
    assert account.id in {known.id for known in connection.accounts}
    assert len(json.dumps(stored)) < 4096
    assert stand_in.account_model is not None
    assert stand_in.account_model.model_validate(account.model_dump()) == account


@pytest.mark.parametrize("name", CHANNELS)
def test_people_differ_on_every_channel_and_are_found_by_their_address(name: str) -> None:
    with World() as other:
        people = [other.state.person(f"Customer {number}") for number in range(300)]
        addresses = [other.channels[name].address(person) for person in people]
        assert len(set(addresses)) == len(people)
        found = [other.state.known(address) for address in addresses]
        assert found == people
        assert [other.state.address(name, person.name) for person in people] == addresses


def test_unknown_channels_kinds_platforms_and_accounts_are_named(world: WorldClient) -> None:
    with pytest.raises(WorldError, match=r"'fax' is no channel here; known: .*telegram, .*whatsapp"):
        world.say("fax", "Salve")
    with pytest.raises(WorldError, match="no channel here"):
        world.phone("slack")
    with pytest.raises(WorldError, match=r"telegram has no kind 'moved'; known: .*sticker, text"):
        world.say("telegram", kind="moved")
    with pytest.raises(WorldError, match=r"no platform 'fax' here; known: .*mail"):
        world.fault("fax", "500")
    with pytest.raises(WorldError, match="no telegram account 9; known: 110001"):
        world.say("telegram", "Salve", account="9")
    with pytest.raises(WorldError, match="no channel here"):
        world.setup(Setup(accounts=({"channel": "fax", "id": "1"},)))
    with pytest.raises(WorldError, match="token: Field required"):
        world.setup(Setup(accounts=({"channel": "telegram", "id": "1", "username": "x"},)))
    assert world.channels()["telegram"] == ["110001"]


def test_accounts_outlive_a_reset_and_a_restart(desk: Desk, tmp_path: Path) -> None:
    with World(state_dir=tmp_path) as first:
        client = first.client()
        client.setup(set_up(desk))
        bot_call(client, "setWebhook", url=f"{desk.url}/moved", secret_token="new")
        client.reset()
        client.close()
    with World(state_dir=tmp_path) as second:
        bot: TelegramBot = second.state.account("telegram")
        assert (bot.webhook_url, bot.secret, bot.business[0].id) == (f"{desk.url}/moved", "new", "bc-1")


def test_a_customer_s_file_lies_at_its_address(world: WorldClient) -> None:
    url = "https://cdn.example.com/a/photo.jpg"
    assert get(world, url).status == 404
    world.file(url, mime="image/jpeg")
    photo = get(world, f"{url}?signature=x")
    assert (photo.status, photo.headers["content-type"]) == (200, "image/jpeg")
    assert photo.body.startswith(b"\xff\xd8\xff")
    world.file(url, mime="image/jpeg", size=3_000_001)
    large = get(world, url)
    assert len(large.body) == int(large.headers["content-length"]) == 3_000_001
    world.file(url, size=200_000, chunked=True)
    untold = get(world, url)
    assert (len(untold.body), "content-length" in untold.headers) == (200_000, False)
    world.file(url, redirect="https://elsewhere.example.com/")
    moved = get(world, url)
    assert (moved.status, moved.headers["location"]) == (302, "https://elsewhere.example.com/")
    world.file(url, status=410)
    assert get(world, url).status == 410
    world.file(url, authorization="Bearer t")
    assert get(world, url).status == 401
    assert get(world, url, authorization="Bearer t").status == 200


def test_fetching_a_file_can_be_told_to_fail(world: WorldClient) -> None:
    url = "https://cdn.example.com/a/photo.jpg"
    world.file(url, channel="telegram", mime="image/jpeg")
    world.fault("telegram", "500", method="file")
    assert [get(world, url).status for _ in range(2)] == [500, 200]


def test_a_file_is_as_the_customer_s_act_asks(world: WorldClient, desk: Desk) -> None:
    world.say("telegram", kind="media", media="document", more={"size": "30000000"})
    document = desk.telegram()[0]["message"]["document"]
    assert document["file_size"] == 30_000_000
    refused = bot_call(world, "getFile", file_id=document["file_id"])
    assert refused.json["description"] == "Bad Request: file is too big"
    assert TOKEN not in json.dumps([entry.model_dump() for entry in world.log()])


class Letterbox:
    """A channel without webhooks: it puts what customers write where we look."""

    name = "letterbox"
    account_model = PlatformAccount

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.full = True

    def addresses(self, person: Person) -> tuple[str, ...]:
        return (f"{person.number}@letterbox.example",)

    def say(self, say: Say) -> tuple[Webhook, str]:
        webhook = Webhook(
            id="letter-1",
            channel=self.name,
            account="1",
            address="",
            url="",
            headers={},
            body="/w==",
            body_base64=True,
        )
        return webhook, ""

    def deliver(self, webhook: Webhook) -> int:
        if self.full:
            self.full = False
            raise OSError("full")
        self.taken.append(webhook.content)
        return 202

    def accepts(self, status: int, body: str) -> bool:
        return status == 202


def test_a_channel_can_deliver_in_its_own_way_and_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    with World() as world:
        box: Any = Letterbox()
        world.state.channels[box.name] = box
        monkeypatch.setitem(world._control._stand_ins, box.name, box)
        world._postman.platforms = {**world._postman.platforms, box.name: box}
        client = world.client()
        client.setup(Setup(options=OptionsChange(retries=(0.01,))))
        assert client.say(box.name, "x").status == 0
        client.settle()
        client.close()
    assert box.taken == [b"\xff"]


def test_a_world_that_cannot_read_its_past_says_so(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text('{"of": "another version"}')
    with World(0, tmp_path) as world:
        assert world.forgot
        assert world.client().channels()
    assert (tmp_path / STATE_FILE).with_suffix(".unreadable").exists()
    with World(0, tmp_path) as world:
        assert not world.forgot
