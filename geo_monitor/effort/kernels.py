"""Compiled state machines over the fixes of units. Arrays in, arrays out; imported only where they run.

Times are integer milliseconds, distances metres. Rows come from `tracks.Chunk`: by unit, then by time.
"""

# numba compiles these bodies, so they are written as plain loops over scalars
from __future__ import annotations

import math

import numpy as np
from numba import njit

_A = 6_378_137.0  # WGS84 semi-major axis, metres
_E2 = 0.006_694_379_990_14  # WGS84 first eccentricity squared
_NEVER = np.iinfo(np.int64).min  # as `tracks.NEVER`


@njit(cache=True, nogil=True)
def scale(lat: float) -> tuple[float, float]:
    """Metres per degree of longitude and of latitude at `lat`: the ellipsoidal Mercator plane times k(lat).

    Source: Snyder, Map Projections, USGS PP 1395 (1987), eq. 4-18 to 4-21: M and N, the radii of curvature.
    """
    sin = math.sin(math.radians(lat))
    w = 1.0 - _E2 * sin * sin
    east = math.radians(_A * math.cos(math.radians(lat)) / math.sqrt(w))
    north = math.radians(_A * (1.0 - _E2) / (w * math.sqrt(w)))
    return east, north


@njit(cache=True, nogil=True)
def clip(
    unit: np.ndarray, start: np.ndarray, end: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What of each interval is not yet covered by earlier ones of its unit.

    Intervals (m,) sorted by unit, start, end; `first`, `last`: fixes at their ends. Returns for each what is left:
    begin (ms), the fix at which it begins (where clipped: the fix of the unit that ended the covered time, so that the
    position at that moment is a measured one) and left (bool: anything left at all).
    """
    n = len(start)
    begin = start.copy()
    begin_fix = first.copy()
    left = np.zeros(n, dtype=np.bool_)
    reached = np.int64(0)
    reached_fix = np.int64(-1)
    for i in range(n):
        if i == 0 or unit[i] != unit[i - 1]:
            left[i] = True
        elif end[i] > reached:
            left[i] = True
            if start[i] < reached:
                begin[i] = reached
                begin_fix[i] = reached_fix
        if left[i]:
            reached = end[i]
            reached_fix = last[i]
    return begin, begin_fix, left


@njit(cache=True, nogil=True)
def uncovered(
    unit: np.ndarray, start: np.ndarray, end: np.ndarray, cover_unit: np.ndarray, cover_start: np.ndarray,
    cover_end: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """The parts of spans (m,) outside the cover (k,) of the same unit and outside earlier spans: span, from, to.

    Both sorted by unit and start; the cover's intervals don't overlap.
    """
    size = len(start) + len(cover_start)
    of = np.empty(size, dtype=np.int64)
    lo = np.empty(size, dtype=np.int64)
    hi = np.empty(size, dtype=np.int64)
    count = 0
    j = 0
    done = np.int64(0)
    for i in range(len(start)):
        at = start[i]
        if i > 0 and unit[i] == unit[i - 1]:
            at = max(at, done)
            done = max(done, end[i])
        else:
            done = end[i]
        # a later span begins no earlier, so cover that ended before this one is never needed again
        while j < len(cover_start) and (cover_unit[j] < unit[i] or (cover_unit[j] == unit[i] and cover_end[j] <= at)):
            j += 1
        while j < len(cover_start) and cover_unit[j] == unit[i] and cover_start[j] < end[i]:
            if cover_start[j] > at:
                of[count], lo[count], hi[count] = i, at, cover_start[j]
                count += 1
            at = max(at, cover_end[j])
            if cover_end[j] > end[i]:
                break
            j += 1
        if at < end[i]:
            of[count], lo[count], hi[count] = i, at, end[i]
            count += 1
    return of[:count], lo[:count], hi[:count]


@njit(cache=True, nogil=True)
def stays(
    bounds: np.ndarray, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, gap_ms: int, stay_ms: int, stay_m: float,
    stray_ms: int, until: int, open_time: np.ndarray, open_place: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Number of the stay each fix (n,) belongs to, -1 outside any. See `docs/methods-effort.md`, Stake-out.

    A stay begins at the earliest fix from which the unit remains within `stay_m` for `stay_ms` or more; it lasts to the
    last fix within `stay_m` of that first one. Out and back again within `stray_ms` is noise.

    bounds (u + 1,) cut the rows into units. open_time (u, 2), open_place (u, 2): for each unit the first fix of the
    stay that may be under way and the time of the last fix within it, `_NEVER` where there is none; that first fix may
    lie before the rows if the stay has lasted for `stay_ms`. Both are replaced by what is under way at `until`.
    """
    stay = np.full(len(time), -1, dtype=np.int32)
    number = 0
    for u in range(len(bounds) - 1):
        end = bounds[u + 1]
        i = bounds[u]
        began, last_time = open_time[u, 0], open_time[u, 1]
        x, y = open_place[u, 0], open_place[u, 1]
        open_time[u, 0] = open_time[u, 1] = _NEVER
        going_on = began != _NEVER and last_time - began >= stay_ms
        if began != _NEVER:
            while i < end and (time[i] < began or (not going_on and (time[i] != began or lon[i] != x or lat[i] != y))):
                i += 1
            if not going_on and i == end:  # its first fix is not among the rows: it ended in a gap
                i = bounds[u]
        noted = False
        while i < end:
            last = i
            j = i + 1
            if going_on:
                while last + 1 < end and time[last + 1] <= last_time:
                    last += 1
                if time[last] > last_time:
                    last = i - 1
                j = last + 1
            else:
                began, x, y = time[i], lon[i], lat[i]
                last_time = began
            east, north = scale(y)
            while True:
                if not noted and began < until and (j == end or time[j] >= until):
                    noted = True
                    open_time[u, 0], open_time[u, 1] = began, last_time
                    open_place[u, 0], open_place[u, 1] = x, y
                if j == end or time[j] - (time[j - 1] if j > bounds[u] else last_time) > gap_ms:
                    break
                dx = (lon[j] - x) * east
                dy = (lat[j] - y) * north
                if dx * dx + dy * dy <= stay_m * stay_m:
                    if last < j - 1 and time[j] - last_time > stray_ms:
                        break
                    last, last_time = j, time[j]
                elif time[j] - last_time > stray_ms:
                    break
                j += 1
            if last_time - began >= stay_ms:
                stay[i : last + 1] = number
                number += 1
                i = last + 1
            else:
                i += 1
            going_on = False
    return stay


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def together(
    unit: np.ndarray, key: np.ndarray, wait: np.ndarray, ms: np.ndarray, night: np.ndarray, new: np.ndarray,
    end: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Pieces (p,) that follow each other with the same unit, key and stay, as one: unit, key, stay, summed ms and night,
    passes, last end. Of passes within a stay the first piece tells."""
    n = len(key)
    units, keys, waits = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    sums, nights, passes, ends = (np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64),
                                  np.empty(n, np.int64))  # fmt: skip
    count = 0
    for i in range(n):
        if i > 0 and unit[i] == unit[i - 1] and key[i] == key[i - 1] and wait[i] == wait[i - 1]:
            sums[count - 1] += ms[i]
            nights[count - 1] += night[i]
            ends[count - 1] = max(ends[count - 1], end[i])
            if wait[i] < 0:
                passes[count - 1] += new[i]
            continue
        units[count], keys[count], waits[count] = unit[i], key[i], wait[i]
        sums[count], nights[count], passes[count], ends[count] = ms[i], night[i], new[i], end[i]
        count += 1
    return (units[:count], keys[:count], waits[:count], sums[:count], nights[:count], passes[:count], ends[:count])


@njit(cache=True, nogil=True)
def apportion(whole: np.ndarray, group: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`minutes.apportion`."""
    n = len(group)
    part = np.empty(n, np.int64)
    rest = np.empty(n, np.float64)
    i = 0
    while i < n:
        g = group[i]
        stop = i
        missing = whole[g]
        while stop < n and group[stop] == g:
            exact = whole[g] * share[stop]
            part[stop] = np.int64(np.floor(exact))
            rest[stop] = exact - part[stop]
            missing -= part[stop]
            stop += 1
        for _ in range(min(missing, stop - i)):
            most = i
            for k in range(i + 1, stop):
                if rest[k] > rest[most]:
                    most = k
            part[most] += 1
            rest[most] = -1.0
        i = stop
    return part
