"""How long does a treated place stay quiet? Kaplan-Meier over the stretches that somebody looked at.

In: stretches of observation in days since the treatment and whether each ended with the place back. Out: the curve.

Time that nobody looked is not quiet: a stretch ends, censored, at the last look before a gap. The place enters again
(delayed entry) once it has been looked at after the gap long enough to be known not to be back; so it counts among
those at risk only on days on which a return would have been seen as it happened. A place found back sooner came back
while nobody looked: it was not at risk then, so counting it as a relapse of that day would put all that came back in
the gap on the few days after it (docs/methods-reemergence.md measures how wrong that is). With d_i relapses among the n_i at risk on day t_i (entry < t_i <= exit), Kaplan & Meier
1958 (Journal of the American Statistical Association 53:457-481):

    S(t) = prod over t_i <= t of (1 - d_i / n_i)

The interval is that of log(-log S) with Greenwood's variance (Kalbfleisch & Prentice 2002, The Statistical Analysis of
Failure Time Data, section 1.4), which says nothing as long as S = 1 or once S = 0; there:
before the first relapse lo = ((1 - interval) / 2)^(1 / n), the exact binomial bound of no event among n at risk
(Clopper & Pearson 1934, Biometrika 26:404-413), hi = 1; with S = 0, lo = 0 and hi stays what it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


def stretches(watched: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """entry, leave, event for `relapse_curve` from the table of `watch`: a value a stretch of observation.

    >>> import pandas as pd
    >>> row = {"observed_from": [[0.0, 70.0]], "observed_to": [[28.0, 84.0]], "back_unseen": [False]}
    >>> [column.tolist() for column in stretches(pd.DataFrame(row))]
    [[0.0, 70.0], [28.0, 84.0], [False, True]]
    """
    entry: list[float] = []
    leave: list[float] = []
    event: list[bool] = []
    came = watched["back_unseen"].eq(False).fillna(False).tolist()  # null: not back; true: back out of sight
    for begins, ends, back in zip(watched["observed_from"], watched["observed_to"], came, strict=True):
        entry += list(begins)
        leave += list(ends)
        event += [False] * (len(ends) - 1) + [back] if len(ends) else []
    return np.array(entry, dtype=float), np.array(leave, dtype=float), np.array(event, dtype=bool)


def relapse_curve(
    entry: ArrayLike,
    leave: ArrayLike,
    event: ArrayLike,
    *,
    clocks: tuple[int, ...] | None = None,
    interval: float | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Share of treated places that are not back, by days since the treatment.

    Parameters
    ----------
    entry, leave : (m,) days, 0 <= entry < leave; from `stretches`
    event : (m,) bool: the stretch ended with the place back (else censored: end of the data, or a gap)
    clocks : days the curve is also read off at (default: `reemergence_clocks`)
    interval : probability of lo..hi (default: `settings.interval`, 0.90)

    Returns
    -------
    DataFrame, a row for day 0, each day on which a stretch ends, and each clock, ascending: days; at_risk (stretches
    with entry < days <= leave; on day 0: entry = 0); relapsed, censored (ending on that day; a place that is looked at
    again after a gap is censored once and enters once more); survival, lo, hi; clock (bool). survival, lo and hi are
    null on clocks after the last day up to which places were under observation without a break: nobody knows. Stretches
    that begin after that day are left out.

    Raises `Usage`: `relapse_shape`, `relapse_interval`.

    Four places, back on days 10 and 30, one censored on day 20, one still quiet on day 40: S = 3/4, then 3/4 x 1/2.

    >>> curve = relapse_curve([0, 0, 0, 0], [10, 20, 30, 40], [True, False, True, False], clocks=(30, 90))
    >>> curve.days.tolist(), curve.at_risk.tolist()
    ([0.0, 10.0, 20.0, 30.0, 40.0, 90.0], [4, 4, 3, 2, 1, 0])
    >>> [round(float(s), 12) for s in curve.survival[:5]], bool(curve.survival.isna()[5])
    ([1.0, 0.75, 0.75, 0.375, 0.375], True)
    """
    import pandas as pd

    settings = settings or Settings()
    clocks = settings.reemergence_clocks if clocks is None else clocks
    tail = (1 - (settings.interval if interval is None else interval)) / 2
    begin, end, came = _checked(entry, leave, event)
    reach = _reach(begin, end)
    known = begin < reach
    begin, end, came = begin[known], end[known], came[known]
    days = np.unique(np.concatenate([np.zeros(int(reach > 0)), end, np.asarray(clocks, dtype=float)]))
    at_risk = np.array([int(((begin < day) & (day <= end)).sum()) for day in days])
    relapsed = np.array([int((came & (end == day)).sum()) for day in days])
    censored = np.array([int((~came & (end == day)).sum()) for day in days])
    survival, lo, hi = np.full(len(days), np.nan), np.full(len(days), np.nan), np.full(len(days), np.nan)
    if reach > 0:
        inside = days <= reach
        survival[inside], lo[inside], hi[inside] = _kaplan_meier(begin, end, came, days[inside], tail)
        before = inside & (np.cumsum(relapsed) == 0)
        lo[before], hi[before] = tail ** (1 / np.maximum(at_risk[before], 1)), 1.0
        lo[days == 0] = 1.0  # on the day of the treatment nothing has had time to come back
        at_risk[days == 0] = int((begin == 0).sum())
        for i in np.flatnonzero(survival == 0):
            lo[i], hi[i] = 0.0, hi[i - 1]
    return pd.DataFrame(
        {
            "days": days,
            "at_risk": at_risk,
            "relapsed": relapsed,
            "censored": censored,
            "survival": pd.array(survival, dtype="Float64"),
            "lo": pd.array(lo, dtype="Float64"),
            "hi": pd.array(hi, dtype="Float64"),
            "clock": np.isin(days, clocks),
        }
    )


