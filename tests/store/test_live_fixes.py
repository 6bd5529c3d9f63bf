"""Fixes of live feeds: stored once, sealed under a receipt, never seen twice or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import sqlalchemy as sql

from geo_monitor.settings import Settings
from geo_monitor.store import Store, live
from geo_monitor.store.rights import Viewer
from geo_monitor.store.schema import DAYS
from geo_monitor.store.seen import Seen
from geo_monitor.store.verify import verify

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


@dataclass(frozen=True)
class Fix:
    unit_id: str
    time: int
    lon: float = 112.0
    lat: float = 30.0
    speed: float | None = 1.0
    heading: float | None = None
    role: str = "traffic"
    source: str | None = "ais"
    platform: str | None = None


def track(unit: str, n: int, start: int = MS) -> list[Fix]:
    return [Fix(unit, start + 1000 * i, 112 + 0.0001 * i, 30.0) for i in range(n)]


def test_a_fix_is_stored_once_and_a_feed_knows_where_it_was(store: Store) -> None:
    fixes = track("a", 3)
    assert live.append(store, "tcp://h:1", "港", fixes, "10", MS, {}) == fixes
    again = live.append(store, "tcp://h:1", "港", [*fixes, Fix("a", MS + 9000)], "20", MS + 5, {"nmea_checksum": 2})
    assert [fix.time for fix in again] == [MS + 9000]
    held = live.feed(store, "tcp://h:1")
    assert held is not None
    assert (held.mark, held.stored, held.repeated, held.refused, held.told) == ("20", 4, 3, 2, {"nmea_checksum": 2})
    table = store.positions()
    assert np.asarray(table["time"].cast("int64")).tolist() == [MS, MS + 1000, MS + 2000, MS + 9000]
    assert set(table["receipt_id"].to_pylist()) == {"live"}
    live.append(store, "tcp://h:1", "港", [], None, MS, {})
    after = live.feed(store, "tcp://h:1")
    assert after is not None and after.mark == "20"  # a source without a mark does not lose it


def test_a_repeat_within_one_batch_counts_once(store: Store) -> None:
    fix = Fix("a", MS)
    assert live.append(store, "f", None, [fix, fix], None, MS, {}) == [fix]


def test_sealing_turns_fixes_into_receipts_and_nothing_is_seen_twice(store: Store) -> None:
    live.append(store, "one", "港", track("a", 50), None, MS, {})
    live.append(store, "two", None, track("b", 30), None, MS, {})
    before = store.positions()
    receipts = live.seal(store, Settings(), NOW + timedelta(minutes=2))
    assert sorted(receipt.rows["accepted"] for receipt in receipts) == [30, 50]
    assert live.count(store) == 0
    after = store.positions()
    assert after.drop_columns("receipt_id").equals(before.drop_columns("receipt_id"))
    assert set(after["receipt_id"].to_pylist()) == {receipt.receipt_id for receipt in receipts}
    noted = {row.receipt_id for row in store.rows(sql.select(DAYS))}
    assert noted == {receipt.receipt_id for receipt in receipts}  # a file of them that goes is missed
    assert live.seal(store, Settings(), NOW) == []
    assert verify(store).troubles == []


def test_what_is_sealed_already_and_comes_again_is_unchanged(store: Store) -> None:
    live.append(store, "one", None, track("a", 5), None, MS, {})
    live.seal(store, Settings(), NOW + timedelta(minutes=1))
    moved = Fix("a", MS + 1000, 113.0, 30.0)  # the same moment elsewhere
    live.append(store, "one", None, [*track("a", 1), *track("a", 2, MS + 60_000), moved], None, MS, {})
    (receipt,) = live.seal(store, Settings(), NOW + timedelta(minutes=2))
    assert receipt.rows == {"read": 4, "accepted": 2, "quarantined": 1, "unchanged": 1, "corrected": 0}
    assert [error.code for error in receipt.errors] == ["device_clash"]
    assert len(store.positions()) == 7
    assert verify(store).troubles == []


def test_sealing_waits_for_nobody_when_told_so(store: Store) -> None:
    from threading import Event, Thread

    live.append(store, "one", None, track("a", 5), None, MS, {})
    holding, done = Event(), Event()

    def writer() -> None:
        with Store(store.root).writing():
            holding.set()
            done.wait(30)

    thread = Thread(target=writer)
    thread.start()
    holding.wait(30)
    try:
        assert live.seal(store, Settings(), NOW, wait=False) == []
        assert live.append(store, "one", None, track("b", 1), None, MS, {})  # a feed never waits for an import
    finally:
        done.set()
        thread.join()
    assert len(live.seal(store, Settings(), NOW)) == 1


def test_as_of_knows_nothing_of_fixes_without_a_receipt(store: Store) -> None:
    live.append(store, "one", None, track("a", 5), None, MS, {})
    assert len(store.positions(as_of=NOW + timedelta(days=1))) == 0


def test_fixes_of_other_agencies_stay_hidden(store: Store) -> None:
    live.append(store, "one", "甲", track("a", 5), None, MS, {})
    live.append(store, "two", "乙", track("b", 3), None, MS, {})
    seen = Seen(store, Viewer("w", "乙", ("commander",), ()), Settings())
    table, number = seen.live()
    assert table["unit_id"].to_pylist() == ["b"] * 3 and len(number) == 3
    assert seen.live(int(number[1]))[0].num_rows == 1
    assert set(seen.positions()["unit_id"].to_pylist()) == {"b"}
    assert seen.newest() == MS + 2000


def test_a_seal_that_falls_over_leaves_the_fixes(store: Store, monkeypatch: object) -> None:
    from geo_monitor.store import audit

    live.append(store, "one", None, track("a", 5), None, MS, {})

    def fall(*told: object, **more: object) -> str:
        raise RuntimeError("power cut")

    monkeypatch.setattr(audit, "append", fall)  # type: ignore[attr-defined]
    try:
        live.seal(store, Settings(), NOW)
    except RuntimeError:
        pass
    else:
        raise AssertionError("it did not fall")
    assert live.count(store) == 5 and len(store.positions()) == 5
    assert not list(store.root.glob("positions/day=*/*.parquet"))


def test_a_feed_stores_while_another_thread_seals(store: Store) -> None:
    """The check of the writer's lock is the writing thread's own: a server's connection is not for two at once."""
    from threading import Thread

    for number in range(20):
        live.append(store, "one", None, track(f"a{number}", 50), None, MS, {})
    failed: list[Exception] = []

    def seal() -> None:
        try:
            for _ in range(5):
                live.seal(store, Settings(), NOW)
        except Exception as error:  # noqa: BLE001  told below
            failed.append(error)

    thread = Thread(target=seal)
    thread.start()
    number = 0
    while thread.is_alive() and number < 500:
        live.append(store, "one", None, track(f"b{number}", 5), None, MS, {})
        number += 1
    thread.join()
    assert failed == []
    assert len(store.positions(columns=["unit_id", "time"])) == 1000 + 5 * number


