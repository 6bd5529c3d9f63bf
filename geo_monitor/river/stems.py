"""From a graph to rivers that drain: stems with a chainage, and side channels beside them.

A stem is a path of channel from its lower end (the sea, or a confluence) up to its source. The main stem goes on
through its names; a tributary is one name. What is left over on cycles are side channels around islands: they carry
the km of the channel beside them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_matrix

from geo_monitor.river.geodesy import Floats, segment_lengths
from geo_monitor.river.lines import Edge, Graph

OTHER_NAME = 3.0  # past an island, an arm of another name counts as this many times as long


@dataclass
class Stem:
    """One river path, from its lower end upwards.

    `lonlat` (m, 2) degrees; `along` (m,) metres from the lower end; `km` (m,) drawn chainage at the vertices (along /
    1000, but that of the channel beside for a side channel); `sections` [(along_from, along_to, river)];
    `accuracy` (m - 1,) metres of each segment; `foot` (stem number, along) where it joins, or None at a mouth.
    """

    lonlat: Floats
    along: Floats
    km: Floats
    sections: list[tuple[float, float, str]]
    accuracy: Floats
    foot: tuple[int, float] | None = None
    head: tuple[int, float] | None = None
    side: str | None = None
    main: bool = False
    nodes: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class _Tree:
    adjacent: dict[int, list[int]]
    parent: dict[int, int]  # node -> edge towards the mouth
    distance: np.ndarray
    height: dict[int, float]  # metres of tree above the node
    named: dict[int, float]  # edge -> metres of tree from its lower end up, as long as the name stays
    cyclic: set[int]


def stems(built: Graph, mouth_of: dict[int, int]) -> list[Stem]:
    """All stems of the graph, each after the one it drains into; main stems of larger networks come first."""
    component = built.components()
    # components were numbered anew when lines were joined up: a mouth is found again by its node
    outlet = {int(component[node]): node for node in mouth_of.values()}
    groups: dict[int, list[int]] = defaultdict(list)
    for number, edge in enumerate(built.edges):
        groups[int(component[edge.a])].append(number)
    found: list[Stem] = []
    used: dict[str, int] = {}
    order = sorted(groups, key=lambda c: -sum(built.edges[e].length_m for e in groups[c]))
    for number in order:
        _Drainage(built, groups[number], outlet[number], found, used).build()
    return found


def _cyclic(built: Graph, numbers: list[int], parent: dict[int, int], depth: np.ndarray) -> set[int]:
    """Edges that lie on a cycle: every chord with the tree path between its ends."""
    tree = set(parent.values())
    on: set[int] = set()

    def up(node: int) -> int:
        edge = built.edges[parent[node]]
        return edge.a if edge.b == node else edge.b

    for number in numbers:
        if number in tree:
            continue
        on.add(number)
        p, q = built.edges[number].a, built.edges[number].b
        while p != q:
            if depth[p] >= depth[q]:
                on.add(parent[p])
                p = up(p)
            else:
                on.add(parent[q])
                q = up(q)
    return on


class _Drainage:
    """Builds the stems of one connected network."""

    def __init__(self, built: Graph, numbers: list[int], mouth: int, found: list[Stem], used: dict[str, int]) -> None:
        self.built, self.numbers, self.mouth, self.found, self.used = built, numbers, mouth, found, used
        self.edges = built.edges
        self.taken: set[int] = set()
        self.place: dict[int, tuple[int, float]] = {}  # node -> (stem, along) once it lies on a stem
        self.tree = self._tree({n: self.edges[n].length_m for n in numbers})
        if self.tree.cyclic:
            self.tree = self._tree(self._weights())

    def _weights(self) -> dict[int, float]:
        """Lengths, but on cycles an arm that does not bear the river's name counts as longer."""
        length: dict[str | None, float] = defaultdict(float)
        for n in self.tree.cyclic:
            length[self.edges[n].river] += self.edges[n].length_m
        outside = {self.edges[n].river for n in self.numbers if n not in self.tree.cyclic}
        weights = {}
        for n in self.numbers:
            edge = self.edges[n]
            known = edge.river is not None and (
                edge.river in outside or edge.river == max(length, key=length.__getitem__)
            )
            factor = OTHER_NAME if n in self.tree.cyclic and not known else 1.0
            if n in self.tree.cyclic and edge.main_stem is False:
                factor *= OTHER_NAME
            weights[n] = edge.length_m * factor
        return weights

    def _tree(self, weights: dict[int, float]) -> _Tree:
        from scipy.sparse.csgraph import dijkstra

        adjacent: dict[int, list[int]] = defaultdict(list)
        best: dict[tuple[int, int], int] = {}
        for n in self.numbers:
            edge = self.edges[n]
            adjacent[edge.a].append(n)
            adjacent[edge.b].append(n)
            key = (min(edge.a, edge.b), max(edge.a, edge.b))
            if edge.a != edge.b and (key not in best or weights[n] < weights[best[key]]):
                best[key] = n
        size = len(self.built.lonlat)
        rows = [key[0] for key in best]
        cols = [key[1] for key in best]
        matrix = coo_matrix(([weights[n] for n in best.values()], (rows, cols)), shape=(size, size)).tocsr()
        distance, before = dijkstra(matrix, directed=False, indices=self.mouth, return_predecessors=True)
        parent = {}
        for node in adjacent:
            if node != self.mouth:
                other = int(before[node])
                parent[node] = best[(min(node, other), max(node, other))]
        depth = np.zeros(size)
        height: dict[int, float] = defaultdict(float)
        nodes = sorted(parent, key=lambda node: distance[node])
        for node in nodes:
            depth[node] = depth[int(before[node])] + 1
        named: dict[int, float] = {}
        above: dict[tuple[int, str | None], float] = defaultdict(float)
        for node in reversed(nodes):
            down, n = int(before[node]), parent[node]
            edge = self.edges[n]
            height[down] = max(height[down], height[node] + edge.length_m)
            named[n] = edge.length_m + above[node, edge.river]
            above[down, edge.river] = max(above[down, edge.river], named[n])
        return _Tree(adjacent, parent, distance, height, named, _cyclic(self.built, self.numbers, parent, depth))

    def _other(self, n: int, node: int) -> int:
        edge = self.edges[n]
        return edge.b if edge.a == node else edge.a

    def _children(self, node: int) -> list[int]:
        """Tree edges that come down to `node` and are not yet on a stem."""
        return [
            n
            for n in self.tree.adjacent[node]
            if n not in self.taken
            and n != self.tree.parent.get(node)
            and self.tree.parent.get(self._other(n, node)) == n
        ]

    def _reach_up(self, n: int, node: int) -> float:
        return self.edges[n].length_m + self.tree.height[self._other(n, node)]

    def build(self) -> None:
        first = len(self.found)
        start = self._children(self.mouth)
        if not start:
            return
        path = self._walk(
            self.mouth, max(start, key=lambda n: (bool(self.edges[n].main_stem), self._reach_up(n, self.mouth))), True
        )
        self._add(path, self.mouth, None, main=True)
        at = first
        while at < len(self.found) or self._leftover():
            if at == len(self.found):
                self._side_channels()
            else:
                self._tributaries(at)
                at += 1

    def _walk(self, node: int, n: int, main: bool) -> list[int]:
        """The edges of a stem from edge `n` at `node` upwards."""
        path = [n]
        name = self.edges[n].river
        while True:
            node = self._other(path[-1], node)
            here = [c for c in self._children(node) if c not in path]
            if not here:
                return path

            # of two branches that bear the name, the one that bears it farther: the other is a piece drawn under it
            def rank(c: int, name: str | None = name, node: int = node) -> tuple[bool, float, float]:
                edge = self.edges[c]
                return bool(edge.main_stem), self.tree.named[c] * (edge.river == name), self._reach_up(c, node)

            best = max(here, key=rank)
            same = self.edges[best].river == name or self.edges[best].river is None
            if not main and not same and name is not None:
                # a tributary's lower end drawn under the name of the river it joins takes the name of what follows
                if name in self._below_names(path) and self.edges[best].river is not None:
                    name = self.edges[best].river
                    path.append(best)
                    continue
                return path
            if self.edges[best].river is not None:
                name = self.edges[best].river
            path.append(best)

    def _below_names(self, path: list[int]) -> set[str]:
        """Names of the stem on which the first edge of `path` stands."""
        for node in (self.edges[path[0]].a, self.edges[path[0]].b):
            if node in self.place:
                return {river for _, _, river in self.found[self.place[node][0]].sections}
        return set()

    def _tributaries(self, at: int) -> None:
        for node, along in list(self.found[at].nodes):
            for n in sorted(self._children(node), key=lambda n: -self._reach_up(n, node)):
                if n in self.tree.cyclic or n in self.taken:
                    continue
                path = self._walk(node, n, False)
                while path and path[-1] in self.tree.cyclic and not self._carries(path):
                    path.pop()
                self._add(path, node, (at, along))

    def _carries(self, path: list[int]) -> bool:
        """Whether a tributary's own water runs through the last edge: its name does."""
        return self.edges[path[-1]].river == self.edges[path[0]].river

    def _leftover(self) -> bool:
        return any(n not in self.taken for n in self.numbers)

    def _name(self, wanted: str) -> str:
        """`wanted`, or `wanted (2)` … where another river has that name already: a chainage belongs to one river."""
        count = self.used.get(wanted, 0) + 1
        self.used[wanted] = count
        return wanted if count == 1 else f"{wanted} ({count})"

    def _add(self, path: list[int], node: int, foot: tuple[int, float] | None, main: bool = False) -> None:
        oriented: list[Edge] = []
        nodes = [(node, 0.0)]
        length = 0.0
        for n in path:
            edge = self.edges[n]
            oriented.append(edge if edge.a == node else edge.turned())
            node = oriented[-1].b
            length += edge.length_m
            nodes.append((node, length))
            self.taken.add(n)
        lonlat = np.concatenate([oriented[0].lonlat, *(edge.lonlat[1:] for edge in oriented[1:])])
        along = np.r_[0.0, np.cumsum(segment_lengths(lonlat[:, 0], lonlat[:, 1]))]
        accuracy = np.concatenate([np.full(len(edge.lonlat) - 1, edge.accuracy_m) for edge in oriented])
        below = set() if foot is None else {river for _, _, river in self.found[foot[0]].sections}
        names = [edge.river for edge in oriented]
        own = [name for name in names if name is not None and (main or name not in below)]
        if not own and foot is not None:
            own = [f"{self.found[foot[0]].sections[0][2]}支汊"]
        elif not own:
            own = [name for name in names if name is not None] or ["未命名河流"]
        if not main:
            names = [own[0]] * len(names)
        sections: list[tuple[float, float, str]] = []
        known = next((name for name in names if name is not None), own[0])
        at = 0.0
        for edge, name in zip(oriented, names, strict=True):
            known = name or known
            if sections and sections[-1][2] == known:
                sections[-1] = (sections[-1][0], at + edge.length_m, known)
            else:
                sections.append((at, at + edge.length_m, known))
            at += edge.length_m
        renamed = {name: self._name(name) for name in dict.fromkeys(s[2] for s in sections)}
        sections = [(lo, hi, renamed[name]) for lo, hi, name in sections]
        sections[-1] = (sections[-1][0], float(along[-1]), sections[-1][2])
        number = len(self.found)
        for where, metres in nodes:
            self.place.setdefault(where, (number, metres))
        self.found.append(Stem(lonlat, along, along / 1000, sections, accuracy, foot, main=main, nodes=nodes))

    # ---- side channels ------------------------------------------------------------------------------------------
    def _side_channels(self) -> None:
        """Turn what is left into side channels: groups of edges that hang together off the stems."""
        rest = [n for n in self.numbers if n not in self.taken]
        # what hangs off an arm without lying on a cycle is a tributary of the arm: its turn comes after the arm's
        rest = self._beside_stems([n for n in rest if n in self.tree.cyclic]) or self._beside_stems(rest)
        around: dict[int, list[int]] = defaultdict(list)
        for n in rest:
            around[self.edges[n].a].append(n)
            around[self.edges[n].b].append(n)
        start = next(node for node in around if node in self.place)
        group, seen = set(around[start]), {start}
        # spread from one stem node through nodes that lie on no stem
        queue = list({self._other(n, start) for n in group})
        while queue:
            node = queue.pop()
            if node in seen or node in self.place:
                continue
            seen.add(node)
            for n in around[node]:
                if n not in group:
                    group.add(n)
                    queue.append(self._other(n, node))
        hold = {
            node: self.place[node] for n in group for node in (self.edges[n].a, self.edges[n].b) if node in self.place
        }
        numbers = sorted({stem for stem, _ in hold.values()})
        host = numbers[0]
        km = self._potential(sorted(group), {node: self._km(host, node, spot) for node, spot in hold.items()})
        for n in sorted(group):
            self._add_side(n, host, km)

    def _beside_stems(self, numbers: list[int]) -> list[int]:
        """`numbers` if any of these edges touches a stem, else nothing."""
        touches = any(self.edges[n].a in self.place or self.edges[n].b in self.place for n in numbers)
        return numbers if touches else []

    def _km(self, host: int, node: int, spot: tuple[int, float]) -> float:
        """Drawn km on the host stem of a node; of one on another stem, that stem's foot on the host."""
        stem, along = spot
        while stem != host:
            foot = self.found[stem].foot
            if foot is None:
                break
            stem, along = foot
        return float(np.interp(along, self.found[stem].along, self.found[stem].km))

    def _potential(self, group: list[int], fixed: dict[int, float]) -> dict[int, float]:
        """km at every node of the group: harmonic between the fixed ones, so it runs evenly along each arm."""
        nodes = sorted({node for n in group for node in (self.edges[n].a, self.edges[n].b)})
        free = [node for node in nodes if node not in fixed]
        at = {node: i for i, node in enumerate(free)}
        km = dict(fixed)
        if free:
            matrix = np.zeros((len(free), len(free)))
            right = np.zeros(len(free))
            for n in group:
                edge = self.edges[n]
                weight = 1.0 / max(edge.length_m, 1e-3)
                for p, q in ((edge.a, edge.b), (edge.b, edge.a)):
                    if p in at:
                        matrix[at[p], at[p]] += weight
                        if q in at:
                            matrix[at[p], at[q]] -= weight
                        else:
                            right[at[p]] += weight * fixed[q]
            km.update(zip(free, np.linalg.solve(matrix, right).tolist(), strict=True))
        return km

    def _add_side(self, n: int, host: int, km: dict[int, float]) -> None:
        edge = self.edges[n]
        if km[edge.a] > km[edge.b]:
            edge = edge.turned()
        along = np.r_[0.0, np.cumsum(segment_lengths(edge.lonlat[:, 0], edge.lonlat[:, 1]))]
        beside = np.asarray(np.interp(along, [0.0, along[-1]], [km[edge.a], km[edge.b]]))
        stem = self.found[host]
        middle = float(np.interp((km[edge.a] + km[edge.b]) / 2, stem.km, stem.along))
        river = next(name for lo, hi, name in stem.sections if lo <= middle <= hi)
        number = len(self.found)
        label = f"{sum(s.side is not None for s in self.found) + 1}"
        low, high = self.place.get(edge.a), self.place.get(edge.b)
        self.place.setdefault(edge.a, (number, 0.0))
        self.place.setdefault(edge.b, (number, float(along[-1])))
        self.taken.add(n)
        self.found.append(
            Stem(
                edge.lonlat,
                along,
                beside,
                [(0.0, float(along[-1]), river)],
                np.full(len(edge.lonlat) - 1, edge.accuracy_m),
                low or self.place[edge.a],
                high or self.place[edge.b],
                side=label,
                nodes=[(edge.a, 0.0), (edge.b, float(along[-1]))],
            )
        )
