"""Courses of a network laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from geo_monitor.simulate.water import water


def test_courses_run_from_mouth_to_source(handmade) -> None:
    way = water(handmade, 1)
    assert (way.end - way.begin)[:2] == pytest.approx([60_000.0, 20_000.0])
    assert way.reach[:60].tolist() == list(range(60))
    assert way.reach[60:80].tolist() == list(range(60, 80))


def test_tributary_joins_at_km_30(handmade) -> None:
    way = water(handmade, 1)
    assert np.isnan(way.parent[0])
    assert way.parent[1] == pytest.approx(30_000.0, abs=1.0)


def test_point_right_of_an_eastward_river_is_south(handmade) -> None:
    """s = 10 km from the mouth at 113 E: 10 km to the west; 500 m to the right looking east is 500 m south."""
    way = water(handmade, 1)
    lon, lat = way.point(np.array([10_000.0]), np.array([500.0]))
    assert lon[0] == pytest.approx(113.0 - 10_000 / (111_195 * np.cos(np.radians(30))), abs=1e-6)
    assert lat[0] == pytest.approx(30.0 - 500 / 111_195, abs=1e-6)


def test_shares_by_hand(handmade) -> None:
    """From 900 m to 2,500 m: 100 m, 1,000 m, 500 m of 1,600; the way back gives the same; standing is one share."""
    way = water(handmade, 1)
    move, piece, share = way.shares(np.array([900.0, 2500.0, 700.0]), np.array([2500.0, 900.0, 700.0]))
    assert way.reach[piece[move == 0]].tolist() == [0, 1, 2]
    assert share[move == 0] == pytest.approx([0.0625, 0.625, 0.3125])
    assert share[move == 1] == pytest.approx([0.0625, 0.625, 0.3125])
    assert (way.reach[piece[move == 2]].tolist(), share[move == 2].tolist()) == ([0], [1.0])


def test_lanes_cross_the_lake_in_the_cells_they_say(handmade) -> None:
    import shapely

    way = water(handmade, 1)
    assert way.lake.sum() == 4
    pieces = np.flatnonzero(way.lake[way.course(way.edge)])
    assert len(pieces) > 4
    middle = 0.5 * (way.edge + way.edge_end)[pieces]
    lon, lat = way.point(middle, np.zeros(len(middle)))
    cells = handmade.reaches.geometry.to_numpy()[way.reach[pieces]]
    assert shapely.distance(cells, shapely.points(lon, lat)).max() < 2e-4
    assert (way.edge_end > way.edge).all()
