"""Imports killed at any moment, 20 on each store; `checks/kills.py` does 200."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from checks import kills


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal")
def test_a_killed_import_is_all_or_nothing_and_the_next_start_says_which(tmp_path: Path, database: str | None) -> None:
    found = kills.run(database, 20, 11, tmp_path)
    assert sum(found["said"].values()) == 20
    assert min(found["steps"].values()) > 10  # kills by step have where to fall
