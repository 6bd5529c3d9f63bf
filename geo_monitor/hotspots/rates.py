"""Effort-corrected rates: how many cases an hour of looking finds, in every reach, and how sure that is.

In: cases and hours looked, one value a reach, and which reaches touch. Out: rate, rate_lo, rate_hi, rr, p_hot.

Two models, each as likely as the other before any data, are averaged by what the data say of them (Hoeting et al. 1999,
Statistical Science 14:382-401). In one, log rates are a field along the water (`field.py`): strength is borrowed from
the neighbours. In the other, reaches know nothing of each other and rates are gamma (`exchangeable.py`): the right one
where many reaches have next to nothing and no stretch is like the next. Where risk does run along the water, a few
hundred cases leave the second no weight.

Under the field, the answer in each reach is a mixture over its hyperparameters of (normal law from everything else) x
(exact Poisson likelihood of the reach's own data), laid out on a grid of log rates.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.hotspots import exchangeable
from geo_monitor.hotspots.field import Fit, fit
from geo_monitor.hotspots.gamma import Told, quantiles
from geo_monitor.hotspots.mixtures import POINTS, crossings, mixtures
from geo_monitor.hotspots.sparse import neighbours
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

NEGLIGIBLE = 1e-4  # probability under which the exchangeable model is left out


@dataclass(frozen=True)
class Posterior:
    """What is known of the rate in each of n reaches.

    `fit`: the field; `cases`, `hours` (n,); `lonely`: the exchangeable model, where it was tried; `share`: its probability.
    `basin` is the basin's rate per hour: cases / hours of the looked reaches, or the expected mean rate where that is
    zero or unknown. `crude` is cases / hours itself (0 without cases).
    """

    fit: Fit
    cases: Floats
    hours: Floats
    basin: float
    crude: float
    lonely: exchangeable.Posterior | None = None
    share: float = 0.0

    @cached_property
    def _grid(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Under the field: first log rate and step of each reach's grid (n,), its distribution function there
        (n, POINTS), mean (n,)."""
        fit = self.fit
        return mixtures(fit.cavity_mean, fit.cavity_variance, fit.parts, fit.weight, self.cases, self.hours)

    @property
    def mean(self) -> Floats:
        """Posterior mean rate per hour, (n,)."""
        return self._mixed(self._grid[3], lambda lonely: lonely.mean)

    def above(self, rate: float | Floats) -> Floats:
        """P(rate of the reach > `rate`), (n,); `rate` one for all or one a reach."""
        return 1.0 - self.below(rate)

    def below(self, rate: float | Floats) -> Floats:
        """P(rate of the reach < `rate`), (n,)."""
        first, step, cdf, _ = self._grid
        at = (np.log(np.broadcast_to(np.asarray(rate, dtype=float), first.shape)) - first) / step
        low = np.clip(np.floor(at), 0, POINTS - 2).astype(np.int64)
        part = np.clip(at - low, 0.0, 1.0)
        row = np.arange(len(first))
        field = np.clip(cdf[row, low] + part * (cdf[row, low + 1] - cdf[row, low]), 0.0, 1.0)
        return self._mixed(field, lambda lonely: lonely.below(rate))

    def quantile(self, p: float) -> Floats:
        """Rate below which the reach lies with probability `p` (0 < p < 1), (n,)."""
        first, step, cdf, _ = self._grid
        log_rate = crossings(first, step, cdf, p)
        if self.lonely is None or self.share < NEGLIGIBLE:
            return np.exp(log_rate)
        if self.share > 1 - NEGLIGIBLE:
            return self.lonely.quantile(p)
        field = Told(first, step, cdf)
        return np.exp(quantiles(self.lonely.laws, self.lonely.which, p, log_rate, self.share, field))

    def at(self, which: NDArray[np.int64], cases: Floats, hours: Floats) -> Posterior:
        """What would be known of the reaches `which` (k,) had they had these cases and hours (k,), all else as it is."""
        fit = replace(
            self.fit,
            cavity_mean=self.fit.cavity_mean[:, which],
            cavity_variance=self.fit.cavity_variance[:, which],
        )
        return replace(self, fit=fit, lonely=self.lonely and self.lonely.given(cases, hours), cases=cases, hours=hours)

    def predictive(self, found: int, hours: float) -> Floats:
        """P(`found` cases in `hours` more hours of looking), (n,)."""
        from scipy.special import gammaln

        first, step, cdf, _ = self._grid
        mean = np.exp(first[:, None] + step[:, None] * np.arange(POINTS)) * hours
        chance = np.exp(found * np.log(mean) - mean - gammaln(found + 1))
        # cdf is told at the middle of each point's share of the density
        field = (np.diff(cdf, prepend=0.0, append=1.0) * 0.5 * (
            np.c_[chance[:, :1], chance] + np.c_[chance, chance[:, -1:]]
        )).sum(axis=1)  # fmt: skip
        return self._mixed(field, lambda lonely: lonely.predictive(found, hours))

    def _mixed(self, field: Floats, lonely: Callable[[exchangeable.Posterior], Floats]) -> Floats:
        """Of both models, by their probability; what has next to none is not worked out."""
        if self.lonely is None or self.share < NEGLIGIBLE:
            return field
        return (1 - self.share) * field + self.share * lonely(self.lonely)


