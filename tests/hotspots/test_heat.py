"""Hot places beyond chance: rules by hand, a moved pocket, and rivers where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import poisson

from geo_monitor.errors import Usage
from geo_monitor.hotspots import gi_series, spells
from geo_monitor.hotspots.heat import heat

N = 60


def chain(n: int = N) -> sp.csr_matrix:
    return sp.csr_matrix(sp.diags([np.ones(n - 1), np.ones(n - 1)], [-1, 1]))


def within(n: int = N) -> sp.csr_matrix:
    """Metres by water up to 2 km between reaches of 500 m in a row."""
    metres = 500.0 * abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return sp.csr_matrix(np.where(metres <= 2000, metres, 0.0))


def test_only_reaches_with_cases_of_their_own() -> None:
    """Of 12 reaches with 10 h each, two have 15 cases: 2.5 are expected a reach. Gi* is high beside them too."""
    z = np.zeros((1, 12))
    z[0, 2:8] = 3.0
    cases = np.zeros((1, 12))
    cases[0, [4, 5]] = 15
    hot = heat(z, cases, np.full((1, 12), 10.0), chain(12))
    assert np.flatnonzero(hot[0]).tolist() == [4, 5]
    # as many as expected is not more: 15 of 180 cases in all
    assert not heat(z, np.full((1, 12), 15), np.full((1, 12), 10.0), chain(12)).any()


def test_a_reach_hot_in_fewer_than_half_the_steps_is_no_part() -> None:
    """Reach 1 is hot in 4 steps, 2 in two of them (half), 3 in one."""
    z, cases = np.zeros((4, 12)), np.zeros((4, 12))
    z[:, 1], z[:2, 2], z[0, 3] = 3.0, 3.0, 3.0
    cases[:, 1], cases[:2, 2], cases[0, 3] = 9, 9, 9
    hot = heat(z, cases, np.full((4, 12), 10.0), chain(12))
    assert np.argwhere(hot).tolist() == [[0, 1], [0, 2], [1, 1], [1, 2], [2, 1], [3, 1]]


def test_what_chance_brings_somewhere_is_no_place() -> None:
    """100 looked cells of 10 h, 100 cases in all: 1 is expected in each. P(Poisson(1) >= 6) = 0.000594, times 100 cells
    0.059: too much. 7 cases: 0.0083."""
    for most, told in ((6, False), (7, True)):
        cases = np.ones((1, 100))
        cases[0, 50] = most
        cases[0, :20] = 0
        cases[0, 80 : 80 + 20 - (most - 1)] += 1  # 100 in all
        assert cases.sum() == 100
        assert (poisson.sf(most - 1, 1.0) * 100 <= 0.05) == told
        z = np.zeros((1, 100))
        z[0, 50] = 2.5
        assert heat(z, cases, np.full((1, 100), 10.0), chain(100)).any() == told


def test_a_step_not_seen_quiet_is_no_end_of_the_heat() -> None:
    """30 looked cells a step. Hot in steps 0 and 2 with 6 cases in 10 h each. In step 1, not hot: 0.6 an hour would give 6
    cases; P(Poisson(6) <= 2) = 0.062: not seen quiet; P(<= 1) = 0.017: quiet."""
    for between, quiet in ((2, False), (1, True)):
        assert (poisson.cdf(between, 6.0) <= 0.05) == quiet
        cases = np.zeros((3, 30))
        cases[:, 10] = [6, between, 6]
        z = np.zeros((3, 30))
        z[[0, 2], 10] = 4.0
        hot = heat(z, cases, np.full((3, 30), 10.0), chain(30))
        assert hot[:, 10].tolist() == [True, not quiet, True]
        assert hot.sum() == hot[:, 10].sum()
    # nobody looked in step 1: nothing was seen, but no look is no heat either
    hours = np.full((3, 30), 10.0)
    hours[1] = 0.0
    assert heat(z, cases * (hours > 0), hours, chain(30))[:, 10].tolist() == [True, False, True]


def test_cases_where_nobody_looked_are_nothing() -> None:
    cases = np.array([[40, 1, 1]])
    assert not heat([[np.nan, 2.5, 0.0]], cases, [[0.5, 10.0, 10.0]], chain(3)).any()


def test_no_steps_no_cases_no_hours() -> None:
    assert heat(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3)), chain(3)).shape == (0, 3)
    assert not heat(np.full((2, 3), np.nan), np.zeros((2, 3)), np.zeros((2, 3)), chain(3)).any()
    assert not heat(np.zeros((2, 3)), np.zeros((2, 3)), np.full((2, 3), 5.0), chain(3)).any()
    with pytest.raises(Usage, match="one size"):
        heat(np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 3)), chain(3))


def test_a_pocket_and_where_it_moved_to_are_two_places() -> None:
    """Reaches 20-25 hot for 8 steps, then 28-33, 1 km above. As Gi* reaches 2 km, its cells hang together as one place
    that is hot to the end, so that the treatment of the pocket is no treatment of it."""
    rng = np.random.default_rng(5)
    hours = np.full((13, N), 6.0)
    rate = np.full((13, N), 0.12)
    rate[:8, 20:26], rate[8:, 20:26], rate[8:, 28:34] = 0.72, 0.03, 0.72
    cases = rng.poisson(rate * hours)
    z = gi_series(cases, hours, within())
    treated = np.zeros((13, N), dtype=int)
    treated[8, 20:26] = 1
    one = spells(z, hours, chain(), treated, step_days=28)
    assert not any({21, 22, 23, 24} & set(place.members) for place in one)
    two = spells(heat(z, cases, hours, chain()), hours, chain(), treated, step_days=28)
    assert len(two) == 1
    assert {21, 22, 23, 24} <= set(two[0].members) <= set(range(19, 27))
    assert (two[0].hot_from, two[0].hot_to, two[0].start) == (0, 7, 9)


def test_an_even_river_has_few_hot_places() -> None:
    """40 rivers of 13 steps and 60 reaches without a difference: at most 5 % should have a place; 7 of 40 or more would
    come with a chance of 0.3 % at 5 %."""
    rng = np.random.default_rng(11)
    worlds = 0
    for _ in range(40):
        hours = rng.gamma(2.0, 4.0, (13, N))
        cases = rng.poisson(0.12 * hours)
        worlds += int(heat(gi_series(cases, hours, within()), cases, hours, chain()).any())
    assert worlds <= 6
