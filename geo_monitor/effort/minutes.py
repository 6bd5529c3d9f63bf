"""Time as integer milliseconds: cut into days, shared among reaches, summed per reach, day and platform.

In: arrays of spans and pieces of time. Out: exact integer parts, and table `effort`. Integers make the sums the same to
the last bit whatever the order in which pieces come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geo_monitor.tables import PLATFORMS, TABLES
from geo_monitor.tracks import DAY_MS, MINUTE_MS, NEVER, SHANGHAI_MS, night_ms, shanghai_day

if TYPE_CHECKING:
    from geo_monitor.settings import Settings

KEY_REACH = 21  # bits of a key below its reach
_DAY_ORIGIN = 1 << 16  # keeps days before 1970 positive inside a key


def firsts(*columns: np.ndarray) -> np.ndarray:
    """Which rows (n,) are the first with their values.

    >>> firsts(np.array([1, 1, 2]), np.array([5, 5, 5])).tolist()
    [True, False, True]
    """
    order = np.lexsort(columns)
    fresh = np.zeros(len(order), dtype=bool)
    fresh[:1] = True
    for column in columns:
        fresh[1:] |= column[order][1:] != column[order][:-1]
    first = np.empty(len(order), dtype=bool)
    first[order] = fresh
    return first


def cut_at_midnight(
    of: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spans (m,) in ms, cut into Shanghai days: `of` of the span, day since 1970, start, end of each part."""
    days = shanghai_day(end - 1) - shanghai_day(start) + 1
    span = np.repeat(np.arange(len(days)), days)
    day = shanghai_day(start)[span] + np.arange(len(span)) - np.repeat(np.cumsum(days) - days, days)
    midnight = day * DAY_MS - SHANGHAI_MS
    return of[span], day, np.maximum(start[span], midnight), np.minimum(end[span], midnight + DAY_MS)


