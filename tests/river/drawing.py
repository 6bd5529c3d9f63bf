"""Rivers drawn by hand for tests: metres east and north of 112 E 30 N, a few kilometres across.

At latitude 30 on WGS84 a degree of longitude is 96,486.28 m and a degree of latitude 110,852.4 m, so lengths follow
from the drawing; within 5 km of the parallel they are right to 0.05 %.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_monitor import river

LON, LAT = 112.0, 30.0
EAST, NORTH = 96_486.28, 110_852.4  # metres per degree
TOLERANCE = 6e-4  # of a length: the parallel is not straight, the scale changes with latitude


def degrees(points: Any) -> np.ndarray:
    """(n, 2) metres east and north -> (n, 2) degrees."""
    return np.asarray(points, dtype=float) / [EAST, NORTH] + [LON, LAT]


def line(*points: tuple[float, float], step: float = 500.0) -> shapely.LineString:
    """A line through `points` (metres) with vertices at most `step` metres apart."""
    return shapely.transform(shapely.segmentize(shapely.LineString(points), step), degrees)


def bare(*points: tuple[float, float]) -> shapely.LineString:
    """A line through `points` (metres) and no other vertices."""
    return shapely.LineString(degrees(points))


def rows(*drawn: tuple[Any, ...]) -> gpd.GeoDataFrame:
    """River lines of (river, geometry) or (river, geometry, {column: value})."""
    columns = [{"river": row[0], **(row[2] if len(row) > 2 else {})} for row in drawn]
    frame = pd.DataFrame(columns)
    return gpd.GeoDataFrame(frame, geometry=[row[1] for row in drawn], crs="EPSG:4326")


def build(*drawn: tuple[Any, ...], **options: Any) -> river.Network:
    return river.build(rows(*drawn), **options)


def of(network: river.Network, name: str, side: bool = False) -> pd.DataFrame:
    """The channel reaches of a river (of its side channels where `side`), from the lowest up."""
    reaches = network.reaches
    own = (reaches["river"] == name) & (reaches["kind"] == "channel") & (reaches["side"].notna() == side)
    return reaches[own].sort_values(["km_from", "km_to"])


def length_km(network: river.Network, name: str) -> float:
    """Chainage from end to end of a river, after making sure that its reaches tile it."""
    own = of(network, name)
    assert len(own), f"no reach of {name}"
    assert np.allclose(own["km_from"].to_numpy()[1:], own["km_to"].to_numpy()[:-1], rtol=0, atol=1e-9)
    assert (own["km_to"] > own["km_from"]).all()
    return float(own["km_to"].iloc[-1] - own["km_from"].iloc[0])


def whole(network: river.Network) -> None:
    """What holds of every network: unique ids, symmetric links, one piece of water, reaches drawn downstream."""
    from scipy.sparse.csgraph import connected_components

    reaches = network.reaches
    assert reaches["reach_id"].is_unique
    matrix = network.adjacency
    assert (matrix != matrix.T).nnz == 0
    assert matrix.diagonal().sum() == 0
    assert set(matrix.data) <= {1.0}
    assert connected_components(matrix)[0] == 1
    channel = reaches[reaches["kind"] == "channel"]
    assert (channel["length_m"] > 0).all()
    assert (channel["km_to"] >= channel["km_from"]).all()


def codes(network: river.Network) -> list[str]:
    return [note["code"] for note in network.notes]


def batch(points: Any) -> Any:
    """Arrow batch lon, lat of points in metres."""
    import pyarrow as pa

    lonlat = degrees(np.asarray(points, dtype=float).reshape(-1, 2))
    return pa.RecordBatch.from_arrays([pa.array(lonlat[:, 0]), pa.array(lonlat[:, 1])], names=["lon", "lat"])


def located(network: river.Network, points: Any) -> pd.DataFrame:
    """`river.locate` of points in metres, with the river and side of the reach found."""
    found = river.locate(batch(points), network).to_pandas()
    at = found["reach"].to_numpy()
    for name in ("river", "side"):
        values = network.reaches[name].to_numpy()
        found[name] = [values[i] if i >= 0 else None for i in at]
    return found
