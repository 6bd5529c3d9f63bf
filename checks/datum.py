"""How often undeclared GCJ-02 and BD-09 are recognised, and how often something else is taken for them.

    python checks/datum.py [--worlds 20] [--seed 1] [--only 'one patrol/line']

Made-up rivers in the basin (winding or nearly straight, 300 to 2,000 m wide), an upload of known datum on them (tracks,
reports, zones; some of them traps: patrols on a levee road, reports of one bank only, few points), and a reference of
each kind with an error of 5 to 100 m (half of it common to all of the reference, half of it wandering along the river),
covering all of the river or a third of it. Prints, for each kind of upload and reference, how many uploads came out
right, wrong (another datum held for sure: points moved that should not be, or shifted ones confirmed), or not told.
Exit code 1 where more than 1 in 200 uploads came out wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo_monitor.ingest import datum, shifts
from geo_monitor.settings import Settings

M = 111_195.1
UPLOADS = ("tracks", "one patrol", "reports", "few reports", "zones", "coarse zones", "river line",
           "levee road", "one bank only")  # fmt: skip
REFERENCES = ("mask", "bank", "line", "track", "zone")
LENGTH = 40_000.0  # metres of river


class River:
    """A centre line (n, 2) in metres every 25 m, its width, and where on earth it lies."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.lon0, self.lat0 = rng.uniform(103, 121), rng.uniform(28.5, 32.5)
        self.width = float(np.exp(rng.uniform(np.log(300), np.log(2000))))
        along = np.arange(0, LENGTH, 25.0)
        straight = rng.random() < 0.3
        turn = np.zeros_like(along)
        for _ in range(3):
            wave = rng.uniform(4000, 15_000) * max(self.width / 800, 0.6)
            turn += (0.08 if straight else rng.uniform(0.3, 0.9)) * np.sin(2 * np.pi * along / wave + rng.uniform(0, 7))
        angle = rng.uniform(0, 2 * np.pi) + turn
        self.xy = np.cumsum(25.0 * np.column_stack([np.cos(angle), np.sin(angle)]), axis=0)
        self.xy -= self.xy.mean(axis=0)
        self.normal = np.column_stack([-np.sin(angle), np.cos(angle)])

    def at(self, index: np.ndarray, offset: np.ndarray) -> np.ndarray:
        return self.xy[index] + self.normal[index] * offset[:, None]

    def degrees(self, xy: np.ndarray) -> np.ndarray:
        return np.column_stack([self.lon0 + xy[:, 0] / (M * np.cos(np.radians(self.lat0))), self.lat0 + xy[:, 1] / M])

    def water(self, grow: np.ndarray, low: int = 0, high: int | None = None) -> Any:
        """The water, its edges moved out by `grow` (2, n) metres, as a polygon in metres."""
        own = slice(low, high)
        left = self.xy[own] + self.normal[own] * (self.width / 2 + grow[0, own])[:, None]
        right = self.xy[own] - self.normal[own] * (self.width / 2 + grow[1, own])[:, None]
        return shapely.make_valid(shapely.Polygon(np.concatenate([left[::4], right[::-4]])))


def wander(rng: np.random.Generator, n: int, size: float, reach: int = 40) -> np.ndarray:
    """Noise of standard deviation `size` that stays alike over `reach` steps of 25 m."""
    raw = rng.standard_normal(n + 6 * reach)
    kernel = np.exp(-0.5 * (np.arange(-3 * reach, 3 * reach + 1) / reach) ** 2)
    smooth = np.convolve(raw, kernel / np.sqrt((kernel**2).sum()), mode="valid")[:n]
    return smooth * size


def patrol(rng: np.random.Generator, river: River, share: float = 0.4, levee: float | None = None) -> np.ndarray:
    """Fixes of one trip, metres: every 120 m along a stretch, keeping to the water (or to a road beside it)."""
    n = len(river.xy)
    span = int(rng.uniform(0.25, 0.9) * n)
    start = int(rng.integers(0, n - span))
    index = np.arange(start, start + span, 5)
    if levee is None:
        offset = wander(rng, len(index), 0.2 * river.width, 15) + rng.uniform(-share / 2, share / 2) * river.width
        offset = np.clip(offset, -0.48 * river.width, 0.48 * river.width)
    else:
        offset = levee + wander(rng, len(index), 30.0, 15)
    return river.at(index, offset) + rng.normal(0, 8, (len(index), 2))


def zone(rng: np.random.Generator, river: River, step: int, error: float) -> Any:
    n = len(river.xy)
    span = int(rng.integers(80, 320))
    start = int(rng.integers(0, n - span))
    index = np.arange(start, start + span, step)
    edge = [river.at(index, np.full(len(index), side * river.width / 2) + rng.normal(0, error, len(index)))
            for side in (1, -1)]  # fmt: skip
    return shapely.make_valid(shapely.Polygon(np.concatenate([edge[0], edge[1][::-1]])))


