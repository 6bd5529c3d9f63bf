"""A workspace made up in memory, in the exact form of `geo_monitor.tables`: real reaches, invented patrols and reports.

It offers what the pages use of `geo_monitor.workspace.Workspace`: `root`, `simulated`, `settings`, `table`, and of its
store `positions`, `tracks`, `newest`, `mark` and fixes of feeds (none); and of the `desk` a queue with nothing in it.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from geo_monitor import river, tables
from geo_monitor.errors import Usage
from geo_monitor.reference import path
from geo_monitor.settings import Settings

END = pd.Timestamp("2026-05-31T16:00:00Z")
HOSTILE = (
    "@@=foo(((",
    "@@#a.b",
    "<img src=x onerror=\"document.title='broken'\">",
    "<script>document.title='broken'</script>",
    "{id} {{title}} 㐂𠮷",
)
RUN = "20260601T000000Z-abcdef"
LONG = 120_000  # fixes of `long_file`


@functools.cache
def network() -> gpd.GeoDataFrame:
    """The real reaches with their localities."""
    settings = Settings()
    lines, lakes, marks = river.shipped(settings)
    places = gpd.read_file(path("divisions/localities.geojson")).assign(level="city")
    built = river.build(lines, lakes, marks, places, reach_length_m=500.0, settings=settings)
    return built.reaches


def hotspots(reaches: pd.DataFrame, seed: int = 7) -> pd.DataFrame:
    """An invented answer: patchy along the water, looked at mostly near cities, states by the contract's rules."""
    rng = np.random.default_rng(seed)
    n = len(reaches)
    patch = np.convolve(rng.normal(size=n), np.ones(60) / 60**0.5, "same")
    hours = np.clip(np.convolve(rng.gamma(0.6, 9.0, n), np.ones(40) / 40, "same") * 3 - 8, 0, None)
    upper = reaches["river"].isin(["通天河", "沱沱河", "楚玛尔河", "雅砻江", "大渡河"]).to_numpy()
    hours[upper] *= 0.1
    rate = 0.05 * np.exp(1.2 * patch)
    spread = np.exp(1.64 / np.sqrt(1 + rate * hours * 3))
    rr = rate / 0.05
    p_hot = 1 / (1 + np.exp(-(np.log(rr / 2)) * (1 + hours / 6)))
    cold = 1 / (1 + np.exp((np.log(rr / 0.5)) * (1 + hours / 6)))
    state = np.where(hours < 2, "not_looked", np.where(p_hot >= 0.8, "hot", np.where(cold >= 0.8, "cold", "normal")))
    days = rng.gamma(1.5, 30, n)
    last = pd.Series(END - pd.to_timedelta(np.where(hours > 0, days, np.nan), unit="D")).astype("datetime64[ms, UTC]")
    frame = pd.DataFrame(
        {
            "reach_id": reaches["reach_id"],
            "river": reaches["river"],
            "km_from": reaches["km_from"],
            "km_to": reaches["km_to"],
            "lon": reaches["lon"],
            "lat": reaches["lat"],
            "adcodes": [
                [c for c in pair if isinstance(c, str)]
                for pair in zip(reaches["adcode_left"], reaches["adcode_right"], strict=True)
            ],
            "seizures": rng.poisson(rate * hours),
            "seizures_unpatrolled": rng.binomial(1, 0.02, n),
            "patrol_h": hours,
            "exposure_h": hours,
            "expected": hours * 0.05,
            "rate": rate,
            "rate_lo": rate / spread,
            "rate_hi": rate * spread,
            "rr": rr,
            "p_hot": p_hot,
            "gi_z": np.where(hours >= 2, patch, np.nan),
            "q_value": np.where(hours >= 2, 0.5, np.nan),
            "state": state,
            "class": "none",
            "last_look": last.to_numpy(),
        }
    )
    frame["last_look"] = last.to_numpy()
    return tables.table("hotspots").conform(frame.assign(last_look=last))


def zones(reaches: pd.DataFrame) -> gpd.GeoDataFrame:
    """A few zones around real places; two with hostile names, one out of its season for ever."""
    rows = []
    for i, (name, lon, lat) in enumerate(
        [
            ("石首天鹅洲保护区", 112.6, 29.83),
            (HOSTILE[0], 113.1, 29.5),
            (HOSTILE[2], 114.3, 30.55),
            ("旧禁捕区", 116.0, 29.75),
        ]
    ):
        rows.append(
            {
                "zone_id": f"Z{i}",
                "version": 1,
                "name": name,
                "category": "核心区" if i == 0 else "禁捕水域",
                "rule": HOSTILE[3] if i == 1 else "全年禁止捕捞",
                "season_from": "",
                "season_to": "",
                "valid_from": None,
                "valid_to": pd.Timestamp("2020-01-01", tz="UTC") if i == 3 else None,
                "agency": HOSTILE[4] if i == 1 else "湖北",
                "geometry": shapely.Point(lon, lat).buffer(0.12),
                "receipt_id": "r1",
            }
        )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=tables.CRS)
    for column in ("valid_from", "valid_to"):
        frame[column] = pd.to_datetime(frame[column], utc=True).astype("datetime64[ms, UTC]")
    for column in ("season_from", "season_to"):
        frame[column] = None
    return frame


