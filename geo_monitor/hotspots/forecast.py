"""What an hour of looking will find in the next step: rates that borrow from last week and from next door.

In: cases and hours, a row a step and a column a reach; the links between reaches. Out: for the step ahead, rate, rate_lo,
rate_hi, rr, p_hot of every reach.

    y_ti | e_ti ~ Poisson(h_ti exp(e_ti)),   e_ti = b'x_t + u_ti + v_i,   x_t = (1, cos, sin) of the time of year,
    u ~ N(0, s^2 f A(q) (x) R(r)),   v_i ~ N(0, s^2 (1 - f)).

R(r) is the correlation along the water of `field.py`; A(q) = exp(-2 |days| / q) that of an autoregression in
time, told the same way: 0.14 at the range. Their Kronecker product is a separable law in space and time, with precision
A^-1 (x) R^-1, and both are sparse. v is what stays with a reach: a bend that hides boats hides them every week. (Were v drawn
anew in every step, held-out weeks would score worse where places stay different, and no better elsewhere.) It is kept as one
more slice of cells nobody looks at, and so is the step to come: what the model says of it is the forecast, with the doubt about
all hyperparameters in it. A step in which nobody looked at a reach says nothing of it, and is no zero.

The night enters by the hours: cases are counted against hours weighted by what an hour of them finds (`exposure_h`).
How the posterior is worked out: `propagation.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.field import Field, Fit
from geo_monitor.hotspots.propagation import ALIKE, Effects, Model, Prior, explored, logistic, weights
from geo_monitor.hotspots.rates import Posterior, told
from geo_monitor.hotspots.sparse import Pattern, neighbours
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

YEAR = 365.2425  # days
DAYS = (1.0, 36_525.0)  # shortest and longest range in time sought: a day is no memory, a century is for ever


@dataclass
class Drift(Model):
    """The model over steps on one river graph. Cells are steps x reaches, a step after the other, then v.

    `river`: R; `days` (t,): middles of the steps; `entry`: for every link of the pattern, where R holds its value (a
    diagonal (n,), then links); `step_a`, `step_b`: the two slices it joins. Theta: log s, logit f, log r, log q.
    """

    river: Field
    days: Floats
    entry: Ints
    step_a: Ints
    step_b: Ints

    @classmethod
    def on(cls, links: Any, days: Floats, settings: Settings) -> Drift:
        """The model on scipy.sparse `links` (n, n) at the middles of the steps `days` (t,), 0.5 being noon of 1 January."""
        import scipy.sparse as sp

        river = Field.on(links, settings)
        n, t = river.pattern.n, len(days)
        a, b = river.pattern.row_a, river.pattern.row_b
        here = np.arange(n)
        where = sp.csr_matrix(
            (np.r_[here, n + np.arange(len(a)), n + np.arange(len(a))] + 1, (np.r_[here, a, b], np.r_[here, b, a])),
            shape=(n, n),
        )
        slices = sp.lil_matrix((t + 1, t + 1))
        slices.setdiag(1.0)
        slices.setdiag(1.0, 1)
        slices.setdiag(1.0, -1)
        slices[t, :] = slices[:, t] = 1.0
        pattern = Pattern.of(sp.kron(slices, where != 0).tocsr())
        turn = 2.0 * np.pi * days / YEAR
        season = np.column_stack([np.ones(t), np.cos(turn), np.sin(turn)])
        effects = Effects(
            np.vstack([np.repeat(season, n, axis=0), np.zeros((n, 3))]),
            np.array([np.log(settings.rate_prior_median), 0.0, 0.0]),
            np.array([settings.rate_prior_log_sd, settings.forecast_season_sd, settings.forecast_season_sd]) ** -2.0,
        )
        row_a, row_b = pattern.row_a, pattern.row_b
        entry = np.asarray(where[row_a % n, row_b % n]).ravel().astype(np.int64) - 1 if len(row_a) else row_a
        return cls(pattern, effects, settings, river, days, entry, row_a // n, row_b // n)

    @property
    def start(self) -> Floats:
        return np.append(self.river.start, np.log(self.settings.forecast_range_prior_days))

    @property
    def bounds(self) -> Floats:
        return np.vstack([self.river.bounds, np.log(DAYS)])

    @property
    def scale(self) -> Floats:
        return np.append(self.river.scale, 0.5)

    @property
    def free(self) -> Ints:
        """Without neighbours there is no range along the water."""
        return np.arange(4) if self.river.joined else np.array([0, 1, 3])

    def slices(self, log_q: float) -> tuple[Floats, float]:
        """Precision (t + 1, t + 1) of u + v at the steps and of v, but for v's own, and log det of that of u.

        Markov: each step given the one before is normal of mean a times it, a = exp(-2 days / q), variance 1 - a^2.
        """
        t = len(self.days)
        gap = 2.0 * np.diff(self.days) / np.exp(log_q)
        a, rest = np.exp(-gap), -1.0 / np.expm1(-2.0 * gap)
        precision = np.zeros((t, t))
        precision[0, 0] = 1.0
        at = np.arange(t - 1)
        precision[at, at] += a**2 * rest
        precision[at + 1, at + 1] += rest
        precision[at, at + 1] = precision[at + 1, at] = -a * rest
        total = precision.sum(axis=1)
        return np.block([[precision, -total[:, None]], [-total[None, :], total.sum()]]), float(np.log(rest).sum())

    def ready(self, thetas: Floats) -> None:
        self.river.ready(thetas)

    def prior(self, theta: Floats) -> Prior:
        """The law of (u + v, v) at theta."""
        n, t = self.river.pattern.n, len(self.days)
        unit = self.river.unit(float(theta[2]))
        slices, log_det = self.slices(float(theta[3]))
        own, scale = np.exp(2.0 * theta[0]) * np.array([logistic(-theta[1]), logistic(theta[1])])
        values = np.concatenate([unit.diagonal, unit.link])
        diagonal = np.outer(slices.diagonal(), unit.diagonal).ravel() / scale
        diagonal[t * n :] += 1.0 / own
        link = slices[self.step_a, self.step_b] * values[self.entry] / scale
        whole = n * log_det + t * (unit.log_det - n * np.log(scale)) - n * np.log(own)
        return Prior(diagonal, link, whole, ALIKE)

    def log_prior(self, theta: Floats) -> float:
        """s and r as in `Field`, f uniform (here it is what time does not change), q log-normal."""
        k = self.settings
        value = self.river.spread_and_range(theta[0], theta[2])
        value -= float(np.logaddexp(0.0, theta[1]) + np.logaddexp(0.0, -theta[1]))
        return value - 0.5 * ((theta[3] - np.log(k.forecast_range_prior_days)) / k.forecast_range_prior_log_sd) ** 2


def active(links: Any, looked: ArrayLike, rings: int) -> NDArray[np.bool_]:
    """Reaches within `rings` links of any reach looked at, (n,): what the model is laid over.

    An approximation, since a river of 30,000 reaches is looked at in some thousands. Reaches further out are drawn from
    what all share towards the nearest of these, by their correlation at that many links (docs/methods-forecast.md has the
    measured effect).

    links scipy.sparse (n, n), symmetric; looked (n,) bool.

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[1.0] * 4, [1.0] * 4], [-1, 1])
    >>> active(chain, [False, True, False, False, False], 2).tolist()
    [True, True, True, True, False]
    """
    found = np.asarray(looked, dtype=bool).copy()
    touch = (links != 0).tocsr()
    for _ in range(rings):
        found |= (touch @ found.astype(float)) > 0
    return found


def _nearest(links: Any, here: Ints) -> tuple[Floats, Ints]:
    """Links from every reach to the nearest of the reaches `here` (inf: no way), (n,), and which that is (then any)."""
    from scipy.sparse.csgraph import dijkstra

    n = links.shape[0]
    if len(here) == 0:
        return np.full(n, np.inf), np.zeros(n, dtype=np.int64)
    distance, _, source = dijkstra(
        links != 0, directed=False, indices=here, unweighted=True, min_only=True, return_predecessors=True
    )
    return distance, np.where(np.isfinite(distance), source, here[0]).astype(np.int64)


def predict(
    cases: ArrayLike,
    hours: ArrayLike,
    links: Any = None,
    *,
    step_days: ArrayLike,
    last_day: float,
    ahead: int = 1,
    settings: Settings | None = None,
) -> Posterior:
    """The posterior behind `forecast` (same arguments, same errors): ask it for any probability or quantile.

    Its `fit.theta` (k, 4): s, f, r (reaches), q (days). Its basin's rate is the mean of the step ahead over the reaches
    looked at, weighted by their hours.
    """
    import scipy.sparse as sp

    settings = settings or Settings()
    y, h, links = _checked(cases, hours, links)
    t, n = y.shape
    middle = _middles(step_days, last_day, ahead, t)
    looked = (h > 0).any(axis=0)
    here = np.flatnonzero(active(links, looked, settings.forecast_rings))
    # beyond, one reach without neighbours says what is known of a reach far from all data: what all share
    m = len(here) + 1
    model = Drift.on(sp.block_diag([links[here][:, here], sp.csr_matrix((1, 1))], format="csr"), middle, settings)
    cells = np.zeros((2, t + 2, m))
    cells[0, :t, :-1], cells[1, :t, :-1] = y[:, here], h[:, here]
    told = (cells[0].ravel(), cells[1].ravel())
    nodes = explored([(model, *told)])[0]
    weight, keep = weights(nodes)
    theta = np.array([nodes[i].theta for i in keep])
    distance, source = _nearest(links, here)
    at = np.searchsorted(here, source) if len(here) else np.zeros(n, dtype=np.int64)
    alike = np.exp(-2.0 * distance[None, :] / np.exp(theta[:, 2:3]))

    def between(nodes_of: list[Floats], weight: Floats) -> Floats:
        coming = np.array(nodes_of)[:, t * m : (t + 1) * m]
        return coming[:, -1:] + weight * (coming[:, at] - coming[:, -1:])

    found = Fit(
        cavity_mean=between([nodes[i].law.cavity_mean for i in keep], alike),
        cavity_variance=between([nodes[i].law.cavity_variance for i in keep], alike**2),
        weight=weight,
        theta=np.column_stack([np.exp(theta[:, 0]), logistic(theta[:, 1]), np.exp(theta[:, 2:])]),
    )
    time = h.sum(axis=0) if looked.any() else np.ones(n)
    known = Posterior(found, np.zeros(n), np.zeros(n), 1.0, 0.0)
    return Posterior(found, known.cases, known.hours, float(known.mean @ time / time.sum()), 0.0)


def forecast(
    cases: ArrayLike,
    hours: ArrayLike,
    links: Any = None,
    *,
    step_days: ArrayLike,
    last_day: float,
    ahead: int = 1,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Cases an hour of looking will find in every reach, in the `ahead`-th step after the last.

    Parameters
    ----------
    cases : (t, n) whole numbers >= 0, cases found by looking; a row a step, the latest last
    hours : (t, n) hours looked, >= 0, weighted by what they find (night, platform); 0 where nobody looked in that step
        (cases there tell nothing of a rate and are left out)
    links : scipy.sparse (n, n), symmetric: an entry that is not 0 wherever two reaches touch. None: no two do
    step_days : days of a step, one for all or (t,): older steps may be longer ones
    last_day : day of the year (1 to 366) on which the last step ends
    ahead : 1 for the step after the last, of the last step's length

    Returns
    -------
    DataFrame (n rows): rate, rate_lo, rate_hi (per hour, `settings.interval`), rr (rate / basin rate), p_hot (P(rate >
    `settings.hot_factor` x basin rate)); the basin's rate is that of the step ahead, over the reaches looked at. Never
    NaN: reaches far from any look have what all share.

    Raises `Usage`: `forecast_shape`, `forecast_value`, `forecast_steps`, `rates_links`, `rates_links_symmetric`.

    Three reaches in a row over two weeks. Cases at one end last week raise it and the reach beside it, where nobody
    looked that week; the same cases a week before would say less.

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[1.0] * 2, [1.0] * 2], [-1, 1])
    >>> hours = [[5.0, 5.0, 5.0], [5.0, 0.0, 5.0]]
    >>> late = forecast([[0, 0, 0], [4, 0, 0]], hours, chain, step_days=7, last_day=100)
    >>> bool(late.rate[0] > late.rate[1] > late.rate[2])
    True
    >>> early = forecast([[4, 0, 0], [0, 0, 0]], hours, chain, step_days=7, last_day=100)
    >>> bool(late.rate[0] > early.rate[0])
    True
    """
    settings = settings or Settings()
    known = predict(cases, hours, links, step_days=step_days, last_day=last_day, ahead=ahead, settings=settings)
    return told(known, settings.hot_factor, settings.interval)


