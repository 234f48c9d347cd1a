"""A call from its first ring to voicemail: what is kept of it, and what the caller hears."""

from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

import pytest

from sportello.channels.base import Account, Connection, MediaGone, Outbound, Problem, Request, Unparseable
from sportello.channels.voice import Voice
from sportello.domain.events import OWING, Edit, Ignored, Inbound, Kind, Media, PlatformEvent, Unreadable
from tests.contract.samples import all_samples

VOICE = Voice()
URL = "https://care.example.com/main"
ACCOUNT = "AC" + "0" * 31 + "1"
US, CALLER, PHONE = "+390000000100", "+390000000201", "+390000000300"
CALL = "CA" + "0" * 31 + "1"
WORDS = {"voicemail_it": "Lasci un messaggio.", "voicemail_en": "Leave a message."}
CONNECTION = Connection(
    name="main",
    secrets=("a-token",),
    accounts=(Account(id=US),),
    settings={"account_sid": ACCOUNT, "url": URL, "forward": PHONE, **WORDS},
)


def without(*names: str, **more: str) -> Connection:
    kept = {name: value for name, value in CONNECTION.settings.items() if name not in names}
    return CONNECTION.model_copy(update={"settings": kept | more})


def request(form: dict[str, str] | str, query: str = "") -> Request:
    body = form if isinstance(form, str) else urlencode(form)
    return Request(
        method="POST",
        path="/main",
        query=dict(parse_qsl(query, keep_blank_values=True)),
        raw_query=query,
        headers={"host": "care.example.com"},
        body=body.encode(),
    )


def call(**changes: str) -> dict[str, str]:
    base = {"CallSid": CALL, "CallStatus": "ringing", "Direction": "inbound", "From": CALLER, "To": US}
    return base | {"FromCountry": "IT"} | changes


class Heard:
    """What the platform does with our answer: the verbs, and where each leads."""

    def __init__(
        self, form: dict[str, str], query: str = "", connection: Connection = CONNECTION, **open: bool
    ):
        sent = request(form, query)
        self.event: PlatformEvent = VOICE.parse(sent, connection)[0]
        answer = VOICE.acknowledge(sent, connection, lambda: open["is_open"])
        assert answer.content_type.startswith("text/xml")
        root = ElementTree.fromstring(answer.body)
        assert root.tag == "Response"
        self.verbs = list(root)

    @property
    def tags(self) -> list[str]:
        return [verb.tag for verb in self.verbs]

    def query(self, tag: str, attribute: str = "") -> str:
        """The query of the address that a verb leads to."""
        verb = next(inner for verb in self.verbs for inner in verb.iter() if inner.tag == tag)
        url = verb.attrib[attribute] if attribute else verb.text or ""
        address, _, query = url.partition("?")
        assert address == URL
        return query


class TestOpen:
    def test_the_desks_own_phone_rings_and_nothing_is_missed_yet(self) -> None:
        heard = Heard(call(), is_open=True)
        assert isinstance(heard.event, Ignored)
        assert heard.tags == ["Dial"]
        assert [number.text for number in heard.verbs[0]] == [PHONE]

    def test_taken_it_leaves_a_notice_and_its_end_is_no_missed_call(self) -> None:
        rings = Heard(call(), is_open=True)
        leg = {
            "CallSid": "CA9",
            "ParentCallSid": CALL,
            "CallStatus": "in-progress",
            "From": CALLER,
            "To": PHONE,
        }
        taken = Heard(leg, rings.query("Number", "statusCallback"), is_open=True)
        assert isinstance(taken.event, Inbound)
        assert (taken.event.kind, taken.event.detail, taken.event.account) == (Kind.SERVICE, "call_taken", US)
        assert taken.event.kind not in OWING
        assert taken.tags == []
        over = Heard(
            call(CallStatus="in-progress", DialCallStatus="completed"),
            rings.query("Dial", "action"),
            is_open=True,
        )
        assert over.tags == ["Hangup"]
        ended = Heard(call(CallStatus="completed"), "step=ended", is_open=True)
        assert isinstance(over.event, Inbound)
        assert isinstance(ended.event, Inbound)
        one = {
            (event.id, event.customer.id, event.account) for event in (taken.event, over.event, ended.event)
        }
        assert len(one) == 1, "stored once: whichever comes first says what it was"

    @pytest.mark.parametrize("how", ["no-answer", "busy", "failed", "canceled"])
    def test_not_taken_it_is_a_request_to_be_called(self, how: str) -> None:
        query = Heard(call(), is_open=True).query("Dial", "action")
        heard = Heard(call(CallStatus="in-progress", DialCallStatus=how), query, is_open=True)
        assert isinstance(heard.event, Inbound)
        assert heard.event.kind is Kind.CALL
        assert heard.event.kind in OWING
        assert heard.tags == ["Say", "Record", "Hangup"], "open: nobody waits for hours that are not said"

    def test_without_a_phone_of_its_own_every_call_is_one(self) -> None:
        heard = Heard(call(), connection=without("forward"), is_open=True)
        assert isinstance(heard.event, Inbound)
        assert heard.event.kind is Kind.CALL
        assert heard.tags == ["Say", "Record", "Hangup"]

    def test_hanging_up_while_it_rings_is_one_too(self) -> None:
        for status in ("no-answer", "canceled", "completed", "busy", "failed"):
            heard = Heard(call(CallStatus=status), "step=ended", is_open=True)
            assert isinstance(heard.event, Inbound)
            assert heard.event.kind is Kind.CALL
            assert heard.tags == []