def seizures(reaches: pd.DataFrame, n: int = 400, seed: int = 3) -> pd.DataFrame:
    """Invented reports on the middle and lower Yangtze; the first five hold hostile text in every free field."""
    rng = np.random.default_rng(seed)
    near = reaches[(reaches["river"] == "长江") & (reaches["km_from"] < 1900)]
    at = near.iloc[rng.integers(0, len(near), n)]
    rows = pd.DataFrame(
        {
            "report_id": [f"S{i:04d}" for i in range(n)],
            "version": 1,
            "time": (END - pd.to_timedelta(rng.uniform(0, 300, n), unit="D")).astype("datetime64[ms, UTC]"),
            "lon": at["lon"].to_numpy() + rng.normal(0, 0.01, n),
            "lat": at["lat"].to_numpy() + rng.normal(0, 0.01, n),
            "place": "码头下游",
            "setting": rng.choice([*tables.SETTINGS, None], n),
            "origin": rng.choice(tables.ORIGINS, n),
            "gear": "地笼",
            "catch_kg": rng.gamma(1, 8, n).round(1),
            "disposition": rng.choice(tables.DISPOSITIONS, n),
            "agency": "湖北",
            "receipt_id": "r2",
        }
    )
    for i, text in enumerate(HOSTILE):
        rows.loc[i, ["report_id", "place", "gear"]] = [text, text, text]
        rows.loc[i, ["lon", "lat"]] = [112.4 + 0.3 * i, 31.6]
    return tables.table("seizures").conform(rows)


def positions(reaches: pd.DataFrame, patrols: int = 40) -> pa.Table:
    """Patrols going down 40 km of the Yangtze at 5 m/s, a fix every 100 s."""
    main = reaches[(reaches["river"] == "长江") & reaches["side"].isna()].sort_values("km_from")
    lon, lat = main["lon"].to_numpy(), main["lat"].to_numpy()
    parts = []
    for i in range(patrols):
        start = 300 + 80 * i
        time = END - timedelta(days=i % 20, hours=6) + pd.to_timedelta(np.arange(80) * 100, unit="s")
        parts.append(
            pd.DataFrame(
                {
                    "unit_id": f"鄂渔政{i % 9:03d}",
                    "patrol_id": f"P{i}",
                    "time": time,
                    "lon": lon[start : start + 80],
                    "lat": lat[start : start + 80],
                    "role": "patrol",
                    "receipt_id": "r3",
                }
            )
        )
    frame = pd.concat(parts).sort_values(["unit_id", "time"])
    return tables.table("positions").to_arrow(frame)


def long_file(file: Path) -> Path:
    """Writes fixes of a patrol that take some seconds to take in."""
    times = pd.date_range("2026-05-01", periods=LONG, freq="20s").strftime("%Y-%m-%d %H:%M:%S")
    rows = (f"渔政01,{time},{112 + 1e-6 * k:.6f},30.0\n" for k, time in enumerate(times))
    file.write_text("单元,定位时间,经度,纬度\n" + "".join(rows), encoding="utf-8")
    return file


class FakeWorkspace:
    """See the head of this file. `empty` holds nothing at all."""

    def __init__(self, root: str = "fake", *, simulated: bool = True, empty: bool = False) -> None:
        self.root = root
        self.simulated = simulated
        self.settings = Settings()
        self.empty = empty
        self.store = SimpleNamespace(
            positions=self._positions,
            tracks=lambda: frozenset({"r3"}),
            live=lambda after=0: (tables.table("positions").arrow.empty_table(), np.array([], dtype=np.int64)),
            held_from=None,
            live_bounds=lambda: None,
            mark=lambda tracks=True: "1",
            newest=lambda: None if empty else int((END - timedelta(hours=6)).timestamp() * 1000) + 79 * 100_000,
        )
        self.viewer = SimpleNamespace(rights=frozenset({"read"}))
        self.basemaps = SimpleNamespace(every=list)
        self.accounts = SimpleNamespace(any=lambda: False, stamp=lambda: "")
        self._store = SimpleNamespace(once=lambda question, ask: [(0, 0, 0)])  # no revision of anything
        self.desk = SimpleNamespace(
            replayed_to=None,
            queue=lambda now, every=False: self._blank("warnings").assign(
                due_at=lambda rows: rows["sign_by"], left_s=0.0
            ),
        )
        self._held: dict[str, pd.DataFrame] = {}

    def _blank(self, name: str) -> pd.DataFrame:
        shape = tables.table(name)
        return shape.from_arrow(shape.arrow.empty_table())

    def table(self, name: str, run: str | None = None) -> pd.DataFrame:
        if name not in self._held:
            self._held[name] = self._make(name)
        return self._held[name]

    def _make(self, name: str) -> pd.DataFrame:
        if self.empty or name in ("jurisdictions", "receipts", "units", "levels"):
            if name in ("hotspots", "reaches"):
                raise Usage("no_run")
            return self._blank(name)
        if name == "links":
            held = network().sort_values(["river", "km_from"])
            ids = held["reach_id"].tolist()
            return pd.DataFrame({"reach_a": ids[:-1], "reach_b": ids[1:], "distance_m": 500.0})
        if name in ("effort", "zone_visits", "why", "reemergence", "clusters"):
            raise Usage("no_such_result", table=name, run_id=RUN)
        if name == "reaches":
            return network()
        if name == "runs":
            row = {
                "run_id": RUN,
                "made_at": END,
                "period_from": END - timedelta(days=365),
                "period_to": END,
                "summary": '{"notes": []}',
            }
            return tables.table("runs").conform(pd.DataFrame([row]))
        if name == "seizure_links":
            return self._blank(name)
        return {"hotspots": hotspots, "zones": zones, "seizures": seizures}[name](network())

    def _positions(self, start=None, end=None, columns=None, encoded=False, receipts=None) -> pa.Table:
        held = positions(network()) if not self.empty else tables.table("positions").arrow.empty_table()
        frame = tables.table("positions").from_arrow(held)
        frame = frame[(frame["time"] >= start) & ((frame["time"] < end) if end is not None else True)]
        return tables.table("positions").to_arrow(frame).select(columns)
