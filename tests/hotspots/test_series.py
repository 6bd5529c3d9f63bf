"""Gi* step by step: by the formula, by the law it should follow, on worlds with and without a pocket."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.stats import gamma, norm

from geo_monitor.errors import Usage
from geo_monitor.hotspots.emerging import emerging
from geo_monitor.hotspots.exchangeable import posterior
from geo_monitor.hotspots.gistar import gistar
from geo_monitor.hotspots.series import gi_series, step_of


def chain(n: int, reach: int = 4) -> sp.csr_matrix:
    """n reaches of 500 m in a row; neighbours within 2 km are the four on either side."""
    row, column = np.nonzero(np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= reach)
    off = row != column
    return sp.csr_matrix((500.0 * np.abs(row - column)[off], (row[off], column[off])), shape=(n, n))


def test_equal_hours_keep_plain_gi_star() -> None:
    """All reaches alike in hours: on the side without the long tail a multiple of the plain z (all with nine
    neighbours), the model's sd in place of the sample's; on the other, in the same order and nearer 0."""
    n, y = 200, np.random.default_rng(3).poisson(0.5, 200)
    z = gi_series([y], [np.full(n, 6.0)], chain(n))[0][4:-4]
    plain = gistar(posterior(y, np.full(n, 6.0)).mean, np.ones(n, dtype=bool), chain(n), permutations=0)
    plain = plain.gi_z.to_numpy()[4:-4]
    low = plain < -1e-9
    ratio = z[low] / plain[low]
    assert ratio == pytest.approx(ratio[0], rel=1e-9)
    assert 0.7 < ratio[0] < 1.1
    assert (np.diff(z[np.argsort(plain, kind="stable")]) >= -1e-9).all()
    assert (z[~low] <= ratio[0] * plain[~low] + 1e-9).all()
    assert (z[plain > 1.5] < 0.97 * ratio[0] * plain[plain > 1.5]).all()


def test_by_the_formula() -> None:
    """Everything once more with dense matrices, from the model's own nodes."""
    rng = np.random.default_rng(5)
    n, near = 40, chain(40).toarray() > 0
    h = np.exp(rng.uniform(0, 3, n))
    y = rng.poisson(0.1 * h)
    z = gi_series([y], [h], chain(n))[0]
    known = posterior(y, h, looked=h >= 1)
    scale, weight = known.scale[known.which], known.weight
    c2 = np.exp(weight @ -np.log(known.shape[known.which][7] - y[7]))  # shape is 1 / c^2 + y at the nodes
    b = scale @ weight
    mean = y.sum() / h.sum() * h
    d = known.mean - (known.shape[known.which] - y[:, None] + mean[:, None]) * scale @ weight
    # moments of a negative binomial from its textbook form: size 1/c^2, p = size / (size + mean)
    p = (1 / c2) / (1 / c2 + mean)
    v = (1 / c2) * (1 - p) / p**2
    third = (1 / c2) * (1 - p) * (2 - p) / p**3
    for i in range(n):
        inside = near[i] | (np.arange(n) == i)
        c = np.where(inside, b, 0.0) - b[inside] @ h[inside] / h.sum()  # sum_near d = c @ y
        x = d[inside].sum() / np.sqrt(c**2 @ v)
        assert x == pytest.approx(c @ y / np.sqrt(c**2 @ v), abs=1e-9)
        g = min(c**3 @ third / (c**2 @ v) ** 1.5, 1.0)
        assert g > 0
        expected = x if x < 0 else min(x, 6 / g * (np.cbrt(1 + g * x / 2) - 1) + g / 6)
        assert z[i] == pytest.approx(expected, abs=1e-9)


def test_cube_root_is_that_of_a_gamma_law() -> None:
    """Wilson & Hilferty: a gamma law of skewness g, standardised, becomes standard normal to 0.04 where it is used."""
    for g in (0.3, 0.6, 1.0):
        for p in (0.01, 0.025, 0.5, 0.975, 0.99):
            x = gamma(4 / g**2).ppf(p)
            d = (x - 4 / g**2) * g / 2
            assert 6 / g * (np.cbrt(1 + g * d / 2) - 1) + g / 6 == pytest.approx(norm.ppf(p), abs=0.04)


