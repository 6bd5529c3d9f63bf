"""A world with a known truth on any river network.

In: a `Network`, a seed and how things stand there. Out: `World`: what agencies would have (units, tracks, reported
patrols, zones, seizures), and beside it the truth (true rate and true minutes of every reach).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings
from geo_monitor.simulate import cases, looking
from geo_monitor.simulate.movement import HABITS, MANNERS, movement
from geo_monitor.simulate.planted import STEP, Plant, Planted, lay, named
from geo_monitor.simulate.reported import reported, together
from geo_monitor.simulate.risk import true_rates
from geo_monitor.simulate.rounds import fixes_of, joined, rounds
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
    plants : of a planted world, else None: a row a spell and reach (`Planted.frame`)
    steps : of a planted world, else None: a row a reach and step of 28 days counted back from the end: reach_id, step
        (from 1), day_from, day_to (exclusive), minutes, expected (cases, of the hours looked), seizures_found
    """

    tracks: pd.DataFrame
    seizures: pd.DataFrame
    zones: gpd.GeoDataFrame
    units: pd.DataFrame
    patrols: pd.DataFrame
    truth: pd.DataFrame
    totals: dict[str, Any]
    lines: gpd.GeoDataFrame
    plants: pd.DataFrame | None = None
    steps: pd.DataFrame | None = None


def first_day(days: int) -> str:
    """The day on which a world of so many days begins, unless told otherwise.

    >>> first_day(90), first_day(364), first_day(728)
    ('2025-03-01', '2025-03-01', '2024-03-02')
    """
    return (date(2025, 3, 1) - timedelta(days=max(0, days - 364))).isoformat()


