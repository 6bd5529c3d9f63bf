"""Stores for the tests of this folder: every test that asks for `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from geo_monitor.store import Store
from tests import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    with postgres.started() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty database, or None for SQLite in the folder."""
    if request.param == "sqlite":
        return None
    running: postgres.Server = request.getfixturevalue("server")
    return running.url()


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    made = Store.create(tmp_path / "ws", database)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little work: what is tested is who gets in, not how long guessing takes."""
    from argon2 import PasswordHasher

    from geo_monitor.store import accounts

    monkeypatch.setattr(accounts, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
