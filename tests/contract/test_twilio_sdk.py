"""Our signature and our TwiML beside those of Twilio's own library.

Over every sample of sms and voice, bodies that are broken, and payloads written by others where they
are present: both accept the same signatures and refuse the same ones. Documents for a call have the
elements and attributes that the library writes for the same wish. One difference is meant, see the end.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Dial, VoiceResponse

from sportello.channels import twilio, voice_twiml
from sportello.channels.base import Connection, Request
from tests.contract.corpus import payloads
from tests.contract.corpus_wire import on_the_wire
from tests.contract.mutations import mutated
from tests.contract.samples import Sample, all_samples
from tests.contract.signing import sign

SAMPLES = [sample for channel in ("sms", "voice") for sample in all_samples(channel)]
URL = "https://care.example.com/main"


class Posted(dict[str, list[str]]):
    """A form as web frameworks give it to the library."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def theirs(request: Request, connection: Connection) -> bool:
    url = twilio.public_url(request, connection)
    posted = Posted(parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    validator = RequestValidator(connection.secrets[0])
    return bool(validator.validate(url, posted, request.headers.get("x-twilio-signature", "")))


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_sample_is_signed_as_the_library_signs(sample: Sample) -> None:
    assert theirs(sample.request, sample.connection)
    assert twilio.verified(sample.request, sample.connection)
    for value in (sample.request.headers["x-twilio-signature"][:-2], "x", ""):
        changed = replace(sample.request, headers={"x-twilio-signature": value})
        assert not theirs(changed, sample.connection)
        assert not twilio.verified(changed, sample.connection)


def test_broken_bodies_are_signed_alike() -> None:
    whole = SAMPLES[0]
    for body in mutated([sample.request.body for sample in SAMPLES], 500, Random("twilio")):
        request = sign("sms", whole.connection, replace(whole.request, body=body))
        assert theirs(request, whole.connection)
        assert twilio.verified(request, whole.connection)


@pytest.mark.parametrize("channel", ["sms-twilio", "phone"])
def test_payloads_of_others_are_signed_alike(channel: str) -> None:
    whole = SAMPLES[0]
    for payload in payloads(channel):
        request = replace(whole.request, body=on_the_wire(payload))
        assert theirs(sign("sms", whole.connection, request), whole.connection)
        assert twilio.verified(sign("sms", whole.connection, request), whole.connection)


def _dial() -> VoiceResponse:
    response = VoiceResponse()
    dial = Dial(action=f"{URL}?step=dialled", method="POST", timeout=20, answer_on_bridge=True)
    dial.number(
        "+15550100300",
        status_callback=f"{URL}?step=leg&a=%2B1",
        status_callback_event="answered",
        status_callback_method="POST",
    )
    response.append(dial)
    return response


def _said() -> VoiceResponse:
    response = VoiceResponse()
    response.pause(length=10)
    response.say('Apriamo "domani" & <alle> 9:00 à', language="it-IT")
    response.hangup()
    return response


def _redirected() -> VoiceResponse:
    response = VoiceResponse()
    response.redirect(f"{URL}?step=missed&x=1", method="POST")
    return response


def _voicemail() -> VoiceResponse:
    response = VoiceResponse()
    response.say("Leave a message.", language="en-GB")
    response.record(
        max_length=120,
        play_beep=True,
        action=f"{URL}?step=recorded",
        method="POST",
        recording_status_callback=f"{URL}?step=recording&account=%2B1",
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
        transcribe=True,
        transcribe_callback=f"{URL}?step=transcribed&account=%2B1",
    )
    response.hangup()
    return response


SETTINGS = {"voicemail_en": "Leave a message.", "transcribe": "yes"}
SPEAKING = Connection(name="main", secrets=("t",), settings=SETTINGS)


@pytest.mark.parametrize(
    ("ours", "library"),
    [
        (voice_twiml.dial("+15550100300", f"{URL}?step=dialled", f"{URL}?step=leg&a=%2B1"), _dial),
        (
            voice_twiml.pause()
            + voice_twiml.say('Apriamo "domani" & <alle> 9:00 à', "it")
            + voice_twiml.hang_up(),
            _said,
        ),
        (voice_twiml.redirect(f"{URL}?step=missed&x=1"), _redirected),
        (voice_twiml.voicemail(SPEAKING, "en", URL, {"account": "+1"}), _voicemail),
    ],
)
def test_documents_are_those_of_the_library(ours: str, library: Callable[[], VoiceResponse]) -> None:
    assert _tree(voice_twiml.document(ours)) == _tree(str(library()))


def _tree(document: str) -> Any:
    def part(element: ElementTree.Element) -> Any:
        return (
            element.tag,
            sorted(element.attrib.items()),
            element.text or "",
            [part(inner) for inner in element],
        )

    return part(ElementTree.fromstring(document))


def test_where_we_differ_ours_is_stricter() -> None:
    """An Auth Token that is not there: the library takes the empty one and accepts what it signs."""
    bare = Connection(name="main", secrets=("",), settings={"url": URL})
    request = Request(method="POST", path="/main", body=b"a=1")
    proof = twilio.signature("", URL, [("a", "1")])
    forged = replace(request, headers={"x-twilio-signature": proof})
    assert theirs(forged, bare)
    assert not twilio.verified(forged, bare)
