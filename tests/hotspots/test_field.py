"""The field of log rates against dense algebra and quadrature."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats
from scipy.special import logsumexp

from geo_monitor.hotspots import propagation
from geo_monitor.hotspots.field import Field, Pockets, fit
from geo_monitor.settings import Settings


def chain(n: int) -> sp.csr_matrix:
    return sp.diags([np.ones(n - 1), np.ones(n - 1)], [-1, 1]).tocsr()


def correlation(links: sp.csr_matrix, log_r: float, smoothness: int = 1) -> np.ndarray:
    """Straight from the definition: (k^2 I + L)^-smoothness, scaled to a diagonal of 1. The model's is 1, with k = 2 / r."""
    touch = links.toarray()
    k2 = 8 * (smoothness - 0.5) * np.exp(-2 * log_r)
    precision = np.linalg.matrix_power(np.diag(touch.sum(axis=1)) - touch + k2 * np.eye(len(touch)), smoothness)
    covariance = np.linalg.inv(precision)
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)


def test_the_structured_part_is_the_scaled_inverse() -> None:
    links = chain(6)
    model = Field.on(links, Settings())
    unit = model.unit(np.log(4.0))
    factor = model.pattern.factor(unit.diagonal, unit.link)
    ours = np.array([factor.solve(column) for column in np.eye(6)])
    assert ours == pytest.approx(correlation(links, np.log(4.0)), abs=1e-4)  # between knots
    assert unit.log_det == pytest.approx(-np.linalg.slogdet(ours)[1], abs=1e-9)
    at_knot = model.unit(1.5)
    ours = np.array([model.pattern.factor(at_knot.diagonal, at_knot.link).solve(column) for column in np.eye(6)])
    assert ours == pytest.approx(correlation(links, 1.5), abs=1e-9)


def test_a_unit_is_the_same_whatever_it_is_made_with() -> None:
    """Several ranges at once, or one alone: to the last bit, also where reaches nobody looked at are left out."""
    looked = np.array([True, True, False, False, True, False, False, False])
    for whole in (Field.on(chain(8), Settings()), Field.on(chain(8), Settings()).over(looked)):
        ranges = np.log([2.0, 5.0, 5.1, 9.0, 30.0, 80.0])
        thetas = np.column_stack([np.zeros(6), np.zeros(6), ranges])
        whole.ready(thetas)
        for log_r in ranges.tolist():
            together = whole.unit(log_r)
            whole._units.clear()
            alone = whole.unit(log_r)
            assert (together.diagonal == alone.diagonal).all()
            assert (together.link == alone.link).all()
            assert together.log_det == alone.log_det
            whole.ready(thetas)


def test_correlation_along_a_straight_river_falls_as_told() -> None:
    """In the middle of a long chain exp(-2 d / r): 0.82 next door at a range of 10, 0.14 at the range."""
    model = Field.on(chain(201), Settings())
    unit = model.unit(np.log(10.0))
    column = model.pattern.factor(unit.diagonal, unit.link).solve(np.eye(201)[100])
    assert column[100] == pytest.approx(1.0)
    assert column[101] == pytest.approx(np.exp(-0.2), abs=0.01)
    assert column[110] == pytest.approx(np.exp(-2.0), abs=0.01)


def test_marginal_likelihood_and_marginals_against_brute_force() -> None:
    """Five reaches; the five log rates and the level integrated by importance sampling from the prior, 2 million draws."""
    k = Settings()
    links, y, h = chain(5), np.array([4.0, 2.0, 0.0, 0.0, 1.0]), np.array([6.0, 6.0, 0.0, 6.0, 3.0])
    theta = np.array([np.log(1.1), 0.7, np.log(5.0)])
    share = 1 / (1 + np.exp(-0.7))
    covariance = 1.1**2 * (share * correlation(links, theta[2]) + (1 - share) * np.eye(5))
    rng = np.random.default_rng(5)
    draws = rng.standard_normal((2_000_000, 5)) @ np.linalg.cholesky(covariance).T
    draws += np.log(k.rate_prior_median) + k.rate_prior_log_sd * rng.standard_normal((2_000_000, 1))
    seen = h > 0
    log = stats.poisson.logpmf(y[seen], h[seen] * np.exp(draws[:, seen])).sum(axis=1)
    exact = logsumexp(log) - np.log(len(log))
    weight = np.exp(log - logsumexp(log))
    model = Field.on(links, k)
    law, _ = model.normal(y, h, theta, np.where(seen, -0.5, 0.0), np.where(seen, 0.5, 0.0))
    assert law.log_density - model.log_prior(theta) == pytest.approx(exact, abs=0.03)
    # the reach nobody looked at: its cavity is its posterior
    assert law.cavity_mean[2] == pytest.approx(weight @ draws[:, 2], abs=0.03)
    assert np.sqrt(law.cavity_variance[2] + law.own[0, 2]) == pytest.approx(
        np.sqrt(weight @ (draws[:, 2] - weight @ draws[:, 2]) ** 2), rel=0.03
    )


