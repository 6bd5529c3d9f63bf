"""Every method that foretells the next week.

In: `Past`, the weeks before, with cases and hours. Out: `Told`: a score a reach (higher is worse), and a law of the cases to
come: that of a posterior, or for methods that only rank, one made for them (`fitted`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy import methods as still
from benchmarks.accuracy.worlds import River
from geo_monitor.hotspots import exchangeable
from geo_monitor.hotspots.forecast import predict
from geo_monitor.hotspots.rates import Posterior, posterior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FINE, COARSE, WEEKS_COARSE = 12, 10, 4  # our steps: the last 12 weeks one by one, before them 10 steps of 4 weeks
QUARTER = 13  # weeks
UNIFORM = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # share of the even rate mixed into a ranking's
SPREADS = (0.01, 0.3, 0.6, 1.0, 1.5)  # coefficient of variation of its negative binomial law


@dataclass(frozen=True)
class Past:
    """`cases`, `hours` (weeks, n), the last week last; `last_day`: of the year, on which it ends."""

    cases: Floats
    hours: Floats
    water: River
    last_day: float

    def summed(self, weeks: int) -> still.Looked:
        cases, hours = self.cases[-weeks:].sum(axis=0), self.hours[-weeks:].sum(axis=0)
        return still.Looked(cases, hours, self.water.links, self.water.points)


@dataclass(frozen=True)
class Told:
    score: Floats
    known: Posterior | exchangeable.Posterior | None = None


def ours(past: Past) -> Told:
    """hotspots/forecast.py on the past year: the last weeks one by one, before them steps of four weeks."""
    weeks = FINE + COARSE * WEEKS_COARSE

    def steps(table: Floats) -> Floats:
        old = table[-weeks:-FINE].reshape(COARSE, WEEKS_COARSE, -1).sum(axis=1)
        return np.vstack([old, table[-FINE:]])

    days = np.r_[np.full(COARSE, 7.0 * WEEKS_COARSE), np.full(FINE, 7.0)]
    known = predict(steps(past.cases), steps(past.hours), past.water.links, step_days=days, last_day=past.last_day)
    return Told(known.mean, known)


def rates_year(past: Past) -> Told:
    """hotspots/rates.py on the past year as a whole: along the water, without time."""
    seen = past.summed(52)
    known = posterior(seen.cases, seen.hours, seen.links)
    return Told(known.mean, known)


def rates_quarter(past: Past) -> Told:
    """The same on the last quarter."""
    seen = past.summed(QUARTER)
    known = posterior(seen.cases, seen.hours, seen.links)
    return Told(known.mean, known)


def empirical_bayes(past: Past) -> Told:
    """hotspots/exchangeable.py (gamma-Poisson) on the past year: neither water nor time."""
    seen = past.summed(52)
    known = exchangeable.posterior(seen.cases, seen.hours)
    return Told(known.mean, known)


def _ranking(method: Callable[..., still.Answer]) -> Callable[[Past], Told]:
    def foretell(past: Past) -> Told:
        return Told(method(past.summed(52), None).score)

    foretell.__doc__ = f"On the past year's cases: {method.__doc__ or 'counts.'}"
    return foretell


METHODS: dict[str, Callable[[Past], Told]] = {
    "forecast": ours,
    "rates_year": rates_year,
    "rates_quarter": rates_quarter,
    "empirical_bayes": empirical_bayes,
    "counts_year": _ranking(still.counts),
    "kde": _ranking(still.kde),
    "kde_per_hour": _ranking(still.kde_per_hour),
    "gi_planar": _ranking(still.gi_hexagons),
}


def fitted(score: Floats, past: Past, cases: Floats, hours: Floats) -> Floats:
    """Log probability of the week's cases by a ranking's law, for every setting of it: (UNIFORM, SPREADS, looked reaches).

    A ranking says nothing of rates, so it is given one: the past year's cases an hour, shared out in proportion to its score
    (Gi*: to the score's rank), mixed with the even rate; cases are negative binomial around it. The settings are chosen
    afterwards, those that fit the weeks to come best: in the ranking's favour.
    """
    from scipy.stats import rankdata

    seen = hours > 0
    weight = score if score.min() >= 0 else rankdata(score)
    year = past.hours[-52:].sum(axis=0)
    weight = weight * year.sum() / max(float(weight @ year), 1e-300) if weight.max() > 0 else np.ones(len(score))
    level = (past.cases[-52:].sum() + 0.5) / year.sum()
    even = np.array(UNIFORM)[:, None, None]
    mean = level * ((1 - even) * weight[seen] + even)
    spread = np.array(SPREADS)[None, :, None]
    return exchangeable.log_marginal(cases[seen], hours[seen], np.maximum(mean, 1e-12), spread)
