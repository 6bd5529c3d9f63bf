"""Where a river drains: what the data say, the sea, the direction of the longest line. Numbers by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely

from geo_monitor import river
from tests.river.drawing import TOLERANCE, bare, build, codes, degrees, length_km, line, located, of, rows, whole

EASTWARD = line((0, 0), (20_000, 0))


def km_at_east(network: river.Network) -> float:
    """km a hundred metres from the east end."""
    return float(located(network, [(19_900, 0)])["km"].iloc[0])


@pytest.mark.parametrize(
    ("mouth", "east"),
    [
        ("end", True),
        ("END", True),
        ("终点", True),
        ("yes", True),  # both ends are free: the one to which it is drawn
        ("是", True),
        ("true", True),
        ("start", False),
        ("起点", False),
        ("112.0 30.0", False),
        ("112.2073,30.0000", True),
        ("111.9, 30.05", False),
        (None, True),
        ("", True),
        ("不详", True),
    ],
)
def test_mouth_by_attribute(mouth: str | None, east: bool) -> None:
    network = build(("长江", EASTWARD, {"mouth": mouth}))
    assert km_at_east(network) == pytest.approx(0.1 if east else 19.9, abs=0.02)
    assert ("mouth_from_drawing" in codes(network)) == (mouth in (None, "", "不详"))
    assert ("mouth_not_understood" in codes(network)) == (mouth == "不详")


@pytest.mark.parametrize("side", ["yes", "start", "end"])
def test_a_tributary_that_stops_short_does_not_move_the_mouth(side: str) -> None:
    """Closing its gap cuts the main line in two; the line's own ends stay its ends."""
    main = EASTWARD.reverse() if side == "start" else EASTWARD
    network = build(
        ("长江", main, {"mouth": side}),
        ("甲河", line((5_000, 6_000), (5_000, 700))),
        ("乙河", line((14_000, 6_000), (14_000, 700))),
        ("丙河", line((9_000, -6_000), (9_000, -700))),
    )
    whole(network)
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)


def test_the_end_of_a_line_with_a_branch_at_its_first_vertices() -> None:
    """A line noded by others keeps its own end, wherever it was cut."""
    network = build(
        ("长江", EASTWARD, {"mouth": "end"}),
        ("甲河", line((1_000, 6_000), (1_000, 0))),
        ("乙河", line((2_250, 6_000), (2_250, 300))),
        ("丙河", line((18_000, 6_000), (18_000, 0))),
    )
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)


def test_yes_on_the_lowest_piece_is_its_free_end() -> None:
    pieces = [line((20_000, 0), (13_000, 0)), line((0, 0), (13_000, 0))]  # the lowest is drawn upstream
    network = build(("长江", pieces[0], {"mouth": "是"}), ("长江", pieces[1]))
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)


def test_every_river_may_tell_its_own_mouth() -> None:
    """A column mouth filled for every river: the tributary's end is the confluence, the network's is the sea's."""
    for order in ((0, 1), (1, 0)):
        told = [
            ("汉江", line((8_000, 9_000), (8_000, 0)), {"mouth": "end"}),
            ("长江", EASTWARD, {"mouth": "end"}),
        ]
        network = build(*[told[i] for i in order])
        whole(network)
        assert km_at_east(network) == pytest.approx(0.1, abs=0.02)
        assert of(network, "汉江")["mouth_km"].iloc[0] == pytest.approx(12.0, abs=0.01)


def test_a_place_told_beside_another_network_is_looked_for_on_its_own() -> None:
    """The place lies nearer to the canal than to any node of the river it is said of."""
    network = build(
        ("长江", EASTWARD, {"mouth": f"{degrees((20_000, 6_000))[0]} {degrees((20_000, 6_000))[1]}"}),
        ("运河", line((0, 6_500), (20_000, 6_500)), {"accuracy_m": 50.0}),
    )
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)
    assert length_km(network, "运河") == pytest.approx(20.0, rel=2e-3)


