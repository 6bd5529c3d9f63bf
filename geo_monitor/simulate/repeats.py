"""Near repeats: a case raises the risk around it for a while.

In: moments and places on the axis of a `Water`. Out: which of them fall within reach of an earlier case. The risk is
raised, not added to: two cases near do not raise it further, so that chains of cases end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.simulate.water import Water

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


def kept(
    water: Water, s: Floats, t: Floats, times: float, within_m: float, seconds: float, rng: np.random.Generator
) -> Bools:
    """Of candidates at places `s` and times `t`, drawn at `times` the usual rate, those that become cases: all within
    reach of an earlier case, one of `times` elsewhere (thinning: Ogata 1981, IEEE Trans. Inf. Theory 27:23-31)."""
    chance = rng.random(len(t))
    case = np.zeros(len(t), dtype=bool)
    order = np.argsort(t, kind="stable")
    sorted_t = t[order]
    for rank, i in enumerate(order):
        recent = order[np.searchsorted(sorted_t, t[i] - seconds) : rank]
        recent = recent[case[recent] & (t[recent] < t[i])]
        case[i] = chance[i] * times < 1.0 or bool((water.apart(float(s[i]), s[recent]) <= within_m).any())
    return case


def raised(
    water: Water, case_s: Floats, case_t: Floats, s: Floats, t: Floats, within_m: float, seconds: float
) -> Bools:
    """Which of the places `s` at times `t` lie within reach of an earlier case."""
    order = np.argsort(t, kind="stable")
    sorted_t = t[order]
    felt = np.zeros(len(t), dtype=bool)
    for place, moment in zip(case_s, case_t, strict=True):
        after = order[
            np.searchsorted(sorted_t, moment, side="right") : np.searchsorted(sorted_t, moment + seconds, side="right")
        ]
        felt[after[water.apart(float(place), s[after]) <= within_m]] = True
    return felt
