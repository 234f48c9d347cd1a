"""What holds for every sample webhook of every channel that has a folder in ``events/``."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from sportello.channels.base import Request
from tests.contract.samples import (
    EVENTS,
    Sample,
    all_samples,
    channel_names,
    channel_of,
    function_url_event,
    is_text,
    sample_folders,
)

SAMPLES = [sample for name in sample_folders() for sample in all_samples(name)]
WEBHOOKS = [pytest.param(sample, id=str(sample)) for sample in SAMPLES if sample.response is None]
SIGNED = [
    pytest.param(sample, id=str(sample))
    for sample in SAMPLES
    if sample.response is None and channel_of(sample.channel).webhooks
]
"""What AWS itself hands over carries no signature: IAM decides who may."""
CHALLENGES = [sample for sample in SAMPLES if sample.response is not None]


def with_proof(sample: Sample, value: str | None) -> Request:
    """The request with another proof of who sent it, or without any."""
    request, name = sample.request, sample.signature_header
    if not name.startswith("?"):
        return replace(request, headers=_changed(request.headers, name, value))
    query = _changed(request.query, name[1:], value)
    return replace(request, query=query, raw_query=urlencode(query, quote_via=quote, errors="replace"))


def _changed(values: Mapping[str, str], name: str, value: str | None) -> dict[str, str]:
    assert name in values
    kept = {key: one for key, one in values.items() if key != name}
    return kept if value is None else {**kept, name: value}


def proof_of(sample: Sample) -> str:
    name = sample.signature_header
    return sample.request.query[name[1:]] if name.startswith("?") else sample.request.headers[name]


def holds(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where ``found`` lacks what is expected; dictionaries may hold more, lists may not."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            problem
            for key, value in expected.items()
            for problem in (
                holds(value, found[key], f"{path}.{key}") if key in found else [f"{path}.{key}: missing"]
            )
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            problem
            for index, (one, other) in enumerate(zip(expected, found, strict=True))
            for problem in holds(one, other, f"{path}[{index}]")
        ]
    return [] if expected == found else [f"{path}: expected {expected!r}, found {found!r}"]


def test_every_folder_of_events_is_a_channel_with_samples() -> None:
    folders = sorted(folder.name for folder in EVENTS.iterdir() if folder.is_dir())
    assert folders
    assert folders == channel_names()
    assert all(len(all_samples(name)) >= 10 for name in folders)


@pytest.mark.parametrize("sample", SIGNED)
class TestSignature:
    def test_the_platforms_own_is_accepted(self, sample: Sample) -> None:
        assert channel_of(sample.channel).verify(sample.request, sample.connection)

    def test_one_made_with_the_previous_secret_is_accepted(self, sample: Sample) -> None:
        secrets = ("the-newer-secret", *sample.connection.secrets)
        rotated = sample.connection.model_copy(update={"secrets": secrets})
        assert channel_of(sample.channel).verify(sample.request, rotated)

    def test_one_made_with_another_secret_is_refused(self, sample: Sample) -> None:
        other = sample.connection.model_copy(update={"secrets": ("another-secret",)})
        assert not channel_of(sample.channel).verify(sample.request, other)

    def test_a_missing_header_is_refused(self, sample: Sample) -> None:
        unsigned = with_proof(sample, None)
        assert not channel_of(sample.channel).verify(unsigned, sample.connection)

    @pytest.mark.parametrize("value", ["", " ", "è", "\udcff", "\x00", "x" * 10_000])
    def test_an_odd_header_is_refused(self, sample: Sample, value: str) -> None:
        odd = with_proof(sample, value)
        assert not channel_of(sample.channel).verify(odd, sample.connection)

    @pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
    def test_without_a_stored_secret_nothing_is_accepted(
        self, sample: Sample, secrets: tuple[str, ...]
    ) -> None:
        bare = sample.connection.model_copy(update={"secrets": secrets})
        empty = with_proof(sample, "")
        assert not channel_of(sample.channel).verify(sample.request, bare)
        assert not channel_of(sample.channel).verify(empty, bare)

    def test_a_changed_header_is_refused(self, sample: Sample) -> None:
        value = proof_of(sample)
        for changed in (value[:-1], value + "0", value[:-1] + ("0" if value[-1] != "0" else "1")):
            tampered = with_proof(sample, changed)
            assert not channel_of(sample.channel).verify(tampered, sample.connection)


@pytest.mark.parametrize("sample", [param for param in WEBHOOKS if param.values[0].signs_body])  # type: ignore[union-attr]
def test_a_changed_byte_of_a_signed_body_is_refused(sample: Sample) -> None:
    body = sample.request.body
    for at in (0, len(body) // 2, len(body) - 1):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        tampered = replace(sample.request, body=changed)
        assert not channel_of(sample.channel).verify(tampered, sample.connection)


@pytest.mark.parametrize("sample", WEBHOOKS)
class TestParse:
    def test_events_are_those_expected(self, sample: Sample) -> None:
        events = channel_of(sample.channel).parse(sample.request, sample.connection)
        found = [{"event": type(event).__name__, **event.model_dump(mode="json")} for event in events]
        assert holds(list(sample.expect), found) == []

    def test_twice_is_the_same(self, sample: Sample) -> None:
        channel = channel_of(sample.channel)
        first = channel.parse(sample.request, sample.connection)
        assert list(channel.parse(sample.request, sample.connection)) == list(first)

    def test_it_is_no_challenge(self, sample: Sample) -> None:
        assert channel_of(sample.channel).handshake(sample.request, sample.connection) is None

    def test_the_account_is_one_of_the_connection(self, sample: Sample) -> None:
        accounts = {account.id for account in sample.connection.accounts}
        events = channel_of(sample.channel).parse(sample.request, sample.connection)
        assert {event.account for event in events} <= accounts

    @pytest.mark.parametrize("base64_body", [False, True])
    def test_the_lambda_event_carries_the_same_bytes(self, sample: Sample, base64_body: bool) -> None:
        event = function_url_event(sample.request, base64_body=base64_body)
        body, encoded = event["body"], base64_body or not is_text(sample.request.body)
        assert (base64.b64decode(body) if encoded else body.encode()) == sample.request.body
        assert event["isBase64Encoded"] is encoded


def test_challenges_are_answered() -> None:
    for sample in CHALLENGES:
        answer = channel_of(sample.channel).handshake(sample.request, sample.connection)
        assert answer is not None, str(sample)
        assert holds(sample.response, asdict(answer)) == [], str(sample)
