"""Webhooks are retried, repeated and kept in order; nothing is lost, also between runs."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.world.client import WorldClient
from infra.world.model import Options, Setup
from infra.world.server import World
from sportello.channels.http import Http
from sportello.channels.signatures import equal, hmac_sha256_hex
from tests.unit.world.calls import (
    APP_SECRET,
    HOOK,
    NUMBER,
    TOKEN,
    Desk,
    bot_call,
    graph,
    options,
    set_up,
    slack_post,
    text_to,
)


def test_refused_webhooks_are_tried_again_and_hold_up_their_chat(world: WorldClient, desk: Desk) -> None:
    options(world, retries=(0.05, 0.1, 0.2))
    desk.statuses = [503, 503]
    assert world.say("telegram", "Uno").status == 503
    assert world.say("telegram", "Due").status == 0
    world.settle()
    texts = [update["message"]["text"] for update in desk.telegram()]
    assert texts == ["Uno", "Uno", "Uno", "Due"]
    tries = [(entry.attempt, entry.status) for entry in world.log() if entry.direction == "webhook"]
    assert tries == [(1, 503), (2, 503), (3, 200), (1, 200)]


def test_retries_end(world: WorldClient, desk: Desk) -> None:
    options(world, retries=(0.01, 0.01, 0.01))
    desk.statuses = [500] * 4
    world.say("whatsapp", "Salve")
    world.settle()
    assert len(desk.requests) == 4
    assert len({body for _, _, body in desk.requests}) == 1


def test_copies_redelivery_and_requests_for_shuffling(world: WorldClient, desk: Desk) -> None:
    said = world.say("whatsapp", "Salve", copies=3)
    assert said.statuses == (200, 200, 200)
    assert world.redeliver(said.id).statuses == (200,)
    assert len({(headers["x-hub-signature-256"], body) for _, headers, body in desk.requests}) == 1
    built = world.say("whatsapp", "Più tardi", deliver=False)
    assert built.statuses == ()
    assert built.request is not None
    signature = built.request.headers["X-Hub-Signature-256"]
    assert equal(f"sha256={hmac_sha256_hex(APP_SECRET, built.request.body.encode())}", signature)
    assert len(desk.requests) == 4
    assert [item.text for item in world.phone("whatsapp")] == ["Salve", "Più tardi"]


def test_names_keep_their_ids_and_strangers_differ(world: WorldClient) -> None:
    people = [f"Customer {number}" for number in range(500)]
    first = [world.say("whatsapp", "x", name, deliver=False).address for name in people]
    again = [world.say("whatsapp", "x", name, deliver=False).address for name in reversed(people)]
    assert again[::-1] == first
    assert len(set(first)) == 500
    assert world.say("whatsapp", "x", first[7], deliver=False).address == first[7]
    assert len(world.phone("whatsapp", "Customer 7")) == 3


def test_nothing_is_lost_under_load(world: WorldClient) -> None:
    options(world, receipts="off", telegram_burst=100_000)
    people = [f"Customer {number}" for number in range(16)]
    chats = {name: world.say("telegram", "Salve", name).address for name in people}

    def write(name: str) -> list[int]:
        http = Http(world.url)
        url = f"https://api.telegram.org/bot{TOKEN}/sendMessage"
        bodies = ({"chat_id": chats[name], "text": f"{number}"} for number in range(125))
        return [http.request("POST", url, json_body=body).json["result"]["message_id"] for body in bodies]

    with ThreadPoolExecutor(16) as pool:
        ids = dict(zip(people, pool.map(write, people), strict=True))
    sent = [entry for entry in world.log() if entry.method == "sendMessage"]
    assert len(sent) == 2000
    assert [entry.n for entry in sent] == sorted({entry.n for entry in sent})
    for name in people:
        shown = [item for item in world.phone("telegram", name) if item.direction == "out"]
        assert [int(item.id) for item in shown] == ids[name]
        assert [item.text for item in shown] == [str(number) for number in range(125)]


def test_log_holds_no_token_and_counts_on(world: WorldClient) -> None:
    bot_call(world, "getMe")
    before = world.log()[-1].n
    bot_call(world, "getWebhookInfo")
    (entry,) = world.log(since=before)
    assert (entry.n, entry.method) == (before + 1, "getWebhookInfo")
    assert TOKEN not in json.dumps([entry.model_dump() for entry in world.log()])


def test_hostile_bodies_get_an_answer(world: WorldClient) -> None:
    http = Http(world.url)
    hostile = [b"", b"null", b"[" * 100_000, b"\xff\xfe", b'{"text": "\\ud800", "chat_id": {"a": []}}']
    urls = [
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"https://graph.facebook.com/v26.0/{NUMBER}/messages",
        f"https://hooks.slack.com{HOOK}",
    ]
    headers = {"content-type": "application/json", "authorization": "Bearer wa-token"}
    statuses = [
        http.request("POST", url, body=body, headers=headers).status for url in urls for body in hostile
    ]
    assert set(statuses) <= {200, 400}
    assert len(world.log()) == len(statuses)


def test_a_restarted_world_knows_its_phones(desk: Desk, tmp_path: Path) -> None:
    with World(state_dir=tmp_path) as first:
        client = first.client()
        client.setup(set_up(desk))
        client.clock(5_000)
        said = client.say("telegram", "Salve")
        slack_post(client, {"text": "\ud800 mezzo"})
        client.close()
    with World(state_dir=tmp_path) as second:
        client = second.client()
        assert [item.text for item in client.phone("telegram")] == ["Salve"]
        assert bot_call(client, "sendMessage", chat_id=said.address, text="Eccoci").status == 200
        assert client.redeliver(said.id).statuses == (200,)
        assert abs(int(client.health()["now"]) - time.time() * 1000 - 5_000) < 2_000
        client.reset()
        assert (client.phone("telegram"), client.slack(), client.log()) == ([], {}, [])
        assert client.say("telegram", "Di nuovo").status == 200
        client.close()
    assert desk.telegram()[-1]["update_id"] == desk.telegram()[0]["update_id"] + 1


def test_an_unreadable_state_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"phones": ')
    with World(state_dir=tmp_path) as world:
        client = world.client()
        assert client.log() == []
        client.close()
    assert (tmp_path / "world.unreadable").read_text() == '{"phones": '


def test_the_command_prints_its_url_and_ends_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.world", "--port", "0", "--state", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        client = WorldClient(running.stdout.readline().strip())
        assert client.health()["ok"] is True
        client.setup(Setup(slack=(HOOK,)))
        client.close()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=10) == 0
    assert HOOK in (tmp_path / "world.json").read_text()


def test_options_not_named_stay(world: WorldClient) -> None:
    assert Options().retries == (0.3, 1.0, 3.0)
    options(world, receipts="read")
    options(world, telegram_burst=5)
    address = world.say("whatsapp", "Salve").address
    graph(world, text_to(address))
    world.settle()
    assert world.phone("whatsapp")[-1].status == "read"