def test_pockets_against_brute_force() -> None:
    """As above, with one reach in five a pocket: whether it is one is drawn too. Eight cases in one reach, none beside."""
    k = Settings()
    links, y, h = chain(5), np.array([0.0, 8.0, 0.0, 0.0, 1.0]), np.array([6.0, 6.0, 6.0, 0.0, 3.0])
    theta = np.array([np.log(0.9), np.log(0.2), np.log(5.0)])
    rng = np.random.default_rng(6)
    root = np.linalg.cholesky(0.9**2 * correlation(links, theta[2]))
    shared = rng.standard_normal((2_000_000, 5)) @ root.T
    shared += np.log(k.rate_prior_median) + k.rate_prior_log_sd * rng.standard_normal((2_000_000, 1))
    raised = k.pocket_raise_log + k.pocket_raise_log_sd * rng.standard_normal((2_000_000, 5))
    draws = shared + np.where(rng.random((2_000_000, 5)) < 0.2, raised, 0.0)
    seen = h > 0
    log = stats.poisson.logpmf(y[seen], h[seen] * np.exp(draws[:, seen])).sum(axis=1)
    weight = np.exp(log - logsumexp(log))
    model = Pockets.on(links, k)
    law, _ = model.normal(y, h, theta, np.where(seen, -0.5, 0.0), np.where(seen, 0.5, 0.0))
    assert law.log_density - model.log_prior(theta) == pytest.approx(logsumexp(log) - np.log(len(log)), abs=0.05)
    # the reach nobody looked at: what is shared there, without its own part
    assert law.cavity_mean[3] == pytest.approx(weight @ shared[:, 3], abs=0.06)
    assert np.sqrt(law.cavity_variance[3]) == pytest.approx(
        np.sqrt(weight @ (shared[:, 3] - weight @ shared[:, 3]) ** 2), rel=0.04
    )


