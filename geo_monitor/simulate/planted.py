"""What is planted in a world: where and when the true rate changes, where patrols are sent, where they never go.

In: `Water`, a `Plant` (or its kind), the period, a seed. Out: `Planted`: spells, each a stretch of water, days, and what
holds there: `risk` (the true rate times a factor), `operation` (a surge of patrols), `closed` (no patrol goes there),
`rounds` (a boat goes up and down every day, so that the stretch can be judged), `near_repeat` (a case raises the risk
around it for a while). The rate of a reach at a moment is its base rate times the factors of all its spells.

Days are counted from the end in steps of 28, the steps hotspots are classed by, so that what is planted fills steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.simulate.movement import CLEAR_M
from geo_monitor.simulate.water import Water

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STEP = 28  # days
MOVED_DAYS = 5 * STEP  # since offenders moved
QUIET_DAYS = 8 * STEP  # since a pocket that is back went quiet
LEFT_DAYS = 6 * STEP  # since nobody goes any more to a stretch they went to
ROUNDS_M = 15_000.0  # metres of regular rounds below and above what is planted
BEAT = 28  # reaches a boat keeps to on its rounds, at most
MARGIN = 4  # reaches of the course left below and above what is planted
GAP = 2  # reaches between a pocket and the stretch its offenders move to
APART = 8  # reaches between the two stretches of `unlooked`


@dataclass(frozen=True)
class Plant:
    """What to plant. Nothing else changes the risk: it is flat along the water, by night and over the year, unless
    `patchy` leaves the usual risk of `risk.py` underneath.

    kind : one of `PLANTS`
    factor : the true rate of a hot stretch over that of the rest, 1 or more; near_repeat: near a recent case
    quiet : the same of a stretch gone quiet after an operation
    reaches : length of a stretch
    rate_per_h : true rate of the rest, cases an hour of looking finds (its mean, if `patchy`)
    days : length of the world, unless told otherwise
    operation_days : of a surge of patrols
    repeat_m, repeat_days : near_repeat: metres by water and days a case is felt
    """

    kind: str
    factor: float = 6.0
    quiet: float = 0.25
    reaches: int = 6
    rate_per_h: float = 0.12
    days: int = 13 * STEP
    operation_days: int = 14
    repeat_m: float = 1_000.0
    repeat_days: int = 14
    patchy: bool = False


PLANTS = {
    "null": Plant("null"),
    "new": Plant("new"),
    "steady": Plant("steady"),
    "displaced": Plant("displaced"),
    "reemerging": Plant("reemerging"),
    "season": Plant("season", days=26 * STEP),
    "season_basin": Plant("season_basin", factor=3.0, days=26 * STEP),
    "unlooked": Plant("unlooked"),
    # few cases, so that most of what follows a case was raised by it: 4 reaches, 4 h each in 14 days: 0.2 by chance
    "near_repeat": Plant("near_repeat", factor=5.0, rate_per_h=0.012),
}
LEAST_DAYS = {"season": 24 * STEP, "season_basin": 24 * STEP}  # two winters
LEAST_DAYS_OTHERS = 12 * STEP


@dataclass(frozen=True)
class Spell:
    """What holds on pieces [low, high) of the water's axis, on days [first, end) of the world."""

    part: str
    what: str
    low: int
    high: int
    first: int
    end: int
    factor: float = np.nan


