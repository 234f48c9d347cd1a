"""What is said on a line, what goes out as SMS in its place, and how numbers are connected."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl
from xml.etree import ElementTree

import pytest

from sportello.channels.base import Account, Connection, NotSent, Outbound, Problem, Sent, Unknown
from sportello.channels.http import Http
from sportello.channels.voice import Voice
from tests.contract.http_stub import Stub, serving

VOICE = Voice()
URL = "https://care.example.com/main"
ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "canary-token-nobody-may-see"
US, CALLER = "+390000000100", "+390000000201"
CALL = "CA" + "0" * 31 + "1"
TAG = "abcdefghijklmnopqrstuvwxyz M#0000000000001#abcdefgh~hours"
HOURS = "Al momento siamo chiusi. Apriamo domani alle 9:00 & restiamo aperti <tutto> il giorno."
CONNECTION = Connection(
    name="main",
    secrets=(TOKEN,),
    accounts=(Account(id=US),),
    settings={
        "account_sid": ACCOUNT,
        "url": URL,
        "voicemail_it": "Lasci un messaggio.",
        "voicemail_en": "Leave a message.",
    },
)
API = f"/api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"
OVER = {"code": 21220, "message": "Call is not in-progress. Cannot redirect.", "status": 400}


@pytest.fixture
def platform() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def hours(**changes: Any) -> Outbound:
    base = {"account": US, "to": CALLER, "text": HOURS, "tag": TAG, "context": {"call": CALL}}
    return Outbound(**(base | changes))


def answer(**changes: Any) -> Outbound:
    return hours(text="La richiamiamo alle 10.", by_person=True, **changes)


def also_by_sms(**changes: str) -> Connection:
    return CONNECTION.model_copy(update={"settings": {**CONNECTION.settings, "sms": "yes", **changes}})


def said(platform: Stub) -> list[ElementTree.Element]:
    (document,) = parse_qs(platform.calls[-1].body.decode())["Twiml"]
    return list(ElementTree.fromstring(document))


class TestSpeaking:
    def test_the_hours_are_said_on_the_line_that_waits(self, platform: Stub) -> None:
        platform.will_answer(200, {"sid": CALL, "status": "in-progress"})
        assert VOICE.send(hours(), CONNECTION, platform.http()) == Sent(id=CALL)
        (call,) = platform.calls
        assert (call.method, call.path) == ("POST", f"{API}/Calls/{CALL}.json")
        say, ask, record, hang_up = said(platform)
        assert (say.tag, say.text, say.attrib) == ("Say", HOURS, {"language": "it-IT"})
        assert (ask.text, record.tag, hang_up.tag) == ("Lasci un messaggio.", "Record", "Hangup")
        query = parse_qs(record.attrib["recordingStatusCallback"].partition("?")[2])
        assert query == {"step": ["recording"], "account": [US], "caller": [CALLER]}

    def test_the_voice_speaks_the_words_own_language(self, platform: Stub) -> None:
        for text, spoken in (
            ("We are closed now. We open at nine in the morning and you can call again.", "en-GB"),
            (HOURS, "it-IT"),
            ("9:00", "it-IT"),
        ):
            platform.will_answer(200, {"sid": CALL})
            VOICE.send(hours(text=text), CONNECTION, platform.http())
            assert said(platform)[0].attrib["language"] == spoken

    def test_or_the_one_that_the_desk_names(self, platform: Stub) -> None:
        platform.will_answer(200, {"sid": CALL})
        VOICE.send(hours(text="9:00", language="en"), CONNECTION, platform.http())
        say, ask, *_ = said(platform)
        assert (say.attrib["language"], ask.text) == ("en-GB", "Leave a message.")

    def test_a_hidden_caller_hears_them_too(self, platform: Stub) -> None:
        platform.will_answer(200, {"sid": CALL})
        message = hours(to=f"anonymous:{CALL}")
        assert VOICE.send(message, CONNECTION, platform.http()) == Sent(id=CALL)
        assert "caller=" in said(platform)[2].attrib["recordingStatusCallback"]
        assert "anonymous" not in said(platform)[2].attrib["recordingStatusCallback"]

    @pytest.mark.parametrize("missing", ["voicemail_it", "url"])
    def test_without_words_or_address_nothing_is_recorded(self, platform: Stub, missing: str) -> None:
        kept = {name: value for name, value in CONNECTION.settings.items() if name != missing}
        platform.will_answer(200, {"sid": CALL})
        VOICE.send(hours(), CONNECTION.model_copy(update={"settings": kept}), platform.http())
        assert [verb.tag for verb in said(platform)] == ["Say", "Hangup"]

    def test_odd_characters_are_left_out(self, platform: Stub) -> None:
        platform.will_answer(200, {"sid": CALL})
        VOICE.send(hours(text="a\x00b\ud800c\ufffe"), CONNECTION, platform.http())
        assert said(platform)[0].text == "a b c "

    @pytest.mark.parametrize("content", [OVER, {"code": 20404, "status": 404}])
    def test_a_call_that_is_over_is_told(self, platform: Stub, content: dict[str, Any]) -> None:
        platform.will_answer(content["status"], content)
        outcome = VOICE.send(hours(), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.UNREACHABLE, code="call_over")

    def test_nothing_is_said_without_a_call(self, platform: Stub) -> None:
        outcome = VOICE.send(hours(context={}), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.UNREACHABLE, code="call_over")
        assert platform.calls == []

    def test_a_document_has_a_longest_size(self, platform: Stub) -> None:
        outcome = VOICE.send(hours(text="&" * 1600), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.TOO_LONG, code="twiml")
        assert platform.calls == []

    @pytest.mark.parametrize(
        ("status", "content", "expected"),
        [
            (401, {"code": 20003}, NotSent(problem=Problem.RECONNECT, code="20003")),
            (429, {"code": 20429}, NotSent(problem=Problem.BUSY, code="20429")),
            (400, {"code": 21218}, NotSent(problem=Problem.REFUSED, code="21218")),
            (500, b"", Unknown(code="500")),
        ],
    )
    def test_other_answers_say_what_to_do(
        self, platform: Stub, status: int, content: Any, expected: NotSent | Unknown
    ) -> None:
        platform.will_answer(status, content)
        assert VOICE.send(hours(), also_by_sms(), platform.http()) == expected
        assert len(platform.calls) == 1, "what may have been said is not sent once more by SMS"

    def test_the_network_says_what_to_do(self, platform: Stub) -> None:
        import threading

        gone = VOICE.send(hours(), CONNECTION, Http(rewrite="http://127.0.0.1:1"))
        assert gone == NotSent(problem=Problem.TEMPORARY, code="not_connected")
        platform.hang = threading.Event()
        assert VOICE.send(hours(), CONNECTION, platform.http(read_seconds=0.1)) == Unknown(code="no_answer")

    def test_without_an_account_there_is_nothing_to_call(self, platform: Stub) -> None:
        bare = CONNECTION.model_copy(update={"settings": {}})
        assert VOICE.send(hours(), bare, platform.http()) == NotSent(
            problem=Problem.RECONNECT, code="account_sid"
        )


class TestWriting:
    def test_what_a_person_writes_goes_out_as_sms_where_wished(self, platform: Stub) -> None:
        platform.will_answer(201, {"sid": "SM7", "num_segments": "1"})
        assert VOICE.send(answer(), also_by_sms(), platform.http()) == Sent(id="SM7", units=1)
        (call,) = platform.calls
        assert call.path == f"{API}/Messages.json"
        sent = dict(parse_qsl(call.body.decode()))
        assert (sent["To"], sent["From"], sent["Body"]) == (CALLER, US, "La richiamiamo alle 10.")
        assert parse_qs(sent["StatusCallback"].partition("?")[2]) == {"tag": [TAG]}

    def test_and_is_refused_otherwise_for_a_person_has_to_call(self, platform: Stub) -> None:
        outcome = VOICE.send(answer(), CONNECTION, platform.http())
        assert outcome == NotSent(problem=Problem.REFUSED, code="call_back")
        assert platform.calls == []

    def test_hours_that_come_too_late_are_written_where_wished(self, platform: Stub) -> None:
        platform.will_answer(400, OVER)
        platform.will_answer(201, {"sid": "SM7"})
        assert VOICE.send(hours(), also_by_sms(), platform.http()) == Sent(id="SM7", units=1)

    @pytest.mark.parametrize("to", [f"anonymous:{CALL}", "anonymous"])
    def test_nobody_writes_to_a_hidden_number(self, platform: Stub, to: str) -> None:
        platform.will_answer(400, OVER)
        outcome = VOICE.send(hours(to=to), also_by_sms(), platform.http())
        assert outcome == NotSent(problem=Problem.UNREACHABLE, code="call_over")

    def test_nor_to_a_telephone_of_the_internet(self, platform: Stub) -> None:
        outcome = VOICE.send(answer(to="sip:a@example.com"), also_by_sms(), platform.http())
        assert outcome == NotSent(problem=Problem.REFUSED, code="address")


class TestConnect:
    def listed(self, url: str = "", *, voice: bool = True) -> dict[str, Any]:
        number = {
            "sid": "PN7", "phone_number": US, "friendly_name": "Sample", "voice_url": url, "sms_url": "",
            "capabilities": {"voice": voice, "sms": False},
        }  # fmt: skip
        return {"incoming_phone_numbers": [number]}

    def test_numbers_that_can_be_called_are_ours(self, platform: Stub) -> None:
        platform.will_answer(200, self.listed())
        assert VOICE.probe(CONNECTION, platform.http()).accounts == (Account(id=US, name="Sample"),)

    def test_calls_and_their_ends_come_to_us(self, platform: Stub) -> None:
        platform.will_answer(200, self.listed())
        platform.will_answer(200, {})
        assert VOICE.register(CONNECTION, URL, platform.http()) == ""
        sent = dict(parse_qsl(platform.calls[1].body.decode()))
        assert platform.calls[1].path == f"{API}/IncomingPhoneNumbers/PN7.json"
        assert sent == {
            "VoiceUrl": URL,
            "VoiceMethod": "POST",
            "VoiceFallbackUrl": URL,
            "VoiceFallbackMethod": "POST",
            "StatusCallback": f"{URL}?step=ended",
            "StatusCallbackMethod": "POST",
        }

    @pytest.mark.parametrize(
        ("url", "voice", "codes"),
        [
            (URL, True, []),
            ("", True, ["webhook_missing"]),
            ("https://demo.twilio.com/welcome/voice/", True, ["webhook_elsewhere"]),
            (URL, False, ["account_missing"]),
        ],
    )
    def test_what_is_wrong_is_found(self, platform: Stub, url: str, voice: bool, codes: list[str]) -> None:
        platform.will_answer(200, self.listed(url, voice=voice))
        assert [finding.code for finding in VOICE.examine(CONNECTION, URL, platform.http())] == codes
