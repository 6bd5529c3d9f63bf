"""What is measured of an answer, given the truth. Ties in a score are broken at random, and the mean over all ways is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.accuracy.methods import Answer

    Floats = NDArray[np.float64]

WORST = 50  # reaches
LENGTH = 0.05  # share of the river's length
SMALL_P = 0.05
LEAST = 1 / 3


def named(score: Floats, count: float) -> Floats:
    """The chance of each reach to be among the `count` with the highest scores, (n,).

    >>> named(np.array([3.0, 1.0, 1.0, 0.0]), 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    last = np.sort(score)[::-1][int(np.ceil(count)) - 1]
    above, tied = score > last, score == last
    return np.asarray(above + tied * (count - above.sum()) / tied.sum(), dtype=float)


def measured(answer: Answer, rate: Floats, hours: Floats, looked_h: float) -> dict[str, float]:
    """precision: share of the `WORST` named that are truly among them; held: true rate they hold, per hour; share: of that
    of the truly worst; activity: share of all true rate in the first `LENGTH` of the river (each reach is as long); and,
    where the method has them, coverage: share of reaches looked at whose interval holds the truth; above, below: shares of
    those whose truth lies above and below it, and above_least, below_least of the `LEAST` of them with fewest hours; small_p:
    share of p-values under `SMALL_P`. A river with one rate all over has no worst reach.

    >>> from benchmarks.accuracy.methods import Answer
    >>> rate = np.array([4.0, 3.0, 2.0, 1.0])
    >>> measured(Answer(rate, rate - 1, rate + [1, 1, -0.5, 1]), rate, np.full(4, 6.0), 2.0)["coverage"]
    0.75
    """
    found: dict[str, float] = {}
    if np.ptp(rate) > 0:
        count = min(WORST, len(rate))
        chance, worst = named(answer.score, count), named(rate, count)
        found["precision"] = float(chance @ worst) / count
        found["held"] = float(chance @ rate)
        found["share"] = found["held"] / float(worst @ rate)
        found["activity"] = float(named(answer.score, LENGTH * len(rate)) @ rate) / float(rate.sum())
    if answer.low is not None and answer.high is not None:
        looked = hours >= looked_h
        inside = (answer.low <= rate) & (rate <= answer.high)
        above, below = rate > answer.high, rate < answer.low
        found["coverage"] = float(inside[looked].mean())
        found["above"], found["below"] = float(above[looked].mean()), float(below[looked].mean())
        least = looked & (hours <= np.quantile(hours[looked], LEAST))
        found["above_least"], found["below_least"] = float(above[least].mean()), float(below[least].mean())
    if len(answer.p):
        found["small_p"] = float((answer.p < SMALL_P).mean())
    return found
