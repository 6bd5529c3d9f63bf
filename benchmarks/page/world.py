"""The workspace of the benchmark (simulated; nothing in it ever happened): the demonstration, and on its river ban zones,
a year of seizures, and units under way up to now.

In: a folder, a seed. Out: `build` makes what lies still and analyses it, `sent` a file of the fixes of every unit.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    import pandas as pd

SEED = 5
PATROLS = 0.25  # share of the units that look; the others are traffic
STEP_S = 30  # seconds between two fixes of a unit
BEFORE_S = 1800  # seconds of fixes before the server starts
YEAR_S = 365 * 86_400
MARKED = "模拟标记艇"  # begins the id of the unit whose place tells which feed a message knows
MARK_CITY = "421000"
MARK_STEP = 0.0004  # degrees that it moves with each feed: 40 m
SETTINGS = ("water", "bank", "market", "road", "restaurant", "shop")
CHUNK = 12  # reaches of a zone: 6 km


@dataclass(frozen=True)
class Fleet:
    """Units on the water. `x` (k,) metres along all rivers laid end to end, with `lon`, `lat` (k,); of each unit the
    bounds `low`, `high` of its river, `start` and `speed` (m/s)."""

    x: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    low: np.ndarray
    high: np.ndarray
    start: np.ndarray
    speed: np.ndarray
    patrol: np.ndarray
    spot: tuple[float, float]

    @property
    def names(self) -> list[str]:
        return [f"模拟{'艇' if patrol else '船'}{i:04d}" for i, patrol in enumerate(self.patrol)]

    def at(self, moment: float) -> tuple[np.ndarray, np.ndarray]:
        """lon, lat of every unit at `moment`, s since 1970: to and fro on its river."""
        span = self.high - self.low
        gone = (self.start - self.low + self.speed * (moment % 1e6)) % (2 * span)
        x = self.low + np.minimum(gone, 2 * span - gone)
        return np.interp(x, self.x, self.lon), np.interp(x, self.x, self.lat)


def fleet(workspace: Workspace, count: int) -> Fleet:
    """`count` units on the channels of the newest analysis, more on long rivers; a quarter of them patrols."""
    reaches = _reaches(workspace)
    channel = reaches[(reaches["kind"] == "channel") & reaches["side"].isna()].sort_values(["river", "km_from"])
    x = np.cumsum(channel["length_m"].to_numpy())
    rng = np.random.default_rng(SEED)
    river = channel["river"].astype("category").cat.codes.to_numpy()
    low = np.array([x[river == code].min() for code in range(river.max() + 1)])
    high = np.array([x[river == code].max() for code in range(river.max() + 1)])
    at = np.sort(rng.choice(len(x), count))
    city = channel[channel["adcode_left"] == MARK_CITY].iloc[0]
    return Fleet(
        x, channel["lon"].to_numpy(), channel["lat"].to_numpy(),
        low[river[at]], np.maximum(high[river[at]], low[river[at]] + 1), x[at],
        np.where(rng.uniform(size=count) < 0.3, 0.0, rng.uniform(1, 5, count)),
        rng.permutation(count) < round(PATROLS * count), (float(city["lon"]), float(city["lat"])),
    )  # fmt: skip


def _reaches(workspace: Workspace) -> pd.DataFrame:
    runs = workspace.table("runs").sort_values("made_at")
    return workspace.table("reaches", run=str(runs["run_id"].iloc[-1]))


def fixes(units: Fleet, moments: np.ndarray) -> pd.DataFrame:
    """Fixes of all `units` at `moments` (s since 1970), as a table that agencies could send."""
    import pandas as pd

    places = [units.at(float(moment)) for moment in moments]
    n = len(units.start)
    return pd.DataFrame(
        {
            "unit_id": np.tile(np.array(units.names, dtype=object), len(moments)),
            "time": pd.to_datetime(np.repeat(moments, n), unit="s", utc=True).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "lon": np.concatenate([lon for lon, _ in places]).round(6),
            "lat": np.concatenate([lat for _, lat in places]).round(6),
            "role": np.tile(np.where(units.patrol, "patrol", "traffic"), len(moments)),
        }
    )


def marker(units: Fleet, name: str, moment: float, number: int) -> pd.DataFrame:
    """The fix of the marked unit, of that name, in feed `number`: beside the river of a city, a step further east each time."""
    import pandas as pd

    lon, lat = units.spot
    time_ = pd.to_datetime([moment], unit="s", utc=True).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    row = {"unit_id": [name], "time": time_, "lon": [round(lon + number * MARK_STEP, 6)]}
    return pd.DataFrame({**row, "lat": [round(lat, 6)], "role": ["patrol"]})


def build(root: Path, demo: Path | None, zones: int, seizures: int, units: int) -> Workspace:
    """The workspace without live fixes; made once, and opened as it is where it was."""
    made = root / "made"
    if made.is_file() and made.read_text(encoding="utf-8") == f"{zones} {seizures} {units}":
        return open_workspace(root)
    if root.exists():
        shutil.rmtree(root)
    if demo is None:
        from geo_monitor.cli.demo import build as demonstrate

        demonstrate(root, seed=7, days=180, units=24)
    else:
        shutil.copytree(demo, root)
    workspace = open_workspace(root)
    workspace.mark_simulated()
    with tempfile.TemporaryDirectory() as folder:
        shapes, cases, books = (Path(folder) / name for name in ("zones.geojson", "seizures.csv", "units.csv"))
        reaches = _reaches(workspace)
        _zones(reaches, zones).to_file(shapes, driver="GeoJSON")
        taken(workspace, "zones", shapes, agency="模拟渔政支队")
        _seizures(reaches, seizures).to_csv(cases, index=False)
        taken(workspace, "seizures", cases, agency="模拟渔政支队")
        _names(fleet(workspace, units)).to_csv(books, index=False)
        taken(workspace, "units", books)
    workspace.analyse()
    made.write_text(f"{zones} {seizures} {units}", encoding="utf-8")
    return workspace


def start(workspace: Workspace, units: Fleet) -> None:
    """The fixes of the last half hour: one file of patrols and one of traffic."""
    now = time.time()
    table = fixes(units, np.arange(now - BEFORE_S, now, STEP_S))
    with tempfile.TemporaryDirectory() as folder:
        for role in ("patrol", "traffic"):
            path = Path(folder) / f"{role}.csv"
            table[table["role"] == role].drop(columns="role").to_csv(path, index=False)
            taken(workspace, "tracks", path, agency="模拟长航公安", role=role)


def taken(workspace: Workspace, kind: str, path: Path, **given: str) -> None:
    """Imports a file; raises `RuntimeError` where the door refuses it."""
    receipt = workspace.import_file(kind, path, **given)
    if receipt.status == "rejected":
        raise RuntimeError(f"{kind}: {', '.join(error.code for error in receipt.errors)}")


def _zones(reaches: pd.DataFrame, count: int) -> pd.DataFrame:
    """Ban zones: bands of 500 m around 6 km of a channel."""
    import geopandas as gpd
    import shapely

    channel = reaches[reaches["kind"] == "channel"].sort_values(["river", "km_from"])
    first = np.linspace(0, len(channel) - CHUNK, count).astype(int)
    lines = channel["geometry"].to_numpy()
    shapes = [shapely.buffer(shapely.union_all(lines[i : i + CHUNK]), 0.005, quad_segs=4) for i in first]
    core = np.arange(count) % 3 == 0
    told = {
        "zone_id": [f"模拟禁区{i:03d}" for i in range(count)],
        "name": [f"模拟数据禁渔区{i:03d}" for i in range(count)],
    }
    told |= {"category": np.where(core, "保护区核心区", "禁渔区").tolist(), "rule": ["禁止一切捕捞"] * count}
    return gpd.GeoDataFrame(told, geometry=shapes, crs="EPSG:4326")


def _seizures(reaches: pd.DataFrame, count: int) -> pd.DataFrame:
    """Reports beside the channels over the year up to now."""
    import pandas as pd

    rng = np.random.default_rng(SEED)
    at = reaches[reaches["kind"] == "channel"].sample(count, replace=True, random_state=SEED)
    moment = pd.to_datetime(time.time() - rng.uniform(0, YEAR_S, count), unit="s", utc=True)
    return pd.DataFrame(
        {
            "report_id": [f"模拟年案{i:05d}" for i in range(count)],
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lon": (at["lon"].to_numpy() + rng.normal(0, 0.002, count)).round(6),
            "lat": (at["lat"].to_numpy() + rng.normal(0, 0.002, count)).round(6),
            "setting": rng.choice(SETTINGS, count),
            "gear": rng.choice(["地笼", "单层刺网", "电鱼"], count),
        }
    )


def _names(units: Fleet) -> pd.DataFrame:
    import pandas as pd

    ids = units.names
    return pd.DataFrame({"unit_id": ids, "name": [f"模拟数据-{name}" for name in ids], "agency": "模拟长航公安"})
