"""Effort worked out over everything at once: what the block by block form is held against.

In: `positions` (those of role patrol count), where they were located, the river network, patrols reported without GPS.
Out: tables `effort`, `effort_gaps`, `patrols` (tracked), minutes that lie on no reach, and the last look at each reach.

Rules and worked numbers: `docs/methods-effort.md`. All time is summed as integer milliseconds and turned into minutes
once at the end, so neither the order of the rows nor the way uploads were cut changes a single bit of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
from numba import njit

from geo_monitor.effort import Effort
from geo_monitor.effort.kernels import scale
from geo_monitor.effort.minutes import Totals, cut_at_midnight, day_and_night, firsts, keys
from geo_monitor.errors import GeoMonitorError
from geo_monitor.settings import Settings
from geo_monitor.tables import TABLES
from geo_monitor.tracks import MINUTE_MS, Chunk, encode, timestamps

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort.reported import Reported


class Water(Protocol):
    """What effort asks of a river network (`geo_monitor.river.Network` answers it)."""

    reaches: Any

    def spread(
        self, reach_a: np.ndarray, km_a: np.ndarray, reach_b: np.ndarray, km_b: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def distance(self, reach_a: np.ndarray, km_a: np.ndarray, reach_b: np.ndarray, km_b: np.ndarray) -> np.ndarray: ...

    def stretch(self, river: str, km_from: float, km_to: float) -> tuple[np.ndarray, np.ndarray]: ...


def effort(
    fixes: pa.Table,
    located: pa.Table | pa.RecordBatch,
    network: Water,
    settings: Settings | None = None,
    reported: pd.DataFrame | None = None,
) -> Effort:
    """As `geo_monitor.effort.effort`."""
    from geo_monitor.effort.reported import Reported

    settings = settings or Settings()
    tracks = encode(fixes, located, role="patrol")
    told = Reported.read(reported, tracks)
    total = Totals(len(network.reaches))
    gaps: list[pa.Table] = []
    patrols: list[pa.Table] = []
    rivers = _rivers(network)
    for chunk in tracks.chunks():
        runs = _Runs.of(chunk, settings)
        legs = _legs(chunk, runs, settings)
        names = runs.names(chunk, tracks.unit_ids, tracks.patrol_ids)
        gaps.append(_gaps(chunk, runs, legs, names, tracks.unit_ids, settings))
        patrols.append(_patrols(chunk, runs, names, tracks.unit_ids, rivers))
        _track_effort(chunk, legs, network, settings, total, told)
    told.spread(network, total, settings)
    return Effort(
        total=total,
        gaps=_stacked("effort_gaps", gaps),
        patrols=_stacked("patrols", patrols),
        unlocated_minutes=total.unlocated / MINUTE_MS,
        last_look=total.last_look,
        reach_ids=network.reaches["reach_id"].to_numpy(dtype=object),
        notes=told.notes,
    )


@njit
def passes(
    piece_leg: np.ndarray, piece_day: np.ndarray, piece_reach: np.ndarray, piece_ms: np.ndarray, unit: np.ndarray,
    start: np.ndarray, end: np.ndarray, reach_a: np.ndarray, reach_b: np.ndarray, platform: np.ndarray, gap_ms: int,
) -> np.ndarray:  # fmt: skip
    """Which pieces (p,) begin a run of their unit in their reach. Legs (m,) by unit and time; pieces by leg, then day.

    A run goes on where the next leg begins in the reach the unit was last seen in, on the same day and platform, no
    more than `gap_ms` later. Unlocated legs between do not end it.
    """
    new = np.zeros(len(piece_leg), dtype=np.bool_)
    here, day, kind = -1, np.int64(0), -1
    until = np.int64(0)
    at = 0
    for i in range(len(start)):
        if i > 0 and unit[i] != unit[i - 1]:
            here = -1
        final = reach_b[i] if reach_b[i] >= 0 else reach_a[i]
        met = False
        met_day = day
        goes_on = here >= 0 and platform[i] == kind and start[i] - until <= gap_ms
        while at < len(piece_leg) and piece_leg[at] == i:
            reach = piece_reach[at]
            if piece_ms[at] > 0 and reach >= 0:
                same = goes_on and reach == here and piece_day[at] == day and (reach_a[i] == reach or reach_a[i] < 0)
                new[at] = not same
                if reach == final:
                    met = True
                    met_day = piece_day[at]
            at += 1
        if final < 0:
            continue
        if met:
            here, day, kind = final, met_day, platform[i]
        elif final != here:
            here = -1
        until = end[i]
    return new


@njit
def stays(
    unit: np.ndarray, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, gap_ms: int, stay_ms: int, stay_m: float,
    stray_ms: int,
) -> np.ndarray:  # fmt: skip
    """Number of the stay each fix (n,) belongs to, -1 outside any. See `docs/methods-effort.md`, Stake-out.

    A stay begins at the earliest fix from which the unit remains within `stay_m` for `stay_ms` or more; it lasts to the
    last fix within `stay_m` of that first one. Out and back again within `stray_ms` is noise.
    """
    n = len(time)
    stay = np.full(n, -1, dtype=np.int32)
    number = 0
    i = 0
    while i < n:
        east, north = scale(lat[i])
        last = i
        j = i + 1
        while j < n and unit[j] == unit[i] and time[j] - time[j - 1] <= gap_ms:
            dx = (lon[j] - lon[i]) * east
            dy = (lat[j] - lat[i]) * north
            if dx * dx + dy * dy <= stay_m * stay_m:
                if last < j - 1 and time[j] - time[last] > stray_ms:
                    break
                last = j
            elif time[j] - time[last] > stray_ms:
                break
            j += 1
        if time[last] - time[i] >= stay_ms:
            stay[i : last + 1] = number
            number += 1
            i = last + 1
        else:
            i += 1
    return stay


# --- patrols: runs of fixes of one unit and one patrol ----------------------------------------------------------------


@dataclass(frozen=True)
class _Runs:
    """Fixes (rows of a chunk) by unit, patrol and time, cut into patrols. `run` (per entry of `rows`) numbers them."""

    rows: np.ndarray
    run: np.ndarray
    first: np.ndarray  # (runs,) entry of `rows`
    last: np.ndarray

    @classmethod
    def of(cls, chunk: Chunk, settings: Settings) -> _Runs:
        rows = np.lexsort((chunk.patrol, chunk.unit))  # stable: time order is kept
        unit, patrol, time = chunk.unit[rows], chunk.patrol[rows], chunk.time[rows]
        same = (unit[1:] == unit[:-1]) & (patrol[1:] == patrol[:-1])
        # the same unit, patrol and moment again (a second upload): the first in canonical order stands for both
        keep = np.concatenate([[True], ~(same & (time[1:] == time[:-1]))])[: len(rows)]
        rows, unit, patrol, time = rows[keep], unit[keep], patrol[keep], time[keep]
        fresh = np.ones(len(rows), dtype=bool)
        if len(rows):
            fresh[1:] = (unit[1:] != unit[:-1]) | (patrol[1:] != patrol[:-1])
            fresh[1:] |= (patrol[1:] < 0) & (np.diff(time) > round(settings.patrol_split_s * 1000))
        first = np.flatnonzero(fresh)
        last = np.concatenate([first[1:], [len(rows)]]).astype(np.int64)[: len(first)] - 1
        return cls(rows, np.cumsum(fresh) - 1, first, last)

    def names(self, chunk: Chunk, unit_ids: list[str], patrol_ids: list[str]) -> np.ndarray:
        """patrol_id of each run; one without is named after its unit and first fix: `unit@20260531T150500Z`."""
        named = np.empty(len(self.first), dtype=object)
        rows = self.rows[self.first]
        stamp = np.datetime_as_string(chunk.time[rows].astype("datetime64[ms]"), unit="s")
        for i, (unit, patrol) in enumerate(zip(chunk.unit[rows], chunk.patrol[rows], strict=True)):
            compact = str(stamp[i]).replace("-", "").replace(":", "")
            named[i] = patrol_ids[patrol] if patrol >= 0 else f"{unit_ids[unit]}@{compact}Z"
        return named


@dataclass(frozen=True)
class _Legs:
    """Counted time: legs that don't overlap within a unit, by unit and time. a, b: rows of the chunk at their ends."""

    unit: np.ndarray
    start: np.ndarray
    end: np.ndarray
    a: np.ndarray
    b: np.ndarray
    platform: np.ndarray


