"""Zones ready for millions of fixes: all that are in force at some time, as flat arrays.

In: `zones.Zone`. Out: `Areas`, which kernels walk and other processes can be sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.joins.zones import Zone, pack

if TYPE_CHECKING:
    import shapely


@dataclass(frozen=True)
class Areas:
    """Zone versions (z,) with their edges. `*_at` (z + 1,) cut the flat arrays: `windows` (w, 2) ms UTC in force,
    `edges` (e, 4) lon, lat, lon, lat, `slab` and `filed` as `zones.Shape`; `grid` (z, 2): south and slabs a degree;
    `box` (z, 4): west, south, east, north."""

    zones: list[Zone]
    window_at: np.ndarray
    windows: np.ndarray
    edge_at: np.ndarray
    edges: np.ndarray
    slab_at: np.ndarray
    slab: np.ndarray
    filed_at: np.ndarray
    filed: np.ndarray
    grid: np.ndarray
    box: np.ndarray

    @classmethod
    def of(cls, zones: Sequence[Zone]) -> Areas:
        """Of zones in the order of `zones.zones_between`."""
        shapes = [pack(zone.geometry) for zone in zones]

        def flat(parts: list[np.ndarray], empty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            ends = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)
            return ends, np.ascontiguousarray(np.concatenate([empty, *parts]))

        window_at, windows = flat([zone.windows for zone in zones], np.empty((0, 2), np.int64))
        edge_at, edges = flat([shape.edges for shape in shapes], np.empty((0, 4)))
        slab_at, slab = flat([shape.slab for shape in shapes], np.empty(0, np.int64))
        filed_at, filed = flat([shape.filed for shape in shapes], np.empty(0, np.int64))
        grid = np.array([(shape.south, shape.per_degree) for shape in shapes]).reshape(-1, 2)
        box = np.array([shape.box for shape in shapes]).reshape(-1, 4)
        return cls(list(zones), window_at, windows, edge_at, edges, slab_at, slab, filed_at, filed, grid, box)

    @cached_property
    def names(self) -> list[str]:
        """Each version by agency, zone_id, version, and its place among rows that share these: the same name for the same
        version, whatever other zones there are."""
        told: dict[str, int] = {}
        found = []
        for zone in self.zones:
            name = f"{zone.agency or ''}\x1f{zone.zone_id}\x1f{zone.version}"
            told[name] = told.get(name, -1) + 1
            found.append(f"{name}\x1f{told[name]}")
        return found

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The boxes."""
        import shapely

        return shapely.STRtree(shapely.box(*self.box.T))

    @cached_property
    def _shapes(self) -> list[bytes]:
        import shapely

        return [hashlib.sha256(shapely.to_wkb(zone.geometry)).digest() for zone in self.zones]

    def until(self, moment: int) -> str:
        """A hash of all that visits up to `moment`, ms UTC, depend on: names, shapes, and when rules held or were unsure
        before it. What is told later of a water level does not change it."""
        told = hashlib.sha256()
        for name, shape, zone in zip(self.names, self._shapes, self.zones, strict=True):
            if zone.windows[0, 0] >= moment:
                continue
            told.update(f"{name}\x1e{zone.station}".encode())
            told.update(shape)
            for spans in (zone.windows, zone.unsure):
                told.update(np.minimum(spans[spans[:, 0] < moment], moment).tobytes() + b"|")
        return told.hexdigest()
