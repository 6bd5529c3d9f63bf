"""Times by water against hand calculations, and against a plain forward Dijkstra on a graph that the test cuts itself."""

from __future__ import annotations

import heapq
import itertools
from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo_monitor import river
from geo_monitor.dispatch.water import Conditions, Limit, Lock, Place, Waterway, waterway
from geo_monitor.errors import Refused, Usage
from tests.dispatch.waters import lake_world
from tests.river.drawing import TOLERANCE, build, degrees, line, rows

NEAR = pytest.approx


@cache
def straight() -> river.Network:
    """20 km of 长江, mouth in the east: km = 20 - x / 1000."""
    return build(("长江", line((0, 0), (20_000, 0)), {"mouth": "end"}))


@cache
def confluence() -> river.Network:
    """长江, and 汉江, 8 km, that joins it from the north at km 10."""
    return build(
        ("长江", line((0, 0), (20_000, 0)), {"mouth": "end"}),
        ("汉江", line((10_000, 8_000), (10_000, 0)), {"mouth": None}),
    )


def reach_of(network: river.Network, name: str, km: float) -> int:
    reaches = network.reaches
    own = (reaches["river"] == name) & (reaches["km_from"] <= km) & (km < reaches["km_to"]) & reaches["side"].isna()
    return int(np.flatnonzero(own)[0])


def spot(network: river.Network, name: str, km: float) -> Place:
    return Place.on(network, reach_of(network, name, km), km)


def took(
    network: river.Network,
    begin: tuple[str, float],
    end: tuple[str, float],
    speed: float,
    conditions: Conditions | None = None,
    urgent: bool = False,
) -> tuple[float, float]:
    """(seconds, metres), after making sure that the way drawn says the same."""
    way = waterway(network, conditions or Conditions())
    reach, place = reach_of(network, *begin), spot(network, *end)
    seconds, metres = way.times(np.array([reach]), np.array([begin[1]]), place, speed, urgent)
    drawn = way.way(reach, begin[1], place, speed, urgent)
    if drawn is None:
        assert np.isinf(seconds[0])
    else:
        assert drawn.seconds == NEAR(float(seconds[0]))
        assert drawn.metres == NEAR(float(metres[0]))
        assert drawn.reach_metres.sum() == NEAR(drawn.metres, abs=1e-3)
        assert Geod(ellps="WGS84").line_length(*drawn.line.T) == NEAR(drawn.metres, rel=1e-4, abs=0.5)
        assert drawn.reaches[-1] == place.reach
    return float(seconds[0]), float(metres[0])


def current(network: river.Network, mps: float) -> Conditions:
    return Conditions(np.full(len(network.reaches), mps))


def test_still_water_takes_length_over_speed() -> None:
    seconds, metres = took(straight(), ("长江", 3.25), ("长江", 9.25), 10.0)
    assert metres == NEAR(6_000, abs=0.01)  # chainage is metres along the drawn line
    assert seconds == NEAR(600, abs=0.001)


def test_upstream_is_slower_than_downstream() -> None:
    # 6 km at 10 m/s in a current of 2 m/s: 6000 / 8 up, 6000 / 12 down
    network = straight()
    assert took(network, ("长江", 3.1), ("长江", 9.1), 10.0, current(network, 2.0))[0] == NEAR(750)
    assert took(network, ("长江", 9.1), ("长江", 3.1), 10.0, current(network, 2.0))[0] == NEAR(500)


def test_within_one_reach_too() -> None:
    network = straight()
    assert took(network, ("长江", 3.1), ("长江", 3.4), 10.0, current(network, 2.0))[0] == NEAR(300 / 8)
    assert took(network, ("长江", 3.4), ("长江", 3.1), 10.0, current(network, 2.0))[0] == NEAR(300 / 12)
    assert took(network, ("长江", 3.4), ("长江", 3.4), 10.0, current(network, 2.0)) == (0.0, 0.0)


def test_current_reach_by_reach() -> None:
    # up from km 0.25 to 1.25: 250 m at 10 - 1, 500 m at 10 - 2, 250 m at 10 - 5
    network = straight()
    flow = np.zeros(len(network.reaches))
    for km, mps in ((0.0, 1.0), (0.5, 2.0), (1.0, 5.0)):
        flow[reach_of(network, "长江", km)] = mps
    seconds, _ = took(network, ("长江", 0.25), ("长江", 1.25), 10.0, Conditions(flow))
    assert seconds == NEAR(250 / 9 + 500 / 8 + 250 / 5)


