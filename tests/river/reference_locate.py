"""`locate` by shapely and arrays: what the compiled search is held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely

from geo_monitor.river.geodesy import Floats, scale, to_degrees, to_mercator

if TYPE_CHECKING:
    from geo_monitor.river.network import Network

BORDER_M = 1e-6  # metres on the map
SAME_M = 1e-3  # metres; a fix on the line and in the lake is on the line
FEW = 1_024  # fixes whose surroundings are all looked at, at once
CHUNK = 65_536  # fixes worked at once: bounds memory, large enough that array calls dominate
SCHEMA = pa.schema([("reach", pa.int32()), ("km", pa.float64()), ("bank", pa.string()), ("offset_m", pa.float64())])


@dataclass(frozen=True)
class Spots:
    """Where fixes (n,) lie: `reach` (-1: on none), `km`, `bank` (0 left, 1 right, 2 mid, -1 none), `offset_m`; see `locate`."""

    reach: np.ndarray
    km: Floats
    bank: np.ndarray
    offset_m: Floats


def place(lon: Floats, lat: Floats, network: Network) -> Spots:
    """`locate` over plain arrays (n,), WGS84 degrees."""
    parts = [_chunk(lon[i : i + CHUNK], lat[i : i + CHUNK], network) for i in range(0, len(lon), CHUNK)]
    if not parts:
        none = np.empty(0)
        return Spots(np.empty(0, np.int32), none, np.empty(0, np.int8), none)
    reach, km, offset, bank = (np.concatenate([part[i] for part in parts]) for i in range(4))
    return Spots(reach, km, bank, offset)


def locate(batch: pa.RecordBatch | pa.Table, network: Network) -> pa.RecordBatch:
    """As `geo_monitor.river.locate`."""
    lon = batch.column("lon").to_numpy(zero_copy_only=False)
    lat = batch.column("lat").to_numpy(zero_copy_only=False)
    parts = [_chunk(lon[i : i + CHUNK], lat[i : i + CHUNK], network) for i in range(0, len(lon), CHUNK)]
    if not parts:
        return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in SCHEMA], schema=SCHEMA)
    reach, km, offset, bank = (np.concatenate([part[i] for part in parts]) for i in range(4))
    names = pa.DictionaryArray.from_arrays(pa.array(bank, mask=bank < 0), pa.array(["left", "right", "mid"])).cast(
        pa.string()
    )
    return pa.RecordBatch.from_arrays([pa.array(reach), pa.array(km), names, pa.array(offset)], schema=SCHEMA)


def _chunk(lon: Floats, lat: Floats, network: Network) -> tuple[np.ndarray, Floats, Floats, np.ndarray]:
    n = len(lon)
    reach, km = np.full(n, -1, np.int32), np.full(n, np.nan)
    offset, bank = np.full(n, np.nan), np.full(n, -1, np.int8)
    good = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 85) & (np.abs(lon) <= 180))
    if not len(good) or not len(network.reaches):
        return reach, km, offset, bank
    x, y = to_mercator(lon[good], lat[good])
    points = shapely.points(x, y)
    k = scale(lat[good])
    best = np.full(len(good), np.inf)
    nearest = _channels(network, points, x, y, k)
    if nearest is not None:
        owner, position, at, metres, turn = nearest
        rows = good[owner]
        best[owner] = metres
        reach[rows] = at
        km[rows] = network.axis.km(position)
        # > 0 is right looking downstream; the axis runs upstream, where left is downstream's right
        offset[rows] = np.where(turn >= 0, metres, -metres)
        bank[rows] = np.where(metres <= network.half_width_m[at], 2, np.where(turn >= 0, 1, 0))
    if len(network.cells.cell):
        _lakes(network, points, k, best, good, reach, km, offset, bank)
    return reach, km, offset, bank


def _channels(
    network: Network, points: np.ndarray, x: Floats, y: Floats, k: Floats
) -> tuple[np.ndarray, Floats, np.ndarray, Floats, Floats] | None:
    """Of the channels in whose tolerance each point lies, the nearest: (point, position, reach, metres, side).

    Points in no channel's tolerance are not among the result.
    """
    tolerance = network.tolerance_m
    widest = float(tolerance[: network.channels].max(initial=0.0))
    pairs = segment_tree(network).query_nearest(points, max_distance=widest * float(k.max()) * 1.001, all_matches=True)
    first = _nearest(network, x, y, k, *pairs)
    if first is None:
        return None
    near = first[3] <= tolerance[first[2]]
    result = [part[near] for part in first]
    # the nearest line may be a precise one, out of whose tolerance a point lies that is in that of a wide river beyond; and what is
    # nearest on the map may be a metre in kilometres further on the ground
    again = first[0][~near & (first[3] <= widest * 1.001)]
    parts = [result]
    for lo in range(0, len(again), FEW):
        rows = again[lo : lo + FEW]
        i, j = segment_tree(network).query(points[rows], "dwithin", distance=widest * k[rows] * 1.001)
        i = rows[i]
        _, distance, _, at, metres = _measure(network, x, y, k, i, j)
        keep = metres <= tolerance[at]
        i, j, distance = i[keep], j[keep], distance[keep]
        least = np.full(len(points), np.inf)
        np.minimum.at(least, i, distance)
        tie = distance == least[i]
        more = _nearest(network, x, y, k, i[tie], j[tie])
        if more is not None:
            parts.append(list(more))
    owner, position, at, metres, turn = (np.concatenate([part[n] for part in parts]) for n in range(5))
    return owner, position, at, metres, turn


def _measure(
    network: Network, x: Floats, y: Floats, k: Floats, i: np.ndarray, j: np.ndarray
) -> tuple[Floats, Floats, Floats, np.ndarray, Floats]:
    """Of pairs of point i and segment j: position, Mercator distance, side, reach, metres on the ground."""
    position, distance, side = _project(network, x[i], y[i], j)
    foot = scale(to_degrees(*_foot(network, position))[1])
    metres = distance * 2 / (k[i] + foot)  # the scale half way, right to the second order
    at, own = network.reach_at(position), _segment_reach(network, j)
    # a border belongs to the upper reach, unless that one's tolerance ends before the point
    at = np.where((at >= 0) & (metres <= network.tolerance_m[at]), at, own)
    return position, distance, side, at, metres


def _nearest(
    network: Network, x: Floats, y: Floats, k: Floats, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, Floats, np.ndarray, Floats, Floats] | None:
    """One of the equally near segments j of each point i: (point, position, reach, metres, side)."""
    if not len(i):
        return None
    position, _, side, at, metres = _measure(network, x, y, k, i, j)
    which, owner = _one_each(i, j, network)
    # at a vertex both segments are nearest; their sides add up to that of the bisector
    stem = network.axis.stem[network.axis.segment[j]]
    same = stem == stem[which][np.searchsorted(owner, i)]
    turn = np.bincount(i[same], weights=side[same], minlength=len(x))[owner]
    known = at[which] >= 0
    which, owner, turn = which[known], owner[known], turn[known]
    return owner, position[which], at[which], metres[which], turn


def _lakes(
    network: Network,
    points: np.ndarray,
    k: Floats,
    best: Floats,
    good: np.ndarray,
    reach: np.ndarray,
    km: Floats,
    offset: Floats,
    bank: np.ndarray,
) -> None:
    """Give the points nearer to a lake cell than `best` metres to that cell (in place)."""
    for tolerance, cells, tree in cell_groups(network):
        limit = tolerance * float(k.max()) * 1.001
        close = np.unique(lake_boxes(network).query(points, "dwithin", distance=limit)[0])
        if not len(close):
            continue
        i, j = tree.query_nearest(points[close], max_distance=limit, all_matches=True)
        # on a border between cells the first counts, and a micrometre beside a border is on it
        border = tree.query(points[close], "dwithin", distance=BORDER_M)
        i, j = np.r_[i, border[0]], np.r_[j, border[1]]
        i = close[i]
        order = np.lexsort((j, i))
        i, first = np.unique(i[order], return_index=True)
        j = j[order[first]]
        away = shapely.distance(points[i], tree.geometries[j]) / k[i]
        near = (away < best[i] - SAME_M) & (away <= tolerance)
        rows = good[i[near]]
        best[i[near]] = away[near]
        reach[rows], km[rows], offset[rows], bank[rows] = network.channels + cells[j[near]], np.nan, away[near], -1


@cache
def segment_tree(network: Network) -> shapely.STRtree:
    i = network.axis.segment
    lines = shapely.linestrings(
        np.stack(
            [np.c_[network.axis.x[i], network.axis.y[i]], np.c_[network.axis.x[i + 1], network.axis.y[i + 1]]], axis=1
        )
    )
    return shapely.STRtree(lines)


@cache
def cell_groups(network: Network) -> list[tuple[float, np.ndarray, shapely.STRtree]]:
    """Lake cells by locating tolerance: (metres, cell numbers, their tree)."""
    tolerance = network.tolerance_m[network.channels :]
    groups = [(float(t), np.flatnonzero(tolerance == t)) for t in np.unique(tolerance)]
    return [(t, own, shapely.STRtree(network.cell_tree.geometries[own])) for t, own in groups]


@cache
def lake_boxes(network: Network) -> shapely.STRtree:
    """One box a lake: whatever is far from all of them needs no look at the cells."""
    bounds = shapely.bounds(network.cell_tree.geometries)
    lakes = np.unique(network.cells.lake)
    return shapely.STRtree(
        [
            shapely.box(
                *bounds[network.cells.lake == n, :2].min(axis=0), *bounds[network.cells.lake == n, 2:].max(axis=0)
            )
            for n in lakes
        ]
    )


def _project(network: Network, x: Floats, y: Floats, j: np.ndarray) -> tuple[Floats, Floats, Floats]:
    """Foot of each point on its segment: position on the axis, Mercator distance, and side (> 0 left of the axis)."""
    axis = network.axis
    a = axis.segment[j]
    ax, ay = axis.x[a], axis.y[a]
    dx, dy = axis.x[a + 1] - ax, axis.y[a + 1] - ay
    size = np.hypot(dx, dy)
    t = np.clip(((x - ax) * dx + (y - ay) * dy) / np.maximum(size, 1e-12) ** 2, 0.0, 1.0)
    distance = np.hypot(ax + t * dx - x, ay + t * dy - y)
    position = axis.position[a] + t * (axis.position[a + 1] - axis.position[a])
    return position, distance, (dx * (y - ay) - dy * (x - ax)) / np.maximum(size, 1e-12)


def _foot(network: Network, position: Floats) -> tuple[Floats, Floats]:
    return np.interp(position, network.axis.position, network.axis.x), np.interp(
        position, network.axis.position, network.axis.y
    )


def _one_each(i: np.ndarray, j: np.ndarray, network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Of all nearest segments of each point the one that counts: receiving river first, then the upstream segment."""
    a = network.axis.segment[j]
    order = np.lexsort((-network.axis.position[a], network.axis.stem[a], i))
    owner, first = np.unique(i[order], return_index=True)
    return order[first], owner


def _segment_reach(network: Network, j: np.ndarray) -> np.ndarray:
    a = network.axis.segment[j]
    return network.reach_at((network.axis.position[a] + network.axis.position[a + 1]) / 2)
