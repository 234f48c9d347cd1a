# mypy: disable-error-code="import-untyped"
"""Our reading of every sample, and our signature, beside those of LINE's own library, line-bot-sdk."""

from typing import Any

import pytest
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.models.events import UnknownEvent
from linebot.v3.webhook import WebhookParser, WebhookPayload
from linebot.v3.webhooks import Event, MessageEvent

from sportello.channels.base import Request
from sportello.channels.line import Line
from sportello.domain.events import Connected, Delete, Edit, Ignored, Inbound, PlatformEvent
from tests.contract.samples import Sample, all_samples

LINE = Line()
SAMPLES = all_samples("line")
DIFFERENCES = {
    "batch": "a text without an id is a message to the library; ours names what is missing and goes on",
    "unknown_event": "nothing but its type is left with the library; kept by us with its customer",
    "unknown_message": "the library loses what it does not know; kept by us as it came",
}
"""Samples that the two read differently, and why ours is right."""
ALIKE = [pytest.param(sample, id=sample.name) for sample in SAMPLES if sample.name not in DIFFERENCES]


def read(sample: Sample) -> WebhookPayload:
    parser = WebhookParser(sample.connection.secrets[0])
    signature = sample.request.headers["x-line-signature"]
    return parser.parse(sample.request.body.decode(), signature, as_payload=True)


def id_of(event: Event) -> str:
    return str(event.message.id if isinstance(event, MessageEvent) else event.webhook_event_id)


def source_of(event: Event) -> str:
    source = event.source
    return str(getattr(source, "group_id", None) or getattr(source, "room_id", None) or source.user_id)


@pytest.mark.parametrize("sample", ALIKE)
def test_the_two_agree(sample: Sample) -> None:
    theirs, ours = read(sample), LINE.parse(sample.request, sample.connection)
    assert [event.account for event in ours] == [theirs.destination] * len(ours)
    assert len(ours) == max(len(theirs.events), 1)
    for one, other in zip(theirs.events, ours, strict=False):
        assert not isinstance(one, UnknownEvent)
        agree(one, other)


def agree(theirs: Any, ours: PlatformEvent) -> None:
    if isinstance(ours, Ignored):
        assert ours.why in (theirs.type, "rich menu switched")
        return
    if isinstance(ours, Connected):
        assert (ours.detail, ours.time) == (theirs.type, theirs.timestamp)
        return
    assert isinstance(ours, Inbound | Edit | Delete)
    assert ours.time == theirs.timestamp
    assert ours.customer.id == source_of(theirs)
    if isinstance(ours, Delete):
        assert ours.originals == (theirs.unsend.message_id,)
        return
    message: Any = getattr(theirs, "message", None)
    assert ours.text in (getattr(message, "text", None) or "", *_picked(theirs))
    if isinstance(ours, Edit):
        assert ours.original == message.id
        return
    assert ours.id == id_of(theirs)
    assert ours.context.get("reply_token") == getattr(theirs, "reply_token", None)
    for media in ours.media:
        named = {message.id, f"{getattr(message, 'package_id', '')}/{getattr(message, 'sticker_id', '')}"}
        assert media.id in named
        assert media.size == getattr(message, "file_size", None)
        assert media.url == (
            getattr(getattr(message, "content_provider", None), "original_content_url", None) or ""
        )
    if ours.place:
        assert (ours.place.latitude, ours.place.longitude) == (message.latitude, message.longitude)


def _picked(theirs: Any) -> list[str]:
    postback = getattr(theirs, "postback", None)
    return [*(postback.params or {}).values(), postback.data.partition("\n")[2]] if postback else []


@pytest.mark.parametrize("name", DIFFERENCES)
def test_where_they_differ_they_still_do(name: str) -> None:
    (sample,) = [sample for sample in SAMPLES if sample.name == name]
    theirs = read(sample).events
    ours = LINE.parse(sample.request, sample.connection)
    assert len(theirs) == len(ours)
    assert any(isinstance(event, UnknownEvent) or id_of(event) == "None" for event in theirs)
    assert any(isinstance(event, Inbound) for event in ours)


@pytest.mark.parametrize("sample", [pytest.param(sample, id=sample.name) for sample in SAMPLES])
def test_the_signatures_agree(sample: Sample) -> None:
    read(sample)  # raises where it does not hold
    tampered = sample.request.body.replace(b"Ub", b"Uc", 1)
    changed = Request(method="POST", headers=sample.request.headers, body=tampered)
    assert not LINE.verify(changed, sample.connection)
    with pytest.raises(InvalidSignatureError):
        WebhookParser(sample.connection.secrets[0]).parse(
            tampered.decode(), sample.request.headers["x-line-signature"]
        )