def test_a_tide_that_runs_up_helps_up() -> None:
    network = straight()
    assert took(network, ("长江", 1.0), ("长江", 3.0), 8.0, current(network, -2.0))[0] == NEAR(200)


def test_a_boat_slower_than_the_current_goes_down_only() -> None:
    network = straight()
    assert took(network, ("长江", 1.0), ("长江", 3.0), 2.0, current(network, 2.0))[0] == np.inf
    assert took(network, ("长江", 3.0), ("长江", 1.0), 2.0, current(network, 2.0))[0] == NEAR(500)


def test_one_reach_of_rapids_stops_it() -> None:
    network = straight()
    flow = np.zeros(len(network.reaches))
    flow[reach_of(network, "长江", 2.0)] = 3.0
    assert took(network, ("长江", 1.0), ("长江", 3.0), 3.0, Conditions(flow))[0] == np.inf
    # it reaches the foot of the rapids
    assert took(network, ("长江", 1.0), ("长江", 2.0), 3.0, Conditions(flow))[0] == NEAR(1000 / 3)


def test_a_limit_holds_over_ground_and_not_when_urgent() -> None:
    # 1 km of the 3 km at 4 m/s; downstream in a current of 2 the other 2 km at 12
    network = straight()
    slow = Conditions(np.full(len(network.reaches), 2.0), (Limit("长江", 5.1, 6.1, 4.0),))
    assert took(network, ("长江", 7.0), ("长江", 4.0), 10.0, slow)[0] == NEAR(1000 / 4 + 2000 / 12)
    assert took(network, ("长江", 4.0), ("长江", 7.0), 10.0, slow)[0] == NEAR(1000 / 4 + 2000 / 8)
    assert took(network, ("长江", 7.0), ("长江", 4.0), 10.0, slow, urgent=True)[0] == NEAR(3000 / 12)
    # half of a way that begins inside the limit
    assert took(network, ("长江", 5.6), ("长江", 4.6), 10.0, slow)[0] == NEAR(500 / 4 + 500 / 12)
    backwards = Conditions(np.full(len(network.reaches), 2.0), (Limit("长江", 6.1, 5.1, 4.0),))
    assert took(network, ("长江", 7.0), ("长江", 4.0), 10.0, backwards)[0] == NEAR(1000 / 4 + 2000 / 12)


def test_of_two_limits_the_lower_holds() -> None:
    slow = Conditions(limits=(Limit("长江", None, None, 5.0), Limit("长江", 2.0, 3.0, 2.0)))
    assert took(straight(), ("长江", 1.0), ("长江", 4.0), 10.0, slow)[0] == NEAR(2000 / 5 + 1000 / 2)


def test_a_lock_costs_its_minutes_each_way() -> None:
    locks = Conditions(locks=(Lock("长江", 5.3, 40, 25),))
    network = straight()
    assert took(network, ("长江", 4.3), ("长江", 6.3), 10.0, locks)[0] == NEAR(200 + 2400)
    assert took(network, ("长江", 6.3), ("长江", 4.3), 10.0, locks)[0] == NEAR(200 + 1500)
    # both sides of it within one reach, and neither side crossing it
    assert took(network, ("长江", 5.25), ("长江", 5.35), 10.0, locks)[0] == NEAR(10 + 2400)
    assert took(network, ("长江", 5.35), ("长江", 5.25), 10.0, locks)[0] == NEAR(10 + 1500)
    assert took(network, ("长江", 5.35), ("长江", 5.45), 10.0, locks)[0] == NEAR(10)
    assert took(network, ("长江", 5.05), ("长江", 5.25), 10.0, locks)[0] == NEAR(20)
    # its very km lies above
    assert took(network, ("长江", 5.3), ("长江", 6.3), 10.0, locks)[0] == NEAR(100)


def test_locks_on_a_border_between_reaches_and_urgent_runs() -> None:
    locks = Conditions(locks=(Lock("长江", 5.0, 30, 30), Lock("长江", 5.0, 1, 1)))
    assert took(straight(), ("长江", 4.0), ("长江", 6.0), 10.0, locks, urgent=True)[0] == NEAR(200 + 31 * 60)


