"""Fixes that no boat can have made: lone jumps, tracks that have to be cut, two devices under one name.

Arrays in, arrays out. Distances are metres on a sphere (mean radius 6,371,008.8 m), good to 0.5 %.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RADIUS = 6_371_008.8


def metres(lon_a: Array, lat_a: Array, lon_b: Array, lat_b: Array) -> Array:
    """Great-circle metres between points (n,), haversine.

    >>> import numpy as np
    >>> float(metres(np.array([112.0]), np.array([30.0]), np.array([112.0]), np.array([31.0]))[0].round(1))
    111195.1
    """
    a, b = np.radians(lat_a), np.radians(lat_b)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon_b - lon_a) / 2) ** 2
    return 2 * RADIUS * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def jumps(
    track: NDArray[np.int64], ms: NDArray[np.int64], lon: Array, lat: Array, speed_mps: float, slack_m: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Lone wrong fixes, and fixes that begin a new piece because the way to them can't have been travelled.

    track (n,): whose fix it is, sorted; ms (n,) UTC milliseconds, sorted within a track. A leg is impossible when it is
    longer than `speed_mps` allows plus `slack_m`. A fix is alone when the legs to it and from it are impossible and the
    way past it is possible; a first or last fix stays, since nothing tells which side is wrong.

    >>> import numpy as np
    >>> lon = np.array([112.0, 112.001, 115.0, 112.002, 112.003, 118.0, 118.001])
    >>> alone, cut = jumps(np.zeros(7, int), np.arange(7) * 60_000, lon, np.full(7, 30.0), 60.0, 200.0)
    >>> np.flatnonzero(alone).tolist(), np.flatnonzero(cut).tolist()
    ([2], [5])
    """
    n = len(ms)
    alone = np.zeros(n, dtype=bool)
    if n < 2:
        return alone, np.zeros(n, dtype=bool)
    index = np.arange(n)
    if n >= 3:
        hop = _impossible(index[:-1], index[1:], track, ms, lon, lat, speed_mps, slack_m)
        middle = np.flatnonzero(hop[:-1] & hop[1:]) + 1
        if len(middle):
            past = _impossible(middle - 1, middle + 1, track, ms, lon, lat, speed_mps, slack_m)
            same = track[middle - 1] == track[middle + 1]
            middle = middle[same & ~past]
            # of A B A B each is alone to its neighbours; what is left must hang together, so no two in a row go
            keep = np.ones(len(middle), dtype=bool)
            for i in range(1, len(middle)):
                if middle[i] == middle[i - 1] + 1 and keep[i - 1]:
                    keep[i] = False
            alone[middle[keep]] = True
    rest = np.flatnonzero(~alone)
    cut = np.zeros(n, dtype=bool)
    cut[rest[1:]] = _impossible(rest[:-1], rest[1:], track, ms, lon, lat, speed_mps, slack_m)
    return alone, cut


def _impossible(
    a: NDArray[np.int64], b: NDArray[np.int64], track: NDArray[np.int64], ms: NDArray[np.int64], lon: Array, lat: Array,
    speed_mps: float, slack_m: float,
) -> NDArray[np.bool_]:  # fmt: skip
    far = np.abs(lat[b] - lat[a]) + np.abs(lon[b] - lon[a]) > slack_m / 160_000  # cheap: most legs are short
    far &= track[a] == track[b]
    where = np.flatnonzero(far)
    out = np.zeros(len(a), dtype=bool)
    i, j = a[where], b[where]
    out[where] = metres(lon[i], lat[i], lon[j], lat[j]) > speed_mps * (ms[j] - ms[i]) / 1000 + slack_m
    return out


def repeats(
    track: NDArray[np.int64], ms: NDArray[np.int64], lon: Array, lat: Array, same_m: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of fixes of one track at one moment all but the first: (the same place again, another place).

    track, ms (n,): sorted by track, then time, then order of arrival.
    """
    n = len(ms)
    again = np.zeros(n, dtype=bool)
    again[1:] = (track[1:] == track[:-1]) & (ms[1:] == ms[:-1])
    if not again.any():
        return again, again.copy()
    first = np.maximum.accumulate(np.where(again, 0, np.arange(n)))
    away = np.zeros(n, dtype=bool)
    where = np.flatnonzero(again)
    origin = first[where]
    away[where] = metres(lon[origin], lat[origin], lon[where], lat[where]) > same_m
    return again & ~away, away


def frozen(
    track: NDArray[np.int64], ms: NDArray[np.int64], lon: Array, lat: Array, speed: Array, least_s: float, moving: float
) -> NDArray[np.bool_]:
    """Fixes of a receiver that goes on telling one place although it moves: the same coordinates to the last digit for
    `least_s` seconds and more, at a told speed (median over the time) above `moving` m/s.

    A boat at rest may repeat its place as well (receivers hold still); without a speed nobody can tell, and none is.

    >>> import numpy as np
    >>> ms, still = np.arange(4) * 600_000, np.array([112.0, 112.1, 112.1, 112.1])
    >>> frozen(np.zeros(4, int), ms, still, np.full(4, 30.0), np.full(4, 5.0), 1200, 1.0).tolist()
    [False, True, True, True]
    """
    n = len(ms)
    if n == 0:
        return np.zeros(0, dtype=bool)
    begins = np.r_[True, (np.diff(track) != 0) | (np.diff(lon) != 0) | (np.diff(lat) != 0)]
    starts = np.flatnonzero(begins)
    ends = np.r_[starts[1:], n] - 1
    out = np.zeros(n, dtype=bool)
    for i in np.flatnonzero(ms[ends] - ms[starts] >= least_s * 1000):
        told = speed[starts[i] : ends[i] + 1]
        told = told[~np.isnan(told)]
        if len(told) and np.median(told) > moving:
            out[starts[i] : ends[i] + 1] = True
    return out


LEGS = 100_000  # as many tell the unit of a speed column


def legs(
    track: NDArray[np.int64], ms: NDArray[np.int64], lon: Array, lat: Array, speed: Array
) -> tuple[Array, Array, NDArray[np.int64]]:
    """The first LEGS that tell what a speed column is in, 5 to 120 s long: m/s by the way made good, mean of the speeds
    told, and the fix at which each begins. track, ms (n,): sorted by track, then time."""
    dt = np.diff(ms) / 1000.0
    with np.errstate(invalid="ignore"):
        use = (track[1:] == track[:-1]) & (dt >= 5) & (dt <= 120) & (speed[1:] > 1) & (speed[:-1] > 1)
    where = np.flatnonzero(use)[:LEGS]
    way = metres(lon[where], lat[where], lon[where + 1], lat[where + 1]) / dt[where]
    return way, (speed[where] + speed[where + 1]) / 2, where


def unit_of(way: Array, told: Array) -> tuple[float, float] | None:
    """What one of a speed column is in m/s, told by `legs`: (factor, share of legs that agree).

    None where too few (under 20, moving) tell. Candidates: m/s, knots, km/h.

    >>> unit_of(np.full(20, 5.0), np.full(20, 18.0)) == (1 / 3.6, 1.0)
    True
    """
    moving = way > 0.5
    if len(way) < 20 or moving.sum() < 20:
        return None
    ratio = np.log(way[moving] / told[moving])
    candidates = np.array([1.0, 1852 / 3600, 1 / 3.6])
    nearest = np.abs(ratio[:, None] - np.log(candidates)[None, :]).argmin(axis=1)
    counts = np.bincount(nearest, minlength=3)
    best = int(np.abs(np.median(ratio) - np.log(candidates)).argmin())
    return float(candidates[best]), float(counts[best] / counts.sum())
