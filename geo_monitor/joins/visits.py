"""Zone visits: who was inside which zone, from when to when.

In: `positions`, `zones` (every version not withdrawn), `levels`. Out: table `zone_visits`. Rules: `docs/methods-effort.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geo_monitor.joins.zones import Zone, pack, zones_between
from geo_monitor.settings import Settings
from geo_monitor.tables import TABLES
from geo_monitor.tracks import MINUTE_MS, Chunk, Tracks, encode, timestamps

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


def zone_visits(
    fixes: pa.Table,
    zones: gpd.GeoDataFrame,
    settings: Settings | None = None,
    levels: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Table `zone_visits`: every stay of a unit in a zone while its rule held, by unit, time, zone and version.

    fixes: table `positions`, patrol and traffic alike, any order. zones: table `zones`, all versions not withdrawn.
    levels: table `levels`. A stay that reaches into a time when the level its rule asks for is not known is possible.
    Memory: one chunk of about a million fixes beside the input.

    Raises `GeoMonitorError("zone_season_unreadable")`.
    """
    from geo_monitor.joins.kernels import visits

    settings = settings or Settings()
    tracks = encode(fixes)
    span = tracks.span
    if span is None or not len(zones):
        return TABLES["zone_visits"].from_arrow(TABLES["zone_visits"].arrow.empty_table())
    kept = zones_between(zones, *span, levels, settings)
    shapes = [pack(zone.geometry) for zone in kept]
    need_ms, seen_ms = round(settings.visit_s * 1000), round(settings.visit_observed_s * 1000)
    found: list[np.ndarray] = []
    for chunk in tracks.chunks():
        rows = np.flatnonzero(_moments(chunk))
        unit, time, lon, lat = chunk.unit[rows], chunk.time[rows], chunk.lon[rows], chunk.lat[rows]
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(unit)) + 1, [len(unit)]]).astype(np.int64)
        low, high = np.minimum.reduceat, np.maximum.reduceat
        at = bounds[:-1]
        boxes = np.stack([low(lon, at), low(lat, at), high(lon, at), high(lat, at)], axis=1)
        step = np.diff(time)
        # a spell a fix, and as many passages between two fixes as there is time for
        room = len(rows) + int((step[(step > 0) & (step <= seen_ms)] // max(need_ms, 1)).sum())
        out = np.empty((room, 5), dtype=np.int64)
        for i, (zone, shape) in enumerate(zip(kept, shapes, strict=True)):
            n = visits(
                bounds, time, lon, lat, boxes, zone.windows, shape.edges, shape.slab, shape.filed, shape.south,
                shape.per_degree, shape.box, settings.visit_fixes, need_ms, settings.visit_exit_m,
                round(settings.visit_exit_s * 1000), seen_ms, round(settings.patrol_split_s * 1000), out,
            )  # fmt: skip
            visit = out[:n]
            fix = rows[visit[:, 0]]
            entered, left = visit[:, 2], visit[:, 3]
            seen = visit[:, 4] * ~zone.doubts(entered, left)
            found.append(np.stack([chunk.unit[fix], entered, np.full(n, i), left, chunk.patrol[fix], seen], axis=1))
    return _visit_frame(np.concatenate(found) if found else np.empty((0, 6), np.int64), kept, tracks)


def _moments(chunk: Chunk) -> np.ndarray:
    """One row per unit and moment: of a moment sent twice the first in canonical order stands for both."""
    fresh = np.ones(len(chunk), dtype=bool)
    fresh[1:] = (chunk.unit[1:] != chunk.unit[:-1]) | (chunk.time[1:] != chunk.time[:-1])
    return fresh


def _visit_frame(rows: np.ndarray, zones: list[Zone], tracks: Tracks) -> pd.DataFrame:
    unit, entered, zone, left, patrol, seen = rows[np.lexsort((rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0]))].T
    table = pa.table(
        {
            "unit_id": pa.array([tracks.unit_ids[i] for i in unit], pa.string()),
            "patrol_id": pa.array([tracks.patrol_ids[i] if i >= 0 else None for i in patrol], pa.string()),
            "zone_id": pa.array([zones[i].zone_id for i in zone], pa.string()),
            "zone_agency": pa.array([zones[i].agency for i in zone], pa.string()),
            "zone_version": pa.array([zones[i].version for i in zone], pa.int64()),
            "entered_at": timestamps(entered),
            "left_at": timestamps(left),
            "minutes": (left - entered) / MINUTE_MS,
            "certainty": pa.array(["observed" if s else "possible" for s in seen], pa.string()),
        }
    )
    return TABLES["zone_visits"].from_arrow(table)
