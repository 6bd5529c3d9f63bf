"""From raw centre lines to one graph: shared vertices become nodes, gaps are bridged, drawing stubs dropped.

Lines are joined only where they share a vertex (within `vertex_snap_m`), or where a line *ends* close to another
(a gap, up to `bridge_factor` x accuracy). Lines that merely cross are neither joined nor an island.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo_monitor.river.geodesy import Floats, scale, segment_lengths, to_degrees, to_mercator
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass
class Edge:
    """A piece of channel between two nodes. `lonlat` is (m, 2) degrees, drawn from node `a` to node `b`."""

    a: int
    b: int
    lonlat: Floats
    river: str | None
    accuracy_m: float
    main_stem: bool | None = None
    mouth: str | None = None
    row: int = -1
    length_m: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.length_m = float(segment_lengths(self.lonlat[:, 0], self.lonlat[:, 1]).sum())

    def turned(self) -> Edge:
        """The same piece drawn from `b` to `a`."""
        return replace(self, a=self.b, b=self.a, lonlat=self.lonlat[::-1])


@dataclass
class Graph:
    """Edges between nodes. `lonlat` (n, 2) are the nodes; `notes` tell what was joined or dropped."""

    lonlat: Floats
    edges: list[Edge]
    notes: list[dict[str, Any]]
    drawn: list[tuple[float, int, int, str | None]] = field(default_factory=list)
    # each line as it was sent: metres, first node, last node, river

    def degree(self) -> np.ndarray:
        ends = np.array([(edge.a, edge.b) for edge in self.edges], dtype=int).reshape(-1)
        return np.bincount(ends, minlength=len(self.lonlat))

    def components(self) -> np.ndarray:
        """Component number of each node."""
        a = [edge.a for edge in self.edges]
        b = [edge.b for edge in self.edges]
        n = len(self.lonlat)
        return np.asarray(connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)[1])


def truth_value(value: Any) -> bool | None:
    """Yes, no or not said, of an attribute as agencies write it.

    >>> truth_value("是"), truth_value("0"), truth_value(None)
    (True, False, None)
    """
    if value is None or value != value:
        return None
    word = str(value).strip().lower()
    if word in {"1", "1.0", "true", "yes", "y", "t", "是", "干流"}:
        return True
    if word in {"0", "0.0", "false", "no", "n", "f", "否", "支流"}:
        return False
    return None


def _text(value: Any) -> str | None:
    if value is None or value != value or not str(value).strip():
        return None
    return str(value).strip()


def graph(lines: gpd.GeoDataFrame, settings: Settings) -> Graph:
    """The noded and bridged graph of `lines` (columns river, accuracy_m, mouth, main_stem, geometry; WGS84)."""
    parts = _parts(lines, settings)
    built = _node(parts, settings)
    _bridge(built, settings)
    _drop_stubs(built)
    return built


def _parts(lines: gpd.GeoDataFrame, settings: Settings) -> list[Edge]:
    """Every single line string of the data, undirected and unconnected, z dropped, repeated vertices removed."""
    columns = {
        name: lines[name].tolist() if name in lines else [None] * len(lines)
        for name in ("river", "accuracy_m", "main_stem", "mouth")
    }
    shapes = shapely.force_2d(np.asarray(lines.geometry.to_numpy(), dtype=object))
    single, row = shapely.get_parts(shapes, return_index=True)
    parts = []
    for shape, i in zip(single, row, strict=True):
        lonlat = shapely.get_coordinates(shape)
        keep = np.r_[True, (np.diff(lonlat, axis=0) != 0).any(axis=1)] if len(lonlat) else np.zeros(0, bool)
        lonlat = lonlat[keep]
        if len(lonlat) < 2:
            continue
        accuracy = columns["accuracy_m"][i]
        accuracy = settings.accuracy_m if accuracy is None or accuracy != accuracy else float(accuracy)
        parts.append(
            Edge(
                -1,
                -1,
                lonlat,
                _text(columns["river"][i]),
                accuracy,
                truth_value(columns["main_stem"][i]),
                _text(columns["mouth"][i]),
                int(i),
            )
        )
    return parts


def _node(parts: list[Edge], settings: Settings) -> Graph:
    """Split the parts at every vertex that is an end, or is met by more than two segments."""
    if not parts:
        return Graph(np.zeros((0, 2)), [], [])
    points = np.concatenate([part.lonlat for part in parts])
    unique, number = np.unique(points, axis=0, return_inverse=True)
    number = number.reshape(-1)
    x, y = to_mercator(unique[:, 0], unique[:, 1])
    reach = settings.vertex_snap_m * float(scale(unique[:, 1]).min())
    pairs = cKDTree(np.c_[x, y]).query_pairs(reach, output_type="ndarray")
    n = len(unique)
    _, label = connected_components(coo_matrix((np.ones(len(pairs)), pairs.T), shape=(n, n)), directed=False)
    first = np.full(label.max() + 1, n)
    np.minimum.at(first, label, np.arange(n))
    vertex = label[number]  # vertex number of every point of every part, after snapping

    starts = np.cumsum([0, *(len(part.lonlat) for part in parts)])
    segments: set[tuple[int, int]] = set()
    meets = np.zeros(len(first), dtype=int)
    chains: list[tuple[Edge, list[int]]] = []
    for part, lo, hi in zip(parts, starts[:-1], starts[1:], strict=True):
        chain = vertex[lo:hi]
        keep = np.r_[True, np.diff(chain) != 0]
        chain = chain[keep]
        if len(chain) < 2:
            continue
        # a stretch drawn twice is one stretch: only segments not seen before are kept
        runs: list[list[int]] = [[int(chain[0])]]
        for p, q in zip(chain[:-1].tolist(), chain[1:].tolist(), strict=True):
            key = (p, q) if p < q else (q, p)
            if key in segments:
                runs.append([q])
                continue
            segments.add(key)
            meets[p] += 1
            meets[q] += 1
            runs[-1].append(q)
        chains.extend((part, run) for run in runs if len(run) > 1)
    is_node = meets != 2
    for _, run in chains:
        is_node[[run[0], run[-1]]] = True
    node_of = np.cumsum(is_node) - 1
    where = unique[first]
    edges = []
    drawn = []
    for part, run in chains:
        drawn.append((part.length_m, int(node_of[run[0]]), int(node_of[run[-1]]), part.river))
        cuts = [i for i, v in enumerate(run) if is_node[v]]
        for lo, hi in itertools.pairwise(cuts):
            piece = run[lo : hi + 1]
            edges.append(replace(part, a=int(node_of[piece[0]]), b=int(node_of[piece[-1]]), lonlat=where[piece]))
    return Graph(where[is_node], edges, [], drawn)


def _split(built: Graph, edge: int, at_m: float) -> int:
    """Cut edge number `edge` at `at_m` Mercator metres along it; the new node's number."""
    old = built.edges[edge]
    x, y = to_mercator(old.lonlat[:, 0], old.lonlat[:, 1])
    line = shapely.linestrings(np.c_[x, y])
    along = np.r_[0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y)))]
    point = shapely.get_coordinates(shapely.line_interpolate_point(line, at_m))[0]
    lon, lat = to_degrees(point[:1], point[1:])
    at = int(np.searchsorted(along, at_m))
    node = len(built.lonlat)
    here = np.array([[lon[0], lat[0]]])
    built.lonlat = np.concatenate([built.lonlat, here])
    head, tail = old.lonlat[:at], old.lonlat[at:]
    built.edges[edge] = replace(old, b=node, lonlat=np.concatenate([head, here]))
    built.edges.append(replace(old, a=node, lonlat=np.concatenate([here, tail])))
    return node


