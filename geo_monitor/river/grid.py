"""The index behind `locate`: which segments and lake cells can be nearest to a point of a cell of the map.

In: a `Network`. Out: `Grid`, flat arrays over even cells of the Mercator plane.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_monitor.river.geodesy import scale, to_degrees

if TYPE_CHECKING:
    from geo_monitor.river.network import Network

BANDS = 16  # of rows of cells, listed side by side
CELL_M = 1000.0  # metres on the map; a cell lists few segments, and the shipped basin has 5 million cells
CELLS = 1 << 24  # at most: 64 MB; a larger river has larger cells
SCALE_STEP_M = 100.0  # of the table of k; between two rows it is good to 3e-11 of itself


@dataclass(frozen=True)
class Grid:
    """Cells from `west`, `south`, `size` metres wide, `nx` by `ny`; the other arrays as `kernels.channels` takes them, and
    with `lake_` in front as `kernels.lakes` does."""

    west: float
    south: float
    size: float
    nx: int
    ny: int
    first: np.ndarray
    listed: np.ndarray
    away: np.ndarray
    ends: np.ndarray
    along: np.ndarray
    stem: np.ndarray
    search: np.ndarray
    own: np.ndarray
    low_sorted: np.ndarray
    order: np.ndarray
    from_y: float
    table: np.ndarray
    lake_first: np.ndarray
    lake_listed: np.ndarray
    lake_away: np.ndarray
    lake_edge_at: np.ndarray
    lake_edges: np.ndarray
    lake_tolerance: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """As named arrays, for a file."""
        return {part.name: np.asarray(getattr(self, part.name)) for part in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Grid:
        """The inverse of `arrays`."""
        kinds = {"west": float, "south": float, "size": float, "nx": int, "ny": int, "from_y": float}
        told: dict[str, Any] = dict(arrays)
        return cls(**{**told, **{name: kind(told[name].item()) for name, kind in kinds.items()}})

    @property
    def cells(self) -> tuple[float, float, float, int, int]:
        """Where the cells are."""
        return self.west, self.south, self.size, self.nx, self.ny

    @classmethod
    def of(cls, network: Network) -> Grid:
        """The index of a river."""
        from geo_monitor.river.kernels import listing

        axis, n = network.axis, network.channels
        a = axis.segment
        ends = np.ascontiguousarray(np.column_stack([axis.x[a], axis.y[a], axis.x[a + 1], axis.y[a + 1]]))
        along = np.ascontiguousarray(np.column_stack([axis.position[a], axis.position[a + 1]]))
        shapes = network.cell_tree.geometries if len(network.cells.cell) else np.empty(0, dtype=object)
        low = np.concatenate([np.minimum(ends[:, :2], ends[:, 2:]), shapely.bounds(shapes).reshape(-1, 4)[:, :2]])
        high = np.concatenate([np.maximum(ends[:, :2], ends[:, 2:]), shapely.bounds(shapes).reshape(-1, 4)[:, 2:]])
        # the scale a degree north and south of the river, where it can be largest and least
        lat = to_degrees(np.zeros(2), np.array([low[:, 1].min(), high[:, 1].max()]))[1]
        around = np.clip(np.linspace(lat[0] - 1, lat[1] + 1, 200), -86, 86)
        most, least = float(scale(around).max()), float(scale(around).min())
        margin = float(network.tolerance_m.max(initial=0.0)) * most + 2.0
        west, south = low.min(axis=0) - margin
        east, north = high.max(axis=0) + margin
        size = max(CELL_M, float(np.sqrt((east - west) * (north - south) / CELLS)))
        cells = float(west), float(south), size, int((east - west) // size) + 1, int((north - south) // size) + 1
        order = network._order
        low_sorted = network.low[:n][order]
        search = np.column_stack(
            [
                np.searchsorted(low_sorted, along.min(axis=1) - 1e-3, side="right") - 1,
                np.searchsorted(low_sorted, along.max(axis=1) + 1e-3, side="right"),
            ]
        ).clip(0)
        own = network.reach_at(along.mean(axis=1))
        widest, narrowest = _tolerances(network, search, order, own)
        far, surely = widest * most + 1.0, narrowest * least - 1.0
        from_y = float(south - size)
        rows_y = from_y + SCALE_STEP_M * np.arange(int((north - south + 3 * size) // SCALE_STEP_M) + 2)
        table = scale(to_degrees(np.zeros(len(rows_y)), rows_y)[1])
        tolerance = network.tolerance_m[n:]
        first = np.empty(cells[3] * cells[4] + 1, np.int32)
        rows = np.linspace(0, cells[4], BANDS + 1).astype(np.int64).tolist()

        def band(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
            return listing(ends, far, surely, *cells[:4], low, first[low * cells[3] : high * cells[3]])

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            lakes = pool.submit(_lakes, shapes, tolerance, most, cells)
            bands = list(pool.map(band, rows[:-1], rows[1:]))
            lake_first, lake_listed, lake_away, edge_at, edges = lakes.result()
        listed, away = (np.concatenate(part) for part in zip(*bands, strict=True))
        at = 0
        for low, high, (part, _) in zip(rows[:-1], rows[1:], bands, strict=True):
            first[low * cells[3] : high * cells[3]] += at
            at += len(part)
        first[-1] = at
        return cls(
            *cells, first, listed, away, ends, along, axis.stem[a].astype(np.int64), search.astype(np.int64),
            own.astype(np.int64), low_sorted, order.astype(np.int64), from_y, table, lake_first, lake_listed, lake_away,
            edge_at, edges, tolerance,
        )  # fmt: skip


Cells = tuple[float, float, float, int, int]


def _tolerances(
    network: Network, search: np.ndarray, order: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Greatest and least tolerance of the reaches each segment touches, metres; one through a lake takes all as its own."""
    tolerance = network.tolerance_m[: network.channels]
    sorted_ = np.append(tolerance[order], tolerance.max(initial=0.0))
    first, last = search[:, 0], np.maximum(search[:, 1], search[:, 0] + 1)
    at = np.column_stack([first, np.minimum(last, len(order))]).ravel()
    most = np.maximum.reduceat(sorted_, at)[::2]
    least = np.minimum.reduceat(sorted_, at)[::2]
    return np.where(own >= 0, most, tolerance.max(initial=0.0)), np.where(own >= 0, least, 0.0)


