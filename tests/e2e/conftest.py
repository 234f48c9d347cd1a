"""One desk for the whole session, in a folder of its own; every test brings its own customers.

When all is done, what must hold of everything that was done on it is looked at.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.engine.package import TEMPLATES
from infra.local_desk import LocalDesk
from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.services import desk as desk_seam
from tests.e2e.invariants import assert_all_was_kept
from tests.e2e.stage import Stage, close_connections


@pytest.fixture(scope="session")
def the_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(tmp_path_factory.mktemp("desk")) as stage:
        yield stage
        stage.use()
        stage.desk.client.clear()
        assert_all_was_kept(stage)


@contextmanager
def running(home: Path, *, auth: bool = False, templates: Path = TEMPLATES) -> Iterator[Stage]:
    """A desk that is up; afterwards the environment is as it was."""
    stage, before = Stage(LocalDesk(home, templates)), dict(os.environ)
    stage.start(auth=auth)
    try:
        _work_only_when_told(stage)
        yield stage
    finally:
        close_connections()
        stage.desk.client.close()
        stage.desk.stop()
        os.environ.clear()
        os.environ.update(before)
        environment.cache_clear()
        clients.forget()
        desk_seam.use(None)


def _work_only_when_told(stage: Stage) -> None:
    """A schedule would let deadlines fall due in the middle of a test."""
    events = stage.desk.deployed.client("events")
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    assert any("Sweeper" in rule for rule in rules), rules
    for rule in rules:
        events.disable_rule(Name=rule)


@pytest.fixture
def stage(the_desk: Stage) -> Stage:
    """The session's desk, with nothing ordered to fail."""
    the_desk.use()
    the_desk.desk.client.clear()
    return the_desk
