"""A tiny workspace with one run, every value chosen by hand: three reaches along latitude 30 and one lake cell."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo_monitor.store import Store
from geo_monitor.workspace import Workspace
from tests.store.uploads import fixes, seizures, upload

RUN = "20260101T000000Z-aaaaaa"
LINES = [shapely.LineString([(112.0 - 0.01 * i, 30.0), (112.01 - 0.01 * i, 30.0)]) for i in range(3)]  # up the river
LAKE = shapely.box(112.02, 29.99, 112.03, 30.01)


def reaches() -> gpd.GeoDataFrame:
    frame = pd.DataFrame(
        {
            "reach_id": ["江K0000.000", "江K0001.000", "江K0002.000", "湖-1"],
            "river": ["江", "江", "江", "湖"],
            "km_from": [0.0, 1.0, 2.0, None],
            "km_to": [1.0, 2.0, 3.0, None],
            "length_m": [1000.0, 1000.0, 1000.0, 1000.0],
            "lon": [112.005, 111.995, 111.985, 112.025],
            "lat": [30.0] * 4,
            "kind": ["channel"] * 3 + ["lake"],
        }
    )
    return gpd.GeoDataFrame(frame, geometry=[*LINES, LAKE], crs="EPSG:4326")


def hotspots() -> pd.DataFrame:
    frame = reaches()
    return pd.DataFrame(
        {
            **{name: frame[name] for name in ("reach_id", "river", "km_from", "km_to", "lon", "lat")},
            "adcodes": [["420500", "421000"], ["420500"], [], []],
            "seizures": [3, 0, 0, 1],
            "seizures_unpatrolled": [0, 0, 2, 0],
            "patrol_h": [10.0, 5.0, 0.0, 4.0],
            "exposure_h": [10.0, 5.0, 0.0, 4.0],
            "expected": [2.0, 1.0, 0.0, 0.8],
            "rate": [0.3, 0.1, 0.2, 0.25],
            "rate_lo": [0.1, 0.0, 0.05, 0.125],
            "rate_hi": [0.6, 0.4, 0.55, 0.5],
            "rr": [1.5, 0.5, 1.0, 1.25],
            "p_hot": [0.9, 0.1, 0.2, 0.3],
            "gi_z": [2.5, -0.5, None, 0.0],
            "q_value": [0.04, 0.6, None, 0.9],
            "state": ["hot", "normal", "not_looked", "normal"],
            "class": ["none"] * 4,
            "last_look": pd.to_datetime(["2026-05-31T16:00:00Z", "2026-05-31T16:00:00Z", None, "2026-06-01T00:00:00Z"]),
        }
    )


def workspace(folder: Path) -> Workspace:
    made = Workspace.create(folder / "ws")
    reports = seizures(
        report_id=["a", "=cmd|' /C calc'!A0", "by-km", "words"],
        lon=[112.005, 111.985, None, None],
        lat=[30.0, 30.0, None, None],
        river=[None, None, "江", None],
        km=[None, None, 1.25, None],
        place=["码头", "-12", "@SUM(1)", "在桥下"],
    )
    zones = pd.DataFrame(
        {
            "zone_id": ["z"],
            "version": [1],
            "name": ["保护区"],
            "rule": ["禁" * 200],
            "geometry": [shapely.box(111.9, 29.9, 112, 30)],
        }
    )
    units = pd.DataFrame({"unit_id": ["u"], "name": ["渔政1号"]})
    tracks = fixes("u", "2026-05-31T15:59:30+00:00", 3, 30.0)
    for kind, rows in {"tracks": tracks, "seizures": reports, "zones": zones, "units": units}.items():
        Store(made.root).commit(*upload(folder, kind, rows, f"r-{kind}", content=kind.encode(), rows_read=len(rows)))
    links = pd.DataFrame(
        {
            "report_id": reports["report_id"],
            "reach_id": ["江K0000.000", "江K0002.000", "江K0001.000", None],
            "km": [0.5, 2.5, 1.25, None],
            "zone_ids": [[], ["z", "y"], ["z"], []],
            "use": ["rate", "rate", "rate", "no_place"],
        }
    )
    effort = pd.DataFrame(
        {
            "reach_id": ["江K0000.000", "江K0000.000"],
            "day": [pd.Timestamp("2026-05-31").date(), pd.Timestamp("2026-06-01").date()],
            "platform": ["boat", "boat"],
            "minutes": [30.0, 60.0],
            "stakeout_minutes": [0.0, 0.0],
            "night_minutes": [0.0, 0.0],
            "passes": [1, 1],
            "units": [1, 1],
            "reported_minutes": [0.0, 0.0],
        }
    )
    patrols = pd.DataFrame(
        {
            "patrol_id": ["p"],
            "unit_id": ["u"],
            "started_at": pd.to_datetime(["2026-05-31T15:59:30Z"]),
            "ended_at": pd.to_datetime(["2026-05-31T16:00:30Z"]),
            "how": ["tracked"],
        }
    )
    Store(made.root).write_run(
        {"run_id": RUN, "made_at": pd.Timestamp("2026-01-01", tz="UTC"), "summary": '{"states": {}}'},
        {
            "reaches": reaches(),
            "links": pd.DataFrame({"reach_a": ["江K0000.000"], "reach_b": ["江K0001.000"], "distance_m": [1000.0]}),
            "locating": reaches()[["reach_id"]].assign(tolerance_m=200.0),
            "hotspots": hotspots(),
            "seizure_links": links,
            "effort": effort,
            "patrols": patrols,
        },
    )
    return made
