"""Shapes as they come, to shapes that can be computed with: two dimensions, valid, of the right type, in WGS84.

Shapes are numpy arrays of shapely objects (n,), None where there is none. What can't be repaired is refused row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_monitor.ingest import crs

if TYPE_CHECKING:
    from geo_monitor.ingest.ledger import Ledger
    from geo_monitor.settings import Settings

Shapes = NDArray[Any]
M_PER_DEGREE = 111_195.1  # metres of a degree of latitude on the mean sphere
POINT, LINE, RING, POLYGON, POINTS, LINES, POLYGONS, COLLECTION = range(8)
NAMES = {POINT: "Point", LINE: "LineString", RING: "LinearRing", POLYGON: "Polygon", POINTS: "MultiPoint",
         LINES: "MultiLineString", POLYGONS: "MultiPolygon", COLLECTION: "GeometryCollection"}  # fmt: skip
FAMILIES = {"point": (POINT, POINTS), "line": (LINE, RING, LINES), "polygon": (POLYGON, POLYGONS)}


def area_m2(shapes: Shapes) -> NDArray[np.float64]:
    """Areas (n,) in square metres, by scaling degrees at each shape's middle latitude (good to 1 % for zones)."""
    bounds = shapely.bounds(shapes)
    middle = np.radians((bounds[:, 1] + bounds[:, 3]) / 2)
    return np.asarray(np.nan_to_num(shapely.area(shapes) * M_PER_DEGREE**2 * np.cos(middle)))


def width_m(shapes: Shapes) -> NDArray[np.float64]:
    """Mean widths (n,) in metres: area over half the perimeter; scaled at the middle latitude.

    >>> import numpy as np, shapely
    >>> float(width_m(np.array([shapely.box(112, 0, 113, 0.001)], dtype=object))[0].round())
    111.0
    """
    bounds = shapely.bounds(shapes)
    scale = np.cos(np.radians((bounds[:, 1] + bounds[:, 3]) / 2))
    flat = shapely.transform(shapes, lambda xy: xy * M_PER_DEGREE)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * shapely.area(flat) * scale / shapely.length(flat))


def to_wgs84(
    shapes: Shapes,
    told: crs.Told,
    ledger: Ledger,
    settings: Settings,
    row_datum: NDArray[Any] | None = None,
    zone: NDArray[Any] | None = None,
) -> tuple[Shapes, crs.Placed]:
    """Shapes in WGS84 degrees without Z and M; rows that can't be placed are refused in the ledger.

    row_datum (n,): a datum named in the row; zone (n,): the id by which a held zone would be the same.
    """
    shapes = shapes.copy()
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    ledger.refuse(shapely.is_missing(shapes), "geometry_missing")
    ledger.refuse(empty, "geometry_empty")
    shapes[empty] = None
    with np.errstate(invalid="ignore"):
        shapes = shapely.force_2d(shapes)
    coords, owner = shapely.get_coordinates(shapes, return_index=True)
    broken = np.zeros(len(shapes), dtype=bool)
    broken[owner[~np.isfinite(coords).all(axis=1)]] = True
    ledger.refuse(broken, "coordinate_not_finite")
    shapes[broken] = None
    coords, owner = shapely.get_coordinates(shapes, return_index=True)
    of = crs.Of(ring=_rings(shapes), zone=None if zone is None else zone[owner])
    placed = crs.place(coords[:, 0], coords[:, 1], told, settings, None if row_datum is None else row_datum[owner], of)
    shapes = shapely.set_coordinates(shapes, np.column_stack([placed.lon, placed.lat]))
    for code, mask in placed.bad.items():
        rows = np.zeros(len(shapes), dtype=bool)
        rows[owner[mask]] = True
        if code == "wrong_hemisphere":
            rows &= ~np.isin(np.arange(len(shapes)), owner[~mask])  # a shape that reaches into the basin is kept
        ledger.refuse(rows, code)
    tell(placed, ledger, owner, len(shapes))
    return shapes, placed


def _rings(shapes: Shapes) -> NDArray[np.int64]:
    """The number of the line or ring each vertex of `shapes` is of, in the order of `shapely.get_coordinates`."""
    parts = shapely.get_parts(shapes)
    flat = [part for part in parts if shapely.get_type_id(part) >= POINTS]
    if flat:  # collections in collections
        return np.zeros(len(shapely.get_coordinates(shapes)), dtype=np.int64)
    rings = [ring for part in parts for ring in (shapely.get_rings(part) if part.geom_type == "Polygon" else (part,))]
    counts = shapely.get_num_coordinates(np.array(rings, dtype=object)) if rings else np.zeros(0, dtype=np.int64)
    return np.repeat(np.arange(len(rings)), counts)


