"""How long the stages of the main job take on the shipped Yangtze, as multiples of reading the same positions from Parquet.

    python benchmarks/main_job.py --fixes 1000000

Made-up boats move along the main stem at 5 m/s, a fix every 30 s; 200 zones lie beside it. Prints one JSON document: seconds
(minimum of three runs in one warm process) and the ratio to the bare scan of the four columns the job needs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo_monitor import effort, joins, river
from geo_monitor.settings import Settings


def positions(network: river.Network, fixes: int, units: int, seed: int) -> pa.Table:
    """Boats to and fro on the main stem, 15 m of noise."""
    rng = np.random.default_rng(seed)
    each = fixes // units
    top = network.stems[0].along[-1]
    start = rng.uniform(0, top, units)[:, None]
    metres = np.abs((start + 150.0 * np.arange(each)[None, :]) % (2 * top) - top).ravel()
    lon, lat = network.point(
        np.array([name for *_, name in network.stems[0].sections], dtype=object)[
            np.searchsorted([hi for _, hi, _ in network.stems[0].sections], metres).clip(
                0, len(network.stems[0].sections) - 1
            )
        ],
        network.axis.km(metres),
    )
    moment = 1_767_225_600_000 + 30_000 * np.tile(np.arange(each), units)
    n = each * units
    return pa.table({
        "unit_id": pa.array([f"U{unit:04d}" for unit in range(units)]).take(pa.array(np.repeat(np.arange(units), each))),
        "patrol_id": pa.nulls(n, pa.string()),
        "time": pa.array(moment, pa.timestamp("ms", "UTC")),
        "lon": lon + rng.normal(0, 15 / 96_000, n),
        "lat": lat + rng.normal(0, 15 / 111_000, n),
        "platform": pa.nulls(n, pa.string()),
        "role": pa.array(["patrol"]).take(pa.array(np.zeros(n, np.int64))),
    })  # fmt: skip


def zones(network: river.Network, count: int) -> gpd.GeoDataFrame:
    """Round zones of 3 km along the main stem."""
    at = network.reaches.iloc[np.linspace(0, 10_000, count).astype(int)]
    shapes = shapely.buffer(shapely.points(at["lon"], at["lat"]), 0.03)
    names = [f"Z{i}" for i in range(count)]
    frame = gpd.GeoDataFrame({"zone_id": names, "version": 1, "name": names}, geometry=shapes, crs="EPSG:4326")
    for column in ("season_from", "season_to"):
        frame[column] = None
    for column in ("valid_from", "valid_to"):
        frame[column] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ms, UTC]")
    return frame


def best(job: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the fastest of three runs, and what it gave."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        result = job()
        times.append(time.perf_counter() - begin)
    return min(times), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixes", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=100)
    asked = parser.parse_args()
    settings = Settings()
    lines, lakes, marks = river.shipped(settings)
    network = river.build(lines, lakes, marks, settings=settings)
    fixes = positions(network, asked.fixes, asked.units, seed=1)
    areas = zones(network, 200)
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "positions.parquet"
        pq.write_table(fixes, path, row_group_size=1_000_000)
        seconds["scan"], _ = best(lambda: pq.read_table(path, columns=["unit_id", "time", "lon", "lat"]))
    batch = fixes.select(["lon", "lat"]).combine_chunks().to_batches()[0]
    seconds["locate"], where = best(lambda: river.locate(batch, network))
    seconds["zone_visits"], _ = best(lambda: joins.zone_visits(fixes, areas, settings))
    seconds["effort"], _ = best(lambda: effort.effort(fixes, where, network, settings))
    ratios = {name: round(value / seconds["scan"], 1) for name, value in seconds.items()}
    print(
        json.dumps(
            {"fixes": len(fixes), "reaches": len(network.reaches), "seconds": seconds, "times_scan": ratios}, indent=1
        )
    )


if __name__ == "__main__":
    main()
