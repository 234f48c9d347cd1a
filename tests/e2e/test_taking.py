"""A call at night, from the notice's button to the page, and nobody is paged again; a wave is one notice."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from infra.local_desk import SLACK_PATH
from infra.world.model import SlackPost
from sportello.aws import clock, items, together
from sportello.aws.environment import environment
from sportello.domain import keys
from sportello.domain.message import Escalation, Why
from sportello.domain.model import MINUTE, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services.reply import look
from tests.e2e.stage import Customer, Stage, stays, wait_for

NIGHT = "2026-11-23 22:15"
WAVE = 500


@pytest.fixture
def browser() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False, timeout=20.0)


def button(stage: Stage, customer: Customer) -> str:
    """Where the newest notice's button leads."""
    posts = [post for post in stage.desk.client.slack()[SLACK_PATH] if customer.name in post.text]
    (link,) = [element["url"] for element in actions(posts[-1])]
    found: str = link
    return found


def actions(post: SlackPost) -> list[dict[str, Any]]:
    return [
        element
        for block in post.payload["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def hidden(html: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', html)
    return {name: unescape(value) for name, value in found}


def test_asking_for_a_person_at_night_until_somebody_takes_it(
    stage: Stage, browser: urllib3.PoolManager
) -> None:
    stage.at(NIGHT)
    customer = stage.customer("whatsapp")
    customer.say("Vorrei parlare con un operatore: è urgente")
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "Slack and the mailbox")
    url = button(stage, customer)
    assert "/take/" in customer.letters()[0]
    stage.settle()
    before = look(customer.thread.id)

    for _ in range(2):
        page = browser.request("GET", url)
        assert page.status == 200
        assert customer.name in page.data.decode()
    assert look(customer.thread.id) == before, "previews and scanners open links"

    fields = hidden(page.data.decode()) | {"name": "Anna"}
    form = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    taken = browser.request("POST", url, body=urlencode(fields), headers=form)
    assert taken.status == 200, taken.data
    assert customer.thread.claimed_by == "Anna"
    assert "Anna" in browser.request("GET", url).data.decode()

    for later in ("2026-11-23 22:45", "2026-11-23 23:59"):
        stage.at(later)
        stage.sweep()
    stays(lambda: len(customer.posts()) == 1, "nobody is paged any more", 2.0)

    stage.at("2026-11-24 03:00")  # and the customer has still heard from nobody
    stage.sweep()
    wait_for(lambda: len(customer.posts()) == 2, "the team is told again")
    assert customer.thread.claimed_by == ""
    assert "Anna" not in browser.request("GET", url).data.decode()


def test_a_link_that_was_bent_leads_nowhere(stage: Stage, browser: urllib3.PoolManager) -> None:
    stage.at(NIGHT)
    customer = stage.customer("telegram")
    customer.say("URGENTE")
    wait_for(lambda: len(customer.posts()) == 1, "Slack")
    url = button(stage, customer)
    bent = url[:-3] + ("A" if url[-3] != "A" else "B") + url[-2:]
    answer = browser.request("GET", bent)
    assert answer.status == 404
    assert customer.name not in answer.data.decode()


@dataclass
class Wave:
    """Complaints in public, written and queued as their webhooks would; the notifiers are the engine's."""

    stage: Stage
    rows: list[items.Item] = field(default_factory=list)
    kicks: list[dict[str, str]] = field(default_factory=list)

    def comes(self, many: int, lasts: Instant) -> None:
        began, drawn, run = self.stage.at("2026-11-24 10:00"), random.Random(11), str(clock.real_now())
        for number in range(many):
            self._one(number, run, began + drawn.randrange(lasts))
        self._write("PutRequest", [{"Item": row} for row in self.rows])
        sqs, url = self.stage.desk.deployed.client("sqs"), environment().escalation_queue_url
        for begin in range(0, many, 10):
            assert not sqs.send_message_batch(QueueUrl=url, Entries=self.kicks[begin : begin + 10]).get(
                "Failed"
            )

    def _one(self, number: int, run: str, at: Instant) -> None:
        thread = Thread(
            id=keys.thread_id(environment().id_salt, "wave", run, str(number)),
            rev=1,
            channel="instagram",
            connection="main",
            account="17841400000000001",
            to=f"wave-{number}",
            name=f"Customer of the wave {number}",
            team="care",
            created=at,
            owed_since=at,
            first="Vergogna!",
            public=True,
            level=1,
            paged=at,
        )
        key = keys.effect_key(keys.message_key(at, None, keys.message_hash(thread.id, "m")), "call")
        call = Escalation(key=key, team="care", whys=(Why(why=Reason.ANGRY, cause=key, at=at),))
        expires = items.seconds(clock.real_now(), 1)
        self.rows += [
            items.thread_item(thread.model_copy(update={"escalation": key}), expires),
            items.escalation_item(thread.id, call, expires),
        ]
        body = json.dumps({"v": 1, "thread": thread.id, "key": key})
        self.kicks.append({"Id": str(number), "MessageBody": body})

    def goes(self) -> None:
        """No webhook was answered for it: what looks for that at the end shall not find it."""
        gone = [{"Key": {"PK": row["PK"], "SK": row["SK"]}} for row in self.rows]
        self._write("DeleteRequest", gone)

    def _write(self, kind: str, requests: list[dict[str, Any]]) -> None:
        dynamodb, table = self.stage.desk.deployed.client("dynamodb"), environment().table
        for begin in range(0, len(requests), 25):
            batch = [{kind: request} for request in requests[begin : begin + 25]]
            assert not dynamodb.batch_write_item(RequestItems={table: batch})["UnprocessedItems"]

    def counted(self) -> int:
        row = together.read(together.of_team("care", keys.wave_key("complaint-public")))
        found: int = row.get("conversations", 0)
        return found


@pytest.fixture
def wave(stage: Stage) -> Iterator[Wave]:
    wave = Wave(stage)
    yield wave
    wave.goes()


def test_five_hundred_complaints_in_ten_minutes_are_one_incident(stage: Stage, wave: Wave) -> None:
    posts = len(stage.desk.client.slack().get(SLACK_PATH, ()))
    wave.comes(WAVE, 10 * MINUTE)
    wait_for(lambda: wave.counted() == WAVE, "all are counted", 120.0, lambda: str(wave.counted()))

    def new(words: str) -> list[SlackPost]:
        found = stage.desk.client.slack().get(SLACK_PATH, [])[posts:]
        return [post for post in found if words in post.text.splitlines()[0]]

    wait_for(lambda: bool(new("conversazioni in")), "the incident is told")  # its kick stood behind theirs
    stays(lambda: len(new("conversazioni in")) == 1, "it is told once", 2.0)
    told, alone = new("conversazioni in"), new("Customer of the wave")
    assert "i clienti protestano, in pubblico" in told[0].text
    assert len(alone) < 20
