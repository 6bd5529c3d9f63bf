"""Patrols, legs and pieces: fixes become counted time, and time becomes pieces by reach and day.

In: a chunk of located fixes of patrols. Out: plain arrays. Rules: `docs/methods-effort.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

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

    @classmethod
    def of(cls, chunk: Chunk, settings: Settings) -> Runs:
        from geo_monitor.effort.kernels import runs

        mixed = (chunk.unit[1:] == chunk.unit[:-1]) & (chunk.patrol[1:] < chunk.patrol[:-1])
        rows = np.lexsort((chunk.patrol, chunk.unit)) if mixed.any() else np.arange(len(chunk))  # stable: in time order
        return cls(*runs(rows, chunk.unit, chunk.patrol, chunk.time, round(settings.patrol_split_s * 1000)))


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
    def of(cls, chunk: Chunk, runs: Runs, settings: Settings, begin: int, stop: int) -> Legs:
        """Those with time in [begin, stop), ms."""
        from geo_monitor.effort.kernels import clip, steps

        gap_ms = round(settings.gap_s * 1000)
        simple, *found = steps(runs.rows, runs.run, chunk.unit, chunk.time, chunk.platform, gap_ms, begin, stop)
        if simple:
            return Legs(*found)
        a, b = runs.rows[:-1], runs.rows[1:]
        use = (runs.run[1:] == runs.run[:-1]) & (chunk.time[b] - chunk.time[a] <= gap_ms)
        a, b = a[use], b[use]
        order = np.lexsort((b, a, chunk.time[b], chunk.time[a], chunk.unit[a]))
        a, b = a[order], b[order]
        platform = chunk.platform[a]
        begin_at, begin_fix, left = clip(chunk.unit[a], chunk.time[a], chunk.time[b], a, b)
        left &= (chunk.time[b] > begin) & (begin_at < stop)
        return Legs(chunk.unit[a][left], begin_at[left], chunk.time[b][left], begin_fix[left], b[left], platform[left])


def rivers(network: Water) -> tuple[np.ndarray, list[str]]:
    """River of each reach as a number, and the names."""
    found: tuple[np.ndarray, list[str]] = _rivers(cast(Any, network))  # every network is an object of its own
    return found


@lru_cache(maxsize=2)
def _rivers(network: Any) -> tuple[np.ndarray, list[str]]:
    import pandas as pd

    codes, names = pd.factorize(network.reaches["river"], sort=True)
    return codes.astype(np.int64), list(names)


def shares(chunk: Chunk, legs: Legs, network: Water, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which reaches (-1: none) the time of legs goes to whose ends lie in different ones: where those of each leg begin
    (m + 1,), reach, share."""
    from geo_monitor.effort.kernels import begins, crossing

    pair, ends, km, half = crossing(legs.a, legs.b, chunk.reach, chunk.km)
    legs_, reaches, parts = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
    if len(pair):
        metres = network.distance(ends[0], km[0], ends[1], km[1])
        travelled = np.asarray(metres) <= settings.speed_limit_mps * ((legs.end[pair] - legs.start[pair]) / 1000)
        if not travelled.all():
            half = np.concatenate([half, pair[~travelled]])
            pair, ends, km = pair[travelled], ends[:, travelled], km[:, travelled]
    if len(pair):
        of, passed, share = network.spread(ends[0], km[0], ends[1], km[1])
        sums = np.bincount(of, weights=share, minlength=len(pair))
        if (np.abs(sums - 1) > 1e-6).any() or (np.asarray(share) < 0).any():
            raise GeoMonitorError("effort_spread_broken", share=float(sums[np.argmax(np.abs(sums - 1))]))
        legs_, reaches, parts = pair[of], np.asarray(passed, dtype=np.int32), np.asarray(share, dtype=float)
    if len(half):  # a few sorted runs, in which the reaches of a leg are in order: quickly merged
        a, b = chunk.reach[legs.a[half]], chunk.reach[legs.b[half]]
        legs_ = np.concatenate([legs_, half, half])
        reaches = np.concatenate([reaches, np.minimum(a, b), np.maximum(a, b)])
        parts = np.concatenate([parts, np.full(2 * len(half), 0.5)])
        order = np.argsort(legs_, kind="stable")
        legs_, reaches, parts = legs_[order], reaches[order], parts[order]
    return begins(legs_, len(legs.a)), reaches, parts
