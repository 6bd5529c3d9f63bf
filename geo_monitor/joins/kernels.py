"""Compiled state machine of zone visits. Arrays in, arrays out; imported only where it runs.

Times are integer milliseconds, positions degrees; zones come as the flat arrays of `areas.Areas`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from geo_monitor.compiled import bare, counting
from geo_monitor.effort.kernels import scale
from geo_monitor.joins.machine import (
    AWAY,
    BEFORE,
    ENTRY,
    ENTRY_SEEN,
    EXIT,
    EXIT_SEEN,
    FIRST,
    FIXES,
    OPEN,
    PATROL,
    SINCE,
    SINCE_SEEN,
    WAS_IN,
    WAS_WINDOW,
    WINDOW,
)  # fmt: skip

RUN = 16  # fixes whose extent is looked at, at once
SURE = (
    3.3306690738754716e-16  # of the two products of a cross product: an error is less (Shewchuk 1997, his ccwerrboundA)
)
SPLIT = 134217729.0  # 2^27 + 1 halves the digits of a double (Dekker 1971)


@njit(cache=True, nogil=True, error_model="numpy")
def side(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """Of a point seen from the line 1-2: over 0 left of it, 0 on it, under 0 right of it. The sign is exact, for all that
    doubles can say (Shewchuk 1997, Discrete Comput. Geom. 18:305-363): by rounding alone, a point a hair beside a border
    would be on its other side.

    >>> side(0.1 + 2**-56, 0.1, 0.0, 0.0, 1.0, 1.0) < 0 == side(0.1, 0.1, 0.0, 0.0, 1.0, 1.0)
    True
    """
    left, right = (x2 - x1) * (y - y1), (x - x1) * (y2 - y1)
    if abs(left - right) > SURE * (abs(left) + abs(right)):
        return left - right
    return _exactly(x, y, x1, y1, x2, y2)


@counting(error_model="numpy")
def _exactly(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """The sign of `side`: differences and products as sums of doubles without any error, and the largest part of their sum."""
    a, b = _two_sum(x2, -x1), _two_sum(y, -y1)
    c, d = _two_sum(x1, -x), _two_sum(y2, -y1)
    parts, count = np.zeros(16), 0  # none overlaps another, the largest last
    for one, other in ((a, b), (c, d)):
        for u in one:
            for v in other:
                for part in _two_product(u, v):
                    more = part
                    for i in range(count):
                        more, parts[i] = _two_sum(more, parts[i])
                    parts[count] = more
                    count += 1
    for i in range(count - 1, -1, -1):
        if parts[i] != 0.0:
            return parts[i]
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """a + b, rounded, and what that leaves (Knuth)."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


@njit(cache=True, nogil=True, error_model="numpy")
def _two_product(a: float, b: float) -> tuple[float, float]:
    """a b, rounded, and what that leaves (Dekker)."""
    product, big, great = a * b, SPLIT * a, SPLIT * b
    a1, b1 = big - (big - a), great - (great - b)
    a2, b2 = a - a1, b - b1
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