def _edges(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (e, 4) of areas and where those of each begin (n + 1,)."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, of = shapely.get_rings(parts, return_index=True)
    of = owner[of]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = np.flatnonzero(ring[1:] == ring[:-1])
    count = np.bincount(of[ring[same]], minlength=len(shapes))
    edges = np.column_stack([points[same], points[same + 1]]).reshape(-1, 4)
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64), np.ascontiguousarray(edges)


def _lakes(
    shapes: np.ndarray, tolerance: np.ndarray, scale_most: float, cells: Cells
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where each grid cell's list of lake cells begins (cells + 1,), the lists by tolerance and distance from its middle, and
    the lake cells' `_edges`."""
    from geo_monitor.river.kernels import lake_listing

    edge_at, edges = _edges(shapes)
    west, south, size, nx, ny = cells
    half = size * np.sqrt(0.5)
    x, y = (west + (np.arange(nx) + 0.5) * size, south + (np.arange(ny) + 0.5) * size)
    reach = tolerance * scale_most + half + 1.0
    low, high = np.split(shapely.bounds(shapes).reshape(-1, 4) + np.outer(reach, [-1.0, -1.0, 1.0, 1.0]), 2, axis=1)
    columns, rows = np.searchsorted(x, [low[:, 0], high[:, 0]]), np.searchsorted(y, [low[:, 1], high[:, 1]])
    boxes = np.column_stack([*columns, *rows]).astype(np.int64)
    group = np.unique(tolerance, return_inverse=True)[1].astype(np.int64)
    return *lake_listing(boxes, reach, tolerance - half, group, *cells, edge_at, edges), edge_at, edges
