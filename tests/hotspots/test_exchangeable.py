"""Rates against closed forms, hand-worked numbers, degenerate input and simulated truth."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy import stats

from geo_monitor.errors import Usage
from geo_monitor.hotspots.exchangeable import Posterior, log_marginal, posterior
from geo_monitor.hotspots.rates import told
from geo_monitor.settings import Settings


def rates(y: Any, h: Any, settings: Settings | None = None, **also: Any) -> pd.DataFrame:
    return told(posterior(y, h, settings=settings, **also), 2.0, 0.9)


def known(shape: float, scale: float) -> Posterior:
    one = np.array([[shape]]), np.array([[scale]])
    return Posterior(*one, np.ones(1), np.zeros(1, dtype=np.int64), 1.0, 1.0, np.ones((2, 1)), 0.0)


def test_one_gamma_is_scipys_gamma() -> None:
    """Prior Gamma(2, rate 4), 3 cases in 6 h: Gamma(5, rate 10), mean 0.5."""
    found = known(5.0, 0.1)
    law = stats.gamma(5, scale=0.1)
    assert found.mean[0] == pytest.approx(0.5)
    assert found.above(0.8)[0] == pytest.approx(law.sf(0.8), abs=1e-9)
    assert found.below(0.2)[0] == pytest.approx(law.cdf(0.2), abs=1e-9)
    for p in (0.05, 0.5, 0.95):
        assert found.quantile(p)[0] == pytest.approx(law.ppf(p), rel=1e-8)


def test_quantile_of_a_mixture_undoes_its_distribution() -> None:
    shape, scale, weight = np.array([[0.5, 3.0, 40.0]]), np.array([[0.4, 0.2, 0.05]]), np.array([0.2, 0.5, 0.3])
    found = Posterior(shape, scale, weight, np.zeros(1, dtype=np.int64), 1.0, 1.0, np.ones((2, 3)), 0.0)
    for p in (0.01, 0.05, 0.3, 0.7, 0.95):
        at = found.quantile(p)[0]
        assert stats.gamma.cdf(at, shape[0], scale=scale[0]) @ weight == pytest.approx(p, abs=1e-9)


def test_marginal_is_scipys_negative_binomial() -> None:
    """m = 0.3, c = 0.8, 5 h: size 1/0.64 and success probability size / (size + 1.5)."""
    size = 1 / 0.64
    for y in (0, 1, 7):
        ours = log_marginal(np.array(float(y)), np.array(5.0), np.array(0.3), np.array(0.8))
        assert float(ours) == pytest.approx(stats.nbinom.logpmf(y, size, size / (size + 1.5)), rel=1e-10)


def test_all_but_fixed_hyperparameters_give_the_closed_form() -> None:
    """Prior squeezed to m = 0.5, c = 1: reach with 3 cases in 4 h is Gamma(1 + 3, rate 2 + 4), mean 4/6."""
    tight = dataclasses.replace(
        Settings(), rate_prior_median=0.5, rate_prior_log_sd=1e-3, spread_prior_mean=1.0, spread_prior_shape=1e6
    )
    answer = rates([3, 0], [4.0, 4.0], settings=tight)
    law = stats.gamma(4, scale=1 / 6)
    assert answer.rate[0] == pytest.approx(4 / 6, rel=2e-3)
    assert answer.rate_lo[0] == pytest.approx(law.ppf(0.05), rel=5e-3)
    assert answer.rate_hi[0] == pytest.approx(law.ppf(0.95), rel=5e-3)
    # basin: 3 cases in 8 h = 0.375 an hour; hot beyond 0.75
    assert answer.rr[0] == pytest.approx(4 / 6 / 0.375, rel=2e-3)
    assert answer.p_hot[0] == pytest.approx(law.sf(0.75), rel=5e-3)


def test_hyperparameters_integrated_as_by_brute_force() -> None:
    """Posterior mean against a fine independent quadrature over (log m, log c)."""
    y, h = np.array([0.0, 2.0, 1.0, 9.0, 0.0]), np.array([3.0, 5.0, 2.0, 6.0, 12.0])
    log_m, log_c = np.meshgrid(
        np.linspace(np.log(0.1) - 9, np.log(0.1) + 9, 500), np.linspace(np.log(0.05), np.log(4), 400)
    )
    m, c = np.exp(log_m), np.exp(log_c)
    log = stats.norm.logpdf(log_m, np.log(0.1), 2.0) + stats.gamma.logpdf(c, 3.0, scale=0.5) + log_c
    for one, time in zip(y, h, strict=True):
        log += stats.nbinom.logpmf(one, 1 / c**2, 1 / (1 + c**2 * m * time))
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = [(weight * (1 / c**2 + one) / (1 / (c**2 * m) + time)).sum() for one, time in zip(y, h, strict=True)]
    assert rates(y, h).rate.to_numpy() == pytest.approx(mean, rel=0.03)


def test_nobody_looked_gives_the_prior_and_cases_there_tell_nothing() -> None:
    y, h = np.array([4, 1, 0, 7]), np.array([10.0, 10.0, 0.0, 0.0])
    answer, without = rates(y, h), rates([4, 1, 0, 0], h)
    assert answer.equals(without)
    assert answer.iloc[2].tolist() == answer.iloc[3].tolist()
    assert answer.rate_hi[2] > answer.rate_hi[1]


def test_basin_rate_is_that_of_looked_reaches() -> None:
    """2 h is looked, 1.9 h is not: (4 + 2) / (10 + 2)."""
    assert posterior([4, 2, 9], [10.0, 2.0, 1.9]).basin == pytest.approx(0.5)
    assert posterior([4, 2, 9], [10.0, 2.0, 2.0], looked=[True, False, False]).basin == pytest.approx(0.4)
    # nobody reached 2 h: all hours there are
    assert posterior([1, 0], [1.0, 1.0]).basin == pytest.approx(0.5)


DEGENERATE = {
    "no cases": (np.zeros(40), np.full(40, 6.0)),
    "one case": (np.eye(1, 40)[0], np.full(40, 6.0)),
    "one reach": (np.array([3.0]), np.array([5.0])),
    "one reach, nobody looked": (np.zeros(1), np.zeros(1)),
    "no effort": (np.zeros(40), np.zeros(40)),
    "cases without effort": (np.ones(40), np.zeros(40)),
    "10,000 h in a reach": (np.eye(1, 40)[0] * 50, np.r_[10_000.0, np.full(39, 6.0)]),
    "all in one reach": (np.eye(1, 400)[0] * 300, np.full(400, 6.0)),
    "a second looked": (np.array([5.0, 0, 0]), np.array([1 / 3600, 5.0, 5.0])),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_input_is_answered(name: str) -> None:
    answer = rates(*DEGENERATE[name])
    assert np.isfinite(answer.to_numpy()).all()
    assert (answer.rate_lo <= answer.rate).all()
    assert (answer.rate <= answer.rate_hi).all()
    assert answer.p_hot.between(0, 1).all()


@runs(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.one_of(st.just(0.0), st.floats(1e-6, 1e5))), min_size=1, max_size=30)
)
def test_whatever_the_numbers_the_answer_is_finite_and_ordered(pairs: list[tuple[int, float]]) -> None:
    answer = rates([y for y, _ in pairs], [h for _, h in pairs])
    assert np.isfinite(answer.to_numpy()).all()
    assert (answer.rate_lo <= answer.rate_hi).all()
    assert answer.p_hot.between(0, 1).all()
    assert (answer.rr > 0).all()


def test_more_cases_in_the_same_hours_is_never_less() -> None:
    answer = rates([0, 1, 2, 5, 9], [6.0] * 5)
    for column in ("rate", "rate_lo", "rate_hi", "p_hot"):
        assert answer[column].is_monotonic_increasing


@pytest.mark.parametrize(
    ("cases", "hours", "code"),
    [
        ([1, 2], [1.0], "rates_shape"),
        ([], [], "rates_shape"),
        ([0.5], [1.0], "rates_cases"),
        ([-1], [1.0], "rates_cases"),
        ([np.nan], [1.0], "rates_cases"),
        ([1], [np.inf], "rates_hours"),
        ([1], [-1.0], "rates_hours"),
    ],
)
def test_wrong_input_is_named(cases: list, hours: list, code: str) -> None:
    with pytest.raises(Usage) as caught:
        rates(cases, hours)
    assert caught.value.code == code
    assert str(caught.value)


@pytest.mark.parametrize("spread", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("mean", [0.05, 0.3])
def test_intervals_hold_the_truth_they_promise(spread: float, mean: float) -> None:
    """90 % intervals over 6 log-normal worlds (not the gamma law the model assumes): 0.86-0.97 of true rates inside."""
    held = []
    for world in range(6):
        rng = np.random.default_rng([world, 77])
        true = mean * np.exp(spread * rng.standard_normal(800) - spread**2 / 2)
        hours = 6 * np.exp(0.7 * rng.standard_normal(800))
        answer = rates(rng.poisson(true * hours), hours)
        held.append(((answer.rate_lo <= true) & (true <= answer.rate_hi)).mean())
    assert 0.86 <= np.mean(held) <= 0.97
    assert min(held) > 0.80


def test_p_hot_means_what_it_says() -> None:
    """Over worlds drawn from the model itself, reaches given p_hot 0.6-0.9 are hot about that often."""
    told, truth = [], []
    for world in range(8):
        rng = np.random.default_rng([world, 78])
        true = rng.gamma(1.0, 0.2, 800)
        hours = rng.uniform(2, 20, 800)
        y = rng.poisson(true * hours)
        answer = rates(y, hours)
        pick = answer.p_hot.between(0.6, 0.9).to_numpy()
        told.append(answer.p_hot[pick])
        truth.append(true[pick] > 2 * y.sum() / hours.sum())
    assert np.concatenate(truth).mean() == pytest.approx(np.concatenate(told).mean(), abs=0.06)


def test_an_even_river_has_no_hot_reach() -> None:
    for world in range(5):
        rng = np.random.default_rng([world, 79])
        assert (rates(rng.poisson(0.1 * 6, 1000), np.full(1000, 6.0)).p_hot < 0.8).all()