@njit(cache=True, nogil=True, error_model="numpy")
def _slab_of(y: float, south: float, per_degree: float, slabs: int) -> int:
    k = int((y - south) * per_degree)
    return min(max(k, 0), slabs - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def slabs(
    edges: np.ndarray, edge_at: np.ndarray, box: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each zone (z,): into how many slabs it is cut, how many a degree, and how many edges are filed in all of them."""
    n = len(edge_at) - 1
    count, listed, per_degree = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    for z in range(n):
        own = edge_at[z + 1] - edge_at[z]
        south, north = box[z, 1], box[z, 3]
        k = min(max(own // 2, 1), most)
        while True:
            per_degree[z] = k / (north - south) if north > south else 1.0
            listed[z] = 0
            for e in range(edge_at[z], edge_at[z + 1]):
                low, high = min(edges[e, 1], edges[e, 3]), max(edges[e, 1], edges[e, 3])
                listed[z] += _slab_of(high, south, per_degree[z], k) - _slab_of(low, south, per_degree[z], k) + 1
            if k == 1 or listed[z] <= 8 * own:
                break
            k //= 2  # edges that run far north and south would fill every slab
        count[z] = k
    return count, per_degree, listed


@njit(cache=True, nogil=True, error_model="numpy")
def filed(
    edges: np.ndarray, edge_at: np.ndarray, box: np.ndarray, per_degree: np.ndarray, slab_at: np.ndarray, filed_at: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """`slab`, `filed` and `sure` of `areas.Areas`, of zones cut as `slabs` says."""
    slab, own = np.zeros(slab_at[-1], np.int64), np.empty(filed_at[-1], np.int64)
    surely = np.empty((slab_at[-1], 4))
    for z in range(len(edge_at) - 1):
        south, k = box[z, 1], slab_at[z + 1] - slab_at[z] - 1
        mine, ends = edges[edge_at[z] : edge_at[z + 1]], slab[slab_at[z] : slab_at[z + 1]]
        into = own[filed_at[z] : filed_at[z + 1]]
        for e in range(len(mine)):
            low, high = min(mine[e, 1], mine[e, 3]), max(mine[e, 1], mine[e, 3])
            for s in range(_slab_of(low, south, per_degree[z], k), _slab_of(high, south, per_degree[z], k) + 1):
                ends[s + 1] += 1
        for s in range(k):
            ends[s + 1] += ends[s]
        free = ends[:-1].copy()
        for e in range(len(mine)):
            low, high = min(mine[e, 1], mine[e, 3]), max(mine[e, 1], mine[e, 3])
            for s in range(_slab_of(low, south, per_degree[z], k), _slab_of(high, south, per_degree[z], k) + 1):
                into[free[s]] = e
                free[s] += 1
        surely[slab_at[z] : slab_at[z + 1]] = sure(mine, ends, into, south, per_degree[z])
    return slab, own, surely


@njit(cache=True, nogil=True, error_model="numpy")
def sure(edges: np.ndarray, slab: np.ndarray, filed: np.ndarray, south: float, per_degree: float) -> np.ndarray:
    """Of each slab of a polygon (and one row more) the widest west and east between which no edge runs and all is inside,
    and the west and east beyond which all is outside; where there are none, intervals that nothing is in. Whoever is within
    the first or not within the second needs no look at the edges."""
    slabs = len(slab) - 1
    found = np.empty((slabs + 1, 4))
    found[:, 0], found[:, 1], found[:, 2], found[:, 3] = np.inf, -np.inf, np.inf, -np.inf
    for k in range(slabs):
        own = filed[slab[k] : slab[k + 1]]
        west = np.minimum(edges[own, 0], edges[own, 2])
        y = south + (k + 0.5) / per_degree
        reached = -np.inf  # no edge so far runs further east
        for f in np.argsort(west, kind="mergesort"):
            if west[f] > reached and west[f] - reached > found[k, 1] - found[k, 0] and reached > -np.inf:
                x = (west[f] + reached) / 2
                odd = False
                for e in own:
                    x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
                    if (y1 > y) != (y2 > y) and (side(x, y, x1, y1, x2, y2) > 0.0) == (y2 > y1):
                        odd = not odd
                if odd:
                    found[k, 0], found[k, 1] = reached, west[f]
            reached = max(reached, max(edges[own[f], 0], edges[own[f], 2]))
            found[k, 2], found[k, 3] = min(found[k, 2], west[f]), reached
    return found


@bare(error_model="numpy")
def inside(
    x: float, y: float, edges: np.ndarray, slab: np.ndarray, filed: np.ndarray, south: float, per_degree: float,
    box: np.ndarray,
) -> bool:  # fmt: skip
    """Whether a point is in the polygon or on its border (even-odd rule; source: Shimrat, CACM 5(8), 1962)."""
    if x < box[0] or x > box[2] or y < box[1] or y > box[3]:
        return False
    k = _slab_of(y, south, per_degree, len(slab) - 1)
    odd = False
    for f in range(slab[k], slab[k + 1]):
        e = filed[f]
        x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if y < min(y1, y2) or y > max(y1, y2):
            continue
        cross = side(x, y, x1, y1, x2, y2)
        if cross == 0.0 and x >= min(x1, x2) and x <= max(x1, x2):
            return True
        if (y1 > y) != (y2 > y) and (cross > 0.0) == (y2 > y1):
            odd = not odd
    return odd


@bare(error_model="numpy")
def within(
    x: float, y: float, metres: float, edges: np.ndarray, slab: np.ndarray, filed: np.ndarray, south: float,
    per_degree: float, box: np.ndarray,
) -> bool:  # fmt: skip
    """Whether the polygon's border is no more than `metres` away from a point, by the local scale at the point."""
    east, north = scale(y)
    dy = metres / north
    dx = metres / east
    if x < box[0] - dx or x > box[2] + dx or y < box[1] - dy or y > box[3] + dy:
        return False
    slabs = len(slab) - 1
    for k in range(_slab_of(y - dy, south, per_degree, slabs), _slab_of(y + dy, south, per_degree, slabs) + 1):
        for f in range(slab[k], slab[k + 1]):
            e = filed[f]
            ax, ay = (edges[e, 0] - x) * east, (edges[e, 1] - y) * north
            bx, by = (edges[e, 2] - x) * east, (edges[e, 3] - y) * north
            ux, uy = bx - ax, by - ay
            along = -(ax * ux + ay * uy) / (ux * ux + uy * uy)
            along = min(max(along, 0.0), 1.0)
            px, py = ax + along * ux, ay + along * uy
            if px * px + py * py <= metres * metres:
                return True
    return False


@counting()
def _sort(values: np.ndarray, count: int) -> None:
    """Puts the first `count` in ascending order."""
    values[:count].sort()


@bare(error_model="numpy")
def _crossings(
    ax: float, ay: float, bx: float, by: float, edges: np.ndarray, slab: np.ndarray, filed: np.ndarray, south: float,
    per_degree: float, box: np.ndarray, cut: np.ndarray,
) -> int:  # fmt: skip
    """Where the straight line a-b meets the border: fractions, ascending and single, into `cut`; how many."""
    if max(ax, bx) < box[0] or min(ax, bx) > box[2] or max(ay, by) < box[1] or min(ay, by) > box[3]:
        return 0
    slabs = len(slab) - 1
    dx, dy = bx - ax, by - ay
    count = 0
    for k in range(
        _slab_of(min(ay, by), south, per_degree, slabs), _slab_of(max(ay, by), south, per_degree, slabs) + 1
    ):
        for f in range(slab[k], slab[k + 1]):
            e = filed[f]
            x1, y1 = edges[e, 0], edges[e, 1]
            ex, ey = edges[e, 2] - x1, edges[e, 3] - y1
            turn = dx * ey - dy * ex
            if turn == 0.0:
                continue  # alongside: the neighbouring edges meet the line where this one begins and ends
            along = ((x1 - ax) * ey - (y1 - ay) * ex) / turn
            at = ((x1 - ax) * dy - (y1 - ay) * dx) / turn
            if 0.0 <= along <= 1.0 and -1e-12 <= at <= 1.0 + 1e-12:
                cut[count] = along
                count += 1
    if count > 1:
        _sort(cut, count)
    single = 0
    for i in range(count):
        if single == 0 or cut[i] > cut[single - 1]:
            cut[single] = cut[i]
            single += 1
    return single


@bare(error_model="numpy")
def _emit(v: np.ndarray, out: np.ndarray, count: int) -> int:
    """Writes the open visit, if any, as row `count` of `out`: patrol, window, entry, exit, observed."""
    if v[OPEN] == 0:
        return count
    out[count, 0] = v[PATROL]
    out[count, 1] = v[WINDOW]
    out[count, 2] = v[ENTRY]
    out[count, 3] = v[EXIT]
    out[count, 4] = v[ENTRY_SEEN] * v[EXIT_SEEN]
    v[OPEN] = 0
    return count + 1


@bare(error_model="numpy")
def _spell(
    v: np.ndarray, out: np.ndarray, count: int, patrol: int, window: int, entry: int, entry_seen: int, leave: int,
    leave_seen: int, begins: bool, exit_ms: int,
) -> int:  # fmt: skip
    """A spell inside is over: it prolongs the open visit, or begins one of its own if it is enough (`begins`)."""
    if v[OPEN] == 1 and v[WINDOW] == window and v[AWAY] == 0 and entry - v[EXIT] < exit_ms:
        v[EXIT] = leave
        v[EXIT_SEEN] = leave_seen
        return count
    count = _emit(v, out, count)
    if begins:
        v[OPEN] = 1
        v[ENTRY], v[ENTRY_SEEN] = entry, entry_seen
        v[EXIT], v[EXIT_SEEN] = leave, leave_seen
        v[PATROL] = patrol
        v[WINDOW] = window
        v[AWAY] = 0
    return count


@bare(error_model="numpy")
def _extent(lon: np.ndarray, lat: np.ndarray, first: int, stop: int) -> tuple[float, float, float, float]:
    """West, south, east and north of rows [first, stop)."""
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for f in range(first, stop):
        west, east = min(west, lon[f]), max(east, lon[f])
        south, north = min(south, lat[f]), max(north, lat[f])
    return west, south, east, north


@njit(cache=True, nogil=True, error_model="numpy")
def extents(bounds: np.ndarray, lon: np.ndarray, lat: np.ndarray, before: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Boxes (r, 4) of runs of `RUN` fixes of each unit with the fix before them: west, south, east, north.

    before (u,) bool, place (u, 2): whether a unit had a fix before its rows, and where.
    """
    total = 0
    for u in range(len(bounds) - 1):
        total += (bounds[u + 1] - bounds[u] + RUN - 1) // RUN
    boxes = np.empty((total, 4))
    r = 0
    for u in range(len(bounds) - 1):
        for start in range(bounds[u], bounds[u + 1], RUN):
            west, south, east, north = _extent(lon, lat, max(start - 1, bounds[u]), min(start + RUN, bounds[u + 1]))
            if start == bounds[u] and before[u]:
                west, east = min(west, place[u, 0]), max(east, place[u, 0])
                south, north = min(south, place[u, 1]), max(north, place[u, 1])
            boxes[r, 0], boxes[r, 1], boxes[r, 2], boxes[r, 3] = west, south, east, north
            r += 1
    return boxes


@bare(error_model="numpy")
def advance(
    first: int, stop: int, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, patrol: np.ndarray, boxes: np.ndarray,
    begun: bool, ago: int, x: float, y: float, windows: np.ndarray, edges: np.ndarray, slab: np.ndarray,
    filed: np.ndarray, surely: np.ndarray, south: float, per_degree: float, box: np.ndarray, need_fixes: int,
    need_ms: int, exit_m: float, exit_ms: int, seen_ms: int, split_ms: int, v: np.ndarray, cut: np.ndarray,
    out: np.ndarray, count: int,
) -> int:  # fmt: skip
    """Takes one unit through one zone version from fix `first` to `stop`; its visits that end go into `out` from row
    `count` on, and the row after them is returned.

    time, lon, lat, patrol (n,): fixes, times strictly ascending; boxes (r, 4): extents of the unit's runs of `RUN`
    fixes; begun: it has no fix before these, else that was at `ago`, `x`, `y`; surely: as `sure` gives it; windows (w, 2): when the version is in
    force; v (WIDTH,): the state, changed. The rules: `docs/methods-effort.md`, Zone visits.
    """
    was_in, was_window = v[WAS_IN] == 1, v[WAS_WINDOW]
    fixes, entry, entry_seen, of = v[FIXES], v[SINCE], v[SINCE_SEEN], v[FIRST]
    w = 0  # the first window not yet over
    i = first
    while i < stop:
        if (i - first) % RUN == 0 and fixes == 0 and (v[OPEN] == 0 or v[AWAY] == 1):
            b = (i - first) // RUN
            if boxes[b, 0] > box[2] or boxes[b, 2] < box[0] or boxes[b, 1] > box[3] or boxes[b, 3] < box[1]:
                i = min(i + RUN, stop)  # none of these fixes, nor a line between them, is near
                begun = False
                ago, x, y = time[i - 1], lon[i - 1], lat[i - 1]
                was_in, was_window = False, -1
                continue
        while w < len(windows) and windows[w, 1] <= time[i]:
            w += 1
        window = w if w < len(windows) and windows[w, 0] <= time[i] else -1
        k = _slab_of(lat[i], south, per_degree, len(slab) - 1)
        now_in = box[1] <= lat[i] <= box[3] and surely[k, 2] <= lon[i] <= surely[k, 3] and (
            surely[k, 0] < lon[i] < surely[k, 1] or inside(lon[i], lat[i], edges, slab, filed, south, per_degree, box)
        )  # fmt: skip
        counts = now_in and window >= 0
        gap = np.int64(0) if begun else time[i] - ago
        if begun or gap > split_ms:
            if fixes > 0:
                enough = fixes >= need_fixes or ago - entry >= need_ms
                count = _spell(v, out, count, of, was_window, entry, entry_seen, ago, 0, enough, exit_ms)
                fixes = 0
            v[AWAY] = 1
            if counts:
                fixes, of, entry, entry_seen = 1, patrol[i], time[i], 0
        elif counts and fixes > 0 and window == was_window:
            fixes += 1
        elif gap <= seen_ms or counts or fixes > 0:
            seen = 1 if gap <= seen_ms else 0
            whole = was_in and now_in
            n = 0
            if not whole and (fixes > 0 or counts or was_in or now_in or gap >= need_ms):
                n = _crossings(x, y, lon[i], lat[i], edges, slab, filed, south, per_degree, box, cut)
            # walk the inside parts of the line, in order; the first may end a spell, the last may begin one
            start_used = False
            a_part = -1.0
            entered = np.int64(-1)
            for piece in range(n + 1):
                lo = 0.0 if piece == 0 else cut[piece - 1]
                hi = 1.0 if piece == n else cut[piece]
                if whole:
                    part_in = True
                elif hi > lo and (n > 0 or was_in or now_in):
                    half = (lo + hi) / 2
                    part_in = inside(
                        x + half * (lon[i] - x), y + half * (lat[i] - y), edges, slab, filed, south, per_degree, box
                    )
                else:
                    part_in = a_part >= 0.0
                if part_in and a_part < 0.0:
                    a_part = lo
                last_piece = piece == n
                if a_part >= 0.0 and (not part_in or last_piece):
                    b_part = hi if part_in else lo
                    begin = ago + np.int64(np.floor(a_part * gap + 0.5))
                    end = ago + np.int64(np.floor(b_part * gap + 0.5))
                    from_start = a_part == 0.0 and was_in
                    to_end = b_part == 1.0 and now_in
                    a_part = -1.0
                    if fixes > 0 and not start_used:
                        # the spell of the fix before ends here: on the border at once, or where this part ends
                        leave = min(end if from_start else ago, windows[was_window, 1])
                        enough = fixes >= need_fixes or leave - entry >= need_ms
                        count = _spell(v, out, count, of, was_window, entry, entry_seen, leave, seen, enough, exit_ms)
                        start_used = True
                    for k in range(len(windows)):
                        if windows[k, 1] <= begin or windows[k, 0] >= end:
                            continue
                        lo_ms, hi_ms = max(begin, windows[k, 0]), min(end, windows[k, 1])
                        if to_end and counts and k == window:
                            entered = lo_ms
                        elif from_start and fixes > 0 and k == was_window:
                            continue
                        elif seen == 1 and hi_ms - lo_ms >= need_ms:
                            before = patrol[i - 1] if i > first else v[BEFORE]
                            count = _spell(v, out, count, before, k, lo_ms, 1, hi_ms, 1, True, exit_ms)
            if fixes > 0 and not start_used:
                leave = min(ago, windows[was_window, 1])
                enough = fixes >= need_fixes or leave - entry >= need_ms
                count = _spell(v, out, count, of, was_window, entry, entry_seen, leave, seen, enough, exit_ms)
            fixes = 0
            if counts:
                fixes, of, entry_seen = 1, patrol[i], seen
                entry = entered if entered >= 0 else time[i]
        if not counts and v[OPEN] == 1 and v[AWAY] == 0:
            far = window != v[WINDOW] or not (
                now_in or within(lon[i], lat[i], exit_m, edges, slab, filed, south, per_degree, box)
            )
            if far:
                v[AWAY] = 1
        was_in, was_window = now_in, window
        begun = False
        ago, x, y = time[i], lon[i], lat[i]
        i += 1
    if v[OPEN] == 1 and fixes == 0 and (v[AWAY] == 1 or ago - v[EXIT] >= exit_ms):
        count = _emit(v, out, count)  # nothing can prolong it
    v[WAS_IN], v[WAS_WINDOW] = (1 if was_in else 0), was_window
    v[FIXES], v[SINCE], v[SINCE_SEEN], v[FIRST] = fixes, entry, entry_seen, of
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def finish(v: np.ndarray, ago: int, need_fixes: int, need_ms: int, exit_ms: int, out: np.ndarray) -> int:
    """The visits of one unit to one zone version when there are no more fixes after the one at `ago`; rows of `out`."""
    count = 0
    if v[FIXES] > 0:
        enough = v[FIXES] >= need_fixes or ago - v[SINCE] >= need_ms
        count = _spell(v, out, count, v[FIRST], v[WAS_WINDOW], v[SINCE], v[SINCE_SEEN], ago, 0, enough, exit_ms)
    return _emit(v, out, count)


@njit(cache=True, nogil=True, error_model="numpy")
def advance_all(
    pair_unit: np.ndarray, pair_zone: np.ndarray, state: np.ndarray, bounds: np.ndarray, runs: np.ndarray,
    boxes: np.ndarray, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, patrol: np.ndarray, before: np.ndarray,
    ago: np.ndarray, place: np.ndarray, window_at: np.ndarray, windows: np.ndarray, edge_at: np.ndarray,
    edges: np.ndarray, slab_at: np.ndarray, slab: np.ndarray, surely: np.ndarray, filed_at: np.ndarray,
    filed: np.ndarray, grid: np.ndarray, zone_box: np.ndarray, need_fixes: int, need_ms: int, exit_m: float, exit_ms: int, seen_ms: int,
    split_ms: int, longest: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """`advance` for pairs (p,) of unit and zone. Gives rows (m, 5) of visits that ended, and the pair of each."""
    cut = np.empty(longest + 2, dtype=np.float64)
    rows = np.empty((1024, 5), dtype=np.int64)
    of = np.empty(1024, dtype=np.int64)
    rooms = np.full(len(bounds) - 1, -1, dtype=np.int64)
    total = 0
    for p in range(len(pair_unit)):
        u, z = pair_unit[p], pair_zone[p]
        first, stop = bounds[u], bounds[u + 1]
        if rooms[u] < 0:  # a spell a fix, and no more passages between two fixes than there is time for
            between: Any = np.int64(0)
            for i in range(first, stop):
                step = time[i] - (time[i - 1] if i > first else ago[u])
                between += step if (i > first or before[u]) and step <= seen_ms else 0
            rooms[u] = stop - first + 2 + between // max(need_ms, 1)
        while total + rooms[u] > len(rows):
            rows = np.concatenate((rows, np.empty_like(rows)))
            of = np.concatenate((of, np.empty_like(of)))
        end = advance(
            first, stop, time, lon, lat, patrol, boxes[runs[u] : runs[u + 1]], not before[u], ago[u], place[u, 0],
            place[u, 1], windows[window_at[z] : window_at[z + 1]], edges[edge_at[z] : edge_at[z + 1]],
            slab[slab_at[z] : slab_at[z + 1]], filed[filed_at[z] : filed_at[z + 1]],
            surely[slab_at[z] : slab_at[z + 1]], grid[z, 0], grid[z, 1], zone_box[z], need_fixes, need_ms, exit_m, exit_ms, seen_ms, split_ms, state[p], cut, rows, total,
        )  # fmt: skip
        of[total:end] = p
        total = end
    return rows[:total], of[:total]


@bare(error_model="numpy")
def _first(times: np.ndarray, low: int, high: int, moment: int) -> int:
    """The first of ascending `times` [low, high) that is not before `moment`."""
    while low < high:
        middle = (low + high) // 2
        if times[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, error_model="numpy")
def candidates(
    when: np.ndarray, lon: np.ndarray, lat: np.ndarray, wide: np.ndarray, high: float, window: int, bounds: np.ndarray,
    fix_time: np.ndarray, fix_lon: np.ndarray, fix_lat: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Of every unit (its fixes: `bounds` cuts the rows) and report (r,) the fixes within `window` ms of it: those closest in
    time, and those in a box of `wide` by `high` degrees about it. Gives report, unit, fix, and whether it is one of the
    closest; of one unit and report together, fixes ascending."""
    room = 1024
    found, near = np.empty((room, 3), np.int64), np.empty(room, np.bool_)
    count = 0
    for unit in range(len(bounds) - 1):
        box = _extent(fix_lon, fix_lat, bounds[unit], bounds[unit + 1])
        report, fix = 0, -1
        while report < len(when):
            report, fix, count = _candidates(
                unit, report, fix, count, when, lon, lat, wide, high, window, bounds, box, fix_time, fix_lon, fix_lat,
                found, near,
            )  # fmt: skip
            if report < len(when):
                found = np.concatenate((found, np.empty_like(found)))
                near = np.concatenate((near, np.empty_like(near)))
    return found[:count, 0].copy(), found[:count, 1].copy(), found[:count, 2].copy(), near[:count]


@bare(error_model="numpy")
def _candidates(
    unit: int, report: int, fix: int, count: int, when: np.ndarray, lon: np.ndarray, lat: np.ndarray, wide: np.ndarray,
    high: float, window: int, bounds: np.ndarray, box: tuple[float, float, float, float], fix_time: np.ndarray,
    fix_lon: np.ndarray, fix_lat: np.ndarray, found: np.ndarray, near: np.ndarray,
) -> tuple[int, int, int]:  # fmt: skip
    """`candidates` of one unit, in `box`, from `report` on and of that from `fix` on (-1: all), into arrays that hold `count`
    rows, until there is no room: the report and fix it stopped at, and how many there are."""
    west, south, east, north = box
    while report < len(when):
        moment = when[report]
        lo = _first(fix_time, bounds[unit], bounds[unit + 1], moment - window)
        if lo == bounds[unit + 1] or fix_time[lo] > moment + window:
            report += 1
            continue
        after = _first(fix_time, lo, bounds[unit + 1], moment)
        least = np.int64(1 << 62)
        for f in range(max(after - 1, lo), min(after + 1, bounds[unit + 1])):
            least = min(least, abs(fix_time[f] - moment))
        span: Any = window
        if not (
            south - high <= lat[report] <= north + high and west - wide[report] <= lon[report] <= east + wide[report]
        ):
            span = least  # the unit was never near: only those closest in time are left
            lo = _first(fix_time, lo, bounds[unit + 1], moment - span)
        for f in range(max(lo, fix), bounds[unit + 1]):
            if fix_time[f] > moment + span:
                break
            first = abs(fix_time[f] - moment) == least
            if first or (abs(fix_lat[f] - lat[report]) <= high and abs(fix_lon[f] - lon[report]) <= wide[report]):
                if count == len(near):
                    return report, f, count
                found[count, 0], found[count, 1], found[count, 2], near[count] = report, unit, f, first
                count += 1
        report, fix = report + 1, -1
    return report, fix, count
