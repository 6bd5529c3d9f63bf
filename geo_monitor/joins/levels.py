"""Water levels as the joins need them: when a level was within bounds, and when nobody knows.

In: table `levels`. Out: windows of time. A reading holds until the next one, at most `level_hold_h`; after that, and
before the first, the level is unknown. A rule is never silently off: while its level is unknown it counts as in force,
and what rests on that is called possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.tracks import milliseconds

if TYPE_CHECKING:
    import pandas as pd

Windows = list[tuple[int, int]]


@dataclass(frozen=True)
class Gauge:
    """Readings of one station: moments (n,) ms UTC ascending (equal ones possible), levels (n,) metres."""

    time: np.ndarray
    level: np.ndarray


NO_READINGS = Gauge(np.empty(0, np.int64), np.empty(0))


def gauges(levels: pd.DataFrame | None) -> dict[str, Gauge]:
    """Station -> its readings, of all agencies together."""
    if levels is None or not len(levels):
        return {}
    time, level = milliseconds(levels["time"]), levels["level_m"].to_numpy(dtype=float)
    found = {}
    for station, rows in levels.groupby("station", sort=True).indices.items():
        order = np.asarray(rows)[np.argsort(time[rows], kind="stable")]
        found[str(station)] = Gauge(time[order], level[order])
    return found


def within(gauge: Gauge, low: float, high: float, hold_ms: int, span: tuple[int, int]) -> tuple[Windows, Windows]:
    """When, over `span` (ms, end exclusive), low <= level < high or the level is unknown; and when it is unknown.

    Both lists are ascending and apart. Readings of one moment that disagree on the bounds (two agencies) tell as
    little as none, until the next.

    12.0 m at 0 h, 11.0 m at 5 h, bound 12 m, hold 8 h, over 0-20 h: in force 0-5 h, off 5-13 h, unknown from 13 h.

    >>> h = 3_600_000
    >>> gauge = Gauge(np.array([0, 5 * h]), np.array([12.0, 11.0]))
    >>> on, unknown = within(gauge, 12.0, np.inf, 8 * h, (0, 20 * h))
    >>> [(a // h, b // h) for a, b in on], [(a // h, b // h) for a, b in unknown]
    ([(0, 5), (13, 20)], [(13, 20)])
    """
    first, last = span
    time, at = np.unique(gauge.time, return_index=True)
    inside = (gauge.level >= low) & (gauge.level < high)
    if not len(time):
        return _joined([span]), _joined([span])
    some, every = np.logical_or.reduceat(inside, at), np.logical_and.reduceat(inside, at)
    after = np.append(time[1:], max(last, int(time[-1])))
    held = np.minimum(after, time + hold_ms)
    split = some & ~every
    on = _pairs(time[every], held[every])
    unknown = [(first, int(time[0])), *_pairs(held, after), *_pairs(time[split], held[split])]
    unknown = _clipped(unknown, span)
    return _joined(_clipped(on, span) + unknown), _joined(unknown)


def _pairs(begin: np.ndarray, end: np.ndarray) -> Windows:
    return list(zip(begin.tolist(), end.tolist(), strict=True))


def _clipped(windows: Windows, span: tuple[int, int]) -> Windows:
    cut = [(max(a, span[0]), min(b, span[1])) for a, b in windows]
    return [(a, b) for a, b in cut if a < b]


def _joined(windows: Windows) -> Windows:
    """Windows in order, those that touch as one."""
    found: Windows = []
    for a, b in sorted(windows):
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(b, found[-1][1]))
        elif a < b:
            found.append((a, b))
    return found
