"""What is kept of one unit: its fixes in time order, and the states of its machines now and some time ago.

A fix newer than all others moves the states on. An older one takes the machines back to a state of before it, and
through the fixes after it again. So what is found never depends on the order in which fixes came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from geo_monitor.events import kernels
from geo_monitor.events import rows as at
from geo_monitor.events.single import Found, Machine
from geo_monitor.settings import Settings

BLOCK = 4096  # fixes worked at once: bounds the room for what ends among them
THIN_MS = 60_000  # of every minute the last fix is kept longer ...
THIN_KEPT_MS = 86_400_000  # ... for a day, where others can be read again


@dataclass
class Visiting:
    """Zone visits of a unit: the machine's state by zone version (`joins.machine`), and its last traffic fix."""

    state: dict[int, np.ndarray] = field(default_factory=dict)
    last: tuple[int, float, float] | None = None

    def copy(self) -> Visiting:
        return Visiting({z: row.copy() for z, row in self.state.items()}, self.last)


@dataclass
class Level:
    """Everything after the first `index` fixes: states of the machines, visits, and how many events had ended."""

    index: int
    states: list[np.ndarray]
    visiting: Visiting
    ended: list[int]
    visited: int

    def copy(self) -> Level:
        return Level(self.index, [state.copy() for state in self.states], self.visiting.copy(), list(self.ended),
                     self.visited)  # fmt: skip