def _bridge(built: Graph, settings: Settings) -> None:
    """Join the components: shortest gap first, each from a line's end to the nearest point of another component."""
    while True:
        component = built.components()
        if len(np.unique(component)) < 2:
            return
        best = _shortest_gap(built, component, settings)
        if best is None:
            return
        node, edge, at, gap = best
        old = built.edges[edge]
        x, y = to_mercator(old.lonlat[:, 0], old.lonlat[:, 1])
        whole = float(np.hypot(np.diff(x), np.diff(y)).sum())
        if at <= settings.vertex_snap_m:
            other = old.a
        elif at >= whole - settings.vertex_snap_m:
            other = old.b
        else:
            other = _split(built, edge, at)
        line = next(e for e in built.edges if node in (e.a, e.b))
        lonlat = built.lonlat[[node, other]]
        built.edges.append(Edge(node, other, lonlat, line.river, line.accuracy_m, line.main_stem))
        built.notes.append(
            {
                "code": "gap_bridged",
                "params": {
                    "river": line.river or "?",
                    "gap_m": round(gap),
                    "lon": round(float(lonlat[0, 0]), 4),
                    "lat": round(float(lonlat[0, 1]), 4),
                },
            }
        )


def _shortest_gap(built: Graph, component: np.ndarray, settings: Settings) -> tuple[int, int, float, float] | None:
    degree = built.degree()
    ends = np.flatnonzero(degree == 1)
    if not len(ends):
        return None
    shapes = []
    for edge in built.edges:
        x, y = to_mercator(edge.lonlat[:, 0], edge.lonlat[:, 1])
        shapes.append(shapely.linestrings(np.c_[x, y]))
    lines = np.array(shapes, dtype=object)
    accuracy = np.array([edge.accuracy_m for edge in built.edges])
    at_edge: dict[int, int] = {}
    for number, edge in enumerate(built.edges):
        at_edge[edge.a] = number
        at_edge[edge.b] = number
    own = np.array([at_edge[node] for node in ends.tolist()])
    x, y = to_mercator(built.lonlat[ends, 0], built.lonlat[ends, 1])
    k = scale(built.lonlat[ends, 1])
    points = shapely.points(x, y)
    limit = settings.bridge_factor * accuracy[own] * k
    i, j = shapely.STRtree(lines).query(points, predicate="dwithin", distance=limit)
    other = component[np.array([built.edges[n].a for n in j], dtype=int)] if len(j) else np.zeros(0, int)
    apart = other != component[ends[i]]
    i, j = i[apart], j[apart]
    if not len(i):
        return None
    gap = shapely.distance(points[i], lines[j]) / k[i]
    # an end that meets a line of its own river there is a cut in that river: it comes before a tributary's mouth
    same = np.array([built.edges[own[p]].river == built.edges[q].river for p, q in zip(i, j, strict=True)])
    order = np.lexsort((j, ends[i], gap * np.where(same, 0.5, 1.0)))
    pick = order[0]
    at = float(shapely.line_locate_point(lines[j[pick]], points[i[pick]]))
    return int(ends[i[pick]]), int(j[pick]), at, float(gap[pick])