def tell(placed: crs.Placed, ledger: Ledger, owner: NDArray[np.int64] | None, n: int) -> None:
    """Brings what `crs.place` found into the ledger; `owner` maps points to rows."""
    for code, params in placed.notes:
        ledger.note(code, **params)
    for code, mask, params in placed.warnings:
        if mask is None:
            ledger.warn(code, None, **params)
            continue
        rows = mask
        if owner is not None:
            rows = np.zeros(n, dtype=bool)
            rows[owner[mask]] = True
        ledger.warn(code, rows, **params)


def only(shapes: Shapes, families: tuple[str, ...], ledger: Ledger) -> None:
    """Refuses rows whose shape belongs to none of `families` (point, line, polygon); collections are looked into."""
    only_types(shapely.get_type_id(shapes), families, ledger)


def only_types(types: NDArray[Any], families: tuple[str, ...], ledger: Ledger) -> None:
    """As `only`, of types (n,), -1 where there is no shape."""
    allowed = [number for family in families for number in FAMILIES[family]]
    wrong = ~np.isin(types, allowed) & (types >= 0)
    for number in sorted(set(types[wrong & ledger.alive].tolist())):
        wanted = [{"point": "Point", "line": "LineString", "polygon": "Polygon"}[family] for family in families]
        ledger.refuse(types == number, "geometry_type", found=NAMES[number], wanted=wanted)


def unpack(shapes: Shapes, family: str) -> Shapes:
    """Collections reduced to their members of a family, where they have any.

    >>> import numpy as np, shapely
    >>> both = shapely.GeometryCollection([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)])
    >>> unpack(np.array([both], dtype=object), "polygon")[0].geom_type
    'Polygon'
    """
    shapes = shapes.copy()
    for i in np.flatnonzero(shapely.get_type_id(shapes) == COLLECTION):
        parts = [part for part in shapely.get_parts(shapes[i]) if shapely.get_type_id(part) in FAMILIES[family]]
        flat = [leaf for part in parts for leaf in shapely.get_parts(part)]
        if len(flat) == 1:
            shapes[i] = flat[0]
        elif flat:
            shapes[i] = (shapely.MultiPolygon if family == "polygon" else shapely.MultiLineString)(flat)
    return shapes


def polygons(shapes: Shapes, ledger: Ledger, settings: Settings) -> Shapes:
    """Polygons made valid (OGC rules), with warnings: what was wrong, the area before and after, slivers.

    The area before is the even-odd area that a map draws of the shape as sent.
    """
    shapes = unpack(shapes, "polygon")
    only(shapes, ("polygon",), ledger)
    live = ledger.alive
    repeated = np.zeros(len(shapes), dtype=bool)
    before = shapely.get_num_coordinates(shapes)
    plain = np.array([shapely.remove_repeated_points(s, 0.0) if ok else None for s, ok in zip(shapes, live, strict=True)],
                     dtype=object)  # fmt: skip
    repeated[live] = shapely.get_num_coordinates(plain[live]) < before[live]
    if repeated.any():
        ledger.note("vertices_repeated", count=int(repeated.sum()))
    wrong = live & ~shapely.is_valid(plain)
    for i in np.flatnonzero(wrong):
        rows = np.zeros(len(shapes), dtype=bool)
        rows[i] = True
        why = shapely.is_valid_reason(plain[i]).split("[")[0].strip()
        sent = float(area_m2(np.array([shapely.make_valid(plain[i])], dtype=object))[0])
        fixed = shapely.make_valid(plain[i], method="structure", keep_collapsed=False)
        fixed = unpack(np.array([fixed], dtype=object), "polygon")[0]
        if shapely.get_type_id(fixed) not in FAMILIES["polygon"] or shapely.is_empty(fixed):
            ledger.refuse(rows, "geometry_beyond_repair", why=why)
            continue
        after = float(area_m2(np.array([fixed], dtype=object))[0])
        plain[i] = fixed
        code = (
            "geometry_repaired_changed"
            if abs(after - sent) > settings.area_change * max(sent, 1.0)
            else "geometry_repaired"
        )
        ledger.warn(code, rows, why=why, before=f"{sent / 1e6:,.4f}", after=f"{after / 1e6:,.4f}")
    with np.errstate(invalid="ignore"):
        thin = ledger.alive & (width_m(plain) < settings.sliver_m)
    ledger.warn("geometry_sliver", thin, width=f"{settings.sliver_m:g}")
    return plain


def lines(shapes: Shapes) -> Shapes:
    """Lines without repeated vertices; collections reduced to their lines."""
    shapes = unpack(shapes, "line")
    return np.array([None if s is None else shapely.remove_repeated_points(s, 0.0) for s in shapes], dtype=object)
