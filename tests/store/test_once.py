"""What is asked again and again is asked of the records only after somebody committed something."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo_monitor.store import Store, revisions
from geo_monitor.workspace import Workspace

OTHER = "import sys; from geo_monitor.store import Store; Store(sys.argv[1]).set_meta('told', 'by another')"


@pytest.fixture
def held(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "w")


@pytest.fixture
def asked(held: Workspace, monkeypatch) -> list[object]:
    """What the store is asked."""
    found: list[object] = []
    rows = Store.rows
    monkeypatch.setattr(Store, "rows", lambda self, query: found.append(query) or rows(self, query))
    return found


def everything(held: Workspace) -> tuple[object, ...]:
    """What a tick of a page asks."""
    store = held.store
    return (
        store.mark(), store.mark(tracks=False), store.tracks(), store.live_bounds(), held.accounts.any(),
        held.accounts.stamp(), revisions.mark(held._store, "warnings", "taskings"), held.desk.replayed_to,
    )  # fmt: skip


def test_thirty_sessions_ask_no_more_than_one(held: Workspace, asked: list[object]) -> None:
    first = everything(held)
    once = len(asked)
    assert once
    assert {everything(held) for _ in range(30)} == {first}
    assert len(asked) == once


def test_a_commit_of_this_process_is_known_at_once(held: Workspace, tmp_path: Path) -> None:
    before = everything(held)
    file = tmp_path / "a.csv"
    file.write_text("unit_id,time,lon,lat\n艇1,2026-05-01T22:00:00+08:00,112.1,30.0\n", encoding="utf-8")
    receipt = held.import_file("tracks", file, role="patrol")
    assert held.store.mark() != before[0]
    assert held.store.mark(tracks=False) == before[1]
    assert held.store.tracks() == {receipt.receipt_id}
    held.withdraw(receipt.receipt_id, "重复报送")
    assert held.store.tracks() == frozenset()
    assert not held.accounts.any()
    now = datetime.now(UTC)
    held.accounts.add("管理员", "Yangtze-2026-ban", ["admin"], None, [], now, "local")
    assert held.accounts.any()


def test_a_commit_of_another_process_is_known_at_once(held: Workspace, asked: list[object]) -> None:
    def told() -> str | None:
        return held._store.once("told", lambda: held._store.meta("told"))

    assert told() is None
    subprocess.run([sys.executable, "-c", OTHER, str(held.root)], check=True, timeout=120)
    assert told() == "by another"


def test_what_was_read_of_an_old_moment_is_not_kept(held: Workspace) -> None:
    store = held._store

    def told() -> str | None:
        return store.once("told", lambda: store.meta("told"))

    other = Store(store.root)
    with store.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM receipts").all()  # from here on it is of this moment
        other.set_meta("told", "later")
        assert told() is None
    assert told() == "later"


def test_a_store_that_was_closed_and_is_used_again_asks_anew(held: Workspace) -> None:
    store = held._store
    assert store.once("told", lambda: store.meta("told")) is None
    store.close()
    Store(store.root).set_meta("told", "meanwhile")
    assert store.once("told", lambda: store.meta("told")) == "meanwhile"


def test_an_answer_that_raised_is_asked_again(held: Workspace) -> None:
    def broken() -> str:
        raise ValueError

    with pytest.raises(ValueError):
        held._store.once("q", broken)
    assert held._store.once("q", lambda: "well") == "well"


def test_a_file_that_cannot_be_asked_is_asked_the_long_way(held: Workspace) -> None:
    store = held._store
    store._pulse.close()
    store._pulse._file = str(store.root / "not there")
    assert [store.once("q", lambda answer=answer: answer) for answer in (1, 2)] == [1, 2]
    assert not (store.root / "not there").exists()
