"""Tracks made by hand for the detectors, in metres east and north of 112 E 30 N and seconds after T0 (22:00 in Shanghai).

The rivers: see `water`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_monitor import river as rivers
from geo_monitor.events.detect import detect
from geo_monitor.events.event import Event
from geo_monitor.events.fixes import Fixes
from geo_monitor.events.rule import Rule
from geo_monitor.settings import Settings
from tests.river.drawing import EAST, LAT, LON, NORTH, line, rows

T0 = int(pd.Timestamp("2026-05-31T22:00", tz="Asia/Shanghai").value // 1_000_000)
SET = Settings()
KNOT = 1852 / 3600
LEVELS = pd.DataFrame()


@cache
def water() -> rivers.Network:
    """A straight river of 40 km; behind a dyke, 60 m north of it, a ditch from x = 10 to 18 km; and a river with a loop: its
    arms run 60 m apart, 6 km by water, at x = 3 km, y = 32 km."""
    straight = line((-20_000, 0), (20_000, 0))
    ditch = line((10_000, 60), (18_000, 60))
    loop = line((-2_000, 30_000), (3_000, 30_000), (3_000, 35_000), (3_060, 35_000), (3_060, 30_000), (8_000, 30_000))
    told = {"accuracy_m": 100.0, "mouth": True}
    drawn = rows(("长江", straight, told), ("内河", ditch, told), ("弯河", loop, told))
    return rivers.build(drawn, land=shapely.Point(0, 0))


def fixes(*parts: Fixes) -> Fixes:
    return Fixes.joined(parts)


def track(
    unit: str,
    seconds: Iterable[float],
    x: Callable[[float], float] | float,
    y: Callable[[float], float] | float = 0.0,
    patrol: bool = False,
    platform: str | None = None,
) -> Fixes:
    """Fixes of one unit at `seconds`, at places told in metres."""
    s = list(seconds)
    east, north = ([of(t) if callable(of) else of for t in s] for of in (x, y))
    n = len(s)
    return Fixes(
        np.array([unit] * n, dtype=object), T0 + np.round(np.array(s, dtype=float) * 1000).astype(np.int64),
        LON + np.array(east, dtype=float) / EAST, LAT + np.array(north, dtype=float) / NORTH, np.full(n, np.nan),
        np.full(n, np.nan), np.full(n, patrol), np.array([platform] * n, dtype=object),
    )  # fmt: skip


def steps(*legs: tuple[float, float]) -> Callable[[float], float]:
    """Place (m) over time: legs of (seconds, m/s), one after the other, standing still after them."""

    def place(t: float) -> float:
        at = 0.0
        for seconds, speed in legs:
            at += min(max(t, 0.0), seconds) * speed
            t -= seconds
        return at

    return place


def zones(*drawn: dict[str, Any]) -> gpd.GeoDataFrame:
    """Table `zones`: rows with `box` (west, south, east, north, metres)."""
    base = {"version": 1, "name": None, "category": None, "rule": None, "season_from": None, "season_to": None,
            "valid_from": None, "valid_to": None, "agency": None, "receipt_id": "r"}  # fmt: skip
    table = [{**base, **{name: value for name, value in row.items() if name != "box"}} for row in drawn]
    shapes = []
    for row in drawn:
        w, s, e, n = row["box"]
        shapes.append(shapely.box(LON + w / EAST, LAT + s / NORTH, LON + e / EAST, LAT + n / NORTH))
    columns = ["zone_id", *base]
    frame = gpd.GeoDataFrame(pd.DataFrame(table, columns=columns), geometry=shapes, crs="EPSG:4326")
    for name in ("valid_from", "valid_to"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def rule(kind: str, **more: Any) -> Rule:
    return Rule(kind, 1, kind, **more)


def found(
    given: Fixes, *rules: Rule, law: gpd.GeoDataFrame | None = None, now: float | None = None, dry: bool = False,
    settings: Settings = SET,
) -> list[Event]:  # fmt: skip
    """Events of all fixes at once; now in seconds after T0."""
    moment = None if now is None else T0 + round(now * 1000)
    return detect(given, None if dry else water(), zones() if law is None else law, LEVELS, rules, settings, moment)


def times(events: Sequence[Event]) -> list[tuple[float, float | None]]:
    """Begin and end of each event, seconds after T0."""
    return [
        ((event.started_at - T0) / 1000, None if event.ended_at is None else (event.ended_at - T0) / 1000)
        for event in events
    ]