def test_steps_know_nothing_of_each_other() -> None:
    rng = np.random.default_rng(1)
    h = np.exp(rng.uniform(-1, 3, (3, 60)))
    y = rng.poisson(0.2 * h)
    z = gi_series(y, h, chain(60))
    for step in range(3):
        alone = gi_series(y[step : step + 1], h[step : step + 1], chain(60))
        np.testing.assert_array_equal(z[step], alone[0])
    assert z.tobytes() == gi_series(y, h, chain(60)).tobytes()


def test_not_looked_at_is_nan_and_nobodys_neighbour() -> None:
    """From 1 h; what lies under it, cases and all, changes nothing."""
    rng = np.random.default_rng(2)
    h = np.full(50, 5.0)
    h[[3, 20, 21]] = 0.999
    h[30] = 1.0
    y = rng.poisson(0.3 * h)
    z = gi_series([y], [h], chain(50))[0]
    assert np.flatnonzero(np.isnan(z)).tolist() == [3, 20, 21]
    wild, none = y.copy(), h.copy()
    wild[[3, 20, 21]] = 99
    none[[3, 20, 21]] = 0
    np.testing.assert_array_equal(gi_series([wild], [none], chain(50))[0], z)
    keep = ~np.isnan(z)
    np.testing.assert_allclose(gi_series([y[keep]], [h[keep]], chain(50)[keep][:, keep])[0], z[keep], rtol=1e-12)


@runs(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([0.0, 0.01, 1.0]), st.booleans())
def test_degenerate_steps_have_finite_scores(seed: int, n: int, rate: float, wild: bool) -> None:
    rng = np.random.default_rng(seed)
    h = rng.choice([0.0, 0.5, 1.0, 6.0, 10_000.0], size=(4, n))
    y = rng.poisson(rate, (4, n))
    if wild:
        y[0, 0], h[0, 0] = 5_000, 2.0
    links = sp.random(n, n, 0.3, random_state=rng, format="csr")
    z = gi_series(y, h, links + links.T)
    looked = h >= 1
    several = looked.sum(axis=1) > 1
    assert np.isfinite(z[looked & several[:, None]]).all()
    assert np.isnan(z[~looked]).all() and np.isnan(z[~several]).all()


def test_no_case_anywhere_says_nothing() -> None:
    """Nothing found in 1 h or in 50 h: the rates drawn to the mean differ, the river does not. Plain Gi* says cold."""
    h = np.exp(np.linspace(0, np.log(50), 300))
    z = gi_series([np.zeros(300)], [h], chain(300))[0]
    assert (z == 0).all()
    plain = gistar(posterior(np.zeros(300), h).mean, np.ones(300, dtype=bool), chain(300), permutations=0)
    assert plain.gi_z.min() < -1.96
    assert gi_series([[0, 4, 1]], [[2.0, 5.0, 9.0]], chain(3))[0].tolist() == [0.0, 0.0, 0.0]  # all are neighbours


def test_nothing_found_where_few_or_more_were_expected() -> None:
    """Nine reaches without a case: 3.15 expected of 3.5 h, chance 4.3 %: not cold; 4.14 of 4.6 h, 1.6 %: cold."""
    n = 2000
    y = np.random.default_rng(8).multinomial(n, np.full(n, 1 / n))  # a case a reach on average, no true differences
    y[1000:1009] = 0
    for hours, cold in ((3.5, False), (4.6, True)):
        h = np.full(n, 10.0)
        h[1000:1009] = hours
        z = gi_series([y], [h], chain(n))[0][1004]
        assert (z <= -1.96) == cold


def test_one_case_makes_nothing_cold() -> None:
    """Where one case in all was found, no stretch could be expected to have more than one: z >= -1."""
    h = np.where(np.arange(100) < 10, 500.0, 2.0)
    y = np.zeros(100)
    y[60] = 1
    z = gi_series([y], [h], chain(100))[0]
    assert z.min() > -1.96
    assert z[60] > 1.96  # in 18 of 5,180 hours


def test_one_reach_far_above_the_rest_is_hot() -> None:
    y = np.zeros(100)
    y[50] = 300
    z = gi_series([y], [np.full(100, 6.0)], chain(100))[0]
    assert (z[46:55] >= 1.96).all()
    assert (np.delete(z, range(46, 55)) < 0.2).all()


