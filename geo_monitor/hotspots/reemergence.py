"""Re-emergence watch: a place was hot, was treated and went quiet. Has it come back, and has anybody looked?

In: cases and hours looked by step and reach (t, n), oldest step first; which cells were hot, which were treated.
Out: the places to watch (`spells`) and a row for each (`watch`); `relapse.py` draws the Kaplan-Meier curve from it.

The posterior (`back`): in a place the rate per hour of looking is q below the hot threshold T = hot_factor x basin
rate until some step tau, and r above it from then on. A single change of a Poisson rate with gamma priors (Raftery &
Akman 1986, Biometrika 73:85-89), with a constant chance of the change per step (Shiryaev 1963, Theory of Probability
and its Applications 8:22-46). With a = 1/c^2, b = a / basin (c: `spread_prior_mean`), both levels take the basin's law
Gamma(a, rate b), cut at T; Y0, H0 and Y1, H1 are cases and hours before and from tau on:

    P(cases | tau) ~ M(Y0, H0) F(T; a+Y0, b+H0)/F(T; a, b)  x  M(Y1, H1) (1-F(T; a+Y1, b+H1))/(1-F(T; a, b))
    M(Y, H) = gamma(a+Y) b^a / (gamma(a) (b+H)^(a+Y)),      P(tau = s) = rho (1-rho)^s,   rho = 1 - 2^(-step/half)

F is the gamma law's distribution function (M: Poisson counts under a gamma rate, without what is the same for every
tau). p_back at step k is the posterior probability of tau <= k.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Spell:
    """A place that was hot and was treated: connected reaches, the steps of the heat, where the watch begins.

    `members`: reaches, ascending. `hot_from`, `hot_to`: first and last hot step. `treatment`: code of the treatment.
    `start`: first step of the watch, the one after the treatment (= number of steps: the watch begins with the next
    data). `again`: first hot step of a later treated spell of the same place, or None.
    """

    members: tuple[int, ...]
    hot_from: int
    hot_to: int
    start: int
    treatment: int = 1
    again: int | None = None


def spells(
    hot: ArrayLike,
    hours: ArrayLike,
    links: Any,
    treated: ArrayLike,
    *,
    step_days: float = 7.0,
    settings: Settings | None = None,
) -> list[Spell]:
    """The places that were hot, were treated and then were no longer seen hot.

    Parameters
    ----------
    hot : (t, n) bool; or float Gi* scores, hot at z >= `step_z`, NaN where nobody looked
    hours : (t, n) hours looked
    links : scipy.sparse (n, n), an entry wherever two reaches touch
    treated : (t, n) whole numbers: 0 none, else the code of a treatment (crackdown, patrol surge, warning); or bool
    step_days : days a step lasts

    Rules
    -----
    1. Hot cells (step, reach) belong together where their reaches touch in one step, and where one reach is hot in
       two steps between which nobody looked at it (under `step_looked_h`): it was not seen quiet.
    2. Such a spell was treated if one of its reaches was in a step within `reemergence_near_days` of its last hot step,
       and not before its first. Of several treatments the last counts, to the end of its unbroken run of steps.
    3. The watch begins with the step after that run, or after the last hot step where that is later.
    4. A later treated spell is the same place where it shares at least half of the reaches of the smaller of the two. One
       that begins by then means that the place never went quiet: the later one stands for both.

    Ordered by start, first hot step, first member. Raises `Usage`: `reemergence_shape`, `reemergence_value`,
    `reemergence_links`, `reemergence_step_days`.

    Two reaches in a row, hot together in steps 0 and 1, treated in step 1:

    >>> import scipy.sparse as sp
    >>> pair = sp.csr_matrix([[0, 1], [1, 0]])
    >>> hot = [[True, False], [True, True], [False, False]]
    >>> spells(hot, [[5, 5]] * 3, pair, [[0, 0], [0, 1], [0, 0]])
    [Spell(members=(0, 1), hot_from=0, hot_to=1, start=2, treatment=1, again=None)]
    """
    settings = settings or Settings()
    h = _grid(hours, None, "hours")
    t, n = h.shape
    given = np.asarray(hot)
    mask = given if given.dtype == bool else given >= settings.step_z  # NaN: not hot
    if mask.shape != h.shape:
        raise Usage("reemergence_shape", name="hot", expected=str(h.shape), shape=str(mask.shape))
    code = _grid(treated, h.shape, "treated", whole=True).astype(np.int64)
    if links.shape != (n, n):
        raise Usage("reemergence_links", links=str(links.shape), n=n)
    near = _steps(settings.reemergence_near_days, step_days)
    found = []
    for steps, reaches in together(mask, h >= settings.step_looked_h, links):
        members, first, last = np.unique(reaches), int(steps.min()), int(steps.max())
        course = code[:, members].max(axis=1)  # of two treatments in one step the higher code
        at = np.flatnonzero(course[max(first, last - near) : last + near + 1])
        if len(at) == 0:
            continue
        end = max(first, last - near) + int(at[-1])
        while end + 1 < t and course[end + 1]:
            end += 1
        found.append((max(end, last) + 1, first, tuple(int(i) for i in members), last, int(course[end])))
    found.sort()
    of_reach: dict[int, list[int]] = {}  # reach -> its treated spells
    for number, (_, _, place, _, _) in enumerate(found):
        for reach in place:
            of_reach.setdefault(reach, []).append(number)
    answer = []
    for start, first, place, last, kind in found:
        shared = Counter(number for reach in place for number in of_reach[reach])
        same = (number for number, both in shared.items() if 2 * both >= min(len(place), len(found[number][2])))
        again = min((found[number][1] for number in same if found[number][1] > last), default=None)
        if again is None or again >= start:
            answer.append(Spell(place, first, last, start, kind, again))
    return answer


def watch(
    cases: ArrayLike,
    hours: ArrayLike,
    places: Sequence[Spell],
    *,
    step_days: float = 7.0,
    basin: float | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """What is known of each watched place at the end of the data: a row a place, in the order given.

    Parameters
    ----------
    cases, hours : (t, n); cases where nobody looked (0 hours) say nothing of a rate and are left out
    places : from `spells`, or made by hand
    step_days : days a step lasts
    basin : the basin's rate, cases per hour (default: all cases / all hours; without a case `rate_prior_median`)

    Returns
    -------
    DataFrame (a row a place):
    members (list of reaches), treatment, hot_from, hot_to, watch_from (steps); until (the step in which it was hot
    again and treated again, which ends this watch; null: still on); watch_days since the treatment;
    looked_days: days up to the last look without a gap (0 within a gap); unlooked_days: days since the last look;
    looked_h, cases: since the treatment; hot_rate: cases per hour while hot (posterior mean, Gamma(a, b) prior);
    expected_if_hot = hot_rate x looked_h; p_back at the last step; back_step, back_day, back_unseen (null: not back;
    true: it came back while nobody looked); state; clock_30 ... clock_365; observed_from, observed_to (lists of days:
    when a return would have been seen as it happened; for `relapse.py`).

    Rules
    -----
    Gap: every stretch of whole steps lasting `reemergence_gap_days` or just over must hold `reemergence_looked_h` hours
    over the place and a look at `reemergence_looked_share` of its reaches; the steps of a stretch that does not are
    unlooked. So are, until somebody looks, the steps after the last look, however few.
    Back: in the first step with a case and p_back >= `reemergence_p`; or at `again`, where that is earlier.
    State: back; quiet_not_looked: the last stretch is a gap; quiet: looked at without a gap for as long as the first
    clock and p_back <= 1 - `reemergence_p`; else watching.
    Observed: from the treatment on, and again once a place has been looked at after a gap for `reemergence_gap_days`.
    What is found back within that time came back in the gap, nobody knows when: back_unseen.
    Clock of d days, told by the step in which it ends: relapsed: back by then; not_looked: a gap before then; passed:
    looked at all the way; else running.

    Raises `Usage`: `reemergence_shape`, `reemergence_value`, `reemergence_place`, `reemergence_basin`,
    `reemergence_step_days`.

    Five weeks of 6 h without a case after a week with 3 cases in 6 h: 30 days are over. hot_rate = (a + 3) / (b + 6)
    with a = 1/1.5^2 = 4/9 and b = a / (3 cases / 36 h) = 16/3:

    >>> row = watch([[3], [0], [0], [0], [0], [0]], [[6.0]] * 6, [Spell((0,), 0, 0, 1)]).iloc[0]
    >>> row.state, row.clock_30, row.clock_90, float(row.looked_h), round(float(row.hot_rate), 4)
    ('quiet', 'passed', 'running', 30.0, 0.3039)
    """
    import pandas as pd

    settings = settings or Settings()
    h = _grid(hours, None, "hours")
    y = np.where(h > 0, _grid(cases, h.shape, "cases", whole=True), 0.0)
    t, n = h.shape
    _steps(1.0, step_days)
    if basin is None:
        total, time = float(y.sum()), float(h.sum())
        basin = total / time if total > 0 else settings.rate_prior_median
    elif not (np.isfinite(basin) and basin > 0):
        raise Usage("reemergence_basin", value=basin)
    rows = []
    for number, place in enumerate(places):
        members = np.asarray(place.members, dtype=np.int64)
        inside = (
            len(members) > 0 and members.min() >= 0 and members.max() < n and len(set(place.members)) == len(members)
        )
        if not (inside and 0 <= place.hot_from <= place.hot_to < place.start <= t):
            raise Usage("reemergence_place", place=number, last=n - 1, steps=t)
        rows.append(_row(y[:, members], h[:, members], place, step_days, basin, settings))
    table = pd.DataFrame(rows, columns=_columns(settings))
    whole = ["treatment", "hot_from", "hot_to", "watch_from", "until", "cases", "back_step"]
    real = [
        "watch_days",
        "looked_days",
        "unlooked_days",
        "looked_h",
        "hot_rate",
        "expected_if_hot",
        "p_back",
        "back_day",
    ]
    return table.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(real, "Float64") | {"back_unseen": "boolean"})


def back(
    cases: ArrayLike, hours: ArrayLike, basin: float, step_days: float, settings: Settings | None = None
) -> NDArray[np.float64]:
    """p_back after each of k steps of a watch, (k,): the formula at the head of this file.

    cases, hours : (k,) of the place. `basin` > 0 per hour.

    Nobody looked: what is left is the prior. With half of the places back in a step, 1/2, then 3/4:

    >>> back([0, 0], [0.0, 0.0], basin=0.05, step_days=730.0).round(12).tolist()
    [0.5, 0.75]
    """
    from scipy.special import gammainc, gammaincc, gammaln, logsumexp

    settings = settings or Settings()
    y = np.concatenate([[0.0], np.cumsum(np.asarray(cases, dtype=float))])
    h = np.concatenate([[0.0], np.cumsum(np.asarray(hours, dtype=float))])
    k = len(y) - 1
    a, b, limit = *_prior(basin, settings), settings.hot_factor * basin

    def level(total: NDArray[np.float64], time: NDArray[np.float64], tail: Any) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):  # a tail of 0 rules this tau out: log 0 = -inf is meant
            share = np.log(tail(a + total, limit * (b + time))) - np.log(tail(a, limit * b))
        return gammaln(a + total) - (a + total) * np.log(b + time) - gammaln(a) + a * np.log(b) + share

    below = level(y, h, gammainc)  # no change among the first s steps
    now, tau = np.tril_indices(k)
    above = np.full((k, k), -np.inf)
    above[now, tau] = level(y[now + 1] - y[tau], h[now + 1] - h[tau], gammaincc)
    stay = -np.log(2.0) * step_days / settings.reemergence_half_days  # log (1 - rho)
    change = np.log(-np.expm1(stay)) + stay * np.arange(k) + below[:k] + above
    quiet = stay * np.arange(1, k + 1) + below[1:]
    came = logsumexp(change, axis=1)
    return np.exp(came - np.logaddexp(came, quiet))


def _row(
    y: NDArray[np.float64],
    h: NDArray[np.float64],
    place: Spell,
    step_days: float,
    basin: float,
    settings: Settings,
) -> list[Any]:
    """The row of a place; y, h (t, members)."""
    t = len(y)
    until = place.again if place.again is not None and place.again < t else None
    end = t if until is None else until + 1
    since_y, since_h = y[place.start : end].sum(axis=1), h[place.start : end]
    hours = since_h.sum(axis=1)
    k = len(hours)
    p = back(since_y, hours, basin, step_days, settings)
    alarms = np.flatnonzero((p >= settings.reemergence_p) & (since_y > 0))
    came = int(alarms[0]) if len(alarms) else (None if until is None else k - 1)
    width = _steps(settings.reemergence_gap_days, step_days)
    gap = _gaps(since_h, width, settings)
    seen = _seen(gap, hours)
    last = int(np.flatnonzero(seen)[-1]) + 1 if seen.any() else 0  # steps up to the last look
    run = last - (int(np.flatnonzero(~seen[:last])[-1]) + 1 if (~seen[:last]).any() else 0)
    dark = k > 0 and bool(gap[-1])
    a, b = _prior(basin, settings)
    spell = slice(place.hot_from, place.hot_to + 1)
    hot_rate = (a + y[spell].sum()) / (b + h[spell].sum())
    p_back = float(p[-1]) if k else 0.0
    if came is not None:
        state = "back"
    elif dark:
        state = "quiet_not_looked"
    elif run * step_days >= min(settings.reemergence_clocks) and p_back <= 1 - settings.reemergence_p:
        state = "quiet"
    else:
        state = "watching"
    if came is not None:  # what comes after says nothing of the time to relapse
        gap = _gaps(since_h[: came + 1], width, settings)
        seen = _seen(gap, hours[: came + 1])
    clocks = []
    for days in settings.reemergence_clocks:
        over = _steps(days, step_days)
        if came is not None and came < over:
            clocks.append("relapsed")
        elif gap[:over].any():
            clocks.append("not_looked")
        else:
            clocks.append("passed" if last >= over else "running")
    begins, ends = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8))).reshape(-1, 2).T
    begins = np.where(begins > 0, begins + width, 0)
    begins, ends = begins[begins < ends], ends[begins < ends]
    unseen = came is not None and not (len(ends) and ends[-1] == came + 1)
    return [
        list(place.members),
        place.treatment,
        place.hot_from,
        place.hot_to,
        place.start,
        until,
        k * step_days,
        0.0 if dark else run * step_days,
        (k - last) * step_days,
        float(hours.sum()),
        int(since_y.sum()),
        hot_rate,
        hot_rate * float(hours.sum()),
        p_back,
        None if came is None else place.start + came,
        None if came is None else (came + 1) * step_days,
        None if came is None else unseen,
        state,
        *clocks,
        [float(step) * step_days for step in begins],
        [float(step) * step_days for step in ends],
    ]


def _columns(settings: Settings) -> list[str]:
    return [
        *("members", "treatment", "hot_from", "hot_to", "watch_from", "until"),
        *("watch_days", "looked_days", "unlooked_days", "looked_h", "cases", "hot_rate", "expected_if_hot"),
        *("p_back", "back_step", "back_day", "back_unseen", "state"),
        *(f"clock_{days}" for days in settings.reemergence_clocks),
        *("observed_from", "observed_to"),
    ]


def _prior(basin: float, settings: Settings) -> tuple[float, float]:
    """Shape and rate of the gamma law of rates in the basin."""
    shape = 1 / settings.spread_prior_mean**2
    return shape, shape / basin


def _gaps(hours: NDArray[np.float64], width: int, settings: Settings) -> NDArray[np.bool_]:
    """Which steps lie in a stretch of `width` steps that nobody looked at enough; hours (k, members)."""
    k = len(hours)
    gap = np.zeros(k, dtype=bool)
    for begin in range(k - width + 1):
        stretch = hours[begin : begin + width]
        share = (stretch.sum(axis=0) > 0).mean()
        if stretch.sum() < settings.reemergence_looked_h or share < settings.reemergence_looked_share:
            gap[begin : begin + width] = True
    return gap


def _seen(gap: NDArray[np.bool_], hours: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which steps were looked at: in no gap, and not after the last look; gap, hours (k,)."""
    seen = ~gap
    looks = np.flatnonzero(hours > 0)
    seen[looks[-1] + 1 if len(looks) else 0 :] = False
    return seen


