"""Every sample of every channel through the core: stored once, and a redelivery changes nothing."""

import time
from typing import Any

import pytest

from sportello.domain.events import Inbound
from sportello.services.context import Context
from sportello.services.ingest import ingest
from tests.contract.samples import Sample, all_samples, channel_names, channel_of
from tests.integration.stage import CLOSED, SALT, Stage, heard, scan

SAMPLES = [
    pytest.param(sample, id=str(sample))
    for name in channel_names()
    for sample in all_samples(name)
    if sample.response is None
]


def deliver(stage: Stage, sample: Sample) -> dict[str, int]:
    channel = channel_of(sample.channel)
    context = Context(
        channel=channel,
        connection=sample.connection,
        desk=stage.desk,
        salt=SALT,
        now=lambda: stage.now,
        deadline=time.monotonic() + 20,
    )
    ingest(context, sample.request, channel.parse(sample.request, sample.connection))
    return dict(context.counts)


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_is_stored_once_and_ignored_when_it_comes_again(stage: Stage, sample: Sample) -> None:
    stage.now = CLOSED
    expected = [event for event in sample.expect if event["event"] == Inbound.__name__]
    first = deliver(stage, sample)
    assert first.get("stored", 0) == len(expected), first
    assert len(unsupported()) == sum(event.get("kind") == "unsupported" for event in expected)
    before = stored()
    again = deliver(stage, sample)
    assert again.get("stored", 0) == 0, again
    assert stored() == before


def unsupported() -> list[dict[str, Any]]:
    """What nobody here knows: kept as it came, or named where it holds what must not be kept."""
    found = [row for row in heard() if row.get("kind") == "unsupported"]
    assert all(row.keys() & {"fragment", "fragment_at", "detail"} for row in found)
    return found


def stored() -> list[dict[str, Any]]:
    """All rows but receipts: one that came before its thread finds it the second time."""
    return [row for row in scan() if not row["SK"].startswith("R#")]
