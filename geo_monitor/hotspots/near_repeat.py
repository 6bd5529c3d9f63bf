"""Near repeat: after a case, is the same place or the next one at higher risk for a while, and for how long?

In: cases (reach, day), hours looked by day and reach, distances by water. Out: a row a distance and time band.

Knox (1964, Applied Statistics 13:25-30) counts pairs of cases near in place and time and compares with what chance
gives; Johnson et al. (2007, Journal of Quantitative Criminology 23:201-219) lay the pairs out in bands. Both shuffle
the days among the cases, which supposes that every place is looked at every day alike. Here patrols come in campaigns,
and a campaign makes pairs near in place and time out of nothing. So chance means here: in reach i on day t

    cases ~ Poisson(a_i b_p h_it)      a_i: any risk of the reach, b_p: any level of the basin in period p (7 days)

given how many cases each reach and each period had. Then a_i and b_p drop out and only the hours h_it count:

    P(the cases' days) ~ product over cases of h[reach of the case, its day].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.gistar import benjamini_hochberg
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

PROPOSALS = 20  # exchanges proposed per case between two draws; p is exact with any number, more give power


@dataclass(frozen=True)
class NearRepeat:
    """What the test says.

    `bands`: a row a distance and time band, nearest and shortest first. Columns km_from, km_to (km_from < distance <=
    km_to; 0 to 0 is the same reach), days_from, days_to (whole days apart, both inclusive), observed (pairs), expected
    (mean of the null), expected_lo, expected_hi (5 % and 95 % of the null), ratio (observed / expected; null where
    expected is 0), p_value, q_value, raised (answered, more than expected
    and q within `near_repeat_q`), in_window.

    `window_km`, `window_days`: ends of the furthest raised bands with more pairs than expected all the way from (same
    reach, soonest); risk has faded beyond. None: nothing is raised there. `faded_km`, `faded_days`: False where the window is the last band asked
    about, so that its end was not seen. `cases` used; `left_out`: on days without hours in their reach.

    `returned`: hours in the reaches of the cases in the 7 days (`near_repeat_period_days`) after each, over those in
    the 7 days before; None without hours before. `answered`: False where that is over `near_repeat_returned` (1.3):
    patrols went back where they found something, so that the hours follow the cases and pairs within a fortnight are
    partly the patrols' own doing. Then nothing is called raised, and the windows are None for want of an answer; p and q
    stand as what the hours alone would say.
    """

    bands: pd.DataFrame
    window_km: float | None
    window_days: float | None
    faded_km: bool
    faded_days: bool
    cases: int
    left_out: int
    returned: float | None
    answered: bool


def near_repeat(
    case_reach: ArrayLike,
    case_day: ArrayLike,
    hours: Any,
    distance_within: Any,
    *,
    permutations: int | None = None,
    seed: int = 0,
    settings: Settings | None = None,
) -> NearRepeat:
    """Near-repeat test of m cases on n reaches over t days.

    Parameters
    ----------
    case_reach : (m,) index of each case's reach
    case_day : (m,) days since the start of `hours`; the fraction is dropped
    hours : (t, n), dense or scipy.sparse, hours looked on each day in each reach
    distance_within : scipy.sparse (n, n), symmetric: metres by water up to the largest band, self excluded
    permutations : worlds drawn from the null (default `settings.near_repeat_permutations`)

    A case on a day without hours in its reach cannot be told from luck; it is left out and counted.

    Raises `Usage`: `near_repeat_shape`, `near_repeat_case`, `near_repeat_hours`, `near_repeat_bands`,
    `near_repeat_permutations`.

    Reach 0 was looked at on days 0 and 1 only, and both cases there lie on them: every draw has its pair within 2 days
    with chance 1, so nothing is raised, however near the two cases are.

    >>> import scipy.sparse as sp
    >>> found = near_repeat([0, 0], [0, 1], [[5.0, 1.0], [5.0, 1.0], [0.0, 1.0]], sp.csr_matrix((2, 2)))
    >>> found.bands.loc[0, ["km_to", "days_to", "observed", "expected", "p_value"]].tolist()
    [0.0, 2.0, 1.0, 1.0, 1.0]
    >>> found.window_days is None
    True
    """
    import pandas as pd

    from geo_monitor.hotspots import near_repeat_kernels as kernels

    settings = settings or Settings()
    draws = settings.near_repeat_permutations if permutations is None else permutations
    if draws < 1:
        raise Usage("near_repeat_permutations", permutations=draws)
    metres, lags = _edges(settings)
    reach, day, effort = _checked(case_reach, case_day, hours, distance_within)
    order = np.lexsort((day, reach))
    reach, day = reach[order], day[order]
    places, place = np.unique(reach, return_inverse=True)
    looked = effort[:, places].tocoo()
    at, on, spent = looked.col.astype(np.int64), looked.row.astype(np.int64), looked.data
    by_place = np.lexsort((on, at))
    at, on, spent = at[by_place], on[by_place], spent[by_place]

    span = max(int(settings.near_repeat_period_days), 1)
    periods = max(-(-effort.shape[0] // span), 1)
    days = effort.shape[0]
    there = np.isin(place * days + day, at * days + on)
    place, day = place[there], day[there]
    slot = np.arange(len(places))[:, None] * periods + np.arange(periods)
    key = at * periods + on // span
    pair, band = _near(distance_within.tocsr()[places][:, places], metres)
    first = np.searchsorted(place, np.arange(len(places) + 1))
    total = np.r_[0.0, np.cumsum(spent)]
    lag_band = np.searchsorted(lags, np.arange(int(lags[-1]) + 1))
    observed = np.zeros((len(metres), len(lags)), np.int64)
    kernels.count(day, first, pair, band, lag_band, observed)
    null = kernels.null_counts(
        np.random.default_rng(seed),
        draws,
        PROPOSALS * len(place),
        place,
        day // span,
        np.searchsorted(key, slot),
        np.searchsorted(key, slot, side="right"),
        on,
        total,
        first,
        pair,
        band,
        lag_band,
        len(metres),
    )
    expected = null.mean(axis=0)
    p_value = (1 + (null >= observed).sum(axis=0)) / (1 + draws)
    q_value = benjamini_hochberg(p_value.ravel()).reshape(p_value.shape)
    returned = _returned(place, day, at * days + on, total, days, span)
    answered = returned is None or returned <= settings.near_repeat_returned
    raised = answered & (observed > expected) & (q_value <= settings.near_repeat_q)
    window = _window(observed > expected, raised)
    km, to = np.meshgrid(metres / 1000, lags, indexing="ij")
    km_from, days_from = np.meshgrid(np.r_[0.0, metres[:-1] / 1000], np.r_[0.0, lags[:-1] + 1], indexing="ij")
    low, high = np.quantile(null, [(1 - settings.interval) / 2, (1 + settings.interval) / 2], axis=0)
    columns = {
        "km_from": km_from,
        "km_to": km,
        "days_from": days_from,
        "days_to": to,
        "observed": observed,
        "expected": expected,
        "expected_lo": low,
        "expected_hi": high,
        "ratio": np.divide(observed, expected, out=np.full(expected.shape, np.nan), where=expected > 0),
        "p_value": p_value,
        "q_value": q_value,
        "raised": raised,
        "in_window": window,
    }
    far, late = np.flatnonzero(window.any(axis=1)), np.flatnonzero(window.any(axis=0))
    return NearRepeat(
        bands=pd.DataFrame({name: values.ravel() for name, values in columns.items()}),
        window_km=float(metres[far[-1]] / 1000) if len(far) else None,
        window_days=float(lags[late[-1]]) if len(late) else None,
        faded_km=not window[-1].any(),
        faded_days=not window[:, -1].any(),
        cases=len(place),
        left_out=int((~there).sum()),
        returned=returned,
        answered=answered,
    )


def _returned(
    place: NDArray[np.int64],
    day: NDArray[np.int64],
    key: NDArray[np.int64],
    total: NDArray[np.float64],
    days: int,
    span: int,
) -> float | None:
    """Hours after over hours before, `span` days each, of the cases that have as many days on both sides."""
    inside = (day >= span) & (day + span < days)
    own = (place * days + day)[inside]

    def until(moment: NDArray[np.int64]) -> NDArray[np.float64]:
        return total[np.searchsorted(key, moment)]

    before = float((until(own) - until(own - span)).sum())
    after = float((until(own + span + 1) - until(own + 1)).sum())
    return after / before if before > 0 else None


def _window(more: NDArray[np.bool_], raised: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The raised bands that bands with more pairs than expected, side by side, join to the first (same reach, soonest).

    The bands between need not be raised themselves: the first holds so few pairs that it rarely is.
    """
    from scipy.ndimage import label

    number, _ = label(more)
    return raised & (number == number[0, 0]) & more[0, 0]


