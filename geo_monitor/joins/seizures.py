"""Seizure links: for each seizure where it lies, what law held and who was near.

In: `seizures` (those in force), `positions`, `zones` (every version not withdrawn), `levels`, the river network.
Out: table `seizure_links`. Rules and worked numbers: `docs/methods-effort.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.joins.zones import zones_between
from geo_monitor.settings import Settings
from geo_monitor.tables import TABLES
from geo_monitor.tracks import Chunk, Tracks, encode, milliseconds

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

USES = ("rate", "unpatrolled", "no_place", "off_river", "elsewhere")
_POINT_KM = 1e-6
_NEIGHBOUR_ROWS = 50_000


def seizure_links(
    seizures: pd.DataFrame,
    fixes: pa.Table,
    zones: gpd.GeoDataFrame,
    network: Any,
    settings: Settings | None = None,
    locate: Callable[[pa.RecordBatch, Any], pa.RecordBatch] | None = None,
    levels: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Table `seizure_links`, one row per row of `seizures`, in its order.

    A report with coordinates is located by `locate` (default `river.locate`); one without lies where its river and km
    are. nearest_unit_*: among each patrol unit's fix closest in time within `nearest_window_s` (inclusive), the nearest
    by geodesic (WGS84; source: Karney, J. Geodesy 87, 2013), ties to the smaller unit_id. `use` says what becomes of
    the report in the rate (`USES`).
    """
    settings = settings or Settings()
    if locate is None:
        from geo_monitor import river

        locate = river.locate
    time = milliseconds(seizures["time"]) if len(seizures) else np.empty(0, np.int64)
    place = _places(seizures, network, locate)
    near = _nearest(place.lon, place.lat, time, encode(fixes, role="patrol"), settings)
    there, possible = _zones_there(place.lon, place.lat, time, zones, levels, settings)
    ids = np.array([*network.reaches["reach_id"], None], dtype=object)  # reach -1 is the last: none
    table = pa.table(
        {
            "report_id": pa.array(seizures["report_id"].to_numpy(dtype=object), pa.string()),
            "reach_id": pa.array(ids[place.reach], pa.string()),
            "km": pa.array(place.km, from_pandas=True),
            "bank": pa.array(place.bank, pa.string()),
            "offset_m": pa.array(place.offset_m, from_pandas=True),
            "zone_ids": pa.array(there, pa.list_(pa.string())),
            "zone_ids_possible": pa.array(possible, pa.list_(pa.string())),
            "nearest_unit_id": pa.array(near.unit_id, pa.string()),
            "nearest_unit_m": pa.array(near.metres, from_pandas=True),
            "nearest_unit_s": pa.array(near.seconds, from_pandas=True),
            "use": pa.array(_uses(seizures, place, near.there), pa.string()),
        }
    )
    frame = TABLES["seizure_links"].from_arrow(table)
    for name in ("zone_ids", "zone_ids_possible"):
        frame[name] = [list(zone_ids) for zone_ids in frame[name]]
    return frame


