"""`locate` against a slow reference written from its rules: every point against every reach, on the ellipsoid."""

from __future__ import annotations

import importlib
import tracemalloc
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo_monitor import river
from tests.river.drawing import bare, batch, build, degrees, line, located, rows

kernel = importlib.import_module("geo_monitor.river.locate")  # the package exports the function of that name
GEOD = Geod(ellps="WGS84")
CLOSE_M = 0.5  # metres: what the kernel may be off the geodesic


class Slow:
    """All points against all reaches: azimuth and distance from the point to every vertex, then plane geometry."""

    def __init__(self, network: river.Network) -> None:
        self.network = network
        self.lines = [np.array(shape.coords) for shape in network.reaches.geometry if shape.geom_type == "LineString"]
        self.cells = network.reaches.geometry.to_numpy()[len(self.lines) :]

    def plane(self, lon: float, lat: float, lonlat: np.ndarray) -> np.ndarray:
        azimuth, _, metres = GEOD.inv(np.full(len(lonlat), lon), np.full(len(lonlat), lat), lonlat[:, 0], lonlat[:, 1])
        return np.c_[metres * np.sin(np.radians(azimuth)), metres * np.cos(np.radians(azimuth))]

    def channel(self, lon: float, lat: float, i: int) -> tuple[float, float, float]:
        """(metres, km, right > 0) of reach i: its line runs downstream, from km_to to km_from."""
        p = self.plane(lon, lat, self.lines[i])
        a, d = p[:-1], np.diff(p, axis=0)
        t = np.clip(-(a * d).sum(axis=1) / (d**2).sum(axis=1), 0, 1)
        foot = a + t[:, None] * d
        away = np.hypot(*foot.T)
        n = int(away.argmin())
        steps = np.hypot(*d.T)
        share = (steps[:n].sum() + t[n] * steps[n]) / steps.sum()
        row = self.network.reaches.iloc[i]
        # the point is the origin: cross product of the way downstream and the way to the point, > 0 to the left
        sides = (d[:, 0] * -a[:, 1] + d[:, 1] * a[:, 0]) / steps
        nearest = np.flatnonzero(away <= away[n] + 1e-6)
        return (
            float(away[n]),
            float(row["km_to"] - share * (row["km_to"] - row["km_from"])),
            -float(sides[nearest].sum()),
        )

    def locate(self, lon: float, lat: float) -> list[tuple[int, float, float, float]]:
        """All right answers: (reach, km, signed offset, half width); more than one where it is a matter of CLOSE_M."""
        tolerance, half = self.network.tolerance_m, self.network.half_width_m
        found = []
        for i in range(len(self.lines)):
            metres, km, right = self.channel(lon, lat, i)
            if metres <= tolerance[i] + CLOSE_M:
                found.append(
                    (metres, i, km, metres if right > 0 else -metres, half[i], metres > tolerance[i] - CLOSE_M)
                )
        for j, cell in enumerate(self.cells):
            i = len(self.lines) + j
            shape = shapely.transform(cell, lambda c: self.plane(lon, lat, c))
            metres = float(shapely.distance(shape, shapely.Point(0, 0)))
            if metres <= tolerance[i] + CLOSE_M:
                found.append((metres, i, np.nan, metres, 0.0, metres > tolerance[i] - CLOSE_M))
        sure = [row for row in found if not row[5]]
        least = min((row[0] for row in sure), default=np.inf)
        answers = [row[1:5] for row in found if row[0] <= least + 2 * CLOSE_M]
        return answers if sure else [*answers, (-1, np.nan, np.nan, 0.0)]


@cache
def world(seed: int) -> tuple[river.Network, Slow]:
    """A meandering main stem with a neck, tributaries of other accuracy, an island, a lake on a tributary."""
    rng = np.random.default_rng(seed)
    s = np.linspace(0, 24_000, 161)
    angle = (1.9 + 0.2 * rng.random()) * np.sin(2 * np.pi * s / 8_000 + rng.uniform(0, 6))  # necks, no crossing
    step = s[1] - s[0]
    main = np.cumsum(np.c_[np.cos(angle), np.sin(angle)] * step, axis=0) + rng.uniform(-1, 1, (161, 2))
    foot, other = main[40], main[110]
    up = foot + np.array([[0, 0], [300, 900], [-200, 2_600], [100, 4_500]])
    down = other + np.array([[0, 0], [150, -1_200], [700, -2_400]])
    arc = main[60:75] + 350 * np.sin(np.linspace(0, np.pi, 15))[:, None] * [0.3, 1.0]
    lake = shapely.Polygon(degrees(foot + np.array([[-900, 1_500], [900, 1_300], [800, 3_200], [-700, 3_400]])))
    lines = rows(
        ("长江", shapely.LineString(degrees(main)), {"accuracy_m": 150.0, "mouth": "end"}),
        ("甲河", shapely.LineString(degrees(up[::-1])), {"accuracy_m": 20.0}),
        ("乙河", shapely.LineString(degrees(down)), {"accuracy_m": 300.0}),
        ("长江", shapely.LineString(degrees(arc)), {"accuracy_m": 150.0}),
    )
    lakes = gpd.GeoDataFrame({"river": ["甲湖"], "accuracy_m": [60.0]}, geometry=[lake], crs="EPSG:4326")
    network = river.build(lines, lakes=lakes)
    if seed % 2:  # as a mask would: the main stem is 600 m wide, and tolerances differ from reach to reach
        half = np.where(network.reaches["river"] == "长江", rng.uniform(100, 500, len(network.reaches)), 0.0)
        half[network.channels :] = 0.0
        network.half_width_m[:] = half
    return network, Slow(network)


