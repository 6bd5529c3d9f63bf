"""Ways by water: distance, spread, within, links against shortest ways on a graph that the test cuts itself."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from geo_monitor import river
from tests.river.drawing import build, degrees, line, located, rows, whole

GEOD = Geod(ellps="WGS84")
STEP_M = 10.0  # the test's own graph is cut this fine


class Fine:
    """Every channel reach cut into pieces of 10 m; ends that fall together are one node."""

    def __init__(self, network: river.Network) -> None:
        self.network = network
        points, a, b, owner, metres = [], [], [], [], []
        self.first, self.steps = [], []
        for i, shape in enumerate(network.reaches.geometry):
            if shape.geom_type != "LineString":
                continue
            lonlat = np.array(shape.coords)[::-1]  # upstream: from km_from to km_to
            along = np.r_[0, np.cumsum(GEOD.inv(*lonlat[:-1].T, *lonlat[1:].T)[2])]
            n = max(int(np.ceil(along[-1] / STEP_M)), 1)
            at = np.linspace(0, along[-1], n + 1)
            start = sum(len(p) for p in points)
            points.append(np.c_[np.interp(at, along, lonlat[:, 0]), np.interp(at, along, lonlat[:, 1])])
            a.append(np.arange(start, start + n))
            b.append(np.arange(start, start + n) + 1)
            owner.append(np.full(n, i))
            metres.append(np.full(n, along[-1] / n))
            self.first.append(start)
            self.steps.append(n)
        everywhere = np.concatenate(points)
        # a confluence may lie within a reach: its point falls on the nearest point of the other (within 5 m)
        flat = (everywhere - [112, 30]) * [96_486.28, 110_852.4]
        label = np.arange(len(flat))
        for i, start in enumerate(self.first):
            for end in (start, start + self.steps[i]):
                near = np.flatnonzero(np.hypot(*(flat - flat[end]).T) < STEP_M * 0.75)
                best = near[np.argsort(np.hypot(*(flat[near] - flat[end]).T))]
                others = [n for n in best if not start <= n <= start + self.steps[i]]
                if others:
                    low = min(label[others[0]], label[end])
                    label[(label == label[others[0]]) | (label == label[end])] = low
        self.label = label
        a, b = label[np.concatenate(a)], label[np.concatenate(b)]
        self.metres, self.owner = np.concatenate(metres), np.concatenate(owner)
        self.edge = {}
        for p, q, m, o in zip(a, b, self.metres, self.owner, strict=True):
            self.edge[min(p, q), max(p, q)] = (m, o)
        key = np.array(list(self.edge))
        size = len(label)
        weights = np.array([m for m, _ in self.edge.values()])
        self.matrix = coo_matrix((weights, (key[:, 0], key[:, 1])), shape=(size, size)).tocsr()

    def node(self, reach: int, km: float) -> int:
        row = self.network.reaches.iloc[reach]
        span = row["km_to"] - row["km_from"]
        share = (km - row["km_from"]) / span if span > 0 else 0.5
        return int(self.label[self.first[reach] + round(share * self.steps[reach])])

    def way(self, a: int, b: int) -> tuple[float, dict[int, float]]:
        """Metres from node a to node b, and the metres in each reach passed."""
        metres, before = dijkstra(self.matrix, directed=False, indices=a, return_predecessors=True)
        passed: dict[int, float] = {}
        node = b
        while node != a and before[node] >= 0:
            m, owner = self.edge[min(node, before[node]), max(node, before[node])]
            passed[owner] = passed.get(owner, 0.0) + m
            node = before[node]
        return float(metres[b]), passed


@cache
def world() -> tuple[river.Network, Fine]:
    """A bending main stem, an island, two tributaries (one into the island's arm) and one of the second."""
    s = np.linspace(0, 20_000, 101)
    main = np.c_[s, 800 * np.sin(s / 1_500)]
    top = main[60:71] + 900 * np.sin(np.linspace(0, np.pi, 11))[:, None] * [0.0, 1.0]
    network = river.build(
        rows(
            ("长江", shapely.LineString(degrees(main)), {"mouth": "end"}),
            ("长江", shapely.LineString(degrees(top)), {"mouth": None}),
            (
                "汉江",
                shapely.LineString(degrees([main[30] + [0, 7_000], main[30] + [200, 3_000], main[30]])),
                {"mouth": None},
            ),
            ("乙河", shapely.LineString(degrees([top[5] + [100, 5_000], top[5]])), {"mouth": None}),
            (
                "丙河",
                shapely.LineString(degrees([main[30] + [4_000, 3_300], main[30] + [200, 3_000]])),
                {"mouth": None},
            ),
        )
    )
    return network, Fine(network)


def same_channel(network: river.Network, a: int, b: int) -> bool:
    row, other = network.reaches.iloc[a], network.reaches.iloc[b]
    return row["river"] == other["river"] and (
        row["side"] == other["side"] or (row["side"] != row["side"] and other["side"] != other["side"])
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_distance_and_spread_between_any_two_places(seed: int) -> None:
    network, fine = world()
    rng = np.random.default_rng(seed)
    reach = rng.integers(0, network.channels, (2, 12))
    km_from, km_to = network.reaches["km_from"].to_numpy(), network.reaches["km_to"].to_numpy()
    km = km_from[reach] + rng.random((2, 12)) * (km_to - km_from)[reach]
    metres = network.distance(reach[0], km[0], reach[1], km[1])
    back = network.distance(reach[1], km[1], reach[0], km[0])
    assert np.allclose(metres, back, atol=1e-6)
    pair, passed, share = network.spread(reach[0], km[0], reach[1], km[1])
    assert np.allclose(np.bincount(pair, weights=share, minlength=12), 1.0)
    assert (share > 0).all()
    for n in range(12):
        a, b = int(reach[0, n]), int(reach[1, n])
        expected, want = fine.way(fine.node(a, km[0, n]), fine.node(b, km[1, n]))
        if same_channel(network, a, b):
            # the way between two places on one channel is the channel, though round the island may be shorter
            assert metres[n] >= expected - 3 * STEP_M
            if metres[n] > expected + 4 * STEP_M:
                continue
        assert metres[n] == pytest.approx(expected, abs=4 * STEP_M)
        own = pair == n
        if a == b:
            assert passed[own].tolist() == [a]
            continue
        got = dict(zip(passed[own].tolist(), share[own].tolist(), strict=True))
        if expected < 50 * STEP_M:
            continue  # a node's rounding is a large share of a short way
        for r in set(got) | set(want):
            assert got.get(r, 0.0) * metres[n] == pytest.approx(want.get(r, 0.0), abs=5 * STEP_M)


def test_spread_by_hand_across_a_confluence() -> None:
    """From 汉江 km 0.2 to 长江 300 m below the confluence at drawn km 11.87: 200 m of 500, 300 of 500."""
    network = build(("长江", line((0, 0), (20_000, 0))), ("汉江", line((8_130, 9_000), (8_130, 0))))
    found = located(network, [(8_130, 200), (8_430, 0)])
    assert found["river"].tolist() == ["汉江", "长江"]
    reach, km = found["reach"].to_numpy(), found["km"].to_numpy()
    assert network.distance(reach[:1], km[:1], reach[1:], km[1:])[0] == pytest.approx(500, abs=2)
    pair, passed, share = network.spread(reach[:1], km[:1], reach[1:], km[1:])
    assert pair.tolist() == [0, 0]
    assert dict(zip(passed.tolist(), share.tolist(), strict=True)) == pytest.approx(
        {int(reach[0]): 0.4, int(reach[1]): 0.6}, abs=0.005
    )


def test_spread_by_hand_along_one_river() -> None:
    """km 2.4 to 3.4: 100 m, 500 m, 400 m of 1,000, whichever end comes first."""
    network = build(("长江", line((0, 0), (20_000, 0))))
    for order in ([4, 6], [6, 4]):
        km = np.array([2.4, 3.4]) if order == [4, 6] else np.array([3.4, 2.4])
        _, passed, share = network.spread(order[:1], km[:1], order[1:], km[1:])
        assert dict(zip(passed.tolist(), share.tolist(), strict=True)) == pytest.approx({4: 0.1, 5: 0.5, 6: 0.4})
    pair, passed, share = network.spread([4, 5, 4], [2.1, 2.5, 2.5], [4, 5, 5], [2.1, 2.9, 2.5])
    assert pair.tolist()[:2] == [0, 1]
    assert share.tolist()[:2] == [1.0, 1.0]
    assert share[pair == 2].sum() == 1.0


def test_across_a_meander_neck_is_the_long_way_by_water() -> None:
    """Two limbs 300 m apart: from (0, 300) on one to (0, 0) on the other it is 6 + 0.3 + 6 km round the bend."""
    network = build(("长江", line((-9_000, 300), (6_000, 300), (6_000, 0), (-9_000, 0)), {"accuracy_m": 100.0}))
    found = located(network, [(0, 300), (0, 0)])
    reach, km = found["reach"].to_numpy(), found["km"].to_numpy()
    assert network.distance(reach[:1], km[:1], reach[1:], km[1:])[0] == pytest.approx(12_300, rel=1e-3)
    near = network.within(2_000.0)
    assert near[reach[0], reach[1]] == 0
    assert network.adjacency[reach[0], reach[1]] == 0
    assert network.within(12_600.0)[reach[0], reach[1]] == pytest.approx(12_300, abs=510)


def test_across_a_lake_and_into_it() -> None:
    """A tributary through a lake 6 km long: by water through the cells, never shorter than straight, not far longer."""
    lake = shapely.transform(shapely.box(5_000, 3_000, 9_000, 9_000), degrees)
    lakes = gpd.GeoDataFrame({"river": ["甲湖"]}, geometry=[lake], crs="EPSG:4326")
    network = build(("长江", line((0, 0), (20_000, 0))), ("赣江", line((7_000, 14_000), (7_000, 0)), {}), lakes=lakes)
    from scipy.sparse.csgraph import connected_components

    assert connected_components(network.adjacency)[0] == 1
    kinds = network.reaches["kind"].value_counts()
    assert kinds["lake"] > 20
    channel = network.reaches[(network.reaches["river"] == "赣江")]
    assert channel["km_to"].max() == pytest.approx(14.0, rel=1e-3)  # chainage goes on through the lake
    assert not ((channel["km_from"] < 8.9) & (channel["km_to"] > 3.1)).any()  # but the water there is cells
    found = located(network, [(7_000, 10_000), (7_000, 2_000), (6_000, 5_000), (8_900, 8_900)])
    assert found["river"].tolist() == ["赣江", "赣江", "甲湖", "甲湖"]
    reach, km = found["reach"].to_numpy(), found["km"].to_numpy()
    through = network.distance(reach[:1], km[:1], reach[1:2], km[1:2])[0]
    assert 8_000 - 5 <= through <= 8_000 * 1.35
    to_cell = network.distance(reach[1:2], km[1:2], reach[2:3], km[2:3])[0]
    assert 3_100 - 900 <= to_cell <= 3_100 * 1.35 + 900
    pair, passed, share = network.spread(reach[:1], km[:1], reach[1:2], km[1:2])
    assert np.bincount(pair, weights=share).tolist() == pytest.approx([1.0])
    in_lake = network.reaches["kind"].to_numpy()[passed] == "lake"
    assert share[in_lake].sum() == pytest.approx(6_000 / 8_000, abs=0.06)
    same = network.distance(reach[2:3], km[2:3], reach[2:3], km[2:3])[0]
    assert same == 0.0


def test_a_lake_beside_the_river_is_linked_to_it_and_a_far_one_is_not() -> None:
    def at(y: float) -> gpd.GeoDataFrame:
        lake = shapely.transform(shapely.box(5_000, y, 8_000, y + 3_000), degrees)
        return gpd.GeoDataFrame({"river": ["甲湖"]}, geometry=[lake], crs="EPSG:4326")

    from scipy.sparse.csgraph import connected_components

    near = build(("长江", line((0, 0), (20_000, 0))), lakes=at(4_000))
    assert connected_components(near.adjacency)[0] == 1
    far = build(("长江", line((0, 0), (20_000, 0))), lakes=at(90_000))
    assert connected_components(far.adjacency)[0] == 2
    cell = int(np.flatnonzero(far.reaches["kind"] == "lake")[0])
    assert np.isinf(far.distance(np.array([0]), np.array([0.1]), np.array([cell]), np.array([np.nan])))[0]
    _, passed, share = far.spread([0], [0.1], [cell], [np.nan])
    assert sorted(zip(passed.tolist(), share.tolist(), strict=True)) == [(0, 0.5), (cell, 0.5)]


def test_two_parts_of_one_lake_do_not_share_an_id() -> None:
    """A lake given as two polygons that meet within a cell."""
    parts = [shapely.transform(shapely.box(x, 1_000, x + 2_100, 4_000), degrees) for x in (3_000, 5_100)]
    lakes = gpd.GeoDataFrame({"river": ["甲湖", "甲湖"]}, geometry=parts, crs="EPSG:4326")
    network = build(("长江", line((0, 0), (20_000, 0))), lakes=lakes)
    whole(network)
    one = build(
        ("长江", line((0, 0), (20_000, 0))),
        lakes=lakes.iloc[:1].set_geometry([shapely.union_all(parts)], crs="EPSG:4326"),
    )
    assert network.reaches["reach_id"].tolist() == one.reaches["reach_id"].tolist()


def test_two_lakes_of_one_name_in_one_cell_and_lakes_without_name() -> None:
    ponds = [shapely.transform(shapely.box(x, 1_000, x + 900, 3_000), degrees) for x in (3_000, 4_000, 9_000, 10_500)]
    lakes = gpd.GeoDataFrame({"river": ["甲湖", "甲湖", None, ""]}, geometry=ponds, crs="EPSG:4326")
    network = build(("长江", line((0, 0), (20_000, 0))), lakes=lakes)
    whole(network)
    assert set(network.reaches["river"]) == {"长江", "甲湖", "未命名湖泊"}
    found = located(network, [(3_500, 2_000), (4_500, 2_000), (9_400, 2_000), (11_000, 2_000)])
    assert found["river"].tolist() == ["甲湖", "甲湖", "未命名湖泊", "未命名湖泊"]
    assert (found["offset_m"] == 0).all()


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([700.0, 2_000.0, 5_000.0]))
def test_within_and_links_are_shortest_ways_between_mid_points(limit: float) -> None:
    network, fine = world()
    n = network.channels
    middle = ((network.reaches["km_from"] + network.reaches["km_to"]) / 2).to_numpy()
    nodes = [fine.node(i, middle[i]) for i in range(n)]
    expected = dijkstra(fine.matrix, directed=False, indices=nodes)[:, nodes]
    near = network.within(limit).toarray()
    assert np.allclose(near, near.T)
    assert near.diagonal().sum() == 0
    sure = (expected < limit - 4 * STEP_M) & ~np.eye(n, dtype=bool)
    assert (near[sure] > 0).all()
    assert (near[expected > limit + 4 * STEP_M] == 0).all()
    assert np.allclose(near[near > 0], expected[near > 0], atol=4 * STEP_M)
    index = {name: i for i, name in enumerate(network.reaches["reach_id"])}
    for a, b, metres in network.links.itertuples(index=False):
        assert metres == pytest.approx(expected[index[a], index[b]], abs=4 * STEP_M)
        # two reaches that touch: the way between their middles is at most half of each
        assert (
            metres <= (network.reaches["length_m"].iloc[index[a]] + network.reaches["length_m"].iloc[index[b]]) / 2 + 1
        )


def test_links_are_the_reaches_that_touch() -> None:
    """40 reaches of 长江 in a row: 39 links. 18 of 汉江: 17; it joins within the reach [11.5, 12): 1 more."""
    network = build(("长江", line((0, 0), (20_000, 0))), ("汉江", line((8_130, 9_000), (8_130, 0))))
    assert len(network.links) == 39 + 17 + 1
    foot = network.links[network.links["reach_b"].eq("汉江K0000.000") | network.links["reach_a"].eq("汉江K0000.000")]
    assert set(foot["reach_a"]) | set(foot["reach_b"]) == {"汉江K0000.000", "汉江K0000.500", "长江K0011.500"}
    # middle of [0, 0.5) of 汉江 to the middle of [11.5, 12), 11.75: 250 + 120 m
    to_main = foot[foot["reach_a"].eq("长江K0011.500") | foot["reach_b"].eq("长江K0011.500")]
    assert to_main["distance_m"].iloc[0] == pytest.approx(370, abs=5)


def test_stretch_and_point_by_hand() -> None:
    network = build(
        ("长江", line((12_000, 0), (20_000, 0))),
        ("金沙江", line((0, 0), (12_000, 0))),
        ("汉江", line((15_000, 9_000), (15_000, 0))),
    )
    reach, metres = network.stretch("长江", 2.25, 3.6)
    assert network.reaches["km_from"].to_numpy()[reach].tolist() == pytest.approx([2.0, 2.5, 3.0, 3.5])
    assert metres.tolist() == pytest.approx([250, 500, 500, 100], abs=1e-3)
    turned = network.stretch("长江", 3.6, 2.25)
    assert turned[0].tolist() == reach.tolist()
    assert network.stretch("长江", 3.6, 3.6)[0].tolist() == [7]
    assert network.stretch("长江", 7.0, 30.0)[1].sum() == pytest.approx(1_000, rel=0.02)  # no farther than its name
    assert network.stretch("金沙江", 0.0, 9.0)[1].sum() == pytest.approx(1_000, rel=0.02)
    assert len(network.stretch("长江", 30.0, 40.0)[0]) == 0
    assert len(network.stretch("黄河", 0.0, 1.0)[0]) == 0
    lon, lat = network.point(
        np.array(["长江", "金沙江", "汉江", "长江", "黄河"], dtype=object), np.array([5.0, 12.0, 4.0, 12.0, 1.0])
    )
    assert np.isnan(lon).tolist() == [False, False, False, True, True]
    expected = degrees([(15_000, 0), (8_000, 0), (15_000, 4_000)])
    assert np.allclose(np.c_[lon, lat][:3], expected, atol=2e-4)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 20), st.floats(0, 20))