def _middles(step_days: ArrayLike, last_day: float, ahead: int, t: int) -> Floats:
    """Middles of the t steps and of the one ahead, days since the last year's turn."""
    days = np.asarray(step_days, dtype=float)
    good = days.ndim == 0 or days.shape == (t,)
    if not (good and np.isfinite(days).all() and (days > 0).all() and 1 <= last_day <= 366 and ahead >= 1):
        raise Usage("forecast_steps", step_days=str(step_days), last_day=str(last_day), ahead=str(ahead), t=t)
    days = np.broadcast_to(days, (t,))
    end = last_day - np.append(np.cumsum(days[:0:-1])[::-1], 0.0)
    return np.append(end - 0.5 * days, last_day + (ahead - 0.5) * days[-1])


def _checked(cases: ArrayLike, hours: ArrayLike, links: Any) -> tuple[Floats, Floats, Any]:
    """Cases (0 where nobody looked), hours and links as arrays, or an error that names the step and the position."""
    y, h = np.asarray(cases, dtype=float), np.asarray(hours, dtype=float)
    if y.ndim != 2 or y.shape != h.shape or y.size == 0:
        raise Usage("forecast_shape", cases=str(y.shape), hours=str(h.shape))
    for what, value, good in (("cases", y, (y >= 0) & (y == np.floor(y))), ("hours", h, h >= 0)):
        bad = np.argwhere(~(np.isfinite(value) & good))
        if len(bad):
            step, position = bad[0].tolist()
            raise Usage("forecast_value", what=what, step=step, position=position, value=float(value[step, position]))
    n = y.shape[1]
    return np.where(h > 0, y, 0.0), h, neighbours(links, n)
