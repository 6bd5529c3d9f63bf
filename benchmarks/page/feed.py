"""Stores a new fix of every unit again and again, as an agency would: `python -m benchmarks.page.feed PLAN`.

Writes for each feed the longitude of the marked unit, and when its import began and ended (`time.time()`).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page import world
from geo_monitor.workspace import open_workspace


def feed(root: Path, count: int, every_s: float, name: str, stop: Path) -> list[dict[str, Any]]:
    """Feeds `count` units and the one marked by `name` every `every_s` seconds until `stop` is there."""
    import pandas as pd

    workspace = open_workspace(root)
    units = world.fleet(workspace, count)
    told, due, number = [], time.monotonic(), 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fixes.csv"
        while not stop.exists():
            now = time.time()
            mark = world.marker(units, name, now, number)
            pd.concat([world.fixes(units, np.array([now])), mark]).to_csv(path, index=False)
            begun = time.time()
            world.taken(workspace, "tracks", path, agency="模拟长航公安")
            told.append({"lon": float(mark["lon"].iloc[0]), "begun": begun, "stored": time.time()})
            number, due = number + 1, due + every_s
            while time.monotonic() < due and not stop.exists():
                time.sleep(0.1)
    return told


if __name__ == "__main__":
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answer = feed(Path(plan["root"]), plan["units"], plan["every_s"], plan["marker"], Path(plan["stop"]))
    Path(plan["output"]).write_text(json.dumps(answer), encoding="utf-8")
