"""Travel time by water: from many boats to one place, with current, speed limits and locks.

A stretch of length L takes L / (v - c) upstream and L / (v + c) downstream for a boat of speed v through the water in a
current c; a limit caps the speed over ground. The quickest ways to one place are one Dijkstra search over the graph with
every edge turned round (Ahuja, Magnanti and Orlin, Network Flows, 1993, section 4.2), exact within a reach too: a place
lies between two nodes, and the way leaves by whichever makes it quicker.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from geo_monitor.errors import Refused, Usage
from geo_monitor.river.geodesy import Floats, to_degrees

if TYPE_CHECKING:
    from geo_monitor.river.network import Network

SAME_M = 1e-3  # metres; two cuts this close are one (as in river.paths)
BELOW_M = 1.0  # metres; a lock with no channel above it (a lake's outflow) stands this far below
LEAST_S = 1e-9  # seconds; an edge of no time would pass for no edge
FIELDS = 32  # speeds whose directed graph is kept (under 3 MB each on the shipped river at 500 m)


@dataclass(frozen=True)
class Limit:
    """A speed limit over ground, m/s, on chainages [km_from, km_to) of `river` and its side channels; without km on all
    of it (a lake has none)."""

    river: str
    km_from: float | None
    km_to: float | None
    mps: float


@dataclass(frozen=True)
class Lock:
    """A lock on the main channel of `river` at `km`: minutes to pass, waiting included. A place at its very km is above it."""

    river: str
    km: float
    up_min: float
    down_min: float
    closed: bool = False


@dataclass(frozen=True, eq=False)
class Conditions:
    """What holds on the water now. Two with the same content are equal.

    current_mps: (n,) m/s by reach, > 0 downstream, < 0 where a tide runs up; None: still water. Lake cells have no
    direction, theirs is not used.
    """

    current_mps: Floats | None = None
    limits: tuple[Limit, ...] = ()
    locks: tuple[Lock, ...] = ()
    key: str = field(init=False)

    def __post_init__(self) -> None:
        told = hashlib.sha256(repr((self.limits, self.locks)).encode())
        if self.current_mps is not None:
            own = np.array(self.current_mps, dtype=float)  # a copy: what the key was made of stays as it is
            own.setflags(write=False)
            object.__setattr__(self, "current_mps", own)
            told.update(own.tobytes())
        object.__setattr__(self, "key", f"{self.current_mps is None}{told.hexdigest()}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conditions) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class Place:
    """Where somebody is wanted. reach: index into `network.reaches`, -1 off the water; km: NaN in a lake; bank: left,
    right, mid or None; exact: False where only reach and km are known, and lon, lat (WGS84) lie on the drawn line."""

    lon: float
    lat: float
    reach: int
    km: float
    bank: str | None
    exact: bool

    @classmethod
    def at(cls, network: Network, lon: float, lat: float) -> Place:
        """The place at a position."""
        from geo_monitor.river import place

        spot = place(np.array([lon]), np.array([lat]), network)
        bank = ("left", "right", "mid", None)[int(spot.bank[0])]
        return cls(float(lon), float(lat), int(spot.reach[0]), float(spot.km[0]), bank, True)

    @classmethod
    def on(cls, network: Network, reach: int, km: float | None = None) -> Place:
        """The place at a chainage of a reach; without one, its middle."""
        row = network.reaches.iloc[reach]
        low, high = float(row["km_from"]), float(row["km_to"])
        if km is None or reach >= network.channels:
            return cls(float(row["lon"]), float(row["lat"]), int(reach), (low + high) / 2, None, False)
        km = min(max(float(km), low), high)
        position = network.water.positions(np.array([reach]), np.array([km]))
        lon, lat = _points(network, position)[0]
        return cls(float(lon), float(lat), int(reach), km, None, False)


@dataclass(frozen=True)
class Way:
    """The quickest way of one boat: seconds, metres; reaches passed in order and metres in each (k,); line (m, 2)
    lon, lat from boat to place."""

    seconds: float
    metres: float
    reaches: np.ndarray
    reach_metres: Floats
    line: Floats


@dataclass(frozen=True)
class _Field:
    """The directed graph at one speed: the edge from node a to b is held at [b, a]. Each entry has its seconds, metres
    and edge (below the number of intervals: an interval of the axis; else a lake edge)."""

    up: Floats  # seconds a metre, by interval
    down: Floats
    indptr: np.ndarray
    indices: np.ndarray
    seconds: Floats
    metres: Floats
    edge: np.ndarray


@dataclass(frozen=True)
class _Search:
    """All quickest ways to one place: seconds and metres from each node, the node after it, the edge between."""

    speed: _Field
    interval: int  # of the place; -1 in a lake
    position: float
    seconds: Floats
    metres: Floats
    after: np.ndarray
    edge: np.ndarray


class Waterway:
    """The river under one set of conditions. Building takes a moment; searches are quick.

    Raises `Usage("dispatch_current")`, `Refused("dispatch_limit_nowhere")`, `Refused("dispatch_lock_nowhere")`.
    """

    def __init__(self, network: Network, conditions: Conditions | None = None) -> None:
        self.network = network
        self.conditions = conditions = conditions or Conditions()
        self._fields: dict[tuple[float, bool], _Field] = {}
        self._guard = threading.Lock()
        n = len(network.reaches)
        current = np.zeros(n) if conditions.current_mps is None else np.asarray(conditions.current_mps, dtype=float)
        if current.shape != (n,) or not np.isfinite(current).all():
            raise Usage("dispatch_current", reaches=n, shape=str(current.shape))
        self._check_limits()
        self._cut()
        self.current = np.where(self.owner >= 0, current[self.owner], 0.0)
        self._limits()
        self._locks()
        self._arrange()

    # ---- construction -------------------------------------------------------------------------------------------
    def _check_limits(self) -> None:
        for limit in self.conditions.limits:
            ends = [km for km in (limit.km_from, limit.km_to) if km is not None]
            if not limit.mps > 0 or len(ends) == 1 or not np.isfinite(ends).all():
                raise Usage("dispatch_limit_broken", river=limit.river)
        for lock in self.conditions.locks:
            if not (lock.up_min >= 0 and lock.down_min >= 0):
                raise Usage("dispatch_lock_broken", river=lock.river, km=lock.km)

    def _cut(self) -> None:
        """Places along the stems where something changes, and the intervals between them."""
        network, water = self.network, self.network.water
        lock_at = np.array([self._lock_position(lock) for lock in self.conditions.locks])
        cuts = np.r_[lock_at, [at for limit in self.conditions.limits for at in self._ends_of(limit)]]
        if len(water.place):
            cuts = cuts[np.abs(water.place[water.nearest(water.place, cuts)] - cuts) > SAME_M]
        cuts = np.unique(cuts)
        cuts = cuts[np.r_[True, np.diff(cuts) > SAME_M]] if len(cuts) else cuts
        place = np.r_[water.place, cuts]
        node = np.r_[water.label, water.size + np.arange(len(cuts))]
        order = np.argsort(place, kind="stable")
        self.place, self.node = place[order], node[order].astype(np.int64)
        self.size = water.size + len(cuts)
        self.owner = network.reach_at((self.place[:-1] + self.place[1:]) / 2)  # -1: between two stems, or in a lake
        self.length = np.diff(self.place)
        lake = water.owner_a >= network.channels
        self.lake_a, self.lake_b = water.edge_a[lake], water.edge_b[lake]
        self.lake_metres = water.metres[lake]
        self.lake_owner = np.c_[water.owner_a[lake], water.owner_b[lake]]
        self.lock_at = lock_at

    def _lock_position(self, lock: Lock) -> float:
        network = self.network
        at = float(network.position(lock.river, np.array([lock.km]))[0])
        if not np.isfinite(at):
            raise Refused("dispatch_lock_nowhere", river=lock.river, km=lock.km)
        for position in (at, at - BELOW_M):
            if network.reach_at(np.array([position + BELOW_M / 2]))[0] >= 0:
                return position
        raise Refused("dispatch_lock_nowhere", river=lock.river, km=lock.km)

    def _ends_of(self, limit: Limit) -> list[float]:
        """Positions where a limit begins and ends, on every channel that carries its name and chainage."""
        axis = self.network.axis
        found: list[float] = []
        if limit.km_from is None or limit.km_to is None:
            return found
        for number, stem in enumerate(self.network.stems):
            start = axis.start[number]
            own = (axis.knot_position >= start - 1e-6) & (axis.knot_position <= start + stem.along[-1] + 1e-6)
            for low, high, name in stem.sections:
                if name == limit.river:
                    at = np.interp([limit.km_from, limit.km_to], axis.knot_km[own], axis.knot_position[own])
                    found += np.clip(at, start + low, start + high).tolist()
        return found

    def _limits(self) -> None:
        network = self.network
        rivers = network.reaches["river"].to_numpy(dtype=object)
        own = np.where(self.owner >= 0, self.owner, 0)
        km = network.axis.km((self.place[:-1] + self.place[1:]) / 2)
        self.limit = np.full(len(self.length), np.inf)
        self.lake_limit = np.full(len(self.lake_a), np.inf)
        for limit in self.conditions.limits:
            there = (self.owner >= 0) & (rivers[own] == limit.river)
            lake = np.zeros(len(self.lake_a), dtype=bool)
            if limit.km_from is None or limit.km_to is None:
                lake = (rivers[self.lake_owner] == limit.river).any(axis=1)
            else:
                low, high = sorted((limit.km_from, limit.km_to))
                there &= (km >= low) & (km < high)
            if not there.any() and not lake.any():
                raise Refused("dispatch_limit_nowhere", river=limit.river)
            self.limit[there] = np.minimum(self.limit[there], limit.mps)
            self.lake_limit[lake] = np.minimum(self.lake_limit[lake], limit.mps)

    def _locks(self) -> None:
        """A lock stands at the lower end of an interval: who passes that end pays it, a place inside is above it."""
        self.lock_up, self.lock_down = np.zeros(len(self.length)), np.zeros(len(self.length))
        for lock, at in zip(self.conditions.locks, self.lock_at, strict=True):
            interval = int(self.network.water.nearest(self.place, at))
            self.lock_up[interval] += np.inf if lock.closed else 60 * lock.up_min
            self.lock_down[interval] += np.inf if lock.closed else 60 * lock.down_min

    def _arrange(self) -> None:
        """The directed edges in the order of the turned graph, the same at every speed.

        No two lead from one node to the same other: every reach has a node of its own at its middle.
        """
        self._there = np.flatnonzero((self.owner >= 0) & (self.node[:-1] != self.node[1:]))
        low, high, metres = self.node[self._there], self.node[self._there + 1], self.length[self._there]
        lakes = len(self.length) + np.arange(len(self.lake_a))
        begin = np.r_[low, high, self.lake_a, self.lake_b]
        end = np.r_[high, low, self.lake_b, self.lake_a]
        self._order = order = np.lexsort((begin, end))
        self._begin, self._end = begin[order], end[order]
        self._metres = np.r_[metres, metres, self.lake_metres, self.lake_metres][order]
        self._edge = np.r_[self._there, self._there, lakes, lakes][order]

    def _field(self, speed_mps: float, urgent: bool) -> _Field:
        key = (float(speed_mps), bool(urgent))
        kept = self._fields.get(key)
        if kept is not None:
            return kept
        if not (np.isfinite(speed_mps) and speed_mps > 0):
            raise Usage("dispatch_speed", speed=speed_mps)
        cap = np.full(len(self.limit), np.inf) if urgent else self.limit
        lake_cap = np.full(len(self.lake_limit), np.inf) if urgent else self.lake_limit
        up, down = (_pace(np.minimum(speed_mps + sign * self.current, cap)) for sign in (-1, 1))
        there, metres = self._there, self.length[self._there]
        lake_s = self.lake_metres / np.minimum(speed_mps, lake_cap)
        seconds = np.r_[
            metres * up[there] + self.lock_up[there], metres * down[there] + self.lock_down[there], lake_s, lake_s
        ][self._order]
        # where nothing is shut all speeds share their arrays
        keep = slice(None) if np.isfinite(seconds).all() else np.isfinite(seconds)
        made = _Field(
            up,
            down,
            np.searchsorted(self._end[keep], np.arange(self.size + 1)),
            self._begin[keep],
            np.maximum(seconds[keep], LEAST_S),
            self._metres[keep],
            self._edge[keep],
        )
        with self._guard:
            while len(self._fields) >= FIELDS:
                del self._fields[next(iter(self._fields))]
            self._fields[key] = made
        return made

    # ---- questions ----------------------------------------------------------------------------------------------
    def times(
        self, reach: np.ndarray, km: Floats, place: Place, speed_mps: float, urgent: bool = False
    ) -> tuple[Floats, Floats]:
        """(seconds, metres) by water of the quickest ways from located points (m,) to `place`; `inf` where none is.

        urgent: speed limits do not bind; locks do. Raises `Usage("dispatch_speed")`.
        """
        reach = np.asarray(reach, dtype=np.int64)
        seconds, metres = np.full(len(reach), np.inf), np.full(len(reach), np.inf)
        on = np.flatnonzero(reach >= 0)
        if place.reach < 0 or not len(on):
            return seconds, metres
        search = self._search(place, speed_mps, urgent)
        took, length, _ = self._options(search, reach[on], np.asarray(km, dtype=float)[on])
        pick = took.argmin(axis=1)
        row = np.arange(len(on))
        seconds[on], metres[on] = took[row, pick], length[row, pick]
        return seconds, metres

    def way(self, reach: int, km: float, place: Place, speed_mps: float, urgent: bool = False) -> Way | None:
        """The quickest way of one boat, to be drawn; None where there is none. Raises `Usage("dispatch_speed")`."""
        if reach < 0 or place.reach < 0:
            return None
        search = self._search(place, speed_mps, urgent)
        took, length, ends = self._options(search, np.array([reach]), np.array([km], dtype=float))
        pick = int(took[0].argmin())
        if not np.isfinite(took[0, pick]):
            return None
        drawn = _Drawn(self)
        position = float(ends[1][0])
        if np.isnan(position):
            drawn.cell(reach)
        if pick == 2:
            if not np.isnan(position):
                drawn.along(int(ends[0][0]), position, search.position)
        else:
            node = int(self._nodes(reach, int(ends[0][0]))[pick])
            if not np.isnan(position):
                drawn.along(int(ends[0][0]), position, float(self.place[int(ends[0][0]) + pick]))
            while search.after[node] != self.size:
                drawn.edge(int(search.edge[node]), node)
                node = int(search.after[node])
            if search.interval >= 0:
                end = search.interval + int(search.edge[node])  # the last edge tells by which end it comes
                drawn.along(search.interval, float(self.place[end]), search.position)
        return drawn.way(float(took[0, pick]), float(length[0, pick]))

    def _interval(self, reach: np.ndarray, position: Floats) -> np.ndarray:
        """The interval of each place on its own channel reach; -1 in a lake."""
        network = self.network
        channel = ~np.isnan(position)
        at = np.where(channel, reach, 0)
        low = np.searchsorted(self.place, network.low[at] - SAME_M) if network.channels else at
        high = np.searchsorted(self.place, network.high[at] - SAME_M) - 1 if network.channels else at
        own = np.searchsorted(self.place, np.where(channel, position, 0.0) + SAME_M, side="right") - 1
        return np.where(channel, np.clip(own, low, np.maximum(high, low)), -1)

    def _nodes(self, reach: int, interval: int) -> tuple[int, int]:
        if interval < 0:
            node = int(self.network.water.middle[reach])
            return node, node
        return int(self.node[interval]), int(self.node[interval + 1])

    def _search(self, place: Place, speed_mps: float, urgent: bool) -> _Search:
        speed = self._field(speed_mps, urgent)
        reach = np.array([place.reach])
        position = self.network.water.positions(reach, np.array([place.km]))
        interval = int(self._interval(reach, position)[0])
        low, high = self._nodes(place.reach, interval)
        if interval < 0:
            ends = [(low, 0.0, 0.0, 0)]
        else:
            # `edge` of these last two: 0 comes from the lower end, 1 from the upper
            rest = np.array([position[0] - self.place[interval], self.place[interval + 1] - position[0]])
            took = _over(rest, np.array([speed.up[interval], speed.down[interval]]))
            ends = [
                (low, float(took[0] + self.lock_up[interval]), float(rest[0]), 0),
                (high, float(took[1]), float(rest[1]), 1),
            ]
            ends = sorted(end for end in ends if np.isfinite(end[1]))
        size, entries = self.size + 1, len(speed.indices)
        indices = np.r_[speed.indices, [end[0] for end in ends]].astype(np.int64)
        data = np.r_[speed.seconds, [max(end[1], LEAST_S) for end in ends]]
        metres = np.r_[speed.metres, [end[2] for end in ends]]
        edge = np.r_[speed.edge, [end[3] for end in ends]].astype(np.int64)
        indptr = np.r_[speed.indptr, entries + len(ends)]
        seconds, before = dijkstra(
            csr_matrix((data, indices, indptr), shape=(size, size)),
            directed=True,
            indices=self.size,
            return_predecessors=True,
        )
        # the entry by which each node was reached: entries are in order of (row, column)
        row = np.repeat(np.arange(size), np.diff(indptr))
        found = before >= 0
        after = np.where(found, before, np.arange(size)).astype(np.int64)
        entry = np.searchsorted(row * size + indices, after * size + np.arange(size))
        entry = np.where(found, np.minimum(entry, max(len(data) - 1, 0)), 0)
        step = np.where(found, metres[entry], 0.0) if len(metres) else np.zeros(size)
        own = edge[entry] if len(edge) else np.zeros(size, np.int64)
        return _Search(speed, interval, float(position[0]), seconds, _summed(step, after), after, own)

    def _options(
        self, search: _Search, reach: np.ndarray, km: Floats
    ) -> tuple[Floats, Floats, tuple[np.ndarray, Floats]]:
        """Seconds and metres (m, 3) by the lower end, by the upper end, and straight where both lie in one interval;
        and the points' (interval, position)."""
        position = self.network.water.positions(reach, km)
        interval = self._interval(reach, position)
        channel = interval >= 0
        at = np.where(channel, interval, 0)
        took, length = np.full((len(reach), 3), np.inf), np.full((len(reach), 3), np.inf)
        cell = self.network.water.middle[reach]
        low, high = np.where(channel, self.node[at], cell), np.where(channel, self.node[at + 1], cell)
        below = np.where(channel, position - self.place[at], 0.0)
        above = np.where(channel, self.place[at + 1] - position, 0.0)
        down = np.where(channel, _over(below, search.speed.down[at]) + self.lock_down[at], 0.0)
        up = np.where(channel, _over(above, search.speed.up[at]), 0.0)
        took[:, 0], length[:, 0] = down + search.seconds[low], below + search.metres[low]
        took[:, 1], length[:, 1] = up + search.seconds[high], above + search.metres[high]
        same = np.flatnonzero(channel & (interval == search.interval))
        apart = position[same] - search.position
        pace = np.where(apart > 0, search.speed.down[at[same]], search.speed.up[at[same]])
        took[same, 2], length[same, 2] = _over(np.abs(apart), pace), np.abs(apart)
        return took, length, (interval, position)


