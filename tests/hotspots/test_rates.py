"""Rates along the water: hand-made rivers, degenerate input, simulated truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import logsumexp

from geo_monitor.errors import Usage
from geo_monitor.hotspots import Posterior, posterior, rates
from geo_monitor.hotspots.field import Fit


def chain(n: int) -> sp.csr_matrix:
    return sp.diags([np.ones(n - 1), np.ones(n - 1)], [-1, 1]).tocsr() if n > 1 else sp.csr_matrix((1, 1))


@pytest.mark.parametrize(("looked", "hours", "cases"), [(5, 20.0, 0), (1, 300.0, 0), (1, 2.0, 1), (300, 2.0, 0)])
def test_a_rate_lies_within_its_interval_however_little_is_known(looked: int, hours: float, cases: int) -> None:
    """The mean of a law with a heavy tail need not: a few enormous rates that nothing excludes carry it away."""
    n = 300
    chain = sp.diags([np.ones(n - 1)] * 2, [-1, 1]).tocsr()
    h = np.where(np.arange(n) < looked, hours, 0.0)
    found = rates([cases, *[0] * (n - 1)], h, chain)
    assert (found["rate_lo"] <= found["rate"]).all()
    assert (found["rate"] <= found["rate_hi"]).all()


def test_one_reach_nobody_looked_at_is_a_log_normal_law() -> None:
    """Everything else says normal(-2, 0.8^2) of the log rate: mean exp(-2 + 0.32), quantiles those of the normal law."""
    alone = Fit(np.array([[-2.0]]), np.array([[0.64]]), np.ones(1), np.ones((1, 4)))
    known = Posterior(alone, np.zeros(1), np.zeros(1), 1.0, 1.0)
    assert known.mean[0] == pytest.approx(np.exp(-2 + 0.32), rel=1e-4)
    for p in (0.05, 0.5, 0.95):
        assert np.log(known.quantile(p)[0]) == pytest.approx(stats.norm.ppf(p, -2, 0.8), abs=2e-3)
    assert known.above(0.3)[0] == pytest.approx(stats.norm.sf(np.log(0.3), -2, 0.8), abs=1e-3)
    assert known.below(0.3)[0] + known.above(0.3)[0] == pytest.approx(1.0)


def test_own_data_enter_by_the_exact_likelihood() -> None:
    """Two nodes, 2 cases in 5 h: against a fine sum over log rates."""
    two = Fit(np.array([[-1.0], [-2.0]]), np.array([[1.0], [0.5]]), np.array([0.3, 0.7]), np.ones((2, 4)))
    known = Posterior(two, np.array([2.0]), np.array([5.0]), 1.0, 1.0)
    e = np.linspace(-12, 6, 200_001)
    density = np.zeros_like(e)
    for weight, a, b in ((0.3, -1.0, 1.0), (0.7, -2.0, 0.5)):
        part = stats.norm.pdf(e, a, np.sqrt(b)) * stats.poisson.pmf(2, 5 * np.exp(e))
        density += weight * part / part.sum()
    assert known.mean[0] == pytest.approx(density @ np.exp(e), rel=1e-3)
    assert known.above(0.4)[0] == pytest.approx(density[np.exp(e) > 0.4].sum(), abs=1e-3)
    assert known.quantile(0.05)[0] == pytest.approx(np.exp(e[np.searchsorted(np.cumsum(density), 0.05)]), rel=3e-3)


def test_a_pocket_enters_by_its_chance_in_the_light_of_the_reachs_own_data() -> None:
    """One node: log rate normal(-2, 0.3), with 1 in 20 raised by normal(1.5, 0.5); 4 cases in 5 h, and nobody there."""
    law = Fit(
        np.full((1, 2), -2.0), np.full((1, 2), 0.3), np.ones(1), np.ones((1, 4)),
        own=np.array([[[0.95, 0.0, 0.0], [0.05, 1.5, 0.5]]]),
    )  # fmt: skip
    known = Posterior(law, np.array([4.0, 0.0]), np.array([5.0, 0.0]), 1.0, 1.0)
    e = np.linspace(-12, 8, 200_001)
    prior = 0.95 * stats.norm.pdf(e, -2.0, np.sqrt(0.3)) + 0.05 * stats.norm.pdf(e, -0.5, np.sqrt(0.8))
    for reach, likelihood in enumerate((stats.poisson.pmf(4, 5 * np.exp(e)), np.ones_like(e))):
        density = prior * likelihood / (prior * likelihood).sum()
        assert known.mean[reach] == pytest.approx(density @ np.exp(e), rel=2e-3)
        assert known.above(0.5)[reach] == pytest.approx(density[np.exp(e) > 0.5].sum(), abs=1e-3)
        for p in (0.05, 0.95):
            exact = e[np.searchsorted(np.cumsum(density), p)]
            assert np.log(known.quantile(p)[reach]) == pytest.approx(exact, abs=5e-3)


def test_strength_comes_along_the_water_and_not_across_it() -> None:
    """Two rivers of 30 reaches; cases in the middle of one. A reach without looking beside them is raised, its double on
    the other river is not."""
    links = sp.block_diag([chain(30), chain(30)]).tocsr()
    y, h = np.zeros(60), np.full(60, 6.0)
    y[[12, 13, 14, 16, 17, 18]] = 5
    h[[15, 45]] = 0.0
    answer = rates(y, h, links)
    assert answer.rate[15] > 4 * answer.rate[45]
    assert answer.rate[15] > answer.rate[0]


def test_more_cases_in_the_same_hours_is_never_less() -> None:
    answer = rates([0, 1, 2, 5, 9], [6.0] * 5)
    for column in ("rate", "rate_lo", "rate_hi", "p_hot"):
        assert answer[column].is_monotonic_increasing


def test_nobody_looked_and_cases_there_tell_nothing() -> None:
    y, h = np.array([4, 1, 0, 7]), np.array([10.0, 10.0, 0.0, 0.0])
    answer, without = rates(y, h, chain(4)), rates([4, 1, 0, 0], h, chain(4))
    assert answer.equals(without)
    assert answer.rate_hi[3] > answer.rate_hi[1]


def test_basin_rate_is_that_of_looked_reaches() -> None:
    """2 h is looked, 1.9 h is not: (4 + 2) / (10 + 2)."""
    assert posterior([4, 2, 9], [10.0, 2.0, 1.9]).basin == pytest.approx(0.5)
    assert posterior([4, 2, 9], [10.0, 2.0, 2.0], looked=[True, False, False]).basin == pytest.approx(0.4)
    assert posterior([1, 0], [1.0, 1.0]).basin == pytest.approx(0.5)


DEGENERATE = {
    "no cases": (np.zeros(40), np.full(40, 6.0)),
    "one case": (np.eye(1, 40)[0], np.full(40, 6.0)),
    "one reach": (np.array([3.0]), np.array([5.0])),
    "one reach, nobody looked": (np.zeros(1), np.zeros(1)),
    "no effort": (np.zeros(40), np.zeros(40)),
    "cases without effort": (np.ones(40), np.zeros(40)),
    "10,000 h in a reach": (np.eye(1, 40)[0] * 50, np.r_[10_000.0, np.full(39, 6.0)]),
    "10,000 h and many cases": (np.eye(1, 40)[0] * 30_000, np.r_[10_000.0, np.full(39, 6.0)]),
    "all in one reach": (np.eye(1, 400)[0] * 300, np.full(400, 6.0)),
    "a second looked": (np.array([5.0, 0, 0]), np.array([1 / 3600, 5.0, 5.0])),
}


@pytest.mark.parametrize("joined", ["alone", "chain", "pieces", "ring"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_input_is_answered(name: str, joined: str) -> None:
    y, h = DEGENERATE[name]
    n = len(y)
    links = {"alone": None, "chain": chain(n), "pieces": chain(n), "ring": chain(n).tolil()}[joined]
    if joined == "pieces" and n > 3:  # cut in the middle, the last reach an island of its own
        links = links.tolil()
        for cut in (n // 2, n - 1):
            links[cut - 1, cut] = links[cut, cut - 1] = 0
    if joined == "ring" and n > 2:
        links[0, n - 1] = links[n - 1, 0] = 1
    answer = rates(y, h, None if links is None else sp.csr_matrix(links))
    assert np.isfinite(answer.to_numpy()).all()
    assert (answer.rate_lo <= answer.rate).all()
    assert (answer.rate <= answer.rate_hi).all()
    assert answer.p_hot.between(0, 1).all()
    assert (answer.rr > 0).all()


@runs(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.one_of(st.just(0.0), st.floats(1e-6, 1e5))), min_size=1, max_size=12)
)
def test_whatever_the_numbers_the_answer_is_finite_and_ordered(pairs: list[tuple[int, float]]) -> None:
    answer = rates([y for y, _ in pairs], [h for _, h in pairs], chain(len(pairs)))
    assert np.isfinite(answer.to_numpy()).all()
    assert (answer.rate_lo <= answer.rate_hi).all()
    assert answer.p_hot.between(0, 1).all()


def test_the_order_of_the_reaches_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    n = 60
    y, h = rng.poisson(0.6, n), rng.uniform(0, 10, n)
    shuffle = rng.permutation(n)
    answer = rates(y, h, chain(n))
    other = rates(y[shuffle], h[shuffle], chain(n)[shuffle][:, shuffle])
    assert other.to_numpy() == pytest.approx(answer.to_numpy()[shuffle], rel=5e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("links", "code"),
    [(sp.identity(3), "rates_links"), (sp.csr_matrix(np.array([[0, 1], [0, 0]])), "rates_links_symmetric")],
)
def test_wrong_links_are_named(links: sp.spmatrix, code: str) -> None:
    with pytest.raises(Usage) as caught:
        rates([1, 1], [1.0, 1.0], links)
    assert caught.value.code == code


def worlds(count: int, n: int, spread: float, structured: float, reach: float, mean: float):
    """True rates of a CAR field on a chain (exp(-2 d / r) by an autoregression), hours of about 6, cases."""
    step = np.exp(-2 / reach)
    for seed in range(count):
        rng = np.random.default_rng([seed, 91])
        u = np.empty(n)
        u[0] = rng.standard_normal()
        for i in range(1, n):
            u[i] = step * u[i - 1] + np.sqrt(1 - step**2) * rng.standard_normal()
        log_rate = np.sqrt(structured) * u + np.sqrt(1 - structured) * rng.standard_normal(n)
        true = mean * np.exp(spread * log_rate - spread**2 / 2)
        hours = rng.gamma(3.0, 2.0, n)
        yield true, hours, rng.poisson(true * hours)


@pytest.mark.parametrize(("spread", "structured"), [(0.7, 0.9), (1.2, 0.6)])
def test_intervals_hold_the_truth_they_promise(spread: float, structured: float) -> None:
    held = []
    for true, hours, y in worlds(4, 1000, spread, structured, 10.0, 0.15):
        answer = rates(y, hours, chain(1000))
        held.append(((answer.rate_lo <= true) & (true <= answer.rate_hi)).mean())
    assert 0.87 <= np.mean(held) <= 0.94
    assert min(held) >= 0.84


def test_the_worst_hold_more_than_counts_and_lonely_rates_do() -> None:
    from geo_monitor.hotspots import exchangeable

    ours, lonely, counts = 0.0, 0.0, 0.0
    for true, hours, y in worlds(3, 1240, 1.0, 0.9, 16.0, 0.08):
        answer = rates(y, hours, chain(1240))
        alone = exchangeable.posterior(y, hours)
        ours += true[np.lexsort([-answer.rate, -answer.p_hot])[:50]].sum()
        lonely += true[np.lexsort([-alone.mean, -alone.above(2 * alone.basin)])[:50]].sum()
        counts += true[np.argsort(-y, kind="stable")[:50]].sum()
    assert ours > 1.1 * lonely
    assert ours > 1.1 * counts


def test_an_even_river_has_no_hot_reach() -> None:
    for world in range(3):
        rng = np.random.default_rng([world, 79])
        assert (rates(rng.poisson(0.1 * 6, 1000), np.full(1000, 6.0), chain(1000)).p_hot < 0.8).all()


def slow(known: Posterior, i: int) -> Callable[[float], float]:
    """The distribution function of reach i's log rate, every term of it by itself, on a grid 20 times as fine."""
    fit, y, h = known.fit, known.cases[i], known.hours[i]
    first, step, _, _ = known._grid
    e = first[i] + step[i] * np.linspace(0, 320, 20 * 320 + 1)
    data = stats.poisson.logpmf(y, h * np.exp(e)) if h > 0 else np.zeros(len(e))
    density = np.zeros(len(e))
    for k, weight in enumerate(fit.weight):
        laws = [
            np.log(share)
            + stats.norm.logpdf(e, fit.cavity_mean[k, i] + raised, np.sqrt(fit.cavity_variance[k, i] + spread))
            for share, raised, spread in fit.parts[k]
            if share > 0
        ]
        log = np.logaddexp.reduce(laws, axis=0) + data
        density += weight * np.exp(log - logsumexp(log))
    field = np.cumsum(density) - 0.5 * density
    lonely = known.lonely
    assert lonely is not None
    law = lonely.which[i]

    def below(at: float) -> float:
        alone = stats.gamma.cdf(np.exp(at), lonely.shape[law], scale=lonely.scale[law]) @ lonely.weight
        return float((1 - known.share) * np.interp(at, e, field) + known.share * alone)

    return below


