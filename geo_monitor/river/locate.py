"""The kernel that puts a fix on the river: nearest reach, chainage, bank and signed offset.

A pure function over Arrow record batches with the network held in memory: array operations in chunks of constant size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely

from geo_monitor.river.geodesy import Floats, scale, to_degrees, to_mercator

if TYPE_CHECKING:
    from geo_monitor.river.network import Network

CHUNK = 65_536  # fixes worked at once: bounds memory, large enough that array calls dominate
SCHEMA = pa.schema([("reach", pa.int32()), ("km", pa.float64()), ("bank", pa.string()), ("offset_m", pa.float64())])


def locate(batch: pa.RecordBatch | pa.Table, network: Network) -> pa.RecordBatch:
    """Where fixes lie on the river.

    Parameters
    ----------
    batch : columns lon, lat (WGS84 degrees); others are ignored
    network : from `river.build`

    Returns
    -------
    RecordBatch, a row a fix: reach (int32, index into network.reaches, -1 where farther than the tolerance from any),
    km (chainage; NaN in a lake or unlocated), bank (left, right, mid, looking downstream; null in a lake or unlocated),
    offset_m (metres from the line, > 0 to the right; in a lake the metres outside the cell; NaN unlocated).

    Rules: the nearest water wins, a lake having distance 0 inside; of a channel and a lake equally near, the channel;
    of two rivers equally near (a confluence), the one that receives the other; a point between two reaches of one river
    belongs to the one whose km_from it is. Distance is metres on the ground by the local Mercator scale.
    """
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
    limit = float(network.tolerance_m.max()) * float(k.max()) * 1.001
    best = np.full(len(good), np.inf)

    i, j = network.segment_tree.query_nearest(points, max_distance=limit, all_matches=True)
    if len(i):
        position, distance, side = _project(network, x[i], y[i], j)
        which, owner = _one_each(i, j, network)
        # at a vertex both segments are nearest; their sides add up to that of the bisector
        stem = network.axis.stem[network.axis.segment[j]]
        same = stem == stem[which][np.searchsorted(owner, i)]
        turn = np.bincount(i[same], weights=side[same], minlength=len(good))[owner]
        foot = to_degrees(*_foot(network, position[which]))[1]
        metres = distance[which] / scale((lat[good][owner] + foot) / 2)
        at = network.reach_at(position[which])
        at = np.where(at >= 0, at, _segment_reach(network, j[which]))
        near = (at >= 0) & (metres <= network.tolerance_m[at])
        rows = owner[near]
        best[owner] = metres
        reach[good[rows]] = at[near]
        km[good[rows]] = network.axis.km(position[which][near])
        # > 0 is right looking downstream; the axis runs upstream, where left is downstream's right
        offset[good[rows]] = np.where(turn[near] >= 0, metres[near], -metres[near])
        half = network.half_width_m[at[near]]
        bank[good[rows]] = np.where(metres[near] <= half, 2, np.where(turn[near] >= 0, 1, 0))
    if len(network.cells.cell):
        _lakes(network, points, k, limit, best, good, reach, km, offset, bank)
    return reach, km, offset, bank


def _lakes(
    network: Network,
    points: np.ndarray,
    k: Floats,
    limit: float,
    best: Floats,
    good: np.ndarray,
    reach: np.ndarray,
    km: Floats,
    offset: Floats,
    bank: np.ndarray,
) -> None:
    """Give the points nearer to a lake cell than `best` metres to that cell (in place)."""
    close = np.unique(network.lake_boxes.query(points, "dwithin", distance=limit)[0])
    if not len(close):
        return
    i, j = network.cell_tree.query_nearest(points[close], max_distance=limit, all_matches=True)
    i = close[i]
    order = np.lexsort((j, i))  # on a border between cells the first counts
    i, first = np.unique(i[order], return_index=True)
    j = j[order[first]]
    away = shapely.distance(points[i], network.cell_tree.geometries[j]) / k[i]
    cell = network.channels + j
    near = (away < best[i]) & (away <= network.tolerance_m[cell])
    rows = good[i[near]]
    reach[rows], km[rows], offset[rows], bank[rows] = cell[near], np.nan, away[near], -1


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
