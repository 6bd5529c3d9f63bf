"""Patrols that only a report tells of: a stretch, a beginning and an end, no GPS.

Added to a `Movement` (units and patrols, no legs) and to the looked time: one even pass over the stretch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.simulate.looking import Looked
from geo_monitor.simulate.movement import Movement
from geo_monitor.simulate.water import Water

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.simulate.movement import Ranges

SHARE = 0.03  # reported patrols per tracked one


def reported(
    water: Water, moved: Movement, reaches: Any, *, start: float, days: int, seed: int, closed: Ranges = ()
) -> tuple[pd.DataFrame, Looked]:
    """Reported patrols (table `patrols`, times in seconds on the Shanghai clock as `start` and `end`) and the time
    they looked, never in the ranges `closed`. `moved` gains two units on foot and the patrols."""
    import pandas as pd

    rng = np.random.default_rng([seed, 9])
    river = reaches["river"].to_numpy(dtype=object)
    known = len(moved.units)
    extra = moved.units.iloc[:2].copy()
    extra["unit_id"] = ["模拟报告组1", "模拟报告组2"]
    extra["name"] = ["模拟数据-护渔报告组1", "模拟数据-护渔报告组2"]
    extra["platform"], extra["agency"], extra["mmsi"] = "foot", "模拟护渔队", None
    open_ = ~water.lake[water.course(water.edge)]
    for low_s, high_s in closed:
        open_[(water.edge < high_s) & (water.edge_end > low_s)] = False
    on_river = np.flatnonzero(open_)
    course = water.course(water.edge)
    number = max(2, round(SHARE * len(moved.patrols)))
    rows, parts = [], []
    first = len(moved.patrols)
    for i in range(number):
        low = high = int(rng.choice(on_river))
        wanted = rng.uniform(2_000.0, 6_000.0)
        while (
            water.edge_end[high] - water.edge[low] < wanted
            and high + 1 < len(water.edge)
            and open_[high + 1]
            and course[high + 1] == course[low]
            and river[water.reach[high + 1]] == river[water.reach[low]]
        ):
            high += 1
        # unit and day in turn, so that no unit is out twice at a time
        begin = start + ((i // 2) * days // (number // 2 + 1)) * 86400 + rng.integers(6 * 4, 20 * 4) * 900.0
        end = begin + rng.integers(6, 13) * 900.0
        rows.append(
            {
                "patrol_id": f"模拟报{i + 1:04d}",
                "unit": known + i % 2,
                "start": begin,
                "end": end,
                "river": river[water.reach[low]],
                "km_from": round(float(reaches["km_from"].iloc[water.reach[low]]), 3),
                "km_to": round(float(reaches["km_to"].iloc[water.reach[high]]), 3),
                "persons": float(rng.integers(2, 7)),
            }
        )
        pieces = np.arange(low, high + 1)
        border = np.append(water.edge[pieces], water.edge_end[high])
        moment = begin + (border - border[0]) / (border[-1] - border[0]) * (end - begin)
        aside = np.full(len(pieces), 150.0)
        parts.append(
            Looked(np.full(len(pieces), first + i), water.reach[pieces], moment[:-1], moment[1:],
                   border[:-1], border[1:], aside, aside)
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    moved.units = pd.concat([moved.units, extra], ignore_index=True)
    moved.patrols = pd.concat([moved.patrols, frame[["patrol_id", "unit", "start", "end"]]], ignore_index=True)
    return frame, together(parts)


def together(parts: list[Looked]) -> Looked:
    """Several looked times as one."""
    names = ("patrol", "reach", "t0", "t1", "s0", "s1", "aside0", "aside1")
    return Looked(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
