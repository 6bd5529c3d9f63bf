"""What a fix says only beside those before and after it: jumps, frozen receivers, where a track has to be cut."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from geo_monitor.ingest import motion
from geo_monitor.ingest.kinds.source import Array
from geo_monitor.ingest.ledger import Ledger
from geo_monitor.settings import Settings


@dataclass
class Fixes:
    """All fixes (n,) of some units, in the order of their file: codes of unit and patrol (-1: none), UTC milliseconds,
    WGS84 degrees, m/s. order (n,): sorted by unit, then time."""

    unit: Array
    patrol: Array
    ms: Array
    lon: Array
    lat: Array
    speed: Array
    order: Array = field(init=False)

    def __post_init__(self) -> None:
        self.order = np.lexsort((self.ms, self.unit))


def check(fixes: Fixes, names: list[str], patrols: list[str], ledger: Ledger, settings: Settings) -> list[str]:
    """Refuses lone jumps, tells of frozen receivers, and makes what lies after a cut a patrol of its own; gives the names
    of patrols with those that were made. names, patrols: what the codes mean."""
    cut = _jumps(fixes, ledger, settings)
    rows = fixes.order[ledger.alive[fixes.order]]
    stuck = np.zeros(len(fixes.ms), dtype=bool)
    stuck[rows] = motion.frozen(
        fixes.unit[rows], fixes.ms[rows], fixes.lon[rows], fixes.lat[rows], fixes.speed[rows], settings.frozen_s,
        settings.frozen_mps,
    )  # fmt: skip
    ledger.warn("track_frozen", stuck, minutes=f"{settings.frozen_s / 60:g}")
    return _pieces(fixes, cut, names, patrols, ledger, settings)


def named(unit: str, ms: int) -> str:
    """As effort names a patrol without id: after its unit and first fix, `unit@20260531T150500Z`."""
    moment = str(np.datetime64(int(ms), "ms").astype("datetime64[s]")).replace("-", "").replace(":", "")
    return f"{unit}@{moment}Z"


def _jumps(fixes: Fixes, ledger: Ledger, settings: Settings) -> Array:
    """Refuses lone wrong fixes; gives (n,) the rows at which a track is cut because the way can't have been travelled."""
    patrol, ms, lon, lat = fixes.patrol, fixes.ms, fixes.lon, fixes.lat
    cut = np.zeros(len(ms), dtype=bool)
    rows = fixes.order[ledger.alive[fixes.order]]
    if not len(rows):
        return cut
    track = fixes.unit[rows] * (int(patrol.max()) + 2) + patrol[rows] + 1
    if (np.diff(track) < 0).any():
        again = np.argsort(track, kind="stable")
        rows, track = rows[again], track[again]
    first = np.r_[True, (np.diff(track) != 0) | (np.diff(ms[rows]) != 0)]  # one fix a moment; clashes come later
    rows, track = rows[first], track[first]
    alone, begins = motion.jumps(track, ms[rows], lon[rows], lat[rows], settings.jump_mps, settings.jump_slack_m)
    lone = np.zeros(len(ms), dtype=bool)
    lone[rows[alone]] = True
    ledger.refuse(lone, "fix_jump", speed=f"{settings.jump_mps:g}")
    cut[rows[begins]] = True
    ledger.warn("track_cut", cut, speed=f"{settings.jump_mps:g}")
    return cut


def _pieces(
    fixes: Fixes, cut: Array, names: list[str], patrols: list[str], ledger: Ledger, settings: Settings
) -> list[str]:
    """What lies after a cut is a patrol of its own, so that nobody draws or counts a way across.

    Pieces end at the next cut, where the patrol changes, and at a gap that ends a patrol. Tracks without a cut stay as
    they are.
    """
    if not cut.any():
        return patrols
    unit, ms, patrol, patrols = fixes.unit, fixes.ms, fixes.patrol.copy(), list(patrols)
    rows = fixes.order[ledger.alive[fixes.order]]
    key = unit[rows] * (len(patrols) + 1) + patrol[rows] + 1
    again = np.argsort(key, kind="stable")
    rows, key = rows[again], key[again]
    gap = np.diff(ms[rows]) > settings.patrol_split_s * 1000
    nameless = patrol[rows][1:] < 0
    begins = np.r_[True, (np.diff(key) != 0) | cut[rows][1:] | (gap & nameless)]
    torn = np.isin(key, key[cut[rows]])
    starts = np.flatnonzero(begins)
    for number, start in enumerate(starts.tolist()):
        row = rows[start]
        if not torn[start] or (patrol[row] >= 0 and not cut[row]):
            continue  # the first piece of a named patrol keeps the name
        end = starts[number + 1] if number + 1 < len(starts) else len(rows)
        base = names[unit[row]] if patrol[row] < 0 else patrols[patrol[row]]
        patrol[rows[start:end]] = len(patrols)
        patrols.append(named(base, ms[row]))
    fixes.patrol = patrol
    return patrols
