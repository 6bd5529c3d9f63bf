"""What was found, and what was told: seizures of patrols, tips and cameras, and the trade on land.

In: the looked time, true rates, the fixes. Out: seizures as a frame in our own columns plus `kind` (found, told, trade)
and the true reach. Found: only where somebody looked, Poisson with true rate x time looked x detection x hour and
season (in planted worlds also the factor of what is planted), at that moment on the track, near the bank. Told: tips and cameras with nobody near. Trade: markets and
restaurants in towns, which tell nothing of where the fish was caught.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.simulate import repeats
from geo_monitor.simulate.looking import Looked
from geo_monitor.simulate.movement import Movement
from geo_monitor.simulate.risk import by_clock
from geo_monitor.simulate.water import DEGREE_M, Water

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo_monitor.simulate.planted import Planted

    Floats = NDArray[np.float64]

GEAR = (
    # gear, share, pieces up to, catch kg (median), vessels, suspects up to, dispositions
    ("电捕鱼器", 0.24, 2, 18.0, 1, 3, ("criminal", "criminal", "administrative")),
    ("地笼", 0.28, 30, 6.0, 0, 1, ("administrative", "warning", "none")),
    ("单层刺网", 0.22, 8, 12.0, 1, 2, ("administrative", "criminal", "administrative")),
    ("可视锚鱼竿", 0.12, 3, 7.0, 0, 2, ("administrative", "criminal", "warning")),
    ("钓竿", 0.14, 6, 2.0, 0, 1, ("advice", "education", "warning")),
)
TOLD_WITH_UNIT = 0.06  # share of found cases whose report names a tip or camera as its origin: the unit was sent there
BY_KM = 0.12  # share of reports placed by river, km and bank instead of coordinates
NO_PATROL = 0.25  # share of reports that do not name the patrol
TOLD = 0.15  # tips and camera reports with nobody near, per case found ...
TRADE = 0.10  # ... and cases of the trade on land, per case found
AWAY_S, AWAY_M = 2700.0, 3000.0  # "nobody near": no fix within 45 minutes and 3 km


def found(
    water: Water, moved: Movement, seen: Looked, rate: Floats, detection: dict[str, float], seed: int,
    planted: Planted | None = None,
) -> tuple[pd.DataFrame, Floats]:  # fmt: skip
    """Seizures found by patrols, and what was expected of each piece of looked time (their sum per reach, divided by
    the hours looked there, is the rate a patrol meets in it).

    The factor of hour and season is scaled to a mean of 1 over all time looked: the true rate is that of an hour of
    looking as patrols look, and not of an hour of some other day. Where anything is `planted`, its factor is not scaled.
    """
    import pandas as pd

    rng = np.random.default_rng([seed, 4])
    platform = moved.units["platform"].to_numpy()[moved.patrols["unit"].to_numpy(dtype=np.int64)]
    power = np.array([detection[name] for name in platform])[seen.patrol] if len(platform) else np.zeros(0)
    middle = 0.5 * (seen.t0 + seen.t1)
    factor = by_clock(middle) if planted is None or planted.plant.patchy else np.ones(len(middle))
    mean = (factor * seen.seconds).sum() / max(seen.seconds.sum(), 1e-9)
    expected = rate[seen.reach] * seen.seconds / 3600.0 * factor / max(mean, 1e-9) * power
    if planted is not None:
        expected = expected * planted.factor(seen.reach, middle)
    felt = planted.plant if planted is not None and planted.of("near_repeat") else None
    number = rng.poisson(expected if felt is None else expected * felt.factor)
    piece = np.repeat(np.arange(len(number)), number)
    part = rng.random(len(piece))
    t = np.floor(seen.t0[piece] + part * (seen.t1 - seen.t0)[piece])
    s = seen.s0[piece] + part * (seen.s1 - seen.s0)[piece]
    if felt is not None:
        reach_of = (felt.repeat_m, felt.repeat_days * 86400.0)
        mine = repeats.kept(water, s, t, felt.factor, *reach_of, rng)
        piece, part, t, s = piece[mine], part[mine], t[mine], s[mine]
        near = repeats.raised(water, s, t, 0.5 * (seen.s0 + seen.s1), middle, *reach_of)
        expected = expected * np.where(near, felt.factor, 1.0)
    aside = seen.aside0[piece] + part * (seen.aside1 - seen.aside0)[piece]
    shore = np.where(aside >= 0, 1.0, -1.0) * rng.uniform(100.0, 220.0, len(piece))
    lon, lat = water.point(s, shore)
    frame = pd.DataFrame(
        {
            "t": t,
            "lon": lon.round(6),
            "lat": lat.round(6),
            "reach": seen.reach[piece],
            "s": s,
            "bank": np.where(shore > 0, "right", "left"),
            "patrol": seen.patrol[piece],
            "setting": rng.choice(["water", "bank"], size=len(piece), p=[0.7, 0.3]),
            "origin": np.where(
                rng.random(len(piece)) < TOLD_WITH_UNIT, rng.choice(["tip", "camera"], len(piece)), "patrol"
            ),
            "kind": "found",
        }
    )
    return frame, expected


def told(
    water: Water, sent: pd.DataFrame, rate: Floats, number: int, start: float, end: float, seed: int,
    planted: Planted | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tips and camera reports on the water, by true rate (near repeats apart), at moments when nobody was near."""
    import pandas as pd

    rng = np.random.default_rng([seed, 5])
    length = water.edge_end - water.edge
    chance = rate[water.reach] * length
    tries = 1 if planted is None else int(np.ceil(planted.most))
    piece = rng.choice(len(chance), size=(4 * number + 20) * tries, p=chance / chance.sum())
    s = water.edge[piece] + rng.uniform(0.1, 0.9, len(piece)) * length[piece]
    shore = rng.choice([-1.0, 1.0], len(piece)) * rng.uniform(100.0, 220.0, len(piece))
    t = np.floor(start + rng.random(len(piece)) * (end - start))
    if planted is not None:
        mine = rng.random(len(t)) * planted.most < planted.factor(water.reach[piece], t)
        piece, s, shore, t = piece[mine], s[mine], shore[mine], t[mine]
    lon, lat = water.point(s, shore)
    order = np.argsort(sent["t"].to_numpy(), kind="stable")
    times = sent["t"].to_numpy()[order]
    lons, lats = sent["lon"].to_numpy()[order], sent["lat"].to_numpy()[order]
    alone = []
    for i in range(len(t)):
        near = slice(*np.searchsorted(times, [t[i] - AWAY_S, t[i] + AWAY_S]))
        far = np.hypot((lons[near] - lon[i]) * np.cos(np.radians(lat[i])), lats[near] - lat[i]) * DEGREE_M
        if len(far) == 0 or far.min() > AWAY_M:
            alone.append(i)
    chosen = np.array(alone[:number], dtype=np.int64)
    return pd.DataFrame(
        {
            "t": t[chosen],
            "lon": lon[chosen].round(6),
            "lat": lat[chosen].round(6),
            "reach": water.reach[piece[chosen]],
            "s": s[chosen],
            "bank": np.where(shore[chosen] > 0, "right", "left"),
            "patrol": -1,
            "setting": rng.choice(["water", "bank"], size=len(chosen)),
            "origin": rng.choice(["tip", "tip", "camera"], size=len(chosen)),
            "kind": "told",
        }
    )


