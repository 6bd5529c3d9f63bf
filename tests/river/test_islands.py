"""Islands: which arm is the river, which the side channel, and the km beside. Drawings and numbers by hand.

The main stem runs 20 km eastwards to its mouth. An island lies between x = 8 and 12 km: km 12 to km 8.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.river.drawing import TOLERANCE, bare, build, codes, length_km, line, located, of, whole

STRAIGHT = line((0, 0), (20_000, 0))
BELOW = line((12_000, 0), (20_000, 0))
ABOVE = line((0, 0), (8_000, 0))
SHORT_ARM = line((8_000, 0), (12_000, 0))
# 8 to 12 km by the north: 2.5 + 2.5 km
NORTH_ARM = line((8_000, 0), (10_000, 1_500), (12_000, 0))
FAR_ARM = line((8_000, 0), (10_000, -2_000), (12_000, 0))  # 2 x 2.828 km


def side_lengths(network: object) -> list[float]:
    """Metres of each side channel."""
    reaches = network.reaches  # type: ignore[attr-defined]
    sides = reaches[reaches["side"].notna()]
    return sorted(sides.groupby("side")["length_m"].sum())


def test_the_shorter_arm_is_the_river_the_longer_a_side_channel() -> None:
    network = build(("长江", BELOW), ("长江", ABOVE), ("长江", NORTH_ARM), ("长江", SHORT_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    side = of(network, "长江", side=True)
    assert side["length_m"].sum() == pytest.approx(5_000, rel=TOLERANCE)
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((8.0, 12.0), abs=0.01)
    assert (side["km_to"] - side["km_from"]).sum() == pytest.approx(4.0, rel=TOLERANCE)
    assert side["mouth_km"].isna().all()
    # the top of the bend lies beside km 10, half way along both
    top = located(network, [(10_000, 1_500), (9_000, 750), (10_000, 0)])
    assert top["side"].notna().tolist() == [True, True, False]
    assert top["km"].tolist() == pytest.approx([10.0, 11.0, 10.0], abs=0.01)
    assert top["river"].tolist() == ["长江"] * 3


def test_an_arm_of_another_name_is_the_side_channel_though_shorter() -> None:
    """Past an island an arm of another name counts three times: 4 km of 夹江 are as 12, more than 5 km of 长江."""
    network = build(("长江", BELOW), ("长江", ABOVE), ("长江", NORTH_ARM), ("夹江", SHORT_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(21.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([4_000], rel=TOLERANCE)
    assert "夹江" not in set(network.reaches["river"])
    side = of(network, "长江", side=True)
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((8.0, 13.0), abs=0.02)


def test_an_arm_without_a_name_is_a_side_channel_of_the_river() -> None:
    network = build(("长江", BELOW), ("长江", ABOVE), ("长江", NORTH_ARM), (None, SHORT_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(21.0, rel=TOLERANCE)
    assert set(network.reaches["river"]) == {"长江"}


def test_arms_of_no_told_name_the_shorter_is_the_river() -> None:
    network = build(("长江", BELOW), ("长江", ABOVE), (None, NORTH_ARM), (None, SHORT_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000], rel=TOLERANCE)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_an_arm_cut_in_pieces_is_one_side_channel(turn: int) -> None:
    first, second = line((8_000, 0), (9_200, 900)), line((9_200, 900), (10_000, 1_500), (12_000, 0))
    network = build(
        ("长江", STRAIGHT),
        ("长江", first.reverse() if turn & 1 else first, {"mouth": None}),
        ("长江", second.reverse() if turn & 2 else second, {"mouth": None}),
    )
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000], rel=TOLERANCE)
    side = of(network, "长江", side=True)
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((8.0, 12.0), abs=0.01)


def test_an_arm_with_a_gap_is_closed() -> None:
    """Both halves hang on the river; what is missing between them, 600 m, is closed and the arm is an island again."""
    network = build(
        ("长江", STRAIGHT), ("长江", line((8_000, 0), (9_760, 1_320))), ("长江", line((12_000, 0), (10_240, 1_320)))
    )
    whole(network)
    assert set(network.reaches["river"]) == {"长江"}
    assert side_lengths(network) == pytest.approx([2_200 + 2_200 + 480], rel=TOLERANCE)
    assert codes(network).count("gap_bridged") == 1


@pytest.mark.parametrize("short", [1.0, 40.0, 400.0])
def test_an_arm_that_stops_short_of_the_river_at_both_ends(short: float) -> None:
    dx, dy = short * 0.8, short * 0.6
    arm = line((8_000 + dx, dy), (10_000, 1_500), (12_000 - dx, dy))
    network = build(("长江", STRAIGHT), ("长江", arm))
    whole(network)
    assert set(network.reaches["river"]) == {"长江"}
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    side = of(network, "长江", side=True)
    # each end is joined square to the river, 0.6 short metres away
    assert side["length_m"].sum() == pytest.approx(5_000 - 2 * short + 2 * dy, rel=TOLERANCE)
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((8 + dx / 1e3, 12 - dx / 1e3), abs=0.01)


def test_an_arm_whose_end_lies_on_the_river_between_two_vertices() -> None:
    """It touches, and does not cross: joined there, 600 m below the source."""
    network = build(("长江", bare((7_400, 0), (12_000, 0), (20_000, 0))), ("长江", NORTH_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(12.6, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000], rel=TOLERANCE)


def test_an_arm_that_crosses_the_river_at_both_ends_without_a_vertex_is_no_island() -> None:
    """Its ends lie 60 m beyond the river: lines that cross without a shared vertex are not joined."""
    arm = bare((7_920, -60), (10_000, 1_500), (12_080, -60))
    network = build(("长江", bare((0, 0), (20_000, 0))), ("长江", arm))
    assert network.reaches["side"].isna().all()
    assert "gap_bridged" not in codes(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)


def test_a_tributary_that_joins_the_longer_arm() -> None:
    """It joins the top of the north arm, beside km 10, and reaches the sea down that arm."""
    network = build(("长江", STRAIGHT), ("长江", NORTH_ARM), ("汉江", line((10_000, 8_000), (10_000, 1_500))))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert length_km(network, "汉江") == pytest.approx(6.5, rel=TOLERANCE)
    assert of(network, "汉江")["mouth_km"].unique() == pytest.approx([10.0], abs=0.01)
    side = of(network, "长江", side=True)
    assert side["length_m"].sum() == pytest.approx(5_000, rel=TOLERANCE)
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((8.0, 12.0), abs=0.01)


def test_two_islands_in_a_row_share_a_vertex() -> None:
    """The second island begins where the first ends, at x = 12 km."""
    second = line((12_000, 0), (14_000, 1_500), (16_000, 0))
    network = build(("长江", STRAIGHT), ("长江", NORTH_ARM), ("长江", second))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000, 5_000], rel=TOLERANCE)
    spans = of(network, "长江", side=True).groupby("side").agg({"km_from": "min", "km_to": "max"}).to_numpy()
    assert np.allclose(np.sort(spans, axis=0), [[4, 8], [8, 12]], atol=0.02)


def test_three_arms() -> None:
    network = build(("长江", STRAIGHT), ("长江", NORTH_ARM), ("长江", FAR_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000, 2_000 * 2 * 2**0.5], rel=TOLERANCE)


def test_a_cut_between_two_arms_has_the_km_of_both_ends() -> None:
    """A cross channel from the top of the north arm to the river beside km 10 lies at km 10 along its whole length."""
    network = build(("长江", STRAIGHT), ("长江", NORTH_ARM), ("长江", line((10_000, 1_500), (10_000, 0))))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([1_500, 2_500, 2_500], rel=TOLERANCE)
    cross = located(network, [(10_000, 700)])
    assert cross["km"].iloc[0] == pytest.approx(10.0, abs=0.01)


def test_an_island_drawn_as_a_closed_ring_through_two_vertices() -> None:
    """The ring goes round the island; the river's two ends touch it: one half of the ring is the river."""
    ring = line((8_000, 0), (10_000, 1_500), (12_000, 0), (10_000, -1_500), (8_000, 0))
    network = build(("长江", ABOVE), ("长江", BELOW), ("长江", ring))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(8 + 5 + 8, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000], rel=TOLERANCE)
    side = of(network, "长江", side=True)
    assert (side["km_from"].min(), side["km_to"].max()) == pytest.approx((8.0, 13.0), abs=0.02)