def check(network: river.Network, slow: Slow, lonlat: np.ndarray) -> pd.DataFrame:
    found = river.locate(
        pa.RecordBatch.from_arrays([pa.array(lonlat[:, 0]), pa.array(lonlat[:, 1])], names=["lon", "lat"]), network
    ).to_pandas()
    for (lon, lat), got in zip(lonlat.tolist(), found.itertuples(), strict=True):
        answers = slow.locate(lon, lat)
        assert got.reach in {answer[0] for answer in answers}, (lon, lat, got, answers)
        if got.reach < 0:
            assert np.isnan(got.km)
            assert np.isnan(got.offset_m)
            assert pd.isna(got.bank)
            continue
        _, km, offset, half = next(answer for answer in answers if answer[0] == got.reach)
        assert abs(got.offset_m) == pytest.approx(abs(offset), abs=CLOSE_M)
        if network.reaches["kind"].iloc[got.reach] == "lake":
            assert np.isnan(got.km)
            assert pd.isna(got.bank)
            assert got.offset_m >= 0
            continue
        others = [answer[1] for answer in answers]
        assert min(abs(got.km - k) for k in [km, *others]) < 0.003 or len(answers) > 1
        if abs(offset) > CLOSE_M and len(answers) == 1:
            assert np.sign(got.offset_m) == np.sign(offset)
        wet = abs(got.offset_m) <= half
        assert got.bank == ("mid" if wet else "right" if got.offset_m >= 0 else "left")
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1), st.sampled_from([60.0, 400.0, 3_000.0]))
def test_against_the_slow_reference(seed: int, draw: int, spread: float) -> None:
    """Points around vertices of the network: on it, in necks, at confluences, at the lake's edge, beyond tolerance."""
    network, slow = world(seed)
    rng = np.random.default_rng(draw)
    vertices = np.concatenate([*slow.lines, *(shapely.get_coordinates(cell) for cell in slow.cells)])
    at = vertices[rng.integers(0, len(vertices), 8)]
    lonlat = at + rng.normal(0, spread, (8, 2)) / [96_486.0, 110_852.0]
    check(network, slow, np.round(lonlat, 9))


@pytest.mark.parametrize("seed", range(6))
def test_on_every_vertex_and_reach_border(seed: int) -> None:
    """On the line itself: offset 0, the km of the border, and the upper of the two reaches (half-open)."""
    network, _ = world(seed)
    reaches = network.reaches[network.reaches["kind"] == "channel"]
    lower = np.array([shape.coords[-1] for shape in reaches.geometry])  # drawn downstream: ends at km_from
    found = river.locate(
        pa.RecordBatch.from_arrays([pa.array(lower[:, 0]), pa.array(lower[:, 1])], names=["lon", "lat"]), network
    ).to_pandas()
    assert found["offset_m"].abs().max() < 1e-3
    inner = (reaches["km_from"] > 0).to_numpy() & reaches["side"].isna().to_numpy()
    foot = reaches.groupby("river")["km_from"].transform("min").to_numpy() == reaches["km_from"].to_numpy()
    own = np.flatnonzero(inner & ~foot)
    assert found["reach"].to_numpy()[own].tolist() == own.tolist()
    assert np.allclose(found["km"].to_numpy()[own], reaches["km_from"].to_numpy()[own], rtol=0, atol=1e-6)


def test_offset_is_the_geodesic_within_half_a_metre_at_locating_distances() -> None:
    """Square to a straight line at several latitudes, up to 4 km off."""
    for lat in (24.0, 30.0, 35.0):
        shape = shapely.LineString([(112.0, lat - 0.2), (112.0, lat), (112.0, lat + 0.2)])
        network = river.build(rows(("长江", shape, {"accuracy_m": 2_000.0})))
        lon, at, _ = GEOD.fwd(
            np.full(5, 112.0), np.full(5, lat), np.full(5, 90.0), [1.0, 100.0, 1_000.0, 2_500.0, 3_990.0]
        )
        found = river.locate(pa.RecordBatch.from_arrays([pa.array(lon), pa.array(at)], names=["lon", "lat"]), network)
        offset = found.column("offset_m").to_numpy()
        # drawn northwards, its mouth is north: east is right
        assert np.allclose(offset, [1.0, 100.0, 1_000.0, 2_500.0, 3_990.0], atol=CLOSE_M)
        assert found.column("bank").to_pylist() == ["right"] * 5