def trade(water: Water, bases: list[str], number: int, start: float, end: float, seed: int) -> pd.DataFrame:
    """Cases in markets, restaurants, shops and on roads, 1-6 km from the water; half of them with a place in words
    only."""
    import pandas as pd

    rng = np.random.default_rng([seed, 6])
    course = rng.integers(0, len(water.begin), number)
    s = water.begin[course] + rng.random(number) * (water.end - water.begin)[course]
    lon, lat = water.point(s, rng.choice([-1.0, 1.0], number) * rng.uniform(1_000.0, 6_000.0, number))
    setting = rng.choice(["market", "restaurant", "shop", "road"], size=number, p=[0.4, 0.35, 0.15, 0.1])
    words = {"market": "农贸市场", "restaurant": "餐馆", "shop": "渔具店", "road": "公路检查点"}
    placed = rng.random(number) < 0.5
    town = rng.choice(bases, size=number)
    return pd.DataFrame(
        {
            "t": np.floor(start + rng.random(number) * (end - start)),
            "lon": np.where(placed, lon.round(6), np.nan),
            "lat": np.where(placed, lat.round(6), np.nan),
            "reach": -1,
            "s": s,
            "bank": None,
            "patrol": -1,
            "setting": setting,
            "origin": "check",
            "kind": "trade",
            "place": [f"模拟{base}{words[name]}" for base, name in zip(town, setting, strict=True)],
        }
    )


