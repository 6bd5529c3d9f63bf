"""Zones as the joins need them: when each version is in force, and its polygons.

In: tables `zones` (every version not withdrawn) and `levels`. Out: `Zone` records with windows of time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import GeoMonitorError
from geo_monitor.joins.levels import NO_READINGS, Windows, gauges, within
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS
from geo_monitor.versions import identity, standing

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely

_EPOCH = date(1970, 1, 1)
KEPT = (
    1024  # polygons remembered: the same are asked for again and again, and to see whether one is valid takes a while
)
_RULES = ("agency", "season_from", "season_to", "level_station", "level_from_m", "level_to_m")


def _none() -> np.ndarray:
    return np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class Zone:
    """One version of a zone: `windows` (w, 2) of ms UTC, [from, to), apart and ascending, while it is in force.

    `unsure` (k, 2), inside the windows, apart and ascending: while the water level its rule asks for is not known.
    """

    zone_id: str
    version: int
    windows: np.ndarray
    geometry: shapely.Geometry
    agency: str | None = None
    station: str | None = None
    unsure: np.ndarray = field(default_factory=_none)

    def doubts(self, entered: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Which of the spans [entered, left] (n,), ms, reach into a time when the level is not known."""
        if not len(self.unsure):
            return np.zeros(len(entered), dtype=bool)
        at = np.searchsorted(self.unsure[:, 1], entered, side="right")
        begins = np.append(self.unsure[:, 0], np.iinfo(np.int64).max)[at]
        return np.asarray((begins < left) | (begins <= entered), dtype=bool)


def zones_between(
    zones: gpd.GeoDataFrame,
    first: int,
    last: int,
    levels: pd.DataFrame | None = None,
    settings: Settings | None = None,
) -> list[Zone]:
    """The versions in force at some time of [first, last] ms, by zone_id, agency and version, with their windows near it.

    A version is in force where its standing (`geo_monitor.versions`), its season and its water level meet. A season
    (MM-DD, both days inclusive, Asia/Shanghai; may wrap the year) narrows a version's own time; out of season no
    earlier version comes back. Windows that touch are one, so a season of 01-01 to 12-31 has no seam at New Year. A
    level rule (level_from_m <= level < level_to_m at level_station) holds too while the level is not known, and
    `Zone.unsure` says when that is. A version without polygons is never in force.

    Raises `GeoMonitorError("zone_season_unreadable")`.
    """
    hold_ms = round((settings or Settings()).level_hold_h * 3_600_000)
    lo, hi = first - 400 * DAY_MS, last + 400 * DAY_MS  # margin: edges of windows must be real ones near the fixes
    begin, end = standing(zones)
    names = identity(zones)
    ids = zones["zone_id"].to_numpy(dtype=object).astype(str)
    versions = zones["version"].to_numpy(dtype=np.int64)
    stations = gauges(levels)
    told: dict[
        tuple[str | None, float, float], tuple[Windows, Windows]
    ] = {}  # many zones ask for one level of one gauge
    rules = [name for name in _RULES if name in zones.columns]
    rows = zones[rules].to_dict("records")  # a row of a frame at a time takes far longer
    shapes = polygons(zones.geometry.to_numpy())
    found = []
    for i in np.lexsort((versions, names.astype(str), ids)).tolist():
        row = rows[i]
        windows = _meet([(int(begin[i]), int(end[i]))], [(lo, hi)])
        season = _text(row["season_from"]), _text(row["season_to"])
        if windows and any(season):
            windows = _meet(windows, _seasons(season, lo, hi, ids[i], int(versions[i])))
        unsure: Windows = []
        station, low, high = rule = _level_rule(row)
        if windows and station is not None:
            if rule not in told:
                told[rule] = within(stations.get(station, NO_READINGS), low, high, hold_ms, (lo, hi))
            windows, unsure = (_meet(windows, part) for part in told[rule])
        windows = [(a, b) for a, b in windows if b > first and a <= last]
        geometry = shapes[i]
        if windows and geometry is not None:
            found.append(
                Zone(
                    ids[i],
                    int(versions[i]),
                    np.array(windows, dtype=np.int64),
                    geometry,
                    _text(row["agency"]),
                    station,
                    np.array(unsure, dtype=np.int64).reshape(-1, 2),
                )
            )
    return found


def _level_rule(row: Mapping[str, Any]) -> tuple[str | None, float, float]:
    """Station and bounds, metres, [low, high); no station where the row states no such rule."""
    if "level_station" not in row:
        return None, -np.inf, np.inf
    low, high = (float(row[name]) if row[name] == row[name] and row[name] is not None else np.nan
                 for name in ("level_from_m", "level_to_m"))  # fmt: skip
    if np.isnan(low) and np.isnan(high):
        return None, -np.inf, np.inf
    return _text(row["level_station"]), -np.inf if np.isnan(low) else low, np.inf if np.isnan(high) else high