@dataclass(frozen=True)
class Planted:
    """A plant laid out on a water; `begin` in seconds on the Shanghai clock."""

    plant: Plant
    water: Water
    begin: float
    days: int
    spells: tuple[Spell, ...]

    def of(self, what: str) -> list[Spell]:
        return [spell for spell in self.spells if spell.what == what]

    def reaches(self, spell: Spell) -> Ints:
        """Reaches (indices, rising, each once) of a spell."""
        return np.unique(self.water.reach[spell.low : spell.high])

    def factor(self, reach: Ints, t: Floats) -> Floats:
        """On the true rate of reaches at moments (same shape), near repeats apart."""
        day = (np.asarray(t, dtype=float) - self.begin) / 86400.0
        reach = np.asarray(reach)
        factor = np.ones(np.broadcast_shapes(reach.shape, day.shape))
        for spell in self.of("risk"):
            here = np.isin(reach, self.reaches(spell)) & (day >= spell.first) & (day < spell.end)
            factor *= np.where(here, spell.factor, 1.0)
        return factor

    @property
    def most(self) -> float:
        """The largest factor anywhere at any time; it can only change where a spell begins or ends."""
        reach = np.unique(self.water.reach)
        turns = {0, *(spell.first for spell in self.of("risk")), *(spell.end for spell in self.of("risk"))}
        return max(float(self.factor(reach, np.full(len(reach), self.begin + day * 86400.0)).max()) for day in turns)

    def mean_factor(self, n: int) -> Floats:
        """Mean factor of each of n reaches over the period."""
        middle = self.begin + (np.arange(self.days) + 0.5) * 86400.0
        return np.mean([self.factor(np.arange(n), np.full(n, t)) for t in middle], axis=0)

    def closed_m(self) -> tuple[tuple[float, float], ...]:
        """Where patrols that roam never go, as ranges of the axis: what is closed on any day."""
        edge, edge_end = self.water.edge, self.water.edge_end
        return tuple((float(edge[one.low]), float(edge_end[one.high - 1])) for one in self.of("closed"))

    def frame(self, reach_ids: Any) -> pd.DataFrame:
        """The truth: a row a spell and reach. `day_from` inclusive, `day_to` exclusive, Shanghai days."""
        import pandas as pd

        first = pd.Timestamp(self.begin, unit="s")
        ids = np.asarray(reach_ids, dtype=object)
        rows = []
        for spell in self.spells:
            near = spell.what == "near_repeat"
            for reach in self.reaches(spell):
                rows.append(
                    {
                        "plant": self.plant.kind,
                        "part": spell.part,
                        "what": spell.what,
                        "reach_id": ids[reach],
                        "day_from": (first + pd.Timedelta(days=spell.first)).strftime("%Y-%m-%d"),
                        "day_to": (first + pd.Timedelta(days=spell.end)).strftime("%Y-%m-%d"),
                        "factor": spell.factor,
                        "within_m": self.plant.repeat_m if near else np.nan,
                        "for_days": float(self.plant.repeat_days) if near else np.nan,
                    }
                )
        return pd.DataFrame(rows)


def named(plant: str | Plant | None) -> Plant | None:
    """The plant of a kind. Raises `Usage("simulate_plant")` for one that is none."""
    if plant is None:
        return None
    kind = plant if isinstance(plant, str) else plant.kind
    if kind not in PLANTS:
        raise Usage("simulate_plant", plant=kind, plants=[*PLANTS])
    return PLANTS[plant] if isinstance(plant, str) else plant


def lay(water: Water, plant: Plant, begin: float, days: int, seed: int) -> Planted:
    """Where on the longest course the plant is, by seed, and when.

    Raises `Usage`: `simulate_plant_days` (too short to be judged by steps of 28 days), `simulate_plant_room` (no course
    long enough), `simulate_plant_values`.
    """
    least = LEAST_DAYS.get(plant.kind, LEAST_DAYS_OTHERS)
    if days < least:
        raise Usage("simulate_plant_days", plant=plant.kind, days=days, least=least)
    above = min(plant.factor, plant.quiet, plant.rate_per_h, plant.repeat_m, plant.repeat_days) > 0
    if not above or plant.reaches < 1 or not 1 <= plant.operation_days <= MOVED_DAYS or plant.factor < 1:
        raise Usage("simulate_plant_values", plant=plant.kind, days=MOVED_DAYS)
    rng = np.random.default_rng([seed, 12])
    size = plant.reaches
    need = {"displaced": 2 * size + GAP, "unlooked": 2 * size + APART}.get(plant.kind, size)
    first_piece, beyond = _longest(water)
    places = np.arange(first_piece + MARGIN, beyond - MARGIN - need + 1)
    if plant.kind == "unlooked":  # a boat at the foot of a tributary would be seen in a closed stretch it joins
        places = places[~_joined(water, places, size) & ~_joined(water, places + need - size, size)]
    if len(places) == 0:
        raise Usage("simulate_plant_room", need=need + 2 * MARGIN, reaches=beyond - first_piece)
    at = int(rng.choice(places))
    upward = bool(rng.random() < 0.5)
    lower, upper = (at, at + size), (at + need - size, at + need)
    own, other = (lower, upper) if upward else (upper, lower)
    spells = _spells(plant, own, other, begin, days, len(water.reach))
    spells += _rounds(water, spells, (at, at + need), (first_piece, beyond), days)
    return Planted(plant, water, begin, days, tuple(spells))


