"""Several people at once, as processes on one workspace."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geo_monitor.errors import Denied, Refused
from geo_monitor.settings import Settings
from geo_monitor.store import Store, audit, database
from geo_monitor.store.accounts import Accounts
from geo_monitor.workspace import Workspace
from tests.store.uploads import fixes, seizures, upload

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def begun(go: Path, work: Callable[..., Any], *given: Any) -> Any:
    """Does `work` as soon as the file `go` is there, so that all begin together."""
    while not go.exists():
        time.sleep(0.001)
    return work(*given)


@contextmanager
def together(folder: Path, count: int) -> Iterator[Callable[..., Future[Any]]]:
    """Gives a function that hands work to one of `count` processes; they begin when the file `go` is there."""
    go = folder / "go"
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        for waiting in [pool.submit(time.sleep, 0.2) for _ in range(count)]:
            waiting.result()  # everything is loaded
        try:
            yield lambda work, *given: pool.submit(begun, go, work, *given)
        finally:
            go.touch()


def sent(root: Path, kind: str, file: Path) -> tuple[str, dict[str, int]]:
    receipt = Workspace(root).import_file(kind, file)
    return receipt.status, receipt.to_json()["rows"]


def report(path: Path, *names: str) -> Path:
    lines = [f"{name},2026-03-01 22:10,112.25,30.30" for name in names]
    path.write_text("\n".join(["案号,查获时间,经度,纬度", *lines, ""]), encoding="utf-8")
    return path


def test_of_the_same_file_sent_twice_at_once_one_is_a_duplicate(store: Store, tmp_path: Path) -> None:
    file = report(tmp_path / "甲.csv", "a", "b")
    with together(tmp_path, 3) as begin:
        told = [begin(sent, store.root, "seizures", file) for _ in range(3)]
        (tmp_path / "go").touch()
    assert Counter(one.result()[0] for one in told) == {"accepted": 1, "duplicate": 2}
    assert sorted(store.records("seizures", all_versions=True)["report_id"]) == ["a", "b"]
    assert len(store.book("receipts")) == 3
    assert audit.verify(store).ok


def test_files_that_overlap_are_judged_one_after_the_other(store: Store, tmp_path: Path) -> None:
    """Row b is in both: whoever comes second finds it held. No order of the two loses or doubles a row."""
    files = [report(tmp_path / "甲.csv", "a", "b"), report(tmp_path / "乙.csv", "b", "c")]
    with together(tmp_path, 2) as begin:
        told = [begin(sent, store.root, "seizures", file) for file in files]
        (tmp_path / "go").touch()
    rows = [one.result()[1] for one in told]
    assert sorted((row["accepted"], row["unchanged"]) for row in rows) == [(1, 1), (2, 0)]
    assert sorted(store.records("seizures", all_versions=True)["report_id"]) == ["a", "b", "c"]


def tried(root: Path, name: str, count: int) -> list[str]:
    """Signs in, wrongly and rightly by turns; gives what became of it."""
    from argon2 import PasswordHasher

    from geo_monitor.store import accounts as of

    of._hasher = lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[assignment]
    store = Store(root)
    accounts = Accounts(store, Settings())
    told = []
    for number in range(count):
        try:
            accounts.viewer(accounts.sign_in(name, "right enough" if number % 2 else "wrong", NOW, "test").token, NOW)
            told.append("in")
        except Denied as error:
            told.append(error.code)
    store.close()
    return told


def kept(root: Path, folder: Path, name: str, count: int) -> None:
    store = Store(root)
    for number in range(count):
        key = f"{name}-{number}"
        store.commit(
            *upload(folder, "tracks", fixes(key, "2026-05-01T15:50:00+00:00", 20), f"t-{key}", content=key.encode())
        )
        rows = seizures(report_id=[f"{key}-a", f"{key}-b"])
        store.commit(*upload(folder, "seizures", rows, f"s-{key}", content=key.encode() * 2))
    store.close()


def test_the_book_stays_one_chain_while_many_write(store: Store, tmp_path: Path) -> None:
    """Sign-ins don't wait for the writer's lock, only for one another; each is a row, hashed over the one before."""
    accounts = Accounts(store, Settings())
    for name in ("甲", "乙"):
        accounts.add(name, "right enough", ["admin"], None, [], NOW, "test")
    before = audit.verify(store).rows
    with together(tmp_path, 4) as begin:
        tries = [begin(tried, store.root, name, 20) for name in ("甲", "乙", "甲")]
        imports = begin(kept, store.root, tmp_path, "x", 5)
        (tmp_path / "go").touch()
    imports.result()
    told = Counter(word for one in tries for word in one.result())
    assert set(told) <= {"in", "sign_in_wrong", "sign_in_locked"}
    found = audit.verify(store)
    assert (found.ok, found.rows - before) == (True, 60 + 10)
    assert len(store.book("receipts")) == 10


def watched(root: Path, done: Path) -> int:
    """Reads over and over until the file `done` is there, slowly within each moment; gives how many moments differed."""
    store, moments = Store(root), set()
    while True:
        last = done.exists()
        with store.reading():
            receipts = store.book("receipts")["receipt_id"].tolist()
            time.sleep(0.02)
            reports = store.records("seizures")["receipt_id"].value_counts().to_dict()
            tracks = store.positions(columns=["receipt_id"]).to_pandas()["receipt_id"].value_counts().to_dict()
        assert reports == {one: 2 for one in receipts if one.startswith("s-")}
        assert tracks == {one: 20 for one in receipts if one.startswith("t-")}
        moments.add(len(receipts))
        if last:
            store.close()
            return len(moments)


def test_a_slow_reader_sees_all_of_an_import_or_nothing(store: Store, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with together(tmp_path, 3) as begin:
        reader = begin(watched, store.root, done)
        writers = [begin(kept, store.root, tmp_path, name, 5) for name in ("x", "y")]
        (tmp_path / "go").touch()
        try:
            for one in writers:
                one.result()
        finally:
            done.touch()
    assert reader.result() > 2


def test_a_database_file_held_for_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a writer of SQLite longer than `WAIT_S` hears of it, and nothing is changed."""
    monkeypatch.setattr(database, "WAIT_S", 0.1)
    store = Store.create(tmp_path / "ws")
    other = Store(store.root)
    with store.transaction(), pytest.raises(Refused) as raised:
        other.set_meta("simulated", "1")
    assert raised.value.code == "database_busy"
    other.set_meta("simulated", "1")
    assert store.meta("simulated") == "1"
