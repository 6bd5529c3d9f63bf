"""What the main job needs around its stages: a clock, and the summary of what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort import Effort
    from geo_monitor.engine.work import Found
    from geo_monitor.hotspots import Habit
    from geo_monitor.hotspots.exposure import Weights
    from geo_monitor.inputs import Inputs
    from geo_monitor.river import Network

Tell = Callable[[str, float], None]  # stage, share done 0..1


def silent(stage: str, share: float) -> None:
    """Tells nobody."""


class Stages:
    """Times each stage (`timings`, seconds) and tells how far it is."""

    def __init__(self, tell: Tell = silent) -> None:
        self.timings: dict[str, float] = {}
        self._tell = tell
        self._name = ""

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        self._name = name
        self.spent(name, 0.0)
        self._tell(name, 0.0)
        yield
        self.spent(name, time.perf_counter() - began)
        self._tell(name, 1.0)

    def spent(self, name: str, seconds: float) -> None:
        """Adds `seconds` to what a stage has taken so far."""
        self.timings[name] = round(self.timings.get(name, 0.0) + seconds, 3)

    def done(self, share: float) -> None:
        """Tells that `share` of the stage under way is done."""
        self._tell(self._name, share)


def summary(
    inputs: Inputs,
    network: Network,
    found: Found,
    looked: Effort,
    hot: pd.DataFrame,
    weighed: Weights,
    leaning: Habit | None,
    left_out: dict[str, int],
    timings: dict[str, float],
) -> dict[str, Any]:
    """What happened, as plain values: timings, counts, minutes on no reach, weights of an hour, where patrols went,
    seizures left out and why, notes."""
    first, last = _span(inputs, found)
    states = hot["state"].value_counts()
    return {
        "data_from": first,
        "data_to": last,
        "timings": timings,
        "unlocated_minutes": round(float(looked.unlocated_minutes), 3),
        "exposure_weights": weighed.told(),
        "effort_habit": leaning.told() if leaning else None,
        "seizures_left_out": {"total": sum(left_out.values()), **left_out},
        "counts": {
            "positions": found.positions,
            "positions_unlocated": found.unlocated,
            "seizures": len(inputs.seizures),
            "seizures_in_rate": int(hot["seizures"].sum()),
            "zones": int(inputs.zones["zone_id"].nunique()),
            "patrols_tracked": len(looked.patrols),
            "patrols_reported": len(inputs.reported),
            "reaches": len(network.reaches),
            "patrol_hours": round(float(looked.hours.sum()), 3),
            "gaps": len(looked.gaps),
            "states": {name: int(states.get(name, 0)) for name in ("hot", "normal", "cold", "not_looked")},
        },
        "notes": [*(leaning.notes() if leaning else ()), *inputs.notes, *network.notes, *looked.notes],
    }


def _span(inputs: Inputs, found: Found) -> tuple[str | None, str | None]:
    """First and last moment in the data, ISO 8601 UTC."""
    import pandas as pd

    moments = [] if found.span is None else [pd.Timestamp(edge, unit="ms", tz="UTC") for edge in found.span]
    for frame, columns in ((inputs.seizures, ["time"]), (inputs.reported, ["started_at", "ended_at"])):
        for column in columns:
            moments += [frame[column].min(), frame[column].max()] if len(frame) else []
    if not moments:
        return None, None
    first, last = (edge.isoformat().replace("+00:00", "Z") for edge in (min(moments), max(moments)))
    return first, last
