"""What a brief rests on: lookups in the tables of a run around one place. Frames in, frames and arrays out.

Reaches are named by their row in `Known.reaches`. Distances by water run over the table `links`, from mid point to mid
point of reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo_monitor.app.rows import rows, zone_key
from geo_monitor.river.geodesy import distances, scale, to_degrees, to_mercator
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WATER_M = 50_000.0  # metres by water beyond which no way is looked for (as `Network.distance`)
BOX_DEGREES = 0.75  # reaches within this of a place may carry a unit whose way to it is under WATER_M


@dataclass(frozen=True, eq=False)
class Known:
    """The tables a brief is made from, as `geo_monitor.app.data` gives them; None where there is no such table.

    Attributes
    ----------
    at : the moment the brief speaks of, UTC with zone; what came later is not told
    reaches : `levels.joined`; links : table `links` of the same run
    zones, seizures, units, water_levels : uploaded tables in force (`zones`, `seizures`, `units`, `levels`)
    seizure_links, effort, zone_visits : result tables of the run
    fixes : unit_id, time, lon, lat, speed (m/s), heading (degrees), role; any number a unit
    run : name of the run, for the foot of the page
    """

    at: pd.Timestamp
    reaches: pd.DataFrame
    links: pd.DataFrame
    zones: pd.DataFrame
    seizures: pd.DataFrame
    seizure_links: pd.DataFrame | None = None
    effort: pd.DataFrame | None = None
    zone_visits: pd.DataFrame | None = None
    fixes: pd.DataFrame | None = None
    units: pd.DataFrame | None = None
    water_levels: pd.DataFrame | None = None
    run: str = ""

    @cached_property
    def index(self) -> pd.Index:
        """reach_id of each row."""
        return pd.Index(self.reaches["reach_id"])

    @cached_property
    def water(self) -> csr_matrix:
        """(n, n) symmetric: metres by water between mid points of reaches that touch."""
        from scipy.sparse import coo_matrix

        a, b = (self.index.get_indexer(pd.Index(self.links[name])) for name in ("reach_a", "reach_b"))
        ok = (a >= 0) & (b >= 0)
        a, b, metres = a[ok], b[ok], np.maximum(self.links["distance_m"].to_numpy(dtype=float)[ok], 1e-3)
        shape = (len(self.reaches), len(self.reaches))
        return coo_matrix((np.r_[metres, metres], (np.r_[a, b], np.r_[b, a])), shape=shape).tocsr()


def by_water(known: Known, spots: np.ndarray, limit: float) -> np.ndarray:
    """Metres by water (n,) from the nearest of the reaches `spots` to every reach; `inf` beyond `limit`.

    Example: three reaches of 500 m in a row, from the first, limit 600: [0, 500, inf].
    """
    from scipy.sparse.csgraph import dijkstra

    if not len(spots):
        return np.full(len(known.reaches), np.inf)
    found = dijkstra(known.water, directed=False, indices=np.asarray(spots), limit=limit, min_only=True)
    return np.asarray(found)


def standing_zones(known: Known, settings: Settings) -> pd.DataFrame:
    """Rows of `zones` that matter at `at`, with a column `holds` (bool): in force then, by the rule the joins use.

    Of a zone that is not in force the versions are kept that stand then (out of season, or by the water level) or will
    stand later; one whose time is over only where nothing followed it.
    """
    from geo_monitor.joins.zones import zones_between
    from geo_monitor.versions import identity, standing

    zones = known.zones
    moment = int(known.at.timestamp() * 1000)
    held = zones_between(zones, moment, moment, known.water_levels, settings)
    holding = {(z.agency or "", z.zone_id, z.version) for z in held if any(a <= moment < b for a, b in z.windows)}
    begin, end = standing(zones)
    now = np.array([zone_key(row) in holding for row in rows(zones)], dtype=bool)
    never = end <= begin
    over = end <= moment
    names = identity(zones)
    current = set(names[~over & ~never])
    keep = ~never & (~over | np.array([name not in current for name in names], dtype=bool))
    latest: dict[str, int] = {}
    for i in np.flatnonzero(keep & over):
        if names[i] not in latest or end[i] > end[latest[names[i]]]:
            latest[names[i]] = int(i)
    keep &= ~over | np.isin(np.arange(len(zones)), list(latest.values()))
    return zones.assign(holds=now)[keep | now]


def meeting(zones: pd.DataFrame, shape: shapely.Geometry) -> pd.DataFrame:
    """Rows of `zones` whose polygon meets `shape` (WGS84); repaired where drawn badly."""
    if not len(zones):
        return zones
    held = np.array([g if isinstance(g, shapely.Geometry) else None for g in zones["geometry"]], dtype=object)
    near = shapely.intersects(shapely.box(*_bounds(held).T), shapely.box(*shapely.bounds(shape)))
    near &= ~shapely.is_missing(held) & ~shapely.is_empty(held)
    for i in np.flatnonzero(near):
        near[i] = shapely.intersects(shapely.make_valid(held[i]), shape)
    return zones[near]


def _bounds(shapes: np.ndarray) -> np.ndarray:
    return np.nan_to_num(shapely.bounds(shapes), nan=999.0)


def cases(known: Known, spots: np.ndarray) -> pd.DataFrame:
    """Seizures up to `at` linked to the reaches `spots`, latest first: columns of `seizures`, and reach_id, km and bank
    of the link as link_reach, link_km, link_bank."""
    links = known.seizure_links
    columns = ["report_id", "reach_id", "km", "bank"]
    if links is None or not len(links) or not len(spots):
        linked = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    else:
        linked = pd.DataFrame(links.loc[links["reach_id"].isin(known.index[spots]), columns])
    linked = linked.drop_duplicates("report_id").rename(
        columns={"reach_id": "link_reach", "km": "link_km", "bank": "link_bank"}
    )
    held = known.seizures.sort_values("version", kind="stable").drop_duplicates("report_id", keep="last")
    found = pd.DataFrame(held[held["report_id"].isin(linked["report_id"]) & (held["time"] <= known.at)])
    found = found.merge(linked, on="report_id", how="left")
    return found.sort_values(["time", "report_id"], ascending=[False, True], kind="stable").reset_index(drop=True)


def effort_days(known: Known, spots: np.ndarray) -> pd.DataFrame:
    """Rows of `effort` on the reaches `spots` up to the Shanghai day of `at`, latest first."""
    from geo_monitor.tables import TIMEZONE

    effort = known.effort
    if effort is None or not len(spots):
        return pd.DataFrame({"reach_id": [], "day": [], "minutes": []})
    ids = known.index[spots]
    here = effort["reach_id"] == ids[0] if len(ids) == 1 else effort["reach_id"].isin(ids)
    found = pd.DataFrame(effort[here])
    found = found[pd.to_datetime(found["day"]) <= pd.Timestamp(known.at.tz_convert(TIMEZONE).date())]
    return found.sort_values(["day", "platform"], ascending=[False, True], kind="stable").reset_index(drop=True)


def visits(known: Known, **wanted: Any) -> pd.DataFrame:
    """Rows of `zone_visits` begun up to `at` in which each named column has that value, latest first."""
    held = known.zone_visits
    if held is None:
        return pd.DataFrame({"unit_id": [], "entered_at": [], "left_at": [], "minutes": [], "certainty": []})
    mask = (held["entered_at"] <= known.at).to_numpy(dtype=bool)
    for name, value in wanted.items():
        same = held[name] == value if value else held[name].isna() | (held[name] == "")
        mask = mask & same.fillna(False).to_numpy(dtype=bool)
    return pd.DataFrame(held[mask]).sort_values("entered_at", ascending=False, kind="stable")


def latest(known: Known, hours: float, but: str | None = None) -> tuple[pd.DataFrame, int]:
    """The last fix up to `at` of each patrolling unit but `but`, if not older than `hours`; and how many are older."""
    fixes = known.fixes
    if fixes is None or not len(fixes):
        return pd.DataFrame({name: [] for name in ("unit_id", "time", "lon", "lat")}), 0
    use = (fixes["role"] == "patrol") & (fixes["time"] <= known.at) & fixes["lon"].notna() & fixes["lat"].notna()
    if but is not None:
        use &= fixes["unit_id"] != but
    last = pd.DataFrame(fixes[use]).sort_values("time", kind="stable").drop_duplicates("unit_id", keep="last")
    fresh = last["time"] >= known.at - timedelta(hours=hours)
    return last[fresh], int((~fresh).sum())


def on_reach(known: Known, lon: np.ndarray, lat: np.ndarray, within_m: float) -> np.ndarray:
    """Row of the nearest reach (m,) within `within_m` of each point, -1 where there is none."""
    found = np.full(len(lon), -1)
    for i, (x, y) in enumerate(zip(lon, lat, strict=True)):
        box = within_m / 80_000 + 0.02  # degrees; reaches are no longer than some km
        near = np.flatnonzero(
            (np.abs(known.reaches["lon"] - x) < box).to_numpy() & (np.abs(known.reaches["lat"] - y) < box).to_numpy()
        )
        if len(near):
            shapes = mercator(known.reaches["geometry"].to_numpy()[near])
            away = shapely.distance(shapes, shapely.points(*to_mercator(x, y))) / float(scale(np.array([y]))[0])
            if away.min() <= within_m:
                found[i] = near[int(away.argmin())]
    return found


def units_near(
    known: Known, shape: shapely.Geometry, spots: np.ndarray, settings: Settings, but: str | None = None
) -> tuple[pd.DataFrame, int]:
    """Fresh fixes of units, nearest first, with straight_m and water_m (NaN where no way is known), metres.

    Order: by water where the way is known, else by the straight line, which is never longer. Second: how many units
    were left out for an older fix.
    """
    near, older = latest(known, settings.brief_fix_h, but)
    lon, lat = near["lon"].to_numpy(dtype=float), near["lat"].to_numpy(dtype=float)
    straight = _straight(shape, lon, lat)
    reach = np.full(len(near), -1)
    close = straight <= WATER_M  # the way by water is never shorter
    reach[close] = on_reach(known, lon[close], lat[close], settings.there_m)
    metres = by_water(known, spots, WATER_M) if (reach >= 0).any() else np.array([])
    water = np.array([metres[r] if r >= 0 and np.isfinite(metres[r]) else np.nan for r in reach])
    near = near.assign(straight_m=straight, water_m=water)
    order = np.lexsort((near["unit_id"].to_numpy(dtype=str), np.where(np.isnan(water), straight, water)))
    return near.iloc[order], older


def _straight(shape: shapely.Geometry, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Geodesic metres (m,) from points to the nearest place of `shape` (WGS84); 0 inside."""
    if not len(lon):
        return np.zeros(0)
    ways = shapely.shortest_line(mercator(np.array([shape], dtype=object))[0], shapely.points(*to_mercator(lon, lat)))
    ends = shapely.get_coordinates(ways).reshape(len(lon), 2, 2)
    x, y = to_degrees(ends[:, 0, 0], ends[:, 0, 1])
    return distances(x, y, lon, lat)


