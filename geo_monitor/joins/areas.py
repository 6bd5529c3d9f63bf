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

from geo_monitor.joins.zones import Zone

if TYPE_CHECKING:
    import shapely

SLABS = 4096  # of a zone at most


@dataclass(frozen=True)
class Areas:
    """Zone versions (z,) with their edges. `*_at` (z + 1,) cut the flat arrays: `windows` (w, 2) ms UTC in force,
    `edges` (e, 4) lon, lat, lon, lat, holes included, filed by slabs of latitude: slab k of a zone, with its own arrays, holds edges
    `filed[slab[k]:slab[k + 1]]`, all that touch latitudes of [south + k / per_degree, south + (k + 1) / per_degree); `sure` (as
    long as `slab`, 4): `kernels.sure`. `grid` (z, 2): south, per_degree; `box` (z, 4): west, south, east, north."""

    zones: list[Zone]
    window_at: np.ndarray
    windows: np.ndarray
    edge_at: np.ndarray
    edges: np.ndarray
    slab_at: np.ndarray
    slab: np.ndarray
    sure: np.ndarray
    filed_at: np.ndarray
    filed: np.ndarray
    grid: np.ndarray
    box: np.ndarray

    @classmethod
    def of(cls, zones: Sequence[Zone]) -> Areas:
        """Of zones in the order of `zones.zones_between`."""
        import shapely

        from geo_monitor.joins.kernels import filed, slabs

        shapes = np.array([zone.geometry for zone in zones], dtype=object)
        parts, zone = shapely.get_parts(shapes, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        at, ring = shapely.get_coordinates(rings, return_index=True)
        edges = np.hstack([at[:-1], at[1:]])
        whole = (ring[1:] == ring[:-1]) & (edges[:, :2] != edges[:, 2:]).any(axis=1)
        edges = np.ascontiguousarray(edges[whole])
        edge_at = _ends(np.bincount(zone[part[ring[:-1][whole]]], minlength=len(zones)))
        box = shapely.bounds(shapes).reshape(-1, 4)
        count, per_degree, listed = slabs(edges, edge_at, box, SLABS)
        slab_at, filed_at = _ends(count + 1), _ends(listed)
        slab, own, sure = filed(edges, edge_at, box, per_degree, slab_at, filed_at)
        windows = np.concatenate([np.empty((0, 2), np.int64), *(one.windows for one in zones)])
        window_at = _ends(np.array([len(one.windows) for one in zones], dtype=np.int64))
        grid = np.column_stack([box[:, 1], per_degree])
        return cls(list(zones), window_at, windows, edge_at, edges, slab_at, slab, sure, filed_at, own, grid, box)

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
    def doubtful(self) -> np.ndarray:
        """Which versions (z,) ask for a water level that is not always known."""
        return np.array([len(zone.unsure) > 0 for zone in self.zones], dtype=bool)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The boxes."""
        import shapely

        return shapely.STRtree(shapely.box(*self.box.T))

    @cached_property
    def _fixed(self) -> np.ndarray:
        """A hash (z, 32) of what of each version does not change with time: name, gauge, shape."""
        import shapely

        told = [
            hashlib.sha256(f"{name}\x1e{zone.station}\x1e".encode() + shapely.to_wkb(zone.geometry)).digest()
            for name, zone in zip(self.names, self.zones, strict=True)
        ]
        return np.frombuffer(b"".join(told), dtype=np.uint8).reshape(-1, 32)

    @cached_property
    def _times(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Whose they are and the spans (n, 2), ms UTC, in which versions are in force, and in which that is unsure."""
        of = np.arange(len(self.zones))
        unsure = [zone.unsure for zone in self.zones]
        return [
            (np.repeat(of, np.diff(self.window_at)), self.windows),
            (np.repeat(of, [len(spans) for spans in unsure]), np.concatenate([np.empty((0, 2), np.int64), *unsure])),
        ]

    def until(self, moment: int) -> str:
        """A hash of all that visits up to `moment`, ms UTC, depend on: names, shapes, and when rules held or were unsure
        before it. What is told later of a water level, and a rule that begins later, do not change it."""
        told = hashlib.sha256()
        begun = np.zeros(len(self.zones), dtype=bool)
        owner, windows = self._times[0]
        begun[owner[windows[:, 0] < moment]] = True
        told.update(self._fixed[begun].tobytes())
        for of, spans in self._times:
            before = spans[:, 0] < moment
            told.update(np.bincount(of[before], minlength=len(self.zones))[begun].tobytes())
            told.update(np.minimum(spans[before], moment).tobytes())
        return told.hexdigest()


def _ends(counts: np.ndarray) -> np.ndarray:
    """Where the own parts (n,) of a flat array end, (n + 1,)."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