class Track:
    """One unit. `rows` (n, `rows.WIDTH`) of `data` are its fixes; `ended`: of each machine the events that are over."""

    def __init__(self, unit: str, machines: Sequence[Machine]) -> None:
        self.unit = unit
        self.machines = machines
        self.data = np.empty((64, at.WIDTH))
        self.n = 0
        self.traffic = self.patrol = self.sensor = False  # whether it has been a boat of these, a sensor
        self.pruned = False  # whether older fixes have been given up: all from `whole`, ms UTC, on are at hand
        self.whole = -np.inf
        self.ended: list[list[Found]] = [[] for _ in machines]
        self.visited: list[tuple[int, int, int, bool]] = []  # zone version, entered, left, seen: visits that are over
        # as events: of each entry (zone version, ms) by rule, left, observed, going on
        self.visits: dict[tuple[int, int], dict[tuple[int, int, bool, bool], Found]] = {}
        self.entries: dict[tuple[int, int], list[list[float]]] = {}  # fixes at the begin of a visit
        self.done, self.done_visits = [0] * len(machines), 0  # of these, how many are told and stay
        self.head = self._fresh()
        self.mid, self.base = self.head.copy(), self.head.copy()
        self.thin = np.empty((64, 3))
        self.thinned = 0
        self.thin_from = -np.inf  # of every minute from then on the last fix is at hand

    def _fresh(self) -> Level:
        states = [np.zeros(machine.width) for machine in self.machines]
        return Level(0, states, Visiting(), [0] * len(self.machines), 0)

    @property
    def held(self) -> float:
        """The moment, ms UTC, from which all fixes are at hand."""
        return float(self.data[0, at.T]) if self.pruned else -np.inf

    @property
    def rows(self) -> np.ndarray:
        return self.data[: self.n]

    @property
    def heard(self) -> np.ndarray:
        """(m, 3) time, lon, lat: of every minute its last fix."""
        return self.thin[: self.thinned]

    @property
    def boat(self) -> bool:
        return self.traffic or self.patrol

    @property
    def last(self) -> float:
        return float(self.data[self.n - 1, at.T])

    def merge(self, new: np.ndarray) -> int:
        """Takes fixes (m, WIDTH) by time in; the first row that is not as before (n: none).

        Of a moment sent twice the first by lon, lat and what follows stands for both, whichever came first.
        """
        if self.n == 0 or new[0, at.T] > self.data[self.n - 1, at.T]:
            first = self.n
            self._append(new)
            return first
        k = int(np.searchsorted(self.rows[:, at.T], new[0, at.T]))
        old = self.rows[k:].copy()
        both = canonical(np.concatenate([old, new]))
        m = min(len(old), len(both))
        given = slice(0, at.SINCE)
        same = ((old[:m, given] == both[:m, given]) | (np.isnan(old[:m, given]) & np.isnan(both[:m, given]))).all(
            axis=1
        )
        first = int(np.argmin(same)) if not same.all() else m
        if first == len(both):
            return self.n
        self.n = k + first
        self._append(both[first:])
        return k + first

    def _append(self, new: np.ndarray) -> None:
        need = self.n + len(new)
        if need > len(self.data):
            data = np.empty((max(need, 2 * len(self.data)), at.WIDTH))
            data[: self.n] = self.rows
            self.data = data
        self.data[self.n : need] = new
        self.n = need
        kind = new[:, at.KIND]
        self.traffic = self.traffic or bool((kind == at.TRAFFIC).any())
        self.patrol = self.patrol or bool((kind == at.PATROL).any())
        self.sensor = self.sensor or bool((kind == at.SEEN).any())

    def again(self, rows: np.ndarray) -> None:
        """Begins anew with these fixes (canonical); what ended before the first of them stays."""
        begin = rows[0, at.T]
        self.data, self.n = np.empty((0, at.WIDTH)), 0
        self._append(rows)
        self.entries = {key: told for key, told in self.entries.items() if key[1] < begin}
        self.visits = {key: told for key, told in self.visits.items() if key[1] < begin}
        self.whole = begin if self.pruned else -np.inf
        self.done, self.done_visits = [0] * len(self.machines), 0
        self.ended = [[found for found in of if found.start < begin] for of in self.ended]
        self.visited = [visit for visit in self.visited if visit[1] < begin]
        self.head = self._fresh()
        self.head.ended, self.head.visited = [len(of) for of in self.ended], len(self.visited)
        self.mid, self.base = self.head.copy(), self.head.copy()

    def back(self, first: int) -> bool:
        """Takes the machines back to a state from before row `first`; whether there is one."""
        if first < self.head.index:
            if first >= self.mid.index:
                self.head = self.mid.copy()
            elif first >= self.base.index:
                self.head = self.base.copy()
                self.mid = self.base.copy()
            elif not self.pruned:
                self.again(self.rows.copy())
            else:
                return False
            for of, length in zip(self.ended, self.head.ended, strict=True):
                del of[length:]
            del self.visited[self.head.visited :]
        return True

    def derive(self, first: int, stem: np.ndarray, settings: Settings) -> None:
        """Works out what hangs on the fixes before, from row `first` on, and thins."""
        kernels.derive(
            self.data, first, self.n, stem, settings.event_still_m, settings.event_window_s * 1000.0,
            settings.event_leg_s * 1000.0, settings.event_cut_s * 1000.0,
        )  # fmt: skip
        minute = self.data[first, at.T] // THIN_MS
        rows = self.rows[first:]
        while len(rows) and first > 0 and self.data[first - 1, at.T] // THIN_MS == minute:
            first -= 1
        rows = self.rows[first:]
        rows = rows[rows[:, at.KIND] != at.SEEN]
        of = rows[:, at.T] // THIN_MS
        last = rows[np.flatnonzero(np.append(of[1:] != of[:-1], True)[: len(of)])][:, [at.T, at.LON, at.LAT]]
        keep = int(np.searchsorted(self.heard[:, 0], minute * THIN_MS))
        if keep + len(last) > len(self.thin):
            thin = np.empty((max(keep + len(last), 2 * len(self.thin)), 3))
            thin[:keep] = self.thin[:keep]
            self.thin = thin
        self.thin[keep : keep + len(last)] = last
        self.thinned = keep + len(last)

    def advance(self, out: np.ndarray) -> None:
        """Takes the machines (not the visits) through the fixes they have not seen."""
        while self.head.index < self.n:
            stop = min(self.head.index + BLOCK, self.n)
            for m, machine in enumerate(self.machines):
                room = out[: (stop - self.head.index + 2) * machine.out].reshape(-1, machine.out)
                count = machine.advance(self.data, self.head.index, stop, self.head.states[m], room)
                self.ended[m] += [machine.found(self.unit, row, False) for row in room[:count]]
            self.head.index = stop

    def settle(self, settings: Settings) -> None:
        """Keeps the states of now for fixes that come late."""
        self.head.ended, self.head.visited = [len(of) for of in self.ended], len(self.visited)
        late = settings.event_late_s * 1000.0
        if self.head.index == self.mid.index:
            return
        if self.mid.index == 0 or self.data[self.mid.index - 1, at.T] <= self.last - late:
            self.base, self.mid = self.mid, self.head.copy()

    def prune(self, settings: Settings) -> None:
        """Gives up fixes that no fix in time will ask for."""
        if self.base.index == 0:
            return
        # what machines, windows of speed and legs look back on from the first fix after the state kept
        ago = (settings.event_window_s + 2 * settings.event_leg_s) * 1000.0
        before = float(self.data[self.base.index - 1, at.T]) - ago
        gone = min(int(np.searchsorted(self.rows[:, at.T], before)), self.base.index - 1)
        if gone <= 0:
            return
        self.data = self.rows[gone:].copy()
        self.n -= gone
        for level in (self.base, self.mid, self.head):
            level.index -= gone
        self.pruned, self.whole = True, before
        old = int(np.searchsorted(self.heard[:, 0], self.last - THIN_KEPT_MS))
        if old:
            self.thin_from = self.last - THIN_KEPT_MS
        self.thin, self.thinned = self.heard[old:].copy(), self.thinned - old

    def forget(self, before: float) -> None:
        """Gives up events that were over before `before` (ms UTC) and are so whatever comes in time."""
        levels = (self.base, self.mid, self.head)
        for m, of in enumerate(self.ended):
            gone = 0
            while gone < self.base.ended[m] and (of[gone].end or 0) < before:
                gone += 1
            del of[:gone]
            self.done[m] = max(self.done[m] - gone, 0)
            for level in levels:
                level.ended[m] -= gone
        gone = 0
        while gone < self.base.visited and self.visited[gone][2] < before:
            gone += 1
        del self.visited[:gone]
        self.done_visits = max(self.done_visits - gone, 0)
        for level in levels:
            level.visited -= gone
        standing = {visit[:2] for visit in self.visited} | {key for key in self.entries if key[1] >= before}
        standing |= {key for key in self.entries if key[0] in self.head.visiting.state}
        self.entries = {key: told for key, told in self.entries.items() if key in standing}
        self.visits = {key: told for key, told in self.visits.items() if key in standing}


def canonical(rows: np.ndarray) -> np.ndarray:
    """Fixes (n, WIDTH) by time, one a moment: the first by lon, lat, kind."""
    keys = (at.KM, at.REACH, at.KIND, at.LAT, at.LON, at.T)
    rows = rows[np.lexsort([rows[:, key] for key in keys])]
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = rows[1:, at.T] != rows[:-1, at.T]
    return rows[fresh]
