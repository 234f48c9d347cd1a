"""The mail function, from what SES, S3, SNS and EventBridge call it with to the rows and objects it makes."""

import base64
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from sportello import mailroom
from sportello.aws import clients, files, secrets
from sportello.aws.environment import environment
from sportello.channels.email import Email
from sportello.channels.email_events import encoded
from sportello.domain import keys
from sportello.services import reply
from sportello.services.redrive import Redrive, bodies
from tests.contract.corpus import FIXTURES
from tests.contract.samples import Sample, all_samples
from tests.integration.faults import Faults
from tests.integration.stage import (
    SALT,
    Stage,
    change_row,
    everything,
    heard,
    kicks,
    objects,
    outbox,
    read_object,
    scan,
    threads,
)

CONNECTION = all_samples("email")[0].connection
SAMPLES = {sample.name: sample for sample in all_samples("email")}
Handler = Callable[[dict[str, Any]], None]


class Lambda:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The connections' secrets; a test may change them."""
    texts = {"main": CONNECTION.model_dump_json(exclude={"name"})}
    monkeypatch.setattr(secrets, "read_secrets", lambda _: texts)
    mailroom._connections.cache_clear()
    return texts


@pytest.fixture
def handle(stage: Stage, stored: dict[str, str]) -> Handler:
    """The function at a desk that never closes."""
    stage.desk = stage.desk.model_copy(update={"hours": "24/7"})
    stage.use()
    handler = mailroom.mailroom()
    return lambda event: handler(event, Lambda())


def put(key: str, body: bytes) -> None:
    clients.s3().put_object(Bucket=environment().bucket, Key=key, Body=body)


