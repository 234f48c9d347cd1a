"""SNS's signature, whom a webhook asks for its certificate, and the confirmation of a subscription."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from sportello.channels import sns
from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.sms import Sms
from sportello.domain.events import Inbound, Kind, PlatformEvent, Receipt
from tests.contract.http_stub import Stub, serving
from tests.contract.mutations import mutated
from tests.contract.samples import all_samples, wire_bytes
from tests.contract.sns_signing import CERTIFICATE_URL, certificate, signed

SMS = Sms()
TOPIC = "arn:aws:sns:eu-south-1:123456789012:sample-sms-0000000000000001"
HOST = "sns.eu-south-1.amazonaws.com"
OURS, CUSTOMER = "+390000000100", "+390000000201"
CONNECTION = Connection(
    name="main", secrets=(TOPIC,), accounts=(Account(id=OURS),), settings={"provider": "aws"}
)
CONFIRM = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=sample"


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """SNS's host, asked by a process that remembers no certificate."""
    with serving() as stub:
        monkeypatch.setenv("PLATFORMS", stub.url)
        sns.client.cache_clear()
        monkeypatch.setattr(sns, "_keys", {})
        sns._tried.clear()
        yield stub
    sns.client.cache_clear()
    sns._tried.clear()


def envelope(**changes: Any) -> dict[str, Any]:
    whole = {
        "Type": "Notification",
        "MessageId": "00000000-0000-4000-8000-000000000001",
        "TopicArn": TOPIC,
        "Message": {"originationNumber": CUSTOMER, "inboundMessageId": "1", "messageBody": "Ciao"},
        "Timestamp": "2026-11-23T19:15:00.123Z",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def confirmation(**changes: Any) -> dict[str, Any]:
    more = {
        "Type": "SubscriptionConfirmation",
        "Token": "sample",
        "Message": "Confirm?",
        "SubscribeURL": CONFIRM,
    }
    return envelope(**(more | changes))


def request(body: dict[str, Any], topic: str = TOPIC) -> Request:
    headers = {"x-amz-sns-topic-arn": topic, "x-amz-sns-message-type": str(body.get("Type"))}
    return Request(method="POST", path="/main", headers=headers, body=wire_bytes(body))


def asked(amazon: Stub) -> list[str]:
    return [call.path for call in amazon.calls]


class TestSignature:
    @pytest.mark.parametrize("version", ["1", "2"])
    @pytest.mark.parametrize("subject", [None, "", "Ciao ☺"])
    def test_it_is_verified(self, version: str, subject: str | None) -> None:
        body = signed(envelope(SignatureVersion=version, Subject=subject))
        assert SMS.verify(request(body), CONNECTION)

    @pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "Type"])
    def test_each_signed_field_counts(self, name: str) -> None:
        body = signed(envelope(Subject="one"))
        assert not SMS.verify(request(body | {name: "other"}), CONNECTION)
        assert not SMS.verify(request(body | {name: None}), CONNECTION)

    @pytest.mark.parametrize(
        "change",
        [
            {"SignatureVersion": "3"},
            {"SignatureVersion": None},
            {"SignatureVersion": 2},
            {"SignatureVersion": "1"},
            {"Signature": ""},
            {"Signature": "=="},
            {"Signature": "AAAA"},
            {"Signature": 7},
            {"SigningCertURL": None},
            {"TopicArn": TOPIC + "x"},
            {"Subject": "added"},
            {"Subject": {}},
        ],
    )
    def test_what_is_not_as_it_was_signed_is_refused(self, change: dict[str, Any]) -> None:
        assert not SMS.verify(request(signed(envelope()) | change), CONNECTION)

    def test_another_key_is_refused(self) -> None:
        other = generate_private_key(public_exponent=65537, key_size=2048)
        assert not SMS.verify(request(signed(envelope(), private=other)), CONNECTION)

    def test_a_topic_of_somebody_else_is_refused_unasked(self, amazon: Stub) -> None:
        theirs = TOPIC.replace("123456789012", "210987654321")
        body = signed(envelope(TopicArn=theirs))
        sns._keys.clear()
        for topic in (theirs, TOPIC, ""):
            assert not SMS.verify(request(body, topic), CONNECTION)
            assert SMS.handshake(request(body, topic), CONNECTION) is None
        assert asked(amazon) == []

    def test_what_is_no_topic_is_never_one_of_ours(self) -> None:
        odd = CONNECTION.model_copy(update={"secrets": ("topic",)})
        assert not SMS.verify(request(signed(envelope(TopicArn="topic")), "topic"), odd)


