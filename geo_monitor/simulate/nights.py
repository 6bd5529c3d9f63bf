"""A simulated night on the water with offences that are known, as live feeds would bring it.

In: a network, zones, a seed. Out: `Night`: fixes of all boats and sensors, when each arrived (late, out of order, twice),
and the truth. Everything is simulated: ids say so (模拟). What it can't show: `docs/nights.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.simulate import behaviours as does
from geo_monitor.simulate.behaviours import BANK_M, Boat, Device, Entry, Stretch
from geo_monitor.simulate.water import DEGREE_M, Water, water

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from geo_monitor.river.network import Network
    from geo_monitor.settings import Settings

    Floats = NDArray[np.float64]

STRETCH_M = 80_000.0  # metres of the longest course on which a night takes place
# shares of the boats that break no rule: what is left of `units` after patrols and offenders
INNOCENT = (
    ("transit", 0.36), ("arriving", 0.08), ("barge", 0.09), ("ferry", 0.03), ("anchored", 0.12), ("moored", 0.14),
    ("raft", 0.06), ("errands", 0.09), ("supply", 0.03),
)  # fmt: skip
# offenders for every 200 units: how many of each
OFFENDERS = (
    ("fishing in a zone", 3), ("fishing", 3), ("dwelling in a zone", 3), ("handover", 2), ("silent", 3), ("dark", 3),
    ("landing", 2), ("no permit", 2), ("lookout", 1),
)  # fmt: skip
PATROLS = 10  # patrol boats for every 200 units; one of them falls silent far out, one ends at another berth
CAMERAS = 6
CAMERA_M = 1200.0  # metres a camera sees
SENSOR_M = 25.0  # metres (1 sd) of a camera's places
GHOSTS = 1.5  # detections of nothing, a camera and night
NOISE_M = (5.0, 10.0)  # metres (1 sd) of a receiver, the most of it lasting a minute
NOISE_S = 60.0
LATENCY_S = 2.0  # seconds (mean) until a fix arrives ...
SLOW_SHARE, SLOW_S = 0.01, (30.0, 900.0)  # ... this share comes so much later
TWICE = 0.01  # share of fixes that come twice
STORED_S = (600.0, 1500.0)  # seconds of fixes a device kept and sent at once: one in forty boats, once a night ...
STORED_LONG_S = (2000.0, 3300.0)  # ... and one boat a night for longer than half an hour
OUTAGE_M, OUTAGE_S = (8_000.0, 20_000.0), (1500.0, 4200.0)  # a shore station hears nobody: metres and seconds of it
KINDS = ("slow", "zone_entry", "meeting", "gap", "dark", "loiter", "no_permit", "overdue", "avoids")
TRUTH = (
    "offence_id", "kind", "what", "device", "unit_ids", "started_at", "ended_at", "knowable_at", "lon", "lat", "reach_id",
    "zone_id", "is_offence", "path",
)  # fmt: skip


@dataclass(frozen=True)
class Night:
    """Simulated.

    fixes : frame with the columns of table `positions` (time UTC), each fix once, by unit and time
    arrivals : frame fix (row of `fixes`), arrived (UTC), in order of arrival; some fixes arrive twice
    truth : a row a thing that a boat did: offence_id, kind (of the event that should tell of it, empty for what is
        innocent), what, device, unit_ids (tuple), started_at, ended_at, knowable_at (empty but for what no minimum
        of a rule tells), lon, lat (where it began), reach_id, zone_id, is_offence, path: array (k, 3) of ms, lon, lat
        every minute
    permits : units that may be in waters that ask for a permit
    outages : spans in which AIS was not heard in a part: (begin ms, end ms, lon, lat, metres along the water each way)
    """

    fixes: pd.DataFrame
    arrivals: pd.DataFrame
    truth: pd.DataFrame
    permits: tuple[str, ...]
    outages: tuple[tuple[int, int, float, float, float], ...]
    start: int
    end: int

    @property
    def unit_days(self) -> float:
        """Days from first to last fix, summed over all boats (not over targets of cameras)."""
        boats = self.fixes[self.fixes["platform"] == "boat"]
        span = boats.groupby("unit_id")["time"].agg(["min", "max"])
        return float((span["max"] - span["min"]).dt.total_seconds().sum() / 86_400.0)

    def lines(self) -> Iterator[str]:
        """JSON lines as `watch` reads them, in order of arrival."""
        columns = ("unit_id", "lon", "lat", "speed", "heading", "role", "platform", "source")
        of = self.fixes
        time = of["time"].dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_numpy()
        values = {name: of[name].to_numpy(dtype=object) for name in columns}
        for row in self.arrivals["fix"].to_numpy():
            told = {"unit_id": values["unit_id"][row], "time": time[row]}
            for name in columns[1:]:
                value = values[name][row]
                if value is not None and value == value:
                    told[name] = value
            yield json.dumps(told, ensure_ascii=False)


def zones(network: Network, seed: int) -> gpd.GeoDataFrame:
    """Made-up zones for a night, as table `zones`, in force always: two reserves across the whole water, four ban waters
    along a bank, two closed landings, one water that asks for a permit. All on the longest course, apart from each other.

    Raises `Usage("simulate_no_channel")`.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    way = water(network, seed)
    of = _stretch(way, 0.0, 1.0, 0.0)
    rng = np.random.default_rng([seed, 31])
    kinds = [("reserve", 2), ("bank", 4), ("landing", 2), ("permit", 1)]
    wanted = rng.permutation([name for name, number in kinds for _ in range(number)])
    slot = (of.high - of.low) / len(wanted)
    rows = []
    for i, name in enumerate(wanted):
        middle = of.low + (i + 0.5) * slot + rng.uniform(-0.1, 0.1) * slot
        side = float(rng.choice([-1.0, 1.0]))
        long = {"reserve": rng.uniform(3000.0, 5000.0), "landing": 120.0}.get(str(name), rng.uniform(1500.0, 2500.0))
        long = min(long, 0.6 * slot)
        near, far = {"reserve": (-420.0, 420.0), "landing": (side * 220.0, side * 300.0)}.get(
            str(name), (side * 150.0, side * 420.0)
        )
        s = np.linspace(middle - long / 2, middle + long / 2, max(3, int(long // 100)))
        lon, lat = _points(way, np.r_[s, s[::-1]], np.r_[np.full(len(s), near), np.full(len(s), far)])
        category, rule = {
            "reserve": ("保护区核心区", "禁止一切捕捞与垂钓"),
            "bank": ("禁捕水域", "禁止捕捞,禁止停留"),
            "landing": ("关闭码头", "已关闭,禁止靠泊装卸"),
            "permit": ("采砂许可水域", "凭许可证作业"),
        }[str(name)]
        rows.append(
            {
                "zone_id": f"模拟夜区{i + 1:02d}", "version": 1, "name": f"模拟数据{category}{i + 1}", "category": category,
                "rule": rule, "season_from": None, "season_to": None, "valid_from": pd.NaT, "valid_to": pd.NaT,
                "level_station": None, "level_from_m": np.nan, "level_to_m": np.nan, "agency": "模拟渔政支队", "receipt_id": "simulated",
                "geometry": shapely.make_valid(shapely.Polygon(np.column_stack([lon, lat]).round(6))),
            }
        )  # fmt: skip
    frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4326")
    for name in ("valid_from", "valid_to"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ms, UTC]")
    return frame


def night(
    network: Network,
    zones: gpd.GeoDataFrame,
    settings: Settings,
    seed: int,
    units: int = 200,
    hours: float = 12.0,
    start: str = "2025-11-15T18:00",
) -> Night:
    """One simulated night from `start` (Shanghai clock). Equal arguments give equal nights.

    Offences are planted in zones (table `zones`) that have neither season nor dates nor water level; a kind of offence
    for which there is no such zone is left out. A zone is a landing or asks for a permit as its category and rule say.
    settings: when a patrol's fleeing boat could be known (`event_avoids_least`, where there is such a setting).

    Raises `Usage("simulate_night_size")` for fewer than 40 units or 4 hours, `Usage("simulate_no_channel")`.
    """
    import pandas as pd

    if units < 40 or hours < 4:
        raise Usage("simulate_night_size", units=units, hours=hours)
    rng = np.random.default_rng([seed, 32])
    way = water(network, seed)
    t0 = pd.Timestamp(start, tz="Asia/Shanghai").timestamp()
    of = _stretch(way, t0, t0 + hours * 3600.0, float(rng.uniform(0.5, 1.1)))
    spots = _spots(way, of, zones)
    boats, permits = _boats(of, spots, units, int(getattr(settings, "event_avoids_least", 3)), rng)
    outages = [_outage(of, rng)]
    fixes = _fixes(way, of, boats, outages, rng)
    seen, targets = _seen(way, of, boats, rng)
    fixes = pd.concat([fixes, seen], ignore_index=True).sort_values(["unit_id", "time"], kind="stable")
    fixes = fixes.reset_index(drop=True)
    truth = _truth(way, network, boats, targets, of, zones)
    told: list[tuple[int, int, float, float, float]] = []
    for a, b, s, far in outages:
        lon, lat = _points(way, [s], [0.0])
        told.append((round(a * 1000), round(b * 1000), round(float(lon[0]), 6), round(float(lat[0]), 6), far))
    return Night(
        fixes=fixes,
        arrivals=_arrivals(fixes, of, rng),
        truth=truth,
        permits=permits,
        outages=tuple(told),
        start=round(of.t0 * 1000),
        end=round(of.t1 * 1000),
    )


# --- where --------------------------------------------------------------------------------------------------------------
def _stretch(way: Water, t0: float, t1: float, current: float) -> Stretch:
    length = np.where(way.lake, 0.0, way.end - way.begin)
    if not len(length) or length.max() <= 0:
        raise Usage("simulate_no_channel")
    course = int(length.argmax())
    foot, head = float(way.begin[course]), float(way.end[course])
    low = foot + max(0.03 * (head - foot), 0.5 * (head - foot - STRETCH_M))
    return Stretch(foot, head, low, foot + head - low, t0, t1, current)


def _points(way: Water, s: Any, aside: Any) -> tuple[Floats, Floats]:
    """Lon, lat of places; beyond the ends of the course straight on."""
    s, aside = np.asarray(s, dtype=float), np.asarray(aside, dtype=float)
    foot, head = way.begin[0], way.end[0]
    course = int(way.course(np.median(s))) if len(s) else 0
    foot, head = way.begin[course], way.end[course]
    inner = np.clip(s, foot, head)
    lon, lat = way.point(inner, aside)
    for end, step, beyond in ((foot, 200.0, s - foot), (head, -200.0, s - head)):
        out = np.flatnonzero((beyond < 0) if step > 0 else (beyond > 0))
        if len(out):
            x, y = way.point(np.array([end, end + step]), np.zeros(2))
            share = np.abs(beyond[out]) / 200.0
            lon[out] += (x[0] - x[1]) * share
            lat[out] += (y[0] - y[1]) * share
    return lon, lat


@dataclass(frozen=True)
class _Spots:
    """Places (s, aside) inside zones of one kind, with the zone of each."""

    s: Floats
    aside: Floats
    zone: NDArray[np.object_]

    def one(self, rng: np.random.Generator) -> tuple[float, float, str] | None:
        if not len(self.s):
            return None
        zone = rng.choice(np.unique(self.zone.astype(str)))
        i = int(rng.choice(np.flatnonzero(self.zone == zone)))
        return float(self.s[i]), float(self.aside[i]), str(zone)


def _spots(way: Water, of: Stretch, zones: gpd.GeoDataFrame) -> dict[str, _Spots]:
    """Spots of bans, landings and permits, on a grid of 40 m along and 20 m across the water."""
    import shapely

    s = np.arange(of.low + 200.0, of.high - 200.0, 40.0)
    aside = np.arange(-BANK_M, BANK_M + 1.0, 20.0)
    where, across = (part.ravel() for part in np.meshgrid(s, aside, indexing="ij"))
    lon, lat = _points(way, where, across)
    found: dict[str, list[tuple[Floats, Floats, str]]] = {"ban": [], "landing": [], "permit": []}
    bound = ["season_from", "season_to", "valid_from", "valid_to", "level_station"]
    for _, row in zones.iterrows():
        if any(name in row and isinstance(row[name], str) and row[name] for name in bound) or any(
            row[name] == row[name] and row[name] is not None for name in ("valid_from", "valid_to") if name in row
        ):
            continue
        inside = shapely.contains_xy(row["geometry"], lon, lat)
        if inside.any():
            words = f"{row['category']} {row['rule']}"
            kind = "landing" if "码头" in str(row["category"]) else "permit" if "许可" in words else "ban"
            found[kind].append((where[inside], across[inside], str(row["zone_id"])))
    empty = np.zeros(0)
    return {
        kind: _Spots(
            np.concatenate([empty, *(s for s, _, _ in parts)]),
            np.concatenate([empty, *(aside for _, aside, _ in parts)]),
            np.array([zone for s, _, zone in parts for _ in s], dtype=object),
        )
        for kind, parts in found.items()
    }


# --- who ----------------------------------------------------------------------------------------------------------------
def _boats(
    of: Stretch, spots: dict[str, _Spots], units: int, least: int, rng: np.random.Generator
) -> tuple[list[Boat], tuple[str, ...]]:
    scale = units / 200.0
    patrols = _patrols(of, max(2, round(PATROLS * scale)), rng)
    offenders = _offenders(of, spots, {name: max(1, round(n * scale)) for name, n in OFFENDERS}, patrols, least, rng)
    permitted: list[Boat] = []
    for _ in range(2):
        spot = spots["permit"].one(rng)
        if spot is not None:
            boat = Boat("", "traffic", does.CLASS_B).begin(of.t0, spot[0], spot[1])
            boat.lie(of.t1 - of.t0, rng, swing_m=20.0)
            boat.did("dredging with a permit", of.t0)
            permitted.append(boat)
    rest = max(units - len(patrols) - len(offenders) - len(permitted), 10)
    traffic = _traffic(of, spots, rest, rng)
    every = [*permitted, *offenders, *traffic]
    order = rng.permutation(len(every))
    # names are given at the end, so that no id tells what its boat is
    names = {id(every[i]): f"模拟船{number + 1:04d}" for number, i in enumerate(order)}
    _named(every, names)
    return [*patrols, *(every[i] for i in order)], tuple(sorted(boat.unit_id for boat in permitted))


def _named(boats: Sequence[Boat], names: dict[int, str]) -> None:
    """Gives boats their names, in the diaries too."""
    new = {boat.unit_id: names[id(boat)] for boat in boats if boat.unit_id}
    for boat in boats:
        boat.unit_id = names[id(boat)]
        boat.diary = [
            Entry(one.what, one.t0, one.t1, one.kind, one.zone_id, tuple(new[o] for o in one.others), one.told)
            for one in boat.diary
        ]


def _patrols(of: Stretch, number: int, rng: np.random.Generator) -> list[Boat]:
    edges = np.linspace(of.low, of.high, number + 1)
    boats = []
    for i in range(number):
        boat = Boat(f"模拟巡艇{i + 1:02d}", "patrol", does.PATROL)
        middle, half = (edges[i] + edges[i + 1]) / 2, max((edges[i + 1] - edges[i]) * 0.9, 4000.0)
        beat = max(middle - half, of.foot + 100.0), min(middle + half, of.head - 100.0)
        does.patrol(boat, of, rng, beat, elsewhere=i == 1)
        if i == 0:  # falls silent far from where it began
            span = np.arange(boat.t[0] + 3600.0, boat.t[-1] - 7800.0, 60.0)
            s, _ = boat.at(span)
            far = span[np.abs(s - boat.s[0]) > 1500.0]
            if len(far):
                begun, long = float(rng.choice(far)), float(rng.uniform(4500.0, 7200.0))
                boat.silent.append((begun, begun + long))
                boat.diary.append(Entry("patrol silent", begun, begun + long, "overdue"))
        boats.append(boat)
    return boats


def _device(rng: np.random.Generator) -> Device:
    """Of a small boat."""
    return does.CLASS_B if rng.random() < 0.5 else does.BEIDOU


def _offenders(
    of: Stretch, spots: dict[str, _Spots], wanted: dict[str, int], patrols: Sequence[Boat], least: int,
    rng: np.random.Generator,
) -> list[Boat]:  # fmt: skip
    boats: list[Boat] = []

    def new() -> Boat:
        boats.append(Boat(f"o{len(boats)}", "traffic", _device(rng)))
        return boats[-1]

    def anywhere() -> tuple[float, float]:
        while True:
            s = float(rng.uniform(of.low, of.high))
            near = [np.abs(part.s - s).min() if len(part.s) else np.inf for part in spots.values()]
            if min(near) > 800.0 or rng.random() < 0.02:
                return s, float(rng.choice([-1.0, 1.0]) * rng.uniform(120.0, 240.0))

    def fish(boat: Boat, place: tuple[float, float], zone: str | None) -> None:
        gear = str(rng.choice(["electro", "net", "drift"], p=[0.4, 0.4, 0.2]))

        def act() -> None:
            begun = boat.now
            does.fishing(boat, of, rng, gear, rng.uniform(1200.0, 3600.0))
            boat.did(f"fishing, {gear}", begun, "slow", zone)

        does.out_and_back(boat, of, rng, place, act)

    def stay(boat: Boat, spot: tuple[float, float, str], kind: str, what: str, long: tuple[float, float]) -> None:
        def act() -> None:
            begun = boat.now
            boat.lie(rng.uniform(*long), rng, swing_m=12.0)
            boat.did(what, begun, kind, spot[2])

        does.out_and_back(boat, of, rng, spot[:2], act)

    def gone(boat: Boat) -> None:
        back = rng.random() < 0.67

        def act() -> None:
            begun = boat.now
            does.fishing(boat, of, rng, "net", rng.uniform(2400.0, 7200.0))
            boat.silent.append((begun, boat.now if back else np.inf))
            boat.did("silent", begun, "gap")

        does.out_and_back(boat, of, rng, anywhere(), act)

    for _ in range(wanted["fishing in a zone"]):
        spot = spots["ban"].one(rng)
        if spot is not None:
            fish(new(), spot[:2], spot[2])
    for _ in range(wanted["fishing"]):
        fish(new(), anywhere(), None)
    for name, kind, what, where, long in (
        ("dwelling in a zone", "zone_entry", "dwelling in a zone", "ban", (2100.0, 5400.0)),
        ("landing", "loiter", "waiting at a closed landing", "landing", (2400.0, 4800.0)),
        ("no permit", "no_permit", "working without a permit", "permit", (1200.0, 3600.0)),
    ):
        for _ in range(wanted[name]):
            spot = spots[where].one(rng)
            if spot is not None:
                stay(new(), spot, kind, what, long)
    for _ in range(wanted["handover"]):
        does.handover(new(), new(), of, rng, anywhere()[0])
    for _ in range(wanted["silent"]):
        gone(new())
    for _ in range(wanted["dark"]):
        boat = new()
        boat.sends = False

        def act(boat: Boat = boat) -> None:
            does.fishing(boat, of, rng, "net", rng.uniform(1800.0, 3600.0))

        does.out_and_back(boat, of, rng, anywhere(), act)
        way_there, way_back = (entry for entry in boat.diary if entry.what == "on the way")
        boat.diary = [entry for entry in boat.diary if entry.what != "on the way"]
        boat.diary.append(Entry("dark", way_there.t0, way_back.t1, "dark"))
    for _ in range(wanted["lookout"]):
        ways = [boat for boat in patrols if len(boat.t) > 2]
        middle = ways[int(rng.integers(len(ways)))]
        place = float(np.clip(np.median(middle.s), of.foot + 4000.0, of.head - 4000.0))
        does.lookout(new(), of, rng, patrols, place, 2600.0, least)
    return boats


def _traffic(of: Stretch, spots: dict[str, _Spots], number: int, rng: np.random.Generator) -> list[Boat]:
    wanted = {name: max(1, round(share * number)) for name, share in INNOCENT}
    taken = np.sort(np.concatenate([part.s for part in spots.values()]))

    def clear(many: int, around: float) -> list[float]:
        """Places with no zone within `around` metres, as far as there are any."""
        tries = rng.uniform(of.low, of.high, 40 * many)
        at = np.searchsorted(taken, tries - around)
        free = (at == len(taken)) | (np.append(taken, np.inf)[at] > tries + around)
        return tries[np.argsort(~free, kind="stable")][:many].tolist()

    berths = np.sort(clear(12, 1000.0))
    anchorage = clear(1, 1500.0)[0] - 500.0
    boats: list[Boat] = []

    def new(device: Device) -> Boat:
        boats.append(Boat(f"t{len(boats)}", "traffic", device))
        return boats[-1]

    def big() -> Device:
        return does.CLASS_A_QUICK if rng.random() < 0.2 else does.CLASS_A

    for _ in range(wanted["transit"]):
        does.transit(new(big() if rng.random() < 0.8 else does.CLASS_B), of, rng)
    for _ in range(wanted["arriving"]):
        does.arriving(new(big()), of, rng, float(rng.choice(berths)) + rng.uniform(-300.0, 300.0))
    for _ in range(wanted["barge"]):
        does.barge(new(big() if rng.random() < 0.5 else does.BEIDOU), of, rng)
    for _ in range(wanted["ferry"]):
        does.ferry(new(does.CLASS_B), of, rng, clear(1, 300.0)[0])
    for i in range(wanted["anchored"]):
        place = anchorage + 90.0 * (i // 2) + rng.uniform(-20.0, 20.0)
        does.anchored(new(big()), of, rng, place, 160.0 + 80.0 * (i % 2) + rng.uniform(-10.0, 10.0))
    for i in range(wanted["moored"]):
        boat = new(does.CLASS_A if i % 2 else _device(rng))
        boat.begin(
            of.t0, float(berths[i % len(berths)]) + rng.uniform(-400.0, 400.0), BANK_M * (1.0 if i % 3 else -1.0)
        )
        does.moored(boat, of, rng)
    for i in range(wanted["raft"]):  # three and three side by side; of each three one comes in the night
        boat, berth = new(_device(rng)), float(berths[(i // 3) % len(berths)])
        place, aside = berth + 500.0, -BANK_M + 12.0 * (i % 3)
        boat.begin(of.t0, place, aside)
        if i % 3 == 2:
            boat.begin(of.t0, place + 3000.0, -BANK_M)
            boat.lie(rng.uniform(0.5, 0.8 * (of.t1 - of.t0) / 3600.0) * 3600.0, rng)
            boat.did("moored", boat.t[0])
            boat.go(place, aside, 3.0, rng)
        begun = boat.now
        boat.lie(max(of.t1 - boat.now, 60.0), rng)
        boat.did("came to a raft" if i % 3 == 2 else "in a raft", begun)
    for _ in range(wanted["errands"]):
        does.errands(new(_device(rng)), of, rng, berths.tolist())
    for _ in range(max(1, wanted["supply"] // 2)):
        does.supply(new(does.CLASS_B), new(big()), of, rng)
    return boats


# --- what is heard and seen -------------------------------------------------------------------------------------------
def _outage(of: Stretch, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Begin and end (seconds UTC), place on the axis, metres each way."""
    long, far = rng.uniform(*OUTAGE_S), rng.uniform(*OUTAGE_M)
    begun = rng.uniform(of.t0 + 3600.0, of.t1 - 3600.0 - long)
    return float(begun), float(begun + long), float(rng.uniform(of.low, of.high)), float(far)


def _noise(t: Floats, sd: float, rng: np.random.Generator) -> Floats:
    """Metres off, with a correlation of exp(-seconds / NOISE_S) (first-order autoregression on a grid of 10 s)."""
    from scipy.signal import lfilter

    if not len(t):
        return np.zeros(0)
    grid = np.arange(t[0] - 10.0, t[-1] + 20.0, 10.0)
    keep = float(np.exp(-10.0 / NOISE_S))
    steps = rng.standard_normal(len(grid)) * np.sqrt(1 - keep * keep)
    steps[0] = rng.standard_normal()
    slow = lfilter([1.0], [1.0, -keep], steps)
    return np.asarray(sd * (0.95 * np.interp(t, grid, slow) + 0.3 * rng.standard_normal(len(t))))


def _moments(boat: Boat, of: Stretch, rng: np.random.Generator) -> Floats:
    """Whole seconds UTC at which the device sends, by how fast the boat goes."""
    begin, end = max(boat.t[0], of.t0), min(boat.t[-1], of.t1)
    if end <= begin:
        return np.zeros(0)
    grid = np.arange(begin, end, 10.0)
    s, aside = boat.at(grid)
    s2, aside2 = boat.at(grid + 10.0)
    speed = np.hypot(s2 - s, aside2 - aside) / 10.0
    every = np.where(speed < boat.device.slow, boat.device.still, boat.device.moving)
    sent = np.interp(np.arange(0.0, float((10.0 / every).sum())), np.r_[0.0, np.cumsum(10.0 / every)],
                     np.r_[grid, grid[-1] + 10.0])  # fmt: skip
    gap = np.diff(sent, append=sent[-1] + 10.0) if len(sent) else sent
    t = np.unique(np.floor(sent + rng.uniform(0.0, 1.0) + rng.uniform(-0.1, 0.1, len(sent)) * gap))
    t = t[(t >= begin) & (t <= end)]
    for a, b in boat.silent:
        t = t[(t < a) | (t > b)]
    return np.asarray(t[rng.random(len(t)) >= boat.device.lost])


def _fixes(
    way: Water, of: Stretch, boats: Sequence[Boat], outages: Sequence[tuple[float, float, float, float]],
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    parts = []
    for boat in boats:
        t = _moments(boat, of, rng) if boat.sends else np.zeros(0)
        s, aside = boat.at(t) if len(t) else (t, t)
        if boat.device.source == "ais":
            for a, b, place, far in outages:
                heard = (t < a) | (t > b) | (np.abs(s - place) > far)
                t, s, aside = t[heard], s[heard], aside[heard]
        if not len(t):
            continue
        parts.append(_rows(way, boat, t, s, aside, float(rng.uniform(*NOISE_M)), rng))
    return pd.concat(parts, ignore_index=True)


def _rows(
    way: Water, boat: Boat, t: Floats, s: Floats, aside: Floats, sd: float, rng: np.random.Generator
) -> pd.DataFrame:
    import pandas as pd

    lon, lat = _points(way, s, aside)
    after = [np.minimum(t + 5.0, boat.t[-1]), np.maximum(t - 5.0, boat.t[0])]
    (x1, y1), (x0, y0) = (_points(way, *boat.at(moment)) for moment in after)
    stretch = np.cos(np.radians(lat)) * DEGREE_M
    east, north = (x1 - x0) * stretch, (y1 - y0) * DEGREE_M
    speed = np.hypot(east, north) / np.maximum(after[0] - after[1], 1.0)
    moving = speed > 0.3
    return pd.DataFrame(
        {
            "unit_id": boat.unit_id,
            "patrol_id": None,
            "time": _utc(t),
            "lon": (lon + _noise(t, sd, rng) / stretch).round(6),
            "lat": (lat + _noise(t, sd, rng) / DEGREE_M).round(6),
            "speed": np.maximum(speed + rng.normal(0.0, 0.1, len(t)), 0.0).round(2),
            "heading": np.where(moving, np.degrees(np.arctan2(east, north)).round(1) % 360.0, np.nan),
            "platform": "boat",
            "role": boat.role,
            "source": boat.device.source,
        }
    )


@dataclass(frozen=True)
class _Target:
    """What a sensor followed: a boat (None: nothing), from when to when, where it was first."""

    unit: str
    boat: Boat | None
    t0: float
    t1: float
    s: float
    aside: float


def _seen(
    way: Water, of: Stretch, boats: Sequence[Boat], rng: np.random.Generator
) -> tuple[pd.DataFrame, list[_Target]]:
    """What cameras saw: of every boat near, half of all passes, every 20 to 40 s; of each dark boat, all; and ghosts.

    Cameras stand where dark boats are and elsewhere. Also gives what each target was.
    """
    import pandas as pd

    lurking = [entry for boat in boats if not boat.sends for entry in boat.diary if entry.kind == "dark"]
    owners = [boat for boat in boats if not boat.sends for entry in boat.diary if entry.kind == "dark"]
    places = [float(boat.at(np.array([one.t0]))[0][0]) + rng.uniform(-300.0, 300.0)
              for boat, one in zip(owners, lurking, strict=True)]  # fmt: skip
    places += rng.uniform(of.low, of.high, max(CAMERAS - len(places), 0)).tolist()
    parts, targets = [], []
    for number, place in enumerate(places):
        target = 0
        for boat in boats:
            begin, end = max(boat.t[0], of.t0), min(boat.t[-1], of.t1)
            if not boat.sends:  # a raft: before and after it lies on the bank
                begin, end = next((one.t0, one.t1) for one in boat.diary if one.kind == "dark")
            t = np.arange(begin, end, 30.0)
            if not len(t):
                continue
            t = np.unique(np.floor(t + rng.uniform(-10.0, 10.0, len(t))))
            t = t[(t >= begin) & (t <= end)]
            s, aside = boat.at(t)
            near = np.abs(s - place) < CAMERA_M
            if not near.any():
                continue
            runs = np.split(np.flatnonzero(near), np.flatnonzero(np.diff(np.flatnonzero(near)) > 4) + 1)
            for run in runs:
                long = len(run) > 240  # who lies in view is looked at now and then
                run = run[rng.random(len(run)) < (0.1 if long else 0.8)]
                if len(run) < 2 or (boat.sends and rng.random() < 0.5):
                    continue
                target += 1
                unit = f"模拟探头{number + 1:02d}-{target:04d}"
                targets.append(
                    _Target(unit, boat, float(t[run[0]]), float(t[run[-1]]), float(s[run[0]]), float(aside[run[0]]))
                )
                parts.append(_target(way, unit, t[run], s[run], aside[run], rng))
        for _ in range(int(rng.poisson(GHOSTS))):
            target += 1
            t = np.floor(rng.uniform(of.t0, of.t1 - 60.0)) + np.array([0.0, 20.0])[: int(rng.integers(1, 3))]
            s = np.full(len(t), place + rng.uniform(-CAMERA_M, CAMERA_M))
            aside = np.full(len(t), rng.uniform(-BANK_M, BANK_M))
            unit = f"模拟探头{number + 1:02d}-{target:04d}"
            targets.append(_Target(unit, None, float(t[0]), float(t[-1]), float(s[0]), float(aside[0])))
            parts.append(_target(way, unit, t, s, aside, rng))
    return pd.concat(parts, ignore_index=True), targets


def _target(
    way: Water, unit: str, t: Floats, s: Floats, aside: Floats, rng: np.random.Generator
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    lon, lat = _points(way, s, aside)
    stretch = np.cos(np.radians(lat)) * DEGREE_M
    return pd.DataFrame(
        {
            "unit_id": unit, "patrol_id": None, "time": _utc(t),
            "lon": (lon + rng.normal(0.0, SENSOR_M, len(t)) / stretch).round(6),
            "lat": (lat + rng.normal(0.0, SENSOR_M, len(t)) / DEGREE_M).round(6),
            "speed": np.nan, "heading": np.nan, "platform": "camera", "role": "traffic", "source": None,
        }
    )  # fmt: skip


def _arrivals(fixes: pd.DataFrame, of: Stretch, rng: np.random.Generator) -> pd.DataFrame:
    """When each fix came: 2 s later, some much later, some devices all at once after minutes; some fixes twice."""
    import pandas as pd

    t = fixes["time"].dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64) / 1000.0
    came = t + rng.exponential(LATENCY_S, len(t))
    slow = rng.random(len(t)) < SLOW_SHARE
    came[slow] += rng.uniform(*SLOW_S, int(slow.sum()))
    boats = fixes.loc[fixes["platform"] == "boat", "unit_id"].unique()
    chosen = rng.choice(boats, size=max(2, len(boats) // 40), replace=False)
    unit = fixes["unit_id"].to_numpy(dtype=object)
    for i, name in enumerate(chosen):
        long = rng.uniform(*(STORED_LONG_S if i == 0 else STORED_S))
        begun = rng.uniform(of.t0 + 1800.0, of.t1 - 1800.0 - long)
        held = (unit == name) & (t >= begun) & (t < begun + long)
        came[held] = np.maximum(came[held], begun + long + rng.uniform(1.0, 5.0, int(held.sum())))
    again = np.flatnonzero(rng.random(len(t)) < TWICE)
    row = np.r_[np.arange(len(t)), again]
    arrived = np.r_[came, came[again] + rng.exponential(20.0, len(again))]
    order = np.lexsort((row, arrived))
    return pd.DataFrame({"fix": row[order], "arrived": _utc(arrived[order])})


def _lawful(way: Water, boat: Boat, shapes: dict[str, Any]) -> Iterator[Entry]:
    """The diary, with what was done in a zone reaching from the boat's entry of the zone to its leaving; who fishes in a
    zone also enters one."""
    import shapely

    for entry in boat.diary:
        if entry.kind is None or entry.zone_id is None or entry.kind == "loiter":
            yield entry
            continue
        t = np.arange(boat.t[0], boat.t[-1], 5.0)
        lon, lat = _points(way, *boat.at(t))
        out = ~shapely.contains_xy(shapes[entry.zone_id], lon, lat)
        before, after = t[out & (t < entry.t0)], t[out & (t > entry.t1)]
        t0 = float(before[-1]) + 5.0 if len(before) else boat.t[0]
        t1 = float(after[0]) if len(after) else boat.t[-1]
        if entry.kind == "slow":
            yield entry
            yield replace(entry, kind="zone_entry", t0=min(t0, entry.t0), t1=max(t1, entry.t1))
        else:
            yield replace(entry, t0=min(t0, entry.t0), t1=max(t1, entry.t1))


def _truth(
    way: Water, network: Network, boats: Sequence[Boat], targets: Sequence[_Target], of: Stretch,
    zones: gpd.GeoDataFrame,
) -> pd.DataFrame:  # fmt: skip
    import pandas as pd

    ids = network.reaches["reach_id"].to_numpy(dtype=object)
    shapes = dict(zip(zones["zone_id"].astype(str), zones.geometry, strict=True))
    course = int(way.course(of.foot))
    rows: list[dict[str, Any]] = []

    def write(entry: Entry, units: Sequence[str], device: str, s: Floats, aside: Floats, t: Floats) -> None:
        lon, lat = _points(way, s, aside)
        inside = way.begin[course] <= s[0] <= way.end[course]
        rows.append(
            {
                "kind": entry.kind, "what": entry.what, "device": device, "unit_ids": tuple(sorted(units)),
                "started_at": t[0], "ended_at": t[-1], "knowable_at": np.nan if entry.told is None else entry.told,
                "lon": round(float(lon[0]), 6), "lat": round(float(lat[0]), 6),
                "reach_id": ids[way.reach[way.piece(s[0])]] if inside else None, "zone_id": entry.zone_id,
                "is_offence": entry.kind is not None, "path": np.column_stack([np.round(t * 1000.0), lon, lat]),
            }
        )  # fmt: skip

    for boat in boats:
        for entry in sorted(_lawful(way, boat, shapes), key=lambda one: one.t0):
            a, b = max(entry.t0, of.t0), min(entry.t1, of.t1)
            seen = [one.unit for one in targets if one.boat is boat and one.t1 >= a and one.t0 <= b]
            if b > a and (boat.sends or seen):
                t = np.unique(np.r_[np.arange(a, b, 60.0), b])
                units = (boat.unit_id, *entry.others) if boat.sends else seen
                write(entry, units, boat.device.name if boat.sends else "none", *boat.at(t), t)
    for one in targets:
        if one.boat is None:
            write(Entry("ghost", one.t0, one.t1), [one.unit], "none", np.full(2, one.s), np.full(2, one.aside),
                  np.array([one.t0, one.t1]))  # fmt: skip
        elif one.boat.sends:
            doing = [entry.what for entry in one.boat.diary if entry.t0 <= one.t1 and entry.t1 >= one.t0]
            t = np.unique(np.r_[np.arange(one.t0, one.t1, 60.0), one.t1])
            write(Entry(f"seen: {min(doing, default='?')}", one.t0, one.t1), [one.unit], one.boat.device.name,
                  *one.boat.at(t), t)  # fmt: skip
    frame = pd.DataFrame(rows).sort_values(["started_at", "lon", "what"], kind="stable").reset_index(drop=True)
    frame.insert(0, "offence_id", [f"模拟事{number + 1:04d}" for number in range(len(frame))])
    for name in ("started_at", "ended_at", "knowable_at"):
        frame[name] = _utc(frame[name])
    return frame[list(TRUTH)]


def _utc(seconds: Any) -> Any:
    """Times (UTC, ms) of seconds since 1970; NaN is no time."""
    import pandas as pd

    values = np.asarray(seconds, dtype=float)
    millis = np.where(np.isnan(values), np.nan, np.round(values * 1000.0))
    return pd.to_datetime(pd.Series(millis), unit="ms", utc=True).astype("datetime64[ms, UTC]").array
