"""Who is in a zone, against shapely's exact predicate, on the polygons and points where it is hardest to be right."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import shapely
from numba import njit

from geo_monitor.events.ground import edges
from geo_monitor.joins.areas import Areas
from geo_monitor.joins.kernels import inside, side
from geo_monitor.joins.zones import Zone, polygons

POINTS = 3_000  # a shape and kind; `checks/zones.py` has millions
WHERE = np.array([112.25, 30.05])
SHAPES = ("shore of 2,000 corners", "shore of 500,000 corners", "sliver", "holes", "parts that touch", "meander necks",
          "crossing itself", "crossing itself often")  # fmt: skip
KINDS = ("anywhere", "beside the border", "on edges", "corners", "level with corners", "a breath off")


def shore(corners: int, seed: int) -> np.ndarray:
    """A ring (corners, 2) around `WHERE`, some 20 km wide, rough at every scale."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = np.full(corners, 0.1)
    for wave in range(1, 40):
        radius += 0.03 / wave**1.2 * np.cos(wave * angle + rng.uniform(0, 6))
    radius = np.maximum(radius, 0.01) * (1 + rng.uniform(-0.2, 0.2, corners) / np.sqrt(corners))
    return WHERE + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


@cache
def shape(name: str) -> shapely.Geometry:
    """As the joins take it: repaired, its parts joined."""
    rng = np.random.default_rng(7)
    x, y = WHERE
    if name.startswith("shore"):
        made = shapely.Polygon(shore(int(name.split()[2].replace(",", "")), 3))
    elif name == "sliver":  # 20 km long, a hand wide
        made = shapely.Polygon([(x, y), (x + 0.2, y + 0.1), (x + 0.2, y + 0.100001), (x, y + 0.000001)])
    elif name == "holes":  # the last one touches the border in a point
        holes = [
            shapely.Point(x + 0.05 * i, y + 0.05 * j).buffer(0.02, 16).exterior
            for i in range(-1, 2)
            for j in range(-1, 2)
        ]
        holes.append(shapely.Polygon([(x - 0.1, y + 0.09), (x - 0.095, y + 0.088), (x - 0.095, y + 0.092)]).exterior)
        made = shapely.Polygon(shapely.box(x - 0.1, y - 0.1, x + 0.1, y + 0.1).exterior, holes)
    elif name == "parts that touch":
        made = shapely.MultiPolygon([shapely.box(x, y, x + 0.1, y + 0.1), shapely.box(x - 0.1, y - 0.1, x, y),
                                     shapely.box(x + 0.1, y - 0.1, x + 0.2, y)])  # fmt: skip
    elif name == "meander necks":
        t = np.linspace(0, 1, 600)
        way = np.column_stack([x + 0.2 * t + 0.012 * np.sin(24 * np.pi * t), y + 0.03 * np.cos(12 * np.pi * t)])
        made = shapely.LineString(way).buffer(0.0045)
    else:
        made = shapely.Polygon(WHERE + rng.uniform(-0.1, 0.1, (6 if name == "crossing itself" else 60, 2)))
    (found,) = polygons(np.array([made], dtype=object))
    assert found.is_valid
    return found


def points(made: shapely.Geometry, kind: str, n: int, seed: int) -> np.ndarray:
    """Lon, lat (n, 2) of one adversarial kind."""
    rng = np.random.default_rng(seed)
    west, south, east, north = made.bounds
    rings = shapely.get_rings(shapely.get_parts(made))
    at, ring = shapely.get_coordinates(rings, return_index=True)
    first = rng.choice(np.flatnonzero(ring[1:] == ring[:-1]), n)
    a, b = at[first], at[first + 1]
    if kind == "anywhere":
        return rng.uniform([west - 0.01, south - 0.01], [east + 0.01, north + 0.01], (n, 2))
    if kind == "beside the border":
        return a + rng.normal(0, rng.choice([1e-9, 1e-6, 1e-3], (n, 1)), (n, 2))
    if kind == "on edges":  # to the last bit that doubles have
        return a + rng.choice([0.5, 0.25, rng.uniform()], (n, 1)) * (b - a)
    if kind == "corners":
        return a
    if kind == "level with corners":
        return np.column_stack([rng.uniform(west, east, n), a[:, 1]])
    assert kind == "a breath off"  # one step of a double beside a corner or an edge
    on = np.where(rng.uniform(size=(n, 1)) < 0.5, a, a + rng.uniform(size=(n, 1)) * (b - a))
    return np.nextafter(on, on + rng.choice([-1.0, 0.0, 1.0], (n, 2)))


@njit
def _all(at, edges, slab, filed, south, per_degree, box):  # type: ignore[no-untyped-def]
    found = np.empty(len(at), np.bool_)
    for i in range(len(at)):
        found[i] = inside(at[i, 0], at[i, 1], edges, slab, filed, south, per_degree, box)
    return found


def answers(made: shapely.Geometry, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the points (n, 2) are in it or on its border: as the joins say, and as shapely does."""
    areas = Areas.of([Zone("z", 1, np.array([[0, 1]]), made)])
    shapely.prepare(made)
    return _all(at, *edges(areas, 0)), shapely.intersects_xy(made, at)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_joins_find_inside_what_shapely_does(name: str, kind: str) -> None:
    at = points(shape(name), kind, POINTS, 1)
    mine, exact = answers(shape(name), at)
    assert (mine == exact).all(), at[mine != exact][:3].tolist()


def test_the_side_of_a_border_is_exact() -> None:
    """Against fractions, steps of a double beside lines; rounded products alone are wrong in some of these."""
    rng = np.random.default_rng(5)
    n = 100_000
    a, b = WHERE + rng.uniform(-0.2, 0.2, (2, n, 2))
    on = a + rng.uniform(size=(n, 1)) * (b - a)
    on = np.nextafter(on, on + rng.choice([-1.0, 0.0, 1.0], (n, 2)))
    (x, y), (x1, y1), (x2, y2) = on.T, a.T, b.T
    mine = np.array([np.sign(side(*row)) for row in np.column_stack([on, a, b])])
    rounded = np.sign((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1))
    doubtful = np.flatnonzero(mine != rounded)
    assert len(doubtful) > 20
    for i in [*doubtful, *range(500)]:
        p, q, r, s = (Fraction(u[i]) - Fraction(v[i]) for u, v in ((x2, x1), (y, y1), (x, x1), (y2, y1)))
        assert mine[i] == np.sign(float(p * q - r * s))