def _legs(chunk: Chunk, runs: _Runs, settings: Settings) -> _Legs:
    from geo_monitor.effort.kernels import clip

    a, b = runs.rows[:-1], runs.rows[1:]
    dt = chunk.time[b] - chunk.time[a]
    use = (runs.run[1:] == runs.run[:-1]) & (dt <= round(settings.gap_s * 1000))
    a, b = a[use], b[use]
    order = np.lexsort((b, a, chunk.time[b], chunk.time[a], chunk.unit[a]))
    a, b = a[order], b[order]
    platform = chunk.platform[a]
    begin, begin_fix, left = clip(chunk.unit[a], chunk.time[a], chunk.time[b], a, b)
    return _Legs(chunk.unit[a][left], begin[left], chunk.time[b][left], begin_fix[left], b[left], platform[left])


def _gaps(
    chunk: Chunk, runs: _Runs, legs: _Legs, names: np.ndarray, unit_ids: list[str], settings: Settings
) -> pa.Table:
    from geo_monitor.effort.kernels import uncovered

    a, b = runs.rows[:-1], runs.rows[1:]
    wide = (runs.run[1:] == runs.run[:-1]) & (chunk.time[b] - chunk.time[a] > round(settings.gap_s * 1000))
    a, b, run = a[wide], b[wide], runs.run[:-1][wide]
    order = np.lexsort((run, chunk.time[b], chunk.time[a], chunk.unit[a]))
    a, b, run = a[order], b[order], run[order]
    of, lo, hi = uncovered(chunk.unit[a], chunk.time[a], chunk.time[b], legs.unit, legs.start, legs.end)
    return pa.table(
        {
            "unit_id": _texts([unit_ids[unit] for unit in chunk.unit[a][of]]),
            "patrol_id": _texts(names[run[of]]),
            "gap_from": timestamps(lo),
            "gap_to": timestamps(hi),
            "minutes": (hi - lo) / MINUTE_MS,
        }
    )