def apportion(whole: np.ndarray, group: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Integer parts of integers that sum exactly to them: the method of largest remainders.

    whole (g,) int64; group (p,) ascending, every group there; share (p,) summing to 1 in each. What rounding down
    leaves goes, one each, to the parts with the largest remainders (of equal ones the first).

    >>> apportion(np.array([10]), np.array([0, 0, 0]), np.array([1 / 3, 1 / 3, 1 / 3])).tolist()
    [4, 3, 3]
    """
    from geo_monitor.effort.kernels import apportion as compiled

    return compiled(whole, np.ascontiguousarray(group, dtype=np.int64), np.ascontiguousarray(share, dtype=np.float64))


def day_and_night(
    start: np.ndarray, end: np.ndarray, group: np.ndarray, share: np.ndarray, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of pieces (p,) of spans (g,) within a Shanghai day, and how many of them are at night.

    Day and night of a span are apportioned each for itself: no piece has more night than time, and both sums are exact.
    """
    night = night_ms(start, end, settings)
    dark = apportion(night, group, share)
    return apportion(end - start - night, group, share) + dark, dark


def keys(reach: np.ndarray, day: np.ndarray, platform: np.ndarray | int) -> np.ndarray:
    """One int64 for a reach, a day (since 1970) and a platform, ordered like them."""
    return ((reach.astype(np.int64) << 18 | (day + _DAY_ORIGIN)) << 3) | platform


def added(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Sums of `parts` over equal keys: of each its keys (k,), ascending, and sums (k, 6). The shortest are added first."""
    from geo_monitor.effort.kernels import merged_sums

    left = sorted(((len(key), i, key, sums) for i, (key, sums) in enumerate(parts)), key=lambda one: one[:2])
    number = len(left)
    while len(left) > 1:
        (_, _, a, of_a), (_, _, b, of_b) = heappop(left), heappop(left)
        key, sums = merged_sums(a, of_a, b, of_b) if len(a) else (b, of_b)
        heappush(left, (len(key), number, key, sums))  # the number tells apart parts of one length
        number += 1
    return (left[0][2], left[0][3]) if left else (np.empty(0, dtype=np.int64), np.empty((0, 6), dtype=np.int64))


class Totals:
    """Integer sums per reach, day and platform."""

    def __init__(self, reaches: int, parts: Iterable[tuple[np.ndarray, np.ndarray]] = ()) -> None:
        """parts: of each its keys (k,), ascending, and sums (k, 6): ms, stake-out ms, night ms, passes, units, reported ms."""
        self.unlocated = 0
        self.last_look = np.full(reaches, NEVER, dtype=np.int64)
        self._parts = list(parts)

    @property
    def key(self) -> np.ndarray:
        """All keys (k,), ascending."""
        return self._whole()[0]

    @property
    def sums(self) -> np.ndarray:
        """Their sums (k, 6)."""
        return self._whole()[1]

    def _whole(self) -> tuple[np.ndarray, np.ndarray]:
        """All parts as one: only a table needs that, and it takes a while."""
        if len(self._parts) != 1:
            self._parts = [added(self._parts)]
        return self._parts[0]

    def add(
        self,
        key: np.ndarray,
        ms: np.ndarray,
        *,
        reach: np.ndarray,
        end: np.ndarray,
        night: np.ndarray,
        units: np.ndarray,
        passes: np.ndarray,
        stakeout: np.ndarray | int = 0,
        reported: np.ndarray | int = 0,
    ) -> None:
        """Adds pieces (p,) of time that end at `end`, ms UTC; `night`, `stakeout`, `reported` are parts of `ms`."""
        if not len(key):
            return
        np.maximum.at(self.last_look, reach, end)
        rows = np.empty((len(key), 6), dtype=np.int64)
        for i, column in enumerate((ms, stakeout, night, passes, units, reported)):
            rows[:, i] = column
        self.sum(key, rows)

    def sum(self, key: np.ndarray, rows: np.ndarray) -> None:
        """Adds sums (p, 6) of keys (p,), which may occur more than once."""
        from geo_monitor.effort.kernels import summed

        if len(key):
            self._parts.append(summed(key, rows, key >> KEY_REACH))

    def hours(self) -> np.ndarray:
        """Hours (n reaches, platforms in the order of `tables.PLATFORMS`, by day and by night)."""
        from geo_monitor.effort.kernels import by_place

        ms = np.zeros((len(self.last_look), len(PLATFORMS), 2), dtype=np.int64)
        for key, sums in self._parts:
            by_place(key, sums, KEY_REACH, ms)
        return ms / (60 * MINUTE_MS)

    @property
    def reach(self) -> np.ndarray:
        """The place of each key's reach in the network, (k,)."""
        return self.key >> KEY_REACH

    @property
    def day(self) -> np.ndarray:
        """The day of each key since 1970 in Asia/Shanghai, (k,)."""
        return ((self.key >> 3) & ((1 << 18) - 1)) - _DAY_ORIGIN

    @property
    def platform(self) -> np.ndarray:
        """The place of each key's platform in `tables.PLATFORMS`, (k,)."""
        return self.key & 7

    def weighted_hours(self, per_hour: np.ndarray) -> np.ndarray:
        """Exposure of each key, hours (k,): by day and by night as `per_hour` (platforms, 2) weighs them."""
        ms, night = self.sums[:, 0], self.sums[:, 2]
        weight = np.asarray(per_hour, dtype=float)[self.platform]
        return ((ms - night) * weight[:, 0] + night * weight[:, 1]) / (60 * MINUTE_MS)

    def table(self, reach_ids: Sequence[str]) -> pa.Table:
        """Table `effort`, by reach, day and platform; reach_ids (n,) in network order."""
        import pyarrow.compute as pc

        ids, sums = pa.array(reach_ids, pa.string()), self.sums
        platforms = pa.DictionaryArray.from_arrays(pa.array(self.platform.astype(np.int32)), pa.array(PLATFORMS))
        return pa.table(
            {
                "reach_id": pc.take(ids, pa.array(self.reach)),
                "day": pa.array(self.day.astype(np.int32)).cast(pa.date32()),
                "platform": platforms.cast(pa.string()),
                "minutes": sums[:, 0] / MINUTE_MS,
                "stakeout_minutes": sums[:, 1] / MINUTE_MS,
                "night_minutes": sums[:, 2] / MINUTE_MS,
                "passes": sums[:, 3],
                "units": sums[:, 4],
                "reported_minutes": sums[:, 5] / MINUTE_MS,
            }
        ).cast(TABLES["effort"].arrow)
