"""What waited for the opening is one notice for each team; nothing of it is lost, whoever dies."""

import json
from contextlib import suppress
from typing import Any

import pytest

from sportello.aws import clients, digests
from sportello.aws.outbox import Address
from sportello.domain.model import HOUR, MINUTE
from sportello.domain.reasons import Reason
from sportello.domain.staff import Target, Team
from sportello.domain.take_link import read_token
from sportello.services import opening, redrive, reply
from tests.integration.desk_people import SECRET, Died, People, address_in, dies_at, together, token_in
from tests.integration.faults import Faults
from tests.integration.stage import (
    CLOSED,
    OPENING,
    Stage,
    address_of,
    calls,
    kicks,
    overdue,
    real_now,
)

MAILBOX = Target(email="care@example.com").key


@pytest.fixture
def people(stage: Stage, aws: Faults) -> People:
    stage.now = OPENING + MINUTE
    return People(stage, aws)


def waited(people: People, many: int, team: str = "care", first: int = 0) -> list[Address]:
    """Conversations of the evening before, each called again at the opening."""
    found = []
    for number in range(first, first + many):
        fields: dict[str, Any] = {"digest": True, "owed_since": CLOSED + number * MINUTE, "team": team}
        found.append(people.calls(number, Reason.WAITS_AT_OPENING, **fields))
    return found


def digest() -> dict[str, Any]:
    (row,) = together("I#d#")
    return row


def test_all_that_waited_is_told_in_one_notice_the_oldest_first(people: People) -> None:
    addresses = waited(people, 25)
    for address in reversed(addresses):
        assert people.notify(address) == "gathered"
    assert people.slack.told == []
    assert people.notify(address_in(digest())) == "told"
    (title,) = people.slack.titles()
    assert title == "Desk: 25 conversazioni aspettavano l'apertura"
    (shown,) = people.slack.shown()
    blocks = people.slack.told[0][1]["blocks"]
    listed = [block["text"]["text"].partition("\n")[2] for block in blocks if "accessory" in block]
    assert listed == [f"First words of {number}" for number in range(20)]
    assert "e altre 5" in shown
    assert len(people.mails) == 1


def test_each_conversation_has_its_own_link(people: People) -> None:
    addresses = waited(people, 3)
    for address in addresses:
        people.notify(address)
    people.notify(address_in(digest()))
    links = [read_token(token_in(url), [SECRET], real_now()) for url in people.slack.links()]
    assert [Address(link.thread, link.key) for link in links if link] == addresses


def test_every_call_is_done_and_knows_who_has_heard(people: People) -> None:
    for address in (addresses := waited(people, 3)):
        people.notify(address)
    people.notify(address_in(digest()))
    for address in addresses:
        row = people.row(address)
        assert row["told"] == {"slack-care": 1, MAILBOX: 1}
        assert not {"due", "due_shard"} & row.keys()
    assert not {"members", "due", "due_shard"} & digest().keys()
    for address in addresses:
        assert people.notify(address) in ("told", "folded")
    assert len(people.slack.told) == 1


def test_teams_and_levels_have_their_own(people: People) -> None:
    teams = {"care": Team(tell=(Target(slack="care"),)), "back": Team(tell=(Target(slack="lead"),))}
    people.stage.desk = people.stage.desk.model_copy(update={"teams": teams})
    for address in (*waited(people, 2), *waited(people, 3, "back", first=10)):
        people.notify(address)
    for row in together("I#d#"):
        people.notify(address_in(row))
    assert people.slack.titles("care") == ["Desk: 2 conversazioni aspettavano l'apertura"]
    assert people.slack.titles("lead") == ["Desk: 3 conversazioni aspettavano l'apertura"]


def test_the_sweeper_comes_for_it_a_couple_of_minutes_later(people: People) -> None:
    (address,) = waited(people, 1)
    people.notify(address)
    row = digest()
    assert MINUTE < row["due"] - real_now() <= 2 * MINUTE
    overdue(row)
    kicks("escalation")
    assert people.stage.sweep().counts["kicked_together"] == 1
    ((thread, key),) = kicks("escalation")
    assert people.notify(Address(thread, key)) == "told"


def test_a_dead_letter_of_it_is_taken_again(people: People) -> None:
    (address,) = waited(people, 1)
    people.notify(address)
    at = address_in(digest())
    dead = clients.sqs().create_queue(QueueName="dead")["QueueUrl"]
    clients.sqs().send_message(QueueUrl=dead, MessageBody=json.dumps({"thread": at.thread, "key": at.key}))
    assert redrive.letters(dead) == {"kicked_together": 1}
    assert kicks("escalation") == [(at.thread, at.key)]


