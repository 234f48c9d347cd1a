"""The consult worker on the table: asked outside, judged and committed once, whatever happens meanwhile."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from infra.bundle import Bundle
from sportello import workers
from sportello.aws import breaker, clients, enquiries, facts, store
from sportello.aws.outbox import Address
from sportello.channels.post import NoReply, Reply
from sportello.domain.events import Card, Customer, Delete, Kind
from sportello.domain.message import Enquiry
from sportello.domain.model import MINUTE, SECOND
from sportello.domain.thread import Thread
from sportello.services import desk as desk_seam
from sportello.services.consult import consult
from sportello.services.effects import kick
from sportello.services.redrive import letters
from tests.integration.faults import Faults
from tests.integration.outside import FAQ_WORDS, NUMBER, PHONE, SECRET, Outer, outer
from tests.integration.stage import (
    ACCOUNT,
    CLOSED,
    ONE,
    OPEN,
    TWO,
    Stage,
    everything,
    heard,
    inbound,
    kicks,
    only_row,
    outbox,
    overdue,
    scan,
    thread_id,
)

WHERE = f"Where is my parcel {NUMBER}?"


@pytest.fixture
def out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Outer:
    return outer(stage, monkeypatch)


def asks_for_parcel(stage: Stage, **fields: Any) -> None:
    assert stage.take(inbound(WHERE, attested=PHONE, **fields)) == {"stored": 1}


def thread_now(customer: Any = ONE) -> Thread:
    found = store.read_thread(thread_id(customer), consistent=True).thread
    assert found is not None
    return found


def enquiry() -> dict[str, Any]:
    (row,) = [row for row in scan() if "asks" in row]
    return row


def said() -> list[tuple[str, dict[str, str]]]:
    return [(row["say"], row.get("values", {})) for row in outbox()]


# --- where is my parcel -------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [OPEN, CLOSED], ids=["day", "night"])
def test_a_proved_customer_hears_of_the_order_day_and_night(stage: Stage, out: Outer, moment: int) -> None:
    stage.now = moment
    asks_for_parcel(stage, at=moment)
    assert outbox() == []

    assert out.work() == ["tier_learnt"]

    row = only_row()
    assert row["say"] == "order"
    assert row["values"]["order"] == NUMBER
    assert row["values"]["status"] == f"state of {NUMBER}"
    assert row["yes_no"] is True
    assert kicks("outbox") == [(thread_id(), row["SK"])]
    assert thread_now().tier == "gold"
    assert thread_now().offered == "order"
    assert out.asked[0]["orders"] == [NUMBER]
    assert out.asked[0]["contact"] == {"channel": "scripted", "id": thread_id(), "phone": PHONE}


def test_what_was_asked_says_what_became_of_it(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    waiting = enquiry()
    assert waiting["due"] > 0
    assert (waiting["cause"], waiting["asks"]) == (heard()[0]["SK"], ["order", "facts"])

    out.work()

    done = enquiry()
    assert done["done"] == stage.now
    assert done["why"] == ["tier_learnt", "order_told"]
    assert "due" not in done
    assert "due_shard" not in done


def test_the_facts_are_there_for_people(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    out.work()

    known = facts.read(thread_id())
    assert known.customer.tier == "gold"
    assert [(order.number, order.status) for order in known.orders] == [(NUMBER, f"state of {NUMBER}")]
    assert known.asked == stage.now


def test_nothing_of_it_is_logged(stage: Stage, out: Outer, log: StringIO) -> None:
    out.says = NoReply("slow")
    asks_for_parcel(stage)
    out.work()

    assert not [word for word in (NUMBER, PHONE, "gold", "parcel", "whsec") if word in log.getvalue()]


@pytest.mark.parametrize(
    ("words", "attested"),
    [(WHERE, ""), (WHERE, "+15550100202"), ("Where is my parcel 12345679?", PHONE)],
    ids=["no contact", "another's contact", "another's number"],
)
def test_whoever_is_not_shown_to_be_its_customer_hears_nothing_of_it(
    stage: Stage, out: Outer, words: str, attested: str
) -> None:
    out.orders = {NUMBER: PHONE, "12345679": "+15550100203"}
    stage.take(inbound(words, attested=attested))
    out.work()

    assert [row["say"] for row in outbox()] == ["order_proof"]
    assert "state of" not in everything()
    assert "order_unproved" in enquiry()["why"]


def test_without_a_contact_the_company_is_not_asked_for_the_order(stage: Stage, out: Outer) -> None:
    stage.take(inbound(WHERE))
    out.work()

    assert [asked["asks"] for asked in out.asked] == [["customer"]]
    assert "orders" not in out.asked[0]


def test_number_and_contact_may_come_in_two_messages(stage: Stage, out: Outer) -> None:
    card = Card(phones=(PHONE,), own=True)
    stage.take(inbound("", kind=Kind.CONTACT, cards=(card,), attested=PHONE, at=OPEN - MINUTE, id="card"))
    kicks("consult")
    stage.take(inbound(WHERE, id="number"))

    out.work()

    assert ("order", NUMBER) in [(say, values.get("order")) for say, values in said()]


def test_a_contact_that_was_taken_back_proves_nothing(stage: Stage, out: Outer) -> None:
    card = Card(phones=(PHONE,), own=True)
    stage.take(inbound("", kind=Kind.CONTACT, cards=(card,), attested=PHONE, at=OPEN - MINUTE, id="card"))
    stage.take(Delete(account=ACCOUNT, customer=ONE, originals=("card",), time=OPEN))
    assert PHONE not in json.dumps([row for row in scan() if row["SK"].startswith("M#")])
    kicks("consult")
    stage.take(inbound(WHERE, id="number"))
    out.work()

    assert [row["say"] for row in outbox()] == ["order_proof"]


def test_of_two_orders_a_person_tells(stage: Stage, out: Outer) -> None:
    out.orders["87654321"] = PHONE
    stage.take(inbound(f"{WHERE} And 87654321?", attested=PHONE))
    out.work()

    assert outbox() == []
    assert enquiry()["problems"] == ["order_several"]


def test_in_public_nothing_is_said_of_an_order(stage: Stage, out: Outer) -> None:
    stage.take(inbound("Hello", public=True, id="post"))
    kicks("consult")
    put_enquiry(stage, ("order",))

    out.work()

    assert "state of" not in everything()
    assert out.asked == []
    assert enquiry()["problems"] == ["order_public"]


def put_enquiry(stage: Stage, asks: tuple[str, ...], person: str = "") -> Address:
    """An enquiry about the last message, as ``decide`` would have it asked."""
    cause = heard()[-1]["SK"]
    thread = store.read_thread(heard()[-1]["PK"][2:], consistent=True).thread
    assert thread is not None
    key = f"{cause}~consult"
    row = Enquiry(key, cause, asks, stage.now + MINUTE, person, due=stage.now)
    assert store.commit(store.Commit(thread, thread, 9_999_999_999, enquiries=(row,))) == store.Committed()
    kick(thread.id, (key,))
    return Address(thread.id, key)


# --- once, whatever happens ---------------------------------------------------------------------------


def test_a_second_delivery_does_nothing(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    ((thread, key),) = kicks("consult")
    address = Address(thread, key)
    assert consult(out.outside, address) == "tier_learnt"
    before = scan()

    assert consult(out.outside, address) == "done_already"

    assert scan() == before
    assert len(out.asked) == 1
    assert len(kicks("outbox")) == 1


def test_two_at_once_answer_once(stage: Stage, out: Outer, aws: Faults) -> None:
    asks_for_parcel(stage)
    ((thread, key),) = kicks("consult")
    address = Address(thread, key)
    outcomes: list[str] = []
    aws.between(lambda: outcomes.append(consult(out.outside, address)))

    outcomes.append(consult(out.outside, address))

    assert outcomes == ["tier_learnt", "done_already"]
    assert len(outbox()) == 1


def test_somebody_wrote_meanwhile_and_it_is_decided_anew_without_asking_again(
    stage: Stage, out: Outer, aws: Faults
) -> None:
    asks_for_parcel(stage)
    aws.between(lambda: stage.take(inbound("I want a real person!!", id="m2", at=OPEN + SECOND)))

    assert len(out.work()) == 1

    assert len(out.asked) == 1
    assert thread_now().tier == "gold"
    assert "asks_person" in thread_now().escalated
    assert enquiry()["done"] == stage.now


def test_no_such_enquiry(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)

    assert consult(out.outside, Address(thread_id(), heard()[0]["SK"])) == "no_such_enquiry"
    assert consult(out.outside, Address(thread_id(TWO), "M#1~consult")) == "no_such_enquiry"


class Killed(BaseException):
    """The function's process is gone."""


