"""The network from raw lines: directions, pieces, gaps, doubles, crossings. Drawings and numbers by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor import river
from geo_monitor.errors import Refused
from tests.river.drawing import TOLERANCE, bare, build, codes, length_km, line, located, of, rows, whole

EASTWARD = line((0, 0), (20_000, 0))  # 20 km, the mouth in the east


def test_one_line_drawn_downstream() -> None:
    network = build(("长江", EASTWARD))
    whole(network)
    own = of(network, "长江")
    assert len(own) == 40
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert own["km_from"].iloc[0] == 0.0
    assert np.allclose(own["km_from"].iloc[1:4], [0.5, 1.0, 1.5])
    assert own["mouth_km"].isna().all()
    assert own["reach_id"].iloc[1] == "长江K0000.500"
    # km 5 lies 15 km east; reaches are drawn downstream, eastwards
    assert located(network, [(15_000, 0)])["km"].iloc[0] == pytest.approx(5.0, abs=0.01)
    assert all(g.coords[0][0] < g.coords[-1][0] for g in own.geometry)


def test_the_same_river_drawn_upstream_with_its_mouth_told() -> None:
    upstream = build(("长江", EASTWARD.reverse(), {"mouth": "start"}))
    downstream = build(("长江", EASTWARD, {"mouth": "end"}))
    a, b = of(upstream, "长江"), of(downstream, "长江")
    assert a["reach_id"].tolist() == b["reach_id"].tolist()
    assert np.allclose(a[["km_from", "km_to", "lon", "lat"]], b[["km_from", "km_to", "lon", "lat"]], atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(1_000, 19_000), min_size=1, max_size=5, unique=True),
    st.lists(st.sampled_from([0, 0, 300, 700, 2000]), min_size=5, max_size=5),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.integers(0, 2**16),
)
def test_pieces_in_any_direction_with_gaps_are_one_stem(
    cuts: list[float], gaps: list[int], turned: list[bool], seed: int
) -> None:
    """Cut at places at least 2.6 km apart, gaps up to 2 km (accuracy 500 m: up to 2.5 km is closed)."""
    places: list[float] = []
    for cut in sorted(cuts):
        if not places or cut - places[-1] >= 2_600:
            places.append(cut)
    edges = [0.0, *places, 20_000.0]
    pieces = []
    for n in range(len(edges) - 1):
        start = edges[n] + (gaps[n - 1] / 2 if n else 0)
        stop = edges[n + 1] - (gaps[n] / 2 if n + 2 < len(edges) else 0)
        if stop - start < 100:
            return
        piece = line((start, 0), (stop, 0))
        pieces.append(("长江", piece.reverse() if turned[n] else piece, {"mouth": None}))
    last = pieces[-1]
    pieces[-1] = (last[0], last[1], {"mouth": "start" if turned[len(edges) - 2] else "end"})
    order = np.random.default_rng(seed).permutation(len(pieces))
    network = build(*[pieces[i] for i in order])
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert len(of(network, "长江")) == 40
    assert codes(network).count("gap_bridged") == sum(g > 0 for g in gaps[: len(places)])
    found = located(network, [(x, 0) for x in range(500, 20_000, 500)])
    assert np.allclose(found["km"], 20 - np.arange(500, 20_000, 500) / 1000, atol=0.02)


def test_a_gap_of_over_five_times_the_accuracy_stays_open() -> None:
    pieces = [line((0, 0), (9_000, 0)), line((11_400, 0), (20_000, 0))]
    closed = build(("长江", pieces[0]), ("长江", pieces[1]))  # 2.4 km < 5 x 500 m
    whole(closed)
    assert length_km(closed, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    fine = build(("长江", pieces[0], {"accuracy_m": 400.0}), ("长江", pieces[1], {"accuracy_m": 400.0}))  # 2.0 km
    assert "gap_bridged" not in codes(fine)
    assert sorted(set(fine.reaches["river"])) == ["长江", "长江 (2)"]  # two waters, two chainages
    assert length_km(fine, "长江") == pytest.approx(9.0, rel=TOLERANCE)
    assert length_km(fine, "长江 (2)") == pytest.approx(8.6, rel=TOLERANCE)


def test_a_tributary_that_stops_short_is_joined_at_the_nearest_place() -> None:
    network = build(("长江", EASTWARD), ("汉江", line((8_130, 9_000), (8_130, 800))))
    whole(network)
    assert length_km(network, "汉江") == pytest.approx(9.0, rel=TOLERANCE)  # 8.2 km drawn and 0.8 km closed
    assert of(network, "汉江")["mouth_km"].unique() == pytest.approx([11.87], abs=0.01)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    # km rises away from the main stem
    assert located(network, [(8_130, 5_000)])["km"].iloc[0] == pytest.approx(5.0, abs=0.01)
    note = next(note for note in network.notes if note["code"] == "gap_bridged")
    assert note["params"]["river"] == "汉江"
    assert note["params"]["gap_m"] == pytest.approx(800, abs=2)


def test_a_tributary_into_a_gap_of_the_main_stem() -> None:
    network = build(
        ("长江", line((0, 0), (9_500, 0))),
        ("长江", line((20_000, 0), (10_500, 0)), {"mouth": "start"}),
        ("汉江", line((10_000, 8_000), (10_000, 300))),
    )
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert length_km(network, "汉江") == pytest.approx(8.0, rel=TOLERANCE)
    assert of(network, "汉江")["mouth_km"].iloc[0] == pytest.approx(10.0, abs=0.02)


def test_lines_that_cross_without_a_shared_vertex_are_neither_joined_nor_an_island() -> None:
    """Two rivers drawn over each other twice: without a vertex in common they stay two networks."""
    over = bare((5_000, 3_000), (7_000, -3_000), (9_000, 3_000))
    network = build(("长江", bare((0, 0), (20_000, 0))), ("运河", over, {"accuracy_m": 100.0}))
    assert network.reaches["side"].isna().all()
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert length_km(network, "运河") == pytest.approx(2 * np.hypot(2, 6), rel=TOLERANCE)
    assert of(network, "运河")["mouth_km"].isna().all()
    links = network.links
    river_of = dict(zip(network.reaches["reach_id"], network.reaches["river"], strict=True))
    assert all(river_of[a] == river_of[b] for a, b in zip(links["reach_a"], links["reach_b"], strict=True))


@pytest.mark.parametrize(("beyond", "joined"), [(300, True), (700, False), (2_000, False)])
def test_a_line_that_ends_beyond_the_river_it_crosses(beyond: float, joined: bool) -> None:
    """Within the accuracy (500 m) its end is drawn on the river as well as can be told; farther, it crosses."""
    network = build(("长江", bare((0, 0), (20_000, 0))), ("汉江", bare((8_130, 9_000), (8_130, -beyond))))
    assert ("gap_bridged" in codes(network)) == joined
    assert of(network, "汉江")["mouth_km"].notna().all() == joined
    assert network.reaches["side"].isna().all()
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    # what is joined is its end, at the nearest place
    assert length_km(network, "汉江") == pytest.approx(9 + (2 if joined else 1) * beyond / 1_000, rel=TOLERANCE)


def test_a_line_that_weaves_across_the_river_is_not_joined_though_its_end_is_near() -> None:
    weave = bare((5_000, 3_000), (7_000, -3_000), (9_000, 3_000), (10_000, -200))
    network = build(("长江", bare((0, 0), (20_000, 0))), ("运河", weave))
    assert "gap_bridged" not in codes(network)
    assert of(network, "运河")["mouth_km"].isna().all()


def test_cut_ends_of_one_river_that_overlap_across_each_other_are_joined() -> None:
    """Two sheets of a survey: the second begins 300 m above the end of the first and crosses it. No stub is left."""
    network = build(("长江", bare((0, 0), (10_000, 0))), ("长江", bare((9_700, 40), (9_900, -40), (20_000, 0))))
    whole(network)
    assert set(network.reaches["river"]) == {"长江"}
    assert network.reaches["side"].isna().all()
    assert length_km(network, "长江") == pytest.approx(20.0, abs=0.2)


def test_duplicate_lines_are_one_line() -> None:
    once = build(("长江", EASTWARD), ("汉江", line((8_000, 9_000), (8_000, 0))))
    twice = build(
        ("长江", EASTWARD),
        ("汉江", line((8_000, 9_000), (8_000, 0))),
        ("长江", EASTWARD.reverse()),
        ("汉江", line((8_000, 9_000), (8_000, 0))),
        ("长江", line((5_000, 0), (9_000, 0))),
    )
    pd.testing.assert_frame_equal(
        pd.DataFrame(once.reaches.drop(columns="geometry")), pd.DataFrame(twice.reaches.drop(columns="geometry"))
    )


def test_nothing_is_made_of_nothing() -> None:
    points = shapely.LineString([(112, 30), (112, 30)])
    with pytest.raises(Refused) as refused:
        river.build(rows(("长江", points), ("长江", None), ("长江", shapely.LineString())))
    assert refused.value.code == "river_empty"


def test_zero_length_lines_and_repeated_vertices_change_nothing() -> None:
    doubled = shapely.LineString([p for p in EASTWARD.coords for _ in range(2)])
    network = build(("长江", doubled), ("长江", shapely.LineString([EASTWARD.coords[7]] * 2)), ("长江", None))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)


@pytest.mark.parametrize(("metres", "expected"), [(120, [0.12]), (600, [0.6]), (640, [0.5, 0.14]), (1_100, [0.5, 0.6])])
def test_a_short_river_of_one_segment(metres: float, expected: list[float]) -> None:
    """A last piece of a quarter reach (125 m) or less joins its neighbour; a river is never without a reach."""
    network = build(("小河", bare((0, 0), (metres, 0))))
    own = of(network, "小河")
    assert np.allclose(own["km_to"] - own["km_from"], expected, atol=1e-3)
    assert located(network, [(metres / 2, 0)])["reach"].iloc[0] >= 0
    assert len(network.links) == len(expected) - 1


def test_three_dimensions_and_multilines() -> None:
    flat = build(("长江", EASTWARD), ("汉江", line((8_000, 9_000), (8_000, 0))))
    high = shapely.force_3d(EASTWARD, 25.0)
    parts = shapely.MultiLineString([line((8_000, 9_000), (8_000, 5_000)), line((8_000, 0), (8_000, 5_000))])
    network = build(("长江", high), ("汉江", parts))
    whole(network)
    assert network.reaches["reach_id"].tolist() == flat.reaches["reach_id"].tolist()
    assert not shapely.has_z(network.reaches.geometry.to_numpy()).any()


def test_two_tributaries_of_one_name_are_two_rivers() -> None:
    network = build(
        ("长江", EASTWARD),
        ("小河", line((5_000, 6_000), (5_000, 0))),
        ("小河", line((12_000, -4_000), (12_000, 0))),
    )
    whole(network)
    # the one that joins lower keeps the bare name
    assert length_km(network, "小河") == pytest.approx(4.0, rel=TOLERANCE)
    assert length_km(network, "小河 (2)") == pytest.approx(6.0, rel=TOLERANCE)
    assert of(network, "小河")["mouth_km"].iloc[0] == pytest.approx(8.0, abs=0.01)
    assert of(network, "小河 (2)")["mouth_km"].iloc[0] == pytest.approx(15.0, abs=0.01)


def test_a_tributary_of_a_tributary() -> None:
    network = build(
        ("长江", EASTWARD), ("汉江", line((8_000, 9_000), (8_000, 0))), ("丹江", line((4_000, 3_000), (8_000, 3_000)))
    )
    whole(network)
    assert length_km(network, "丹江") == pytest.approx(4.0, rel=TOLERANCE)
    assert of(network, "丹江")["mouth_km"].iloc[0] == pytest.approx(3.0, abs=0.01)  # of the 汉江


def test_the_main_stem_has_one_chainage_through_its_names() -> None:
    network = build(
        ("长江", line((12_000, 0), (20_000, 0))),
        ("金沙江", line((5_000, 0), (12_000, 0))),
        ("通天河", line((0, 0), (5_000, 0))),
    )
    whole(network)
    spans = {
        name: (of(network, name)["km_from"].min(), of(network, name)["km_to"].max()) for name in ("长江", "金沙江")
    }
    assert spans["长江"] == pytest.approx((0, 8), abs=0.01)
    assert spans["金沙江"] == pytest.approx((8, 15), abs=0.01)
    assert of(network, "通天河")["km_to"].max() == pytest.approx(20, abs=0.02)
    assert network.reaches["mouth_km"].isna().all()


def test_at_a_fork_the_main_stem_keeps_its_name() -> None:
    """A tributary longer than what is left of the main stem does not take its place."""
    network = build(("长江", EASTWARD), ("汉江", line((8_000, 14_000), (8_000, 0))))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert length_km(network, "汉江") == pytest.approx(14.0, rel=2 * TOLERANCE)


def test_where_the_name_ends_the_main_stem_goes_up_what_is_told_to_be_main() -> None:
    lines = [
        ("长江", line((10_000, 0), (20_000, 0)), {"main_stem": "是"}),
        ("金沙江", line((10_000, 4_000), (10_000, 0)), {"main_stem": "是"}),
        ("岷江", line((0, 0), (10_000, 0)), {"main_stem": None}),
    ]
    told = build(*lines)
    whole(told)
    assert of(told, "金沙江")["km_from"].min() == pytest.approx(10.0, abs=0.01)
    assert of(told, "岷江")["mouth_km"].iloc[0] == pytest.approx(10.0, abs=0.01)
    untold = build(*[(name, shape) for name, shape, _ in lines])  # then the longer one: 岷江, 10 km against 4
    assert of(untold, "岷江")["km_from"].min() == pytest.approx(10.0, abs=0.01)
    assert of(untold, "金沙江")["mouth_km"].iloc[0] == pytest.approx(10.0, abs=0.01)


def test_a_tributary_that_changes_its_name_is_two_rivers_end_to_end() -> None:
    network = build(
        ("长江", EASTWARD), ("汉江", line((8_000, 4_000), (8_000, 0))), ("沔水", line((8_000, 9_000), (8_000, 4_000)))
    )
    whole(network)
    assert length_km(network, "汉江") == pytest.approx(4.0, rel=TOLERANCE)
    assert length_km(network, "沔水") == pytest.approx(5.0, rel=TOLERANCE)
    assert of(network, "沔水")["mouth_km"].iloc[0] == pytest.approx(4.0, abs=0.01)  # of the 汉江


def test_the_lowest_piece_of_a_tributary_drawn_under_the_main_stems_name() -> None:
    network = build(
        ("长江", EASTWARD), ("长江", line((8_000, 1_500), (8_000, 0))), ("汉江", line((8_000, 9_000), (8_000, 1_500)))
    )
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert length_km(network, "汉江") == pytest.approx(9.0, rel=TOLERANCE)  # from the confluence
    assert of(network, "汉江")["mouth_km"].iloc[0] == pytest.approx(12.0, abs=0.01)


def test_a_river_without_a_name() -> None:
    network = build(
        (None, EASTWARD), ("汉江", line((8_000, 9_000), (8_000, 0))), ("", line((3_000, -2_000), (3_000, 0)))
    )
    whole(network)
    names = set(network.reaches["river"])
    assert len(names) == 3
    assert "汉江" in names
    assert all(isinstance(name, str) and name for name in names)
    main = network.reaches.loc[network.reaches["mouth_km"].isna(), "river"].unique()
    assert len(main) == 1
    assert length_km(network, main[0]) == pytest.approx(20.0, rel=TOLERANCE)


def test_several_separate_networks() -> None:
    network = build(
        ("长江", EASTWARD),
        ("汉江", line((8_000, 9_000), (8_000, 0))),
        ("钱塘江", line((0, -60_000), (10_000, -60_000))),
        ("支流", line((4_000, -50_000), (4_000, -60_000))),
    )
    assert length_km(network, "钱塘江") == pytest.approx(10.0, rel=1e-2)  # 60 km south: a degree is 0.6 % longer
    assert of(network, "支流")["mouth_km"].iloc[0] == pytest.approx(6.0, rel=1e-2)
    assert of(network, "钱塘江")["mouth_km"].isna().all()
    assert codes(network).count("mouth_from_drawing") == 2
    a = network.reaches.index[network.reaches["river"] == "钱塘江"][0]
    b = network.reaches.index[network.reaches["river"] == "长江"][0]
    assert np.isinf(network.distance(np.array([a]), np.array([1.0]), np.array([b]), np.array([1.0])))[0]


def test_a_stub_shorter_than_twice_the_accuracy_is_dropped_a_longer_one_kept() -> None:
    def drawn(stub: float) -> river.Network:
        return build(("长江", EASTWARD), ("长江", bare((8_000, 0), (8_000, stub))))

    short, long = drawn(900), drawn(1_100)
    assert codes(short).count("stub_dropped") == 1
    assert set(short.reaches["river"]) == {"长江"}
    assert length_km(short, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    whole(long)
    assert set(long.reaches["river"]) == {"长江", "长江支汊"}
    assert length_km(long, "长江支汊") == pytest.approx(1.1, rel=TOLERANCE)


def test_a_short_tributary_with_a_name_of_its_own_is_no_stub() -> None:
    network = build(("长江", EASTWARD), ("小溪", bare((8_000, 0), (8_000, 600))))
    whole(network)
    assert length_km(network, "小溪") == pytest.approx(0.6, rel=TOLERANCE)


@pytest.mark.parametrize("length", [500.0, 250.0, 1_000.0, 5_000.0])
def test_reach_length(length: float) -> None:
    network = build(("长江", EASTWARD), ("汉江", line((8_130, 9_000), (8_130, 0))), reach_length_m=length)
    whole(network)
    assert len(of(network, "长江")) == round(20_000 / length)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    inner = of(network, "长江").iloc[:-1]
    assert np.allclose(inner["length_m"], length, atol=1e-6)


def test_many_pieces_with_gaps_are_built_in_reasonable_steps() -> None:
    """A survey in 400 sheets, each ending 30 m before the next: every gap is closed, in order or not."""
    pieces = [("长江", bare((x, 0), (x + 970, 0))) for x in range(0, 400_000, 1_000)]
    network = river.build(rows(*pieces), reach_length_m=5_000.0)
    assert codes(network).count("gap_bridged") == 399
    assert len(set(network.reaches["river"])) == 1
    assert len(network.stems) == 1