def _rivers(network: Water) -> tuple[np.ndarray, list[str]]:
    """River of each reach as a number, and the names."""
    import pandas as pd

    codes, names = pd.factorize(network.reaches["river"], sort=True)
    return codes.astype(np.int64), list(names)


def _patrols(
    chunk: Chunk, runs: _Runs, names: np.ndarray, unit_ids: list[str], rivers: tuple[np.ndarray, list[str]]
) -> pa.Table:
    codes, river_names = rivers
    first, last = runs.rows[runs.first], runs.rows[runs.last]
    if not len(first):
        return TABLES["patrols"].arrow.empty_table()
    reach, km = chunk.reach[runs.rows], chunk.km[runs.rows]
    there = reach >= 0
    river = np.where(there, codes[np.where(there, reach, 0)] if len(codes) else -1, -1)
    highest = np.maximum.reduceat(river, runs.first)
    lowest = np.minimum.reduceat(np.where(there, river, np.iinfo(np.int64).max), runs.first)
    km = np.where(there, km, np.nan)
    with np.errstate(invalid="ignore"):
        km_from, km_to = np.fmin.reduceat(km, runs.first), np.fmax.reduceat(km, runs.first)
    one = (highest == lowest) & ~np.isnan(km_from)
    return pa.table(
        {
            "patrol_id": _texts(names),
            "unit_id": _texts([unit_ids[unit] for unit in chunk.unit[first]]),
            "started_at": timestamps(chunk.time[first]),
            "ended_at": timestamps(chunk.time[last]),
            "river": _texts([river_names[code] if ok else None for code, ok in zip(highest, one, strict=True)]),
            "km_from": pa.array(km_from, mask=~one),
            "km_to": pa.array(km_to, mask=~one),
            "persons": pa.nulls(len(first), pa.float64()),
            "how": _texts(["tracked"] * len(first)),
        }
    )


def _texts(values: Any) -> pa.Array:
    return pa.array(list(values), pa.string())


def _stacked(name: str, parts: list[pa.Table]) -> pd.DataFrame:
    table = TABLES[name]
    joined = pa.concat_tables([part.cast(table.arrow) for part in parts]) if parts else table.arrow.empty_table()
    return table.from_arrow(joined)


# --- effort of tracks -------------------------------------------------------------------------------------------------


