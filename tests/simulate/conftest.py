"""A made-up world for the tests here, made once; and a small network with a lake, laid out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pytest
import scipy.sparse as sp
import shapely

from geo_monitor import river, simulate
from geo_monitor.simulate.water import DEGREE_M


@pytest.fixture(scope="session")
def lines():
    return simulate.river(5)


@pytest.fixture(scope="session")
def network(lines):
    return river.build(lines)


@pytest.fixture(scope="session")
def world(network, lines):
    return simulate.world(network, 5, days=40, units=10, mean_rate=0.2, lines=lines)


@dataclass
class Handmade:
    """60 reaches of 1 km due east along 30 N (reach 0 is the lowest, at the east end), a tributary of 20 coming from
    the north at km 30, and a lake of 5 x 5 square cells of 0.01 degrees touching nothing."""

    reaches: gpd.GeoDataFrame
    adjacency: sp.csr_matrix
    tolerance_m: np.ndarray


@pytest.fixture(scope="session")
def handmade() -> Handmade:
    km = 1000.0 / (DEGREE_M * np.cos(np.radians(30.0)))
    mouth = 113.0
    rows, shapes = [], []
    for i in range(60):
        shapes.append(shapely.LineString([(mouth - (i + 1) * km, 30.0), (mouth - i * km, 30.0)]))
        rows.append((f"m{i}", "甲江", float(i), i + 1.0, 1000.0, "channel"))
    up = 1000.0 / DEGREE_M
    for i in range(20):
        at = mouth - 30 * km
        shapes.append(shapely.LineString([(at, 30.0 + (i + 1) * up), (at, 30.0 + i * up)]))
        rows.append((f"t{i}", "乙河", float(i), i + 1.0, 1000.0, "channel"))
    for i in range(25):
        west, south = 112.0 + 0.01 * (i % 5), 29.0 + 0.01 * (i // 5)
        shapes.append(shapely.box(west, south, west + 0.01, south + 0.01))
        rows.append((f"l{i}", "丙湖", np.nan, np.nan, 1000.0, "lake"))
    names = ["reach_id", "river", "km_from", "km_to", "length_m", "kind"]
    reaches = gpd.GeoDataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)), geometry=shapes, crs="EPSG:4326")
    middle = shapely.centroid(np.array(shapes))
    reaches["lon"], reaches["lat"], reaches["side"] = shapely.get_x(middle), shapely.get_y(middle), None
    pairs = [(i, i + 1) for i in range(59)] + [(60 + i, 61 + i) for i in range(19)] + [(29, 60), (30, 60)]
    pairs += [(80 + i, 81 + i) for i in range(24) if i % 5 != 4] + [(80 + i, 85 + i) for i in range(20)]
    a, b = np.array(pairs).T
    one = np.ones(2 * len(pairs))
    adjacency = sp.csr_matrix((one, (np.r_[a, b], np.r_[b, a])), shape=(105, 105))
    return Handmade(reaches, adjacency, np.full(105, 1000.0))
