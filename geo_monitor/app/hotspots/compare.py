"""Two analyses beside each other: what became hot, what is hot no more, and how sure that the rate moved.

In: two frames of `levels.joined`. Out: one row a reach. Pure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SURE = 0.9  # a rate is said to have moved from this probability
CHANGES = ("risen_hot", "stays_hot", "left_hot", "hot_unseen", "risen", "fallen", "same", "unknown")


def table(now: pd.DataFrame, before: pd.DataFrame, interval: float) -> pd.DataFrame:
    """Reaches of `now` that `before` has too: reach_id, change (CHANGES), p_higher, ratio, and of both state, rate,
    rate_lo, rate_hi, patrol_h, seizures with suffix _before for the earlier one.

    p_higher is P(rate now > rate before), each rate taken as lognormal with its interval of probability `interval` and the
    two as independent: with median m and ends a, b of the interval, sd(log rate) = log(b / a) / (2 z), z the normal
    quantile of (1 + interval) / 2, and p = Phi(log(m1 / m0) / sqrt(sd1^2 + sd0^2)) (Casella & Berger, 2002, th. 4.2.14).
    NaN where one was not looked at.

    >>> row = {"reach_id": "a", "state": "hot", "rate": 0.4, "rate_lo": 0.2, "rate_hi": 0.8, "patrol_h": 9.0, "seizures": 4}
    >>> told = table(pd.DataFrame([row]), pd.DataFrame([row | {"state": "normal"}]), 0.9)
    >>> told[["change", "p_higher", "ratio"]].to_dict("records")
    [{'change': 'risen_hot', 'p_higher': 0.5, 'ratio': 1.0}]
    """
    from scipy.stats import norm

    columns = ["reach_id", "state", "rate", "rate_lo", "rate_hi", "patrol_h", "seizures"]
    both = now.merge(before[columns], on="reach_id", suffixes=("", "_before"))
    z = 2 * float(norm.ppf((1 + interval) / 2))
    looked = ((both["state"] != "not_looked") & (both["state_before"] != "not_looked")).to_numpy()
    spread = [
        np.log(np.maximum(both[f"rate_hi{end}"], 1e-12) / np.maximum(both[f"rate_lo{end}"], 1e-12)) / z
        for end in ("", "_before")
    ]
    log_ratio = np.log(np.maximum(both["rate"], 1e-12) / np.maximum(both["rate_before"], 1e-12))
    sd = np.maximum(np.hypot(*spread), 1e-9)
    both["p_higher"] = np.where(looked, norm.cdf(log_ratio / sd), np.nan)
    both["ratio"] = np.where(looked, np.exp(log_ratio), np.nan)
    hot, was = (both["state"] == "hot").to_numpy(), (both["state_before"] == "hot").to_numpy()
    unseen = (both["state"] == "not_looked").to_numpy()
    p = both["p_higher"].to_numpy()
    both["change"] = np.select(
        [hot & was, hot, was & unseen, was, ~looked, p >= SURE, p <= 1 - SURE],
        ["stays_hot", "risen_hot", "hot_unseen", "left_hot", "unknown", "risen", "fallen"],
        "same",
    )
    return both


def worth_telling(told: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` that say something, the most important kinds first, then the surest."""
    rank = told["change"].map({name: i for i, name in enumerate(CHANGES)})
    keep = rank < CHANGES.index("same")
    sure = -np.abs(told["p_higher"].fillna(0.5) - 0.5)
    order = np.lexsort((sure[keep], rank[keep]))
    return told[keep].iloc[order]
