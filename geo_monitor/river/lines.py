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
        from scipy.sparse.csgraph import connected_components

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
    _close_arms(built, settings)
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
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

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
    closed = True
    while closed:
        closed = False
        component = built.components()
        into = list(range(int(component.max(initial=-1)) + 1))  # component -> the one it was joined to in this round

        def root(number: int, into: list[int] = into) -> int:
            while into[number] != number:
                number = into[number]
            return number

        degree = built.degree()
        split: set[int] = set()
        added: list[Floats] = []
        for node, edge, at, gap in _gaps(built, component, settings):
            here, there = root(int(component[node])), root(int(component[built.edges[edge].a]))
            if here == there or degree[node] != 1:
                continue
            # lines of this round may have changed what is nearest: then everything is measured anew
            if edge in split or any(_apart(built.lonlat[node], line) < gap for line in added):
                break
            before = len(built.edges)
            other = _join(built, node, edge, at, gap, settings)
            if len(built.edges) > before + 1:
                split.add(edge)
            elif other < len(degree):
                degree[other] += 1
            degree[node] += 1
            added.append(built.lonlat[[node, other]])
            into[here] = there
            closed = True


def _apart(point: Floats, line: Floats) -> float:
    """Metres from a point to a segment (degrees)."""
    x, y = to_mercator(np.r_[point[0], line[:, 0]], np.r_[point[1], line[:, 1]])
    away = shapely.distance(shapely.Point(x[0], y[0]), shapely.linestrings(np.c_[x[1:], y[1:]]))
    return float(away) / float(scale(point[1:])[0])


def _join(built: Graph, node: int, edge: int, at: float, gap: float, settings: Settings) -> int:
    """Draw the piece from end `node` to the place `at` Mercator metres along `edge`; the node there. Noted."""
    old = built.edges[edge]
    x, y = to_mercator(old.lonlat[:, 0], old.lonlat[:, 1])
    whole = float(np.hypot(np.diff(x), np.diff(y)).sum())
    line = next(e for e in built.edges if node in (e.a, e.b))
    if at <= settings.vertex_snap_m:
        other = old.a
    elif at >= whole - settings.vertex_snap_m:
        other = old.b
    else:
        other = _split(built, edge, at)
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
    return other


def _shapes(edges: list[Edge]) -> np.ndarray:
    """The edges as Mercator lines."""
    shapes = []
    for edge in edges:
        x, y = to_mercator(edge.lonlat[:, 0], edge.lonlat[:, 1])
        shapes.append(shapely.linestrings(np.c_[x, y]))
    return np.array(shapes, dtype=object)


def _gaps(built: Graph, component: np.ndarray, settings: Settings) -> list[tuple[int, int, float, float]]:
    """Gaps that may be closed, in the order of closing: (end node, edge, Mercator metres along it, metres)."""
    degree = built.degree()
    ends = np.flatnonzero(degree == 1)
    if not len(ends) or len(np.unique(component[[edge.a for edge in built.edges]])) < 2:
        return []
    lines = _shapes(built.edges)
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
    gap = shapely.distance(points[i], lines[j]) / k[i]
    crossed = _crosses(lines[own[i]], lines[j], settings)
    if crossed.any():
        keep = ~crossed
        for row in np.flatnonzero(crossed).tolist():
            keep[row] = _meets(
                built, degree, lines, int(own[i[row]]), int(j[row]), points[i[row]], float(limit[i[row]])
            )
        i, j, gap = i[keep], j[keep], gap[keep]
    # an end that meets a line of its own river there is a cut in that river: it comes before a tributary's mouth
    same = np.array([built.edges[own[p]].river == built.edges[q].river for p, q in zip(i, j, strict=True)], dtype=bool)
    order = np.lexsort((j, ends[i], gap * np.where(same, 0.5, 1.0)))
    along = shapely.line_locate_point(lines[j], points[i])
    return [(int(ends[i[n]]), int(j[n]), float(along[n]), float(gap[n])) for n in order]


def _crosses(line: np.ndarray, other: np.ndarray, settings: Settings) -> np.ndarray:
    """Whether each line crosses the other. That its own end lies on it, to a hair before or beyond, is no crossing."""
    crossed = shapely.crosses(line, other)
    for row in np.flatnonzero(crossed).tolist():
        met = shapely.points(shapely.get_coordinates(shapely.intersection(line[row], other[row])))
        ends = shapely.boundary(line[row])
        crossed[row] = bool((shapely.distance(met, ends) > 2 * settings.vertex_snap_m).any())
    return np.asarray(crossed)


def _meets(
    built: Graph, degree: np.ndarray, lines: np.ndarray, own: int, other: int, point: shapely.Point, limit: float
) -> bool:
    """Whether an end of line `own` may be joined to the line `other` that it crosses without a shared vertex.

    Lines that cross are not joined. But the cut ends of one river may overlap, and a tributary's end within the
    accuracy beyond the line it joins is drawn on it as well as the data can tell.
    """
    p, q = built.edges[own], built.edges[other]
    if p.river == q.river:
        free = [node for node in (q.a, q.b) if degree[node] == 1]
        x, y = to_mercator(built.lonlat[free, 0], built.lonlat[free, 1])
        return bool((shapely.distance(shapely.points(x, y), point) <= limit).any())
    once = shapely.get_num_geometries(shapely.intersection(lines[own], lines[other])) == 1
    noise = p.accuracy_m * float(scale(p.lonlat[:1, 1])[0])
    return bool(once and shapely.distance(point, lines[other]) <= noise)


