"""Did patrols go where they find most an hour, or where they find least? Then the rates of reaches seldom seen lean.

In: cases and hours looked, one value a reach. Out: `Habit`, or None where too few cases tell.

Rates take hours as given. Where hours follow the risk, the model is not told that a reach with few of them differs from the
others, and draws it up towards those that are looked at much; where patrols keep away from the risk, down. That is on
purpose, or habit would be made a proof; but whoever reads an interval has to know which way it leans. In the negative
binomial regression

    E y_i = m_i = exp(a + (1 + b) log h_i),    var y_i = m_i + c^2 m_i^2

the slope b is 0 where hours have nothing to do with rates; cases an hour are 2^b-fold where hours are twice as many. c,
the spread of rates beyond that, is the one under which the squared differences are as large as foretold (Breslow 1984,
Appl. Stat. 33:38-44): without it the few reaches with most hours would decide. The interval holds where cases come in
batches (sandwich variance: White 1982, Econometrica 50:1-25).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.hotspots.newton import END, STEPS, climbed
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

SURE = 3.0  # standard errors from 0 at which a habit is told: by chance on one river in 400
STEEP = 20.0  # a coefficient, or a standard error of one, that tells nothing
FAR = 500.0  # a log mean beyond which none is sought
MOST = 1e4  # c^2


@dataclass(frozen=True)
class Habit:
    """`slope` of log cases an hour along log hours, its `interval` (lo, hi), and its standard error `spread`; `few`: hours that
    a third of the reaches looked at do not have more of."""

    slope: float
    spread: float
    interval: tuple[float, float]
    few: float

    @property
    def leans(self) -> str:
        """`follows` where patrols go where most is found an hour, `avoids` where they go elsewhere, else nothing."""
        return "" if abs(self.slope) < SURE * self.spread else "follows" if self.slope > 0 else "avoids"

    def leans_at(self, hours: ArrayLike) -> list[str]:
        """`leans` of each reach with so many hours (n,): only where they are `few` do rates lean enough to be told of."""
        return [self.leans if few else "" for few in (np.asarray(hours, dtype=float) <= self.few).tolist()]

    def told(self) -> dict[str, Any]:
        """As plain values, for the summary of a run: how many times the cases an hour where hours are twice as many."""
        times, lo, hi = (round(2.0**value, 3) for value in (self.slope, *self.interval))
        return {"times_at_twice_the_hours": times, "lo": lo, "hi": hi, "leans": self.leans or "none"}

    def notes(self) -> list[dict[str, Any]]:
        """What is to be said of it: code and params."""
        if not self.leans:
            return []
        times, lo, hi = (f"{2.0**value:.2f}" for value in (self.slope, *self.interval))
        return [{"code": f"effort_{self.leans}", "params": {"times": times, "lo": lo, "hi": hi}}]


def habit(cases: ArrayLike, hours: ArrayLike, settings: Settings | None = None) -> Habit | None:
    """The habit of patrols on a river.

    cases (n,) and hours (n,) of looking, as of `rates.rates`. Of reaches looked at enough (`settings.looked_h`, 2 h): those that were passed for
    a minute are many, and would decide it. None where hours are the same in all of them, where fewer than
    `settings.habit_reaches_min` (30) of them have a case, as the interval needs that many, and where any slope would
    do: all cases at one end of the hours.

    Ninety reaches, half with 4 hours and half with 8, a case in each: twice the hours, half the cases an hour.

    >>> found = habit([1] * 90, [4.0, 8.0] * 45)
    >>> round(2**found.slope, 9), found.leans
    (0.5, 'avoids')
    >>> habit([2, 4] * 45, [4.0, 8.0] * 45).leans
    ''
    >>> habit([1] * 10, [4.0, 8.0] * 5) is None
    True
    """
    settings = settings or Settings()
    y, h = np.asarray(cases, dtype=float), np.asarray(hours, dtype=float)
    looked = h >= settings.looked_h
    y, h = y[looked], h[looked]
    if np.count_nonzero(y) < settings.habit_reaches_min or np.ptp(np.log(h)) < END:
        return None
    x = np.log(h)
    # about the mean hour: the two barely hang together
    columns = np.column_stack([np.ones(len(x)), x - (h @ x) / h.sum()])
    at, c2 = np.array([np.log(y.sum() / h.sum()), 0.0]), 0.0
    for _ in range(STEPS):
        before = at
        at = _coefficients(y, h, columns, at, c2)
        if np.abs(at).max() > STEEP:
            return None
        c2 = _spread(y, _mean(h, columns, at))
        if np.abs(at - before).max() < END:
            break
    mean = _mean(h, columns, at)
    inverse = np.linalg.inv(columns.T @ ((mean / (1.0 + c2 * mean))[:, None] * columns))
    score = ((y - mean) / (1.0 + c2 * mean))[:, None] * columns
    robust = inverse @ (score.T @ score) @ inverse
    slope, spread = float(at[1]), float(np.sqrt(max(inverse[1, 1], robust[1, 1])))
    if spread > STEEP:
        return None
    wide = NormalDist().inv_cdf(0.5 + settings.interval / 2) * spread
    return Habit(slope, spread, (slope - wide, slope + wide), float(np.quantile(h, 1 / 3, method="lower")))


def _mean(h: Floats, columns: Floats, at: Floats) -> Floats:
    return np.asarray(h * np.exp(np.minimum(columns @ at, FAR)))


def _coefficients(y: Floats, h: Floats, columns: Floats, at: Floats, c2: float) -> Floats:
    """The likeliest (2,) at c^2 = `c2`, sought from `at`."""

    def value(at: Floats) -> float:
        mean = _mean(h, columns, at)
        return float(y @ (columns @ at) - (mean.sum() if c2 == 0.0 else (y + 1.0 / c2) @ np.log1p(c2 * mean)))

    def step(at: Floats) -> Floats:
        mean = _mean(h, columns, at)
        weight = 1.0 / (1.0 + c2 * mean)
        curvature = columns.T @ ((mean * weight)[:, None] * columns)
        return np.asarray(np.linalg.solve(curvature, columns.T @ ((y - mean) * weight)), dtype=float)

    return climbed(at, value, step, STEEP)


def _spread(y: Floats, mean: Floats) -> float:
    """c^2 under which sum (y - m)^2 / (m + c^2 m^2) is n - 2, as it is foretold; 0 where it is less anyway."""
    from scipy.optimize import brentq

    off = (y - mean) ** 2

    def over(c2: float) -> float:
        return float((off / (mean + c2 * mean**2)).sum() - len(y) + 2)

    return 0.0 if over(0.0) <= 0.0 else float(brentq(over, 0.0, MOST)) if over(MOST) < 0.0 else MOST
