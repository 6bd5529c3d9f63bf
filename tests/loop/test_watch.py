"""A feed into the store: when what came becomes files."""

from __future__ import annotations

import json
from pathlib import Path

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
