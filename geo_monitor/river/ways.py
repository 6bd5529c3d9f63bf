"""Compiled search: shortest ways by water from many sources, each only as far as a limit.

Compiled because a general routine pays for the whole graph at every source, while a ball of 2 km holds a dozen nodes.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numba import njit


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
