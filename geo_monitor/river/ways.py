"""Compiled ways by water: shortest ones from many sources, each only as far as a limit, and those along one channel.

Compiled because a general routine pays for the whole graph at every source, while a ball of 2 km holds a dozen nodes;
and because a way along a channel, of which there is one between any two fixes, is a handful of sums.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numba import njit

from geo_monitor.compiled import bare


@njit(cache=True)  # type: ignore[misc, unused-ignore]
def balls(
    indptr: np.ndarray, indices: np.ndarray, metres: np.ndarray, sources: np.ndarray, limit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(source row, node, metres) of every node within `limit` metres of each source (Dijkstra on a CSR matrix)."""
    size = len(indptr) - 1
    best = np.full(size, np.inf)
    capacity = 16 * len(sources) + 1024
    row = np.empty(capacity, np.int64)
    col = np.empty(capacity, np.int64)
    far = np.empty(capacity, np.float64)
    count = 0
    touched = np.empty(size, np.int64)
    for s in range(len(sources)):
        heap = [(0.0, np.int64(sources[s]))]
        best[sources[s]] = 0.0
        touched[0] = sources[s]
        seen = 1
        while len(heap) > 0:
            away, node = heappop(heap)
            if away > best[node]:
                continue
            if count == capacity:
                capacity *= 2
                row = np.concatenate((row, np.empty(capacity - count, np.int64)))
                col = np.concatenate((col, np.empty(capacity - count, np.int64)))
                far = np.concatenate((far, np.empty(capacity - count, np.float64)))
            row[count], col[count], far[count] = s, node, away
            count += 1
            for e in range(indptr[node], indptr[node + 1]):
                other = np.int64(indices[e])
                onward = away + metres[e]
                if onward <= limit and onward < best[other]:
                    if best[other] == np.inf:
                        touched[seen] = other
                        seen += 1
                    best[other] = onward
                    heappush(heap, (onward, other))
        for i in range(seen):
            best[touched[i]] = np.inf
    return row[:count], col[:count], far[:count]


@bare(error_model="numpy")
def position(
    reach: int, km: float, low: np.ndarray, high: np.ndarray, km_low: np.ndarray, km_high: np.ndarray
) -> float:
    """Position on the axis of chainage `km` in a channel reach: `WaterGraph.positions` of one."""
    span = km_high[reach] - km_low[reach] if km_high[reach] > km_low[reach] else 1.0
    share = min(max((km - km_low[reach]) / span, 0.0), 1.0)
    return low[reach] + share * (high[reach] - low[reach])


@njit(cache=True, nogil=True, error_model="numpy")
def apart(
    a: np.ndarray, km_a: np.ndarray, b: np.ndarray, km_b: np.ndarray, stretch: np.ndarray, low: np.ndarray,
    high: np.ndarray, km_low: np.ndarray, km_high: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Metres of channel between located points (m,); NaN where no one channel leads from a to b.

    Of channel reaches (n,): `stretch`, the same number where nothing but channel lies between; `low`, `high` and `km_low`,
    `km_high`, positions on the axis and chainage of their ends.
    """
    n = len(stretch)
    metres = np.full(len(a), np.nan)
    for i in range(len(a)):
        if 0 <= a[i] < n and 0 <= b[i] < n and stretch[a[i]] == stretch[b[i]]:
            at, to = (
                position(a[i], km_a[i], low, high, km_low, km_high),
                position(b[i], km_b[i], low, high, km_low, km_high),
            )
            metres[i] = abs(at - to)
    return metres


@njit(cache=True, nogil=True, error_model="numpy")
def passed(
    a: np.ndarray, km_a: np.ndarray, b: np.ndarray, km_b: np.ndarray, stretch: np.ndarray, low: np.ndarray,
    high: np.ndarray, km_low: np.ndarray, km_high: np.ndarray, rank: np.ndarray, ranked: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Reaches that the channel between located points (m,) passes, by overlap: pair, reach, share, by pair and reach; and
    the pairs to which no one channel leads.

    As `apart`; `rank` (n,) tells the place of each channel reach along the axis, `ranked` which reach is at each place.
    """
    m = len(a)
    room = 2 * m + 64
    pair, reach, share = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.float64)
    other = np.empty(m, np.int64)
    i = count = others = 0
    while True:
        i, count, others = _passed(
            i, count, others, a, km_a, b, km_b, stretch, low, high, km_low, km_high, rank, ranked, pair, reach, share,
            other,
        )  # fmt: skip
        if i == m:
            return pair[:count], reach[:count], share[:count], other[:others]
        pair, reach = np.concatenate((pair, np.empty_like(pair))), np.concatenate((reach, np.empty_like(reach)))
        share = np.concatenate((share, np.empty_like(share)))


