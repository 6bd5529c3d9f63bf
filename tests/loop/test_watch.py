"""A feed into the store: when what came becomes files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from unittest import mock

import pytest

from geo_monitor.loop import watch
from geo_monitor.loop.watch import Watch
from geo_monitor.workspace import Workspace
from tests.loop.conftest import MS


def lines(first: int, count: int) -> str:
    told = ({"unit_id": "船", "time": MS + n * 1000, "lon": 112.0, "lat": 30.0} for n in range(first, first + count))
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told)


@pytest.mark.parametrize(
    ("count", "seconds", "sealed"), [(9, 119, 0), (9, 121, 0), (9, 901, 1), (10, 119, 0), (10, 121, 1)]
)
def test_a_quiet_feed_is_sealed_seldom_and_a_busy_one_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, seconds: float, sealed: int
) -> None:
    held = Workspace.create(tmp_path / "ws")
    (held.root / "settings.toml").write_text("feed_seal_fixes = 10\n", encoding="utf-8")
    file = tmp_path / "fixes.jsonl"
    file.write_text(lines(0, count), encoding="utf-8")
    watching = Watch(Workspace(held.root), str(file), event_clock=True)
    clock = watch.time.monotonic()
    batch = watching._source.read(0.5)
    assert batch is not None
    watching._store_sorted(batch, watching._sort(batch.fixes))
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock + seconds)
    watching._seal_now_and_then()
    assert len(watching.done.receipts) == sealed
    watching._seal_now_and_then()  # the time until the next begins anew
    assert len(watching.done.receipts) == sealed
    watching._source.close()


def test_a_watch_compacts_days_that_are_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the night before, whose files are many; not the day that goes on, nor one that ended a while ago."""
    held = Workspace.create(tmp_path / "ws")
    (held.root / "settings.toml").write_text("compact_files = 3\n", encoding="utf-8")
    now = datetime.fromisoformat("2026-06-02T07:00:00+08:00")
    sent = {"2026-05-31": 2, "2026-06-01": 3, "2026-06-02": 4}
    for day, count in sent.items():
        for n in range(count):
            path = tmp_path / f"{day}-{n}.csv"
            path.write_text(f"unit,time,lon,lat\n船,{day}T0{n}:00:00+08:00,112.0,30.0\n", encoding="utf-8")
            assert held.import_file("tracks", path).rows["accepted"] == 1
    file = tmp_path / "fixes.jsonl"
    file.write_text("", encoding="utf-8")
    watching = Watch(Workspace(held.root), str(file))
    for hour, left in ((5, 3), (7, 1), (7, 1)):
        monkeypatch.setattr(watch, "datetime", mock.Mock(now=lambda zone, hour=hour: now.replace(hour=hour)))
        watching._seal_quietly()
        files = {day: len(list((held.root / "positions" / f"day={day}").iterdir())) for day in sent}
        assert files == {**sent, "2026-06-01": left}
    watching._source.close()
    book = held.table("audit")
    assert book.loc[book["action"] == "compact", ["who", "subject"]].to_numpy().tolist() == [["watch", "2026-06-01"]]
    assert len(held.table("positions")) == 9
