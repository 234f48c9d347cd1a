"""Every webhook that others published is read: no exception, and nothing without a named reason.

Runs where the payloads are present (``corpus.py``); ``pytest -s`` prints the table of what was read.
"""

from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from sportello.channels.base import Account, Channel, Connection, Request
from sportello.domain.events import Ignored, Inbound, PlatformEvent, Unreadable
from tests.contract.corpus import NOT_INBOUND, Payload, broken, folders, payloads, reasons
from tests.contract.corpus_wire import SAMPLES_OF, on_the_wire
from tests.contract.samples import all_samples, channel_of, sample_folders

CONTENT_TYPES = {"xml": "text/xml", "eml": "message/rfc822", "txt": "application/x-www-form-urlencoded"}

BROKEN = {
    (
        "telegram",
        "chatwoot-chatwoot__in_creates-appropriate-conversations-message-and-contacts_10",
    ): "published with a placeholder in place of the message",
    ("telegram", "public-source__business_connection_invalid"): "published as broken: the id is missing",
    ("phone", "nyaruka-mailroom__twilio_handle-resume-call-forwarding-result"): "published without its call",
    ("phone", "public-source__twilio_dial_result_no_answer"): "published without its call",
    ("viber", "nyaruka-courier__in_unexpected_event"): "published as unknown, and it names nobody",
    ("wechat", "nyaruka-courier__in_missing_params_required"): "published as broken: its user is missing",
}


def built(folder: str) -> bool:
    channel = SAMPLES_OF.get(folder, folder).partition("/")[0]
    return find_spec(f"sportello.channels.{channel}") is not None if channel.isidentifier() else False


def connection_of(folder: str) -> Connection:
    samples = SAMPLES_OF.get(folder, folder)
    if samples in sample_folders():
        return all_samples(samples)[0].connection
    return Connection(name="main", secrets=("fake",), accounts=(Account(id="1"),))


def read(channel: Channel, payload: Payload) -> list[PlatformEvent]:
    request = Request(
        method="POST", path="/main", headers={"content-type": "application/json"}, body=on_the_wire(payload)
    )
    return list(channel.parse(request, connection_of(payload.channel)))


def kind_of(event: PlatformEvent) -> str:
    name = type(event).__name__
    return f"{name} {event.kind}" if isinstance(event, Inbound) else name


def complaints(payload: Payload, events: list[PlatformEvent]) -> Iterator[str]:
    if not events:
        yield "no event at all"
    for event in events:
        if isinstance(event, Ignored) and not event.why.strip():
            yield "ignored without a reason"
        known = (payload.channel, payload.name) in BROKEN or payload.name in broken(payload.channel)
        if isinstance(event, Unreadable) and not known:
            yield f"unreadable: {event.why}"


@pytest.mark.parametrize("channel", [name for name in folders() if built(name)] or [None])
def test_all_that_others_published_is_read(channel: str | None) -> None:
    found = [payload for payload in payloads(channel) if payload.inbound] if channel else []
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    for payload in found:
        events = read(channel_of(SAMPLES_OF.get(payload.channel, payload.channel)), payload)
        kinds.update(kind_of(event) for event in events)
        wrong += [f"{payload.name}: {complaint}" for complaint in complaints(payload, events)]
    print(f"\n{channel or 'no corpus here'}: {len(found)} webhooks")
    for kind, count in sorted(kinds.items()):
        print(f"  {count:4}  {kind}")
    assert wrong == []


def test_what_is_no_webhook_is_named_with_its_reason() -> None:
    assert all(reason.strip() for listed in reasons().values() for reason in listed.values())
    for channel in folders():
        present = {payload.name for payload in payloads(channel)}
        assert set(reasons().get(channel, {})) <= present, f"{NOT_INBOUND.name} names what is not there"


ELSEWHERE = {
    "aws-transport": "envelopes of Lambda, SNS and SQS, not a platform's webhooks",
    "rcs": "RCS by Google's own API is no channel of the desk; by Twilio and AWS it comes with SMS",
}


def test_every_folder_is_read_or_named_with_its_reason() -> None:
    assert [name for name in folders() if not built(name) and name not in ELSEWHERE] == []
