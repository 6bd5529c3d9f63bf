"""Zone visits: who was inside which zone, from when to when.

In: fixes of whole units, block after block; `areas.Areas`; what was going on when the block before ended. Out: visits
that ended, what goes on, and table `zone_visits`. Rules: `docs/methods-effort.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geo_monitor.joins import machine
from geo_monitor.joins.areas import Areas
from geo_monitor.joins.zones import zones_between
from geo_monitor.settings import Settings
from geo_monitor.tables import TABLES
from geo_monitor.tracks import MINUTE_MS, NEVER, Arrays, Chunk, encode, timestamps

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


@dataclass(frozen=True)
class Visits(Arrays):
    """Visits (m,) that ended: unit_id, patrol_id (or None), `Areas.names` of the zone, as text; times (m, 2): entered
    and left, ms UTC; seen: whether both ends were observed and the rule known to hold."""

    unit_id: np.ndarray
    patrol_id: np.ndarray
    zone: np.ndarray
    times: np.ndarray
    seen: np.ndarray

    @classmethod
    def joined(cls, parts: Iterable[Visits]) -> Visits:
        """One after the other."""
        text = np.empty(0, dtype=object)
        none = cls(text, text, text, np.empty((0, 2), np.int64), np.empty(0, bool))
        every = [none, *parts]
        return cls(**{name: np.concatenate([part.arrays()[name] for part in every]) for name in none.arrays()})


@dataclass(frozen=True)
class Underway(Arrays):
    """What is going on: of every unit (u,) the last fix (ms UTC, WGS84 degrees, patrol_id or None), by unit_id; and of
    each unit in or about a zone (p,) the state of the machine (`kernels`), windows told by their begin, ms UTC, and
    patrols by place in `patrol_ids`."""

    unit_id: np.ndarray
    time: np.ndarray
    place: np.ndarray
    patrol_id: np.ndarray
    pair_unit: np.ndarray  # text
    pair_zone: np.ndarray  # text
    state: np.ndarray
    patrol_ids: np.ndarray

    @classmethod
    def nobody(cls) -> Underway:
        """Nobody has been seen yet."""
        text = np.empty(0, dtype=object)
        return cls(
            text,
            np.empty(0, np.int64),
            np.empty((0, 2)),
            text,
            text,
            text,
            np.empty((0, machine.WIDTH), np.int64),
            text,
        )

    def without(self, unit_ids: Iterable[str]) -> Underway:
        """The same of all other units."""
        gone = set(unit_ids)
        keep = np.array([name not in gone for name in self.unit_id], dtype=bool)
        pairs = np.array([name not in gone for name in self.pair_unit], dtype=bool)
        return Underway(
            self.unit_id[keep], self.time[keep], self.place[keep], self.patrol_id[keep], self.pair_unit[pairs],
            self.pair_zone[pairs], self.state[pairs], self.patrol_ids,
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[Underway]) -> Underway:
        """Of different units together, in one fixed order."""
        patrol_ids = sorted({str(name) for part in parts for name in _patrols_told(part)})
        at = {name: i for i, name in enumerate(patrol_ids)}
        states = [_renamed(part.state, [at.get(str(name), -1) for name in part.patrol_ids]) for part in parts]
        none = cls.nobody()
        every = {name: np.concatenate([none.arrays()[name], *(part.arrays()[name] for part in parts)])
                 for name in none.arrays() if name not in ("state", "patrol_ids")}  # fmt: skip
        state = np.concatenate([none.state, *states])
        units = np.argsort(every["unit_id"].astype(str), kind="stable")
        pairs = np.lexsort((every["pair_zone"].astype(str), every["pair_unit"].astype(str)))
        order = {
            "unit_id": units,
            "time": units,
            "place": units,
            "patrol_id": units,
            "pair_unit": pairs,
            "pair_zone": pairs,
        }
        return cls(
            **{name: every[name][rows] for name, rows in order.items()},
            state=state[pairs],
            patrol_ids=np.array(patrol_ids, dtype=object),
        )

    def finished(self, areas: Areas, settings: Settings) -> Visits:
        """The visits that are open, as they are if no fix follows."""
        from geo_monitor.joins.kernels import finish

        zone_of = {name: i for i, name in enumerate(areas.names)}
        ago = dict(zip(self.unit_id, self.time.tolist(), strict=True))
        going = [row for row, name in enumerate(self.pair_zone) if name in zone_of]
        units = self.pair_unit[going]
        zones = np.array([zone_of[self.pair_zone[row]] for row in going], dtype=np.int64)
        state = _windows_by_place(self.state[going], zones, areas)
        rows, of = [], []
        out = np.empty((2, 5), dtype=np.int64)
        for pair, unit in enumerate(units):
            ended = finish(
                state[pair], ago[unit], settings.visit_fixes, round(settings.visit_s * 1000),
                round(settings.visit_exit_s * 1000), out,
            )  # fmt: skip
            rows.append(out[:ended].copy())
            of += [pair] * ended
        ended_of = np.array(of, dtype=np.int64)
        found = np.concatenate([np.empty((0, 5), np.int64), *rows])
        patrols = [*self.patrol_ids, None]
        return _told(found, units[ended_of], zones[ended_of], np.array(patrols, dtype=object), areas)


def _bare(state: np.ndarray) -> np.ndarray:
    """States without what is left over from spells and visits that have ended, so that equal ones have equal hashes."""
    state = state.copy()
    for going_on, columns, nothing in (
        (machine.FIXES, [machine.SINCE, machine.SINCE_SEEN], 0),
        (machine.FIXES, [machine.FIRST, machine.WAS_WINDOW], -1),
        (machine.OPEN, [machine.ENTRY, machine.ENTRY_SEEN, machine.EXIT, machine.EXIT_SEEN, machine.AWAY], 0),
        (machine.OPEN, [machine.PATROL, machine.WINDOW], -1),
    ):
        rows = np.flatnonzero(state[:, going_on] == 0)
        state[rows[:, None], columns] = nothing
    state[:, machine.BEFORE] = -1
    return state


def _patrols_told(part: Underway) -> list[str]:
    used = np.unique(part.state[:, [machine.PATROL, machine.FIRST, machine.BEFORE]])
    return [part.patrol_ids[code] for code in used[used >= 0]]


def _renamed(state: np.ndarray, code_of: Sequence[int]) -> np.ndarray:
    """States with their patrols numbered anew."""
    codes = np.array([*code_of, -1], dtype=np.int64)
    state = state.copy()
    for column in (machine.PATROL, machine.FIRST, machine.BEFORE):
        state[:, column] = codes[state[:, column]]
    return state


def _windows_by_place(state: np.ndarray, zone: np.ndarray, areas: Areas) -> np.ndarray:
    """States whose windows are told by their begin, with the place of each window (-1: none) instead."""
    state = state.copy()
    for row, z in enumerate(zone):
        begins = areas.windows[areas.window_at[z] : areas.window_at[z + 1], 0]
        for column in (machine.WAS_WINDOW, machine.WINDOW):
            place = np.searchsorted(begins, state[row, column])
            there = place < len(begins) and begins[place] == state[row, column]
            state[row, column] = place if there else -1
    return state


def _windows_by_begin(state: np.ndarray, zone: np.ndarray, areas: Areas) -> np.ndarray:
    state = state.copy()
    for column in (machine.WAS_WINDOW, machine.WINDOW):
        place = state[:, column]
        at = areas.window_at[zone] + np.maximum(place, 0)
        state[:, column] = np.where(place >= 0, areas.windows[np.minimum(at, len(areas.windows) - 1), 0], NEVER)
    return state


def advance(
    areas: Areas,
    chunk: Chunk,
    unit_ids: Sequence[str],
    patrol_ids: Sequence[str],
    underway: Underway,
    settings: Settings,
) -> tuple[Visits, Underway]:
    """Visits that end among the fixes of `chunk` (whole units, no halo), and what goes on after it, of all units.

    unit_ids, patrol_ids: the text of the chunk's codes. underway: from the chunk before, of any units.
    """
    from geo_monitor.joins import kernels

    if not len(chunk):
        return Visits.joined([]), underway
    chunk = chunk.where(_moments(chunk))
    unit, time, lon, lat, bounds, patrol = chunk.unit, chunk.time, chunk.lon, chunk.lat, chunk.bounds, chunk.patrol
    names = [unit_ids[code] for code in unit[bounds[:-1]]]
    # patrols of this chunk, and after them those of what is going on
    every = [*patrol_ids, *underway.patrol_ids, *(name for name in underway.patrol_id if name is not None)]
    code_of: dict[str, int] = {}
    for name in every:
        code_of.setdefault(name, len(code_of))
    patrol_names = np.array([*code_of, None], dtype=object)
    n = len(names)
    before, ago, place = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64), np.zeros((n, 2))
    last_patrol = np.full(n, -1, dtype=np.int64)
    place_of = {name: u for u, name in enumerate(names)}
    for row, name in enumerate(underway.unit_id):
        if name in place_of:
            u = place_of[name]
            before[u], ago[u], place[u] = True, underway.time[row], underway.place[row]
            last_patrol[u] = code_of.get(underway.patrol_id[row], -1)
    runs = np.concatenate([[0], np.cumsum(-(-np.diff(bounds) // kernels.RUN))]).astype(np.int64)
    boxes = kernels.extents(bounds, lon, lat, before, place)
    pair_unit, pair_zone, state = _pairs(areas, boxes, runs, names, underway, [code_of[n] for n in underway.patrol_ids])
    state[:, machine.BEFORE] = last_patrol[pair_unit]
    found, of = kernels.advance_all(
        pair_unit, pair_zone, state, bounds, runs, boxes, time, lon, lat, patrol, before, ago, place, areas.window_at,
        areas.windows, areas.edge_at, areas.edges, areas.slab_at, areas.slab, areas.sure, areas.filed_at, areas.filed, areas.grid,
        areas.box, settings.visit_fixes, round(settings.visit_s * 1000), float(settings.visit_exit_m),
        round(settings.visit_exit_s * 1000), round(settings.visit_observed_s * 1000),
        round(settings.patrol_split_s * 1000), int(np.diff(areas.filed_at).max(initial=0)),
    )  # fmt: skip
    text = np.array(names, dtype=object)
    visits = _told(found, text[pair_unit[of]], pair_zone[of], patrol_names, areas)
    live = (state[:, [machine.WAS_IN, machine.FIXES, machine.OPEN]] > 0).any(axis=1)
    state = _bare(state)
    last = bounds[1:] - 1
    after = Underway(
        text,
        time[last],
        np.column_stack([lon[last], lat[last]]),
        patrol_names[patrol[last]],
        text[pair_unit[live]],
        np.array(areas.names, dtype=object)[pair_zone[live]],
        _windows_by_begin(state[live], pair_zone[live], areas),
        patrol_names[:-1],
    )
    return visits, Underway.joined([underway.without(names), after])


def _pairs(
    areas: Areas, boxes: np.ndarray, runs: np.ndarray, names: list[str], underway: Underway, patrol_of: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of unit and zone that have anything to do with each other, and the state each begins in."""
    import shapely

    low, high = np.minimum.reduceat, np.maximum.reduceat
    at = runs[:-1]
    whole = [low(boxes[:, 0], at), low(boxes[:, 1], at), high(boxes[:, 2], at), high(boxes[:, 3], at)]
    unit, zone = areas.tree.query(shapely.box(*whole)) if len(areas.zones) else np.empty((2, 0), dtype=np.int64)
    place_of = {name: u for u, name in enumerate(names)}
    zone_of = {name: z for z, name in enumerate(areas.names)}
    # of a zone that is no more nothing goes on: it was not in force, or the block before had been worked on again
    pairs = zip(underway.pair_unit, underway.pair_zone, strict=True)
    going = [row for row, (name, zone_name) in enumerate(pairs) if name in place_of and zone_name in zone_of]
    told_unit = np.array([place_of[underway.pair_unit[row]] for row in going], dtype=np.int64)
    told_zone = np.array([zone_of[underway.pair_zone[row]] for row in going], dtype=np.int64)
    key = np.unique(np.concatenate([unit * len(areas.zones) + zone, told_unit * len(areas.zones) + told_zone]))
    pair_unit, pair_zone = (part.astype(np.int64) for part in np.divmod(key, max(len(areas.zones), 1)))
    state = np.zeros((len(key), machine.WIDTH), dtype=np.int64)
    state[:, machine.CODES] = -1
    carried = _windows_by_place(_renamed(underway.state, patrol_of)[going], told_zone, areas)
    state[np.searchsorted(key, told_unit * len(areas.zones) + told_zone)] = carried
    return pair_unit, pair_zone, state


