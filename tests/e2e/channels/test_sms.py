"""Text messages on the running desk: Twilio's, and AWS's through SNS on a connection of its own."""

import json
import time

import pytest

from infra.world.sms import SmsNumber
from sportello.aws.secrets import REFRESH_SECONDS
from sportello.channels.base import Problem
from sportello.services.reply import NotAllowed
from tests.e2e.stage import Customer, Stage, wait_for

EVENING = "2026-12-08 20:15"  # a Tuesday
ASKED = "Buonasera, dov'è il mio pacco?"
HOURS = "domani alle 9:00"
AWS = SmsNumber(id="+15550100120", provider="aws", sid="PN" + "0" * 31 + "3")


@pytest.fixture(scope="module")
def aws(the_desk: Stage) -> SmsNumber:
    """A second connection, of a number at AWS, beside the one that the desk starts with."""
    stage = the_desk
    own = stage.desk.accounts["sms"]
    address = own.webhook_url.rpartition("/")[0] + "/aws"
    number = AWS.model_copy(update={"webhook_url": address})
    secret = json.dumps(stage.desk.world.channels["sms"].local_connection(number))
    path = f"/{stage.desk.deployed.stack}/sms/aws"
    ssm = stage.desk.deployed.client("ssm")
    ssm.put_parameter(Name=path, Value=secret, Type="SecureString", Overwrite=True)
    with stage.desk.world.state.lock:
        stage.desk.world.state.keep_account("sms", number)
    time.sleep(REFRESH_SECONDS + 1)  # webhook and sender have looked for it before, or may now
    return number


def receipt_of(customer: Customer, key: str) -> str:
    return next(row.receipt for row in customer.outbox() if row.key == key)


def delivered(customer: Customer, key: str) -> None:
    wait_for(lambda: receipt_of(customer, key) == "delivered", "its receipt")


class TestTwilio:
    def test_hours_then_an_answer_and_its_receipt(self, stage: Stage) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say(ASKED)
        assert HOURS in customer.hears(1)[0]
        row = customer.answer("È arrivato a Bologna, parte domani.")
        customer.hears(2)
        delivered(customer, row.key)
        assert customer.row_ends(row.key, "sent").units == 1

    def test_a_picture_is_fetched_with_our_credentials_through_a_redirect(self, stage: Stage) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say("Questo è rotto", kind="media", media="image")
        wait_for(lambda: bool(customer.rows()[0].media[0].at), "the copy")

    def test_stop_ends_it_and_start_brings_the_customer_back(self, stage: Stage) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say(ASKED)
        customer.hears(1)
        customer.say(kind="block")
        assert customer.thread.unreachable
        with pytest.raises(NotAllowed) as refused:
            customer.answer("È arrivato.")
        assert refused.value.code == Problem.UNREACHABLE
        assert customer.thread.owes
        customer.say(kind="unblock")
        assert not customer.thread.unreachable
        assert len(customer.heard()) == 1

    def test_a_failure_that_comes_later_gives_back_the_debt(self, stage: Stage) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say(ASKED)
        customer.hears(1)
        stage.desk.client.fault("sms", "failed_later", code="30003", match=customer.name)
        row = customer.answer("È arrivato.")
        failed = customer.row_ends(row.key, "failed")
        assert (failed.problem, failed.code) == (Problem.UNREACHABLE, "30003")
        wait_for(lambda: customer.thread.owes, "the debt")

    def test_an_error_of_twilio_is_shown_with_its_code(self, stage: Stage) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say(ASKED)
        customer.hears(1)
        stage.desk.client.fault("sms", "error", code="21614", match=customer.name)
        row = customer.answer("È arrivato.")
        failed = customer.row_ends(row.key, "failed")
        assert (failed.problem, failed.code) == (Problem.UNREACHABLE, "21614")


class TestAws:
    def test_sns_asks_and_the_desk_confirms(self, stage: Stage, aws: SmsNumber) -> None:
        customer = stage.customer("sms")
        customer.say(kind="raw", account=aws.id, raw={"confirm": True})
        assert stage.desk.world.state.account("sms", aws.id).confirmed
        assert customer.threads() == []

    def test_hours_then_an_answer_and_its_receipt(self, stage: Stage, aws: SmsNumber) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say(ASKED, account=aws.id)
        assert HOURS in customer.hears(1)[0]
        row = customer.answer("È arrivato a Bologna, parte domani.")
        customer.hears(2)
        delivered(customer, row.key)

    def test_an_error_of_aws_is_shown_with_its_name(self, stage: Stage, aws: SmsNumber) -> None:
        stage.at(EVENING)
        customer = stage.customer("sms")
        customer.say(ASKED, account=aws.id)
        customer.hears(1)
        stage.desk.client.fault("sms", "blocked", match=customer.name)
        row = customer.answer("È arrivato.")
        failed = customer.row_ends(row.key, "failed")
        assert (failed.problem, failed.code) == (Problem.UNREACHABLE, "ConflictException")
