"""Tests run side by side (``make test``); those on a whole desk stay together and in their order."""

from pathlib import Path

import pytest

TOGETHER = ("e2e", "browser")
"""Rooms whose tests share a desk: one process each, which begins with them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        room = item.path.relative_to(Path(__file__).parent).parts[0]
        if room in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(room))
