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
    high: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Pairs (p,) of grid cell and segment such that the segment can be the nearest of those in whose tolerance some point
    of the cell lies, and how far it is from the middle of the cell: of the rows [low, high) of cells.

    ends (s, 4): ax, ay, bx, by; far (s,): farther from the segment it is nobody's; surely (s,): this near a point is its.
    """
    half = size * np.sqrt(0.5)
    closest = np.full(nx * (high - low), np.inf, dtype=np.float32)  # squared at first; good to a millimetre
    cell, segment, away = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    count = 0
    for look in range(3):  # the closest of each cell, then how many pairs there are, then the pairs
        if look == 1:
            closest[:] = np.sqrt(closest) + np.float32(2 * half + 1e-2)
        elif look == 2:
            cell, segment, away = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.float32)
        count = _listed(look, ends, far, surely, west, south, size, nx, low, high, half, closest, cell, segment, away)
    return cell, segment, away


@bare(error_model="numpy")
def _listed(
    look: int, ends: np.ndarray, far: np.ndarray, surely: np.ndarray, west: float, south: float, size: float, nx: int,
    low: int, high: int, half: float, closest: np.ndarray, cell: np.ndarray, segment: np.ndarray, away: np.ndarray,
) -> int:  # fmt: skip
    """A pass of `listing`: 0 brings `closest` down, 1 counts pairs, 2 fills them in. Gives how many there are."""
    count = 0
    for s in range(len(ends)):
        ax, ay, bx, by = ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3]
        wide = surely[s] - half if look == 0 else far[s] + half
        if wide <= 0.0:
            continue
        i0 = max(int((min(ax, bx) - wide - west) // size), 0)
        i1 = min(int((max(ax, bx) + wide - west) // size), nx - 1)
        j0 = max(int((min(ay, by) - wide - south) // size), low)
        j1 = min(int((max(ay, by) + wide - south) // size), high - 1)
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
                        cell[count], segment[count], away[count] = j * nx + i, s, np.sqrt(d2)
                    count += 1
    return count


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
def from_areas(x: np.ndarray, y: np.ndarray, area: np.ndarray, edge_at: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Distance (p,) of points from an area each, 0 inside; edges (e, 4) of area c: edge_at[c] to edge_at[c + 1]."""
    away = np.empty(len(x))
    for p in range(len(x)):
        away[p] = _from_area(x[p], y[p], edges, edge_at[area[p]], edge_at[area[p] + 1])
    return away


@njit(cache=True, nogil=True, error_model="numpy")
def filed(cell: np.ndarray, group: np.ndarray, away: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each cell's list begins (cells + 1,), and the order (p,) by cell, group and distance, else as they came."""
    first = np.zeros(cells + 1, np.int32)
    for p in range(len(cell)):
        first[cell[p] + 1] += 1
    for c in range(cells):
        first[c + 1] += first[c]
    there = first[:-1].copy()
    order = np.empty(len(cell), np.int32)
    for p in range(len(cell)):  # lists are short: each goes to its place from the end
        begin, at = first[cell[p]], there[cell[p]]
        there[cell[p]] += 1
        while at > begin and (
            group[order[at - 1]] > group[p] or (group[order[at - 1]] == group[p] and away[order[at - 1]] > away[p])
        ):
            order[at] = order[at - 1]
            at -= 1
        order[at] = p
    return first, order


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