def test_a_closed_lock_parts_the_river() -> None:
    closed = Conditions(locks=(Lock("长江", 5.0, 30, 30, closed=True),))
    assert took(straight(), ("长江", 4.0), ("长江", 6.0), 10.0, closed)[0] == np.inf
    assert took(straight(), ("长江", 6.0), ("长江", 4.0), 10.0, closed)[0] == np.inf
    assert took(straight(), ("长江", 6.0), ("长江", 5.0), 10.0, closed)[0] == NEAR(100)


def test_a_lock_at_the_head_of_a_river_stands_just_below() -> None:
    top = float(straight().reaches["km_to"].max())
    locks = Conditions(locks=(Lock("长江", top, 10, 20),))
    way = Waterway(straight(), locks)
    reach = reach_of(straight(), "长江", top - 0.1)
    seconds, metres = way.times(np.array([reach]), np.array([top]), spot(straight(), "长江", top - 1), 10.0)
    assert seconds[0] == NEAR(100 + 1200)
    assert metres[0] == NEAR(1000)


def test_up_a_tributary() -> None:
    # down 长江 from km 13 to the mouth of 汉江 at km 10 (current 1), then 4 km up 汉江 (current 3)
    network = confluence()
    flow = np.where(network.reaches["river"] == "汉江", 3.0, 1.0)
    seconds, metres = took(network, ("长江", 13.0), ("汉江", 4.0), 10.0, Conditions(flow))
    assert metres == NEAR(7_000, rel=TOLERANCE)
    assert seconds == NEAR(3000 / 11 + 4000 / 7, rel=TOLERANCE)
    back, _ = took(network, ("汉江", 4.0), ("长江", 13.0), 10.0, Conditions(flow))
    assert back == NEAR(4000 / 13 + 3000 / 9, rel=TOLERANCE)


def test_a_lock_at_the_mouth_of_a_tributary_is_the_tributarys() -> None:
    locks = Conditions(locks=(Lock("汉江", 0.0, 20, 20),))
    network = confluence()
    assert took(network, ("长江", 13.0), ("汉江", 4.0), 10.0, locks)[0] == NEAR(700 + 1200, rel=TOLERANCE)
    assert took(network, ("长江", 13.0), ("长江", 7.0), 10.0, locks)[0] == NEAR(600, rel=TOLERANCE)


def test_water_that_is_not_joined_is_not_reached() -> None:
    network = build(
        ("长江", line((0, 0), (20_000, 0)), {"mouth": "end"}),
        ("孤河", line((0, 40_000), (8_000, 40_000)), {"mouth": "end"}),
    )
    if not (network.reaches["river"] == "孤河").any():
        pytest.fail("the second water is part of the network")
    assert took(network, ("孤河", 4.0), ("长江", 4.0), 10.0)[0] == np.inf


def test_a_meander_is_gone_round() -> None:
    # a neck of 300 m; round the bend it is 6 + 0.3 + 6 km
    network = build(
        ("长江", line((0, 150), (6_000, 150), (6_000, -150), (0, -150), step=100), {"mouth": "end", "accuracy_m": 20.0})
    )
    up = Place.at(network, *degrees([(10, 150)])[0])
    down = river.place(*(v[None] for v in degrees([(10, -150)])[0]), network)
    seconds, metres = waterway(network, Conditions()).times(down.reach, down.km, up, 12.28)
    assert metres[0] == NEAR(12_280, rel=TOLERANCE)
    assert seconds[0] == NEAR(1_000, rel=TOLERANCE)


def test_round_an_island_by_the_quicker_arm() -> None:
    # the main arm is shorter; a limit on it makes the other quicker
    network = build(
        ("长江", line((0, 0), (4_000, 0), (10_000, 0), (14_000, 0)), {"mouth": "end", "accuracy_m": 50.0}),
        ("长江", line((4_000, 0), (5_000, 2_000), (9_000, 2_000), (10_000, 0)), {"mouth": None, "accuracy_m": 50.0}),
    )
    assert network.reaches["side"].notna().any()
    begin, end = ("长江", 12.0), ("长江", 2.0)
    assert took(network, begin, end, 10.0)[1] == NEAR(10_000, rel=TOLERANCE)
    lock = Conditions(locks=(Lock("长江", 7.0, 60, 60),))
    # by the arm: 2 + 4 km of channel and sqrt(5) + 4 + sqrt(5) km of arm
    arm = 4_000 + 4_000 + 2_000 * 5**0.5
    seconds, metres = took(network, begin, end, 10.0, lock)
    assert metres == NEAR(arm, rel=TOLERANCE)
    assert seconds == NEAR(arm / 10, rel=TOLERANCE)
    # a limit by chainage holds on both arms
    slow = Conditions(limits=(Limit("长江", 5.0, 6.0, 5.0),))
    assert took(network, begin, end, 10.0, slow)[0] == NEAR(1_000 + 100, rel=TOLERANCE)


