"""Who answers for each bank: the locality on the left and on the right of every reach, looking downstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_monitor.river.geodesy import Floats, scale, to_degrees, to_mercator
from geo_monitor.river.lakes import mercator
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import geopandas as gpd


def banks(
    lon: Floats,
    lat: Floats,
    ux: Floats,
    uy: Floats,
    reach_m: Floats,
    jurisdictions: gpd.GeoDataFrame,
    settings: Settings,
) -> tuple[np.ndarray, np.ndarray]:
    """(adcode_left, adcode_right) of reaches with mid points lon, lat and unit direction downstream (ux, uy).

    A bank is looked for at `reach_m` metres (the accuracy of the line, or half the water) square to the line, then
    farther out; the direction (0, 0) of a lake cell looks at the point itself. Without a locality there the nearest one
    within `bank_search_m` is taken. Localities without adcode are known by their name.
    """
    codes = np.array(
        [
            code if code == code and code else name  # a missing one may come as NaN
            for code, name in zip(jurisdictions["adcode"], jurisdictions["name"], strict=True)
        ],
        dtype=object,
    )
    shapes = mercator(shapely.make_valid(np.asarray(jurisdictions.geometry.to_numpy(), dtype=object)))
    tree = shapely.STRtree(shapes)
    x, y = to_mercator(lon, lat)
    k = scale(lat)
    result: list[Any] = []
    for side in (1.0, -1.0):  # left of the direction (ux, uy) is (-uy, ux)
        found = np.full(len(lon), -1)
        for factor in (1.0, 2.0, 4.0):
            todo = np.flatnonzero(found < 0)
            if not len(todo):
                break
            away = factor * reach_m[todo] * k[todo]
            points = shapely.points(x[todo] - side * uy[todo] * away, y[todo] + side * ux[todo] * away)
            hit, which = tree.query(points, "intersects")
            first = np.unique(hit, return_index=True)[1]
            found[todo[hit[first]]] = which[first]
        todo = np.flatnonzero(found < 0)
        if len(todo):
            limit = settings.bank_search_m * float(k.max())
            hit, which = tree.query_nearest(shapely.points(x[todo], y[todo]), max_distance=limit, all_matches=False)
            found[todo[hit]] = which
        result.append(np.where(found >= 0, codes[np.maximum(found, 0)], None))
    left, right = result
    return left, right


def direction(x: Floats, y: Floats, along: Floats, at: Floats, span_m: float) -> tuple[Floats, Floats]:
    """Unit direction downstream (towards along = 0) of a stem at `at` metres along, over `span_m` metres around it."""
    low, high = np.clip(at - span_m / 2, 0, along[-1]), np.clip(at + span_m / 2, 0, along[-1])
    dx = np.interp(low, along, x) - np.interp(high, along, x)
    dy = np.interp(low, along, y) - np.interp(high, along, y)
    size = np.maximum(np.hypot(dx, dy), 1e-9)
    return dx / size, dy / size


def midpoint(x: Floats, y: Floats, along: Floats, at: Floats) -> tuple[Floats, Floats]:
    """lon, lat of the points `at` metres along a stem."""
    return to_degrees(np.interp(at, along, x), np.interp(at, along, y))