def _pace(ground: Floats) -> Floats:
    """Seconds a metre at speeds over ground (m/s); `inf` for a boat that makes no way.

    >>> _pace(np.array([4.0, 0.0, -1.0])).tolist()
    [0.25, inf, inf]
    """
    return np.where(ground > 0, 1 / np.where(ground > 0, ground, 1.0), np.inf)


def _over(metres: Floats, pace: Floats) -> Floats:
    """metres * pace, 0 for 0 metres even where no way can be made."""
    return np.where(metres > 0, np.where(metres > 0, metres, 1.0) * pace, 0.0)


def _summed(step: Floats, after: np.ndarray) -> Floats:
    """Sums of `step` from each node along `after` to its end (where after[i] == i), by doubling the stride.

    >>> _summed(np.array([3.0, 4.0, 0.0]), np.array([1, 2, 2])).tolist()
    [7.0, 4.0, 0.0]
    """
    total, onward = step.copy(), after.copy()
    while True:
        further = onward[onward]
        total = total + np.where(onward == np.arange(len(onward)), 0.0, total[onward])
        if np.array_equal(further, onward):
            return total
        onward = further


def _points(network: Network, position: Floats) -> Floats:
    """(m, 2) lon, lat of positions on the axis."""
    x = np.interp(position, network.axis.position, network.axis.x)
    y = np.interp(position, network.axis.position, network.axis.y)
    return np.column_stack(to_degrees(x, y))