def _drop_stubs(built: Graph) -> None:
    """Drop dangling ends of a river on itself that are shorter than twice its accuracy: leftovers of drawing."""
    while True:
        degree = built.degree()
        for number, edge in enumerate(built.edges):
            free, held = (edge.a, edge.b) if degree[edge.a] == 1 else (edge.b, edge.a)
            if degree[free] != 1 or degree[held] < 3 or edge.length_m > 2 * edge.accuracy_m or edge.mouth:
                continue
            beside = [e for e in built.edges if e is not edge and held in (e.a, e.b)]
            if edge.river is not None and sum(e.river == edge.river for e in beside) < 2:
                continue
            # both sides may dangle where two cut ends overlap: the shorter goes
            rivals = [e for e in beside if degree[e.a if e.b == held else e.b] == 1 and e.river == edge.river]
            if any(rival.length_m < edge.length_m for rival in rivals):
                continue
            built.edges.pop(number)
            built.notes.append(
                {
                    "code": "stub_dropped",
                    "params": {
                        "river": edge.river or "?",
                        "length_m": round(edge.length_m),
                        "lon": round(float(built.lonlat[free, 0]), 4),
                        "lat": round(float(built.lonlat[free, 1]), 4),
                    },
                }
            )
            break
        else:
            return


def contract(built: Graph, keep: set[int]) -> None:
    """Join edges that meet two by two, where both are of one river: a line cut into pieces is one line again.

    Nodes in `keep` (the mouths) stay nodes.
    """
    around: dict[int, list[int]] = {}
    for number, edge in enumerate(built.edges):
        around.setdefault(edge.a, []).append(number)
        around.setdefault(edge.b, []).append(number)
    alive: dict[int, Edge] = dict(enumerate(built.edges))
    for node, numbers in around.items():
        if node in keep or len(numbers) != 2 or numbers[0] == numbers[1]:
            continue
        p, q = alive[numbers[0]], alive[numbers[1]]
        if p.river != q.river or p.accuracy_m != q.accuracy_m or p.main_stem != q.main_stem:
            continue
        # drawn on along the longer one, so that the direction it was drawn in survives
        if p.length_m < q.length_m:
            p, q, numbers = q, p, numbers[::-1]
        if p.b == node:
            q = q if q.a == node else q.turned()
            joined = replace(p, b=q.b, lonlat=np.concatenate([p.lonlat, q.lonlat[1:]]), mouth=p.mouth or q.mouth)
            far = q.b
        else:
            q = q if q.b == node else q.turned()
            joined = replace(p, a=q.a, lonlat=np.concatenate([q.lonlat, p.lonlat[1:]]), mouth=p.mouth or q.mouth)
            far = q.a
        alive[numbers[0]] = joined
        del alive[numbers[1]]
        around[far] = [numbers[0] if n == numbers[1] else n for n in around[far]]
    built.edges = list(alive.values())
