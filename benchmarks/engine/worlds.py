"""Made-up workspaces of any size on the shipped Yangtze (simulated; nothing in them ever happened).

Boats run to and fro on the main stem at up to 5 m/s, a fix every 30 s with 15 m of noise, day and night; each lies still
for a stretch of the day. Zones lie along the river, reports of seizures beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_monitor import river
from geo_monitor.ingest.receipt import Receipt, Upload
from geo_monitor.settings import Settings
from geo_monitor.store import Store
from geo_monitor.workspace import Workspace

STEP_S = 30
A_DAY = 86_400 // STEP_S
START = 1_767_196_800_000  # 2026-01-01 00:00 in Shanghai, ms UTC
METRES = 150.0  # a step at 5 m/s
A_FILE = 20_000  # zones of one upload: more may take the parser more memory than it may have
ALONG = 1000  # zones that find room along the main stem
STILL = 0.2  # share of the day a boat lies still


@cache
def network() -> river.Network:
    """The shipped river, without localities."""
    lines, lakes, marks = river.shipped(Settings())
    return river.build(lines, lakes, marks, settings=Settings())


def positions(day: int, units: int, fixes: int, seed: int = 1) -> pd.DataFrame:
    """Frame of table `positions` for one day: `units` boats, the first `fixes` rows of unit by unit."""
    net = network()
    rng = np.random.default_rng((seed, day))
    stem = net.stems[0]
    top = stem.along[-1]
    start = np.random.default_rng(seed).uniform(0, 2 * top, units)
    still = np.random.default_rng(seed + 1).uniform(0, 1 - STILL, units)
    clock = np.arange(A_DAY) / A_DAY
    moved = np.minimum(clock, still[:, None]) + np.maximum(clock - still[:, None] - STILL, 0.0)
    gone = day * A_DAY * (1 - STILL) + moved * A_DAY
    metres = np.abs((start[:, None] + METRES * gone) % (2 * top) - top).ravel()
    at = net.axis.start[0] + metres
    x, y = np.interp(at, net.axis.position, net.axis.x), np.interp(at, net.axis.position, net.axis.y)
    lon, lat = river.geodesy.to_degrees(x, y)
    n = units * A_DAY
    moment = START + day * 86_400_000 + 1000 * STEP_S * np.tile(np.arange(A_DAY), units)
    frame = pd.DataFrame(
        {
            "unit_id": pd.Categorical.from_codes(
                np.repeat(np.arange(units), A_DAY), pd.Index([f"U{i:05d}" for i in range(units)])
            ),
            "time": moment.astype("datetime64[ms]"),
            "lon": lon + rng.normal(0, 15 / 96_000, n),
            "lat": lat + rng.normal(0, 15 / 111_000, n),
        }
    ).head(fixes)
    frame["time"] = frame["time"].dt.tz_localize("UTC")
    return frame.assign(unit_id=frame["unit_id"].astype(object), role="patrol", source="gps")


def zones(count: int) -> gpd.GeoDataFrame:
    """`count` star-shaped zones: up to `ALONG` of about 3 km and 700 vertices along the main stem, more of 400 m and fewer
    vertices along all rivers, so that a fix lies in a few of them at most."""
    net = network()
    many = count > ALONG
    degrees, vertices = (0.002, max(24, 700 * ALONG // count)) if many else (0.02, 700)
    start, end = (0.0, net.axis.position[-1]) if many else net.axis.start[0] + np.array([0.0, net.stems[0].along[-1]])
    at = np.linspace(start, end, count)
    lon, lat = river.geodesy.to_degrees(
        np.interp(at, net.axis.position, net.axis.x), np.interp(at, net.axis.position, net.axis.y)
    )
    rng = np.random.default_rng(3)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    shapes = []
    for x, y in zip(lon, lat, strict=True):
        radius = degrees * (1 + 0.3 * np.sin(5 * angle + rng.uniform(0, 6)) + 0.05 * rng.uniform(-1, 1, vertices))
        shapes.append(shapely.Polygon(np.c_[x + radius * np.cos(angle), y + radius * np.sin(angle)]))
    names = [f"Z{i:05d}" for i in range(count)]
    return gpd.GeoDataFrame({"zone_id": names, "name": names}, geometry=shapes, crs="EPSG:4326")


def seizures(count: int, days: int) -> pd.DataFrame:
    """`count` reports beside the main stem over `days` days."""
    net = network()
    rng = np.random.default_rng(5)
    at = net.axis.start[0] + rng.uniform(0, net.stems[0].along[-1], count)
    lon, lat = river.geodesy.to_degrees(
        np.interp(at, net.axis.position, net.axis.x), np.interp(at, net.axis.position, net.axis.y)
    )
    moment = pd.to_datetime(START + (rng.uniform(0, days, count) * 86_400_000).astype(np.int64), unit="ms", utc=True)
    return pd.DataFrame(
        {"report_id": [f"S{i}" for i in range(count)], "time": moment.astype(str), "lon": lon, "lat": lat}
    )


def build(root: Path, fixes: int, units: int = 400, zone_count: int = 300, reports: int = 500) -> Workspace:
    """A workspace in `root` with that many positions (a receipt a day), zones and reports; made once."""
    if (root / "made").is_file():
        return Workspace(root)
    workspace = Workspace.create(root)
    day = 0
    while fixes > 0:
        add_day(workspace.root, day, units, fixes)
        fixes -= units * A_DAY
        day += 1
    every, shapes = zones(zone_count), root / "zones.geojson"
    for first in range(0, zone_count, A_FILE):
        every.iloc[first : first + A_FILE].to_file(shapes, driver="GeoJSON")
        taken = workspace.import_file("zones", shapes)
        if not taken.status.startswith("accepted"):
            raise SystemExit(str(taken.to_json("en")))
    every.to_file(shapes, driver="GeoJSON")  # for the other engines
    cases = root / "seizures.csv"
    seizures(reports, day).to_csv(cases, index=False)
    workspace.import_file("seizures", cases)
    (root / "made").write_text("simulated\n", encoding="utf-8")
    return Workspace(root)


def add_day(root: Path, day: int, units: int, fixes: int = 1 << 62) -> None:
    """Commits one more day of positions, as an import would."""
    store = Store(root)
    raw = root / f"day-{day}"
    raw.write_text(f"simulated day {day}\n", encoding="utf-8")
    from geo_monitor.store.files import sha256

    rows = positions(day, units, fixes)
    blank = Receipt.blank("tracks", raw.name, sha256(raw), None, datetime.now(UTC))
    from dataclasses import replace

    counts = {"read": len(rows), "accepted": len(rows), "quarantined": 0, "unchanged": 0, "corrected": 0}
    store.commit(Upload(replace(blank, status="accepted", rows=counts), rows), raw)
    store.close()
