"""The workers' client of AWS services that are platforms: real requests of the SDK, answers from a stub."""

import base64
import socket
from collections.abc import Iterator

import pytest

from sportello.aws import carrier, clients
from sportello.aws.carrier import Carrier
from sportello.aws.environment import environment
from sportello.channels.http import AwsRefused, NoAnswer, NotConnected
from tests.contract.http_stub import Stub, serving

MAIL = {
    "FromEmailAddress": "info@example.com",
    "Destination": {"ToAddresses": ["customer.one@example.net"]},
    "Content": {"Raw": {"Data": b"From: a\r\n\r\nx"}},
}


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "TABLE",
        "OUTBOX_QUEUE_URL",
        "ESCALATION_QUEUE_URL",
    ):
        monkeypatch.setenv(name, "fake")
    for name in ("MEDIA_QUEUE_URL", "CONSULT_QUEUE_URL", "BUCKET", "ID_SALT", "STACK"):
        monkeypatch.setenv(name, "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("MAIL_EVENTS", "sportello-mail")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "CLOCK", "PLATFORMS"):
        monkeypatch.delenv(name, raising=False)
    with serving() as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", stub.url)
        forget()
        yield stub
    forget()


def forget() -> None:
    clients.forget()
    carrier.forget()
    environment.cache_clear()


def test_a_mail_goes_out_with_the_stack_s_configuration_set(ses: Stub) -> None:
    ses.will_answer(200, {"MessageId": "sample"})
    assert Carrier().aws("sesv2", "SendEmail", MAIL) == {"MessageId": "sample"}
    (call,) = ses.calls
    assert call.path == "/v2/email/outbound-emails"
    assert call.json["ConfigurationSetName"] == "sportello-mail"
    assert base64.b64decode(call.json["Content"]["Raw"]["Data"]) == MAIL["Content"]["Raw"]["Data"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("status", "name", "text", "code"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", "TooManyRequestsException"),
        (
            400,
            "MessageRejected",
            "Email address is not verified. The following: x@example.net",
            "NotVerified",
        ),
        (400, "MessageRejected", "Invalid content", "MessageRejected"),
        (403, "AccessDeniedException", "User is not authorized", "AccessDeniedException"),
        (500, "InternalServiceErrorException", "", "InternalServiceErrorException"),
    ],
)
def test_errors_keep_their_name_and_lose_their_text(
    ses: Stub, status: int, name: str, text: str, code: str
) -> None:
    ses.will_answer(status, {"message": text}, x_amzn_errortype=name)
    with pytest.raises(AwsRefused) as refused:
        Carrier().aws("sesv2", "SendEmail", MAIL)
    assert (refused.value.code, refused.value.status) == (code, status)
    assert "example.net" not in str(refused.value)
    assert len(ses.calls) == 1, "nothing is tried again"


def test_a_server_that_is_not_there_took_nothing(ses: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{unused.getsockname()[1]}")
        forget()
        with pytest.raises(NotConnected):
            Carrier().aws("sesv2", "SendEmail", MAIL)


def test_an_answer_that_is_lost_leaves_it_open(ses: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(carrier, "READ_SECONDS", 0.2)
    ses.hang = threading.Event()
    with pytest.raises(NoAnswer):
        Carrier().aws("sesv2", "SendEmail", MAIL)
    assert len(ses.calls) == 1


def test_a_request_that_the_sdk_refuses_never_leaves(ses: Stub) -> None:
    with pytest.raises(AwsRefused, match="ParamValidation"):
        Carrier().aws("sesv2", "SendEmail", {"Destination": 5})
    assert ses.calls == []
