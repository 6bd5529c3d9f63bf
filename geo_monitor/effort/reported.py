"""Patrols reported in words (river, km from-to, start, end): their time, spread evenly along the stretch.

In: table `patrols` with how == "reported", the time the units' own tracks already account for. Out: pieces for the sums
of `geo_monitor.effort`, and notes about patrols whose stretch lies (partly) off the network. Rules:
`docs/methods-effort.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.effort.minutes import Totals, cut_at_midnight, day_and_night, firsts, keys
from geo_monitor.tables import PLATFORMS
from geo_monitor.tracks import MINUTE_MS, Tracks, milliseconds

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort.looked import Water
    from geo_monitor.settings import Settings

_POINT_KM = 1e-6  # a stretch without length is the reach that holds its kilometre


@dataclass
class Reported:
    """Reported patrols (m,), by unit and start.

    `unit` numbers units: those with tracks as in `Tracks.unit_ids`, others after them. A patrol that names no unit is
    that of the tracks with its patrol_id if there is exactly one, else a unit of its own.
    """

    frame: pd.DataFrame
    unit: np.ndarray
    start: np.ndarray
    end: np.ndarray
    platform: np.ndarray
    notes: list[dict[str, Any]] = field(default_factory=list)
    _covered: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _known: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    @classmethod
    def read(cls, patrols: pd.DataFrame | None, tracks: Tracks) -> Reported:
        import pandas as pd

        if patrols is None:
            patrols = pd.DataFrame({"how": pd.Series(dtype=object)})
        frame = patrols[patrols["how"] == "reported"].reset_index(drop=True)
        if frame.empty:
            none = np.empty(0, dtype=np.int64)
            return cls(frame, none, none, none, none)
        notes = []
        start, end = milliseconds(frame["started_at"]), milliseconds(frame["ended_at"])
        for i in np.flatnonzero(end <= start):
            notes.append({"code": "patrol_without_time", "params": {"patrol": str(frame["patrol_id"].iloc[i])}})
        unit = _units(frame, tracks)
        if "platform" in frame:
            named = frame["platform"].where(frame["platform"].notna(), "boat")
            platform = pd.Index(PLATFORMS).get_indexer(pd.Index(named)).astype(np.int64)
            if (platform < 0).any():
                from geo_monitor.errors import GeoMonitorError

                raise GeoMonitorError("tracks_platform_unknown", names=sorted(set(named[platform < 0])))
        else:
            platform = np.full(len(frame), PLATFORMS.index("boat"), dtype=np.int64)
        order = np.lexsort((frame["patrol_id"].astype(str).rank(method="dense").to_numpy(), end, start, unit))
        order = order[(end > start)[order]]
        return cls(frame.iloc[order], unit[order], start[order], end[order], platform[order], notes)

    def cover(self, unit: np.ndarray, start: np.ndarray, end: np.ndarray, seen: np.ndarray, key: np.ndarray) -> None:
        """Takes note of counted legs (unit, start, end) and of where units were seen (seen, key)."""
        if not len(self.unit):
            return
        use = np.isin(unit, self.unit)
        self._covered.append((unit[use].astype(np.int64), start[use], end[use]))
        use = np.isin(seen, self.unit)
        pairs = np.unique(np.stack([seen[use].astype(np.int64), key[use]]), axis=1)
        self._known.append((pairs[0], pairs[1]))

    def spread(self, network: Water, total: Totals, settings: Settings) -> None:
        """Adds what the units' own tracks leave of these patrols to `total`."""
        from geo_monitor.effort.kernels import uncovered

        if not len(self.unit):
            return
        none = np.empty(0, dtype=np.int64)
        # chunks come in the order of units, so their legs are still sorted when put together
        cover = [np.concatenate([none, *(part[i] for part in self._covered)]) for i in range(3)]
        of, lo, hi = uncovered(self.unit, self.start, self.end, *cover)
        patrol, day, begin, end = cut_at_midnight(of, lo, hi)
        count, reach, share = self._stretches(network, patrol, end - begin)
        piece = np.repeat(np.arange(len(patrol)), count[patrol])
        # rows of each piece: the stretch of its patrol
        offset = np.cumsum(count) - count
        row = np.repeat(offset[patrol], count[patrol]) + _within(count[patrol])
        reach, share = reach[row], share[row]
        ms, night = day_and_night(begin, end, piece, share, settings)
        total.unlocated += int(ms[reach < 0].sum())
        use = (reach >= 0) & (ms > 0)
        piece, reach, ms, night = piece[use], reach[use], ms[use], night[use]
        patrol, day, end = patrol[piece], day[piece], end[piece]
        key = keys(reach, day, self.platform[patrol])
        unit = self.unit[patrol]
        fresh = firsts(unit, key) & ~self._seen(unit, key)
        total.add(
            key, ms, reach=reach, end=end, night=night, units=fresh.astype(np.int64), reported=ms,
            passes=firsts(patrol, key).astype(np.int64),
        )  # fmt: skip

    def _seen(self, unit: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Whether the unit's own tracks already count it there."""
        known = {pair for part in self._known for pair in zip(*(column.tolist() for column in part), strict=True)}
        return np.array([pair in known for pair in zip(unit.tolist(), key.tolist(), strict=True)], dtype=bool)

    def _stretches(self, network: Water, used: np.ndarray, ms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows per patrol (m,), and their reach (-1 = off the network) and share. Notes patrols off the network."""
        left = np.bincount(used, weights=ms, minlength=len(self.unit)) / MINUTE_MS
        reach_from = network.reaches["km_from"].to_numpy(dtype=float)
        reach_to = network.reaches["km_to"].to_numpy(dtype=float)
        cache: dict[tuple[Any, float, float], tuple[np.ndarray, np.ndarray]] = {}
        count, reaches, shares = [], [], []
        columns = (self.frame[name] for name in ("patrol_id", "river", "km_from", "km_to"))
        for i, (patrol_id, river, km_a, km_b) in enumerate(zip(*columns, strict=True)):
            where = (river if isinstance(river, str) else None, float(km_a), float(km_b))
            if where not in cache:
                cache[where] = _stretch(network, reach_from, reach_to, *where)
            reach, share = cache[where]
            off = float(share[reach < 0].sum()) * left[i]
            if off > 0.01:
                params = {"patrol": str(patrol_id), "river": str(river), "km_from": km_a, "km_to": km_b}
                self.notes.append({"code": "patrol_off_network", "params": {**params, "minutes": round(off, 2)}})
            count.append(len(reach))
            reaches.append(reach)
            shares.append(share)
        return np.array(count), np.concatenate(reaches), np.concatenate(shares)


def _within(count: np.ndarray) -> np.ndarray:
    """0, 1, … within each of the groups of these sizes."""
    return np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)


def _units(frame: pd.DataFrame, tracks: Tracks) -> np.ndarray:
    number: dict[Any, int] = {name: i for i, name in enumerate(tracks.unit_ids)}
    patrols = {name: i for i, name in enumerate(tracks.patrol_ids)}
    nameless = [patrols[name] for name in frame.loc[frame["unit_id"].isna(), "patrol_id"] if name in patrols]
    at = np.flatnonzero(np.isin(tracks.columns["patrol"], nameless)) if nameless else np.empty(0, dtype=np.int64)
    owners: dict[int, set[int]] = {}
    for patrol, owner in np.unique(
        np.stack([tracks.columns["patrol"][at], tracks.columns["unit"][at]]), axis=1
    ).T.tolist():
        owners.setdefault(patrol, set()).add(owner)
    units = []
    for unit_id, patrol_id in zip(frame["unit_id"], frame["patrol_id"], strict=True):
        if isinstance(unit_id, str):
            units.append(number.setdefault(unit_id, len(number)))
            continue
        owner_set = owners.get(patrols.get(patrol_id, -1), set())
        # no tuple is ever a unit_id, so a patrol without unit can't collide with one
        alone = ("patrol", patrol_id, len(units))
        units.append(next(iter(owner_set)) if len(owner_set) == 1 else number.setdefault(alone, len(number)))
    return np.array(units, dtype=np.int64)


def _stretch(
    network: Water, reach_from: np.ndarray, reach_to: np.ndarray, river: str | None, km_a: float, km_b: float
) -> tuple[np.ndarray, np.ndarray]:
    """Reaches and shares of a stretch, summing to 1; what lies off the network is reach -1."""
    nowhere = np.array([-1], dtype=np.int64), np.array([1.0])
    if river is None or np.isnan(km_a) or np.isnan(km_b):
        return nowhere
    low, high = min(km_a, km_b), max(km_a, km_b)
    if high - low < _POINT_KM:
        for lo, hi in ((low, low + _POINT_KM), (low - _POINT_KM, low)):  # the second: the very end of a river
            reach, _ = network.stretch(river, lo, hi)
            if len(reach):
                return np.asarray(reach[:1], dtype=np.int64), np.array([1.0])
        return nowhere
    reach, metres = network.stretch(river, low, high)
    reach, metres = np.asarray(reach, dtype=np.int64), np.asarray(metres, dtype=float)
    if not len(reach) or not metres.sum() > 0:
        return nowhere
    # km may be official marks while metres follow the drawn line, so the covered part is told in km
    km = np.minimum(reach_to[reach], high) - np.maximum(reach_from[reach], low)
    on = min(1.0, float(np.maximum(km, 0).sum()) / (high - low))
    share = metres / metres.sum()
    if on > 1 - 1e-6:
        return reach, share
    return np.append(reach, -1), np.append(share * on, 1 - on)
