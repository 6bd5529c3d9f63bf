"""Waters of the tests of this folder."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import shapely

from geo_monitor import river
from tests.river.drawing import degrees, line, rows


@cache
def lake_world() -> river.Network:
    """A tributary, 湘江, that runs 20 km through a lake into 长江."""
    lake = gpd.GeoDataFrame(
        {"river": ["洞庭湖"]},
        geometry=[shapely.Polygon(degrees([(5_000, 4_000), (15_000, 4_000), (15_000, 14_000), (5_000, 14_000)]))],
        crs="EPSG:4326",
    )
    return river.build(
        rows(
            ("长江", line((0, 0), (20_000, 0)), {"mouth": "end", "accuracy_m": 50.0}),
            ("湘江", line((10_000, 20_000), (10_000, 0)), {"mouth": None, "accuracy_m": 50.0}),
        ),
        lake,
    )
