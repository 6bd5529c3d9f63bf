"""Patrols, legs and pieces: fixes become counted time, and time becomes pieces by reach and day.

In: a chunk of located fixes of patrols. Out: plain arrays. Rules: `docs/methods-effort.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from geo_monitor.effort.minutes import cut_at_midnight, day_and_night
from geo_monitor.errors import GeoMonitorError
from geo_monitor.tracks import Chunk

if TYPE_CHECKING:
    from geo_monitor.settings import Settings


class Water(Protocol):
    """What effort asks of a river network (`geo_monitor.river.Network` answers it)."""

    reaches: Any

    def spread(
        self, reach_a: np.ndarray, km_a: np.ndarray, reach_b: np.ndarray, km_b: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def distance(self, reach_a: np.ndarray, km_a: np.ndarray, reach_b: np.ndarray, km_b: np.ndarray) -> np.ndarray: ...

    def stretch(self, river: str, km_from: float, km_to: float) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class Runs:
    """Fixes (rows of a chunk) by unit, patrol and time, cut into patrols. `run` (per entry of `rows`) numbers them."""

    rows: np.ndarray
    run: np.ndarray
    first: np.ndarray  # (runs,) entry of `rows`
    last: np.ndarray

    @classmethod
    def of(cls, chunk: Chunk, settings: Settings) -> Runs:
        mixed = (chunk.unit[1:] == chunk.unit[:-1]) & (chunk.patrol[1:] < chunk.patrol[:-1])
        if mixed.any():
            rows = np.lexsort((chunk.patrol, chunk.unit))  # stable: time order is kept
        else:
            rows = np.arange(len(chunk))
        unit, patrol, time = chunk.unit[rows], chunk.patrol[rows], chunk.time[rows]
        same = (unit[1:] == unit[:-1]) & (patrol[1:] == patrol[:-1])
        # the same unit, patrol and moment again (a second upload): the first in canonical order stands for both
        keep = np.concatenate([[True], ~(same & (time[1:] == time[:-1]))])[: len(rows)]
        if not keep.all():
            rows, unit, patrol, time = rows[keep], unit[keep], patrol[keep], time[keep]
        fresh = np.ones(len(rows), dtype=bool)
        if len(rows):
            fresh[1:] = (unit[1:] != unit[:-1]) | (patrol[1:] != patrol[:-1])
            fresh[1:] |= (patrol[1:] < 0) & (np.diff(time) > round(settings.patrol_split_s * 1000))
        first = np.flatnonzero(fresh)
        last = np.concatenate([first[1:], [len(rows)]]).astype(np.int64)[: len(first)] - 1
        return cls(rows, np.cumsum(fresh) - 1, first, last)


@dataclass(frozen=True)
class Legs:
    """Counted time: legs that don't overlap within a unit, by unit and time. a, b: rows of the chunk at their ends."""

    unit: np.ndarray
    start: np.ndarray
    end: np.ndarray
    a: np.ndarray
    b: np.ndarray
    platform: np.ndarray

    @classmethod
    def of(cls, chunk: Chunk, runs: Runs, settings: Settings) -> Legs:
        from geo_monitor.effort.kernels import clip

        a, b = runs.rows[:-1], runs.rows[1:]
        dt = chunk.time[b] - chunk.time[a]
        use = (runs.run[1:] == runs.run[:-1]) & (dt <= round(settings.gap_s * 1000))
        a, b = a[use], b[use]
        unit, start = chunk.unit[a], chunk.time[a]
        if bool(np.all((start[1:] > start[:-1]) | (unit[1:] > unit[:-1])) and np.all(unit[1:] >= unit[:-1])):
            end = chunk.time[b]
            if bool(np.all((start[1:] >= end[:-1]) | (unit[1:] > unit[:-1]))):  # one recorder a unit: nothing overlaps
                return Legs(unit, start, end, a, b, chunk.platform[a])
        order = np.lexsort((b, a, chunk.time[b], start, unit))
        a, b = a[order], b[order]
        platform = chunk.platform[a]
        begin, begin_fix, left = clip(chunk.unit[a], chunk.time[a], chunk.time[b], a, b)
        return Legs(chunk.unit[a][left], begin[left], chunk.time[b][left], begin_fix[left], b[left], platform[left])

    def overlapping(self, start: int, end: int) -> Legs:
        """Those with time in [start, end), ms."""
        use = (self.end > start) & (self.start < end)
        return self if use.all() else Legs(*(getattr(self, part.name)[use] for part in fields(self)))


def rivers(network: Water) -> tuple[np.ndarray, list[str]]:
    """River of each reach as a number, and the names."""
    found: tuple[np.ndarray, list[str]] = _rivers(cast(Any, network))  # every network is an object of its own
    return found


@lru_cache(maxsize=2)
def _rivers(network: Any) -> tuple[np.ndarray, list[str]]:
    import pandas as pd

    codes, names = pd.factorize(network.reaches["river"], sort=True)
    return codes.astype(np.int64), list(names)


def _shares(chunk: Chunk, legs: Legs, network: Water, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    reach += [np.minimum(a[half], b[half]), np.maximum(a[half], b[half])]
    share += [np.full(len(half), 0.5)] * 2
    legs_, reaches, shares = np.concatenate(leg), np.concatenate(reach), np.concatenate(share)
    # a few sorted runs, in which the reaches of a leg are in order: quickly merged
    order = np.argsort(legs_, kind="stable")
    return legs_[order], reaches[order], shares[order]


def pieces_of(
    chunk: Chunk, legs: Legs, network: Water, settings: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Leg, reach, ms, of these at night, day, end of every piece of time, by leg and day: cut at midnight, shared among
    reaches."""
    leg, reach, share = _shares(chunk, legs, network, settings)
    part, day, start, end = cut_at_midnight(np.arange(len(legs.start)), legs.start, legs.end)
    rows = np.bincount(leg, minlength=len(legs.start))  # share rows of each leg, once for each of its parts
    offset = np.cumsum(rows) - rows
    group = np.repeat(np.arange(len(part)), rows[part])
    row = np.repeat(offset[part], rows[part]) + np.arange(len(group))
    row -= np.repeat(np.cumsum(rows[part]) - rows[part], rows[part])
    ms, night = day_and_night(start, end, group, share[row], settings)
    return part[group], reach[row], ms, night, day[group], end[group]
