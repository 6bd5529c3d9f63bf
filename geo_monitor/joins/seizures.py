"""Seizure links: for each seizure where it lies, what law held and who was near.

In: `seizures` (those in force), `positions`, `zones` (every version not withdrawn), `levels`, the river network.
Out: table `seizure_links`. Rules and worked numbers: `docs/methods-effort.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.joins.nearest import Near, nearest
from geo_monitor.joins.zones import zones_between
from geo_monitor.settings import Settings
from geo_monitor.tables import TABLES
from geo_monitor.tracks import encode, milliseconds, shanghai_day

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

USES = ("rate", "unpatrolled", "no_place", "off_river", "elsewhere")
_POINT_KM = 1e-6


def seizure_links(
    seizures: pd.DataFrame,
    fixes: pa.Table | Near,
    zones: gpd.GeoDataFrame,
    network: Any,
    settings: Settings | None = None,
    locate: Callable[[pa.RecordBatch, Any], pa.RecordBatch] | None = None,
    levels: pd.DataFrame | None = None,
    place: Places | None = None,
) -> pd.DataFrame:
    """Table `seizure_links`, one row per row of `seizures`, in its order.

    fixes: table `positions`, or who was near by them (`nearest`). place: what `places` gave, if that was asked before. A report with coordinates
    is located by `locate` (default `river.locate`); one without lies where its river and km are. `use` says what
    becomes of the report in the rate (`USES`).
    """
    settings = settings or Settings()
    place = place or places(seizures, network, locate)
    time = place.time
    near = fixes if isinstance(fixes, Near) else _near(place, fixes, settings)
    there, possible = _zones_there(place.lon, place.lat, time, zones, levels, settings)
    ids = np.array(
        [*network.reaches["reach_id"].to_numpy(dtype=object), None], dtype=object
    )  # reach -1 is the last: none
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


def beyond_hours(seizures: pd.DataFrame, links: pd.DataFrame, days: tuple[date, date] | None) -> list[dict[str, Any]]:
    """Notes on cases in the rate for which there can be no hours. seizures, links: the same reports in the same order;
    days: first and last Shanghai day on which somebody looked."""
    if days is None:
        return [{"code": "no_hours", "params": {}}]
    day = shanghai_day(milliseconds(seizures["time"]))[(links["use"] == "rate").to_numpy()].astype("datetime64[D]")
    first, last = days
    count = int(((day < np.datetime64(first)) | (day > np.datetime64(last))).sum())
    told = {"count": count, "first": str(first), "last": str(last)}
    return [{"code": "cases_beyond_hours", "params": told}] if count else []


def _near(place: Places, fixes: pa.Table, settings: Settings) -> Near:
    tracks = encode(fixes, role="patrol")
    near = Near.nobody(len(place.lon))
    for chunk in tracks.chunks():
        near = near.joined(nearest(place.lon, place.lat, place.time, chunk, tracks.unit_ids, settings))
    return near


@dataclass(frozen=True)
class Places:
    """When and where each report (n,) lies: ms UTC; WGS84 degrees, NaN without a place; reach -1 where on none."""

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    reach: np.ndarray
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


def places(
    seizures: pd.DataFrame, network: Any, locate: Callable[[pa.RecordBatch, Any], pa.RecordBatch] | None = None
) -> Places:
    """Where each row of `seizures` lies; see `seizure_links`."""
    from geo_monitor import river as rivers

    find = locate or rivers.locate
    time = milliseconds(seizures["time"]) if len(seizures) else np.empty(0, np.int64)
    lon, lat = _column(seizures, "lon").copy(), _column(seizures, "lat").copy()
    n = len(seizures)
    reach, km, offset = np.full(n, -1, dtype=np.int64), np.full(n, np.nan), np.full(n, np.nan)
    bank = np.full(n, None, dtype=object)
    given = np.flatnonzero(~np.isnan(lon) & ~np.isnan(lat))
    if len(given):
        batch = pa.RecordBatch.from_arrays([pa.array(lon[given]), pa.array(lat[given])], names=["lon", "lat"])
        found = find(batch, network)
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
    return Places(time, lon, lat, reach, km, bank, offset, said)


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
        law = zones_between(zones, int(time[placed].min()), int(time[placed].max()), levels, settings)
        shapes = np.array([zone.geometry for zone in law], dtype=object)
        shapely.prepare(shapes)
        for z, place in shapely.STRtree(points).query(shapes, predicate="intersects").T:
            zone, i = law[z], placed[place]
            if ((zone.windows[:, 0] <= time[i]) & (time[i] < zone.windows[:, 1])).any():
                there[i].add(zone.zone_id)
                if not zone.doubts(time[i : i + 1], time[i : i + 1])[0]:
                    known[i].add(zone.zone_id)
    return [sorted(ids) for ids in there], [sorted(ids - sure) for ids, sure in zip(there, known, strict=True)]


def _uses(seizures: pd.DataFrame, place: Places, there: np.ndarray) -> np.ndarray:
    """What becomes of each report in the rate: one of `USES`."""
    setting, origin = _column(seizures, "setting", object), _column(seizures, "origin", object)
    on_water = np.isin(setting.astype(str), ["water", "bank", "None"])
    by_others = np.isin(origin.astype(str), ["tip", "camera"])
    return np.select(
        [~on_water, ~place.said, place.reach < 0, by_others & ~there],
        ["elsewhere", "no_place", "off_river", "unpatrolled"],
        default="rate",
    ).astype(object)
