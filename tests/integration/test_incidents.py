"""A wave of calls is one notice, however many notifiers work on it at once and whatever fails meanwhile."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from sportello.aws.outbox import Address
from sportello.domain.model import HOUR, MINUTE
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, OnCall, Person, Target
from sportello.domain.take_link import read_token
from tests.integration import faults as fault
from tests.integration.desk_people import SECRET, Died, People, address_in, dies_at, together, token_in
from tests.integration.faults import Faults
from tests.integration.stage import (
    CLOSED,
    OPEN,
    Stage,
    calls,
    change_row,
    kicks,
    real_now,
)

CALLS = 4
"""Alike within ten minutes are an incident here."""
LEAD = Target(slack="lead")
MAILBOX = Target(email="care@example.com").key


@pytest.fixture
def people(stage: Stage, aws: Faults) -> People:
    stage.desk = stage.desk.model_copy(
        update={
            "people": {"anna": Person(teams=("care",), tell=(Target(slack="night"),))},
            "escalation": Escalation(
                levels=(Level(tell=("team",), within=15 * MINUTE), Level(tell=(LEAD,))),
                on_call=(OnCall(who="anna", when="Mo-Fr 18:00-09:00"),),
                incident_calls=CALLS,
            ),
        }
    )
    stage.now = CLOSED
    return People(stage, aws)


def complain(people: People, many: int, first: int = 0, **fields: Any) -> list[Address]:
    """Angry customers, ten seconds apart; each is notified as it comes."""
    found = []
    for number in range(first, first + many):
        found.append(people.calls(number, Reason.ANGRY, at=people.stage.now + number * 10_000, **fields))
        people.notify(found[-1])
    return found


def incidents() -> list[dict[str, Any]]:
    return together("I#n#")


def incident() -> dict[str, Any]:
    (row,) = incidents()
    return row


def tell(people: People) -> str:
    return people.notify(address_in(incident()))


def count_of(wave: str = "complaint-private") -> int:
    (row,) = together(f"I#k#{wave}")
    found: int = row["conversations"]
    return found


def alone(people: People, name: str = "care") -> list[str]:
    return [title for title in people.slack.titles(name) if "conversazioni" not in title]


def of_incidents(people: People, name: str = "care") -> list[str]:
    return [title for title in people.slack.titles(name) if "conversazioni" in title]


# --- it opens, grows and ends ---------------------------------------------------------------------


def test_calls_alike_become_one_notice(people: People) -> None:
    addresses = complain(people, 9)
    at = address_in(incident())
    assert kicks("escalation") == [(at.thread, at.key)]
    assert tell(people) == "told"
    assert len(alone(people)) == CALLS - 1
    assert of_incidents(people) == ["Desk: 4 conversazioni in 1 minuto: i clienti protestano"]
    assert count_of() == 9
    for address in addresses[CALLS - 1 :]:
        row = people.row(address)
        assert (row["folded"], row["told"]) == (1, {})
        assert "due" not in row


def test_whoever_is_on_call_hears_of_it_at_once(people: People) -> None:
    complain(people, CALLS)
    tell(people)
    assert of_incidents(people, "night") == of_incidents(people, "care")
    assert of_incidents(people, "lead") == []


def test_the_notice_shows_first_words_and_a_link(people: People) -> None:
    complain(people, CALLS)
    tell(people)
    shown = people.slack.shown()[-1]
    assert all(f"First words of {number}" in shown for number in range(CALLS))
    link = read_token(token_in(people.slack.links()[-1]), [SECRET], real_now())
    assert link is not None
    assert Address(link.thread, link.key) == address_in(incident())


def test_it_is_told_how_it_grows_once_in_half_an_hour(people: People) -> None:
    complain(people, CALLS)
    tell(people)
    complain(people, 40, first=CALLS)
    for _ in range(3):
        tell(people)
    assert len(of_incidents(people)) == 1, "not at every look"
    people.stage.now += 31 * MINUTE
    tell(people)
    tell(people)
    assert of_incidents(people)[1:] == ["Desk: 44 conversazioni finora: i clienti protestano"]


def test_an_incident_that_is_quiet_is_looked_at_no_more(people: People) -> None:
    complain(people, CALLS)
    tell(people)
    assert incident()["due"] > real_now()
    people.stage.now += HOUR
    tell(people)
    assert "due" not in incident()
    assert len(of_incidents(people)) == 1


def test_the_last_of_its_growth_is_told_although_it_is_quiet_by_then(people: People) -> None:
    complain(people, 30)
    tell(people)
    people.stage.now += HOUR
    tell(people)
    assert of_incidents(people)[-1] == "Desk: 30 conversazioni finora: i clienti protestano"
    tell(people)
    assert "due" not in incident()


# --- what is folded, and what never ---------------------------------------------------------------


@pytest.mark.parametrize("why", [Reason.ASKS_PERSON, Reason.URGENT, Reason.SEND_FAILED, Reason.FIRST_LATE])
def test_a_reason_of_another_kind_is_told_alone(people: People, why: Reason) -> None:
    complain(people, CALLS + 2)
    address = people.calls(50, why)
    assert people.notify(address) == "told"
    folded = people.calls(51, Reason.CRITICAL)
    assert people.notify(folded) == "folded"
    people.further(folded, why)
    assert people.notify(folded) == "told"
    assert "due" not in people.row(folded)


def test_public_and_private_are_apart(people: People) -> None:
    complain(people, CALLS - 1)
    complain(people, CALLS - 1, first=50, public=True)
    assert incidents() == []
    complain(people, 1, first=60, public=True)
    tell(people)
    assert of_incidents(people) == ["Desk: 4 conversazioni in 2 minuti: i clienti protestano, in pubblico"]


def test_a_further_reason_of_the_same_kind_is_folded_and_counted_once(people: People) -> None:
    addresses = complain(people, CALLS + 1)
    people.further(addresses[-1], Reason.CHASES)
    assert people.notify(addresses[-1]) == "folded"
    assert count_of() == CALLS + 1
    assert people.row(addresses[-1])["folded"] == 2


def test_a_redelivery_counts_nothing(people: People) -> None:
    addresses = complain(people, CALLS + 2)
    for address in addresses:
        people.notify(address)
    assert (count_of(), len(incidents())) == (CALLS + 2, 1)
    assert len(alone(people)) == CALLS - 1


def test_two_notifiers_with_the_same_call_count_it_once(people: People, aws: Faults) -> None:
    complain(people, CALLS)
    address = people.calls(50, Reason.ANGRY)
    aws.between(lambda: people.notify(address))
    assert people.notify(address) == "folded"
    assert count_of() == CALLS + 1
    assert "due" not in people.row(address)


# --- pages of its conversations -------------------------------------------------------------------


def test_pages_of_all_its_conversations_are_one_page_of_the_incident(people: People) -> None:
    addresses = complain(people, 9)
    tell(people)
    people.stage.now += 15 * MINUTE
    for address in addresses:
        people.further(address, Reason.UNACKNOWLEDGED, level=2)
        assert people.notify(address) == "folded"
    tell(people)
    assert people.slack.titles("lead") == [
        "Desk: 4 conversazioni: i clienti protestano. Nessuno se ne occupa ancora"
    ]
    assert len(alone(people)) == CALLS - 1
    assert all("due" not in row for row in calls())


def test_the_last_level_is_paged_again_and_again_until_somebody_takes_it(people: People) -> None:
    addresses = complain(people, CALLS)
    for pages in range(1, 4):
        people.stage.now += 15 * MINUTE
        for address in addresses:
            people.further(address, Reason.UNACKNOWLEDGED, level=2)
            people.notify(address)
        tell(people)
        assert len(people.slack.titles("lead")) == pages
    change_row(incident(), taken_by="anna")
    people.stage.now += 15 * MINUTE
    for address in addresses:
        people.further(address, Reason.UNACKNOWLEDGED, level=2)
        assert people.notify(address) == "folded"
    tell(people)
    assert len(people.slack.titles("lead")) == 3


def test_the_next_day_pages_are_the_conversations_own_again_when_they_call_for_something_new(
    people: People,
) -> None:
    (address, *_) = complain(people, CALLS)
    people.stage.now += 26 * HOUR
    people.further(address, Reason.FULL_LATE)
    assert people.notify(address) == "told"


# --- many at once ---------------------------------------------------------------------------------


def test_however_many_notifiers_there_are_it_is_one_incident(people: People) -> None:
    """Eight at once, each call kicked once or twice. The engine's test has five hundred."""
    drawn = random.Random(8)
    times = sorted(OPEN + drawn.randrange(10 * MINUTE) for _ in range(48))
    addresses = [people.calls(number, Reason.ANGRY, at=at) for number, at in enumerate(times)]
    twice = [*addresses, *drawn.sample(addresses, 12)]
    with ThreadPoolExecutor(8) as pool:
        became = Counter(pool.map(people.notify, twice))
    assert set(became) <= {"told", "folded"}
    assert len(incidents()) == 1
    assert tell(people) == "told"
    assert len(of_incidents(people)) == 1
    assert len(set(alone(people))) <= CALLS - 1
    assert count_of() == 48
    assert all("due" not in row for row in calls())


