"""Compiled search of the nearest channel. Arrays in, arrays out; imported only where it runs.

Metres of the ellipsoidal Mercator plane (`geodesy`) throughout, but for `metres`, which are on the ground.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geo_monitor.compiled import bare


@njit(cache=True, nogil=True, error_model="numpy")
def _away2(x: float, y: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Squared distance of a point from a segment; exactly that of the end where an end is nearest, else by the cross
    product, which stays exact to the last bits beside the line."""
    dx, dy = bx - ax, by - ay
    size2 = dx * dx + dy * dy
    along = (x - ax) * dx + (y - ay) * dy
    if along <= 0.0:
        return (x - ax) * (x - ax) + (y - ay) * (y - ay)
    if along >= size2:
        return (x - bx) * (x - bx) + (y - by) * (y - by)
    cross = (ay - y) * dx - (ax - x) * dy
    return cross * cross / size2


@njit(cache=True, nogil=True, error_model="numpy")
def listing(
    ends: np.ndarray, far: np.ndarray, surely: np.ndarray, west: float, south: float, size: float, nx: int, low: int,
    begin: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Of each grid cell in some rows, from `low` on: the segments that can be the nearest of those in whose tolerance some
    point of the cell lies, and how far they are from the middle of the cell, nearest first. Lists (p,), one cell's after the
    other's; where they begin is written into `begin` (cells,).

    ends (s, 4): ax, ay, bx, by; far (s,): farther from the segment it is nobody's; surely (s,): this near a point is its.
    """
    half, cells = size * np.sqrt(0.5), len(begin)
    closest = np.full(cells, np.inf, dtype=np.float32)  # squared at first; good to a millimetre
    listed, away = np.empty(0, np.int32), np.empty(0, np.float32)
    begin[:] = 0
    for look in range(3):  # the closest of each cell, then how many each lists, then the lists
        if look == 1:
            closest[:] = np.sqrt(closest) + np.float32(2 * half + 1e-2)
        elif look == 2:
            count = _begins(begin)
            listed, away = np.empty(count, np.int32), np.empty(count, np.float32)
        _listed(look, ends, far, surely, west, south, size, nx, low, half, closest, begin, listed, away)
    end = 0
    for c in range(cells):  # each says where its list ends: which is where the next begins
        begin[c], end = end, begin[c]
        for p in range(begin[c] + 1, end):
            s, d, at = listed[p], away[p], p
            while at > begin[c] and away[at - 1] > d:  # lists are short
                listed[at], away[at] = listed[at - 1], away[at - 1]
                at -= 1
            listed[at], away[at] = s, d
    return listed, away


@bare(error_model="numpy")
def _begins(count: np.ndarray) -> int:
    """Turns counts (n,) into where each begins, one after the other. Gives how many there are."""
    total = 0
    for c in range(len(count)):
        count[c], total = total, total + count[c]
    return total


@bare(error_model="numpy")
def _listed(
    look: int, ends: np.ndarray, far: np.ndarray, surely: np.ndarray, west: float, south: float, size: float, nx: int,
    low: int, half: float, closest: np.ndarray, there: np.ndarray, listed: np.ndarray, away: np.ndarray,
) -> None:  # fmt: skip
    """A pass of `listing`: 0 brings `closest` down, 1 counts in `there`, 2 adds to the lists, which end `there`."""
    high = low + len(there) // nx
    for s in range(len(ends)):
        ax, ay, bx, by = ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3]
        wide = surely[s] - half if look == 0 else far[s] + half
        if wide <= 0.0:
            continue
        j0 = max(int((min(ay, by) - wide - south) / size), low)
        j1 = min(int((max(ay, by) + wide - south) / size), high - 1)
        if j0 > j1:
            continue
        i0 = max(int((min(ax, bx) - wide - west) / size), 0)
        i1 = min(int((max(ax, bx) + wide - west) / size), nx - 1)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                d2 = _away2(west + (i + 0.5) * size, south + (j + 0.5) * size, ax, ay, bx, by)
                c = (j - low) * nx + i
                if d2 > wide * wide:
                    continue
                if look == 0:
                    closest[c] = min(closest[c], d2)
                # what is nearest to any point of the cell is no farther from its middle than this by a diagonal
                elif d2 <= np.float64(closest[c]) ** 2:
                    if look == 2:
                        listed[there[c]], away[there[c]] = s, np.sqrt(d2)
                    there[c] += 1


@njit(cache=True, nogil=True, inline="always")
def _reach_at(
    position: float, first: int, last: int, low_sorted: np.ndarray, order: np.ndarray, low: np.ndarray, high: np.ndarray
) -> int:
    """`Network.reach_at`, the search begun between two places of `low_sorted`."""
    # a position computed to a hair below a border belongs to the border
    wanted = np.rint(position * 1e6) / 1e6 + 1e-6
    while first < last:
        middle = (first + last) // 2
        if low_sorted[middle] <= wanted:
            first = middle + 1
        else:
            last = middle
    if first == 0:
        return -1
    found = order[first - 1]
    if position >= low[found] - 1e-5 and position <= high[found] + 1e-5:
        return found
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _scale(y: float, from_y: float, step: float, table: np.ndarray) -> float:
    """k at Mercator `y`, between two rows of a table that is fine enough (`grid.SCALE_STEP_M`)."""
    at = min(max((y - from_y) / step, 0.0), len(table) - 1.001)
    i = int(at)
    return table[i] + (at - i) * (table[i + 1] - table[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _cell(x: float, y: float, west: float, south: float, size: float, nx: int, ny: int) -> int:
    """The cell of a point, -1 outside of all. Lists are a hair wider than their cells, so how this rounds is all one."""
    across, up = (x - west) / size, (y - south) / size
    if across >= 0.0 and up >= 0.0 and across < nx and up < ny:  # false of what is no number
        return int(up) * nx + int(across)
    return -1


@njit(cache=True, nogil=True, inline="always")
def _spot(
    s: int, x: float, y: float, ends: np.ndarray, along: np.ndarray, search: np.ndarray, own: np.ndarray,
    low_sorted: np.ndarray, order: np.ndarray, low: np.ndarray, high: np.ndarray, tolerance: np.ndarray, from_y: float,
    step: float, table: np.ndarray,
) -> tuple[int, float, float, float]:  # fmt: skip
    """A point seen from segment `s`: reach (-1: nobody's water), position on the axis, metres on the ground, metres on the
    map to its left; and metres are `inf` where its reach does not reach that far."""
    ax, ay = ends[s, 0], ends[s, 1]
    dx, dy = ends[s, 2] - ax, ends[s, 3] - ay
    size2 = max(dx * dx + dy * dy, 1e-24)
    t = min(max(((x - ax) * dx + (y - ay) * dy) / size2, 0.0), 1.0)
    px, py = ax + t * dx - x, ay + t * dy - y
    position = along[s, 0] + t * (along[s, 1] - along[s, 0])
    half_way = _scale(y, from_y, step, table) + _scale(ay + t * dy, from_y, step, table)
    ground = np.sqrt(px * px + py * py) * 2 / half_way
    here = _reach_at(position, search[s, 0], search[s, 1], low_sorted, order, low, high)
    # a border belongs to the upper reach, unless that one's tolerance ends before the point
    if here < 0 or ground > tolerance[here]:
        here = own[s]
    if here >= 0 and ground > tolerance[here]:
        ground = np.inf
    return here, position, ground, (dx * (y - ay) - dy * (x - ax)) / np.sqrt(size2)


@bare(error_model="numpy")
def channels(
    x: np.ndarray, y: np.ndarray, west: float, south: float, size: float, nx: int, ny: int,
    first: np.ndarray, listed: np.ndarray, away: np.ndarray, ends: np.ndarray, along: np.ndarray, stem: np.ndarray,
    search: np.ndarray, own: np.ndarray, low_sorted: np.ndarray, order: np.ndarray, low: np.ndarray, high: np.ndarray,
    tolerance: np.ndarray, from_y: float, step: float, table: np.ndarray, reach: np.ndarray, at: np.ndarray,
    metres: np.ndarray, side: np.ndarray,
) -> None:  # fmt: skip
    """Of the channels in whose tolerance each point (n,) lies, the nearest: into reach (-1: none), at (position on the
    axis; none: NaN), metres (on the ground; none: `inf`) and side (>= 0 left of the axis, that is right looking
    downstream). A point that is no number is on none.

    first (cells + 1,) cuts `listed`, the segments of a cell by distance from its middle, `away`. Of segments (s,): ends
    (s, 4), along (s, 2) positions, stem, search (s, 2) where reaches of it stand among `low_sorted`, own reach (-1: it
    runs through a lake, and whoever is nearest to it is on no channel).
    """
    half = size * np.sqrt(0.5) + 1e-2  # more than a hair, so rounding of the cell does not matter
    for p in range(len(x)):
        reach[p], at[p], metres[p], side[p] = -1, np.nan, np.inf, 0.0
        cell = _cell(x[p], y[p], west, south, size, nx, ny)
        if cell < 0:
            continue
        begin, end = first[cell], first[cell + 1]
        best, chosen, alone = np.inf, -1, True  # squared, as all distances here
        for n in range(begin, end):
            nearest = away[n] - half
            if nearest > 0.0 and nearest * nearest > best:
                break
            s = listed[n]
            d = _away2(x[p], y[p], ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3])
            if d < best:
                best, chosen, alone = d, s, True
            elif d == best:
                alone = False
        if chosen < 0:
            continue
        here, position, ground, aside = _spot(
            chosen, x[p], y[p], ends, along, search, own, low_sorted, order, low, high, tolerance, from_y, step, table
        )
        if alone and ground < np.inf:
            if here >= 0:
                reach[p], at[p], metres[p], side[p] = here, position, ground, aside
            continue
        # several are equally near, or the nearest does not reach the point: each that does is asked
        best, chosen, turn = np.inf, -1, 0.0
        for n in range(begin, end):
            nearest = away[n] - half
            if nearest > 0.0 and nearest * nearest > best:
                break
            s = listed[n]
            d = _away2(x[p], y[p], ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3])
            if d > best:
                continue
            here, position, ground, aside = _spot(
                s, x[p], y[p], ends, along, search, own, low_sorted, order, low, high, tolerance, from_y, step, table
            )
            if ground == np.inf:
                continue
            better = d < best
            if not better:
                # equally near: the receiving river first, then the upstream segment
                better = stem[s] < stem[chosen] or (stem[s] == stem[chosen] and along[s, 0] > along[chosen, 0])
            # at a vertex both segments are nearest; their sides add up to that of the bisector
            same = chosen >= 0 and d == best and stem[s] == stem[chosen]
            turn = turn + aside if same else (aside if better else turn)
            if better:
                best, chosen = d, s
                reach[p], at[p], metres[p] = here, position, ground
        side[p] = turn
        if reach[p] < 0:
            at[p], metres[p] = np.nan, np.inf


@bare(error_model="numpy")
def _from_area(x: float, y: float, edges: np.ndarray, first: int, last: int) -> float:
    """Distance of a point from an area, 0 inside (even-odd rule; source: Shimrat, CACM 5(8), 1962)."""
    odd = False
    best = np.inf
    for e in range(first, last):
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if (ay > y) != (by > y) and (((bx - ax) * (y - ay) - (x - ax) * (by - ay)) > 0.0) == (by > ay):
            odd = not odd
        best = min(best, _away2(x, y, ax, ay, bx, by))
    return 0.0 if odd else np.sqrt(best)


@njit(cache=True, nogil=True, error_model="numpy")
def lake_listing(
    boxes: np.ndarray, far: np.ndarray, surely: np.ndarray, group: np.ndarray, west: float, south: float, size: float,
    nx: int, ny: int, edge_at: np.ndarray, edges: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """`listing` of lake cells (n,), by group and then distance: where each grid cell's list begins (cells + 1,), and the lists.

    boxes (n, 4): columns [left, right) and rows [down, up) of grid cells it may be listed in; group (n,): of equal tolerance.
    """
    room = 0
    for lake in range(len(boxes)):
        room += (boxes[lake, 1] - boxes[lake, 0]) * (boxes[lake, 3] - boxes[lake, 2])
    cell, area, away = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room)
    first, count = np.zeros(nx * ny + 1, np.int32), 0
    for lake in range(len(boxes)):
        for j in range(boxes[lake, 2], boxes[lake, 3]):
            for i in range(boxes[lake, 0], boxes[lake, 1]):
                x, y = west + (i + 0.5) * size, south + (j + 0.5) * size
                d = _from_area(x, y, edges, edge_at[lake], edge_at[lake + 1])
                if d <= far[lake]:
                    cell[count], area[count], away[count] = j * nx + i, lake, d
                    first[cell[count]] += 1
                    count += 1
    _begins(first)
    order = np.empty(count, np.int32)
    for p in range(count):
        order[first[cell[p]]] = p
        first[cell[p]] += 1
    diagonal, end, kept = size * np.sqrt(2.0) + 1e-2, 0, 0
    for c in range(len(first)):
        begin, end = end, first[c]
        first[c] = kept
        for q in range(begin + 1, end):
            p, at = order[q], q
            while at > begin and _before(p, order[at - 1], area, group, away):
                order[at] = order[at - 1]
                at -= 1
            order[at] = p
        closest, of = 0.0, -1
        for q in range(begin, end):  # as for segments: those farther than a close one by a diagonal are never nearest
            p = order[q]
            if group[area[p]] != of:
                closest, of = away[p], group[area[p]]
            if closest >= surely[area[p]] or away[p] <= closest + diagonal:
                order[kept] = p
                kept += 1
    return first, area[order[:kept]], away[order[:kept]].astype(np.float32)


@bare(error_model="numpy")
def _before(p: int, q: int, area: np.ndarray, group: np.ndarray, away: np.ndarray) -> bool:
    """Whether p comes before q in a list, by group and then distance."""
    if group[area[p]] != group[area[q]]:
        return group[area[p]] < group[area[q]]
    return away[p] < away[q]


@bare(error_model="numpy")
def lakes(
    x: np.ndarray, y: np.ndarray, west: float, south: float, size: float, nx: int, ny: int, first: np.ndarray,
    listed: np.ndarray, away: np.ndarray, edge_at: np.ndarray, edges: np.ndarray,
    tolerance: np.ndarray, channel_count: int, same: float, nothing: float, from_y: float, step: float,
    table: np.ndarray, reach: np.ndarray, at: np.ndarray, metres: np.ndarray,
    in_lake: np.ndarray,
) -> None:  # fmt: skip
    """Gives points (n,) that are nearer to a lake cell than `metres` to that cell: reach, at (NaN), metres, in_lake.

    first (cells + 1,) cuts `listed`, lake cells by tolerance, then by distance from the middle of the grid cell, `away`.
    edges (e, 4) of lake cell c: edge_at[c] to edge_at[c + 1]. A channel and a lake equally near to within `same` metres
    is the channel; of lake cells no farther than `nothing` metres, which is on their border, the first counts.
    """
    half = size * np.sqrt(0.5) + 1e-2
    for p in range(len(x)):
        grid_cell = _cell(x[p], y[p], west, south, size, nx, ny)
        if grid_cell < 0:
            continue
        n = first[grid_cell]
        while n < first[grid_cell + 1]:
            group = tolerance[listed[n]]
            best, chosen = np.inf, -1
            while n < first[grid_cell + 1] and tolerance[listed[n]] == group:
                c = listed[n]
                if away[n] - half <= best:
                    d = _from_area(x[p], y[p], edges, edge_at[c], edge_at[c + 1])
                    if d <= nothing:
                        d = 0.0
                    if d < best or (d == best and c < chosen):
                        best, chosen = d, c
                n += 1
            ground = best / _scale(y[p], from_y, step, table)
            if chosen >= 0 and ground < metres[p] - same and ground <= group:
                reach[p], at[p], metres[p], in_lake[p] = channel_count + chosen, np.nan, ground, True