class TestClosed:
    def test_the_line_is_held_for_the_hours_and_then_takes_a_message(self) -> None:
        first = Heard(call(), is_open=False)
        assert isinstance(first.event, Ignored)
        assert first.tags == ["Redirect"]
        heard = Heard(call(), first.query("Redirect"), is_open=False)
        assert isinstance(heard.event, Inbound)
        assert heard.event.kind is Kind.CALL
        assert heard.event.context == {"call": CALL}
        assert heard.tags == ["Pause", "Say", "Record", "Hangup"]

    def test_without_a_phone_of_its_own_it_is_held_at_once(self) -> None:
        heard = Heard(call(), connection=without("forward"), is_open=False)
        assert heard.tags == ["Pause", "Say", "Record", "Hangup"]

    def test_nothing_is_recorded_without_the_words_that_say_so(self) -> None:
        for spoken in ("voicemail_it", "voicemail_en"):
            country = {"voicemail_it": "IT", "voicemail_en": "GB"}[spoken]
            number = {"voicemail_it": CALLER, "voicemail_en": "+440000000201"}[spoken]
            bare = without(spoken)
            heard = Heard(call(FromCountry=country, From=number), "step=missed", bare, is_open=False)
            assert heard.tags == ["Pause", "Hangup"]

    def test_words_are_said_as_they_are(self) -> None:
        odd = without(voicemail_it='"Ciao" & <Hangup/>\x00')
        heard = Heard(call(), "step=missed", odd, is_open=False)
        assert heard.tags == ["Pause", "Say", "Record", "Hangup"]
        assert heard.verbs[1].text == '"Ciao" & <Hangup/> '


