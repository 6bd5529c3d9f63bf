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
    `edges` (e, 4) lon, lat, lon, lat, `slab`, `sure` and `filed` as `zones.Shape`; `grid` (z, 2): south and slabs a degree;
    `box` (z, 4): west, south, east, north."""

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
        shapes = [pack(zone.geometry) for zone in zones]

        def flat(parts: list[np.ndarray], empty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            ends = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)
            return ends, np.ascontiguousarray(np.concatenate([empty, *parts]))

        window_at, windows = flat([zone.windows for zone in zones], np.empty((0, 2), np.int64))
        edge_at, edges = flat([shape.edges for shape in shapes], np.empty((0, 4)))
        slab_at, slab = flat([shape.slab for shape in shapes], np.empty(0, np.int64))
        sure = flat([shape.sure for shape in shapes], np.empty((0, 2)))[1]
        filed_at, filed = flat([shape.filed for shape in shapes], np.empty(0, np.int64))
        grid = np.array([(shape.south, shape.per_degree) for shape in shapes]).reshape(-1, 2)
        box = np.array([shape.box for shape in shapes]).reshape(-1, 4)
        return cls(list(zones), window_at, windows, edge_at, edges, slab_at, slab, sure, filed_at, filed, grid, box)

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
