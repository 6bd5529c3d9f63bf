"""Who can be there first: every unit with its way, its time, and the reason where it can't come."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.dispatch.road import air, roads
from geo_monitor.dispatch.water import Conditions, Place, waterway
from geo_monitor.errors import Usage
from geo_monitor.river.geodesy import Floats, distances
from geo_monitor.tracks import KNOT

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.river.network import Network
    from geo_monitor.settings import Settings

WATER, ROAD, AIR = ("boat", "rubber_boat"), ("foot", "vehicle"), ("drone",)
OPEN = ("offered", "accepted", "under_way", "on_scene")
OFF = ("off", "off_duty", "no", "false", "0", "休息", "下班", "不在岗")
ON = ("on", "on_duty", "yes", "true", "1", "在岗", "值班")
# why a unit can't come: the first that holds is told
NEVER = ("fixed", "no_platform", "too_old", "no_base", "no_speed", "off_water", "no_way", "open_water", "out_of_range")
REASONS = (*NEVER, "other_bank", "lacks", "off_duty", "busy")
COLUMNS = (
    "unit_id", "name", "agency", "platform", "capability", "crew", "status", "last_fix_at", "age_s", "start", "lon",
    "lat", "distance_m", "how", "seconds", "mobilise_s", "eta", "reason", "lacks", "bridge", "remark",
)  # fmt: skip


def candidates(
    place: Place,
    units: pd.DataFrame,
    fixes: pd.DataFrame,
    busy: Collection[str] | pd.DataFrame,
    network: Network,
    conditions: Conditions,
    settings: Settings,
    now: int,
    *,
    need: Collection[str] = (),
    bases: pd.DataFrame | None = None,
    bridges: pd.DataFrame | None = None,
    urgent: bool = False,
) -> pd.DataFrame:
    """A row a unit: those that can come by arrival, then those that could but for a reason, then those that can't.

    Parameters
    ----------
    place : `Place.at(network, lon, lat)` or `Place.on(network, reach, km)`
    units : unit_id, name, platform, agency, base; and, where known, capability (a list, or words between ; , 、),
        crew (persons), speed_kn, duty (on, off), range_m (drones)
    fixes : last fixes: unit_id, time (UTC, or ms), lon, lat, platform if known; of several the latest counts
    busy : ids of units with open taskings, or the frame of taskings (unit_id, state)
    now : ms UTC; fixes further ahead than `future_s` are not used
    need : capabilities asked for (night, arrest, boat ...); a unit's platform is one of its capabilities
    bases : name, lon, lat of places that a unit's base may be called by
    bridges : name, lon, lat
    urgent : speed limits do not bind

    Returns
    -------
    Columns unit_id, name, agency, platform, capability (list), crew, status (free, busy, off_duty, unknown), last_fix_at,
    age_s, start (fix, base or None), lon, lat (of the start), distance_m, how (water, road_estimate, air or None), seconds
    (under way), mobilise_s (before it), eta (now + both), reason (one of `REASONS`; None: it can come), lacks (the
    capabilities it lacks), bridge, remark (bank_unsure, own_bank or None).

    A unit without a fix younger than `dispatch_fix_s` starts from its base; where that is not known it is listed last,
    `too_old`, or `no_base` if it was never seen. On a lake cell that boat and place share, the way is the straight line.

    Raises `Usage("dispatch_columns")` and what `Waterway` raises.
    """
    import pandas as pd

    _ask(units, "units", ("unit_id",))
    _ask(fixes, "fixes", ("unit_id", "time", "lon", "lat"))
    rows = units.drop_duplicates("unit_id").reset_index(drop=True)
    m = len(rows)
    seen = _last(fixes, now, settings)
    fix = seen.reindex(rows["unit_id"])
    time, age = fix["ms"].to_numpy(dtype=float), np.maximum(now - fix["ms"].to_numpy(dtype=float), 0) / 1000
    fresh = age <= settings.dispatch_fix_s
    base = _bases(_column(rows, "base"), bases)
    based = ~np.isnan(base[:, 0])
    start: np.ndarray = np.full(m, None, dtype=object)
    start[based], start[fresh] = "base", "fix"
    at = np.where(fresh[:, None], fix[["lon", "lat"]].to_numpy(dtype=float), base)

    platform = _platforms(rows, fix)
    speed, speed_known = _speeds(rows, platform, settings)
    reason: np.ndarray = np.full(m, None, dtype=object)
    reason[pd.isna(platform)] = "no_platform"
    reason[platform == "camera"] = "fixed"
    lost = pd.isna(reason) & pd.isna(start)
    reason[lost] = np.where(np.isnan(time[lost]), "no_base", "too_old")
    reason[pd.isna(reason) & ~speed_known] = "no_speed"

    distance, seconds = np.full(m, np.nan), np.full(m, np.nan)
    how, bridge, remark = (np.full(m, None, dtype=object) for _ in range(3))
    for kinds, told, travel in ((WATER, "water", _water), (ROAD, "road_estimate", _road), (AIR, "air", _air)):
        go = np.flatnonzero(pd.isna(reason) & np.isin(platform.astype(str), kinds))
        if not len(go):
            continue
        how[go] = told
        options = {"conditions": conditions, "urgent": urgent, "bridges": bridges, "rows": rows.iloc[go]}
        found = travel(at[go], speed[go], place, network, settings, options)
        distance[go], seconds[go], reason[go], bridge[go], remark[go] = found
    known = np.isfinite(seconds)
    distance[~known], seconds[~known] = np.nan, np.nan

    capability = [
        sorted(_words(value) | ({str(name)} if name is not None else set()) | ({"boat"} if name in WATER else set()))
        for value, name in zip(_column(rows, "capability"), platform, strict=True)
    ]
    lacks = [sorted(set(need) - set(held)) for held in capability]
    duty = [_duty(value) for value in _column(rows, "duty")]
    engaged = _engaged(busy)
    status = np.array(
        [
            "busy" if unit in engaged else "off_duty" if on is False else "free" if on or young else "unknown"
            for unit, on, young in zip(rows["unit_id"], duty, fresh, strict=True)
        ],
        dtype=object,
    )
    for code, holds in (
        ("lacks", np.array([bool(missing) for missing in lacks], dtype=bool)),
        ("off_duty", status == "off_duty"),
        ("busy", status == "busy"),
    ):
        reason[pd.isna(reason) & holds] = code
    at_base = (start == "base") | (fresh & based & (_apart(at, base) <= settings.dispatch_at_base_m))
    wait = np.where(at_base, settings.dispatch_mobilise_s, 0.0)
    wait = np.where(status == "off_duty", np.maximum(wait, settings.dispatch_call_in_s), wait)
    eta = now + 1000 * (np.where(known, seconds, 0.0) + wait)

    table = pd.DataFrame(
        {
            "unit_id": rows["unit_id"],
            "name": _column(rows, "name"),
            "agency": _column(rows, "agency"),
            "platform": platform,
            "capability": capability,
            "crew": pd.to_numeric(pd.Series(_column(rows, "crew"), dtype=object)),
            "status": status,
            "last_fix_at": _times(time),
            "age_s": age,
            "start": start,
            "lon": at[:, 0],
            "lat": at[:, 1],
            "distance_m": distance,
            "how": how,
            "seconds": seconds,
            "mobilise_s": np.where(known, wait, np.nan),
            "eta": _times(np.where(known, np.round(eta), np.nan)),
            "reason": reason,
            "lacks": lacks,
            "bridge": bridge,
            "remark": remark,
        }
    )[list(COLUMNS)]
    rank = np.where(pd.isna(reason), 0, np.where(known, 1, 2))
    arrival = np.where(known, eta, np.inf)
    names = rows["unit_id"].astype(str).to_numpy(dtype=str)
    return table.iloc[np.lexsort((names, arrival, rank))].reset_index(drop=True)


# ---- ways ------------------------------------------------------------------------------------------------------------
Found = tuple[Floats, Floats, np.ndarray, np.ndarray, np.ndarray]  # metres, seconds, reason, bridge, remark


def _water(
    at: Floats, speed: Floats, place: Place, network: Network, settings: Settings, options: dict[str, Any]
) -> Found:
    from geo_monitor import river

    m = len(at)
    none = np.full(m, None, dtype=object)
    spots = river.place(at[:, 0], at[:, 1], network)
    metres, seconds = np.full(m, np.inf), np.full(m, np.inf)
    graph = waterway(network, options["conditions"])
    for value in np.unique(speed):
        own = np.flatnonzero(speed == value)
        seconds[own], metres[own] = graph.times(spots.reach[own], spots.km[own], place, float(value), options["urgent"])
    cell = np.flatnonzero((spots.reach == place.reach) & (spots.reach >= network.channels))
    metres[cell] = air(at[cell, 0], at[cell, 1], place)
    seconds[cell] = metres[cell] / speed[cell]
    reason = none.copy()
    reason[~np.isfinite(seconds)] = "no_way"
    reason[(spots.reach < 0) | (place.reach < 0)] = "off_water"
    return metres, seconds, reason, none, none


def _road(
    at: Floats, speed: Floats, place: Place, network: Network, settings: Settings, options: dict[str, Any]
) -> Found:
    found = roads(at[:, 0], at[:, 1], speed, place, network, settings, options["bridges"])
    return found.metres, found.seconds, found.reason, found.bridge, found.remark


def _air(
    at: Floats, speed: Floats, place: Place, network: Network, settings: Settings, options: dict[str, Any]
) -> Found:
    import pandas as pd

    metres = air(at[:, 0], at[:, 1], place)
    none = np.full(len(at), None, dtype=object)
    reach = pd.to_numeric(pd.Series(_column(options["rows"], "range_m"), dtype=object)).to_numpy(dtype=float)
    reach = np.where(np.isnan(reach), settings.dispatch_drone_range_m, reach)
    reason = none.copy()
    reason[metres > reach] = "out_of_range"
    seconds = np.where(metres > reach, np.inf, metres / speed)
    return metres, seconds, reason, none, none


# ---- reading frames --------------------------------------------------------------------------------------------------
def _ask(frame: pd.DataFrame, table: str, columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise Usage("dispatch_columns", table=table, columns=missing)


def _column(frame: pd.DataFrame, name: str) -> list[Any]:
    """A column as a list, missing values as None; None throughout where there is no such column."""
    import pandas as pd

    if name not in frame:
        return [None] * len(frame)
    return [value if isinstance(value, list | tuple | set) or pd.notna(value) else None for value in frame[name]]


def _last(fixes: pd.DataFrame, now: int, settings: Settings) -> pd.DataFrame:
    """The latest usable fix of each unit: ms, lon, lat, platform, by unit_id."""
    import pandas as pd

    time = fixes["time"]
    if isinstance(time.dtype, pd.DatetimeTZDtype):
        ms = time.dt.as_unit("ms").astype("int64").where(time.notna())
    else:
        ms = pd.to_numeric(time)
    seen = pd.DataFrame({"unit_id": fixes["unit_id"], "ms": ms, "lon": fixes["lon"], "lat": fixes["lat"]})
    seen["platform"] = _column(fixes, "platform")
    seen = seen[seen[["ms", "lon", "lat"]].notna().all(axis=1) & (seen["ms"] <= now + 1000 * settings.future_s)]
    seen = seen.sort_values(["unit_id", "ms"], kind="stable").drop_duplicates("unit_id", keep="last")
    return seen.set_index("unit_id")


def _platforms(rows: pd.DataFrame, fix: pd.DataFrame) -> np.ndarray:
    """The platform of each unit as the units say, else as its last fix says; None where neither tells one we know."""
    told = [a or b for a, b in zip(_column(rows, "platform"), _column(fix, "platform"), strict=True)]
    known = {*WATER, *ROAD, *AIR, "camera"}
    return np.array([name if name in known else None for name in told], dtype=object)


def _speeds(rows: pd.DataFrame, platform: np.ndarray, settings: Settings) -> tuple[Floats, np.ndarray]:
    """Speed in m/s of each unit, and whether it is one to travel at: its own (knots), else that of its platform."""
    import pandas as pd

    usual = {
        "boat": settings.dispatch_boat_kn * KNOT,
        "rubber_boat": settings.dispatch_rubber_boat_kn * KNOT,
        "vehicle": settings.dispatch_vehicle_mps,
        "foot": settings.dispatch_foot_mps,
        "drone": settings.dispatch_drone_mps,
    }
    own = pd.to_numeric(pd.Series(_column(rows, "speed_kn"), dtype=object)).to_numpy(dtype=float) * KNOT
    speed = np.where(np.isnan(own), [usual.get(name, np.nan) for name in platform], own)
    return speed, np.isfinite(speed) & (speed > 0)


def _words(value: Any) -> set[str]:
    """Capabilities of a list, or of words between ; , 、 and the like.

    >>> sorted(_words("night; arrest、drone"))
    ['arrest', 'drone', 'night']
    """
    parts = re.split(r"[;；,，、|/]+", value) if isinstance(value, str) else list(value or ())
    return {str(part).strip() for part in parts if str(part).strip()}


def _duty(value: Any) -> bool | None:
    """On duty, off duty, or not told.

    >>> [_duty(v) for v in ("off", "在岗", True, None)]
    [False, True, True, None]
    """
    word = str(value).strip().casefold()
    return False if word in OFF else True if word in ON else None


def _engaged(busy: Collection[str] | pd.DataFrame) -> set[str]:
    import pandas as pd

    if isinstance(busy, pd.DataFrame):
        _ask(busy, "taskings", ("unit_id", "state"))
        return set(busy.loc[busy["state"].isin(OPEN), "unit_id"].dropna())
    return set(busy)


def _folded(name: Any) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(name))).casefold()


def _bases(base: list[Any], known: pd.DataFrame | None) -> Floats:
    """(m, 2) lon, lat of bases given as "lon,lat" or by a name of `known`; NaN where neither.

    >>> _bases(["112.5, 30.1", "112.5，30.1", "somewhere", "200,30", None], None)[:, 0].tolist()
    [112.5, 112.5, nan, nan, nan]
    """
    named: dict[str, tuple[float, float]] = {}
    if known is not None:
        _ask(known, "bases", ("name", "lon", "lat"))
        for name, lon, lat in zip(known["name"], known["lon"], known["lat"], strict=True):
            named.setdefault(_folded(name), (float(lon), float(lat)))
    found = np.full((len(base), 2), np.nan)
    for i, text in enumerate(base):
        if text is None:
            continue
        pair = re.fullmatch(r"([-+]?\d+(?:\.\d+)?),([-+]?\d+(?:\.\d+)?)", _folded(text))
        if pair and abs(float(pair[1])) <= 180 and abs(float(pair[2])) <= 90:
            found[i] = float(pair[1]), float(pair[2])
        elif not pair:
            found[i] = named.get(_folded(text), (np.nan, np.nan))
    return found


def _apart(a: Floats, b: Floats) -> Floats:
    """Metres between rows of two (m, 2) lon, lat; `inf` where one is missing."""
    metres = np.full(len(a), np.inf)
    both = np.flatnonzero(~np.isnan(a).any(axis=1) & ~np.isnan(b).any(axis=1))
    metres[both] = distances(a[both, 0], a[both, 1], b[both, 0], b[both, 1])
    return metres


def _times(ms: Floats) -> pd.Series:
    """ms UTC as timestamps, NaT where NaN."""
    import pandas as pd

    whole = pd.array(np.where(np.isnan(ms), np.iinfo(np.int64).min, np.nan_to_num(ms)).astype("int64"))
    return pd.Series(whole.to_numpy().astype("datetime64[ms]")).dt.tz_localize("UTC")
