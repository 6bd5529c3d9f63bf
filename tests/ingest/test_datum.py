"""`datum` and `crs`. Shifted points are those other people published; metres are arcs known by formula."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor import ingest
from geo_monitor.errors import Refused
from geo_monitor.ingest import crs, datum, shifts
from geo_monitor.ingest.crs import Told
from geo_monitor.settings import Settings
from tests.ingest import made


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
    assert [mask.sum() for code, mask, _ in single.warnings if mask is not None and code == "axes_swapped"] == [1]


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


# --- a datum nobody named ---------------------------------------------------------------------------------------------

BEND = np.cumsum(np.column_stack([np.cos(a := np.sin(np.arange(0, 20, 0.05)) * 1.2), np.sin(a)]) * 60, axis=0)  # metres
LON0, LAT0 = 112.4, 29.8


def degrees(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return LON0 + xy[:, 0] / (111_195 * math.cos(math.radians(LAT0))), LAT0 + xy[:, 1] / 111_195


def water(accuracy: float) -> pd.DataFrame:
    """A winding river, 500 m wide."""
    line = shapely.LineString(np.column_stack(degrees(BEND)))
    shape = shapely.transform(shapely.LineString(BEND).buffer(250), lambda xy: np.column_stack(degrees(xy)))
    return pd.DataFrame(
        {"kind": ["bank"], "accuracy_m": [accuracy], "geometry": [shape if accuracy < 1000 else line], "zone": [None]}
    )


def weigh(lon: np.ndarray, lat: np.ndarray, frame: pd.DataFrame) -> shifts.Verdict:
    return shifts.weigh(lon, lat, lambda *box: frame, Settings(), Settings().datum_prior)


@pytest.mark.parametrize("name", ["wgs84", "gcj02", "bd09"])
def test_fixes_on_a_winding_river_tell_their_datum(name: str) -> None:
    lon, lat = degrees(BEND[20:-20])
    if name != "wgs84":
        lon, lat = datum.FORWARD[name](lon, lat)
    found = weigh(lon, lat, water(20))
    assert (found.datum, found.group) == (name, "water")
    assert found.confidence > 0.99
    assert sum(found.posterior.values()) == pytest.approx(1)


def test_one_place_is_one_proof_however_many_fixes() -> None:
    lon, lat = degrees(np.repeat(BEND[200:201], 10_000, axis=0))
    lon, lat = datum.gcj02(lon, lat)
    assert weigh(lon, lat, water(20)).confidence < 0.99


def test_a_generalised_river_can_t_tell() -> None:
    found = weigh(*datum.gcj02(*degrees(BEND)), water(2000))
    assert (found.datum, found.group, found.coarse) == ("wgs84", "", True)
    assert found.posterior == {"wgs84": 0.9, "gcj02": 0.08, "bd09": 0.02}


def test_a_straight_river_can_t_tell_a_shift_along_it() -> None:
    """GCJ-02 moves by some 500 m; a river that runs that way shows every such shift alike."""
    a, b = datum.undo("gcj02", *one(LON0, LAT0))
    way = np.array([(a[0] - LON0) * math.cos(math.radians(LAT0)), b[0] - LAT0])
    ends = np.array([-20_000, 20_000])[:, None] * way / np.hypot(*way)
    shape = shapely.transform(shapely.LineString(ends).buffer(250), lambda xy: np.column_stack(degrees(xy)))
    frame = pd.DataFrame({"kind": ["bank"], "accuracy_m": [20.0], "geometry": [shape], "zone": [None]})
    fixes = np.linspace(-8_000, 8_000, 300)[:, None] * way / np.hypot(*way)
    assert weigh(*datum.gcj02(*degrees(fixes)), frame).confidence < 0.99


def test_the_door_converts_what_nobody_declared_and_doubts_what_was(tmp_path: Path) -> None:
    class Held(ingest.Nothing):
        def reference(self, west: float, south: float, east: float, north: float) -> pd.DataFrame:
            return water(20)

    lon, lat = datum.gcj02(*degrees(BEND[20:-20]))
    times = np.datetime64("2026-05-01T08:00:00") + 30 * np.arange(len(lon)).astype("timedelta64[s]")
    rows = [f"鄂渔政7,{t},{x:.7f},{y:.7f}" for t, x, y in zip(times, lon, lat, strict=True)]
    path = made.write(tmp_path / "a.csv", "\n".join(["船名,时间,经度,纬度", *rows]))
    upload = made.give("tracks", path, Held())
    assert made.codes(upload, "warnings") == {"datum_detected"}
    assert upload.receipt.crs["datum"] == "gcj02"
    assert upload.receipt.crs["confidence"] > 0.99
    assert upload.rows is not None
    true = np.column_stack(degrees(BEND[20:-20]))
    assert np.abs(upload.rows[["lon", "lat"]].to_numpy() - true).max() * 111_195 < 1
    declared = made.give("tracks", path, Held(), crs="4326")
    assert declared.receipt.crs["datum_how"] == "given"
    assert upload.rows["lon"].iloc[0] != declared.rows["lon"].iloc[0]  # type: ignore[index]
    assert "datum_assumed" in made.codes(made.give("tracks", path))


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        (("经度(GCJ02)", "纬度(GCJ02)"), "gcj02"),
        (("高德经度", "高德纬度"), "gcj02"),
        (("百度经度", "百度纬度"), "bd09"),
        (("经度", "纬度"), None),
    ],
)
def test_a_datum_named_in_the_header_of_the_coordinates(
    tmp_path: Path, headers: tuple[str, str], named: str | None
) -> None:
    """It was passed over: cases lay 500 m off, and the receipt said that the file named none."""
    true = np.array([117.01]), np.array([30.505])
    lon, lat = datum.FORWARD[named](*true) if named else true
    rows = f"案件编号,查获时间,{headers[0]},{headers[1]}\nA1,2026-03-04 15:20,{lon[0]:.7f},{lat[0]:.7f}\n"
    upload = made.give("seizures", made.write(tmp_path / "a.csv", rows))
    assert upload.rows["lon"].tolist() == pytest.approx([117.01], abs=1e-6)
    assert upload.rows["lat"].tolist() == pytest.approx([30.505], abs=1e-6)
    assert ("datum_converted" in made.codes(upload, "warnings")) == (named is not None)
    assert ("datum_assumed" in made.codes(upload)) == (named is None)


def test_a_grid_of_its_own_is_no_fault(tmp_path: Path) -> None:
    shape = made.shapefile(tmp_path / "s", "z", [[made.box(116.2, 29.74, 116.22, 29.75)]], {"名称": ["湖口"]})
    shape.with_suffix(".prj").write_text('LOCAL_CS["X",UNIT["metre",1]]')
    (error,) = made.give("zones", shape.parent).receipt.errors
    assert error.code == "crs_unknown"
