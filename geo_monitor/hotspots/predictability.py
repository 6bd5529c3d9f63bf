"""How well could somebody who watches guess the next patrol? An audit of one's own habits, by unit and month.

In: one value a patrol (unit, month, start minute, start place, first direction). Out: a row a unit and month.

Three habits: the hour of the day patrols start in, the place they start from, the direction they take first. Each is
told by its entropy over the k values it could have (24 hours, the places, 2 directions), as a share of the greatest
possible: H = -sum p log p / log k. 0: always the same. 1: every value as likely as any other, nothing to guess.

A dozen patrols cannot fill 24 hours, so the entropy of their shares is far too low, and resampling them makes it lower
still. Here it is the posterior mean under the prior of Nemenman, Shafee & Bialek (2002, Advances in Neural Information
Processing Systems 14:471-478): p ~ Dirichlet(b, ..., b), with b mixed so that before any data every entropy from 0 to
log k is about as likely as any other. For counts c_i, n = sum c_i, A = n + k b, and digamma psi, given b

    E[H] = psi(A + 1) - sum_i (c_i + b) / A psi(c_i + b + 1)           (Wolpert & Wolf 1995, Phys. Rev. E 52:6841-6854)
    P(c | b) ~ Gamma(k b) / Gamma(n + k b) product_i Gamma(c_i + b) / Gamma(b)
    prior of b:  k psi'(k b + 1) - psi'(b + 1)
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

HABITS = ("hour", "place", "direction")
TOLD = ("patrols", "entropy", "lo", "hi", "month", "p_below", "common", "share")  # of each habit
COLUMNS = ["unit", "month", "patrols", "too_few"]
COLUMNS += [f"{habit}_{name}" for habit in HABITS for name in TOLD]
COLUMNS += ["habit", "habit_value", "habit_share"]
NODES = np.exp(np.linspace(np.log(1e-4), np.log(1e4), 81))  # of b: from always one value to all alike


@dataclass(frozen=True)
class Entropy:
    """Entropy of a habit as a share of log k: posterior mean, and draws from the posterior."""

    mean: float
    draws: NDArray[np.float64]


def predictability(
    unit: ArrayLike,
    month: ArrayLike,
    start_minute: ArrayLike,
    place: ArrayLike,
    direction: ArrayLike,
    *,
    seed: int = 0,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Predictability of n patrols, a row a unit and month that has any, by unit, then month.

    Parameters
    ----------
    unit, month : (n,) whole-number codes
    start_minute : (n,) whole minute of the day in Asia/Shanghai, 0 to 1439
    place : (n,) code of the start reach or base, negative: unknown. Codes near each other mean nothing; starts from one
        base must share a code. The places that could have been are those in `place`.
    direction : (n,) 1 upstream first, -1 downstream first, 0 unknown
    seed : of the draws behind the intervals

    Returns
    -------
    DataFrame: unit, month, patrols, too_few (fewer than `settings.predictability_min` patrols), and for each habit
    hour, place, direction

    - `_patrols` : patrols of which it is known
    - `_entropy`, `_lo`, `_hi` : 0 (always the same) to 1 (all alike), with its 90 % interval (`settings.interval`)
    - `_month` : the same of all units' patrols of that month together
    - `_p_below` : probability that the unit is more predictable in it than all units of that month together
    - `_common`, `_share` : the commonest value (of equals the lowest) and its share of the patrols

    and habit, habit_value, habit_share: the habit of lowest entropy, its commonest value and share. Columns of a habit
    known of too few patrols are null; so is `habit` where all are. A place that is the only one there is: entropy 0.

    Raises `Usage`: `predictability_shape`, `predictability_value`.

    Unit 1 left at 22 h nine times of ten and always from place 7, though others start from 8.

    >>> minute = [22 * 60] * 9 + [9 * 60] + [480]
    >>> audit = predictability([1] * 10 + [2], [5] * 11, minute, [7] * 10 + [8], [1, -1] * 5 + [0])
    >>> print(audit.loc[:0, ["patrols", "hour_common", "hour_share", "habit", "habit_value"]].to_string(index=False))
     patrols  hour_common  hour_share habit  habit_value
          10           22         0.9 place            7
    """
    import pandas as pd

    settings = settings or Settings()
    codes = {"unit": unit, "month": month, "start_minute": start_minute, "place": place, "direction": direction}
    given = _checked(codes)
    value = {"hour": given["start_minute"] // 60, "place": given["place"], "direction": given["direction"]}
    known = {"hour": np.ones(len(given["unit"]), dtype=bool), "place": value["place"] >= 0}
    known["direction"] = value["direction"] != 0
    could = {"hour": 24, "place": len(np.unique(value["place"][known["place"]])), "direction": 2}
    rows: list[dict[str, Any]] = []
    for who, when in np.unique(np.column_stack([given["unit"], given["month"]]), axis=0):
        then = given["month"] == when
        mine = then & (given["unit"] == who)
        patrols = int(mine.sum())
        row = {"unit": who, "month": when, "patrols": patrols, "too_few": patrols < settings.predictability_min}
        for order, habit in enumerate(HABITS):
            rng = np.random.default_rng([seed, len(rows), order])
            these, all_units = value[habit][mine & known[habit]], value[habit][then & known[habit]]
            told = _told(these, all_units, could[habit], settings, rng)
            row |= {f"{habit}_{name}": what for name, what in told.items()}
        rows.append(row | _most_predictable(row))
    return _typed(pd.DataFrame(rows, columns=COLUMNS))


def _told(
    these: NDArray[np.int64], all_units: NDArray[np.int64], could: int, settings: Settings, rng: np.random.Generator
) -> dict[str, Any]:
    """The columns of one habit of one unit and month."""
    if len(these) < settings.predictability_min:
        return {"patrols": len(these)} | dict.fromkeys(TOLD[1:])
    values, counts = np.unique(these, return_counts=True)
    found = entropy(counts, could, settings.predictability_draws, rng)
    month = entropy(np.unique(all_units, return_counts=True)[1], could).mean
    tail = (1 - settings.interval) / 2
    low, high = np.quantile(found.draws, [tail, 1 - tail])
    top = int(np.argmax(counts))
    below = (found.draws < month).mean()
    answer = (len(these), found.mean, low, high, month, below, values[top], counts[top] / len(these))
    return dict(zip(TOLD, answer, strict=True))


def _most_predictable(row: dict[str, Any]) -> dict[str, Any]:
    """habit, habit_value, habit_share of a row: the habit of lowest entropy, the first of equals."""
    told = [habit for habit in HABITS if row[f"{habit}_entropy"] is not None]
    if not told:
        return {"habit": None, "habit_value": None, "habit_share": None}
    habit = min(told, key=lambda name: float(row[f"{name}_entropy"]))
    return {"habit": habit, "habit_value": row[f"{habit}_common"], "habit_share": row[f"{habit}_share"]}


def entropy(counts: ArrayLike, could: int, draws: int = 1, rng: np.random.Generator | None = None) -> Entropy:
    """Entropy of a habit with these counts of its values, out of `could` possible ones, as a share of log(could).

    counts : whole numbers > 0, at most `could` of them; values never seen may be left out

    With one possible value there is nothing to choose, and nothing to guess: 0.

    >>> entropy([12], 1).mean
    0.0
    >>> low, high = entropy([30], 24).mean, entropy([30] * 24, 24).mean
    >>> bool(low < 0.1), bool(high > 0.99)
    (True, True)
    """
    from scipy.special import gammaln, polygamma, psi

    if could < 2:
        return Entropy(0.0, np.zeros(draws))
    c = np.asarray(counts, dtype=float)
    n, k, b = c.sum(), float(could), NODES
    unseen = k - len(c)
    prior = np.log(k * polygamma(1, k * b + 1) - polygamma(1, b + 1)) + np.log(b)  # per unit of log b
    fit = gammaln(k * b) - gammaln(n + k * b) + (gammaln(c[:, None] + b) - gammaln(b)).sum(axis=0)
    weight = np.exp(prior + fit - (prior + fit).max())
    weight /= weight.sum()
    total = n + k * b
    seen = ((c[:, None] + b) / total * psi(c[:, None] + b + 1)).sum(axis=0)
    mean = (psi(total + 1) - seen - unseen * b / total * psi(b + 1)) @ weight
    rng = rng or np.random.default_rng(0)
    full = np.concatenate([c, np.zeros(int(unseen))])
    mass = rng.standard_gamma(full + rng.choice(b, size=(draws, 1), p=weight))
    share = mass / mass.sum(axis=1, keepdims=True)
    drawn = -(share * np.log(np.maximum(share, 1e-300))).sum(axis=1)
    return Entropy(float(np.clip(mean / np.log(k), 0, 1)), np.clip(drawn / np.log(k), 0, 1))


def _checked(codes: dict[str, ArrayLike]) -> dict[str, NDArray[np.int64]]:
    arrays = {name: np.asarray(values) for name, values in codes.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        raise Usage("predictability_shape", shapes=[f"{name} {a.shape}" for name, a in arrays.items()])
    allowed = {"start_minute": (0, 1439), "direction": (-1, 1)}
    whole = {}
    for name, array in arrays.items():
        low, high = allowed.get(name, (-(2**53), 2**53))
        numbers = np.asarray(array, dtype=float)
        bad = np.flatnonzero(~((numbers >= low) & (numbers <= high) & (numbers == np.floor(numbers))))
        if len(bad):
            raise Usage("predictability_value", name=name, position=int(bad[0]), value=float(numbers[bad[0]]))
        whole[name] = array.astype(np.int64)
    return whole


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers stay whole where others are null; the same types whatever is null."""
    kinds = {"too_few": "bool", "habit": "object"}
    whole = {"unit": "int64", "month": "int64", "habit_value": "Int64"}
    for name in frame.columns:
        if name.endswith("patrols"):
            whole[name] = "int64"
        elif name.endswith("_common"):
            whole[name] = "Int64"
    return frame.astype({name: (kinds | whole).get(name, "float64") for name in frame.columns})