@pytest.mark.parametrize("share", [None, 0.4, 1.0])
@pytest.mark.parametrize("world", [0, 1, 2])
def test_answers_are_those_of_the_plain_slow_form(world: int, share: float | None) -> None:
    """12 reaches of a small random river, some never looked at: quantiles by bisection, sums term by term."""
    rng = np.random.default_rng([world, 12])
    hours = rng.gamma(1.0, 6.0, 12) * (rng.random(12) < 0.7)
    known = posterior(rng.poisson(rng.gamma(0.7, 0.4, 12) * hours), hours, chain(12))
    known = known if share is None else replace(known, share=share)
    basin, low, high = known.basin, known.quantile(0.05), known.quantile(0.95)
    for i in range(12):
        below = slow(known, i)
        assert known.above(2 * basin)[i] == pytest.approx(1 - below(float(np.log(2 * basin))), abs=1e-3)
        for p, found in ((0.05, low[i]), (0.95, high[i])):
            expected = optimize.brentq(lambda at, below=below, p=p: below(at) - p, -60.0, 10.0, xtol=1e-12)
            assert np.log(found) == pytest.approx(expected, abs=5e-3)


def test_prior_and_data_at_odds_are_still_multiplied() -> None:
    """10,000 cases in an hour against a field sure (sd 0.01) of one in 22,000 hours: the likelihood at the field's mean
    is e^-200,000 of its best. The law's top is where (e + 10) / 0.01^2 + exp(e) = 10,000."""
    fit = Fit(np.array([[-10.0]]), np.array([[1e-4]]), np.ones(1), np.zeros((1, 4)))
    known = Posterior(fit, np.array([1e4]), np.array([1.0]), 1.0, 1.0)
    top = optimize.brentq(lambda e: (e + 10) / 1e-4 + np.exp(e) - 1e4, -12.0, 2.0)
    assert np.log(known.quantile(0.5)[0]) == pytest.approx(top, abs=1e-4)