def test_a_closed_ring_that_touches_the_river_at_one_vertex_is_a_side_channel_there() -> None:
    ring = line((10_000, 0), (11_000, 1_000), (10_000, 2_000), (9_000, 1_000), (10_000, 0))
    network = build(("长江", STRAIGHT), ("长江", ring))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(20.0, rel=TOLERANCE)
    side = of(network, "长江", side=True)
    assert side["length_m"].sum() == pytest.approx(4_000 * 2**0.5, rel=TOLERANCE)
    assert np.allclose(side[["km_from", "km_to"]], 10.0, atol=0.01)


def test_a_closed_ring_alone_is_opened_where_its_drawing_starts() -> None:
    ring = line((0, 0), (3_000, 0), (3_000, 3_000), (0, 3_000), (0, 0))
    network = build(("环城河", ring))
    whole(network)
    assert length_km(network, "环城河") == pytest.approx(12.0, rel=TOLERANCE)
    # drawn towards its mouth: km 12 at the start of the drawing, falling as it is drawn
    assert located(network, [(2_000, 0)])["km"].iloc[0] == pytest.approx(10.0, abs=0.02)


def test_a_ring_with_one_river_on_it_is_that_rivers_side_channel() -> None:
    """No end but the source of 小溪: the ring leads nowhere, 小溪 is drawn to it."""
    ring = line((0, 0), (3_000, 0), (3_000, 3_000), (0, 3_000), (0, 0))
    network = build(("环城河", ring), ("小溪", line((8_000, 0), (3_000, 0))))
    whole(network)
    assert length_km(network, "小溪") == pytest.approx(5.0, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([12_000], rel=2 * TOLERANCE)
    assert network.reaches["length_m"].sum() == pytest.approx(17_000, rel=TOLERANCE)


def test_an_island_just_above_the_mouth_keeps_the_way_to_the_sea() -> None:
    """600 m of river below the island are shorter than twice the accuracy, yet no stub: all water leaves there."""
    network = build(("长江", line((0, 0), (12_000, 0))), ("长江", NORTH_ARM), ("长江", bare((12_000, 0), (12_600, 0))))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(12.6, rel=TOLERANCE)
    assert side_lengths(network) == pytest.approx([5_000], rel=TOLERANCE)
    assert "stub_dropped" not in codes(network)


def test_an_island_just_below_the_source_keeps_the_source() -> None:
    network = build(("长江", line((7_400, 0), (8_000, 0), (20_000, 0))), ("长江", NORTH_ARM))
    whole(network)
    assert length_km(network, "长江") == pytest.approx(12.6, rel=TOLERANCE)
    assert "stub_dropped" not in codes(network)


def test_a_stub_on_an_arm_is_dropped() -> None:
    network = build(("长江", STRAIGHT), ("长江", NORTH_ARM), ("长江", bare((10_000, 1_500), (10_000, 2_000))))
    whole(network)
    assert side_lengths(network) == pytest.approx([5_000], rel=TOLERANCE)
    assert codes(network).count("stub_dropped") == 1


def test_links_go_round_the_island_both_ways() -> None:
    """A reach above the island and one below touch the first reaches of both arms."""
    network = build(("长江", STRAIGHT), ("长江", NORTH_ARM))
    found = located(network, [(7_750, 0), (8_250, 0), (8_200, 150), (12_250, 0), (11_750, 0), (11_800, 150)])
    above, main_up, side_up, below, main_down, side_down = found["reach"].tolist()
    matrix = network.adjacency
    for pair in [(above, main_up), (above, side_up), (below, main_down), (below, side_down), (main_up, side_up)]:
        assert matrix[pair] == 1
    assert matrix[above, below] == 0
    assert matrix[main_up, main_down] == 0