def _around(built: Graph) -> dict[int, list[int]]:
    around: dict[int, list[int]] = {}
    for number, edge in enumerate(built.edges):
        around.setdefault(edge.a, []).append(number)
        around.setdefault(edge.b, []).append(number)
    return around


def _ends(built: Graph, around: dict[int, list[int]], start: int, river: str | None) -> int:
    """How many ends the river that passes node `start` has, counted on the edges of its name that hang together."""
    count, seen, queue = 0, {start}, [start]
    while queue:
        node = queue.pop()
        own = [n for n in around[node] if built.edges[n].river == river]
        count += len(own) == 1 and built.edges[own[0]].a != built.edges[own[0]].b
        for n in own:
            for other in (built.edges[n].a, built.edges[n].b):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
    return int(count)


def _close_arms(built: Graph, settings: Settings) -> None:
    """Close islands whose arm stops short: a branch of a river on itself whose end lies close to that river again.

    A river has two ends. Where it has more, one that branches off the river, and comes back to within the bridging
    distance and a third of its length, is an arm around an island that was cut or not drawn to its end.
    """
    while True:
        around = _around(built)
        lines: np.ndarray | None = None
        best: tuple[float, int, int, float] | None = None
        for node, at in around.items():
            if len(at) != 1:
                continue
            arm, held = _arm(built, around, node)
            river = built.edges[arm[0]].river
            beside = [n for n in around[held] if n not in arm and built.edges[n].river == river]
            if river is None or len(beside) < 2 or _ends(built, around, held, river) < 3:
                continue
            lines = _shapes(built.edges) if lines is None else lines
            k = float(scale(built.lonlat[node : node + 1, 1])[0])
            point = shapely.points(*to_mercator(built.lonlat[node, 0], built.lonlat[node, 1]))
            length = sum(built.edges[n].length_m for n in arm)
            for n, edge in enumerate(built.edges):
                if n in arm or edge.river != river:
                    continue
                gap = float(shapely.distance(point, lines[n])) / k
                if gap > settings.bridge_factor * built.edges[arm[0]].accuracy_m or (best and gap >= best[0]):
                    continue
                along = float(shapely.line_locate_point(lines[n], point))
                # the other half of an arm that was cut faces it end to end: both halves count
                reached = edge.a if along <= 0 else edge.b if along >= shapely.length(lines[n]) else -1
                facing = _arm(built, around, reached)[0] if len(around.get(reached, [])) == 1 else []
                if gap > (length + sum(built.edges[m].length_m for m in facing)) / 3:
                    continue
                if not _crosses(lines[arm[:1]], lines[[n]], settings)[0]:
                    best = (gap, node, n, along)
        if best is None:
            return
        gap, node, n, along = best
        _join(built, node, n, along, gap, settings)


def _arm(built: Graph, around: dict[int, list[int]], end: int) -> tuple[list[int], int]:
    """The edges from a free end to the first fork (or the other end), and the node there."""
    arm: list[int] = []
    node = end
    while True:
        onward = [n for n in around[node] if n not in arm]
        if len(onward) != 1 or (arm and len(around[node]) > 2):
            return arm, node
        arm.append(onward[0])
        edge = built.edges[onward[0]]
        node = edge.b if edge.a == node else edge.a


def _drop_stubs(built: Graph) -> None:
    """Drop dangling ends of a river on itself that are shorter than twice its accuracy: leftovers of drawing.

    The shortest goes first. A river keeps its two ends, however short what is drawn between an island and them.
    """
    while True:
        degree = built.degree()
        around = _around(built)
        for number in sorted(range(len(built.edges)), key=lambda n: built.edges[n].length_m):
            edge = built.edges[number]
            free, held = (edge.a, edge.b) if degree[edge.a] == 1 else (edge.b, edge.a)
            if degree[free] != 1 or degree[held] < 3 or edge.length_m > 2 * edge.accuracy_m or edge.mouth:
                continue
            beside = [built.edges[n] for n in around[held] if n != number]
            alike = sum(e.river == edge.river for e in beside)
            if (edge.river is not None and alike < 2) or (alike >= 2 and _ends(built, around, held, edge.river) < 3):
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
    _open_rings(built)


def _open_rings(built: Graph) -> None:
    """Cut a ring that is all there is of a network where its drawing starts: the river it is drawn as has two ends."""
    degree = built.degree()
    for number, edge in enumerate(built.edges):
        if edge.a == edge.b and degree[edge.a] == 2:
            built.lonlat = np.concatenate([built.lonlat, edge.lonlat[:1]])
            built.edges[number] = replace(edge, a=len(built.lonlat) - 1)