def _spells(
    plant: Plant, own: tuple[int, int], other: tuple[int, int], begin: float, days: int, pieces: int
) -> list[Spell]:
    hot, quiet = plant.factor, plant.quiet
    if plant.kind == "new":
        return [Spell("pocket", "risk", *own, days - STEP, days, hot)]
    if plant.kind == "steady":
        return [Spell("pocket", "risk", *own, 0, days, hot)]
    if plant.kind == "displaced":
        turn = days - MOVED_DAYS
        return [
            Spell("pocket", "risk", *own, 0, turn, hot),
            Spell("pocket", "operation", *own, turn, turn + plant.operation_days),
            Spell("pocket", "risk", *own, turn, days, quiet),
            Spell("ring", "risk", *other, turn, days, hot),
        ]
    if plant.kind == "reemerging":
        turn = days - QUIET_DAYS
        return [
            Spell("pocket", "risk", *own, 0, turn, hot),
            Spell("pocket", "operation", *own, turn, turn + plant.operation_days),
            Spell("pocket", "risk", *own, turn, days - STEP, quiet),
            Spell("pocket", "risk", *own, days - STEP, days, hot),
        ]
    if plant.kind in ("season", "season_basin"):
        part, where = ("basin", (0, pieces)) if plant.kind == "season_basin" else ("pocket", own)
        return [Spell(part, "risk", *where, a, b, hot) for a, b in winters(begin, days)]
    if plant.kind == "unlooked":
        return [
            Spell("never_looked", "risk", *own, 0, days, hot),
            Spell("never_looked", "closed", *own, 0, days),
            Spell("no_longer_looked", "risk", *other, 0, days, hot),
            Spell("no_longer_looked", "closed", *other, days - LEFT_DAYS, days),
        ]
    if plant.kind == "near_repeat":
        return [Spell("basin", "near_repeat", 0, pieces, 0, days, hot)]
    return []


def winters(begin: float, days: int) -> list[tuple[int, int]]:
    """Days [first, end) of December to February within a period that begins at 00:00.

    400 days from 1 November 1970 (day 304 of that year): 1 December is day 30, 1 March day 120, 1 December day 395.

    >>> winters(304 * 86400.0, 400)
    [(30, 120), (395, 400)]
    """
    import pandas as pd

    month = pd.date_range(pd.Timestamp(begin, unit="s"), periods=days, freq="D").month.to_numpy()
    winter = np.concatenate([[False], np.isin(month, (12, 1, 2)), [False]])
    turn = np.flatnonzero(winter[1:] != winter[:-1])
    return [(int(a), int(b)) for a, b in turn.reshape(-1, 2)]


def _longest(water: Water) -> tuple[int, int]:
    """The pieces [first, beyond) of the longest course of a river."""
    length = np.where(water.lake, 0.0, water.end - water.begin)
    mine = np.flatnonzero(water.course(water.edge) == int(length.argmax()))
    return int(mine[0]), int(mine[-1]) + 1


def _joined(water: Water, first: Ints, size: int) -> NDArray[np.bool_]:
    """Whether another course joins the stretch of `size` pieces from each of `first`, or comes close to it."""
    joins = water.parent[np.isfinite(water.parent)]
    low, high = water.edge[first] - CLEAR_M, water.edge_end[first + size - 1] + CLEAR_M
    return np.asarray(np.any((joins >= low[:, None]) & (joins <= high[:, None]), axis=1))


def _rounds(
    water: Water, spells: list[Spell], about: tuple[int, int], course: tuple[int, int], days: int
) -> list[Spell]:
    """Beats of boats from `ROUNDS_M` below to `ROUNDS_M` above what is planted, around what is closed at the time."""
    inside = np.arange(*course)
    near = (water.edge_end[inside] > water.edge[about[0]] - ROUNDS_M) & (
        water.edge[inside] < water.edge_end[about[1] - 1] + ROUNDS_M
    )
    closed = [spell for spell in spells if spell.what == "closed"]
    turns = sorted({0, days, *(spell.first for spell in closed), *(spell.end for spell in closed)})
    beats = []
    for first, end in pairwise(turns):
        open_ = np.zeros(course[1] + 1, dtype=bool)
        open_[inside[near]] = True
        for spell in closed:
            if spell.first <= first < spell.end:
                open_[spell.low : spell.high] = False
        turn = np.flatnonzero(np.diff(open_.astype(int), prepend=0)).reshape(-1, 2)
        for low, high in turn:
            cuts = np.linspace(low, high, -(-(high - low) // BEAT) + 1).round().astype(int)
            beats += [Spell("beat", "rounds", int(a), int(b), first, end) for a, b in pairwise(cuts)]
    return beats