def dressed(frame: pd.DataFrame, moved: Movement, reaches: Any, water: Water, seed: int) -> pd.DataFrame:
    """`frame` in order of time with report_id, gear, catch, persons, outcome and agency; some placed by km alone."""
    rng = np.random.default_rng([seed, 7])
    frame = frame.sort_values(["t", "s"], kind="stable").reset_index(drop=True)
    n = len(frame)
    frame.insert(0, "report_id", [f"模拟案{number + 1:05d}" for number in range(n)])
    gear = rng.choice(len(GEAR), size=n, p=[row[1] for row in GEAR])
    frame["gear"] = [GEAR[i][0] for i in gear]
    frame["quantity"] = [float(rng.integers(1, GEAR[i][2] + 1)) for i in gear]
    frame["catch_kg"] = (np.array([GEAR[i][3] for i in gear]) * np.exp(rng.normal(0.0, 0.8, n))).round(1)
    frame["value_cny"] = (frame["catch_kg"] * rng.uniform(20.0, 60.0, n)).round(0)
    frame["vessels"] = [float(GEAR[i][4]) for i in gear]
    frame["suspects"] = [float(rng.integers(1, GEAR[i][5] + 1)) for i in gear]
    frame["disposition"] = [GEAR[i][6][rng.integers(0, 3)] for i in gear]
    offices = np.array(sorted(moved.units["agency"].unique()), dtype=object)
    unit = moved.patrols["unit"].to_numpy(dtype=np.int64)
    patrol = frame["patrol"].to_numpy(dtype=np.int64)
    own = patrol >= 0
    agency = rng.choice(offices, size=n).astype(object)
    agency[own] = moved.units["agency"].to_numpy(dtype=object)[unit[patrol[own]]]
    frame["agency"] = agency
    named = own & (rng.random(n) >= NO_PATROL)
    frame["patrol_id"] = None
    frame.loc[named, "patrol_id"] = moved.patrols["patrol_id"].to_numpy()[patrol[named]]
    if "place" not in frame:
        frame["place"] = None
    # placed by chainage: river, km to 10 m, bank; only where the reach has one
    index = frame["reach"].to_numpy(dtype=np.int64)
    km_from = np.where(index >= 0, reaches["km_from"].to_numpy(dtype=float)[index], np.nan)
    km_to = np.where(index >= 0, reaches["km_to"].to_numpy(dtype=float)[index], np.nan)
    piece = water.piece(frame["s"].to_numpy())
    part = (frame["s"].to_numpy() - water.edge[piece]) / (water.edge_end - water.edge)[piece]
    km = np.round(km_from + part * (km_to - km_from), 2)
    by_km = (rng.random(n) < BY_KM) & np.isfinite(km) & (km >= km_from) & (km < km_to)
    frame["river"] = reaches["river"].to_numpy(dtype=object)[index]
    frame["river"] = frame["river"].where(by_km, None)
    frame["km"] = np.where(by_km, km, np.nan)
    frame["bank"] = frame["bank"].where(by_km, None)
    frame.loc[by_km, ["lon", "lat"]] = np.nan
    return frame
