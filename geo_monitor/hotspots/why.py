"""Why here? What stands behind the rate of a reach, and what one more shift there would teach.

In: the posterior of the rates, cases, hours, distances by water. Out: a row a reach.

- Taken apart: `rate_alone` is what the reach's neighbours and the basin say without its own cases and hours (the mean of
  the cavity, see `field.py`); from there its own data bring it to `rate`.
- What more looking would teach: after `shift_h` more hours there y' cases are found, each y' with its predictive
  probability; `narrowing` is the expected share by which the interval shrinks on the log scale, averaged over y'
  (preposterior analysis: Raiffa & Schlaifer 1961, Applied Statistical Decision Theory, chapter 4). What neighbours learn
  from it is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.rates import Posterior
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def why(known: Posterior, which: ArrayLike, distance_within: Any, *, settings: Settings | None = None) -> pd.DataFrame:
    """What stands behind the rate of the reaches `which` (k,), positions of reaches.

    `distance_within`: scipy.sparse (n, n), metres by water up to `settings.why_near_m`, self excluded.

    Returns
    -------
    DataFrame (k rows): cases, hours, rate, rate_lo, rate_hi; rate_alone (per hour; without the reach's own data);
    near_cases, near_hours (of the reaches within `why_near_m`, without the reach itself); like (position of the
    nearest reach with hours within `why_alike` of the reach's, -1 where there is none), like_m (metres to it; null
    without), narrowing (0-1).

    Raises `Usage("why_shape")`.

    Nobody looked at the middle one of three; its ten neighbouring hours found 4 cases. A shift there teaches more than
    one where ten shifts were spent:

    >>> import scipy.sparse as sp
    >>> from geo_monitor.hotspots.rates import posterior
    >>> chain = sp.diags([[500.0] * 2, [500.0] * 2], [-1, 1]).tocsr()
    >>> told = why(posterior([2, 0, 2], [5.0, 0.0, 5.0], chain), [0, 1], chain)
    >>> told[["cases", "hours", "near_cases", "near_hours", "like"]].values.tolist()
    [[2.0, 5.0, 0.0, 0.0, -1.0], [0.0, 0.0, 4.0, 10.0, -1.0]]
    >>> bool(told.narrowing[1] > told.narrowing[0] > 0)
    True
    """
    import pandas as pd

    settings = settings or Settings()
    at = np.asarray(which, dtype=np.int64)
    n = len(known.cases)
    if at.ndim != 1 or distance_within.shape != (n, n) or (len(at) and not (at.min() >= 0 and at.max() < n)):
        raise Usage("why_shape", which=str(at.shape), distances=str(distance_within.shape), n=n)
    low, high = (1 - settings.interval) / 2, (1 + settings.interval) / 2
    rate, lo, hi = known.mean[at], known.quantile(low)[at], known.quantile(high)[at]
    near = distance_within.tocsr()[at]
    like, like_m = _alike(known.hours, at, near, settings.why_alike)
    touch = near.copy()
    touch.data = np.ones_like(touch.data)
    return pd.DataFrame(
        {
            "cases": known.cases[at],
            "hours": known.hours[at],
            "rate": rate,
            "rate_lo": lo,
            "rate_hi": hi,
            "rate_alone": known.at(at, np.zeros(len(at)), np.zeros(len(at))).mean,
            "near_cases": touch @ known.cases,
            "near_hours": touch @ known.hours,
            "like": like,
            "like_m": like_m,
            "narrowing": _narrowing(known, at, np.log(hi / lo), low, high, settings),
        }
    )


def _narrowing(
    known: Posterior, at: NDArray[np.int64], width: Floats, low: float, high: float, settings: Settings
) -> Floats:
    """Expected share by which log(hi / lo) shrinks after one more shift."""
    now = known.at(at, known.cases[at], known.hours[at])
    left, total = np.ones(len(at)), np.zeros(len(at))
    found = 0
    while len(at) and left.max() > settings.why_rest and found < settings.why_cases:
        chance = now.predictive(found, settings.shift_h)
        then = known.at(at, known.cases[at] + found, known.hours[at] + settings.shift_h)
        total += chance * (1 - np.log(then.quantile(high) / then.quantile(low)) / width)
        left -= chance
        found += 1
    # the few outcomes beyond are taken as the average of those before
    return np.clip(total / np.maximum(1 - left, 1e-12), 0.0, 1.0)


def _alike(hours: Floats, at: NDArray[np.int64], near: Any, factor: float) -> tuple[NDArray[np.int64], Floats]:
    """Nearest reach by water with hours within `factor` of the reach's, (k,): position and metres."""
    like, metres = np.full(len(at), -1, dtype=np.int64), np.full(len(at), np.nan)
    entries = near.tocoo()
    row, column, distance = entries.row, entries.col, entries.data
    mine, other = hours[at[row]], hours[column]
    fit = (mine > 0) & (other > 0) & (other <= factor * mine) & (mine <= factor * other) & (column != at[row])
    row, column, distance = row[fit], column[fit], distance[fit]
    order = np.lexsort([column, distance, row])
    row, column, distance = row[order], column[order], distance[order]
    first = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.zeros(0, np.int64)
    like[row[first]], metres[row[first]] = column[first], distance[first]
    return like, metres
