"""Our reading of every sample, and our signature, beside those of Viber's own library, viberbot."""

from typing import Any

import pytest
from viberbot import Api, BotConfiguration
from viberbot.api.messages import (
    ContactMessage,
    FileMessage,
    LocationMessage,
    PictureMessage,
    StickerMessage,
    TextMessage,
    URLMessage,
    VideoMessage,
)
from viberbot.api.viber_requests import ViberMessageRequest
from viberbot.api.viber_requests.viber_request import ViberRequest

from sportello.domain.events import Inbound, Kind, Media, Receipt
from tests.contract.samples import Sample, all_samples, channel_of

SAMPLES = all_samples("viber")
DIFFERENCES = {
    "client_status": "the library knows no payments and raises; of no consequence for us",
    "picture_without_address": "an empty picture for the library; people see that something came",
    "unknown_event": "the library raises; kept by us with its customer",
    "unknown_event_of_nobody": "the library raises; set aside by us",
    "unknown_kind": "the library raises; kept by us as unsupported",
    "unreadable": "the library passes a time that is none; set aside by us",
}
"""Samples that the two read differently, and why ours is right."""
ALIKE = [pytest.param(sample, id=sample.name) for sample in SAMPLES if sample.name not in DIFFERENCES]
KINDS: dict[type[Any], tuple[Kind, ...]] = {
    TextMessage: (Kind.TEXT, Kind.BUTTON),
    URLMessage: (Kind.TEXT,),
    PictureMessage: (Kind.MEDIA,),
    VideoMessage: (Kind.MEDIA,),
    FileMessage: (Kind.MEDIA,),
    StickerMessage: (Kind.MEDIA,),
    LocationMessage: (Kind.LOCATION,),
    ContactMessage: (Kind.CONTACT,),
}
EVENTS = {
    "subscribed": Kind.SERVICE,
    "unsubscribed": Kind.SERVICE,
    "conversation_started": Kind.START,
    "message": None,
}


def library(sample: Sample) -> Api:
    (token,) = sample.connection.secrets
    return Api(BotConfiguration(auth_token=token, name="Sample Desk", avatar=""))


def read(sample: Sample) -> ViberRequest:
    return library(sample).parse_request(sample.request.body)


def ours(sample: Sample) -> Any:
    (event,) = channel_of("viber").parse(sample.request, sample.connection)
    return event


def test_differences_are_samples() -> None:
    assert set(DIFFERENCES) < {sample.name for sample in SAMPLES}


@pytest.mark.parametrize("sample", [pytest.param(sample, id=sample.name) for sample in SAMPLES])
def test_the_signature_is_the_librarys(sample: Sample) -> None:
    header = sample.request.headers["x-viber-content-signature"]
    assert library(sample).verify_signature(sample.request.body, header)
    assert not library(sample).verify_signature(sample.request.body + b" ", header)


@pytest.mark.parametrize("sample", ALIKE)
def test_events_are_read_alike(sample: Sample) -> None:
    theirs, event = read(sample), ours(sample)
    if isinstance(event, Receipt):
        assert str(theirs.event_type) == {"read": "seen"}.get(event.status, event.status)
        assert (str(theirs.message_token), theirs.user_id) == (event.id, event.customer and event.customer.id)
        assert theirs.timestamp == event.time
    elif isinstance(event, Inbound):
        assert theirs.timestamp == event.time
        person = getattr(theirs, "sender", None) or getattr(theirs, "user", None)
        assert (person.id if person else theirs.user_id) == event.customer.id
        if person:
            assert person.name == event.customer.name
            assert (person.language or "") == event.customer.language
        kind = EVENTS[str(theirs.event_type)]
        assert kind is None or event.kind is kind
    else:
        assert str(theirs.event_type) == "webhook"


MESSAGES = [
    param
    for param in ALIKE
    if isinstance(read(param.values[0]), ViberMessageRequest)  # type: ignore[arg-type]
]


@pytest.mark.parametrize("sample", MESSAGES)
def test_messages_are_read_alike(sample: Sample) -> None:
    theirs, event = read(sample), ours(sample)
    message = theirs.message
    assert str(theirs.message_token) == event.id
    assert event.kind in KINDS[type(message)]
    if isinstance(message, TextMessage | PictureMessage):
        assert (message.text or "") == event.text
    if isinstance(message, PictureMessage | VideoMessage | FileMessage):
        (media,) = event.media
        assert media.url == message.media
    if isinstance(message, VideoMessage | FileMessage):
        assert media.size == message.size
    if isinstance(message, URLMessage):
        assert event.text == message.media
    if isinstance(message, StickerMessage):
        assert event.media == (Media(kind="sticker", id=str(message.sticker_id), url=event.media[0].url),)
    if isinstance(message, LocationMessage):
        assert (event.place.latitude, event.place.longitude) == (
            message.location.latitude,
            message.location.longitude,
        )
    if isinstance(message, ContactMessage):
        assert event.cards[0].name == message.contact.name
        assert event.cards[0].phones == (message.contact.phone_number,)


def test_most_samples_are_messages_that_both_read() -> None:
    assert len(MESSAGES) >= 11
