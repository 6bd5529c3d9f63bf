"""Results against the truth of a simulated world.

In: `World.truth`, the tables `effort` and `hotspots` of an analysis. Out: one number a question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage

if TYPE_CHECKING:
    import pandas as pd

WORTH_MINUTES = 30.0  # stretches with less true effort are left out of the median error: their relative error is noise


def score(
    truth: pd.DataFrame,
    effort: pd.DataFrame | None = None,
    hotspots: pd.DataFrame | None = None,
    *,
    stretch_km: float = 5.0,
    worst: int = 50,
    looked_h: float = 2.0,
) -> dict[str, float]:
    """How near the results came. Errors are shares: 0.01 is 1 %.

    From `effort`: effort_total_error; effort_median_error, over stretches of `stretch_km` of each river with 30 true
    minutes or more. From `hotspots`: coverage, the share of reaches looked at (2 h) whose true rate lies within
    rate_lo..rate_hi; precision, the share of the `worst` reaches named worst (by p_hot, ties by rate) that are truly
    among the `worst` of those looked at; rate_share, the true rate they hold against that of the truly worst.

    Raises `Usage("simulate_score_reaches")` if a result names reaches the truth does not know.
    """
    found: dict[str, float] = {}
    if effort is not None:
        minutes = effort.groupby("reach_id")["minutes"].sum()
        _known(truth, minutes.index)
        got = minutes.reindex(truth["reach_id"]).fillna(0.0).to_numpy()
        true = truth["minutes"].to_numpy()
        found["effort_total_error"] = float(got.sum() / true.sum() - 1) if true.sum() > 0 else float(got.sum() > 0)
        # reaches without a km (lake cells) are stretches of their own
        stretch = (truth["km_from"] // stretch_km).astype(object).where(truth["km_from"].notna(), truth["reach_id"])
        sums = (
            truth.assign(stretch=stretch.astype(str), got=got).groupby(["river", "stretch"])[["got", "minutes"]].sum()
        )
        sums = sums[sums["minutes"] >= WORTH_MINUTES]
        error = (sums["got"] / sums["minutes"] - 1).abs()
        found["effort_median_error"] = float(error.median()) if len(error) else 0.0
        found["effort_stretches"] = float(len(error))
    if hotspots is not None:
        _known(truth, hotspots["reach_id"])
        both = truth.merge(hotspots, on="reach_id", suffixes=("", "_found"))
        both = both[both["patrol_h"] >= looked_h]
        rate = both["rate_per_h"].to_numpy()
        held = (both["rate_lo"].to_numpy() <= rate) & (rate <= both["rate_hi"].to_numpy())
        found["reaches_looked"] = float(len(both))
        found["coverage"] = float(held.mean()) if len(both) else 1.0
        k = min(worst, len(both))
        named = np.lexsort([-both["rate"].to_numpy(), -both["p_hot"].to_numpy()])[:k]
        truly = np.argsort(-rate, kind="stable")[:k]
        found["precision"] = len(set(named.tolist()) & set(truly.tolist())) / k if k else 1.0
        found["rate_share"] = float(rate[named].sum() / rate[truly].sum()) if k else 1.0
    return found


def _known(truth: pd.DataFrame, reach_ids: Any) -> None:
    unknown = sorted(set(reach_ids) - set(truth["reach_id"]))
    if unknown:
        raise Usage("simulate_score_reaches", count=len(unknown), reach=unknown[0])