class TestCertificate:
    def test_it_is_asked_for_once(self, amazon: Stub) -> None:
        body = signed(envelope())
        sns._keys.clear()
        amazon.will_answer(200, certificate())
        for _ in range(3):
            assert SMS.verify(request(body), CONNECTION)
        assert asked(amazon) == [CERTIFICATE_URL.removeprefix("https:/")]

    @pytest.mark.parametrize(
        "url",
        [
            "http://sns.eu-south-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000001.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000001.pem",
            "https://sns.eu-south-1.amazonaws.com.example.com/SimpleNotificationService-000000000001.pem",
            "https://sns.eu-south-1.amazonaws.com@example.com/SimpleNotificationService-000000000001.pem",
            "https://sns.eu-south-1.amazonaws.com:8443/SimpleNotificationService-00000000000000000001.pem",
            "https://example.com/sns.eu-south-1.amazonaws.com/SimpleNotificationService-0000000000001.pem",
            "https://sns.eu-south-1.amazonaws.com/x/../SimpleNotificationService-0000000000000000001.pem",
            "https://sns.eu-south-1.amazonaws.com/SimpleNotificationService-00000000000000000001.pem?x",
            "https://sns.eu-south-1.amazonaws.com/SimpleNotificationService-00000000000000000001.pem\n",
            "https://sns.eu-south-1.amazonaws.com/other.pem",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "",
        ],
    )
    def test_no_other_address_is_asked(self, amazon: Stub, url: str) -> None:
        body = signed(envelope()) | {"SigningCertURL": url}
        assert not SMS.verify(request(body), CONNECTION)
        assert SMS.handshake(request(body), CONNECTION) is None
        assert asked(amazon) == []

    def test_in_china_the_host_has_another_end(self) -> None:
        topic = TOPIC.replace("arn:aws:", "arn:aws-cn:").replace("eu-south-1", "cn-north-1")
        url = CERTIFICATE_URL.replace("eu-south-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
        there = CONNECTION.model_copy(update={"secrets": (topic,)})
        body = signed(envelope(TopicArn=topic, SigningCertURL=url))
        sns.remember(url, certificate())
        assert SMS.verify(request(body, topic), there)
        assert not SMS.verify(request(body | {"SigningCertURL": url[:-3]}, topic), there)

    @pytest.mark.parametrize(
        ("status", "content"), [(500, b""), (404, b"no"), (200, b"no certificate"), (200, b"")]
    )
    def test_while_it_cannot_be_had_sns_comes_again(self, amazon: Stub, status: int, content: bytes) -> None:
        body = signed(envelope())
        sns._keys.clear()
        amazon.will_answer(status, content)
        answer = SMS.handshake(request(body), CONNECTION)
        assert answer is not None
        assert answer.status == 503
        amazon.will_answer(status, content)
        assert not SMS.verify(request(body), CONNECTION)
        amazon.will_answer(200, certificate())
        assert SMS.handshake(request(body), CONNECTION) is None
        assert SMS.verify(request(body), CONNECTION)

    def test_nobody_makes_us_ask_without_end(self, amazon: Stub) -> None:
        for number in range(20):
            url = f"https://{HOST}/SimpleNotificationService-{number:032d}.pem"
            body = signed(envelope()) | {"SigningCertURL": url}
            sns._keys.clear()
            if number < 6:
                amazon.will_answer(404, b"")
            answer = SMS.handshake(request(body), CONNECTION)
            assert answer is not None
            assert answer.status == 503
        assert len(asked(amazon)) == 6

    def test_few_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sns, "_keys", {})
        for number in range(20):
            sns.remember(f"https://{HOST}/{number}", certificate())
        assert len(sns._keys) == 8


class TestConfirmation:
    def test_it_is_confirmed_where_sns_asks(self, amazon: Stub) -> None:
        body = signed(confirmation())
        amazon.will_answer(200, b"<ConfirmSubscriptionResponse/>")
        answer = SMS.handshake(request(body), CONNECTION)
        assert answer is not None
        assert answer.status == 200
        assert asked(amazon) == [CONFIRM.removeprefix("https:/")]

    def test_sns_asks_again_where_it_did_not_take_the_answer(self, amazon: Stub) -> None:
        amazon.will_answer(500, b"")
        answer = SMS.handshake(request(signed(confirmation())), CONNECTION)
        assert answer is not None
        assert answer.status == 503

    def test_unsigned_it_is_refused(self, amazon: Stub) -> None:
        body = signed(confirmation()) | {"Token": "other"}
        assert SMS.handshake(request(body), CONNECTION) is None
        assert not SMS.verify(request(body), CONNECTION)
        assert asked(amazon) == []

    @pytest.mark.parametrize(
        "url",
        [
            CONFIRM.replace(HOST, "example.com"),
            CONFIRM.replace("https", "http"),
            CONFIRM.replace(HOST, f"{HOST}:8443"),
            CONFIRM.replace("ConfirmSubscription", "DeleteTopic"),
            CONFIRM.replace(TOPIC, TOPIC + "x"),
            CONFIRM + "&Action=DeleteTopic",
            CONFIRM + "\r\nhost: example.com",
            f"https://{HOST}/",
        ],
    )
    def test_no_other_address_is_opened_even_if_sns_signs_it(self, amazon: Stub, url: str) -> None:
        body = signed(confirmation(SubscribeURL=url))
        assert SMS.handshake(request(body), CONNECTION) is None
        assert asked(amazon) == []

    def test_nothing_is_asked_for_an_ordinary_message(self, amazon: Stub) -> None:
        assert SMS.handshake(request(signed(envelope())), CONNECTION) is None
        assert asked(amazon) == []

    def test_with_twilio_there_is_none(self) -> None:
        twilio = CONNECTION.model_copy(update={"settings": {"provider": "twilio"}})
        assert SMS.handshake(request(signed(confirmation())), twilio) is None


