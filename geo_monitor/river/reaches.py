"""Cutting stems into reaches, and official km marks into a calibration."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo_monitor.river.geodesy import Floats, scale, to_degrees, to_mercator
from geo_monitor.river.lakes import mercator
from geo_monitor.river.stems import Stem

SLIVER = 0.25  # a last piece shorter than this share of the reach length joins its neighbour


@dataclass
class Piece:
    """One reach on a stem: `low`, `high` metres along it, and its river."""

    stem: int
    low: float
    high: float
    river: str


def lake_holes(stem: Stem, tree: shapely.STRtree, lakes: np.ndarray) -> list[tuple[float, float, int]]:
    """Where a stem runs through a lake: (from, to) metres along it and the lake. There the water is an area, and the
    line carries chainage only. Crossings shorter than the accuracy of the line are drawing noise."""
    line = mercator(shapely.linestrings(stem.lonlat))
    holes = []
    for number in sorted(tree.query(line, "intersects").tolist()):
        for part in shapely.get_parts(shapely.intersection(line, lakes[number])):
            if shapely.get_type_id(part) != 1:
                continue
            ends = [shapely.get_point(part, 0), shapely.get_point(part, -1)]
            spot = np.sort(_along(stem, line, ends))
            if spot[1] - spot[0] > stem.accuracy.max():
                holes.append((float(spot[0]), float(spot[1]), number))
    holes.sort()
    merged: list[tuple[float, float, int]] = []
    for low, high, number in holes:
        if merged and low <= merged[-1][1] + 1.0:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]), merged[-1][2])
        else:
            merged.append((low, high, number))
    return merged


def _along(stem: Stem, line: Any, points: list[Any]) -> Floats:
    """Metres along the stem of points on its Mercator line."""
    c = shapely.get_coordinates(line)
    steps = np.r_[0.0, np.cumsum(np.hypot(*np.diff(c, axis=0).T))]
    return np.interp(shapely.line_locate_point(line, np.array(points, dtype=object)), steps, stem.along)


def cut(stem: int, of: Stem, holes: list[tuple[float, float, int]], length_m: float) -> list[Piece]:
    """The reaches of a stem: cut at multiples of `length_m` of drawn chainage, where its name changes, and at lakes.

    >>> line = np.array([[0.0, 0.0], [0.02, 0.0]])
    >>> of = Stem(line, np.array([0.0, 1200.0]), np.array([0.0, 1.2]), [(0.0, 1200.0, "x")], np.array([10.0]))
    >>> [(p.low, p.high) for p in cut(0, of, [], 500.0)]
    [(0.0, 500.0), (500.0, 1000.0), (1000.0, 1200.0)]
    >>> [(p.low, p.high) for p in cut(0, of, [(400.0, 900.0, 0)], 500.0)]
    [(0.0, 400.0), (900.0, 1200.0)]
    """
    pieces = []
    for low, high, river in of.sections:
        for start, stop in _outside(low, high, holes):
            inner = np.arange(np.floor(start / length_m) + 1, np.ceil(stop / length_m)) * length_m
            inner = inner[(inner - start > SLIVER * length_m) & (stop - inner > SLIVER * length_m)]
            edges = np.r_[start, inner, stop]
            pieces += [Piece(stem, float(a), float(b), river) for a, b in itertools.pairwise(edges)]
    return pieces


def _outside(low: float, high: float, holes: list[tuple[float, float, int]]) -> list[tuple[float, float]]:
    free = []
    for start, stop, _ in holes:
        if start > low:
            free.append((low, min(start, high)))
        low = max(low, stop)
        if low >= high:
            break
    if low < high:
        free.append((low, high))
    return [(a, b) for a, b in free if b - a > 1.0]


def insert(of: Stem, at: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Vertices of a stem with extra ones at `at` metres along: x, y (Mercator), along, drawn km, accuracy (m - 1)."""
    x, y = to_mercator(of.lonlat[:, 0], of.lonlat[:, 1])
    along = np.union1d(of.along, np.clip(at, 0.0, of.along[-1]))
    accuracy = of.accuracy[np.clip(np.searchsorted(of.along, along[:-1], side="right") - 1, 0, len(of.accuracy) - 1)]
    return (
        np.interp(along, of.along, x),
        np.interp(along, of.along, y),
        along,
        np.interp(along, of.along, of.km),
        accuracy,
    )