def test_the_longest_line_decides() -> None:
    """A long piece drawn east against two short ones drawn west."""
    network = build(
        ("长江", line((20_000, 0), (17_000, 0))),
        ("长江", line((3_000, 0), (17_000, 0))),
        ("长江", line((3_000, 0), (0, 0))),
    )
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)
    assert "mouth_from_drawing" in codes(network)


def test_the_longest_line_may_be_a_tributary() -> None:
    """汉江, 30 km, is drawn to the confluence; of the ends beyond, the pieces of 长江 are drawn to the east."""
    network = build(
        ("长江", line((0, 0), (8_000, 0))),
        ("长江", line((8_000, 0), (20_000, 0))),
        ("汉江", line((8_000, 30_000), (8_000, 0))),
    )
    whole(network)
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)
    assert of(network, "汉江")["mouth_km"].iloc[0] == pytest.approx(12.0, abs=0.01)


# ---- the sea ---------------------------------------------------------------------------------------------------------
def sea_river(**more: Any) -> river.Network:
    """From inland (121.2 E) into the sea off Shanghai (122.3 E 31.0 N), drawn upstream: the drawing would be wrong."""
    shape = shapely.LineString(np.column_stack([np.linspace(122.3, 121.2, 120), np.full(120, 31.0)]))
    return river.build(rows(("小江", shape, more)))


def test_mouth_by_the_sea_against_the_direction_of_drawing() -> None:
    network = sea_river()
    own = of(network, "小江")
    assert own["lon"].iloc[0] > 122.29
    assert own["lon"].iloc[-1] < 121.21
    assert "mouth_from_drawing" not in codes(network)


def test_a_surveyed_line_is_not_widened_by_the_rough_land() -> None:
    """Off the coast the nearest land is over 10 km away, which is no width of a river: 2 x 500 m is the tolerance."""
    assert (sea_river().tolerance_m == 1_000.0).all()
    assert sea_river(accuracy_m=2_000.0).half_width_m.max() > 5_000


def test_the_attribute_comes_before_the_sea() -> None:
    assert of(sea_river(mouth="end"), "小江")["lon"].iloc[0] < 121.21


def test_a_land_of_ones_own() -> None:
    land = shapely.transform(shapely.box(-50_000, -50_000, 3_000, 50_000), degrees)
    ocean = shapely.transform(shapely.box(20_100, -50_000, 50_000, 50_000), degrees)
    west = shapely.transform(shapely.box(500, -50_000, 50_000, 50_000), degrees)
    bay = shapely.transform(shapely.box(-50_000, 40_000, 50_000, 50_000), degrees)
    # land everywhere but west of x = 500 m: the west end, x = 0, lies in the sea
    network = river.build(rows(("长江", EASTWARD)), land=shapely.union_all([west, bay]))
    assert km_at_east(network) == pytest.approx(19.9, abs=0.02)
    # land west of x = 3 km only, and a far shore: the east end lies in the sea
    network = river.build(rows(("长江", EASTWARD.reverse())), land=shapely.union_all([land, ocean]))
    assert km_at_east(network) == pytest.approx(0.1, abs=0.02)


def test_two_ends_in_the_sea_tell_nothing() -> None:
    strip = shapely.transform(shapely.box(2_000, -50_000, 18_000, 50_000), degrees)
    frame = shapely.transform(shapely.box(-50_000, 40_000, 50_000, 50_000), degrees)
    network = river.build(rows(("长江", EASTWARD.reverse())), land=shapely.union_all([strip, frame]))
    assert "mouth_from_drawing" in codes(network)
    assert km_at_east(network) == pytest.approx(19.9, abs=0.02)


def test_each_network_has_its_own_mouth() -> None:
    network = build(
        ("长江", EASTWARD, {"mouth": "start"}), ("运河", bare((0, 9_000), (20_000, 9_000)), {"mouth": "end"})
    )
    assert km_at_east(network) == pytest.approx(19.9, abs=0.02)
    assert located(network, [(19_900, 9_000)])["km"].iloc[0] == pytest.approx(0.1, abs=0.02)