@bare(error_model="numpy")
def _passed(
    i: int, count: int, others: int, a: np.ndarray, km_a: np.ndarray, b: np.ndarray, km_b: np.ndarray,
    stretch: np.ndarray, low: np.ndarray, high: np.ndarray, km_low: np.ndarray, km_high: np.ndarray, rank: np.ndarray,
    ranked: np.ndarray, pair: np.ndarray, reach: np.ndarray, share: np.ndarray, other: np.ndarray,
) -> tuple[int, int, int]:  # fmt: skip
    """`passed` from pair `i` on, into arrays that hold `count` rows and `others` pairs, until there is no room: the pair
    it stopped at, and how many there are."""
    n, m = len(stretch), len(a)
    while i < m:
        if a[i] != b[i] and not (0 <= a[i] < n and 0 <= b[i] < n and stretch[a[i]] == stretch[b[i]]):
            other[others] = i
            others += 1
            i += 1
            continue
        begin = count
        at = to = 0.0
        first = last = 0
        if a[i] != b[i]:
            at, to = (
                position(a[i], km_a[i], low, high, km_low, km_high),
                position(b[i], km_b[i], low, high, km_low, km_high),
            )
            at, to = min(at, to), max(at, to)
            first = last = min(rank[a[i]], rank[b[i]])
            while last + 1 < n and low[ranked[last + 1]] < to:
                last += 1
        if count + last - first + 1 > len(pair):
            return i, count, others
        if a[i] == b[i]:
            pair[count], reach[count], share[count] = i, a[i], 1.0
            count += 1
            i += 1
            continue
        total = 0.0
        for place in range(first, last + 1):
            r = ranked[place]
            overlap = min(high[r], to) - max(low[r], at)
            if overlap > 0.0:
                total += overlap
                at_ = count  # by reach: neighbours along the axis mostly ascend or descend
                while at_ > begin and reach[at_ - 1] > r:
                    reach[at_], share[at_] = reach[at_ - 1], share[at_ - 1]
                    at_ -= 1
                pair[count], reach[at_], share[at_] = i, r, overlap
                count += 1
        for k in range(begin, count):
            share[k] /= total
        if count == begin:  # both ends on one border: all to the upper reach
            while first + 1 < n and high[ranked[first]] <= at:
                first += 1
            pair[count], reach[count], share[count] = i, ranked[first], 1.0
            count += 1
        i += 1
    return i, count, others


@njit(cache=True, nogil=True, error_model="numpy")
def _search(
    source: int, wanted: np.ndarray, left: int, indptr: np.ndarray, indices: np.ndarray, metres: np.ndarray,
    limit: float, best: np.ndarray, via: np.ndarray, settled: np.ndarray, touched: np.ndarray,
) -> int:  # fmt: skip
    """Shortest ways from a node until `left` nodes that are `wanted` are reached or all within `limit` are (Dijkstra): into
    best, and the edge by which each is reached, as place among `indices`, into `via`. Gives how many nodes `touched` holds."""
    best[source] = 0.0
    via[source] = -1
    touched[0] = source
    seen = 1
    heap = [(0.0, np.int64(source))]
    while len(heap) > 0 and left > 0:
        away, node = heappop(heap)
        if settled[node]:
            continue
        settled[node] = True
        if wanted[node]:
            left -= 1
        for e in range(indptr[node], indptr[node + 1]):
            other = np.int64(indices[e])
            onward = away + metres[e]
            if onward <= limit and onward < best[other]:
                if best[other] == np.inf:
                    touched[seen] = other
                    seen += 1
                best[other] = onward
                via[other] = e
                heappush(heap, (onward, other))
    return seen


