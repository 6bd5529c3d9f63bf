"""`datum` and `crs`. Shifted points are those other people published; metres are arcs known by formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.errors import Refused
from geo_monitor.ingest import crs, datum
from geo_monitor.ingest.crs import Told
from geo_monitor.settings import Settings


def one(*values: float) -> list[np.ndarray]:
    return [np.array([value]) for value in values]


def test_published_points() -> None:
    # the README of coordtransform, and the tests of eviltransform
    lon, lat = datum.gcj02(*one(116.404, 39.915))
    assert (lon[0], lat[0]) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    lon, lat = datum.gcj02(*one(121.5272106, 31.1774276))
    assert (lon[0], lat[0]) == pytest.approx((121.531541859215, 31.17530398364597), abs=1e-9)
    lon, lat = datum.bd09(*datum.undo("gcj02", *one(116.404, 39.915)))
    assert (lon[0], lat[0]) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@given(st.floats(90, 122), st.floats(24, 36), st.sampled_from(["gcj02", "bd09"]))
def test_undone_to_a_millimetre(lon: float, lat: float, name: str) -> None:
    shifted = datum.FORWARD[name](*one(lon, lat))
    back = datum.undo(name, *shifted)
    assert abs(back[0][0] - lon) * 111_320 < 0.001
    assert abs(back[1][0] - lat) * 111_320 < 0.001
    moved = math.hypot((shifted[0][0] - lon) * 111_320 * math.cos(math.radians(lat)), (shifted[1][0] - lat) * 111_320)
    assert 50 < moved < 2500


def test_nothing_is_shifted_outside_china() -> None:
    assert [float(part[0]) for part in datum.gcj02(*one(10.5, 57.1))] == [10.5, 57.1]


# On the central meridian the easting is 500 km, and the northing at 30 degrees is the meridian arc of GRS80
ARC_30 = 3_320_113.398


def place(x: float, y: float, **told: object) -> crs.Placed:
    return crs.place(*one(x, y), Told(**told), Settings())  # type: ignore[arg-type]


def codes(placed: crs.Placed) -> list[str]:
    return [code for code, _, _ in placed.warnings] + [code for code, _ in placed.notes]


@pytest.mark.parametrize(
    ("x", "y", "told", "lon"),
    [
        (500_000, ARC_30, {"declared": "EPSG:4547"}, 114.0),
        (38_500_000, ARC_30, {"declared": "EPSG:4526"}, 114.0),
        (38_500_000, ARC_30, {"given": "4547"}, 114.0),  # a zone number the system does not expect
        (500_000, ARC_30, {"declared": "EPSG:4526"}, 114.0),  # and one that is missing
        (38_500_000, ARC_30, {}, 114.0),  # the number alone tells the zone: 38 x 3 degrees
        (20_500_000, ARC_30, {}, 117.0),  # six-degree zone 20
        (ARC_30, 38_500_000, {}, 114.0),  # X north, as surveyors write
    ],
)
def test_metres_of_gauss_krueger(x: float, y: float, told: dict[str, str], lon: float) -> None:
    placed = place(x, y, **told)
    assert placed.lon[0] == pytest.approx(lon, abs=1e-8)
    assert placed.lat[0] == pytest.approx(30.0, abs=1e-8)
    assert "cgcs2000_as_wgs84" in codes(placed)


def test_metres_without_a_zone_are_a_choice() -> None:
    with pytest.raises(Refused) as refused:
        place(512_345, ARC_30)
    assert refused.value.code == "choice_needed"
    assert refused.value.params["option"].startswith("--crs")
    assert refused.value.params["readings"].count("EPSG:") == 2


def test_degrees_under_a_projected_system_are_degrees_and_told() -> None:
    placed = place(114.3, 30.6, declared="EPSG:4547")
    assert (placed.lon[0], placed.lat[0]) == (114.3, 30.6)
    assert "crs_contradicts" in codes(placed)


def test_axes() -> None:
    swapped = crs.place(np.array([30.6, 30.2]), np.array([114.3, 111.5]), Told(), Settings())
    assert swapped.lon.tolist() == [114.3, 111.5]
    assert "axes_swapped" in codes(swapped)
    elsewhere = crs.place(np.array([10.5, 12.1]), np.array([57.1, 55.9]), Told(), Settings())
    assert elsewhere.lon.tolist() == [10.5, 12.1]
    assert "axes_swapped" not in codes(elsewhere)
    single = crs.place(np.array([114.3] * 20 + [30.6]), np.array([30.6] * 20 + [114.3]), Told(), Settings())
    assert single.lon[-1] == 114.3
    assert [mask.sum() for code, mask, _ in single.warnings if code == "axes_swapped"] == [1]


def test_why_a_point_is_refused() -> None:
    placed = crs.place(
        np.array([181.0, 0.0, -114.3, 200.0, 114.3]), np.array([91.0, 0.0, 30.6, 30.0, 30.6]), Told(), Settings()
    )
    found = {code: np.flatnonzero(mask).tolist() for code, mask in placed.bad.items()}
    assert found == {
        "position_not_available": [0],
        "null_island": [1],
        "wrong_hemisphere": [2],
        "coordinate_beyond_earth": [3],
    }


def test_a_datum_named_in_the_rows() -> None:
    lon, lat = datum.gcj02(*one(114.3, 30.6))
    rows = np.array(["gcj02", "wgs84"], dtype=object)
    placed = crs.place(np.r_[lon, 114.3], np.r_[lat, 30.6], Told(), Settings(), rows)
    assert placed.lon == pytest.approx([114.3, 114.3], abs=1e-8)
    assert placed.lat == pytest.approx([30.6, 30.6], abs=1e-8)
    assert "datum_converted" in codes(placed)
