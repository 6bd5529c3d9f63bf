"""Compiled machines over the fixes of one unit (`rows`), and over all units at once. Imported only where they run.

A machine takes a unit's fixes from row `first` to `stop` and changes its state; what ended is written to `out`. So
its state after some fixes is all that the next ones need, and nothing depends on how they were cut.
"""

# numba compiles these bodies, so they are written as plain loops over scalars
from __future__ import annotations

import math

import numpy as np
from numba import njit

from geo_monitor.effort.kernels import scale
from geo_monitor.events.rows import (
    ALONG,
    AT_KM,
    AT_REACH,
    BROKEN,
    COUNT,
    FIXES,
    G_COUNT,
    G_END,
    G_KM,
    G_LAT,
    G_LIMIT,
    G_LON,
    G_MEDIAN,
    G_REACH,
    G_START,
    INTERVALS,
    KEPT,
    KIND,
    KM,
    LAST,
    LAT,
    LEAST,
    LON,
    MOST,
    MOVED,
    O_BEGIN,
    O_BLAT,
    O_BLON,
    O_END,
    O_LAST,
    O_LAT,
    O_LON,
    O_SILENT,
    O_START,
    ON,
    OPENED,
    P_AWAY,
    P_BEGIN,
    P_DONE,
    P_LAST,
    P_LASTLAT,
    P_LASTLON,
    P_LAT,
    P_LON,
    P_ON,
    P_OUT,
    P_OUTLAT,
    P_OUTLON,
    PATROL,
    PATROL_OTHER,
    REACH,
    SAMPLE,
    SINCE,
    SPEED,
    START,
    STRIDE,
    SUM,
    TRAFFIC,
    UNTIL,
    T,
    X,
    Y,
)  # fmt: skip
from geo_monitor.joins.kernels import inside, within


