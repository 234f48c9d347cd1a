"""Tests run side by side (``make test``); those that share a desk stay together and in their order."""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/e2e/", "tests/browser/")
PROCESSES_MOST = 4


class Rooms(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """A whole room is one process's work, and begun first; any other test is any process's.

    xdist's own ``loadgroup`` writes ``Item._nodeid``, which pytest 9.2 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((room for room in TOGETHER if nodeid.startswith(room)), nodeid)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests on a whole desk wait more than they work."""
    return min((os.cpu_count() or 1) + 1, PROCESSES_MOST)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    return Rooms(config, log)
