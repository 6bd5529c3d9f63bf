"""The page of the tests puts a made-up workspace into the package; no other test may see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import geo_monitor.workspace

collect_ignore = ["page.py"]  # a page, not a module with examples: collecting it would run it
OWN = geo_monitor.workspace.open_workspace  # read before any page runs: pages of a whole module start before its tests


@pytest.fixture(autouse=True)
def _own_workspace_back() -> Iterator[None]:
    yield
    geo_monitor.workspace.open_workspace = OWN
