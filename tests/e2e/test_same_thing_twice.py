"""500 messages of 40 customers, each delivered up to four times, shuffled, by 16 threads at once.

Half of them come in while the desk is closed, and people answer in between.
"""

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from infra.world.model import ChannelName, Webhook
from sportello.domain.message import ENDED, Message, State
from sportello.domain.model import SECOND, Instant
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread
from sportello.services import reply
from tests.e2e.invariants import assert_invariants
from tests.e2e.stage import CHANNELS, Customer, Rows, Stage

CUSTOMERS = 40
MESSAGES = 500
THREADS = 16
TRIES = 5
CLOSED, OPEN = "2026-11-30 20:15", "2026-12-01 09:30"
ANSWERED = 16
"""Customers whom people answer while their messages come in."""


@dataclass(frozen=True)
class Written:
    """One message as its customer wrote it."""

    customer: Customer
    text: str
    at: Instant
    webhook: Webhook


@dataclass
class Storm:
    stage: Stage
    customers: Sequence[Customer]
    written: list[Written] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    copies: int = 0
    seen: dict[str, set[str]] = field(default_factory=dict)
    """Keys that had been shown to people when they answered, by thread."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Thread and text of every reply."""

    def write(self, local: str, count: int, dice: random.Random) -> list[Written]:
        """Each customer writes one message a second, in the seconds before that time."""
        start = self.stage.at(local) - count // len(self.customers) * 2 * SECOND
        turns = [customer for _ in range(count // len(self.customers) + 1) for customer in self.customers]
        fresh: list[Written] = []
        for number, customer in enumerate(turns[:count]):
            at = start + number // len(self.customers) * SECOND
            text = f"Messaggio {len(self.written) + 1} di {customer.name}, dov'è il mio pacco?"
            said = customer.say(text, at=at, deliver=False)
            assert said.request is not None
            fresh.append(Written(customer, text, at, said.request))
            self.written.append(fresh[-1])
        dice.shuffle(fresh)
        return fresh

    def break_loose(self, fresh: Sequence[Written], dice: random.Random) -> None:
        """Every copy by one of 16 threads; what is not accepted comes again, as the platforms do."""
        copies = [message.webhook for message in fresh for _ in range(dice.randint(1, 4))]
        dice.shuffle(copies)
        self.copies += len(copies)
        asked = dice.sample(self.customers, ANSWERED)
        with ThreadPoolExecutor(THREADS + 1) as pool:
            deliveries = [pool.submit(self.deliver, webhook) for webhook in copies]
            people = pool.submit(self.answer_some, asked, deliveries)
            statuses = {delivery.result() for delivery in deliveries}
            people.result()
        assert statuses == {200}, self.statuses

    def deliver(self, webhook: Webhook) -> int:
        for _ in range(TRIES):
            status = self.stage.deliver(webhook)
            self.statuses[status] += 1
            if status == 200:
                break
        return status

    def answer_some(self, asked: Sequence[Customer], deliveries: Sequence[Future[int]]) -> None:
        """People look at a thread and answer what they saw, spread over the time that it takes."""
        for number, customer in enumerate(asked, 1):
            deliveries[len(deliveries) * number // (len(asked) + 1)].result()
            for thread in self.stage.scan().threads.values():
                if thread.name == customer.name:
                    self.answer(thread.id, f"Risposta {len(self.answers) + 1} per {customer.name}")

    def answer(self, thread: str, text: str) -> None:
        view = reply.look(thread)
        shown = {message.key for message in view.messages}
        reply.reply(self.stage.person(), thread, text, seen=view.thread.last_in)
        self.seen.setdefault(thread, set()).update(shown)
        self.answers.append((thread, text))


@pytest.fixture(scope="module")
def storm(the_desk: Stage) -> Storm:
    the_desk.use()
    dice = random.Random(20261121)
    channels: list[ChannelName] = [CHANNELS[number % 2] for number in range(CUSTOMERS)]
    storm = Storm(the_desk, [the_desk.customer(channel) for channel in channels])
    for local in (CLOSED, OPEN):
        fresh = storm.write(local, MESSAGES // 2, dice)
        storm.break_loose(fresh, dice)
    the_desk.settle(60)
    return storm


@pytest.fixture(scope="module")
def rows(storm: Storm) -> Rows:
    """What the storm has left in the table, of its own threads."""
    every = storm.stage.scan()
    names = {customer.name for customer in storm.customers}
    threads = {id: thread for id, thread in every.threads.items() if thread.name in names}
    messages = {id: rows for id, rows in every.messages.items() if id in threads}
    return Rows(threads, messages, {}, {})


def inbound(messages: Sequence[Message]) -> list[Message]:
    return [message for message in messages if message.direction == "in"]


def test_each_message_is_stored_exactly_once(storm: Storm, rows: Rows) -> None:
    assert storm.copies > 2 * MESSAGES, "there were not many copies"
    stored = Counter(message.text for messages in rows.messages.values() for message in inbound(messages))
    assert stored == Counter(message.text for message in storm.written)
    assert len(stored) == MESSAGES
    assert len(rows.threads) == CUSTOMERS


def test_messages_stand_in_the_order_of_the_platform(storm: Storm, rows: Rows) -> None:
    for thread in rows.threads.values():
        mine = [message for message in storm.written if message.customer.name == thread.name]
        in_order = [message.text for message in sorted(mine, key=lambda message: message.at)]
        assert [message.text for message in inbound(rows.messages[thread.id])] == in_order
        shown = [message for message in reply.look(thread.id).messages if message.direction == "in"]
        assert [message.text for message in shown] == in_order


def test_the_hours_are_told_once_before_the_opening(storm: Storm, rows: Rows) -> None:
    told = 0
    for customer in storm.customers:
        hours = [text for text in customer.heard() if "domani alle 9:00" in text]
        assert len(hours) <= 1, customer.name
        told += len(hours)
    assert told > CUSTOMERS - ANSWERED, "the hours were hardly told"
    for messages in rows.messages.values():
        assert len([row for row in messages if row.say == "closed"]) <= 1


def test_no_automatic_voice_after_a_person(storm: Storm, rows: Rows) -> None:
    """By the rows: the first answer of the evening is later than any automatic reply that was made."""
    silent = 0
    for thread in rows.threads.values():
        people = [row.arrived for row in rows.messages[thread.id] if row.author == "person"]
        automatic = [row for row in rows.messages[thread.id] if row.author == "automatic"]
        for row in automatic:
            if people and row.arrived > min(people):
                assert row.state is State.CANCELLED, row
        silent += bool(people)
    assert silent >= ANSWERED


def test_nothing_is_settled_that_nobody_had_seen(storm: Storm, rows: Rows) -> None:
    """A thread owes exactly where a message is unseen; a race leaves the debt on the safe side."""
    owing = settled = 0
    for thread in rows.threads.values():
        asks = [message for message in inbound(rows.messages[thread.id]) if message.owes]
        unseen = [message for message in asks if message.key not in storm.seen.get(thread.id, ())]
        if unseen:
            assert thread.owes, f"{thread.id}: {unseen} are unseen and nothing is owed"
            assert thread.owed_since is not None
            assert thread.owed_since <= max(message.time for message in unseen)
        owing += bool(unseen)
        settled += not thread.owes
    assert owing > 0


def test_the_inbox_lists_exactly_who_is_owed(storm: Storm, rows: Rows) -> None:
    team = storm.stage.person().desk.default_team
    listed = {entry["thread"] for entry in owing_of(storm.stage, team)}
    mine = listed & rows.threads.keys()
    assert mine == {thread.id for thread in rows.threads.values() if thread.owes}
    assert mine


def owing_of(stage: Stage, team: str) -> list[dict[str, str]]:
    answer = stage.desk.deployed.client("dynamodb").query(
        TableName=stage.desk.deployed.outputs["TableName"],
        IndexName="inbox",
        KeyConditionExpression="inbox = :team",
        ExpressionAttributeValues={":team": {"S": team}},
    )
    return [{"thread": item["PK"]["S"][2:]} for item in answer["Items"]]


def test_each_answer_arrived_once_and_in_order(storm: Storm, rows: Rows) -> None:
    assert len(storm.answers) > ANSWERED
    for customer in storm.customers:
        mine = [text for _, text in storm.answers if text.endswith(f"per {customer.name}")]
        assert [text for text in customer.heard() if text.startswith("Risposta")] == mine
    for messages in rows.messages.values():
        assert all(row.state in ENDED for row in messages if row.state is not None)


def test_an_answer_that_saw_everything_settles(storm: Storm, rows: Rows) -> None:
    """The quiet afterwards: who answers now has seen all, and the debt is gone."""
    thread = next(thread for thread in rows.threads.values() if thread.owes)
    storm.answer(thread.id, f"Risposta {len(storm.answers) + 1} per {thread.name}")
    after: Thread = storm.stage.scan().threads[thread.id]
    assert not after.owes
    last = [row for row in storm.stage.scan().messages[thread.id] if row.author == "person"][-1]
    assert Reason.SETTLED in last.why


def test_the_invariants_hold_after_the_storm(storm: Storm) -> None:
    storm.stage.settle(60)
    assert_invariants(storm.stage)