def test_across_a_lake_at_the_boats_speed_whatever_the_current() -> None:
    network = lake_world()
    begin, end = ("湘江", 18.0), ("长江", 8.0)
    still, metres = took(network, begin, end, 10.0)
    assert 20_000 - 50 < metres < 23_000  # over the centres of cells
    assert still == NEAR(metres / 10)
    flow = np.where(network.reaches["kind"] == "lake", 9.0, 0.0)
    assert took(network, begin, end, 10.0, Conditions(flow))[0] == NEAR(still)
    slow = Conditions(limits=(Limit("洞庭湖", None, None, 1.0),))
    lake_m = (took(network, begin, end, 10.0, slow)[0] - still) / (1 - 0.1)  # each metre of lake takes 0.9 s more
    assert 9_900 < lake_m < 12_500


def test_from_and_to_a_lake_cell() -> None:
    network = lake_world()
    cell = int(np.flatnonzero(network.reaches["kind"] == "lake")[20])
    way = waterway(network, Conditions())
    place = Place.on(network, cell)
    forth, metres = way.times(np.array([reach_of(network, "长江", 8.0)]), np.array([8.0]), place, 10.0)
    back, _ = way.times(np.array([cell]), np.array([np.nan]), spot(network, "长江", 8.0), 10.0)
    assert np.isfinite(forth[0])
    assert forth[0] == NEAR(back[0])
    assert way.times(np.array([cell]), np.array([np.nan]), place, 10.0)[0][0] == NEAR(0.0, abs=1e-6)
    drawn = way.way(reach_of(network, "长江", 8.0), 8.0, place, 10.0)
    assert drawn is not None
    assert drawn.reaches[-1] == cell
    assert Geod(ellps="WGS84").line_length(*drawn.line.T) == NEAR(float(metres[0]), rel=1e-3)
    assert drawn.line[-1] == NEAR(np.array([place.lon, place.lat]))


def test_a_lock_at_the_outflow_of_a_lake() -> None:
    network = lake_world()
    own = network.reaches[(network.reaches["river"] == "湘江")]
    below = own[own["km_to"] < 10]["km_to"].max()  # where the river leaves the lake
    locks = Conditions(locks=(Lock("湘江", float(below), 30, 30),))
    free, _ = took(network, ("湘江", 18.0), ("长江", 8.0), 10.0)
    assert took(network, ("湘江", 18.0), ("长江", 8.0), 10.0, locks)[0] == NEAR(free + 1800)
    closed = Conditions(locks=(Lock("湘江", float(below), 30, 30, closed=True),))
    assert took(network, ("湘江", 18.0), ("长江", 8.0), 10.0, closed)[0] == np.inf


def test_a_place_off_the_water() -> None:
    network = straight()
    away = Place.at(network, *degrees([(5_000, 9_000)])[0])
    assert (away.reach, away.bank) == (-1, None)
    way = waterway(network, Conditions())
    assert way.times(np.array([3, -1]), np.array([1.6, np.nan]), away, 10.0)[0].tolist() == [np.inf, np.inf]
    assert way.way(3, 1.6, away, 10.0) is None
    there = spot(network, "长江", 2.0)
    assert np.isfinite(way.times(np.array([3, -1]), np.array([1.6, np.nan]), there, 10.0)[0]).tolist() == [True, False]
    assert way.way(-1, np.nan, there, 10.0) is None


def test_wrong_conditions_are_refused() -> None:
    network = straight()
    for flow in (np.zeros(3), np.full(len(network.reaches), np.nan)):
        with pytest.raises(Usage, match="Currents"):
            Waterway(network, Conditions(flow))
    with pytest.raises(Refused, match="lock"):
        Waterway(network, Conditions(locks=(Lock("长江", 99.0, 1, 1),)))
    with pytest.raises(Refused, match="limit"):
        Waterway(network, Conditions(limits=(Limit("赣江", 1.0, 2.0, 5.0),)))
    with pytest.raises(Refused, match="limit"):
        Waterway(network, Conditions(limits=(Limit("长江", 30.0, 40.0, 5.0),)))
    with pytest.raises(Usage, match="limit"):
        Waterway(network, Conditions(limits=(Limit("长江", 1.0, None, 5.0),)))
    with pytest.raises(Usage, match="limit"):
        Waterway(network, Conditions(limits=(Limit("长江", 1.0, 2.0, 0.0),)))
    with pytest.raises(Usage, match="limit"):
        Waterway(network, Conditions(limits=(Limit("长江", 1.0, np.nan, 5.0),)))
    with pytest.raises(Usage, match="minutes"):
        Waterway(network, Conditions(locks=(Lock("长江", 3.0, -1, 1),)))
    for speed in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(Usage, match="speed"):
            Waterway(network).times(np.array([3]), np.array([1.6]), spot(network, "长江", 2.0), speed)


