"""The notifier: each target hears of a call at least once, and none suffers from another."""

import json
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest

from sportello import workers
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.http import Answer, Http, NoAnswer
from sportello.domain.events import Delete
from sportello.domain.model import HOUR, MINUTE, SECOND
from sportello.domain.staff import Target, Team
from sportello.services import reply
from sportello.services.notify import Notifier, notify
from tests.integration import faults as fault
from tests.integration.faults import Faults
from tests.integration.stage import (
    ACCOUNT,
    OPEN,
    Stage,
    address_of,
    calls,
    inbound,
    kicks,
    overdue,
    real_now,
    thread_id,
)

HOOK = "https://hooks.slack.com/services/T0/B0/canary"
MAILBOX = Target(email="care@example.com").key


class Slack(Http):
    """Answers in order what the script says: a status, or an exception; then 200."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[int | Exception] = []
        self.told: list[str] = []

    def request(self, method: str, url: str, *, json_body: Any = None, **_: Any) -> Answer:
        assert (method, url) == ("POST", HOOK)
        answer = self.script.pop(0) if self.script else 200
        if isinstance(answer, Exception):
            raise answer
        if answer == 200:
            self.told.append(json.dumps(json_body, ensure_ascii=False))
        return Answer(answer, {}, b"ok" if answer == 200 else b"no_service")


class Desk:
    """The notifier, and what its two targets have heard."""

    def __init__(self, stage: Stage, aws: Faults) -> None:
        self.stage, self.slack = stage, Slack()
        self.mails = aws.sent_to("sesv2", "SendEmail")
        self.hooks: dict[str, str] | None = {"care": HOOK}

    def call(self) -> dict[str, Any]:
        (row,) = calls()
        return row

    def notify(self) -> str:
        work = Notifier(
            desk=self.stage.desk,
            wording=self.stage.wording(),
            hooks=self._hooks,
            http=self.slack,
            now=lambda: self.stage.now,
        )
        return notify(work, address_of(self.call()))

    def _hooks(self) -> dict[str, str]:
        if self.hooks is None:
            raise SecretsUnavailable("SSM answered 500")
        return self.hooks


@pytest.fixture
def desk(stage: Stage, aws: Faults) -> Desk:
    found = Desk(stage, aws)
    stage.take(inbound("URGENTE, la consegna è domani"))
    stage.now = OPEN + MINUTE
    return found


def test_every_target_hears_who_what_and_why(desk: Desk) -> None:
    assert desk.notify() == "told"
    (told,), (mail,) = desk.slack.told, desk.mails
    for words in (told, json.dumps(mail, ensure_ascii=False)):
        for word in ("Customer One", "URGENTE, la consegna è domani", "scripted", thread_id()):
            assert word in words
    assert mail["Destination"] == {"ToAddresses": ["care@example.com"]}
    call = desk.call()
    assert call["told"] == {"slack-care": 1, MAILBOX: 1}
    assert not {"due", "due_shard"} & call.keys()


def test_who_has_heard_is_not_told_again(desk: Desk) -> None:
    desk.notify()
    assert desk.notify() == "told"
    assert (len(desk.slack.told), len(desk.mails)) == (1, 1)


@pytest.mark.parametrize("trouble", [500, 429, NoAnswer("ReadTimeoutError")])
def test_a_target_that_fails_is_tried_again_alone(desk: Desk, trouble: Any) -> None:
    desk.slack.script = [trouble]
    assert desk.notify() == "try_again"
    call = desk.call()
    assert call["told"] == {MAILBOX: 1}
    assert real_now() < call["due"] <= real_now() + 20 * SECOND
    assert call["due_shard"]
    assert desk.notify() == "told"
    assert (len(desk.slack.told), len(desk.mails)) == (1, 1)


def test_a_mailbox_that_fails_is_tried_again_alone(desk: Desk, aws: Faults) -> None:
    aws.inject("sesv2.SendEmail", fault.throttled, times=3)
    assert desk.notify() == "try_again"
    assert desk.call()["told"] == {"slack-care": 1}
    assert desk.notify() == "told"
    assert len(desk.slack.told) == 1
    assert desk.call()["told"] == {"slack-care": 1, MAILBOX: 1}


def test_each_try_waits_longer_up_to_an_hour(desk: Desk) -> None:
    waits = []
    for _ in range(12):
        desk.slack.script = [500]
        desk.notify()
        waits.append(desk.call()["due"] - real_now())
        overdue(desk.call())
        desk.stage.sweep()
    assert all(later >= earlier - SECOND for earlier, later in pairwise(waits))
    assert waits[0] < 20 * SECOND
    assert HOUR - MINUTE < waits[-1] <= HOUR


def test_a_target_that_is_gone_does_not_hold_the_others_up(desk: Desk) -> None:
    desk.slack.script = [404]
    assert desk.notify() == "told"
    call = desk.call()
    assert call["told"] == {MAILBOX: 1}
    assert call["refused"]["slack-care"].startswith("404")
    assert HOOK not in json.dumps(call)
    assert "due" not in call
    assert desk.notify() == "told"
    assert desk.slack.told == []


def test_where_nobody_can_be_told_that_is_said(desk: Desk, aws: Faults) -> None:
    desk.slack.script = [410]
    aws.inject("sesv2.SendEmail", lambda request: fault.error(request, "MessageRejected"))
    assert desk.notify() == "nobody_told"
    call = desk.call()
    assert set(call["refused"]) == {"slack-care", MAILBOX}
    assert "due" not in call
    assert desk.notify() == "nobody_told", "a further kick, or reason, does not make it better"


def test_secrets_that_cannot_be_read_do_not_silence_the_mailbox(desk: Desk) -> None:
    desk.hooks = None
    assert desk.notify() == "try_again"
    assert len(desk.mails) == 1
    desk.hooks = {"care": HOOK}
    assert desk.notify() == "told"
    assert (len(desk.slack.told), len(desk.mails)) == (1, 1)


def test_a_webhook_that_is_not_set_up_yet_is_waited_for(desk: Desk) -> None:
    desk.hooks = {}
    assert desk.notify() == "try_again"
    assert desk.call()["told"] == {MAILBOX: 1}
    assert desk.call()["due"] > real_now()


def test_a_further_reason_is_told_to_all(desk: Desk) -> None:
    desk.notify()
    kicks("escalation")
    desk.stage.take(inbound("Vorrei parlare con una persona", id="m2", at=OPEN + 2 * MINUTE))
    assert kicks("escalation") == [(thread_id(), desk.call()["SK"])]
    assert [why["why"] for why in desk.call()["whys"]] == ["urgent", "asks_person"]
    assert desk.call()["due"] > real_now()
    assert desk.notify() == "told"
    assert desk.call()["told"] == {"slack-care": 2, MAILBOX: 2}
    assert (len(desk.slack.told), len(desk.mails)) == (2, 2)
    assert "due" not in desk.call()


def test_a_reason_that_comes_while_people_are_told_is_told_too(desk: Desk, aws: Faults) -> None:
    event = inbound("Vorrei parlare con una persona", id="m2", at=OPEN + MINUTE)
    aws.inject("sesv2.SendEmail", lambda _: desk.stage.take(event) and None)
    desk.notify()
    call = desk.call()
    assert call["told"] == {"slack-care": 1, MAILBOX: 1}
    assert call["due"] <= real_now(), "the sweeper takes it at once"
    desk.notify()
    assert desk.call()["told"] == {"slack-care": 2, MAILBOX: 2}


def test_what_was_answered_before_is_not_repeated(stage: Stage, aws: Faults) -> None:
    desk = Desk(stage, aws)
    stage.take(inbound("An old zebra"))
    stage.now = OPEN + MINUTE
    reply.reply(stage.person(), thread_id(), "An answer")
    stage.now = OPEN + HOUR
    stage.take(inbound("A calm lion", id="m2", at=OPEN + HOUR))
    stage.take(inbound("URGENTE", id="m3", at=OPEN + HOUR + 1))
    desk.notify()
    (told,) = desk.slack.told
    assert "A calm lion" in told
    assert "zebra" not in told


def test_what_was_taken_back_is_not_repeated(desk: Desk) -> None:
    stage = desk.stage
    stage.take(inbound("A zebra", id="m2", at=OPEN + 1))
    stage.take(Delete(account=ACCOUNT, customer=inbound().customer, originals=("m2",), time=OPEN + 2))
    desk.notify()
    assert "URGENTE" in desk.slack.told[0]
    assert "zebra" not in desk.slack.told[0]


def test_a_team_that_is_no_more_is_told_through_the_first(desk: Desk) -> None:
    teams = {"new": Team(tell=(Target(slack="care"),))}
    desk.stage.desk = desk.stage.desk.model_copy(update={"teams": teams})
    assert desk.notify() == "told"
    assert len(desk.slack.told) == 1


def test_a_kick_for_nothing_does_nothing(desk: Desk) -> None:
    address = address_of({"PK": f"T#{thread_id()}", "SK": "M#0~call"})
    work = Notifier(
        desk=desk.stage.desk,
        wording=desk.stage.wording(),
        hooks=dict,
        http=desk.slack,
        now=lambda: desk.stage.now,
    )
    assert notify(work, address) == "no_such_call"
    assert (desk.slack.told, desk.mails) == ([], [])


# --- the handler ----------------------------------------------------------------------------------


def record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "r",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:calls",
        "awsRegion": "us-east-1",
    }


def test_the_handler_gives_back_only_what_failed(
    desk: Desk, aws: Faults, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sportello")
    monkeypatch.setattr(workers, "Http", lambda *_: desk.slack)
    monkeypatch.setattr("sportello.aws.secrets.read_secrets", lambda _: {"care": HOOK})
    workers._hooks.cache_clear()
    stage = desk.stage
    other = inbound().customer.model_copy(update={"id": "IT.9", "aliases": (), "name": "Customer Nine"})
    stage.take(inbound("URGENTE anche io", id="m9", customer=other, at=OPEN))
    stage.use()
    handler = workers.notifier()
    mine, theirs = calls()
    if mine["PK"] != f"T#{thread_id()}":
        mine, theirs = theirs, mine
    bodies = [json.dumps({"v": 1, "thread": row["PK"][2:], "key": row["SK"]}) for row in (mine, theirs)]
    aws.inject("dynamodb.BatchGetItem", fault.broken, times=3, when=mine["PK"])
    event = {"Records": [record(1, bodies[0]), record(2, bodies[1]), record(3, "not a kick")]}
    answer = handler(event, object())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-3"}]}
    assert len(desk.slack.told) == 1
    assert "Customer Nine" in desk.slack.told[0]
    assert '"told"' in log.getvalue()
    for private in ("URGENTE", "Customer", "5550100", HOOK):
        assert private not in log.getvalue()