class _Drawn:
    """A way under construction, from boat to place."""

    def __init__(self, way: Waterway) -> None:
        self.of = way
        self.reaches: list[int] = []
        self.metres: list[float] = []
        self.runs: list[tuple[float, float]] = []  # positions along one stem, joined while they adjoin
        self.parts: list[Floats] = []

    def _add(self, reach: int, metres: float) -> None:
        if self.reaches and self.reaches[-1] == reach:
            self.metres[-1] += metres
        else:
            self.reaches.append(reach)
            self.metres.append(metres)

    def along(self, interval: int, begin: float, end: float) -> None:
        """Along the channel from one position to another of one interval."""
        self._add(int(self.of.owner[interval]), abs(end - begin))
        if self.runs and self.runs[-1][1] == begin and (end - begin) * (begin - self.runs[-1][0]) >= 0:
            self.runs[-1] = (self.runs[-1][0], end)
        else:
            self.runs.append((begin, end))

    def edge(self, edge: int, node: int) -> None:
        """Along an edge, from `node`."""
        of = self.of
        if edge < len(of.length):
            low, high = float(of.place[edge]), float(of.place[edge + 1])
            self.along(edge, *((low, high) if of.node[edge] == node else (high, low)))
            return
        lake = edge - len(of.length)
        forth = of.lake_a[lake] == node
        for owner in of.lake_owner[lake][:: 1 if forth else -1].tolist():
            self._add(owner, float(of.lake_metres[lake]) / 2)
        other = int(of.lake_b[lake] if forth else of.lake_a[lake])
        water = of.network.water
        cell = np.flatnonzero(water.cell_node == other)
        if len(cell):
            self.cell(of.network.channels + int(cell[0]), passed=False)
        else:
            self._flush()
            self.parts.append(_points(of.network, of.place[np.flatnonzero(of.node == other)[:1]]))

    def cell(self, reach: int, passed: bool = True) -> None:
        """Through the centre of a lake cell."""
        self._flush()
        row = self.of.network.cells
        number = reach - self.of.network.channels
        self.parts.append(np.array([[row.lon[number], row.lat[number]]]))
        if passed:
            self._add(reach, 0.0)

    def _flush(self) -> None:
        axis = self.of.network.axis
        for begin, end in self.runs:
            low, high = min(begin, end), max(begin, end)
            inner = axis.position[(axis.position > low) & (axis.position < high)]
            at = np.r_[low, inner, high]
            self.parts.append(_points(self.of.network, at if end >= begin else at[::-1]))
        self.runs = []

    def way(self, seconds: float, metres: float) -> Way:
        self._flush()
        line = np.concatenate(self.parts)
        keep = np.r_[True, (np.diff(line, axis=0) != 0).any(axis=1)]
        return Way(seconds, metres, np.array(self.reaches, dtype=np.int32), np.array(self.metres), line[keep])


@lru_cache(maxsize=4)
def waterway(network: Network, conditions: Conditions) -> Waterway:
    """`Waterway(network, conditions)`, kept for the last few rivers and conditions."""
    return Waterway(network, conditions)