def world(
    network: Any,
    seed: int,
    days: int | None = None,
    units: int = 24,
    *,
    start: str | None = None,
    mean_rate: float | None = None,
    habit: str = "unrelated",
    fixes_max: int = 1_000_000,
    detection: dict[str, float] | None = None,
    towns: tuple[tuple[str, float, float], ...] | None = None,
    zone_count: int = 12,
    lines: gpd.GeoDataFrame | None = None,
    settings: Settings | None = None,
    plant: str | Plant | None = None,
) -> World:
    """A simulated world on `network`. Equal arguments give equal worlds, to the last bit.

    Parameters
    ----------
    days, start : the period: `days` days (default 180, or the plant's) from 00:00 on `start` (a date), Shanghai clock;
        by default from 1 March 2025, or so much earlier that it ends by 28 February 2026: an import takes no times ahead
        of the clock
    units : units with GPS (boats, foot patrols, vehicles, drones in a fixed mix)
    mean_rate : mean over the reaches of the true rate, cases per hour of looking (default 0.06, or the plant's)
    habit : whether patrols prefer places of low risk ("opposed"), do not care ("unrelated"), or of high ("following")
    fixes_max : about the most fixes made; units go out less often to keep to it
    detection : what an hour of each platform finds, in boat hours (default: 1 for all)
    towns : (name, lon, lat) of bases; default: towns of the real Yangtze where the network passes them, else strewn
    lines : the raw lines the network was built from; default: its own stems, whole
    plant : what is planted (`planted.py`): a kind or a `Plant`; boats on regular rounds are added to `units`

    Raises `Usage`: `simulate_habit`, `simulate_size`, `simulate_no_channel`; of plants `simulate_plant`,
    `simulate_plant_days`, `simulate_plant_room`, `simulate_plant_values`, `simulate_plant_fixes`.
    """
    settings = settings or Settings()
    wanted = named(plant)
    days = (wanted.days if wanted else 180) if days is None else days
    mean_rate = (wanted.rate_per_h if wanted else 0.06) if mean_rate is None else mean_rate
    if habit not in HABITS:
        raise Usage("simulate_habit", habit=habit, habits=[*HABITS])
    if days < 2 or units < 1 or mean_rate <= 0 or fixes_max < 1:
        raise Usage("simulate_size", days=days, units=units, mean_rate=mean_rate, fixes_max=fixes_max)
    reaches = network.reaches
    if not (reaches["kind"] == "channel").any():
        raise Usage("simulate_no_channel")
    start = first_day(days) if start is None else start
    begin = _seconds(start)
    way = water(network, seed)
    planted = lay(way, wanted, begin, days, seed) if wanted else None
    patchy = planted is None or planted.plant.patchy
    rate = true_rates(network.adjacency, mean_rate, seed) if patchy else np.full(len(reaches), mean_rate)
    river = reaches["river"].to_numpy(dtype=object)
    sent_out = rounds(planted, units, seed) if planted else None
    left = fixes_max - (fixes_of(sent_out) if sent_out else 0)
    if left < 1:
        raise Usage("simulate_plant_fixes", fixes=fixes_max - left, fixes_max=fixes_max)
    closed = planted.closed_m() if planted else ()
    moved = movement(
        way, rate, river, seed=seed, start=begin, days=days, units=units, habit=habit, fixes_max=left, towns=towns,
        closed=closed,
    )  # fmt: skip
    if sent_out:
        moved = joined(moved, sent_out)
    sent = looking.fixes(way, moved, seed)
    seen = looking.looked(way, moved, sent, settings.gap_s)
    in_words, seen_in_words = reported(way, moved, reaches, start=begin, days=days, seed=seed, closed=closed)
    seen = together([seen, seen_in_words])
    seizures, expected = _seizures(way, moved, seen, sent, rate, detection, reaches, begin, days, seed, planted)
    mean = rate * planted.mean_factor(len(reaches)) if planted else rate
    truth = _truth(reaches, moved, seen, mean, expected, seizures)
    made_zones = zones(way, zone_count, start, days, seed)
    return World(
        tracks=_tracks(moved, sent),
        seizures=_public(seizures),
        zones=made_zones,
        units=moved.units[["unit_id", "mmsi", "name", "platform", "agency", "base"]],
        patrols=_reports(moved, in_words),
        truth=truth,
        totals=_totals(seed, start, days, habit, moved, sent, seizures, truth) | _of_plant(planted),
        lines=_lines(network, way) if lines is None else lines,
        plants=planted.frame(reaches["reach_id"]) if planted else None,
        steps=_steps(reaches, seen, expected, seizures, begin, days) if planted else None,
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
    seed: int, planted: Planted | None,
) -> tuple[pd.DataFrame, Any]:  # fmt: skip
    import pandas as pd

    power = dict.fromkeys(MANNERS, 1.0) | (detection or {})
    by_patrol, expected = cases.found(way, moved, seen, rate, power, seed, planted)
    end = begin + days * 86400
    parts = [
        by_patrol,
        cases.told(way, sent, rate, round(cases.TOLD * len(by_patrol)), begin, end, seed, planted),
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


def _steps(reaches: Any, seen: Any, expected: Any, seizures: Any, begin: float, days: int) -> pd.DataFrame:
    """Time looked, cases to expect and found, by reach and step of 28 days counted back from the end (the first may be
    shorter)."""
    import pandas as pd

    n, count = len(reaches), -(-days // STEP)
    first = begin + (days - count * STEP) * 86400.0  # of the first step, were it whole

    def cell(reach: Any, t: Any) -> Any:
        return reach * count + ((t - first) // (STEP * 86400.0)).astype(np.int64)

    looked = cell(seen.reach, 0.5 * (seen.t0 + seen.t1))
    caught = seizures[seizures["kind"] == "found"]
    found = cell(caught["reach"].to_numpy(dtype=np.int64), caught["t"].to_numpy())
    edge = np.maximum(np.arange(count + 1) * STEP * 86400.0 + first, begin)
    day = pd.to_datetime(edge, unit="s").strftime("%Y-%m-%d").to_numpy()
    return pd.DataFrame(
        {
            "reach_id": np.repeat(reaches["reach_id"].to_numpy(), count),
            "step": np.tile(np.arange(1, count + 1), n),
            "day_from": np.tile(day[:-1], n),
            "day_to": np.tile(day[1:], n),
            "minutes": np.bincount(looked, weights=seen.seconds, minlength=n * count) / 60.0,
            "expected": np.bincount(looked, weights=expected, minlength=n * count),
            "seizures_found": np.bincount(found, minlength=n * count),
        }
    )


def _of_plant(planted: Planted | None) -> dict[str, Any]:
    return {"plant": dataclasses.asdict(planted.plant)} if planted else {}


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