EAST = build(("长江", line((0, 0), (10_000, 0)), {"accuracy_m": 100.0}))  # right is south


@pytest.mark.parametrize(
    ("x", "y", "km", "bank", "offset"),
    [
        (4_000, 0, 6.0, "right", 0.0),  # on the line: half the water is 0, and on is not left
        (4_000, 50, 6.0, "left", -50.0),
        (4_000, -50, 6.0, "right", 50.0),
        (4_000, -199, 6.0, "right", 199.0),
        (4_000, -201, None, None, None),
        (-150, 0, 10.0, None, 150.0),  # beyond the source, straight on
        (10_150, 0, 0.0, None, 150.0),  # beyond the mouth
        (10_150, 140, None, None, None),  # 205 m from the mouth
    ],
)
def test_by_hand(x: float, y: float, km: float | None, bank: str | None, offset: float | None) -> None:
    got = located(EAST, [(x, y)]).iloc[0]
    if km is None:
        assert got["reach"] == -1
        assert np.isnan(got["km"])
        assert pd.isna(got["bank"])
        return
    assert got["km"] == pytest.approx(km, abs=0.01)
    if bank and offset:
        assert got["bank"] == bank
        assert got["offset_m"] == pytest.approx(offset, abs=0.5)
    else:
        assert abs(got["offset_m"]) == pytest.approx(offset, abs=0.5)


def test_exactly_the_tolerance_is_located() -> None:
    """North of a line on a meridian's end the distance is that of the meridian: 200 m to a millimetre."""
    lon, lat, _ = GEOD.fwd([112.0] * 2, [30.0] * 2, [180.0] * 2, [199.9, 200.2])
    shape = shapely.LineString([(112.0, 30.0), (112.0, 30.2)])
    network = river.build(rows(("长江", shape, {"accuracy_m": 100.0})))
    found = river.locate(pa.RecordBatch.from_arrays([pa.array(lon), pa.array(lat)], names=["lon", "lat"]), network)
    assert (found.column("reach").to_numpy() >= 0).tolist() == [True, False]


@pytest.mark.parametrize("turn", [30, 90, 150, 175])
@pytest.mark.parametrize("left", [True, False])
def test_a_point_nearest_to_a_vertex_is_on_the_outer_side(turn: int, left: bool) -> None:
    """The river runs east, then turns by `turn` degrees; beyond the vertex, outside the bend, is the other bank.

    On the bisector 80 m off: turning left (north) the outside is the right bank. At 150 degrees a point just outside
    lies left of the straight continuation of one segment and right of the other: the sum decides.
    """
    angle = np.radians(turn if left else -turn)
    network = build(
        (
            "长江",
            bare((0, 0), (5_000, 0), (5_000 + 4_000 * np.cos(angle), 4_000 * np.sin(angle))),
            {"accuracy_m": 100.0},
        )
    )
    outside = angle / 2 + (-np.pi / 2 if left else np.pi / 2)
    for swing in (-0.4, 0.0, 0.4):  # within the wedge that is nearest to the vertex
        at = outside + swing * np.radians(turn) / 2
        got = located(network, [(5_000 + 80 * np.cos(at), 80 * np.sin(at))]).iloc[0]
        assert got["offset_m"] == pytest.approx(80 if left else -80, abs=CLOSE_M)
        assert got["bank"] == ("right" if left else "left")
        assert got["km"] == pytest.approx(4.0, abs=0.01)


def test_of_a_precise_and_a_rough_river_the_one_in_whose_tolerance_it_lies() -> None:
    """A surveyed tributary (40 m) beside a rough main stem (1,000 m): 100 m from the one, 300 m from the other."""
    network = build(
        ("长江", line((0, 0), (20_000, 0)), {"accuracy_m": 500.0}),
        ("汉江", line((2_000, 400), (15_500, 400), (16_000, 0)), {"accuracy_m": 20.0}),
    )
    found = located(network, [(8_000, 300), (8_000, 370), (8_000, 450), (8_000, 900), (8_000, 1_100)])
    assert found["river"].tolist()[:4] == ["长江", "汉江", "长江", "长江"]
    assert found["reach"].iloc[4] == -1
    assert found["offset_m"].tolist()[:4] == pytest.approx([-300, 30, -450, -900], abs=CLOSE_M)