def upload(rng: np.random.Generator, river: River, what: str) -> tuple[np.ndarray, np.ndarray | None, list[Any]]:
    """Points (n, 2) in metres, the zone each is of, the zones."""
    n = len(river.xy)
    if what in ("tracks", "one patrol"):
        return np.concatenate([patrol(rng, river) for _ in range(1 if what == "one patrol" else 8)]), None, []
    if what == "levee road":
        side = rng.choice([-1, 1]) * (river.width / 2 + rng.uniform(100, 500))
        return np.concatenate([patrol(rng, river, levee=side) for _ in range(8)]), None, []
    if what == "river line":
        return river.at(np.arange(0, n, 8), wander(rng, len(range(0, n, 8)), 0.1 * river.width)), None, []
    if what in ("reports", "few reports", "one bank only"):
        count = 6 if what == "few reports" else 60
        index = rng.integers(0, n, count)
        side = np.full(count, rng.choice([-1, 1])) if what == "one bank only" else rng.choice([-1, 1], count)
        offset = np.where(rng.random(count) < (0 if what == "one bank only" else 0.5), rng.uniform(-0.5, 0.5, count) * river.width,
                          side * (river.width / 2 + rng.normal(40, 40, count)))  # fmt: skip
        away = rng.random(count) < 0.15
        offset = np.where(away, side * (river.width / 2 + rng.uniform(200, 4000, count)), offset)
        return river.at(index, offset) + rng.normal(0, 20, (count, 2)), None, []
    zones = [zone(rng, river, 20, 20.0) if what == "zones" else zone(rng, river, 60, 150.0) for _ in range(12)]
    edge = [shapely.get_coordinates(shapely.segmentize(one, 200.0)) for one in zones]
    names = np.array([str(i) for i, part in enumerate(edge) for _ in part], dtype=object)
    return np.concatenate(edge), names, zones


def reference(
    rng: np.random.Generator, river: River, kind: str, error: float, part: bool, zones: list[Any]
) -> pd.DataFrame:
    """What the store would give, in metres: a frame of kind, accuracy_m, geometry, zone."""
    n = len(river.xy)
    low, high = (n // 3, 2 * n // 3) if part else (0, n)
    common = rng.normal(0, error / 2, 2)
    grow = np.stack([wander(rng, n, error / 2), wander(rng, n, error / 2)])
    if kind in ("mask", "bank"):
        water = river.water(grow, low, high)
        rows: list[Any] = [water]
        kinds = [kind]
        if kind == "mask":
            rows.append(shapely.box(*shapely.bounds(water)) if part else shapely.Point(0, 0).buffer(1e6))
            kinds.append("cover")
    elif kind == "line":
        index = np.arange(low, high, 4)
        rows, kinds = [shapely.LineString(river.at(index, grow[0][index]))], ["line"]
    elif kind == "track":
        fixes = np.concatenate([patrol(rng, river) for _ in range(2 if part else 10)])
        rows, kinds = [shapely.MultiPoint(fixes)], ["track"]
    else:
        rows = [
            shapely.transform(one, lambda xy: xy + rng.normal(0, error / 4) * np.sin(xy[:, ::-1] / 500))
            for one in zones
        ]
        rows = rows[: len(rows) // 3] if part else rows
        kinds = ["zone"] * len(rows)
    shapes = np.array(rows, dtype=object)
    shapes = shapely.transform(shapes, lambda xy: river.degrees(xy + common))
    names = [str(i) if kind == "zone" else None for i in range(len(rows))]
    return pd.DataFrame({"kind": kinds, "accuracy_m": error, "geometry": shapes, "zone": names})


def judge(rng: np.random.Generator, what: str, kind: str, truth: str, settings: Settings) -> str:
    river = River(rng)
    xy, names, zones = upload(rng, river, what)
    error = float(rng.choice([5.0, 20.0, 50.0, 100.0]))
    frame = reference(rng, river, kind, error, bool(rng.random() < 0.3), zones)
    lon, lat = river.degrees(xy).T
    if truth != "wgs84":
        lon, lat = datum.FORWARD[truth](lon, lat)

    def held(west: float, south: float, east: float, north: float) -> pd.DataFrame:
        return frame[shapely.intersects(frame["geometry"].to_numpy(), shapely.box(west, south, east, north))]

    found = shifts.weigh(lon, lat, held, settings, settings.datum_prior, names)
    if found.confidence < settings.datum_sure:
        return "not told"
    return "right" if found.datum == truth else "WRONG"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="upload and reference, such as 'one patrol/line'")
    arguments = parser.parse_args()
    settings, begun = Settings(), time.monotonic()
    totals: Counter[str] = Counter()
    print("| upload | reference | " + " | ".join(f"{d}: right / wrong / not told" for d in datum.DATUMS) + " |")
    print("|---|---|" + "---|" * 3)
    for what in UPLOADS:
        for kind in REFERENCES:
            if kind == "zone" and "zones" not in what:
                continue
            if arguments.only not in f"{what}/{kind}":
                continue
            cells = []
            for truth in datum.DATUMS:
                seeds = np.random.SeedSequence([arguments.seed, UPLOADS.index(what), REFERENCES.index(kind)])
                found = Counter(judge(np.random.default_rng(seed), what, kind, truth, settings)
                                for seed in seeds.spawn(arguments.worlds))  # fmt: skip
                totals.update(found)
                cells.append(f"{found['right']} / {found['WRONG']} / {found['not told']}")
            print(f"| {what} | {kind} | " + " | ".join(cells) + " |", flush=True)
    every = sum(totals.values())
    print(f"\n{every} uploads: right {totals['right']}, wrong {totals['WRONG']}, not told {totals['not told']}"
          f" ({time.monotonic() - begun:.0f} s)")  # fmt: skip
    return int(totals["WRONG"] > every / 200)


if __name__ == "__main__":
    sys.exit(main())
