"""The surroundings of a place as shapes in metres on a small square, ready to be drawn: no map service, no picture.

In: `Known` and the place. Out: `Sketch`, east and north in metres from its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_monitor.app.brief.facts import mercator
from geo_monitor.app.rows import rows
from geo_monitor.river.geodesy import scale, to_mercator

if TYPE_CHECKING:
    from geo_monitor.app.brief.facts import Known

LEAST_M = 2_500.0  # metres from the middle to an edge at least
FINE = 300.0  # shapes are drawn to this part of the square
REACHES_MAX = 2_000  # shapes at most, nearest first
MARKS_MAX = 200


@dataclass(frozen=True)
class Sketch:
    """A square of 2 x `half_m` metres; all shapes lie in it, x to the east, y to the north of its middle.

    reaches: (shape, state, whether it is the place); zones: (shape, in force); place: the place itself where it is a
    point; marks: seizures; units: (x, y, number in the list); labels: (x, y, km); flow: a point on the place and the
    unit vector downstream, or None.
    """

    half_m: float
    reaches: tuple[tuple[shapely.Geometry, str, bool], ...] = ()
    zones: tuple[tuple[shapely.Geometry, bool], ...] = ()
    place: tuple[float, float] | None = None
    marks: tuple[tuple[float, float], ...] = ()
    units: tuple[tuple[float, float, int], ...] = ()
    labels: tuple[tuple[float, float, float], ...] = ()
    flow: tuple[float, float, float, float] | None = None


def sketch(
    known: Known,
    shape: shapely.Geometry,
    spots: np.ndarray,
    zones: pd.DataFrame,
    cases: pd.DataFrame,
    units: pd.DataFrame,
) -> Sketch:
    """The surroundings of `shape` (WGS84); `spots` are the reaches it is, or meets."""
    west, south, east, north = mercator(np.array([shape], dtype=object))[0].bounds
    middle = np.array([(west + east) / 2, (south + north) / 2])
    lat = (shape.bounds[1] + shape.bounds[3]) / 2
    k = float(scale(np.array([lat]))[0])
    half = max(0.7 * max(east - west, north - south) / k, LEAST_M)
    frame = shapely.box(-half, -half, half, half)

    def local(shapes: np.ndarray) -> np.ndarray:
        flat = shapely.transform(mercator(shapes), lambda xy: (xy - middle) / k)
        fine = shapely.make_valid(shapely.simplify(flat, half / FINE))
        return np.asarray(shapely.intersection(fine, frame))

    def points(lon: pd.Series, lat: pd.Series) -> np.ndarray:
        x, y = to_mercator(lon.to_numpy(dtype=float), lat.to_numpy(dtype=float))
        return np.asarray((np.column_stack([x, y]) - middle) / k)

    table = known.reaches
    xy = points(table["lon"], table["lat"])
    away = np.abs(xy).max(axis=1)
    near = np.flatnonzero(away <= half + 1_000.0)
    near = near[np.argsort(away[near], kind="stable")[:REACHES_MAX]]
    here = np.isin(near, spots)
    shapes = local(table["geometry"].to_numpy()[near])
    reaches = tuple(
        (part, str(table["state"].iloc[i]), bool(own))
        for part, i, own in zip(shapes, near, here, strict=True)
        if not part.is_empty
    )
    outlines = [(g, bool(holds)) for g, holds in zip(zones["geometry"], zones["holds"], strict=True)]
    outlines = [(g, holds) for g, holds in outlines if isinstance(g, shapely.Geometry) and not g.is_empty]
    drawn = local(shapely.make_valid(np.array([g for g, _ in outlines], dtype=object))) if outlines else ()
    placed = cases[cases["lon"].notna() & cases["lat"].notna()].head(MARKS_MAX)
    return Sketch(
        round(half, 3),
        reaches,
        tuple((part, holds) for part, (_, holds) in zip(drawn, outlines, strict=True) if not part.is_empty),
        (0.0, 0.0) if shape.geom_type == "Point" else None,
        tuple((float(x), float(y)) for x, y in points(placed["lon"], placed["lat"]) if max(abs(x), abs(y)) < half),
        tuple(
            (float(x), float(y), n)
            for n, (x, y) in enumerate(points(units["lon"], units["lat"]), start=1)
            if max(abs(x), abs(y)) < half
        ),
        _labels(table.iloc[near], shapes, half),
        _flow(local(table["geometry"].to_numpy()[spots[:1]])) if len(spots) else None,
    )


def _labels(table: pd.DataFrame, shapes: np.ndarray, half: float) -> tuple[tuple[float, float, float], ...]:
    """Where the main channel passes round km, some five in the square: (x, y, km). Reaches are drawn downstream, so
    one ends at its km_from."""
    step = next(step for step in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e9) if step * 1000 >= half / 2.2)
    found: list[tuple[float, float, float]] = []
    for row, part in zip(rows(table[["kind", "side", "km_from"]]), shapes, strict=True):
        if row.kind != "channel" or not pd.isna(row.side) or part.geom_type != "LineString" or part.is_empty:
            continue
        if abs(row.km_from / step - round(row.km_from / step)) < 1e-6:
            x, y = part.coords[-1]
            if all(abs(x - a) + abs(y - b) > half / 6 for a, b, _ in found):
                found.append((float(x), float(y), float(row.km_from)))
    return tuple(found)


def _flow(shapes: np.ndarray) -> tuple[float, float, float, float] | None:
    part = shapes[0]
    if part.geom_type != "LineString" or part.is_empty or part.length == 0:
        return None
    (x0, y0), (x1, y1) = part.coords[0], part.coords[-1]
    length = float(np.hypot(x1 - x0, y1 - y0))
    if length == 0:
        return None
    middle = part.interpolate(0.5, normalized=True)
    return float(middle.x), float(middle.y), (x1 - x0) / length, (y1 - y0) / length
