"""Which reaches were part of a hot place, step by step, beyond what chance brings somewhere on a river.

In: Gi* scores, cases and hours by step and reach, links. Out: hot cells (t, n) for `reemergence.spells`.

Gi* is high in every reach within 2 km of a hot place, and in one cell of forty by chance. For a class that does no harm;
a watch would take the reaches beside a place for the place, and chance for a place. So a cell is hot only where

1. its Gi* is (z >= `step_z`) and the reach itself had more cases than the rate of all looked reaches in that step gives,
2. among the cells that hang together (`reemergence.together`) its reach was hot in at least half as many steps as the
   reach hot in most,
3. and the cells that still hang together then have so many cases that the chance of as many, Poisson, times the number
   of all looked cells (Bonferroni: places are picked for being the worst) is at most `reemergence_chance`.

A place hot before and after a few steps was not seen quiet in them, and counts as hot throughout, unless there were so
few cases that the chance of so few at its hot rate is at most `reemergence_chance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.reemergence import together
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

CORE = 0.5  # of the steps of the reach hot in most


def heat(
    z: ArrayLike, cases: ArrayLike, hours: ArrayLike, links: Any, settings: Settings | None = None
) -> NDArray[np.bool_]:
    """Hot cells (t, n).

    Parameters
    ----------
    z : (t, n) Gi* of `series.gi_series`, NaN where nobody looked
    cases, hours : (t, n); cells under `step_looked_h` count for nothing
    links : scipy.sparse (n, n), an entry wherever two reaches touch

    Raises `Usage("heat_shape")`.

    Three reaches in a row, 10 h each; the first has all 12 cases of a step, 4 are expected there. P(12 or more) = 0.0009,
    over 3 looked cells 0.003. The reach beside it is near the place, not in it:

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[1.0] * 2, [1.0] * 2], [-1, 1])
    >>> heat([[3.0, 2.5, 0.0]], [[12, 0, 0]], [[10.0] * 3], chain).tolist()
    [[True, False, False]]
    >>> bool(heat([[3.0, 2.5, 0.0]], [[3, 0, 0]], [[10.0] * 3], chain).any())
    False
    """
    from scipy.stats import poisson

    settings = settings or Settings()
    score, y, h = np.asarray(z, dtype=float), np.asarray(cases, dtype=float), np.asarray(hours, dtype=float)
    if score.ndim != 2 or not score.shape == y.shape == h.shape or links.shape != (score.shape[1],) * 2:
        raise Usage("heat_shape", z=str(score.shape), cases=str(y.shape), hours=str(h.shape), links=str(links.shape))
    looked = h >= settings.step_looked_h
    y, h = np.where(looked, y, 0.0), np.where(looked, h, 0.0)
    total = h.sum(axis=1, keepdims=True)
    expected = h * np.divide(y.sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0)
    hot = (score >= settings.step_z) & (y > expected)  # NaN: not hot
    for steps, reaches in together(hot, looked, links):
        times = np.bincount(reaches, minlength=hot.shape[1])
        stray = times[reaches] < CORE * times.max()
        hot[steps[stray], reaches[stray]] = False
    for steps, reaches in together(hot, looked, links):
        found, usual = y[steps, reaches].sum(), expected[steps, reaches].sum()
        if poisson.sf(found - 1, usual) * looked.sum() > settings.reemergence_chance:
            hot[steps, reaches] = False
    return _bridged(hot, y, h, looked, links, settings.reemergence_chance)


def _bridged(
    hot: NDArray[np.bool_], y: Floats, h: Floats, looked: NDArray[np.bool_], links: Any, chance: float
) -> NDArray[np.bool_]:
    """`hot` with the steps between two spells of a place in which it was not seen quiet."""
    from scipy.stats import poisson

    spells = sorted(together(hot, looked, links), key=lambda cells: int(cells[0].min()))
    filled = hot.copy()
    for number, (steps, reaches) in enumerate(spells):
        begin = steps.min()
        before = [one for one in spells[:number] if one[0].max() < begin and np.isin(one[1], reaches).any()]
        if not before:
            continue
        last = max(before, key=lambda one: int(one[0].max()))
        shared = np.intersect1d(last[1], reaches)
        own = [np.isin(one[1], shared) for one in (last, (steps, reaches))]
        cells = tuple(np.concatenate([last[axis][own[0]], (steps, reaches)[axis][own[1]]]) for axis in (0, 1))
        gap = np.ix_(np.arange(last[0].max() + 1, begin), shared)
        if poisson.cdf(y[gap].sum(), h[gap].sum() * y[cells].sum() / h[cells].sum()) > chance:
            filled[gap] = looked[gap]
    return filled
