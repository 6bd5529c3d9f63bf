"""The compiled search against shapely on the shipped river and on made-up ones, where it is hardest to be right."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from geo_monitor import river
from geo_monitor.river.geodesy import scale, to_degrees, to_mercator
from geo_monitor.river.locate import place
from geo_monitor.settings import Settings
from tests.river import reference_locate

POINTS = 4_000  # a kind; `checks/locate.py` has millions


@cache
def shipped() -> river.Network:
    lines, lakes, marks = river.shipped(Settings())
    return river.build(lines, lakes, marks, settings=Settings())


def points(network: river.Network, kind: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """lon, lat (n,) of one adversarial kind."""
    rng = np.random.default_rng(seed)
    axis, cells = network.axis, network.cells
    vertex = axis.segment[rng.integers(0, len(axis.segment), n)]
    lon, lat = to_degrees(axis.x, axis.y)
    if kind == "anywhere":
        return rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)
    if kind == "basin":
        return rng.uniform(lon.min() - 1, lon.max() + 1, n), rng.uniform(lat.min() - 1, lat.max() + 1, n)
    if kind == "vertices":
        return lon[vertex], lat[vertex]
    if kind == "on edges":
        t = rng.uniform(0, 1, n)
        x, y = (a[vertex] + t * (a[vertex + 1] - a[vertex]) for a in (axis.x, axis.y))
        return to_degrees(x, y)
    if kind == "beside the river":
        spread = rng.choice([1e-5, 1e-3, 2e-2], n)
        return lon[vertex] + rng.normal(0, spread), lat[vertex] + rng.normal(0, spread)
    if kind == "reach borders":
        position = rng.choice(np.r_[network.low[: network.channels], network.high[: network.channels]], n)
        return to_degrees(np.interp(position, axis.position, axis.x), np.interp(position, axis.position, axis.y))
    if kind == "at the tolerance":
        away = rng.choice(network.tolerance_m[: network.channels], n) * scale(lat[vertex])
        away *= 1 + rng.choice([0.0, 1e-9, -1e-9, 1e-4, -1e-4], n)
        angle = rng.uniform(0, 2 * np.pi, n)
        return to_degrees(axis.x[vertex] + away * np.cos(angle), axis.y[vertex] + away * np.sin(angle))
    corners = np.concatenate([np.asarray(part.exterior.coords) for shape in cells.shape
                              for part in getattr(shape, "geoms", [shape])])  # fmt: skip
    corner = corners[rng.integers(0, len(corners), n)]
    if kind == "lake corners":
        return corner[:, 0].copy(), corner[:, 1].copy()
    assert kind == "beside lakes"
    spread = rng.choice([1e-6, 1e-3, 3e-2], (n, 1))
    return tuple((corner + rng.normal(0, spread, (n, 2))).T.copy())  # type: ignore[return-value]


KINDS = ("anywhere", "basin", "vertices", "on edges", "beside the river", "reach borders", "at the tolerance",
         "lake corners", "beside lakes")  # fmt: skip


def differing(network: river.Network, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Which points do not get the same reach and bank, and km and offset to 1e-6."""
    mine, slow = place(lon, lat, network), reference_locate.place(lon, lat, network)
    off = mine.reach != slow.reach
    close = np.abs(slow.offset_m) < 1e-6  # within a micrometre of the line nothing tells left from right
    off |= (mine.bank != slow.bank) & ~close
    for a, b in ((mine.km, slow.km), (np.abs(mine.offset_m), np.abs(slow.offset_m))):
        off |= ~np.isclose(a, b, rtol=0, atol=1e-6, equal_nan=True)
    return off


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_finds_what_shapely_finds(kind: str) -> None:
    lon, lat = points(shipped(), kind, POINTS, 1)
    assert not differing(shipped(), lon, lat).any()


def test_points_that_are_none_are_nowhere() -> None:
    lon = np.array([np.nan, 112.0, np.inf, 181.0, 112.0, -180.0])
    lat = np.array([30.0, np.nan, 30.0, 30.0, 86.0, 0.0])
    found = place(lon, lat, shipped())
    assert found.reach.tolist() == [-1] * 6
    assert np.isnan(found.km).all()
    assert found.bank.tolist() == [-1] * 6


def test_the_index_is_small() -> None:
    grid = shipped().grid
    held = sum(part.nbytes for part in vars(grid).values() if isinstance(part, np.ndarray))
    assert held < 150e6


def test_the_scale_of_the_table_is_that_of_the_formula() -> None:
    from geo_monitor.river.grid import SCALE_STEP_M
    from geo_monitor.river.kernels import _scale

    grid = shipped().grid
    lat = np.random.default_rng(2).uniform(25, 35, 500)
    y = to_mercator(np.zeros(500), lat)[1]
    found = np.array([_scale(value, grid.from_y, SCALE_STEP_M, grid.table) for value in y])
    assert np.abs(found / scale(lat) - 1).max() < 1e-10


def test_an_index_that_was_written_and_read_is_the_same() -> None:
    from geo_monitor.engine.kept import of_bytes, to_bytes
    from geo_monitor.river.grid import Grid

    grid = shipped().grid
    again = Grid.from_arrays(of_bytes(to_bytes(grid.arrays())))
    assert again.cells == grid.cells
    for name, array in vars(grid).items():
        assert np.array_equal(getattr(again, name), array), name
        assert type(getattr(again, name)) is type(array)