def calibrate(
    found: list[Stem], marks: Any, notes: list[dict[str, Any]], reach_m: float
) -> dict[int, tuple[Floats, Floats]]:
    """Knots (drawn km, official km) of each calibrated stem.

    `marks`: GeoDataFrame river, km, geometry (points). Each is tied to the nearest point of the stem of its river; one
    without km or place, or farther than `reach_m` times the accuracy of the line, is left out and noted. Official km
    rise with the drawn ones: where marks contradict each other the largest set that agrees is kept, the others are
    noted. Between two marks km runs evenly; beyond the outermost, as drawn.
    """
    by_stem: dict[int, list[tuple[float, float]]] = {}
    for river, km, point in zip(marks["river"], marks["km"], marks.geometry, strict=True):
        what = {"river": str(river), "km": "?" if km is None or km != km else float(km)}
        options = [i for i, stem in enumerate(found) if stem.side is None and any(s[2] == river for s in stem.sections)]
        if not options:
            notes.append({"code": "mark_without_river", "params": what})
            continue
        if what["km"] == "?" or point is None or point.is_empty:
            notes.append({"code": "mark_incomplete", "params": what})
            continue
        stem = found[options[0]]
        line, spot = mercator(shapely.linestrings(stem.lonlat)), mercator(shapely.centroid(point))
        away = float(shapely.distance(line, spot)) / float(scale(np.array([shapely.get_y(shapely.centroid(point))]))[0])
        if away > reach_m * float(stem.accuracy.max()):
            notes.append({"code": "mark_off_river", "params": {**what, "metres": round(away)}})
            continue
        by_stem.setdefault(options[0], []).append((float(_along(stem, line, [spot])[0]) / 1000, float(km)))
    knots = {}
    for number, pairs in by_stem.items():
        kept, contradicted = _rising(sorted(pairs))
        for _, official in contradicted:
            notes.append(
                {"code": "mark_out_of_order", "params": {"river": found[number].sections[0][2], "km": official}}
            )
        drawn_km = np.array([pair[0] for pair in kept])
        official_km = np.array([pair[1] for pair in kept])
        # beyond the outermost marks km goes on as drawn
        knots[number] = (
            np.r_[drawn_km[0] - 1e5, drawn_km, drawn_km[-1] + 1e5],
            np.r_[official_km[0] - 1e5, official_km, official_km[-1] + 1e5],
        )
    return knots


def _rising(pairs: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """The longest run of pairs that rise in both numbers, and the others; of equally long ones the lowest on the river.

    >>> _rising([(0.0, 900.0), (1.0, 11.0), (2.0, 12.0), (3.0, 11.5)])
    ([(1.0, 11.0), (2.0, 12.0)], [(0.0, 900.0), (3.0, 11.5)])
    """
    length, before = [1] * len(pairs), [-1] * len(pairs)
    for i, (drawn, official) in enumerate(pairs):
        for j in range(i):
            if pairs[j][0] < drawn and pairs[j][1] < official and length[j] + 1 > length[i]:
                length[i], before[i] = length[j] + 1, j
    chosen, at = set(), length.index(max(length))
    while at >= 0:
        chosen.add(at)
        at = before[at]
    return [p for i, p in enumerate(pairs) if i in chosen], [p for i, p in enumerate(pairs) if i not in chosen]


def slice_line(x: Floats, y: Floats, along: Floats, low: float, high: float) -> Any:
    """The reach's line in degrees, drawn downstream (from high to low along)."""
    i, j = np.searchsorted(along, [low, high])
    lon, lat = to_degrees(x[i : j + 1][::-1], y[i : j + 1][::-1])
    return shapely.linestrings(np.c_[lon, lat])