def smooth_hours(rng: np.random.Generator, n: int) -> np.ndarray:
    """1 to 50 hours, the same stretches looked at much and little, as habit has it."""
    wave = np.convolve(rng.normal(size=n + 60), np.exp(-0.5 * (np.arange(-30, 31) / 10) ** 2), "valid")[:n]
    return 50 ** norm.cdf((wave - wave.mean()) / wave.std())


def test_null_worlds_stay_silent_whatever_the_hours() -> None:
    """One rate everywhere: at most about 2.5 % of scores on either side, in the stretches looked at most as in all."""
    hot, cold, busy, named = [], [], [], []
    for seed in range(4):
        rng = np.random.default_rng([21, seed])
        h = smooth_hours(rng, 600) * np.ones((13, 1))
        y = rng.poisson(0.06 * h)
        z = gi_series(y, h, chain(600))
        most = h[0] >= np.quantile(h[0], 0.67)
        hot.append((z >= 1.96).mean())
        cold.append((z <= -1.96).mean())
        busy.append((np.abs(z[:, most]) >= 1.96).mean())
        named.append((emerging(z) != "none").mean())
    assert np.mean(hot) < 0.03
    assert np.mean(cold) < 0.03
    assert np.mean(busy) < 0.06  # plain Gi*: 0.15
    assert np.mean(named) < 0.06


def test_a_pocket_of_the_last_step_is_named_new() -> None:
    """Five reaches at eight times the rate in the last 28 days, 6 h a step everywhere."""
    some, hot_now = [], []
    for seed in range(8):
        rng = np.random.default_rng([22, seed])
        h = np.full((13, 600), 6.0)
        rate = np.full((13, 600), 0.06)
        rate[-1, 300:305] *= 8
        z = gi_series(rng.poisson(rate * h), h, chain(600))
        some.append((emerging(z)[300:305] == "hot_new").any())
        hot_now.append((z[-1, 300:305] >= 1.96).mean())
    assert np.mean(some) >= 0.75
    assert np.mean(hot_now) >= 0.85


def test_refusals() -> None:
    with pytest.raises(Usage, match=r"\(3,\)"):
        gi_series([1, 2, 3], [1.0, 2.0, 3.0], chain(3))
    with pytest.raises(Usage, match=r"\(1, 3\)"):
        gi_series([[1, 2, 3]], [[1.0, 2.0, 3.0]], chain(4))
    with pytest.raises(Usage, match="position 1"):
        gi_series([[1, 2, 3]], [[1.0, np.nan, 3.0]], chain(3))
    with pytest.raises(Usage, match=r"position 0.*-1"):
        gi_series([[-1, 2, 3]], [[1.0, 2.0, 3.0]], chain(3))


def test_step_of_by_hand() -> None:
    """60 days, 0 to 59, in steps of 28: days 4-31 and 32-59; days 0-3 are left over."""
    days = [0, 3, 4, 31, 32, 59, 60, -1]
    assert step_of(days, 59, 28, first_day=0).tolist() == [-1, -1, 0, 0, 1, 1, -1, -1]
    assert step_of([[20600]], 20600, 1, first_day=20600).tolist() == [[0]]
    assert step_of([0, 26], 26, 28, first_day=0).tolist() == [-1, -1]  # no full step
    assert step_of([0, 27], 27, 28, first_day=0).tolist() == [0, 0]
    with pytest.raises(Usage, match="1 or more"):
        step_of([0], 5, 0, first_day=0)
    with pytest.raises(Usage):
        step_of([0], 5, 2, first_day=6)


@runs(deadline=None, max_examples=60)
@given(st.integers(-50, 50), st.integers(0, 400), st.integers(1, 40))
def test_steps_are_full_and_end_with_the_period(first: int, length: int, size: int) -> None:
    days = np.arange(first - 5, first + length + 6)
    step = step_of(days, first + length, size, first_day=first)
    used = step >= 0
    count = np.bincount(step[used])
    assert len(count) == (length + 1) // size and (count == size).all()
    assert (np.diff(step[used]) >= 0).all()
    if used.any():
        assert days[used][-1] == first + length
