"""What a page leaves behind in the process that tests it, put back after each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

import geo_monitor.workspace

collect_ignore = ["page.py"]  # a page, not a module with examples: collecting it would run it
OWN = geo_monitor.workspace.open_workspace  # read before any page runs: pages of a whole module start before its tests
MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def _own_workspace_back() -> Iterator[None]:
    """The page of the tests puts a made-up workspace into the package; no other test may see it."""
    yield
    geo_monitor.workspace.open_workspace = OWN


@pytest.fixture(autouse=True)
def _own_main_back() -> Iterator[None]:
    """A page run by Streamlit's tester stands as `__main__`, and every process started later would run it first."""
    yield
    sys.modules["__main__"] = MAIN
