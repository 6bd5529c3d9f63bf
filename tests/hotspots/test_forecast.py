"""The forecast against dense algebra and brute force, on hand-made rivers and degenerate input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats
from scipy.special import logsumexp

from geo_monitor.errors import Usage
from geo_monitor.hotspots import propagation
from geo_monitor.hotspots.forecast import Drift, _middles, active, forecast, predict
from geo_monitor.settings import Settings

K = Settings()


def chain(n: int) -> sp.csr_matrix:
    return sp.diags([np.ones(n - 1), np.ones(n - 1)], [-1, 1]).tocsr() if n > 1 else sp.csr_matrix((1, 1))


def covariances(links: sp.csr_matrix, days: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Straight from the definition: of u (steps x reaches) and of v."""
    touch = links.toarray()
    k2 = 4 * np.exp(-2 * theta[2])
    covariance = np.linalg.inv(np.diag(touch.sum(axis=1)) - touch + k2 * np.eye(len(touch)))
    sd = np.sqrt(np.diag(covariance))
    along = covariance / np.outer(sd, sd)
    in_time = np.exp(-2 * np.abs(days[:, None] - days[None, :]) / np.exp(theta[3]))
    share = 1 / (1 + np.exp(-theta[1]))
    s2 = np.exp(2 * theta[0])
    return s2 * share * np.kron(in_time, along), s2 * (1 - share) * np.eye(len(touch))


THETA = np.array([np.log(1.1), 0.7, np.log(5.0), np.log(40.0)])


def test_the_precision_is_the_inverse_of_the_law_told() -> None:
    """Four reaches, three unequal steps."""
    days = np.array([3.0, 20.0, 27.0])
    model = Drift.on(chain(4), days, K)
    u, v = covariances(chain(4), days, THETA)
    below = np.tile(v, (3, 1))  # of u + v with v
    whole = np.block([[u + np.tile(v, (3, 3)), below], [below.T, v]])
    prior = model.prior(THETA)
    factor = model.pattern.factor(prior.diagonal, prior.link)
    ours = np.array([factor.solve(column) for column in np.eye(16)])
    assert ours == pytest.approx(whole, abs=1e-4)
    assert prior.log_det == pytest.approx(-np.linalg.slogdet(whole)[1], abs=1e-3)


