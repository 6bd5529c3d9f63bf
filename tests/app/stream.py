"""A made-up river for the brief: one straight channel along lat 30 that flows east, km 0 in the east.

Reach rI covers [I/2, I/2 + 0.5) km, so its mid point lies I/2 + 0.25 km west of lon 112; `lon(km)` is that by hand
(one degree of longitude at lat 30 is 96,486.28 m).
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_monitor import tables
from geo_monitor.app import levels
from geo_monitor.app.brief import Known
from tests.water import LAT, lon_of

AT = pd.Timestamp("2026-06-10T04:00:00Z")  # noon in Shanghai
NAMES = {"420000": "甲市", "430000": "乙市", "440000": "丙市"}


def lon(km: float) -> float:
    return float(np.asarray(lon_of(np.array([km])))[0])


def line(low: float, high: float) -> shapely.LineString:
    """The channel from km `high` down to km `low`, drawn downstream."""
    return shapely.LineString([(lon(high), LAT), (lon(low), LAT)])


def reaches(n: int = 30, **states: str) -> pd.DataFrame:
    """r0 .. r(n-1): 甲市 on both banks up to r19, 乙市 on the right bank from r10 to r19, 丙市 on both from r20."""
    number = np.arange(n)
    frame = gpd.GeoDataFrame(
        {
            "reach_id": [f"r{i}" for i in number],
            "river": "长江",
            "km_from": number / 2,
            "km_to": number / 2 + 0.5,
            "length_m": 500.0,
            "lon": [lon(i / 2 + 0.25) for i in number],
            "lat": LAT,
            "kind": "channel",
            "side": None,
            "adcode_left": ["440000" if i >= 20 else "420000" for i in number],
            "adcode_right": ["440000" if i >= 20 else "430000" if i >= 10 else "420000" for i in number],
        },
        geometry=[line(i / 2, i / 2 + 0.5) for i in number],
        crs=tables.CRS,
    )
    state = [states.get(f"r{i}", "normal") for i in number]
    told = pd.DataFrame(
        {
            "reach_id": frame["reach_id"],
            "river": "长江",
            "km_from": frame["km_from"],
            "km_to": frame["km_to"],
            "lon": frame["lon"],
            "lat": frame["lat"],
            "seizures": 3,
            "seizures_unpatrolled": 0,
            "patrol_h": [0.8 if s == "not_looked" else 4.21 for s in state],
            "rate": 0.314,
            "rate_lo": 0.12,
            "rate_hi": 0.62,
            "rr": 6.04,
            "p_hot": 0.934,
            "state": state,
            "class": ["hot_new" if s == "hot" else "none" for s in state],
            "last_look": AT - pd.Timedelta(days=9.7),
        }
    )
    return levels.joined(told, frame, AT)


def links(n: int = 30) -> pd.DataFrame:
    names = [f"r{i}" for i in range(n)]
    return pd.DataFrame({"reach_a": names[:-1], "reach_b": names[1:], "distance_m": 500.0})


def blank(name: str) -> pd.DataFrame:
    shape = tables.table(name)
    return shape.from_arrow(shape.arrow.empty_table())


def filled(name: str, rows: list[dict[str, Any]], **common: Any) -> pd.DataFrame:
    """Rows of a table; what they leave out is null."""
    if not rows:
        return blank(name)
    made = pd.DataFrame([common | row for row in rows])
    if tables.table(name).geometry:
        made = gpd.GeoDataFrame(made, geometry="geometry", crs=tables.CRS)
    return tables.table(name).conform(made)


def zone(zone_id: str, low: float, high: float, **more: Any) -> dict[str, Any]:
    shape = shapely.box(lon(high), LAT - 0.005, lon(low), LAT + 0.005)
    told = {"zone_id": zone_id, "version": 1, "name": zone_id, "category": "禁捕水域", "rule": "禁止捕捞"}
    return told | {"agency": "渔政", "geometry": shape, "receipt_id": f"receipt {zone_id}"} | more


def seizure(report_id: str, time: str, **more: Any) -> dict[str, Any]:
    told = {"report_id": report_id, "version": 1, "time": pd.Timestamp(time), "setting": "water", "origin": "patrol"}
    return told | {"gear": "地笼", "disposition": "warning", "receipt_id": "s"} | more


def link(report_id: str, reach_id: str, km: float, bank: str = "left") -> dict[str, Any]:
    return {"report_id": report_id, "reach_id": reach_id, "km": km, "bank": bank}


def fix(unit_id: str, time: str, east: float, north: float = LAT, role: str = "patrol") -> dict[str, Any]:
    told = {"unit_id": unit_id, "time": pd.Timestamp(time), "lon": east, "lat": north}
    return told | {"speed": 2.0, "heading": 90.0, "role": role}


def known(
    table: pd.DataFrame | None = None,
    zones: list[dict[str, Any]] | None = None,
    seizures: list[dict[str, Any]] | None = None,
    linked: list[dict[str, Any]] | None = None,
    fixes: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Known:
    held = reaches() if table is None else table
    return Known(
        more.pop("at", AT),
        held,
        links(len(held)),
        filled("zones", zones or []),
        filled("seizures", seizures or []),
        pd.DataFrame(linked or [], columns=["report_id", "reach_id", "km", "bank"]),
        fixes=pd.DataFrame(fixes or [], columns=["unit_id", "time", "lon", "lat", "speed", "heading", "role"]),
        **more,
    )