def test_a_lake_is_not_hidden_by_a_precise_line_out_of_reach() -> None:
    lake = shapely.transform(shapely.box(3_000, 400, 9_000, 3_000), degrees)
    lakes = gpd.GeoDataFrame({"river": ["甲湖"], "accuracy_m": [200.0]}, geometry=[lake], crs="EPSG:4326")
    network = build(("小河", line((0, 0), (10_000, 0)), {"accuracy_m": 20.0}), lakes=lakes)
    found = located(network, [(6_000, 150), (6_000, 30), (6_000, 500)])  # 250 m from the lake, 150 m from the line
    assert found["river"].tolist() == ["甲湖", "小河", "甲湖"]
    assert found["offset_m"].tolist() == pytest.approx([250, -30, 0], abs=CLOSE_M)
    assert found["km"].isna().tolist() == [True, False, True]


def test_at_a_confluence_the_receiving_river() -> None:
    network = build(("汉江", line((5_000, 6_000), (5_000, 0))), ("长江", line((0, 0), (20_000, 0))))
    found = located(network, [(5_000, 0), (4_900, 100), (5_050, 49), (5_050, 51)])
    assert found["river"].tolist()[0] == "长江"
    assert found["river"].tolist()[2:] == ["长江", "汉江"]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(np.nan, 30.0), (112.0, np.nan), (np.inf, 30.0), (112.05, 90.0), (112.05, -90.0), (-58.4, -34.6), (180.0, 30.0),
     (-180.0, 30.0), (472.05, 30.0), (112.05, 30_000.0), (0.0, 0.0)],
)  # fmt: skip
def test_nowhere_near(lon: float, lat: float) -> None:
    found = river.locate(
        pa.RecordBatch.from_arrays([pa.array([lon, 112.05]), pa.array([lat, 30.0])], names=["lon", "lat"]), EAST
    )
    assert found.column("reach").to_pylist()[0] == -1
    assert found.column("bank").to_pylist()[0] is None
    assert found.column("reach").to_pylist()[1] >= 0  # its neighbour in the batch is not harmed


def test_nulls_tables_and_no_rows() -> None:
    table = pa.table(
        {"lat": pa.chunked_array([[30.0, None], [30.0]]), "lon": pa.chunked_array([[112.01], [None, 112.02]])}
    )
    assert (river.locate(table, EAST).column("reach").to_numpy() >= 0).tolist() == [True, False, True]
    nothing = river.locate(pa.RecordBatch.from_arrays([pa.array([], pa.float64())] * 2, names=["lon", "lat"]), EAST)
    assert nothing.num_rows == 0
    assert nothing.schema == kernel.SCHEMA
    assert river.locate(table, EAST).schema == kernel.SCHEMA


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_batches_of_any_size_in_any_order_give_the_same(seed: int, draw: int, size: int) -> None:
    network, _ = world(seed)
    rng = np.random.default_rng(draw)
    points = rng.uniform([-2_000, -5_000], [12_000, 6_000], (120, 2))
    points[::17] = np.nan
    points[5] = [4e6, -3e6]  # far away in the batch: must not change what is found for the others
    one = river.locate(batch(points), network).to_pandas()
    parts = [river.locate(batch(points[i : i + size]), network).to_pandas() for i in range(0, 120, size)]
    pd.testing.assert_frame_equal(one, pd.concat(parts, ignore_index=True))
    order = rng.permutation(120)
    mixed = river.locate(batch(points[order]), network).to_pandas()
    pd.testing.assert_frame_equal(one, mixed.iloc[np.argsort(order)].reset_index(drop=True))


def test_reach_and_km_alone_are_those_of_the_whole_answer() -> None:
    network, _ = world(2)
    points = np.random.default_rng(4).uniform([-2_000, -5_000], [12_000, 6_000], (500, 2))
    points[::50] = np.nan
    lon, lat = degrees(points).T.copy()
    whole = river.place(lon, lat, network)
    reach, km = river.chainage(lon, lat, network)
    assert (reach >= 0).any() and (reach < 0).any()
    assert reach.tolist() == whole.reach.tolist()
    assert np.array_equal(km, whole.km, equal_nan=True)
    assert [len(part) for part in river.chainage(lon[:0], lat[:0], network)] == [0, 0]


def test_memory_does_not_grow_with_the_batch_but_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "CHUNK", 2_000)
    network, _ = world(1)
    rng = np.random.default_rng(3)
    peaks = []
    for n in (8_000, 64_000):
        table = batch(rng.uniform([-2_000, -5_000], [12_000, 6_000], (n, 2)))
        river.locate(table, network)
        tracemalloc.start()
        river.locate(table, network)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # the answer takes 21 bytes a fix and is held once in pieces, once joined; the work in between stays what it was
    assert peaks[1] - peaks[0] < 56_000 * 21 * 2.5
