"""A river made by hand for tests: one straight channel at lat 30, from lon 112 eastwards to the sea at km 0.

Reach i covers [i/2, i/2 + 0.5) km of chainage. One degree of longitude at lat 30 is 96,486.28 m on WGS84 (a cos(lat) /
sqrt(1 - e2 sin2(lat)) in radians), so positions follow from chainage by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

METRES_PER_DEGREE = 96_486.28  # of longitude at lat 30
LAT = 30.0
LON_MOUTH = 112.0


class StraightRiver:
    """`n` reaches of 500 m. Chainage grows westwards; all of it is river 长江 unless `names` says otherwise."""

    def __init__(self, n: int = 40, names: list[str] | None = None) -> None:
        self.n = n
        self.reaches = pd.DataFrame(
            {
                "reach_id": [f"r{i:03d}" for i in range(n)],
                "river": names or ["长江"] * n,
                "km_from": np.arange(n) / 2,
                "km_to": np.arange(n) / 2 + 0.5,
                "kind": ["channel"] * n,
            }
        )

    def spread(self, reach_a: Any, km_a: Any, reach_b: Any, km_b: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pair, reach, share = [], [], []
        for i, (a, b) in enumerate(zip(km_a, km_b, strict=True)):
            low, high = min(a, b), max(a, b)
            for r in range(min(reach_a[i], reach_b[i]), max(reach_a[i], reach_b[i]) + 1):
                part = min(high, r / 2 + 0.5) - max(low, r / 2)
                if part > 0 or reach_a[i] == reach_b[i]:
                    pair.append(i)
                    reach.append(r)
                    share.append(part / (high - low) if high > low else 1.0)
        return np.array(pair, dtype=np.int64), np.array(reach, dtype=np.int32), np.array(share, dtype=float)

    def distance(self, reach_a: Any, km_a: Any, reach_b: Any, km_b: Any) -> np.ndarray:
        return np.abs(np.asarray(km_a) - np.asarray(km_b)) * 1000

    def stretch(self, river: str, km_from: float, km_to: float) -> tuple[np.ndarray, np.ndarray]:
        low, high = min(km_from, km_to), max(km_from, km_to)
        overlap = np.minimum(self.reaches["km_to"], high) - np.maximum(self.reaches["km_from"], low)
        use = ((overlap > 0) & (self.reaches["river"] == river)).to_numpy()
        return np.flatnonzero(use).astype(np.int32), overlap.to_numpy()[use] * 1000

    def point(self, river: Any, km: Any) -> tuple[np.ndarray, np.ndarray]:
        km = np.asarray(km, dtype=float)
        there = (km >= 0) & (km < self.n / 2) & np.isin(np.asarray(river), self.reaches["river"].to_numpy())
        return np.where(there, lon_of(km), np.nan), np.where(there, LAT, np.nan)

    def locate(self, batch: pa.RecordBatch | pa.Table, tolerance_m: float = 1000.0) -> pa.RecordBatch:
        """As `river.locate` would: looking downstream is looking east, so south (lat under 30) is the right bank."""
        lon = np.asarray(batch.column("lon"), dtype=float)
        lat = np.asarray(batch.column("lat"), dtype=float)
        km = (LON_MOUTH - lon) * METRES_PER_DEGREE / 1000
        offset = (LAT - lat) * 110_852.4  # metres per degree of latitude at lat 30
        there = (np.abs(offset) <= tolerance_m) & (km >= 0) & (km < self.n / 2)
        reach = np.where(there, np.floor(km * 2), -1).astype(np.int32)
        bank = [
            ("right" if o > 0 else "left" if o < 0 else "mid") if t else None
            for o, t in zip(offset, there, strict=True)
        ]
        return pa.RecordBatch.from_arrays(
            [
                pa.array(reach),
                pa.array(np.where(there, km, np.nan)),
                pa.array(bank, pa.string()),
                pa.array(np.where(there, offset, np.nan)),
            ],
            names=["reach", "km", "bank", "offset_m"],
        )


def lon_of(km: Any) -> Any:
    """Longitude of a chainage."""
    return LON_MOUTH - np.asarray(km) * 1000 / METRES_PER_DEGREE


def fixes(rows: list[dict[str, Any]]) -> pa.Table:
    """A table `positions` of rows: unit (u1), time (ms or ISO text in UTC), km or lon/lat, patrol, platform, role."""
    table: dict[str, list[Any]] = {name: [] for name in ("unit_id", "patrol_id", "lon", "lat", "platform", "role")}
    times = []
    for row in rows:
        table["unit_id"].append(row.get("unit", "u1"))
        table["patrol_id"].append(row.get("patrol"))
        table["lon"].append(float(row["lon"] if "lon" in row else lon_of(row["km"])))
        table["lat"].append(float(row.get("lat", LAT)))
        table["platform"].append(row.get("platform"))
        table["role"].append(row.get("role", "patrol"))
        times.append(ms(row["time"]))
    arrays = {
        name: pa.array(values, pa.float64() if name in ("lon", "lat") else pa.string())
        for name, values in table.items()
    }
    return pa.table({**arrays, "time": pa.array(times, pa.int64()).cast(pa.timestamp("ms", tz="UTC"))})


def ms(time: int | str) -> int:
    """Milliseconds UTC of ISO text (read as UTC) or of milliseconds."""
    return time if isinstance(time, int) else int(pd.Timestamp(time, tz="UTC").value // 1_000_000)