@njit(cache=True, nogil=True)
def metres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Metres between two points by the local scale of the ellipsoid half-way: for distances of some kilometres."""
    east, north = scale((lat_a + lat_b) / 2)
    return math.hypot((lon_b - lon_a) * east, (lat_b - lat_a) * north)


@njit(cache=True, nogil=True)
def derive(
    rows: np.ndarray, first: int, stop: int, stem: np.ndarray, still_m: float, window: float, leg: float, cut: float
) -> None:
    """Works out SINCE, MOVED, X, Y, ALONG and SPEED of rows [first, stop), from them and the rows before.

    stem (reaches,): the river line a reach is on, -1 in lakes. window, leg, cut: ms.
    """
    back = first
    for i in range(first, stop):
        t = rows[i, T]
        fresh = i == 0 or t - rows[i - 1, T] >= cut
        if fresh:
            rows[i, SINCE], rows[i, MOVED], rows[i, X], rows[i, Y] = t, -1.0, rows[i, LON], rows[i, LAT]
        elif metres(rows[i - 1, X], rows[i - 1, Y], rows[i, LON], rows[i, LAT]) > still_m:
            rows[i, SINCE], rows[i, MOVED], rows[i, X], rows[i, Y] = t, t, rows[i, LON], rows[i, LAT]
        else:
            for c in (SINCE, MOVED, X, Y):
                rows[i, c] = rows[i - 1, c]
        rows[i, ALONG] = rows[i, SPEED] = np.nan
        if i == first:  # later rows only move on
            while back > 0 and rows[back, T] > t - window:
                back -= 1
        while back + 1 < i and rows[back + 1, T] <= t - window:
            back += 1
        a, b = back, back + 1
        if b > i or rows[a, T] > t - window or rows[b, T] - rows[a, T] > leg:
            continue
        share = (t - window - rows[a, T]) / (rows[b, T] - rows[a, T])
        lon = rows[a, LON] + share * (rows[b, LON] - rows[a, LON])
        lat = rows[a, LAT] + share * (rows[b, LAT] - rows[a, LAT])
        straight = metres(lon, lat, rows[i, LON], rows[i, LAT])
        rows[i, SPEED] = straight / window * 1000.0
        ra, rb, ri = int(rows[a, REACH]), int(rows[b, REACH]), int(rows[i, REACH])
        if ra < 0 or rb < 0 or ri < 0:
            continue
        if stem[ra] >= 0 and stem[ra] == stem[rb] and stem[ra] == stem[ri]:
            km = rows[a, KM] + share * (rows[b, KM] - rows[a, KM])
            rows[i, ALONG] = (km - rows[i, KM]) * 1_000_000.0 / window  # chainage falls downstream
        else:
            rows[i, ALONG] = straight / window * 1000.0


@njit(cache=True, nogil=True)
def _keep(v: np.ndarray, t: float, lon: float, lat: float, speed: float) -> None:
    """Counts a fix of a run, and keeps it if it is its turn: when all places are taken, every other is given up."""
    n = int(v[COUNT])
    v[COUNT] += 1.0
    v[UNTIL] = t
    v[SUM] += speed
    v[LEAST], v[MOST] = min(v[LEAST], speed), max(v[MOST], speed)
    if n % int(v[STRIDE]) != 0:
        return
    if int(v[KEPT]) == SAMPLE:
        for k in range(SAMPLE // 2):
            for c in range(3):
                v[FIXES + 3 * k + c] = v[FIXES + 6 * k + c]
        v[KEPT] = SAMPLE // 2
        v[STRIDE] *= 2.0
        if n % int(v[STRIDE]) != 0:
            return
    k = FIXES + 3 * int(v[KEPT])
    v[k], v[k + 1], v[k + 2] = t, lon, lat
    v[KEPT] += 1.0


@njit(cache=True, nogil=True)
def _close(v: np.ndarray, out: np.ndarray, count: int) -> int:
    if v[ON] > 0 and v[OPENED] > 0:
        out[count] = v
        count += 1
    v[:] = 0.0
    return count


@njit(cache=True, nogil=True)
def runs(
    rows: np.ndarray, first: int, stop: int, low: float, high: float, current: float, water: bool, near_m: float,
    least: float, pause: float, cut: float, window_at: np.ndarray, windows: np.ndarray, edge_at: np.ndarray,
    edges: np.ndarray, slab_at: np.ndarray, slab: np.ndarray, filed_at: np.ndarray, filed: np.ndarray,
    grid: np.ndarray, box: np.ndarray, v: np.ndarray, out: np.ndarray,
) -> int:  # fmt: skip
    """Runs of fixes of a traffic boat at low <= speed < high m/s: on the water (`water`: speed through it, `current` m/s
    downstream), or within `near_m` of one of the zones (as `joins.areas.Areas`) while it is in force.

    A run is an event from `least` ms on; it ends at its last such fix, if other fixes come and none such within `pause`
    ms of it. out (m, RUN): those that ended. Returns how many.
    """
    count = 0
    high_m = near_m / 110_000.0  # degrees of latitude, a little more than needed
    for i in range(first, stop):
        t = rows[i, T]
        if i > 0 and t - rows[i - 1, T] >= cut:
            count = _close(v, out, count)
        key = 0
        speed = abs(rows[i, ALONG] - current) if water else rows[i, SPEED]
        lies = water and abs(rows[i, ALONG]) < low  # at anchor in a current
        if rows[i, KIND] == TRAFFIC and speed >= low and speed < high and not lies:
            if water:
                key = 1
            else:
                for z in range(len(box)):
                    x, y = rows[i, LON], rows[i, LAT]
                    if y < box[z, 1] - high_m or y > box[z, 3] + high_m:  # far from it, cheaply
                        continue
                    e, s, f = edges[edge_at[z] : edge_at[z + 1]], slab[slab_at[z] : slab_at[z + 1]], \
                        filed[filed_at[z] : filed_at[z + 1]]  # fmt: skip
                    if inside(x, y, e, s, f, grid[z, 0], grid[z, 1], box[z]) or within(
                        x, y, near_m, e, s, f, grid[z, 0], grid[z, 1], box[z]
                    ):
                        held = False
                        for w in range(window_at[z], window_at[z + 1]):
                            held = held or (windows[w, 0] <= t and t < windows[w, 1])
                        if held:
                            key = z + 1
                            break
        if v[ON] > 0 and (
            (key == 0 and t - v[LAST] >= pause)
            or (key > 0 and (key != v[ON] or (v[BROKEN] > 0 and t - v[LAST] >= pause)))
        ):
            count = _close(v, out, count)
        if key == 0:
            if v[ON] > 0:
                v[BROKEN] = 1.0
            continue
        if v[ON] == 0:
            v[ON], v[START], v[LEAST], v[MOST], v[STRIDE] = key, t, np.inf, -np.inf, 1.0
            v[AT_REACH], v[AT_KM] = rows[i, REACH], rows[i, KM]
        v[LAST], v[BROKEN] = t, 0.0
        if v[OPENED] == 0:
            _keep(v, t, rows[i, LON], rows[i, LAT], speed)
            if t - v[START] >= least:
                v[OPENED] = 1.0
    return count


@njit(cache=True, nogil=True)
def median(v: np.ndarray, most: int) -> float:
    """Of the intervals in the ring of a gap state, its last `most`; 0 without any."""
    n = min(int(v[0]), most)
    if n == 0:
        return 0.0
    last = np.empty(n)
    for k in range(n):
        last[k] = v[1 + (int(v[0]) - 1 - k) % INTERVALS]
    return float(np.median(last))


@njit(cache=True, nogil=True)
def silence(rows: np.ndarray, i: int, until: float, v: np.ndarray, floor: float, factor: float, most: int, moored: float,
            water: bool, out: np.ndarray) -> int:  # fmt: skip
    """Writes the silence from fix `i` to `until` as a row `out` (GAP_OUT,), if it is one; 1 if so, else 0. `water`:
    only of boats last heard on a reach."""
    t = rows[i, T]
    if until - t <= floor or t - rows[i, SINCE] >= moored or (water and rows[i, REACH] < 0):
        return 0
    if rows[i, KIND] != TRAFFIC and rows[i, KIND] != PATROL:
        return 0
    middle = median(v, most)
    limit = max(floor, factor * middle)
    if until - t <= limit:
        return 0
    out[G_START], out[G_END], out[G_LON], out[G_LAT] = t, until, rows[i, LON], rows[i, LAT]
    out[G_REACH], out[G_KM], out[G_LIMIT], out[G_MEDIAN] = rows[i, REACH], rows[i, KM], limit, middle
    out[G_COUNT] = min(v[0], most)
    return 1


@njit(cache=True, nogil=True)
def gaps(
    rows: np.ndarray, first: int, stop: int, floor: float, factor: float, most: int, moored: float, water: bool,
    cut: float, v: np.ndarray, out: np.ndarray,
) -> int:  # fmt: skip
    """Silences that ended, rows (m, GAP_OUT) of `out`: over `floor` ms and `factor` medians of the last `most` intervals,
    of a boat that had not kept still for `moored` ms when it fell silent, and (`water`) was on a reach then. Returns how
    many."""
    count = 0
    for i in range(max(first, 1), stop):
        step = rows[i, T] - rows[i - 1, T]
        count += silence(rows, i - 1, rows[i, T], v, floor, factor, most, moored, water, out[count])
        if step >= cut:
            v[:] = 0.0
        else:
            v[1 + int(v[0]) % INTERVALS] = step
            v[0] += 1.0
    return count


@njit(cache=True, nogil=True)
def _late(v: np.ndarray, end: float, silent: float, quiet: float, out: np.ndarray) -> None:
    out[O_END], out[O_BEGIN], out[O_BLON], out[O_BLAT] = end, v[P_BEGIN], v[P_LON], v[P_LAT]
    out[O_SILENT] = silent
    if silent > 0:
        out[O_START], out[O_LON], out[O_LAT] = v[P_LAST] + quiet, v[P_LASTLON], v[P_LASTLAT]
    else:
        out[O_LON], out[O_LAT] = v[P_OUTLON], v[P_OUTLAT]
    out[O_LAST] = v[P_LAST]


@njit(cache=True, nogil=True)
def _out(v: np.ndarray, by: float, long: float, split: float) -> None:
    """Whether the patrol is out too long at `by`, judged by its last fix at its `long`-th millisecond."""
    if v[P_OUT] == 0 and v[P_DONE] == 0 and v[P_AWAY] > 0:
        due = v[P_BEGIN] + long
        if by >= due and due >= v[P_LAST] and due - v[P_LAST] <= split:
            v[P_OUT], v[P_OUTLON], v[P_OUTLAT] = 1.0, v[P_LASTLON], v[P_LASTLAT]


@njit(cache=True, nogil=True)
def overdue(
    rows: np.ndarray, first: int, stop: int, long: float, quiet: float, away_m: float, split: float, v: np.ndarray,
    out: np.ndarray,
) -> int:  # fmt: skip
    """Patrols that were out for over `long` ms, or silent for over `quiet` ms more than `away_m` from where they began,
    and are back or have sent again: rows (m, OVERDUE_OUT) of `out`. Returns how many. A patrol ends at a gap of over
    `split` ms."""
    count = 0
    for i in range(first, stop):
        if rows[i, KIND] != PATROL and rows[i, KIND] != PATROL_OTHER:
            continue
        t = rows[i, T]
        if v[P_ON] > 0:
            step = t - v[P_LAST]
            if v[P_BEGIN] + long < t:
                _out(v, t, long, split)
            if v[P_OUT] > 0 and step > split:
                _late(v, t, 0.0, quiet, out[count])
                out[count, O_START] = v[P_BEGIN] + long
                count += 1
            elif step > max(quiet, split) and v[P_AWAY] > 0:
                _late(v, t, 1.0, quiet, out[count])
                count += 1
            if step > split:
                v[:] = 0.0
        if v[P_ON] == 0:
            v[P_ON], v[P_BEGIN], v[P_LON], v[P_LAT] = 1.0, t, rows[i, LON], rows[i, LAT]
        v[P_AWAY] = 1.0 if metres(v[P_LON], v[P_LAT], rows[i, LON], rows[i, LAT]) > away_m else 0.0
        v[P_LAST], v[P_LASTLON], v[P_LASTLAT] = t, rows[i, LON], rows[i, LAT]
        _out(v, t, long, split)
        if v[P_OUT] > 0 and v[P_AWAY] == 0:
            _late(v, t, 0.0, quiet, out[count])
            out[count, O_START] = v[P_BEGIN] + long
            count += 1
            v[P_OUT], v[P_DONE] = 0.0, 1.0
    return count


@njit(cache=True, nogil=True)
def overdue_now(v: np.ndarray, now: float, long: float, quiet: float, split: float, out: np.ndarray) -> int:
    """Writes what goes on at `now` as a row (OVERDUE_OUT,) with O_END -1; 1 if something does, else 0."""
    if v[P_ON] == 0:
        return 0
    after = v.copy()
    _out(after, now, long, split)
    if after[P_OUT] > 0:
        _late(after, -1.0, 0.0, quiet, out)
        out[O_START] = v[P_BEGIN] + long
        return 1
    if v[P_AWAY] > 0 and now - v[P_LAST] > max(quiet, split):
        _late(v, -1.0, 1.0, quiet, out)
        return 1
    return 0


# ---- all units at once -------------------------------------------------------------------------------------------
@njit(cache=True, nogil=True)
def moments(
    rows: np.ndarray, bounds: np.ndarray, begin: int, end: int, step: int, leg: float, still: float
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Where boats were at moments k of begin <= k < end (k `step` ms UTC), on lines between fixes at most `leg` ms apart.

    rows: of units one after the other, cut by `bounds`. Gives (m, 2) int64 moment, unit and (m, 4) lon, lat, kind of
    boat, whether it had kept still for `still` ms (as far as is known).
    """
    room = 1024
    who, where = np.empty((room, 2), np.int64), np.empty((room, 4))
    count = 0
    for u in range(len(bounds) - 1):
        for i in range(bounds[u], bounds[u + 1]):
            if rows[i, KIND] != TRAFFIC and rows[i, KIND] != PATROL:
                continue
            t = rows[i, T]
            last = i + 1 == bounds[u + 1] or rows[i + 1, T] - t > leg or rows[i + 1, KIND] != rows[i, KIND]
            k = max(-(-int(t) // step), begin)
            stop = t if last else rows[i + 1, T] - 1.0
            while k < end and k * step <= stop:
                m = k * step
                share = 0.0 if last else (m - t) / (rows[i + 1, T] - t)
                if count == room:
                    who = np.concatenate((who, np.empty_like(who)))
                    where = np.concatenate((where, np.empty_like(where)))
                    room *= 2
                who[count, 0], who[count, 1] = k, u
                where[count, 0], where[count, 1] = rows[i, LON], rows[i, LAT]
                if share > 0.0:
                    where[count, 0] += share * (rows[i + 1, LON] - rows[i, LON])
                    where[count, 1] += share * (rows[i + 1, LAT] - rows[i, LAT])
                where[count, 2] = rows[i, KIND]
                where[count, 3] = 1.0 if rows[i, MOVED] < 0 or m - rows[i, MOVED] >= still else 0.0
                count += 1
                k += 1
    return who[:count], where[:count]


@njit(cache=True, nogil=True)
def close(
    moment: np.ndarray, where: np.ndarray, near_m: float, mixed: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Pairs of rows at one moment within `near_m` of each other, one of them traffic (`mixed`: the other a patrol), not
    both lying still.

    moment (n,), where (n, 4) of `moments`, sorted by moment, then lon. Gives both rows, and metres."""
    room = 1024
    one, other, far = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    count = 0
    for i in range(len(moment)):
        east, north = scale(where[i, 1])
        for j in range(i + 1, len(moment)):
            if moment[j] != moment[i] or (where[j, 0] - where[i, 0]) * east > 1.01 * near_m:
                break
            if abs(where[j, 1] - where[i, 1]) * north > 1.01 * near_m:
                continue
            if (where[i, 2] != TRAFFIC and where[j, 2] != TRAFFIC) or (where[i, 3] > 0 and where[j, 3] > 0):
                continue
            if mixed and where[i, 2] == where[j, 2]:
                continue
            away = metres(where[i, 0], where[i, 1], where[j, 0], where[j, 1])
            if away > near_m:
                continue
            if count == room:
                one, other = np.concatenate((one, np.empty_like(one))), np.concatenate((other, np.empty_like(other)))
                far = np.concatenate((far, np.empty_like(far)))
                room *= 2
            one[count], other[count], far[count] = i, j, away
            count += 1
    return one[:count], other[:count], far[:count]


@njit(cache=True, nogil=True)
def heard(
    rows: np.ndarray, bounds: np.ndarray, lon: float, lat: float, own: int, begin: float, start: float, after: float,
    end: float, near_m: float,
) -> tuple[int, int]:  # fmt: skip
    """How many other units sent from within `near_m` in [begin, start] (by their last fix then), and how many of them
    sent nothing in (after, end]. rows (n, 3): time, lon, lat of units one after the other, cut by `bounds`."""
    there, silent = 0, 0
    for u in range(len(bounds) - 1):
        if u == own:
            continue
        lo, hi = bounds[u], bounds[u + 1]
        a = lo + np.searchsorted(rows[lo:hi, 0], start, side="right") - 1
        if a < lo or rows[a, 0] < begin or metres(lon, lat, rows[a, 1], rows[a, 2]) > near_m:
            continue
        there += 1
        b = lo + np.searchsorted(rows[lo:hi, 0], after, side="right")
        if b >= hi or rows[b, 0] > end:
            silent += 1
    return there, silent


@njit(cache=True, nogil=True)
def explained(
    seen: np.ndarray, rows: np.ndarray, bounds: np.ndarray, around: float, near_m: float, leg: float
) -> np.ndarray:  # fmt: skip
    """Which detections (n, 3: time, lon, lat) have a boat within `near_m` and `around` ms: by a fix, or by the line
    between two fixes at most `leg` ms apart. rows: of units one after the other, cut by `bounds`."""
    found = np.zeros(len(seen), np.bool_)
    for d in range(len(seen)):
        t, x, y = seen[d, 0], seen[d, 1], seen[d, 2]
        east, north = scale(y)
        for u in range(len(bounds) - 1):
            lo, hi = bounds[u], bounds[u + 1]
            i = lo + np.searchsorted(rows[lo:hi, T], t - around)
            i = max(i - 1, lo)
            while i < hi and rows[i, T] <= t + around:
                if rows[i, KIND] == TRAFFIC or rows[i, KIND] == PATROL:
                    ax, ay = (rows[i, LON] - x) * east, (rows[i, LAT] - y) * north
                    if rows[i, T] >= t - around and ax * ax + ay * ay <= near_m * near_m:
                        found[d] = True
                        break
                    if i + 1 < hi and rows[i + 1, T] - rows[i, T] <= leg:
                        step = rows[i + 1, T] - rows[i, T]
                        p = max((t - around - rows[i, T]) / step, 0.0)
                        q = min((t + around - rows[i, T]) / step, 1.0)
                        if p <= q:
                            bx, by = (rows[i + 1, LON] - x) * east, (rows[i + 1, LAT] - y) * north
                            ux, uy = bx - ax, by - ay
                            along = p
                            if ux * ux + uy * uy > 0.0:
                                along = min(max(-(ax * ux + ay * uy) / (ux * ux + uy * uy), p), q)
                            px, py = ax + along * ux, ay + along * uy
                            if px * px + py * py <= near_m * near_m:
                                found[d] = True
                                break
                i += 1
            if found[d]:
                break
    return found


@njit(cache=True, nogil=True)
def _known(heard: np.ndarray, k: int, leg: float, minute: int) -> int:
    """The row of the last fix by the end of minute `k`, if it is at most `leg` ms old then; else -1."""
    end = (k + 1) * minute
    i = int(np.searchsorted(heard[:, 0], end)) - 1
    return i if i >= 0 and heard[i, 0] >= end - leg else -1


@njit(cache=True, nogil=True)
def approaches(
    heard: np.ndarray, near: np.ndarray, begin: int, end: int, apart: int, rest: int, left: int, rest_m: float,
    left_m: float, leg: float, minute: int,
) -> np.ndarray:  # fmt: skip
    """What a boat that lay or worked in one place did when a patrol came, and in quiet times.

    heard (n, 3): time, lon, lat, one a minute at most; near: minutes with a patrol near, ascending. For minutes k of
    [begin, end): an approach is a near one after `apart` minutes without; quiet times begin every `left` minutes, with no
    patrol near from `apart` before to `left` after. The boat must have kept within `rest_m` for `rest` minutes; it left
    if it is `left_m` or more away within `left` minutes. Gives rows (m, 3): k, 1 approach or 0 quiet, 1 left or 0 stayed;
    none where the boat was not heard.
    """
    out = np.empty((max(end - begin, 1), 3), np.int64)
    count = 0
    for k in range(begin, end):
        a = np.searchsorted(near, k)
        came = a < len(near) and near[a] == k
        before = a > 0 and near[a - 1] >= k - apart
        if before or (not came and (k % left != 0 or (a < len(near) and near[a] <= k + left))):
            continue
        i = _known(heard, k, leg, minute)
        if i < 0:
            continue
        x, y = heard[i, 1], heard[i, 2]
        lay = True
        for j in range(k - rest, k):
            m = _known(heard, j, leg, minute)
            if m < 0 or metres(x, y, heard[m, 1], heard[m, 2]) > rest_m:
                lay = False
                break
        if not lay:
            continue
        gone = 0
        for j in range(k + 1, k + left + 1):
            m = _known(heard, j, leg, minute)
            if m >= 0 and metres(x, y, heard[m, 1], heard[m, 2]) >= left_m:
                gone = 1
                break
        if gone == 0 and _known(heard, k + left, leg, minute) < 0:
            continue
        out[count, 0], out[count, 1], out[count, 2] = k, 1 if came else 0, gone
        count += 1
    return out[:count]
