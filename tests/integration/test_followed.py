"""From the official account to the care account: by the ref of the link, and by nothing else."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sportello.aws import clients, history, load, refs, store
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.desk import Served
from sportello.domain.events import Customer, Kind
from sportello.domain.model import DAY, MINUTE, SECOND, Instant
from sportello.domain.staff import Person
from sportello.domain.thread import Thread
from sportello.services import reply
from sportello.services.consult import consult
from tests.integration.outside import Outer, outer
from tests.integration.stage import (
    ACCOUNT,
    OPEN,
    Stage,
    change_row,
    heard,
    inbound,
    kicks,
    outbox,
    put_row,
    real_now,
    scan,
    thread_id,
)

OFFICIAL = "100000000000002"
LINK = "https://m.me/care?ref={ref}"
THERE = Customer(id="there", address="there", name="Customer One")
HERE = Customer(id="here", address="here", name="Customer One")
OTHER = Customer(id="other", address="other", name="Customer One")


@pytest.fixture
def out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outer]:
    load.forget()
    found = outer(stage, monkeypatch)
    served = Served(channel="scripted", account=OFFICIAL, role="official", care_link=LINK)
    stage.desk = stage.desk.model_copy(
        update={"accounts": (served,), "hook": stage.desk.hook.model_copy(update={"url": ""})}
    )
    yield found
    load.forget()


def thread(customer: Customer, account: str = ACCOUNT) -> Thread:
    found = store.read_thread(thread_id(customer, account), consistent=True).thread
    assert found is not None
    return found


def writes_officially(stage: Stage, customer: Customer = THERE, id: str = "o1", at: Instant = OPEN) -> str:
    """The customer writes to the official account; returns the ref of the way that they are shown."""
    stage.take(inbound("My order is late", customer=customer, account=OFFICIAL, id=id, at=at))
    own = [row for row in outbox() if row["PK"] == f"T#{thread_id(customer, OFFICIAL)}"]
    links = [row["values"]["link"] for row in own if "link" in row.get("values", {})]
    return str(links[-1].rpartition("=")[2])


def comes(
    stage: Stage, ref: str, customer: Customer = HERE, id: str = "c1", at: Instant = OPEN + MINUTE
) -> None:
    stage.take(inbound("", kind=Kind.START, customer=customer, ref=ref, id=id, at=at))


def enquiry_of(customer: Customer = HERE) -> list[dict[str, Any]]:
    return [row for row in scan() if "asks" in row and row["PK"] == f"T#{thread_id(customer)}"]


def linked(customer: Customer, account: str = ACCOUNT) -> tuple[str, ...]:
    return history.links(thread_id(customer, account))


def test_whoever_comes_with_the_ref_goes_on_here(stage: Stage, out: Outer) -> None:
    ref = writes_officially(stage)
    assert keys.is_ref(ref)
    comes(stage, ref)

    out.work()

    assert (thread(HERE).owed_since, thread(HERE).first) == (OPEN, "My order is late")
    assert not thread(THERE, OFFICIAL).owes
    assert linked(HERE) == (thread_id(THERE, OFFICIAL),)
    assert linked(THERE, OFFICIAL) == (thread_id(HERE),)
    (enquiry,) = enquiry_of()
    assert enquiry["why"][0] == "linked"
    assert "due" not in enquiry


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "spring-sale",
        "sp-",
        "sp-aaaaaaaaaaaaaaa",
        "sp-AAAAAAAAAAAAAAAA",
        "sp-aaaaaaaaaaaaaaaaa",
        "sp-aaaaaaaaaaaaaaa1",
    ],
)
def test_what_is_none_of_ours_is_kept_and_leads_nowhere(stage: Stage, out: Outer, ref: str) -> None:
    writes_officially(stage)
    comes(stage, ref)
    out.work()

    assert heard()[-1].get("ref", "") == ref or heard()[0].get("ref", "") == ref
    assert linked(HERE) == ()
    assert thread(THERE, OFFICIAL).owes


def test_a_guess_leads_nowhere(stage: Stage, out: Outer) -> None:
    writes_officially(stage)
    comes(stage, "sp-" + "a" * 16)
    out.work()

    assert linked(HERE) == ()
    assert thread(THERE, OFFICIAL).owes
    assert not [row for row in scan() if row["PK"] == "REF#sp-" + "a" * 16]


def test_only_the_first_goes_on(stage: Stage, out: Outer) -> None:
    ref = writes_officially(stage)
    comes(stage, ref, HERE)
    out.work()
    comes(stage, ref, OTHER, id="c2", at=OPEN + 2 * MINUTE)
    out.work()

    assert linked(OTHER) == ()
    assert not thread(OTHER).owes
    assert linked(THERE, OFFICIAL) == (thread_id(HERE),)


def test_the_same_link_tapped_again_takes_nothing_more(stage: Stage, out: Outer) -> None:
    ref = writes_officially(stage)
    comes(stage, ref)
    out.work()
    stage.take(inbound("And one thing more", customer=THERE, account=OFFICIAL, id="o2", at=OPEN + 2 * MINUTE))
    comes(stage, ref, id="c2", at=OPEN + 3 * MINUTE)
    out.work()

    assert thread(THERE, OFFICIAL).owes


def test_a_ref_is_good_for_30_days(stage: Stage, out: Outer) -> None:
    ref = writes_officially(stage)
    (row,) = [row for row in scan() if row["PK"] == f"REF#{ref}"]
    assert abs(row["expires"] - (real_now() + 30 * DAY) // SECOND) < 10
    change_row(row, expires=real_now() // SECOND)
    comes(stage, ref)
    out.work()

    assert linked(HERE) == ()


def test_nobody_follows_themselves(stage: Stage, out: Outer) -> None:
    ref = writes_officially(stage)

    assert refs.take(ref, thread_id(THERE, OFFICIAL), "M#1", real_now()) == ""
    assert refs.take(ref, thread_id(HERE), "M#1", real_now()) == thread_id(THERE, OFFICIAL)


def test_the_same_cause_is_the_same_ref_and_another_is_another() -> None:
    found = {keys.ref_of(salt, thread, cause) for salt in "ab" for thread in "ab" for cause in "ab"}

    assert len(found) == 8
    assert all(map(keys.is_ref, found))
    assert keys.ref_of("a", "b", "a") in found


class Killed(BaseException):
    """The function's process is gone."""