def seizure_counts(links: pd.DataFrame, network: Any) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Of `seizure_links`: cases in the rate (n reaches,), unpatrolled ones (n,), and how many were left out, by reason.

    Reasons: no_place (words alone), off_river (beyond the locating tolerance), elsewhere (market, road …), and
    unpatrolled (tip or camera and no unit there), which are in the second array too.
    """
    import pandas as pd

    reach = pd.Index(network.reaches["reach_id"].to_numpy()).get_indexer(pd.Index(links["reach_id"]))
    counts = []
    for use in ("rate", "unpatrolled"):
        at = reach[(links["use"] == use).to_numpy()]
        counts.append(np.bincount(at, minlength=len(network.reaches)))
    left_out = {use: int((links["use"] == use).sum()) for use in USES if use != "rate"}
    return counts[0], counts[1], left_out


@dataclass(frozen=True)
class _Places:
    lon: np.ndarray
    lat: np.ndarray
    reach: np.ndarray  # -1: none
    km: np.ndarray
    bank: np.ndarray
    offset_m: np.ndarray
    said: np.ndarray  # whether the report names a place at all: coordinates, or river and km


def _column(frame: pd.DataFrame, name: str, kind: type = float) -> np.ndarray:
    """A column as an array; one that is missing is empty throughout."""
    if name not in frame:
        return np.full(len(frame), np.nan if kind is float else None, dtype=kind)
    if kind is float:
        return frame[name].to_numpy(dtype=float, na_value=np.nan)
    values = frame[name].to_numpy(dtype=object)
    return np.array([value if isinstance(value, str) else None for value in values], dtype=object)


def _places(seizures: pd.DataFrame, network: Any, locate: Callable[[pa.RecordBatch, Any], pa.RecordBatch]) -> _Places:
    lon, lat = _column(seizures, "lon").copy(), _column(seizures, "lat").copy()
    n = len(seizures)
    reach, km, offset = np.full(n, -1, dtype=np.int64), np.full(n, np.nan), np.full(n, np.nan)
    bank = np.full(n, None, dtype=object)
    given = np.flatnonzero(~np.isnan(lon) & ~np.isnan(lat))
    if len(given):
        batch = pa.RecordBatch.from_arrays([pa.array(lon[given]), pa.array(lat[given])], names=["lon", "lat"])
        found = locate(batch, network)
        reach[given] = found.column("reach").fill_null(-1).to_numpy(zero_copy_only=False)
        km[given] = found.column("km").to_numpy(zero_copy_only=False)
        bank[given] = found.column("bank").to_pylist()
        offset[given] = found.column("offset_m").to_numpy(zero_copy_only=False)
    river, said_km, said_bank = (
        _column(seizures, "river", object), _column(seizures, "km"), _column(seizures, "bank", object),
    )  # fmt: skip
    told = np.flatnonzero(
        (np.isnan(lon) | np.isnan(lat)) & ~np.isnan(said_km) & np.array([r is not None for r in river], dtype=bool)
    )
    if len(told):
        lon[told], lat[told] = network.point(river[told], said_km[told])
        for i in told:
            reach[i] = _reach_at(network, river[i], said_km[i])
        on = told[reach[told] >= 0]
        km[on], bank[on] = said_km[on], said_bank[on]
    said = np.zeros(n, dtype=bool)
    said[given] = said[told] = True
    return _Places(lon, lat, reach, km, bank, offset, said)


def _reach_at(network: Any, river: str, km: float) -> int:
    """The reach that holds a chainage: half-open, but the very end of a river belongs to its last reach."""
    for low, high in ((km, km + _POINT_KM), (km - _POINT_KM, km)):
        reach, _ = network.stretch(river, low, high)
        if len(reach):
            return int(reach[0])
    return -1


def _zones_there(
    lon: np.ndarray,
    lat: np.ndarray,
    time: np.ndarray,
    zones: gpd.GeoDataFrame,
    levels: pd.DataFrame | None,
    settings: Settings,
) -> tuple[list[list[str]], list[list[str]]]:
    """Zones in force at each place (n,) and moment, by zone_id; the border belongs to the zone. And those of them whose
    rule asks for a water level that was not known then."""
    import shapely

    there: list[set[str]] = [set() for _ in range(len(lon))]
    known: list[set[str]] = [set() for _ in range(len(lon))]
    placed = np.flatnonzero(~np.isnan(lon))
    if len(placed) and len(zones):
        points = shapely.points(lon[placed], lat[placed])
        tree = shapely.STRtree(points)
        for zone in zones_between(zones, int(time[placed].min()), int(time[placed].max()), levels, settings):
            shapely.prepare(zone.geometry)
            for i in placed[tree.query(zone.geometry, predicate="intersects")]:
                if ((zone.windows[:, 0] <= time[i]) & (time[i] < zone.windows[:, 1])).any():
                    there[i].add(zone.zone_id)
                    if not zone.doubts(time[i : i + 1], time[i : i + 1])[0]:
                        known[i].add(zone.zone_id)
    return [sorted(ids) for ids in there], [sorted(ids - sure) for ids, sure in zip(there, known, strict=True)]


@dataclass(frozen=True)
class _Near:
    unit_id: np.ndarray  # (n,) text or None
    metres: np.ndarray
    seconds: np.ndarray
    there: np.ndarray  # (n,) bool: any fix of any unit within `there_m` and `nearest_window_s`


def _nearest(lon: np.ndarray, lat: np.ndarray, time: np.ndarray, tracks: Tracks, settings: Settings) -> _Near:
    import pyproj

    geod = pyproj.Geod(ellps="WGS84")
    window = round(settings.nearest_window_s * 1000)
    n = len(lon)
    unit_id = np.full(n, None, dtype=object)
    metres, seconds = np.full(n, np.nan), np.full(n, np.nan)
    there = np.zeros(n, dtype=bool)
    placed = np.flatnonzero(~np.isnan(lon))
    placed = placed[np.argsort(time[placed], kind="stable")]
    when = time[placed]
    for chunk in tracks.chunks():
        for first, last in zip(chunk.bounds[:-1], chunk.bounds[1:], strict=True):
            track = chunk.time[first:last]
            near = slice(*np.searchsorted(when, [track[0] - window, track[-1] + window + 1]))
            at, t = placed[near], when[near]
            if not len(at):
                continue
            # "there" asks every fix in the window, "nearest" only those closest in time
            lo = np.searchsorted(track, t - window, side="left")
            hi = np.searchsorted(track, t + window, side="right")
            some = hi > lo
            at, t, lo, hi = at[some], t[some], lo[some], hi[some]
            for part in _parts(hi - lo):
                count = (hi - lo)[part]
                of = np.repeat(np.arange(len(at))[part], count)
                begin = np.cumsum(count) - count
                fix = first + np.repeat(lo[part] - begin, count) + np.arange(len(of))
                away = np.abs(chunk.time[fix] - t[of])
                closest = away == np.repeat(np.minimum.reduceat(away, begin), count)
                candidate = closest | _perhaps_near(chunk, fix, lon[at[of]], lat[at[of]], settings.there_m)
                of, fix, closest = of[candidate], fix[candidate], closest[candidate]
                where = at[of]
                distance = np.asarray(geod.inv(lon[where], lat[where], chunk.lon[fix], chunk.lat[fix])[2])
                there[where[distance <= settings.there_m]] = True
                of, fix, distance, where = of[closest], fix[closest], distance[closest], where[closest]
                # of two fixes equally close in time the nearer in place, then the earlier
                order = np.lexsort((fix, distance, of))
                order = order[np.flatnonzero(np.diff(of[order], prepend=-1))]
                where, distance, fix = where[order], distance[order], fix[order]
                # units come in the order of their ids, so a tie stays with the smaller one
                better = np.isnan(metres[where]) | (distance < metres[where])
                where, distance, fix = where[better], distance[better], fix[better]
                metres[where] = distance
                seconds[where] = (chunk.time[fix] - time[where]) / 1000
                unit_id[where] = tracks.unit_ids[chunk.unit[first]]
    return _Near(unit_id, metres, seconds, there)


def _parts(count: np.ndarray) -> list[slice]:
    """Slices of rows that hold about `_NEIGHBOUR_ROWS` pairs each, so that memory stays bounded."""
    total = np.cumsum(count)
    cuts = np.flatnonzero(np.diff(total // _NEIGHBOUR_ROWS)) + 1
    ends = [0, *cuts.tolist(), len(count)]
    return [slice(a, b) for a, b in pairwise(ends) if b > a]


def _perhaps_near(chunk: Chunk, fix: np.ndarray, lon: np.ndarray, lat: np.ndarray, metres: float) -> np.ndarray:
    """Pairs that may lie within `metres`: a box of degrees a little too large, so that no true pair is lost."""
    degrees = metres / 110_000  # a degree of latitude is at least 110,574 m
    with np.errstate(divide="ignore"):
        wide = degrees / np.maximum(np.cos(np.radians(np.abs(lat) + degrees)), 1e-6)
    return (np.abs(chunk.lat[fix] - lat) <= degrees) & (np.abs(chunk.lon[fix] - lon) <= wide)


def _uses(seizures: pd.DataFrame, place: _Places, there: np.ndarray) -> np.ndarray:
    """What becomes of each report in the rate: one of `USES`."""
    setting, origin = _column(seizures, "setting", object), _column(seizures, "origin", object)
    on_water = np.isin(setting.astype(str), ["water", "bank", "None"])
    by_others = np.isin(origin.astype(str), ["tip", "camera"])
    return np.select(
        [~on_water, ~place.said, place.reach < 0, by_others & ~there],
        ["elsewhere", "no_place", "off_river", "unpatrolled"],
        default="rate",
    ).astype(object)
