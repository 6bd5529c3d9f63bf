"""The real Yangtze as shipped: Natural Earth lines, the estuary built from the land polygons, lakes of the basin."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.reference import path
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import geopandas as gpd
    import shapely

HEAD = (119.60637, 32.19689)  # where the centre line stops and the estuary begins, below Zhenjiang
SEA = (121.93, 31.215)  # the mouth, in the south channel between the mainland and Changxing
NORTH_ARM = ((121.98, 31.645), (122.08, 31.55), (122.06, 31.38))  # over the sea around Chongming to the mouth
# in the data file, but of other basins: headwaters of the Yellow River, the Yishusi lakes, the Qiantang
OTHER_BASIN = ("Ngoring Hu", "Gyaring Hu", "Weishan Hu", "Luoma Hu", "Xinanjiang Shuiku")
LAKES_ZH = {"Ge Hu": "滆湖", "Huangtang Hu": "黄塘湖"}


def land() -> shapely.Geometry:
    """Land around the estuary (WGS84 polygon, lon 118 to 123): what is not land there is sea or estuary."""
    import geopandas as gpd
    import shapely

    frame = gpd.read_file(path("natural-earth/land_10m_estuary.geojson"))
    return shapely.union_all(frame.geometry.to_numpy())


@cache
def _estuary() -> list[np.ndarray]:
    from geo_monitor.river.estuary import centre_lines

    return centre_lines(land(), HEAD, SEA, np.array(NORTH_ARM))


def shipped(settings: Settings | None = None) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """(lines, lakes, marks) of the shipped Yangtze, in the form `river.build` takes (WGS84).

    Lines carry `accuracy_shipped_m`; marks are empty: the shipped chainage follows the drawn line, uncalibrated.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    settings = settings or Settings()
    frame = gpd.read_file(path("natural-earth/rivers_10m.geojson"))
    lines = gpd.GeoDataFrame(
        {
            "river": frame["name_zh"],
            "main_stem": ["是" if main else None for main in frame["main_stem"]],
            "mouth": None,
        },
        geometry=frame.geometry,
        crs="EPSG:4326",
    )
    arms = _estuary()
    main = next(i for i, line in enumerate(arms) if np.allclose(line[-1], HEAD)) + 1
    estuary = gpd.GeoDataFrame(
        {
            "river": "长江",
            "main_stem": ["是" if i < main else "否" for i in range(len(arms))],
            "mouth": [f"{SEA[0]} {SEA[1]}" if i == 0 else None for i in range(len(arms))],
        },
        geometry=[shapely.linestrings(line) for line in arms],
        crs="EPSG:4326",
    )
    lines = gpd.GeoDataFrame(pd.concat([lines, estuary], ignore_index=True), crs="EPSG:4326")
    lines["accuracy_m"] = settings.accuracy_shipped_m
    pools = gpd.read_file(path("natural-earth/lakes_10m.geojson"))
    pools = pools[~pools["name"].isin(OTHER_BASIN)].reset_index(drop=True)
    inner = shapely.point_on_surface(pools.geometry.to_numpy())
    # missing names come as None or NaN, depending on the version of pandas
    told = pools[["name_zh", "name"]].astype(object).where(pools[["name_zh", "name"]].notna(), "")
    names = [
        zh or LAKES_ZH.get(name) or name or f"未名湖 {shapely.get_x(p):.2f}E {shapely.get_y(p):.2f}N"
        for zh, name, p in zip(told["name_zh"], told["name"], inner, strict=True)
    ]
    lakes = gpd.GeoDataFrame({"river": names}, geometry=pools.geometry, crs="EPSG:4326")
    marks = gpd.GeoDataFrame(
        {"river": pd.Series(dtype=object), "km": pd.Series(dtype=float)}, geometry=[], crs="EPSG:4326"
    )
    return lines, lakes, marks