def kill_at(number: int) -> Callable[..., Any]:
    calls: list[int] = []

    def handler(**_: Any) -> None:
        calls.append(1)
        if len(calls) == number:
            raise Killed

    return handler


def test_killed_anywhere_the_debt_is_owed_somewhere_and_told_once(stage: Stage, out: Outer) -> None:
    comes(stage, writes_officially(stage))
    ((thread_of, key),) = kicks("consult")
    number, ended = 0, False
    while not ended:
        number += 1
        handler = kill_at(number)
        clients.dynamodb().meta.events.register_first("before-send.*", handler, unique_id="kill")
        try:
            consult(out.outside, Address(thread_of, key))
            ended = True
        except Killed:
            pass
        finally:
            clients.dynamodb().meta.events.unregister("before-send.*", handler, unique_id="kill")
        assert thread(HERE).owed_since == OPEN or thread(THERE, OFFICIAL).owed_since == OPEN

    assert number > 5
    assert thread(HERE).owed_since == OPEN
    assert not thread(THERE, OFFICIAL).owes
    assert linked(HERE) == (thread_id(THERE, OFFICIAL),)
    assert "due" not in enquiry_of()[0]


def test_a_worker_that_died_before_it_told_is_followed_by_the_sweeper(stage: Stage, out: Outer) -> None:
    comes(stage, writes_officially(stage))
    ((thread_of, key),) = kicks("consult")
    done: list[int] = []

    def after_answer(**_: Any) -> None:
        if "done" in enquiry_of()[0] and not done:
            done.append(1)
            raise Killed

    clients.dynamodb().meta.events.register_first("before-send.dynamodb.GetItem", after_answer, unique_id="k")
    with pytest.raises(Killed):
        consult(out.outside, Address(thread_of, key))
    clients.dynamodb().meta.events.unregister("before-send.dynamodb.GetItem", after_answer, unique_id="k")
    (enquiry,) = enquiry_of()
    assert enquiry["done"] > 0
    assert thread(THERE, OFFICIAL).owes
    change_row(enquiry, due=real_now() - MINUTE)

    assert stage.sweep().counts["kicked_consult"] == 1
    assert out.work() == ["done_already"]

    assert not thread(THERE, OFFICIAL).owes
    assert "due" not in enquiry_of()[0]


# --- nobody is linked by name ---------------------------------------------------------------------------


def test_in_1_000_pairs_of_equal_names_none_is_linked_wrongly(stage: Stage, out: Outer) -> None:
    """Two people of one name each: one wrote officially, one or both of them come to the care account."""
    dice, right = random.Random(20_261_123), {}
    coming: list[tuple[Customer, str]] = []
    for number in range(1_000):
        name = f"Customer {number % 50}"
        there = Customer(id=f"there{number}", address=f"t{number}", name=name)
        own, namesake = (
            Customer(id=f"{kind}{number}", address=f"{kind}{number}", name=name) for kind in ("own", "same")
        )
        official = thread_id(there, OFFICIAL)
        ref = keys.ref_of("salt", official, f"M#{number}")
        seed(there, ref)
        match dice.randrange(4):
            case 0:  # the customer comes by the link, the namesake by themselves
                coming += [(own, ref), (namesake, "")]
                right[thread_id(own)] = official
            case 1:  # nobody uses the link
                coming += [(own, ""), (namesake, "autumn")]
            case 2:  # the customer first, then the namesake with the same link
                coming += [(own, ref), (namesake, ref)]
                right[thread_id(own)] = official
            case 3:  # a link that was never told
                coming += [(namesake, keys.ref_of("other salt", official, f"M#{number}"))]
    found = {}
    for number, (customer, ref) in enumerate(coming):
        taken = refs.take(ref, thread_id(customer), f"M#{number}", real_now())
        if taken:
            found[thread_id(customer)] = taken

    assert found == right
    assert len(right) > 300