def delivered(sample: Sample, *recipients: str) -> dict[str, Any]:
    """SES has written the mail and calls the function."""
    given = sample.request.headers
    put(given["x-ses-object"], sample.request.body)
    receipt: dict[str, Any] = {
        f"{name}Verdict": {"status": given[f"x-ses-{name}"]}
        for name in ("spam", "virus", "spf", "dkim", "dmarc")
    }
    receipt["recipients"] = list(recipients) or given["x-ses-recipients"].split(", ")
    receipt["action"] = {"type": "Lambda", "invocationType": "Event"}
    mail = {
        "messageId": given["x-ses-id"],
        "timestamp": given["x-ses-time"],
        "source": given["x-ses-source"],
        "destination": receipt["recipients"],
    }
    return {
        "Records": [
            {"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}
        ]
    }


def test_a_mail_becomes_a_message_of_the_customer_s_thread(handle: Handler, log: StringIO) -> None:
    handle(delivered(SAMPLES["text"]))
    (message,) = heard()
    assert message["text"].startswith("Ordine 4711: non è arrivato\n\nBuongiorno,")
    assert message["context"]["id"] == "sample-1@mail.example.net"
    assert json.loads(message["fragment"]) == {"mail": SAMPLES["text"].request.headers["x-ses-object"]}
    (thread,) = threads()
    assert (
        thread["PK"] == f"T#{keys.thread_id(SALT, 'email', 'info@example.com', 'customer.one@example.net')}"
    )
    assert thread["owed_since"]
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["stored"] == 1
    assert "customer" not in line


def test_a_call_that_lambda_repeats_finds_what_it_did(handle: Handler) -> None:
    event = delivered(SAMPLES["attachment"])
    handle(event)
    before = everything()
    handle(event)
    assert everything() == before
    assert len(objects("media/")) == 1


def test_the_same_mail_in_another_delivery_is_one_message(handle: Handler) -> None:
    handle(delivered(SAMPLES["text"]))
    again = delivered(SAMPLES["text"])
    mail = again["Records"][0]["ses"]["mail"]
    put(f"inbound-mail/{'b' * 40}", SAMPLES["text"].request.body)
    mail |= {"messageId": "b" * 40, "timestamp": "2026-11-23T19:25:00.000Z"}
    handle(again)
    assert len(heard()) == 1


def test_files_are_there_before_the_message_is(handle: Handler) -> None:
    handle(delivered(SAMPLES["attachment"]))
    (message,) = heard()
    (media,) = message["media"]
    assert read_object(media["at"]).startswith(b"\x89PNG")
    assert media["mime"] == "image/png"
    assert media["at"].startswith(files.prefix_of(message["PK"][2:], message["SK"]))
    assert kicks("outbox") == []
    assert "due" not in message, "there is nothing left to fetch"


def test_a_virus_is_kept_nowhere_but_in_the_mail(handle: Handler) -> None:
    handle(delivered(SAMPLES["virus"]))
    assert objects("media/") == []
    (message,) = heard()
    assert message["media"][0]["problem"] == "virus"


def test_each_mailbox_gets_its_own(handle: Handler) -> None:
    handle(delivered(SAMPLES["two-mailboxes"]))
    assert len(threads()) == 2


def test_each_connection_gets_its_recipients(handle: Handler, stored: dict[str, str]) -> None:
    other = {"secrets": [], "accounts": [{"id": "orders@example.com"}]}
    ours = {"secrets": [], "accounts": [{"id": "info@example.com"}]}
    stored |= {"main": json.dumps(ours), "shop": json.dumps(other)}
    handle(delivered(SAMPLES["two-mailboxes"]))
    assert sorted(thread["cn"] for thread in threads()) == ["main", "shop"]
    assert objects("quarantine/") == []


def test_a_mail_for_nobody_waits_until_the_address_is_connected(
    handle: Handler, stage: Stage, stored: dict[str, str], log: StringIO
) -> None:
    sample = SAMPLES["attachment"]
    handle(delivered(sample, "sales@example.com"))
    assert threads() == []
    (key,) = objects("quarantine/email/")
    assert read_object(key) == sample.request.body
    assert json.loads(log.getvalue())["quarantined"] == 1

    work = Redrive(
        desk=stage.desk,
        salt=SALT,
        channels=lambda _: Email(),
        connection=lambda *_: CONNECTION,
        now=lambda: stage.now,
    )
    assert bodies(work)["read"] == 1
    (row,) = heard()
    assert read_object(row["media"][0]["at"]).startswith(b"\x89PNG"), "its files come with it"


def test_what_cannot_be_read_is_put_aside(handle: Handler) -> None:
    event = delivered(SAMPLES["text"])
    put(SAMPLES["text"].request.headers["x-ses-object"], b"\x00" * 100)
    handle(event)
    assert len(objects("quarantine/email/")) == 1


def test_a_failure_is_raised_so_that_lambda_tries_again(handle: Handler, aws: Faults) -> None:
    event = delivered(SAMPLES["text"])
    clients.s3().delete_object(
        Bucket=environment().bucket, Key=SAMPLES["text"].request.headers["x-ses-object"]
    )
    with pytest.raises(files.Gone):
        handle(event)
    assert scan() == []


def test_broken_secrets_are_no_reason_to_lose_a_mail(handle: Handler, stored: dict[str, str]) -> None:
    stored["main"] = "{"
    with pytest.raises(secrets.SecretsUnavailable):
        handle(delivered(SAMPLES["text"]))


def test_what_is_not_ses_is_told(handle: Handler) -> None:
    for event in ({}, {"Records": [{"eventSource": "aws:sqs", "body": ""}]}):
        with pytest.raises(mailroom.NotUnderstood):
            handle(event)


class TestOtherWays:
    def test_an_object_alone_is_read_by_what_ses_wrote_on_top(self, handle: Handler) -> None:
        key = f"{mailroom.INCOMING}a b"
        put(key, SAMPLES["unattested"].request.body)
        put(f"{mailroom.INCOMING}{mailroom.NOT_A_MAIL}", b"hello")
        names = ("a+b", mailroom.NOT_A_MAIL)
        records = [
            {"eventSource": "aws:s3", "s3": {"object": {"key": f"{mailroom.INCOMING}{name}"}}}
            for name in names
        ]
        handle({"Records": records})
        (thread,) = threads()
        assert thread["account"] == "orders@example.com"

    def test_a_notification_points_to_the_object(self, handle: Handler) -> None:
        told = delivered(SAMPLES["text"])["Records"][0]["ses"]
        message = json.dumps({"notificationType": "Received", **told})
        handle({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]})
        assert len(heard()) == 1

    def test_a_notification_holds_the_mail(self, handle: Handler) -> None:
        sample = SAMPLES["attachment"]
        told = delivered(sample)["Records"][0]["ses"]
        told["receipt"]["action"] = {"type": "SNS", "encoding": "BASE64"}
        content = base64.b64encode(sample.request.body).decode()
        message = json.dumps({"notificationType": "Received", "content": content, **told})
        handle({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]})
        (row,) = heard()
        assert read_object(row["media"][0]["at"]).startswith(b"\x89PNG")
        assert objects("quarantine/") == []

    def test_calls_as_others_published_them(self, handle: Handler) -> None:
        """Where they are present; their recipients are not connected here."""
        published = sorted((FIXTURES / "email-ses").glob("aws-*.json"))
        for number, source in enumerate(published):
            event = json.loads(source.read_text("utf-8"))
            for record in event["Records"]:
                body = SAMPLES["text"].request.body + str(number).encode()
                put(f"{mailroom.INCOMING}{record['ses']['mail']['messageId']}", body)
            handle(event)
        assert len(objects("quarantine/email/")) == len(published)


