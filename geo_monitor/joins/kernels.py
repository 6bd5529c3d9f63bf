"""Compiled state machine of zone visits. Arrays in, arrays out; imported only where it runs.

Times are integer milliseconds, positions degrees; a zone comes as the arrays of `zones.Shape`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from geo_monitor.effort.kernels import scale

# the open visit, kept in one array so that helpers can change it
_OPEN, _ENTRY, _ENTRY_SEEN, _EXIT, _EXIT_SEEN, _FIX, _WINDOW, _AWAY, _COUNT = range(9)


@njit(cache=True)
def _slab_of(y: float, south: float, per_degree: float, slabs: int) -> int:
    k = int((y - south) * per_degree)
    return min(max(k, 0), slabs - 1)


@njit(cache=True)
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
        cross = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        if cross == 0.0 and x >= min(x1, x2) and x <= max(x1, x2):
            return True
        if (y1 > y) != (y2 > y) and (cross > 0.0) == (y2 > y1):
            odd = not odd
    return odd


@njit(cache=True)
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


@njit(cache=True)
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
    cut[:count].sort()
    single = 0
    for i in range(count):
        if single == 0 or cut[i] > cut[single - 1]:
            cut[single] = cut[i]
            single += 1
    return single


@njit(cache=True)
def _emit(v: np.ndarray, out: np.ndarray) -> None:
    """Writes the open visit, if any, as a row of `out`: fix, window, entry, exit, observed."""
    if v[_OPEN] == 1:
        row = v[_COUNT]
        out[row, 0] = v[_FIX]
        out[row, 1] = v[_WINDOW]
        out[row, 2] = v[_ENTRY]
        out[row, 3] = v[_EXIT]
        out[row, 4] = v[_ENTRY_SEEN] * v[_EXIT_SEEN]
        v[_COUNT] += 1
        v[_OPEN] = 0


@njit(cache=True)
def _spell(
    v: np.ndarray, out: np.ndarray, fix: int, window: int, entry: int, entry_seen: int, leave: int, leave_seen: int,
    begins: bool, exit_ms: int,
) -> None:  # fmt: skip
    """A spell inside is over: it prolongs the open visit, or begins one of its own if it is enough (`begins`)."""
    if v[_OPEN] == 1 and v[_WINDOW] == window and v[_AWAY] == 0 and entry - v[_EXIT] < exit_ms:
        v[_EXIT] = leave
        v[_EXIT_SEEN] = leave_seen
        return
    _emit(v, out)
    if begins:
        v[_OPEN] = 1
        v[_ENTRY], v[_ENTRY_SEEN] = entry, entry_seen
        v[_EXIT], v[_EXIT_SEEN] = leave, leave_seen
        v[_FIX] = fix
        v[_WINDOW] = window
        v[_AWAY] = 0


@njit(cache=True)
def visits(
    bounds: np.ndarray, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, boxes: np.ndarray, windows: np.ndarray,
    edges: np.ndarray, slab: np.ndarray, filed: np.ndarray, south: float, per_degree: float, box: np.ndarray,
    need_fixes: int, need_ms: int, exit_m: float, exit_ms: int, seen_ms: int, split_ms: int, out: np.ndarray,
) -> int:  # fmt: skip
    """Visits of all units of a chunk to one zone version; rows into `out`, their number returned.

    bounds (u + 1,) and boxes (u, 4): rows and extent of each unit; time, lon, lat (n,): fixes, times strictly ascending
    within a unit; windows (w, 2): when the version is in force; out (2 n, 5) int64: first fix, window, entered, left,
    observed (1) or possible (0). The rules: `docs/methods-effort.md`, Zone visits.
    """
    v = np.zeros(9, dtype=np.int64)
    cut = np.empty(len(filed) + 2, dtype=np.float64)
    for u in range(len(bounds) - 1):
        if boxes[u, 0] > box[2] or boxes[u, 2] < box[0] or boxes[u, 1] > box[3] or boxes[u, 3] < box[1]:
            continue
        w = 0  # the first window not yet over
        was_in, was_window = False, -1  # of the fix before: in the polygon; window it is in (-1: none)
        fixes = 0  # of the spell inside that is going on; 0: none is
        entry: Any = np.int64(0)
        entry_seen = 0
        first: Any = np.int64(0)
        for i in range(bounds[u], bounds[u + 1]):
            while w < len(windows) and windows[w, 1] <= time[i]:
                w += 1
            window = w if w < len(windows) and windows[w, 0] <= time[i] else -1
            now_in = inside(lon[i], lat[i], edges, slab, filed, south, per_degree, box)
            counts = now_in and window >= 0
            begun = i == bounds[u]
            gap = np.int64(0) if begun else time[i] - time[i - 1]
            if begun or gap > split_ms:
                if fixes > 0:
                    enough = fixes >= need_fixes or time[i - 1] - entry >= need_ms
                    _spell(v, out, first, was_window, entry, entry_seen, time[i - 1], 0, enough, exit_ms)
                    fixes = 0
                v[_AWAY] = 1
                if counts:
                    fixes, first, entry, entry_seen = 1, i, time[i], 0
            elif counts and fixes > 0 and window == was_window:
                fixes += 1
            elif gap <= seen_ms or counts or fixes > 0:
                seen = 1 if gap <= seen_ms else 0
                whole = was_in and now_in
                n = 0
                if not whole and (fixes > 0 or counts or was_in or now_in or gap >= need_ms):
                    n = _crossings(
                        lon[i - 1], lat[i - 1], lon[i], lat[i], edges, slab, filed, south, per_degree, box, cut
                    )
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
                            lon[i - 1] + half * (lon[i] - lon[i - 1]), lat[i - 1] + half * (lat[i] - lat[i - 1]),
                            edges, slab, filed, south, per_degree, box,
                        )  # fmt: skip
                    else:
                        part_in = a_part >= 0.0
                    if part_in and a_part < 0.0:
                        a_part = lo
                    last_piece = piece == n
                    if a_part >= 0.0 and (not part_in or last_piece):
                        b_part = hi if part_in else lo
                        begin = time[i - 1] + np.int64(np.floor(a_part * gap + 0.5))
                        end = time[i - 1] + np.int64(np.floor(b_part * gap + 0.5))
                        from_start = a_part == 0.0 and was_in
                        to_end = b_part == 1.0 and now_in
                        a_part = -1.0
                        if fixes > 0 and not start_used:
                            # the spell of the fix before ends here: on the border at once, or where this part ends
                            leave = min(end if from_start else time[i - 1], windows[was_window, 1])
                            enough = fixes >= need_fixes or leave - entry >= need_ms
                            _spell(v, out, first, was_window, entry, entry_seen, leave, seen, enough, exit_ms)
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
                                _spell(v, out, i - 1, k, lo_ms, 1, hi_ms, 1, True, exit_ms)
                if fixes > 0 and not start_used:
                    leave = min(time[i - 1], windows[was_window, 1])
                    enough = fixes >= need_fixes or leave - entry >= need_ms
                    _spell(v, out, first, was_window, entry, entry_seen, leave, seen, enough, exit_ms)
                fixes = 0
                if counts:
                    fixes, first, entry_seen = 1, i, seen
                    entry = entered if entered >= 0 else time[i]
            if not counts and v[_OPEN] == 1 and v[_AWAY] == 0:
                far = window != v[_WINDOW] or not (
                    now_in or within(lon[i], lat[i], exit_m, edges, slab, filed, south, per_degree, box)
                )
                if far:
                    v[_AWAY] = 1
            was_in, was_window = now_in, window
        if fixes > 0:
            last = bounds[u + 1] - 1
            enough = fixes >= need_fixes or time[last] - entry >= need_ms
            _spell(v, out, first, was_window, entry, entry_seen, time[last], 0, enough, exit_ms)
        _emit(v, out)
    return v[_COUNT]