def test_pairs_of_equal_names_through_the_whole_desk(stage: Stage, out: Outer) -> None:
    dice, right = random.Random(4), {}
    for number in range(30):
        there, own, same = (
            Customer(id=f"{kind}{number}", address=f"{kind}{number}", name="Customer One")
            for kind in ("there", "own", "same")
        )
        ref = writes_officially(stage, there, id=f"o{number}", at=OPEN + number)
        pair = [(own, ref), (same, dice.choice(["", ref, "autumn"]))]
        if dice.random() < 0.3:
            pair[0] = (own, "")
            pair[1] = (same, "winter")
        else:
            right[thread_id(own)] = (thread_id(there, OFFICIAL),)
        for customer, carried in pair:
            comes(stage, carried, customer, id=f"c-{customer.id}", at=OPEN + MINUTE + number)
            out.work()

    everybody = [row["PK"][2:] for row in scan() if row["SK"] == "T" and row["account"] == ACCOUNT]
    found = {thread: history.links(thread) for thread in everybody}
    assert {thread: links for thread, links in found.items() if links} == right
    assert 10 < len(right) < 30


def seed(customer: Customer, ref: str) -> None:
    """The ref that the official thread told, as its commit writes it."""
    write = store._keep_ref(ref, thread_id(customer, OFFICIAL))["Update"]
    clients.dynamodb().update_item(**write)


def test_equal_names_alone_ask_nobody(stage: Stage, out: Outer) -> None:
    writes_officially(stage)
    for number, customer in enumerate((HERE, OTHER)):
        stage.take(inbound("Hello, I have a problem", customer=customer, id=f"c{number}"))

    assert not [row for row in scan() if "ref" in row.get("asks", ())]
    out.work()
    assert linked(HERE) == linked(OTHER) == ()


# --- the load of a person -------------------------------------------------------------------------------


def crew(stage: Stage, most: int) -> None:
    people = {"anna": Person(teams=("care",), load=most), "boris": Person(teams=("care",))}
    stage.desk = stage.desk.model_copy(update={"people": people})


def waits_for(stage: Stage, number: int, who: str) -> Customer:
    customer = Customer(id=f"w{number}", address=f"w{number}")
    stage.take(inbound("I am in need", customer=customer, id=f"w{number}", at=OPEN + number))
    if who:
        reply.claim(stage.person(who), thread_id(customer))
    return customer


@pytest.mark.parametrize(("others", "over"), [(1, False), (2, True), (5, True)])
def test_whoever_has_more_than_they_can_bear_hands_back(
    stage: Stage, out: Outer, others: int, *, over: bool
) -> None:
    crew(stage, 2)
    customers = [waits_for(stage, number, "anna") for number in range(others + 1)]
    waits_for(stage, 100, "boris")
    waits_for(stage, 101, "")
    kicks("consult")
    stage.now += 31 * MINUTE
    stage.take(inbound("And now?", customer=customers[0], id="again", at=stage.now))
    assert [row["person"] for row in enquiry_of(customers[0]) if "person" in row] == ["anna"]

    out.work()

    assert (thread(customers[0]).claimed_by == "") is over


def test_the_count_is_kept_for_half_a_minute(
    stage: Stage, out: Outer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew(stage, 2)
    moment = [1_000.0]
    monkeypatch.setattr("sportello.aws.load.time.monotonic", lambda: moment[0])
    waits_for(stage, 1, "anna")
    assert load.waiting_for("anna", ("care", "care")) == 1
    waits_for(stage, 2, "anna")

    assert load.waiting_for("anna", ("care",)) == 1
    moment[0] += load.KEPT_SECONDS + 1
    assert load.waiting_for("anna", ("care",)) == 2
    assert load.waiting_for("boris", ("care", "nobody")) == 0


def test_more_than_a_batch_is_counted(stage: Stage, out: Outer) -> None:
    base = waits_for(stage, 1, "anna")
    row = next(row for row in scan() if row["SK"] == "T")
    for number in range(120):
        item = {"PK": f"T#{number:026d}", "SK": "T"}
        put_row(row | item)

    assert base.id == "w1"
    assert load.waiting_for("anna", ("care",)) == 121
