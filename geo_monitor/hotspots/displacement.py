"""Displacement: after an operation, did the rate fall there, and did it rise next door along the water?

In: cases and hours before and after, which reaches were treated, which lie in the rings up- and downstream. Out: a row
an operation with rate ratios, the weighted displacement quotient and a verdict.

In reach i of group g (treated, a ring, or control: all other reaches) cases before and after are Poisson with rates a_i
and a_i f_g. Given their sum n_i, those after are binomial with odds f_g h_after / h_before: the reach's own rate a_i
drops out, so that looking at other reaches than before is not taken for change. The odds differ a little from reach to
reach (cases come in clusters), which makes it beta-binomial (Skellam 1948, JRSS B 10:257-261) with a correlation that
all groups share and the control, being large, mostly tells. What is asked is the ratio f_g / f_control, with a weak
log-normal prior around 1.

Weighted displacement quotient (Bowers & Johnson 2003, Journal of Quantitative Criminology 19:275-301): with A, B, C the
level in treated, rings and control, before and after,

    WDQ = (B'/C' - B/C) / (A'/C' - A/C) = (B / A) (r_ring - 1) / (r_treated - 1),     r_g = f_g / f_control.

Here a level is the sum over its reaches of cases per hour. -1: as much went next door as was prevented; above 0: the
rings fell too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RINGS = ("up", "down", "up_outer", "down_outer")  # ring codes 1 to 4; 0 is control
CORRELATION = np.array([0.0, 0.025, 0.05, 0.1, 0.2, 0.4])  # between cases of a reach in being before or after ...
CORRELATION_MEAN = 0.05  # ... a priori exponential with this mean: the change differs by 40 % from reach to reach
DRAWS = 10_000  # from the posterior: an end of a 90 % interval is then good to 1 % of its width
NODES = 81  # of a log ratio in the range that matters
SPAN = 6.0  # natural log units of change searched either way: 400-fold
DROP = 12.0  # log density below the maximum from which a node is left out


@dataclass(frozen=True)
class _Group:
    """log likelihood (correlations, nodes) of the log change `x` (nodes,), and the reaches it came from."""

    x: Floats
    value: Floats
    total: Floats
    before: Floats
    after: Floats


def displacement(
    cases_before: ArrayLike,
    hours_before: ArrayLike,
    cases_after: ArrayLike,
    hours_after: ArrayLike,
    treated: ArrayLike,
    ring: ArrayLike,
    *,
    seed: int = 0,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """What k operations did to n reaches.

    Parameters
    ----------
    cases_before, hours_before, cases_after, hours_after : (k, n), or (n,) for one operation
    treated : (k, n) bool
    ring : (k, n) 0 control; 1 upstream, 2 downstream; 3, 4 the same farther out; -1 in no group (see `operations.rings`)

    Returns
    -------
    DataFrame (k rows): verdict; fell; p_fell = P(ratio_treated < 1); ratio_treated with _lo, _hi (rate after / before
    over the same of the control, median and 90 % interval); for each ring up, down, up_outer, down_outer: ratio_, _lo,
    _hi and p_rose_ (of its looked reaches; all null where there are none); wdq, wdq_lo, wdq_hi (null unless the treated
    reaches fell and all rings were looked at in half of their reaches); cases_treated_before, cases_treated_after.

    Verdicts: displaced (rings rose on both sides), displaced_up, displaced_down, diffused (a ring fell too), dropped
    (the rings neither rose nor fell), no_change, rose, not_enough_looking. A ring that rises while the treated reaches
    did not fall is no displacement; a fall without a rise, while half of a ring was not looked at, is not_enough_looking.

    Raises `Usage`: `displacement_shape`, `displacement_value`.

    Thirty reaches with the same hours everywhere; the first three are treated, the next three lie upstream, the next
    three downstream. Where treated 60 cases became 6, upstream 30 became 60, elsewhere nothing changed:

    >>> group = np.repeat([0, 1, 2, 3], [3, 3, 3, 21])
    >>> before, after, hours = np.array([20, 10, 10, 5])[group], np.array([2, 20, 10, 5])[group], np.full(30, 50.0)
    >>> answer = displacement(before, hours, after, hours, group == 0, np.array([0, 1, 2, 0])[group])
    >>> answer.verdict[0], bool(answer.ratio_treated_hi[0] < 1 < answer.ratio_up_lo[0])
    ('displaced_up', True)
    """
    import pandas as pd

    settings = settings or Settings()
    counts, spent, mask, code = _checked((cases_before, cases_after), (hours_before, hours_after), treated, ring)
    rows = [
        _judge(counts[:, k], spent[:, k], mask[k], code[k], np.random.default_rng([seed, k]), settings)
        for k in range(len(mask))
    ]
    return pd.DataFrame(rows, columns=list(_empty()))


def _empty() -> dict[str, Any]:
    row: dict[str, Any] = {"verdict": "not_enough_looking", "fell": False, "p_fell": np.nan}
    for name in ("treated", *RINGS):
        row |= {f"ratio_{name}{end}": np.nan for end in ("", "_lo", "_hi")}
    row |= {f"p_rose_{name}": np.nan for name in RINGS}
    return row | {
        "wdq": np.nan,
        "wdq_lo": np.nan,
        "wdq_hi": np.nan,
        "cases_treated_before": 0,
        "cases_treated_after": 0,
    }


def _judge(
    y: Floats,
    h: Floats,
    treated: NDArray[np.bool_],
    ring: NDArray[np.int64],
    rng: np.random.Generator,
    settings: Settings,
) -> dict[str, Any]:
    """One row; y, h (2, n) before and after."""
    row = _empty() | {
        "cases_treated_before": int(y[0, treated].sum()),
        "cases_treated_after": int(y[1, treated].sum()),
    }
    seen = np.asarray(np.all(h >= settings.looked_h, axis=0))

    def looked(members: NDArray[np.bool_]) -> bool:
        return bool(seen[members].any() and seen[members].mean() >= settings.displacement_looked_share)

    members: dict[str, NDArray[np.bool_]] = {
        name: np.asarray((ring == number) & ~treated) for number, name in enumerate(RINGS, start=1)
    }
    present = [name for name in RINGS if members[name].any()]
    # a rise in the looked part of a ring is a rise, however much of it nobody looked at; none there says nothing of the rest
    known = [name for name in present if seen[members[name]].any()]
    complete = bool(present) and all(looked(members[name]) for name in present)
    control: NDArray[np.bool_] = np.asarray((ring == 0) & ~treated)
    if not looked(treated) or not seen[control].any():
        return row
    log_ratio, level = _posterior(y, h, [control, treated, *(members[name] for name in known)], rng, settings)
    tails = [(1 - settings.interval) / 2, 0.5, (1 + settings.interval) / 2]
    for name, values in zip(["treated", *known], log_ratio, strict=True):
        low, middle, high = np.exp(np.quantile(values, tails))
        row |= {f"ratio_{name}": middle, f"ratio_{name}_lo": low, f"ratio_{name}_hi": high}
    row["p_fell"] = float((log_ratio[0] < 0).mean())
    row["fell"] = bool(row["p_fell"] >= settings.displacement_p)
    # several rings are asked, so each must be surer: all together are wrong as seldom as one question
    sure = 1 - (1 - settings.displacement_p) / max(len(known), 1)
    rose = {name: float((values > 0).mean()) for name, values in zip(known, log_ratio[1:], strict=True)}
    row |= {f"p_rose_{name}": p for name, p in rose.items()}
    up = any(rose.get(name, 0.0) >= sure for name in ("up", "up_outer"))
    down = any(rose.get(name, 0.0) >= sure for name in ("down", "down_outer"))
    if row["fell"] and complete:
        gained = (level[1:] * np.expm1(log_ratio[1:])).sum(axis=0)
        quotient = gained / (level[0] * np.expm1(log_ratio[0]))
        row["wdq_lo"], row["wdq"], row["wdq_hi"] = np.quantile(quotient, tails)
    if not row["fell"]:
        row["verdict"] = "rose" if 1 - row["p_fell"] >= settings.displacement_p else "no_change"
    elif up or down:
        row["verdict"] = "displaced" if up and down else "displaced_up" if up else "displaced_down"
    elif complete:
        row["verdict"] = "diffused" if any(1 - p >= sure for p in rose.values()) else "dropped"
    return row


def _posterior(
    y: Floats, h: Floats, groups: list[NDArray[np.bool_]], rng: np.random.Generator, settings: Settings
) -> tuple[Floats, Floats]:
    """Draws of log f_g / f_control (groups - 1, draws) and of the level before (the same), control first in `groups`.

    The control's change and the correlation are laid on a grid with every other group integrated out; then each group
    is drawn given them.
    """
    parts = [_likelihood(y[:, members], h[:, members]) for members in groups]
    spread = settings.displacement_prior_log_sd
    prior = np.exp(-CORRELATION / CORRELATION_MEAN)
    control = parts[0]
    joint = np.log(prior)[:, None] + control.value - 0.5 * (control.x / spread) ** 2
    weights = []
    for part in parts[1:]:
        # (correlation, control node, own node): likelihood times the prior of the ratio to the control
        value = part.value[:, None, :] - 0.5 * ((part.x[None, :] - control.x[:, None]) / spread) ** 2
        top = value.max(axis=2, keepdims=True)
        weight = np.exp(value - top)
        total = weight.sum(axis=2)
        joint = joint + np.log(total) + top[:, :, 0]
        weights.append(np.cumsum(weight, axis=2) / total[:, :, None])
    chance = np.exp(joint - joint.max()).ravel()
    cell = np.sort(rng.choice(len(chance), size=DRAWS, p=chance / chance.sum()))
    common = control.x[cell % NODES] + _within(rng, control.x)
    ratio, level = np.empty((len(weights), DRAWS)), np.empty((len(weights), DRAWS))
    for g, (part, cumulative) in enumerate(zip(parts[1:], weights, strict=True)):
        table = cumulative.reshape(-1, NODES) + np.arange(len(chance))[:, None]  # all rows in one rising sequence
        node = (np.searchsorted(table.ravel(), cell + rng.random(DRAWS)) - cell * NODES).clip(0, NODES - 1)
        change = part.x[node] + _within(rng, part.x)
        ratio[g] = change - common
        rate = 1 / (part.before[:, None] + part.after[:, None] * np.exp(change))
        level[g] = (rng.gamma(part.total[:, None], 1.0, (len(part.total), DRAWS)) * rate).sum(axis=0)
    return ratio, level


def _within(rng: np.random.Generator, x: Floats) -> Floats:
    """Draws within a node, so that answers do not jump from node to node."""
    return (rng.random(DRAWS) - 0.5) * (x[1] - x[0])


def _likelihood(y: Floats, h: Floats) -> _Group:
    """The beta-binomial likelihood of one group on its own nodes; only reaches looked at before and after tell of it."""
    total = y.sum(axis=0)
    tells = (h > 0).all(axis=0) & (total > 0)
    before, after, offset = y[0, tells], y[1, tells], np.log(h[1, tells]) - np.log(h[0, tells])
    rows, count = np.unique(np.column_stack([before, after, offset]), axis=0, return_counts=True)
    low, high = -SPAN, SPAN
    for _ in range(6):
        x = np.linspace(low, high, NODES)
        value = _log_likelihood(rows, count, x)
        near = np.flatnonzero(value.max(axis=0) > value.max() - DROP)
        low, high = x[max(near[0] - 1, 0)], x[min(near[-1] + 1, NODES - 1)]
        if high - low > 0.7 * (x[-1] - x[0]):
            break
    return _Group(x, value, total[tells], h[0, tells], h[1, tells])


def _log_likelihood(rows: Floats, count: NDArray[np.int64], x: Floats) -> Floats:
    """log P(after | before + after) summed over reaches, (correlations, nodes); up to a constant of the data.

    rows (r, 3): before, after, log of hours after / before. With chance p and correlation c the cases of a reach are
    drawn as from an urn (Polya) of p s and (1 - p) s balls, s = 1 / c - 1; c = 0 is the binomial.
    """
    from scipy.special import gammaln, log_expit

    value = np.zeros((len(CORRELATION), len(x)))
    for before, after, offset, times in np.column_stack([rows, count]):
        log_p, log_q = log_expit(offset + x), log_expit(-offset - x)
        value[0] += times * (after * log_p + before * log_q)
        if before + after == 1:  # a single case has no companion to be correlated with
            value[1:] += times * (after * log_p + before * log_q)
            continue
        s = 1 / CORRELATION[1:, None] - 1
        a, b = np.exp(log_p) * s, np.exp(log_q) * s
        urn = _rising(a, after) + _rising(b, before) - (gammaln(s + before + after) - gammaln(s))
        value[1:] += times * urn
    return value


def _rising(a: Floats, k: float) -> Floats:
    """log of a (a + 1) … (a + k - 1)."""
    from scipy.special import gammaln

    if k > 8:  # few factors are quicker multiplied out
        return np.log(np.maximum(a, 1e-300)) + gammaln(a + k) - gammaln(a + 1)
    product = np.ones_like(a)
    for j in range(int(k)):
        product *= a + j
    return np.log(np.maximum(product, 1e-300))


def _checked(
    cases: tuple[ArrayLike, ArrayLike], hours: tuple[ArrayLike, ArrayLike], treated: ArrayLike, ring: ArrayLike
) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """cases, hours (2, k, n); treated, ring (k, n)."""
    arrays = [np.atleast_2d(np.asarray(values, dtype=float)) for values in (*cases, *hours, treated, ring)]
    if any(a.ndim != 2 or a.shape != arrays[0].shape for a in arrays):
        raise Usage("displacement_shape", shapes=[str(a.shape) for a in arrays])
    counts, spent, mask, code = np.stack(arrays[:2]), np.stack(arrays[2:4]), arrays[4], arrays[5]
    for name, wrong in (
        ("cases", ~((counts >= 0) & (counts == np.floor(counts)) & (counts < np.inf))),
        ("hours", ~((spent >= 0) & (spent < np.inf))),
        ("treated", ~np.isin(mask, (0, 1))),
        ("ring", ~np.isin(code, range(-1, len(RINGS) + 1))),
    ):
        if wrong.any():
            raise Usage("displacement_value", name=name, count=int(wrong.sum()))
    return counts, spent, mask == 1, code.astype(np.int64)