def _near(distance: Any, metres: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (u <= v) of places within the last band and the band of each; a place with itself is 0 m."""
    entries = distance.tocoo()
    keep = (entries.row < entries.col) & (entries.data <= metres[-1])
    u, v, away = entries.row[keep], entries.col[keep], entries.data[keep]
    own = np.arange(distance.shape[0])
    pair = np.column_stack([np.r_[own, u], np.r_[own, v]]).astype(np.int64)
    band = np.asarray(np.searchsorted(metres, np.r_[np.zeros(len(own)), away]), dtype=np.int64)
    return pair, band


def _edges(settings: Settings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper ends of the bands: metres and whole days, ascending."""
    metres = np.asarray(settings.near_repeat_km, dtype=float) * 1000
    lags = np.asarray(settings.near_repeat_days, dtype=float)
    for name, values in (("near_repeat_km", metres), ("near_repeat_days", lags)):
        whole = name == "near_repeat_km" or bool((values == np.floor(values)).all())
        if values.ndim != 1 or not len(values) or not (np.diff(np.r_[-1e-9, values]) > 0).all() or not whole:
            raise Usage("near_repeat_bands", name=name)
    return metres, lags


def _checked(
    case_reach: ArrayLike, case_day: ArrayLike, hours: Any, distance_within: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64], Any]:
    import scipy.sparse as sp

    effort = sp.csc_matrix(hours, dtype=float)
    days, n = effort.shape
    reach, day = np.asarray(case_reach, dtype=float), np.floor(np.asarray(case_day, dtype=float))
    if reach.ndim != 1 or reach.shape != day.shape or distance_within.shape != (n, n):
        raise Usage(
            "near_repeat_shape",
            reaches=str(reach.shape),
            days=str(day.shape),
            hours=str(effort.shape),
            distances=str(distance_within.shape),
        )
    bad = np.flatnonzero(~((reach >= 0) & (reach < n) & (reach == np.floor(reach)) & (day >= 0) & (day < days)))
    if len(bad):
        raise Usage("near_repeat_case", position=int(bad[0]), count=len(bad), reaches=n, days=days)
    if not (np.isfinite(effort.data) & (effort.data >= 0)).all():
        raise Usage("near_repeat_hours")
    effort.eliminate_zeros()
    return reach.astype(np.int64), day.astype(np.int64), effort