def together(
    hot: NDArray[np.bool_], looked: NDArray[np.bool_], links: Any
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The hot cells (steps, reaches) of each spell, by rule 1 of `spells`; hot, looked (t, n), links (n, n)."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components

    number = np.full(hot.shape, -1, dtype=np.int64)
    steps, reaches = np.nonzero(hot)
    number[steps, reaches] = np.arange(len(steps))
    if len(steps) == 0:
        return []
    touch = sp.coo_matrix(links)
    pairs = []
    last = np.full(hot.shape[1], -1, dtype=np.int64)  # the reach's last hot cell, not seen quiet since
    for step in range(len(hot)):
        side = hot[step, touch.row] & hot[step, touch.col]
        pairs.append(np.column_stack([number[step, touch.row[side]], number[step, touch.col[side]]]))
        on = np.flatnonzero(hot[step] & (last >= 0))
        pairs.append(np.column_stack([last[on], number[step, on]]))
        last = np.where(hot[step], number[step], np.where(looked[step], -1, last))
    edges = np.concatenate(pairs)
    graph = sp.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(steps), len(steps)))
    count, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    cuts = np.searchsorted(label[order], np.arange(1, count))
    return [(steps[cells], reaches[cells]) for cells in np.split(order, cuts)]


def _steps(days: float, step_days: float) -> int:
    """Whole steps that last at least `days`, at least one."""
    if not (np.isfinite(step_days) and step_days > 0):
        raise Usage("reemergence_step_days", days=step_days)
    return max(1, int(np.ceil(days / step_days - 1e-9)))


def _grid(values: ArrayLike, shape: tuple[int, int] | None, name: str, whole: bool = False) -> NDArray[np.float64]:
    """`values` as (t, n), checked."""
    grid = np.asarray(values, dtype=float)
    if grid.ndim != 2 or (shape is not None and grid.shape != shape):
        raise Usage("reemergence_shape", name=name, expected=str(shape or "(t, n)"), shape=str(grid.shape))
    bad = np.argwhere(~(np.isfinite(grid) & (grid >= 0) & (not whole or grid == np.floor(grid))))
    if len(bad):
        step, reach = (int(i) for i in bad[0])
        raise Usage("reemergence_value", name=name, step=step, reach=reach, value=float(grid[step, reach]))
    return grid
