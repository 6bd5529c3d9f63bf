"""Simulated patrols: who goes out when, where they like to go, where they lie in wait.

In: `Water`, true rates, seed. Out: `Movement`: units, patrols, and the legs of every patrol on the axis `s`. A leg is a
move at constant speed or a wait; everything else (fixes, effort, cases) follows from the legs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.simulate.water import DEGREE_M, Water

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Ranges = tuple[tuple[float, float], ...]

HABITS = {"opposed": -1.0, "unrelated": 0.0, "following": 1.0}  # power of the true rate in the choice of a target
LEG_S = 360.0  # seconds a speed is kept
NEAR_TOWN_M = 20_000.0  # a town is a base if the water is this close
CLEAR_M = 300.0  # metres kept from a closed stretch: crews on the bank are up to 250 m beside the line, fixes noisy


@dataclass(frozen=True)
class Manner:
    """How a platform goes about: speed (m/s), hours out, usual and largest distance from base (m), seconds between
    fixes, share of outings with a stake-out, metres beside the middle of the water (moving, waiting)."""

    speed: tuple[float, float]
    hours: tuple[float, float]
    usual_m: float
    farthest_m: float
    fix_s: tuple[int, ...]
    waits: float
    aside: tuple[float, float]
    waiting: tuple[float, float]


MANNERS = {
    "boat": Manner((3.0, 10.0), (4.0, 9.0), 20_000.0, 70_000.0, (30, 45, 60), 0.45, (-80.0, 80.0), (90.0, 180.0)),
    "foot": Manner((0.9, 1.6), (2.0, 4.0), 2_500.0, 6_000.0, (30, 60), 0.25, (120.0, 200.0), (120.0, 200.0)),
    "vehicle": Manner((4.0, 12.0), (3.0, 6.0), 12_000.0, 30_000.0, (30, 60), 0.3, (180.0, 250.0), (180.0, 250.0)),
    "drone": Manner((8.0, 14.0), (0.5, 1.0), 4_000.0, 8_000.0, (30,), 0.0, (-120.0, 120.0), (0.0, 60.0)),
}
MIX = ("boat", "boat", "foot", "boat", "vehicle", "boat", "boat", "drone", "boat", "foot")
WORD = {"boat": "艇", "foot": "组", "vehicle": "车", "drone": "机"}
AGENCIES = {
    "boat": ("模拟长航公安", "模拟渔政支队"),
    "foot": ("模拟护渔队",),
    "vehicle": ("模拟渔政支队",),
    "drone": ("模拟渔政支队",),
}
# towns on the real river, for worlds on it (WGS84); elsewhere bases are strewn along the water
TOWNS = (
    ("宜宾", 104.63, 28.77), ("重庆", 106.58, 29.56), ("万州", 108.40, 30.82), ("宜昌", 111.30, 30.69),
    ("荆州", 112.24, 30.30), ("岳阳", 113.15, 29.44), ("武汉", 114.28, 30.58), ("九江", 116.00, 29.74),
    ("安庆", 117.05, 30.51), ("芜湖", 118.35, 31.34), ("南京", 118.74, 32.09), ("南通", 120.80, 31.98),
)  # fmt: skip


@dataclass
class Movement:
    """units: a row a unit (unit_id, mmsi, name, platform, agency, base, fix_s, noise_m); patrols: a row a patrol
    (patrol_id, unit, start, end in seconds on the Shanghai clock); legs: arrays (l,) in order of patrol and time:
    patrol, t0, t1, s0, s1 and the metres beside the course at both ends; gaps: (g,) patrol, g0, g1 without fixes."""

    units: pd.DataFrame
    patrols: pd.DataFrame
    legs: dict[str, NDArray]
    gaps: dict[str, NDArray] = field(default_factory=dict)


@dataclass
class _Base:
    name: str
    s: float
    target: Floats  # s of places to go
    distance: Floats
    via: Floats  # where another course is left and entered: (k, 2) s, NaN where the target is on the base's own course
    risk: Floats


def movement(
    water: Water, rate: Floats, river: NDArray[np.object_], *, seed: int, start: float, days: int, units: int,
    habit: str, fixes_max: int, towns: tuple[tuple[str, float, float], ...] | None,
    closed: Ranges = (),
) -> Movement:  # fmt: skip
    """Patrols of `units` units over `days` days from `start` (seconds since 1970 on the Shanghai clock); `rate` and
    `river` are those of the reaches. `closed`: ranges of the axis, each on one course, where none of them ever goes."""
    import pandas as pd

    rng = np.random.default_rng([seed, 2])
    shut = tuple((low - CLEAR_M, high + CLEAR_M) for low, high in closed)
    bases, landings = _bases(water, rate, river, max(2, units // 2), TOWNS if towns is None else towns, shut, rng)
    rows, homes = [], []
    for number in range(units):
        platform = MIX[number % len(MIX)]
        afloat = bool(landings) and platform == "boat" and number % 5 == 3
        home = landings[number % len(landings)] if afloat else bases[number % len(bases)]
        offices = AGENCIES[platform]
        agency = offices[(number // len(MIX) + number) % len(offices)]
        manner = MANNERS[platform]
        rows.append(
            {
                "unit_id": f"模拟{WORD[platform]}{number + 1:03d}",
                "mmsi": f"999{seed % 1000:03d}{number % 1000:03d}" if platform == "boat" else None,  # no real country
                "name": f"模拟数据-{home.name}-{number + 1:03d}",
                "platform": platform,
                "agency": agency,
                "base": home.name,
                "fix_s": int(rng.choice(manner.fix_s)),
                "noise_m": float(rng.uniform(10.0, 20.0)),
            }
        )
        homes.append(home)
    frame = pd.DataFrame(rows)
    busy = _share_out(frame, days, fixes_max)
    outings: list[dict] = []
    legs: list[NDArray] = []
    for number, home in enumerate(homes):
        manner = MANNERS[str(rows[number]["platform"])]
        liking = np.exp(-home.distance / manner.usual_m + HABITS[habit] * home.risk)
        liking *= np.exp(rng.normal(0.0, 0.7, len(liking)))  # places this crew simply likes
        liking[home.distance > manner.farthest_m] = 0.0
        if liking.sum() == 0:
            liking[home.distance.argmin()] = 1.0
        liking /= liking.sum()
        usual_hour = rng.choice([8.0, 13.0, 19.0, 21.0])
        free = start
        for day in range(days):
            if rng.random() > busy:
                continue
            begin = start + day * 86400 + ((usual_hour + rng.normal(0.0, 2.5)) % 24) * 3600
            begin = float(np.round(max(begin, free)))
            made = _outing(manner, home, liking, begin, rng, water, shut)
            if made[-1, 1] > start + days * 86400:
                continue
            free = made[-1, 1] + 3600.0
            legs.append(np.column_stack([np.full(len(made), len(outings)), made]))
            outings.append({"unit": number, "start": begin, "end": made[-1, 1]})
    patrols = pd.DataFrame(outings, columns=["unit", "start", "end"])
    patrols.insert(0, "patrol_id", [f"模拟巡{number + 1:05d}" for number in range(len(patrols))])
    table = np.concatenate(legs) if legs else np.zeros((0, 7))
    return Movement(frame, patrols, as_legs(table), gaps(patrols, rng))


def as_legs(table: Floats) -> dict[str, NDArray]:
    """The legs of a `Movement` from rows patrol, t0, t1, s0, s1, aside0, aside1."""
    names = ("patrol", "t0", "t1", "s0", "s1", "aside0", "aside1")
    columns = {name: table[:, i] for i, name in enumerate(names)}
    columns["patrol"] = columns["patrol"].astype(np.int64)
    return columns


def _share_out(units: pd.DataFrame, days: int, fixes_max: int) -> float:
    """Chance that a unit goes out on a day: 0.65, or less where that would make more than `fixes_max` fixes."""
    hours = np.array([np.mean(MANNERS[platform].hours) for platform in units["platform"]])
    wanted = float((hours * 3600 / units["fix_s"].to_numpy()).sum()) * days * 0.65
    return 0.65 * min(1.0, 0.95 * fixes_max / max(wanted, 1.0))


def _bases(
    water: Water, rate: Floats, river: NDArray[np.object_], count: int, towns: tuple[tuple[str, float, float], ...],
    shut: Ranges, rng: np.random.Generator,
) -> tuple[list[_Base], list[_Base]]:  # fmt: skip
    """Bases on the river (towns near the water, else strewn by length) and landings on lakes."""
    from scipy.spatial import cKDTree

    flowing = ~water.lake
    on_river = flowing[water.course(water.knot)]
    stretch = np.cos(np.radians(30.0)) * DEGREE_M
    tree = cKDTree(np.column_stack([water.lon[on_river] * stretch, water.lat[on_river] * DEGREE_M]))
    places: list[tuple[str, float]] = []
    for name, lon, lat in towns:
        far, nearest = tree.query([lon * stretch, lat * DEGREE_M])
        if far <= NEAR_TOWN_M:
            places.append((name, float(water.knot[on_river][nearest])))
    if len(places) < 3:
        length = np.where(flowing, water.end - water.begin, 0.0)
        mark = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count * length.sum()
        course = np.minimum(np.searchsorted(np.cumsum(length), mark), len(length) - 1)
        within = mark - (np.cumsum(length) - length)[course]
        places = [(f"码头{i + 1}", float(s)) for i, s in enumerate(water.begin[course] + within)]
    landings = sorted({round(float(s)) for s in water.begin[water.lake]})
    lakes: dict[tuple[float, float], str] = {}
    for s in landings:
        spot = (
            round(float(np.interp(s, water.knot, water.lon)), 4),
            round(float(np.interp(s, water.knot, water.lat)), 4),
        )
        lakes.setdefault(spot, f"{str(river[water.reach[water.piece(s + 1.0)]]).split()[0]}港")
    harbours = [_harbour(water, rate, name, spot) for spot, name in lakes.items()]
    return [_base(water, rate, name, _out_of(shut, s), shut) for name, s in places], harbours


def _out_of(shut: Ranges, s: float) -> float:
    """`s`, or the nearest place outside the closed range it is in."""
    for low, high in shut:
        if low <= s <= high:
            return low - CLEAR_M if s - low < high - s else high + CLEAR_M
    return s


def _base(water: Water, rate: Floats, name: str, s: float, shut: Ranges) -> _Base:
    """A base at `s`, and where one gets from there: along its course, up its tributaries, out into its main stem; not
    past what is `shut`."""
    own = int(water.course(s))
    middle = 0.5 * (water.edge + water.edge_end)
    course = water.course(middle)
    distance = np.full(len(middle), np.inf)
    via = np.full((len(middle), 2), np.nan)
    mine = course == own
    distance[mine] = np.abs(middle[mine] - s)
    for child in np.flatnonzero(np.isfinite(water.parent)):
        if water.course(water.parent[child]) == own:
            there = course == child
            distance[there] = abs(water.parent[child] - s) + middle[there] - water.begin[child]
            via[there] = (water.parent[child], water.begin[child])
    if np.isfinite(water.parent[own]):
        there = course == water.course(water.parent[own])
        distance[there] = s - water.begin[own] + np.abs(middle[there] - water.parent[own])
        via[there] = (water.begin[own], water.parent[own])
    leave, enter = np.where(np.isnan(via.T), [middle, middle], via.T)
    for low, high in shut:
        for a, b in ((s, leave), (enter, middle)):
            distance[(np.minimum(a, b) < high) & (np.maximum(a, b) > low)] = np.inf
    return _choices(water, rate, name, s, middle, distance, via)


def _harbour(water: Water, rate: Floats, name: str, spot: tuple[float, float]) -> _Base:
    """A landing from which several lanes lead over a lake: going to one is going along it from its beginning."""
    middle = 0.5 * (water.edge + water.edge_end)
    course = water.course(middle)
    from_here = water.lake & (np.abs(np.interp(water.begin, water.knot, water.lon) - spot[0]) < 2e-4)
    from_here &= np.abs(np.interp(water.begin, water.knot, water.lat) - spot[1]) < 2e-4
    there = from_here[course]
    distance = np.where(there, middle - water.begin[course], np.inf)
    s = float(water.begin[from_here][0])
    via = np.column_stack([np.full(len(course), s), water.begin[course]])
    return _choices(water, rate, name, s, middle, distance, via)


def _choices(
    water: Water, rate: Floats, name: str, s: float, middle: Floats, distance: Floats, via: Floats
) -> _Base:  # fmt: skip
    near = distance <= max(manner.farthest_m for manner in MANNERS.values())
    risk = np.log(rate[water.reach[near]])
    return _Base(name, s, middle[near], distance[near], via[near], risk - risk.mean())


def _outing(
    manner: Manner, base: _Base, liking: Floats, begin: float, rng: np.random.Generator, water: Water, shut: Ranges
) -> Floats:  # fmt: skip
    """Legs (l, 6: t0, t1, s0, s1, aside0, aside1) of one outing: out to a liked place, looking about or lying in wait
    there, and back."""
    hours = rng.uniform(*manner.hours)
    side = rng.choice([-1.0, 1.0])
    choice = int(rng.choice(len(liking), p=liking))
    goal, via = base.target[choice], base.via[choice]
    route = [(base.s, goal)] if np.isnan(via[0]) else [(base.s, via[0]), (via[1], goal)]
    if not np.isnan(via[0]) and base.s == via[0]:
        route = route[1:]
    legs: list[tuple[float, float, float, float, float, float]] = []
    clock, aside = begin, side * float(rng.uniform(*manner.aside))

    def go(a: float, b: float) -> None:
        nonlocal clock, aside
        left = abs(b - a)
        while left > 1e-6:
            speed = rng.uniform(*manner.speed)
            step = min(left, speed * LEG_S)
            to = a + np.sign(b - a) * step if step < left else b
            fresh = side * float(rng.uniform(*manner.aside))
            legs.append((clock, clock + step / speed, a, to, aside, fresh))
            clock, aside, a, left = clock + step / speed, fresh, to, left - step

    def wait(seconds: float, at: float) -> None:
        nonlocal clock, aside
        near = side * float(rng.uniform(*manner.waiting))
        legs.append((clock, clock + 60.0, at, at, aside, near))
        legs.append((clock + 60.0, clock + 60.0 + seconds, at, at, near, near))
        clock, aside = clock + 60.0 + seconds, near

    for a, b in route:
        go(a, b)
    home = clock - begin
    close = begin + hours * 3600 - home
    course = int(water.course(goal))
    low = max([water.begin[course], *(b for _, b in shut if b <= goal)])
    high = min([water.end[course], *(a for a, _ in shut if a >= goal)])
    here = goal
    if rng.random() < manner.waits and close - clock > 1800:
        wait(float(rng.uniform(0.5, 1.0) * (close - clock)), here)
    while close - clock > 900:
        about = min((close - clock) * manner.speed[1] / 3, 4_000.0)
        there = float(np.clip(goal + rng.uniform(-about, about), low, high))
        if abs(there - here) < 1.0:
            break
        go(here, there)
        here = there
    go(here, goal)
    for a, b in reversed(route):
        go(b, a)
    if not legs:  # the liked place is the base itself
        wait(hours * 3600, here)
    return np.array(legs)


def gaps(patrols: pd.DataFrame, rng: np.random.Generator) -> dict[str, NDArray]:
    """Times without fixes: in one patrol of seven 11 minutes to 2 hours, in one of four 2 to 8 minutes."""
    span = (patrols["end"] - patrols["start"]).to_numpy(dtype=float)
    start = patrols["start"].to_numpy(dtype=float)
    found = []
    for share, shortest, longest in ((1 / 7, 660.0, 7200.0), (1 / 4, 120.0, 480.0)):
        hit = np.flatnonzero(rng.random(len(span)) < share)
        length = rng.uniform(shortest, longest, len(hit))
        fits = length < 0.6 * span[hit]
        hit, length = hit[fits], length[fits]
        at = start[hit] + rng.uniform(0.1, 0.9, len(hit)) * (span[hit] - length)
        found.append(np.column_stack([hit, at, at + length]))
    table = np.concatenate(found)
    return {"patrol": table[:, 0].astype(np.int64), "g0": table[:, 1], "g1": table[:, 2]}
