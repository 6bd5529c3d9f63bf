"""The kernel that puts a fix on the river: nearest reach, chainage, bank and signed offset.

A pure function over Arrow record batches with the network held in memory: array operations in chunks of constant size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from geo_monitor.river.geodesy import Floats, to_mercator
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
    n = len(lon)
    spots = Spots(np.empty(n, np.int32), np.empty(n), np.empty(n, np.int8), np.empty(n))
    for i in range(0, n, CHUNK):
        part = slice(i, i + CHUNK)
        reach, km, metres, side, in_lake = _chunk(lon[part], lat[part], network)
        on = (reach >= 0) & ~in_lake
        # > 0 is right looking downstream; the axis runs upstream, where left is downstream's right
        offset = np.where(in_lake, metres, np.where(on, np.where(side >= 0, metres, -metres), np.nan))
        half_width = network.half_width_m[reach] if on.any() else np.inf
        bank = np.where(on, np.where(metres <= half_width, 2, np.where(side >= 0, 1, 0)), -1)
        spots.reach[part], spots.km[part], spots.bank[part], spots.offset_m[part] = reach, km, bank, offset
    return spots


def chainage(lon: Floats, lat: Floats, network: Network) -> tuple[np.ndarray, Floats]:
    """`reach` and `km` of `locate` alone, over plain arrays (n,), WGS84 degrees."""
    reach, km = np.empty(len(lon), np.int32), np.empty(len(lon))
    for i in range(0, len(lon), CHUNK):
        part = slice(i, i + CHUNK)
        reach[part], km[part], *_ = _chunk(lon[part], lat[part], network)
    return reach, km


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
    lon, lat = (batch.column(name).to_numpy(zero_copy_only=False) for name in ("lon", "lat"))
    spots = place(lon, lat, network)
    names = pa.DictionaryArray.from_arrays(
        pa.array(spots.bank, mask=spots.bank < 0), pa.array(["left", "right", "mid"])
    )
    return pa.RecordBatch.from_arrays(
        [pa.array(spots.reach), pa.array(spots.km), names.cast(pa.string()), pa.array(spots.offset_m)], schema=SCHEMA
    )


def _chunk(lon: Floats, lat: Floats, network: Network) -> tuple[np.ndarray, Floats, Floats, np.ndarray, np.ndarray]:
    """Of each fix: reach, km, metres on the ground from the line or lake cell, side of the line, whether in a lake."""
    from geo_monitor.river.kernels import channels, lakes

    n = len(lon)
    reach, at = np.full(n, -1, np.int32), np.full(n, np.nan)
    metres, side, in_lake = np.full(n, np.inf), np.zeros(n), np.zeros(n, dtype=bool)
    if not n or not len(network.reaches):
        return reach, at, metres, side, in_lake
    grid = network.grid
    # by the same functions as the vertices of the river: a fix on a vertex is exactly on it
    with np.errstate(invalid="ignore"):  # what is no number is on no river
        x, y = to_mercator(lon, lat)
    channels(
        x, y, *grid.cells, grid.first, grid.listed, grid.away, grid.ends, grid.along, grid.stem, grid.search, grid.own,
        grid.low_sorted, grid.order, network.low, network.high, network.tolerance_m[: network.channels], grid.from_y,
        SCALE_STEP_M, grid.table, reach, at, metres, side,
    )  # fmt: skip
    if len(grid.lake_tolerance):
        lakes(
            x, y, *grid.cells, grid.lake_first, grid.lake_listed, grid.lake_away, grid.lake_edge_at, grid.lake_edges,
            grid.lake_tolerance, network.channels, SAME_M, BORDER_M, grid.from_y, SCALE_STEP_M, grid.table, reach, at,
            metres, in_lake,
        )  # fmt: skip
    return reach, network.axis.km(at), metres, side, in_lake
