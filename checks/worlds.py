"""Unseen worlds end to end through the command line: init, import of every file, analyse, export; results against the truth.

    python checks/worlds.py --seeds 10 --days 60 --units 16

Prints a line a world and exits 1 if any breaks a promise: total effort within 3 % of the truth, median error per 5 km under 6 %,
at least 98 % of seizures that have a place located, no reach under 2 h called anything but not_looked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from geo_monitor.simulate.score import score


def run(workspace: Path, *arguments: str) -> dict[str, object]:
    """One command of the command line in `workspace`; its JSON document."""
    command = [sys.executable, "-m", "geo_monitor", "--workspace", str(workspace), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return dict(json.loads(done.stdout))


def world(folder: Path, seed: int, days: int, units: int) -> dict[str, float]:
    """Makes one world, sends its files through the front door, analyses them; how near the results came."""
    made = folder / f"world-{seed}"
    workspace = folder / f"workspace-{seed}"
    run(workspace, "simulate", "--seed", str(seed), "--days", str(days), "--units", str(units), "-o", str(made))
    run(workspace, "init")
    refused = 0
    for kind in ("river", "zones", "units", "tracks", "patrols", "seizures"):
        for path in sorted(made.glob(f"{kind}_*")):
            receipt = run(workspace, "import", kind, str(path))
            rows = receipt["rows"]
            assert isinstance(rows, dict)
            if rows["read"] != sum(rows[part] for part in ("accepted", "quarantined", "unchanged", "corrected")):
                raise SystemExit(f"{path.name}: rows do not add up: {rows}")
            refused += int(rows["quarantined"])
    run(workspace, "analyse")
    frames = {}
    for table in ("effort", "hotspots", "seizure_links", "seizures"):
        run(workspace, "export", table, "-o", str(folder / f"{table}-{seed}.csv"))
        frames[table] = pd.read_csv(folder / f"{table}-{seed}.csv", encoding="utf-8-sig", dtype={"report_id": str})
    truth = pd.read_csv(made / "truth" / "reaches.csv", encoding="utf-8-sig", comment="#")
    found = score(truth, frames["effort"], frames["hotspots"])
    placed = frames["seizures"].loc[frames["seizures"]["lon"].notna() | frames["seizures"]["km"].notna()]
    on_water = placed[placed["setting"].isna() | placed["setting"].isin(["water", "bank"])]
    links = frames["seizure_links"].set_index("report_id")["reach_id"]
    found["located"] = float(links.reindex(on_water["report_id"]).notna().mean())
    quiet = frames["hotspots"]["patrol_h"] < 2
    found["wrongly_named"] = float((frames["hotspots"].loc[quiet, "state"] != "not_looked").sum())
    found["refused_rows"] = float(refused)
    return found


def kept(found: dict[str, float]) -> bool:
    """Whether a world's figures keep the promises."""
    return (
        abs(found["effort_total_error"]) <= 0.03
        and found["effort_median_error"] < 0.06
        and found["located"] >= 0.98
        and found["wrongly_named"] == 0
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--units", type=int, default=16)
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.first, asked.first + asked.seeds):
            found = world(Path(folder), seed, asked.days, asked.units)
            bad += not kept(found)
            print(
                "ok  " if kept(found) else "FAIL",
                seed,
                {name: round(value, 4) for name, value in found.items()},
                flush=True,
            )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