def read(message: Any, **changes: Any) -> PlatformEvent:
    body = signed(envelope(Message=message, **changes))
    (event,) = SMS.parse(request(body), CONNECTION)
    return event


class TestMessages:
    def test_the_time_is_that_of_sns(self) -> None:
        event = read({"originationNumber": CUSTOMER, "inboundMessageId": "1"})
        assert isinstance(event, Inbound)
        assert (event.time, event.account, event.kind) == (1_795_461_300_123, OURS, Kind.TEXT)

    @pytest.mark.parametrize("time", ["", "yesterday", None])
    def test_a_time_that_is_none_leaves_arrival(self, time: str | None) -> None:
        body = {**signed(envelope()), "Timestamp": time}
        (event,) = SMS.parse(request(body), CONNECTION)
        assert isinstance(event, Inbound)
        assert event.time is None

    @pytest.mark.parametrize("message", ["Hello", "[]", "{", "", "null"])
    def test_a_message_that_is_no_object_is_told(self, message: str) -> None:
        with pytest.raises(Unparseable):
            read(message)

    def test_every_event_type_of_a_text_is_known(self) -> None:
        said = {}
        for word in (
            "QUEUED", "PENDING", "SENT", "SUCCESSFUL", "DELIVERED", "INVALID", "INVALID_MESSAGE",
            "UNREACHABLE",
            "CARRIER_UNREACHABLE", "BLOCKED", "CARRIER_BLOCKED", "SPAM", "UNKNOWN", "TTL_EXPIRED",
            "PROTECT_BLOCKED",
        ):  # fmt: skip
            event = read({"eventType": f"TEXT_{word}", "messageId": "1", "context": {"tag": "T"}})
            said[word] = event.status if isinstance(event, Receipt) else None
        assert [word for word, status in said.items() if status is None] == ["QUEUED", "PENDING", "UNKNOWN"]
        assert [word for word, status in said.items() if status == "delivered"] == ["DELIVERED"]
        assert sum(status == "failed" for status in said.values()) == 9

    def test_the_answer_is_plain(self) -> None:
        sample = all_samples("sms/aws")[0]
        answer = SMS.acknowledge(sample.request, sample.connection, lambda: False)
        assert (answer.status, answer.body) == (200, "")


def test_a_broken_message_is_read_or_told_unparseable() -> None:
    """SNS signs whatever stands in it: the parser must bear anything."""
    bodies = [sample.request.body for sample in all_samples("sms/aws")]
    messages = [json.loads(body)["Message"].encode() for body in bodies]
    started, read_ones = time.process_time(), 0
    for message in mutated(messages, 1000, Random("sms/aws")):
        text = message.decode("utf-8", "replace")
        try:
            event = read(text)
        except Unparseable:
            continue
        read_ones += 1
        assert isinstance(event, get_args(PlatformEvent))
    assert read_ones >= 100
    assert time.process_time() - started < 20


def test_a_broken_envelope_never_raises(amazon: Stub) -> None:
    samples, random = all_samples("sms/aws"), Random("sms/aws envelope")
    whole = [_proved(json.loads(sample.request.body)) for sample in samples]
    for number, body in enumerate(mutated([sample.request.body for sample in samples], 1000, random)):
        broken = replace(samples[number % len(samples)].request, body=body)
        sns.remember(CERTIFICATE_URL, certificate())
        answer = SMS.handshake(broken, CONNECTION)
        assert answer is None or answer.status == 503
        if SMS.verify(broken, CONNECTION):
            assert _proved(json.loads(body)) in whole, "something that is signed was changed"
        try:
            SMS.parse(broken, CONNECTION)
        except Unparseable:
            continue
    assert asked(amazon) == []


def _proved(body: dict[str, Any]) -> list[Any]:
    names = (*sns._SIGNED[body["Type"]], "Signature", "SigningCertURL", "SignatureVersion")
    return [body.get(name) for name in names]
