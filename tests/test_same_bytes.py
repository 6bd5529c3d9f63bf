"""Equal inputs and seed give equal result tables, to the byte, in another workspace, process and order of hashing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from geo_monitor.workspace import Workspace
from tests.store.uploads import fixes
from tests.test_answers import ALWAYS, OF_METHOD, cases, made, told


def world(folder: Path) -> Workspace:
    """Rounds of 290 days over 19 km, a surge at km 9-10, tracks of two units, cases on two kilometres: every method has
    something to say."""
    rng = np.random.default_rng(8)
    ago = np.arange(0, 290, 2)
    surge = told(28, 6.0, every=1, km=(9.0, 10.0)).assign(unit_id="c")
    surge["patrol_id"] += "-surge"
    for name in ("started_at", "ended_at"):
        surge[name] -= pd.Timedelta(days=100)
    km = [*rng.uniform(9.0, 10.0, len(ago)), *rng.uniform(0.0, 19.0, 40)]
    tracks = pd.concat(
        [fixes(unit, f"2026-05-{day:02d}T02:00:00+00:00", 90) for unit in ("t", "u") for day in range(2, 28, 2)],
        ignore_index=True,
    )
    folder.mkdir()
    patrols = pd.concat([told(), surge], ignore_index=True)
    return made(folder, patrols, cases(km, [*ago, *rng.integers(0, 290, 40)]), tracks=tracks)


def test_two_analyses_are_the_same_to_the_byte(tmp_path: Path) -> None:
    exports: list[dict[str, bytes]] = []
    for number, hashing in enumerate(("0", "4711")):
        workspace = world(tmp_path / str(number))
        command = [sys.executable, "-m", "geo_monitor", "--workspace", str(workspace.root), "--json", "analyse"]
        done = subprocess.run(
            [*command, "--methods", "all"], capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": hashing}
        )
        assert done.returncode == 0, done.stderr
        exports.append({})
        for name in sorted(ALWAYS.union(*OF_METHOD.values())):
            for extension in ("csv", "parquet"):
                path = tmp_path / str(number) / f"{name}.{extension}"
                workspace.export(name, path)
                exports[-1][path.name] = path.read_bytes()
            assert len(workspace.table(name)) > 0 or name in ("zone_visits", "effort_gaps"), name
    one, two = exports
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
