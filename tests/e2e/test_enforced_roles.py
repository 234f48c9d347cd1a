"""The same template with IAM enforced: every function does its work with its own role, and no more."""

from collections.abc import Iterator
from urllib.parse import urlencode

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.world.model import ChannelName
from sportello.aws import facts
from sportello.services.effects import kick
from tests.e2e.conftest import running
from tests.e2e.invariants import assert_invariants
from tests.e2e.stage import CHANNELS, Customer, Stage, post, wait_for
from tests.e2e.test_consult import answered, asks

EVENING = "2026-11-23 20:15"
MORNING = "2026-11-24 10:00"
ASKED = "Dov'è il mio pacco?"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(tmp_path_factory.mktemp("guarded"), auth=True) as stage:
        yield stage
        assert_nothing_denied(stage)


def assert_nothing_denied(stage: Stage) -> None:
    lines = [line for found in stage.function_logs().values() for line in found]
    assert lines, "the functions logged nothing"
    denied = [line for line in lines if "AccessDenied" in line or "not authorized" in line]
    assert not denied, denied
    failed = [line for line in lines if '"level":"ERROR"' in line or "Traceback" in line]
    assert not failed, failed


def test_roles_are_enforced_at_all(guarded: Stage) -> None:
    """A role of ours may not do what the template does not grant it."""
    iam = guarded.desk.deployed.client("iam")
    role = next(role for role in iam.list_roles()["Roles"] if "SweeperFunction" in role["RoleName"])
    given = guarded.desk.deployed.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")
    keys = given["Credentials"]
    client = boto3.client(
        "dynamodb",
        endpoint_url=guarded.desk.deployed.endpoint,
        region_name=guarded.desk.deployed.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        client.scan(TableName=guarded.desk.deployed.outputs["TableName"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_scene_plays(guarded: Stage, channel: ChannelName) -> None:
    guarded.at(EVENING)
    customer = guarded.customer(channel)
    customer.say(ASKED)
    assert "domani alle 9:00" in customer.hears(1)[0]
    customer.say("Vorrei parlare con un operatore")
    customer.hears(2)
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "Slack and the mailbox")
    row = customer.answer("Arriva domani mattina.")
    assert customer.hears(3)[2] == "Arriva domani mattina."
    customer.row_ends(row.key, "sent")
    assert not customer.thread.owes


def test_deadlines_fall_due(guarded: Stage) -> None:
    guarded.at(MORNING)
    customer = guarded.customer("telegram")
    customer.say(ASKED)
    guarded.at("2026-11-24 10:11")
    guarded.sweep()
    assert "ce ne stiamo occupando" in customer.hears(1)[0]
    guarded.at("2026-11-24 10:31")
    guarded.sweep()
    wait_for(lambda: len(customer.posts()) == 1 and len(customer.letters()) == 1, "people are called")


def test_late_rows_are_kicked_again(guarded: Stage) -> None:
    guarded.at(MORNING)
    customer = guarded.customer("telegram")
    customer.say(ASKED)
    guarded.desk.client.fault("telegram", "429", match=customer.name, retry_after=60)
    row = customer.answer("Domani.")
    customer.row_is(row.key, lambda row: row.problem == "busy", "busy")
    guarded.rows_come_due(customer.thread.id)
    guarded.sweep()
    assert customer.hears(1) == ["Domani."]
    customer.row_ends(row.key, "sent")


def test_a_failed_receipt_gives_the_debt_back(guarded: Stage) -> None:
    customer = refused(guarded, "whatsapp", "failed_later", code="131026")
    wait_for(lambda: len(customer.posts()) == 1, "people are called")


def test_a_refused_send_gives_the_debt_back(guarded: Stage) -> None:
    customer = refused(guarded, "telegram", "blocked")
    wait_for(lambda: len(customer.posts()) == 1, "people are called")


def refused(stage: Stage, channel: ChannelName, kind: str, **more: str) -> Customer:
    stage.at(MORNING)
    customer = stage.customer(channel)
    customer.say(ASKED)
    stage.desk.client.fault(channel, kind, match=customer.name, **more)
    customer.row_ends(customer.answer("Domani.").key, "failed")
    assert customer.thread.owes
    return customer


def test_messages_are_edited_deleted_and_found_through_a_pointer(guarded: Stage) -> None:
    guarded.at(MORNING)
    customer = guarded.customer("whatsapp")
    customer.say(ASKED, username_only=True)
    customer.say("E quando arriva?")
    customer.say("E quando?", kind="edit")
    customer.say(kind="delete")
    rows = [row for row in customer.rows() if row.direction == "in"]
    assert [row.deleted for row in rows] == [False, True]
    assert rows[1].text == ""


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_too_long_or_unreadable_is_kept(guarded: Stage, channel: ChannelName) -> None:
    guarded.at(MORNING)
    customer = guarded.customer(channel)
    customer.say("x" * 40_000)
    (row,) = customer.rows()
    s3, bucket = guarded.desk.deployed.client("s3"), guarded.desk.deployed.outputs["BucketName"]
    assert s3.get_object(Bucket=bucket, Key=row.text_at)["Body"].read() == b"x" * 40_000
    customer.say(kind="raw", raw={"type": "text", "text": [1]})
    kept = s3.list_objects_v2(Bucket=bucket, Prefix=f"quarantine/{channel}/")
    assert len(kept["Contents"]) == 1


def test_somebody_takes_it_by_the_link_of_the_notice(guarded: Stage) -> None:
    guarded.at(EVENING)
    customer = guarded.customer("telegram")
    customer.say("URGENTE")
    wait_for(lambda: len(customer.letters()) == 1, "the mailbox")
    url = next(word for word in customer.letters()[0].split() if "/take/" in word)
    headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    fields = {"token": url.rpartition("/")[2], "over": "", "name": "Anna"}
    status, page = post(url, urlencode(fields).encode(), headers)
    assert status == 200, page
    assert customer.thread.claimed_by == "Anna"


def test_the_invariants_hold(guarded: Stage) -> None:
    guarded.settle()
    assert_invariants(guarded)


def test_the_outside_is_asked(guarded: Stage) -> None:
    guarded.at(MORNING)
    customer = guarded.customer("whatsapp")
    customer.say("Guardate qui", kind="media", media="photo")
    address = asks(customer, "faq", "facts", "order", "load", "ref")
    kick(address.thread, (address.key,))
    wait_for(answered(address), "an answer")
    assert facts.read(address.thread).customer.name == customer.name
