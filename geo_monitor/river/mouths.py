"""Where a network drains: the sea, what the data say, or the end to which the longest line is drawn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix

from geo_monitor.river.geodesy import distances
from geo_monitor.river.lines import Graph, truth_value

START = {"start", "from", "起点", "首"}
END = {"end", "to", "终点", "尾"}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def mouths(built: Graph, land: Any | None) -> dict[int, int]:
    """The mouth node of each component: {component number: node}.

    In this order: an attribute `mouth` (yes, start / end, or "lon lat"); the one end that lies in the sea of `land`
    (a shapely geometry of land, WGS84); the end to which the longest line is drawn (noted). The explicit attribute
    comes first since whoever wrote it knew the river.
    """
    component = built.components()
    degree = built.degree()
    found: dict[int, int] = {}
    told: dict[int, list[tuple[bool, bool, float, int]]] = {}
    asked: set[tuple[int, str]] = set()
    for edge in built.edges:
        if not edge.mouth or (edge.row, edge.mouth) in asked:
            continue
        asked.add((edge.row, edge.mouth))
        node = _told(built, edge.mouth, edge.row, degree, component)
        if node is None:
            note = {"code": "mouth_not_understood", "params": {"mouth": edge.mouth, "river": edge.river or "?"}}
            if note not in built.notes:
                built.notes.append(note)
        else:
            length = sum(e.length_m for e in built.edges if e.row == edge.row)
            rank = (bool(degree[node] == 1), bool(edge.main_stem), length, node)
            told.setdefault(int(component[node]), []).append(rank)
    # where every river tells its mouth, a tributary's is a confluence: that of the network is a free end
    found = {number: max(ranks)[-1] for number, ranks in told.items()}
    touched = {int(component[edge.a]) for edge in built.edges}
    if land is not None:
        for number, node in _at_sea(built, component, degree, land).items():
            found.setdefault(number, node)
    for number in sorted(touched - set(found)):
        node = _drawn_to(built, component, degree, number)
        found[number] = node
        rivers = {edge.river for edge in built.edges if edge.a == node or edge.b == node}
        built.notes.append(
            {
                "code": "mouth_from_drawing",
                "params": {
                    "river": " / ".join(sorted(name for name in rivers if name)) or "?",
                    "lon": round(float(built.lonlat[node, 0]), 4),
                    "lat": round(float(built.lonlat[node, 1]), 4),
                },
            }
        )
    return found


def _told(built: Graph, value: str, row: int, degree: np.ndarray, component: np.ndarray) -> int | None:
    """The node that the attribute `value` of line number `row` names, or None where it can't be understood."""
    own = [edge for edge in built.edges if edge.row == row]
    numbers = [float(text) for text in NUMBER.findall(value)]
    if len(numbers) >= 2 and abs(numbers[0]) <= 180 and abs(numbers[1]) <= 90:
        network = component[own[0].a]
        nodes = np.unique([(edge.a, edge.b) for edge in built.edges if component[edge.a] == network])
        at = built.lonlat[nodes]
        away = distances(at[:, 0], at[:, 1], np.full(len(at), numbers[0]), np.full(len(at), numbers[1]))
        return int(nodes[int(away.argmin())])
    word = value.strip().lower()
    # pieces of a line keep its direction, so its first and last node are those that no piece leads to, or from
    first = _only([edge.a for edge in own], [edge.b for edge in own], degree)
    last = _only([edge.b for edge in own], [edge.a for edge in own], degree)
    if word in START:
        return first
    if word in END:
        return last
    if truth_value(value):
        free = [node for node in (first, last) if degree[node] == 1]
        return free[0] if len(set(free)) == 1 else last
    return None


def _only(wanted: list[int], others: list[int], degree: np.ndarray) -> int:
    """The last of `wanted` that is not among `others`, a free end if there is one; in a ring simply the last."""
    alone = [node for node in wanted if node not in set(others)]
    return next((node for node in reversed(alone) if degree[node] == 1), (alone or wanted)[-1])


def _at_sea(built: Graph, component: np.ndarray, degree: np.ndarray, land: Any) -> dict[int, int]:
    ends = np.flatnonzero(degree == 1)
    if not len(ends):
        return {}
    west, south, east, north = land.bounds
    at = built.lonlat[ends]
    known = (at[:, 0] > west) & (at[:, 0] < east) & (at[:, 1] > south) & (at[:, 1] < north)
    ends, at = ends[known], at[known]
    at_sea = ends[~shapely.contains_xy(land, at[:, 0], at[:, 1])]
    found: dict[int, list[int]] = {}
    for node in at_sea:
        found.setdefault(int(component[node]), []).append(int(node))
    # several ends in the sea tell nothing of which is the mouth
    return {number: nodes[0] for number, nodes in found.items() if len(nodes) == 1}


def _drawn_to(built: Graph, component: np.ndarray, degree: np.ndarray, number: int) -> int:
    """The end to which the longest line leads on, along its own river where that goes on."""
    from scipy.sparse.csgraph import dijkstra

    edges = [edge for edge in built.edges if component[edge.a] == number]
    n = len(built.lonlat)
    a, b = [e.a for e in edges], [e.b for e in edges]
    weights = coo_matrix(([e.length_m for e in edges], (a, b)), shape=(n, n)).tocsr()
    ends = {node: edge.river for edge in edges for node in (edge.a, edge.b) if degree[node] == 1}
    lines = sorted(
        (line for line in built.drawn if component[line[1]] == number and degree[line[2]] > 0),
        reverse=True,
        key=lambda line: (line[1] != line[2], line[0]),  # a closed ring leads nowhere, however long
    )
    if not lines:
        return edges[0].b
    _, first, last, river = lines[0]
    if degree[last] == 1 or first == last:
        return last
    from_first, from_last = dijkstra(weights, directed=False, indices=[first, last])
    beyond = [node for node in ends if from_first[node] >= from_first[last] + from_last[node] - 1.0]
    own = [node for node in beyond if ends[node] == river]
    if own:
        return max(own, key=lambda node: from_last[node])
    if not beyond:
        return last
    # the longest line ends on another river: of the ends beyond, the one towards which most of the others are drawn
    away = dijkstra(weights, directed=False, indices=beyond)
    metres = np.array([line[0] for line in lines])
    starts, stops = np.array([line[1] for line in lines]), np.array([line[2] for line in lines])
    votes = ((away[:, stops] < away[:, starts]) * metres).sum(axis=1)
    return beyond[int(votes.argmax())]
