"""Effort: how long somebody looked, per reach, Shanghai day and platform.

In: `positions` (those of role patrol count), where they were located, the river network, patrols reported without GPS.
Out: tables `effort`, `effort_gaps`, `patrols` (tracked), minutes that lie on no reach, and the last look at each reach.

Rules and worked numbers: `docs/methods-effort.md`. All time is summed as integer milliseconds and turned into minutes
once at the end, so neither the order of the rows nor the way uploads were cut changes a single bit of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.errors import GeoMonitorError
from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS
from geo_monitor.tracks import encode

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort.legs import Water


@dataclass(frozen=True)
class Effort:
    """What `effort` returns.

    effort, gaps, patrols: frames of tables `effort`, `effort_gaps`, `patrols` (only tracked ones: first and last fix,
    and the stretch of river if they kept to one). unlocated_minutes: looked, but on no reach. last_look: (n,) int64 ms
    UTC per reach, `tracks.NEVER` where nobody looked (NaT once viewed as datetime64[ms]). notes: {"code", "params"} for
    `geo_monitor.messages`.
    """

    effort: pd.DataFrame
    gaps: pd.DataFrame
    patrols: pd.DataFrame
    unlocated_minutes: float
    last_look: np.ndarray
    notes: list[dict[str, Any]] = field(default_factory=list)


def effort(
    fixes: pa.Table,
    located: pa.Table | pa.RecordBatch,
    network: Water,
    settings: Settings | None = None,
    reported: pd.DataFrame | None = None,
) -> Effort:
    """Minutes looked per reach, day and platform.

    fixes: table `positions` (unit_id, patrol_id, time, lon, lat, platform, role), any order. located: reach, km, row by
    row beside them. reported: frame of table `patrols`; its rows with how == "reported" are spread along their stretch
    (a column `platform` is heeded where there is one, else boat). Memory: one chunk of about a million fixes beside the
    input.

    Raises `GeoMonitorError("tracks_rows_differ")` if fixes and located don't match,
    `GeoMonitorError("effort_spread_broken")` if the network's shares of a path don't sum to one.
    """
    from geo_monitor.effort.look import Moored, look, sum_up

    settings = settings or Settings()
    tracks = encode(fixes, located, role="patrol")
    ever = -(1 << 16), 1 << 17  # days: all of it is one block
    parts = [
        look(chunk, tracks.unit_ids, tracks.patrol_ids, network, settings, ever, Moored.nowhere(), None)[0]
        for chunk in tracks.chunks()
    ]
    return sum_up(parts, network, settings, reported)


def platform_hours(effort: pd.DataFrame, network: Water) -> np.ndarray:
    """Hours looked (n reaches, platforms in the order of `tables.PLATFORMS`, by day and by night) of an `effort` frame.

    Reach order is that of the network; a row whose reach the network doesn't know raises
    `GeoMonitorError("effort_reach_unknown")`.
    """
    ids = network.reaches["reach_id"]
    reach = _places(effort["reach_id"], ids)
    if (reach < 0).any():
        raise GeoMonitorError("effort_reach_unknown", reach=effort["reach_id"].iloc[int(np.argmin(reach))])
    cell = reach * len(PLATFORMS) + _places(effort["platform"], PLATFORMS)
    night = effort["night_minutes"].to_numpy(dtype=float)
    parts = effort["minutes"].to_numpy(dtype=float) - night, night
    hours = [np.bincount(cell, part / 60, len(ids) * len(PLATFORMS)) for part in parts]
    return np.stack(hours, axis=-1).reshape(len(ids), len(PLATFORMS), 2)


def weighted_hours(effort: pd.DataFrame, per_hour: np.ndarray) -> np.ndarray:
    """Exposure of each row of an `effort` frame, hours: by day and by night as `per_hour` (platforms, 2) weighs them."""
    weight = np.asarray(per_hour, dtype=float)[_places(effort["platform"], PLATFORMS)]
    night = effort["night_minutes"].to_numpy(dtype=float)
    return ((effort["minutes"].to_numpy(dtype=float) - night) * weight[:, 0] + night * weight[:, 1]) / 60


def _places(column: pd.Series, values: Sequence[str] | pd.Series) -> np.ndarray:
    """Which of `values` each text of a column is; -1: none of them."""
    import pyarrow.compute as pc

    found = pc.index_in(pa.array(column, pa.string()), value_set=pa.array(list(values), pa.string()))
    return np.asarray(found.fill_null(-1)).astype(np.int64)
