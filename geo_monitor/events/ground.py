"""What detectors ask of river and law: where a fix lies, which reaches touch, which zones hold, what a rule's thresholds
are.

In: a network (or none), table `zones`, table `levels`, rules. Out: arrays for the machines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import GeoMonitorError, Refused
from geo_monitor.events.rule import KINDS, Rule
from geo_monitor.joins.areas import Areas
from geo_monitor.joins.zones import Zone, zones_between
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo_monitor.river.network import Network

# zones are asked for once, for all times there may be fixes of, so that no window's end hangs on which fixes came
EVER = int(np.datetime64("2000-01-01", "ms").astype(np.int64)), int(np.datetime64("2100-01-01", "ms").astype(np.int64))
LANDING = re.compile(r"码头|渡口|上岸点|卸货点|靠泊点|landing|wharf|ferry", re.IGNORECASE)
PERMIT = re.compile(r"许可|审批|批准|特许|持证|permit|licen[cs]e|authori[sz]", re.IGNORECASE)


class Ground:
    """The river under the fixes; without a network nothing is on the water."""

    def __init__(self, network: Network | None) -> None:
        self.network = network
        self.stem = np.full(0, -1, dtype=np.int64)
        if network is not None:
            axis, n = network.axis, network.channels
            self.stem = np.full(len(network.reaches), -1, dtype=np.int64)
            self.stem[:n] = np.searchsorted(axis.start, network.low[:n] + 1e-6, side="right")
            self.ids = network.reaches["reach_id"].to_numpy(dtype=object)
            self.rivers = network.reaches["river"].to_numpy(dtype=object)
        self._touching: np.ndarray | None = None
        self._within: dict[float, np.ndarray] = {}

    def place(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reach (n,) int, -1 for none, and chainage (n,) km, of WGS84 degrees."""
        if self.network is None:
            return np.full(len(lon), -1, dtype=np.int64), np.full(len(lon), np.nan)
        from geo_monitor.river.locate import place

        spots = place(lon, lat, self.network)
        return spots.reach.astype(np.int64), spots.km

    def touch(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Whether reaches (n,) are the same or touch by water; never where one is -1."""
        if self.network is None:
            return np.zeros(len(a), dtype=bool)
        if self._touching is None:
            self._touching = self._keys(self.network.adjacency)
        return self._told(a, b, self._touching)

    def near(self, a: np.ndarray, b: np.ndarray, metres: float) -> np.ndarray:
        """Whether reaches (n,) are the same or have their middles within `metres` by water."""
        if self.network is None:
            return np.zeros(len(a), dtype=bool)
        if metres not in self._within:
            self._within[metres] = self._keys(self.network.within(metres))
        return self._told(a, b, self._within[metres])

    def _keys(self, matrix: Any) -> np.ndarray:
        pairs = matrix.tocoo()
        return np.unique(pairs.row.astype(np.int64) * len(self.stem) + pairs.col)

    def _told(self, a: np.ndarray, b: np.ndarray, keys: np.ndarray) -> np.ndarray:
        key = a * len(self.stem) + b
        at = np.minimum(np.searchsorted(keys, key), max(len(keys) - 1, 0))
        linked = keys[at] == key if len(keys) else np.zeros(len(a), dtype=bool)
        return (a >= 0) & (b >= 0) & ((a == b) | linked)


@dataclass(frozen=True)
class Law:
    """The zones: all of them; which are landings, which ask for a permit (z,) bool; and of the landings alone `landings`
    with the place `landing_at` of each in `areas`."""

    areas: Areas
    permit: np.ndarray
    landings: Areas
    landing_at: np.ndarray

    @classmethod
    def of(cls, zones: gpd.GeoDataFrame, levels: pd.DataFrame, settings: Settings) -> Law:
        """Of tables `zones` and `levels`. A landing is told by its category, a permit by category or rule (in words)."""
        found = zones_between(zones, *EVER, levels, settings) if len(zones) else []
        words: dict[tuple[str, int, str], tuple[str, str]] = {}
        for row in zones[["agency", "zone_id", "version", "category", "rule"]].itertuples(index=False):
            key = str(row.zone_id), int(row.version), _text(row.agency)
            old = words.get(key, ("", ""))
            words[key] = f"{old[0]} {_text(row.category)}", f"{old[1]} {_text(row.rule)}"
        told = [words[zone.zone_id, zone.version, zone.agency or ""] for zone in found]
        landing = np.array([bool(LANDING.search(category)) for category, _ in told], dtype=bool)
        permit = np.array([bool(PERMIT.search(f"{category} {rule}")) for category, rule in told], dtype=bool)
        at = np.flatnonzero(landing)
        return cls(Areas.of(found), permit, Areas.of([found[i] for i in at]), at)

    def holds(self, z: int, lon: float, lat: float, ms: int) -> bool:
        """Whether zone version `z` is in force at `ms` at a place, its border included."""
        from geo_monitor.joins.kernels import inside

        areas = self.areas
        windows = areas.windows[areas.window_at[z] : areas.window_at[z + 1]]
        if not bool(((windows[:, 0] <= ms) & (ms < windows[:, 1])).any()):
            return False
        return bool(inside(lon, lat, *edges(areas, z)))

    def zone(self, z: int) -> Zone:
        return self.areas.zones[z]


def edges(areas: Areas, z: int) -> tuple[Any, ...]:
    """The arguments of `joins.kernels.inside` for zone version `z`."""
    return (
        areas.edges[areas.edge_at[z] : areas.edge_at[z + 1]], areas.slab[areas.slab_at[z] : areas.slab_at[z + 1]],
        areas.filed[areas.filed_at[z] : areas.filed_at[z + 1]], areas.grid[z, 0], areas.grid[z, 1], areas.box[z],
    )  # fmt: skip


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def limits(rule: Rule, settings: Settings) -> Mapping[str, float]:
    """The thresholds of a rule by name without `event_`: its own values, else those of the settings.

    Raises `Refused("event_kind_unknown")`, `Refused("event_threshold_unknown")`.

    >>> limits(Rule("r", 1, "slow", {"slow_s": 900.0}), Settings())["slow_s"]
    900.0
    """
    if rule.kind not in KINDS:
        raise Refused("event_kind_unknown", rule=rule.rule, kind=rule.kind, kinds=[*KINDS])
    names = [part.name for part in fields(Settings) if part.name.startswith(f"event_{rule.kind}_")]
    names += ["event_current_mps"] if rule.kind == "slow" else []
    values = {name.removeprefix("event_"): getattr(settings, name) for name in names}
    for name, value in rule.values.items():
        short = name.removeprefix("event_")
        if short not in values:
            raise Refused("event_threshold_unknown", rule=rule.rule, kind=rule.kind, name=name, names=[*values] or "-")
        values[short] = type(values[short])(value)
    return values


def checked(settings: Settings) -> Settings:
    """The settings, if no machine looks back beyond a cut; raises `GeoMonitorError("event_cut_too_short")`."""
    least = max(settings.event_leg_s, settings.event_window_s, settings.patrol_split_s, settings.visit_exit_s)
    if settings.event_cut_s <= least:
        raise GeoMonitorError("event_cut_too_short", cut=settings.event_cut_s, least=least)
    return settings


def within_hours(ms: int, hours: tuple[float, float] | None) -> bool:
    """Whether a moment (ms UTC) lies in [from, to) on the Shanghai clock; may wrap midnight.

    >>> within_hours(13 * 3_600_000, (20, 4)), within_hours(20 * 3_600_000, (20, 4))
    (True, False)
    """
    if hours is None:
        return True
    clock = ((ms + SHANGHAI_MS) % DAY_MS) / 3_600_000
    begin, end = hours
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


def spread(count: int, most: int) -> Sequence[int]:
    """Up to `most` of 0 ... count - 1, evenly, both ends among them.

    >>> list(spread(5, 3)), list(spread(2, 3))
    ([0, 2, 4], [0, 1])
    """
    if count <= most:
        return range(count)
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]
