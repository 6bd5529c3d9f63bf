"""Gi* step by step: was a reach part of a stretch where rates were high (or low), in each 28 days by itself?

In: cases and hours by step and reach, distances by water. Out: z (t, n), NaN where nobody looked; `emerging` names it.

Of one step, over its n looked reaches: x_j is the posterior mean rate of the exchangeable model (`exchangeable.py`: drawn
to the basin's mean, nothing from neighbours, or Gi* would smooth twice). Gi* of Ord & Getis (1995, Geographical Analysis
27:286-306) compares the sum over the reaches within 2 km, itself included, with what the mean over all would give, in
units of its sd, and takes all x to be equally uncertain. Rates are not: one drawn hard to the mean hardly moves, one from
50 hours does. With one sd for all, stretches much patrolled turn hot and cold by chance far too often, and others never.

So here the sd is that of the reaches' own hours. x_j is linear in its cases y_j, with slope b_j (the mean of
1 / (1/(c^2 m) + h_j)); at the basin's rate r (all cases / all hours) M_j = r h_j cases are expected, and they are
negative binomial of coefficient c as in the model. With H = sum_all h and B_i = sum_near b_j h_j / H,

    z_i = sum_near b_j (y_j - M_j) / sd      sd^2 = sum_near (b_j - B_i)^2 w_j + sum_far B_i^2 w_j

since r itself is made of all cases; w_j = M_j (1 + c^2 M_j) is the variance of y_j. Where all reaches are looked at
alike this is Gi* as it stands, with the model's variance in place of the sample's.
(Assuncao & Reis 1999, Statistics in Medicine 18:2147-2162, divide each rate by such an sd before Moran's I.) The third
cumulants of y_j, w_j (1 + 2 c^2 M_j), give the skewness g of the sum alike: few cases make few high sums and many low
ones, and z passes 1.96 by chance too often. The cube root of Wilson & Hilferty (1931, PNAS 17:684-688),

    6/g ((1 + g z / 2)^(1/3) - 1) + g/6

takes the long tail in; it is used for z > 0 (of g > 0) where it is below z. On the short side z needs nothing: no case
where 3.84 were expected is z = -1.96, and has a chance of 2.1 %.

docs/methods-emerging.md has what this does on worlds without and with a pocket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.exchangeable import posterior
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SKEWED = 1.0  # skewness beyond is taken for this: the cube root holds for gamma laws of shape 4 / g^2 >= 4


def gi_series(
    cases: ArrayLike, hours: ArrayLike, distance_within: Any, settings: Settings | None = None
) -> NDArray[np.float64]:
    """z of Gi* by step and reach, (t, n): where all reaches have one rate, 1.96 is passed by at most about
    2.5 % on either side.

    Parameters
    ----------
    cases : (t, n) whole numbers >= 0; where nobody looked they are not used
    hours : (t, n) hours looked, >= 0; a step counts as looked at from `settings.step_looked_h` (1 h)
    distance_within : scipy.sparse (n, n), symmetric: an entry wherever two reaches lie within the band by water (2 km)

    NaN where not looked, and where one reach alone was looked at: it has nothing to be compared with. 0 where a
    reach's neighbours are all looked reaches there are, and in a step without any case. Steps know nothing of each
    other.

    Raises `Usage`: `series_shape`, `rates_cases`, `rates_hours`.

    Three reaches looked at for 6 h, no neighbours: one is above the others, and nobody looked at the fourth.

    >>> import scipy.sparse as sp
    >>> z = gi_series([[5, 0, 0, 9]], [[6.0, 6.0, 6.0, 0.5]], sp.csr_matrix((4, 4)))[0]
    >>> bool(z[0] > 0 > z[1]), bool(z[1] == z[2]), bool(np.isnan(z[3]))
    (True, True, True)
    """
    settings = settings or Settings()
    y, h = np.asarray(cases, dtype=float), np.asarray(hours, dtype=float)
    n = y.shape[-1] if y.ndim else 0
    if y.ndim != 2 or y.shape != h.shape or distance_within.shape != (n, n):
        raise Usage("series_shape", cases=str(y.shape), hours=str(h.shape), distances=str(distance_within.shape))
    bad = np.argwhere(~np.isfinite(h) | (h < 0))
    if len(bad):  # NaN hours would pass for not looked at
        raise Usage("rates_hours", position=int(bad[0, 1]), value=float(h[tuple(bad[0])]), count=len(bad))
    near = distance_within.tocsr()
    z = np.full(y.shape, np.nan)
    for step in range(len(y)):
        index = np.flatnonzero((h[step] >= settings.step_looked_h) & (h[step] > 0))
        z[step, index] = _step(y[step, index], h[step, index], near[index][:, index], settings)
    return z


def _step(y: NDArray[np.float64], h: NDArray[np.float64], near: Any, settings: Settings) -> NDArray[np.float64]:
    n = len(y)
    if n < 2:
        return np.full(n, np.nan)
    known = posterior(y, h, looked=np.ones(n, dtype=bool), settings=settings)
    pairs = near.tocoo()
    off = pairs.row != pairs.col  # a reach is its own neighbour once, whether or not the matrix says so

    def around(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return value + np.bincount(pairs.row[off], weights=value[pairs.col[off]], minlength=n)

    compared = around(np.ones(n)) < n - 0.5
    if known.crude == 0 or not compared.any():
        return np.zeros(n)  # no case in any hours, or one neighbourhood: nothing stands out
    b = (known.scale @ known.weight)[known.which]
    mean = known.crude * h
    some = int(np.argmin(y))
    c2_mean = mean * np.exp(-np.log(known.shape[known.which[some]] - y[some]) @ known.weight)  # c^2 at its log mean
    w = mean * (1 + c2_mean)
    third = w * (1 + 2 * c2_mean)
    basin = around(b * h) / h.sum()
    variance = around(b**2 * w) - 2 * basin * around(b * w) + basin**2 * w.sum()
    skew = around(b**3 * third) - 3 * basin * around(b**2 * third) + 3 * basin**2 * around(b * third)
    skew -= basin**3 * third.sum()
    variance[~compared] = 1.0
    z = around(b * (y - mean)) / np.sqrt(variance)
    g = skew / variance**1.5
    side = np.where(g < 0, -1.0, 1.0)  # where the long tail is: low only where the neighbourhood is nearly everybody
    tail, g = side * z, np.clip(np.abs(g), 1e-6, SKEWED)  # the limit g -> 0 is z itself
    tail = np.where(tail > 0, np.minimum(tail, 6 / g * (np.cbrt(1 + g * tail / 2) - 1) + g / 6), tail)
    return np.where(compared, side * tail, 0.0)


def step_of(day: ArrayLike, last_day: int, step_days: int, *, first_day: int) -> NDArray[np.int64]:
    """Step of each day, 0 = oldest full step; -1 before it and after `last_day`.

    day : whole days, any shape, counted from any fixed day in Asia/Shanghai; first_day, last_day : the period, both
    inclusive, counted alike. Steps of `step_days` are counted back from `last_day`; days left over at the start make
    no step. The period is asked for and not taken from the days at hand, so that cases and hours share their steps.

    Raises `Usage("series_step_days")`.

    A period of days 0 to 9 in steps of 4: days 2-5 are step 0, days 6-9 step 1.

    >>> step_of([0, 1, 2, 5, 6, 9, 10], 9, 4, first_day=0).tolist()
    [-1, -1, 0, 0, 1, 1, -1]
    """
    if step_days < 1 or step_days != int(step_days) or first_day > last_day:
        raise Usage("series_step_days", days=step_days, first=first_day, last=last_day)
    steps = (last_day - first_day + 1) // int(step_days)
    back = (last_day - np.asarray(day, dtype=np.int64)) // int(step_days)
    return np.where((back >= 0) & (back < steps), steps - 1 - back, -1)
