"""A world with a known truth on any river network.

In: a `Network`, a seed and how things stand there. Out: `World`: what agencies would have (units, tracks, reported
patrols, zones, seizures), and beside it the truth (true rate and true minutes of every reach).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings
from geo_monitor.simulate import cases, looking
from geo_monitor.simulate.movement import HABITS, MANNERS, movement
from geo_monitor.simulate.reported import reported, together
from geo_monitor.simulate.risk import true_rates
from geo_monitor.simulate.water import Water, water
from geo_monitor.simulate.zones import zones

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

SHANGHAI_S = 8 * 3600  # seconds the Shanghai clock is ahead of UTC; no summer time since 1991


@dataclass
class World:
    """Simulated data of agencies and the truth behind them.

    tracks : unit_id, patrol_id, time (UTC), lon, lat, speed, heading, platform, role, source, agency
    seizures : columns of table `seizures` without version and receipt, and `kind` (found, told, trade)
    zones, units, patrols (reported ones) : columns of the tables of these names
    truth : a row a reach: reach_id, river, km_from, km_to, rate_per_h (true rate), rate_met_per_h (the true rate at the
        hours patrols were there; NaN where nobody was), minutes, minutes_<platform>, seizures_found, seizures_told
    totals : {"simulated": true, "seed": ..., sums ...}
    lines : raw centre lines (river, accuracy_m, mouth, main_stem, geometry)
    """

    tracks: pd.DataFrame
    seizures: pd.DataFrame
    zones: gpd.GeoDataFrame
    units: pd.DataFrame
    patrols: pd.DataFrame
    truth: pd.DataFrame
    totals: dict[str, Any]
    lines: gpd.GeoDataFrame


def world(
    network: Any,
    seed: int,
    days: int = 180,
    units: int = 24,
    *,
    start: str = "2025-03-01",
    mean_rate: float = 0.06,
    habit: str = "unrelated",
    fixes_max: int = 1_000_000,
    detection: dict[str, float] | None = None,
    towns: tuple[tuple[str, float, float], ...] | None = None,
    zone_count: int = 12,
    lines: gpd.GeoDataFrame | None = None,
    settings: Settings | None = None,
) -> World:
    """A simulated world on `network`. Equal arguments give equal worlds, to the last bit.

    Parameters
    ----------
    days, start : the period: `days` days from 00:00 on `start` (a date), Shanghai clock
    units : units with GPS (boats, foot patrols, vehicles, drones in a fixed mix)
    mean_rate : mean over the reaches of the true rate, cases per hour of looking
    habit : whether patrols prefer places of low risk ("opposed"), do not care ("unrelated"), or of high ("following")
    fixes_max : about the most fixes made; units go out less often to keep to it
    detection : what an hour of each platform finds, in boat hours (default: 1 for all)
    towns : (name, lon, lat) of bases; default: towns of the real Yangtze where the network passes them, else strewn
    lines : the raw lines the network was built from; default: its own stems, whole

    Raises `Usage`: `simulate_habit`, `simulate_size`, `simulate_no_channel`.
    """
    settings = settings or Settings()
    if habit not in HABITS:
        raise Usage("simulate_habit", habit=habit, habits=", ".join(HABITS))
    if days < 2 or units < 1 or mean_rate <= 0 or fixes_max < 1:
        raise Usage("simulate_size", days=days, units=units, mean_rate=mean_rate, fixes_max=fixes_max)
    reaches = network.reaches
    if not (reaches["kind"] == "channel").any():
        raise Usage("simulate_no_channel")
    begin = _seconds(start)
    way = water(network, seed)
    rate = true_rates(network.adjacency, mean_rate, seed)
    river = reaches["river"].to_numpy(dtype=object)
    moved = movement(
        way, rate, river, seed=seed, start=begin, days=days, units=units, habit=habit, fixes_max=fixes_max, towns=towns
    )
    sent = looking.fixes(way, moved, seed)
    seen = looking.looked(way, moved, sent, settings.gap_s)
    in_words, seen_in_words = reported(way, moved, reaches, start=begin, days=days, seed=seed)
    seen = together([seen, seen_in_words])
    seizures, expected = _seizures(way, moved, seen, sent, rate, detection, reaches, begin, days, seed)
    truth = _truth(reaches, moved, seen, rate, expected, seizures)
    made_zones = zones(way, zone_count, start, days, seed)
    return World(
        tracks=_tracks(moved, sent),
        seizures=_public(seizures),
        zones=made_zones,
        units=moved.units[["unit_id", "mmsi", "name", "platform", "agency", "base"]],
        patrols=_reports(moved, in_words),
        truth=truth,
        totals=_totals(seed, start, days, habit, moved, sent, seizures, truth),
        lines=_lines(network, way) if lines is None else lines,
    )


def _seconds(date: str) -> float:
    """00:00 of a date in seconds since 1970 on the Shanghai clock."""
    import pandas as pd

    return pd.Timestamp(date).timestamp()


def _utc(seconds: Any) -> Any:
    import pandas as pd

    millis = ((np.asarray(seconds, dtype=float) - SHANGHAI_S) * 1000).round().astype(np.int64)
    return pd.to_datetime(millis, unit="ms", utc=True).astype("datetime64[ms, UTC]")


def _seizures(
    way: Water, moved: Any, seen: Any, sent: Any, rate: Any, detection: Any, reaches: Any, begin: float, days: int,
    seed: int,
) -> tuple[pd.DataFrame, Any]:  # fmt: skip
    import pandas as pd

    power = dict.fromkeys(MANNERS, 1.0) | (detection or {})
    by_patrol, expected = cases.found(way, moved, seen, rate, power, seed)
    end = begin + days * 86400
    parts = [
        by_patrol,
        cases.told(way, sent, rate, round(cases.TOLD * len(by_patrol)), begin, end, seed),
        cases.trade(way, sorted(set(moved.units["base"])), round(cases.TRADE * len(by_patrol)), begin, end, seed),
    ]
    together_ = pd.concat([part.assign(place=part.get("place")) for part in parts], ignore_index=True)
    return cases.dressed(together_, moved, reaches, way, seed), expected


def _truth(reaches: Any, moved: Any, seen: Any, rate: Any, expected: Any, seizures: Any) -> pd.DataFrame:
    import pandas as pd

    n = len(reaches)
    platform = moved.units["platform"].to_numpy()[moved.patrols["unit"].to_numpy(dtype=np.int64)][seen.patrol]
    frame = pd.DataFrame(reaches[["reach_id", "river", "km_from", "km_to"]].reset_index(drop=True))
    frame["rate_per_h"] = rate
    total = np.bincount(seen.reach, weights=seen.seconds, minlength=n) / 60.0
    met = np.bincount(seen.reach, weights=expected, minlength=n)
    frame["rate_met_per_h"] = np.where(total > 0, met / np.maximum(total, 1e-12) * 60.0, np.nan)
    frame["minutes"] = total
    for name in MANNERS:
        mine = platform == name
        frame[f"minutes_{name}"] = np.bincount(seen.reach[mine], weights=seen.seconds[mine], minlength=n) / 60.0
    for kind in ("found", "told"):
        index = seizures.loc[seizures["kind"] == kind, "reach"].to_numpy(dtype=np.int64)
        frame[f"seizures_{kind}"] = np.bincount(index, minlength=n)
    return frame


def _tracks(moved: Any, sent: Any) -> pd.DataFrame:
    import pandas as pd

    unit = sent["unit"].to_numpy(dtype=np.int64)
    columns = {name: moved.units[name].to_numpy(dtype=object)[unit] for name in ("unit_id", "platform", "agency")}
    return pd.DataFrame(
        {
            "unit_id": columns["unit_id"],
            "patrol_id": moved.patrols["patrol_id"].to_numpy(dtype=object)[sent["patrol"].to_numpy()],
            "time": _utc(sent["t"]),
            "lon": sent["lon"],
            "lat": sent["lat"],
            "speed": sent["speed"],
            "heading": sent["heading"],
            "platform": columns["platform"],
            "role": "patrol",
            "source": "gps",
            "agency": columns["agency"],
        }
    )


PUBLIC = (
    "report_id", "time", "lon", "lat", "river", "km", "bank", "place", "setting", "origin", "gear", "quantity",
    "catch_kg", "value_cny", "vessels", "suspects", "disposition", "patrol_id", "agency", "kind",
)  # fmt: skip


def _public(seizures: pd.DataFrame) -> pd.DataFrame:
    return seizures.assign(time=_utc(seizures["t"]))[list(PUBLIC)]


def _reports(moved: Any, in_words: pd.DataFrame) -> pd.DataFrame:
    frame = in_words.assign(
        unit_id=moved.units["unit_id"].to_numpy(dtype=object)[in_words["unit"].to_numpy(dtype=np.int64)],
        started_at=_utc(in_words["start"]),
        ended_at=_utc(in_words["end"]),
        how="reported",
    )
    return frame[["patrol_id", "unit_id", "started_at", "ended_at", "river", "km_from", "km_to", "persons", "how"]]


def _totals(
    seed: int, start: str, days: int, habit: str, moved: Any, sent: Any, seizures: Any, truth: Any
) -> dict[str, Any]:  # fmt: skip
    kinds = seizures["kind"].value_counts()
    minutes = float(truth["minutes"].sum())
    return {
        "simulated": True,
        "label": "模拟数据 simulated data",
        "seed": seed,
        "start": start,
        "days": days,
        "habit": habit,
        "reaches": len(truth),
        "reaches_over_2h": int((truth["minutes"] >= 120).sum()),
        "units": len(moved.units),
        "patrols": len(moved.patrols),
        "fixes": len(sent),
        "patrol_minutes": round(minutes, 3),
        **{f"patrol_minutes_{name}": round(float(truth[f"minutes_{name}"].sum()), 3) for name in MANNERS},
        "seizures": len(seizures),
        **{f"seizures_{kind}": int(kinds.get(kind, 0)) for kind in ("found", "told", "trade")},
        "rate_met_per_h": round(float(np.nansum(truth["rate_met_per_h"] * truth["minutes"]) / max(minutes, 1e-9)), 6),
    }


def _lines(network: Any, way: Water) -> gpd.GeoDataFrame:
    """The stems of a network as raw lines: a line a course and river name, drawn downstream."""
    import geopandas as gpd
    import shapely

    reaches = network.reaches
    geometry, river = reaches.geometry.to_numpy(), reaches["river"].to_numpy(dtype=object)
    course = way.course(way.edge)
    rows = []
    for number in np.flatnonzero(~way.lake):
        index = way.reach[course == number][::-1]
        turn = np.flatnonzero(river[index][1:] != river[index][:-1]) + 1
        for run in np.split(index, turn):
            points = np.concatenate([shapely.get_coordinates(geometry[item]) for item in run])
            fresh = np.concatenate([[True], (np.diff(points, axis=0) != 0).any(axis=1)])
            rows.append(
                (river[run[0]], float(np.median(network.tolerance_m[run])) / 2, shapely.LineString(points[fresh]))
            )
    return gpd.GeoDataFrame(
        {"river": [row[0] for row in rows], "accuracy_m": [row[1] for row in rows], "mouth": None, "main_stem": None},
        geometry=[row[2] for row in rows],
        crs="EPSG:4326",
    )
