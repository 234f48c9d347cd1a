"""One world and one function of ours per test."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.world.client import WorldClient
from infra.world.server import World
from tests.unit.world.calls import Desk, set_up


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def world(desk: Desk) -> Iterator[WorldClient]:
    with World() as running:
        client = running.client()
        client.setup(set_up(desk))
        yield client
        client.close()


@pytest.fixture
def ses(world: WorldClient) -> Any:
    return boto3.client(
        "sesv2",
        endpoint_url=world.url,
        region_name="eu-south-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
