"""Tables and quantiles of gamma mixtures against scipy, asked one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy import optimize, stats

from geo_monitor.hotspots.gamma import FAR, Laws, Told, quantiles, under

POSITIVE = st.floats(0.01, 400.0)


@pytest.mark.parametrize("shape", [0.004, 0.3, 1.0, 2.5, 40.0, 1_000.0, 10_000.0])
def test_a_table_is_scipys_gamma_everywhere(shape: float) -> None:
    """Both tails, and what lies beyond the table's first and last cell."""
    law = stats.gamma(shape)
    at = np.r_[np.linspace(-60, 12, 1500), np.log(shape) + np.linspace(-8, 8, 1500) / np.sqrt(shape)]
    laws = Laws.of(np.array([[shape]]), np.ones((1, 1)), np.ones(1))
    told = under(laws, np.zeros(len(at), dtype=np.int64), at)
    assert np.abs(told - law.cdf(np.exp(at))).max() < 1e-9


@runs(deadline=None, max_examples=40)
@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.floats(0.01, 30.0), POSITIVE, POSITIVE), min_size=1, max_size=5),
    st.sampled_from([0.05, 0.5, 0.95]),
    st.floats(-20.0, 20.0),
)
@example(cases=0, nodes=[(1.0, 0.015625, 1.0), (4.0, 24.0, 1.0)], p=0.5, start=1.0)  # all but flat where it is sought
def test_quantiles_are_those_found_by_bisection(
    cases: int, nodes: list[tuple[float, float, float]], p: float, start: float
) -> None:
    shape, scale, weight = np.array(nodes).T
    weight = weight / weight.sum()
    laws = Laws.of(cases + shape[None, :], scale[None, :], weight)
    found = quantiles(laws, np.zeros(1, dtype=np.int64), p, np.array([start]))[0]

    def over(at: float) -> float:
        return float(stats.gamma.cdf(np.exp(at), cases + shape, scale=scale) @ weight) - p

    assert over(found) == pytest.approx(0.0, abs=2e-9)
    # between two laws far apart it may be so flat that tables good to 1e-9 do not tell where
    steep = max((over(found + 1e-3) - over(found - 1e-3)) / 2e-3, 1e-10)
    assert found == pytest.approx(optimize.brentq(over, -FAR, 12.0, xtol=1e-12), abs=1e-6 + 4e-9 / steep)


def test_quantile_of_a_share_of_two_laws() -> None:
    """Exponential of mean 1 for 0.3 of it; for 0.7 a log rate uniform on [0, 1], told in three steps. In between,
    0.3 (1 - exp(-e^t)) + 0.7 t = p."""
    laws = Laws.of(np.ones((1, 1)), np.ones((1, 1)), np.ones(1))
    told = Told(np.zeros(1), np.full(1, 0.5), np.array([[0.0, 0.5, 1.0]]))
    for p in (0.25, 0.5, 0.9):
        expected = optimize.brentq(lambda t, p=p: 0.3 * -np.expm1(-np.exp(t)) + 0.7 * t - p, 0.0, 1.0, xtol=1e-13)
        found = quantiles(laws, np.zeros(1, dtype=np.int64), p, np.full(1, 0.4), 0.3, told)
        assert found[0] == pytest.approx(expected, abs=1e-8)
    # under log rate 0 only the exponential has anything: 0.3 (1 - exp(-e^t)) = 0.1
    found = quantiles(laws, np.zeros(1, dtype=np.int64), 0.1, np.full(1, 0.4), 0.3, told)
    assert found[0] == pytest.approx(np.log(-np.log(2 / 3)), abs=1e-8)


def test_laws_alike_in_all_get_the_same_answer_to_the_last_bit() -> None:
    rng = np.random.default_rng(5)
    shape, scale = np.tile([0.3, 2.0], (500, 1)), np.tile([1.0, 0.2], (500, 1))
    laws = Laws.of(shape, scale, np.array([0.4, 0.6]))
    start = np.full(500, float(rng.normal()))
    assert len(np.unique(quantiles(laws, np.arange(500), 0.3, start))) == 1


def test_a_rate_beyond_all_reckoning_ends_the_search() -> None:
    """Shape 1e-4: half of the law lies under 2^-10,000, which no float holds."""
    laws = Laws.of(np.array([[1e-4]]), np.ones((1, 1)), np.ones(1))
    assert quantiles(laws, np.zeros(1, dtype=np.int64), 0.5, np.zeros(1))[0] == -FAR
