"""What many small files cost, and what compacting them brings: python -m benchmarks.compact --folder DIR

A workspace on the shipped river of some live feeds sealed every few minutes (default: a year of 2 feeds, 96 files a day each,
20 boats a feed with a fix a minute). Prints, before and after `compact`, seconds of: listing a year's files with what their
heads say, the newest fix, an hour of one unit, and `analyse` with nothing changed, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-12-31T16:00:00Z")  # midnight in Shanghai
BOATS = 20  # of a feed
STEP_S = 60.0
WEST, EAST = 111.3, 112.2  # the Jingjiang, about


def _sync(path: Path) -> None:
    """Does not wait for the disk."""


def make(root: Path, days: int, feeds: int, per_day: int) -> None:
    """Writes the workspace."""
    from geo_monitor.store import files, positions, schema
    from geo_monitor.workspace import Workspace

    store = Workspace.create(root)._store
    receipts = []
    rng = np.random.default_rng(7)
    home = rng.uniform(WEST, EAST, feeds * BOATS)
    with mock.patch.object(files, "sync", _sync):
        for number in range(days * per_day):
            begin = START + pd.Timedelta(seconds=number * 86_400 / per_day)
            count = round(86_400 / per_day / STEP_S)
            for feed in range(feeds):
                name = f"{begin:%Y%m%dT%H%M%S}-{feed}"
                unit = np.repeat(np.arange(BOATS), count) + feed * BOATS
                second = np.tile(np.arange(count) * STEP_S, BOATS)
                told = (begin.timestamp() + second) / 3600
                rows = pd.DataFrame(
                    {
                        "unit_id": [f"boat-{one:03d}" for one in unit],
                        "time": begin + pd.to_timedelta(second, unit="s"),
                        "lon": np.round(home[unit] + 0.05 * np.sin(told / 5 + unit), 6),
                        "lat": np.round(30.2 + 0.1 * np.sin((home[unit] - WEST) * 9) + 0.002 * np.sin(told), 6),
                        "speed": np.round(3 + np.sin(told), 1),
                        "platform": "boat",
                        "role": "patrol",
                        "source": "gps",
                        "receipt_id": name,
                    }
                )
                positions.write(root / "positions", rows, name)
                rows_of = {"read": len(rows), "accepted": len(rows), "quarantined": 0, "unchanged": 0, "corrected": 0}
                told_of = {"receipt_id": name, "status": "accepted", "rows": rows_of, "quarantine": None, "crs": {}}
                receipts.append(
                    {
                        "receipt_id": name,
                        "kind": "tracks",
                        "file": name,
                        "sha256": name,
                        "agency": f"feed-{feed}",
                        "status": "accepted",
                        "received_at": begin + pd.Timedelta(hours=1),
                        "receipt": json.dumps({"zh": told_of, "en": told_of, "counts": {}}),
                    }
                )
    with store.transaction() as connection:
        schema.insert(connection, "receipts", pd.DataFrame(receipts))


def listing(root: Path) -> None:
    from geo_monitor.store import Store, positions

    positions.said(Store(root).position_parts())


def newest(root: Path) -> None:
    from geo_monitor.store import Store

    store = Store(root)
    store.newest(store.receipts_in_force())


def hour(root: Path) -> None:
    from geo_monitor.store import Store

    start = START + pd.Timedelta(days=3)
    Store(root).positions(start=start, end=start + pd.Timedelta(hours=1), units=["boat-003"])


def analyse(root: Path) -> dict[str, float]:
    from geo_monitor.workspace import Workspace

    timings: dict[str, float] = Workspace(root).analyse().summary["timings"]
    return timings


TASKS: dict[str, Callable[[Path], dict[str, float] | None]] = {
    "listing": listing,
    "newest": newest,
    "hour": hour,
    "analyse": analyse,
}


def timed(root: Path, name: str) -> object:
    """Seconds of one task in a process of its own, the loading of modules apart; of an analysis by stage too."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.compact", "--folder", str(root), "--task", name],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(told.stdout)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--feeds", type=int, default=2)
    asked.add_argument("--per-day", type=int, default=96)
    asked.add_argument("--task", choices=TASKS)
    given = asked.parse_args()
    if given.task:
        from geo_monitor import pipeline  # noqa: F401  not in the clock

        began = time.perf_counter()
        stages = TASKS[given.task](given.folder)
        seconds = round(time.perf_counter() - began, 3)
        print(json.dumps({"all": seconds, **stages} if stages else seconds))
        return
    from geo_monitor.store import Store, compact

    if not given.folder.exists():
        make(given.folder, given.days, given.feeds, given.per_day)
    first = timed(given.folder, "analyse")
    before = {name: timed(given.folder, name) for name in TASKS}
    began = time.perf_counter()
    done = compact.compact(Store(given.folder), datetime.now(UTC))
    seconds = round(time.perf_counter() - began, 1)
    after = {name: timed(given.folder, name) for name in TASKS}
    told = {"first": first, "before": before, "compact": {"seconds": seconds, **vars(done)}, "after": after}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
