"""One desk for the whole session, in a folder of its own; every test brings its own customers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.services import desk as desk_seam

from infra.local_desk import LocalDesk
from tests.e2e.stage import Stage, close_connections

LAST = "test_invariants"
"""Looks at what all the others have left behind."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LAST in item.nodeid)


@pytest.fixture(scope="session")
def the_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(tmp_path_factory.mktemp("desk")) as stage:
        yield stage


class running:  # noqa: N801 read as a verb: with running(...)
    """A desk that is up, and an environment that is as it was afterwards."""

    def __init__(self, home: Path, *, auth: bool = False) -> None:
        self._stage = Stage(LocalDesk(home))
        self._auth = auth

    def __enter__(self) -> Stage:
        self._before = dict(os.environ)
        self._stage.start(auth=self._auth)
        return self._stage

    def __exit__(self, *_: object) -> None:
        close_connections()
        self._stage.desk.client.close()
        self._stage.desk.stop()
        os.environ.clear()
        os.environ.update(self._before)
        environment.cache_clear()
        clients.forget()
        desk_seam.use(None)


@pytest.fixture
def stage(the_desk: Stage) -> Stage:
    """The session's desk, with nothing ordered to fail."""
    the_desk.use()
    the_desk.desk.client.clear()
    return the_desk