def rates(
    cases: ArrayLike,
    hours: ArrayLike,
    links: Any = None,
    *,
    factor: float | None = None,
    interval: float | None = None,
    looked: ArrayLike | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Effort-corrected rate of every reach, with its interval and the probability that it is hot.

    Parameters
    ----------
    cases : (n,) whole numbers >= 0, cases found by looking
    hours : (n,) hours looked, >= 0; 0 where nobody looked (cases there tell nothing of a rate and are left out)
    links : scipy.sparse (n, n), symmetric: an entry that is not 0 wherever two reaches touch. None: no two do
    factor : hot is a rate over `factor` times the basin's (default: `settings.hot_factor`, 2)
    interval : probability held by rate_lo..rate_hi, equal tails (default: `settings.interval`, 0.90)
    looked : (n,) bool, reaches the basin's rate is taken from (default: `settings.looked_h` hours or more; where no
        reach has that much, all with any hours)

    Returns
    -------
    DataFrame (n rows): rate (the posterior mean; where next to nothing is known, and a few enormous rates that cannot be
    excluded carry it out of the interval, the end of that), rate_lo, rate_hi (per hour), rr (rate / basin rate), p_hot.
    Never NaN: where nobody looked it is what the neighbours and the prior say; without any case the basin's rate in rr and
    p_hot is the expected mean rate.

    Raises `Usage`: `rates_shape`, `rates_cases`, `rates_hours`, `rates_links`, `rates_links_symmetric`.

    Four reaches in a row, two hours in each but the third: cases at one end raise the reach nobody looked at less than
    the one beside them, and leave the far end lowest.

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[1.0] * 3, [1.0] * 3], [-1, 1])
    >>> answer = rates([6, 4, 0, 0], [2.0, 2.0, 0.0, 2.0], chain)
    >>> bool(answer.rate[0] > answer.rate[1] > answer.rate[3])
    True
    >>> bool(answer.rate_lo[2] < answer.rate_lo[1] and answer.rate_hi[2] > answer.rate_hi[3])
    True
    >>> list(answer.columns)
    ['rate', 'rate_lo', 'rate_hi', 'rr', 'p_hot']
    """
    settings = settings or Settings()
    factor = settings.hot_factor if factor is None else factor
    interval = settings.interval if interval is None else interval
    known = posterior(cases, hours, links, looked=looked, settings=settings)
    return told(known, factor, interval)


def told(known: Posterior | exchangeable.Posterior, factor: float, interval: float) -> pd.DataFrame:
    """The columns of `rates` from what is known, of this model or of the exchangeable one."""
    import pandas as pd

    low, high = known.quantile((1 - interval) / 2), known.quantile((1 + interval) / 2)
    rate = np.clip(known.mean, low, high)
    return pd.DataFrame(
        {
            "rate": rate,
            "rate_lo": low,
            "rate_hi": high,
            "rr": rate / known.basin,
            "p_hot": known.above(factor * known.basin),
        }
    )


def posterior(
    cases: ArrayLike,
    hours: ArrayLike,
    links: Any = None,
    *,
    looked: ArrayLike | None = None,
    settings: Settings | None = None,
) -> Posterior:
    """The posterior behind `rates` (same arguments, same errors): ask it for any probability or quantile.

    >>> known = posterior([3, 0], [6.0, 6.0])
    >>> known.basin
    0.25
    >>> bool(known.above(0.25)[0] > known.above(0.25)[1])
    True
    """
    settings = settings or Settings()
    y, h = exchangeable.checked(cases, hours)
    links = neighbours(links, len(y))
    seen = h > 0
    y = np.where(seen, y, 0.0)
    with ThreadPoolExecutor(1) as beside:  # the field leaves a core now and then
        alone = beside.submit(exchangeable.posterior, y, h, looked=looked, settings=settings)
        found, lonely = fit(links, y, h, settings), alone.result()
    share = float(1.0 / (1.0 + np.exp(np.clip(found.log_evidence - lonely.log_evidence, -700.0, 700.0))))
    known = Posterior(found, y, h, lonely.crude, lonely.crude, lonely, share)
    if known.crude > 0:
        return known
    return replace(known, basin=float(known.mean[seen].mean() if seen.any() else known.mean.mean()))
