"""How did a place become what it is? One of 17 names for the series of its Gi* scores.

In: z (t, n) of Gi*, a row a step, oldest first, NaN where nobody looked. Out: a class a reach.

A step is hot at z >= 1.96 and cold at z <= -1.96. The names follow the emerging hot spot analysis of Esri (ArcGIS Pro,
"How Emerging Hot Spot Analysis works"); docs/methods-emerging.md has every rule, and what a missing step does to each.

The trend is that of Mann (1945, Econometrica 13:245-259) and Kendall (1975, Rank Correlation Methods, 4th ed.): over the
m looked steps

    S = sum over i < j of sign(z_j - z_i),   var S = (m (m-1) (2m+5) - sum over ties of u (u-1) (2u+5)) / 18

and (S - sign S) / sqrt(var S) is taken as standard normal (u: number of equal values in a group of ties; the 1 taken
off |S| is the correction for continuity).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SLACK = 1e-9  # of a share: 0.9 x 10 steps is 9 steps whatever the last bit of 0.9


def emerging(z: ArrayLike, settings: Settings | None = None) -> NDArray[np.object_]:
    """Class of every reach, (n,): hot_new, hot_consecutive, hot_intensifying, hot_persistent, hot_diminishing,
    hot_sporadic, hot_oscillating, hot_historical, the same with cold_, or none.

    z : (t, n), a row a step, oldest first; NaN where nobody looked

    Steps nobody looked at are left out of everything: of the least number of steps, of shares, runs and trend. The last
    step alone must have been looked at, else `none`: every class says something of now.

    Cold classes are the hot classes of -z. So `cold_diminishing` is a cold place that warms, and never hot.

    Raises `Usage`: `emerging_shape`, `emerging_value`.

    Hot in the last step only, in the last two, in all; not looked at in the last; cold, with a step nobody looked at.

    >>> calm = [0.0] * 8
    >>> nan = float("nan")
    >>> emerging(np.transpose([calm + [0, 3], calm + [3, 3], [3.0] * 10])).tolist()
    ['hot_new', 'hot_consecutive', 'hot_persistent']
    >>> emerging(np.transpose([[3.0] * 10 + [nan], [-3.0] * 4 + [nan] + [-3.0] * 6])).tolist()
    ['none', 'cold_persistent']
    """
    settings = settings or Settings()
    score = np.asarray(z, dtype=float)
    if score.ndim != 2:
        raise Usage("emerging_shape", shape=str(score.shape))
    wild = np.argwhere(np.isinf(score))
    if len(wild):
        raise Usage("emerging_value", step=int(wild[0, 0]), reach=int(wild[0, 1]), count=len(wild))
    name = np.full(score.shape[1], "none", dtype=object)
    if len(score) == 0:
        return name
    told = (~np.isnan(score)).sum(axis=0) >= settings.steps_min
    told &= ~np.isnan(score[-1])
    for side, sign in (("hot", 1.0), ("cold", -1.0)):
        kind = _kind(sign * score, settings)
        # a side that was on in 90 % of the steps and is off now goes before what the other side has just begun
        write = told & (kind != "") & ((name == "none") | (kind == "historical"))
        name[write] = [f"{side}_{what}" for what in kind[write]]
    return name


def _kind(score: NDArray[np.float64], settings: Settings) -> NDArray[np.object_]:
    """new, consecutive, ... of the high side, or "", (n,)."""
    looked = ~np.isnan(score)
    hot, cold = score >= settings.step_z, score <= -settings.step_z  # False where NaN
    now, times = hot[-1], hot.sum(axis=0)
    mostly = times >= settings.emerging_share * looked.sum(axis=0) - SLACK
    # hot once, it stayed so: no looked step after the first hot one is not hot
    single = ~(np.maximum.accumulate(hot, axis=0) & looked & ~hot).any(axis=0)
    kind = np.full(score.shape[1], "", dtype=object)
    kind[now] = np.where(cold.any(axis=0), "oscillating", "sporadic")[now]
    kind[now & single] = "consecutive"
    kind[now & (times == 1)] = "new"
    kind[~now & mostly] = "historical"
    strong = np.flatnonzero(now & mostly)
    trend, p = mann_kendall(score[:, strong])
    sure = p < settings.emerging_trend_p
    kind[strong] = np.where(~sure, "persistent", np.where(trend > 0, "intensifying", "diminishing"))
    return kind


def mann_kendall(series: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """S and two-sided p of every column of `series` (t, n); NaN is left out. p = 1 where all values are equal.

    Ten rising values: S = 45, var S = 10 x 9 x 25 / 18 = 125, (45 - 1) / sqrt(125) = 3.935.

    >>> s, p = mann_kendall(np.arange(10.0)[:, None])
    >>> float(s[0]), round(float(p[0]), 6)
    (45.0, 8.3e-05)
    """
    from scipy.special import ndtr

    t, n = series.shape
    looked = ~np.isnan(series)
    s = np.zeros(n)
    alike = looked.astype(float)  # of each value: how many are equal to it, itself included
    for i in range(t):
        for j in range(i + 1, t):
            both = looked[i] & looked[j]
            s += np.where(both, np.sign(series[j] - series[i]), 0.0)
            equal = both & (series[i] == series[j])
            alike[i] += equal
            alike[j] += equal
    m = looked.sum(axis=0).astype(float)
    # a group of u ties has u members that each bring (u - 1) (2u + 5)
    ties = np.where(looked, (alike - 1) * (2 * alike + 5), 0.0).sum(axis=0)
    variance = (m * (m - 1) * (2 * m + 5) - ties) / 18
    deviate = (np.abs(s) - 1) / np.sqrt(np.where(variance > 0, variance, 1.0))
    return s, np.where((variance > 0) & (s != 0), 2 * ndtr(-deviate), 1.0)