def _track_effort(chunk: Chunk, legs: _Legs, network: Water, settings: Settings, total: Totals, told: Reported) -> None:
    stay = stays(
        chunk.unit, chunk.time, chunk.lon, chunk.lat, round(settings.gap_s * 1000), round(settings.stakeout_s * 1000),
        settings.stakeout_m, round(settings.stakeout_stray_s * 1000),
    )  # fmt: skip
    waits = np.where(stay[legs.a] == stay[legs.b], stay[legs.a], -1)
    reach_a, reach_b = chunk.reach[legs.a], chunk.reach[legs.b]
    leg, reach, share = _shares(chunk, legs, network, settings)
    leg, reach, ms, night, day, end = _pieces(legs, leg, reach, share, settings)
    new = passes(
        leg, day, reach, ms, legs.unit, legs.start, legs.end, reach_a, reach_b, legs.platform,
        round(settings.gap_s * 1000),
    )  # fmt: skip
    total.unlocated += int(ms[reach < 0].sum())
    use = (reach >= 0) & (ms > 0)
    leg, reach, ms, night, day, end, new = (column[use] for column in (leg, reach, ms, night, day, end, new))
    key = keys(reach, day, legs.platform[leg])
    wait = waits[leg]
    new &= (wait < 0) | firsts(wait, key)  # swinging at anchor on the border of two reaches is not coming back
    unit = legs.unit[leg]
    total.add(
        key, ms, reach=reach, end=end, night=night, units=firsts(unit, key).astype(np.int64),
        passes=new.astype(np.int64), stakeout=np.where(wait >= 0, ms, 0),
    )  # fmt: skip
    told.cover(legs.unit, legs.start, legs.end, unit, key)


def _shares(chunk: Chunk, legs: _Legs, network: Water, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Long form (leg, reach, share), sorted by leg: which reaches each leg's time goes to (-1 = unlocated)."""
    a, b = chunk.reach[legs.a], chunk.reach[legs.b]
    km_a, km_b = chunk.km[legs.a], chunk.km[legs.b]
    whole = np.flatnonzero(a == b)
    pair = np.flatnonzero((a != b) & (a >= 0) & (b >= 0))
    by_path = np.zeros(len(a), dtype=bool)
    leg, reach, share = [whole], [a[whole]], [np.ones(len(whole))]
    if len(pair):
        metres = network.distance(a[pair], km_a[pair], b[pair], km_b[pair])
        seconds = (legs.end[pair] - legs.start[pair]) / 1000
        pair = pair[np.asarray(metres) <= settings.speed_limit_mps * seconds]
        by_path[pair] = True
    if len(pair):
        of, passed, part = network.spread(a[pair], km_a[pair], b[pair], km_b[pair])
        sums = np.bincount(of, weights=part, minlength=len(pair))
        if (np.abs(sums - 1) > 1e-6).any() or (np.asarray(part) < 0).any():
            raise GeoMonitorError("effort_spread_broken", share=float(sums[np.argmax(np.abs(sums - 1))]))
        leg.append(pair[of])
        reach.append(np.asarray(passed, dtype=np.int32))
        share.append(np.asarray(part, dtype=float))
    half = np.flatnonzero((a != b) & ~by_path)
    leg += [half, half]
    reach += [a[half], b[half]]
    share += [np.full(len(half), 0.5)] * 2
    legs_, reaches, shares = np.concatenate(leg), np.concatenate(reach), np.concatenate(share)
    order = np.lexsort((reaches, legs_))
    return legs_[order], reaches[order], shares[order]


def _pieces(
    legs: _Legs, leg: np.ndarray, reach: np.ndarray, share: np.ndarray, settings: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Leg, reach, ms, of these at night, day, end of every piece of time, by leg and day: cut at midnight, shared among
    reaches."""
    part, day, start, end = cut_at_midnight(np.arange(len(legs.start)), legs.start, legs.end)
    rows = np.bincount(leg, minlength=len(legs.start))  # share rows of each leg, once for each of its parts
    offset = np.cumsum(rows) - rows
    group = np.repeat(np.arange(len(part)), rows[part])
    row = np.repeat(offset[part], rows[part]) + np.arange(len(group))
    row -= np.repeat(np.cumsum(rows[part]) - rows[part], rows[part])
    ms, night = day_and_night(start, end, group, share[row], settings)
    return part[group], reach[row], ms, night, day[group], end[group]