class TestReceipts:
    def send(self, stage: Stage, handle: Handler) -> dict[str, Any]:
        """A customer's mail was answered; the row of the answer."""
        handle(delivered(SAMPLES["text"]))
        (thread,) = threads()
        person = reply.Person(by="Agent", desk=stage.desk, channels=lambda _: Email(), now=lambda: stage.now)
        reply.reply(person, thread["PK"][2:], "It comes tomorrow.")
        (row,) = outbox()
        change_row(row, state="sent", id="ses-id")
        return row

    def told(self, row: dict[str, Any], kind: str, **more: Any) -> dict[str, Any]:
        mail = {
            "timestamp": "2026-11-23T19:16:00.000Z",
            "source": "info@example.com",
            "messageId": "ses-id",
            "destination": ["customer.one@example.net"],
            "tags": {"sportello": [encoded(f"{row['PK'][2:]} {row['SK']}")]},
        }
        return {"source": "aws.ses", "detail-type": "x", "detail": {"eventType": kind, "mail": mail, **more}}

    def test_delivered(self, stage: Stage, handle: Handler) -> None:
        row = self.send(stage, handle)
        handle(self.told(row, "Delivery", delivery={"timestamp": "2026-11-23T19:16:05.000Z"}))
        assert outbox()[0]["receipt"] == "delivered"

    def test_a_bounce_gives_the_debt_back(self, stage: Stage, handle: Handler) -> None:
        row = self.send(stage, handle)
        assert "owed_since" not in threads()[0]
        bounce = {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": "customer.one@example.net", "status": "5.1.1"}],
            "timestamp": "2026-11-23T19:16:05.000Z",
        }
        handle(self.told(row, "Bounce", bounce=bounce))
        (failed,) = outbox()
        assert (failed["state"], failed["problem"], failed["code"]) == ("failed", "unreachable", "5.1.1")
        assert threads()[0]["owed_since"]

    def test_mail_of_an_address_that_is_gone_is_put_aside(self, stage: Stage, handle: Handler) -> None:
        row = self.send(stage, handle)
        event = self.told(row, "Send", send={})
        event["detail"]["mail"]["source"] = "old@example.com"
        handle(event)
        assert len(objects("quarantine/email/")) == 1


# --- what failed three times --------------------------------------------------------------------------


def letter(queue_url: str, event: Any) -> None:
    clients.sqs().send_message(QueueUrl=queue_url, MessageBody=json.dumps(event))


def test_a_mail_that_failed_is_taken_from_the_dead_letters(handle: Handler) -> None:
    queue = clients.sqs().create_queue(QueueName="dead-mail")["QueueUrl"]
    letter(queue, {"version": "1.0", "requestPayload": delivered(SAMPLES["text"])})
    letter(queue, {"requestPayload": {"strange": True}})
    letter(queue, {"no": "payload"})
    assert mailroom.once_more(queue) == {"taken": 1, "not ours": 2}
    assert len(heard()) == 1
    left = clients.sqs().get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert int(left["ApproximateNumberOfMessagesNotVisible"]) == 2, "what is not understood stays"


def test_one_that_fails_again_stays(handle: Handler, aws: Faults) -> None:
    queue = clients.sqs().create_queue(QueueName="dead-mail")["QueueUrl"]
    event = delivered(SAMPLES["text"])
    clients.s3().delete_object(
        Bucket=environment().bucket, Key=SAMPLES["text"].request.headers["x-ses-object"]
    )
    letter(queue, {"requestPayload": event})
    (outcome,) = mailroom.once_more(queue)
    assert outcome.startswith("failed again")
    assert heard() == []
