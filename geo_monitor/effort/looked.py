"""Effort: how long somebody looked, per reach, Shanghai day and platform.

In: `positions` (those of role patrol count), where they were located, the river network, patrols reported without GPS.
Out: tables `effort`, `effort_gaps`, `patrols` (tracked), minutes that lie on no reach, and the last look at each reach.

Rules and worked numbers: `docs/methods-effort.md`. All time is summed as integer milliseconds and turned into minutes
once at the end, so neither the order of the rows nor the way uploads were cut changes a single bit of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.effort.minutes import Totals
from geo_monitor.settings import Settings
from geo_monitor.tables import TABLES
from geo_monitor.tracks import encode

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort.legs import Water


@dataclass(frozen=True)
class Effort:
    """What `effort` returns.

    total: the sums behind table `effort`; gaps, patrols: frames of tables `effort_gaps`, `patrols` (only tracked ones:
    first and last fix, and the stretch of river if they kept to one). unlocated_minutes: looked, but on no reach.
    last_look: (n,) int64 ms UTC per reach, `tracks.NEVER` where nobody looked (NaT once viewed as datetime64[ms]). notes:
    {"code", "params"} for `geo_monitor.messages`. reach_ids: (n,) of the network.
    """

    total: Totals
    gaps: pd.DataFrame
    patrols: pd.DataFrame
    unlocated_minutes: float
    last_look: np.ndarray
    reach_ids: Sequence[str]
    notes: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def table(self) -> pa.Table:
        """Table `effort`, by reach, day and platform."""
        return self.total.table(self.reach_ids)

    @cached_property
    def effort(self) -> pd.DataFrame:
        """The same as a frame."""
        return TABLES["effort"].from_arrow(self.table)

    @property
    def days(self) -> tuple[date, date] | None:
        """First and last day, Asia/Shanghai, on which somebody looked; None: nobody ever."""
        import pyarrow.compute as pc

        first, last = pc.min_max(self.table["day"]).as_py().values()
        return None if first is None else (first, last)

    @cached_property
    def hours(self) -> np.ndarray:
        """Hours looked (n reaches, platforms in the order of `tables.PLATFORMS`, by day and by night)."""
        return self.total.hours()


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