class TestVoicemail:
    def recorded(self, **changes: str) -> dict[str, str]:
        url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE1"
        base = {"CallSid": CALL, "RecordingSid": "RE1", "RecordingUrl": url, "RecordingStatus": "completed"}
        return base | {"RecordingDuration": "17"} | changes

    @pytest.mark.parametrize("number", [CALLER, "anonymous", "", "+266696687", "sip:a&b=c@example.com"])
    def test_it_stands_in_the_callers_own_thread(self, number: str) -> None:
        missed = Heard(call(From=number), "step=missed", is_open=False)
        heard = Heard(self.recorded(), missed.query("Record", "recordingStatusCallback"), is_open=False)
        assert isinstance(missed.event, Inbound)
        assert isinstance(heard.event, Inbound)
        assert heard.event.customer.id == missed.event.customer.id
        assert heard.event.customer.address == missed.event.customer.address
        assert heard.event.account == missed.event.account == US
        assert heard.event.media[0].seconds == 17
        assert heard.tags == []

    def test_what_a_machine_heard_becomes_its_text(self) -> None:
        english = without(transcribe="yes")
        missed = Heard(call(From="+440000000201", FromCountry="GB"), "step=missed", english, is_open=False)
        said = {
            "CallSid": CALL,
            "RecordingSid": "RE1",
            "TranscriptionStatus": "completed",
            "TranscriptionText": "Hi.",
        }
        heard = Heard(said, missed.query("Record", "transcribeCallback"), is_open=False)
        assert isinstance(heard.event, Edit)
        assert (heard.event.original, heard.event.text) == ("RE1", "Hi.")
        assert heard.event.customer.id == "+440000000201"

    def test_only_english_is_written_down(self) -> None:
        italian = Heard(call(), "step=missed", without(transcribe="yes"), is_open=False)
        assert "transcribe" not in italian.verbs[2].attrib
        unwished = Heard(call(FromCountry="GB", From="+44000000020"), "step=missed", is_open=False)
        assert "transcribe" not in unwished.verbs[2].attrib

    def test_words_without_their_recording_are_not_lost(self) -> None:
        said = {"CallSid": CALL, "From": CALLER, "To": US, "TranscriptionText": "Call me."}
        heard = Heard(said, is_open=False)
        assert isinstance(heard.event, Inbound)
        assert (heard.event.kind, heard.event.text) == (Kind.TEXT, "Call me.")

    def test_it_is_not_copied_where_the_desk_does_not_want_it(self) -> None:
        sent = request(self.recorded(), "step=recording&account=%2B390000000100&caller=%2B390000000201")
        (event,) = VOICE.parse(sent, without(keep_recordings="no"))
        assert isinstance(event, Inbound)
        assert not event.media[0].keep

    @pytest.mark.parametrize(
        ("started", "time"),
        [
            ("Mon, 23 Nov 2026 19:15:00 +0000", 1_795_461_300_000),
            ("Mon, 23 Nov 2026 20:15:00 +0100", 1_795_461_300_000),
            ("", None),
            ("yesterday", None),
            ("Mon, 99 Nov 2026 99:99:99 +0000", None),
            ("Mon, 23 Nov 99999999 19:15:00 +0000", None),
        ],
    )
    def test_its_time_is_when_it_began(self, started: str, time: int | None) -> None:
        (event,) = VOICE.parse(request(self.recorded(RecordingStartTime=started)), CONNECTION)
        assert isinstance(event, Inbound)
        assert event.time == time

    def test_the_caller_hangs_up_or_speaks_to_the_end(self) -> None:
        heard = Heard(
            call(CallStatus="in-progress", RecordingUrl="https://x"), "step=recorded", is_open=False
        )
        assert heard.tags == ["Hangup"]
        assert isinstance(heard.event, Ignored)

    def test_the_file_is_fetched_from_twilio_alone(self) -> None:
        media = Media(kind="voice", id="RE1", url="https://api.twilio.com/x/RE1.mp3")
        assert VOICE.download(media, CONNECTION, http=None).headers["authorization"]  # type: ignore[arg-type]
        with pytest.raises(MediaGone):
            VOICE.download(media.model_copy(update={"url": "https://example.com/RE1.mp3"}), CONNECTION, None)  # type: ignore[arg-type]