def test_point_and_locate_are_inverse_and_stretches_add_up(a: float, b: float) -> None:
    network, _ = world()
    top = float(
        network.reaches.loc[(network.reaches["river"] == "长江") & network.reaches["side"].isna(), "km_to"].max()
    )
    low, high = sorted((min(a, top), min(b, top)))
    lon, lat = network.point("长江", np.array([low, high]))
    xy = (np.c_[lon, lat] - [112, 30]) * [96_486.28, 110_852.4]
    found = located(network, xy)
    assert found["km"].tolist() == pytest.approx([low, high], abs=1e-6)
    assert found["offset_m"].abs().max() < 1e-3
    assert network.stretch("长江", low, high)[1].sum() == pytest.approx((high - low) * 1_000, abs=1e-3)


def test_a_name_that_comes_back_on_the_main_stem_is_one_stretch() -> None:
    """长江, then a piece under another name, then 长江 again: the stretch reaches past it."""
    network = build(
        ("长江", line((15_000, 0), (20_000, 0))),
        ("荆江", line((10_000, 0), (15_000, 0))),
        ("长江", line((0, 0), (10_000, 0))),
    )
    reach, metres = network.stretch("长江", 0.0, 20.0)
    assert metres.sum() == pytest.approx(15_000, rel=1e-3) or metres.sum() == pytest.approx(20_000, rel=1e-3)
    assert len(reach) >= 30
    lon, _ = network.point("长江", np.array([18.0]))
    assert not np.isnan(lon).any()