def _moments(chunk: Chunk) -> np.ndarray:
    """One row per unit and moment: of a moment sent twice the first in canonical order stands for both."""
    fresh = np.ones(len(chunk), dtype=bool)
    fresh[1:] = (chunk.unit[1:] != chunk.unit[:-1]) | (chunk.time[1:] != chunk.time[:-1])
    return fresh


def _told(rows: np.ndarray, unit: np.ndarray, zone: np.ndarray, patrols: np.ndarray, areas: Areas) -> Visits:
    """Rows of the machine (m, 5) with their units (text) and zones as `Visits`."""
    entered, left = rows[:, 2], rows[:, 3]
    seen = rows[:, 4] == 1
    doubtful = np.flatnonzero(areas.doubtful[zone])
    for z in np.unique(zone[doubtful]):
        mine = doubtful[zone[doubtful] == z]
        seen[mine] &= ~areas.zones[z].doubts(entered[mine], left[mine])
    names = np.array(areas.names, dtype=object)[zone]
    return Visits(unit, patrols[rows[:, 0]], names, np.column_stack([entered, left]), seen)


def visits_table(parts: Iterable[Visits], areas: Areas) -> pd.DataFrame:
    """Table `zone_visits` of all `parts`, by unit, time, zone and version."""
    import pyarrow.compute as pc

    visits = Visits.joined(parts)
    zone = np.asarray(
        pc.index_in(pa.array(visits.zone, pa.string()), pa.array(areas.names, pa.string())), dtype=np.int64
    )
    entered, left = visits.times.T
    order = np.lexsort((left, zone, entered, _ranks(visits.unit_id)))
    entered, left, zone = entered[order], left[order], zone[order]

    def of_zone(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([getattr(one, name) for one in areas.zones], kind).take(pa.array(zone))

    table = pa.table(
        {
            "unit_id": pa.array(visits.unit_id[order], pa.string()),
            "patrol_id": pa.array(visits.patrol_id[order], pa.string()),
            "zone_id": of_zone("zone_id", pa.string()),
            "zone_agency": of_zone("agency", pa.string()),
            "zone_version": of_zone("version", pa.int64()),
            "entered_at": timestamps(entered),
            "left_at": timestamps(left),
            "minutes": (left - entered) / MINUTE_MS,
            "certainty": pa.array(["possible", "observed"]).take(pa.array(visits.seen[order].astype(np.int64))),
        }
    )
    return TABLES["zone_visits"].from_arrow(table)


def _ranks(names: np.ndarray) -> np.ndarray:
    """The place of each text among all there are."""
    import pyarrow.compute as pc

    told = pa.array(names, pa.string()).dictionary_encode()
    rank = np.empty(len(told.dictionary), dtype=np.int64)
    rank[np.asarray(pc.array_sort_indices(told.dictionary))] = np.arange(len(rank))
    return rank[np.asarray(told.indices)]


def zone_visits(
    fixes: pa.Table,
    zones: gpd.GeoDataFrame,
    settings: Settings | None = None,
    levels: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Table `zone_visits`: every stay of a unit in a zone while its rule held, by unit, time, zone and version.

    fixes: table `positions`, patrol and traffic alike, any order. zones: table `zones`, all versions not withdrawn.
    levels: table `levels`. A stay that reaches into a time when the level its rule asks for is not known is possible.
    Memory: one chunk of about a million fixes beside the input.

    Raises `GeoMonitorError("zone_season_unreadable")`.
    """
    settings = settings or Settings()
    tracks = encode(fixes)
    span = tracks.span
    if span is None or not len(zones):
        return TABLES["zone_visits"].from_arrow(TABLES["zone_visits"].arrow.empty_table())
    areas = Areas.of(zones_between(zones, *span, levels, settings))
    found: list[Visits] = []
    for chunk in tracks.chunks():
        visits, underway = advance(areas, chunk, tracks.unit_ids, tracks.patrol_ids, Underway.nobody(), settings)
        found += [visits, underway.finished(areas, settings)]
    return visits_table(found, areas)
