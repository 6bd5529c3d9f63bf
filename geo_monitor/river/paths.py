"""Distance along the water: the graph of channel pieces and lake cells, shortest ways, and what they pass.

Nodes are the places along the stems where something happens (ends and mid points of reaches, confluences) and the
centres of lake cells. The way between two places on one river is the channel between them; others are shortest ways
(Dijkstra).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix, csr_matrix

from geo_monitor.river.geodesy import Floats, distances, scale, to_degrees, to_mercator

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

    from geo_monitor.river.network import Network

FAR_M = 50_000.0  # ways longer than this are not looked for: no boat makes them between two fixes


def _steps(count: np.ndarray) -> np.ndarray:
    """0 … count - 1 for each count, one after the other.

    >>> _steps(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)


def _columns(reach_a: Any, km_a: Any, reach_b: Any, km_b: Any) -> tuple[np.ndarray, Floats, np.ndarray, Floats]:
    """Located points as compiled code takes them."""
    a, b = (np.ascontiguousarray(reach, dtype=np.int64) for reach in (reach_a, reach_b))
    return a, np.ascontiguousarray(km_a, dtype=float), b, np.ascontiguousarray(km_b, dtype=float)


class WaterGraph:
    """The network as a graph: `matrix` (nodes, nodes) metres; `middle` (n,) the node of each reach."""

    PARTS = ("place", "label", "cell_node", "middle", "edge_a", "edge_b", "metres", "owner_a", "owner_b")

    def __init__(self, network: Network, arrays: Mapping[str, np.ndarray] | None = None) -> None:
        """Of a network, or as `arrays` of the same one had it."""
        self.network = network
        if arrays is None:
            self._nodes()
            self._edges()
        else:
            self.__dict__.update({name: arrays[name] for name in self.PARTS})
        self.size = int(self.label.max(initial=-1)) + 1 + len(self.cell_node)
        ends = np.r_[self.edge_a, self.edge_b], np.r_[self.edge_b, self.edge_a]
        self.matrix = coo_matrix((np.r_[self.metres, self.metres], ends), shape=(self.size, self.size)).tocsr()

    def arrays(self) -> dict[str, np.ndarray]:
        """All it was worked out from, for a file."""
        return {name: getattr(self, name) for name in self.PARTS}

    # ---- construction -------------------------------------------------------------------------------------------
    def _nodes(self) -> None:
        from scipy.sparse.csgraph import connected_components

        net = self.network
        n = net.channels
        places = [net.low[:n], net.high[:n], (net.low[:n] + net.high[:n]) / 2]
        joints: list[tuple[float, float]] = []  # two positions on the axis that are one place
        for number, stem in enumerate(net.stems):
            start = net.axis.start[number]
            if stem.foot is not None:
                joints.append((start, net.axis.start[stem.foot[0]] + stem.foot[1]))
            if stem.head is not None:
                joints.append((start + stem.along[-1], net.axis.start[stem.head[0]] + stem.head[1]))
            places.append(np.array([start + m for low, high, _ in net.holes[number] for m in (low, high)]))
        places.append(np.array(joints).reshape(-1))
        position = np.unique(np.round(np.concatenate(places), 4))
        # places a hair apart are one: cut positions and feet come from different sums
        position = position[np.r_[True, np.diff(position) > 1e-3]]
        pair = (
            np.array([[self.nearest(position, a), self.nearest(position, b)] for a, b in joints])
            .reshape(-1, 2)
            .astype(int)
        )
        size = len(position)
        _, label = connected_components(coo_matrix((np.ones(len(pair)), pair.T), shape=(size, size)), directed=False)
        self.place = position
        self.label = label  # node number of each place
        self.cell_node = label.max(initial=-1) + 1 + np.arange(len(net.cells.cell))
        self.middle = np.r_[label[self.nearest(position, (net.low[:n] + net.high[:n]) / 2)], self.cell_node].astype(int)

    @staticmethod
    def nearest(position: Floats, at: Any) -> np.ndarray:
        """Which of the sorted places `position` lies nearest to each of `at`, the lower of two alike."""
        i = np.clip(np.searchsorted(position, at), 1, len(position) - 1)
        return np.where(np.abs(position[i - 1] - at) <= np.abs(position[i] - at), i - 1, i)

    def _edges(self) -> None:
        net = self.network
        gap = np.diff(self.place)
        middle = (self.place[:-1] + self.place[1:]) / 2
        owner = net.reach_at(middle)
        keep = owner >= 0
        a, b = self.label[:-1][keep], self.label[1:][keep]
        length, own = gap[keep], owner[keep]
        parts: list[tuple[np.ndarray, ...]] = [(a, b, length, own, own)]
        if len(net.cells.cell):
            parts += self._lake_edges()
        p, q, metres, r, s = (np.concatenate([part[i] for part in parts]) for i in range(5))
        differ = p != q
        p, q, metres, r, s = (
            p[differ].astype(int),
            q[differ].astype(int),
            metres[differ],
            r[differ].astype(int),
            s[differ].astype(int),
        )
        # of two edges between the same nodes the shorter counts (coo would add them up)
        low, high = np.minimum(p, q), np.maximum(p, q)
        order = np.lexsort((metres, high, low))
        first = order[np.r_[True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)]] if len(order) else order
        self.edge_a, self.edge_b, self.metres = p[first], q[first], np.maximum(metres[first], 1e-3)
        self.owner_a, self.owner_b = r[first], s[first]  # each owns half

    def _lake_edges(self) -> list[tuple[np.ndarray, ...]]:
        net, lake = self.network, self.network.cells
        n = net.channels
        i, j = lake.pairs[:, 0], lake.pairs[:, 1]
        parts: list[tuple[np.ndarray, ...]] = [
            (
                self.cell_node[i],
                self.cell_node[j],
                distances(lake.lon[i], lake.lat[i], lake.lon[j], lake.lat[j]),
                n + i,
                n + j,
            )
        ]
        drained: set[int] = set()
        for number, holes in enumerate(net.holes):
            start = net.axis.start[number]
            for low, high, pool in holes:
                # the river meets the lake where it runs in and out; so does a river that joins it inside
                inside = np.flatnonzero((self.place >= start + low - 1e-3) & (self.place <= start + high + 1e-3))
                parts.append(self._to_cells(inside, np.flatnonzero(lake.lake == pool)))
                drained.add(pool)
        lonely = [pool for pool in np.unique(lake.lake).tolist() if pool not in drained]
        for pool in lonely:
            own = np.flatnonzero(lake.lake == pool)
            link = self._to_nearest_channel(own)
            if link is not None:
                parts.append(link)
        return parts

    def _to_cells(self, places: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, ...]:
        net, lake = self.network, self.network.cells
        position = self.place[places]
        x = np.interp(position, net.axis.position, net.axis.x)
        y = np.interp(position, net.axis.position, net.axis.y)
        lon, lat = to_degrees(x, y)
        shapes = net.cell_tree.geometries[own]
        away = shapely.distance(shapely.points(x, y)[:, None], shapes[None, :])
        cell = own[away.argmin(axis=1)]
        metres = distances(lon, lat, lake.lon[cell], lake.lat[cell])
        reach = net.channels + cell
        return self.label[places], self.cell_node[cell], metres, reach, reach

    @cached_property
    def _channel_tree(self) -> cKDTree:
        """The middles of channel reaches, Mercator metres."""
        from scipy.spatial import cKDTree

        reaches, n = self.network.reaches, self.network.channels
        return cKDTree(np.c_[to_mercator(reaches["lon"].to_numpy()[:n], reaches["lat"].to_numpy()[:n])])

    def _to_nearest_channel(self, own: np.ndarray) -> tuple[np.ndarray, ...] | None:
        """A lake without a line through it drains, as far as the data tell, straight to the nearest channel."""
        net, lake = self.network, self.network.cells
        n = net.channels
        if not n:
            return None
        away, reach = self._channel_tree.query(np.c_[to_mercator(lake.lon[own], lake.lat[own])])
        pick = int(away.argmin())
        metres = away[pick] / scale(lake.lat[own[pick : pick + 1]])[0]
        if metres > net.settings.lake_link_m:
            return None
        cell = own[pick]
        return (
            np.array([self.cell_node[cell]]),
            np.array([self.middle[reach[pick]]]),
            np.array([metres]),
            np.array([n + cell]),
            np.array([n + cell]),
        )

    # ---- questions ----------------------------------------------------------------------------------------------
    def links(self) -> tuple[np.ndarray, np.ndarray, Floats]:
        """Pairs (a < b) of reaches that touch, and metres by water between their mid points."""
        from scipy.sparse.csgraph import dijkstra

        # a reach touches a node where one of its edges ends; mid points touch nothing but their own
        half = np.unique(np.c_[np.r_[self.edge_a, self.edge_b], np.r_[self.owner_a, self.owner_b]], axis=0)
        node, owner = half[:, 0], half[:, 1]
        first = np.searchsorted(node, node, side="left")
        count = np.searchsorted(node, node, side="right") - first
        left = np.repeat(np.arange(len(node)), count)
        right = np.repeat(first, count) + _steps(count)
        a, b = np.r_[owner[left], self.owner_a], np.r_[owner[right], self.owner_b]
        low, high = np.minimum(a, b), np.maximum(a, b)
        pairs = np.unique(np.c_[low[low < high], high[low < high]], axis=0)
        i, j, metres = self._balls(2.5 * float(self.network.reaches["length_m"].max()))
        n = len(self.middle)
        key, wanted = i * n + j, pairs[:, 0] * n + pairs[:, 1]
        order = np.argsort(key)
        at = np.clip(np.searchsorted(key[order], wanted), 0, max(len(key) - 1, 0))
        found = metres[order[at]] if len(key) else np.zeros(0)
        missing = np.flatnonzero(key[order[at]] != wanted) if len(key) else np.arange(len(pairs))
        for row in missing:  # a lake that drains over tens of kilometres
            found[row] = dijkstra(self.matrix, directed=False, indices=self.middle[pairs[row, 0]])[
                self.middle[pairs[row, 1]]
            ]
        return pairs[:, 0], pairs[:, 1], found

    def within(self, metres: float) -> csr_matrix:
        n = len(self.middle)
        i, j, away = self._balls(metres)
        return csr_matrix((away, (i, j)), shape=(n, n))

    def _balls(self, limit: float) -> tuple[np.ndarray, np.ndarray, Floats]:
        """(reach, other reach, metres) between mid points at most `limit` apart by water."""
        from geo_monitor.river.ways import balls

        back = np.full(self.size, -1)
        back[self.middle] = np.arange(len(self.middle))
        m = self.matrix
        row, node, metres = balls(m.indptr, m.indices, m.data, self.middle.astype(np.int64), float(limit))
        other = back[node]
        keep = (other >= 0) & (other != row)
        return row[keep], other[keep], metres[keep]

    def positions(self, reach: np.ndarray, km: Floats) -> Floats:
        """Position on the axis of located points; NaN for lake cells."""
        net = self.network
        reach = np.asarray(reach)
        channel = (reach >= 0) & (reach < net.channels)
        at = np.where(channel, reach, 0)
        low, high = net.low[at], net.high[at]
        km_low, km_high = net.axis.km(low), net.axis.km(high)
        span = np.where(km_high > km_low, km_high - km_low, 1.0)
        share = np.clip((np.asarray(km, dtype=float) - km_low) / span, 0.0, 1.0)
        return np.where(channel, low + share * (high - low), np.nan)

    @cached_property
    def _channels(self) -> tuple[np.ndarray, ...]:
        """What `ways.apart` and `ways.passed` know of the channel reaches."""
        net = self.network
        n = net.channels
        low, high = np.ascontiguousarray(net.low[:n]), np.ascontiguousarray(net.high[:n])
        lakes = [
            start + (a + b) / 2 for start, holes in zip(net.axis.start, net.holes, strict=True) for a, b, _ in holes
        ]
        borders = np.sort(np.r_[net.axis.start - 1e-3, lakes])
        rank = np.empty(n, dtype=np.int64)
        rank[net._order] = np.arange(n)
        stretch = np.searchsorted(borders, (low + high) / 2)
        return stretch, low, high, net.axis.km(low), net.axis.km(high), rank, net._order.astype(np.int64)

    def distance(self, reach_a: np.ndarray, km_a: Floats, reach_b: np.ndarray, km_b: Floats) -> Floats:
        from geo_monitor.river.ways import apart

        a, at_a, b, at_b = _columns(reach_a, km_a, reach_b, km_b)
        result = apart(a, at_a, b, at_b, *self._channels[:5])
        other = np.flatnonzero(np.isnan(result))
        if len(other):
            pa, pb = self.positions(a[other], at_a[other]), self.positions(b[other], at_b[other])
            result[other] = self._ways(a[other], pa, b[other], pb)[0]
        return result

    def spread(
        self, reach_a: np.ndarray, km_a: Floats, reach_b: np.ndarray, km_b: Floats
    ) -> tuple[np.ndarray, np.ndarray, Floats]:
        from geo_monitor.river.ways import passed

        a, at_a, b, at_b = _columns(reach_a, km_a, reach_b, km_b)
        pair, reach, share, other = passed(a, at_a, b, at_b, *self._channels)
        if not len(other):
            return pair, reach, share
        pa, pb = self.positions(a[other], at_a[other]), self.positions(b[other], at_b[other])
        far, way, passing, part = self._ways(a[other], pa, b[other], pb)
        lost = other[np.isinf(far)]
        pair = np.concatenate([pair, other[way], lost, lost])
        reach = np.concatenate([reach, passing, np.minimum(a, b)[lost], np.maximum(a, b)[lost]])
        share = np.concatenate([share, part, np.full(2 * len(lost), 0.5)])
        keep = share > 0
        pair, reach, share = pair[keep], reach[keep], share[keep]
        order = np.argsort(pair, kind="stable")  # a few sorted runs, in which the reaches of a pair are in order
        return pair[order], reach[order].astype(np.int32), share[order]

    def _ways(
        self, reach_a: np.ndarray, pa: Floats, reach_b: np.ndarray, pb: Floats
    ) -> tuple[Floats, np.ndarray, np.ndarray, Floats]:
        """Shortest ways of pairs that no one channel joins: metres (`inf`: none), and what they pass: pair, reach, share."""
        from geo_monitor.river.ways import shortest

        node_a, rest_a = self._ends(reach_a, pa)
        node_b, rest_b = self._ends(reach_b, pb)
        order = np.lexsort((node_a[:, 1], node_a[:, 0]))
        m = self.matrix
        return shortest(
            reach_a, node_a, rest_a, reach_b, node_b, rest_b, order, m.indptr, m.indices, m.data, *self._owned, FAR_M
        )

    def _ends(self, reach: np.ndarray, position: Floats) -> tuple[np.ndarray, Floats]:
        """The nodes on both sides of each place on its reach, (m, 2), and the metres to them; a cell's centre twice."""
        channel = ~np.isnan(position)
        at = np.where(channel, position, self.place[0])
        low = np.clip(np.searchsorted(self.place, at + 1e-3, side="right") - 1, 0, len(self.place) - 1)
        high = np.clip(np.searchsorted(self.place, at - 1e-3, side="left"), 0, len(self.place) - 1)
        both = np.stack([low, high], axis=1)
        node = np.where(channel[:, None], self.label[both], self.middle[reach][:, None])
        rest = np.where(channel[:, None], np.abs(self.place[both] - at[:, None]), 0.0)
        return node, rest

    @cached_property
    def _owned(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the edges as they stand in `matrix`: the node each comes from, and the two reaches that own half of it."""
        ends = np.r_[self.edge_a, self.edge_b], np.r_[self.edge_b, self.edge_a]
        number = np.tile(np.arange(len(self.metres)), 2)
        edge = coo_matrix((number, ends), shape=self.matrix.shape).tocsr().data
        back = np.repeat(np.arange(self.size), np.diff(self.matrix.indptr))
        return back, np.column_stack([self.owner_a, self.owner_b])[edge]
