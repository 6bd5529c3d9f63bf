"""Simulated nights with known offences through the live path, and at once: what is found, how soon, and what is raised falsely.

    python checks/nights.py --nights 20 --units 200

For each night one workspace gets the fixes as a feed, in order of arrival (`watch FILE --clock event`), and another one the
same fixes as an upload, looked at by `detect`. Prints the score of events and warnings over all nights by kind, why false
events were raised, and writes both to a JSON file (`--out`). Everything is simulated: what the figures can't show is told in
docs/nights.md. Exits 1 where the two ways give other events.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from worlds import run

from geo_monitor import river, simulate
from geo_monitor.settings import Settings
from geo_monitor.simulate import nights
from geo_monitor.simulate.night_score import causes, least, score

MAIN_KM = 80.0  # of the made-up river
FIRST_DAY = "2025-11-15"
SAME = ("kind", "rule", "unit_ids", "zone_id", "reach_id", "state", "started_at", "ended_at")


@dataclass
class Through:
    """One night's truth, events and warnings, each id marked with the night; where the two ways differ."""

    truth: pd.DataFrame
    events: pd.DataFrame
    warnings: pd.DataFrame
    unit_days: float
    differ: list[str]
    told: dict[str, Any]


def one(folder: Path, seed: int, units: int, hours: float) -> Through:
    """Makes a night and sends it both ways."""
    lines = simulate.river(seed, MAIN_KM)
    network = river.build(lines)
    zones = nights.zones(network, seed)
    start = pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=seed % 28, hours=18)
    night = nights.night(network, zones, Settings(), seed, units, hours, start.strftime("%Y-%m-%dT%H:%M"))
    lines.to_file(folder / "river.geojson", driver="GeoJSON")
    zones.drop(columns="receipt_id").dropna(axis=1, how="all").to_file(folder / "zones.geojson", driver="GeoJSON")
    (folder / "night.jsonl").write_text("\n".join(night.lines()) + "\n", encoding="utf-8")
    night.fixes.drop(columns="patrol_id").to_csv(folder / "tracks.csv", index=False, encoding="utf-8-sig")
    live, batch = folder / "live", folder / "batch"
    for workspace in (live, batch):
        run(workspace, "init")
        run(workspace, "import", "river", str(folder / "river.geojson"))
        run(workspace, "import", "zones", str(folder / "zones.geojson"))
    begun = time.monotonic()
    watched = run(live, "watch", str(folder / "night.jsonl"), "--clock", "event", "--until-idle", "1")
    took = time.monotonic() - begun
    receipt = run(batch, "import", "tracks", str(folder / "tracks.csv"))
    run(batch, "detect")
    events = {}
    for name, workspace in (("live", live), ("batch", batch)):
        run(workspace, "export", "events", "-o", str(folder / f"{name}.csv"))
        events[name] = _read(folder / f"{name}.csv")
    run(live, "export", "warnings", "-o", str(folder / "warnings.csv"))
    warnings = _read(folder / "warnings.csv")
    told = {
        "seed": seed, "fixes": len(night.fixes), "delivered": len(night.arrivals), "watch_seconds": round(took, 1),
        "stored": watched["stored"], "repeated": watched["repeated"], "refused": watched["refused"],
        "imported": receipt["rows"], "events": len(events["live"]), "warnings": len(warnings),
    }  # fmt: skip
    differ = differences(events["live"], events["batch"])
    return Through(
        _marked(night.truth, seed, ("offence_id",), "unit_ids"),
        _marked(events["live"], seed, ("event_id",), "unit_ids"),
        _marked(warnings, seed, ("warning_id",), "event_ids"), night.unit_days, differ, told,
    )  # fmt: skip


def differences(live: pd.DataFrame, batch: pd.DataFrame) -> list[str]:
    """Events that stand after only one of the two ways, or not as after the other."""
    a, b = (frame[frame["state"] != "withdrawn"].set_index("event_id") for frame in (live, batch))
    found = [f"{name} only live: {a.loc[name, 'kind']}" for name in a.index.difference(b.index)]
    found += [f"{name} only batch: {b.loc[name, 'kind']}" for name in b.index.difference(a.index)]
    both = a.index.intersection(b.index)
    for column in SAME:
        left, right = a.loc[both, column], b.loc[both, column]
        other = (left != right) & ~(left.isna() & right.isna())
        found += [f"{name} {column}: live {left[name]}, batch {right[name]}" for name in both[other]]
    return found


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, encoding="utf-8-sig", dtype={"zone_id": str, "adcode": str, "reach_id": str})


def _marked(frame: pd.DataFrame, seed: int, ids: tuple[str, ...], many: str) -> pd.DataFrame:
    """Ids with the night before them, so that nights can be put together; lists as text."""
    frame = frame.copy()
    for name in ids:
        frame[name] = [f"{seed}:{value}" for value in frame[name]]
    lists = [value.split(";") if isinstance(value, str) else value for value in frame[many]]
    frame[many] = [
        tuple(f"{seed}:{part.strip()}" for part in (value if isinstance(value, list | tuple) else ()))
        for value in lists
    ]
    if many == "event_ids" or "event_id" in ids:
        for name in ("started_at", "ended_at", "opened_at"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--hours", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first night")
    parser.add_argument("--out", type=Path, default=Path("nights.json"))
    asked = parser.parse_args()
    every: list[Through] = []
    for seed in range(asked.seed, asked.seed + asked.nights):
        with tempfile.TemporaryDirectory() as folder:
            every.append(one(Path(folder), seed, asked.units, asked.hours))
        print(json.dumps(every[-1].told), flush=True)
        for line in every[-1].differ[:10]:
            print("  DIFFERS", line, flush=True)
    truth, events, warnings = (
        pd.concat([getattr(night, name) for night in every], ignore_index=True)
        for name in ("truth", "events", "warnings")
    )
    days = sum(night.unit_days for night in every)
    table = score(truth, events, warnings, unit_days=days, least_s=least(Settings()))
    why = causes(truth, events)
    with pd.option_context("display.width", 200, "display.max_columns", None, "display.max_rows", None):
        print(
            f"simulated: {asked.nights} nights, {days:.0f} unit-days, {sum(len(n.differ) for n in every)} differences"
        )
        print(table.round(3).T.to_string())
        print(why.head(40).to_string())
    told = {
        "label": "模拟数据 simulated data", "nights": [night.told for night in every], "unit_days": round(days, 2),
        "differences": [line for night in every for line in night.differ],
        "score": json.loads(table.to_json(orient="index")), "causes": json.loads(why.to_json(orient="records")),
    }  # fmt: skip
    asked.out.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    sys.exit(1 if told["differences"] else 0)


if __name__ == "__main__":
    main()