def test_what_was_taken_or_answered_meanwhile_is_not_listed(people: People) -> None:
    for address in (addresses := waited(people, 3)):
        people.notify(address)
    reply.claim(people.stage.person(), addresses[0].thread)
    people.notify(address_in(digest()))
    assert people.slack.titles() == ["Desk: 2 conversazioni aspettavano l'apertura"]
    assert "First words of 0" not in people.slack.shown()[0]
    assert "due" not in people.row(addresses[0])


def test_where_all_was_taken_nothing_is_said(people: People) -> None:
    (address,) = waited(people, 1)
    people.notify(address)
    reply.claim(people.stage.person(), address.thread)
    assert people.notify(address_in(digest())) == "told"
    assert people.slack.told == []
    assert "members" not in digest()


def test_an_urgent_reason_does_not_wait_for_it(people: People) -> None:
    (address,) = waited(people, 1)
    people.notify(address)
    people.further(address, Reason.URGENT, urgent=True)
    assert people.notify(address) == "told"
    assert len(people.slack.told) == 1
    people.notify(address_in(digest()))
    assert people.row(address)["told"] == {"slack-care": 2, MAILBOX: 2}


def test_a_target_that_fails_is_tried_again_alone(people: People, aws: Faults) -> None:
    for address in waited(people, 2):
        people.notify(address)
    people.slack.down = {"care": 500}
    at = address_in(digest())
    assert people.notify(at) == "try_again"
    assert digest()["due"] <= real_now() + MINUTE
    assert all("due" in row for row in calls()), "nothing is done before all have heard"
    people.slack.down = {}
    assert people.notify(at) == "told"
    assert (len(people.slack.told), len(people.mails)) == (1, 1)


def test_a_channel_that_is_gone_does_not_hold_it_up(people: People) -> None:
    for address in waited(people, 2):
        people.notify(address)
    people.slack.down = {"care": 404}
    at = address_in(digest())
    assert [people.notify(at), people.notify(at)] == ["try_again", "told"]
    assert len(people.mails) == 1
    assert "members" not in digest()


def test_one_that_comes_while_it_is_told_is_told_after_it(people: People, aws: Faults) -> None:
    first, late = waited(people, 2)
    people.notify(first)
    aws.inject("sesv2.SendEmail", lambda _: people.notify(late) and None)
    at = address_in(digest())
    people.notify(at)
    assert digest()["due"] > real_now()
    assert people.notify(at) == "told"
    assert people.slack.titles() == ["Desk: 1 conversazione aspettava l'apertura"] * 2
    assert "First words of 1" in people.slack.shown()[1]
    assert "First words of 0" not in people.slack.shown()[1]


@pytest.mark.parametrize("number", range(1, 12))
def test_whenever_the_notifier_dies_everybody_hears_of_everything(
    people: People, aws: Faults, number: int
) -> None:
    """It dies at each of its writes in turn; the sweeper and the queue go on without it."""
    killed = aws.inject("dynamodb.UpdateItem", dies_at(number), times=1_000)
    for address in waited(people, 3):
        with suppress(Died):
            people.notify(address)
    for row in together("I#d#"):
        with suppress(Died):
            people.notify(address_in(row))
    assert len(killed) >= number
    people.recover()
    text = "".join(people.slack.shown()) + json.dumps(people.mails, ensure_ascii=False)
    for customer in range(3):
        assert text.count(f"First words of {customer}") >= 2, "Slack and the mailbox"
    assert all("due" not in row for row in calls())
    assert "members" not in digest()


def test_more_than_a_row_holds_goes_into_a_further_one(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "MEMBERS_MOST", 2)
    for address in waited(people, 5):
        people.notify(address)
    assert [len(row["members"]) for row in together("I#d#")] == [2, 2, 1]


def test_a_kick_for_an_empty_one_does_nothing(people: People) -> None:
    (address,) = waited(people, 1)
    people.notify(address)
    at = address_in(digest())
    people.notify(at)
    assert people.notify(at) == "nothing_waits"
    assert len(people.slack.told) == 1


def test_a_call_that_waits_is_looked_at_again_whatever_becomes_of_it(people: People) -> None:
    (address,) = waited(people, 1)
    people.notify(address)
    due = people.row(address)["due"]
    assert opening.GATHERED_FOR < due - real_now() <= opening.SURELY_TOLD < HOUR
    assert address_of(calls()[0]) == address