def killing(number: int, *, after: bool) -> tuple[Callable[..., Any], list[str]]:
    """Ends the process at its n-th call of the table or a queue: before it is sent, or once it was done."""
    calls: list[str] = []

    def handler(request: Any, event_name: str, **_: Any) -> Any:
        calls.append(event_name)
        if len(calls) == number:
            if after:
                from moto.core.models import botocore_stubber

                botocore_stubber("before-send", request)
            raise Killed
        return None

    return handler, calls


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after it"])
def test_killed_anywhere_the_answer_is_given_once(stage: Stage, out: Outer, *, after: bool) -> None:
    asks_for_parcel(stage)
    ((thread, key),) = kicks("consult")
    address, number, ended = Address(thread, key), 0, False
    while not ended:
        number += 1
        handler, _ = killing(number, after=after)
        for client in (clients.dynamodb(), clients.sqs()):
            client.meta.events.register_first("before-send.*", handler, unique_id="kill")
        try:
            consult(out.outside, address)
            ended = True
        except Killed:
            pass
        finally:
            for client in (clients.dynamodb(), clients.sqs()):
                client.meta.events.unregister("before-send.*", handler, unique_id="kill")
        if number > 1 and not ended:
            assert len(outbox()) <= 1
    consult(out.outside, address)

    assert number > 3
    assert [row["say"] for row in outbox()] == ["order"]
    assert enquiry()["why"] == ["tier_learnt", "order_told"]


