"""Official km marks: piecewise-linear chainage, ids that never change, marks that contradict each other."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from tests.river.drawing import build, codes, degrees, line, located, of, whole

EASTWARD = line((0, 0), (20_000, 0))  # drawn km = 20 - x / 1000


def marks(*rows: tuple[str, float | None, tuple[float, float] | None]) -> gpd.GeoDataFrame:
    """(river, official km, (x, y) metres)."""
    shapes = [None if at is None else shapely.Point(degrees(at)) for _, _, at in rows]
    return gpd.GeoDataFrame(
        {"river": [row[0] for row in rows], "km": [row[1] for row in rows]}, geometry=shapes, crs="EPSG:4326"
    )


def km_at(network: Any, *east: float) -> list[float]:
    return located(network, [(x, 0) for x in east])["km"].tolist()


def test_between_marks_km_runs_evenly_and_beyond_them_as_drawn() -> None:
    """Drawn 5 is official 100, drawn 10 is 110, drawn 15 is 118: slopes 2 and 1.6; 1 outside."""
    network = build(
        ("长江", EASTWARD),
        marks=marks(("长江", 110.0, (10_000, 0)), ("长江", 100.0, (15_000, 0)), ("长江", 118.0, (5_000, 0))),
    )
    whole(network)
    assert km_at(network, 20_000, 15_000, 12_500, 10_000, 7_500, 5_000, 1_000) == pytest.approx(
        [95, 100, 105, 110, 114, 118, 122], abs=0.02
    )
    own = of(network, "长江")
    assert np.allclose(own["km_from"].to_numpy()[1:], own["km_to"].to_numpy()[:-1], atol=1e-9)
    assert (own["km_from"].iloc[0], own["km_to"].iloc[-1]) == pytest.approx((95.0, 123.0), abs=0.02)
    assert own["length_m"].sum() == pytest.approx(20_000, rel=1e-3)  # metres stay as drawn
    lon, _ = network.point("长江", np.array([105.0, 94.0]))
    assert lon[0] == pytest.approx(degrees((12_500, 0))[0], abs=1e-4)
    assert np.isnan(lon[1])


def test_reach_ids_do_not_change_with_calibration() -> None:
    lines = [
        ("长江", EASTWARD),
        ("汉江", line((8_130, 9_000), (8_130, 0))),
        ("长江", line((2_000, 0), (4_000, 1_500), (6_000, 0))),
    ]
    drawn = build(*lines)
    official = build(*lines, marks=marks(("长江", 700.0, (15_000, 0)), ("长江", 709.0, (5_000, 0))))
    assert drawn.reaches["reach_id"].tolist() == official.reaches["reach_id"].tolist()
    # drawn 11.87 at the confluence: 700 + 0.9 x 6.87
    assert of(official, "汉江")["mouth_km"].iloc[0] == pytest.approx(706.183, abs=0.02)
    assert of(official, "汉江")["km_from"].min() == 0.0  # its own chainage has no marks
    side = of(official, "长江", side=True)  # drawn 14 to 18: 708.1, and 709 + 3 beyond the last mark
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((708.1, 712.0), abs=0.02)


def test_a_mark_between_two_vertices_is_a_knot_of_its_own() -> None:
    """The line has two vertices and reaches of 5 km; the mark lies between: km must bend there, not at a vertex."""
    network = build(
        ("长江", shapely.LineString(degrees([(0, 0), (20_000, 0)]))),
        marks=marks(("长江", 7.0, (12_700, 0)), ("长江", 14.0, (5_700, 0)), ("长江", 8.0, (11_700, 0))),
        reach_length_m=5_000.0,
    )
    # drawn 7.3 is 7, drawn 8.3 is 8, drawn 14.3 is 14
    assert km_at(network, 12_700, 12_200, 11_700, 8_700, 5_700, 700) == pytest.approx([7, 7.5, 8, 11, 14, 19], abs=0.02)


def test_one_mark_shifts_all() -> None:
    network = build(("长江", EASTWARD), marks=marks(("长江", 30.0, (10_000, 200))))
    assert km_at(network, 19_000, 10_000, 1_000) == pytest.approx([21, 30, 39], abs=0.02)


def test_marks_that_contradict_each_other_are_left_out_and_noted() -> None:
    """Five agree; one at the very mouth says 900, one in the middle repeats a km: those two go, not the five."""
    network = build(
        ("长江", EASTWARD),
        marks=marks(
            ("长江", 900.0, (19_500, 0)),
            ("长江", 12.0, (18_000, 0)),
            ("长江", 14.0, (16_000, 0)),
            ("长江", 14.0, (14_500, 0)),
            ("长江", 18.0, (12_000, 0)),
            ("长江", 20.0, (10_000, 0)),
            ("长江", 26.0, (4_000, 0)),
        ),
    )
    assert codes(network).count("mark_out_of_order") == 2
    told = sorted(note["params"]["km"] for note in network.notes if note["code"] == "mark_out_of_order")
    assert told == [14.0, 900.0]
    assert km_at(network, 18_000, 16_000, 14_000, 4_000) == pytest.approx([12, 14, 16, 26], abs=0.02)


def test_marks_that_cannot_be_used_are_noted() -> None:
    network = build(
        ("长江", EASTWARD),
        marks=marks(
            ("黄河", 5.0, (10_000, 0)),
            ("长江", None, (8_000, 0)),
            ("长江", 5.0, None),
            ("长江", 70.0, (10_000, 2_600)),  # 5 x 500 m is the farthest
            ("长江", 15.0, (10_000, 0)),
        ),
    )
    assert [c for c in codes(network) if c.startswith("mark")] == [
        "mark_without_river",
        "mark_incomplete",
        "mark_incomplete",
        "mark_off_river",
    ]
    assert km_at(network, 10_000, 20_000) == pytest.approx([15, 5], abs=0.02)


def test_marks_of_a_tributary_and_of_the_upper_name_of_the_main_stem() -> None:
    network = build(
        ("长江", line((12_000, 0), (20_000, 0))),
        ("金沙江", line((0, 0), (12_000, 0))),
        ("汉江", line((15_000, 9_000), (15_000, 0))),
        marks=marks(("金沙江", 50.0, (2_000, 0)), ("长江", 30.0, (14_000, 0)), ("汉江", 1.0, (15_000, 2_000))),
    )
    # main: drawn 6 is 30, drawn 18 is 50; tributary: drawn 2 is 1
    assert located(network, [(12_000, 0)])["km"].iloc[0] == pytest.approx(30 + 2 * 20 / 12, abs=0.02)
    assert located(network, [(15_000, 5_000)])["km"].iloc[0] == pytest.approx(4.0, abs=0.02)
    assert of(network, "汉江")["km_from"].min() == pytest.approx(-1.0, abs=0.01)
    lon, lat = network.point(np.array(["汉江", "金沙江"], dtype=object), np.array([4.0, 50.0]))
    assert lat[0] == pytest.approx(degrees((15_000, 5_000))[1], abs=2e-4)
    assert lon[1] == pytest.approx(degrees((2_000, 0))[0], abs=2e-4)
