"""A river as arrays and back: equal in every value and type, so that nothing worked out from it can differ."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor import river
from geo_monitor.engine.kept import Kept
from geo_monitor.river import saved
from tests.river.drawing import build, line
from tests.river.test_shipped import shipped


def back(network: river.Network, folder: Path) -> river.Network:
    """The network, through a file."""
    kept = Kept(folder, "river")
    kept.put("river", "a", saved.to_arrays(network))
    arrays = kept.get("river", "a")
    assert arrays is not None
    return saved.from_arrays(arrays, network.settings)


def same(one: Any, other: Any) -> None:
    """Equal, down to the types."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        if one.dtype == object:
            assert shapely.to_wkb(one).tolist() == shapely.to_wkb(other).tolist()
        else:
            np.testing.assert_array_equal(one, other)
    elif isinstance(one, gpd.GeoDataFrame):
        assert one.crs == other.crs
        assert shapely.to_wkb(one.geometry.to_numpy()).tolist() == shapely.to_wkb(other.geometry.to_numpy()).tolist()
        plain = [pd.DataFrame(frame.drop(columns="geometry")) for frame in (one, other)]
        pd.testing.assert_frame_equal(*plain, check_exact=True)
        for name in plain[0].columns:  # what is missing is missing alike: None or NaN
            missing = [[value for value in frame[name].tolist() if not isinstance(value, str)] for frame in plain]
            assert list(map(type, missing[0])) == list(map(type, missing[1]))
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    elif hasattr(one, "__dataclass_fields__"):
        for part in fields(one):
            same(getattr(one, part.name), getattr(other, part.name))
    else:
        assert one == other


@pytest.mark.parametrize("with_banks", [True, False], ids=["with localities", "without"])
def test_the_shipped_river_comes_back_as_it_was(with_banks: bool, tmp_path: Path) -> None:
    lines, lakes, marks = river.shipped()
    network = shipped(2000.0) if with_banks else river.build(lines, lakes, marks, reach_length_m=2000.0)
    found = back(network, tmp_path)
    for part in fields(network):
        same(getattr(network, part.name), getattr(found, part.name))
    assert found.digest == network.digest
    lon, lat = network.reaches["lon"].to_numpy() + 0.003, network.reaches["lat"].to_numpy()
    for name, values in vars(river.place(lon, lat, network)).items():
        np.testing.assert_array_equal(values, getattr(river.place(lon, lat, found), name))


def test_a_river_with_an_island_and_no_lake_comes_back_as_it_was(tmp_path: Path) -> None:
    network = build(
        ("长江", line((0, 0), (10_000, 0), (20_000, 0))), ("长江", line((5_000, 0), (10_000, 4_000), (15_000, 0)))
    )
    assert (network.reaches["side"].notna()).any()
    found = back(network, tmp_path)
    for part in fields(network):
        same(getattr(network, part.name), getattr(found, part.name))
    assert found.digest == network.digest
    pd.testing.assert_frame_equal(found.links, network.links, check_exact=True)
