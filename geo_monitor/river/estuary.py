"""The centre line of an estuary from the land on both sides of it.

The water between the banks is thinned to its medial axis: of the Voronoi diagram of points along the banks, the ridges
that lie in water. Dead ends are pruned; what remains is the main channel and the loops around islands.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Voronoi

from geo_monitor.river.geodesy import Floats, scale, to_degrees, to_mercator

BANK_STEP_M = 400.0  # spacing of points along the banks: far below the width of the water, about that of the vertices
CLEAR_M = 250.0  # ridges closer than this to a bank belong to its outline, not to the water
SIMPLE_M = 150.0  # simplification of the result: a tenth of the accuracy of the data


def centre_lines(land: Any, head: tuple[float, float], sea: tuple[float, float], around: Floats) -> list[Floats]:
    """Lines of (m, 2) degrees from `sea` up to `head`, with the arms around islands, from `land` (WGS84 polygons).

    `around` is an (n, 2) path over the open sea from the outermost arm to `sea`, which closes the loop around an island
    whose lower end lies in the sea. The main channel (short and wide) comes first, cut at the forks, each piece drawn
    from the sea upwards, the last one to `head`; then the other arms.
    """
    west, east = head[0] - 0.15, max(sea[0], float(around[:, 0].max())) + 0.1
    south, north = min(head[1], sea[1]) - 0.5, max(head[1], sea[1], float(around[:, 1].max())) + 0.2
    box = shapely.box(west, south, east, north)
    ground = shapely.intersection(shapely.union_all(shapely.get_parts(land)), box)
    rings = shapely.get_parts(shapely.boundary(ground))
    outline = []
    for ring in rings:
        lonlat = shapely.get_coordinates(ring)
        x, y = to_mercator(lonlat[:, 0], lonlat[:, 1])
        dense = shapely.segmentize(shapely.linestrings(np.c_[x, y]), BANK_STEP_M)
        outline.append(shapely.get_coordinates(dense))
    banks = np.concatenate(outline)
    lon, lat = to_degrees(banks[:, 0], banks[:, 1])
    # the frame of the box is no bank
    inside = (lon > west + 1e-6) & (lon < east - 1e-6) & (lat > south + 1e-6) & (lat < north - 1e-6)
    diagram = Voronoi(np.unique(banks[inside].round(3), axis=0))
    ridges = np.asarray(diagram.ridge_vertices)
    ridges = ridges[(ridges >= 0).all(axis=1)]
    # vertices far outside the box (Voronoi cells of nearly collinear points) are clipped to its surroundings
    low, high = banks.min(axis=0) - 1e5, banks.max(axis=0) + 1e5
    vx, vy = np.clip(diagram.vertices, low, high).T
    vlon, vlat = to_degrees(vx, vy)
    seen = (vlon > west) & (vlon < east) & (vlat > south) & (vlat < north)
    ridges = ridges[seen[ridges].all(axis=1)]
    k = float(scale(np.array([sea[1]]))[0])
    shore = shapely.union_all([shapely.linestrings(part) for part in outline])
    shapely.prepare(shore)
    lines = shapely.linestrings(np.c_[vx, vy][ridges])
    wet = ~shapely.contains_xy(ground, vlon[ridges[:, 0]], vlat[ridges[:, 0]])
    clear = shapely.distance(lines, shore)
    keep = wet & (clear > CLEAR_M * k)
    ridges, lines, clear = ridges[keep], lines[keep], clear[keep]
    start, stop = _nearest(vx, vy, ridges, head), _nearest(vx, vy, ridges, sea)
    arm = _nearest(vx, vy, ridges, (float(around[0, 0]), float(around[0, 1])))
    # ships take the wide arm of two: a ridge counts by its length over the square root of the room to the banks
    cost = {
        frozenset(pair): float(m) for pair, m in zip(ridges.tolist(), shapely.length(lines) / clear**0.5, strict=True)
    }
    ridges = _prune(ridges, {start, stop, arm})
    paths = _paths(ridges, np.array([cost[frozenset(pair)] for pair in ridges.tolist()]), len(vx), start, stop)
    result = []
    for path in paths:
        line = shapely.simplify(shapely.linestrings(np.c_[vx[path], vy[path]]), SIMPLE_M * k)
        px, py = shapely.get_coordinates(line).T
        lonlat = np.c_[to_degrees(px, py)]
        if path[0] == stop:
            lonlat = np.concatenate([[sea], lonlat])
        if path[-1] == start:
            lonlat = np.concatenate([lonlat, [head]])
        if arm in (path[0], path[-1]):
            lonlat = lonlat if path[-1] == arm else lonlat[::-1]
            lonlat = np.concatenate([lonlat, around, [sea]])
        result.append(lonlat)
    return result


def _nearest(vx: Floats, vy: Floats, ridges: np.ndarray, at: tuple[float, float]) -> int:
    x, y = to_mercator(np.array([at[0]]), np.array([at[1]]))
    nodes = np.unique(ridges)
    return int(nodes[np.hypot(vx[nodes] - x, vy[nodes] - y).argmin()])


def _prune(ridges: np.ndarray, keep: set[int]) -> np.ndarray:
    """Ridges without dead ends (but those at `keep`)."""
    while True:
        degree = np.bincount(ridges.ravel())
        free = degree == 1
        free[[node for node in keep if node < len(free)]] = False
        dead = free[ridges].any(axis=1)
        if not dead.any():
            return ridges
        ridges = ridges[~dead]


def _paths(ridges: np.ndarray, cost: Floats, n: int, start: int, stop: int) -> list[list[int]]:
    """The main channel from `stop` up to `start`, cut at forks, then every other arm from fork to fork."""
    matrix = coo_matrix((cost, ridges.T), shape=(n, n)).tocsr()
    _, before = dijkstra(matrix, directed=False, indices=start, return_predecessors=True)
    main = [stop]
    while main[-1] != start:
        main.append(int(before[main[-1]]))
    around: dict[int, list[int]] = {}
    for p, q in ridges.tolist():
        around.setdefault(p, []).append(q)
        around.setdefault(q, []).append(p)
    forks = {node for node, others in around.items() if len(others) != 2} | {start, stop}
    done = {frozenset(pair) for pair in itertools.pairwise(main)}
    cut = [i for i, node in enumerate(main) if node in forks]
    paths = [main[lo : hi + 1] for lo, hi in itertools.pairwise(cut)]
    for fork in sorted(forks):
        for other in sorted(around.get(fork, [])):
            if frozenset((fork, other)) in done:
                continue
            path = [fork, other]
            done.add(frozenset((fork, other)))
            while path[-1] not in forks:
                path.append(next(node for node in around[path[-1]] if node != path[-2]))
                done.add(frozenset(path[-2:]))
            paths.append(path)
    return paths
