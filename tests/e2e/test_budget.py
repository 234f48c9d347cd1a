"""The budget of every webhook, in calls and capacity units.

Items are at most 1 KB where nothing else is said. The desk is open, unless a test closes it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from infra.bundle import load
from infra.engine.package import TEMPLATES
from infra.world.model import ChannelName, Webhook
from sportello.aws import items
from sportello.aws.clock import real_now
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.message import Message
from sportello.domain.model import DAY, MINUTE
from sportello.domain.on_consulted import TIER_MOST
from sportello.domain.reasons import LETTERS, Reason
from sportello.domain.thread import Thread
from sportello.services import desk as desk_seam
from sportello.services import guidelines, reply, rows, threads
from tests.e2e.meter import Cost, Meter, changed
from tests.e2e.stage import CHANNELS, ROME, Customer, Stage

ASKED = "Dov'è il mio pacco?"
"""Asks for an answer, and calls nobody."""


@pytest.fixture(scope="module")
def metered(the_desk: Stage) -> Iterator[Meter]:
    the_desk.desk.client.clock(0)
    yield Meter(the_desk)
    the_desk.use()


@pytest.fixture
def meter(metered: Meter) -> Meter:
    use(hours="24/7")
    return metered


def use(**changes: Any) -> Desk:
    """Without frequent questions, where no test brings them: what the outside is asked costs extra."""
    bundle = load(TEMPLATES)
    plain = {"exceptions": (), "holidays": "", "faq_words": frozenset()}
    desk = bundle.desk.model_copy(update=plain | changes)
    desk_seam.use(desk, bundle.texts, bundle.faq)
    guidelines.use(bundle.guidelines)
    return desk


def close() -> None:
    """Closed for the next hours, whenever this runs."""
    now = datetime.now(ROME)
    start = (now.hour + 12) % 24
    use(hours=f"Mo-Su {start:02d}:00-{start:02d}:30")


def writes(customer: Customer, text: str = ASKED, **more: Any) -> Webhook:
    said = customer.stage.desk.client.say(customer.channel, text, customer.name, deliver=False, **more)
    assert said.request is not None
    return said.request


def within(cost: Cost, *, calls: int, wru: float, rru: float = 1, kicks: int = 0) -> None:
    assert cost.status == 200
    assert len(cost.calls) <= calls, cost
    assert cost.wru <= wru, cost
    assert cost.rru <= rru, cost
    assert cost.kicks <= kicks, cost
    assert cost.others == 0, cost


@pytest.fixture
def customer(meter: Meter, channel: ChannelName) -> Customer:
    return meter.stage.customer(channel)


FIRST = {"telegram": 6, "whatsapp": 8}
"""WRU of a first message: WhatsApp's customers have one alias, Telegram's none."""


@pytest.mark.parametrize("channel", CHANNELS)
def test_first_message_then_owing(meter: Meter, customer: Customer) -> None:
    within(meter.receive(writes(customer)), calls=2, wru=FIRST[customer.channel])
    for _ in range(3):
        within(meter.receive(writes(customer)), calls=2, wru=4)


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_every_further_alias_costs_two(meter: Meter, customer: Customer) -> None:
    def another_number(body: dict[str, Any]) -> None:
        body["entry"][0]["changes"][0]["value"]["contacts"][0]["wa_id"] = "5491123456789"

    within(meter.receive(changed(writes(customer), another_number)), calls=2, wru=10)


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_an_alias_that_is_met_late_costs_two_more_once(meter: Meter, customer: Customer) -> None:
    within(meter.receive(writes(customer, username_only=True)), calls=2, wru=6)
    within(meter.receive(writes(customer)), calls=2, wru=6)
    within(meter.receive(writes(customer)), calls=2, wru=4)


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_through_a_pointer_it_is_one_call_more(meter: Meter, customer: Customer) -> None:
    def number_only(body: dict[str, Any]) -> None:
        value = body["entry"][0]["changes"][0]["value"]
        del value["messages"][0]["from_user_id"], value["contacts"][0]["user_id"]

    within(meter.receive(writes(customer)), calls=2, wru=8)
    within(meter.receive(changed(writes(customer), number_only)), calls=3, wru=4)
    assert len([thread for thread in thread_rows(meter) if thread.name == customer.name]) == 1


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_settled_thread(meter: Meter, customer: Customer) -> None:
    meter.receive(writes(customer))
    reply.reply(meter.stage.person(), thread_of(meter, customer).id, "Domani.")
    assert not thread_of(meter, customer).owes
    within(meter.receive(writes(customer)), calls=2, wru=6)
    assert thread_of(meter, customer).owes


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("length", "wru"), [(600, 4), (1_400, 6), (2_400, 8)])
def test_further_kilobytes_cost_two_each(meter: Meter, customer: Customer, length: int, wru: int) -> None:
    meter.receive(writes(customer))
    within(meter.receive(writes(customer, "x" * length)), calls=2, wru=wru)


@pytest.mark.parametrize("channel", ["telegram"])
def test_a_kind_without_a_platform_time_costs_two_more(meter: Meter, customer: Customer) -> None:
    meter.receive(writes(customer))
    first, again = tap(customer, "41"), tap(customer, "42")
    within(meter.receive(first), calls=2, wru=6)
    within(meter.receive(again), calls=2, wru=6)
    duplicate = meter.receive(again)
    within(duplicate, calls=2, wru=0)
    assert len(messages_of(meter, customer)) == 3


def tap(customer: Customer, id: str) -> Webhook:
    def as_callback(body: dict[str, Any]) -> None:
        message = body.pop("message")
        message["from"], sender = {"id": 1, "is_bot": True, "first_name": "Bot"}, message["from"]
        body["callback_query"] = {
            "id": id, "from": sender, "message": message, "chat_instance": "1", "data": "yes",
        }  # fmt: skip

    return changed(writes(customer), as_callback)


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_effect_costs_three_and_one_kick(meter: Meter, customer: Customer) -> None:
    close()
    first = FIRST[customer.channel]
    within(meter.receive(writes(customer)), calls=2, wru=first + 3, kicks=1)
    within(meter.receive(writes(customer)), calls=2, wru=4)
    both = meter.receive(writes(customer, "Vorrei parlare con un operatore"))
    assert both.kicks == 2
    # People who were called while closed are reminded at the opening: the thread's next look moves there.
    within(both, calls=2, wru=4 + 2 * 3 + 2, kicks=2)
    added = meter.receive(writes(customer, "È urgente!"))
    assert added.kicks == 1
    # What is urgent is paged by the clock, so the next look moves once more.
    within(added, calls=2, wru=4 + 3 + 2, kicks=1)
    within(meter.receive(writes(customer)), calls=2, wru=4)


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_may_be_a_frequent_question_costs_three_more_and_one_kick(
    meter: Meter, customer: Customer
) -> None:
    use(hours="24/7", faq_words=load(TEMPLATES).desk.faq_words)
    asks = meter.receive(writes(customer, "Posso pagare alla consegna?"))
    within(asks, calls=2, wru=FIRST[customer.channel] + 3, kicks=1)
    within(meter.receive(writes(customer, "Posso pagare alla consegna?")), calls=2, wru=4)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_duplicate_costs_two_calls_and_its_kicks(meter: Meter, customer: Customer) -> None:
    plain = writes(customer)
    meter.receive(plain)
    within(meter.receive(plain), calls=2, wru=0)
    close()
    asks = writes(customer, "Vorrei parlare con un operatore")
    meter.receive(asks)
    again = meter.receive(asks)
    assert again.kicks == 2
    within(again, calls=2, wru=0, kicks=2)
    assert len(messages_of(meter, customer)) == 2


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_a_delete_takes_four_calls(meter: Meter, customer: Customer) -> None:
    meter.receive(writes(customer))
    cost = meter.receive(writes(customer, kind="delete"))
    assert cost.status == 200
    assert len(cost.calls) <= 4, cost
    (message,) = messages_of(meter, customer)
    assert message.deleted
    assert not message.text


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_a_receipt_takes_one_call_and_a_failed_one_three(meter: Meter, customer: Customer) -> None:
    webhook = writes(customer)
    meter.receive(webhook)
    thread = thread_of(meter, customer)
    row, _ = reply.reply(meter.stage.person(), thread.id, "Domani.")
    set_state(meter, thread.id, row.key, "sent")
    tag = f"{thread.id} {row.key}"
    for status in ("sent", "delivered", "read"):
        within(meter.receive(receipt(webhook, tag, status)), calls=1, wru=2, rru=0)
    within(meter.receive(receipt(webhook, "", "read")), calls=0, wru=0, rru=0)
    failed = meter.receive(receipt(webhook, tag, "failed"))
    assert failed.status == 200
    assert len(failed.calls) <= 3, failed
    assert thread_of(meter, customer).owed_since == thread.owed_since
    again = meter.receive(receipt(webhook, tag, "failed"))
    assert len(again.calls) <= 3, again


def receipt(webhook: Webhook, tag: str, status: str) -> Webhook:
    def as_status(body: dict[str, Any]) -> None:
        value = body["entry"][0]["changes"][0]["value"]
        value.pop("contacts", None)
        message = value.pop("messages")[0]
        content = {
            "id": "wamid.ours",
            "status": status,
            "timestamp": message["timestamp"],
            "recipient_id": message["from"],
        }
        if tag:
            content["biz_opaque_callback_data"] = tag
        if status == "failed":
            content["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
        value["statuses"] = [content]

    return changed(webhook, as_status)


def set_state(meter: Meter, thread: str, key: str, state: str) -> None:
    meter.stage.desk.deployed.client("dynamodb").update_item(
        TableName=meter.table,
        Key=items.row_key(thread, key),
        UpdateExpression="SET #state = :state",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":state": {"S": state}},
    )


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_not_signed_costs_nothing(meter: Meter, customer: Customer) -> None:
    webhook = writes(customer)
    for headers in ({}, {"x-hub-signature-256": "sha256=00", "x-telegram-bot-api-secret-token": "wrong"}):
        cost = meter.receive(webhook.model_copy(update={"headers": headers}))
        assert cost == Cost(status=401)


# --- long threads, large rows ------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
def test_it_costs_the_same_at_the_10th_and_the_10_000th_message(meter: Meter, customer: Customer) -> None:
    meter.receive(writes(customer))
    costs: list[Cost] = []
    for count in (9, 9_999):
        seed(meter, customer, count)
        costs.append(meter.receive(writes(customer)))
        within(costs[-1], calls=2, wru=4)
    assert costs[0] == costs[1]
    duplicate = writes(customer)
    meter.receive(duplicate)
    within(meter.receive(duplicate), calls=2, wru=0)
    if customer.channel == "whatsapp":
        cost = meter.receive(writes(customer, kind="delete"))
        assert len(cost.calls) <= 4, cost


def seed(meter: Meter, customer: Customer, count: int) -> None:
    """So many messages before those that are there, in bulk."""
    thread = thread_of(meter, customer).id
    like = next(item for item in meter.items() if is_message_of(item, thread))
    first = int(like["time"]["N"]) - DAY
    puts = []
    for number in range(count):
        hashed = keys.message_hash(like["PK"]["S"], f"{count}-{number}")
        key = keys.message_key(first + number * 100, None, hashed)
        puts.append({"PutRequest": {"Item": like | {"SK": {"S": key}}}})
    client = meter.stage.desk.deployed.client("dynamodb")

    def write(batch: list[dict[str, Any]]) -> None:
        answer = client.batch_write_item(RequestItems={meter.table: batch})
        assert not answer.get("UnprocessedItems")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, (puts[start : start + 25] for start in range(0, len(puts), 25))))


def is_message_of(item: items.Item, thread: str) -> bool:
    key: str = item["SK"]["S"]
    return key.startswith("M#") and bool(item["PK"]["S"] == keys.partition(thread))


def full(thread: Thread) -> Thread:
    """The same thread with every optional field as large as it gets."""
    now = real_now()
    wide = "\N{PILE OF POO}" * 100
    known = [f"{number:0{threads.SHORT}d}" for number in range(threads.REMEMBERED)]
    return thread.model_copy(
        update={
            "connection": "c" * 32,
            "to": "+" + "9" * 15 if thread.channel == "whatsapp" else thread.to,
            "name": rows.clip(wide, rows.NAME_BYTES),
            "language": "ita",
            "team": "t" * 32,
            "first": rows.clip(wide, rows.FIRST_BYTES),
            "owed_since": now,
            "told_until": now + DAY,
            "on_it": True,
            "person_told": True,
            "escalation": keys.effect_key(
                keys.message_key(now, 10**9, keys.message_hash(thread.id, "x")), "call"
            ),
            "escalated": tuple(Reason(reason) for reason in CALLED),
            "person_until": now - MINUTE,
            "claimed_by": rows.clip(wide, rows.BY_BYTES),
            "unreachable": True,
            "public": True,
            "quiet": "q" * rows.CODE_BYTES,
            "tier": "t" * TIER_MOST,
            "track": "speed",
            "level": 20,
            "paged": now,
            "promised": now,
            "interim": True,
            "consulting": now + DAY,
            "offered": "o" * 24,
            "asked": ("a" * 8,) * 2,
            "known": ("k" * 8,) * 6,
            "aside": "newsletter",
            "trusted": True,
            "language_set": True,
            "greeted": True,
            "answered": True,
            "due": now + DAY,
            "hold": now,
            "resolved": rows.clip(wide, rows.CODE_BYTES),
            "aliases": (*known[: threads.REMEMBERED - len(thread.aliases)], *thread.aliases),
            "gone": tuple(
                f"{number:0{rows.GONE_HASH}d}{(now + DAY) // 1000}" for number in range(rows.GONE_MOST)
            ),
        }
    )


CALLED = tuple(LETTERS)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_thread_row_with_every_field_set_is_below_one_kilobyte(meter: Meter, customer: Customer) -> None:
    meter.receive(writes(customer))
    thread = full(thread_of(meter, customer))
    empty = [name for name in Thread.model_fields if items.empty(getattr(thread, name))]
    assert empty == []
    # A debt begins with these taken back, and who is answered is no machine.
    full_debt = thread.model_copy(update={"quiet": "", "resolved": "", "aside": "", "greeted": False})
    item = items.thread_item(full_debt, 2_000_000_000)
    assert items.size(item) <= items.THREAD_ROW_LIMIT
    meter.stage.desk.deployed.client("dynamodb").put_item(TableName=meter.table, Item=item)
    within(meter.receive(writes(customer)), calls=2, wru=4)


# --- what is in the table ------------------------------------------------------------------------------


def thread_rows(meter: Meter) -> list[Thread]:
    found = (item for item in meter.items() if item["SK"]["S"] == keys.THREAD_ROW and "pointer" not in item)
    return [items.thread_of(item) for item in found]


def thread_of(meter: Meter, customer: Customer) -> Thread:
    (found,) = [thread for thread in thread_rows(meter) if thread.name == customer.name]
    return found


def messages_of(meter: Meter, customer: Customer) -> list[Message]:
    thread = thread_of(meter, customer)
    rows = (
        items.message_of(item)
        for item in meter.items()
        if is_message_of(item, thread.id) and "whys" not in item
    )
    return [row for row in rows if row.direction == "in"]
