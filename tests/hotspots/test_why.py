"""Why here: what a shift would teach against the conjugate law and against plain integration; neighbours by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from geo_monitor.errors import Usage
from geo_monitor.hotspots.field import Fit
from geo_monitor.hotspots.rates import Posterior, posterior
from geo_monitor.hotspots.why import why
from geo_monitor.settings import Settings

SETTINGS = Settings()
SHIFT = SETTINGS.shift_h
NONE = sp.csr_matrix((1, 1))


def known(cases: Sequence[float], hours: list[float], mean: list[float], variance: list[float]) -> Posterior:
    """One hyperparameter node: the log rate of reach i is Normal(mean, variance) before its own data."""
    fit = Fit(np.array([mean]), np.array([variance]), np.ones(1), np.ones((1, 4)))
    return Posterior(fit, np.array(cases, dtype=float), np.array(hours), 0.1, 0.1)


@pytest.mark.parametrize(("cases", "hours"), [(3, 10.0), (9, 30.0), (25, 200.0), (100, 40.0)])
def test_narrowing_is_that_of_the_conjugate_law(cases: int, hours: float) -> None:
    """Where nothing but its own data tells of a log rate, the rate is Gamma(cases, hours). Then y' cases of a shift are
    negative binomial, the rate after it Gamma(cases + y', hours + shift), and the ratio of its quantiles is that of the
    shape alone."""

    def width(shape: float) -> float:
        return float(np.log(stats.gamma.ppf(0.95, shape) / stats.gamma.ppf(0.05, shape)))

    outcome = np.arange(400)
    chance = stats.nbinom.pmf(outcome, cases, hours / (hours + SHIFT))
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    expected = sum(p * (1 - width(float(cases + y)) / width(cases)) for y, p in zip(outcome, chance, strict=True))
    # a law of log rates so wide that it says nothing; outcomes beyond 40 cases matter only for the last
    settings = dataclasses.replace(SETTINGS, why_cases=200)
    row = why(known([cases], [hours], [np.log(0.1)], [1e4]), [0], NONE, settings=settings).iloc[0]
    # quantiles are read off a grid of log rates to within 0.3 %
    assert row.narrowing == pytest.approx(expected, abs=6e-3)
    assert row.rate_lo == pytest.approx(stats.gamma.ppf(0.05, cases, scale=1 / hours), rel=0.01)
    assert row.rate_hi == pytest.approx(stats.gamma.ppf(0.95, cases, scale=1 / hours), rel=0.01)


@pytest.mark.parametrize(
    ("cases", "hours", "mean", "variance"), [(0, 0.0, -2.0, 1.5), (0, 6.0, -2.5, 1.0), (4, 12.0, -1.5, 0.4)]
)
def test_narrowing_by_plain_integration(cases: int, hours: float, mean: float, variance: float) -> None:
    """Every outcome of a shift drawn out: predictive probability, posterior and quantiles by sums over 40,001 log rates."""
    x = np.linspace(mean - 9 * variance**0.5, mean + 9 * variance**0.5, 40_001)

    def law(y: float, h: float) -> np.ndarray:
        density = np.exp(-0.5 * (x - mean) ** 2 / variance + y * x - h * np.exp(x))
        return density / density.sum()

    def width(density: np.ndarray) -> float:
        total = np.cumsum(density)
        low, high = (optimize.brentq(lambda e, p=p: np.interp(e, x, total) - p, x[0], x[-1]) for p in (0.05, 0.95))
        return float(high - low)

    now = law(cases, hours)
    expected, rest = 0.0, 1.0
    for found in range(200):
        p = float((now * stats.poisson.pmf(found, SHIFT * np.exp(x))).sum())
        expected += p * (1 - width(law(cases + found, hours + SHIFT)) / width(now))
        rest -= p
        if rest < 1e-6:
            break
    row = why(known([cases], [hours], [mean], [variance]), [0], NONE).iloc[0]
    assert row.narrowing == pytest.approx(expected, abs=4e-3)


def test_without_its_own_data_a_rate_is_that_of_the_law_before() -> None:
    """The mean of a log-normal law is exp(mean + variance / 2)."""
    table = why(known([7, 0], [20.0, 0.0], [-2.0, -1.0], [0.5, 0.8]), [1, 0], sp.csr_matrix((2, 2)))
    assert table["rate_alone"].tolist() == pytest.approx([np.exp(-0.6), np.exp(-1.75)], rel=1e-3)
    # where nobody looked there is nothing else
    assert table["rate"][0] == pytest.approx(table["rate_alone"][0])
    assert table["rate"][1] > table["rate_alone"][1]
    assert table[["cases", "hours"]].to_numpy().tolist() == [[0, 0], [7, 20]]


def test_neighbours_and_the_reach_looked_at_alike() -> None:
    """Five reaches in a row, 500 m apart, told with all within 1 km. Hours within a factor of 1.5 are alike."""
    cases, hours = [1, 2, 3, 4, 5], [10.0, 16.0, 15.0, 0.0, 6.0]
    at = np.arange(5)
    metres = 500.0 * abs(at[:, None] - at)
    near = sp.csr_matrix(np.where((metres > 0) & (metres <= 1000), metres, 0))
    table = why(known(cases, hours, [-2.0] * 5, [1.0] * 5), at, near)
    # 0: 1 and 2; 1: 0, 2, 3; 2: all; 3: 1, 2, 4; 4: 2, 3
    assert table["near_cases"].tolist() == [5, 8, 12, 10, 7]
    assert table["near_hours"].tolist() == [31.0, 25.0, 32.0, 37.0, 15.0]
    # 0: 16 h are too many, 15 are 1.5 times 10. 1: 15 h, next to it, not 10. 2: 16 h before 10 (farther). 3: nobody
    # looked. 4: neither 15 h (2.5-fold) nor 0 h
    assert table["like"].tolist() == [2, 2, 1, -1, -1]
    assert table["like_m"].fillna(-1).tolist() == [1000, 500, 500, -1, -1]


def test_of_two_reaches_equally_far_the_first_is_told() -> None:
    metres = sp.csr_matrix([[0, 500.0, 0], [500.0, 0, 500.0], [0, 500.0, 0]])
    assert why(known([0] * 3, [5.0] * 3, [0.0] * 3, [1.0] * 3), [1], metres)["like"].tolist() == [0]


@given(st.integers(0, 60), st.floats(0.0, 10_000.0), st.floats(-5.0, 1.0), st.floats(0.01, 4.0))
def test_a_narrowing_is_a_share_and_never_empty(cases: int, hours: float, mean: float, variance: float) -> None:
    row = why(known([cases if hours > 0 else 0], [hours], [mean], [variance]), [0], NONE).iloc[0]
    assert 0 <= row.narrowing <= 1
    assert 0 < row.rate_lo <= row.rate_hi < np.inf
    assert 0 < row.rate < np.inf


def test_the_more_was_looked_the_less_a_shift_teaches() -> None:
    hours = [0.0, 2.0, 8.0, 30.0, 100.0, 1000.0, 10_000.0]
    table = why(known([0] * 7, hours, [-2.5] * 7, [1.0] * 7), range(7), sp.csr_matrix((7, 7)))
    assert (np.diff(table["narrowing"]) < 0).all()
    assert table["narrowing"].iloc[-1] < 0.01
    assert table["narrowing"].iloc[0] > 0.1


def test_a_field_on_water_of_isolated_reaches() -> None:
    """No links at all, one reach with 10,000 h, one without: an answer everywhere."""
    found = posterior([0, 900, 3], [0.0, 10_000.0, 5.0], sp.csr_matrix((3, 3)))
    table = why(found, [0, 1, 2], sp.csr_matrix((3, 3)))
    assert np.isfinite(table.drop(columns="like_m").to_numpy(dtype=float)).all()
    assert table["like_m"].isna().all()


def test_nothing_asked_nothing_told() -> None:
    assert len(why(known([0], [1.0], [0.0], [1.0]), [], NONE)) == 0


@pytest.mark.parametrize(("which", "size"), [([3], 3), ([-1], 3), ([[0]], 3), ([0], 2)])
def test_reaches_that_are_none_are_refused(which: list[int], size: int) -> None:
    with pytest.raises(Usage, match="3 reaches"):
        why(known([0] * 3, [1.0] * 3, [0.0] * 3, [1.0] * 3), which, sp.csr_matrix((size, size)))