def _kaplan_meier(
    entry: NDArray[np.float64],
    leave: NDArray[np.float64],
    event: NDArray[np.bool_],
    days: NDArray[np.float64],
    tail: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """survival, lo, hi on `days`, by lifelines."""
    from lifelines import KaplanMeierFitter

    with np.errstate(divide="ignore", invalid="ignore"):  # log 0 where S = 0 or 1: the caller gives those bounds
        fit = KaplanMeierFitter(alpha=2 * tail).fit(leave, event, entry=entry)
    at = np.searchsorted(fit.survival_function_.index.to_numpy(dtype=float), days, side="right") - 1
    bounds = fit.confidence_interval_.to_numpy(dtype=float)
    return fit.survival_function_.to_numpy(dtype=float)[at, 0], bounds[at, 0], bounds[at, 1]


def _reach(entry: NDArray[np.float64], leave: NDArray[np.float64]) -> float:
    """Last day up to which, from day 0 on, some place was always under observation."""
    reach = 0.0
    for i in np.argsort(entry, kind="stable"):
        if entry[i] > reach:
            break
        reach = max(reach, float(leave[i]))
    return reach


def _checked(
    entry: ArrayLike, leave: ArrayLike, event: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    begin, end = np.asarray(entry, dtype=float), np.asarray(leave, dtype=float)
    came = np.asarray(event, dtype=bool)
    if begin.ndim != 1 or end.shape != begin.shape or came.shape != begin.shape:
        raise Usage("relapse_shape", entry=str(begin.shape), exit=str(end.shape), event=str(came.shape))
    bad = np.flatnonzero(~(np.isfinite(end) & (begin >= 0) & (begin < end)))
    if len(bad):
        raise Usage("relapse_interval", position=int(bad[0]), entry=float(begin[bad[0]]), exit=float(end[bad[0]]))
    return begin, end, came
