"""Machines of one unit: slow, loiter, gap, overdue. Each takes a unit's fixes in time order and keeps a state.

In: rows of a unit (`rows`). Out: `Found`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from geo_monitor.events import kernels
from geo_monitor.events import rows as at
from geo_monitor.events.event import Event
from geo_monitor.events.ground import Law
from geo_monitor.settings import Settings
from geo_monitor.tracks import KNOT

UNPLACED = -2  # a reach nobody has looked up yet


@dataclass(eq=False)
class Found:
    """An event before its rule's restrictions: `rule` is the place of the rule in the list, `reach` an index (-1: not on
    the water, `UNPLACED`: to be looked up); times ms UTC, end None while it goes on. Not changed once it is made; `event`
    keeps what it was turned into."""

    rule: int
    units: tuple[str, ...]
    zone: str | None
    start: int
    end: int | None
    lon: float
    lat: float
    evidence: dict[str, Any]
    reach: int = UNPLACED
    km: float = np.nan
    event: Event | None = None
    judged: bool = False  # whether its rule was asked


class Machine(Protocol):
    """A machine of one rule: width of its state and of a row of what ended."""

    width: int
    out: int
    ends: bool  # what goes on ends at the unit's last fix when its track is cut; else with its next fix

    def advance(self, rows: np.ndarray, first: int, stop: int, state: np.ndarray, out: np.ndarray) -> int:
        """Takes the unit through rows [first, stop); how many rows of `out` ended."""
        ...

    def going(self, rows: np.ndarray, n: int, state: np.ndarray, now: int) -> np.ndarray | None:
        """What goes on after `n` fixes at `now`, as a row of what ended."""
        ...

    def found(self, unit: str, row: np.ndarray, going: bool) -> Found:
        """A row as an event."""
        ...


def minutes(start: float, end: float | None) -> float | None:
    return None if end is None else round((end - start) / 60_000, 3)


@dataclass
class Runs:
    """slow (`law` None) and loiter."""

    rule: int
    limits: Mapping[str, float]
    settings: Settings
    law: Law | None
    width: int = at.RUN
    out: int = at.RUN
    ends: bool = True

    def __post_init__(self) -> None:
        of, s = self.limits, self.settings
        name = "slow" if self.law is None else "loiter"
        self.low = of["slow_low_kn"] * KNOT if self.law is None else 0.0
        self.high = (of["slow_high_kn"] if self.law is None else of["loiter_kn"]) * KNOT
        # a hair over the upper end for slow, where it belongs to the range
        self.arguments: tuple[Any, ...] = (
            self.low, float(np.nextafter(self.high, np.inf)) if self.law is None else self.high,
            of.get("current_mps", 0.0), self.law is None, of.get("loiter_m", 0.0), of[f"{name}_s"] * 1000.0,
            of[f"{name}_break_s"] * 1000.0, s.event_cut_s * 1000.0,
        )  # fmt: skip
        areas = self.law.landings if self.law is not None else None
        none, numbers = np.zeros(1, np.int64), np.empty((0, 4))
        self.areas: tuple[Any, ...] = (
            (none, np.empty((0, 2), np.int64), none, numbers, none, none[:0], none, none[:0], np.empty((0, 2)), numbers)
            if areas is None
            else (areas.window_at, areas.windows, areas.edge_at, areas.edges, areas.slab_at, areas.slab,
                  areas.filed_at, areas.filed, areas.grid, areas.box)
        )  # fmt: skip

    def advance(self, rows: np.ndarray, first: int, stop: int, state: np.ndarray, out: np.ndarray) -> int:
        arguments = (rows, first, stop, *self.arguments, *self.areas, state, out)
        return int(kernels.runs(*arguments))

    def going(self, rows: np.ndarray, n: int, state: np.ndarray, now: int) -> np.ndarray | None:
        return state if state[at.ON] > 0 and state[at.OPENED] > 0 else None

    def found(self, unit: str, row: np.ndarray, going: bool) -> Found:
        start, last = int(row[at.START]), int(row[at.LAST])
        end = None if going else last
        count = int(row[at.COUNT])
        kept = row[at.FIXES : at.FIXES + 3 * int(row[at.KEPT])].reshape(-1, 3)
        speed = {"least": row[at.LEAST], "mean": row[at.SUM] / count, "most": row[at.MOST]}
        evidence: dict[str, Any] = {
            "minutes": minutes(start, end),
            "speed_mps": {name: round(float(value), 3) for name, value in speed.items()},
            "fixes": {"number": count, "first": start, "last": int(row[at.UNTIL]),
                      "some": [[unit, int(t), float(x), float(y)] for t, x, y in kept]},
        }  # fmt: skip
        zone = None
        if self.law is None:
            current = self.limits["current_mps"]
            evidence["current_mps"] = current
            evidence["current"] = "stated" if current else "not known"
        else:
            zone = str(self.law.zone(int(self.law.landing_at[int(row[at.ON]) - 1])).zone_id)
        evidence["limits"] = dict(self.limits)
        x, y = float(kept[0, 1]), float(kept[0, 2])
        return Found(self.rule, (unit,), zone, start, end, x, y, evidence, int(row[at.AT_REACH]), float(row[at.AT_KM]))


@dataclass
class Gap:
    """gap: silences. Whether a shore station fell silent instead is asked of all units together (`together.Muting`).
    river: whether there is one; then a boat last heard elsewhere has left the water we know, and is not told."""

    rule: int
    limits: Mapping[str, float]
    settings: Settings
    river: bool
    width: int = at.GAP
    out: int = at.GAP_OUT
    ends: bool = False

    def __post_init__(self) -> None:
        of = self.limits
        self.arguments = (of["gap_s"] * 1000.0, of["gap_factor"], min(int(of["gap_intervals"]), at.INTERVALS),
                          of["gap_moored_s"] * 1000.0, self.river)  # fmt: skip

    def advance(self, rows: np.ndarray, first: int, stop: int, state: np.ndarray, out: np.ndarray) -> int:
        return int(kernels.gaps(rows, first, stop, *self.arguments, self.settings.event_cut_s * 1000.0, state, out))

    def going(self, rows: np.ndarray, n: int, state: np.ndarray, now: int) -> np.ndarray | None:
        if now - rows[n - 1, at.T] <= self.arguments[0]:
            return None
        row = np.empty(at.GAP_OUT)
        return row if kernels.silence(rows, n - 1, float(now), state, *self.arguments, row) else None

    def found(self, unit: str, row: np.ndarray, going: bool) -> Found:
        start, end = int(row[at.G_START]), None if going else int(row[at.G_END])
        x, y = float(row[at.G_LON]), float(row[at.G_LAT])
        evidence = {
            "minutes": minutes(start, end),
            "limit_s": float(row[at.G_LIMIT]) / 1000,
            "median_interval_s": float(row[at.G_MEDIAN]) / 1000,
            "intervals": int(row[at.G_COUNT]),
            "fixes": {"number": 1, "first": start, "last": start, "some": [[unit, start, x, y]]},
            "limits": dict(self.limits),
        }
        return Found(self.rule, (unit,), None, start, end, x, y, evidence, int(row[at.G_REACH]), float(row[at.G_KM]))


@dataclass
class Overdue:
    """overdue: patrols that are not back."""

    rule: int
    limits: Mapping[str, float]
    settings: Settings
    width: int = at.OVERDUE
    out: int = at.OVERDUE_OUT
    ends: bool = False

    def __post_init__(self) -> None:
        of = self.limits
        self.long, self.quiet = of["overdue_s"] * 1000.0, of["overdue_silent_s"] * 1000.0
        self.split = self.settings.patrol_split_s * 1000.0

    def advance(self, rows: np.ndarray, first: int, stop: int, state: np.ndarray, out: np.ndarray) -> int:
        away_m = self.limits["overdue_m"]
        return int(kernels.overdue(rows, first, stop, self.long, self.quiet, away_m, self.split, state, out))

    def going(self, rows: np.ndarray, n: int, state: np.ndarray, now: int) -> np.ndarray | None:
        if state[at.P_ON] == 0:
            return None
        row = np.empty(at.OVERDUE_OUT)
        return row if kernels.overdue_now(state, float(now), self.long, self.quiet, self.split, row) else None

    def found(self, unit: str, row: np.ndarray, going: bool) -> Found:
        start, end = int(row[at.O_START]), None if going else int(row[at.O_END])
        x, y = float(row[at.O_LON]), float(row[at.O_LAT])
        began = int(row[at.O_BEGIN])
        evidence: dict[str, Any] = {
            "minutes": minutes(start, end),
            "why": "silent" if row[at.O_SILENT] > 0 else "long",
            "patrol_began": began,
            "metres_from_begin": round(kernels.metres(row[at.O_BLON], row[at.O_BLAT], x, y)),
            "fixes": {"number": 2, "first": began, "last": None,
                      "some": [[unit, began, float(row[at.O_BLON]), float(row[at.O_BLAT])]]},
            "limits": dict(self.limits),
        }  # fmt: skip
        if row[at.O_SILENT] > 0:  # the last fix that was heard does not change while it is silent
            last = int(row[at.O_LAST])
            evidence["fixes"] = {"number": 2, "first": began, "last": last,
                                 "some": [[unit, began, float(row[at.O_BLON]), float(row[at.O_BLAT])],
                                          [unit, last, x, y]]}  # fmt: skip
        return Found(self.rule, (unit,), None, start, end, x, y, evidence)
