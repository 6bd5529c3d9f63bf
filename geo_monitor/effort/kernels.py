"""Compiled state machines over the fixes of units. Arrays in, arrays out; imported only where they run.

Times are integer milliseconds, distances metres. Rows come from `tracks.Chunk`: by unit, then by time.
"""

# numba compiles these bodies, so they are written as plain loops over scalars
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_A = 6_378_137.0  # WGS84 semi-major axis, metres
_E2 = 0.006_694_379_990_14  # WGS84 first eccentricity squared
_NEVER = np.iinfo(np.int64).min  # as `tracks.NEVER`


@njit(cache=True, nogil=True, error_model="numpy")
def scale(lat: float) -> tuple[float, float]:
    """Metres per degree of longitude and of latitude at `lat`: the ellipsoidal Mercator plane times k(lat).

    Source: Snyder, Map Projections, USGS PP 1395 (1987), eq. 4-18 to 4-21: M and N, the radii of curvature.
    """
    sin = math.sin(math.radians(lat))
    w = 1.0 - _E2 * sin * sin
    east = math.radians(_A * math.cos(math.radians(lat)) / math.sqrt(w))
    north = math.radians(_A * (1.0 - _E2) / (w * math.sqrt(w)))
    return east, north


@njit(cache=True, nogil=True, inline="always")
def _surely_beyond(dlon: float, dlat: float, lat: float, metres: float) -> bool:
    """Whether two places, degrees apart, are more than `metres` apart for sure, told without a sine: a degree of latitude
    is over 110,500 m everywhere, one of longitude over 111,300 m times the cosine, and cos x >= 1 - x^2 / 2."""
    turn = 0.0174532925 * lat
    east, north = dlon * 111_300.0 * (1.0 - 0.5 * turn * turn), dlat * 110_500.0
    return abs(turn) < 1.4 and east * east + north * north > metres * metres


