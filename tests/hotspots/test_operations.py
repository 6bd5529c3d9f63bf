"""Flow, rings and patrol surges on rivers small enough to draw."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from geo_monitor.errors import Usage
from geo_monitor.hotspots.operations import Operation, around, flow, operations, rings


def river(pairs: list[tuple[int, int]], n: int, metres: float = 1000.0) -> sp.csr_matrix:
    a, b = np.array(pairs).T
    return sp.coo_matrix((np.full(2 * len(a), metres), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()


def within(links: sp.csr_matrix, metres: float = 5000.0) -> sp.csr_matrix:
    away = dijkstra(links, directed=False)
    return sp.csr_matrix(np.where(away <= metres, away, 0.0))


# main stem 0 (mouth) to 9, 1 km each; tributary 10, 11, 12 joins at 3 (below), 13, 14 at 7 (above), 15 at 5 (in the
# treated stretch 5, 6)
STEM = [(i, i + 1) for i in range(9)]
LINKS = river([*STEM, (3, 10), (10, 11), (11, 12), (7, 13), (13, 14), (5, 15)], 16)


def test_water_goes_to_the_mouth() -> None:
    assert flow(LINKS, [0]).tolist() == [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 10, 11, 7, 13, 5]
    assert flow(LINKS, []).tolist() == [-1] * 16


def test_a_part_without_mouth_has_no_flow_and_two_mouths_share_the_water() -> None:
    apart = river([(0, 1), (2, 3)], 4)
    assert flow(apart, [0]).tolist() == [-1, 0, -1, -1]
    assert flow(river([(i, i + 1) for i in range(5)], 6), [0, 5]).tolist() == [-1, 0, 1, 4, 5, -1]


def test_rings_with_tributaries_below_in_and_above() -> None:
    """Treated 5 and 6. Up to 2 km: 4, 3 down; 7, 8, 13 and 15 (joins in the stretch) up. To 5 km: 2, 1, 0 and the
    tributary below (10 at 3 km, 11, 12) down; 9 and 14 (3 km) up."""
    treated = np.isin(np.arange(16), [5, 6])
    codes = rings(treated, within(LINKS), flow(LINKS, [0]))
    told = {code: np.flatnonzero(codes == code).tolist() for code in range(5)}
    assert told == {0: [5, 6], 1: [7, 8, 13, 15], 2: [3, 4], 3: [9, 14], 4: [0, 1, 2, 10, 11, 12]}


def test_between_two_treated_stretches_the_nearer_decides() -> None:
    treated = np.isin(np.arange(16), [2, 8])
    codes = rings(treated, within(river(STEM, 16)), flow(river(STEM, 16), [0]))
    assert codes.tolist()[:10] == [2, 2, 0, 1, 1, 3, 2, 2, 0, 1]  # 5 is 3 km from both: its water comes to 2


def test_nothing_treated_and_everything_treated_have_no_ring() -> None:
    down = flow(LINKS, [0])
    assert not rings(np.zeros(16, bool), within(LINKS), down).any()
    assert not rings(np.ones(16, bool), within(LINKS), down).any()


@runs(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_rings_against_walking_down_from_every_reach(seed: int, n: int) -> None:
    """Any tree, any treated set: upstream is who meets its nearest treated reach first, or as near, on the way down."""
    rng = np.random.default_rng(seed)
    down = np.array([-1, *(int(rng.integers(0, i)) for i in range(1, n))])
    links = river([(i, int(down[i])) for i in range(1, n)], n, 700.0)
    assert flow(links, [0]).tolist() == down.tolist()
    treated = rng.random(n) < 0.2
    away = dijkstra(links, directed=False)
    codes = rings(treated, within(links), down)
    for i in range(n):
        nearest = away[i, treated].min(initial=np.inf)
        if treated[i] or nearest > 5000:
            assert codes[i] == 0
            continue
        j = down[i]
        while j >= 0 and not treated[j]:
            j = down[j]
        up = j >= 0 and away[i, j] <= nearest + 1e-6
        assert codes[i] == (1 if up else 2) + (2 if nearest > 2000 else 0)


def test_a_flow_in_a_circle_is_told() -> None:
    for down in ([1, 0, 0], [3, 0, 1], [0, 1]):
        with pytest.raises(Usage) as caught:
            rings([False, False, True], within(river([(0, 1), (1, 2)], 3)), down)
        assert caught.value.code == "displacement_flow"
    with pytest.raises(Usage):
        rings([False, True], within(LINKS), [-1, 0])


CHAIN = river([(i, i + 1) for i in range(5)], 6)


def surges(hours: list[list[float]]) -> list[tuple[int, int, list[int]]]:
    return [(o.step, o.last, o.members.tolist()) for o in operations(hours, CHAIN)]


def test_a_surge_needs_three_times_the_median_and_six_hours_more() -> None:
    """Medians 2, 4, 1, 2, 2, 2; the last step 8 (6 more: surge), 11.9 (not 3 x 4), 6.9 (5.9 more), 7.9, 60, 8."""
    before = [[2, 4, 1, 2, 2, 2]] * 3
    assert surges([*before, [8, 11.9, 6.9, 7.9, 60, 8]]) == [(3, 3, [0]), (3, 3, [4, 5])]


def test_three_looked_steps_must_come_before() -> None:
    """Steps under 1 h were not looked at: reach 0 has three looked steps, reach 1 two."""
    assert surges([[2, 2, 0, 0, 0, 0], [2, 0.9, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0], [20, 20, 20, 0, 0, 0]]) == [
        (3, 3, [0])
    ]
    assert surges([[2.0] * 6] * 2 + [[20.0] * 6]) == []


def test_a_surge_of_two_steps_that_moves_next_door_is_one_operation() -> None:
    quiet = [2.0] * 6
    hours = [quiet, quiet, quiet, quiet, quiet, [20, 20, 2, 2, 2, 20], [2, 20, 20, 2, 2, 2], quiet, [2, 20, 2, 2, 2, 2]]
    # reach 1 has by step 8 seen 2, 2, 2, 2, 2, 20, 20, 2: its median is still 2
    assert surges(hours) == [(5, 6, [0, 1, 2]), (5, 5, [5]), (8, 8, [1])]


def test_few_steps_no_reach_and_bad_shapes() -> None:
    assert operations(np.zeros((0, 6)), CHAIN) == []
    assert operations(np.zeros((9, 6)), CHAIN) == []
    for hours in (np.zeros(6), np.zeros((3, 5)), np.full((3, 6), np.nan)):
        with pytest.raises(Usage) as caught:
            operations(hours, CHAIN)
        assert caught.value.code == "surge_shape"


def test_before_and_after_at_the_ends_of_the_series() -> None:
    series = np.arange(10)[:, None] * np.array([1, 10])
    before, after = around(series, Operation(1, 7, np.array([0])))
    assert before.tolist() == [0, 0] and after.tolist() == [17, 170]
    before, after = around(series, Operation(5, 5, np.array([0])))
    assert before.tolist() == [9, 90] and after.tolist() == [21, 210]