def test_equal_conditions_share_one_graph() -> None:
    network = straight()
    assert current(network, 1.0) == current(network, 1.0)
    assert current(network, 1.0) != current(network, 1.5)
    assert Conditions() != current(network, 0.0)
    assert waterway(network, current(network, 1.0)) is waterway(network, current(network, 1.0))


# ---- against a plain Dijkstra, forwards, on the test's own graph ------------------------------------------------------
@cache
def world() -> river.Network:
    """A bending main stem, an island, a tributary into the stem, one into the island's arm, one of the first."""
    s = np.linspace(0, 20_000, 101)
    main = np.c_[s, 800 * np.sin(s / 1_500)]
    top = main[60:71] + 900 * np.sin(np.linspace(0, np.pi, 11))[:, None] * [0.0, 1.0]
    drawn = [
        ("长江", main, "end"),
        ("长江", top, None),
        ("汉江", [main[30] + [0, 7_000], main[30] + [200, 3_000], main[30]], None),
        ("乙河", [top[5] + [100, 5_000], top[5]], None),
        ("丙河", [main[30] + [4_000, 3_300], main[30] + [200, 3_000]], None),
    ]
    return river.build(rows(*((n, shapely.LineString(degrees(p)), {"mouth": m}) for n, p, m in drawn)))


class Plain:
    """Edges between all positions given, by the stems; places joined by feet and heads are one."""

    def __init__(self, network: river.Network, conditions: Conditions, extra: list[float], speed: float) -> None:
        axis = network.axis
        joints = []
        for number, stem in enumerate(network.stems):
            for end, at in ((stem.foot, 0.0), (stem.head, stem.along[-1])):
                if end is not None:
                    joints.append((axis.start[number] + at, axis.start[end[0]] + end[1]))
        self.same = {round(a, 5): round(b, 5) for a, b in joints}
        locks = [(float(network.position(one.river, np.array([one.km]))[0]), one) for one in conditions.locks]
        marks = {round(p, 5) for pair in joints for p in pair} | {round(p, 5) for p in extra}
        marks |= {round(p, 5) for p, _ in locks}
        marks |= {round(float(p), 5) for p in np.r_[network.low, network.high]}
        for number, stem in enumerate(network.stems):  # where a limit begins and ends, on arms too
            fine = axis.start[number] + np.linspace(0, stem.along[-1], 5_001)
            for edge in [km for limit in conditions.limits for km in (limit.km_from, limit.km_to)]:
                over = np.flatnonzero(np.diff(axis.km(fine) >= edge))
                marks |= {round(float(np.interp(edge, axis.km(fine[i : i + 2]), fine[i : i + 2])), 5) for i in over}
        self.edges: dict[float, list[tuple[float, float]]] = {}
        flow = conditions.current_mps
        assert flow is not None
        ordered = sorted(mark for mark in marks if np.isfinite(mark))
        for a, b in itertools.pairwise(ordered):
            owner = int(network.reach_at(np.array([(a + b) / 2]))[0])
            if owner < 0:
                continue
            row = network.reaches.iloc[owner]
            km = float(axis.km(np.array([(a + b) / 2]))[0])
            cap = min(
                [one.mps for one in conditions.limits if one.river == row["river"] and one.km_from <= km < one.km_to],
                default=np.inf,
            )
            for p, q, sign in ((a, b, -1), (b, a, 1)):
                ground = min(speed + sign * float(flow[owner]), cap)
                wait = sum(60 * (one.up_min if sign < 0 else one.down_min) for at, one in locks if abs(at - a) < 1e-5)
                if ground > 0:
                    self.edges.setdefault(self.node(p), []).append((self.node(q), (b - a) / ground + wait))

    def node(self, position: float) -> float:
        mark = round(position, 5)
        while mark in self.same and self.same[mark] != mark:
            mark = self.same[mark]
        return mark

    def seconds(self, begin: float, end: float) -> float:
        best, heap = {self.node(begin): 0.0}, [(0.0, self.node(begin))]
        while heap:
            now, node = heapq.heappop(heap)
            if node == self.node(end):
                return now
            for other, more in self.edges.get(node, []):
                if now + more < best.get(other, np.inf):
                    best[other] = now + more
                    heapq.heappush(heap, (now + more, other))
        return np.inf