@pytest.mark.parametrize(
    ("operation", "number"),
    [*(("UpdateItem", number) for number in range(1, 13)), *(("TransactWriteItems", n) for n in range(1, 6))],
)
def test_whenever_a_notifier_dies_people_hear_and_each_call_counts_once(
    people: People, aws: Faults, operation: str, number: int
) -> None:
    addresses = [people.calls(customer, Reason.ANGRY) for customer in range(8)]
    met = aws.inject(f"dynamodb.{operation}", dies_at(number), times=10_000)
    for address in [*addresses, *addresses]:
        with suppress(Died):
            people.notify(address)
    assert len(met) >= number
    people.recover()
    assert len(incidents()) == 1
    assert count_of() == 8
    assert len(of_incidents(people)) >= 1
    assert len(set(alone(people))) == CALLS - 1
    assert all("due" not in row for row in calls())


def test_a_lost_answer_of_the_opening_write_opens_one(people: People, aws: Faults) -> None:
    complain(people, CALLS - 1)
    aws.inject("dynamodb.TransactWriteItems", fault.executed_then_timeout, when="I#n#")
    with suppress(ReadTimeoutError):
        complain(people, 1, first=CALLS)
    for row in calls():
        people.notify(address_in(row))
    assert (len(incidents()), count_of()) == (1, CALLS)


def test_a_target_that_fails_is_tried_again_alone(people: People) -> None:
    complain(people, CALLS)
    people.slack.down = {"care": 500}
    assert tell(people) == "try_again"
    assert real_now() < incident()["due"] <= real_now() + MINUTE
    people.slack.down = {}
    assert tell(people) == "told"
    assert incident()["told"] == {"slack-care": 1, MAILBOX: 1, "slack-night": 1}
    assert len(of_incidents(people, "night")) == 1


def test_where_nobody_can_be_told_that_is_said(people: People, aws: Faults) -> None:
    aws.inject("sesv2.SendEmail", lambda request: fault.error(request, "MessageRejected"), times=99)
    people.slack.down = {"care": 404, "night": 410, "lead": 404}
    complain(people, CALLS)
    assert [tell(people) for _ in range(3)][-1] == "nobody_told"
    assert "due" in incident(), "it is looked at again: a channel may be mended"


def test_a_kick_for_nothing_does_nothing(people: People) -> None:
    complain(people, CALLS)
    nothing = address_in(incident() | {"SK": "I#n#0000000000000#late-private"})
    assert people.notify(nothing) == "no_such_incident"