@njit(cache=True, nogil=True, error_model="numpy")
def runs(
    rows: np.ndarray, unit: np.ndarray, patrol: np.ndarray, time: np.ndarray, split_ms: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fixes `rows` (n,), by unit, patrol and time, without those that are the same unit, patrol and moment again (of a
    second upload: the first in canonical order stands for both), and the number of the patrol each belongs to. Fixes
    without a patrol id (-1) that are more than `split_ms` apart are of two."""
    kept, run = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    count, number = 0, -1
    for row in rows:
        if count > 0:
            last = kept[count - 1]
            same = unit[row] == unit[last] and patrol[row] == patrol[last]
            if same and time[row] == time[last]:
                continue
            if not same or (patrol[row] < 0 and time[row] - time[last] > split_ms):
                number += 1
        else:
            number = 0
        kept[count], run[count] = row, number
        count += 1
    return kept[:count], run[:count]


@njit(cache=True, nogil=True, error_model="numpy")
def steps(
    rows: np.ndarray, run: np.ndarray, unit: np.ndarray, time: np.ndarray, platform: np.ndarray, gap_ms: int, begin: int,
    stop: int,
) -> tuple[bool, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """From each fix of a patrol to the next, where no more than `gap_ms` later and with time in [begin, stop): unit, start,
    end, the two fixes, platform; and whether these are by unit and time without overlap, as with one recorder a unit.
    If not, they are of no use."""
    n = max(len(rows) - 1, 0)
    of, start, end = np.empty(n, unit.dtype), np.empty(n, np.int64), np.empty(n, np.int64)
    a, b, kind = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, platform.dtype)
    count = 0
    last_unit, until = np.int64(-1), np.int64(0)
    for i in range(n):
        p, q = rows[i], rows[i + 1]
        if run[i] != run[i + 1] or time[q] - time[p] > gap_ms:
            continue
        if unit[p] < last_unit or (unit[p] == last_unit and time[p] < until):
            return False, of[:0], start[:0], end[:0], a[:0], b[:0], kind[:0]
        last_unit, until = unit[p], time[q]
        if time[q] > begin and time[p] < stop:
            of[count], start[count], end[count] = unit[p], time[p], time[q]
            a[count], b[count], kind[count] = p, q, platform[p]
            count += 1
    return True, of[:count], start[:count], end[:count], a[:count], b[:count], kind[:count]


@njit(cache=True, nogil=True, error_model="numpy")
def crossing(
    a: np.ndarray, b: np.ndarray, reach: np.ndarray, km: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of legs from fix a to b (m,) those whose ends lie in two reaches: which, reaches (2, c) and km (2, c) of their ends;
    and which have one end on no reach (-1)."""
    both, half = 0, 0
    for i in range(len(a)):
        if reach[a[i]] != reach[b[i]]:
            both, half = (both, half + 1) if reach[a[i]] < 0 or reach[b[i]] < 0 else (both + 1, half)
    leg, ends, at = np.empty(both, np.int64), np.empty((2, both), np.int64), np.empty((2, both))
    lone = np.empty(half, np.int64)
    both, half = 0, 0
    for i in range(len(a)):
        p, q = reach[a[i]], reach[b[i]]
        if p != q and (p < 0 or q < 0):
            lone[half] = i
            half += 1
        elif p != q:
            leg[both], ends[0, both], ends[1, both] = i, p, q
            at[0, both], at[1, both] = km[a[i]], km[b[i]]
            both += 1
    return leg, ends, at, lone


@njit(cache=True, nogil=True, error_model="numpy")
def begins(group: np.ndarray, groups: int) -> np.ndarray:
    """Where each of `groups` begins (groups + 1,) among rows whose groups (p,) ascend."""
    first = np.empty(groups + 1, np.int64)
    row = 0
    for g in range(groups):
        first[g] = row
        while row < len(group) and group[row] == g:
            row += 1
    first[groups] = row
    return first


@njit(cache=True, nogil=True, error_model="numpy")
def merged(unit: np.ndarray, start: np.ndarray, end: np.ndarray, begin: int, stop: int) -> np.ndarray:
    """Unit, start and end (s, 3) of intervals (m,), by unit and time, that begin in [begin, stop), what touches as one."""
    spans = np.empty((len(unit), 3), np.int64)
    count = 0
    for i in range(len(unit)):
        if start[i] < begin or start[i] >= stop:
            continue
        if count > 0 and spans[count - 1, 0] == unit[i] and spans[count - 1, 2] == start[i]:
            spans[count - 1, 2] = end[i]
        else:
            spans[count, 0], spans[count, 1], spans[count, 2] = unit[i], start[i], end[i]
            count += 1
    return spans[:count].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def pieces(
    rows: np.ndarray, run: np.ndarray, unit: np.ndarray, patrol: np.ndarray, time: np.ndarray, reach: np.ndarray,
    km: np.ndarray, river_of: np.ndarray, gap_ms: int, begin: int, stop: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """What of each patrol lies in [begin, stop): unit, patrol, first and last fix, least and greatest river (f, 6; -1: on
    none); lowest and highest km (f, 2; NaN: none); and gaps (g, 4): unit, patrol, from, to, more than `gap_ms` between two
    fixes in it. reach, km of fixes; river_of (reaches,)."""
    most, widest = (run[-1] + 1 if len(run) else 0), 0
    for i in range(1, len(rows)):
        widest += 1 if time[rows[i]] - time[rows[i - 1]] > gap_ms else 0
    part, ends, gaps = np.empty((most, 6), np.int64), np.empty((most, 2)), np.empty((widest, 4), np.int64)
    count, wide, last, on = 0, 0, -1, -1
    nowhere: Any = np.iinfo(np.int64).max
    for i in range(len(rows)):
        row = rows[i]
        if time[row] < begin or time[row] >= stop:
            continue
        if last < 0 or run[i] != run[last]:
            part[count, 0], part[count, 1], part[count, 2] = unit[row], patrol[row], time[row]
            part[count, 4], part[count, 5] = nowhere, -1
            ends[count, 0] = ends[count, 1] = np.nan
            count, on = count + 1, -1
        elif time[row] - time[rows[last]] > gap_ms:
            gaps[wide, 0], gaps[wide, 1] = unit[rows[last]], patrol[rows[last]]
            gaps[wide, 2], gaps[wide, 3] = time[rows[last]], time[row]
            wide += 1
        last = i
        own = count - 1
        part[own, 3] = time[row]
        if reach[row] >= 0:
            if reach[row] != on:  # most fixes are on the reach of the one before
                on = reach[row]
                part[own, 4], part[own, 5] = min(part[own, 4], river_of[on]), max(part[own, 5], river_of[on])
            if not np.isnan(km[row]):
                ends[own, 0] = km[row] if np.isnan(ends[own, 0]) else min(ends[own, 0], km[row])
                ends[own, 1] = km[row] if np.isnan(ends[own, 1]) else max(ends[own, 1], km[row])
    return part[:count].copy(), ends[:count].copy(), gaps[:wide].copy()


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
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
            east = north = 0.0  # asked for when needed: most fixes of a boat under way begin nothing
            while True:
                if not noted and began < until and (j == end or time[j] >= until):
                    noted = True
                    open_time[u, 0], open_time[u, 1] = began, last_time
                    open_place[u, 0], open_place[u, 1] = x, y
                if j == end or time[j] - (time[j - 1] if j > bounds[u] else last_time) > gap_ms:
                    break
                near = not _surely_beyond(lon[j] - x, lat[j] - y, y, stay_m)
                if near:
                    if north == 0.0:
                        east, north = scale(y)
                    dx, dy = (lon[j] - x) * east, (lat[j] - y) * north
                    near = dx * dx + dy * dy <= stay_m * stay_m
                if near:
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


@njit(cache=True, nogil=True, error_model="numpy")
def _largest(whole: int, share: np.ndarray, part: np.ndarray, rest: np.ndarray) -> None:
    """Integer parts of an integer by largest remainders (of equal ones the first) into `part`; `rest` is for work."""
    missing = whole
    for i in range(len(share)):
        exact = whole * share[i]
        part[i] = np.int64(np.floor(exact))
        rest[i] = exact - part[i]
        missing -= part[i]
    for _ in range(min(missing, len(share))):
        most = 0
        for i in range(1, len(share)):
            if rest[i] > rest[most]:
                most = i
        part[most] += 1
        rest[most] = -1.0


@njit(cache=True, nogil=True, inline="always")
def _largest_of_two(whole: Any, first: float, second: float) -> tuple[Any, Any]:
    """`_largest` of two shares: most legs that leave a reach end in the next one."""
    a, b = np.floor(whole * first), np.floor(whole * second)
    missing = whole - np.int64(a) - np.int64(b)
    earlier = whole * first - a >= whole * second - b
    more_a = 1 if missing > 1 or (missing == 1 and earlier) else 0
    more_b = 1 if missing > 1 or (missing == 1 and not earlier) else 0
    return np.int64(a) + more_a, np.int64(b) + more_b


@njit(cache=True, nogil=True, error_model="numpy")
def apportion(whole: np.ndarray, group: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`minutes.apportion`."""
    n = len(group)
    part, rest = np.empty(n, np.int64), np.empty(n, np.float64)
    i = 0
    while i < n:
        stop = i
        while stop < n and group[stop] == group[i]:
            stop += 1
        _largest(whole[group[i]], share[i:stop], part[i:stop], rest[i:stop])
        i = stop
    return part


@njit(cache=True, nogil=True, error_model="numpy")
def gather(
    unit: np.ndarray, start: np.ndarray, end: np.ndarray, a: np.ndarray, b: np.ndarray, at_reach: np.ndarray,
    platform: np.ndarray, stay: np.ndarray, share_at: np.ndarray, share_reach: np.ndarray, share: np.ndarray,
    nights: np.ndarray, gap_ms: int, first_day: int, last_day: int, day_ms: int, zone_ms: int, last_look: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:  # fmt: skip
    """Legs (m,), by unit and time, as time per reach and day, of days [first_day, last_day) since 1970 on a clock `zone_ms`
    ahead: for what follows each other with the same unit, reach, day, platform and stay its key (k,) as `minutes.keys`,
    sums (k, 6) as `minutes.Totals`, unit (k,); and the ms on no reach. `units` of a sum is 1 where the unit is there for
    the first time that day. last_look (reaches,): raised to the last moment somebody looked, ms UTC.

    a, b: fixes at the ends of legs, to which at_reach (-1: on none) and stay (-1: none) belong. A leg whose ends lie in
    one reach is there; another goes to share_reach in parts of `share`, from share_at[i] to share_at[i + 1]. nights (n,
    2): ms of the day that are night. A leg is cut at midnight, and day and night of each part are apportioned for
    themselves.

    A pass is a run of a unit in a reach. It goes on where the next leg begins in the reach the unit was last seen in, on
    the same day and platform, no more than `gap_ms` later; unlocated legs between do not end it. Of a stay only the first
    piece in a reach can be one: swinging at anchor on a border is not coming back.
    """
    most, longest = 1, np.int64(0)
    for i in range(len(start)):
        most, longest = max(most, share_at[i + 1] - share_at[i]), max(longest, end[i] - start[i])
    # room for each part of a leg on each day it may touch: arrays that grow within the loop would make it slower by half
    room = (len(start) + len(share)) * (longest // day_ms + 2)
    key, of, sums = np.empty(room, np.int64), np.empty(room, np.int64), np.empty((room, 6), np.int64)
    # of each reach the unit and day, and the stay and day, last seen there, and on which platforms: days of a unit never
    # go back
    last_unit, unit_on = np.full(len(last_look), -1, np.int64), np.zeros(len(last_look), np.uint8)
    last_stay, stay_on = np.full(len(last_look), -1, np.int64), np.zeros(len(last_look), np.uint8)
    today, midnight = np.int64(0), -np.int64(zone_ms)
    count = 0
    last_wait = np.int64(-1)
    unlocated: Any = np.int64(0)
    dark, light, rest = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.float64)
    here, run_day, kind = -1, np.int64(0), -1
    until = np.int64(0)
    for i in range(len(start)):
        if i > 0 and unit[i] != unit[i - 1]:
            here = -1
        from_reach, to_reach = at_reach[a[i]], at_reach[b[i]]
        wait = np.int64(stay[a[i]] if stay[a[i]] == stay[b[i]] else -1)
        final = to_reach if to_reach >= 0 else from_reach
        met = False
        met_day = run_day
        goes_on = here >= 0 and platform[i] == kind and start[i] - until <= gap_ms
        alone = from_reach == to_reach
        low, high = share_at[i], share_at[i + 1]
        if not midnight <= start[i] < midnight + day_ms:
            today = (start[i] + zone_ms) // day_ms
            midnight = today * day_ms - zone_ms
        more = True
        while more:
            day = today
            begin, stop = max(start[i], midnight), min(end[i], midnight + day_ms)
            night: Any = np.int64(0)
            for n in range(len(nights)):
                night += max(min(stop - midnight, nights[n, 1]) - max(begin - midnight, nights[n, 0]), 0)
            pieces = 1 if alone else high - low
            if alone:
                dark[0], light[0] = night, stop - begin - night
            elif pieces == 2:
                dark[0], dark[1] = _largest_of_two(night, share[low], share[low + 1])
                light[0], light[1] = _largest_of_two(stop - begin - night, share[low], share[low + 1])
            else:
                _largest(night, share[low:high], dark[:pieces], rest[:pieces])
                _largest(stop - begin - night, share[low:high], light[:pieces], rest[:pieces])
            for p in range(pieces):
                reach = np.int64(from_reach if alone else share_reach[low + p])
                ms = dark[p] + light[p]
                own = first_day <= day < last_day
                if reach < 0:
                    unlocated += ms if own else 0
                    continue
                if ms <= 0:
                    continue
                same = goes_on and reach == here and day == run_day and (from_reach == reach or from_reach < 0)
                if reach == final:
                    met = True
                    met_day = day
                if not own:
                    continue
                last_look[reach] = max(last_look[reach], stop)
                this = ((reach << 18 | (day + (1 << 16))) << 3) | platform[i]
                last = count - 1
                if count > 0 and key[last] == this and of[last] == unit[i] and last_wait == wait:
                    sums[last, 0] += ms
                    sums[last, 2] += dark[p]
                    if wait >= 0:
                        sums[last, 1] += ms
                    elif not same:
                        sums[last, 3] += 1
                    continue
                on = np.uint8(1 << platform[i])
                stamp = unit[i] << 20 | (day + (1 << 16))
                if last_unit[reach] != stamp:
                    last_unit[reach], unit_on[reach] = stamp, 0
                sums[count, 4] = 0 if unit_on[reach] & on else 1
                unit_on[reach] |= on
                if wait >= 0:
                    stamp = wait << 20 | (day + (1 << 16))
                    if last_stay[reach] != stamp:
                        last_stay[reach], stay_on[reach] = stamp, 0
                    same = same or (stay_on[reach] & on) != 0
                    stay_on[reach] |= on
                key[count], of[count], last_wait = this, unit[i], wait
                sums[count, 0], sums[count, 1], sums[count, 2] = ms, ms if wait >= 0 else 0, dark[p]
                sums[count, 3], sums[count, 5] = 0 if same else 1, 0
                count += 1
            more = midnight + day_ms < end[i]
            if more:
                today += 1
                midnight += day_ms
        if final < 0:
            continue
        if met:
            here, run_day, kind = final, met_day, platform[i]
        elif final != here:
            here = -1
        until = end[i]
    return key[:count], sums[:count], of[:count], unlocated


@njit(cache=True, nogil=True, error_model="numpy")
def summed(key: Any, rows: Any, group: Any) -> Any:
    """Sums of `rows` (p, c) over equal keys (p,): keys (m,) ascending, sums (m, c).

    `group` (p,), not negative, ascends with the key. What comes in is nearly in order within a group (blocks follow
    each other), so a counting sort by group leaves next to nothing to sort.
    """
    p, c = rows.shape
    groups = group.max() + 1
    begin = np.zeros(groups + 1, np.int64)
    for i in range(p):
        begin[group[i] + 1] += 1
    for g in range(groups):
        begin[g + 1] += begin[g]
    place = begin.copy()
    order = np.empty(p, np.int64)
    for i in range(p):
        order[place[group[i]]] = i
        place[group[i]] += 1
    for g in range(groups):
        for i in range(begin[g] + 1, begin[g + 1]):
            if key[order[i]] < key[order[i - 1]]:
                own = order[begin[g] : begin[g + 1]]
                own[:] = own[np.argsort(key[own], kind="mergesort")]
                break
    keys, sums = np.empty(p, np.int64), np.zeros((p, c), np.int64)
    m = -1
    for i in order:
        if m < 0 or key[i] != keys[m]:
            m += 1
            keys[m] = key[i]
        for j in range(c):
            sums[m, j] += rows[i, j]
    return keys[: m + 1], sums[: m + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def merged_sums(a: np.ndarray, of_a: np.ndarray, b: np.ndarray, of_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over equal keys of two parts, each with keys (n,), ascending, and sums (n, c)."""
    n, width = len(a) + len(b), of_a.shape[1]
    keys, sums = np.empty(n, np.int64), np.empty((n, width), np.int64)
    i, j, m = 0, 0, 0
    while i < len(a) or j < len(b):
        first = j >= len(b) or (i < len(a) and a[i] <= b[j])
        second = i >= len(a) or (j < len(b) and b[j] <= a[i])
        keys[m] = a[i] if first else b[j]
        for c in range(width):
            sums[m, c] = (of_a[i, c] if first else 0) + (of_b[j, c] if second else 0)
        i, j, m = i + first, j + second, m + 1
    return keys[:m], sums[:m]


@njit(cache=True, nogil=True, error_model="numpy")
def by_place(key: np.ndarray, sums: np.ndarray, bits: int, ms: np.ndarray) -> None:
    """Adds time by day and by night of keys (k,), `bits` of which are below their reach, to ms (n, platforms, 2)."""
    for i in range(len(key)):
        reach, platform = key[i] >> bits, key[i] & 7
        ms[reach, platform, 0] += sums[i, 0] - sums[i, 2]
        ms[reach, platform, 1] += sums[i, 2]
