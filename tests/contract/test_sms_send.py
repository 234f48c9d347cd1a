"""What Twilio and AWS are asked to send, what their answers mean, and how numbers are connected."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from sportello.channels import sms_aws, twilio
from sportello.channels.base import (
    Account,
    Attachment,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Sent,
    Unknown,
)
from sportello.channels.http import AwsRefused, Http, NoAnswer, NotConnected
from sportello.channels.sms import Sms
from tests.contract.http_stub import Call, Stub, serving

SMS = Sms()
URL = "https://care.example.com/main"
ACCOUNT = "AC" + "0" * 31 + "1"
SERVICE = "MG" + "0" * 31 + "1"
TOKEN = "canary-token-nobody-may-see"
US, CUSTOMER = "+15550100100", "+15550100201"
TAG = "abcdefghijklmnopqrstuvwxyz M#0000000000001#abcdefgh~hours"
CONNECTION = Connection(
    name="main",
    secrets=(TOKEN,),
    accounts=(Account(id=US),),
    settings={"provider": "twilio", "account_sid": ACCOUNT, "url": URL},
)
MESSAGES = f"/api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
NUMBERS = f"/api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers"
TOPIC = "arn:aws:sns:eu-south-1:123456789012:sample-sms-0000000000000001"
AWS = Connection(
    name="main",
    secrets=(TOPIC,),
    accounts=(Account(id="+390000000100"),),
    settings={"provider": "aws", "configuration_set": "sample", "numbers": "+390000000100"},
)


@pytest.fixture
def platform() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": US, "to": CUSTOMER, "text": "Domani alle 9:00", "tag": TAG, **changes})


def form(call: Call) -> list[tuple[str, str]]:
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    return parse_qsl(call.body.decode(), keep_blank_values=True)


def with_settings(connection: Connection, **changes: str) -> Connection:
    return connection.model_copy(update={"settings": {**connection.settings, **changes}})


class TestTwilio:
    def test_a_text_goes_out_with_our_tag_in_the_callback(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "SM7", "status": "queued", "num_segments": "1"})
        text = "1 + 1 = 2 & più 🙂"
        assert SMS.send(outbound(text=text), CONNECTION, platform.http()) == Sent(id="SM7", units=1)
        (call,) = platform.calls
        assert (call.method, call.path) == ("POST", MESSAGES)
        assert base64.b64decode(call.headers["authorization"].split()[1]).decode() == f"{ACCOUNT}:{TOKEN}"
        callback = f"{URL}?tag=abcdefghijklmnopqrstuvwxyz%20M%230000000000001%23abcdefgh~hours"
        assert form(call) == [("To", CUSTOMER), ("From", US), ("Body", text), ("StatusCallback", callback)]

    def test_without_our_address_there_is_no_callback(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "SM7"})
        SMS.send(outbound(), with_settings(CONNECTION, url=""), platform.http())
        assert "StatusCallback" not in dict(form(platform.calls[0]))

    def test_a_messaging_service_chooses_the_number(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "SM7", "num_segments": "0"})
        assert SMS.send(outbound(account=SERVICE), CONNECTION, platform.http()) == Sent(id="SM7", units=1)
        assert dict(form(platform.calls[0]))["MessagingServiceSid"] == SERVICE

    def test_parts_are_those_that_twilio_counts_else_ours(self, platform: Stub) -> None:
        for told, units in (("4", 4), ("0", 2), (None, 2), (3, 2), ("x", 2)):
            platform.will_answer(201, {"sid": "SM7", "num_segments": told})
            assert SMS.send(outbound(text="a" * 161), CONNECTION, platform.http()) == Sent(
                id="SM7", units=units
            )

    def test_a_file_is_fetched_by_twilio(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "MM7"})
        file = Attachment(
            kind="image", mime="image/png", name="a.png", size=9, url="https://s3.example.com/a?x=1&y"
        )
        assert SMS.send(outbound(text="", attachment=file), CONNECTION, platform.http()) == Sent(
            id="MM7", units=1
        )
        sent = dict(form(platform.calls[0]))
        assert sent["MediaUrl"] == file.url
        assert "Body" not in sent

    def test_rcs_is_answered_by_rcs(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "SM7"})
        message = outbound(account="rcs:sample_agent", to=f"rcs:{CUSTOMER}")
        SMS.send(message, CONNECTION, platform.http())
        sent = dict(form(platform.calls[0]))
        assert (sent["To"], sent["From"]) == (f"rcs:{CUSTOMER}", "rcs:sample_agent")

    def test_an_api_key_calls_in_the_tokens_place(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "SM7"})
        keyed = with_settings(CONNECTION, api_key="SK1").model_copy(update={"token": "key-secret"})
        SMS.send(outbound(), keyed, platform.http())
        given = platform.calls[0].headers["authorization"].split()[1]
        assert base64.b64decode(given).decode() == "SK1:key-secret"

    @pytest.mark.parametrize(
        "to", ["", "whatsapp:+15550100201", "MyParcel", "+0", "++1", "+15550100201\n", "+1555010020١", "12"]
    )
    def test_an_address_that_is_none_is_refused_without_a_call(self, platform: Stub, to: str) -> None:
        outcome = SMS.send(outbound(to=to), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.REFUSED, code="address")
        assert platform.calls == []

    @pytest.mark.parametrize("sid", ["", "AC1", "../x", "AC" + "g" * 32])
    def test_without_an_account_there_is_nothing_to_call(self, platform: Stub, sid: str) -> None:
        outcome = SMS.send(outbound(), with_settings(CONNECTION, account_sid=sid), platform.http())
        assert outcome == NotSent(problem=Problem.RECONNECT, code="account_sid")
        assert platform.calls == []

    @pytest.mark.parametrize(("code", "problem"), sorted(twilio.PROBLEMS.items()))
    def test_each_code_says_what_to_do(self, platform: Stub, code: int, problem: Problem) -> None:
        status = 429 if code == 20429 else 401 if code == 20003 else 400
        platform.will_answer(status, {"code": code, "message": "no", "more_info": "", "status": status})
        assert SMS.send(outbound(), CONNECTION, platform.http()) == NotSent(problem=problem, code=str(code))

    @pytest.mark.parametrize(
        ("status", "content", "problem", "code"),
        [
            (400, {"code": 99999}, Problem.REFUSED, "99999"),
            (400, b"<html>", Problem.REFUSED, "400"),
            (401, b"", Problem.RECONNECT, "401"),
            (403, {}, Problem.RECONNECT, "403"),
            (404, {"code": 20404}, Problem.RECONNECT, "20404"),
            (429, b"", Problem.BUSY, "429"),
            (400, {"code": True}, Problem.REFUSED, "400"),
        ],
    )
    def test_a_code_that_is_new_is_judged_by_its_status(
        self, platform: Stub, status: int, content: Any, problem: Problem, code: str
    ) -> None:
        platform.will_answer(status, content)
        assert SMS.send(outbound(), CONNECTION, platform.http()) == NotSent(problem=problem, code=code)

    @pytest.mark.parametrize(("told", "wait"), [("7", 7.0), ("x", None), ("-1", None), ("9" * 20, None)])
    def test_too_many_requests_says_how_long_to_wait(
        self, platform: Stub, told: str, wait: float | None
    ) -> None:
        platform.will_answer(429, {"code": 20429}, retry_after=told)
        outcome = SMS.send(outbound(), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.BUSY, code="20429", wait=wait)

    @pytest.mark.parametrize(
        ("status", "content", "code"),
        [
            (500, {"code": 20500}, "20500"),
            (503, b"", "503"),
            (302, b"", "302"),
            (201, {}, "no_sid"),
            (201, b"x", "no_sid"),
        ],
    )
    def test_what_nobody_can_tell_is_unknown(
        self, platform: Stub, status: int, content: Any, code: str
    ) -> None:
        platform.will_answer(status, content)
        assert SMS.send(outbound(), CONNECTION, platform.http()) == Unknown(code=code)

    def test_no_connection_means_nothing_was_sent(self) -> None:
        outcome = SMS.send(outbound(), CONNECTION, Http(rewrite="http://127.0.0.1:1"))
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")

    def test_no_answer_is_unknown(self, platform: Stub) -> None:
        import threading

        platform.hang = threading.Event()
        assert SMS.send(outbound(), CONNECTION, platform.http(read_seconds=0.1)) == Unknown(code="no_answer")


class Amazon(Http):
    """AWS as the carrier shows it: notes what it is asked, answers what it is told."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []

    def aws(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append((service, operation, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class TestAws:
    def send(self, amazon: Amazon, **changes: Any) -> Any:
        message = outbound(account="+390000000100", to="+390000000201", **changes)
        return SMS.send(message, AWS, amazon)

    def test_a_text_goes_out_with_our_tag_in_its_context(self) -> None:
        amazon = Amazon({"MessageId": "m1"})
        assert self.send(amazon) == Sent(id="m1", units=1)
        assert amazon.calls == [
            (
                "pinpoint-sms-voice-v2",
                "SendTextMessage",
                {
                    "DestinationPhoneNumber": "+390000000201",
                    "OriginationIdentity": "+390000000100",
                    "MessageBody": "Domani alle 9:00",
                    "MessageType": "TRANSACTIONAL",
                    "ConfigurationSetName": "sample",
                    "Context": {"tag": TAG},
                },
            )
        ]

    def test_it_is_what_the_sdk_takes(self) -> None:
        """botocore's own model of the service finds nothing wrong with it."""
        from botocore.session import get_session
        from botocore.validate import ParamValidator

        amazon = Amazon({"MessageId": "m1"})
        self.send(amazon)
        model = get_session().get_service_model("pinpoint-sms-voice-v2").operation_model("SendTextMessage")
        report = ParamValidator().validate(amazon.calls[0][2], model.input_shape)
        assert not report.has_errors(), report.generate_report()

    def test_parts_are_counted(self) -> None:
        assert self.send(Amazon({"MessageId": "m1"}), text="č" * 71) == Sent(id="m1", units=2)

    def test_half_a_character_does_not_break_it(self) -> None:
        amazon = Amazon({"MessageId": "m1"})
        self.send(amazon, text="a\ud800")
        assert amazon.calls[0][2]["MessageBody"] == "a?"

    def test_no_files(self) -> None:
        file = Attachment(kind="image", mime="image/png", name="a", size=1, url="https://example.com/a")
        amazon = Amazon()
        assert self.send(amazon, attachment=file) == NotSent(problem=Problem.MEDIA, code="aws_text_only")
        assert amazon.calls == []

    @pytest.mark.parametrize(("code", "problem"), sorted(sms_aws.PROBLEMS.items()))
    def test_each_error_says_what_to_do(self, code: str, problem: Problem) -> None:
        assert self.send(Amazon(AwsRefused(code, 400))) == NotSent(problem=problem, code=code)

    def test_a_new_error_is_a_refusal_and_a_fault_is_unknown(self) -> None:
        assert self.send(Amazon(AwsRefused("New", 400))) == NotSent(problem=Problem.REFUSED, code="New")
        assert self.send(Amazon(AwsRefused("InternalServerException", 500))) == Unknown(
            code="InternalServerException"
        )
        assert self.send(Amazon({})) == Unknown(code="no_message_id")
        assert self.send(Amazon(NoAnswer())) == Unknown(code="no_answer")
        assert self.send(Amazon(NotConnected())) == NotSent(problem=Problem.TEMPORARY, code="not_connected")

    @pytest.mark.parametrize("to", ["", "55501", "rcs:+390000000201", "MyParcel"])
    def test_an_address_that_is_none_is_refused_without_a_call(self, to: str) -> None:
        amazon = Amazon()
        assert SMS.send(outbound(to=to), AWS, amazon) == NotSent(problem=Problem.REFUSED, code="address")
        assert amazon.calls == []


def number(phone: str, sid: str = "PN1", *, sms: bool = True, url: str = "") -> dict[str, Any]:
    return {
        "sid": sid, "phone_number": phone, "friendly_name": "Sample", "sms_url": url, "voice_url": None,
        "capabilities": {"sms": sms, "voice": True, "mms": False},
    }  # fmt: skip


class TestConnectTwilio:
    def test_all_numbers_that_can_are_ours(self, platform: Stub) -> None:
        listed = [number("+15550100102"), number("+15550100101"), number("+390000000300", sms=False)]
        platform.will_answer(200, {"incoming_phone_numbers": listed})
        found = SMS.probe(CONNECTION, platform.http())
        assert [account.id for account in found.accounts] == ["+15550100101", "+15550100102"]
        assert platform.calls[0].path == f"{NUMBERS}.json?PageSize=200"

    def test_or_those_that_are_named(self, platform: Stub) -> None:
        platform.will_answer(
            200, {"incoming_phone_numbers": [number("+15550100101"), number("+15550100102")]}
        )
        named = with_settings(CONNECTION, numbers=f" +15550100102, {SERVICE} ,")
        assert [account.id for account in SMS.probe(named, platform.http()).accounts] == [
            "+15550100102",
            SERVICE,
        ]

    @pytest.mark.parametrize(
        ("settings", "answer", "words"),
        [
            ({"account_sid": "x"}, None, "Account SID"),
            ({}, (401, {"code": 20003}), "Auth Token"),
            ({}, (403, {}), "Auth Token"),
            ({}, (500, {}), "refused"),
            ({}, (200, {"incoming_phone_numbers": []}), "no number"),
            ({}, (200, {"incoming_phone_numbers": "x"}), "no number"),
            ({"numbers": "+15550100199"}, (200, {"incoming_phone_numbers": []}), "+15550100199"),
            ({"provider": "other"}, None, "twilio or aws"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, platform: Stub, settings: dict[str, str], answer: tuple[int, Any] | None, words: str
    ) -> None:
        if answer:
            platform.will_answer(*answer)
        with pytest.raises(ConnectError) as caught:
            SMS.probe(with_settings(CONNECTION, **settings), platform.http())
        assert words in str(caught.value)
        assert TOKEN not in str(caught.value)

    def test_without_a_token_nothing_is_asked(self, platform: Stub) -> None:
        with pytest.raises(ConnectError, match="Auth Token"):
            SMS.probe(CONNECTION.model_copy(update={"secrets": ()}), platform.http())

    def test_no_answer_is_said(self) -> None:
        with pytest.raises(ConnectError, match="did not answer"):
            SMS.probe(CONNECTION, Http(rewrite="http://127.0.0.1:1"))

    def test_each_number_is_pointed_at_us(self, platform: Stub) -> None:
        listed = [number(US, "PN7"), number("+15550100177", "PN8")]
        platform.will_answer(200, {"incoming_phone_numbers": listed})
        platform.will_answer(200, {})
        assert SMS.register(CONNECTION, URL, platform.http()) == ""
        assert [call.path for call in platform.calls[1:]] == [f"{NUMBERS}/PN7.json"]
        assert form(platform.calls[1]) == [
            ("SmsUrl", URL),
            ("SmsMethod", "POST"),
            ("SmsFallbackUrl", URL),
            ("SmsFallbackMethod", "POST"),
        ]

    def test_a_service_is_pointed_at_us_by_hand(self, platform: Stub) -> None:
        platform.will_answer(200, {"incoming_phone_numbers": []})
        both = CONNECTION.model_copy(update={"accounts": (Account(id=SERVICE),)})
        left = SMS.register(both, URL, platform.http())
        assert SERVICE in left
        assert URL in left

    @pytest.mark.parametrize(
        ("listed", "code"),
        [
            ([number(US, url=URL)], None),
            ([number(US)], "webhook_missing"),
            ([number(US, url="https://demo.twilio.com/welcome/sms")], "webhook_elsewhere"),
            ([number(US, url=URL, sms=False)], "account_missing"),
            ([], "account_missing"),
        ],
    )
    def test_what_is_wrong_with_a_number_is_found(
        self, platform: Stub, listed: list[Any], code: str | None
    ) -> None:
        platform.will_answer(200, {"incoming_phone_numbers": listed})
        findings = SMS.examine(CONNECTION, URL, platform.http())
        assert [finding.code for finding in findings] == ([code] if code else [])
        assert all(TOKEN not in finding.text for finding in findings)

    def test_an_address_that_the_connection_does_not_know_is_found(self, platform: Stub) -> None:
        platform.will_answer(200, {"incoming_phone_numbers": [number(US, url=URL)]})
        (finding,) = SMS.examine(with_settings(CONNECTION, url=""), URL, platform.http())
        assert finding.level == "warning"


def two_way(**changes: Any) -> dict[str, Any]:
    known = {"PhoneNumber": "+390000000100", "TwoWayEnabled": True, "TwoWayChannelArn": TOPIC}
    return {"PhoneNumbers": [known | changes]}


PENDING = {"Subscriptions": [{"Endpoint": URL, "SubscriptionArn": "PendingConfirmation"}]}
SUBSCRIBED = {"Subscriptions": [{"Endpoint": URL, "SubscriptionArn": f"{TOPIC}:1"}]}


class TestConnectAws:
    def test_the_numbers_named_are_ours(self) -> None:
        found = SMS.probe(AWS, Amazon(two_way()))
        assert [account.id for account in found.accounts] == ["+390000000100"]

    def test_without_aws_at_hand_they_are_believed(self) -> None:
        found = SMS.probe(AWS, Http())
        assert [account.id for account in found.accounts] == ["+390000000100"]

    @pytest.mark.parametrize(
        ("connection", "answer", "words"),
        [
            (AWS.model_copy(update={"secrets": ("topic",)}), {}, "ARN"),
            (AWS.model_copy(update={"secrets": ()}), {}, "ARN"),
            (with_settings(AWS, numbers=""), {}, "numbers"),
            (AWS, {"PhoneNumbers": []}, "+390000000100"),
            (AWS, AwsRefused("AccessDeniedException", 400), "AccessDeniedException"),
        ],
    )
    def test_what_is_wrong_is_said(self, connection: Connection, answer: Any, words: str) -> None:
        with pytest.raises(ConnectError) as caught:
            SMS.probe(connection, Amazon(answer))
        assert words in str(caught.value)

    def test_the_desk_is_subscribed_to_the_topic(self) -> None:
        amazon = Amazon({"SubscriptionArn": "pending confirmation"})
        assert SMS.register(AWS, URL, amazon) == ""
        assert amazon.calls == [
            ("sns", "Subscribe", {"TopicArn": TOPIC, "Protocol": "https", "Endpoint": URL})
        ]

    def test_or_the_command_is_shown(self) -> None:
        left = SMS.register(AWS, URL, Http())
        assert f"--topic-arn {TOPIC} --protocol https --notification-endpoint {URL}" in left

    def test_a_refusal_is_said(self) -> None:
        with pytest.raises(ConnectError, match="NotFound"):
            SMS.register(AWS, URL, Amazon(AwsRefused("NotFound", 404)))

    @pytest.mark.parametrize(
        ("answers", "codes"),
        [
            ((SUBSCRIBED, two_way()), []),
            (({"Subscriptions": []}, two_way()), ["not_subscribed"]),
            ((PENDING, two_way()), ["not_subscribed"]),
            ((SUBSCRIBED, two_way(TwoWayEnabled=False)), ["webhook_missing"]),
            ((SUBSCRIBED, two_way(TwoWayChannelArn=TOPIC + "x")), ["webhook_elsewhere"]),
            ((SUBSCRIBED, {"PhoneNumbers": []}), ["account_missing"]),
            ((AwsRefused("AuthorizationError", 403),), ["not_subscribed"]),
            ((NotConnected(), NotConnected()), []),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_found(self, answers: tuple[Any, ...], codes: list[str]) -> None:
        assert [finding.code for finding in SMS.examine(AWS, URL, Amazon(*answers))] == codes
