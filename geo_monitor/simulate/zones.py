"""Made-up ban zones around stretches of the water, with seasons and times of validity.

Out: a frame with the columns of table `zones`, geometry in WGS84. Some hold all year, some in a season (one of them
over the new year), some begin or end within the period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.simulate.water import DEGREE_M, Water

if TYPE_CHECKING:
    import geopandas as gpd

KINDS = (
    # category, rule, season from, to, half width of the zone in metres
    ("保护区核心区", "禁止一切捕捞与垂钓", None, None, 1_500.0),
    ("保护区缓冲区", "禁止一切捕捞", None, None, 2_200.0),
    ("保护区实验区", "繁殖期禁止捕捞", "03-01", "06-30", 1_500.0),
    ("禁捕水域", "禁止生产性捕捞", None, None, 1_200.0),
    ("鳗苗禁捕区", "汛期禁捕鳗苗", "11-15", "03-31", 1_500.0),
)


def zones(water: Water, number: int, start: str, days: int, seed: int) -> gpd.GeoDataFrame:
    """`number` zones on the river; zone n is of kind n mod 5, so that seasons that wrap the year are among them."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    rng = np.random.default_rng([seed, 8])
    length = np.where(water.lake, 0.0, water.end - water.begin)
    begin = pd.Timestamp(start, tz="Asia/Shanghai")
    rows = []
    for i in range(number):
        category, rule, season_from, season_to, half_m = KINDS[i % len(KINDS)]
        course = int(rng.choice(len(length), p=length / length.sum()))
        span = min(rng.uniform(4_000.0, 20_000.0), 0.6 * length[course])
        s0 = water.begin[course] + rng.uniform(0.0, length[course] - span)
        s = np.linspace(s0, s0 + span, max(8, int(span // 250)))
        lon, lat = np.interp(s, water.knot, water.lon), np.interp(s, water.knot, water.lat)
        stretch = np.cos(np.radians(lat.mean()))
        line = shapely.LineString(np.column_stack([lon * stretch * DEGREE_M, lat * DEGREE_M]))
        shape = shapely.transform(
            line.buffer(half_m, cap_style="flat").simplify(20.0),
            lambda xy, stretch=stretch: (xy / [stretch * DEGREE_M, DEGREE_M]).round(6),
        )
        day = begin + pd.Timedelta(days=int(days * rng.uniform(0.3, 0.7)))
        rows.append(
            {
                "zone_id": f"模拟区{i + 1:02d}",
                "version": 1,
                "name": f"模拟数据{category}{i + 1}",
                "category": category,
                "rule": rule,
                "season_from": season_from,
                "season_to": season_to,
                "valid_from": day if i % 6 == 3 else pd.NaT,
                "valid_to": day if i % 6 == 5 else pd.NaT,
                "agency": "模拟渔政支队",
                "geometry": shapely.make_valid(shape),
            }
        )
    frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4326")
    for name in ("valid_from", "valid_to"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ms, UTC]")
    return frame