@pytest.mark.parametrize(("kind", "second"), [(Field, 0.4), (Pockets, np.log(0.05))])
def test_slopes_are_those_of_the_marginal_likelihood(
    kind: type[Field], second: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stand-ins and cavities held, against differences of the whole."""
    monkeypatch.setattr(propagation, "SETTLED", 1e-8)
    rng = np.random.default_rng(1)
    h = rng.uniform(0.0, 5.0, 25) * (np.arange(25) % 4 > 0)
    y = np.where(h > 0, rng.poisson(1.0, 25), 0).astype(float)
    model, theta = kind.on(chain(25), Settings()), np.array([0.1, second, 1.5])
    law, joint = model.normal(y, h, theta, np.zeros(25), 0.5 * (h > 0))

    def value(at: np.ndarray) -> float:
        return model.normal(y, h, at, law.pull, law.grip)[0].log_density

    central = [(value(theta + step) - value(theta - step)) / 0.02 for step in 0.01 * np.eye(3)]
    assert model.slope(theta, law, joint) == pytest.approx(central, abs=0.01)


def test_slopes_are_right_on_a_long_river(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 reaches, most never looked at: what one reach misses by is added up over all."""
    monkeypatch.setattr(propagation, "SETTLED", 1e-7)
    n = 20_000
    h = np.where(np.arange(n) % 10 == 0, 4.0, 0.0)
    y = np.random.default_rng(2).poisson(0.15 * h).astype(float)
    model, theta = Field.on(chain(n), Settings()), np.array([-0.2, 0.5, 2.5])
    law, joint = model.normal(y, h, theta, np.zeros(n), 0.5 * (h > 0))
    central = [
        (model.normal(y, h, theta + step, law.pull, law.grip)[0].log_density
         - model.normal(y, h, theta - step, law.pull, law.grip)[0].log_density) / 0.02
        for step in 0.01 * np.eye(3)
    ]  # fmt: skip
    assert model.slope(theta, law, joint) == pytest.approx(central, abs=0.1)


def test_branches_nobody_looked_at_are_integrated_out_exactly() -> None:
    """A main stem with a branch at every tenth reach, looked at in the stem alone: the likelihood is that of all reaches,
    and so are the cavities, on the branches too."""
    n, m = 60, 6
    stem = chain(n).tocoo()
    foot = 10 * np.arange(m) + 5
    twig = np.repeat(foot, 8), n + np.arange(8 * m)
    a = np.r_[stem.row, twig[0][::8], twig[1][::8], np.delete(twig[1], np.s_[7::8]), np.delete(twig[1], np.s_[::8])]
    b = np.r_[stem.col, twig[1][::8], twig[0][::8], np.delete(twig[1], np.s_[::8]), np.delete(twig[1], np.s_[7::8])]
    links = sp.csr_matrix((np.ones(len(a)), (a, b)), shape=(n + 8 * m, n + 8 * m))
    h = np.r_[np.full(n, 5.0), np.zeros(8 * m)]
    y = np.random.default_rng(4).poisson(0.2 * h).astype(float)
    whole = Field.on(links, Settings())
    some, theta = whole.over(h > 0), np.array([0.1, 0.5, 1.5])
    assert some.pattern.n < n + 8 * m
    start = np.zeros(n + 8 * m), 0.5 * (h > 0)
    all_of_it, _ = whole.normal(y, h, theta, *start)
    law, _ = some.normal(y[some.kept], h[some.kept], theta, *(part[some.kept] for part in start))
    assert law.log_density == pytest.approx(all_of_it.log_density, abs=1e-8)
    mean, variance = some.everywhere(propagation.Node(0.0, theta, law), whole)
    assert mean == pytest.approx(all_of_it.cavity_mean, abs=1e-8)
    assert variance == pytest.approx(all_of_it.cavity_variance, abs=1e-8)


def test_laplace_takes_the_spread_for_too_small_and_this_does_not() -> None:
    """Reaches alike in nothing, true spread 1.4: over 6 worlds the spread found is right within its sampling error."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng([seed, 1])
        h = np.full(1500, 6.0)
        y = rng.poisson(h * np.exp(np.log(0.15) + 1.4 * rng.standard_normal(1500))).astype(float)
        known = fit(sp.csr_matrix((1500, 1500)), y, h, Settings())
        found.append(known.weight @ known.theta[:, 0])
    assert np.mean(found) == pytest.approx(1.4, abs=0.08)


def test_the_range_is_told_by_the_data() -> None:
    rng = np.random.default_rng(8)
    links, n = chain(1500), 1500
    root = np.linalg.cholesky(correlation(links, np.log(40.0)))
    h = np.full(n, 30.0)
    y = rng.poisson(h * np.exp(-1.5 + root @ rng.standard_normal(n))).astype(float)
    known = fit(links, y, h, Settings())
    assert 20 < known.weight @ known.theta[:, 2] < 80


def test_pockets_are_told_from_a_rough_river_by_the_data() -> None:
    """A smooth river on which every 50th reach is raised ten-fold, and one where every reach differs a little: the first
    is told with pockets and the second without."""
    rng = np.random.default_rng(3)
    links, n = chain(1500), 1500
    root = np.linalg.cholesky(correlation(links, np.log(30.0), 2) + 1e-9 * np.eye(n))
    smooth, h = root @ rng.standard_normal(n), np.full(n, 12.0)
    raised = np.where(np.arange(n) % 50 == 25, np.log(10.0), 0.0)
    found = []
    for own in (raised, 0.6 * rng.standard_normal(n)):
        y = rng.poisson(h * np.exp(-1.5 + 0.8 * smooth + own)).astype(float)
        found.append(fit(links, y, h, Settings()))
    pockets = [float(known.weight @ (known.theta[:, 3] > 0)) for known in found]
    assert pockets == pytest.approx([1.0, 0.0], abs=0.02)
    # of the first: one reach in 50, within what 30 of them can tell; the spread is that of the smooth part alone
    assert 0.01 < found[0].weight @ found[0].theta[:, 3] < 0.04
    assert found[0].weight @ found[0].theta[:, 0] == pytest.approx(0.8 * smooth.std(), abs=0.15)
