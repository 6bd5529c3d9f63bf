"""Any lines at all: the build does not fail, loses no water, and its answers agree with each other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo_monitor import river
from geo_monitor.river import lines as drawing_lines
from geo_monitor.river.lines import Graph
from geo_monitor.settings import Settings
from tests.river.drawing import degrees, rows

GEOD = Geod(ellps="WGS84")
NAMES = ["长江", "长江", "汉江", None]
MOUTHS = [None, None, None, "yes", "start", "end", "112.05 30.02", "?"]
GRID = st.tuples(st.integers(0, 5), st.integers(0, 5))  # few places, so that lines meet, double, cross and close


@st.composite
def tangle(draw: st.DrawFn) -> list[tuple[str | None, shapely.LineString, dict[str, object]]]:
    made = []
    for _ in range(draw(st.integers(1, 7))):
        points = draw(st.lists(GRID, min_size=2, max_size=6))
        size = draw(st.sampled_from([1_000.0, 3_000.0]))
        name, mouth = draw(st.sampled_from(NAMES)), draw(st.sampled_from(MOUTHS))
        shape = shapely.LineString(degrees(np.array(points, dtype=float) * size))
        made.append((name, shape, {"mouth": mouth, "accuracy_m": draw(st.sampled_from([50.0, 500.0, None]))}))
    return made


def water(built: Graph) -> float:
    return sum(edge.length_m for edge in built.edges)


@settings(max_examples=60, deadline=None)
@given(tangle())
def test_any_tangle_of_lines_becomes_a_network(
    made: list[tuple[str | None, shapely.LineString, dict[str, object]]],
) -> None:
    frame = rows(*made)
    if all(shape.length == 0 for shape in frame.geometry):
        return
    network = river.build(frame)
    reaches = network.reaches
    assert reaches["reach_id"].is_unique
    assert reaches["river"].notna().all()
    # every metre of the graph is in exactly one reach
    kept = drawing_lines.graph(frame, Settings())
    assert abs(reaches["length_m"].sum() - water(kept)) < 0.01 * len(reaches) + 1.0
    shapes = reaches.geometry.to_numpy()
    assert (
        abs(sum(GEOD.geometry_length(shape) for shape in shapes) - reaches["length_m"].sum())
        < 0.01 * len(reaches) + 1.0
    )
    # what is joined in the graph is joined in the network, and nothing else
    from scipy.sparse.csgraph import connected_components

    used = np.unique([(edge.a, edge.b) for edge in kept.edges])
    assert connected_components(network.adjacency)[0] == len(np.unique(kept.components()[used]))
    assert (network.adjacency != network.adjacency.T).nnz == 0
    # every stem is tiled without hole or overlap
    order = np.argsort(network.low)
    low, high = network.low[order], network.high[order]
    for start, stem in zip(network.axis.start, network.stems, strict=True):
        own = (low >= start - 1e-3) & (high <= start + stem.along[-1] + 1e-3)
        if stem.along[-1] <= 1.0:  # what is left between two snapped vertices is too short to be a place
            assert not own.any()
            continue
        assert np.allclose(low[own], np.r_[start, high[own][:-1]], atol=1e-3)
        assert abs(high[own][-1] - start - stem.along[-1]) < 1e-3
    # a mid point is found in its own reach, or in one that runs through the same place
    found = river.locate(
        pa.RecordBatch.from_arrays([pa.array(reaches["lon"]), pa.array(reaches["lat"])], names=["lon", "lat"]), network
    ).to_pandas()
    assert (found["reach"] >= 0).all()
    assert found["offset_m"].abs().max() < 0.01
    # the way from everywhere to everywhere is symmetric
    n = len(reaches)
    rng = np.random.default_rng(n)
    a, b = rng.integers(0, n, 10), rng.integers(0, n, 10)
    middle = ((reaches["km_from"] + reaches["km_to"]) / 2).to_numpy()
    there = network.distance(a, middle[a], b, middle[b])
    assert np.allclose(there, network.distance(b, middle[b], a, middle[a]), atol=1e-6)
    pair, _, share = network.spread(a, middle[a], b, middle[b])
    assert np.allclose(np.bincount(pair, weights=share, minlength=10), 1.0)
