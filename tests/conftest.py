"""Tests run side by side (``make test``); a file of tests on a whole desk stays together and in its order."""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ON_A_DESK = ("tests/e2e/", "tests/browser/")
PROCESSES_MOST = 4


class FilesFirst(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """A file of tests on a desk is one process's work, and begun first; any other test is any process's.

    xdist's own ``loadgroup`` writes ``Item._nodeid``, which pytest 9.2 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(ON_A_DESK) else nodeid


def pytest_xdist_auto_num_workers() -> int:
    """One for each core; every process has a desk of its own, which is some more."""
    return min(os.cpu_count() or 1, PROCESSES_MOST)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesFirst:
    return FilesFirst(config, log)
