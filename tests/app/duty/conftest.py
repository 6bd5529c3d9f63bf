"""The clock of the pages, and the night they show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import streamlit as st

from geo_monitor.app.duty import board
from geo_monitor.workspace import Workspace
from tests.app.duty import made


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The wall clock of the pages, to be moved by tests."""
    held = {"ms": made.NOW}
    monkeypatch.setattr(board, "wall_ms", lambda: held["ms"])
    st.cache_resource.clear()
    return held


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    held = made.night(tmp_path_factory.mktemp("night") / "ws")
    held._store.close()
    return held.root


@pytest.fixture
def held(nights: Path, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(nights, tmp_path / "ws"))