def test_what_a_lost_kick_left_is_found_by_the_sweeper(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    kicks("consult")
    overdue(enquiry())

    assert stage.sweep().counts["kicked_consult"] == 1
    assert out.work() == ["tier_learnt"]
    assert stage.sweep().counts == {}


def test_a_dead_letter_is_kicked_once_more(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    ((thread, key),) = kicks("consult")
    dead = clients.sqs().create_queue(QueueName="dead")["QueueUrl"]
    clients.sqs().send_message(QueueUrl=dead, MessageBody=json.dumps({"thread": thread, "key": key}))
    overdue(enquiry())

    assert letters(dead) == {"kicked_consult": 1}
    assert out.work() == ["tier_learnt"]

    clients.sqs().send_message(QueueUrl=dead, MessageBody=json.dumps({"thread": thread, "key": key}))
    assert letters(dead) == {"done already": 1}


# --- late ---------------------------------------------------------------------------------------------


def test_what_comes_too_late_still_tells_who_it_is(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    stage.now += stage.desk.policy.consult_within + SECOND
    stage.sweep()
    assert thread_now().consulting is None

    out.work()

    assert thread_now().tier == "gold"
    assert "came_too_late" in enquiry()["why"]
    assert "order" not in [row["say"] for row in outbox()]


# --- a hook that is slow, wrong, huge or hostile -------------------------------------------------------

HOSTILE = json.dumps(
    {
        "customer": None,
        "orders": [
            {"number": NUMBER, "status": "x", "contacts": ["*"], "matches": True},
            {"number": "*", "status": "{{ desk }} ${jndi:ldap://x}", "contacts": []},
        ],
        "tier": "gold",
        "thread": {"owed_since": None},
    }
).encode()
TROUBLE = {
    "hook_slow": NoReply("slow"),
    "hook_unreachable": NoReply("unreachable"),
    "hook_huge": NoReply("huge"),
    "hook_encoded": NoReply("encoded"),
    "hook_address": NoReply("address"),
    "hook_wrong": Reply(200, b"<html>"),
    "hook_refused_302": Reply(302, b""),
    "hook_refused_401": Reply(401, b""),
    "hook_refused_500": Reply(500, b""),
    "company_failed": ZeroDivisionError(),
}


def outcome(stage: Stage) -> tuple[Any, ...]:
    """What there is for the customer and for people; without keys' clocks and reason codes."""
    thread = thread_now().model_dump(exclude={"rev"})
    rows = [
        {name: value for name, value in row.items() if name not in ("due", "expires")} for row in outbox()
    ]
    return thread, rows, facts.read(thread_id())


@pytest.mark.parametrize("moment", [OPEN, CLOSED], ids=["day", "night"])
@pytest.mark.parametrize("problem", TROUBLE)
def test_trouble_with_the_company_changes_nothing_but_the_code(
    stage: Stage, out: Outer, aws: Faults, problem: str, moment: int
) -> None:
    stage.now = moment
    out.connected = False
    asks_for_parcel(stage, at=moment)
    out.work()
    without, code = outcome(stage), enquiry()["problems"]
    assert code == ["hook_off"]
    why = enquiry()["why"]
    for row in scan():
        aws.delete(row)

    out.connected, out.says = True, TROUBLE[problem]
    asks_for_parcel(stage, at=moment)
    out.work()

    assert outcome(stage) == without
    assert enquiry()["problems"] == [problem]
    assert enquiry()["why"] == why


def test_a_hostile_answer_is_one_that_proves_nothing(stage: Stage, out: Outer) -> None:
    out.says = Reply(200, HOSTILE)
    asks_for_parcel(stage)
    out.work()

    assert [row["say"] for row in outbox()] == ["order_proof"]
    assert "jndi" not in everything()
    assert thread_now().tier == ""
    assert facts.read(thread_id()).customer.tier == ""


def test_a_part_that_fails_takes_nothing_from_the_others(stage: Stage, out: Outer) -> None:
    stage.take(inbound(FAQ_WORDS, attested=PHONE))
    kicks("consult")
    for row in [row for row in scan() if "asks" in row]:
        clients.dynamodb().delete_item(TableName="desk", Key={"PK": {"S": row["PK"]}, "SK": {"S": row["SK"]}})
    put_enquiry(stage, ("faq", "facts"))
    out.says = AssertionError("the answerer is broken")

    out.work()

    assert enquiry()["problems"] == ["faq_failed", "company_failed"]
    assert "done" in enquiry()


# --- the breaker ----------------------------------------------------------------------------------------


def ask_once(stage: Stage, out: Outer, number: int) -> list[str]:
    """One more customer's first message."""
    customer = Customer(id=f"c{number}", address=f"+1555010{number:04d}")
    stage.take(inbound("I am new here and in need", customer=customer, id=f"m{number}", attested=PHONE))
    out.work()
    (row,) = [row for row in scan() if "asks" in row and row["PK"] == f"T#{thread_id(customer)}"]
    return list(row.get("problems", ()))


def test_after_five_failures_the_company_is_left_alone_longer_and_longer(stage: Stage, out: Outer) -> None:
    out.says = NoReply("slow")
    for number in range(5):
        assert ask_once(stage, out, number) == ["hook_slow"]
    assert ask_once(stage, out, 10) == ["hook_open"]
    assert len(out.asked) == 5

    rest, number = MINUTE, 20
    for _ in range(6):
        out.real += rest - 1
        assert ask_once(stage, out, number) == ["hook_open"]
        out.real += 1
        assert ask_once(stage, out, number + 1) == ["hook_slow"]
        rest, number = min(2 * rest, 15 * MINUTE), number + 2
    assert breaker.read().rest == 15 * MINUTE

    out.real += rest
    out.says = None
    assert ask_once(stage, out, number) == []
    assert breaker.read() == breaker.State()
    out.says = NoReply("slow")
    assert ask_once(stage, out, number + 1) == ["hook_slow"]
    assert breaker.read().failures == 1


def test_four_failures_and_an_answer_are_none(stage: Stage, out: Outer) -> None:
    for number in range(10):
        out.says = None if number % 5 == 4 else NoReply("slow")
        assert ask_once(stage, out, number) == ([] if number % 5 == 4 else ["hook_slow"])


def test_after_a_rest_one_alone_tries(stage: Stage, out: Outer) -> None:
    for _ in range(breaker.FAILURES):
        breaker.failed(breaker.read(), out.real)
    out.real += MINUTE

    assert breaker.turn(out.real) is not None
    assert breaker.turn(out.real) is None
    assert breaker.turn(out.real + breaker.TRYING) is not None  # the one who tried has died


def test_somebody_hears_that_it_opened_and_once(stage: Stage, out: Outer) -> None:
    opened = [breaker.failed(breaker.read(), out.real) for _ in range(7)]

    assert opened == [False] * 4 + [True] + [False] * 2


# --- what is remembered ---------------------------------------------------------------------------------


def test_an_answer_is_used_again_for_a_while(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    out.work()
    kicks("outbox")
    stage.now += stage.desk.hook.keep - 1
    stage.take(inbound(WHERE, attested=PHONE, id="m2", at=stage.now))
    put = [row for row in scan() if "asks" in row and "done" not in row]
    address = put_enquiry(stage, ("order", "facts")) if not put else Address(put[0]["PK"][2:], put[0]["SK"])

    consult(out.outside, address)

    assert len(out.asked) == 1
    _, row = enquiries.read(address)
    assert row is not None
    assert row.problems == ()
    assert row.done == stage.now


def test_what_is_remembered_is_for_the_same_number_and_contact(stage: Stage, out: Outer) -> None:
    asks_for_parcel(stage)
    out.work()
    stage.take(inbound(WHERE, attested="+15550100202", id="m2", at=stage.now + 1))
    kicks("consult")
    left = [row for row in scan() if "asks" in row and "done" not in row]
    address = Address(left[0]["PK"][2:], left[0]["SK"]) if left else put_enquiry(stage, ("order", "facts"))

    consult(out.outside, address)

    assert [asked["contact"]["phone"] for asked in out.asked] == [PHONE, "+15550100202"]
    assert [row["say"] for row in outbox()].count("order") == 1


# --- frequent questions --------------------------------------------------------------------------------


@pytest.mark.parametrize("buttons", [True, False])
def test_a_frequent_question_is_answered_with_buttons_where_there_are(
    stage: Stage, out: Outer, *, buttons: bool
) -> None:
    out.buttons = buttons
    stage.take(inbound(FAQ_WORDS))
    assert "faq" in enquiry()["asks"]

    out.work()

    assert out.questions == [FAQ_WORDS]
    row = only_row()
    assert (row["say"], row["values"]["entry"]) == ("faq", "hours")
    assert row.get("yes_no", False) is buttons
    assert thread_now().offered == "hours"


def test_what_is_no_frequent_question_is_a_persons(stage: Stage, out: Outer) -> None:
    stage.take(inbound("When are you open for a wedding?"))
    out.work()

    assert outbox() == []
    assert thread_now().owes
    assert "faq_unknown" in enquiry()["why"]


# --- the function ---------------------------------------------------------------------------------------


def record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:consult",
        "awsRegion": "us-east-1",
    }


def test_the_handler_asks_and_gives_back_what_failed(
    stage: Stage, out: Outer, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sportello")
    monkeypatch.setattr(workers, "channel", lambda _: stage.channel)
    kept = {"main": json.dumps({"secret": SECRET})}
    monkeypatch.setattr("sportello.aws.secrets.read_secrets", lambda _: kept)
    workers._of_company.cache_clear()
    asks_for_parcel(stage)
    desk_seam.use(stage.desk, stage.texts, bundle.faq)
    ((thread, key),) = kicks("consult")
    body = json.dumps({"v": 1, "thread": thread, "key": key})

    handler = workers.consult()
    answer = handler({"Records": [record(1, body), record(2, "no kick")]}, object())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert [row["say"] for row in outbox()] == ["order"]
    assert '"tier_learnt"' in log.getvalue()
    assert not [word for word in (NUMBER, PHONE, "whsec", "state of") if word in log.getvalue()]