def mercator(shapes: np.ndarray) -> np.ndarray:
    """Shapes (n,) in degrees as shapes in metres of the ellipsoidal Mercator map."""
    return np.asarray(shapely.transform(shapes, lambda xy: np.column_stack(to_mercator(xy[:, 0], xy[:, 1]))))


def borders(known: Known, spots: np.ndarray, within_m: float) -> list[tuple[str, float, int]]:
    """Localities that answer for a bank within `within_m` by water but for none of the reaches `spots`.

    (adcode, metres to where it begins, row of its first reach), nearest first. Metres run from the mid point of the
    nearest of `spots` to the edge of that reach.
    """
    table = known.reaches
    metres = by_water(known, spots, within_m + 2000.0)
    near = np.flatnonzero(np.isfinite(metres))
    own = {code for name in ("adcode_left", "adcode_right") for code in table[name].iloc[spots].dropna()}
    edge = np.maximum(metres[near] - table["length_m"].to_numpy(dtype=float)[near] / 2, 0.0)
    found: dict[str, tuple[float, int]] = {}
    for i in np.argsort(edge, kind="stable"):
        if edge[i] > within_m:
            break
        for name in ("adcode_left", "adcode_right"):
            code = table[name].iloc[near[i]]
            if isinstance(code, str) and code and code not in own:
                found.setdefault(code, (float(edge[i]), int(near[i])))
    return [(code, *told) for code, told in found.items()]