def test_a_seal_is_judged_as_an_upload_would_be(store: Store) -> None:
    """What is held, and one that clashes: warned of, as in a file; a batch with nothing new is a duplicate."""
    live.append(store, "one", None, track("a", 3), None, MS, {})
    live.seal(store, Settings(), NOW + timedelta(minutes=1))
    live.append(store, "one", None, [*track("a", 1), Fix("a", MS + 1000, 113.0, 30.0)], None, MS, {})
    (receipt,) = live.seal(store, Settings(), NOW + timedelta(minutes=2))
    assert (receipt.status, receipt.rows["unchanged"], receipt.rows["quarantined"]) == ("accepted_with_warnings", 1, 1)
    live.append(store, "one", None, track("a", 2), None, MS, {})
    (again,) = live.seal(store, Settings(), NOW + timedelta(minutes=3))
    assert again.status == "duplicate"
    assert verify(store).troubles == []


def test_the_last_fix_of_each_unit(store: Store) -> None:
    live.append(store, "one", None, track("a", 3), None, MS, {})
    live.seal(store, Settings(), NOW + timedelta(minutes=1))
    live.append(store, "one", None, [*track("b", 2), Fix("a", MS + 9000, 112.5)], None, MS, {})
    found = live.last_fixes(store, NOW - timedelta(hours=1))
    assert found == {"a": (MS + 9000, 112.5, 30.0), "b": (MS + 1000, 112.0001, 30.0)}
    assert live.last_fixes(store, NOW + timedelta(hours=1)) == {}