def level_gaps(
    zones: gpd.GeoDataFrame, levels: pd.DataFrame | None, first: int, last: int, settings: Settings | None = None
) -> list[dict[str, Any]]:
    """Notes (code, params), one a station: hours of [first, last] ms in which a rule asked for a level nobody knows."""
    of: dict[str, list[Zone]] = {}
    names = identity(zones)
    asking = np.isin(names.astype(str), names[zones["level_station"].notna().to_numpy()].astype(str))
    for zone in zones_between(zones[asking], first, last, levels, settings):
        if zone.station is not None and len(zone.unsure):
            of.setdefault(zone.station, []).append(zone)
    notes = []
    for station, asked in sorted(of.items()):
        spans = sorted((int(a), int(b)) for zone in asked for a, b in zone.unsure)
        hours, reach = 0.0, first
        for a, b in spans:
            a, b = max(a, reach), min(b, last)
            hours += max(b - a, 0) / 3_600_000
            reach = max(reach, b)
        if hours > 0:
            ids = sorted({zone.zone_id for zone in asked})
            params = {"station": station, "hours": f"{hours:,.1f}", "zones": ids[:10], "count": len(ids)}
            notes.append({"code": "level_unknown", "params": params})
    return notes


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _meet(a: Windows, b: Windows) -> Windows:
    """What two ascending lists of windows share."""
    met = [(max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b]
    return sorted((lo, hi) for lo, hi in met if lo < hi)


def _seasons(season: tuple[str | None, str | None], lo: int, hi: int, zone_id: str, version: int) -> Windows:
    """Windows of a yearly season over [lo, hi]; an empty end means the end of the year."""
    try:
        begin, end = _month_day(season[0] or "01-01"), _month_day(season[1] or "12-31")
    except ValueError:
        said = f"{season[0]} - {season[1]}"
        raise GeoMonitorError("zone_season_unreadable", zone=zone_id, version=version, season=said) from None
    windows: Windows = []
    first_year = (_EPOCH + timedelta(milliseconds=lo)).year - 1
    last_year = (_EPOCH + timedelta(milliseconds=hi)).year + 1
    for year in range(first_year, last_year + 1):
        a, b = _day(year, begin, start=True), _day(year + (end < begin), end, start=False)
        if windows and a <= windows[-1][1]:
            windows[-1] = (windows[-1][0], b)
        else:
            windows.append((a, b))
    return windows


def _month_day(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    if not found:
        raise ValueError(text)
    month, day = int(found[1]), int(found[2])
    date(2000, month, day)  # a leap year: 02-29 is a day
    return month, day


def _day(year: int, month_day: tuple[int, int], *, start: bool) -> int:
    """Ms UTC at which that Shanghai day begins (start) or is over. 29 February of other years: 1 March, or the 28th."""
    month, day = month_day
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (month, day) == (2, 29) and not leap:
        month, day = (3, 1) if start else (2, 28)
    days = (date(year, month, day) - _EPOCH).days + (0 if start else 1)
    return days * DAY_MS - SHANGHAI_MS


def polygons(geometries: np.ndarray) -> np.ndarray:
    """The polygons of each geometry (n,), valid; None where there are none."""
    import shapely

    found = geometries.copy()
    if len(found) <= KEPT:
        for place, geometry in enumerate(geometries):
            found[place] = _polygons(geometry)
        return found
    good = (shapely.get_type_id(found) == shapely.GeometryType.POLYGON) & shapely.is_valid(found)
    for i in np.flatnonzero(~good | shapely.is_empty(found) | shapely.has_z(found)):
        found[i] = _polygons(found[i])
    return found


@lru_cache(maxsize=KEPT)
def _polygons(geometry: Any) -> shapely.Geometry | None:
    """Of one geometry of whatever kind."""
    import shapely

    if geometry is None or geometry.is_empty:
        return None
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry, method="structure", keep_collapsed=False)  # as imports do
    parts = [part for part in shapely.get_parts(shapely.force_2d(geometry)) if part.geom_type == "Polygon"]
    nested = [p for part in shapely.get_parts(geometry) if part.geom_type == "MultiPolygon" for p in part.geoms]
    parts = [*parts, *(shapely.force_2d(part) for part in nested)]
    # parts that lie on each other would cancel out where edges are counted
    return shapely.union_all(parts) if len(parts) > 1 else parts[0] if parts else None