def test_marginal_likelihood_and_the_step_to_come_against_brute_force() -> None:
    """Three reaches, two steps and the one to come; log rates and the year's wave by importance sampling from the prior,
    400,000 draws. Nobody looked at the middle reach, nor at the last in the second step."""
    days = np.array([10.0, 24.0, 38.0])
    y = np.array([[4.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    h = np.array([[6.0, 0.0, 6.0], [4.0, 0.0, 0.0]])
    u, v = covariances(chain(3), days, THETA)
    rng, draws = np.random.default_rng(3), 400_000
    e = rng.standard_normal((draws, 9)) @ np.linalg.cholesky(u + np.tile(v, (3, 3)) + 1e-12 * np.eye(9)).T
    b = rng.standard_normal((draws, 3)) * [K.rate_prior_log_sd, K.forecast_season_sd, K.forecast_season_sd]
    turn = 2 * np.pi * days / 365.2425
    wave = b @ np.array([np.ones(3), np.cos(turn), np.sin(turn)])
    e += np.log(K.rate_prior_median) + np.repeat(wave, 3, axis=1)
    seen = np.flatnonzero(h.ravel() > 0)
    log = stats.poisson.logpmf(y.ravel()[seen], h.ravel()[seen] * np.exp(e[:, seen])).sum(axis=1)
    weight = np.exp(log - logsumexp(log))
    model = Drift.on(chain(3), days, K)
    cases, hours = np.r_[y.ravel(), np.zeros(6)], np.r_[h.ravel(), np.zeros(6)]
    law, _ = model.normal(cases, hours, THETA, np.where(hours > 0, -0.5, 0.0), np.where(hours > 0, 0.5, 0.0))
    assert law.log_density - model.log_prior(THETA) == pytest.approx(logsumexp(log) - np.log(draws), abs=0.03)
    for cell in (1, 5, 6, 7, 8):  # those without data: what is said of them is their posterior
        mean = weight @ e[:, cell]
        assert law.cavity_mean[cell] == pytest.approx(mean, abs=0.04)
        assert np.sqrt(law.cavity_variance[cell]) == pytest.approx(np.sqrt(weight @ (e[:, cell] - mean) ** 2), rel=0.04)


def test_slopes_are_those_of_the_marginal_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propagation, "SETTLED", 1e-8)
    rng = np.random.default_rng(0)
    h = np.r_[rng.uniform(0.1, 3, 30), np.zeros(10)] * (np.arange(40) % 5 > 0)
    y = np.where(h > 0, rng.poisson(1.0, 40), 0).astype(float)
    model = Drift.on(chain(10), np.array([3.5, 10.5, 17.5]), K)
    law, joint = model.normal(y, h, THETA, np.zeros(40), 0.5 * (h > 0))

    def value(theta: np.ndarray) -> float:
        return model.normal(y, h, theta, law.pull, law.grip)[0].log_density

    central = [(value(THETA + step) - value(THETA - step)) / 0.02 for step in 0.01 * np.eye(4)]
    assert model.slope(THETA, law, joint) == pytest.approx(central, abs=0.02)


def test_middles_of_steps_by_hand() -> None:
    """28, 7 and 7 days up to the end of day 100: they begin 42, 14 and 7 days before."""
    assert _middles([28, 7, 7], 100, 1, 3).tolist() == [72.0, 89.5, 96.5, 103.5]
    assert _middles(7, 100, 3, 1).tolist() == [96.5, 117.5]


def test_quiet_because_nobody_looked_borrows_from_last_week_and_from_next_door() -> None:
    """Two rivers of 12; a stretch of one had cases in weeks 1 to 5. In week 6 nobody looks at reach 5, in no week at 6."""
    links = sp.block_diag([chain(12), chain(12)]).tocsr()
    y, h = np.zeros((6, 24)), np.full((6, 24), 3.0)
    y[:5, 3:9] = 2
    h[:, [6, 18]] = 0.0
    h[5, 5] = 0.0
    answer = forecast(y, h, links, step_days=7, last_day=200)
    assert answer.rate[5] > 3 * answer.rate[17]
    assert answer.rate[6] > 3 * answer.rate[18]
    assert answer.rate_hi[6] / answer.rate_lo[6] > answer.rate_hi[5] / answer.rate_lo[5]


def test_a_step_nobody_looked_in_is_no_zero() -> None:
    """Looked at and found nothing for three weeks, against not looked at: the first is lower."""
    y, h = np.zeros((6, 8)), np.full((6, 8), 3.0)
    y[:3, :4] = 2
    unlooked = h.copy()
    unlooked[3:, :4] = 0.0
    looked = forecast(y, h, chain(8), step_days=7, last_day=200)
    assert (forecast(y, unlooked, chain(8), step_days=7, last_day=200).rate[:4] > 1.5 * looked.rate[:4]).all()


def test_cases_without_hours_tell_nothing() -> None:
    y, h = np.ones((3, 4)), np.full((3, 4), 2.0)
    h[1, 2] = 0.0
    other = y.copy()
    other[1, 2] = 50
    options = {"step_days": 7, "last_day": 50}
    assert forecast(y, h, chain(4), **options).equals(forecast(other, h, chain(4), **options))


def test_the_wave_of_the_year_is_found_and_foretold() -> None:
    """A year of 26 steps, all reaches alike, the rate swinging 2.2-fold either way around 0.3: next fortnight, and in half a
    year."""
    rng = np.random.default_rng(6)
    end = 90.0

    def true(day: np.ndarray) -> np.ndarray:
        return 0.3 * np.exp(0.8 * np.cos(2 * np.pi * (day - 30) / 365.2425))

    middle = end - 14 * np.arange(25.5, 0, -1)
    h = np.full((26, 30), 10.0)
    y = rng.poisson(h * true(middle)[:, None])
    for ahead in (1, 13):
        answer = forecast(y, h, chain(30), step_days=14, last_day=end, ahead=ahead)
        at = true(np.array([end + 14 * (ahead - 0.5)]))[0]
        assert answer.rate.mean() == pytest.approx(at, rel=0.2)
        assert ((answer.rate_lo < at) & (at < answer.rate_hi)).mean() > 0.85


def drifting(seed: int, steps: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True rates on a chain that drift (by an autoregression each way), and five hours a step in two of three cells."""
    rng = np.random.default_rng([seed, 17])
    noise = rng.standard_normal((steps, n))
    along, before = np.exp(-2 / 8.0), np.exp(-2 * 14 / 120.0)
    u = np.empty((steps, n))
    for i in range(n):
        u[:, i] = noise[:, i] if i == 0 else along * u[:, i - 1] + np.sqrt(1 - along**2) * noise[:, i]
    for t in range(1, steps):
        u[t] = before * u[t - 1] + np.sqrt(1 - before**2) * u[t]
    rate = 0.15 * np.exp(0.8 * u + 0.5 * rng.standard_normal(n))
    h = np.where(rng.random((steps, n)) < 0.67, 5.0, 0.0)
    return rate, h, rng.poisson(rate * h)


def test_intervals_hold_the_rate_to_come() -> None:
    held = []
    for seed in range(4):
        rate, h, y = drifting(seed, 8, 120)
        answer = forecast(y[:-1], h[:-1], chain(120), step_days=14, last_day=100)
        held.append(((answer.rate_lo <= rate[-1]) & (rate[-1] <= answer.rate_hi)).mean())
    assert 0.86 <= np.mean(held) <= 0.955


def test_reaches_near_a_look_and_no_others() -> None:
    links = sp.block_diag([chain(6), chain(3)]).tocsr()
    looked = np.eye(1, 9, 4)[0] > 0
    assert np.flatnonzero(active(links, looked, 0)).tolist() == [4]
    assert np.flatnonzero(active(links, looked, 2)).tolist() == [2, 3, 4, 5]
    assert np.flatnonzero(active(links, looked, 99)).tolist() == [0, 1, 2, 3, 4, 5]
    assert not active(links, np.zeros(9, dtype=bool), 5).any()


def test_leaving_out_the_far_river_hardly_matters() -> None:
    """A chain of 70, looked at in the middle 12, and a water of 5 that nobody can reach; against the model on all of it."""
    _, h, y = drifting(1, 6, 75)
    h[:, :30] = h[:, 42:] = 0.0
    links = sp.block_diag([chain(70), chain(5)]).tocsr()
    options = {"step_days": 14, "last_day": 100}
    near = forecast(y, h, links, **options)
    whole = forecast(y, h, links, settings=replace(K, forecast_rings=70), **options)
    assert near.rate[30:42].to_numpy() == pytest.approx(whole.rate[30:42].to_numpy(), rel=0.05)
    for column in ("rate", "rate_lo", "rate_hi"):
        assert near[column].to_numpy() == pytest.approx(whole[column].to_numpy(), rel=0.1)
    assert near.rate[70:].nunique() == 1


DEGENERATE = {
    "no cases": (np.zeros((3, 12)), np.full((3, 12), 6.0)),
    "one case": (np.eye(3, 12), np.full((3, 12), 6.0)),
    "one reach, one step": (np.array([[3.0]]), np.array([[5.0]])),
    "one reach, nobody looked": (np.zeros((1, 1)), np.zeros((1, 1))),
    "no effort": (np.zeros((2, 12)), np.zeros((2, 12))),
    "cases without effort": (np.ones((2, 12)), np.zeros((2, 12))),
    "10,000 h in a reach": (np.eye(2, 12) * 50, np.full((2, 12), 6.0) + np.eye(2, 12) * 10_000),
    "all in one reach": (np.tile(np.eye(1, 12) * 100, (3, 1)), np.full((3, 12), 6.0)),
    "a second looked": (np.eye(2, 12) * 5, np.full((2, 12), 1 / 3600)),
}


@pytest.mark.parametrize("joined", ["alone", "pieces"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_input_is_answered(name: str, joined: str) -> None:
    y, h = DEGENERATE[name]
    n = y.shape[1]
    links = chain(n).tolil()
    if n > 1:
        links[n // 2 - 1, n // 2] = links[n // 2, n // 2 - 1] = 0
    answer = forecast(y, h, None if joined == "alone" else links.tocsr(), step_days=7, last_day=366, ahead=4)
    assert list(answer.columns) == ["rate", "rate_lo", "rate_hi", "rr", "p_hot"]
    assert len(answer) == n
    assert np.isfinite(answer.to_numpy()).all()
    assert (answer.rate_lo <= answer.rate_hi).all() and (answer.rate_lo >= 0).all()
    assert answer.p_hot.between(0, 1).all() and (answer.rr > 0).all()


def test_the_same_twice_and_in_another_order() -> None:
    _, h, y = drifting(2, 4, 24)
    options = {"step_days": 7, "last_day": 10}
    first = forecast(y, h, chain(24), **options)
    assert first.equals(forecast(y, h, chain(24), **options))
    shuffle = np.random.default_rng(4).permutation(24)
    other = forecast(y[:, shuffle], h[:, shuffle], chain(24)[shuffle][:, shuffle], **options)
    assert other.to_numpy() == pytest.approx(first.to_numpy()[shuffle], rel=1e-2, abs=1e-4)


def test_hyperparameters_stay_in_what_the_model_admits() -> None:
    _, h, y = drifting(3, 4, 24)
    spread, share, reaches, days = predict(y, h, chain(24), step_days=7, last_day=10).fit.theta.T
    assert ((spread > 0.019) & (spread < 3.01)).all() and ((share > 0) & (share < 1)).all()
    assert ((reaches > 0.49) & (reaches < 501)).all() and ((days > 0.99) & (days < 36_526)).all()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cases": np.ones(3)}, "forecast_shape"),
        ({"cases": np.ones((2, 4))}, "forecast_shape"),
        ({"cases": np.zeros((0, 3)), "hours": np.zeros((0, 3))}, "forecast_shape"),
        ({"cases": np.full((2, 3), 0.5)}, "forecast_value"),
        ({"cases": np.full((2, 3), -1.0)}, "forecast_value"),
        ({"hours": np.full((2, 3), np.inf)}, "forecast_value"),
        ({"step_days": 0}, "forecast_steps"),
        ({"step_days": [7, 7, 7]}, "forecast_steps"),
        ({"last_day": 367}, "forecast_steps"),
        ({"ahead": 0}, "forecast_steps"),
        ({"links": sp.identity(4)}, "rates_links"),
        ({"links": sp.csr_matrix(np.eye(3, k=1))}, "rates_links_symmetric"),
    ],
)
def test_wrong_calls_are_named(changes: dict, code: str) -> None:
    call = {"cases": np.ones((2, 3)), "hours": np.ones((2, 3)), "links": chain(3), "step_days": 7, "last_day": 9}
    with pytest.raises(Usage) as caught:
        forecast(**(call | changes))
    assert caught.value.code == code
    assert "{" not in str(caught.value)
