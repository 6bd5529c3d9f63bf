"""Stores for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo_monitor.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "ws")
