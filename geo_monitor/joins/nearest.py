"""Who was near: for each report the patrol unit closest in time and place, and whether anybody was there at all.

In: places and times of reports, a chunk of patrol fixes. Out: `Near`, which joins with that of other chunks.
Rules: `docs/methods-effort.md`, Seizure links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from geo_monitor.settings import Settings
    from geo_monitor.tracks import Chunk

ROUGHLY = 1.01  # by how much a distance on a sphere is wrong at most
_PAIRS = 200_000  # units by reports looked at, at once: bounds memory


@dataclass(frozen=True)
class Near:
    """Per report (n,): the nearest unit (text or None), its distance in metres, its fix minus the report in seconds,
    and whether any fix of any unit lies within `there_m` and `nearest_window_s`."""

    unit_id: np.ndarray
    metres: np.ndarray
    seconds: np.ndarray
    there: np.ndarray

    @classmethod
    def nobody(cls, n: int) -> Near:
        """Nobody was near any of `n` reports."""
        return cls(np.full(n, None, dtype=object), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=bool))

    def arrays(self) -> dict[str, np.ndarray]:
        """As named arrays, for a file."""
        return {"unit_id": self.unit_id, "metres": self.metres, "seconds": self.seconds, "there": self.there}

    def joined(self, other: Near) -> Near:
        """The nearer of two for each report; of two equally near the smaller unit_id."""
        better = ~np.isnan(other.metres) & (np.isnan(self.metres) | (other.metres < self.metres))
        for i in np.flatnonzero(other.metres == self.metres):
            better[i] = other.unit_id[i] < self.unit_id[i]
        pick = {name: np.where(better, there, mine) for (name, mine), there in
                zip(self.arrays().items(), other.arrays().values(), strict=True)}  # fmt: skip
        return Near(**{**pick, "there": self.there | other.there})


def nearest(
    lon: np.ndarray, lat: np.ndarray, time: np.ndarray, chunk: Chunk, unit_ids: Any, settings: Settings
) -> Near:
    """Who of `chunk` (fixes of patrols; `unit_ids`: text of its units, ascending) was near each report (n,).

    lon, lat: WGS84 degrees, NaN where a report names no place; time: ms UTC. Of each unit the fix closest in time within
    `nearest_window_s` (inclusive; of two equally close the nearer in place, then the earlier); of these the nearest by
    geodesic (WGS84; source: Karney, J. Geodesy 87, 2013).
    """
    import pyproj

    from geo_monitor.ingest.motion import metres as on_sphere
    from geo_monitor.joins.kernels import candidates

    near = Near.nobody(len(lon))
    placed = np.flatnonzero(~np.isnan(lon))
    if not len(placed) or not len(chunk):
        return near
    geod = pyproj.Geod(ellps="WGS84")
    # a box of degrees a little too large, so that nothing within `there_m` is lost: a degree of latitude is over 110,574 m
    high = settings.there_m / 110_000
    with np.errstate(divide="ignore"):
        wide = high / np.maximum(np.cos(np.radians(np.abs(lat[placed]) + high)), 1e-6)
    told = time[placed], lon[placed], lat[placed], wide, high, round(settings.nearest_window_s * 1000)
    heads = chunk.unit[chunk.bounds[:-1]]
    step = max(1, _PAIRS // len(placed))
    for begin in range(0, len(heads), step):
        bounds = chunk.bounds[begin : begin + step + 1]
        # "there" asks every fix in the window, "nearest" only those closest in time
        report, unit, fix, closest = candidates(*told, bounds, chunk.time, chunk.lon, chunk.lat)
        at = placed[report]
        # the geodesic is dear, and asked only where it may decide
        rough = on_sphere(lon[at], lat[at], chunk.lon[fix], chunk.lat[fix])
        least = np.full(len(lon), np.inf)
        np.minimum.at(least, at[closest], rough[closest])
        asked = np.flatnonzero(
            (rough <= ROUGHLY * settings.there_m) | (closest & (rough <= ROUGHLY**2 * least[at] + 1.0))
        )
        at, unit, fix, closest = at[asked], unit[asked], fix[asked], closest[asked]
        metres = np.asarray(geod.inv(lon[at], lat[at], chunk.lon[fix], chunk.lat[fix])[2])
        near.there[at[metres <= settings.there_m]] = True
        at, unit, fix, metres = at[closest], unit[closest], fix[closest], metres[closest]
        order = np.lexsort((fix, unit, metres, at))
        order = order[np.flatnonzero(np.diff(at[order], prepend=-1))]  # one of each report
        at, unit, fix, metres = at[order], unit[order], fix[order], metres[order]
        # units of later parts come after, so a tie stays with the smaller one
        better = np.isnan(near.metres[at]) | (metres < near.metres[at])
        at, unit, fix, metres = at[better], unit[better], fix[better], metres[better]
        near.metres[at] = metres
        near.seconds[at] = (chunk.time[fix] - time[at]) / 1000
        near.unit_id[at] = np.asarray(unit_ids, dtype=object)[heads[begin + unit]]
    return near
