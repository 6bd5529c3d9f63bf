"""The water as simulated boats see it: courses to move along, and which reach lies where on them.

In: a `Network` of `geo_monitor.river`. Out: `Water`. A course is a run of channel reaches one above the other (a stem
from its mouth to its source), or a lane across the cells of a lake. All courses lie one after the other on a single
axis `s` (metres), `APART` metres apart, so that a place on the water is one number and every look-up is one
vectorised search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

APART = 100_000.0  # metres between two courses on the axis: farther than any boat is thrown off its course
LANES = 4  # lanes across a lake, all from one landing
LAKE_CELLS = 12  # lakes of fewer cells have no lane
DEGREE_M = 111_195.0  # metres of a degree of latitude (sphere of 6,371 km)


@dataclass(frozen=True)
class Water:
    """Courses on the axis `s`.

    begin, end : (c,) where each course begins (its mouth) and ends
    parent : (c,) s where it joins another course, NaN where it joins none
    edge, edge_end, reach : (e,) pieces of the axis in rising order: piece p covers [edge, edge_end) and is the reach
        with index `reach` (a lane may meet the same cell twice)
    knot, lon, lat : (k,) the courses' vertices
    lake : (c,) True for lanes
    """

    begin: Floats
    end: Floats
    parent: Floats
    edge: Floats
    edge_end: Floats
    reach: Ints
    knot: Floats
    lon: Floats
    lat: Floats
    lake: NDArray[np.bool_]

    def course(self, s: Any) -> Ints:
        """Course of each place on the axis."""
        return np.clip(np.searchsorted(self.begin, s, side="right") - 1, 0, len(self.begin) - 1)

    def piece(self, s: Any) -> Ints:
        """Piece of the axis of each place."""
        return np.clip(np.searchsorted(self.edge, s, side="right") - 1, 0, len(self.edge) - 1)

    def apart(self, one: float, many: Floats) -> Floats:
        """Metres by water between a place and others: on its course, on the course that one joins, on those joining it,
        and on those joining where it does; infinite for courses farther off."""
        foot, mouth = self.begin[self.course(many)], self.parent[self.course(many)]
        own_foot, own_mouth = self.begin[self.course(one)], self.parent[self.course(one)]
        ways = (
            (foot == own_foot, np.abs(many - one)),
            (foot == self._foot(own_mouth), one - own_foot + np.abs(many - own_mouth)),
            (self._foot(mouth) == own_foot, many - foot + np.abs(mouth - one)),
            (self._foot(mouth) == self._foot(own_mouth), many - foot + np.abs(mouth - own_mouth) + one - own_foot),
        )
        metres = np.full(np.shape(many), np.inf)
        for fits, way in ways:
            metres = np.where(fits, np.fmin(metres, way), metres)
        return metres

    def _foot(self, s: Any) -> Floats:
        """Where the course of each place begins; NaN for no place."""
        return np.where(np.isnan(s), np.nan, self.begin[self.course(np.nan_to_num(s))])

    def point(self, s: Floats, offset_m: Floats) -> tuple[Floats, Floats]:
        """Lon and lat of places `offset_m` beside the course; > 0 is right looking downstream, to falling s."""
        course = self.course(s)
        low = np.maximum(s - 40.0, self.begin[course])
        high = np.minimum(s + 40.0, self.end[course])
        lon, lat = np.interp(s, self.knot, self.lon), np.interp(s, self.knot, self.lat)
        stretch = np.cos(np.radians(lat))
        east = (np.interp(low, self.knot, self.lon) - np.interp(high, self.knot, self.lon)) * stretch
        north = np.interp(low, self.knot, self.lat) - np.interp(high, self.knot, self.lat)
        length = np.maximum(np.hypot(east, north), 1e-12)
        return (
            lon + offset_m * north / length / (DEGREE_M * stretch),
            lat - offset_m * east / length / DEGREE_M,
        )

    def shares(self, s0: Floats, s1: Floats) -> tuple[Ints, Ints, Floats]:
        """Moves from s0 to s1 (same course) in long form: which move, which piece of the axis, what share of it.

        A move on the spot is a share of 1 where it is; shares of a move sum to 1.
        """
        low, high = np.minimum(s0, s1), np.maximum(s0, s1)
        first, last = self.piece(low), self.piece(high)
        count = last - first + 1
        move = np.repeat(np.arange(len(low)), count)
        piece = np.repeat(first, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        span = (high - low)[move]
        overlap = np.minimum(self.edge_end[piece], high[move]) - np.maximum(self.edge[piece], low[move])
        still = count[move] == 1
        share = np.where(still, 1.0, np.maximum(overlap, 0.0) / np.maximum(span, 1e-9))
        return move, piece, share


def water(network: Any, seed: int) -> Water:
    """The courses of `network`: every stem of main channel, and lanes over its lakes (`seed` chooses where)."""
    import shapely

    reaches = network.reaches
    geometry = reaches.geometry.to_numpy()
    channel = (reaches["kind"] == "channel").to_numpy()
    if "side" in reaches:
        channel = channel & reaches["side"].isna().to_numpy()
    stems = _stems(reaches, geometry, np.flatnonzero(channel))
    lanes = _lanes(network, geometry, np.flatnonzero((reaches["kind"] == "lake").to_numpy()), seed)
    begin, end, edge, edge_end, reach, knot, lon, lat = ([] for _ in range(8))
    at = 0.0
    length = reaches["length_m"].to_numpy(dtype=float)
    for stem in stems:
        begin.append(at)
        for index in stem:
            points = shapely.get_coordinates(geometry[index])[::-1]  # drawn downstream; s rises upstream
            along = _along(points)
            along *= length[index] / max(along[-1], 1e-9)
            edge.append(at)
            reach.append(index)
            knot.append(at + along)
            lon.append(points[:, 0])
            lat.append(points[:, 1])
            at += length[index]
            edge_end.append(at)
        end.append(at)
        at += APART
    for points, cells, cuts in lanes:
        begin.append(at)
        edge.extend(at + cuts[:-1])
        edge_end.extend(at + cuts[1:])
        reach.extend(cells)
        knot.append(at + _along(points))
        lon.append(points[:, 0])
        lat.append(points[:, 1])
        at += cuts[-1]
        end.append(at)
        at += APART
    made = Water(
        begin=np.array(begin),
        end=np.array(end),
        parent=np.full(len(begin), np.nan),
        edge=np.array(edge),
        edge_end=np.array(edge_end),
        reach=np.array(reach, dtype=np.int64),
        knot=np.concatenate(knot) if knot else np.zeros(0),
        lon=np.concatenate(lon) if lon else np.zeros(0),
        lat=np.concatenate(lat) if lat else np.zeros(0),
        lake=np.arange(len(begin)) >= len(stems),
    )
    made.parent[: len(stems)] = _joins(made, network.adjacency, stems)
    return made


def _along(points: Floats) -> Floats:
    """Metres from the first of `points` (m, 2; degrees) to each."""
    stretch = np.cos(np.radians(0.5 * (points[1:, 1] + points[:-1, 1])))
    steps = np.hypot(np.diff(points[:, 0]) * stretch, np.diff(points[:, 1])) * DEGREE_M
    return np.concatenate([[0.0], np.cumsum(steps)])


def _stems(reaches: Any, geometry: Any, index: Ints) -> list[Ints]:
    """Reach indices of each stem from its mouth up: the next above begins where this one ends and is drawn to it."""
    import shapely

    foot = shapely.get_coordinates(shapely.get_point(geometry[index], -1)).round(6)
    head = shapely.get_coordinates(shapely.get_point(geometry[index], 0)).round(6)
    km_from = reaches["km_from"].to_numpy(dtype=float)
    km_to = reaches["km_to"].to_numpy(dtype=float)
    river = reaches["river"].to_numpy(dtype=object)
    at_foot: dict[tuple[float, float], list[int]] = {}
    for place, item in zip(map(tuple, foot), index, strict=True):
        at_foot.setdefault(place, []).append(int(item))
    above: dict[int, int] = {}
    below: set[int] = set()
    for place, item in zip(map(tuple, head), index, strict=True):
        fits = [other for other in at_foot.get(place, []) if abs(km_from[other] - km_to[item]) < 1e-6 and other != item]
        fits.sort(key=lambda other: (river[other] != river[item], other))
        if fits and fits[0] not in below:
            above[int(item)] = fits[0]
            below.add(fits[0])
    stems = []
    for item in index:
        if int(item) in below:
            continue
        stem = [int(item)]
        while stem[-1] in above:
            stem.append(above[stem[-1]])
        stems.append(np.array(stem, dtype=np.int64))
    return sorted(stems, key=lambda stem: (-len(stem), int(stem[0])))


def _joins(made: Water, adjacency: Any, stems: list[Ints]) -> Floats:
    """Where each stem joins another: the nearest vertex of the reaches its lowest reach touches."""
    joins = np.full(len(stems), np.nan)
    owner = np.full(adjacency.shape[0], -1)
    piece_of = np.full(adjacency.shape[0], -1)
    for number, stem in enumerate(stems):
        owner[stem] = number
    stem_pieces = np.flatnonzero(~made.lake[made.course(made.edge)])
    piece_of[made.reach[stem_pieces]] = stem_pieces
    for number, stem in enumerate(stems):
        lowest = int(stem[0])
        touching = adjacency.indices[adjacency.indptr[lowest] : adjacency.indptr[lowest + 1]]
        touching = touching[(owner[touching] >= 0) & (owner[touching] != number)]
        if len(touching) == 0:
            continue
        lon, lat = (
            np.interp(made.begin[number], made.knot, made.lon),
            np.interp(made.begin[number], made.knot, made.lat),
        )
        best = np.inf
        for other in touching:
            piece = piece_of[other]
            inside = slice(*np.searchsorted(made.knot, [made.edge[piece] - 1e-6, made.edge_end[piece] + 1e-6]))
            far = np.hypot((made.lon[inside] - lon) * np.cos(np.radians(lat)), made.lat[inside] - lat)
            if len(far) and far.min() < best:
                best = float(far.min())
                joins[number] = float(made.knot[inside][far.argmin()])
    return joins


def _lanes(network: Any, geometry: Any, cells: Ints, seed: int) -> list[tuple[Floats, Ints, Floats]]:
    """Lanes over lakes: points (m, 2), the cell of each piece, and where along the lane the pieces are cut.

    A lane runs through the mid points of touching cells; which cell it is in is asked of the cells' own shapes.
    """
    import shapely
    from scipy.sparse.csgraph import connected_components, dijkstra

    if len(cells) == 0:
        return []
    rng = np.random.default_rng([seed, 11])
    lanes = []
    inner = network.adjacency[cells][:, cells].tocsr()
    middle = np.column_stack(
        [network.reaches["lon"].to_numpy(dtype=float), network.reaches["lat"].to_numpy(dtype=float)]
    )
    count, label = connected_components(inner, directed=False)
    tree = shapely.STRtree(geometry[cells])
    for lake in range(count):
        members = np.flatnonzero(label == lake)
        if len(members) < LAKE_CELLS:
            continue
        landing = int(rng.choice(members))
        far, before = dijkstra(inner, unweighted=True, indices=landing, return_predecessors=True)
        goals = rng.choice(members, size=LANES, replace=False, p=far[members] / far[members].sum())
        for goal in goals:
            path = [int(goal)]
            while path[-1] != landing:
                path.append(int(before[path[-1]]))
            points = middle[cells[np.array(path[::-1])]]
            along = _along(points)
            steps = np.arange(0.0, along[-1], 20.0) + 10.0
            dots = shapely.points(np.interp(steps, along, points[:, 0]), np.interp(steps, along, points[:, 1]))
            found, cell = tree.query(dots, predicate="intersects")
            here = tree.nearest(dots)  # a dot in the seam between two cells belongs to the nearest
            here[found[::-1]] = cell[::-1]
            turn = np.flatnonzero(np.diff(here)) + 1
            cuts = np.concatenate([[0.0], steps[turn] - 10.0, [along[-1]]])
            lanes.append((points, cells[here[np.concatenate([[0], turn])]].astype(np.int64), cuts))
    return lanes