def somewhere(network: river.Network, rng: np.random.Generator, m: int) -> tuple[np.ndarray, np.ndarray]:
    reach = rng.integers(0, network.channels, m)
    km_from, km_to = network.reaches["km_from"].to_numpy(), network.reaches["km_to"].to_numpy()
    return reach, km_from[reach] + rng.random(m) * (km_to - km_from)[reach]


def some_conditions(network: river.Network, rng: np.random.Generator) -> Conditions:
    low, high = np.sort(rng.uniform(1.0, 19.0, 2))
    return Conditions(
        rng.uniform(-1.0, 4.0, len(network.reaches)),
        (Limit("长江", float(low), float(high), float(rng.uniform(2, 9))), Limit("汉江", 1.0, 2.5, 3.0)),
        (Lock("长江", float(rng.uniform(1, 19)), 12.0, 7.0), Lock("汉江", 3.3, 5.0, 9.0)),
    )


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_reverse_search_is_forward_search(seed: int) -> None:
    network = world()
    rng = np.random.default_rng(seed)
    conditions, speed = some_conditions(network, rng), float(rng.uniform(2.0, 12.0))
    reach, km = somewhere(network, rng, 8)
    position = network.water.positions(reach, km)
    place = Place.on(network, int(reach[0]), float(km[0]))
    seconds, _ = Waterway(network, conditions).times(reach, km, place, speed)
    plain = Plain(network, conditions, position.tolist(), speed)
    expected = [plain.seconds(at, position[0]) for at in position.tolist()]
    assert seconds.tolist() == NEAR(expected, rel=1e-6, abs=0.01)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_no_way_is_quicker_for_a_stop_in_between(seed: int) -> None:
    network = world()
    rng = np.random.default_rng(seed)
    way, speed = Waterway(network, some_conditions(network, rng)), float(rng.uniform(2.0, 12.0))
    reach, km = somewhere(network, rng, 6)
    times = np.array(
        [way.times(reach, km, Place.on(network, int(r), float(k)), speed)[0] for r, k in zip(reach, km, strict=True)]
    ).T  # times[a, b] from a to b
    through = (times[:, :, None] + times[None, :, :]).min(axis=1)
    assert (times <= through + 1e-6).all()
    assert np.diag(times).tolist() == NEAR([0.0] * 6)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 20.0))
def test_twice_the_speed_is_half_the_time_in_still_water(seed: int, speed: float) -> None:
    network = world()
    rng = np.random.default_rng(seed)
    reach, km = somewhere(network, rng, 20)
    place = Place.on(network, int(reach[0]), float(km[0]))
    way = waterway(network, Conditions())
    slow, fast = way.times(reach, km, place, speed)[0], way.times(reach, km, place, 2 * speed)[0]
    assert fast == NEAR(slow / 2)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_way_drawn_takes_the_time_told(seed: int) -> None:
    network = world()
    rng = np.random.default_rng(seed)
    way, speed = Waterway(network, some_conditions(network, rng)), float(rng.uniform(4.5, 12.0))
    reach, km = somewhere(network, rng, 2)
    place = Place.on(network, int(reach[1]), float(km[1]))
    seconds, metres = way.times(reach[:1], km[:1], place, speed)
    drawn = way.way(int(reach[0]), float(km[0]), place, speed)
    assert drawn is not None
    assert drawn.seconds == NEAR(float(seconds[0]))
    assert drawn.metres == NEAR(float(metres[0]))
    assert drawn.reach_metres.sum() == NEAR(drawn.metres, abs=0.01)
    assert Geod(ellps="WGS84").line_length(*drawn.line.T) == NEAR(drawn.metres, rel=1e-3, abs=2.0)
    start = Place.on(network, int(reach[0]), float(km[0]))
    assert drawn.line[0] == NEAR(np.array([start.lon, start.lat]), abs=1e-9)
    assert drawn.line[-1] == NEAR(np.array([place.lon, place.lat]), abs=1e-9)
