"""The kernel that puts a fix on the river: nearest reach, chainage, bank and signed offset.

A pure function over Arrow record batches with the network held in memory: array operations in chunks of constant size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geo_monitor.river.geodesy import Floats, scale, to_mercator
from geo_monitor.river.grid import SCALE_STEP_M

if TYPE_CHECKING:
    from geo_monitor.river.network import Network

SAME_M = 1e-3  # metres; a fix on the line and in the lake is on the line
BORDER_M = 1e-6  # metres on the map; a fix this close to a lake cell is on its border
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

    Rules: of the waters in whose tolerance a fix lies, the nearest wins, a lake having distance 0 inside; of a channel
    and a lake equally near (to a millimetre), the channel; of two rivers equally near (a confluence), the one that
    receives the other; a point between two reaches of one river belongs to the one whose km_from it is. Distance is
    metres on the ground by the local Mercator scale.
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
    from geo_monitor.river.kernels import channels, lakes

    n = len(lon)
    reach, km = np.full(n, -1, np.int32), np.full(n, np.nan)
    offset, bank = np.full(n, np.nan), np.full(n, -1, np.int8)
    good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 85) & (np.abs(lon) <= 180)
    if not good.any() or not len(network.reaches):
        return reach, km, offset, bank
    grid = network.grid
    # by the same functions as the vertices of the river: a fix on a vertex is exactly on it
    x, y = to_mercator(np.where(good, lon, 0.0), np.where(good, lat, 0.0))
    k = scale(np.where(good, lat, 0.0))
    at, metres, side, in_lake = np.empty(n), np.full(n, np.inf), np.empty(n), np.zeros(n, dtype=bool)
    channels(
        x, y, k, good, *grid.cells, grid.first, grid.listed, grid.away, grid.ends, grid.along, grid.stem, grid.search,
        grid.own, grid.low_sorted, grid.order, network.low, network.high, network.tolerance_m[: network.channels],
        grid.from_y, SCALE_STEP_M, grid.table, reach, at, metres, side,
    )  # fmt: skip
    metres[reach < 0] = np.inf
    if len(grid.lake_tolerance):
        lakes(
            x, y, k, good, *grid.cells, grid.lake_first, grid.lake_listed, grid.lake_away, grid.lake_edge_at,
            grid.lake_edges, grid.lake_tolerance, network.channels, SAME_M, BORDER_M, reach, metres, in_lake,
        )  # fmt: skip
        offset[in_lake] = metres[in_lake]
    on = np.flatnonzero((reach >= 0) & ~in_lake)
    km[on] = network.axis.km(at[on])
    # > 0 is right looking downstream; the axis runs upstream, where left is downstream's right
    offset[on] = np.where(side[on] >= 0, metres[on], -metres[on])
    bank[on] = np.where(metres[on] <= network.half_width_m[reach[on]], 2, np.where(side[on] >= 0, 1, 0))
    return reach, km, offset, bank
