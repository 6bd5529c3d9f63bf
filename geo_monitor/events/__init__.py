"""Detectors: what boats do on the water that somebody should look at. Pure: fixes in, events out; no files, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo_monitor.river.network import Network
    from geo_monitor.settings import Settings


def warm(network: Network, settings: Settings) -> None:
    """Runs every detector once, which compiles it: two boats, a patrol and a camera for some minutes."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    from geo_monitor.events.detect import detect
    from geo_monitor.events.fixes import Fixes
    from geo_monitor.events.rule import KINDS, Rule

    n = 60
    at = float(network.reaches["lon"].iloc[0]), float(network.reaches["lat"].iloc[0])
    unit = np.array(["a", "b", "p", "c"] * n, dtype=object)
    time = 1_748_700_000_000 + 60_000 * np.repeat(np.arange(n), 4)  # 22:00 in Shanghai: sensors count at night
    none = np.full(len(unit), np.nan)
    platform = np.array([None, None, None, "camera"] * n, dtype=object)
    fixes = Fixes(unit, time, at[0] + 5e-4 * np.repeat(np.arange(n), 4), np.full(len(unit), at[1]), none, none,
                  unit == "p", platform)  # fmt: skip
    words = {"zone_id": "z", "version": 1, "name": None, "category": "landing", "rule": None, "season_from": None,
             "season_to": None, "valid_from": pd.NaT, "valid_to": pd.NaT, "agency": None, "receipt_id": "r"}  # fmt: skip
    zones = gpd.GeoDataFrame([words], geometry=[shapely.box(*at, at[0] + 0.001, at[1] + 0.001)], crs="EPSG:4326")
    rules = [Rule(kind, 1, kind, allowed=("p",)) for kind in KINDS]
    detect(fixes, network, zones, pd.DataFrame(), rules, settings, int(time[-1]) + 3_600_000)
