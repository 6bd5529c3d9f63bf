"""Made-up rivers as agencies draw them: every one is built, nothing is lost, what lies on a line is found on it."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
import shapely
import shapely.ops
from pyproj import Geod
from scipy.sparse.csgraph import connected_components

from geo_monitor import river
from geo_monitor.simulate import made_up_river

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize("seed", range(30))
def test_a_made_up_river(seed: int) -> None:
    lines = made_up_river.river(seed)
    network = river.build(lines, reach_length_m=500.0)
    reaches = network.reaches
    assert set(reaches["river"]) == set(lines["river"])
    assert connected_components(network.adjacency)[0] == 1
    drawn = lines.groupby("river")["geometry"].apply(
        lambda shapes: sum(GEOD.geometry_length(shape) for shape in shapes)
    )
    bridged: dict[str, float] = {}
    for note in network.notes:
        assert note["code"] == "gap_bridged", note  # nothing dropped, nothing guessed: the mouth is told
        name = note["params"]["river"]
        bridged[name] = bridged.get(name, 0.0) + note["params"]["gap_m"]
    built = reaches.groupby("river")["length_m"].sum()
    assert sum(bridged.values()) < 0.012 * drawn.sum()
    for name, metres in drawn.items():
        assert built[name] == pytest.approx(metres + bridged.get(name, 0.0), rel=1e-3)
    main = reaches[(reaches["river"] == made_up_river.MAIN) & reaches["side"].isna()].sort_values("km_from")
    assert np.allclose(main["km_from"].to_numpy()[1:], main["km_to"].to_numpy()[:-1], atol=1e-9)
    # the mouth is the free end of the one line that says so
    told = lines[lines["mouth"].notna()].geometry.iloc[0]
    low = main.geometry.iloc[0].coords[-1]
    assert min(GEOD.inv(*low, *told.coords[n])[2] for n in (0, -1)) < 1.0
    for name in set(lines["river"]) - {made_up_river.MAIN}:
        own = reaches[reaches["river"] == name]
        assert own["mouth_km"].nunique() == 1
        assert 0 < own["mouth_km"].iloc[0] < main["km_to"].max()


@pytest.mark.parametrize("seed", range(30))
def test_what_lies_on_a_line_is_found_on_it(seed: int) -> None:
    """A point every 700 m or so of each line: on its river, offset 0; km rises with the way along each line."""
    lines = made_up_river.river(seed)
    network = river.build(lines)
    names = network.reaches["river"].to_numpy()
    for name, shape in zip(lines["river"], lines.geometry, strict=True):
        along = np.arange(0.004, shape.length - 0.004, 0.007)
        if not len(along):
            continue
        points = shapely.line_interpolate_point(shape, along)
        lon, lat = shapely.get_x(points), shapely.get_y(points)
        found = river.locate(pa.RecordBatch.from_arrays([pa.array(lon), pa.array(lat)], names=["lon", "lat"]), network)
        reach, km = found.column("reach").to_numpy(), found.column("km").to_numpy()
        assert (names[reach] == name).all()
        assert np.abs(found.column("offset_m").to_numpy()).max() < 0.5
        step = np.diff(km)
        assert (step > 0).all() or (step < 0).all()
        if network.reaches["side"].iloc[reach].isna().all():
            way = np.array(
                [GEOD.geometry_length(shapely.ops.substring(shape, a, b)) for a, b in itertools.pairwise(along)]
            )
            assert np.allclose(np.abs(step) * 1_000, way, atol=1.0)
