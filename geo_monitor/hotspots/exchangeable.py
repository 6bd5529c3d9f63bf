"""Rates of reaches that know nothing of each other: what the river's spread and a reach's own cases and hours say.

In: cases and hours looked, one value a reach. Out: `Posterior`. Gi* stands on these rates, since it is to find likeness
along the water and not to be handed it; the rates of the table borrow along the water (`rates.py`).

The model (gamma-Poisson, Clayton & Kaldor 1987, Biometrics 43:671-681): in reach i

    y_i | r_i ~ Poisson(r_i h_i),    r_i ~ Gamma(shape 1/c^2, mean m),

so that given the basin's mean m and spread c (coefficient of variation between reaches)

    r_i | y_i ~ Gamma(shape 1/c^2 + y_i, rate 1/(c^2 m) + h_i).

m and c are not fixed at their best guess: the posterior of (m, c) under the marginal (negative binomial) likelihood and
the weak hyperprior below is laid on a grid, and every answer is averaged over it. That keeps the intervals honest when
cases are few, and finite when there are none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.gamma import Laws, quantiles, under
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOG_M_SPAN = 12.0  # natural log units searched either side of the prior median: e^12 = 160,000-fold
DROP = 9.0  # log density below the maximum from which a grid node is left out (weight < 0.0002 of the best)


@dataclass(frozen=True)
class Posterior:
    """What is known of the rate in each of n reaches: a mixture of gamma distributions over k hyperparameter nodes.

    `shape`, `scale` are (u, k) for the u distinct reaches; `which` (n,) says which of them each reach is (all reaches
    without effort are one); `weight` (k,) sums to 1. `basin` is the basin's rate per hour: cases / hours of the looked
    reaches, or the expected mean rate where that is zero or unknown. `crude` is cases / hours itself (0 without cases).
    `prior` (2, k): shape and rate of the gamma laws before a reach's own data; `log_evidence`: log probability of all
    cases under the model.
    """

    shape: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    which: NDArray[np.int64]
    basin: float
    crude: float
    prior: NDArray[np.float64] = field(default_factory=lambda: np.ones((2, 1)))
    log_evidence: float = 0.0

    @property
    def mean(self) -> NDArray[np.float64]:
        """Posterior mean rate per hour, (n,)."""
        return ((self.shape * self.scale) @ self.weight)[self.which]

    def given(self, cases: NDArray[np.float64], hours: NDArray[np.float64]) -> Posterior:
        """What would be known of reaches with these cases and hours (n,), the hyperparameters as they are."""
        shape, rate = self.prior
        return replace(
            self,
            shape=cases[:, None] + shape,
            scale=1 / (hours[:, None] + rate),
            which=np.arange(len(cases), dtype=np.int64),
        )

    def predictive(self, found: int, hours: float) -> NDArray[np.float64]:
        """P(`found` cases in `hours` more hours), (n,): negative binomial."""
        from scipy.stats import nbinom

        return (nbinom.pmf(found, self.shape, 1 / (1 + hours * self.scale)) @ self.weight)[self.which]

    @cached_property
    def laws(self) -> Laws:
        """The u distinct laws, ready to be asked."""
        return Laws.of(self.shape, self.scale, self.weight)

    def above(self, rate: float) -> NDArray[np.float64]:
        """P(rate of the reach > `rate`), (n,)."""
        return 1.0 - self.below(rate)

    def below(self, rate: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """P(rate of the reach < `rate`), (n,): with half the basin's rate, the chance that it is cold. `rate` is one
        for all reaches, or one a reach (n,)."""
        if np.ndim(rate):
            return under(self.laws, self.which, np.log(np.asarray(rate, dtype=float)))
        every = np.arange(len(self.scale))
        return under(self.laws, every, np.full(len(every), np.log(rate)))[self.which]

    def quantile(self, p: float) -> NDArray[np.float64]:
        """Rate below which the reach lies with probability `p` (0 < p < 1), (n,)."""
        start = np.log((self.shape * self.scale) @ self.weight)
        return np.exp(quantiles(self.laws, np.arange(len(start)), p, start))[self.which]


def posterior(
    cases: ArrayLike,
    hours: ArrayLike,
    *,
    looked: ArrayLike | None = None,
    settings: Settings | None = None,
) -> Posterior:
    """What is known of every reach's rate; arguments and errors as in `rates.rates`, without links.

    >>> known = posterior([3, 0], [6.0, 6.0])
    >>> known.basin
    0.25
    >>> bool(known.above(0.25)[0] > known.above(0.25)[1])
    True
    """
    settings = settings or Settings()
    y, h = checked(cases, hours)
    seen = h > 0
    basis = (h >= settings.looked_h) if looked is None else np.asarray(looked, dtype=bool) & seen
    if not basis.any():
        basis = seen
    # reaches alike in cases and hours have the same posterior: count them once
    pairs, which, count = np.unique(
        np.column_stack([np.where(seen, y, 0.0), h]), axis=0, return_inverse=True, return_counts=True
    )
    which = which.reshape(-1)
    m, c, weight, log_evidence = _grid(pairs[:, 0], pairs[:, 1], count.astype(float), settings)
    a = 1 / c**2
    shape = pairs[:, :1] + a[None, :]
    scale = 1 / (pairs[:, 1:] + (a / m)[None, :])
    total, time = float(y[basis].sum()), float(h[basis].sum())
    crude = total / time if time > 0 else 0.0
    basin = crude if crude > 0 else float(m @ weight)
    return Posterior(
        shape=shape,
        scale=scale,
        weight=weight,
        which=which.astype(np.int64),
        basin=basin,
        crude=crude,
        prior=np.array([a, a / m]),
        log_evidence=log_evidence,
    )


def log_marginal(
    y: NDArray[np.float64], h: NDArray[np.float64], m: NDArray[np.float64], c: NDArray[np.float64]
) -> NDArray[np.float64]:
    """log P(y | m, c, h): negative binomial of mean m h and variance m h + (c m h)^2.

    Shapes broadcast; m and c > 0. One case in an hour under m = 1, c = 1 (a geometric law of mean 1) has P = 1/4:

    >>> float(np.round(np.exp(log_marginal(np.array(1.0), np.array(1.0), np.array(1.0), np.array(1.0))), 12))
    0.25
    """
    from scipy.special import gammaln, xlogy

    a = 1 / c**2
    mu = m * h
    return gammaln(a + y) - gammaln(a) - gammaln(y + 1) - a * np.log1p(mu / a) + xlogy(y, mu / (a + mu))


def _log_prior(log_m: NDArray[np.float64], log_c: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    """Log density of the hyperprior at (log m, log c): m log-normal, c gamma.

    Under the likelihood alone, a few cases often fit c = 0 best: a river without any difference between reaches, and
    intervals far too narrow. A gamma law that vanishes at 0 (Chung et al. 2013, Psychometrika 78:685-709) prevents it.
    """
    z = (log_m - np.log(settings.rate_prior_median)) / settings.rate_prior_log_sd
    shape = settings.spread_prior_shape
    # exponent `shape`, not `shape - 1`: the density of c told per unit of log c
    level = -0.5 * z**2 - np.log(settings.rate_prior_log_sd * np.sqrt(2 * np.pi))
    scaled = np.log(shape / settings.spread_prior_mean) + log_c
    return np.asarray(level + shape * scaled - np.exp(scaled) - math.lgamma(shape))


def _grid(
    y: NDArray[np.float64], h: NDArray[np.float64], count: NDArray[np.float64], settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Nodes m, c and weights of the hyperparameters' posterior, and the log evidence.

    The box is zoomed to where the log density is within `DROP` of its maximum, then laid out evenly: the same nodes
    for the same data, no random start.
    """
    from scipy.special import gammaln

    centre = np.log(settings.rate_prior_median)
    box = [centre - LOG_M_SPAN, centre + LOG_M_SPAN, np.log(settings.spread_min), np.log(settings.spread_max)]
    told = h > 0
    y, h, count = y[told], h[told], count[told]
    found, which = np.unique(y, return_inverse=True)
    often = np.bincount(which, weights=count, minlength=len(found))
    cases, log_hours = float(count @ y), float((count * y) @ np.log(h))

    def density(log_m: NDArray[np.float64], log_c: NDArray[np.float64]) -> NDArray[np.float64]:
        """`log_marginal` summed over all reaches, and the prior: but for log(1 + m h c^2), terms of a reach's cases alone,
        and few differ in those."""
        total = _log_prior(*np.meshgrid(log_m, log_c, indexing="ij"), settings)
        a = np.exp(-2.0 * log_c)
        alone = often @ (gammaln(a + found[:, None]) - gammaln(a) - gammaln(found[:, None] + 1.0))
        weight = count[:, None] * (a + y[:, None])
        for row, level in enumerate(log_m):  # a row at a time bounds memory to (reaches, nodes of c)
            odds = level + 2.0 * log_c
            total[row] += alone + log_hours + cases * odds
            total[row] -= np.einsum("nk,nk->k", weight, np.log1p(h[:, None] * np.exp(odds)))
        return total

    for _ in range(12):
        log_m, log_c = np.linspace(box[0], box[1], 15), np.linspace(box[2], box[3], 15)
        value = density(log_m, log_c)
        near = value > value.max() - DROP
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        fresh = [
            log_m[max(rows[0] - 1, 0)],
            log_m[min(rows[-1] + 1, 14)],
            log_c[max(columns[0] - 1, 0)],
            log_c[min(columns[-1] + 1, 14)],
        ]
        settled = (fresh[1] - fresh[0]) > 0.6 * (box[1] - box[0]) and (fresh[3] - fresh[2]) > 0.6 * (box[3] - box[2])
        box = fresh
        if settled:
            break
    log_m, log_c = np.linspace(box[0], box[1], 11), np.linspace(box[2], box[3], 11)
    value = density(log_m, log_c)
    keep = value > value.max() - DROP
    weight = np.exp(value[keep] - value.max())
    grid_m, grid_c = np.meshgrid(log_m, log_c, indexing="ij")
    cell = (log_m[1] - log_m[0]) * (log_c[1] - log_c[0])
    log_evidence = float(value.max() + np.log(weight.sum() * cell))
    return np.exp(grid_m[keep]), np.exp(grid_c[keep]), weight / weight.sum(), log_evidence


def checked(cases: ArrayLike, hours: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cases and hours as arrays, or an error that names the position."""
    y = np.atleast_1d(np.asarray(cases, dtype=float))
    h = np.atleast_1d(np.asarray(hours, dtype=float))
    if y.ndim != 1 or y.shape != h.shape or len(y) == 0:
        raise Usage("rates_shape", cases=str(y.shape), hours=str(h.shape))
    bad = np.flatnonzero(~(np.isfinite(y) & (y >= 0) & (y == np.floor(y))))
    if len(bad):
        raise Usage("rates_cases", position=int(bad[0]), value=float(y[bad[0]]), count=len(bad))
    bad = np.flatnonzero(~(np.isfinite(h) & (h >= 0)))
    if len(bad):
        raise Usage("rates_hours", position=int(bad[0]), value=float(h[bad[0]]), count=len(bad))
    return y, h