class TestCallers:
    @pytest.mark.parametrize(
        "number",
        [
            "", " ", "anonymous", "Anonymous", "Restricted", "unknown", "Unavailable", "PRIVATE",
            "0", "+", "+1",
            "+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+7748283", "266696687",
            "x" * 100,
        ],
    )  # fmt: skip
    def test_who_hides_is_never_merged(self, number: str) -> None:
        found = []
        for sid in (CALL, CALL[:-1] + "2"):
            heard = Heard(call(CallSid=sid, From=number, FromCountry=""), "step=missed", is_open=False)
            assert isinstance(heard.event, Inbound)
            assert heard.event.customer.id == heard.event.customer.address == f"anonymous:{sid}"
            assert heard.event.detail == "hidden_number"
            found.append(heard.event.customer.id)
        assert len(set(found)) == 2

    def test_no_machine_speaks_to_our_own_number(self) -> None:
        """Nor does an SMS follow, which our own number would answer."""
        alone = CONNECTION.model_copy(update={"settings": {"url": URL}})
        for number, why in ((US, "own_address"), (CALLER, "")):
            event = Heard(call(From=number), connection=alone, is_open=False).event
            assert isinstance(event, Inbound)
            assert event.automatic == why

    def test_a_number_is_the_same_caller_each_time(self) -> None:
        found = set()
        for sid in (CALL, CALL[:-1] + "2"):
            (event,) = VOICE.parse(request(call(CallSid=sid), "step=missed"), CONNECTION)
            assert isinstance(event, Inbound)
            found.add(event.customer.id)
        assert found == {CALLER}

    @pytest.mark.parametrize(
        ("number", "country", "language"),
        [
            (CALLER, "IT", "it"), (CALLER, "", "it"), ("+378000000201", "SM", "it"),
            ("+440000000201", "GB", "en"),
            ("+490000000201", "DE", "en"), ("+490000000201", "", "en"), ("anonymous", "", "it"),
        ],
    )  # fmt: skip
    def test_each_is_spoken_to_in_a_language(self, number: str, country: str, language: str) -> None:
        heard = Heard(call(From=number, FromCountry=country), "step=missed", is_open=False)
        assert isinstance(heard.event, Inbound)
        assert heard.event.customer.language == language
        assert heard.verbs[1].attrib["language"] == {"it": "it-IT", "en": "en-GB"}[language]

    def test_the_desk_says_in_which_it_speaks_to_the_hidden(self) -> None:
        (event,) = VOICE.parse(request(call(From="", FromCountry=""), "step=missed"), without(language="en"))
        assert isinstance(event, Inbound)
        assert event.customer.language == "en"

    def test_the_older_names_do_where_the_newer_ones_lack(self) -> None:
        (event,) = VOICE.parse(
            request({"CallSid": CALL, "Caller": CALLER, "Called": US}, "step=missed"), CONNECTION
        )
        assert isinstance(event, Inbound)
        assert (event.customer.id, event.account) == (CALLER, US)

    @pytest.mark.parametrize("sid", ["", "x" * 65, "../CA1", "CA 1"])
    def test_a_call_without_its_id_is_kept_for_people(self, sid: str) -> None:
        (event,) = VOICE.parse(request(call(CallSid=sid), "step=missed"), CONNECTION)
        assert isinstance(event, Unreadable)
        assert CALLER not in event.why


class TestOdd:
    @pytest.mark.parametrize("body", ["", "a=b", "\x00", "{}"])
    def test_what_is_no_call_is_told_and_answered_all_the_same(self, body: str) -> None:
        with pytest.raises(Unparseable):
            VOICE.parse(request(body), CONNECTION)
        answer = VOICE.acknowledge(request(body), CONNECTION, lambda: True)
        assert ElementTree.fromstring(answer.body).tag == "Response"

    def test_json_that_is_none_is_answered(self) -> None:
        broken = request("{", "bodySHA256=x")
        assert (
            ElementTree.fromstring(VOICE.acknowledge(broken, CONNECTION, lambda: True).body).tag == "Response"
        )

    def test_every_sample_is_answered_with_a_document(self) -> None:
        for sample in all_samples("voice"):
            for is_open in (True, False):
                answer = VOICE.acknowledge(sample.request, sample.connection, lambda is_open=is_open: is_open)  # type: ignore[misc]
                assert ElementTree.fromstring(answer.body).tag == "Response"

    def test_a_status_that_is_new_is_let_go(self) -> None:
        (event,) = VOICE.parse(request(call(CallStatus="x" * 99)), CONNECTION)
        assert event == Ignored(account=US, why=f"call {'x' * 32}")

    def test_a_leg_that_nobody_took_tells_nothing(self) -> None:
        (event,) = VOICE.parse(request(call(CallStatus="no-answer"), "step=leg"), CONNECTION)
        assert isinstance(event, Ignored)

    def test_a_hidden_caller_cannot_be_written_to(self) -> None:
        message = Outbound(account=US, to=f"anonymous:{CALL}", text="Ciao")
        assert VOICE.refusal(message, None, 0) is None, "the hours are said while the call lasts"
        by_person = message.model_copy(update={"by_person": True})
        assert VOICE.refusal(by_person, None, 0) is Problem.UNREACHABLE