@njit(cache=True, nogil=True, error_model="numpy")
def shortest(
    reach_a: np.ndarray, node_a: np.ndarray, rest_a: np.ndarray, reach_b: np.ndarray, node_b: np.ndarray,
    rest_b: np.ndarray, order: np.ndarray, indptr: np.ndarray, indices: np.ndarray, metres: np.ndarray,
    back: np.ndarray, owners: np.ndarray, limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Shortest ways between places (m,): metres (`inf`: none within `limit`), and what they pass: pair, reach, share.

    A place lies between two nodes (m, 2) of its reach, `rest` metres (m, 2) from each: the way leaves it by whichever of
    the two makes it shorter. order (m,) has places with the same nodes together. Of each edge, as it stands among
    `indices` (CSR): metres, the node it comes from (`back`), and the two reaches that own half of it each, `owners`.
    """
    size, m = len(indptr) - 1, len(order)
    best, via = np.full((2, size), np.inf), np.empty((2, size), np.int64)
    settled, wanted = np.zeros((2, size), np.bool_), np.zeros(size, np.bool_)
    touched = np.empty((2, size), np.int64)
    far = np.full(m, np.inf)
    pair, reach, share = (
        np.empty(4 * m + 64, np.int64),
        np.empty(4 * m + 64, np.int32),
        np.empty(4 * m + 64, np.float64),
    )
    count = 0
    lo = 0
    while lo < m:
        first, second = node_a[order[lo], 0], node_a[order[lo], 1]
        hi = lo
        left = 0
        while hi < m and node_a[order[hi], 0] == first and node_a[order[hi], 1] == second:
            for j in range(2):
                if not wanted[node_b[order[hi], j]]:
                    wanted[node_b[order[hi], j]] = True
                    left += 1
            hi += 1
        seen = np.zeros(2, np.int64)
        for i in range(1 if first == second else 2):
            seen[i] = _search(
                first if i == 0 else second, wanted, left, indptr, indices, metres, limit, best[i], via[i], settled[i],
                touched[i],
            )  # fmt: skip
        for n in range(lo, hi):
            p = order[n]
            wanted[node_b[p, 0]] = wanted[node_b[p, 1]] = False
            side, to = 0, 0
            for i in range(2):
                for j in range(2):
                    if seen[i] > 0 and settled[i, node_b[p, j]]:
                        away = best[i, node_b[p, j]] + rest_a[p, i] + rest_b[p, j]
                        if away < far[p]:
                            far[p], side, to = away, i, j
            if far[p] == np.inf:
                continue
            begin = count
            node = node_b[p, to]
            more = True
            while more:
                e = via[side, node]
                more = e >= 0
                for half in range(2):
                    if more:
                        r, amount = owners[e, half], metres[e] / 2
                    else:  # at last what lies between the places and their nodes
                        r = reach_a[p] if half == 0 else reach_b[p]
                        amount = rest_a[p, side] if half == 0 else rest_b[p, to]
                    at = count
                    while at > begin and reach[at - 1] > r:
                        at -= 1
                    if at > begin and reach[at - 1] == r:
                        share[at - 1] += amount
                        continue
                    if count == len(pair):
                        pair = np.concatenate((pair, np.empty_like(pair)))
                        reach, share = (
                            np.concatenate((reach, np.empty_like(reach))),
                            np.concatenate((share, np.empty_like(share))),
                        )
                    for k in range(count, at, -1):
                        reach[k], share[k] = reach[k - 1], share[k - 1]
                    pair[count], reach[at], share[at] = p, r, amount
                    count += 1
                if more:
                    node = back[e]
            total = 0.0
            for k in range(begin, count):
                total += share[k]
            for k in range(begin, count):
                share[k] = share[k] / total if total > 0.0 else 1.0 / (count - begin)
        for i in range(2):
            for k in range(seen[i]):
                best[i, touched[i, k]] = np.inf
                settled[i, touched[i, k]] = False
        lo = hi
    return far, pair[:count], reach[:count], share[:count]
