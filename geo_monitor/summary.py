"""What happened in an analysis, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort import Effort
    from geo_monitor.engine.work import Found
    from geo_monitor.hotspots import Habit
    from geo_monitor.hotspots.exposure import Weights
    from geo_monitor.inputs import Inputs
    from geo_monitor.river import Network


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
